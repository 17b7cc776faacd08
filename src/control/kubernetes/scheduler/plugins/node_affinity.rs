//! NodeAffinity: node selectors, required and preferred node affinity (K 2.9).

use crate::base::{Symbol, Symbols};
use crate::control::kubernetes::labels::Labels;
use crate::control::kubernetes::objects::{NameRequirement, Node, NodeTerm};
use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{
    Cycle, Dependence, Plugin, Points, PreFilter, PreScore, Status, default_normalize,
};
use crate::mark;

use super::node_change;

/// The plugin, with the affinity that its arguments add to every pod.
#[derive(Debug, Default)]
pub struct NodeAffinity {
    /// `addedAffinity`, required: one of these terms; none when it is not stated.
    pub added_required: Option<Box<[NodeTerm]>>,
    /// `addedAffinity`, preferred, with weights.
    pub added_preferred: Box<[(i32, NodeTerm)]>,
}

impl Plugin for NodeAffinity {
    fn name(&self) -> &'static str {
        "NodeAffinity"
    }

    fn points(&self) -> Points {
        Points { pre_filter: true, filter: true, pre_score: true, score: true, ..Points::default() }
    }

    fn filter_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn score_depends_on(&self) -> Dependence {
        Dependence::NormalizedOverWindow
    }

    fn pre_filter(&mut self, cycle: &Cycle<'_>) -> PreFilter {
        let spec = cycle.spec;
        if spec.node_affinity.is_none() && self.added_required.is_none() && spec.node_selector.is_empty() {
            return PreFilter::Skip;
        }
        match named_nodes(spec.node_affinity.as_deref().unwrap_or_default()) {
            None => PreFilter::AllNodes,
            Some(names) if names.is_empty() => {
                mark!("K 2.9 terms that cannot hold together");
                PreFilter::Refused(Status::unresolvable("pod affinity terms conflict"))
            }
            Some(names) => {
                mark!("K 2.9 terms that name nodes narrow the search");
                PreFilter::Only(names)
            }
        }
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        let symbols = &cycle.specs.symbols;
        if !self.added_holds(node.name, labels, symbols) {
            mark!("K 2.9 added affinity comes first");
            return Err(Status::unresolvable("node(s) didn't match scheduler-enforced node affinity"));
        }
        if !cycle.spec.wants_node(node.name, labels, symbols) {
            mark!("K 2.9 node affinity and selector");
            return Err(Status::unresolvable("node(s) didn't match Pod's node affinity/selector"));
        }
        Ok(())
    }

    fn pre_score(&mut self, cycle: &Cycle<'_>, _: &[&NodeInfo]) -> PreScore {
        if self.scores(cycle) { PreScore::Score } else { PreScore::Skip }
    }

    fn scores(&self, cycle: &Cycle<'_>) -> bool {
        !cycle.spec.preferred_nodes.is_empty() || !self.added_preferred.is_empty()
    }

    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        mark!("K 2.9 weights of the terms that hold");
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        let preferred = self.added_preferred.iter().chain(&cycle.spec.preferred_nodes);
        let holds = |(_, term): &&(i32, NodeTerm)| term.holds(node.name, labels, &cycle.specs.symbols);
        Ok(preferred.filter(holds).map(|(weight, _)| i64::from(*weight)).sum())
    }

    fn normalize(&self, _: &Cycle<'_>, _: &[&NodeInfo], scores: &mut [i64]) {
        default_normalize(false, scores);
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::NodeAdd, EventKind::NodeUpdateLabel]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        mark!("K 2.3 a node that comes to match");
        let symbols = &listening.specs.symbols;
        let wanted =
            |node: &Node| listening.spec.wants_node(node.name, &listening.specs[node.spec].labels, symbols);
        let Some(edit) = node_change(event) else { return false };
        let enforced = |node: &Node| self.added_holds(node.name, &listening.specs[node.spec].labels, symbols);
        edit.new.is_some_and(|new| enforced(new) && wanted(new)) && !edit.old.is_some_and(wanted)
    }
}

impl NodeAffinity {
    fn added_holds(&self, name: Symbol, labels: &Labels, symbols: &Symbols) -> bool {
        let one_holds = |terms: &[NodeTerm]| terms.iter().any(|term| term.holds(name, labels, symbols));
        self.added_required.as_deref().is_none_or(one_holds)
    }
}

/// The nodes that terms name, when every one of them does.
fn named_nodes(terms: &[NodeTerm]) -> Option<Vec<Symbol>> {
    let mut all: Vec<Symbol> = Vec::new();
    for term in terms {
        let mut names = term.names.iter().filter_map(|each| match each {
            NameRequirement::In(name) => Some(*name),
            NameRequirement::NotIn(_) => None,
        });
        let first = names.next()?;
        if names.all(|name| name == first) && !all.contains(&first) {
            all.push(first);
        }
    }
    if terms.is_empty() { None } else { Some(all) }
}
