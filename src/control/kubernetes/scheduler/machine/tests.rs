//! The machine obeys the laws, and carries out what a cycle began.

use serde_json::{Value, json};

use crate::base::mark::must_reach;
use crate::base::turn::Nobody;
use crate::base::{Draw, Edit, EntityKey, Purpose, Revision, Row, Span, Symbol, Timestamp, Turn};
use crate::control::kubernetes::api::config::Configuration;
use crate::control::kubernetes::api::{Object, PriorityClasses, Reading, Stage};
use crate::control::kubernetes::objects::{ClusterChange, Node, Pod, Specs};
use crate::control::kubernetes::scheduler::profile::{Registry, queue_settings};
use crate::control::laws::{self, Dice, Rig};
use crate::control::{Reconciler, Ticket};

use super::{Answer, Scheduler, SchedulerChange, SchedulerCommand};

/// A record that is just big enough, and the commands that were not carried out yet.
struct Record {
    specs: Specs,
    pods: Vec<Option<Pod>>,
    nodes: Vec<Option<Node>>,
    commands: Vec<(Ticket, SchedulerCommand)>,
    log: Vec<String>,
}

impl Record {
    fn new() -> Self {
        Record {
            specs: Specs::default(),
            pods: Vec::new(),
            nodes: Vec::new(),
            commands: Vec::new(),
            log: Vec::new(),
        }
    }

    fn read(&mut self, document: &Value) -> Object {
        let classes = PriorityClasses::default();
        let mut reading = Reading { specs: &mut self.specs, classes: &classes };
        let kind = document["kind"].as_str().expect("a kind");
        reading.read(kind, document, Stage::Create).expect("a good object")
    }

    fn node(&mut self, now: Timestamp, machine: &mut Scheduler, name: &str, millicores: u64) {
        let cpu = format!("{millicores}m");
        let document = json!({
            "kind": "Node", "apiVersion": "v1", "metadata": {"name": name},
            "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "10"}},
        });
        let Object::Node(node) = self.read(&document) else { panic!("a node") };
        let known = self.nodes.iter().position(|known| known.is_some_and(|known| known.name == node.name));
        let place = known.unwrap_or(self.nodes.len());
        if known.is_none() {
            self.nodes.push(None);
        }
        self.edit_node(now, machine, place, Some(node));
    }

    fn edit_node(&mut self, now: Timestamp, machine: &mut Scheduler, place: usize, new: Option<Node>) {
        let old = std::mem::replace(&mut self.nodes[place], new);
        let edit =
            Edit { row: Row::at(place), revision: Revision::default(), old: old.as_ref(), new: new.as_ref() };
        machine.observe(now, SchedulerChange::Cluster(ClusterChange::Node(edit), &self.specs));
    }

    fn pod(&mut self, now: Timestamp, machine: &mut Scheduler, priority: i32, millicores: u64) -> usize {
        let name = format!("p{}", self.pods.len());
        let requests = json!({"cpu": format!("{millicores}m")});
        let document = json!({
            "kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "uid": format!("uid-{name}")},
            "spec": {"priority": priority, "containers": [{"name": "c", "resources": {"requests": requests}}]},
        });
        let Object::Pod(pod) = self.read(&document) else { panic!("a pod") };
        self.pods.push(None);
        self.edit_pod(now, machine, self.pods.len() - 1, Some(pod));
        self.pods.len() - 1
    }

    fn edit_pod(&mut self, now: Timestamp, machine: &mut Scheduler, place: usize, new: Option<Pod>) {
        let old = std::mem::replace(&mut self.pods[place], new);
        let edit =
            Edit { row: Row::at(place), revision: Revision::default(), old: old.as_ref(), new: new.as_ref() };
        machine.observe(now, SchedulerChange::Cluster(ClusterChange::Pod(edit), &self.specs));
    }

    /// Carries out the oldest command, or lets it fail.
    fn carry_out(&mut self, now: Timestamp, machine: &mut Scheduler, fail: bool) {
        if self.commands.is_empty() {
            return;
        }
        let (ticket, command) = self.commands.remove(0);
        let mut answer = if fail { Answer::Failed } else { Answer::Accepted };
        let name = match &command {
            SchedulerCommand::Bind { pod, .. }
            | SchedulerCommand::Nominate { pod, .. }
            | SchedulerCommand::Evict { pod, .. } => *pod,
            SchedulerCommand::BindVolumes { .. }
            | SchedulerCommand::Condition { .. }
            | SchedulerCommand::Event { .. } => {
                machine.observe(now, SchedulerChange::Answered { ticket, answer });
                return;
            }
        };
        let place = name.row.index();
        match self.pods[place].filter(|known| known.uid == name.uid && !fail) {
            Some(known) => self.edit_pod(now, machine, place, after(&command, known)),
            None if !fail => answer = Answer::Conflict,
            None => {}
        }
        machine.observe(now, SchedulerChange::Answered { ticket, answer });
    }

