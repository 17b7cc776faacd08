//! What it costs: usage counted in integers, rated once per line.
//!
//! Machines are billed per started second from running to the accepted termination, at least a
//! minute (PR-10); a Fargate task from the start of its first pull to `executionStoppedAt`,
//! per started second, at least a minute (PR-01). A line sums what one name used of one thing at one
//! rate, so that rounding happens once. Knows nothing of discounts, and prints what it does not
//! bill: a missing line is no saving.

use std::collections::BTreeMap;

use crate::base::{Bytes, Cpu, Money, Row, Span, Symbol, Timestamp, Usage};
use crate::catalog::Rate;
use crate::catalog::fargate::Platform;
use crate::control::ecs::objects::{FargateShape, InstanceClass, LaunchType, Task};
use crate::mark;
use crate::sim::fact::Fact;
use crate::sim::plan::{Machine, Plan};

/// EC2 and Fargate bill at least this much of a machine or task.
const BILLED_MIN: Span = Span::minutes(1);
/// Windows tasks on Fargate are billed at least this much.
const BILLED_MIN_WINDOWS: Span = Span::minutes(5);
/// This much ephemeral storage is included in the price of a Fargate task.
const STORAGE_INCLUDED: Bytes = Bytes::gib(20);

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
    /// Root volumes, or ephemeral storage above what is included.
    Storage,
    /// Public IPv4 addresses.
    Address,
}

impl Component {
    /// Every component, in the order of a bill.
    pub const ALL: [Component; 4] =
        [Component::Compute, Component::Memory, Component::Storage, Component::Address];

    /// The word in files.
    pub const fn label(self) -> &'static str {
        match self {
            Component::Compute => "compute",
            Component::Memory => "memory",
            Component::Storage => "storage",
            Component::Address => "public IPv4",
        }
    }
}

/// One line of a bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BillLine {
    /// Which component.
    pub component: Component,
    /// The pool or the workload that used it.
    pub of: Symbol,
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
                let address = plan.has_public_address(task);
                self.tasks_on.insert((task.name.of, task.name.serial), (shape, address, at));
            }
            Fact::Stopped(task) => self.task_stopped(task),
            Fact::Arrived(_)
            | Fact::Refused { .. }
            | Fact::Placed { .. }
            | Fact::Pulling(_)
            | Fact::Started(_)
            | Fact::Ready(_)
            | Fact::Stopping(_)
            | Fact::Registered { .. }
            | Fact::Said { .. } => {}
        }
    }

    fn task_stopped(&mut self, task: &Task) {
        if let Some((shape, address, since)) = self.tasks_on.remove(&(task.name.of, task.name.serial)) {
            let until = task.times.execution_stopped.min(task.times.stopped);
            self.bill_task(task.name.of, shape, address, until.since(since));
        }
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
        let mut lines = Lines::default();
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
struct Lines(BTreeMap<(Component, Symbol, String), (u128, Option<Rate>)>);

impl Lines {
    fn add(&mut self, component: Component, of: Symbol, what: &str, amount: u128, rate: Rate) {
        let line = self.0.entry((component, of, what.to_owned())).or_insert((0, None));
        line.0 += amount;
        line.1 = Some(rate);
    }

    fn rate(self) -> Bill {
        let rated =
            |((component, of, what), (amount, rate)): ((Component, Symbol, String), (u128, Option<Rate>))| {
                let rate = rate.expect("set with the amount");
                let usage = Usage { amount, unit: rate.price.value.unit() };
                let amount = rate.price.value.line(usage);
                BillLine { component, of, what, usage, rate, amount }
            };
        Bill { lines: self.0.into_iter().map(rated).collect() }
    }
}

const fn platform_label(platform: Platform) -> &'static str {
    match platform {
        Platform::LinuxX86_64 => "Fargate Linux x86",
        Platform::LinuxArm64 => "Fargate Linux ARM",
        Platform::WindowsX86_64 => "Fargate Windows",
    }
}

fn positive(amount: i64) -> u128 {
    u128::try_from(amount).expect("an amount that is billed is not negative")
}

#[cfg(test)]
mod tests;
