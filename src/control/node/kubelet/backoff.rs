//! Waits that double and are forgotten (client-go, `util/flowcontrol/backoff.go`).
//!
//! The two users measure from different times: a pull from its failure, a container from its exit.

use crate::base::{Span, Timestamp};
use crate::mark;

/// The first and the longest of waits that double.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// The first wait.
    pub first: Span,
    /// No wait is longer. After twice as long the first one comes again.
    pub longest: Span,
}

/// The wait of one thing, and when it was last lengthened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Delay {
    pub(super) wait: Span,
    updated: Timestamp,
}

impl Backoff {
    /// The next wait after `event`; it is now `now`.
    pub(super) fn next(self, known: Option<Delay>, event: Timestamp, now: Timestamp) -> Delay {
        let wait = match known.filter(|delay| !self.is_forgotten(*delay, event)) {
            None => self.first,
            Some(delay) => Span::from_nanos(delay.wait.as_nanos().saturating_mul(2)).min(self.longest),
        };
        Delay { wait, updated: now }
    }

    /// How long a thing that waits since `event` still has to, by its latest delay: until then.
    pub(super) fn until(self, known: Option<Delay>, event: Timestamp) -> Option<Timestamp> {
        let delay = known.filter(|delay| !self.is_forgotten(*delay, event))?;
        Some(event + delay.wait)
    }

    /// The same for a thing that waits since its delay was lengthened; asked at `now`.
    pub(super) fn until_since_update(self, known: Option<Delay>, now: Timestamp) -> Option<Timestamp> {
        let delay = known.filter(|delay| !self.is_forgotten(*delay, now))?;
        Some(delay.updated + delay.wait)
    }

    fn is_forgotten(self, delay: Delay, event: Timestamp) -> bool {
        let twice = Span::from_nanos(self.longest.as_nanos().saturating_mul(2));
        let quiet = event > delay.updated && event.since(delay.updated) > twice;
        if quiet {
            mark!("K 3.10 what was quiet for twice the longest wait begins anew");
        }
        quiet
    }
}
