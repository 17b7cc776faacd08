//! What the scheduler believes about the cluster: nodes with the sums of their pods, in search order.
//!
//! Sums grow and shrink with each pod that is bound, assumed or removed. [`Cluster::snapshot`] is called
//! once at the start of each cycle and renews what the original renews only then: the order of the nodes
//! and the image counts of nodes that changed (K 2.4, 2.14). Knows nothing of plugins and of the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::base::hash::Map;
use crate::base::{Row, Symbol};
use crate::control::kubernetes::labels::Labels;
use crate::control::kubernetes::objects::{
    Amounts, BudgetSpec, ClaimSpec, CsiDriver, CsiNodeSpec, HostPort, Named, NodeSpec, Pod, PodSpec,
    PodVolume, Selecting, Specs, StorageCapacitySpec, StorageClassSpec, VolumeSpec,
};
use crate::mark;

use super::node_tree::NodeTree;

/// So many changes of nodes are remembered at least.
const CHANGES_MIN: usize = 1024;

/// Nodes, pods and their neighbours, as one scheduler believes them to be.
#[derive(Debug, Default)]
pub struct Cluster {
    /// Every pod that it has heard of, by row.
    pods: Vec<Option<Pod>>,
    /// Every node that it has heard of or that a pod names; never removed.
    nodes: Vec<NodeInfo>,
    by_name: Map<Symbol, Row<NodeInfo>>,
    tree: NodeTree,
    images: Images,
    /// The nodes of the last snapshot, in search order.
    order: Rc<[Row<NodeInfo>]>,
    in_snapshot: Vec<bool>,
    snapshot_size: usize,
    dirty: Vec<Row<NodeInfo>>,
    /// By node: its place in the search order.
    place: Vec<u32>,
    /// Counts the search orders.
    epoch: u64,
    /// Nodes as they changed from snapshot to snapshot, or what is nominated to them; the oldest are
    /// forgotten.
    changes: Vec<Row<NodeInfo>>,
    changes_start: u64,
    /// How many pods that count on a node have any affinity, and required anti-affinity.
    affinity: (usize, usize),
    /// Pods that are nominated to a node.
    pub nominated: Nominated,
    /// Pods whose victims are being deleted.
    pub preempting: BTreeSet<Row<Pod>>,
    /// Objects that plugins look up by name.
    pub listers: Listers,
}

/// Objects that are looked up by namespace and name; those without a namespace by the empty text.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "kinds of the API")]
pub struct Listers {
    pub volumes: BTreeMap<Symbol, Named<VolumeSpec>>,
    pub claims: BTreeMap<(Symbol, Symbol), Named<ClaimSpec>>,
    pub storage_classes: BTreeMap<Symbol, Named<StorageClassSpec>>,
    pub csi_nodes: BTreeMap<Symbol, Named<CsiNodeSpec>>,
    pub csi_drivers: BTreeMap<Symbol, CsiDriver>,
    pub capacities: BTreeMap<(Symbol, Symbol), Named<StorageCapacitySpec>>,
    pub selecting: BTreeMap<(Symbol, Option<super::super::objects::ControllerKind>, Symbol), Selecting>,
    pub budgets: BTreeMap<(Symbol, Symbol), Named<BudgetSpec>>,
    pub namespaces: BTreeMap<Symbol, Named<Labels>>,
    /// How often what selects pods changed, a namespace, and a budget.
    pub selecting_revision: u64,
    pub namespaces_revision: u64,
    pub budgets_revision: u64,
}

/// A node and the sums of its pods.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// Its name.
    pub name: Symbol,
    /// Its place among the nodes.
    pub row: Row<NodeInfo>,
    /// What it is; none while only pods name it.
    pub spec: Option<Row<NodeSpec>>,
    /// Its pods, in the order of the original: a removal moves the last one into the hole.
    pub pods: Vec<Row<Pod>>,
    /// Those with any pod affinity or anti-affinity.
    pub with_affinity: Vec<Row<Pod>>,
    /// Those with required anti-affinity.
    pub with_required_anti_affinity: Vec<Row<Pod>>,
    /// What its pods request.
    pub requested: Amounts,
    /// What they request when containers that name no CPU count 100m.
    pub non_zero_cpu: i64,
    /// What they request when containers that name no memory count 200 MiB.
    pub non_zero_memory: i64,
    /// Host ports in use.
    pub ports: Vec<HostPort>,
    /// Claims in use, with how many pods use each.
    pub claims: BTreeMap<(Symbol, Symbol), u32>,
    /// Image, bytes, and how many nodes had it when this entry was last renewed, sorted by image.
    pub images: Vec<(Symbol, i64, u32)>,
    image_rows: Vec<(Symbol, usize)>,
    dirty: bool,
}

