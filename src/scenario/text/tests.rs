//! Broken texts, each with every code and place that reading must report.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::base::{Bytes, Cpu, Percent, Span, Timestamp};
use crate::scenario::Sources;
use crate::scenario::arrival::Every;
use crate::scenario::distribution::Distribution;

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "only the reading is tested")]
struct Scenario {
    name: String,
    start: Option<Timestamp>,
    run_for: Span,
    #[serde(default)]
    seed: u32,
    #[serde(default)]
    workloads: BTreeMap<Placed<String>, Workload>,
    #[serde(default)]
    events: Vec<Event>,
    strategy: Option<Placement>,
    overrides: Option<serde_json::Value>,
}

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "only the reading is tested")]
struct Workload {
    memory: Bytes,
    cpu: Option<Cpu>,
    target: Option<Percent>,
    takes: Option<Distribution<Span>>,
    arrivals: Option<Every>,
    #[serde(default)]
    per_node: bool,
    ports: Option<Vec<u16>>,
    pair: Option<(u32, u32)>,
}

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "only the reading is tested")]
struct Event {
    at: Span,
    does: Option<Does>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only the reading is tested")]
enum Does {
    ZoneOutage { zone: Placed<String>, r#for: Span },
    Drain(String),
    Nothing,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
enum Placement {
    Binpack,
    Spread,
    Random,
}

const HEAD: &str = "name: a\nrun_for: 1d\n";

/// Reads and writes `code line:column` of every diagnostic.
fn found(bytes: &[u8], json: bool) -> (bool, String) {
    let source = Sources::default().add("x", bytes.to_vec());
    let known = &[Unmodelled { path: "workloads.web.logs[].driver", instead: "logging is free" }];
    let (value, diagnostics) =
        if json { read_json::<Scenario>(&source, known) } else { read::<Scenario>(&source) };
    let mut out = String::new();
    for Diagnostic { code, place, .. } in &diagnostics {
        let _ = write!(out, "{} {}:{} ", code.number(), place.line, place.column);
    }
    (value.is_some(), out.trim_end().to_owned())
}

fn check(text: &str, expected: &str) {
    let (read, codes) = found(text.as_bytes(), false);
    assert_eq!(codes, expected, "for {text:?}");
    assert_eq!(read, !expected.contains('E'), "a value comes without errors only: {text:?}");
}

/// After the two lines of [`HEAD`].
fn body(text: &str, expected: &str) {
    check(&format!("{HEAD}{text}"), expected);
}

/// One workload in line 3; its first key stands in column 21.
fn workload(text: &str, expected: &str) {
    body(&format!("workloads: {{ web: {{ {text} }} }}\n"), expected);
}

fn json(text: &str, expected: &str) {
    assert_eq!(found(text.as_bytes(), true), (!expected.contains('E'), expected.to_owned()), "for {text:?}");
}

#[test]
fn good_texts() {
    check(HEAD, "");
    body(
        "workloads:\n  web:\n    memory: 1 GiB\n    cpu: 500m\n    per_node: true\n    ports: [80, 443]\n",
        "",
    );
    body("base: &b\n", "E0103 3:1");
    body("workloads:\n  a: &a { memory: 1 GiB, cpu: 1 vCPU }\n  b: *a\n  c: { <<: *a, memory: 2 GiB }\n", "");
    body("overrides: { a: [1, 2.5, null, true, \"x\"], b: { c: ~ } }\n", "");
    body("events:\n  - { at: 1d, does: nothing }\n  - { at: 1d, does: { drain: web } }\n", "");
    body("strategy: ~\n", "");
    check("name: 12\nrun_for: 1d\n", "");
    workload("memory: 1 GiB, takes: 3s, arrivals: { poisson: 40/s }, pair: [1, 2]", "");
    json(r#"{"name": "a", "run_for": "1d"}"#, "");
}

#[test]
fn text_and_syntax() {
    check("", "E0110 0:0");
    check("name: a\n---\nname: b\n", "E0110 3:1");
    check("name: [a\n", "E0101 1:7");
    check("name: a\n\trun_for: 1d\n", "E0101 1:7");
    check("name: a: b\n", "E0101 1:8");
    check("name: \"a\n", "E0101 2:1");
    check("name: *a\n", "E0101 1:7");
    check("name: !secret a\nrun_for: 1d\n", "E0111 1:7");
    check("? [a]\n: b\n", "E0111 1:3");
    check("name: &a [*a]\n", "E0111 1:11");
    check(&format!("{HEAD}<<: 3\n"), "E0111 3:5");
    assert_eq!(found(b"name: \0", false).1, "E0109 0:0");
    assert_eq!(found(b"\xff\xfen", false).1, "E0109 0:0");
    assert_eq!(found(b"name: \xc3\x28", false).1, "E0109 0:0");
    assert_eq!(found(&vec![b' '; (64 << 20) + 1], false).1, "E0701 0:0");
}

#[test]
fn keys() {
    check("name: a\nrun_fro: 1d\n", "E0103 2:1");
    check("naem: a\nrun_fro: 1d\n", "E0103 1:1 E0103 2:1");
    check("run_for: 1d\n", "E0107 1:1");
    check("name: a\nname: b\nrun_for: 1d\n", "E0104 2:1");
    body("zzz: 1\nseed: 1\nyyy: 2\n", "E0103 3:1 E0103 5:1");
    body("workloads:\n  web: { cpu: 1 vCPU }\n", "E0107 4:3");
    body(
        "workloads:\n  web:\n    memroy: 1 GiB\n    cpuu: 1\n  api: { memory: 1 gig, x: 1 }\n",
        "E0103 5:5 E0103 6:5 E0202 7:18 E0103 7:25",
    );
    body("héé: 1\n\"ß\": { a: 1 }\n", "E0103 3:1 E0103 4:1");
}

#[test]
fn types() {
    body("seed: x\n", "E0105 3:7");
    body("seed: \"1\"\n", "E0105 3:7");
    body("seed: -1\n", "E0108 3:7");
    body("seed: 4294967296\n", "E0108 3:7");
    body("seed: 100000000000000000000000000000\n", "E0205 3:7");
    body("seed: 1.5\n", "E0105 3:7");
    body("workloads: [web]\n", "E0105 3:12");
    body("workloads: { web: }\n", "E0105 3:14");
    body("events: { at: 1d }\n", "E0105 3:9");
    check("name: [a]\nrun_for: 1d\n", "E0105 1:7");
    check("- a\n", "E0105 1:1");
    check("hello\n", "E0105 1:1");
    workload("memory: 1 GiB, per_node: yes", "E0105 3:46");
    workload("memory: 1 GiB, ports: [80, 70000, x]", "E0108 3:48 E0105 3:55");
    workload("memory: 1 GiB, pair: [1]", "E0108 3:42");
    workload("memory: 1 GiB, pair: [1, 2, 3]", "E0108 3:42");
    workload("memory: 1 GiB, pair: [1, x]", "E0105 3:46");
}

#[test]
fn choices() {
    body("strategy: binpak\n", "E0106 3:11");
    body("strategy: [binpack]\n", "E0105 3:11");
    body("events:\n  - { at: 1d, does: { drian: x } }\n", "E0106 4:23");
    body("events:\n  - { at: 1d, does: { drain: x, nothing: ~ } }\n", "E0108 4:21");
    body("events:\n  - { at: 1d, does: { zone_outage: { zone: a, fro: 2h } } }\n", "E0103 4:47");
    body("events:\n  - { at: 1d, does: { zone_outage: { zone: a } } }\n", "E0107 4:23");
    body(
        "events:\n  - { at: 1 d d, does: { zone_outage: { zone: [], for: 2 } } }\n",
        "E0202 4:11 E0105 4:47 E0201 4:56",
    );
}

#[test]
fn units() {
    check("name: a\nrun_for: 7\n", "E0201 2:10");
    check("name: a\nrun_for: 7 parsecs\n", "E0202 2:10");
    check("name: a\nrun_for: soon\n", "E0203 2:10");
    check("name: a\nrun_for: -7d\n", "E0204 2:10");
    check("name: a\nrun_for: 999999999d\n", "E0205 2:10");
    check("name: a\nrun_for: 0.1ns\n", "E0206 2:10");
    check("name: a\nrun_for:\n", "E0105 2:1");
    body("start: yesterday\n", "E0207 3:8");
    body("start: 2026-03-02T00:00:00\n", "E0207 3:8");
    body("start: 1969-12-31T23:59:59Z\n", "E0207 3:8");
    workload("memory: 1,000 MiB, cpu: 1, target: 60", "E0201 3:29 E0103 3:31 E0201 3:45 E0201 3:56");
    workload("memory: 1 GiB, target: 99.5%", "E0206 3:44");
}

#[test]
fn distributions() {
    let takes = |text: &str, expected: &str| workload(&format!("memory: 1 GiB, takes: {text}"), expected);
    takes("3", "E0201 3:43");
    takes("{ lognormal: { median: 3s } }", "E0208 3:43");
    takes("{ lognormal: { median: 3s, p99: 1s } }", "E0208 3:43");
    takes("{ lognormal: { median: 3s, p99: 4s, p90: 4s } }", "E0208 3:43");
    takes("{ lognormal: { median: 3s, p99: 4s, max: 1s } }", "E0208 3:43");
    takes("{ lognormal: { median: 0s, p99: 4s } }", "E0208 3:43");
    takes("{ lognormal: { median: 1s, p90: 365d } }", "E0209 3:43");
    takes("{ lognormal: { median: 1 sec, p99: 4, p999: 5s } }", "E0202 3:66 E0201 3:78 E0103 3:81");
    takes("{ lognormal: { p99: 4s } }", "E0107 3:45");
    takes("{ uniform: { from: 5s, to: 1s } }", "E0208 3:43");
    takes("{ exponential: { mean: 0s } }", "E0208 3:43");
    takes("{ lgnormal: { median: 3s } }", "E0106 3:45");
    takes("[3s]", "E0105 3:43");
    workload("memory: 1 GiB, arrivals: { poisson: 40 }", "E0201 3:57");
    workload("memory: 1 GiB, arrivals: { piosson: 40/s }", "E0106 3:48");
}

#[test]
fn limits() {
    let mut bomb = String::from("name: a\nrun_for: 1d\na: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        let _ = writeln!(bomb, "b{level}: &a{level} [{}]", below.trim_end_matches(", "));
    }
    check(&bomb, "E0702 9:9");
    check(&format!("a: {}", "[".repeat(100_000)), "E0703 1:68");
    check(&format!("a: {}{}", "[".repeat(65), "]".repeat(65)), "E0703 1:68");
    let mut ladder = String::from("a0: &a0 [x]\n");
    for level in 1..100 {
        let _ = writeln!(ladder, "a{level}: &a{level} [*a{}]", level - 1);
    }
    check(&ladder, "E0703 64:11");
    json(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), "E0703 1:65");
    let many: String = (0..1000).fold(String::new(), |all, n| all + &format!("x{n}: 1\n"));
    let (_, codes) = found(format!("{HEAD}{many}").as_bytes(), false);
    assert!(codes.starts_with("E0103 3:1 E0103 4:1") && codes.matches("E0103").count() == 200);
}

#[test]
fn json_texts() {
    json("", "E0102 1:1");
    json("{\"name\": \"a\",}", "E0102 1:14");
    json("{\"name\": \"a\"\n\"b\": 1}", "E0102 2:1");
    json("{\"é\": x}", "E0102 1:7");
    json("[] []", "E0102 1:4");
    json("{\"name\": \"\\ud800\"}", "E0102 1:10");
    json("{\"name\": 12, \"run_for\": \"1d\"}", "E0105 1:10");
    json("{\"name\": \"a\", \"run_for\": 1}", "E0105 1:26");
    json("{\"name\": \"a\",\n \"run_for\": \"1d\",\n \"é\": 1, \"sed\": 1}", "E0103 3:2 E0103 3:10");
    json("{\"name\": \"a\", \"name\": \"b\", \"run_for\": \"1d\"}", "E0104 1:15");
    let logs = "{\"name\": \"a\", \"run_for\": \"1d\", \"workloads\": {\"web\": {\"memory\": \"1 GiB\", \"logs\": 1}}}";
    json(logs, "E0103 1:73");
}

#[test]
fn unmodelled_keys_are_warnings() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only the reading is tested")]
    struct Task {
        containers: Vec<Container>,
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only the reading is tested")]
    struct Container {
        name: String,
    }
    let known = &[Unmodelled { path: "containers[].logs", instead: "logging is free" }];
    let mut sources = Sources::default();
    let text = r#"{"containers": [{"name": "a"}, {"name": "b", "logs": {}, "lgos": 1}], "logs": 1}"#;
    let source = sources.add("t.json", text.as_bytes().to_vec());
    let (task, diagnostics) = read_json::<Task>(&source, known);
    let lines: Vec<String> = diagnostics.iter().map(|each| each.line(&sources)).collect();
    assert!(task.is_none());
    assert_eq!(
        lines,
        [
            "W0101 t.json:1:46 containers[1].logs is not modelled: logging is free",
            "E0103 t.json:1:58 unknown key \"lgos\" in containers[1]; known: name",
            "E0103 t.json:1:71 unknown key \"logs\"; known: containers",
        ]
    );
}

#[test]
fn messages_speak_of_scenarios() {
    let message = |text: &str| {
        let mut sources = Sources::default();
        let source = sources.add("x", text.as_bytes().to_vec());
        read::<Scenario>(&source).1[0].line(&sources)
    };
    let after = |text: &str| message(&format!("{HEAD}{text}"));
    assert_eq!(
        after("seed: x\n"),
        "E0105 x:3:7 a whole number that is not negative is wanted, found the text \"x\""
    );
    assert_eq!(after("workloads: [1]\n"), "E0105 x:3:12 a map is wanted, found a list");
    assert_eq!(
        after("workloads: { web: { memory: 1 GiB, per_node: yes } }\n"),
        "E0105 x:3:46 true or false is wanted, found the text \"yes\"; write true or false"
    );
    assert_eq!(
        after("workloads: { web: { memory: [] } }\n"),
        "E0105 x:3:29 a size such as 180 MiB is wanted, found a list"
    );
    assert_eq!(message("run_for: 1d\n"), "E0107 x:1:1 the key \"name\" is missing");
}

proptest! {
    #[test]
    fn hostile_texts_never_panic(text in "([a-z]{1,3}|[\\[\\]{}:,&*!|>'\"#%@?<~-]|\n| |\\PC|[0-9.]){0,60}") {
        let _ = found(text.as_bytes(), false);
        let _ = found(format!("{HEAD}workloads: {{ web: {{ memory: {text} }} }}").as_bytes(), false);
        let _ = found(text.as_bytes(), true);
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = found(&bytes, false);
        let _ = found(&bytes, true);
    }

    #[test]
    fn cut_files_never_panic(cut in 0_usize..90) {
        let text = "{\"name\": \"é\\u00e9\", \"run_for\": \"1d\", \"workloads\": {\"web\": {\"memory\": \"1 GiB\"}}}";
        let cut = (0..=cut.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let _ = found(&text.as_bytes()[..cut], true);
        let _ = found(&text.as_bytes()[..cut], false);
    }
}

#[test]
fn shipped_scenarios_are_read() {
    for text in [
        include_str!("../../../scenarios/first-flight/scenario.yaml"),
        include_str!("../../../scenarios/one-task/scenario.yaml"),
    ] {
        let source = Sources::default().add("x", text.as_bytes().to_vec());
        let (value, diagnostics) = read::<serde_json::Value>(&source);
        assert_eq!(diagnostics, []);
        assert!(value.expect("a map")["name"].is_string());
    }
}

/// JSON of any shape, small enough for the bounds.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        "\\PC{0,6}".prop_map(serde_json::Value::String),
        any::<String>().prop_map(serde_json::Value::String),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let entries = proptest::collection::btree_map("\\PC{0,4}", inner.clone(), 0..5);
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(serde_json::Value::Array),
            entries.prop_map(|all| serde_json::Value::Object(all.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Our scanner against `serde_json`.
    #[test]
    fn json_is_read_as_serde_json_reads_it(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        let source = Sources::default().add("x", text.into_bytes());
        prop_assert_eq!(read_json::<serde_json::Value>(&source, &[]), (Some(value), vec![]));
    }
}
