//! Which subnet takes a Fargate task (section 4.5): balanced over zones, then the roomiest subnet.
//!
//! Knows nothing of sizes, prices or platform versions, and of capacity only what it is told.

use std::collections::BTreeSet;

use crate::base::hash::Map;
use crate::base::{EntityKey, Symbol};
use crate::control::ecs::objects::Subnet;
use crate::mark;

use super::{PlacementSettings, SubnetChoice};

/// Where the Fargate tasks of one control plane are.
#[derive(Debug, Default)]
pub(super) struct Fargate {
    /// Tasks placed and not stopped, by group and zone.
    counts: Map<(Symbol, Symbol), u32>,
    /// Addresses in use, by subnet.
    used: Map<Symbol, i64>,
    /// The subnet of each task that has not stopped.
    subnets: Map<EntityKey, Symbol>,
    without_capacity: BTreeSet<Symbol>,
    placed: u64,
    forgotten: u64,
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

    /// The subnet for one more task of a group, counted at once; none when no zone has capacity.
    pub(super) fn place(
        &mut self,
        subnets: &[Subnet],
        group: Symbol,
        task: EntityKey,
        settings: &PlacementSettings,
    ) -> Option<Subnet> {
        let zone = self.zone(subnets, group, settings)?;
        let subnet = self.subnet(subnets, zone, settings)?;
        *self.counts.get_or_insert_with((group, zone), || 0) += 1;
        *self.used.get_or_insert_with(subnet.id, || 0) += 1;
        assert!(self.subnets.insert(task, subnet.id).is_none(), "a task is placed once");
        self.placed += 1;
        Some(subnet)
    }

    /// A task has stopped: its zone counts one less and its address is free.
    pub(super) fn forget(&mut self, zone: Symbol, group: Symbol, task: EntityKey) {
        let subnet = self.subnets.remove(&task).expect("a task that stops was placed");
        *self.used.get_mut(&subnet).expect("its address was counted") -= 1;
        let count = self.counts.get_mut(&(group, zone)).expect("a task that stops was counted in its zone");
        *count = count.checked_sub(1).expect("a zone counts the tasks that it has");
        self.forgotten += 1;
    }

    /// Counts everything again and compares.
    pub(super) fn recount(&self) {
        assert_eq!(self.subnets.len() as u64, self.placed - self.forgotten, "Fargate tasks, counted again");
    }

    /// The zone with the fewest tasks of the group; the first of the request among equals.
    fn zone(&self, subnets: &[Subnet], group: Symbol, settings: &PlacementSettings) -> Option<Symbol> {
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
    fn subnet(&self, subnets: &[Subnet], zone: Symbol, settings: &PlacementSettings) -> Option<Subnet> {
        let mut there = subnets.iter().copied().filter(|subnet| subnet.zone == zone);
        match settings.subnet_choice {
            SubnetChoice::MostFreeAddresses => {
                there.min_by_key(|subnet| self.used.get(&subnet.id).copied().unwrap_or(0))
            }
            SubnetChoice::RequestOrder => there.next(),
        }
    }
}
