//! The tables that were recorded from the original; for tests only.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;

/// The rows of a table of `tests/data/kubernetes`.
pub(super) fn rows(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/data/kubernetes/{name}.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::File::open(&path).expect("the table is there");
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).expect("it is compressed text");
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}
