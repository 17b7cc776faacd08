//! A period whose next time is computed, not queued.
//!
//! Probes, ticks and heartbeats happen for ever and mostly change nothing. A [`Beat`] answers by
//! arithmetic when the next one is, so that only the first one with a different outcome becomes an
//! event. Ranks of one instant are the caller's: a cut before the beat asks
//! [`last_before`](Beat::last_before), a start that the beat still sees asks
//! [`next_at`](Beat::next_at). Knows nothing of what is done at a beat.

use super::time::{Span, Timestamp};

/// `phase`, `phase + period`, `phase + 2 × period`, and so on for ever.
///
/// ```
/// use windtunnel::base::{Beat, Span, Timestamp};
/// let at = |seconds: u64| Timestamp::from_nanos(seconds * 1_000_000_000);
/// let beat = Beat::new(at(7), Span::seconds(10));
/// assert_eq!(beat.next_after(at(17)), at(27));
/// assert_eq!(beat.next_at(at(17)), at(17));
/// assert_eq!(beat.last_before(at(17)), Some(at(7)));
/// assert_eq!(beat.count(at(7), at(40)), 3);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beat {
    phase: Timestamp,
    period: Span,
}

impl Beat {
    /// A beat that starts at `phase`. Panics when the period is zero.
    pub fn new(phase: Timestamp, period: Span) -> Self {
        assert!(period > Span::ZERO, "a beat has a period");
        Beat { phase, period }
    }

    /// The first beat strictly after `t`.
    #[must_use]
    pub fn next_after(self, t: Timestamp) -> Timestamp {
        self.index_at(t).map_or(self.phase, |k| self.nth(k + 1))
    }

    /// The first beat at or after `t`.
    #[must_use]
    pub fn next_at(self, t: Timestamp) -> Timestamp {
        match self.index_at(t) {
            Some(k) if self.nth(k) == t => t,
            Some(k) => self.nth(k + 1),
            None => self.phase,
        }
    }

    /// The last beat at or before `t`.
    pub fn last_at(self, t: Timestamp) -> Option<Timestamp> {
        self.index_at(t).map(|k| self.nth(k))
    }

    /// The last beat strictly before `t`.
    pub fn last_before(self, t: Timestamp) -> Option<Timestamp> {
        self.last_at(Timestamp::from_nanos(t.as_nanos().checked_sub(1)?))
    }

    /// How many beats lie in `(from, to]`.
    pub fn count(self, from: Timestamp, to: Timestamp) -> u64 {
        let until = |t| self.index_at(t).map_or(0, |k| k + 1);
        until(to).saturating_sub(until(from))
    }

    fn index_at(self, t: Timestamp) -> Option<u64> {
        let elapsed = t.as_nanos().checked_sub(self.phase.as_nanos())?;
        Some(elapsed / self.period.as_nanos())
    }

    fn nth(self, k: u64) -> Timestamp {
        self.phase + self.period * k
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_equals_counting() {
        let at = Timestamp::from_nanos;
        for (phase, period) in [(7, 10), (0, 3), (1, 1), (20, 7)] {
            let beat = Beat::new(at(phase), Span::from_nanos(period));
            let all: Vec<Timestamp> = (0..99).map(|k| at(phase + k * period)).collect();
            for t in (0..60).map(at) {
                assert_eq!(Some(&beat.next_after(t)), all.iter().find(|&&b| b > t));
                assert_eq!(Some(&beat.next_at(t)), all.iter().find(|&&b| b >= t));
                assert_eq!(beat.last_at(t).as_ref(), all.iter().rev().find(|&&b| b <= t));
                assert_eq!(beat.last_before(t).as_ref(), all.iter().rev().find(|&&b| b < t));
                for to in (0..60).map(at) {
                    let counted = all.iter().filter(|&&b| b > t && b <= to).count();
                    assert_eq!(beat.count(t, to), counted as u64);
                }
            }
        }
    }
}
