//! `windtunnel settings --swing`: which settings move which measure of a scenario, and how far.
//!
//! The scenario is run with each setting low and high, everything else and every seed the same, so that
//! a difference is that of the setting.
//! Knows nothing of what a setting does.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::args::Settings;
use super::load::{self, Loaded};
use super::run::{period, platforms};
use super::{Exit, interrupt, say, summary, traces, warn};
use crate::experiment::Replication;
use crate::experiment::swing::{Values, values};
use crate::measure::MEASURES;
use crate::measure::compare::Moved;
use crate::scenario::diagnostic::{Severity, suggestion};
use crate::scenario::known_settings::{Swing, swings};
use crate::scenario::lower::{self, Traces};
use crate::scenario::{Placed, Scenario, Source, lower_with};
use crate::sim::Plan;

/// The longest bar, in characters.
const BAR: u32 = 24;

/// The request files of a platform and the traces of a scenario.
type Input<'a> = (&'a [Rc<Source>], &'a Traces);

/// One setting on one platform: by how much each measure moves at each of its values.
struct Moves {
    swing: Swing,
    /// Per value, per measure that is shown.
    at: Vec<Vec<Option<Moved>>>,
}

pub(super) fn swing(path: &Path, asked: &Settings, names: &[&str]) -> Exit {
    match try_swing(path, asked, names) {
        Ok(()) => Exit::Good,
        Err(exit) => exit,
    }
}

fn try_swing(path: &Path, asked: &Settings, names: &[&str]) -> Result<(), Exit> {
    interrupt::listen();
    let shown = measures(&asked.measure)?;
    let mut loaded = load::scenario(path, &asked.set, load::Manner::default())?;
    let scenario = loaded.scenario.clone();
    let platforms = platforms(&scenario, &asked.platform)?;
    let (now, _) = lower::calibration(&scenario);
    let all: Vec<Swing> =
        swings(&scenario, &now).into_iter().filter(|swing| names.contains(&swing.name)).collect();
    let replication = replication(&scenario, asked);
    let tries: usize = all.iter().map(|swing| swing.values.len()).sum();
    let bar = bar((tries + 1) * platforms.len() * replication.runs.get(), asked.quiet);
    let traces = traces::traces(&scenario, &loaded, Path::new("."), 0)?;
    for platform in &platforms {
        let files = requests(&mut loaded, &scenario, platform)?;
        bar.set_message(platform.clone());
        let outcomes = tried(&scenario, platform, (&files, &traces), &all, (&loaded, replication, &bar))?;
        let (strong, still): (Vec<Moves>, Vec<Moves>) =
            outcomes.into_iter().partition(|moves| moves.strongest(&shown).is_some());
        let text = if asked.json {
            lines(strong.iter().chain(&still).map(|moves| moves.json(platform, &shown)))
        } else {
            told(platform, strong, &still, &shown, replication)
        };
        bar.suspend(|| say(&text));
    }
    bar.finish_and_clear();
    Ok(())
}

/// The measures that are meant: by name, or by the beginning of one; all without a word.
fn measures(asked: &[String]) -> Result<Vec<usize>, Exit> {
    let all = || (0..MEASURES.len()).collect();
    if asked.is_empty() {
        return Ok(all());
    }
    asked.iter().map(|word| measure(word)).collect()
}

fn measure(word: &str) -> Result<usize, Exit> {
    let is = |name: &str| {
        name == word || name.strip_prefix(word).is_some_and(|unit| matches!(unit, "_s" | "_usd" | "_pct"))
    };
    MEASURES.iter().position(|of| is(of.name)).ok_or_else(|| {
        let names: Vec<&str> = MEASURES.iter().map(|of| of.name).collect();
        let hint = suggestion(word, &names).unwrap_or(format!("known are {}", names.join(", ")));
        warn(&format!("E0103 there is no measure {word:?}; {hint}\n"));
        Exit::WrongInput
    })
}

