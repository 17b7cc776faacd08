//! Step 1: what must be there, and which values a field can take at all.

use std::ops::RangeInclusive;

use super::{Errors, constraint_expression, containers, seconds};
use crate::base::runtime;
use crate::control::ecs::api::common::{ConstraintKind, tag_errors};
use crate::control::ecs::api::register::{
    ContainerDefinition, HealthCheck, PortMapping, RegisterTaskDefinition, ResourceKind, RestartPolicy,
    Ulimit,
};
use crate::control::ecs::objects;
use crate::control::ecs::query;
use crate::mark;

const ENVIRONMENT_FILES_MAX: usize = 10;
const CREDENTIAL_SPECS_MAX: usize = 1;
const IGNORED_EXIT_CODES_MAX: usize = 50;
const PORT_NAME_LENGTH_MAX: usize = 64;
const PORT_RANGES_MAX: usize = 100;
const EPHEMERAL_GIB: RangeInclusive<i32> = 21..=200;
const RESTART_PERIOD: RangeInclusive<i32> = 60..=1800;
const RESTART_PERIOD_DEFAULT: i32 = 300;
const HEALTH_INTERVAL: RangeInclusive<i32> = 5..=300;
const HEALTH_INTERVAL_DEFAULT: i32 = 30;
const HEALTH_TIMEOUT: RangeInclusive<i32> = 2..=60;
const HEALTH_TIMEOUT_DEFAULT: i32 = 5;
const HEALTH_RETRIES: RangeInclusive<i32> = 1..=10;
const HEALTH_RETRIES_DEFAULT: i32 = 3;
const HEALTH_START_PERIOD: RangeInclusive<i32> = 0..=300;
/// A swappiness is a percentage.
const SWAPPINESS: RangeInclusive<i32> = 0..=100;
const PORTS: RangeInclusive<i32> = 0..=65535;
/// The limit of the operating system that stands for none.
const UNLIMITED: i32 = -1;

/// Checks step 1 of section 1.8.
pub(super) fn check(request: &RegisterTaskDefinition, query: query::Settings, errors: &mut Errors) {
    if request.family.as_deref().unwrap_or_default().is_empty() {
        mark!("1.2/family");
        errors.missing("family".into());
    }
    if request.container_definitions.is_empty() {
        mark!("1.2/containerDefinitions");
        errors.missing("containerDefinitions".into());
    }
    for (path, container) in containers(request) {
        check_container(&path, container, errors);
    }
    for (index, volume) in request.volumes.iter().enumerate() {
        if volume.name.as_deref().unwrap_or_default().is_empty() {
            errors.missing(format!("volumes[{index}].name"));
        }
    }
    check_constraints(request, query, errors);
    if let Some(storage) = &request.ephemeral_storage {
        mark!("1.2/ephemeralStorage");
        required_range("ephemeralStorage.sizeInGiB".into(), storage.size_in_gib, EPHEMERAL_GIB, errors);
    }
    mark!("1.2/tags");
    errors.0.extend(tag_errors(&request.tags));
}

/// A valid health check with its defaults.
pub(super) fn health_check(check: &HealthCheck) -> runtime::HealthCheck {
    mark!("1.3/healthCheck");
    runtime::HealthCheck {
        rhythm: runtime::Rhythm::AfterEach,
        successes: 1,
        interval: seconds(check.interval.unwrap_or(HEALTH_INTERVAL_DEFAULT)),
        timeout: seconds(check.timeout.unwrap_or(HEALTH_TIMEOUT_DEFAULT)),
        retries: check.retries.unwrap_or(HEALTH_RETRIES_DEFAULT).unsigned_abs(),
        start_period: seconds(check.start_period.unwrap_or(0)),
    }
}

/// A valid restart policy with its defaults, if it is enabled.
pub(super) fn restart_policy(policy: &RestartPolicy) -> Option<objects::RestartPolicy> {
    mark!("1.3/restartPolicy");
    policy.enabled?.then(|| objects::RestartPolicy {
        ignored_exit_codes: policy.ignored_exit_codes.iter().copied().collect(),
        attempt_period: seconds(policy.restart_attempt_period.unwrap_or(RESTART_PERIOD_DEFAULT)),
    })
}

