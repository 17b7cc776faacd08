//! One step of one task: a change is taken in, then every container goes on as far as it can.
//!
//! The way up is here: pull, start, restart in place, and the reports on the way. The way down is in
//! [`stop`](super::stop). Knows nothing of other tasks but what they hold of the host.

use crate::base::runtime::{ContainerId, Pull, RuntimeCommand, RuntimeEvent};
use crate::base::{Draw, Timestamp};
use crate::control::ecs::objects::{ContainerDefinition, Health, StartFailure, Stop, TaskDefinition};
use crate::control::{Ticket, Tickets};
use crate::mark;

use super::dependency_graph::{self, Verdict};
use super::host_resources::HostResources;
use super::images::Images;
use super::settings::{AgentSettings, PullBehavior};
use super::task::{AgentTask, Container, End, Phase};
use super::{AgentCommand, Report, Reported};

/// Why a step is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    /// The task was admitted, or one of its timers is due.
    Time,
    /// The control plane wants it stopped.
    StopTask,
    /// Its host said something.
    Runtime(RuntimeEvent),
}

/// Everything that one step of one task may touch.
pub(super) struct Step<'a> {
    pub(super) now: Timestamp,
    pub(super) draw: &'a mut dyn Draw,
    pub(super) settings: &'a AgentSettings,
    pub(super) resources: &'a mut HostResources,
    pub(super) images: &'a mut Images,
    pub(super) tickets: &'a mut Tickets,
    pub(super) out: &'a mut Vec<(Ticket, AgentCommand)>,
    pub(super) definition: &'a TaskDefinition,
    pub(super) task: &'a mut AgentTask,
}

