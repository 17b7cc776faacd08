//! Pods that wait for the scheduler: who is next, who backs off, who needs an event first (K 2.2).
//!
//! A pod waits in one of four places: active, in backoff, unschedulable, or gated. A pod that was taken
//! out is in flight until it is given back or done; events that come meanwhile are kept, since they may
//! help it when it fails. Time is told. Knows no plugin: a [`Judge`] says whom a plugin holds back and
//! whom an event may help. Keeps no nominations.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::base::{Row, Span, Symbol, Timestamp};
use crate::control::kubernetes::objects::Pod;
use crate::mark;

use super::event::{Event, EventKind, Kept};

/// How long pods wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueSettings {
    /// The first backoff (`podInitialBackoffSeconds`).
    pub backoff_first: Span,
    /// The longest backoff (`podMaxBackoffSeconds`).
    pub backoff_max: Span,
    /// A pod that waited longer than this for an event is tried without one.
    pub leftover_after: Span,
    /// How often such pods are looked for.
    pub leftover_every: Span,
}

impl Default for QueueSettings {
    fn default() -> Self {
        QueueSettings {
            backoff_first: Span::seconds(1),
            backoff_max: Span::seconds(10),
            leftover_after: Span::minutes(5),
            leftover_every: Span::seconds(30),
        }
    }
}

/// A set of plugins, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct PluginSet(u64);

impl PluginSet {
    /// A scheduler has at most this many plugins.
    pub const PLUGINS_MAX: usize = 64;

    /// The same set with one more plugin.
    #[must_use]
    pub const fn with(self, number: u8) -> Self {
        PluginSet(self.0 | 1 << number)
    }

    /// Whether a plugin is in it.
    pub const fn has(self, number: u8) -> bool {
        self.0 & (1 << number) != 0
    }

    /// What is in both.
    #[must_use]
    pub const fn both(self, other: PluginSet) -> Self {
        PluginSet(self.0 & other.0)
    }

    /// Whether no plugin is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What the queue asks about plugins.
pub trait Judge {
    /// The plugin that holds a pod back; the one that does already is asked first.
    fn held_by(&self, pod: Row<Pod>, profile: usize, already: Option<u8>) -> Option<u8>;

    /// The plugins of a profile that listen to a kind of events.
    fn listeners(&self, profile: usize, kind: EventKind) -> PluginSet;

    /// Whether one of these plugins, which refused the pod and listen to the event, says that it may help.
    fn may_help(&self, pod: Row<Pod>, profile: usize, plugins: PluginSet, event: &Event<'_>) -> bool;
}

/// What is remembered of a pod while it waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// The profile that schedules it.
    pub profile: usize,
    /// Its priority.
    pub priority: i32,
    /// When it was added, or came back from its last attempt.
    pub since: Timestamp,
    /// How often it was taken out.
    pub attempts: u32,
    /// How many attempts plugins refused; never set back.
    pub refusals: u32,
    /// How many attempts in a row ended with an internal error.
    pub errors: u32,
    /// The plugins that refused it.
    pub refused_by: PluginSet,
    /// The plugin that holds it back.
    pub gate: Option<u8>,
    /// Its number among equals.
    serial: u64,
}

/// A pod that was taken out of the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InHand {
    /// Which pod.
    pub row: Row<Pod>,
    /// Its uid: a row may be another pod by the time it is given back.
    pub uid: Symbol,
    /// What is remembered of it.
    pub waiting: Waiting,
}

/// What became of an update.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Updated {
    /// The pod is in flight; the events are kept.
    InFlight,
    /// It waits.
    Waiting,
    /// It was in no part of the queue and is now active.
    Added,
    /// It was in no part of the queue and is held back.
    Gated,
}

/// The queue.
///
/// ```
/// use windtunnel::base::Timestamp;
/// use windtunnel::control::kubernetes::scheduler::queue::{Queue, QueueSettings};
/// let mut queue = Queue::new(QueueSettings::default());
/// assert!(queue.pop().is_none(), "nobody waits");
/// assert_eq!(queue.wake_at(Timestamp::from_nanos(0)), None);
/// ```
#[derive(Debug)]
pub struct Queue {
    settings: QueueSettings,
    /// Every pod in a part of the queue, with the part that it is in.
    pods: BTreeMap<Row<Pod>, (Waiting, Symbol, Part)>,
    active: BTreeSet<(Rank, Row<Pod>)>,
    /// By the second at which the backoff ends.
    backoff: BTreeSet<(Timestamp, Rank, Row<Pod>)>,
    /// The same for pods whose last attempt ended with an internal error.
    error_backoff: BTreeSet<(Timestamp, Rank, Row<Pod>)>,
    /// Pods that need an event, by who refused them and who holds them back.
    idle: BTreeMap<Group, BTreeSet<Row<Pod>>>,
    /// Those of them that no plugin holds back, by the time since when they wait.
    leftover: BTreeSet<(Timestamp, Row<Pod>)>,
    /// Pods in flight, and what happened since the oldest of them was taken out.
    flights: VecDeque<Flight>,
    in_flight: BTreeSet<Symbol>,
    serials: u64,
}

