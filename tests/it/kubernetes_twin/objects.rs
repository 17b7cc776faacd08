//! Objects as plain text and numbers, and how they are written for the port.

use serde_json::{Map, Value, json};

/// Names and values.
pub(super) type Labels = Vec<(String, String)>;
/// Of each resource so much: cpu in thousandths, everything else in ones.
pub(super) type Amounts = Vec<(String, i64)>;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) labels: Labels,
    pub(super) taints: Vec<Taint>,
    pub(super) unschedulable: bool,
    pub(super) allocatable: Amounts,
    pub(super) images: Vec<Image>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Taint {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) effect: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Image {
    pub(super) names: Vec<String>,
    pub(super) size: i64,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Pod {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) labels: Labels,
    pub(super) init_containers: Vec<Container>,
    pub(super) containers: Vec<Container>,
    pub(super) image_volumes: Vec<String>,
    /// Requests of the pod as a whole.
    pub(super) whole: Amounts,
    pub(super) overhead: Amounts,
    pub(super) host_network: bool,
    pub(super) node_selector: Labels,
    pub(super) required_nodes: Option<Vec<NodeTerm>>,
    pub(super) preferred_nodes: Vec<(i64, NodeTerm)>,
    pub(super) tolerations: Vec<Toleration>,
    pub(super) spread: Vec<Spread>,
    pub(super) affinity: Vec<PodTerm>,
    pub(super) anti_affinity: Vec<PodTerm>,
    pub(super) preferred_affinity: Vec<(i64, PodTerm)>,
    pub(super) preferred_anti_affinity: Vec<(i64, PodTerm)>,
    /// Empty while it waits.
    pub(super) node: String,
    pub(super) terminating: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Container {
    pub(super) image: String,
    pub(super) sidecar: bool,
    pub(super) requests: Amounts,
    pub(super) limits: Amounts,
    pub(super) ports: Vec<Port>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Port {
    pub(super) container: i64,
    /// Zero when none is asked for.
    pub(super) host: i64,
    /// May be empty.
    pub(super) address: String,
    /// May be empty.
    pub(super) protocol: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Requirement {
    pub(super) key: String,
    pub(super) operator: &'static str,
    pub(super) values: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct NodeTerm {
    pub(super) expressions: Vec<Requirement>,
    pub(super) fields: Vec<Requirement>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Toleration {
    pub(super) key: String,
    pub(super) operator: &'static str,
    pub(super) value: String,
    pub(super) effect: String,
}

/// A selector; without one nothing is selected, an empty one selects everything.
pub(super) type Selector = Option<Vec<Requirement>>;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Spread {
    pub(super) max_skew: i64,
    pub(super) key: String,
    pub(super) hard: bool,
    pub(super) selector: Selector,
    pub(super) label_keys: Vec<String>,
    pub(super) domains_min: Option<usize>,
    pub(super) honors_affinity: bool,
    pub(super) honors_taints: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct PodTerm {
    pub(super) key: String,
    pub(super) selector: Selector,
    pub(super) namespaces: Vec<String>,
    pub(super) namespace_selector: Selector,
    pub(super) label_keys: Vec<String>,
    pub(super) mismatch_label_keys: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Service {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) selector: Labels,
}

/// The value of a label.
pub(super) fn label<'a>(labels: &'a Labels, key: &str) -> Option<&'a str> {
    labels.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}

/// How much of a resource is stated.
pub(super) fn amount(amounts: &Amounts, resource: &str) -> Option<i64> {
    amounts.iter().find(|(known, _)| known == resource).map(|(_, amount)| *amount)
}

impl Pod {
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Whether keys of labels became part of its terms when it came; a later document would lose them.
    pub(super) fn merged_keys(&self) -> bool {
        let preferred = self.preferred_affinity.iter().chain(&self.preferred_anti_affinity);
        let mut terms =
            self.affinity.iter().chain(&self.anti_affinity).chain(preferred.map(|(_, preferred)| preferred));
        terms.any(|term| !(term.label_keys.is_empty() && term.mismatch_label_keys.is_empty()))
    }

    /// Whether other pods matter to it.
    pub(super) fn looks_at_pods(&self) -> bool {
        let terms = self.affinity.len() + self.anti_affinity.len();
        let preferred = self.preferred_affinity.len() + self.preferred_anti_affinity.len();
        !self.spread.is_empty() || terms + preferred > 0
    }

    pub(super) fn document(&self) -> Value {
        let mut metadata = json!({
            "namespace": self.namespace, "name": self.name, "uid": self.full_name(),
            "labels": labels(&self.labels),
        });
        if self.terminating {
            metadata["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        let volumes = self.image_volumes.iter().enumerate();
        let volumes =
            volumes.map(|(at, image)| json!({"name": format!("v{at}"), "image": {"reference": image}}));
        let mut spec = json!({
            "preemptionPolicy": "Never",
            "initContainers": self.init_containers.iter().map(Container::document).collect::<Vec<_>>(),
            "containers": self.containers.iter().map(Container::document).collect::<Vec<_>>(),
            "volumes": volumes.collect::<Vec<_>>(),
            "hostNetwork": self.host_network,
            "nodeSelector": labels(&self.node_selector),
            "tolerations": self.tolerations.iter().map(Toleration::document).collect::<Vec<_>>(),
            "topologySpreadConstraints": self.spread.iter().map(Spread::document).collect::<Vec<_>>(),
            "overhead": amounts(&self.overhead),
            "affinity": self.affinities(),
        });
        if !self.whole.is_empty() {
            spec["resources"] = json!({"requests": amounts(&self.whole)});
        }
        if !self.node.is_empty() {
            spec["nodeName"] = json!(self.node);
        }
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Pending"}})
    }

    fn affinities(&self) -> Value {
        let mut nodes = Map::new();
        if let Some(terms) = &self.required_nodes {
            let terms: Vec<Value> = terms.iter().map(NodeTerm::document).collect();
            nodes.insert(REQUIRED.to_owned(), json!({"nodeSelectorTerms": terms}));
        }
        let preferred = self.preferred_nodes.iter();
        let preferred =
            preferred.map(|(weight, term)| json!({"weight": weight, "preference": term.document()}));
        nodes.insert(PREFERRED.to_owned(), Value::Array(preferred.collect()));
        let pods = |required: &[PodTerm], preferred: &[(i64, PodTerm)]| {
            let required: Vec<Value> = required.iter().map(PodTerm::document).collect();
            let preferred = preferred.iter();
            let preferred =
                preferred.map(|(weight, term)| json!({"weight": weight, "podAffinityTerm": term.document()}));
            json!({REQUIRED: required, PREFERRED: preferred.collect::<Vec<_>>()})
        };
        json!({
            "nodeAffinity": nodes,
            "podAffinity": pods(&self.affinity, &self.preferred_affinity),
            "podAntiAffinity": pods(&self.anti_affinity, &self.preferred_anti_affinity),
        })
    }
}

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

impl Node {
    pub(super) fn document(&self) -> Value {
        let taint = |taint: &Taint| json!({"key": taint.key, "value": taint.value, "effect": taint.effect});
        let image = |image: &Image| json!({"names": image.names, "sizeBytes": image.size});
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": self.name, "uid": self.name, "labels": labels(&self.labels)},
            "spec": {
                "unschedulable": self.unschedulable,
                "taints": self.taints.iter().map(taint).collect::<Vec<_>>(),
            },
            "status": {
                "allocatable": amounts(&self.allocatable), "capacity": amounts(&self.allocatable),
                "images": self.images.iter().map(image).collect::<Vec<_>>(),
            },
        })
    }
}

impl Container {
    fn document(&self) -> Value {
        let port = |port: &Port| {
            let mut document = json!({"containerPort": port.container});
            for (field, text) in [("hostIP", &port.address), ("protocol", &port.protocol)] {
                if !text.is_empty() {
                    document[field] = json!(text);
                }
            }
            if port.host > 0 {
                document["hostPort"] = json!(port.host);
            }
            document
        };
        let mut document = json!({
            "name": "c", "image": self.image,
            "ports": self.ports.iter().map(port).collect::<Vec<_>>(),
            "resources": {"requests": amounts(&self.requests), "limits": amounts(&self.limits)},
        });
        if self.sidecar {
            document["restartPolicy"] = json!("Always");
        }
        document
    }
}

impl Toleration {
    fn document(&self) -> Value {
        let fields = [
            ("key", self.key.as_str()),
            ("operator", self.operator),
            ("value", &self.value),
            ("effect", &self.effect),
        ];
        let stated = fields.into_iter().filter(|(_, text)| !text.is_empty());
        Value::Object(stated.map(|(field, text)| (field.to_owned(), json!(text))).collect())
    }
}

impl NodeTerm {
    fn document(&self) -> Value {
        json!({"matchExpressions": requirements(&self.expressions), "matchFields": requirements(&self.fields)})
    }
}

impl Spread {
    fn document(&self) -> Value {
        let policy = |honors: bool| if honors { "Honor" } else { "Ignore" };
        let mut document = json!({
            "maxSkew": self.max_skew, "topologyKey": self.key,
            "whenUnsatisfiable": if self.hard { "DoNotSchedule" } else { "ScheduleAnyway" },
            "matchLabelKeys": self.label_keys,
        });
        // What is the default is not said.
        if !self.honors_affinity {
            document["nodeAffinityPolicy"] = json!(policy(self.honors_affinity));
        }
        if self.honors_taints {
            document["nodeTaintsPolicy"] = json!(policy(self.honors_taints));
        }
        if let Some(least) = self.domains_min {
            document["minDomains"] = json!(least);
        }
        put_selector(&mut document, "labelSelector", &self.selector);
        document
    }
}

impl PodTerm {
    fn document(&self) -> Value {
        let mut document = json!({
            "topologyKey": self.key, "namespaces": self.namespaces,
            "matchLabelKeys": self.label_keys, "mismatchLabelKeys": self.mismatch_label_keys,
        });
        put_selector(&mut document, "labelSelector", &self.selector);
        put_selector(&mut document, "namespaceSelector", &self.namespace_selector);
        document
    }
}

impl Service {
    pub(super) fn document(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"namespace": self.namespace, "name": self.name},
            "spec": {"selector": labels(&self.selector)},
        })
    }
}

/// A namespace with labels.
pub(super) fn namespace(name: &str, own: &Labels) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels(own)}})
}

