//! The Amazon ECS container agent: what runs on a container instance, or beside a Fargate task, and
//! turns a task it was given into containers.
//!
//! Tasks enter one queue and are admitted when they fit into what is actually free (AG-10). An
//! admitted task climbs, container by container, from pull to start (`step`) and descends in the
//! reverse order (`stop`). Commands go to the host's container runtime, reports to the control
//! plane. Knows nothing of clusters, services, placement or load balancers, and nothing of how long
//! anything takes: heartbeats and metrics change nothing here and therefore are not here (AG-02,
//! AG-15), and a lost connection stops nothing (AG-01).

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::base::hash::Map;
use crate::base::runtime::{RuntimeCommand, RuntimeEvent, SandboxId};
use crate::base::{Column, EntityKey, Row, Timestamp, Turn};
use crate::control::ecs::objects::{Definitions, Health, Stop, TaskDefinition};
use crate::control::{Reconciler, Ticket, Tickets};
use crate::mark;

mod dependency_graph;
mod host_resources;
mod images;
mod settings;
mod step;
mod stop;
mod task;
#[cfg(test)]
mod tests;

pub use host_resources::{Held, HostCapacity, RESERVED_PORTS};
pub use settings::{AgentSettings, Backoff, PortOrder, PullBehavior};

use host_resources::HostResources;
use images::Images;
use step::{Cause, Step};
use task::{AgentTask, Containers, Stage};

/// What an agent is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AgentChange {
    /// The control plane gives it a task. A task that it knows already is not taken twice.
    Payload {
        /// What the agent calls it towards its host.
        task: SandboxId,
        /// For draws.
        key: EntityKey,
        /// What it is.
        definition: Row<TaskDefinition>,
    },
    /// The control plane wants a task stopped.
    StopTask {
        /// Which one; a task that is unknown or has stopped is ignored.
        task: SandboxId,
    },
    /// The host says something.
    Runtime(RuntimeEvent),
}

/// What an agent asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AgentCommand {
    /// Something of its host.
    Runtime(RuntimeCommand),
    /// The control plane should know.
    Report(Report),
}

/// What the control plane should know about a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// Which task.
    pub task: SandboxId,
    /// What became of it.
    pub what: Reported,
}

/// What became of a task. A task that waits for room has nothing to report: it is PENDING.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reported {
    /// Its first pull began: `pullStartedAt`; it is ACTIVATING.
    PullStarted,
    /// It is ACTIVATING and needs no pull, or none so far.
    Activating,
    /// Its last pull ended, well or not: `pullStoppedAt`.
    PullStopped,
    /// All its containers are steady (TK-13): RUNNING, `startedAt`.
    Running,
    /// Its health changed (TD-25).
    Health(Health),
    /// Its first essential container exited: `executionStoppedAt`.
    EssentialExited,
    /// Its containers are told to stop: STOPPING. The reason is none when the control plane asked for it.
    Stopping(Option<Stop>),
    /// Its containers have all exited: STOPPED, or DEPROVISIONING with a network interface. The reason
    /// is that of [`Stopping`](Self::Stopping), which came before.
    Stopped(Option<Stop>),
}

/// What an agent looks at while it decides.
#[derive(Clone, Copy, Debug)]
pub struct AgentView<'a> {
    /// What its tasks are.
    pub definitions: &'a Definitions,
}

