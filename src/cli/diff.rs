//! `windtunnel diff`: where two results part, and what moved.
//!
//! Both runs are repeated from their records. The decision that differs first is found by the digest of
//! the decisions so far, noted every so often; then the stretch in which it changed is run again and
//! compared one by one. Measures are those of `summary.csv`.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::args::Diff;
use super::explain::{clock, end_in_words, listen, read_record, repeat};
use super::record::Record;
use super::run::platform_folders;
use super::summary::{self, Summary};
use super::{Exit, say, warn};
use crate::base::turn::Nobody;
use crate::base::{Name, Timestamp};
use crate::control::ecs::objects::StoppedTask;
use crate::engine::Digest;
use crate::measure::compare::Moved;
use crate::measure::{MEASURES, Spelling};
use crate::sim::fact::{Digests, Fact, FactKind, Observer};
use crate::sim::kubernetes::{PodEnd, PodFact, PodLife};
use crate::sim::{Plan, run_with};

/// The digest of the decisions so far is noted every so many.
const STRETCH: u64 = 1024;
/// The story of a task is shown to so many lines before its decision.
const LINES_MAX: usize = 24;

/// One platform of a result.
struct Side {
    record: Record,
    summary: Summary,
}

/// What differs on one platform.
struct Found {
    name: String,
    digests: [String; 2],
    /// Why the decisions could not be compared one by one, if they could not.
    unknown: Option<String>,
    first: Option<First>,
    measures: Vec<(usize, Moved)>,
    /// Measures that are alike.
    alike: usize,
}

/// The first decision that differs.
struct First {
    number: u64,
    sides: [Option<Decision>; 2],
    reasons: [String; 2],
}

/// A decision in words.
#[derive(Clone, PartialEq, Eq)]
struct Decision {
    digest: Digest,
    at: Timestamp,
    /// The time since the start.
    clock: String,
    words: String,
    /// The task or pod that it is about.
    task: Option<Name>,
}

pub(super) fn diff(asked: &Diff) -> Exit {
    match try_diff(asked) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn try_diff(asked: &Diff) -> Result<Exit, Exit> {
    let (pairs, alone) = pairs(&asked.a, &asked.b)?;
    let mut found = Vec::new();
    for (name, a, b) in pairs {
        found.push(compare(name, [&side(&a)?, &side(&b)?])?);
    }
    let equal = alone.is_empty() && found.iter().all(Found::is_equal);
    if asked.json {
        let all: Vec<Value> = found.iter().map(Found::json).collect();
        let value = json!({ "equal": equal, "only_in_one": alone, "platforms": all });
        let text = serde_json::to_string_pretty(&value).expect("a value can be written");
        say(&format!("{text}\n"));
    } else {
        let all: Vec<String> = found.iter().map(Found::text).collect();
        let alone = alone.iter().map(|line| format!("{line}\n"));
        say(&all.into_iter().chain(alone).collect::<Vec<_>>().join("\n"));
    }
    Ok(if equal { Exit::Good } else { Exit::Different })
}

/// Folders to compare, by the name of the platform, and a line for each that has no match. Two folders of
/// one platform each are compared whatever their names.
#[expect(clippy::type_complexity, reason = "read once")]
fn pairs(a: &Path, b: &Path) -> Result<(Vec<(String, PathBuf, PathBuf)>, Vec<String>), Exit> {
    let folders = |path: &Path| {
        let found = platform_folders(path);
        if found.is_empty() {
            warn(&format!("E0801 {} holds no result (no run.json)\n", path.display()));
            return Err(Exit::WrongInput);
        }
        Ok(found)
    };
    let name =
        |path: &Path| path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let (left, right) = (folders(a)?, folders(b)?);
    if let ([one], [other]) = (left.as_slice(), right.as_slice()) {
        return Ok((vec![(name(one), one.clone(), other.clone())], Vec::new()));
    }
    let with = |all: &[PathBuf], wanted: &str| all.iter().find(|path| name(path) == wanted).cloned();
    let (mut both, mut alone) = (Vec::new(), Vec::new());
    for path in &left {
        match with(&right, &name(path)) {
            Some(other) => both.push((name(path), path.clone(), other)),
            None => alone.push(format!("{} is only in {}", name(path), a.display())),
        }
    }
    let extra = right.iter().filter(|path| with(&left, &name(path)).is_none());
    alone.extend(extra.map(|path| format!("{} is only in {}", name(path), b.display())));
    Ok((both, alone))
}

fn side(folder: &Path) -> Result<Side, Exit> {
    Ok(Side { record: read_record(folder)?, summary: summary::read(folder)? })
}

fn compare(name: String, [a, b]: [&Side; 2]) -> Result<Found, Exit> {
    let digests = [a, b].map(|side| side.record.decision_digest.clone());
    let (mut first, mut unknown) = (None, None);
    if digests[0] != digests[1] {
        match repeatable(&a.record).and_then(|()| repeatable(&b.record)) {
            Ok(()) => first = first_difference([&a.record, &b.record])?,
            Err(why) => unknown = Some(why),
        }
    }
    let mut measures = Vec::new();
    let mut alike = 0;
    for (nth, of) in MEASURES.iter().enumerate() {
        let values = [a, b].map(|side| side.summary.of(of.name));
        match Moved::between(&values[0], &values[1]) {
            Some(moved) if moved.moved() => measures.push((nth, moved)),
            Some(_) => alike += 1,
            None => {}
        }
    }
    Ok(Found { name, digests, unknown, first, measures, alike })
}

/// Whether this version can repeat a record.
fn repeatable(record: &Record) -> Result<(), String> {
    let (version, digest) = (env!("CARGO_PKG_VERSION"), crate::engine::digest::VERSION);
    if record.digest_version == digest {
        return Ok(());
    }
    Err(format!("a result of version {} cannot be repeated by version {version}", record.version))
}

/// The digest of all decisions so far, noted after every stretch.
struct Marks {
    digests: Digests,
    count: u64,
    noted: Vec<Digest>,
}

impl Observer for Marks {
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        if is_decision(fact) {
            self.digests.fact(plan, at, fact);
            self.count += 1;
            if self.count.is_multiple_of(STRETCH) {
                self.noted.push(self.digests.decisions());
            }
        }
    }
}

