//! What is refused: every error of a document, in order. `c0` is the first container.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ec2, errors, fargate, merge, patched, request};
use crate::base::Symbols;
use crate::base::mark::must_reach;
use crate::control::ecs::api::{ErrorKind, RegisterTaskDefinition, read};
use crate::control::ecs::task_definition::{Rules, all_errors, register};

/// One row: an EC2 document with the task changed.
fn task(patch: Value, expected: &str, marks: &[&str]) {
    let document = patched(ec2(), patch, json!({}));
    assert_eq!(must_reach(marks, || errors(&document)), expected, "{document}");
}

/// One row: an EC2 document with its container changed.
fn container(patch: Value, expected: &str, marks: &[&str]) {
    let document = patched(ec2(), json!({}), patch);
    assert_eq!(must_reach(marks, || errors(&document)), expected, "{document}");
}

/// One row: a Fargate document with the task and its container changed.
fn on_fargate(task: Value, container: Value, expected: &str, marks: &[&str]) {
    let document = patched(fargate(), task, container);
    assert_eq!(must_reach(marks, || errors(&document)), expected, "{document}");
}

fn text(length: usize) -> String {
    "x".repeat(length)
}

#[test]
fn step_1_fields_of_the_task() {
    task(json!({}), "", &[]);
    task(json!({"family": null}), "I family", &["1.2/family", "1.8/1"]);
    task(json!({"family": ""}), "I family", &["1.2/family"]);
    task(json!({"containerDefinitions": []}), "I containerDefinitions", &["1.2/containerDefinitions"]);
    task(json!({"volumes": [{}]}), "I volumes[0].name", &[]);
    task(json!({"volumes": [{"name": ""}]}), "I volumes[0].name", &[]);
    let constraint = |patch: Value| json!({"placementConstraints": [patch]});
    let of = "1.2/placementConstraints";
    task(constraint(json!({"type": "memberOf", "expression": "agentConnected == true"})), "", &[]);
    task(constraint(json!({"expression": "x"})), "I placementConstraints[0].type", &[]);
    let distinct = constraint(json!({"type": "distinctInstance"}));
    task(distinct, "I placementConstraints[0].type", &[of, "4.3/task definition"]);
    task(constraint(json!({"type": "memberOf"})), "I placementConstraints[0].expression", &[of]);
    let empty = json!({"type": "memberOf", "expression": ""});
    task(constraint(empty), "I placementConstraints[0].expression", &[of]);
    let long = |length: usize| json!({"type": "memberOf", "expression": expression(length)});
    task(constraint(long(2000)), "", &[]);
    task(constraint(long(2001)), "I placementConstraints[0].expression", &[of, "PL-26"]);
    let many = |count: usize| json!({"placementConstraints": vec![long(30); count]});
    task(many(10), "", &[]);
    task(many(11), "I placementConstraints", &["PL-02"]);
    let refused = "C ephemeralStorage.sizeInGiB";
    for (size, expected) in [(20, refused), (21, ""), (200, ""), (201, refused)] {
        task(json!({"ephemeralStorage": {"sizeInGiB": size}}), expected, &["1.2/ephemeralStorage"]);
    }
    task(json!({"ephemeralStorage": {}}), "I ephemeralStorage.sizeInGiB", &["1.2/ephemeralStorage"]);
}

/// A valid expression of a length.
fn expression(length: usize) -> String {
    format!("attribute:a == {}", text(length - 15))
}

#[test]
fn step_1_tags() {
    let tags = |tags: Value| json!({"tags": tags});
    let tag = json!({"key": "k", "value": "v"});
    task(tags(json!(vec![tag.clone(); 50])), "", &["1.2/tags"]);
    task(tags(json!(vec![tag; 51])), "I tags", &["1.2/tags"]);
    task(tags(json!([{"key": text(128), "value": text(256)}])), "", &[]);
    task(tags(json!([{"value": "v"}, {"key": ""}])), "I tags[0].key, I tags[1].key", &["1.2/tags"]);
    task(tags(json!([{"key": text(129)}])), "I tags[0].key", &[]);
    task(tags(json!([{"key": "k", "value": text(257)}])), "I tags[0].value", &[]);
}

#[test]
fn step_1_fields_of_a_container() {
    container(json!({"name": null}), "I c0.name", &["1.3/name"]);
    container(json!({"name": ""}), "I c0.name", &["1.3/name"]);
    container(json!({"image": null}), "I c0.image", &["1.3/image"]);
    container(json!({"image": ""}), "I c0.image", &["1.3/image"]);
    container(json!({"startTimeout": -1}), "C c0.startTimeout", &[]);
    container(json!({"startTimeout": 0, "stopTimeout": 0}), "", &[]);
    container(json!({"startTimeout": i32::MAX, "stopTimeout": i32::MAX}), "", &[]);
    container(json!({"stopTimeout": -1}), "C c0.stopTimeout", &[]);
    container(json!({"credentialSpecs": ["a"]}), "", &[]);
    container(json!({"credentialSpecs": ["a", "b"]}), "C c0.credentialSpecs", &["1.3/privileged"]);
    container(json!({"logConfiguration": {}}), "I c0.logConfiguration.logDriver", &[]);
    container(json!({"logConfiguration": {"logDriver": "syslog"}}), "", &[]);
    container(json!({"dependsOn": [{"condition": "START"}]}), "I c0.dependsOn[0].containerName", &[]);
    container(json!({"mountPoints": [{}]}), "I c0.mountPoints[0].sourceVolume", &[]);
    container(json!({"volumesFrom": [{}]}), "I c0.volumesFrom[0].sourceContainer", &[]);
    container(json!({"secrets": [{"name": "a"}]}), "I c0.secrets[0].valueFrom", &[]);
    container(json!({"secrets": [{"valueFrom": "a"}]}), "I c0.secrets[0].name", &[]);
    container(json!({"extraHosts": [{"hostname": "a"}]}), "I c0.extraHosts[0].ipAddress", &[]);
    container(json!({"extraHosts": [{"ipAddress": "a"}]}), "I c0.extraHosts[0].hostname", &[]);
}