/// The container agent of one machine.
///
/// ```
/// use windtunnel::base::runtime::SandboxId;
/// use windtunnel::base::{Bytes, Cpu, Timestamp};
/// use windtunnel::control::node::ecs_agent::{AgentChange, AgentSettings, EcsAgent, HostCapacity};
/// use windtunnel::control::Reconciler;
/// let now = Timestamp::from_nanos(7);
/// let mut agent =
///     EcsAgent::new(now, AgentSettings::default(), &HostCapacity::new(Cpu::vcpus(2), Bytes::gib(8)));
/// assert_eq!(agent.wake_at(), None);
/// agent.observe(now, AgentChange::StopTask { task: SandboxId(1) });
/// assert_eq!(agent.wake_at(), Some(now));
/// ```
#[derive(Clone, Debug)]
pub struct EcsAgent {
    settings: Arc<AgentSettings>,
    resources: HostResources,
    images: Images,
    tasks: Column<AgentTask>,
    /// By sandbox.
    rows: Map<SandboxId, Row<AgentTask>>,
    /// What was told and not looked at yet, in the order of arrival.
    inbox: Line<(Timestamp, AgentChange)>,
    /// Tasks that wait for room, first come first served.
    queue: VecDeque<Row<AgentTask>>,
    /// Since when the head of the queue might fit; none when it was found not to.
    admit_at: Option<Timestamp>,
    /// Tasks that want a look by themselves; `(at, row)` is here if and only if `at` is the timer of
    /// the task.
    timers: BTreeSet<(Timestamp, Row<AgentTask>)>,
    /// Stopped tasks and when their containers are removed, soonest first.
    cleanups: Line<(Timestamp, Row<AgentTask>)>,
    tickets: Tickets,
    /// What is due first, and when; more is asked of it than changes it.
    next: Option<(Timestamp, Unit)>,
}

/// A queue whose first is asked about more often than the others, and lies at hand.
#[derive(Clone, Debug)]
struct Line<T> {
    first: Option<T>,
    /// Empty unless there is a first.
    rest: VecDeque<T>,
}

/// One unit of work, in the order in which units of one instant are done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Unit {
    Change,
    Admit,
    Timer,
    RemoveTask,
    CleanImages,
}

impl EcsAgent {
    /// An agent that starts now on an empty host.
    pub fn new(now: Timestamp, settings: impl Into<Arc<AgentSettings>>, capacity: &HostCapacity) -> Self {
        let mut settings = settings.into();
        if *settings != settings.in_force() {
            settings = settings.in_force().into();
        }
        let mut agent = EcsAgent {
            resources: HostResources::new(capacity),
            images: Images::new(&settings, &capacity.baked_images, now),
            settings,
            tasks: Column::new(),
            rows: Map::default(),
            inbox: Line::default(),
            queue: VecDeque::new(),
            admit_at: None,
            timers: BTreeSet::new(),
            cleanups: Line::default(),
            tickets: Tickets::default(),
            next: None,
        };
        agent.next = agent.next_unit();
        agent
    }

    /// How many tasks wait for room.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// What the tasks of this host hold.
    pub const fn held(&self) -> Held {
        self.resources.held()
    }

    /// The same, counted anew from the tasks; equal to [`held`](Self::held) at all times.
    pub fn recount(&self, view: AgentView<'_>) -> Held {
        let mut held = Held::default();
        for (_, task) in self.tasks.iter().filter(|(_, task)| task.stage == Stage::Active) {
            held.add(&view.definitions[task.definition].reservation);
        }
        held
    }

    /// The dynamic host ports of a task, ascending (TD-41).
    pub fn host_ports(&self, task: SandboxId) -> impl Iterator<Item = u16> {
        self.resources.ports_of(task)
    }
}

impl Reconciler for EcsAgent {
    type Change<'a> = AgentChange;
    type View<'a> = AgentView<'a>;
    type Command = AgentCommand;

    fn observe(&mut self, now: Timestamp, change: AgentChange) {
        if self.inbox.first().is_none() {
            let unit = (now, Unit::Change);
            self.next = Some(self.next.map_or(unit, |next| next.min(unit)));
        }
        self.inbox.push((now, change));
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.next.map(|(at, _)| at)
    }

