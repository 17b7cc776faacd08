//! The result in a few sentences of plain words.
//!
//! A difference is claimed only where the 95 % intervals of two platforms do not touch; a single run
//! claims none. Knows nothing of html.

use crate::measure::Estimate;
use crate::measure::sheet::{PlatformSheet, Sheet, things};

use super::number;

/// The measure of the first sentence.
const COST: &str = "cost_usd";
/// The measure of the second.
const START: &str = "start_p99_s";
/// The measure of the third.
const FAILED: &str = "tasks_failed";
/// The measure of the fourth.
const PENDING: &str = "pending_end";

/// The sentences, the most important first; empty when nothing was measured.
pub(super) fn sentences(sheet: &Sheet, platforms: &[PlatformSheet]) -> Vec<String> {
    let cost = Subject::of(sheet, platforms, COST).map(|subject| subject.cost(sheet));
    let start = Subject::of(sheet, platforms, START).map(|subject| subject.start());
    let failed = Subject::of(sheet, platforms, FAILED).map(|subject| subject.failed());
    let pending = Subject::of(sheet, platforms, PENDING).and_then(|subject| subject.pending());
    [cost, start, failed, pending].into_iter().flatten().chain(caution(sheet, platforms)).collect()
}

/// One measure on all platforms that have it, the smallest first.
///
/// What the intervals allow to say: the first `tied` rows cannot be told apart from the smallest, the
/// others are surely larger than it.
struct Subject {
    rows: Vec<Row>,
    tied: usize,
    /// The sheet has no other platform, so that it needs no name.
    alone: bool,
    /// What runs: tasks or pods.
    things: &'static str,
}

struct Row {
    name: String,
    text: String,
    estimate: Estimate,
}

impl Subject {
    fn of(sheet: &Sheet, platforms: &[PlatformSheet], measure: &str) -> Option<Subject> {
        let at = sheet.columns.iter().position(|column| column.name == measure)?;
        let column = sheet.columns[at];
        let row = |platform: &PlatformSheet| {
            let estimate = platform.measures.get(at).copied().flatten()?;
            let figure = number::interval(&estimate, column.decimals)?;
            let text = if column.unit.is_empty() { figure } else { format!("{figure} {}", column.unit) };
            Some(Row { name: number::plain(&platform.name), text, estimate })
        };
        let mut rows: Vec<Row> = platforms.iter().filter_map(row).collect();
        rows.sort_by(|a, b| a.estimate.mean.total_cmp(&b.estimate.mean)); // stable: then in the order of the scenario
        let best = rows.first()?.estimate;
        rows.sort_by_key(|row| differ(&best, &row.estimate));
        let tied = rows.iter().filter(|row| !differ(&best, &row.estimate)).count();
        Some(Subject { rows, tied, alone: platforms.len() == 1, things: things(platforms) })
    }

    fn cost(&self, sheet: &Sheet) -> String {
        let length = number::words(sheet.run_for);
        match self.rows.split_at(self.tied) {
            ([only], []) => format!("{} costs {} for {length}.", only.name, only.text),
            ([best], rest) => {
                let others: Vec<String> = rest.iter().map(|row| less(best, row)).collect();
                let lead = if rest.len() > 1 { "is the cheapest: it costs" } else { "costs" };
                format!("{} {lead} {} for {length}, {}.", best.name, best.text, number::list(&others))
            }
            (tied, rest) if singles(tied) => {
                format!("{} cost {} for {length}{}.", names(tied), texts(tied), larger(tied, rest))
            }
            (tied, rest) => format!(
                "The costs of {} for {length} cannot be told apart ({}): their 95 % intervals overlap{}.",
                names(tied),
                pairs(tied),
                larger(tied, rest),
            ),
        }
    }

    fn start(&self) -> String {
        let things = self.things;
        match self.rows.split_at(self.tied) {
            ([only], []) if self.alone => {
                format!("99 of 100 {things} ran within {} of their arrival.", only.text)
            }
            ([only], []) => {
                format!("99 of 100 {things} ran within {} of their arrival on {}.", only.text, only.name)
            }
            ([best], rest) => format!(
                "99 of 100 {things} ran within {} of their arrival on {}, against {}.",
                best.text,
                best.name,
                number::list(&each(rest)),
            ),
            (tied, rest) if singles(tied) => {
                let all: Vec<String> = each(tied).into_iter().chain(each(rest)).collect();
                format!("99 of 100 {things} ran after at most {}.", number::list(&all))
            }
            (tied, rest) => {
                format!(
                    "How soon 99 of 100 {things} run cannot be told apart on {} ({}): the 95 % intervals overlap{}.",
                    names(tied),
                    pairs(tied),
                    larger(tied, rest),
                )
            }
        }
    }

    fn failed(&self) -> String {
        let none = self.rows.iter().all(|row| row.estimate.mean == 0.0);
        match (self.rows.as_slice(), self.things) {
            (_, "pods") if none => "No pod failed.".to_owned(),
            _ if none => "No task failed.".to_owned(),
            ([only], things) if self.alone => format!("{} that failed: {}.", capital(things), only.text),
            (rows, things) => format!("{} that failed: {}.", capital(things), number::list(&each(rows))),
        }
    }

    /// None when no pod waits at the end.
    fn pending(&self) -> Option<String> {
        let rows = self.rows.iter().filter(|row| row.estimate.mean > 0.0);
        let each: Vec<String> = rows.map(|row| format!("{} on {}", row.text, row.name)).collect();
        (!each.is_empty()).then(|| format!("Pods without a node at the end: {}.", number::list(&each)))
    }
}

