//! The map of a run with too many tasks to show each: groups of machines at some instants.

use serde::Serialize;

use crate::base::hash::Map;
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

/// What a group holds at one instant.
#[derive(Clone, Copy, Default)]
struct Held {
    machines: i64,
    cpu: i64,
    memory: i64,
    reserved_cpu: [i64; KINDS],
    reserved_memory: [i64; KINDS],
}

/// What is held at an instant, by group, and by workload on Fargate.
#[derive(Clone)]
struct Frame {
    groups: Vec<Held>,
    fargate: [i64; KINDS],
}

impl Frames {
    pub(super) fn of(platform: &PlatformSheet, clock: Clock, end: i64, shown: usize) -> Frames {
        let mut order: Vec<&NodeLine> = platform.nodes.iter().collect();
        order.sort_by_key(|node| (&node.zone, &node.pool, &node.instance_type, node.registered, &node.name));
        let cells_max = (CELLS_MAX / FRAMES / shown).max(1);
        let together = order.len().div_ceil(cells_max).max(1);
        let kinds = tasks::busiest(platform);
        let mut frames = Frames {
            workloads: names(&kinds),
            at: instants(end),
            cells: order.chunks(together).map(cell).collect(),
            cpu: Vec::new(),
            memory: Vec::new(),
            fargate: Vec::new(),
        };
        let steps = frames.steps(platform, &order, together, &kinds, clock);
        frames.play(&steps);
        frames
    }

    /// How many machines the largest group has, and how many instants are shown.
    pub(super) fn grain(&self) -> (usize, usize) {
        (self.cells.iter().map(|cell| cell.4).max().unwrap_or(0), self.at.len())
    }

    /// What changed since the instant before, for each.
    fn steps(
        &self,
        platform: &PlatformSheet,
        order: &[&NodeLine],
        together: usize,
        kinds: &[&str],
        clock: Clock,
    ) -> Vec<Frame> {
        let nothing = Frame { groups: vec![Held::default(); self.cells.len()], fargate: [0; KINDS] };
        let mut steps = vec![nothing; self.at.len()];
        let mut groups = Map::default();
        for (at, node) in order.iter().enumerate() {
            groups.insert(node.name.as_str(), at / together);
            self.change(
                &mut steps,
                [node.registered, node.terminated].map(|at| clock.at(at)),
                |frame, sign| {
                    let group = &mut frame.groups[at / together];
                    group.machines += sign;
                    group.cpu += sign * node.cpu.parts();
                    group.memory += sign * node.memory.mib_down();
                },
            );
        }
        let mut kind_of = Map::default();
        for (at, &name) in kinds.iter().enumerate() {
            kind_of.insert(name, at.min(KINDS - 1));
        }
        for task in &platform.tasks {
            let kind = *kind_of.get(&*task.workload).expect("every workload is listed");
            let group = groups.get(&*task.node).copied();
            self.change(&mut steps, [task.placed, task.stopped].map(|at| clock.at(at)), |frame, sign| {
                let Some(group) = group else {
                    frame.fargate[kind] += sign;
                    return;
                };
                frame.groups[group].reserved_cpu[kind] += sign * task.cpu.parts();
                frame.groups[group].reserved_memory[kind] += sign * task.memory.mib_down();
            });
        }
        steps
    }

    /// Adds what is there from one tick to another to the first instants that see it come and go; where
    /// it comes at no tick, nothing.
    fn change(&self, steps: &mut [Frame], [from, to]: [i64; 2], add: impl Fn(&mut Frame, i64)) {
        let comes = (from >= 0).then_some((from, 1));
        let goes = (from >= 0 && to >= from).then_some((to, -1));
        for (tick, sign) in comes.into_iter().chain(goes) {
            let seen = self.at.partition_point(|&at| at < tick);
            if let Some(step) = steps.get_mut(seen) {
                add(step, sign);
            }
        }
    }

    /// Writes down what is held at each instant.
    fn play(&mut self, steps: &[Frame]) {
        let mut held = vec![Held::default(); self.cells.len()];
        let mut fargate = [0_i64; KINDS];
        for step in steps {
            for (group, step) in held.iter_mut().zip(&step.groups) {
                group.add(step);
                let share =
                    |part: i64, whole: i64| if whole > 0 { part.saturating_mul(1000) / whole } else { 0 };
                self.cpu.push(group.machines);
                self.cpu.extend(group.reserved_cpu.map(|part| share(part, group.cpu)));
                self.memory.extend(group.reserved_memory.map(|part| share(part, group.memory)));
            }
            add_each(&mut fargate, &step.fargate);
            self.fargate.extend(fargate);
        }
    }
}

impl Held {
    fn add(&mut self, step: &Held) {
        self.machines += step.machines;
        self.cpu += step.cpu;
        self.memory += step.memory;
        add_each(&mut self.reserved_cpu, &step.reserved_cpu);
        add_each(&mut self.reserved_memory, &step.reserved_memory);
    }
}

fn add_each(sums: &mut [i64; KINDS], steps: &[i64; KINDS]) {
    sums.iter_mut().zip(steps).for_each(|(sum, step)| *sum += step);
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
