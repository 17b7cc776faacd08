//! Platforms of ECS and of EKS in one scenario: one table, one record each, and warnings that can be errors.

use std::fs;

use serde_json::Value;

use crate::tool::{good, scenario, scratch, text, tool};

const SCENARIO: &str = r#"
name: both
region: us-east-1
run_for: 1h
subnets: { subnet-a: us-east-1a }
arrivals:
  work:
    every: 20/h
    from: 5m
    takes: 4m
    run_task: { taskDefinition: work }
    pod:
      spec:
        restartPolicy: Never
        containers: [ { name: work, image: "jobs/work:1", resources: { requests: { cpu: 250m, memory: 512Mi } } } ]
platforms:
  ecs:
    ecs:
      requests: requests/*.json
      launch_type: EC2
      pools: { general: { instance_type: m7i.large, count: 2 } }
  eks:
    eks:
      manifests: requests/*.yaml
      node_groups: { general: { instance_type: m7i.large, count: 2 } }
"#;

const REQUESTS: &str = r#"[ { "operation": "RegisterTaskDefinition", "input": {
    "family": "work", "containerDefinitions": [ { "name": "work", "image": "jobs/work:1", "cpu": 256, "memory": 512 } ] } } ]"#;

const MANIFESTS: &str = "
apiVersion: v1
kind: Pod
metadata: { name: cache }
spec:
  containers: [ { name: cache, image: cache:7, tty: true } ]
";

#[test]
fn one_table_has_both_kinds_of_clusters() {
    let folder = scratch();
    scenario(folder.path(), SCENARIO, &[("work.json", REQUESTS), ("cache.yaml", MANIFESTS)]);
    let (path, out) = (text(folder.path()), folder.path().join("out"));
    let summary: Value =
        serde_json::from_str(&good(&["run", path, "--json", "--out", text(&out)])).expect("a summary");
    let names: Vec<&str> = summary["platforms"]
        .as_array()
        .expect("platforms")
        .iter()
        .map(|platform| platform["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["ecs", "eks"]);
    // The record of a platform holds the files that it read, and no others.
    for (platform, file) in [("ecs", "work.json"), ("eks", "cache.yaml")] {
        let record = fs::read(out.join(platform).join("run.json")).expect("a record");
        let record: Value = serde_json::from_slice(&record).expect("a record is JSON");
        let read: Vec<&str> = record["requests"]
            .as_array()
            .expect("requests")
            .iter()
            .filter_map(|input| input["name"].as_str()?.rsplit('/').next())
            .collect();
        assert_eq!(read, [file], "{platform}");
    }
    for pod in ["work-3", "cache"] {
        let told = good(&["explain", text(&out.join("eks")), pod]);
        assert!(told.contains("general-"), "{told}");
    }
}

#[test]
fn strict_refuses_what_has_no_effect() {
    let folder = scratch();
    scenario(folder.path(), SCENARIO, &[("work.json", REQUESTS), ("cache.yaml", MANIFESTS)]);
    let path = text(folder.path());
    assert!(good(&["check", path]).ends_with("1 task definition, 2 groups of pods, 0 errors, 1 warning\n"));
    let ended = tool(&["check", "--strict", path]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("cache.yaml:6:48"), "{}", ended.err);
    assert_eq!(tool(&["run", "--strict", path, "--out", text(&folder.path().join("out"))]).code, Some(2));
}

#[test]
fn a_cluster_needs_no_files() {
    let alone = SCENARIO
        .replace("      manifests: requests/*.yaml\n", "")
        .replace("  ecs:\n    ecs:\n", "  other:\n    eks: { node_groups: { one: { instance_type: t3.small, count: 1 } } }\n  ecs:\n    ecs:\n");
    let folder = scratch();
    fs::write(folder.path().join("alone.yaml"), alone).expect("a scenario");
    let file = folder.path().join("alone.yaml");
    let arguments = ["run", text(&file), "--platform", "eks", "--platform", "other", "--quiet", "--out"];
    let said = good(&[&arguments[..], &[text(&folder.path().join("out"))]].concat());
    assert!(said.contains("eks") && said.contains("other"), "{said}");
}
