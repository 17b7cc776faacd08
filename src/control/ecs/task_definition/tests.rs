//! Tables: a valid document, changed by a merge patch per row, and what becomes of it.

mod compiled;
mod refused;

use serde_json::{Value, json};

use crate::control::ecs::api::{ErrorKind, RegisterTaskDefinition, read};

use super::{Rules, all_errors};

/// A valid definition for container instances.
fn ec2() -> Value {
    json!({"family": "web", "containerDefinitions": [{"name": "app", "image": "nginx", "memory": 64}]})
}

/// A valid definition for Fargate.
fn fargate() -> Value {
    json!({
        "family": "web",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "1024",
        "memory": "2048",
        "containerDefinitions": [{"name": "app", "image": "nginx"}],
    })
}

/// Changes a document as RFC 7396 has it: `null` removes, an object goes deeper, all else replaces.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, change) in patch {
        if change.is_null() {
            target.as_object_mut().expect("an object").remove(&name);
        } else {
            merge(&mut target[name], change);
        }
    }
}

/// A document with the task and its first container changed.
fn patched(mut base: Value, task: Value, container: Value) -> Value {
    merge(&mut base["containerDefinitions"][0], container);
    merge(&mut base, task);
    base
}

fn request(document: &Value) -> RegisterTaskDefinition {
    read::<RegisterTaskDefinition>(document).expect("the row is well formed").request
}

/// Every error as `C path` or `I path`, by its kind.
fn errors(document: &Value) -> String {
    let errors = all_errors(&request(document), &Rules::default());
    let spelled = errors.iter().map(|error| {
        assert!(error.message.ends_with('.'), "{} is a sentence", error.message);
        let kind = match error.kind {
            ErrorKind::ClientException => "C",
            ErrorKind::InvalidParameterException => "I",
            other => panic!("{other:?} is no error of a task definition"),
        };
        format!("{kind} {}", error.path.replace("containerDefinitions[0]", "c0"))
    });
    spelled.collect::<Vec<_>>().join(", ")
}
