//! The table in the terminal: platforms side by side, every figure with its interval and n.
//!
//! As wide as the caller says; platforms that do not fit stand below. Plain text unless colour is
//! wanted. Knows nothing of terminals: width and colour are arguments.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table};

use crate::measure::sheet::{Group, MeasureColumn, PlatformSheet, Sheet, WaitingLine};

use super::number;

/// How the table is to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Look {
    /// How many letters fit a line; none when the output is a file or a pipe.
    pub width: Option<u16>,
    /// Whether bold text is wanted.
    pub colour: bool,
}

/// So many reasons for which pods wait are told.
const REASONS_MAX: usize = 3;
/// Blanks between two columns.
const GAP: u16 = 2;

/// The table, what its costs leave out, what the import says, and where the files are.
///
/// ```
/// use windtunnel::measure::sheet::{PlatformSheet, Sheet};
/// use windtunnel::report::terminal::{Look, table};
/// let platform = PlatformSheet { name: "ecs-ec2".into(), ..PlatformSheet::default() };
/// let sheet = Sheet { scenario: "demo".into(), replications: 1, platforms: vec![platform], ..Sheet::default() };
/// let text = table(&sheet, "out/demo", Look { width: Some(80), colour: false });
/// assert!(text.contains("ecs-ec2") && text.ends_with("Files: out/demo\n"));
/// ```
pub fn table(sheet: &Sheet, folder: &str, look: Look) -> String {
    let mut text = wrapped("", &title(sheet), look);
    let mut rest = sheet.platforms.as_slice();
    while !rest.is_empty() {
        let (block, others) = rest.split_at(fitting(sheet, rest, look));
        text.push('\n');
        text.push_str(&drawn(sheet, block, look));
        rest = others;
    }
    text.push('\n');
    for platform in sheet.platforms.iter().filter(|platform| waits(platform)) {
        text.push_str(&wrapped(
            &format!("Waiting on {}: ", number::plain(&platform.name)),
            &reasons(platform),
            look,
        ));
    }
    if !sheet.not_billed.is_empty() {
        text.push_str(&wrapped("Not in the costs: ", &sheet.not_billed.join(", "), look));
    }
    for warning in &sheet.warnings {
        text.push_str(&wrapped("Warning: ", warning, look));
    }
    for note in &sheet.notes {
        text.push_str(&wrapped("Note: ", note, look));
    }
    text.push_str(&wrapped("Files: ", folder, Look { width: None, ..look }));
    text
}

fn waits(platform: &PlatformSheet) -> bool {
    platform.waiting.iter().any(|line| line.at_end > 0)
}

/// Why pods wait at the end of the first seed, the most frequent reasons.
fn reasons(platform: &PlatformSheet) -> String {
    let all: Vec<&WaitingLine> = platform.waiting.iter().filter(|line| line.at_end > 0).collect();
    let reason = |line: &&WaitingLine| {
        let pods = if line.at_end == 1 { "pod" } else { "pods" };
        format!("{} {pods}: {}", number::grouped(&line.at_end.to_string()), line.reason)
    };
    let mut told: Vec<String> = all.iter().take(REASONS_MAX).map(reason).collect();
    if all.len() > REASONS_MAX {
        told.push(format!("and {} more reasons in report.html", all.len() - REASONS_MAX));
    }
    told.join("; ")
}

fn title(sheet: &Sheet) -> String {
    let Sheet { scenario, region, replications, .. } = sheet;
    let (length, start) = (number::words(sheet.run_for), number::minute(sheet.start));
    format!("{scenario}: {length} in {region} from {start}, n = {replications}")
}

/// How many of the platforms fit side by side; at least one.
fn fitting(sheet: &Sheet, platforms: &[PlatformSheet], look: Look) -> usize {
    let Some(width) = look.width else { return platforms.len() };
    let fits = |count: &usize| natural_width(&grid(sheet, &platforms[..*count])) <= usize::from(width);
    (1..=platforms.len()).rev().find(fits).unwrap_or(1)
}

fn natural_width(table: &Table) -> usize {
    table.lines().map(|line| number::letters(line.trim_end())).max().unwrap_or(0)
}

fn drawn(sheet: &Sheet, platforms: &[PlatformSheet], look: Look) -> String {
    let mut table = grid(sheet, platforms);
    if let Some(width) = look.width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    if look.colour {
        table.enforce_styling();
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// The cells, without regard to width.
fn grid(sheet: &Sheet, platforms: &[PlatformSheet]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    table.set_header(header(sheet, platforms));
    let mut group: Option<Group> = None;
    let shown = |at: &usize| sheet.is_measured(&sheet.platforms, *at);
    for (at, column) in sheet.columns.iter().enumerate().filter(|(at, _)| shown(at)) {
        if group.is_some_and(|group| group != column.group()) {
            table.add_row(vec![Cell::new(""); platforms.len() + 2]);
        }
        group = Some(column.group());
        table.add_row(row(sheet, platforms, at, column));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    table
}

fn header(sheet: &Sheet, platforms: &[PlatformSheet]) -> Vec<Cell> {
    let platform = |platform: &PlatformSheet| {
        let text = format!("{}\nn = {}", number::plain(&platform.name), sheet.replications);
        Cell::new(text).set_alignment(CellAlignment::Right).add_attribute(Attribute::Bold)
    };
    [Cell::new(""), Cell::new("")].into_iter().chain(platforms.iter().map(platform)).collect()
}

fn row(sheet: &Sheet, platforms: &[PlatformSheet], at: usize, column: &MeasureColumn) -> Vec<Cell> {
    let figure = |platform: &PlatformSheet| {
        let estimate = platform.measures.get(at).and_then(Option::as_ref);
        let text = number::estimate(estimate, column.decimals, sheet.replications);
        Cell::new(text).set_alignment(CellAlignment::Right)
    };
    let words = [Cell::new(sheet.label(platforms, at)), Cell::new(column.unit)];
    words.into_iter().chain(platforms.iter().map(figure)).collect()
}

/// A paragraph, broken at blanks; further lines are indented.
fn wrapped(label: &str, text: &str, look: Look) -> String {
    let width = look.width.map_or(usize::MAX, |width| usize::from(width.max(20)));
    let mut out = String::from(label);
    let mut used = number::letters(label);
    let mut fresh = true;
    for word in number::plain(text).split(' ').filter(|word| !word.is_empty()) {
        let long = number::letters(word);
        if !fresh && used.saturating_add(1 + long) > width {
            out.push_str("\n  ");
            used = 2;
        } else if !fresh {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used = used.saturating_add(long);
        fresh = false;
    }
    out.push('\n');
    out
}
