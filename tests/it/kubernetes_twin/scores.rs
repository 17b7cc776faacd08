//! How good nodes are (K 2.8 to 2.14): of each feasible node the weighted score of each plugin.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the original computes these scores with floats"
)]

use std::collections::{BTreeMap, BTreeSet};

use super::filters::{counted, has_keys, included, non_zero, requested, scored, soft_taints, whole_selector};
use super::objects::{Labels, Pod, PodTerm, Requirement, Selector, Spread, amount, label};
use super::twin::{Cycle, Explained, View, concerns, term_matches};

/// The plugins in the order of the scores.
pub(super) const PLUGINS: [&str; 7] = ["taints", "nodes", "fit", "spread", "pods", "balance", "images"];

const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

pub(super) fn all(cycle: &Cycle<'_>, feasible: &[&View<'_>]) -> Explained {
    let pod = cycle.pod;
    let each = |score: &dyn Fn(&View<'_>) -> i64| feasible.iter().map(|view| score(view)).collect::<Vec<_>>();
    let taints = each(&|view| i64::try_from(soft_taints(pod, view)).expect("few taints"));
    let columns = [
        (3, shared_out(taints, true)),
        (2, preferred_nodes(pod, feasible)),
        (1, each(&|view| least_allocated(pod, view))),
        (2, spread(cycle, feasible)),
        (2, neighbours(cycle, feasible)),
        (1, each(&|view| balance(pod, view))),
        (1, each(&|view| images(pod, view, cycle.views.len()))),
    ];
    let row = |place: usize| columns.iter().map(|(weight, scores)| weight * scores[place]).collect();
    (0..feasible.len()).map(|place| (feasible[place].node.name.clone(), row(place))).collect()
}

fn shared_out(raw: Vec<i64>, reverse: bool) -> Vec<i64> {
    let most = *raw.iter().max().expect("a node is there");
    let share = |raw| if most == 0 { 0 } else { 100 * raw / most };
    raw.into_iter().map(|raw| if reverse { 100 - share(raw) } else { share(raw) }).collect()
}

fn preferred_nodes(pod: &Pod, feasible: &[&View<'_>]) -> Vec<i64> {
    let raw = |view: &&View<'_>| {
        let matching = pod.preferred_nodes.iter().filter(|(_, term)| term_matches(term, view.node));
        matching.map(|(weight, _)| weight).sum()
    };
    shared_out(feasible.iter().map(raw).collect(), false)
}

fn least_allocated(pod: &Pod, view: &View<'_>) -> i64 {
    let (mut total, mut weights) = (0, 0);
    for resource in ["cpu", "memory"] {
        let all = amount(&view.node.allocatable, resource).unwrap_or(0);
        if all == 0 {
            continue;
        }
        let there: i64 = view.pods.iter().map(|other| non_zero(other, resource)).sum();
        let used = there + scored(pod, resource);
        total += if used > all { 0 } else { (all - used) * 100 / all };
        weights += 1;
    }
    if weights == 0 { 0 } else { total / weights }
}

fn balance(pod: &Pod, view: &View<'_>) -> i64 {
    if requested(pod, "cpu") == 0 && requested(pod, "memory") == 0 {
        return 0;
    }
    let balance = |with_pod: bool| {
        let mut fractions = Vec::new();
        for resource in ["cpu", "memory"] {
            let all = amount(&view.node.allocatable, resource).unwrap_or(0);
            let there: i64 = view.pods.iter().map(|other| requested(other, resource)).sum();
            let used = there + if with_pod { requested(pod, resource) } else { 0 };
            if all != 0 {
                fractions.push((used as f64 / all as f64).min(1.0));
            }
        }
        let deviation = if let [one, other] = fractions[..] { ((one - other) / 2.0).abs() } else { 0.0 };
        ((1.0 - deviation) * 100.0) as i64
    };
    50 + (50 + balance(true) - balance(false)) / 2
}

fn images(pod: &Pod, view: &View<'_>, nodes: usize) -> i64 {
    let containers = || pod.init_containers.iter().chain(&pod.containers);
    let names = containers().map(|container| &container.image).chain(&pod.image_volumes);
    let mut sum = 0;
    for name in names {
        let last = name.rsplit('/').next().unwrap_or(name);
        let name = if last.contains(':') { name.clone() } else { format!("{name}:latest") };
        if let Some((size, having)) = view.images.get(&name) {
            sum += (*size as f64 * (*having as f64 / nodes as f64)) as i64;
        }
    }
    let (least, most) = (23 << 20, (1000 << 20) * i64::try_from(containers().count()).expect("few"));
    100 * (sum.clamp(least, most) - least) / (most - least)
}

/// The constraints that a score is about, with whether nodes without a key are left out.
fn soft_constraints(cycle: &Cycle<'_>) -> (Vec<Spread>, bool) {
    let pod = cycle.pod;
    if !pod.spread.is_empty() {
        let soft = pod.spread.iter().filter(|spread| !spread.hard).cloned();
        let whole = soft.map(|spread| Spread { selector: whole_selector(pod, &spread), ..spread });
        return (whole.collect(), true);
    }
    let mut union: Labels = Vec::new();
    for service in cycle.services.iter().filter(|service| service.namespace == pod.namespace) {
        if service.selector.iter().all(|(key, value)| label(&pod.labels, key) == Some(value)) {
            union.extend(service.selector.iter().cloned());
        }
    }
    if union.is_empty() {
        return (Vec::new(), false);
    }
    let one = |(key, value)| Requirement { key, operator: "In", values: vec![value] };
    let selector: Selector = Some(union.into_iter().map(one).collect());
    let constraint = |key: &str, max_skew| Spread {
        max_skew,
        key: key.to_owned(),
        hard: false,
        selector: selector.clone(),
        label_keys: Vec::new(),
        domains_min: None,
        honors_affinity: true,
        honors_taints: false,
    };
    (vec![constraint(HOST, 3), constraint(ZONE, 5)], false)
}

fn spread(cycle: &Cycle<'_>, feasible: &[&View<'_>]) -> Vec<i64> {
    let pod = cycle.pod;
    let (constraints, all_keys) = soft_constraints(cycle);
    if constraints.is_empty() {
        return vec![0; feasible.len()];
    }
    let borrowed: Vec<&Spread> = constraints.iter().collect();
    let ignored = |view: &View<'_>| all_keys && !has_keys(&view.node.labels, &borrowed);
    let others: Vec<&&View<'_>> = feasible.iter().filter(|view| !ignored(view)).collect();
    let value = |view: &View<'_>, spread: &Spread| {
        label(&view.node.labels, &spread.key).unwrap_or_default().to_owned()
    };
    // Of each constraint its weight, and how many pods each value has.
    let mut counts: Vec<(f64, BTreeMap<String, i64>)> = Vec::new();
    for spread in &constraints {
        let values: BTreeSet<String> = others.iter().map(|view| value(view, spread)).collect();
        let size = if spread.key == HOST { others.len() } else { values.len() };
        let mut by_value: BTreeMap<String, i64> = values.into_iter().map(|value| (value, 0)).collect();
        if spread.key != HOST {
            let countable = cycle.views.iter().filter(|view| !ignored(view));
            for view in countable.filter(|view| included(pod, view, spread)) {
                if let Some(count) = by_value.get_mut(&value(view, spread)) {
                    *count += counted(pod, view, &spread.selector);
                }
            }
        }
        counts.push((libm::log((size + 2) as f64), by_value));
    }
    let raw = |view: &View<'_>| {
        let mut sum = 0.0;
        for (spread, (weight, by_value)) in constraints.iter().zip(&counts) {
            let Some(value) = label(&view.node.labels, &spread.key) else { continue };
            let count =
                if spread.key == HOST { counted(pod, view, &spread.selector) } else { by_value[value] };
            sum += count as f64 * weight + (spread.max_skew - 1) as f64;
        }
        sum.round() as i64
    };
    let raws: Vec<Option<i64>> =
        feasible.iter().map(|view| if ignored(view) { None } else { Some(raw(view)) }).collect();
    let least = raws.iter().flatten().min().copied().unwrap_or(0);
    let most = raws.iter().flatten().max().copied().unwrap_or(0);
    let normal = |raw: Option<i64>| match raw {
        None => 0,
        Some(_) if most == 0 => 100,
        Some(raw) => 100 * (most + least - raw) / most,
    };
    raws.into_iter().map(normal).collect()
}

