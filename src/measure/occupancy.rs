//! How full the machines are: capacity, what is reserved, and what is stranded.
//!
//! A second book beside the scheduler's, kept from facts alone. *Stranded* is what is free on an
//! instance or node where none of the plan's shapes fits once more. Knows nothing of how a place was
//! chosen.

use crate::base::hash::Map;
use crate::base::{Bytes, Cpu, Name, Row, Span, Timestamp};
use crate::control::ecs::objects::{ContainerInstance, LaunchType, Reservation, Task, TaskDefinition};
use crate::control::kubernetes::objects::{Amounts, Node, PodSpec, Specs};
use crate::sim::fact::Fact;
use crate::sim::kubernetes::{PodFact, PodLife};
use crate::sim::plan::Plan;

use super::series::Series;

/// A pod or a node counts at most so much CPU, in 1/128,000 vCPU: sums of it do not overflow.
const CPU_MAX: i64 = 1 << 44;
/// A pod or a node counts at most so many bytes.
const MEMORY_MAX: i64 = 1 << 48;

/// Capacity, reserved and stranded, of one resource.
#[derive(Clone, Debug)]
pub struct Levels {
    /// What there is.
    pub capacity: Series,
    /// What tasks or pods have reserved.
    pub reserved: Series,
    /// What is free where nothing fits any more.
    pub stranded: Series,
}

/// How full the machines are over time.
#[derive(Clone, Debug)]
pub struct Occupancy {
    /// CPU, in 1/128,000 vCPU.
    pub cpu: Levels,
    /// Memory, in MiB.
    pub memory: Levels,
    /// Registered container instances, or nodes that are Ready.
    pub instances: Series,
    /// Tasks or pods placed and not stopped.
    pub tasks: Series,
    /// Tasks in RUNNING, or pods that run.
    pub running: Series,
    /// Pods that have no node.
    pub pending: Series,
    book: Vec<Held>,
    /// By row of the instance, where the book has it.
    place: Vec<Option<usize>>,
    /// By name of the node, where the book has it.
    nodes: Map<Name, usize>,
    shapes: Vec<Shape>,
}

/// What one instance has left.
#[derive(Clone, Copy, Debug)]
struct Held {
    cpu: Cpu,
    memory: Bytes,
    /// Network interfaces of ECS, pods of Kubernetes.
    slots: i64,
    stranded: (i64, i64),
}

/// What one more task or pod of a kind would take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Shape {
    cpu: Cpu,
    memory: Bytes,
    slots: i64,
}

impl Shape {
    fn of(reservation: &Reservation) -> Self {
        let Reservation { cpu, memory, interfaces, .. } = *reservation;
        Shape { cpu, memory, slots: i64::from(interfaces) }
    }

    fn of_pod(pod: &PodSpec) -> Self {
        let (cpu, memory) = size_of_pod(pod);
        Shape { cpu, memory, slots: 1 }
    }

    /// What is not wanted is not looked at: of that, pinned pods may have taken more than there is.
    fn fits(&self, held: &Held) -> bool {
        self.cpu <= held.cpu.max(Cpu::ZERO)
            && self.memory <= held.memory.max(Bytes::ZERO)
            && self.slots <= held.slots.max(0)
    }
}

impl Levels {
    fn new(start: Timestamp, period: Span) -> Self {
        let series = Series::new(start, period);
        Levels { capacity: series.clone(), reserved: series.clone(), stranded: series }
    }

    fn finish(&mut self, end: Timestamp) {
        self.capacity.finish(end);
        self.reserved.finish(end);
        self.stranded.finish(end);
    }
}

impl Occupancy {
    /// Nothing is there yet; series are read every `period`.
    pub fn new(plan: &Plan, period: Span) -> Self {
        let definitions = plan.definitions();
        let tasks = definitions.tasks.iter().filter(|task| task.runs_on_ec2);
        let mut shapes: Vec<Shape> = tasks.map(|task| Shape::of(&task.reservation)).collect();
        if let Some(cluster) = &plan.kubernetes {
            shapes.extend(cluster.pods.iter().map(|pods| Shape::of_pod(&cluster.specs[pods.template.spec])));
        }
        shapes.sort_unstable();
        shapes.dedup();
        let series = Series::new(plan.start, period);
        Occupancy {
            cpu: Levels::new(plan.start, period),
            memory: Levels::new(plan.start, period),
            instances: series.clone(),
            tasks: series.clone(),
            running: series.clone(),
            pending: series,
            book: Vec::new(),
            place: Vec::new(),
            nodes: Map::default(),
            shapes,
        }
    }