/// The decisions of one stretch.
struct Window {
    from: u64,
    count: u64,
    decisions: Vec<Decision>,
}

impl Observer for Window {
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        if !is_decision(fact) {
            return;
        }
        if (self.from..self.from + STRETCH).contains(&self.count) {
            let mut digests = Digests::default();
            digests.fact(plan, at, fact);
            let (words, task) = in_words(plan, fact);
            let clock = clock(at.since(plan.start));
            self.decisions.push(Decision { digest: digests.decisions(), at, clock, words, task });
        }
        self.count += 1;
    }
}

fn is_decision(fact: &Fact<'_>) -> bool {
    FactKind::ALL[fact.kind() as usize].2
}

fn first_difference(records: [&Record; 2]) -> Result<Option<First>, Exit> {
    let plans = [repeat(records[0], &[])?, repeat(records[1], &[])?];
    let seeds = records.map(|record| record.seed);
    let mut marks = Vec::new();
    for nth in 0..2 {
        let mut watch = Marks { digests: Digests::default(), count: 0, noted: Vec::new() };
        let ended =
            run_with(&plans[nth], seeds[nth], &mut watch, &mut Nobody, &mut |_| ControlFlow::Continue(()));
        check_digest(&ended.digests.decisions().to_string(), records[nth])?;
        marks.push(watch.noted);
    }
    let stretch = marks[0].iter().zip(&marks[1]).take_while(|(a, b)| a == b).count() as u64;
    let window = |nth: usize| {
        let mut watch = Window { from: stretch * STRETCH, count: 0, decisions: Vec::new() };
        run_with(&plans[nth], seeds[nth], &mut watch, &mut Nobody, &mut |_| ControlFlow::Continue(()));
        watch.decisions
    };
    let windows = [window(0), window(1)];
    let longest = windows[0].len().max(windows[1].len());
    let digest = |nth: usize, at: usize| windows[nth].get(at).map(|decision| decision.digest);
    let Some(at) = (0..longest).find(|&at| digest(0, at) != digest(1, at)) else { return Ok(None) };
    let sides = [0, 1].map(|nth: usize| windows[nth].get(at).cloned());
    let reasons = [0, 1].map(|nth: usize| {
        sides[nth].as_ref().map_or(String::new(), |decision| reason(&plans[nth], seeds[nth], decision))
    });
    Ok(Some(First { number: stretch * STRETCH + at as u64 + 1, sides, reasons }))
}

