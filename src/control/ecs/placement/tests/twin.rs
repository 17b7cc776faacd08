//! The twin: placement in plain loops over tasks and instances, written from the specification alone.

use crate::base::turn::below;
use crate::base::{Row, Symbol, Timestamp};
use crate::control::ecs::objects::{
    Constraint, ContainerInstance, Definitions, InstanceStatus, NetworkMode, Strategy, TaskDefinition,
};
use crate::control::ecs::placement::{AbsentAttribute, PlacementSettings, Refusal, Rejection, Tie};
use crate::control::ecs::query::{Candidate, Expression};

use super::cluster::Request;

#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) on: Row<ContainerInstance>,
    pub(super) task: Row<TaskDefinition>,
    pub(super) group: Symbol,
    /// Whether CPU, memory, ports and GPUs are still held.
    pub(super) full: bool,
}

#[derive(Default)]
pub(super) struct Twin {
    /// In the order of registration.
    pub(super) registered: Vec<Row<ContainerInstance>>,
    pub(super) tasks: Vec<Held>,
}

/// Everything a decision of the twin looks at.
pub(super) struct Look<'a> {
    pub(super) twin: &'a Twin,
    pub(super) definitions: &'a Definitions,
    pub(super) rows: &'a [Option<ContainerInstance>],
    pub(super) request: &'a Request,
    pub(super) settings: PlacementSettings,
}

