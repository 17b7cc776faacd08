//! `windtunnel run`: simulate a scenario on its platforms, print the table, write the files.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::args::Run;
use super::load::{self, Loaded};
use super::progress::Bar;
use super::record::{Record, TraceInput};
use super::{Exit, colours, interrupt, paths, say, study, traces, warn, write};
use crate::base::Span;
use crate::control::ecs::api::unmodelled;
use crate::experiment::{Replication, gather, replicate, settings};
use crate::measure::bill::NOT_BILLED;
use crate::measure::sheet::{PlatformSheet, Sheet};
use crate::report::{self, terminal};
use crate::scenario::lower::{Traced, Traces};
use crate::scenario::{Diagnostic, Scenario, Severity, Sources, lower_with};
use crate::sim::Plan;

/// A time series has about this many points.
const POINTS: u64 = 288;

/// A platform, lowered, and the input that it came from.
struct Ready {
    plan: Plan,
    about: String,
    record: Record,
}

pub(super) fn run(asked: &Run) -> Exit {
    match try_run(asked) {
        Ok(()) => Exit::Good,
        Err(exit) => exit,
    }
}

/// Checks every scenario, and runs them all if none is wrong.
fn try_run(asked: &Run) -> Result<(), Exit> {
    interrupt::listen();
    let paths = paths::scenarios(&asked.scenario)?;
    let several = paths.len() > 1;
    let (studies, paths) = study::split(paths, &asked.set, manner(asked))?;
    let checked: Vec<Result<Checked, Exit>> = paths.iter().map(|path| check(path, asked, several)).collect();
    let all = checked.into_iter().collect::<Result<Vec<Checked>, Exit>>()?;
    check_folders(&all)?;
    for one in &all {
        write::try_folder(&one.folder).map_err(|error| unwritable(&one.folder, &error))?;
    }
    all.into_iter().try_for_each(|one| run_one(one, asked))?;
    studies.iter().try_for_each(|study| study::run(study, asked, several))
}

/// A scenario with nothing wrong in it.
struct Checked {
    scenario: Scenario,
    ready: Vec<Ready>,
    replication: Replication,
    folder: PathBuf,
    said: (Vec<String>, Vec<String>),
}

fn check(path: &Path, asked: &Run, several: bool) -> Result<Checked, Exit> {
    let mut loaded = load::scenario(path, &asked.set, manner(asked))?;
    let scenario = loaded.scenario.clone();
    let names = platforms(&scenario, &asked.platform)?;
    let replication = replication(&scenario, asked);
    let folder = match &asked.out {
        Some(folder) if several => folder.join(scenario.name.as_str()),
        Some(folder) => folder.clone(),
        None => Path::new("out").join(scenario.name.as_str()),
    };
    let traces = traces::traces(&scenario, &loaded, &folder, asked.skip_bad_rows)?;
    let (ready, found) =
        lower_all(&scenario, &names, &mut loaded, &traces, (replication.seed, manner(asked)))?;
    let said = said(&found, &loaded.sources);
    Ok(Checked { scenario, ready, replication, folder, said })
}

/// Two scenarios of one name would write over each other.
fn check_folders(all: &[Checked]) -> Result<(), Exit> {
    let folders: Vec<&Path> = all.iter().map(|one| one.folder.as_path()).collect();
    let twice = folders.iter().enumerate().find(|(nth, folder)| folders[..*nth].contains(folder));
    let Some((_, folder)) = twice else { return Ok(()) };
    warn(&format!("E0108 two scenarios would write to {}; give them different names\n", folder.display()));
    Err(Exit::WrongInput)
}

fn run_one(one: Checked, asked: &Run) -> Result<(), Exit> {
    let Checked { scenario, ready, replication, folder, said } = one;
    let sheet = simulate(&scenario, &ready, replication, asked.quiet, said)?;
    interrupt::check()?;
    save(&folder, &sheet, &ready)?;
    if asked.json {
        say(&String::from_utf8_lossy(&report::json::summary(&sheet, &sheet.platforms)));
    } else {
        let width = std::io::stdout().is_terminal().then(terminal_width);
        let look = terminal::Look { width, colour: width.is_some() && colours() };
        let mut shown = sheet;
        if asked.quiet {
            shown.notes.clear();
            shown.warnings.clear();
        }
        say(&terminal::table(&shown, &folder.display().to_string(), look));
    }
    Ok(())
}

fn manner(asked: &Run) -> load::Manner {
    load::Manner { strict: asked.strict, json: false }
}

/// The platforms that were asked for, or all.
pub(super) fn platforms(scenario: &Scenario, asked: &[String]) -> Result<Vec<String>, Exit> {
    if asked.is_empty() {
        return Ok(scenario.platforms.keys().map(|name| name.value.clone()).collect());
    }
    for name in asked {
        if let Err(message) = scenario.platform(name) {
            warn(&format!("E0306 {message}\n"));
            return Err(Exit::WrongInput);
        }
    }
    Ok(asked.to_vec())
}

fn replication(scenario: &Scenario, asked: &Run) -> Replication {
    let stated = asked.replications.or(scenario.replications.map(|runs| runs.value));
    let runs = stated.and_then(|runs| NonZeroUsize::new(runs as usize)).unwrap_or(NonZeroUsize::MIN);
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Replication {
        seed: asked.seed.unwrap_or(scenario.seed),
        runs,
        jobs: asked.jobs.unwrap_or_else(cores).min(runs),
        period: period(scenario.run_for.value),
    }
}

/// The grid of a time series: whole minutes, about [`POINTS`] of them in a run.
pub(super) fn period(run_for: Span) -> Span {
    let minutes = run_for.as_nanos() / Span::minutes(1).as_nanos() / POINTS;
    Span::minutes(minutes.max(1))
}