    fn reconcile(&mut self, turn: &mut Turn<'_>, view: AgentView<'_>, out: &mut Vec<(Ticket, AgentCommand)>) {
        let Some((_, unit)) = self.next.filter(|(at, _)| *at <= turn.now) else { return };
        match unit {
            Unit::Change => {
                let (_, change) = self.inbox.pop().expect("the inbox is due, so it is not empty");
                self.take_in(change, turn, view, out);
            }
            Unit::Admit => self.admit(turn, view, out),
            Unit::Timer => {
                let &(_, row) = self.timers.first().expect("a timer is due");
                self.step(row, Cause::Time, turn, view, out);
            }
            Unit::RemoveTask => self.remove_task(turn.now, view, out),
            Unit::CleanImages => self.clean_images(turn.now, out),
        }
        self.next = self.next_unit();
    }
}

impl EcsAgent {
    /// What is due first, and when.
    fn next_unit(&self) -> Option<(Timestamp, Unit)> {
        let mut first = (Timestamp::NEVER, Unit::CleanImages);
        let mut hear = |at: Option<Timestamp>, unit| {
            first = first.min((at.unwrap_or(Timestamp::NEVER), unit));
        };
        hear(self.inbox.first().map(|&(at, _)| at), Unit::Change);
        hear(self.admit_at, Unit::Admit);
        hear(self.timers.first().map(|&(at, _)| at), Unit::Timer);
        hear(self.cleanups.first().map(|&(at, _)| at), Unit::RemoveTask);
        hear(self.images.clean_at(), Unit::CleanImages);
        Some(first).filter(|&(at, _)| at != Timestamp::NEVER)
    }

    fn take_in(
        &mut self,
        change: AgentChange,
        turn: &mut Turn<'_>,
        view: AgentView<'_>,
        out: &mut Vec<(Ticket, AgentCommand)>,
    ) {
        match change {
            AgentChange::Payload { task, key, definition } => {
                if self.rows.contains(&task) {
                    return;
                }
                let row = self.tasks.insert(AgentTask::new(task, key, definition)).row;
                self.rows.insert(task, row);
                self.queue.push_back(row);
                if self.queue.len() == 1 {
                    self.admit(turn, view, out);
                }
            }
            AgentChange::StopTask { task } => {
                if let Some(&row) = self.rows.get(&task) {
                    self.stop_task(row, turn, view, out);
                }
            }
            AgentChange::Runtime(event) => {
                if let Some(&row) = self.rows.get(&event.sandbox()) {
                    self.step(row, Cause::Runtime(event), turn, view, out);
                }
            }
        }
    }

    /// Admits the head of the queue if it fits; if it does not, everything behind it waits too.
    fn admit(&mut self, turn: &mut Turn<'_>, view: AgentView<'_>, out: &mut Vec<(Ticket, AgentCommand)>) {
        self.admit_at = None;
        let Some(&row) = self.queue.front() else { return };
        let task = &mut self.tasks[row];
        let definition = &view.definitions[task.definition];
        mark!("AG-10");
        if !self.resources.fits(&definition.reservation) {
            mark!("AG-11");
            return;
        }
        self.resources.admit(&definition.reservation);
        task.stage = Stage::Active;
        task.admitted = true;
        task.containers = Containers::new(definition.containers.len());
        self.queue.pop_front();
        self.look_at_queue(turn.now);
        self.step(row, Cause::Time, turn, view, out);
    }

    fn stop_task(
        &mut self,
        row: Row<AgentTask>,
        turn: &mut Turn<'_>,
        view: AgentView<'_>,
        out: &mut Vec<(Ticket, AgentCommand)>,
    ) {
        let task = &mut self.tasks[row];
        if task.stage != Stage::Queued {
            self.step(row, Cause::StopTask, turn, view, out);
            return;
        }
        mark!("TK-02");
        task.stage = Stage::Stopped;
        for what in [Reported::Stopping(None), Reported::Stopped(None)] {
            let report = Report { task: task.sandbox, what };
            out.push((self.tickets.take(), AgentCommand::Report(report)));
        }
        self.queue.retain(|&waiting| waiting != row);
        self.keep_until_removal(row, turn.now);
        self.look_at_queue(turn.now);
    }

