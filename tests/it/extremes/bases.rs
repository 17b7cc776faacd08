//! What the extreme numbers are laid into: one scenario, and one document of each kind, with everything
//! that has a number.

use serde_json::{Value, json};

/// Amounts with a unit, which are no integers of the API.
pub(super) const QUANTITIES: [(&str, &str); 22] = [
    ("Pod", "spec.containers[].resources.requests.cpu"),
    ("Pod", "spec.containers[].resources.requests.memory"),
    ("Pod", "spec.containers[].resources.requests.ephemeral-storage"),
    ("Pod", "spec.containers[].resources.requests.example.com/gpu"),
    ("Pod", "spec.containers[].resources.limits.cpu"),
    ("Pod", "spec.containers[].resources.limits.memory"),
    ("Pod", "spec.initContainers[].resources.requests.cpu"),
    ("Pod", "spec.initContainers[].resources.requests.memory"),
    ("Pod", "spec.overhead.cpu"),
    ("Pod", "spec.overhead.memory"),
    ("Pod", "spec.resources.requests.cpu"),
    ("Pod", "spec.resources.requests.memory"),
    ("Node", "status.capacity.cpu"),
    ("Node", "status.capacity.memory"),
    ("Node", "status.capacity.pods"),
    ("Node", "status.capacity.example.com/gpu"),
    ("Node", "status.allocatable.cpu"),
    ("Node", "status.allocatable.memory"),
    ("PersistentVolume", "spec.capacity.storage"),
    ("PersistentVolumeClaim", "spec.resources.requests.storage"),
    ("CSIStorageCapacity", "capacity"),
    ("CSIStorageCapacity", "maximumVolumeSize"),
];

/// Whether what stands below is by names of resources.
pub(super) fn is_amounts(step: &str) -> bool {
    matches!(step, "requests" | "limits" | "overhead" | "capacity" | "allocatable")
}

/// Weights at points of the scheduler that no plugin of it has.
pub(super) fn is_never_taken(path: &str) -> bool {
    matches!(
        path,
        "profiles[].plugins.permit.enabled[].weight" | "profiles[].plugins.postBind.enabled[].weight"
    )
}

/// The plugin of the scheduler that has an argument or works at a point.
fn plugin_of(path: &str) -> Option<&'static str> {
    let rest = path
        .strip_prefix("profiles[].plugins.")
        .or_else(|| path.strip_prefix("profiles[].pluginConfig[].args."))?;
    Some(match rest.split(['.', '[']).next().unwrap_or_default() {
        "preEnqueue" => "SchedulingGates",
        "queueSort" => "PrioritySort",
        "preFilter" | "filter" | "preScore" | "score" | "multiPoint" | "scoringStrategy" => {
            "NodeResourcesFit"
        }
        "postFilter" | "minCandidateNodesAbsolute" | "minCandidateNodesPercentage" => "DefaultPreemption",
        "reserve" | "preBind" | "bindTimeoutSeconds" => "VolumeBinding",
        "bind" => "DefaultBinder",
        "defaultConstraints" => "PodTopologySpread",
        "hardPodAffinityWeight" => "InterPodAffinity",
        "resources" => "NodeResourcesBalancedAllocation",
        other => panic!("which plugin has {other}?"),
    })
}

/// A scenario with every number of the language.
pub(super) fn scenario() -> Value {
    let image = json!({
        "size": "100 MiB", "layers": {"base": "60 MiB"}, "app_start": "1s", "takes": "10m", "exit_code": 0,
        "crash": {"after": {"lognormal": {"median": "2h", "p99": "9h", "max": "10h"}}, "exit_code": 3},
        "shutdown": {"uniform": {"from": "1s", "to": "3s"}}, "ignores_sigterm": "20%", "pull_failure": "1%",
        "unhealthy_after": {"exponential": {"mean": "1h", "max": "9h"}},
    });
    let task = json!({"taskDefinition": "web", "launchType": "EC2", "count": 2, "networkConfiguration": network(),
        "volumeConfigurations": [disk()]});
    let mut arrivals = json!({
        "main": {"at": "1m", "pods": 2, "deleted_after": "3m"},
        "even": {"every": "20/h", "from": "1m", "until": "9m", "calls": 3, "takes": "1m",
            "retry": {"every": "10s", "for": "1m"}},
        "free": {"every": {"poisson": "20/h"}},
        "daily": {"every": {"diurnal": {"mean": "20/h", "peak": "30/h", "at": "1h"}}},
        "bursts": {"every": {"bursts": {"quiet": "20/h", "burst": "60/h", "every": "3m", "lasts": "1m"}}},
        "states": {"every": {"mmpp": {"states": [{"rate": "20/h", "mean": "1m"}, {"rate": "90/h", "mean": "2m"}]}}},
    });
    for arrival in arrivals.as_object_mut().expect("a map").values_mut() {
        arrival["run_task"] = task.clone();
        arrival["pod"] = json!({"spec": {"restartPolicy": "Never", "containers": [
            {"name": "c", "image": "app:1", "resources": {"requests": {"cpu": "100m"}}}]}});
    }
    json!({
        "name": "extremes", "region": "us-east-1", "start": "2026-03-02T00:00:00Z", "run_for": "10m", "seed": 1,
        "replications": 1, "subnets": {"subnet-a": "us-east-1a"},
        "account": {"quotas": {"fargate_vcpus": 600, "container_instances": 50, "tasks_per_service": 50,
            "fargate_launches": {"at_once": 10, "per_second": 2}}},
        "images": {"defaults": image, "by_name": {"app:*": image}},
        "settings": {},
        "arrivals": arrivals,
        "platforms": {
            "ec2": {"ecs": {"requests": "requests.json", "launch_type": "EC2", "requests_at": "10s",
                "pools": {"pool": {"instance_type": "m7i.large", "count": 2}}}},
            "fargate": {"ecs": {"requests": "requests.json", "launch_type": "FARGATE"}},
            "eks": {"eks": {"manifests": "manifests.json",
                "node_groups": {"general": {"instance_type": "m7i.large", "count": 2}}}},
        },
    })
}

