//! Manifests: YAML or JSON files as `kubectl` takes and prints them, as objects with places.
//!
//! Says which kinds are read, which are valid and passed over, and which do not exist; what an object
//! means is known to [`api`]. Opens no file.

use std::rc::Rc;

use serde_json::Value as Json;

use super::codes::Code;
use super::diagnostic::{Diagnostic, Place, Source, quoted, suggestion};
use super::import::Origin;
use super::schema::Scenario;
use super::tree::{self, Kind, Node, Value};
use super::{Sources, json, lower, read, yaml};
use crate::control::kubernetes::api::{self, unmodelled};

/// An object that a file or a scenario states.
#[derive(Debug)]
pub(super) struct Stated {
    /// One of the kinds that are read, or [`CONFIGURATION`].
    pub(super) kind: &'static str,
    /// Where it stands, and its fields.
    pub(super) at: Origin,
    pub(super) document: Json,
}

/// An object that is valid and passed over.
#[derive(Debug)]
pub(super) struct PassedOver {
    pub(super) kind: String,
    /// What happens instead.
    pub(super) instead: &'static str,
    pub(super) place: Place,
}

/// What a file states.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    pub(super) objects: Vec<Stated>,
    pub(super) passed_over: Vec<PassedOver>,
    pub(super) found: Vec<Diagnostic>,
}

/// The kind of a scheduler's configuration, which is no object of the API.
pub(super) const CONFIGURATION: &str = "KubeSchedulerConfiguration";

/// Whether a text is a file of manifests rather than a scenario or a file of requests: it says a version
/// of the API and a kind where an object says them.
///
/// ```
/// use windtunnel::scenario::manifests::is_manifest;
/// assert!(is_manifest("apiVersion: v1\nkind: Pod\n"));
/// assert!(!is_manifest("name: shop\npods: [ { kind: Pod } ]\n"));
/// assert!(is_manifest("{ \"kind\": \"List\", \"apiVersion\": \"v1\" }"));
/// ```
pub fn is_manifest(text: &str) -> bool {
    let says = |key: &str| text.lines().any(|line| line.starts_with(key));
    let is_json = text.trim_start().starts_with('{');
    is_json && text.contains("\"apiVersion\"") || says("apiVersion:") && says("kind:")
}

/// Every complaint about a file of manifests by itself: what it refers to in other files is missed, nodes
/// are not.
pub fn check(source: &Rc<Source>) -> Vec<Diagnostic> {
    let around = Sources::default().add("scenario.yaml", AROUND.to_vec());
    let scenario = read::<Scenario>(&around).0.expect("it is ours");
    let (_, mut found) = lower(&scenario, "eks", &[Rc::clone(source)]);
    found.retain(|each| each.code != Code::NoCapacity);
    found
}

/// The scenario that a file of manifests is read in when it is checked by itself.
const AROUND: &[u8] = b"\
name: manifests
region: us-east-1
run_for: 1h
platforms: { eks: { eks: { manifests: manifests } } }
";

impl Manifests {
    /// Adds the objects of one file, in order.
    pub(super) fn add(&mut self, source: &Source) {
        if let Some(fault) = source.fault() {
            return self.found.push(fault);
        }
        let before = self.objects.len() + self.passed_over.len() + self.found.len();
        for document in self.documents(source) {
            self.document(&document);
        }
        if self.objects.len() + self.passed_over.len() + self.found.len() == before {
            let message = "there is no object in this file";
            self.found.push(Diagnostic::new(Code::SeveralDocuments, source.whole(), message));
        }
    }

    /// A file whose name ends so is JSON, every other one YAML.
    fn documents(&mut self, source: &Source) -> Vec<Rc<Node>> {
        let kind = source.name.rsplit_once('.').map_or("", |(_, kind)| kind);
        if kind.eq_ignore_ascii_case("json") && !source.text.trim().is_empty() {
            let (root, found) = json::parse(source);
            self.found.extend(found);
            return root.into_iter().collect();
        }
        let (documents, found) = yaml::parse(source);
        self.found.extend(found);
        documents
    }