fn lower_all(
    scenario: &Scenario,
    names: &[String],
    loaded: &mut Loaded,
    traces: &Traces,
    (seed, manner): (u64, load::Manner),
) -> Result<(Vec<Ready>, Vec<Diagnostic>), Exit> {
    let (mut ready, mut found) = (Vec::new(), Vec::new());
    for name in names {
        let (_, platform) = scenario.platform(name).expect("checked with the arguments");
        let files = loaded.requests(platform)?;
        let (plan, more) = lower_with(scenario, name, &files, traces);
        found.extend(more);
        if let Some(plan) = plan {
            let record = Record::new(name, seed, &loaded.text, &files, traces_of(scenario, loaded, traces));
            ready.push(Ready { plan, about: platform.about.clone(), record });
        }
    }
    crate::scenario::diagnostic::sort(&mut found);
    load::report(&found, &loaded.sources, manner)?;
    Ok((ready, found))
}

/// The traces of a run, as its record names them.
fn traces_of(scenario: &Scenario, loaded: &Loaded, traces: &Traces) -> Vec<TraceInput> {
    let of = |(name, traced): (&String, &Traced)| {
        let file = scenario.arrivals.get(name.as_str()).and_then(|arrival| arrival.trace.as_ref());
        let path = file.map(|trace| loaded.beside(&trace.file)).unwrap_or_default();
        let path = path.canonicalize().unwrap_or(path).display().to_string();
        TraceInput { workload: name.clone(), path, hash: traced.pass.hash.clone(), bad_rows: traced.pass.bad }
    };
    traces.iter().map(of).collect()
}

/// Notes and warnings of the import: what is said of many places is said of the first, with a count.
fn said(found: &[Diagnostic], sources: &Sources) -> (Vec<String>, Vec<String>) {
    let of = |severity: Severity| {
        let mut groups: Vec<(String, &Diagnostic, usize)> = Vec::new();
        for each in found.iter().filter(|each| each.severity == severity) {
            let pattern = unmodelled::pattern(&each.message);
            match groups.iter_mut().find(|(known, _, _)| *known == pattern) {
                Some((_, _, count)) => *count += 1,
                None => groups.push((pattern, each, 1)),
            }
        }
        let told = |(_, first, count): (String, &Diagnostic, usize)| match count {
            1 => first.line(sources),
            _ => format!("{} (and {} more)", first.line(sources), count - 1),
        };
        groups.into_iter().map(told).collect()
    };
    (of(Severity::Note), of(Severity::Warning))
}

fn simulate(
    scenario: &Scenario,
    ready: &[Ready],
    replication: Replication,
    quiet: bool,
    (notes, warnings): (Vec<String>, Vec<String>),
) -> Result<Sheet, Exit> {
    let runs = replication.runs.get();
    let start = ready.first().map_or(crate::base::Timestamp::default(), |first| first.plan.start);
    let shown = !quiet && std::io::stderr().is_terminal();
    let bar = Bar::new(runs * ready.len(), start, scenario.run_for.value, shown);
    let mut platforms: Vec<PlatformSheet> = Vec::new();
    for (nth, Ready { plan, about, .. }) in ready.iter().enumerate() {
        bar.platform(&plan.platform);
        let hear = |run: usize, so_far| bar.hear(nth * runs + run, so_far);
        let outcomes = replicate(plan, replication, &hear).map_err(|error| {
            warn(&format!("threads cannot be started: {error}\n"));
            Exit::Files
        })?;
        interrupt::check().inspect_err(|_| bar.finish())?;
        traces::check_replayed(plan, &outcomes)?;
        platforms.push(gather::platform(plan, about, replication.period, &outcomes));
    }
    bar.finish();
    Ok(Sheet {
        scenario: scenario.name.value.clone(),
        about: scenario.about.clone(),
        region: scenario.region.value.clone(),
        start,
        run_for: scenario.run_for.value,
        replications: runs,
        first_seed: replication.seed,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        columns: gather::columns(),
        platforms,
        settings: settings::used(scenario),
        not_billed: NOT_BILLED.iter().map(|&item| item.to_owned()).collect(),
        notes,
        warnings,
    })
}

/// Writes every file, each whole or not at all, several at a time, and points `last` at the folder.
fn save(folder: &Path, sheet: &Sheet, ready: &[Ready]) -> Result<(), Exit> {
    let mut files = report::files(sheet);
    let folders = report::folders(&sheet.platforms);
    for ((Ready { record, .. }, platform), below) in ready.iter().zip(&sheet.platforms).zip(folders) {
        let bytes = record.with_digest(&platform.decision_digest).to_json();
        files.push(report::File::new(format!("{below}/run.json"), move |to| to.write_all(&bytes)));
    }
    let written = files.par_iter().with_max_len(1).map(|file| {
        let path = folder.join(&file.path);
        write::atomically(&path, |to| file.write(to)).map_err(|error| (path, error))
    });
    let written: Vec<_> = written.collect();
    for result in written {
        result.map_err(|(path, error)| unwritable(&path, &error))?;
    }
    write::point_last(folder);
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Exit {
    warn(&format!("E0802 {} cannot be written: {error}\n", path.display()));
    Exit::Files
}

/// The width that `COLUMNS` states, or 100.
fn terminal_width() -> u16 {
    #[expect(clippy::disallowed_methods, reason = "`cli` reads the environment")]
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.unwrap_or(100)
}

/// Where a result lies when only the folder above its platforms is named.
pub(super) fn platform_folders(result: &Path) -> Vec<PathBuf> {
    if result.join("run.json").is_file() {
        return vec![result.to_owned()];
    }
    let mut folders: Vec<PathBuf> = std::fs::read_dir(result)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("run.json").is_file())
        .collect();
    folders.sort_unstable();
    folders
}
