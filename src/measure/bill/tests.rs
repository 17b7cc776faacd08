//! Bills by hand, and a whole bill computed a second time in another way.

use super::{Bill, Component, Meter};
use crate::base::mark::must_reach;
use crate::base::{Bytes, Cpu, Row, Span, Timestamp};
use crate::catalog::fargate::{self, Platform};
use crate::catalog::{instance_type, region};
use crate::control::ecs::objects::{FargateShape, LaunchType, ManagedVolume, NetworkMode, VolumeKind};
use crate::measure::Collector;
use crate::measure::collector::Measured;
use crate::measure::spent::spent;
use crate::sim::plan::Plan;
use crate::sim::run;
use crate::sim::tests::fixture::{Fixture, START};
use crate::sim::tests::pods::Cluster;

/// A plan whose first class costs what an m5.large costs, with the rates of all Fargate platforms.
fn plan() -> Plan {
    let mut plan = Fixture::new(Span::HOUR).pool("fleet", 1).plan;
    let m5 = instance_type("m5.large").expect("a type");
    plan.rates.instances[0] = region("us-east-1").and_then(|region| region.on_demand(m5)).expect("a price");
    let platforms = [Platform::LinuxX86_64, Platform::LinuxArm64, Platform::WindowsX86_64];
    let rates = |of| (of, *fargate::rates("us-east-1", of).expect("listed"));
    plan.rates.fargate = platforms.map(rates).into();
    plan
}

/// Section 14.9: seconds started count, and a minute at least.
#[test]
fn machines_cost_what_they_run() {
    let plan = plan();
    let name = plan.pools[0].name;
    let rows = [
        (Span::ZERO, "0.0016"),
        (Span::seconds(30), "0.0016"),
        (Span::seconds(45), "0.0016"),
        (Span::seconds(60), "0.0016"),
        (Span::from_nanos(60_000_000_001), "0.0016266667"),
        (Span::seconds(61), "0.0016266667"),
        (Span::HOUR, "0.096"),
    ];
    for (ran, cost) in rows {
        let bill = must_reach(&["PR-10"], || {
            let mut meter = Meter::default();
            meter.bill_machine(name, Row::at(0), ran);
            meter.finish(&plan, START)
        });
        assert_eq!(bill.of(Component::Compute).to_string(), cost, "{ran}");
    }
}

/// Section 14.9: from the first pull to the end, by the size and the platform.
#[test]
fn fargate_costs_what_it_runs() {
    let plan = plan();
    let name = plan.pools[0].name;
    let shape = |units, mib| FargateShape {
        cpu: Cpu::ecs_units(units),
        memory: Bytes::mib(mib),
        ephemeral: Bytes::gib(20),
        arm64: false,
        windows: false,
    };
    let small = shape(256, 512);
    let arm = FargateShape { arm64: true, ..shape(4096, 8192) };
    let windows = FargateShape { windows: true, ..shape(1024, 2048) };
    let stores = FargateShape { ephemeral: Bytes::gib(120), ..small };
    let rows = [
        (small, Span::HOUR, "0.0123425"),
        (arm, Span::seconds(90), "0.00395"),
        (small, Span::seconds(60), "0.0002057084"),
        (small, Span::seconds(30), "0.0002057084"),
        (small, Span::ZERO, "0.0002057084"),
        (small, Span::millis(60_001), "0.0002091368"),
        // A vCPU 0.09148 + 0.046, 2 GB 0.0201; at least 5 minutes.
        (windows, Span::HOUR, "0.15758"),
        (windows, Span::seconds(30), "0.0131316666"),
        // 100 GB above what is included.
        (stores, Span::HOUR, "0.0234425"),
    ];
    for (shape, ran, cost) in rows {
        let bill = must_reach(&["PR-01", "PR-02"], || {
            let mut meter = Meter::default();
            meter.bill_task(name, shape, false, ran);
            meter.finish(&plan, START)
        });
        assert_eq!(bill.total().to_string(), cost, "{shape:?} for {ran}");
    }
}