/// Priority first, then time, then serial.
type Rank = (Reverse<i32>, Timestamp, u64);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Group {
    profile: usize,
    gate: Option<u8>,
    refused_by: PluginSet,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Active,
    Backoff(Timestamp),
    ErrorBackoff(Timestamp),
    Idle,
}

#[derive(Debug)]
enum Flight {
    /// This pod was taken out.
    Start { row: Row<Pod>, uid: Symbol },
    /// Something happened.
    Event(EventKind, Option<Box<Kept>>),
    /// This pod is to be tried again whatever refused it.
    Activate { uid: Symbol },
}

impl Queue {
    /// An empty queue.
    pub fn new(settings: QueueSettings) -> Self {
        Queue {
            settings,
            pods: BTreeMap::new(),
            active: BTreeSet::new(),
            backoff: BTreeSet::new(),
            error_backoff: BTreeSet::new(),
            idle: BTreeMap::new(),
            leftover: BTreeSet::new(),
            flights: VecDeque::new(),
            in_flight: BTreeSet::new(),
            serials: 0,
        }
    }

    /// Adds a pod that is new here; says whether it is active and not held back.
    pub fn add(&mut self, now: Timestamp, row: Row<Pod>, pod: &NewPod, judge: &impl Judge) -> bool {
        self.serials += 1;
        let waiting = Waiting {
            profile: pod.profile,
            priority: pod.priority,
            since: now,
            attempts: 0,
            refusals: 0,
            errors: 0,
            refused_by: PluginSet::default(),
            gate: None,
            serial: self.serials,
        };
        self.delete(row);
        self.activate_or_hold(row, waiting, pod.uid, judge)
    }

