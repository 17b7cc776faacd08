//! Plots: values over time, and how long tasks took to start; without fonts, without scripts.
//!
//! Lines of text and grid take the colour of the page (`currentColor`), so that one plot serves light
//! and dark pages. All coordinates are computed here with `libm`, which every machine does alike.
//! Knows nothing of the page around it.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::base::Span;
use crate::measure::sheet::{Group, MeasureColumn, PlatformSheet, Sheet};

use super::number;

/// The size of every plot: two stand side by side on a wide page, one fills a phone.
const SIZE: (u32, u32) = (480, 290);
/// Lines are thinned to this many steps, each with its least and its largest value.
const STEPS_MAX: usize = 270;
/// The colours of lines: told apart on white and on black.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x2f, 0x7e, 0xd8),
    RGBColor(0xe0, 0x6c, 0x12),
    RGBColor(0x12, 0x96, 0x7c),
    RGBColor(0xa6, 0x5c, 0xe0),
    RGBColor(0xd2, 0x3f, 0x77),
    RGBColor(0x8a, 0x8f, 0x98),
];
/// Stands for the colour of the page's text while a plot is drawn.
const INK: RGBColor = RGBColor(0, 0, 0);
const INK_TEXT: &str = "#000000";
const FONT: i32 = 17;
const LEGEND_LEFT: i32 = 1;
const LEGEND_TOP: i32 = 10;
const LEGEND_STEP: i32 = 22;
/// A letter is about this wide, for legends.
const LETTER: i32 = 8;
/// Names in legends are cut to this many letters.
const NAME_MAX: usize = 36;

/// A plot with the words that stand for it where it cannot be seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plot {
    /// What is drawn.
    pub title: String,
    /// What a screen reader says.
    pub alt: String,
    /// The name of its file without its ending.
    pub file: &'static str,
    /// The markup, to be put into a page.
    pub svg: String,
}

/// One subject of a plot over time: the series that share an axis.
pub(super) struct Subject {
    pub(super) title: &'static str,
    /// The name of its file without its ending.
    pub(super) file: &'static str,
    pub(super) unit: &'static str,
    pub(super) series: &'static [&'static str],
    /// Which of them has its area tinted: what is used.
    pub(super) tinted: &'static str,
}

/// Every plot over time.
pub(super) const SUBJECTS: [Subject; 5] = [
    Subject {
        title: "CPU",
        file: "cpu",
        unit: "vCPU",
        series: &["cpu_capacity_vcpu", "cpu_reserved_vcpu"],
        tinted: "cpu_reserved_vcpu",
    },
    Subject {
        title: "Memory",
        file: "memory",
        unit: "GiB",
        series: &["memory_capacity_gib", "memory_reserved_gib"],
        tinted: "memory_reserved_gib",
    },
    Subject {
        title: "Tasks",
        file: "tasks",
        unit: "tasks",
        series: &["tasks", "running", "pending"],
        tinted: "running",
    },
    Subject {
        title: "Container instances",
        file: "instances",
        unit: "instances",
        series: &["instances"],
        tinted: "instances",
    },
    Subject { title: "Money spent", file: "spent", unit: "USD", series: &["spent_usd"], tinted: "spent_usd" },
];

impl Subject {
    /// Title and unit: on Kubernetes, tasks are pods and instances are nodes.
    pub(super) fn words(&self, kubernetes: bool) -> (&'static str, &'static str) {
        match self.unit {
            "tasks" if kubernetes => ("Pods", "pods"),
            "instances" if kubernetes => ("Nodes", "nodes"),
            _ => (self.title, self.unit),
        }
    }
}

/// The names of the plot files with what they show, for the documentation.
pub fn described() -> Vec<(String, &'static str)> {
    let over_time = SUBJECTS.iter().map(|subject| (format!("{}.svg", subject.file), subject.title));
    let others = [
        ("cost", "What the costs are made of"),
        ("start", "How long tasks or pods took from arrival to RUNNING"),
    ];
    over_time.chain(others.map(|(file, title)| (format!("{file}.svg"), title))).collect()
}

/// The unit of a plot over time; empty for a count.
pub(super) fn unit(file: &str) -> &'static str {
    let found = SUBJECTS.iter().find(|subject| subject.file == file);
    found
        .map(|subject| subject.unit)
        .filter(|unit| !matches!(*unit, "tasks" | "instances"))
        .unwrap_or_default()
}

