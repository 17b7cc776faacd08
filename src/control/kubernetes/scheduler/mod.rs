//! kube-scheduler 1.36: one pod at a time, to the node that the original would choose.
//!
//! Start reading at [`algorithm`]: search, score, choose. [`framework`] says what a plugin is,
//! [`plugins`] holds one file per plugin of the original, [`cluster`] what they look at.

pub mod algorithm;
pub mod cluster;
pub mod event;
pub mod framework;
pub mod message;
pub mod node_tree;
pub mod plugins;
pub mod preemption;

pub use algorithm::{Choice, Found, feasible_wanted, heap_root};
pub use cluster::{Cluster, NodeInfo};
pub use framework::{Code, Cycle, Dependence, Plugin, Points, PreFilter, PreScore, Profile, Status};
pub use node_tree::NodeTree;
