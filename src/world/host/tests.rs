//! Scripts in, what the agent is told out; every script runs twice, with every probe as an event
//! and with only those that matter.
//!
//! A script is words `second:verb.sandbox.rest`: `pull.0.a` and `start.0.a.1` name an image (and a
//! restart), `stop.0.30` a grace, `drop.a` deletes an image, `shut` ends the machine. The answer is
//! words `second:what.sandbox`; `cached` is a failed pull with an older copy. The link carries 10
//! bytes a second, and a start takes 2 seconds.

use proptest::prelude::*;

use super::*;
use crate::base::mark::must_reach;
use crate::base::{Bytes, Symbols};
use crate::engine::Agenda;
use crate::world::WorldSettings;
use crate::world::registry::{Behaviour, Image, Layer};
use crate::world::settings::CallLimits;

const SECOND: u64 = 1_000_000_000;
const SANDBOXES: u32 = 6;
/// The sandbox whose container has a health check: every 10 s, 2 failures.
const WATCHED: u32 = 3;

/// Layers (digest, bytes) of the images that have any.
const LAYERS: [(&str, &[(u64, i64)]); 4] = [
    ("a", &[(1, 100), (2, 50)]),
    ("b", &[(1, 100), (3, 30)]),
    ("many", &[(11, 10), (12, 10), (13, 10), (14, 10)]),
    ("small", &[(21, 10)]),
];
/// Images without layers that come with the machine.
const BAKED: [&str; 7] = ["web", "deaf", "job", "crash", "memory", "slow", "broken"];

fn seconds(s: u64) -> Quantiles {
    Quantiles::constant(s * SECOND)
}

fn behaviour(image: &str) -> Behaviour {
    let mut behaviour = Behaviour { shutdown: seconds(3), ..Behaviour::steady() };
    let ending = |after, code, out_of_memory| Some(Ending { after: seconds(after), code, out_of_memory });
    match image {
        "deaf" => behaviour.ignores_term = 1_000_000,
        "job" => behaviour.ends = ending(20, 0, false),
        "crash" => {
            behaviour.ends = ending(20, 0, false);
            behaviour.crashes = ending(5, 1, false);
        }
        "memory" => behaviour.crashes = ending(5, KILLED, true),
        "slow" => {
            behaviour.start = seconds(12);
            behaviour.sickens = Some(seconds(60));
        }
        "broken" => behaviour.pull_failure = 1_000_000,
        _ => {}
    }
    behaviour
}

fn settings() -> HostSettings {
    let mut settings = WorldSettings::instant().host;
    settings.pull_rate_ec2 = Quantiles::constant(10);
    settings.pull_rate_fargate.half_vcpu = Quantiles::constant(10);
    settings.container_start = seconds(2);
    settings.sandbox = seconds(4);
    settings.container_start_prepared = seconds(1);
    settings
}

/// One machine, its agenda, and what its agent was told.
struct Bench {
    symbols: Symbols,
    hosts: Hosts,
    host: Row<Host>,
    told: Vec<(Timestamp, RuntimeEvent)>,
    events: u32,
}

#[derive(Clone, Copy)]
enum Item {
    Event(HostEvent),
    Command(RuntimeCommand),
    Shut,
}

