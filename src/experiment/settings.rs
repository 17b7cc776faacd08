//! The settings that a scenario runs with, in words.
//!
//! Knows nothing of how they are drawn from.

use crate::catalog::settings::{Distribution, Setting, SettingUnit, setting};
use crate::measure::sheet::SettingLine;
use crate::scenario::Scenario;
use crate::scenario::calibration::USED;
use crate::scenario::parameters::parameter;

/// Every calibrated setting that some model uses: the value of the scenario, or else the default; then the
/// other figures of the models that the scenario sets.
pub fn used(scenario: &Scenario) -> Vec<SettingLine> {
    let set = scenario.settings.keys().map(|name| name.value.as_str());
    let names = USED.iter().map(|&(name, _)| name).chain(set.filter(|name| parameter(name).is_some()));
    names.map(|name| line(scenario, name)).collect()
}

fn line(scenario: &Scenario, name: &str) -> SettingLine {
    let own = scenario.settings.iter().find(|(key, _)| key.value == name);
    let (value, basis) = match (own, setting(name)) {
        (Some((_, value)), _) => (value.value.as_str().map_or(value.value.to_string(), str::to_owned), "set"),
        (None, Some(setting)) => (words(setting), setting.basis.label()),
        (None, None) => ("lognormal, median 1, sigma 0.1".to_owned(), "assumed"),
    };
    SettingLine { name: name.to_owned(), value, basis: basis.to_owned(), set: own.is_some() }
}

/// A default: `lognormal, median 1.2 s, from 0.3 to 10 s`.
fn words(setting: &Setting) -> String {
    let unit = unit(setting.unit);
    let median = setting.p50.map_or(String::new(), |p50| format!(", median {p50}{unit}"));
    let spread = match setting.distribution {
        Distribution::Const { value } => return format!("{value}{unit}"),
        Distribution::Bernoulli { probability } => return format!("{probability}{unit}"),
        Distribution::Uniform { low, high } => return format!("uniform, {low} to {high}{unit}"),
        Distribution::Lognormal { .. } => format!("lognormal{median}"),
        Distribution::Exponential { .. } => format!("exponential{median}"),
    };
    match (setting.min, setting.max) {
        (Some(min), Some(max)) => format!("{spread}, {min} to {max}{unit}"),
        (Some(min), None) => format!("{spread}, at least {min}{unit}"),
        (None, Some(max)) => format!("{spread}, at most {max}{unit}"),
        (None, None) => spread,
    }
}

const fn unit(unit: SettingUnit) -> &'static str {
    match unit {
        SettingUnit::Seconds => " s",
        SettingUnit::Probability | SettingUnit::Ratio | SettingUnit::Count => "",
        SettingUnit::Megabytes => " MB",
        SettingUnit::MegabytesPerSecond => " MB/s",
        SettingUnit::TasksPerMinute => " tasks/min",
        SettingUnit::PerHour => " per hour",
        SettingUnit::PerYear => " per year",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_put_in_words() {
        let rows = [
            ("ec2.run_instances.api_latency", "lognormal, median 1.2 s, 0.3 to 10 s"),
            ("image.pull.concurrent_layer_downloads", "3"),
            ("fargate.straggler_prob", "0.03"),
        ];
        for (name, text) in rows {
            assert_eq!(words(setting(name).expect("it exists")), text);
        }
    }
}
