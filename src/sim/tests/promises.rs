//! What every run promises: quiet costs nothing, beats are arithmetic, books agree, seeds repeat.
//!
//! Knows nothing of rules: which task goes where is tested with the rules.

use proptest::prelude::*;

use super::fixture::{Calls, Fixture};
use crate::base::runtime::{HealthCheck, Rhythm};
use crate::base::{Span, Timestamp};
use crate::control::ecs::objects::{LaunchType, NetworkMode, Task};
use crate::engine::Quantiles;
use crate::measure::{Collector, Outcome};
use crate::sim::fact::{Digests, Fact, FactKind, Observer};
use crate::sim::plan::Plan;
use crate::sim::simulation::{Ended, run};
use crate::world::registry::Ending;

/// Nobody watches.
struct Nobody;

impl Observer for Nobody {
    fn fact(&mut self, _: &Plan, _: Timestamp, _: &Fact<'_>) {}
}

fn watched(plan: &Plan, seed: u64) -> Ended {
    run(plan, seed, &mut Nobody)
}

const PROBED: HealthCheck = HealthCheck {
    rhythm: Rhythm::AfterEach,
    successes: 1,
    interval: Span::seconds(10),
    timeout: Span::seconds(5),
    retries: 3,
    start_period: Span::seconds(20),
};

fn between(low: Span, high: Span) -> Quantiles {
    Quantiles::uniform(low.as_nanos(), high.as_nanos())
}

fn exponential(mean: Span) -> Quantiles {
    #[expect(clippy::cast_precision_loss, reason = "means of tests are small")]
    Quantiles::exponential(mean.as_nanos() as f64)
}

// ---- quiet costs nothing

/// A service of so many tasks with health checks, in a world where nothing goes wrong.
fn quiet(launch_type: LaunchType, tasks: u32, run_for: Span) -> Plan {
    // Eight tasks fit a machine.
    let machines = if launch_type == LaunchType::Ec2 { tasks.div_ceil(8) } else { 0 };
    let fixture = Fixture::new(run_for).pool("fleet", machines).service(
        "web",
        launch_type,
        tasks,
        Span::minutes(2),
        Some(PROBED),
    );
    fixture.plan
}

/// Events of a day are at most this many per task and machine, while they come up: the stages of a
/// launch, of a pull, of a start, and the wakes of those who hear of them.
const EVENTS_PER_OBJECT: u64 = 16;
/// Services say that they are steady every six hours.
const LOOKS_PER_DAY: u64 = 4;

#[test]
fn a_quiet_day_costs_what_there_is_and_not_how_long_it_lasts() {
    for launch_type in [LaunchType::Ec2, LaunchType::Fargate] {
        for tasks in [10, 100, 1000] {
            let [hour, day, week] = [1, 24, 168].map(|hours| {
                let ended = watched(&quiet(launch_type, tasks, Span::HOUR * hours), 1);
                assert_eq!(ended.counts.tasks, u64::from(tasks), "no task is ever replaced");
                ended.counts.events
            });
            let objects = u64::from(tasks + tasks.div_ceil(8) + 1);
            let what = format!(
                "{launch_type:?}, {tasks} tasks: {hour} in an hour, {day} in a day, {week} in a week"
            );
            assert!(day <= EVENTS_PER_OBJECT * objects, "{what}");
            assert!(day - hour <= LOOKS_PER_DAY, "{what}");
            assert!(week - hour <= LOOKS_PER_DAY * 7, "{what}");
        }
    }
}

// ---- beats are arithmetic

/// A day of everything that beats: probes that pass, fail and recover, ticks of services that have
/// work and of those that have none.
fn eventful() -> Fixture {
    Fixture::new(Span::HOUR * 6)
        .pool("fleet", 4)
        .service("web", LaunchType::Ec2, 6, Span::minutes(2), Some(PROBED))
        .behaves("web", |web| {
            web.start = between(Span::ZERO, Span::seconds(70));
            web.sickens = Some(exponential(Span::HOUR));
            web.passing_probe = Span::millis(300);
            web.failing_probe = Span::seconds(2);
            web.ignores_term = 300_000;
            web.shutdown = between(Span::ZERO, Span::seconds(50));
        })
        .service_in("side", NetworkMode::Bridge, LaunchType::Ec2, 5, Span::minutes(3), None)
        .behaves("side", |side| {
            side.pull_failure = 300_000;
            side.crashes = Some(Ending { after: exponential(Span::HOUR), code: 1, out_of_memory: false });
        })
        .service("far", LaunchType::Fargate, 4, Span::minutes(4), Some(PROBED))
        .behaves("far", |far| {
            far.crashes = Some(Ending { after: exponential(Span::HOUR), code: 137, out_of_memory: true });
            far.sickens = Some(exponential(Span::HOUR * 2));
        })
        .service("crowd", LaunchType::Ec2, 40, Span::minutes(30), None)
}

#[test]
fn beats_as_events_change_no_fact() {
    for seed in 1..=4 {
        let plain = watched(&eventful().plan, seed);
        for (every_beat, every_tick) in [(true, false), (false, true), (true, true)] {
            let mut beating = eventful().plan;
            beating.world.host.every_beat = every_beat;
            beating.ecs.scheduler.every_tick = every_tick;
            let beats = watched(&beating, seed);
            same_facts(
                &plain.digests,
                &beats.digests,
                &format!("seed {seed}, beats {every_beat}, ticks {every_tick}"),
            );
            assert!(beats.counts.events > plain.counts.events, "beats cost events");
        }
    }
}

fn same_facts(left: &Digests, right: &Digests, what: &str) {
    for (kind, name, _) in FactKind::ALL {
        assert_eq!(left.of(kind), right.of(kind), "{what}: facts of kind {name} differ");
    }
    assert_eq!(left.decisions(), right.decisions(), "{what}");
}

// ---- a swarm of random plans

#[derive(Clone, Debug)]
struct Workload {
    fargate: bool,
    mode: NetworkMode,
    size: u32,
    /// Minutes after the start.
    at: u64,
    health: bool,
    /// Mean minutes; 0 for never.
    crash: u64,
    sick: u64,
    /// Parts per million.
    pull_failure: u32,
    ignores_term: u32,
    /// Seconds.
    shutdown: u64,
}

#[derive(Clone, Debug)]
struct Swarm {
    pools: Vec<u32>,
    services: Vec<Workload>,
    jobs: Vec<Workload>,
    launch_failure: u32,
    attach: u64,
    retention: u64,
    minutes: u64,
}

fn workload() -> impl Strategy<Value = Workload> {
    let mode = prop_oneof![Just(NetworkMode::Awsvpc), Just(NetworkMode::Bridge), Just(NetworkMode::Host)];
    let rare = prop_oneof![Just(0), 0..1_000_001_u32];
    let mean = prop_oneof![Just(0), 1..120_u64];
    let behaviour = (mean.clone(), mean, rare.clone(), rare, 0..60_u64);
    (any::<bool>(), mode, 0..14_u32, 0..20_u64, any::<bool>(), behaviour).prop_map(
        |(fargate, mode, size, at, health, (crash, sick, pull_failure, ignores_term, shutdown))| Workload {
            fargate,
            mode: if fargate { NetworkMode::Awsvpc } else { mode },
            size,
            at,
            health,
            crash,
            sick,
            pull_failure,
            ignores_term,
            shutdown,
        },
    )
}

fn swarm() -> impl Strategy<Value = Swarm> {
    (
        prop::collection::vec(0..4_u32, 0..6),
        prop::collection::vec(workload(), 0..5),
        prop::collection::vec(workload(), 0..4),
        prop_oneof![Just(0), 0..600_000_u32],
        prop_oneof![Just(4), 0..400_u64],
        prop_oneof![Just(3600), 0..100_u64],
        10..180_u64,
    )
        .prop_map(|(pools, services, jobs, launch_failure, attach, retention, minutes)| Swarm {
            pools,
            services,
            jobs,
            launch_failure,
            attach,
            retention,
            minutes,
        })
}

impl Workload {
    const fn launch_type(&self) -> LaunchType {
        if self.fargate { LaunchType::Fargate } else { LaunchType::Ec2 }
    }

