//! What the API server checks of a pod, beyond the shapes that reading checks.
//!
//! Upstream: kubernetes 1.36 pkg/apis/core/validation. Knows nothing of where a pod comes from.

use serde_json::Value;

use crate::control::kubernetes::api::ApiError;
use crate::control::kubernetes::quantity::Quantity;
use crate::scenario::diagnostic::{Diagnostic, quoted};
use crate::scenario::import::Origin;

/// Containers of a pod, init containers among them: a limit of this simulator.
const CONTAINERS_MAX: usize = 100;

/// Everything that is wrong with the containers and tolerations of a pod.
pub(super) fn pod_faults(document: &Value, at: &Origin) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for list in ["initContainers", "containers"] {
        for (index, container) in document["spec"][list].as_array().into_iter().flatten().enumerate() {
            let path = format!("spec.{list}[{index}]");
            for field in ["name", "image"] {
                if container[field].as_str().unwrap_or_default().is_empty() {
                    faults.push(ApiError::new(path.clone(), format!("a container needs the key `{field}`")));
                }
            }
            let name = container["name"].as_str().unwrap_or_default();
            if !name.is_empty() && names.contains(&name) {
                let message = format!("two containers are called {}", quoted(name));
                faults.push(ApiError::new(format!("{path}.name"), message));
            }
            names.push(name);
            faults.extend(amount_faults(&container["resources"], &format!("{path}.resources")));
        }
    }
    if names.len() > CONTAINERS_MAX {
        let message = format!("{} containers are more than {CONTAINERS_MAX}", names.len());
        faults.push(ApiError::new("spec.containers", message));
    }
    faults.extend(toleration_faults(document));
    faults.iter().map(|fault| at.object_refusal(fault)).collect()
}

fn toleration_faults(document: &Value) -> Vec<ApiError> {
    let tolerations = document["spec"]["tolerations"].as_array().into_iter().flatten();
    let fault = |(index, toleration): (usize, &Value)| {
        let operator = toleration["operator"].as_str().filter(|word| !OPERATORS.contains(word))?;
        let message = format!("{} is no operator of a toleration", quoted(operator));
        let path = format!("spec.tolerations[{index}].operator");
        Some(ApiError::new(path, message).with_hint("Equal or Exists"))
    };
    tolerations.enumerate().filter_map(fault).collect()
}

/// Operators of tolerations; none is `Equal`.
const OPERATORS: [&str; 5] = ["", "Equal", "Exists", "Lt", "Gt"];

/// No amount is negative, and no request is above its limit.
fn amount_faults(resources: &Value, path: &str) -> Vec<ApiError> {
    let mut faults = Vec::new();
    let amount = |of: &str, name: &str| {
        let value = &resources[of][name];
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Quantity::parse(text.trim()).ok()
    };
    for of in ["limits", "requests"] {
        for (name, value) in resources[of].as_object().into_iter().flatten() {
            let Some(asked) = amount(of, name) else { continue };
            let at = format!("{path}.{of}.{name}");
            if asked.sign() < 0 {
                faults.push(ApiError::new(at, format!("{value} is less than nothing")));
            } else if of == "requests"
                && amount("limits", name).is_some_and(|limit| limit.compare(&asked).is_lt())
            {
                let message = format!("{value} is above the limit of {}", resources["limits"][name]);
                faults.push(ApiError::new(at, message));
            }
        }
    }
    faults
}
