//! Tests of pods on a fixed set of nodes, on clusters made by hand.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::fixture::{Fixture, START};
use crate::base::mark::must_reach;
use crate::base::turn::Nobody;
use crate::base::{Bytes, EntityKey, Name, Row, Span, Timestamp};
use crate::control::kubernetes::api::config::Configuration;
use crate::control::kubernetes::api::{Object, PriorityClasses, Reading, Stage};
use crate::control::kubernetes::objects::{Node, Pod, Specs};
use crate::control::kubernetes::scheduler::profile::Registry;
use crate::engine::Quantiles;
use crate::sim::event::Event;
use crate::sim::fact::{Fact, Observer};
use crate::sim::kubernetes::{KubernetesPlan, KubernetesSettings, PlannedNode, PodArrival, PodFact, PodLife};
use crate::sim::plan::{Machine, Plan};
use crate::sim::simulation::run;
use crate::workload::Arrivals;
use crate::world::registry::{Behaviour, Image, Layer};

/// A cluster under construction: nodes are those of the fixture's pool.
pub(crate) struct Cluster {
    plan: Plan,
    cluster: KubernetesPlan,
}

impl Cluster {
    /// So many nodes of 2 cores and 8 GiB, over three zones.
    pub(crate) fn new(run_for: Span, nodes: u64) -> Self {
        let mut plan = Fixture::new(run_for).pool("node", 0).plan;
        plan.pools.clear();
        let mut specs = Specs { symbols: plan.definitions.symbols.clone(), ..Specs::default() };
        let image = specs.symbols.intern("app:1");
        let layer = Layer { digest: 1, compressed: Bytes::new(100_000_000) };
        plan.registry.push(image, Image { layers: [layer].into(), behaviour: Behaviour::steady() });
        let configuration = Configuration::standard(&mut specs.symbols);
        let of = specs.symbols.intern("node");
        let nodes = (0..nodes)
            .map(|serial| {
                let class = Row::at(usize::try_from(serial % 3).expect("small"));
                let zone = ["a", "b", "c"][class.index()];
                let amounts = json!({"cpu": "2", "memory": "8Gi", "pods": "110"});
                let document = json!({"metadata": {"name": format!("node-{serial}"), "labels": {
                    "kubernetes.io/hostname": format!("node-{serial}"),
                    "topology.kubernetes.io/zone": zone}},
                    "status": {"allocatable": amounts, "capacity": amounts}});
                let Object::Node(node) = read(&mut specs, "Node", &document) else { panic!("a node") };
                let key = EntityKey::new("machine", "node", serial);
                let machine = Machine { key, name: Name { of, serial }, class, requested: START };
                PlannedNode { node: Node { key, ..node }, machine, billed: true }
            })
            .collect();
        let cluster = KubernetesPlan {
            specs,
            configuration,
            plugins: Registry::default(),
            objects: Vec::new(),
            nodes,
            pods: Vec::new(),
            settings: KubernetesSettings::instant(),
        };
        Cluster { plan, cluster }
    }

    /// `count` pods of this spec at `at`, whose work takes so long, and which are deleted so long after.
    pub(crate) fn pods(
        mut self,
        name: &str,
        at: Span,
        count: u32,
        spec: &Value,
        after: (Option<Span>, Option<Span>),
    ) -> Self {
        let document = json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": spec});
        let Object::Pod(template) = read(&mut self.cluster.specs, "Pod", &document) else { panic!("a pod") };
        let constant = |span: Option<Span>| span.map(|span| Quantiles::constant(span.as_nanos()));
        self.cluster.pods.push(PodArrival {
            name: self.cluster.specs.symbols.intern(name),
            first: 0,
            alone: false,
            arrivals: Arrivals {
                key: EntityKey::new("arrivals", name, 0),
                gaps: Quantiles::constant(0).into(),
                first: START + at,
                until: self.plan.end,
                count_max: 1,
            },
            count,
            template: Pod { ..template },
            takes: constant(after.0),
            deleted_after: constant(after.1),
        });
        self
    }

    /// Something else that is there from the start.
    fn object(mut self, kind: &str, document: &Value) -> Self {
        let object = read(&mut self.cluster.specs, kind, document);
        self.cluster.objects.push(object);
        self
    }

    /// Changes how the one application behaves.
    fn behaves(&mut self, change: impl FnOnce(&mut Behaviour)) {
        let name = self.cluster.specs.symbols.intern("app:1");
        let mut image = self.plan.registry.find(name).expect("there is one image").clone();
        change(&mut image.behaviour);
        self.plan.registry.push(name, image);
    }