/// The images of all nodes: the size that the first node reported, and how many nodes have it.
#[derive(Debug, Default)]
struct Images {
    states: Vec<(i64, u32)>,
    by_name: Map<Symbol, usize>,
}

/// Which pods are nominated to which node.
#[derive(Debug, Default)]
pub struct Nominated {
    by_node: BTreeMap<Symbol, Vec<Row<Pod>>>,
    node_of: Map<Row<Pod>, Symbol>,
    /// Nodes whose nominations changed since the last snapshot.
    changed: Vec<Symbol>,
}

impl std::ops::Index<Row<NodeInfo>> for Cluster {
    type Output = NodeInfo;
    fn index(&self, row: Row<NodeInfo>) -> &NodeInfo {
        &self.nodes[row.index()]
    }
}

impl Cluster {
    /// A pod, while it exists.
    pub fn pod(&self, row: Row<Pod>) -> Option<&Pod> {
        self.pods.get(row.index())?.as_ref()
    }

    /// A pod that is on a node or in the queue. Panics when it is gone: those places drop it first.
    pub fn known(&self, row: Row<Pod>) -> &Pod {
        self.pod(row).expect("nodes and the queue hold pods that exist")
    }

    /// The nodes of the last snapshot, in search order.
    pub fn order(&self) -> &[Row<NodeInfo>] {
        &self.order
    }

    /// The same, to be kept longer.
    pub(super) fn order_of_now(&self) -> Rc<[Row<NodeInfo>]> {
        Rc::clone(&self.order)
    }

    /// A node of the last snapshot, by name.
    pub fn node(&self, name: Symbol) -> Option<&NodeInfo> {
        let &row = self.by_name.get(&name)?;
        let listed = self.in_snapshot.get(row.index()).copied().unwrap_or(false);
        Some(&self[row]).filter(|_| listed)
    }

    /// A node by name, whether it still exists or not.
    pub fn remembered(&self, name: Symbol) -> Option<&NodeInfo> {
        Some(&self[*self.by_name.get(&name)?])
    }

    /// A node that exists now, snapshot or not.
    pub fn existing(&self, name: Symbol) -> Option<&NodeInfo> {
        Some(&self[*self.by_name.get(&name)?]).filter(|node| node.spec.is_some())
    }