    /// Takes in one fact.
    pub fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        match *fact {
            Fact::Registered { instance, row } => self.register(plan, at, instance, row),
            Fact::Placed { task, .. } => self.placed(plan, at, task),
            Fact::Started(_) => self.running.add(at, 1),
            Fact::Stopping(task) => self.released(plan, at, task),
            Fact::Stopped(task) => self.gone(plan, at, task),
            Fact::Pod(fact) => self.pod(plan, at, fact),
            Fact::Arrived(_)
            | Fact::Refused { .. }
            | Fact::Pulling(_)
            | Fact::Ready(_)
            | Fact::MachineRunning(_)
            | Fact::MachineTerminated(_)
            | Fact::Said { .. } => {}
        }
    }

    /// The run is over.
    pub fn finish(&mut self, end: Timestamp) {
        self.cpu.finish(end);
        self.memory.finish(end);
        for series in [&mut self.instances, &mut self.tasks, &mut self.running, &mut self.pending] {
            series.finish(end);
        }
    }

    fn register(
        &mut self,
        plan: &Plan,
        at: Timestamp,
        instance: &ContainerInstance,
        row: Row<ContainerInstance>,
    ) {
        let class = &plan.definitions()[instance.class];
        self.place.resize(self.place.len().max(row.index() + 1), None);
        self.place[row.index()] = Some(self.book.len());
        self.open(at, class.cpu, class.memory, i64::from(class.interfaces));
    }

    /// A new entry of the book.
    fn open(&mut self, at: Timestamp, cpu: Cpu, memory: Bytes, slots: i64) {
        self.book.push(Held { cpu, memory, slots, stranded: (0, 0) });
        self.instances.add(at, 1);
        self.cpu.capacity.add(at, cpu.parts());
        self.memory.capacity.add(at, memory.mib_down());
        self.restrand(at, self.book.len() - 1);
    }

    fn placed(&mut self, plan: &Plan, at: Timestamp, task: &Task) {
        self.tasks.add(at, 1);
        let (cpu, memory) = size(plan, task);
        self.cpu.reserved.add(at, cpu.parts());
        self.memory.reserved.add(at, memory.mib_down());
        match self.place_of(task) {
            Some(place) => {
                let held = &mut self.book[place];
                held.cpu -= cpu;
                held.memory -= memory;
                held.slots -= i64::from(plan.definitions()[task.definition].reservation.interfaces);
                self.restrand(at, place);
            }
            // A Fargate task brings exactly the capacity that it reserves.
            None => {
                self.cpu.capacity.add(at, cpu.parts());
                self.memory.capacity.add(at, memory.mib_down());
            }
        }
    }

    fn released(&mut self, plan: &Plan, at: Timestamp, task: &Task) {
        let (cpu, memory) = size(plan, task);
        self.cpu.reserved.add(at, -cpu.parts());
        self.memory.reserved.add(at, -memory.mib_down());
        if task.times.started != Timestamp::NEVER {
            self.running.add(at, -1);
        }
        if let Some(place) = self.place_of(task) {
            let held = &mut self.book[place];
            held.cpu += cpu;
            held.memory += memory;
            self.restrand(at, place);
        } else {
            self.cpu.capacity.add(at, -cpu.parts());
            self.memory.capacity.add(at, -memory.mib_down());
        }
    }

    fn gone(&mut self, plan: &Plan, at: Timestamp, task: &Task) {
        self.tasks.add(at, -1);
        if let Some(place) = self.place_of(task) {
            let interfaces = plan.definitions()[task.definition].reservation.interfaces;
            self.book[place].slots += i64::from(interfaces);
            self.restrand(at, place);
        }
    }

    fn pod(&mut self, plan: &Plan, at: Timestamp, fact: PodFact<'_>) {
        let specs = &plan.kubernetes.as_ref().expect("pods are of a cluster").specs;
        match fact {
            PodFact::NodeReady { node, machine } => self.node_ready(specs, at, machine.name, node),
            PodFact::Created(_) => self.pending.add(at, 1),
            PodFact::Bound(pod) => {
                self.pending.add(at, -1);
                self.tasks.add(at, 1);
                self.hold(specs, at, pod, 1);
            }
            PodFact::Started(_) => self.running.add(at, 1),
            PodFact::Ended(pod) if pod.times.bound == Timestamp::NEVER => self.pending.add(at, -1),
            PodFact::Ended(pod) => {
                self.tasks.add(at, -1);
                self.running.add(at, -i64::from(pod.times.started != Timestamp::NEVER));
                self.hold(specs, at, pod, -1);
            }
            PodFact::Waits { .. }
            | PodFact::Pulling(_)
            | PodFact::Ready(_)
            | PodFact::Deleted(_)
            | PodFact::Said { .. } => {}
        }
    }

    fn node_ready(&mut self, specs: &Specs, at: Timestamp, name: Name, node: &Node) {
        if !self.nodes.contains(&name) {
            self.nodes.insert(name, self.book.len());
            let (cpu, memory) = size_of_amounts(&specs[node.spec].allocatable);
            self.open(at, cpu, memory, specs[node.spec].pods_max);
        }
    }

    /// A pod takes what it requests from its node, or gives it back: `by` is 1 or -1.
    fn hold(&mut self, specs: &Specs, at: Timestamp, pod: &PodLife, by: i64) {
        let (cpu, memory) = size_of_pod(&specs[pod.spec]);
        self.cpu.reserved.add(at, by * cpu.parts());
        self.memory.reserved.add(at, by * memory.mib_down());
        let (node, _) = pod.node.expect("a pod that was bound has a node");
        let place = *self.nodes.get(&node).expect("a pod is bound to a node that was Ready");
        let held = &mut self.book[place];
        held.cpu -= Cpu::from_parts(by * cpu.parts());
        held.memory -= Bytes::new(by * memory.bytes());
        held.slots -= by;
        self.restrand(at, place);
    }

    /// Where the book has the instance of a task. Its row is nobody else's before the task has stopped.
    fn place_of(&self, task: &Task) -> Option<usize> {
        let instance = task.instance?;
        Some(self.place[instance.index()].expect("tasks are placed on what has registered"))
    }

    /// Whether what is free on an instance is stranded may have changed.
    fn restrand(&mut self, at: Timestamp, place: usize) {
        let held = &mut self.book[place];
        let stranded = if self.shapes.iter().any(|shape| shape.fits(held)) {
            (0, 0)
        } else {
            (held.cpu.parts().max(0), held.memory.mib_down().max(0))
        };
        let before = std::mem::replace(&mut held.stranded, stranded);
        if before != stranded {
            self.cpu.stranded.add(at, stranded.0 - before.0);
            self.memory.stranded.add(at, stranded.1 - before.1);
        }
    }
}

