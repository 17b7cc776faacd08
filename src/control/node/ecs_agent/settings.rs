//! What an operator can set on a container agent, with the agent's own defaults.
//!
//! Values below a documented minimum are raised or ignored here, so that nobody else has to ask.
//! The limits on single calls of the runtime (create, start, pull) are the host's, which alone knows
//! how long such a call takes.

use crate::base::turn::below;
use crate::base::{Draw, EntityKey, Purpose, Span};
use crate::mark;

/// The settings of one agent.
///
/// ```
/// use windtunnel::base::Span;
/// use windtunnel::control::node::ecs_agent::AgentSettings;
/// let hasty = AgentSettings { stop_timeout: Span::ZERO, ..AgentSettings::default() };
/// assert_eq!(hasty.in_force().stop_timeout, Span::SECOND);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AgentSettings {
    /// When an image is pulled: `ECS_IMAGE_PULL_BEHAVIOR` (AG-20).
    pub pull_behavior: PullBehavior,
    /// Whether images of dependents are pulled before their dependencies are met:
    /// `ECS_PULL_DEPENDENT_CONTAINERS_UPFRONT` (TD-23).
    pub pull_dependents_upfront: bool,
    /// How often one pull is tried (AG-13).
    pub pull_attempts: u32,
    /// The wait between two tries of a pull (AG-13).
    pub pull_backoff: Backoff,
    /// From the stop signal to SIGKILL where the container does not say:
    /// `ECS_CONTAINER_STOP_TIMEOUT`; below 1 s becomes 1 s (AG-12).
    pub stop_timeout: Span,
    /// How long a stopped task is kept on the host: `ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION`; below
    /// 1 s is ignored (AG-16).
    pub cleanup_wait: Span,
    /// Between two clean-ups of images: `ECS_IMAGE_CLEANUP_INTERVAL`; below 10 min is ignored (AG-22).
    pub image_cleanup_interval: Span,
    /// How many images one clean-up removes: `ECS_NUM_IMAGES_DELETE_PER_CYCLE`; below 1 is ignored.
    pub images_per_cleanup: usize,
    /// Images pulled less than this ago stay: `ECS_IMAGE_MINIMUM_CLEANUP_AGE` (AG-22).
    pub image_age_min: Span,
    /// The first and the last dynamic host port: `ECS_DYNAMIC_HOST_PORT_RANGE`, by default the
    /// kernel's (TD-41).
    pub dynamic_ports: (u16, u16),
    /// Which free dynamic host port is taken (A-04).
    pub dynamic_port_order: PortOrder,
}

/// `ECS_IMAGE_PULL_BEHAVIOR` (AG-20).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PullBehavior {
    /// Pull always, fall back to the copy on the host.
    Default,
    /// Pull always, a failure is an error.
    Always,
    /// Pull unless this agent has pulled it before.
    Once,
    /// Pull unless a copy is on the host; images are never cleaned up.
    PreferCached,
}

/// Which free dynamic host port is taken (A-04).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortOrder {
    /// The lowest.
    LowestFree,
    /// The lowest above the one that was given last, then from the start of the range again.
    Rotating,
}

/// A wait that grows by a factor, with jitter on top.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// The first wait.
    pub first: Span,
    /// No wait is longer, jitter aside.
    pub longest: Span,
    /// Each wait is this many times the one before.
    pub factor: u64,
    /// Up to this share of the wait is added, in percent.
    pub jitter_percent: u64,
}

impl Default for AgentSettings {
    fn default() -> Self {
        AgentSettings {
            pull_behavior: PullBehavior::Default,
            pull_dependents_upfront: false,
            pull_attempts: 5,
            pull_backoff: Backoff {
                first: Span::millis(1100),
                longest: Span::seconds(5),
                factor: 2,
                jitter_percent: 20,
            },
            stop_timeout: Span::seconds(30),
            cleanup_wait: Span::HOUR * 3,
            image_cleanup_interval: Span::minutes(30),
            images_per_cleanup: 5,
            image_age_min: Span::HOUR,
            dynamic_ports: (32_768, 60_999),
            dynamic_port_order: PortOrder::LowestFree,
        }
    }
}

impl AgentSettings {
    /// The settings that hold: with the documented minimums applied.
    #[must_use]
    pub fn in_force(self) -> Self {
        let normal = AgentSettings::default();
        let mut held = self;
        mark!("AG-12");
        held.stop_timeout = self.stop_timeout.max(Span::SECOND);
        if self.cleanup_wait < Span::SECOND {
            mark!("AG-16");
            held.cleanup_wait = normal.cleanup_wait;
        }
        if self.image_cleanup_interval < Span::minutes(10) {
            mark!("AG-22");
            held.image_cleanup_interval = normal.image_cleanup_interval;
        }
        if self.images_per_cleanup < 1 {
            mark!("AG-22");
            held.images_per_cleanup = normal.images_per_cleanup;
        }
        held
    }
}

impl Backoff {
    /// The wait after `failures` failures, counted from 1.
    pub fn wait(self, failures: u32, key: EntityKey, draw: &mut dyn Draw) -> Span {
        let mut base = self.first;
        for _ in 1..failures {
            if base >= self.longest {
                break;
            }
            base = Span::from_nanos(base.as_nanos().saturating_mul(self.factor));
        }
        let base = base.min(self.longest).as_nanos();
        let jitter = base / 100 * self.jitter_percent;
        Span::from_nanos(base + below(draw.draw(Purpose::Backoff, key, failures), jitter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mark::must_reach;

    struct Always(u64);

    impl Draw for Always {
        fn draw(&mut self, _: Purpose, _: EntityKey, _: u32) -> u64 {
            self.0
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let backoff = AgentSettings::default().pull_backoff;
        let key = EntityKey::new("task", "web", 0);
        let waits = |draw| [1, 2, 3, 4, 5].map(|n| backoff.wait(n, key, &mut Always(draw)));
        assert_eq!(waits(0), [1100, 2200, 4400, 5000, 5000].map(Span::millis));
        let most = [1320, 2640, 5280, 6000, 6000].map(|ms| Span::from_nanos(ms * 1_000_000 - 1));
        assert_eq!(waits(u64::MAX), most);
    }

    #[test]
    fn values_below_the_minimum_do_not_hold() {
        let normal = AgentSettings::default();
        assert_eq!(normal.in_force(), normal);
        let low = AgentSettings {
            stop_timeout: Span::millis(999),
            cleanup_wait: Span::millis(999),
            image_cleanup_interval: Span::seconds(599),
            images_per_cleanup: 0,
            ..normal
        };
        must_reach(&["AG-12", "AG-16", "AG-22"], || {
            assert_eq!(low.in_force(), AgentSettings { stop_timeout: Span::SECOND, ..normal });
        });
        let least = AgentSettings {
            cleanup_wait: Span::SECOND,
            image_cleanup_interval: Span::minutes(10),
            images_per_cleanup: 1,
            ..normal
        };
        assert_eq!(least.in_force(), least);
    }
}