    /// What a node of the snapshot is.
    pub fn spec<'a>(&self, specs: &'a Specs, node: &NodeInfo) -> &'a NodeSpec {
        &specs[node.spec.expect("the snapshot holds nodes that exist")]
    }

    /// Writes down what a pod is now, without touching any node.
    pub fn set_pod(&mut self, row: Row<Pod>, pod: Option<Pod>) {
        if self.pods.len() <= row.index() {
            self.pods.resize(row.index() + 1, None);
        }
        self.pods[row.index()] = pod;
        if let Some(node) = self.nominated.node_of(row) {
            self.nominated.changed.push(node);
        }
    }

    /// Counts a pod on the node that it names; says which one that is.
    pub fn add_pod(&mut self, specs: &Specs, row: Row<Pod>) -> Row<NodeInfo> {
        let pod = *self.known(row);
        let node = self.entry(pod.node.expect("only pods on a node are counted"));
        let spec = &specs[pod.spec];
        self.affinity.0 += usize::from(spec.has_affinity());
        self.affinity.1 += usize::from(!spec.anti_affinity.is_empty());
        self.nodes[node.index()].add_pod(row, &pod, spec);
        self.touch(node);
        node
    }

    /// Takes a pod, as it was, off its node; says which one that is.
    pub fn remove_pod(&mut self, specs: &Specs, row: Row<Pod>, pod: &Pod) -> Row<NodeInfo> {
        let node = self.entry(pod.node.expect("only pods on a node are counted"));
        let spec = &specs[pod.spec];
        if self.nodes[node.index()].remove_pod(row, pod, spec) {
            self.affinity.0 -= usize::from(spec.has_affinity());
            self.affinity.1 -= usize::from(!spec.anti_affinity.is_empty());
        }
        self.touch(node);
        node
    }

    /// A node was created; says its row.
    pub fn add_node(&mut self, specs: &Specs, name: Symbol, spec: Row<NodeSpec>) -> Row<NodeInfo> {
        let node = self.entry(name);
        self.set_node(specs, node, spec);
        self.tree.add(zone(specs, spec), name);
        node
    }

    /// A node changed; says its row.
    pub fn update_node(
        &mut self,
        specs: &Specs,
        name: Symbol,
        old: Row<NodeSpec>,
        new: Row<NodeSpec>,
    ) -> Row<NodeInfo> {
        let node = self.entry(name);
        self.set_node(specs, node, new);
        let (from, to) = (zone(specs, old), zone(specs, new));
        if from != to {
            mark!("K 2.4 a node that changes its zone goes last");
            self.tree.remove(from, name);
            self.tree.add(to, name);
        }
        node
    }

    /// A node is gone; its pods may still be heard of. Says its row.
    pub fn remove_node(&mut self, specs: &Specs, name: Symbol) -> Row<NodeInfo> {
        let node = self.entry(name);
        if let Some(spec) = self.nodes[node.index()].spec.take() {
            self.images.remove(&specs[spec]);
            self.tree.remove(zone(specs, spec), name);
        }
        self.touch(node);
        node
    }

    /// Renews the search order and the image counts of nodes that changed (K 2.4).
    pub fn snapshot(&mut self) {
        let mut renew_all = false;
        for row in std::mem::take(&mut self.dirty) {
            let node = &mut self.nodes[row.index()];
            node.dirty = false;
            self.changes.push(row);
            if node.spec.is_none() {
                continue;
            }
            mark!("K 2.14 the image counts of a node are renewed when it changes");
            node.images.clear();
            let counts = node.image_rows.iter().map(|&(name, state)| {
                let (size, nodes) = self.images.states[state];
                (name, size, nodes)
            });
            node.images.extend(counts);
            if !self.in_snapshot[row.index()] {
                self.in_snapshot[row.index()] = true;
                self.snapshot_size += 1;
                renew_all = true;
            }
        }
        for node in std::mem::take(&mut self.nominated.changed) {
            self.changes.extend(self.by_name.get(&node));
        }
        if self.snapshot_size > self.tree.len() {
            for (node, listed) in self.nodes.iter().zip(&mut self.in_snapshot) {
                *listed &= node.spec.is_some();
            }
            self.snapshot_size = self.tree.len();
            renew_all = true;
        }
        if renew_all {
            let by_name = &self.by_name;
            let row = |name: Symbol| *by_name.get(&name).expect("the tree holds nodes that exist");
            self.order = self.tree.list().into_iter().map(row).collect();
            self.epoch += 1;
            self.place.clear();
            self.place.resize(self.nodes.len(), u32::MAX);
            for (place, row) in self.order.iter().enumerate() {
                self.place[row.index()] = u32::try_from(place).expect("fewer than 2^32 nodes");
            }
        }
        if self.changes.len() > CHANGES_MIN + 2 * self.order.len() {
            let forgotten = self.changes.len() / 2;
            self.changes.drain(..forgotten);
            self.changes_start += forgotten as u64;
        }
    }

    /// Whether a pod on a node has any affinity or anti-affinity.
    pub const fn any_affinity(&self) -> bool {
        self.affinity.0 > 0
    }

    /// Whether a pod on a node has required anti-affinity.
    pub const fn any_required_anti_affinity(&self) -> bool {
        self.affinity.1 > 0
    }

    /// Counts the search orders: it moves when a node comes or goes.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The place of a node in the search order.
    pub fn place_of(&self, row: Row<NodeInfo>) -> Option<usize> {
        let place = *self.place.get(row.index())?;
        (place != u32::MAX).then_some(place as usize)
    }

    /// The nodes that changed since a point of the count of changes, with repetitions; none when that is
    /// forgotten.
    pub fn changes_since(&self, seen: u64) -> Option<&[Row<NodeInfo>]> {
        let from = usize::try_from(seen.checked_sub(self.changes_start)?).ok()?;
        self.changes.get(from..)
    }

    /// How many changes there were in all.
    pub const fn changes_end(&self) -> u64 {
        self.changes_start + self.changes.len() as u64
    }

    fn set_node(&mut self, specs: &Specs, row: Row<NodeInfo>, spec: Row<NodeSpec>) {
        let node = &mut self.nodes[row.index()];
        if let Some(old) = node.spec {
            self.images.remove(&specs[old]);
        }
        node.image_rows = self.images.add(&specs[spec]);
        node.spec = Some(spec);
        self.touch(row);
    }

    fn entry(&mut self, name: Symbol) -> Row<NodeInfo> {
        if let Some(&known) = self.by_name.get(&name) {
            return known;
        }
        let row = Row::at(self.nodes.len());
        self.nodes.push(NodeInfo::new(name, row));
        self.in_snapshot.push(false);
        self.by_name.insert(name, row);
        row
    }

    fn touch(&mut self, row: Row<NodeInfo>) {
        let node = &mut self.nodes[row.index()];
        if !node.dirty {
            node.dirty = true;
            self.dirty.push(row);
        }
    }
}

