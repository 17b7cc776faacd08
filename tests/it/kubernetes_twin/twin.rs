//! The twin: what it believes, in which order it looks, and how it chooses (K 2.4 to 2.6).

use std::collections::{BTreeMap, BTreeSet};

use super::filters::Filters;
use super::objects::{Labels, Node, NodeTerm, Pod, PodTerm, Requirement, Selector, Service, label};
use super::scores;

#[derive(Default)]
pub(super) struct Twin {
    pub(super) nodes: BTreeMap<String, Node>,
    pub(super) pods: BTreeMap<String, Pod>,
    pub(super) namespaces: Vec<(String, Labels)>,
    pub(super) services: Vec<Service>,
    /// Zones as they were first seen, each with its nodes as they came.
    tree: Vec<(String, Vec<String>)>,
    /// The names of the last snapshot.
    order: Vec<String>,
    /// Of each image: its size as first reported, and the nodes that have it.
    images: BTreeMap<String, (i64, BTreeSet<String>)>,
    /// Nodes that changed since the last snapshot.
    changed: BTreeSet<String>,
    /// Of each node in the snapshot: its images, with size and number of nodes.
    seen: BTreeMap<String, BTreeMap<String, (i64, usize)>>,
    start: usize,
}

/// A node in the snapshot.
pub(super) struct View<'a> {
    pub(super) node: &'a Node,
    pub(super) pods: Vec<&'a Pod>,
    pub(super) images: &'a BTreeMap<String, (i64, usize)>,
}

/// One pod and all that it is placed by.
pub(super) struct Cycle<'a> {
    pub(super) pod: &'a Pod,
    pub(super) views: Vec<View<'a>>,
    pub(super) namespaces: &'a [(String, Labels)],
    pub(super) services: &'a [Service],
}

/// What became of a pod.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Answer {
    pub(super) node: Option<String>,
    pub(super) evaluated: usize,
    pub(super) feasible: usize,
    pub(super) next_start: usize,
}

/// Of each feasible node: the weighted score of each plugin.
pub(super) type Explained = Vec<(String, Vec<i64>)>;

impl Twin {
    pub(super) fn put_node(&mut self, node: Node) {
        let name = node.name.clone();
        match self.nodes.insert(name.clone(), node) {
            None => self.plant(&name),
            Some(old) => {
                self.forget_images(&old);
                if zone(&old) != zone(&self.nodes[&name]) {
                    self.uproot(&name);
                    self.plant(&name);
                }
            }
        }
        for image in &self.nodes[&name].images {
            for each in &image.names {
                let known = self.images.entry(each.clone()).or_insert((image.size, BTreeSet::new()));
                known.1.insert(name.clone());
            }
        }
        self.changed.insert(name);
    }

    pub(super) fn delete_node(&mut self, name: &str) {
        let old = self.nodes.remove(name).expect("the node is there");
        self.forget_images(&old);
        self.uproot(name);
    }

    pub(super) fn put_pod(&mut self, pod: Pod) {
        self.changed.insert(pod.node.clone());
        if let Some(old) = self.pods.insert(pod.full_name(), pod) {
            self.changed.insert(old.node);
        }
    }

    pub(super) fn delete_pod(&mut self, name: &str) {
        let old = self.pods.remove(name).expect("the pod is there");
        self.changed.insert(old.node);
    }

    /// Places a pod; says why.
    pub(super) fn schedule(&mut self, name: &str) -> (Answer, Explained) {
        self.snapshot();
        let mut start = self.start;
        let cycle = self.cycle(name);
        let (answer, explained) = search(&cycle, &mut start);
        self.start = start;
        if let Some(node) = &answer.node {
            let pod = self.pods.get_mut(name).expect("the pod is there");
            pod.node.clone_from(node);
            self.changed.insert(node.clone());
        }
        (answer, explained)
    }

