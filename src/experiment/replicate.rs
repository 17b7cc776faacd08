//! Replications: the same plan with neighbouring seeds, on all cores.
//!
//! Knows nothing of what a plan is about.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::base::Span;
use crate::base::turn::Nobody;
use crate::measure::{Collector, Outcome};
use crate::sim::Plan;
use crate::sim::simulation::{Progress, run_with};

/// What to replicate.
#[derive(Clone, Copy, Debug)]
pub struct Replication {
    /// The first seed; the others follow.
    pub seed: u64,
    /// How many runs.
    pub runs: NonZeroUsize,
    /// How many threads.
    pub jobs: NonZeroUsize,
    /// How far apart the points of a time series are.
    pub period: Span,
}

/// Runs a plan with each seed, on several threads, and hands back the outcomes in seed order.
///
/// `progress` hears how far each run is (its number among all) and may stop everything; the outcomes of
/// a stopped replication are incomplete and say so. Rows of every task are kept for the first seed only.
///
/// # Errors
/// When the threads cannot be started.
pub fn replicate(
    plan: &Plan,
    replication: Replication,
    progress: &(dyn Fn(usize, Progress) -> ControlFlow<()> + Sync),
) -> Result<Vec<Outcome>, rayon::ThreadPoolBuildError> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(replication.jobs.get()).build()?;
    let stop = AtomicBool::new(false);
    let one = |number: usize| {
        let seed = replication.seed.wrapping_add(number as u64);
        let mut collector = Collector::new(plan, replication.period, number == 0);
        let mut hear = |so_far: Progress| {
            if stop.load(Ordering::Relaxed) || progress(number, so_far).is_break() {
                stop.store(true, Ordering::Relaxed);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let ended = run_with(plan, seed, &mut collector, &mut Nobody, &mut hear);
        collector.finish(plan, seed, ended)
    };
    Ok(threads.install(|| (0..replication.runs.get()).into_par_iter().map(one).collect()))
}
