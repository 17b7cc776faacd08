//! The commands beside a plain run: several scenarios, standard input, schema, completions, settings,
//! diff, and Ctrl-C.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use windtunnel::scenario::{Sources, read};

use crate::tool::{Ended, files, good, program, scenario, scratch, text, tool};

/// The scenario of one task, in its own words but for what is replaced.
fn one_task(folder: &Path, replaced: &[(&str, &str)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/one-task");
    let mut plan = fs::read_to_string(root.join("scenario.yaml")).expect("a scenario");
    for (from, to) in replaced {
        assert!(plan.contains(from), "{from} is there");
        plan = plan.replacen(from, to, 1);
    }
    let request = fs::read_to_string(root.join("requests/task.json")).expect("requests");
    scenario(folder, &plan, &[("task.json", &request)]);
}

/// Runs the program with something on standard input.
fn piped(arguments: &[&str], folder: &Path, input: &str) -> Ended {
    let mut child = program()
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

// ---- several scenarios, and standard input

#[test]
fn a_folder_means_every_scenario_below_it() {
    let folder = scratch();
    one_task(&folder.path().join("b/deep"), &[("one-task", "second")]);
    one_task(&folder.path().join("a"), &[("one-task", "first")]);
    one_task(&folder.path().join(".hidden"), &[("one-task", "third")]);
    let out = folder.path().join("results");
    let said = good(&["run", text(folder.path()), "--quiet", "--json", "--out", text(&out)]);
    let names: Vec<Value> = serde_json::Deserializer::from_str(&said)
        .into_iter::<Value>()
        .map(|summary| summary.expect("JSON")["scenario"].clone())
        .collect();
    assert_eq!(names, ["first", "second"], "sorted by path");
    assert!(out.join("first/ec2/run.json").is_file() && out.join("second/fargate/run.json").is_file());
    let said = good(&["check", text(folder.path()), text(&folder.path().join("a/requests/task.json"))]);
    assert_eq!(said.lines().count(), 3, "{said}");
    assert!(said.starts_with("first: ") && said.contains("\nsecond: "), "{said}");
}

#[test]
fn one_wrong_scenario_stops_all_before_the_first_runs() {
    let folder = scratch();
    one_task(&folder.path().join("a"), &[]);
    one_task(&folder.path().join("b"), &[("run_for", "run_fro"), ("one-task", "b")]);
    one_task(
        &folder.path().join("c"),
        &[("instance_type: m7i.large", "instance_type: m7i.lrage"), ("one-task", "c")],
    );
    let out = folder.path().join("out");
    for command in ["run", "check"] {
        let mut arguments = vec![command, text(folder.path())];
        if command == "run" {
            arguments.extend(["--out", text(&out)]);
        }
        let ended = tool(&arguments);
        assert_eq!(ended.code, Some(2), "{}", ended.err);
        assert!(
            ended.err.contains("run_fro") && ended.err.contains("m7i.lrage"),
            "all are told: {}",
            ended.err
        );
    }
    assert!(!out.exists(), "nothing is written");
    fs::remove_dir_all(folder.path().join("b")).expect("it was there");
    one_task(&folder.path().join("c"), &[]);
    let ended = tool(&["run", text(folder.path()), "--out", text(&out)]);
    assert_eq!(
        (ended.code, ended.err.contains("two scenarios would write to")),
        (Some(2), true),
        "{}",
        ended.err
    );
    let empty = scratch();
    let ended = tool(&["run", text(empty.path())]);
    assert_eq!((ended.code, ended.err.contains("none lies below it")), (Some(4), true), "{}", ended.err);
}

#[test]
fn a_scenario_comes_from_standard_input() {
    let folder = scratch();
    one_task(folder.path(), &[]);
    let plan = fs::read_to_string(folder.path().join("scenario.yaml")).expect("a scenario");
    let ended = piped(&["check", "-"], folder.path(), &plan);
    assert_eq!(
        (ended.code, ended.out.starts_with("one-task: 2 platforms")),
        (Some(0), true),
        "{}",
        ended.err
    );
    let ended = piped(&["run", "-", "--quiet", "--out", "piped"], folder.path(), &plan);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    good(&["run", text(folder.path()), "--quiet", "--out", text(&folder.path().join("plain"))]);
    let ended = tool(&["diff", text(&folder.path().join("piped")), text(&folder.path().join("plain"))]);
    assert_eq!(ended.code, Some(0), "the same run: {}{}", ended.out, ended.err);
    let said = good(&["explain", text(&folder.path().join("piped/ec2")), "report-0"]);
    assert!(said.contains("RUNNING"), "{said}");
    let ended = piped(&["run", "-"], folder.path(), &plan.replace("run_for", "run_fro"));
    assert_eq!((ended.code, ended.err.contains("--> standard input:6:1")), (Some(2), true), "{}", ended.err);
    assert_eq!(piped(&["run", "-", "-"], folder.path(), &plan).code, Some(2));
}

// ---- schema and completions

fn scenarios(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            scenarios(&path, found);
        } else if path.ends_with("scenario.yaml") {
            found.push(path);
        }
    }
}