impl Bench {
    fn new(
        settings: HostSettings,
        micro_vm: bool,
        life: Life,
        change: impl Fn(&str, &mut Behaviour),
    ) -> Self {
        let (mut symbols, mut registry) = (Symbols::default(), Registry::default());
        let without = BAKED.map(|name| (name, [].as_slice()));
        for (name, layers) in LAYERS.into_iter().chain(without) {
            let layer = |&(digest, bytes): &(u64, i64)| Layer { digest, compressed: Bytes::new(bytes) };
            let mut behaviour = behaviour(name);
            change(name, &mut behaviour);
            let layers = layers.iter().map(layer).collect();
            registry.push(symbols.intern(name), Image { layers, behaviour });
        }
        let mut hosts = Hosts::new(Luck::new(5), settings, registry);
        let baked = BAKED.map(|name| symbols.intern(name));
        let kind = if micro_vm {
            HostKind::MicroVm { cpu: Cpu::ecs_units(256), storage: Bytes::new(200) }
        } else {
            HostKind::Instance { baked: &baked }
        };
        let host = hosts.boot(at(0), EntityKey::new("instance", "pool", 0), kind);
        let check = HealthCheck {
            rhythm: Rhythm::AfterEach,
            successes: 1,
            interval: Span::seconds(10),
            timeout: Span::seconds(5),
            retries: 2,
            start_period: Span::ZERO,
        };
        for sandbox in 0..SANDBOXES {
            let health = (sandbox == WATCHED).then_some(check);
            let key = EntityKey::new("task", "web", u64::from(sandbox));
            let spec = ContainerSpec { image: baked[0], health };
            hosts.admit(host, SandboxId(sandbox), key, &[spec], life);
        }
        Bench { symbols, hosts, host, told: Vec::new(), events: 0 }
    }

    fn run(&mut self, items: &[(Timestamp, Item)], until: Timestamp) {
        let mut agenda = Agenda::starting_at(at(0));
        for &(at, item) in items {
            agenda.schedule(at, 9, 0, item);
        }
        let mut out = Effects::default();
        while let Some((now, item)) = agenda.pop().filter(|next| next.0 <= until) {
            match item {
                Item::Event(event) => {
                    self.events += 1;
                    self.hosts.happen(now, event, &mut out);
                }
                Item::Command(command) => self.hosts.obey(now, self.host, command, &mut out),
                Item::Shut => self.hosts.shut(self.host),
            }
            for (at, event) in out.later.drain(..) {
                let (rank, actor) = event.order();
                agenda.schedule(at, rank, actor, Item::Event(event));
            }
            self.told.extend(out.told.drain(..).map(|(_, event)| (now, event)));
        }
    }

    fn parse(&mut self, script: &str) -> Vec<(Timestamp, Item)> {
        let word = |word: &str| {
            let (second, rest) = word.split_once(':').expect("second:verb");
            let rest: Vec<&str> = rest.split('.').collect();
            let number = |i: usize| rest.get(i).map_or(0, |n| n.parse::<u32>().expect("a number"));
            let image = |symbols: &mut Symbols| symbols.intern(rest[2]);
            let command = match rest[0] {
                "pull" => RuntimeCommand::Pull {
                    container: id(number(1)),
                    image: image(&mut self.symbols),
                    attempt: number(3),
                },
                "start" => RuntimeCommand::Start {
                    container: id(number(1)),
                    image: image(&mut self.symbols),
                    restart: number(3),
                },
                "stop" => RuntimeCommand::Stop {
                    container: id(number(1)),
                    grace: Span::seconds(u64::from(number(2))),
                },
                "prepare" => RuntimeCommand::Prepare { sandbox: SandboxId(number(1)) },
                "remove" => RuntimeCommand::Remove { sandbox: SandboxId(number(1)) },
                "drop" => RuntimeCommand::RemoveImage { image: self.symbols.intern(rest[1]) },
                "shut" => return (at(second.parse().unwrap()), Item::Shut),
                verb => panic!("what is {verb}?"),
            };
            (at(second.parse().unwrap()), Item::Command(command))
        };
        script.split_whitespace().map(word).collect()
    }

