//! What the control plane is told of a pod: its phase and whether it is ready.
//! Upstream: kubernetes 1.36.3 `pkg/kubelet/kubelet_pods.go`, `getPhase`.

use crate::control::kubernetes::objects::ContainerKind;
use crate::mark;

use super::plan::{each, of_kind};
use super::pod::{Because, Container, State};
use super::sync::Sync;
use super::{EndReason, Reported};

impl Sync<'_> {
    /// Reports what has changed of the pod.
    pub(super) fn tell_status(&mut self) {
        if !self.pod.told.running && self.runs() {
            mark!("K 3.10 a pod runs when all its main containers were started");
            self.pod.told.running = true;
            self.tell(Reported::Running);
        }
        self.tell_ready();
    }

    /// Reports whether the pod is ready, if that has changed.
    pub(super) fn tell_ready(&mut self) {
        let ready = self.pod.told.running && self.is_ready();
        if ready != self.pod.told.ready {
            self.pod.told.ready = ready;
            self.tell(Reported::Ready(ready));
        }
    }

    pub(super) fn tell_pull_started(&mut self) {
        if !self.pod.told.pull_started {
            self.pod.told.pull_started = true;
            self.tell(Reported::PullStarted);
        }
    }

    pub(super) fn tell_pull_stopped(&mut self) {
        let told = self.pod.told;
        let all = self.pod.containers.iter().all(|container| container.has_image);
        if told.pull_started && !told.pull_stopped && all {
            self.pod.told.pull_stopped = true;
            self.tell(Reported::PullStopped);
        }
    }

    /// How the pod ends, its containers having exited: the first failure, unless it was deleted.
    pub(super) fn end(&self, because: Because) -> (bool, EndReason) {
        let mut failure = None;
        let mut is_done = true;
        for (container, about, it) in each(self.spec, &self.pod.containers) {
            match it.state {
                State::Exited { code: 0, .. } => {}
                State::Exited { code, out_of_memory, .. } if about.kind != ContainerKind::Sidecar => {
                    is_done = false;
                    failure = failure.or(Some(if out_of_memory {
                        EndReason::OutOfMemory { container }
                    } else {
                        EndReason::Error { container, code }
                    }));
                }
                State::Absent | State::Created | State::Running | State::Stopping => {
                    is_done &= about.kind == ContainerKind::Sidecar;
                }
                State::Exited { .. } => {}
            }
        }
        mark!("K 3.10 a pod has succeeded when its containers have");
        let reason = match because {
            Because::Deleted => EndReason::Deleted,
            Because::Over => failure.unwrap_or(EndReason::Completed),
        };
        (is_done, reason)
    }

    /// Whether the phase is Running: every main container was started, and one runs or will again.
    fn runs(&self) -> bool {
        let mut mains = of_kind(self.spec, &self.pod.containers, ContainerKind::Main);
        mains.all(|(_, _, it)| it.starts > 0)
            && each(self.spec, &self.pod.containers).any(|(_, about, it)| match it.state {
                State::Running | State::Stopping => true,
                State::Exited { code, .. } => {
                    about.kind == ContainerKind::Main && about.restart.restarts_after(code)
                }
                State::Absent | State::Created => false,
            })
    }

    fn is_ready(&self) -> bool {
        mark!("K 3.10 a pod is ready when its containers and sidecars are");
        let ready = |it: &Container, is_probed: bool| it.state == State::Running && (it.passes || !is_probed);
        each(self.spec, &self.pod.containers)
            .all(|(_, about, it)| about.kind == ContainerKind::Init || ready(it, about.readiness.is_some()))
    }
}
