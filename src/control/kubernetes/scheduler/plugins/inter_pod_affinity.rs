//! InterPodAffinity: pods near other pods, or away from them (K 2.13).

use std::collections::BTreeMap;

use crate::base::{Row, Symbol, Symbols};
use crate::control::kubernetes::labels::Labels;
use crate::control::kubernetes::objects::{Node, Pod, PodTerm, Specs};
use crate::control::kubernetes::scheduler::cluster::{Cluster, NodeInfo};
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{Cycle, Plugin, Points, PreFilter, PreScore, Status};
use crate::mark;

use super::{node_change, pod_change};

/// The plugin.
#[derive(Debug)]
pub struct InterPodAffinity {
    /// `hardPodAffinityWeight`: how much a required affinity of a pod that is there draws the incoming one.
    pub hard_weight: i32,
    /// `ignorePreferredTermsOfExistingPods`.
    pub ignores_preferred_of_existing: bool,
    required: Required,
    saved: Vec<Required>,
    preferred: Pairs,
}

/// A count for each pair of a node label's key and value; pairs that count nothing are absent.
type Pairs = BTreeMap<(Symbol, Symbol), i64>;

/// What the filter needs.
#[derive(Clone, Debug, Default)]
struct Required {
    /// Required anti-affinity terms of pods that are there, which the incoming pod matches.
    existing_anti: Pairs,
    /// Pods that match every affinity term of the incoming pod.
    affinity: Pairs,
    /// Pods that match an anti-affinity term of the incoming pod.
    anti: Pairs,
}

impl Default for InterPodAffinity {
    fn default() -> Self {
        InterPodAffinity::new(1, false)
    }
}

impl InterPodAffinity {
    /// The plugin with these arguments.
    pub fn new(hard_weight: i32, ignores_preferred_of_existing: bool) -> Self {
        InterPodAffinity {
            hard_weight,
            ignores_preferred_of_existing,
            required: Required::default(),
            saved: Vec::new(),
            preferred: Pairs::new(),
        }
    }
}

