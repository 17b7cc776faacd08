//! kube-scheduler on one core: pods per second of CPU time, the full default profile, 5,000 nodes.
//!
//! Clusters and pods are those of upstream's `scheduler_perf`: nodes of 4 cores and 32 GiB in three zones, pods
//! of 100m and 500 MB. A pod is written, popped, searched, bound, and its binding is heard of; the queue, the
//! caches and the events are all in the figure, an API server is not. `cargo bench --bench kube_scheduler
//! [CASE]`.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "shared/cpu.rs"]
mod cpu;

use cpu::spent;
use serde_json::{Value, json};
use windtunnel::base::{Edit, Revision, Row, Span, Timestamp};
use windtunnel::control::Reconciler;
use windtunnel::control::kubernetes::api::config::Configuration;
use windtunnel::control::kubernetes::api::{Object, PriorityClasses, Reading, Stage};
use windtunnel::control::kubernetes::objects::{ClusterChange, Node, Pod, Selecting, Specs};
use windtunnel::control::kubernetes::scheduler::Scheduler;
use windtunnel::control::kubernetes::scheduler::attempt::{Attempt, Nomination, Outcome};
use windtunnel::control::kubernetes::scheduler::command::{SchedulerChange, SchedulerCommand};
use windtunnel::control::kubernetes::scheduler::profile::{Registry, queue_settings};

/// A case: its name, nodes, pods before the clock starts, pods measured, shapes, and the bar in pods a second.
struct Case {
    name: &'static str,
    nodes: usize,
    before: usize,
    measured: usize,
    shapes: usize,
    bar: u64,
    pod: fn(usize) -> Value,
    service: bool,
    /// Pods that are measured instead: they find room only where others go.
    preemptor: Option<fn(usize) -> Value>,
}

const CASES: &[Case] = &[
    Case {
        name: "basic",
        nodes: 5_000,
        before: 1_000,
        measured: 50_000,
        shapes: 1,
        bar: 300_000,
        pod: plain,
        service: false,
        preemptor: None,
    },
    Case {
        name: "shapes_16",
        nodes: 5_000,
        before: 1_000,
        measured: 50_000,
        shapes: 16,
        bar: 100_000,
        pod: plain,
        service: false,
        preemptor: None,
    },
    Case {
        name: "shapes_16_at_100k",
        nodes: 100_000,
        before: 1_000,
        measured: 20_000,
        shapes: 16,
        bar: 40_000,
        pod: plain,
        service: false,
        preemptor: None,
    },
    Case {
        name: "default_spread",
        nodes: 5_000,
        before: 500,
        measured: 50_000,
        shapes: 1,
        bar: 50_000,
        pod: labelled,
        service: true,
        preemptor: None,
    },
    Case {
        name: "hard_spread",
        nodes: 5_000,
        before: 500,
        measured: 50_000,
        shapes: 1,
        bar: 100_000,
        pod: hard_spread,
        service: false,
        preemptor: None,
    },
    Case {
        name: "affinity",
        nodes: 5_000,
        before: 500,
        measured: 20_000,
        shapes: 1,
        bar: 20_000,
        pod: affinity,
        service: false,
        preemptor: None,
    },
    Case {
        name: "anti_affinity",
        nodes: 5_000,
        before: 500,
        measured: 4_000,
        shapes: 1,
        bar: 20_000,
        pod: anti_affinity,
        service: false,
        preemptor: None,
    },
    Case {
        name: "preemption",
        nodes: 5_000,
        before: 20_000,
        measured: 5_000,
        shapes: 1,
        bar: 20_000,
        pod: small,
        service: false,
        preemptor: Some(large),
    },
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for case in CASES {
        if wanted.is_empty() || wanted.iter().any(|word| word == case.name) {
            measure(case);
        }
    }
}

