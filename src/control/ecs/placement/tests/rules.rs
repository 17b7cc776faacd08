//! The rules of sections 4.1 to 4.5 and 4.7, one row each.

use crate::base::mark::must_reach;
use crate::base::{Bytes, Cpu, Edit, EntityKey, Name, Revision, Row, Symbol, Timestamp};
use crate::control::ecs::objects::{
    Constraint, ContainerInstance, Desired, Health, InstanceStatus, LaunchType, Reservation, Subnet, Task,
    TaskStatus, TaskTimes,
};
use crate::control::ecs::placement::{
    AbsentAttribute, Place, PlacementSettings, Refusal, Rejection, ReleaseOn, SubnetChoice, Tie,
};

use super::cluster::{Cluster, Request, expression, member_of, wanted};

/// The cluster of vector 14.6: i0 in a with 1024 units left and a task of the service, i1 in a with
/// 512, i2 in b with 1024.
fn vector() -> (Cluster, Request) {
    let mut cluster = Cluster::new(PlacementSettings::default());
    for (zone, cpu) in [("a", 1280), ("a", 512), ("b", 1024)] {
        let class = cluster.class(zone, cpu, 8192, &[]);
        cluster.register(class);
    }
    let request = cluster.request(256, 128);
    assert_eq!(cluster.place_on(&request, Row::at(0)), Ok(()));
    (cluster, request)
}

/// Places the request as often as there are expected answers, on the cluster of the vector.
fn check(
    rules: &[&str],
    strategies: &[&str],
    edit: impl FnOnce(&mut Cluster, &mut Request),
    on: &[Option<usize>],
) {
    must_reach(rules, || {
        let (mut cluster, mut request) = vector();
        request.placing.strategies = cluster.strategies(strategies);
        edit(&mut cluster, &mut request);
        let found: Vec<_> = on.iter().map(|_| cluster.on(&request)).collect();
        assert_eq!(found, on, "{strategies:?}");
        cluster.placement.recount();
    });
}

#[test]
fn strategies_choose() {
    let same = |_: &mut Cluster, _: &mut Request| {};
    let each_on = |on: &[usize]| on.iter().map(|&on| Some(on)).collect::<Vec<_>>();
    // 14.6: the default goes to zone b; then the zones are even, and i1 has no task yet.
    check(&["PL-13", "4.2/spread", "PL-10", "PL-03"], &[], same, &each_on(&[2, 1, 2, 0]));
    check(&["4.2/binpack", "PL-12"], &["binpack cpu"], same, &each_on(&[1, 1, 0]));
    // Memory: i0 has 128 MiB less than the others; binpack by CPU does not look at memory.
    check(&["PL-14"], &["binpack memory"], same, &each_on(&[0, 0, 0]));
    check(&["PL-15", "4.2/spread"], &["spread zone"], same, &each_on(&[2, 0, 2, 0]));
    check(&["4.2/spread"], &["spread instanceId"], same, &each_on(&[1, 2, 0, 1, 2, 0]));
    check(&["PL-15"], &["spread zone", "binpack memory"], same, &each_on(&[2, 0, 2, 0]));
    check(&["4.2/binpack"], &["binpack cpu", "binpack memory"], same, &each_on(&[1, 1, 0]));
    // A standalone task without a strategy: chance decides.
    for (draw, on) in [(0, 0), (u64::MAX / 2, 1), (u64::MAX, 2)] {
        let standalone = move |cluster: &mut Cluster, request: &mut Request| {
            request.for_service = false;
            cluster.draw = draw;
        };
        check(&["PL-13"], &[], standalone, &each_on(&[on]));
        let drawn = move |cluster: &mut Cluster, _: &mut Request| cluster.draw = draw;
        check(&["4.2/random"], &["random"], drawn, &each_on(&[on]));
    }
    // Chance among those that the strategies before it left; what stands behind it does nothing.
    let last = |cluster: &mut Cluster, _: &mut Request| cluster.draw = u64::MAX;
    check(&["4.2/random"], &["spread zone", "random", "binpack cpu"], last, &each_on(&[2, 2]));
    check(&["4.2/random"], &["binpack memory", "random"], last, &each_on(&[0]));
    // Strategies never make a placement fail: without the attribute all are one group.
    check(&["PL-11"], &["spread rack"], same, &each_on(&[0, 0]));
}

