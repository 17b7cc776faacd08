//! The scheduler as a deciding machine: changes in, commands out.
//!
//! One unit of work takes one pod from the queue through one whole cycle, or carries on what an earlier
//! cycle began: bindings that wait for volumes, deletions of victims, flushes of the queue. The steps are
//! methods of their own, so that a test may hold a pod between its cycle and the end of its failure. Event
//! handlers are in `observe`, the cycle is in [`attempt`](mod@super::attempt). Knows nothing of how long a
//! cycle or a call takes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::base::{Purpose, Row, Symbol, Timestamp, Turn};
use crate::control::kubernetes::objects::{Pod, Specs};
use crate::control::{Reconciler, Ticket, Tickets};
use crate::mark;

use super::algorithm::Found;
use super::attempt::{Attempt, Outcome, Reserved};
use super::cluster::{Cluster, NodeInfo};
use super::command::{Answer, ConditionReason, EventReason, PodName, SchedulerChange, SchedulerCommand};
use super::event::{Event, EventKind, Listening};
use super::framework::{Cycle, Profile};
use super::observe::full_name;
use super::queue::{InHand, Judge, PluginSet, Queue, QueueSettings};

/// Commands and their tickets.
pub type Out = Vec<(Ticket, SchedulerCommand)>;

/// The scheduler of one cluster.
///
/// ```
/// use windtunnel::base::{Symbols, Timestamp};
/// use windtunnel::control::Reconciler;
/// use windtunnel::control::kubernetes::api::config::Configuration;
/// use windtunnel::control::kubernetes::scheduler::Scheduler;
/// use windtunnel::control::kubernetes::scheduler::profile::{Registry, queue_settings};
/// let mut symbols = Symbols::default();
/// let configuration = Configuration::standard(&mut symbols);
/// let profiles = Registry::default().profiles(&configuration, &mut symbols);
/// let now = Timestamp::from_nanos(0);
/// let scheduler = Scheduler::new(now, profiles, queue_settings(&configuration));
/// assert_eq!(scheduler.wake_at(), None, "nothing to do");
/// ```
#[derive(Debug)]
pub struct Scheduler {
    pub(super) profiles: Vec<Profile>,
    pub(super) plugins: Plugins,
    pub(super) cluster: Cluster,
    pub(super) queue: Queue,
    /// Where the next search for nodes begins.
    pub(super) start: usize,
    /// What the last cycle found.
    pub(super) found: Found,
    /// Pods that count on a node before the record says so, as the record has them.
    pub(super) assumed: BTreeMap<Row<Pod>, Pod>,
    /// Deletions of victims, in the order in which they began.
    pub(super) preparations: BTreeMap<u64, Preparation>,
    /// The number of the next one.
    pub(super) next_preparation: u64,
    /// Bindings under way, by the ticket that is to be answered.
    bindings: BTreeMap<Ticket, Binding>,
    /// Deletions under way, with the preparation that asked for them.
    evictions: BTreeMap<Ticket, u64>,
    answers: VecDeque<(Ticket, Answer)>,
    tickets: Tickets,
    started: Timestamp,
    /// When it was told something for the last time: what is due at once was due since then.
    told: Timestamp,
    counters: Counters,
}

/// How many units of work were done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Cycles.
    pub cycles: u64,
    /// Pods that were bound.
    pub bound: u64,
    /// Victims whose deletion was asked for.
    pub victims: u64,
}

/// The plugins of all profiles, by number.
#[derive(Debug)]
pub(super) struct Plugins {
    names: Vec<&'static str>,
    /// By profile: the number of each plugin, by place.
    numbers: Vec<Vec<u8>>,
    /// By profile: the plugins that listen to a kind of events.
    listeners: Vec<BTreeMap<EventKind, PluginSet>>,
}

/// Deletions that a preemption asked for (K 2.17, 6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Preparation {
    pub(super) preemptor: PodName,
    pub(super) priority: i32,
    pub(super) node: Symbol,
    /// The victims that are not going already; those whose deletion was asked for are taken out.
    pub(super) victims: VecDeque<PodName>,
    /// The victim that was last asked for.
    last: Option<PodName>,
    /// Answers that are waited for.
    waits: usize,
    /// A deletion failed.
    failed: bool,
    begun: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Binding {
    reserved: Reserved,
    /// The volumes are bound: what is answered is the binding itself.
    last: bool,
}

