//! Placement: which container instance, or which subnet, takes a task (section 4).
//!
//! A belief about instances, kept up by what the scheduler observes and decides. Knows nothing of
//! services, of why a task is wanted, and of what happens to it afterwards.

use crate::base::{EntityKey, Row, Symbol};

use super::objects::{ContainerInstance, Placing, TaskDefinition};

/// A task that wants a place.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What it is.
    pub task_definition: Row<TaskDefinition>,
    /// Where and how it may run.
    pub placing: &'a Placing,
    /// Its task group: what spread and `distinctInstance` count (PL-10).
    pub group: Symbol,
    /// Whether a service wants it: the default strategies differ (PL-13).
    pub for_service: bool,
    /// Its key, for draws and for questions.
    pub key: EntityKey,
    /// How often it was tried before.
    pub attempt: u32,
}

/// Why an instance, or all of Fargate, cannot take a task (section 4.7), in the order of the checks
/// (PL-40).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Refusal {
    /// The agent is not connected.
    Agent,
    /// A required attribute is missing.
    Attribute,
    /// Not enough CPU.
    Cpu,
    /// Not enough memory.
    Memory,
    /// A static host port is taken.
    Ports,
    /// Not enough GPUs.
    Gpu,
    /// No network interface slot is left.
    Interface,
    /// Its zone has no subnet in the request.
    Location,
    /// A constraint does not hold.
    Constraint,
    /// It is not ACTIVE.
    Inactive,
    /// There is no such instance.
    Missing,
    /// No instance is ACTIVE.
    NoActiveInstances,
    /// No container instance is registered at all.
    NoInstances,
    /// Fargate has no capacity, or the account may not use more.
    Fargate,
}

/// Why no place was found: instances per reason, and the one that came closest (PL-41).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rejection {
    /// How many instances were refused, by [`Refusal`] number.
    pub counts: [u32; Refusal::COUNT],
    /// The instance that passed the most checks, and what it failed.
    pub closest: Option<(Row<ContainerInstance>, Refusal)>,
}

impl Refusal {
    /// How many reasons there are.
    pub const COUNT: usize = Refusal::Fargate as usize + 1;
}
