//! What the scheduler answered, in the words of the recording.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use windtunnel::base::{Row, Timestamp};
use windtunnel::control::kubernetes::objects::{Pod, Specs};
use windtunnel::control::kubernetes::scheduler::attempt::{Attempt, Outcome};
use windtunnel::control::kubernetes::scheduler::framework::Binding;
use windtunnel::control::kubernetes::scheduler::preemption::{Candidate, Preempted};
use windtunnel::control::kubernetes::scheduler::{NodeInfo, Scheduler, Status};

/// A result lists at most this many nodes.
pub(super) const LISTED: usize = 40;
/// The same for a long case.
pub(super) const LISTED_LONG: usize = 8;

/// What one cycle came to.
pub(super) fn attempt(
    specs: &Specs,
    scheduler: &Scheduler,
    attempt: &Attempt,
    listed: usize,
    brief: bool,
) -> Value {
    let mut result = Map::new();
    result.insert("nextStart".to_owned(), json!(scheduler.next_start()));
    let outcome = match attempt.outcome {
        Outcome::Scheduled(_) => "scheduled",
        Outcome::Unschedulable => "unschedulable",
        Outcome::Error => "error",
        Outcome::Skipped => "skipped",
    };
    result.insert("outcome".to_owned(), json!(outcome));
    if attempt.outcome == Outcome::Skipped {
        return Value::Object(result);
    }
    let mut put = |field: &str, value: Value| {
        if !is_empty(&value) {
            result.insert(field.to_owned(), value);
        }
    };
    put("evaluated", json!(attempt.evaluated));
    let placed = matches!(attempt.outcome, Outcome::Scheduled(_));
    if !(brief && placed) {
        describe_nodes(specs, scheduler, listed, &mut put);
    }
    if let Outcome::Scheduled(node) = attempt.outcome {
        let node = specs.symbols.text(node);
        put("node", json!(node));
        put("feasible", json!(scheduler.found().feasible_count));
        if !brief {
            describe_scores(specs, scheduler, node, listed, &mut put);
        }
        describe_bindings(specs, &attempt.bindings, &mut put);
    } else {
        put("message", json!(attempt.message));
        put("rejectedBy", json!(attempt.refused_by));
        if let Some(Preempted::Nominated { candidates, chosen }) = &attempt.preempted {
            put("preemption", preemption(specs, scheduler, candidates, *chosen, listed));
        }
    }
    Value::Object(result)
}

/// The parts of the queue.
pub(super) fn queue(specs: &Specs, scheduler: &Scheduler, now: u64, started: Timestamp) -> Value {
    let name = |row| pod(specs, scheduler, row);
    let queue = scheduler.queue();
    let mut parts = Map::new();
    parts.insert("now".to_owned(), json!(now));
    let mut put = |part: &str, value: Value| {
        if !is_empty(&value) {
            parts.insert(part.to_owned(), value);
        }
    };
    put("active", json!(queue.active().map(name).collect::<Vec<_>>()));
    let backoff = queue.backoff().map(|(row, until, error)| {
        let until = until.since(started).as_nanos() / 1_000_000;
        let mut waiting = json!({"pod": name(row), "until": until});
        if error {
            waiting["error"] = json!(true);
        }
        waiting
    });
    let mut backoff: Vec<Value> = backoff.collect();
    let is_error = |waiting: &Value| waiting.get("error").is_some();
    let plain = backoff.iter().filter(|waiting| !is_error(waiting)).count();
    backoff[plain..].sort_by_key(|waiting| (waiting["until"].as_u64(), waiting["pod"].to_string()));
    put("backoff", json!(backoff));
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        json!(names)
    };
    let idle = |gated| queue.idle().filter(|(_, held)| *held == gated).map(|(row, _)| name(row)).collect();
    put("unschedulable", sorted(idle(false)));
    put("gated", sorted(idle(true)));
    put("inFlight", sorted(queue.in_flight().map(name).collect()));
    Value::Object(parts)
}

/// Nodes by name.
pub(super) fn names(specs: &Specs, scheduler: &Scheduler, rows: &[Row<NodeInfo>]) -> Value {
    json!(rows.iter().map(|&row| node(specs, scheduler, row)).collect::<Vec<_>>())
}

/// A pod by namespace and name.
pub(super) fn pod(specs: &Specs, scheduler: &Scheduler, row: Row<Pod>) -> String {
    let Some(pod) = scheduler.cluster().pod(row) else { return "(gone)".to_owned() };
    format!("{}/{}", specs.symbols.text(pod.namespace), specs.symbols.text(pod.name))
}