impl Scheduler {
    /// A scheduler with these profiles that has seen nothing yet.
    pub fn new(now: Timestamp, profiles: Vec<Profile>, settings: QueueSettings) -> Self {
        Scheduler {
            plugins: Plugins::new(&profiles),
            profiles,
            cluster: Cluster::default(),
            queue: Queue::new(settings),
            start: 0,
            found: Found { brief: true, ..Found::default() },
            assumed: BTreeMap::new(),
            preparations: BTreeMap::new(),
            next_preparation: 0,
            bindings: BTreeMap::new(),
            evictions: BTreeMap::new(),
            answers: VecDeque::new(),
            tickets: Tickets::default(),
            started: now,
            told: now,
            counters: Counters::default(),
        }
    }

    /// What it believes about the cluster.
    pub const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Who waits.
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// What the last cycle found.
    pub const fn found(&self) -> &Found {
        &self.found
    }

    /// Whether [`found`](Self::found) is to hold every refusal and every score of a success as well; that
    /// takes longer.
    pub const fn explain(&mut self, wanted: bool) {
        self.found.brief = !wanted;
    }

    /// Where the next search for nodes begins.
    pub const fn next_start(&self) -> usize {
        self.start
    }

    /// How many units of work were done.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The order of the nodes in a fresh snapshot.
    pub fn snapshot(&mut self) -> &[Row<NodeInfo>] {
        self.cluster.snapshot();
        self.cluster.order()
    }

    /// The profile of a scheduler name.
    pub fn profile_of(&self, name: Symbol) -> Option<usize> {
        self.profiles.iter().position(|profile| profile.name == name)
    }

    /// Takes the pod that is next out of the queue.
    pub fn pop(&mut self) -> Option<InHand> {
        self.queue.pop()
    }

    /// Takes one pod out of the queue, wherever it waits; none if a plugin holds it back.
    pub fn pop_this(&mut self, now: Timestamp, specs: &Specs, row: Row<Pod>) -> Option<InHand> {
        let (queue, bench) = self.bench(now, specs);
        queue.pop_this(row, &bench)
    }

    /// What the queue does at a whole second.
    pub fn flush_backoff(&mut self, now: Timestamp) {
        self.queue.flush_backoff(now);
    }

    /// What the queue does every 30 seconds.
    pub fn flush_leftover(&mut self, now: Timestamp, specs: &Specs) {
        let (queue, bench) = self.bench(now, specs);
        queue.flush_leftover(now, &bench);
    }

    /// Sends what a pod needs to come to its node: its volumes first, if there is anything to do about them.
    pub fn bind(&mut self, attempt: &Attempt, node: Symbol, out: &mut Out) {
        self.queue.done(attempt.pod.uid);
        let pod = PodName::of(&attempt.pod);
        let last = attempt.bindings.is_empty();
        let ticket = if last {
            self.send(SchedulerCommand::Bind { pod, node }, out)
        } else {
            mark!("K 2.16 a nomination is written before a slow binding");
            self.send(SchedulerCommand::Nominate { pod, node: Some(node) }, out);
            let bindings = attempt.bindings.clone();
            self.send(SchedulerCommand::BindVolumes { pod, node, bindings }, out)
        };
        let record = *self.cluster.known(attempt.pod.row);
        let reserved = Reserved { pod: attempt.pod, record, node, bindings: attempt.bindings.clone() };
        self.bindings.insert(ticket, Binding { reserved, last });
    }

    /// Does all that preemptions began, without waiting for any answer.
    pub fn finish_preemption(&mut self, now: Timestamp, specs: &Specs, out: &mut Out) {
        for number in self.preparations.keys().copied().collect::<Vec<_>>() {
            while self.preparations.contains_key(&number) {
                self.prepare(now, specs, number, out);
                if let Some(preparation) = self.preparations.get_mut(&number) {
                    preparation.waits = 0;
                }
            }
        }
        self.evictions.clear();
    }

    pub(super) fn send(&mut self, command: SchedulerCommand, out: &mut Out) -> Ticket {
        let ticket = self.tickets.take();
        out.push((ticket, command));
        ticket
    }

