//! What it costs: usage counted in integers, rated once per line.
//!
//! Machines are billed per started second from running to the accepted termination, at least a
//! minute (PR-10); a Fargate task from the start of its first pull to `executionStoppedAt`,
//! per started second, at least a minute (PR-01). A line sums what one name used of one thing at one
//! rate, so that rounding happens once. Knows nothing of discounts, and prints what it does not
//! bill: a missing line is no saving. An EKS cluster costs what it lasts, from the start of the run to its
//! end.

use std::collections::BTreeMap;

use crate::base::{Bytes, Cpu, Money, Row, Span, Symbol, Timestamp, Usage};
use crate::catalog::fargate::Platform;
use crate::catalog::{Item, Rate, price};
use crate::control::ecs::objects::{
    FargateShape, InstanceClass, LaunchType, ManagedVolume, Task, VolumeKind,
};
use crate::mark;
use crate::sim::fact::Fact;
use crate::sim::plan::{Machine, Plan};

/// EC2 and Fargate bill at least this much of a machine or task.
const BILLED_MIN: Span = Span::minutes(1);
/// Windows tasks on Fargate are billed at least this much.
const BILLED_MIN_WINDOWS: Span = Span::minutes(5);
/// Operations per second that the price of gp3 includes.
const GP3_OPERATIONS: u32 = 3000;
/// MiB per second that the price of gp3 includes.
const GP3_THROUGHPUT: u32 = 125;
/// This much ephemeral storage is included in the price of a Fargate task.
pub(super) const STORAGE_INCLUDED: Bytes = Bytes::gib(20);

/// What neither bill holds; printed under every table of costs.
pub const NOT_BILLED: &[&str] = &[
    "load balancers",
    "NAT gateways and data transfer",
    "log ingestion and storage",
    "metrics and alarms",
    "image registry storage",
    "support plans, taxes, and every discount (savings plans, reservations, free tiers)",
];

/// What is paid for: the same components on every platform.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Component {
    /// Instance hours, or the vCPUs of Fargate tasks.
    Compute,
    /// The memory of Fargate tasks; part of the instance on EC2.
    Memory,
    /// Root volumes, ephemeral storage above what is included, and EBS volumes of tasks.
    Storage,
    /// Public IPv4 addresses.
    Address,
    /// The control plane of EKS; that of ECS has no price.
    ControlPlane,
}

impl Component {
    /// Every component, in the order of a bill.
    pub const ALL: [Component; 5] = [
        Component::Compute,
        Component::Memory,
        Component::Storage,
        Component::Address,
        Component::ControlPlane,
    ];

    /// The word in files.
    pub const fn label(self) -> &'static str {
        match self {
            Component::Compute => "compute",
            Component::Memory => "memory",
            Component::Storage => "storage",
            Component::Address => "public IPv4",
            Component::ControlPlane => "control plane",
        }
    }
}

/// One line of a bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BillLine {
    /// Which component.
    pub component: Component,
    /// The pool or the workload that used it; none for what the whole cluster uses.
    pub of: Option<Symbol>,
    /// What exactly: the instance type, the Fargate architecture.
    pub what: String,
    /// How much.
    pub usage: Usage,
    /// At which rate, from which source.
    pub rate: Rate,
    /// Usage times rate, rounded once.
    pub amount: Money,
}

/// A bill: its lines, in a fixed order, and their sum.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bill {
    /// The lines.
    pub lines: Vec<BillLine>,
}

impl Bill {
    /// The sum of the lines.
    pub fn total(&self) -> Money {
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// The sum of the lines of one component.
    pub fn of(&self, component: Component) -> Money {
        self.lines.iter().filter(|line| line.component == component).map(|line| line.amount).sum()
    }
}

impl ShapeKey {
    fn shape(self) -> FargateShape {
        FargateShape {
            cpu: Cpu::from_parts(self.cpu),
            memory: Bytes::new(self.memory),
            ephemeral: Bytes::new(self.ephemeral),
            arm64: self.arm64,
            windows: self.windows,
        }
    }
}

/// Counts usage while a run goes on.
#[derive(Debug, Default)]
pub struct Meter {
    machines_on: BTreeMap<(Symbol, u64), (Row<InstanceClass>, Timestamp)>,
    /// Billed nanoseconds by pool and class.
    machine_time: BTreeMap<(Symbol, Row<InstanceClass>), u128>,
    tasks_on: BTreeMap<(Symbol, u64), (FargateShape, bool, Timestamp)>,
    /// Billed nanoseconds by workload, shape and public address.
    task_time: BTreeMap<(Symbol, ShapeKey), u128>,
    volumes_on: BTreeMap<(Symbol, u64), (Row<ManagedVolume>, Timestamp)>,
    /// Billed nanoseconds by workload and volume.
    volume_time: BTreeMap<(Symbol, Row<ManagedVolume>), u128>,
}

/// A Fargate shape, ordered, with whether its tasks have a public address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct ShapeKey {
    windows: bool,
    arm64: bool,
    cpu: i64,
    memory: i64,
    ephemeral: i64,
    address: bool,
}

