//! Kubernetes 1.36: the decisions of its control plane.
//!
//! Start reading at [`scheduler`]; the words are in [`objects`]. Section numbers (K 2.10) are those of
//! the Kubernetes specification.

pub mod labels;
pub mod objects;
pub mod scheduler;
