//! Every setting that a scenario can name, with its default, source and confidence, and how far it may
//! be off.
//!
//! Joins the calibrated table and the parameters of the models. Knows nothing of how they are shown.

use serde_json::Value;

use super::calibration::{Calibration, EXTRA, USED, is_used, unit};
use super::parameters::{Kind, PARAMETERS, Parameter, Tuning};
use super::schema::Scenario;
use super::units::{Measured, Share, decimal_text};
use crate::base::Span;
use crate::catalog::Basis;
use crate::catalog::settings::{Confidence, Setting, SettingUnit, setting, settings};
use crate::world::settings::MILLION;

/// A setting as `windtunnel settings` lists it.
///
/// ```
/// use windtunnel::scenario::known_settings::all;
/// let tick = all().into_iter().find(|known| known.name == "ecs.scheduler.tick").unwrap();
/// assert_eq!((&*tick.default, tick.source, tick.confidence), ("10s", "A-50", "assumed"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// Where a scenario sets it.
    pub path: String,
    /// What it is; empty where no model uses it.
    pub about: &'static str,
    /// What holds unless a scenario says otherwise; of a distribution the median, p10 and p90.
    pub default: String,
    /// What it takes.
    pub unit: &'static str,
    /// Keys of the sources, the rule, or the number in the register of assumptions.
    pub source: &'static str,
    /// How far the sources carry: high, medium, low, assumed.
    pub confidence: &'static str,
    /// Whether some model uses it.
    pub used: bool,
}

/// A setting at values that it may have instead.
#[derive(Clone, PartialEq, Debug)]
pub struct Swing {
    /// The setting.
    pub name: &'static str,
    /// What it has in this scenario.
    pub now: String,
    /// The values to try, low before high; of a choice every other word.
    pub values: Vec<Value>,
}

/// Settings of the account, which stand elsewhere in a scenario: path, meaning, default, unit.
const ACCOUNT: &[(&str, &str, &str, &str)] = &[
    ("account.api_limits", "Whether API calls and launches are rate limited.", "true", "true or false"),
    (
        "account.awsvpc_trunking",
        "Whether types that can take more awsvpc tasks do.",
        "false",
        "true or false",
    ),
    ("account.quotas.container_instances", "Container instances per cluster.", "5000", "whole number"),
    (
        "account.quotas.fargate_launches.at_once",
        "Fargate launches at once, after a while without any.",
        "100",
        "whole number",
    ),
    (
        "account.quotas.fargate_launches.per_second",
        "Fargate launches a second from then on.",
        "20",
        "whole number",
    ),
    ("account.quotas.fargate_vcpus", "Fargate vCPUs at once.", "6", "whole number"),
    ("account.quotas.tasks_per_service", "Tasks per service.", "5000", "whole number"),
];

/// Every setting, by name.
pub fn all() -> Vec<Known> {
    let plain = Calibration::default();
    let account = ACCOUNT.iter().map(|&(name, about, default, unit)| Known {
        name,
        path: name.to_owned(),
        about,
        default: default.to_owned(),
        unit,
        source: "service quotas",
        confidence: "high",
        used: true,
    });
    let mut all: Vec<Known> = account
        .chain(settings().iter().map(|setting| calibrated(setting, &plain)))
        .chain(EXTRA.iter().map(|extra| Known {
            source: extra.source,
            confidence: "assumed",
            ..listed(extra.name, unit_words(extra.unit), spread(extra.name, extra.unit, &plain))
        }))
        .chain(PARAMETERS.iter().map(|parameter| of_model(parameter, &plain.tuning)))
        .collect();
    all.sort_unstable_by_key(|known| known.name);
    all
}

/// The names below `settings`, sorted.
pub fn names() -> Vec<&'static str> {
    let all = all().into_iter().filter(|known| known.path.starts_with("settings."));
    all.map(|known| known.name).collect()
}

