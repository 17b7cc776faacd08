//! The reasons of a cycle, for somebody who asks about a pod.
//!
//! A cycle that nobody asks about skips what only a reason needs: the scores of the index are enough. One
//! that somebody asks about looks at every node it would have looked at anyway, and notes each refusal, each
//! score and the choice; its decision is the same. Knows nothing of who asks.

use crate::base::turn::Subject;
use crate::base::{Note, Row, Symbol, Turn};

use super::attempt::{Attempt, Nomination, Outcome};
use super::cluster::NodeInfo;
use super::framework::{Reason, Status};
use super::machine::Scheduler;
use super::preemption::Preempted;
use super::queue::InHand;

/// A cycle begins: its time in nanoseconds, and how many nodes there are. What follows is of this cycle.
pub const CYCLE: &str = "cycle";
/// What follows is scores: the finding is the plugin, the numbers are its weighted score and the total.
/// Before, it is refusals: the finding is the reason, or the plugin where the reason names something.
pub const SCORES: &str = "scores";
/// The node that was chosen.
pub const CHOSEN: &str = "chosen";
/// A node that can do, where there was no other to compare it with.
pub const FEASIBLE: &str = "can do";
/// The node that the pod was nominated to: so many pods have to make room there.
pub const NOMINATED: &str = "nominated";

/// Somebody asks about the pod in hand.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    subject: Subject,
    /// Whether only the choice is wanted otherwise.
    brief: bool,
}

impl Scheduler {
    /// Whether somebody asks about this pod; then the next cycle keeps its reasons.
    pub(super) fn asked(&mut self, turn: &Turn<'_>, pod: &InHand) -> Option<Asked> {
        let subject = Subject(self.cluster.pod(pod.row)?.key);
        if !turn.why.wants(subject) {
            return None;
        }
        let brief = std::mem::replace(&mut self.found.brief, false);
        Some(Asked { subject, brief })
    }

    /// Notes what the cycle found, if somebody asked. The row of a note is that of the scheduler's nodes, in
    /// the order in which it heard of them.
    pub(super) fn give_reasons(&mut self, asked: Option<&Asked>, turn: &mut Turn<'_>, attempt: &Attempt) {
        let Some(&Asked { subject, brief }) = asked else { return };
        self.found.brief = brief;
        if attempt.outcome == Outcome::Skipped {
            return;
        }
        let at = i64::try_from(turn.now.as_nanos()).unwrap_or(i64::MAX);
        let mut note = |finding, row: Option<Row<NodeInfo>>, numbers| {
            turn.why.note(Note { subject, finding, row: row.map(Row::number), numbers });
        };
        let found = &self.found;
        note(CYCLE, None, [at, count(found.nodes)]);
        for (row, status) in found.refused.iter() {
            refusals(status).for_each(|finding| note(finding, Some(row), [0, 0]));
        }
        if let Some(status) = &found.absent {
            refusals(status).for_each(|finding| note(finding, None, [0, 0]));
        }
        note(SCORES, None, [count(found.feasible.len()), 0]);
        if found.scores.total.is_empty() {
            found.feasible.iter().for_each(|&row| note(FEASIBLE, Some(row), [0, 0]));
        }
        for (plugin, scores) in &found.scores.plugins {
            for ((&row, &score), &total) in found.feasible.iter().zip(scores).zip(&found.scores.total) {
                note(plugin, Some(row), [score, total]);
            }
        }
        let row = |node: Symbol| self.cluster.remembered(node).map(|node| node.row);
        if let Outcome::Scheduled(node) = attempt.outcome {
            note(CHOSEN, row(node), [0, 0]);
        }
        if let Nomination::Node(node) = attempt.nomination {
            note(NOMINATED, row(node), [count(victims(attempt)), 0]);
        }
    }
}

/// How many pods have to make room.
fn victims(attempt: &Attempt) -> usize {
    match &attempt.preempted {
        Some(Preempted::Nominated { candidates, chosen }) => candidates[*chosen].victims.len(),
        Some(Preempted::NotEligible(_) | Preempted::Helpless(_) | Preempted::Error(_)) | None => 0,
    }
}

/// Each reason of a refusal in fixed words; where the words name something, who refuses.
fn refusals(status: &Status) -> impl Iterator<Item = &'static str> {
    status.reasons.iter().map(|reason| match reason {
        Reason::Borrowed(words) => *words,
        Reason::Owned(_) => status.plugin,
    })
}

fn count(count: usize) -> i64 {
    i64::try_from(count).expect("fewer than 2^63")
}
