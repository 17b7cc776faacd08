//! One pod through one cycle: search, choice, place taken; or the end of a failure (K 2.5, 2.16, 2.19).
//!
//! A pod that got a node counts there at once, before the record says so. A pod that got none is settled:
//! it goes back into the queue, and its nomination, condition and event are written.

use std::collections::{BTreeSet, VecDeque};

use crate::base::{EntityKey, Row, Symbol, Timestamp};
use crate::control::kubernetes::objects::{Pod, Specs};
use crate::mark;

use super::algorithm::{self, Choice};
use super::command::{EventReason, PodName, SchedulerCommand};
use super::framework::{Binding, Code, Cycle, Status};
use super::machine::{Out, Preparation, Scheduler};
use super::message;
use super::observe;
use super::preemption::{self, Preempted};
use super::queue::{InHand, PluginSet};

/// What one cycle came to.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The pod, still in flight unless it was skipped.
    pub pod: InHand,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it failed, in words.
    pub message: String,
    /// The plugins that refused it.
    pub refused_by: BTreeSet<&'static str>,
    /// What is to become of its nomination when it failed.
    pub nomination: Nomination,
    /// What preemption came to, if it was tried.
    pub preempted: Option<Preempted>,
    /// What is to be done about its claims before it is bound.
    pub bindings: Vec<Binding>,
    /// How many nodes were looked at; of a failed cycle, how many have a status of their own.
    pub evaluated: usize,
}

/// What plugins reserved for a pod that is not bound yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reserved {
    pub(super) pod: InHand,
    /// The pod as it was.
    pub(super) record: Pod,
    pub(super) node: Symbol,
    pub(super) bindings: Vec<Binding>,
}

/// What became of a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It counts on this node.
    Scheduled(Symbol),
    /// No node can do.
    Unschedulable,
    /// Something is broken.
    Error,
    /// It is going, or has a node already: nothing was tried.
    Skipped,
}

/// What is to become of a nomination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nomination {
    /// It stays as it is.
    Unchanged,
    /// It is taken back.
    Cleared,
    /// It is for this node.
    Node(Symbol),
}

impl Attempt {
    pub(super) fn of(pod: InHand) -> Self {
        Attempt {
            pod,
            outcome: Outcome::Skipped,
            message: String::new(),
            refused_by: BTreeSet::new(),
            nomination: Nomination::Cleared,
            preempted: None,
            bindings: Vec::new(),
            evaluated: 0,
        }
    }
}

impl Scheduler {
    /// Runs the cycle of a pod in hand. `offset` gives a number that says where the search for victims
    /// begins.
    pub fn attempt(
        &mut self,
        now: Timestamp,
        specs: &Specs,
        pod: InHand,
        offset: &mut dyn FnMut(EntityKey, u32) -> u64,
        out: &mut Out,
    ) -> Attempt {
        let mut attempt = Attempt::of(pod);
        let known = self.cluster.pod(pod.row).filter(|known| known.uid == pod.uid).copied();
        let Some(known) = known.filter(|known| known.deleted_at.is_none() && known.node.is_none()) else {
            self.skip(specs, pod, known, out);
            return attempt;
        };
        self.cluster.snapshot();
        let Scheduler { profiles, cluster, start, found, .. } = self;
        let (profile, spec) = (&mut profiles[pod.waiting.profile], &specs[known.spec]);
        let cycle = Cycle { specs, cluster, row: pod.row, pod: &known, spec, now };
        match algorithm::schedule(profile, &cycle, start, found) {
            Choice::Node(row) => {
                let name = cluster[row].name;
                attempt.evaluated = found.feasible_count + found.refused_count;
                attempt.outcome = Outcome::Scheduled(name);
                self.assume(specs, pod.row, name);
                self.reserve(now, specs, &mut attempt, name);
            }
            Choice::Nowhere => {
                attempt.outcome = Outcome::Unschedulable;
                attempt.evaluated = found.refused.len();
                attempt.refused_by.clone_from(&found.rejected_by);
                let mut words = String::new();
                if !profile.order.post_filter.is_empty() {
                    let drawn = offset(known.key, pod.waiting.attempts);
                    let after = preemption::post_filter(profile, &cycle, found, drawn);
                    words = after.message;
                    attempt.nomination = nomination(after.preempted.as_ref(), |row| cluster[row].name);
                    attempt.preempted = after.preempted;
                }
                attempt.message = message::failure(found, &words);
                self.begin_preemption(specs, &attempt);
            }
            Choice::NoNodes => {
                mark!("K 2.5 without nodes nothing is tried");
                attempt.outcome = Outcome::Unschedulable;
                message::NO_NODES.clone_into(&mut attempt.message);
            }
            Choice::Error(message) => {
                attempt.outcome = Outcome::Error;
                attempt.message = message;
            }
        }
        self.profiles[pod.waiting.profile].finish();
        attempt
    }

