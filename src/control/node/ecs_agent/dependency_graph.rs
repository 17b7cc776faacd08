//! When a container may go on, given what became of the containers it depends on (TD-22).
//!
//! Pure questions about one task; knows nothing of pulls, hosts or reports. Cycles are refused when a
//! task definition is registered; here they would only wait.

use crate::base::Timestamp;
use crate::control::ecs::objects::{Condition, Dependency, Health, TaskDefinition};
use crate::mark;

use super::task::{Containers, End, Phase};

/// Whether a container may go on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Verdict {
    /// All its dependencies are met.
    Ready,
    /// Not yet.
    Blocked,
    /// Never: one of them cannot be met any more.
    Never,
}

/// Whether a container may go on: the worst that any of its dependencies says.
pub(super) fn verdict(
    definition: &TaskDefinition,
    containers: &Containers,
    index: usize,
    now: Timestamp,
) -> Verdict {
    let dependencies = definition.containers[index].depends_on.iter();
    dependencies.map(|on| judge(definition, containers, *on, now)).max().unwrap_or(Verdict::Ready)
}

/// When a dependency of a waiting container is overdue, if one ever is.
pub(super) fn deadline(
    definition: &TaskDefinition,
    containers: &Containers,
    index: usize,
) -> Option<Timestamp> {
    if !matches!(containers[index].phase, Phase::Waiting | Phase::Pulled) {
        return None;
    }
    let dependencies = definition.containers[index].depends_on.iter();
    dependencies.filter_map(|on| overdue_at(definition, containers, *on)).min()
}

/// Whether everything that depends on a container has stopped, so that it may stop: the reverse of
/// the order of starts.
pub(super) fn dependents_have_stopped(
    definition: &TaskDefinition,
    containers: &Containers,
    index: usize,
) -> bool {
    mark!("TD-22");
    let depends = |on: &Dependency| usize::from(on.on) == index;
    let mut others = definition.containers.iter().enumerate();
    others.all(|(other, about)| containers[other].has_stopped() || !about.depends_on.iter().any(depends))
}

fn judge(
    definition: &TaskDefinition,
    containers: &Containers,
    dependency: Dependency,
    now: Timestamp,
) -> Verdict {
    let on = &containers[usize::from(dependency.on)];
    mark!("TD-22");
    let met = match dependency.condition {
        Condition::Start => on.started_at != Timestamp::NEVER,
        Condition::Complete => matches!(on.phase, Phase::Stopped(End::Exited { .. })),
        Condition::Success => matches!(on.phase, Phase::Stopped(End::Exited { code: 0, .. })),
        Condition::Healthy => on.runs() && on.health == Health::Healthy,
    };
    let overdue = || overdue_at(definition, containers, dependency).is_some_and(|at| at <= now);
    if met {
        Verdict::Ready
    } else if on.has_stopped() || overdue() {
        Verdict::Never
    } else {
        Verdict::Blocked
    }
}

/// When a dependency misses its own `startTimeout`; the clock runs from its first start.
fn overdue_at(
    definition: &TaskDefinition,
    containers: &Containers,
    dependency: Dependency,
) -> Option<Timestamp> {
    let on = &containers[usize::from(dependency.on)];
    let timed = match dependency.condition {
        Condition::Start => false,
        Condition::Complete | Condition::Success | Condition::Healthy => !on.has_stopped(),
    };
    let met = dependency.condition == Condition::Healthy && on.health == Health::Healthy;
    if !timed || met || on.started_at == Timestamp::NEVER {
        return None;
    }
    mark!("1.3/startTimeout");
    on.started_at.checked_add(definition.containers[usize::from(dependency.on)].start_timeout?)
}
