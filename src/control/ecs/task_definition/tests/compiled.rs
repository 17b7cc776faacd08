//! What a valid document becomes.

use serde_json::{Value, json};

use super::{ec2, fargate, patched, request};
use crate::base::mark::must_reach;
use crate::base::{Bytes, Symbol, Symbols};
use crate::control::ecs::objects::{
    Condition, ContainerDefinition, NetworkMode, Reservation, TaskDefinition,
};
use crate::control::ecs::task_definition::{Rules, register};

fn compiled(document: &Value) -> (TaskDefinition, Symbols) {
    let mut symbols = Symbols::default();
    let definition = register(&request(document), 7, &mut symbols, &Rules::default());
    (definition.unwrap_or_else(|error| panic!("{document}: {error}")), symbols)
}

/// `cpu/memory gN eN ports|udp ports`, in units and MiB; what is zero is left out.
fn spell_reservation(reservation: &Reservation) -> String {
    let Reservation { cpu, memory, gpus, interfaces, ports, ports_udp } = reservation;
    let mut words = vec![format!("{}/{}", cpu.ecs_units_down(), memory.mib_down())];
    if *gpus > 0 {
        words.push(format!("g{gpus}"));
    }
    if *interfaces > 0 {
        words.push(format!("e{interfaces}"));
    }
    if !ports.is_empty() || !ports_udp.is_empty() {
        words.push(format!("{ports:?}|{ports_udp:?}"));
    }
    words.join(" ")
}

#[test]
fn reservations() {
    let row = |task: Value, container: Value, expected: &str, marks: &[&str]| {
        let document = patched(ec2(), task, container);
        let (definition, _) = must_reach(marks, || compiled(&document));
        assert_eq!(spell_reservation(&definition.reservation), expected, "{document}");
    };
    let none = || json!({});
    row(none(), none(), "0/64", &["TD-11"]);
    row(none(), json!({"cpu": 100}), "100/64", &["TD-11", "1.3/cpu"]);
    // Trap 1: the reservation counts, not the limit.
    row(none(), json!({"memory": 2048, "memoryReservation": 256}), "0/256", &["TD-11", "1.3/memory"]);
    row(json!({"cpu": "512", "memory": "1GB"}), json!({"cpu": 100}), "512/1024", &["1.2/cpu", "1.2/memory"]);
    row(json!({"cpu": "1 vCPU"}), none(), "1024/64", &[]);
    row(json!({"memory": "128"}), json!({"cpu": 10}), "10/128", &[]);
    row(json!({"networkMode": "awsvpc"}), none(), "0/64 e1", &[]);
    row(json!({"networkMode": "host"}), none(), "0/64", &[]);
    let gpus =
        json!({"resourceRequirements": [{"type": "GPU", "value": "2"}, {"type": "GPU", "value": "1"}]});
    row(none(), gpus, "0/64 g3", &["1.3/resourceRequirements"]);
    let ports = || {
        json!({"portMappings": [
            {"containerPort": 443, "hostPort": 443},
            {"containerPort": 80, "hostPort": 80},
            {"containerPort": 53, "hostPort": 53, "protocol": "udp"},
            {"containerPort": 9000},
        ]})
    };
    row(none(), ports(), "0/64 [80, 443]|[53]", &["TD-41"]);
    row(json!({"networkMode": "host"}), ports(), "0/64 [80, 443, 9000]|[53]", &["TD-13"]);
    row(json!({"networkMode": "awsvpc"}), ports(), "0/64 e1", &["TD-44"]);
    let three = json!({"containerDefinitions": [
        {"name": "a", "image": "x", "cpu": 10, "memory": 100},
        {"name": "b", "image": "x", "cpu": 20, "memory": 200, "memoryReservation": 50},
        {"name": "c", "image": "x", "memoryReservation": 25,
         "resourceRequirements": [{"type": "GPU", "value": "1"}]},
    ]});
    row(three, none(), "30/175 g1", &["TD-11"]);
}

/// Attributes as `name` or `name=value`, without the long prefixes.
fn spell_attributes(attributes: &[(Symbol, Option<Symbol>)], symbols: &Symbols) -> String {
    let spelled = attributes.iter().map(|(name, value)| {
        let name = symbols.text(*name);
        let name = name.replace("com.amazonaws.ecs.capability.", "c:").replace("ecs.capability.", "e:");
        value.map_or(name.clone(), |value| format!("{name}={}", symbols.text(value)))
    });
    spelled.collect::<Vec<_>>().join(" ")
}

