//! A value over time that changes now and then, read on a fixed grid and as a time-weighted mean.
//!
//! Nothing periodic happens: a change fills the grid points since the last one. Knows nothing of what
//! the value counts.

use crate::base::{Span, Timestamp};

/// A step function of virtual time.
///
/// ```
/// use windtunnel::base::{Span, Timestamp};
/// use windtunnel::measure::series::Series;
/// let start = Timestamp::from_nanos(0);
/// let mut tasks = Series::new(start, Span::seconds(10));
/// tasks.set(start + Span::seconds(5), 4);
/// tasks.set(start + Span::seconds(15), 2);
/// tasks.finish(start + Span::seconds(20));
/// assert_eq!(tasks.points(), [0, 4, 2]);
/// assert_eq!(tasks.integral(), 4 * 10_000_000_000 + 2 * 5_000_000_000);
/// assert_eq!(tasks.peak(), 4);
/// ```
#[derive(Clone, Debug)]
pub struct Series {
    period: Span,
    /// The last point of the grid that was read.
    read_at: Timestamp,
    since: Timestamp,
    value: i64,
    peak: i64,
    integral: i128,
    points: Vec<i64>,
}

impl Series {
    /// A series that is 0 from `start`, read every `period` from then on.
    pub fn new(start: Timestamp, period: Span) -> Self {
        assert!(period > Span::ZERO, "a grid has a period");
        Series { period, read_at: start, since: start, value: 0, peak: 0, integral: 0, points: vec![0] }
    }

    /// The value is `value` from `at` on. A grid point shows what holds after all changes of its instant.
    pub fn set(&mut self, at: Timestamp, value: i64) {
        self.advance(at);
        self.value = value;
        self.peak = self.peak.max(value);
        if self.read_at == at {
            *self.points.last_mut().expect("filled by advance") = value;
        }
    }

    /// The value changes by `by` at `at`.
    pub fn add(&mut self, at: Timestamp, by: i64) {
        self.set(at, self.value + by);
    }

    /// The run is over: the last value held until `end`.
    pub fn finish(&mut self, end: Timestamp) {
        self.advance(end);
    }

    /// The value now.
    pub const fn value(&self) -> i64 {
        self.value
    }

    /// The largest value.
    pub const fn peak(&self) -> i64 {
        self.peak
    }

    /// Value times nanoseconds.
    pub const fn integral(&self) -> i128 {
        self.integral
    }

    /// The values on the grid, from the start on.
    pub fn points(&self) -> &[i64] {
        &self.points
    }

    fn advance(&mut self, to: Timestamp) {
        while to.since(self.read_at) >= self.period {
            self.read_at += self.period;
            self.points.push(self.value);
        }
        self.integral += i128::from(self.value) * i128::from(to.since(self.since).as_nanos());
        self.since = to;
    }
}
