//! Preemption: which pods would have to go so that one of higher priority fits (K 2.17).
//!
//! A dry run: pods are removed and added in thought, on copies. Who deletes the victims, and when, is the
//! scheduler's business. Knows nothing of the queue.

use std::cmp::Reverse;
use std::rc::Rc;

use crate::base::{Row, Timestamp};
use crate::control::kubernetes::labels::Selector;
use crate::control::kubernetes::objects::Pod;
use crate::mark;

use super::algorithm::Found;
use super::cluster::NodeInfo;
use super::dry_runs::DryRuns;
use super::framework::{Code, Cycle, Profile, Status};
use super::message;
use super::places::Places;
use super::refused::Reasons;

/// How many candidates a search for victims wants (`DefaultPreemptionArgs`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PreemptionSettings {
    /// `minCandidateNodesPercentage`.
    pub percentage: i32,
    /// `minCandidateNodesAbsolute`.
    pub absolute: i32,
}

impl Default for PreemptionSettings {
    fn default() -> Self {
        PreemptionSettings { percentage: 10, absolute: 100 }
    }
}

/// A node, and the pods that would have to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The node.
    pub node: Row<NodeInfo>,
    /// The pods, most important first.
    pub victims: Vec<Row<Pod>>,
    /// How many of them a disruption budget would keep.
    pub violations: usize,
    merit: Merit,
}

/// What makes a candidate better than another, the least first: violations, the highest priority of a
/// victim, the sum of their priorities, their number, and a late start of the most important ones.
type Merit = (usize, i64, i64, usize, Reverse<Option<Timestamp>>);

/// What a search for victims came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Preempted {
    /// This node is nominated; its victims are to be deleted.
    Nominated {
        /// Every candidate, in the order of the dry run.
        candidates: Vec<Rc<Candidate>>,
        /// The place of the chosen one.
        chosen: usize,
    },
    /// The pod may not preempt; an older nomination stays.
    NotEligible(&'static str),
    /// Preemption does not help; an older nomination is cleared. The message says why.
    Helpless(String),
    /// Something is broken.
    Error(String),
}

/// Looks for victims after a failed cycle. `offset` is where the search begins, modulo the nodes that
/// preemption may help.
pub fn preempt(
    profile: &mut Profile,
    cycle: &Cycle<'_>,
    found: &Found,
    settings: PreemptionSettings,
    offset: u64,
) -> Preempted {
    if let Some(why) = not_eligible(cycle, found) {
        return Preempted::NotEligible(why);
    }
    let mut index = std::mem::take(&mut profile.index);
    let (noted, mut anew);
    let (helped, runs) = if found.kept {
        index.dry_runs(cycle)
    } else {
        (noted, anew) = (nodes_that_may_be_helped(cycle, found), DryRuns::default());
        anew.begin(cycle.cluster.order().len(), 0);
        (&noted, &mut anew)
    };
    let result = candidates(profile, cycle, (helped, runs), settings, offset);
    let preempted = match result {
        Ok(candidates) if candidates.is_empty() => Preempted::Helpless(helpless(found.nodes, runs.reasons())),
        Ok(candidates) => {
            let chosen = pick(&candidates);
            Preempted::Nominated { candidates, chosen }
        }
        Err(message) => Preempted::Error(message),
    };
    profile.index = index;
    preempted
}

