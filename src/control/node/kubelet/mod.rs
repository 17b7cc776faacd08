//! The kubelet: what runs on a node of Kubernetes and turns a pod that is bound to it into containers.
//!
//! A pod is looked at once more (`admission`), then synced (`sync`): each sync compares what should run
//! with what does (`plan`), and starts it. What a sync cannot do now a later one tries again; what has
//! exited is seen at the next relist. Commands go to the host's container runtime, reports and events to
//! the control plane. Knows nothing of clusters, schedulers and controllers, and nothing of how long
//! anything takes: heartbeats and syncs that find nothing change nothing here and therefore are not here.

use std::collections::{BTreeSet, VecDeque};

use crate::base::runtime::{RuntimeCommand, RuntimeEvent, SandboxId};
use crate::base::{Beat, Column, EntityKey, Row, Span, Symbol, Timestamp, Turn};
use crate::control::kubernetes::objects::{NodeSpec, PodSpec, Specs};
use crate::control::{Reconciler, Ticket, Tickets};
use crate::mark;

mod admission;
mod backoff;
mod events;
mod images;
mod plan;
mod pod;
mod probe;
mod settings;
mod status;
mod stop;
mod sync;
#[cfg(test)]
mod tests;

pub use admission::{Rejection, Resource, Shortage};
pub use backoff::Backoff;
pub use events::{About, ContainerError, PodEvent, PullFailure};
pub use probe::readiness_check;
pub use settings::KubeletSettings;

use admission::Book;
use images::Images;
use pod::{Because, Container, KubeletPod, Stage, State, Work};
use sync::Sync;

/// What a kubelet is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KubeletChange {
    /// A pod was bound to its node. One that it knows already is not taken twice.
    Pod {
        /// What the kubelet calls it towards its host.
        pod: SandboxId,
        /// For draws.
        key: EntityKey,
        /// What it is.
        spec: Row<PodSpec>,
    },
    /// A pod is to go; answered by [`Reported::Removed`].
    Delete {
        /// Which one.
        pod: SandboxId,
        /// How long its containers may take to stop.
        grace: Span,
    },
    /// Its node object has changed.
    Node(Row<NodeSpec>),
    /// The host says something.
    Runtime(RuntimeEvent),
}

/// What a kubelet asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KubeletCommand {
    /// Something of its host.
    Runtime(RuntimeCommand),
    /// The control plane should know.
    Report(PodReport),
    /// An event should be written.
    Event {
        /// About which pod.
        pod: SandboxId,
        /// About which of its containers, by name; none for the whole pod.
        container: Option<Symbol>,
        /// What happened.
        what: PodEvent,
    },
}

/// What the control plane should know about a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PodReport {
    /// Which pod.
    pub pod: SandboxId,
    /// What became of it.
    pub what: Reported,
}

/// What became of a pod. One that has nothing to report is Pending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reported {
    /// It may not run here: Failed, with reason and message. Nothing else follows but `Removed`.
    Rejected(Rejection),
    /// Its first pull was asked for.
    PullStarted,
    /// Every container had its image.
    PullStopped,
    /// It is Running. A pod whose containers all end before anybody looks never is.
    Running,
    /// Its condition Ready changed; false at first.
    Ready(bool),
    /// Its containers are told to stop: it was deleted, or nothing will be started again.
    Stopping,
    /// All its containers have exited: Succeeded or Failed.
    Ended {
        /// Which of the two.
        succeeded: bool,
        /// Why.
        reason: EndReason,
    },
    /// It was deleted and holds nothing any more: its record may go. The node has forgotten it.
    Removed,
}

/// Why a pod has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndReason {
    /// Its containers have done their work.
    Completed,
    /// A container failed, and is not started again: the first one, by its place in the spec.
    Error {
        /// Which one.
        container: u8,
        /// Its exit code.
        code: u8,
    },
    /// The same, for memory.
    OutOfMemory {
        /// Which one.
        container: u8,
    },
    /// It was deleted.
    Deleted,
}

/// What a kubelet looks at while it decides.
#[derive(Clone, Copy, Debug)]
pub struct KubeletView<'a> {
    /// What pods and nodes are.
    pub specs: &'a Specs,
}

/// The node of a kubelet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KubeletNode<'a> {
    /// Its name.
    pub name: Symbol,
    /// What it is.
    pub spec: Row<NodeSpec>,
    /// Images that its machine image brings.
    pub baked_images: &'a [Symbol],
}

