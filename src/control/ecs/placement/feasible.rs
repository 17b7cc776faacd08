//! Which instances can take a task at all, and what the others lack (sections 4.1, 4.7).
//!
//! Every check stands alone, so that a rejection can say how many of them an instance passes; the
//! decision itself stops at the first that fails. Knows nothing of strategies.

use crate::base::{Row, Symbol};
use crate::control::ecs::objects::{
    ContainerInstance, Definitions, InstanceClass, InstanceStatus, NetworkMode, Placing, Reservation,
    TaskDefinition,
};
use crate::mark;

use super::belief::{Amounts, Belief, Group, Seat};
use super::constraint;
use super::{Refusal, Wanted};

/// The checks on an ACTIVE instance, in order (PL-40, A-41).
pub(super) const CHECKS: [Refusal; 9] = [
    Refusal::Agent,
    Refusal::Attribute,
    Refusal::Cpu,
    Refusal::Memory,
    Refusal::Ports,
    Refusal::Gpu,
    Refusal::Interface,
    Refusal::Location,
    Refusal::Constraint,
];

/// One task against everything that is believed.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) belief: &'a Belief,
    pub(super) definitions: &'a Definitions,
    pub(super) task: &'a TaskDefinition,
    pub(super) placing: &'a Placing,
    pub(super) group: Symbol,
    /// The tasks of that group, if it has or had any.
    pub(super) known: Option<&'a Group>,
}

impl<'a> Question<'a> {
    pub(super) fn new(belief: &'a Belief, definitions: &'a Definitions, wanted: &Wanted<'a>) -> Self {
        let task = &definitions[wanted.task_definition];
        let (placing, group) = (wanted.placing, wanted.group);
        Question { belief, definitions, task, placing, group, known: belief.group(group) }
    }

    /// The first reason why an instance cannot take the task.
    pub(super) fn refusal(&self, row: Row<ContainerInstance>) -> Option<Refusal> {
        self.first_of(row, &CHECKS)
    }

    /// The first reason why a task cannot be started on a given instance: placement is bypassed, so
    /// constraints do not count.
    pub(super) fn refusal_of_start(&self, row: Row<ContainerInstance>) -> Option<Refusal> {
        mark!("PL-16");
        self.first_of(row, &CHECKS[..CHECKS.len() - 1])
    }

    /// How many checks an ACTIVE instance passes.
    pub(super) fn passed(&self, row: Row<ContainerInstance>) -> usize {
        let seat = self.belief.seat(row).expect("only instances in the record are asked about");
        CHECKS.iter().filter(|check| !self.fails(**check, row, seat)).count()
    }

    /// What is wanted and what is left of the thing that an instance lacks; zeros where neither is an
    /// amount.
    pub(super) fn numbers(&self, row: Row<ContainerInstance>, refusal: Refusal) -> [i64; 2] {
        let Some(seat) = self.belief.seat(row) else { return [0, 0] };
        let class = &self.definitions[seat.class];
        let needs = &self.task.reservation;
        match refusal {
            Refusal::Cpu => [needs.cpu.parts(), seat.cpu_left(class).parts()],
            Refusal::Memory => [needs.memory.bytes(), seat.memory_left(class).bytes()],
            Refusal::Gpu => [i64::from(needs.gpus), seat.gpus_left(class)],
            Refusal::Interface => [i64::from(needs.interfaces), seat.interfaces_left(class)],
            Refusal::Agent
            | Refusal::Attribute
            | Refusal::Ports
            | Refusal::Location
            | Refusal::Constraint
            | Refusal::Inactive
            | Refusal::Missing
            | Refusal::NoActiveInstances
            | Refusal::NoInstances
            | Refusal::Fargate
            | Refusal::FargateQuota
            | Refusal::FargateSize
            | Refusal::FargateMemory => [0, 0],
        }
    }

    fn first_of(&self, row: Row<ContainerInstance>, checks: &[Refusal]) -> Option<Refusal> {
        let Some(seat) = self.belief.seat(row) else {
            mark!("4.7/MISSING");
            return Some(Refusal::Missing);
        };
        if seat.status != Some(InstanceStatus::Active) {
            mark!("4.7/INACTIVE");
            return Some(Refusal::Inactive);
        }
        checks.iter().copied().find(|check| self.fails(*check, row, seat))
    }

