//! What became true, for whoever watches: measures, tables, digests.
//!
//! A fact names things by scenario name and number, never by row, so that a digest of facts is the
//! same on every machine and survives unrelated changes. A fact changes nothing. Knows nothing of who
//! watches.

use crate::base::label::fingerprint;
use crate::base::{EntityKey, Name, Row, Symbol, Timestamp};
use crate::control::ecs::events::ServiceMessage;
use crate::control::ecs::objects::{ContainerInstance, Definitions, Service, Stop, Task};
use crate::control::ecs::placement::{Refusal, Rejection};
use crate::engine::Digest;

use super::kubernetes::fact::{PodEnd, PodFact, PodLife};
use super::plan::{Machine, Plan};

/// Something that became true.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// A task was asked for.
    Arrived(Name),
    /// A call for a task ended in a failure (RT-04).
    Refused {
        /// What the task would have been called.
        name: Name,
        /// When the call was made.
        arrived: Timestamp,
        /// Why.
        rejection: &'a Rejection,
        /// When the caller tries again; none when it gives up.
        again: Option<Timestamp>,
    },
    /// A task was placed: its row is written.
    Placed {
        /// The task.
        task: &'a Task,
        /// Its container instance, on EC2.
        instance: Option<&'a ContainerInstance>,
    },
    /// Its first pull began; Fargate bills from here (PR-01).
    Pulling(&'a Task),
    /// It reached RUNNING.
    Started(&'a Task),
    /// It passed its checks.
    Ready(&'a Task),
    /// A stop was asked for, or an essential container exited; its resources count as free (CI-14).
    Stopping(&'a Task),
    /// It reached STOPPED.
    Stopped(&'a Task),
    /// A machine runs; EC2 bills from here (PR-10).
    MachineRunning(&'a Machine),
    /// A container instance registered.
    Registered {
        /// The instance.
        instance: &'a ContainerInstance,
        /// Its row, which messages about it carry.
        row: Row<ContainerInstance>,
    },
    /// The termination of a machine was accepted; EC2 bills to here.
    MachineTerminated(&'a Machine),
    /// A service said something.
    Said {
        /// The service.
        service: &'a Service,
        /// What it said.
        message: &'a ServiceMessage,
    },
    /// Something of a Kubernetes cluster.
    Pod(PodFact<'a>),
}

/// The kinds of facts, in the order of [`Fact`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "described at Fact")]
pub enum FactKind {
    Arrived,
    Refused,
    Placed,
    Pulling,
    Started,
    Ready,
    Stopping,
    Stopped,
    MachineRunning,
    Registered,
    MachineTerminated,
    Said,
    NodeReady,
    PodCreated,
    PodWaits,
    PodBound,
    PodPulling,
    PodStarted,
    PodReady,
    PodDeleted,
    PodEnded,
    PodSaid,
}

impl FactKind {
    /// Every kind, with the name it has in files and whether it is a decision.
    pub const ALL: [(FactKind, &'static str, bool); 22] = [
        (FactKind::Arrived, "arrived", false),
        (FactKind::Refused, "refused", true),
        (FactKind::Placed, "placed", true),
        (FactKind::Pulling, "pulling", false),
        (FactKind::Started, "started", true),
        (FactKind::Ready, "ready", false),
        (FactKind::Stopping, "stopping", true),
        (FactKind::Stopped, "stopped", true),
        (FactKind::MachineRunning, "machine-running", true),
        (FactKind::Registered, "registered", false),
        (FactKind::MachineTerminated, "machine-terminated", true),
        (FactKind::Said, "said", false),
        (FactKind::NodeReady, "node-ready", false),
        (FactKind::PodCreated, "pod-created", false),
        (FactKind::PodWaits, "pod-waits", true),
        (FactKind::PodBound, "pod-bound", true),
        (FactKind::PodPulling, "pod-pulling", false),
        (FactKind::PodStarted, "pod-started", true),
        (FactKind::PodReady, "pod-ready", false),
        (FactKind::PodDeleted, "pod-deleted", true),
        (FactKind::PodEnded, "pod-ended", true),
        (FactKind::PodSaid, "pod-said", false),
    ];
}

/// Somebody who watches a run. Facts come in time order.
pub trait Observer {
    /// Takes in one fact.
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>);
}

/// Several watchers.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        self.0.fact(plan, at, fact);
        self.1.fact(plan, at, fact);
    }
}

impl<T: Observer + ?Sized> Observer for &mut T {
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        (**self).fact(plan, at, fact);
    }
}

impl Fact<'_> {
    /// Which kind it is.
    pub const fn kind(&self) -> FactKind {
        match self {
            Fact::Arrived(_) => FactKind::Arrived,
            Fact::Refused { .. } => FactKind::Refused,
            Fact::Placed { .. } => FactKind::Placed,
            Fact::Pulling(_) => FactKind::Pulling,
            Fact::Started(_) => FactKind::Started,
            Fact::Ready(_) => FactKind::Ready,
            Fact::Stopping(_) => FactKind::Stopping,
            Fact::Stopped(_) => FactKind::Stopped,
            Fact::MachineRunning(_) => FactKind::MachineRunning,
            Fact::Registered { .. } => FactKind::Registered,
            Fact::MachineTerminated(_) => FactKind::MachineTerminated,
            Fact::Said { .. } => FactKind::Said,
            Fact::Pod(fact) => fact.kind(),
        }
    }
}

/// A digest per kind of fact, and one of all decisions.
///
/// The decision digest is what two runs compare: equal digests mean that every placement, start,
/// stop, launch and termination was the same at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Digests {
    kinds: [Digest; FactKind::ALL.len()],
    decisions: Digest,
}

impl Digests {
    /// The digest of one kind.
    pub const fn of(&self, kind: FactKind) -> Digest {
        self.kinds[kind as usize]
    }

    /// The digest of every decision.
    pub const fn decisions(&self) -> Digest {
        self.decisions
    }
}

impl Observer for Digests {
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        let kind = fact.kind();
        let words = words(plan.definitions(), at, fact);
        self.kinds[kind as usize].words(&words);
        if FactKind::ALL[kind as usize].2 {
            self.decisions.words(&words);
        }
    }
}

/// A fact as numbers that mean the same everywhere: kind and time, who, and two more.
fn words(definitions: &Definitions, at: Timestamp, fact: &Fact<'_>) -> [u64; 6] {
    let text = |symbol: Symbol| definitions.symbols.fingerprint(symbol);
    let named = |name: Name| (text(name.of), name.serial);
    let keyed = |key: EntityKey| (key.high(), key.low());
    let ((high, low), first, second) = match *fact {
        Fact::Arrived(name) => (named(name), 0, 0),
        Fact::Refused { name, arrived, rejection, .. } => {
            (named(name), arrived.as_nanos(), rejection_word(rejection))
        }
        Fact::Placed { task, instance } => {
            (keyed(task.key), text(task.zone), instance.map_or(0, |instance| instance.key.low()))
        }
        Fact::Pulling(task) | Fact::Started(task) | Fact::Ready(task) => (keyed(task.key), 0, 0),
        Fact::Stopping(task) | Fact::Stopped(task) => (keyed(task.key), stop_word(task.stop), 0),
        Fact::MachineRunning(machine) | Fact::MachineTerminated(machine) => {
            (keyed(machine.key), text(definitions[machine.class].instance_type), 0)
        }
        Fact::Registered { instance, .. } => (keyed(instance.key), text(definitions[instance.class].zone), 0),
        Fact::Said { service, message } => (keyed(service.key), message_word(message), 0),
        Fact::Pod(fact) => pod_words(definitions, fact),
    };
    [fact.kind() as u64, at.as_nanos(), high, low, first, second]
}

/// Who a fact about a pod is about, and two more words.
fn pod_words(definitions: &Definitions, fact: PodFact<'_>) -> ((u64, u64), u64, u64) {
    let text = |symbol: Symbol| definitions.symbols.fingerprint(symbol);
    let about = |pod: &PodLife, first| ((pod.key.high(), pod.key.low()), first, 0);
    match fact {
        PodFact::NodeReady { machine, .. } => {
            ((machine.key.high(), machine.key.low()), text(definitions[machine.class].instance_type), 0)
        }
        PodFact::Created(pod)
        | PodFact::Pulling(pod)
        | PodFact::Started(pod)
        | PodFact::Ready(pod)
        | PodFact::Deleted(pod) => about(pod, 0),
        PodFact::Waits { pod, message } => about(pod, fingerprint(message)),
        PodFact::Bound(pod) => {
            let ((high, low), ..) = about(pod, 0);
            let (node, zone) = pod.node.expect("a pod that is bound has a node");
            ((high, low), text(node.of) ^ node.serial, text(zone))
        }
        PodFact::Ended(pod) => about(pod, pod.end.map_or(0, PodEnd::word)),
        PodFact::Said { pod, words } => about(pod, words.word()),
    }
}

/// Reasons that nobody gave do not count, so that a new reason moves no old digest.
fn rejection_word(rejection: &Rejection) -> u64 {
    let given = rejection.counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let counted = given
        .fold(0_u64, |word, (reason, &count)| word.rotate_left(13) ^ u64::from(count) << 8 ^ reason as u64);
    counted ^ rejection.closest.map_or(0, |(_, refusal): (_, Refusal)| (refusal as u64 + 1) << 56)
}

fn stop_word(stop: Option<Stop>) -> u64 {
    match stop {
        None => 0,
        Some(Stop::EssentialContainerExited { container, code, out_of_memory }) => {
            1 | u64::from(container) << 8 | u64::from(code) << 16 | u64::from(out_of_memory) << 24
        }
        Some(Stop::TaskFailedToStart(failure)) => 2 | failure.word() << 8,
        Some(Stop::UserInitiated) => 3,
        Some(Stop::Scaling) => 4,
        Some(Stop::Unhealthy) => 5,
        Some(Stop::HostTerminated) => 6,
    }
}

fn message_word(message: &ServiceMessage) -> u64 {
    match message {
        ServiceMessage::SteadyState => 1,
        ServiceMessage::Started(listed) => 2 | u64::from(listed.count) << 8,
        ServiceMessage::Stopped(listed) => 3 | u64::from(listed.count) << 8,
        ServiceMessage::StoppedPending(count) => 4 | u64::from(*count) << 8,
        ServiceMessage::UnableToPlace(rejection) => 5 | rejection_word(rejection) << 8,
        ServiceMessage::StartImpaired => 6,
    }
}
