//! Traces: ten million generated rows through the first pass and through a replay, and the virtual
//! machines of `scenarios/vms` end to end on one platform.
//!
//! A line is `name value unit ratio`, and whether the bar is met. CPU time, not time on the clock; memory
//! is the most that the process ever had, so the rows come first. Arguments choose by a part of a name.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "shared/cpu.rs"]
mod cpu;
#[path = "shared/figure.rs"]
mod figure;
#[path = "shared/memory.rs"]
mod memory;
#[path = "shared/timed.rs"]
mod timed;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use figure::print_at_most;
use timed::{best_of_three, timed};
use windtunnel::base::{EntityKey, Span};
use windtunnel::engine::Luck;
use windtunnel::measure::Collector;
use windtunnel::scenario::lower::{Traces, first_pass};
use windtunnel::scenario::{Scenario, Sources, lower_with, read as read_text};
use windtunnel::sim::{Plan, run};
use windtunnel::workload::trace::{Format, Pace, Playback, Shape, TraceSource, scan};

const ROWS: u64 = 10_000_000;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()));
    if wants("rows") {
        rows();
    }
    if wants("vms") {
        vms();
    }
}

/// The first pass and the replay of ten million jobs, which are made while they are read.
fn rows() {
    let (made, making) = timed(|| io::copy(&mut Generator::default(), &mut io::sink()));
    println!("trace_rows_bytes {} B -", made.expect("memory takes all"));
    let shape = Shape::of(Format::LcgJob);
    let (pass, scanning) = timed(|| scan(&Generated, &shape, Span::HOUR).expect("good rows"));
    assert_eq!((pass.rows, pass.bad), (ROWS, 0));
    print_at_most("trace_rows_pass", nanos_per_row(scanning, making), "ns/row", 300);
    let luck = Luck::new(1);
    let key = EntityKey::new("trace", "rows", 0);
    let (count, replaying) = timed(|| {
        let mut playback =
            Playback::open(&Generated, &shape, &pass.hash, &Pace::even(1), key).expect("opens");
        let mut count = 0;
        while playback.next_arrival(&luck).expect("unchanged").is_some() {
            count += 1;
        }
        count
    });
    assert_eq!(count, ROWS);
    print_at_most("trace_rows_replay", nanos_per_row(replaying, making), "ns/row", 300);
    print_at_most("trace_rows_peak_memory", memory::peak_mib(), "MiB", 32);
}

/// 410,276 virtual machines on one platform: reading the trace twice, every task, the bill.
fn vms() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/vms");
    let ((before, outcome), spent) = best_of_three(|| {
        let (plan, before) = timed(|| plan(&folder));
        let mut collector = Collector::new(&plan, Span::minutes(30), false);
        let ended = run(&plan, 1, &mut collector);
        (before, collector.finish(&plan, 1, ended))
    });
    print_at_most("trace_vms_pass", millis(before), "ms", 100);
    print_at_most("trace_vms", millis(spent), "ms", 2000);
    print_at_most("trace_vms_peak_memory", memory::peak_mib(), "MiB", 500);
    let counts = outcome.ended.counts;
    println!("trace_vms_event_count {} events {} tasks", counts.events, counts.tasks);
    println!("trace_vms_digest {} decisions -", outcome.ended.digests.decisions());
}

/// The plan of the first platform of a scenario, its trace read once.
fn plan(folder: &Path) -> Plan {
    let mut sources = Sources::default();
    let mut add =
        |path: &Path| sources.add(path.display().to_string(), fs::read(path).expect("the scenario is there"));
    let text = add(&folder.join("scenario.yaml"));
    let requests = [add(&folder.join("requests/task.json"))];
    let scenario = read_text::<Scenario>(&text).0.expect("a scenario");
    let mut traces = Traces::new();
    for (name, arrival) in &scenario.arrivals {
        let Some(trace) = &arrival.trace else { continue };
        let source: Arc<dyn TraceSource> = Arc::new(OnDisk(folder.join(trace.file.as_str())));
        let read = first_pass(&scenario, arrival, &source, 0).expect("a good trace");
        traces.insert(name.value.clone(), read);
    }
    let platform = scenario.platforms.keys().next().expect("a platform");
    let (plan, found) = lower_with(&scenario, platform, &requests, &traces);
    plan.unwrap_or_else(|| panic!("it is lowered: {found:?}"))
}

#[derive(Debug)]
struct OnDisk(PathBuf);

impl TraceSource for OnDisk {
    fn name(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.0)?))
    }
}

/// A trace that is made while it is read.
#[derive(Debug)]
struct Generated;

impl TraceSource for Generated {
    fn name(&self) -> &'static str {
        "generated"
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Generator::default()))
    }
}

#[derive(Default)]
struct Generator {
    made: u64,
    text: Vec<u8>,
    place: usize,
}

impl Read for Generator {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.place == self.text.len() {
            self.text.clear();
            self.place = 0;
            if self.made == 0 {
                self.text.extend_from_slice(b"arrival_s,duration_s,cpus\n");
            }
            let until = ROWS.min(self.made + 1000);
            for number in self.made..until {
                writeln!(self.text, "{},{},{}", number / 50, number * 7919 % 86_400, 1 + number % 16)?;
            }
            self.made = until;
        }
        let count = into.len().min(self.text.len() - self.place);
        into[..count].copy_from_slice(&self.text[self.place..self.place + count]);
        self.place += count;
        Ok(count)
    }
}

/// What reading took beside making the rows.
fn nanos_per_row(spent: Duration, making: Duration) -> u64 {
    u64::try_from(spent.saturating_sub(making).as_nanos()).expect("hours at most") / ROWS
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).expect("hours at most")
}
