//! From the shapes of volumes, claims and their neighbours to rows (K 2.15).

use crate::base::Symbols;
use crate::control::kubernetes::labels::Requirement;
use crate::control::kubernetes::labels_text::{Comparison, Written, together};
use crate::control::kubernetes::objects::{
    ClaimReference, ClaimSpec, CsiDriver, CsiNodeSpec, Modes, Named, StorageCapacitySpec, StorageClassSpec,
    VolumePhase, VolumeSpec,
};
use crate::control::kubernetes::quantity::Quantity;
use crate::mark;

use super::error::ApiError;
use super::pod::controller;
use super::selectors::{labels, node_terms, selector};
use super::shape::{Expression, LabelSelector, Metadata, NodeSelector, Requirements, Resources, shape};
use super::{Reading, name, namespace, timestamp};

shape! {
    VolumeShape {
        metadata: Metadata<'a>,
        spec: VolumeSpecShape<'a>,
        status: Status<'a>,
    }
}

shape! {
    VolumeSpecShape {
        storage_class_name: &'a str,
        capacity: Resources<'a>,
        access_modes: Vec<&'a str>,
        volume_mode: &'a str,
        node_affinity: VolumeNodeAffinity<'a>,
        claim_ref: Option<ClaimRef<'a>>,
        csi: Option<CsiSource<'a>>,
    }
}

shape! {
    VolumeNodeAffinity {
        required: Option<NodeSelector<'a>>,
    }
}

shape! {
    ClaimRef {
        namespace: &'a str,
        name: &'a str,
        uid: &'a str,
    }
}

shape! {
    CsiSource {
        driver: &'a str,
        volume_handle: &'a str,
    }
}

shape! {
    Status {
        phase: &'a str,
    }
}

shape! {
    ClaimShape {
        metadata: Metadata<'a>,
        spec: ClaimSpecShape<'a>,
        status: Status<'a>,
    }
}

shape! {
    ClaimSpecShape {
        storage_class_name: Option<&'a str>,
        resources: Requirements<'a>,
        access_modes: Vec<&'a str>,
        volume_mode: &'a str,
        selector: Option<LabelSelector<'a>>,
        volume_name: &'a str,
    }
}

shape! {
    StorageClassShape {
        metadata: Metadata<'a>,
        provisioner: &'a str,
        volume_binding_mode: &'a str,
        allowed_topologies: Vec<Topology<'a>>,
    }
}

shape! {
    Topology {
        match_label_expressions: Vec<Expression<'a>>,
    }
}

shape! {
    CsiNodeShape {
        metadata: Metadata<'a>,
        spec: CsiNodeSpecShape<'a>,
    }
}

shape! {
    CsiNodeSpecShape {
        drivers: Vec<Driver<'a>>,
    }
}

shape! {
    Driver {
        name: &'a str,
        allocatable: Allocatable<'a>,
    }
}

shape! {
    Allocatable {
        count: Option<i32>,
    }
}

shape! {
    CsiDriverShape {
        metadata: Metadata<'a>,
        spec: CsiDriverSpec<'a>,
    }
}

shape! {
    CsiDriverSpec {
        storage_capacity: bool,
    }
}

shape! {
    CapacityShape {
        metadata: Metadata<'a>,
        storage_class_name: &'a str,
        node_topology: Option<LabelSelector<'a>>,
        capacity: Option<Quantity>,
        maximum_volume_size: Option<Quantity>,
    }
}

const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";
const MIGRATED_ANNOTATION: &str = "storage.alpha.kubernetes.io/migrated-plugins";

