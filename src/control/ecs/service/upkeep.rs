//! What the scheduler holds about one service, and one look at it.
//!
//! Changes are counted as they come and acted upon after a short delay, so that one look answers many;
//! what becomes due by time alone waits for the next tick of the service. The tick is a beat that is
//! computed: a service in which nothing is due is not looked at.

use std::collections::BTreeSet;

use crate::base::token_bucket::TokenBucket;
use crate::base::turn::below;
use crate::base::{Beat, Edit, EntityKey, Name, Purpose, Row, Timestamp, Turn};
use crate::mark;

use super::super::desk::{Desk, NewTask};
use super::super::events::{LISTED_MAX, Listed, ServiceMessage};
use super::super::objects::{Definitions, EcsView, InstanceStatus, Service, ServiceDefinition, Stop, Task};
use super::super::placement::stop::{Stoppable, StoppableSeat, stop_order};
use super::super::placement::{Placement, Refusal, Rejection, Wanted};
use super::notices::Notice;
use super::pace::{Retry, Throttle};
use super::plan::{Bounds, Counts, Plan};
use super::settings::SchedulerSettings;
use super::tally::{Patience, Standing, Tally};
use super::vacancies::Vacancies;

/// Tasks that one look has started: consecutive serials.
#[derive(Clone, Copy, Debug)]
struct Started {
    first: u64,
    count: u32,
    /// How many of them replace unhealthy ones.
    replacing: u32,
}

/// Why a task cannot start now.
#[derive(Clone, Copy, Debug)]
enum Held {
    /// The launch rate is used up until then.
    ByRate(Timestamp),
    /// There is no place.
    ByPlacement(Rejection),
}

/// One service, as the scheduler keeps it up.
#[derive(Debug)]
pub(in super::super) struct Upkeep {
    row: Row<Service>,
    service: Service,
    patience: Patience,
    tick: Beat,
    tally: Tally,
    /// Tasks whose creation was asked for and not seen yet.
    starting: u32,
    /// Tasks whose stop was asked for and not seen yet: they have left the tally.
    asked: BTreeSet<Row<Task>>,
    vacancies: Vacancies,
    /// Unhealthy tasks that were stopped to make room, and not replaced yet (SVC-24).
    unhealthy_gone: u32,
    serial_next: u64,
    choices: u32,
    launches: TokenBucket,
    throttle: Throttle,
    retry: Retry,
    /// With the desired count that was reached.
    steady: Notice<u32>,
    impaired: Notice<()>,
    unplaceable: Notice<Option<Refusal>>,
    /// When the changes that are being collected are acted upon.
    change_at: Option<Timestamp>,
    /// The first tick at which something is due by time alone.
    tick_at: Option<Timestamp>,
}

impl Upkeep {
    /// The upkeep of a service that has just appeared.
    pub(in super::super) fn new(
        row: Row<Service>,
        service: Service,
        definitions: &Definitions,
        settings: &SchedulerSettings,
    ) -> Self {
        let definition = &definitions[service.definition];
        let mut vacancies = Vacancies::default();
        vacancies.owe(service.desired_count, service.created_at);
        Upkeep {
            row,
            service,
            patience: Patience { healthy_after: settings.healthy_after, grace: definition.grace },
            tick: Beat::new(service.created_at, settings.tick),
            tally: Tally::default(),
            starting: 0,
            asked: BTreeSet::new(),
            vacancies,
            unhealthy_gone: 0,
            serial_next: 0,
            choices: 0,
            launches: settings.launch_rate(definition.placing.launch_type).bucket(),
            throttle: Throttle::default(),
            retry: Retry::default(),
            steady: Notice::default(),
            impaired: Notice::default(),
            unplaceable: Notice::default(),
            change_at: None,
            tick_at: None,
        }
    }

    /// When the next look is due. While changes are being collected, ticks wait for them.
    pub(in super::super) fn next_look(&self) -> Option<Timestamp> {
        self.change_at.or(self.tick_at)
    }

    /// Whether a task waits for room.
    pub(in super::super) const fn waits_for_room(&self) -> bool {
        self.retry.at().is_some()
    }

