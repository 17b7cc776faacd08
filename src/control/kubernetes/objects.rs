//! What a pod, a node and their neighbours are: the objects that scheduling reads.
//!
//! Two kinds of words, as for ECS. *Specs* are wide, never change, and are interned: equal specs are one
//! row of [`Specs`]. *Rows* ([`Pod`], [`Node`] ...) are small and `Copy`: identity, state, and the row of
//! their spec. An update of an object gives its row another spec. Amounts are those of the original:
//! millicores and bytes in 64 bits. Knows nothing of JSON, of who decides, and of machines.

use std::hash::Hash;

use crate::base::hash::Map;
use crate::base::{Edit, EntityKey, Row, Span, Symbol, Symbols, Timestamp};

use super::labels::{Labels, Operator, Selector};

// ---------------------------------------------------------------------------------------------------
// Specs: wide, immutable, interned.

/// Every spec of one cluster, and the spellings.
#[derive(Clone, Debug, Default)]
pub struct Specs {
    /// Pods.
    pub pods: Interned<PodSpec>,
    /// Nodes.
    pub nodes: Interned<NodeSpec>,
    /// Persistent volumes.
    pub volumes: Interned<VolumeSpec>,
    /// Claims on them.
    pub claims: Interned<ClaimSpec>,
    /// Storage classes.
    pub storage_classes: Interned<StorageClassSpec>,
    /// CSI drivers of a node.
    pub csi_nodes: Interned<CsiNodeSpec>,
    /// Storage capacities.
    pub capacities: Interned<StorageCapacitySpec>,
    /// Selectors of services and workloads.
    pub selectors: Interned<Selector>,
    /// Disruption budgets.
    pub budgets: Interned<BudgetSpec>,
    /// Labels of namespaces.
    pub labels: Interned<Labels>,
    /// The spellings.
    pub symbols: Symbols,
}

/// Values that are stored once each.
#[derive(Clone, Debug)]
pub struct Interned<T> {
    values: Vec<T>,
    rows: Map<T, Row<T>>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Interned { values: Vec::new(), rows: Map::default() }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    /// The row of a value.
    pub fn intern(&mut self, value: T) -> Row<T> {
        if let Some(&known) = self.rows.get(&value) {
            return known;
        }
        let row = Row::at(self.values.len());
        self.values.push(value.clone());
        self.rows.insert(value, row);
        row
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

macro_rules! by_row {
    ($($field:ident: $type:ty),*) => {$(
        impl std::ops::Index<Row<$type>> for Specs {
            type Output = $type;
            fn index(&self, row: Row<$type>) -> &$type {
                &self.$field.values[row.index()]
            }
        }
    )*};
}
by_row!(
    pods: PodSpec, nodes: NodeSpec, volumes: VolumeSpec, claims: ClaimSpec,
    storage_classes: StorageClassSpec, csi_nodes: CsiNodeSpec, capacities: StorageCapacitySpec,
    selectors: Selector, budgets: BudgetSpec, labels: Labels
);

/// Amounts of resources, as the scheduler adds them up: 64-bit integers that wrap like the original's.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Amounts {
    /// CPU in thousandths of a core.
    pub cpu: i64,
    /// Memory in bytes.
    pub memory: i64,
    /// Ephemeral storage in bytes.
    pub ephemeral: i64,
    /// Extended resources and huge pages, sorted by symbol; a zero that was written counts as named.
    pub extended: Box<[(Symbol, i64)]>,
}

impl Amounts {
    /// The amount of an extended resource; none when it is not named.
    pub fn extended(&self, name: Symbol) -> Option<i64> {
        let place = self.extended.binary_search_by_key(&name, |&(known, _)| known).ok()?;
        Some(self.extended[place].1)
    }
}

/// What a pod requests, in the variants that rules ask for (K 1.3).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Requests {
    /// The specification alone, with pod-level requests and overhead: what the resource filter asks for.
    pub asked: Amounts,
    /// The same with the status of an in-place resize: what a node's sum grows by, and what the balanced
    /// score asks for.
    pub effective: Amounts,
    /// The same with 100m CPU for each container that names none: what a node's score sum grows by.
    pub non_zero_cpu: i64,
    /// The same with 200 MiB for each container that names none.
    pub non_zero_memory: i64,
    /// What the resource score asks for: the specification with those defaults, without pod-level requests.
    pub scored: Amounts,
}

