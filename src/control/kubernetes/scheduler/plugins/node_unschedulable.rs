//! NodeUnschedulable: no pods on a cordoned node, unless they tolerate it (K 2.7).

use crate::control::kubernetes::objects::{PodSpec, Specs, Taint, TaintEffect};
use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{Cycle, Dependence, Plugin, Points, Status};
use crate::mark;

use super::{is_own, node_change};

/// The plugin.
#[derive(Debug)]
pub struct NodeUnschedulable;

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &'static str {
        "NodeUnschedulable"
    }

    fn points(&self) -> Points {
        Points { filter: true, ..Points::default() }
    }

    fn filter_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        if !cycle.cluster.spec(cycle.specs, node).unschedulable || tolerates(cycle.specs, cycle.spec) {
            return Ok(());
        }
        mark!("K 2.7 NodeUnschedulable");
        Err(Status::unresolvable("node(s) were unschedulable"))
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::NodeAdd, EventKind::NodeUpdateTaint, EventKind::PodUpdateTolerations]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        let Some(edit) = node_change(event) else {
            return is_own(listening, event) && tolerates(listening.specs, listening.spec);
        };
        mark!("K 2.3 a node that becomes schedulable");
        let unschedulable =
            |node: &crate::control::kubernetes::objects::Node| listening.specs[node.spec].unschedulable;
        edit.new.is_some_and(|new| !unschedulable(new)) && edit.old.is_none_or(unschedulable)
    }
}

fn tolerates(specs: &Specs, pod: &PodSpec) -> bool {
    let symbols = &specs.symbols;
    let (key, value) = (symbols.find("node.kubernetes.io/unschedulable"), symbols.find(""));
    pod.tolerations.iter().any(|toleration| match (key, value) {
        (Some(key), Some(value)) => {
            toleration.tolerates(&Taint { key, value, effect: TaintEffect::NoSchedule })
        }
        // A spelling that nobody used: only tolerations of everything tolerate it.
        _ => {
            toleration.valid
                && toleration.key.is_none_or(|tolerated| Some(tolerated) == key)
                && toleration.value.is_none()
                && toleration.effect.is_none_or(|effect| effect == TaintEffect::NoSchedule)
        }
    })
}
