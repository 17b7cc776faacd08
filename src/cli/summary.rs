//! `summary.csv` of a result, read back: the values of each measure by seed.
//!
//! Knows nothing of what the measures mean.

use std::path::Path;

use super::{Exit, warn};
use crate::measure::Estimate;

/// The values of a result.
pub(super) struct Summary {
    header: Vec<String>,
    /// Seed, and the cells in the order of the header.
    rows: Vec<(u64, Vec<Option<f64>>)>,
}

impl Summary {
    /// The values of a measure, by seed, where a replication had one.
    pub(super) fn of(&self, measure: &str) -> Vec<(u64, f64)> {
        let Some(column) = self.header.iter().position(|name| name == measure) else { return Vec::new() };
        let value = |(seed, cells): &(u64, Vec<Option<f64>>)| Some((*seed, (*cells.get(column)?)?));
        self.rows.iter().filter_map(value).collect()
    }
}

/// Reads the summary of one platform.
pub(super) fn read(folder: &Path) -> Result<Summary, Exit> {
    let path = folder.join("summary.csv");
    let wrong = |what: String| {
        warn(&format!("E0801 {} cannot be read: {what}\n", path.display()));
        Exit::WrongInput
    };
    let mut reader = csv::Reader::from_path(&path).map_err(|error| wrong(error.to_string()))?;
    let header: Vec<String> =
        reader.headers().map_err(|error| wrong(error.to_string()))?.iter().map(str::to_owned).collect();
    let seed =
        header.iter().position(|name| name == "seed").ok_or_else(|| wrong("it has no seeds".to_owned()))?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(error.to_string()))?;
        let number = record.get(seed).and_then(|cell| cell.parse().ok());
        let number = number.ok_or_else(|| wrong("a seed is no number".to_owned()))?;
        rows.push((number, record.iter().map(|cell| cell.parse().ok()).collect()));
    }
    Ok(Summary { header, rows })
}

/// `36.99 ± 0.10`, or without an interval for a single value.
pub(super) fn shown(of: &Estimate, decimals: usize) -> String {
    let mean = plain_zero(format!("{:.decimals$}", of.mean));
    match of.half_width {
        Some(half) => format!("{mean} ± {half:.decimals$}"),
        None => mean,
    }
}

/// A difference; one too small for these decimals gets four more.
pub(super) fn difference(of: &Estimate, decimals: usize) -> String {
    let text = shown(of, decimals);
    let nothing = |text: &str| text.bytes().all(|byte| !byte.is_ascii_digit() || byte == b'0');
    if nothing(&text) { shown(of, decimals + 4) } else { text }
}

/// `-0.00` is 0.00.
fn plain_zero(text: String) -> String {
    let zero = text.starts_with('-') && text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    if zero { text.trim_start_matches('-').to_owned() } else { text }
}
