//! Step 8: what Fargate and Managed Instances refuse (sections 1.4 and 1.7).

use super::{Errors, amounts, containers, is_windows, network_mode, requires};
use crate::catalog::fargate::{self, NoSize};
use crate::control::ecs::api::register::{
    Compatibility, ContainerDefinition, LinuxParameters, LogDriver, PidMode, RegisterTaskDefinition,
    ResourceKind, Volume,
};
use crate::control::ecs::objects::NetworkMode;
use crate::mark;

/// `startTimeout` on Fargate in seconds.
const START_TIMEOUT: std::ops::RangeInclusive<i32> = 2..=120;
/// The longest `stopTimeout` on Fargate in seconds.
const STOP_TIMEOUT_MAX: i32 = 120;
/// The one capability that a Fargate task may add.
const CAPABILITY: &str = "SYS_PTRACE";
/// The value of a requirement of Neuron devices.
const ALL: &str = "ALL";

/// Checks step 8 of section 1.8.
pub(super) fn check(request: &RegisterTaskDefinition, errors: &mut Errors) {
    mark!("1.2/requiresCompatibilities");
    if requires(request, Compatibility::Fargate) {
        check_fargate(request, errors);
    }
    if requires(request, Compatibility::ManagedInstances) {
        check_managed(request, errors);
    }
    check_neuron(request, errors);
}

/// Whether container instances may run it: whatever was made for Fargate may run there too, what was
/// made for machines that are not modelled may not.
pub(super) fn runs_on_ec2(request: &RegisterTaskDefinition) -> bool {
    let required = &request.requires_compatibilities;
    mark!("1.2/requiresCompatibilities");
    required.is_empty() || requires(request, Compatibility::Ec2) || requires(request, Compatibility::Fargate)
}

/// Whether Fargate may run it: it breaks none of Fargate's rules, required or not (TD-34).
pub(super) fn runs_on_fargate(request: &RegisterTaskDefinition) -> bool {
    mark!("TD-34");
    let mut errors = Errors::default();
    check_fargate(request, &mut errors);
    errors.0.is_empty()
}

fn check_fargate(request: &RegisterTaskDefinition, errors: &mut Errors) {
    check_task(request, errors);
    check_fargate_size(request, errors);
    for (index, volume) in request.volumes.iter().enumerate() {
        check_volume(&format!("volumes[{index}]"), volume, errors);
    }
    for (path, container) in containers(request) {
        check_container(&path, container, errors);
        check_timeouts(&path, container, errors);
        if let Some(linux) = &container.linux_parameters {
            check_linux(&format!("{path}.linuxParameters"), linux, errors);
        }
    }
}

fn check_task(request: &RegisterTaskDefinition, errors: &mut Errors) {
    if network_mode(request) != NetworkMode::Awsvpc {
        mark!("TD-34");
        mark!("1.2/networkMode");
        errors.client("networkMode", "Fargate only supports network mode 'awsvpc'.");
    }
    if request.pid_mode == Some(PidMode::Host) {
        mark!("1.2/pidMode");
        refuse("pidMode", "pidMode host", errors);
    }
    if request.ipc_mode.is_some() {
        mark!("1.2/ipcMode");
        refuse("ipcMode", "ipcMode", errors);
    }
    if !request.placement_constraints.is_empty() {
        refuse("placementConstraints", "placementConstraints", errors);
    }
}

fn check_fargate_size(request: &RegisterTaskDefinition, errors: &mut Errors) {
    if request.cpu.is_none() {
        mark!("1.2/cpu");
        errors.client("cpu", "Fargate requires that 'cpu' be defined at the task level.");
    }
    if request.memory.is_none() {
        mark!("1.2/memory");
        errors.client("memory", "Fargate requires that 'memory' be defined at the task level.");
    }
    // An amount that is none was named in step 5.
    let (Some(cpu), Some(memory)) = (amounts::task_cpu(request), amounts::task_memory(request)) else {
        return;
    };
    let narrow = |amount| u32::try_from(amount).unwrap_or(u32::MAX);
    match fargate::size(narrow(cpu), narrow(memory)) {
        Err(none) => {
            mark!("TD-31");
            let path = match none {
                NoSize::Cpu => "cpu",
                NoSize::Pair => "memory",
            };
            errors.client(path, none.to_string());
        }
        Ok(size) if is_windows(request.runtime_platform.as_ref()) && !size.windows => {
            mark!("TD-30");
            mark!("1.2/runtimePlatform");
            errors.client("cpu", "Windows tasks on Fargate have 1024, 2048 or 4096 CPU units.");
        }
        Ok(_) => {}
    }
}

fn check_volume(path: &str, volume: &Volume, errors: &mut Errors) {
    if volume.host.as_ref().is_some_and(|host| host.source_path.is_some()) {
        refuse(format!("{path}.host.sourcePath"), "host.sourcePath", errors);
    }
    if volume.docker_volume_configuration.is_some() {
        refuse(format!("{path}.dockerVolumeConfiguration"), "dockerVolumeConfiguration", errors);
    }
}

