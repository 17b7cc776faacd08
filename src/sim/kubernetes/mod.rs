//! A Kubernetes cluster as a part of a run: what the plan says of it, its facts, and its state.
//!
//! What a command does to record and hosts is in `wire`. Knows nothing of manifests.

pub mod fact;
pub mod plan;
pub(super) mod state;

pub use fact::{PodEnd, PodFact, PodLife, PodTimes, Words};
pub use plan::{KubernetesPlan, KubernetesSettings, PlannedNode, PodArrival};
pub use state::{ApiCall, ThePod};
