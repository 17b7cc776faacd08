//! Where each instance stands among the leaves of a view.
//!
//! Instances with the same value for every key that a chain spreads over are one part; in it they stand in
//! the order of registration, and those that come go behind. Who is gone leaves a gap, until there are so
//! many that a new layout is the better way. Knows nothing of what a shape wants.

use crate::base::Row;
use crate::control::ecs::objects::{ContainerInstance, InstanceClass};

use super::belief::{Seat, UNREGISTERED};
use super::feasible::Question;
use super::strategy::{Key, Value};

/// The places of all instances, for one list of keys.
#[derive(Debug)]
pub(super) struct Layout {
    /// Which of all layouts that were ever made it is.
    number: u64,
    keys: Vec<Key>,
    /// How far the touched rows were read.
    position: u64,
    /// The position behind the last change of a place.
    changed: u64,
    epoch: u64,
    /// The part of each class.
    classes: Vec<u32>,
    /// Per key, the values that classes have.
    values: Vec<Vec<Value>>,
    parts: Vec<Part>,
    /// By row of the instance.
    leaves: Vec<Leaf>,
    gone: usize,
}

/// The instances with the same value for every key.
#[derive(Debug)]
pub(super) struct Part {
    /// Per key, which of the values of the layout.
    pub(super) values: Vec<usize>,
    /// Per leaf, which instance and its order of registration, rising.
    pub(super) instances: Vec<(Row<ContainerInstance>, u32)>,
}

/// Where an instance stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Leaf {
    pub(super) part: u32,
    pub(super) place: u32,
}

impl Leaf {
    pub(super) const NOWHERE: Leaf = Leaf { part: u32::MAX, place: 0 };
}

impl Layout {
    /// A layout made by a look at every instance.
    pub(super) fn of(question: &Question<'_>, keys: Vec<Key>, number: u64) -> Self {
        let belief = question.belief;
        let position = belief.touched().end();
        let mut layout = Layout {
            number,
            position,
            changed: position,
            epoch: belief.epoch,
            classes: Vec::new(),
            values: vec![Vec::new(); keys.len()],
            keys,
            parts: Vec::new(),
            leaves: Vec::new(),
            gone: 0,
        };
        for class in &question.definitions.classes {
            layout.add_class(class);
        }
        for (row, seat) in belief.registered() {
            layout.stand(row, seat);
        }
        layout
    }

    /// Which of all layouts that were ever made it is.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// What it is for.
    pub(super) const fn keys(&self) -> &Vec<Key> {
        &self.keys
    }

    /// Per key, the values that classes have.
    pub(super) const fn values(&self) -> &Vec<Vec<Value>> {
        &self.values
    }

    pub(super) const fn parts(&self) -> &Vec<Part> {
        &self.parts
    }

    /// Whether any instance came or went since a position.
    pub(super) const fn changed_since(&self, position: u64) -> bool {
        position < self.changed
    }

    /// Where an instance stands now.
    pub(super) fn leaf(&self, row: Row<ContainerInstance>) -> Leaf {
        self.leaves.get(row.index()).copied().unwrap_or(Leaf::NOWHERE)
    }

    /// Where an instance stands or stood when this was believed of it.
    pub(super) fn leaf_of(&self, seat: &Seat) -> Option<Leaf> {
        let &part = self.classes.get(seat.class.index())?;
        let instances = &self.parts[part as usize].instances;
        let place = instances.binary_search_by_key(&seat.order, |&(_, order)| order).ok()?;
        let place = u32::try_from(place).expect("fewer leaves than registrations");
        Some(Leaf { part, place })
    }

    /// Reads the rows touched since the last use. False where a new layout is the better way.
    pub(super) fn catch_up(&mut self, question: &Question<'_>, slack: usize) -> bool {
        let belief = question.belief;
        if self.epoch != belief.epoch || self.classes.len() != question.definitions.classes.len() {
            return false;
        }
        let standing: usize = self.parts.iter().map(|part| part.instances.len()).sum();
        if self.gone > standing / 2 + slack {
            return false;
        }
        let Some(touches) = belief.touched().since(self.position) else { return false };
        self.position = belief.touched().end();
        for touch in touches {
            if touch.former.order == touch.seat.order {
                continue;
            }
            let former = self.order(self.leaf(touch.row));
            if former == touch.seat.order {
                continue;
            }
            self.changed = self.position;
            if former != UNREGISTERED {
                self.leaves[touch.row.index()] = Leaf::NOWHERE;
                self.gone += 1;
            }
            if touch.seat.order != UNREGISTERED {
                self.stand(touch.row, &touch.seat);
            }
        }
        true
    }

    fn add_class(&mut self, class: &InstanceClass) {
        let values: Vec<usize> = self
            .keys
            .iter()
            .zip(&mut self.values)
            .map(|(key, values)| {
                let value = key.value(class);
                values.iter().position(|known| *known == value).unwrap_or_else(|| {
                    values.push(value);
                    values.len() - 1
                })
            })
            .collect();
        let part = self.parts.iter().position(|part| part.values == values).unwrap_or_else(|| {
            self.parts.push(Part { values, instances: Vec::new() });
            self.parts.len() - 1
        });
        self.classes.push(u32::try_from(part).expect("fewer parts than classes"));
    }

    fn stand(&mut self, row: Row<ContainerInstance>, seat: &Seat) {
        let part = self.classes[seat.class.index()];
        let instances = &mut self.parts[part as usize].instances;
        let place = u32::try_from(instances.len()).expect("fewer leaves than registrations");
        instances.push((row, seat.order));
        if self.leaves.len() <= row.index() {
            self.leaves.resize(row.index() + 1, Leaf::NOWHERE);
        }
        self.leaves[row.index()] = Leaf { part, place };
    }

    /// The order of registration of who stands there.
    fn order(&self, leaf: Leaf) -> u32 {
        let part = self.parts.get(leaf.part as usize);
        part.map_or(UNREGISTERED, |part| part.instances[leaf.place as usize].1)
    }
}
