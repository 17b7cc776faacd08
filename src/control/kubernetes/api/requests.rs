//! What a pod requests: the sums of the API, and the variants of them that scheduling asks for (K 1.3).
//!
//! Sums are of exact quantities; they become 64-bit numbers at the end, as in the original.

use std::cmp::Ordering;

use crate::base::{Symbol, Symbols};
use crate::control::kubernetes::labels_text::key_error;
use crate::control::kubernetes::objects::{Amounts, Requests};
use crate::control::kubernetes::quantity::Quantity;
use crate::mark;

use super::pod_shape::{Container, PodShape};
use super::shape::{Requirements, Resources};

/// The quality-of-service class of a pod (K 1.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "classes of the API")]
pub enum QualityOfService {
    Guaranteed,
    Burstable,
    BestEffort,
}

/// What counts as the request of a pod.
#[derive(Clone, Copy, Default)]
pub(super) struct Count<'q> {
    /// Resources that are under way or granted by a resize count as well.
    pub(super) status: bool,
    /// Requests of the pod as a whole stand in the place of those of its containers.
    pub(super) pod_level: bool,
    /// What a container counts that names no such resource.
    pub(super) missing: &'q [(&'static str, Quantity)],
}

/// Applies the defaults of the API to the resources of a pod.
pub(super) fn apply_defaults(pod: &mut PodShape<'_>) {
    round_up(pod);
    for container in pod.spec.all_containers_mut() {
        let Requirements { requests, limits, .. } = &mut container.resources;
        for (name, limit) in limits.iter() {
            mark!("K 1.1 a limit without a request becomes the request");
            requests.merge(name, limit, |_, _| {});
        }
    }
    let Some(mut whole) = pod.spec.resources.take() else { return };
    if !(whole.limits.is_empty() && whole.requests.is_empty()) {
        for (name, limit) in aggregate(&pod.spec, |each| each.resources.limits.clone()).iter() {
            if is_huge_page(name) && whole.requests.get(name).is_none() {
                mark!("K 1.1 a pod-level limit of huge pages comes from the containers");
                whole.limits.merge(name, limit, |_, _| {});
            }
        }
    }
    if !whole.limits.is_empty() {
        for (name, request) in aggregate(&pod.spec, |each| each.resources.requests.clone()).iter() {
            if matches!(name, "cpu" | "memory") {
                mark!("K 1.1 a pod-level request comes from the containers");
                whole.requests.merge(name, request, |_, _| {});
            }
        }
        for (name, limit) in whole.limits.iter().filter(|(name, _)| is_pod_level(name)) {
            mark!("K 1.1 a pod-level request comes from the limit");
            whole.requests.merge(name, limit, |_, _| {});
        }
    }
    pod.spec.resources = Some(whole);
}

/// What a pod with defaults requests.
pub(super) fn requests(pod: &PodShape<'_>, symbols: &mut Symbols) -> Requests {
    let count = Count { status: true, pod_level: true, missing: &[] };
    let effective = total(pod, count);
    let both = [("cpu", default_cpu()), ("memory", default_memory())];
    let needed: Vec<(&str, Quantity)> = if has_pod_level(pod) {
        both.iter().filter(|(name, _)| effective.get(name).is_none()).cloned().collect()
    } else {
        both.to_vec()
    };
    let with_defaults = total(pod, Count { missing: &needed, ..count });
    mark!("K 2.10 the resource score passes over pod-level requests");
    let scored = total(pod, Count { status: false, pod_level: false, missing: &both });
    mark!("K 2.10 the resource filter passes over the status of a resize");
    let asked = total(pod, Count { status: false, ..count });
    Requests {
        asked: amounts(&asked, symbols),
        effective: amounts(&effective, symbols),
        non_zero_cpu: with_defaults.get("cpu").map_or(0, Quantity::milli_value),
        non_zero_memory: with_defaults.get("memory").map_or(0, Quantity::value),
        scored: amounts(&scored, symbols),
    }
}

/// The sum of what a pod with defaults requests.
pub(super) fn total<'a>(pod: &PodShape<'a>, count: Count<'_>) -> Resources<'a> {
    let mut sum = aggregate(&pod.spec, |container| request(pod, container, count));
    if let Some(whole) = &pod.spec.resources
        && count.pod_level
    {
        let now = pod.status.resources.as_ref().filter(|_| count.status).map(|actual| {
            let allocated = &pod.status.allocated_resources;
            in_force(pod, &whole.requests, &actual.requests, allocated)
        });
        for (name, written) in whole.requests.iter().filter(|(name, _)| is_pod_level(name)) {
            mark!("K 1.3 pod-level requests replace the sum");
            let value = now.as_ref().map_or(Some(written), |now| now.get(name));
            sum.merge(name, value.unwrap_or(&Quantity::ZERO), replace);
        }
    }
    mark!("K 1.3 overhead is added");
    add_all(&mut sum, &pod.spec.overhead);
    sum
}