#[test]
fn a_group_is_counted_whoever_can_take_more() {
    // i0 has a task of the service, so zone a counts one although only i1 could take another.
    let full = |cluster: &mut Cluster, request: &mut Request| {
        cluster.change(Row::at(0), |instance| instance.status = InstanceStatus::Draining);
        request.for_service = true;
    };
    check(&["PL-10"], &["spread zone"], full, &[Some(2), Some(1)]);
    // A zone without a feasible instance is no group: all go to a.
    let gone = |cluster: &mut Cluster, _: &mut Request| {
        cluster.change(Row::at(2), |instance| instance.agent_connected = false);
    };
    check(&["4.2/spread"], &["spread zone"], gone, &[Some(0), Some(0)]);
    // Another group's tasks do not count.
    let other = |cluster: &mut Cluster, request: &mut Request| request.group = cluster.symbol("service:db");
    check(&["PL-10"], &["spread zone"], other, &[Some(0), Some(2)]);
}

#[test]
fn constraints_bind() {
    let with = |constraint: Constraint| {
        move |_: &mut Cluster, request: &mut Request| request.placing.constraints = [constraint].into()
    };
    let in_b = || member_of("attribute:ecs.availability-zone == b");
    let of_zone = |cluster: &mut Cluster| {
        for class in 0..3 {
            let zone = cluster.definitions.classes[class].zone;
            let name = cluster.symbol("ecs.availability-zone");
            cluster.definitions.classes[class].attributes = [(name, Some(zone))].into();
        }
    };
    check(
        &["4.3/memberOf"],
        &["binpack cpu"],
        |cluster, request| {
            of_zone(cluster);
            request.placing.constraints = [in_b()].into();
        },
        &[Some(2), Some(2)],
    );
    check(
        &["4.3/memberOf"],
        &["binpack cpu"],
        |cluster, request| {
            of_zone(cluster);
            let expression = expression("attribute:ecs.availability-zone == b");
            cluster.definitions.tasks[request.task.index()].constraints = [expression].into();
        },
        &[Some(2)],
    );
    // 14.6: the third task of the service goes to the last free instance, the fourth nowhere.
    check(&["4.3/distinctInstance"], &[], with(Constraint::DistinctInstance), &[Some(2), Some(1), None]);
    // Anti-affinity and affinity, evaluated with what was placed a moment ago (PL-25).
    let apart = with(member_of("not(task:group == service:web)"));
    check(&["4.3/memberOf"], &["binpack cpu"], apart, &[Some(1), Some(2), None]);
    let together = with(member_of("task:group == service:web"));
    check(&["4.3/memberOf"], &["binpack cpu"], together, &[Some(0), Some(0)]);
    let idle = with(member_of("runningTasksCount < 1"));
    check(&["4.3/memberOf"], &["binpack cpu"], idle, &[Some(1), Some(2), None]);
    let named = with(member_of("ec2InstanceId == pool-3 and agentVersion >= 1.0"));
    check(&["4.3/memberOf"], &["binpack cpu"], named, &[Some(2)]);
    let young = with(member_of("registeredAt > 1980-01-01"));
    check(&["4.3/memberOf"], &["binpack cpu"], young, &[None]);
}

