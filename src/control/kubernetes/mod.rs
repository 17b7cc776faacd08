//! Kubernetes 1.36: the decisions of its control plane.
//!
//! Start reading at [`scheduler`]; the words are in [`objects`]. Section numbers (K 2.10) are those of
//! the Kubernetes specification.

pub mod api;
pub mod labels;
pub mod labels_text;
pub mod node_allocatable;
pub mod objects;
pub mod quantity;
pub mod scheduler;

#[cfg(test)]
mod test_tables;
