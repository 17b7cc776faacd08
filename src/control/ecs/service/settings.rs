//! The figures of the scheduler, each named and with its source.
//!
//! Knows nothing of how they are used.

use crate::base::token_bucket::{Refill, TokenBucket};
use crate::base::{Span, Timestamp};

use super::super::objects::LaunchType;
use super::super::placement::stop::StopSettings;

/// The figures of the scheduler. The default is the specification's.
///
/// ```
/// use windtunnel::base::Span;
/// use windtunnel::control::ecs::service::SchedulerSettings;
/// let settings = SchedulerSettings { coalesce: Span::seconds(2), ..Default::default() };
/// assert_eq!(settings.tick, Span::seconds(10));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SchedulerSettings {
    /// Changes within this span of the first one share one look at their service (A-50).
    pub coalesce: Span,
    /// Between two ticks of a service, counted from its creation (A-50).
    pub tick: Span,
    /// Looks at every service at every tick, not only at those where something is due. Changes no
    /// command, only the cost; a test compares the two.
    pub every_tick: bool,
    /// A task without a health check counts after running this long (section 5.4).
    pub healthy_after: Span,
    /// How fast a service starts tasks on container instances (SVC-60).
    pub launch_rate_ec2: LaunchRate,
    /// How fast a service starts tasks on Fargate: 125 a minute in small regions (SVC-60).
    pub launch_rate_fargate: LaunchRate,
    /// How long a service waits when its tasks never reach RUNNING (A-60).
    pub throttle: ThrottleCurve,
    /// How long a service waits when a task finds no place (A-61).
    pub placement_retry: RetryCurve,
    /// Which tasks stop first when there are too many (A-39, A-40).
    pub stop: StopSettings,
    /// The same event is repeated after this span while its cause stays (SVC-30).
    pub repeat_after: Span,
}

/// So many tasks in any minute (SVC-60).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaunchRate {
    /// Tasks in any 60 s.
    pub per_minute: u32,
    /// The share of them that may start at once, as a divisor (A-59).
    pub burst_divisor: u32,
}

/// The wait after consecutive failed starts (SVC-62): `first`, doubled with every further one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThrottleCurve {
    /// So many failed starts cost nothing (A-60).
    pub free: u32,
    /// The wait after the next one (A-60).
    pub first: Span,
    /// The longest wait (A-60; SVC-61).
    pub longest: Span,
}

/// The wait after consecutive failed placements (SVC-63): `quick`, `quick_count` times, then `slow`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryCurve {
    /// The wait at first (A-61).
    pub quick: Span,
    /// How often (A-61).
    pub quick_count: u32,
    /// The wait afterwards (A-61).
    pub slow: Span,
}

impl Default for SchedulerSettings {
    fn default() -> Self {
        let launch_rate = LaunchRate { per_minute: 500, burst_divisor: 6 };
        SchedulerSettings {
            coalesce: Span::SECOND,
            tick: Span::seconds(10),
            every_tick: false,
            healthy_after: Span::seconds(40),
            launch_rate_ec2: launch_rate,
            launch_rate_fargate: launch_rate,
            throttle: ThrottleCurve { free: 2, first: Span::seconds(30), longest: Span::seconds(1620) },
            placement_retry: RetryCurve {
                quick: Span::seconds(15),
                quick_count: 4,
                slow: Span::seconds(300),
            },
            stop: StopSettings::default(),
            repeat_after: Span::HOUR * 6,
        }
    }
}

impl SchedulerSettings {
    /// The launch rate of a service of this launch type.
    pub const fn launch_rate(&self, launch_type: LaunchType) -> LaunchRate {
        match launch_type {
            LaunchType::Ec2 => self.launch_rate_ec2,
            LaunchType::Fargate => self.launch_rate_fargate,
        }
    }
}

impl LaunchRate {
    /// A full bucket of this rate. Burst and refill of a minute add up to the rate, so no window of
    /// 60 s exceeds it.
    pub fn bucket(self) -> TokenBucket {
        let burst = (self.per_minute / self.burst_divisor.max(1)).max(1);
        let refill = self.per_minute.saturating_sub(burst);
        TokenBucket::new(u64::from(burst), Refill::per_minute(u64::from(refill)))
    }
}

impl ThrottleCurve {
    /// The wait after so many failed starts in a row, if there is one.
    pub fn wait(self, failed: u32) -> Option<Span> {
        let doublings = failed.checked_sub(self.free + 1)?;
        let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        let nanos = self.first.as_nanos().saturating_mul(factor);
        Some(Span::from_nanos(nanos).min(self.longest))
    }
}

impl RetryCurve {
    /// When to try again after so many failed placements in a row, the last one `now`; none beyond the
    /// calendar.
    pub fn next(self, now: Timestamp, failed: u32) -> Option<Timestamp> {
        now.checked_add(if failed <= self.quick_count { self.quick } else { self.slow })
    }
}
