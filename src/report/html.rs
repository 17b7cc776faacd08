//! `report.html`: one page without scripts or network, for people who decide.
//!
//! Every number is text before it reaches the template, and the template escapes all of it but the
//! plots, which escape their names themselves. Knows nothing of files, but for their names.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use crate::base::Money;
use crate::catalog::Basis;
use crate::measure::Estimate;
use crate::measure::sheet::{ChargeLine, Group, MeasureColumn, PlatformSheet, Sheet, WorkloadLine};

use super::svg::Plot;
use super::{DATA_FILES, Place, folders, headline, number, svg};

const TEMPLATE: &str = include_str!("report.html.jinja");

/// The measures of the cards at the top, where they exist, with the words of the card.
const CARDS: [(&str, &str); 4] = [
    ("cost_usd", "cost"),
    ("start_p50_s", "half of the tasks run within"),
    ("start_p99_s", "99 of 100 tasks run within"),
    ("tasks_failed", "tasks failed"),
];

/// The page for these platforms of the sheet.
pub fn report(sheet: &Sheet, platforms: &[PlatformSheet], place: Place) -> Vec<u8> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.add_template("report.html", TEMPLATE).expect("the template is well formed");
    let template = environment.get_template("report.html").expect("it was just added");
    let page = Value::from_serialize(Page::of(sheet, platforms, place));
    let text = template.render(context! { page }).expect("the page has what the template asks for");
    text.into_bytes()
}

