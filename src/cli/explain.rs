//! `windtunnel explain`: every decision about one task or pod, found by running again.
//!
//! A run is deterministic, so reasons are not stored: the run is repeated with somebody who asks. Its
//! digest must be the recorded one, or the reasons would be those of another run.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use super::args::Explain;
use super::record::Record;
use super::run::platform_folders;
use super::{Exit, load, say, traces, warn};
use crate::base::turn::{Note, Subject};
use crate::base::{Bytes, Cpu, EntityKey, Name, Row, Span, Timestamp};
use crate::control::ecs::objects::{Stop, StoppedTask, Task};
use crate::control::ecs::placement::Refusal;
use crate::control::kubernetes::objects::Node;
use crate::measure::Spelling;
use crate::measure::waiting::without_preemption;
use crate::scenario::diagnostic::suggestion;
use crate::scenario::{Scenario, Sources, lower_with, read};
use crate::sim::fact::{Fact, Observer};
use crate::sim::kubernetes::{PodEnd, PodFact, PodLife};
use crate::sim::{Ended, Plan, run_with};

mod decision;

use decision::LastCycle;

pub(super) fn explain(asked: &Explain) -> Exit {
    match try_explain(asked) {
        Ok(text) => {
            say(&text);
            Exit::Good
        }
        Err(exit) => exit,
    }
}

fn try_explain(asked: &Explain) -> Result<String, Exit> {
    let record = record(asked)?;
    let plan = repeat(&record, &asked.trace)?;
    let name = find(&plan, &asked.name)?;
    let (story, ended) = listen(&plan, record.seed, name, Timestamp::NEVER);
    let digest = ended.digests.decisions().to_string();
    if digest != record.decision_digest {
        warn(&format!(
            "the run repeated with decision digest {digest}, recorded is {}: this version decides differently\n",
            record.decision_digest
        ));
        return Err(Exit::Broken);
    }
    if story.lines.is_empty() {
        let (kind, workload) = (kind(&plan), plan.definitions.symbols.text(name.of));
        let known = match story.last {
            Some(last) => format!("the last of {workload} is {workload}-{last}"),
            None => format!("{workload} had no {kind} at all"),
        };
        warn(&format!("there was no {kind} {:?} in this run; {known}\n", asked.name));
        return Err(Exit::WrongInput);
    }
    Ok(format!("{} on {}\n\n{}", asked.name, plan.platform, story.until(Timestamp::NEVER)))
}

/// What the things are called that a platform runs.
fn kind(plan: &Plan) -> &'static str {
    if plan.kubernetes.is_some() { "pod" } else { "task" }
}

/// The task or pod of this name.
fn find(plan: &Plan, name: &str) -> Result<Name, Exit> {
    if let Some(alone) = Spelling::of(plan).alone(name) {
        return Ok(alone);
    }
    let Some((workload, serial)) = split(name) else {
        let kind = kind(plan);
        warn(&format!("{name:?} is no {kind}; {kind}s are called WORKLOAD-NUMBER, such as web-3\n"));
        return Err(Exit::WrongInput);
    };
    let names = workloads(plan);
    let known = names.iter().any(|name| name == workload);
    let Some(of) = plan.definitions.symbols.find(workload).filter(|_| known) else {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = suggestion(workload, &known).unwrap_or(format!("known are {}", known.join(", ")));
        warn(&format!("E0306 there is no workload {workload:?} in this result; {hint}\n"));
        return Err(Exit::WrongInput);
    };
    Ok(Name { of, serial })
}

/// Runs again and listens to one task or pod; of the scheduler's reasons up to a time, the last.
pub(super) fn listen(plan: &Plan, seed: u64, of: Name, until: Timestamp) -> (Story<'_>, Ended) {
    let subject = Subject(EntityKey::new(kind(plan), plan.definitions.symbols.text(of.of), of.serial));
    let mut why = LastCycle::about(subject, until);
    let mut story = Story::of(plan, of);
    let ended = run_with(plan, seed, &mut story, &mut why, &mut |_| ControlFlow::Continue(()));
    story.why = Some(why);
    (story, ended)
}