/// A result that is not what its record repeats to is no result of this program.
fn check_digest(digest: &str, record: &Record) -> Result<(), Exit> {
    if digest == record.decision_digest {
        return Ok(());
    }
    warn(&format!(
        "the run of {} repeated with decision digest {digest}, recorded is {}: this version decides differently\n",
        record.platform, record.decision_digest
    ));
    Err(Exit::Broken)
}

/// What `explain` says about the task of a decision, as far as the decision.
fn reason(plan: &Plan, seed: u64, decision: &Decision) -> String {
    let Some(name) = decision.task else { return String::new() };
    let (story, _) = listen(plan, seed, name, decision.at);
    let text = story.until(decision.at);
    let lines: Vec<&str> = text.lines().collect();
    let cut = lines.len().saturating_sub(LINES_MAX);
    lines[cut..].iter().fold(String::new(), |text, line| text + line + "\n")
}

fn in_words(plan: &Plan, fact: &Fact<'_>) -> (String, Option<Name>) {
    let spelling = Spelling::of(plan);
    let task = |task: &crate::control::ecs::objects::Task| (spelling.named(task.name), Some(task.name));
    let why = |task: &crate::control::ecs::objects::Task| {
        task.stop.map_or(String::new(), |stop| {
            format!(": {}", {
                let of = StoppedTask { definition: task.definition, name: task.name, instance: None };
                stop.reason(&plan.definitions, of)
            })
        })
    };
    match *fact {
        Fact::Refused { name, .. } => (format!("{} is refused", spelling.named(name)), Some(name)),
        Fact::Placed { task: of, instance } => {
            let (name, about) = task(of);
            let zone = plan.definitions.symbols.text(of.zone);
            let place = instance.map_or("Fargate".to_owned(), |instance| spelling.machine(instance.name));
            (format!("{name} is placed on {place} in {zone}"), about)
        }
        Fact::Started(of) => {
            let (name, about) = task(of);
            (format!("{name} reaches RUNNING"), about)
        }
        Fact::Stopping(of) => {
            let (name, about) = task(of);
            (format!("{name} begins to stop{}", why(of)), about)
        }
        Fact::Stopped(of) => {
            let (name, about) = task(of);
            (format!("{name} has stopped{}", why(of)), about)
        }
        Fact::Pulling(of) | Fact::Ready(of) => task(of),
        Fact::Arrived(name) => (format!("{} is asked for", spelling.named(name)), None),
        Fact::MachineRunning(machine) => (format!("machine {} runs", spelling.machine(machine.name)), None),
        Fact::MachineTerminated(machine) => {
            (format!("machine {} is terminated", spelling.machine(machine.name)), None)
        }
        Fact::Registered { instance, .. } => (format!("{} registers", spelling.machine(instance.name)), None),
        Fact::Said { .. } => ("a service says something".to_owned(), None),
        Fact::Pod(fact) => pod_in_words(&spelling, fact),
    }
}

fn pod_in_words(spelling: &Spelling<'_>, fact: PodFact<'_>) -> (String, Option<Name>) {
    let about = |pod: &PodLife, what: &str| (format!("{} {what}", spelling.named(pod.name)), Some(pod.name));
    match fact {
        PodFact::NodeReady { machine, .. } => {
            (format!("node {} is Ready", spelling.machine(machine.name)), None)
        }
        PodFact::Created(pod) => about(pod, "is created"),
        PodFact::Waits { pod, message } => about(pod, &format!("waits: {message}")),
        PodFact::Bound(pod) => {
            let (node, zone) = pod.node.expect("a pod that is bound has a node");
            about(pod, &format!("is bound to {} in {}", spelling.machine(node), spelling.text(zone)))
        }
        PodFact::Pulling(pod) => about(pod, "pulls its first image"),
        PodFact::Started(pod) => about(pod, "runs"),
        PodFact::Ready(pod) => about(pod, "is Ready"),
        PodFact::Deleted(pod) if pod.end == Some(PodEnd::Preempted) => about(pod, "is preempted"),
        PodFact::Deleted(pod) => about(pod, "is deleted"),
        PodFact::Ended(pod) => {
            about(pod, &pod.end.map_or("ends".to_owned(), |end| end_in_words(end, spelling.symbols())))
        }
        PodFact::Said { pod, words } => about(pod, &format!("{}: {}", words.reason(), words.note())),
    }
}

