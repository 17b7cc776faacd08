//! `report.html`: one page that needs no network, for people who decide.
//!
//! Every number is text before it reaches the template, and the template escapes all of it but the
//! plots and the data, which escape their names themselves. Tables and plots stand without scripts;
//! scripts add the map, the list of events and charts that answer. The policy of the page admits these
//! very scripts by their hashes and no request at all. Knows nothing of files, but for their names.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use crate::base::Money;
use crate::catalog::Basis;
use crate::measure::Estimate;
use crate::measure::sheet::{
    ChargeLine, EventLine, Group, MeasureColumn, PlatformSheet, SettingLine, Sheet, WaitingLine,
    WorkloadLine, things,
};

use super::data::{Packed, Scope};
use super::svg::Plot;
use super::{DATA_FILES, Place, folders, headline, number, svg};

/// A text that the page holds as it is, with the hash by which the policy of the page admits it.
pub(super) struct Asset {
    pub(super) text: &'static str,
    /// SHA-256 in base 64; a test tells it when the text changes.
    pub(super) hash: &'static str,
}

pub(super) const STYLES: [Asset; 2] = [
    Asset { text: include_str!("assets/uplot.css"), hash: "32MMao1vjur/JktQ9zzlsRT2Rv/ZoLt08EmwoAE1+gQ=" },
    Asset { text: include_str!("assets/report.css"), hash: "sVZAFBl6P7/wZ/oZF0GveikJa/SFzyrN3mNkn9U7wO8=" },
];
pub(super) const SCRIPTS: [Asset; 2] = [
    Asset { text: include_str!("assets/uplot.js"), hash: "GcjUxq2Ikpp59K5J1vcWFWbf0Lo9FcxJXpdPeH63jx8=" },
    Asset { text: include_str!("assets/report.js"), hash: "LEV36dTz24SIk8yg3BE9bPGUpJ82yqLf8YO4xCdKX7Y=" },
];

/// A table or list of the page has this many rows at most; what is left is counted.
const ROWS_MAX: usize = 200;
/// How many events stand in the page for readers without scripts.
const EVENTS_STILL: usize = 30;

const TEMPLATE: &str = include_str!("report.html.jinja");

/// The measures of the cards at the top, where they exist, with the words of the card.
const CARDS: [(&str, &str); 7] = [
    ("cost_usd", "cost"),
    ("start_p50_s", "half start within"),
    ("start_p99_s", "99 of 100 start within"),
    ("cpu_allocated_pct", "CPU allocated"),
    ("memory_allocated_pct", "memory allocated"),
    ("tasks_failed", "tasks failed"),
    ("pending_end", "pods pending at the end"),
];

/// One column of the table of workloads.
struct WorkloadFigure {
    head: &'static str,
    /// Whether only tasks have it, or only pods.
    tasks: bool,
    pods: bool,
    decimals: usize,
    of: fn(&WorkloadLine) -> Option<Estimate>,
}

const fn figure(
    head: &'static str,
    decimals: usize,
    of: fn(&WorkloadLine) -> Option<Estimate>,
) -> WorkloadFigure {
    WorkloadFigure { head, tasks: false, pods: false, decimals, of }
}

/// The columns of the table of workloads, after the name.
const WORKLOAD: [WorkloadFigure; 9] = [
    figure("started", 0, |line| line.started),
    figure("failed", 0, |line| line.failed),
    WorkloadFigure { tasks: true, ..figure("refused", 0, |line| line.refused) },
    WorkloadFigure { pods: true, ..figure("pending", 0, |line| line.pending) },
    WorkloadFigure { pods: true, ..figure("preempted", 0, |line| line.preempted) },
    figure("p50, s", 2, |line| line.start_p50_s),
    figure("p90, s", 2, |line| line.start_p90_s),
    figure("p99, s", 2, |line| line.start_p99_s),
    figure("max, s", 2, |line| line.start_max_s),
];

