//! NodeName: a pod that names its node fits no other (K 2.7).

use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::event::EventKind;
use crate::control::kubernetes::scheduler::framework::{Cycle, Dependence, Plugin, Points, Status};
use crate::mark;

/// The plugin.
#[derive(Debug)]
pub struct NodeName;

impl Plugin for NodeName {
    fn name(&self) -> &'static str {
        "NodeName"
    }

    fn points(&self) -> Points {
        Points { filter: true, ..Points::default() }
    }

    fn filter_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        if cycle.pod.node.is_none_or(|name| name == node.name) {
            return Ok(());
        }
        mark!("K 2.7 NodeName");
        Err(Status::unresolvable("node(s) didn't match the requested node name"))
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::NodeAdd]
    }
}
