//! Demand: request files and arrivals become definitions, services and processes.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Lowering;
use crate::base::hash::Map;
use crate::base::{EntityKey, Row, Span, Symbol, Timestamp};
use crate::control::ecs::api::{self, ApiError, Cluster, Contents, CreateCluster, ErrorKind, Known, RunTask};
use crate::control::ecs::objects::{Definitions, ServiceDefinition, TaskRequest};
use crate::control::ecs::task_definition::{Families, all_errors};
use crate::engine::Quantiles;
use crate::mark;
use crate::scenario::codes::Code;
use crate::scenario::diagnostic::{Diagnostic, Severity, Source};
use crate::scenario::import::{self, Call, Origin, Replaced, Understood};
use crate::scenario::schema::{Arrival as Stated, Trace, TraceFormat};
use crate::scenario::text::Placed;
use crate::sim::plan::{Arrival, Replay, Retry};
use crate::workload::Arrivals;

/// The calls of one process in a run: each leaves at least one task in the tables.
const CALLS_MAX: u64 = 20_000_000;

/// What is asked for, and when.
#[derive(Default)]
pub(super) struct Demand {
    pub(super) services: Vec<(Timestamp, Row<ServiceDefinition>)>,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) traces: Vec<Replay>,
    pub(super) takes: Map<Symbol, Quantiles>,
    pub(super) retries: Map<Symbol, Retry>,
}

/// What requests may refer to, as it grows.
struct Account {
    clusters: Vec<Cluster>,
    families: Families,
    /// What was asked for in each cluster, by its name.
    contents: BTreeMap<String, Contents>,
    /// The first request of each client token.
    tokens: BTreeMap<String, RunTask>,
}

impl Account {
    /// What was asked for in the cluster that a request names.
    fn contents(&mut self, named: Option<&str>) -> &mut Contents {
        let name = named.unwrap_or("default").rsplit('/').next().unwrap_or("default");
        self.contents.entry(name.to_owned()).or_default()
    }

    /// A client token stands for one request.
    fn check_token(&mut self, request: &RunTask) -> Result<(), ApiError> {
        let Some(token) = &request.client_token else { return Ok(()) };
        mark!("RT-02");
        if self.tokens.entry(token.clone()).or_insert_with(|| request.clone()) == request {
            return Ok(());
        }
        let words = "The client token was used before with other parameters.";
        Err(ApiError::new(ErrorKind::ConflictException, "clientToken", words))
    }
}

