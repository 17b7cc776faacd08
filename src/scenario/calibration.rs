//! The calibrated settings, lowered: each named distribution becomes a table of quantiles.
//!
//! One quantity has one setting; a scenario may replace any of them by name. Knows nothing of YAML.

use std::collections::BTreeMap;

use super::parameters::Tuning;
use crate::base::Span;
use crate::base::token_bucket::Refill;
use crate::catalog::limits::{Ec2Calls, EcsQuotas};
use crate::catalog::settings::{Distribution, Setting, SettingUnit, setting};
use crate::control::ecs::service::SchedulerSettings;
use crate::engine::Quantiles;
use crate::world::settings::{
    ApiLimits, Ec2Settings, FargatePullRates, FargateSettings, HostSettings, MILLION, WorldSettings,
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
    /// What no distribution describes.
    pub tuning: Tuning,
}

/// The settings that some model uses, and what they are; to set another one changes nothing.
pub const USED: &[(&str, &str)] = &[
    ("app.shutdown.handles_sigterm", "`shutdown` where no image says."),
    ("app.shutdown.ignores_sigterm_prob", "`ignores_sigterm` where no image says."),
    ("app.startup.interpreted", "`app_start` where no image says."),
    ("ec2.host_factor", "Slowness that the stages of one machine share, as a factor."),
    ("ec2.launch.failure_prob", "How many launches fail."),
    ("ec2.launch.pending_to_running_visible", "From the accepted call to running; EC2 bills from there."),
    ("ec2.run_instances.api_latency", "How long the launch call takes."),
    ("ec2.terminate.shutting_down_to_terminated", "From the call that ends a machine to its end."),
    ("ec2.terminate.shutting_down_to_terminated.gpu", "The same of a machine with accelerators."),
    ("ecs.instance.launch_to_registered", "From the accepted call to a registered container instance."),
    ("ecs.service.scheduler_rate", "Tasks that one service starts in any minute."),
    ("ecs.task.awsvpc_extra", "Attaching a network interface on EC2."),
    ("ecs.task.start_cached_image.bridge", "From the start command to a running container."),
    (
        "fargate.ecs.base_start",
        "From admission to a working agent, network interface included, pull excluded.",
    ),
    ("fargate.pull_rate_1_vcpu", "The pull link of a task of up to 1 vCPU."),
    ("fargate.pull_rate_2_vcpu", "The pull link of a task of up to 2 vCPU."),
    ("fargate.pull_rate_ge_4_vcpu", "The pull link of a larger task."),
    ("fargate.pull_rate_le_half_vcpu", "The pull link of a task of up to 0.5 vCPU."),
    ("fargate.straggler_extra", "How much longer stragglers take."),
    ("fargate.straggler_prob", "How many Fargate starts straggle."),
    ("image.pull.concurrent_layer_downloads", "Layers that one pull fetches at a time."),
    (
        "image.pull.rate.ec2_overlayfs",
        "The pull link of one machine, shared by its pulls; drawn once per machine.",
    ),
    ("image.size.service.compressed", "The size of an image that nobody describes; its median counts."),
    (CONTAINER_START, "From the start command to a running container of a pod."),
    (SANDBOX, "Creating the sandbox of a pod, its network included."),
];

/// What a setting of the table, or one beside it, counts.
pub fn unit(name: &str) -> Option<SettingUnit> {
    let extra = EXTRA.iter().find(|extra| extra.name == name).map(|extra| extra.unit);
    extra.or_else(|| setting(name).map(|setting| setting.unit))
}

/// Whether some model uses this setting of the table.
pub fn is_used(name: &str) -> bool {
    USED.iter().any(|(known, _)| *known == name)
}

impl Calibration {
    /// Any setting, used or not, as [`Calibration::quantiles`] hands it out.
    pub fn any(&self, name: &str) -> Quantiles {
        let extra = EXTRA.iter().find(|extra| extra.name == name);
        match (self.replaced.get(name), extra) {
            (Some(quantiles), _) => quantiles.clone(),
            (None, Some(extra)) => extra.default_f64(),
            (None, None) => {
                default_f64(setting(name).unwrap_or_else(|| panic!("there is no setting {name}")))
            }
        }
    }

    /// A setting as quantiles in its smallest unit: nanoseconds, bytes per second, parts per million
    /// of a ratio. Panics on a name that does not exist: names are ours.
    pub fn quantiles(&self, name: &str) -> Quantiles {
        assert!(is_used(name), "{name} is listed among the settings that are used");
        self.any(name)
    }

    /// A probability in parts per million.
    pub fn parts_per_million(&self, name: &str) -> u32 {
        u32::try_from(self.quantiles(name).value(0)).unwrap_or(MILLION).min(MILLION)
    }

    /// A setting that does not vary.
    fn constant(&self, name: &str) -> u64 {
        self.quantiles(name).value(1 << 63)
    }

