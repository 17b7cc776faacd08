//! `summary.json`: what programs read; its keys are stable and described in one table.
//!
//! Numbers carry four digits more than people read; what is absent is `null`. Knows nothing of csv.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::measure::Estimate;
use crate::measure::sheet::{MeasureColumn, PlatformSheet, Sheet, WorkloadLine};

use super::number;

/// The version of the layout: raised when a key changes its meaning or vanishes.
const FORMAT: u32 = 1;

/// Every key with what it means; `[]` is every entry of a list, `*` every name.
pub const KEYS: &[(&str, &str)] = &[
    ("format", "The version of this layout: raised when a key changes its meaning or vanishes."),
    ("version", "The version of windtunnel."),
    ("scenario", "The name of the scenario."),
    ("about", "What it is about."),
    ("region", "The AWS region."),
    ("start", "When the run began in virtual time, UTC."),
    ("run_for_s", "How long it ran in virtual time, in seconds."),
    ("replications", "How many seeds were run on each platform."),
    ("first_seed", "The first seed; the others follow it."),
    ("not_billed[]", "What no bill holds."),
    ("notes[]", "What the import has approximated."),
    ("warnings[]", "What the import has dropped or doubts."),
    ("platforms[].name", "The name of the platform."),
    ("platforms[].about", "What it is."),
    ("platforms[].measures.*.unit", "The unit of the measure; empty for a count."),
    ("platforms[].measures.*.n", "How many replications had a value."),
    ("platforms[].measures.*.mean", "Their mean; null when none had a value."),
    ("platforms[].measures.*.half_width", "Half of the 95 % interval of the mean; null for a single value."),
    (
        "platforms[].workloads.*.*.n",
        "The same by workload: started, failed, refused, pending, preempted, start_p50_s to start_max_s.",
    ),
    ("platforms[].workloads.*.*.mean", "The mean over replications."),
    ("platforms[].workloads.*.*.half_width", "Half of its 95 % interval."),
    ("platforms[].bill_total_usd", "The exact sum of the bill of the first seed, as text."),
    ("platforms[].decision_digest", "The digest of all decisions of the first seed."),
    ("platforms[].digests.*", "Digests of the first seed by kind."),
    ("platforms[].events_count", "How many events the first seed took from the agenda."),
];

/// `summary.json` for these platforms.
pub fn summary(sheet: &Sheet, platforms: &[PlatformSheet]) -> Vec<u8> {
    let summary = Summary {
        format: FORMAT,
        version: &sheet.version,
        scenario: &sheet.scenario,
        about: &sheet.about,
        region: &sheet.region,
        start: number::instant(sheet.start),
        run_for_s: seconds(sheet.run_for),
        replications: sheet.replications,
        first_seed: sheet.first_seed,
        not_billed: &sheet.not_billed,
        notes: &sheet.notes,
        warnings: &sheet.warnings,
        platforms: platforms.iter().map(|platform| Platform::of(&sheet.columns, platform)).collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&summary).expect("plain rows become json");
    bytes.push(b'\n');
    bytes
}

#[derive(Serialize)]
struct Summary<'a> {
    format: u32,
    version: &'a str,
    scenario: &'a str,
    about: &'a str,
    region: &'a str,
    start: Option<String>,
    run_for_s: Option<f64>,
    replications: usize,
    first_seed: u64,
    not_billed: &'a [String],
    notes: &'a [String],
    warnings: &'a [String],
    platforms: Vec<Platform<'a>>,
}

#[derive(Serialize)]
struct Platform<'a> {
    name: &'a str,
    about: &'a str,
    measures: Named<&'a str, Measure<'a>>,
    workloads: Named<&'a str, Named<&'a str, Value>>,
    bill_total_usd: String,
    decision_digest: &'a str,
    digests: Named<&'a str, &'a str>,
    events_count: u64,
}

#[derive(Serialize)]
struct Measure<'a> {
    unit: &'a str,
    #[serde(flatten)]
    value: Value,
}

#[derive(Serialize)]
struct Value {
    n: usize,
    mean: Option<f64>,
    half_width: Option<f64>,
}

/// A map in the order of its entries.
struct Named<K, V>(Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Named<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'a> Platform<'a> {
    fn of(columns: &'a [MeasureColumn], platform: &'a PlatformSheet) -> Self {
        let measure = |(at, column): (usize, &'a MeasureColumn)| {
            let estimate = platform.measures.get(at).copied().flatten();
            (column.name, Measure { unit: column.unit, value: Value::of(estimate, column.decimals) })
        };
        let digests = platform.digests.iter().map(|(kind, digest)| (kind.as_str(), digest.as_str()));
        Platform {
            name: &platform.name,
            about: &platform.about,
            measures: Named(columns.iter().enumerate().map(measure).collect()),
            workloads: Named(
                platform.workloads.iter().map(|line| (line.name.as_str(), workload(line))).collect(),
            ),
            bill_total_usd: platform.total().to_string(),
            decision_digest: &platform.decision_digest,
            digests: Named(digests.collect()),
            events_count: platform.events_count,
        }
    }
}

fn workload(line: &WorkloadLine) -> Named<&'static str, Value> {
    Named(vec![
        ("started", Value::of(line.started, 0)),
        ("failed", Value::of(line.failed, 0)),
        ("refused", Value::of(line.refused, 0)),
        ("pending", Value::of(line.pending, 0)),
        ("preempted", Value::of(line.preempted, 0)),
        ("start_p50_s", Value::of(line.start_p50_s, 2)),
        ("start_p90_s", Value::of(line.start_p90_s, 2)),
        ("start_p99_s", Value::of(line.start_p99_s, 2)),
        ("start_max_s", Value::of(line.start_max_s, 2)),
    ])
}

impl Value {
    fn of(estimate: Option<Estimate>, decimals: usize) -> Self {
        let rounded = |value: f64| number::exact(value, decimals)?.parse().ok();
        Value {
            n: estimate.map_or(0, |estimate| estimate.n),
            mean: estimate.and_then(|estimate| rounded(estimate.mean)),
            half_width: estimate.and_then(|estimate| estimate.half_width).and_then(rounded),
        }
    }
}

fn seconds(span: crate::base::Span) -> Option<f64> {
    number::seconds(span).parse().ok()
}
