//! Extreme numbers: every number that a scenario, a request or a manifest may have is set to the ends of its
//! type, one at a time, and a short run follows. Each is refused with a reason, or the run comes to its end.
//!
//! The numbers are not listed here: those of Kubernetes and ECS come from the tables of their fields, those
//! of a scenario from the JSON Schema, the settings from their own list.

use std::any::Any;
use std::collections::BTreeSet;
use std::iter;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::{Value, json};
use windtunnel::base::Span;
use windtunnel::base::turn::Nobody;
use windtunnel::control::ecs::api;
use windtunnel::control::kubernetes::api::unmodelled;
use windtunnel::measure::Collector;
use windtunnel::scenario::lower::{Traces, first_pass};
use windtunnel::scenario::{
    Diagnostic, Scenario, Severity, Sources, json_schema, known_settings, lower_with, read,
};
use windtunnel::sim::run_with;
use windtunnel::workload::trace::TraceSource;

mod bases;
use bases::{manifest, requests, scenario, traced};

/// A number that users may write.
struct Field {
    name: String,
    /// What it is set to.
    values: Vec<Value>,
    /// What it may be set to, where it takes no extreme; nothing where it need not take any.
    plain: Vec<Value>,
    case: Box<dyn Fn(&Value) -> Case + Send + Sync>,
}

/// A scenario and the files beside it.
struct Case {
    scenario: Value,
    /// Of ECS platforms.
    requests: Value,
    /// Of EKS platforms.
    manifests: Value,
}

/// What becomes of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Fate {
    Refused(String),
    Runs,
    Panics(String),
}

/// What a file of requests may ask for, but `DeleteCluster`, which has no number.
const OPERATIONS: [api::Operation; 5] = [
    api::Operation::RegisterTaskDefinition,
    api::Operation::CreateService,
    api::Operation::RunTask,
    api::Operation::StartTask,
    api::Operation::CreateCluster,
];

const NUMBERS: [i128; 9] = [
    i64::MIN as i128,
    -1,
    0,
    1,
    i32::MAX as i128,
    u32::MAX as i128,
    i64::MAX as i128,
    i64::MAX as i128 + 1,
    u64::MAX as i128,
];

/// For fields that take no extreme.
const PLAIN: [u64; 7] = [2, 10, 80, 100, 400, 1000, 5000];

const QUANTITIES: [&str; 10] = [
    "0",
    "-1",
    "1n",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775807m",
    "9223372036854775806n",
    "18446744073709551615",
    "8E",
    "1e1000",
];

/// By what a text that is there begins like: others of its kind.
const TEXTS: [(&[&str], &[&str]); 7] = [
    (&["/s", "/h", "/d"], &["0/d", "0.000000001/d", "18446744073709551615/s", "18446744073709551615/d"]),
    (&["B/s"], &["0 B/s", "1 B/s", "1000000000 B/s", "9223372036 GB/s", "18446744073709551615 B/s"]),
    (&["B"], &["0 B", "1 B", "9223372036854775807 B", "8191 PiB", "18446744073709551615 B"]),
    (&["%"], &["0%", "100%", "101%", "18446744073709551615%"]),
    (
        &["Z"],
        &["1970-01-01T00:00:00Z", "2499-12-31T23:59:59Z", "2554-07-21T23:34:33Z", "9999-01-01T00:00:00Z"],
    ),
    (
        &["s", "m", "h", "d"],
        &["0s", "1ns", "366d", "9223372036854775807ns", "9223372037s", "18446744073709551615ns", "213503d"],
    ),
    (&[""], &[]),
];

#[test]
fn numbers_of_manifests() {
    let rows = rows(include_str!("../data/kubernetes/fields.csv")).into_iter();
    let modelled = rows.filter(|(kind, path, r#type)| {
        r#type == "integer" && unmodelled::find(kind, path).is_none() && !bases::is_never_taken(path)
    });
    let fields = modelled.map(|(kind, path, _)| {
        let base = manifest(&kind, &path);
        Field::new(format!("{kind} {path}"), &json!(1), move |value| of_manifest(&kind, &base, &path, value))
    });
    check(&fields.collect::<Vec<_>>(), 40);
}

