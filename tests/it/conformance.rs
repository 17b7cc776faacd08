//! Every recorded decision of the original is decided again, and everything that was recorded is compared.
//!
//! A case that differs is reported with its first differing field. `WINDTUNNEL_CONFORMANCE=DIR` replays the
//! families of DIR instead; `WINDTUNNEL_CASE=spread/007` shows one case step by step, and
//! `WINDTUNNEL_CASE=spread` replays one family.

mod describe;
mod planted;
pub(crate) mod world;

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use rayon::prelude::*;
use serde_json::Value;

use world::{Rules, World};

/// How many cases each family has. The recorder makes up ten of them itself; those of `rules` are made by
/// hand, for rules that no other family reaches, and the same recorder took their steps.
const FAMILIES: [(&str, usize); 11] = [
    ("resources", 297),
    ("selectors", 254),
    ("spread", 300),
    ("podaffinity", 299),
    ("volumes", 211),
    ("profiles", 180),
    ("sampling", 70),
    ("preemption", 298),
    ("mixed", 36),
    ("queue", 257),
    ("rules", 32),
];

/// A family is reported with at most this many cases that differ.
const REPORTED_MAX: usize = 5;

/// What came of one case.
struct Replayed {
    name: String,
    /// Steps with something to compare, and those that were equal.
    decisions: usize,
    equal: usize,
    first_difference: Option<String>,
}

#[test]
fn every_recorded_decision_is_decided_again() {
    let (folder, others) = folder();
    let wanted = variable("WINDTUNNEL_CASE");
    let known = known_differences();
    let mut found = 0;
    let mut complaints = Vec::new();
    let families = FAMILIES.into_iter().filter(|(family, _)| {
        wanted.as_deref().is_none_or(|wanted| wanted.split('/').next() == Some(family))
    });
    for (family, count) in families {
        let path = folder.join(format!("{family}.jsonl.gz"));
        if !path.is_file() {
            say(&format!("{family:<12} absent"));
            if !others {
                complaints.push(format!("{family} is absent"));
            }
            continue;
        }
        found += 1;
        let lines = lines(&path);
        if let Some(name) = wanted.as_deref().filter(|wanted| wanted.contains('/')) {
            show(&lines, name);
            continue;
        }
        let replayed = replay(&lines, &Rules::default());
        report(family, &replayed, &known, &mut complaints);
        if !others && replayed.len() < count {
            complaints.push(format!("{family} has {} cases instead of {count}", replayed.len()));
        }
    }
    assert!(found > 0, "no family in {}", folder.display());
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// A scheduler that need not say why chooses from what it kept of earlier cycles.
#[test]
fn a_choice_without_reasons_is_the_same() {
    let (folder, _) = folder();
    for (family, _) in FAMILIES {
        let path = folder.join(format!("{family}.jsonl.gz"));
        if !path.is_file() {
            continue;
        }
        let brief = Rules { brief: true, ..Rules::default() };
        for case in replay(&lines(&path), &brief) {
            let difference = case.first_difference.unwrap_or_default();
            assert!(difference.is_empty(), "{} {difference}", case.name);
        }
    }
}

/// Of a success, what is said with and without reasons.
fn leave_out_reasons(expected: &mut Value) {
    if expected["outcome"] != "scheduled" {
        return;
    }
    let Some(result) = expected.as_object_mut() else { return };
    for field in ["rejected", "rejectedCounts", "absent", "ties", "scores", "scoreSummary"] {
        result.remove(field);
    }
}

/// Where the cases are, and whether they are others than those that are kept here.
fn folder() -> (PathBuf, bool) {
    match variable("WINDTUNNEL_CONFORMANCE") {
        Some(folder) => (PathBuf::from(folder), true),
        None => (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kubernetes/conformance"), false),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test that is told what to replay")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Cases that differ for a reason that lies in Go, by name, with the reason.
fn known_differences() -> BTreeMap<String, String> {
    let table = include_str!("../data/kubernetes/conformance/differences.csv");
    let rows = table.lines().skip(1).filter_map(|line| line.split_once(','));
    rows.map(|(case, reason)| (case.to_owned(), reason.to_owned())).collect()
}

fn lines(path: &Path) -> Vec<String> {
    let file = File::open(path).expect("the family is there");
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).expect("a family is compressed text");
    text.lines().map(str::to_owned).collect()
}

fn replay(lines: &[String], rules: &Rules) -> Vec<Replayed> {
    lines.par_iter().map(|line| take_again(line, rules, false)).collect()
}

fn show(lines: &[String], name: &str) {
    let named = format!("\"name\":\"{name}\"");
    let line = lines.iter().find(|line| line.contains(&named)).expect("a case of this name");
    take_again(line, &Rules::default(), true);
}

/// Takes all steps of one case.
fn take_again(line: &str, rules: &Rules, aloud: bool) -> Replayed {
    let mut case: Value = serde_json::from_str(line).expect("a case is JSON");
    let name = case["name"].as_str().expect("a case has a name").to_owned();
    let Value::Array(steps) = case["steps"].take() else { panic!("{name} has steps") };
    let mut replayed = Replayed { name, decisions: 0, equal: 0, first_difference: None };
    let mut world = match World::new(&case, rules) {
        Ok(world) => world,
        Err(message) => {
            replayed.first_difference = Some(message);
            return replayed;
        }
    };
    for (number, step) in steps.iter().enumerate() {
        let answers = match world.take(step) {
            Ok(answers) => answers,
            Err(message) => {
                replayed.first_difference.get_or_insert(format!("step {number}: {message}"));
                break;
            }
        };
        if aloud {
            say(&format!("{number:>4} {}", short(step)));
        }
        for (part, actual) in answers {
            replayed.decisions += 1;
            let mut expected = step[part].clone();
            if rules.brief {
                leave_out_reasons(&mut expected);
            }
            match difference(part, &expected, &actual) {
                None => replayed.equal += 1,
                Some(difference) => {
                    if aloud {
                        say(&format!("     {difference}"));
                    }
                    let place = format!("step {number} ({}): {difference}", subject(step));
                    replayed.first_difference.get_or_insert(place);
                }
            }
        }
    }
    replayed
}

/// The first field in which two answers differ.
fn difference(place: &str, expected: &Value, actual: &Value) -> Option<String> {
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(got)) => {
            let mut fields: Vec<&String> = wanted.keys().chain(got.keys()).collect();
            fields.sort_by_key(|field| ORDER.iter().position(|known| known == field).unwrap_or(ORDER.len()));
            fields.iter().find_map(|field| {
                let none = Value::Null;
                let [wanted, got] = [wanted, got].map(|map| map.get(*field).unwrap_or(&none));
                difference(&format!("{place}.{field}"), wanted, got)
            })
        }
        _ if expected == actual => None,
        _ => Some(format!("{place}\n       expected {expected}\n       actual   {actual}")),
    }
}