#[test]
fn step_1_ports() {
    let ports = |mapping: Value| json!({"portMappings": [mapping]});
    container(ports(json!({"containerPort": 65535, "hostPort": 65535})), "", &[]);
    container(ports(json!({"containerPort": 65536})), "C c0.portMappings[0].containerPort", &[]);
    container(ports(json!({"containerPort": -1})), "C c0.portMappings[0].containerPort", &[]);
    container(ports(json!({"containerPort": 1, "hostPort": 65536})), "C c0.portMappings[0].hostPort", &[]);
    container(ports(json!({"containerPort": 1, "hostPort": -1})), "C c0.portMappings[0].hostPort", &[]);
    container(ports(json!({})), "I c0.portMappings[0].containerPort", &[]);
    container(ports(json!({"containerPort": 1, "name": text(64)})), "", &[]);
    let named = ports(json!({"containerPort": 1, "name": text(65)}));
    container(named, "C c0.portMappings[0].name", &["1.3/portMappings"]);
    let range = "C c0.portMappings[0].containerPortRange";
    container(ports(json!({"containerPortRange": "8000-8010"})), "", &[]);
    container(ports(json!({"containerPortRange": "1-65535"})), "", &[]);
    container(ports(json!({"containerPortRange": "8-8"})), "", &[]);
    for bad in ["8010-8000", "0-10", "1-65536", "80", "", "-", "a-b", "1-2-3"] {
        container(ports(json!({"containerPortRange": bad})), range, &[]);
    }
    container(ports(json!({"containerPort": 1, "containerPortRange": "1-2"})), range, &[]);
    let host = json!({"containerPortRange": "1-2", "hostPort": 1});
    container(ports(host), "C c0.portMappings[0].hostPort", &[]);
    let ranges = |count: usize| json!({"portMappings": vec![json!({"containerPortRange": "1-2"}); count]});
    container(ranges(100), "", &[]);
    container(ranges(101), "C c0.portMappings", &["1.3/portMappings"]);
}

#[test]
fn step_1_health_check_and_restart_policy() {
    let check = |patch: Value| {
        let mut check = json!({"command": ["CMD", "true"]});
        merge(&mut check, patch);
        json!({"healthCheck": check})
    };
    container(check(json!({})), "", &[]);
    container(check(json!({"command": []})), "I c0.healthCheck.command", &["1.3/healthCheck"]);
    let rows = [("interval", 5, 300), ("timeout", 2, 60), ("retries", 1, 10), ("startPeriod", 0, 300)];
    for (field, least, most) in rows {
        let path = format!("C c0.healthCheck.{field}");
        container(check(json!({field: least})), "", &[]);
        container(check(json!({field: most})), "", &[]);
        container(check(json!({field: least - 1})), &path, &[]);
        container(check(json!({field: most + 1})), &path, &[]);
    }
    let policy = |patch: Value| {
        let mut policy = json!({"enabled": true});
        merge(&mut policy, patch);
        json!({"restartPolicy": policy})
    };
    container(policy(json!({})), "", &[]);
    container(policy(json!({"enabled": null})), "I c0.restartPolicy.enabled", &[]);
    container(policy(json!({"ignoredExitCodes": vec![0; 50]})), "", &[]);
    let codes = policy(json!({"ignoredExitCodes": vec![0; 51]}));
    container(codes, "C c0.restartPolicy.ignoredExitCodes", &["1.3/restartPolicy"]);
    for (period, expected) in [(59, "C c0.restartPolicy.restartAttemptPeriod"), (60, ""), (1800, "")] {
        container(policy(json!({"restartAttemptPeriod": period})), expected, &[]);
    }
    let late = policy(json!({"restartAttemptPeriod": 1801}));
    container(late, "C c0.restartPolicy.restartAttemptPeriod", &[]);
}

#[test]
fn step_1_environment_and_devices() {
    let file = |value: &str| json!({"value": value, "type": "s3"});
    let files = |files: Value| json!({"environmentFiles": files});
    container(files(json!(vec![file("arn:aws:s3:::b/a.env"); 10])), "", &[]);
    let many = files(json!(vec![file("a.env"); 11]));
    container(many, "C c0.environmentFiles", &["1.3/environmentFiles"]);
    let other = files(json!([file("a.txt")]));
    container(other, "C c0.environmentFiles[0].value", &["1.3/environmentFiles"]);
    container(files(json!([{"type": "s3"}])), "I c0.environmentFiles[0].value", &[]);
    container(files(json!([{"value": "a.env"}])), "I c0.environmentFiles[0].type", &[]);
    let device = |kind: &str, value: &str| json!({"resourceRequirements": [{"type": kind, "value": value}]});
    let of = &["1.3/resourceRequirements"][..];
    container(device("GPU", "1"), "", &[]);
    container(device("GPU", "16"), "", &[]);
    for bad in ["0", "-1", "1.5", "", "one", "65536"] {
        container(device("GPU", bad), "C c0.resourceRequirements[0].value", of);
    }
    container(device("InferenceAccelerator", "x"), "C c0.resourceRequirements[0].type", of);
    container(device("NeuronDevice", "ALL"), "C c0.resourceRequirements[0].type", of);
    container(json!({"resourceRequirements": [{}]}), "I c0.resourceRequirements[0].type", &[]);
    let no_value = json!({"resourceRequirements": [{"type": "GPU"}]});
    container(no_value, "I c0.resourceRequirements[0].value", &[]);
}