    /// The pod itself changed, in these ways.
    pub fn update(
        &mut self,
        now: Timestamp,
        row: Row<Pod>,
        pod: &NewPod,
        events: &[Event<'_>],
        judge: &impl Judge,
    ) -> Updated {
        if self.in_flight.contains(&pod.uid) {
            mark!("K 2.2 an update of a pod in flight is kept");
            self.flights.extend(events.iter().map(Flight::event));
            return Updated::InFlight;
        }
        let Some((mut waiting, uid, part)) = self.remove(row) else {
            let added = self.add(now, row, pod, judge);
            return if added { Updated::Added } else { Updated::Gated };
        };
        waiting.priority = pod.priority;
        self.insert(row, waiting, uid, part);
        if part == Part::Idle {
            for event in events {
                if !helps(row, &waiting, event, judge) {
                    continue;
                }
                mark!("K 2.2 an update may bring a waiting pod back");
                self.remove(row);
                if self.requeue(now, row, waiting, uid, judge) {
                    break;
                }
                waiting = self.pods[&row].0;
            }
        }
        Updated::Waiting
    }

    /// The pod is gone, or bound.
    pub fn delete(&mut self, row: Row<Pod>) {
        self.remove(row);
    }

    /// Whether somebody can be taken out at once.
    pub fn can_pop(&self) -> bool {
        !self.active.is_empty() || !self.backoff.is_empty()
    }

    /// Takes out the pod that is next; with no active pod, the one whose backoff ends first.
    pub fn pop(&mut self) -> Option<InHand> {
        let row = match self.active.first() {
            Some(&(_, row)) => row,
            None => {
                let &(_, _, row) = self.backoff.first()?;
                mark!("K 2.2 an idle scheduler does not wait for a backoff to end");
                row
            }
        };
        Some(self.take_out(row))
    }

    /// Takes out one pod wherever it waits; none when it is held back or not here.
    pub fn pop_this(&mut self, row: Row<Pod>, judge: &impl Judge) -> Option<InHand> {
        self.activate_now(row, judge);
        let &(_, _, part) = self.pods.get(&row)?;
        (part == Part::Active).then(|| self.take_out(row))
    }

    /// Makes a pod active at once. One that is in flight will come back after its backoff.
    pub fn activate(&mut self, row: Row<Pod>, uid: Symbol, judge: &impl Judge) {
        if !self.activate_now(row, judge) && self.in_flight.contains(&uid) {
            self.flights.push_back(Flight::Activate { uid });
        }
    }

    /// Takes back a pod that could not be scheduled, refused by these plugins; by none of them after an
    /// internal error.
    pub fn give_back(&mut self, now: Timestamp, pod: &InHand, refused_by: PluginSet, judge: &impl Judge) {
        let (row, uid) = (pod.row, pod.uid);
        if self.pods.contains_key(&row) {
            self.done(uid);
            return;
        }
        self.serials += 1;
        let mut waiting = Waiting { since: now, refused_by, gate: None, serial: self.serials, ..pod.waiting };
        if refused_by.is_empty() {
            waiting.errors += 1;
        } else {
            waiting.refusals += 1;
            waiting.errors = 0;
        }
        if self.flight_helps(row, uid, &waiting, judge) {
            self.requeue(now, row, waiting, uid, judge);
        } else {
            self.insert(row, waiting, uid, Part::Idle);
        }
        self.done(uid);
    }

    /// A pod in flight does not come back.
    pub fn done(&mut self, uid: Symbol) {
        if !self.in_flight.remove(&uid) {
            return;
        }
        self.flights.retain(|flight| !matches!(flight, Flight::Start { uid: other, .. } if *other == uid));
        while self.flights.front().is_some_and(|flight| !matches!(flight, Flight::Start { .. })) {
            self.flights.pop_front();
        }
    }

    /// Something happened: pods that it may help, of a priority up to this one, come back.
    pub fn tell(&mut self, now: Timestamp, event: &Event<'_>, priority_max: Option<i32>, judge: &impl Judge) {
        let groups: Vec<Group> = self.idle.keys().copied().collect();
        for group in groups {
            let listeners = judge.listeners(group.profile, event.kind);
            if group.gate.is_some_and(|gate| !listeners.has(gate)) {
                continue;
            }
            if !group.refused_by.is_empty() && group.refused_by.both(listeners).is_empty() {
                continue;
            }
            let rows: Vec<Row<Pod>> = self.idle[&group].iter().copied().collect();
            for row in rows {
                let (waiting, uid, _) = self.pods[&row];
                if priority_max.is_some_and(|most| waiting.priority > most)
                    || !helps(row, &waiting, event, judge)
                {
                    continue;
                }
                self.remove(row);
                self.requeue(now, row, waiting, uid, judge);
            }
        }
        if !self.in_flight.is_empty() {
            mark!("K 2.2 events are kept while a pod is in flight");
            self.flights.push_back(Flight::event(event));
        }
    }

    /// Pods whose backoff is over become active. To be called at each whole second.
    pub fn flush_backoff(&mut self, now: Timestamp) {
        let second = floor_second(now);
        for errors in [false, true] {
            let part = if errors { &self.error_backoff } else { &self.backoff };
            let over: Vec<Row<Pod>> =
                part.iter().take_while(|(until, ..)| *until < second).map(|&(_, _, row)| row).collect();
            for row in over {
                mark!("K 2.2 a backoff is over when its second has passed");
                let (waiting, uid, _) = self.remove(row).expect("the pod waits");
                self.insert(row, waiting, uid, Part::Active);
            }
        }
    }

    /// Pods that waited too long for an event come back without one.
    pub fn flush_leftover(&mut self, now: Timestamp, judge: &impl Judge) {
        let left_over: Vec<Row<Pod>> = self
            .leftover
            .iter()
            .take_while(|(since, _)| now.saturating_since(*since) > self.settings.leftover_after)
            .map(|&(_, row)| row)
            .collect();
        for row in left_over {
            mark!("K 2.2 a pod that was left over is tried again");
            let (waiting, uid, _) = self.remove(row).expect("the pod waits");
            self.requeue(now, row, waiting, uid, judge);
        }
    }

    /// When a flush has something to do for the first time; a pod that can be popped is not counted.
    pub fn wake_at(&self, started: Timestamp) -> Option<Timestamp> {
        let over = |until: Timestamp| until + Span::SECOND;
        let ends = [&self.backoff, &self.error_backoff].into_iter().filter_map(|part| part.first());
        let backoff = ends.map(|&(until, ..)| over(until)).min();
        let every = self.settings.leftover_every.as_nanos();
        let leftover = self.leftover.first().map(|&(since, _)| {
            let after = (since + self.settings.leftover_after).saturating_since(started).as_nanos();
            started + Span::from_nanos((after / every + 1) * every)
        });
        backoff.into_iter().chain(leftover).min()
    }

    /// Active pods, next one first.
    pub fn active(&self) -> impl Iterator<Item = Row<Pod>> {
        self.active.iter().map(|&(_, row)| row)
    }

    /// Pods in backoff with its end and whether an internal error caused it; those after errors last.
    pub fn backoff(&self) -> impl Iterator<Item = (Row<Pod>, Timestamp, bool)> {
        let plain = self.backoff.iter().map(|&(until, _, row)| (row, until, false));
        plain.chain(self.error_backoff.iter().map(|&(until, _, row)| (row, until, true)))
    }

    /// Pods that need an event, with whether a plugin holds them back.
    pub fn idle(&self) -> impl Iterator<Item = (Row<Pod>, bool)> {
        self.idle.iter().flat_map(|(group, rows)| rows.iter().map(|&row| (row, group.gate.is_some())))
    }

    /// Pods in flight, longest first.
    pub fn in_flight(&self) -> impl Iterator<Item = Row<Pod>> {
        self.flights.iter().filter_map(|flight| match flight {
            Flight::Start { row, .. } => Some(*row),
            Flight::Event(..) | Flight::Activate { .. } => None,
        })
    }

    /// What is remembered of a pod that waits.
    pub fn waiting(&self, row: Row<Pod>) -> Option<&Waiting> {
        self.pods.get(&row).map(|(waiting, ..)| waiting)
    }

    /// Makes a pod active if it waits elsewhere and no plugin holds it back.
    fn activate_now(&mut self, row: Row<Pod>, judge: &impl Judge) -> bool {
        match self.pods.get(&row) {
            None | Some((_, _, Part::Active)) => false,
            Some((_, _, Part::Backoff(_) | Part::ErrorBackoff(_))) => {
                let (waiting, uid, _) = self.remove(row).expect("the pod waits");
                self.insert(row, waiting, uid, Part::Active);
                true
            }
            Some((_, _, Part::Idle)) => {
                let (waiting, uid, _) = self.remove(row).expect("the pod waits");
                self.activate_or_hold(row, waiting, uid, judge)
            }
        }
    }

    /// Takes a pod in flight.
    fn take_out(&mut self, row: Row<Pod>) -> InHand {
        let (mut waiting, uid, _) = self.remove(row).expect("the pod waits");
        waiting.attempts += 1;
        self.flights.push_back(Flight::Start { row, uid });
        self.in_flight.insert(uid);
        InHand { row, uid, waiting }
    }

    /// Whether anything that happened while a pod was in flight may help it.
    fn flight_helps(&self, row: Row<Pod>, uid: Symbol, waiting: &Waiting, judge: &impl Judge) -> bool {
        if waiting.refused_by.is_empty() {
            mark!("K 2.2 after an internal error a pod backs off");
            return true;
        }
        let is_start = |flight: &Flight| matches!(flight, Flight::Start { uid: other, .. } if *other == uid);
        let Some(start) = self.flights.iter().position(is_start) else { return true };
        for flight in self.flights.iter().skip(start + 1) {
            let helps = match flight {
                Flight::Start { .. } => false,
                Flight::Activate { uid: wanted } => *wanted == uid,
                Flight::Event(kind, kept) => {
                    let event = Event { kind: *kind, change: kept.as_ref().map(|kept| kept.change()) };
                    helps(row, waiting, &event, judge)
                }
            };
            if helps {
                mark!("K 2.2 an event in flight counts when the pod fails");
                return true;
            }
        }
        false
    }

    /// Puts a pod into backoff, or makes it active if its backoff is over. False if it is held back.
    fn requeue(
        &mut self,
        now: Timestamp,
        row: Row<Pod>,
        mut waiting: Waiting,
        uid: Symbol,
        judge: &impl Judge,
    ) -> bool {
        let until = self.backoff_until(&waiting).filter(|until| *until >= floor_second(now));
        let Some(until) = until else { return self.activate_or_hold(row, waiting, uid, judge) };
        if hold(row, &mut waiting, judge) {
            self.insert(row, waiting, uid, Part::Idle);
            return false;
        }
        let part =
            if waiting.refused_by.is_empty() { Part::ErrorBackoff(until) } else { Part::Backoff(until) };
        self.insert(row, waiting, uid, part);
        true
    }

    fn activate_or_hold(
        &mut self,
        row: Row<Pod>,
        mut waiting: Waiting,
        uid: Symbol,
        judge: &impl Judge,
    ) -> bool {
        let held = hold(row, &mut waiting, judge);
        self.insert(row, waiting, uid, if held { Part::Idle } else { Part::Active });
        !held
    }

    /// The second at which a backoff ends; none without a failed attempt.
    fn backoff_until(&self, waiting: &Waiting) -> Option<Timestamp> {
        let attempts = if waiting.errors > 0 { waiting.errors } else { waiting.refusals };
        let [first, most] = [self.settings.backoff_first, self.settings.backoff_max].map(Span::as_nanos);
        if attempts == 0 || most == 0 {
            return None;
        }
        let doublings = attempts - 1;
        mark!("K 2.2 a backoff doubles up to a limit");
        let span = if first > most.checked_shr(doublings).unwrap_or(0) { most } else { first << doublings };
        Some(floor_second(waiting.since + Span::from_nanos(span)))
    }

    fn insert(&mut self, row: Row<Pod>, waiting: Waiting, uid: Symbol, part: Part) {
        let rank = waiting.rank();
        let new = match part {
            Part::Active => self.active.insert((rank, row)),
            Part::Backoff(until) => self.backoff.insert((until, rank, row)),
            Part::ErrorBackoff(until) => self.error_backoff.insert((until, rank, row)),
            Part::Idle => {
                if waiting.gate.is_none() {
                    self.leftover.insert((waiting.since, row));
                }
                self.idle.entry(waiting.group()).or_default().insert(row)
            }
        };
        assert!(new && self.pods.insert(row, (waiting, uid, part)).is_none(), "a pod waits once");
    }

    fn remove(&mut self, row: Row<Pod>) -> Option<(Waiting, Symbol, Part)> {
        let (waiting, uid, part) = self.pods.remove(&row)?;
        let rank = waiting.rank();
        let known = match part {
            Part::Active => self.active.remove(&(rank, row)),
            Part::Backoff(until) => self.backoff.remove(&(until, rank, row)),
            Part::ErrorBackoff(until) => self.error_backoff.remove(&(until, rank, row)),
            Part::Idle => {
                self.leftover.remove(&(waiting.since, row));
                let group = waiting.group();
                let rows = self.idle.get_mut(&group).expect("the group of a pod that waits");
                let known = rows.remove(&row);
                if rows.is_empty() {
                    self.idle.remove(&group);
                }
                known
            }
        };
        assert!(known, "a pod is where it says");
        Some((waiting, uid, part))
    }
}

/// What the queue needs to know of a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewPod {
    /// Its uid.
    pub uid: Symbol,
    /// The profile that schedules it.
    pub profile: usize,
    /// Its priority.
    pub priority: i32,
}

