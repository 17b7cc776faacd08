//! Floor 5: facts to numbers, and the plain structs that reports print.
//!
//! Watches a run and never sees the world or the record: what is measured here is measured from
//! facts alone, which makes it a second book beside theirs. Knows nothing of files or formats.

pub mod bill;
pub mod collector;
pub mod compare;
pub mod estimate;
pub mod histogram;
pub mod occupancy;
pub mod series;
pub mod sheet;
pub mod spelling;
pub mod spent;
pub mod summary;
pub mod tables;
pub mod waiting;

pub use bill::{Bill, BillLine};
pub use collector::{Collector, Outcome};
pub use estimate::Estimate;
pub use spelling::Spelling;
pub use summary::{MEASURES, Measure};