    /// Room may have come: the next look tries again.
    pub(in super::super) fn room_may_have_come(&mut self, now: Timestamp, settings: &SchedulerSettings) {
        mark!("SVC-63");
        self.retry.reset();
        self.collect(now, settings);
    }

    /// The service was changed by a call.
    pub(in super::super) fn observe_service(
        &mut self,
        now: Timestamp,
        service: Service,
        definitions: &Definitions,
        settings: &SchedulerSettings,
    ) {
        let task_definition = |service: &Service| definitions[service.definition].task_definition;
        if task_definition(&service) != task_definition(&self.service) {
            mark!("SVC-61");
            self.throttle.reset();
        }
        self.service = service;
        self.owe(now);
        self.collect(now, settings);
    }

    /// A task of the service changed.
    pub(in super::super) fn observe_task(
        &mut self,
        now: Timestamp,
        edit: Edit<'_, Task>,
        definitions: &Definitions,
        settings: &SchedulerSettings,
    ) {
        let standing = |task: Option<&Task>| task.and_then(|task| Standing::of(task, definitions));
        let (was, is) = (standing(edit.old), standing(edit.new));
        self.observe_start(now, edit, settings);
        if self.asked.contains(&edit.row) {
            if is.is_none() {
                self.asked.remove(&edit.row);
                self.collect(now, settings);
            }
            return;
        }
        if was == is {
            return;
        }
        if let Some(was) = was {
            self.tally.leave(edit.row, was, self.patience);
        }
        if let Some(is) = is {
            self.tally.enter(edit.row, is, self.patience);
        }
        self.owe(now);
        self.collect(now, settings);
    }

    /// A task that was asked for is in the record, or will never be.
    pub(in super::super) fn observe_created(&mut self, now: Timestamp, refused: Option<&Task>) {
        self.starting = self.starting.saturating_sub(1);
        if let Some(task) = refused {
            self.vacancies.reopen(task.times.arrived);
            self.owe(now);
        }
    }

    /// Changes were made that want a look.
    pub(in super::super) fn collect(&mut self, now: Timestamp, settings: &SchedulerSettings) {
        self.change_at = self.change_at.or(now.checked_add(settings.coalesce));
    }

    /// Looks at the service once: starts, stops, and says what people should know.
    pub(in super::super) fn look(&mut self, turn: &mut Turn<'_>, view: EcsView<'_>, desk: &mut Desk<'_>) {
        let definition = &view.definitions[self.service.definition];
        self.change_at = None;
        self.patience.grace = definition.grace;
        self.tally.mature(turn.now);
        let plan = self.plan(turn.now, definition);
        let held_until = self.start(turn, view, plan, desk);
        self.stop(turn, view, plan, desk);
        self.say(turn.now, desk);
        self.tick_at = self.next_tick(turn.now, held_until, desk.settings);
    }

    /// Counts the tasks of the service again and compares.
    pub(in super::super) fn recount(&self, view: EcsView<'_>) {
        let (mut live, mut pending, mut counted) = (0, 0, 0);
        for (row, _, standing) in self.live_tasks(view) {
            live += 1;
            counted += u32::from(self.tally.counts(row, standing, self.patience));
            pending += u32::from(standing == Standing::Pending);
        }
        assert_eq!(live, self.tally.live(), "live tasks, counted again");
        assert_eq!(pending, self.tally.pending(), "pending tasks, counted again");
        assert_eq!(counted, self.tally.counted(), "tasks that count, counted again");
        let missing = self.service.desired_count.saturating_sub(self.live());
        assert_eq!(missing, self.vacancies.total(), "vacancies are the missing tasks");
    }