    /// Lets the machine do all that is due, and carries out all that it asks for; `fails` says which
    /// commands fail.
    fn run(&mut self, now: Timestamp, machine: &mut Scheduler, fails: fn(&SchedulerCommand) -> bool) {
        loop {
            while machine.wake_at().is_some_and(|at| at <= now) {
                let mut out = Vec::new();
                let mut turn = Turn { now, draw: &mut NoLuck, why: &mut Nobody };
                machine.reconcile(&mut turn, &self.specs, &mut out);
                let words: Vec<String> = out.iter().map(|(_, command)| self.words(command)).collect();
                self.log.extend(words);
                self.commands.extend(out);
            }
            let Some((_, command)) = self.commands.first() else { break };
            let fail = fails(command);
            self.carry_out(now, machine, fail);
        }
    }

    /// Lets the machine do all that is due; of what it asks for, only nominations are written.
    fn nominate(&mut self, now: Timestamp, machine: &mut Scheduler) {
        while machine.wake_at().is_some_and(|at| at <= now) {
            let mut out = Vec::new();
            let mut turn = Turn { now, draw: &mut NoLuck, why: &mut Nobody };
            machine.reconcile(&mut turn, &self.specs, &mut out);
            for (ticket, command) in out {
                self.log.push(self.words(&command));
                if matches!(command, SchedulerCommand::Nominate { .. }) {
                    self.commands.insert(0, (ticket, command));
                    self.carry_out(now, machine, false);
                }
            }
        }
    }

    fn words(&self, command: &SchedulerCommand) -> String {
        let text = |symbol: Symbol| self.specs.symbols.text(symbol).to_owned();
        let name = |row: Row<Pod>| format!("p{}", row.index());
        match command {
            SchedulerCommand::Bind { pod, node } => format!("bind {} {}", name(pod.row), text(*node)),
            SchedulerCommand::BindVolumes { pod, .. } => format!("volumes {}", name(pod.row)),
            SchedulerCommand::Nominate { pod, node } => {
                format!("nominate {} {}", name(pod.row), node.map_or("-".to_owned(), text))
            }
            SchedulerCommand::Condition { pod, reason, .. } => {
                format!("condition {} {reason}", name(pod.row))
            }
            SchedulerCommand::Evict { pod, .. } => format!("evict {}", name(pod.row)),
            SchedulerCommand::Event { pod, reason, .. } => format!("event {} {reason}", name(pod.row)),
        }
    }
}

/// What a command makes of a pod.
fn after(command: &SchedulerCommand, pod: Pod) -> Option<Pod> {
    match command {
        SchedulerCommand::Bind { node, .. } => Some(Pod { node: Some(*node), nominated: None, ..pod }),
        SchedulerCommand::Nominate { node, .. } => Some(Pod { nominated: *node, ..pod }),
        SchedulerCommand::Evict { .. } => None,
        SchedulerCommand::BindVolumes { .. }
        | SchedulerCommand::Condition { .. }
        | SchedulerCommand::Event { .. } => Some(pod),
    }
}

struct NoLuck;

impl Draw for NoLuck {
    fn draw(&mut self, _: Purpose, _: EntityKey, _: u32) -> u64 {
        0
    }
}

fn machine(record: &mut Record) -> Scheduler {
    let symbols = &mut record.specs.symbols;
    let configuration = Configuration::standard(symbols);
    let profiles = Registry::default().profiles(&configuration, symbols);
    Scheduler::new(at(0), profiles, queue_settings(&configuration))
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_nanos(0) + Span::millis(millis)
}

impl Rig for Record {
    type Machine = Scheduler;

    fn machine(&self, _: Timestamp) -> Scheduler {
        let mut specs = self.specs.clone();
        let configuration = Configuration::standard(&mut specs.symbols);
        let profiles = Registry::default().profiles(&configuration, &mut specs.symbols);
        Scheduler::new(at(0), profiles, queue_settings(&configuration))
    }

    fn view(&self) -> &Specs {
        &self.specs
    }

    fn tell(&mut self, now: Timestamp, dice: &mut Dice, machine: &mut Scheduler) {
        for _ in 0..dice.below(3) {
            self.carry_out(now, machine, dice.below(5) == 0);
        }
        match dice.below(6) {
            0 => {
                let (name, size) = (dice.below(4), 500 + 500 * dice.below(4));
                self.node(now, machine, &format!("n{name}"), size);
            }
            1 => {
                let place = self.nodes.iter().position(Option::is_some);
                if let Some(place) = place.filter(|_| dice.below(4) == 0) {
                    self.edit_node(now, machine, place, None);
                }
            }
            2 => {
                let place = self.pods.iter().position(Option::is_some);
                if let Some(place) = place {
                    self.edit_pod(now, machine, place, None);
                }
            }
            _ => {
                let priority = i32::try_from(dice.below(3)).expect("small");
                self.pod(now, machine, priority, 100 + 200 * dice.below(5));
            }
        }
    }

