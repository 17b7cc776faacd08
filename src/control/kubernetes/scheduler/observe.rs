//! What the scheduler does when the record changes: keeps its belief true, and tells the queue (K 2.3).
//!
//! The belief changes before the queue is told, except when a node goes: then the queue hears first.

use crate::base::{Edit, Row, Timestamp};
use crate::control::kubernetes::objects::{Amounts, ClusterChange, Node, NodeSpec, Pod, PodSpec, Specs};
use crate::mark;

use super::cluster::NodeInfo;
use super::command::PodName;
use super::event::{Event, EventKind};
use super::framework::Counted;
use super::machine::Scheduler;
use super::queue::{NewPod, Updated};

impl Scheduler {
    pub(super) fn observe_cluster(&mut self, now: Timestamp, change: ClusterChange<'_>, specs: &Specs) {
        let listers = &mut self.cluster.listers;
        let kind = match change {
            ClusterChange::Pod(edit) => return self.observe_pod(now, edit, specs),
            ClusterChange::Node(edit) => return self.observe_node(now, edit, specs),
            ClusterChange::Volume(edit) => {
                note(&mut listers.volumes, edit, |each| each.name);
                add_or_update(edit, EventKind::VolumeAdd, EventKind::VolumeUpdate)
            }
            ClusterChange::Claim(edit) => {
                note(&mut listers.claims, edit, |each| (each.namespace, each.name));
                add_or_update(edit, EventKind::ClaimAdd, EventKind::ClaimUpdate)
            }
            ClusterChange::StorageClass(edit) => {
                note(&mut listers.storage_classes, edit, |each| each.name);
                add_or_update(edit, EventKind::StorageClassAdd, EventKind::StorageClassUpdate)
            }
            ClusterChange::CsiNode(edit) => {
                note(&mut listers.csi_nodes, edit, |each| each.name);
                add_or_update(edit, EventKind::CsiNodeAdd, EventKind::CsiNodeUpdate)
            }
            ClusterChange::CsiDriver(edit) => {
                note(&mut listers.csi_drivers, edit, |each| each.name);
                add_or_update(edit, EventKind::CsiDriverAdd, EventKind::CsiDriverUpdate)
            }
            ClusterChange::StorageCapacity(edit) => {
                note(&mut listers.capacities, edit, |each| (each.namespace, each.name));
                add_or_update(edit, EventKind::StorageCapacityAdd, EventKind::StorageCapacityUpdate)
            }
            ClusterChange::VolumeAttachment(edit) => match (edit.old, edit.new) {
                (None, Some(_)) => Some(EventKind::VolumeAttachmentAdd),
                (Some(_), None) => Some(EventKind::VolumeAttachmentDelete),
                (Some(_), Some(_)) | (None, None) => None,
            },
            ClusterChange::Selecting(edit) => {
                note(&mut listers.selecting, edit, |each| (each.named.namespace, each.kind, each.named.name));
                listers.selecting_revision += 1;
                None
            }
            ClusterChange::Budget(edit) => {
                note(&mut listers.budgets, edit, |each| (each.namespace, each.name));
                listers.budgets_revision += 1;
                None
            }
            ClusterChange::Namespace(edit) => {
                note(&mut listers.namespaces, edit, |each| each.name);
                listers.namespaces_revision += 1;
                None
            }
        };
        if let Some(kind) = kind {
            self.tell(now, specs, Event { kind, change: Some(change) }, None);
        }
    }

    fn observe_node(&mut self, now: Timestamp, edit: Edit<'_, Node>, specs: &Specs) {
        let change = Some(ClusterChange::Node(edit));
        match (edit.old, edit.new) {
            (None, None) => {}
            (None, Some(new)) => {
                let node = self.cluster.add_node(specs, new.name, new.spec);
                self.tell_plugins_of_node(specs, node);
                self.tell(now, specs, Event { kind: EventKind::NodeAdd, change }, None);
            }
            (Some(old), Some(new)) => {
                let node = self.cluster.update_node(specs, new.name, old.spec, new.spec);
                self.tell_plugins_of_node(specs, node);
                for kind in node_changes(&specs[old.spec], &specs[new.spec]) {
                    self.tell(now, specs, Event { kind, change }, None);
                }
            }
            (Some(old), None) => {
                self.tell(now, specs, Event { kind: EventKind::NodeDelete, change }, None);
                let node = self.cluster.remove_node(specs, old.name);
                self.tell_plugins_of_node(specs, node);
            }
        }
    }