    /// The live tasks of the service that were not asked to stop, in row order: walks over all tasks.
    fn live_tasks<'a>(&self, view: EcsView<'a>) -> impl Iterator<Item = (Row<Task>, &'a Task, Standing)> {
        let rows = view.tasks_of_service.rows(self.row.number()).filter(|row| !self.asked.contains(row));
        rows.filter_map(move |row| {
            let task = view.tasks.get(row).filter(|task| task.service == Some(self.row))?;
            Some((row, task, Standing::of(task, view.definitions)?))
        })
    }

    fn live(&self) -> u32 {
        self.tally.live() + self.starting
    }

    /// Brings the vacancies in line with the counts.
    fn owe(&mut self, now: Timestamp) {
        self.vacancies.owe(self.service.desired_count.saturating_sub(self.live()), now);
    }

    /// What an edit says about the start of a task: it reached RUNNING, or it never will.
    fn observe_start(&mut self, now: Timestamp, edit: Edit<'_, Task>, settings: &SchedulerSettings) {
        let has_run = |task: &&Task| task.times.started < Timestamp::NEVER;
        let has_failed = |task: &&Task| matches!(task.stop, Some(Stop::TaskFailedToStart(_)));
        if edit.new.is_some_and(|new| has_run(&new)) && !edit.old.is_some_and(|old| has_run(&old)) {
            mark!("SVC-61");
            self.throttle.reset();
        } else if edit.new.is_some_and(|new| has_failed(&new))
            && !edit.old.is_some_and(|old| has_failed(&old))
        {
            self.throttle.failed(now, settings.throttle);
        }
    }

    fn plan(&self, now: Timestamp, definition: &ServiceDefinition) -> Plan {
        let desired = self.service.desired_count;
        let counts = Counts {
            desired,
            live: self.live(),
            counted: self.tally.counted(),
            unhealthy: self.tally.to_replace(now).fold(0, |count, _| count + 1),
        };
        Plan::of(counts, Bounds::of(desired, definition.healthy_min, definition.running_max))
    }

    /// Starts what the plan wants, as far as rates and room allow, and says so. Hands back until when
    /// the rest waits.
    fn start(
        &mut self,
        turn: &mut Turn<'_>,
        view: EcsView<'_>,
        plan: Plan,
        desk: &mut Desk<'_>,
    ) -> Option<Timestamp> {
        if plan.start == 0 {
            self.retry.reset();
            self.unplaceable.due(turn.now, None, desk.settings.repeat_after);
            self.unhealthy_gone = 0;
            return None;
        }
        let waits = [self.throttle.until(), self.retry.at()];
        if let Some(until) = waits.into_iter().flatten().max()
            && until > turn.now
        {
            mark!("SVC-61");
            return Some(until);
        }
        let mut started = Started { first: self.serial_next, count: 0, replacing: 0 };
        let mut held = None;
        while started.count < plan.start && held.is_none() {
            match self.start_one(turn, view, desk) {
                Ok(replaces) => {
                    started.count += 1;
                    started.replacing += u32::from(replaces);
                }
                Err(why) => held = Some(why),
            }
        }
        self.say_started(started, desk);
        match held? {
            Held::ByRate(until) => Some(until),
            Held::ByPlacement(rejection) => self.found_no_place(turn.now, rejection, desk),
        }
    }

    /// Starts one task and says whether it replaces an unhealthy one, or why it cannot start now.
    fn start_one(
        &mut self,
        turn: &mut Turn<'_>,
        view: EcsView<'_>,
        desk: &mut Desk<'_>,
    ) -> Result<bool, Held> {
        let free = self.launches.next_free(turn.now, 1);
        if free > turn.now {
            mark!("SVC-60");
            return Err(Held::ByRate(free));
        }
        let definitions = view.definitions;
        let definition = &definitions[self.service.definition];
        mark!("SVC-23");
        let wanted = Wanted {
            task_definition: definition.task_definition,
            placing: &definition.placing,
            group: definition.group,
            for_service: true,
            key: EntityKey::new("task", definitions.symbols.text(definition.name), self.serial_next),
            attempt: self.retry.failures(),
        };
        let place = desk.placement.place(turn, definitions, &wanted).map_err(Held::ByPlacement)?;
        self.launches.take(turn.now, 1).expect("a token was free a moment ago");
        self.retry.reset();
        mark!("SVC-25");
        let vacant_since = self.vacancies.fill();
        let new = NewTask {
            name: Name { of: definition.name, serial: self.serial_next },
            service: Some(self.row),
            arrived: vacant_since.unwrap_or(turn.now),
        };
        desk.create(turn.now, view, &wanted, place, new);
        self.serial_next += 1;
        self.starting += 1;
        let replaces_gone = vacant_since.is_some() && self.unhealthy_gone > 0;
        self.unhealthy_gone -= u32::from(replaces_gone);
        Ok(replaces_gone || vacant_since.is_none())
    }

    fn found_no_place(
        &mut self,
        now: Timestamp,
        rejection: Rejection,
        desk: &mut Desk<'_>,
    ) -> Option<Timestamp> {
        self.retry.failed(now, desk.settings.placement_retry);
        let cause = Some(rejection.closest.map(|(_, refusal)| refusal));
        if self.unplaceable.due(now, cause, desk.settings.repeat_after) {
            desk.say(self.row, ServiceMessage::UnableToPlace(rejection));
        }
        self.retry.at()
    }

    /// One event for every ten tasks that have started (SVC-12).
    fn say_started(&self, started: Started, desk: &mut Desk<'_>) {
        mark!("SVC-12");
        let serials = started.first..started.first + u64::from(started.count);
        let mut replacing = started.replacing;
        listed(serials, |mut list| {
            mark!("SVC-24");
            list.replaced_unhealthy = u8::try_from(replacing).unwrap_or(u8::MAX).min(list.count);
            replacing -= u32::from(list.replaced_unhealthy);
            desk.say(self.row, ServiceMessage::Started(list));
        });
    }

    /// Stops what the plan wants, and says so.
    fn stop(&mut self, turn: &mut Turn<'_>, view: EcsView<'_>, plan: Plan, desk: &mut Desk<'_>) {
        let mut stopped: Vec<(Row<Task>, Stop)> = Vec::new();
        for row in self.choose_unhealthy(turn, view, plan.stop_unhealthy) {
            mark!("SVC-24");
            stopped.push((row, Stop::Unhealthy));
        }
        if plan.stop_surplus > 0 {
            let surplus = self.choose_surplus(turn, view, plan.stop_surplus, &stopped, desk);
            stopped.extend(surplus.into_iter().map(|row| (row, Stop::Scaling)));
        }
        let mut running: Vec<u64> = Vec::new();
        let mut pending = 0;
        for (row, why) in stopped {
            let task = view.tasks.get(row).expect("a live task is in the record");
            match self.stop_one(row, task, why, view.definitions, desk) {
                Standing::Pending => pending += 1,
                Standing::Running(_) | Standing::Unproven | Standing::Healthy | Standing::Unhealthy(_) => {
                    running.push(task.name.serial);
                }
            }
        }
        self.owe(turn.now);
        listed(running.into_iter(), |list| desk.say(self.row, ServiceMessage::Stopped(list)));
        if pending > 0 {
            desk.say(self.row, ServiceMessage::StoppedPending(pending));
        }
    }

    fn stop_one(
        &mut self,
        row: Row<Task>,
        task: &Task,
        why: Stop,
        definitions: &Definitions,
        desk: &mut Desk<'_>,
    ) -> Standing {
        let standing = Standing::of(task, definitions).expect("a task that is chosen to stop is live");
        self.tally.leave(row, standing, self.patience);
        assert!(self.asked.insert(row), "a task is asked to stop once");
        if why == Stop::Unhealthy && self.live() < self.service.desired_count {
            self.unhealthy_gone += 1;
        }
        desk.stop(row, why);
        standing
    }

    /// Any of the unhealthy tasks (SVC-22: a random choice).
    fn choose_unhealthy(&mut self, turn: &mut Turn<'_>, view: EcsView<'_>, count: u32) -> Vec<Row<Task>> {
        let mut chosen = Vec::new();
        if count == 0 {
            return chosen;
        }
        let mut left: Vec<(u64, Row<Task>)> = self
            .tally
            .to_replace(turn.now)
            .filter_map(|row| Some((view.tasks.get(row)?.name.serial, row)))
            .collect();
        left.sort_unstable();
        for _ in 0..count.min(narrow(left.len())) {
            let draw = turn.draw.draw(Purpose::StopChoice, self.service.key, self.choices);
            self.choices += 1;
            let pick = usize::try_from(below(draw, left.len() as u64)).expect("below a length in memory");
            chosen.push(left.remove(pick).1);
        }
        chosen
    }

    /// The tasks that stop first (section 4.6) among those that no stop was asked for. One that counts
    /// stops only while enough others do.
    fn choose_surplus(
        &self,
        turn: &mut Turn<'_>,
        view: EcsView<'_>,
        count: u32,
        unhealthy: &[(Row<Task>, Stop)],
        desk: &Desk<'_>,
    ) -> Vec<Row<Task>> {
        let is_left = |row| !unhealthy.iter().any(|&(chosen, _)| chosen == row);
        let (live, tasks): (Vec<(Row<Task>, Standing)>, Vec<Stoppable>) = self
            .live_tasks(view)
            .filter(|&(row, _, _)| is_left(row))
            .map(|(row, task, standing)| ((row, standing), stoppable(view, task, standing, desk.placement)))
            .unzip();
        let definition = &view.definitions[self.service.definition];
        let order = stop_order(
            &desk.settings.stop,
            view.definitions,
            &definition.placing,
            &tasks,
            tasks.len(),
            turn.draw,
        );
        mark!("SVC-13");
        let desired = self.service.desired_count;
        let lower = definition.healthy_min.of_up(desired).min(desired);
        let mut spare = self.tally.counted().saturating_sub(lower);
        let may_stop = |&(row, standing): &(Row<Task>, Standing)| {
            let counts = self.tally.counts(row, standing, self.patience);
            let may_stop = !counts || spare > 0;
            spare -= u32::from(counts && may_stop);
            may_stop
        };
        let in_order = order.into_iter().map(|place| live[place]);
        let chosen = in_order.filter(may_stop).map(|(row, _)| row);
        chosen.take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
    }

    /// Says what holds now and should be known.
    fn say(&mut self, now: Timestamp, desk: &mut Desk<'_>) {
        let repeat_after = desk.settings.repeat_after;
        let impaired = self.throttle.until().map(|_| ());
        if self.impaired.due(now, impaired, repeat_after) {
            mark!("SVC-61");
            desk.say(self.row, ServiceMessage::StartImpaired);
        }
        let steady = self.is_steady().then_some(self.service.desired_count);
        if self.steady.due(now, steady, repeat_after) {
            desk.say(self.row, ServiceMessage::SteadyState);
        }
    }

    fn is_steady(&self) -> bool {
        let desired = self.service.desired_count;
        mark!("SVC-30");
        self.live() == desired && self.tally.running() == desired && self.tally.counted() == desired
    }

    /// The first tick at which something is due by time alone.
    fn next_tick(
        &self,
        now: Timestamp,
        held_until: Option<Timestamp>,
        settings: &SchedulerSettings,
    ) -> Option<Timestamp> {
        if settings.every_tick {
            return Some(self.tick.next_after(now));
        }
        let due = [
            held_until,
            self.tally.next_change(now),
            self.impaired.repeats_at(settings.repeat_after),
            self.steady.repeats_at(settings.repeat_after),
        ];
        let first = due.into_iter().flatten().min()?;
        first.checked_add(settings.tick).map(|_| self.tick.next_at(first))
    }
}