impl Step<'_> {
    /// Takes in what happened.
    pub(super) fn take_in(&mut self, cause: Cause) {
        match cause {
            Cause::Time => {}
            Cause::StopTask => self.begin_stop(None),
            Cause::Runtime(event) => self.observe(event),
        }
    }

    /// What the host says. What does not fit the phase of the container is late, and ignored.
    fn observe(&mut self, event: RuntimeEvent) {
        let index = match event {
            // Nobody asked for it: the network of a task comes with its containers.
            RuntimeEvent::Prepared { .. } => return,
            RuntimeEvent::Pulled { container, .. }
            | RuntimeEvent::Started { container, .. }
            | RuntimeEvent::Exited { container, .. }
            | RuntimeEvent::Health { container, .. } => usize::from(container.index),
        };
        if index >= self.definition.containers.len() {
            return;
        }
        match (event, self.task.containers[index].phase) {
            (RuntimeEvent::Pulled { result, .. }, Phase::Pulling { failures }) => {
                self.pulled(index, result, failures);
            }
            (RuntimeEvent::Pulled { result, .. }, _) => self.pulled_late(index, result),
            (RuntimeEvent::Started { ok: true, .. }, Phase::Starting) => self.started(index),
            (RuntimeEvent::Started { ok: false, .. }, Phase::Starting) => self.not_started(index),
            (RuntimeEvent::Exited { code, out_of_memory, .. }, Phase::Running { since }) => {
                if self.may_restart(index, code, since) {
                    self.restart(index, code, out_of_memory);
                } else {
                    self.exited(index, code, out_of_memory);
                }
            }
            (RuntimeEvent::Exited { code, out_of_memory, .. }, Phase::Stopping) => {
                mark!("TK-10");
                self.exited(index, code, out_of_memory);
            }
            (RuntimeEvent::Health { healthy, .. }, Phase::Running { .. }) => {
                let health = if healthy { Health::Healthy } else { Health::Unhealthy };
                self.task.containers[index].health = health;
            }
            (
                RuntimeEvent::Prepared { .. }
                | RuntimeEvent::Started { .. }
                | RuntimeEvent::Exited { .. }
                | RuntimeEvent::Health { .. },
                _,
            ) => {}
        }
    }

    /// Moves every container as far as it can go, then reports what became of the task.
    pub(super) fn progress(&mut self) {
        while (0..self.definition.containers.len()).fold(false, |moved, index| self.advance(index) | moved) {}
        self.tell_pulls();
        if self.all(|container, _| container.has_stopped()) {
            self.finish();
        } else if !self.task.stopping {
            self.tell_running();
            self.tell_health();
        }
    }

    /// The next look at the task that no answer causes.
    pub(super) fn next_look(&self) -> Timestamp {
        let looks = (0..self.definition.containers.len()).filter_map(|index| {
            match self.task.containers[index].phase {
                Phase::Backoff { until, .. } => Some(until),
                Phase::Waiting | Phase::Pulled => {
                    dependency_graph::deadline(self.definition, &self.task.containers, index)
                }
                Phase::Pulling { .. }
                | Phase::Starting
                | Phase::Running { .. }
                | Phase::Stopping
                | Phase::Stopped(_) => None,
            }
        });
        looks.min().unwrap_or(Timestamp::NEVER)
    }

    pub(super) fn tell(&mut self, what: Reported) {
        self.ask(AgentCommand::Report(Report { task: self.task.sandbox, what }));
    }

    pub(super) fn ask(&mut self, command: AgentCommand) {
        self.out.push((self.tickets.take(), command));
    }

    pub(super) const fn id(&self, index: usize) -> ContainerId {
        #[expect(clippy::cast_possible_truncation, reason = "a task definition has at most ten containers")]
        ContainerId { sandbox: self.task.sandbox, index: index as u8 }
    }

    pub(super) fn about(&self, index: usize) -> &ContainerDefinition {
        &self.definition.containers[index]
    }

    pub(super) fn all(&self, what: impl Fn(&Container, &ContainerDefinition) -> bool) -> bool {
        let mut containers = self.definition.containers.iter().enumerate();
        containers.all(|(index, about)| what(&self.task.containers[index], about))
    }

    /// Moves one container by one phase, if it can go on.
    fn advance(&mut self, index: usize) -> bool {
        let phase = self.task.containers[index].phase;
        if self.task.stopping {
            return self.descend(index, phase);
        }
        match phase {
            Phase::Waiting if self.settings.pull_dependents_upfront => {
                self.first_pull(index);
                true
            }
            Phase::Waiting => {
                mark!("TD-23");
                self.when_ready(index, Self::first_pull)
            }
            Phase::Backoff { failures, until } if until <= self.now => {
                self.pull(index, failures);
                true
            }
            Phase::Pulled => {
                mark!("TK-13");
                self.when_ready(index, Self::first_start)
            }
            Phase::Backoff { .. }
            | Phase::Pulling { .. }
            | Phase::Starting
            | Phase::Running { .. }
            | Phase::Stopping
            | Phase::Stopped(_) => false,
        }
    }

    /// Goes on with a container unless a dependency holds it up, now or for ever.
    fn when_ready(&mut self, index: usize, go_on: fn(&mut Self, usize)) -> bool {
        match dependency_graph::verdict(self.definition, &self.task.containers, index, self.now) {
            Verdict::Ready => go_on(self, index),
            Verdict::Blocked => return false,
            Verdict::Never => {
                mark!("TD-22");
                let container = self.id(index).index;
                self.fail(index, StartFailure::Dependency { container });
            }
        }
        true
    }

    fn first_pull(&mut self, index: usize) {
        let image = self.about(index).image;
        self.task.containers[index].uses_image = true;
        if self.images.reference(image) {
            self.pull(index, 0);
        } else {
            self.task.containers[index].phase = Phase::Pulled;
        }
    }

    fn pull(&mut self, index: usize, failures: u32) {
        if !self.task.told.pull_started {
            mark!("3.1/ACTIVATING");
            self.tell(Reported::PullStarted);
            self.task.told.pull_started = true;
            self.task.told.activating = true;
        }
        self.task.containers[index].phase = Phase::Pulling { failures };
        let (container, image) = (self.id(index), self.about(index).image);
        self.ask(AgentCommand::Runtime(RuntimeCommand::Pull { container, image, attempt: failures }));
    }

    fn pulled(&mut self, index: usize, result: Pull, failures: u32) {
        let image = self.about(index).image;
        match result {
            Pull::Done => {
                self.images.pulled(image, self.now);
                self.task.containers[index].phase = Phase::Pulled;
            }
            Pull::Failed { .. } if failures + 1 < self.settings.pull_attempts => {
                mark!("AG-13");
                let failures = failures + 1;
                let key = self.task.key.part(index as u64);
                let until = self.now + self.settings.pull_backoff.wait(failures, key, self.draw);
                self.task.containers[index].phase = Phase::Backoff { failures, until };
            }
            Pull::Failed { cached } => self.not_pulled(index, cached),
        }
    }

    /// A pull ended that nobody waited for any more; what it brought is on the host all the same.
    fn pulled_late(&mut self, index: usize, result: Pull) {
        let owed = std::mem::take(&mut self.task.containers[index].pull_owed);
        if owed && result == Pull::Done {
            self.images.pulled(self.about(index).image, self.now);
        }
    }

    /// The last try of a pull failed.
    fn not_pulled(&mut self, index: usize, cached: bool) {
        let container = self.id(index).index;
        mark!("3.4/CannotPullContainerError");
        let failure = StartFailure::CannotPull { container };
        match self.settings.pull_behavior {
            PullBehavior::Default | PullBehavior::PreferCached if cached => {
                mark!("AG-20");
                self.images.found(self.about(index).image, self.now);
                self.task.containers[index].phase = Phase::Pulled;
            }
            PullBehavior::Default | PullBehavior::PreferCached => self.fail(index, failure),
            PullBehavior::Always | PullBehavior::Once => {
                mark!("AG-20");
                self.task.containers[index].phase = Phase::Stopped(End::NeverStarted);
                self.begin_stop(Some(Stop::TaskFailedToStart(failure)));
            }
        }
    }

    fn first_start(&mut self, index: usize) {
        let wanted = self.about(index).dynamic_ports;
        let (range, order) = (self.settings.dynamic_ports, self.settings.dynamic_port_order);
        if self.resources.choose_ports(self.task.sandbox, wanted, range, order) {
            self.start(index);
        } else {
            let container = self.id(index).index;
            self.fail(index, StartFailure::CannotStart { container });
        }
    }

    fn start(&mut self, index: usize) {
        if !self.task.told.activating {
            mark!("3.1/ACTIVATING");
            self.tell(Reported::Activating);
            self.task.told.activating = true;
        }
        let restart = self.task.containers[index].restarts;
        self.task.containers[index].phase = Phase::Starting;
        let (container, image) = (self.id(index), self.about(index).image);
        self.ask(AgentCommand::Runtime(RuntimeCommand::Start { container, image, restart }));
    }

    fn started(&mut self, index: usize) {
        let container = &mut self.task.containers[index];
        container.phase = Phase::Running { since: self.now };
        container.started_at = container.started_at.min(self.now);
        container.health = Health::Unknown;
    }

    fn not_started(&mut self, index: usize) {
        mark!("3.4/CannotStartContainerError");
        let container = self.id(index).index;
        self.fail(index, StartFailure::CannotStart { container });
    }

    /// Whether the policy of a container has it restarted in place (TD-20).
    fn may_restart(&self, index: usize, code: u8, since: Timestamp) -> bool {
        let Some(policy) = self.about(index).restart_policy.as_ref() else { return false };
        mark!("TD-20");
        !self.task.stopping
            && self.now.since(since) >= policy.attempt_period
            && !policy.ignored_exit_codes.contains(&i32::from(code))
    }

    /// Restarts a container in place; its ports stay its own.
    fn restart(&mut self, index: usize, code: u8, out_of_memory: bool) {
        let container = &mut self.task.containers[index];
        container.restarts += 1;
        container.last_exit = (code, out_of_memory);
        container.health = Health::Unknown;
        self.start(index);
    }

    /// `pullStoppedAt` is when the last pull of the task ended.
    fn tell_pulls(&mut self) {
        let told = self.task.told;
        if told.pull_started && !told.pull_stopped && self.all(|container, _| !container.awaits_image()) {
            self.task.told.pull_stopped = true;
            self.tell(Reported::PullStopped);
        }
    }

    fn tell_running(&mut self) {
        let steady = |container: &Container, about: &ContainerDefinition| {
            container.runs() || (!about.essential && container.has_stopped())
        };
        if !self.task.told.running && self.all(steady) {
            mark!("TK-13");
            self.task.told.running = true;
            self.tell(Reported::Running);
        }
    }

    fn tell_health(&mut self) {
        let health = self.health();
        if health != self.task.health {
            self.task.health = health;
            mark!("TD-26");
            self.tell(Reported::Health(health));
        }
    }

    /// What the essential containers with a health check say together (TD-25).
    fn health(&self) -> Health {
        mark!("TD-25");
        let mut healthy = 0;
        let mut unknown = 0;
        for (index, about) in self.definition.containers.iter().enumerate() {
            if !about.essential || about.health_check.is_none() {
                continue;
            }
            match self.task.containers[index].health {
                Health::Unhealthy => return Health::Unhealthy,
                Health::Unknown => unknown += 1,
                Health::Healthy => healthy += 1,
            }
        }
        if healthy > 0 && unknown == 0 { Health::Healthy } else { Health::Unknown }
    }
}