/// What is read of a pod, apart from its name and its state (K 1.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PodSpec {
    /// Labels.
    pub labels: Labels,
    /// Which scheduler it is for.
    pub scheduler_name: Symbol,
    /// Priority, after admission.
    pub priority: i32,
    /// Whether it may preempt (`preemptionPolicy`).
    pub preempts: bool,
    /// Names of scheduling gates.
    pub gates: Box<[Symbol]>,
    /// What it requests.
    pub requests: Requests,
    /// `nodeSelector`.
    pub node_selector: Labels,
    /// Required node affinity: one of these terms; none when it is not stated.
    pub node_affinity: Option<Box<[NodeTerm]>>,
    /// Preferred node affinity, with weights.
    pub preferred_nodes: Box<[(i32, NodeTerm)]>,
    /// Pods that must be near.
    pub affinity: Box<[PodTerm]>,
    /// Pods that must not be near.
    pub anti_affinity: Box<[PodTerm]>,
    /// Pods that should be near, with weights.
    pub preferred_affinity: Box<[(i32, PodTerm)]>,
    /// Pods that should not be near, with weights.
    pub preferred_anti_affinity: Box<[(i32, PodTerm)]>,
    /// Tolerations.
    pub tolerations: Box<[Toleration]>,
    /// Topology spread constraints; selectors have their `matchLabelKeys` merged.
    pub spread: Box<[SpreadConstraint]>,
    /// Host ports of containers and sidecars.
    pub host_ports: Box<[HostPort]>,
    /// Images of containers and init containers, then of image volumes, with a tag.
    pub images: Box<[Symbol]>,
    /// How many of them are of containers or init containers.
    pub container_images: usize,
    /// Volumes.
    pub volumes: Box<[PodVolume]>,
    /// Its controller, if it has one.
    pub controller: Option<Controller>,
    /// Node features that it needs (`NodeDeclaredFeatures`), sorted.
    pub features: Box<[Symbol]>,
    /// How long it may take to stop after its deletion; with none it is gone at once.
    pub grace: Span,
    /// Whether its containers are started again.
    pub restart: RestartPolicy,
    /// Its containers, at most 256: those of the start in their order, then the others in theirs.
    pub containers: Box<[ContainerSpec]>,
}

/// What is read of a container.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ContainerSpec {
    /// Its name.
    pub name: Symbol,
    /// Its image, as it is written.
    pub image: Symbol,
    /// What it is to its pod.
    pub kind: ContainerKind,
    /// When its image is pulled.
    pub pull: PullPolicy,
    /// Whether it is started again: its own policy, else that of the pod; a sidecar always is.
    pub restart: RestartPolicy,
    /// Its readiness probe, if it has one.
    pub readiness: Option<ReadinessProbe>,
}

/// What a container is to its pod.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ContainerKind {
    /// It ends before the next one starts.
    Init,
    /// It starts before the next one, and runs as long as the pod.
    Sidecar,
    /// What the pod is for.
    Main,
}

/// `imagePullPolicy`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "words of the API")]
pub enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

/// `restartPolicy`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "words of the API")]
pub enum RestartPolicy {
    Always,
    OnFailure,
    Never,
}

/// When a container is asked whether it is ready. How it answers is not its business.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ReadinessProbe {
    /// It is not asked sooner after its start.
    pub initial_delay: Span,
    /// From one probe to the next.
    pub period: Span,
    /// A probe that takes longer has failed.
    pub timeout: Span,
    /// So many good answers in a row make it ready.
    pub successes: u32,
    /// So many bad ones make it unready.
    pub failures: u32,
}

/// The controller of a pod, an owner reference with `controller: true`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Controller {
    /// Which kind: only those whose selectors default spreading reads are told apart.
    pub kind: ControllerKind,
    /// Its name.
    pub name: Symbol,
    /// Its uid.
    pub uid: Symbol,
}

/// The kind of a controller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "kinds of the API")]
pub enum ControllerKind {
    ReplicationController,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Job,
    Other,
}

/// A node selector term: all of it must hold; one without conditions holds of no node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NodeTerm {
    /// On labels; none when an expression is invalid, and then the term holds of no node.
    pub labels: Option<Box<[super::labels::Requirement]>>,
    /// On `metadata.name`.
    pub names: Box<[NameRequirement]>,
}

/// A condition on a node's name (`matchFields`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum NameRequirement {
    /// It is this one.
    In(Symbol),
    /// It is not this one.
    NotIn(Symbol),
}

