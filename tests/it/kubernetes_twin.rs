//! A twin: a second, naive implementation of the search, written from the specification alone, must place
//! every pod of random clusters as the port does.
//!
//! Objects are plain texts and numbers; the port reads them as documents of the API. The port runs as the
//! simulator runs it, so that the shape index answers where it can.
//! `WINDTUNNEL_TWINS=10000 cargo test --release --test it kubernetes_twin` compares more clusters;
//! `WINDTUNNEL_TWIN=17` replays the cluster of one seed.

mod draw;
mod filters;
mod kept;
mod objects;
mod scores;
mod twin;

use std::env;

use rayon::prelude::*;
use serde_json::{Value, json};

use crate::conformance::world::{Rules, World};

use draw::{Draw, NAMESPACES, Sort};
use objects::{Node, Pod, Service, namespace};
use twin::{Answer, Explained, Twin};

/// How many clusters are compared: optimized, and otherwise.
const CLUSTERS: u64 = if cfg!(debug_assertions) { 60 } else { 1000 };

/// How often what happened.
#[derive(Default, Debug)]
struct Tally {
    pods: usize,
    placed: usize,
    /// The index answered.
    indexed: usize,
    /// The same, of pods that look at other pods, in clusters that are sampled.
    social: usize,
    /// A search that found nodes ended before all were looked at.
    sampled: usize,
}

#[test]
fn the_twin_chooses_the_same_nodes() {
    let Some(tallies) = all_agree(CLUSTERS, compare) else { return };
    let sum = |count: fn(&Tally) -> usize| tallies.iter().map(count).sum::<usize>();
    let pods = sum(|tally| tally.pods);
    let shares = [
        (sum(|tally| tally.placed), "were placed", 50),
        (sum(|tally| tally.pods - tally.placed), "were not placed", 3),
        (sum(|tally| tally.indexed), "were answered by the index", 50),
        (sum(|tally| tally.social), "were of those that look at pods in a large cluster", 8),
        (sum(|tally| tally.sampled), "were found before all nodes were looked at", 5),
    ];
    at_least(pods, &shares);
}

/// Compares the clusters of all seeds, `count` unless the environment says otherwise. Gives the tallies of all
/// unless they are so few that shares say nothing.
fn all_agree<T: Send>(
    count: u64,
    compare: impl Fn(u64) -> Result<T, String> + Send + Sync,
) -> Option<Vec<T>> {
    let number = |name| variable(name).map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match number("WINDTUNNEL_TWIN") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WINDTUNNEL_TWINS").unwrap_or(count),
    };
    let clusters = seeds.end - seeds.start;
    let compared: Vec<Result<T, String>> = seeds.into_par_iter().map(compare).collect();
    let differences: Vec<&String> = compared.iter().filter_map(|tally| tally.as_ref().err()).collect();
    let first: String = differences.iter().take(3).map(|each| each.as_str()).collect();
    assert!(differences.is_empty(), "{} of {clusters} clusters differ\n{first}", differences.len());
    (clusters >= count).then(|| compared.into_iter().flatten().collect())
}

/// Of all pods at least so many percent did what is said.
fn at_least(pods: usize, shares: &[(usize, &str, usize)]) {
    for (count, what, least) in shares {
        assert!(count * 100 >= pods * least, "only {count} of {pods} pods {what}");
    }
}

/// Compares the port with its twin in one cluster; where they differ, both explain themselves.
fn compare(seed: u64) -> Result<Tally, String> {
    Pair::new(seed, true).run().map_err(|difference| {
        let explained = match Pair::new(seed, false).run() {
            Ok(_) => "the port agrees when it explains itself".to_owned(),
            Err(explained) => explained,
        };
        format!("seed {seed}: {difference}\n  explained: {explained}\n")
    })
}

/// The port, its twin, and what happens to both.
struct Pair {
    world: World,
    twin: Twin,
    draw: Draw,
    sort: Sort,
    templates: Vec<Pod>,
    named: usize,
    tally: Tally,
}

impl Pair {
    fn new(seed: u64, brief: bool) -> Self {
        let mut draw = Draw::new(seed);
        let sort = Sort::draw(&mut draw);
        let templates = (0..sort.templates).map(|_| sort.template(&mut draw)).collect();
        let rules = Rules { brief, ..Rules::default() };
        let world = World::new(&json!({}), &rules).expect("the standard profile is good");
        Pair { world, twin: Twin::default(), draw, sort, templates, named: 0, tally: Tally::default() }
    }

