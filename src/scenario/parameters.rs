//! The figures of the models that no distribution describes, by name, so that a scenario can set each.
//!
//! One table: name, meaning, source, and where the value lives in [`Tuning`]. The defaults are those of
//! the settings structs; nothing here repeats a number. Knows nothing of who uses them.

use serde_json::Value;

use super::codes::Code;
use super::diagnostic::{quoted, suggestion};
use super::units::{Measured, UnitError, plain_number};
use crate::base::{Bandwidth, Bytes, Percent, Span};
use crate::control::ecs::placement::stop::FargateStop;
use crate::control::ecs::placement::{AbsentAttribute, PlacementSettings, ReleaseOn, SubnetChoice, Tie};
use crate::control::ecs::service::SchedulerSettings;
use crate::control::ecs::task_definition::Rules;
use crate::control::node::ecs_agent::{AgentSettings, PortOrder, PullBehavior};
use crate::control::node::kubelet::KubeletSettings;
use crate::world::settings::CallLimits;

/// The settings structs of all models, before a plan takes them.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// The scheduler.
    pub scheduler: SchedulerSettings,
    /// Placement.
    pub placement: PlacementSettings,
    /// Container agents.
    pub agent: AgentSettings,
    /// Kubelets.
    pub kubelet: KubeletSettings,
    /// Registration, and the query language.
    pub rules: Rules,
    /// The control plane gives up on a network interface after this (A-14).
    pub interface_timeout: Span,
    /// Making and attaching the EBS volume of a task (A-05).
    pub volume_attach: Span,
    /// A client token of RunTask is remembered this long (A-110).
    pub token_memory: Span,
    /// Detaching a network interface on EC2 (A-21).
    pub interface_detach: Span,
    /// A stopped task can be described this long (TK-03).
    pub retention: Span,
    /// How long calls of the runtime may take.
    pub limits: CallLimits,
    /// What one layer gets from the registry at most.
    pub layer_rate_max: Option<Bandwidth>,
    /// How long a pull takes to learn which layers it needs.
    pub manifest_check: Span,
    /// When the first health probe starts; one interval unless set (A-02).
    pub first_probe_after: Option<Span>,
    /// The sustained Fargate launch slope measured in 2022 is 90 % of the quota (calibration 5).
    pub launch_efficiency: Percent,
    /// Detaching the interface of a Fargate task (A-21).
    pub fargate_deprovision: Span,
    /// The root volume of a container instance.
    pub root_volume: Bytes,
    /// A Kubernetes cluster.
    pub cluster: ClusterTuning,
}

/// The figures of a Kubernetes cluster.
#[derive(Clone, Copy, Debug)]
pub struct ClusterTuning {
    /// Pods that the scheduler places in a second at most.
    pub pods_per_second: u32,
    /// From the end of a scheduling cycle until the binding is written (K 9.1, assumed).
    pub bind: Span,
    /// From a write until the kubelet of the node has heard of it (K 9.1, assumed).
    pub watch: Span,
    /// Until a volume is provisioned and bound; assumed.
    pub provision: Span,
    /// So many ended pods are kept.
    pub ended_max: u32,
    /// The root volume of a node (K 4.7).
    pub root_volume: Bytes,
}

/// A figure of a model.
///
/// ```
/// use windtunnel::scenario::parameters::{Tuning, parameter};
/// let tick = parameter("ecs.scheduler.tick").expect("it exists");
/// let mut tuning = Tuning::default();
/// assert_eq!(tick.text(&tuning), "10s");
/// tick.set(&mut tuning, &"1m".into()).expect("a minute is a tick");
/// assert_eq!(tick.text(&tuning), "1m");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name below `settings`.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// The rule, or the number in the register of assumptions.
    pub source: &'static str,
    /// What it takes, and where it goes.
    pub kind: Kind,
}

