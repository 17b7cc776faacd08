//! Traces: a stated trace and what the first pass found become task requests, one for each size.
//!
//! Opens no file: the caller brings the pass.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Lowering;
use crate::base::{Bytes, Cpu, EntityKey, Row, Span};
use crate::catalog::fargate;
use crate::control::ecs::objects::{FargateShape, TaskDefinition, TaskRequest};
use crate::scenario::codes::Code;
use crate::scenario::diagnostic::{Diagnostic, Severity};
use crate::scenario::schema::{
    Arrival, LaunchType, Retry as StatedRetry, Scenario, Spacing, Trace, TraceFormat,
};
use crate::scenario::text::Placed;
use crate::sim::plan::{Replay, Retry};
use crate::workload::trace::{Fault, scan};
use crate::workload::trace::{FaultKind, Format, Pace, Pass, RateColumns, Shape, Size, TraceSource};

/// One interval of a rate, and one unit of its time, last at most this long.
const INTERVAL_MAX: Span = Span::seconds(366 * 86_400);

/// A trace that was read once.
#[derive(Clone, Debug)]
pub struct Traced {
    /// Where its bytes come from.
    pub source: Arc<dyn TraceSource>,
    /// What the first pass found.
    pub pass: Pass,
}

/// The traces of a scenario, by the name of their arrivals.
pub type Traces = BTreeMap<String, Traced>;

/// What is read of a stated trace.
///
/// # Errors
/// Keys that a format needs, or has no use for.
fn shape(stated: &Placed<Trace>) -> Result<Shape, Vec<Diagnostic>> {
    let mut wrong = Vec::new();
    let format = match stated.format.value {
        TraceFormat::AzureVm => Format::AzureVm,
        TraceFormat::LcgJob => Format::LcgJob,
        TraceFormat::DlrmContainer => Format::DlrmContainer,
        TraceFormat::Rate => Format::Rate(rate_columns(&stated.value, &mut wrong)),
    };
    if stated.format.value != TraceFormat::Rate {
        wrong.extend(rate_keys(&stated.value).into_iter().flatten().map(|(key, place)| {
            let message = format!("{key} means nothing for a trace of the format {}", format.name());
            Diagnostic::new(Code::WrongValue, place, message).hint("only `format: rate` has it")
        }));
    }
    let only = stated.only.iter().map(|(column, text)| (column.value.clone(), text.value.clone())).collect();
    if wrong.is_empty() { Ok(Shape { format, only, skip: stated.skip }) } else { Err(wrong) }
}

/// The first pass over a stated trace, as far as the scenario will reach. Up to `skipped_max` rows that
/// mean nothing are let pass.
///
/// # Errors
/// Everything that is wrong with it.
pub fn first_pass(
    scenario: &Scenario,
    stated: &Arrival,
    source: &Arc<dyn TraceSource>,
    skipped_max: u64,
) -> Result<Traced, Vec<Diagnostic>> {
    let trace = stated.trace.as_ref().expect("only arrivals with a trace are passed");
    let until = stated.until.as_ref().map_or(scenario.run_for.value, |until| until.value);
    let until = until.min(scenario.run_for.value);
    let within = until.saturating_sub(stated.from.unwrap_or(Span::ZERO));
    let named = |fault: &Fault, code| {
        let message = format!("{}:{}: {}", source.name(), fault.line, fault.message);
        Diagnostic::new(code, trace.file.place, message)
    };
    let pass = scan(source.as_ref(), &shape(trace)?, within).map_err(|fault| {
        vec![match fault.kind {
            FaultKind::Header => named(&fault, Code::TraceColumns),
            FaultKind::Broken => named(&fault, Code::TraceBroken)
                .hint("the file is damaged or no table; fetch or make it again"),
            FaultKind::Row => named(&fault, Code::TraceRow),
            FaultKind::TooLarge => named(&fault, Code::TooManyTasks),
        }]
    })?;
    if pass.bad > skipped_max {
        let mut wrong: Vec<Diagnostic> =
            pass.faults.iter().map(|fault| named(fault, Code::TraceRow)).collect();
        let message =
            format!("{}: {} of {} rows mean nothing", source.name(), pass.bad, pass.bad + pass.rows);
        let all = Diagnostic::new(Code::TraceRow, trace.file.place, message);
        wrong.push(all.hint(format!("--skip-bad-rows {} goes on without them", pass.bad)));
        return Err(wrong);
    }
    Ok(Traced { source: Arc::clone(source), pass })
}

