//! Service events: what a user of ECS reads in `describe-services` (sections 4.7 and 5.12).
//!
//! A message is a few numbers until somebody prints it.

use crate::base::Row;

use super::objects::Task;
use super::placement::Rejection;

/// How many task ids one event lists.
pub const LISTED_MAX: usize = 10;

/// What a service event says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServiceMessage {
    /// `has reached a steady state.`
    SteadyState,
    /// `has started N tasks: (task ID) ...`
    Started(Listed),
    /// `has stopped N running tasks: (task ID) ...`
    Stopped(Listed),
    /// `stopped N pending tasks.`
    StoppedPending(u32),
    /// `was unable to place a task ...`
    UnableToPlace(Rejection),
    /// `is unable to consistently start tasks successfully.`
    StartImpaired,
}

/// The tasks that one event lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listed {
    /// How many are listed.
    pub count: u8,
    /// The first `count` of these.
    pub tasks: [Option<Row<Task>>; LISTED_MAX],
    /// How many of them replace unhealthy ones (SVC-24).
    pub replaced_unhealthy: u8,
}
