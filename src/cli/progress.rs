//! The progress bar: virtual time, events per second, time left. Hidden when piped.
//!
//! Its figures are of the wall clock and enter no file.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt;
use crate::base::{Span, Timestamp};
use crate::sim::Progress;

/// One bar over all runs of all platforms.
pub(super) struct Bar {
    shown: ProgressBar,
    runs: Mutex<Vec<Progress>>,
    started: Instant,
    start: Timestamp,
}

impl Bar {
    /// A bar over so many runs of `run_for` each; `shown` is whether anybody looks.
    pub(super) fn new(runs: usize, start: Timestamp, run_for: Span, shown: bool) -> Self {
        let length = run_for.as_nanos() / 1_000_000 * runs as u64;
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let style = ProgressStyle::with_template("{prefix} {bar:30} {percent:>3}%  {msg}  {eta} left");
        bar.set_style(style.expect("the template is ours"));
        let fresh = Progress { now: start, events: 0 };
        #[expect(clippy::disallowed_methods, reason = "`cli` reads the wall clock")]
        let started = Instant::now();
        Bar { shown: bar, runs: Mutex::new(vec![fresh; runs]), started, start }
    }

    /// Says which platform is being run.
    pub(super) fn platform(&self, name: &str) {
        self.shown.set_prefix(name.to_owned());
    }

    /// Takes in how far one run is.
    pub(super) fn hear(&self, run: usize, so_far: Progress) -> ControlFlow<()> {
        let Ok(mut runs) = self.runs.lock() else { return ControlFlow::Continue(()) };
        runs[run] = so_far;
        let reached: u64 = runs.iter().map(|run| run.now.since(self.start).as_nanos() / 1_000_000).sum();
        let events: u64 = runs.iter().map(|run| run.events).sum();
        let seconds = self.started.elapsed().max(Duration::from_millis(1)).as_millis();
        let per_second = u128::from(events) * 1000 / seconds;
        self.shown.set_position(reached);
        self.shown.set_message(format!(
            "{}  {} events/s",
            so_far.now.since(self.start),
            thousands(per_second)
        ));
        if interrupt::heard() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The bar goes away; results come.
    pub(super) fn finish(&self) {
        self.shown.finish_and_clear();
    }
}

fn thousands(number: u128) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..10_000_000 => format!("{} k", number / 1000),
        _ => format!("{} M", number / 1_000_000),
    }
}