impl Waiting {
    const fn rank(&self) -> Rank {
        (Reverse(self.priority), self.since, self.serial)
    }

    const fn group(&self) -> Group {
        Group { profile: self.profile, gate: self.gate, refused_by: self.refused_by }
    }
}

impl Flight {
    fn event(event: &Event<'_>) -> Self {
        Flight::Event(event.kind, event.change.as_ref().map(|change| Box::new(Kept::of(change))))
    }
}

/// Whether an event may help a pod.
fn helps(row: Row<Pod>, waiting: &Waiting, event: &Event<'_>, judge: &impl Judge) -> bool {
    if waiting.refused_by.is_empty() {
        return true;
    }
    let asked = waiting.refused_by.both(judge.listeners(waiting.profile, event.kind));
    !asked.is_empty() && judge.may_help(row, waiting.profile, asked, event)
}

/// Asks whether a pod is held back, and notes by whom.
fn hold(row: Row<Pod>, waiting: &mut Waiting, judge: &impl Judge) -> bool {
    waiting.gate = judge.held_by(row, waiting.profile, waiting.gate);
    let Some(gate) = waiting.gate else { return false };
    mark!("K 2.2 a pod that a plugin holds back waits for that plugin's events");
    waiting.refused_by = waiting.refused_by.with(gate);
    true
}

/// The beginning of a second.
fn floor_second(at: Timestamp) -> Timestamp {
    let second = Span::SECOND.as_nanos();
    Timestamp::from_nanos(at.as_nanos() / second * second)
}

#[cfg(test)]
mod tests;
