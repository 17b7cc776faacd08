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