    fn behave(&self, fixture: Fixture, name: &str) -> Fixture {
        fixture.behaves(name, |app| {
            app.pull_failure = self.pull_failure;
            app.ignores_term = self.ignores_term;
            app.shutdown = between(Span::ZERO, Span::seconds(self.shutdown));
            app.start = between(Span::ZERO, Span::seconds(30));
            if self.crash > 0 {
                let after = exponential(Span::minutes(self.crash));
                app.crashes = Some(Ending { after, code: 1, out_of_memory: false });
            }
            if self.sick > 0 {
                app.sickens = Some(exponential(Span::minutes(self.sick)));
            }
        })
    }
}

impl Swarm {
    fn plan(&self) -> Plan {
        let mut fixture = Fixture::new(Span::minutes(self.minutes));
        for (nth, &count) in self.pools.iter().enumerate() {
            fixture = fixture.pool(&format!("pool{nth}"), count);
        }
        for (nth, of) in self.services.iter().enumerate() {
            let (name, at) = (format!("service{nth}"), Span::minutes(of.at));
            let health = of.health.then_some(PROBED);
            fixture = fixture.service_in(&name, of.mode, of.launch_type(), of.size, at, health);
            fixture = of.behave(fixture, &name);
        }
        for (nth, of) in self.jobs.iter().enumerate() {
            let name = format!("job{nth}");
            let gaps = exponential(Span::seconds(10 + u64::from(of.size) * 10));
            let calls = Calls { at: Span::minutes(of.at), gaps, count: u64::MAX };
            let takes = between(Span::ZERO, Span::minutes(10));
            fixture = fixture.calls(&name, of.mode, of.launch_type(), calls, takes);
            fixture = of.behave(fixture, &name);
        }
        let mut plan = fixture.plan;
        plan.world.ec2.launch_failure = self.launch_failure;
        plan.ecs.interface_attach = between(Span::ZERO, Span::seconds(self.attach));
        plan.ecs.retention = Span::seconds(self.retention);
        plan
    }
}

/// Counts every task through its life, by facts alone.
#[derive(Debug, Default)]
struct Lives {
    placed: u64,
    stopping: u64,
    stopped: u64,
    /// CPU of tasks that are placed and do not stop, in 1/128,000 vCPU.
    reserved: i64,
    last: Timestamp,
}

impl Observer for Lives {
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        assert!(at >= self.last, "facts come in time order");
        self.last = at;
        let size = |task: &Task| plan.definitions[task.definition].reservation.cpu.parts();
        match fact {
            Fact::Placed { task, .. } => {
                self.placed += 1;
                self.reserved += size(task);
            }
            Fact::Stopping(task) => {
                self.stopping += 1;
                self.reserved -= size(task);
            }
            Fact::Stopped(task) => {
                self.stopped += 1;
                let times = task.times;
                assert!(times.stopping <= times.stopped, "{task:?} stops before it is stopped");
                assert!(task.stop.is_some(), "{task:?} stopped for a reason");
            }
            Fact::Arrived(_)
            | Fact::Refused { .. }
            | Fact::Pulling(_)
            | Fact::Started(_)
            | Fact::Ready(_)
            | Fact::MachineRunning(_)
            | Fact::Registered { .. }
            | Fact::MachineTerminated(_)
            | Fact::Said { .. }
            | Fact::Pod(_) => {}
        }
    }
}

