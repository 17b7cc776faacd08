//! How far measures move when settings take other values: many plans, all seeds, on all cores.
//!
//! Knows nothing of which setting a plan changes.

use std::ops::ControlFlow;

use rayon::prelude::*;

use super::replicate::Replication;
use crate::base::turn::Nobody;
use crate::measure::Collector;
use crate::sim::{Plan, run_with};

/// The values of every measure, per seed.
pub type Values = Vec<Vec<Option<f64>>>;

/// Runs each plan with each seed and hands back its values, in the order of the plans; none where `told`
/// stopped it. `told` hears the number of a plan whenever a run of it ends or goes on.
///
/// # Errors
/// When the threads cannot be started.
pub fn values(
    plans: &[Plan],
    replication: Replication,
    told: &(dyn Fn(usize, bool) -> ControlFlow<()> + Sync),
) -> Result<Option<Vec<Values>>, rayon::ThreadPoolBuildError> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(replication.jobs.get()).build()?;
    let runs = replication.runs.get();
    let one = |job: usize| {
        let (number, nth) = (job / runs, job % runs);
        let (plan, seed) = (&plans[number], replication.seed.wrapping_add(nth as u64));
        if told(number, false).is_break() {
            return None;
        }
        let mut collector = Collector::new(plan, replication.period, false);
        let ended = run_with(plan, seed, &mut collector, &mut Nobody, &mut |_| told(number, false));
        if !ended.complete || told(number, true).is_break() {
            return None;
        }
        Some(collector.finish(plan, seed, ended).values)
    };
    let jobs = plans.len() * runs;
    let all: Option<Values> = threads.install(|| (0..jobs).into_par_iter().map(one).collect());
    Ok(all.map(|all| all.chunks(runs).map(<[Vec<Option<f64>>]>::to_vec).collect()))
}
