//! `windtunnel run` of a scenario that runs a published study: read its files, run, print the table.
//!
//! Knows nothing of what the policies do.

use std::fmt::Write;
use std::fs::File;
use std::io::{BufReader, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, Table, presets};
use flate2::bufread::MultiGzDecoder;
use rayon::prelude::*;

use super::args::Run;
use super::{Exit, load, say, warn, write};
use crate::scenario::study::{StudyScenario, is_study};
use crate::scenario::{Code, Diagnostic, Place, Sources, read, read_changed};
use crate::study::openb::{self, Invalid, Order, Outcome, Policy, Trace};

/// A file of a study, unpacked, may be so large.
const BYTES_MAX: u64 = 64 << 20;
/// A study takes so many runs at most.
const RUNS_MAX: usize = 10_000;

/// A scenario of this kind, with nothing wrong in it.
pub(super) struct Ready {
    scenario: StudyScenario,
    folder: PathBuf,
    policies: Vec<Policy>,
    seeds: Vec<u64>,
}

impl Ready {
    /// What it is, in a line.
    pub(super) fn about(&self) -> String {
        let (policies, orders) = (self.policies.len(), self.seeds.len());
        format!("{}: a study of {policies} policies in {orders} orders", self.scenario.name.value)
    }
}

/// One run that was done.
struct Done {
    policy: Policy,
    seed: u64,
    outcome: Outcome,
}

/// Reads a scenario if it is one of this kind; none otherwise.
pub(super) fn scenario(path: &Path, set: &[String], manner: load::Manner) -> Option<Result<Ready, Exit>> {
    let file = if path.is_dir() { path.join("scenario.yaml") } else { path.to_owned() };
    let mut bytes = Vec::new();
    File::open(&file).ok()?.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
    is_study(&bytes).then(|| read_scenario(&file, bytes, set, manner))
}

/// Reads those scenarios that are of this kind, and hands back the others.
pub(super) fn split(
    paths: Vec<PathBuf>,
    set: &[String],
    manner: load::Manner,
) -> Result<(Vec<Ready>, Vec<PathBuf>), Exit> {
    let (mut studies, mut others) = (Vec::new(), Vec::new());
    for path in paths {
        match scenario(&path, set, manner) {
            Some(study) => studies.push(study?),
            None => others.push(path),
        }
    }
    Ok((studies, others))
}

/// Runs it, as one of several or alone.
pub(super) fn run(ready: &Ready, asked: &Run, several: bool) -> Result<(), Exit> {
    let name = &ready.scenario.name.value;
    let out = match &asked.out {
        Some(folder) if several => folder.join(name),
        Some(folder) => folder.clone(),
        None => Path::new("out").join(name),
    };
    let unwritable = |error: std::io::Error| {
        warn(&format!("E0802 {} cannot be written: {error}\n", out.display()));
        Exit::Files
    };
    write::try_folder(&out).map_err(unwritable)?;
    let name = &ready.scenario.study.openb.trace.value;
    let seeds = seeds(ready, asked);
    let (trace, orders) = files(ready, name, &seeds)?;
    let runs: Vec<(Policy, u64, &Order)> = ready
        .policies
        .iter()
        .flat_map(|&policy| seeds.iter().zip(&orders).map(move |(&seed, order)| (policy, seed, order)))
        .collect();
    let run = |&(policy, seed, order): &(Policy, u64, &Order)| {
        let outcome = openb::run(&trace, order, policy, seed);
        Done { policy, seed, outcome }
    };
    let threads = asked.jobs.map_or(0, NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| unwritable(std::io::Error::other(error)))?;
    let done: Vec<Done> = pool.install(|| runs.par_iter().map(run).collect());
    let file = out.join("points.csv");
    write::atomically(&file, |to| to.write_all(points(name, &done).as_bytes())).map_err(unwritable)?;
    write::point_last(&out);
    if asked.json {
        say(&json(&ready.policies, &done));
    } else {
        let about = if asked.quiet { String::new() } else { format!("{}\n\n", ready.scenario.about) };
        say(&format!(
            "{about}{}\nEvery run at every percentage: {}\n",
            table(&ready.policies, &done),
            file.display()
        ));
    }
    Ok(())
}

fn read_scenario(path: &Path, bytes: Vec<u8>, set: &[String], manner: load::Manner) -> Result<Ready, Exit> {
    let mut sources = Sources::default();
    let text = sources.add(path.display().to_string(), bytes);
    let changes: Vec<_> =
        set.iter().map(|change| sources.add("--set", change.clone().into_bytes())).collect();
    let (scenario, mut found) = if changes.is_empty() {
        read::<StudyScenario>(&text)
    } else {
        let (read, found) = read_changed::<StudyScenario>(&text, &changes);
        (read.map(|(scenario, _)| scenario), found)
    };
    let mut policies = Vec::new();
    let mut seeds = Vec::new();
    if let Some(scenario) = &scenario {
        let openb = &scenario.study.openb;
        found.extend(scenario.name_fault());
        let mut complain = |place: Place, message: String| {
            found.push(Diagnostic::new(Code::WrongValue, place, message));
        };
        let trace = &openb.trace;
        if !trace.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter)) {
            complain(trace.place, format!("{:?} is no name of a trace", trace.value));
        }
        for name in &openb.policies.value {
            match Policy::find(name) {
                Some(policy) => policies.push(policy),
                None => complain(name.place, unknown(name)),
            }
        }
        seeds.clone_from(&openb.seeds.value);
        if policies.len() * seeds.len() > RUNS_MAX {
            complain(openb.seeds.place, format!("a study takes at most {RUNS_MAX} runs"));
        }
    }
    load::report(&found, &sources, manner)?;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok(Ready { scenario: scenario.ok_or(Exit::WrongInput)?, folder, policies, seeds })
}

