//! The traps of section 15 that apply so far: what a naive scheduler gets wrong, one test each.

use serde_json::{Value, json};

use super::record::run;
use crate::base::mark::must_reach;
use crate::base::turn::Nobody;
use crate::base::{
    Bytes, Draw, Edit, EntityKey, Name, Percent, Purpose, Revision, Row, Symbols, Timestamp, Turn,
};
use crate::catalog::{self, InstanceType};
use crate::control::ecs::api::{RegisterTaskDefinition, read};
use crate::control::ecs::objects::{
    ContainerInstance, Definitions, InstanceClass, InstanceStatus, LaunchType, Placing, Subnet,
};
use crate::control::ecs::placement::{Placement, PlacementSettings, Refusal, Wanted};
use crate::control::ecs::service::Bounds;
use crate::control::ecs::service::SchedulerSettings;
use crate::control::ecs::task_definition::{Rules, register};

struct First;

impl Draw for First {
    fn draw(&mut self, _: Purpose, _: EntityKey, _: u32) -> u64 {
        0
    }
}

/// A document of one container, `app`.
fn document(task: Value, container: Value) -> Value {
    let mut document = json!({"family": "web", "containerDefinitions": [{"name": "app", "image": "nginx"}]});
    let fields = |from: Value, into: &mut Value| {
        for (name, value) in from.as_object().expect("fields") {
            into[name] = value.clone();
        }
    };
    fields(container, &mut document["containerDefinitions"][0]);
    fields(task, &mut document);
    document
}

fn catalogued(name: &str) -> &'static InstanceType {
    catalog::instance_type(name).expect("in the catalogue")
}

/// An instance of a type of the catalogue, as it registers.
fn class(definitions: &mut Definitions, of: &InstanceType, trunking: bool) -> InstanceClass {
    let zone = definitions.symbols.intern("zone-a");
    InstanceClass {
        instance_type: definitions.symbols.intern(of.name),
        zone,
        subnet: zone,
        capacity_provider: None,
        attributes: ["ecs.capability.task-eni", "ecs.capability.task-cpu-mem-limit"]
            .map(|name| (definitions.symbols.intern(name), None))
            .into(),
        cpu: of.cpu(),
        memory: of.registered_memory(Bytes::ZERO).expect("memory").value,
        gpus: 0,
        interfaces: of.awsvpc_tasks(trunking).value,
        reserved_ports: Box::default(),
        agent_version: zone,
    }
}

/// How many tasks of a document an empty instance of a type takes, and why not one more.
fn fits(document: &Value, on: &str, trunking: bool) -> (usize, Refusal) {
    let mut definitions = Definitions { symbols: Symbols::default(), ..Definitions::default() };
    let request = read::<RegisterTaskDefinition>(document).expect("well formed").request;
    let task = register(&request, 1, &mut definitions.symbols, &Rules::default()).expect("valid");
    definitions.tasks.push(task);
    let mut class = class(&mut definitions, catalogued(on), trunking);
    class.attributes.sort_unstable();
    let zone = class.zone;
    definitions.classes.push(class);
    let instance = ContainerInstance {
        key: EntityKey::new("instance", "i", 0),
        name: Name { of: zone, serial: 0 },
        class: Row::at(0),
        status: InstanceStatus::Active,
        agent_connected: true,
        registered_at: Timestamp::default(),
    };
    let mut placement = Placement::new(PlacementSettings::default());
    let edit = Edit { row: Row::at(0), revision: Revision(1), old: None, new: Some(&instance) };
    placement.observe_instance(edit, &definitions);
    let placing = Placing {
        launch_type: LaunchType::Ec2,
        strategies: Box::default(),
        constraints: Box::default(),
        subnets: [Subnet { id: zone, zone }].into(),
        public_address: false,
        volume: None,
    };
    for count in 0.. {
        let key = EntityKey::new("task", "web", count as u64);
        let wanted = Wanted {
            task_definition: Row::at(0),
            placing: &placing,
            group: zone,
            for_service: false,
            key,
            attempt: 0,
        };
        let mut turn = Turn { now: Timestamp::default(), draw: &mut First, why: &mut Nobody };
        if let Err(rejection) = placement.place(&mut turn, &definitions, &wanted) {
            return (count, rejection.closest.expect("the instance refuses").1);
        }
    }
    unreachable!("an instance is full some time")
}

fn check(marks: &[&str], document: &Value, on: &str, trunking: bool, expected: (usize, Refusal)) {
    assert_eq!(must_reach(marks, || fits(document, on, trunking)), expected, "{document} on {on}");
}

fn script(marks: &[&str], script: &str, expected: &str) {
    let log = must_reach(marks, || run(script, SchedulerSettings::default()).log());
    assert_eq!(log, expected, "{script}");
}

