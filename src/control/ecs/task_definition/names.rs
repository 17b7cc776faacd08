//! Steps 2 and 3: names and their uniqueness, and how many containers there are.

use std::collections::BTreeSet;

use super::{Errors, containers, is_essential};
use crate::control::ecs::api::common::is_name;
use crate::control::ecs::api::register::RegisterTaskDefinition;
use crate::mark;

/// Containers per task definition (TD-05).
const CONTAINERS_MAX: usize = 10;

/// Checks step 2 of section 1.8. What is absent or empty was named in step 1.
pub(super) fn check(request: &RegisterTaskDefinition, errors: &mut Errors) {
    let words = "has 1 to 255 letters, digits, hyphens and underscores.";
    if let Some(family) = named(request.family.as_deref())
        && !is_name(family)
    {
        mark!("TD-05");
        mark!("1.2/family");
        errors.client("family", format!("A family {words}"));
    }
    let mut known = BTreeSet::new();
    let mut ports = BTreeSet::new();
    for (path, container) in containers(request) {
        if let Some(name) = named(container.name.as_deref()) {
            if !is_name(name) {
                mark!("1.3/name");
                errors.client(format!("{path}.name"), format!("A container name {words}"));
            }
            if !known.insert(name) {
                mark!("1.3/name");
                let words = format!("There are two containers with the name {name}.");
                errors.client(format!("{path}.name"), words);
            }
        }
        for (index, mapping) in container.port_mappings.iter().enumerate() {
            if let Some(name) = mapping.name.as_deref()
                && !ports.insert(name)
            {
                mark!("1.3/portMappings");
                let words = format!("There are two port mappings with the name {name}.");
                errors.client(format!("{path}.portMappings[{index}].name"), words);
            }
        }
    }
    check_volumes(request, errors);
}

/// Checks step 3 of section 1.8.
pub(super) fn check_counts(request: &RegisterTaskDefinition, errors: &mut Errors) {
    let containers = &request.container_definitions;
    if containers.len() > CONTAINERS_MAX {
        mark!("TD-05");
        mark!("1.2/containerDefinitions");
        errors.client("containerDefinitions", "A task definition has at most 10 containers.");
    }
    if !containers.is_empty() && !containers.iter().any(is_essential) {
        mark!("1.2/containerDefinitions");
        errors.client("containerDefinitions", "At least one container must be essential.");
    }
}

fn check_volumes(request: &RegisterTaskDefinition, errors: &mut Errors) {
    let mut known = BTreeSet::new();
    for (index, volume) in request.volumes.iter().enumerate() {
        let Some(name) = named(volume.name.as_deref()) else { continue };
        let path = format!("volumes[{index}].name");
        if !is_name(name) {
            mark!("1.2/volumes");
            let words = "A volume name has 1 to 255 letters, digits, hyphens and underscores.";
            errors.client(path, words);
        } else if !known.insert(name) {
            mark!("1.2/volumes");
            errors.client(path, format!("There are two volumes with the name {name}."));
        }
    }
}

fn named(name: Option<&str>) -> Option<&str> {
    name.filter(|name| !name.is_empty())
}