fn unknown(name: &str) -> String {
    let known: Vec<&str> = Policy::ALL.into_iter().map(Policy::name).collect();
    format!("{name:?} is no policy of the study; there are {}", known.join(", "))
}

/// Reads everything that a run would read.
pub(super) fn check(ready: &Ready) -> Result<(), Exit> {
    files(ready, &ready.scenario.study.openb.trace.value, &ready.seeds).map(drop)
}

/// The orders that are asked for: all, or that of one seed, or the first ones.
fn seeds(ready: &Ready, asked: &Run) -> Vec<u64> {
    let mut seeds = asked.seed.map_or_else(|| ready.seeds.clone(), |seed| vec![seed]);
    seeds.truncate(asked.replications.map_or(usize::MAX, |runs| runs as usize));
    seeds
}

/// The trace, and its orders of arrival.
fn files(ready: &Ready, name: &str, seeds: &[u64]) -> Result<(Trace, Vec<Order>), Exit> {
    let pods = format!("pods_{name}.csv.gz");
    let (machines, table) = (open(ready, "machines.csv.gz")?, open(ready, &pods)?);
    let trace = Trace::read(machines, table).map_err(|invalid| wrong(&pods, &invalid))?;
    let order = |&seed: &u64| {
        let file = format!("orders/{name}_{seed}.csv.gz");
        Order::read(open(ready, &file)?, &trace).map_err(|invalid| wrong(&file, &invalid))
    };
    let orders = seeds.iter().map(order).collect::<Result<Vec<Order>, Exit>>()?;
    Ok((trace, orders))
}

fn open(ready: &Ready, name: &str) -> Result<impl Read + use<>, Exit> {
    let path = ready.folder.join(name);
    let file = File::open(&path).map_err(|error| {
        warn(&format!("E0801 {} cannot be read: {error}\n", path.display()));
        Exit::Files
    })?;
    Ok(MultiGzDecoder::new(BufReader::new(file)).take(BYTES_MAX))
}

fn wrong(file: &str, invalid: &Invalid) -> Exit {
    warn(&format!("E0105 {file}: {invalid}\n"));
    Exit::WrongInput
}

/// What the runs of one policy came to in the mean, and how far they are apart.
struct Row {
    policy: Policy,
    runs: usize,
    placed: f64,
    allocated: (f64, f64),
    fragmented: f64,
    of_idle: f64,
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "means of shares are shares")]
fn row(policy: Policy, done: &[Done]) -> Option<Row> {
    let runs: Vec<&Outcome> =
        done.iter().filter(|each| each.policy == policy).map(|each| &each.outcome).collect();
    let mean = |of: &dyn Fn(&Outcome) -> f64| {
        runs.iter().fold(0.0, |sum, outcome| sum + of(outcome)) / runs.len() as f64
    };
    let percent = |part: i64, whole: i64| if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
    let allocated = |outcome: &Outcome| percent(outcome.allocated_milli, outcome.capacity_milli);
    let middle = mean(&allocated);
    let squares = mean(&|outcome| (allocated(outcome) - middle) * (allocated(outcome) - middle));
    (!runs.is_empty()).then(|| Row {
        policy,
        runs: runs.len(),
        placed: mean(&|outcome| outcome.placed as f64),
        allocated: (middle, libm::sqrt(squares)),
        fragmented: mean(&|outcome| percent(outcome.fragmented_milli, outcome.capacity_milli)),
        of_idle: mean(&|outcome| percent(outcome.fragmented_milli, outcome.idle_milli())),
    })
}

fn rows(policies: &[Policy], done: &[Done]) -> Vec<Row> {
    let mut rows: Vec<Row> = policies.iter().filter_map(|&policy| row(policy, done)).collect();
    rows.sort_by(|one, other| {
        one.allocated.0.total_cmp(&other.allocated.0).then(one.policy.cmp(&other.policy))
    });
    rows
}

fn table(policies: &[Policy], done: &[Done]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["policy", "runs", "pods placed", "GPUs allocated", "fragmented", "of idle"]);
    for row in rows(policies, done) {
        table.add_row([
            row.policy.name().to_owned(),
            row.runs.to_string(),
            format!("{:.0}", row.placed),
            format!("{:.2} % ± {:.2}", row.allocated.0, row.allocated.1),
            format!("{:.2} %", row.fragmented),
            format!("{:.2} %", row.of_idle),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned() + "\n");
    lines.collect()
}

fn json(policies: &[Policy], done: &[Done]) -> String {
    let object = |row: Row| {
        serde_json::json!({
            "policy": row.policy.name(), "runs": row.runs, "pods_placed": row.placed,
            "gpu_allocated_pct": row.allocated.0, "gpu_allocated_pct_deviation": row.allocated.1,
            "gpu_fragmented_pct": row.fragmented, "fragmented_share_of_idle_pct": row.of_idle,
        })
    };
    let rows: Vec<_> = rows(policies, done).into_iter().map(object).collect();
    format!("{:#}\n", serde_json::Value::Array(rows))
}

/// Every run at every percentage, in the columns of the published table.
fn points(trace: &str, done: &[Done]) -> String {
    let mut text = String::from(
        "trace,policy,seed,arrived_pct,gpu_allocated_pct,gpu_fragmented_pct,fragmented_share_of_idle_pct\n",
    );
    for Done { policy, seed, outcome } in done {
        for point in &outcome.points {
            let (policy, percent) = (policy.name(), point.arrived_percent);
            let openb::Point { allocated, fragmented, of_idle, .. } = point;
            let line = writeln!(
                text,
                "{trace},{policy},{seed},{percent},{allocated:.2},{fragmented:.2},{of_idle:.2}"
            );
            line.expect("a text takes every line");
        }
    }
    text
}