fn capital(things: &str) -> String {
    things.replacen(['t', 'p'], if things.starts_with('p') { "P" } else { "T" }, 1)
}

/// The 95 % intervals do not touch. A single run has no interval, hence no difference.
#[expect(clippy::float_arithmetic, reason = "the float island of comparisons")]
fn differ(a: &Estimate, b: &Estimate) -> bool {
    match (a.half_width, b.half_width) {
        (Some(a_width), Some(b_width)) => (a.mean - b.mean).abs() > a_width + b_width,
        (Some(_) | None, _) => false,
    }
}

/// How much less the best is than this one.
#[expect(clippy::float_arithmetic, reason = "the float island of comparisons")]
fn less(best: &Row, other: &Row) -> String {
    let share = (other.estimate.mean - best.estimate.mean) / other.estimate.mean * 100.0;
    let digits = usize::from(share < 10.0);
    match number::figure(share, digits) {
        Some(percent) if other.estimate.mean > 0.0 => {
            format!("{percent} % less than {} ({})", other.name, other.text)
        }
        Some(_) | None => format!("less than {} ({})", other.name, other.text),
    }
}

fn caution(sheet: &Sheet, platforms: &[PlatformSheet]) -> Option<String> {
    (platforms.len() > 1 && sheet.replications <= 1).then(|| {
        "With one run each (n = 1), chance cannot be told from a difference: repeat with more seeds."
            .to_owned()
    })
}

fn singles(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.estimate.half_width.is_none())
}

fn names(rows: &[Row]) -> String {
    number::list(&rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>())
}

fn texts(rows: &[Row]) -> String {
    number::list(&rows.iter().map(|row| row.text.clone()).collect::<Vec<_>>())
}

fn pairs(rows: &[Row]) -> String {
    number::list(&rows.iter().map(|row| format!("{}: {}", row.name, row.text)).collect::<Vec<_>>())
}

fn each(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| format!("{} on {}", row.text, row.name)).collect()
}

fn larger(tied: &[Row], rest: &[Row]) -> String {
    match (tied, rest) {
        ([], _) | (_, []) => String::new(),
        ([best, ..], rest) => format!("; it is more than on {}: {}", best.name, number::list(&each(rest))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    /// The sentence about costs, with these estimates on platforms a, b, c: mean, half width.
    fn cost(estimates: &[(f64, Option<f64>)]) -> String {
        let mut sheet = example::sheet();
        let like = sheet.platforms[0].clone();
        sheet.platforms = ["a", "b", "c"]
            .into_iter()
            .zip(estimates)
            .map(|(name, &(mean, half_width))| {
                let estimate = Estimate { n: if half_width.is_some() { 10 } else { 1 }, mean, half_width };
                let measures = vec![Some(estimate)];
                PlatformSheet { name: name.to_owned(), measures, ..like.clone() }
            })
            .collect();
        sentences(&sheet, &sheet.platforms).remove(0)
    }

    #[test]
    fn a_difference_is_claimed_only_between_intervals_that_do_not_touch() {
        let of = |mean, half_width| (mean, Some(half_width));
        let rows = [
            (vec![of(90.0, 1.0)], "a costs 90.00 ± 1.00 USD for 7 days."),
            (
                vec![of(100.0, 1.0), of(75.0, 1.0)],
                "b costs 75.00 ± 1.00 USD for 7 days, 25 % less than a (100.00 ± 1.00 USD).",
            ),
            (
                vec![of(100.0, 1.0), of(99.0, 0.0)],
                "The costs of b and a for 7 days cannot be told apart (b: 99.00 ± 0.00 USD and a: 100.00 ± 1.00 USD): \
                 their 95 % intervals overlap.",
            ),
            (
                vec![of(100.0, 0.0), of(99.0, 0.0)],
                "b costs 99.00 ± 0.00 USD for 7 days, 1.0 % less than a (100.00 ± 0.00 USD).",
            ),
            (vec![(10.0, None), (20.0, None)], "a and b cost 10.00 USD and 20.00 USD for 7 days."),
            (
                vec![of(10.0, 1.0), of(20.0, 1.0), of(40.0, 1.0)],
                "a is the cheapest: it costs 10.00 ± 1.00 USD for 7 days, 50 % less than b (20.00 ± 1.00 USD) and \
                 75 % less than c (40.00 ± 1.00 USD).",
            ),
            (
                vec![of(10.0, 0.1), of(20.0, 0.1), of(30.0, 50.0)],
                "The costs of a and c for 7 days cannot be told apart (a: 10.00 ± 0.10 USD and c: 30.00 ± 50.00 USD): \
                 their 95 % intervals overlap; it is more than on a: 20.00 ± 0.10 USD on b.",
            ),
            (
                vec![of(0.0, 0.0), of(0.0, 0.0)],
                "The costs of a and b for 7 days cannot be told apart (a: 0.00 ± 0.00 USD and b: 0.00 ± 0.00 USD): \
                 their 95 % intervals overlap.",
            ),
        ];
        for (estimates, sentence) in rows {
            assert_eq!(cost(&estimates), sentence);
        }
    }

    #[test]
    fn one_run_each_says_that_it_proves_nothing() {
        let (single, alone) = (example::single(), example::alone());
        let last = sentences(&single, &single.platforms).pop().expect("a sentence");
        assert!(last.contains("n = 1"), "{last}");
        let all = sentences(&alone, &alone.platforms);
        assert_eq!(all[1], "99 of 100 tasks ran within 96.40 ± 1.51 s of their arrival.");
        let empty = example::empty();
        assert_eq!(sentences(&empty, &empty.platforms), Vec::<String>::new());
    }
}
