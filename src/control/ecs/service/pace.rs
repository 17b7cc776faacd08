//! How fast a service may try to start tasks: after failed starts (SVC-61, 62) and after failed
//! placements (SVC-63).
//!
//! Knows nothing of tasks or instances.

use crate::base::Timestamp;
use crate::mark;

use super::settings::{RetryCurve, ThrottleCurve};

/// The wait that grows while no task reaches RUNNING.
///
/// ```
/// use windtunnel::base::{Span, Timestamp};
/// use windtunnel::control::ecs::service::{SchedulerSettings, Throttle};
/// let (curve, now) = (SchedulerSettings::default().throttle, Timestamp::from_nanos(0));
/// let mut throttle = Throttle::default();
/// (0..4).for_each(|_| throttle.failed(now, curve));
/// assert_eq!(throttle.until(), Some(now + Span::seconds(60)));
/// throttle.reset();
/// assert_eq!(throttle.until(), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Throttle {
    failed: u32,
    until: Option<Timestamp>,
}

/// The wait after a task found no place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retry {
    failed: u32,
    at: Option<Timestamp>,
}

impl Throttle {
    /// A task stopped without having reached RUNNING.
    pub fn failed(&mut self, now: Timestamp, curve: ThrottleCurve) {
        mark!("SVC-62");
        self.failed = self.failed.saturating_add(1);
        self.until = curve.wait(self.failed).and_then(|wait| now.checked_add(wait));
    }

    /// A task reached RUNNING, or the service changed what it runs.
    pub fn reset(&mut self) {
        *self = Throttle::default();
    }

    /// Before this time nothing is started; none while starts are not impaired. It may be over.
    pub const fn until(&self) -> Option<Timestamp> {
        self.until
    }
}

impl Retry {
    /// A task found no place.
    pub fn failed(&mut self, now: Timestamp, curve: RetryCurve) {
        mark!("SVC-63");
        self.failed = self.failed.saturating_add(1);
        self.at = curve.next(now, self.failed);
    }

    /// Room may have come, or nothing is wanted any more.
    pub fn reset(&mut self) {
        *self = Retry::default();
    }

    /// Before this time no placement is tried.
    pub const fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// How often in a row no place was found.
    pub const fn failures(&self) -> u32 {
        self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::SchedulerSettings;
    use super::*;
    use crate::base::Span;
    use crate::base::mark::must_reach;

    #[test]
    fn waits_grow() {
        let settings = SchedulerSettings::default();
        let now = Timestamp::from_nanos(7);
        let (mut throttle, mut retry) = (Throttle::default(), Retry::default());
        let waits = [0, 0, 30, 60, 120, 240, 480, 960, 1620, 1620];
        must_reach(&["SVC-62"], || {
            for wait in waits {
                throttle.failed(now, settings.throttle);
                let expected = (wait > 0).then(|| now + Span::seconds(wait));
                assert_eq!(throttle.until(), expected);
            }
        });
        must_reach(&["SVC-63"], || {
            for wait in [15, 15, 15, 15, 300, 300] {
                retry.failed(now, settings.placement_retry);
                assert_eq!(retry.at(), Some(now + Span::seconds(wait)));
            }
        });
        assert_eq!(retry.failures(), 6);
        (0..200).for_each(|_| throttle.failed(now, settings.throttle));
        assert_eq!(throttle.until(), Some(now + Span::seconds(1620)), "doubling does not overflow");
    }
}