fn check_container(path: &str, container: &ContainerDefinition, errors: &mut Errors) {
    if container.name.as_deref().unwrap_or_default().is_empty() {
        mark!("1.3/name");
        errors.missing(format!("{path}.name"));
    }
    if container.image.as_deref().unwrap_or_default().is_empty() {
        mark!("1.3/image");
        errors.missing(format!("{path}.image"));
    }
    check_ports(path, container, errors);
    check_references(path, container, errors);
    if let Some(policy) = &container.restart_policy {
        check_restart_policy(&format!("{path}.restartPolicy"), policy, errors);
    }
    if let Some(health_check) = &container.health_check {
        check_health_check(&format!("{path}.healthCheck"), health_check, errors);
    }
    range(format!("{path}.startTimeout"), container.start_timeout, 0..=i32::MAX, errors);
    range(format!("{path}.stopTimeout"), container.stop_timeout, 0..=i32::MAX, errors);
    check_environment(path, container, errors);
    check_devices(path, container, errors);
    check_linux(path, container, errors);
    for (index, limit) in container.ulimits.iter().enumerate() {
        check_ulimit(&format!("{path}.ulimits[{index}]"), limit, errors);
    }
    if container.log_configuration.as_ref().is_some_and(|log| log.log_driver.is_none()) {
        errors.missing(format!("{path}.logConfiguration.logDriver"));
    }
    if container.credential_specs.len() > CREDENTIAL_SPECS_MAX {
        mark!("1.3/privileged");
        errors.client(format!("{path}.credentialSpecs"), "A container has at most one credential spec.");
    }
}

fn check_ports(path: &str, container: &ContainerDefinition, errors: &mut Errors) {
    for (index, mapping) in container.port_mappings.iter().enumerate() {
        let path = format!("{path}.portMappings[{index}]");
        range(format!("{path}.containerPort"), mapping.container_port, PORTS, errors);
        range(format!("{path}.hostPort"), mapping.host_port, PORTS, errors);
        if mapping.name.as_deref().unwrap_or_default().chars().count() > PORT_NAME_LENGTH_MAX {
            mark!("1.3/portMappings");
            errors.client(format!("{path}.name"), "The name of a port mapping has at most 64 characters.");
        }
        match (&mapping.container_port, &mapping.container_port_range) {
            (None, None) => errors.missing(format!("{path}.containerPort")),
            (None, Some(_)) => check_port_range(&path, mapping, errors),
            (Some(_), None) => {}
            (Some(_), Some(_)) => {
                let words = "Specify either containerPort or containerPortRange.";
                errors.client(format!("{path}.containerPortRange"), words);
            }
        }
    }
    let ranges = container.port_mappings.iter().filter(|mapping| mapping.container_port_range.is_some());
    if ranges.count() > PORT_RANGES_MAX {
        mark!("1.3/portMappings");
        errors.client(format!("{path}.portMappings"), "A container has at most 100 port ranges.");
    }
}

fn check_port_range(path: &str, mapping: &PortMapping, errors: &mut Errors) {
    if port_range(mapping).is_none() {
        let words = "A port range is FIRST-LAST with ports from 1 to 65535.";
        errors.client(format!("{path}.containerPortRange"), words);
    }
    if mapping.host_port.is_some() {
        let words = "hostPort cannot be given with containerPortRange; the agent chooses the host ports.";
        errors.client(format!("{path}.hostPort"), words);
    }
}

/// The ports of `containerPortRange`.
pub(super) fn port_range(mapping: &PortMapping) -> Option<RangeInclusive<u16>> {
    let (first, last) = mapping.container_port_range.as_deref()?.split_once('-')?;
    let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
    (1..=last).contains(&first).then_some(first..=last)
}

