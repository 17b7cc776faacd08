//! What happened in the cluster, as plugins are asked whether it may help a pod that they refused.
//!
//! Knows nothing of the queue that asks.

use crate::base::Row;
use crate::control::kubernetes::objects::{ClusterChange, Pod, PodSpec, Specs};

use super::cluster::Cluster;

/// A change, sorted into the kinds that plugins listen to.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Which kind.
    pub kind: EventKind,
    /// The change itself; none for a wake without one.
    pub change: Option<ClusterChange<'a>>,
}

/// The kinds of events. An update may be several at once; each is told as an event of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the resources and actions of the original")]
pub enum EventKind {
    AssignedPodAdd,
    AssignedPodUpdateLabel,
    AssignedPodScaleDown,
    AssignedPodDelete,
    /// The pod itself changed.
    PodUpdateLabel,
    PodScaleDown,
    PodUpdateTolerations,
    PodGatesEliminated,
    NodeAdd,
    NodeDelete,
    NodeUpdateAllocatable,
    NodeUpdateLabel,
    NodeUpdateTaint,
    NodeUpdateCondition,
    NodeUpdateDeclaredFeature,
    VolumeAdd,
    VolumeUpdate,
    ClaimAdd,
    ClaimUpdate,
    StorageClassAdd,
    StorageClassUpdate,
    CsiNodeAdd,
    CsiNodeUpdate,
    CsiDriverAdd,
    CsiDriverUpdate,
    StorageCapacityAdd,
    StorageCapacityUpdate,
    VolumeAttachmentAdd,
    VolumeAttachmentDelete,
    /// Preemption in the background is done.
    PreemptionDone,
}

/// The pod that was refused, and what a plugin may look at while it answers.
#[derive(Clone, Copy, Debug)]
pub struct Listening<'a> {
    /// Every spec, and the spellings.
    pub specs: &'a Specs,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The row of the pod.
    pub row: Row<Pod>,
    /// The pod that was refused.
    pub pod: &'a Pod,
    /// What it is.
    pub spec: &'a PodSpec,
}