fn put_selector(document: &mut Value, field: &str, selector: &Selector) {
    let Some(all) = selector else { return };
    let (plain, others): (Vec<_>, Vec<_>) =
        all.iter().cloned().partition(|each| each.operator == "In" && each.values.len() == 1);
    // One value may be said in either way.
    let plain: Labels = plain.into_iter().map(|mut each| (each.key, each.values.remove(0))).collect();
    document[field] = json!({"matchLabels": labels(&plain), "matchExpressions": requirements(&others)});
}

fn requirements(all: &[Requirement]) -> Vec<Value> {
    let one = |each: &Requirement| json!({"key": each.key, "operator": each.operator, "values": each.values});
    all.iter().map(one).collect()
}

fn labels(all: &Labels) -> Value {
    Value::Object(all.iter().map(|(key, value)| (key.clone(), json!(value))).collect())
}

fn amounts(all: &Amounts) -> Value {
    let text = |(resource, amount): &(String, i64)| {
        let text = match resource.as_str() {
            "cpu" if amount % 1000 == 0 => format!("{}", amount / 1000),
            "cpu" => format!("{amount}m"),
            _ if *amount > 0 && amount % (1 << 20) == 0 => format!("{}Mi", amount >> 20),
            _ => amount.to_string(),
        };
        (resource.clone(), json!(text))
    };
    Value::Object(all.iter().map(text).collect())
}