/// The plots of one platform over time. Axes reach as far as the largest of all `beside`, so that
/// plots of platforms can be compared by eye. What is zero all the time is not drawn.
pub fn over_time(platform: &PlatformSheet, beside: &[PlatformSheet]) -> Vec<Plot> {
    SUBJECTS.iter().filter_map(|subject| plot_over_time(subject, platform, beside)).collect()
}

/// The distribution of start times, platforms in one plot; none when nothing started.
pub fn starts(platforms: &[PlatformSheet]) -> Option<Plot> {
    let lines: Vec<Line> = platforms
        .iter()
        .filter(|platform| !platform.start_distribution.is_empty())
        .map(|platform| Line {
            name: number::plain(&platform.name),
            points: cumulative(platform),
            tinted: false,
        })
        .collect();
    let seconds = || lines.iter().flat_map(|line| line.points.iter().map(|point| point.0));
    let (first, last) = (seconds().reduce(f64::min)?, seconds().reduce(f64::max)?);
    let ticks = decades(first, last);
    let (low, high) = (ticks.first()?.at, ticks.last()?.at);
    let shares: Vec<Tick> = [0_u8, 25, 50, 75, 100]
        .into_iter()
        .map(|share| Tick { at: f64::from(share), label: format!("{share} %") })
        .collect();
    let lines = lines.into_iter().map(|line| line.stretched(low, high)).collect::<Vec<_>>();
    let names: Vec<String> = lines.iter().map(|line| line.name.clone()).collect();
    let alt = format!(
        "Share of tasks that were RUNNING within a time, logarithmic axis, for {}.",
        number::list(&names)
    );
    let svg = draw(&lines, &ticks, &shares, "share of tasks running within this time", &alt);
    Some(Plot { title: "Time from arrival to RUNNING".to_owned(), alt, file: "start", svg })
}

/// What the costs are made of: one stacked bar per platform, means over all seeds; none without costs.
pub fn costs(sheet: &Sheet, platforms: &[PlatformSheet]) -> Option<Plot> {
    let parts: Vec<(usize, &MeasureColumn)> = sheet
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.group() == Group::Cost && column.label.starts_with(' '))
        .filter(|(at, _)| platforms.iter().any(|platform| mean(platform, *at) > 0.0))
        .collect();
    let whole = |column: &MeasureColumn| column.group() == Group::Cost && !column.label.starts_with(' ');
    let whole = sheet.columns.iter().position(whole)?;
    let total = |platform: &PlatformSheet| {
        let estimate = platform.measures.get(whole).and_then(Option::as_ref);
        number::estimate(estimate, sheet.columns[whole].decimals, sheet.replications)
    };
    let bars: Vec<Bar> =
        platforms.iter().map(|platform| Bar::of(platform, &parts, total(platform))).collect();
    let longest = bars.iter().map(Bar::length).fold(0.0, f64::max);
    if longest <= 0.0 {
        return None;
    }
    let labels: Vec<String> = parts.iter().map(|(_, column)| column.label.trim().to_owned()).collect();
    let caption = format!("USD, mean over seeds, n = {}", sheet.replications);
    let alt = format!(
        "Bars of the mean cost in USD: {}.",
        number::list(&bars.iter().map(|bar| format!("{} {}", bar.name, bar.total)).collect::<Vec<_>>())
    );
    Some(Plot {
        title: "What the costs are made of".to_owned(),
        svg: titled(&draw_bars(&bars, &labels, longest, &caption), &alt),
        alt,
        file: "cost",
    })
}

/// A plot as a file of its own, with colours for light and dark.
pub fn file(plot: &Plot) -> Vec<u8> {
    const STYLE: &str = "<style>svg{color:#1c2430;background:#fff}@media(prefers-color-scheme:dark){svg{color:#dfe5ec;\
                         background:#12171d}}</style>";
    let svg = plot.svg.replacen("</title>", &format!("</title>\n{STYLE}"), 1);
    svg.into_bytes()
}

/// A line to draw.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
    /// Whether the area below it is tinted.
    tinted: bool,
}

/// A place on an axis.
struct Tick {
    at: f64,
    label: String,
}

impl Line {
    /// The line drawn from the left edge to the right edge of a cumulative plot.
    fn stretched(mut self, low: f64, high: f64) -> Line {
        let end = self.points.last().map_or(0.0, |point| point.1);
        let first = self.points.first().map_or(low, |point| point.0);
        self.points.splice(0..0, [(low, 0.0), (first, 0.0)]);
        self.points.push((high, end));
        self
    }
}

