//! How many tasks a service starts and stops at one look (sections 5.3 and 5.5): pure arithmetic on
//! counts.
//!
//! Knows nothing of tasks, time or placement.

use crate::base::Percent;
use crate::mark;

/// The least healthy and the most live tasks of a service (section 5.3).
///
/// ```
/// use windtunnel::base::Percent;
/// use windtunnel::control::ecs::service::Bounds;
/// assert_eq!(Bounds::of(10, Percent(33), Percent(133)), Bounds { lower: 4, upper: 13 });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// What should count as healthy: rounded up.
    pub lower: u32,
    /// What may be live: rounded down.
    pub upper: u32,
}

/// The counts of a service at one look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counts {
    /// `desiredCount`.
    pub desired: u32,
    /// Tasks with desired status RUNNING that have not stopped, and those that are being created.
    pub live: u32,
    /// Live tasks that count as healthy (section 5.4).
    pub counted: u32,
    /// Live tasks that fail their health check and have no grace left.
    pub unhealthy: u32,
}

/// What a look at a service does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// Tasks to start.
    pub start: u32,
    /// Unhealthy tasks to stop.
    pub stop_unhealthy: u32,
    /// Tasks to stop because there are too many.
    pub stop_surplus: u32,
}

impl Bounds {
    /// The bounds of a desired count.
    pub fn of(desired: u32, healthy_min: Percent, running_max: Percent) -> Bounds {
        mark!("SVC-11");
        Bounds { lower: healthy_min.of_up(desired), upper: running_max.of_down(desired) }
    }
}

impl Plan {
    /// What follows from the counts. Starts come first, stops second (A-51).
    pub fn of(counts: Counts, bounds: Bounds) -> Plan {
        let Counts { desired, live, unhealthy, .. } = counts;
        let good = live - unhealthy;
        let need = desired.saturating_sub(good);
        let room = if unhealthy == 0 { need } else { bounds.upper.saturating_sub(live) };
        let start = need.min(room);
        let stop_surplus = good.saturating_sub(desired);
        let stop_unhealthy = match replaced(counts) {
            0 if start == 0 && need > 0 && unhealthy > 0 && may_make_room(counts, bounds) => 1,
            replaced => replaced,
        };
        Plan { start, stop_unhealthy, stop_surplus }
    }
}

/// Unhealthy tasks whose replacements count as healthy.
fn replaced(counts: Counts) -> u32 {
    mark!("SVC-22");
    (counts.counted + counts.unhealthy).saturating_sub(counts.desired).min(counts.unhealthy)
}

/// Whether an unhealthy task may stop before its replacement starts: one at a time, the next one when
/// no replacement is on its way any more, or when enough tasks count without it.
const fn may_make_room(counts: Counts, bounds: Bounds) -> bool {
    let on_their_way = counts.live - counts.unhealthy - counts.counted;
    on_their_way == 0 || counts.counted >= bounds.lower
}