#[derive(Serialize)]
struct Page {
    title: String,
    about: String,
    facts: Vec<(&'static str, String)>,
    sentences: Vec<String>,
    warnings: Vec<String>,
    notes: Vec<String>,
    not_billed: Vec<String>,
    n: usize,
    rows: Vec<Vec<Row>>,
    definitions: Vec<(String, &'static str)>,
    costs: Option<Figure>,
    starts: Option<Figure>,
    platforms: Vec<Platform>,
    files: Vec<&'static str>,
    version: String,
}

/// One platform in every section of the page.
#[derive(Serialize)]
struct Platform {
    name: String,
    about: String,
    folder: String,
    cards: Vec<Card>,
    bill: Vec<Charge>,
    total: String,
    basis: String,
    seed: u64,
    workloads: Vec<Vec<String>>,
    plots: Vec<Figure>,
    digests: Vec<(String, String)>,
    events: String,
}

#[derive(Serialize)]
struct Card {
    label: &'static str,
    value: String,
    interval: String,
    unit: &'static str,
}

/// One measure on every platform.
#[derive(Serialize)]
struct Row {
    label: &'static str,
    part: bool,
    unit: &'static str,
    cells: Vec<String>,
}

#[derive(Serialize)]
struct Charge {
    component: String,
    of: String,
    what: String,
    usage: String,
    unit: &'static str,
    rate: String,
    rate_per: String,
    basis: &'static str,
    source: String,
    amount: String,
}

#[derive(Serialize)]
struct Figure {
    title: String,
    svg: String,
}

impl Page {
    fn of(sheet: &Sheet, platforms: &[PlatformSheet], place: Place) -> Page {
        let folders = match place {
            Place::Above => folders(platforms).into_iter().map(|folder| format!("{folder}/")).collect(),
            Place::Inside => vec![String::new(); platforms.len()],
        };
        let platform = |(platform, folder)| Platform::of(sheet, platforms, platform, folder);
        Page {
            title: number::plain(&sheet.scenario),
            about: number::plain(&sheet.about),
            facts: facts(sheet, platforms),
            sentences: headline::sentences(sheet, platforms),
            warnings: plain_all(&sheet.warnings),
            notes: plain_all(&sheet.notes),
            not_billed: plain_all(&sheet.not_billed),
            n: sheet.replications,
            rows: rows(sheet, platforms),
            definitions: sheet.columns.iter().map(|column| (definition(column), column.about)).collect(),
            costs: svg::costs(sheet, platforms).map(Figure::of),
            starts: svg::starts(platforms).map(Figure::of),
            platforms: platforms.iter().zip(folders).map(platform).collect(),
            files: DATA_FILES.iter().map(|file| file.0).collect(),
            version: number::plain(&sheet.version),
        }
    }
}

impl Platform {
    fn of(sheet: &Sheet, beside: &[PlatformSheet], platform: &PlatformSheet, folder: String) -> Platform {
        let decisions = ("all decisions".to_owned(), number::plain(&platform.decision_digest));
        let kinds =
            platform.digests.iter().map(|(kind, digest)| (number::plain(kind), number::plain(digest)));
        Platform {
            name: number::plain(&platform.name),
            about: number::plain(&platform.about),
            folder,
            cards: cards(sheet, platform),
            bill: platform.bill.iter().map(Charge::of).collect(),
            total: number::dollars(platform.total()),
            basis: basis(platform),
            seed: sheet.first_seed,
            workloads: platform.workloads.iter().map(|line| workload(line, sheet.replications)).collect(),
            plots: svg::over_time(platform, beside).into_iter().map(Figure::of).collect(),
            digests: [decisions].into_iter().chain(kinds).collect(),
            events: number::grouped(&platform.events_count.to_string()),
        }
    }
}

impl Charge {
    fn of(line: &ChargeLine) -> Charge {
        let (rate, rate_per) = number::rate(line.rate);
        let dated = match line.as_of.as_str() {
            "" => line.source.clone(),
            as_of if line.source.is_empty() => as_of.to_owned(),
            as_of => format!("{}, {as_of}", line.source),
        };
        Charge {
            component: number::plain(&line.component),
            of: number::plain(&line.of),
            what: number::plain(&line.what),
            usage: number::usage_for_people(line.usage),
            unit: line.usage.unit.label(),
            rate,
            rate_per,
            basis: line.basis.label(),
            source: number::plain(&dated),
            amount: number::dollars(line.amount),
        }
    }
}

impl Figure {
    fn of(plot: Plot) -> Figure {
        Figure { title: plot.title, svg: plot.svg }
    }
}

fn facts(sheet: &Sheet, platforms: &[PlatformSheet]) -> Vec<(&'static str, String)> {
    let seeds = match sheet.replications {
        0 | 1 => format!("{} (n = {})", sheet.first_seed, sheet.replications),
        n => format!("{} to {} (n = {n})", sheet.first_seed, sheet.first_seed.saturating_add(n as u64 - 1)),
    };
    let names: Vec<String> = platforms.iter().map(|platform| number::plain(&platform.name)).collect();
    vec![
        ("Platforms", number::list(&names)),
        ("Region", number::plain(&sheet.region)),
        ("Starts", number::minute(sheet.start)),
        ("Runs for", number::words(sheet.run_for)),
        ("Seeds", seeds),
    ]
}

fn rows(sheet: &Sheet, platforms: &[PlatformSheet]) -> Vec<Vec<Row>> {
    let row = |at: usize, column: &MeasureColumn| Row {
        label: column.label.trim_start(),
        part: column.label.starts_with(' '),
        unit: column.unit,
        cells: platforms
            .iter()
            .map(|platform| number::estimate(measure(platform, at), column.decimals, sheet.replications))
            .collect(),
    };
    let mut groups: Vec<(Group, Vec<Row>)> = Vec::new();
    for (at, column) in sheet.columns.iter().enumerate() {
        match groups.last_mut() {
            Some((group, rows)) if *group == column.group() => rows.push(row(at, column)),
            Some(_) | None => groups.push((column.group(), vec![row(at, column)])),
        }
    }
    groups.into_iter().map(|(_, rows)| rows).collect()
}

fn cards(sheet: &Sheet, platform: &PlatformSheet) -> Vec<Card> {
    let card = |&(name, label): &(&str, &'static str)| {
        let at = sheet.columns.iter().position(|column| column.name == name)?;
        let (column, estimate) = (sheet.columns[at], measure(platform, at)?);
        let (value, half_width) = number::parts(estimate, column.decimals)?;
        let usual = estimate.n == sheet.replications;
        let n = if usual { String::new() } else { format!(" (n = {})", estimate.n) };
        Some(Card {
            label,
            value,
            interval: half_width.map(|width| format!("± {width}")).unwrap_or_default() + &n,
            unit: column.unit,
        })
    };
    CARDS.iter().filter_map(card).collect()
}

fn workload(line: &WorkloadLine, n: usize) -> Vec<String> {
    let figure = |estimate: &Option<Estimate>, decimals| number::estimate(estimate.as_ref(), decimals, n);
    vec![
        number::plain(&line.name),
        figure(&line.started, 0),
        figure(&line.failed, 0),
        figure(&line.refused, 0),
        figure(&line.start_p50_s, 2),
        figure(&line.start_p90_s, 2),
        figure(&line.start_p99_s, 2),
        figure(&line.start_max_s, 2),
    ]
}

/// How much of a bill rests on rates that no source states.
fn basis(platform: &PlatformSheet) -> String {
    let resting_on = |basis: Basis| -> Money {
        platform.bill.iter().filter(|line| line.basis == basis).map(|line| line.amount).sum()
    };
    let parts: Vec<String> = [Basis::Listed, Basis::Estimated, Basis::Assumed]
        .into_iter()
        .filter(|&basis| platform.bill.iter().any(|line| line.basis == basis))
        .map(|basis| format!("{} USD on {} rates", number::dollars(resting_on(basis)), basis.label()))
        .collect();
    if parts.is_empty() { String::new() } else { format!("Of it, {}.", number::list(&parts)) }
}

fn measure(platform: &PlatformSheet, at: usize) -> Option<&Estimate> {
    platform.measures.get(at).and_then(Option::as_ref)
}

fn definition(column: &MeasureColumn) -> String {
    let label = column.label.trim_start();
    if column.unit.is_empty() { label.to_owned() } else { format!("{label} ({})", column.unit) }
}

fn plain_all(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| number::plain(line)).collect()
}