impl NodeInfo {
    fn new(name: Symbol, row: Row<NodeInfo>) -> Self {
        NodeInfo {
            name,
            row,
            spec: None,
            pods: Vec::new(),
            with_affinity: Vec::new(),
            with_required_anti_affinity: Vec::new(),
            requested: Amounts::default(),
            non_zero_cpu: 0,
            non_zero_memory: 0,
            ports: Vec::new(),
            claims: BTreeMap::new(),
            images: Vec::new(),
            image_rows: Vec::new(),
            dirty: false,
        }
    }

    /// Counts a pod.
    pub fn add_pod(&mut self, row: Row<Pod>, pod: &Pod, spec: &PodSpec) {
        self.pods.push(row);
        if spec.has_affinity() {
            self.with_affinity.push(row);
        }
        if !spec.anti_affinity.is_empty() {
            self.with_required_anti_affinity.push(row);
        }
        self.count(spec, 1);
        for &port in &spec.host_ports {
            if !self.ports.contains(&port) {
                self.ports.push(port);
            }
        }
        for claim in claims(pod, spec) {
            *self.claims.entry(claim).or_insert(0) += 1;
        }
    }

    /// Takes a pod off again; says whether it was there.
    pub fn remove_pod(&mut self, row: Row<Pod>, pod: &Pod, spec: &PodSpec) -> bool {
        swap_out(&mut self.with_affinity, row);
        swap_out(&mut self.with_required_anti_affinity, row);
        if !swap_out(&mut self.pods, row) {
            return false;
        }
        self.count(spec, -1);
        self.ports.retain(|port| !spec.host_ports.contains(port));
        for claim in claims(pod, spec) {
            if let Some(users) = self.claims.get_mut(&claim) {
                *users -= 1;
                if *users == 0 {
                    self.claims.remove(&claim);
                }
            }
        }
        true
    }

    fn count(&mut self, spec: &PodSpec, sign: i64) {
        let sum = |total: &mut i64, amount: i64| *total = total.wrapping_add(sign.wrapping_mul(amount));
        let (requests, total) = (&spec.requests.effective, &mut self.requested);
        sum(&mut total.cpu, requests.cpu);
        sum(&mut total.memory, requests.memory);
        sum(&mut total.ephemeral, requests.ephemeral);
        for &(name, amount) in &requests.extended {
            match total.extended.binary_search_by_key(&name, |&(known, _)| known) {
                Ok(place) => sum(&mut total.extended[place].1, amount),
                Err(place) => {
                    let mut longer = std::mem::take(&mut total.extended).into_vec();
                    longer.insert(place, (name, sign.wrapping_mul(amount)));
                    total.extended = longer.into();
                }
            }
        }
        sum(&mut self.non_zero_cpu, spec.requests.non_zero_cpu);
        sum(&mut self.non_zero_memory, spec.requests.non_zero_memory);
    }
}