fn plot_over_time(subject: &Subject, platform: &PlatformSheet, beside: &[PlatformSheet]) -> Option<Plot> {
    let lines: Vec<Line> = lines_of(subject, platform);
    if lines.iter().all(|line| line.points.iter().all(|point| point.1 <= 0.0)) {
        return None;
    }
    let top =
        |platform: &PlatformSheet| lines_of(subject, platform).iter().map(Line::top).fold(0.0, f64::max);
    let highest = beside.iter().chain([platform]).map(top).fold(0.0, f64::max);
    let longest = platform.series.iter().map(|series| series.points.len()).max().unwrap_or(0);
    let run = platform.series_period.as_nanos().saturating_mul(longest.saturating_sub(1) as u64);
    let names: Vec<String> = lines.iter().map(|line| line.name.clone()).collect();
    let (title, unit) = subject.words(platform.kubernetes);
    let alt = format!(
        "{title} over time on {}: {}, up to {} {unit}.",
        number::plain(&platform.name),
        number::list(&names),
        number::figure(lines.iter().map(Line::top).fold(0.0, f64::max), 0)?,
    );
    let svg = draw(&lines, &time_ticks(Span::from_nanos(run)), &value_ticks(highest), unit, &alt);
    Some(Plot { title: title.to_owned(), alt, file: subject.file, svg })
}

impl Line {
    fn top(&self) -> f64 {
        self.points.iter().map(|point| point.1).fold(0.0, f64::max)
    }
}

fn lines_of(subject: &Subject, platform: &PlatformSheet) -> Vec<Line> {
    let wanted = |name: &'static str| platform.series.iter().find(|series| series.column.name == name);
    subject
        .series
        .iter()
        .filter_map(|&name| wanted(name))
        .map(|series| Line {
            name: series.column.label.to_owned(),
            points: steps(&series.points, platform.series_period, series.column.scale),
            tinted: series.column.name == subject.tinted,
        })
        .collect()
}

/// Steps over hours, thinned so that every peak and every dip stays.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "the float island of plots")]
fn steps(points: &[i64], period: Span, scale: i64) -> Vec<(f64, f64)> {
    let (period, scale) = (period.as_nanos() as f64 / 1e9, scale as f64);
    let bucket = points.len().div_ceil(STEPS_MAX).max(1);
    let mut line: Vec<(f64, f64)> = Vec::new();
    for (at, values) in points.chunks(bucket).enumerate() {
        let seconds = (at * bucket) as f64 * period;
        let (low, high) = (values.iter().min(), values.iter().max());
        let ends = [values.first(), low, high, values.last()];
        let mut before = line.last().map(|point| point.1);
        for value in ends.into_iter().flatten().map(|&value| value as f64 / scale) {
            if let Some(before) = before.filter(|before| !same(*before, value)) {
                line.push((seconds, before));
            }
            if before.is_none_or(|before| !same(before, value)) {
                line.push((seconds, value));
            }
            before = Some(value);
        }
    }
    if let Some(&(_, value)) = line.last() {
        line.push(((points.len() - 1) as f64 * period, value));
    }
    line
}

#[expect(clippy::float_cmp, reason = "equal steps become equal numbers")]
fn same(a: f64, b: f64) -> bool {
    a == b
}

/// Shares in percent over the decimal logarithm of seconds; what took no time stands at a millisecond.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "the float island of plots")]
fn cumulative(platform: &PlatformSheet) -> Vec<(f64, f64)> {
    let distribution = &platform.start_distribution;
    let bucket = distribution.len().div_ceil(STEPS_MAX).max(1);
    let last = distribution.len() - 1;
    let kept = distribution.iter().enumerate().filter(|&(at, _)| at % bucket == 0 || at == last);
    let mut line: Vec<(f64, f64)> = Vec::new();
    for (_, &(span, share)) in kept {
        let seconds = libm::log10((span.as_nanos() as f64 / 1e9).max(0.001));
        if let Some(&(_, before)) = line.last() {
            line.push((seconds, before));
        }
        line.push((seconds, f64::from(share) / 100.0));
    }
    line
}