/// The page for these platforms of the sheet, with the data that its scripts draw from.
pub(super) fn report(sheet: &Sheet, platforms: &[PlatformSheet], place: Place, packed: &Packed) -> Vec<u8> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.add_template("report.html", TEMPLATE).expect("the template is well formed");
    let template = environment.get_template("report.html").expect("it was just added");
    let page = Value::from_serialize(Page::of(sheet, platforms, place, packed));
    let text = template.render(context! { page }).expect("the page has what the template asks for");
    text.into_bytes()
}

#[derive(Serialize)]
struct Page<'a> {
    policy: String,
    styles: [&'static str; 2],
    scripts: [&'static str; 2],
    data: &'a str,
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
    /// Whether a platform runs tasks, and whether one runs pods.
    tasks: bool,
    pods: bool,
    costs: Option<Figure>,
    starts: Option<Figure>,
    platforms: Vec<Platform>,
    settings: Vec<Setting>,
    settings_set: usize,
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
    bill: Vec<Component>,
    total: String,
    basis: String,
    seed: u64,
    kubernetes: bool,
    /// Reason, pods at the end, most pods at once.
    waiting: Vec<[String; 3]>,
    waiting_more: usize,
    workload_heads: Vec<&'static str>,
    workloads: Vec<Vec<String>>,
    workloads_more: usize,
    plots: Vec<Figure>,
    digests: Vec<(String, String)>,
    events_count: String,
    events: Vec<(String, String)>,
    /// What of the events is left out; empty when nothing is.
    events_kept: String,
    /// How the map is summed up; empty when it shows every task.
    summed: String,
}

#[derive(Serialize)]
struct Card {
    label: String,
    value: String,
    interval: String,
    unit: &'static str,
}

/// One measure on every platform.
#[derive(Serialize)]
struct Row {
    label: String,
    part: bool,
    unit: &'static str,
    cells: Vec<String>,
}

/// One branch of a bill: a component, its pools or workloads, and their lines.
#[derive(Serialize)]
struct Component {
    name: String,
    amount: String,
    /// In thousandths of the total.
    share: u16,
    /// Whether it comes to something.
    open: bool,
    groups: Vec<Branch>,
    /// How many groups are left out, and what they come to.
    more: usize,
    more_amount: String,
}

#[derive(Serialize)]
struct Branch {
    name: String,
    amount: String,
    share: u16,
    lines: Vec<Charge>,
}

#[derive(Serialize)]
struct Setting {
    name: String,
    value: String,
    basis: String,
    set: bool,
}

#[derive(Serialize)]
struct Charge {
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
    file: &'static str,
    unit: &'static str,
    svg: String,
}

impl Page<'_> {
    fn of<'a>(sheet: &Sheet, platforms: &[PlatformSheet], place: Place, packed: &'a Packed) -> Page<'a> {
        let folders = match place {
            Place::Above => folders(platforms).into_iter().map(|folder| format!("{folder}/")).collect(),
            Place::Inside => vec![String::new(); platforms.len()],
        };
        let platform = |((platform, folder), scope)| Platform::of(sheet, platforms, platform, folder, scope);
        let settings: Vec<Setting> = sheet.settings.iter().map(Setting::of).collect();
        Page {
            policy: policy(),
            styles: STYLES.map(|asset| asset.text),
            scripts: SCRIPTS.map(|asset| asset.text),
            data: &packed.json,
            title: number::plain(&sheet.scenario),
            about: number::plain(&sheet.about),
            facts: facts(sheet, platforms),
            sentences: headline::sentences(sheet, platforms),
            warnings: some(&sheet.warnings),
            notes: some(&sheet.notes),
            not_billed: plain_all(&sheet.not_billed),
            n: sheet.replications,
            rows: rows(sheet, platforms),
            definitions: definitions(sheet, platforms),
            tasks: !platforms.iter().all(|platform| platform.kubernetes),
            pods: platforms.iter().any(|platform| platform.kubernetes),
            costs: svg::costs(sheet, platforms).map(Figure::of),
            starts: svg::starts(platforms).map(Figure::of),
            platforms: platforms.iter().zip(folders).zip(&packed.scopes).map(platform).collect(),
            settings_set: settings.iter().filter(|setting| setting.set).count(),
            settings,
            files: DATA_FILES.iter().map(|file| file.0).collect(),
            version: number::plain(&sheet.version),
        }
    }
}

