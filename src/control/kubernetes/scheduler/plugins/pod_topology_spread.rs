//! PodTopologySpread: pods of a kind are spread over zones, nodes, or any other label (K 2.12).

use crate::base::{Row, Symbol, Symbols};
use crate::control::kubernetes::labels::{Labels, Requirement, Selector};
use crate::control::kubernetes::objects::{
    ControllerKind, Node, Pod, PodSpec, Selecting, Specs, SpreadConstraint,
};
use crate::control::kubernetes::scheduler::cluster::{Listers, NodeInfo};
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{Cycle, Plugin, Points, PreFilter, PreScore, Status};
use crate::control::kubernetes::scheduler::tally::{Books, Column, Counting, Limit, Standing, Term};
use crate::mark;

use super::taint_toleration::tolerates_all;
use super::{node_change, pod_change};

/// The plugin.
#[derive(Debug, Default)]
pub struct PodTopologySpread {
    /// `defaultConstraints`, for pods that state none; their selectors come from services and owners.
    pub defaults: Vec<SpreadConstraint>,
    /// `defaultingType: System`: nodes without a key stay in the score.
    pub system_defaulted: bool,
    /// How many matching pods each domain has.
    books: Books<Constraints>,
    /// The soft constraints of this cycle.
    soft: Vec<Soft>,
}

/// The constraints of one pod: the question of a term is the place of its constraint.
#[derive(PartialEq, Debug, Default)]
struct Constraints {
    /// The hard ones first.
    all: Vec<SpreadConstraint>,
    hard: usize,
    /// Whether a node without one of the soft keys does not take part.
    all_keys: bool,
    /// `kubernetes.io/hostname`: soft constraints on it look at the pods of each node alone.
    hostname: Option<Symbol>,
}

/// What a soft constraint comes to in one cycle.
#[derive(Clone, Copy, Debug)]
struct Soft {
    /// The place of the constraint.
    place: usize,
    max_skew: i32,
    weight: f64,
    /// Each node counts its own pods.
    by_node: bool,
    /// The domain of the empty value, which counts nodes without the label as well.
    blank: usize,
}

/// The score of a node that takes no part.
const APART: i64 = -1;

impl PodTopologySpread {
    /// The plugin with these default constraints; `system` says whether they are the original's own.
    pub fn new(defaults: Vec<SpreadConstraint>, system: bool) -> Self {
        PodTopologySpread { defaults, system_defaulted: system, ..PodTopologySpread::default() }
    }

    /// The constraints of the original: hosts with a skew of 3, zones with a skew of 5, both soft.
    pub fn system_defaults(symbols: &mut Symbols) -> Self {
        let mut soft = |key, max_skew| SpreadConstraint {
            max_skew,
            topology_key: symbols.intern(key),
            hard: false,
            selector: Selector::Nothing,
            domains_min: 1,
            honors_affinity: true,
            honors_taints: false,
        };
        let defaults = vec![soft("kubernetes.io/hostname", 3), soft("topology.kubernetes.io/zone", 5)];
        PodTopologySpread::new(defaults, true)
    }

    fn open(&mut self, cycle: &Cycle<'_>) {
        if self.books.rule().is_some() {
            return;
        }
        let PodTopologySpread { defaults, system_defaulted, books, .. } = self;
        let listers = &cycle.cluster.listers;
        books.open(cycle, listers.selecting_revision, || {
            let of = |hard| constraints(defaults, cycle.specs, listers, cycle.pod, cycle.spec, hard);
            let mut all = of(true);
            let hard = all.len();
            all.append(&mut of(false));
            let all_keys = !cycle.spec.spread.is_empty() || !*system_defaulted;
            let hostname = cycle.specs.symbols.find("kubernetes.io/hostname");
            Constraints { all, hard, all_keys, hostname }
        });
    }