    pub(crate) fn plan(self) -> Plan {
        let Cluster { mut plan, cluster } = self;
        plan.definitions.symbols = cluster.specs.symbols.clone();
        plan.kubernetes = Some(Box::new(cluster));
        plan
    }
}

fn read(specs: &mut Specs, kind: &str, document: &Value) -> Object {
    let classes = PriorityClasses::default();
    Reading { specs, classes: &classes }.read(kind, document, Stage::Create).expect("it is ours")
}

/// Writes facts of pods as `3s bound web-0 node-1` lines.
#[derive(Default)]
struct Log(String);

impl Observer for Log {
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        let named = |name: Name| format!("{}-{}", plan.definitions.symbols.text(name.of), name.serial);
        let Fact::Pod(fact) = *fact else { return };
        let pod = |pod: &PodLife| named(pod.name);
        let who = match fact {
            PodFact::NodeReady { .. } | PodFact::Said { .. } => return,
            PodFact::Bound(of) => {
                format!("{} {}", pod(of), of.node.map_or(String::new(), |(node, _)| named(node)))
            }
            PodFact::Waits { pod: of, message } => format!("{} {message}", pod(of)),
            PodFact::Ended(of) => format!("{} {:?}", pod(of), of.end.expect("it ended somehow")),
            PodFact::Created(of)
            | PodFact::Pulling(of)
            | PodFact::Started(of)
            | PodFact::Ready(of)
            | PodFact::Deleted(of) => pod(of),
        };
        let kind = Fact::Pod(fact).kind();
        let _ = writeln!(self.0, "{} {kind:?} {who}", at.since(plan.start));
    }
}

fn lines(cluster: Cluster) -> String {
    let mut log = Log::default();
    run(&cluster.plan(), 1, &mut log);
    log.0
}

/// A pod of one container that wants so much CPU, with this priority.
fn wants(cpu: &str, priority: i32) -> Value {
    json!({"priority": priority, "terminationGracePeriodSeconds": 10, "restartPolicy": "Never", "containers": [
        {"name": "c", "image": "app:1", "resources": {"requests": {"cpu": cpu}}}]})
}

#[test]
fn pods_go_to_nodes_and_wait_for_room() {
    let minute = Some(Span::minutes(1));
    let cluster = Cluster::new(Span::minutes(10), 1)
        .pods("web", Span::SECOND, 2, &wants("1", 0), (None, minute))
        .pods("late", Span::seconds(2), 1, &wants("1500m", 0), (minute, None));
    let story = "1s PodCreated web-0
1s PodCreated web-1
1s PodBound web-0 node-0
1s PodBound web-1 node-0
1s PodPulling web-0
1s PodPulling web-1
2s PodCreated late-0
2s PodWaits late-0 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: \
0/1 nodes are available: 1 No preemption victims found for incoming pod.
5s PodStarted web-0
5s PodReady web-0
5s PodStarted web-1
5s PodReady web-1
1m01s PodDeleted web-0
1m01s PodDeleted web-1
1m02s PodEnded web-0 Deleted
1m02s PodEnded web-1 Deleted
1m02s PodBound late-0 node-0
1m02s PodStarted late-0
1m02s PodReady late-0
2m04s PodEnded late-0 Succeeded
";
    assert_eq!(lines(cluster), story);
}

#[test]
fn a_pod_that_matters_more_takes_the_place_of_another() {
    let mut cluster = Cluster::new(Span::minutes(10), 2)
        .pods("low", Span::SECOND, 4, &wants("1", 0), (None, None))
        .pods("high", Span::seconds(60), 1, &wants("1500m", 1000), (None, None));
    cluster.behaves(|behaviour| behaviour.shutdown = Quantiles::constant(Span::seconds(7).as_nanos()));
    let story = "1m00s PodCreated high-0
1m00s PodWaits high-0 0/2 nodes are available: 2 Insufficient cpu.
1m00s PodDeleted low-0
1m00s PodDeleted low-2
1m08s PodEnded low-0 Preempted
1m08s PodEnded low-2 Preempted
1m08s PodBound high-0 node-0
1m08s PodStarted high-0
1m08s PodReady high-0
";
    let lines = must_reach(&["K 2.17 a victim has its grace period"], || lines(cluster));
    assert!(lines.ends_with(story), "{lines}");
}

