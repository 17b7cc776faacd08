//! The ECS scheduler: answers RunTask, StartTask and StopTask, and keeps services at their count.
//!
//! One machine with one queue of API calls and one of services that want a look; one call or one
//! service is one unit of work. Knows nothing of agents, hosts, prices, or how long anything takes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::base::{Edit, EntityKey, Name, Row, Timestamp, Turn};
use crate::control::{Reconciler, Ticket, Tickets};
use crate::mark;

use super::desk::{Desk, NewTask, UnderWay};
use super::events::ServiceMessage;
use super::objects::{
    ContainerInstance, Definitions, Desired, EcsView, InstanceStatus, Service, Stop, Task, TaskRequest,
    TaskStatus,
};
use super::placement::{Place, Placement, Refusal, Rejection, Wanted};
use super::service::{Looks, SchedulerSettings, Upkeep};

#[cfg(test)]
mod tests;

/// What the scheduler is told.
#[derive(Clone, Copy, Debug)]
pub enum EcsChange<'a> {
    /// A container instance changed.
    Instance(Edit<'a, ContainerInstance>, &'a Definitions),
    /// A task changed.
    Task(Edit<'a, Task>, &'a Definitions),
    /// A service changed.
    Service(Edit<'a, Service>, &'a Definitions),
    /// Somebody called, and admission let the call through.
    Called(Call),
    /// A command was carried out, or not.
    Answered {
        /// Which command.
        ticket: Ticket,
        /// What became of it.
        answer: Answer,
    },
}

/// One API call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// RunTask, or StartTask where the request names instances.
    RunTask {
        /// What is asked for.
        request: Row<TaskRequest>,
        /// How many tasks; StartTask starts one on each instance that the request names.
        count: u32,
        /// The serial of the first of its tasks; the others follow.
        first: u64,
        /// When the call was made.
        arrived: Timestamp,
    },
    /// StopTask (RT-07).
    StopTask {
        /// Which task.
        task: Row<Task>,
    },
}

/// What the scheduler asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EcsCommand {
    /// Write this new task and send it on its way.
    Create(Task),
    /// Set the desired status to STOPPED.
    Stop {
        /// Which task.
        task: Row<Task>,
        /// Why.
        why: Stop,
    },
    /// A call ends with a failure for one of its tasks; nothing was created (RT-04).
    Fail {
        /// Which request.
        request: Row<TaskRequest>,
        /// The serial that found no place.
        serial: u64,
        /// When the call was made.
        arrived: Timestamp,
        /// Why.
        rejection: Rejection,
    },
    /// Append a service event.
    Say {
        /// Of which service.
        service: Row<Service>,
        /// What it says.
        message: ServiceMessage,
    },
}

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It is in the record.
    Accepted,
    /// The thing it was about is gone or past it.
    Conflict,
}

/// The scheduler of one ECS control plane.
///
/// The driver tells it every change of the record and every call, calls
/// [`reconcile`](Reconciler::reconcile) when [`wake_at`](Reconciler::wake_at) has come, carries out the
/// commands, and answers a creation that it refuses with [`Answer::Conflict`].
///
/// ```
/// use windtunnel::control::Reconciler;
/// use windtunnel::control::ecs::placement::{Placement, PlacementSettings};
/// use windtunnel::control::ecs::scheduler::Scheduler;
/// use windtunnel::control::ecs::service::SchedulerSettings;
/// let scheduler = Scheduler::new(SchedulerSettings::default(), Placement::new(PlacementSettings::default()));
/// assert_eq!(scheduler.wake_at(), None, "nothing to do");
/// ```
#[derive(Debug)]
pub struct Scheduler {
    settings: SchedulerSettings,
    placement: Placement,
    calls: VecDeque<(Timestamp, Call)>,
    /// By the row of the service.
    services: Vec<Option<Upkeep>>,
    looks: Looks,
    /// Services with a task that found no place.
    waiting: BTreeSet<Row<Service>>,
    /// For StartTask.
    instances: BTreeMap<Name, Row<ContainerInstance>>,
    under_way: UnderWay,
    /// Tasks that were placed and not created: their places are given back before the next decision.
    refused: Vec<Task>,
    tickets: Tickets,
    counters: Counters,
}

/// How many units of work were done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// API calls.
    pub calls: u64,
    /// Looks at a service.
    pub looks: u64,
}

impl Scheduler {
    /// A scheduler that has seen nothing yet.
    pub fn new(settings: SchedulerSettings, placement: Placement) -> Self {
        Scheduler {
            settings,
            placement,
            calls: VecDeque::new(),
            services: Vec::new(),
            looks: Looks::default(),
            waiting: BTreeSet::new(),
            instances: BTreeMap::new(),
            under_way: UnderWay::default(),
            refused: Vec::new(),
            tickets: Tickets::default(),
            counters: Counters::default(),
        }
    }

    /// How many units of work were done.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What it believes about instances.
    pub const fn placement(&self) -> &Placement {
        &self.placement
    }

