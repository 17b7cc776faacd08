//! The csv files: one table of fields per file, from which header, cells and documentation come.
//!
//! Numbers are plain. Text that a spreadsheet would take for a formula gets a leading apostrophe.
//! Knows nothing of where a file goes.

mod cell;

use std::borrow::Cow;
use std::io::{self, Write};

use crate::base::{Span, Timestamp};
use crate::measure::sheet::{
    ChargeLine, EventLine, NodeLine, PlatformSheet, Replication, SERIES, SeriesSheet, Sheet, TaskLine,
};

use super::number;
use cell::{Cell, Writer};

/// One column of a csv file.
pub struct Field<T> {
    /// Its header.
    pub name: &'static str,
    /// What it means, in a sentence.
    pub about: &'static str,
    of: fn(&T) -> Cell<'_>,
}

const fn field<T>(name: &'static str, about: &'static str, of: fn(&T) -> Cell<'_>) -> Field<T> {
    Field { name, about, of }
}

/// One replication on one platform.
pub struct SummaryRow {
    platform: String,
    replication: Replication,
}

/// The first columns of `summary.csv`; one per measure follows.
pub const SUMMARY: &[Field<SummaryRow>] = &[
    field("platform", "The platform.", |row| text(&row.platform)),
    field("seed", "The seed of the replication.", |row| word(row.replication.seed.to_string())),
    field("digest", "The digest of all its decisions; equal digests mean equal runs.", |row| {
        text(&row.replication.digest)
    }),
];

/// One instant of the grid.
pub struct GridRow {
    start: Timestamp,
    elapsed: Option<Span>,
}

/// The first columns of `timeseries.csv`; one per series follows.
pub const TIMESERIES: &[Field<GridRow>] = &[
    field("at", "The instant, UTC.", |row| {
        instant(row.elapsed.and_then(|elapsed| row.start.checked_add(elapsed)).unwrap_or(Timestamp::NEVER))
    }),
    field("elapsed_s", "Seconds since the start of the run.", |row| {
        row.elapsed.map_or(Cell::EMPTY, Cell::Seconds)
    }),
];

/// The columns of `tasks.csv`.
pub const TASKS: &[Field<TaskLine>] = &[
    field("task", "The name of the task or pod.", |task| text(&task.name)),
    field("workload", "The workload that it belongs to.", |task| text(&task.workload)),
    field("launch_type", "EC2 or FARGATE; empty for a pod.", |task| text(task.launch_type)),
    field(
        "node",
        "The instance or node that it ran on; empty on Fargate, and for a pod without a node.",
        |task| text(&task.node),
    ),
    field("zone", "The zone that it ran in.", |task| text(&task.zone)),
    field(
        "arrived",
        "The request, the raise of the desired count, or the end of the task that it replaces; of a pod, its creation.",
        |task| instant(task.arrived),
    ),
    field("placed", "The decision where it runs; of a pod, its binding.", |task| instant(task.placed)),
    field("pull_started", "Its first image pull began.", |task| instant(task.pull_started)),
    field("pull_stopped", "Its last image pull ended.", |task| instant(task.pull_stopped)),
    field("started", "It reached RUNNING: all containers started; of a pod, its phase Running.", |task| {
        instant(task.started)
    }),
    field(
        "ready",
        "It passed its health checks, or reached RUNNING when it has none; of a pod, its condition Ready.",
        |task| instant(task.ready),
    ),
    field("stopping", "Its stop was asked for; of a pod, its deletion.", |task| instant(task.stopping)),
    field("stopped", "It reached STOPPED; of a pod, it ended.", |task| instant(task.stopped)),
    field("time_to_place_s", "Seconds from arrived to placed.", |task| between(task.arrived, task.placed)),
    field("time_to_start_s", "Seconds from arrived to started.", |task| between(task.arrived, task.started)),
    field("time_to_ready_s", "Seconds from arrived to ready.", |task| between(task.arrived, task.ready)),
    field("stop_code", "Why it stopped, as a code; empty while it runs.", |task| text(task.stop_code)),
    field("stop_reason", "Why it stopped, in words.", |task| text(&task.stop_reason)),
    field(
        "why",
        "Why a pod waits or waited for a node, as it was said last; empty when it did not.",
        |task| text(&task.why),
    ),
];

