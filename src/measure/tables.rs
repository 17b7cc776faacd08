//! The rows of the per-run tables: tasks, pods, machines, events.
//!
//! Plain structs; names are still symbols, times still timestamps. Knows nothing of csv.

use crate::base::{Bytes, Cpu, Name, Row, Symbol, Timestamp};
use crate::control::ecs::events::ServiceMessage;
use crate::control::ecs::objects::{InstanceClass, LaunchType, Stop, TaskDefinition, TaskTimes};
use crate::sim::kubernetes::PodLife;

/// One task, from request to stopped or to the end of the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskRow {
    /// What it is called.
    pub name: Name,
    /// What it is.
    pub definition: Row<TaskDefinition>,
    /// EC2 or Fargate.
    pub launch_type: LaunchType,
    /// The machine it ran on.
    pub instance: Option<Name>,
    /// The zone it ran in.
    pub zone: Symbol,
    /// When it took each step.
    pub times: TaskTimes,
    /// Why it stopped.
    pub stop: Option<Stop>,
}

/// One pod, from its creation to its end or to the end of the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PodRow {
    /// What became of it.
    pub life: PodLife,
    /// Why it waits or waited for a node, as it was said last, among the words of the run; none for one that
    /// never had to.
    pub why: Option<Symbol>,
}

/// One machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MachineRow {
    /// What it is called.
    pub name: Name,
    /// What it is.
    pub class: Row<InstanceClass>,
    /// The CPU that tasks or pods may reserve.
    pub cpu: Cpu,
    /// The memory that they may.
    pub memory: Bytes,
    /// When it was asked for.
    pub requested: Timestamp,
    /// When it ran; [`Timestamp::NEVER`] for one that stands on no bill.
    pub running: Timestamp,
    /// When it registered, or was Ready.
    pub registered: Timestamp,
    /// When its termination was accepted.
    pub terminated: Timestamp,
}

/// One event as a user of ECS would see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventRow {
    /// When.
    pub at: Timestamp,
    /// The service.
    pub service: Symbol,
    /// What it said.
    pub message: ServiceMessage,
}

/// One event about a pod, as a user of Kubernetes would see it: what is said again is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PodEventRow {
    /// Which pod.
    pub pod: Name,
    /// The reason, among the words of the run: `FailedScheduling`.
    pub reason: Symbol,
    /// Whether its type is `Warning`, else `Normal`.
    pub warning: bool,
    /// What it says, among the words of the run.
    pub note: Symbol,
    /// When it was said first.
    pub first: Timestamp,
    /// When it was said last.
    pub last: Timestamp,
    /// How often it was said.
    pub count: u32,
}