/// The kubelet of one node.
///
/// ```
/// use windtunnel::base::runtime::SandboxId;
/// use windtunnel::base::{Row, Span, Symbols, Timestamp};
/// use windtunnel::control::node::kubelet::{Kubelet, KubeletChange, KubeletNode, KubeletSettings};
/// use windtunnel::control::Reconciler;
/// let (now, mut symbols) = (Timestamp::from_nanos(7), Symbols::default());
/// let node = KubeletNode { name: symbols.intern("node-0"), spec: Row::at(0), baked_images: &[] };
/// let mut kubelet = Kubelet::new(now, KubeletSettings::default(), node);
/// assert_eq!(kubelet.wake_at(), None);
/// kubelet.observe(now, KubeletChange::Delete { pod: SandboxId(1), grace: Span::seconds(30) });
/// assert_eq!(kubelet.wake_at(), Some(now));
/// ```
#[derive(Clone, Debug)]
pub struct Kubelet {
    settings: KubeletSettings,
    name: Symbol,
    node: Row<NodeSpec>,
    book: Book,
    images: Images,
    pods: Column<KubeletPod>,
    /// By sandbox, sorted.
    rows: Vec<(SandboxId, Row<KubeletPod>)>,
    /// What was told and not looked at yet, in the order of arrival.
    inbox: VecDeque<(Timestamp, KubeletChange)>,
    /// The looks at which containers run.
    relist: Beat,
    /// The looks at which syncs are due.
    tick: Beat,
    /// Exits that the next relist finds, and when they were; soonest first.
    exits: VecDeque<(Timestamp, Timestamp, RuntimeEvent)>,
    /// Pods that want a look by themselves; `(at, row)` is here if and only if `at` is the timer of the pod.
    timers: BTreeSet<(Timestamp, Row<KubeletPod>)>,
    tickets: Tickets,
}

/// One unit of work, in the order in which units of one instant are done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Unit {
    Change,
    Exit,
    Timer,
}

/// Why a pod is looked at.
#[derive(Clone, Copy)]
enum Cause {
    /// Its time has come.
    Time,
    /// It is to go.
    Delete(Span),
    /// Its pull has a place in line.
    Place(u8),
    /// Its host said something, then.
    Runtime(RuntimeEvent, Timestamp),
}

impl Kubelet {
    /// A kubelet that starts now on an empty host.
    pub fn new(now: Timestamp, settings: KubeletSettings, node: KubeletNode<'_>) -> Self {
        let settings = settings.in_force();
        Kubelet {
            settings,
            name: node.name,
            node: node.spec,
            book: Book::default(),
            images: Images::new(&settings, node.baked_images),
            pods: Column::new(),
            rows: Vec::new(),
            inbox: VecDeque::new(),
            relist: Beat::new(now, settings.relist),
            tick: Beat::new(now, settings.tick),
            exits: VecDeque::new(),
            timers: BTreeSet::new(),
            tickets: Tickets::default(),
        }
    }

    /// How many pods it knows that have not ended.
    pub fn active(&self) -> usize {
        self.pods.iter().filter(|(_, pod)| pod.stage != Stage::Ended).count()
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
        self.next_unit().map(|(at, _)| at)
    }

    fn reconcile(
        &mut self,
        turn: &mut Turn<'_>,
        view: KubeletView<'_>,
        out: &mut Vec<(Ticket, KubeletCommand)>,
    ) {
        let Some((_, unit)) = self.next_unit().filter(|(at, _)| *at <= turn.now) else { return };
        match unit {
            Unit::Change => {
                let (_, change) = self.inbox.pop_front().expect("the inbox is due, so it is not empty");
                self.take_in(change, turn, view, out);
            }
            Unit::Exit => {
                let (_, at, event) = self.exits.pop_front().expect("an exit is due");
                self.runtime(event, at, turn, view, out);
            }
            Unit::Timer => {
                let &(_, row) = self.timers.first().expect("a timer is due");
                self.step(row, Cause::Time, turn, view, out);
            }
        }
        self.serve_line(turn, view, out);
    }
}

impl Kubelet {
    /// What is due first, and when.
    fn next_unit(&self) -> Option<(Timestamp, Unit)> {
        let change = self.inbox.front().map(|&(at, _)| (at, Unit::Change));
        let exit = self.exits.front().map(|&(at, ..)| (at, Unit::Exit));
        let timer = self.timers.first().map(|&(at, _)| (at, Unit::Timer));
        change.into_iter().chain(exit).chain(timer).min()
    }

