//! The order of section 4.6, one row per rule.

use crate::base::mark::must_reach;
use crate::base::{Bytes, Cpu, Draw, EntityKey, Purpose, Row};
use crate::control::ecs::objects::{LaunchType, TaskStatus};
use crate::control::ecs::placement::PlacementSettings;
use crate::control::ecs::placement::stop::{FargateStop, StopSettings, Stoppable, StoppableSeat, stop_order};

use super::cluster::Cluster;

/// Draws the numbers that the tasks bring, by the order of their creation.
struct Scripted(Vec<(EntityKey, u64)>);

impl Draw for Scripted {
    fn draw(&mut self, purpose: Purpose, key: EntityKey, n: u32) -> u64 {
        assert_eq!((purpose, n), (Purpose::StopChoice, 0));
        self.0.iter().find(|(known, _)| *known == key).expect("a task of the test").1
    }
}

/// Stops up to `count` tasks. Each is `zone instance words...`: `p` protected, `w` waits, `u` unhealthy,
/// `o` of an old deployment, `d` on a draining instance, `=N` its draw, `left=N` units left on its
/// instance, `gives=N` units it gives back, `memory=N` MiB left there.
fn check(
    rules: &[&str],
    settings: StopSettings,
    strategies: &[&str],
    tasks: &[&str],
    count: usize,
    order: &[usize],
) {
    must_reach(rules, || {
        let mut cluster = Cluster::new(PlacementSettings::default());
        let fargate = strategies == ["fargate"];
        let mut request = cluster.request(0, 0);
        if fargate {
            request.placing.launch_type = LaunchType::Fargate;
        } else {
            request.placing.strategies = cluster.strategies(strategies);
        }
        let mut draws = Scripted(Vec::new());
        let mut listed = Vec::new();
        for (created, text) in tasks.iter().enumerate() {
            let (task, draw) = stoppable(&mut cluster, created as u64, text, fargate);
            draws.0.push((task.key, draw));
            listed.push(task);
        }
        let found = stop_order(&settings, &cluster.definitions, &request.placing, &listed, count, &mut draws);
        assert_eq!(found, order, "{strategies:?} {tasks:?}");
    });
}

fn stoppable(cluster: &mut Cluster, created: u64, text: &str, fargate: bool) -> (Stoppable, u64) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let has = |word| words[2..].contains(&word);
    let number = |name: &str| {
        let found = words[2..].iter().find_map(|word| word.strip_prefix(name));
        found.map_or(0, |number| number.parse().expect("a number"))
    };
    let attributes = [format!("rack={}", words[0])];
    let class = cluster.class(words[0], 4096, 4096, &[&attributes[0]]);
    let seat = StoppableSeat {
        instance: Row::at(words[1].parse().expect("an instance")),
        class,
        draining: has("d"),
        cpu_left: Cpu::ecs_units(number("left=")),
        memory_left: Bytes::mib(number("memory=")),
        cpu: Cpu::ecs_units(number("gives=")),
        memory: Bytes::mib(number("gives=")),
    };
    let task = Stoppable {
        key: EntityKey::new("task", "web", created),
        created,
        status: if has("w") { TaskStatus::Pending } else { TaskStatus::Running },
        unhealthy: has("u"),
        protected: has("p"),
        old_deployment: has("o"),
        zone: cluster.symbol(words[0]),
        seat: (!fargate).then_some(seat),
    };
    (task, number("=").unsigned_abs())
}

#[test]
fn tasks_stop_in_order() {
    let usual = StopSettings::default();
    let zone = &["spread zone"][..];
    check(&["4.6/1"], usual, zone, &["a 0 p", "a 0 =2", "b 1 p"], 9, &[1]);
    check(&["4.6/2"], usual, zone, &["a 0", "a 0 w", "b 1 w u", "b 1"], 2, &[2, 1]);
    check(&["4.6/3"], usual, zone, &["a 0", "a 0", "b 1 u", "a 0 w"], 2, &[3, 2]);
    check(&["4.6/draining"], usual, zone, &["a 0 w", "a 0 u", "b 1 d", "b 1"], 3, &[2, 0, 1]);
    check(&["4.6/draining"], usual, zone, &["a 0 d =1", "a 0 d u =2", "b 1 d w", "b 1 w"], 4, &[2, 1, 0, 3]);
    check(&["4.6/5"], usual, zone, &["a 0 =1", "a 0 o =2", "a 0 =0", "b 1 o"], 3, &[1, 2, 3]);
    let strong = StopSettings { weak_first: false, ..usual };
    check(&["4.6/4"], strong, zone, &["a 0 =1", "a 0 =2", "b 1 w u =0"], 1, &[0]);
    check(&[], usual, zone, &["a 0", "a 0"], 0, &[]);
    check(&[], usual, zone, &[], 3, &[]);
}