impl Meter {
    /// Takes in one fact.
    pub fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        match *fact {
            Fact::MachineRunning(machine) => {
                let Machine { name, class, .. } = *machine;
                self.machines_on.insert((name.of, name.serial), (class, at));
            }
            Fact::MachineTerminated(machine) => {
                let name = machine.name;
                if let Some((class, since)) = self.machines_on.remove(&(name.of, name.serial)) {
                    self.bill_machine(name.of, class, at.since(since));
                }
            }
            Fact::Pulling(task) if task.launch_type == LaunchType::Fargate => {
                let shape = plan.definitions[task.definition].fargate.expect("a Fargate task has a size");
                let address = task.public_address;
                self.tasks_on.insert((task.name.of, task.name.serial), (shape, address, at));
            }
            Fact::Placed { task, .. } => {
                if let Some(volume) = task.volume {
                    self.volumes_on.insert((task.name.of, task.name.serial), (volume, at));
                }
            }
            Fact::Stopped(task) => {
                self.task_stopped(task);
                self.volume_deleted(plan, task, at);
            }
            Fact::Arrived(_)
            | Fact::Refused { .. }
            | Fact::Pulling(_)
            | Fact::Started(_)
            | Fact::Ready(_)
            | Fact::Stopping(_)
            | Fact::Registered { .. }
            | Fact::Said { .. }
            | Fact::Pod(_) => {}
        }
    }

    fn task_stopped(&mut self, task: &Task) {
        if let Some((shape, address, since)) = self.tasks_on.remove(&(task.name.of, task.name.serial)) {
            let until = task.times.execution_stopped.min(task.times.stopped);
            self.bill_task(task.name.of, shape, address, until.since(since));
        }
    }

    /// A volume goes with its task, unless the request says that it stays.
    fn volume_deleted(&mut self, plan: &Plan, task: &Task, at: Timestamp) {
        let Some(volume) = task.volume.filter(|&row| plan.definitions[row].deleted_with_task) else { return };
        if let Some((_, since)) = self.volumes_on.remove(&(task.name.of, task.name.serial)) {
            self.bill_volume(task.name.of, volume, at.since(since));
        }
    }

    fn bill_volume(&mut self, of: Symbol, volume: Row<ManagedVolume>, lived: Span) {
        mark!("TD-51");
        let billed = Span::seconds(lived.max(BILLED_MIN).whole_seconds_up());
        *self.volume_time.entry((of, volume)).or_insert(0) += u128::from(billed.as_nanos());
    }

    fn bill_machine(&mut self, pool: Symbol, class: Row<InstanceClass>, ran: Span) {
        mark!("PR-10");
        let billed = Span::seconds(ran.max(BILLED_MIN).whole_seconds_up());
        *self.machine_time.entry((pool, class)).or_insert(0) += u128::from(billed.as_nanos());
    }

    fn bill_task(&mut self, of: Symbol, shape: FargateShape, address: bool, ran: Span) {
        mark!("PR-01");
        let least = if shape.windows { BILLED_MIN_WINDOWS } else { BILLED_MIN };
        let billed = Span::seconds(ran.max(least).whole_seconds_up());
        let key = ShapeKey {
            windows: shape.windows,
            arm64: shape.arm64,
            cpu: shape.cpu.parts(),
            memory: shape.memory.bytes(),
            ephemeral: shape.ephemeral.bytes(),
            address,
        };
        *self.task_time.entry((of, key)).or_insert(0) += u128::from(billed.as_nanos());
    }

    /// Closes what still runs at the end of the run, and rates everything.
    pub fn finish(mut self, plan: &Plan, end: Timestamp) -> Bill {
        for ((pool, _), (class, since)) in std::mem::take(&mut self.machines_on) {
            self.bill_machine(pool, class, end.since(since));
        }
        for ((of, _), (shape, address, since)) in std::mem::take(&mut self.tasks_on) {
            self.bill_task(of, shape, address, end.since(since));
        }
        for ((of, _), (volume, since)) in std::mem::take(&mut self.volumes_on) {
            self.bill_volume(of, volume, end.since(since));
        }
        let mut lines = Lines::default();
        if plan.kubernetes.is_some() {
            let rate = price::rate(Item::EksControlPlane, plan.rates.region);
            let nanos = u128::from(end.since(plan.start).as_nanos());
            lines.add(Component::ControlPlane, None, "EKS cluster, standard support", nanos, rate);
        }
        for (&(of, volume), &nanos) in &self.volume_time {
            lines.add_volume(of, &plan.definitions[volume], nanos, plan.rates.region);
        }
        for (&(pool, class), &nanos) in &self.machine_time {
            let rate = plan.rates.instances[class.index()];
            let kind = plan.definitions.symbols.text(plan.definitions[class].instance_type);
            lines.add(Component::Compute, pool, kind, nanos, rate);
            let volume = nanos * positive(plan.rates.root_volume_size.bytes());
            lines.add(Component::Storage, pool, "root volume gp3", volume, plan.rates.root_volume);
            lines.add(Component::Address, pool, "public IPv4", 0, plan.rates.public_address);
        }
        for (&(of, shape), &nanos) in &self.task_time {
            mark!("PR-02");
            let (platform, rates) = plan.rates.fargate(&shape.shape());
            let kind = platform_label(platform);
            lines.add(
                Component::Compute,
                of,
                &format!("{kind} vCPU"),
                nanos * positive(shape.cpu),
                rates.cpu,
            );
            if let Some(licence) = rates.licence {
                lines.add(Component::Compute, of, "Windows licence", nanos * positive(shape.cpu), licence);
            }
            lines.add(
                Component::Memory,
                of,
                &format!("{kind} memory"),
                nanos * positive(shape.memory),
                rates.memory,
            );
            let above = positive((shape.ephemeral - STORAGE_INCLUDED.bytes()).max(0));
            lines.add(Component::Storage, of, "ephemeral above 20 GiB", nanos * above, rates.ephemeral);
            let addresses = if shape.address { nanos } else { 0 };
            lines.add(Component::Address, of, "public IPv4", addresses, plan.rates.public_address);
        }
        lines.rate()
    }
}