#[test]
fn step_1_linux_and_ulimits() {
    let linux = |patch: Value| json!({"linuxParameters": patch});
    let path = "c0.linuxParameters";
    let at = |kind: &str, field: &str| format!("{kind} {path}.{field}");
    container(linux(json!({"devices": [{}]})), &at("I", "devices[0].hostPath"), &[]);
    container(linux(json!({"devices": [{"hostPath": "/dev/x"}]})), "", &[]);
    container(linux(json!({"tmpfs": [{"size": 1}]})), &at("I", "tmpfs[0].containerPath"), &[]);
    container(linux(json!({"tmpfs": [{"containerPath": "/x"}]})), &at("I", "tmpfs[0].size"), &[]);
    container(linux(json!({"sharedMemorySize": -1})), &at("C", "sharedMemorySize"), &[]);
    container(linux(json!({"maxSwap": -1})), &at("C", "maxSwap"), &[]);
    container(linux(json!({"sharedMemorySize": 0, "maxSwap": 0, "swappiness": 100})), "", &[]);
    container(linux(json!({"swappiness": 101})), &at("C", "swappiness"), &[]);
    container(linux(json!({"swappiness": -1})), &at("C", "swappiness"), &[]);
    let limit =
        |soft: i32, hard: i32| json!({"ulimits": [{"name": "nofile", "softLimit": soft, "hardLimit": hard}]});
    container(limit(65535, 65535), "", &[]);
    container(limit(65536, 65535), "C c0.ulimits[0].softLimit", &["1.3/ulimits"]);
    container(limit(-1, 65535), "C c0.ulimits[0].softLimit", &["1.3/ulimits"]);
    container(limit(-1, -1), "", &[]);
    container(limit(1, -1), "", &[]);
    let missing = "I c0.ulimits[0].name, I c0.ulimits[0].softLimit, I c0.ulimits[0].hardLimit";
    container(json!({"ulimits": [{}]}), missing, &[]);
}

#[test]
fn steps_2_and_3_names_and_counts() {
    task(json!({"family": text(255)}), "", &[]);
    task(json!({"family": "Aa0_-"}), "", &[]);
    task(json!({"family": text(256)}), "C family", &["TD-05", "1.2/family", "1.8/2"]);
    task(json!({"family": "a b"}), "C family", &["TD-05"]);
    task(json!({"family": "a:1"}), "C family", &["TD-05"]);
    container(json!({"name": text(255)}), "", &[]);
    container(json!({"name": text(256)}), "C c0.name", &["1.3/name"]);
    container(json!({"name": "a.b"}), "C c0.name", &["1.3/name"]);
    let named = |names: &[&str]| {
        let containers = names.iter().map(|name| json!({"name": name, "image": "x", "memory": 64}));
        json!({"containerDefinitions": containers.collect::<Vec<_>>()})
    };
    task(named(&["a", "b", "a"]), "C containerDefinitions[2].name", &["1.3/name"]);
    let ports = json!({"portMappings": [
        {"containerPort": 1, "name": "p"}, {"containerPort": 2, "name": "p"}, {"containerPort": 3}, {"containerPort": 4},
    ]});
    container(ports, "C c0.portMappings[1].name", &["1.3/portMappings"]);
    task(json!({"volumes": [{"name": "v"}, {"name": "v"}]}), "C volumes[1].name", &["1.2/volumes"]);
    task(json!({"volumes": [{"name": "v v"}]}), "C volumes[0].name", &["1.2/volumes"]);
    let ten = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    task(named(&ten), "", &[]);
    let eleven = [&ten[..], &["k"]].concat();
    task(named(&eleven), "C containerDefinitions", &["TD-05", "1.2/containerDefinitions", "1.8/3"]);
    container(
        json!({"essential": false}),
        "C containerDefinitions",
        &["1.2/containerDefinitions", "1.3/essential"],
    );
    container(json!({"essential": true}), "", &["1.3/essential"]);
    let mut sidecar = named(&["a", "b"]);
    sidecar["containerDefinitions"][0]["essential"] = json!(false);
    task(sidecar, "", &[]);
}

