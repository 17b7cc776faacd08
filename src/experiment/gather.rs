//! From the outcomes of one platform to its part of the sheet.
//!
//! Names become text here. Knows nothing of formats.

use std::sync::Arc;

use crate::base::hash::Map;
use crate::base::{Name, Row, Span, Symbol};
use crate::control::ecs::events::Names;
use crate::control::ecs::objects::{ContainerInstance, LaunchType, Stop, StoppedTask, TaskDefinition};
use crate::measure::collector::{Measured, TaskCounts, Workload};
use crate::measure::histogram::Spans;
use crate::measure::occupancy::{size_of, size_of_pod};
use crate::measure::sheet::{
    ChargeLine, EventLine, MeasureColumn, NodeLine, PlatformSheet, Replication, SeriesSheet, TaskLine,
    WaitingLine, WorkloadLine,
};
use crate::measure::spent::spent;
use crate::measure::tables::{EventRow, MachineRow, PodEventRow, PodRow, TaskRow};
use crate::measure::{BillLine, Estimate, MEASURES, Outcome, Spelling};
use crate::sim::Plan;
use crate::sim::fact::FactKind;
use crate::sim::kubernetes::PodEnd;

/// Who uses what no pool or workload uses.
const CLUSTER: &str = "cluster";

/// What each figure of a platform is.
pub fn columns() -> Vec<MeasureColumn> {
    MEASURES
        .iter()
        .map(|of| MeasureColumn {
            name: of.name,
            label: of.label,
            unit: of.unit,
            decimals: of.decimals,
            about: of.about,
        })
        .collect()
}

/// One platform: estimates over all outcomes, rows of the first. Panics without an outcome.
pub fn platform(plan: &Plan, about: &str, period: Span, outcomes: &[Outcome]) -> PlatformSheet {
    let first = outcomes.first().expect("one run at least");
    let measured = &first.measured;
    let estimate = |nth: usize| estimate(outcomes, |outcome| outcome.values[nth]);
    let spelling = Spelling::of(plan);
    PlatformSheet {
        name: plan.platform.clone(),
        about: about.to_owned(),
        kubernetes: measured.kubernetes,
        measures: (0..MEASURES.len()).map(estimate).collect(),
        replications: outcomes.iter().map(replication).collect(),
        bill: measured.bill.lines.iter().map(|line| charge(plan, line)).collect(),
        series_period: period,
        series: series(plan, period, first),
        start_distribution: starts(outcomes).cumulative(),
        workloads: workloads(plan, outcomes),
        tasks: tasks(plan, &spelling, first),
        waiting: measured.waiting.reasons().into_iter().map(waiting).collect(),
        nodes: measured.machines.iter().map(|row| node(plan, &spelling, row)).collect(),
        events: events(plan, &spelling, first),
        decision_digest: first.ended.digests.decisions().to_string(),
        digests: FactKind::ALL
            .iter()
            .map(|&(kind, name, _)| (name.to_owned(), first.ended.digests.of(kind).to_string()))
            .collect(),
        events_count: first.ended.counts.events,
    }
}

fn estimate(outcomes: &[Outcome], value: impl Fn(&Outcome) -> Option<f64>) -> Option<Estimate> {
    let values: Vec<f64> = outcomes.iter().filter_map(value).collect();
    Estimate::of(&values)
}

fn replication(outcome: &Outcome) -> Replication {
    let digest = outcome.ended.digests.decisions().to_string();
    Replication { seed: outcome.seed, values: outcome.values.clone(), digest }
}

fn charge(plan: &Plan, line: &BillLine) -> ChargeLine {
    ChargeLine {
        component: line.component.label().to_owned(),
        of: line.of.map_or(CLUSTER, |of| plan.definitions.symbols.text(of)).to_owned(),
        what: line.what.clone(),
        usage: line.usage,
        rate: line.rate.price.value,
        basis: line.rate.price.basis,
        source: line.rate.source.to_owned(),
        as_of: line.rate.as_of.to_owned(),
        amount: line.amount,
    }
}

fn series(plan: &Plan, period: Span, first: &Outcome) -> Vec<SeriesSheet> {
    let occupancy = &first.measured.occupancy;
    let named = [
        ("cpu_capacity_vcpu", &occupancy.cpu.capacity),
        ("cpu_reserved_vcpu", &occupancy.cpu.reserved),
        ("cpu_stranded_vcpu", &occupancy.cpu.stranded),
        ("memory_capacity_gib", &occupancy.memory.capacity),
        ("memory_reserved_gib", &occupancy.memory.reserved),
        ("memory_stranded_gib", &occupancy.memory.stranded),
        ("instances", &occupancy.instances),
        ("tasks", &occupancy.tasks),
        ("running", &occupancy.running),
    ];
    let pending = first.measured.kubernetes.then_some(("pending", &occupancy.pending));
    let sheet = |(name, series): (&str, &crate::measure::series::Series)| {
        SeriesSheet::named(name, series.points().to_vec()).expect("every series is in the table")
    };
    let spent = spent(plan, &first.measured, period, first.ended.at);
    let spent = SeriesSheet::named("spent_usd", spent).expect("every series is in the table");
    named.into_iter().chain(pending).map(sheet).chain([spent]).collect()
}