impl Platform {
    fn of(
        sheet: &Sheet,
        beside: &[PlatformSheet],
        platform: &PlatformSheet,
        folder: String,
        scope: &Scope,
    ) -> Platform {
        let workloads = platform.workloads.iter().take(ROWS_MAX);
        let foreign = |figure: &WorkloadFigure| if platform.kubernetes { figure.tasks } else { figure.pods };
        let figures: Vec<&WorkloadFigure> = WORKLOAD.iter().filter(|figure| !foreign(figure)).collect();
        let decisions = ("all decisions".to_owned(), number::plain(&platform.decision_digest));
        let kinds =
            platform.digests.iter().map(|(kind, digest)| (number::plain(kind), number::plain(digest)));
        Platform {
            name: number::plain(&platform.name),
            about: number::plain(&platform.about),
            folder,
            cards: cards(sheet, platform),
            bill: tree(platform),
            total: number::dollars(platform.total()),
            basis: basis(platform),
            seed: sheet.first_seed,
            kubernetes: platform.kubernetes,
            waiting: platform.waiting.iter().take(ROWS_MAX).map(waiting).collect(),
            waiting_more: platform.waiting.len().saturating_sub(ROWS_MAX),
            workload_heads: figures.iter().map(|figure| figure.head).collect(),
            workloads: workloads.map(|line| workload(line, &figures, sheet.replications)).collect(),
            workloads_more: platform.workloads.len().saturating_sub(ROWS_MAX),
            plots: svg::over_time(platform, beside).into_iter().map(Figure::of).collect(),
            digests: [decisions].into_iter().chain(kinds).collect(),
            events_count: number::grouped(&platform.events_count.to_string()),
            events: platform.events.iter().take(EVENTS_STILL).map(event).collect(),
            events_kept: scope.events(),
            summed: scope.map(),
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
        Figure { title: plot.title, file: plot.file, unit: svg::unit(plot.file), svg: plot.svg }
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
        label: sheet.label(platforms, at).trim_start().to_owned(),
        part: column.label.starts_with(' '),
        unit: column.unit,
        cells: platforms
            .iter()
            .map(|platform| number::estimate(measure(platform, at), column.decimals, sheet.replications))
            .collect(),
    };
    let mut groups: Vec<(Group, Vec<Row>)> = Vec::new();
    let shown = |at: usize| sheet.is_measured(platforms, at);
    for (at, column) in sheet.columns.iter().enumerate().filter(|(at, _)| shown(*at)) {
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
            label: label.replace("tasks", things([platform])),
            value,
            interval: half_width.map(|width| format!("± {width}")).unwrap_or_default() + &n,
            unit: column.unit,
        })
    };
    CARDS.iter().filter_map(card).collect()
}

fn workload(line: &WorkloadLine, figures: &[&WorkloadFigure], n: usize) -> Vec<String> {
    let figure = |of: &&WorkloadFigure| number::estimate((of.of)(line).as_ref(), of.decimals, n);
    [number::plain(&line.name)].into_iter().chain(figures.iter().map(figure)).collect()
}

