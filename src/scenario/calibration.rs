//! The calibrated settings, lowered: each named distribution becomes a table of quantiles.
//!
//! One quantity has one setting; a scenario may replace any of them by name. Knows nothing of YAML.

use std::collections::BTreeMap;

use crate::base::token_bucket::Refill;
use crate::base::{Percent, Span};
use crate::catalog::limits::{Ec2Calls, EcsQuotas};
use crate::catalog::settings::{Distribution, Setting, SettingUnit, setting};
use crate::engine::Quantiles;
use crate::world::settings::{
    ApiLimits, CallLimits, Ec2Settings, FargatePullRates, FargateSettings, HostSettings, MILLION,
    WorldSettings,
};

/// The settings of one run: the calibrated defaults, and what a scenario sets instead.
///
/// ```
/// use windtunnel::scenario::calibration::Calibration;
/// let defaults = Calibration::default();
/// let boot = defaults.quantiles("ecs.instance.launch_to_registered");
/// assert_eq!(boot.value(1 << 63) / 1_000_000_000, 42);
/// assert_eq!(defaults.parts_per_million("fargate.straggler_prob"), 30_000);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    /// By name, in the smallest unit: nanoseconds, bytes per second, parts per million.
    pub replaced: BTreeMap<String, Quantiles>,
}

/// The settings that some model uses; to set another one changes nothing.
pub const USED: &[&str] = &[
    "app.shutdown.handles_sigterm",
    "app.shutdown.ignores_sigterm_prob",
    "app.startup.interpreted",
    "ec2.host_factor",
    "ec2.launch.failure_prob",
    "ec2.launch.pending_to_running_visible",
    "ec2.run_instances.api_latency",
    "ec2.terminate.shutting_down_to_terminated",
    "ec2.terminate.shutting_down_to_terminated.gpu",
    "ecs.instance.launch_to_registered",
    "ecs.task.awsvpc_extra",
    "ecs.task.start_cached_image.bridge",
    "fargate.ecs.base_start",
    "fargate.pull_rate_1_vcpu",
    "fargate.pull_rate_2_vcpu",
    "fargate.pull_rate_ge_4_vcpu",
    "fargate.pull_rate_le_half_vcpu",
    "fargate.straggler_extra",
    "fargate.straggler_prob",
    "image.pull.concurrent_layer_downloads",
    "image.pull.rate.ec2_overlayfs",
    "image.size.service.compressed",
];

impl Calibration {
    /// A setting as quantiles in its smallest unit: nanoseconds, bytes per second, parts per million
    /// of a ratio. Panics on a name that does not exist: names are ours.
    pub fn quantiles(&self, name: &str) -> Quantiles {
        assert!(USED.contains(&name), "{name} is listed among the settings that are used");
        match self.replaced.get(name) {
            Some(quantiles) => quantiles.clone(),
            None => default_f64(setting(name).unwrap_or_else(|| panic!("there is no setting {name}"))),
        }
    }

    /// A probability in parts per million.
    pub fn parts_per_million(&self, name: &str) -> u32 {
        u32::try_from(self.quantiles(name).value(0)).unwrap_or(MILLION).min(MILLION)
    }

    /// A setting that does not vary.
    fn constant(&self, name: &str) -> u64 {
        self.quantiles(name).value(1 << 63)
    }

    fn host_factor(&self) -> Quantiles {
        let own = self.replaced.get("ec2.host_factor").cloned();
        own.unwrap_or_else(|| Quantiles::lognormal(0.0, HOST_FACTOR_SIGMA, f64::from(MILLION)))
    }

