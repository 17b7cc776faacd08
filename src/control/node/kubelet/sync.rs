//! One sync of one pod: sandbox, then container after container its image and its start.
//! Upstream: kubernetes 1.36.3 `pkg/kubelet`: `SyncPod` of the runtime manager, image manager, pod workers.
//!
//! A sync does one thing at a time and is not interrupted: what happens meanwhile is looked at in the
//! next one, deletions included. The way down is in [`stop`](super::stop). Knows nothing of other pods
//! but the line before the registry.

use crate::base::runtime::{ContainerId, Pull, RuntimeCommand};
use crate::base::turn::below;
use crate::base::{Beat, Draw, Purpose, Span, Symbol, Timestamp};
use crate::control::kubernetes::objects::{ContainerKind, ContainerSpec, PodSpec, PullPolicy};
use crate::control::{Ticket, Tickets};
use crate::mark;

use super::events::{ContainerError, PodEvent, PullFailure};
use super::images::Images;
use super::plan::{Plan, plan};
use super::pod::{Because, Container, KubeletPod, Network, Problem, State, Work};
use super::settings::KubeletSettings;
use super::{KubeletCommand, PodReport, Reported};

/// Everything that one sync of one pod may touch.
pub(super) struct Sync<'a> {
    pub(super) now: Timestamp,
    pub(super) draw: &'a mut dyn Draw,
    pub(super) settings: &'a KubeletSettings,
    pub(super) relist: Beat,
    pub(super) tick: Beat,
    pub(super) images: &'a mut Images,
    pub(super) tickets: &'a mut Tickets,
    pub(super) out: &'a mut Vec<(Ticket, KubeletCommand)>,
    pub(super) spec: &'a PodSpec,
    pub(super) pod: &'a mut KubeletPod,
}

/// What came of the try to start a container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The host was asked for something, or the pull stands in line.
    Asked,
    /// It cannot be started in this sync.
    Failed,
}