/// Fields in the order in which they are compared: causes before effects.
const ORDER: [&str; 20] = [
    "pod",
    "outcome",
    "rejected",
    "rejectedCounts",
    "absent",
    "rejectedBy",
    "scores",
    "scoreSummary",
    "plugins",
    "nodes",
    "evaluated",
    "feasible",
    "nextStart",
    "ties",
    "node",
    "preemption",
    "message",
    "nominatedNode",
    "nominationCleared",
    "bindVolumes",
];

fn subject(step: &Value) -> String {
    let words = ["op", "pod", "kind", "name", "ms"].iter().filter_map(|field| step.get(*field));
    let mut words: Vec<String> = words.map(|word| word.to_string().replace('"', "")).collect();
    let object = &step["object"];
    words.extend(object["kind"].as_str().map(str::to_owned));
    words.extend(object["metadata"]["name"].as_str().map(str::to_owned));
    words.join(" ")
}

fn short(step: &Value) -> String {
    let text = step.to_string();
    text.char_indices().nth(2000).map_or(text.clone(), |(end, _)| format!("{} ...", &text[..end]))
}

fn report(
    family: &str,
    replayed: &[Replayed],
    known: &BTreeMap<String, String>,
    complaints: &mut Vec<String>,
) {
    let sum = |count: fn(&Replayed) -> usize| replayed.iter().map(count).sum::<usize>();
    let (decisions, equal) = (sum(|case| case.decisions), sum(|case| case.equal));
    let differing: Vec<&Replayed> = replayed.iter().filter(|case| case.first_difference.is_some()).collect();
    let cases = replayed.len();
    let whole = cases - differing.len();
    say(&format!(
        "{family:<12} {cases:>4} cases, {whole:>4} equal; {decisions:>6} answers, {equal:>6} equal"
    ));
    let mut reported = 0;
    for case in differing {
        let difference = case.first_difference.as_deref().unwrap_or_default();
        if let Some(reason) = known.get(&case.name) {
            say(&format!("  {} differs: {reason}", case.name));
            continue;
        }
        reported += 1;
        if reported <= REPORTED_MAX {
            complaints.push(format!("{} {difference}", case.name));
        }
    }
    if reported > REPORTED_MAX {
        complaints.push(format!("{family}: {} more cases differ", reported - REPORTED_MAX));
    }
    let equal_after_all =
        replayed.iter().filter(|case| case.first_difference.is_none() && known.contains_key(&case.name));
    complaints.extend(equal_after_all.map(|case| format!("{} is equal after all", case.name)));
}

/// Says something whether the test passes or not.
fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error takes it");
}