    fn take(&mut self, ticket: Ticket, command: &SchedulerCommand) {
        self.commands.push((ticket, command.clone()));
    }
}

#[test]
fn the_scheduler_obeys_the_laws() {
    laws::check(
        || {
            let mut record = Record::new();
            machine(&mut record); // the spellings that profiles need
            record
        },
        8,
        120,
    );
}

/// What is asked for, one command after the other, when `play` has happened.
fn check(rules: &[&str], play: impl Fn(&mut Record, &mut Scheduler), expected: &[&str]) {
    let log = must_reach(rules, || {
        let mut record = Record::new();
        let mut machine = machine(&mut record);
        play(&mut record, &mut machine);
        record.log
    });
    assert_eq!(log, expected);
}

fn never(_: &SchedulerCommand) -> bool {
    false
}

#[test]
fn a_pod_is_bound() {
    check(
        &["K 2.16 a pod counts on its node at once", "K 2.16 a binding confirms what was assumed"],
        |record, machine| {
            record.node(at(0), machine, "n1", 1000);
            record.pod(at(0), machine, 0, 600);
            record.pod(at(0), machine, 0, 600);
            record.run(at(0), machine, never);
        },
        &["bind p0 n1", "event p1 FailedScheduling", "condition p1 Unschedulable", "event p0 Scheduled"],
    );
}

#[test]
fn a_failed_binding_gives_the_place_back() {
    check(
        &["K 2.16 a failed binding gives the place back"],
        |record, machine| {
            record.node(at(0), machine, "n1", 1000);
            record.pod(at(0), machine, 0, 600);
            record.run(at(0), machine, |command| matches!(command, SchedulerCommand::Bind { .. }));
            record.pod(at(1), machine, 0, 600);
            record.run(at(1), machine, never);
        },
        &[
            "bind p0 n1",
            "event p0 FailedScheduling",
            "condition p0 SchedulerError",
            "bind p1 n1",
            "event p1 Scheduled",
        ],
    );
}

#[test]
fn victims_go_and_the_preemptor_comes() {
    check(
        &[
            "K 2.17 the last victim is deleted when all others were",
            "K 2.17 a preemptor is free when its last victim is going",
        ],
        |record, machine| {
            record.node(at(0), machine, "n1", 1000);
            record.pod(at(0), machine, 0, 500);
            record.pod(at(0), machine, 0, 500);
            record.run(at(0), machine, never);
            record.log.clear();
            record.pod(at(10), machine, 5, 900);
            record.run(at(10), machine, never);
        },
        &[
            "event p2 FailedScheduling",
            "condition p2 Unschedulable",
            "nominate p2 n1",
            "evict p0",
            "event p0 Preempted",
            "evict p1",
            "event p1 Preempted",
            "bind p2 n1",
            "event p2 Scheduled",
        ],
    );
}

#[test]
fn a_failed_eviction_lets_the_preemptor_try_again() {
    let mut record = Record::new();
    let mut machine = machine(&mut record);
    must_reach(&["K 2.17 a failed deletion lets the preemptor try again"], || {
        record.node(at(0), &mut machine, "n1", 1000);
        record.pod(at(0), &mut machine, 0, 900);
        record.run(at(0), &mut machine, never);
        record.pod(at(10), &mut machine, 5, 900);
        // The first deletion fails, the second does not.
        let mut failed = false;
        while !record.log.iter().any(|line| line == "bind p1 n1") {
            while machine.wake_at().is_some_and(|wake| wake <= at(10)) {
                let mut out = Vec::new();
                let mut turn = Turn { now: at(10), draw: &mut NoLuck, why: &mut Nobody };
                machine.reconcile(&mut turn, &record.specs, &mut out);
                record.log.extend(out.iter().map(|(_, command)| record.words(command)).collect::<Vec<_>>());
                record.commands.extend(out);
            }
            let first = record.commands.first().expect("something is asked for");
            let fails = !failed && matches!(first.1, SchedulerCommand::Evict { .. });
            failed |= fails;
            record.carry_out(at(10), &mut machine, fails);
        }
    });
    assert_eq!(record.log.iter().filter(|line| *line == "evict p0").count(), 2);
}