impl Look<'_> {
    /// The chosen instance, or why there is none.
    pub(super) fn place(&self, draw: u64) -> Result<Row<ContainerInstance>, Rejection> {
        let active = self.active();
        let feasible: Vec<_> = active.iter().copied().filter(|&row| self.failures(row).is_empty()).collect();
        if feasible.is_empty() {
            return Err(self.rejection(&active));
        }
        let mut strategies = self.request.placing.strategies.to_vec();
        if strategies.is_empty() && self.request.for_service {
            let zone = self.definitions.symbols.find("ecs.availability-zone").unwrap();
            strategies = vec![Strategy::SpreadAttribute(zone), Strategy::SpreadInstance];
        } else if strategies.is_empty() {
            strategies = vec![Strategy::Random];
        }
        let mut left = feasible;
        let mut random = self.settings.tie == Tie::Random;
        let mut keys = Vec::new();
        for strategy in strategies {
            if strategy == Strategy::Random {
                random = true;
                break;
            }
            if let Strategy::SpreadAttribute(name) = strategy {
                keys.push(name);
            }
            let least = left.iter().map(|&row| self.number(strategy, row)).min().unwrap();
            left.retain(|&row| self.number(strategy, row) == least);
        }
        if !random {
            return Ok(left[0]);
        }
        left.sort_by_key(|&row| self.first_class_like(row, &keys));
        let count = u64::try_from(left.len()).unwrap();
        Ok(left[usize::try_from(below(draw, count)).unwrap()])
    }

    /// What an instance fails first when a task is started on it.
    pub(super) fn start(&self, row: Row<ContainerInstance>) -> Option<Refusal> {
        let Some(instance) = self.rows.get(row.index()).copied().flatten() else {
            return Some(Refusal::Missing);
        };
        if instance.status != InstanceStatus::Active {
            return Some(Refusal::Inactive);
        }
        self.failures(row).into_iter().find(|refusal| *refusal != Refusal::Constraint)
    }

    /// Every instance that cannot take the task.
    pub(super) fn refusals(&self) -> Vec<(Row<ContainerInstance>, Refusal)> {
        let first = |row| self.failures(row).first().map(|&refusal| (row, refusal));
        self.active().into_iter().filter_map(first).collect()
    }

    /// What is left of CPU and memory on an instance.
    pub(super) fn left(&self, row: Row<ContainerInstance>) -> (i64, i64) {
        let class = &self.definitions[self.instance(row).class];
        let (mut cpu, mut memory) = (class.cpu.parts(), class.memory.bytes());
        for held in self.on(row).filter(|held| held.full) {
            let needs = &self.definitions[held.task].reservation;
            cpu -= needs.cpu.parts();
            memory -= needs.memory.bytes();
        }
        (cpu, memory)
    }

    fn instance(&self, row: Row<ContainerInstance>) -> ContainerInstance {
        self.rows[row.index()].expect("the instance is in the record")
    }

    fn active(&self) -> Vec<Row<ContainerInstance>> {
        let all = self.twin.registered.iter().copied();
        all.filter(|&row| self.instance(row).status == InstanceStatus::Active).collect()
    }

    fn on(&self, row: Row<ContainerInstance>) -> impl Iterator<Item = &Held> {
        self.twin.tasks.iter().filter(move |held| held.on == row)
    }

    /// Every check that an ACTIVE instance fails, in order.
    fn failures(&self, row: Row<ContainerInstance>) -> Vec<Refusal> {
        let instance = self.instance(row);
        let class = &self.definitions[instance.class];
        let task = &self.definitions[self.request.task];
        let needs = &task.reservation;
        let placing = &self.request.placing;
        let mut failed = Vec::new();
        let mut check = |refusal, fails: bool| {
            if fails {
                failed.push(refusal);
            }
        };
        check(Refusal::Agent, !instance.agent_connected);
        let missing = task.required_attributes.iter().any(|(name, value)| {
            let found = class.attributes.iter().find(|(known, _)| known == name);
            found.is_none_or(|(_, has)| value.is_some() && has != value)
        });
        check(Refusal::Attribute, missing);
        let (cpu, memory) = self.left(row);
        check(Refusal::Cpu, needs.cpu.parts() != 0 && needs.cpu.parts() > cpu);
        check(Refusal::Memory, needs.memory.bytes() != 0 && needs.memory.bytes() > memory);
        let mut tcp = class.reserved_ports.to_vec();
        let mut udp = Vec::new();
        let (mut gpus, mut interfaces) = (i64::from(class.gpus), i64::from(class.interfaces));
        for held in self.on(row) {
            let holds = &self.definitions[held.task].reservation;
            interfaces -= i64::from(holds.interfaces);
            if held.full {
                gpus -= i64::from(holds.gpus);
                tcp.extend(&holds.ports);
                udp.extend(&holds.ports_udp);
            }
        }
        let taken = needs.ports.iter().any(|port| tcp.contains(port))
            || needs.ports_udp.iter().any(|port| udp.contains(port));
        check(Refusal::Ports, taken);
        check(Refusal::Gpu, needs.gpus != 0 && i64::from(needs.gpus) > gpus);
        check(Refusal::Interface, needs.interfaces != 0 && i64::from(needs.interfaces) > interfaces);
        let has_subnet = placing.subnets.iter().any(|subnet| subnet.zone == class.zone);
        check(Refusal::Location, task.network_mode == NetworkMode::Awsvpc && !has_subnet);
        let mut holds = task.constraints.iter().all(|expression| self.holds(expression, row));
        for constraint in &placing.constraints {
            holds &= match constraint {
                Constraint::MemberOf(expression) => self.holds(expression, row),
                Constraint::DistinctInstance => !self.on(row).any(|held| held.group == self.request.group),
            };
        }
        check(Refusal::Constraint, !holds);
        failed
    }

    fn holds(&self, expression: &Expression, row: Row<ContainerInstance>) -> bool {
        let name = self.instance(row).name;
        let id = format!("{}-{}", self.definitions.symbols.text(name.of), name.serial);
        expression.matches(&Plain { look: self, row, id })
    }

    fn number(&self, strategy: Strategy, row: Row<ContainerInstance>) -> i64 {
        let of_group = || self.twin.tasks.iter().filter(|held| held.group == self.request.group);
        match strategy {
            Strategy::Random => unreachable!("random has no number"),
            Strategy::BinpackCpu => self.left(row).0,
            Strategy::BinpackMemory => self.left(row).1,
            Strategy::SpreadInstance => i64::try_from(of_group().filter(|held| held.on == row).count()).unwrap(),
            Strategy::SpreadAttribute(name) => {
                let value = self.value(row, name);
                if value.is_none() && self.settings.without_attribute == AbsentAttribute::Last {
                    return i64::MAX;
                }
                let there = of_group().filter(|held| self.value(held.on, name) == value);
                i64::try_from(there.count()).unwrap()
            }
        }
    }

    /// Tasks on an instance that left the record keep counting where it was.
    fn value(&self, row: Row<ContainerInstance>, name: Symbol) -> Option<Option<Symbol>> {
        self.class_value(self.instance(row).class.index(), name)
    }

    fn class_value(&self, class: usize, name: Symbol) -> Option<Option<Symbol>> {
        let class = &self.definitions.classes[class];
        if self.definitions.symbols.text(name) == "ecs.availability-zone" {
            return Some(Some(class.zone));
        }
        class.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn first_class_like(&self, row: Row<ContainerInstance>, keys: &[Symbol]) -> usize {
        let class = self.instance(row).class.index();
        let alike = |other: &usize| {
            keys.iter().all(|&key| self.class_value(*other, key) == self.class_value(class, key))
        };
        (0..=class).find(alike).unwrap()
    }

    fn rejection(&self, active: &[Row<ContainerInstance>]) -> Rejection {
        let mut rejection = Rejection::default();
        if active.is_empty() {
            let listed = |row: &Option<ContainerInstance>| {
                row.is_some_and(|instance| instance.status != InstanceStatus::Inactive)
            };
            let any = self.rows.iter().any(listed);
            let reason = if any { Refusal::NoActiveInstances } else { Refusal::NoInstances };
            rejection.counts[reason as usize] = 1;
            return rejection;
        }
        let mut best: Option<(usize, Refusal, i64)> = None;
        for &row in active {
            let failed = self.failures(row);
            rejection.counts[failed[0] as usize] += 1;
            let left = match failed[0] {
                Refusal::Cpu => self.left(row).0,
                Refusal::Memory => self.left(row).1,
                Refusal::Gpu => self.left_of(row, |needs| needs.gpus, |class| class.gpus, true),
                Refusal::Interface => {
                    self.left_of(row, |needs| needs.interfaces, |class| class.interfaces, false)
                }
                _ => 0,
            };
            let closeness = (9 - failed.len(), failed[0], left);
            if best.is_none_or(|best| best < closeness) {
                best = Some(closeness);
                rejection.closest = Some((row, failed[0]));
            }
        }
        rejection
    }

    fn left_of(
        &self,
        row: Row<ContainerInstance>,
        held: fn(&crate::control::ecs::objects::Reservation) -> u32,
        has: fn(&crate::control::ecs::objects::InstanceClass) -> u32,
        full_only: bool,
    ) -> i64 {
        let tasks = self.on(row).filter(|task| task.full || !full_only);
        let taken: i64 = tasks.map(|task| i64::from(held(&self.definitions[task.task].reservation))).sum();
        i64::from(has(&self.definitions[self.instance(row).class])) - taken
    }
}