    /// One document: an object, a list of objects, or nothing.
    fn document(&mut self, node: &Rc<Node>) {
        match &node.value {
            Value::Scalar(_, Kind::Null) => {}
            Value::Map(_) => match node.field("items").and_then(|items| items.items()) {
                Some(items) if is_list(node) => self.list(node, items),
                Some(_) | None => self.object(node, None),
            },
            Value::Scalar(..) | Value::Sequence(_) => {
                let wrong = Diagnostic::new(Code::WrongType, node.place, "a manifest is a map of keys");
                self.found.push(wrong.hint("several objects are separated by a line `---`"));
            }
        }
    }

    /// `List`, as `kubectl` prints it, or `PodList`, whose items do not say that they are Pods.
    fn list(&mut self, list: &Rc<Node>, items: &[Rc<Node>]) {
        let kind = text(list, "kind").unwrap_or_default();
        let of = kind.strip_suffix("List").filter(|of| !of.is_empty());
        for item in items {
            match (&item.value, of) {
                (Value::Map(_), Some(of)) => {
                    self.object(item, Some((of, text(list, "apiVersion").unwrap_or_default())));
                }
                _ => self.document(item),
            }
        }
    }

    /// An object; `known` are kind and version of the list that it stands in.
    fn object(&mut self, node: &Rc<Node>, known: Option<(&str, &str)>) {
        let mut stated = |field: &'static str, known: Option<&str>| match (text(node, field), known) {
            (Some(text), _) if !text.is_empty() => Some(text.to_owned()),
            (_, Some(known)) => Some(known.to_owned()),
            (_, None) => {
                let message = format!("the key {} is missing", quoted(field));
                let example = if field == "kind" { "kind: Pod" } else { "apiVersion: v1" };
                let wrong = Diagnostic::new(Code::MissingKey, start_of(node), message);
                self.found.push(wrong.hint(format!("every object says what it is, such as `{example}`")));
                None
            }
        };
        let (kind, version) =
            (stated("kind", known.map(|known| known.0)), stated("apiVersion", known.map(|known| known.1)));
        let (Some(kind), Some(version)) = (kind, version) else { return };
        match understand(&kind, &version) {
            Understood::Read(kind) => {
                self.objects.push(Stated { kind, at: Origin::of(node), document: tree::to_json(node) });
            }
            Understood::PassedOver(instead) => {
                let place = node.field("kind").map_or(start_of(node), |word| word.place);
                self.passed_over.push(PassedOver { kind, instead, place });
            }
            Understood::OtherVersion(versions) => {
                let message = format!("{} is not in {}", quoted(&kind), quoted(&version));
                let place = node.field("apiVersion").map_or(node.place, |word| word.place);
                let wrong = Diagnostic::new(Code::ObjectKind, place, message);
                self.found.push(wrong.hint(format!("write `apiVersion: {versions}`")));
            }
            Understood::Unknown => {
                let message = format!("there is no kind of object {}", quoted(&kind));
                let place = node.field("kind").map_or(node.place, |word| word.place);
                let wrong = Diagnostic::new(Code::ObjectKind, place, message);
                let hint = suggestion(&kind, &kinds());
                self.found.push(Diagnostic { hint, ..wrong });
            }
        }
    }
}

/// The fields of an object that have no effect: unmodelled ones are warnings, those that the cluster
/// writes by itself notes. Nothing of an object that is wrong.
pub(super) fn field_warnings(kind: &str, document: &Json, at: &Origin) -> Vec<(String, Diagnostic)> {
    let warning = |warning: &api::Warning| {
        let place = at.find_key(&warning.path);
        let pattern = unmodelled::pattern(&warning.path);
        let diagnostic = match warning.instead {
            Some(instead) => {
                let not = if instead.starts_with("not modelled") { "" } else { " is not modelled" };
                let message = format!("{pattern}{not}: {instead}");
                let wrong = Diagnostic::new(Code::Unmodelled, place, message);
                if unmodelled::is_of_the_cluster(instead) { wrong.note() } else { wrong }
            }
            None => {
                let message = format!("{pattern} is no field of a {kind}; it is left out");
                Diagnostic::new(Code::UnknownField, place, message)
            }
        };
        (format!("{kind} {pattern}"), diagnostic)
    };
    let warnings = api::warnings(kind, document).unwrap_or_default();
    warnings.iter().map(warning).collect()
}