    pub(super) fn say(&mut self, pod: PodName, reason: EventReason, note: String, out: &mut Out) {
        self.send(SchedulerCommand::Event { pod, reason, note }, out);
    }

    /// The queue, and what it asks about plugins.
    pub(super) fn bench<'a>(&'a mut self, now: Timestamp, specs: &'a Specs) -> (&'a mut Queue, Bench<'a>) {
        let Scheduler { profiles, plugins, cluster, queue, .. } = self;
        (queue, Bench { specs, cluster, profiles, plugins, now })
    }

    /// Takes the next step of a preemption: the nominations of lesser pods, all victims but the last, the
    /// last one, the end.
    fn prepare(&mut self, now: Timestamp, specs: &Specs, number: u64, out: &mut Out) {
        let Some(mut preparation) = self.preparations.remove(&number) else { return };
        if !preparation.begun {
            preparation.begun = true;
            self.clear_lesser_nominations(specs, &preparation, out);
            mark!("K 2.17 the last victim is deleted when all others were");
            while preparation.victims.len() > 1 {
                self.evict(number, &mut preparation, specs, out);
            }
        } else if !preparation.victims.is_empty() && !preparation.failed {
            self.evict(number, &mut preparation, specs, out);
        } else {
            let PodName { row, uid } = preparation.preemptor;
            self.cluster.preempting.remove(&row);
            if preparation.failed {
                mark!("K 2.17 a failed deletion lets the preemptor try again");
                let (queue, bench) = self.bench(now, specs);
                queue.activate(row, uid, &bench);
            }
            return;
        }
        self.preparations.insert(number, preparation);
    }

    /// Pods of lower priority that are nominated to the node lose their nomination.
    fn clear_lesser_nominations(&mut self, specs: &Specs, preparation: &Preparation, out: &mut Out) {
        let nominated = self.cluster.nominated.to(preparation.node).to_vec();
        for row in nominated {
            let pod = *self.cluster.known(row);
            let lesser = specs[pod.spec].priority < preparation.priority;
            if lesser && pod.nominated.is_some() && self.queue.waiting(row).is_some() {
                mark!("K 2.17 lesser pods lose their nomination");
                let pod = PodName { row, uid: pod.uid };
                self.send(SchedulerCommand::Nominate { pod, node: None }, out);
            }
        }
    }

    fn evict(&mut self, number: u64, preparation: &mut Preparation, specs: &Specs, out: &mut Out) {
        let victim = preparation.victims.pop_front().expect("a victim is left");
        preparation.last = preparation.victims.is_empty().then_some(victim);
        preparation.waits += 1;
        self.counters.victims += 1;
        let (preemptor, node) = (preparation.preemptor, preparation.node);
        let ticket = self.send(SchedulerCommand::Evict { pod: victim, preemptor, node }, out);
        self.evictions.insert(ticket, number);
        let (uid, node) = (specs.symbols.text(preemptor.uid), specs.symbols.text(node));
        let words = format!("Preempted by pod {uid} on node {node}");
        self.say(victim, EventReason::Preempted, words, out);
    }

    /// A victim is going: a preemptor that waits for nothing else may be tried again.
    pub(super) fn victim_goes(&mut self, victim: PodName) {
        let waiting = self.preparations.values();
        let waits_for: BTreeSet<Row<Pod>> =
            waiting.filter(|each| each.last == Some(victim)).map(|each| each.preemptor.row).collect();
        for preemptor in waits_for {
            mark!("K 2.17 a preemptor is free when its last victim is going");
            self.cluster.preempting.remove(&preemptor);
        }
    }

    /// Takes in what became of a command.
    fn answered(&mut self, now: Timestamp, specs: &Specs, ticket: Ticket, answer: Answer, out: &mut Out) {
        if let Some(number) = self.evictions.remove(&ticket) {
            if let Some(preparation) = self.preparations.get_mut(&number) {
                preparation.waits -= 1;
                preparation.failed |= answer == Answer::Failed;
            }
        } else if let Some(binding) = self.bindings.remove(&ticket) {
            match answer {
                Answer::Accepted if binding.last => self.bound(specs, &binding.reserved, out),
                Answer::Accepted => {
                    let (pod, node) = (PodName::of(&binding.reserved.pod), binding.reserved.node);
                    let ticket = self.send(SchedulerCommand::Bind { pod, node }, out);
                    self.bindings.insert(ticket, Binding { last: true, ..binding });
                }
                Answer::Conflict | Answer::Failed => self.not_bound(now, specs, &binding.reserved, out),
            }
        }
    }

    fn bound(&mut self, specs: &Specs, binding: &Reserved, out: &mut Out) {
        self.counters.bound += 1;
        let Some(pod) = self.cluster.pod(binding.pod.row).filter(|pod| pod.uid == binding.pod.uid) else {
            return;
        };
        let text = |symbol| specs.symbols.text(symbol);
        let words = format!("Successfully assigned {} to {}", full_name(specs, pod), text(binding.node));
        self.say(PodName::of(&binding.pod), EventReason::Scheduled, words, out);
    }

    /// A binding failed: the pod gives its place back and is tried again after a backoff.
    fn not_bound(&mut self, now: Timestamp, specs: &Specs, binding: &Reserved, out: &mut Out) {
        mark!("K 2.16 a failed binding gives the place back");
        self.unreserve(now, specs, binding);
        self.release(now, specs, binding.pod.row);
        let attempt = Attempt {
            outcome: Outcome::Error,
            message: format!(
                "binding rejected: the pod could not be bound to {}",
                specs.symbols.text(binding.node)
            ),
            ..Attempt::of(binding.pod)
        };
        self.settle(now, specs, &attempt, out);
    }

    /// The preparation whose next step is due.
    fn due_preparation(&self) -> Option<u64> {
        self.preparations.iter().find(|(_, each)| each.waits == 0).map(|(&number, _)| number)
    }

    const fn condition(outcome: Outcome) -> ConditionReason {
        match outcome {
            Outcome::Error => ConditionReason::SchedulerError,
            Outcome::Scheduled(_) | Outcome::Unschedulable | Outcome::Skipped => {
                ConditionReason::Unschedulable
            }
        }
    }

    pub(super) fn set_condition(&mut self, attempt: &Attempt, out: &mut Out) {
        let reason = Scheduler::condition(attempt.outcome);
        let (pod, message) = (PodName::of(&attempt.pod), attempt.message.clone());
        self.send(SchedulerCommand::Condition { pod, reason, message }, out);
    }
}