#[test]
fn step_4_network_modes() {
    let row = |mode: &str, change: Value, expected: &str, marks: &[&str]| {
        let document = patched(ec2(), json!({"networkMode": mode}), change);
        assert_eq!(must_reach(marks, || errors(&document)), expected, "{document}");
    };
    let links = || json!({"links": ["db:db"]});
    row("bridge", links(), "", &["1.8/4"]);
    row("awsvpc", links(), "C c0.links", &["1.3/links"]);
    row("host", links(), "C c0.links", &["1.3/links"]);
    row("none", links(), "C c0.links", &["1.3/links"]);
    let ports = |host: Value| json!({"portMappings": [{"containerPort": 80, "hostPort": host}]});
    let none = json!({"portMappings": [{"containerPort": 80}]});
    row("none", none, "C c0.portMappings", &["1.2/networkMode"]);
    row("bridge", ports(json!(8080)), "", &[]);
    row("host", ports(json!(80)), "", &["TD-13"]);
    row("host", ports(json!(8080)), "C c0.portMappings[0].hostPort", &["TD-14"]);
    row("awsvpc", ports(json!(80)), "", &["TD-44"]);
    row("awsvpc", ports(json!(8080)), "C c0.portMappings[0].hostPort", &["TD-14"]);
    row("awsvpc", ports(json!(0)), "C c0.portMappings[0].hostPort", &["TD-14"]);
    let range = || json!({"portMappings": [{"containerPortRange": "1-2"}]});
    row("awsvpc", range(), "", &[]);
    row("host", range(), "C c0.portMappings[0].containerPortRange", &["1.3/portMappings"]);
    let names = || {
        json!({
            "hostname": "h", "extraHosts": [{"hostname": "a", "ipAddress": "b"}], "dnsServers": ["x"],
            "dnsSearchDomains": ["x"], "disableNetworking": true,
        })
    };
    row("bridge", names(), "", &[]);
    let all =
        "C c0.hostname, C c0.extraHosts, C c0.dnsServers, C c0.dnsSearchDomains, C c0.disableNetworking";
    row("awsvpc", names(), all, &["1.3/hostname"]);
    row("awsvpc", json!({"disableNetworking": false}), "", &[]);
}

#[test]
fn step_4_host_ports_are_mapped_once() {
    let ports = |mappings: Value| json!({"portMappings": mappings});
    let twice = json!([{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}]);
    container(ports(twice), "C c0.portMappings[1].hostPort", &["TD-13"]);
    let protocols = json!([
        {"containerPort": 80, "hostPort": 80},
        {"containerPort": 80, "hostPort": 80, "protocol": "udp"},
    ]);
    container(ports(protocols), "", &[]);
    let spelled = json!([
        {"containerPort": 80, "hostPort": 80},
        {"containerPort": 80, "hostPort": 80, "protocol": "tcp"},
    ]);
    container(ports(spelled), "C c0.portMappings[1].hostPort", &[]);
    container(ports(json!([{"containerPort": 80}, {"containerPort": 80, "hostPort": 0}])), "", &["TD-41"]);
    let host = json!({"networkMode": "host", "containerDefinitions": [
        {"name": "a", "image": "x", "memory": 64, "portMappings": [{"containerPort": 80}]},
        {"name": "b", "image": "x", "memory": 64, "portMappings": [{"containerPort": 80, "hostPort": 80}]},
    ]});
    task(host, "C containerDefinitions[1].portMappings[0].hostPort", &["TD-13"]);
}

#[test]
fn step_5_memory_and_cpu() {
    container(json!({"memory": null}), "C c0.memory", &["TD-10", "1.3/memory", "1.8/5"]);
    container(json!({"memory": null, "memoryReservation": 64}), "", &[]);
    let with_task = |task: Value, change: Value, expected: &str, marks: &[&str]| {
        let document = patched(ec2(), task, change);
        assert_eq!(must_reach(marks, || errors(&document)), expected, "{document}");
    };
    with_task(json!({"memory": "512"}), json!({"memory": null}), "", &[]);
    container(json!({"memory": 64, "memoryReservation": 63}), "", &[]);
    container(json!({"memory": 64, "memoryReservation": 64}), "C c0.memory", &["TD-10"]);
    container(json!({"memory": 6}), "", &[]);
    container(json!({"memory": 5}), "C c0.memory", &["TD-10"]);
    container(json!({"memory": 7, "memoryReservation": 5}), "C c0.memoryReservation", &["TD-10"]);
    container(json!({"cpu": 0}), "", &[]);
    container(json!({"cpu": -1}), "C c0.cpu", &["1.3/cpu"]);
    for (cpu, expected) in [("127", "C cpu"), ("128", ""), ("196608", ""), ("196609", "C cpu")] {
        task(json!({"cpu": cpu}), expected, &["1.2/cpu"]);
    }
    for (cpu, expected) in [(".25 vCPU", ""), ("192 vCPU", ""), ("many", "C cpu"), ("", "C cpu")] {
        task(json!({"cpu": cpu}), expected, &["1.2/cpu"]);
    }
    for (memory, expected) in
        [("512", ""), ("0.5GB", ""), ("1 GB", ""), ("0", "C memory"), ("1MB", "C memory")]
    {
        task(json!({"memory": memory}), expected, &["1.2/memory"]);
    }
    let range = json!({"cpu": "100", "requiresCompatibilities": ["EXTERNAL"]});
    task(range, "C cpu", &["1.2/cpu"]);
    with_task(json!({"cpu": "256"}), json!({"cpu": 256}), "", &[]);
    with_task(json!({"cpu": "256"}), json!({"cpu": 257}), "C cpu", &["TD-32"]);
    with_task(json!({"memory": "512"}), json!({"memory": 512}), "", &[]);
    let above = "C c0.memory, C memory";
    with_task(json!({"memory": "512"}), json!({"memory": 513}), above, &["TD-32"]);
    let limit = json!({"memory": 513, "memoryReservation": 64});
    with_task(json!({"memory": "512"}), limit, "C c0.memory", &["TD-32"]);
    let two = json!({"memory": "512", "containerDefinitions": [
        {"name": "a", "image": "x", "memory": 256},
        {"name": "b", "image": "x", "memory": 512, "memoryReservation": 257},
    ]});
    task(two, "C memory", &["TD-32"]);
}

