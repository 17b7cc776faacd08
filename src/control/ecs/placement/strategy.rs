//! Placement strategies (section 4.2): which of the feasible instances is best.
//!
//! "Keep those with the least, then those of them with the least of the next" is the smallest tuple
//! in the order of the dictionary, so a strategy is a number per instance and the chain is a tuple.
//! Knows nothing of feasibility.

use crate::base::Symbol;
use crate::control::ecs::objects::{Definitions, InstanceClass, Strategy};
use crate::mark;

use super::belief::{Group, Seat};
use super::{AbsentAttribute, PlacementSettings, Tie, Wanted};

/// The attribute that every instance has: the name of its zone (PL-15).
pub(super) const ZONE: &str = "ecs.availability-zone";

/// The chain of strategies of one request, and how it ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Chain {
    /// Each gives an instance a number; the smallest tuple wins.
    pub(super) steps: Vec<Step>,
    /// Whether chance decides among equals; else the order of registration does.
    pub(super) random: bool,
}

/// One strategy that gives numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// CPU that is left.
    Cpu,
    /// Memory that is left.
    Memory,
    /// Tasks of the group on the instance.
    Instance,
    /// Tasks of the group where the key has the same value.
    Spread(Key),
}

/// What a spread groups instances by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    /// The zone.
    Zone,
    /// Another attribute.
    Attribute(Symbol),
}

/// The value of a [`Key`]: none where the attribute is absent, an inner none where it has no value.
pub(super) type Value = Option<Option<Symbol>>;

impl Chain {
    /// The chain of a request, default included (PL-13).
    pub(super) fn of(definitions: &Definitions, wanted: &Wanted<'_>, settings: PlacementSettings) -> Self {
        let mut chain = Chain::given(definitions, &wanted.placing.strategies, wanted.for_service);
        chain.random |= settings.tie == Tie::Random;
        chain
    }

    /// The chain of a list of strategies, whatever decides among equals.
    pub(super) fn given(definitions: &Definitions, strategies: &[Strategy], for_service: bool) -> Self {
        let mut chain = Chain { steps: Vec::new(), random: false };
        if strategies.is_empty() {
            chain.add_default(for_service);
        }
        for strategy in strategies {
            match *strategy {
                Strategy::BinpackCpu => chain.steps.push(Step::Cpu),
                Strategy::BinpackMemory => chain.steps.push(Step::Memory),
                Strategy::SpreadInstance => chain.steps.push(Step::Instance),
                Strategy::SpreadAttribute(name) => chain.steps.push(Step::Spread(Key::of(definitions, name))),
                Strategy::Random => {
                    mark!("4.2/random");
                    chain.random = true;
                    break;
                }
            }
        }
        chain
    }

    /// The keys that it spreads over, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        self.steps.iter().filter_map(|step| match step {
            Step::Spread(key) => Some(*key),
            Step::Cpu | Step::Memory | Step::Instance => None,
        })
    }

    fn add_default(&mut self, for_service: bool) {
        mark!("PL-13");
        if for_service {
            self.steps.extend([Step::Spread(Key::Zone), Step::Instance]);
        } else {
            self.random = true;
        }
    }
}

impl Key {
    fn of(definitions: &Definitions, name: Symbol) -> Self {
        if definitions.symbols.text(name) == ZONE {
            mark!("PL-15");
            Key::Zone
        } else {
            Key::Attribute(name)
        }
    }

    /// The value that instances of a class have.
    pub(super) fn value(self, class: &InstanceClass) -> Value {
        match self {
            Key::Zone => Some(Some(class.zone)),
            Key::Attribute(name) => class.attribute(name),
        }
    }
}

/// How many tasks of a group count where a key has this value: those placed and not stopped, whether
/// or not their instances could take one more.
pub(super) fn spread_count(
    definitions: &Definitions,
    group: Option<&Group>,
    key: Key,
    value: Value,
    settings: PlacementSettings,
) -> u64 {
    mark!("4.2/spread");
    if value.is_none() && settings.without_attribute == AbsentAttribute::Last {
        mark!("PL-11");
        mark!("PL-01");
        return u64::MAX;
    }
    mark!("PL-10");
    let classes = group.map_or(&[][..], |group| &group.classes);
    let there = classes.iter().filter(|(class, _)| key.value(&definitions[*class]) == value);
    there.map(|&(_, count)| u64::from(count)).sum()
}

/// The number of an instance under one step that does not spread over a key. ECS counts whole CPU units and
/// whole MiB, so nothing is lost.
pub(super) fn own_number(step: Step, seat: &Seat, class: &InstanceClass, count: u32) -> i64 {
    match step {
        Step::Cpu => {
            mark!("4.2/binpack");
            class.cpu.ecs_units_down() - i64::from(seat.held.amounts.cpu)
        }
        Step::Memory => {
            mark!("PL-14");
            class.memory.mib_down() - i64::from(seat.held.amounts.memory)
        }
        Step::Instance => {
            mark!("4.2/spread");
            i64::from(count)
        }
        Step::Spread(_) => 0,
    }
}
