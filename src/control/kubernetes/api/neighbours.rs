//! From the shapes of services, workloads, budgets, namespaces, attachments and priority classes to
//! rows: of each, what scheduling reads.

use crate::control::kubernetes::labels::{Labels, Operator, Requirement, Selector};
use crate::control::kubernetes::objects::{BudgetSpec, ControllerKind, Named, Selecting};
use crate::mark;

use super::error::ApiError;
use super::selectors::{labels, selector};
use super::shape::{LabelSelector, Map, Metadata, Pairs, shape};
use super::storage::named;
use super::{PriorityClass, Reading, name, namespace};

shape! {
    /// A `Service` or a `ReplicationController`: its selector is a plain set of labels.
    PlainShape {
        metadata: Metadata<'a>,
        spec: PlainSpec<'a>,
    }
}

shape! {
    PlainSpec {
        selector: Pairs<'a>,
        template: Template<'a>,
    }
}

shape! {
    Template {
        metadata: Metadata<'a>,
    }
}

shape! {
    /// A `ReplicaSet` or a `StatefulSet`.
    WorkloadShape {
        metadata: Metadata<'a>,
        spec: WorkloadSpec<'a>,
    }
}

shape! {
    WorkloadSpec {
        selector: Option<LabelSelector<'a>>,
    }
}

shape! {
    BudgetShape {
        metadata: Metadata<'a>,
        spec: WorkloadSpec<'a>,
        status: BudgetStatus<'a>,
    }
}

shape! {
    BudgetStatus {
        disruptions_allowed: i32,
        disrupted_pods: Map<'a, &'a str>,
    }
}

shape! {
    NamespaceShape {
        metadata: Metadata<'a>,
    }
}

shape! {
    AttachmentShape {
        metadata: Metadata<'a>,
        spec: AttachmentSpec<'a>,
    }
}

shape! {
    AttachmentSpec {
        attacher: &'a str,
        node_name: &'a str,
        source: AttachmentSource<'a>,
    }
}

shape! {
    AttachmentSource {
        persistent_volume_name: &'a str,
    }
}

shape! {
    PriorityClassShape {
        metadata: Metadata<'a>,
        value: i32,
        global_default: bool,
        preemption_policy: &'a str,
    }
}

/// Reads a `Service` (no kind) or a `ReplicationController`.
pub(super) fn plain(
    reading: &mut Reading<'_>,
    shape: &PlainShape<'_>,
    kind: Option<ControllerKind>,
) -> Result<Selecting, ApiError> {
    let symbols = &mut reading.specs.symbols;
    let mut pairs = &shape.spec.selector;
    if kind.is_some() && pairs.is_empty() {
        mark!("K 1.4 a replication controller selects by the labels of its template");
        pairs = &shape.spec.template.metadata.labels;
    }
    let selector = if pairs.is_empty() {
        mark!("K 1.4 a service without a selector selects nothing");
        Selector::Nothing
    } else {
        let equal = labels(pairs, symbols);
        let requirement = |(key, value)| Requirement { key, operator: Operator::In([value].into()) };
        Selector::all_of(equal.iter().map(requirement).collect())
    };
    let spec = reading.specs.selectors.intern(selector);
    let named = named(namespace(&shape.metadata), &shape.metadata, spec, &mut reading.specs.symbols)?;
    Ok(Selecting { kind, named })
}

/// Reads a `ReplicaSet` or a `StatefulSet`.
pub(super) fn workload(
    reading: &mut Reading<'_>,
    shape: &WorkloadShape<'_>,
    kind: ControllerKind,
) -> Result<Selecting, ApiError> {
    let selector = selector("spec.selector", shape.spec.selector.as_ref(), &mut reading.specs.symbols)?;
    let spec = reading.specs.selectors.intern(selector);
    let named = named(namespace(&shape.metadata), &shape.metadata, spec, &mut reading.specs.symbols)?;
    Ok(Selecting { kind: Some(kind), named })
}

/// Reads a disruption budget.
pub(super) fn budget(
    reading: &mut Reading<'_>,
    shape: &BudgetShape<'_>,
) -> Result<Named<BudgetSpec>, ApiError> {
    let symbols = &mut reading.specs.symbols;
    let disrupted = shape.status.disrupted_pods.iter().map(|(name, _)| symbols.intern(name)).collect();
    let selector = selector("spec.selector", shape.spec.selector.as_ref(), symbols)?;
    let disruptions_allowed = shape.status.disruptions_allowed;
    let spec = reading.specs.budgets.intern(BudgetSpec { selector, disruptions_allowed, disrupted });
    named(namespace(&shape.metadata), &shape.metadata, spec, &mut reading.specs.symbols)
}

/// Reads a namespace.
pub(super) fn namespace_object(
    reading: &mut Reading<'_>,
    mut shape: NamespaceShape<'_>,
) -> Result<Named<Labels>, ApiError> {
    let name = name(&shape.metadata)?;
    mark!("K 1.4 a namespace has its name as a label");
    shape.metadata.labels.merge("kubernetes.io/metadata.name", &name, |own, name| *own = name);
    let labels = labels(&shape.metadata.labels, &mut reading.specs.symbols);
    let spec = reading.specs.labels.intern(labels);
    named("", &shape.metadata, spec, &mut reading.specs.symbols)
}

/// Reads a volume attachment: its attacher, its node and its volume, under these words.
pub(super) fn attachment(
    reading: &mut Reading<'_>,
    shape: &AttachmentShape<'_>,
) -> Result<Named<Labels>, ApiError> {
    let symbols = &mut reading.specs.symbols;
    let source = shape.spec.source.persistent_volume_name;
    let words = [
        ("attacher", shape.spec.attacher),
        ("nodeName", shape.spec.node_name),
        ("persistentVolumeName", source),
    ];
    let stated = words.into_iter().filter(|(_, value)| !value.is_empty());
    let labels = Labels::new(stated.map(|(key, value)| (symbols.intern(key), symbols.intern(value))));
    let spec = reading.specs.labels.intern(labels);
    named("", &shape.metadata, spec, &mut reading.specs.symbols)
}

/// Reads a priority class.
pub(super) fn priority_class(
    reading: &mut Reading<'_>,
    shape: &PriorityClassShape<'_>,
) -> Result<PriorityClass, ApiError> {
    let preempts = match shape.preemption_policy {
        "" | "PreemptLowerPriority" => true,
        "Never" => false,
        other => {
            let error = ApiError::new("preemptionPolicy", format!("{other:?} is no preemption policy"));
            return Err(error.with_hint("PreemptLowerPriority or Never"));
        }
    };
    let name = reading.specs.symbols.intern(name(&shape.metadata)?);
    Ok(PriorityClass { name, value: shape.value, global_default: shape.global_default, preempts })
}
