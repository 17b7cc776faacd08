//! What a container's health check finds, and when its verdict changes.
//!
//! A probe that finds what the last one found changes nothing, so it is not an event: the times of
//! the three changes that a life can hold (given up, well, sick) follow by arithmetic from when the
//! application is well. Knows nothing of hosts, and not what anybody does about a verdict.

use crate::base::runtime::{HealthCheck, Rhythm};
use crate::base::{Beat, Span, Timestamp};
use crate::mark;

/// The shortest interval that the runtime accepts.
const INTERVAL_MIN: Span = Span::millis(1);
/// From the end of a probe to the next one that is late: never the same instant.
const AT_ONCE: Span = Span::from_nanos(1);

/// When an application is well, and how long it takes to say so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wellness {
    /// It answers well from here on.
    pub well_from: Timestamp,
    /// It does no longer from here on, if ever.
    pub sick_from: Timestamp,
    /// How long a probe takes that passes.
    pub passing: Span,
    /// How long a probe takes that fails: zero is refused at once, long is a hang.
    pub failing: Span,
}

/// The health check of one running container, and where it stands.
///
/// ```
/// use windtunnel::base::{Span, Timestamp};
/// use windtunnel::base::runtime::{HealthCheck, Rhythm};
/// use windtunnel::world::probe::{Watch, Wellness};
/// let at = |seconds: u64| Timestamp::from_nanos(seconds * 1_000_000_000);
/// let check = HealthCheck {
///     rhythm: Rhythm::AfterEach,
///     interval: Span::seconds(10),
///     timeout: Span::seconds(5),
///     retries: 3,
///     successes: 1,
///     start_period: Span::ZERO,
/// };
/// let app = Wellness { well_from: at(12), sick_from: at(100), passing: Span::ZERO, failing: Span::ZERO };
/// let watch = Watch::new(at(0), check, app, check.interval);
/// assert_eq!(watch.next_turn(at(0)), Some((at(20), true)));
/// assert_eq!(watch.next_turn(at(21)), Some((at(120), false)));
/// assert_eq!(watch.next_turn(at(121)), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watch {
    check: HealthCheck,
    app: Wellness,
    /// Failures of probes that start from here on count.
    counts_from: Timestamp,
    /// The start of the probe that is next or under way: kept by [`step`](Self::step) alone.
    probe: Timestamp,
    verdict: Option<bool>,
    failures: u32,
    passes: u32,
}

impl Watch {
    /// Starts to watch a container that started at `started`; the first probe starts `first` later.
    pub fn new(started: Timestamp, check: HealthCheck, app: Wellness, first: Span) -> Self {
        mark!("TD-24");
        let slow = app.passing > check.timeout;
        let well_from = if slow { Timestamp::NEVER } else { app.well_from };
        let failing = app.failing.min(check.timeout);
        Watch {
            check: HealthCheck {
                interval: check.interval.max(INTERVAL_MIN),
                retries: check.retries.max(1),
                successes: check.successes.max(1),
                ..check
            },
            app: Wellness { well_from, failing, ..app },
            counts_from: started + check.start_period,
            probe: started + first,
            verdict: None,
            failures: 0,
            passes: 0,
        }
    }

    /// The first change of verdict at or after `from`, and the new verdict.
    #[must_use]
    pub fn next_turn(&self, from: Timestamp) -> Option<(Timestamp, bool)> {
        let (failing, passing) = (self.period(self.app.failing), self.period(self.app.passing));
        let pass = first_at(self.probe, failing, self.app.well_from);
        let pass = if pass < self.app.sick_from { pass } else { Timestamp::NEVER };
        let well = nth(pass, self.check.successes, passing);
        let well = if well < self.app.sick_from { well } else { Timestamp::NEVER };
        let sick = first_at(pass, passing, self.app.sick_from);
        // The probe whose failure is the verdict, if all from this one on fail.
        let last = |first| nth(first, self.check.retries, failing);

        mark!("TD-27");
        let given_up = last(first_at(self.probe, failing, self.counts_from));
        let given_up = if given_up < pass { given_up } else { Timestamp::NEVER };
        // Too few passes are no verdict: what was given up stays so, and what was not may be now.
        let gone = match (well < Timestamp::NEVER, given_up < Timestamp::NEVER) {
            (true, _) => last(sick),
            (false, true) => Timestamp::NEVER,
            (false, false) => last(first_at(sick, failing, self.counts_from)),
        };
        let turns = [
            (given_up + self.app.failing, false),
            (well + self.app.passing, true),
            (gone + self.app.failing, false),
        ];
        turns.into_iter().find(|&(at, _)| at >= from && at < Timestamp::NEVER)
    }

