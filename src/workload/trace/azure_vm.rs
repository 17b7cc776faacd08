//! Virtual machines of a public cloud: arrival, size, a range for the lifetime, and how many are alike.
//!
//! The columns of `AzurePublicDatasetV1` (Cortez et al., SOSP 2017) as they are published in bins. Knows
//! nothing of files.

use super::cells::Cells;
use super::{Demand, Entry, Lifetime, Size};
use crate::base::Cpu;

pub(super) const COLUMNS: [&str; 7] =
    ["arrival_s", "vcpu", "memory_gb", "lifetime_min_s", "lifetime_max_s", "alive_at_end", "vms"];

pub(super) const NOT_MODELLED: &str = "each virtual machine is one standalone task that reserves its vCPU and memory; \
     how much of them it used, which deployment it belonged to and the machines that ran before the trace are not \
     in it; arrivals are known to five minutes; a machine that outlived the trace runs on";

/// The largest machine, and the most that are alike in one row.
const VCPU_MAX: u64 = 4096;
const ALIKE_MAX: u64 = 1_000_000;

pub(super) fn entry(cells: &Cells<'_>) -> Result<Entry, String> {
    let at = cells.seconds(0, COLUMNS[0])?;
    let vcpu = cells.positive(1, COLUMNS[1], VCPU_MAX)?;
    let memory = cells.gib(2, COLUMNS[2])?;
    let (min, max) = (cells.seconds(3, COLUMNS[3])?, cells.seconds(4, COLUMNS[4])?);
    if min > max {
        return Err(format!("{} is above {}", COLUMNS[3], COLUMNS[4]));
    }
    let lifetime = if cells.flag(5, COLUMNS[5])? { Lifetime::Endless } else { Lifetime::Between(min, max) };
    let count = u32::try_from(cells.positive(6, COLUMNS[6], ALIKE_MAX)?).expect("a million at most");
    let cpu = Cpu::vcpus(i64::try_from(vcpu).expect("4096 at most"));
    let size = Size { cpu: Some(cpu), memory: Some(memory), gpus: None };
    Ok(Entry { at, demand: Demand::Tasks { count, size, lifetime } })
}