fn size(plan: &Plan, task: &Task) -> (Cpu, Bytes) {
    size_of(plan, task.definition, task.launch_type)
}

/// What a task of a definition takes: on Fargate the size that is paid for, else its reservation.
pub fn size_of(plan: &Plan, definition: Row<TaskDefinition>, launch_type: LaunchType) -> (Cpu, Bytes) {
    let definition = &plan.definitions()[definition];
    match (launch_type, definition.fargate) {
        (LaunchType::Fargate, Some(shape)) => (shape.cpu, shape.memory),
        (LaunchType::Fargate, None) | (LaunchType::Ec2, _) => {
            (definition.reservation.cpu, definition.reservation.memory)
        }
    }
}

/// What a pod requests, as its node counts it.
pub fn size_of_pod(pod: &PodSpec) -> (Cpu, Bytes) {
    size_of_amounts(&pod.requests.effective)
}

/// CPU and memory of some amounts, within bounds.
pub fn size_of_amounts(amounts: &Amounts) -> (Cpu, Bytes) {
    let cpu = amounts.cpu.saturating_mul(Cpu::millicores(1).parts());
    (Cpu::from_parts(cpu.clamp(0, CPU_MAX)), Bytes::new(amounts.memory.clamp(0, MEMORY_MAX)))
}
