//! PodTopologySpread: pods of a kind are spread over zones, nodes, or any other label (K 2.12).

use std::collections::BTreeMap;

use crate::base::{Row, Symbol, Symbols};
use crate::control::kubernetes::labels::{Labels, Requirement, Selector};
use crate::control::kubernetes::objects::{
    ControllerKind, Node, Pod, PodSpec, Selecting, Specs, SpreadConstraint,
};
use crate::control::kubernetes::scheduler::cluster::{Listers, NodeInfo};
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{Cycle, Plugin, Points, PreFilter, PreScore, Status};
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
    hard: Hard,
    saved: Vec<Hard>,
    soft: Soft,
}

/// What the filter needs: how many matching pods each domain of each constraint has.
#[derive(Clone, Debug, Default)]
struct Hard {
    constraints: Vec<SpreadConstraint>,
    domains: Vec<Domains>,
}

/// The domains of one constraint.
#[derive(Clone, Debug, Default)]
struct Domains {
    pods: BTreeMap<Option<Symbol>, i64>,
    /// The fewest pods of any of them.
    fewest: i64,
}

/// What the score needs.
#[derive(Debug, Default)]
struct Soft {
    constraints: Vec<SpreadConstraint>,
    /// Whether a node without one of the keys does not take part.
    all_keys: bool,
    /// How many matching pods each value has; not for host names, where the node counts its own.
    pods: Vec<BTreeMap<Option<Symbol>, i64>>,
    weights: Vec<f64>,
}

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

    fn constraints(
        &self,
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
        let mut defaults = stated(&self.defaults);
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

    fn update(&mut self, cycle: &Cycle<'_>, changed: Row<Pod>, node: &NodeInfo, by: i64) {
        let other = cycle.cluster.known(changed);
        if other.namespace != cycle.pod.namespace || node.spec.is_none() {
            return;
        }
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        if !has_keys(labels, &self.hard.constraints) {
            return;
        }
        let other_labels = &cycle.specs[other.spec].labels;
        for (constraint, domains) in self.hard.constraints.iter().zip(&mut self.hard.domains) {
            if constraint.selector.matches(other_labels, &cycle.specs.symbols)
                && includes(cycle, constraint, node)
            {
                let value = value(&cycle.specs.symbols, labels, constraint.topology_key);
                *domains.pods.entry(value).or_insert(0) += by;
                domains.count();
            }
        }
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
        let listers = &cycle.cluster.listers;
        let constraints = self.constraints(cycle.specs, listers, cycle.pod, cycle.spec, true);
        if constraints.is_empty() {
            return PreFilter::Skip;
        }
        let mut domains = vec![Domains::default(); constraints.len()];
        for &row in cycle.cluster.order() {
            let node = &cycle.cluster[row];
            let labels = &cycle.cluster.spec(cycle.specs, node).labels;
            if !has_keys(labels, &constraints) {
                mark!("K 2.12 only nodes with all keys count");
                continue;
            }
            for (constraint, domains) in constraints.iter().zip(&mut domains) {
                if includes(cycle, constraint, node) {
                    let value = value(&cycle.specs.symbols, labels, constraint.topology_key);
                    *domains.pods.entry(value).or_insert(0) += matching(cycle, &constraint.selector, node);
                }
            }
        }
        domains.iter_mut().for_each(Domains::count);
        self.hard = Hard { constraints, domains };
        PreFilter::AllNodes
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        let symbols = &cycle.specs.symbols;
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        for (constraint, domains) in self.hard.constraints.iter().zip(&self.hard.domains) {
            if labels.get(constraint.topology_key).is_none() {
                mark!("K 2.12 a node without the key");
                let reason = "node(s) didn't match pod topology spread constraints (missing required label)";
                return Err(Status::unresolvable(reason));
            }
            let fewest = if i64::try_from(domains.pods.len())
                .is_ok_and(|count| count < constraint.domains_min.into())
            {
                mark!("K 2.12 fewer domains than minDomains");
                0
            } else {
                domains.fewest
            };
            let itself = i64::from(constraint.selector.matches(&cycle.spec.labels, symbols));
            let value = value(symbols, labels, constraint.topology_key);
            let here = domains.pods.get(&value).copied().unwrap_or(0);
            if here + itself - fewest > i64::from(constraint.max_skew) {
                mark!("K 2.12 too uneven");
                return Err(Status::unschedulable("node(s) didn't match pod topology spread constraints"));
            }
        }
        Ok(())
    }

    fn add_pod(&mut self, cycle: &Cycle<'_>, added: Row<Pod>, node: &NodeInfo) {
        self.update(cycle, added, node, 1);
    }

    fn remove_pod(&mut self, cycle: &Cycle<'_>, removed: Row<Pod>, node: &NodeInfo) {
        self.update(cycle, removed, node, -1);
    }

    fn save(&mut self) {
        self.saved.push(self.hard.clone());
    }

    fn restore(&mut self) {
        self.hard = self.saved.pop().expect("saved before it is restored");
    }

    fn pre_score(&mut self, cycle: &Cycle<'_>, nodes: &[&NodeInfo]) -> PreScore {
        let (specs, cluster) = (cycle.specs, cycle.cluster);
        let constraints = self.constraints(specs, &cluster.listers, cycle.pod, cycle.spec, false);
        if constraints.is_empty() {
            return PreScore::Skip;
        }
        let all_keys = !cycle.spec.spread.is_empty() || !self.system_defaulted;
        let mut soft = Soft { constraints, all_keys, pods: Vec::new(), weights: Vec::new() };
        let symbols = &specs.symbols;
        let hostname = symbols.find("kubernetes.io/hostname");
        let takes_part = |node: &NodeInfo| {
            !soft.all_keys || has_keys(&cluster.spec(specs, node).labels, &soft.constraints)
        };
        let part: Vec<&NodeInfo> = nodes.iter().copied().filter(|node| takes_part(node)).collect();
        for constraint in &soft.constraints {
            let mut pods: BTreeMap<Option<Symbol>, i64> = BTreeMap::new();
            let size = if Some(constraint.topology_key) == hostname {
                mark!("K 2.12 the size of the host key is the number of nodes");
                part.len()
            } else {
                let keyed = part.iter().map(|node| {
                    (value(symbols, &cluster.spec(specs, node).labels, constraint.topology_key), 0)
                });
                pods.extend(keyed);
                pods.len()
            };
            soft.pods.push(pods);
            soft.weights.push(weight_upstream_f64(size));
        }
        for &row in cluster.order() {
            let node = &cluster[row];
            if !takes_part(node) {
                continue;
            }
            let labels = &cluster.spec(specs, node).labels;
            for (constraint, pods) in soft.constraints.iter().zip(&mut soft.pods) {
                let value = value(symbols, labels, constraint.topology_key);
                if let Some(count) = pods.get_mut(&value).filter(|_| includes(cycle, constraint, node)) {
                    mark!("K 2.12 pods of all nodes count, feasible or not");
                    *count += matching(cycle, &constraint.selector, node);
                }
            }
        }
        self.soft = soft;
        PreScore::Score
    }

    fn scores(&self, cycle: &Cycle<'_>) -> bool {
        let listers = &cycle.cluster.listers;
        !self.constraints(cycle.specs, listers, cycle.pod, cycle.spec, false).is_empty()
    }

    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        let soft = &self.soft;
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        if soft.all_keys && !has_keys(labels, &soft.constraints) {
            return Ok(0);
        }
        let symbols = &cycle.specs.symbols;
        let hostname = symbols.find("kubernetes.io/hostname");
        let mut terms = Vec::with_capacity(soft.constraints.len());
        for ((constraint, pods), &weight) in soft.constraints.iter().zip(&soft.pods).zip(&soft.weights) {
            let Some(_) = labels.get(constraint.topology_key) else { continue };
            let count = if Some(constraint.topology_key) == hostname {
                matching(cycle, &constraint.selector, node)
            } else {
                pods.get(&value(symbols, labels, constraint.topology_key)).copied().unwrap_or(0)
            };
            terms.push((count, constraint.max_skew, weight));
        }
        Ok(score_upstream_f64(&terms))
    }

    fn normalize(&self, cycle: &Cycle<'_>, nodes: &[&NodeInfo], scores: &mut [i64]) {
        let soft = &self.soft;
        let labels = |node: &NodeInfo| &cycle.cluster.spec(cycle.specs, node).labels;
        let takes_part = |node: &NodeInfo| !soft.all_keys || has_keys(labels(node), &soft.constraints);
        let taking =
            nodes.iter().zip(scores.iter()).filter(|(node, _)| takes_part(node)).map(|(_, &score)| score);
        let (least, most) =
            taking.fold((i64::MAX, 0), |(least, most), score| (least.min(score), most.max(score)));
        for (node, score) in nodes.iter().zip(scores) {
            mark!("K 2.12 normalised between the extremes");
            *score = match (takes_part(node), most) {
                (false, _) => 0,
                (true, 0) => 100,
                (true, most) => 100 * (most + least - *score) / most,
            };
        }
    }

    fn finish(&mut self) {
        self.hard = Hard::default();
        self.soft = Soft::default();
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
        let constraints = self.constraints(specs, &cluster.listers, pod, spec, true);
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

impl Domains {
    fn count(&mut self) {
        self.fewest = self.pods.values().copied().min().unwrap_or(i64::from(i32::MAX));
    }
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

/// How many pods of the pod's namespace on a node a selector selects; those that are going do not count.
fn matching(cycle: &Cycle<'_>, selector: &Selector, node: &NodeInfo) -> i64 {
    if selector.is_empty() {
        mark!("K 2.12 an empty selector counts no pod");
        return 0;
    }
    let counts = |row: &&Row<Pod>| {
        let pod = cycle.cluster.known(**row);
        pod.deleted_at.is_none()
            && pod.namespace == cycle.pod.namespace
            && selector.matches(&cycle.specs[pod.spec].labels, &cycle.specs.symbols)
    };
    i64::try_from(node.pods.iter().filter(counts).count()).expect("a node has few pods")
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
fn score_upstream_f64(terms: &[(i64, i32, f64)]) -> i64 {
    let each = |&(count, max_skew, weight): &(i64, i32, f64)| count as f64 * weight + f64::from(max_skew - 1);
    libm::round(terms.iter().map(each).fold(0.0, |sum, term| sum + term)) as i64
}