/// The columns of `nodes.csv`.
pub const NODES: &[Field<NodeLine>] = &[
    field("node", "The name of the machine.", |node| text(&node.name)),
    field("pool", "The pool that bought it.", |node| text(&node.pool)),
    field("instance_type", "Its instance type.", |node| text(&node.instance_type)),
    field("zone", "Its zone.", |node| text(&node.zone)),
    field("requested", "It was asked for.", |node| instant(node.requested)),
    field(
        "running",
        "EC2 reported it running; billing began. Empty for a node that stands on no bill.",
        |node| instant(node.running),
    ),
    field("registered", "It registered with the cluster; of a node, it was Ready.", |node| {
        instant(node.registered)
    }),
    field(
        "terminated",
        "Its termination was accepted; billing ended. Empty when it outlived the run.",
        |node| instant(node.terminated),
    ),
];

/// The columns of `bill.csv`.
pub const BILL: &[Field<ChargeLine>] = &[
    field("component", "What is paid for: compute, memory, storage, public IPv4, control plane.", |line| {
        text(&line.component)
    }),
    field("of", "The pool or the workload that used it, or the cluster.", |line| text(&line.of)),
    field("resource", "What exactly: the instance type, the Fargate architecture.", |line| text(&line.what)),
    field(
        "usage",
        "How much was used, rounded down to six decimals; the amount is of the exact usage.",
        |line| word(number::usage(line.usage)),
    ),
    field("unit", "The unit of the usage.", |line| word(line.usage.unit.label())),
    field("rate_usd", "The published rate in USD.", |line| word(number::rate(line.rate).0)),
    field("rate_per", "What the rate is for; a month has 730 hours.", |line| word(number::rate(line.rate).1)),
    field("basis", "How well the rate is known: listed, estimated or assumed.", |line| {
        word(line.basis.label())
    }),
    field("source", "Whose figure the rate is.", |line| text(&line.source)),
    field("as_of", "The day or month of the rate.", |line| text(&line.as_of)),
    field("amount_usd", "Usage times rate in USD, rounded once to 1e-10.", |line| {
        word(line.amount.to_string())
    }),
];

/// The columns of `events.csv`.
pub const EVENTS: &[Field<EventLine>] = &[
    field("at", "The instant, UTC; the first, when it was said more than once.", |event| instant(event.at)),
    field("of", "What the event is about: the service, or the pod.", |event| text(&event.of)),
    field("message", "What a user of the orchestrator reads.", |event| text(&event.message)),
    field("reason", "The reason of an event of Kubernetes; empty on ECS.", |event| text(&event.reason)),
    field("type", "Its type, Normal or Warning; empty on ECS.", |event| text(event.kind)),
    field("count", "How often it was said.", |event| word(event.count.to_string())),
    field("last", "When it was said last.", |event| instant(event.last)),
];

/// `summary.csv`: one row per platform and replication.
///
/// # Errors
/// Whatever `to` answers.
pub fn summary(sheet: &Sheet, platforms: &[PlatformSheet], to: &mut dyn Write) -> io::Result<()> {
    let mut writer = Writer::new(to, names(SUMMARY).chain(sheet.columns.iter().map(|column| column.name)))?;
    for platform in platforms {
        for replication in &platform.replications {
            let row = SummaryRow { platform: platform.name.clone(), replication: replication.clone() };
            let values = sheet.columns.iter().enumerate().map(|(at, column)| {
                let value = replication.values.get(at).copied().flatten();
                word(value.and_then(|value| number::exact(value, column.decimals)).unwrap_or_default())
            });
            writer.row(cells(SUMMARY, &row).chain(values))?;
        }
    }
    writer.finish()
}

/// `timeseries.csv`: one row per instant of the grid, one column per series.
///
/// # Errors
/// Whatever `to` answers.
pub fn timeseries(sheet: &Sheet, platform: &PlatformSheet, to: &mut dyn Write) -> io::Result<()> {
    let mut writer =
        Writer::new(to, names(TIMESERIES).chain(platform.series.iter().map(|series| series.column.name)))?;
    let points = platform.series.iter().map(|series| series.points.len()).max().unwrap_or(0);
    for at in 0..points {
        let nanos = platform.series_period.as_nanos().checked_mul(at as u64);
        let row = GridRow { start: sheet.start, elapsed: nanos.map(Span::from_nanos) };
        let values = platform.series.iter().map(|series| point(series, at));
        writer.row(cells(TIMESERIES, &row).chain(values))?;
    }
    writer.finish()
}

