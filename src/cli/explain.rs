//! `windtunnel explain`: every decision about one task, found by running again.
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
use crate::base::turn::{Asked, Note, Subject};
use crate::base::{Bytes, Cpu, EntityKey, Name, Span, Timestamp};
use crate::control::ecs::objects::{Stop, StoppedTask, Task};
use crate::control::ecs::placement::Refusal;
use crate::scenario::diagnostic::suggestion;
use crate::scenario::{Scenario, Sources, lower_with, read};
use crate::sim::fact::{Fact, Observer};
use crate::sim::{Ended, Plan, run_with};

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
    let Some((workload, serial)) = split(&asked.name) else {
        warn(&format!("{:?} is no task; tasks are called WORKLOAD-NUMBER, such as web-3\n", asked.name));
        return Err(Exit::WrongInput);
    };
    let names = workloads(&plan);
    let known = names.iter().any(|name| name == workload);
    let Some(of) = plan.definitions.symbols.find(workload).filter(|_| known) else {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = suggestion(workload, &known).unwrap_or(format!("known are {}", known.join(", ")));
        warn(&format!("E0306 there is no workload {workload:?} in this result; {hint}\n"));
        return Err(Exit::WrongInput);
    };
    let (story, notes, ended) = listen(&plan, record.seed, workload, Name { of, serial });
    let digest = ended.digests.decisions().to_string();
    if digest != record.decision_digest {
        warn(&format!(
            "the run repeated with decision digest {digest}, recorded is {}: this version decides differently\n",
            record.decision_digest
        ));
        return Err(Exit::Broken);
    }
    if story.lines.is_empty() {
        let known = match story.last {
            Some(last) => format!("the last of {workload} is {workload}-{last}"),
            None => format!("{workload} had no task at all"),
        };
        warn(&format!("there was no task {:?} in this run; {known}\n", asked.name));
        return Err(Exit::WrongInput);
    }
    Ok(story.told(&plan, &asked.name, &notes))
}

/// Runs again and listens to one task.
pub(super) fn listen(plan: &Plan, seed: u64, workload: &str, of: Name) -> (Story, Vec<Note>, Ended) {
    let mut story = Story { of, last: None, lines: Vec::new(), instances: Vec::new() };
    let mut why = Asked::about(Subject(EntityKey::new("task", workload, of.serial)));
    let ended = run_with(plan, seed, &mut story, &mut why, &mut |_| ControlFlow::Continue(()));
    (story, why.notes, ended)
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
    services.chain(requests).map(|name| plan.definitions.symbols.text(name).to_owned()).collect()
}

/// What happened to one task.
pub(super) struct Story {
    of: Name,
    /// The largest number of a task of the same workload.
    last: Option<u64>,
    lines: Vec<(Timestamp, String)>,
    instances: Vec<(u32, Name)>,
}

impl Observer for Story {
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
                Some(instance) => format!("placed on {}", named(plan, instance.name)),
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
            | Fact::Said { .. }
            | Fact::Pod(_) => return,
        };
        self.lines.push((at, line));
    }
}

impl Story {
    fn reason(&self, plan: &Plan, stop: Stop, task: &Task) -> String {
        let known = |row: u32| self.instances.iter().find(|(known, _)| *known == row).map(|&(_, name)| name);
        let instance = task.instance.and_then(|row| known(row.number()));
        stop.reason(&plan.definitions, StoppedTask { definition: task.definition, name: task.name, instance })
    }

    fn told(&self, plan: &Plan, name: &str, notes: &[Note]) -> String {
        format!("{name} on {}\n\n{}", plan.platform, self.until(plan, Timestamp::NEVER, notes))
    }

    /// What happened up to a time, and the reasons.
    pub(super) fn until(&self, plan: &Plan, until: Timestamp, notes: &[Note]) -> String {
        let mut text = String::new();
        for (at, line) in self.lines.iter().filter(|(at, _)| *at <= until) {
            let _ = writeln!(text, "{:>14}  {line}", clock(at.since(plan.start)));
        }
        if !notes.is_empty() {
            text.push_str(
                "\nWhy there: which instances could not take it, and which of the others was chosen\n\n",
            );
        }
        let mut lines: Vec<(String, u32)> = Vec::new();
        for note in notes {
            let instance = note.row.and_then(|row| self.instances.iter().find(|(known, _)| *known == row));
            let instance = instance.map_or("Fargate".to_owned(), |(_, of)| named(plan, *of));
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

fn named(plan: &Plan, name: Name) -> String {
    format!("{}-{}", plan.definitions.symbols.text(name.of), name.serial)
}