impl Lowering<'_> {
    /// The requests of a trace: `base` in each of its sizes. None when something is wrong.
    pub(super) fn replay(
        &mut self,
        name: &Placed<String>,
        stated: &Arrival,
        trace: &Placed<Trace>,
        base: &TaskRequest,
    ) -> Option<Replay> {
        let Some(Traced { source, pass }) = self.traces.get(name.as_str()).cloned() else {
            let message = format!("the trace of {} was not read", name.value);
            self.wrong(Diagnostic::new(Code::CannotRead, trace.file.place, message));
            return None;
        };
        let shape = match shape(trace) {
            Ok(shape) => shape,
            Err(wrong) => {
                self.found.extend(wrong);
                return None;
            }
        };
        self.tell_of_trace(name, trace, &shape, &pass);
        let from = self.start.checked_add(stated.from.unwrap_or(Span::ZERO)).unwrap_or(self.end);
        let until =
            stated.until.as_ref().and_then(|until| self.start.checked_add(until.value)).unwrap_or(self.end);
        let per_task = trace.per_task.as_ref().map_or(1, |count| count.value);
        let requests = self.sized(trace, &pass, base)?;
        Some(Replay {
            name: base.name,
            key: EntityKey::new("trace", name, 0),
            source,
            shape,
            pace: match trace.spacing.as_ref().map(|spacing| spacing.value) {
                None | Some(Spacing::Even) => Pace::even(per_task),
                Some(Spacing::Poisson) => Pace::poisson(per_task),
            },
            hash: pass.hash,
            from,
            until: until.min(self.end),
            requests,
        })
    }

    /// What happened to the trace on its way into the run.
    fn tell_of_trace(&mut self, name: &Placed<String>, trace: &Placed<Trace>, shape: &Shape, pass: &Pass) {
        let mut note = |code, message: String| {
            let told = Diagnostic::new(code, trace.file.place, message);
            self.found.push(Diagnostic { severity: Severity::Note, ..told });
        };
        let (file, format) = (&trace.file.value, shape.format.name());
        note(
            Code::Unmodelled,
            format!("{name}, a trace of {format}: {}", shape.format.not_modelled(), name = name.value),
        );
        let asked = if pass.requests > 0 {
            format!("{} requests", pass.requests)
        } else {
            format!("{} tasks of {} sizes", pass.tasks, pass.sizes.len())
        };
        let mut message = format!("{file}: {} rows, {asked}, over {}", pass.rows, pass.last);
        for (count, what) in [
            (pass.passed_over, "rows passed over by `only` and `skip`"),
            (pass.late, "rows after the end"),
            (pass.bad, "bad rows left out"),
        ] {
            if count > 0 {
                message = format!("{message}; {count} {what}");
            }
        }
        note(Code::TraceSummary, message);
    }

    /// A request for each size, in the order of the sizes.
    fn sized(
        &mut self,
        trace: &Placed<Trace>,
        pass: &Pass,
        base: &TaskRequest,
    ) -> Option<Vec<(Size, Row<TaskRequest>)>> {
        let mut requests = Vec::new();
        let rate = (pass.sizes.is_empty()).then_some(Size::default());
        for size in pass.sizes.keys().copied().chain(rate) {
            let definition = self.resized(trace, base.task_definition, size)?;
            self.definitions.requests.push(TaskRequest {
                task_definition: definition,
                count: 1,
                ..base.clone()
            });
            requests.push((size, Row::at(self.definitions.requests.len() - 1)));
        }
        Some(requests)
    }

    /// A task definition with the size of `RunTask` overrides (`cpu`, `memory`, GPUs of a container).
    fn resized(
        &mut self,
        trace: &Placed<Trace>,
        row: Row<TaskDefinition>,
        size: Size,
    ) -> Option<Row<TaskDefinition>> {
        if size == Size::default() {
            return Some(row);
        }
        let mut definition = self.definitions[row].clone();
        let reservation = &mut definition.reservation;
        reservation.cpu = size.cpu.unwrap_or(reservation.cpu);
        reservation.memory = size.memory.unwrap_or(reservation.memory);
        reservation.gpus = size.gpus.unwrap_or(reservation.gpus);
        if self.ecs().launch_type == LaunchType::Fargate {
            let (cpu, memory) = (reservation.cpu, reservation.memory);
            let Some(sold) = sold(cpu, memory).filter(|_| reservation.gpus == 0) else {
                let message =
                    format!("Fargate sells no task of {cpu} and {memory} with {} GPUs", reservation.gpus);
                self.wrong(Diagnostic::new(Code::FargateSize, trace.file.place, message));
                return None;
            };
            if sold != (cpu, memory) {
                let message =
                    format!("a task of {cpu} and {memory} gets {} and {} on Fargate", sold.0, sold.1);
                let told = Diagnostic::new(Code::Approximated, trace.file.place, message);
                self.found.push(Diagnostic { severity: Severity::Note, ..told });
            }
            (reservation.cpu, reservation.memory) = sold;
            let shape = definition.fargate?;
            definition.fargate = Some(FargateShape { cpu: sold.0, memory: sold.1, ..shape });
        }
        self.definitions.tasks.push(definition);
        Some(Row::at(self.definitions.tasks.len() - 1))
    }

    /// What callers do whose call failed.
    pub(super) fn retry(&mut self, stated: &StatedRetry) -> Option<Retry> {
        if stated.every.value == Span::ZERO {
            let message = "a caller that waits no time between two calls never lets go";
            self.wrong(Diagnostic::new(Code::WrongValue, stated.every.place, message));
            return None;
        }
        Some(Retry { every: stated.every.value, within: stated.within })
    }
}