/// Ticks at round times that people know, whose logarithms enclose both ends.
#[expect(clippy::float_arithmetic, reason = "the float island of plots")]
fn decades(first: f64, last: f64) -> Vec<Tick> {
    const ROUND: [(f64, &str); 17] = [
        (0.001, "1ms"),
        (0.01, "10ms"),
        (0.1, "0.1s"),
        (0.3, "0.3s"),
        (1.0, "1s"),
        (3.0, "3s"),
        (10.0, "10s"),
        (30.0, "30s"),
        (60.0, "1m"),
        (180.0, "3m"),
        (600.0, "10m"),
        (1800.0, "30m"),
        (3600.0, "1h"),
        (10_800.0, "3h"),
        (43_200.0, "12h"),
        (345_600.0, "4d"),
        (31_536_000_000.0, "1000y"),
    ];
    let ticks: Vec<Tick> = ROUND
        .into_iter()
        .map(|(seconds, label)| Tick { at: libm::log10(seconds), label: label.to_owned() })
        .collect();
    let from = ticks.iter().rposition(|tick| tick.at <= first + 1e-9).unwrap_or(0);
    let to = ticks.iter().position(|tick| tick.at >= last - 1e-9).unwrap_or(ticks.len() - 1);
    let (from, to) =
        if from < to { (from, to) } else { (from.saturating_sub(1), (to + 1).min(ticks.len() - 1)) };
    ticks.into_iter().skip(from).take(to - from + 1).collect()
}

/// Five or so ticks at round times, from the start to the end of the run, in seconds.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "the float island of plots")]
fn time_ticks(run: Span) -> Vec<Tick> {
    const ROUND: [u64; 19] = [
        1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800,
        604_800, 2_592_000,
    ];
    let seconds = (run.as_nanos() / 1_000_000_000).max(1);
    let known = ROUND.into_iter().find(|step| seconds / step <= 8);
    let step = known.unwrap_or_else(|| seconds.div_ceil(8));
    let mut ticks: Vec<Tick> = (0..=seconds / step)
        .map(|at| Tick { at: (at * step) as f64, label: clock(at * step, step) })
        .collect();
    let end = run.as_nanos() as f64 / 1e9;
    if ticks.last().is_none_or(|tick| tick.at < end) {
        ticks.push(Tick { at: end.max(1.0), label: String::new() });
    }
    ticks
}

/// Time since the start, as precise as the step between two ticks.
fn clock(seconds: u64, step: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600, seconds / 60);
    match step {
        _ if seconds == 0 => "0".to_owned(),
        86_400.. => format!("{days}d"),
        3600.. if days > 0 && hours % 24 > 0 => format!("{days}d{}h", hours % 24),
        3600.. if days > 0 => format!("{days}d"),
        3600.. => format!("{hours}h"),
        60.. if hours > 0 && minutes % 60 > 0 => format!("{hours}h{:02}m", minutes % 60),
        60.. if hours > 0 => format!("{hours}h"),
        60.. => format!("{minutes}m"),
        _ if minutes > 0 && !seconds.is_multiple_of(60) => format!("{minutes}m{:02}s", seconds % 60),
        _ if minutes > 0 => format!("{minutes}m"),
        _ => format!("{seconds}s"),
    }
}

/// Four to eight round steps from nothing to above the top.
#[expect(clippy::float_arithmetic, reason = "the float island of plots")]
fn value_ticks(top: f64) -> Vec<Tick> {
    let top = if top.is_finite() && top > 0.0 { top } else { 1.0 };
    let mut step = 0.001;
    let mut factors = [2.0, 2.5, 2.0].into_iter().cycle();
    while top / step > 6.0 {
        step *= factors.next().unwrap_or(2.0);
    }
    let decimals = [1.0, 0.1, 0.01].into_iter().position(|least| step >= least * 0.999).unwrap_or(3);
    let mut ticks: Vec<Tick> = Vec::new();
    for count in 0_u8..=7 {
        let at = f64::from(count) * step;
        ticks.push(Tick { at, label: number::figure(at, decimals).unwrap_or_default() });
        if at >= top {
            break;
        }
    }
    ticks
}

/// Draws lines over both axes. Drawing into text cannot fail.
fn draw(lines: &[Line], across: &[Tick], up: &[Tick], caption: &str, alt: &str) -> String {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        let below = legend(&root, &names, caption);
        frame(&root, lines, across, up, below);
        root.present().expect("drawn into text");
    }
    titled(&coloured(&svg), alt)
}

