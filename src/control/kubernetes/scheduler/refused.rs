//! Why nodes are out: few reasons stand for many nodes.
//!
//! A search that asks one node after the other notes each of them. One that reads the numbers of the shape
//! index notes the reasons alone; which node has which is worked out when somebody asks. Knows nothing of
//! who refused, and when.

use std::rc::Rc;

use crate::base::Row;

use super::cluster::NodeInfo;
use super::framework::Status;

/// Reasons, each with how many nodes are out for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Reasons(Vec<(Status, usize)>);

/// Nodes with the reasons why they are out.
///
/// ```
/// use windtunnel::base::Row;
/// use windtunnel::control::kubernetes::scheduler::{Status, refused::Refused};
/// let mut refused = Refused::default();
/// refused.add(Row::at(0), &Status::unschedulable("Too many pods"));
/// refused.add(Row::at(1), &Status::unschedulable("Too many pods"));
/// assert_eq!(refused.kinds().map(|(_, count)| count).collect::<Vec<_>>(), [2]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Refused {
    nodes: Vec<(Row<NodeInfo>, usize)>,
    /// Every node of the cluster, in the place of a list.
    all: Option<Numbered>,
    reasons: Reasons,
}

/// Every node of a cluster, with the number of its reason.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    /// The nodes in search order.
    pub(super) order: Rc<[Row<NodeInfo>]>,
    /// By place: -1 for the first of `reasons`, -2 for the next.
    pub(super) numbers: Rc<Vec<i32>>,
    /// The place that is met first.
    pub(super) start: usize,
    /// Reasons by number, as numbers of [`Reasons`].
    pub(super) reasons: Vec<usize>,
}

impl Reasons {
    /// The number of a reason.
    pub(super) fn number(&mut self, status: &Status) -> usize {
        let known = self.0.iter().position(|(known, _)| known == status);
        known.unwrap_or_else(|| {
            self.0.push((status.clone(), 0));
            self.0.len() - 1
        })
    }

    /// Counts so many nodes more for a reason.
    pub(super) fn add(&mut self, number: usize, nodes: usize) {
        self.0[number].1 += nodes;
    }

    /// Counts a node less for a reason.
    pub(super) fn remove(&mut self, number: usize) {
        self.0[number].1 -= 1;
    }

    /// Each reason for which nodes are out, and how many.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&Status, usize)> {
        self.0.iter().map(|(status, count)| (status, *count)).filter(|(_, count)| *count > 0)
    }

    /// How many reasons were ever noted.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Refused {
    /// Every node is out.
    pub(super) fn all(reasons: Reasons, nodes: Numbered) -> Self {
        Refused { nodes: Vec::new(), all: Some(nodes), reasons }
    }

    /// How many nodes.
    pub fn len(&self) -> usize {
        self.nodes.len() + self.all.as_ref().map_or(0, |all| all.order.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each node, and why it is out, in the order in which they were met.
    pub fn iter(&self) -> impl Iterator<Item = (Row<NodeInfo>, &Status)> {
        self.numbered().map(|(row, number)| (row, &self.reasons.0[number].0))
    }

    /// Each reason, and how many nodes are out for it.
    pub fn kinds(&self) -> impl Iterator<Item = (&Status, usize)> {
        self.reasons.counts()
    }

    /// Each node, and what a judge says of the reason why it is out.
    pub(super) fn judged(
        &self,
        judge: impl Fn(&Status) -> bool,
    ) -> impl Iterator<Item = (Row<NodeInfo>, bool)> {
        let verdicts: Vec<bool> = self.reasons.0.iter().map(|(status, _)| judge(status)).collect();
        self.numbered().map(move |(row, number)| (row, verdicts[number]))
    }

    /// Notes why a node is out.
    pub fn add(&mut self, row: Row<NodeInfo>, status: &Status) {
        let number = self.number(status);
        self.push(row, number);
    }

    /// The number of a reason.
    pub(super) fn number(&mut self, status: &Status) -> usize {
        self.reasons.number(status)
    }

    /// Notes why a node is out, by the number of the reason. The first node may be looked at again; it keeps
    /// its last refusal.
    pub(super) fn push(&mut self, row: Row<NodeInfo>, number: usize) {
        self.reasons.add(number, 1);
        match self.nodes.first_mut().filter(|(known, _)| *known == row) {
            Some(first) => self.reasons.remove(std::mem::replace(&mut first.1, number)),
            None => self.nodes.push((row, number)),
        }
    }

    /// Each node with the number of its reason.
    fn numbered(&self) -> impl Iterator<Item = (Row<NodeInfo>, usize)> {
        self.nodes.iter().copied().chain(self.all.iter().flat_map(Numbered::iter))
    }
}

impl Numbered {
    fn iter(&self) -> impl Iterator<Item = (Row<NodeInfo>, usize)> {
        let places = (self.start..self.order.len()).chain(0..self.start);
        let reason = |number: i32| usize::try_from(-1 - number).expect("every node is out");
        places.map(move |place| (self.order[place], self.reasons[reason(self.numbers[place])]))
    }
}
