//! Tests of pods on a fixed set of nodes, on clusters made by hand.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::fixture::{Fixture, START};
use crate::base::{EntityKey, Name, Row, Span, Timestamp};
use crate::control::kubernetes::api::config::Configuration;
use crate::control::kubernetes::api::{Object, PriorityClasses, Reading, Stage};
use crate::control::kubernetes::objects::{Node, Pod, Specs};
use crate::control::kubernetes::scheduler::profile::Registry;
use crate::engine::Quantiles;
use crate::sim::fact::{Fact, Observer};
use crate::sim::kubernetes::{KubernetesPlan, KubernetesSettings, PlannedNode, PodArrival, PodFact, PodLife};
use crate::sim::plan::{Machine, Plan};
use crate::sim::simulation::run;
use crate::workload::Arrivals;

/// A cluster under construction: nodes are those of the fixture's pool.
pub(super) struct Cluster {
    plan: Plan,
    cluster: KubernetesPlan,
}

impl Cluster {
    /// So many nodes of 2 cores and 8 GiB, over three zones.
    pub(super) fn new(run_for: Span, nodes: u64) -> Self {
        let mut plan = Fixture::new(run_for).pool("node", 0).plan;
        plan.pools.clear();
        let mut specs = Specs { symbols: plan.definitions.symbols.clone(), ..Specs::default() };
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

    /// `count` pods at `at`, each of so many millicores and of this priority, made by `change` of a plain one.
    pub(super) fn pods(
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

    pub(super) fn plan(self) -> Plan {
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

fn wants(cpu: &str) -> Value {
    json!({"containers": [{"name": "c", "image": "app:1", "resources": {"requests": {"cpu": cpu}}}]})
}

#[test]
fn pods_go_to_nodes_and_wait_for_room() {
    let cluster = Cluster::new(Span::minutes(10), 1)
        .pods("web", Span::SECOND, 2, &wants("1"), (None, Some(Span::minutes(1))))
        .pods("late", Span::seconds(2), 1, &wants("1500m"), (None, None));
    println!("{}", lines(cluster));
}
