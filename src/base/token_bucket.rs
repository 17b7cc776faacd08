//! A token bucket in exact integers: so many at once, so many per time, and never a drift.
//!
//! Published limits (API calls, launches, instances) are all of this shape, and both sides of the
//! wall need it: the services that refuse and the controllers that hold themselves back. Knows
//! nothing of what a token buys.

use super::ratio::Percent;
use super::time::{Span, Timestamp};

/// How fast a bucket fills: `tokens` in every `per`.
///
/// ```
/// use windtunnel::base::token_bucket::Refill;
/// use windtunnel::base::{Percent, Span};
/// let refill = Refill::per_second(20).at(Percent(90));
/// assert_eq!(refill, Refill { tokens: 1800, per: Span::seconds(100) });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refill {
    /// How many tokens.
    pub tokens: u64,
    /// In how long; a bucket takes zero as one nanosecond.
    pub per: Span,
}

/// Up to `burst` tokens, filled steadily, full at the start. A full bucket discards refills.
///
/// ```
/// use windtunnel::base::token_bucket::{Refill, TokenBucket};
/// use windtunnel::base::{Span, Timestamp};
/// let now = Timestamp::from_nanos(0);
/// let mut bucket = TokenBucket::new(5, Refill::per_second(2));
/// assert_eq!(bucket.take(now, 5), Ok(()));
/// assert_eq!(bucket.take(now, 1), Err(now + Span::millis(500)));
/// assert_eq!(bucket.take(now + Span::millis(500), 1), Ok(()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenBucket {
    refill: Refill,
    /// What a full bucket holds, in parts: a token is `refill.per` nanoseconds of parts.
    full: u128,
    /// What it holds at `at`, in parts; never more than `full`.
    level: u128,
    /// The time of the last change: in the future while reservations wait.
    at: Timestamp,
}

impl Refill {
    /// So many tokens in every second.
    pub const fn per_second(tokens: u64) -> Self {
        Refill { tokens, per: Span::SECOND }
    }

    /// So many tokens in every minute.
    pub const fn per_minute(tokens: u64) -> Self {
        Refill { tokens, per: Span::minutes(1) }
    }

    /// This share of it, exactly. Panics when tokens × percent, or 100 × the time, leave 64 bits.
    #[must_use]
    pub fn at(self, share: Percent) -> Self {
        Refill { tokens: self.tokens * u64::from(share.0), per: self.per * 100 }
    }
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(burst: u64, refill: Refill) -> Self {
        let refill = Refill { per: refill.per.max(Span::from_nanos(1)), ..refill };
        let full = u128::from(burst) * u128::from(refill.per.as_nanos());
        TokenBucket { refill, full, level: full, at: Timestamp::default() }
    }

    /// Takes `n` tokens now, all or none; else says when they could be taken.
    ///
    /// # Errors
    /// The time of [`next_free`](Self::next_free), when there are too few now.
    pub fn take(&mut self, now: Timestamp, n: u64) -> Result<(), Timestamp> {
        let free = self.next_free(now, n);
        if free > now {
            return Err(free);
        }
        self.spend(free, n);
        Ok(())
    }

