//! What is done with a text of unknown origin; a panic is a bug, an error is not.
//!
//! The fuzz targets call these functions with random bytes, the test `corpus` calls them with the
//! files of `tests/corpus/`. Uses the public words of the crate only.

#![allow(dead_code, reason = "each target needs one of the functions")]

use std::rc::Rc;

use windtunnel::base::{Bandwidth, Bytes, Cpu, EntityKey, Money, Percent, Span, Timestamp};
use windtunnel::control::ecs::query::{Candidate, Expression};
use windtunnel::engine::Luck;
use windtunnel::scenario::arrival::Every;
use windtunnel::scenario::diagnostic::{Style, excerpts, lines};
use windtunnel::scenario::distribution::Distribution;
use windtunnel::scenario::units::{Measured, Rate};
use windtunnel::scenario::{
    Diagnostic, Scenario, Severity, Source, Sources, import, lower, read, read_changed,
};
use windtunnel::workload::trace::{FAULTS_MAX, Format, Pace, Playback, RateColumns, Shape, scan};

/// What is done with bytes.
pub(crate) type Target = fn(&[u8]);

/// Every target: its name, and what it does with bytes.
pub(crate) const ALL: &[(&str, Target)] = &[
    ("scenario", scenario),
    ("task_definition", task_definition),
    ("query", query),
    ("units", units),
    ("traces", traces),
    ("manifests", manifests),
];

/// A scenario file, lowered for each of its platforms beside requests that are right.
pub(crate) fn scenario(bytes: &[u8]) {
    let mut sources = Sources::default();
    let text = sources.add("scenario.yaml", bytes.to_vec());
    let requests = [sources.add("requests.json", REQUESTS.to_vec())];
    let (scenario, found) = read::<Scenario>(&text);
    assert_eq!(scenario.is_none(), has_error(&found), "a scenario comes without errors only");
    print(&found, &sources);
    for change in ["run_for=2h", "subnets.subnet-a=us-east-1b", "settings.a.b=[1"] {
        let changes = [sources.add("--set", change.as_bytes().to_vec())];
        print(&read_changed::<Scenario>(&text, &changes).1, &sources);
    }
    if let Some(scenario) = scenario {
        lower_all(&scenario, &requests, &sources);
    }
}

/// A file of ECS requests, by itself and lowered for two platforms.
pub(crate) fn task_definition(bytes: &[u8]) {
    let mut sources = Sources::default();
    let text = sources.add("scenario.yaml", SCENARIO.to_vec());
    let requests = [sources.add("requests.json", bytes.to_vec())];
    print(&import::check(&requests[0]), &sources);
    let scenario = read::<Scenario>(&text).0.expect("it is ours");
    lower_all(&scenario, &requests, &sources);
}

/// An expression of the cluster query language: read, asked, written and read again.
pub(crate) fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Expression::parse(text) {
        Err(error) => assert!(text.is_char_boundary(error.at), "{error} stands at a character"),
        Ok(parsed) => {
            let written = parsed.expression.to_string();
            // What is written in full may be longer than what may be read.
            if let Ok(again) = Expression::parse(&written) {
                assert_eq!(again.expression, parsed.expression, "{text:?} is written as {written:?}");
            }
            let _ = parsed.expression.matches(&Somebody);
            let _ = parsed.expression.depends_on();
        }
    }
}

/// A measured value of any kind, and a distribution.
pub(crate) fn units(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    round_trip::<Span>(text);
    round_trip::<Bytes>(text);
    round_trip::<Bandwidth>(text);
    round_trip::<Cpu>(text);
    round_trip::<Percent>(text);
    round_trip::<Money>(text);
    round_trip::<Rate>(text);
    round_trip::<Timestamp>(text);
    let mut sources = Sources::default();
    let source = sources.add("value", bytes.to_vec());
    let (spread, found) = read::<Distribution<Span>>(&source);
    print(&found, &sources);
    if let Some(spread) = spread {
        let table = spread.quantiles();
        assert!(table.value(0) <= table.value(u64::MAX), "{text:?} has quantiles in order");
    }
    print(&read::<Distribution<Bytes>>(&source).1, &sources);
    print(&read::<Every>(&source).1, &sources);
}