#[test]
fn a_pod_without_grace_is_gone_at_once() {
    let mut spec = wants("1500m", 0);
    spec["terminationGracePeriodSeconds"] = json!(0);
    let cluster = || {
        let mut cluster = Cluster::new(Span::minutes(10), 1)
            .pods("web", Span::SECOND, 1, &spec, (None, Some(Span::minutes(1))))
            .pods("next", Span::seconds(2), 1, &spec, (None, None));
        cluster.behaves(|behaviour| behaviour.shutdown = Quantiles::constant(Span::seconds(7).as_nanos()));
        cluster
    };
    let rule = "K 3.10 a pod without grace is gone before it has stopped";
    let lines = must_reach(&[rule], || lines(cluster()));
    let story = "1m01s PodDeleted web-0\n1m01s PodEnded web-0 Deleted\n1m01s PodBound next-0 node-0\n";
    assert!(lines.contains(story), "{lines}");
}

#[test]
fn parts_take_the_time_that_the_plan_says() {
    let mut cluster =
        Cluster::new(Span::minutes(10), 1).pods("web", Span::SECOND, 2, &wants("1", 0), (None, None));
    let settings = &mut cluster.cluster.settings;
    settings.cycle = Span::millis(10);
    settings.bind = Span::millis(40);
    settings.watch = Span::millis(100);
    let story = "1s PodCreated web-0
1s PodCreated web-1
1.040s PodBound web-0 node-0
1.050s PodBound web-1 node-0
1.140s PodPulling web-0
1.150s PodPulling web-1
5.140s PodStarted web-0
5.140s PodReady web-0
5.140s PodStarted web-1
5.140s PodReady web-1
";
    assert_eq!(lines(cluster), story);
}

/// The ends of pods: `max` ended ones are kept, and these are listed when the run ends.
fn check_collected(max: u32, mut cluster: Cluster, expected: &str) {
    cluster.cluster.settings.ended_max = max;
    let (plan, mut nobody) = (cluster.plan(), Nobody);
    let mut log = Log::default();
    let mut simulation = crate::sim::simulation::Simulation::new(&plan, 1, &mut log, &mut nobody);
    simulation.begin();
    while let Some((now, event)) = simulation.agenda.pop() {
        simulation.now = now;
        if event == Event::End {
            break;
        }
        simulation.step(event);
    }
    let cluster = simulation.cluster();
    let rows = (0..cluster.pods.len()).filter_map(|index| cluster.record.pod(Row::at(index)));
    let mut listed: Vec<&str> = rows.map(|pod| cluster.specs.symbols.text(pod.name)).collect();
    listed.sort_unstable();
    assert_eq!(listed.join(" "), expected);
}

#[test]
fn the_oldest_ended_pods_are_collected() {
    let (second, minute) = (Some(Span::SECOND), Some(Span::minutes(1)));
    let spec = wants("100m", 0);
    let cluster = || Cluster::new(Span::minutes(10), 2);
    let rule = "K 3.8 the oldest of too many ended pods is deleted";
    must_reach(&[rule], || {
        let four = cluster().pods("job", Span::SECOND, 4, &spec, (second, None));
        check_collected(1, four, "job-3");
        // By the time of their creation, not of their end.
        let long = cluster().pods("long", Span::SECOND, 1, &spec, (minute, None));
        check_collected(1, long.pods("short", Span::seconds(9), 1, &spec, (second, None)), "short-0");
        // What somebody has deleted makes room for others.
        let gone = cluster().pods("gone", Span::SECOND, 3, &spec, (second, minute));
        let both = gone.pods("kept", Span::minutes(2), 3, &spec, (second, None));
        check_collected(3, both, "kept-0 kept-1 kept-2");
    });
}

#[test]
fn a_claim_gets_a_volume_where_its_first_pod_is() {
    let mut spec = wants("1500m", 0);
    spec["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    let mut cluster = Cluster::new(Span::minutes(10), 3)
        .object(
            "StorageClass",
            &json!({"metadata": {"name": "fast"}, "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer"}),
        )
        .object(
            "PersistentVolumeClaim",
            &json!({"metadata": {"name": "data", "namespace": "default"},
            "spec": {"storageClassName": "fast", "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "10Gi"}}}}),
        )
        .pods("one", Span::SECOND, 1, &spec, (Some(Span::seconds(30)), None))
        .pods("two", Span::seconds(10), 1, &spec, (None, None));
    cluster.cluster.settings.provision = Span::seconds(5);
    let rule = "K 2.15 a provisioned volume stays in the zone of its first pod";
    let story = must_reach(&[rule], || lines(cluster));
    let waits = "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match PersistentVolume's node affinity.";
    assert!(story.contains("6s PodBound one-0 node-0"), "{story}");
    assert!(story.contains(waits), "{story}");
    assert!(story.contains("PodBound two-0 node-0"), "{story}");
}
