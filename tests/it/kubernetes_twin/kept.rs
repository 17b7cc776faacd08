//! A scheduler that keeps numbers from cycle to cycle must answer as one that looks at everything anew.
//!
//! Both see the same random cluster, in which pods of different priority preempt each other, victims take
//! their time, and nominations come and go. Of a success the choice is compared, of a failure every word.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::conformance::world::{Rules, World};

use super::draw::{self, Draw, NAMESPACES, Sort};
use super::objects::{Node, Pod, namespace};
use super::{all_agree, at_least};

/// How many clusters are compared: optimized, and otherwise.
const CLUSTERS: u64 = if cfg!(debug_assertions) { 40 } else { 1000 };

/// How often what happened.
#[derive(Default, Debug)]
struct Tally {
    pods: usize,
    preempted: usize,
    failed: usize,
    /// The failure was told from what is kept.
    kept: usize,
}

#[test]
fn what_is_kept_changes_no_answer() {
    let Some(tallies) = all_agree(CLUSTERS, compare) else { return };
    let sum = |count: fn(&Tally) -> usize| tallies.iter().map(count).sum::<usize>();
    let pods = sum(|tally| tally.pods);
    let shares = [
        (sum(|tally| tally.preempted), "preempted others", 3),
        (sum(|tally| tally.failed), "failed", 10),
        (sum(|tally| tally.kept), "failed by what is kept", 10),
    ];
    at_least(pods, &shares);
}

fn compare(seed: u64) -> Result<Tally, String> {
    Pair::new(seed).run().map_err(|difference| format!("seed {seed}: {difference}\n"))
}

/// Two schedulers, and what happens to both.
struct Pair {
    keeping: World,
    plain: World,
    draw: Draw,
    sort: Sort,
    templates: Vec<(Pod, i64)>,
    nodes: BTreeMap<String, Node>,
    /// Pods, with their priority.
    pods: BTreeMap<String, (Pod, i64)>,
    /// Where pods say from the first that they are nominated to.
    stated: BTreeMap<String, String>,
    named: usize,
    tally: Tally,
}

