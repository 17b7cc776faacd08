//! Every task and every machine, in columns.

use serde::Serialize;

use crate::base::Timestamp;
use crate::base::hash::Map;
use crate::measure::sheet::{NodeLine, PlatformSheet, TaskLine};

use super::{Clock, Texts};

/// Beyond so many reasons, a new one is told by its code alone: reasons can name what is unique.
const STOPS_MAX: usize = 1_000;

/// A map that shows single tasks or pods. Columns are in the order of their placement. A pod that never got
/// a place stands at the end of its wait: when it went, or after the end of the run.
#[derive(Serialize, Default)]
pub(super) struct Tasks {
    /// The most busy first.
    workloads: Texts,
    pools: Texts,
    types: Texts,
    zones: Texts,
    nodes: Vec<Node>,
    /// Pairs of CPU in 1/1,000 vCPU and memory in MiB.
    sizes: Vec<(i64, i64)>,
    /// Why tasks stopped; the first is of those that did not.
    stops: Texts,
    /// Ticks since the placement before.
    placed: Vec<i64>,
    /// The number of the machine; -1 on Fargate, -2 for a pod that never got a place.
    node: Vec<i64>,
    workload: Vec<usize>,
    name: Vec<Name>,
    size: Vec<usize>,
    /// Ticks from arrival to placement.
    waited: Vec<i64>,
    /// Ticks from placement to RUNNING; -1 for never.
    started: Vec<i64>,
    /// Ticks from placement to STOPPED; -1 for never.
    stopped: Vec<i64>,
    stop: Vec<usize>,
}

/// A machine: name, pool, type, zone, CPU in 1/1,000 vCPU, memory in MiB, registered, terminated.
type Node = (String, usize, usize, usize, i64, i64, i64, i64);

/// The name of a task: the number behind the name of its workload, or any other text.
#[derive(Serialize)]
#[serde(untagged)]
enum Name {
    Number(u32),
    Text(String),
}

impl Tasks {
    pub(super) fn of(platform: &PlatformSheet, clock: Clock, end: i64) -> Tasks {
        let mut tasks = Tasks::default();
        tasks.stops.number("");
        for name in busiest(platform) {
            tasks.workloads.number(name);
        }
        let mut known = std::collections::BTreeMap::new();
        for node in &platform.nodes {
            known.insert(node.name.as_str(), tasks.nodes.len());
            tasks.add_node(node, clock);
        }
        let mut order: Vec<&TaskLine> = platform.tasks.iter().collect();
        order.sort_by_key(|task| task.placed.min(task.stopped)); // stable: then in the order of the sheet
        let (mut before, mut sizes) = (0, std::collections::BTreeMap::new());
        for task in order {
            let left = task.placed.min(task.stopped);
            let waited_until = if left == Timestamp::NEVER { end + 1 } else { clock.at(left) };
            tasks.placed.push(waited_until - before);
            before = waited_until;
            let node = known.get(&*task.node).map(|&node| i64::try_from(node).expect("few"));
            tasks.node.push(node.unwrap_or(if task.placed == Timestamp::NEVER { -2 } else { -1 }));
            let size = (task.cpu.parts() / 128, task.memory.mib_down());
            let next = sizes.len();
            tasks.size.push(*sizes.entry(size).or_insert(next));
            if sizes.len() > tasks.sizes.len() {
                tasks.sizes.push(size);
            }
            tasks.waited.push((waited_until - clock.at(task.arrived)).max(0));
            tasks.add(task, clock);
        }
        tasks
    }

    fn add(&mut self, task: &TaskLine, clock: Clock) {
        self.workload.push(self.workloads.number(&task.workload));
        self.name.push(Name::of(task));
        let from = task.placed.min(task.stopped);
        self.started.push(clock.between(from, task.started));
        self.stopped.push(clock.between(from, task.stopped));
        let many = self.stops.list.len() >= STOPS_MAX;
        let stop = match (task.stop_code, &*task.stop_reason) {
            (code, "") => code.to_owned(),
            ("", reason) => reason.to_owned(),
            (code, reason) => format!("{code}: {reason}"),
        };
        let known = self.stops.known.contains_key(&stop);
        self.stop.push(self.stops.number(if many && !known { task.stop_code } else { &stop }));
    }

    fn add_node(&mut self, node: &NodeLine, clock: Clock) {
        let name = super::number::plain(&node.name);
        let pool = self.pools.number(&node.pool);
        let instance_type = self.types.number(&node.instance_type);
        let zone = self.zones.number(&node.zone);
        let (cpu, memory) = (node.cpu.parts() / 128, node.memory.mib_down());
        let (from, to) = (clock.at(node.registered), clock.at(node.terminated));
        self.nodes.push((name, pool, instance_type, zone, cpu, memory, from, to));
    }
}

impl Name {
    fn of(task: &TaskLine) -> Name {
        let number = task.name.strip_prefix(&*task.workload).and_then(|rest| rest.strip_prefix('-'));
        let number = number.filter(|number| *number == "0" || !number.starts_with(['0', '+']));
        match number.and_then(|number| number.parse().ok()) {
            Some(number) => Name::Number(number),
            None => Name::Text(super::number::plain(&task.name)),
        }
    }
}

/// The names of all workloads, those with the most tasks first.
pub(super) fn busiest(platform: &PlatformSheet) -> Vec<&str> {
    let (mut names, mut known) = (Vec::new(), Map::default());
    for task in &platform.tasks {
        let at = *known.get_or_insert_with(&*task.workload, || {
            names.push((&*task.workload, 0));
            names.len() - 1
        });
        names[at].1 += 1;
    }
    names.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    names.into_iter().map(|(name, _)| name).collect()
}
