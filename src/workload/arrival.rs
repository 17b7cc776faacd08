//! When something is asked for: a process of arrivals with a key of its own.
//!
//! Every draw is keyed by the process and counted within it, so that no other process and no decision
//! can move it. Knows nothing of what arrives.

use crate::base::turn::below;
use crate::base::{EntityKey, Purpose, Span, Timestamp};
use crate::engine::{Luck, Quantiles};

/// A process of arrivals.
///
/// ```
/// use windtunnel::base::{EntityKey, Span, Timestamp};
/// use windtunnel::engine::{Luck, Quantiles};
/// use windtunnel::workload::Arrivals;
/// let start = Timestamp::from_nanos(0);
/// let every_minute = Arrivals {
///     key: EntityKey::new("arrivals", "report", 0),
///     gaps: Quantiles::constant(Span::minutes(1).as_nanos()).into(),
///     first: start,
///     until: start + Span::minutes(2),
///     count_max: u64::MAX,
/// };
/// let luck = Luck::new(1);
/// let mut walk = every_minute.walk();
/// assert_eq!(every_minute.next(&luck, &mut walk), Some(start));
/// assert_eq!(every_minute.next(&luck, &mut walk), Some(start + Span::minutes(1)));
/// assert_eq!(every_minute.next(&luck, &mut walk), None);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrivals {
    /// For draws.
    pub key: EntityKey,
    /// Between one arrival and the next.
    pub gaps: Gaps,
    /// The first arrival of drawn gaps; of the other processes, when they begin.
    pub first: Timestamp,
    /// Nothing arrives at or after this.
    pub until: Timestamp,
    /// At most this many arrivals.
    pub count_max: u64,
}

/// How one arrival follows another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Gaps {
    /// Each gap is a draw, in nanoseconds: constant, or exponential (Poisson).
    Drawn(Quantiles),
    /// Poisson, with a rate that goes up and down with the hour.
    Daily(Daily),
    /// Poisson, with a rate that jumps from phase to phase (MMPP).
    Phases(Box<[Phase]>),
}

/// A rate over the minutes of a day, in UTC.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Daily {
    /// Exponential gaps at the highest rate.
    pub gaps: Quantiles,
    /// The rate of each minute of the day as a share of the highest, in 2^-64.
    pub shares: Box<[u64]>,
}

/// One phase of a process that jumps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Phase {
    /// Exponential gaps at its rate; none where nothing arrives.
    pub gaps: Option<Quantiles>,
    /// How long it lasts.
    pub lasts: Quantiles,
}

/// How far a process has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Walk {
    at: Timestamp,
    arrived: u64,
    draws: u64,
    phase: usize,
    phase_ends: Timestamp,
}

impl From<Quantiles> for Gaps {
    fn from(gaps: Quantiles) -> Self {
        Gaps::Drawn(gaps)
    }
}

impl Arrivals {
    /// The process before its first arrival.
    pub const fn walk(&self) -> Walk {
        Walk { at: self.first, arrived: 0, draws: 0, phase: 0, phase_ends: self.first }
    }

    /// When the next one arrives, if any does.
    pub fn next(&self, luck: &Luck, walk: &mut Walk) -> Option<Timestamp> {
        if walk.arrived >= self.count_max {
            return None;
        }
        let at = match &self.gaps {
            Gaps::Drawn(_) if walk.arrived == 0 => Some(walk.at),
            Gaps::Drawn(gaps) => walk.at.checked_add(self.span(*luck, walk, gaps)),
            Gaps::Daily(daily) => self.next_of_day(*luck, walk, daily),
            Gaps::Phases(phases) => self.next_of_phases(*luck, walk, phases),
        };
        let at = at.filter(|&at| at < self.until)?;
        walk.at = at;
        walk.arrived += 1;
        Some(at)
    }

    /// Arrivals at the highest rate, each kept with the share of its minute.
    fn next_of_day(&self, luck: Luck, walk: &mut Walk, daily: &Daily) -> Option<Timestamp> {
        let mut at = walk.at;
        while at < self.until {
            at = at.checked_add(self.span(luck, walk, &daily.gaps))?;
            if self.draw(luck, walk) <= daily.shares[minute_of_day(at) % daily.shares.len()] {
                return Some(at);
            }
        }
        None
    }

    /// An exponential gap that a change of phase cuts off begins anew there: it has no memory.
    fn next_of_phases(&self, luck: Luck, walk: &mut Walk, phases: &[Phase]) -> Option<Timestamp> {
        let mut at = walk.at;
        if walk.draws == 0 {
            walk.phase_ends = self.end_of_phase(luck, walk, &phases[0], at)?;
        }
        while at < self.until {
            let gap = phases[walk.phase].gaps.as_ref().map(|gaps| self.span(luck, walk, gaps));
            match gap.and_then(|gap| at.checked_add(gap)).filter(|&next| next < walk.phase_ends) {
                Some(next) => return Some(next),
                None => {
                    at = walk.phase_ends;
                    self.change_phase(luck, walk, phases.len());
                    walk.phase_ends = self.end_of_phase(luck, walk, &phases[walk.phase], at)?;
                }
            }
        }
        None
    }