    fn told(&self) -> String {
        let word = |&(at, event): &(Timestamp, RuntimeEvent)| {
            let (what, id) = match event {
                RuntimeEvent::Prepared { sandbox, ok } => {
                    ((if ok { "prepared" } else { "unprepared" }).into(), id(sandbox.0))
                }
                RuntimeEvent::Pulled { container, result: Pull::Done } => ("pulled".into(), container),
                RuntimeEvent::Pulled { container, result: Pull::Failed { cached } } => {
                    ((if cached { "cached" } else { "failed" }).into(), container)
                }
                RuntimeEvent::Started { container, ok } => {
                    ((if ok { "started" } else { "refused" }).into(), container)
                }
                RuntimeEvent::Exited { container, code, out_of_memory } => {
                    (format!("{}{code}", if out_of_memory { "oom" } else { "exit" }), container)
                }
                RuntimeEvent::Health { container, healthy } => {
                    ((if healthy { "healthy" } else { "unhealthy" }).into(), container)
                }
            };
            let whole = if at.as_nanos().is_multiple_of(SECOND) { "" } else { "+" };
            format!("{}{whole}:{what}.{}", at.as_nanos() / SECOND, id.sandbox.0)
        };
        self.told.iter().map(word).collect::<Vec<_>>().join(" ")
    }
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_nanos(second * SECOND)
}

fn id(sandbox: u32) -> ContainerId {
    ContainerId { sandbox: SandboxId(sandbox), index: 0 }
}

#[track_caller]
fn check_with(settings: &HostSettings, micro_vm: bool, life: Life, script: &str, expected: &str) {
    for every_beat in [false, true] {
        let settings = HostSettings { every_beat, ..settings.clone() };
        let mut bench = Bench::new(settings, micro_vm, life, |_, _| ());
        let items = bench.parse(script);
        bench.run(&items, at(500));
        assert_eq!(bench.told(), expected, "every beat an event: {every_beat}");
    }
}

#[track_caller]
fn check(script: &str, expected: &str) {
    check_with(&settings(), false, Life::AsImages, script, expected);
}

#[test]
fn a_prepared_sandbox_starts_its_containers_sooner() {
    check("0:start.0.web", "2:started.0");
    check("0:prepare.0 4:start.0.web", "4:prepared.0 5:started.0");
    check("0:prepare.0 4:prepare.0 8:start.0.web.1", "4:prepared.0 8:prepared.0 9:started.0");
    // One at a time; a sandbox that is removed or that nobody introduced is never there.
    check("0:prepare.0 1:prepare.0", "1:unprepared.0 4:prepared.0");
    check("0:prepare.0 1:remove.0 2:prepare.0", "1:unprepared.0 2:unprepared.0");
    check("0:prepare.0 1:shut", "");
}

#[test]
fn pulls() {
    check("0:pull.0.a", "15:pulled.0");
    // A layer that another container fetches is waited for; the link is shared.
    check("0:pull.0.a 0:pull.1.b", "18:pulled.0 18:pulled.1");
    check("0:pull.0.a 0:pull.1.a", "15:pulled.0 15:pulled.1");
    // Layers that are here cost nothing.
    must_reach(&["AG-21"], || check("0:pull.0.a 20:pull.1.a", "15:pulled.0 20:pulled.1"));
    check("0:pull.0.a 20:pull.1.b", "15:pulled.0 23:pulled.1");
    // Three layers of one pull at a time.
    check("0:pull.0.many 0:pull.1.small", "4:pulled.1 5:pulled.0");
    // Failures, with and without an older copy.
    check("0:pull.0.broken 1:pull.1.nowhere", "0:cached.0 1:failed.1");
    // A second pull of a container replaces the first.
    check("0:pull.0.a 5:pull.0.a", "5:failed.0 20:pulled.0");
}

#[test]
fn a_pull_that_ends_early_takes_only_its_own_layers_with_it() {
    check("0:pull.0.a 5:stop.0.9 7:pull.1.a", "5:failed.0 5:exit143.0 22:pulled.1");
    check("0:pull.0.a 0:pull.1.b 3:stop.0.9", "3:failed.0 3:exit143.0 14:pulled.1");
    check("0:pull.0.a 5:remove.0 7:pull.1.a", "5:failed.0 22:pulled.1");
}