#[test]
fn settings_say_what_aws_does_not() {
    let mut cluster = Cluster::new(PlacementSettings { tie: Tie::Random, ..PlacementSettings::default() });
    let class = cluster.class("a", 1024, 1024, &[]);
    for _ in 0..3 {
        cluster.register(class);
    }
    let mut request = cluster.request(128, 128);
    request.placing.strategies = cluster.strategies(&["spread instanceId"]);
    cluster.draw = u64::MAX;
    assert_eq!(
        [cluster.on(&request), cluster.on(&request), cluster.on(&request)],
        [Some(2), Some(1), Some(0)]
    );
    // Without the attribute: last, or counted like any other value.
    for (without_attribute, on) in
        [(AbsentAttribute::Last, [Some(1), Some(1)]), (AbsentAttribute::Counted, [Some(0), Some(1)])]
    {
        must_reach(if on[0] == Some(1) { &["PL-11", "PL-01"] } else { &["PL-10"] }, || {
            let settings = PlacementSettings { without_attribute, ..PlacementSettings::default() };
            let mut cluster = Cluster::new(settings);
            for attributes in [&[][..], &["rack=1"]] {
                let class = cluster.class("a", 1024, 1024, attributes);
                cluster.register(class);
            }
            let mut request = cluster.request(128, 128);
            request.placing.strategies = cluster.strategies(&["spread rack"]);
            assert_eq!([cluster.on(&request), cluster.on(&request)], on);
        });
    }
    // PL-01: a strategy that fits no instance refuses none.
    check(&["PL-01"], &["spread nowhere"], |_, _| {}, &[Some(0), Some(0), Some(0)]);
}

/// A cluster of one instance with everything scarce, the request, and why it is refused.
fn refused(
    rules: &[&str],
    edit: impl FnOnce(&mut Cluster, &mut Request),
    refusal: Refusal,
    numbers: [i64; 2],
) {
    must_reach(rules, || {
        let mut cluster = Cluster::new(PlacementSettings::default());
        let class = cluster.class("a", 1024, 1024, &["disk=ssd"]);
        let row = cluster.register(class);
        let mut request = cluster.request(512, 512);
        assert_eq!(cluster.on(&request), Some(0));
        edit(&mut cluster, &mut request);
        let rejection = cluster.place(&request).expect_err("nothing fits");
        let mut expected = Rejection::of(refusal);
        expected.closest = Some((row, refusal));
        assert_eq!(rejection, expected);
        assert_eq!(cluster.place_on(&request, row).is_err(), refusal != Refusal::Constraint);
        if refusal != Refusal::Constraint {
            assert_eq!(cluster.explained(&request), [(refusal.reason(), Some(0), numbers)]);
        }
        cluster.placement.recount();
    });
}

fn needs(cluster: &mut Cluster, request: &mut Request, reservation: Reservation) {
    request.task = cluster.task(reservation);
}

#[test]
fn reasons_are_told_apart() {
    let cpu = |units| Cpu::ecs_units(units);
    refused(&["AG-01"], |c, _| c.change(Row::at(0), |i| i.agent_connected = false), Refusal::Agent, [0, 0]);
    for attribute in ["gpu", "disk=hdd"] {
        let missing = |c: &mut Cluster, r: &mut Request| {
            let required = c.attribute(attribute);
            *r = c.request(0, 0);
            c.definitions.tasks[r.task.index()].required_attributes = [required].into();
        };
        refused(&["CI-20"], missing, Refusal::Attribute, [0, 0]);
    }
    let much = |c: &mut Cluster, r: &mut Request| *r = c.request(513, 0);
    refused(&["CI-10"], much, Refusal::Cpu, [cpu(513).parts(), cpu(512).parts()]);
    let much = |c: &mut Cluster, r: &mut Request| *r = c.request(512, 513);
    refused(&["CI-10"], much, Refusal::Memory, [Bytes::mib(513).bytes(), Bytes::mib(512).bytes()]);
    let reserved = |c: &mut Cluster, r: &mut Request| {
        needs(c, r, Reservation { ports: [22].into(), ..Reservation::default() });
    };
    refused(&["TD-40"], reserved, Refusal::Ports, [0, 0]);
    let gpu =
        |c: &mut Cluster, r: &mut Request| needs(c, r, Reservation { gpus: 1, ..Reservation::default() });
    refused(&["4.7/RESOURCE:GPU"], gpu, Refusal::Gpu, [1, 0]);
    let interfaces = |c: &mut Cluster, r: &mut Request| {
        needs(c, r, Reservation { interfaces: 3, ..Reservation::default() });
        r.placing.subnets = [c.subnet("s@a")].into();
    };
    refused(&["EN-01"], interfaces, Refusal::Interface, [3, 2]);
    let elsewhere = |c: &mut Cluster, r: &mut Request| {
        needs(c, r, Reservation { interfaces: 1, ..Reservation::default() });
        r.placing.subnets = [c.subnet("s@b")].into();
    };
    refused(&["4.7/LOCATION"], elsewhere, Refusal::Location, [0, 0]);
    let never = |_: &mut Cluster, r: &mut Request| {
        r.placing.constraints = [member_of("attribute:disk == hdd")].into();
    };
    refused(&["4.3/memberOf"], never, Refusal::Constraint, [0, 0]);
}

