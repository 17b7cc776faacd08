//! Stub.
use crate::base::runtime::{RuntimeCommand, RuntimeEvent, SandboxId};
use crate::base::{EntityKey, Row, Span, Timestamp, Turn};
use crate::control::kubernetes::objects::{NodeSpec, PodSpec, Specs};
use crate::control::{Reconciler, Ticket, Tickets};
use std::collections::VecDeque;
/// Told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KubeletChange {
    /// a
    Pod {
        /// a
        pod: SandboxId,
        /// a
        key: EntityKey,
        /// a
        spec: Row<PodSpec>,
    },
    /// a
    Delete {
        /// a
        pod: SandboxId,
        /// a
        grace: Span,
    },
    /// a
    Runtime(RuntimeEvent),
}
/// Asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KubeletCommand {
    /// a
    Runtime(RuntimeCommand),
    /// a
    Report(PodReport),
}
/// a
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PodReport {
    /// a
    pub pod: SandboxId,
    /// a
    pub what: Reported,
}
/// a
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reported {
    /// a
    PullStarted,
    /// a
    PullStopped,
    /// a
    Running,
    /// a
    Ready(bool),
    /// a
    Stopping,
    /// a
    Ended {
        /// a
        succeeded: bool,
        /// a
        reason: EndReason,
    },
}
/// a
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum EndReason {
    /// a
    Completed,
}
/// a
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KubeletSettings;
/// a
#[derive(Clone, Copy, Debug)]
pub struct KubeletView<'a> {
    /// a
    pub specs: &'a Specs,
}
/// a
#[derive(Debug)]
pub struct Kubelet {
    inbox: VecDeque<(Timestamp, KubeletChange)>,
    tickets: Tickets,
}
impl Kubelet {
    /// a
    pub fn new(_now: Timestamp, _settings: KubeletSettings, _spec: Row<NodeSpec>) -> Self {
        Kubelet { inbox: VecDeque::new(), tickets: Tickets::default() }
    }
}
impl Reconciler for Kubelet {
    type Change<'a> = KubeletChange;
    type View<'a> = KubeletView<'a>;
    type Command = KubeletCommand;
    fn observe(&mut self, now: Timestamp, change: KubeletChange) {
        self.inbox.push_back((now, change));
    }
    fn wake_at(&self) -> Option<Timestamp> {
        self.inbox.front().map(|(at, _)| *at)
    }
    fn reconcile(&mut self, _: &mut Turn<'_>, _: KubeletView<'_>, out: &mut Vec<(Ticket, KubeletCommand)>) {
        let Some((_, change)) = self.inbox.pop_front() else { return };
        let mut report =
            |pod, what| out.push((self.tickets.take(), KubeletCommand::Report(PodReport { pod, what })));
        match change {
            KubeletChange::Pod { pod, .. } => {
                report(pod, Reported::Running);
                report(pod, Reported::Ready(true));
            }
            KubeletChange::Delete { pod, .. } => {
                report(pod, Reported::Ended { succeeded: false, reason: EndReason::Completed })
            }
            KubeletChange::Runtime(_) => {}
        }
    }
}
