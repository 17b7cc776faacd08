//! Traces as users meet them: every format through a run, every mistake by its line, pipes, and what an
//! explanation asks for.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::tool::{good, program, scenario, scratch, text, tool};

const PLAN: &str = "name: traced
region: us-east-1
run_for: 2h
subnets: { subnet-a: us-east-1a, subnet-b: us-east-1b }
images: { defaults: { size: 100 MB } }
arrivals:
  job:
    trace: { TRACE }
    from: 5m
    retry: { every: 5m, for: 1h }
    run_task: { taskDefinition: job, launchType: EC2 }
platforms:
  binpack:
    ecs:
      requests: requests/*.json
      launch_type: EC2
      placement_strategy: [{ type: binpack, field: memory }]
      pools: { fleet: { instance_type: g6.4xlarge, count: 3 } }
  spread:
    ecs:
      requests: requests/*.json
      launch_type: EC2
      placement_strategy: [{ type: spread, field: instanceId }]
      pools: { fleet: { instance_type: g6.4xlarge, count: 3 } }
";

const TASK: &str = r#"[{ "operation": "RegisterTaskDefinition", "input": {
  "family": "job", "networkMode": "bridge", "requiresCompatibilities": ["EC2"], "cpu": "1024", "memory": "1024",
  "containerDefinitions": [{ "name": "main", "image": "job:1" }] } }]"#;

const JOBS: &str = "arrival_s,duration_s,cpus\n0,600,1\n60,600,2\n120,60,4\n";
const JOB: &str = "format: lcg-job, file: trace.csv";

/// A scenario folder with a trace beside it.
fn folder(trace: &str, bytes: &[u8]) -> tempfile::TempDir {
    let folder = scratch();
    scenario(folder.path(), &PLAN.replace("TRACE", trace), &[("task.json", TASK)]);
    fs::write(folder.path().join("trace.csv"), bytes).expect("a trace");
    folder
}

/// Runs it; started and refused tasks of each platform.
fn counts(folder: &Path, more: &[&str]) -> Vec<(u64, u64)> {
    let out = folder.join("out");
    let arguments = [&["run", text(folder), "--out", text(&out), "--json"], more].concat();
    let summary: Value = serde_json::from_str(&good(&arguments)).expect("a summary");
    let platforms = summary["platforms"].as_array().expect("platforms");
    let figure = |platform: &Value, name: &str| {
        platform["measures"][name]["mean"]
            .as_f64()
            .map_or(u64::MAX, |count| format!("{count:.0}").parse().expect("a count"))
    };
    platforms.iter().map(|of| (figure(of, "tasks_started"), figure(of, "tasks_refused"))).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut into = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    into.write_all(bytes).expect("memory takes all");
    into.finish().expect("memory takes all")
}

#[test]
fn every_format_is_replayed() {
    let rate = "format: rate, file: trace.csv, time: t, interval: 10m, value: n, per_task: 10";
    let rows: [(&str, &str, u64); 6] = [
        (JOB, JOBS, 3),
        (
            "format: azure-vm, file: trace.csv",
            "arrival_s,vcpu,memory_gb,lifetime_min_s,lifetime_max_s,alive_at_end,vms\n\
             0,1,1.75,60,600,0,12\n300,2,3.5,0,60,1,2\n",
            14,
        ),
        (
            "format: dlrm-container, file: trace.csv, only: { role: HN }",
            "role,cpu,memory_gib,gpu,creation_s,scheduled_s,deletion_s\n\
             HN,4,16,1,,,\nCN,999,16,0,,,\nHN,4,16,1,60,70,130\n",
            2,
        ),
        (rate, "t,n\n1000,55\n1600,0\n2200,46\n", 10),
        (&format!("{rate}, spacing: poisson"), "t,n\n1000,0\n1600,0\n2200,0\n", 0),
        (&format!("{rate}, skip: 20m"), "t,n\n1000,55\n1600,0\n2200,46\n", 4),
    ];
    for (trace, csv, tasks) in rows {
        let plain = folder(trace, csv.as_bytes());
        assert_eq!(counts(plain.path(), &[]), [(tasks, 0), (tasks, 0)], "{trace}");
        let packed = folder(trace, &gzip(csv.as_bytes()));
        assert_eq!(counts(packed.path(), &[]), [(tasks, 0), (tasks, 0)], "{trace}");
    }
}

/// Refused with exit code 2 and these words, and nothing written.
fn refused(folder: &Path, more: &[&str], expected: &[&str]) {
    let out = folder.join("out");
    let ended = tool(&[&["run", text(folder), "--out", text(&out)], more].concat());
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    for words in expected {
        assert!(ended.err.contains(words), "{words:?} is not in\n{}", ended.err);
    }
    assert!(!out.exists(), "nothing is written");
}

#[test]
fn bad_rows_are_listed_and_let_pass_only_by_name() {
    let csv = format!("{JOBS}x,1,1\n130,1,0\n140,1,1\n100,1,1\n");
    let folder = folder(JOB, csv.as_bytes());
    let listed = [
        "E0804",
        "trace.csv:5: arrival_s is \"x\", a whole number is wanted",
        "trace.csv:6: cpus is 0",
        "trace.csv:8: the time is before that of an earlier row by 40s",
        "trace.csv: 3 of 7 rows mean nothing",
        "--skip-bad-rows 3 goes on without them",
        "scenario.yaml:8:",
    ];
    refused(folder.path(), &[], &listed);
    refused(folder.path(), &["--skip-bad-rows", "2"], &listed);
    assert_eq!(counts(folder.path(), &["--skip-bad-rows", "3"]), [(4, 0), (4, 0)]);
    let said =
        good(&["run", text(folder.path()), "--skip-bad-rows", "9", "--out", text(&folder.path().join("o"))]);
    assert!(said.contains("3 bad rows left out"), "{said}");
}

#[test]
fn files_that_are_no_traces_are_refused() {
    let packed = gzip(JOBS.repeat(20).as_bytes());
    let rows: [(&str, &[u8], &[&str]); 10] = [
        (JOB, b"", &["E0805", "it is empty"]),
        (JOB, b"a,b\n1,2\n", &["E0805", "there is no column \"arrival_s\"", "found: a, b"]),
        (JOB, &[0, 255, 1, 254], &["E0805", "there is no column"]),
        (JOB, &packed[..packed.len() - 9], &["E0806", "ends too early"]),
        (JOB, &vec![b'7'; 300_000], &["E0806", "longer than 64 KiB"]),
        ("format: lcg-jobs, file: trace.csv", b"", &["E0106", "did you mean \"lcg-job\"?"]),
        ("format: rate, file: trace.csv", b"", &["E0107", "per_task", "add `value: requests`"]),
        ("format: lcg-job, file: trace.csv, per_task: 3", b"", &["E0108", "only `format: rate` has it"]),
        ("format: lcg-job, file: trace.csv, onyl: {}", b"", &["E0103", "did you mean \"only\"?"]),
        (JOB, b"arrival_s,duration_s,cpus\n0,600,500\n", &["E0601", "fits no container instance"]),
    ];
    for (trace, bytes, expected) in rows {
        refused(folder(trace, bytes).path(), &[], expected);
    }
    let nothing = folder("format: lcg-job, file: nothing.csv", b"");
    let ended = tool(&["run", text(nothing.path())]);
    assert_eq!((ended.code, ended.err.contains("E0801")), (Some(4), true), "{}", ended.err);
}

#[test]
fn arrivals_say_one_thing() {
    let rows = [
        ("    from: 5m", "    at: 5m", "job has both `at` and `trace`"),
        ("    from: 5m", "    calls: 5", "a trace says itself how many calls there are"),
        ("    from: 5m", "    takes: 5m", "the trace says how long each task takes"),
        ("every: 5m, for", "every: 0s, for", "a caller that waits no time"),
        ("type: binpack", "type: binpak", "placementStrategy"),
    ];
    for (old, new, expected) in rows {
        let folder = folder(JOB, JOBS.as_bytes());
        let plan = PLAN.replace("TRACE", JOB).replace(old, new);
        scenario(folder.path(), &plan, &[("task.json", TASK)]);
        refused(folder.path(), &[], &[expected]);
    }
}

#[test]
fn a_pipe_is_a_trace_too() {
    let plain = folder(JOB, JOBS.as_bytes());
    let digest = |folder: &Path| {
        let record = fs::read(folder.join("out/spread/run.json")).expect("a record");
        let record: Value = serde_json::from_slice(&record).expect("JSON");
        (record["decision_digest"].clone(), record["traces"][0]["hash"].clone())
    };
    counts(plain.path(), &[]);
    let piped = folder("format: lcg-job, file: /dev/stdin", b"");
    let out = piped.path().join("out");
    let mut child = program()
        .args(["run", text(piped.path()), "--quiet", "--out", text(&out)])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(JOBS.as_bytes()).expect("it reads");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(digest(piped.path()), digest(plain.path()));
    let left: Vec<_> =
        fs::read_dir(piped.path()).expect("a folder").flatten().map(|each| each.file_name()).collect();
    assert_eq!(left.len(), 4, "the scenario, requests, trace and out: {left:?}");
}

#[test]
fn an_explanation_asks_for_the_trace_of_the_run() {
    let folder = folder(JOB, JOBS.as_bytes());
    counts(folder.path(), &[]);
    let result = folder.path().join("out/binpack");
    let told = good(&["explain", text(&result), "job-2"]);
    assert!(told.contains("placed on fleet-"), "{told}");
    let (trace, moved) = (folder.path().join("trace.csv"), folder.path().join("moved.csv"));
    fs::rename(&trace, &moved).expect("a trace");
    let ended = tool(&["explain", text(&result), "job-2"]);
    assert_eq!((ended.code, ended.err.contains("E0807")), (Some(2), true), "{}", ended.err);
    assert!(ended.err.contains("--trace job=FILE"), "{}", ended.err);
    let elsewhere = format!("job={}", text(&moved));
    assert_eq!(good(&["explain", text(&result), "job-2", "--trace", &elsewhere]), told);
    fs::write(&trace, JOBS.replace("120,60", "120,61")).expect("a trace");
    let ended = tool(&["explain", text(&result), "job-2"]);
    assert_eq!(
        (ended.code, ended.err.contains("is not the trace of the run")),
        (Some(2), true),
        "{}",
        ended.err
    );
}
