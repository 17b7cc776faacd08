//! Which subnet takes a Fargate task (section 4.5): balanced over zones, then the roomiest subnet, as
//! long as the account may use more vCPUs (QT-01).
//!
//! Knows nothing of prices or platform versions, and of capacity only what it is told.

use std::collections::BTreeSet;

use crate::base::hash::Map;
use crate::base::{Bytes, Cpu, EntityKey, Symbol};
use crate::control::ecs::objects::Subnet;
use crate::mark;

use super::{PlacementSettings, Refusal, SubnetChoice};

/// Where the Fargate tasks of one control plane are.
#[derive(Debug, Default)]
pub(super) struct Fargate {
    /// Tasks placed and not stopped, by group and zone.
    counts: Map<(Symbol, Symbol), u32>,
    /// Addresses in use, by subnet.
    used: Map<Symbol, i64>,
    /// What each task holds that has not stopped.
    tasks: Map<EntityKey, Held>,
    /// The CPU of all of them that start or run (QT-01).
    cpu_used: Cpu,
    without_capacity: BTreeSet<Symbol>,
    placed: u64,
    forgotten: u64,
}

/// What a task holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    subnet: Symbol,
    /// Zero once it stops.
    cpu: Cpu,
}

/// A task that wants a subnet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) subnets: &'a [Subnet],
    pub(super) group: Symbol,
    pub(super) task: EntityKey,
    pub(super) cpu: Cpu,
    pub(super) memory: Bytes,
}

impl Fargate {
    /// Says whether a zone can take tasks.
    pub(super) fn set_capacity(&mut self, zone: Symbol, available: bool) {
        if available {
            self.without_capacity.remove(&zone);
        } else {
            self.without_capacity.insert(zone);
        }
    }

    /// The subnet for one more task, counted at once; or that no zone has capacity, or the account no
    /// vCPUs left.
    pub(super) fn place(
        &mut self,
        candidate: Candidate<'_>,
        settings: PlacementSettings,
    ) -> Result<Subnet, Refusal> {
        let Candidate { subnets, group, task, cpu, memory } = candidate;
        if let Some(refusal) = self.above_quota(cpu, settings) {
            return Err(refusal);
        }
        if settings.fargate_memory.is_some_and(|most| memory > most) {
            mark!("4.7/The requested MEMORY configuration is above your limit.");
            return Err(Refusal::FargateMemory);
        }
        let zone = self.zone(subnets, group, settings);
        let Some(subnet) = zone.and_then(|zone| self.subnet(subnets, zone, settings)) else {
            mark!("FG-04");
            return Err(Refusal::Fargate);
        };
        let zone = subnet.zone;
        *self.counts.get_or_insert_with((group, zone), || 0) += 1;
        *self.used.get_or_insert_with(subnet.id, || 0) += 1;
        assert!(self.tasks.insert(task, Held { subnet: subnet.id, cpu }).is_none(), "a task is placed once");
        self.cpu_used += cpu;
        self.placed += 1;
        Ok(subnet)
    }

    /// A task stops: its CPU neither starts nor runs any more (QT-01).
    pub(super) fn release(&mut self, task: EntityKey) {
        let held = self.tasks.get_mut(&task).expect("a task that stops was placed");
        self.cpu_used -= std::mem::replace(&mut held.cpu, Cpu::ZERO);
    }

    /// A task has stopped: its zone counts one less and its address is free.
    pub(super) fn forget(&mut self, zone: Symbol, group: Symbol, task: EntityKey) {
        let Held { subnet, cpu } = self.tasks.remove(&task).expect("a task that stops was placed");
        self.cpu_used -= cpu;
        *self.used.get_mut(&subnet).expect("its address was counted") -= 1;
        let count = self.counts.get_mut(&(group, zone)).expect("a task that stops was counted in its zone");
        *count = count.checked_sub(1).expect("a zone counts the tasks that it has");
        self.forgotten += 1;
    }

    /// Counts everything again and compares.
    pub(super) fn recount(&self) {
        assert_eq!(self.tasks.len() as u64, self.placed - self.forgotten, "Fargate tasks, counted again");
        assert!(!self.tasks.is_empty() || self.cpu_used == Cpu::ZERO, "no task uses no vCPU");
    }

    fn above_quota(&self, cpu: Cpu, settings: PlacementSettings) -> Option<Refusal> {
        let quota = Cpu::vcpus(i64::from(settings.fargate_vcpus?));
        mark!("QT-01");
        if cpu > quota {
            return Some(Refusal::FargateSize);
        }
        (self.cpu_used + cpu > quota).then_some(Refusal::FargateQuota)
    }

    /// The zone with the fewest tasks of the group; the first of the request among equals.
    fn zone(&self, subnets: &[Subnet], group: Symbol, settings: PlacementSettings) -> Option<Symbol> {
        mark!("PL-30");
        let count = |zone: Symbol| self.counts.get(&(group, zone)).copied().unwrap_or(0);
        let has_capacity = |zone: Symbol| !self.without_capacity.contains(&zone);
        let zones = subnets.iter().map(|subnet| subnet.zone);
        if settings.fargate_tries_other_zones {
            mark!("PL-32");
            zones.filter(|zone| has_capacity(*zone)).min_by_key(|zone| count(*zone))
        } else {
            zones.min_by_key(|zone| count(*zone)).filter(|zone| has_capacity(*zone))
        }
    }

    /// The subnet of a zone with the most free addresses; the first of the request among equals.
    fn subnet(&self, subnets: &[Subnet], zone: Symbol, settings: PlacementSettings) -> Option<Subnet> {
        let mut there = subnets.iter().copied().filter(|subnet| subnet.zone == zone);
        match settings.subnet_choice {
            SubnetChoice::MostFreeAddresses => {
                there.min_by_key(|subnet| self.used.get(&subnet.id).copied().unwrap_or(0))
            }
            SubnetChoice::RequestOrder => there.next(),
        }
    }
}
