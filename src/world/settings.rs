//! Every figure of the physics, by name; the lowering fills them.
//!
//! Durations are [`Quantiles`] in nanoseconds, rates in bytes per second, probabilities in parts per
//! million. Each field names its line of `calibration/defaults.csv`, or its number in the register
//! of assumptions. Knows no values: there is one place for those, and it is data.

use crate::base::{Bandwidth, Percent, Refill, Span};
use crate::engine::Quantiles;
use crate::mark;

/// Parts per million that make a certainty.
pub const MILLION: u32 = 1_000_000;

/// The settings of the whole world.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorldSettings {
    /// What happens on a host.
    pub host: HostSettings,
    /// How machines come and go.
    pub ec2: Ec2Settings,
    /// How Fargate tasks come and go.
    pub fargate: FargateSettings,
}

/// What happens on a host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostSettings {
    /// Capacity of a machine's pull link, drawn once per machine: `image.pull.rate.ec2_overlayfs`.
    pub pull_rate_ec2: Quantiles,
    /// The same of a micro-VM, by its vCPUs.
    pub pull_rate_fargate: FargatePullRates,
    /// What one layer can get from the registry at most, if the registry is a limit at all.
    pub layer_rate_max: Option<Bandwidth>,
    /// How many layers one pull fetches at a time: `image.pull.concurrent_layer_downloads`.
    pub layers_at_a_time: u32,
    /// How long a pull takes to learn which layers it needs.
    pub manifest_check: Span,
    /// From the start command to a running process, where the start makes the network as well:
    /// `ecs.task.start_cached_image.bridge`.
    pub container_start: Quantiles,
    /// The creation of a sandbox with its network: `k8s.pod.sandbox`.
    pub sandbox: Quantiles,
    /// From the start command to a running process in such a sandbox: `k8s.pod.container_start`.
    pub container_start_prepared: Quantiles,
    /// When one call of the runtime is given up.
    pub limits: CallLimits,
    /// When the first health probe starts, counted from the start of the container, where its check
    /// does not say; one interval if not set. A-02.
    pub first_probe_after: Option<Span>,
    /// Makes every health probe an event, for tests: the outcome is the same.
    pub every_beat: bool,
}

/// When an agent gives up one call of its runtime (AG-12), and how it asks for manifests (AG-13). The
/// default is the agent's own on Linux.
///
/// ```
/// use windtunnel::base::Span;
/// use windtunnel::world::settings::CallLimits;
/// let hasty = CallLimits { start: Span::SECOND, ..CallLimits::default() };
/// assert_eq!(hasty.in_force().start, Span::seconds(45));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallLimits {
    /// To create a container: `ECS_CONTAINER_CREATE_TIMEOUT`; below 1 min becomes 1 min.
    pub create: Span,
    /// To start one: `ECS_CONTAINER_START_TIMEOUT`; below 45 s becomes 45 s.
    pub start: Span,
    /// One pull in total.
    pub pull: Span,
    /// One try to learn a manifest.
    pub manifest: Span,
    /// How often a manifest is asked for.
    pub manifest_tries: u32,
    /// The wait before the second try.
    pub manifest_wait: Span,
    /// Each wait is this many times the one before.
    pub manifest_factor: u64,
    /// No wait is longer.
    pub manifest_wait_max: Span,
}

impl Default for CallLimits {
    fn default() -> Self {
        CallLimits {
            create: Span::minutes(4),
            start: Span::minutes(3),
            pull: Span::HOUR * 2,
            manifest: Span::minutes(1),
            manifest_tries: 9,
            manifest_wait: Span::millis(10),
            manifest_factor: 3,
            manifest_wait_max: Span::seconds(5),
        }
    }
}

impl CallLimits {
    /// The limits that hold: with the documented minimums applied.
    #[must_use]
    pub fn in_force(self) -> Self {
        mark!("AG-12");
        CallLimits {
            create: self.create.max(Span::minutes(1)),
            start: self.start.max(Span::seconds(45)),
            ..self
        }
    }

    /// Create and start are one step here, so one limit holds for both.
    pub(super) fn create_and_start(self) -> Span {
        let CallLimits { create, start, .. } = self.in_force();
        create + start
    }

    /// How long the tries take after which a manifest is given up: every try its limit, and the waits
    /// between them, without jitter.
    pub(super) fn manifest_given_up_after(self) -> Span {
        let mut total = self.manifest;
        let mut wait = self.manifest_wait;
        for _ in 1..self.manifest_tries {
            mark!("AG-13");
            let pause = wait.min(self.manifest_wait_max);
            total = total + pause + self.manifest;
            wait = Span::from_nanos(pause.as_nanos().saturating_mul(self.manifest_factor));
        }
        total
    }
}

