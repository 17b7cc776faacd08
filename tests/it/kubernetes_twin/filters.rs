//! Which nodes can do (K 2.7 to 2.10, 2.12, 2.13).

use std::collections::{BTreeMap, BTreeSet};

use super::objects::{Container, Labels, Pod, Port, Requirement, Selector, Spread, Taint, amount, label};
use super::twin::{Cycle, View, concerns, node_wanted, selects};

/// A key and a value of nodes.
type Domain = (String, String);

/// What has to be counted over all nodes before one can be filtered.
pub(super) struct Filters<'a> {
    cycle: &'a Cycle<'a>,
    /// By hard constraint: how many pods each value has.
    spread: Vec<(&'a Spread, BTreeMap<String, i64>)>,
    wanted_near: BTreeSet<Domain>,
    unwanted_near: BTreeSet<Domain>,
    /// Where pods are that do not want this one near.
    forbidden: BTreeSet<Domain>,
}

impl<'a> Filters<'a> {
    pub(super) fn new(cycle: &'a Cycle<'a>) -> Self {
        let pod = cycle.pod;
        let (mut wanted_near, mut unwanted_near, mut forbidden) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for view in &cycle.views {
            let domain = |key: &str| Some((key.to_owned(), label(&view.node.labels, key)?.to_owned()));
            for other in &view.pods {
                if pod.affinity.iter().all(|term| concerns(cycle, pod, term, other)) {
                    wanted_near.extend(pod.affinity.iter().filter_map(|term| domain(&term.key)));
                }
                let unwanted = pod.anti_affinity.iter().filter(|term| concerns(cycle, pod, term, other));
                unwanted_near.extend(unwanted.filter_map(|term| domain(&term.key)));
                let hostile = other.anti_affinity.iter().filter(|term| concerns(cycle, other, term, pod));
                forbidden.extend(hostile.filter_map(|term| domain(&term.key)));
            }
        }
        let hard: Vec<&Spread> = pod.spread.iter().filter(|spread| spread.hard).collect();
        let spread = hard.iter().map(|spread| (*spread, counts(cycle, &hard, spread))).collect();
        Filters { cycle, spread, wanted_near, unwanted_near, forbidden }
    }

    pub(super) fn pass(&self, view: &View<'_>) -> bool {
        let pod = self.cycle.pod;
        schedulable(pod, view)
            && view.node.taints.iter().all(|taint| !repels(taint) || tolerates(pod, taint))
            && node_wanted(pod, view.node)
            && ports_free(pod, view)
            && fits(pod, view)
            && self.spread.iter().all(|(spread, counts)| spread_holds(pod, view, spread, counts))
            && self.neighbours_agree(view)
    }

    fn neighbours_agree(&self, view: &View<'_>) -> bool {
        let pod = self.cycle.pod;
        let labels = &view.node.labels;
        let here =
            |domains: &BTreeSet<Domain>| domains.iter().any(|(key, value)| label(labels, key) == Some(value));
        let has_keys = pod.affinity.iter().all(|term| label(labels, &term.key).is_some());
        let near = pod.affinity.iter().all(|term| {
            let value = label(labels, &term.key).unwrap_or_default();
            self.wanted_near.contains(&(term.key.clone(), value.to_owned()))
        });
        let first = self.wanted_near.is_empty()
            && pod.affinity.iter().all(|term| concerns(self.cycle, pod, term, pod));
        has_keys && (near || first) && !here(&self.unwanted_near) && !here(&self.forbidden)
    }
}

fn repels(taint: &Taint) -> bool {
    matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute")
}

fn tolerates(pod: &Pod, taint: &Taint) -> bool {
    pod.tolerations.iter().any(|toleration| {
        (toleration.effect.is_empty() || toleration.effect == taint.effect)
            && (toleration.key.is_empty() || toleration.key == taint.key)
            && (toleration.operator == "Exists" || toleration.value == taint.value)
    })
}

/// How many taints would rather not have the pod.
pub(super) fn soft_taints(pod: &Pod, view: &View<'_>) -> usize {
    let soft = view.node.taints.iter().filter(|taint| taint.effect == "PreferNoSchedule");
    soft.filter(|taint| !tolerates(pod, taint)).count()
}

fn schedulable(pod: &Pod, view: &View<'_>) -> bool {
    let key = "node.kubernetes.io/unschedulable".to_owned();
    let taint = Taint { key, value: String::new(), effect: "NoSchedule".to_owned() };
    !view.node.unschedulable || tolerates(pod, &taint)
}

/// Address, protocol and number of each port of the host.
fn host_ports(pod: &Pod) -> Vec<(&str, &str, i64)> {
    let sidecars = pod.init_containers.iter().filter(|container| container.sidecar);
    let ports = sidecars.chain(&pod.containers).flat_map(|container| &container.ports);
    let host = |port: &Port| if port.host == 0 && pod.host_network { port.container } else { port.host };
    let or = |text: &'static str, stated| if str::is_empty(stated) { text } else { stated };
    ports
        .filter(|port| host(port) > 0)
        .map(|port| (or("0.0.0.0", port.address.as_str()), or("TCP", port.protocol.as_str()), host(port)))
        .collect()
}

fn ports_free(pod: &Pod, view: &View<'_>) -> bool {
    let taken: Vec<(&str, &str, i64)> = view.pods.iter().flat_map(|other| host_ports(other)).collect();
    host_ports(pod).iter().all(|(address, protocol, number)| {
        !taken.iter().any(|(other, its_protocol, its_number)| {
            let meet = address == other || *address == "0.0.0.0" || *other == "0.0.0.0";
            meet && protocol == its_protocol && number == its_number
        })
    })
}

