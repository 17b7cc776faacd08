//! From the shape of a Node to its row.

use crate::base::EntityKey;
use crate::control::kubernetes::objects::{Node, NodeSpec, Taint, TaintEffect};
use crate::control::kubernetes::quantity::Quantity;
use crate::mark;

use super::error::ApiError;
use super::requests::{amounts, round_list};
use super::selectors::labels;
use super::shape::{Metadata, Resources, shape};
use super::{Reading, name};

shape! {
    NodeShape {
        metadata: Metadata<'a>,
        spec: NodeSpecShape<'a>,
        status: NodeStatus<'a>,
    }
}

shape! {
    NodeSpecShape {
        taints: Vec<TaintShape<'a>>,
        unschedulable: bool,
    }
}

shape! {
    TaintShape {
        key: &'a str,
        value: &'a str,
        effect: &'a str,
    }
}

shape! {
    NodeStatus {
        capacity: Resources<'a>,
        allocatable: Option<Resources<'a>>,
        images: Vec<Image<'a>>,
        declared_features: Vec<&'a str>,
    }
}

shape! {
    Image {
        names: Vec<&'a str>,
        size_bytes: i64,
    }
}

/// Reads a node.
pub(super) fn read(reading: &mut Reading<'_>, shape: NodeShape<'_>) -> Result<Node, ApiError> {
    let name = name(&shape.metadata)?;
    let symbols = &mut reading.specs.symbols;
    mark!("K 1.6 what is allocatable is the capacity unless it is said");
    let mut allocatable = shape.status.allocatable.unwrap_or(shape.status.capacity);
    round_list(&mut allocatable);
    let mut taints = Vec::with_capacity(shape.spec.taints.len());
    for (index, taint) in shape.spec.taints.iter().enumerate() {
        let Some(effect) = effect(taint.effect) else {
            let message = format!("{:?} is no effect of a taint", taint.effect);
            return Err(ApiError::new(format!("spec.taints[{index}].effect"), message).with_hint(EFFECTS));
        };
        let (key, value) = (symbols.intern(taint.key), symbols.intern(taint.value));
        taints.push(Taint { key, value, effect });
    }
    let images = shape.status.images.iter().map(|image| {
        let names = image.names.iter().map(|name| symbols.intern(name)).collect();
        (names, image.size_bytes)
    });
    let images = images.collect();
    let mut features: Vec<_> =
        shape.status.declared_features.iter().map(|name| symbols.intern(name)).collect();
    features.sort_unstable();
    features.dedup();
    let spec = NodeSpec {
        labels: labels(&shape.metadata.labels, symbols),
        taints: taints.into(),
        unschedulable: shape.spec.unschedulable,
        allocatable: amounts(&allocatable, symbols),
        pods_max: allocatable.get("pods").map_or(0, Quantity::value),
        images,
        features: features.into(),
    };
    let key = EntityKey::new("node", name, 0);
    Ok(Node { key, name: symbols.intern(name), spec: reading.specs.nodes.intern(spec) })
}

/// What may help where an effect is unknown.
pub(super) const EFFECTS: &str = "one of NoSchedule, PreferNoSchedule, NoExecute";

/// The effect of a taint.
pub(super) fn effect(text: &str) -> Option<TaintEffect> {
    match text {
        "NoSchedule" => Some(TaintEffect::NoSchedule),
        "PreferNoSchedule" => Some(TaintEffect::PreferNoSchedule),
        "NoExecute" => Some(TaintEffect::NoExecute),
        _ => None,
    }
}