    fn cycle<'a>(&'a self, name: &str) -> Cycle<'a> {
        let mut on_nodes: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
        for pod in self.pods.values().filter(|pod| !pod.node.is_empty()) {
            on_nodes.entry(&pod.node).or_default().push(pod);
        }
        let view = |name: &String| View {
            node: &self.nodes[name],
            pods: on_nodes.remove(name.as_str()).unwrap_or_default(),
            images: &self.seen[name],
        };
        Cycle {
            pod: &self.pods[name],
            views: self.order.iter().map(view).collect(),
            namespaces: &self.namespaces,
            services: &self.services,
        }
    }

    /// The list is made anew only when names came or went.
    fn snapshot(&mut self) {
        let known: BTreeSet<&String> = self.order.iter().collect();
        if !known.into_iter().eq(self.nodes.keys()) {
            self.order = flattened(&self.tree);
        }
        self.seen.retain(|name, _| self.nodes.contains_key(name));
        for name in std::mem::take(&mut self.changed) {
            let Some(node) = self.nodes.get(&name) else { continue };
            let names = node.images.iter().flat_map(|image| &image.names);
            let seen = names.map(|image| {
                let (size, nodes) = &self.images[image];
                (image.clone(), (*size, nodes.len()))
            });
            self.seen.insert(name, seen.collect());
        }
    }

    fn plant(&mut self, name: &str) {
        let zone = zone(&self.nodes[name]);
        match self.tree.iter_mut().find(|(known, _)| *known == zone) {
            Some((_, nodes)) => nodes.push(name.to_owned()),
            None => self.tree.push((zone, vec![name.to_owned()])),
        }
    }

    fn uproot(&mut self, name: &str) {
        for (_, nodes) in &mut self.tree {
            nodes.retain(|known| known != name);
        }
        self.tree.retain(|(_, nodes)| !nodes.is_empty());
    }

    fn forget_images(&mut self, node: &Node) {
        for name in node.images.iter().flat_map(|image| &image.names) {
            self.images.get_mut(name).expect("the image is known").1.remove(&node.name);
        }
        self.images.retain(|_, (_, nodes)| !nodes.is_empty());
    }
}

fn zone(node: &Node) -> String {
    let either = |old: &str, new: &str| {
        let found = label(&node.labels, old).or(label(&node.labels, new));
        found.unwrap_or_default().to_owned()
    };
    let region = either("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region");
    let zone = either("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone");
    format!("{region}\0{zone}")
}

/// One node of each zone in turn.
fn flattened(tree: &[(String, Vec<String>)]) -> Vec<String> {
    let longest = tree.iter().map(|(_, nodes)| nodes.len()).max().unwrap_or(0);
    let turns = (0..longest).flat_map(|turn| tree.iter().filter_map(move |(_, nodes)| nodes.get(turn)));
    turns.cloned().collect()
}

fn search(cycle: &Cycle<'_>, start: &mut usize) -> (Answer, Explained) {
    let all = cycle.views.len();
    let nowhere = Answer { node: None, evaluated: 0, feasible: 0, next_start: *start };
    let places: Vec<usize> = match named_nodes(cycle.pod) {
        _ if all == 0 => return (nowhere, Vec::new()),
        None => (0..all).collect(),
        Some(names) if names.is_empty() => return (nowhere, Vec::new()),
        Some(names) => {
            let place = |name: &String| cycle.views.iter().position(|view| view.node.name == *name);
            names.iter().filter_map(place).collect()
        }
    };
    let wanted = wanted(places.len());
    let filters = Filters::new(cycle);
    let (mut feasible, mut refused) = (Vec::new(), 0);
    for step in 0..places.len() {
        let view = &cycle.views[places[(*start + step) % places.len()]];
        if !filters.pass(view) {
            refused += 1;
        } else if feasible.len() == wanted {
            break;
        } else {
            feasible.push(view);
        }
    }
    let evaluated = feasible.len() + refused;
    *start = (*start + evaluated) % all;
    let explained = if feasible.len() > 1 { scores::all(cycle, &feasible) } else { Vec::new() };
    let winner = match feasible.len() {
        0 => None,
        1 => Some(0),
        _ => Some(root(explained.iter().map(|(_, own)| own.iter().sum()).collect())),
    };
    let node = winner.map(|winner| feasible[winner].node.name.clone());
    (Answer { node, evaluated, feasible: feasible.len(), next_start: *start }, explained)
}