fn starts(outcomes: &[Outcome]) -> Spans {
    let mut all = Spans::default();
    for outcome in outcomes {
        all.add(&outcome.measured.to_start);
    }
    all
}

fn workloads(plan: &Plan, outcomes: &[Outcome]) -> Vec<WorkloadLine> {
    let mut names: Vec<Symbol> =
        outcomes.iter().flat_map(|outcome| outcome.measured.workloads.keys().copied()).collect();
    names.sort_unstable_by_key(|&name| plan.definitions.symbols.text(name));
    names.dedup();
    names.into_iter().map(|name| workload(plan, name, outcomes)).collect()
}

fn workload(plan: &Plan, name: Symbol, outcomes: &[Outcome]) -> WorkloadLine {
    let of = |value: &dyn Fn(&Workload) -> Option<f64>| {
        estimate(outcomes, |outcome| outcome.measured.workloads.get(&name).and_then(value))
    };
    let count = |kubernetes: Option<bool>, which: fn(&TaskCounts) -> u64| {
        let of = |outcome: &Outcome| {
            let workload = outcome.measured.workloads.get(&name)?;
            #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
            let value = which(&workload.counts) as f64;
            kubernetes.is_none_or(|only| only == outcome.measured.kubernetes).then_some(value)
        };
        estimate(outcomes, of)
    };
    let at = |percentile: f64| of(&|workload| workload.to_start.seconds_at(percentile));
    WorkloadLine {
        name: plan.definitions.symbols.text(name).to_owned(),
        started: count(None, |counts| counts.started),
        failed: count(None, |counts| counts.failed),
        refused: count(Some(false), |counts| counts.refused),
        pending: count(Some(true), |counts| counts.pending),
        preempted: count(Some(true), |counts| counts.preempted),
        start_p50_s: at(50.0),
        start_p90_s: at(90.0),
        start_p99_s: at(99.0),
        start_max_s: at(100.0),
    }
}

fn tasks(plan: &Plan, spelling: &Spelling<'_>, first: &Outcome) -> Vec<TaskLine> {
    let mut texts = Texts::of(plan, spelling);
    let Measured { tasks, pods, .. } = &first.measured;
    let mut lines: Vec<TaskLine> = tasks.iter().map(|row| task(plan, row, &mut texts)).collect();
    lines.extend(pods.iter().map(|row| pod(plan, first, row, &mut texts)));
    lines
}

/// The texts that many tasks share.
struct Texts<'a> {
    plan: &'a Plan,
    spelling: &'a Spelling<'a>,
    symbols: Map<Symbol, Arc<str>>,
    machines: Map<Name, Arc<str>>,
    reasons: Map<Reason, Arc<str>>,
    /// What the words of a run say, by their symbol there.
    words: Map<Symbol, Arc<str>>,
}

/// What a reason is made of: the stop, the definition, the workload and the instance.
type Reason = (Stop, Row<TaskDefinition>, Symbol, Option<Name>);

impl<'a> Texts<'a> {
    fn of(plan: &'a Plan, spelling: &'a Spelling<'a>) -> Self {
        let (symbols, machines, reasons) = (Map::default(), Map::default(), Map::default());
        Texts { plan, spelling, symbols, machines, reasons, words: Map::default() }
    }

    fn symbol(&mut self, symbol: Symbol) -> Arc<str> {
        self.symbols.get_or_insert_with(symbol, || self.spelling.text(symbol).into()).clone()
    }

    fn machine(&mut self, name: Name) -> Arc<str> {
        self.machines.get_or_insert_with(name, || self.spelling.machine(name).into()).clone()
    }

    fn reason(&mut self, stop: Stop, row: &TaskRow) -> Arc<str> {
        let TaskRow { name, definition, instance, .. } = *row;
        let stopped = StoppedTask { definition, name, instance };
        let key = (stop, definition, name.of, instance);
        let text = || stop.reason(&self.plan.definitions, stopped).into();
        self.reasons.get_or_insert_with(key, text).clone()
    }

