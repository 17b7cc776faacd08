//! Step 6: the graph of `dependsOn` (TD-22).

use super::{Errors, containers, is_essential};
use crate::control::ecs::api::register::{
    ContainerDefinition, ContainerDependency, DependencyCondition, RegisterTaskDefinition,
};
use crate::control::ecs::objects::{Condition, Dependency};
use crate::mark;

/// Checks step 6 of section 1.8.
pub(super) fn check(request: &RegisterTaskDefinition, errors: &mut Errors) {
    for (path, container) in containers(request) {
        for (index, dependency) in container.depends_on.iter().enumerate() {
            check_dependency(&format!("{path}.dependsOn[{index}]"), dependency, request, errors);
        }
    }
    if let Some(index) = on_a_cycle(request) {
        mark!("TD-22");
        let path = format!("containerDefinitions[{index}].dependsOn");
        errors.client(path, "The containers depend on each other in a cycle.");
    }
}

/// The dependencies of a container of a valid request.
pub(super) fn compile(
    container: &ContainerDefinition,
    request: &RegisterTaskDefinition,
) -> Box<[Dependency]> {
    let compiled = container.depends_on.iter().filter_map(|dependency| {
        mark!("1.3/dependsOn");
        let on = u8::try_from(place(dependency, request)?).ok()?;
        let condition = match dependency.condition? {
            DependencyCondition::Start => Condition::Start,
            DependencyCondition::Complete => Condition::Complete,
            DependencyCondition::Success => Condition::Success,
            DependencyCondition::Healthy => Condition::Healthy,
        };
        Some(Dependency { on, condition })
    });
    compiled.collect()
}

fn check_dependency(
    path: &str,
    dependency: &ContainerDependency,
    request: &RegisterTaskDefinition,
    errors: &mut Errors,
) {
    let Some(name) = dependency.container_name.as_deref() else { return };
    let Some(on) = place(dependency, request).map(|place| &request.container_definitions[place]) else {
        mark!("TD-22");
        errors
            .client(format!("{path}.containerName"), format!("There is no container with the name {name}."));
        return;
    };
    match dependency.condition {
        Some(DependencyCondition::Complete | DependencyCondition::Success) if is_essential(on) => {
            mark!("TD-22");
            let words =
                format!("The condition COMPLETE or SUCCESS cannot wait for the essential container {name}.");
            errors.client(format!("{path}.condition"), words);
        }
        Some(DependencyCondition::Healthy) if on.health_check.is_none() => {
            mark!("TD-22");
            let words = format!("The condition HEALTHY needs a health check of the container {name}.");
            errors.client(format!("{path}.condition"), words);
        }
        None | Some(_) => {}
    }
}

/// The place of the container that a dependency names.
fn place(dependency: &ContainerDependency, request: &RegisterTaskDefinition) -> Option<usize> {
    let name = dependency.container_name.as_deref()?;
    request.container_definitions.iter().position(|container| container.name.as_deref() == Some(name))
}

/// A container that nothing can start, since it waits in the end for itself: what is left after all
/// that can start have been taken away, time and again.
fn on_a_cycle(request: &RegisterTaskDefinition) -> Option<usize> {
    let containers = &request.container_definitions;
    let mut waits = vec![true; containers.len()];
    for _ in 0..containers.len() {
        for (index, container) in containers.iter().enumerate() {
            let mut on = container.depends_on.iter().filter_map(|dependency| place(dependency, request));
            waits[index] = waits[index] && on.any(|place| waits[place]);
        }
    }
    waits.iter().position(|&waits| waits)
}