fn replication(scenario: &Scenario, asked: &Settings) -> Replication {
    let stated = scenario.replications.as_ref().and_then(|runs| NonZeroUsize::new(runs.value as usize));
    Replication {
        seed: asked.seed.unwrap_or(scenario.seed),
        runs: asked.replications.or(stated).unwrap_or(NonZeroUsize::MIN),
        jobs: asked.jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN),
        period: period(scenario.run_for.value),
    }
}

fn bar(runs: usize, quiet: bool) -> ProgressBar {
    let shown = !quiet && std::io::stderr().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos} of {len} runs  {eta} left");
    let bar = ProgressBar::with_draw_target(Some(runs as u64), target);
    bar.set_style(style.expect("the template is ours"));
    bar
}

fn requests(loaded: &mut Loaded, scenario: &Scenario, platform: &str) -> Result<Vec<Rc<Source>>, Exit> {
    let (_, stated) = scenario.platform(platform).expect("checked with the arguments");
    loaded.requests(stated)
}

/// One value a line.
fn lines(values: impl Iterator<Item = Value>) -> String {
    values.fold(String::new(), |text, value| text + &value.to_string() + "\n")
}

/// Every setting low and high on one platform.
fn tried(
    scenario: &Scenario,
    platform: &str,
    input: Input<'_>,
    all: &[Swing],
    (loaded, replication, bar): (&Loaded, Replication, &ProgressBar),
) -> Result<Vec<Moves>, Exit> {
    let (plan, found) = lower_with(scenario, platform, input.0, input.1);
    load::report(&found, &loaded.sources, load::Manner::default())?;
    let mut plans: Vec<Plan> = vec![plan.ok_or(Exit::WrongInput)?];
    // A value that a rule of the scenario refuses is not tried.
    let mut tried: Vec<(Swing, usize)> = Vec::new();
    for swing in all {
        let before = plans.len();
        let mut kept = swing.clone();
        kept.values.retain(|value| match plan_with(scenario, platform, input, swing.name, value) {
            Some(plan) => {
                plans.push(plan);
                true
            }
            None => false,
        });
        tried.push((kept, before));
    }
    let told = |_: usize, ended: bool| {
        bar.inc(u64::from(ended));
        if interrupt::heard() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let results = values(&plans, replication, &told).map_err(|error| {
        warn(&format!("threads cannot be started: {error}\n"));
        Exit::Files
    })?;
    let results = results.ok_or(Exit::Interrupted)?;
    let compared = |plan: usize| -> Vec<Option<Moved>> {
        (0..MEASURES.len()).map(|nth| moved(&results[0], &results[plan], nth)).collect()
    };
    let of = |(swing, first): (Swing, usize)| {
        let at = (first..first + swing.values.len()).map(compared).collect();
        Moves { swing, at }
    };
    Ok(tried.into_iter().map(of).collect())
}

fn plan_with(
    scenario: &Scenario,
    platform: &str,
    input: Input<'_>,
    name: &str,
    value: &Value,
) -> Option<Plan> {
    let mut changed = scenario.clone();
    let placed = |value: Value| Placed { value, place: crate::scenario::Place::default() };
    let key = Placed { value: name.to_owned(), place: crate::scenario::Place::default() };
    changed.settings.insert(key, placed(value.clone()));
    let (plan, found) = lower_with(&changed, platform, input.0, input.1);
    plan.filter(|_| found.iter().all(|each| each.severity != Severity::Error))
}

fn moved(base: &Values, other: &Values, nth: usize) -> Option<Moved> {
    let of = |values: &Values| -> Vec<(u64, f64)> {
        (0..).zip(values).filter_map(|(seed, values)| Some((seed, values[nth]?))).collect()
    };
    Moved::between(&of(base), &of(other))
}

impl Moves {
    /// The measure that moves most for its size, among those shown; and by how many millionths.
    fn strongest(&self, shown: &[usize]) -> Option<(usize, u64)> {
        let effects = shown.iter().map(|&nth| (nth, self.effect(nth)));
        effects.filter(|&(_, effect)| effect > 0).min_by_key(|&(nth, effect)| (u64::MAX - effect, nth))
    }

    /// The largest change of a measure in millionths of its value; from nothing to something is all.
    fn effect(&self, nth: usize) -> u64 {
        let of = |moved: &Moved| match moved.relative {
            Some(share) => millionths_f64(share),
            None if moved.moved() => u64::MAX,
            None => 0,
        };
        self.at.iter().filter_map(|at| at[nth].as_ref().map(of)).max().unwrap_or(0)
    }

    fn json(&self, platform: &str, shown: &[usize]) -> Value {
        let value = |(value, at): (&Value, &Vec<Option<Moved>>)| {
            let measures: serde_json::Map<String, Value> = shown
                .iter()
                .filter_map(|&nth| {
                    let moved = at[nth].filter(Moved::moved)?;
                    let told = json!({
                        "base": moved.a.mean,
                        "here": moved.b.mean,
                        "difference": moved.difference.mean,
                        "half_width": moved.difference.half_width,
                        "relative_pct": moved.relative,
                    });
                    Some((MEASURES[nth].name.to_owned(), told))
                })
                .collect();
            json!({ "value": value, "moved": measures })
        };
        let values: Vec<Value> = self.swing.values.iter().zip(&self.at).map(value).collect();
        json!({ "platform": platform, "setting": self.swing.name, "now": self.swing.now, "values": values })
    }
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank, not a result: `as` saturates"
)]
fn millionths_f64(percent: f64) -> u64 {
    (percent.abs() * 10_000.0).ceil() as u64
}

