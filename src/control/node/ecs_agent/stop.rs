//! The way down: what makes a task stop, and the order in which its containers stop (section 3.5).
//!
//! Draining a load balancer comes before all this and is the control plane's; the wait between the
//! stop signal and SIGKILL is the host's, which is told how long it may take.

use crate::base::runtime::RuntimeCommand;
use crate::control::ecs::objects::{StartFailure, Stop};
use crate::mark;

use super::dependency_graph;
use super::step::Step;
use super::task::{End, Phase, Stage};
use super::{AgentCommand, Reported};

impl Step<'_> {
    /// Starts to stop the task, for a reason of its own or because it was asked to; the first reason
    /// stays.
    pub(super) fn begin_stop(&mut self, why: Option<Stop>) {
        if !self.task.stopping {
            self.task.stopping = true;
            self.task.stop = why;
            mark!("3.1/STOPPING");
            self.tell(Reported::Stopping(why));
        }
    }

    /// A container will not start: the end of the task if it is essential and not yet stopping.
    pub(super) fn fail(&mut self, index: usize, failure: StartFailure) {
        let container = self.task.containers[index];
        if container.restarts > 0 {
            // It ran, and only its restart in place failed: the exit before that was its last.
            let (code, out_of_memory) = container.last_exit;
            self.exited(index, code, out_of_memory);
            return;
        }
        self.task.containers[index].phase = Phase::Stopped(End::NeverStarted);
        if self.about(index).essential {
            mark!("3.3/TaskFailedToStart");
            self.begin_stop(Some(Stop::TaskFailedToStart(failure)));
        }
    }

    /// A container has exited for good: the end of the task if it is essential (TD-15).
    pub(super) fn exited(&mut self, index: usize, code: u8, out_of_memory: bool) {
        self.task.containers[index].phase = Phase::Stopped(End::Exited { code, out_of_memory });
        if !self.about(index).essential {
            return;
        }
        if !self.task.told.essential_exited {
            self.task.told.essential_exited = true;
            self.tell(Reported::EssentialExited);
        }
        mark!("TD-15");
        mark!("TK-06");
        mark!("3.3/EssentialContainerExited");
        mark!("3.4/OutOfMemoryError");
        let container = self.id(index).index;
        self.begin_stop(Some(Stop::EssentialContainerExited { container, code, out_of_memory }));
    }

    /// Moves one container of a stopping task by one phase towards its end, if it can go on.
    pub(super) fn descend(&mut self, index: usize, phase: Phase) -> bool {
        match phase {
            Phase::Waiting | Phase::Backoff { .. } | Phase::Pulled => {
                self.task.containers[index].phase = Phase::Stopped(End::NeverStarted);
                true
            }
            Phase::Pulling { .. } => {
                self.task.containers[index].pull_owed = true;
                self.task.containers[index].phase = Phase::Stopped(End::NeverStarted);
                true
            }
            Phase::Running { .. } => {
                let in_turn =
                    dependency_graph::dependents_have_stopped(self.definition, &self.task.containers, index);
                if in_turn {
                    self.stop(index);
                }
                in_turn
            }
            Phase::Starting | Phase::Stopping | Phase::Stopped(_) => false,
        }
    }

    /// Every container has stopped: the host's resources are free again.
    pub(super) fn finish(&mut self) {
        self.resources.release(self.task.sandbox, &self.definition.reservation);
        self.task.stage = Stage::Stopped;
        mark!("3.1/STOPPED");
        self.tell(Reported::Stopped(self.task.stop));
    }

    fn stop(&mut self, index: usize) {
        self.task.containers[index].phase = Phase::Stopping;
        mark!("1.3/stopTimeout");
        let grace = self.about(index).stop_timeout.unwrap_or(self.settings.stop_timeout);
        let container = self.id(index);
        self.ask(AgentCommand::Runtime(RuntimeCommand::Stop { container, grace }));
    }
}
