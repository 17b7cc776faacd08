//! What happened in the cluster, as plugins are asked whether it may help a pod that they refused.
//!
//! Knows nothing of the queue that asks.

use crate::base::{Edit, Revision, Row};
use crate::control::kubernetes::labels::Labels;
use crate::control::kubernetes::objects::{
    BudgetSpec, ClaimSpec, ClusterChange, CsiDriver, CsiNodeSpec, Named, Node, Pod, PodSpec, Selecting,
    Specs, StorageCapacitySpec, StorageClassSpec, VolumeSpec,
};

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
    /// It changed in none of the ways that have a kind.
    AssignedPodUpdate,
    AssignedPodDelete,
    /// The pod itself changed.
    PodUpdateLabel,
    PodScaleDown,
    PodUpdateTolerations,
    PodGatesEliminated,
    /// The pod itself changed in none of the ways that have a kind.
    PodUpdate,
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
}

/// A change that outlives the moment in which it was told: an event that came while a pod was being
/// scheduled is looked at once more when that pod fails.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "kinds of the API")]
pub enum Kept {
    Pod(KeptEdit<Pod>),
    Node(KeptEdit<Node>),
    Volume(KeptEdit<Named<VolumeSpec>>),
    Claim(KeptEdit<Named<ClaimSpec>>),
    StorageClass(KeptEdit<Named<StorageClassSpec>>),
    CsiNode(KeptEdit<Named<CsiNodeSpec>>),
    CsiDriver(KeptEdit<CsiDriver>),
    StorageCapacity(KeptEdit<Named<StorageCapacitySpec>>),
    VolumeAttachment(KeptEdit<Named<Labels>>),
    Selecting(KeptEdit<Selecting>),
    Budget(KeptEdit<Named<BudgetSpec>>),
    Namespace(KeptEdit<Named<Labels>>),
}

/// An [`Edit`] with values of its own.
#[derive(Clone, Copy, Debug)]
pub struct KeptEdit<T> {
    row: Row<T>,
    revision: Revision,
    old: Option<T>,
    new: Option<T>,
}

impl<T: Copy> KeptEdit<T> {
    fn of(edit: &Edit<'_, T>) -> Self {
        KeptEdit { row: edit.row, revision: edit.revision, old: edit.old.copied(), new: edit.new.copied() }
    }

    const fn edit(&self) -> Edit<'_, T> {
        Edit { row: self.row, revision: self.revision, old: self.old.as_ref(), new: self.new.as_ref() }
    }
}

impl Kept {
    /// Keeps a change.
    pub fn of(change: &ClusterChange<'_>) -> Self {
        match change {
            ClusterChange::Pod(edit) => Kept::Pod(KeptEdit::of(edit)),
            ClusterChange::Node(edit) => Kept::Node(KeptEdit::of(edit)),
            ClusterChange::Volume(edit) => Kept::Volume(KeptEdit::of(edit)),
            ClusterChange::Claim(edit) => Kept::Claim(KeptEdit::of(edit)),
            ClusterChange::StorageClass(edit) => Kept::StorageClass(KeptEdit::of(edit)),
            ClusterChange::CsiNode(edit) => Kept::CsiNode(KeptEdit::of(edit)),
            ClusterChange::CsiDriver(edit) => Kept::CsiDriver(KeptEdit::of(edit)),
            ClusterChange::StorageCapacity(edit) => Kept::StorageCapacity(KeptEdit::of(edit)),
            ClusterChange::VolumeAttachment(edit) => Kept::VolumeAttachment(KeptEdit::of(edit)),
            ClusterChange::Selecting(edit) => Kept::Selecting(KeptEdit::of(edit)),
            ClusterChange::Budget(edit) => Kept::Budget(KeptEdit::of(edit)),
            ClusterChange::Namespace(edit) => Kept::Namespace(KeptEdit::of(edit)),
        }
    }

    /// The change as it was told.
    pub const fn change(&self) -> ClusterChange<'_> {
        match self {
            Kept::Pod(edit) => ClusterChange::Pod(edit.edit()),
            Kept::Node(edit) => ClusterChange::Node(edit.edit()),
            Kept::Volume(edit) => ClusterChange::Volume(edit.edit()),
            Kept::Claim(edit) => ClusterChange::Claim(edit.edit()),
            Kept::StorageClass(edit) => ClusterChange::StorageClass(edit.edit()),
            Kept::CsiNode(edit) => ClusterChange::CsiNode(edit.edit()),
            Kept::CsiDriver(edit) => ClusterChange::CsiDriver(edit.edit()),
            Kept::StorageCapacity(edit) => ClusterChange::StorageCapacity(edit.edit()),
            Kept::VolumeAttachment(edit) => ClusterChange::VolumeAttachment(edit.edit()),
            Kept::Selecting(edit) => ClusterChange::Selecting(edit.edit()),
            Kept::Budget(edit) => ClusterChange::Budget(edit.edit()),
            Kept::Namespace(edit) => ClusterChange::Namespace(edit.edit()),
        }
    }
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
