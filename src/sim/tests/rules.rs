//! The rules that live between the parts: what the driver does to a task, one row each.

use std::collections::BTreeSet;

use super::fixture::{Fixture, START};
use super::log;
use crate::base::mark::must_reach;
use crate::base::turn::Nobody;
use crate::base::{Bytes, Row, Span, Timestamp};
use crate::control::ecs::objects::{LaunchType, ManagedVolume, NetworkMode, VolumeKind};
use crate::engine::Quantiles;
use crate::sim::fact::{Fact, Observer};
use crate::sim::plan::Plan;
use crate::sim::simulation::Simulation;

/// One call at 5 minutes for one task that works for 10.
fn one_task(launch_type: LaunchType, mode: NetworkMode, change: impl FnOnce(&mut Plan)) -> Plan {
    let once = (Span::minutes(5), Span::HOUR, 1);
    let machines = u32::from(launch_type == LaunchType::Ec2);
    let fixture = Fixture::new(Span::HOUR).pool("fleet", machines);
    let mut plan = fixture.run_task("job", mode, launch_type, once, Span::minutes(10)).plan;
    change(&mut plan);
    plan
}

/// Runs a plan and compares what follows the first call.
fn check(marks: &[&str], plan: &Plan, expected: &str) {
    let facts = must_reach(marks, || log(plan));
    let from = facts.find("5m00s arrived").expect("the call comes");
    assert_eq!(&facts[from..], expected);
}

#[test]
fn an_interface_comes_first_and_goes_last() {
    let same = |_: &mut Plan| {};
    check(
        &["EN-03", "3.1/RUNNING", "3.1/DEPROVISIONING"],
        &one_task(LaunchType::Ec2, NetworkMode::Awsvpc, same),
        "\
5m00s arrived job-0
5m00s placed job-0 fleet-0
5m04s pulling job-0
5m10s started job-0
5m10s ready job-0
15m10s stopping job-0
15m15s stopped job-0 EssentialContainerExited
",
    );
    // Without one, neither costs time.
    check(
        &["3.1/RUNNING"],
        &one_task(LaunchType::Ec2, NetworkMode::Bridge, same),
        "\
5m00s arrived job-0
5m00s placed job-0 fleet-0
5m00s pulling job-0
5m06s started job-0
5m06s ready job-0
15m06s stopping job-0
15m06s stopped job-0 EssentialContainerExited
",
    );
    // The control plane waits 180 s; the task goes from PROVISIONING straight to its tear-down.
    check(
        &["EN-03", "TK-02", "3.1/DEPROVISIONING"],
        &one_task(LaunchType::Ec2, NetworkMode::Awsvpc, |plan| {
            plan.ecs.interface_attach = Quantiles::constant(Span::seconds(181).as_nanos());
        }),
        "\
5m00s arrived job-0
5m00s placed job-0 fleet-0
8m00s stopping job-0
8m05s stopped job-0 TaskFailedToStart
",
    );
}

#[test]
fn a_fargate_task_has_a_machine_of_its_own() {
    check(
        &["FG-01", "3.1/DEPROVISIONING"],
        &one_task(LaunchType::Fargate, NetworkMode::Awsvpc, |_| {}),
        "\
5m00s arrived job-0
5m00s placed job-0 fargate
5m18s pulling job-0
5m30s started job-0
5m30s ready job-0
15m30s stopping job-0
15m40s stopped job-0 EssentialContainerExited
",
    );
}

/// Ten seconds after the interface, where there is one.
#[test]
fn a_volume_takes_time_to_attach() {
    let with_volume = |plan: &mut Plan| {
        let volume = ManagedVolume {
            kind: VolumeKind::Gp3,
            size: Bytes::gib(10),
            iops: 3000,
            throughput: 125,
            deleted_with_task: true,
        };
        plan.definitions.volumes.push(volume);
        plan.definitions.requests[0].placing.volume = Some(Row::at(0));
    };
    let rows = [
        (LaunchType::Ec2, NetworkMode::Bridge, "5m10s pulling job-0"),
        (LaunchType::Ec2, NetworkMode::Awsvpc, "5m14s pulling job-0"),
        (LaunchType::Fargate, NetworkMode::Awsvpc, "5m28s pulling job-0"),
    ];
    for (launch_type, mode, pulling) in rows {
        let facts = must_reach(&["TD-52"], || log(&one_task(launch_type, mode, with_volume)));
        assert!(facts.contains(pulling), "{facts}");
    }
}