/// What names something else must name it.
fn check_references(path: &str, container: &ContainerDefinition, errors: &mut Errors) {
    for (index, dependency) in container.depends_on.iter().enumerate() {
        let path = format!("{path}.dependsOn[{index}]");
        require(format!("{path}.containerName"), dependency.container_name.as_ref(), errors);
        require(format!("{path}.condition"), dependency.condition.as_ref(), errors);
    }
    for (index, mount) in container.mount_points.iter().enumerate() {
        require(format!("{path}.mountPoints[{index}].sourceVolume"), mount.source_volume.as_ref(), errors);
    }
    for (index, from) in container.volumes_from.iter().enumerate() {
        require(
            format!("{path}.volumesFrom[{index}].sourceContainer"),
            from.source_container.as_ref(),
            errors,
        );
    }
}

fn check_restart_policy(path: &str, policy: &RestartPolicy, errors: &mut Errors) {
    require(format!("{path}.enabled"), policy.enabled.as_ref(), errors);
    if policy.ignored_exit_codes.len() > IGNORED_EXIT_CODES_MAX {
        mark!("1.3/restartPolicy");
        errors.client(format!("{path}.ignoredExitCodes"), "At most 50 exit codes can be ignored.");
    }
    range(format!("{path}.restartAttemptPeriod"), policy.restart_attempt_period, RESTART_PERIOD, errors);
}

fn check_health_check(path: &str, check: &HealthCheck, errors: &mut Errors) {
    if check.command.is_empty() {
        mark!("1.3/healthCheck");
        errors.missing(format!("{path}.command"));
    }
    range(format!("{path}.interval"), check.interval, HEALTH_INTERVAL, errors);
    range(format!("{path}.timeout"), check.timeout, HEALTH_TIMEOUT, errors);
    range(format!("{path}.retries"), check.retries, HEALTH_RETRIES, errors);
    range(format!("{path}.startPeriod"), check.start_period, HEALTH_START_PERIOD, errors);
}

fn check_environment(path: &str, container: &ContainerDefinition, errors: &mut Errors) {
    if container.environment_files.len() > ENVIRONMENT_FILES_MAX {
        mark!("1.3/environmentFiles");
        errors.client(format!("{path}.environmentFiles"), "A container has at most 10 environment files.");
    }
    for (index, file) in container.environment_files.iter().enumerate() {
        let path = format!("{path}.environmentFiles[{index}]");
        require(format!("{path}.type"), file.kind.as_ref(), errors);
        match file.value.as_deref() {
            None => errors.missing(format!("{path}.value")),
            Some(value) if value.strip_suffix(".env").is_some() => {}
            Some(_) => {
                mark!("1.3/environmentFiles");
                errors.client(format!("{path}.value"), "The name of an environment file ends in .env.");
            }
        }
    }
    for (index, secret) in container.secrets.iter().enumerate() {
        let path = format!("{path}.secrets[{index}]");
        require(format!("{path}.name"), secret.name.as_ref(), errors);
        require(format!("{path}.valueFrom"), secret.value_from.as_ref(), errors);
    }
}

fn check_devices(path: &str, container: &ContainerDefinition, errors: &mut Errors) {
    for (index, requirement) in container.resource_requirements.iter().enumerate() {
        let path = format!("{path}.resourceRequirements[{index}]");
        match (requirement.kind, requirement.value.as_deref()) {
            (None, _) => errors.missing(format!("{path}.type")),
            (Some(_), None) => errors.missing(format!("{path}.value")),
            (Some(ResourceKind::Gpu), Some(value)) if gpus(value).is_none() => {
                mark!("1.3/resourceRequirements");
                errors.client(format!("{path}.value"), "The number of GPUs is a whole number from 1.");
            }
            (Some(ResourceKind::InferenceAccelerator), Some(_)) => {
                mark!("1.3/resourceRequirements");
                errors.client(format!("{path}.type"), "Amazon Elastic Inference was discontinued.");
            }
            (Some(ResourceKind::Gpu | ResourceKind::NeuronDevice), Some(_)) => {}
        }
    }
}

