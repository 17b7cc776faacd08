//! How full the machines are: capacity, what is reserved, and what is stranded.
//!
//! A second book beside the scheduler's, kept from facts alone. *Stranded* is what is free on an
//! instance where none of the plan's shapes fits once more. Knows nothing of how a place was chosen.

use crate::base::{Bytes, Cpu, Row, Span, Timestamp};
use crate::control::ecs::objects::{ContainerInstance, LaunchType, Reservation, Task, TaskDefinition};
use crate::sim::fact::Fact;
use crate::sim::plan::Plan;

use super::series::Series;

/// Capacity, reserved and stranded, of one resource.
#[derive(Clone, Debug)]
pub struct Levels {
    /// What there is.
    pub capacity: Series,
    /// What tasks have reserved.
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
    /// Registered container instances.
    pub instances: Series,
    /// Tasks placed and not stopped.
    pub tasks: Series,
    /// Tasks in RUNNING.
    pub running: Series,
    book: Vec<Held>,
    /// By row of the instance, where the book has it.
    place: Vec<Option<usize>>,
    shapes: Vec<Shape>,
}

/// What one instance has left.
#[derive(Clone, Copy, Debug)]
struct Held {
    cpu: Cpu,
    memory: Bytes,
    interfaces: i64,
    stranded: (i64, i64),
}

/// What one more task of a kind would take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Shape {
    cpu: Cpu,
    memory: Bytes,
    interfaces: i64,
}

impl Shape {
    fn of(reservation: &Reservation) -> Self {
        let Reservation { cpu, memory, interfaces, .. } = *reservation;
        Shape { cpu, memory, interfaces: i64::from(interfaces) }
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
        let mut shapes: Vec<Shape> = definitions
            .tasks
            .iter()
            .filter(|task| task.runs_on_ec2)
            .map(|task| Shape::of(&task.reservation))
            .collect();
        shapes.sort_unstable();
        shapes.dedup();
        let series = Series::new(plan.start, period);
        Occupancy {
            cpu: Levels::new(plan.start, period),
            memory: Levels::new(plan.start, period),
            instances: series.clone(),
            tasks: series.clone(),
            running: series,
            book: Vec::new(),
            place: Vec::new(),
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
            Fact::Arrived(_)
            | Fact::Refused { .. }
            | Fact::Pulling(_)
            | Fact::Ready(_)
            | Fact::MachineRunning(_)
            | Fact::MachineTerminated(_)
            | Fact::Said { .. }
            | Fact::Pod(_) => {}
        }
    }

    /// The run is over.
    pub fn finish(&mut self, end: Timestamp) {
        self.cpu.finish(end);
        self.memory.finish(end);
        for series in [&mut self.instances, &mut self.tasks, &mut self.running] {
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
        self.book.push(Held {
            cpu: class.cpu,
            memory: class.memory,
            interfaces: i64::from(class.interfaces),
            stranded: (0, 0),
        });
        self.instances.add(at, 1);
        self.cpu.capacity.add(at, class.cpu.parts());
        self.memory.capacity.add(at, class.memory.mib_down());
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
                held.interfaces -= i64::from(plan.definitions()[task.definition].reservation.interfaces);
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
            self.book[place].interfaces += i64::from(interfaces);
            self.restrand(at, place);
        }
    }

    /// Where the book has the instance of a task. Its row is nobody else's before the task has stopped.
    fn place_of(&self, task: &Task) -> Option<usize> {
        let instance = task.instance?;
        Some(self.place[instance.index()].expect("tasks are placed on what has registered"))
    }

    /// Whether what is free on an instance is stranded may have changed.
    fn restrand(&mut self, at: Timestamp, place: usize) {
        let held = &mut self.book[place];
        let fits = |shape: &Shape| {
            shape.cpu <= held.cpu && shape.memory <= held.memory && shape.interfaces <= held.interfaces
        };
        let stranded = if self.shapes.iter().any(fits) {
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