/// The nodes that are named by every required term, in the order of their names.
fn named_nodes(pod: &Pod) -> Option<BTreeSet<String>> {
    let mut union = BTreeSet::new();
    let terms = pod.required_nodes.as_ref().filter(|terms| !terms.is_empty())?;
    for term in terms {
        let mut names = term.fields.iter().filter(|field| field.operator == "In");
        let mut own: BTreeSet<String> = names.next()?.values.iter().cloned().collect();
        for others in names {
            own.retain(|name| others.values.contains(name));
        }
        union.extend(own);
    }
    Some(union)
}

fn wanted(nodes: usize) -> usize {
    if nodes < 100 { nodes } else { (nodes * (50 - nodes / 125).max(5) / 100).max(100) }
}

/// The root of the heap over the totals.
fn root(totals: Vec<i64>) -> usize {
    let mut heap: Vec<(i64, usize)> = totals.into_iter().zip(0..).collect();
    let count = heap.len();
    for mut i in (0..count / 2).rev() {
        while 2 * i + 1 < count {
            let mut j = 2 * i + 1;
            if j + 1 < count && heap[j + 1].0 > heap[j].0 {
                j += 1;
            }
            if heap[j].0 <= heap[i].0 {
                break;
            }
            heap.swap(i, j);
            i = j;
        }
    }
    heap[0].1
}

/// Whether labels satisfy one requirement.
fn satisfies(labels: &Labels, requirement: &Requirement) -> bool {
    let value = label(labels, &requirement.key);
    let listed = value.is_some_and(|value| requirement.values.iter().any(|each| each == value));
    let numbers = || Some((value?.parse::<i64>().ok()?, requirement.values[0].parse::<i64>().ok()?));
    match requirement.operator {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => numbers().is_some_and(|(value, bound)| value > bound),
        "Lt" => numbers().is_some_and(|(value, bound)| value < bound),
        other => panic!("{other} is no operator"),
    }
}

/// Whether a selector selects these labels.
pub(super) fn selects(selector: &Selector, labels: &Labels) -> bool {
    selector.as_ref().is_some_and(|all| all.iter().all(|each| satisfies(labels, each)))
}

/// Whether a term matches a node.
pub(super) fn term_matches(term: &NodeTerm, node: &Node) -> bool {
    let own_name = vec![("metadata.name".to_owned(), node.name.clone())];
    !(term.expressions.is_empty() && term.fields.is_empty())
        && term.expressions.iter().all(|each| satisfies(&node.labels, each))
        && term.fields.iter().all(|each| satisfies(&own_name, each))
}

/// Whether a node has what the pod's selector and required terms ask for.
pub(super) fn node_wanted(pod: &Pod, node: &Node) -> bool {
    let selected = pod.node_selector.iter().all(|(key, value)| label(&node.labels, key) == Some(value));
    let required = pod.required_nodes.as_ref();
    selected && required.is_none_or(|terms| terms.iter().any(|term| term_matches(term, node)))
}

/// A term of `owner` about other pods: whether it is about this one.
pub(super) fn concerns(cycle: &Cycle<'_>, owner: &Pod, term: &PodTerm, other: &Pod) -> bool {
    let own = term.namespaces.is_empty() && term.namespace_selector.is_none();
    let its_labels = cycle.namespaces.iter().find(|(name, _)| *name == other.namespace);
    let in_namespace = own && owner.namespace == other.namespace
        || term.namespaces.contains(&other.namespace)
        || its_labels.is_some_and(|(_, labels)| selects(&term.namespace_selector, labels));
    in_namespace
        && selects(&term.selector, &other.labels)
        && term
            .label_keys
            .iter()
            .all(|key| label(&owner.labels, key).is_none_or(|value| label(&other.labels, key) == Some(value)))
        && term
            .mismatch_label_keys
            .iter()
            .all(|key| label(&owner.labels, key).is_none_or(|value| label(&other.labels, key) != Some(value)))
}