/// The name of what goes up and one mark per line; gives how far down it reaches.
fn legend(root: &DrawingArea<SVGBackend<'_>, Shift>, names: &[&str], caption: &str) -> i32 {
    let caption = Text::new(caption.to_owned(), (LEGEND_LEFT, LEGEND_TOP), style(HPos::Left, INK.mix(0.7)));
    root.draw(&caption).expect("drawn into text");
    for ((name, (x, y)), colour) in names.iter().zip(legend_places(names)).zip(COLOURS.iter().cycle()) {
        root.draw(&PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(3)))
            .expect("drawn into text");
        let label = Text::new(shortened(name), (x + 24, y), style(HPos::Left, INK.mix(1.0)));
        root.draw(&label).expect("drawn into text");
    }
    legend_bottom(names)
}

/// Where each mark of a legend stands: in rows, as many as fit.
fn legend_places(names: &[&str]) -> Vec<(i32, i32)> {
    let right = i32::try_from(SIZE.0).unwrap_or(i32::MAX) - 10;
    let (mut x, mut y) = (LEGEND_LEFT, LEGEND_TOP + LEGEND_STEP);
    let mut places = Vec::new();
    for name in names {
        let wide = 34 + LETTER * i32::try_from(shortened(name).chars().count()).unwrap_or(0);
        if x > LEGEND_LEFT && x + wide > right {
            (x, y) = (LEGEND_LEFT, y + LEGEND_STEP);
        }
        places.push((x, y));
        x += wide + 10;
    }
    places
}

fn legend_bottom(names: &[&str]) -> i32 {
    legend_places(names).last().map_or(LEGEND_TOP, |place| place.1) + LEGEND_STEP / 2
}

fn frame(
    root: &DrawingArea<SVGBackend<'_>, Shift>,
    lines: &[Line],
    across: &[Tick],
    up: &[Tick],
    below: i32,
) {
    let (width, height) = (i32::try_from(SIZE.0).expect("small"), i32::try_from(SIZE.1).expect("small"));
    let longest = up.iter().map(|tick| tick.label.chars().count()).max().unwrap_or(0);
    let left = 18 + (LETTER + 1) * i32::try_from(longest).unwrap_or(0);
    let area = Area { left, right: width - 24, top: below + 8, bottom: height - 28 };
    let (low, high) = ends(across);
    let (floor, ceiling) = ends(up);
    let x_of = |at: f64| area.x(share(at, low, high));
    let y_of = |at: f64| area.y(share(at, floor, ceiling));
    for tick in up {
        let y = y_of(tick.at);
        root.draw(&PathElement::new(vec![(area.left, y), (area.right, y)], INK.mix(0.15)))
            .expect("drawn into text");
        let label = Text::new(tick.label.clone(), (area.left - 8, y), style(HPos::Right, INK.mix(0.75)));
        root.draw(&label).expect("drawn into text");
    }
    let mut free_from = 0; // labels that would touch the one before are left out
    for tick in across {
        let x = x_of(tick.at);
        root.draw(&PathElement::new(vec![(x, area.top), (x, area.bottom)], INK.mix(0.08)))
            .expect("drawn into text");
        let half = LETTER * i32::try_from(tick.label.chars().count()).unwrap_or(0) / 2;
        if x - half >= free_from {
            let label =
                Text::new(tick.label.clone(), (x, area.bottom + 14), style(HPos::Center, INK.mix(0.75)));
            root.draw(&label).expect("drawn into text");
            free_from = x + half + LETTER / 2;
        }
    }
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let mut path: Vec<(i32, i32)> = line.points.iter().map(|&(x, y)| (x_of(x), y_of(y))).collect();
        path.dedup();
        if let (true, Some(first), Some(last)) = (line.tinted, path.first(), path.last()) {
            let below = [(last.0, area.bottom), (first.0, area.bottom)];
            let outline: Vec<(i32, i32)> = path.iter().copied().chain(below).collect();
            root.draw(&Polygon::new(outline, colour.mix(0.16))).expect("drawn into text");
        }
        root.draw(&PathElement::new(path, colour.stroke_width(2))).expect("drawn into text");
    }
}

/// One platform's costs, part by part.
struct Bar {
    name: String,
    total: String,
    parts: Vec<f64>,
}

impl Bar {
    fn of(platform: &PlatformSheet, parts: &[(usize, &MeasureColumn)], total: String) -> Bar {
        let parts: Vec<f64> = parts.iter().map(|&(at, _)| mean(platform, at).max(0.0)).collect();
        Bar { name: number::plain(&platform.name), total, parts }
    }

