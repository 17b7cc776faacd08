//! Values over time and start times, thinned to what a screen can show.

use serde::Serialize;

use crate::base::Span;
use crate::measure::sheet::{PlatformSheet, SeriesSheet};
use crate::report::{number, svg};

/// A line has this many points at most.
const POINTS_MAX: usize = 1_000;
/// Values are in thousandths of their unit.
const PARTS: i128 = 1_000;

/// The lines that share an axis.
#[derive(Serialize)]
pub(super) struct Chart {
    /// Which plot it stands for.
    key: &'static str,
    unit: &'static str,
    names: Vec<&'static str>,
    /// The number of the line whose area is tinted.
    tinted: usize,
    /// Milliseconds between points.
    step: u64,
    /// Thousandths of the unit, line by line.
    lines: Vec<Vec<i64>>,
}

/// How long tasks of one platform took from arrival to RUNNING.
#[derive(Serialize)]
pub(super) struct Starts {
    name: String,
    /// Milliseconds, and the share of tasks at or below in 1/10,000.
    points: Vec<(u64, u32)>,
}

/// Every chart over time that has something to show.
pub(super) fn charts(platform: &PlatformSheet) -> Vec<Chart> {
    svg::SUBJECTS.iter().filter_map(|subject| chart(subject, platform)).collect()
}

/// The distributions of start times.
pub(super) fn starts(platforms: &[PlatformSheet]) -> Vec<Starts> {
    let started = platforms.iter().filter(|platform| !platform.start_distribution.is_empty());
    started
        .map(|platform| {
            let all = &platform.start_distribution;
            let bucket = all.len().div_ceil(POINTS_MAX / 2).max(1);
            let kept = all.iter().enumerate().filter(|&(at, _)| at % bucket == 0 || at == all.len() - 1);
            let points = kept.map(|(_, &(span, share))| (milliseconds(span), share)).collect();
            Starts { name: number::plain(&platform.name), points }
        })
        .collect()
}

fn chart(subject: &svg::Subject, platform: &PlatformSheet) -> Option<Chart> {
    let of = |&name: &&str| platform.series.iter().find(|series| series.column.name == name);
    let series: Vec<&SeriesSheet> = subject.series.iter().filter_map(of).collect();
    if series.iter().all(|series| series.points.iter().all(|&point| point <= 0)) {
        return None;
    }
    let longest = series.iter().map(|series| series.points.len()).max().unwrap_or(0);
    let bucket = longest.div_ceil(POINTS_MAX / 2).max(1);
    let (thin, steps) = if longest > POINTS_MAX { (bucket, bucket as u64) } else { (1, 2) };
    Some(Chart {
        key: subject.file,
        unit: subject.words(platform.kubernetes).1,
        names: series.iter().map(|series| series.column.label).collect(),
        tinted: series.iter().position(|series| series.column.name == subject.tinted).unwrap_or(0),
        step: milliseconds(platform.series_period).saturating_mul(steps) / 2,
        lines: series.iter().map(|series| line(series, thin)).collect(),
    })
}

/// Points in thousandths; of a bucket of more than one, the least and the largest in their order.
fn line(series: &SeriesSheet, bucket: usize) -> Vec<i64> {
    let thousandths = |&point: &i64| {
        let parts = i128::from(point) * PARTS / i128::from(series.column.scale.max(1));
        i64::try_from(parts).unwrap_or(i64::MAX)
    };
    if bucket == 1 {
        return series.points.iter().map(thousandths).collect();
    }
    let ends = |points: &[i64]| {
        let least = (0..points.len()).min_by_key(|&at| points[at]).unwrap_or(0);
        let largest = (0..points.len()).max_by_key(|&at| points[at]).unwrap_or(0);
        [points[least.min(largest)], points[least.max(largest)]]
    };
    series.points.chunks(bucket).flat_map(ends).map(|point| thousandths(&point)).collect()
}

fn milliseconds(span: Span) -> u64 {
    span.as_nanos() / 1_000_000
}