/// Capacity of the pull link of a micro-VM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FargatePullRates {
    /// Up to half a vCPU: `fargate.pull_rate_le_half_vcpu`.
    pub half_vcpu: Quantiles,
    /// Up to one: `fargate.pull_rate_1_vcpu`.
    pub one_vcpu: Quantiles,
    /// Up to two: `fargate.pull_rate_2_vcpu`.
    pub two_vcpus: Quantiles,
    /// More: `fargate.pull_rate_ge_4_vcpu`.
    pub more_vcpus: Quantiles,
}

/// How machines come and go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ec2Settings {
    /// The buckets of `RunInstances`: limits 9.3.
    pub run_instances: ApiLimits,
    /// The buckets of `TerminateInstances`: limits 9.3.
    pub terminate_instances: ApiLimits,
    /// How long the launch call takes: `ec2.run_instances.api_latency`.
    pub launch_call: Quantiles,
    /// From accepted to running: `ec2.launch.pending_to_running_visible`.
    pub pending_to_running: Quantiles,
    /// From accepted to registered with the orchestrator: `ecs.instance.launch_to_registered`, or
    /// the stages of a Kubernetes node.
    pub launch_to_registered: Quantiles,
    /// Slow-host factor in parts per million, shared by the stages of one machine: lognormal(0,
    /// 0.10) of calibration 1.
    pub host_factor: Quantiles,
    /// Probability that a machine fails before it runs: `ec2.launch.failure_prob`.
    pub launch_failure: u32,
    /// From the call to terminated: `ec2.terminate.shutting_down_to_terminated`.
    pub terminate: Quantiles,
    /// The same of a machine with accelerators: `ec2.terminate.shutting_down_to_terminated.gpu`.
    pub terminate_accelerated: Quantiles,
}

/// The two buckets of an EC2 call: one token per request, one per instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ApiLimits {
    /// Requests at once.
    pub request_burst: u64,
    /// Requests over time.
    pub request_refill: Refill,
    /// Instances at once.
    pub resource_burst: u64,
    /// Instances over time.
    pub resource_refill: Refill,
}

/// How Fargate tasks come and go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FargateSettings {
    /// Tasks at once; On-Demand and Spot have a bucket each. QT-02.
    pub launch_burst: u64,
    /// Tasks over time. QT-02.
    pub launch_refill: Refill,
    /// The share of the refill that is really reached: 90 % in calibration 5.
    pub launch_efficiency: Percent,
    /// From admission to a working agent, network interface included, pulls excluded:
    /// `fargate.ecs.base_start`; supersedes A-23.
    pub prepare: Quantiles,
    /// Probability of a straggling start: `fargate.straggler_prob`.
    pub straggler: u32,
    /// How much longer that takes: `fargate.straggler_extra`.
    pub straggler_extra: Quantiles,
    /// From the last exit to gone: A-21, Fargate part.
    pub deprovision: Span,
}

impl WorldSettings {
    /// A world in which nothing takes time, nothing fails and no limit binds: where tests and
    /// what-ifs start from.
    pub fn instant() -> Self {
        let nothing = || Quantiles::constant(0);
        let fast = || Quantiles::constant(u64::MAX);
        let unlimited = Refill { tokens: u64::MAX, per: Span::from_nanos(1) };
        let limits = ApiLimits {
            request_burst: u64::MAX,
            request_refill: unlimited,
            resource_burst: u64::MAX,
            resource_refill: unlimited,
        };
        WorldSettings {
            host: HostSettings {
                pull_rate_ec2: fast(),
                pull_rate_fargate: FargatePullRates {
                    half_vcpu: fast(),
                    one_vcpu: fast(),
                    two_vcpus: fast(),
                    more_vcpus: fast(),
                },
                layer_rate_max: None,
                layers_at_a_time: 3,
                manifest_check: Span::ZERO,
                container_start: nothing(),
                sandbox: nothing(),
                container_start_prepared: nothing(),
                limits: CallLimits::default(),
                first_probe_after: None,
                every_beat: false,
            },
            ec2: Ec2Settings {
                run_instances: limits,
                terminate_instances: limits,
                launch_call: nothing(),
                pending_to_running: nothing(),
                launch_to_registered: nothing(),
                host_factor: Quantiles::constant(u64::from(MILLION)),
                launch_failure: 0,
                terminate: nothing(),
                terminate_accelerated: nothing(),
            },
            fargate: FargateSettings {
                launch_burst: u64::from(u32::MAX),
                launch_refill: Refill { tokens: u64::from(u32::MAX), per: Span::from_nanos(1) },
                launch_efficiency: Percent(100),
                prepare: nothing(),
                straggler: 0,
                straggler_extra: nothing(),
                deprovision: Span::ZERO,
            },
        }
    }
}
