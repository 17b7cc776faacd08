//! TaintToleration: pods keep off taints that they do not tolerate (K 2.8).

use crate::control::kubernetes::objects::{Node, PodSpec, Taint, TaintEffect};
use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{
    Cycle, Dependence, Plugin, Points, Status, default_normalize,
};
use crate::mark;

use super::{is_own, node_change};

/// The plugin.
#[derive(Debug)]
pub struct TaintToleration;

impl Plugin for TaintToleration {
    fn name(&self) -> &'static str {
        "TaintToleration"
    }

    fn points(&self) -> Points {
        Points { filter: true, pre_score: true, score: true, ..Points::default() }
    }

    fn filter_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn score_depends_on(&self) -> Dependence {
        Dependence::NormalizedOverWindow
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        if tolerates_all(cycle.spec, &cycle.cluster.spec(cycle.specs, node).taints) {
            return Ok(());
        }
        mark!("K 2.8 untolerated taint");
        Err(Status::unresolvable("node(s) had untolerated taint(s)"))
    }

    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        mark!("K 2.8 taints that would rather not");
        let taints = &cycle.cluster.spec(cycle.specs, node).taints;
        let unwanted = taints
            .iter()
            .filter(|taint| taint.effect == TaintEffect::PreferNoSchedule && !tolerates(cycle.spec, taint));
        Ok(i64::try_from(unwanted.count()).expect("a node has few taints"))
    }

    fn normalize(&self, _: &Cycle<'_>, _: &[&NodeInfo], scores: &mut [i64]) {
        default_normalize(true, scores);
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::NodeAdd, EventKind::NodeUpdateTaint, EventKind::PodUpdateTolerations]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        let Some(edit) = node_change(event) else { return is_own(listening, event) };
        mark!("K 2.3 a taint that goes");
        let suits = |node: &Node| tolerates_all(listening.spec, &listening.specs[node.spec].taints);
        edit.new.is_some_and(suits) && !edit.old.is_some_and(suits)
    }
}

/// Whether a pod tolerates every taint that keeps pods away.
pub(super) fn tolerates_all(pod: &PodSpec, taints: &[Taint]) -> bool {
    taints.iter().all(|taint| taint.effect == TaintEffect::PreferNoSchedule || tolerates(pod, taint))
}

fn tolerates(pod: &PodSpec, taint: &Taint) -> bool {
    pod.tolerations.iter().any(|toleration| toleration.tolerates(taint))
}