    /// Pods that have ended are out of sight.
    fn observe_pod(&mut self, now: Timestamp, edit: Edit<'_, Pod>, specs: &Specs) {
        let row = edit.row;
        let [old, new] = [edit.old, edit.new].map(|pod| pod.filter(|pod| !pod.ended));
        if let Some(old) = old
            && new.is_none_or(|new| new.deleted_at.is_some())
        {
            self.victim_goes(PodName { row, uid: old.uid });
        }
        let edit = Edit { old, new, ..edit };
        match (old, new) {
            (None, None) => {}
            (None, Some(new)) => self.pod_came(now, edit, new, specs),
            (Some(old), Some(new)) if old.node.is_some() => {
                self.recount(specs, row, old, new);
                for kind in pod_changes(&specs[old.spec], &specs[new.spec], true) {
                    self.tell(now, specs, Event { kind, change: Some(ClusterChange::Pod(edit)) }, None);
                }
            }
            (Some(_), Some(new)) if new.node.is_some() => {
                mark!("K 2.16 a binding confirms what was assumed");
                self.confirm(specs, row, new);
                self.cluster.nominated.remove(row);
                self.queue.delete(row);
                let change = Some(ClusterChange::Pod(Edit { old: None, ..edit }));
                self.tell(now, specs, Event { kind: EventKind::AssignedPodAdd, change }, None);
            }
            (Some(old), Some(new)) => self.pending_changed(now, edit, old, new, specs),
            (Some(old), None) => self.pod_went(now, row, old, specs),
        }
    }

    /// Counts a pod on the node that it names, and tells the plugins.
    pub(super) fn place(&mut self, specs: &Specs, row: Row<Pod>) {
        let node = self.cluster.add_pod(specs, row);
        let Scheduler { profiles, cluster, .. } = self;
        let counted = Counted { specs, cluster, row, pod: cluster.known(row), node: &cluster[node] };
        for profile in profiles {
            profile.placed(&counted);
        }
    }

    /// Takes a pod, as it was, off its node, and tells the plugins.
    pub(super) fn displace(&mut self, specs: &Specs, row: Row<Pod>, pod: &Pod) {
        let node = self.cluster.remove_pod(specs, row, pod);
        let Scheduler { profiles, cluster, .. } = self;
        let counted = Counted { specs, cluster, row, pod, node: &cluster[node] };
        for profile in profiles {
            profile.removed(&counted);
        }
    }

    /// Counts a pod anew that changed on its node. Plugins hear of it only if what or where it is changed:
    /// what they keep for it stays, like the devices that it holds.
    fn recount(&mut self, specs: &Specs, row: Row<Pod>, old: &Pod, new: &Pod) {
        let stays = (old.node, old.spec) == (new.node, new.spec);
        if stays {
            self.cluster.remove_pod(specs, row, old);
            self.cluster.set_pod(row, Some(*new));
            self.cluster.add_pod(specs, row);
        } else {
            self.displace(specs, row, old);
            self.cluster.set_pod(row, Some(*new));
            self.place(specs, row);
        }
    }

    /// The record says that a pod is on a node: an assumed pod is so no longer.
    fn confirm(&mut self, specs: &Specs, row: Row<Pod>, new: &Pod) {
        if self.assumed.remove(&row).is_some() {
            let assumed = *self.cluster.known(row);
            self.recount(specs, row, &assumed, new);
        } else {
            self.cluster.set_pod(row, Some(*new));
            self.place(specs, row);
        }
    }