/// A limit of 2 GiB with a reservation of 256 MiB takes 256 MiB; what the task says goes before both.
#[test]
fn trap_01_reservation_is_not_the_limit() {
    let none = || json!({});
    let both = || json!({"memory": 2048, "memoryReservation": 256});
    // An m4.large registers 7985 MiB.
    check(&["TD-11"], &document(none(), both()), "m4.large", false, (31, Refusal::Memory));
    check(&["TD-11"], &document(none(), json!({"memory": 2048})), "m4.large", false, (3, Refusal::Memory));
    let task = document(json!({"memory": "4096"}), both());
    check(&["TD-11"], &task, "m4.large", false, (1, Refusal::Memory));
}

/// An instance of 8 GiB registers less, so a task of 8 GiB does not fit.
#[test]
fn trap_02_registered_memory_is_less_than_advertised() {
    let of = |mib: u32| document(json!({}), json!({"memory": mib}));
    for (mib, count) in [(8192, 0), (7986, 0), (7985, 1)] {
        check(&["CI-11", "CI-12"], &of(mib), "m4.large", false, (count, Refusal::Memory));
    }
}

/// Without a load balancer and a check a task counts 40 s after RUNNING, which it reaches at second 3.
#[test]
fn trap_04_a_task_without_checks_counts_after_40_seconds() {
    script(&["5.4/no no"], "1 instances 4vcpu; service web 1; run 100", "1: +web-0 [start 1]; 50: [steady]");
    script(
        &["5.4/no yes"],
        "1 instances 4vcpu; service web 1 checked; run 100",
        "1: +web-0 [start 1]; 7: [steady]",
    );
}

/// `max` counts tasks that are PENDING, and 100/100 cannot start first.
#[test]
fn trap_05_min_rounds_up_max_rounds_down() {
    let bounds = |desired, min, max| {
        let bounds = must_reach(&["SVC-11"], || Bounds::of(desired, Percent(min), Percent(max)));
        (bounds.lower, bounds.upper)
    };
    assert_eq!([bounds(3, 100, 125), bounds(2, 75, 100), bounds(10, 33, 133)], [(3, 3), (2, 2), (4, 13)]);
    // Upper is 3 of 2: one replacement at a time, though it still pulls.
    script(
        &["SVC-22"],
        "1 instances 8vcpu; service web 2 checked max 150; run 20; pull 30; sicken web-0; sicken web-1; run 25",
        "1: +web-0 +web-1 [start 2]; 7: [steady]; 21: +web-2 [start 1 for 1]",
    );
}

/// With min below 100 an unhealthy task stops before its replacement counts; with 100 it waits.
#[test]
fn trap_06_min_below_100_stops_first() {
    let of = |min: u32| {
        format!(
            "1 instances 4vcpu; service web 2 checked max 100 min {min}; run 20; sicken web-0; sicken web-1; \
             run 4"
        )
    };
    script(
        &["SVC-22"],
        &of(0),
        "1: +web-0 +web-1 [start 2]; 7: [steady]; 21: !web-0 [stop 0]; 22: +web-2 [start 1 for 1]; \
         23: !web-1 [stop 1]; 24: +web-3 [start 1 for 1]",
    );
    script(
        &["SVC-22"],
        &of(100),
        "1: +web-0 +web-1 [start 2]; 7: [steady]; 21: !web-0 [stop 0]; 22: +web-2 [start 1 for 1]",
    );
}

/// A task that reached RUNNING and crashed is started again at full speed; one that never did is not.
#[test]
fn trap_08_a_crash_loop_is_not_throttled() {
    let starts = |script: &str| run(script, SchedulerSettings::default()).log().matches('+').count();
    assert_eq!(starts("1 instances 4vcpu; crash after 1; service web 1; run 300"), 100);
    let throttled =
        must_reach(&["SVC-61", "SVC-62"], || starts("1 instances 4vcpu; pulls fail; service web 1; run 300"));
    assert_eq!(throttled, 6);
}

/// Its tasks stay, nothing replaces them, and nothing new goes there.
#[test]
fn trap_16_a_disconnected_agent_keeps_its_tasks() {
    script(
        &["AG-01"],
        "1 instances 8vcpu; service web 2; run 60; disconnect i-0; run 1000; call job 1; run 1",
        "1: +web-0 +web-1 [start 2]; 50: [steady]; 1060: xjob-0",
    );
}

/// An m5.large runs 2 awsvpc tasks without a trunk and 10 with; a t3.large never gets one. Dynamic
/// ports block nothing, static ports do.
#[test]
fn trap_17_awsvpc_density_is_bound_by_interfaces() {
    let small = || json!({"memory": 16});
    let awsvpc = document(json!({"networkMode": "awsvpc"}), small());
    check(&["EN-01"], &awsvpc, "m5.large", false, (2, Refusal::Interface));
    check(&["EN-01"], &awsvpc, "m5.large", true, (10, Refusal::Interface));
    for trunking in [false, true] {
        check(&["EN-04"], &awsvpc, "t3.large", trunking, (2, Refusal::Interface));
    }
    let ports =
        |host: u32| json!({"memory": 1024, "portMappings": [{"containerPort": 80, "hostPort": host}]});
    check(&["TD-41"], &document(json!({}), ports(0)), "m4.large", false, (7, Refusal::Memory));
    check(&["TD-40"], &document(json!({}), ports(8080)), "m4.large", false, (1, Refusal::Ports));
}
