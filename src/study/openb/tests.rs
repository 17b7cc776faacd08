//! The rules of the study row by row, and a column that stays true while pods come and go.
//!
//! The published results come out again in `tests/it/openb.rs`.

use serde_json::json;

use crate::base::mark::must_reach;
use crate::base::{Edit, Revision, Row, Symbol, Timestamp};
use crate::control::Reconciler;
use crate::control::kubernetes::api::{Object, PriorityClasses, Reading, Stage};
use crate::control::kubernetes::objects::{ClusterChange, Node, Pod, Specs};
use crate::control::kubernetes::scheduler::attempt::Outcome;
use crate::control::kubernetes::scheduler::command::SchedulerChange;
use crate::control::kubernetes::scheduler::framework::Order as Points;
use crate::control::kubernetes::scheduler::queue::QueueSettings;
use crate::control::kubernetes::scheduler::{Profile, Scheduler};

use super::devices::{Ask, COUNT, Devices, Gpus, Left, MILLI, MODEL};
use super::fragmentation::{Fragmentation, Typical, typical};
use super::plugin::GpuShare;
use super::policy::Policy;
use super::trace::{Order, Shape, Trace};

fn left(devices: &[i32]) -> Left {
    std::array::from_fn(|device| devices.get(device).copied().unwrap_or(0))
}

/// A node with 64 cores left.
fn gpus(devices: &[i32]) -> Gpus {
    Gpus { left: left(devices), devices: devices.len(), cpu_left: 64_000, ..Gpus::default() }
}

fn ask(devices: usize, milli: i32) -> Ask {
    Ask { cpu_milli: 8_000, milli, devices }
}

fn shape(devices: i64, milli: i64, models: &str) -> Shape {
    Shape { cpu_milli: 8_000, memory_mib: 1, milli, devices, models: models.to_owned() }
}

fn score(policy: Policy, gpus: &Gpus, ask: Ask) -> i64 {
    policy.score(&Fragmentation::default(), gpus, ask, || [0.5, 0.25])
}

#[test]
fn policies_score() {
    fn check(marks: &[&str], policy: Policy, gpus: &Gpus, ask: Ask, expected: i64) {
        assert_eq!(must_reach(marks, || score(policy, gpus, ask)), expected, "{policy:?} {gpus:?} {ask:?}");
    }
    // 56/128 of the cores and 1.5/8 of the devices remain: the mean is 0.3125.
    check(&["F BestFit"], Policy::BestFit, &gpus(&[1000, 1000]), ask(1, 500), 68);
    // 1/2 · 1/16 and 1/4 · 1/16: half their sum is 0.0234.
    check(&["F DotProd"], Policy::DotProd, &gpus(&[1000, 1000]), ask(1, 500), 97);
    let untouched = "F GpuPacking: an untouched node";
    check(&[untouched], Policy::GpuPacking, &gpus(&[1000, 1000]), ask(1, 500), 31);
    check(&[untouched], Policy::GpuPacking, &gpus(&[1000; 8]), ask(1, 500), 25);
    let opened = "F GpuPacking: a free device of a used node";
    check(&[opened], Policy::GpuPacking, &gpus(&[400, 1000]), ask(1, 500), 49);
    check(&[opened], Policy::GpuPacking, &gpus(&[400, 1000, 1000]), ask(2, 1000), 48);
    let used = "F GpuPacking: devices in use";
    check(&[used], Policy::GpuPacking, &gpus(&[500, 700, 1000]), ask(1, 500), 95);
    check(&[], Policy::GpuPacking, &gpus(&[500]), ask(0, 0), 0);
    let running = |kinds: &[(usize, u32)]| {
        let mut node = gpus(&[1000; 4]);
        for &(kind, pods) in kinds {
            node.kinds[kind] = pods;
        }
        node
    };
    // 25 · 4/8 is 12, and what the kinds say.
    for (kinds, expected) in
        [(&[][..], 12 + 25), (&[(0, 3)], 12 + 75), (&[(0, 3), (2, 1)], 12 + 50), (&[(2, 1)], 12)]
    {
        check(&["F GpuClustering"], Policy::GpuClustering, &running(kinds), ask(1, 500), expected);
    }
    check(&[], Policy::GpuClustering, &running(&[(0, 3)]), ask(0, 0), 0);
    check(&[], Policy::LeastAllocatedBalanced, &gpus(&[1000]), ask(1, 500), 75);
}

