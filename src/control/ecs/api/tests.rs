//! Tables: a valid request, changed by a patch per row, and what becomes of it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    ApiError, Cluster, Contents, CreateCluster, CreateService, DeleteCluster, ErrorKind, Known,
    RegisterTaskDefinition, Request, RunTask, StartTask, cluster, read, request, service, unmodelled,
};
use crate::base::mark::must_reach;
use crate::base::{Symbols, Timestamp};
use crate::control::ecs::objects::{
    Constraint, Definitions, LaunchType, ManagedVolume, Placing, ServiceDefinition, Strategy as Rule,
    TaskRequest,
};
use crate::control::ecs::task_definition::{Families, Rules};

/// A cluster `main` without and `fargate` with a default strategy, and five definitions: `bridge`,
/// `awsvpc` for instances, `small` and `large` for Fargate, `pinned` with two constraints, and
/// `managed` for Managed Instances.
struct Plane {
    clusters: Vec<Cluster>,
    definitions: Definitions,
    families: Families,
    zones: BTreeMap<String, String>,
}

impl Plane {
    fn new() -> Self {
        let clusters = [
            json!({}),
            json!({"clusterName": "main"}),
            json!({"clusterName": "fargate", "capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategy":
                [{"capacityProvider": "FARGATE", "weight": 1}]}),
        ];
        let clusters = clusters.map(|cluster| cluster::create(&shaped(&cluster)).expect("valid")).to_vec();
        let mut definitions = Definitions::default();
        let mut families = Families::new(Rules::default());
        let container = json!([{"name": "app", "image": "nginx", "memory": 64}]);
        let awsvpc = json!({"networkMode": "awsvpc", "containerDefinitions": container});
        let with = |family: &str, changes: Value| {
            let mut document = awsvpc.clone();
            document["family"] = json!(family);
            for (name, value) in changes.as_object().expect("an object") {
                document[name] = value.clone();
            }
            document
        };
        let member = json!({"type": "memberOf", "expression": "agentConnected == true"});
        let documents = [
            with("bridge", json!({"networkMode": "bridge"})),
            with("awsvpc", json!({})),
            with("small", json!({"cpu": "256", "memory": "512"})),
            with("large", json!({"cpu": "8192", "memory": "16384"})),
            with("pinned", json!({"networkMode": "bridge", "placementConstraints": [member, member]})),
            with("managed", json!({"requiresCompatibilities": ["MANAGED_INSTANCES"]})),
            with(
                "windows",
                json!({"cpu": "1024", "memory": "2048",
                "runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}),
            ),
            with(
                "stores",
                json!({"cpu": "256", "memory": "512", "volumes": [
                {"name": "scratch", "host": {}}, {"name": "data", "configuredAtLaunch": true}]}),
            ),
        ];
        for document in documents {
            let request = shaped::<RegisterTaskDefinition>(&document);
            families.register(&request, &mut definitions).expect("valid");
        }
        let zones = [("subnet-a", "zone-a"), ("subnet-a1", "zone-a"), ("subnet-b", "zone-b")];
        let zones = zones.map(|(subnet, zone)| (subnet.to_owned(), zone.to_owned())).into();
        Plane { clusters, definitions, families, zones }
    }

    fn known(&self) -> Known<'_> {
        let now = Timestamp::default();
        Known { clusters: &self.clusters, families: &self.families, zones: &self.zones, now }
    }

    fn run(&self, document: &Value) -> Result<(TaskRequest, Definitions), ApiError> {
        let mut definitions = self.copy();
        let run = request::run(&shaped::<RunTask>(document), "batch", &self.known(), &mut definitions)?;
        Ok((run, definitions))
    }

    fn start(&self, document: &Value) -> Result<(TaskRequest, Definitions), ApiError> {
        let mut definitions = self.copy();
        let start =
            request::start(&shaped::<StartTask>(document), "agents", &self.known(), &mut definitions)?;
        Ok((start, definitions))
    }

    fn service(&self, document: &Value) -> Result<(ServiceDefinition, Definitions), ApiError> {
        let mut definitions = self.copy();
        let made = service::create(&shaped::<CreateService>(document), &self.known(), &mut definitions)?;
        Ok((made, definitions))
    }

    fn copy(&self) -> Definitions {
        let Definitions { tasks, symbols, .. } = &self.definitions;
        Definitions { tasks: tasks.clone(), symbols: symbols.clone(), ..Definitions::default() }
    }
}

fn shaped<R: Request>(document: &Value) -> R {
    read::<R>(document).unwrap_or_else(|errors| panic!("{document}: {errors:?}")).request
}

fn changed(mut base: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { panic!("a patch is an object") };
    for (name, value) in patch {
        base[name] = value;
    }
    base
}

/// The type of an error by a letter, and its path.
fn spell(error: &ApiError) -> String {
    assert!(error.message.ends_with('.'), "{} is a sentence", error.message);
    let kind = match error.kind {
        ErrorKind::ClientException => "C",
        ErrorKind::InvalidParameterException => "I",
        ErrorKind::ClusterNotFoundException => "N",
        ErrorKind::PlatformUnknownException => "P",
        ErrorKind::PlatformTaskDefinitionIncompatibilityException => "T",
        ErrorKind::ConflictException => "K",
        ErrorKind::ClusterContainsServicesException => "S",
        ErrorKind::ClusterContainsTasksException => "R",
        ErrorKind::ClusterContainsContainerInstancesException => "M",
        ErrorKind::UnsupportedFeatureException => "U",
    };
    format!("{kind} {}", error.path)
}

/// `EC2`, then what is not empty: strategies, constraints by their first letters, subnets, `public`.
fn spell_placing(placing: &Placing, symbols: &Symbols) -> String {
    let launch = match placing.launch_type {
        LaunchType::Ec2 => "EC2",
        LaunchType::Fargate => "FARGATE",
    };
    let mut words = vec![launch.to_owned()];
    words.extend(placing.strategies.iter().map(|strategy| match strategy {
        Rule::Random => "random".into(),
        Rule::BinpackCpu => "cpu".into(),
        Rule::BinpackMemory => "memory".into(),
        Rule::SpreadInstance => "instance".into(),
        Rule::SpreadAttribute(name) => symbols.text(*name).to_owned(),
    }));
    words.extend(placing.constraints.iter().map(|constraint| match constraint {
        Constraint::DistinctInstance => "d".to_owned(),
        Constraint::MemberOf(_) => "m".to_owned(),
    }));
    let subnets = placing.subnets.iter();
    words.extend(subnets.map(|subnet| format!("{}@{}", symbols.text(subnet.id), symbols.text(subnet.zone))));
    if placing.public_address {
        words.push("public".into());
    }
    words.join(" ")
}

fn text(length: usize) -> String {
    "x".repeat(length)
}

fn network(subnets: impl Into<Value>) -> Value {
    json!({"awsvpcConfiguration": {"subnets": subnets.into()}})
}

#[test]
fn placing() {
    let plane = Plane::new();
    let row = |family: &str, patch: Value, expected: &str, marks: &[&str]| {
        let document = changed(json!({"cluster": "main", "taskDefinition": family}), patch);
        let spelled = must_reach(marks, || match plane.run(&document) {
            Ok((run, definitions)) => spell_placing(&run.placing, &definitions.symbols),
            Err(error) => spell(&error),
        });
        assert_eq!(spelled, expected, "{document}");
    };
    // Where.
    row("bridge", json!({}), "EC2", &["CL-06"]);
    row("bridge", json!({"launchType": "EC2"}), "EC2", &[]);
    row("bridge", json!({"launchType": "FARGATE"}), "I taskDefinition", &["TD-34"]);
    row("bridge", json!({"launchType": "EXTERNAL"}), "U launchType", &[]);
    row("bridge", json!({"launchType": "MANAGED_INSTANCES"}), "U launchType", &[]);
    let a = || network(json!(["subnet-a1"]));
    row("managed", json!({"networkConfiguration": a()}), "I taskDefinition", &["TD-34"]);
    let on = |cluster: &str| json!({"cluster": cluster, "networkConfiguration": a()});
    row("small", on("fargate"), "FARGATE subnet-a1@zone-a", &["CL-06"]);
    row("small", on("main"), "EC2 subnet-a1@zone-a", &["CL-06"]);
    let both = json!({"launchType": "EC2", "cluster": "fargate", "networkConfiguration": a()});
    row("small", both, "EC2 subnet-a1@zone-a", &[]);
    // The network.
    let fargate = |network: Value| json!({"launchType": "FARGATE", "networkConfiguration": network});
    let two = fargate(network(json!(["subnet-b", "subnet-a"])));
    row("small", two, "FARGATE subnet-b@zone-b subnet-a@zone-a", &[]);
    row("awsvpc", json!({}), "I networkConfiguration", &[]);
    row("awsvpc", json!({"networkConfiguration": {}}), "I networkConfiguration", &[]);
    row("bridge", json!({"networkConfiguration": a()}), "I networkConfiguration", &[]);
    row("bridge", json!({"networkConfiguration": {}}), "EC2", &[]);
    let path = "networkConfiguration.awsvpcConfiguration";
    row("small", fargate(network(json!([]))), &format!("I {path}.subnets"), &[]);
    let many = |count: usize| fargate(network(json!(vec!["subnet-a"; count])));
    row("small", many(17), &format!("I {path}.subnets"), &[]);
    row("small", many(16), &format!("FARGATE{}", " subnet-a@zone-a".repeat(16)), &[]);
    row("small", fargate(network(json!(["subnet-a", "subnet-c"]))), &format!("I {path}.subnets[1]"), &[]);
    let groups = |count: usize| {
        let mut network = a();
        network["awsvpcConfiguration"]["securityGroups"] = json!(vec!["sg-1"; count]);
        fargate(network)
    };
    row("small", groups(5), "FARGATE subnet-a1@zone-a", &[]);
    row("small", groups(6), &format!("I {path}.securityGroups"), &[]);
    let public = |launch: &str, assign: &str| {
        let mut network = a();
        network["awsvpcConfiguration"]["assignPublicIp"] = json!(assign);
        json!({"launchType": launch, "networkConfiguration": network})
    };
    row("small", public("FARGATE", "ENABLED"), "FARGATE subnet-a1@zone-a public", &[]);
    row("small", public("FARGATE", "DISABLED"), "FARGATE subnet-a1@zone-a", &[]);
    row("small", public("EC2", "ENABLED"), &format!("I {path}.assignPublicIp"), &[]);
    row("small", public("EC2", "DISABLED"), "EC2 subnet-a1@zone-a", &[]);
    // The platform.
    let version = |version: &str| changed(fargate(a()), json!({"platformVersion": version}));
    for known in ["LATEST", "1.4.0", "1.3.0"] {
        row("small", version(known), "FARGATE subnet-a1@zone-a", &[]);
        row("windows", version(known), "FARGATE subnet-a1@zone-a", &[]);
    }
    row("large", version("LATEST"), "FARGATE subnet-a1@zone-a", &[]);
    row("large", version("1.4.0"), "FARGATE subnet-a1@zone-a", &[]);
    row("large", version("1.3.0"), "T platformVersion", &["TD-30"]);
    row("small", version("2.0"), "P platformVersion", &[]);
    row("bridge", json!({"platformVersion": "LATEST"}), "I platformVersion", &[]);
}

#[test]
fn strategies_and_constraints() {
    let plane = Plane::new();
    let row = |family: &str, patch: Value, expected: &str, marks: &[&str]| {
        let document = changed(json!({"cluster": "main", "taskDefinition": family}), patch);
        let spelled = must_reach(marks, || match plane.run(&document) {
            Ok((run, definitions)) => spell_placing(&run.placing, &definitions.symbols),
            Err(error) => spell(&error),
        });
        assert_eq!(spelled, expected, "{document}");
    };
    let rules = |rules: Value| json!({"placementStrategy": rules});
    let chain = json!([
        {"type": "spread", "field": "attribute:ecs.availability-zone"}, {"type": "spread", "field": "instanceId"},
        {"type": "spread", "field": "host"}, {"type": "binpack", "field": "cpu"}, {"type": "binpack", "field": "MEMORY"},
    ]);
    row("bridge", rules(chain), "EC2 ecs.availability-zone instance instance cpu memory", &["PL-15"]);
    row("bridge", rules(json!([{"type": "random"}])), "EC2 random", &[]);
    row("bridge", rules(json!(vec![json!({"type": "random"}); 6])), "I placementStrategy", &["PL-02"]);
    row("bridge", rules(json!([{"field": "cpu"}])), "I placementStrategy[0].type", &[]);
    let bad = [
        json!({"type": "random", "field": "cpu"}),
        json!({"type": "binpack"}),
        json!({"type": "binpack", "field": "instanceId"}),
        json!({"type": "spread"}),
        json!({"type": "spread", "field": "cpu"}),
        json!({"type": "spread", "field": "attribute:"}),
    ];
    for strategy in bad {
        row("bridge", rules(json!([strategy])), "I placementStrategy[0].field", &[]);
    }
    let member = || json!({"type": "memberOf", "expression": "attribute:stack == prod"});
    let limits = |limits: Value| json!({"placementConstraints": limits});
    row("bridge", limits(json!([{"type": "distinctInstance"}, member()])), "EC2 d m", &[]);
    row("bridge", limits(json!([{"type": "distinctInstance", "expression": ""}])), "EC2 d", &[]);
    let expression = json!([{"type": "distinctInstance", "expression": "x"}]);
    row("bridge", limits(expression), "I placementConstraints[0].expression", &[]);
    row("bridge", limits(json!([{"type": "memberOf"}])), "I placementConstraints[0].expression", &[]);
    row("bridge", limits(json!([member(), {"expression": "x"}])), "I placementConstraints[1].type", &[]);
    row("bridge", limits(json!(vec![member(); 10])), &format!("EC2{}", " m".repeat(10)), &[]);
    row("bridge", limits(json!(vec![member(); 11])), "I placementConstraints", &["PL-02"]);
    row("pinned", limits(json!(vec![member(); 8])), &format!("EC2{}", " m".repeat(8)), &[]);
    row("pinned", limits(json!(vec![member(); 9])), "I placementConstraints", &["PL-02"]);
    let on_fargate = |patch: Value| {
        let network = network(json!(["subnet-a"]));
        changed(json!({"launchType": "FARGATE", "networkConfiguration": network}), patch)
    };
    row("small", on_fargate(limits(json!([member()]))), "I placementConstraints", &["PL-31"]);
    row("small", on_fargate(rules(json!([{"type": "random"}]))), "I placementStrategy", &["PL-31"]);
}

/// A volume as `gp3 10 3000 125`, and `kept` when it is not deleted with its task.
fn spell_volume(volume: &ManagedVolume) -> String {
    let ManagedVolume { kind, size, iops, throughput, deleted_with_task } = *volume;
    let kept = if deleted_with_task { "" } else { " kept" };
    format!("{kind:?} {} {iops} {throughput}{kept}", size.mib_down() / 1024).to_lowercase()
}

#[test]
fn volumes_at_launch() {
    let plane = Plane::new();
    let check = |family: &str, launch: &str, volumes: Value, expected: &str| {
        let document = json!({"taskDefinition": family, "launchType": launch, "volumeConfigurations": volumes,
            "networkConfiguration": network(json!(["subnet-a"]))});
        let spelled = must_reach(&["TD-51"], || match plane.run(&document) {
            Ok((run, definitions)) => {
                run.placing.volume.map_or("none".to_owned(), |row| spell_volume(&definitions[row]))
            }
            Err(error) => spell(&error),
        });
        assert_eq!(spelled, expected, "{document}");
    };
    let named = |name: &str, patch: Value| {
        let volume = changed(json!({"roleArn": "arn:role", "sizeInGiB": 10}), patch);
        json!([{"name": name, "managedEBSVolume": volume}])
    };
    // Definition and request agree on one volume.
    check("small", "FARGATE", json!([]), "none");
    check("stores", "FARGATE", json!([]), "I volumeConfigurations");
    let path = "volumeConfigurations[0]";
    check("small", "FARGATE", named("data", json!({})), &format!("I {path}.name"));
    check("stores", "EC2", named("scratch", json!({})), &format!("I {path}.name"));
    let twice = json!([named("data", json!({}))[0], named("data", json!({}))[0]]);
    check("stores", "EC2", twice, "I volumeConfigurations");
    check("stores", "EC2", json!([{"name": "data"}]), &format!("I {path}.managedEBSVolume"));
    let path = format!("{path}.managedEBSVolume");
    let row = |patch: Value, expected: &str| {
        check("stores", "FARGATE", named("data", patch), &expected.replace('@', &path));
    };
    row(json!({}), "gp3 10 3000 125");
    row(json!({"roleArn": ""}), "I @.roleArn");
    row(json!({"terminationPolicy": {"deleteOnTermination": false}}), "gp3 10 3000 125 kept");
    row(json!({"terminationPolicy": {}}), "gp3 10 3000 125");
    row(json!({"sizeInGiB": null}), "I @.sizeInGiB");
    row(json!({"sizeInGiB": null, "snapshotId": "snap-1"}), "U @.sizeInGiB");
    let sized = |kind: &str, size: i32| json!({"volumeType": kind, "sizeInGiB": size, "iops": 100});
    for (kind, least) in [("gp2", 1), ("io1", 4), ("st1", 125), ("sc1", 125)] {
        let iops = if kind == "io1" { 100 } else { 0 };
        row(sized(kind, least), &format!("{kind} {least} {iops} 0"));
        row(sized(kind, least - 1), "I @.sizeInGiB");
        row(sized(kind, 16_384), &format!("{kind} 16384 {iops} 0"));
        row(sized(kind, 16_385), "I @.sizeInGiB");
    }
    row(json!({"volumeType": "io1"}), "I @.iops");
    row(json!({"volumeType": "gp4"}), "I @.volumeType");
    row(json!({"volumeType": "io2"}), "U @.volumeType");
    row(json!({"volumeType": "standard"}), "I @.volumeType");
    check("stores", "EC2", named("data", json!({"volumeType": "standard"})), &format!("U {path}.volumeType"));
    for (field, least, most) in [("iops", 3000, 16_000), ("throughput", 125, 1000)] {
        let with = |amount: i32| json!({field: amount});
        row(with(least), "gp3 10 3000 125");
        row(with(least - 1), &format!("I @.{field}"));
        row(with(most + 1), &format!("I @.{field}"));
    }
    row(json!({"iops": 16_000, "throughput": 1000}), "gp3 10 16000 1000");
    // A service deletes its volumes.
    let service = |patch: Value| {
        let document = json!({"serviceName": "s", "desiredCount": 1, "taskDefinition": "stores",
            "volumeConfigurations": named("data", patch), "networkConfiguration": network(json!(["subnet-a"]))});
        must_reach(&["TD-51"], || plane.service(&document).map(|_| ()).map_err(|error| spell(&error)))
    };
    assert_eq!(service(json!({})), Ok(()));
    let kept = service(json!({"terminationPolicy": {"deleteOnTermination": false}}));
    assert_eq!(kept, Err(format!("I {path}.terminationPolicy")));
}

#[test]
fn clusters_are_deleted_when_nothing_is_in_them() {
    let plane = Plane::new();
    let row = |named: Value, contents: Contents, expected: &str, marks: &[&str]| {
        let request = shaped::<DeleteCluster>(&json!({"cluster": named}));
        let mut clusters = plane.clusters.clone();
        let left = must_reach(marks, || match cluster::delete(&request, contents, &mut clusters) {
            Ok(()) => clusters.iter().map(|cluster| cluster.name.as_str()).collect::<Vec<_>>().join(" "),
            Err(error) => spell(&error),
        });
        assert_eq!(left, expected, "{named} with {contents:?}");
    };
    let none = Contents::default();
    row(json!("main"), none, "default fargate", &["CL-03"]);
    row(json!("arn:aws:ecs:us-east-1:1:cluster/main"), none, "default fargate", &["CL-03"]);
    row(json!("nowhere"), none, "N cluster", &[]);
    row(json!(null), none, "I cluster", &[]);
    row(json!("main"), Contents { services: 1, tasks: 1, instances: 1 }, "S cluster", &["CL-03"]);
    row(json!("main"), Contents { tasks: 1, instances: 1, ..none }, "R cluster", &["CL-03"]);
    row(json!("main"), Contents { instances: 1, ..none }, "M cluster", &["CL-03"]);
}

#[test]
fn capacity_providers() {
    let plane = Plane::new();
    let row = |shares: Value, expected: &str, marks: &[&str]| {
        let document = json!({
            "cluster": "main", "taskDefinition": "small", "capacityProviderStrategy": shares,
            "networkConfiguration": network(json!(["subnet-a"])),
        });
        let spelled = must_reach(marks, || match plane.run(&document) {
            Ok((run, definitions)) => spell_placing(&run.placing, &definitions.symbols),
            Err(error) => spell(&error),
        });
        assert_eq!(spelled, expected, "{document}");
    };
    let share = |name: &str, weight: i32, base: i32| json!({"capacityProvider": name, "weight": weight, "base": base});
    let at = "capacityProviderStrategy";
    row(json!([share("FARGATE", 1, 0)]), "FARGATE subnet-a@zone-a", &[]);
    row(json!([share("FARGATE", 1000, 100_000)]), "FARGATE subnet-a@zone-a", &[]);
    row(json!([share("FARGATE", 1, 0), share("FARGATE_SPOT", 0, 0)]), "FARGATE subnet-a@zone-a", &[]);
    row(json!([share("FARGATE", 1, 0), share("FARGATE_SPOT", 1, 0)]), &format!("U {at}"), &[]);
    row(json!([share("FARGATE", 1, 0), share("FARGATE_SPOT", 0, 1)]), &format!("U {at}"), &[]);
    row(json!([share("asg", 1, 0)]), &format!("U {at}"), &[]);
    row(json!([share("asg", 1, 0), share("other", 1, 0)]), &format!("U {at}"), &[]);
    row(json!([share("asg", 1, 0), share("FARGATE", 1, 0)]), &format!("I {at}"), &["CP-04", "CL-05"]);
    row(json!([share("FARGATE", 0, 0)]), &format!("C {at}"), &["CP-03"]);
    row(json!([{"capacityProvider": "FARGATE"}]), &format!("C {at}"), &["CP-03"]);
    row(json!([share("FARGATE", 0, 1)]), &format!("C {at}"), &["CP-03"]);
    row(json!([share("FARGATE", 1, 1), share("FARGATE", 1, 1)]), &format!("I {at}"), &["CP-03"]);
    row(json!([share("FARGATE", 1, 0), share("FARGATE", 1, 1)]), "FARGATE subnet-a@zone-a", &[]);
    row(json!([share("FARGATE", 1001, 0)]), &format!("I {at}[0].weight"), &["CP-03"]);
    row(json!([share("FARGATE", -1, 0)]), &format!("I {at}[0].weight"), &["CP-03"]);
    row(json!([share("FARGATE", 1, 100_001)]), &format!("I {at}[0].base"), &["CP-03"]);
    row(json!([share("FARGATE", 1, -1)]), &format!("I {at}[0].base"), &["CP-03"]);
    row(json!([share("FARGATE", 1, 0), {"weight": 1}]), &format!("I {at}[1].capacityProvider"), &[]);
    row(json!([share("", 1, 0)]), &format!("I {at}[0].capacityProvider"), &[]);
    row(json!(vec![share("FARGATE", 1, 0); 20]), "FARGATE subnet-a@zone-a", &[]);
    row(json!(vec![share("FARGATE", 1, 0); 21]), &format!("I {at}"), &[]);
    let launch = json!({"cluster": "main", "taskDefinition": "small", "launchType": "FARGATE",
        "capacityProviderStrategy": [share("FARGATE", 1, 0)]});
    let error = must_reach(&["CP-04"], || plane.run(&launch)).expect_err("either or");
    assert_eq!(spell(&error), "I launchType");
}

#[test]
fn run_task() {
    let plane = Plane::new();
    let row = |patch: Value, expected: &str, marks: &[&str]| {
        let document = changed(json!({"taskDefinition": "bridge"}), patch);
        let spelled = must_reach(marks, || match plane.run(&document) {
            Ok((run, definitions)) => {
                assert_eq!(run.instances, None);
                let definition = &definitions[run.task_definition];
                let names =
                    [run.name, run.group, definition.family].map(|name| definitions.symbols.text(name));
                format!("{} {}", names.join(" "), run.count)
            }
            Err(error) => spell(&error),
        });
        assert_eq!(spelled, expected, "{document}");
    };
    row(json!({}), "batch family:bridge bridge 1", &["RT-01", "TK-05", "CL-02"]);
    row(json!({"group": "nightly"}), "batch nightly bridge 1", &["TK-05"]);
    row(json!({"taskDefinition": "pinned:1"}), "batch family:pinned pinned 1", &[]);
    row(json!({"taskDefinition": null}), "I taskDefinition", &[]);
    row(json!({"taskDefinition": "nobody"}), "C taskDefinition", &[]);
    for (count, expected) in
        [(0, "I count"), (1, "1"), (10, "10"), (11, "I count"), (-1, "I count"), (257, "I count")]
    {
        let found = if expected == "I count" {
            expected.into()
        } else {
            format!("batch family:bridge bridge {expected}")
        };
        row(json!({"count": count}), &found, &["RT-01"]);
    }
    let fine = "batch family:bridge bridge 1";
    row(json!({"startedBy": text(128), "clientToken": text(64)}), fine, &[]);
    row(json!({"startedBy": "\u{1F980}".repeat(128)}), fine, &[]);
    row(json!({"startedBy": text(129)}), "I startedBy", &[]);
    row(json!({"clientToken": text(65)}), "I clientToken", &[]);
    let overrides = |length: usize| {
        let empty = json!({"taskRoleArn": ""}).to_string().len();
        json!({"overrides": {"taskRoleArn": text(length - empty)}})
    };
    row(overrides(8192), fine, &[]);
    row(overrides(8193), "I overrides", &[]);
    row(json!({"overrides": null}), fine, &[]);
    row(json!({"tags": [{}]}), "I tags[0].key", &[]);
    row(json!({"cluster": "main"}), fine, &["CL-02"]);
    row(json!({"cluster": "arn:aws:ecs:us-east-1:111122223333:cluster/main"}), fine, &["CL-02"]);
    row(json!({"cluster": "nobody"}), "N cluster", &["CL-02"]);
    let (run, definitions) =
        plane.run(&json!({"taskDefinition": "bridge", "clientToken": "a"})).expect("it is fine");
    assert_eq!(run.client_token.map(|token| definitions.symbols.text(token)), Some("a"));
    let no_cluster = Plane { clusters: Vec::new(), ..Plane::new() };
    assert_eq!(spell(&no_cluster.run(&json!({"taskDefinition": "bridge"})).expect_err("none")), "N cluster");
}

#[test]
fn start_task() {
    let plane = Plane::new();
    let row = |patch: Value, expected: &str, marks: &[&str]| {
        let base = json!({"taskDefinition": "bridge", "containerInstances": ["pool-7"]});
        let document = changed(base, patch);
        let spelled = must_reach(marks, || match plane.start(&document) {
            Ok((start, definitions)) => {
                let symbols = &definitions.symbols;
                let instances = start.instances.unwrap_or_default();
                let names = instances.iter().map(|name| format!("{}#{}", symbols.text(name.of), name.serial));
                let names: Vec<String> = names.collect();
                let group = symbols.text(start.group);
                let placing = spell_placing(&start.placing, symbols);
                format!("{} {group} {} {placing} {}", symbols.text(start.name), start.count, names.join(" "))
            }
            Err(error) => spell(&error),
        });
        assert_eq!(spelled, expected, "{document}");
    };
    let instances = |names: Value| json!({"containerInstances": names});
    row(json!({}), "agents family:bridge 1 EC2 pool#7", &["RT-06", "TK-05"]);
    row(instances(json!(["my-pool-0", "p-12"])), "agents family:bridge 1 EC2 my-pool#0 p#12", &[]);
    let arn = "arn:aws:ecs:us-east-1:111122223333:container-instance/main/pool-3";
    row(instances(json!([arn])), "agents family:bridge 1 EC2 pool#3", &[]);
    row(json!({"group": "g"}), "agents g 1 EC2 pool#7", &[]);
    row(instances(json!([])), "I containerInstances", &["RT-06"]);
    let ten = format!("agents family:bridge 1 EC2{}", " p#1".repeat(10));
    row(instances(json!(vec!["p-1"; 10])), &ten, &["RT-06"]);
    row(instances(json!(vec!["p-1"; 11])), "I containerInstances", &["RT-06"]);
    for bad in ["pool", "pool-x", "-1", "pool-", "pool--1x", ""] {
        row(instances(json!(["p-1", bad])), "I containerInstances[1]", &[]);
    }
    row(json!({"startedBy": text(36)}), "agents family:bridge 1 EC2 pool#7", &[]);
    row(json!({"startedBy": text(37)}), "I startedBy", &[]);
    row(json!({"overrides": {"cpu": text(8192)}}), "I overrides", &[]);
    row(json!({"tags": [{}]}), "I tags[0].key", &[]);
    row(json!({"cluster": "nobody"}), "N cluster", &[]);
    row(json!({"taskDefinition": null}), "I taskDefinition", &[]);
    row(
        json!({"taskDefinition": "managed", "networkConfiguration": network(json!(["subnet-a"]))}),
        "I taskDefinition",
        &["TD-34"],
    );
    let awsvpc = json!({"taskDefinition": "awsvpc", "networkConfiguration": network(json!(["subnet-a"]))});
    row(awsvpc, "agents family:awsvpc 1 EC2 subnet-a@zone-a pool#7", &[]);
    row(json!({"taskDefinition": "awsvpc"}), "I networkConfiguration", &[]);
}

#[test]
fn create_service() {
    let plane = Plane::new();
    let row = |patch: Value, expected: &str, marks: &[&str]| {
        let base = json!({"serviceName": "web", "taskDefinition": "bridge", "desiredCount": 2});
        let document = changed(base, patch);
        let spelled = must_reach(marks, || match plane.service(&document) {
            Ok((made, definitions)) => {
                let family = definitions[made.task_definition].family;
                let names = [made.name, made.group, family].map(|name| definitions.symbols.text(name));
                let (least, most) = (made.healthy_min.0, made.running_max.0);
                let placing = spell_placing(&made.placing, &definitions.symbols);
                format!("{} {} {least}/{most} {} {placing}", names.join(" "), made.desired_count, made.grace)
            }
            Err(error) => spell(&error),
        });
        assert_eq!(spelled, expected, "{document}");
    };
    row(json!({}), "web service:web bridge 2 100/200 0s EC2", &["TK-05", "CL-06"]);
    row(json!({"serviceName": null}), "I serviceName", &[]);
    row(json!({"serviceName": "a b"}), "I serviceName", &[]);
    row(json!({"serviceName": text(256)}), "I serviceName", &[]);
    row(json!({"desiredCount": 0}), "web service:web bridge 0 100/200 0s EC2", &[]);
    row(json!({"desiredCount": null}), "I desiredCount", &[]);
    row(json!({"desiredCount": -1}), "I desiredCount", &[]);
    row(json!({"clientToken": text(36)}), "web service:web bridge 2 100/200 0s EC2", &[]);
    row(json!({"clientToken": text(37)}), "I clientToken", &[]);
    row(json!({"tags": [{}]}), "I tags[0].key", &[]);
    row(json!({"cluster": "nobody"}), "N cluster", &[]);
    row(json!({"taskDefinition": null}), "I taskDefinition", &[]);
    row(json!({"healthCheckGracePeriodSeconds": 30}), "web service:web bridge 2 100/200 30s EC2", &[]);
    row(json!({"healthCheckGracePeriodSeconds": -1}), "I healthCheckGracePeriodSeconds", &[]);
    let bounds = |least: Value, most: Value| json!({"deploymentConfiguration": {"minimumHealthyPercent": least, "maximumPercent": most}});
    row(bounds(json!(50), json!(150)), "web service:web bridge 2 50/150 0s EC2", &[]);
    row(bounds(json!(100), json!(100)), "web service:web bridge 2 100/100 0s EC2", &[]);
    row(bounds(json!(0), json!(null)), "web service:web bridge 2 0/200 0s EC2", &[]);
    row(bounds(json!(0), json!(99)), "I deploymentConfiguration.maximumPercent", &[]);
    row(bounds(json!(151), json!(150)), "I deploymentConfiguration.maximumPercent", &[]);
    row(bounds(json!(-1), json!(150)), "I deploymentConfiguration.minimumHealthyPercent", &[]);
    row(bounds(json!(1), json!(-1)), "I deploymentConfiguration.maximumPercent", &[]);
    row(json!({"schedulingStrategy": "REPLICA"}), "web service:web bridge 2 100/200 0s EC2", &[]);
    row(json!({"schedulingStrategy": "DAEMON"}), "U schedulingStrategy", &[]);
    let controller = |kind: &str| json!({"deploymentController": {"type": kind}});
    row(controller("ECS"), "web service:web bridge 2 100/200 0s EC2", &[]);
    row(controller("CODE_DEPLOY"), "U deploymentController.type", &[]);
    row(controller("EXTERNAL"), "U deploymentController.type", &[]);
    let shift = |kind: &str| json!({"deploymentConfiguration": {"strategy": kind}});
    row(shift("ROLLING"), "web service:web bridge 2 100/200 0s EC2", &[]);
    for kind in ["BLUE_GREEN", "LINEAR", "CANARY"] {
        row(shift(kind), "U deploymentConfiguration.strategy", &[]);
    }
    let fargate = json!({
        "taskDefinition": "small", "launchType": "FARGATE", "platformVersion": "LATEST",
        "networkConfiguration": network(json!(["subnet-a"])),
    });
    row(fargate, "web service:web small 2 100/200 0s FARGATE subnet-a@zone-a", &[]);
    let share = json!([{"capacityProvider": "FARGATE", "weight": 1}]);
    let strategy = json!({"taskDefinition": "small", "capacityProviderStrategy": share,
        "networkConfiguration": network(json!(["subnet-a"]))});
    row(strategy, "web service:web small 2 100/200 0s FARGATE subnet-a@zone-a", &[]);
    let placed = json!({"placementStrategy": [{"type": "random"}], "placementConstraints": [{"type": "distinctInstance"}]});
    row(placed, "web service:web bridge 2 100/200 0s EC2 random d", &[]);
}

#[test]
fn create_cluster() {
    let row = |document: Value, expected: &str, marks: &[&str]| {
        let made = must_reach(marks, || cluster::create(&shaped::<CreateCluster>(&document)));
        let spelled = made.map_or_else(|error| spell(&error), |made| made.name);
        assert_eq!(spelled, expected, "{document}");
    };
    row(json!({}), "default", &[]);
    row(json!({"clusterName": "main"}), "main", &[]);
    row(json!({"clusterName": "a b"}), "I clusterName", &["CL-02"]);
    row(json!({"clusterName": text(255)}), &text(255), &[]);
    row(json!({"clusterName": text(256)}), "I clusterName", &["CL-02"]);
    row(json!({"tags": [{}]}), "I tags[0].key", &[]);
    row(json!({"capacityProviders": vec!["a"; 20]}), "default", &[]);
    row(json!({"capacityProviders": vec!["a"; 21]}), "I capacityProviders", &[]);
    let with = |providers: Value, share: Value| json!({"capacityProviders": providers, "defaultCapacityProviderStrategy": [share]});
    let fargate = || json!({"capacityProvider": "FARGATE", "weight": 1});
    row(with(json!(["FARGATE", "asg"]), fargate()), "default", &[]);
    row(with(json!(["asg"]), fargate()), "I defaultCapacityProviderStrategy[0].capacityProvider", &[]);
    let idle = json!({"capacityProvider": "FARGATE"});
    row(with(json!(["FARGATE"]), idle), "C defaultCapacityProviderStrategy", &["CP-03"]);
}

#[test]
fn what_has_no_effect_is_said() {
    let document = json!({
        "family": "web",
        "enableFaultInjection": true,
        "containerDefinitions": [{"name": "a"}, {"name": "b", "command": ["x"], "environment": [{"name": "A"}]}],
    });
    let read = read::<RegisterTaskDefinition>(&document).expect("well formed");
    let mut paths: Vec<&str> = read.warnings.iter().map(|warning| &*warning.path).collect();
    paths.sort_unstable();
    let expected =
        ["containerDefinitions[1].command", "containerDefinitions[1].environment", "enableFaultInjection"];
    assert_eq!(paths, expected);
    assert_eq!(read.request.document_bytes, document.to_string().len());
}

#[test]
fn patterns_lose_their_places() {
    let rows = [("a[12].b2[3]", "a[].b2[]"), ("a", "a"), ("", ""), ("x1[0]9", "x1[]9"), ("a[b1]", "a[b1]")];
    for (path, expected) in rows {
        assert_eq!(unmodelled::pattern(path), expected);
    }
    let find = |path| unmodelled::find(super::Operation::CreateService, path).map(|row| row.path);
    assert_eq!(find("role"), Some("role"));
    assert_eq!(find("roles"), None);
    assert_eq!(find("loadBalancers[].containerName"), Some("loadBalancers"));
    assert_eq!(find("monitoring.metricConfigurations"), Some("monitoring"));
    assert_eq!(find("tags"), None);
}

#[test]
fn errors_are_written_for_people() {
    let kinds = [
        ErrorKind::ClientException,
        ErrorKind::InvalidParameterException,
        ErrorKind::ClusterNotFoundException,
        ErrorKind::PlatformUnknownException,
        ErrorKind::PlatformTaskDefinitionIncompatibilityException,
        ErrorKind::UnsupportedFeatureException,
    ];
    for kind in kinds {
        assert_eq!(kind.as_str(), format!("{kind:?}"));
        assert_eq!(ApiError::new(kind, "", "x.").to_string(), format!("{kind:?}: x."));
    }
    assert_eq!(
        ApiError::not_modelled("p", "It").to_string(),
        "UnsupportedFeatureException: It is not modelled yet. (p)"
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let texts = prop::sample::select(vec![
        "", "main", "bridge", "small:1", "arn:x/y", "FARGATE", "EC2", "spread", "p-1", ":",
    ]);
    let leaf = prop_oneof![
        texts.prop_map(Value::from),
        prop::sample::select(vec![-1_i64, 0, 1, 10, 2_147_483_647]).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let names = prop::sample::select(vec![
        "cluster",
        "taskDefinition",
        "serviceName",
        "desiredCount",
        "count",
        "launchType",
        "containerInstances",
        "capacityProviderStrategy",
        "capacityProvider",
        "weight",
        "base",
        "networkConfiguration",
        "awsvpcConfiguration",
        "subnets",
        "placementStrategy",
        "placementConstraints",
        "type",
        "field",
        "expression",
        "overrides",
        "tags",
        "key",
        "clusterName",
        "deploymentConfiguration",
        "maximumPercent",
    ]);
    leaf.prop_recursive(4, 30, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..6)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_json_panics(document in any_value()) {
        let plane = Plane::new();
        let known = plane.known();
        if let Ok(read) = read::<RunTask>(&document) {
            drop(request::run(&read.request, "a", &known, &mut plane.copy()));
        }
        if let Ok(read) = read::<StartTask>(&document) {
            drop(request::start(&read.request, "a", &known, &mut plane.copy()));
        }
        if let Ok(read) = read::<CreateService>(&document) {
            drop(service::create(&read.request, &known, &mut plane.copy()));
        }
        if let Ok(read) = read::<CreateCluster>(&document) {
            drop(cluster::create(&read.request));
        }
    }
}
