//! NodeDeclaredFeatures: pods that need a feature of the node agent (K 2.7).

use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{
    Cycle, Dependence, Plugin, Points, PreFilter, Status,
};
use crate::mark;

use super::{node_change, pod_change};

/// The plugin.
#[derive(Debug)]
pub struct NodeDeclaredFeatures;

impl Plugin for NodeDeclaredFeatures {
    fn name(&self) -> &'static str {
        "NodeDeclaredFeatures"
    }

    fn points(&self) -> Points {
        Points { pre_filter: true, filter: true, ..Points::default() }
    }

    fn filter_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn pre_filter(&mut self, cycle: &Cycle<'_>) -> PreFilter {
        if cycle.spec.features.is_empty() { PreFilter::Skip } else { PreFilter::AllNodes }
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        let declared = &cycle.cluster.spec(cycle.specs, node).features;
        if cycle.spec.features.iter().all(|needed| declared.contains(needed)) {
            return Ok(());
        }
        mark!("K 2.7 NodeDeclaredFeatures");
        Err(Status::unresolvable("node(s) didn't match Pod's required features"))
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::NodeAdd,
            EventKind::NodeUpdateDeclaredFeature,
            EventKind::PodUpdateLabel,
            EventKind::PodScaleDown,
            EventKind::PodUpdateTolerations,
            EventKind::PodGatesEliminated,
        ]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        if let Some(edit) = node_change(event) {
            let features =
                |node: &crate::control::kubernetes::objects::Node| &listening.specs[node.spec].features;
            return edit.old.map(features) != edit.new.map(features);
        }
        let Some(edit) = pod_change(event).filter(|edit| edit.row == listening.row) else { return false };
        let features = |pod: &crate::control::kubernetes::objects::Pod| &listening.specs[pod.spec].features;
        edit.old.map(features) != edit.new.map(features)
    }
}