    /// What the filter asks of a node.
    fn limits(&self, cycle: &Cycle<'_>) -> impl Iterator<Item = Limit> {
        let hard = self.books.rule().map_or(&[][..], Constraints::hard);
        hard.iter().enumerate().map(move |(place, constraint)| {
            let domains = i64::try_from(self.books.peopled(place)).expect("few domains");
            let fewest = if domains < constraint.domains_min.into() {
                mark!("K 2.12 fewer domains than minDomains");
                0
            } else {
                self.books.fewest(place).unwrap_or(i64::from(i32::MAX))
            };
            let itself = i64::from(constraint.selector.matches(&cycle.spec.labels, &cycle.specs.symbols));
            let most = fewest + i64::from(constraint.max_skew) - itself;
            Limit { place, least: i64::MIN, most, needs_key: true }
        })
    }

    /// What each soft constraint reads of nodes.
    fn columns(&self) -> Vec<(Soft, Column<'_>)> {
        self.soft.iter().map(|soft| (*soft, self.books.column(soft.place))).collect()
    }

    /// Whether a node without one of the soft keys takes no part.
    fn needs_keys(&self) -> bool {
        self.books.rule().is_none_or(|rule| rule.all_keys)
    }
}

impl Plugin for PodTopologySpread {
    fn name(&self) -> &'static str {
        "PodTopologySpread"
    }

    fn points(&self) -> Points {
        Points { pre_filter: true, filter: true, pre_score: true, score: true, ..Points::default() }
    }

    fn pre_filter(&mut self, cycle: &Cycle<'_>) -> PreFilter {
        self.open(cycle);
        match self.books.rule() {
            Some(rule) if rule.hard > 0 => PreFilter::AllNodes,
            Some(_) | None => PreFilter::Skip,
        }
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        for limit in self.limits(cycle) {
            match self.books.standing(&limit, node.row) {
                Standing::Within => {}
                Standing::NoKey => {
                    mark!("K 2.12 a node without the key");
                    let reason =
                        "node(s) didn't match pod topology spread constraints (missing required label)";
                    return Err(Status::unresolvable(reason));
                }
                Standing::Beyond => {
                    mark!("K 2.12 too uneven");
                    return Err(Status::unschedulable(
                        "node(s) didn't match pod topology spread constraints",
                    ));
                }
            }
        }
        Ok(())
    }

    fn filter_many(
        &self,
        cycle: &Cycle<'_>,
        nodes: &[Row<NodeInfo>],
        can: &mut [bool],
    ) -> Result<(), Status> {
        self.limits(cycle).for_each(|limit| self.books.strike(&limit, nodes, can));
        Ok(())
    }

    fn add_pod(&mut self, cycle: &Cycle<'_>, added: Row<Pod>, node: &NodeInfo) {
        self.books.think(cycle, added, node.row, 1);
    }

    fn remove_pod(&mut self, cycle: &Cycle<'_>, removed: Row<Pod>, node: &NodeInfo) {
        self.books.think(cycle, removed, node.row, -1);
    }

    fn save(&mut self) {
        self.books.save();
    }

    fn restore(&mut self) {
        self.books.restore();
    }

    fn pre_score(&mut self, cycle: &Cycle<'_>, nodes: &[&NodeInfo]) -> PreScore {
        self.open(cycle);
        let Some(rule) = self.books.rule().filter(|rule| rule.has_soft()) else { return PreScore::Skip };
        let columns: Vec<(&SpreadConstraint, usize, Column<'_>)> =
            rule.soft().map(|(place, constraint)| (constraint, place, self.books.column(place))).collect();
        let has_keys = |node: &Row<NodeInfo>| columns.iter().all(|(_, _, column)| column.domain(*node) > 0);
        let mut part: Vec<Row<NodeInfo>> = nodes.iter().map(|node| node.row).collect();
        if rule.all_keys {
            part.retain(has_keys);
        }
        let empty = cycle.specs.symbols.find("");
        let soft = columns.iter().map(|&(constraint, place, column)| {
            let by_node = rule.is_by_node(constraint);
            let blank = empty.filter(|_| !by_node).map_or(0, |empty| column.domain_of(empty));
            let size = if by_node {
                mark!("K 2.12 the size of the host key is the number of nodes");
                part.len()
            } else {
                size(column, blank, &part)
            };
            let weight = weight_upstream_f64(size);
            Soft { place, max_skew: constraint.max_skew, weight, by_node, blank }
        });
        self.soft = soft.collect();
        PreScore::Score
    }

    fn scores(&self, _: &Cycle<'_>) -> bool {
        self.books.rule().is_none_or(Constraints::has_soft)
    }

    fn score(&self, _: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        Ok(raw(&self.columns(), self.needs_keys(), node.row))
    }

    fn score_many(&self, _: &Cycle<'_>, nodes: &[&NodeInfo], scores: &mut [i64]) -> Result<(), Status> {
        let (columns, needs_keys) = (self.columns(), self.needs_keys());
        for (score, node) in scores.iter_mut().zip(nodes) {
            *score = raw(&columns, needs_keys, node.row);
        }
        Ok(())
    }

    fn normalize(&self, _: &Cycle<'_>, _: &[&NodeInfo], scores: &mut [i64]) {
        let taking = scores.iter().copied().filter(|&score| score != APART);
        let (least, most) =
            taking.fold((i64::MAX, 0), |(least, most), score| (least.min(score), most.max(score)));
        for score in scores {
            mark!("K 2.12 normalised between the extremes");
            *score = match (*score, most) {
                (APART, _) => 0,
                (_, 0) => 100,
                (raw, most) => 100 * (most + least - raw) / most,
            };
        }
    }

    fn finish(&mut self) {
        self.books.close();
        self.soft.clear();
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::AssignedPodAdd,
            EventKind::AssignedPodUpdateLabel,
            EventKind::AssignedPodDelete,
            EventKind::PodUpdateLabel,
            EventKind::PodUpdateTolerations,
            EventKind::NodeAdd,
            EventKind::NodeDelete,
            EventKind::NodeUpdateLabel,
            EventKind::NodeUpdateTaint,
        ]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        let Listening { specs, cluster, pod, spec, .. } = *listening;
        let constraints = constraints(&self.defaults, specs, &cluster.listers, pod, spec, true);
        if let Some(edit) = node_change(event) {
            return node_may_help(specs, &constraints, edit.old, edit.new);
        }
        let Some(edit) = pod_change(event) else { return false };
        let own = edit.row == listening.row;
        let involved = |other: &Pod| {
            own || ((other.node.is_some() || other.nominated.is_some()) && other.namespace == pod.namespace)
        };
        if !edit.old.into_iter().chain(edit.new).all(involved) {
            return false;
        }
        mark!("K 2.3 pods that a spread constraint selects");
        let selected = |constraint: &SpreadConstraint, other: &Pod| {
            constraint.selector.matches(&specs[other.spec].labels, &specs.symbols)
        };
        match (edit.old, edit.new) {
            (Some(old), Some(new)) => {
                let tolerations = specs[old.spec].tolerations != specs[new.spec].tolerations;
                (own && tolerations && constraints.iter().any(|each| each.honors_taints))
                    || constraints.iter().any(|each| selected(each, old) != selected(each, new))
            }
            (Some(one), None) | (None, Some(one)) => constraints.iter().any(|each| selected(each, one)),
            (None, None) => false,
        }
    }
}