fn measured(plan: &Plan, seed: u64) -> (Outcome, Lives) {
    let mut both = (Collector::new(plan, Span::minutes(1), true), Lives::default());
    let ended = run(plan, seed, &mut both);
    let (collector, lives) = both;
    (collector.finish(plan, seed, ended), lives)
}

/// The last point of a series.
fn last(points: &[i64]) -> i64 {
    points.last().copied().unwrap_or(0)
}

/// Runs a plan, adds up what happened, and runs it twice more.
fn holds(swarm: &Swarm, seed: u64) {
    let plan = swarm.plan();
    let (outcome, lives) = measured(&plan, seed);
    assert!(outcome.ended.complete);
    assert_eq!(outcome.ended.at, plan.end);
    let counts = outcome.measured.counts;
    assert_eq!((counts.placed, counts.stopped), (lives.placed, lives.stopped));
    assert!(lives.stopping >= lives.stopped && lives.placed >= lives.stopping);
    // Two books of the same facts, one by instance and one by task.
    let occupancy = &outcome.measured.occupancy;
    assert_eq!(last(occupancy.cpu.reserved.points()), lives.reserved);
    let open = u64::try_from(last(occupancy.tasks.points())).expect("never negative");
    assert_eq!(open, lives.placed - lives.stopped);
    for level in [&occupancy.cpu.stranded, &occupancy.running, &occupancy.memory.reserved] {
        assert!(level.points().iter().all(|&value| value >= 0));
    }
    // The same seed again; then with every beat an event.
    assert_eq!(watched(&plan, seed), outcome.ended);
    let mut beating = swarm.plan();
    beating.world.host.every_beat = true;
    beating.ecs.scheduler.every_tick = true;
    same_facts(&watched(&beating, seed).digests, &outcome.ended.digests, "with every beat an event");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]
    #[test]
    fn random_plans_end_repeat_and_balance(swarm in swarm(), seed in any::<u64>()) {
        holds(&swarm, seed);
    }
}