#[test]
fn reasons_are_spelled_as_the_api_does() {
    let rows = [
        ("4.7/AGENT", Refusal::Agent, "AGENT"),
        ("4.7/ATTRIBUTE", Refusal::Attribute, "ATTRIBUTE"),
        ("4.7/RESOURCE:CPU", Refusal::Cpu, "RESOURCE:CPU"),
        ("4.7/RESOURCE:MEMORY", Refusal::Memory, "RESOURCE:MEMORY"),
        ("4.7/RESOURCE:PORTS", Refusal::Ports, "RESOURCE:PORTS"),
        ("4.7/RESOURCE:GPU", Refusal::Gpu, "RESOURCE:GPU"),
        ("4.7/RESOURCE:ENI", Refusal::Interface, "RESOURCE:ENI"),
        ("4.7/LOCATION", Refusal::Location, "LOCATION"),
        (
            "4.7/MemberOf placement constraint unsatisfied.",
            Refusal::Constraint,
            "MemberOf placement constraint unsatisfied.",
        ),
        ("4.7/INACTIVE", Refusal::Inactive, "INACTIVE"),
        ("4.7/MISSING", Refusal::Missing, "MISSING"),
        ("4.7/NO ACTIVE INSTANCES", Refusal::NoActiveInstances, "NO ACTIVE INSTANCES"),
        ("PL-40", Refusal::NoInstances, "No Container Instances were found in your cluster."),
        ("4.7/RESOURCE:FARGATE", Refusal::Fargate, "RESOURCE:FARGATE"),
        ("4.7/RESOURCE:FARGATE", Refusal::FargateQuota, "RESOURCE:FARGATE"),
        ("4.7/RESOURCE:FARGATE", Refusal::FargateSize, "RESOURCE:FARGATE"),
        ("4.7/RESOURCE:FARGATE", Refusal::FargateMemory, "RESOURCE:FARGATE"),
    ];
    assert_eq!(rows.len(), Refusal::COUNT);
    for (rule, refusal, reason) in rows {
        must_reach(&[rule], || assert_eq!(refusal.reason(), reason));
    }
}

#[test]
fn clusters_without_takers_say_so() {
    let mut cluster = Cluster::new(PlacementSettings::default());
    let class = cluster.class("a", 1024, 1024, &[]);
    let request = cluster.request(128, 128);
    must_reach(&["PL-40"], || {
        assert_eq!(cluster.place(&request), Err(Rejection::of(Refusal::NoInstances)));
    });
    let row = cluster.register(class);
    cluster.change(row, |instance| instance.status = InstanceStatus::Draining);
    assert_eq!(cluster.place(&request), Err(Rejection::of(Refusal::NoActiveInstances)));
    must_reach(&["4.7/INACTIVE"], || assert_eq!(cluster.place_on(&request, row), Err(Refusal::Inactive)));
    cluster.change(row, |instance| instance.status = InstanceStatus::Inactive);
    assert_eq!(cluster.place(&request), Err(Rejection::of(Refusal::NoInstances)));
    must_reach(&["4.7/MISSING", "PL-16"], || {
        assert_eq!(cluster.place_on(&request, Row::at(9)), Err(Refusal::Missing));
    });
}

