//! Floor 4: the driver. The only place where control meets store and world.
//!
//! One explicit loop takes one event at a time from one totally ordered agenda and matches one closed
//! enum. Start reading at `step`. Knows nothing of scenario text, statistics or files.

pub mod event;
pub mod fact;
pub mod kubernetes;
pub mod plan;
pub mod simulation;
mod step;
mod wire;

#[cfg(test)]
pub(crate) mod tests;

pub use event::Event;
pub use fact::{Fact, FactKind, Observer};
pub use plan::Plan;
pub use simulation::{Ended, Progress, run, run_with};
