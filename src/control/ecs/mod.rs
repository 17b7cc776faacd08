//! Amazon ECS: the control plane's decisions.
//!
//! Start reading at [`scheduler`]; the words are in [`objects`]. Section numbers and rule ids are
//! those of the ECS specification.

pub mod api;
mod desk;
pub mod events;
pub mod objects;
pub mod placement;
pub mod query;
pub mod scheduler;
pub mod service;
pub mod task_definition;