/// The record of the one platform that is meant.
fn record(asked: &Explain) -> Result<Record, Exit> {
    let folders = platform_folders(&asked.result);
    let folder = match folders.as_slice() {
        [only] => only,
        [] => {
            warn(&format!("E0801 {} holds no result (no run.json)\n", asked.result.display()));
            return Err(Exit::WrongInput);
        }
        several => {
            let names: Vec<String> = several.iter().map(|path| format!("  {}", path.display())).collect();
            warn(&format!("which platform? name one of its folders:\n{}\n", names.join("\n")));
            return Err(Exit::WrongInput);
        }
    };
    read_record(folder)
}

/// The record in the folder of one platform.
pub(super) fn read_record(folder: &Path) -> Result<Record, Exit> {
    let path = folder.join("run.json");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        warn(&format!("E0801 {} cannot be read: {error}\n", path.display()));
        Exit::Files
    })?;
    serde_json::from_str(&text).map_err(|error| {
        warn(&format!("E0102 {} is no record of a run: {error}\n", path.display()));
        Exit::WrongInput
    })
}

/// The plan that a record was made with.
pub(super) fn repeat(record: &Record, elsewhere: &[String]) -> Result<Plan, Exit> {
    let mut sources = Sources::default();
    let text = sources.add(record.scenario.name.clone(), record.scenario.text.clone().into_bytes());
    let files: Vec<_> = record
        .requests
        .iter()
        .map(|input| sources.add(input.name.clone(), input.text.clone().into_bytes()))
        .collect();
    let (scenario, found) = read::<Scenario>(&text);
    load::report(&found, &sources, load::Manner::default())?;
    let scenario = scenario.ok_or(Exit::WrongInput)?;
    if let Err(message) = scenario.platform(&record.platform) {
        warn(&format!("E0306 {message}\n"));
        return Err(Exit::WrongInput);
    }
    let traces = traces::recorded(&scenario, &sources, &record.traces, elsewhere)?;
    let (plan, found) = lower_with(&scenario, &record.platform, &files, &traces);
    load::report(&found, &sources, load::Manner::default())?;
    plan.ok_or(Exit::WrongInput)
}

/// `web-3` is number 3 of `web`.
fn split(name: &str) -> Option<(&str, u64)> {
    let (workload, number) = name.rsplit_once('-')?;
    Some((workload, number.parse().ok()?))
}

fn workloads(plan: &Plan) -> Vec<String> {
    let services = plan.definitions.services.iter().map(|service| service.name);
    let requests = plan.definitions.requests.iter().map(|request| request.name);
    let pods = plan.kubernetes.iter().flat_map(|cluster| &cluster.pods).map(|pods| pods.name);
    let names = services.chain(requests).chain(pods);
    names.map(|name| plan.definitions.symbols.text(name).to_owned()).collect()
}

/// What happened to one task or pod.
pub(super) struct Story<'a> {
    plan: &'a Plan,
    spelling: Spelling<'a>,
    of: Name,
    /// The largest number of a task or pod of the same workload.
    last: Option<u64>,
    lines: Vec<Line>,
    /// Events of a pod.
    said: Vec<Line>,
    /// Container instances or nodes, by the row that notes carry.
    instances: Vec<(u32, Name)>,
    why: Option<LastCycle>,
}

/// What happened, and how often it did in a row.
struct Line {
    at: Timestamp,
    text: String,
    count: u32,
    last: Timestamp,
}

