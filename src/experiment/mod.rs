//! Floor 6: many runs of one plan. Threads live here, and nowhere below.
//!
//! Results are gathered by run index, so that no thread can change them. Knows nothing of files.

pub mod gather;
pub mod replicate;
<<<<<<< HEAD
pub mod settings;
=======
pub mod swing;
>>>>>>> 28d8945 (Add diff, settings, schema and completions; run several scenarios, standard input; heed Ctrl-C)

pub use replicate::{Replication, replicate};
