//! InterPodAffinity: pods near other pods, or away from them (K 2.13).

use crate::base::{Row, Symbol, Symbols};
use crate::control::kubernetes::labels::Labels;
use crate::control::kubernetes::objects::{Node, Pod, PodSpec, PodTerm, Specs};
use crate::control::kubernetes::scheduler::cluster::{Cluster, NodeInfo};
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{Cycle, Plugin, Points, PreFilter, PreScore, Status};
use crate::control::kubernetes::scheduler::tally::{Books, Counting, Limit, Standing, Term};
use crate::mark;

use super::{node_change, pod_change};

/// The plugin.
#[derive(Debug)]
pub struct InterPodAffinity {
    /// `hardPodAffinityWeight`: how much a required affinity of a pod that is there draws the incoming one.
    pub hard_weight: i32,
    /// `ignorePreferredTermsOfExistingPods`.
    pub ignores_preferred_of_existing: bool,
    books: Books<Neighbours>,
    /// The places of the terms whose sums are the score in this cycle.
    preferred: Vec<usize>,
}

/// What the pods that are there mean to one pod.
#[derive(PartialEq, Debug)]
struct Neighbours {
    hard_weight: i32,
    /// It has terms of its own; otherwise only pods with terms mean anything to it.
    own: bool,
    terms: Vec<Term>,
    /// Of the labels of namespaces.
    revision: u64,
}