#[test]
fn step_6_dependencies() {
    let row = |a: Value, b: Value, expected: &str, marks: &[&str]| {
        let mut document = json!({"family": "web", "containerDefinitions": [
            {"name": "a", "image": "x", "memory": 64},
            {"name": "b", "image": "x", "memory": 64, "essential": false},
        ]});
        merge(&mut document["containerDefinitions"][0], a);
        merge(&mut document["containerDefinitions"][1], b);
        assert_eq!(must_reach(marks, || errors(&document)), expected, "{document}");
    };
    let on =
        |name: &str, condition: &str| json!({"dependsOn": [{"containerName": name, "condition": condition}]});
    let of = &["TD-22", "1.8/6"][..];
    row(on("b", "START"), json!({}), "", &["1.8/6"]);
    row(on("b", "COMPLETE"), json!({}), "", &[]);
    row(on("b", "SUCCESS"), json!({}), "", &[]);
    row(on("c", "START"), json!({}), "C c0.dependsOn[0].containerName", of);
    row(json!({}), on("a", "COMPLETE"), "C containerDefinitions[1].dependsOn[0].condition", of);
    row(json!({}), on("a", "SUCCESS"), "C containerDefinitions[1].dependsOn[0].condition", of);
    row(json!({}), on("a", "START"), "", &[]);
    row(on("b", "HEALTHY"), json!({}), "C c0.dependsOn[0].condition", of);
    row(on("b", "HEALTHY"), json!({"healthCheck": {"command": ["x"]}}), "", &[]);
    row(on("b", "START"), on("a", "START"), "C c0.dependsOn", of);
    row(on("a", "START"), json!({}), "C c0.dependsOn", of);
    row(json!({}), on("b", "START"), "C containerDefinitions[1].dependsOn", of);
    row(json!({"dependsOn": [{"containerName": "b"}]}), json!({}), "I c0.dependsOn[0].condition", &[]);
}

#[test]
fn step_6_finds_cycles_of_any_length() {
    let graph = |edges: &[(usize, usize)]| {
        let containers: Vec<Value> = (0..5)
            .map(|place| {
                let on = edges.iter().filter(|(from, _)| *from == place);
                let on: Vec<Value> = on
                    .map(|(_, to)| json!({"containerName": format!("c{to}"), "condition": "START"}))
                    .collect();
                json!({"name": format!("c{place}"), "image": "x", "memory": 64, "dependsOn": on})
            })
            .collect();
        errors(&json!({"family": "web", "containerDefinitions": containers}))
    };
    assert_eq!(graph(&[(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)]), "");
    assert_eq!(graph(&[(4, 3), (3, 2), (2, 1), (1, 0)]), "");
    assert_eq!(graph(&[(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)]), "C c0.dependsOn");
    assert_eq!(graph(&[(1, 2), (2, 3), (3, 1)]), "C containerDefinitions[1].dependsOn");
    assert_eq!(graph(&[(0, 1), (1, 2), (2, 1), (3, 4)]), "C c0.dependsOn");
}

#[test]
fn step_7_volumes() {
    let volume = |patch: Value| {
        let mut volume = json!({"name": "v"});
        merge(&mut volume, patch);
        json!({"volumes": [volume]})
    };
    let of = &["TD-50", "1.8/7"][..];
    let efs = || json!({"fileSystemId": "fs-1"});
    let sources = [
        json!({"host": {"sourcePath": "/x"}}),
        json!({"dockerVolumeConfiguration": {}}),
        json!({"efsVolumeConfiguration": efs()}),
        json!({"fsxWindowsFileServerVolumeConfiguration": efs()}),
        json!({"s3filesVolumeConfiguration": {"fileSystemArn": "a"}}),
        json!({"configuredAtLaunch": true}),
    ];
    task(volume(json!({})), "", &["1.8/7"]);
    for (index, source) in sources.iter().enumerate() {
        task(volume(source.clone()), "", &[]);
        let mut both = source.clone();
        merge(&mut both, sources[(index + 1) % sources.len()].clone());
        task(volume(both), "C volumes[0]", &["TD-50", "1.2/volumes"]);
    }
    task(volume(json!({"configuredAtLaunch": false, "host": {}})), "", &[]);
    let path = |field: &str| format!("I volumes[0].{field}");
    task(volume(json!({"efsVolumeConfiguration": {}})), &path("efsVolumeConfiguration.fileSystemId"), &[]);
    let fsx = "fsxWindowsFileServerVolumeConfiguration";
    task(volume(json!({fsx: {}})), &path("fsxWindowsFileServerVolumeConfiguration.fileSystemId"), &[]);
    let s3 = volume(json!({"s3filesVolumeConfiguration": {}}));
    task(s3, &path("s3filesVolumeConfiguration.fileSystemArn"), &[]);
    let docker = |scope: &str, made: bool| {
        volume(json!({"dockerVolumeConfiguration": {"scope": scope, "autoprovision": made}}))
    };
    task(docker("shared", true), "", &[]);
    task(docker("task", false), "", &[]);
    task(docker("task", true), "C volumes[0].dockerVolumeConfiguration.autoprovision", of);
    let at_launch = |names: &[&str]| {
        let volumes = names.iter().map(|name| json!({"name": name, "configuredAtLaunch": true}));
        json!({"volumes": volumes.collect::<Vec<_>>()})
    };
    task(at_launch(&["a", "b"]), "C volumes", of);
}