fn document(plan: &str) -> Value {
    read::<Value>(&Sources::default().add("a.yaml", plan.as_bytes().to_vec())).0.expect("YAML")
}

#[test]
fn every_scenario_holds_to_the_schema() {
    let schema: Value = serde_json::from_str(&good(&["schema"])).expect("JSON");
    assert!(jsonschema::draft7::meta::is_valid(&schema), "it is a schema itself");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut found = Vec::new();
    scenarios(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"), &mut found);
    assert!(found.len() >= 2);
    for path in &found {
        let document = document(&fs::read_to_string(path).expect("a scenario"));
        let wrong: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", path.display());
    }
}

#[test]
fn what_is_planted_does_not_hold_to_the_schema() {
    let schema: Value = serde_json::from_str(&good(&["schema"])).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let plain = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).join("scenario.yaml");
        document(&fs::read_to_string(path).expect("a scenario"))
    };
    let rows = [
        ("/run_for", json!("30")),
        ("/run_for", json!("30 min")),
        ("/run_for", json!(30)),
        ("/seed", json!("many")),
        ("/region", json!("us-est-1")),
        ("/run_fro", json!("30m")),
        ("/images/defaults/size", json!("100 megs")),
        ("/images/defaults/sise", json!("100 MB")),
        ("/images/defaults/app_start", json!({ "lognormal": { "median": "3s" } })),
        ("/images/defaults/app_start", json!({ "lognormal": { "median": "3s", "p90": "4s", "p99": "5s" } })),
        ("/images/defaults/app_start", json!({ "normal": { "median": "3s" } })),
        ("/settings/ec2.host_faktor", json!(1)),
        ("/settings/ecs.scheduler.tick", json!("10")),
        ("/settings/ecs.placement.tie", json!("never")),
        ("/settings/fargate.straggler_prob", json!(0.5)),
        ("/arrivals/report/every", json!({ "poison": "6/h" })),
        ("/platforms/ec2/ecs/launch_type", json!("EC3")),
        ("/platforms/ec2/ecs/pools/only/instance_type", json!("m7i.lrage")),
        ("/platforms/ec2/ecs/pools/only/count", json!(-1)),
    ];
    let of_study = [
        ("/study/openb/trase", json!("default")),
        ("/study/openb/seeds", json!(["first"])),
        ("/study/openb/policies", json!("FGD")),
        ("/run_for", json!("30m")),
    ];
    let rows = rows.map(|row| ("one-task", row)).into_iter().chain(of_study.map(|row| ("openb-fgd", row)));
    for (name, (at, value)) in rows {
        let mut planted = plain(name);
        assert!(validator.is_valid(&planted), "{name}");
        let (above, key) = at.rsplit_once('/').expect("a path");
        planted.pointer_mut(above).expect("it is there")[key] = value.clone();
        assert!(!validator.is_valid(&planted), "{at} = {value} is wrong");
    }
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = good(&["completions", shell]);
        for word in ["windtunnel", "explain", "replications", "swing"] {
            assert!(script.contains(word), "{word} for {shell}");
        }
    }
    assert_eq!(tool(&["completions", "csh"]).code, Some(2));
}

// ---- settings

#[test]
fn settings_are_listed_with_default_and_source() {
    let said = good(&["settings", "scheduler.tick"]);
    assert!(said.contains("settings.ecs.scheduler.tick  10s") && said.contains("A-50"), "{said}");
    let lines = good(&["settings", "--json"]);
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let names: BTreeSet<&str> = rows.iter().map(|row| row["name"].as_str().expect("a name")).collect();
    assert_eq!(names.len(), rows.len());
    for part in ["default", "unit", "source", "confidence", "path"] {
        assert!(rows.iter().all(|row| row[part].as_str().is_some_and(|text| !text.is_empty())), "{part}");
    }
    let ended = tool(&["settings", "straggler_porb"]);
    let hint = "did you mean \"straggler_prob\"?";
    assert_eq!((ended.code, ended.err.contains(hint)), (Some(2), true), "{}", ended.err);
}

