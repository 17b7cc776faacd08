//! Step 5: CPU and memory, and the reservation vector of a task (TD-11).

use super::{Errors, Rules, containers, network, network_mode, required, requires};
use crate::base::{Bytes, Cpu};
use crate::control::ecs::api::register::{
    Compatibility, ContainerDefinition, RegisterTaskDefinition, ResourceKind,
};
use crate::control::ecs::objects::{NetworkMode, Reservation};
use crate::mark;

/// What a task on an instance may reserve in CPU units (section 1.2).
const CPU_MIN: i64 = 128;
const CPU_MAX: i64 = 196_608;
/// Units of CPU in a vCPU, and MiB in a GB as ECS counts it.
const PER_WHOLE: i64 = 1024;
/// More digits than this are no quantity of anything.
const DIGITS_MAX: usize = 9;

/// Checks step 5 of section 1.8.
pub(super) fn check(request: &RegisterTaskDefinition, rules: &Rules, errors: &mut Errors) {
    if request.cpu.is_some() && task_cpu(request).is_none() {
        mark!("1.2/cpu");
        errors.client("cpu", "Invalid 'cpu' setting for task.");
    }
    if request.memory.is_some() && task_memory(request).is_none() {
        mark!("1.2/memory");
        errors.client("memory", "Invalid 'memory' setting for task.");
    }
    let only_fargate =
        requires(request, Compatibility::Fargate) && request.requires_compatibilities.len() == 1;
    if let Some(cpu) = task_cpu(request)
        && !only_fargate
        && !(CPU_MIN..=CPU_MAX).contains(&cpu)
    {
        mark!("1.2/cpu");
        errors.client("cpu", "The CPU of a task is 128 to 196608 units.");
    }
    for (path, container) in containers(request) {
        check_container(&path, container, request, rules, errors);
    }
    check_sums(request, errors);
}

/// What placement subtracts for a valid request.
pub(super) fn reservation(request: &RegisterTaskDefinition) -> Reservation {
    mark!("TD-11");
    let cpu = task_cpu(request).unwrap_or_else(|| containers_cpu(request));
    let memory = task_memory(request).unwrap_or_else(|| containers_memory(request));
    Reservation {
        cpu: Cpu::ecs_units(cpu),
        memory: Bytes::mib(memory),
        gpus: request.container_definitions.iter().map(gpus).sum(),
        interfaces: u32::from(network_mode(request) == NetworkMode::Awsvpc),
        ports: network::static_ports(request, false),
        ports_udp: network::static_ports(request, true),
    }
}

/// Task CPU in units; none when it is absent or no CPU.
pub(super) fn task_cpu(request: &RegisterTaskDefinition) -> Option<i64> {
    mark!("1.2/cpu");
    quantity(request.cpu.as_deref()?, "vcpu")
}

/// Task memory in MiB; none when it is absent or no memory.
pub(super) fn task_memory(request: &RegisterTaskDefinition) -> Option<i64> {
    mark!("1.2/memory");
    quantity(request.memory.as_deref()?, "gb")
}

fn check_container(
    path: &str,
    container: &ContainerDefinition,
    request: &RegisterTaskDefinition,
    rules: &Rules,
    errors: &mut Errors,
) {
    if container.cpu.is_some_and(|cpu| cpu < 0) {
        mark!("1.3/cpu");
        errors.client(format!("{path}.cpu"), "The CPU of a container is not negative.");
    }
    for (field, amount) in [("memory", container.memory), ("memoryReservation", container.memory_reservation)]
    {
        if amount.is_some_and(|amount| amount < rules.container_memory_min) {
            mark!("TD-10");
            let words = format!("{field} is at least {} MiB.", rules.container_memory_min);
            errors.client(format!("{path}.{field}"), words);
        }
    }
    match (container.memory, container.memory_reservation) {
        (Some(memory), Some(reservation)) if memory <= reservation => {
            mark!("TD-10");
            let words = "memory must be greater than memoryReservation.";
            errors.client(format!("{path}.memory"), words);
        }
        (None, None) if request.memory.is_none() => {
            mark!("TD-10");
            mark!("1.3/memory");
            let words = "At least one of 'memory' or 'memoryReservation' must be specified.";
            errors.client(format!("{path}.memory"), words);
        }
        (Some(_) | None, Some(_) | None) => {}
    }
    if let (Some(memory), Some(task)) = (container.memory, task_memory(request))
        && i64::from(memory) > task
    {
        mark!("TD-32");
        errors.client(format!("{path}.memory"), "The memory of a container is above that of the task.");
    }
}