#[test]
fn the_strategy_keeps_its_balance() {
    let usual = StopSettings::default();
    // 14.6: a has three, b two; then both have two, and the draws decide, and so on.
    let tasks = &["a 0 =5", "a 1 =4", "a 2 =6", "b 3 =1", "b 4 =2"];
    check(&["4.6/4"], usual, &["spread zone"], tasks, 5, &[1, 3, 0, 4, 2]);
    // Tasks that must not stop count: zone a has three, two of them under protection.
    check(
        &["4.6/1"],
        usual,
        &["spread zone"],
        &["a 0 p", "a 0 p", "a 0 =9", "b 1 =1", "b 1 =2"],
        3,
        &[2, 3, 4],
    );
    // The default and a chain: the fullest zone, then its fullest instance.
    let tasks = &["a 0 =0", "a 1 =8", "a 1 =9", "b 2 =1", "b 2 =2"];
    check(&["4.6/4", "PL-13"], usual, &[], tasks, 2, &[1, 3]);
    check(&["4.6/4"], usual, &["spread zone", "spread instanceId"], tasks, 4, &[1, 3, 0, 4]);
    check(&["4.6/4"], usual, &["spread rack"], tasks, 1, &[0]);
    check(&["4.6/4"], usual, &["spread instanceId"], tasks, 2, &[3, 1]);
    // 14.6: where most is left after the stop, however much it was before.
    let tasks = &["a 0 left=500 gives=200 =1", "b 1 left=700 gives=200 =2"];
    check(&["4.6/4"], usual, &["binpack cpu"], tasks, 2, &[1, 0]);
    let tasks = &["a 0 left=600 gives=100", "b 1 left=500 gives=400"];
    check(&["4.6/4"], usual, &["binpack cpu"], tasks, 1, &[1]);
    let tasks = &["a 0 memory=600 gives=100", "b 1 memory=500 gives=400 left=0"];
    check(&["4.6/4"], usual, &["binpack memory"], tasks, 1, &[1]);
    // A stop leaves room, so the next one is on the same instance.
    let tasks = &["a 0 left=300 gives=200 =1", "a 0 left=300 gives=200 =3", "b 1 left=400 gives=200 =2"];
    check(&["4.6/4"], usual, &["binpack cpu"], tasks, 3, &[2, 0, 1]);
    let tasks = &["a 0 left=500 gives=200 =1", "a 0 left=500 gives=200 =3", "b 1 left=550 gives=100 =2"];
    check(&["4.6/4"], usual, &["binpack cpu"], tasks, 3, &[0, 1, 2]);
    let tasks =
        &["a 0 memory=500 gives=200 =1", "a 0 memory=500 gives=200 =3", "b 1 memory=650 gives=200 =2"];
    check(&["4.6/4"], usual, &["binpack memory"], tasks, 3, &[2, 0, 1]);
    // Random: the draws alone.
    check(&["4.2/random"], usual, &["random"], &["a 0 =3", "a 0 =1", "b 1 =2"], 3, &[1, 2, 0]);
}

#[test]
fn fargate_keeps_zones_even() {
    let usual = StopSettings::default();
    let tasks = &["a 0 =0", "a 0 =9", "b 0 =1", "a 0 o =9"];
    check(&["4.6/6", "4.6/5"], usual, &["fargate"], tasks, 4, &[3, 1, 2, 0]);
    let random = StopSettings { fargate: FargateStop::Random, ..usual };
    check(&["4.6/6"], random, &["fargate"], &["a 0 =0", "a 0 =9", "b 0 =1"], 3, &[0, 2, 1]);
}