    /// When the probe that is next or under way ends: what a twin without arithmetic waits for.
    #[must_use]
    pub fn probe_ends(&self) -> Timestamp {
        self.probe + if self.passes() { self.app.passing } else { self.app.failing }
    }

    /// Ends that probe, plans the next one, and says the new verdict if it changed.
    pub fn step(&mut self) -> Option<bool> {
        let passed = self.passes();
        let ended = self.probe_ends();
        if passed {
            self.failures = 0;
            self.passes += 1;
        } else {
            self.passes = 0;
            if self.verdict.is_some() || self.probe >= self.counts_from {
                self.failures += 1;
            }
        }
        self.probe = match self.check.rhythm {
            Rhythm::AfterEach => ended + self.check.interval,
            Rhythm::Beat { .. } => (self.probe + self.check.interval).max(ended + AT_ONCE),
        };
        let verdict = if self.passes >= self.check.successes { Some(true) } else { self.verdict };
        let verdict = if self.failures == self.check.retries { Some(false) } else { verdict };
        let changed = verdict != self.verdict;
        self.verdict = verdict;
        verdict.filter(|_| changed)
    }

    fn passes(&self) -> bool {
        (self.app.well_from..self.app.sick_from).contains(&self.probe)
    }

    /// From the start of one probe to the start of the next, if it takes this long.
    fn period(&self, probe: Span) -> Span {
        let interval = self.check.interval;
        match self.check.rhythm {
            Rhythm::AfterEach => interval.checked_add(probe).unwrap_or(Span::from_nanos(u64::MAX)),
            Rhythm::Beat { .. } => interval.max(probe.checked_add(AT_ONCE).unwrap_or(probe)),
        }
    }
}

/// The `n`-th of probes that start at `first` and go on at this period.
fn nth(first: Timestamp, n: u32, period: Span) -> Timestamp {
    let wait = period.as_nanos().checked_mul(u64::from(n - 1)).map(Span::from_nanos);
    wait.map_or(Timestamp::NEVER, |wait| first + wait)
}