    fn run(mut self) -> Result<Tally, String> {
        for (name, team) in NAMESPACES.iter().zip(["a", "b", "c"]) {
            let labels = vec![("team".to_owned(), team.to_owned())];
            self.apply(&namespace(name, &labels));
            self.twin.namespaces.push(((*name).to_owned(), labels));
        }
        for _ in 0..self.sort.nodes {
            self.add_node();
        }
        for _ in 0..self.draw.below(self.sort.nodes) {
            self.add_bound_pod();
        }
        for step in 0..self.sort.steps {
            self.step(step)?;
        }
        Ok(self.tally)
    }

    fn step(&mut self, step: usize) -> Result<(), String> {
        if self.sort.restless && self.draw.percent(30) {
            match self.draw.below(5) {
                0 => self.delete_some_node(),
                1 => self.add_node(),
                _ => self.relabel_some_node(),
            }
            return Ok(());
        }
        match self.draw.below(100) {
            0..=5 => self.delete_some_pod(),
            6..=8 => self.add_node(),
            9..=11 => self.delete_some_node(),
            12..=17 => self.change_some_node(),
            18..=20 => self.relabel_some_pod(),
            21..=22 => self.end_some_pod(),
            23..=24 => self.add_bound_pod(),
            25..=27 => return self.try_again(),
            28..=30 if self.sort.services => self.add_service(),
            _ => {
                let many = self.templates.len() > 60;
                let which =
                    if many { step % self.templates.len() } else { self.draw.below(self.templates.len()) };
                for _ in 0..=self.draw.below(if many { 1 } else { 4 }) {
                    self.place_new(which)?;
                }
            }
        }
        Ok(())
    }

    fn place_new(&mut self, which: usize) -> Result<(), String> {
        let pod = Pod { name: self.name("p"), ..self.templates[which].clone() };
        let name = pod.full_name();
        self.put_pod(pod);
        self.place(&name)?;
        if self.twin.pods[&name].node.is_empty() && self.draw.percent(70) {
            self.delete_pod(&name);
        }
        Ok(())
    }

    /// Lets both place a pod.
    fn place(&mut self, name: &str) -> Result<(), String> {
        let document = self.twin.pods[name].document();
        let answers = self.world.take(&json!({"op": "schedule", "pod": name})).expect("the pod waits");
        let port = &answers[0].1;
        let (answer, explained) = self.twin.schedule(name);
        if said(port) != answer {
            return Err(describe(name, &document, port, &answer, &explained));
        }
        let found = self.world.scheduler().found();
        self.tally.pods += 1;
        if answer.node.is_some() {
            let indexed = found.feasible.is_empty() && found.feasible_count > 0;
            self.tally.placed += 1;
            self.tally.indexed += usize::from(indexed);
            let looks = self.sort.services || self.twin.pods[name].looks_at_pods();
            self.tally.social += usize::from(indexed && looks && self.twin.nodes.len() >= 100);
            self.tally.sampled += usize::from(answer.evaluated < self.twin.nodes.len());
        }
        Ok(())
    }

    fn try_again(&mut self) -> Result<(), String> {
        let waiting = self.twin.pods.values().find(|pod| pod.node.is_empty()).map(Pod::full_name);
        waiting.map_or(Ok(()), |name| self.place(&name))
    }

    fn add_node(&mut self) {
        // A name comes back now and then.
        let free =
            (0..20).map(|number| format!("n{number}")).find(|name| !self.twin.nodes.contains_key(name));
        let name = free.unwrap_or_else(|| self.name("m"));
        let node = self.sort.node(&mut self.draw, name);
        self.put_node(node);
    }

    fn delete_some_node(&mut self) {
        let Some(name) = self.some_node() else { return };
        if self.draw.percent(60) {
            let pods = self.twin.pods.values().filter(|pod| pod.node == name);
            for pod in pods.map(Pod::full_name).collect::<Vec<_>>() {
                self.delete_pod(&pod);
            }
        }
        let old = self.twin.nodes[&name].clone();
        self.delete("Node", "", &name);
        self.twin.delete_node(&name);
        match self.draw.below(4) {
            0 => self.put_node(old),
            1 => {
                let node = self.sort.node(&mut self.draw, name);
                self.put_node(node);
            }
            _ => {}
        }
    }

    fn change_some_node(&mut self) {
        let Some(name) = self.some_node() else { return };
        let mut node = self.twin.nodes[&name].clone();
        match self.draw.below(5) {
            0 => self.sort.relabel(&mut self.draw, &mut node),
            1 => self.sort.taint(&mut self.draw, &mut node),
            2 => node.unschedulable = !node.unschedulable,
            3 => node.allocatable[0].1 = 500 * (1 + node.allocatable[0].1 / 500),
            _ => draw::supply(&mut self.draw, &mut node),
        }
        if node != self.twin.nodes[&name] {
            self.put_node(node);
        }
    }