/// A tornado: the settings that move something, the strongest first.
fn told(
    platform: &str,
    mut moved: Vec<Moves>,
    still: &[Moves],
    shown: &[usize],
    replication: Replication,
) -> String {
    moved.sort_by_key(|moves| {
        let (nth, effect) = moves.strongest(shown).expect("it moves something");
        (u64::MAX - effect, nth, moves.swing.name)
    });
    let mut text = format!("{platform}, n = {}, the first seed {}\n\n", replication.runs, replication.seed);
    let most = moved.first().and_then(|first| first.strongest(shown)).map_or(0, |(_, effect)| effect);
    if !moved.is_empty() {
        let mut table = Table::new();
        let header = ["setting", "now", "tried", "measure", "base", "there", "change", "%", ""];
        table.load_preset(presets::NOTHING).set_header(header);
        for moves in &moved {
            let (nth, _) = moves.strongest(shown).expect("it moves something");
            for (row, (value, at)) in moves.swing.values.iter().zip(&moves.at).enumerate() {
                table.add_row(cells(moves, row, value, at[nth].as_ref(), nth, most));
            }
        }
        for column in 4..=7 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let _ = table.lines().try_for_each(|line| writeln!(text, "{}", line.trim_end()));
        text.push('\n');
    }
    if !still.is_empty() {
        let _ = writeln!(text, "{} more settings move nothing here; --json names them.", still.len());
    }
    let _ = writeln!(text, "Not tried: documented constants, and what the scenario fixes.");
    text
}

fn cells(moves: &Moves, row: usize, value: &Value, at: Option<&Moved>, nth: usize, most: u64) -> Vec<String> {
    let of = &MEASURES[nth];
    let first = |text: &str| if row == 0 { text.to_owned() } else { String::new() };
    let tried = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut cells = vec![first(moves.swing.name), first(&moves.swing.now), tried, first(of.name)];
    match at {
        Some(change) => cells.extend([
            summary::shown(&change.a, of.decimals),
            summary::shown(&change.b, of.decimals),
            summary::difference(&change.difference, of.decimals),
            change.relative.map_or("-".to_owned(), |share| format!("{share:+.1}")),
            length(change.relative.map_or(if change.moved() { most } else { 0 }, millionths_f64), most),
        ]),
        None => cells.extend(["-"; 5].map(str::to_owned)),
    }
    cells
}

/// A bar as long as the effect.
fn length(effect: u64, most: u64) -> String {
    let parts = u128::from(effect) * u128::from(BAR) / u128::from(most.max(1));
    "█".repeat(usize::try_from(parts).unwrap_or(0).min(BAR as usize))
}
