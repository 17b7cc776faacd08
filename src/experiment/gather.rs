//! From the outcomes of one platform to its part of the sheet.
//!
//! Names become text here. Knows nothing of formats.

use std::sync::Arc;

use crate::base::hash::Map;
use crate::base::{Name, Row, Span, Symbol};
use crate::control::ecs::events::Names;
use crate::control::ecs::objects::{ContainerInstance, LaunchType, Stop, StoppedTask, TaskDefinition};
use crate::measure::collector::Workload;
use crate::measure::histogram::Spans;
use crate::measure::occupancy::size_of;
use crate::measure::sheet::{
    ChargeLine, EventLine, MeasureColumn, NodeLine, PlatformSheet, Replication, SeriesSheet, TaskLine,
    WorkloadLine,
};
use crate::measure::spent::spent;
use crate::measure::tables::TaskRow;
use crate::measure::{Estimate, MEASURES, Outcome};
use crate::sim::Plan;
use crate::sim::fact::FactKind;

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
    PlatformSheet {
        name: plan.platform.clone(),
        about: about.to_owned(),
        measures: (0..MEASURES.len()).map(estimate).collect(),
        replications: outcomes.iter().map(replication).collect(),
        bill: measured.bill.lines.iter().map(|line| charge(plan, line)).collect(),
        series_period: period,
        series: series(plan, period, first),
        start_distribution: starts(outcomes).cumulative(),
        workloads: workloads(plan, outcomes),
        tasks: tasks(plan, &measured.tasks),
        nodes: measured.machines.iter().map(|row| node(plan, row)).collect(),
        events: events(plan, first),
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

fn charge(plan: &Plan, line: &crate::measure::BillLine) -> ChargeLine {
    ChargeLine {
        component: line.component.label().to_owned(),
        of: plan.definitions.symbols.text(line.of).to_owned(),
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
    let sheet = |(name, series): (&str, &crate::measure::series::Series)| {
        SeriesSheet::named(name, series.points().to_vec()).expect("every series is in the table")
    };
    let spent = spent(plan, &first.measured, period, first.ended.at);
    let spent = SeriesSheet::named("spent_usd", spent).expect("every series is in the table");
    named.into_iter().map(sheet).chain([spent]).collect()
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
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    let count = |count: u64| Some(count as f64);
    let at = |percentile: f64| of(&|workload| workload.to_start.seconds_at(percentile));
    WorkloadLine {
        name: plan.definitions.symbols.text(name).to_owned(),
        started: of(&|workload| count(workload.counts.started)),
        failed: of(&|workload| count(workload.counts.failed)),
        refused: of(&|workload| count(workload.counts.refused)),
        start_p50_s: at(50.0),
        start_p90_s: at(90.0),
        start_p99_s: at(99.0),
        start_max_s: at(100.0),
    }
}

/// `web-3`.
pub fn named(plan: &Plan, name: Name) -> String {
    format!("{}-{}", plan.definitions.symbols.text(name.of), name.serial)
}

fn tasks(plan: &Plan, rows: &[TaskRow]) -> Vec<TaskLine> {
    let mut texts = Texts::default();
    rows.iter().map(|row| task(plan, row, &mut texts)).collect()
}

/// The texts that many tasks share.
#[derive(Default)]
struct Texts {
    symbols: Map<Symbol, Arc<str>>,
    names: Map<Name, Arc<str>>,
    /// By what a reason is made of.
    reasons: Map<(Stop, Row<TaskDefinition>, Symbol, Option<Name>), Arc<str>>,
}

impl Texts {
    fn symbol(&mut self, plan: &Plan, symbol: Symbol) -> Arc<str> {
        self.symbols.get_or_insert_with(symbol, || plan.definitions.symbols.text(symbol).into()).clone()
    }

    fn name(&mut self, plan: &Plan, name: Name) -> Arc<str> {
        self.names.get_or_insert_with(name, || named(plan, name).into()).clone()
    }

    fn reason(&mut self, plan: &Plan, stop: Stop, row: &TaskRow) -> Arc<str> {
        let TaskRow { name, definition, instance, .. } = *row;
        let stopped = StoppedTask { definition, name, instance };
        let key = (stop, definition, name.of, instance);
        self.reasons.get_or_insert_with(key, || stop.reason(&plan.definitions, stopped).into()).clone()
    }
}

fn task(plan: &Plan, row: &TaskRow, texts: &mut Texts) -> TaskLine {
    let times = &row.times;
    let (cpu, memory) = size_of(plan, row.definition, row.launch_type);
    TaskLine {
        name: named(plan, row.name),
        workload: texts.symbol(plan, row.name.of),
        launch_type: match row.launch_type {
            LaunchType::Ec2 => "EC2",
            LaunchType::Fargate => "FARGATE",
        },
        node: row.instance.map_or_else(Arc::default, |name| texts.name(plan, name)),
        zone: texts.symbol(plan, row.zone),
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
        stop_reason: row.stop.map_or_else(Arc::default, |stop| texts.reason(plan, stop, row)),
    }
}

fn node(plan: &Plan, row: &crate::measure::tables::MachineRow) -> NodeLine {
    let class = &plan.definitions[row.class];
    let text = |symbol: Symbol| plan.definitions.symbols.text(symbol).to_owned();
    NodeLine {
        name: named(plan, row.name),
        pool: text(row.name.of),
        instance_type: text(class.instance_type),
        zone: text(class.zone),
        cpu: class.cpu,
        memory: class.memory,
        requested: row.requested,
        running: row.running,
        registered: row.registered,
        terminated: row.terminated,
    }
}

/// Spells what the events of one service name.
struct Spelled<'a> {
    plan: &'a Plan,
    service: Symbol,
    instances: &'a [Name],
}

impl Names for Spelled<'_> {
    fn task(&self, serial: u64) -> String {
        named(self.plan, Name { of: self.service, serial })
    }

    fn instance(&self, row: Row<ContainerInstance>) -> String {
        self.instances.get(row.index()).map_or(String::new(), |&name| named(self.plan, name))
    }
}

fn events(plan: &Plan, first: &Outcome) -> Vec<EventLine> {
    let event = |row: &crate::measure::tables::EventRow| {
        let names = Spelled { plan, service: row.service, instances: &first.measured.instances };
        let of = plan.definitions.symbols.text(row.service);
        EventLine {
            at: row.at,
            of: of.to_owned(),
            message: format!("(service {of}) {}", row.message.text(&names)),
        }
    };
    first.measured.events.iter().map(event).collect()
}