    fn tell_plugins_of_node(&mut self, specs: &Specs, node: Row<NodeInfo>) {
        let Scheduler { profiles, cluster, .. } = self;
        for profile in profiles {
            profile.node_changed(specs, cluster, &cluster[node]);
        }
    }

    fn pod_came(&mut self, now: Timestamp, edit: Edit<'_, Pod>, new: &Pod, specs: &Specs) {
        let row = edit.row;
        self.cluster.set_pod(row, Some(*new));
        if new.node.is_some() {
            self.place(specs, row);
            let change = Some(ClusterChange::Pod(edit));
            self.tell(now, specs, Event { kind: EventKind::AssignedPodAdd, change }, None);
        } else if let Some(pod) = self.waiting_pod(specs, new) {
            let (queue, bench) = self.bench(now, specs);
            if queue.add(now, row, &pod, &bench) {
                self.nominate_as_stated(row, new);
            }
        }
    }

    /// A pod without a node changed.
    fn pending_changed(&mut self, now: Timestamp, edit: Edit<'_, Pod>, old: &Pod, new: &Pod, specs: &Specs) {
        let row = edit.row;
        if let Some(record) = self.assumed.get_mut(&row) {
            *record = *new;
            if old.deleted_at.is_none() && new.deleted_at.is_some() {
                mark!("K 2.16 an assumed pod that is deleted gives its place back");
                self.release(now, specs, row);
            }
            return;
        }
        self.cluster.set_pod(row, Some(*new));
        let Some(pod) = self.waiting_pod(specs, new) else { return };
        let change = Some(ClusterChange::Pod(edit));
        let events: Vec<Event<'_>> = pod_changes(&specs[old.spec], &specs[new.spec], false)
            .into_iter()
            .map(|kind| Event { kind, change })
            .collect();
        let (queue, bench) = self.bench(now, specs);
        match queue.update(now, row, &pod, &events, &bench) {
            Updated::InFlight | Updated::Gated => {}
            Updated::Waiting => self.renominate(row, old, new),
            Updated::Added => self.nominate_as_stated(row, new),
        }
        if old.nominated.is_some() && old.nominated != new.nominated {
            mark!("K 2.3 a nomination that goes is like a pod that goes");
            self.tell_of_pod_gone(now, specs, row, old, Some(specs[old.spec].priority));
        }
    }

    fn pod_went(&mut self, now: Timestamp, row: Row<Pod>, old: &Pod, specs: &Specs) {
        if old.node.is_some() {
            self.displace(specs, row, old);
            self.cluster.set_pod(row, None);
            self.tell_of_pod_gone(now, specs, row, old, None);
            return;
        }
        self.queue.delete(row);
        self.cluster.nominated.remove(row);
        self.cluster.preempting.remove(&row);
        if self.assumed.contains_key(&row) {
            self.release(now, specs, row);
        } else if old.nominated.is_some() && self.waiting_pod(specs, old).is_some() {
            self.tell_of_pod_gone(now, specs, row, old, Some(specs[old.spec].priority));
        }
        self.cluster.set_pod(row, None);
    }

    /// Tells the queue that a pod that took room is gone: pods up to a priority may come back.
    pub(super) fn tell_of_pod_gone(
        &mut self,
        now: Timestamp,
        specs: &Specs,
        row: Row<Pod>,
        pod: &Pod,
        priority_max: Option<i32>,
    ) {
        let edit = Edit { row, revision: crate::base::Revision::default(), old: Some(pod), new: None };
        let change = Some(ClusterChange::Pod(edit));
        self.tell(now, specs, Event { kind: EventKind::AssignedPodDelete, change }, priority_max);
    }

    fn tell(&mut self, now: Timestamp, specs: &Specs, event: Event<'_>, priority_max: Option<i32>) {
        let (queue, bench) = self.bench(now, specs);
        queue.tell(now, &event, priority_max, &bench);
    }

    /// What the queue needs to know of a pod, if it is one of this scheduler's.
    fn waiting_pod(&self, specs: &Specs, pod: &Pod) -> Option<NewPod> {
        let spec = &specs[pod.spec];
        let profile = self.profile_of(spec.scheduler_name)?;
        Some(NewPod { uid: pod.uid, profile, priority: spec.priority })
    }