/// What a pod requests of a resource; `missing` is what a container counts that says nothing.
fn sum(pod: &Pod, resource: &str, missing: i64) -> i64 {
    let of = |container: &Container| {
        let stated = amount(&container.requests, resource).or(amount(&container.limits, resource));
        stated.unwrap_or(missing)
    };
    let mut together: i64 = pod.containers.iter().map(of).sum();
    let (mut beside, mut most) = (0, 0);
    for container in &pod.init_containers {
        if container.sidecar {
            beside += of(container);
            together += of(container);
            most = most.max(beside);
        } else {
            most = most.max(of(container) + beside);
        }
    }
    together.max(most)
}

/// What the filter counts.
pub(super) fn requested(pod: &Pod, resource: &str) -> i64 {
    let sum = amount(&pod.whole, resource).unwrap_or_else(|| sum(pod, resource, 0));
    sum + amount(&pod.overhead, resource).unwrap_or(0)
}

/// What the score counts of a pod on a node.
pub(super) fn non_zero(pod: &Pod, resource: &str) -> i64 {
    let stated = |container: &Container| {
        amount(&container.requests, resource).or(amount(&container.limits, resource)).is_some()
    };
    let partly = pod.init_containers.iter().chain(&pod.containers).any(stated);
    match amount(&pod.whole, resource) {
        Some(whole) => whole + amount(&pod.overhead, resource).unwrap_or(0),
        None if !pod.whole.is_empty() && partly => requested(pod, resource),
        None => scored(pod, resource),
    }
}

/// What the score counts of the pod that is placed.
pub(super) fn scored(pod: &Pod, resource: &str) -> i64 {
    let missing = if resource == "cpu" { 100 } else { 200 << 20 };
    sum(pod, resource, missing) + amount(&pod.overhead, resource).unwrap_or(0)
}

fn fits(pod: &Pod, view: &View<'_>) -> bool {
    let allocatable = &view.node.allocatable;
    let count = i64::try_from(view.pods.len()).expect("few pods");
    let enough = |resource: &str| {
        let (wanted, all) = (requested(pod, resource), amount(allocatable, resource).unwrap_or(0));
        wanted == 0 || wanted <= all - view.pods.iter().map(|other| requested(other, resource)).sum::<i64>()
    };
    count < amount(allocatable, "pods").unwrap_or(0) && resources(pod).iter().all(|resource| enough(resource))
}

fn resources(pod: &Pod) -> BTreeSet<&str> {
    let containers = pod.init_containers.iter().chain(&pod.containers);
    let stated = containers.flat_map(|each| each.requests.iter().chain(&each.limits));
    stated.chain(&pod.whole).chain(&pod.overhead).map(|(name, _)| name.as_str()).collect()
}

/// How many pods on a node a constraint counts.
pub(super) fn counted(pod: &Pod, view: &View<'_>, selector: &Selector) -> i64 {
    if selector.as_ref().is_none_or(Vec::is_empty) {
        return 0;
    }
    let same = view.pods.iter().filter(|other| other.namespace == pod.namespace && !other.terminating);
    i64::try_from(same.filter(|other| selects(selector, &other.labels)).count()).expect("few pods")
}

/// The selector of a constraint, with the pod's own values of the keys it names.
pub(super) fn whole_selector(pod: &Pod, spread: &Spread) -> Selector {
    let mut all = spread.selector.clone()?;
    for key in &spread.label_keys {
        if let Some(value) = label(&pod.labels, key) {
            all.push(Requirement { key: key.clone(), operator: "In", values: vec![value.to_owned()] });
        }
    }
    Some(all)
}

/// Whether a constraint's policies count a node.
pub(super) fn included(pod: &Pod, view: &View<'_>, spread: &Spread) -> bool {
    let tolerated = view.node.taints.iter().all(|taint| !repels(taint) || tolerates(pod, taint));
    (!spread.honors_affinity || node_wanted(pod, view.node)) && (!spread.honors_taints || tolerated)
}

/// Whether a node has the keys of all these constraints.
pub(super) fn has_keys(labels: &Labels, all: &[&Spread]) -> bool {
    all.iter().all(|spread| label(labels, &spread.key).is_some())
}

fn counts(cycle: &Cycle<'_>, all: &[&Spread], spread: &Spread) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    let selector = whole_selector(cycle.pod, spread);
    let countable = cycle.views.iter().filter(|view| has_keys(&view.node.labels, all));
    for view in countable.filter(|view| included(cycle.pod, view, spread)) {
        let value = label(&view.node.labels, &spread.key).expect("the node has the key");
        *counts.entry(value.to_owned()).or_insert(0) += counted(cycle.pod, view, &selector);
    }
    counts
}

fn spread_holds(pod: &Pod, view: &View<'_>, spread: &Spread, counts: &BTreeMap<String, i64>) -> bool {
    let Some(value) = label(&view.node.labels, &spread.key) else { return false };
    let few = counts.len() < spread.domains_min.unwrap_or(1);
    let least = if few { 0 } else { *counts.values().min().expect("a domain is there") };
    let own = i64::from(selects(&whole_selector(pod, spread), &pod.labels));
    counts.get(value).unwrap_or(&0) + own - least <= spread.max_skew
}