/// What becomes of a kind.
enum Understood {
    Read(&'static str),
    PassedOver(&'static str),
    /// It is read in this version of the API.
    OtherVersion(&'static str),
    Unknown,
}

fn understand(kind: &str, version: &str) -> Understood {
    if let Some(&(kind, known)) = READ.iter().find(|(known, _)| *known == kind) {
        return if known == version { Understood::Read(kind) } else { Understood::OtherVersion(known) };
    }
    if let Some(&(_, instead)) = NOT_RUN.iter().find(|(kinds, _)| kinds.contains(&kind)) {
        return Understood::PassedOver(instead);
    }
    let group = version.split_once('/').map_or("", |(group, _)| group);
    if group.contains('.') && !group.ends_with(".k8s.io") {
        return Understood::PassedOver("nothing acts on custom resources");
    }
    Understood::Unknown
}

fn kinds() -> Vec<&'static str> {
    READ.iter()
        .map(|(kind, _)| *kind)
        .chain(NOT_RUN.iter().flat_map(|(kinds, _)| kinds.iter().copied()))
        .collect()
}

/// The kinds that are read, each in its version of the API.
const READ: &[(&str, &str)] = &[
    ("Pod", "v1"),
    ("Node", "v1"),
    ("PersistentVolume", "v1"),
    ("PersistentVolumeClaim", "v1"),
    ("StorageClass", "storage.k8s.io/v1"),
    ("CSINode", "storage.k8s.io/v1"),
    ("CSIDriver", "storage.k8s.io/v1"),
    ("CSIStorageCapacity", "storage.k8s.io/v1"),
    ("VolumeAttachment", "storage.k8s.io/v1"),
    ("Service", "v1"),
    ("ReplicationController", "v1"),
    ("ReplicaSet", "apps/v1"),
    ("StatefulSet", "apps/v1"),
    ("PodDisruptionBudget", "policy/v1"),
    ("Namespace", "v1"),
    ("PriorityClass", "scheduling.k8s.io/v1"),
    (CONFIGURATION, "kubescheduler.config.k8s.io/v1"),
];

/// Kinds that are valid and passed over, and what happens instead.
const NOT_RUN: &[(&[&str], &str)] = &[
    (
        &["Deployment", "DaemonSet", "Job", "CronJob", "PodTemplate"],
        "its pods are not created; state them as Pods, or as arrivals with `pod`",
    ),
    (&["HorizontalPodAutoscaler"], "nothing is scaled"),
    (&["ConfigMap", "Secret"], "the content of volumes and variables has no effect"),
    (
        &[
            "ServiceAccount",
            "Role",
            "RoleBinding",
            "ClusterRole",
            "ClusterRoleBinding",
            "CertificateSigningRequest",
        ],
        "nobody lacks rights",
    ),
    (
        &[
            "Ingress",
            "IngressClass",
            "NetworkPolicy",
            "Endpoints",
            "EndpointSlice",
            "IPAddress",
            "ServiceCIDR",
        ],
        "traffic is not modelled",
    ),
    (&["ResourceQuota", "LimitRange"], "pods are created without limits and as they are written"),
    (
        &[
            "CustomResourceDefinition",
            "APIService",
            "ValidatingWebhookConfiguration",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
        ],
        "nobody extends the API",
    ),
    (&["RuntimeClass"], "the overhead of a pod is written in the pod"),
    (
        &["ResourceClaim", "ResourceClaimTemplate", "ResourceSlice", "DeviceClass"],
        "claims on devices are not modelled",
    ),
    (&["VolumeAttributesClass"], "all volumes of a class are alike"),
    (
        &[
            "Lease",
            "Event",
            "ControllerRevision",
            "ComponentStatus",
            "FlowSchema",
            "PriorityLevelConfiguration",
        ],
        "it is the cluster's own",
    ),
];

fn is_list(node: &Node) -> bool {
    text(node, "kind").is_some_and(|kind| kind.ends_with("List"))
}

/// A field that holds text.
fn text<'a>(node: &'a Node, field: &str) -> Option<&'a str> {
    match &node.field(field)?.value {
        Value::Scalar(text, Kind::Plain | Kind::Quoted) => Some(text),
        Value::Scalar(..) | Value::Sequence(_) | Value::Map(_) => None,
    }
}

