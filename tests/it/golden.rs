//! The golden outcomes hold: the same command gives the bytes that are kept in `results`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::tool::{good, scratch, text};

/// Scenarios, and what is replaced in them so that they stay short; `results/produce` has the same list.
const SCENARIOS: [(&str, &[&str]); 7] = [
    ("one-task", &[]),
    ("first-flight", &[]),
    ("batch", &["--set", "run_for=12h"]),
    ("rates", &["--set", "run_for=12h"]),
    ("vms", &["--set", "run_for=2h"]),
    ("scheduler/packing", &["--set", "run_for=2h"]),
    ("scheduler/preemption", &[]),
];

#[test]
fn golden_outcomes_hold() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    for (name, replaced) in SCENARIOS {
        let folder = scratch();
        let path = format!("scenarios/{name}");
        good(&[&["run", &path, "--quiet", "--out", text(folder.path())], replaced].concat());
        let golden =
            |file: &str| fs::read_to_string(results.join(name).join(file)).expect("a golden outcome");
        let hint = "if this is meant, run ./results/write and say in the commit why";
        let summary = fs::read_to_string(folder.path().join("summary.csv")).expect("a summary");
        assert_eq!(summary, golden("summary.csv"), "results/{name}/summary.csv: {hint}");
        assert_eq!(digests(folder.path()), golden("digest.txt"), "results/{name}/digest.txt: {hint}");
    }
}

/// One line per platform: its name, the version of the digest, the digest of the first seed.
fn digests(folder: &Path) -> String {
    let mut records: Vec<_> = fs::read_dir(folder)
        .expect("a result")
        .flatten()
        .map(|entry| entry.path().join("run.json"))
        .filter(|path| path.is_file())
        .collect();
    records.sort_unstable();
    let mut lines = String::new();
    for path in records {
        let record: Value =
            serde_json::from_slice(&fs::read(path).expect("a record")).expect("a record is JSON");
        let word = |key: &str| record[key].as_str().expect("text").to_owned();
        writeln!(lines, "{} {} {}", word("platform"), record["digest_version"], word("decision_digest"))
            .expect("strings take all");
    }
    lines
}