#[test]
fn the_closest_passes_the_most_checks() {
    must_reach(&["PL-41"], || {
        let mut cluster = Cluster::new(PlacementSettings::default());
        // Two fail CPU and memory, two fail CPU alone, of which the third has more of it left.
        for (cpu, memory) in [(100, 100), (900, 100), (300, 1024), (400, 1024), (400, 1024)] {
            let class = cluster.class("a", cpu, memory, &[]);
            cluster.register(class);
        }
        let request = cluster.request(1024, 1024);
        let rejection = cluster.place(&request).expect_err("nothing fits");
        assert_eq!(rejection.count(Refusal::Cpu), 5);
        assert_eq!(rejection.closest, Some((Row::at(3), Refusal::Cpu)));
        // One that is only too small in memory passes as many checks, and fails later.
        let class = cluster.class("a", 1024, 1, &[]);
        let row = cluster.register(class);
        let rejection = cluster.place(&request).expect_err("nothing fits");
        assert_eq!(rejection.closest, Some((row, Refusal::Memory)));
        assert_eq!((rejection.count(Refusal::Cpu), rejection.count(Refusal::Memory)), (5, 1));
    });
}

#[test]
fn explanations_name_every_instance() {
    let (mut cluster, mut request) = vector();
    request.placing.strategies = cluster.strategies(&["binpack cpu"]);
    cluster.change(Row::at(2), |instance| instance.agent_connected = false);
    let wanted = wanted(&request, 1);
    let refusals: Vec<_> = cluster.placement.refusals(&cluster.definitions, &wanted).collect();
    assert_eq!(refusals, [(Row::at(2), Refusal::Agent)]);
    assert_eq!(cluster.explained(&request), [("AGENT", Some(2), [0, 0]), ("chosen", Some(1), [0, 0])]);
    assert_eq!(cluster.place_on(&request, Row::at(2)), Err(Refusal::Agent));
}

#[test]
fn stopping_frees_resources_and_stopped_the_rest() {
    // 14.11: A fills the instance; it stops; B fits at once, C does not, though A still runs.
    must_reach(&["CI-14"], || {
        let mut cluster = Cluster::new(PlacementSettings::default());
        let class = cluster.class("a", 4096, 1000, &[]);
        let row = cluster.register(class);
        let (all, little) = (cluster.request(0, 1000), cluster.request(0, 100));
        assert_eq!(cluster.on(&all), Some(0));
        cluster.release(&all, row);
        assert_eq!(cluster.on(&all), Some(0));
        assert_eq!(cluster.place(&little).expect_err("full").closest, Some((row, Refusal::Memory)));
        cluster.forget(&all, row);
        assert_eq!(
            cluster.placement.headroom(&cluster.definitions, row),
            Some((Cpu::ecs_units(4096), Bytes::ZERO))
        );
        assert_eq!(cluster.placement.headroom(&cluster.definitions, Row::at(5)), None);
        cluster.placement.recount();
    });
    // Interfaces and the counts of distinctInstance wait for the end; ports and GPUs do not.
    let mut cluster = Cluster::new(PlacementSettings::default());
    let class = cluster.class("a", 4096, 1000, &[]);
    cluster.definitions.classes[0].gpus = 1;
    let row = cluster.register(class);
    let mut request = cluster.request(0, 0);
    let reservation = Reservation {
        gpus: 1,
        interfaces: 2,
        ports: [80].into(),
        ports_udp: [53].into(),
        ..Reservation::default()
    };
    request.task = cluster.task(reservation);
    request.placing.subnets = [cluster.subnet("s@a")].into();
    let mut distinct = cluster.request(0, 0);
    distinct.placing.constraints = [Constraint::DistinctInstance].into();
    assert_eq!(cluster.on(&request), Some(0));
    let closest = |cluster: &mut Cluster, request: &Request| {
        cluster.place(request).err().and_then(|rejection| rejection.closest).map(|(_, refusal)| refusal)
    };
    assert_eq!(closest(&mut cluster, &request), Some(Refusal::Ports));
    cluster.release(&request, row);
    assert_eq!(closest(&mut cluster, &request), Some(Refusal::Interface));
    assert_eq!(closest(&mut cluster, &distinct), Some(Refusal::Constraint));
    cluster.forget(&request, row);
    assert_eq!(cluster.on(&distinct), Some(0));
    assert_eq!(cluster.on(&request), Some(0));
}

