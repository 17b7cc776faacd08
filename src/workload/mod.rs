//! Floor 2: demand. When something is asked for, and how long it takes.
//!
//! Knows nothing of machines, prices or orchestrators.

pub mod arrival;
pub mod trace;

pub use arrival::Arrivals;