    /// Does one step of one task that was admitted, and keeps the queues true to what came of it.
    fn step(
        &mut self,
        row: Row<AgentTask>,
        cause: Cause,
        turn: &mut Turn<'_>,
        view: AgentView<'_>,
        out: &mut Vec<(Ticket, AgentCommand)>,
    ) {
        let task = &mut self.tasks[row];
        if !task.admitted {
            return;
        }
        let was_active = task.stage == Stage::Active;
        let mut step = Step {
            now: turn.now,
            draw: &mut *turn.draw,
            settings: &self.settings,
            resources: &mut self.resources,
            images: &mut self.images,
            tickets: &mut self.tickets,
            out,
            definition: &view.definitions[task.definition],
            task,
        };
        if was_active || cause != Cause::StopTask {
            step.take_in(cause);
        }
        if was_active {
            step.progress();
        }
        let next = step.next_look();
        self.set_timer(row, next);
        if was_active && self.tasks[row].stage == Stage::Stopped {
            self.keep_until_removal(row, turn.now);
            self.look_at_queue(turn.now);
        }
    }

    fn set_timer(&mut self, row: Row<AgentTask>, at: Timestamp) {
        let task = &mut self.tasks[row];
        if task.timer == at {
            return;
        }
        if task.timer != Timestamp::NEVER {
            assert!(self.timers.remove(&(task.timer, row)), "a timer that is set is kept");
        }
        if at != Timestamp::NEVER {
            assert!(self.timers.insert((at, row)), "a task has one timer");
        }
        task.timer = at;
    }

    /// The head of the queue is another one, or there is more room.
    fn look_at_queue(&mut self, now: Timestamp) {
        if !self.queue.is_empty() {
            self.admit_at = Some(self.admit_at.unwrap_or(now));
        }
    }

    fn keep_until_removal(&mut self, row: Row<AgentTask>, now: Timestamp) {
        mark!("AG-16");
        self.cleanups.push((now + self.settings.cleanup_wait, row));
    }

    /// Forgets the task whose time has come, unless its host still owes an answer to a pull.
    fn remove_task(&mut self, now: Timestamp, view: AgentView<'_>, out: &mut Vec<(Ticket, AgentCommand)>) {
        let (_, row) = self.cleanups.pop().expect("a removal is due");
        let task = &self.tasks[row];
        let definition = &view.definitions[task.definition];
        let containers =
            || definition.containers.iter().enumerate().map(|(at, about)| (&task.containers[at], about));
        if task.admitted {
            if containers().any(|(container, _)| container.pull_owed) {
                self.keep_until_removal(row, now);
                return;
            }
            for (_, about) in containers().filter(|(container, _)| container.uses_image) {
                self.images.unreference(about.image, now);
            }
            let remove = RuntimeCommand::Remove { sandbox: task.sandbox };
            out.push((self.tickets.take(), AgentCommand::Runtime(remove)));
        }
        assert!(self.rows.remove(&task.sandbox).is_some(), "a task that is kept is listed");
        self.tasks.remove(row);
    }

    fn clean_images(&mut self, now: Timestamp, out: &mut Vec<(Ticket, AgentCommand)>) {
        for image in self.images.clean(now) {
            out.push((self.tickets.take(), AgentCommand::Runtime(RuntimeCommand::RemoveImage { image })));
        }
    }
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Line { first: None, rest: VecDeque::new() }
    }
}

impl<T> Line<T> {
    const fn first(&self) -> Option<&T> {
        self.first.as_ref()
    }

    fn push(&mut self, last: T) {
        if self.first.is_none() {
            self.first = Some(last);
        } else {
            self.rest.push_back(last);
        }
    }

    fn pop(&mut self) -> Option<T> {
        let next = if self.rest.is_empty() { None } else { self.rest.pop_front() };
        std::mem::replace(&mut self.first, next)
    }
}