/// A trace: the first byte says of which format, the rest is the file, compressed or not.
pub(crate) fn traces(bytes: &[u8]) {
    let Some((first, file)) = bytes.split_first() else { return };
    let rate = RateColumns {
        time: "t".to_owned(),
        unit: Span::seconds(1),
        interval: Span::minutes(1),
        value: "v".to_owned(),
    };
    let format = match first % 4 {
        0 => Format::AzureVm,
        1 => Format::LcgJob,
        2 => Format::DlrmContainer,
        _ => Format::Rate(rate),
    };
    let (shape, within, file) = (Shape::of(format), Span::HOUR, file.to_vec());
    let Ok(pass) = scan(&file, &shape, within) else { return };
    assert!(pass.faults.len() <= FAULTS_MAX, "what is shown is bounded");
    let key = EntityKey::new("trace", "fuzz", 0);
    let pace = Pace::even(1_000_000);
    let mut playback = Playback::open(&file, &shape, &pass.hash, &pace, key).expect("it was read");
    let luck = Luck::new(1);
    let mut last = Span::ZERO;
    for _ in 0..1_000 {
        let Ok(Some(arrived)) = playback.next_arrival(&luck) else { break };
        assert!(arrived.at >= last, "arrivals come in order");
        last = arrived.at;
    }
}

/// A file of manifests, as YAML and as JSON, lowered beside a group of nodes.
pub(crate) fn manifests(bytes: &[u8]) {
    for name in ["manifests.yaml", "manifests.json"] {
        let mut sources = Sources::default();
        let text = sources.add("scenario.yaml", CLUSTER.to_vec());
        let manifests = [sources.add(name, bytes.to_vec())];
        let scenario = read::<Scenario>(&text).0.expect("it is ours");
        lower_all(&scenario, &manifests, &sources);
    }
}

fn lower_all(scenario: &Scenario, requests: &[Rc<Source>], sources: &Sources) {
    for name in scenario.platforms.keys() {
        let (plan, found) = lower(scenario, name, requests);
        assert_eq!(plan.is_none(), has_error(&found), "a plan comes without errors only");
        print(&found, sources);
    }
}

fn has_error(found: &[Diagnostic]) -> bool {
    found.iter().any(|each| each.severity == Severity::Error)
}

/// Every form in which a complaint is shown.
fn print(found: &[Diagnostic], sources: &Sources) {
    let shown = [excerpts(found, sources, Style::Plain), lines(found, sources)];
    for each in shown {
        assert!(each.len() < 1 << 20, "what is shown is bounded");
    }
}

fn round_trip<T: Measured + PartialEq + std::fmt::Debug>(text: &str) {
    if let Ok(value) = T::read(text) {
        let written = value.canonical();
        assert_eq!(T::read(&written).as_ref(), Ok(&value), "{text:?} is written as {written:?}");
    }
}

/// A container instance that expressions are asked of.
struct Somebody;

impl Candidate for Somebody {
    fn agent_connected(&self) -> bool {
        true
    }
    fn agent_version(&self) -> &'static str {
        "1.105.1"
    }
    fn ec2_instance_id(&self) -> &'static str {
        "i-0123456789abcdef0"
    }
    fn registered_at(&self) -> Timestamp {
        Timestamp::from_nanos(1_772_409_600_000_000_000)
    }
    fn running_tasks(&self) -> u32 {
        3
    }
    fn runs_group_where(&self, wanted: &dyn Fn(&str) -> bool) -> bool {
        ["service:web", "batch"].into_iter().any(wanted)
    }
    fn attribute(&self, name: &str) -> Option<Option<&str>> {
        match name {
            "stack" => Some(Some("prod")),
            "ecs.instance-type" => Some(Some("m7i.large")),
            "gpu" => Some(None),
            _ => None,
        }
    }
}

const SCENARIO: &[u8] = b"\
name: small
region: us-east-1
run_for: 30m
subnets: { subnet-a: us-east-1a, subnet-b: us-east-1b }
platforms:
  ec2:
    ecs:
      requests: requests.json
      launch_type: EC2
      pools: { only: { instance_type: m7i.large, count: 2 } }
  fargate: { ecs: { requests: requests.json, launch_type: FARGATE } }
";

const CLUSTER: &[u8] = b"\
name: small
region: us-east-1
run_for: 30m
subnets: { subnet-a: us-east-1a, subnet-b: us-east-1b }
arrivals: { web: { every: 6/h, pod: { spec: { containers: [ { name: web, image: web } ] } } } }
platforms:
  eks: { eks: { manifests: manifests, node_groups: { only: { instance_type: m7i.large, count: 2 } } } }
";

const REQUESTS: &[u8] = br#"[
  { "operation": "RegisterTaskDefinition", "input": {
      "family": "report", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
      "containerDefinitions": [{ "name": "web", "image": "shop/web:1" }] } },
  { "operation": "CreateService", "input": {
      "serviceName": "web", "taskDefinition": "report", "desiredCount": 3,
      "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-a"] } } } }
]"#;