/// A pod affinity term; selectors have their `matchLabelKeys` and `mismatchLabelKeys` merged.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PodTerm {
    /// Which pods.
    pub selector: Selector,
    /// In these namespaces; the pod's own when neither these nor a namespace selector is given.
    pub namespaces: Box<[Symbol]>,
    /// Or in namespaces with such labels.
    pub namespace_selector: Selector,
    /// Near means the same value of this node label.
    pub topology_key: Symbol,
}

/// A taint of a node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Taint {
    /// Its key.
    pub key: Symbol,
    /// Its value; the empty text when it has none.
    pub value: Symbol,
    /// What it does.
    pub effect: TaintEffect,
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TaintEffect {
    /// They are not placed here.
    NoSchedule,
    /// They are better placed elsewhere.
    PreferNoSchedule,
    /// They are not placed here, and those that run are evicted.
    NoExecute,
}

/// A toleration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Toleration {
    /// The key of the taints; none tolerates all keys.
    pub key: Option<Symbol>,
    /// The value that they must have; none for `Exists`.
    pub value: Option<Symbol>,
    /// The effect; none tolerates all effects.
    pub effect: Option<TaintEffect>,
    /// Whether its operator is one that this version knows; one that it does not know tolerates nothing.
    pub valid: bool,
}

impl Toleration {
    /// Whether it tolerates a taint (K 2.8).
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.valid
            && self.effect.is_none_or(|effect| effect == taint.effect)
            && self.key.is_none_or(|key| key == taint.key)
            && self.value.is_none_or(|value| value == taint.value)
    }
}

/// A topology spread constraint (K 2.12).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SpreadConstraint {
    /// How uneven it may be.
    pub max_skew: i32,
    /// Over the values of this node label.
    pub topology_key: Symbol,
    /// `DoNotSchedule`, else `ScheduleAnyway`.
    pub hard: bool,
    /// Which pods count.
    pub selector: Selector,
    /// `minDomains`; 1 unless said.
    pub domains_min: i32,
    /// `nodeAffinityPolicy: Honor`.
    pub honors_affinity: bool,
    /// `nodeTaintsPolicy: Honor`.
    pub honors_taints: bool,
}

/// A port of the host that a container wants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HostPort {
    /// On this address; `0.0.0.0` is every address.
    pub address: Symbol,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: Symbol,
    /// The number.
    pub port: i32,
}

/// A volume of a pod, as far as it touches scheduling (K 2.15).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PodVolume {
    /// A claim, by name.
    Claim(Symbol),
    /// A claim that a controller makes for the pod, `POD-VOLUME`: the name of the volume.
    Ephemeral(Symbol),
    /// A disk that is named in the pod and may be attached once (legacy inline volumes).
    Disk(Disk),
}

/// A legacy inline disk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Disk {
    /// GCE persistent disk, by name.
    Gce {
        /// Its name.
        name: Symbol,
        /// Mounted read-only.
        read_only: bool,
    },
    /// Amazon EBS, by volume id; read-only mounts conflict as well.
    Ebs {
        /// Its id.
        volume: Symbol,
    },
    /// iSCSI, by qualified name.
    Iscsi {
        /// Its qualified name.
        iqn: Symbol,
        /// Mounted read-only.
        read_only: bool,
    },
    /// Ceph block device.
    Rbd {
        /// Its monitors, joined.
        monitors: Symbol,
        /// Its pool.
        pool: Symbol,
        /// Its image.
        image: Symbol,
        /// Mounted read-only.
        read_only: bool,
    },
}

/// What the scheduler reads of a node, apart from its name (K 1.6).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NodeSpec {
    /// Labels.
    pub labels: Labels,
    /// Taints.
    pub taints: Box<[Taint]>,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// What pods may request in all.
    pub allocatable: Amounts,
    /// How many pods.
    pub pods_max: i64,
    /// Images that it reported: names with a tag, and bytes.
    pub images: Box<[(Box<[Symbol]>, i64)]>,
    /// Features that it declares, sorted.
    pub features: Box<[Symbol]>,
}

