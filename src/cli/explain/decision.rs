//! The reasons of the scheduler's last decision about a pod, as a table: nodes, scores, refusals.
//!
//! A pod may be tried hundreds of times over thousands of nodes: only the notes of the last cycle are kept.
//! Knows nothing of how a node is scored.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use super::clock;
use crate::base::Timestamp;
use crate::base::turn::{Note, Subject, Why};
use crate::control::kubernetes::scheduler::explain::{CHOSEN, CYCLE, FEASIBLE, NOMINATED, SCORES};

/// So many scored nodes are shown, the best first.
const SCORED_MAX: usize = 20;
/// So many nodes are named for each reason.
const NAMED_MAX: usize = 10;

/// Asks about one subject, up to a time, and forgets all cycles but the last.
pub(super) struct LastCycle {
    subject: Subject,
    until: Timestamp,
    over: bool,
    /// How many cycles there were.
    pub(super) cycles: u64,
    /// What the last one found, or all that was found where there are no cycles.
    pub(super) notes: Vec<Note>,
}

impl LastCycle {
    pub(super) fn about(subject: Subject, until: Timestamp) -> Self {
        LastCycle { subject, until, over: false, cycles: 0, notes: Vec::new() }
    }
}

impl Why for LastCycle {
    fn wants(&self, subject: Subject) -> bool {
        subject == self.subject && !self.over
    }

    fn note(&mut self, note: Note) {
        if note.finding == CYCLE {
            self.over = u64::try_from(note.numbers[0]).is_ok_and(|at| at > self.until.as_nanos());
            if !self.over {
                self.cycles += 1;
                self.notes.clear();
            }
        }
        if !self.over {
            self.notes.push(note);
        }
    }
}

/// What the notes of a cycle come to.
#[derive(Default)]
struct Decision {
    at: Timestamp,
    nodes: i64,
    plugins: Vec<&'static str>,
    /// By row: the scores in the order of the plugins, and their sum.
    scored: BTreeMap<u32, (Vec<i64>, i64)>,
    /// By reason, the nodes that it refuses; none where it refuses all that nothing else is said of.
    refused: BTreeMap<&'static str, Vec<u32>>,
    chosen: Option<u32>,
    /// The node where so many pods have to make room.
    nominated: Option<(u32, i64)>,
}

/// The last decision in words; empty where nobody decided. `named` spells the node of a row.
pub(super) fn told(why: &LastCycle, start: Timestamp, named: &dyn Fn(u32) -> String) -> String {
    let Some(decision) = Decision::of(&why.notes) else { return String::new() };
    let at = clock(decision.at.saturating_since(start));
    let tries =
        if why.cycles == 1 { "at the first try".to_owned() } else { format!("at try {}", why.cycles) };
    let nodes = if decision.nodes == 1 { "node" } else { "nodes" };
    let head = format!("\nHow the scheduler decided at {at}, {tries}, among {} {nodes}:\n", decision.nodes);
    head + &decision.scores(named) + &decision.refusals(named)
}

impl Decision {
    fn of(notes: &[Note]) -> Option<Decision> {
        let cycle = notes.first().filter(|note| note.finding == CYCLE)?;
        let at = Timestamp::from_nanos(u64::try_from(cycle.numbers[0]).unwrap_or(0));
        let mut decision = Decision { at, nodes: cycle.numbers[1], ..Decision::default() };
        let scores = notes.iter().position(|note| note.finding == SCORES).unwrap_or(notes.len());
        for note in &notes[1..scores] {
            decision.refused.entry(note.finding).or_default().extend(note.row);
        }
        for note in &notes[(scores + 1).min(notes.len())..] {
            decision.add(note);
        }
        Some(decision)
    }

    fn add(&mut self, note: &Note) {
        let [score, total] = note.numbers;
        let Some(row) = note.row else { return };
        match note.finding {
            CHOSEN => self.chosen = Some(row),
            NOMINATED => self.nominated = Some((row, score)),
            FEASIBLE => self.scored.entry(row).or_default().1 = total,
            plugin => {
                if self.plugins.last() != Some(&plugin) {
                    self.plugins.push(plugin);
                }
                let known = self.scored.entry(row).or_default();
                known.0.push(score);
                known.1 = total;
            }
        }
    }

