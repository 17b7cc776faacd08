//! The state of a Kubernetes cluster in a run.

use std::collections::BTreeSet;

use crate::base::hash::Map;
use crate::base::runtime::SandboxId;
use crate::base::{Column, Row, Symbol, Timestamp};
use crate::control::Ticket;
use crate::control::kubernetes::objects::{Pod, Specs};
use crate::control::kubernetes::scheduler::Scheduler;
use crate::control::kubernetes::scheduler::command::{PodName, SchedulerCommand};
use crate::control::kubernetes::scheduler::framework::Binding;
use crate::control::kubernetes::scheduler::profile::queue_settings;
use crate::control::node::kubelet::{Kubelet, KubeletCommand};
use crate::sim::simulation::Process;
use crate::store::{ClusterRecord, Cursor};
use crate::workload::arrival::Walk;
use crate::world::host::Host;

use super::fact::PodLife;
use super::plan::KubernetesPlan;

/// A Kubernetes cluster in a run.
#[derive(Debug)]
pub(in crate::sim) struct Kubernetes {
    /// Those of the plan, and the spellings of the pods that were created.
    pub(in crate::sim) specs: Specs,
    pub(in crate::sim) record: ClusterRecord,
    pub(in crate::sim) scheduler: Process<Scheduler>,
    /// How far the scheduler has read the record.
    pub(in crate::sim) cursor: Cursor,
    /// When the scheduler may begin its next cycle.
    pub(in crate::sim) free_at: Timestamp,
    /// The nodes, as in the plan.
    pub(in crate::sim) seats: Vec<NodeSeat>,
    pub(in crate::sim) seat_of_name: Map<Symbol, u32>,
    /// The node on each host, by host.
    pub(in crate::sim) seat_of_host: Vec<Option<u32>>,
    /// What there is beside the record, by pod.
    pub(in crate::sim) pods: Vec<PodSeat>,
    /// The pod in each sandbox; sandboxes are counted and never reused.
    pub(in crate::sim) pod_of_sandbox: Vec<Option<Row<Pod>>>,
    /// Calls of the scheduler that have not come to the API server yet.
    pub(in crate::sim) calls: Column<ApiCall>,
    /// How far each process of arrivals has come.
    pub(in crate::sim) walks: Vec<Walk>,
    /// The next number of each process.
    pub(in crate::sim) serials: Vec<u64>,
    /// Pods that have ended and are still listed, by the order of their creation.
    pub(in crate::sim) ended: BTreeSet<ThePod>,
    pub(in crate::sim) created: u32,
    pub(in crate::sim) commands: Vec<(Ticket, SchedulerCommand)>,
    pub(in crate::sim) kubelet_commands: Vec<(Ticket, KubeletCommand)>,
}

/// A kubelet and the host it works on.
#[derive(Debug)]
pub(in crate::sim) struct NodeSeat {
    pub(in crate::sim) kubelet: Process<Kubelet>,
    pub(in crate::sim) host: Row<Host>,
}

/// What there is of a pod beside its row.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct PodSeat {
    pub(in crate::sim) life: PodLife,
    /// How many pods were created before it.
    pub(in crate::sim) age: u32,
    /// The process that it came from.
    pub(in crate::sim) arrival: u32,
    pub(in crate::sim) sandbox: Option<SandboxId>,
}

/// One pod, even when its row has come to belong to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ThePod {
    /// How many pods were created before it.
    pub age: u32,
    /// Its row.
    pub row: Row<Pod>,
}

/// A call of the scheduler that takes time.
#[derive(Clone, Debug)]
pub struct ApiCall {
    pub(in crate::sim) ticket: Ticket,
    pub(in crate::sim) pod: PodName,
    pub(in crate::sim) what: Asked,
}

#[derive(Clone, Debug)]
pub(in crate::sim) enum Asked {
    Bind(Symbol),
    BindVolumes(Vec<Binding>),
}

impl Kubernetes {
    /// A cluster before anything is written.
    pub(in crate::sim) fn new(plan: &KubernetesPlan, now: Timestamp) -> Self {
        let mut specs = plan.specs.clone();
        let profiles = plan.plugins.profiles(&plan.configuration, &mut specs.symbols);
        let scheduler = Scheduler::new(now, profiles, queue_settings(&plan.configuration));
        let mut record = ClusterRecord::default();
        Kubernetes {
            specs,
            cursor: record.open(),
            record,
            scheduler: Process::new(scheduler),
            free_at: now,
            seats: Vec::with_capacity(plan.nodes.len()),
            seat_of_name: Map::default(),
            seat_of_host: Vec::new(),
            pods: Vec::new(),
            pod_of_sandbox: Vec::new(),
            calls: Column::new(),
            walks: plan.pods.iter().map(|pods| pods.arrivals.walk()).collect(),
            serials: plan.pods.iter().map(|pods| pods.first).collect(),
            ended: BTreeSet::new(),
            created: 0,
            commands: Vec::new(),
            kubelet_commands: Vec::new(),
        }
    }

    /// Whether this is still the pod that was meant.
    pub(in crate::sim) fn is_there(&self, pod: ThePod) -> bool {
        self.pods.get(pod.row.index()).is_some_and(|seat| seat.age == pod.age)
            && self.record.pod(pod.row).is_some()
    }

    /// This pod, by its row.
    pub(in crate::sim) fn the(&self, row: Row<Pod>) -> ThePod {
        ThePod { row, age: self.pods[row.index()].age }
    }
}
