//! From the shapes of containers to what a node agent reads of them, with the defaults of the API.

use crate::base::{Span, Symbols};
use crate::control::kubernetes::objects::{
    ContainerKind, ContainerSpec, PullPolicy, ReadinessProbe, RestartPolicy,
};
use crate::mark;

use super::error::ApiError;
use super::pod_shape::{Container, PodSpecShape, Probe};

/// A container is told from the others of its pod by a number of eight bits.
const CONTAINERS_MAX: usize = 256;

/// The containers of a pod: those of the start, then the others.
pub(super) fn containers(
    spec: &PodSpecShape<'_>,
    pod: RestartPolicy,
    symbols: &mut Symbols,
) -> Result<Box<[ContainerSpec]>, ApiError> {
    let count = spec.init_containers.len() + spec.containers.len();
    if count > CONTAINERS_MAX {
        let message = format!("{count} containers are more than {CONTAINERS_MAX}");
        return Err(ApiError::new("spec.containers", message));
    }
    let mut found = Vec::with_capacity(count);
    let lists =
        [("spec.initContainers", &spec.init_containers, true), ("spec.containers", &spec.containers, false)];
    for (list, shapes, is_init) in lists {
        for (index, shape) in shapes.iter().enumerate() {
            let container = container(shape, is_init, pod, symbols);
            found.push(container.map_err(|error| {
                let path = format!("{list}[{index}].{}", error.path);
                ApiError { path, ..error }
            })?);
        }
    }
    Ok(found.into())
}

/// A policy, if one is written.
pub(super) fn restart_policy(path: &str, text: &str) -> Result<Option<RestartPolicy>, ApiError> {
    match text {
        "" => Ok(None),
        "Always" => Ok(Some(RestartPolicy::Always)),
        "OnFailure" => Ok(Some(RestartPolicy::OnFailure)),
        "Never" => Ok(Some(RestartPolicy::Never)),
        other => Err(ApiError::new(path, format!("{other:?} is no restart policy"))
            .with_hint("Always, OnFailure or Never")),
    }
}

fn container(
    shape: &Container<'_>,
    is_init: bool,
    pod: RestartPolicy,
    symbols: &mut Symbols,
) -> Result<ContainerSpec, ApiError> {
    let own = restart_policy("restartPolicy", shape.restart_policy)?;
    mark!("K 1.1 an init container that always restarts is a sidecar");
    let kind = match (is_init, shape.is_sidecar()) {
        (true, true) => ContainerKind::Sidecar,
        (true, false) => ContainerKind::Init,
        (false, true | false) => ContainerKind::Main,
    };
    mark!("K 3.10 the policy of a container overrides that of its pod");
    let restart = own.unwrap_or(pod);
    Ok(ContainerSpec {
        name: symbols.intern(shape.name),
        image: symbols.intern(shape.image),
        kind,
        pull: pull_policy(shape)?,
        restart,
        readiness: shape.readiness_probe.as_ref().map(readiness).transpose()?,
    })
}

fn pull_policy(shape: &Container<'_>) -> Result<PullPolicy, ApiError> {
    match shape.image_pull_policy {
        "" if is_latest(shape.image) => {
            mark!("K 1.1 the latest image is always pulled unless it is said");
            Ok(PullPolicy::Always)
        }
        "" | "IfNotPresent" => Ok(PullPolicy::IfNotPresent),
        "Always" => Ok(PullPolicy::Always),
        "Never" => Ok(PullPolicy::Never),
        other => Err(ApiError::new("imagePullPolicy", format!("{other:?} is no pull policy"))
            .with_hint("Always, IfNotPresent or Never")),
    }
}

/// Whether the tag is `latest`, or there is neither tag nor digest.
fn is_latest(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => digest.is_none(),
    }
}

fn readiness(shape: &Probe<'_>) -> Result<ReadinessProbe, ApiError> {
    let number = |field: &str, value: i32, default: u32| match u32::try_from(value) {
        Ok(0) => Ok(default),
        Ok(value) => Ok(value),
        Err(_) => Err(ApiError::new(format!("readinessProbe.{field}"), format!("{value} is less than zero"))),
    };
    let seconds = |field: &str, value: i32, default: u32| {
        number(field, value, default).map(|seconds| Span::seconds(u64::from(seconds)))
    };
    mark!("K 1.1 a probe has defaults");
    Ok(ReadinessProbe {
        initial_delay: seconds("initialDelaySeconds", shape.initial_delay_seconds, 0)?,
        period: seconds("periodSeconds", shape.period_seconds, 10)?,
        timeout: seconds("timeoutSeconds", shape.timeout_seconds, 1)?,
        successes: number("successThreshold", shape.success_threshold, 1)?,
        failures: number("failureThreshold", shape.failure_threshold, 3)?,
    })
}