impl Images {
    fn add(&mut self, node: &NodeSpec) -> Vec<(Symbol, usize)> {
        let mut rows: Vec<(Symbol, usize)> = Vec::new();
        for (names, size) in &node.images {
            for &name in names {
                if rows.iter().any(|&(known, _)| known == name) {
                    continue;
                }
                let states = &mut self.states;
                let state = *self.by_name.get_or_insert_with(name, || {
                    mark!("K 2.14 the first node that reports an image gives its size");
                    states.push((*size, 0));
                    states.len() - 1
                });
                states[state].1 += 1;
                rows.push((name, state));
            }
        }
        rows.sort_unstable();
        rows
    }

    fn remove(&mut self, node: &NodeSpec) {
        let mut names: Vec<Symbol> = node.images.iter().flat_map(|(names, _)| names).copied().collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let Some(&state) = self.by_name.get(&name) else { continue };
            self.states[state].1 -= 1;
            if self.states[state].1 == 0 {
                self.by_name.remove(&name);
            }
        }
    }
}

impl Nominated {
    /// The pods that are nominated to a node, oldest nomination first.
    pub fn to(&self, node: Symbol) -> &[Row<Pod>] {
        self.by_node.get(&node).map_or(&[], Vec::as_slice)
    }

    /// Whether no pod is nominated anywhere.
    pub fn is_empty(&self) -> bool {
        self.node_of.is_empty()
    }

    /// The nodes that pods are nominated to.
    pub fn nodes(&self) -> impl Iterator<Item = Symbol> {
        self.by_node.keys().copied()
    }

    /// Where a pod is nominated to.
    pub fn node_of(&self, pod: Row<Pod>) -> Option<Symbol> {
        self.node_of.get(&pod).copied()
    }

    /// Nominates a pod to a node, and to no other.
    pub fn add(&mut self, pod: Row<Pod>, node: Symbol) {
        self.remove(pod);
        self.node_of.insert(pod, node);
        self.by_node.entry(node).or_default().push(pod);
        self.changed.push(node);
    }

    /// Takes a nomination back, if there is one.
    pub fn remove(&mut self, pod: Row<Pod>) {
        let Some(node) = self.node_of.remove(&pod) else { return };
        let pods = self.by_node.get_mut(&node).expect("both sides know a nomination");
        pods.retain(|&each| each != pod);
        if pods.is_empty() {
            self.by_node.remove(&node);
        }
        self.changed.push(node);
    }
}

/// The claims that a pod names itself, by namespace and name.
fn claims(pod: &Pod, spec: &PodSpec) -> impl Iterator<Item = (Symbol, Symbol)> {
    let namespace = pod.namespace;
    spec.volumes.iter().filter_map(move |volume| match volume {
        PodVolume::Claim(name) => Some((namespace, *name)),
        PodVolume::Ephemeral(_) | PodVolume::Disk(_) => None,
    })
}

/// Removes an element as the original does: the last one moves into the hole.
fn swap_out<T: Copy + PartialEq>(list: &mut Vec<T>, element: T) -> bool {
    let place = list.iter().position(|each| *each == element);
    place.map(|place| list.swap_remove(place)).is_some()
}

/// Region and zone of a node, as far as its labels say (K 2.4).
fn zone(specs: &Specs, node: Row<NodeSpec>) -> (Option<Symbol>, Option<Symbol>) {
    let labels = &specs[node].labels;
    let value = |names: [&str; 2]| {
        let mut keys = names.iter().filter_map(|name| specs.symbols.find(name));
        keys.find_map(|key| labels.get(key)).filter(|&value| !specs.symbols.text(value).is_empty())
    };
    mark!("K 2.4 older beta labels take precedence");
    (
        value(["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"]),
        value(["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"]),
    )
}