#[test]
fn images_share_layers_until_the_last_is_removed() {
    let pulled = "18:pulled.0 18:pulled.1";
    let after = |script: &str, told: &str| {
        check(&format!("0:pull.0.a 0:pull.1.b {script}"), &format!("{pulled} {told}"));
    };
    after("20:drop.a 21:pull.2.a", "26:pulled.2");
    after("20:drop.a 20:drop.b 21:pull.2.b", "34:pulled.2");
    after("20:drop.a 20:drop.a 20:drop.nowhere 21:pull.2.b", "21:pulled.2");
    after("20:drop.a 21:start.2.a", "21:refused.2");
    check("0:pull.0.a 20:pull.1.a 21:drop.a 22:pull.2.a", "15:pulled.0 20:pulled.1 37:pulled.2");
    // A pull holds the layers that it found.
    check("0:pull.0.a 20:pull.1.b 21:drop.a 30:pull.2.a", "15:pulled.0 23:pulled.1 35:pulled.2");
}

#[test]
fn the_manifest_is_checked_first() {
    let settings = HostSettings { manifest_check: Span::SECOND, ..settings() };
    let check = |script, expected| check_with(&settings, false, Life::AsImages, script, expected);
    check("0:pull.0.a 20:pull.1.a", "16:pulled.0 21:pulled.1");
    check("0:pull.0.broken", "1:cached.0");
    check("0:pull.0.a 0:stop.0.1", "0:failed.0 0:exit143.0");
}

/// A call of the runtime that takes too long is given up, at once and for good.
#[test]
fn calls_are_given_up() {
    let limited = |limits: CallLimits, rule: &'static str, script: &str, expected: &str| {
        let settings = HostSettings { limits, ..settings() };
        must_reach(&[rule], || check_with(&settings, false, Life::AsImages, script, expected));
    };
    let pull = |seconds| CallLimits { pull: Span::seconds(seconds), ..CallLimits::default() };
    limited(pull(14), "AG-12", "0:pull.0.a", "14:failed.0");
    limited(pull(15), "AG-21", "0:pull.0.a", "15:pulled.0");
    limited(pull(16), "AG-12", "0:pull.0.a 0:pull.1.b", "16:failed.0 16:failed.1");
    // Who is given up leaves the link to the others, and may try again.
    limited(pull(16), "AG-12", "0:pull.0.a 2:pull.1.b", "16:failed.0 18:pulled.1");
    limited(pull(14), "AG-12", "0:pull.0.a 20:pull.0.a", "14:failed.0 34:failed.0");
    limited(pull(14), "AG-12", "0:pull.0.a 5:stop.0.1 6:pull.1.a", "5:failed.0 5:exit143.0 20:failed.1");
    // Create and start together, each with its minimum.
    let none = CallLimits { create: Span::ZERO, start: Span::ZERO, ..CallLimits::default() };
    for (takes, expected) in [(105, "105:started.0"), (106, "105:refused.0")] {
        let settings = HostSettings { limits: none, container_start: seconds(takes), ..settings() };
        let check = || check_with(&settings, false, Life::AsImages, "0:start.0.web", expected);
        must_reach(&["AG-12"], check);
    }
    let slow = HostSettings { container_start: seconds(421), ..settings() };
    check_with(&slow, false, Life::AsImages, "0:start.0.web", "420:refused.0");
    check_with(&slow, false, Life::AsImages, "0:start.0.web 9:stop.0.1", "9:refused.0 9:exit143.0");
    // Nine tries of ten seconds, and 13.64 s between them.
    let limits = CallLimits { manifest: Span::seconds(10), ..CallLimits::default() };
    for (takes, expected) in [(10, "25:pulled.0"), (11, "103+:failed.0")] {
        let settings = HostSettings { limits, manifest_check: Span::seconds(takes), ..settings() };
        let check = || check_with(&settings, false, Life::AsImages, "0:pull.0.a", expected);
        if takes > 10 { must_reach(&["AG-13"], check) } else { check() }
    }
}