/// The smallest size that Fargate sells and that holds this one.
fn sold(cpu: Cpu, memory: Bytes) -> Option<(Cpu, Bytes)> {
    let sizes = fargate::sizes().iter();
    let amounts =
        sizes.map(|size| (Cpu::ecs_units(i64::from(size.cpu_units)), Bytes::mib(i64::from(size.memory_mib))));
    amounts.filter(|sold| sold.0 >= cpu && sold.1 >= memory).min()
}

/// The columns of a rate, with a complaint about each that is missing.
fn rate_columns(stated: &Trace, wrong: &mut Vec<Diagnostic>) -> RateColumns {
    let mut need = |missing: bool, key: &str, example: &str| {
        if missing {
            let message = format!("a trace of the format rate needs the key {key}");
            wrong.push(
                Diagnostic::new(Code::MissingKey, stated.format.place, message)
                    .hint(format!("add `{example}`")),
            );
        }
    };
    need(stated.time.is_none(), "time", "time: unix_s");
    need(stated.value.is_none(), "value", "value: requests");
    need(stated.per_task.is_none(), "per_task", "per_task: 10000");
    let zero = [(&stated.time_unit, "time_unit"), (&stated.interval, "interval")];
    for (span, key) in zero {
        if let Some(span) = span.as_ref().filter(|span| span.value == Span::ZERO || span.value > INTERVAL_MAX)
        {
            let message =
                format!("{key} is {}, where more than 0s and up to {INTERVAL_MAX} is wanted", span.value);
            wrong.push(Diagnostic::new(Code::WrongValue, span.place, message));
        }
    }
    if let Some(count) = stated.per_task.as_ref().filter(|count| count.value == 0) {
        wrong.push(Diagnostic::new(
            Code::WrongValue,
            count.place,
            "a task for no request is a task without end",
        ));
    }
    let text = |word: &Option<Placed<String>>| word.as_ref().map_or(String::new(), |word| word.value.clone());
    let unit = stated.time_unit.as_ref().map_or(Span::SECOND, |unit| unit.value);
    let interval = stated.interval.as_ref().map_or(unit, |interval| interval.value);
    RateColumns { time: text(&stated.time), unit, interval, value: text(&stated.value) }
}

/// The keys that only a rate has, where they stand.
fn rate_keys(stated: &Trace) -> [Option<(&'static str, crate::scenario::Place)>; 6] {
    [
        stated.time.as_ref().map(|word| ("time", word.place)),
        stated.time_unit.as_ref().map(|span| ("time_unit", span.place)),
        stated.interval.as_ref().map(|span| ("interval", span.place)),
        stated.value.as_ref().map(|word| ("value", word.place)),
        stated.per_task.as_ref().map(|count| ("per_task", count.place)),
        stated.spacing.as_ref().map(|word| ("spacing", word.place)),
    ]
}
