//! kube-scheduler 1.36: one pod at a time, to the node that the original would choose.
//!
//! Start reading at [`algorithm`]: search, score, choose. [`framework`] says what a plugin is,
//! [`plugins`] holds one file per plugin of the original, [`cluster`] what they look at. [`queue`] says
//! whose turn it is, and [`machine`] puts the parts together: events in, commands out.

pub mod algorithm;
pub mod attempt;
pub mod cluster;
pub mod command;
mod dry_runs;
pub mod event;
pub mod explain;
pub mod framework;
pub mod machine;
pub mod message;
pub mod node_tree;
mod observe;
mod places;
pub mod plugins;
pub mod preemption;
pub mod profile;
pub mod queue;
#[cfg(test)]
#[path = "recorded_test.rs"]
mod recorded;
pub mod refused;
pub mod shape_index;
pub mod tally;
mod window;

pub use algorithm::{Choice, Found, feasible_wanted, heap_root};
pub use cluster::{Cluster, NodeInfo};
pub use framework::{Code, Counted, Cycle, Dependence, Plugin, Points, PreFilter, PreScore, Profile, Status};
pub use machine::Scheduler;
pub use node_tree::NodeTree;