/// A live task, as the choice of section 4.6 sees it.
fn stoppable(view: EcsView<'_>, task: &Task, standing: Standing, placement: &Placement) -> Stoppable {
    let reservation = &view.definitions[task.definition].reservation;
    let seat = task.instance.and_then(|instance| {
        let row = view.instances.get(instance)?;
        let (cpu_left, memory_left) = placement.headroom(view.definitions, instance)?;
        Some(StoppableSeat {
            instance,
            class: row.class,
            draining: row.status == InstanceStatus::Draining,
            cpu_left,
            memory_left,
            cpu: reservation.cpu,
            memory: reservation.memory,
        })
    });
    Stoppable {
        key: task.key,
        created: task.name.serial,
        status: task.status,
        unhealthy: matches!(standing, Standing::Unhealthy(_)),
        protected: false,
        old_deployment: false,
        zone: task.zone,
        seat,
    }
}

/// Lists serials by tens.
fn listed(serials: impl Iterator<Item = u64>, mut tell: impl FnMut(Listed)) {
    let mut list = Listed::default();
    for serial in serials {
        list.serials[usize::from(list.count)] = serial;
        list.count += 1;
        if usize::from(list.count) == LISTED_MAX {
            tell(std::mem::take(&mut list));
        }
    }
    if list.count > 0 {
        tell(list);
    }
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