/// Usage per line, before it is rated.
#[derive(Default)]
struct Lines(BTreeMap<LineKey, (u128, Option<Rate>)>);

/// What a line is for, whose it is, and what exactly.
type LineKey = (Component, Option<Symbol>, String);

impl Lines {
    fn add(
        &mut self,
        component: Component,
        of: impl Into<Option<Symbol>>,
        what: &str,
        amount: u128,
        rate: Rate,
    ) {
        let line = self.0.entry((component, of.into(), what.to_owned())).or_insert((0, None));
        line.0 += amount;
        line.1 = Some(rate);
    }

    /// Storage, and of gp3 what is above the 3,000 operations and 125 MiB per second that it includes.
    fn add_volume(&mut self, of: Symbol, volume: &ManagedVolume, nanos: u128, region: &str) {
        let (storage, what) = match volume.kind {
            VolumeKind::Gp3 => (Item::Gp3Storage, "EBS gp3"),
            VolumeKind::Gp2 => (Item::Gp2Storage, "EBS gp2"),
            VolumeKind::Io1 => (Item::Io1Storage, "EBS io1"),
            VolumeKind::St1 => (Item::St1Storage, "EBS st1"),
            VolumeKind::Sc1 => (Item::Sc1Storage, "EBS sc1"),
        };
        let size = positive(volume.size.bytes());
        self.add(Component::Storage, of, what, nanos * size, price::rate(storage, region));
        let paid: &[(u32, u32, Item, &str)] = match volume.kind {
            VolumeKind::Gp3 => &[
                (volume.iops, GP3_OPERATIONS, Item::Gp3Operations, "EBS gp3 operations above 3,000/s"),
                (volume.throughput, GP3_THROUGHPUT, Item::Gp3Throughput, "EBS gp3 above 125 MiB/s"),
            ],
            VolumeKind::Io1 => &[(volume.iops, 0, Item::Io1Operations, "EBS io1 operations")],
            VolumeKind::Gp2 | VolumeKind::St1 | VolumeKind::Sc1 => &[],
        };
        for &(ordered, included, item, what) in paid {
            let above = u128::from(ordered.saturating_sub(included));
            if above > 0 {
                self.add(Component::Storage, of, what, nanos * above, price::rate(item, region));
            }
        }
    }

    fn rate(self) -> Bill {
        let mut lines = Vec::with_capacity(self.0.len());
        for ((component, of, what), (amount, rate)) in self.0 {
            let rate = rate.expect("set with the amount");
            let usage = Usage { amount, unit: rate.price.value.unit() };
            let amount = rate.price.value.line(usage);
            lines.push(BillLine { component, of, what, usage, rate, amount });
        }
        Bill { lines }
    }
}

const fn platform_label(platform: Platform) -> &'static str {
    match platform {
        Platform::LinuxX86_64 => "Fargate Linux x86",
        Platform::LinuxArm64 => "Fargate Linux ARM",
        Platform::WindowsX86_64 => "Fargate Windows",
    }
}

/// An amount as it is multiplied into usage.
pub(super) fn positive(amount: i64) -> u128 {
    u128::try_from(amount).expect("an amount that is billed is not negative")
}

#[cfg(test)]
mod tests;
