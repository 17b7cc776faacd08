//! The record of one Kubernetes cluster: what its API server has written down, in one change log.
//!
//! Pods and nodes change often; what stands beside them (services, volumes, budgets ...) changes seldom and
//! is kept the same way. The only writer is the driver. Each write of a pod updates counters that a recount
//! must equal (conservation). Knows nothing of why something is written, and of admission.

use crate::base::{Reader, Revision, Row, Symbol, Table, Timestamp};
use crate::control::kubernetes::api::Object;
use crate::control::kubernetes::labels::Labels;
use crate::control::kubernetes::objects::{
    BudgetSpec, ClaimSpec, ClusterChange, CsiDriver, CsiNodeSpec, Named, Node, Pod, Selecting,
    StorageCapacitySpec, StorageClassSpec, VolumeSpec,
};

use super::log::{Cursor, Log};

/// What the API server has written down.
///
/// ```
/// use windtunnel::base::Timestamp;
/// use windtunnel::store::ClusterRecord;
/// let mut record = ClusterRecord::default();
/// let cursor = record.open();
/// let mut told = 0;
/// record.deliver(cursor, Timestamp::NEVER, |_| told += 1);
/// assert_eq!(told, 0);
/// ```
#[derive(Debug, Default)]
pub struct ClusterRecord {
    tables: Tables,
    log: Log<Changed>,
    books: PodBooks,
}

/// Pods, counted at each write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PodBooks {
    /// Written for the first time.
    pub created: u64,
    /// Got a node, from their binding on or from the start.
    pub bound: u64,
    /// Deleted.
    pub deleted: u64,
    /// There, without a node.
    pub pending: u64,
    /// There, on a node, and not ended.
    pub placed: u64,
    /// There, and ended.
    pub ended: u64,
}

macro_rules! tables {
    ($($kind:ident $field:ident: $row:ty),* $(,)?) => {
        #[derive(Debug, Default)]
        struct Tables {
            pods: Table<Pod>,
            $($field: Table<$row>,)*
        }

        /// Which row a change was about. Eight bytes.
        #[derive(Clone, Copy, Debug)]
        enum Changed {
            Pod(Row<Pod>),
            $($kind(Row<$row>),)*
        }

        impl Tables {
            fn told(&self, revision: Revision, change: Changed) -> ClusterChange<'_> {
                match change {
                    Changed::Pod(row) => ClusterChange::Pod(Reader::new(&self.pods, revision).edit(row)),
                    $(Changed::$kind(row) => ClusterChange::$kind(Reader::new(&self.$field, revision).edit(row)),)*
                }
            }

            fn trim(&mut self, change: Changed) {
                match change {
                    Changed::Pod(_) => {
                        self.pods.trim();
                    }
                    $(Changed::$kind(_) => {
                        self.$field.trim();
                    })*
                }
            }
        }

        impl ClusterRecord {
            /// Writes an object that is new. A class of priority is no row: it has done its work when pods
            /// are admitted.
            pub fn create(&mut self, now: Timestamp, object: Object) {
                match object {
                    Object::PriorityClass(_) => {}
                    Object::Pod(pod) => {
                        self.create_pod(now, pod);
                    }
                    $(Object::$kind(value) => {
                        let row = self.tables.$field.vacant();
                        let revision = self.log.append(now, Changed::$kind(row));
                        self.tables.$field.write(row, revision, Some(value));
                    })*
                }
            }
        }
    };
}

tables! {
    Node nodes: Node,
    Volume volumes: Named<VolumeSpec>,
    Claim claims: Named<ClaimSpec>,
    StorageClass storage_classes: Named<StorageClassSpec>,
    CsiNode csi_nodes: Named<CsiNodeSpec>,
    CsiDriver csi_drivers: CsiDriver,
    StorageCapacity capacities: Named<StorageCapacitySpec>,
    VolumeAttachment attachments: Named<Labels>,
    Selecting selecting: Selecting,
    Budget budgets: Named<BudgetSpec>,
    Namespace namespaces: Named<Labels>,
}

const _: () = assert!(size_of::<Changed>() <= 8);

impl ClusterRecord {
    /// A pod as it is now.
    pub fn pod(&self, row: Row<Pod>) -> Option<&Pod> {
        Reader::new(&self.tables.pods, Revision::LIVE).get(row)
    }

    /// Writes a new pod and says where.
    pub fn create_pod(&mut self, now: Timestamp, pod: Pod) -> Row<Pod> {
        let row = self.tables.pods.vacant();
        self.write_pod(now, row, Some(pod));
        row
    }

    /// Changes a pod in its place.
    pub fn change_pod(&mut self, now: Timestamp, row: Row<Pod>, change: impl FnOnce(&mut Pod)) {
        let revision = self.log.append(now, Changed::Pod(row));
        let books = &mut self.books;
        self.tables.pods.change(row, revision, |pod| {
            let former = *pod;
            change(pod);
            books.change(Some(&former), Some(pod));
        });
    }

