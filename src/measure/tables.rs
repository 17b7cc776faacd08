//! The rows of the per-run tables: tasks, machines, service events.
//!
//! Plain structs; names are still symbols, times still timestamps. Knows nothing of csv.

use crate::base::{Name, Row, Symbol, Timestamp};
use crate::control::ecs::events::ServiceMessage;
use crate::control::ecs::objects::{InstanceClass, LaunchType, Stop, TaskDefinition, TaskTimes};

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

/// One machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MachineRow {
    /// What it is called.
    pub name: Name,
    /// What it is.
    pub class: Row<InstanceClass>,
    /// When it was asked for.
    pub requested: Timestamp,
    /// When it ran.
    pub running: Timestamp,
    /// When it registered.
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
