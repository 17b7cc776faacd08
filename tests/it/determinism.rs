//! The same scenario and seed give the same bytes: on any number of threads, again, beside other
//! workloads, under another name.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::tool::{files, good, scenario, scratch, text};

#[test]
fn threads_and_repetition_change_no_byte() {
    let rows: [(&str, &[&str]); 2] = [
        ("scenarios/one-task", &["--replications", "5"]),
        ("scenarios/first-flight", &["--replications", "3", "--set", "run_for=8h"]),
    ];
    for (scenario, more) in rows {
        let run = |jobs: &str| {
            let folder = scratch();
            let mut arguments = vec!["run", scenario, "--jobs", jobs, "--out", text(folder.path())];
            arguments.extend(more);
            let said = good(&arguments).replace(text(folder.path()), "OUT");
            (said, files(folder.path()))
        };
        let (said, first) = run("1");
        assert!(first.len() > 20, "{scenario} leaves its files: {:?}", first.keys());
        for jobs in ["2", "2", "7"] {
            let (again, second) = run(jobs);
            assert_eq!(said, again, "{scenario} with {jobs} jobs says the same");
            assert!(first.keys().eq(second.keys()), "{scenario} with {jobs} jobs leaves the same files");
            for (path, bytes) in &first {
                assert!(second[path] == *bytes, "{scenario} with {jobs} jobs: {} differs", path.display());
            }
        }
    }
}

/// A service and a stream of tasks called `NAME` and `NAME-job`, on the pool of that name or on
/// Fargate. API limits and launch rates are shared, so they are off.
fn workload(name: &str) -> [String; 2] {
    let register = |family: &str| {
        format!(
            r#"{{ "operation": "RegisterTaskDefinition", "input": {{
                "family": "{family}", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
                "placementConstraints": [{{ "type": "memberOf", "expression": "attribute:pool == {name}" }}],
                "containerDefinitions": [{{ "name": "main", "image": "{family}:1",
                    "healthCheck": {{ "command": ["CMD", "true"], "interval": 10 }} }}] }} }}"#
        )
    };
    let requests = format!(
        r#"[{}, {}, {{ "operation": "CreateService", "input": {{
            "serviceName": "{name}", "taskDefinition": "{name}", "desiredCount": 6, "launchType": "EC2",
            "networkConfiguration": {{ "awsvpcConfiguration": {{ "subnets": ["subnet-a", "subnet-b"] }} }} }} }}]"#,
        register(name),
        register(&format!("{name}-job"))
    );
    let arrival = format!(
        "  {name}-job:
    every: {{ poisson: 30/h }}
    from: 10m
    takes: {{ lognormal: {{ median: 6m, p99: 40m }} }}
    run_task:
      taskDefinition: {name}-job
      networkConfiguration: {{ awsvpcConfiguration: {{ subnets: [subnet-a, subnet-b] }} }}
"
    );
    [requests, arrival]
}

fn shop(arrivals: &str, platform: &str) -> String {
    let pools = ["first", "second"].map(|name| {
        format!("        {name}: {{ instance_type: m7i.xlarge, count: 4, attributes: {{ pool: {name} }} }}\n")
    });
    format!(
        "name: shop
region: us-east-1
run_for: 12h
subnets: {{ subnet-a: us-east-1a, subnet-b: us-east-1b }}
account: {{ awsvpc_trunking: true, api_limits: false, quotas: {{ fargate_vcpus: 1000 }} }}
images:
  defaults:
    size: 150 MB
    pull_failure: 10%
    crash: {{ after: {{ exponential: {{ mean: 3h }} }} }}
    unhealthy_after: {{ exponential: {{ mean: 5h }} }}
arrivals:
{arrivals}
platforms:
  {platform}:
    ecs:
      requests: requests/*.json
      launch_type: EC2
      pools:
{}",
        pools.concat()
    )
}

/// The rows of one workload in a table, and how many others there are.
fn rows_of(table: &str, workload: &str) -> (Vec<String>, usize) {
    let mine = |line: &&str| line.split(',').nth(1) == Some(workload);
    let rows: Vec<String> = table.lines().filter(mine).map(str::to_owned).collect();
    let others = table.lines().count() - rows.len();
    (rows, others)
}

#[test]
fn an_unrelated_workload_changes_nothing_of_the_first() {
    let ([first, first_job], [second, second_job]) = (workload("first"), workload("second"));
    let run = |name: &str, arrivals: &str, requests: &[(&str, &str)]| {
        let folder = scratch();
        scenario(folder.path(), &shop(arrivals, name), requests);
        let out = folder.path().join("out");
        good(&["run", text(folder.path()), "--quiet", "--out", text(&out)]);
        fs::read_to_string(out.join(name).join("tasks.csv")).expect("a table of tasks")
    };
    let alone = run("ec2", &first_job, &[("b.json", &first)]);
    // The second stands before the first in every list.
    let beside = run("ec2", &format!("{second_job}{first_job}"), &[("a.json", &second), ("b.json", &first)]);
    for (workload, at_least) in [("first", 20), ("first-job", 200)] {
        let (left, _) = rows_of(&alone, workload);
        let (right, others) = rows_of(&beside, workload);
        assert!(left.len() > at_least, "{workload} has {} tasks", left.len());
        assert!(others > left.len(), "the second workload has tasks too");
        assert_eq!(left, right, "tasks of {workload}");
    }
}

#[test]
fn a_platform_by_another_name_decides_alike() {
    let [requests, arrivals] = workload("first");
    let named = ["ec2", "another-name"].map(|name| {
        let folder = scratch();
        scenario(folder.path(), &shop(&arrivals, name), &[("a.json", &requests)]);
        let out = folder.path().join("out");
        good(&["run", text(folder.path()), "--quiet", "--out", text(&out)]);
        digests(&out)
    });
    assert_eq!(named[0], named[1]);
    let [seed_1, seed_2] = ["1", "2"].map(|seed| {
        let folder = scratch();
        good(&[
            "run",
            "scenarios/first-flight",
            "--replications",
            "1",
            "--seed",
            seed,
            "--out",
            text(folder.path()),
        ]);
        digests(folder.path())
    });
    assert_ne!(seed_1, seed_2, "another seed decides otherwise");
}

/// Every digest of the first platform.
fn digests(folder: &Path) -> Value {
    let summary = fs::read(folder.join("summary.json")).expect("a summary");
    let summary: Value = serde_json::from_slice(&summary).expect("a summary is JSON");
    let platform = &summary["platforms"][0];
    assert!(platform["decision_digest"].is_string());
    serde_json::json!([platform["decision_digest"], platform["digests"], platform["events_count"]])
}