/// What is read of a persistent volume.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VolumeSpec {
    /// Labels.
    pub labels: Labels,
    /// Its class; the empty text when it has none.
    pub class: Symbol,
    /// Bytes.
    pub capacity: i64,
    /// Access modes.
    pub modes: Modes,
    /// `volumeMode: Block`.
    pub block: bool,
    /// Nodes that reach it; none for every node.
    pub nodes: Option<Box<[NodeTerm]>>,
    /// The claim that it is bound or kept for.
    pub claim: Option<ClaimReference>,
    /// The CSI driver and handle, if it is such a volume.
    pub csi: Option<(Symbol, Symbol)>,
    /// Whether its phase is `Available` or `Bound` or another.
    pub phase: VolumePhase,
    /// It is being deleted.
    pub deleting: bool,
}

/// `status.phase` of a volume.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "phases of the API")]
pub enum VolumePhase {
    Pending,
    Available,
    Bound,
    Released,
    Failed,
}

/// Which claim a volume is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClaimReference {
    /// Its namespace.
    pub namespace: Symbol,
    /// Its name.
    pub name: Symbol,
    /// Its uid, when it is bound.
    pub uid: Option<Symbol>,
}

/// Access modes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Modes {
    /// `ReadWriteOnce`.
    pub write_once: bool,
    /// `ReadOnlyMany`.
    pub read_many: bool,
    /// `ReadWriteMany`.
    pub write_many: bool,
    /// `ReadWriteOncePod`.
    pub write_one_pod: bool,
}

/// What is read of a claim.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ClaimSpec {
    /// Its class; none when it names none.
    pub class: Option<Symbol>,
    /// Bytes that it requests.
    pub request: i64,
    /// Access modes.
    pub modes: Modes,
    /// `volumeMode: Block`.
    pub block: bool,
    /// Labels that its volume must have; none for any.
    pub selector: Option<Selector>,
    /// The volume that it names.
    pub volume: Option<Symbol>,
    /// Whether binding is completed (`pv.kubernetes.io/bind-completed`).
    pub bind_completed: bool,
    /// The node that was selected for it (`volume.kubernetes.io/selected-node`).
    pub selected_node: Option<Symbol>,
    /// `status.phase` is `Lost`.
    pub lost: bool,
    /// It is being deleted.
    pub deleting: bool,
    /// Its controller: the pod, for an ephemeral volume.
    pub controller: Option<Controller>,
}

/// What is read of a storage class.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct StorageClassSpec {
    /// Its provisioner.
    pub provisioner: Symbol,
    /// `WaitForFirstConsumer`, else `Immediate`.
    pub waits: bool,
    /// Nodes on which it can provision: one of these terms; empty for every node.
    pub topologies: Box<[Box<[super::labels::Requirement]>]>,
}

/// What is read of a `CSINode`: the drivers with the volumes that each may attach.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CsiNodeSpec {
    /// Driver and limit.
    pub drivers: Box<[(Symbol, Option<i32>)]>,
    /// In-tree plugins that are migrated to CSI on this node.
    pub migrated: Box<[Symbol]>,
}

/// What is read of a `CSIStorageCapacity`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct StorageCapacitySpec {
    /// The storage class.
    pub class: Symbol,
    /// Which nodes it is about.
    pub nodes: Selector,
    /// Bytes that are left.
    pub capacity: Option<i64>,
    /// The largest volume.
    pub volume_max: Option<i64>,
}

/// What is read of a disruption budget.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BudgetSpec {
    /// Which pods; for preemption an empty one selects none (K 2.17).
    pub selector: Selector,
    /// How many more may go.
    pub disruptions_allowed: i32,
    /// Pods whose disruption was granted already.
    pub disrupted: Box<[Symbol]>,
}

// ---------------------------------------------------------------------------------------------------
// Rows: small, Copy, changing.

/// A pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pod {
    /// For draws.
    pub key: EntityKey,
    /// Its namespace.
    pub namespace: Symbol,
    /// Its name.
    pub name: Symbol,
    /// Its uid.
    pub uid: Symbol,
    /// What it is.
    pub spec: Row<PodSpec>,
    /// The node it is bound to.
    pub node: Option<Symbol>,
    /// `status.nominatedNodeName`.
    pub nominated: Option<Symbol>,
    /// Whether it has ended, well or not.
    pub ended: bool,
    /// When it was asked to go.
    pub deleted_at: Option<Timestamp>,
    /// Whether preemption asked it to go (condition `DisruptionTarget`, `PreemptionByScheduler`).
    pub preempted: bool,
    /// `status.startTime`.
    pub started_at: Option<Timestamp>,
}

