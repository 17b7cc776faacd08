//! Objects of the Kubernetes API, spelled as Kubernetes spells them, and what becomes of them.
//!
//! [`Reading::read`] takes one object as a JSON value and gives a row of [`objects`](super::objects):
//! the defaults of the API come first, then the priority, then, when a pod is created, the keys that
//! are merged into its selectors. [`warnings`] says which of its fields have no effect here. Knows
//! nothing of files, of lists of objects, and of when something is created.

pub mod config;
mod container;
pub mod error;
mod neighbours;
mod node;
mod pod;
mod pod_shape;
mod requests;
mod selectors;
mod shape;
mod storage;
pub mod unmodelled;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::base::{Symbol, Timestamp};

use super::labels::Labels;
use super::labels_text;
use super::objects::{
    BudgetSpec, ClaimSpec, ControllerKind, CsiDriver, CsiNodeSpec, Named, Node, Pod, Selecting, Specs,
    StorageCapacitySpec, StorageClassSpec, VolumeSpec,
};
pub use error::ApiError;
pub use requests::QualityOfService;

/// Whether an object is new, or takes the place of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// It is new: keys of labels are merged into selectors.
    Create,
    /// It replaces one; selectors are as they are.
    Update,
}

/// An object that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "kinds of the API")]
pub enum Object {
    Pod(Pod),
    Node(Node),
    Volume(Named<VolumeSpec>),
    Claim(Named<ClaimSpec>),
    StorageClass(Named<StorageClassSpec>),
    CsiNode(Named<CsiNodeSpec>),
    CsiDriver(CsiDriver),
    StorageCapacity(Named<StorageCapacitySpec>),
    VolumeAttachment(Named<Labels>),
    Selecting(Selecting),
    Budget(Named<BudgetSpec>),
    Namespace(Named<Labels>),
    PriorityClass(PriorityClass),
}

/// A class of priority.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PriorityClass {
    /// Its name.
    pub name: Symbol,
    /// The priority.
    pub value: i32,
    /// Whether it is for pods that name none.
    pub global_default: bool,
    /// Whether its pods may preempt.
    pub preempts: bool,
}

/// The classes of priority of one cluster; two more are built in.
#[derive(Clone, Debug, Default)]
pub struct PriorityClasses {
    by_name: BTreeMap<Symbol, PriorityClass>,
}

impl PriorityClasses {
    /// Adds a class, or replaces the one of its name.
    pub fn insert(&mut self, class: PriorityClass) {
        self.by_name.insert(class.name, class);
    }

    /// Removes a class.
    pub fn remove(&mut self, name: Symbol) {
        self.by_name.remove(&name);
    }

    fn get(&self, name: Symbol) -> Option<PriorityClass> {
        self.by_name.get(&name).copied()
    }

    /// Of several defaults the lowest holds.
    fn global_default(&self) -> Option<PriorityClass> {
        let defaults = self.by_name.values().filter(|class| class.global_default);
        defaults.copied().min_by_key(|class| (class.value, class.preempts))
    }
}

/// What reading objects needs and fills.
///
/// ```
/// use windtunnel::control::kubernetes::api::{Object, PriorityClasses, Reading, Stage};
/// use windtunnel::control::kubernetes::objects::Specs;
/// let (mut specs, classes) = (Specs::default(), PriorityClasses::default());
/// let document = serde_json::json!({
///     "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
///     "spec": {"containers": [{"name": "web", "resources": {"limits": {"cpu": "1500m"}}}]},
/// });
/// let mut reading = Reading { specs: &mut specs, classes: &classes };
/// let Ok(Object::Pod(pod)) = reading.read("Pod", &document, Stage::Create) else { panic!("a pod") };
/// assert_eq!(specs[pod.spec].requests.effective.cpu, 1500); // the limit is the request
/// ```
pub struct Reading<'a> {
    /// Where specs and spellings go.
    pub specs: &'a mut Specs,
    /// The classes that pods may name.
    pub classes: &'a PriorityClasses,
}

