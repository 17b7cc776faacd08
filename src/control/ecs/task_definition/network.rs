//! Step 4: what the network mode allows, and which host ports a task takes.

use std::collections::BTreeSet;

use super::required::port_range;
use super::{Errors, containers, network_mode};
use crate::control::ecs::api::register::{
    ContainerDefinition, PortMapping, Protocol, RegisterTaskDefinition,
};
use crate::control::ecs::objects::NetworkMode;
use crate::mark;

/// Checks step 4 of section 1.8.
pub(super) fn check(request: &RegisterTaskDefinition, errors: &mut Errors) {
    let mode = network_mode(request);
    let mut taken = BTreeSet::new();
    for (path, container) in containers(request) {
        if mode != NetworkMode::Bridge && !container.links.is_empty() {
            mark!("1.3/links");
            errors
                .client(format!("{path}.links"), "Links are only supported when the network mode is bridge.");
        }
        if mode == NetworkMode::None && !container.port_mappings.is_empty() {
            mark!("1.2/networkMode");
            let words = "Port mappings are not supported when the network mode is none.";
            errors.client(format!("{path}.portMappings"), words);
        }
        if mode == NetworkMode::Awsvpc {
            check_own_names(&path, container, errors);
        }
        for (index, mapping) in container.port_mappings.iter().enumerate() {
            let path = format!("{path}.portMappings[{index}]");
            check_mapping(&path, mapping, mode, errors);
            if let Some(port) = static_port(mapping, mode)
                && !taken.insert((is_udp(mapping), port))
            {
                mark!("TD-13");
                let words = format!("The host port {port} is mapped twice.");
                errors.client(format!("{path}.hostPort"), words);
            }
        }
    }
}

/// The static host ports of a task, ascending.
pub(super) fn static_ports(request: &RegisterTaskDefinition, udp: bool) -> Box<[u16]> {
    let mode = network_mode(request);
    let mappings = request.container_definitions.iter().flat_map(|container| container.port_mappings.iter());
    let ports: BTreeSet<u16> = mappings
        .filter(|mapping| is_udp(mapping) == udp)
        .filter_map(|mapping| static_port(mapping, mode))
        .collect();
    ports.into_iter().collect()
}

/// How many host ports the agent chooses for a container.
pub(super) fn dynamic_ports(container: &ContainerDefinition, mode: NetworkMode) -> u16 {
    if mode != NetworkMode::Bridge {
        return 0;
    }
    let of_mapping = |mapping: &PortMapping| match port_range(mapping) {
        Some(range) => {
            mark!("TD-43");
            range.end() - range.start() + 1
        }
        None => u16::from(mapping.host_port.unwrap_or(0) == 0),
    };
    mark!("TD-41");
    container.port_mappings.iter().map(of_mapping).fold(0, u16::saturating_add)
}

/// The port of the instance that a mapping takes; awsvpc tasks have ports of their own.
fn static_port(mapping: &PortMapping, mode: NetworkMode) -> Option<u16> {
    let port = match mode {
        NetworkMode::Host => {
            mark!("TD-13");
            mapping.container_port
        }
        NetworkMode::Bridge => {
            mark!("TD-41");
            mapping.host_port.filter(|&port| port != 0)
        }
        NetworkMode::Awsvpc => {
            mark!("TD-44");
            None
        }
        NetworkMode::None => None,
    };
    port.and_then(|port| u16::try_from(port).ok())
}

fn is_udp(mapping: &PortMapping) -> bool {
    mapping.protocol == Some(Protocol::Udp)
}

/// A task with an interface of its own has names of its own.
fn check_own_names(path: &str, container: &ContainerDefinition, errors: &mut Errors) {
    let given = [
        ("hostname", container.hostname.is_some()),
        ("extraHosts", !container.extra_hosts.is_empty()),
        ("dnsServers", !container.dns_servers.is_empty()),
        ("dnsSearchDomains", !container.dns_search_domains.is_empty()),
        ("disableNetworking", container.disable_networking == Some(true)),
    ];
    for (field, given) in given {
        if given {
            mark!("1.3/hostname");
            let words = format!("{field} is not supported when the network mode is awsvpc.");
            errors.client(format!("{path}.{field}"), words);
        }
    }
}

fn check_mapping(path: &str, mapping: &PortMapping, mode: NetworkMode, errors: &mut Errors) {
    let own = mode == NetworkMode::Awsvpc || mode == NetworkMode::Host;
    if own
        && let (Some(container), Some(host)) = (mapping.container_port, mapping.host_port)
        && container != host
    {
        mark!("TD-14");
        let words = "With the network modes awsvpc and host, hostPort is blank or the same as containerPort.";
        errors.client(format!("{path}.hostPort"), words);
    }
    if mode == NetworkMode::Host && mapping.container_port_range.is_some() {
        mark!("1.3/portMappings");
        let words = "containerPortRange needs the network mode bridge or awsvpc.";
        errors.client(format!("{path}.containerPortRange"), words);
    }
}