/// Every hour the same call with the same token: it brings a task once a day.
#[test]
fn a_call_made_again_brings_no_new_tasks() {
    let often = (Span::minutes(5), Span::HOUR, 48);
    for (token, tasks) in [(None, 48), (Some("nightly"), 2)] {
        let fixture = Fixture::new(Span::HOUR * 49).pool("fleet", 1);
        let takes = Span::minutes(10);
        let mut plan = fixture.run_task("job", NetworkMode::Bridge, LaunchType::Ec2, often, takes).plan;
        plan.definitions.requests[0].client_token = token.map(|token| plan.definitions.symbols.intern(token));
        let marks: &[&str] = if token.is_some() { &["RT-03"] } else { &[] };
        let facts = must_reach(marks, || log(&plan));
        for word in [" arrived ", " placed "] {
            assert_eq!(facts.lines().filter(|line| line.contains(word)).count(), tasks, "{facts}");
        }
    }
}

#[test]
fn an_instance_takes_tasks_as_soon_as_it_registers() {
    let call = |at| (Span::seconds(at), Span::HOUR, 1);
    for (at, is_placed) in [(60, false), (62, true)] {
        let fixture = Fixture::new(Span::minutes(3)).pool("fleet", 1).run_task(
            "job",
            NetworkMode::Bridge,
            LaunchType::Ec2,
            call(at),
            Span::HOUR,
        );
        let facts = must_reach(&["CI-01"], || log(&fixture.plan));
        assert!(facts.contains("1m01s registered fleet-0"), "{facts}");
        assert_eq!(facts.contains("placed job-0 fleet-0"), is_placed, "{facts}");
    }
}

/// Nobody asks.
struct Silent;

impl Observer for Silent {
    fn fact(&mut self, _: &Plan, _: Timestamp, _: &Fact<'_>) {}
}

/// When the first task was in the record: each second of a plan.
fn known(plan: &Plan) -> BTreeSet<u64> {
    let (mut observer, mut why) = (Silent, Nobody);
    let mut simulation = Simulation::new(plan, 1, &mut observer, &mut why);
    simulation.begin();
    let mut known = BTreeSet::new();
    while let Some((now, event)) = simulation.agenda.pop() {
        if now >= plan.end {
            break;
        }
        simulation.now = now;
        simulation.step(event);
        if simulation.record.task(Row::at(0)).is_some() {
            known.insert(now.since(START).whole_seconds_up());
        }
    }
    known
}

/// A task that stopped at 15m06s is known for as long as is said, here until the next thing happens.
#[test]
fn a_stopped_task_is_known_for_a_while() {
    let at = |count| (Span::minutes(5), Span::minutes(5), count);
    for (retention, last) in [(Span::minutes(8), 20 * 60), (Span::minutes(30), 45 * 60)] {
        let mut fixture = Fixture::new(Span::HOUR).pool("fleet", 1);
        fixture.plan.ecs.retention = retention;
        let plan = fixture
            .run_task("job", NetworkMode::Bridge, LaunchType::Ec2, at(1), Span::minutes(10))
            .run_task("tick", NetworkMode::Bridge, LaunchType::Ec2, at(10), Span::seconds(1))
            .plan;
        let known = must_reach(&["TK-03"], || known(&plan));
        let of_arrivals: Vec<u64> = known.into_iter().filter(|second| second % 300 == 0).collect();
        assert_eq!(of_arrivals.last(), Some(&last), "{of_arrivals:?}");
    }
}

/// Two tasks of a quarter vCPU fill half a vCPU; the third waits until one has stopped.
#[test]
fn a_quota_of_vcpus_refuses_tasks() {
    let mut plan = Fixture::new(Span::HOUR)
        .run_task(
            "job",
            NetworkMode::Awsvpc,
            LaunchType::Fargate,
            (Span::minutes(1), Span::minutes(1), 30),
            Span::minutes(9),
        )
        .plan;
    let placed = |plan: &Plan| log(plan).lines().filter(|line| line.contains(" placed ")).count();
    assert_eq!(placed(&plan), 30);
    plan.ecs.placement.fargate_vcpus = Some(1);
    let facts = must_reach(&["QT-01"], || log(&plan));
    // Four at once, each for 9 minutes 30 s and one second or so: at 1..4, 11..14, 21..24.
    let placed: Vec<&str> =
        facts.lines().filter(|line| line.contains(" placed ")).map(|line| &line[..5]).collect();
    assert_eq!(placed.len(), 12, "{facts}");
    assert_eq!(facts.lines().filter(|line| line.contains(" refused ")).count(), 18);
}