/// Reads a persistent volume.
pub(super) fn volume(
    reading: &mut Reading<'_>,
    mut shape: VolumeShape<'_>,
) -> Result<Named<VolumeSpec>, ApiError> {
    let spec = &mut shape.spec;
    super::requests::round_list(&mut spec.capacity);
    let symbols = &mut reading.specs.symbols;
    let class = shape.metadata.annotations.get(CLASS_ANNOTATION).copied();
    let required = spec.node_affinity.required.as_ref();
    let volume = VolumeSpec {
        labels: labels(&shape.metadata.labels, symbols),
        class: symbols.intern(class.unwrap_or(spec.storage_class_name)),
        capacity: spec.capacity.get("storage").map_or(0, Quantity::value),
        modes: modes("spec.accessModes", &spec.access_modes)?,
        block: is_block(spec.volume_mode)?,
        nodes: required.map(|required| node_terms(&required.node_selector_terms, symbols)),
        claim: spec.claim_ref.as_ref().map(|claim| ClaimReference {
            namespace: symbols.intern(claim.namespace),
            name: symbols.intern(claim.name),
            uid: (!claim.uid.is_empty()).then(|| symbols.intern(claim.uid)),
        }),
        csi: spec.csi.as_ref().map(|csi| (symbols.intern(csi.driver), symbols.intern(csi.volume_handle))),
        phase: phase(shape.status.phase)?,
        deleting: timestamp("metadata.deletionTimestamp", shape.metadata.deletion_timestamp)?.is_some(),
    };
    let spec = reading.specs.volumes.intern(volume);
    named("", &shape.metadata, spec, &mut reading.specs.symbols)
}

/// Reads a claim.
pub(super) fn claim(
    reading: &mut Reading<'_>,
    mut shape: ClaimShape<'_>,
) -> Result<Named<ClaimSpec>, ApiError> {
    let spec = &mut shape.spec;
    super::requests::round_list(&mut spec.resources.requests);
    let symbols = &mut reading.specs.symbols;
    let annotations = &shape.metadata.annotations;
    let class = annotations.get(CLASS_ANNOTATION).copied().or(spec.storage_class_name);
    let selected = match &spec.selector {
        Some(shape) => Some(selector("spec.selector", Some(shape), symbols)?),
        None => None,
    };
    let node = annotations.get("volume.kubernetes.io/selected-node");
    let claim = ClaimSpec {
        class: class.map(|class| symbols.intern(class)),
        request: spec.resources.requests.get("storage").map_or(0, Quantity::value),
        modes: modes("spec.accessModes", &spec.access_modes)?,
        block: is_block(spec.volume_mode)?,
        selector: selected,
        volume: (!spec.volume_name.is_empty()).then(|| symbols.intern(spec.volume_name)),
        bind_completed: annotations.get("pv.kubernetes.io/bind-completed").is_some(),
        selected_node: node.map(|node| symbols.intern(node)),
        lost: shape.status.phase == "Lost",
        deleting: timestamp("metadata.deletionTimestamp", shape.metadata.deletion_timestamp)?.is_some(),
        controller: controller(&shape.metadata, symbols),
    };
    let spec = reading.specs.claims.intern(claim);
    named(namespace(&shape.metadata), &shape.metadata, spec, &mut reading.specs.symbols)
}

/// Reads a storage class.
pub(super) fn storage_class(
    reading: &mut Reading<'_>,
    shape: &StorageClassShape<'_>,
) -> Result<Named<StorageClassSpec>, ApiError> {
    let symbols = &mut reading.specs.symbols;
    let waits = match shape.volume_binding_mode {
        "WaitForFirstConsumer" => true,
        "" | "Immediate" => {
            mark!("K 2.15 a class binds at once unless it says that it waits");
            false
        }
        other => {
            let error = ApiError::new("volumeBindingMode", format!("{other:?} is no binding mode"));
            return Err(error.with_hint("Immediate or WaitForFirstConsumer"));
        }
    };
    let mut topologies = Vec::with_capacity(shape.allowed_topologies.len());
    for (index, topology) in shape.allowed_topologies.iter().enumerate() {
        let path = format!("allowedTopologies[{index}].matchLabelExpressions");
        topologies.push(requirements(&path, &topology.match_label_expressions, symbols)?);
    }
    let provisioner = symbols.intern(shape.provisioner);
    let class = StorageClassSpec { provisioner, waits, topologies: topologies.into() };
    let spec = reading.specs.storage_classes.intern(class);
    named("", &shape.metadata, spec, &mut reading.specs.symbols)
}

