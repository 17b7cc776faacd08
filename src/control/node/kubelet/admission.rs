//! What the pods of this node request, and whether one more may run (K 3.10).
//!
//! The scheduler has looked at the same things, but at its own time and over its own book: two pods of
//! two schedulers, or one that was pinned, may not fit here. Such a pod fails for good. Critical pods
//! do not make room for themselves here.

use std::collections::BTreeMap;

use crate::base::{Symbol, Symbols};
use crate::control::kubernetes::objects::{Amounts, HostPort, NodeSpec, PodSpec, TaintEffect};
use crate::mark;

/// Why a node refuses a pod that is bound to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rejection {
    /// There is too little of a resource.
    OutOf(Shortage),
    /// Its node selector or affinity does not hold of the node.
    NodeAffinity,
    /// A port of the host is in use.
    NodePorts,
    /// A taint of effect `NoExecute` is not tolerated.
    TaintToleration,
}

/// Too little of a resource: thousandths of a core, bytes or pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shortage {
    /// Of what.
    pub resource: Resource,
    /// How much the pod wants.
    pub requested: i64,
    /// How much the others want.
    pub used: i64,
    /// How much there is for pods.
    pub capacity: i64,
}

/// What can run short.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the resources of the API")]
pub enum Resource {
    Pods,
    Cpu,
    Memory,
    EphemeralStorage,
    Extended(Symbol),
}

/// The sums over the pods that have not ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Book {
    pods: i64,
    cpu: i64,
    memory: i64,
    ephemeral: i64,
    extended: BTreeMap<Symbol, i64>,
    ports: Vec<HostPort>,
}

impl Rejection {
    /// `status.reason` of the pod, and the reason of the event.
    pub fn reason(self, symbols: &Symbols) -> String {
        match self {
            Rejection::OutOf(shortage) => format!("OutOf{}", shortage.resource.name(symbols)),
            Rejection::NodeAffinity => "NodeAffinity".to_owned(),
            Rejection::NodePorts => "NodePorts".to_owned(),
            Rejection::TaintToleration => "TaintToleration".to_owned(),
        }
    }

    /// The message of the event; `status.message` has `Pod was rejected: ` before it.
    ///
    /// ```
    /// use windtunnel::base::Symbols;
    /// use windtunnel::control::node::kubelet::{Rejection, Resource, Shortage};
    /// let shortage = Shortage { resource: Resource::Cpu, requested: 500, used: 1600, capacity: 1930 };
    /// assert_eq!(
    ///     Rejection::OutOf(shortage).message(&Symbols::default()),
    ///     "Node didn't have enough resource: cpu, requested: 500, used: 1600, capacity: 1930"
    /// );
    /// ```
    pub fn message(self, symbols: &Symbols) -> String {
        let failed = |filter: &str, why: &str| format!("Predicate {filter} failed: {why}");
        match self {
            Rejection::OutOf(Shortage { resource, requested, used, capacity }) => {
                let resource = resource.name(symbols);
                format!(
                    "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
                )
            }
            Rejection::NodeAffinity => {
                failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
            }
            Rejection::NodePorts => {
                failed("NodePorts", "node(s) didn't have free ports for the requested pod ports")
            }
            Rejection::TaintToleration => {
                failed("TaintToleration", "node(s) had taints that the pod didn't tolerate")
            }
        }
    }
}

impl Resource {
    fn name(self, symbols: &Symbols) -> &str {
        match self {
            Resource::Pods => "pods",
            Resource::Cpu => "cpu",
            Resource::Memory => "memory",
            Resource::EphemeralStorage => "ephemeral-storage",
            Resource::Extended(name) => symbols.text(name),
        }
    }
}

impl Book {
    /// Why a pod may not run here beside the others; the first reason of the original.
    pub(super) fn refuses(
        &self,
        pod: &PodSpec,
        name: Symbol,
        node: &NodeSpec,
        symbols: &Symbols,
    ) -> Option<Rejection> {
        if let Some(shortage) = self.shortage(&pod.requests.asked, node) {
            mark!("K 3.10 the node counts again what its pods request");
            return Some(Rejection::OutOf(shortage));
        }
        if !pod.wants_node(name, &node.labels, symbols) {
            mark!("K 3.10 the node looks again at its labels");
            return Some(Rejection::NodeAffinity);
        }
        let every = HostPort::every_address(symbols);
        let taken = |port: &HostPort| self.ports.iter().any(|used| used.meets(port, every));
        if pod.host_ports.iter().any(taken) {
            mark!("K 3.10 a port of the host is given once");
            return Some(Rejection::NodePorts);
        }
        let evicts = node.taints.iter().filter(|taint| taint.effect == TaintEffect::NoExecute);
        let tolerates = |taint| pod.tolerations.iter().any(|toleration| toleration.tolerates(taint));
        if !evicts.into_iter().all(tolerates) {
            mark!("K 3.10 a taint that evicts keeps pods from starting");
            return Some(Rejection::TaintToleration);
        }
        None
    }

    /// Counts a pod, whatever its size.
    pub(super) fn admit(&mut self, pod: &PodSpec) {
        self.ports.extend(pod.host_ports.iter().copied());
        self.change(&pod.requests.effective, 1);
    }

    /// Takes a pod that ended out again.
    pub(super) fn release(&mut self, pod: &PodSpec) {
        for port in &pod.host_ports {
            let place = self.ports.iter().position(|used| used == port).expect("the port was counted");
            self.ports.swap_remove(place);
        }
        self.change(&pod.requests.effective, -1);
        assert!(self.pods >= 0, "a pod is released once");
    }

    fn change(&mut self, by: &Amounts, sign: i64) {
        // Sums wrap like those of the original.
        let add = |sum: &mut i64, amount: i64| *sum = sum.wrapping_add(amount.wrapping_mul(sign));
        self.pods += sign;
        add(&mut self.cpu, by.cpu);
        add(&mut self.memory, by.memory);
        add(&mut self.ephemeral, by.ephemeral);
        for &(name, amount) in &by.extended {
            add(self.extended.entry(name).or_insert(0), amount);
        }
        self.extended.retain(|_, sum| *sum != 0);
    }

    fn shortage(&self, asked: &Amounts, node: &NodeSpec) -> Option<Shortage> {
        let short = |resource, requested: i64, used: i64, capacity: i64| {
            let is_short = requested > 0 && requested > capacity.wrapping_sub(used);
            is_short.then_some(Shortage { resource, requested, used, capacity })
        };
        let room = &node.allocatable;
        let extended = asked.extended.iter().find_map(|&(name, amount)| {
            // A resource that the node does not know is the cluster's.
            let capacity = room.extended(name)?;
            let used = self.extended.get(&name).copied().unwrap_or(0);
            short(Resource::Extended(name), amount, used, capacity)
        });
        short(Resource::Pods, 1, self.pods, node.pods_max)
            .or_else(|| short(Resource::Cpu, asked.cpu, self.cpu, room.cpu))
            .or_else(|| short(Resource::Memory, asked.memory, self.memory, room.memory))
            .or_else(|| short(Resource::EphemeralStorage, asked.ephemeral, self.ephemeral, room.ephemeral))
            .or(extended)
    }
}

#[cfg(test)]
impl Book {
    /// Ports in order, to compare two books.
    pub(super) fn sort_ports(&mut self) {
        self.ports.sort_unstable();
    }
}
