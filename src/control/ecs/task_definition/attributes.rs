//! Which attributes an instance must have to run a task (CI-20, A-12).

use std::collections::BTreeSet;

use super::{amounts, network_mode};
use crate::base::{Symbol, Symbols};
use crate::control::ecs::api::register::{
    ContainerDefinition, CpuArchitecture, OperatingSystem, RegisterTaskDefinition, Secret,
};
use crate::control::ecs::objects::NetworkMode;
use crate::mark;

/// From more CPU units than these on, an instance needs a newer agent.
const COMMON_CPU_MAX: i64 = 10 * 1024;
/// Capabilities of the older kind.
const LONG: &str = "com.amazonaws.ecs.capability.";
/// Capabilities of the newer kind.
const SHORT: &str = "ecs.capability.";

/// The attributes, and for some of them the value, in the order of their names.
pub(super) fn required(
    request: &RegisterTaskDefinition,
    symbols: &mut Symbols,
) -> Box<[(Symbol, Option<Symbol>)]> {
    let mut names = BTreeSet::new();
    add_task(request, &mut names);
    for container in request.container_definitions.iter() {
        add_container(container, request.execution_role_arn.is_some(), &mut names);
    }
    let platform = request.runtime_platform.as_ref();
    let architecture = platform.and_then(|platform| platform.cpu_architecture);
    let system = platform.and_then(|platform| platform.operating_system_family);
    mark!("1.2/runtimePlatform");
    let values = [
        ("ecs.cpu-architecture", architecture.map(CpuArchitecture::attribute)),
        ("ecs.os-family", system.map(OperatingSystem::as_str)),
    ];
    let values = values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Some(value?))));
    let all: BTreeSet<(String, Option<&str>)> =
        names.into_iter().map(|name| (name, None)).chain(values).collect();
    all.into_iter()
        .map(|(name, value)| (symbols.intern(&name), value.map(|value| symbols.intern(value))))
        .collect()
}

fn add_task(request: &RegisterTaskDefinition, names: &mut BTreeSet<String>) {
    mark!("CI-20");
    let mode = network_mode(request);
    if mode == NetworkMode::Awsvpc {
        names.insert(format!("{SHORT}task-eni"));
    }
    if request.task_role_arn.is_some() {
        mark!("1.2/taskRoleArn");
        let suffix = if mode == NetworkMode::Host { "-network-host" } else { "" };
        names.insert(format!("{LONG}task-iam-role{suffix}"));
    }
    let cpu = amounts::task_cpu(request);
    if cpu.is_some() || request.memory.is_some() {
        names.insert(format!("{SHORT}task-cpu-mem-limit"));
    }
    if cpu.is_some_and(|cpu| cpu > COMMON_CPU_MAX) {
        names.insert(format!("{SHORT}increased-task-cpu-limit"));
    }
    for volume in request.volumes.iter() {
        if volume.configured_at_launch == Some(true) {
            names.insert(format!("{SHORT}storage.ebs-task-volume-attach"));
        }
        if volume.efs_volume_configuration.is_some() {
            names.insert(format!("{SHORT}efs"));
        }
    }
}

fn add_container(container: &ContainerDefinition, execution_role: bool, names: &mut BTreeSet<String>) {
    if container.image.as_deref().is_some_and(is_in_ecr) {
        names.insert(format!("{LONG}ecr-auth"));
        if execution_role {
            mark!("1.2/executionRoleArn");
            names.insert(format!("{SHORT}execution-role-ecr-pull"));
        }
    }
    if !container.depends_on.is_empty() {
        names.insert(format!("{SHORT}container-ordering"));
    }
    if container.health_check.is_some() {
        names.insert(format!("{SHORT}container-health-check"));
    }
    for secret in container.secrets.iter() {
        mark!("1.3/secrets");
        let store = if is_in_secrets_manager(secret) { "asm" } else { "ssm" };
        names.insert(format!("{SHORT}secrets.{store}.environment-variables"));
    }
    if let Some(driver) = container.log_configuration.as_ref().and_then(|log| log.log_driver) {
        mark!("1.3/logConfiguration");
        names.insert(format!("{LONG}logging-driver.{}", driver.as_str()));
    }
    if container.restart_policy.as_ref().is_some_and(|policy| policy.enabled == Some(true)) {
        names.insert(format!("{SHORT}container-restart-policy"));
    }
}

/// Whether an image lies in a private ECR registry: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/...`.
fn is_in_ecr(image: &str) -> bool {
    mark!("1.3/image");
    let host = image.split('/').next().unwrap_or_default();
    host.contains(".dkr.ecr.") && host.contains(".amazonaws.com")
}

/// Whether a secret lies in Secrets Manager; all others are parameters.
fn is_in_secrets_manager(secret: &Secret) -> bool {
    secret.value_from.as_deref().is_some_and(|value| value.contains(":secretsmanager:"))
}