fn task(request: &Request, instance: Option<Row<ContainerInstance>>, zone: Symbol) -> Task {
    let never = Timestamp::NEVER;
    Task {
        key: EntityKey::new("task", "web", 77),
        name: Name { of: request.group, serial: 77 },
        definition: request.task,
        group: request.group,
        service: None,
        launch_type: request.placing.launch_type,
        instance,
        zone,
        public_address: false,
        volume: None,
        desired: Desired::Running,
        status: TaskStatus::Running,
        health: Health::Unknown,
        stop: None,
        times: TaskTimes::created(never, never),
    }
}

#[test]
fn what_a_task_holds_goes_with_its_states() {
    use TaskStatus::{Deactivating, Deprovisioning, Running, Stopped, Stopping};
    // (setting, states in order, after which of them the CPU is free)
    let rows = [
        (ReleaseOn::Stopping, vec![Running, Deactivating, Stopping, Deprovisioning, Stopped], 2),
        (ReleaseOn::Stopping, vec![Running, Stopped, Stopped, Stopped, Stopped], 1),
        (ReleaseOn::DesiredStopped, vec![Running, Deactivating, Stopping, Deprovisioning, Stopped], 1),
        (ReleaseOn::Stopped, vec![Running, Deactivating, Stopping, Deprovisioning, Stopped], 4),
    ];
    for (release_on, states, free_after) in rows {
        must_reach(&["CI-14"], || {
            let mut cluster = Cluster::new(PlacementSettings { release_on, ..PlacementSettings::default() });
            let class = cluster.class("a", 1024, 1024, &[]);
            let row = cluster.register(class);
            let request = cluster.request(1024, 0);
            assert_eq!(cluster.on(&request), Some(0));
            let mut old = task(&request, Some(row), cluster.definitions.classes[0].zone);
            for (number, &status) in states.iter().enumerate() {
                let desired = if status == Running { Desired::Running } else { Desired::Stopped };
                let new = Task { desired, status, ..old };
                let edit = Edit { row: Row::at(0), revision: Revision(1), old: Some(&old), new: Some(&new) };
                cluster.placement.observe_task(edit, &cluster.definitions);
                let (cpu, _) = cluster.placement.headroom(&cluster.definitions, row).expect("known");
                assert_eq!(cpu == Cpu::ecs_units(1024), number >= free_after, "{release_on:?} {status}");
                cluster.placement.recount();
                old = new;
            }
            let gone = Edit { row: Row::at(0), revision: Revision(2), old: Some(&old), new: None };
            cluster.placement.observe_task(gone, &cluster.definitions);
        });
    }
}

#[test]
fn instances_come_and_go() {
    let mut cluster = Cluster::new(PlacementSettings::default());
    let class = cluster.class("a", 1024, 1024, &[]);
    let first = cluster.register(class);
    let second = cluster.register(class);
    let mut request = cluster.request(256, 0);
    request.placing.strategies = cluster.strategies(&["binpack cpu"]);
    // A task holds on while its instance leaves the record, and is forgotten after.
    assert_eq!(cluster.on(&request), Some(0));
    cluster.write(first, None);
    assert_eq!(cluster.on(&request), Some(1));
    cluster.release(&request, first);
    cluster.forget(&request, first);
    cluster.placement.recount();
    // The row goes to another instance, which registered last.
    cluster.register_at(first, class);
    let mut spread = cluster.request(256, 0);
    spread.group = cluster.symbol("service:other");
    assert_eq!([cluster.on(&spread), cluster.on(&spread), cluster.on(&spread)], [Some(1), Some(0), Some(1)]);
    cluster.write(Row::at(second.index()), None);
    assert_eq!(cluster.on(&spread), Some(0));
}

