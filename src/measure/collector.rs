//! The watcher of one run: collects facts and comes down to one outcome.
//!
//! Keeps bounded memory unless asked for the rows of every task. Knows nothing of how results are
//! written.

use std::collections::BTreeMap;

use crate::base::hash::Map;
use crate::base::{Name, Span, Symbol, Symbols, Timestamp};
use crate::control::ecs::objects::{ContainerInstance, Stop, Task};
use crate::sim::fact::{Fact, Observer};
use crate::sim::plan::{Machine, Plan};
use crate::sim::simulation::Ended;

use super::bill::{Bill, Meter};
use super::histogram::Spans;
use super::occupancy::Occupancy;
use super::summary::MEASURES;
use super::tables::{EventRow, MachineRow, PodEventRow, PodRow, TaskRow};
use super::waiting::Waiting;

mod pods;

/// Watches one run.
#[derive(Debug)]
pub struct Collector {
    meter: Meter,
    measured: Measured,
    keep_rows: bool,
    /// The row of each task, by workload and serial number, which counts up from 0.
    task_rows: Map<Symbol, Vec<u32>>,
    /// The row of each pod that has not ended.
    pod_rows: Map<Name, usize>,
    machine_rows: Map<Name, usize>,
    /// Events about pods that may be said again.
    said: Map<(Name, Symbol, Symbol), usize>,
}

/// What was measured of one run.
#[derive(Debug)]
pub struct Measured {
    /// The bill; empty until the run is over.
    pub bill: Bill,
    /// How full the machines were.
    pub occupancy: Occupancy,
    /// Whether this is a Kubernetes cluster.
    pub kubernetes: bool,
    /// From arrival to placement.
    pub to_place: Spans,
    /// From arrival to RUNNING.
    pub to_start: Spans,
    /// From arrival to ready.
    pub to_ready: Spans,
    /// How many.
    pub counts: TaskCounts,
    /// The same by workload.
    pub workloads: BTreeMap<Symbol, Workload>,
    /// Every task, when rows are kept.
    pub tasks: Vec<TaskRow>,
    /// Every pod, when rows are kept.
    pub pods: Vec<PodRow>,
    /// Why pods waited.
    pub waiting: Waiting,
    /// Every machine.
    pub machines: Vec<MachineRow>,
    /// The name of each container instance, by the number of its row.
    pub instances: Vec<Name>,
    /// Every service event, when rows are kept.
    pub events: Vec<EventRow>,
    /// Every event about a pod, when rows are kept.
    pub pod_events: Vec<PodEventRow>,
    /// What was said of pods.
    pub words: Symbols,
}

/// What was measured of one workload.
#[derive(Debug, Default)]
pub struct Workload {
    /// From arrival to RUNNING.
    pub to_start: Spans,
    /// How many.
    pub counts: TaskCounts,
}

/// How many tasks or pods.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TaskCounts {
    /// Placed.
    pub placed: u64,
    /// Reached RUNNING.
    pub started: u64,
    /// Stopped by themselves with an error.
    pub failed: u64,
    /// Of those, never reached RUNNING.
    pub failed_to_start: u64,
    /// Calls that ended in a failure.
    pub refused: u64,
    /// Reached STOPPED.
    pub stopped: u64,
    /// Pods that have no node.
    pub pending: u64,
    /// Pods that had to make room for others.
    pub preempted: u64,
}

/// One run, measured.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// How it ended: digests and event counts.
    pub ended: Ended,
    /// What was measured.
    pub measured: Measured,
    /// The value of each of [`MEASURES`].
    pub values: Vec<Option<f64>>,
}

impl Collector {
    /// A watcher whose series are read every `period`; `keep_rows` keeps every task and event.
    pub fn new(plan: &Plan, period: Span, keep_rows: bool) -> Self {
        Collector {
            meter: Meter::default(),
            measured: Measured {
                bill: Bill::default(),
                occupancy: Occupancy::new(plan, period),
                kubernetes: plan.kubernetes.is_some(),
                to_place: Spans::default(),
                to_start: Spans::default(),
                to_ready: Spans::default(),
                counts: TaskCounts::default(),
                workloads: BTreeMap::new(),
                tasks: Vec::new(),
                pods: Vec::new(),
                waiting: Waiting::default(),
                machines: Vec::new(),
                instances: Vec::new(),
                events: Vec::new(),
                pod_events: Vec::new(),
                words: Symbols::default(),
            },
            keep_rows,
            task_rows: Map::default(),
            pod_rows: Map::default(),
            machine_rows: Map::default(),
            said: Map::default(),
        }
    }