    fn word(&mut self, first: &Outcome, word: Symbol) -> Arc<str> {
        self.words.get_or_insert_with(word, || first.measured.words.text(word).into()).clone()
    }
}

fn task(plan: &Plan, row: &TaskRow, texts: &mut Texts<'_>) -> TaskLine {
    let times = &row.times;
    let (cpu, memory) = size_of(plan, row.definition, row.launch_type);
    TaskLine {
        name: texts.spelling.named(row.name),
        workload: texts.symbol(row.name.of),
        launch_type: match row.launch_type {
            LaunchType::Ec2 => "EC2",
            LaunchType::Fargate => "FARGATE",
        },
        node: row.instance.map_or_else(Arc::default, |name| texts.machine(name)),
        zone: texts.symbol(row.zone),
        cpu,
        memory,
        arrived: times.arrived,
        placed: times.created,
        pull_started: times.pull_started,
        pull_stopped: times.pull_stopped,
        started: times.started,
        ready: times.ready,
        stopping: times.stopping,
        stopped: times.stopped,
        stop_code: row.stop.map_or("", Stop::code),
        stop_reason: row.stop.map_or_else(Arc::default, |stop| texts.reason(stop, row)),
        why: Arc::default(),
    }
}

fn pod(plan: &Plan, first: &Outcome, row: &PodRow, texts: &mut Texts<'_>) -> TaskLine {
    let (life, times) = (&row.life, &row.life.times);
    let specs = &plan.kubernetes.as_ref().expect("pods are of a cluster").specs;
    let (cpu, memory) = size_of_pod(&specs[life.spec]);
    let reason = |end: PodEnd| end.reason(&specs.symbols).into();
    TaskLine {
        name: texts.spelling.named(life.name),
        workload: texts.symbol(life.name.of),
        launch_type: "",
        node: life.node.map_or_else(Arc::default, |(node, _)| texts.machine(node)),
        zone: life.node.map_or_else(Arc::default, |(_, zone)| texts.symbol(zone)),
        cpu,
        memory,
        arrived: times.created,
        placed: times.bound,
        pull_started: times.pull_started,
        pull_stopped: times.pull_stopped,
        started: times.started,
        ready: times.ready,
        stopping: times.deleted,
        stopped: times.ended,
        stop_code: life.end.map_or("", PodEnd::code),
        stop_reason: life.end.map_or_else(Arc::default, reason),
        why: row.why.map_or_else(Arc::default, |why| texts.word(first, why)),
    }
}

fn waiting(reason: &crate::measure::waiting::Reason) -> WaitingLine {
    WaitingLine { reason: reason.reason.to_string(), at_end: reason.at_end, most: reason.most }
}

fn node(plan: &Plan, spelling: &Spelling<'_>, row: &MachineRow) -> NodeLine {
    let class = &plan.definitions[row.class];
    let text = |symbol: Symbol| plan.definitions.symbols.text(symbol).to_owned();
    NodeLine {
        name: spelling.machine(row.name),
        pool: text(row.name.of),
        instance_type: text(class.instance_type),
        zone: text(class.zone),
        cpu: row.cpu,
        memory: row.memory,
        requested: row.requested,
        running: row.running,
        registered: row.registered,
        terminated: row.terminated,
    }
}

/// Spells what the events of one service name.
struct Spelled<'a> {
    spelling: &'a Spelling<'a>,
    service: Symbol,
    instances: &'a [Name],
}

impl Names for Spelled<'_> {
    fn task(&self, serial: u64) -> String {
        self.spelling.named(Name { of: self.service, serial })
    }

    fn instance(&self, row: Row<ContainerInstance>) -> String {
        self.instances.get(row.index()).map_or(String::new(), |&name| self.spelling.machine(name))
    }
}

/// What services said and what was said of pods, in the order of time.
fn events(plan: &Plan, spelling: &Spelling<'_>, first: &Outcome) -> Vec<EventLine> {
    let service = |row: &EventRow| {
        let names = Spelled { spelling, service: row.service, instances: &first.measured.instances };
        let of = plan.definitions.symbols.text(row.service);
        EventLine::of_service(row.at, of, format!("(service {of}) {}", row.message.text(&names)))
    };
    let pod = |row: &PodEventRow| EventLine {
        at: row.first,
        of: spelling.named(row.pod),
        workload: spelling.text(row.pod.of).to_owned(),
        message: first.measured.words.text(row.note).to_owned(),
        reason: first.measured.words.text(row.reason).to_owned(),
        kind: if row.warning { "Warning" } else { "Normal" },
        count: row.count,
        last: row.last,
    };
    let Measured { events, pod_events, .. } = &first.measured;
    events.iter().map(service).chain(pod_events.iter().map(pod)).collect()
}
