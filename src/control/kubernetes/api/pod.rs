//! From the shape of a Pod to its row: defaults, priority, merged selectors, and the rest of the spec.

use crate::base::{EntityKey, Span, Symbol, Symbols};
use crate::control::kubernetes::labels::{Labels, Operator, Requirement, Selector};
use crate::control::kubernetes::objects::{
    Controller, ControllerKind, Disk, HostPort, NodeTerm, Pod, PodSpec, PodTerm, PodVolume, RestartPolicy,
    SpreadConstraint, Toleration,
};
use crate::mark;

use super::container::{containers, restart_policy};
use super::error::ApiError;
use super::node::{EFFECTS, effect};
use super::pod_shape::{
    Container, PodAffinity, PodAffinityTerm, PodShape, PodSpecShape, SpreadShape, TolerationShape, Volume,
};
use super::requests::{apply_defaults, requests};
use super::selectors::{labels, node_term, node_terms, selector};
use super::shape::{Metadata, OwnerReference, or_empty};
use super::{PriorityClass, Reading, Stage, name, namespace, timestamp};

const SCHEDULER: &str = "default-scheduler";
const GRACE_S: i64 = 30;

/// Reads a pod.
pub(super) fn read(
    reading: &mut Reading<'_>,
    mut shape: PodShape<'_>,
    stage: Stage,
) -> Result<Pod, ApiError> {
    let (namespace, name) = (namespace(&shape.metadata), name(&shape.metadata)?);
    apply_defaults(&mut shape);
    default_ports(&mut shape.spec);
    let (priority, preempts) = priority(reading, &shape.spec)?;
    let own = reading.specs.symbols.intern(namespace);
    let terms = Terms { own, stage, labels: labels(&shape.metadata.labels, &mut reading.specs.symbols) };
    let spec = spec(&shape, priority, preempts, terms, &mut reading.specs.symbols)?;
    let deleted_at = timestamp("metadata.deletionTimestamp", shape.metadata.deletion_timestamp)?;
    let started_at = timestamp("status.startTime", shape.status.start_time)?;
    let symbols = &mut reading.specs.symbols;
    let mut optional = |text: &str| (!text.is_empty()).then(|| symbols.intern(text));
    let (node, nominated) = (optional(shape.spec.node_name), optional(shape.status.nominated_node_name));
    Ok(Pod {
        key: EntityKey::new("pod", &format!("{namespace}/{name}"), 0),
        namespace: own,
        name: symbols.intern(name),
        uid: symbols.intern(shape.metadata.uid),
        spec: reading.specs.pods.intern(spec),
        node,
        nominated,
        ended: matches!(shape.status.phase, "Succeeded" | "Failed"),
        deleted_at,
        preempted: is_preempted(&shape),
        started_at,
    })
}

/// The controller of an object: the first owner that says it is.
pub(super) fn controller(metadata: &Metadata<'_>, symbols: &mut Symbols) -> Option<Controller> {
    let owner = metadata.owner_references.iter().find(|owner| owner.controller)?;
    let kind = controller_kind(owner);
    Some(Controller { kind, name: symbols.intern(owner.name), uid: symbols.intern(owner.uid) })
}

fn controller_kind(owner: &OwnerReference<'_>) -> ControllerKind {
    match (owner.api_version, owner.kind) {
        ("v1", "ReplicationController") => ControllerKind::ReplicationController,
        ("apps/v1", "ReplicaSet") => ControllerKind::ReplicaSet,
        ("apps/v1", "StatefulSet") => ControllerKind::StatefulSet,
        ("apps/v1", "DaemonSet") => ControllerKind::DaemonSet,
        ("batch/v1", "Job") => ControllerKind::Job,
        _ => ControllerKind::Other,
    }
}

// ---------------------------------------------------------------------------------------------------
// Defaults and admission.