#[test]
fn a_pod_that_goes_before_it_is_bound_gives_its_place_back() {
    check(
        &["K 2.16 an assumed pod that is deleted gives its place back"],
        |record, machine| {
            record.node(at(0), machine, "n1", 1000);
            let place = record.pod(at(0), machine, 0, 600);
            record.pod(at(0), machine, 0, 600);
            let mut out = Vec::new();
            let mut turn = Turn { now: at(0), draw: &mut NoLuck, why: &mut Nobody };
            machine.reconcile(&mut turn, &record.specs, &mut out);
            let going = record.pods[place].map(|pod| Pod { deleted_at: Some(at(0)), ..pod });
            record.edit_pod(at(0), machine, place, going);
            record.run(at(0), machine, never);
        },
        &["bind p1 n1", "event p1 Scheduled"],
    );
}

#[test]
fn a_pod_that_is_going_is_skipped() {
    check(
        &["K 2.19 a pod that is going is skipped"],
        |record, machine| {
            record.node(at(0), machine, "n1", 1000);
            let place = record.pod(at(0), machine, 0, 600);
            let going = record.pods[place].map(|pod| Pod { deleted_at: Some(at(0)), ..pod });
            record.edit_pod(at(0), machine, place, going);
            record.run(at(0), machine, never);
        },
        &["event p0 FailedScheduling"],
    );
}

#[test]
fn without_nodes_pods_wait_as_after_an_error() {
    check(
        &["K 2.5 without nodes nothing is tried"],
        |record, machine| {
            record.pod(at(0), machine, 0, 600);
            record.run(at(0), machine, never);
            record.node(at(100), machine, "n1", 1000);
            record.run(at(100), machine, never);
            assert_eq!(machine.wake_at(), Some(at(2000)), "the second after its backoff");
            record.run(at(2000), machine, never);
        },
        &["event p0 FailedScheduling", "condition p0 Unschedulable", "bind p0 n1", "event p0 Scheduled"],
    );
}

#[test]
fn a_taint_brings_back_who_listens_to_new_nodes() {
    check(
        &[
            "K 2.3 a node that is schedulable again counts as a change of taints",
            "K 2.3 who listens to new nodes hears of every taint",
        ],
        |record, machine| {
            // A cordoned node that is too small: the pod is refused for its size by another node.
            record.node(at(0), machine, "n1", 100);
            record.pod(at(0), machine, 0, 600);
            record.run(at(0), machine, never);
            record.log.clear();
            let row = record.nodes[0].expect("the node").spec;
            let spec = record.specs[row].clone();
            let cordoned = record
                .specs
                .nodes
                .intern(crate::control::kubernetes::objects::NodeSpec { unschedulable: true, ..spec });
            let node = record.nodes[0].expect("the node");
            record.edit_node(at(5000), machine, 0, Some(Node { spec: cordoned, ..node }));
            record.run(at(5000), machine, never);
            assert!(record.log.is_empty(), "a cordon helps nobody");
            record.edit_node(at(6000), machine, 0, Some(node));
            record.run(at(6000), machine, never);
        },
        &["event p0 FailedScheduling", "condition p0 Unschedulable"],
    );
}

#[test]
fn a_greater_preemptor_takes_the_nomination_of_a_lesser_one() {
    check(
        &["K 2.17 lesser pods lose their nomination", "K 2.3 a nomination that goes is like a pod that goes"],
        |record, machine| {
            record.node(at(0), machine, "n1", 1000);
            record.pod(at(0), machine, 0, 900);
            record.run(at(0), machine, never);
            record.log.clear();
            record.pod(at(10), machine, 5, 900);
            record.nominate(at(10), machine);
            record.pod(at(20), machine, 9, 900);
            record.nominate(at(20), machine);
            record.log.retain(|line| !line.starts_with("event") && !line.starts_with("condition"));
        },
        &["nominate p1 n1", "evict p0", "nominate p2 n1", "nominate p1 -", "evict p0"],
    );
}

#[test]
fn a_pod_that_went_in_flight_does_not_come_back() {
    must_reach(&["K 2.2 a pod that went while it was in flight does not come back"], || {
        let mut record = Record::new();
        let mut machine = machine(&mut record);
        record.node(at(0), &mut machine, "n1", 1000);
        let place = record.pod(at(0), &mut machine, 0, 2000);
        let (specs, mut out) = (record.specs.clone(), Vec::new());
        let hand = machine.pop().expect("the pod waits");
        let attempt = machine.attempt(at(0), &specs, hand, &mut |_, _| 0, &mut out);
        record.edit_pod(at(1), &mut machine, place, None);
        machine.settle(at(2), &specs, &attempt, &mut out);
        assert!(out.is_empty(), "nobody is told of a pod that is gone");
        assert_eq!(machine.queue().in_flight().count(), 0);
        assert_eq!(machine.wake_at(), None);
    });
}
