//! Floor 3: the record. What a control plane has written down, the log of its changes, and cursors.
//!
//! Truth is the world's; this is what the orchestrator knows. Written by one driver only; read as of
//! a cursor by processes that may lag. Decides nothing.

pub mod ecs;
pub mod kubernetes;
pub mod log;

pub use ecs::EcsRecord;
pub use kubernetes::ClusterRecord;
pub use log::{Cursor, Log};
