//! Pods in every result: tables, events, the bill, and what `explain` and `diff` say of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::tool::{good, scratch, text, tool};

const SCENARIO: &str = "\
name: fates
region: us-east-1
run_for: 2h
subnets: { subnet-a: us-east-1a, subnet-b: us-east-1b }
arrivals:
  web: { at: 1m, pods: 2, deleted_after: 90m, pod: { spec: { containers: [
    { name: c, image: 'app:1', resources: { requests: { cpu: 600m, memory: 256Mi } } } ] } } }
  batch: { at: 2m, pods: 2, takes: 3h, pod: { spec: { restartPolicy: Never, containers: [
    { name: c, image: 'app:1', resources: { requests: { cpu: 900m, memory: 256Mi } } } ] } } }
  big: { at: 3m, pods: 2, pod: { spec: { containers: [
    { name: c, image: 'app:1', resources: { requests: { cpu: 4, memory: 256Mi } } } ] } } }
  urgent: { at: 30m, pod: { spec: { priorityClassName: urgent, containers: [
    { name: c, image: 'app:1', resources: { requests: { cpu: 1200m, memory: 256Mi } } } ] } } }
platforms:
  eks:
    eks:
      manifests: manifests.yaml
      node_groups: { general: { instance_type: m7i.large, count: 2 } }
";

const MANIFESTS: &str = "\
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: { name: urgent }
value: 1000
---
apiVersion: v1
kind: Pod
metadata: { name: lonely }
spec: { containers: [ { name: c, image: 'app:2', resources: { requests: { cpu: 100m } } } ] }
";

/// Runs the scenario, with the scheduler as it is or as `scheduler` sets it up, into a folder.
fn run(folder: &Path, scheduler: &str) {
    let input = scratch();
    let scenario = input.path().join("scenario.yaml");
    fs::write(&scenario, format!("{SCENARIO}{scheduler}")).expect("it can be written");
    fs::write(input.path().join("manifests.yaml"), MANIFESTS).expect("it can be written");
    good(&["run", text(&scenario), "--quiet", "--out", text(folder)]);
}

/// The rows of a table: cells by column.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

#[test]
fn every_pod_has_a_row_and_a_story() {
    let folder = scratch();
    run(folder.path(), "");
    let eks = folder.path().join("eks");
    let rows = table(&eks.join("tasks.csv"));
    let names: Vec<&str> = rows.iter().map(|row| row["task"].as_str()).collect();
    assert_eq!(
        names,
        ["lonely", "web-0", "web-1", "batch-0", "batch-1", "big-0", "big-1", "urgent-0"],
        "in the order of their creation"
    );
    let mut preempted = 0;
    for row in &rows {
        let (name, node) = (&row["task"], &row["node"]);
        let told = good(&["explain", text(&eks), name]);
        assert!(told.starts_with(&format!("{name} on eks\n\n")), "{told}");
        assert!(!told.contains("\n\n\n") && told.lines().all(|line| line.trim_end() == line), "{told}");
        assert!(row["launch_type"].is_empty());
        if node.is_empty() {
            assert!(row["why"].starts_with("0/2 nodes are available: 2 "), "{row:?}");
            assert!(
                told.contains("No node can take it.") && told.contains("Insufficient cpu: general-"),
                "{told}"
            );
        } else {
            assert!(told.contains(&format!("bound to {node} in ")), "{told}");
            assert!(told.contains(&format!(" chosen  {node}")), "{told}");
        }
        if row["stop_code"] == "Preempted" {
            preempted += 1;
            assert!(
                told.contains("  preempted\n") && told.contains("Preempted: Preempted by pod "),
                "{told}"
            );
        }
    }
    assert_eq!(preempted, 1);
    let ended = tool(&["explain", text(&eks), "lonely-0"]);
    assert_eq!(ended.code, Some(0), "its workload and number name it too: {}", ended.err);
    let ended = tool(&["explain", text(&eks), "big-7"]);
    let unknown = "there was no pod \"big-7\" in this run; the last of big is big-1\n";
    assert_eq!((ended.code, ended.err.as_str()), (Some(2), unknown));
}

#[test]
fn files_tell_of_events_bills_and_who_waits() {
    let folder = scratch();
    run(folder.path(), "");
    let eks = folder.path().join("eks");
    let events = table(&eks.join("events.csv"));
    let about = |of: &str, reason: &str| {
        let mine = events.iter().filter(|row| row["of"] == of && row["reason"] == reason);
        mine.map(|row| row["count"].parse::<u32>().expect("a number")).sum::<u32>()
    };
    assert!(about("big-0", "FailedScheduling") > 5);
    assert_eq!((about("lonely", "Scheduled"), about("lonely", "Started")), (1, 1));
    let lines = table(&eks.join("bill.csv"));
    let plane: Vec<_> = lines.iter().filter(|row| row["component"] == "control plane").collect();
    assert_eq!(
        (plane.len(), plane[0]["of"].as_str(), plane[0]["amount_usd"].as_str()),
        (1, "cluster", "0.2")
    );
    let summary = fs::read(eks.join("summary.json")).expect("a summary");
    let summary: Value = serde_json::from_slice(&summary).expect("JSON");
    let platform = &summary["platforms"][0];
    let mean = |measure: &str| platform["measures"][measure]["mean"].as_f64();
    assert_eq!((mean("pending_end"), mean("preempted"), mean("tasks_refused")), (Some(2.0), Some(1.0), None));
    assert_eq!(platform["workloads"]["big"]["pending"]["mean"].as_f64(), Some(2.0));
    let last = table(&eks.join("timeseries.csv")).pop().expect("a row");
    assert_eq!((last["pending"].as_str(), last["instances"].as_str()), ("2", "2"));
    let page = fs::read_to_string(eks.join("report.html")).expect("a page");
    for part in [
        "<td>Insufficient cpu</td>",
        "Why pods wait",
        "(pod lonely) Scheduled: Successfully assigned default",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let nodes = table(&eks.join("nodes.csv"));
    assert!(nodes.iter().all(|row| !row["running"].is_empty() && !row["registered"].is_empty()));
}

#[test]
fn the_first_pod_that_goes_elsewhere_is_told() {
    let folder = scratch();
    let (spread, packed) = (folder.path().join("spread"), folder.path().join("packed"));
    run(&spread, "");
    let most = "      scheduler: { profiles: [ { pluginConfig: [ { name: NodeResourcesFit, args: \
                { scoringStrategy: { type: MostAllocated } } } ] } ] }\n";
    run(&packed, most);
    let ended = tool(&["diff", text(&spread), text(&packed)]);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    for part in [" is bound to general-0 in us-east-1a\n", " is bound to general-1 in us-east-1b\n"] {
        assert!(ended.out.contains(part), "{part:?} is not in\n{}", ended.out);
    }
    assert!(ended.out.matches("How the scheduler decided at").count() == 2, "{}", ended.out);
    assert_eq!(tool(&["diff", text(&spread), text(&spread)]).code, Some(0));
}
