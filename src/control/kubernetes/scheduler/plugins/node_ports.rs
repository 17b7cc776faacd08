//! NodePorts: a host port belongs to one pod of a node (K 2.7).

use crate::base::Symbols;
use crate::control::kubernetes::objects::HostPort;
use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{
    Cycle, Dependence, Plugin, Points, PreFilter, Status,
};
use crate::mark;

use super::{had_node, node_change, pod_change};

/// The plugin.
#[derive(Debug)]
pub struct NodePorts;

impl Plugin for NodePorts {
    fn name(&self) -> &'static str {
        "NodePorts"
    }

    fn points(&self) -> Points {
        Points { pre_filter: true, filter: true, ..Points::default() }
    }

    fn filter_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn pre_filter(&mut self, cycle: &Cycle<'_>) -> PreFilter {
        if cycle.spec.host_ports.is_empty() { PreFilter::Skip } else { PreFilter::AllNodes }
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        if !conflict(&cycle.specs.symbols, &cycle.spec.host_ports, &node.ports) {
            return Ok(());
        }
        mark!("K 2.7 NodePorts");
        Err(Status::unschedulable("node(s) didn't have free ports for the requested pod ports"))
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::AssignedPodDelete, EventKind::NodeAdd]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        if node_change(event).is_some() {
            return true;
        }
        mark!("K 2.3 a deletion that frees a port");
        let Some(old) = pod_change(event).and_then(|edit| edit.old).filter(|_| had_node(event)) else {
            return false;
        };
        let freed = &listening.specs[old.spec].host_ports;
        conflict(&listening.specs.symbols, &listening.spec.host_ports, freed)
    }
}

/// Whether one of `wanted` is in use; the address 0.0.0.0 stands for every address.
fn conflict(symbols: &Symbols, wanted: &[HostPort], used: &[HostPort]) -> bool {
    let every = HostPort::every_address(symbols);
    wanted.iter().any(|port| port.port > 0 && used.iter().any(|other| port.meets(other, every)))
}