/// What a parameter takes. Each gives access to its place in [`Tuning`].
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A duration between two.
    Span(fn(&mut Tuning) -> &mut Span, Span),
    /// A duration, or nothing.
    OptionalSpan(fn(&mut Tuning) -> &mut Option<Span>),
    /// A bandwidth, or nothing.
    OptionalBandwidth(fn(&mut Tuning) -> &mut Option<Bandwidth>),
    /// A size, or nothing.
    OptionalBytes(fn(&mut Tuning) -> &mut Option<Bytes>),
    /// A size.
    Bytes(fn(&mut Tuning) -> &mut Bytes),
    /// A percentage of at most 100.
    Percent(fn(&mut Tuning) -> &mut Percent),
    /// A whole number between two: reads it, writes it, least, most.
    Count(fn(&Tuning) -> u64, fn(&mut Tuning, u64), u64, u64),
    /// Yes or no.
    Flag(fn(&mut Tuning) -> &mut bool),
    /// One of a few words: which one holds, sets one, the words.
    Word(fn(&Tuning) -> usize, fn(&mut Tuning, usize), &'static [&'static str]),
}

/// No duration of a model is longer: a year and a day.
const LONGEST: Span = Span::seconds(366 * 86_400);
/// No root volume is larger: what EBS sells.
const LARGEST: Bytes = Bytes::gib(65_536);

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            scheduler: SchedulerSettings::default(),
            placement: PlacementSettings::default(),
            agent: AgentSettings::default(),
            kubelet: KubeletSettings::default(),
            rules: Rules::default(),
            interface_timeout: Span::seconds(180),
            volume_attach: Span::seconds(10),
            token_memory: Span::seconds(86_400),
            interface_detach: Span::seconds(5),
            retention: Span::HOUR,
            limits: CallLimits::default(),
            layer_rate_max: None,
            manifest_check: Span::ZERO,
            first_probe_after: None,
            launch_efficiency: Percent(90),
            fargate_deprovision: Span::seconds(10),
            root_volume: Bytes::gib(30),
            cluster: ClusterTuning::default(),
        }
    }
}

impl Default for ClusterTuning {
    fn default() -> Self {
        ClusterTuning {
            pods_per_second: 100,
            bind: Span::millis(30),
            watch: Span::millis(50),
            provision: Span::seconds(5),
            ended_max: 12_500,
            root_volume: Bytes::gib(20),
        }
    }
}

/// The parameter of this exact name.
pub fn parameter(name: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.name == name)
}

impl Parameter {
    /// Its value as a scenario would write it; `none` where there is none.
    pub fn text(&self, tuning: &Tuning) -> String {
        let mut tuning = tuning.clone();
        let none = || String::from("none");
        match self.kind {
            Kind::Span(at, _) => at(&mut tuning).canonical(),
            Kind::OptionalSpan(at) => at(&mut tuning).map_or_else(none, |span| span.canonical()),
            Kind::OptionalBandwidth(at) => at(&mut tuning).map_or_else(none, |rate| rate.canonical()),
            Kind::OptionalBytes(at) => at(&mut tuning).map_or_else(none, |size| size.canonical()),
            Kind::Bytes(at) => at(&mut tuning).canonical(),
            Kind::Percent(at) => at(&mut tuning).canonical(),
            Kind::Count(get, ..) => get(&tuning).to_string(),
            Kind::Flag(at) => at(&mut tuning).to_string(),
            Kind::Word(get, _, words) => words[get(&tuning)].to_owned(),
        }
    }

    /// Takes a value from a scenario.
    ///
    /// # Errors
    /// A value of another kind, or one out of range.
    pub fn set(&self, tuning: &mut Tuning, value: &Value) -> Result<(), UnitError> {
        match self.kind {
            Kind::Span(at, least) => *at(tuning) = span(value, least)?,
            Kind::OptionalSpan(at) => *at(tuning) = optional(value, |value| span(value, Span::ZERO))?,
            Kind::OptionalBandwidth(at) => *at(tuning) = optional(value, measured)?,
            Kind::OptionalBytes(at) => *at(tuning) = optional(value, measured)?,
            Kind::Bytes(at) => {
                let size: Bytes = measured(value)?;
                *at(tuning) = Some(size).filter(|size| *size <= LARGEST).ok_or_else(|| {
                    wrong(format!("{} is more than {}", size.canonical(), LARGEST.canonical()))
                })?;
            }
            Kind::Percent(at) => {
                let share: Percent = measured(value)?;
                *at(tuning) = Some(share)
                    .filter(|share| (1..=100).contains(&share.0))
                    .ok_or_else(|| wrong(format!("{}% is not between 1% and 100%", share.0)))?;
            }
            Kind::Count(_, set, least, most) => {
                let count = plain_number(value)?;
                if !(least..=most).contains(&count) {
                    return Err(wrong(format!("{count} is not between {least} and {most}")));
                }
                set(tuning, count);
            }
            Kind::Flag(at) => {
                *at(tuning) = value.as_bool().ok_or_else(|| {
                    let hint = Some(String::from("write true or false"));
                    UnitError { code: Code::WrongType, message: format!("{value} is no answer"), hint }
                })?;
            }
            Kind::Word(_, set, words) => {
                let word = value.as_str().unwrap_or_default();
                let known = words.iter().position(|known| *known == word).ok_or_else(|| UnitError {
                    code: Code::UnknownChoice,
                    message: format!("unknown word {}", quoted(&text(value))),
                    hint: suggestion(word, words),
                })?;
                set(tuning, known);
            }
        }
        Ok(())
    }