impl Lowering<'_> {
    /// Reads the request files in order, then the arrivals of the scenario.
    pub(super) fn demand(&mut self, files: &[Rc<Source>]) -> Demand {
        let default =
            api::cluster::create(&CreateCluster::default()).expect("the default cluster needs nothing");
        let mut account = Account {
            clusters: vec![default],
            families: Families::new(self.calibration.tuning.rules),
            contents: BTreeMap::new(),
            tokens: BTreeMap::new(),
        };
        let mut demand = Demand::default();
        let at = self.start.checked_add(self.ecs().requests_at).unwrap_or(self.end);
        if files.is_empty() {
            let pattern = &self.ecs().requests;
            let message = format!("no file matches {:?}", pattern.value);
            self.wrong(Diagnostic::new(Code::NothingMatches, pattern.place, message));
        }
        let (mut found, replaced) = (std::mem::take(&mut self.found), self.replaced());
        let calls: Vec<Call> =
            files.iter().flat_map(|file| import::requests(file, Some(replaced), &mut found)).collect();
        self.found = found;
        Self::name_clusters(&calls, &mut account);
        for call in &calls {
            if let Err(error) = self.call(call, at, &mut account, &mut demand) {
                self.found.push(call.at.refusal(&error));
            }
        }
        self.rename_requests();
        for (name, stated) in &self.scenario.arrivals {
            self.arrival(name, stated, &mut account, &mut demand);
        }
        self.hush_consequences();
        demand
    }

    /// What a wrong request would have registered is not missed as well.
    fn hush_consequences(&mut self) {
        let consequence = |each: &Diagnostic| each.code == Code::UnknownFamily;
        if self.found.iter().any(|each| each.severity == Severity::Error && !consequence(each)) {
            self.found.retain(|each| !consequence(each));
        }
    }

    /// Clusters that requests name without creating them exist: files are often parts of more.
    fn name_clusters(calls: &[Call], account: &mut Account) {
        let named = calls.iter().filter_map(|call| match &call.request {
            Understood::CreateService(request) => request.cluster.as_deref(),
            Understood::RunTask(request) => request.cluster.as_deref(),
            Understood::StartTask(request) => request.cluster.as_deref(),
            Understood::Register(_) | Understood::CreateCluster(_) | Understood::DeleteCluster(_) => None,
        });
        for name in named {
            create_cluster(name, account);
        }
    }

    fn call(
        &mut self,
        call: &Call,
        at: Timestamp,
        account: &mut Account,
        demand: &mut Demand,
    ) -> Result<(), ApiError> {
        match &call.request {
            Understood::Register(request) => {
                let errors = all_errors(request, account.families.rules());
                if errors.is_empty() {
                    account.families.register(request, &mut self.definitions)?;
                } else {
                    self.found.extend(errors.iter().map(|error| call.at.refusal(error)));
                }
            }
            Understood::CreateCluster(request) => {
                let cluster = api::cluster::create(request)?;
                account.clusters.retain(|known| known.name != cluster.name);
                account.clusters.push(cluster);
            }
            Understood::DeleteCluster(request) => {
                let instances = self.ecs().pools.values().map(|pool| pool.count.value).sum();
                let contents = Contents { instances, ..*account.contents(request.cluster.as_deref()) };
                api::cluster::delete(request, contents, &mut account.clusters)?;
            }
            Understood::CreateService(request) => {
                let known = known(account, &self.zones, at);
                let service = api::service::create(request, &known, &mut self.definitions)?;
                let quota = self.quotas.tasks_per_service;
                if service.desired_count > quota {
                    let words = format!(
                        "{} tasks are more than the quota of {quota} tasks per service.",
                        service.desired_count
                    );
                    return Err(ApiError::invalid("desiredCount", words));
                }
                if self.definitions.services.iter().any(|known| known.name == service.name) {
                    return Err(ApiError::invalid("serviceName", "Creation of service was not idempotent."));
                }
                self.definitions.services.push(service);
                account.contents(request.cluster.as_deref()).services += 1;
                demand.services.push((at, Row::at(self.definitions.services.len() - 1)));
            }
            Understood::RunTask(request) => {
                let name = family(request.task_definition.as_deref());
                account.check_token(request)?;
                account.contents(request.cluster.as_deref()).tasks += 1;
                let known = known(account, &self.zones, at);
                let request = api::request::run(request, name, &known, &mut self.definitions)?;
                self.once(request, at, demand);
            }
            Understood::StartTask(request) => {
                let name = family(request.task_definition.as_deref());
                account.contents(request.cluster.as_deref()).tasks += 1;
                let known = known(account, &self.zones, at);
                let request = api::request::start(request, name, &known, &mut self.definitions)?;
                self.once(request, at, demand);
            }
        }
        Ok(())
    }

    /// Tasks are called by their service or request: a request of the requests files that is called like
    /// a service gets another name.
    fn rename_requests(&mut self) {
        let Definitions { services, requests, symbols, .. } = &mut self.definitions;
        for request in requests {
            while services.iter().any(|service| service.name == request.name) {
                let name = format!("{}-run", symbols.text(request.name));
                request.name = symbols.intern(&name);
            }
        }
    }

    /// Whether tasks are called so already.
    fn is_taken(&self, name: &str) -> bool {
        let Some(name) = self.definitions.symbols.find(name) else { return false };
        self.definitions.services.iter().any(|service| service.name == name)
            || self.definitions.requests.iter().any(|request| request.name == name)
    }

    /// A request that is made once.
    fn once(&mut self, request: TaskRequest, at: Timestamp, demand: &mut Demand) {
        let name = self.definitions.symbols.text(request.name);
        let key = EntityKey::new("arrivals", name, demand.arrivals.len() as u64);
        self.definitions.requests.push(request);
        demand.arrivals.push(Arrival {
            arrivals: Arrivals {
                key,
                gaps: Quantiles::constant(0).into(),
                first: at,
                until: self.end,
                count_max: 1,
            },
            request: Row::at(self.definitions.requests.len() - 1),
        });
    }

    fn arrival(
        &mut self,
        name: &Placed<String>,
        stated: &Stated,
        account: &mut Account,
        demand: &mut Demand,
    ) {
        if self.is_taken(name) {
            let message =
                format!("a service or a request of the request files is called {:?} too", name.value);
            let wrong = Diagnostic::new(Code::WrongValue, name.place, message);
            self.wrong(wrong.hint("tasks are called by it, so give this one another name"));
            return;
        }
        self.check_pod_keys(stated);
        let Some(run_task) = &stated.run_task else {
            return self.lacks(name, "run_task", "ECS", "{ taskDefinition: ... }");
        };
        let at = Origin::inline(run_task.place);
        let (mut found, replaced) = (std::mem::take(&mut self.found), self.replaced());
        let request = import::inline_run_task(run_task.value.clone(), &at, replaced, &mut found);
        self.found = found;
        self.check_end(name, stated);
        let process = self.occasion(name, stated);
        let (Some(request), Some(process)) = (request, process) else { return };
        if let Err(error) = account.check_token(&request) {
            self.found.push(at.refusal(&error));
        }
        if let Some(cluster) = request.cluster.as_deref() {
            create_cluster(cluster, account);
        }
        let begins = after(self, begins(stated));
        let known = known(account, &self.zones, begins);
        let request = match api::request::run(&request, name, &known, &mut self.definitions) {
            Ok(request) => request,
            Err(error) => return self.found.push(at.refusal(&error)),
        };
        if let Some(takes) = &stated.takes {
            demand.takes.insert(request.name, takes.quantiles());
        }
        if let Some(retry) = stated.retry.as_ref().and_then(|retry| self.retry(retry)) {
            demand.retries.insert(request.name, retry);
        }
        match process {
            Occasion::Trace(trace) => demand.traces.extend(self.replay(name, stated, trace, &request)),
            Occasion::Process(arrivals) => {
                self.check_calls(name, stated, &arrivals);
                self.definitions.requests.push(request);
                let request = Row::at(self.definitions.requests.len() - 1);
                demand.arrivals.push(Arrival { arrivals, request });
            }
        }
    }

    /// A rate that is calls without end within the run is refused before it fills the memory.
    pub(super) fn check_calls(&mut self, name: &Placed<String>, stated: &Stated, arrivals: &Arrivals) {
        let Arrivals { first, until, count_max, .. } = *arrivals;
        if count_max > 0 && first >= until && end_before_begin(stated).is_none() {
            let message = format!("{} never arrives: its first call is after the end", name.value);
            self.found.push(Diagnostic::new(Code::Unused, name.place, message));
        }
        let gap = stated.every.as_ref().map_or(Span::ZERO, |every| every.least_gap());
        let length = if first < until { until.since(first) } else { Span::ZERO };
        let within = length.as_nanos().checked_div(gap.as_nanos()).unwrap_or(u64::MAX);
        let calls = if stated.at.is_some() { count_max } else { within.min(count_max) };
        let calls = calls.saturating_mul(u64::from(stated.pods.map_or(1, |pods| pods.value)));
        if calls > CALLS_MAX {
            let place = stated.every.as_ref().map_or(name.place, |every| every.place);
            let what = if stated.pods.is_some() { "pods" } else { "calls" };
            let message = format!("{} makes {calls} {what}, and a run holds at most {CALLS_MAX}", name.value);
            self.wrong(Diagnostic::new(Code::TooManyTasks, place, message));
        }
    }

    /// What begins must begin before it ends.
    pub(super) fn check_end(&mut self, name: &Placed<String>, stated: &Stated) {
        if let Some(until) = end_before_begin(stated) {
            let message = format!("{} ends before it begins", name.value);
            self.wrong(Diagnostic::new(Code::CapacityBounds, until.place, message));
        }
    }

    fn replaced(&self) -> Replaced<'_> {
        let strategy = self.ecs().placement_strategy.as_ref().map(|strategy| &strategy.value);
        Replaced { launch_type: self.ecs().launch_type, strategy }
    }

    /// When it is asked for: exactly one of `at`, `every` and `trace` says so.
    pub(super) fn occasion<'s>(&mut self, name: &Placed<String>, stated: &'s Stated) -> Option<Occasion<'s>> {
        let (start, end) = (after(self, Span::ZERO), self.end);
        let after = |span: Span| start.checked_add(span).unwrap_or(end);
        let from = after(from(stated));
        let most = stated.calls.as_ref().map(|calls| calls.value);
        let (gaps, first, count_max) = match (&stated.at, &stated.every, &stated.trace) {
            (Some(at), None, None) => {
                (Some(Quantiles::constant(0).into()), after(at.value), most.unwrap_or(1))
            }
            (None, Some(every), None) => {
                if every.least_gap() == Span::ZERO {
                    let message = "more than one call per nanosecond";
                    self.wrong(Diagnostic::new(Code::TooManyTasks, every.place, message));
                    return None;
                }
                (every.gaps(), from, most.unwrap_or(u64::MAX))
            }
            (None, None, Some(trace)) => {
                self.check_trace_keys(stated, trace);
                return Some(Occasion::Trace(trace));
            }
            (None, None, None) => {
                let message = format!("{} says not when it arrives", name.value);
                let wrong = Diagnostic::new(Code::MissingKey, name.place, message);
                self.wrong(wrong.hint("add `at: 5m`, or `every: { poisson: 6/h }`"));
                return None;
            }
            (at, every, trace) => {
                let places = [
                    at.as_ref().map(|at| at.place),
                    every.as_ref().map(|every| every.place),
                    trace.as_ref().map(|trace| trace.place),
                ];
                let said: Vec<&str> = ["`at`", "`every`", "`trace`"]
                    .into_iter()
                    .zip(places)
                    .filter_map(|(word, place)| place.map(|_| word))
                    .collect();
                let message = format!("{} has both {}", name.value, said.join(" and "));
                let place = places.into_iter().flatten().last().unwrap_or(name.place);
                let wrong = Diagnostic::new(Code::WrongValue, place, message);
                self.wrong(
                    wrong.hint("`at` is for one call, `every` for many; `from` says when those begin"),
                );
                return None;
            }
        };
        let until = stated.until.as_ref().map_or(self.end, |until| after(until.value)).min(self.end);
        let (gaps, count_max) = gaps.map_or((Quantiles::constant(0).into(), 0), |gaps| (gaps, count_max));
        let key = EntityKey::new("arrivals", name, 0);
        Some(Occasion::Process(Arrivals { key, gaps, first, until, count_max }))
    }

    /// An arrival has no key that platforms of this sort need.
    pub(super) fn lacks(&mut self, name: &Placed<String>, key: &str, platform: &str, example: &str) {
        let message = format!("{} has no `{key}`, which a platform of {platform} needs", name.value);
        let wrong = Diagnostic::new(Code::MissingKey, name.place, message);
        self.wrong(wrong.hint(format!("add `{key}: {example}`; an arrival may have both")));
    }

    /// What a trace says itself, its arrivals may not say too.
    fn check_trace_keys(&mut self, stated: &Stated, trace: &Placed<Trace>) {
        let mut wrong = |place, message: &str, hint: &str| {
            self.found.push(Diagnostic::new(Code::WrongValue, place, message).hint(hint));
        };
        if let Some(calls) = &stated.calls {
            let hint = "`until` ends a trace, `only` chooses rows";
            wrong(calls.place, "a trace says itself how many calls there are", hint);
        }
        if let Some(takes) = stated.takes.as_ref().filter(|_| trace.format.value != TraceFormat::Rate) {
            wrong(takes.place, "the trace says how long each task takes", "leave `takes` out");
        }
    }
}