    /// The figures of the scheduler: those of the tuning, with the launch rate that the table has.
    pub fn scheduler(&self) -> SchedulerSettings {
        let mut scheduler = self.tuning.scheduler;
        let normal = SchedulerSettings::default();
        let rate = u32::try_from(self.constant("ecs.service.scheduler_rate")).unwrap_or(u32::MAX);
        scheduler.launch_rate_ec2.per_minute = rate;
        if scheduler.launch_rate_fargate.per_minute == normal.launch_rate_fargate.per_minute {
            scheduler.launch_rate_fargate.per_minute = rate;
        }
        scheduler
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
                layer_rate_max: self.tuning.layer_rate_max,
                layers_at_a_time: u32::try_from(self.constant("image.pull.concurrent_layer_downloads"))
                    .unwrap_or(u32::MAX),
                manifest_check: self.tuning.manifest_check,
                container_start: self.quantiles("ecs.task.start_cached_image.bridge"),
                sandbox: self.quantiles(SANDBOX),
                container_start_prepared: self.quantiles(CONTAINER_START),
                limits: self.tuning.limits,
                first_probe_after: self.tuning.first_probe_after,
                every_beat: false,
            },
            ec2: Ec2Settings {
                run_instances: api_limits(Ec2Calls::RunInstances, limits),
                terminate_instances: api_limits(Ec2Calls::TerminateInstances, limits),
                launch_call: self.quantiles("ec2.run_instances.api_latency"),
                pending_to_running: self.quantiles("ec2.launch.pending_to_running_visible"),
                launch_to_registered: self.quantiles("ecs.instance.launch_to_registered"),
                host_factor: self.quantiles(HOST_FACTOR),
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
                launch_efficiency: self.tuning.launch_efficiency,
                prepare: self.quantiles("fargate.ecs.base_start"),
                straggler: self.parts_per_million("fargate.straggler_prob"),
                straggler_extra: self.quantiles("fargate.straggler_extra"),
                deprovision: self.tuning.fargate_deprovision,
            },
        }
    }
}

/// An assumed setting beside the calibrated table: a lognormal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Extra {
    /// Its name.
    pub name: &'static str,
    /// What it counts.
    pub unit: SettingUnit,
    /// Where it is assumed.
    pub source: &'static str,
    mu: f64,
    sigma: f64,
}

/// Settings beside the calibrated table.
pub const EXTRA: &[Extra] = &[
    // What the stages of one machine share.
    Extra { name: HOST_FACTOR, unit: SettingUnit::Ratio, source: "calibration 1", mu: 0.0, sigma: 0.10 },
    // 0.1 to 1 s and 0.5 to 2 s, taken as p10 and p90: with these the two add up to the calibrated
    // k8s.pod.start_on_ready_node less what the control plane takes.
    Extra {
        name: CONTAINER_START,
        unit: SettingUnit::Seconds,
        source: "kubernetes 9.1",
        mu: -1.1513,
        sigma: 0.8983,
    },
    Extra { name: SANDBOX, unit: SettingUnit::Seconds, source: "kubernetes 9.1", mu: 0.0, sigma: 0.5409 },
];

const HOST_FACTOR: &str = "ec2.host_factor";
const CONTAINER_START: &str = "k8s.pod.container_start";
const SANDBOX: &str = "k8s.pod.sandbox";

impl Extra {
    /// The default, in the smallest unit.
    fn default_f64(&self) -> Quantiles {
        Quantiles::lognormal(self.mu, self.sigma, scale_f64(self.unit))
    }
}

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
    let scale = scale_f64(setting.unit);
    let smallest = |value: f64| (value * scale).round() as u64;
    let quantiles = match setting.distribution {
        // A constant rate is drawn as the constant time between events.
        Distribution::Const { value }
            if matches!(setting.unit, SettingUnit::PerHour | SettingUnit::PerYear) =>
        {
            Quantiles::constant((scale / value) as u64)
        }
        Distribution::Const { value } => Quantiles::constant(smallest(value)),
        Distribution::Lognormal { mu, sigma } => Quantiles::lognormal(mu, sigma, scale),
        Distribution::Uniform { low, high } => Quantiles::uniform(smallest(low), smallest(high)),
        Distribution::Exponential { rate } => Quantiles::exponential(scale / rate),
        Distribution::Bernoulli { probability } => Quantiles::constant(smallest(probability)),
    };
    quantiles.clamped(setting.min.map_or(0, smallest), setting.max.map_or(u64::MAX, smallest))
}

/// How many of the smallest steps a unit has.
#[expect(clippy::float_arithmetic, reason = "the float island of lowering")]
fn scale_f64(unit: SettingUnit) -> f64 {
    match unit {
        SettingUnit::Seconds => 1e9,
        SettingUnit::MegabytesPerSecond
        | SettingUnit::Megabytes
        | SettingUnit::Probability
        | SettingUnit::Ratio => 1e6,
        SettingUnit::Count | SettingUnit::TasksPerMinute => 1.0,
        // A rate per time: what is drawn is the time between events.
        SettingUnit::PerHour => 3600e9,
        SettingUnit::PerYear => 365.0 * 86_400e9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The calibrated start of a pod, `k8s.pod.start_on_ready_node`, is the whole; sandbox and container are its parts, and what is left
    /// is for the control plane: a tenth to half a second at the median.
    #[test]
    fn the_parts_of_the_start_of_a_pod_add_up() {
        const STEPS: u64 = 300;
        let plain = Calibration::default();
        let [sandbox, container] = [SANDBOX, CONTAINER_START].map(|name| plain.any(name));
        let whole = Quantiles::lognormal(0.5878, 0.4, 1e9);
        let draws = || (0..STEPS).map(|step| u64::MAX / STEPS * step + u64::MAX / STEPS / 2);
        let mut sums: Vec<u64> = draws()
            .flat_map(|of_sandbox| {
                let sandbox = sandbox.value(of_sandbox);
                draws().map(|of_container| container.value(of_container)).map(move |more| sandbox + more)
            })
            .collect();
        sums.sort_unstable();
        for (hundredths, least, most) in [(50, 100, 500), (90, 0, 500), (99, 0, 500)] {
            let part = sums[sums.len() / 100 * hundredths];
            let all = whole.value(u64::MAX / 100 * u64::try_from(hundredths).expect("small"));
            let left = all.saturating_sub(part) / 1_000_000;
            assert!((least..=most).contains(&left), "p{hundredths}: {left} ms of {all} ns are left");
        }
    }
}