fn neighbours(cycle: &Cycle<'_>, feasible: &[&View<'_>]) -> Vec<i64> {
    let pod = cycle.pod;
    let mut pairs: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for view in &cycle.views {
        for other in &view.pods {
            let mut add = |owner: &Pod, term: &'_ PodTermOf<'_>, about: &Pod| {
                let (term, weight) = *term;
                if concerns(cycle, owner, term, about)
                    && let Some((key, value)) = view.node.labels.iter().find(|(key, _)| *key == term.key)
                {
                    *pairs.entry((key, value)).or_insert(0) += weight;
                }
            };
            for (owner, about) in [(pod, *other), (*other, pod)] {
                for (weight, term) in &owner.preferred_affinity {
                    add(owner, &(term, *weight), about);
                }
                for (weight, term) in &owner.preferred_anti_affinity {
                    add(owner, &(term, -weight), about);
                }
            }
            for term in &other.affinity {
                add(other, &(term, 1), pod);
            }
        }
    }
    let raw = |view: &&View<'_>| {
        let own = view.node.labels.iter();
        own.filter_map(|(key, value)| pairs.get(&(key.as_str(), value.as_str()))).sum::<i64>()
    };
    let raws: Vec<i64> = feasible.iter().map(raw).collect();
    let (least, most) = (*raws.iter().min().expect("a node"), *raws.iter().max().expect("a node"));
    let normal = |raw: i64| match most - least {
        0 => 0,
        range => (100.0 * ((raw - least) as f64 / range as f64)) as i64,
    };
    raws.into_iter().map(normal).collect()
}

/// A term and what it weighs.
type PodTermOf<'a> = (&'a PodTerm, i64);
