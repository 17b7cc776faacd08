//! The state of one run, and the loop.
//!
//! [`run`] takes one event at a time from the agenda and hands it to `step`. Single
//! threaded and simple; threads live above, across runs. Knows nothing of statistics.

use std::any::type_name;
use std::collections::VecDeque;
use std::ops::ControlFlow;

use smallvec::SmallVec;

use crate::base::hash::Map;
use crate::base::runtime::SandboxId;
use crate::base::token_bucket::TokenBucket;
use crate::base::turn::{Nobody, Why};
use crate::base::{Column, Handle, Name, Revision, Row, Span, Symbol, Timestamp, Turn};
use crate::control::ecs::api::token::ClientTokens;
use crate::control::ecs::objects::Task;
use crate::control::ecs::placement::Placement;
use crate::control::ecs::scheduler::{Call, EcsCommand, Scheduler};
use crate::control::node::ecs_agent::{AgentCommand, AgentView, EcsAgent};
use crate::control::{Reconciler, Ticket};
use crate::engine::{Agenda, Luck};
use crate::store::{Cursor, EcsRecord};
use crate::workload::arrival::Walk;
use crate::world::{Ec2, Effects, Fargate, Host, Hosts};

use super::event::Event;
use super::fact::{Digests, Fact, Observer};
use super::kubernetes::state::Kubernetes;
use super::plan::{Machine, Plan, Pool};
use super::wire::Player;

/// Progress is told every so many events.
const EVENTS_BETWEEN_LOOKS: u64 = 65_536;
/// Conservation is recounted every so many events, and at the end. A recount looks at every row, so a
/// record of many rows waits for [`EVENTS_PER_ROW`] events per row.
const EVENTS_BETWEEN_RECOUNTS: u64 = 65_536;
/// What keeps recounting cheap, however long the record is.
const EVENTS_PER_ROW: u64 = 8;
/// More units of work than this in one wake is a livelock.
const UNITS_MAX: usize = 10_000_000;
/// The record forgets what everybody has read every so many events.
const EVENTS_BETWEEN_TRIMS: u64 = 16;

/// One run.
pub struct Simulation<'a> {
    pub(super) plan: &'a Plan,
    pub(super) luck: Luck,
    pub(super) agenda: Agenda<Event>,
    pub(super) now: Timestamp,
    pub(super) record: EcsRecord,
    pub(super) scheduler: Process<Scheduler>,
    pub(super) cursor: Cursor,
    pub(super) agents: Column<AgentSeat>,
    /// The agent of each host, by host.
    pub(super) agent_of_host: Vec<Option<Handle<AgentSeat>>>,
    /// Where each task is and how old, by task.
    pub(super) posts: Vec<Post>,
    /// The task in each sandbox, by sandbox, from its payload to its end. Agents remember a sandbox longer
    /// than the record remembers a task, so sandboxes are counted and never reused.
    pub(super) task_of_sandbox: Vec<Option<Row<Task>>>,
    /// The agent of each container instance, by instance.
    pub(super) agent_of_instance: Vec<Option<Handle<AgentSeat>>>,
    pub(super) machines: Vec<Machine>,
    /// Machines that each pool still wants, by pool and subnet.
    pub(super) wanted: Vec<Vec<u32>>,
    /// Launch calls that each pool has made.
    pub(super) launch_calls: Vec<u32>,
    /// The next serial of each pool.
    pub(super) machine_serials: Vec<u64>,
    pub(super) hosts: Hosts,
    pub(super) ec2: Ec2,
    pub(super) fargate: Fargate,
    pub(super) run_task_bucket: Option<TokenBucket>,
    /// RunTask calls that wait for the API, in line.
    pub(super) callers: VecDeque<Call>,
    /// Callers whose call failed and who will try again.
    pub(super) callers_away: Column<Call>,
    /// How far each process of the plan has come.
    pub(super) walks: Vec<Walk>,
    /// Each trace of the plan, until its end.
    pub(super) players: Vec<Option<Player>>,
    /// Ranges for the work of tasks of traces that have not been sent yet.
    pub(super) lifetimes: Map<Name, (Span, Span)>,
    /// The Kubernetes cluster, where the plan has one.
    pub(super) kubernetes: Option<Box<Kubernetes>>,
    /// The trace that the run lost.
    pub(super) trace_fault: Option<TraceFault>,
    pub(super) tokens: ClientTokens,
    /// The next serial of each request name.
    pub(super) serials: Map<Symbol, u64>,
    /// Stopped tasks, oldest first, until nobody may ask about them any more.
    pub(super) stopped: VecDeque<(Timestamp, Row<Task>)>,
    pub(super) effects: Effects,
    pub(super) commands: Vec<(Ticket, EcsCommand)>,
    pub(super) agent_commands: Vec<(Ticket, AgentCommand)>,
    pub(super) observer: &'a mut dyn Observer,
    pub(super) why: &'a mut dyn Why,
    pub(super) digests: Digests,
    pub(super) counts: Counts,
    /// Conservation is recounted when so many events were taken.
    recount_at: u64,
}

