//! Containers that serve recommendation models, with and without GPUs: creation, deletion, size.
//!
//! The columns of the Alibaba trace of 2025 (Yang et al., NSDI 2025). Knows nothing of files.

use super::cells::Cells;
use super::{Demand, Entry, Lifetime, Size};
use crate::base::{Cpu, Span};

pub(super) const COLUMNS: [&str; 6] = ["cpu", "memory_gib", "gpu", "creation_s", "scheduled_s", "deletion_s"];

pub(super) const NOT_MODELLED: &str = "each container is one standalone task that reserves its vCPU, memory and GPUs; \
     those created before the trace arrive at its beginning; a container lasts from when it was scheduled to its \
     deletion, or runs on when it outlived the trace; its share of the network, its disk and how many of its kind \
     may share a node have no effect";

const CPU_MAX: u64 = 4096;
const GPU_MAX: u64 = 64;

pub(super) fn entry(cells: &Cells<'_>) -> Result<Entry, String> {
    let cpu = cells.positive(0, COLUMNS[0], CPU_MAX)?;
    let memory = cells.gib(1, COLUMNS[1])?;
    let gpus = u32::try_from(cells.whole(2, COLUMNS[2], GPU_MAX)?).expect("64 at most");
    let at = cells.seconds_if_any(3, COLUMNS[3])?.unwrap_or(Span::ZERO);
    let scheduled = cells.seconds_if_any(4, COLUMNS[4])?.unwrap_or(at);
    if scheduled < at {
        return Err(format!("{} is before {}", COLUMNS[4], COLUMNS[3]));
    }
    let lifetime = match cells.seconds_if_any(5, COLUMNS[5])? {
        None => Lifetime::Endless,
        Some(deleted) => {
            let span = deleted.checked_sub(scheduled);
            let span = span.ok_or_else(|| format!("{} is before {}", COLUMNS[5], COLUMNS[4]))?;
            Lifetime::Between(span, span)
        }
    };
    let cpu = Cpu::vcpus(i64::try_from(cpu).expect("4096 at most"));
    let size = Size { cpu: Some(cpu), memory: Some(memory), gpus: Some(gpus) };
    Ok(Entry { at, demand: Demand::Tasks { count: 1, size, lifetime } })
}
