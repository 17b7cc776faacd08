//! Batch jobs of a computing grid: arrival, duration, CPUs.
//!
//! The columns of the LCG log of the Parallel Workloads Archive. Knows nothing of files.

use super::cells::Cells;
use super::{Demand, Entry, Lifetime, Size};
use crate::base::Cpu;

pub(super) const COLUMNS: [&str; 3] = ["arrival_s", "duration_s", "cpus"];

pub(super) const NOT_MODELLED: &str = "each job is one standalone task that reserves its CPUs as vCPUs and lasts as long \
     as the job did; memory is not in the trace and is that of the task definition; the user, the group and the \
     site of a job, and the time that it asked for, have no effect";

const CPUS_MAX: u64 = 4096;

pub(super) fn entry(cells: &Cells<'_>) -> Result<Entry, String> {
    let at = cells.seconds(0, COLUMNS[0])?;
    let duration = cells.seconds(1, COLUMNS[1])?;
    let cpus = cells.positive(2, COLUMNS[2], CPUS_MAX)?;
    let cpu = Cpu::vcpus(i64::try_from(cpus).expect("4096 at most"));
    let size = Size { cpu: Some(cpu), memory: None, gpus: None };
    let lifetime = Lifetime::Between(duration, duration);
    Ok(Entry { at, demand: Demand::Tasks { count: 1, size, lifetime } })
}