    fn end_of_phase(&self, luck: Luck, walk: &mut Walk, phase: &Phase, at: Timestamp) -> Option<Timestamp> {
        let lasts = self.span(luck, walk, &phase.lasts);
        at.checked_add(lasts.max(Span::from_nanos(1)))
    }

    /// On to any other phase.
    fn change_phase(&self, luck: Luck, walk: &mut Walk, phases: usize) {
        let others = phases.saturating_sub(1).max(1) as u64;
        let step = if others == 1 { 0 } else { below(self.draw(luck, walk), others) };
        let step = usize::try_from(step).expect("below the number of phases");
        walk.phase = (walk.phase + 1 + step) % phases;
    }

    fn span(&self, luck: Luck, walk: &mut Walk, of: &Quantiles) -> Span {
        Span::from_nanos(of.value(self.draw(luck, walk)))
    }

    fn draw(&self, luck: Luck, walk: &mut Walk) -> u64 {
        // A draw's counter has 32 bits; beyond them the key of the process is a new one.
        let (part, number) = (walk.draws >> 32, walk.draws & 0xffff_ffff);
        walk.draws += 1;
        let number = u32::try_from(number).expect("32 bits");
        luck.draw(Purpose::Arrival, self.key.part(part), number)
    }
}

const DAY: Span = Span::seconds(86_400);

fn minute_of_day(at: Timestamp) -> usize {
    let minute = at.as_nanos() % DAY.as_nanos() / Span::minutes(1).as_nanos();
    usize::try_from(minute).expect("below 1440")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: u64 = 40;

    fn process(gaps: Gaps) -> Arrivals {
        let start = Timestamp::from_nanos(0);
        let until = start + Span::seconds(DAYS * 86_400);
        Arrivals { key: EntityKey::new("arrivals", "job", 0), gaps, first: start, until, count_max: u64::MAX }
    }

    fn times(process: &Arrivals, seed: u64) -> Vec<Timestamp> {
        let (luck, mut walk) = (Luck::new(seed), process.walk());
        std::iter::from_fn(|| process.next(&luck, &mut walk)).collect()
    }

    /// Exponential gaps at so many an hour.
    fn hourly(rate: f64) -> Quantiles {
        #[expect(clippy::float_arithmetic, reason = "a test states a rate")]
        Quantiles::exponential(3600e9 / rate)
    }

    /// Within five standard deviations of a count, where the variance is so many times the mean.
    fn check(name: &str, found: usize, mean: u64, dispersion: u64) {
        let deviation = (mean * dispersion).isqrt();
        let found = found as u64;
        assert!(found.abs_diff(mean) <= 5 * deviation, "{name}: {found} instead of {mean} ± {deviation}");
    }

    fn daily() -> Gaps {
        // A third of the highest rate, but for the hours from 12 to 18, where it is the highest.
        let share = |minute: u64| if (720..1080).contains(&minute) { u64::MAX } else { u64::MAX / 3 };
        Gaps::Daily(Daily { gaps: hourly(60.0), shares: (0..1440).map(share).collect() })
    }

    fn phases() -> Gaps {
        let phase = |rate: Option<f64>, minutes| Phase {
            gaps: rate.map(hourly),
            lasts: hourly(1.0).map(|nanos| nanos * minutes / 60),
        };
        Gaps::Phases([phase(Some(6.0), 60), phase(Some(120.0), 10), phase(None, 30)].into())
    }

    #[test]
    fn arrivals_come_at_their_rate() {
        check("poisson", times(&process(hourly(30.0).into()), 1).len(), DAYS * 24 * 30, 1);
        let found = times(&process(daily()), 1);
        check("daily", found.len(), DAYS * (6 * 60 + 18 * 20), 1);
        let noon = found.iter().filter(|at| (720..1080).contains(&minute_of_day(**at))).count();
        check("daily, at noon", noon, DAYS * 6 * 60, 1);
        // Each phase is a third of the visits; an hour and 40 minutes bring 6 + 20 + 0. Visits are about
        // 576 of each kind, and the number of a visit to the busy phase varies by its whole square.
        check("phases", times(&process(phases()), 1).len(), DAYS * 24 * 60 * 26 / 100, 40);
    }

    #[test]
    fn a_process_is_its_key_and_its_seed() {
        for gaps in [hourly(10.0).into(), daily(), phases()] {
            let one = process(gaps);
            let other = Arrivals { key: EntityKey::new("arrivals", "other", 0), ..one.clone() };
            assert_eq!(times(&one, 3), times(&one, 3));
            assert_ne!(times(&one, 3), times(&one, 4));
            assert_ne!(times(&one, 3), times(&other, 3));
            let found = times(&one, 3);
            assert!(found.is_sorted() && found.iter().all(|at| *at < one.until));
            let few = Arrivals { count_max: 7, ..one };
            assert_eq!(times(&few, 3), found[..7]);
        }
    }
}