/// A machine that decides, and its wakes that are on the agenda.
#[derive(Debug)]
pub struct Process<M> {
    pub(super) machine: M,
    /// Falling: a wake is added only when it is sooner than all others. One that finds nothing to do
    /// is a no-op (law 2).
    armed: SmallVec<[Timestamp; 3]>,
}

/// An agent and the host it works on.
#[derive(Debug)]
pub struct AgentSeat {
    pub(super) process: Process<EcsAgent>,
    pub(super) host: Row<Host>,
}

/// What the driver knows of one task beside its record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Post {
    /// The agent that has it; none before the payload was sent and after the end.
    pub(super) agent: Option<Handle<AgentSeat>>,
    /// What its agent calls it; none as before.
    pub(super) sandbox: Option<SandboxId>,
    /// How many tasks were created before it.
    pub(super) age: u32,
}

/// How a run went, in numbers that no file shows but `--json` and benches do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Events taken from the agenda.
    pub events: u64,
    /// Tasks created.
    pub tasks: u64,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// The fingerprints of what happened.
    pub digests: Digests,
    /// How much happened.
    pub counts: Counts,
    /// The virtual time reached: the plan's end, or where it was interrupted.
    pub at: Timestamp,
    /// Whether it ran to the plan's end.
    pub complete: bool,
    /// The trace that could not be read on, which ended the run.
    pub trace_fault: Option<TraceFault>,
}

/// A trace that is no longer what the plan was made from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceFault {
    /// Which, by its place in the plan.
    pub trace: u32,
    /// The line at which it was noticed.
    pub line: u64,
}

/// How far a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// The virtual time.
    pub now: Timestamp,
    /// Events so far.
    pub events: u64,
}

/// Runs a plan with a seed and tells an observer every fact.
pub fn run(plan: &Plan, seed: u64, observer: &mut dyn Observer) -> Ended {
    run_with(plan, seed, observer, &mut Nobody, &mut |_| ControlFlow::Continue(()))
}