impl Reading<'_> {
    /// Reads one object. A `uid` that is not given is the empty text.
    ///
    /// # Errors
    /// The first mistake, or a kind that is not modelled.
    pub fn read(&mut self, kind: &str, document: &Value, stage: Stage) -> Result<Object, ApiError> {
        match kind {
            "Pod" => pod::read(self, read_shape(document)?, stage).map(Object::Pod),
            "Node" => node::read(self, read_shape(document)?).map(Object::Node),
            "PersistentVolume" => storage::volume(self, read_shape(document)?).map(Object::Volume),
            "PersistentVolumeClaim" => storage::claim(self, read_shape(document)?).map(Object::Claim),
            "StorageClass" => storage::storage_class(self, &read_shape(document)?).map(Object::StorageClass),
            "CSINode" => storage::csi_node(self, &read_shape(document)?).map(Object::CsiNode),
            "CSIDriver" => storage::csi_driver(self, &read_shape(document)?).map(Object::CsiDriver),
            "CSIStorageCapacity" => {
                storage::storage_capacity(self, &read_shape(document)?).map(Object::StorageCapacity)
            }
            "VolumeAttachment" => {
                neighbours::attachment(self, &read_shape(document)?).map(Object::VolumeAttachment)
            }
            "Service" => neighbours::plain(self, &read_shape(document)?, None).map(Object::Selecting),
            "ReplicationController" => {
                let kind = Some(ControllerKind::ReplicationController);
                neighbours::plain(self, &read_shape(document)?, kind).map(Object::Selecting)
            }
            "ReplicaSet" => {
                let kind = ControllerKind::ReplicaSet;
                neighbours::workload(self, &read_shape(document)?, kind).map(Object::Selecting)
            }
            "StatefulSet" => {
                let kind = ControllerKind::StatefulSet;
                neighbours::workload(self, &read_shape(document)?, kind).map(Object::Selecting)
            }
            "PodDisruptionBudget" => neighbours::budget(self, &read_shape(document)?).map(Object::Budget),
            "Namespace" => neighbours::namespace_object(self, read_shape(document)?).map(Object::Namespace),
            "PriorityClass" => {
                neighbours::priority_class(self, &read_shape(document)?).map(Object::PriorityClass)
            }
            other => Err(not_modelled(other)),
        }
    }
}

/// The quality-of-service class of a pod (K 1.1).
///
/// # Errors
/// The document is no pod.
pub fn quality_of_service(document: &Value) -> Result<QualityOfService, ApiError> {
    let mut pod = read_shape(document)?;
    requests::apply_defaults(&mut pod);
    Ok(requests::quality_of_service(&pod))
}

/// A field that is passed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    /// Its path, `spec.containers[0].env`.
    pub path: String,
    /// What the simulator does instead; none for a field that the API does not have.
    pub instead: Option<&'static str>,
}