struct Plain<'a> {
    look: &'a Look<'a>,
    row: Row<ContainerInstance>,
    id: String,
}

impl Candidate for Plain<'_> {
    fn agent_connected(&self) -> bool {
        self.look.instance(self.row).agent_connected
    }
    fn agent_version(&self) -> &str {
        let class = self.look.instance(self.row).class;
        self.look.definitions.symbols.text(self.look.definitions[class].agent_version)
    }
    fn ec2_instance_id(&self) -> &str {
        &self.id
    }
    fn registered_at(&self) -> Timestamp {
        self.look.instance(self.row).registered_at
    }
    fn running_tasks(&self) -> u32 {
        u32::try_from(self.look.on(self.row).filter(|held| held.full).count()).unwrap()
    }
    fn runs_group_where(&self, wanted: &dyn Fn(&str) -> bool) -> bool {
        self.look.on(self.row).any(|held| wanted(self.look.definitions.symbols.text(held.group)))
    }
    fn attribute(&self, name: &str) -> Option<Option<&str>> {
        let symbols = &self.look.definitions.symbols;
        let name = symbols.find(name)?;
        let class = &self.look.definitions[self.look.instance(self.row).class];
        let (_, value) = class.attributes.iter().find(|(known, _)| *known == name)?;
        Some(value.map(|value| symbols.text(value)))
    }
}