impl Observer for Story<'_> {
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        if let Fact::Placed { task, .. } = fact
            && task.name.of == self.of.of
        {
            self.last = self.last.max(Some(task.name.serial));
        }
        let mine = |task: &Task| task.name == self.of;
        let line = match *fact {
            Fact::Registered { instance, row } => {
                self.instances.push((row.number(), instance.name));
                return;
            }
            Fact::Arrived(name) if name == self.of => "asked for".to_owned(),
            Fact::Refused { name, rejection, again, .. } if name == self.of => {
                let answer = rejection.answer();
                match again {
                    None => format!("refused: {answer}"),
                    Some(at) => {
                        format!(
                            "refused: {answer}; the caller tries again at {}",
                            clock(at.since(plan.start))
                        )
                    }
                }
            }
            Fact::Placed { task, instance } if mine(task) => match instance {
                Some(instance) => format!("placed on {}", self.spelling.machine(instance.name)),
                None => format!("placed on Fargate in {}", plan.definitions.symbols.text(task.zone)),
            },
            Fact::Pulling(task) if mine(task) => "first image pull began".to_owned(),
            Fact::Started(task) if mine(task) => "RUNNING".to_owned(),
            Fact::Ready(task) if mine(task) => "ready".to_owned(),
            Fact::Stopping(task) if mine(task) => {
                let reason = task.stop.map_or(String::new(), |stop| self.reason(plan, stop, task));
                format!("STOPPING: {reason}")
            }
            Fact::Stopped(task) if mine(task) => {
                let stop = task.stop.map_or(String::new(), |stop| {
                    format!(" ({}: {})", stop.code(), self.reason(plan, stop, task))
                });
                format!("STOPPED{stop}")
            }
            Fact::Pod(fact) => return self.pod(at, fact),
            Fact::Arrived(_)
            | Fact::Refused { .. }
            | Fact::Placed { .. }
            | Fact::Pulling(_)
            | Fact::Started(_)
            | Fact::Ready(_)
            | Fact::Stopping(_)
            | Fact::Stopped(_)
            | Fact::MachineRunning(_)
            | Fact::MachineTerminated(_)
            | Fact::Said { .. } => return,
        };
        self.lines.push(Line::once(at, line));
    }
}

impl<'a> Story<'a> {
    fn of(plan: &'a Plan, of: Name) -> Self {
        let spelling = Spelling::of(plan);
        let (lines, said, instances) = (Vec::new(), Vec::new(), Vec::new());
        Story { plan, spelling, of, last: None, lines, said, instances, why: None }
    }

    fn reason(&self, plan: &Plan, stop: Stop, task: &Task) -> String {
        let known = |row: u32| self.instances.iter().find(|(known, _)| *known == row).map(|&(_, name)| name);
        let instance = task.instance.and_then(|row| known(row.number()));
        stop.reason(&plan.definitions, StoppedTask { definition: task.definition, name: task.name, instance })
    }

    fn pod(&mut self, at: Timestamp, fact: PodFact<'_>) {
        let (pod, text) = match fact {
            PodFact::NodeReady { machine, .. } => {
                // The scheduler hears of nodes in this order, and numbers them in it.
                let row = Row::<Node>::at(self.instances.len()).number();
                return self.instances.push((row, machine.name));
            }
            PodFact::Created(pod) => {
                if pod.name.of == self.of.of {
                    self.last = self.last.max(Some(pod.name.serial));
                }
                (pod, "created".to_owned())
            }
            PodFact::Waits { pod, message } => (pod, format!("waits: {}", without_preemption(message))),
            PodFact::Bound(pod) => (pod, self.bound(pod)),
            PodFact::Pulling(pod) => (pod, "first image pull began".to_owned()),
            PodFact::Started(pod) => (pod, "Running".to_owned()),
            PodFact::Ready(pod) => (pod, "Ready".to_owned()),
            PodFact::Deleted(pod) if pod.end == Some(PodEnd::Preempted) => (pod, "preempted".to_owned()),
            PodFact::Deleted(pod) => (pod, "deleted".to_owned()),
            PodFact::Ended(pod) => {
                (pod, pod.end.map_or("ended".to_owned(), |end| end_in_words(end, self.spelling.symbols())))
            }
            PodFact::Said { pod, words } => {
                if pod.name == self.of {
                    let text = format!("{}: {}", words.reason(), words.note());
                    let known = self.said.iter_mut().find(|line| line.text == text);
                    say_again(known, at).unwrap_or_else(|| self.said.push(Line::once(at, text)));
                }
                return;
            }
        };
        if pod.name == self.of {
            let known = self.lines.last_mut().filter(|line| line.text == text);
            say_again(known, at).unwrap_or_else(|| self.lines.push(Line::once(at, text)));
        }
    }

