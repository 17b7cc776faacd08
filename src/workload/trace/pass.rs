//! The first pass over a trace: everything that is wrong with it, and what it adds up to.
//!
//! Holds one row, the distinct sizes and the first faults. Knows nothing of what will come of the rows.

use std::collections::BTreeMap;

use super::{Demand, Fault, FaultKind, Rows, Shape, Size, TraceSource};
use crate::base::Span;

/// How many different sizes a trace may have: each becomes a task definition.
pub const SIZES_MAX: usize = 1000;
/// How many bad rows are shown.
pub const FAULTS_MAX: usize = 10;
/// Tasks of one trace; a run counts them in 32 bits.
const TASKS_MAX: u64 = 1_000_000_000;

/// What a trace adds up to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pass {
    /// Good rows that are wanted.
    pub rows: u64,
    /// Tasks of those rows; none of a rate.
    pub tasks: u64,
    /// Requests of those rows, of a rate.
    pub requests: u64,
    /// Rows that are not wanted.
    pub passed_over: u64,
    /// Good rows that come after the end of the run.
    pub late: u64,
    /// Rows that mean nothing.
    pub bad: u64,
    /// The first of those.
    pub faults: Vec<Fault>,
    /// When the last row comes.
    pub last: Span,
    /// The distinct sizes, and how many tasks have each.
    pub sizes: BTreeMap<Size, u64>,
    /// A hash of its bytes, uncompressed.
    pub hash: String,
}

/// Reads a whole trace. `within` is how much of it a run will reach.
///
/// # Errors
/// When it cannot be read to its end. Rows that mean nothing are counted, not refused.
pub fn scan(source: &dyn TraceSource, shape: &Shape, within: Span) -> Result<Pass, Fault> {
    let mut rows = Rows::open(source, shape)?;
    let mut pass = Pass::default();
    loop {
        let entry = match rows.next_row() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(fault) if fault.kind == FaultKind::Row => {
                pass.bad += 1;
                if pass.faults.len() < FAULTS_MAX {
                    pass.faults.push(fault);
                }
                continue;
            }
            Err(fault) => return Err(fault),
        };
        pass.rows += 1;
        pass.late += u64::from(entry.at >= within);
        pass.last = entry.at;
        pass.add(entry.demand).map_err(|message| Fault::at(rows.line(), FaultKind::TooLarge, message))?;
    }
    pass.passed_over = rows.passed_over();
    pass.hash = rows.hash();
    Ok(pass)
}

impl Pass {
    fn add(&mut self, demand: Demand) -> Result<(), String> {
        match demand {
            Demand::Tasks { count, size, .. } => {
                self.tasks += u64::from(count);
                *self.sizes.entry(size).or_default() += u64::from(count);
            }
            Demand::Requests { count, .. } => {
                self.requests =
                    self.requests.checked_add(count).ok_or("more requests than can be counted")?;
            }
        }
        if self.tasks > TASKS_MAX {
            return Err(format!("more than {TASKS_MAX} tasks"));
        }
        if self.sizes.len() > SIZES_MAX {
            return Err(format!("more than {SIZES_MAX} different sizes"));
        }
        Ok(())
    }
}