fn node<'a>(specs: &'a Specs, scheduler: &Scheduler, row: Row<NodeInfo>) -> &'a str {
    specs.symbols.text(scheduler.cluster()[row].name)
}

/// The nodes that were refused, grouped by plugin, code and reasons.
fn describe_nodes(specs: &Specs, scheduler: &Scheduler, listed: usize, put: &mut impl FnMut(&str, Value)) {
    let found = scheduler.found();
    let mut groups: BTreeMap<(&str, &str, Vec<String>), Vec<&str>> = BTreeMap::new();
    for (row, status) in found.refused.iter() {
        groups.entry(refusal(status)).or_default().push(node(specs, scheduler, row));
    }
    let counted = found.refused.len() > listed;
    let groups = groups.into_iter().map(|((plugin, code, reasons), mut nodes)| {
        nodes.sort_unstable();
        let mut group = json!({"plugin": plugin, "code": code, "reasons": reasons});
        if counted {
            group["count"] = json!(nodes.len());
        } else {
            group["nodes"] = json!(nodes);
        }
        group
    });
    put(if counted { "rejectedCounts" } else { "rejected" }, Value::Array(groups.collect()));
    if let Some(status) = &found.absent {
        let (plugin, code, reasons) = refusal(status);
        put("absent", json!({"plugin": plugin, "code": code, "reasons": reasons}));
    }
}

fn refusal(status: &Status) -> (&'static str, &'static str, Vec<String>) {
    let mut reasons: Vec<String> = status.reasons.iter().map(ToString::to_string).collect();
    reasons.sort_unstable();
    (status.plugin, status.code.as_str(), reasons)
}

fn describe_scores(
    specs: &Specs,
    scheduler: &Scheduler,
    chosen: &str,
    listed: usize,
    put: &mut impl FnMut(&str, Value),
) {
    let found = scheduler.found();
    let totals = &found.scores.total;
    let Some(&best) = totals.iter().max() else { return put("ties", json!([chosen])) };
    let nodes: Vec<&str> = found.feasible.iter().map(|&row| node(specs, scheduler, row)).collect();
    let ties = nodes.iter().zip(totals).filter(|(_, total)| **total == best);
    put("ties", json!(ties.map(|(node, _)| node).collect::<Vec<_>>()));
    if nodes.len() > listed {
        let weighted: i64 = totals.iter().zip(1..).map(|(total, place)| place * total).sum();
        let plugins = found.scores.plugins.iter().map(|(name, own)| (*name, own.iter().sum::<i64>()));
        let summary = json!({
            "first": nodes.first(), "last": nodes.last(), "max": best, "sum": totals.iter().sum::<i64>(),
            "weighted": weighted, "plugins": plugins.collect::<BTreeMap<_, _>>(),
        });
        return put("scoreSummary", summary);
    }
    let plugins: BTreeMap<&str, &Vec<i64>> =
        found.scores.plugins.iter().map(|(name, own)| (*name, own)).collect();
    put("scores", json!({"nodes": nodes, "total": totals, "plugins": plugins}));
}

fn describe_bindings(specs: &Specs, bindings: &[Binding], put: &mut impl FnMut(&str, Value)) {
    let text = |symbol| specs.symbols.text(symbol);
    let (mut bound, mut provisioned) = (Vec::new(), Vec::new());
    for binding in bindings {
        match *binding {
            Binding::Volume { volume, claim } => {
                bound.push(json!({"claim": text(claim.1), "volume": text(volume)}));
            }
            Binding::Provision { claim, .. } => provisioned.push(text(claim.1)),
        }
    }
    put("bindVolumes", json!(bound));
    put("provisionVolumes", json!(provisioned));
}

fn preemption(
    specs: &Specs,
    scheduler: &Scheduler,
    candidates: &[Rc<Candidate>],
    chosen: usize,
    listed: usize,
) -> Value {
    let describe = |candidate: &Candidate| {
        let victims: Vec<String> = candidate.victims.iter().map(|&row| pod(specs, scheduler, row)).collect();
        let mut value = json!({"node": node(specs, scheduler, candidate.node), "victims": victims});
        if candidate.violations > 0 {
            value["pdbViolations"] = json!(candidate.violations);
        }
        value
    };
    let mut value = describe(&candidates[chosen]);
    value["candidates"] =
        json!(candidates.iter().take(listed).map(|each| describe(each)).collect::<Vec<_>>());
    value
}

/// Whether a field is left out: zero, or nothing in it.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) => false,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}