/// What a setting may be instead of what it is in this scenario: p10 and p90 of a distribution, half and
/// twice a figure that is estimated or assumed, every other word of an assumed choice. Nothing for a
/// documented constant, and for what the scenario fixes.
pub fn swings(scenario: &Scenario, now: &Calibration) -> Vec<Swing> {
    let fixed = |name: &str| scenario.settings.contains_key(name);
    let calibrated = USED.iter().filter_map(|&(name, _)| swing_calibrated(name, now, fixed(name)));
    let assumed = PARAMETERS.iter().filter(|parameter| parameter.assumed() && !fixed(parameter.name));
    let mut all: Vec<Swing> =
        calibrated.chain(assumed.filter_map(|known| swing_parameter(known, &now.tuning))).collect();
    all.sort_unstable_by_key(|swing| swing.name);
    all
}

fn calibrated(of: &Setting, plain: &Calibration) -> Known {
    let confidence = match (of.basis, of.confidence) {
        (Basis::Assumed, _) => "assumed",
        (Basis::Listed | Basis::Estimated, Confidence::Low) => "low",
        (Basis::Listed | Basis::Estimated, Confidence::Medium) => "medium",
        (Basis::Listed | Basis::Estimated, Confidence::High) => "high",
    };
    let sources = if of.sources.is_empty() { "assumed" } else { of.sources };
    Known {
        source: sources,
        confidence,
        ..listed(of.name, unit_words(of.unit), spread(of.name, of.unit, plain))
    }
}

fn of_model(of: &Parameter, tuning: &Tuning) -> Known {
    Known {
        about: of.about,
        source: of.source,
        confidence: if of.assumed() { "assumed" } else { "high" },
        used: true,
        ..listed(of.name, kind_words(of.kind), of.text(tuning))
    }
}

fn listed(name: &'static str, unit: &'static str, default: String) -> Known {
    let about = USED.iter().find(|(known, _)| *known == name).map_or("", |(_, about)| *about);
    let path = format!("settings.{name}");
    Known { name, path, about, default, unit, source: "", confidence: "", used: is_used(name) }
}

/// What a scenario writes for a setting of the table.
pub fn unit_words(unit: SettingUnit) -> &'static str {
    match unit {
        SettingUnit::Seconds => "duration",
        SettingUnit::Probability => "percentage",
        SettingUnit::Ratio => "factor",
        SettingUnit::Count | SettingUnit::TasksPerMinute => "whole number",
        SettingUnit::Megabytes => "size",
        SettingUnit::MegabytesPerSecond => "bandwidth",
        SettingUnit::PerHour | SettingUnit::PerYear => "mean time between",
    }
}

fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Span(..) => "duration",
        Kind::OptionalSpan(_) => "duration or none",
        Kind::OptionalBandwidth(_) => "bandwidth or none",
        Kind::OptionalBytes(_) => "size or none",
        Kind::Bytes(_) => "size",
        Kind::Percent(_) => "percentage",
        Kind::Count(..) => "whole number",
        Kind::Flag(_) => "true or false",
        Kind::Word(..) => "word",
    }
}

/// Draws at p10, p50 and p90.
const TENTH: u64 = u64::MAX / 10;
const MEDIAN: u64 = 1 << 63;
const NINE_TENTHS: u64 = u64::MAX - TENTH;

/// `42s (31.7s to 55.7s)`, or `3`.
fn spread(name: &str, unit: SettingUnit, plain: &Calibration) -> String {
    let quantiles = plain.any(name);
    let at = |draw: u64| written(unit, quantiles.value(draw));
    let (low, middle, high) = (at(TENTH), at(MEDIAN), at(NINE_TENTHS));
    if low == high { middle } else { format!("{middle} ({low} to {high})") }
}

