//! What the scripts of `report.html` draw from: columns of plain integers, as JSON inside the page.
//!
//! The page must stay below 3 MB however long the run was, so that everything here has a limit: what is
//! beyond it is summed up, and the page says so. Times are ticks since the start of the run. Knows
//! nothing of how it is drawn.

mod curves;
mod events;
mod frames;
mod tasks;

use std::fmt::Write;

use serde::Serialize;

use crate::base::{Span, Timestamp};
use crate::measure::sheet::{PlatformSheet, Sheet};

use super::number;

/// Runs that are longer have ticks of a second.
const SHORT_RUN: Span = Span::HOUR;
/// All maps of a page together show this many single tasks at most; above, a map is summed up.
const TASKS_MAX: usize = 36_000;
/// A map of single tasks shows this many machines at most.
const NODES_MAX: usize = 1_000;
/// A map of single tasks names this many workloads at most.
const WORKLOADS_MAX: usize = 2_000;

/// How much of a platform the data holds.
pub(super) struct Scope {
    kubernetes: bool,
    tasks: usize,
    nodes: usize,
    /// How many machines stand in a group, and the number of instants, of a map that is summed up.
    summed: Option<(usize, usize)>,
    events: (usize, usize),
}

impl Scope {
    /// How the map is summed up, in a sentence; empty when it shows every task.
    pub(super) fn map(&self) -> String {
        let count = |count: usize| number::grouped(&count.to_string());
        let Some((together, instants)) = self.summed else {
            return String::new();
        };
        let (tasks, task, machines) =
            if self.kubernetes { ("pods", "pod", "nodes") } else { ("tasks", "task", "instances") };
        format!(
            "{} {tasks} and {} {machines} are too many to show each. A box is up to {together} {machines} side by side, \
             seen at {instants} instants, and only the largest workloads are told apart; tasks.csv has every {task}.",
            count(self.tasks),
            count(self.nodes)
        )
    }

    /// What of the events is left out, in a sentence; empty when nothing is.
    pub(super) fn events(&self) -> String {
        let (kept, all) = self.events;
        let count = |count: usize| number::grouped(&count.to_string());
        if kept == all {
            return String::new();
        }
        format!(
            "{} of {} events are here, the rarest kinds first; events.csv has all.",
            count(kept),
            count(all)
        )
    }
}

/// The data as it stands in a page.
pub(super) struct Packed {
    /// JSON that can stand inside a `script` element: it holds no `<`, `>` or `&`.
    pub(super) json: String,
    /// How much of each platform it holds.
    pub(super) scopes: Vec<Scope>,
}

impl Packed {
    pub(super) fn of(sheet: &Sheet, platforms: &[PlatformSheet]) -> Packed {
        let data = Data::of(sheet, platforms);
        let scopes = data.platforms.iter().zip(platforms).map(|(data, platform)| data.scope(platform));
        Packed { scopes: scopes.collect(), json: escaped(&data) }
    }
}

fn escaped(data: &Data) -> String {
    let text = serde_json::to_string(data).expect("plain columns can be written");
    let mut safe = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        let (before, behind) = rest.split_at(at);
        let letter = behind.chars().next().expect("one was found");
        let _ = write!(safe, "{before}\\u{:04x}", u32::from(letter));
        rest = &behind[letter.len_utf8()..];
    }
    safe.push_str(rest);
    safe
}

#[derive(Serialize)]
struct Data {
    /// Milliseconds since 1970.
    start: u64,
    /// Milliseconds per tick.
    tick: u64,
    /// Ticks.
    end: i64,
    starts: Vec<curves::Starts>,
    platforms: Vec<Platform>,
}

#[derive(Serialize)]
struct Platform {
    name: String,
    /// Tasks are pods, and instances are nodes.
    kubernetes: bool,
    charts: Vec<curves::Chart>,
    map: Map,
    events: events::Events,
}

/// What ran where.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Map {
    /// Every task and machine.
    Tasks(Box<tasks::Tasks>),
    /// Groups of machines at some instants.
    Frames(frames::Frames),
}

impl Platform {
    fn scope(&self, platform: &PlatformSheet) -> Scope {
        Scope {
            kubernetes: platform.kubernetes,
            tasks: platform.tasks.len(),
            nodes: platform.nodes.len(),
            summed: match &self.map {
                Map::Tasks(_) => None,
                Map::Frames(frames) => Some(frames.grain()),
            },
            events: self.events.kept(),
        }
    }
}

impl Data {
    fn of(sheet: &Sheet, platforms: &[PlatformSheet]) -> Data {
        let tick = if sheet.run_for > SHORT_RUN { Span::SECOND } else { Span::millis(100) };
        let clock = Clock { start: sheet.start, tick };
        let end = clock.at(sheet.start + sheet.run_for);
        let shown = platforms.len().max(1);
        let platform = |platform: &PlatformSheet| Platform {
            name: number::plain(&platform.name),
            kubernetes: platform.kubernetes,
            charts: curves::charts(platform),
            map: if fits(platform, shown) {
                Map::Tasks(Box::new(tasks::Tasks::of(platform, clock, end)))
            } else {
                Map::Frames(frames::Frames::of(platform, clock, end, shown))
            },
            events: events::Events::of(platform, clock, shown),
        };
        Data {
            start: sheet.start.as_nanos() / 1_000_000,
            tick: tick.as_nanos() / 1_000_000,
            end,
            starts: curves::starts(platforms),
            platforms: platforms.iter().map(platform).collect(),
        }
    }
}

/// Whether the map of a platform can show each task, beside those of other platforms.
fn fits(platform: &PlatformSheet, shown: usize) -> bool {
    platform.tasks.len() <= TASKS_MAX / shown
        && platform.nodes.len() <= NODES_MAX
        && tasks::busiest(platform).len() <= WORKLOADS_MAX
}

/// Instants as ticks since the start of the run.
#[derive(Clone, Copy)]
struct Clock {
    start: Timestamp,
    tick: Span,
}

impl Clock {
    /// The tick of an instant, down to a whole one; -1 for never.
    fn at(self, at: Timestamp) -> i64 {
        if at == Timestamp::NEVER {
            return -1;
        }
        let nanos = at.as_nanos().saturating_sub(self.start.as_nanos());
        i64::try_from(nanos / self.tick.as_nanos()).unwrap_or(i64::MAX)
    }

    /// How many ticks lie between two instants; -1 when the second is never.
    fn between(self, from: Timestamp, to: Timestamp) -> i64 {
        if to == Timestamp::NEVER { -1 } else { (self.at(to) - self.at(from)).max(0) }
    }
}

/// Texts that are referred to by their number.
#[derive(Serialize, Default)]
#[serde(transparent)]
struct Texts {
    list: Vec<String>,
    #[serde(skip)]
    known: std::collections::BTreeMap<String, usize>,
}

impl Texts {
    /// The number of a text.
    fn number(&mut self, text: &str) -> usize {
        if let Some(&known) = self.known.get(text) {
            return known;
        }
        self.list.push(number::plain(text));
        self.known.insert(text.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }
}

#[cfg(test)]
mod tests;