/// Nodes where pods can make room, those first where no disruption budget is broken; fails where there is
/// none, and something is broken.
fn candidates(
    profile: &mut Profile,
    cycle: &Cycle<'_>,
    (helped, runs): (&Places, &mut DryRuns),
    settings: PreemptionSettings,
    offset: u64,
) -> Result<Vec<Rc<Candidate>>, String> {
    let count = helped.len();
    let wanted = candidates_wanted(settings, count);
    let number = usize::try_from(offset % (count as u64).max(1)).expect("less than a count");
    let first = helped.nth(number).unwrap_or(0);
    let (mut good, mut violating, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for place in helped.without(runs.hopeless()).around(first) {
        let run = || victims_on(profile, cycle, cycle.cluster.order()[place]);
        match runs.candidate(place, run) {
            Ok(None) => {}
            Ok(Some(candidate)) => {
                mark!("K 2.17 candidates without violations come first");
                let list = if candidate.violations == 0 { &mut good } else { &mut violating };
                if list.len() < wanted {
                    list.push(Rc::clone(candidate));
                }
                if !good.is_empty() && good.len() + violating.len() >= wanted {
                    mark!("K 2.17 enough candidates end the search");
                    break;
                }
            }
            Err(status) => errors.push(status.message()),
        }
    }
    good.append(&mut violating);
    match &mut errors[..] {
        [] => Ok(good),
        _ if !good.is_empty() => Ok(good),
        [one] => Err(std::mem::take(one)),
        several => Err(format!("[{}]", several.join(", "))),
    }
}

/// Why no node can be helped, in words.
fn helpless(nodes: usize, reasons: &Reasons) -> String {
    let others = Status::unresolvable("Preemption is not helpful for scheduling");
    message::unavailable(nodes, reasons.counts(), Some(&others))
}

fn not_eligible(cycle: &Cycle<'_>, found: &Found) -> Option<&'static str> {
    if !cycle.spec.preempts {
        mark!("K 2.17 preemptionPolicy Never");
        return Some("not eligible due to preemptionPolicy=Never.");
    }
    let node = cycle.pod.nominated.and_then(|name| cycle.cluster.node(name))?;
    let unresolvable = |status: &Status| status.code == Code::UnschedulableAndUnresolvable;
    if found.status(node.row).is_none_or(unresolvable) {
        mark!("K 2.17 a nominated node that cannot help any more is given up");
        return None;
    }
    let waits_for = |row: &Row<Pod>| {
        let pod = cycle.cluster.known(*row);
        pod.deleted_at.is_some() && pod.preempted && cycle.specs[pod.spec].priority < cycle.spec.priority
    };
    let waits = node.pods.iter().any(waits_for);
    mark!("K 2.17 victims that are still going are waited for");
    waits.then_some("not eligible due to a terminating pod on the nominated node.")
}

/// The places of nodes that refused the pod for something that preemption may lift.
fn nodes_that_may_be_helped(cycle: &Cycle<'_>, found: &Found) -> Places {
    let order = cycle.cluster.order();
    let mut helped = Places::default();
    if found.absent.as_ref().is_some_and(Status::is_resolvable) {
        helped.extend(0..order.len());
    }
    for (row, own) in found.refused.judged(Status::is_resolvable) {
        helped.set(cycle.cluster.place_of(row).expect("it was looked at"), own);
    }
    helped
}

fn candidates_wanted(settings: PreemptionSettings, nodes: usize) -> usize {
    mark!("K 2.17 a tenth of the nodes, at least 100, at most all");
    let count = i64::try_from(nodes).expect("fewer than 2^63 nodes");
    let wanted = (count * i64::from(settings.percentage) / 100).max(i64::from(settings.absolute)).min(count);
    usize::try_from(wanted).unwrap_or(0)
}

/// The pods that would have to go from one node: as few and as unimportant as can be.
fn victims_on(profile: &mut Profile, cycle: &Cycle<'_>, row: Row<NodeInfo>) -> Result<Candidate, Status> {
    let lower = |row: &Row<Pod>| cycle.specs[cycle.cluster.known(*row).spec].priority < cycle.spec.priority;
    let mut lesser: Vec<Row<Pod>> = cycle.cluster[row].pods.iter().copied().filter(lower).collect();
    if lesser.is_empty() {
        mark!("K 2.17 nobody to remove");
        return Err(Status::unresolvable("No preemption victims found for incoming pod"));
    }
    let mut node = cycle.cluster[row].clone();
    profile.save();
    for &pod in &lesser {
        take_off(profile, cycle, &mut node, pod);
    }
    let result = profile.filter_with_nominated(cycle, &node).map(|()| {
        lesser.sort_by_key(|&pod| importance(cycle, pod));
        reprieve(profile, cycle, &mut node, &lesser)
    });
    profile.restore();
    let (victims, violations) = result?;
    if victims.is_empty() {
        let name = cycle.specs.symbols.text(node.name);
        return Err(Status::error(format!("expected at least one victim pod on node {name:?}")));
    }
    let merit = merit(cycle, &victims, violations);
    Ok(Candidate { node: row, victims, violations, merit })
}

/// Puts back every pod that can stay: those that a budget protects first, the more important before the less.
fn reprieve(
    profile: &mut Profile,
    cycle: &Cycle<'_>,
    node: &mut NodeInfo,
    lesser: &[Row<Pod>],
) -> (Vec<Row<Pod>>, usize) {
    let (violating, others) = split_by_budgets(cycle, lesser);
    let (mut victims, mut violations) = (Vec::new(), 0);
    mark!("K 2.17 pods under a budget are spared first");
    for (&pod, protected) in
        violating.iter().map(|pod| (pod, true)).chain(others.iter().map(|pod| (pod, false)))
    {
        put_on(profile, cycle, node, pod);
        if profile.filter_with_nominated(cycle, node).is_err() {
            take_off(profile, cycle, node, pod);
            victims.push(pod);
            violations += usize::from(protected);
        }
    }
    if !violating.is_empty() && !others.is_empty() {
        victims.sort_by_key(|&pod| importance(cycle, pod));
    }
    (victims, violations)
}

fn take_off(profile: &mut Profile, cycle: &Cycle<'_>, node: &mut NodeInfo, row: Row<Pod>) {
    let pod = cycle.cluster.known(row);
    node.remove_pod(row, pod, &cycle.specs[pod.spec]);
    profile.remove_pod(cycle, row, node);
}

fn put_on(profile: &mut Profile, cycle: &Cycle<'_>, node: &mut NodeInfo, row: Row<Pod>) {
    let pod = cycle.cluster.known(row);
    node.add_pod(row, pod, &cycle.specs[pod.spec]);
    profile.add_pod(cycle, row, node);
}

/// Sorts the most important pod first: higher priority, then the earlier start.
fn importance(cycle: &Cycle<'_>, row: Row<Pod>) -> (Reverse<i32>, Timestamp) {
    let pod = cycle.cluster.known(row);
    (Reverse(cycle.specs[pod.spec].priority), started(pod))
}

/// When a pod started; one that has not counts as started after all others.
fn started(pod: &Pod) -> Timestamp {
    mark!("K 2.17 a pod without a start counts as started last");
    pod.started_at.unwrap_or(Timestamp::NEVER)
}

/// Which pods would break a disruption budget if they all went in this order, and which would not.
fn split_by_budgets(cycle: &Cycle<'_>, pods: &[Row<Pod>]) -> (Vec<Row<Pod>>, Vec<Row<Pod>>) {
    let specs = cycle.specs;
    let mut budgets: Vec<_> = cycle
        .cluster
        .listers
        .budgets
        .values()
        .map(|budget| (budget.namespace, &specs[budget.spec], specs[budget.spec].disruptions_allowed))
        .collect();
    pods.iter().partition(|&&row| {
        let pod = cycle.cluster.known(row);
        let labels = &specs[pod.spec].labels;
        let mut breaks = false;
        for (namespace, budget, left) in &mut budgets {
            let selects = match &budget.selector {
                Selector::Nothing => false,
                selector @ Selector::AllOf(_) if selector.is_empty() => {
                    mark!("K 2.17 an empty budget selector selects nothing here");
                    false
                }
                selector @ Selector::AllOf(_) => selector.matches(labels, &specs.symbols),
            };
            if labels.is_empty() || *namespace != pod.namespace || !selects {
                continue;
            }
            if budget.disrupted.contains(&pod.name) {
                mark!("K 2.17 a disruption that was granted costs nothing");
                continue;
            }
            *left -= 1;
            breaks |= *left < 0;
        }
        breaks
    })
}

/// The best candidate (K 2.17, 5): the first in the order of the dry run among equals.
fn pick(candidates: &[Rc<Candidate>]) -> usize {
    let best = candidates.iter().enumerate().min_by_key(|&(place, candidate)| (&candidate.merit, place));
    best.map_or(0, |(place, _)| place)
}

fn merit(cycle: &Cycle<'_>, victims: &[Row<Pod>], violations: usize) -> Merit {
    let pod = |row: Row<Pod>| cycle.cluster.known(row);
    let priority = |row: Row<Pod>| i64::from(cycle.specs[pod(row).spec].priority);
    let highest = victims.first().map_or(0, |&first| priority(first));
    let sum: i64 = victims.iter().map(|&victim| priority(victim) + (1 << 31)).sum();
    let most = victims.iter().map(|&victim| priority(victim)).max().unwrap_or(highest);
    let important = victims.iter().filter(|&&victim| priority(victim) == most);
    let earliest = important.map(|&victim| started(pod(victim))).min();
    mark!("K 2.17 violations, highest priority, sum, number, latest start");
    (violations, highest, sum, victims.len(), Reverse(earliest))
}

/// What the plugins say after a search that found no node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PostFiltered {
    /// What they add to the message.
    pub message: String,
    /// What preemption came to, if it was tried.
    pub preempted: Option<Preempted>,
}

/// Asks every post-filter plugin in order, preemption among them (K 2.17, 2.19).
pub fn post_filter(profile: &mut Profile, cycle: &Cycle<'_>, found: &Found, offset: u64) -> PostFiltered {
    let mut reasons: Vec<String> = Vec::new();
    let mut preempted = None;
    for place in profile.order.post_filter.clone() {
        let Some(settings) = profile.plugins[place].preempts() else {
            let status = profile.plugins[place].post_filter(cycle);
            if status.is_rejection() {
                reasons.extend(status.reasons.into_iter().map(String::from));
                continue;
            }
            return PostFiltered { message: status.message(), preempted };
        };
        let outcome = preempt(profile, cycle, found, settings, offset);
        match &outcome {
            Preempted::Nominated { .. } => {
                mark!("K 2.19 a nomination leaves no words");
                return PostFiltered { message: String::new(), preempted: Some(outcome) };
            }
            Preempted::Error(message) => {
                let message = format!("preemption: {message}");
                return PostFiltered { message, preempted: Some(outcome) };
            }
            Preempted::NotEligible(why) => reasons.push(format!("preemption: {why}")),
            Preempted::Helpless(message) => reasons.push(format!("preemption: {message}")),
        }
        preempted = Some(outcome);
    }
    PostFiltered { message: reasons.join(", "), preempted }
}
