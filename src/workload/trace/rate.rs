//! A rate of requests over time: how many came in each interval.
//!
//! Any two columns, a time and a count. Knows nothing of files, and nothing of how many requests make a
//! task.

use super::cells::Cells;
use super::{Demand, Entry};
use crate::base::Span;

pub(super) const NOT_MODELLED: &str = "the series is a rate: one standalone task arrives for each so many requests, and \
     within an interval requests come evenly; what a request asked for and how long it took are not in it";

/// Requests in one interval.
const COUNT_MAX: u64 = 1 << 40;
/// Units of time, such as seconds since 1970.
const TIME_MAX: u64 = 1 << 36;
/// A century, from 1970 or from the start.
const AT_MAX: Span = Span::seconds(200 * 366 * 86_400);

/// Which columns of a series are read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RateColumns {
    /// The column of the time at which an interval begins.
    pub time: String,
    /// One unit of that column.
    pub unit: Span,
    /// How long an interval is.
    pub interval: Span,
    /// The column of the count.
    pub value: String,
}

pub(super) fn entry(columns: &RateColumns, cells: &Cells<'_>) -> Result<Entry, String> {
    let time = cells.whole(0, &columns.time, TIME_MAX)?;
    let nanos = u128::from(time) * u128::from(columns.unit.as_nanos());
    let at = u64::try_from(nanos).map(Span::from_nanos).ok().filter(|at| *at <= AT_MAX);
    let at =
        at.ok_or_else(|| format!("{} is {time} times {}, which is too late", columns.time, columns.unit))?;
    let count = cells.whole(1, &columns.value, COUNT_MAX)?;
    Ok(Entry { at, demand: Demand::Requests { count, during: columns.interval } })
}