    /// Whether an ACTIVE instance fails one check, whatever it does at the others. A decision does not come
    /// here for every instance: the index has the answers of shapes, a ledger those of calls that fail.
    fn fails(&self, check: Refusal, row: Row<ContainerInstance>, seat: &Seat) -> bool {
        let class = &self.definitions[seat.class];
        let needs = &self.task.reservation;
        match check {
            Refusal::Agent => {
                mark!("AG-01");
                !seat.agent_connected
            }
            Refusal::Attribute => !has_attributes(self.task, class),
            Refusal::Cpu => lacks(needs.cpu.parts(), seat.cpu_left(class).parts()),
            Refusal::Memory => lacks(needs.memory.bytes(), seat.memory_left(class).bytes()),
            Refusal::Ports => self.lacks_ports(row, class),
            Refusal::Gpu => lacks(i64::from(needs.gpus), seat.gpus_left(class)),
            Refusal::Interface => {
                mark!("EN-01");
                lacks(i64::from(needs.interfaces), seat.interfaces_left(class))
            }
            Refusal::Location => !is_located(self.task, self.placing, class),
            Refusal::Constraint => !constraint::hold(self, row),
            Refusal::Inactive
            | Refusal::Missing
            | Refusal::NoActiveInstances
            | Refusal::NoInstances
            | Refusal::Fargate
            | Refusal::FargateQuota
            | Refusal::FargateSize
            | Refusal::FargateMemory => unreachable!("not a check on one ACTIVE instance"),
        }
    }

    pub(super) fn lacks_ports(&self, row: Row<ContainerInstance>, class: &InstanceClass) -> bool {
        let needs = &self.task.reservation;
        if needs.ports.is_empty() && needs.ports_udp.is_empty() {
            return false;
        }
        let details = self.belief.details(row);
        let is_taken = |port: &u16| {
            mark!("TD-40");
            class.reserved_ports.binary_search(port).is_ok() || details.ports.binary_search(port).is_ok()
        };
        needs.ports.iter().any(is_taken)
            || needs.ports_udp.iter().any(|port| details.ports_udp.binary_search(port).is_ok())
    }
}

/// Whether an amount is missing. Who wants nothing lacks nothing, even where less than nothing is left.
pub(super) const fn lacks(want: i64, left: i64) -> bool {
    want > 0 && want > left
}

/// What may be held on an instance of a class so that a task still finds room: the checks of amounts the
/// other way round, computed once for many instances.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeldMax(Amounts);

impl HeldMax {
    pub(super) fn of(needs: &Reservation, class: &InstanceClass) -> Self {
        let rest = |want: i64, all: i64| match want {
            ..=0 => i32::MAX,
            1.. => i32::try_from(all.saturating_sub(want)).unwrap_or(i32::MIN),
        };
        HeldMax(Amounts {
            cpu: rest(needs.cpu.ecs_units_up(), class.cpu.ecs_units_down()),
            memory: rest(needs.memory.mib_down(), class.memory.mib_down()),
            gpus: rest(i64::from(needs.gpus), i64::from(class.gpus)),
            interfaces: rest(i64::from(needs.interfaces), i64::from(class.interfaces)),
        })
    }

    /// Whether an instance has room for the task; ports apart.
    pub(super) const fn leaves_room(&self, seat: &Seat) -> bool {
        seat.held.amounts.is_within(self.0)
    }
}

/// Whether a class has every attribute that the task needs, with the value that it needs.
pub(super) fn has_attributes(task: &TaskDefinition, class: &InstanceClass) -> bool {
    mark!("CI-20");
    task.required_attributes.iter().all(|&(name, value)| match class.attribute(name) {
        None => false,
        Some(found) => value.is_none() || found == value,
    })
}

/// Whether an awsvpc task finds a subnet in the zone of a class.
pub(super) fn is_located(task: &TaskDefinition, placing: &Placing, class: &InstanceClass) -> bool {
    if task.network_mode != NetworkMode::Awsvpc {
        return true;
    }
    mark!("4.7/LOCATION");
    placing.subnets.iter().any(|subnet| subnet.zone == class.zone)
}