/// Like [`run`], for those who want reasons, progress, or to stop it early.
pub fn run_with(
    plan: &Plan,
    seed: u64,
    observer: &mut dyn Observer,
    why: &mut dyn Why,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Ended {
    let mut simulation = Simulation::new(plan, seed, observer, why);
    simulation.begin();
    let mut complete = false;
    // A run that is not wanted any more does not begin.
    let begins = progress(Progress { now: plan.start, events: 0 }).is_continue();
    while begins && let Some((now, event)) = simulation.agenda.pop() {
        simulation.now = now;
        simulation.counts.events += 1;
        if event == Event::End {
            complete = true;
            break;
        }
        simulation.step(event);
        if simulation.trace_fault.is_some() {
            break;
        }
        if simulation.counts.events.is_multiple_of(EVENTS_BETWEEN_TRIMS) {
            simulation.record.trim();
            if let Some(cluster) = &mut simulation.kubernetes {
                cluster.record.trim();
            }
        }
        if simulation.counts.events == simulation.recount_at {
            simulation.recount();
        }
        if simulation.counts.events.is_multiple_of(EVENTS_BETWEEN_LOOKS) {
            let so_far = Progress { now, events: simulation.counts.events };
            if progress(so_far).is_break() {
                break;
            }
        }
    }
    simulation.recount();
    let Simulation { digests, counts, now, trace_fault, .. } = simulation;
    Ended { digests, counts, at: now, complete: complete && trace_fault.is_none(), trace_fault }
}

impl<'a> Simulation<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        seed: u64,
        observer: &'a mut dyn Observer,
        why: &'a mut dyn Why,
    ) -> Self {
        let luck = Luck::new(seed);
        let mut record = EcsRecord::new();
        let cursor = record.open();
        Simulation {
            plan,
            luck,
            agenda: Agenda::starting_at(plan.start),
            now: plan.start,
            record,
            cursor,
            scheduler: Process::new(Scheduler::new(plan.ecs.scheduler, Placement::new(plan.ecs.placement))),
            agents: Column::new(),
            agent_of_host: Vec::new(),
            posts: Vec::new(),
            task_of_sandbox: Vec::new(),
            agent_of_instance: Vec::new(),
            machines: Vec::new(),
            wanted: plan.pools.iter().map(Pool::wanted).collect(),
            launch_calls: vec![0; plan.pools.len()],
            machine_serials: vec![0; plan.pools.len()],
            hosts: Hosts::new(luck, plan.world.host.clone(), plan.registry.clone()),
            ec2: Ec2::new(luck, plan.world.ec2.clone()),
            fargate: Fargate::new(luck, plan.world.fargate.clone()),
            run_task_bucket: plan.ecs.run_task_bucket,
            callers: VecDeque::new(),
            callers_away: Column::new(),
            walks: plan.arrivals.iter().map(|arrival| arrival.arrivals.walk()).collect(),
            players: Vec::with_capacity(plan.traces.len()),
            lifetimes: Map::default(),
            kubernetes: plan
                .kubernetes
                .as_ref()
                .map(|cluster| Box::new(Kubernetes::new(cluster, plan.start))),
            trace_fault: None,
            tokens: ClientTokens::new(plan.ecs.token_memory),
            serials: Map::default(),
            stopped: VecDeque::new(),
            effects: Effects::default(),
            commands: Vec::new(),
            agent_commands: Vec::new(),
            observer,
            why,
            digests: Digests::default(),
            counts: Counts::default(),
            recount_at: EVENTS_BETWEEN_RECOUNTS,
        }
    }

    /// Puts the whole plan on the agenda.
    pub(super) fn begin(&mut self) {
        for (number, (at, _)) in self.plan.services.iter().enumerate() {
            self.schedule(*at, Event::CreateService(number_32(number)));
        }
        self.begin_demand();
        self.begin_cluster();
        for (number, pool) in self.plan.pools.iter().enumerate() {
            self.schedule(pool.launch_at, Event::Launch(number_32(number)));
        }
        self.schedule(self.plan.end, Event::End);
    }

    pub(super) fn schedule(&mut self, at: Timestamp, event: Event) {
        let (rank, actor) = event.order();
        self.agenda.schedule(at, rank, actor, event);
    }

    /// Tells a fact to the digests and to whoever watches.
    pub(super) fn tell(&mut self, fact: &Fact<'_>) {
        self.digests.fact(self.plan, self.now, fact);
        self.observer.fact(self.plan, self.now, fact);
    }

    /// Counts everything again and compares with the books, in each part by itself.
    fn recount(&mut self) {
        let rows: u64 = self.record.books().by_status.iter().sum();
        self.recount_at = self.counts.events + EVENTS_BETWEEN_RECOUNTS.max(rows * EVENTS_PER_ROW);
        self.record.recount();
        if let Some(cluster) = &self.kubernetes {
            cluster.record.recount();
        }
        let definitions = &self.plan.definitions;
        self.scheduler.machine.recount(self.record.view(Revision::LIVE, definitions));
        for (_, seat) in self.agents.iter() {
            let agent = &seat.process.machine;
            assert_eq!(agent.held(), agent.recount(AgentView { definitions }), "the agent's own book");
        }
    }
}

impl<M: Reconciler> Process<M> {
    pub(super) fn new(machine: M) -> Self {
        Process { machine, armed: SmallVec::new() }
    }

    /// When a wake must be put on the agenda, if one must; none before `from`.
    pub(super) fn arm(&mut self, now: Timestamp, from: Timestamp) -> Option<Timestamp> {
        if self.armed.last().is_some_and(|&soonest| soonest <= now) {
            return None;
        }
        let at = self.machine.wake_at()?.max(now).max(from);
        if self.armed.last().is_some_and(|&soonest| soonest <= at) {
            return None;
        }
        self.armed.push(at);
        Some(at)
    }

    /// A wake has come: does what is due, one unit after the other, as long as it `goes_on`, which is asked
    /// before each unit and after the last.
    #[inline]
    pub(super) fn work(
        &mut self,
        turn: &mut Turn<'_>,
        view: M::View<'_>,
        commands: &mut Vec<(Ticket, M::Command)>,
        mut goes_on: impl FnMut(&M) -> bool,
    ) {
        while self.armed.last().is_some_and(|&soonest| soonest <= turn.now) {
            self.armed.pop();
        }
        for unit in 0.. {
            assert!(unit < UNITS_MAX, "{} has no end of work at {:?}", type_name::<M>(), turn.now);
            if !goes_on(&self.machine) || self.machine.wake_at().is_none_or(|at| at > turn.now) {
                break;
            }
            self.machine.reconcile(turn, view, commands);
        }
    }
}

impl std::fmt::Debug for Simulation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Simulation of {} at {:?}", self.plan.platform, self.now)
    }
}

pub(super) fn number_32(number: usize) -> u32 {
    u32::try_from(number).expect("lowering keeps counts below 2^32")
}
