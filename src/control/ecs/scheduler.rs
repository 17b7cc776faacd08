//! The ECS scheduler: answers RunTask, StartTask and StopTask, and keeps services at their count.
//!
//! One machine with one queue of API calls and one of services that want a look; one call or one
//! service is one unit of work. Knows nothing of agents, hosts, prices, or how long anything takes.

use crate::base::{Edit, Row, Timestamp};
use crate::control::Ticket;

use super::objects::{ContainerInstance, Definitions, Service, Stop, Task, TaskRequest};
use super::placement::Rejection;

/// What the scheduler is told.
#[derive(Clone, Copy, Debug)]
pub enum EcsChange<'a> {
    /// A container instance changed.
    Instance(Edit<'a, ContainerInstance>, &'a Definitions),
    /// A task changed.
    Task(Edit<'a, Task>, &'a Definitions),
    /// A service changed.
    Service(Edit<'a, Service>, &'a Definitions),
    /// Somebody called, and admission let the call through.
    Called(Call),
    /// A command was carried out, or not.
    Answered {
        /// Which command.
        ticket: Ticket,
        /// What became of it.
        answer: Answer,
    },
}

/// One API call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// RunTask, or StartTask where the request names instances.
    RunTask {
        /// What is asked for.
        request: Row<TaskRequest>,
        /// The serial of the first of its tasks; the others follow.
        first: u64,
        /// When the call was made.
        arrived: Timestamp,
    },
    /// StopTask (RT-07).
    StopTask {
        /// Which task.
        task: Row<Task>,
    },
}

/// What the scheduler asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EcsCommand {
    /// Write this new task and send it on its way.
    Create(Task),
    /// Set the desired status to STOPPED.
    Stop {
        /// Which task.
        task: Row<Task>,
        /// Why.
        why: Stop,
    },
    /// A call ends with a failure for one of its tasks; nothing was created (RT-04).
    Fail {
        /// Which request.
        request: Row<TaskRequest>,
        /// The serial that found no place.
        serial: u64,
        /// When the call was made.
        arrived: Timestamp,
        /// Why.
        rejection: Rejection,
    },
    /// Append a service event.
    Say {
        /// Of which service.
        service: Row<Service>,
        /// What it says.
        message: super::events::ServiceMessage,
    },
}

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It is in the record.
    Accepted,
    /// The thing it was about is gone or past it.
    Conflict,
}