    /// The run is over.
    pub fn finish(self, plan: &Plan, seed: u64, ended: Ended) -> Outcome {
        let mut measured = self.measured;
        measured.bill = self.meter.finish(plan, ended.at);
        measured.occupancy.finish(ended.at);
        measured.waiting.finish(ended.at);
        let values = MEASURES.iter().map(|measure| (measure.of)(&measured)).collect();
        Outcome { seed, ended, measured, values }
    }

    fn count(&mut self, name: Name, count: impl Fn(&mut TaskCounts)) -> &mut Workload {
        count(&mut self.measured.counts);
        let workload = self.measured.workloads.entry(name.of).or_default();
        count(&mut workload.counts);
        workload
    }

    /// A task or pod runs, so long after it was wanted.
    fn started(&mut self, name: Name, after: Span) {
        self.measured.to_start.record(after);
        self.count(name, |counts| counts.started += 1).to_start.record(after);
    }

    fn task(&mut self, task: &Task) {
        let Some(rows) = self.task_rows.get(&task.name.of) else { return };
        let row = &mut self.measured.tasks[rows[place(task.name)] as usize];
        row.times = task.times;
        row.stop = task.stop;
    }

    fn add_task(&mut self, task: &Task, instance: Option<&ContainerInstance>) {
        let rows = self.task_rows.get_or_insert_with(task.name.of, Vec::new);
        rows.resize(rows.len().max(place(task.name) + 1), u32::MAX);
        rows[place(task.name)] = u32::try_from(self.measured.tasks.len()).expect("fewer than 2^32 tasks");
        self.measured.tasks.push(TaskRow {
            name: task.name,
            definition: task.definition,
            launch_type: task.launch_type,
            instance: instance.map(|instance| instance.name),
            zone: task.zone,
            times: task.times,
            stop: None,
        });
    }

    fn add_machine(&mut self, plan: &Plan, machine: &Machine, running: Timestamp) {
        let class = &plan.definitions[machine.class];
        self.machine_rows.insert(machine.name, self.measured.machines.len());
        self.measured.machines.push(MachineRow {
            name: machine.name,
            class: machine.class,
            cpu: class.cpu,
            memory: class.memory,
            requested: machine.requested,
            running,
            registered: Timestamp::NEVER,
            terminated: Timestamp::NEVER,
        });
    }

    fn machine(&mut self, name: Name, change: impl FnOnce(&mut MachineRow)) {
        if let Some(&row) = self.machine_rows.get(&name) {
            change(&mut self.measured.machines[row]);
        }
    }
}

impl Observer for Collector {
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        self.meter.fact(plan, at, fact);
        self.measured.occupancy.fact(plan, at, fact);
        match *fact {
            Fact::Arrived(_) | Fact::Refused { again: Some(_), .. } => {}
            Fact::Refused { name, .. } => {
                self.measured.counts.refused += 1;
                self.measured.workloads.entry(name.of).or_default().counts.refused += 1;
            }
            Fact::Placed { task, instance } => {
                self.measured.to_place.record(at.since(task.times.arrived));
                if self.keep_rows {
                    self.add_task(task, instance);
                }
                self.count(task.name, |counts| counts.placed += 1);
            }
            Fact::Pulling(task) | Fact::Stopping(task) => self.task(task),
            Fact::Started(task) => {
                self.started(task.name, at.since(task.times.arrived));
                self.task(task);
            }
            Fact::Ready(task) => {
                self.measured.to_ready.record(at.since(task.times.arrived));
                self.task(task);
            }
            Fact::Stopped(task) => {
                let (failed, never_started) = match task.stop {
                    Some(Stop::EssentialContainerExited { code, .. }) => (code != 0, false),
                    Some(Stop::TaskFailedToStart(_)) => (true, true),
                    Some(Stop::UserInitiated | Stop::Scaling | Stop::Unhealthy | Stop::HostTerminated)
                    | None => (false, false),
                };
                self.count(task.name, |counts| {
                    counts.stopped += 1;
                    counts.failed += u64::from(failed);
                    counts.failed_to_start += u64::from(never_started);
                });
                self.task(task);
            }
            Fact::MachineRunning(machine) => self.add_machine(plan, machine, at),
            Fact::Registered { instance, row } => {
                self.machine(instance.name, |row| row.registered = at);
                let names = &mut self.measured.instances;
                names.resize(names.len().max(row.index() + 1), instance.name);
                names[row.index()] = instance.name;
            }
            Fact::MachineTerminated(machine) => self.machine(machine.name, |row| row.terminated = at),
            Fact::Pod(fact) => self.pod(plan, at, fact),
            Fact::Said { service, message } => {
                if self.keep_rows {
                    let service = plan.definitions[service.definition].name;
                    self.measured.events.push(EventRow { at, service, message: *message });
                }
            }
        }
    }
}

/// Where the row of a task is noted.
fn place(name: Name) -> usize {
    usize::try_from(name.serial).expect("fewer tasks than memory has places")
}

#[cfg(test)]
mod tests;
