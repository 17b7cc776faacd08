//! What a run of a Kubernetes cluster needs beside the rest of a plan.
//!
//! Spellings are those of the plan's definitions: the symbols of specs and of definitions are one table when
//! a plan is made, and a run adds names of its own to its copy. Knows nothing of text.

use crate::base::{EntityKey, Span, Symbol};
use crate::control::kubernetes::api::Object;
use crate::control::kubernetes::api::config::Configuration;
use crate::control::kubernetes::objects::{Node, Pod, Specs};
use crate::control::kubernetes::scheduler::profile::Registry;
use crate::control::node::kubelet::KubeletSettings;
use crate::engine::Quantiles;
use crate::sim::plan::Machine;
use crate::workload::Arrivals;

/// A Kubernetes cluster on a fixed set of nodes.
#[derive(Clone, Debug)]
pub struct KubernetesPlan {
    /// Every spec that an object of the plan has.
    pub specs: Specs,
    /// How the scheduler is set up.
    pub configuration: Configuration,
    /// Who makes its plugins.
    pub plugins: Registry,
    /// What is there when the run starts, beside pods and nodes, in order.
    pub objects: Vec<Object>,
    /// The nodes, Ready when the run starts, in order.
    pub nodes: Vec<PlannedNode>,
    /// The pods that are created.
    pub pods: Vec<PodArrival>,
    /// How long its parts take.
    pub settings: KubernetesSettings,
}

/// A node and the machine that it is.
#[derive(Clone, Copy, Debug)]
pub struct PlannedNode {
    /// The object.
    pub node: Node,
    /// The machine.
    pub machine: Machine,
    /// Whether the machine stands on the bill: one of an unknown type has no price.
    pub billed: bool,
}

/// Pods of one template, and when they are created.
#[derive(Clone, Debug)]
pub struct PodArrival {
    /// What they are called: `web-0`, `web-1` ..., counted on over all arrivals of that name.
    pub name: Symbol,
    /// The number of the first; pods that another process calls the same have others.
    pub first: u64,
    /// The whole name of a pod that is not numbered.
    pub alone: bool,
    /// When.
    pub arrivals: Arrivals,
    /// How many at each arrival.
    pub count: u32,
    /// What each is, apart from name and uid.
    pub template: Pod,
    /// How long the work of each takes: its first container then ends well.
    pub takes: Option<Quantiles>,
    /// When each is deleted, counted from its creation.
    pub deleted_after: Option<Quantiles>,
}

/// How long the parts of a cluster take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KubernetesSettings {
    /// From one scheduling cycle to the next: `k8s.scheduler.max_rate.eks_standard`.
    pub cycle: Span,
    /// From the end of a cycle until the binding is written (section 9.1, assumed).
    pub bind: Span,
    /// From a write until the kubelet of the node has heard of it (section 9.1, assumed).
    pub watch: Span,
    /// Until a volume is provisioned and bound.
    pub provision: Span,
    /// So many ended pods are kept (`--terminated-pod-gc-threshold`).
    pub ended_max: u32,
    /// Node agents.
    pub kubelet: KubeletSettings,
}

impl KubernetesSettings {
    /// Nothing takes any time, but for what the kubelet waits for by itself.
    pub fn instant() -> Self {
        KubernetesSettings {
            cycle: Span::ZERO,
            bind: Span::ZERO,
            watch: Span::ZERO,
            provision: Span::ZERO,
            ended_max: 12_500,
            kubelet: KubeletSettings::default(),
        }
    }
}

impl PodArrival {
    /// The key of a pod, for draws.
    pub fn key(&self, name: &str, serial: u64) -> EntityKey {
        EntityKey::new("pod", name, serial)
    }
}