/// Every setting that is listed can be written at its path, and does what it says.
#[test]
fn a_setting_is_set_by_its_path() {
    let folder = scratch();
    let out = text(folder.path());
    let slow = ["--set", "settings.image.pull.manifest_check=20s", "--platform", "ec2", "--quiet"];
    good(&[&["run", "scenarios/one-task", "--out", out][..], &slow].concat());
    let said = good(&["explain", out, "report-0"]);
    assert!(said.contains("0:05:30.000  RUNNING"), "twenty seconds later: {said}");
    let ended = tool(&["run", "scenarios/one-task", "--set", "settings.ecs.scheduler.tikc=1s"]);
    let hint = "did you mean \"ecs.scheduler.tick\"?";
    assert_eq!((ended.code, ended.err.contains(hint)), (Some(2), true), "{}", ended.err);
}

#[test]
fn swings_name_what_moves_and_change_with_no_thread() {
    let run = |jobs: &str, more: &[&str]| {
        let all = ["settings", "awsvpc", "--swing", "scenarios/first-flight", "--jobs", jobs];
        let short = ["--platform", "ecs-ec2", "--replications", "2", "--set", "run_for=1h"];
        good(&[&all[..], &short, more].concat())
    };
    let said = run("1", &["--measure", "start_p50"]);
    assert!(said.starts_with("ecs-ec2, n = 2, the first seed 1\n"), "{said}");
    assert!(
        said.contains(" ecs.task.awsvpc_extra") && said.contains("start_p50_s") && said.contains('█'),
        "{said}"
    );
    assert_eq!(run("3", &["--measure", "start_p50"]), said, "threads change nothing");
    let said = run("2", &["--json", "--measure", "start_p50_s"]);
    let row: Value = serde_json::from_str(said.lines().next().expect("a line")).expect("JSON");
    let moved =
        |nth: usize| row["values"][nth]["moved"]["start_p50_s"]["difference"].as_f64().expect("it moves");
    assert!(moved(0) < 0.0 && moved(1) > 0.0, "{row}");
    let ended = tool(&["settings", "--swing", "scenarios/one-task", "--measure", "start_p9"]);
    assert_eq!((ended.code, ended.err.contains("did you mean \"start_p9")), (Some(2), true), "{}", ended.err);
}

#[test]
fn what_moves_nothing_is_counted() {
    let said = good(&["settings", "terminate", "--swing", "scenarios/one-task", "--platform", "fargate"]);
    assert!(said.contains("\n2 more settings move nothing here"), "{said}");
}

// ---- diff

#[test]
fn equal_results_are_equal() {
    let folder = scratch();
    let out = text(folder.path());
    good(&["run", "scenarios/one-task", "--quiet", "--out", out]);
    let said = good(&["diff", out, out]);
    assert!(said.contains("ec2: equal, digest ") && said.contains("fargate: equal, digest "), "{said}");
    let value: Value = serde_json::from_str(&good(&["diff", out, out, "--json"])).expect("JSON");
    assert_eq!((&value["equal"], value["platforms"].as_array().map(Vec::len)), (&json!(true), Some(2)));
}

