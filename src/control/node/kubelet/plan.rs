//! What a sync is to start: from the states of the containers alone.
//! Upstream: kubernetes 1.36.3 `pkg/kubelet/kuberuntime`, `computePodActions`.

use crate::control::kubernetes::objects::{ContainerKind, ContainerSpec, PodSpec};
use crate::mark;

use super::pod::{Container, State};

/// What a sync is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Plan {
    /// Start these, in this order.
    Start(Vec<u8>),
    /// Nothing will ever be started again.
    Over,
}

/// The plan for a pod that is not to stop.
pub(super) fn plan(spec: &PodSpec, containers: &[Container]) -> Plan {
    let Some((mut starts, is_initialized)) = plan_init(spec, containers) else { return Plan::Over };
    if !is_initialized {
        return Plan::Start(starts);
    }
    let mains = of_kind(spec, containers, ContainerKind::Main);
    let mut kept = 0;
    let before = starts.len();
    for (index, about, container) in mains {
        match container.state {
            State::Absent | State::Created => starts.push(index),
            State::Running | State::Stopping => kept += 1,
            State::Exited { code, .. } => {
                mark!("K 3.10 the restart policy decides over an exit");
                if about.restart.restarts_after(code) {
                    starts.push(index);
                }
            }
        }
    }
    if kept == 0 && starts.len() == before {
        mark!("K 3.10 sidecars keep no pod alive");
        return Plan::Over;
    }
    Plan::Start(starts)
}

/// What is to be started of the containers before the main ones, and whether those may start; nothing
/// when the pod has failed.
fn plan_init(spec: &PodSpec, containers: &[Container]) -> Option<(Vec<u8>, bool)> {
    let count = spec.containers.iter().filter(|about| about.kind != ContainerKind::Main).count();
    if count == 0 {
        return Some((Vec::new(), true));
    }
    let mut is_initialized =
        of_kind(spec, containers, ContainerKind::Main).any(|(_, _, container)| container.is_alive());
    let mut one_is_behind = is_initialized;
    let mut starts = Vec::new();
    let count = u8::try_from(count).expect("one of at most 256 containers is a main one");
    for index in (0..count).rev() {
        let (about, container) = (&spec.containers[usize::from(index)], &containers[usize::from(index)]);
        let is_sidecar = about.kind == ContainerKind::Sidecar;
        let is_last = index + 1 == count;
        let mut goes_on = || {
            if is_last {
                is_initialized = true;
            } else if !one_is_behind {
                mark!("K 3.10 init containers start one by one");
                starts.push(index + 1);
            }
        };
        match container.state {
            State::Absent => continue,
            _ if one_is_behind && !is_sidecar => continue,
            State::Created => starts.push(index),
            State::Running | State::Stopping if is_sidecar => {
                mark!("K 3.10 a sidecar lets the next one start when it runs");
                goes_on();
            }
            State::Running | State::Stopping => {}
            State::Exited { .. } if is_sidecar => {
                mark!("K 3.10 a sidecar is always started again");
                starts.push(index);
            }
            State::Exited { code: 0, .. } => goes_on(),
            State::Exited { code, .. } if about.restart.restarts_after(code) => starts.push(index),
            State::Exited { .. } => {
                mark!("K 3.10 an init container that fails for good fails the pod");
                return None;
            }
        }
        one_is_behind = true;
    }
    if !one_is_behind {
        starts.push(0);
    }
    starts.reverse();
    Some((starts, is_initialized))
}

/// The containers of a kind.
pub(super) fn of_kind<'a>(
    spec: &'a PodSpec,
    containers: &'a [Container],
    kind: ContainerKind,
) -> impl Iterator<Item = (u8, &'a ContainerSpec, &'a Container)> {
    each(spec, containers).filter(move |(_, about, _)| about.kind == kind)
}

/// The containers with their places.
pub(super) fn each<'a>(
    spec: &'a PodSpec,
    containers: &'a [Container],
) -> impl Iterator<Item = (u8, &'a ContainerSpec, &'a Container)> {
    (0..=u8::MAX).zip(spec.containers.iter().zip(containers)).map(|(index, (about, it))| (index, about, it))
}