fn swing_calibrated(name: &'static str, now: &Calibration, fixed: bool) -> Option<Swing> {
    let unit = unit(name)?;
    let quantiles = now.any(name);
    let (low, high) = (quantiles.value(TENTH), quantiles.value(NINE_TENTHS));
    let documented = setting(name).is_some_and(|setting| setting.basis == Basis::Listed);
    let (low, high) = match low == high {
        false => (low, high),
        true if fixed || documented || low == 0 => return None,
        true => around(low, if unit == SettingUnit::Probability { u64::from(MILLION) } else { u64::MAX }),
    };
    let value = |steps: u64| match unit {
        SettingUnit::Count | SettingUnit::TasksPerMinute => Value::from(steps),
        _ => Value::from(written(unit, steps)),
    };
    Some(Swing { name, now: spread(name, unit, now), values: vec![value(low), value(high)] })
}

fn swing_parameter(of: &'static Parameter, tuning: &Tuning) -> Option<Swing> {
    let now = of.text(tuning);
    let values: Vec<Value> = match of.kind {
        Kind::Span(at, _) => {
            let (low, high) = around(at(&mut tuning.clone()).as_nanos(), u64::MAX);
            [low, high].map(|nanos| Value::from(Span::from_nanos(nanos).canonical())).to_vec()
        }
        Kind::Count(get, _, least, most) => {
            let (low, high) = around(get(tuning), most);
            [low.max(least), high].map(Value::from).to_vec()
        }
        Kind::Flag(at) => vec![Value::from(!*at(&mut tuning.clone()))],
        Kind::Word(get, _, words) => {
            let others = words.iter().enumerate().filter(|&(nth, _)| nth != get(tuning));
            others.map(|(_, word)| Value::from(*word)).collect()
        }
        Kind::OptionalSpan(_)
        | Kind::OptionalBandwidth(_)
        | Kind::OptionalBytes(_)
        | Kind::Bytes(_)
        | Kind::Percent(_) => Vec::new(),
    };
    let values: Vec<Value> =
        values.into_iter().filter(|value| of.set(&mut tuning.clone(), value).is_ok()).collect();
    let moves = values.iter().any(|value| value.as_str().map_or(value.to_string(), str::to_owned) != now);
    moves.then_some(Swing { name: of.name, now, values })
}

/// Half and twice.
fn around(steps: u64, most: u64) -> (u64, u64) {
    (steps / 2, steps.saturating_mul(2).min(most))
}

/// Smallest steps as a scenario writes them, to three digits.
fn written(unit: SettingUnit, steps: u64) -> String {
    let steps = three_digits(steps);
    match unit {
        SettingUnit::Seconds | SettingUnit::PerHour | SettingUnit::PerYear => match steps {
            0..1_000_000_000 => decimal_text(steps, 6) + "ms",
            1_000_000_000..120_000_000_000 => decimal_text(steps, 9) + "s",
            _ => Span::seconds(steps / 1_000_000_000).canonical(),
        },
        SettingUnit::Probability => Share(u32::try_from(steps).unwrap_or(MILLION)).canonical(),
        SettingUnit::Ratio => decimal_text(steps, 6),
        SettingUnit::Count | SettingUnit::TasksPerMinute => steps.to_string(),
        SettingUnit::Megabytes => decimal_text(steps, 6) + " MB",
        SettingUnit::MegabytesPerSecond => decimal_text(steps, 6) + " MB/s",
    }
}