/// Reads a `CSINode`.
pub(super) fn csi_node(
    reading: &mut Reading<'_>,
    shape: &CsiNodeShape<'_>,
) -> Result<Named<CsiNodeSpec>, ApiError> {
    let symbols = &mut reading.specs.symbols;
    let drivers = shape.spec.drivers.iter();
    let drivers = drivers.map(|driver| (symbols.intern(driver.name), driver.allocatable.count)).collect();
    let migrated = shape.metadata.annotations.get(MIGRATED_ANNOTATION).copied().unwrap_or_default();
    let migrated = migrated.split(',').filter(|plugin| !plugin.is_empty());
    let migrated = migrated.map(|plugin| symbols.intern(plugin)).collect();
    let spec = reading.specs.csi_nodes.intern(CsiNodeSpec { drivers, migrated });
    named("", &shape.metadata, spec, &mut reading.specs.symbols)
}

/// Reads a CSI driver.
pub(super) fn csi_driver(
    reading: &mut Reading<'_>,
    shape: &CsiDriverShape<'_>,
) -> Result<CsiDriver, ApiError> {
    let name = reading.specs.symbols.intern(name(&shape.metadata)?);
    Ok(CsiDriver { name, storage_capacity: shape.spec.storage_capacity })
}

/// Reads a storage capacity.
pub(super) fn storage_capacity(
    reading: &mut Reading<'_>,
    shape: &CapacityShape<'_>,
) -> Result<Named<StorageCapacitySpec>, ApiError> {
    let symbols = &mut reading.specs.symbols;
    let capacity = StorageCapacitySpec {
        class: symbols.intern(shape.storage_class_name),
        nodes: selector("nodeTopology", shape.node_topology.as_ref(), symbols)?,
        capacity: shape.capacity.as_ref().map(Quantity::value),
        volume_max: shape.maximum_volume_size.as_ref().map(Quantity::value),
    };
    let spec = reading.specs.capacities.intern(capacity);
    named(namespace(&shape.metadata), &shape.metadata, spec, &mut reading.specs.symbols)
}

/// Names for a spec.
pub(super) fn named<S>(
    namespace: &str,
    metadata: &Metadata<'_>,
    spec: crate::base::Row<S>,
    symbols: &mut Symbols,
) -> Result<Named<S>, ApiError> {
    let name = symbols.intern(name(metadata)?);
    Ok(Named { namespace: symbols.intern(namespace), name, uid: symbols.intern(metadata.uid), spec })
}

fn requirements(
    path: &str,
    expressions: &[Expression<'_>],
    symbols: &mut Symbols,
) -> Result<Box<[Requirement]>, ApiError> {
    let mut found = Vec::with_capacity(expressions.len());
    for expression in expressions {
        let written = Written::new("", expression.key, Comparison::In, expression.values.clone());
        let written = written.map_err(|errors| ApiError::new(path, together(errors)))?;
        found.push(written.compile(symbols));
    }
    Ok(found.into())
}

fn modes(path: &str, texts: &[&str]) -> Result<Modes, ApiError> {
    let mut modes = Modes::default();
    for text in texts {
        match *text {
            "ReadWriteOnce" => modes.write_once = true,
            "ReadOnlyMany" => modes.read_many = true,
            "ReadWriteMany" => modes.write_many = true,
            "ReadWriteOncePod" => modes.write_one_pod = true,
            other => {
                let error = ApiError::new(path, format!("{other:?} is no access mode"));
                return Err(error.with_hint("ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod"));
            }
        }
    }
    Ok(modes)
}

fn is_block(mode: &str) -> Result<bool, ApiError> {
    match mode {
        "" | "Filesystem" => Ok(false),
        "Block" => Ok(true),
        other => {
            let error = ApiError::new("spec.volumeMode", format!("{other:?} is no volume mode"));
            Err(error.with_hint("Filesystem or Block"))
        }
    }
}

fn phase(text: &str) -> Result<VolumePhase, ApiError> {
    match text {
        "" | "Pending" => Ok(VolumePhase::Pending),
        "Available" => Ok(VolumePhase::Available),
        "Bound" => Ok(VolumePhase::Bound),
        "Released" => Ok(VolumePhase::Released),
        "Failed" => Ok(VolumePhase::Failed),
        other => Err(ApiError::new("status.phase", format!("{other:?} is no phase of a volume"))),
    }
}