impl Constraints {
    fn hard(&self) -> &[SpreadConstraint] {
        &self.all[..self.hard]
    }

    fn has_soft(&self) -> bool {
        self.hard < self.all.len()
    }

    fn soft(&self) -> impl Iterator<Item = (usize, &SpreadConstraint)> {
        self.all.iter().enumerate().skip(self.hard)
    }

    /// Whether a soft constraint looks at the pods of each node alone.
    fn is_by_node(&self, constraint: &SpreadConstraint) -> bool {
        Some(constraint.topology_key) == self.hostname
    }
}

impl Counting for Constraints {
    fn terms(&self) -> Vec<Term> {
        let all = self.all.iter().enumerate();
        all.map(|(question, constraint)| Term { question, key: constraint.topology_key }).collect()
    }

    fn compares(&self, term: Term) -> bool {
        term.question < self.hard
    }

    fn pods<'a>(&self, node: &'a NodeInfo) -> &'a [Row<Pod>] {
        if self.all.is_empty() { &[] } else { &node.pods }
    }

    /// Pods of the pod's namespace that the selector selects; those that are going do not count.
    fn count(&self, cycle: &Cycle<'_>, other: &Pod, add: &mut dyn FnMut(Term, i64)) {
        if other.deleted_at.is_some() || other.namespace != cycle.pod.namespace {
            return;
        }
        let labels = &cycle.specs[other.spec].labels;
        for (question, constraint) in self.all.iter().enumerate() {
            if constraint.selector.is_empty() {
                mark!("K 2.12 an empty selector counts no pod");
            } else if constraint.selector.matches(labels, &cycle.specs.symbols) {
                add(Term { question, key: constraint.topology_key }, 1);
            }
        }
    }

    fn includes(&self, cycle: &Cycle<'_>, term: Term, node: &NodeInfo) -> bool {
        let constraint = &self.all[term.question];
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        if term.question < self.hard {
            mark!("K 2.12 only nodes with all keys count");
            has_keys(labels, self.hard()) && includes(cycle, constraint, node)
        } else if self.is_by_node(constraint) {
            true
        } else {
            mark!("K 2.12 pods of all nodes count, feasible or not");
            (!self.all_keys || has_keys(labels, &self.all[self.hard..])) && includes(cycle, constraint, node)
        }
    }
}

