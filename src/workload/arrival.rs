//! When something is asked for: a process of arrivals with a key of its own.
//!
//! The gap before arrival `n` is a draw keyed by the process and `n`, so that no other process and no
//! decision can move it. Knows nothing of what arrives.

use crate::base::{EntityKey, Purpose, Span, Timestamp};
use crate::engine::{Luck, Quantiles};

/// A process of arrivals: constant gaps, or exponential ones (Poisson).
///
/// ```
/// use windtunnel::base::{EntityKey, Span, Timestamp};
/// use windtunnel::engine::{Luck, Quantiles};
/// use windtunnel::workload::Arrivals;
/// let start = Timestamp::from_nanos(0);
/// let every_minute = Arrivals {
///     key: EntityKey::new("arrivals", "report", 0),
///     gaps: Quantiles::constant(Span::minutes(1).as_nanos()),
///     first: start,
///     until: start + Span::minutes(2),
///     count_max: u64::MAX,
/// };
/// let luck = Luck::new(1);
/// assert_eq!(every_minute.first(), Some(start));
/// assert_eq!(every_minute.after(&luck, 0, start), Some(start + Span::minutes(1)));
/// assert_eq!(every_minute.after(&luck, 1, start + Span::minutes(1)), None);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrivals {
    /// For draws.
    pub key: EntityKey,
    /// Between one arrival and the next, in nanoseconds.
    pub gaps: Quantiles,
    /// The first arrival.
    pub first: Timestamp,
    /// Nothing arrives at or after this.
    pub until: Timestamp,
    /// At most this many arrivals.
    pub count_max: u64,
}

impl Arrivals {
    /// When the first one arrives, if any does.
    pub fn first(&self) -> Option<Timestamp> {
        (self.count_max > 0 && self.first < self.until).then_some(self.first)
    }

    /// When the one after arrival `n`, which came at `at`, arrives.
    pub fn after(&self, luck: &Luck, n: u64, at: Timestamp) -> Option<Timestamp> {
        if n + 1 >= self.count_max {
            return None;
        }
        // A draw's counter has 32 bits; beyond them the key of the process is a new one.
        let (key, number) = (self.key.part(n >> 32), u32::try_from(n & 0xffff_ffff).expect("32 bits"));
        let gap = Span::from_nanos(self.gaps.value(luck.draw(Purpose::Arrival, key, number)));
        at.checked_add(gap).filter(|&next| next < self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_arrivals_come_at_their_rate() {
        let start = Timestamp::from_nanos(0);
        let process = Arrivals {
            key: EntityKey::new("arrivals", "job", 0),
            gaps: Quantiles::exponential(100e6),
            first: start,
            until: start + Span::HOUR,
            count_max: u64::MAX,
        };
        let luck = Luck::new(1);
        let arrivals =
            std::iter::successors(Some((0, start)), |&(n, at)| Some((n + 1, process.after(&luck, n, at)?)));
        let count = arrivals.count() as u64;
        // 36,000 expected; five standard deviations are 950.
        assert!(count.abs_diff(36_000) < 950, "{count} arrivals");
    }
}
