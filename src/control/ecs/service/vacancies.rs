//! Since when tasks are missing: the arrival times of the tasks that a service will start next.
//!
//! Knows nothing of why they are missing.

use std::collections::VecDeque;

use crate::base::Timestamp;

/// The missing tasks of a service, the oldest first, equal times together.
///
/// ```
/// use windtunnel::base::Timestamp;
/// use windtunnel::control::ecs::service::Vacancies;
/// let (early, late) = (Timestamp::from_nanos(1), Timestamp::from_nanos(2));
/// let mut vacancies = Vacancies::default();
/// vacancies.owe(2, early);
/// vacancies.owe(3, late);
/// assert_eq!([vacancies.fill(), vacancies.fill(), vacancies.fill()], [Some(early), Some(early), Some(late)]);
/// assert_eq!(vacancies.fill(), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Vacancies {
    since: VecDeque<(Timestamp, u32)>,
    /// Invariant: the sum of the counts in `since`.
    total: u32,
}

impl Vacancies {
    /// So many are missing as of now: new ones are missing since now, and the newest are the first to
    /// be wanted no longer.
    pub fn owe(&mut self, missing: u32, now: Timestamp) {
        if missing > self.total {
            let more = missing - self.total;
            match self.since.back_mut() {
                Some((at, count)) if *at == now => *count += more,
                Some(_) | None => self.since.push_back((now, more)),
            }
        }
        let mut less = self.total.saturating_sub(missing);
        while less > 0 {
            let (_, count) = self.since.back_mut().expect("the counts add up to the total");
            let gone = less.min(*count);
            *count -= gone;
            less -= gone;
            if *count == 0 {
                self.since.pop_back();
            }
        }
        self.total = missing;
    }

    /// How many are missing.
    pub const fn total(&self) -> u32 {
        self.total
    }

    /// A task takes the oldest vacancy, if there is one.
    pub fn fill(&mut self) -> Option<Timestamp> {
        let (since, count) = self.since.front_mut()?;
        let since = *since;
        *count -= 1;
        self.total -= 1;
        if *count == 0 {
            self.since.pop_front();
        }
        Some(since)
    }

    /// A task that had filled a vacancy was never created.
    pub fn reopen(&mut self, since: Timestamp) {
        self.since.push_front((since, 1));
        self.total += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `4@2` says that four are missing as of 2, `f` fills one, `r1` reopens one that was missing since
    /// 1; the last lists the rest.
    fn check(script: &str, expected: &str) {
        let at = |text: &str| Timestamp::from_nanos(text.parse().expect("a time"));
        let mut vacancies = Vacancies::default();
        for word in script.split_whitespace() {
            if word == "f" {
                vacancies.fill();
            } else if let Some(since) = word.strip_prefix('r') {
                vacancies.reopen(at(since));
            } else {
                let (missing, now) = word.split_once('@').expect("a count and a time");
                vacancies.owe(missing.parse().expect("a count"), at(now));
            }
        }
        let left: Vec<String> =
            std::iter::from_fn(|| vacancies.fill()).map(|at| at.as_nanos().to_string()).collect();
        assert_eq!(left.join(" "), expected, "{script}");
        assert_eq!(vacancies.total(), 0);
    }

    #[test]
    fn the_oldest_is_filled_first_and_the_newest_is_forgotten_first() {
        check("2@1 4@2", "1 1 2 2");
        check("2@1 4@2 f f f", "2");
        check("2@1 4@2 1@3", "1");
        check("2@1 4@2 1@3 3@4", "1 4 4");
        check("2@1 f 1@2 r1 2@3", "1 1");
        check("f 1@5 1@6", "5");
        check("2@1 2@2 0@3", "");
    }
}