    fn length(&self) -> f64 {
        self.parts.iter().sum()
    }
}

/// The mean of one measure; nothing where there is none, or none that can be drawn.
fn mean(platform: &PlatformSheet, at: usize) -> f64 {
    let mean = platform.measures.get(at).copied().flatten().map_or(0.0, |estimate| estimate.mean);
    if mean.is_finite() { mean } else { 0.0 }
}

/// Draws a bar per platform under its name. Drawing into text cannot fail.
#[expect(clippy::float_arithmetic, reason = "the float island of plots")]
fn draw_bars(bars: &[Bar], labels: &[String], longest: f64, caption: &str) -> String {
    const ROW: i32 = 58;
    const BAR: i32 = 24;
    let rows = i32::try_from(bars.len()).unwrap_or(i32::MAX / ROW);
    let names: Vec<&str> = labels.iter().map(String::as_str).collect();
    let height = legend_bottom(&names) + LEGEND_STEP / 2 + rows.saturating_mul(ROW);
    let mut svg = String::new();
    {
        let size = (SIZE.0, u32::try_from(height).unwrap_or(SIZE.1));
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let mut y = legend(&root, &names, caption) + LEGEND_STEP * 2 / 3;
        for bar in bars {
            let area =
                Area { left: LEGEND_LEFT, right: i32::try_from(SIZE.0).unwrap_or(0) - 4, top: 0, bottom: 0 };
            let name = Text::new(shortened(&bar.name), (area.left, y), style(HPos::Left, INK.mix(1.0)));
            root.draw(&name).expect("drawn into text");
            let total = Text::new(bar.total.clone(), (area.right, y), style(HPos::Right, INK.mix(1.0)));
            root.draw(&total).expect("drawn into text");
            let (top, mut before) = (y + LEGEND_STEP / 2, 0.0);
            for (part, colour) in bar.parts.iter().zip(COLOURS.iter().cycle()) {
                let corners = [
                    (area.x(share(before, 0.0, longest)), top),
                    (area.x(share(before + part, 0.0, longest)), top + BAR),
                ];
                if corners[0].0 < corners[1].0 {
                    root.draw(&Rectangle::new(corners, colour.filled())).expect("drawn into text");
                }
                before += part;
            }
            y += ROW;
        }
        root.present().expect("drawn into text");
    }
    coloured(&svg)
}

/// Where lines are drawn, in pixels.
struct Area {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

#[expect(clippy::float_arithmetic, clippy::cast_possible_truncation, reason = "the float island of plots")]
impl Area {
    fn x(&self, share: f64) -> i32 {
        self.left + libm::round(f64::from(self.right - self.left) * share) as i32
    }

    fn y(&self, share: f64) -> i32 {
        self.bottom - libm::round(f64::from(self.bottom - self.top) * share) as i32
    }
}

#[expect(clippy::float_arithmetic, reason = "the float island of plots")]
fn share(at: f64, low: f64, high: f64) -> f64 {
    if high > low { ((at - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 }
}

fn ends(ticks: &[Tick]) -> (f64, f64) {
    let at = |tick: Option<&Tick>| tick.map_or(0.0, |tick| tick.at);
    (at(ticks.first()), at(ticks.last()))
}

fn style(across: HPos, colour: RGBAColor) -> TextStyle<'static> {
    ("sans-serif", FONT).into_font().color(&colour).pos(Pos::new(across, VPos::Center))
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_MAX - 1).chain(['…']).collect()
}

/// Gives text and grid the colour of the page. Names cannot hold the colour: it is looked for as an attribute.
fn coloured(svg: &str) -> String {
    ["fill", "stroke"].into_iter().fold(svg.to_owned(), |svg, what| {
        svg.replace(&format!("{what}=\"{INK_TEXT}\""), &format!("{what}=\"currentColor\""))
    })
}

/// Puts the words that stand for the plot at its beginning.
fn titled(svg: &str, alt: &str) -> String {
    let words: String = alt
        .chars()
        .map(|letter| match letter {
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '&' => "&amp;".to_owned(),
            _ => letter.to_string(),
        })
        .collect();
    svg.replacen("<svg ", "<svg role=\"img\" ", 1).replacen(">\n", &format!(">\n<title>{words}</title>\n"), 1)
}