/// Two hundred bytes hold two images that share a layer, and no third one.
#[test]
fn images_take_the_storage_of_a_task() {
    let check = |script, expected| check_with(&settings(), true, Life::AsImages, script, expected);
    must_reach(&["TD-33"], || {
        check("0:pull.0.a 20:pull.1.b 30:pull.2.many", "15:pulled.0 23:pulled.1 30:failed.2");
    });
    check("0:pull.0.a 20:pull.1.b 30:pull.2.small", "15:pulled.0 23:pulled.1 31:pulled.2");
    // What was given up takes nothing.
    check(
        "0:pull.0.a 5:stop.0.1 6:pull.1.b 20:pull.2.small",
        "5:failed.0 5:exit143.0 19:pulled.1 21:pulled.2",
    );
}

#[test]
fn a_micro_vm_has_no_images() {
    let check = |script, expected| check_with(&settings(), true, Life::AsImages, script, expected);
    must_reach(&["AG-23"], || check("0:pull.0.broken 0:start.0.web", "0:failed.0 0:refused.0"));
    check("0:pull.0.a", "15:pulled.0");
}

#[test]
fn starts_and_exits() {
    check("0:start.0.web", "2:started.0");
    check("0:start.0.a", "0:refused.0");
    check("0:start.0.web 1:start.0.web", "1:refused.0 2:started.0");
    check("0:start.0.job", "2:started.0 22:exit0.0");
    check("0:start.0.crash", "2:started.0 7:exit1.0");
    check("0:start.0.memory", "2:started.0 7:oom137.0");
    check("0:start.0.crash 10:start.0.crash.1", "2:started.0 7:exit1.0 12:started.0 17:exit1.0");
    // What is known beforehand goes before what the image says.
    let known = Life::Ends { container: 0, after: Span::seconds(9), code: 4, out_of_memory: false };
    check_with(&settings(), false, known, "0:start.0.crash", "2:started.0 11:exit4.0");
}

#[test]
fn stops() {
    let started = |script: &str, told: &str| check(script, &format!("2:started.0 {told}"));
    must_reach(&["TK-10"], || started("0:start.0.web 10:stop.0.30", "13:exit143.0"));
    started("0:start.0.web 10:stop.0.3", "13:exit143.0");
    started("0:start.0.web 10:stop.0.2", "12:exit137.0");
    started("0:start.0.web 10:stop.0.0", "10:exit137.0");
    started("0:start.0.deaf 10:stop.0.30", "40:exit137.0");
    // Its own end may come first; it does not come again.
    started("0:start.0.job 20:stop.0.30", "22:exit0.0");
    started("0:start.0.job 19:stop.0.30", "22:exit0.0");
    started("0:start.0.job 5:stop.0.30", "8:exit143.0");
    started("0:start.0.job 22:stop.0.30", "22:exit0.0 22:exit0.0");
    // One answer per stop; a second one can only shorten the grace.
    started("0:start.0.deaf 10:stop.0.30 15:stop.0.5", "20:exit137.0 20:exit137.0");
    started("0:start.0.deaf 10:stop.0.5 12:stop.0.60", "15:exit137.0 15:exit137.0");
    started("0:start.0.job 30:stop.0.5", "22:exit0.0 30:exit0.0");
    // Before it runs.
    check("0:stop.0.5", "0:exit143.0");
    check("0:start.0.web 1:stop.0.5", "1:refused.0 1:exit143.0");
}

#[test]
fn removals() {
    check("0:start.0.web 10:stop.0.30 20:remove.0 21:start.0.web", "2:started.0 13:exit143.0 21:refused.0");
    check("0:start.0.web 10:remove.0", "2:started.0 10:exit137.0");
    check("0:start.0.web 1:remove.0", "1:refused.0");
    check("0:start.0.deaf 10:stop.0.30 11:remove.0", "2:started.0 11:exit137.0");
    check("0:pull.9.web 0:start.9.web 0:stop.9.5 0:remove.9", "0:failed.9 0:refused.9 0:exit143.9");
    // A host that is gone is silent.
    check("0:start.3.slow 5:pull.0.a 6:shut 7:pull.1.a 8:remove.1 9:drop.a", "2:started.3");
}