#[test]
fn the_first_decision_that_differs_is_named_with_its_reason() {
    let folder = scratch();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    good(&["run", "scenarios/one-task", "--quiet", "--out", text(&a)]);
    let slower = "settings.ecs.task.awsvpc_extra=6s";
    good(&["run", "scenarios/one-task", "--quiet", "--out", text(&b), "--set", slower]);
    let ended = tool(&["diff", text(&a), text(&b)]);
    assert_eq!((ended.code, &*ended.err), (Some(1), ""), "{}", ended.out);
    for part in [
        "ec2: different\n",
        "number 3 of the first seed",
        "  A  0:05:10.000  report-0 reaches RUNNING\n  B  0:05:12.000  report-0 reaches RUNNING\n",
        "Why in B:\n\n   0:05:00.000  asked for\n",
        "   0:05:06.000  first image pull began\n",
        "fargate: equal, digest ",
    ] {
        assert!(ended.out.contains(part), "{part:?} is not in\n{}", ended.out);
    }
    let row = ended.out.lines().find(|line| line.contains("to start, p50")).expect("a measure that moves");
    let cells: Vec<&str> = row.split_whitespace().skip(4).collect();
    assert_eq!(cells, ["s", "10.00", "12.00", "2.00", "+20.0", "%"]);
    assert!(!ended.out.contains("stopped\n"), "nothing after the decision: {}", ended.out);
    let ended = tool(&["diff", text(&a.join("ec2")), text(&b.join("ec2")), "--json"]);
    let value: Value = serde_json::from_str(&ended.out).expect("JSON");
    let first = &value["platforms"][0]["first_difference"];
    assert_eq!((ended.code, &first["number"]), (Some(1), &json!(3)));
    assert_eq!(first["b"]["decision"], "report-0 reaches RUNNING");
    let moved = value["platforms"][0]["moved"].as_array().expect("a list");
    assert!(moved.iter().any(|row| row["name"] == "start_p50_s" && row["difference"] == 2.0), "{moved:?}");
}

#[test]
fn differences_over_seeds_have_an_interval() {
    let folder = scratch();
    let run = |name: &str, more: &[&str]| {
        let out = folder.path().join(name);
        let short =
            ["run", "scenarios/first-flight", "--quiet", "--platform", "ecs-ec2", "--set", "run_for=2h"];
        good(&[&short[..], &["--replications", "3", "--out", text(&out)], more].concat());
        text(&out).to_owned()
    };
    let (a, b) = (run("a", &[]), run("b", &["--set", "settings.image.pull.rate.ec2_overlayfs=10 MB/s"]));
    let other = run("c", &["--seed", "7"]);
    let said = tool(&["diff", &a, &b]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    let line =
        |text: &str| text.lines().find(|line| line.contains("to start, p50")).expect("it moves").to_owned();
    assert_eq!(line(&said.out).matches('±').count(), 3, "{}", said.out);
    assert!(!said.out.contains("unpaired"), "{}", said.out);
    let said = tool(&["diff", &a, &other]);
    assert!(line(&said.out).contains("(unpaired)"), "{}", said.out);
}

#[test]
fn what_is_no_result_cannot_be_compared() {
    let folder = scratch();
    let out = text(folder.path());
    let empty = scratch();
    good(&["run", "scenarios/one-task", "--quiet", "--out", out]);
    let ended = tool(&["diff", out, text(empty.path())]);
    assert_eq!((ended.code, ended.err.contains("holds no result (no run.json)")), (Some(2), true));
    let one = scratch();
    good(&["run", "scenarios/one-task", "--quiet", "--platform", "ec2", "--out", text(one.path())]);
    let ended = tool(&["diff", out, text(one.path())]);
    assert_eq!((ended.code, ended.out.contains("fargate is only in")), (Some(1), true), "{}", ended.out);
    fs::write(folder.path().join("ec2/summary.csv"), "nothing\n").expect("a file");
    let ended = tool(&["diff", out, text(one.path())]);
    assert_eq!((ended.code, ended.err.contains("summary.csv")), (Some(2), true), "{}", ended.err);
}

// ---- Ctrl-C, and help

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_and_says_so() {
    let folder = scratch();
    let out = folder.path().join("out");
    let child = program()
        .args(["run", "scenarios/first-flight", "--replications", "500", "--set", "run_for=300d"])
        .args(["--out", text(&out)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // The folder is made after the handler.
    while !out.exists() {
        std::thread::yield_now();
    }
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-INT", &id]).status().expect("a signal");
    assert!(sent.success());
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "interrupted; nothing was written\n");
    assert!(ended.stdout.is_empty() && files(&out).is_empty(), "{:?}", files(&out).keys());
}

#[test]
fn every_command_shows_examples() {
    let commands =
        ["run", "check", "explain", "error", "catalog", "diff", "settings", "schema", "completions"];
    let listed = good(&["--help"]);
    for command in commands {
        assert!(listed.contains(&format!("  {command} ")), "{command} is listed");
        assert!(good(&[command, "--help"]).contains("Examples:\n  windtunnel "), "{command}");
    }
    let ended = tool(&["setings"]);
    assert_eq!((ended.code, ended.err.contains("'settings'")), (Some(2), true), "{}", ended.err);
}
