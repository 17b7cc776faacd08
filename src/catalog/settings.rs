//! Calibrated defaults: how long things take, how often they fail, how fast bytes come.
//!
//! One quantity has one setting, read by both orchestrators. A distribution is plain data here; whoever
//! draws from it lowers it to a table of quantiles. Knows nothing of draws.

use std::sync::LazyLock;

use super::figure::Basis;
use super::table::{self, Cells};

/// A default with its distribution.
///
/// ```
/// use windtunnel::catalog::{self, Distribution};
/// let call = catalog::setting("ec2.run_instances.api_latency").expect("it exists");
/// assert_eq!(call.distribution, Distribution::Lognormal { mu: 0.1823, sigma: 0.35 });
/// assert_eq!((call.min, call.max, call.p50), (Some(0.3), Some(10.0), Some(1.2)));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Setting {
    /// The exact name.
    pub name: &'static str,
    /// What is counted.
    pub unit: SettingUnit,
    /// How values fall.
    pub distribution: Distribution,
    /// Values below are clamped to it.
    pub min: Option<f64>,
    /// Values above are clamped to it.
    pub max: Option<f64>,
    /// The median; none for a probability.
    pub p50: Option<f64>,
    /// How far the sources carry.
    pub confidence: Confidence,
    /// Listed: a documented constant. Estimated: fitted to the sources. Assumed: nobody confirmed it.
    pub basis: Basis,
    /// Keys of the calibration sources, separated by spaces; empty when there is none.
    pub sources: &'static str,
}

/// How values fall.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Distribution {
    /// Always the same.
    Const {
        /// The value.
        value: f64,
    },
    /// The logarithm is normal.
    Lognormal {
        /// Mean of the natural logarithm.
        mu: f64,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// Equally likely between two bounds.
    Uniform {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// Memoryless. The unit of the setting is that of the rate; a drawn value is a time in its inverse.
    Exponential {
        /// Events per time.
        rate: f64,
    },
    /// Yes or no.
    Bernoulli {
        /// The probability of yes.
        probability: f64,
    },
}

/// What a setting counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SettingUnit {
    /// Seconds.
    Seconds,
    /// A probability.
    Probability,
    /// A factor.
    Ratio,
    /// A number of things.
    Count,
    /// Decimal megabytes.
    Megabytes,
    /// Decimal megabytes per second.
    MegabytesPerSecond,
    /// Tasks per minute.
    TasksPerMinute,
    /// Per hour.
    PerHour,
    /// Per year.
    PerYear,
}

/// How far the sources of a setting carry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Confidence {
    /// One sample, a vendor's claim, or assumed.
    Low,
    /// Several independent small samples that agree.
    Medium,
    /// A documented constant, a published objective, or more than 1,000 samples.
    High,
}

/// Every setting, in the order of the calibration.
pub fn settings() -> &'static [Setting] {
    &SETTINGS
}

/// The setting of this exact name.
pub fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let header = "name,unit,distribution,a,b,min,max,p50,confidence,basis,sources";
    table::rows(include_str!("../../data/settings.csv"), header).map(|mut cells| read(&mut cells)).collect()
});

fn read(cells: &mut Cells) -> Setting {
    Setting {
        name: cells.text(),
        unit: read_unit(cells.text()),
        distribution: read_distribution(cells),
        min: cells.optional_number(),
        max: cells.optional_number(),
        p50: cells.optional_number(),
        confidence: match cells.text() {
            "low" => Confidence::Low,
            "medium" => Confidence::Medium,
            "high" => Confidence::High,
            other => panic!("{other} is no confidence"),
        },
        basis: cells.basis().expect("a setting has a basis"),
        sources: cells.text(),
    }
}

