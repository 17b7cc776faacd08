//! The sheet: everything that a report prints, as plain rows of text and numbers.
//!
//! One sheet is one scenario on one or more platforms. It exists so that reports can be written and
//! tested without a simulation. Knows nothing of simulation, world, files or formats.

use std::sync::Arc;

use crate::base::{Bytes, Cpu, Money, Price, Span, Timestamp, Usage};
use crate::catalog::Basis;

use super::estimate::Estimate;

/// One scenario, run on one or more platforms.
///
/// ```
/// use windtunnel::measure::sheet::{PlatformSheet, Sheet};
/// let platform = PlatformSheet { name: "ecs-ec2".into(), ..PlatformSheet::default() };
/// let sheet = Sheet { scenario: "demo".into(), replications: 1, platforms: vec![platform], ..Sheet::default() };
/// assert_eq!(sheet.platforms[0].total().to_string(), "0"); // an empty bill
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sheet {
    /// The name of the scenario.
    pub scenario: String,
    /// What it is about; may be empty.
    pub about: String,
    /// The AWS region.
    pub region: String,
    /// When the run began, in virtual time.
    pub start: Timestamp,
    /// How long it ran, in virtual time.
    pub run_for: Span,
    /// How many seeds were run on each platform.
    pub replications: usize,
    /// The first seed; the others follow it.
    pub first_seed: u64,
    /// The version of windtunnel.
    pub version: String,
    /// What each figure in [`PlatformSheet::measures`] is, in order.
    pub columns: Vec<MeasureColumn>,
    /// The platforms, in the order of the scenario.
    pub platforms: Vec<PlatformSheet>,
    /// The settings that the runs used.
    pub settings: Vec<SettingLine>,
    /// What no bill holds.
    pub not_billed: Vec<String>,
    /// What the import has approximated, each once.
    pub notes: Vec<String>,
    /// What the import has dropped or doubts.
    pub warnings: Vec<String>,
}

/// One setting that the runs used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingLine {
    /// Its name.
    pub name: String,
    /// Its value, as a scenario would write it.
    pub value: String,
    /// How well it is known.
    pub basis: String,
    /// Whether the scenario sets it.
    pub set: bool,
}

/// What one measure is, without how it is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MeasureColumn {
    /// Its name in files: `start_p99_s`.
    pub name: &'static str,
    /// What people read; two leading spaces make it a part of the line above.
    pub label: &'static str,
    /// Its unit; empty for a count.
    pub unit: &'static str,
    /// How many decimals people read.
    pub decimals: usize,
    /// What it means, in a sentence.
    pub about: &'static str,
}

/// What belongs together in a table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Group {
    /// Money.
    Cost,
    /// From arrival to placement.
    Place,
    /// From arrival to RUNNING.
    Start,
    /// From arrival to ready.
    Ready,
    /// How full the instances are, and how many.
    Capacity,
    /// How many tasks or pods.
    Tasks,
}

impl MeasureColumn {
    /// The group of this measure, which the first word of its name tells.
    ///
    /// ```
    /// use windtunnel::measure::sheet::{MeasureColumn, Group};
    /// let column = MeasureColumn { name: "start_p99_s", label: "p99", unit: "s", decimals: 2, about: "." };
    /// assert_eq!(column.group(), Group::Start);
    /// ```
    pub fn group(&self) -> Group {
        match self.name.split('_').next() {
            Some("cost") => Group::Cost,
            Some("place") => Group::Place,
            Some("start") => Group::Start,
            Some("ready") => Group::Ready,
            Some("running" | "tasks" | "pending" | "preempted") => Group::Tasks,
            Some(_) | None => Group::Capacity,
        }
    }
}

