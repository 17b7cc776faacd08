//! One run of the study: pods arrive in order, each is tried once, nothing departs.
//!
//! Machines and pods are written as manifests and read like anybody's; search and choice are those of the
//! scheduler. There is no queue: the study asks for each pod once and drops those that do not fit.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::{EntityKey, Purpose, Row, Symbol, Timestamp};
use crate::control::kubernetes::api::{Object, PriorityClasses, Reading, Stage};
use crate::control::kubernetes::objects::{Pod, Specs};
use crate::control::kubernetes::scheduler::algorithm::schedule;
use crate::control::kubernetes::scheduler::framework::Order as Points;
use crate::control::kubernetes::scheduler::plugins::node_affinity::NodeAffinity;
use crate::control::kubernetes::scheduler::plugins::node_resources_balanced_allocation::NodeResourcesBalancedAllocation;
use crate::control::kubernetes::scheduler::plugins::node_resources_fit::NodeResourcesFit;
use crate::control::kubernetes::scheduler::{Choice, Cluster, Counted, Cycle, Found, Plugin, Profile};
use crate::engine::Luck;

use super::devices::{COUNT, MILLI, MODEL};
use super::fragmentation::{Fragmentation, typical};
use super::meter::{Meter, Outcome};
use super::plugin::GpuShare;
use super::policy::Policy;
use super::trace::{Machine, Order, Shape, Trace};

/// A node takes so many pods.
const PODS_MAX: u32 = 1001;

/// Runs a trace in an order under a policy. `seed` matters to [`Policy::Random`] alone.
///
/// ```
/// use windtunnel::study::openb::{Order, Policy, Trace, run};
/// let machines = "sn,cpu_milli,memory_mib,gpu,model\na,8000,8192,1,T4\nb,8000,8192,1,T4\n";
/// let pods = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\np,1000,64,1,600,\n";
/// let trace = Trace::read(machines.as_bytes(), pods.as_bytes()).unwrap();
/// let order = "kind,value\npod,0\npod,0\npod,0\nnode_rank,1\nnode_rank,0\n";
/// let order = Order::read(order.as_bytes(), &trace).unwrap();
/// let outcome = run(&trace, &order, Policy::BestFit, 1);
/// assert_eq!((outcome.arrivals, outcome.placed, outcome.allocated_milli), (3, 2, 1200));
/// ```
pub fn run(trace: &Trace, order: &Order, policy: Policy, seed: u64) -> Outcome {
    let mut site = Site::new(trace, order, policy);
    let pods = site.read_pods(&trace.pods);
    let mut meter = Meter::new(trace.capacity_milli());
    let mut outcome = Outcome { capacity_milli: trace.capacity_milli(), ..Outcome::default() };
    let luck = Luck::new(seed);
    for (arrival, &pod) in order.arrivals.iter().enumerate() {
        if policy == Policy::Random {
            site.shuffle(luck, arrival);
        }
        let asked = trace.pods[pod].milli * trace.pods[pod].devices;
        outcome.arrivals += 1;
        if site.arrive(Row::at(arrival), pods[pod]) {
            outcome.placed += 1;
            outcome.allocated_milli += asked;
        }
        meter.arrived(asked, outcome.allocated_milli, site.gpus.column().fragmentation);
    }
    let column = site.gpus.column();
    outcome.devices_touched = column.all().iter().map(super::devices::Gpus::touched).sum();
    outcome.fragmented_milli = rounded_f64(column.fragmentation);
    outcome.points = meter.points();
    outcome
}

/// The machines, and who chooses among them.
struct Site {
    specs: Specs,
    cluster: Cluster,
    profile: Profile,
    gpus: GpuShare,
    found: Found,
    start: usize,
}

impl Site {
    fn new(trace: &Trace, order: &Order, policy: Policy) -> Self {
        let mut specs = Specs::default();
        let gpus = GpuShare::new(policy, Fragmentation::new(&typical(&trace.pods)), &mut specs.symbols);
        let mut profile = profile(policy, &gpus, specs.symbols.intern("openb"));
        profile.ranks = Some(order.ranks.clone());
        let found = Found { brief: true, wordless: true, ..Found::default() };
        let mut site = Site { specs, cluster: Cluster::default(), profile, gpus, found, start: 0 };
        for machine in &trace.machines {
            let Object::Node(node) = site.read("Node", &node_manifest(machine)) else {
                unreachable!("a node is read from a node")
            };
            let row = site.cluster.add_node(&site.specs, node.name, node.spec);
            site.profile.node_changed(&site.specs, &site.cluster, &site.cluster[row]);
        }
        site
    }