/// The fields of an object that are passed over, in the order of the document. Slower than reading.
///
/// ```
/// use windtunnel::control::kubernetes::api::warnings;
/// let document = serde_json::json!({"kind": "Pod", "spec": {"hostname": "a", "nodeNmae": "b"}});
/// let warnings = warnings("Pod", &document).expect("a pod");
/// assert!(warnings[0].instead.is_some()); // valid, without effect
/// assert!(warnings[1].instead.is_none()); // unknown
/// ```
///
/// # Errors
/// A value of a wrong type, or a kind that is not modelled.
pub fn warnings(kind: &str, document: &Value) -> Result<Vec<Warning>, ApiError> {
    let ignored = match kind {
        "Pod" => ignored::<pod_shape::PodShape<'_>>(document),
        "Node" => ignored::<node::NodeShape<'_>>(document),
        "PersistentVolume" => ignored::<storage::VolumeShape<'_>>(document),
        "PersistentVolumeClaim" => ignored::<storage::ClaimShape<'_>>(document),
        "StorageClass" => ignored::<storage::StorageClassShape<'_>>(document),
        "CSINode" => ignored::<storage::CsiNodeShape<'_>>(document),
        "CSIDriver" => ignored::<storage::CsiDriverShape<'_>>(document),
        "CSIStorageCapacity" => ignored::<storage::CapacityShape<'_>>(document),
        "VolumeAttachment" => ignored::<neighbours::AttachmentShape<'_>>(document),
        "Service" | "ReplicationController" => ignored::<neighbours::PlainShape<'_>>(document),
        "ReplicaSet" | "StatefulSet" => ignored::<neighbours::WorkloadShape<'_>>(document),
        "PodDisruptionBudget" => ignored::<neighbours::BudgetShape<'_>>(document),
        "Namespace" => ignored::<neighbours::NamespaceShape<'_>>(document),
        "PriorityClass" => ignored::<neighbours::PriorityClassShape<'_>>(document),
        "KubeSchedulerConfiguration" => ignored::<config::ConfigurationShape<'_>>(document),
        other => Err(not_modelled(other)),
    };
    let explain = |path: String| {
        let row = unmodelled::find(kind, &unmodelled::pattern(&path));
        Warning { path, instead: row.map(|row| row.instead) }
    };
    let own = |path: &String| {
        let inner = path.rsplit_once(".args.").map_or(path.as_str(), |(_, inner)| inner);
        !matches!(inner, "apiVersion" | "kind")
    };
    Ok(ignored?.into_iter().filter(own).map(explain).collect())
}

fn ignored<'a, T: Deserialize<'a>>(document: &'a Value) -> Result<Vec<String>, ApiError> {
    let mut paths = Vec::new();
    let note = |path: serde_ignored::Path<'_>| paths.push(spell(&path));
    match serde_ignored::deserialize::<_, _, T>(document, note) {
        Ok(_) => Ok(paths),
        Err(_) => read_shape::<T>(document).map(|_| paths),
    }
}

/// A path as people write it, `volumes[0].name`.
fn spell(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", spell(parent)),
        Path::Map { parent, key } => labels_text::child(&spell(parent), key),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            spell(parent)
        }
    }
}

fn not_modelled(kind: &str) -> ApiError {
    ApiError::new("kind", format!("{kind} is not a kind that is modelled"))
}

/// Reads a shape; the place of a mistake is looked for only when there is one.
fn read_shape<'a, T: Deserialize<'a>>(document: &'a Value) -> Result<T, ApiError> {
    T::deserialize(document).map_err(|error| match serde_path_to_error::deserialize::<_, T>(document) {
        Ok(_) => ApiError::new("", error.to_string()),
        Err(error) => {
            let path = error.path().to_string();
            let message = error.inner().to_string().replace("a borrowed string", "text");
            ApiError::new(if path == "." { String::new() } else { path }, message)
        }
    })
}

/// The namespace of an object that has one.
fn namespace<'a>(metadata: &shape::Metadata<'a>) -> &'a str {
    if metadata.namespace.is_empty() { "default" } else { metadata.namespace }
}

/// The name of an object; every object has one.
fn name<'a>(metadata: &shape::Metadata<'a>) -> Result<&'a str, ApiError> {
    if metadata.name.is_empty() {
        return Err(ApiError::new("metadata.name", "an object needs a name"));
    }
    Ok(metadata.name)
}

/// A point in time, as the API writes it.
fn timestamp(path: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let point = text.parse::<jiff::Timestamp>().ok();
    let nanos = point.and_then(|point| u64::try_from(point.as_nanosecond()).ok());
    match nanos {
        Some(nanos) => Ok(Some(Timestamp::from_nanos(nanos))),
        None => {
            let hint = "write it as 2026-01-01T00:00:00Z";
            Err(ApiError::new(path, format!("{text:?} is no point in time")).with_hint(hint))
        }
    }
}

#[cfg(test)]
mod tests;