impl Found {
    fn is_equal(&self) -> bool {
        self.digests[0] == self.digests[1] && self.measures.is_empty()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if self.is_equal() {
            return format!("{}: equal, digest {}\n", self.name, self.digests[0]);
        }
        let same = self.digests[0] == self.digests[1];
        let decisions = if same { "every decision of the first seed is the same" } else { "different" };
        let _ = writeln!(text, "{}: {decisions}", self.name);
        if let Some(why) = &self.unknown {
            let _ = writeln!(text, "\n{why}; which decision differs first is not known");
        }
        if let Some(first) = &self.first {
            first.tell(&mut text);
        }
        if !self.measures.is_empty() {
            let _ = writeln!(text, "\n{}", self.table());
        }
        let _ = writeln!(text, "\n{} measures are alike", self.alike);
        text
    }

    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_header(["measure", "", "A", "B", "B - A", "relative"]);
        for (nth, moved) in &self.measures {
            let of = &MEASURES[*nth];
            let show = |estimate: &crate::measure::Estimate| summary::shown(estimate, of.decimals);
            table.add_row([
                of.label.trim().to_owned(),
                of.unit.to_owned(),
                show(&moved.a),
                show(&moved.b),
                summary::difference(&moved.difference, of.decimals)
                    + if moved.paired { "" } else { " (unpaired)" },
                moved.relative.map_or("-".to_owned(), |share| format!("{share:+.1} %")),
            ]);
        }
        for column in 2..=5 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }

    fn json(&self) -> Value {
        let measures: Vec<Value> = self
            .measures
            .iter()
            .map(|(nth, moved)| {
                json!({
                    "name": MEASURES[*nth].name,
                    "unit": MEASURES[*nth].unit,
                    "a": moved.a.mean,
                    "b": moved.b.mean,
                    "difference": moved.difference.mean,
                    "half_width": moved.difference.half_width,
                    "relative_pct": moved.relative,
                    "paired": moved.paired,
                    "n": moved.difference.n,
                })
            })
            .collect();
        let first = self.first.as_ref().map(|first| {
            let side = |nth: usize| {
                first.sides[nth].as_ref().map(|decision| {
                    json!({
                        "at": crate::scenario::units::Measured::canonical(&decision.at),
                        "elapsed": decision.clock,
                        "decision": decision.words,
                        "why": first.reasons[nth].lines().map(str::trim).collect::<Vec<_>>(),
                    })
                })
            };
            json!({ "number": first.number, "a": side(0), "b": side(1) })
        });
        json!({
            "name": self.name,
            "equal": self.is_equal(),
            "digests": self.digests,
            "first_difference": first,
            "unknown": self.unknown,
            "moved": measures,
            "alike": self.alike,
        })
    }
}

impl First {
    fn tell(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "\nThe first decision that differs is number {} of the first seed:\n",
            self.number
        );
        let [a, b] = &self.sides;
        for (letter, side) in [("A", a), ("B", b)] {
            let line = side.as_ref().map_or("nothing more happens".to_owned(), |decision| {
                format!("{}  {}", decision.clock, decision.words)
            });
            let _ = writeln!(text, "  {letter}  {line}");
        }
        for (letter, reason) in ["A", "B"].iter().zip(&self.reasons) {
            if !reason.is_empty() {
                let _ = writeln!(text, "\nWhy in {letter}:\n\n{}", reason.trim_end());
            }
        }
    }
}