impl Sync<'_> {
    /// Begins a sync.
    pub(super) fn begin(&mut self) {
        self.pod.look_at = Timestamp::NEVER;
        self.pod.problem = Problem::None;
        self.pod.progressed = false;
        self.pod.again = false;
        self.tell_status();
        if let Some(grace) = self.pod.deleted {
            mark!("K 3.10 a deletion waits for the sync under way");
            self.begin_stop(grace, Because::Deleted);
            return;
        }
        match plan(self.spec, &self.pod.containers) {
            Plan::Over => {
                self.begin_stop(self.spec.grace, Because::Over);
                return;
            }
            Plan::Start(mut starts) => {
                starts.reverse();
                self.pod.todo = starts;
            }
        }
        match self.pod.network {
            Network::Ready => self.go_on(),
            Network::Absent => {
                mark!("K 3.10 the sandbox comes before the containers");
                self.pod.work = Work::Sandbox;
                self.ask(RuntimeCommand::Prepare { sandbox: self.pod.sandbox });
            }
        }
    }

    /// The sandbox is there, or could not be made.
    pub(super) fn prepared(&mut self, ok: bool) {
        if ok {
            self.pod.network = Network::Ready;
            self.go_on();
        } else {
            self.event(None, PodEvent::SandboxFailed);
            self.pod.todo.clear();
            self.pod.problem.add(Problem::Some);
            self.finish();
        }
    }

    /// A pull that stood in line has a place.
    pub(super) fn has_place(&mut self, index: u8) {
        if self.begin_pull(index) == Outcome::Failed {
            self.give_up(index);
        }
    }

    /// A pull ended.
    pub(super) fn pulled(&mut self, index: u8, asked: Timestamp, begun: Timestamp, result: Pull) {
        self.images.leave();
        let image = self.about(index).image;
        match result {
            Pull::Done => {
                self.images.pulled(image);
                let (took, waited) = (self.now.since(begun), self.now.since(asked));
                self.event(Some(index), PodEvent::Pulled { image, took, waited });
                self.start(index);
            }
            Pull::Failed { .. } => {
                self.not_pulled(index, PullFailure::Registry);
                self.give_up(index);
            }
        }
    }

    /// A container was started, or could not be.
    pub(super) fn started(&mut self, index: u8, ok: bool) {
        let container = self.container(index);
        if ok {
            container.state = State::Running;
            container.starts += 1;
            container.passes = false;
            self.pod.progressed = true;
            self.event(Some(index), PodEvent::Created);
            self.event(Some(index), PodEvent::Started);
            self.pod.todo.pop();
            self.go_on();
        } else {
            container.state = State::Created;
            self.event(Some(index), PodEvent::Error(ContainerError::CreateContainerError));
            self.pod.problem.add(Problem::Some);
            self.give_up(index);
        }
    }

    pub(super) fn tell(&mut self, what: Reported) {
        let report = PodReport { pod: self.pod.sandbox, what };
        self.out.push((self.tickets.take(), KubeletCommand::Report(report)));
    }

    pub(super) fn ask(&mut self, command: RuntimeCommand) {
        self.out.push((self.tickets.take(), KubeletCommand::Runtime(command)));
    }

    pub(super) fn event(&mut self, container: Option<u8>, what: PodEvent) {
        let container = container.map(|index| self.about(index).name);
        let event = KubeletCommand::Event { pod: self.pod.sandbox, container, what };
        self.out.push((self.tickets.take(), event));
    }

    pub(super) const fn id(&self, index: u8) -> ContainerId {
        ContainerId { sandbox: self.pod.sandbox, index }
    }

    pub(super) fn about(&self, index: u8) -> &ContainerSpec {
        &self.spec.containers[usize::from(index)]
    }

    pub(super) fn container(&mut self, index: u8) -> &mut Container {
        &mut self.pod.containers[usize::from(index)]
    }

    /// Goes on with what is to be started, until something is waited for or nothing is left.
    fn go_on(&mut self) {
        mark!("K 3.10 a sync starts one container after the other");
        while let Some(&index) = self.pod.todo.last() {
            if self.try_start(index) == Outcome::Asked {
                return;
            }
            self.drop_from_todo(index);
        }
        self.finish();
    }

    /// Goes on without a container that cannot be started in this sync.
    fn give_up(&mut self, index: u8) {
        self.drop_from_todo(index);
        self.go_on();
    }

    fn drop_from_todo(&mut self, index: u8) {
        self.pod.todo.pop();
        if self.about(index).kind == ContainerKind::Init {
            mark!("K 3.10 an init container that cannot start holds up the others");
            self.pod.todo.clear();
        }
    }

    /// Nothing is left to do in this sync: when is the next?
    fn finish(&mut self) {
        self.pod.work = Work::Idle;
        let retry = match self.pod.problem {
            Problem::None => Timestamp::NEVER,
            Problem::Some => self.retry_after(self.settings.retry),
            Problem::Until(at) => {
                mark!("K 3.10 a back-off ends in a sync of its own");
                self.retry_after(at.max(self.now).since(self.now))
            }
        };
        let again = self.pod.again || self.pod.deleted.is_some();
        self.pod.look_at = if self.pod.progressed && self.pod.problem == Problem::None {
            mark!("K 3.10 what a sync has started is seen at once");
            self.now
        } else if self.pod.progressed || again {
            mark!("K 3.10 after a sync that failed the next one waits for a relist");
            retry.min(self.relist.next_after(self.now))
        } else {
            retry
        };
    }

    /// A wait of at most the frequency of syncs, with jitter.
    fn retry_after(&mut self, wait: Span) -> Timestamp {
        mark!("K 3.10 no sync waits longer than the frequency of syncs, jitter aside");
        let wait = wait.min(self.settings.sync_frequency).as_nanos();
        let jitter = wait / 100 * self.settings.retry_jitter_percent;
        self.pod.failures += 1;
        let draw = self.draw.draw(Purpose::Backoff, self.pod.key, self.pod.failures);
        mark!("K 3.10 waits end at a tick of the sync loop");
        self.tick.next_at(self.now + Span::from_nanos(wait + below(draw, jitter)))
    }

    // One container.

    fn try_start(&mut self, index: u8) -> Outcome {
        if self.waits_for_crash(index) {
            return Outcome::Failed;
        }
        let ContainerSpec { image, pull, .. } = *self.about(index);
        if pull != PullPolicy::Always && self.images.has(image) {
            mark!("K 3.10 an image that is there is not pulled");
            self.event(Some(index), PodEvent::Present(image));
            self.start(index);
            return Outcome::Asked;
        }
        if pull == PullPolicy::Never {
            mark!("K 3.10 an image that is never pulled must be there");
            self.event(Some(index), PodEvent::NeverPulled(image));
            self.event(Some(index), PodEvent::Error(ContainerError::ErrImageNeverPull));
            self.pod.problem.add(Problem::Some);
            return Outcome::Failed;
        }
        if self.waits_for_image(index, image) {
            return Outcome::Failed;
        }
        self.event(Some(index), PodEvent::Pulling(image));
        self.tell_pull_started();
        self.pod.work = Work::Pull { index, asked: self.now, begun: Timestamp::NEVER };
        if self.images.take_place(self.id(index)) { self.begin_pull(index) } else { Outcome::Asked }
    }

    /// Whether a container that has exited must still wait; if not, its next wait is longer.
    fn waits_for_crash(&mut self, index: u8) -> bool {
        let now = self.now;
        let backoff = self.settings.crash_backoff;
        let container = self.container(index);
        let State::Exited { at, .. } = container.state else { return false };
        mark!("K 3.10 the wait after a crash counts from the exit");
        if let Some(until) = backoff.until(container.crash, at).filter(|until| *until > now) {
            self.event(Some(index), PodEvent::CrashBackoff);
            self.pod.problem.add(Problem::Until(until));
            return true;
        }
        mark!("K 3.10 the first restart is at once, the waits after it double");
        container.crash = Some(backoff.next(container.crash, at, now));
        false
    }

    /// Whether an image that could not be pulled for this pod must still wait.
    fn waits_for_image(&mut self, index: u8, image: Symbol) -> bool {
        mark!("K 3.10 a failed pull waits, for each pod and image");
        let known = self.pod.pull_delays.iter().find(|(known, _)| *known == image).map(|(_, delay)| *delay);
        let until = self.settings.pull_backoff.until_since_update(known, self.now);
        let waits = until.is_some_and(|until| until > self.now);
        if waits {
            self.event(Some(index), PodEvent::PullBackoff(image));
            self.event(Some(index), PodEvent::Error(ContainerError::ImagePullBackOff));
            self.pod.problem.add(Problem::Some);
        }
        waits
    }

    fn begin_pull(&mut self, index: u8) -> Outcome {
        if !self.images.may_ask(self.now) {
            self.images.leave();
            self.not_pulled(index, PullFailure::Rate);
            return Outcome::Failed;
        }
        if let Work::Pull { begun, .. } = &mut self.pod.work {
            *begun = self.now;
        }
        let (container, image) = (self.id(index), self.about(index).image);
        let attempt = self.container(index).pulls;
        self.container(index).pulls += 1;
        self.ask(RuntimeCommand::Pull { container, image, attempt });
        Outcome::Asked
    }

    fn not_pulled(&mut self, index: u8, why: PullFailure) {
        let image = self.about(index).image;
        self.event(Some(index), PodEvent::PullFailed(image, why));
        let (backoff, now) = (self.settings.pull_backoff, self.now);
        match self.pod.pull_delays.iter_mut().find(|(known, _)| *known == image) {
            Some((_, delay)) => *delay = backoff.next(Some(*delay), now, now),
            None => self.pod.pull_delays.push((image, backoff.next(None, now, now))),
        }
        self.event(Some(index), PodEvent::Error(ContainerError::ErrImagePull));
        self.pod.problem.add(Problem::Some);
    }

    fn start(&mut self, index: u8) {
        let container = self.container(index);
        container.has_image = true;
        let restart = container.starts;
        self.tell_pull_stopped();
        self.pod.work = Work::Start { index };
        let (container, image) = (self.id(index), self.about(index).image);
        self.ask(RuntimeCommand::Start { container, image, restart });
    }
}
