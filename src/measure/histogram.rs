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
pub struct Spans {
    histogram: Histogram<u64>,
    /// Exact, where the histogram has three digits.
    min: Span,
    max: Span,
}

impl Default for Spans {
    fn default() -> Self {
        let histogram = Histogram::new(3).expect("three digits are allowed");
        Spans { histogram, min: Span::from_nanos(u64::MAX), max: Span::ZERO }
    }
}

impl Spans {
    /// Adds one span.
    pub fn record(&mut self, span: Span) {
        self.histogram.record(span.as_nanos() / 1000).expect("the histogram grows as needed");
        self.min = self.min.min(span);
        self.max = self.max.max(span);
    }

    /// How many were added.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The value below which this percentage lies, to three digits and never beyond the extremes;
    /// zero when there is none.
    pub fn at(&self, percentile: f64) -> Span {
        let value = Span::from_nanos(self.histogram.value_at_percentile(percentile) * 1000);
        value.max(self.min).min(self.max)
    }

    /// The value below which this percentage lies, in seconds; none when there is none.
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "the float island of measures")]
    pub fn seconds_at(&self, percentile: f64) -> Option<f64> {
        (self.count() > 0).then(|| self.at(percentile).as_nanos() as f64 / 1e9)
    }

    /// The longest.
    pub fn max(&self) -> Span {
        self.max
    }

    /// Adds all of another.
    pub fn add(&mut self, other: &Spans) {
        self.histogram.add(&other.histogram).expect("the histogram grows as needed");
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// The distribution as points for a plot: (span, share of all at or below it in 1/10,000).
    pub fn cumulative(&self) -> Vec<(Span, u32)> {
        let total = u128::from(self.histogram.len().max(1));
        let mut below = 0_u128;
        self.histogram
            .iter_recorded()
            .map(|step| {
                below += u128::from(step.count_since_last_iteration());
                let share = u32::try_from(below * 10_000 / total).expect("at most 10,000");
                (Span::from_nanos(step.value_iterated_to() * 1000), share)
            })
            .collect()
    }
}