    fn relabel_some_node(&mut self) {
        let Some(name) = self.some_node() else { return };
        let mut node = self.twin.nodes[&name].clone();
        self.sort.relabel(&mut self.draw, &mut node);
        if node != self.twin.nodes[&name] {
            self.put_node(node);
        }
    }

    fn add_bound_pod(&mut self) {
        let Some(node) = self.some_node() else { return };
        let name = self.name("b");
        let mut pod = Pod { name, node, ..self.draw.pick(&self.templates).clone() };
        // A bound pod takes a port that is in use, and then the original counts that port once for both: the first
        // of them that goes frees it. The twin looks at the pods that are there.
        for container in pod.containers.iter_mut().chain(&mut pod.init_containers) {
            container.ports.clear();
        }
        self.put_pod(pod);
    }

    fn delete_some_pod(&mut self) {
        if let Some(name) = self.some_pod() {
            self.delete_pod(&name);
        }
    }

    fn relabel_some_pod(&mut self) {
        let Some(name) = self.some_pod() else { return };
        let labels = draw::pod_labels(&mut self.draw);
        let pod = self.twin.pods[&name].clone();
        if !pod.merged_keys() && pod.labels != labels {
            self.put_pod(Pod { labels, ..pod });
        }
    }

    fn end_some_pod(&mut self) {
        let running = self.twin.pods.values().find(|pod| !pod.node.is_empty() && !pod.terminating);
        let Some(pod) = running.cloned() else { return };
        if !pod.merged_keys() {
            self.put_pod(Pod { terminating: true, ..pod });
        }
    }

    fn add_service(&mut self) {
        let name = self.name("s");
        let service: Service = draw::service(&mut self.draw, name);
        self.apply(&service.document());
        self.twin.services.push(service);
        if self.twin.services.len() > 3 {
            let old = self.twin.services.remove(0);
            self.delete("Service", &old.namespace, &old.name);
        }
    }

    fn some_node(&mut self) -> Option<String> {
        let count = self.twin.nodes.len();
        (count > 0).then(|| self.twin.nodes.keys().nth(self.draw.below(count)).expect("a node").clone())
    }

    fn some_pod(&mut self) -> Option<String> {
        let count = self.twin.pods.len();
        (count > 0).then(|| self.twin.pods.keys().nth(self.draw.below(count)).expect("a pod").clone())
    }

    fn name(&mut self, letter: &str) -> String {
        self.named += 1;
        format!("{letter}{}", self.named)
    }

    fn put_node(&mut self, node: Node) {
        self.apply(&node.document());
        self.twin.put_node(node);
    }

    fn put_pod(&mut self, pod: Pod) {
        self.apply(&pod.document());
        self.twin.put_pod(pod);
    }

    fn delete_pod(&mut self, name: &str) {
        let (namespace, own) = name.split_once('/').expect("a full name");
        self.delete("Pod", namespace, own);
        self.twin.delete_pod(name);
    }

    fn apply(&mut self, object: &Value) {
        self.world.take(&json!({"op": "apply", "object": object})).expect("the object is good");
    }

    fn delete(&mut self, kind: &str, namespace: &str, name: &str) {
        let step = json!({"op": "delete", "kind": kind, "namespace": namespace, "name": name});
        self.world.take(&step).expect("the object is there");
    }
}

/// What the port answered; nothing is left out but zeros.
fn said(port: &Value) -> Answer {
    let count = |field: &str| usize::try_from(port[field].as_u64().unwrap_or(0)).expect("a count");
    Answer {
        node: port["node"].as_str().map(str::to_owned),
        evaluated: count("evaluated"),
        feasible: count("feasible"),
        next_start: count("nextStart"),
    }
}

fn describe(name: &str, document: &Value, port: &Value, answer: &Answer, explained: &Explained) -> String {
    let total = |own: &[i64]| own.iter().sum::<i64>();
    let mut best: Vec<&(String, Vec<i64>)> = explained.iter().collect();
    best.sort_by_key(|(_, own)| -total(own));
    let (shown, others) = best.split_at(best.len().min(8));
    let chosen = others.iter().find(|(node, _)| port["node"].as_str() == Some(node));
    let shown = shown.iter().chain(chosen);
    let scores: Vec<String> =
        shown.map(|(node, own)| format!("\n    {node} {} {own:?}", total(own))).collect();
    let plugins = scores::PLUGINS;
    format!(
        "{name} differs\n  pod {document}\n  port {port}\n  twin {answer:?}, totals and {plugins:?}:{}",
        scores.concat(),
    )
}

#[expect(clippy::disallowed_methods, reason = "a test that is told what to compare")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