    /// The nodes that can do, the chosen one first, then those with the best scores.
    fn scores(&self, named: &dyn Fn(u32) -> String) -> String {
        if self.scored.is_empty() {
            return "\nNo node can take it.\n".to_owned();
        }
        let mut order: Vec<(&u32, &(Vec<i64>, i64))> = self.scored.iter().collect();
        order.sort_by_key(|&(&row, &(_, total))| (self.chosen != Some(row), Reverse(total), row));
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        let titles = ["", "node"].into_iter().chain(self.plugins.iter().copied());
        table.set_header(titles.chain((!self.plugins.is_empty()).then_some("total")));
        for &(&row, (scores, total)) in order.iter().take(SCORED_MAX) {
            let chosen = if self.chosen == Some(row) { "chosen" } else { "" };
            let numbers = scores.iter().chain((!scores.is_empty()).then_some(total));
            table.add_row([chosen.to_owned(), named(row)].into_iter().chain(numbers.map(i64::to_string)));
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let mut text = String::from("\n");
        for line in table.lines() {
            let _ = writeln!(text, "{}", line.trim_end());
        }
        if order.len() > SCORED_MAX {
            let _ = writeln!(text, "and {} more nodes with lower scores", order.len() - SCORED_MAX);
        }
        text
    }

    /// Which nodes cannot take it, by reason, and what preemption does about it.
    fn refusals(&self, named: &dyn Fn(u32) -> String) -> String {
        let mut text = String::new();
        if !self.refused.is_empty() {
            text.push_str("\nRefused:\n\n");
        }
        for (reason, rows) in &self.refused {
            let few: Vec<String> = rows.iter().take(NAMED_MAX).map(|&row| named(row)).collect();
            let more = rows.len().saturating_sub(NAMED_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let of = if few.is_empty() { "every other node".to_owned() } else { few.join(", ") };
            let _ = writeln!(text, "  {reason}: {of}{more}");
        }
        if let Some((row, victims)) = self.nominated {
            let pods = if victims == 1 { "pod has" } else { "pods have" };
            let _ = writeln!(text, "\nNominated to {}: {victims} {pods} to make room there.", named(row));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use serde_json::json;

    use super::*;
    use crate::base::turn::Nobody;
    use crate::base::{EntityKey, Row, Span};
    use crate::control::kubernetes::objects::Node;
    use crate::sim::fact::Digests;
    use crate::sim::tests::pods::Cluster;
    use crate::sim::{Ended, Plan, run_with};

    fn plan() -> Plan {
        let wants = |cpu: &str| json!({"containers": [{"name": "c", "image": "app:1", "resources": {"requests": {"cpu": cpu}}}]});
        Cluster::new(Span::HOUR, 4)
            .pods("web", Span::SECOND, 5, &wants("900m"), (None, None))
            .pods("half", Span::seconds(2), 3, &wants("1100m"), (None, Some(Span::minutes(9))))
            .pods("big", Span::seconds(3), 1, &wants("1100m"), (None, None))
            .plan()
    }

    fn listened(plan: &Plan, why: &mut dyn Why) -> Ended {
        run_with(plan, 1, &mut Digests::default(), why, &mut |_| ControlFlow::Continue(()))
    }

    /// Name and number of a pod, time of the story, and what is told.
    #[test]
    fn the_last_decision_is_told() {
        let plan = plan();
        let rows = [
            ("web", 0, Timestamp::NEVER, [" chosen  node-", "at the first try, among 4 nodes"]),
            ("half", 0, Timestamp::NEVER, [" chosen  node-", "Refused:\n\n  Insufficient cpu: node-"]),
            ("big", 0, Timestamp::NEVER, [" chosen  node-", "Refused:\n\n  Insufficient cpu: node-"]),
            (
                "big",
                0,
                plan.start + Span::minutes(1),
                ["No node can take it.", "Insufficient cpu: node-0, node-1"],
            ),
        ];
        let quiet = listened(&plan, &mut Nobody).digests.decisions();
        for (workload, serial, until, parts) in rows {
            let mut why = LastCycle::about(Subject(EntityKey::new("pod", workload, serial)), until);
            let digest = listened(&plan, &mut why).digests.decisions();
            assert_eq!(digest, quiet, "who is asked decides the same");
            let text = told(&why, plan.start, &|row| {
                let named = |at: &usize| Row::<Node>::at(*at).number() == row;
                format!("node-{}", (0..4).find(named).expect("a node of the plan"))
            });
            for part in parts {
                assert!(text.contains(part), "{workload}-{serial}: {part:?} is not in{text}");
            }
        }
    }

    #[test]
    fn many_nodes_are_cut_short() {
        let subject = Subject(EntityKey::new("pod", "web", 0));
        let note = |finding, row: Option<u32>, numbers| Note { subject, finding, row, numbers };
        let mut why = LastCycle::about(subject, Timestamp::NEVER);
        why.note(note(CYCLE, None, [7_000_000_000, 60]));
        (1..=30).for_each(|row| why.note(note("Insufficient cpu", Some(row), [0, 0])));
        why.note(note(SCORES, None, [30, 0]));
        (31..=60).for_each(|row| why.note(note("Fit", Some(row), [i64::from(row), i64::from(row)])));
        why.note(note(CHOSEN, Some(40), [0, 0]));
        why.note(note(NOMINATED, Some(41), [2, 0]));
        let text = told(&why, Timestamp::from_nanos(0), &|row| format!("n{row}"));
        for part in [
            "at 0:00:07.000, at the first try, among 60 nodes:",
            "\n chosen  n40    40     40\n         n60    60     60\n",
            "\nand 10 more nodes with lower scores\n",
            "\n  Insufficient cpu: n1, n2, n3, n4, n5, n6, n7, n8, n9, n10 and 20 more\n",
            "\nNominated to n41: 2 pods have to make room there.\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in{text}");
        }
    }
}
