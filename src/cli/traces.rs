//! Trace files: from disk, or from a pipe by way of a temporary file, to the first pass.
//!
//! Knows nothing of what the columns mean.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::load::{self, Loaded};
use super::record::TraceInput;
use super::{Exit, warn};
use crate::measure::Outcome;
use crate::scenario::lower::{Traces, first_pass};
use crate::scenario::{Diagnostic, Scenario, Sources};
use crate::sim::Plan;
use crate::workload::trace::TraceSource;

/// A pipe is spooled up to this size.
const SPOOL_BYTES_MAX: u64 = 64 << 30;

/// A regular file, opened anew for each reader.
#[derive(Debug)]
struct TraceFile {
    name: String,
    path: PathBuf,
}

/// What came out of a pipe: an unnamed temporary file, which is gone with the process. Its readers share
/// one cursor, so each keeps its own place.
#[derive(Debug)]
struct Spool {
    name: String,
    file: Arc<Mutex<File>>,
}

struct SpoolReader {
    file: Arc<Mutex<File>>,
    place: u64,
}

impl TraceSource for TraceFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.path)?))
    }
}

impl TraceSource for Spool {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(SpoolReader { file: Arc::clone(&self.file), place: 0 }))
    }
}

impl Read for SpoolReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.place))?;
        let count = file.read(into)?;
        self.place += count as u64;
        Ok(count)
    }
}

/// Reads every trace of a scenario once. What is not a regular file is spooled beside the output.
pub(super) fn traces(
    scenario: &Scenario,
    loaded: &Loaded,
    output: &Path,
    skipped_max: u64,
) -> Result<Traces, Exit> {
    let (mut traces, mut wrong) = (Traces::new(), Vec::new());
    let mut spools: Vec<(PathBuf, Arc<dyn TraceSource>)> = Vec::new();
    for (name, arrival) in &scenario.arrivals {
        let Some(trace) = &arrival.trace else { continue };
        let path = loaded.beside(trace.file.as_str());
        let known = spools.iter().find(|(spooled, _)| *spooled == path);
        let source = match known {
            Some((_, source)) => Arc::clone(source),
            None => {
                let source =
                    open(trace.file.as_str(), &path, output).map_err(|error| unreadable(&path, &error))?;
                spools.push((path, Arc::clone(&source)));
                source
            }
        };
        match first_pass(scenario, arrival, &source, skipped_max) {
            Ok(read) => drop(traces.insert(name.value.clone(), read)),
            Err(more) => wrong.extend(more),
        }
    }
    report(wrong, loaded)?;
    Ok(traces)
}

/// Reads the traces of a recorded run again: where they lay, or where `WORKLOAD=FILE` says.
pub(super) fn recorded(
    scenario: &Scenario,
    sources: &Sources,
    inputs: &[TraceInput],
    elsewhere: &[String],
) -> Result<Traces, Exit> {
    let mut traces = Traces::new();
    for TraceInput { workload, path, hash, bad_rows } in inputs {
        let mut moved = elsewhere.iter().filter_map(|word| word.split_once('='));
        let path = moved.rfind(|(of, _)| of == workload).map_or(path.as_str(), |(_, path)| path);
        let changed = |what: &str| {
            let hint = format!("say where the trace of the run lies with --trace {workload}=FILE");
            warn(&format!("E0807 {path} {what}; {hint}\n"));
            Exit::WrongInput
        };
        let Some(arrival) = scenario.arrivals.get(workload.as_str()) else { continue };
        if elsewhere.is_empty() && !Path::new(path).is_file() {
            return Err(changed("is no file"));
        }
        let source = open(path, Path::new(path), Path::new("."))
            .map_err(|error| changed(&format!("cannot be read: {error}")))?;
        let read = first_pass(scenario, arrival, &source, *bad_rows).map_err(|wrong| {
            load::report(&wrong, sources, load::Manner::default()).err().unwrap_or(Exit::WrongInput)
        })?;
        if read.pass.hash != *hash {
            let found = &read.pass.hash;
            return Err(changed(&format!("is not the trace of the run: its hash is {found}, not {hash}")));
        }
        traces.insert(workload.clone(), read);
    }
    Ok(traces)
}

/// Every run found its traces as the first pass did.
pub(super) fn check_replayed(plan: &Plan, outcomes: &[Outcome]) -> Result<(), Exit> {
    let Some(fault) = outcomes.iter().find_map(|outcome| outcome.ended.trace_fault) else { return Ok(()) };
    let replay = &plan.traces[fault.trace as usize];
    let name = replay.source.name();
    warn(&format!(
        "E0807 {name}:{} changed between the first look and the run; nothing was written\n",
        fault.line
    ));
    Err(Exit::WrongInput)
}

fn report(mut wrong: Vec<Diagnostic>, loaded: &Loaded) -> Result<(), Exit> {
    wrong.sort_by_key(|each| (each.place.line, each.place.column));
    load::report(&wrong, &loaded.sources, load::Manner::default())
}

fn open(name: &str, path: &Path, output: &Path) -> io::Result<Arc<dyn TraceSource>> {
    let name = name.to_owned();
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    if kind.is_file() {
        File::open(path)?;
        return Ok(Arc::new(TraceFile { name, path: path.to_owned() }));
    }
    let file = Arc::new(Mutex::new(spool(path, output)?));
    Ok(Arc::new(Spool { name, file }))
}

/// Copies a pipe into an unnamed file in the nearest folder above the output that is there.
fn spool(path: &Path, output: &Path) -> io::Result<File> {
    let folder = output.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let mut file = tempfile::tempfile_in(folder)?;
    let mut pipe = File::open(path)?.take(SPOOL_BYTES_MAX + 1);
    if io::copy(&mut pipe, &mut file)? > SPOOL_BYTES_MAX {
        let message = format!("more than {} GiB came out of it", SPOOL_BYTES_MAX >> 30);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(file)
}

fn unreadable(path: &Path, error: &io::Error) -> Exit {
    warn(&format!("E0801 {} cannot be read: {error}\n", path.display()));
    Exit::Files
}