    fn take_in(
        &mut self,
        change: KubeletChange,
        turn: &mut Turn<'_>,
        view: KubeletView<'_>,
        out: &mut Vec<(Ticket, KubeletCommand)>,
    ) {
        match change {
            KubeletChange::Pod { pod, key, spec } => self.admit(pod, key, spec, turn.now, view, out),
            KubeletChange::Node(spec) => self.node = spec,
            KubeletChange::Delete { pod, grace } => match self.row(pod) {
                Some(row) => self.step(row, Cause::Delete(grace), turn, view, out),
                None => self.report(pod, Reported::Removed, out),
            },
            KubeletChange::Runtime(event) => {
                let stage = self.row(event.sandbox()).map(|row| self.pods[row].stage);
                if matches!((event, stage), (RuntimeEvent::Exited { .. }, Some(Stage::Active))) {
                    mark!("K 3.10 exits are seen at the next relist");
                    self.exits.push_back((self.relist.next_at(turn.now), turn.now, event));
                } else {
                    self.runtime(event, turn.now, turn, view, out);
                }
            }
        }
    }

    fn runtime(
        &mut self,
        event: RuntimeEvent,
        at: Timestamp,
        turn: &mut Turn<'_>,
        view: KubeletView<'_>,
        out: &mut Vec<(Ticket, KubeletCommand)>,
    ) {
        if let Some(row) = self.row(event.sandbox()) {
            self.step(row, Cause::Runtime(event, at), turn, view, out);
        }
    }

    fn row(&self, sandbox: SandboxId) -> Option<Row<KubeletPod>> {
        self.place(sandbox).ok().map(|place| self.rows[place].1)
    }

    /// Where a pod is listed, or would be.
    fn place(&self, sandbox: SandboxId) -> Result<usize, usize> {
        self.rows.binary_search_by_key(&sandbox, |&(known, _)| known)
    }

    fn report(&mut self, pod: SandboxId, what: Reported, out: &mut Vec<(Ticket, KubeletCommand)>) {
        out.push((self.tickets.take(), KubeletCommand::Report(PodReport { pod, what })));
    }

    /// Takes a pod, or refuses it for good.
    fn admit(
        &mut self,
        sandbox: SandboxId,
        key: EntityKey,
        spec: Row<PodSpec>,
        now: Timestamp,
        view: KubeletView<'_>,
        out: &mut Vec<(Ticket, KubeletCommand)>,
    ) {
        let Err(place) = self.place(sandbox) else { return };
        let (about, node) = (&view.specs[spec], &view.specs[self.node]);
        let refused = self.book.refuses(about, self.name, node, &view.specs.symbols);
        let stage = if refused.is_some() { Stage::Ended } else { Stage::Active };
        let mut pod = KubeletPod::new(sandbox, key, spec, stage);
        if refused.is_none() {
            self.book.admit(about);
            pod.containers = vec![Container::NEW; about.containers.len()].into();
            pod.look_at = now;
        }
        let row = self.pods.insert(pod).row;
        self.rows.insert(place, (sandbox, row));
        self.set_timer(row);
        if let Some(rejection) = refused {
            let event =
                KubeletCommand::Event { pod: sandbox, container: None, what: PodEvent::Rejected(rejection) };
            out.push((self.tickets.take(), event));
            self.report(sandbox, Reported::Rejected(rejection), out);
            out.push((self.tickets.take(), KubeletCommand::Runtime(RuntimeCommand::Remove { sandbox })));
        }
    }

    /// Does one step of one pod, and keeps the book and the timers true to what came of it.
    fn step(
        &mut self,
        row: Row<KubeletPod>,
        cause: Cause,
        turn: &mut Turn<'_>,
        view: KubeletView<'_>,
        out: &mut Vec<(Ticket, KubeletCommand)>,
    ) {
        let spec = &view.specs[self.pods[row].spec];
        let before = self.pods[row].stage;
        let mut sync = Sync {
            now: turn.now,
            draw: &mut *turn.draw,
            settings: &self.settings,
            relist: self.relist,
            tick: self.tick,
            images: &mut self.images,
            tickets: &mut self.tickets,
            out,
            spec,
            pod: &mut self.pods[row],
        };
        sync.take_in(cause);
        self.set_timer(row);
        let pod = &self.pods[row];
        if pod.stage != Stage::Ended {
            return;
        }
        let (sandbox, is_deleted) = (pod.sandbox, pod.deleted.is_some());
        if before != Stage::Ended {
            self.book.release(spec);
        }
        if is_deleted {
            self.report(sandbox, Reported::Removed, out);
            let place = self.place(sandbox).expect("a pod that is kept is listed");
            self.rows.remove(place);
            self.pods.remove(row);
        }
    }