/// The first beat of `phase`, `phase + period`, ... at or after `t`, or never.
fn first_at(phase: Timestamp, period: Span, t: Timestamp) -> Timestamp {
    // Beats beyond half of all time are beyond every plan, and cannot overflow below it.
    const FAR: Timestamp = Timestamp::from_nanos(u64::MAX / 2);
    if phase.max(t) >= FAR || period.as_nanos() >= FAR.as_nanos() {
        return Timestamp::NEVER;
    }
    Beat::new(phase, period).next_at(t)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::mark::must_reach;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    /// Every change of verdict until `until`: by arithmetic, and by going through every probe.
    fn both_ways(watch: Watch, until: Timestamp) -> [Vec<(Timestamp, bool)>; 2] {
        let mut turns = Vec::new();
        let mut now = at(0);
        while let Some((turn, verdict)) = watch.next_turn(now).filter(|turn| turn.0 <= until) {
            turns.push((turn, verdict));
            now = turn + Span::from_nanos(1);
        }
        let (mut stepped, mut steps) = (watch, Vec::new());
        while stepped.probe_ends() <= until {
            let ended = stepped.probe_ends();
            steps.extend(stepped.step().map(|verdict| (ended, verdict)));
        }
        [turns, steps]
    }

    /// `check`: interval, timeout, retries, start period; `app`: well from, sick from, passing,
    /// failing. The container starts at 0; all in seconds. Healthy is `+`, unhealthy `-`.
    #[track_caller]
    fn check(check: [u64; 4], app: [u64; 4], expected: &str) {
        let [interval, timeout, retries, start_period] = check;
        let [interval, timeout, start_period] = [interval, timeout, start_period].map(Span::seconds);
        let retries = u32::try_from(retries).unwrap();
        let rhythm = Rhythm::AfterEach;
        let check = HealthCheck { rhythm, interval, timeout, retries, successes: 1, start_period };
        check_any(check, interval, app, expected);
    }

    /// The same for a beat: its first probe and its period, successes and failures.
    #[track_caller]
    fn check_beat(first: u64, period: u64, [successes, retries]: [u32; 2], app: [u64; 4], expected: &str) {
        let [first, interval, timeout] = [first, period, 5].map(Span::seconds);
        let rhythm = Rhythm::Beat { first };
        let check = HealthCheck { rhythm, interval, timeout, retries, successes, start_period: Span::ZERO };
        check_any(check, first, app, expected);
    }

    #[track_caller]
    fn check_any(check: HealthCheck, first: Span, app: [u64; 4], expected: &str) {
        let [well_from, sick_from, passing, failing] = app;
        let app = Wellness {
            well_from: at(well_from),
            sick_from: at(sick_from),
            passing: Span::seconds(passing),
            failing: Span::seconds(failing),
        };
        let watch = must_reach(&["TD-24"], || Watch::new(at(0), check, app, first));
        for turns in both_ways(watch, at(1000)) {
            let word = |&(at, healthy): &(Timestamp, bool)| {
                format!("{}{}", if healthy { '+' } else { '-' }, at.as_nanos() / 1_000_000_000)
            };
            assert_eq!(turns.iter().map(word).collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn verdicts() {
        const NEVER: u64 = 9999;
        // The first probe is one interval after the start, never sooner.
        check([30, 5, 3, 0], [0, NEVER, 0, 0], "+30");
        check([30, 5, 3, 0], [30, NEVER, 0, 0], "+30");
        check([30, 5, 3, 0], [31, NEVER, 0, 0], "+60");
        // So many consecutive failures, then the first success.
        check([30, 5, 3, 0], [NEVER, NEVER, 0, 0], "-90");
        check([30, 5, 3, 0], [91, NEVER, 0, 0], "-90 +120");
        check([30, 5, 3, 0], [90, NEVER, 0, 0], "+90");
        check([30, 5, 1, 0], [50, NEVER, 0, 0], "-30 +60");
        // Failures in the start period do not count; a success in it does.
        check([10, 5, 3, 35], [NEVER, NEVER, 0, 0], "-60");
        check([10, 5, 3, 40], [NEVER, NEVER, 0, 0], "-60");
        check([10, 5, 3, 41], [NEVER, NEVER, 0, 0], "-70");
        check([10, 5, 3, 100], [15, NEVER, 0, 0], "+20");
        check([10, 5, 3, 100], [15, 25, 0, 0], "+20 -50");
        // A hang fails at the timeout and moves the next probe; a refusal fails at once.
        check([30, 5, 3, 0], [NEVER, NEVER, 0, 60], "-105");
        check([30, 5, 3, 0], [NEVER, NEVER, 0, 2], "-96");
        check([10, 5, 2, 0], [0, 20, 3, 60], "+13 -43");
        // A pass that takes longer than the timeout is none.
        check([10, 5, 2, 0], [0, NEVER, 5, 0], "+15");
        check([10, 5, 2, 0], [0, NEVER, 6, 0], "-20");
        // Well between two probes only: nobody saw it.
        check([10, 5, 4, 0], [21, 29, 0, 0], "-40");
        check([10, 5, 4, 0], [20, 29, 0, 0], "+20 -60");
        // Zero retries count as one.
        check([10, 5, 0, 0], [NEVER, NEVER, 0, 0], "-10");
    }

    #[test]
    fn verdicts_at_a_beat() {
        const NEVER: u64 = 9999;
        check_beat(0, 10, [1, 3], [0, NEVER, 0, 0], "+0");
        check_beat(0, 10, [1, 3], [1, NEVER, 0, 0], "+10");
        check_beat(5, 10, [1, 3], [6, NEVER, 1, 0], "+16");
        // What a probe takes does not move the next, unless it takes longer than the beat.
        check_beat(0, 10, [1, 3], [NEVER, NEVER, 0, 4], "-24");
        check_beat(0, 3, [1, 3], [NEVER, NEVER, 0, 9], "-15");
        // So many passes in a row; fewer are none.
        check_beat(0, 10, [2, 2], [5, NEVER, 0, 0], "+20");
        check_beat(0, 10, [3, 2], [15, 55, 0, 0], "-10 +40 -70");
        check_beat(0, 10, [3, 2], [5, 25, 0, 0], "-40");
        check_beat(0, 10, [3, 2], [15, 35, 0, 0], "-10");
    }

    /// Never well: the start period, so many intervals, and so many timeouts where probes hang, at most.
    #[test]
    fn the_longest_time_to_unhealthy() {
        for (start_period, hangs, seconds) in [
            (0, 0, 90),
            (0, 60, 90 + 3 * 5),
            (29, 0, 90),
            (31, 0, 120),
            (61, 0, 150),
            (300, 0, 360),
            (300, 60, 385),
        ] {
            let [interval, timeout, start] = [30, 5, start_period].map(Span::seconds);
            let (rhythm, successes) = (Rhythm::AfterEach, 1);
            let check = HealthCheck { rhythm, interval, timeout, retries: 3, successes, start_period: start };
            let never = Timestamp::NEVER;
            let app = Wellness {
                well_from: never,
                sick_from: never,
                passing: Span::ZERO,
                failing: Span::seconds(hangs),
            };
            let watch = Watch::new(at(0), check, app, interval);
            let turn = must_reach(&["TD-27"], || watch.next_turn(at(0)));
            assert_eq!(turn, Some((at(seconds), false)), "{start_period} {hangs}");
            assert!(seconds <= start_period + 3 * (30 + hangs.min(5)), "the bound of the rule");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn arithmetic_equals_every_probe(
            (interval, timeout, retries, start_period, first) in (1..40_u64, 0..20_u64, 0..6_u32, 0..120_u64, 0..60_u64),
            (well_from, sick, passing, failing) in (0..300_u64, 0..300_u64, 0..20_u64, 0..30_u64),
            (beats, successes) in (any::<bool>(), 0..5_u32),
        ) {
            let [interval, timeout, start_period] = [interval, timeout, start_period].map(Span::seconds);
            let rhythm = if beats { Rhythm::Beat { first: Span::seconds(first) } } else { Rhythm::AfterEach };
            let check = HealthCheck { rhythm, interval, timeout, retries, successes, start_period };
            let app = Wellness {
                well_from: at(well_from),
                sick_from: at(well_from + sick),
                passing: Span::seconds(passing),
                failing: Span::seconds(failing),
            };
            let watch = Watch::new(at(3), check, app, Span::seconds(first));
            let [turns, steps] = both_ways(watch, at(2000));
            prop_assert_eq!(turns, steps);
        }

        #[test]
        fn hostile_numbers_do_not_overflow(
            n in any::<[u64; 8]>(),
            [retries, successes] in any::<[u32; 2]>(),
            beats in any::<bool>(),
        ) {
            let [interval, timeout, start_period, passing, failing, first] = [n[0], n[1], n[2], n[3], n[4], n[5]].map(|n| Span::from_nanos(n >> (n % 64)));
            let rhythm = if beats { Rhythm::Beat { first } } else { Rhythm::AfterEach };
            let check = HealthCheck { rhythm, interval, timeout, retries, successes, start_period };
            let [well_from, sick_from] = [n[6], n[7]].map(Timestamp::from_nanos);
            let _ = Watch::new(at(3), check, Wellness { well_from, sick_from, passing, failing }, first).next_turn(at(3));
        }
    }
}
