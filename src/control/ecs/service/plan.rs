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

/// Unhealthy tasks whose replacements have shown what they are: they count as healthy, or are unhealthy
/// too, and then either one stops.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mark::must_reach;

    /// Vector 14.1, and what a stuck deployment has in common: no room above, none below.
    #[test]
    fn bounds_round_away_from_each_other() {
        let rows = [
            ((1, 100, 200), (1, 2), false),
            ((4, 50, 200), (2, 8), false),
            ((3, 100, 125), (3, 3), true),
            ((2, 75, 100), (2, 2), true),
            ((10, 33, 133), (4, 13), false),
            ((5, 0, 100), (0, 5), false),
            ((7, 90, 110), (7, 7), true),
            ((1, 100, 150), (1, 1), true),
            ((0, 100, 200), (0, 0), true),
            ((u32::MAX, 100, 200), (u32::MAX, u32::MAX), true),
        ];
        for ((desired, min, max), (lower, upper), stuck) in rows {
            let bounds = must_reach(&["SVC-11"], || Bounds::of(desired, Percent(min), Percent(max)));
            assert_eq!(bounds, Bounds { lower, upper }, "({desired}, {min}, {max})");
            assert_eq!(
                bounds.lower >= desired && bounds.upper <= desired,
                stuck,
                "({desired}, {min}, {max})"
            );
        }
    }

    #[test]
    fn plans() {
        // [desired, live, counted, unhealthy], [lower, upper] -> [start, stop unhealthy, stop surplus]
        let rows = [
            // Missing tasks, whatever `upper` is.
            ([3, 0, 0, 0], [3, 6], [3, 0, 0]),
            ([3, 1, 0, 0], [3, 1], [2, 0, 0]),
            ([3, 3, 0, 0], [3, 6], [0, 0, 0]),
            // Too many.
            ([3, 5, 5, 0], [3, 6], [0, 0, 2]),
            ([0, 5, 5, 0], [0, 0], [0, 0, 5]),
            // Start first, as far as `upper` allows.
            ([3, 3, 2, 1], [3, 6], [1, 0, 0]),
            ([3, 3, 0, 3], [3, 4], [1, 0, 0]),
            ([3, 4, 0, 3], [3, 4], [0, 0, 0]),
            ([3, 4, 1, 3], [3, 4], [0, 1, 0]),
            ([3, 6, 2, 3], [3, 6], [0, 2, 0]),
            ([3, 6, 3, 3], [3, 6], [0, 3, 0]),
            // Stop first: one, then wait for its replacement, unless enough count.
            ([3, 3, 1, 2], [3, 3], [0, 1, 0]),
            ([3, 3, 0, 2], [3, 3], [0, 0, 0]),
            ([3, 3, 0, 2], [0, 3], [0, 1, 0]),
            // The replacements are unhealthy too: either one of each pair stops.
            ([2, 4, 0, 4], [2, 4], [0, 2, 0]),
            ([2, 2, 0, 2], [2, 4], [2, 0, 0]),
            // Fewer are wanted: unhealthy ones go first, then as many as are left over.
            ([3, 5, 4, 1], [3, 6], [0, 1, 1]),
            ([0, 2, 0, 2], [0, 0], [0, 2, 0]),
        ];
        for ([desired, live, counted, unhealthy], [lower, upper], [start, stop_unhealthy, stop_surplus]) in
            rows
        {
            let counts = Counts { desired, live, counted, unhealthy };
            let plan = Plan::of(counts, Bounds { lower, upper });
            assert_eq!(plan, Plan { start, stop_unhealthy, stop_surplus }, "{counts:?} {lower} {upper}");
        }
    }

    /// No plan exceeds what there is, starts while it stops too many, or overshoots `upper`.
    #[test]
    fn plans_are_consistent() {
        for desired in 0..5 {
            for live in 0..9_u32 {
                for (counted, unhealthy) in
                    (0..=live).flat_map(|c| (0..=live - c).map(move |unhealthy| (c, unhealthy)))
                {
                    for (min, max) in [(0, 100), (50, 100), (100, 100), (100, 150), (100, 200)] {
                        let counts = Counts { desired, live, counted, unhealthy };
                        let bounds = Bounds::of(desired, Percent(min), Percent(max));
                        let plan = Plan::of(counts, bounds);
                        assert!(plan.stop_unhealthy <= unhealthy, "{counts:?}");
                        assert!(plan.stop_surplus <= live - unhealthy, "{counts:?}");
                        assert!(plan.start == 0 || plan.stop_surplus == 0, "{counts:?}");
                        assert!(
                            plan.start == 0 || live + plan.start <= bounds.upper.max(desired),
                            "{counts:?}"
                        );
                    }
                }
            }
        }
    }
}