/// One platform: what was measured over all seeds, and the rows of the first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PlatformSheet {
    /// Its name in the scenario.
    pub name: String,
    /// What it is, in a sentence; may be empty.
    pub about: String,
    /// One figure for each of [`Sheet::columns`]; none where there is no such thing.
    pub measures: Vec<Option<Estimate>>,
    /// Whether this is a Kubernetes cluster: then tasks are pods, and instances are nodes.
    pub kubernetes: bool,
    /// One entry per seed.
    pub replications: Vec<Replication>,
    /// The lines of the bill of the first seed.
    pub bill: Vec<ChargeLine>,
    /// The grid of [`series`](Self::series).
    pub series_period: Span,
    /// Values over time, first seed.
    pub series: Vec<SeriesSheet>,
    /// How long tasks took from arrival to RUNNING, all seeds: span, and the share of tasks at or below
    /// it in 1/10,000.
    pub start_distribution: Vec<(Span, u32)>,
    /// One line per workload, all seeds.
    pub workloads: Vec<WorkloadLine>,
    /// Every task or pod of the first seed.
    pub tasks: Vec<TaskLine>,
    /// Why pods waited for a node, first seed.
    pub waiting: Vec<WaitingLine>,
    /// Every machine of the first seed.
    pub nodes: Vec<NodeLine>,
    /// Every event of the first seed, as a user of the orchestrator sees them.
    pub events: Vec<EventLine>,
    /// The digest of all decisions of the first seed.
    pub decision_digest: String,
    /// Digests of the first seed by kind: name, digest.
    pub digests: Vec<(String, String)>,
    /// How many events of the agenda the first seed took.
    pub events_count: u64,
}

/// One seed.
#[derive(Clone, PartialEq, Debug)]
pub struct Replication {
    /// The seed.
    pub seed: u64,
    /// One value for each of [`Sheet::columns`].
    pub values: Vec<Option<f64>>,
    /// The digest of all its decisions.
    pub digest: String,
}

/// One line of a bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChargeLine {
    /// Compute, memory, storage, public IPv4.
    pub component: String,
    /// The pool or the workload that used it.
    pub of: String,
    /// What exactly: the instance type, the Fargate architecture.
    pub what: String,
    /// How much.
    pub usage: Usage,
    /// At which rate; its unit is that of the usage.
    pub rate: Price,
    /// How well the rate is known.
    pub basis: Basis,
    /// Whose figure the rate is; empty when nobody's.
    pub source: String,
    /// The day or month of the rate; empty when not known.
    pub as_of: String,
    /// Usage times rate, rounded once.
    pub amount: Money,
}

/// What one series over time is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeriesColumn {
    /// Its name in files.
    pub name: &'static str,
    /// What people read.
    pub label: &'static str,
    /// Its unit; empty for a count.
    pub unit: &'static str,
    /// How many steps of a point make one unit.
    pub scale: i64,
    /// What it means, in a sentence.
    pub about: &'static str,
}

/// Every series that is kept.
pub const SERIES: [SeriesColumn; 11] = [
    series("cpu_capacity_vcpu", "capacity", "vCPU", CPU, "Registered CPU; of nodes, what pods may request."),
    series("cpu_reserved_vcpu", "reserved", "vCPU", CPU, "CPU that placed tasks or pods have reserved."),
    series(
        "cpu_stranded_vcpu",
        "stranded",
        "vCPU",
        CPU,
        "Free CPU where no task or pod of the plan fits any more.",
    ),
    series(
        "memory_capacity_gib",
        "capacity",
        "GiB",
        MIB,
        "Registered memory; of nodes, what pods may request.",
    ),
    series("memory_reserved_gib", "reserved", "GiB", MIB, "Memory that placed tasks or pods have reserved."),
    series(
        "memory_stranded_gib",
        "stranded",
        "GiB",
        MIB,
        "Free memory where no task or pod of the plan fits any more.",
    ),
    series("instances", "instances", "", 1, "Registered container instances, or nodes that are Ready."),
    series("tasks", "placed", "", 1, "Tasks or pods that are placed and not stopped."),
    series("running", "running", "", 1, "Tasks in RUNNING, or pods that run."),
    series("pending", "pending", "", 1, "Pods that have no node."),
    series(
        "spent_usd",
        "spent",
        "USD",
        DOLLAR,
        "What had been spent by then; minimum charges and rounding excluded.",
    ),
];

/// Points of CPU are in 1/128,000 vCPU.
const CPU: i64 = 128_000;
/// Points of memory are in MiB.
const MIB: i64 = 1024;
/// Points of money are in 1e-10 USD.
const DOLLAR: i64 = 10_000_000_000;