/// From the placement to the end of the task, by the size and what is ordered beyond what is included.
#[test]
fn volumes_cost_what_they_live() {
    let gp3 = ManagedVolume {
        kind: VolumeKind::Gp3,
        size: Bytes::gib(100),
        iops: 3000,
        throughput: 125,
        deleted_with_task: true,
    };
    let fast = ManagedVolume { iops: 4000, throughput: 225, ..gp3 };
    let rows = [
        (gp3, Span::HOUR * 730, "8"),
        (gp3, Span::seconds(1), "0.0001826484"),
        (gp3, Span::millis(60_001), "0.0001856925"),
        (fast, Span::HOUR * 730, "17"),
        (ManagedVolume { kind: VolumeKind::Gp2, ..gp3 }, Span::HOUR * 730, "10"),
        (ManagedVolume { kind: VolumeKind::Io1, iops: 1000, ..gp3 }, Span::HOUR * 730, "77.5"),
        (ManagedVolume { kind: VolumeKind::St1, ..gp3 }, Span::HOUR * 730, "4.5"),
        (ManagedVolume { kind: VolumeKind::Sc1, ..gp3 }, Span::HOUR * 730, "1.5"),
    ];
    for (volume, lived, cost) in rows {
        let mut plan = plan();
        plan.definitions.volumes.push(volume);
        let name = plan.pools[0].name;
        let bill = must_reach(&["TD-51"], || {
            let mut meter = Meter::default();
            meter.bill_volume(name, Row::at(0), lived);
            meter.finish(&plan, START)
        });
        assert_eq!(bill.of(Component::Storage).to_string(), cost, "{volume:?} for {lived}");
    }
}

/// A task that is placed at 5 minutes and works for 10 pays for its volume until it has stopped; for one
/// that stays, to the end of the hour.
#[test]
fn a_volume_is_paid_until_it_is_deleted() {
    for (deleted_with_task, lived) in [(true, Span::millis(616_000)), (false, Span::minutes(55))] {
        let once = (Span::minutes(5), Span::HOUR, 1);
        let takes = Span::minutes(10);
        let fixture = Fixture::new(Span::HOUR).pool("fleet", 1);
        let mut plan = fixture.run_task("job", NetworkMode::Bridge, LaunchType::Ec2, once, takes).plan;
        let volume = ManagedVolume {
            kind: VolumeKind::Gp3,
            size: Bytes::gib(1),
            iops: 3000,
            throughput: 125,
            deleted_with_task,
        };
        plan.definitions.volumes.push(volume);
        plan.definitions.requests[0].placing.volume = Some(Row::at(0));
        let measured = must_reach(&["TD-51", "TD-52"], || {
            let mut collector = Collector::new(&plan, Span::HOUR, true);
            let ended = run(&plan, 1, &mut collector);
            collector.finish(&plan, 1, ended).measured
        });
        let used =
            measured.bill.lines.iter().find(|line| line.what == "EBS gp3").map(|line| line.usage.amount);
        assert_eq!(used, Some(u128::from(lived.as_nanos()) << 30));
    }
}

/// A line as one fraction: what it costs in 1e-10 USD times `per`.
#[derive(Clone, Copy)]
struct Fraction {
    cost: i128,
    per: i128,
}

impl Fraction {
    /// The nearest whole number, and the even one of two.
    fn rounded(self) -> i128 {
        let (twice, whole) = (2 * self.cost, self.cost.div_euclid(self.per));
        match (twice - 2 * whole * self.per).cmp(&self.per) {
            std::cmp::Ordering::Less => whole,
            std::cmp::Ordering::Greater => whole + 1,
            std::cmp::Ordering::Equal => whole + whole % 2,
        }
    }
}

/// Started seconds, at least a minute.
fn billed_seconds(from: Timestamp, until: Timestamp) -> i128 {
    (i128::from(until.since(from).as_nanos()) + 999_999_999).div_euclid(1_000_000_000).max(60)
}

/// Every line that costs something, from the rows alone: newest rows first, in hours, units and MiB.
fn again(plan: &Plan, measured: &Measured, end: Timestamp) -> Vec<(String, Component, i128)> {
    let mut lines: Vec<(String, Component, Fraction)> = Vec::new();
    let mut add = |of: &str, component, cost: i128, per: i128| {
        let same = lines
            .iter_mut()
            .find(|(name, kind, line)| (name.as_str(), *kind, line.per) == (of, component, per));
        match same {
            Some((_, _, line)) => line.cost += cost,
            None => lines.push((of.to_owned(), component, Fraction { cost, per })),
        }
    };
    let text = |symbol| plan.definitions.symbols.text(symbol);
    for task in measured.tasks.iter().rev() {
        let (pulled, times) = (task.times.pull_started, task.times);
        if task.launch_type != LaunchType::Fargate || pulled == Timestamp::NEVER {
            continue;
        }
        let until = [times.execution_stopped, times.stopped, end].into_iter().min().expect("three");
        let seconds = billed_seconds(pulled, until);
        let shape = plan.definitions[task.definition].fargate.expect("a size");
        let (_, rates) = plan.rates.fargate(&shape);
        let rate = |rate: crate::catalog::Rate| i128::from(rate.price.value.nanos10());
        let units = i128::from(shape.cpu.ecs_units_up());
        let mib = i128::from(shape.memory.mib_down());
        add(text(task.name.of), Component::Memory, seconds * mib * rate(rates.memory), 1024 * 3600);
        add(text(task.name.of), Component::Compute, seconds * units * rate(rates.cpu), 1024 * 3600);
    }
    if plan.kubernetes.is_some() {
        let lasted = i128::from(end.as_nanos()) - i128::from(plan.start.as_nanos());
        add("", Component::ControlPlane, lasted * 1_000_000_000, 3600 * 1_000_000_000);
    }
    for machine in measured.machines.iter().rev().filter(|machine| machine.running != Timestamp::NEVER) {
        let seconds = billed_seconds(machine.running, machine.terminated.min(end));
        let rate = |rate: crate::catalog::Rate| i128::from(rate.price.value.nanos10());
        let gib = i128::from(plan.rates.root_volume_size.mib_down()) / 1024;
        let volume = seconds * gib * rate(plan.rates.root_volume);
        add(text(machine.name.of), Component::Storage, volume, 730 * 3600);
        let hourly = rate(plan.rates.instances[machine.class.index()]);
        add(text(machine.name.of), Component::Compute, seconds * hourly, 3600);
    }
    let mut rounded: Vec<_> =
        lines.into_iter().map(|(of, component, line)| (of, component, line.rounded())).collect();
    rounded.sort();
    rounded
}