/// A number of GPUs.
pub(super) fn gpus(value: &str) -> Option<u16> {
    value.parse().ok().filter(|&count| count > 0)
}

fn check_linux(path: &str, container: &ContainerDefinition, errors: &mut Errors) {
    for (index, host) in container.extra_hosts.iter().enumerate() {
        let path = format!("{path}.extraHosts[{index}]");
        require(format!("{path}.hostname"), host.hostname.as_ref(), errors);
        require(format!("{path}.ipAddress"), host.ip_address.as_ref(), errors);
    }
    let Some(linux) = &container.linux_parameters else { return };
    let path = format!("{path}.linuxParameters");
    for (index, device) in linux.devices.iter().enumerate() {
        require(format!("{path}.devices[{index}].hostPath"), device.host_path.as_ref(), errors);
    }
    for (index, tmpfs) in linux.tmpfs.iter().enumerate() {
        let path = format!("{path}.tmpfs[{index}]");
        require(format!("{path}.containerPath"), tmpfs.container_path.as_ref(), errors);
        require(format!("{path}.size"), tmpfs.size.as_ref(), errors);
    }
    range(format!("{path}.sharedMemorySize"), linux.shared_memory_size, 0..=i32::MAX, errors);
    range(format!("{path}.maxSwap"), linux.max_swap, 0..=i32::MAX, errors);
    range(format!("{path}.swappiness"), linux.swappiness, SWAPPINESS, errors);
}

fn check_ulimit(path: &str, limit: &Ulimit, errors: &mut Errors) {
    require(format!("{path}.name"), limit.name.as_ref(), errors);
    require(format!("{path}.softLimit"), limit.soft_limit.as_ref(), errors);
    require(format!("{path}.hardLimit"), limit.hard_limit.as_ref(), errors);
    let (Some(soft), Some(hard)) = (limit.soft_limit, limit.hard_limit) else { return };
    let above = soft == UNLIMITED || soft > hard;
    if hard != UNLIMITED && above {
        mark!("1.3/ulimits");
        errors.client(format!("{path}.softLimit"), "softLimit is not above hardLimit.");
    }
}

fn check_constraints(request: &RegisterTaskDefinition, query: query::Settings, errors: &mut Errors) {
    for (index, constraint) in request.placement_constraints.iter().enumerate() {
        let path = format!("placementConstraints[{index}]");
        match constraint.kind {
            None => errors.missing(format!("{path}.type")),
            Some(ConstraintKind::DistinctInstance) => {
                mark!("1.2/placementConstraints");
                mark!("4.3/task definition");
                errors.invalid(format!("{path}.type"), "A task definition takes memberOf constraints only.");
            }
            Some(ConstraintKind::MemberOf) => {
                let expression = constraint.expression.as_deref();
                if let Err(error) = constraint_expression(expression, &path, query) {
                    mark!("1.2/placementConstraints");
                    errors.0.push(error);
                }
            }
        }
    }
    if request.placement_constraints.len() > super::CONSTRAINTS_MAX {
        mark!("PL-02");
        let words = "A task definition has at most 10 placement constraints.";
        errors.invalid("placementConstraints", words);
    }
}

fn require<T>(path: String, value: Option<&T>, errors: &mut Errors) {
    if value.is_none() {
        errors.missing(path);
    }
}

fn range(path: String, value: Option<i32>, range: RangeInclusive<i32>, errors: &mut Errors) {
    if value.is_some_and(|value| !range.contains(&value)) {
        let name = path.rsplit('.').next().unwrap_or(&path);
        let words = match *range.end() {
            i32::MAX => format!("{name} is not negative."),
            end => format!("{name} is {} to {end}.", range.start()),
        };
        errors.client(path, words);
    }
}

fn required_range(path: String, value: Option<i32>, allowed: RangeInclusive<i32>, errors: &mut Errors) {
    match value {
        None => errors.missing(path),
        Some(_) => range(path, value, allowed, errors),
    }
}
