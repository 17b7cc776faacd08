//! Virtual time: a point and a length, in integer nanoseconds.
//!
//! Knows nothing of calendars (the edges format dates) and nothing of wall clocks.

use std::fmt;
use std::ops::{Add, AddAssign, Mul};

/// A point in virtual time: nanoseconds since the Unix epoch. Cron, budgets and prices need a
/// calendar, hence not "since the start of the run". A sum beyond the calendar (year 2554) is
/// [`NEVER`](Self::NEVER).
///
/// ```
/// use windtunnel::base::{Span, Timestamp};
/// let start = Timestamp::from_nanos(5);
/// assert_eq!((start + Span::seconds(2)).since(start), Span::seconds(2));
/// assert_eq!(start + Span::seconds(u64::MAX), Timestamp::NEVER);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

/// A length of virtual time in nanoseconds; never negative. One that is too long to count (five
/// centuries) is the longest, which no run sees the end of: users may write any number of seconds.
///
/// ```
/// use windtunnel::base::Span;
/// assert_eq!(Span::seconds(90).to_string(), "1m30s");
/// assert_eq!(Span::millis(1500).whole_seconds_up(), 2);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl Timestamp {
    /// Later than everything that is ever scheduled.
    pub const NEVER: Timestamp = Timestamp(u64::MAX);

    /// The point this many nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Timestamp(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is. Panics when it is not.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Span {
        Span(self.0.checked_sub(earlier.0).expect("`since` asks a later point about an earlier one"))
    }

    /// How long after `earlier` this is, or nothing when it is not later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Timestamp) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The point `span` before this one, or the epoch.
    #[must_use]
    pub const fn saturating_sub(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }

    /// The point `span` later, or none when the sum leaves the calendar (year 2554).
    pub const fn checked_add(self, span: Span) -> Option<Timestamp> {
        match self.0.checked_add(span.0) {
            Some(nanos) => Some(Timestamp(nanos)),
            None => None,
        }
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// One second.
    pub const SECOND: Span = Span::seconds(1);
    /// One hour.
    pub const HOUR: Span = Span::seconds(3600);

    /// A span of nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Span(nanos)
    }

    /// A span of milliseconds.
    pub const fn millis(millis: u64) -> Self {
        Span(millis.saturating_mul(1_000_000))
    }

    /// A span of seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Span(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// A span of minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Span::seconds(minutes.saturating_mul(60))
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds, a started one counted: what a bill does with a duration.
    pub const fn whole_seconds_up(self) -> u64 {
        self.0.div_ceil(NANOS_PER_SECOND)
    }

    /// The span without a shorter one; none when that is longer.
    pub const fn checked_sub(self, other: Span) -> Option<Span> {
        match self.0.checked_sub(other.0) {
            Some(nanos) => Some(Span(nanos)),
            None => None,
        }
    }

    /// Nothing instead of less than nothing.
    #[must_use]
    pub const fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }

    /// The sum, or none when it overflows.
    pub const fn checked_add(self, other: Span) -> Option<Span> {
        match self.0.checked_add(other.0) {
            Some(nanos) => Some(Span(nanos)),
            None => None,
        }
    }
}

impl Add<Span> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Timestamp {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, times: u64) -> Span {
        Span(self.0.saturating_mul(times))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes the two largest units that matter, `2h05m`, `1m30s`, `4.250s`, `12ms`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0 / NANOS_PER_SECOND, self.0 % NANOS_PER_SECOND);
        match seconds {
            0 if nanos == 0 => write!(f, "0s"),
            0 if nanos < 1_000_000 => write!(f, "{nanos}ns"),
            0 => write!(f, "{}ms", nanos / 1_000_000),
            1..60 if nanos == 0 => write!(f, "{seconds}s"),
            1..60 => write!(f, "{seconds}.{:03}s", nanos / 1_000_000),
            60..3600 => write!(f, "{}m{:02}s", seconds / 60, seconds % 60),
            3600..86400 => write!(f, "{}h{:02}m", seconds / 3600, seconds / 60 % 60),
            _ => write!(f, "{}d{:02}h", seconds / 86400, seconds / 3600 % 24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_for_people() {
        let rows: [(u64, &str); 8] = [
            (0, "0s"),
            (999, "999ns"),
            (12_000_000, "12ms"),
            (4_250_000_000, "4.250s"),
            (59_000_000_000, "59s"),
            (90_000_000_000, "1m30s"),
            (7_500_000_000_000, "2h05m"),
            (90_000_000_000_000, "1d01h"),
        ];
        for (nanos, text) in rows {
            assert_eq!(Span::from_nanos(nanos).to_string(), text);
        }
    }

    #[test]
    fn nothing_lies_beyond_the_calendar() {
        let longest = Span::from_nanos(u64::MAX);
        let spans = [Span::seconds(u64::MAX), Span::millis(u64::MAX), Span::minutes(1 << 60), longest * 2];
        assert_eq!(spans, [longest; 4]);
        assert_eq!(longest + Span::SECOND, longest);
        let mut point = Timestamp::from_nanos(1) + longest;
        assert_eq!(point, Timestamp::NEVER);
        point += Span::SECOND;
        assert_eq!(point, Timestamp::NEVER);
    }

    #[test]
    #[should_panic(expected = "later point")]
    fn since_refuses_the_wrong_order() {
        let _ = Timestamp::from_nanos(1).since(Timestamp::from_nanos(2));
    }
}
