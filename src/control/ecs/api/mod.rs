//! The requests of the ECS API, spelled as AWS spells them, and what becomes of them.
//!
//! [`read()`] turns a JSON document into a request and says what in it has no effect; the rest of this
//! module turns requests about clusters, tasks and services into [`objects`](super::objects). Task
//! definitions are large enough for a module of their own,
//! [`task_definition`](super::task_definition). Knows nothing of files, and nothing of when a request
//! is made.

pub mod cluster;
pub mod common;
pub mod error;
mod placing;
pub mod read;
pub mod register;
pub mod request;
pub mod service;
pub mod token;
pub mod unmodelled;
pub mod volume;

pub use cluster::{Cluster, Contents, CreateCluster, DeleteCluster};
pub use common::List;
pub use error::{ApiError, ErrorKind};
pub(in crate::control::ecs) use placing::CONSTRAINTS_MAX;
pub use placing::Known;
pub use read::{Operation, Read, Request, Warning, read};
pub use register::RegisterTaskDefinition;
pub use request::{RunTask, StartTask};
pub use service::CreateService;

#[cfg(test)]
mod tests;
