//! Floor 6: published studies, run again on the scheduler of this crate.
//!
//! A study brings plugins of its own and a reader of its files; what it replays is decided by the real
//! scheduler. Nothing below knows of studies. Files are opened by the floor above.

pub mod openb;
