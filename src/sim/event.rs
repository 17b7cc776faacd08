//! What can be on the agenda, and who goes first in one instant.
//!
//! Closed, `Copy`, at most 16 bytes: a new event breaks every `match` that has not thought about it.
//! Knows nothing of what an event leads to.

use crate::base::{Handle, Row};
use crate::control::ecs::objects::{ContainerInstance, Service, Task};
use crate::world::HostEvent;

use super::plan::Machine;
use super::simulation::AgentSeat;

/// A scheduled occurrence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Something happens on a host.
    Host(HostEvent),
    /// A machine runs.
    MachineRunning(Row<Machine>),
    /// The agent of a machine registers it.
    MachineRegistered(Row<Machine>),
    /// The micro-VM of a Fargate task is ready.
    FargateReady(Row<Task>),
    /// The network interface of a task is attached.
    InterfaceAttached(Row<Task>),
    /// The control plane gives up on it.
    InterfaceTimeout(Row<Task>),
    /// What a task had is taken down.
    Deprovisioned(Row<Task>),
    /// A service is created, by its place in the plan.
    CreateService(u32),
    /// The next arrival of a process, by its place in the plan.
    Arrive(u32),
    /// An agent wants to work.
    WakeAgent(Handle<AgentSeat>),
    /// The scheduler wants to work.
    WakeScheduler,
    /// The run is over.
    End,
}

const _: () = assert!(size_of::<Event>() <= 16);

/// Who goes first among the events of one round: causes before those who react to them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Rank {
    /// Physics.
    World,
    /// Demand.
    Arrival,
    /// Node agents.
    Agent,
    /// The control plane.
    Scheduler,
    /// The end of the run, after all that happens at its instant.
    End,
}

impl Event {
    /// The rank of an event, and its actor within the rank.
    pub fn order(self) -> (Rank, u32) {
        match self {
            Event::Host(event) => (Rank::World, event.actor()),
            Event::MachineRunning(machine) | Event::MachineRegistered(machine) => (Rank::World, machine.number()),
            Event::FargateReady(task)
            | Event::InterfaceAttached(task)
            | Event::InterfaceTimeout(task)
            | Event::Deprovisioned(task) => (Rank::World, task.number()),
            Event::CreateService(number) | Event::Arrive(number) => (Rank::Arrival, number),
            Event::WakeAgent(seat) => (Rank::Agent, seat.row.number()),
            Event::WakeScheduler => (Rank::Scheduler, 0),
            Event::End => (Rank::End, 0),
        }
    }
}
