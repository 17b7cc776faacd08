//! The plugins of the default profile: one file each, by the name that the original gives it.
//!
//! A plugin knows the pod, the node in hand, and the cluster as of the snapshot; it never learns what
//! other plugins said.

pub mod default_preemption;
pub mod dynamic_resources;
pub mod image_locality;
pub mod inter_pod_affinity;
pub mod node_affinity;
pub mod node_declared_features;
pub mod node_name;
pub mod node_ports;
pub mod node_resources_balanced_allocation;
pub mod node_resources_fit;
pub mod node_unschedulable;
pub mod node_volume_limits;
pub mod pod_topology_spread;
pub mod scheduling_gates;
pub mod taint_toleration;
pub mod volume_binding;
pub mod volume_restrictions;
pub mod volume_zone;
mod volumes;

use super::event::{Event, Listening};
use crate::base::Edit;
use crate::control::kubernetes::objects::{ClusterChange, Node, Pod};

/// The change of a node that an event is about.
fn node_change<'a>(event: &Event<'a>) -> Option<Edit<'a, Node>> {
    match event.change {
        Some(ClusterChange::Node(edit)) => Some(edit),
        _ => None,
    }
}

/// The change of a pod that an event is about.
fn pod_change<'a>(event: &Event<'a>) -> Option<Edit<'a, Pod>> {
    match event.change {
        Some(ClusterChange::Pod(edit)) => Some(edit),
        _ => None,
    }
}

/// Whether an event is about the refused pod itself.
fn is_own(listening: &Listening<'_>, event: &Event<'_>) -> bool {
    pod_change(event).is_some_and(|edit| edit.row == listening.row)
}

/// Whether the pod of an event had a node, or was nominated to one.
fn had_node(event: &Event<'_>) -> bool {
    let old = pod_change(event).and_then(|edit| edit.old);
    old.is_some_and(|pod| pod.node.is_some() || pod.nominated.is_some())
}
