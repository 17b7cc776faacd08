//! Distributions of waiting times, kept as HDR histograms: bounded memory, three digits.
//!
//! Knows nothing of what was waited for.

use hdrhistogram::Histogram;

use crate::base::Span;

/// A distribution of spans, in microseconds, good to three digits.
///
/// ```
/// use windtunnel::base::Span;
/// use windtunnel::measure::histogram::Spans;
/// let mut spans = Spans::default();
/// for seconds in 1..=100 {
///     spans.record(Span::seconds(seconds));
/// }
/// assert_eq!(spans.count(), 100);
/// assert_eq!(spans.at(50.0).whole_seconds_up(), 51); // three digits: 50.02 s
/// ```
#[derive(Clone, Debug)]
pub struct Spans(Histogram<u64>);

impl Default for Spans {
    fn default() -> Self {
        Spans(Histogram::new(3).expect("three digits are allowed"))
    }
}

impl Spans {
    /// Adds one span.
    pub fn record(&mut self, span: Span) {
        self.0.record(span.as_nanos() / 1000).expect("the histogram grows as needed");
    }

    /// How many were added.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The value below which this percentage lies; zero when there is none.
    pub fn at(&self, percentile: f64) -> Span {
        Span::from_nanos(self.0.value_at_percentile(percentile) * 1000)
    }

    /// The longest.
    pub fn max(&self) -> Span {
        Span::from_nanos(self.0.max() * 1000)
    }

    /// Adds all of another.
    pub fn add(&mut self, other: &Spans) {
        self.0.add(&other.0).expect("the histogram grows as needed");
    }

    /// The distribution as points for a plot: (span, share of all at or below it in 1/10,000).
    pub fn cumulative(&self) -> Vec<(Span, u32)> {
        let total = u128::from(self.0.len().max(1));
        let mut below = 0_u128;
        self.0
            .iter_recorded()
            .map(|step| {
                below += u128::from(step.count_since_last_iteration());
                let share = u32::try_from(below * 10_000 / total).expect("at most 10,000");
                (Span::from_nanos(step.value_iterated_to() * 1000), share)
            })
            .collect()
    }
}