impl Pair {
    fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed.wrapping_mul(7919));
        let mut sort = Sort::draw(&mut draw);
        if sort.nodes >= 100 && draw.percent(60) {
            // Most searches end before all nodes are met.
            sort.nodes += 150;
        }
        let mut template = |_| (sort.template(&mut draw), *draw.pick(&[0, 0, 5, 10]));
        let templates = (0..sort.templates.min(12)).map(&mut template).collect();
        let world = |brief| {
            let rules = Rules { brief, ..Rules::default() };
            World::new(&json!({"preemptionOffset": seed}), &rules).expect("the standard profile is good")
        };
        Pair {
            keeping: world(true),
            plain: world(false),
            draw,
            sort,
            templates,
            nodes: BTreeMap::new(),
            pods: BTreeMap::new(),
            stated: BTreeMap::new(),
            named: 0,
            tally: Tally::default(),
        }
    }

    fn run(mut self) -> Result<Tally, String> {
        for (name, team) in NAMESPACES.iter().zip(["a", "b", "c"]) {
            self.apply(&namespace(name, &vec![("team".to_owned(), team.to_owned())]));
        }
        for _ in 0..self.sort.nodes {
            self.add_node();
        }
        for _ in 0..self.sort.nodes * 3 {
            self.add_bound_pod();
        }
        for _ in 0..self.sort.steps {
            self.step()?;
        }
        Ok(self.tally)
    }

    fn step(&mut self) -> Result<(), String> {
        match self.draw.below(100) {
            0..=5 => self.delete_some_pod(|_| true),
            6..=14 => self.delete_some_pod(|pod| pod.terminating),
            15..=17 => self.change_some_node(),
            18..=19 => self.change_some_pod(),
            20..=21 => self.add_node(),
            22 => self.delete_some_node(),
            23..=25 => self.write_budget(),
            26..=28 => self.add_bound_pod(),
            29 => self.add_service(),
            30..=54 => return self.try_again(),
            _ => return self.place_new(),
        }
        Ok(())
    }

    fn place_new(&mut self) -> Result<(), String> {
        let (template, priority) = self.draw.pick(&self.templates).clone();
        for _ in 0..=self.draw.below(4) {
            let pod = Pod { name: self.name("p"), ..template.clone() };
            let name = pod.full_name();
            let stated = if self.draw.percent(30) { self.some_node() } else { None };
            let waits = stated.is_some() && self.draw.percent(60);
            self.stated.extend(stated.map(|node| (name.clone(), node)));
            self.put_pod(pod, priority);
            if !waits {
                self.place(&name)?;
            }
            if self.draw.percent(15) {
                self.write_budget();
            }
        }
        Ok(())
    }

    fn try_again(&mut self) -> Result<(), String> {
        let waiting: Vec<&String> =
            self.pods.iter().filter(|(_, (pod, _))| pod.node.is_empty()).map(|(name, _)| name).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let name = (*self.draw.pick(&waiting)).clone();
        self.place(&name)
    }

    /// Lets both place a pod.
    fn place(&mut self, name: &str) -> Result<(), String> {
        let step = json!({"op": "schedule", "pod": name});
        let mut answers = [&mut self.keeping, &mut self.plain]
            .map(|world| world.take(&step).expect("it is there").remove(0).1);
        let scheduled = answers[0]["outcome"] == "scheduled";
        if scheduled {
            for field in ["rejected", "rejectedCounts", "absent", "ties", "scores", "scoreSummary"] {
                answers[1].as_object_mut().expect("an answer has fields").remove(field);
            }
        }
        let [keeping, plain] = answers;
        if keeping != plain {
            let (pod, priority) = &self.pods[name];
            return Err(format!(
                "{name}\n  pod {}\n  kept  {keeping}\n  plain {plain}",
                document(pod, *priority)
            ));
        }
        self.tally.pods += 1;
        let deleted = plain["preemption"]["deleted"].as_array().cloned().unwrap_or_default();
        self.tally.preempted += usize::from(!deleted.is_empty());
        if scheduled {
            let node = plain["node"].as_str().expect("a success names a node");
            node.clone_into(&mut self.pods.get_mut(name).expect("it is there").0.node);
        } else {
            self.tally.failed += 1;
            self.tally.kept += usize::from(self.keeping.scheduler().found().kept);
        }
        for victim in deleted.iter().filter_map(Value::as_str) {
            match self.draw.below(4) {
                0 | 1 => self.delete_pod(victim),
                2 => {
                    let (pod, priority) = self.pods[victim].clone();
                    self.put_pod(Pod { terminating: true, ..pod }, priority);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add_node(&mut self) {
        let name = self.name("n");
        let node = self.sort.node(&mut self.draw, name);
        self.put_node(node);
    }

    fn delete_some_node(&mut self) {
        let Some(name) = self.some_node() else { return };
        let pods = self.pods.iter().filter(|(_, (pod, _))| pod.node == name);
        for pod in pods.map(|(pod, _)| pod.clone()).collect::<Vec<_>>() {
            self.delete_pod(&pod);
        }
        self.nodes.remove(&name);
        self.take(&json!({"op": "delete", "kind": "Node", "namespace": "", "name": name}));
    }

    fn change_some_node(&mut self) {
        let Some(name) = self.some_node() else { return };
        let mut node = self.nodes[&name].clone();
        match self.draw.below(3) {
            0 => self.sort.relabel(&mut self.draw, &mut node),
            1 => self.sort.taint(&mut self.draw, &mut node),
            _ => node.allocatable[0].1 = 500 * (1 + node.allocatable[0].1 / 500),
        }
        self.put_node(node);
    }

    fn add_bound_pod(&mut self) {
        let Some(node) = self.some_node() else { return };
        let name = self.name("b");
        let (template, _) = self.draw.pick(&self.templates).clone();
        let mut pod = Pod { name, node, ..template };
        for container in pod.containers.iter_mut().chain(&mut pod.init_containers) {
            container.ports.clear();
        }
        self.put_pod(pod, 0);
    }

    /// Relabels a pod, or lets it go.
    fn change_some_pod(&mut self) {
        let Some(name) = self.some_pod(|pod| !pod.merged_keys()) else { return };
        let (mut pod, priority) = self.pods[&name].clone();
        if self.draw.percent(50) {
            pod.labels = draw::pod_labels(&mut self.draw);
        } else if !pod.node.is_empty() {
            pod.terminating = true;
        }
        self.put_pod(pod, priority);
    }

    fn delete_some_pod(&mut self, which: fn(&Pod) -> bool) {
        if let Some(name) = self.some_pod(which) {
            self.delete_pod(&name);
        }
    }

    /// Writes a budget anew, most often one of pods that may be victims.
    fn write_budget(&mut self) {
        let victim = self.some_pod(|pod| !pod.node.is_empty()).filter(|_| self.draw.percent(80));
        let (labels, namespace) = match victim {
            Some(name) => {
                let (pod, _) = &self.pods[&name];
                (pod.labels.clone(), pod.namespace.clone())
            }
            None => (draw::pod_labels(&mut self.draw), (*self.draw.pick(&NAMESPACES)).to_owned()),
        };
        let name = format!("k{}", self.draw.below(3));
        let selector: BTreeMap<String, String> = labels.into_iter().collect();
        let allowed = self.draw.below(3);
        self.apply(&json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": selector}},
            "status": {"disruptionsAllowed": allowed, "currentHealthy": 0, "desiredHealthy": 0,
                "expectedPods": 0},
        }));
    }

    fn add_service(&mut self) {
        let name = self.name("s");
        let service = draw::service(&mut self.draw, name);
        self.apply(&service.document());
    }

    fn some_node(&mut self) -> Option<String> {
        let names: Vec<&String> = self.nodes.keys().collect();
        (!names.is_empty()).then(|| (*self.draw.pick(&names)).clone())
    }

    fn some_pod(&mut self, which: impl Fn(&Pod) -> bool) -> Option<String> {
        let all = self.pods.iter().filter(|(_, (pod, _))| which(pod));
        let names: Vec<&String> = all.map(|(name, _)| name).collect();
        (!names.is_empty()).then(|| (*self.draw.pick(&names)).clone())
    }

    fn name(&mut self, letter: &str) -> String {
        self.named += 1;
        format!("{letter}{}", self.named)
    }

    fn put_node(&mut self, node: Node) {
        self.apply(&node.document());
        self.nodes.insert(node.name.clone(), node);
    }

    fn put_pod(&mut self, pod: Pod, priority: i64) {
        let mut document = document(&pod, priority);
        if let Some(node) = self.stated.get(&pod.full_name()).filter(|_| pod.node.is_empty()) {
            document["status"]["nominatedNodeName"] = json!(node);
        }
        self.apply(&document);
        self.pods.insert(pod.full_name(), (pod, priority));
    }

    fn delete_pod(&mut self, name: &str) {
        self.pods.remove(name);
        let (namespace, own) = name.split_once('/').expect("a full name");
        self.take(&json!({"op": "delete", "kind": "Pod", "namespace": namespace, "name": own}));
    }

    fn apply(&mut self, object: &Value) {
        self.take(&json!({"op": "apply", "object": object}));
    }

    fn take(&mut self, step: &Value) {
        for world in [&mut self.keeping, &mut self.plain] {
            world.take(step).expect("the step is good");
        }
    }
}

/// A pod that may preempt; bound pods started one after the other.
fn document(pod: &Pod, priority: i64) -> Value {
    let mut document = pod.document();
    document["spec"].as_object_mut().expect("a pod has a spec").remove("preemptionPolicy");
    document["spec"]["priority"] = json!(priority);
    if !pod.node.is_empty() {
        let second = pod.name.bytes().map(u32::from).sum::<u32>() % 60;
        document["status"]["startTime"] = json!(format!("2026-01-01T00:00:{second:02}Z"));
    }
    document
}