fn check_container(path: &str, container: &ContainerDefinition, errors: &mut Errors) {
    let given = [
        ("links", !container.links.is_empty()),
        ("hostname", container.hostname.is_some()),
        ("extraHosts", !container.extra_hosts.is_empty()),
        ("privileged", container.privileged == Some(true)),
        ("dockerSecurityOptions", !container.docker_security_options.is_empty()),
        ("disableNetworking", container.disable_networking == Some(true)),
        ("dnsServers", !container.dns_servers.is_empty()),
        ("dnsSearchDomains", !container.dns_search_domains.is_empty()),
    ];
    for (field, given) in given {
        if given {
            refuse(format!("{path}.{field}"), field, errors);
        }
    }
    for (index, requirement) in container.resource_requirements.iter().enumerate() {
        if requirement.kind == Some(ResourceKind::Gpu) {
            refuse(format!("{path}.resourceRequirements[{index}].type"), "GPU", errors);
        }
    }
    check_log_driver(path, container, false, errors);
}

fn check_timeouts(path: &str, container: &ContainerDefinition, errors: &mut Errors) {
    if container.start_timeout.is_some_and(|timeout| !START_TIMEOUT.contains(&timeout)) {
        mark!("1.3/startTimeout");
        errors.client(format!("{path}.startTimeout"), "startTimeout is 2 to 120 on Fargate.");
    }
    if container.stop_timeout.is_some_and(|timeout| timeout > STOP_TIMEOUT_MAX) {
        mark!("1.3/stopTimeout");
        errors.client(format!("{path}.stopTimeout"), "stopTimeout is at most 120 on Fargate.");
    }
}

/// The drivers of Fargate, and one more where there is an instance with a disk.
fn check_log_driver(path: &str, container: &ContainerDefinition, with_disk: bool, errors: &mut Errors) {
    let Some(driver) = container.log_configuration.as_ref().and_then(|log| log.log_driver) else { return };
    let supported = match driver {
        LogDriver::Awslogs | LogDriver::Splunk | LogDriver::Awsfirelens => true,
        LogDriver::JsonFile => with_disk,
        LogDriver::Syslog | LogDriver::Journald | LogDriver::Gelf | LogDriver::Fluentd => false,
    };
    if !supported {
        mark!("1.3/logConfiguration");
        let words = format!("The log driver {} is not supported here.", driver.as_str());
        errors.client(format!("{path}.logConfiguration.logDriver"), words);
    }
}

fn check_linux(path: &str, linux: &LinuxParameters, errors: &mut Errors) {
    let given = [
        ("devices", !linux.devices.is_empty()),
        ("sharedMemorySize", linux.shared_memory_size.is_some()),
        ("maxSwap", linux.max_swap.is_some()),
        ("swappiness", linux.swappiness.is_some()),
        ("tmpfs", !linux.tmpfs.is_empty()),
    ];
    for (field, given) in given {
        if given {
            mark!("1.3/linuxParameters");
            refuse(format!("{path}.{field}"), field, errors);
        }
    }
    let added = linux.capabilities.as_ref().map_or(&[][..], |capabilities| &capabilities.add);
    if added.iter().any(|capability| capability != CAPABILITY) {
        mark!("1.3/linuxParameters");
        let words = "The only capability that can be added on Fargate is SYS_PTRACE.";
        errors.client(format!("{path}.capabilities.add"), words);
    }
}

fn check_managed(request: &RegisterTaskDefinition, errors: &mut Errors) {
    let mode = network_mode(request);
    if mode != NetworkMode::Awsvpc && mode != NetworkMode::Host {
        mark!("1.2/networkMode");
        errors.client("networkMode", "Managed Instances support the network modes awsvpc and host.");
    }
    for (path, container) in containers(request) {
        check_log_driver(&path, container, true, errors);
    }
}

/// Neuron devices are handed out by Managed Instances only, and all at once.
fn check_neuron(request: &RegisterTaskDefinition, errors: &mut Errors) {
    for (path, container) in containers(request) {
        for (index, requirement) in container.resource_requirements.iter().enumerate() {
            if requirement.kind != Some(ResourceKind::NeuronDevice) {
                continue;
            }
            let path = format!("{path}.resourceRequirements[{index}]");
            if !requires(request, Compatibility::ManagedInstances) {
                mark!("1.3/resourceRequirements");
                errors.client(
                    format!("{path}.type"),
                    "NeuronDevice needs the compatibility MANAGED_INSTANCES.",
                );
            }
            if requirement.value.as_deref() != Some(ALL) {
                mark!("1.3/resourceRequirements");
                errors.client(format!("{path}.value"), "The value of NeuronDevice is ALL.");
            }
        }
    }
}

fn refuse(path: impl Into<String>, what: &str, errors: &mut Errors) {
    mark!("TD-34");
    errors.client(path, format!("{what} is not supported on Fargate."));
}