impl Plugin for InterPodAffinity {
    fn name(&self) -> &'static str {
        "InterPodAffinity"
    }

    fn points(&self) -> Points {
        Points { pre_filter: true, filter: true, pre_score: true, score: true, ..Points::default() }
    }

    fn pre_filter(&mut self, cycle: &Cycle<'_>) -> PreFilter {
        let mut required = Required::default();
        let own = !cycle.spec.affinity.is_empty() || !cycle.spec.anti_affinity.is_empty();
        if !own && !cycle.cluster.any_required_anti_affinity() {
            return PreFilter::Skip;
        }
        for &row in cycle.cluster.order() {
            let node = &cycle.cluster[row];
            for &pod in &node.with_required_anti_affinity {
                required.count_existing(cycle, pod, node, 1);
            }
            if own {
                for &pod in &node.pods {
                    required.count_incoming(cycle, pod, node, 1);
                }
            }
        }
        if required.existing_anti.is_empty() && !own {
            return PreFilter::Skip;
        }
        self.required = required;
        PreFilter::AllNodes
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        if !self.required.affinity_holds(cycle, labels) {
            mark!("K 2.13 required affinity");
            return Err(Status::unresolvable("node(s) didn't match pod affinity rules"));
        }
        let pair = |term: &PodTerm| Some((term.topology_key, labels.get(term.topology_key)?));
        let taken = |term: &PodTerm| pair(term).is_some_and(|pair| self.required.anti.get(&pair) > Some(&0));
        if cycle.spec.anti_affinity.iter().any(taken) {
            mark!("K 2.13 required anti-affinity");
            return Err(Status::unschedulable("node(s) didn't match pod anti-affinity rules"));
        }
        let on_node =
            |(&(key, value), &count): (&(Symbol, Symbol), &i64)| count > 0 && labels.get(key) == Some(value);
        let few = self.required.existing_anti.len() <= labels.iter().len();
        let refused = if few {
            self.required.existing_anti.iter().any(on_node)
        } else {
            labels.iter().any(|pair| self.required.existing_anti.get(&pair) > Some(&0))
        };
        if refused {
            mark!("K 2.13 anti-affinity of pods that are there");
            return Err(Status::unschedulable("node(s) didn't satisfy existing pods anti-affinity rules"));
        }
        Ok(())
    }

    fn add_pod(&mut self, cycle: &Cycle<'_>, added: Row<Pod>, node: &NodeInfo) {
        self.required.count_existing(cycle, added, node, 1);
        self.required.count_incoming(cycle, added, node, 1);
    }

    fn remove_pod(&mut self, cycle: &Cycle<'_>, removed: Row<Pod>, node: &NodeInfo) {
        self.required.count_existing(cycle, removed, node, -1);
        self.required.count_incoming(cycle, removed, node, -1);
    }

    fn save(&mut self) {
        self.saved.push(self.required.clone());
    }

    fn restore(&mut self) {
        self.required = self.saved.pop().expect("saved before it is restored");
    }

    fn pre_score(&mut self, cycle: &Cycle<'_>, _: &[&NodeInfo]) -> PreScore {
        let spec = cycle.spec;
        let own = !spec.preferred_affinity.is_empty() || !spec.preferred_anti_affinity.is_empty();
        if self.ignores_preferred_of_existing && !own {
            return PreScore::Skip;
        }
        if !self.scores(cycle) {
            return PreScore::Skip;
        }
        let mut pairs = Pairs::new();
        let namespace = namespace_labels(cycle.cluster, cycle.specs, cycle.pod.namespace);
        for &row in cycle.cluster.order() {
            let node = &cycle.cluster[row];
            mark!("K 2.13 without preferred terms only pods with affinity are looked at");
            for &pod in if own { &node.pods } else { &node.with_affinity } {
                self.weigh(cycle, namespace, pod, node, &mut pairs);
            }
        }
        if pairs.is_empty() {
            mark!("K 2.13 nothing contributes");
            return PreScore::Skip;
        }
        self.preferred = pairs;
        PreScore::Score
    }

    fn scores(&self, cycle: &Cycle<'_>) -> bool {
        let own = !cycle.spec.preferred_affinity.is_empty() || !cycle.spec.preferred_anti_affinity.is_empty();
        own || (!self.ignores_preferred_of_existing && cycle.cluster.any_affinity())
    }

    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        let pairs = labels.iter().filter_map(|pair| self.preferred.get(&pair));
        Ok(pairs.sum())
    }

    fn normalize(&self, _: &Cycle<'_>, _: &[&NodeInfo], scores: &mut [i64]) {
        let least = scores.iter().copied().min().unwrap_or(0);
        let most = scores.iter().copied().max().unwrap_or(0);
        for score in scores {
            *score = between_upstream_f64(*score - least, most - least);
        }
    }

    fn finish(&mut self) {
        self.required = Required::default();
        self.preferred = Pairs::new();
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::AssignedPodAdd,
            EventKind::AssignedPodUpdateLabel,
            EventKind::AssignedPodDelete,
            EventKind::PodUpdateLabel,
            EventKind::NodeAdd,
            EventKind::NodeUpdateLabel,
        ]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        if let Some(edit) = node_change(event) {
            return edit.new.is_some_and(|new| node_may_help(listening, edit.old, new));
        }
        let Some(edit) = pod_change(event) else { return false };
        if edit.row == listening.row && edit.old.is_some() && edit.new.is_some() {
            return true;
        }
        if !edit.old.into_iter().chain(edit.new).all(|pod| pod.node.is_some() || pod.nominated.is_some()) {
            return false;
        }
        let Listening { specs, pod, spec, .. } = *listening;
        let matches = |terms: &[PodTerm], of: &Pod| {
            !terms.is_empty() && terms.iter().all(|term| term_matches(specs, term, of, &Labels::default()))
        };
        mark!("K 2.3 pods that an affinity term selects");
        match (edit.old, edit.new) {
            (Some(old), Some(new)) => {
                (!matches(&spec.affinity, old) && matches(&spec.affinity, new))
                    || (matches(&spec.anti_affinity, old) && !matches(&spec.anti_affinity, new))
            }
            (None, Some(new)) => matches(&spec.affinity, new),
            (Some(old), None) => {
                matches(&spec.anti_affinity, old) || matches(&specs[old.spec].anti_affinity, pod)
            }
            (None, None) => false,
        }
    }
}

impl Required {
    /// Counts the required anti-affinity terms of a pod that the incoming pod matches.
    fn count_existing(&mut self, cycle: &Cycle<'_>, row: Row<Pod>, node: &NodeInfo, by: i64) {
        let namespace = namespace_labels(cycle.cluster, cycle.specs, cycle.pod.namespace);
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        for term in &cycle.specs[cycle.cluster.known(row).spec].anti_affinity {
            if term_matches(cycle.specs, term, cycle.pod, namespace) {
                count(&mut self.existing_anti, labels, term.topology_key, by);
            }
        }
    }

    /// Counts a pod for the required terms of the incoming pod.
    fn count_incoming(&mut self, cycle: &Cycle<'_>, row: Row<Pod>, node: &NodeInfo, by: i64) {
        let pod = cycle.cluster.known(row);
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        let selects = |term: &PodTerm| own_term_matches(cycle, term, pod);
        if !cycle.spec.affinity.is_empty() && cycle.spec.affinity.iter().all(selects) {
            mark!("K 2.13 one pod must match all affinity terms together");
            for term in &cycle.spec.affinity {
                count(&mut self.affinity, labels, term.topology_key, by);
            }
        }
        for term in cycle.spec.anti_affinity.iter().filter(|term| selects(term)) {
            count(&mut self.anti, labels, term.topology_key, by);
        }
    }