#[test]
fn devices_are_chosen() {
    fn check(marks: &[&str], devices: &[i32], ask: Ask, expected: &[usize]) {
        let chosen = must_reach(marks, || gpus(devices).first_choice(ask));
        let of =
            |chosen: Devices| (0..devices.len()).filter(|&device| chosen.has(device)).collect::<Vec<_>>();
        assert_eq!(of(chosen), expected, "{devices:?} {ask:?}");
    }
    let fullest = "F a share goes to the fullest device that will do";
    check(&[fullest], &[1000, 700, 600, 600, 400], ask(1, 500), &[2]);
    let by_number = "F whole devices are taken by number";
    check(&[by_number], &[900, 1000, 1000, 1000], ask(2, 1000), &[1, 2]);
    check(&[], &[1000], ask(0, 0), &[]);
}

#[test]
fn fragmentation_is_what_usual_pods_cannot_use() {
    fn check(marks: &[&str], pods: &[Shape], devices: &[i32], cpu_left: i64, expected: f64) {
        let meaning = Fragmentation::new(&typical(pods));
        let model = meaning.model("T4");
        let is = must_reach(marks, || meaning.of_upstream_f64(model, cpu_left, &left(devices)));
        assert!((is - expected).abs() < 1e-9, "{is} instead of {expected}: {pods:?} {devices:?} {cpu_left}");
    }
    let unusable = "F what a pod that fits cannot use, else all that is left";
    check(&[unusable], &[shape(1, 500, "")], &[600, 400], 8_000, 400.0);
    check(&[unusable], &[shape(2, 1000, "")], &[1000, 400], 8_000, 1400.0);
    check(&[unusable], &[shape(1, 500, "")], &[600, 400], 7_999, 1000.0);
    check(&["F a pod without devices uses none"], &[shape(0, 0, "")], &[600, 400], 8_000, 1000.0);
    check(&["F a pod that wants another model uses none"], &[shape(1, 500, "P100|G2")], &[600], 8_000, 600.0);
    check(&[unusable], &[shape(1, 500, "P100|T4")], &[600], 8_000, 0.0);
    check(&[], &[shape(0, 0, "")], &[0, 0], 8_000, 0.0);
}

#[test]
fn typical_pods_are_the_most_frequent() {
    fn check(marks: &[&str], counts: &[(i64, usize)], expected: &[i64]) {
        let pods: Vec<Shape> =
            counts.iter().flat_map(|&(milli, count)| vec![shape(1, milli, ""); count]).collect();
        let groups = must_reach(marks, || typical(&pods));
        let sizes: Vec<i64> = groups.iter().map(|group| group.shape.milli).collect();
        assert_eq!(sizes, expected, "{counts:?}");
    }
    let crosses = "F the group that crosses 95 percent counts";
    check(&[crosses], &[(100, 94), (200, 3), (300, 2), (400, 1)], &[100, 200]);
    check(&[crosses], &[(100, 95), (200, 5)], &[100]);
    check(&["F equal counts by the group, descending"], &[(100, 94), (200, 3), (300, 3)], &[100, 300]);
}

#[test]
fn a_share_takes_the_device_that_leaves_the_least() {
    let pods = [vec![shape(1, 500, ""); 50], vec![shape(1, 1000, ""); 50]].concat();
    let meaning = Fragmentation::new(&typical(&pods));
    let choose = |devices: &[i32]| {
        let mut node = gpus(devices);
        node.fragmentation = meaning.of_upstream_f64(node.model, node.cpu_left, &node.left);
        let chosen = Policy::Fgd.devices(&meaning, &node, ask(1, 500));
        (0..devices.len()).find(|&device| chosen.has(device))
    };
    let first = "F scores are compared without fraction, and the first of equals wins";
    let logistic = "F FGD: the logistic function of what fragmentation falls by";
    assert_eq!(must_reach(&[first, logistic], || choose(&[1000, 500])), Some(1));
    // Nothing but the fraction tells these apart.
    assert_eq!(must_reach(&[first], || choose(&[501, 500])), Some(0));
}