#[test]
fn quantities_of_manifests() {
    let fields = bases::QUANTITIES.map(|(kind, path)| {
        let base = manifest(kind, path);
        let case = move |value: &Value| of_manifest(kind, &base, path, value);
        let values = QUANTITIES.map(Value::from).into();
        Field { values, ..Field::new(format!("{kind} {path}"), &json!("2"), case) }
    });
    check(&fields, 20);
}

#[test]
fn numbers_of_requests() {
    let rows = rows(include_str!("../data/ecs_fields.csv")).into_iter();
    let modelled = rows.filter(|(operation, path, r#type)| {
        let known = OPERATIONS.into_iter().find(|known| known.as_str() == operation);
        known.is_some_and(|known| api::unmodelled::find(known, path).is_none())
            && matches!(r#type.as_str(), "integer" | "double")
    });
    let fields = modelled.flat_map(|(operation, path, _)| {
        ["ec2", "fargate"].map(|platform| {
            let (operation, path) = (operation.clone(), path.clone());
            let name = format!("{operation} {path} on {platform}");
            let field = Field::new(name, &json!(1), move |value| {
                let mut requests = bases::requests_with(&operation, &path);
                let mut entries = requests.as_array_mut().expect("a list").iter_mut();
                let entry =
                    entries.find(|entry| entry["operation"] == operation.as_str()).expect("it is there");
                set(&mut entry["input"], &path, value);
                Case { scenario: only(&[platform]), requests, manifests: json!([]) }
            });
            // Fargate has some fields that it takes no value of.
            if platform == "ec2" { field } else { Field { plain: Vec::new(), ..field } }
        })
    });
    check(&fields.collect::<Vec<_>>(), 60);
}

#[test]
fn numbers_of_scenarios() {
    let mut fields = Vec::new();
    for base in [scenario(), traced()] {
        let mut numbers = Vec::new();
        leaves(&base, "", &mut numbers);
        for (pointer, before) in numbers {
            let base = base.clone();
            fields.push(Field::new(pointer.clone(), &before, move |value| {
                let mut scenario = base.clone();
                *scenario.pointer_mut(&pointer).expect("it is there") = value.clone();
                of_scenario(scenario)
            }));
        }
    }
    check(&fields, 60);
}

#[test]
fn numbers_of_settings() {
    let is_choice = |unit: &str| matches!(unit, "true or false" | "word");
    let settings = known_settings::all().into_iter().filter(|known| known.used && !is_choice(known.unit));
    let fields = settings.map(|known| {
        let default = match known.unit {
            "size or none" => "1 GiB",
            "duration or none" => "1s",
            "bandwidth or none" => "1 MB/s",
            _ => known.default.split(" (").next().unwrap_or_default(),
        };
        let default = serde_json::from_str(default).unwrap_or_else(|_| json!(default)); // a number, or a text
        Field::new(known.path.clone(), &default, move |value| {
            let mut scenario = only(platforms(known.name));
            let arrivals = scenario["arrivals"].as_object_mut().expect("a map");
            arrivals.retain(|name, _| matches!(name.as_str(), "main" | "even"));
            let place = match known.path.strip_prefix("settings.") {
                Some(name) => &mut scenario["settings"][name],
                None => known.path.split('.').fold(&mut scenario, |inner, step| &mut inner[step]),
            };
            *place = value.clone();
            of_scenario(scenario)
        })
    });
    check(&fields.collect::<Vec<_>>(), 90);
}

/// The base of the scenario has every number that the language has.
#[test]
fn every_number_of_the_language_is_there() {
    let schema = json_schema::schema();
    let mut wanted = BTreeSet::new();
    numbers(&schema, &schema["else"], "", &mut wanted);
    let bases = [scenario(), traced()];
    let is_missing = |path: &&String| !bases.iter().any(|base| has(base, path));
    let missing: Vec<&String> = wanted.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "add to the scenario of this test: {missing:#?}");
    assert!(wanted.len() > 40, "{wanted:#?}");
}

// ---------------------------------------------------------------------------------------------------
// Cases.

impl Field {
    /// A field with the extremes of what it has.
    fn new(name: String, before: &Value, case: impl Fn(&Value) -> Case + Send + Sync + 'static) -> Self {
        let plain = iter::once(before.clone()).chain(PLAIN.map(Value::from)).collect();
        Field { name, values: extremes(before), plain, case: Box::new(case) }
    }
}