fn default_ports(spec: &mut PodSpecShape<'_>) {
    if !spec.host_network {
        return;
    }
    let ports = spec.all_containers_mut().flat_map(|container| &mut container.ports);
    for port in ports.filter(|port| port.host_port == 0) {
        mark!("K 1.1 ports of the host network are ports of the host");
        port.host_port = port.container_port;
    }
}

/// The priority, and whether the pod may preempt.
fn priority(reading: &mut Reading<'_>, spec: &PodSpecShape<'_>) -> Result<(i32, bool), ApiError> {
    let stated = match spec.preemption_policy {
        "" => None,
        "PreemptLowerPriority" => Some(true),
        "Never" => Some(false),
        other => {
            let message = format!("{other:?} is no preemption policy");
            let error = ApiError::new("spec.preemptionPolicy", message);
            return Err(error.with_hint("PreemptLowerPriority or Never"));
        }
    };
    if let Some(priority) = spec.priority {
        return Ok((priority, stated.unwrap_or(true)));
    }
    let class = class(reading, spec.priority_class_name)?;
    mark!("K 1.5 the class gives the priority and the policy");
    let policy = stated.unwrap_or(class.is_none_or(|class| class.preempts));
    Ok((class.map_or(0, |class| class.value), policy))
}

fn class(reading: &mut Reading<'_>, name: &str) -> Result<Option<PriorityClass>, ApiError> {
    let built_in = |value: i32, symbol: Symbol| {
        Some(PriorityClass { name: symbol, value, global_default: false, preempts: true })
    };
    let symbol = reading.specs.symbols.intern(name);
    let found = match name {
        "" => return Ok(reading.classes.global_default()),
        "system-cluster-critical" => built_in(2_000_000_000, symbol),
        "system-node-critical" => built_in(2_000_001_000, symbol),
        _ => reading.classes.get(symbol),
    };
    let missing = || {
        let message = format!("no PriorityClass with name {name} was found");
        ApiError::new("spec.priorityClassName", message).with_hint("create the class before its pods")
    };
    found.ok_or_else(missing).map(Some)
}