/// The first three digits, zeros after them.
fn three_digits(steps: u64) -> u64 {
    let size = 10_u64.pow(steps.checked_ilog10().unwrap_or(0).saturating_sub(2));
    steps.saturating_add(size / 2) / size * size
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Sources, lower, read};

    const EMPTY: &str = "name: a\nregion: us-east-1\nrun_for: 1h\nplatforms: {}\n";

    fn scenario(text: &str) -> Scenario {
        let source = Sources::default().add("a.yaml", text.as_bytes().to_vec());
        let (scenario, found) = read::<Scenario>(&source);
        scenario.unwrap_or_else(|| panic!("{found:?}"))
    }

    #[test]
    fn every_setting_has_a_default_and_a_source() {
        let all = all();
        assert!(all.windows(2).all(|pair| pair[0].name < pair[1].name), "names are unique");
        for known in &all {
            let words = [&*known.default, known.unit, known.source, known.confidence];
            assert!(words.iter().all(|word| !word.is_empty()), "{known:?}");
            assert_eq!(known.used, !known.about.is_empty(), "{known:?}");
        }
    }

    #[test]
    fn every_key_of_the_account_is_listed_with_its_default() {
        fn leaves(root: &Value, at: &str, schema: &Value, found: &mut Vec<String>) {
            let parts =
                ["anyOf", "allOf"].iter().flat_map(|list| schema[*list].as_array().into_iter().flatten());
            let parts: Vec<&Value> = parts.chain([schema]).collect();
            let mut deeper = false;
            for part in parts {
                let name = part["$ref"].as_str().and_then(|name| name.strip_prefix('#'));
                let part = name.map_or(part, |path| root.pointer(path).expect("defined"));
                for (key, below) in part["properties"].as_object().into_iter().flatten() {
                    deeper = true;
                    leaves(root, &format!("{at}.{key}"), below, found);
                }
            }
            if !deeper {
                found.push(at.to_owned());
            }
        }
        let schema = crate::scenario::json_schema::schema();
        let mut found = Vec::new();
        leaves(&schema, "account", &schema["definitions"]["Scenario"]["properties"]["account"], &mut found);
        found.sort_unstable();
        assert_eq!(found, ACCOUNT.iter().map(|row| row.0).collect::<Vec<_>>());
        let quotas = crate::catalog::limits::EcsQuotas::default();
        let launches = quotas.fargate_launches;
        let numbers = [
            launches.burst,
            launches.per_second,
            quotas.container_instances_per_cluster,
            quotas.fargate_vcpus,
            quotas.tasks_per_service,
        ];
        for number in numbers {
            assert!(ACCOUNT.iter().any(|row| row.2 == number.to_string()), "{number}");
        }
    }

    /// Every value that is tried is one that a scenario can write.
    #[test]
    fn every_swing_can_be_written() {
        let plain = scenario(EMPTY);
        let swings = swings(&plain, &Calibration::default());
        assert!(swings.len() > 40, "{}", swings.len());
        for swing in &swings {
            for value in &swing.values {
                let text = format!("{EMPTY}settings: {{ {}: {} }}\n", swing.name, value);
                let (_, found) = lower::calibration(&scenario(&text));
                assert_eq!(found, [], "{text}");
            }
        }
    }

    #[test]
    fn what_a_scenario_fixes_does_not_swing() {
        let fixed = scenario(&format!(
            "{EMPTY}settings: {{ fargate.straggler_prob: 1%, ecs.scheduler.tick: 20s, \
             ecs.task.awsvpc_extra: {{ uniform: {{ from: 0s, to: 10s }} }} }}\n"
        ));
        let (calibration, found) = lower::calibration(&fixed);
        assert_eq!(found, []);
        let swings = swings(&fixed, &calibration);
        let of =
            |name: &str| swings.iter().find(|swing| swing.name == name).map(|swing| swing.values.clone());
        assert_eq!((of("fargate.straggler_prob"), of("ecs.scheduler.tick")), (None, None));
        assert_eq!(of("ecs.task.awsvpc_extra"), Some(vec!["1s".into(), "9s".into()]));
        assert_eq!(of("ecs.scheduler.coalesce"), Some(vec!["500ms".into(), "2s".into()]));
        assert_eq!(of("ecs.placement.release_on"), Some(vec!["desired_stopped".into(), "stopped".into()]));
    }

    #[test]
    fn three_digits_are_kept() {
        for (steps, kept) in [(0, 0), (7, 7), (999, 999), (1234, 1230), (99_960, 100_000), (31_678, 31_700)] {
            assert_eq!(three_digits(steps), kept);
        }
    }
}