fn measure(case: &Case) {
    let mut bench = Bench::new(case);
    bench.schedule(case.before);
    if let Some(preemptor) = case.preemptor {
        bench.templates = vec![bench.read_pod(&preemptor(0))];
    }
    let before = spent();
    match case.preemptor {
        None => bench.schedule(case.measured),
        Some(_) => bench.preempt(case.measured),
    }
    let nanos = spent().saturating_sub(before).as_nanos().max(1);
    let rate = u64::try_from(case.measured as u128 * 1_000_000_000 / nanos).unwrap_or(u64::MAX);
    let verdict = if rate >= case.bar { "met" } else { "missed" };
    let (whole, parts) = (rate / case.bar, rate * 100 / case.bar % 100);
    println!("kube_{} {rate} pods/s {whole}.{parts:02} bar {verdict} (at least {})", case.name, case.bar);
}

struct Bench {
    specs: Specs,
    scheduler: Scheduler,
    templates: Vec<Pod>,
    revision: u64,
    now: Timestamp,
    /// Pods, by row.
    record: Vec<Option<Pod>>,
    rows: usize,
}

impl Bench {
    fn new(case: &Case) -> Self {
        let mut specs = Specs::default();
        let configuration = Configuration::standard(&mut specs.symbols);
        let profiles = Registry::default().profiles(&configuration, &mut specs.symbols);
        let now = Timestamp::from_nanos(0) + Span::seconds(1_000_000);
        let scheduler = Scheduler::new(now, profiles, queue_settings(&configuration));
        let mut bench =
            Bench { specs, scheduler, templates: Vec::new(), revision: 0, now, record: Vec::new(), rows: 0 };
        for number in 0..case.nodes {
            let Object::Node(node) = bench.read("Node", &node(number)) else { unreachable!() };
            bench.tell_node(&node);
        }
        if case.service {
            let service = json!({"kind": "Service", "metadata": {"name": "web", "namespace": "default"},
                "spec": {"selector": {"app": "web"}}});
            let Object::Selecting(service) = bench.read("Service", &service) else { unreachable!() };
            bench.tell_service(&service);
        }
        for shape in 0..case.shapes {
            let pod = bench.read_pod(&(case.pod)(shape));
            bench.templates.push(pod);
        }
        bench
    }

    fn read(&mut self, kind: &str, document: &Value) -> Object {
        let classes = PriorityClasses::default();
        let mut reading = Reading { specs: &mut self.specs, classes: &classes };
        reading.read(kind, document, Stage::Create).expect("it is ours")
    }

    fn read_pod(&mut self, document: &Value) -> Pod {
        let Object::Pod(pod) = self.read("Pod", document) else { unreachable!() };
        pod
    }

    fn tell_node(&mut self, node: &Node) {
        let edit = Edit { row: Row::at(self.rows), revision: self.next(), old: None, new: Some(node) };
        self.scheduler.observe(self.now, SchedulerChange::Cluster(ClusterChange::Node(edit), &self.specs));
        self.rows += 1;
    }

    fn tell_service(&mut self, service: &Selecting) {
        let edit = Edit { row: Row::at(self.rows), revision: self.next(), old: None, new: Some(service) };
        self.scheduler
            .observe(self.now, SchedulerChange::Cluster(ClusterChange::Selecting(edit), &self.specs));
        self.rows += 1;
    }

    /// Tells what became of a pod; none when it is gone.
    fn tell_pod(&mut self, row: Row<Pod>, new: Option<Pod>) {
        let old = std::mem::replace(&mut self.record[row.index()], new);
        let edit = Edit { row, revision: self.next(), old: old.as_ref(), new: new.as_ref() };
        self.scheduler.observe(self.now, SchedulerChange::Cluster(ClusterChange::Pod(edit), &self.specs));
    }

    fn next(&mut self) -> Revision {
        self.revision += 1;
        Revision(self.revision)
    }

    fn schedule(&mut self, pods: usize) {
        for _ in 0..pods {
            self.create();
            let attempt = self.attempt();
            self.bind(&attempt);
        }
    }