    /// Whether its value is an assumption that nobody has confirmed.
    pub fn assumed(&self) -> bool {
        self.source.starts_with("A-") || self.source.ends_with("[assumed]")
    }
}

fn span(value: &Value, least: Span) -> Result<Span, UnitError> {
    let span: Span = measured(value)?;
    if span < least || span > LONGEST {
        return Err(wrong(format!(
            "{} is not between {} and {}",
            span.canonical(),
            least.canonical(),
            LONGEST.canonical()
        )));
    }
    Ok(span)
}

fn optional<T>(value: &Value, read: impl Fn(&Value) -> Result<T, UnitError>) -> Result<Option<T>, UnitError> {
    if value.is_null() || value.as_str() == Some("none") { Ok(None) } else { read(value).map(Some) }
}

fn measured<T: Measured>(value: &Value) -> Result<T, UnitError> {
    T::read(&text(value))
}

/// A scalar as it was written.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn wrong(message: String) -> UnitError {
    UnitError { code: Code::WrongValue, message, hint: None }
}

/// A whole number that lives in a field of any integer type.
macro_rules! count {
    ($least:literal..=$most:literal, $($field:tt).+) => {
        Kind::Count(
            |tuning| u64::try_from(tuning.$($field).+).unwrap_or(0),
            |tuning, count| tuning.$($field).+ = count.try_into().expect("within the limits"),
            $least,
            $most,
        )
    };
}

/// One variant of an enum of ours, by a word.
macro_rules! word {
    ($kind:ident, $($field:ident).+, $($word:literal => $variant:ident),+) => {
        Kind::Word(
            |tuning| {
                let all = [$($kind::$variant),+];
                all.iter().position(|known| *known == tuning.$($field).+).expect("every variant has a word")
            },
            |tuning, nth| tuning.$($field).+ = [$($kind::$variant),+][nth],
            &[$($word),+],
        )
    };
}

macro_rules! flag {
    ($($field:ident).+) => { Kind::Flag(|tuning| &mut tuning.$($field).+) };
}

macro_rules! span {
    ($least:expr, $($field:ident).+) => { Kind::Span(|tuning| &mut tuning.$($field).+, $least) };
}

macro_rules! parameters {
    ($($name:literal $source:literal $about:literal = $kind:expr;)*) => {
        /// Every parameter, in the order of the names.
        pub const PARAMETERS: &[Parameter] =
            &[$(Parameter { name: $name, about: $about, source: $source, kind: $kind },)*];
    };
}

