//! What became true of pods and nodes.
//!
//! As for tasks, a fact names things by scenario name and number and changes nothing.

use crate::base::label::fingerprint;
use crate::base::{EntityKey, Name, Row, Symbol, Symbols, Timestamp};
use crate::control::kubernetes::objects::{Node, PodSpec};
use crate::control::kubernetes::scheduler::command::EventReason;
use crate::control::node::kubelet::{About, EndReason, PodEvent, Rejection};
use crate::sim::fact::FactKind;
use crate::sim::plan::Machine;

/// Something that became true of a pod or a node.
#[derive(Clone, Copy, Debug)]
pub enum PodFact<'a> {
    /// A node is Ready.
    NodeReady {
        /// The node.
        node: &'a Node,
        /// The machine that it is.
        machine: &'a Machine,
    },
    /// A pod was created.
    Created(&'a PodLife),
    /// No node can do for now: the condition `PodScheduled` says why.
    Waits {
        /// The pod.
        pod: &'a PodLife,
        /// Why.
        message: &'a str,
    },
    /// A pod was bound to its node.
    Bound(&'a PodLife),
    /// Its first pull began.
    Pulling(&'a PodLife),
    /// It runs: `status.phase` is `Running`.
    Started(&'a PodLife),
    /// It is Ready for the first time.
    Ready(&'a PodLife),
    /// Its deletion was asked for.
    Deleted(&'a PodLife),
    /// It ended, or is gone: what it requested is free.
    Ended(&'a PodLife),
    /// Somebody said something about a pod.
    Said {
        /// The pod.
        pod: &'a PodLife,
        /// What was said.
        words: Words<'a>,
    },
}

/// What an event of a cluster says; texts are made when somebody reads them.
#[derive(Clone, Copy, Debug)]
pub enum Words<'a> {
    /// kube-scheduler said it.
    Scheduler {
        /// The reason.
        reason: EventReason,
        /// The note.
        note: &'a str,
    },
    /// A kubelet said it.
    Kubelet {
        /// What happened.
        what: PodEvent,
        /// To whom.
        about: About<'a>,
        /// The spellings.
        symbols: &'a Symbols,
    },
}

/// A pod, as facts and tables show it: what became of it so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PodLife {
    /// For draws.
    pub key: EntityKey,
    /// What people call it.
    pub name: Name,
    /// What it is.
    pub spec: Row<PodSpec>,
    /// The node that it is bound to, and its zone.
    pub node: Option<(Name, Symbol)>,
    /// When it took each step.
    pub times: PodTimes,
    /// How it ended.
    pub end: Option<PodEnd>,
}

/// When a pod took each step; [`Timestamp::NEVER`] where it did not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PodTimes {
    /// It was created.
    pub created: Timestamp,
    /// It was bound.
    pub bound: Timestamp,
    /// Its first pull began.
    pub pull_started: Timestamp,
    /// Its last pull ended.
    pub pull_stopped: Timestamp,
    /// It ran.
    pub started: Timestamp,
    /// It was Ready.
    pub ready: Timestamp,
    /// Its deletion was asked for.
    pub deleted: Timestamp,
    /// It ended.
    pub ended: Timestamp,
}

/// How a pod ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PodEnd {
    /// Its containers ended well.
    Succeeded,
    /// They did not.
    Failed(EndReason),
    /// Its node did not take it.
    Rejected(Rejection),
    /// It had to make room for another.
    Preempted,
    /// Somebody deleted it.
    Deleted,
}

impl PodTimes {
    /// The times of a pod that has just been created.
    pub const fn created(now: Timestamp) -> Self {
        const NEVER: Timestamp = Timestamp::NEVER;
        PodTimes {
            created: now,
            bound: NEVER,
            pull_started: NEVER,
            pull_stopped: NEVER,
            started: NEVER,
            ready: NEVER,
            deleted: NEVER,
            ended: NEVER,
        }
    }
}

impl PodFact<'_> {
    /// Which kind it is.
    pub const fn kind(&self) -> FactKind {
        match self {
            PodFact::NodeReady { .. } => FactKind::NodeReady,
            PodFact::Created(_) => FactKind::PodCreated,
            PodFact::Waits { .. } => FactKind::PodWaits,
            PodFact::Bound(_) => FactKind::PodBound,
            PodFact::Pulling(_) => FactKind::PodPulling,
            PodFact::Started(_) => FactKind::PodStarted,
            PodFact::Ready(_) => FactKind::PodReady,
            PodFact::Deleted(_) => FactKind::PodDeleted,
            PodFact::Ended(_) => FactKind::PodEnded,
            PodFact::Said { .. } => FactKind::PodSaid,
        }
    }
}

impl PodEnd {
    /// One word: the phase of a pod that ended by itself.
    pub const fn code(self) -> &'static str {
        match self {
            PodEnd::Succeeded => "Succeeded",
            PodEnd::Failed(_) | PodEnd::Rejected(_) => "Failed",
            PodEnd::Preempted => "Preempted",
            PodEnd::Deleted => "Deleted",
        }
    }

    /// Why it failed; the empty text for one that did not.
    pub fn reason(self, symbols: &Symbols) -> String {
        match self {
            PodEnd::Succeeded | PodEnd::Preempted | PodEnd::Deleted => String::new(),
            PodEnd::Rejected(rejection) => rejection.message(symbols),
            PodEnd::Failed(EndReason::OutOfMemory { .. }) => "OOMKilled".to_owned(),
            PodEnd::Failed(EndReason::Error { code, .. }) => format!("Error: exit code {code}"),
            PodEnd::Failed(EndReason::Completed) => "Completed".to_owned(),
            PodEnd::Failed(EndReason::Deleted) => "deleted".to_owned(),
        }
    }

    /// For the digest.
    pub(in crate::sim) const fn word(self) -> u64 {
        match self {
            PodEnd::Succeeded => 1,
            PodEnd::Failed(_) => 2,
            PodEnd::Preempted => 3,
            PodEnd::Deleted => 4,
            PodEnd::Rejected(_) => 5,
        }
    }
}

impl Words<'_> {
    /// The reason of the event, as the original spells it.
    pub fn reason(&self) -> String {
        match *self {
            Words::Scheduler { reason, .. } => reason.as_str().to_owned(),
            Words::Kubelet { what, symbols, .. } => what.reason(symbols),
        }
    }

    /// What it says.
    pub fn note(&self) -> String {
        match *self {
            Words::Scheduler { note, .. } => note.to_owned(),
            Words::Kubelet { what, about, symbols } => what.message(&about, symbols),
        }
    }

    /// Whether its type is `Warning`, else `Normal`.
    pub const fn is_warning(&self) -> bool {
        match self {
            Words::Scheduler { reason, .. } => matches!(reason, EventReason::FailedScheduling),
            Words::Kubelet { what, .. } => what.is_warning(),
        }
    }

    /// For the digest.
    pub(in crate::sim) fn word(&self) -> u64 {
        match *self {
            Words::Scheduler { note, .. } => fingerprint(note),
            Words::Kubelet { what, .. } => what.number(),
        }
    }
}