    /// Pods that fail, whose victims go at once, and that then find their place.
    fn preempt(&mut self, pods: usize) {
        for _ in 0..pods {
            let row = self.create();
            let attempt = self.attempt();
            let mut out = Vec::new();
            self.scheduler.settle(self.now, &self.specs, &attempt, &mut out);
            self.scheduler.finish_preemption(self.now, &self.specs, &mut out);
            let Nomination::Node(node) = attempt.nomination else { panic!("{}", attempt.message) };
            let pod = self.record[row.index()].expect("it waits");
            self.tell_pod(row, Some(Pod { nominated: Some(node), ..pod }));
            for (_, command) in out {
                if let SchedulerCommand::Evict { pod, .. } = command {
                    self.tell_pod(pod.row, None);
                }
            }
            self.now += Span::seconds(2);
            self.scheduler.flush_backoff(self.now);
            let attempt = self.attempt();
            self.bind(&attempt);
        }
    }

    /// Writes a pod into the record.
    fn create(&mut self) -> Row<Pod> {
        self.now += Span::millis(1);
        let number = self.record.len();
        let template = self.templates[number % self.templates.len()];
        // Pods are told apart by their uid: numbers that the cluster uses for nothing else.
        let uid = self.specs.symbols.intern(&format!("uid-{number}"));
        let row = Row::at(number);
        self.record.push(None);
        self.tell_pod(row, Some(Pod { uid, name: uid, ..template }));
        row
    }

    fn attempt(&mut self) -> Attempt {
        let hand = self.scheduler.pop().expect("a pod waits");
        // Where the search for victims begins: anywhere.
        let offset = (self.record.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        self.scheduler.attempt(self.now, &self.specs, hand, &mut |_, _| offset, &mut Vec::new())
    }

    fn bind(&mut self, attempt: &Attempt) {
        let Outcome::Scheduled(node) = attempt.outcome else { panic!("{}", attempt.message) };
        self.scheduler.bind(attempt, node, &mut Vec::new());
        let row = attempt.pod.row;
        let pod = self.record[row.index()].expect("it was placed");
        self.tell_pod(row, Some(Pod { node: Some(node), nominated: None, ..pod }));
    }
}

fn node(number: usize) -> Value {
    let amounts = json!({"cpu": "4", "memory": "32Gi", "pods": "110"});
    json!({"kind": "Node", "metadata": {"name": format!("node-{number}"), "labels": {
        "kubernetes.io/hostname": format!("node-{number}"),
        "topology.kubernetes.io/region": "r", "topology.kubernetes.io/zone": format!("zone-{}", number % 3)}},
        "status": {"allocatable": amounts, "capacity": amounts}})
}

/// A pod of one of several shapes; they differ in what they request by a little.
fn plain(shape: usize) -> Value {
    json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": {"containers": [
        {"name": "c", "image": "app:1", "resources": {"requests":
            {"cpu": format!("{}m", 10 + shape), "memory": "50M"}}}]}})
}

/// Four of these fill a node as far as a pod of their size is concerned.
fn small(_: usize) -> Value {
    sized("900m", 0)
}

/// Three small pods must go for it.
fn large(_: usize) -> Value {
    sized("3", 10)
}

fn sized(cpu: &str, priority: i32) -> Value {
    json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": {
        "priority": priority, "containers": [{"name": "c", "image": "app:1", "resources": {"requests":
            {"cpu": cpu, "memory": "500Mi"}}}]}})
}

fn labelled(shape: usize) -> Value {
    let mut pod = plain(shape);
    pod["metadata"]["labels"] = json!({"app": "web"});
    pod
}

fn hard_spread(shape: usize) -> Value {
    let mut pod = labelled(shape);
    pod["spec"]["topologySpreadConstraints"] = json!([{"maxSkew": 5, "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}}}]);
    pod
}

fn affinity(shape: usize) -> Value {
    let mut pod = labelled(shape);
    pod["spec"]["affinity"] = json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "topology.kubernetes.io/zone", "labelSelector": {"matchLabels": {"app": "web"}}}]}});
    pod
}

fn anti_affinity(shape: usize) -> Value {
    let mut pod = labelled(shape);
    pod["spec"]["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}]}});
    pod
}