fn subnets(cluster: &mut Cluster, texts: &[&str]) -> Box<[Subnet]> {
    texts.iter().map(|text| cluster.subnet(text)).collect()
}

/// Places on Fargate as often as there are expected subnets.
fn check_fargate(
    rules: &[&str],
    settings: PlacementSettings,
    without: &[&str],
    asked: &[&str],
    given: &[&str],
) {
    must_reach(rules, || {
        let mut cluster = Cluster::new(settings);
        let mut request = cluster.request(256, 512);
        request.placing.launch_type = LaunchType::Fargate;
        request.placing.subnets = subnets(&mut cluster, asked);
        for zone in without {
            let zone = cluster.symbol(zone);
            cluster.placement.set_fargate_capacity(zone, false);
        }
        for expected in given {
            let expected = match *expected {
                "none" => Err(Rejection::of(Refusal::Fargate)),
                "quota" => Err(Rejection::of(Refusal::FargateQuota)),
                subnet => Ok(Place::Subnet(cluster.subnet(subnet))),
            };
            assert_eq!(cluster.place(&request), expected);
        }
        cluster.placement.recount();
    });
}

#[test]
fn fargate_balances_zones() {
    let settings = PlacementSettings::default();
    let three = ["s1@b", "s2@a", "s3@b"];
    check_fargate(&["PL-30"], settings, &[], &three, &["s1@b", "s2@a", "s3@b", "s2@a", "s1@b"]);
    check_fargate(&["PL-32"], settings, &["b"], &three, &["s2@a", "s2@a"]);
    check_fargate(&["PL-32", "FG-04"], settings, &["a", "b"], &three, &["none"]);
    let strict = PlacementSettings { fargate_tries_other_zones: false, ..settings };
    check_fargate(&["PL-30"], strict, &["b"], &three, &["none"]);
    check_fargate(&["PL-30"], strict, &["a"], &three, &["s1@b", "none"]);
    let first = PlacementSettings { subnet_choice: SubnetChoice::RequestOrder, ..settings };
    check_fargate(&["PL-30"], first, &[], &three, &["s1@b", "s2@a", "s1@b"]);
}

#[test]
fn callers_are_answered() {
    let rows = [
        (
            &["PL-40"][..],
            Rejection::of(Refusal::NoInstances),
            "InvalidParameterException: No Container Instances were found in your cluster.",
        ),
        (&["4.7/RESOURCE:CPU"], Rejection::of(Refusal::Cpu), "RESOURCE:CPU"),
    ];
    for (marks, rejection, answer) in rows {
        must_reach(marks, || assert_eq!(rejection.answer(), answer));
    }
    let mut several = Rejection::of(Refusal::Agent);
    several.counts[Refusal::Memory as usize] = 3;
    assert_eq!(several.answer(), "AGENT, 3 x RESOURCE:MEMORY");
    assert!(Refusal::ALL.iter().enumerate().all(|(at, &refusal)| refusal as usize == at));
}

#[test]
fn a_fargate_task_keeps_within_the_memory_of_one() {
    let settings =
        PlacementSettings { fargate_memory: Some(Bytes::mib(512)), ..PlacementSettings::default() };
    must_reach(&["4.7/The requested MEMORY configuration is above your limit."], || {
        let mut cluster = Cluster::new(settings);
        for (mib, refused) in [(512, false), (513, true)] {
            let mut request = cluster.request(256, mib);
            request.placing.launch_type = LaunchType::Fargate;
            request.placing.subnets = subnets(&mut cluster, &["s1@a"]);
            let expected = Err(Rejection::of(Refusal::FargateMemory));
            assert_eq!(cluster.place(&request) == expected, refused, "{mib} MiB");
        }
    });
}

