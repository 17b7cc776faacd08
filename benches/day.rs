//! Whole runs: the day of `first-flight`, a million standalone tasks through 10,000 instances with
//! pulls and starts, and as many tasks of long lives as a public trace has; the trace itself is in `traces`.
//!
//! A line is `name value unit ratio`, and whether the bar is met; the lines of a run without a bar say
//! how fast it was. CPU time, not time on the clock. Arguments choose runs by a part of their name.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "shared/cpu.rs"]
mod cpu;
#[path = "shared/figure.rs"]
mod figure;
#[path = "shared/first_flight.rs"]
mod first_flight;
#[path = "shared/memory.rs"]
mod memory;
#[path = "shared/standalone.rs"]
mod standalone;
#[path = "shared/timed.rs"]
mod timed;

use std::time::Duration;

use figure::print_at_most;
use timed::best_of_three;
use windtunnel::base::Span;
use windtunnel::measure::{Collector, Outcome};
use windtunnel::sim::{Plan, run};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()));
    for plan in first_flight::plans() {
        let name = format!("day_{}", plan.platform);
        if wants(&name) {
            let (outcome, spent) = measured(&plan, false);
            print_at_most(&name, millis(spent), "ms", 500);
            print_speed(&name, &plan, &outcome, spent);
        }
    }
    if wants("million") {
        let plan = standalone::million();
        let (outcome, spent) = measured(&plan, false);
        print_at_most("million", millis(spent), "ms", 10_000);
        print_at_most("million_peak_memory", memory::peak_mib(), "MiB", 2_048);
        print_speed("million", &plan, &outcome, spent);
    }
    if wants("vms") {
        let plan = standalone::vms();
        let (outcome, spent) = measured(&plan, true);
        println!("vms {} ms -", millis(spent));
        print_speed("vms", &plan, &outcome, spent);
    }
}

/// One replication, observed as the command does, and its CPU time.
fn measured(plan: &Plan, keep_rows: bool) -> (Outcome, Duration) {
    best_of_three(|| {
        let mut collector = Collector::new(plan, Span::minutes(5), keep_rows);
        let ended = run(plan, 1, &mut collector);
        collector.finish(plan, 1, ended)
    })
}

fn print_speed(name: &str, plan: &Plan, outcome: &Outcome, spent: Duration) {
    let micros = spent.as_micros().max(1);
    let counts = outcome.ended.counts;
    let virtual_micros = u128::from(plan.end.since(plan.start).as_nanos()) / 1000;
    println!("{name}_events {} events/s -", u128::from(counts.events) * 1_000_000 / micros);
    println!("{name}_event_count {} events {} tasks", counts.events, counts.tasks);
    println!("{name}_speed {} virtual/CPU -", virtual_micros / micros);
    println!("{name}_digest {} decisions -", outcome.ended.digests.decisions());
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).expect("hours at most")
}