    /// What it believes about instances, to be told what no edit tells: the capacity of Fargate.
    pub const fn placement_mut(&mut self) -> &mut Placement {
        &mut self.placement
    }

    /// Counts everything again that was counted change by change, and compares.
    pub fn recount(&self, view: EcsView<'_>) {
        self.services.iter().flatten().for_each(|upkeep| upkeep.recount(view));
        self.placement.recount();
    }

    fn observe_instance(
        &mut self,
        now: Timestamp,
        edit: Edit<'_, ContainerInstance>,
        definitions: &Definitions,
    ) {
        self.placement.observe_instance(edit, definitions);
        if let Some(old) = edit.old
            && edit.new.is_none_or(|new| new.name != old.name)
        {
            self.instances.remove(&old.name);
        }
        if let Some(new) = edit.new {
            self.instances.insert(new.name, edit.row);
        }
        if edit.new.is_some_and(takes_tasks) && !edit.old.is_some_and(takes_tasks) {
            self.room_may_have_come(now);
        }
    }

    fn observe_task(&mut self, now: Timestamp, edit: Edit<'_, Task>, definitions: &Definitions) {
        self.placement.observe_task(edit, definitions);
        if gives_back(edit) {
            self.room_may_have_come(now);
        }
        let arrived = edit.old.is_none() && edit.new.is_some_and(|task| self.under_way.arrived(task));
        let Some(row) = edit.new.or(edit.old).and_then(|task| task.service) else { return };
        let Some(upkeep) = self.services.get_mut(row.index()).and_then(Option::as_mut) else { return };
        if arrived {
            upkeep.observe_created(now, None);
        }
        upkeep.observe_task(now, edit, definitions, &self.settings);
        self.looks.set(row, upkeep.next_look());
    }

    fn observe_service(&mut self, now: Timestamp, edit: Edit<'_, Service>, definitions: &Definitions) {
        let index = edit.row.index();
        if self.services.len() <= index {
            self.services.resize_with(index + 1, || None);
        }
        let known = &mut self.services[index];
        match (known.as_mut(), edit.new) {
            (_, None) => *known = None,
            (Some(upkeep), Some(&new)) => upkeep.observe_service(now, new, definitions, &self.settings),
            (None, Some(&new)) => {
                let mut upkeep = Upkeep::new(edit.row, new, definitions, &self.settings);
                upkeep.collect(now, &self.settings);
                *known = Some(upkeep);
            }
        }
        self.looks.set(edit.row, known.as_ref().and_then(Upkeep::next_look));
    }

    fn observe_refused(&mut self, now: Timestamp, ticket: Ticket) {
        let Some(task) = self.under_way.refused(ticket) else { return };
        self.refused.push(task);
        let Some(row) = task.service else { return };
        let Some(upkeep) = self.services.get_mut(row.index()).and_then(Option::as_mut) else { return };
        upkeep.observe_created(now, Some(&task));
        upkeep.collect(now, &self.settings);
        self.looks.set(row, upkeep.next_look());
    }

    /// Something was given back or registered: every service that waits for room tries again (SVC-63).
    fn room_may_have_come(&mut self, now: Timestamp) {
        while let Some(row) = self.waiting.pop_first() {
            if let Some(upkeep) = &mut self.services[row.index()] {
                upkeep.room_may_have_come(now, &self.settings);
                self.looks.set(row, upkeep.next_look());
            }
        }
    }

    fn look(
        &mut self,
        turn: &mut Turn<'_>,
        view: EcsView<'_>,
        row: Row<Service>,
        out: &mut Vec<(Ticket, EcsCommand)>,
    ) {
        self.counters.looks += 1;
        let Some(mut upkeep) = self.services[row.index()].take() else {
            panic!("a service that is due is known");
        };
        upkeep.look(turn, view, &mut self.desk(out));
        if upkeep.waits_for_room() {
            self.waiting.insert(row);
        } else {
            self.waiting.remove(&row);
        }
        self.looks.set(row, upkeep.next_look());
        self.services[row.index()] = Some(upkeep);
    }

    fn answer(
        &mut self,
        turn: &mut Turn<'_>,
        view: EcsView<'_>,
        call: Call,
        out: &mut Vec<(Ticket, EcsCommand)>,
    ) {
        self.counters.calls += 1;
        match call {
            Call::RunTask { request, count, first, arrived } => {
                self.run_task(turn, view, request, (first, count), arrived, out);
            }
            Call::StopTask { task } => {
                mark!("RT-07");
                if view.tasks.get(task).is_some_and(can_stop) {
                    self.desk(out).stop(task, Stop::UserInitiated);
                }
            }
        }
    }

