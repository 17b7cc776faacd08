//! What users meet when something is wrong, and when all is well: exit codes, texts, files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::tool::{files, good, program, scenario, scratch, text, tool};

const SMALL: &str = "name: small
region: us-east-1
run_for: 30m
subnets:
  subnet-a: us-east-1a
images:
  defaults: { size: 100 MB }
arrivals:
  report:
    at: 5m
    takes: 10m
    run_task:
      taskDefinition: report
      networkConfiguration: { awsvpcConfiguration: { subnets: [subnet-a] } }
platforms:
  ec2:
    ecs:
      requests: requests/*.json
      launch_type: EC2
      pools:
        only: { instance_type: m7i.large, count: 1 }
  fargate:
    ecs:
      requests: requests/*.json
      launch_type: FARGATE
";

const REPORT: &str = r#"[{
  "operation": "RegisterTaskDefinition",
  "input": {
    "family": "report",
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [
      { "name": "main", "image": "report:1", "dependsOn": [] },
      { "name": "side", "image": "side:1", "essential": false, "dependsOn": [] }
    ]
  }
}]
"#;

const CLUSTER: &str = r#"[{"operation": "CreateCluster", "input": {"capacityProviders": ["FARGATE"],
    "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGTE", "weight": 1}]}}, {"#;
const SERVICE: &str = r#"}, {"operation": "CreateService", "input": {"serviceName": "s", "desiredCount": 1,
    "taskDefinition": "report", "deploymentConfiguration": {"minimumHealthyPercent": 150,
    "maximumPercent": 120}}}]
"#;
const DELETED: &str = r#"}, {"operation": "DeleteCluster", "input": {"cluster": "default"}}]
"#;
const TWICE: &str = r#"}, {"operation": "RunTask", "input": {"taskDefinition": "report", "clientToken": "t",
    "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}}},
  {"operation": "RunTask", "input": {"taskDefinition": "report", "clientToken": "t", "count": 2,
    "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}}}]
"#;
const ON_SIDE: &str = r#""report:1", "dependsOn": [{"containerName": "side", "condition": "START"}]"#;
const ON_MAIN: &str = r#"false, "dependsOn": [{"containerName": "main", "condition": "START"}]"#;

/// What is replaced by what in the scenario or the request file; then what the answer says: the code,
/// the place, and something else.
type Row = (&'static [(&'static str, &'static str)], [&'static str; 3]);

const WRONG: &[Row] = &[
    (&[("run_for:", "run_fro:")], ["E0103", "scenario.yaml:3:1", "did you mean \"run_for\"?"]),
    (&[("size: 100", "sizes: 100")], ["E0103", "scenario.yaml:7:15", "did you mean \"size\"?"]),
    (&[("30m", "30")], ["E0201", "scenario.yaml:3:10", "write one of w, d, h, m"]),
    (&[("100 MB", "100 megs")], ["E0202", "scenario.yaml:7:21", "write one of B, KiB, MiB"]),
    (&[("30m", "-30m")], ["E0204", "scenario.yaml:3:10", "is negative"]),
    (&[("30m", "0s")], ["E0108", "scenario.yaml:3:10", "lasts no time"]),
    (&[("30m", "3000d")], ["E0705", "scenario.yaml:3:10", "longer than"]),
    (&[("region:", "start: yesterday\nregion:")], ["E0207", "scenario.yaml:2:8", "2026-03-02T00:00:00Z"]),
    (&[("region:", "region: x\nregion:")], ["E0104", "scenario.yaml:3:1", "the first one is in line 2"]),
    (&[("    ecs:", "\tecs:")], ["E0101", "scenario.yaml:17:2", "tabs"]),
    (&[("us-east-1\n", "us-est-1\n")], ["E0302", "scenario.yaml:2:9", "did you mean \"us-east-1\"?"]),
    (&[("us-east-1a", "us-east-1q")], ["E0303", "scenario.yaml:5:13", "did you mean \"us-east-1a\"?"]),
    (&[("m7i.large", "m7i.lrge")], ["E0301", "scenario.yaml:21:32", "did you mean \"m7i.large\"?"]),
    (
        &[("count: 1", "count: 1000000000000000000000000000000")],
        ["E0205", "scenario.yaml:21:50", "larger than"],
    ),
    (
        &[("count: 1", "count: 100000")],
        ["E0704", "scenario.yaml:21:50", "account.quotas.container_instances"],
    ),
    (&[("count: 1", "count: -1")], ["E0108", "scenario.yaml:21:50", "not negative"]),
    (&[("100 MB", "100 MB, pull_failure: 120%")], ["E0108", "scenario.yaml:7:43", "120%"]),
    (
        &[("images:", "settings: { ec2.launch.failure_prob: 300% }\nimages:")],
        ["E0108", "scenario.yaml:6", "more than certain"],
    ),
    (
        &[("images:", "settings: { ec2.launch.failure_probb: 1% }\nimages:")],
        ["E0103", "scenario.yaml:6:13", "did you mean \"ec2.launch.failure_prob\"?"],
    ),
    (&[("launch_type: EC2", "launch_type: EC3")], ["E0106", "scenario.yaml:19:20", "did you mean \"EC2\"?"]),
    (&[("taskDefinition: report", "taskDefinition: reprot")], ["E0305", "scenario.yaml:13:7", "not found"]),
    (&[("[subnet-a]", "[subnet-b]")], ["E0408", "scenario.yaml:13:7", "'subnet-b' does not exist"]),
    (&[("requests/*.json", "nowhere/*.json")], ["E0803", "scenario.yaml:18:17", "no file matches"]),
    (&[("\"512\"", "\"4096\"")], ["E0405", "task.json:7:15", r#"write "cpu": "512", "memory": "4096""#]),
    (
        &[("\"512\"", "\"16384\""), ("\"256\"", "\"4096\"")],
        ["E0601", "scenario.yaml:18:17", "the largest registers 2 vCPU"],
    ),
    (
        &[(r#""report:1", "dependsOn": []"#, ON_SIDE), (r#"false, "dependsOn": []"#, ON_MAIN)],
        ["E0403", "task.json:9:59", "cycle"],
    ),
    (&[(r#""family""#, r#""famly""#)], ["E0103", "task.json:4:5", "did you mean \"family\"?"]),
    (&[("RegisterTask", "RegistreTask")], ["E0414", "task.json:2:16", "did you mean"]),
    (
        &[("at: 5m", "every: 6/h\n    from: 5m\n    until: 2m")],
        ["E0603", "scenario.yaml:12:12", "ends before"],
    ),
    (
        &[("images:", "account: { quotas: { fargate_launches: { at_once: 0, per_second: 1 } } }\nimages:")],
        ["E0108", "scenario.yaml:6:51", "no task would ever be launched"],
    ),
    (&[("[{", CLUSTER)], ["E0307", "task.json:2:62", "FARGTE is not one of the cluster's"]),
    (&[("}]\n", SERVICE)], ["E0603", "task.json", "not below minimumHealthyPercent"]),
    (&[("}]\n", DELETED)], ["E0413", "task.json", "The cluster default still has container instances"]),
    (&[("}]\n", TWICE)], ["E0413", "task.json", "The client token was used before with other parameters"]),
    (&[("[{", "[{,")], ["E0102", "task.json:1:3", "this is not JSON"]),
    (&[("  }\n}]\n", "")], ["E0102", "task.json", "this is not JSON"]),
];

/// Runs a folder, which must be refused for `expected` without leaving anything.
fn refused(folder: &Path, expected: &[&str]) {
    let out = folder.join("out");
    for command in ["check", "run"] {
        let mut arguments = vec![command, text(folder)];
        if command == "run" {
            arguments.extend(["--out", text(&out)]);
        }
        let ended = tool(&arguments);
        assert_eq!(ended.code, Some(2), "{command}: {expected:?} in {}", ended.err);
        for part in expected {
            assert!(ended.err.contains(part), "{command}: {part:?} is not in {}", ended.err);
        }
        assert!(ended.err.ends_with('\n') && !ended.err.ends_with("\n\n\n"), "{:?}", ended.err);
        assert_eq!(ended.err.matches(expected[0]).count(), 1, "said once: {}", ended.err);
    }
    assert!(!out.exists(), "nothing is written for {expected:?}");
}

#[test]
fn wrong_input_is_named_placed_and_writes_nothing() {
    for (changes, expected) in WRONG {
        let folder = scratch();
        let (mut plan, mut request) = (SMALL.to_owned(), REPORT.to_owned());
        for (from, to) in *changes {
            assert!(plan.contains(from) || request.contains(from), "{from} is there");
            plan = plan.replacen(from, to, if *from == "requests/*.json" { 9 } else { 1 });
            request = request.replacen(from, to, 1);
        }
        if expected[0] == "E0803" {
            // Once for each platform: both name the pattern.
            plan = plan.replace(
                "  fargate:\n    ecs:\n      requests: nowhere",
                "  fargate:\n    ecs:\n      requests: requests",
            );
        }
        scenario(folder.path(), &plan, &[("task.json", &request)]);
        refused(folder.path(), expected);
    }
}

/// What only follows from it is not said as well.
#[test]
fn an_unknown_zone_is_one_mistake() {
    let folder = scratch();
    scenario(folder.path(), &SMALL.replace("us-east-1a", "us-east-1q"), &[("task.json", REPORT)]);
    let ended = tool(&["check", text(folder.path())]);
    assert_eq!(ended.code, Some(2));
    assert_eq!(ended.err.matches("error[E").count(), 1, "{}", ended.err);
}

#[test]
fn platforms_that_are_not_there_are_wrong() {
    let folder = scratch();
    let head = SMALL.split("platforms:").next().expect("a head");
    scenario(folder.path(), &format!("{head}platforms: {{}}\n"), &[("task.json", REPORT)]);
    refused(folder.path(), &["E0108", "scenario.yaml:15:12", "without a platform"]);
    scenario(folder.path(), head, &[]);
    refused(folder.path(), &["E0107", "scenario.yaml:1:1", "platforms"]);
    scenario(folder.path(), SMALL, &[]);
    let ended = tool(&["run", text(folder.path()), "--platform", "fargat"]);
    assert_eq!(ended.code, Some(2));
    assert_eq!(
        ended.err,
        "E0306 there is no platform \"fargat\" in this scenario; did you mean \"fargate\"?\n"
    );
}

#[test]
fn request_files_that_are_no_text_are_wrong() {
    let rows: [(&[u8], &[&str]); 5] = [
        (&[0, 1, 2, 3, 255], &["E0109", "task.json", "binary"]),
        (b"\x1f\x8b\x08\x00\x00", &["E0109", "task.json", "binary"]),
        (b"[{ \"operation\": \"\xe4\" }]", &["E0109", "task.json", "UTF-8"]),
        (b"", &["E0102", "task.json:1:1", "JSON"]),
        (b"{}", &["E0105", "task.json:1:1", "a request file is a list of requests"]),
    ];
    for (bytes, expected) in rows {
        let folder = scratch();
        scenario(folder.path(), SMALL, &[]);
        fs::write(folder.path().join("requests/task.json"), bytes).expect("a file");
        refused(folder.path(), expected);
    }
}

#[test]
fn values_that_cannot_be_set_are_wrong() {
    let rows = [
        ("run_for", "write path=value, such as run_for=2h"),
        ("platform.ec2=1", "did you mean \"platforms\"?"),
        ("platforms.ec2.ecs.pools.only.count.more=1", "there is nothing below the value before \"more\""),
        ("run_for=2 hours", "E0202"),
        ("run_far=2h", "did you mean \"run_for\"?"),
    ];
    for (change, expected) in rows {
        let folder = scratch();
        let out = folder.path().join("out");
        let ended = tool(&["run", "scenarios/one-task", "--set", change, "--out", text(&out)]);
        assert_eq!(ended.code, Some(2), "{change}: {}", ended.err);
        assert!(ended.err.contains(expected), "{change}: {}", ended.err);
        assert!(!out.exists());
    }
}

#[test]
fn values_that_can_be_set_count() {
    let folder = scratch();
    let out = text(folder.path());
    let change = ["run_for=1h", "platforms.ec2.ecs.pools.only.count=3"];
    let json =
        good(&["run", "scenarios/one-task", "--set", change[0], "--set", change[1], "--json", "--out", out]);
    let summary: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(summary["run_for_s"], 3600.0);
    assert_eq!(summary["platforms"][0]["measures"]["instances_peak"]["mean"], 3.0, "{json}");
    assert_eq!(fs::read_to_string(folder.path().join("summary.json")).expect("a file"), json);
}

#[test]
fn files_that_cannot_be_read_or_written_are_another_matter() {
    let folder = scratch();
    let empty = text(folder.path());
    let ended = tool(&["run", empty]);
    assert_eq!(
        (ended.code, &*ended.err),
        (Some(4), &*format!("E0801 {empty} is a folder without a scenario.yaml, and none lies below it\n"))
    );
    let ended = tool(&["check", &format!("{empty}/nothing.yaml")]);
    assert_eq!(ended.code, Some(4));
    assert!(ended.err.starts_with(&format!("E0801 {empty}/nothing.yaml cannot be read: ")), "{}", ended.err);
    // A path below a file cannot be made, whoever runs the test.
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    let ended = tool(&["run", "scenarios/one-task", "--out", text(&file.join("below"))]);
    assert_eq!(ended.code, Some(4));
    assert!(ended.err.starts_with("E0802 ") && ended.err.contains("cannot be written"), "{}", ended.err);
}

#[test]
fn checks_say_what_they_found() {
    let said = good(&["check", "scenarios/one-task"]);
    assert_eq!(said, "one-task: 2 platforms, 1 task definition, 0 errors, 0 warnings\n");
    let ended = tool(&["check", "scenarios/first-flight", "--strict"]);
    assert_eq!(ended.code, Some(2), "its requests hold what is not modelled");
    for line in tool(&["check", "scenarios/first-flight", "--json"]).out.lines() {
        let written: Value = serde_json::from_str(line).expect("one object a line");
        assert!(written["code"].is_string() && written["line"].is_u64(), "{line}");
    }
}

#[test]
fn codes_are_explained() {
    let said = good(&["error", "E0103"]);
    assert!(said.contains("E0103") && said.contains("unknown key"), "{said}");
    assert_eq!(good(&["error", "e0103"]), said);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documented = fs::read_to_string(root.join("docs/errors.md")).expect("the list of codes");
    assert!(good(&["error", "--list"]) == documented, "docs/errors.md is `windtunnel error --list`");
    let ended = tool(&["error", "E9999"]);
    assert_eq!(ended.code, Some(2));
    assert_eq!(ended.err, "there is no code \"E9999\"; `windtunnel error --list` prints all\n");
}

#[test]
fn the_catalog_is_searched() {
    let said = good(&["catalog", "m7i"]);
    assert!(said.contains("m7i.large") && !said.contains("m7g.large"), "{said}");
    assert!(said.contains("prices on demand in us-east-1"), "{said}");
    let ended = tool(&["catalog", "m7i.lage"]);
    assert_eq!(
        (ended.code, ended.err.contains("did you mean \"m7i.large\"?")),
        (Some(2), true),
        "{}",
        ended.err
    );
    assert_eq!(tool(&["catalog", "--region", "us-est-1"]).code, Some(2));
    let first = good(&["catalog", "m7i.large", "--json"]);
    let row: Value = serde_json::from_str(first.lines().next().expect("a line")).expect("JSON");
    assert_eq!(row["instance_type"], "m7i.large");
}

#[test]
fn help_shows_examples() {
    for arguments in [&["--help"][..], &["run", "--help"], &["explain", "--help"], &["check", "--help"]] {
        let said = good(arguments);
        assert!(said.contains("Examples:\n  windtunnel "), "{said}");
    }
    assert!(good(&["--version"]).starts_with("windtunnel "));
    assert_eq!(tool(&[]).code, Some(2));
}

// ---- explain

#[test]
fn reasons_are_told_in_units() {
    let folder = scratch();
    let out = text(folder.path());
    let short = ["--replications", "1", "--set", "run_for=8h", "--quiet", "--out", out];
    good(&[&["run", "scenarios/first-flight"], &short[..]].concat());
    let ec2 = format!("{out}/ecs-ec2");
    let tasks = fs::read_to_string(format!("{ec2}/tasks.csv")).expect("a table");
    let (mut reasons, mut chosen) = (String::new(), 0);
    for row in tasks.lines().skip(1).step_by(7) {
        let mut columns = row.split(',');
        let (task, node) = (columns.next().expect("a task"), columns.nth(2).expect("a node"));
        let said = good(&["explain", &ec2, task]);
        assert!(said.starts_with(&format!("{task} on ecs-ec2\n\n")), "{said}");
        assert!(!said.contains("\n\n\n") && said.lines().all(|line| line.trim_end() == line), "{said}");
        assert!(node.is_empty() || said.contains(&format!("placed on {node}\n")), "{said}");
        chosen += usize::from(said.contains(&format!("{node}  chosen\n")));
        reasons.push_str(&said);
    }
    assert!(chosen > 5, "{reasons}");
    for part in ["RESOURCE:CPU  1 vCPU wanted, ", " vCPU free\n", "  RUNNING\n", "0:05:01.000  placed on"] {
        assert!(reasons.contains(part), "{part:?} is not in\n{reasons}");
    }
}

#[test]
fn what_cannot_be_explained_says_why() {
    let folder = scratch();
    let out = text(folder.path());
    good(&["run", "scenarios/one-task", "--quiet", "--out", out]);
    let ec2 = format!("{out}/ec2");
    let several = format!("which platform? name one of its folders:\n  {out}/ec2\n  {out}/fargate\n");
    let rows = [
        (out, "report-0", several.as_str()),
        (&ec2, "report", "\"report\" is no task; tasks are called WORKLOAD-NUMBER, such as web-3\n"),
        (&ec2, "report-7", "there was no task \"report-7\" in this run; the last of report is report-0\n"),
        (&ec2, "only-0", "E0306 there is no workload \"only\" in this result; known: report\n"),
        (
            &ec2,
            "reprot-0",
            "E0306 there is no workload \"reprot\" in this result; did you mean \"report\"?\n",
        ),
    ];
    for (result, task, expected) in rows {
        let ended = tool(&["explain", result, task]);
        assert_eq!((ended.code, &*ended.err), (Some(2), expected));
    }
    let nothing = scratch();
    let ended = tool(&["explain", text(nothing.path()), "report-0"]);
    assert_eq!((ended.code, ended.err.contains("holds no result (no run.json)")), (Some(2), true));
    let said = good(&["explain", &format!("{out}/fargate"), "report-0"]);
    assert!(said.contains("0:05:30.000  RUNNING\n") && said.ends_with("       Fargate  chosen\n"), "{said}");
    // A record of a run that was not like this.
    let record = folder.path().join("ec2/run.json");
    let changed = fs::read_to_string(&record).expect("a record").replace("at: 5m", "at: 6m");
    fs::write(&record, changed).expect("a record");
    let ended = tool(&["explain", &ec2, "report-0"]);
    assert_eq!((ended.code, ended.err.contains("decides differently")), (Some(3), true), "{}", ended.err);
    fs::write(&record, "{").expect("a record");
    assert_eq!(tool(&["explain", &ec2, "report-0"]).code, Some(2));
}

// ---- what the outer world does

/// When a run is killed.
#[derive(Clone, Copy)]
enum Moment {
    /// So long after its start.
    After(Duration),
    /// Once the first of its results is there: others are being written.
    WhileWriting,
}

#[test]
fn a_kill_leaves_whole_files_or_none() {
    use Moment::{After, WhileWriting};
    let rows = [
        (After(Duration::from_millis(5)), "200", 0),
        (After(Duration::from_millis(300)), "200", 0),
        (WhileWriting, "2", 1),
        (WhileWriting, "2", 1),
        (WhileWriting, "2", 1),
    ];
    for (moment, replications, at_least) in rows {
        let folder = scratch();
        let out = folder.path().join("out");
        let long = ["--replications", replications, "--set", "run_for=30d", "--quiet", "--out", text(&out)];
        let mut child = program()
            .args(["run", "scenarios/first-flight"])
            .args(long)
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        match moment {
            #[expect(clippy::disallowed_methods, reason = "the clock of the wall is meant")]
            After(wait) => std::thread::sleep(wait),
            WhileWriting => {
                while results(&out).is_empty() && child.try_wait().is_ok_and(|ended| ended.is_none()) {}
            }
        }
        child.kill().expect("a child can be killed");
        child.wait().expect("a child ends");
        let left = results(&out);
        assert!(left.len() >= at_least, "{:?}", left.keys());
        for (path, bytes) in &left {
            whole(path, bytes);
        }
    }
}

/// The files below a folder. What a killed run was just writing has a name that no result has.
fn results(out: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    files(out).into_iter().filter(|(path, _)| !hidden(path)).collect()
}

fn whole(path: &Path, bytes: &[u8]) {
    let ends_with = |end: &[u8]| assert!(bytes.trim_ascii_end().ends_with(end), "{} is cut", path.display());
    match path.extension().and_then(|kind| kind.to_str()) {
        Some("json") => drop(serde_json::from_slice::<Value>(bytes).expect("JSON is whole")),
        Some("csv") => assert_eq!(bytes.last(), Some(&b'\n'), "{} is cut", path.display()),
        Some("html") => ends_with(b"</html>"),
        Some("svg") => ends_with(b"</svg>"),
        _ => panic!("{} is no result", path.display()),
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [&["catalog"][..], &["error", "--list"]] {
        let mut child = program()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        assert_eq!((child.wait().expect("it ends").code(), &*said), (Some(0), ""), "{arguments:?}");
    }
}
