//! Floor 6: many runs of one plan. Threads live here, and nowhere below.
//!
//! Results are gathered by run index, so that no thread can change them. Knows nothing of files.

pub mod gather;
pub mod replicate;
pub mod settings;
pub mod swing;

pub use replicate::{Replication, replicate};