    /// Deletes a pod.
    pub fn delete_pod(&mut self, now: Timestamp, row: Row<Pod>) {
        self.write_pod(now, row, None);
    }

    /// The volume of this name.
    pub fn volume(&self, name: Symbol) -> Option<(Row<Named<VolumeSpec>>, Named<VolumeSpec>)> {
        let volumes = Reader::new(&self.tables.volumes, Revision::LIVE);
        volumes.iter().find(|(_, volume)| volume.name == name).map(|(row, volume)| (row, *volume))
    }

    /// The claim of this name.
    pub fn claim(
        &self,
        namespace: Symbol,
        name: Symbol,
    ) -> Option<(Row<Named<ClaimSpec>>, Named<ClaimSpec>)> {
        let claims = Reader::new(&self.tables.claims, Revision::LIVE);
        let same = |claim: &Named<ClaimSpec>| (claim.namespace, claim.name) == (namespace, name);
        claims.iter().find(|(_, claim)| same(claim)).map(|(row, claim)| (row, *claim))
    }

    /// Gives a volume another spec.
    pub fn write_volume(&mut self, now: Timestamp, row: Row<Named<VolumeSpec>>, new: Named<VolumeSpec>) {
        let revision = self.log.append(now, Changed::Volume(row));
        self.tables.volumes.write(row, revision, Some(new));
    }

    /// Gives a claim another spec.
    pub fn write_claim(&mut self, now: Timestamp, row: Row<Named<ClaimSpec>>, new: Named<ClaimSpec>) {
        let revision = self.log.append(now, Changed::Claim(row));
        self.tables.claims.write(row, revision, Some(new));
    }

    /// A cursor at the head of the log.
    pub fn open(&mut self) -> Cursor {
        self.log.open()
    }

    /// Tells everything that `cursor` has not seen and that was written by `until`, in order.
    pub fn deliver(&mut self, cursor: Cursor, until: Timestamp, mut tell: impl FnMut(ClusterChange<'_>)) {
        let from = self.log.read_up_to(cursor).expect("an attached cursor");
        let to = self.log.written_by(until).max(from);
        for number in from.0 + 1..=to.0 {
            let revision = Revision(number);
            tell(self.tables.told(revision, self.log.change(revision)));
        }
        self.log.seek(cursor, to);
    }

    /// Forgets what every cursor has read. Call it now and then.
    pub fn trim(&mut self) {
        while let Some(change) = self.log.trim() {
            self.tables.trim(change);
        }
    }

    /// What was counted at each write.
    pub const fn books(&self) -> &PodBooks {
        &self.books
    }

    /// Counts every pod again and compares with the books.
    pub fn recount(&self) {
        let PodBooks { created, bound, deleted, .. } = self.books;
        let mut counted = PodBooks { created, bound, deleted, ..PodBooks::default() };
        for (_, pod) in Reader::new(&self.tables.pods, Revision::LIVE).iter() {
            *counted.state(pod) += 1;
        }
        assert_eq!(counted, self.books, "pods by state, counted again");
        let there = counted.pending + counted.placed + counted.ended;
        assert_eq!(there + deleted, created, "every pod is there or was deleted");
    }

    fn write_pod(&mut self, now: Timestamp, row: Row<Pod>, new: Option<Pod>) {
        let old = self.pod(row).copied();
        self.books.change(old.as_ref(), new.as_ref());
        let revision = self.log.append(now, Changed::Pod(row));
        self.tables.pods.write(row, revision, new);
    }
}

impl PodBooks {
    fn state(&mut self, pod: &Pod) -> &mut u64 {
        match (pod.ended, pod.node) {
            (true, _) => &mut self.ended,
            (false, Some(_)) => &mut self.placed,
            (false, None) => &mut self.pending,
        }
    }

    fn change(&mut self, old: Option<&Pod>, new: Option<&Pod>) {
        if let Some(old) = old {
            *self.state(old) -= 1;
        }
        if let Some(new) = new {
            *self.state(new) += 1;
        }
        match (old, new) {
            (None, Some(_)) => self.created += 1,
            (Some(_), None) => self.deleted += 1,
            (Some(old), Some(new)) => {
                assert!(old.node.is_none() || old.node == new.node, "a pod keeps its node");
                assert!(!old.ended || new.ended, "a pod ends once");
            }
            (None, None) => panic!("a pod is deleted once"),
        }
        let had = old.is_some_and(|pod| pod.node.is_some());
        if new.is_some_and(|pod| pod.node.is_some()) && !had {
            self.bound += 1;
        }
    }
}

#[cfg(test)]
mod tests;