    /// The pods of a trace, by number.
    fn read_pods(&mut self, shapes: &[Shape]) -> Vec<Pod> {
        let mut known = BTreeMap::new();
        let mut read = |shape| match self.read("Pod", &pod_manifest(shape)) {
            Object::Pod(pod) => pod,
            other => unreachable!("a manifest of a pod is read as {other:?}"),
        };
        shapes.iter().map(|shape| *known.entry(shape).or_insert_with(|| read(shape))).collect()
    }

    fn read(&mut self, kind: &str, manifest: &Value) -> Object {
        let classes = PriorityClasses::default();
        let mut reading = Reading { specs: &mut self.specs, classes: &classes };
        reading.read(kind, manifest, Stage::Create).expect("manifests of the study are good")
    }

    /// Tries a pod once; says whether it has a node now.
    fn arrive(&mut self, row: Row<Pod>, pod: Pod) -> bool {
        let Site { specs, cluster, profile, found, start, .. } = self;
        cluster.snapshot();
        let spec = &specs[pod.spec];
        let cycle = Cycle { specs, cluster, row, pod: &pod, spec, now: Timestamp::from_nanos(0) };
        let choice = schedule(profile, &cycle, start, found);
        profile.finish();
        let Choice::Node(node) = choice else { return false };
        let pod = Pod { node: Some(cluster[node].name), ..pod };
        cluster.set_pod(row, Some(pod));
        let node = cluster.add_pod(specs, row);
        profile.placed(&Counted { specs, cluster, row, pod: &pod, node: &cluster[node] });
        true
    }

    /// Gives each machine another rank.
    fn shuffle(&mut self, luck: Luck, arrival: usize) {
        let ranks = self.profile.ranks.as_mut().expect("the study ranks machines");
        let key = EntityKey::new("pod", "openb", arrival as u64);
        for (machine, rank) in (0..).zip(ranks) {
            *rank = luck.draw(Purpose::Place, key, machine);
        }
    }
}

/// The plugins of a policy: filters of kube-scheduler and the study, and one score.
fn profile(policy: Policy, gpus: &GpuShare, name: Symbol) -> Profile {
    let plugins: Vec<Box<dyn Plugin>> = vec![
        Box::new(NodeResourcesFit::default()),
        Box::new(NodeAffinity::default()),
        Box::new(gpus.clone()),
        Box::new(NodeResourcesBalancedAllocation::default()),
    ];
    let score = match policy {
        Policy::LeastAllocated => vec![(0, 1)],
        Policy::LeastAllocatedBalanced => vec![(0, 1), (2, 1)],
        Policy::KubeScheduler => vec![(0, 1), (3, 1)],
        Policy::BestFit
        | Policy::DotProd
        | Policy::GpuPacking
        | Policy::GpuClustering
        | Policy::Fgd
        | Policy::Random => vec![(2, 1)],
    };
    let pre_score = score.iter().map(|&(place, _)| place).collect();
    let filter = vec![0, 1, 2];
    let points = Points { pre_filter: filter.clone(), filter, pre_score, score, ..Points::default() };
    Profile::new(name, 100, plugins, points)
}

fn node_manifest(machine: &Machine) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": machine.name, "labels": { MODEL: machine.model } },
        "status": { "allocatable": {
            "cpu": format!("{}m", machine.cpu_milli),
            "memory": format!("{}Mi", machine.memory_mib),
            "pods": PODS_MAX.to_string(),
            COUNT: machine.devices.to_string(),
        } },
    })
}

fn pod_manifest(shape: &Shape) -> Value {
    let mut labels = json!({});
    let mut spec = json!({ "containers": [{ "name": "main", "resources": { "requests": {
        "cpu": format!("{}m", shape.cpu_milli), "memory": format!("{}Mi", shape.memory_mib),
    } } }] });
    if shape.milli > 0 {
        labels = json!({ COUNT: shape.devices.to_string(), MILLI: shape.milli.to_string() });
        let models: Vec<&str> = shape.permitted().collect();
        if !models.is_empty() {
            let card = json!({ "key": MODEL, "operator": "In", "values": models });
            let terms = json!([{ "matchExpressions": [card] }]);
            spec["affinity"] = json!({ "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": terms },
            } });
        }
    }
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "openb", "labels": labels }, "spec": spec,
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a sum of thousandths of a few thousand devices")]
fn rounded_f64(amount: f64) -> i64 {
    libm::round(amount) as i64
}