/// The first key of a map: a marker at the whole of it would mark a page.
fn start_of(node: &Node) -> Place {
    match &node.value {
        Value::Map(entries) => entries.first().map_or(node.place, |(key, _)| key.place),
        Value::Scalar(..) | Value::Sequence(_) => node.place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file states: `Pod a`, `-Deployment`, `!E0902 1:7`.
    fn read(name: &str, text: &str) -> String {
        let mut manifests = Manifests::default();
        manifests.add(&Sources::default().add(name, text.as_bytes().to_vec()));
        let objects = manifests.objects.iter().map(|object| {
            let name = object.document["metadata"]["name"].as_str().unwrap_or("?");
            format!("{} {name}", object.kind)
        });
        let over = manifests.passed_over.iter().map(|over| format!("-{}", over.kind));
        let found = manifests
            .found
            .iter()
            .map(|each| format!("!{} {}:{}", each.code.number(), each.place.line, each.place.column));
        objects.chain(over).chain(found).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn files_are_read_as_kubectl_writes_them() {
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\n";
        let rows = [
            ("a.yaml", pod.to_owned(), "Pod a"),
            ("a.yaml", format!("# comment\n---\n{pod}---\n---\n{pod}"), "Pod a, Pod a"),
            (
                "a.yaml",
                "apiVersion: v1\nkind: List\nitems:\n- { apiVersion: v1, kind: Node, metadata: { name: n } }\n".to_owned(),
                "Node n",
            ),
            ("a.yaml", "apiVersion: v1\nkind: PodList\nitems:\n- { metadata: { name: p } }\n".to_owned(), "Pod p"),
            (
                "a.json",
                r#"{"kind": "List", "apiVersion": "v1", "items": [{"kind": "Pod", "apiVersion": "v1"}]}"#.to_owned(),
                "Pod ?",
            ),
            ("a.yaml", "apiVersion: v1\nkind: List\nitems: []\n".to_owned(), "!E0110 0:0"),
            ("a.yaml", "apiVersion: apps/v1\nkind: Deployment\n".to_owned(), "-Deployment"),
            ("a.yaml", "apiVersion: karpenter.sh/v1\nkind: NodePool\n".to_owned(), "-NodePool"),
            ("a.yaml", "apiVersion: v1\nkind: Podd\n".to_owned(), "!E0902 2:7"),
            ("a.yaml", "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n".to_owned(), "!E0902 1:13"),
            ("a.yaml", "kind: Pod\n".to_owned(), "!E0107 1:1"),
            ("a.yaml", "apiVersion: v1\n".to_owned(), "!E0107 1:1"),
            ("a.yaml", "- 1\n".to_owned(), "!E0105 1:1"),
            ("a.yaml", "a: [\n".to_owned(), "!E0101 1:4"),
            ("a.json", "{".to_owned(), "!E0102 1:1"),
            ("a.json", " ".to_owned(), "!E0110 0:0"),
        ];
        for (name, text, expected) in rows {
            assert_eq!(read(name, &text), expected, "{text}");
        }
    }

    #[test]
    fn a_file_is_checked_by_itself() {
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  containers: [ { name: a, image: a } ]\n";
        let rows = [
            (pod.to_owned(), ""),
            (format!("{pod}  restartPolicy: Often\n"), "E0901"),
            (format!("{pod}  hostname: a\n"), "W0101"),
            ("apiVersion: v1\nkind: Podd\n".to_owned(), "E0902"),
        ];
        for (text, expected) in rows {
            let source = Sources::default().add("a.yaml", text.clone().into_bytes());
            let codes: Vec<&str> = check(&source).iter().map(|each| each.code.number()).collect();
            assert_eq!(codes.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn every_kind_is_in_one_list() {
        let mut kinds = kinds();
        kinds.sort_unstable();
        assert!(kinds.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