    /// The first time at or after `now` at which `n` tokens are there if nobody else takes any:
    /// [`Timestamp::NEVER`] for more than the burst.
    #[must_use]
    pub fn next_free(&self, now: Timestamp, n: u64) -> Timestamp {
        let now = now.max(self.at);
        let wanted = u128::from(n) * u128::from(self.refill.per.as_nanos());
        let missing = wanted.saturating_sub(self.level_at(now));
        if missing == 0 {
            return now;
        }
        if wanted > self.full || self.refill.tokens == 0 {
            return Timestamp::NEVER;
        }
        let wait = missing.div_ceil(u128::from(self.refill.tokens));
        now + Span::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    /// Stands in line for `n` tokens and takes them when its turn comes, which is at the time
    /// handed back. First come, first served; nothing is taken when that is never.
    pub fn reserve(&mut self, now: Timestamp, n: u64) -> Timestamp {
        let free = self.next_free(now, n);
        if free < Timestamp::NEVER {
            self.spend(free, n);
        }
        free
    }

    fn spend(&mut self, at: Timestamp, n: u64) {
        self.level = self.level_at(at) - u128::from(n) * u128::from(self.refill.per.as_nanos());
        self.at = at;
    }

    fn level_at(&self, t: Timestamp) -> u128 {
        let filled = u128::from(self.refill.tokens) * u128::from(t.since(self.at).as_nanos());
        self.level.saturating_add(filled).min(self.full)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(s: u64) -> Timestamp {
        Timestamp::from_nanos(s * 1_000_000_000)
    }

    #[test]
    fn waits_are_exact() {
        // (burst, tokens, per seconds, taken at 0, then wanted) -> nanoseconds to wait
        let rows = [
            (5, 2, 1, 5, 1, 500_000_000),
            (1000, 2, 1, 1000, 1000, 500_000_000_000),
            (100, 3, 1, 100, 1, 333_333_334),
            (100, 500, 60, 100, 1, 120_000_000),
            (100, 20, 1, 99, 1, 0),
            (0, 20, 1, 0, 0, 0),
        ];
        for (burst, tokens, per, taken, wanted, wait) in rows {
            let mut bucket = TokenBucket::new(burst, Refill { tokens, per: Span::seconds(per) });
            assert_eq!(bucket.take(seconds(0), taken), Ok(()));
            assert_eq!(bucket.next_free(seconds(0), wanted), Timestamp::from_nanos(wait));
        }
    }

    #[test]
    fn a_share_of_a_rate_is_exact() {
        let third = Refill { tokens: 7, per: Span::minutes(1) }.at(Percent(33));
        assert_eq!(third, Refill { tokens: 231, per: Span::minutes(100) });
        assert_eq!(Refill::per_minute(7), Refill { tokens: 7, per: Span::seconds(60) });
    }

    #[test]
    fn what_never_comes_is_never() {
        let mut small = TokenBucket::new(10, Refill::per_second(1));
        assert_eq!(small.take(seconds(1), 11), Err(Timestamp::NEVER));
        assert_eq!(small.reserve(seconds(1), 11), Timestamp::NEVER);
        assert_eq!(small.take(seconds(1), 10), Ok(()), "nothing was taken in vain");
        let mut dry = TokenBucket::new(1, Refill { tokens: 0, per: Span::ZERO });
        assert_eq!(dry.take(seconds(1), 1), Ok(()));
        assert_eq!(dry.next_free(seconds(9), 1), Timestamp::NEVER);
        let mut slow = TokenBucket::new(u64::MAX, Refill { tokens: 1, per: Span::HOUR });
        assert_eq!(slow.take(seconds(1), u64::MAX), Ok(()));
        assert_eq!(slow.next_free(seconds(1), u64::MAX), Timestamp::NEVER);
    }

    #[test]
    fn reservations_stand_in_line() {
        let mut bucket = TokenBucket::new(2, Refill::per_second(1));
        let turns: Vec<Timestamp> = (0..4).map(|_| bucket.reserve(seconds(10), 1)).collect();
        assert_eq!(turns, [seconds(10), seconds(10), seconds(11), seconds(12)]);
        assert_eq!(bucket.take(seconds(11), 1), Err(seconds(13)), "the line comes first");
    }

    proptest! {
        #[test]
        fn no_window_exceeds_burst_and_refill(
            burst in 1..50_u64,
            tokens in 1..700_u64,
            per in prop::sample::select(vec![1_u64, 7, 60]),
            steps in prop::collection::vec((0..4_000_000_000_u64, 1..9_u64), 1..300),
        ) {
            let window = Span::minutes(1);
            let mut bucket = TokenBucket::new(burst, Refill { tokens, per: Span::seconds(per) });
            let (mut now, mut taken) = (seconds(0), Vec::new());
            for (gap, n) in steps {
                now += Span::from_nanos(gap);
                match bucket.take(now, n) {
                    Ok(()) => taken.push((now, n)),
                    Err(free) if free < Timestamp::NEVER => {
                        let early = Timestamp::from_nanos(free.as_nanos() - 1);
                        prop_assert!(early < now || bucket.take(early, n) == Err(free));
                        prop_assert_eq!(bucket.clone().take(free, n), Ok(()));
                    }
                    Err(_) => prop_assert!(n > burst),
                }
            }
            for (start, &(from, _)) in taken.iter().enumerate() {
                let inside = taken[start..].iter().take_while(|(at, _)| *at <= from + window);
                let sum: u64 = inside.map(|(_, n)| n).sum();
                prop_assert!(sum * per <= burst * per + tokens * 60, "{sum} in a minute from {from:?}");
            }
        }

        #[test]
        fn asking_more_often_changes_nothing(
            tokens in 1..1000_u64,
            questions in prop::collection::vec(1..700_000_000_u64, 1..200),
        ) {
            let refill = Refill { tokens, per: Span::seconds(7) };
            let (mut asked, mut left_alone) = (TokenBucket::new(40, refill), TokenBucket::new(40, refill));
            prop_assert_eq!((asked.take(seconds(0), 40), left_alone.take(seconds(0), 40)), (Ok(()), Ok(())));
            let mut now = seconds(0);
            for gap in questions {
                now += Span::from_nanos(gap);
                let _ = asked.take(now, 41);
                prop_assert_eq!(asked.take(now, 0), Ok(()));
            }
            prop_assert_eq!(asked.next_free(now, 40), left_alone.next_free(now, 40));
        }
    }
}