// Questions: how many ...
/// ... required anti-affinity terms of pods that are there match the incoming pod.
const EXISTING_ANTI: usize = 0;
/// ... pods match every affinity term of the incoming pod.
const AFFINITY: usize = 1;
/// ... pods match an anti-affinity term of the incoming pod.
const ANTI: usize = 2;
/// ... points the preferences of both sides give.
const PREFERRED: usize = 3;
/// ... preferences give points, of either sign.
const PREFERENCES: usize = 4;

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
            books: Books::default(),
            preferred: Vec::new(),
        }
    }

    fn open(&mut self, cycle: &Cycle<'_>) {
        if self.books.rule().is_some() {
            return;
        }
        let revision = cycle.cluster.listers.namespaces_revision;
        let hard_weight = self.hard_weight;
        self.books.open(cycle, revision, || {
            let spec = cycle.spec;
            let of = |terms: &[PodTerm], question| {
                let terms = terms.iter().map(move |term| Term { question, key: term.topology_key });
                terms.collect::<Vec<_>>()
            };
            let mut terms: Vec<Term> = Vec::new();
            for term in of(&spec.affinity, AFFINITY).into_iter().chain(of(&spec.anti_affinity, ANTI)) {
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
            let own = !terms.is_empty() || prefers(spec);
            Neighbours { hard_weight, own, terms, revision }
        });
    }

    /// The places of the terms of a question, and their topology keys.
    fn places(&self, question: usize) -> impl Iterator<Item = (usize, Symbol)> {
        let terms = self.books.terms().filter(move |(_, term)| term.question == question);
        terms.map(|(place, term)| (place, term.key))
    }

    /// What the filter asks of a node, in its order, with the question that is answered.
    fn limits(&self, cycle: &Cycle<'_>) -> impl Iterator<Item = (usize, Limit)> {
        let least =
            if cycle.spec.affinity.is_empty() || self.is_first_of_group(cycle) { i64::MIN } else { 1 };
        let near = self
            .places(AFFINITY)
            .map(move |(place, _)| (AFFINITY, Limit { place, least, most: i64::MAX, needs_key: true }));
        let none = |place| Limit { place, least: i64::MIN, most: 0, needs_key: false };
        let away = self.places(ANTI).map(move |(place, _)| (ANTI, none(place)));
        let existing = self.places(EXISTING_ANTI).filter(|&(place, _)| self.books.total(place) > 0);
        near.chain(away).chain(existing.map(move |(place, _)| (EXISTING_ANTI, none(place))))
    }

    fn is_first_of_group(&self, cycle: &Cycle<'_>) -> bool {
        let alone = self.places(AFFINITY).all(|(place, _)| self.books.total(place) == 0)
            && cycle.spec.affinity.iter().all(|term| own_term_matches(cycle, term, cycle.pod));
        if alone {
            mark!("K 2.13 the first pod of a group may go anywhere");
        }
        alone
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
        let own = !cycle.spec.affinity.is_empty() || !cycle.spec.anti_affinity.is_empty();
        if !own && !cycle.cluster.any_affinity() {
            return PreFilter::Skip;
        }
        self.open(cycle);
        let refuses = self.places(EXISTING_ANTI).any(|(place, _)| self.books.total(place) > 0);
        if own || refuses { PreFilter::AllNodes } else { PreFilter::Skip }
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        for (question, limit) in self.limits(cycle) {
            if self.books.standing(&limit, node.row) == Standing::Within {
                continue;
            }
            return Err(match question {
                AFFINITY => {
                    mark!("K 2.13 required affinity");
                    Status::unresolvable("node(s) didn't match pod affinity rules")
                }
                ANTI => {
                    mark!("K 2.13 required anti-affinity");
                    Status::unschedulable("node(s) didn't match pod anti-affinity rules")
                }
                _ => {
                    mark!("K 2.13 anti-affinity of pods that are there");
                    Status::unschedulable("node(s) didn't satisfy existing pods anti-affinity rules")
                }
            });
        }
        Ok(())
    }

    fn filter_many(
        &self,
        cycle: &Cycle<'_>,
        nodes: &[Row<NodeInfo>],
        can: &mut [bool],
    ) -> Result<(), Status> {
        self.limits(cycle).for_each(|(_, limit)| self.books.strike(&limit, nodes, can));
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

    fn pre_score(&mut self, cycle: &Cycle<'_>, _: &[&NodeInfo]) -> PreScore {
        if !prefers(cycle.spec) && (self.ignores_preferred_of_existing || !cycle.cluster.any_affinity()) {
            return PreScore::Skip;
        }
        self.open(cycle);
        if self.places(PREFERENCES).all(|(place, _)| self.books.total(place) == 0) {
            mark!("K 2.13 nothing contributes");
            return PreScore::Skip;
        }
        self.preferred = self.places(PREFERRED).map(|(place, _)| place).collect();
        PreScore::Score
    }

    fn scores(&self, cycle: &Cycle<'_>) -> bool {
        if !prefers(cycle.spec) && (self.ignores_preferred_of_existing || !cycle.cluster.any_affinity()) {
            return false;
        }
        self.books.rule().is_none() || self.places(PREFERENCES).any(|(place, _)| self.books.total(place) != 0)
    }

    fn score(&self, _: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        Ok(self.preferred.iter().filter_map(|&place| self.books.sum(place, node.row)).sum())
    }

    fn normalize(&self, _: &Cycle<'_>, _: &[&NodeInfo], scores: &mut [i64]) {
        let least = scores.iter().copied().min().unwrap_or(0);
        let most = scores.iter().copied().max().unwrap_or(0);
        for score in scores {
            *score = between_upstream_f64(*score - least, most - least);
        }
    }

    fn finish(&mut self) {
        self.books.close();
        self.preferred.clear();
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

impl Counting for Neighbours {
    fn terms(&self) -> Vec<Term> {
        self.terms.clone()
    }

    fn pods<'a>(&self, node: &'a NodeInfo) -> &'a [Row<Pod>] {
        mark!("K 2.13 without preferred terms only pods with affinity are looked at");
        if self.own { &node.pods } else { &node.with_affinity }
    }

    fn count(&self, cycle: &Cycle<'_>, other: &Pod, add: &mut dyn FnMut(Term, i64)) {
        let (mine, theirs) = (cycle.spec, &cycle.specs[other.spec]);
        let namespace = namespace_labels(cycle.cluster, cycle.specs, cycle.pod.namespace);
        let concerns_me = |term: &PodTerm| term_matches(cycle.specs, term, cycle.pod, namespace);
        let concerns_it = |term: &PodTerm| own_term_matches(cycle, term, other);
        let mut note = |question, term: &PodTerm, by| add(Term { question, key: term.topology_key }, by);
        for term in theirs.anti_affinity.iter().filter(|term| concerns_me(term)) {
            note(EXISTING_ANTI, term, 1);
        }
        if !mine.affinity.is_empty() && mine.affinity.iter().all(concerns_it) {
            mark!("K 2.13 one pod must match all affinity terms together");
            mine.affinity.iter().for_each(|term| note(AFFINITY, term, 1));
        }
        for term in mine.anti_affinity.iter().filter(|term| concerns_it(term)) {
            note(ANTI, term, 1);
        }
        let mut weigh = |term: &PodTerm, weight: i32, sign: i64| {
            note(PREFERRED, term, i64::from(weight) * sign);
            note(PREFERENCES, term, 1);
        };
        for (weight, term) in mine.preferred_affinity.iter().filter(|(_, term)| concerns_it(term)) {
            weigh(term, *weight, 1);
        }
        for (weight, term) in mine.preferred_anti_affinity.iter().filter(|(_, term)| concerns_it(term)) {
            weigh(term, *weight, -1);
        }
        if self.hard_weight > 0 {
            mark!("K 2.13 required affinity of pods that are there draws");
            for term in theirs.affinity.iter().filter(|term| concerns_me(term)) {
                weigh(term, self.hard_weight, 1);
            }
        }
        for (weight, term) in theirs.preferred_affinity.iter().filter(|(_, term)| concerns_me(term)) {
            weigh(term, *weight, 1);
        }
        for (weight, term) in theirs.preferred_anti_affinity.iter().filter(|(_, term)| concerns_me(term)) {
            weigh(term, *weight, -1);
        }
    }

    fn includes(&self, cycle: &Cycle<'_>, term: Term, node: &NodeInfo) -> bool {
        cycle.cluster.spec(cycle.specs, node).labels.get(term.key).is_some()
    }
}

/// Whether a pod has preferred terms.
fn prefers(spec: &PodSpec) -> bool {
    !spec.preferred_affinity.is_empty() || !spec.preferred_anti_affinity.is_empty()
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
