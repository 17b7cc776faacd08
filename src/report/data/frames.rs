//! The map of a run with too many tasks to show each: groups of machines at some instants.

use serde::Serialize;

use crate::base::{Bytes, Cpu};
use crate::measure::sheet::{NodeLine, PlatformSheet};

use super::{Clock, tasks};

/// How many instants are shown.
const FRAMES: usize = 144;
/// All maps of a page together have this many groups of machines at instants at most.
const CELLS_MAX: usize = 24_000;
/// The workloads with the most tasks are told apart, the others are one.
const KINDS: usize = 8;
const OTHERS: &str = "all others";

/// A map that shows groups of machines.
#[derive(Serialize)]
pub(super) struct Frames {
    workloads: Vec<String>,
    /// Ticks of the instants.
    at: Vec<i64>,
    /// Groups: name of the first machine, pool, type and zone of the first, how many machines.
    cells: Vec<(String, String, String, String, usize)>,
    /// For each instant and group: how many machines are registered, then the CPU reserved by each
    /// workload in 1/1,000 of their CPU.
    cpu: Vec<i64>,
    /// The same of memory, without the machines.
    memory: Vec<i64>,
    /// For each instant and workload: tasks on Fargate.
    fargate: Vec<i64>,
}

/// What changes at a tick.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    at: i64,
    /// Which group; none is Fargate.
    cell: Option<usize>,
    /// Which workload; none is a machine.
    kind: Option<usize>,
    count: i64,
    cpu: i64,
    memory: i64,
}

/// What a group holds at one instant.
#[derive(Clone, Copy, Default)]
struct Held {
    machines: i64,
    cpu: i64,
    memory: i64,
    reserved_cpu: [i64; KINDS],
    reserved_memory: [i64; KINDS],
}

impl Frames {
    pub(super) fn of(platform: &PlatformSheet, clock: Clock, end: i64, shown: usize) -> Frames {
        let mut order: Vec<&NodeLine> = platform.nodes.iter().collect();
        order.sort_by_key(|node| (&node.zone, &node.pool, &node.instance_type, node.registered, &node.name));
        let cells_max = (CELLS_MAX / FRAMES / shown).max(1);
        let together = order.len().div_ceil(cells_max).max(1);
        let kinds = tasks::busiest(platform);
        let changes = changes(platform, &order, together, &kinds, clock);
        let mut frames = Frames {
            workloads: names(&kinds),
            at: instants(end),
            cells: order.chunks(together).map(cell).collect(),
            cpu: Vec::new(),
            memory: Vec::new(),
            fargate: Vec::new(),
        };
        frames.play(&changes);
        frames
    }

    /// How many machines the largest group has, and how many instants are shown.
    pub(super) fn grain(&self) -> (usize, usize) {
        (self.cells.iter().map(|cell| cell.4).max().unwrap_or(0), self.at.len())
    }

    /// Writes down what is held at each instant.
    fn play(&mut self, changes: &[Change]) {
        let mut held = vec![Held::default(); self.cells.len()];
        let mut fargate = [0_i64; KINDS];
        let mut next = 0;
        for &at in &self.at {
            while let Some(change) = changes.get(next).filter(|change| change.at <= at) {
                apply(change, &mut held, &mut fargate);
                next += 1;
            }
            for group in &held {
                let share =
                    |part: i64, whole: i64| if whole > 0 { part.saturating_mul(1000) / whole } else { 0 };
                self.cpu.push(group.machines);
                self.cpu.extend(group.reserved_cpu.map(|part| share(part, group.cpu)));
                self.memory.extend(group.reserved_memory.map(|part| share(part, group.memory)));
            }
            self.fargate.extend(fargate);
        }
    }
}

fn apply(change: &Change, held: &mut [Held], fargate: &mut [i64; KINDS]) {
    match (change.cell.map(|cell| &mut held[cell]), change.kind) {
        (Some(held), Some(kind)) => {
            held.reserved_cpu[kind] += change.cpu;
            held.reserved_memory[kind] += change.memory;
        }
        (Some(held), None) => {
            held.machines += change.count;
            held.cpu += change.cpu;
            held.memory += change.memory;
        }
        (None, Some(kind)) => fargate[kind] += change.count,
        (None, None) => {}
    }
}

/// Every change, in the order of time.
fn changes(
    platform: &PlatformSheet,
    order: &[&NodeLine],
    together: usize,
    kinds: &[&str],
    clock: Clock,
) -> Vec<Change> {
    let mut all = Vec::new();
    let mut add = |from: i64, to: i64, change: Change| {
        if from >= 0 {
            all.push(Change { at: from, ..change });
        }
        if from >= 0 && to >= from {
            let Change { count, cpu, memory, .. } = change;
            all.push(Change { at: to, count: -count, cpu: -cpu, memory: -memory, ..change });
        }
    };
    let mut cells = std::collections::BTreeMap::new();
    for (at, node) in order.iter().enumerate() {
        let cell = Some(at / together);
        cells.insert(node.name.as_str(), at / together);
        let change = Change { at: 0, cell, kind: None, count: 1, ..size(node.cpu, node.memory) };
        add(clock.at(node.registered), clock.at(node.terminated), change);
    }
    let kind_of: std::collections::BTreeMap<&str, usize> =
        kinds.iter().enumerate().map(|(at, &name)| (name, at.min(KINDS - 1))).collect();
    for task in &platform.tasks {
        let kind = kind_of.get(task.workload.as_str()).copied();
        let cell = cells.get(task.node.as_str()).copied();
        let change = Change { at: 0, cell, kind, count: 1, ..size(task.cpu, task.memory) };
        add(clock.at(task.placed), clock.at(task.stopped), change);
    }
    all.sort_unstable();
    all
}

fn size(cpu: Cpu, memory: Bytes) -> Change {
    Change { at: 0, cell: None, kind: None, count: 0, cpu: cpu.parts(), memory: memory.mib_down() }
}

fn cell(nodes: &[&NodeLine]) -> (String, String, String, String, usize) {
    let plain = |text: &str| super::number::plain(text);
    let first = nodes[0];
    (plain(&first.name), plain(&first.pool), plain(&first.instance_type), plain(&first.zone), nodes.len())
}

fn names(kinds: &[&str]) -> Vec<String> {
    let all = kinds.iter().map(|name| super::number::plain(name));
    if kinds.len() <= KINDS {
        return all.collect();
    }
    all.take(KINDS - 1).chain([OTHERS.to_owned()]).collect()
}

/// Evenly spread from the start to the end.
fn instants(end: i64) -> Vec<i64> {
    let steps = FRAMES as i128 - 1;
    let at = |nth: usize| i64::try_from(i128::from(end) * nth as i128 / steps).expect("not after the end");
    (0..FRAMES).map(at).collect()
}