#[test]
fn health() {
    check("0:start.3.slow", "2:started.3 22:healthy.3 72:unhealthy.3");
    check("0:start.3.slow 71:stop.3.30", "2:started.3 22:healthy.3 74:exit143.3");
    check("0:start.3.slow 72:stop.3.30", "2:started.3 22:healthy.3 72:unhealthy.3 75:exit143.3");
    // A probe does not see a container that exits at the same instant.
    check("0:start.3.job", "2:started.3 12:healthy.3 22:exit0.3");
    let known =
        |after| Life::Ends { container: 0, after: Span::seconds(after), code: 0, out_of_memory: false };
    check_with(&settings(), false, known(10), "0:start.3.web", "2:started.3 12:exit0.3");
    // A restart is watched anew; a container without a check is not.
    check("0:start.3.crash 10:start.3.web.1", "2:started.3 7:exit1.3 12:started.3 22:healthy.3");
    check("0:start.0.slow", "2:started.0");
    // the first probe may come sooner.
    let sooner = HostSettings { first_probe_after: Some(Span::seconds(1)), ..settings() };
    check_with(&sooner, false, Life::AsImages, "0:start.3.web", "2:started.3 3:healthy.3");
}

#[test]
fn a_healthy_day_is_no_event() {
    let mut bench = Bench::new(settings(), false, Life::AsImages, |_, _| ());
    let items = bench.parse("0:start.3.web");
    bench.run(&items, at(86_400));
    assert_eq!((bench.told().as_str(), bench.events), ("2:started.3 12:healthy.3", 2));
}

#[test]
fn a_draw_belongs_to_its_container() {
    let mut settings = settings();
    settings.container_start = Quantiles::lognormal(0.9163, 0.4, 1e9);
    let run = |script: &str| {
        let mut bench = Bench::new(settings.clone(), false, Life::AsImages, |_, behaviour| {
            behaviour.shutdown = Quantiles::lognormal(0.7, 1.0, 1e9);
            behaviour.pull_failure = 500_000;
        });
        let items = bench.parse(script);
        bench.run(&items, at(500));
        bench.told.retain(|(_, event)| event.sandbox() == SandboxId(0));
        bench.told
    };
    let alone = run("0:pull.0.web 0:start.0.web 30:stop.0.30");
    let crowded = run("0:pull.1.web 0:start.1.web 0:pull.0.web 0:start.0.web 9:stop.1.5 30:stop.0.30");
    assert_eq!(alone, crowded);
    assert_ne!(alone, run("0:pull.0.web 0:start.0.web.1 30:stop.0.30"), "a restart draws anew");
    let attempts: Vec<_> = (0..64).map(|attempt| run(&format!("0:pull.0.web.{attempt}"))[0].1).collect();
    let failed = attempts.iter().filter(|&&it| it != attempts[0]).count();
    assert!((16..48).contains(&failed), "each attempt has its own luck");
}

#[test]
fn the_link_is_drawn_once_per_machine() {
    let mut settings = settings();
    settings.pull_rate_ec2 = Quantiles::uniform(5, 5000);
    let mut hosts = Hosts::new(Luck::new(1), settings, Registry::default());
    let mut capacity = |ordinal| {
        let key = EntityKey::new("instance", "pool", ordinal);
        let host = hosts.boot(at(0), key, HostKind::Instance { baked: &[] });
        hosts.places[host].cache.capacity()
    };
    assert_eq!(capacity(1), capacity(1));
    assert_ne!(capacity(1), capacity(2));
}