#[test]
fn step_7_mounts() {
    let volumes = json!({"volumes": [{"name": "v"}]});
    let row = |change: Value, expected: &str, marks: &[&str]| {
        let document = patched(ec2(), volumes.clone(), change);
        assert_eq!(must_reach(marks, || errors(&document)), expected, "{document}");
    };
    row(json!({"mountPoints": [{"sourceVolume": "v"}]}), "", &[]);
    let unknown = json!({"mountPoints": [{"sourceVolume": "v"}, {"sourceVolume": "w"}]});
    row(unknown, "C c0.mountPoints[1].sourceVolume", &["1.3/mountPoints"]);
    let from = |name: &str| json!({"volumesFrom": [{"sourceContainer": name}]});
    row(from("db"), "C c0.volumesFrom[0].sourceContainer", &["1.3/volumesFrom"]);
    row(from("app"), "C c0.volumesFrom[0].sourceContainer", &["1.3/volumesFrom"]);
    let two = json!({"containerDefinitions": [
        {"name": "a", "image": "x", "memory": 64, "volumesFrom": [{"sourceContainer": "b"}]},
        {"name": "b", "image": "x", "memory": 64},
    ]});
    task(two, "", &[]);
}

#[test]
fn step_8_fargate_task() {
    let none = || json!({});
    on_fargate(none(), none(), "", &["1.2/requiresCompatibilities", "1.8/8"]);
    on_fargate(json!({"networkMode": null}), none(), "C networkMode", &["TD-34", "1.2/networkMode"]);
    on_fargate(json!({"networkMode": "host"}), none(), "C networkMode", &["TD-34"]);
    on_fargate(json!({"pidMode": "host"}), none(), "C pidMode", &["TD-34", "1.2/pidMode"]);
    on_fargate(json!({"pidMode": "task"}), none(), "", &[]);
    for mode in ["host", "task", "none"] {
        on_fargate(json!({"ipcMode": mode}), none(), "C ipcMode", &["TD-34", "1.2/ipcMode"]);
    }
    let constraint =
        json!({"placementConstraints": [{"type": "memberOf", "expression": "agentConnected == true"}]});
    on_fargate(constraint, none(), "C placementConstraints", &["TD-34"]);
    on_fargate(json!({"cpu": null}), none(), "C cpu", &["1.2/cpu"]);
    on_fargate(json!({"memory": null}), json!({"memory": 64}), "C memory", &["1.2/memory"]);
    on_fargate(json!({"cpu": "many"}), none(), "C cpu", &[]);
    let both = json!({"requiresCompatibilities": ["EC2", "FARGATE"]});
    on_fargate(both, none(), "", &[]);
    let volume = |patch: Value| {
        let mut volume = json!({"name": "v"});
        merge(&mut volume, patch);
        json!({"volumes": [volume]})
    };
    on_fargate(volume(json!({"host": {}})), none(), "", &[]);
    let path = volume(json!({"host": {"sourcePath": "/x"}}));
    on_fargate(path, none(), "C volumes[0].host.sourcePath", &["TD-34"]);
    let docker = volume(json!({"dockerVolumeConfiguration": {}}));
    on_fargate(docker, none(), "C volumes[0].dockerVolumeConfiguration", &["TD-34"]);
    on_fargate(volume(json!({"efsVolumeConfiguration": {"fileSystemId": "x"}})), none(), "", &[]);
}