/// Four tasks of a quarter vCPU make one; one that is STOPPING counts no more, one that runs does.
#[test]
fn fargate_keeps_the_vcpu_quota() {
    let settings = PlacementSettings { fargate_vcpus: Some(1), ..PlacementSettings::default() };
    check_fargate(&["QT-01"], settings, &[], &["s1@a"], &["s1@a", "s1@a", "s1@a", "s1@a", "quota", "quota"]);
    must_reach(&["QT-01"], || {
        let mut cluster = Cluster::new(settings);
        let mut large = cluster.request(1025, 512);
        large.placing.launch_type = LaunchType::Fargate;
        assert_eq!(cluster.place(&large), Err(Rejection::of(Refusal::FargateSize)));
        let mut request = cluster.request(1024, 512);
        request.placing.launch_type = LaunchType::Fargate;
        request.placing.subnets = subnets(&mut cluster, &["s1@a"]);
        let zone = request.placing.subnets[0].zone;
        let quota = Err(Rejection::of(Refusal::FargateQuota));
        cluster.place(&request).expect("within the quota");
        let mut placed = task(&request, None, zone);
        placed.key = EntityKey::new("task", "web", cluster.asked());
        let mut old = placed;
        for (status, is_free) in [
            (TaskStatus::Running, false),
            (TaskStatus::Stopping, true),
            (TaskStatus::Deprovisioning, false),
            (TaskStatus::Stopped, false),
        ] {
            let new = Task { status, ..old };
            let edit = Edit { row: Row::at(0), revision: Revision(1), old: Some(&old), new: Some(&new) };
            cluster.placement.observe_task(edit, &cluster.definitions);
            cluster.placement.recount();
            old = new;
            let answer = cluster.place(&request);
            assert_eq!(answer.is_ok(), is_free, "{status}");
            assert!(is_free || answer == quota);
        }
    });
}

#[test]
fn fargate_forgets() {
    let mut cluster = Cluster::new(PlacementSettings::default());
    let mut request = cluster.request(256, 512);
    request.placing.launch_type = LaunchType::Fargate;
    request.placing.subnets = subnets(&mut cluster, &["s1@a", "s2@b", "s3@a"]);
    let place = cluster.place(&request).expect("capacity");
    let wanted = wanted(&request, cluster.asked());
    assert_eq!(place, Place::Subnet(request.placing.subnets[0]));
    cluster.placement.withdraw(&cluster.definitions, &wanted, place);
    cluster.placement.recount();
    // The place is free again: zone a and the address in s1.
    assert_eq!(cluster.place(&request), Ok(place));
    // A task that stops leaves zone a, so a comes before b again.
    let mut old = task(&request, None, request.placing.subnets[0].zone);
    old.key = EntityKey::new("task", "web", cluster.asked());
    let new = Task { status: TaskStatus::Stopped, ..old };
    let edit = Edit { row: Row::at(0), revision: Revision(1), old: Some(&old), new: Some(&new) };
    cluster.placement.observe_task(edit, &cluster.definitions);
    assert_eq!(cluster.place(&request), Ok(place));
    let zone = request.placing.subnets[0].zone;
    cluster.placement.set_fargate_capacity(zone, false);
    assert_eq!(cluster.explained(&request), [("chosen", None, [0, 0])]);
    cluster.placement.set_fargate_capacity(request.placing.subnets[1].zone, false);
    assert_eq!(cluster.explained(&request), [("RESOURCE:FARGATE", None, [0, 0])]);
    cluster.placement.set_fargate_capacity(zone, true);
    assert_eq!(cluster.place(&request), Ok(Place::Subnet(request.placing.subnets[2])));
}