fn of_manifest(kind: &str, base: &Value, path: &str, value: &Value) -> Case {
    let mut document = base.clone();
    set(&mut document, path, value);
    let mut scenario = only(&["eks"]);
    if kind == "Pod" {
        scenario["arrivals"]["main"]["pod"] = json!({"spec": document["spec"]});
    }
    Case { scenario, requests: json!([]), manifests: bases::around(kind, document) }
}

fn of_scenario(scenario: Value) -> Case {
    Case { scenario, requests: requests(), manifests: bases::around("Pod", manifest("Pod", "")) }
}

/// The platforms that a setting may concern.
fn platforms(setting: &str) -> &'static [&'static str] {
    match setting.split('.').next().unwrap_or_default() {
        "ecs" | "fargate" | "account" => &["ec2", "fargate"],
        "k8s" => &["eks"],
        _ => &["ec2", "fargate", "eks"],
    }
}

/// The scenario with these platforms alone.
fn only(platforms: &[&str]) -> Value {
    let mut scenario = scenario();
    let all = scenario["platforms"].as_object_mut().expect("a map");
    all.retain(|name, _| platforms.contains(&name.as_str()));
    scenario
}

/// A number as JSON has it, which knows no limits.
fn exact(number: i128) -> Value {
    serde_json::from_str(&number.to_string()).expect("a number")
}

/// The extremes of the kind of this value.
fn extremes(value: &Value) -> Vec<Value> {
    match value.as_str() {
        None => NUMBERS.map(exact).into(),
        Some(text) => {
            let kinds = TEXTS.iter().find(|(ends, _)| ends.iter().any(|end| text.ends_with(end)));
            kinds.expect("the last row takes everything").1.iter().map(|text| json!(text)).collect()
        }
    }
}

