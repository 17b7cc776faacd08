//! Nodes: those of node groups, with the labels and amounts of an EKS node, and those of manifests.

use serde_json::{Value, json};

use super::Lowering;
use super::capacity::{Machines, plain_class};
use super::cluster::{Cluster, NAME_RULE, name_fault, numbered, text};
use crate::base::{Bytes, Cpu, EntityKey, Name, Row};
use crate::catalog::{self, Arch, InstanceType};
use crate::control::ecs::objects::InstanceClass;
use crate::control::kubernetes::api::Object;
use crate::control::kubernetes::labels_text::{key_error, value_error};
use crate::control::kubernetes::node_allocatable::{NodeAmounts, allocatable, capacity};
use crate::control::kubernetes::objects::Node;
use crate::mark;
use crate::scenario::codes::Code;
use crate::scenario::diagnostic::{Diagnostic, quoted};
use crate::scenario::import::Origin;
use crate::scenario::manifests::Stated;
use crate::scenario::schema::NodeGroup;
use crate::scenario::text::Placed;
use crate::sim::kubernetes::PlannedNode;
use crate::sim::plan::Machine;

/// The largest cluster that EKS runs.
const NODES_MAX: usize = 100_000;

/// What the nodes of a group have in common.
struct Common<'a> {
    of: &'static InstanceType,
    region: &'a str,
    group: &'a str,
    stated: &'a NodeGroup,
    has: NodeAmounts,
}

impl Lowering<'_> {
    /// The nodes of a group, spread evenly over its subnets.
    pub(super) fn node_group(&mut self, name: &Placed<String>, stated: &NodeGroup, cluster: &mut Cluster) {
        if let Some(fault) = name_fault(name) {
            self.wrong(Diagnostic::new(Code::ObjectRule, name.place, fault).hint(NAME_RULE));
            return;
        }
        self.found.extend(group_faults(stated));
        let machines = Machines {
            what: "node group",
            name,
            instance_type: &stated.instance_type,
            subnets: stated.subnets.as_deref(),
        };
        let Some(seats) = self.seats(machines) else { return };
        let count = stated.count.value;
        if cluster.nodes.len() + count as usize > NODES_MAX {
            let message = format!("more than {NODES_MAX} nodes are more than a cluster takes");
            self.wrong(Diagnostic::new(Code::TooManyTasks, stated.count.place, message));
            return;
        }
        let mut classes = Vec::new();
        for (subnet, zone) in &seats.subnets {
            let class = plain_class(seats.of, subnet, zone, &mut cluster.specs.symbols);
            classes.push((self.add_class(class, Some(seats.of)), zone));
        }
        let has = capacity(seats.of, self.calibration.tuning.cluster.root_volume);
        let region = self.region.name;
        let common = Common { of: seats.of, region, group: name, stated, has };
        let places = classes.iter().cycle().take(if classes.is_empty() { 0 } else { count as usize });
        for (serial, &(class, zone)) in (0..).zip(places) {
            let zone_id = self.zone_id(zone).unwrap_or_default();
            let document = common.document(serial, zone, zone_id);
            let read = self.read("Node", &Origin::inline(name.place), &document, cluster);
            let Some(Object::Node(node)) = read else { return };
            cluster.node_names.insert(text(&document, "name").to_owned());
            cluster.machines.insert((name.value.clone(), serial));
            self.add_node(node, (name, serial), class, cluster);
        }
    }

    /// A node of a manifest.
    pub(super) fn node_object(&mut self, stated: &Stated, node: Node, cluster: &mut Cluster) {
        let name = text(&stated.document, "name");
        let place = stated.at.find("metadata.name");
        if cluster.nodes.len() >= NODES_MAX {
            let message = format!("more than {NODES_MAX} nodes are more than a cluster takes");
            return self.wrong(Diagnostic::new(Code::TooManyTasks, place, message));
        }
        let names = [numbered(name), Some((name, 0))];
        let free = names
            .into_iter()
            .flatten()
            .find(|&(of, serial)| !cluster.machines.contains(&(of.to_owned(), serial)));
        let (Some(called), true) = (free, cluster.node_names.insert(name.to_owned())) else {
            let message = format!("a node of a group is called {} too", quoted(name));
            return self.wrong(Diagnostic::new(Code::ObjectTwice, place, message));
        };
        cluster.machines.insert((called.0.to_owned(), called.1));
        let class = self.machine_class(stated, node, cluster);
        self.add_node(node, called, class, cluster);
    }

    fn add_node(
        &mut self,
        node: Node,
        (of, serial): (&str, u64),
        class: Row<InstanceClass>,
        cluster: &mut Cluster,
    ) {
        let key = EntityKey::new("machine", of, serial);
        let name = Name { of: cluster.specs.symbols.intern(of), serial };
        let machine = Machine { key, name, class, requested: self.start };
        let billed = self.types[class.index()].is_some();
        cluster.nodes.push(PlannedNode { node: Node { key, ..node }, machine, billed });
    }

    /// The class of the machine that a node is; one without a price where type or zone are not known.
    fn machine_class(&mut self, stated: &Stated, node: Node, cluster: &mut Cluster) -> Row<InstanceClass> {
        let label = |keys: [&str; 2]| {
            let labels = &stated.document["metadata"]["labels"];
            keys.into_iter().find_map(|key| labels[key].as_str()).unwrap_or_default().to_owned()
        };
        let of = label(["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"]);
        let zone = label(["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"]);
        let in_region = self.region.zones.iter().any(|known| known.name == zone);
        let priced = |of: &&'static InstanceType| in_region && self.region.on_demand(of).is_some();
        let known = catalog::instance_type(&of).filter(priced);
        if known.is_none() {
            cluster.once.unbilled.push(stated.at.find("metadata.name"));
        }
        let has = &cluster.specs[node.spec].allocatable;
        let key = (of, zone, has.cpu, has.memory);
        if let Some(&class) = cluster.machine_classes.get(&key) {
            return class;
        }
        let symbols = &mut cluster.specs.symbols;
        let class = match known {
            Some(of) => plain_class(of, "", &key.1, symbols),
            None => InstanceClass {
                instance_type: symbols.intern(&key.0),
                zone: symbols.intern(&key.1),
                subnet: symbols.intern(""),
                capacity_provider: None,
                attributes: Box::default(),
                cpu: Cpu::millicores(key.2.clamp(0, i64::from(u32::MAX))),
                memory: Bytes::new(key.3.max(0)),
                gpus: 0,
                interfaces: 0,
                reserved_ports: Box::default(),
                agent_version: symbols.intern(""),
            },
        };
        let class = self.add_class(class, known);
        cluster.machine_classes.insert(key, class);
        class
    }
}