    fn bound(&self, pod: &PodLife) -> String {
        let (node, zone) = pod.node.expect("a pod that is bound has a node");
        format!("bound to {} in {}", self.spelling.machine(node), self.spelling.text(zone))
    }

    /// What happened up to a time, and the reasons.
    pub(super) fn until(&self, until: Timestamp) -> String {
        let mut text = self.written(&self.lines, until);
        if self.said.iter().any(|line| line.at <= until) {
            let _ = write!(text, "\nEvents:\n\n{}", self.written(&self.said, until));
        }
        let why = self.why.as_ref().expect("the story was listened to");
        if self.plan.kubernetes.is_some() {
            text.push_str(&decision::told(why, self.plan.start, &|row| self.instance(row)));
        } else {
            text.push_str(&self.refusals(&why.notes));
        }
        text
    }

    fn written(&self, lines: &[Line], until: Timestamp) -> String {
        let since = |at: Timestamp| clock(at.since(self.plan.start));
        let mut text = String::new();
        for line in lines.iter().filter(|line| line.at <= until) {
            let Line { at, text: what, count, last } = line;
            let again = if *count > 1 {
                format!(" ({count} times, last at {})", since(*last))
            } else {
                String::new()
            };
            let _ = writeln!(text, "{:>14}  {what}{again}", since(*at));
        }
        text
    }

    /// Why a task is where it is: what the placement found at each instance.
    fn refusals(&self, notes: &[Note]) -> String {
        let mut text = String::new();
        if !notes.is_empty() {
            text.push_str(
                "\nWhy there: which instances could not take it, and which of the others was chosen\n\n",
            );
        }
        let mut lines: Vec<(String, u32)> = Vec::new();
        for note in notes {
            let instance = note.row.map_or("Fargate".to_owned(), |row| self.instance(row));
            let line = format!("{instance:>14}  {}{}", note.finding, amounts(note));
            match lines.last_mut().filter(|(last, _)| *last == line.trim_end()) {
                Some((_, times)) => *times += 1,
                None => lines.push((line.trim_end().to_owned(), 1)),
            }
        }
        for (line, times) in lines {
            let times = if times > 1 { format!("  ({times} times)") } else { String::new() };
            let _ = writeln!(text, "{line}{times}");
        }
        text
    }

    /// The container instance or node of a row.
    fn instance(&self, row: u32) -> String {
        let known = self.instances.iter().find(|(known, _)| *known == row);
        known.map_or("Fargate".to_owned(), |&(_, name)| self.spelling.machine(name))
    }
}

impl Line {
    const fn once(at: Timestamp, text: String) -> Self {
        Line { at, text, count: 1, last: at }
    }
}

/// The same happened once more.
fn say_again(line: Option<&mut Line>, at: Timestamp) -> Option<()> {
    let line = line?;
    (line.count, line.last) = (line.count + 1, at);
    Some(())
}

/// How a pod ended, in words.
pub(super) fn end_in_words(end: PodEnd, symbols: &crate::base::Symbols) -> String {
    match end.reason(symbols).as_str() {
        "" => format!("ended: {}", end.code()),
        reason => format!("ended: {} ({reason})", end.code()),
    }
}

/// Hours, minutes and seconds since the start: `3:05:12.250`.
pub(super) fn clock(span: Span) -> String {
    let millis = span.as_nanos() / 1_000_000;
    let (minutes, seconds) = (millis / 60_000, millis % 60_000);
    format!("{}:{:02}:{:02}.{:03}", minutes / 60, minutes % 60, seconds / 1000, seconds % 1000)
}

/// What was wanted and what was free, in the unit of what was short.
fn amounts(note: &Note) -> String {
    let [wanted, free] = note.numbers;
    let in_unit = |unit: fn(i64) -> String| format!("  {} wanted, {} free", unit(wanted), unit(free));
    match note.finding {
        _ if note.numbers == [0, 0] => String::new(),
        cpu if cpu == Refusal::Cpu.reason() => in_unit(|parts| Cpu::from_parts(parts).to_string()),
        memory if memory == Refusal::Memory.reason() => in_unit(|bytes| Bytes::new(bytes).to_string()),
        _ => in_unit(|count| count.to_string()),
    }
}