fn check_sums(request: &RegisterTaskDefinition, errors: &mut Errors) {
    if task_cpu(request).is_some_and(|cpu| containers_cpu(request) > cpu) {
        mark!("TD-32");
        errors.client("cpu", "The CPU of the containers is above that of the task.");
    }
    if task_memory(request).is_some_and(|memory| containers_memory(request) > memory) {
        mark!("TD-32");
        errors.client("memory", "The memory that the containers reserve is above that of the task.");
    }
}

fn containers_cpu(request: &RegisterTaskDefinition) -> i64 {
    mark!("1.3/cpu");
    request.container_definitions.iter().map(|container| i64::from(container.cpu.unwrap_or(0))).sum()
}

fn containers_memory(request: &RegisterTaskDefinition) -> i64 {
    mark!("1.3/memory");
    let reserved = |container: &ContainerDefinition| container.memory_reservation.or(container.memory);
    request.container_definitions.iter().map(|container| i64::from(reserved(container).unwrap_or(0))).sum()
}

fn gpus(container: &ContainerDefinition) -> u32 {
    mark!("1.3/resourceRequirements");
    let requirements = container.resource_requirements.iter();
    let gpus = requirements.filter(|requirement| requirement.kind == Some(ResourceKind::Gpu));
    let counts = gpus.filter_map(|requirement| required::gpus(requirement.value.as_deref()?));
    counts.map(u32::from).fold(0, u32::saturating_add)
}

/// A number of 1024ths: `"512"` as it stands, `"0.5 GB"` times 1024; zero is no amount.
fn quantity(text: &str, whole: &str) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase();
    let amount = match lower.strip_suffix(whole) {
        Some(number) => decimal(number.trim_end())?,
        None => digits(&lower)?,
    };
    (amount > 0).then_some(amount)
}

/// A decimal number in 1024ths, if it is a whole number of them.
fn decimal(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let whole = if whole.is_empty() { 0 } else { digits(whole)? };
    let places = u32::try_from(fraction.len()).ok()?;
    let parts = digits(fraction)? * PER_WHOLE;
    let scale = 10_i64.pow(places);
    (parts % scale == 0).then(|| whole * PER_WHOLE + parts / scale)
}

fn digits(text: &str) -> Option<i64> {
    let plain = (1..=DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_two_spellings() {
        let rows = [
            ("256", Some(256)),
            ("1 vCPU", Some(1024)),
            ("1vcpu", Some(1024)),
            (".25 vCPU", Some(256)),
            ("0.5 VCPU", Some(512)),
            ("16 vCPU", Some(16384)),
            (" 2 vCPU ", Some(2048)),
            ("999999999", Some(999_999_999)),
            ("1000000000", None),
            ("0.3 vCPU", None),
            ("0", None),
            ("0 vCPU", None),
            ("", None),
            (".", None),
            ("vCPU", None),
            (". vCPU", None),
            ("1. vCPU", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1 GB", None),
            ("1e3", None),
            ("0.0000000001 vCPU", None),
        ];
        for (text, expected) in rows {
            assert_eq!(quantity(text, "vcpu"), expected, "{text}");
        }
        assert_eq!(quantity("0.5GB", "gb"), Some(512));
        assert_eq!(quantity("30 GB", "gb"), Some(30720));
        assert_eq!(quantity("512MB", "gb"), None);
    }
}