/// Every extreme is refused or runs. A field that takes none of them takes something else: otherwise this
/// would not be a test of it.
fn check(fields: &[Field], count_min: usize) {
    assert!(fields.len() >= count_min, "only {} fields", fields.len());
    let wrong: Vec<String> = fields.par_iter().filter_map(|field| wrong_with(field).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn wrong_with(field: &Field) -> Result<(), String> {
    let mut runs = false;
    for value in &field.values {
        match fate(&(field.case)(value)) {
            Fate::Runs => runs = true,
            Fate::Refused(_) => {}
            Fate::Panics(words) => return Err(format!("{} = {value} panics: {words}", field.name)),
        }
    }
    if runs || field.plain.is_empty() {
        return Ok(());
    }
    let mut refusals = Vec::new();
    for value in &field.plain {
        match fate(&(field.case)(value)) {
            Fate::Runs => return Ok(()),
            Fate::Refused(why) | Fate::Panics(why) => refusals.push(why),
        }
    }
    Err(format!("{} takes nothing: {refusals:#?}", field.name))
}

/// Reads, lowers and runs a case on each of its platforms.
fn fate(case: &Case) -> Fate {
    match catch_unwind(AssertUnwindSafe(|| try_it(case))) {
        Ok(None) => Fate::Runs,
        Ok(Some(why)) => Fate::Refused(why),
        Err(panic) => Fate::Panics(words(&*panic)),
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Why the case is refused, if it is.
fn try_it(case: &Case) -> Option<String> {
    let mut sources = Sources::default();
    let mut add = |name: &str, value: &Value| sources.add(name, value.to_string().into_bytes());
    let text = add("scenario.yaml", &case.scenario);
    let files = [add("requests.json", &case.requests), add("manifests.json", &case.manifests)];
    let (scenario, found) = read::<Scenario>(&text);
    let Some(scenario) = scenario else {
        return Some(found.first().expect("a reason").line(&sources));
    };
    let traces = match traces(&scenario) {
        Ok(traces) => traces,
        Err(wrong) => return Some(wrong.first().expect("a reason").line(&sources)),
    };
    for (name, platform) in &scenario.platforms.value {
        let file = usize::from(platform.eks.is_some());
        let (plan, found) = lower_with(&scenario, name, std::slice::from_ref(&files[file]), &traces);
        let error = found.iter().find(|each| each.severity == Severity::Error);
        let Some(plan) = plan.filter(|_| error.is_none()) else {
            return Some(error.expect("a reason").line(&sources));
        };
        let mut collector = Collector::new(&plan, Span::minutes(5), true);
        let mut looks = 0;
        let ended = run_with(&plan, 1, &mut collector, &mut Nobody, &mut |_| {
            looks += 1;
            if looks < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        collector.finish(&plan, 1, ended);
    }
    None
}

fn traces(scenario: &Scenario) -> Result<Traces, Vec<Diagnostic>> {
    let source: Arc<dyn TraceSource> = Arc::new(bases::TRACE.as_bytes().to_vec());
    let traced = scenario.arrivals.iter().filter(|(_, arrival)| arrival.trace.is_some());
    traced
        .map(|(name, arrival)| Ok((name.value.clone(), first_pass(scenario, arrival, &source, 0)?)))
        .collect()
}

// ---------------------------------------------------------------------------------------------------
// Paths.

/// The first three columns of a table.
fn rows(table: &str) -> Vec<(String, String, String)> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(table.as_bytes());
    let rows = reader.records().map(|row| row.expect("a row of the file"));
    rows.map(|row| (row[0].to_owned(), row[1].to_owned(), row[2].to_owned())).collect()
}

/// Sets a field; of a list, that of its first entry.
fn set(document: &mut Value, path: &str, value: &Value) {
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let list = step.strip_suffix("[]");
    let mut place = &mut document[list.unwrap_or(step)];
    if list.is_some() {
        if !place.is_array() {
            *place = json!([{}]);
        }
        place = &mut place[0];
    }
    match rest {
        // Names of resources have dots.
        Some(rest) if !bases::is_amounts(step) => set(place, rest, value),
        Some(rest) => place[rest] = value.clone(),
        None => *place = value.clone(),
    }
}

/// Everything in a document that is a number, or a text that begins with one, and the pointers to it.
fn leaves(document: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    let below = |step: &str| format!("{at}/{step}");
    match document {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| leaves(value, &below(key), found)),
        Value::Array(items) => {
            (0..)
                .zip(items)
                .for_each(|(index, item): (usize, _)| leaves(item, &below(&index.to_string()), found));
        }
        Value::Number(_) => found.push((at.to_owned(), document.clone())),
        Value::String(text) if text.starts_with(|c: char| c.is_ascii_digit()) => {
            found.push((at.to_owned(), document.clone()));
        }
        Value::String(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// The paths of every number in a schema; `*` stands for any name.
fn numbers(root: &Value, schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    const MEASURES: [&str; 7] = ["duration", "size", "rate", "bandwidth", "percentage", "share", "time"];
    let below = |step: &str| if at.is_empty() { step.to_owned() } else { format!("{at}.{step}") };
    if at == "settings" {
        return;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/definitions/")) {
        if MEASURES.contains(&name) {
            found.insert(at.to_owned());
        } else if !name.ends_with("_spread") {
            numbers(root, &root["definitions"][name], at, found);
        }
    }
    let is_number = |of: &Value| of == "integer" || of == "number";
    if is_number(&schema["type"]) || schema["type"].as_array().is_some_and(|all| all.iter().any(is_number)) {
        found.insert(at.to_owned());
    }
    for any in ["allOf", "anyOf", "oneOf"] {
        schema[any].as_array().into_iter().flatten().for_each(|each| numbers(root, each, at, found));
    }
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        numbers(root, inner, &below(key), found);
    }
    if schema["additionalProperties"].is_object() {
        numbers(root, &schema["additionalProperties"], &below("*"), found);
    }
    if schema["items"].is_object() {
        numbers(root, &schema["items"], &below("*"), found);
    }
}

/// Whether a document has this path somewhere.
fn has(document: &Value, path: &str) -> bool {
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let go_on = |inner: &Value| rest.is_none_or(|rest| has(inner, rest));
    match (step, document) {
        ("*", Value::Object(fields)) => fields.values().any(go_on),
        ("*", Value::Array(items)) => items.iter().any(go_on),
        (step, document) => document.get(step).is_some_and(go_on),
    }
}