impl Reconciler for Scheduler {
    type Change<'a> = SchedulerChange<'a>;
    type View<'a> = &'a Specs;
    type Command = SchedulerCommand;

    fn observe(&mut self, now: Timestamp, change: SchedulerChange<'_>) {
        self.told = now;
        match change {
            SchedulerChange::Cluster(change, specs) => self.observe_cluster(now, change, specs),
            SchedulerChange::Answered { ticket, answer } => self.answers.push_back((ticket, answer)),
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let at_once = !self.answers.is_empty() || self.due_preparation().is_some() || self.queue.can_pop();
        if at_once { Some(self.told) } else { self.queue.wake_at(self.started) }
    }

    fn reconcile(&mut self, turn: &mut Turn<'_>, specs: &Specs, out: &mut Out) {
        let now = turn.now;
        if self.wake_at().is_none_or(|at| at > now) {
            return;
        }
        self.told = now;
        if let Some((ticket, answer)) = self.answers.pop_front() {
            self.answered(now, specs, ticket, answer, out);
        } else if self.queue.wake_at(self.started).is_some_and(|at| at <= now) {
            self.flush_backoff(now);
            self.flush_leftover(now, specs);
        } else if let Some(number) = self.due_preparation() {
            self.prepare(now, specs, number, out);
        } else if let Some(pod) = self.pop() {
            self.counters.cycles += 1;
            let asked = self.asked(turn, &pod);
            let mut offset = |key, attempts| turn.draw.draw(Purpose::Preempt, key, attempts);
            let attempt = self.attempt(now, specs, pod, &mut offset, out);
            self.give_reasons(asked.as_ref(), turn, &attempt);
            match attempt.outcome {
                Outcome::Scheduled(node) => self.bind(&attempt, node, out),
                Outcome::Unschedulable | Outcome::Error => self.settle(now, specs, &attempt, out),
                Outcome::Skipped => {}
            }
        }
    }
}

impl PodName {
    /// The name of a pod in hand.
    pub const fn of(pod: &InHand) -> Self {
        PodName { row: pod.row, uid: pod.uid }
    }
}

impl Preparation {
    pub(super) const fn new(
        preemptor: PodName,
        priority: i32,
        node: Symbol,
        victims: VecDeque<PodName>,
    ) -> Self {
        Preparation { preemptor, priority, node, victims, last: None, waits: 0, failed: false, begun: false }
    }
}

impl Plugins {
    fn new(profiles: &[Profile]) -> Self {
        let mut plugins = Plugins { names: Vec::new(), numbers: Vec::new(), listeners: Vec::new() };
        for profile in profiles {
            let mut numbers = Vec::new();
            let mut listeners: BTreeMap<EventKind, PluginSet> = BTreeMap::new();
            for plugin in &profile.plugins {
                let number = plugins.number(plugin.name());
                numbers.push(number);
                let points = plugin.points();
                if !(points.pre_enqueue || points.pre_filter || points.filter || points.reserve) {
                    continue;
                }
                let mut listen = |kind| {
                    let set = listeners.entry(kind).or_default();
                    *set = set.with(number);
                };
                plugin.events().iter().copied().for_each(&mut listen);
                if plugin.events().contains(&EventKind::NodeAdd) {
                    mark!("K 2.3 who listens to new nodes hears of every taint");
                    listen(EventKind::NodeUpdateTaint);
                }
            }
            plugins.numbers.push(numbers);
            plugins.listeners.push(listeners);
        }
        plugins
    }