impl Common<'_> {
    /// The Node object, as an EKS node registers itself.
    fn document(&self, serial: u64, zone: &str, zone_id: &str) -> Value {
        let name = format!("{}-{serial}", self.group);
        let mut labels = automatic_labels(self.of, self.region, self.group);
        let own = [
            ("kubernetes.io/hostname", name.as_str()),
            ("topology.kubernetes.io/zone", zone),
            ("failure-domain.beta.kubernetes.io/zone", zone),
            ("topology.k8s.aws/zone-id", zone_id),
        ];
        labels.extend(own.map(|(key, value)| (key.to_owned(), value.to_owned())));
        labels.extend(self.stated.labels.iter().map(|(key, value)| (key.value.clone(), value.value.clone())));
        let taints: Vec<Value> = self
            .stated
            .taints
            .iter()
            .map(|taint| {
                let value = taint.value.as_ref().map_or("", |value| value.as_str());
                json!({ "key": *taint.key, "value": value, "effect": taint.effect.as_str() })
            })
            .collect();
        let labels: serde_json::Map<String, Value> =
            labels.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
        json!({
            "metadata": { "name": name, "labels": labels },
            "spec": { "taints": taints },
            "status": { "capacity": self.amounts(self.has), "allocatable": self.amounts(allocatable(self.has)) },
        })
    }

    fn amounts(&self, amounts: NodeAmounts) -> Value {
        let NodeAmounts { cpu_m, memory, ephemeral, pods, gpus } = amounts;
        let mut all = json!({
            "cpu": format!("{cpu_m}m"),
            "memory": memory.bytes(),
            "ephemeral-storage": ephemeral.bytes(),
            "pods": pods,
        });
        if let Some(name) = self.of.gpu.and_then(|gpu| device(gpu.model)) {
            all[name] = gpus.into();
        }
        all
    }
}

/// The resource that the device plugin of a maker shows; none where no maker is known.
fn device(model: &str) -> Option<&'static str> {
    let makers = [("NVIDIA", "nvidia.com/gpu"), ("AMD", "amd.com/gpu"), ("Habana", "habana.ai/gaudi")];
    makers.iter().find(|(maker, _)| model.starts_with(maker)).map(|(_, resource)| *resource)
}

/// Labels that all nodes of a group have, with their older names.
fn automatic_labels(of: &InstanceType, region: &str, group: &str) -> Vec<(String, String)> {
    mark!("K 1.6 labels of an EKS node");
    let arch = match of.arch {
        Arch::Arm64 => "arm64",
        Arch::X86_64 => "amd64",
    };
    let labels = [
        ("kubernetes.io/arch", arch),
        ("kubernetes.io/os", "linux"),
        ("node.kubernetes.io/instance-type", of.name),
        ("topology.kubernetes.io/region", region),
        ("beta.kubernetes.io/arch", arch),
        ("beta.kubernetes.io/os", "linux"),
        ("beta.kubernetes.io/instance-type", of.name),
        ("failure-domain.beta.kubernetes.io/region", region),
        ("eks.amazonaws.com/nodegroup", group),
        ("eks.amazonaws.com/capacityType", "ON_DEMAND"),
    ];
    labels.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
}

/// What is wrong with the labels and taints of a group.
fn group_faults(stated: &NodeGroup) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut pair = |key: &Placed<String>, value: Option<&Placed<String>>| {
        let error = key_error(key).map(|error| (key, error));
        let error = error.or_else(|| Some((value?, value_error(value?)?)));
        if let Some((at, error)) = error {
            let message = format!("{}: {error}", quoted(at));
            faults.push(Diagnostic::new(Code::ObjectRule, at.place, message));
        }
    };
    for (key, value) in &stated.labels {
        pair(key, Some(value));
    }
    for taint in &stated.taints {
        pair(&taint.key, taint.value.as_ref());
    }
    faults.extend(stated.labels.keys().filter(|key| is_automatic(key)).map(|key| {
        let message = format!("the nodes have the label {} already", quoted(key));
        Diagnostic::new(Code::ObjectRule, key.place, message).hint("leave it out; its value is known")
    }));
    faults
}

fn is_automatic(key: &str) -> bool {
    let of_node = [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/zone",
        "topology.k8s.aws/zone-id",
    ];
    let any = catalog::instance_type("m5.large").expect("it exists");
    of_node.contains(&key) || automatic_labels(any, "", "").iter().any(|(known, _)| known == key)
}
