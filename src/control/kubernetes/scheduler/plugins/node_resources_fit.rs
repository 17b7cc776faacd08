//! NodeResourcesFit: what a pod requests must be free; and how much would be left (K 2.10).

use crate::base::{Symbol, Symbols};
use crate::control::kubernetes::objects::{Amounts, Node, NodeSpec, Pod, PodSpec};
use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{
    Code, Cycle, Dependence, Plugin, Points, PreFilter, PreScore, Reason, Status,
};
use crate::mark;

use super::{had_node, is_own, node_change, pod_change};

/// The plugin.
#[derive(Debug)]
pub struct NodeResourcesFit {
    /// How it scores.
    pub strategy: Strategy,
    /// What it scores, with weights.
    pub resources: Vec<(Resource, i64)>,
    /// Extended resources that it does not look at.
    pub ignored: Vec<Symbol>,
    /// Prefixes, up to the slash, of extended resources that it does not look at.
    pub ignored_groups: Vec<Box<str>>,
}

/// `scoringStrategy`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// The emptier, the better.
    LeastAllocated,
    /// The fuller, the better.
    MostAllocated,
    /// By points of a broken line: percent used, and score of 0 to 100.
    RequestedToCapacityRatio(Vec<(i64, i64)>),
}

/// A resource that is scored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the resources of the API")]
pub enum Resource {
    Cpu,
    Memory,
    EphemeralStorage,
    Extended(Symbol),
}

impl Default for NodeResourcesFit {
    fn default() -> Self {
        NodeResourcesFit {
            strategy: Strategy::LeastAllocated,
            resources: vec![(Resource::Cpu, 1), (Resource::Memory, 1)],
            ignored: Vec::new(),
            ignored_groups: Vec::new(),
        }
    }
}

impl Resource {
    /// How much of it these amounts hold.
    pub fn of(self, amounts: &Amounts) -> i64 {
        match self {
            Resource::Cpu => amounts.cpu,
            Resource::Memory => amounts.memory,
            Resource::EphemeralStorage => amounts.ephemeral,
            Resource::Extended(name) => amounts.extended(name).unwrap_or(0),
        }
    }

    const fn is_extended(self) -> bool {
        matches!(self, Resource::Extended(_))
    }
}

impl Plugin for NodeResourcesFit {
    fn name(&self) -> &'static str {
        "NodeResourcesFit"
    }

    fn points(&self) -> Points {
        Points { pre_filter: true, filter: true, pre_score: true, score: true, ..Points::default() }
    }

    fn filter_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn score_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn pre_filter(&mut self, _: &Cycle<'_>) -> PreFilter {
        PreFilter::AllNodes
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        let spec = cycle.cluster.spec(cycle.specs, node);
        let asked = &cycle.spec.requests.asked;
        match self.shortage(&cycle.specs.symbols, asked, spec, node.pods.len(), &node.requested) {
            None => Ok(()),
            Some(status) => Err(status),
        }
    }

    fn pre_score(&mut self, _: &Cycle<'_>, _: &[&NodeInfo]) -> PreScore {
        PreScore::Score
    }

    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        let allocatable = &cycle.cluster.spec(cycle.specs, node).allocatable;
        let (mut sum, mut weights) = (0_i64, 0_i64);
        for &(resource, weight) in &self.resources {
            let wanted = resource.of(&cycle.spec.requests.scored);
            let capacity = resource.of(allocatable);
            if capacity == 0 || (wanted == 0 && resource.is_extended()) {
                continue;
            }
            mark!("K 2.10 scores use substitute requests");
            let used = match resource {
                Resource::Cpu => node.non_zero_cpu,
                Resource::Memory => node.non_zero_memory,
                Resource::EphemeralStorage | Resource::Extended(_) => resource.of(&node.requested),
            };
            let score = self.strategy.score(used.wrapping_add(wanted), capacity);
            if score > 0 || !matches!(self.strategy, Strategy::RequestedToCapacityRatio(_)) {
                sum = sum.wrapping_add(score.wrapping_mul(weight));
                weights += weight;
            }
        }
        if weights == 0 {
            return Ok(0);
        }
        Ok(match self.strategy {
            Strategy::LeastAllocated | Strategy::MostAllocated => sum / weights,
            Strategy::RequestedToCapacityRatio(_) => ratio_upstream_f64(sum, weights),
        })
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::AssignedPodDelete,
            EventKind::AssignedPodScaleDown,
            EventKind::PodScaleDown,
            EventKind::NodeAdd,
            EventKind::NodeUpdateAllocatable,
        ]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        if let Some(edit) = node_change(event) {
            return edit.new.is_some_and(|new| node_may_help(listening, edit.old, new));
        }
        let Some(edit) = pod_change(event) else { return false };
        match (edit.old, edit.new) {
            (_, None) => {
                mark!("K 2.3 a deletion on a node frees resources");
                had_node(event)
            }
            (Some(old), Some(new)) => is_own(listening, event) || scale_down_helps(listening, old, new),
            (None, Some(_)) => false,
        }
    }
}

impl NodeResourcesFit {
    fn ignores(&self, symbols: &Symbols, name: Symbol) -> bool {
        let text = symbols.text(name);
        let group = text.split('/').next().unwrap_or(text);
        is_extended_name(text)
            && (self.ignored.contains(&name) || self.ignored_groups.iter().any(|each| **each == *group))
    }

