//! The part of the watcher that takes in what becomes of pods and nodes.
//!
//! A pod has a row from its creation on: one that waits for ever has one too. Knows nothing of who places
//! pods.

use crate::base::Timestamp;
use crate::control::kubernetes::objects::Node;
use crate::measure::occupancy::size_of_amounts;
use crate::measure::tables::{PodEventRow, PodRow};
use crate::measure::waiting::{GATED, NOT_TRIED, without_preemption};
use crate::sim::kubernetes::{PodEnd, PodFact, PodLife, Words};
use crate::sim::plan::{Machine, Plan};

use super::Collector;

impl Collector {
    pub(super) fn pod(&mut self, plan: &Plan, at: Timestamp, fact: PodFact<'_>) {
        match fact {
            PodFact::NodeReady { node, machine } => self.node_ready(plan, at, node, machine),
            PodFact::Created(pod) => self.created(plan, at, pod),
            PodFact::Waits { pod, message } => self.waits(at, pod, message),
            PodFact::Bound(pod) => {
                self.measured.to_place.record(at.since(pod.times.created));
                self.measured.waiting.leaves(at, pod.name);
                self.count(pod.name, |counts| {
                    counts.placed += 1;
                    counts.pending -= 1;
                });
                self.show(pod);
            }
            PodFact::Pulling(pod) => self.show(pod),
            PodFact::Started(pod) => {
                self.started(pod.name, at.since(pod.times.created));
                self.show(pod);
            }
            PodFact::Ready(pod) => {
                self.measured.to_ready.record(at.since(pod.times.created));
                self.show(pod);
            }
            PodFact::Deleted(pod) => {
                if pod.end == Some(PodEnd::Preempted) {
                    self.count(pod.name, |counts| counts.preempted += 1);
                }
                self.show(pod);
            }
            PodFact::Ended(pod) => self.ended(at, pod),
            PodFact::Said { pod, words } => self.said(at, pod, &words),
        }
    }

    fn node_ready(&mut self, plan: &Plan, at: Timestamp, node: &Node, machine: &Machine) {
        if !self.machine_rows.contains(&machine.name) {
            self.add_machine(plan, machine, Timestamp::NEVER);
        }
        let specs = &plan.kubernetes.as_ref().expect("nodes are of a cluster").specs;
        let (cpu, memory) = size_of_amounts(&specs[node.spec].allocatable);
        self.machine(machine.name, |row| {
            row.registered = row.registered.min(at);
            (row.cpu, row.memory) = (cpu, memory);
        });
    }

    fn created(&mut self, plan: &Plan, at: Timestamp, pod: &PodLife) {
        let specs = &plan.kubernetes.as_ref().expect("pods are of a cluster").specs;
        let reason = if specs[pod.spec].gates.is_empty() { NOT_TRIED } else { GATED };
        self.measured.waiting.waits(at, pod.name, reason);
        self.count(pod.name, |counts| counts.pending += 1);
        if self.keep_rows {
            self.pod_rows.insert(pod.name, self.measured.pods.len());
            let why = (reason == GATED).then(|| self.measured.words.intern(reason));
            self.measured.pods.push(PodRow { life: *pod, why });
        }
    }

    fn waits(&mut self, at: Timestamp, pod: &PodLife, message: &str) {
        if pod.times.bound != Timestamp::NEVER {
            return;
        }
        self.measured.waiting.waits(at, pod.name, message);
        if let Some(&row) = self.pod_rows.get(&pod.name) {
            self.measured.pods[row].why = Some(self.measured.words.intern(without_preemption(message)));
        }
    }

    fn ended(&mut self, at: Timestamp, pod: &PodLife) {
        let failed = matches!(pod.end, Some(PodEnd::Failed(_) | PodEnd::Rejected(_)));
        let never_started = pod.times.started == Timestamp::NEVER;
        let never_bound = pod.times.bound == Timestamp::NEVER;
        self.count(pod.name, |counts| {
            counts.stopped += 1;
            counts.failed += u64::from(failed);
            counts.failed_to_start += u64::from(failed && never_started);
            counts.pending -= u64::from(never_bound);
        });
        self.measured.waiting.leaves(at, pod.name);
        self.show(pod);
        self.pod_rows.remove(&pod.name);
    }

    /// What is said again about a pod in the same words is counted, as `kubectl` shows it.
    fn said(&mut self, at: Timestamp, pod: &PodLife, words: &Words<'_>) {
        if !self.keep_rows {
            return;
        }
        let [reason, note] = [words.reason(), words.note()].map(|text| self.measured.words.intern(&text));
        let events = &mut self.measured.pod_events;
        let row = self.said.get_or_insert_with((pod.name, reason, note), || {
            let (pod, warning) = (pod.name, words.is_warning());
            events.push(PodEventRow { pod, reason, warning, note, first: at, last: at, count: 0 });
            events.len() - 1
        });
        let row = &mut events[*row];
        row.last = at;
        row.count += 1;
    }

    /// The row of a pod shows what became of it so far.
    fn show(&mut self, pod: &PodLife) {
        if let Some(&row) = self.pod_rows.get(&pod.name) {
            self.measured.pods[row].life = *pod;
        }
    }
}