fn is_preempted(shape: &PodShape<'_>) -> bool {
    let disruption = shape.status.conditions.iter().find(|each| each.r#type == "DisruptionTarget");
    disruption.is_some_and(|each| each.status == "True" && each.reason == "PreemptionByScheduler")
}

// ---------------------------------------------------------------------------------------------------
// The spec.

/// What terms about other pods need to know of their own.
struct Terms {
    own: Symbol,
    stage: Stage,
    labels: Labels,
}

fn spec(
    shape: &PodShape<'_>,
    priority: i32,
    preempts: bool,
    terms: Terms,
    symbols: &mut Symbols,
) -> Result<PodSpec, ApiError> {
    let spec = &shape.spec;
    if spec.containers.is_empty() {
        return Err(ApiError::new("spec.containers", "a pod needs a container"));
    }
    let near = &spec.affinity.pod_affinity;
    let far = &spec.affinity.pod_anti_affinity;
    let (affinity, preferred_affinity) = terms.both("spec.affinity.podAffinity", near, symbols)?;
    let (anti_affinity, preferred_anti_affinity) =
        terms.both("spec.affinity.podAntiAffinity", far, symbols)?;
    let nodes = &spec.affinity.node_affinity;
    let preferred = nodes.preferred.iter().map(|each| (each.weight, node_term(&each.preference, symbols)));
    let preferred_nodes: Box<[(i32, NodeTerm)]> = preferred.collect();
    let required = nodes.required.as_ref();
    let (images, container_images) = images(spec, symbols);
    let restart = restart_policy("spec.restartPolicy", spec.restart_policy)?.unwrap_or(RestartPolicy::Always);
    Ok(PodSpec {
        scheduler_name: symbols.intern(or_empty(spec.scheduler_name, SCHEDULER)),
        priority,
        preempts,
        gates: spec.scheduling_gates.iter().map(|gate| symbols.intern(gate.name)).collect(),
        requests: requests(shape, symbols),
        node_selector: labels(&spec.node_selector, symbols),
        node_affinity: required.map(|required| node_terms(&required.node_selector_terms, symbols)),
        preferred_nodes,
        affinity,
        anti_affinity,
        preferred_affinity,
        preferred_anti_affinity,
        tolerations: tolerations(&spec.tolerations, symbols)?,
        spread: terms.spread(&spec.topology_spread_constraints, symbols)?,
        host_ports: host_ports(spec, symbols),
        images,
        container_images,
        volumes: spec.volumes.iter().filter_map(|each| volume(each, symbols)).collect(),
        controller: controller(&shape.metadata, symbols),
        features: features(spec, symbols),
        grace: grace(spec.termination_grace_period_seconds.unwrap_or(GRACE_S)),
        restart,
        containers: containers(spec, restart, symbols)?,
        labels: terms.labels,
    })
}

type Affine = (Box<[PodTerm]>, Box<[(i32, PodTerm)]>);

impl Terms {
    fn both(&self, path: &str, shape: &PodAffinity<'_>, symbols: &mut Symbols) -> Result<Affine, ApiError> {
        let mut required = Vec::with_capacity(shape.required.len());
        for (index, each) in shape.required.iter().enumerate() {
            let path = || format!("{path}.requiredDuringSchedulingIgnoredDuringExecution[{index}]");
            required.push(self.term(path, each, symbols)?);
        }
        let mut preferred = Vec::with_capacity(shape.preferred.len());
        for (index, each) in shape.preferred.iter().enumerate() {
            let path =
                || format!("{path}.preferredDuringSchedulingIgnoredDuringExecution[{index}].podAffinityTerm");
            preferred.push((each.weight, self.term(path, &each.pod_affinity_term, symbols)?));
        }
        Ok((required.into(), preferred.into()))
    }

    fn term(
        &self,
        path: impl Fn() -> String,
        shape: &PodAffinityTerm<'_>,
        symbols: &mut Symbols,
    ) -> Result<PodTerm, ApiError> {
        let at = |error: ApiError| ApiError { path: format!("{}.{}", path(), error.path), ..error };
        if shape.topology_key.is_empty() {
            return Err(at(ApiError::new("topologyKey", "a term needs the key of a label of nodes")));
        }
        let mut selected = selector("labelSelector", shape.label_selector.as_ref(), symbols).map_err(at)?;
        if self.stage == Stage::Create {
            mark!("K 2.13 keys of labels become part of the selector when the pod is created");
            self.merge(&mut selected, &shape.match_label_keys, Operator::In, symbols);
            self.merge(&mut selected, &shape.mismatch_label_keys, Operator::NotIn, symbols);
        }
        let everywhere = shape.namespace_selector.as_ref();
        let mut namespaces: Vec<Symbol> = shape.namespaces.iter().map(|each| symbols.intern(each)).collect();
        if namespaces.is_empty() && everywhere.is_none() {
            mark!("K 2.13 a term without namespaces is about the pod's own");
            namespaces.push(self.own);
        }
        Ok(PodTerm {
            selector: selected,
            namespaces: namespaces.into(),
            namespace_selector: selector("namespaceSelector", everywhere, symbols).map_err(at)?,
            topology_key: symbols.intern(shape.topology_key),
        })
    }

    /// Adds conditions on the pod's own values of these labels; a selector that selects nothing stays.
    fn merge(
        &self,
        selector: &mut Selector,
        keys: &[&str],
        operator: fn(Box<[Symbol]>) -> Operator,
        symbols: &mut Symbols,
    ) {
        let Selector::AllOf(requirements) = selector else { return };
        let added = keys.iter().filter_map(|key| {
            let key = symbols.intern(key);
            let value = self.labels.get(key)?;
            Some(Requirement { key, operator: operator([value].into()) })
        });
        let mut all = requirements.to_vec();
        all.extend(added);
        *requirements = all.into();
    }

    fn spread(
        &self,
        shapes: &[SpreadShape<'_>],
        symbols: &mut Symbols,
    ) -> Result<Box<[SpreadConstraint]>, ApiError> {
        let mut found = Vec::with_capacity(shapes.len());
        for (index, shape) in shapes.iter().enumerate() {
            let at = |error: ApiError| {
                let path = format!("spec.topologySpreadConstraints[{index}].{}", error.path);
                ApiError { path, ..error }
            };
            found.push(self.constraint(shape, symbols).map_err(at)?);
        }
        Ok(found.into())
    }

    fn constraint(
        &self,
        shape: &SpreadShape<'_>,
        symbols: &mut Symbols,
    ) -> Result<SpreadConstraint, ApiError> {
        let mut constraint = spread_constraint(shape, symbols)?;
        mark!("K 2.12 keys of labels become part of the selector");
        self.merge(&mut constraint.selector, &shape.match_label_keys, Operator::In, symbols);
        Ok(constraint)
    }
}

/// A topology spread constraint, without the keys of labels.
pub(super) fn spread_constraint(
    shape: &SpreadShape<'_>,
    symbols: &mut Symbols,
) -> Result<SpreadConstraint, ApiError> {
    let hard = match shape.when_unsatisfiable {
        "DoNotSchedule" => true,
        "ScheduleAnyway" => false,
        other => {
            let error = ApiError::new("whenUnsatisfiable", format!("{other:?} is none of the two"));
            return Err(error.with_hint("DoNotSchedule or ScheduleAnyway"));
        }
    };
    if shape.max_skew < 1 {
        return Err(ApiError::new("maxSkew", "must be greater than zero"));
    }
    if shape.topology_key.is_empty() {
        return Err(ApiError::new("topologyKey", "a constraint needs the key of a label of nodes"));
    }
    let honors = |path: &str, policy: Option<&str>, default: bool| match policy {
        None => Ok(default),
        Some("Honor") => Ok(true),
        Some("Ignore") => Ok(false),
        Some(other) => {
            Err(ApiError::new(path, format!("{other:?} is no policy")).with_hint("Honor or Ignore"))
        }
    };
    mark!("K 2.12 node affinity is honored, taints are not, unless it is said");
    Ok(SpreadConstraint {
        max_skew: shape.max_skew,
        topology_key: symbols.intern(shape.topology_key),
        hard,
        selector: selector("labelSelector", shape.label_selector.as_ref(), symbols)?,
        domains_min: shape.min_domains.unwrap_or(1),
        honors_affinity: honors("nodeAffinityPolicy", shape.node_affinity_policy, true)?,
        honors_taints: honors("nodeTaintsPolicy", shape.node_taints_policy, false)?,
    })
}

fn tolerations(shapes: &[TolerationShape<'_>], symbols: &mut Symbols) -> Result<Box<[Toleration]>, ApiError> {
    let mut found = Vec::with_capacity(shapes.len());
    for (index, shape) in shapes.iter().enumerate() {
        found.push(toleration(shape, symbols).map_err(|error| {
            let path = format!("spec.tolerations[{index}].{}", error.path);
            ApiError { path, ..error }
        })?);
    }
    Ok(found.into())
}

/// A toleration.
pub(super) fn toleration(shape: &TolerationShape<'_>, symbols: &mut Symbols) -> Result<Toleration, ApiError> {
    let (valid, compares) = match shape.operator {
        "" | "Equal" => (true, true),
        "Exists" => (true, false),
        _ => (false, false),
    };
    let effect = match shape.effect {
        "" => None,
        text => Some(effect(text).ok_or_else(|| {
            let message = format!("{text:?} is no effect of a taint");
            ApiError::new("effect", message).with_hint(EFFECTS)
        })?),
    };
    mark!("K 2.8 comparisons are off and tolerate nothing");
    Ok(Toleration {
        key: (!shape.key.is_empty()).then(|| symbols.intern(shape.key)),
        value: compares.then(|| symbols.intern(shape.value)),
        effect,
        valid,
    })
}

fn host_ports(spec: &PodSpecShape<'_>, symbols: &mut Symbols) -> Box<[HostPort]> {
    let sidecars = spec.init_containers.iter().filter(|container| container.is_sidecar());
    let ports = sidecars.chain(&spec.containers).flat_map(|container| &container.ports);
    ports
        .filter(|port| port.host_port > 0)
        .map(|port| HostPort {
            address: symbols.intern(or_empty(port.host_ip, "0.0.0.0")),
            protocol: symbols.intern(or_empty(port.protocol, "TCP")),
            port: port.host_port,
        })
        .collect()
}

fn images(spec: &PodSpecShape<'_>, symbols: &mut Symbols) -> (Box<[Symbol]>, usize) {
    let containers = spec.all_containers().map(|container: &Container<'_>| container.image);
    let volumes = spec.volumes.iter().filter_map(|volume| Some(volume.image.as_ref()?.reference));
    let images: Box<[Symbol]> = containers
        .chain(volumes)
        .map(|image| {
            let name = image.rfind('/').map_or(image, |slash| &image[slash..]);
            if name.contains(':') {
                return symbols.intern(image);
            }
            mark!("K 2.14 an image without a tag is the latest");
            symbols.intern(&format!("{image}:latest"))
        })
        .collect();
    (images, spec.init_containers.len() + spec.containers.len())
}

fn volume(shape: &Volume<'_>, symbols: &mut Symbols) -> Option<PodVolume> {
    if let Some(claim) = &shape.persistent_volume_claim {
        return Some(PodVolume::Claim(symbols.intern(claim.claim_name)));
    }
    if shape.ephemeral.is_some() {
        return Some(PodVolume::Ephemeral(symbols.intern(shape.name)));
    }
    if let Some(disk) = &shape.gce_persistent_disk {
        let (name, read_only) = (symbols.intern(disk.pd_name), disk.read_only);
        return Some(PodVolume::Disk(Disk::Gce { name, read_only }));
    }
    if let Some(disk) = &shape.aws_elastic_block_store {
        return Some(PodVolume::Disk(Disk::Ebs { volume: symbols.intern(disk.volume) }));
    }
    if let Some(disk) = &shape.iscsi {
        let (iqn, read_only) = (symbols.intern(disk.iqn), disk.read_only);
        return Some(PodVolume::Disk(Disk::Iscsi { iqn, read_only }));
    }
    let disk = shape.rbd.as_ref()?;
    Some(PodVolume::Disk(Disk::Rbd {
        monitors: symbols.intern(&disk.monitors.join(",")),
        pool: symbols.intern(or_empty(disk.pool, "rbd")),
        image: symbols.intern(disk.image),
        read_only: disk.read_only,
    }))
}

/// The API takes any number of seconds. One beyond all time is never over; the original counts
/// nanoseconds in 63 bits and wraps around.
fn grace(seconds: i64) -> Span {
    mark!("K 1.1 a negative grace is one second");
    u64::try_from(seconds).map_or(Span::SECOND, Span::seconds)
}

/// What a node must declare for this pod.
fn features(spec: &PodSpecShape<'_>, symbols: &mut Symbols) -> Box<[Symbol]> {
    let rules = || spec.all_containers().flat_map(|container| &container.restart_policy_rules);
    let mut features = Vec::new();
    if rules().any(|rule| rule.action == "RestartAllContainers") {
        mark!("K 2.7 a rule that restarts all containers needs a node that can");
        features.push(symbols.intern("RestartAllContainersOnContainerExits"));
    }
    if spec.host_network && spec.host_users == Some(false) {
        mark!("K 2.7 user namespaces on the host network need a node that can");
        features.push(symbols.intern("UserNamespacesHostNetworkSupport"));
    }
    features.sort_unstable();
    features.into()
}