#[test]
fn required_attributes() {
    let row = |task: Value, container: Value, expected: &str, marks: &[&str]| {
        let document = patched(ec2(), task, container);
        let (definition, symbols) = must_reach(marks, || compiled(&document));
        assert_eq!(spell_attributes(&definition.required_attributes, &symbols), expected, "{document}");
    };
    let none = || json!({});
    row(none(), none(), "", &["CI-20"]);
    row(json!({"networkMode": "awsvpc"}), none(), "e:task-eni", &["CI-20"]);
    row(json!({"taskRoleArn": "r"}), none(), "c:task-iam-role", &["1.2/taskRoleArn"]);
    let host = json!({"taskRoleArn": "r", "networkMode": "host"});
    row(host, none(), "c:task-iam-role-network-host", &["1.2/taskRoleArn"]);
    let image = || json!({"image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/app:1.0"});
    row(none(), image(), "c:ecr-auth", &["1.3/image"]);
    let role = json!({"executionRoleArn": "r"});
    row(role.clone(), image(), "c:ecr-auth e:execution-role-ecr-pull", &["1.2/executionRoleArn"]);
    row(role, none(), "", &[]);
    row(none(), json!({"image": "amazonaws.com/x.dkr.ecr.y"}), "", &["1.3/image"]);
    row(none(), json!({"image": "a.dkr.ecr.example/x"}), "", &["1.3/image"]);
    row(none(), json!({"image": "a.amazonaws.com/x"}), "", &["1.3/image"]);
    row(none(), json!({"image": "1.dkr.ecr.cn-north-1.amazonaws.com.cn/x"}), "c:ecr-auth", &[]);
    row(json!({"cpu": "128"}), none(), "e:task-cpu-mem-limit", &[]);
    row(json!({"memory": "128"}), none(), "e:task-cpu-mem-limit", &[]);
    row(json!({"cpu": "10240"}), none(), "e:task-cpu-mem-limit", &[]);
    row(json!({"cpu": "10241"}), none(), "e:increased-task-cpu-limit e:task-cpu-mem-limit", &[]);
    let ebs = json!({"volumes": [{"name": "v", "configuredAtLaunch": true}]});
    row(ebs, none(), "e:storage.ebs-task-volume-attach", &[]);
    row(json!({"volumes": [{"name": "v", "configuredAtLaunch": false}]}), none(), "", &[]);
    let efs = json!({"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]});
    row(efs, none(), "e:efs", &[]);
    row(none(), json!({"healthCheck": {"command": ["x"]}}), "e:container-health-check", &[]);
    let secret = |from: &str| json!({"secrets": [{"name": "s", "valueFrom": from}]});
    let manager = secret("arn:aws:secretsmanager:us-east-1:111122223333:secret:s");
    row(none(), manager, "e:secrets.asm.environment-variables", &["1.3/secrets"]);
    row(none(), secret("parameter"), "e:secrets.ssm.environment-variables", &["1.3/secrets"]);
    let driver = |name: &str| json!({"logConfiguration": {"logDriver": name}});
    for name in ["json-file", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "awsfirelens"] {
        row(none(), driver(name), &format!("c:logging-driver.{name}"), &["1.3/logConfiguration"]);
    }
    row(none(), json!({"restartPolicy": {"enabled": true}}), "e:container-restart-policy", &[]);
    row(none(), json!({"restartPolicy": {"enabled": false}}), "", &[]);
    let platform = |patch: Value| json!({"runtimePlatform": patch});
    let of = &["1.2/runtimePlatform"][..];
    row(platform(json!({})), none(), "", of);
    row(platform(json!({"cpuArchitecture": "ARM64"})), none(), "ecs.cpu-architecture=arm64", of);
    row(platform(json!({"cpuArchitecture": "X86_64"})), none(), "ecs.cpu-architecture=x86_64", of);
    let families = [
        "LINUX",
        "WINDOWS_SERVER_2004_CORE",
        "WINDOWS_SERVER_2016_FULL",
        "WINDOWS_SERVER_2019_CORE",
        "WINDOWS_SERVER_2019_FULL",
        "WINDOWS_SERVER_2022_CORE",
        "WINDOWS_SERVER_2022_FULL",
        "WINDOWS_SERVER_2025_CORE",
        "WINDOWS_SERVER_2025_FULL",
        "WINDOWS_SERVER_20H2_CORE",
    ];
    for family in families {
        let expected = format!("ecs.os-family={family}");
        row(platform(json!({"operatingSystemFamily": family})), none(), &expected, of);
    }
    let two = json!({"containerDefinitions": [
        {"name": "a", "image": "x", "memory": 64, "dependsOn": [{"containerName": "b", "condition": "START"}],
         "logConfiguration": {"logDriver": "awslogs"}},
        {"name": "b", "image": "x", "memory": 64, "logConfiguration": {"logDriver": "awslogs"}},
    ]});
    row(two, none(), "c:logging-driver.awslogs e:container-ordering", &[]);
}

fn first(document: &Value) -> ContainerDefinition {
    compiled(document).0.containers[0].clone()
}

#[test]
fn containers() {
    let row = |change: Value, marks: &[&str], expected: &str, spell: fn(&ContainerDefinition) -> String| {
        let document = patched(ec2(), json!({}), change);
        assert_eq!(spell(&must_reach(marks, || first(&document))), expected, "{document}");
    };
    row(json!({}), &["TD-15", "1.3/essential"], "true", |c| c.essential.to_string());
    row(json!({}), &[], "None None", |c| format!("{:?} {:?}", c.start_timeout, c.stop_timeout));
    let timeouts = json!({"startTimeout": 9, "stopTimeout": 200});
    row(timeouts, &[], "Some(9s) Some(3m20s)", |c| format!("{:?} {:?}", c.start_timeout, c.stop_timeout));
    let health: fn(&ContainerDefinition) -> String = |container| {
        container.health_check.map_or("none".into(), |check| {
            format!("{} {} {} {}", check.interval, check.timeout, check.retries, check.start_period)
        })
    };
    row(json!({}), &[], "none", health);
    row(json!({"healthCheck": {"command": ["x"]}}), &["1.3/healthCheck"], "30s 5s 3 0s", health);
    let check = json!({"command": ["x"], "interval": 10, "timeout": 4, "retries": 2, "startPeriod": 60});
    row(json!({"healthCheck": check}), &["1.3/healthCheck"], "10s 4s 2 1m00s", health);
    let policy: fn(&ContainerDefinition) -> String = |container| {
        container.restart_policy.as_ref().map_or("none".into(), |policy| {
            format!("{:?} {}", policy.ignored_exit_codes, policy.attempt_period)
        })
    };
    row(json!({}), &[], "none", policy);
    row(json!({"restartPolicy": {"enabled": false}}), &["1.3/restartPolicy"], "none", policy);
    row(json!({"restartPolicy": {"enabled": true}}), &["1.3/restartPolicy"], "[] 5m00s", policy);
    let given = json!({"enabled": true, "ignoredExitCodes": [0, 143], "restartAttemptPeriod": 60});
    row(json!({"restartPolicy": given}), &["1.3/restartPolicy"], "[0, 143] 1m00s", policy);
}

#[test]
fn dynamic_ports() {
    let row = |mode: &str, mappings: Value, expected: u16, marks: &[&str]| {
        let ports = json!({"portMappings": mappings});
        let document = patched(ec2(), json!({"networkMode": mode}), ports);
        assert_eq!(must_reach(marks, || first(&document)).dynamic_ports, expected, "{document}");
    };
    let all = || json!([{"containerPort": 1}, {"containerPort": 2, "hostPort": 0}, {"containerPort": 3, "hostPort": 3}]);
    row("bridge", all(), 2, &["TD-41"]);
    row("host", json!([{"containerPort": 1}]), 0, &[]);
    row("awsvpc", json!([{"containerPort": 1}]), 0, &[]);
    row("bridge", json!([{"containerPortRange": "8000-8009"}, {"containerPort": 1}]), 11, &["TD-43"]);
    row("bridge", json!([{"containerPortRange": "1-65535"}, {"containerPort": 1}]), u16::MAX, &["TD-43"]);
    row("awsvpc", json!([{"containerPortRange": "8000-8009"}]), 0, &[]);
}

#[test]
fn dependencies() {
    let mut document = ec2();
    document["containerDefinitions"] = json!([
        {"name": "a", "image": "x", "memory": 64, "dependsOn": [
            {"containerName": "c", "condition": "SUCCESS"},
            {"containerName": "b", "condition": "HEALTHY"},
            {"containerName": "c", "condition": "COMPLETE"},
            {"containerName": "b", "condition": "START"},
        ]},
        {"name": "b", "image": "x", "memory": 64, "healthCheck": {"command": ["x"]}},
        {"name": "c", "image": "x", "memory": 64, "essential": false},
    ]);
    let container = must_reach(&["1.3/dependsOn"], || first(&document));
    let edges: Vec<(u8, Condition)> =
        container.depends_on.iter().map(|dependency| (dependency.on, dependency.condition)).collect();
    let expected =
        [(2, Condition::Success), (1, Condition::Healthy), (2, Condition::Complete), (1, Condition::Start)];
    assert_eq!(edges, expected);
}

#[test]
fn names_modes_and_constraints() {
    let (definition, symbols) = compiled(&ec2());
    let container = &definition.containers[0];
    let names = [definition.family, container.name, container.image].map(|name| symbols.text(name));
    assert_eq!((names, definition.revision), (["web", "app", "nginx"], 7));
    let mode = |mode: Value| {
        let document = patched(ec2(), json!({"networkMode": mode}), json!({}));
        must_reach(&["1.2/networkMode"], || compiled(&document)).0.network_mode
    };
    assert_eq!(mode(json!(null)), NetworkMode::Bridge);
    assert_eq!(mode(json!("bridge")), NetworkMode::Bridge);
    assert_eq!(mode(json!("awsvpc")), NetworkMode::Awsvpc);
    assert_eq!(mode(json!("host")), NetworkMode::Host);
    assert_eq!(mode(json!("none")), NetworkMode::None);
    let two = [("a", "attribute:x == 1"), ("b", "agentConnected == true")]
        .map(|(_, expression)| json!({"type": "memberOf", "expression": expression}));
    let document = patched(ec2(), json!({"placementConstraints": two}), json!({}));
    assert_eq!(compiled(&document).0.constraints.len(), 2);
}

#[test]
fn where_it_runs() {
    let row = |base: Value, task: Value, container: Value, ec2: bool, fargate: bool| {
        let document = patched(base, task, container);
        let (definition, _) = must_reach(&["TD-34", "1.2/requiresCompatibilities"], || compiled(&document));
        assert_eq!((definition.runs_on_ec2, definition.fargate.is_some()), (ec2, fargate), "{document}");
    };
    let none = || json!({});
    row(ec2(), none(), none(), true, false);
    row(fargate(), none(), none(), true, true);
    row(fargate(), json!({"requiresCompatibilities": null}), none(), true, true);
    row(fargate(), json!({"requiresCompatibilities": ["EC2"]}), none(), true, true);
    row(fargate(), json!({"requiresCompatibilities": ["EC2"]}), json!({"privileged": true}), true, false);
    row(fargate(), json!({"requiresCompatibilities": ["EC2", "FARGATE"]}), none(), true, true);
    row(fargate(), json!({"requiresCompatibilities": ["EXTERNAL"]}), none(), false, true);
    row(fargate(), json!({"requiresCompatibilities": ["MANAGED_INSTANCES"]}), none(), false, true);
    row(fargate(), json!({"requiresCompatibilities": ["MANAGED_INSTANCES", "EC2"]}), none(), true, true);
}

#[test]
fn fargate_shapes() {
    let shape = |task: Value| {
        let document = patched(fargate(), task, json!({}));
        must_reach(&["1.2/ephemeralStorage"], || compiled(&document)).0.fargate.expect("it was required")
    };
    let plain = shape(json!({}));
    assert_eq!((plain.cpu.ecs_units_down(), plain.memory.mib_down()), (1024, 2048));
    assert_eq!((plain.ephemeral, plain.arm64, plain.windows), (Bytes::gib(20), false, false));
    assert_eq!(shape(json!({"ephemeralStorage": {"sizeInGiB": 100}})).ephemeral, Bytes::gib(100));
    assert!(shape(json!({"runtimePlatform": {"cpuArchitecture": "ARM64"}})).arm64);
    let windows = json!({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2019_CORE"}});
    assert!(shape(windows).windows);
    assert!(!shape(json!({"runtimePlatform": {"operatingSystemFamily": "LINUX"}})).windows);
}