/// The score of a node before it is normalised.
fn raw(columns: &[(Soft, Column<'_>)], needs_keys: bool, node: Row<NodeInfo>) -> i64 {
    if needs_keys && columns.iter().any(|(_, column)| column.domain(node) == 0) {
        return APART;
    }
    score_upstream_f64(columns.iter().filter_map(|(soft, column)| {
        let domain = column.domain(node);
        let count = match domain {
            0 => return None,
            _ if soft.by_node => column.own(node),
            blank if blank == soft.blank => column.sum(blank) + column.sum(0),
            _ => column.sum(domain),
        };
        Some((count, soft.max_skew, soft.weight))
    }))
}

/// How many values some nodes have; the empty value and none are one.
fn size(column: Column<'_>, blank: usize, nodes: &[Row<NodeInfo>]) -> usize {
    let mut met = vec![false; column.end()];
    for &node in nodes {
        let domain = column.domain(node);
        met[if domain == blank { 0 } else { domain }] = true;
    }
    met.into_iter().filter(|met| *met).count()
}

/// The constraints of a pod that are hard, or those that are not.
fn constraints(
    defaults: &[SpreadConstraint],
    specs: &Specs,
    listers: &Listers,
    pod: &Pod,
    spec: &PodSpec,
    hard: bool,
) -> Vec<SpreadConstraint> {
    let stated = |list: &[SpreadConstraint]| -> Vec<SpreadConstraint> {
        list.iter().filter(|constraint| constraint.hard == hard).cloned().collect()
    };
    if !spec.spread.is_empty() {
        return stated(&spec.spread);
    }
    let mut defaults = stated(defaults);
    if defaults.is_empty() {
        return defaults;
    }
    mark!("K 2.12 default constraints select by services and owner");
    let selector = default_selector(specs, listers, pod, spec);
    if selector.is_empty() {
        return Vec::new();
    }
    for constraint in &mut defaults {
        constraint.selector = selector.clone();
    }
    defaults
}

/// The value of a key; none when it is absent or empty, which the original does not tell apart.
fn value(symbols: &Symbols, labels: &Labels, key: Symbol) -> Option<Symbol> {
    labels.get(key).filter(|&value| !symbols.text(value).is_empty())
}

fn has_keys(labels: &Labels, constraints: &[SpreadConstraint]) -> bool {
    constraints.iter().all(|constraint| labels.get(constraint.topology_key).is_some())
}

/// Whether a node counts for a constraint, by its inclusion policies.
fn includes(cycle: &Cycle<'_>, constraint: &SpreadConstraint, node: &NodeInfo) -> bool {
    let spec = cycle.cluster.spec(cycle.specs, node);
    if constraint.honors_affinity && !cycle.spec.wants_node(node.name, &spec.labels, &cycle.specs.symbols) {
        mark!("K 2.12 nodeAffinityPolicy Honor");
        return false;
    }
    if constraint.honors_taints && !tolerates_all(cycle.spec, &spec.taints) {
        mark!("K 2.12 nodeTaintsPolicy Honor");
        return false;
    }
    true
}

/// What selects the pods of the same services and of the same owner.
fn default_selector(specs: &Specs, listers: &Listers, pod: &Pod, spec: &PodSpec) -> Selector {
    let of = |selecting: &Selecting| &specs[selecting.named.spec];
    let namespace = pod.namespace;
    let first = (namespace, None, Symbol::FIRST);
    let services = listers
        .selecting
        .range(first..)
        .take_while(|((of, kind, _), _)| *of == namespace && kind.is_none())
        .map(|(_, service)| of(service))
        .filter(|selector| selector.matches(&spec.labels, &specs.symbols));
    let mut all: Vec<Requirement> = Vec::new();
    let add = |all: &mut Vec<Requirement>, selector: &Selector| {
        if let Selector::AllOf(requirements) = selector {
            let new = requirements.iter().filter(|each| !all.contains(each)).cloned().collect::<Vec<_>>();
            all.extend(new);
        }
    };
    for service in services {
        add(&mut all, service);
    }
    let Some(controller) = spec.controller else { return Selector::all_of(all) };
    let owner = listers.selecting.get(&(namespace, Some(controller.kind), controller.name)).map(of);
    match (controller.kind, owner) {
        (_, None) | (ControllerKind::DaemonSet | ControllerKind::Job | ControllerKind::Other, _) => {}
        (ControllerKind::ReplicationController, Some(owner)) => {
            mark!("K 2.12 a replication controller overrides the services");
            if let Selector::AllOf(requirements) = owner {
                all.retain(|known| !requirements.iter().any(|each| each.key == known.key));
                all.extend(requirements.iter().cloned());
            }
        }
        (ControllerKind::ReplicaSet | ControllerKind::StatefulSet, Some(owner)) => add(&mut all, owner),
    }
    Selector::all_of(all)
}

fn node_may_help(
    specs: &Specs,
    constraints: &[SpreadConstraint],
    old: Option<&Node>,
    new: Option<&Node>,
) -> bool {
    let labels = |node: &Node| &specs[node.spec].labels;
    let keyed = |node: &Node| has_keys(labels(node), constraints);
    mark!("K 2.3 nodes that a spread constraint counts");
    match (old, new) {
        (Some(old), Some(new)) => {
            let moved = |constraint: &SpreadConstraint| {
                let value = |node| value(&specs.symbols, labels(node), constraint.topology_key);
                value(old) != value(new)
            };
            let taints = specs[old.spec].taints != specs[new.spec].taints;
            keyed(old) != keyed(new) || (keyed(new) && (taints || constraints.iter().any(moved)))
        }
        (Some(node), None) | (None, Some(node)) => keyed(node),
        (None, None) => false,
    }
}

#[expect(clippy::cast_precision_loss, reason = "upstream's f64")]
fn weight_upstream_f64(size: usize) -> f64 {
    mark!("K 2.12 the weight of a key grows with the logarithm of its size");
    libm::log((size + 2) as f64)
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn score_upstream_f64(terms: impl Iterator<Item = (i64, i32, f64)>) -> i64 {
    let each = |(count, max_skew, weight): (i64, i32, f64)| count as f64 * weight + f64::from(max_skew - 1);
    let sum = terms.map(each).fold(0.0, |sum, term| sum + term);
    if !(0.0..1e15).contains(&sum) {
        return libm::round(sum) as i64;
    }
    // The same in few steps: the difference to the whole part is exact.
    let whole = sum as i64;
    whole + i64::from(sum - whole as f64 >= 0.5)
}