/// Plans that once ran otherwise when beats were events.
#[test]
fn plans_that_once_did_not_hold_do() {
    const STEADY: Workload = Workload {
        fargate: true,
        mode: NetworkMode::Awsvpc,
        size: 4,
        at: 0,
        health: false,
        crash: 0,
        sick: 0,
        pull_failure: 0,
        ignores_term: 0,
        shutdown: 0,
    };
    const EMPTY: Swarm = Swarm {
        pools: Vec::new(),
        services: Vec::new(),
        jobs: Vec::new(),
        launch_failure: 0,
        attach: 4,
        retention: 3600,
        minutes: 10,
    };
    // Rows of forgotten tasks came free when the record was trimmed, every 64 events, and the row was
    // the order within an instant.
    let crashing = Workload { crash: 1, ..STEADY };
    let rows_reused = Swarm { services: vec![crashing], retention: 10, ..EMPTY };
    // A call in the instant of a tick was answered in another round of that instant.
    let sick = Workload { size: 6, at: 3, health: true, sick: 28, ..STEADY };
    let job = Workload { fargate: false, mode: NetworkMode::Bridge, size: 0, at: 14, ..STEADY };
    let in_one_instant =
        Swarm { pools: vec![1], services: vec![sick], jobs: vec![job], minutes: 15, ..EMPTY };
    let sick = Workload { size: 10, health: true, sick: 82, ..STEADY };
    let job = Workload { fargate: false, mode: NetworkMode::Bridge, size: 0, at: 4, ..STEADY };
    let at_the_start = Swarm { pools: vec![1], services: vec![sick], jobs: vec![job], ..EMPTY };
    let rows = [
        (rows_reused, 5_059_431_842_484_773_772),
        (in_one_instant, 4_456_589_505_432_813_318),
        (at_the_start, 11_063_020_059_184_822_013),
    ];
    for (swarm, seed) in rows {
        holds(&swarm, seed);
    }
}

#[test]
fn what_all_tasks_held_is_free_when_all_have_stopped() {
    let calls = |count| Calls { at: Span::minutes(3), gaps: exponential(Span::seconds(20)), count };
    let takes = || between(Span::seconds(5), Span::minutes(5));
    let fixture = Fixture::new(Span::HOUR * 3)
        .pool("fleet", 3)
        .calls("near", NetworkMode::Awsvpc, LaunchType::Ec2, calls(200), takes())
        .calls("bridge", NetworkMode::Bridge, LaunchType::Ec2, calls(200), takes())
        .calls("far", NetworkMode::Awsvpc, LaunchType::Fargate, calls(200), takes());
    let (outcome, lives) = measured(&fixture.plan, 1);
    assert!(lives.placed > 400, "{lives:?}");
    assert_eq!((lives.stopping, lives.stopped, lives.reserved), (lives.placed, lives.placed, 0));
    let occupancy = &outcome.measured.occupancy;
    for level in [&occupancy.cpu.reserved, &occupancy.memory.reserved, &occupancy.tasks, &occupancy.running] {
        assert_eq!(last(level.points()), 0);
    }
    let machines = i64::from(fixture.plan.pools[0].count);
    assert_eq!(last(occupancy.instances.points()), machines);
    let cpu = fixture.plan.definitions.classes[0].cpu.parts();
    assert_eq!(last(occupancy.cpu.capacity.points()), machines * cpu, "micro-VMs are gone");
}