    fn number(&mut self, name: &'static str) -> u8 {
        let known = self.names.iter().position(|known| *known == name);
        let place = known.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        assert!(place < PluginSet::PLUGINS_MAX, "a scheduler has at most 64 plugins");
        u8::try_from(place).expect("fewer than 64 plugins")
    }

    /// These plugins as a set.
    pub(super) fn set(&self, names: &BTreeSet<&'static str>) -> PluginSet {
        let places = (0_u8..).zip(&self.names).filter(|(_, name)| names.contains(*name));
        places.fold(PluginSet::default(), |set, (number, _)| set.with(number))
    }
}

/// What the queue asks about plugins, as of one moment.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    specs: &'a Specs,
    cluster: &'a Cluster,
    profiles: &'a [Profile],
    plugins: &'a Plugins,
    now: Timestamp,
}

impl Judge for Bench<'_> {
    fn held_by(&self, row: Row<Pod>, profile: usize, already: Option<u8>) -> Option<u8> {
        let pod = self.cluster.known(row);
        let (specs, cluster, now) = (self.specs, self.cluster, self.now);
        let cycle = Cycle { specs, cluster, row, pod, spec: &specs[pod.spec], now };
        let (profile, numbers) = (&self.profiles[profile], &self.plugins.numbers[profile]);
        let holds = |place: &&usize| profile.plugins[**place].pre_enqueue(&cycle).is_err();
        let order = &profile.order.pre_enqueue;
        let first = order.iter().find(|place| Some(numbers[**place]) == already);
        let held = first.filter(holds).or_else(|| order.iter().find(holds));
        held.map(|&place| numbers[place])
    }

    fn listeners(&self, profile: usize, kind: EventKind) -> PluginSet {
        self.plugins.listeners[profile].get(&kind).copied().unwrap_or_default()
    }

    fn may_help(&self, row: Row<Pod>, profile: usize, plugins: PluginSet, event: &Event<'_>) -> bool {
        let pod = self.cluster.known(row);
        let (specs, cluster) = (self.specs, self.cluster);
        let listening = Listening { specs, cluster, row, pod, spec: &specs[pod.spec] };
        let (profile, numbers) = (&self.profiles[profile], &self.plugins.numbers[profile]);
        profile
            .plugins
            .iter()
            .zip(numbers)
            .filter(|(_, number)| plugins.has(**number))
            .any(|(plugin, _)| !plugin.events().contains(&event.kind) || plugin.may_help(&listening, event))
    }
}

#[cfg(test)]
mod tests;