/// The sum of the limits of a pod with defaults; overhead counts where there is a limit.
#[cfg(test)]
pub(super) fn limits<'a>(pod: &PodShape<'a>) -> Resources<'a> {
    let mut sum = aggregate(&pod.spec, |container| container.resources.limits.clone());
    if let Some(whole) = &pod.spec.resources {
        for (name, limit) in whole.limits.iter().filter(|(name, _)| is_pod_level(name)) {
            sum.merge(name, limit, replace);
        }
    }
    for (name, extra) in pod.spec.overhead.iter() {
        if let Some((_, limit)) = sum.0.iter_mut().find(|(known, limit)| *known == name && limit.sign() != 0)
        {
            limit.add(extra);
        }
    }
    sum
}

/// The quality-of-service class of a pod with defaults.
pub(super) fn quality_of_service(pod: &PodShape<'_>) -> QualityOfService {
    let each: Vec<&Requirements<'_>> = match &pod.spec.resources {
        Some(whole) => vec![whole],
        None => pod.spec.all_containers().map(|container| &container.resources).collect(),
    };
    let positive =
        |list: &Resources<'_>, name: &str| list.get(name).filter(|quantity| quantity.sign() > 0).cloned();
    let sum = |lists: &[&Resources<'_>], name: &str| {
        lists.iter().filter_map(|list| positive(list, name)).reduce(|mut sum, more| {
            sum.add(&more);
            sum
        })
    };
    let requested: Vec<_> = each.iter().map(|one| &one.requests).collect();
    let limiting: Vec<_> = each.iter().map(|one| &one.limits).collect();
    let names = ["cpu", "memory"];
    let requests = names.map(|name| sum(&requested, name));
    let limits = names.map(|name| sum(&limiting, name));
    if requests.iter().chain(&limits).all(Option::is_none) {
        mark!("K 1.1 a pod without requests and limits is best effort");
        return QualityOfService::BestEffort;
    }
    let limited = each.iter().all(|one| names.iter().all(|name| positive(&one.limits, name).is_some()));
    let equal = requests.iter().zip(&limits).all(|(request, limit)| match (request, limit) {
        (Some(request), Some(limit)) => request.compare(limit) == Ordering::Equal,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    });
    mark!("K 1.1 a pod whose requests are its limits is guaranteed");
    if limited && equal { QualityOfService::Guaranteed } else { QualityOfService::Burstable }
}

/// Amounts as 64-bit numbers; resources that scheduling does not count are left out.
pub(super) fn amounts(resources: &Resources<'_>, symbols: &mut Symbols) -> Amounts {
    let mut amounts = Amounts::default();
    let mut extended: Vec<(Symbol, i64)> = Vec::new();
    for (name, quantity) in resources.iter() {
        match name {
            "cpu" => amounts.cpu = quantity.milli_value(),
            "memory" => amounts.memory = quantity.value(),
            "ephemeral-storage" => amounts.ephemeral = quantity.value(),
            "pods" => {}
            name if is_counted(name) => extended.push((symbols.intern(name), quantity.value())),
            _ => {}
        }
    }
    extended.sort_unstable();
    amounts.extended = extended.into();
    amounts
}

/// What every container counts at least, for scores: 100m and 200 MiB.
pub(super) fn default_cpu() -> Quantity {
    Quantity::thousandths(100)
}

/// See [`default_cpu`].
pub(super) fn default_memory() -> Quantity {
    Quantity::parse("200Mi").expect("it is a quantity")
}

// ---------------------------------------------------------------------------------------------------
// Parts of the sums.

fn round_up(pod: &mut PodShape<'_>) {
    let both = |each: &mut Requirements<'_>| {
        round_list(&mut each.requests);
        round_list(&mut each.limits);
    };
    pod.spec.all_containers_mut().for_each(|container| both(&mut container.resources));
    pod.spec.resources.iter_mut().for_each(both);
    pod.status.resources.iter_mut().for_each(both);
    round_list(&mut pod.spec.overhead);
    round_list(&mut pod.status.allocated_resources);
    let status = &mut pod.status;
    for each in status.container_statuses.iter_mut().chain(&mut status.init_container_statuses) {
        each.resources.iter_mut().for_each(both);
        round_list(&mut each.allocated_resources);
    }
}