fn read_unit(text: &str) -> SettingUnit {
    match text {
        "s" => SettingUnit::Seconds,
        "prob" => SettingUnit::Probability,
        "ratio" => SettingUnit::Ratio,
        "count" => SettingUnit::Count,
        "MB" => SettingUnit::Megabytes,
        "MB/s" => SettingUnit::MegabytesPerSecond,
        "tasks/min" => SettingUnit::TasksPerMinute,
        "1/h" => SettingUnit::PerHour,
        "1/year" => SettingUnit::PerYear,
        other => panic!("{other} is no unit of a setting"),
    }
}

fn read_distribution(cells: &mut Cells) -> Distribution {
    let kind = cells.text();
    let a = cells.number();
    let b = cells.optional_number();
    let second = || b.expect("this distribution has two parameters");
    match kind {
        "const" => Distribution::Const { value: a },
        "lognormal" => Distribution::Lognormal { mu: a, sigma: second() },
        "uniform" => Distribution::Uniform { low: a, high: second() },
        "exponential" => Distribution::Exponential { rate: a },
        "bernoulli" => Distribution::Bernoulli { probability: a },
        other => panic!("{other} is no distribution"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The median of a distribution, where it has one.
    #[expect(clippy::float_arithmetic, reason = "compares a published median with the fit")]
    fn median_f64(distribution: Distribution) -> Option<f64> {
        match distribution {
            Distribution::Const { value } => Some(value),
            Distribution::Lognormal { mu, .. } => Some(libm::exp(mu)),
            Distribution::Uniform { low, high } => Some(f64::midpoint(low, high)),
            Distribution::Exponential { rate } => Some(libm::log(2.0) / rate),
            Distribution::Bernoulli { .. } => None,
        }
    }

    #[test]
    fn medians_agree_with_their_distributions() {
        for setting in settings() {
            match (median_f64(setting.distribution), setting.p50) {
                (Some(fitted), Some(p50)) => {
                    assert!((fitted - p50).abs() <= p50 * 0.005, "{}: {fitted} against {p50}", setting.name);
                }
                (fitted, p50) => assert_eq!(fitted, p50, "{}", setting.name),
            }
        }
    }

    #[test]
    fn settings_are_found_by_exact_name() {
        let known = |name: &str| setting(name).map(|setting| (setting.unit, setting.distribution));
        let rows = [
            ("spot.notice", Some((SettingUnit::Seconds, Distribution::Const { value: 120.0 }))),
            (
                "fargate.straggler_prob",
                Some((SettingUnit::Probability, Distribution::Bernoulli { probability: 0.03 })),
            ),
            (
                "fargate.zstd_start_ratio",
                Some((SettingUnit::Ratio, Distribution::Uniform { low: 0.73, high: 1.0 })),
            ),
            (
                "host.hardware_failure_hazard",
                Some((SettingUnit::PerHour, Distribution::Exponential { rate: 4.66e-6 })),
            ),
            (
                "fargate.straggler_extra",
                Some((SettingUnit::Seconds, Distribution::Lognormal { mu: 4.6052, sigma: 0.5 })),
            ),
            ("app.shutdown", None),
        ];
        for (name, expected) in rows {
            assert_eq!(known(name), expected, "{name}");
        }
    }

    /// The settings that replace assumptions of the ECS specification (section 13).
    #[test]
    fn superseding_settings_are_there() {
        for name in [
            "ecs.instance.launch_to_registered",
            "ecs.task.awsvpc_extra",
            "fargate.ecs.base_start",
            "ecs.autoscaling.metric_publish_lag",
            "image.pull.rate.ec2_overlayfs",
            "fargate.pull_rate_le_half_vcpu",
            "fargate.pull_rate_1_vcpu",
            "fargate.pull_rate_2_vcpu",
            "fargate.pull_rate_ge_4_vcpu",
            "ecs.instance.gone_detection.unclean",
        ] {
            assert!(setting(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_are_unique_and_bounds_ordered() {
        let mut names: Vec<&str> = settings().iter().map(|setting| setting.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "names are unique");
        for setting in settings() {
            assert!(setting.min.zip(setting.max).is_none_or(|(min, max)| min < max), "{}", setting.name);
        }
    }
}
