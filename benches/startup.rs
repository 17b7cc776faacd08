//! How long the program takes to say its help, and for the smallest run: what every call pays.
//!
//! A line is `name value unit ratio`, and whether the bar is met. CPU time of the child processes, as the
//! kernel adds it up in steps of 10 ms: so many runs share one figure. Arguments choose by a part of the
//! name.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "shared/figure.rs"]
mod figure;

use std::process::{Command, Stdio};
use std::time::Duration;

use figure::print_at_most;

/// Runs that share one figure.
const RUNS: u32 = 100;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let out = std::env::temp_dir().join(format!("windtunnel-startup-{}", std::process::id()));
    let one_task = ["run", "scenarios/one-task", "--quiet", "--out"];
    let one_task: Vec<&str> = one_task.into_iter().chain(out.to_str()).collect();
    let rows: [(&str, &[&str], u64); 3] = [
        ("startup_help", &["--help"], 20_000),
        ("startup_check", &["check", "scenarios/one-task"], 60_000),
        ("startup_run", &one_task, 60_000),
    ];
    for (name, arguments, bar) in rows {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())) {
            let spent = spent(arguments);
            print_at_most(name, u64::try_from(spent.as_micros()).expect("seconds at most"), "us", bar);
        }
    }
    let _ = std::fs::remove_dir_all(out);
}

/// CPU time of one run of the program, as the mean of many.
fn spent(arguments: &[&str]) -> Duration {
    let before = of_children();
    for _ in 0..RUNS {
        let ended = Command::new(env!("CARGO_BIN_EXE_windtunnel"))
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("the program starts");
        assert!(ended.success(), "{arguments:?}");
    }
    of_children().checked_sub(before).expect("CPU time rises") / RUNS
}

/// CPU time of all children that have ended: user and system, in hundredths of a second.
fn of_children() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux tells the CPU time of children");
    let (_, fields) = text.rsplit_once(')').expect("the name stands in parentheses");
    let ticks = fields.split_whitespace().skip(13).take(2).map(|field| field.parse::<u64>().expect("ticks"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