    /// Ends a failed attempt: the pod goes back into the queue, and what there is to say is said.
    pub fn settle(&mut self, now: Timestamp, specs: &Specs, attempt: &Attempt, out: &mut Out) {
        let InHand { row, uid, .. } = attempt.pod;
        let refused_by = match attempt.outcome {
            Outcome::Unschedulable => self.plugins.set(&attempt.refused_by),
            Outcome::Error | Outcome::Scheduled(_) | Outcome::Skipped => PluginSet::default(),
        };
        let Some(pod) = self.cluster.pod(row).filter(|pod| pod.uid == uid).copied() else {
            mark!("K 2.2 a pod that went while it was in flight does not come back");
            self.queue.done(uid);
            return;
        };
        if pod.node.is_none() {
            let (queue, bench) = self.bench(now, specs);
            queue.give_back(now, &attempt.pod, refused_by, &bench);
            self.nominate(row, &pod, attempt.nomination);
        } else {
            self.queue.done(uid);
        }
        let name = PodName::of(&attempt.pod);
        self.say(name, EventReason::FailedScheduling, message::note(&attempt.message), out);
        self.set_condition(attempt, out);
        let node = match attempt.nomination {
            Nomination::Unchanged => pod.nominated,
            Nomination::Cleared => None,
            Nomination::Node(node) => Some(node),
        };
        if node != pod.nominated {
            self.send(SchedulerCommand::Nominate { pod: name, node }, out);
        }
    }

    /// Counts a pod on a node before the record says so.
    fn assume(&mut self, specs: &Specs, row: Row<Pod>, node: Symbol) {
        mark!("K 2.16 a pod counts on its node at once");
        let record = *self.cluster.known(row);
        self.assumed.insert(row, record);
        self.cluster.set_pod(row, Some(Pod { node: Some(node), ..record }));
        self.place(specs, row);
        self.cluster.nominated.remove(row);
    }

    /// Takes a pod off the node that it only counts on, if it does; says what it was there.
    pub(super) fn unassume(&mut self, specs: &Specs, row: Row<Pod>) -> Option<Pod> {
        let record = self.assumed.remove(&row)?;
        let assumed = *self.cluster.known(row);
        self.displace(specs, row, &assumed);
        self.cluster.set_pod(row, Some(record));
        Some(assumed)
    }

    /// An assumed pod does not come to its node: others may have the place.
    pub(super) fn release(&mut self, now: Timestamp, specs: &Specs, row: Row<Pod>) {
        if let Some(assumed) = self.unassume(specs, row) {
            self.tell_of_pod_gone(now, specs, row, &assumed, None);
        }
    }

    /// Plugins take back what they reserved for a pod on a node.
    pub(super) fn unreserve(&mut self, now: Timestamp, specs: &Specs, reserved: &Reserved) {
        let Scheduler { profiles, cluster, .. } = self;
        let Reserved { pod, record, node, bindings } = reserved;
        let profile = &mut profiles[pod.waiting.profile];
        if let Some(node) = cluster.remembered(*node) {
            let spec = &specs[record.spec];
            let cycle = Cycle { specs, cluster, row: pod.row, pod: record, spec, now };
            profile.unreserve(&cycle, node, bindings);
        }
    }