const fn series(
    name: &'static str,
    label: &'static str,
    unit: &'static str,
    scale: i64,
    about: &'static str,
) -> SeriesColumn {
    SeriesColumn { name, label, unit, scale, about }
}

/// One series over time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeriesSheet {
    /// Which of [`SERIES`].
    pub column: SeriesColumn,
    /// The values on the grid from the start of the run on, in steps of the column's scale.
    pub points: Vec<i64>,
}

impl SeriesSheet {
    /// The series of this name; none for a name that is not in [`SERIES`].
    ///
    /// ```
    /// use windtunnel::measure::sheet::SeriesSheet;
    /// let series = SeriesSheet::named("cpu_reserved_vcpu", vec![0, 256_000]).unwrap();
    /// assert_eq!(series.column.unit, "vCPU"); // 256,000 steps are 2 vCPU
    /// assert!(SeriesSheet::named("moon_phase", vec![]).is_none());
    /// ```
    pub fn named(name: &str, points: Vec<i64>) -> Option<SeriesSheet> {
        let column = *SERIES.iter().find(|column| column.name == name)?;
        Some(SeriesSheet { column, points })
    }
}

/// One workload on one platform, over all seeds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WorkloadLine {
    /// Its name in the scenario.
    pub name: String,
    /// Tasks that reached RUNNING.
    pub started: Option<Estimate>,
    /// Tasks that stopped by themselves with an error.
    pub failed: Option<Estimate>,
    /// Tasks that were refused; none for pods.
    pub refused: Option<Estimate>,
    /// Pods without a node at the end; none for tasks.
    pub pending: Option<Estimate>,
    /// Pods that had to make room for others; none for tasks.
    pub preempted: Option<Estimate>,
    /// Seconds from arrival to RUNNING: half of the tasks are faster.
    pub start_p50_s: Option<Estimate>,
    /// Nine of ten are faster.
    pub start_p90_s: Option<Estimate>,
    /// 99 of 100 are faster.
    pub start_p99_s: Option<Estimate>,
    /// The slowest.
    pub start_max_s: Option<Estimate>,
}

/// Pods that waited for one reason, first seed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingLine {
    /// What the scheduler says of them, without counts of nodes.
    pub reason: String,
    /// How many wait at the end of the run.
    pub at_end: u64,
    /// How many did at the worst moment.
    pub most: u64,
}

/// One task or pod; a step that it never took is [`Timestamp::NEVER`]. There may be millions, so that
/// they share their texts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskLine {
    /// Its name.
    pub name: String,
    /// Its workload.
    pub workload: Arc<str>,
    /// EC2 or Fargate; empty for a pod.
    pub launch_type: &'static str,
    /// The instance or node it ran on; empty on Fargate, and for a pod that has none.
    pub node: Arc<str>,
    /// The zone it ran in.
    pub zone: Arc<str>,
    /// The CPU that it reserved.
    pub cpu: Cpu,
    /// The memory that it reserved.
    pub memory: Bytes,
    /// The request, the raise of the desired count, or the end of the task that it replaces.
    pub arrived: Timestamp,
    /// The decision where it runs.
    pub placed: Timestamp,
    /// The first image pull began.
    pub pull_started: Timestamp,
    /// The last image pull ended.
    pub pull_stopped: Timestamp,
    /// It reached RUNNING.
    pub started: Timestamp,
    /// It passed its checks.
    pub ready: Timestamp,
    /// A stop was asked for.
    pub stopping: Timestamp,
    /// It reached STOPPED.
    pub stopped: Timestamp,
    /// The code of why it stopped; empty while it runs.
    pub stop_code: &'static str,
    /// The text of why it stopped.
    pub stop_reason: Arc<str>,
    /// Why a pod waits or waited for a node; empty for one that did not have to.
    pub why: Arc<str>,
}