fn waiting(line: &WaitingLine) -> [String; 3] {
    let count = |count: u64| number::grouped(&count.to_string());
    [number::plain(&line.reason), count(line.at_end), count(line.most)]
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

fn definitions(sheet: &Sheet, platforms: &[PlatformSheet]) -> Vec<(String, &'static str)> {
    let shown = sheet.columns.iter().enumerate().filter(|(at, _)| sheet.is_measured(platforms, *at));
    shown.map(|(at, column)| (definition(&sheet.label(platforms, at), column), column.about)).collect()
}

fn definition(label: &str, column: &MeasureColumn) -> String {
    let label = label.trim_start();
    if column.unit.is_empty() { label.to_owned() } else { format!("{label} ({})", column.unit) }
}

/// The first of many lines, and how many more there are.
fn some(lines: &[String]) -> Vec<String> {
    let more = lines.len().saturating_sub(ROWS_MAX);
    let rest = (more > 0).then(|| format!("and {more} more"));
    plain_all(&lines[..lines.len() - more]).into_iter().chain(rest).collect()
}

fn event(line: &EventLine) -> (String, String) {
    (number::instant(line.at).unwrap_or_default(), number::plain(&line.told()))
}

/// What the page may do: run these very scripts, wear these very styles, and ask nobody for anything.
fn policy() -> String {
    let hashes = |assets: &[Asset]| {
        let each: Vec<String> = assets.iter().map(|asset| format!("'sha256-{}'", asset.hash)).collect();
        each.join(" ")
    };
    format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        hashes(&SCRIPTS),
        hashes(&STYLES)
    )
}

/// The bill by component, then by pool or workload, the largest amounts first.
fn tree(platform: &PlatformSheet) -> Vec<Component> {
    let total = platform.total();
    let mut components: Vec<(&str, Vec<&ChargeLine>)> = Vec::new();
    for line in &platform.bill {
        match components.iter_mut().find(|(name, _)| *name == line.component) {
            Some((_, lines)) => lines.push(line),
            None => components.push((&line.component, vec![line])),
        }
    }
    components.into_iter().map(|(name, lines)| Component::of(name, &lines, total)).collect()
}

impl Component {
    fn of(name: &str, lines: &[&ChargeLine], total: Money) -> Component {
        let mut groups: BTreeMap<&str, Vec<&ChargeLine>> = BTreeMap::new();
        for line in lines {
            groups.entry(&line.of).or_default().push(line);
        }
        let mut groups: Vec<(&str, Vec<&ChargeLine>)> = groups.into_iter().collect();
        groups.sort_by_key(|(_, lines)| Reverse(sum(lines))); // stable: then by name
        let more = groups.split_off(groups.len().min(ROWS_MAX));
        let branch = |(name, lines): (&str, Vec<&ChargeLine>)| Branch {
            name: number::plain(name),
            amount: number::dollars(sum(&lines)),
            share: thousandths(sum(&lines), total),
            lines: lines.into_iter().map(Charge::of).collect(),
        };
        Component {
            name: number::plain(name),
            amount: number::dollars(sum(lines)),
            share: thousandths(sum(lines), total),
            open: sum(lines) != Money::ZERO,
            groups: groups.into_iter().map(branch).collect(),
            more: more.len(),
            more_amount: number::dollars(more.iter().map(|(_, lines)| sum(lines)).sum()),
        }
    }
}

impl Setting {
    fn of(line: &SettingLine) -> Setting {
        let SettingLine { name, value, basis, set } = line;
        Setting {
            name: number::plain(name),
            value: number::plain(value),
            basis: number::plain(basis),
            set: *set,
        }
    }
}

fn sum(lines: &[&ChargeLine]) -> Money {
    lines.iter().map(|line| line.amount).sum()
}

/// The share of a part in a whole.
fn thousandths(part: Money, whole: Money) -> u16 {
    if whole.nanos10() <= 0 {
        return 0;
    }
    let share = part.nanos10().saturating_mul(1000) / whole.nanos10();
    u16::try_from(share.clamp(0, 1000)).expect("clamped")
}

fn plain_all(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| number::plain(line)).collect()
}
