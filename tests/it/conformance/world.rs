//! A cluster of one case: its objects, its clock and its scheduler.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use windtunnel::base::{Edit, Revision, Row, Span, Symbol, Timestamp};
use windtunnel::control::Reconciler;
use windtunnel::control::kubernetes::api::config::Configuration;
use windtunnel::control::kubernetes::api::{Object, PriorityClasses, Reading, Stage};
use windtunnel::control::kubernetes::objects::{ClusterChange, Pod, Specs};
use windtunnel::control::kubernetes::scheduler::Scheduler;
use windtunnel::control::kubernetes::scheduler::attempt::{Attempt, Nomination, Outcome};
use windtunnel::control::kubernetes::scheduler::command::{SchedulerChange, SchedulerCommand};
use windtunnel::control::kubernetes::scheduler::profile::{Registry, queue_settings};
use windtunnel::control::kubernetes::scheduler::queue::InHand;

use super::describe::{self, LISTED, LISTED_LONG};

/// 2026-01-01T00:00:00Z.
const EPOCH_S: u64 = 1_767_225_600;

/// What a step answered, by the name under which it was recorded.
pub(crate) type Answers = Vec<(&'static str, Value)>;

type Key = (String, String, String);

pub(crate) struct World {
    specs: Specs,
    classes: PriorityClasses,
    scheduler: Scheduler,
    objects: BTreeMap<Key, Stored>,
    /// The names of all pods that ever were, by row; rows are never used again.
    names: Vec<String>,
    revision: u64,
    started: Timestamp,
    now: Timestamp,
    tracked: bool,
    listed: usize,
    offset: u64,
    held: Option<Attempt>,
    brief: bool,
    edit: Option<fn(&mut Value)>,
}

/// The rules by which cases are replayed: those of the product, or wrong ones.
#[derive(Default)]
pub(crate) struct Rules {
    pub(crate) registry: Registry,
    pub(crate) choose: Option<fn(&[i64]) -> usize>,
    /// What is done to every object before it is read.
    pub(crate) edit: Option<fn(&mut Value)>,
    /// Successes say the choice alone.
    pub(crate) brief: bool,
}

/// An object as the record has it.
struct Stored {
    row: usize,
    document: Value,
    object: Object,
}

impl World {
    pub(crate) fn new(case: &Value, rules: &Rules) -> Result<Self, String> {
        let mut specs = Specs::default();
        let symbols = &mut specs.symbols;
        let configuration = match &case["config"] {
            Value::Null => Configuration::standard(symbols),
            config => Configuration::read(config, symbols).map_err(|error| format!("{error:?}"))?,
        };
        let mut profiles = rules.registry.profiles(&configuration, symbols);
        if let Some(choose) = rules.choose {
            for profile in &mut profiles {
                profile.choose = choose;
            }
        }
        let queue = queue_settings(&configuration);
        let started = Timestamp::from_nanos(0) + Span::seconds(EPOCH_S);
        let mut scheduler = Scheduler::new(started, profiles, queue);
        scheduler.explain(!rules.brief);
        Ok(World {
            specs,
            classes: PriorityClasses::default(),
            scheduler,
            objects: BTreeMap::new(),
            names: Vec::new(),
            revision: 0,
            started,
            now: started,
            tracked: false,
            listed: if case["long"] == json!(true) { LISTED_LONG } else { LISTED },
            offset: case["preemptionOffset"].as_u64().unwrap_or(0),
            held: None,
            brief: rules.brief,
            edit: rules.edit,
        })
    }

    /// Takes one step.
    pub(crate) fn take(&mut self, step: &Value) -> Result<Answers, String> {
        let text = |field: &str| step[field].as_str().unwrap_or_default();
        let op = text("op");
        if op != "advance" {
            self.advance(1);
        }
        let mut answers = Vec::new();
        match op {
            "apply" => self.apply(&step["object"])?,
            "delete" => self.delete(&key(text("kind"), text("namespace"), text("name")))?,
            "schedule" => answers.push(("result", self.schedule(text("pod"))?)),
            "snapshot" => answers.push(("nodes", self.snapshot())),
            "queue" => self.tracked = true,
            "advance" => self.advance(step["ms"].as_u64().ok_or("a time is missing")?),
            "pop" => answers.push(("result", self.pop()?)),
            "settle" => {
                let attempt = self.held.take().ok_or("nothing is in flight")?;
                self.settle(&attempt);
            }
            "finishPreemption" => {
                let (deleted, cleared) = self.finish_preemption(None);
                answers.push(("deleted", optional(&deleted)));
                answers.push(("nominationCleared", optional(&cleared)));
            }
            other => return Err(format!("unknown step {other:?}")),
        }
        if self.tracked {
            let now = self.now.since(self.started).as_nanos() / 1_000_000;
            answers.push(("queue", describe::queue(&self.specs, &self.scheduler, now, self.started)));
        }
        Ok(answers)
    }

    /// The scheduler, to look at.
    pub(crate) fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    fn advance(&mut self, millis: u64) {
        let end = self.now + Span::millis(millis);
        loop {
            let passed = self.now.since(self.started).as_nanos() / 1_000_000_000;
            let next = self.started + Span::seconds(passed + 1);
            if next > end {
                break;
            }
            self.now = next;
            self.scheduler.flush_backoff(next);
            if (passed + 1).is_multiple_of(30) {
                self.scheduler.flush_leftover(next, &self.specs);
            }
        }
        self.now = end;
    }

    fn apply(&mut self, document: &Value) -> Result<(), String> {
        let mut document = document.clone();
        if let Some(edit) = self.edit {
            edit(&mut document);
        }
        let metadata = |field: &str| document["metadata"][field].as_str().unwrap_or_default();
        let kind = document["kind"].as_str().ok_or("a kind is missing")?.to_owned();
        let key = key(&kind, metadata("namespace"), metadata("name"));
        let known = self.objects.get(&key);
        if let Some(known) = known
            && document["metadata"]["uid"].as_str().is_none_or(str::is_empty)
        {
            document["metadata"]["uid"] = known.document["metadata"]["uid"].clone();
        }
        if known.is_some_and(|known| known.document == document) {
            return Ok(());
        }
        let stage = if known.is_some() { Stage::Update } else { Stage::Create };
        if kind == "Pod" && stage == Stage::Create && document["status"]["phase"].is_null() {
            if document["status"].is_null() {
                document["status"] = json!({});
            }
            document["status"]["phase"] = json!("Pending");
        }
        let mut reading = Reading { specs: &mut self.specs, classes: &self.classes };
        let object = reading.read(&kind, &document, stage).map_err(|error| format!("{error:?}"))?;
        match object {
            Object::PriorityClass(class) => self.classes.insert(class),
            Object::Pod(Pod { ended: true, .. }) if known.is_some() => return self.delete(&key),
            Object::Pod(Pod { ended: true, .. }) => {}
            other => self.put(key, document, other),
        }
        Ok(())
    }

    fn put(&mut self, key: Key, document: Value, object: Object) {
        let (row, old) = match self.objects.get(&key) {
            Some(known) => (known.row, Some(known.object)),
            None => {
                self.names.push(format!("{}/{}", key.1, key.2));
                (self.names.len() - 1, None)
            }
        };
        self.objects.insert(key, Stored { row, document, object });
        self.tell(row, old.as_ref(), Some(&object));
    }

    fn delete(&mut self, key: &Key) -> Result<(), String> {
        let known = self.objects.remove(key).ok_or_else(|| format!("there is no {key:?}"))?;
        self.tell(known.row, Some(&known.object), None);
        Ok(())
    }

    /// Tells the scheduler of a change.
    fn tell(&mut self, row: usize, old: Option<&Object>, new: Option<&Object>) {
        self.revision += 1;
        let revision = Revision(self.revision);
        macro_rules! change {
            ($($kind:ident),*) => {
                match new.or(old) {
                    $(Some(Object::$kind(_)) => {
                        let part = |object: Option<&'_ Object>| match object {
                            Some(Object::$kind(part)) => Some(*part),
                            _ => None,
                        };
                        let (old, new) = (part(old), part(new));
                        let edit = Edit { row: Row::at(row), revision, old: old.as_ref(), new: new.as_ref() };
                        let change = SchedulerChange::Cluster(ClusterChange::$kind(edit), &self.specs);
                        self.scheduler.observe(self.now, change);
                    })*
                    Some(Object::PriorityClass(_)) | None => {}
                }
            };
        }
        change!(
            Pod,
            Node,
            Volume,
            Claim,
            StorageClass,
            CsiNode,
            CsiDriver,
            StorageCapacity,
            VolumeAttachment,
            Selecting,
            Budget,
            Namespace
        );
    }

    fn snapshot(&mut self) -> Value {
        let order = self.scheduler.snapshot().to_vec();
        describe::names(&self.specs, &self.scheduler, &order)
    }

    fn schedule(&mut self, pod: &str) -> Result<Value, String> {
        let row = self.pod(pod).ok_or_else(|| format!("there is no pod {pod}"))?;
        let Some(hand) = self.scheduler.pop_this(self.now, &self.specs, row) else {
            let known = self.scheduler.cluster().known(row);
            let name = self.specs[known.spec].scheduler_name;
            let gated = known.node.is_none() && self.scheduler.profile_of(name).is_some();
            let outcome = if gated { "gated" } else { "notQueued" };
            return Ok(json!({"outcome": outcome, "nextStart": self.scheduler.next_start()}));
        };
        let (attempt, mut result) = self.attempt(hand);
        if matches!(attempt.outcome, Outcome::Unschedulable | Outcome::Error) {
            self.settle(&attempt);
            let (deleted, cleared) = self.finish_preemption(Some(pod));
            match attempt.nomination {
                Nomination::Unchanged => {}
                Nomination::Cleared => result["nominatedNode"] = json!(""),
                Nomination::Node(node) => result["nominatedNode"] = json!(self.specs.symbols.text(node)),
            }
            if result.get("preemption").is_some() && !deleted.is_empty() {
                result["preemption"]["deleted"] = json!(deleted);
            }
            if !cleared.is_empty() {
                result["nominationCleared"] = json!(cleared);
            }
        }
        Ok(result)
    }

    fn pop(&mut self) -> Result<Value, String> {
        if self.held.is_some() {
            return Err("an attempt is in flight".to_owned());
        }
        let Some(hand) = self.scheduler.pop() else {
            return Ok(json!({"outcome": "empty", "nextStart": self.scheduler.next_start()}));
        };
        let name = self.name(hand.row);
        let (attempt, mut result) = self.attempt(hand);
        result["pod"] = json!(name);
        if matches!(attempt.outcome, Outcome::Unschedulable | Outcome::Error) {
            self.held = Some(attempt);
        }
        Ok(result)
    }

    /// Runs a cycle; a success is bound at once.
    fn attempt(&mut self, hand: InHand) -> (Attempt, Value) {
        let offset = self.offset;
        let mut out = Vec::new();
        let attempt = self.scheduler.attempt(self.now, &self.specs, hand, &mut |_, _| offset, &mut out);
        let result = describe::attempt(&self.specs, &self.scheduler, &attempt, self.listed, self.brief);
        if let Outcome::Scheduled(node) = attempt.outcome {
            self.scheduler.bind(&attempt, node, &mut out);
            let name = self.name(hand.row);
            let text = self.specs.symbols.text(node).to_owned();
            self.edit_pod(&name, |pod, document| {
                *pod = Pod { node: Some(node), nominated: None, ..*pod };
                document["spec"]["nodeName"] = json!(text);
                nominate(document, None);
            });
        }
        (attempt, result)
    }

    /// Ends a failed attempt, and writes its nomination.
    fn settle(&mut self, attempt: &Attempt) {
        self.scheduler.settle(self.now, &self.specs, attempt, &mut Vec::new());
        let name = self.name_of(attempt);
        match (name, attempt.nomination) {
            (Some(name), Nomination::Cleared) => self.nominate(&name, None),
            (Some(name), Nomination::Node(node)) => self.nominate(&name, Some(node)),
            (None, _) | (_, Nomination::Unchanged) => {}
        }
    }

    /// Does the deletions in the background; gives the pods whose deletion was asked for, and those that
    /// lost their nomination.
    fn finish_preemption(&mut self, except: Option<&str>) -> (Vec<String>, Vec<String>) {
        let mut out = Vec::new();
        self.scheduler.finish_preemption(self.now, &self.specs, &mut out);
        let (mut deleted, mut cleared) = (Vec::new(), Vec::new());
        for (_, command) in out {
            match command {
                SchedulerCommand::Evict { pod, .. } => deleted.push(self.name(pod.row)),
                SchedulerCommand::Nominate { pod, node: None } => cleared.push(self.name(pod.row)),
                _ => {}
            }
        }
        cleared.retain(|name| Some(name.as_str()) != except);
        for name in &cleared {
            self.nominate(name, None);
        }
        cleared.sort_unstable();
        (deleted, cleared)
    }

    fn nominate(&mut self, name: &str, node: Option<Symbol>) {
        let known = self.objects.get(&pod_key(name)).map(|known| known.object);
        if !matches!(known, Some(Object::Pod(pod)) if pod.nominated != node) {
            return;
        }
        let text = node.map(|node| self.specs.symbols.text(node).to_owned());
        self.edit_pod(name, |pod, document| {
            pod.nominated = node;
            nominate(document, text.as_deref());
        });
    }

    /// Changes a pod of the record.
    fn edit_pod(&mut self, name: &str, edit: impl FnOnce(&mut Pod, &mut Value)) {
        let key = pod_key(name);
        let known = self.objects.get(&key).expect("the pod is in the record");
        let mut document = known.document.clone();
        let Object::Pod(mut pod) = known.object else { panic!("{name} is a pod") };
        edit(&mut pod, &mut document);
        self.put(key, document, Object::Pod(pod));
    }

    fn pod(&self, name: &str) -> Option<Row<Pod>> {
        self.objects.get(&pod_key(name)).map(|known| Row::at(known.row))
    }

    fn name(&self, row: Row<Pod>) -> String {
        self.names[row.index()].clone()
    }

    fn name_of(&self, attempt: &Attempt) -> Option<String> {
        self.scheduler.cluster().pod(attempt.pod.row).map(|_| self.name(attempt.pod.row))
    }
}

fn key(kind: &str, namespace: &str, name: &str) -> Key {
    (kind.to_owned(), namespace.to_owned(), name.to_owned())
}

fn pod_key(name: &str) -> Key {
    let (namespace, name) = name.split_once('/').expect("a namespace and a name");
    key("Pod", namespace, name)
}

fn nominate(document: &mut Value, node: Option<&str>) {
    let Some(document) = document.as_object_mut() else { return };
    let status = document.entry("status").or_insert_with(|| Value::Object(Map::new()));
    match node {
        Some(node) => status["nominatedNodeName"] = json!(node),
        None => {
            status.as_object_mut().map(|status| status.remove("nominatedNodeName"));
        }
    }
}

fn optional(list: &[String]) -> Value {
    if list.is_empty() { Value::Null } else { json!(list) }
}