/// Rounds a list of resources up to thousandths.
pub(super) fn round_list(list: &mut Resources<'_>) {
    list.0.iter_mut().for_each(|(_, quantity)| quantity.round_up_to_milli());
}

/// The sum over the containers, as they run: init containers one after the other, beside the sidecars
/// that came before them.
fn aggregate<'a>(
    spec: &super::pod_shape::PodSpecShape<'a>,
    of: impl Fn(&Container<'a>) -> Resources<'a>,
) -> Resources<'a> {
    let mut sum = Resources::default();
    spec.containers.iter().for_each(|container| add_all(&mut sum, &of(container)));
    let mut sidecars = Resources::default();
    let mut highest = Resources::default();
    for container in &spec.init_containers {
        let own = of(container);
        if container.is_sidecar() {
            add_all(&mut sum, &own);
            add_all(&mut sidecars, &own);
            max_all(&mut highest, &sidecars);
        } else {
            mark!("K 1.3 sidecars run beside later init containers");
            let mut beside = own;
            add_all(&mut beside, &sidecars);
            max_all(&mut highest, &beside);
        }
    }
    max_all(&mut sum, &highest);
    sum
}

/// What one container requests.
fn request<'a>(pod: &PodShape<'a>, container: &Container<'a>, count: Count<'_>) -> Resources<'a> {
    let mut own = container.resources.requests.clone();
    if count.status
        && let Some(status) = status_of(pod, container)
        && let Some(actual) = &status.resources
    {
        own = in_force(pod, &own, &actual.requests, &status.allocated_resources);
    }
    for (name, quantity) in count.missing {
        mark!("K 1.3 a container without a request counts the default in scores");
        own.merge(name, quantity, |_, _| {});
    }
    own
}

/// The status of a container whose resources can be changed in place.
fn status_of<'p, 'a>(
    pod: &'p PodShape<'a>,
    container: &Container<'a>,
) -> Option<&'p super::pod_shape::ContainerStatus<'a>> {
    let is_init = pod.spec.init_containers.iter().any(|init| init.name == container.name);
    if is_init && !container.is_sidecar() {
        return None;
    }
    let status = &pod.status;
    let mut all = status.init_container_statuses.iter().rev().chain(status.container_statuses.iter().rev());
    all.find(|each| each.name == container.name)
}

/// The most of what is wanted, granted and used; what is wanted does not count when it cannot be had.
fn in_force<'a>(
    pod: &PodShape<'a>,
    wanted: &Resources<'a>,
    actual: &Resources<'a>,
    allocated: &Resources<'a>,
) -> Resources<'a> {
    let pending = pod.status.conditions.iter().find(|each| each.r#type == "PodResizePending");
    let mut most = actual.clone();
    max_all(&mut most, allocated);
    if pending.is_none_or(|pending| pending.reason != "Infeasible") {
        mark!("K 1.3 a resize under way counts the most of all");
        max_all(&mut most, wanted);
    }
    most
}

fn add_all<'a>(sum: &mut Resources<'a>, more: &Resources<'a>) {
    more.iter().for_each(|(name, quantity)| sum.merge(name, quantity, Quantity::add));
}

fn max_all<'a>(most: &mut Resources<'a>, other: &Resources<'a>) {
    for (name, quantity) in other.iter() {
        most.merge(name, quantity, |own, other| {
            if other.compare(own) == Ordering::Greater {
                own.clone_from(other);
            }
        });
    }
}

fn replace(own: &mut Quantity, other: &Quantity) {
    own.clone_from(other);
}

fn has_pod_level(pod: &PodShape<'_>) -> bool {
    pod.spec.resources.as_ref().is_some_and(|whole| whole.requests.iter().any(|(name, _)| is_pod_level(name)))
}

fn is_pod_level(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || is_huge_page(name)
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Whether scheduling counts it beside CPU, memory and storage.
fn is_counted(name: &str) -> bool {
    let prefixed = name.contains("kubernetes.io/");
    let extended = || {
        let free = name.contains('/') && !prefixed && !name.starts_with("requests.");
        free && key_error(&format!("requests.{name}")).is_none()
    };
    prefixed || is_huge_page(name) || name.starts_with("attachable-volumes-") || extended()
}