#[test]
fn requests_are_capped() {
    let pods = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\na,1,1,2,1500,\nb,1,1,0,700,\n";
    let machines = "sn,cpu_milli,memory_mib,gpu,model\n";
    let rule = "F a pod asks for a whole device at most, of each";
    let trace = must_reach(&[rule], || Trace::read(machines.as_bytes(), pods.as_bytes()).expect("a trace"));
    assert_eq!([trace.pods[0].milli, trace.pods[1].milli], [1000, 0]);
}

#[test]
fn wrong_tables_are_told_apart() {
    let machines = "sn,cpu_milli,memory_mib,gpu,model\na,1,1,1,T4\n";
    let pods = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\na,1,1,1,1000,\n";
    let trace = Trace::read(machines.as_bytes(), pods.as_bytes()).expect("a trace");
    for (table, expected) in [
        ("kind,value\npod,1\n", "row 1: the trace has no pod 1"),
        ("kind,value\npod,0\nnode,1\n", "row 2: \"node\" is neither pod nor node_rank"),
        ("kind,value\npod,0\n", "0 ranks for 1 machines"),
    ] {
        assert_eq!(Order::read(table.as_bytes(), &trace).expect_err("wrong").to_string(), expected);
    }
    let many = "sn,cpu_milli,memory_mib,gpu,model\na,1,1,9,T4\n";
    let wrong = Trace::read(many.as_bytes(), pods.as_bytes()).expect_err("too many");
    assert_eq!(wrong.to_string(), "row 1: 9 GPUs; a machine has at most 8");
    assert!(Trace::read(b"sn\nx\n".as_slice(), pods.as_bytes()).is_err());
}

/// A scheduler with the plugin, and the record that it observes.
struct Site {
    specs: Specs,
    gpus: GpuShare,
    scheduler: Scheduler,
    pods: Vec<Option<Pod>>,
}

const NOW: Timestamp = Timestamp::from_nanos(0);

impl Site {
    fn new() -> Self {
        let mut specs = Specs::default();
        let group = Typical { shape: shape(1, 500, ""), count: 1, weight: 1.0 };
        let gpus = GpuShare::new(Policy::BestFit, Fragmentation::new(&[group]), &mut specs.symbols);
        let points =
            Points { pre_filter: vec![0], filter: vec![0], score: vec![(0, 1)], ..Points::default() };
        let name = specs.symbols.intern("default-scheduler");
        let profile = Profile::new(name, 100, vec![Box::new(gpus.clone())], points);
        let scheduler = Scheduler::new(NOW, vec![profile], QueueSettings::default());
        Site { specs, gpus, scheduler, pods: Vec::new() }
    }

    fn read(&mut self, document: &serde_json::Value) -> Object {
        let classes = PriorityClasses::default();
        let mut reading = Reading { specs: &mut self.specs, classes: &classes };
        let kind = document["kind"].as_str().expect("a kind");
        reading.read(kind, document, Stage::Create).expect("a good object")
    }

