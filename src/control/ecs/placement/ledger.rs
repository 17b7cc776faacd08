//! Why nothing fits: counted, and kept, so that a call that fails again costs what has changed since.
//!
//! A *ledger* is every ACTIVE instance with its first reason against one shape: how often each reason
//! stands there, and a [`Tree`] over the order of registration whose least key is the instance that came
//! closest. Where reasons depend on an instance's own seat alone it is kept and brought up to date from
//! the rows touched since. Knows no rule: the answers come from `feasible`.

use std::collections::VecDeque;

use crate::base::Row;
use crate::control::ecs::objects::{ContainerInstance, InstanceStatus};
use crate::mark;

use super::belief::Seat;
use super::feasible::Question;
use super::tree::{NONE, Tree};
use super::{Refusal, Rejection};

/// How many ledgers are kept, those used last.
const LEDGERS_MAX: usize = 32;

/// The ledgers of shapes that found no place of late, the latest first.
#[derive(Debug, Default)]
pub(super) struct Ledgers(VecDeque<(usize, Ledger)>);

/// The instances as one shape is refused by them.
#[derive(Debug)]
pub(super) struct Ledger {
    /// How far the touched rows were read.
    position: u64,
    /// Which instance stands at each leaf, and its order of registration, rising.
    instances: Vec<(Row<ContainerInstance>, u32)>,
    /// How many instances have each reason.
    counts: [u32; Refusal::COUNT],
    /// The closer, the less; [`NONE`] where there is no reason.
    tree: Tree,
}

impl Ledgers {
    /// The rejection of a shape whose reasons depend on nothing but seats.
    pub(super) fn rejection(&mut self, question: &Question<'_>, shape: usize) -> Rejection {
        let known = self.0.iter().position(|&(of, _)| of == shape);
        let known = known.and_then(|at| self.0.remove(at)).map(|(_, ledger)| ledger);
        let ledger = known.and_then(|ledger| ledger.up_to_date(question));
        let ledger = ledger.unwrap_or_else(|| Ledger::of(question));
        let rejection = ledger.rejection();
        self.0.push_front((shape, ledger));
        self.0.truncate(LEDGERS_MAX);
        rejection
    }
}

impl Ledger {
    /// A ledger made by a look at every instance.
    pub(super) fn of(question: &Question<'_>) -> Self {
        let registered = question.belief.registered();
        let (instances, keys): (Vec<_>, Vec<_>) =
            registered.map(|(row, seat)| ((row, seat.order), key(question, row, seat))).unzip();
        let mut counts = [0; Refusal::COUNT];
        for refusal in keys.iter().filter_map(|&key| refusal(key)) {
            counts[refusal as usize] += 1;
        }
        let position = question.belief.touched().end();
        Ledger { position, instances, counts, tree: Tree::of(&keys, BITS, false) }
    }

    /// How many were refused for each reason, and who came closest (PL-41).
    pub(super) fn rejection(&self) -> Rejection {
        mark!("PL-41");
        let closest =
            refusal(self.tree.least()).map(|refusal| (self.instances[self.tree.first()].0, refusal));
        Rejection { counts: self.counts, closest }
    }

    /// Reads the rows touched since the last use. None where a new ledger is the better way: much has
    /// changed, or instances came or went.
    fn up_to_date(mut self, question: &Question<'_>) -> Option<Self> {
        let log = question.belief.touched();
        if log.since(self.position)?.len() > self.instances.len() / 2 {
            return None;
        }
        for net in log.net(self.position, None) {
            if net.former.order != net.seat.order {
                return None;
            }
            let leaf = self.instances.binary_search_by_key(&net.seat.order, |&(_, order)| order);
            if let Ok(leaf) = leaf {
                self.set(leaf, key(question, net.row, net.seat));
            }
        }
        self.position = log.end();
        Some(self)
    }

    fn set(&mut self, leaf: usize, key: u128) {
        if let Some(former) = refusal(self.tree.key(leaf)) {
            self.counts[former as usize] -= 1;
        }
        if let Some(refusal) = refusal(key) {
            self.counts[refusal as usize] += 1;
        }
        self.tree.set(leaf, key);
    }
}

/// How many bits a key has: checks passed, the reason, and what is left of the thing that is lacked.
const BITS: u32 = 8 + 8 + 64;

/// How far an ACTIVE instance is from taking the task: the more checks it passes, the later its reason,
/// the more there is left, the closer, and the less its key.
fn key(question: &Question<'_>, row: Row<ContainerInstance>, seat: &Seat) -> u128 {
    if seat.status != Some(InstanceStatus::Active) {
        return NONE;
    }
    let Some(refusal) = question.refusal(row) else { return NONE };
    let [_, left] = question.numbers(row, refusal);
    let left = u128::from(left.abs_diff(i64::MIN));
    let closeness = (question.passed(row) as u128) << 72 | (refusal as u128) << 64 | left;
    (1 << BITS) - 1 - closeness
}

/// The reason in a key.
fn refusal(key: u128) -> Option<Refusal> {
    let closeness = ((1_u128 << BITS) - 1).checked_sub(key)?;
    Some(Refusal::ALL[usize::from((closeness >> 64).to_le_bytes()[0])])
}
