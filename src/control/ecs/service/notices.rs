//! When an event is said again: once when its cause appears, and after a long while if it stays
//! (SVC-30).
//!
//! Knows nothing of what the events say.

use crate::base::{Span, Timestamp};
use crate::mark;

/// One cause that is told to people now and then.
///
/// ```
/// use windtunnel::base::{Span, Timestamp};
/// use windtunnel::control::ecs::service::Notice;
/// let (mut notice, now, repeat_after) = (Notice::default(), Timestamp::from_nanos(0), Span::HOUR);
/// assert!(notice.due(now, Some(1), repeat_after));
/// assert!(!notice.due(now + Span::SECOND, Some(1), repeat_after), "said already");
/// assert!(notice.due(now + Span::HOUR, Some(1), repeat_after), "an hour later it is still so");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice<C> {
    said: Option<(C, Timestamp)>,
}

impl<C> Default for Notice<C> {
    fn default() -> Self {
        Notice { said: None }
    }
}

impl<C: Copy + PartialEq> Notice<C> {
    /// Whether to say it now: `cause` is what holds, or none when nothing does.
    pub fn due(&mut self, now: Timestamp, cause: Option<C>, repeat_after: Span) -> bool {
        mark!("SVC-30");
        let is_new = match (cause, self.said) {
            (None, _) => {
                self.said = None;
                false
            }
            (Some(cause), Some((said, _))) => {
                said != cause || self.repeats_at(repeat_after).is_some_and(|at| at <= now)
            }
            (Some(_), None) => true,
        };
        if is_new {
            self.said = cause.map(|cause| (cause, now));
        }
        is_new
    }

    /// When it is said again if the cause stays.
    pub fn repeats_at(&self, repeat_after: Span) -> Option<Timestamp> {
        self.said.and_then(|(_, at)| at.checked_add(repeat_after))
    }
}