/// One machine; a step that it never took is [`Timestamp::NEVER`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeLine {
    /// Its name.
    pub name: String,
    /// The pool that bought it.
    pub pool: String,
    /// Its instance type.
    pub instance_type: String,
    /// Its zone.
    pub zone: String,
    /// The CPU that tasks or pods may reserve.
    pub cpu: Cpu,
    /// The memory that they may.
    pub memory: Bytes,
    /// It was asked for.
    pub requested: Timestamp,
    /// EC2 reported it running; billing began.
    pub running: Timestamp,
    /// It registered with the cluster, or was Ready.
    pub registered: Timestamp,
    /// Its termination was accepted; billing ended.
    pub terminated: Timestamp,
}

/// One event as a user of the orchestrator sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventLine {
    /// When it was said, for the first time.
    pub at: Timestamp,
    /// What it is about: the service, or the pod.
    pub of: String,
    /// The workload of that: what comes before the number in the name of a pod.
    pub workload: String,
    /// What it says.
    pub message: String,
    /// The reason of an event of Kubernetes; empty of ECS, which has none.
    pub reason: String,
    /// `Normal` or `Warning`; empty of ECS.
    pub kind: &'static str,
    /// How often it was said.
    pub count: u32,
    /// When it was said last.
    pub last: Timestamp,
}

impl EventLine {
    /// What a service said once.
    pub fn of_service(at: Timestamp, service: &str, message: String) -> Self {
        EventLine {
            at,
            of: service.to_owned(),
            workload: service.to_owned(),
            message,
            reason: String::new(),
            kind: "",
            count: 1,
            last: at,
        }
    }
}

impl EventLine {
    /// The event in one sentence, with what it is about.
    ///
    /// ```
    /// use windtunnel::base::Timestamp;
    /// use windtunnel::measure::sheet::EventLine;
    /// let at = Timestamp::from_nanos(0);
    /// let event = EventLine {
    ///     of: "web-3".into(),
    ///     reason: "Killing".into(),
    ///     count: 2,
    ///     ..EventLine::of_service(at, "web", "Stopping container web".into())
    /// };
    /// assert_eq!(event.told(), "(pod web-3) Killing: Stopping container web (2 times)");
    /// ```
    pub fn told(&self) -> String {
        let EventLine { of, reason, message, count, .. } = self;
        let told =
            if reason.is_empty() { message.clone() } else { format!("(pod {of}) {reason}: {message}") };
        if *count > 1 { format!("{told} ({count} times)") } else { told }
    }
}

impl Sheet {
    /// Whether any of these platforms has a figure for the measure at this place; one that nobody has is not
    /// shown to people.
    pub fn is_measured(&self, platforms: &[PlatformSheet], at: usize) -> bool {
        let has = |platform: &PlatformSheet| platform.measures.get(at).is_some_and(Option::is_some);
        platforms.iter().any(has)
    }

    /// What people read of a measure of these platforms: the tasks of Kubernetes are pods.
    pub fn label(&self, platforms: &[PlatformSheet], at: usize) -> String {
        let has = |platform: &&PlatformSheet| platform.measures.get(at).is_some_and(Option::is_some);
        self.columns[at].label.replace("tasks", things(platforms.iter().filter(has)))
    }
}

/// What runs on these platforms.
///
/// ```
/// use windtunnel::measure::sheet::{PlatformSheet, things};
/// let [ecs, eks] = [false, true].map(|kubernetes| PlatformSheet { kubernetes, ..PlatformSheet::default() });
/// assert_eq!((things([&ecs]), things([&eks]), things([&ecs, &eks])), ("tasks", "pods", "tasks or pods"));
/// ```
pub fn things<'p>(platforms: impl IntoIterator<Item = &'p PlatformSheet>) -> &'static str {
    let (mut tasks, mut pods) = (false, false);
    for platform in platforms {
        *(if platform.kubernetes { &mut pods } else { &mut tasks }) = true;
    }
    match (tasks, pods) {
        (true, true) => "tasks or pods",
        (false, true) => "pods",
        (true | false, false) => "tasks",
    }
}

impl PlatformSheet {
    /// The sum of the bill of the first seed.
    pub fn total(&self) -> Money {
        self.bill.iter().map(|line| line.amount).sum()
    }
}