/// A scenario with a trace, which only ECS has.
pub(super) fn traced() -> Value {
    let mut scenario = scenario();
    scenario["platforms"].as_object_mut().expect("a map").remove("eks");
    let task = scenario["arrivals"]["main"]["run_task"].clone();
    scenario["arrivals"] = json!({"played": {
        "trace": {"format": "rate", "file": "rate.csv", "skip": "0s", "time": "second", "time_unit": "1s",
            "interval": "1m", "value": "count", "per_task": 2},
        "from": "1m", "until": "9m", "takes": "1m", "retry": {"every": "10s", "for": "1m"}, "run_task": task,
    }});
    scenario
}

/// The trace of that scenario.
pub(super) const TRACE: &str = "second,count\n0,5\n60,9\n120,0\n180,7\n240,1\n";

fn network() -> Value {
    json!({"awsvpcConfiguration": {"subnets": ["subnet-a"]}})
}

/// A volume for each task.
fn disk() -> Value {
    json!({"name": "data", "managedEBSVolume": {"roleArn": "arn:aws:iam::123456789012:role/disks",
        "sizeInGiB": 20, "volumeType": "gp3", "filesystemType": "ext4"}})
}

/// Requests with everything that has a number.
pub(super) fn requests() -> Value {
    let container = json!({
        "name": "web", "image": "app:1", "cpu": 10, "memory": 400, "memoryReservation": 200, "essential": true,
        "portMappings": [{"containerPort": 80}], "startTimeout": 60, "stopTimeout": 30,
        "restartPolicy": {"enabled": true, "ignoredExitCodes": [1], "restartAttemptPeriod": 60},
        "healthCheck": {"command": ["CMD", "true"], "interval": 10, "timeout": 5, "retries": 3, "startPeriod": 10},
        "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
        "ulimits": [{"name": "nofile", "softLimit": 1000, "hardLimit": 2000}],
    });
    let disk = disk();
    json!([
        {"operation": "RegisterTaskDefinition", "input": {
            "family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "volumes": [{"name": "data", "configuredAtLaunch": true}], "containerDefinitions": [container]}},
        {"operation": "RegisterTaskDefinition", "input": {
            "family": "job", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "containerDefinitions": [{"name": "job", "image": "app:2"}]}},
        {"operation": "CreateService", "input": {
            "serviceName": "web", "taskDefinition": "web", "desiredCount": 2, "networkConfiguration": network(), "volumeConfigurations": [disk],
            "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100}}},
        {"operation": "RunTask", "input": {
            "taskDefinition": "web", "count": 2, "networkConfiguration": network(), "volumeConfigurations": [disk],
            "overrides": {"containerOverrides": [{"name": "web"}]}}},
        {"operation": "CreateCluster", "input": {"clusterName": "own", "capacityProviders": ["FARGATE"],
            "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}]}},
    ])
}

/// The same with what a field needs that would be in the way of others.
pub(super) fn requests_with(operation: &str, path: &str) -> Value {
    let mut requests = requests();
    if path.contains("tmpfs") {
        let tmpfs = json!([{"containerPath": "/tmp", "size": 10}]);
        requests[0]["input"]["containerDefinitions"][0]["linuxParameters"]["tmpfs"] = tmpfs;
    }
    if operation == "StartTask" {
        let mut start = requests[3].clone();
        start["operation"] = json!(operation);
        start["input"]["containerInstances"] = json!(["pool-0"]);
        start["input"].as_object_mut().expect("a map").remove("count");
        requests.as_array_mut().expect("a list").push(start);
    }
    requests
}

/// An object of a kind, with everything that has a number, and with what the field at `path` needs.
pub(super) fn manifest(kind: &str, path: &str) -> Value {
    let shape = match kind {
        "Pod" => pod(),
        "Node" => json!({"status": {"capacity": {"cpu": "4", "memory": "8Gi", "pods": "20"},
            "images": [{"names": ["app:1"], "sizeBytes": 1000}]}}),
        "PersistentVolume" => json!({"spec": {"storageClassName": "slow", "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadWriteOnce"], "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "v"}}}),
        "PersistentVolumeClaim" => {
            json!({"spec": {"storageClassName": "slow", "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "5Gi"}}}})
        }
        "StorageClass" => {
            json!({"provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer"})
        }
        "CSINode" => json!({"metadata": {"name": "general-0"}, "spec": {"drivers": [
            {"name": "ebs.csi.aws.com", "allocatable": {"count": 3}}]}}),
        "CSIStorageCapacity" => json!({"storageClassName": "slow", "nodeTopology": {}, "capacity": "5Gi"}),
        "KubeSchedulerConfiguration" => configuration(path),
        _ => json!({}),
    };
    let mut document = shape;
    let version = match kind {
        "StorageClass" | "CSINode" | "CSIDriver" | "CSIStorageCapacity" | "VolumeAttachment" => {
            "storage.k8s.io/v1"
        }
        "PriorityClass" => "scheduling.k8s.io/v1",
        "ReplicaSet" | "StatefulSet" => "apps/v1",
        "PodDisruptionBudget" => "policy/v1",
        "KubeSchedulerConfiguration" => "kubescheduler.config.k8s.io/v1",
        _ => "v1",
    };
    document["kind"] = json!(kind);
    document["apiVersion"] = json!(version);
    if kind != "KubeSchedulerConfiguration" && document["metadata"].is_null() {
        document["metadata"] = json!({"name": "extreme", "labels": {"app": "extreme"}});
    }
    document
}

fn configuration(path: &str) -> Value {
    let mut profile = json!({"schedulerName": "default-scheduler"});
    let plugin = plugin_of(path);
    let point = path.strip_prefix("profiles[].plugins.").and_then(|rest| rest.split('.').next());
    if let Some((plugin, point)) = plugin.zip(point) {
        profile["plugins"] = json!({point: {"enabled": [{"name": plugin}], "disabled": [{"name": plugin}]}});
    } else if let Some(plugin) = plugin {
        let arguments = match plugin {
            "PodTopologySpread" => json!({"defaultingType": "List", "defaultConstraints": [{
                "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}]}),
            "NodeResourcesBalancedAllocation" => json!({"resources": [{"name": "cpu", "weight": 1}]}),
            "NodeResourcesFit" => json!({"scoringStrategy": {"type": "RequestedToCapacityRatio",
                "resources": [{"name": "cpu", "weight": 1}],
                "requestedToCapacityRatio": {"shape": [{"utilization": 0, "score": 1}]}}}),
            _ => json!({}),
        };
        profile["pluginConfig"] = json!([{"name": plugin, "args": arguments}]);
    }
    json!({"profiles": [profile]})
}

fn pod() -> Value {
    let term =
        json!({"topologyKey": "topology.kubernetes.io/zone", "labelSelector": {"matchLabels": {"app": "x"}}});
    let weighted =
        json!({"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]});
    let nodes = json!({"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {
        "matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}}]});
    let container = |name: &str| {
        json!({
            "name": name, "image": "app:1", "ports": [{"containerPort": 80}],
            "resources": {"requests": {"cpu": "100m", "memory": "100Mi"}},
            "readinessProbe": {"periodSeconds": 5, "httpGet": {"path": "/", "port": 80}},
        })
    };
    let mut sidecar = container("side");
    sidecar["restartPolicy"] = json!("Always");
    json!({"spec": {
        "containers": [container("main"), {"name": "more", "image": "app:1"}], "initContainers": [sidecar],
        "affinity": {"podAffinity": weighted, "podAntiAffinity": weighted, "nodeAffinity": nodes},
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "extreme"}}}],
    }})
}

/// The manifests of a run with this object: pods on their own and on a node that they name, before others.
pub(super) fn around(kind: &str, document: Value) -> Value {
    let mut objects = Vec::new();
    let mut add = |mut document: Value, name: &str, node: Option<&str>| {
        document["metadata"] = json!({"name": name, "labels": {"app": "extreme"}});
        if let Some(node) = node {
            document["spec"]["nodeName"] = json!(node);
        }
        objects.push(document);
    };
    let plain = if kind == "Pod" { document.clone() } else { manifest("Pod", "") };
    add(plain.clone(), "first", None);
    add(plain.clone(), "second", None);
    add(plain.clone(), "third", Some("general-0"));
    add(plain, "fourth", Some("general-0"));
    if kind != "Pod" {
        objects.push(document);
    }
    if kind.starts_with("CSI") || kind.starts_with("Persistent") {
        let mut class = manifest("StorageClass", "");
        class["metadata"]["name"] = json!("slow");
        objects.push(class);
        let mut claim = manifest("PersistentVolumeClaim", "");
        claim["metadata"]["name"] = json!("own");
        objects.push(claim);
        for (pod, claim) in objects.iter_mut().take(2).zip(["own", "extreme"]) {
            pod["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]);
        }
    }
    json!({"kind": "List", "apiVersion": "v1", "items": objects})
}