    /// Lets pulls begin for which there is a place now.
    fn serve_line(
        &mut self,
        turn: &mut Turn<'_>,
        view: KubeletView<'_>,
        out: &mut Vec<(Ticket, KubeletCommand)>,
    ) {
        while let Some(container) = self.images.next() {
            let row = self.row(container.sandbox).expect("a pod that waits for a pull is kept");
            self.step(row, Cause::Place(container.index), turn, view, out);
        }
    }

    fn set_timer(&mut self, row: Row<KubeletPod>) {
        let pod = &mut self.pods[row];
        if pod.timer == pod.look_at {
            return;
        }
        if pod.timer != Timestamp::NEVER {
            assert!(self.timers.remove(&(pod.timer, row)), "a timer that is set is kept");
        }
        if pod.look_at != Timestamp::NEVER {
            assert!(self.timers.insert((pod.look_at, row)), "a pod has one timer");
        }
        pod.timer = pod.look_at;
    }
}

impl Sync<'_> {
    /// Takes in what happened. What does not fit the state of the pod is late, and ignored.
    fn take_in(&mut self, cause: Cause) {
        match (cause, self.pod.stage) {
            (Cause::Delete(grace), _) => self.delete(grace),
            (_, Stage::Ended) => {}
            (Cause::Time, Stage::Active) => self.begin(),
            (Cause::Time, Stage::Stopping { .. }) => self.go_on_stopping(),
            (Cause::Time, Stage::Stopped(because)) => self.over(because),
            (Cause::Place(index), _) => self.has_place(index),
            (Cause::Runtime(event, at), _) => self.hear(event, at),
        }
    }

    fn delete(&mut self, grace: Span) {
        let grace = self.pod.deleted.map_or(grace, |before| before.min(grace));
        self.pod.deleted = Some(grace);
        match self.pod.stage {
            Stage::Active if self.pod.work == Work::Idle => self.begin_stop(grace, Because::Deleted),
            Stage::Active | Stage::Stopped(_) | Stage::Ended => {}
            Stage::Stopping { .. } => self.hasten(grace),
        }
    }

    fn hear(&mut self, event: RuntimeEvent, at: Timestamp) {
        match (event, self.pod.work) {
            (RuntimeEvent::Prepared { ok, .. }, Work::Sandbox) => self.prepared(ok),
            (RuntimeEvent::Pulled { container, result }, Work::Pull { index, asked, begun })
                if index == container.index && begun < Timestamp::NEVER =>
            {
                self.pulled(index, asked, begun, result);
            }
            (RuntimeEvent::Started { container, ok }, Work::Start { index }) if index == container.index => {
                self.started(index, ok);
            }
            (RuntimeEvent::Exited { container, code, out_of_memory }, _) => {
                self.exited(container.index, State::Exited { at, code, out_of_memory });
            }
            (RuntimeEvent::Health { container, healthy }, _) => self.probed(container.index, healthy),
            (
                RuntimeEvent::Prepared { .. } | RuntimeEvent::Pulled { .. } | RuntimeEvent::Started { .. },
                _,
            ) => {}
        }
    }

    fn exited(&mut self, index: u8, exit: State) {
        let Some(container) = self.pod.containers.get_mut(usize::from(index)) else { return };
        if !container.is_alive() {
            return;
        }
        container.state = exit;
        container.passes = false;
        match self.pod.stage {
            Stage::Active if self.pod.work == Work::Idle => self.pod.look_at = self.now,
            Stage::Active => self.pod.again = true,
            Stage::Stopping { .. } => self.go_on_stopping(),
            Stage::Stopped(_) | Stage::Ended => {}
        }
    }

    fn probed(&mut self, index: u8, healthy: bool) {
        let Some(container) = self.pod.containers.get_mut(usize::from(index)) else { return };
        if container.state == State::Running {
            container.passes = healthy;
            mark!("K 3.10 the readiness probe says whether a container is ready");
            self.tell_ready();
        }
    }
}