    /// All of physics.
    pub fn world(&self, quotas: &EcsQuotas, limits: bool) -> WorldSettings {
        WorldSettings {
            host: HostSettings {
                pull_rate_ec2: self.quantiles("image.pull.rate.ec2_overlayfs"),
                pull_rate_fargate: FargatePullRates {
                    half_vcpu: self.quantiles("fargate.pull_rate_le_half_vcpu"),
                    one_vcpu: self.quantiles("fargate.pull_rate_1_vcpu"),
                    two_vcpus: self.quantiles("fargate.pull_rate_2_vcpu"),
                    more_vcpus: self.quantiles("fargate.pull_rate_ge_4_vcpu"),
                },
                layer_rate_max: None,
                layers_at_a_time: u32::try_from(self.constant("image.pull.concurrent_layer_downloads"))
                    .unwrap_or(u32::MAX),
                manifest_check: Span::ZERO,
                container_start: self.quantiles("ecs.task.start_cached_image.bridge"),
                limits: CallLimits::default(),
                first_probe_after: None,
                every_beat: false,
            },
            ec2: Ec2Settings {
                run_instances: api_limits(Ec2Calls::RunInstances, limits),
                terminate_instances: api_limits(Ec2Calls::TerminateInstances, limits),
                launch_call: self.quantiles("ec2.run_instances.api_latency"),
                pending_to_running: self.quantiles("ec2.launch.pending_to_running_visible"),
                launch_to_registered: self.quantiles("ecs.instance.launch_to_registered"),
                host_factor: self.host_factor(),
                launch_failure: self.parts_per_million("ec2.launch.failure_prob"),
                terminate: self.quantiles("ec2.terminate.shutting_down_to_terminated"),
                terminate_accelerated: self.quantiles("ec2.terminate.shutting_down_to_terminated.gpu"),
            },
            fargate: FargateSettings {
                launch_burst: if limits {
                    u64::from(quotas.fargate_launches.burst)
                } else {
                    u64::from(u32::MAX)
                },
                launch_refill: Refill {
                    tokens: if limits {
                        u64::from(quotas.fargate_launches.per_second)
                    } else {
                        u64::from(u32::MAX)
                    },
                    per: Span::SECOND,
                },
                launch_efficiency: LAUNCH_EFFICIENCY,
                prepare: self.quantiles("fargate.ecs.base_start"),
                straggler: self.parts_per_million("fargate.straggler_prob"),
                straggler_extra: self.quantiles("fargate.straggler_extra"),
                deprovision: FARGATE_DEPROVISION,
            },
        }
    }
}

/// Settings beside the calibrated table.
pub const EXTRA: &[(&str, SettingUnit)] = &[("ec2.host_factor", SettingUnit::Ratio)];

/// The slow-host factor that the stages of one machine share: lognormal(0, 0.10), assumed
/// (calibration 1).
const HOST_FACTOR_SIGMA: f64 = 0.10;
/// The sustained Fargate launch slope measured in 2022 is 90 % of the quota (calibration 5).
const LAUNCH_EFFICIENCY: Percent = Percent(90);
/// Detaching the interface of a Fargate task (A-21).
const FARGATE_DEPROVISION: Span = Span::seconds(10);

fn api_limits(call: Ec2Calls, limits: bool) -> ApiLimits {
    let refill = |per_second: u32| Refill { tokens: u64::from(per_second), per: Span::SECOND };
    match (limits, call.requests(), call.instances()) {
        (true, requests, Some(instances)) => ApiLimits {
            request_burst: u64::from(requests.burst),
            request_refill: refill(requests.per_second),
            resource_burst: u64::from(instances.burst),
            resource_refill: refill(instances.per_second),
        },
        (true, _, None) | (false, _, _) => ApiLimits {
            request_burst: u64::from(u32::MAX),
            request_refill: refill(u32::MAX),
            resource_burst: u64::from(u32::MAX),
            resource_refill: refill(u32::MAX),
        },
    }
}

/// The calibrated default of a setting, in its smallest unit, clamped.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the float island of lowering: `as` saturates"
)]
fn default_f64(setting: &Setting) -> Quantiles {
    let scale = match setting.unit {
        SettingUnit::Seconds => 1e9,
        SettingUnit::MegabytesPerSecond
        | SettingUnit::Megabytes
        | SettingUnit::Probability
        | SettingUnit::Ratio => 1e6,
        SettingUnit::Count | SettingUnit::TasksPerMinute => 1.0,
        // A rate per time: what is drawn is the time between events.
        SettingUnit::PerHour => 3600e9,
        SettingUnit::PerYear => 365.0 * 86_400e9,
    };
    let smallest = |value: f64| (value * scale).round() as u64;
    let quantiles = match setting.distribution {
        Distribution::Const { value } => Quantiles::constant(smallest(value)),
        Distribution::Lognormal { mu, sigma } => Quantiles::lognormal(mu, sigma, scale),
        Distribution::Uniform { low, high } => Quantiles::uniform(smallest(low), smallest(high)),
        Distribution::Exponential { rate } => Quantiles::exponential(scale / rate),
        Distribution::Bernoulli { probability } => Quantiles::constant(smallest(probability)),
    };
    quantiles.clamped(setting.min.map_or(0, smallest), setting.max.map_or(u64::MAX, smallest))
}