    /// Places the tasks of one request, one after another (PL-03).
    fn run_task(
        &mut self,
        turn: &mut Turn<'_>,
        view: EcsView<'_>,
        row: Row<TaskRequest>,
        (first, count): (u64, u32),
        arrived: Timestamp,
        out: &mut Vec<(Ticket, EcsCommand)>,
    ) {
        let definitions = view.definitions;
        let request = &definitions[row];
        let name = definitions.symbols.text(request.name);
        let count = request.instances.as_ref().map_or(u64::from(count), |chosen| chosen.len() as u64);
        for serial in first..first.saturating_add(count) {
            mark!("PL-03");
            let wanted = Wanted {
                task_definition: request.task_definition,
                placing: &request.placing,
                group: request.group,
                for_service: false,
                key: EntityKey::new("task", name, serial),
                attempt: 0,
            };
            let found = match &request.instances {
                None => self.placement.place(turn, definitions, &wanted),
                Some(chosen) => {
                    let chosen = usize::try_from(serial - first).ok().and_then(|index| chosen.get(index));
                    self.place_on(turn, definitions, &wanted, chosen)
                }
            };
            let mut desk = self.desk(out);
            match found {
                Ok(place) => {
                    let new = NewTask { name: Name { of: request.name, serial }, service: None, arrived };
                    desk.create(turn.now, view, &wanted, place, new);
                }
                Err(rejection) => {
                    mark!("RT-04");
                    mark!("3.4/plain reasons");
                    desk.send(EcsCommand::Fail { request: row, serial, arrived, rejection });
                }
            }
        }
    }

    /// StartTask: the instance is given, by name.
    fn place_on(
        &mut self,
        turn: &mut Turn<'_>,
        definitions: &Definitions,
        wanted: &Wanted<'_>,
        chosen: Option<&Name>,
    ) -> Result<Place, Rejection> {
        mark!("RT-06");
        let Some(&instance) = chosen.and_then(|name| self.instances.get(name)) else {
            return Err(Rejection::of(Refusal::Missing));
        };
        let refusal = match self.placement.place_on(turn, definitions, wanted, instance) {
            Ok(()) => return Ok(Place::Instance(instance)),
            Err(refusal) => refusal,
        };
        Err(Rejection { closest: Some((instance, refusal)), ..Rejection::of(refusal) })
    }

    fn desk<'a>(&'a mut self, out: &'a mut Vec<(Ticket, EcsCommand)>) -> Desk<'a> {
        Desk {
            settings: &self.settings,
            placement: &mut self.placement,
            under_way: &mut self.under_way,
            tickets: &mut self.tickets,
            out,
        }
    }
}

impl Reconciler for Scheduler {
    type Change<'a> = EcsChange<'a>;
    type View<'a> = EcsView<'a>;
    type Command = EcsCommand;

    fn observe(&mut self, now: Timestamp, change: EcsChange<'_>) {
        match change {
            EcsChange::Instance(edit, definitions) => self.observe_instance(now, edit, definitions),
            EcsChange::Task(edit, definitions) => self.observe_task(now, edit, definitions),
            EcsChange::Service(edit, definitions) => self.observe_service(now, edit, definitions),
            EcsChange::Called(call) => self.calls.push_back((now, call)),
            EcsChange::Answered { ticket, answer: Answer::Conflict } => self.observe_refused(now, ticket),
            EcsChange::Answered { answer: Answer::Accepted, .. } => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let call = self.calls.front().map(|&(at, _)| at);
        let look = self.looks.first().map(|(at, _)| at);
        call.into_iter().chain(look).min()
    }

    /// Answers the oldest call or looks at the service that is due, whichever came first.
    fn reconcile(&mut self, turn: &mut Turn<'_>, view: EcsView<'_>, out: &mut Vec<(Ticket, EcsCommand)>) {
        let Some(due) = self.wake_at().filter(|&due| due <= turn.now) else { return };
        for task in self.refused.drain(..) {
            give_back(&mut self.placement, view.definitions, &task);
        }
        if let Some(&(at, call)) = self.calls.front()
            && at == due
        {
            self.calls.pop_front();
            self.answer(turn, view, call, out);
        } else if let Some((_, row)) = self.looks.first() {
            self.look(turn, view, row, out);
        }
    }
}

/// Takes back the place of a task that was never created.
fn give_back(placement: &mut Placement, definitions: &Definitions, task: &Task) {
    if let Some(instance) = task.instance {
        placement.release_resources(instance, task.definition, definitions);
        placement.forget(instance, task.definition, task.group, definitions);
    } else {
        placement.forget_fargate(task.zone, task.group, task.key);
    }
}

/// Whether a task has given something back: at STOPPING, and the rest at STOPPED (CI-14).
fn gives_back(edit: Edit<'_, Task>) -> bool {
    let (Some(old), Some(new)) = (edit.old, edit.new) else { return false };
    let passes = |status| old.status < status && new.status >= status;
    passes(TaskStatus::Stopping) || passes(TaskStatus::Stopped)
}

fn takes_tasks(instance: &ContainerInstance) -> bool {
    instance.status == InstanceStatus::Active && instance.agent_connected
}

/// Whatever its status; once is enough.
fn can_stop(task: &Task) -> bool {
    mark!("TK-02");
    task.desired == Desired::Running && task.status < TaskStatus::Stopped
}