#[test]
fn step_8_fargate_sizes() {
    let size = |cpu: &str, memory: &str, expected: &str, marks: &[&str]| {
        on_fargate(json!({"cpu": cpu, "memory": memory}), json!({}), expected, marks);
    };
    for known in crate::catalog::fargate::sizes() {
        size(&known.cpu_units.to_string(), &known.memory_mib.to_string(), "", &[]);
    }
    size(".25 vCPU", "0.5GB", "", &[]);
    size("300", "512", "C cpu", &["TD-31"]);
    size("65536", "512", "C cpu", &["TD-31"]);
    size("256", "4096", "C memory", &["TD-31"]);
    size("8192", "17408", "C memory", &["TD-31"]);
    size("100", "512", "C cpu", &["TD-31"]);
    let words = |cpu: &str| {
        let document = patched(fargate(), json!({"cpu": cpu, "memory": "512"}), json!({}));
        all_errors(&request(&document), &Rules::default())[0].message.clone()
    };
    assert_eq!(words("300"), "Invalid 'cpu' setting for task.");
    assert_eq!(words("1024"), "No Fargate configuration exists for given values.");
    let windows = |cpu: &str, memory: &str| json!({"cpu": cpu, "memory": memory, "runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}});
    on_fargate(windows("1024", "2048"), json!({}), "", &[]);
    on_fargate(windows("4096", "30720"), json!({}), "", &[]);
    on_fargate(windows("512", "1024"), json!({}), "C cpu", &["TD-30", "1.2/runtimePlatform"]);
    on_fargate(windows("8192", "16384"), json!({}), "C cpu", &["TD-30"]);
}

#[test]
fn step_8_fargate_container() {
    let row = |change: Value, expected: &str, marks: &[&str]| on_fargate(json!({}), change, expected, marks);
    let both = |field: &str| format!("C c0.{field}, C c0.{field}");
    row(json!({"links": ["a"]}), &both("links"), &["TD-34"]);
    row(json!({"hostname": "h"}), &both("hostname"), &["TD-34"]);
    row(json!({"extraHosts": [{"hostname": "a", "ipAddress": "b"}]}), &both("extraHosts"), &["TD-34"]);
    row(json!({"dnsServers": ["x"]}), &both("dnsServers"), &["TD-34"]);
    row(json!({"dnsSearchDomains": ["x"]}), &both("dnsSearchDomains"), &["TD-34"]);
    row(json!({"disableNetworking": true}), &both("disableNetworking"), &["TD-34"]);
    row(json!({"privileged": true}), "C c0.privileged", &["TD-34"]);
    row(json!({"privileged": false, "disableNetworking": false}), "", &[]);
    row(json!({"dockerSecurityOptions": ["x"]}), "C c0.dockerSecurityOptions", &["TD-34"]);
    let gpu = json!({"resourceRequirements": [{"type": "GPU", "value": "1"}]});
    row(gpu, "C c0.resourceRequirements[0].type", &["TD-34"]);
    let linux = |patch: Value| json!({"linuxParameters": patch});
    let of = &["TD-34", "1.3/linuxParameters"][..];
    let fields = [
        ("devices", json!([{"hostPath": "/x"}])),
        ("sharedMemorySize", json!(64)),
        ("maxSwap", json!(0)),
        ("swappiness", json!(0)),
        ("tmpfs", json!([{"containerPath": "/x", "size": 1}])),
    ];
    for (field, value) in fields {
        row(linux(json!({field: value})), &format!("C c0.linuxParameters.{field}"), of);
    }
    row(linux(json!({"capabilities": {"add": ["SYS_PTRACE"]}})), "", &[]);
    let add = linux(json!({"capabilities": {"add": ["SYS_PTRACE", "SYS_ADMIN"]}}));
    row(add, "C c0.linuxParameters.capabilities.add", &["1.3/linuxParameters"]);
    for (timeout, expected) in [(1, "C c0.startTimeout"), (2, ""), (120, ""), (121, "C c0.startTimeout")] {
        row(json!({"startTimeout": timeout}), expected, &[]);
    }
    row(json!({"startTimeout": 121}), "C c0.startTimeout", &["1.3/startTimeout"]);
    row(json!({"stopTimeout": 120}), "", &[]);
    row(json!({"stopTimeout": 121}), "C c0.stopTimeout", &["1.3/stopTimeout"]);
    for driver in ["awslogs", "splunk", "awsfirelens"] {
        row(json!({"logConfiguration": {"logDriver": driver}}), "", &[]);
    }
    for driver in ["json-file", "syslog", "journald", "gelf", "fluentd"] {
        let expected = "C c0.logConfiguration.logDriver";
        row(json!({"logConfiguration": {"logDriver": driver}}), expected, &["1.3/logConfiguration"]);
    }
}

#[test]
fn step_8_managed_instances() {
    let row = |mode: &str, change: Value, expected: &str, marks: &[&str]| {
        let managed = json!({"networkMode": mode, "requiresCompatibilities": ["MANAGED_INSTANCES"]});
        let document = patched(ec2(), managed, change);
        assert_eq!(must_reach(marks, || errors(&document)), expected, "{document}");
    };
    let none = || json!({});
    row("awsvpc", none(), "", &[]);
    row("host", none(), "", &[]);
    row("bridge", none(), "C networkMode", &["1.2/networkMode"]);
    row("none", none(), "C networkMode", &["1.2/networkMode"]);
    row("host", json!({"logConfiguration": {"logDriver": "json-file"}}), "", &[]);
    let syslog = json!({"logConfiguration": {"logDriver": "syslog"}});
    row("host", syslog, "C c0.logConfiguration.logDriver", &["1.3/logConfiguration"]);
    let neuron = |value: &str| json!({"resourceRequirements": [{"type": "NeuronDevice", "value": value}]});
    row("host", neuron("ALL"), "", &[]);
    row("host", neuron("1"), "C c0.resourceRequirements[0].value", &["1.3/resourceRequirements"]);
}

#[test]
fn step_9_size() {
    for (bytes, expected) in [(65536, ""), (65537, "C ")] {
        let mut document = ec2();
        let spare = bytes - document.to_string().len() - r#","enableFaultInjection":"""#.len();
        document["enableFaultInjection"] = json!(text(spare));
        assert_eq!(document.to_string().len(), bytes);
        assert_eq!(must_reach(&["1.8/9"], || errors(&document)), expected);
    }
    let mut document = ec2();
    document["taskRoleArn"] = json!(text(70_000));
    assert_eq!(must_reach(&["TD-05"], || errors(&document)), "C ");
}

/// A document that breaks every step is mended step by step: what comes first is always the error of
/// the first broken step.
#[test]
fn the_first_failure_is_answered() {
    let mut document = json!({
        "family": "a b",
        "networkMode": "none",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "1024",
        "memory": "2048",
        "taskRoleArn": text(70_000),
        "volumes": [{"name": "v", "host": {}, "configuredAtLaunch": true}],
        "containerDefinitions": [{
            "name": "app", "essential": false, "cpu": -1, "portMappings": [{"containerPort": 80}],
            "dependsOn": [{"containerName": "app", "condition": "START"}],
        }],
    });
    let container = |change: Value| json!({"containerDefinitions": change});
    let steps = [
        ("containerDefinitions[0].image", container(json!({"image": "nginx"}))),
        ("family", json!({"family": "web"})),
        ("containerDefinitions", container(json!({"essential": true}))),
        ("containerDefinitions[0].portMappings", container(json!({"portMappings": []}))),
        ("containerDefinitions[0].cpu", container(json!({"cpu": 0}))),
        ("containerDefinitions[0].dependsOn", container(json!({"dependsOn": []}))),
        ("volumes[0]", json!({"volumes": []})),
        ("networkMode", json!({"networkMode": "awsvpc"})),
        ("", json!({"taskRoleArn": null})),
    ];
    for (path, mut mend) in steps {
        let error = register(&request(&document), 1, &mut Symbols::default(), &Rules::default())
            .expect_err("something is still broken");
        assert_eq!(error.path, path);
        if let Some(change) = mend.get("containerDefinitions").cloned() {
            merge(&mut document["containerDefinitions"][0], change);
            mend = json!({});
        }
        merge(&mut document, mend);
    }
    assert_eq!(errors(&document), "");
}

#[test]
fn the_container_minimum_is_a_setting() {
    let document = patched(ec2(), json!({}), json!({"memory": 4}));
    let rules = |least| Rules { container_memory_min: least, ..Rules::default() };
    assert_eq!(all_errors(&request(&document), &rules(4)), []);
    let error = &all_errors(&request(&document), &rules(5))[0];
    assert_eq!(error.message, "memory is at least 5 MiB.");
    assert_eq!(error.kind, ErrorKind::ClientException);
}

#[test]
fn wrong_types_are_errors_at_their_place() {
    let rows = [
        (json!({"cpu": 256}), "cpu"),
        (json!({"containerDefinitions": {}}), "containerDefinitions"),
        (json!({"containerDefinitions": [{}, {"memory": "64"}]}), "containerDefinitions[1].memory"),
        (json!({"containerDefinitions": [{"memory": 3_000_000_000_u64}]}), "containerDefinitions[0].memory"),
        (json!({"networkMode": "vpc"}), "networkMode"),
        (json!({"requiresCompatibilities": ["EC3"]}), "requiresCompatibilities[0]"),
        (json!([]), ""),
        (json!("web"), ""),
        (json!(null), ""),
    ];
    for (document, path) in rows {
        let errors = read::<RegisterTaskDefinition>(&document).expect_err("a wrong type");
        assert_eq!(errors.len(), 1);
        assert_eq!((errors[0].kind, &*errors[0].path), (ErrorKind::InvalidParameterException, path));
    }
    let nulls = json!({"family": null, "volumes": null, "cpu": null, "containerDefinitions": null});
    assert_eq!(errors(&nulls), "I family, I containerDefinitions");
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "",
        "a",
        "1",
        "0.5GB",
        ".25 vCPU",
        "99999999999",
        "awsvpc",
        "host",
        "FARGATE",
        "EC2",
        "memberOf",
        "GPU",
        "1-65535",
        "START",
        "HEALTHY",
        "udp",
        "awslogs",
        "LINUX",
        "arn:",
        "\u{1F980}",
    ]);
    let numbers =
        prop::sample::select(vec![-1_i64, 0, 1, 60, 65535, i64::from(i32::MAX), i64::from(i32::MIN)]);
    let leaf = prop_oneof![
        words.prop_map(Value::from),
        numbers.prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let names = prop::sample::select(vec![
        "family",
        "containerDefinitions",
        "name",
        "image",
        "memory",
        "memoryReservation",
        "cpu",
        "networkMode",
        "portMappings",
        "containerPort",
        "hostPort",
        "containerPortRange",
        "protocol",
        "dependsOn",
        "containerName",
        "condition",
        "volumes",
        "requiresCompatibilities",
        "resourceRequirements",
        "value",
        "type",
        "placementConstraints",
        "expression",
        "healthCheck",
        "interval",
        "restartPolicy",
        "enabled",
        "ulimits",
        "runtimePlatform",
        "environment",
        "unknown",
    ]);
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..6)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

/// A valid document with some fields replaced by anything.
fn almost_valid() -> impl Strategy<Value = Value> {
    let names = prop::collection::vec(any_json(), 6);
    (names, any::<bool>(), 0_usize..8).prop_map(|(parts, of_fargate, place)| {
        let mut document = if of_fargate { fargate() } else { ec2() };
        let task = ["cpu", "memory", "volumes", "placementConstraints", "networkMode", "runtimePlatform"];
        let inner = [
            "portMappings",
            "dependsOn",
            "memory",
            "cpu",
            "healthCheck",
            "resourceRequirements",
            "ulimits",
            "links",
        ];
        document[task[place % task.len()]] = parts[0].clone();
        document["containerDefinitions"][0][inner[place]] = parts[1].clone();
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_json_panics(document in prop_oneof![any_json(), almost_valid()]) {
        if let Ok(read) = read::<RegisterTaskDefinition>(&document) {
            let errors = all_errors(&read.request, &Rules::default());
            let registered = register(&read.request, 1, &mut Symbols::default(), &Rules::default());
            prop_assert_eq!(registered.err(), errors.into_iter().next());
        }
    }
}