    fn affinity_holds(&self, cycle: &Cycle<'_>, labels: &Labels) -> bool {
        let mut all_there = true;
        for term in &cycle.spec.affinity {
            let Some(value) = labels.get(term.topology_key) else { return false };
            all_there &= self.affinity.get(&(term.topology_key, value)) > Some(&0);
        }
        if all_there {
            return true;
        }
        mark!("K 2.13 the first pod of a group may go anywhere");
        self.affinity.is_empty()
            && cycle.spec.affinity.iter().all(|term| own_term_matches(cycle, term, cycle.pod))
    }
}

impl InterPodAffinity {
    /// Adds what a pod that is there contributes to the score.
    fn weigh(
        &self,
        cycle: &Cycle<'_>,
        namespace: &Labels,
        row: Row<Pod>,
        node: &NodeInfo,
        pairs: &mut Pairs,
    ) {
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        let existing = cycle.cluster.known(row);
        let spec = &cycle.specs[existing.spec];
        let mut add = |term: &PodTerm, weight: i64| {
            if let Some(value) = labels.get(term.topology_key) {
                *pairs.entry((term.topology_key, value)).or_insert(0) += weight;
            }
        };
        for (weight, term) in &cycle.spec.preferred_affinity {
            if own_term_matches(cycle, term, existing) {
                add(term, i64::from(*weight));
            }
        }
        for (weight, term) in &cycle.spec.preferred_anti_affinity {
            if own_term_matches(cycle, term, existing) {
                add(term, -i64::from(*weight));
            }
        }
        let matches = |term: &PodTerm| term_matches(cycle.specs, term, cycle.pod, namespace);
        if self.hard_weight > 0 {
            mark!("K 2.13 required affinity of pods that are there draws");
            for term in spec.affinity.iter().filter(|term| matches(term)) {
                add(term, i64::from(self.hard_weight));
            }
        }
        for (weight, term) in spec.preferred_affinity.iter().filter(|(_, term)| matches(term)) {
            add(term, i64::from(*weight));
        }
        for (weight, term) in spec.preferred_anti_affinity.iter().filter(|(_, term)| matches(term)) {
            add(term, -i64::from(*weight));
        }
    }
}

fn count(pairs: &mut Pairs, labels: &Labels, key: Symbol, by: i64) {
    let Some(value) = labels.get(key) else { return };
    let count = pairs.entry((key, value)).or_insert(0);
    *count += by;
    if *count == 0 {
        pairs.remove(&(key, value));
    }
}

/// Whether a term selects a pod, whose namespace has these labels.
fn term_matches(specs: &Specs, term: &PodTerm, pod: &Pod, namespace: &Labels) -> bool {
    let symbols: &Symbols = &specs.symbols;
    (term.namespaces.contains(&pod.namespace) || term.namespace_selector.matches(namespace, symbols))
        && term.selector.matches(&specs[pod.spec].labels, symbols)
}

/// Whether a term of the incoming pod selects a pod. The original lists the namespaces that a selector
/// selects, and then also tries the selector on no labels at all.
fn own_term_matches(cycle: &Cycle<'_>, term: &PodTerm, pod: &Pod) -> bool {
    if term_matches(cycle.specs, term, pod, &Labels::default()) {
        return true;
    }
    let Some(namespace) = cycle.cluster.listers.namespaces.get(&pod.namespace) else { return false };
    term_matches(cycle.specs, term, pod, &cycle.specs[namespace.spec])
}

fn namespace_labels<'a>(cluster: &Cluster, specs: &'a Specs, namespace: Symbol) -> &'a Labels {
    match cluster.listers.namespaces.get(&namespace) {
        Some(known) => &specs[known.spec],
        None => Labels::none(),
    }
}

fn node_may_help(listening: &Listening<'_>, old: Option<&Node>, new: &Node) -> bool {
    let value = |node: &Node, term: &PodTerm| listening.specs[node.spec].labels.get(term.topology_key);
    mark!("K 2.3 nodes that come into a domain");
    let near = |term: &PodTerm| match old {
        None => value(new, term).is_some(),
        Some(old) => value(new, term).is_some() && value(old, term) != value(new, term),
    };
    let away = |term: &PodTerm| match old {
        None => true,
        Some(old) => value(old, term).is_some() && value(old, term) != value(new, term),
    };
    listening.spec.affinity.iter().any(near) || listening.spec.anti_affinity.iter().any(away)
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn between_upstream_f64(above: i64, range: i64) -> i64 {
    mark!("K 2.13 normalised between the extremes");
    if range > 0 { (100.0 * (above as f64 / range as f64)) as i64 } else { 0 }
}