/// `tasks.csv`: one row per task.
///
/// # Errors
/// Whatever `to` answers.
pub fn tasks(platform: &PlatformSheet, to: &mut dyn Write) -> io::Result<()> {
    table(TASKS, &platform.tasks, to)
}

/// `nodes.csv`: one row per machine.
///
/// # Errors
/// Whatever `to` answers.
pub fn nodes(platform: &PlatformSheet, to: &mut dyn Write) -> io::Result<()> {
    table(NODES, &platform.nodes, to)
}

/// `bill.csv`: one row per charge line.
///
/// # Errors
/// Whatever `to` answers.
pub fn bill(platform: &PlatformSheet, to: &mut dyn Write) -> io::Result<()> {
    table(BILL, &platform.bill, to)
}

/// `events.csv`: one row per event.
///
/// # Errors
/// Whatever `to` answers.
pub fn events(platform: &PlatformSheet, to: &mut dyn Write) -> io::Result<()> {
    table(EVENTS, &platform.events, to)
}

/// A documented column: its name and what it means.
pub type Described = (&'static str, &'static str);

/// Every csv file with its fixed columns, for the documentation.
pub fn described() -> Vec<(&'static str, Vec<Described>)> {
    fn all<T>(fields: &[Field<T>]) -> Vec<Described> {
        fields.iter().map(|field| (field.name, field.about)).collect()
    }
    let series = SERIES.iter().map(|column| (column.name, column.about));
    vec![
        ("summary.csv", all(SUMMARY)),
        ("timeseries.csv", all(TIMESERIES).into_iter().chain(series).collect()),
        ("tasks.csv", all(TASKS)),
        ("nodes.csv", all(NODES)),
        ("bill.csv", all(BILL)),
        ("events.csv", all(EVENTS)),
    ]
}

fn text(value: &str) -> Cell<'_> {
    Cell::Text(value)
}

fn word<'a>(value: impl Into<Cow<'a, str>>) -> Cell<'a> {
    Cell::Word(value.into())
}

const fn instant<'a>(at: Timestamp) -> Cell<'a> {
    Cell::Instant(at)
}

/// Empty when one of the instants is never, or when they are out of order.
fn between<'a>(from: Timestamp, to: Timestamp) -> Cell<'a> {
    if from <= to && to != Timestamp::NEVER { Cell::Seconds(to.since(from)) } else { Cell::EMPTY }
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a point becomes a number for people"
)]
fn point<'a>(series: &SeriesSheet, at: usize) -> Cell<'a> {
    let Some(&steps) = series.points.get(at) else { return Cell::EMPTY };
    word(number::exact(steps as f64 / series.column.scale as f64, 0).unwrap_or_default())
}

fn names<T>(fields: &'static [Field<T>]) -> impl Iterator<Item = &'static str> {
    fields.iter().map(|field| field.name)
}

fn cells<'a, T>(fields: &'static [Field<T>], row: &'a T) -> impl Iterator<Item = Cell<'a>> {
    fields.iter().map(move |field| (field.of)(row))
}

fn table<T>(fields: &'static [Field<T>], rows: &[T], to: &mut dyn Write) -> io::Result<()> {
    let mut writer = Writer::new(to, names(fields))?;
    for row in rows {
        writer.row(cells(fields, row))?;
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_in_the_unit_of_their_column_and_may_be_missing() {
        let series = [("cpu_reserved_vcpu", vec![0, 64_000, 128_001]), ("tasks", vec![3])];
        let platform = PlatformSheet {
            series_period: Span::seconds(90),
            series: series
                .into_iter()
                .filter_map(|(name, points)| SeriesSheet::named(name, points))
                .collect(),
            ..PlatformSheet::default()
        };
        let mut bytes = Vec::new();
        timeseries(&Sheet::default(), &platform, &mut bytes).expect("memory");
        let expected = "at,elapsed_s,cpu_reserved_vcpu,tasks\n\
                        1970-01-01T00:00:00.000Z,0,0,3\n\
                        1970-01-01T00:01:30.000Z,90,0.5,\n\
                        1970-01-01T00:03:00.000Z,180,1,\n";
        assert_eq!(String::from_utf8(bytes).as_deref(), Ok(expected));
    }

    #[test]
    fn every_column_is_described_once() {
        for (file, columns) in described() {
            let mut names: Vec<&str> = columns.iter().map(|column| column.0).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), columns.len(), "{file}");
            assert!(columns.iter().all(|column| column.1.ends_with('.')), "{file}");
        }
    }
}