    /// Lets the plugins take what the pod needs on its node; if they cannot, it does not get the node.
    fn reserve(&mut self, now: Timestamp, specs: &Specs, attempt: &mut Attempt, node: Symbol) {
        let row = attempt.pod.row;
        let Scheduler { profiles, cluster, .. } = self;
        let profile = &mut profiles[attempt.pod.waiting.profile];
        let pod = cluster.known(row);
        let cycle = Cycle { specs, cluster, row, pod, spec: &specs[pod.spec], now };
        let node = cluster.node(node).expect("the node was chosen from the snapshot");
        let Err(status) = profile.reserve(&cycle, node) else {
            attempt.bindings = profile.bindings();
            return;
        };
        let (outcome, message) = refusal(&status);
        attempt.outcome = outcome;
        attempt.message = message;
        attempt.evaluated = usize::from(outcome == Outcome::Unschedulable);
        if outcome == Outcome::Unschedulable {
            attempt.refused_by.insert(status.plugin);
        }
        self.unassume(specs, row);
    }

    /// Holds a preemptor back until its victims are being deleted.
    fn begin_preemption(&mut self, specs: &Specs, attempt: &Attempt) {
        let Some(Preempted::Nominated { candidates, chosen }) = &attempt.preempted else { return };
        let candidate = &candidates[*chosen];
        let not_going = |&&row: &&Row<Pod>| self.cluster.known(row).deleted_at.is_none();
        let victims: VecDeque<PodName> = candidate
            .victims
            .iter()
            .filter(not_going)
            .map(|&row| PodName { row, uid: self.cluster.known(row).uid })
            .collect();
        if victims.is_empty() {
            return;
        }
        let preemptor = PodName::of(&attempt.pod);
        let priority = specs[self.cluster.known(preemptor.row).spec].priority;
        let node = self.cluster[candidate.node].name;
        self.cluster.preempting.insert(preemptor.row);
        let preparation = Preparation::new(preemptor, priority, node, victims);
        self.preparations.insert(self.next_preparation, preparation);
        self.next_preparation += 1;
    }

    fn nominate(&mut self, row: Row<Pod>, pod: &Pod, nomination: Nomination) {
        self.cluster.nominated.remove(row);
        let node = match nomination {
            Nomination::Unchanged => pod.nominated,
            Nomination::Cleared => None,
            Nomination::Node(node) => Some(node),
        };
        if let Some(node) = node {
            self.cluster.nominated.add(row, node);
        }
    }

    fn skip(&mut self, specs: &Specs, pod: InHand, known: Option<Pod>, out: &mut Out) {
        self.queue.done(pod.uid);
        if let Some(known) = known.filter(|known| known.deleted_at.is_some()) {
            mark!("K 2.19 a pod that is going is skipped");
            let name = observe::full_name(specs, &known);
            let note = format!("skip schedule deleting pod: {name}");
            self.say(PodName::of(&pod), EventReason::FailedScheduling, note, out);
        }
    }
}

fn nomination(
    preempted: Option<&Preempted>,
    name: impl Fn(Row<super::cluster::NodeInfo>) -> Symbol,
) -> Nomination {
    match preempted {
        Some(Preempted::Nominated { candidates, chosen }) => Nomination::Node(name(candidates[*chosen].node)),
        Some(Preempted::Helpless(_)) => Nomination::Cleared,
        None | Some(Preempted::NotEligible(_) | Preempted::Error(_)) => Nomination::Unchanged,
    }
}

/// How a refusal to reserve ends the attempt.
fn refusal(status: &Status) -> (Outcome, String) {
    match status.code {
        Code::Error => (Outcome::Error, status.message()),
        Code::Unschedulable | Code::UnschedulableAndUnresolvable => {
            let reasons = message::sorted(status.reasons.iter().map(|reason| (reason, 1)));
            (Outcome::Unschedulable, format!("0/1 nodes are available: {reasons}."))
        }
    }
}