fn as_printed(plan: &Plan, bill: &Bill) -> Vec<(String, Component, i128)> {
    let costs = bill.lines.iter().filter(|line| line.usage.amount > 0);
    let mut lines: Vec<_> = costs
        .map(|line| {
            let of = line.of.map_or("", |of| plan.definitions.symbols.text(of)).to_owned();
            (of, line.component, line.amount.nanos10())
        })
        .collect();
    lines.sort();
    lines
}

/// Nodes and the control plane, to the nanosecond; a node of no price stands on no bill.
#[test]
fn the_bill_of_a_cluster_is_the_same_another_way() {
    let wants = serde_json::json!({"containers": [{"name": "c", "image": "app:1"}]});
    let mut plan =
        Cluster::new(Span::millis(7_201_577), 5).pods("web", Span::SECOND, 3, &wants, (None, None)).plan();
    plan.kubernetes.as_mut().expect("a cluster").nodes[4].billed = false;
    let mut collector = Collector::new(&plan, Span::HOUR, true);
    let ended = run(&plan, 1, &mut collector);
    let end = ended.at;
    let measured = collector.finish(&plan, 1, ended).measured;
    let expected = again(&plan, &measured, end);
    assert_eq!(as_printed(&plan, &measured.bill), expected);
    assert_eq!(expected.len(), 3, "compute, storage, control plane");
    assert_eq!(measured.bill.of(Component::ControlPlane).to_string(), "0.2000438056");
    let running = measured.machines.iter().filter(|row| row.running != Timestamp::NEVER).count();
    assert_eq!((measured.machines.len(), running), (5, 4));
    let line = measured.bill.lines.last().expect("a line");
    assert_eq!((line.rate.source, line.of), ("cortex 2022; infracost golden 2026", None));
    let spent = spent(&plan, &measured, Span::HOUR, end);
    let hours: i128 = expected.iter().map(|(_, _, amount)| amount).sum();
    assert!((i128::from(spent[2]) - hours).abs() * 1000 < hours, "{spent:?} of {hours}");
}

/// Tasks that end, tasks that go on, tasks that end within the first minute, machines to the end.
#[test]
fn the_bill_is_the_same_another_way() {
    let often = |at| (Span::seconds(at), Span::millis(37_013), 40);
    let fixture = Fixture::new(Span::millis(7_201_577))
        .pool("fleet", 5)
        .run_task("long", NetworkMode::Awsvpc, LaunchType::Fargate, often(3), Span::millis(611_007))
        .run_task("brief", NetworkMode::Awsvpc, LaunchType::Fargate, often(5), Span::millis(1_234))
        .run_task("on-machines", NetworkMode::Bridge, LaunchType::Ec2, often(90), Span::seconds(100))
        .service("web", LaunchType::Fargate, 7, Span::seconds(61), None)
        .service("db", LaunchType::Ec2, 2, Span::seconds(120), None);
    let plan = fixture.plan;
    for seed in 1..=3 {
        let mut collector = Collector::new(&plan, Span::HOUR, true);
        let ended = run(&plan, seed, &mut collector);
        let end = ended.at;
        let measured = collector.finish(&plan, seed, ended).measured;
        let expected = again(&plan, &measured, end);
        assert_eq!(as_printed(&plan, &measured.bill), expected);
        let total: i128 = expected.iter().map(|(_, _, amount)| amount).sum();
        assert_eq!(measured.bill.total().nanos10(), total);
        assert_eq!(expected.len(), 3 * 2 + 2, "three workloads on Fargate, one pool with volumes");
        assert!(measured.tasks.len() > 120);
    }
}