    fn node(&mut self, number: usize, old: Option<Node>, devices: u32) -> Node {
        let room = json!({ "cpu": "64", "memory": "64Gi", "pods": "10", COUNT: devices.to_string() });
        let name = format!("node-{number}");
        let Object::Node(node) = self.read(&json!({
            "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": { MODEL: "T4" } },
            "status": { "allocatable": room },
        })) else {
            panic!("a node")
        };
        let row = Row::at(number);
        let edit = Edit { row, revision: Revision::default(), old: old.as_ref(), new: Some(&node) };
        self.scheduler.observe(NOW, SchedulerChange::Cluster(ClusterChange::Node(edit), &self.specs));
        node
    }

    fn pod(&mut self, devices: &str, milli: &str, cpu: &str) -> Pod {
        let name = format!("pod-{}", self.pods.len());
        let container = json!({ "name": "main", "resources": { "requests": { "cpu": cpu } } });
        let labels = json!({ COUNT: devices, MILLI: milli });
        let Object::Pod(pod) = self.read(&json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "uid": name, "labels": labels },
            "spec": { "containers": [container] },
        })) else {
            panic!("a pod")
        };
        pod
    }

    fn set(&mut self, number: usize, new: Option<Pod>) {
        let old = std::mem::replace(&mut self.pods[number], new);
        let (row, new) = (Row::at(number), self.pods[number].as_ref());
        let edit = Edit { row, revision: Revision::default(), old: old.as_ref(), new };
        self.scheduler.observe(NOW, SchedulerChange::Cluster(ClusterChange::Pod(edit), &self.specs));
    }

    /// Schedules a new pod: the node that it counts on, or why there is none.
    fn arrive(&mut self, devices: &str, milli: &str) -> Result<Symbol, String> {
        let pod = self.pod(devices, milli, "1");
        self.pods.push(None);
        self.set(self.pods.len() - 1, Some(pod));
        let pod = self.scheduler.pop().expect("it waits");
        let attempt = self.scheduler.attempt(NOW, &self.specs, pod, &mut |_, _| 0, &mut Vec::new());
        match attempt.outcome {
            Outcome::Scheduled(node) => Ok(node),
            Outcome::Unschedulable | Outcome::Error | Outcome::Skipped => Err(attempt.message),
        }
    }

    fn left(&self, node: usize) -> Left {
        self.gpus.column().gpus(Row::at(node)).left
    }

    fn fragmentation(&self) -> f64 {
        self.gpus.column().fragmentation
    }
}

#[test]
fn the_column_follows_pods_that_come_and_go() {
    let mut site = Site::new();
    let node = site.node(0, None, 2);
    let first = site.arrive("1", "600").expect("there is room");
    site.arrive("1", "300").expect("there is room");
    assert_eq!(site.left(0), left(&[100, 1000]), "the share goes where the other is");
    assert!((site.fragmentation() - 100.0).abs() < 1e-9);
    // What is confirmed stays where it is, though another device would be chosen by now.
    let bound = site.pods[0].map(|pod| Pod { node: Some(first), ..pod });
    site.set(0, bound);
    assert_eq!(site.left(0), left(&[100, 1000]));
    // A change of labels that means nothing to the devices leaves them alone; a pod that goes frees them.
    site.set(0, bound.map(|pod| Pod { started_at: Some(NOW), ..pod }));
    assert_eq!(site.left(0), left(&[100, 1000]));
    site.set(0, None);
    assert_eq!(site.left(0), left(&[700, 1000]));
    // An assumed pod that is deleted gives its devices back.
    site.set(1, None);
    assert_eq!(site.left(0), left(&[1000, 1000]));
    assert!(site.fragmentation().abs() < 1e-9);
    site.arrive("2", "1000").expect("there is room");
    assert_eq!(site.left(0), left(&[0, 0]));
    // A node that changes is written down anew, with the pods that are on it.
    site.node(0, Some(node), 4);
    assert_eq!(site.left(0), left(&[0, 0, 1000, 1000]));
}

#[test]
fn a_pod_on_a_node_that_is_not_known_yet_holds_its_devices_when_the_node_comes() {
    let mut site = Site::new();
    let pod = site.pod("1", "250", "1");
    let name = site.specs.symbols.intern("node-0");
    site.pods.push(None);
    site.set(0, Some(Pod { node: Some(name), ..pod }));
    site.node(0, None, 1);
    assert_eq!(site.left(0), left(&[750]));
    site.set(0, None);
    assert_eq!(site.left(0), left(&[1000]));
}

#[test]
fn refusals_are_worded() {
    let mut site = Site::new();
    site.node(0, None, 1);
    site.node(1, None, 2);
    site.arrive("1", "700").expect("there is room");
    site.arrive("1", "700").expect("there is room");
    let said = site.arrive("2", "1000").expect_err("too much");
    assert_eq!(said, "0/2 nodes are available: 1 Insufficient GPU shares, 1 too few GPUs.");
    for (devices, milli) in [("one", "500"), ("2", "500"), ("9", "1000"), ("1", "1001"), ("1", "0")] {
        let said = site.arrive(devices, milli).expect_err("nonsense");
        assert!(said.contains("must be 1 to 8"), "{said}");
    }
}