/// The stated end, where it does not come after the beginning.
fn end_before_begin(stated: &Stated) -> Option<&Placed<Span>> {
    stated.until.as_ref().filter(|until| until.value <= begins(stated))
}

/// How long after the start the first call is made, or may be made.
fn begins(stated: &Stated) -> Span {
    stated.at.as_ref().map_or(from(stated), |at| at.value)
}

/// The same, where it is one of many.
fn from(stated: &Stated) -> Span {
    stated.from.unwrap_or(Span::ZERO)
}

/// When tasks are asked for.
pub(super) enum Occasion<'s> {
    Process(Arrivals),
    Trace(&'s Placed<Trace>),
}

/// This long after the start; the end of the run beyond the calendar.
fn after(lowering: &Lowering<'_>, span: Span) -> Timestamp {
    lowering.start.checked_add(span).unwrap_or(lowering.end)
}

fn known<'a>(account: &'a Account, zones: &'a BTreeMap<String, String>, now: Timestamp) -> Known<'a> {
    Known { clusters: &account.clusters, families: &account.families, zones, now }
}

fn create_cluster(reference: &str, account: &mut Account) {
    let name = reference.rsplit('/').next().unwrap_or(reference);
    if account.clusters.iter().all(|cluster| cluster.name != name) {
        let request = CreateCluster { cluster_name: Some(name.to_owned()), ..CreateCluster::default() };
        if let Ok(cluster) = api::cluster::create(&request) {
            account.clusters.push(cluster);
        }
    }
}

/// The family in `FAMILY`, `FAMILY:REVISION` or an ARN: what the tasks of a bare request are called.
fn family(reference: Option<&str>) -> &str {
    let name = reference.unwrap_or("task").rsplit('/').next().unwrap_or("task");
    name.split(':').next().unwrap_or(name)
}