    fn nominate_as_stated(&mut self, row: Row<Pod>, pod: &Pod) {
        self.cluster.nominated.remove(row);
        if let Some(node) = pod.nominated {
            self.cluster.nominated.add(row, node);
        }
    }

    /// A pod that changed keeps a nomination that the record does not know yet.
    fn renominate(&mut self, row: Row<Pod>, old: &Pod, new: &Pod) {
        let kept = self.cluster.nominated.node_of(row);
        self.cluster.nominated.remove(row);
        let neither = old.nominated.is_none() && new.nominated.is_none();
        if let Some(node) = if neither { kept } else { new.nominated } {
            self.cluster.nominated.add(row, node);
        }
    }
}

/// `NAMESPACE/NAME`.
pub(super) fn full_name(specs: &Specs, pod: &Pod) -> String {
    format!("{}/{}", specs.symbols.text(pod.namespace), specs.symbols.text(pod.name))
}

/// Notes an object where plugins look it up.
fn note<K: Ord, T: Copy>(
    known: &mut std::collections::BTreeMap<K, T>,
    edit: Edit<'_, T>,
    key: impl Fn(&T) -> K,
) {
    if let Some(old) = edit.old {
        known.remove(&key(old));
    }
    if let Some(new) = edit.new {
        known.insert(key(new), *new);
    }
}

/// The kind of a change of an object whose deletion helps nobody.
fn add_or_update<T>(edit: Edit<'_, T>, added: EventKind, updated: EventKind) -> Option<EventKind> {
    edit.new?;
    Some(if edit.old.is_some() { updated } else { added })
}

/// In which ways a node changed (K 2.3).
fn node_changes(old: &NodeSpec, new: &NodeSpec) -> Vec<EventKind> {
    let mut kinds = Vec::new();
    let mut say = |changed: bool, kind| {
        if changed {
            kinds.push(kind);
        }
    };
    mark!("K 2.3 a node that is schedulable again counts as a change of taints");
    say(old.unschedulable && !new.unschedulable, EventKind::NodeUpdateTaint);
    let allocatable = old.allocatable != new.allocatable || old.pods_max != new.pods_max;
    say(allocatable, EventKind::NodeUpdateAllocatable);
    say(old.labels != new.labels, EventKind::NodeUpdateLabel);
    say(old.taints != new.taints, EventKind::NodeUpdateTaint);
    say(old.features != new.features, EventKind::NodeUpdateDeclaredFeature);
    kinds
}

/// In which ways a pod changed (K 2.3).
fn pod_changes(old: &PodSpec, new: &PodSpec, assigned: bool) -> Vec<EventKind> {
    let mut kinds = Vec::new();
    let mut say = |changed: bool, on_a_node, waiting| {
        if changed {
            kinds.extend(if assigned { on_a_node } else { Some(waiting) });
        }
    };
    say(old.labels != new.labels, Some(EventKind::AssignedPodUpdateLabel), EventKind::PodUpdateLabel);
    let less = is_less(&old.requests.effective, &new.requests.effective);
    say(less, Some(EventKind::AssignedPodScaleDown), EventKind::PodScaleDown);
    let freed = !old.gates.is_empty() && new.gates.is_empty();
    say(freed, None, EventKind::PodGatesEliminated);
    let tolerations = old.tolerations.len() != new.tolerations.len();
    say(tolerations, None, EventKind::PodUpdateTolerations);
    if kinds.is_empty() {
        kinds.push(if assigned { EventKind::AssignedPodUpdate } else { EventKind::PodUpdate });
    }
    kinds
}

/// Whether something is requested that was requested more before.
fn is_less(old: &Amounts, new: &Amounts) -> bool {
    let less = |(name, was): &(_, i64)| new.extended(*name).is_none_or(|is| is < *was);
    new.cpu < old.cpu
        || new.memory < old.memory
        || new.ephemeral < old.ephemeral
        || old.extended.iter().any(less)
}
