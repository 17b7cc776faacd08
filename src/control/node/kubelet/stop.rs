//! The way down: main containers first, then the sidecars in reverse, then the pod is over.
//! Upstream: kubernetes 1.36.3 `pkg/kubelet/kuberuntime`, `killContainer` and its order.
//!
//! Whether a pod is deleted or nothing of it will run again makes no difference here.

use crate::base::runtime::RuntimeCommand;
use crate::base::{Span, Timestamp};
use crate::control::kubernetes::objects::ContainerKind;
use crate::mark;

use super::Reported;
use super::events::PodEvent;
use super::plan::each;
use super::pod::{Because, Stage, State};
use super::sync::Sync;

impl Sync<'_> {
    /// Starts to stop the pod.
    pub(super) fn begin_stop(&mut self, grace: Span, because: Because) {
        let grace = grace.max(Span::SECOND);
        self.pod.stage = Stage::Stopping { since: self.now, grace, because };
        self.tell(Reported::Stopping);
        for index in self.alive() {
            self.event(Some(index), PodEvent::Killing);
        }
        self.go_on_stopping();
    }

    /// A shorter grace than the one that holds: containers that are stopping are told anew.
    pub(super) fn hasten(&mut self, grace: Span) {
        let Stage::Stopping { since, grace: before, because } = self.pod.stage else { return };
        let grace = grace.max(Span::SECOND);
        if grace >= before {
            return;
        }
        mark!("K 3.10 a grace can only become shorter");
        self.pod.stage = Stage::Stopping { since, grace, because };
        for index in self.alive() {
            if self.container(index).state == State::Stopping {
                self.stop(index, grace);
            }
        }
        self.go_on_stopping();
    }

    /// Stops every container whose turn has come; when there is none left, the pod is over.
    pub(super) fn go_on_stopping(&mut self) {
        let Stage::Stopping { since, grace, because } = self.pod.stage else { return };
        let deadline = since + grace;
        self.pod.look_at = Timestamp::NEVER;
        let alive = self.alive();
        if alive.is_empty() {
            self.stopped(because);
            return;
        }
        for index in alive {
            if self.container(index).state != State::Running {
                continue;
            }
            if self.now < deadline && !self.is_in_turn(index) {
                self.pod.look_at = deadline;
                continue;
            }
            // The original counts what a sidecar has waited in whole seconds.
            let waited = Span::seconds(self.now.since(since).as_nanos() / 1_000_000_000);
            self.stop(index, Span::from_nanos(grace.as_nanos().saturating_sub(waited.as_nanos())));
        }
    }

    /// The containers with a process.
    fn alive(&self) -> Vec<u8> {
        let containers = each(self.spec, &self.pod.containers);
        containers.filter(|(_, _, it)| it.is_alive()).map(|(index, ..)| index).collect()
    }

    /// Whether nothing that a container waits for is alive: for a sidecar all that started after it, but
    /// init containers.
    fn is_in_turn(&self, index: u8) -> bool {
        if self.about(index).kind != ContainerKind::Sidecar {
            return true;
        }
        mark!("K 3.10 sidecars stop after the main containers, in reverse");
        let later = each(self.spec, &self.pod.containers).skip(usize::from(index) + 1);
        later.into_iter().all(|(_, about, it)| about.kind == ContainerKind::Init || !it.is_alive())
    }

    fn stop(&mut self, index: u8, grace: Span) {
        mark!("K 3.10 no container has less than two seconds to stop");
        let grace = grace.max(self.settings.grace_min);
        self.container(index).state = State::Stopping;
        let container = self.id(index);
        self.ask(RuntimeCommand::Stop { container, grace });
    }

    /// Every container has exited. The original sees that at a relist, and one more lies between the
    /// steps of a pod whose work is done.
    fn stopped(&mut self, because: Because) {
        if self.pod.told.ready {
            self.pod.told.ready = false;
            self.tell(Reported::Ready(false));
        }
        mark!("K 3.10 each step of the end waits for a relist");
        let next = self.relist.next_after(self.now);
        self.pod.stage = Stage::Stopped(because);
        self.pod.look_at = match because {
            Because::Deleted => next,
            Because::Over => self.relist.next_after(next),
        };
    }

    /// The pod has ended.
    pub(super) fn over(&mut self, because: Because) {
        self.pod.look_at = Timestamp::NEVER;
        let (succeeded, reason) = self.end(because);
        self.pod.stage = Stage::Ended;
        self.tell(Reported::Ended { succeeded, reason });
        self.ask(RuntimeCommand::Remove { sandbox: self.pod.sandbox });
    }
}
