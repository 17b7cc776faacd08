//! Floor 2: the real code. Decisions, node agents included.
//!
//! What a production orchestrator would run: time, choice and the wish for reasons come in as an
//! argument, commands go out, answers come back as observations. Imports `base` and `catalog` only:
//! control has no clock, no randomness of its own, no files, and no idea of the simulation.

pub mod ecs;
pub mod kubernetes;
#[cfg(test)]
pub(crate) mod laws;
pub mod node;
pub mod reconciler;

pub use reconciler::{Reconciler, Ticket, Tickets};
