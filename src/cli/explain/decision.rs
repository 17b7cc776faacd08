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
            let names: Vec<String> = rows.iter().take(NAMED_MAX).map(|&row| named(row)).collect();
            let more = rows.len().saturating_sub(NAMED_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let of = if names.is_empty() { "every other node".to_owned() } else { names.join(", ") };
            let _ = writeln!(text, "  {reason}: {of}{more}");
        }
        if let Some((row, victims)) = self.nominated {
            let pods = if victims == 1 { "pod has" } else { "pods have" };
            let _ = writeln!(text, "\nNominated to {}: {victims} {pods} to make room there.", named(row));
        }
        text
    }
}