    /// What is short on a node, if anything is: every resource that is.
    fn shortage(
        &self,
        symbols: &Symbols,
        asked: &Amounts,
        node: &NodeSpec,
        pods: usize,
        used: &Amounts,
    ) -> Option<Status> {
        let mut reasons: Vec<Reason> = Vec::new();
        let mut code = Code::Unschedulable;
        if i64::try_from(pods).is_ok_and(|pods| pods + 1 > node.pods_max) {
            mark!("K 2.10 too many pods");
            reasons.push("Too many pods".into());
        }
        let mut compare = |asked: i64, capacity: i64, used: i64, reason: &dyn Fn() -> Reason| {
            if asked > capacity.wrapping_sub(used) {
                reasons.push(reason());
                if asked > capacity {
                    mark!("K 2.10 more than the node has can never fit");
                    code = Code::UnschedulableAndUnresolvable;
                }
            }
        };
        let capacity = &node.allocatable;
        if asked.cpu > 0 {
            compare(asked.cpu, capacity.cpu, used.cpu, &|| "Insufficient cpu".into());
        }
        if asked.memory > 0 {
            compare(asked.memory, capacity.memory, used.memory, &|| "Insufficient memory".into());
        }
        if asked.ephemeral > 0 {
            let reason = || "Insufficient ephemeral-storage".into();
            compare(asked.ephemeral, capacity.ephemeral, used.ephemeral, &reason);
        }
        for &(name, amount) in &asked.extended {
            if amount == 0 || self.ignores(symbols, name) {
                continue;
            }
            mark!("K 2.10 extended resources");
            let [capacity, used] = [capacity, used].map(|amounts| amounts.extended(name).unwrap_or(0));
            compare(amount, capacity, used, &|| format!("Insufficient {}", symbols.text(name)).into());
        }
        (!reasons.is_empty()).then_some(Status { code, reasons, plugin: "" })
    }
}

impl Strategy {
    fn score(&self, requested: i64, capacity: i64) -> i64 {
        match self {
            Strategy::LeastAllocated => {
                mark!("K 2.10 LeastAllocated");
                if requested > capacity { 0 } else { percent(capacity.wrapping_sub(requested), capacity) }
            }
            Strategy::MostAllocated => {
                mark!("K 2.10 MostAllocated");
                percent(requested.min(capacity), capacity)
            }
            Strategy::RequestedToCapacityRatio(line) => {
                mark!("K 2.10 RequestedToCapacityRatio");
                let used = if requested > capacity { 100 } else { percent(requested, capacity) };
                on_line(line, used)
            }
        }
    }
}

fn percent(part: i64, whole: i64) -> i64 {
    part.wrapping_mul(100).wrapping_div(whole)
}

/// The height of a broken line; flat before its first point and after its last.
fn on_line(line: &[(i64, i64)], at: i64) -> i64 {
    let next = line.iter().position(|&(x, _)| at <= x);
    match next {
        None => line.last().map_or(0, |&(_, y)| y),
        Some(0) => line[0].1,
        Some(place) => {
            let ((x0, y0), (x1, y1)) = (line[place - 1], line[place]);
            y0 + (y1 - y0) * (at - x0) / (x1 - x0)
        }
    }
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn ratio_upstream_f64(sum: i64, weights: i64) -> i64 {
    libm::round(sum as f64 / weights as f64) as i64
}

/// Whether a resource name has a domain of its own: not a native one and no quota prefix.
fn is_extended_name(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.")
}

/// Whether the pod would fit a node that was empty, and whether a change of it can matter (K 2.3).
fn node_may_help(listening: &Listening<'_>, old: Option<&Node>, new: &Node) -> bool {
    let (specs, asked) = (listening.specs, &listening.spec.requests.asked);
    let after = &specs[new.spec];
    let anything = NodeResourcesFit::default();
    if anything.shortage(&specs.symbols, asked, after, 0, &Amounts::default()).is_some() {
        mark!("K 2.3 a node that could not hold the pod even when empty");
        return false;
    }
    let Some(before) = old.map(|old| &specs[old.spec]) else { return true };
    let (was, is) = (&before.allocatable, &after.allocatable);
    mark!("K 2.3 a requested resource that grew");
    after.pods_max > before.pods_max
        || (asked.cpu > 0 && is.cpu > was.cpu)
        || (asked.memory > 0 && is.memory > was.memory)
        || (asked.ephemeral > 0 && is.ephemeral > was.ephemeral)
        || asked.extended.iter().any(|&(name, amount)| {
            amount != 0 && is.extended(name).unwrap_or(0) > was.extended(name).unwrap_or(0)
        })
}

/// Whether another pod on a node came to request less of something that this pod requests.
fn scale_down_helps(listening: &Listening<'_>, old: &Pod, new: &Pod) -> bool {
    if new.node.is_none() {
        return false;
    }
    mark!("K 2.3 a pod that is scaled down in a requested resource");
    let effective = |spec: &PodSpec| spec.requests.effective.clone();
    let (was, is) = (effective(&listening.specs[old.spec]), effective(&listening.specs[new.spec]));
    let wanted = &listening.spec.requests.effective;
    (wanted.cpu != 0 && was.cpu > is.cpu)
        || (wanted.memory != 0 && was.memory > is.memory)
        || (wanted.ephemeral != 0 && was.ephemeral > is.ephemeral)
        || wanted.extended.iter().any(|&(name, amount)| {
            amount != 0 && was.extended(name).unwrap_or(0) > is.extended(name).unwrap_or(0)
        })
}