#[test]
fn micro_vms_pull_by_size() {
    let mut settings = settings();
    let rates = &mut settings.pull_rate_fargate;
    rates.half_vcpu = Quantiles::constant(1);
    rates.one_vcpu = Quantiles::constant(2);
    rates.two_vcpus = Quantiles::constant(3);
    rates.more_vcpus = Quantiles::constant(4);
    let mut hosts = Hosts::new(Luck::new(1), settings, Registry::default());
    for (units, rate) in [(256, 1), (512, 1), (513, 2), (1024, 2), (2048, 3), (4096, 4), (32_768, 4)] {
        let kind = HostKind::MicroVm { cpu: Cpu::ecs_units(units), storage: Bytes::gib(20) };
        let host = hosts.boot(at(0), EntityKey::new("task", "web", 0), kind);
        assert_eq!(hosts.places[host].cache.capacity(), Bandwidth::per_second(rate), "{units} units");
    }
}

/// Any command to any of the sandboxes, at a whole second or a little after it.
fn commands() -> impl Strategy<Value = Vec<(u64, u32, u8, usize, u64)>> {
    let time = (0..200_u64, prop::sample::select(vec![0, 0, 1, 400_000_000]));
    let time = time.prop_map(|(second, nanos)| second * SECOND + nanos);
    let grace = prop::sample::select(vec![0, 1, 2, 30]);
    prop::collection::vec((time, 0..SANDBOXES, 0..11_u8, 0..11_usize, grace), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn beats_change_nothing_and_every_command_is_answered_once(commands in commands()) {
        let names: Vec<&str> = LAYERS.iter().map(|image| image.0).chain(BAKED).collect();
        let (mut prepares, mut pulls, mut starts, mut stops) = (0, 0, 0, 0);
        let runs = [false, true].map(|every_beat| {
            let settings = HostSettings { every_beat, ..settings() };
            let mut bench = Bench::new(settings, false, Life::AsImages, |_, _| ());
            (prepares, pulls, starts, stops) = (0, 0, 0, 0);
            let items = commands.iter().map(|&(nanos, sandbox, verb, image, grace)| {
                let (container, image) = (id(sandbox % 2 + WATCHED), bench.symbols.intern(names[image]));
                let command = match verb {
                    0..=2 => { pulls += 1; RuntimeCommand::Pull { container, image, attempt: 0 } }
                    3..=6 => { starts += 1; RuntimeCommand::Start { container, image, restart: 0 } }
                    7 | 8 => { stops += 1; RuntimeCommand::Stop { container, grace: Span::seconds(grace) } }
                    9 => { prepares += 1; RuntimeCommand::Prepare { sandbox: container.sandbox } }
                    _ if grace == 0 => RuntimeCommand::Remove { sandbox: container.sandbox },
                    _ => RuntimeCommand::RemoveImage { image },
                };
                (Timestamp::from_nanos(nanos), Item::Command(command))
            });
            let items: Vec<_> = items.collect();
            bench.run(&items, at(3000));
            let LinkUse { delivered, unused, carried } = bench.hosts.link_use(bench.host).unwrap();
            let capacity = bench.hosts.places[bench.host].cache.capacity().bytes();
            let seconds = u128::from(bench.hosts.places[bench.host].cache.touched_at().as_nanos());
            assert_eq!(delivered + unused + carried, u128::from(capacity) * seconds, "capacity × time");
            bench
        });
        let [beats, events] = runs;
        prop_assert_eq!(&beats.told, &events.told);
        let told = |kind: fn(&RuntimeEvent) -> bool| beats.told.iter().filter(|told| kind(&told.1)).count();
        prop_assert_eq!(told(|event| matches!(event, RuntimeEvent::Prepared { .. })), prepares);
        prop_assert_eq!(told(|event| matches!(event, RuntimeEvent::Pulled { .. })), pulls);
        prop_assert_eq!(told(|event| matches!(event, RuntimeEvent::Started { .. })), starts);
        let exits = told(|event| matches!(event, RuntimeEvent::Exited { .. }));
        prop_assert!(exits >= stops);
    }
}
