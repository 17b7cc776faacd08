//! Node agents: the reconcilers that run on each machine and speak [`crate::base::runtime`].

pub mod ecs_agent;
pub mod kubelet;
#[cfg(test)]
mod script;