/// A node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    /// For draws.
    pub key: EntityKey,
    /// Its name.
    pub name: Symbol,
    /// What it is.
    pub spec: Row<NodeSpec>,
}

/// An object that the scheduler looks up by namespace and name. Objects without a namespace have the
/// empty text.
#[derive(Debug)]
pub struct Named<S> {
    /// Its namespace.
    pub namespace: Symbol,
    /// Its name.
    pub name: Symbol,
    /// Its uid.
    pub uid: Symbol,
    /// What it is.
    pub spec: Row<S>,
}

impl<S> Clone for Named<S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Named<S> {}
impl<S> PartialEq for Named<S> {
    fn eq(&self, other: &Self) -> bool {
        (self.namespace, self.name, self.uid, self.spec)
            == (other.namespace, other.name, other.uid, other.spec)
    }
}
impl<S> Eq for Named<S> {}

/// A workload or service whose selector default spreading reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Selecting {
    /// Its kind; none for a Service.
    pub kind: Option<ControllerKind>,
    /// Its names, and its selector.
    pub named: Named<Selector>,
}

/// A CSI driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CsiDriver {
    /// Its name.
    pub name: Symbol,
    /// Whether it reports storage capacity.
    pub storage_capacity: bool,
}

/// A change of the record, as the processes of a cluster hear of it.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "kinds of the API")]
pub enum ClusterChange<'a> {
    Pod(Edit<'a, Pod>),
    Node(Edit<'a, Node>),
    Volume(Edit<'a, Named<VolumeSpec>>),
    Claim(Edit<'a, Named<ClaimSpec>>),
    StorageClass(Edit<'a, Named<StorageClassSpec>>),
    CsiNode(Edit<'a, Named<CsiNodeSpec>>),
    CsiDriver(Edit<'a, CsiDriver>),
    StorageCapacity(Edit<'a, Named<StorageCapacitySpec>>),
    VolumeAttachment(Edit<'a, Named<Labels>>),
    Selecting(Edit<'a, Selecting>),
    Budget(Edit<'a, Named<BudgetSpec>>),
    Namespace(Edit<'a, Named<Labels>>),
}

impl NodeTerm {
    /// Whether it holds of a node (K 2.9).
    pub fn holds(&self, name: Symbol, labels: &Labels, symbols: &Symbols) -> bool {
        let Some(requirements) = &self.labels else { return false };
        if requirements.is_empty() && self.names.is_empty() {
            return false;
        }
        let named = self.names.iter().all(|each| match each {
            NameRequirement::In(wanted) => *wanted == name,
            NameRequirement::NotIn(unwanted) => *unwanted != name,
        });
        named && requirements.iter().all(|each| each.holds(labels, symbols))
    }
}

impl HostPort {
    /// The address that stands for every address, if anybody has spelled it.
    pub fn every_address(symbols: &Symbols) -> Option<Symbol> {
        symbols.find("0.0.0.0")
    }

    /// Whether only one of the two can be given.
    pub fn meets(&self, other: &HostPort, every: Option<Symbol>) -> bool {
        (self.protocol, self.port) == (other.protocol, other.port)
            && (self.address == other.address || Some(self.address) == every || Some(other.address) == every)
    }
}

impl PodSpec {
    /// Whether its node selector and required node affinity hold of a node.
    pub fn wants_node(&self, name: Symbol, labels: &Labels, symbols: &Symbols) -> bool {
        let selected = labels.contain(&self.node_selector);
        let one_holds = |terms: &[NodeTerm]| terms.iter().any(|term| term.holds(name, labels, symbols));
        selected && self.node_affinity.as_deref().is_none_or(one_holds)
    }

    /// Whether it has any required or preferred pod affinity or anti-affinity.
    pub fn has_affinity(&self) -> bool {
        let lists = [self.affinity.len(), self.anti_affinity.len()];
        let preferred = [self.preferred_affinity.len(), self.preferred_anti_affinity.len()];
        lists.iter().chain(&preferred).any(|&length| length > 0)
    }
}

impl RestartPolicy {
    /// Whether a container that exited with this code is started again (K 3.10).
    pub const fn restarts_after(self, code: u8) -> bool {
        match self {
            RestartPolicy::Always => true,
            RestartPolicy::OnFailure => code != 0,
            RestartPolicy::Never => false,
        }
    }
}

impl Operator {
    /// Whether it can only hold of some stated values.
    pub const fn is_in(&self) -> bool {
        matches!(self, Operator::In(_))
    }
}