parameters! {
    "ec2.root_volume" "the ECS-optimized image" "The root volume of a container instance, which is billed."
        = Kind::Bytes(|tuning| &mut tuning.root_volume);
    "ecs.agent.call.create" "AG-12" "How long the runtime may take to create a container; at least 1m."
        = span!(Span::ZERO, limits.create);
    "ecs.agent.call.manifest" "AG-12" "How long one try to learn a manifest may take."
        = span!(Span::SECOND, limits.manifest);
    "ecs.agent.call.manifest_factor" "AG-12" "Each wait between two such tries is this many times the one before."
        = count!(1..=1000, limits.manifest_factor);
    "ecs.agent.call.manifest_tries" "AG-12" "How often a manifest is asked for."
        = count!(1..=1000, limits.manifest_tries);
    "ecs.agent.call.manifest_wait" "AG-12" "The wait before the second try."
        = span!(Span::ZERO, limits.manifest_wait);
    "ecs.agent.call.manifest_wait_max" "AG-12" "No wait between two such tries is longer."
        = span!(Span::ZERO, limits.manifest_wait_max);
    "ecs.agent.call.pull" "AG-12" "How long one pull may take in total."
        = span!(Span::SECOND, limits.pull);
    "ecs.agent.call.start" "AG-12" "How long the runtime may take to start a container; at least 45s."
        = span!(Span::ZERO, limits.start);
    "ecs.agent.cleanup_wait" "AG-16" "How long a stopped task is kept on its host; below 1s is ignored."
        = span!(Span::ZERO, agent.cleanup_wait);
    "ecs.agent.dynamic_port_order" "A-04" "Which free dynamic host port is taken."
        = word!(PortOrder, agent.dynamic_port_order, "lowest_free" => LowestFree, "rotating" => Rotating);
    "ecs.agent.dynamic_ports.first" "TD-41" "The first dynamic host port."
        = count!(1..=65_535, agent.dynamic_ports.0);
    "ecs.agent.dynamic_ports.last" "TD-41" "The last dynamic host port."
        = count!(1..=65_535, agent.dynamic_ports.1);
    "ecs.agent.image_age_min" "AG-22" "Images pulled less than this ago are not cleaned up."
        = span!(Span::ZERO, agent.image_age_min);
    "ecs.agent.image_cleanup_interval" "AG-22" "Between two clean-ups of images; below 10m is ignored."
        = span!(Span::ZERO, agent.image_cleanup_interval);
    "ecs.agent.images_per_cleanup" "AG-22" "How many images one clean-up removes."
        = count!(1..=1_000_000, agent.images_per_cleanup);
    "ecs.agent.pull_attempts" "AG-13" "How often one pull is tried."
        = count!(1..=1000, agent.pull_attempts);
    "ecs.agent.pull_backoff.factor" "AG-13" "Each wait between two tries is this many times the one before."
        = count!(1..=1000, agent.pull_backoff.factor);
    "ecs.agent.pull_backoff.first" "AG-13" "The first wait between two tries of a pull."
        = span!(Span::ZERO, agent.pull_backoff.first);
    "ecs.agent.pull_backoff.jitter" "AG-13" "Up to this share of a wait is added, in percent."
        = count!(0..=1000, agent.pull_backoff.jitter_percent);
    "ecs.agent.pull_backoff.longest" "AG-13" "No wait between two tries is longer, jitter aside."
        = span!(Span::ZERO, agent.pull_backoff.longest);
    "ecs.agent.pull_behavior" "AG-20" "When an image is pulled."
        = word!(PullBehavior, agent.pull_behavior, "default" => Default, "always" => Always, "once" => Once,
            "prefer_cached" => PreferCached);
    "ecs.agent.pull_dependents_upfront" "TD-23" "Whether images of dependents are pulled at once."
        = flag!(agent.pull_dependents_upfront);
    "ecs.agent.stop_timeout" "AG-12" "From SIGTERM to SIGKILL where a container does not say; at least 1s."
        = span!(Span::ZERO, agent.stop_timeout);
    "ecs.placement.fargate_memory" "not published"
        "The memory that one Fargate task may have, if that is a limit."
        = Kind::OptionalBytes(|tuning| &mut tuning.placement.fargate_memory);
    "ecs.placement.fargate_tries_other_zones" "A-38"
        "Whether a Fargate task goes to the next zone when its zone has no capacity."
        = flag!(placement.fargate_tries_other_zones);
    "ecs.placement.release_on" "A-16" "When CPU, memory, ports and GPUs of a task count as free."
        = word!(ReleaseOn, placement.release_on, "stopping" => Stopping, "desired_stopped" => DesiredStopped,
            "stopped" => Stopped);
    "ecs.placement.subnet_choice" "A-37" "Which subnet of a zone a Fargate task takes."
        = word!(SubnetChoice, placement.subnet_choice, "most_free_addresses" => MostFreeAddresses,
            "request_order" => RequestOrder);
    "ecs.placement.tie" "A-32" "Which instance wins among equals after the last strategy."
        = word!(Tie, placement.tie, "registration_order" => RegistrationOrder, "random" => Random);
    "ecs.placement.without_attribute" "A-31" "Where instances without the attribute of a spread stand."
        = word!(AbsentAttribute, placement.without_attribute, "last" => Last, "counted" => Counted);
    "ecs.query.and_before_or" "A-34" "Whether `and` binds tighter than `or`; else both bind alike, from the left."
        = flag!(rules.query.and_before_or);
    "ecs.query.keywords_ignore_case" "A-34" "Whether the words of an expression are read in any case."
        = flag!(rules.query.keywords_ignore_case);
    "ecs.query.negations_need_attribute" "A-36" "Whether `!in` and `!~` are false where the attribute is absent."
        = flag!(rules.query.negations_need_attribute);
    "ecs.query.numeric_texts_compare_as_numbers" "A-35"
        "Whether `<` and its kin compare numbers when both sides are numbers."
        = flag!(rules.query.numeric_texts_compare_as_numbers);
    "ecs.query.patterns_match_whole_value" "A-34" "Whether a pattern must match the whole value."
        = flag!(rules.query.patterns_match_whole_value);
    "ecs.scheduler.coalesce" "A-50" "Changes within this span of the first share one look at their service."
        = span!(Span::ZERO, scheduler.coalesce);
    "ecs.scheduler.event_repeat" "SVC-30" "The same service event is repeated after this while its cause stays."
        = span!(Span::SECOND, scheduler.repeat_after);
    "ecs.scheduler.healthy_after" "5.4" "A task without a health check counts after running this long."
        = span!(Span::ZERO, scheduler.healthy_after);
    "ecs.scheduler.launch_burst_divisor" "A-59" "The share of a minute's launches that may start at once, as a divisor."
        = Kind::Count(
            |tuning| u64::from(tuning.scheduler.launch_rate_ec2.burst_divisor),
            |tuning, divisor| {
                let divisor = divisor.try_into().expect("within the limits");
                tuning.scheduler.launch_rate_ec2.burst_divisor = divisor;
                tuning.scheduler.launch_rate_fargate.burst_divisor = divisor;
            },
            1,
            60,
        );
    "ecs.scheduler.launch_rate.fargate" "SVC-60"
        "Tasks that one service starts on Fargate in any minute, where that is not `ecs.service.scheduler_rate`."
        = count!(1..=1_000_000, scheduler.launch_rate_fargate.per_minute);
    "ecs.scheduler.placement_retry.quick" "A-61" "The first waits of a service that finds no place for a task."
        = span!(Span::SECOND, scheduler.placement_retry.quick);
    "ecs.scheduler.placement_retry.quick_count" "A-61" "How many such waits there are."
        = count!(0..=1_000_000, scheduler.placement_retry.quick_count);
    "ecs.scheduler.placement_retry.slow" "A-61" "The waits after those."
        = span!(Span::SECOND, scheduler.placement_retry.slow);
    "ecs.scheduler.stop.fargate" "A-40" "Which task of the fullest zone stops first on Fargate."
        = word!(FargateStop, scheduler.stop.fargate, "newest_first" => NewestFirst, "random" => Random);
    "ecs.scheduler.stop.weak_first" "A-39" "Whether tasks that are not RUNNING, then unhealthy ones, stop before others."
        = flag!(scheduler.stop.weak_first);
    "ecs.scheduler.throttle.first" "A-60" "The first wait of a service whose tasks never reach RUNNING; it doubles."
        = span!(Span::SECOND, scheduler.throttle.first);
    "ecs.scheduler.throttle.free" "A-60" "So many failed starts in a row cost no wait."
        = count!(0..=1_000_000, scheduler.throttle.free);
    "ecs.scheduler.throttle.longest" "A-60" "The longest such wait."
        = span!(Span::SECOND, scheduler.throttle.longest);
    "ecs.scheduler.tick" "A-50" "Between two ticks of a service, counted from its creation."
        = span!(Span::millis(100), scheduler.tick);
    "ecs.task.interface_detach" "A-21" "Detaching a network interface on EC2."
        = span!(Span::ZERO, interface_detach);
    "ecs.task.interface_timeout" "A-14" "The control plane gives up on a network interface after this."
        = span!(Span::SECOND, interface_timeout);
    "ecs.task.retention" "TK-03" "A stopped task can be described this long."
        = span!(Span::ZERO, retention);
    "ecs.task.token_memory" "A-110" "A client token of RunTask is remembered this long."
        = span!(Span::ZERO, token_memory);
    "ecs.task.volume_attach" "A-05" "Making and attaching the EBS volume of a task."
        = span!(Span::ZERO, volume_attach);
    "ecs.task_definition.container_memory_min" "TD-10" "The least memory of a container, in MiB; 4 with old machine images."
        = count!(1..=1024, rules.container_memory_min);
    "ecs.task_definition.inactive_window" "A-01" "How long a deregistered revision can still be used."
        = span!(Span::ZERO, rules.inactive_window);
    "fargate.deprovision" "A-21" "Detaching the interface of a Fargate task."
        = span!(Span::ZERO, fargate_deprovision);
    "fargate.launch_efficiency" "calibration 5" "The share of the Fargate launch quota that is really reached."
        = Kind::Percent(|tuning| &mut tuning.launch_efficiency);
    "host.first_probe_after" "A-02" "When the first health probe starts; one interval unless set."
        = Kind::OptionalSpan(|tuning| &mut tuning.first_probe_after);
    "image.pull.layer_rate_max" "A-121" "What one layer gets from the registry at most, if the registry is a limit."
        = Kind::OptionalBandwidth(|tuning| &mut tuning.layer_rate_max);
    "image.pull.manifest_check" "A-121" "How long a pull takes to learn which layers it needs."
        = span!(Span::ZERO, manifest_check);
    "k8s.ended_pods_max" "K 3.8" "So many pods that have ended are kept in a cluster."
        = count!(0..=1_000_000, cluster.ended_max);
    "k8s.kubelet.crash_backoff.first" "K 3.10" "The second restart of a container waits so long; the waits double."
        = span!(Span::ZERO, kubelet.crash_backoff.first);
    "k8s.kubelet.crash_backoff.longest" "K 3.10" "No such wait is longer; after twice as long they begin anew."
        = span!(Span::SECOND, kubelet.crash_backoff.longest);
    "k8s.kubelet.grace_min" "kubelet source" "No container gets less to stop."
        = span!(Span::ZERO, kubelet.grace_min);
    "k8s.kubelet.parallel_pulls" "K 4.3" "Pulls of one node at once; 0 is no limit, 1 what serializeImagePulls is."
        = count!(0..=1_000_000, kubelet.parallel_pulls);
    "k8s.kubelet.pull_backoff.first" "K 3.10" "The wait after a pull that failed; the waits double."
        = span!(Span::ZERO, kubelet.pull_backoff.first);
    "k8s.kubelet.pull_backoff.longest" "K 3.10" "No such wait is longer; after twice as long they begin anew."
        = span!(Span::SECOND, kubelet.pull_backoff.longest);
    "k8s.kubelet.pull_burst" "K 3.10" "Pulls that may begin at once: registryBurst."
        = count!(1..=1_000_000, kubelet.pull_burst);
    "k8s.kubelet.pull_rate" "K 3.10" "Pulls that may begin a second: registryPullQPS; 0 is no limit."
        = count!(0..=1_000_000, kubelet.pull_rate);
    "k8s.kubelet.relist" "kubelet source" "Between two looks at which containers have exited."
        = span!(Span::millis(1), kubelet.relist);
    "k8s.kubelet.retry" "kubelet source" "From a sync that failed to the next, where no back-off says when."
        = span!(Span::SECOND, kubelet.retry);
    "k8s.kubelet.retry_jitter" "kubelet source" "Up to this share of the wait for a sync is added, in percent."
        = count!(0..=1000, kubelet.retry_jitter_percent);
    "k8s.kubelet.sync_frequency" "K 3.10" "No wait for a sync is longer, jitter aside: syncFrequency."
        = span!(Span::SECOND, kubelet.sync_frequency);
    "k8s.kubelet.tick" "kubelet source" "Between two looks at which syncs are due."
        = span!(Span::millis(1), kubelet.tick);
    "k8s.kubelet.watch" "K 9.1 [assumed]" "From a write until the kubelet of the node has heard of it."
        = span!(Span::ZERO, cluster.watch);
    "k8s.node.root_volume" "K 4.7" "The root volume of a node, which is billed and holds ephemeral storage."
        = Kind::Bytes(|tuning| &mut tuning.cluster.root_volume);
    "k8s.scheduler.bind" "K 9.1 [assumed]" "From the end of a scheduling cycle until the binding is written."
        = span!(Span::ZERO, cluster.bind);
    "k8s.scheduler.max_rate.eks_standard" "calibration 6 [assumed]" "Pods that the scheduler of a cluster places in a second at most."
        = count!(1..=1_000_000, cluster.pods_per_second);
    "k8s.volume.provision" "not published [assumed]" "Until a volume is made and bound to its claim."
        = span!(Span::ZERO, cluster.provision);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A value that is not the default.
    fn other(parameter: &Parameter, tuning: &Tuning) -> Value {
        let now = parameter.text(tuning);
        match parameter.kind {
            Kind::Span(..) | Kind::OptionalSpan(_) => json!(if now == "17m" { "18m" } else { "17m" }),
            Kind::OptionalBandwidth(_) => json!("3 MiB/s"),
            Kind::Bytes(_) | Kind::OptionalBytes(_) => json!("77 GiB"),
            Kind::Percent(_) => json!("41%"),
            Kind::Count(get, _, least, most) => {
                json!(if get(tuning) < most { get(tuning) + 1 } else { least })
            }
            Kind::Flag(_) => json!(now != "true"),
            Kind::Word(_, _, words) => json!(words.iter().find(|word| **word != now)),
        }
    }

    #[test]
    fn every_parameter_is_set_alone_and_read_back() {
        for parameter in PARAMETERS {
            let (plain, mut tuning) = (Tuning::default(), Tuning::default());
            let value = other(parameter, &tuning);
            parameter
                .set(&mut tuning, &value)
                .unwrap_or_else(|error| panic!("{}: {error:?}", parameter.name));
            assert_eq!(parameter.text(&tuning), text(&value), "{}", parameter.name);
            for sibling in PARAMETERS.iter().filter(|sibling| sibling.name != parameter.name) {
                assert_eq!(
                    sibling.text(&plain),
                    sibling.text(&tuning),
                    "{} moves {}",
                    parameter.name,
                    sibling.name
                );
            }
            let text = parameter.text(&plain);
            let value = serde_json::from_str(&text).unwrap_or(json!(text));
            parameter.set(&mut tuning, &value).expect("the default can be written");
            assert_eq!(format!("{tuning:?}"), format!("{plain:?}"), "{}", parameter.name);
        }
    }

    #[test]
    fn names_rise_and_say_what_they_are() {
        assert!(PARAMETERS.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(PARAMETERS.iter().all(|parameter| parameter.about.ends_with('.')));
    }

    /// Every field of the settings structs has a parameter: those that are left alone are named here.
    #[test]
    fn no_field_is_out_of_reach() {
        let mut tuning = Tuning::default();
        for parameter in PARAMETERS {
            let value = other(parameter, &tuning);
            parameter.set(&mut tuning, &value).expect("in range");
        }
        let alone = [
            // Changes only the cost; a test compares the two.
            "every_tick: false",
            // `account.quotas.fargate_vcpus`.
            "fargate_vcpus: None",
            // `ecs.service.scheduler_rate`.
            "per_minute: 500",
        ];
        let words = |tuning: &Tuning| -> Vec<String> {
            let text = format!("{tuning:#?}");
            let lines = text.lines().map(str::trim).filter(|line| !line.ends_with(['{', '(']));
            lines.filter(|line| line.chars().any(char::is_alphanumeric)).map(str::to_owned).collect()
        };
        let (plain, moved) = (words(&Tuning::default()), words(&tuning));
        let fixed: Vec<&String> = plain.iter().filter(|line| moved.contains(line)).collect();
        let known = |line: &&&String| !alone.contains(&line.trim_end_matches(','));
        assert_eq!(fixed.iter().filter(known).count(), 0, "no parameter reaches {fixed:?}");
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let rows = [
            ("ecs.scheduler.tick", json!("0s"), Code::WrongValue),
            ("ecs.scheduler.tick", json!("400d"), Code::WrongValue),
            ("ecs.scheduler.tick", json!(10), Code::MissingUnit),
            ("ecs.agent.pull_attempts", json!(0), Code::WrongValue),
            ("ecs.agent.pull_attempts", json!("many"), Code::NotANumber),
            ("ecs.placement.tie", json!("randm"), Code::UnknownChoice),
            ("ecs.query.and_before_or", json!("yes"), Code::WrongType),
            ("fargate.launch_efficiency", json!("101%"), Code::WrongValue),
            ("ec2.root_volume", json!("1 PiB"), Code::WrongValue),
        ];
        for (name, value, code) in rows {
            let found = parameter(name).expect(name).set(&mut Tuning::default(), &value);
            assert_eq!(found.expect_err(name).code, code, "{name}: {value}");
        }
    }
}
