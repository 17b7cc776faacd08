//! What the scheduler asks for, and what it is told.

use std::fmt;

use crate::base::{Row, Symbol};
use crate::control::Ticket;
use crate::control::kubernetes::objects::{ClusterChange, Pod, Specs};

use super::framework::Binding;

/// What the scheduler is told.
#[derive(Clone, Copy, Debug)]
pub enum SchedulerChange<'a> {
    /// The record changed.
    Cluster(ClusterChange<'a>, &'a Specs),
    /// A command was answered.
    Answered {
        /// Which command.
        ticket: Ticket,
        /// What became of it.
        answer: Answer,
    },
}

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Answer {
    /// It is in the record; for volumes: they are bound.
    Accepted,
    /// The thing it was about is gone or past it.
    Conflict,
    /// The call failed.
    Failed,
}

/// What the scheduler asks for. A pod is named by its row and its uid, since the row may be another pod
/// when the command arrives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SchedulerCommand {
    /// Bind a pod to a node.
    Bind {
        /// Which pod.
        pod: PodName,
        /// Which node.
        node: Symbol,
    },
    /// Bind and make volumes for the claims of a pod; to be answered when all are bound.
    BindVolumes {
        /// Which pod.
        pod: PodName,
        /// On which node they must be reached.
        node: Symbol,
        /// What is to be done.
        bindings: Vec<Binding>,
    },
    /// Write `status.nominatedNodeName`.
    Nominate {
        /// Which pod.
        pod: PodName,
        /// Which node; none clears it.
        node: Option<Symbol>,
    },
    /// Set the condition `PodScheduled` to false; nothing is written when it is the same already.
    Condition {
        /// Which pod.
        pod: PodName,
        /// Why.
        reason: ConditionReason,
        /// Why, in words.
        message: String,
    },
    /// Delete a victim, with the condition `DisruptionTarget`.
    Evict {
        /// Which pod.
        pod: PodName,
        /// For which pod.
        preemptor: PodName,
        /// On which node.
        node: Symbol,
    },
    /// Append an event.
    Event {
        /// About which pod.
        pod: PodName,
        /// Which event.
        reason: EventReason,
        /// What it says.
        note: String,
    },
}

/// A pod, for as long as its row is this pod.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PodName {
    /// Its row.
    pub row: Row<Pod>,
    /// Its uid.
    pub uid: Symbol,
}

/// The reason of the condition `PodScheduled`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ConditionReason {
    /// No node can do.
    Unschedulable,
    /// Something is broken.
    SchedulerError,
}

/// The reason of an event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "reasons of the original")]
pub enum EventReason {
    Scheduled,
    FailedScheduling,
    Preempted,
}

impl fmt::Display for ConditionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConditionReason::Unschedulable => "Unschedulable",
            ConditionReason::SchedulerError => "SchedulerError",
        })
    }
}

impl EventReason {
    /// As the original spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            EventReason::Scheduled => "Scheduled",
            EventReason::FailedScheduling => "FailedScheduling",
            EventReason::Preempted => "Preempted",
        }
    }
}

impl fmt::Display for EventReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
