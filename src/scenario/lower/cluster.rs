//! A Kubernetes cluster: manifests, node groups and arrivals become objects, nodes and pods.
//!
//! What a node or a pod means is in [`nodes`](super::nodes) and [`pods`](super::pods); here is what holds
//! for the cluster as a whole. Opens no file.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Value, json};

use super::Lowering;
use crate::base::{Row, Span, Symbol, Symbols};
use crate::control::ecs::objects::InstanceClass;
use crate::control::kubernetes::api::config::Configuration;
use crate::control::kubernetes::api::{Object, PriorityClass, PriorityClasses, Reading, Stage};
use crate::control::kubernetes::objects::Specs;
use crate::control::kubernetes::scheduler::profile::Registry;
use crate::mark;
use crate::scenario::codes::Code;
use crate::scenario::diagnostic::{Diagnostic, Place, Severity, Source, quoted, suggestion};
use crate::scenario::import::Origin;
use crate::scenario::manifests::{CONFIGURATION, Manifests, PassedOver, Stated, field_warnings};
use crate::scenario::schema::Eks;
use crate::scenario::text::Placed;
use crate::sim::kubernetes::{KubernetesPlan, KubernetesSettings, PlannedNode, PodArrival};

/// A cluster as it grows.
#[derive(Default)]
pub(super) struct Cluster {
    pub(super) specs: Specs,
    priorities: PriorityClasses,
    /// Their names, for hints.
    priority_names: Vec<String>,
    pub(super) profiles: Vec<Symbol>,
    pub(super) nodes: Vec<PlannedNode>,
    objects: Vec<Object>,
    pub(super) pods: Vec<PodArrival>,
    /// The names of nodes.
    pub(super) node_names: BTreeSet<String>,
    /// What reports call machines and pods: a name and a number.
    pub(super) machines: BTreeSet<(String, u64)>,
    pub(super) pod_names: BTreeSet<(String, u64)>,
    /// The classes of machines that objects of nodes describe.
    pub(super) machine_classes: BTreeMap<(String, String, i64, i64), Row<InstanceClass>>,
    pub(super) namespaces: BTreeSet<String>,
    /// What is said of several objects at once, where it was met first.
    pub(super) once: Once,
    warned: BTreeSet<String>,
}

/// What is counted, and said once of all.
#[derive(Default)]
pub(super) struct Once {
    pub(super) unbilled: Vec<Place>,
    pub(super) ended: Vec<Place>,
    pub(super) leaving: Vec<Place>,
    pub(super) nowhere: Vec<Place>,
}

/// Namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

impl Lowering<'_> {
    /// The cluster of the platform, and the images that its pods name.
    pub(super) fn cluster(
        &mut self,
        eks: &Placed<Eks>,
        files: &[Rc<Source>],
    ) -> (KubernetesPlan, Vec<Symbol>) {
        let mut manifests = self.manifests(eks, files);
        let symbols = std::mem::take(&mut self.definitions.symbols);
        let mut cluster = Cluster { specs: Specs { symbols, ..Specs::default() }, ..Cluster::default() };
        let configuration = self.configuration(eks, &mut manifests, &mut cluster.specs.symbols);
        cluster.profiles = configuration.profiles.iter().map(|profile| profile.scheduler_name).collect();
        for (name, group) in &eks.node_groups {
            self.node_group(name, group, &mut cluster);
        }
        self.objects(&manifests.objects, &mut cluster);
        for (name, stated) in &self.scenario.arrivals {
            self.pod_arrival(name, stated, &mut cluster);
        }
        self.add_namespaces(&mut cluster);
        self.check_cluster(eks, &cluster);
        let images = images(&cluster);
        self.definitions.symbols = cluster.specs.symbols.clone();
        let plan = KubernetesPlan {
            specs: cluster.specs,
            configuration,
            plugins: Registry::default(),
            objects: cluster.objects,
            nodes: cluster.nodes,
            pods: cluster.pods,
            settings: self.cluster_settings(),
        };
        (plan, images)
    }

    fn manifests(&mut self, eks: &Eks, files: &[Rc<Source>]) -> Manifests {
        let mut manifests = Manifests::default();
        if let Some(pattern) = eks.manifests.as_ref().filter(|_| files.is_empty()) {
            let message = format!("no file matches {:?}", pattern.value);
            self.wrong(Diagnostic::new(Code::NothingMatches, pattern.place, message));
        }
        for file in files {
            manifests.add(file);
        }
        self.found.append(&mut manifests.found);
        self.found.extend(not_run(&manifests.passed_over));
        manifests
    }

    /// How the scheduler is set up: in the scenario, or in one of the manifests, which is taken out.
    fn configuration(
        &mut self,
        eks: &Eks,
        manifests: &mut Manifests,
        symbols: &mut Symbols,
    ) -> Configuration {
        let of_scheduler = |stated: &mut Stated| stated.kind == CONFIGURATION;
        let mut stated: Vec<Stated> = manifests.objects.extract_if(.., of_scheduler).collect();
        if let Some(inline) = &eks.scheduler {
            let at = Origin::of(inline.node());
            stated.push(Stated { kind: CONFIGURATION, at, document: inline.value() });
        }
        let mut stated = stated.into_iter();
        let Some(first) = stated.next() else { return Configuration::standard(symbols) };
        for another in stated {
            let message = "the scheduler has another configuration already";
            let wrong = Diagnostic::new(Code::ObjectTwice, another.at.find(""), message);
            self.wrong(wrong.hint("leave one of them out"));
        }
        let remarks = field_warnings(CONFIGURATION, &first.document, &first.at);
        self.found.extend(remarks.into_iter().map(|(_, remark)| remark));
        Configuration::read(&first.document, symbols).unwrap_or_else(|error| {
            self.wrong(first.at.object_refusal(&error));
            Configuration::standard(symbols)
        })
    }

    /// Every object of the manifests: classes of priority first, since pods name them, then in file order.
    fn objects(&mut self, all: &[Stated], cluster: &mut Cluster) {
        let mut known: BTreeMap<(&str, String, &str), Place> = BTreeMap::new();
        let (classes, others): (Vec<&Stated>, Vec<&Stated>) =
            all.iter().partition(|stated| stated.kind == "PriorityClass");
        for stated in classes.into_iter().chain(others) {
            let name = text(&stated.document, "name");
            let place = stated.at.find("metadata.name");
            let key = (stated.kind, namespace(stated.kind, &stated.document), name);
            match known.get(&key).filter(|_| !name.is_empty()) {
                Some(first) => self.wrong(twice(stated.kind, name, place, *first)),
                None => {
                    known.insert(key, place);
                    self.object(stated, cluster);
                }
            }
        }
    }

    fn object(&mut self, stated: &Stated, cluster: &mut Cluster) {
        if let Some(fault) = name_fault(text(&stated.document, "name")) {
            let wrong = Diagnostic::new(Code::ObjectRule, stated.at.find("metadata.name"), fault);
            return self.wrong(wrong.hint(NAME_RULE));
        }
        let read = self.read(stated.kind, &stated.at, &stated.document, cluster);
        if read.is_some() {
            self.remark(stated.kind, &stated.at, &stated.document, cluster);
        }
        match read {
            None if stated.kind == "PriorityClass" => {
                // Its pods do not miss it as well.
                let name = cluster.specs.symbols.intern(text(&stated.document, "name"));
                let class = PriorityClass { name, value: 0, global_default: false, preempts: true };
                cluster.priorities.insert(class);
            }
            None => {}
            Some(Object::Pod(pod)) => self.pod_object(stated, pod, cluster),
            Some(Object::Node(node)) => self.node_object(stated, node, cluster),
            Some(Object::PriorityClass(class)) => {
                cluster.priorities.insert(class);
                cluster.priority_names.push(text(&stated.document, "name").to_owned());
                cluster.objects.push(Object::PriorityClass(class));
            }
            Some(Object::Namespace(of)) => {
                cluster.namespaces.insert(text(&stated.document, "name").to_owned());
                cluster.objects.push(Object::Namespace(of));
            }
            Some(
                object @ (Object::Volume(_)
                | Object::Claim(_)
                | Object::StorageClass(_)
                | Object::CsiNode(_)
                | Object::CsiDriver(_)
                | Object::StorageCapacity(_)
                | Object::VolumeAttachment(_)
                | Object::Selecting(_)
                | Object::Budget(_)),
            ) => cluster.objects.push(object),
        }
    }

    /// Reads an object; none, with a diagnostic, where it is wrong.
    pub(super) fn read(
        &mut self,
        kind: &str,
        at: &Origin,
        document: &Value,
        cluster: &mut Cluster,
    ) -> Option<Object> {
        let mut reading = Reading { specs: &mut cluster.specs, classes: &cluster.priorities };
        let error = match reading.read(kind, document, Stage::Create) {
            Ok(object) => return Some(object),
            Err(error) => error,
        };
        let mut wrong = at.object_refusal(&error);
        if error.path == "spec.priorityClassName" {
            let known: Vec<&str> = cluster.priority_names.iter().map(String::as_str).collect();
            let near = suggestion(document["spec"]["priorityClassName"].as_str().unwrap_or_default(), &known);
            wrong.hint = near.or(Some(String::from("add a PriorityClass of this name to the manifests")));
        }
        self.wrong(wrong);
        None
    }

    /// Remarks on every field of an object that has no effect, once for each field of a kind.
    pub(super) fn remark(&mut self, kind: &str, at: &Origin, document: &Value, cluster: &mut Cluster) {
        for (field, warning) in field_warnings(kind, document, at) {
            if cluster.warned.insert(field) {
                self.found.push(warning);
            }
        }
    }

    /// Namespaces exist, whether or not a manifest creates them: files are often parts of more.
    fn add_namespaces(&mut self, cluster: &mut Cluster) {
        mark!("K 1.4 every namespace is an object");
        let used = cluster.pods.iter().map(|pods| cluster.specs.symbols.text(pods.template.namespace));
        let all: BTreeSet<String> = used.chain(NAMESPACES).map(str::to_owned).collect();
        for name in all {
            if cluster.namespaces.insert(name.clone()) {
                let document = json!({ "metadata": { "name": name } });
                let at = Origin::inline(Place::default());
                if let Some(namespace) = self.read("Namespace", &at, &document, cluster) {
                    cluster.objects.push(namespace);
                }
            }
        }
    }

    /// What is said of the cluster as a whole.
    fn check_cluster(&mut self, eks: &Placed<Eks>, cluster: &Cluster) {
        let wrong_already = self.found.iter().any(|each| each.severity == Severity::Error);
        if cluster.nodes.is_empty() && !wrong_already {
            let wrong = Diagnostic::new(Code::NoCapacity, eks.place, "this platform has no node");
            self.wrong(wrong.hint("add `node_groups: { general: { instance_type: m7i.large, count: 3 } }`"));
        }
        let Once { unbilled, ended, leaving, nowhere } = &cluster.once;
        let said = [
            (unbilled, "node", "of no type, zone or price that is known: on no bill", true),
            (ended, "pod", "ended already: left out", true),
            (leaving, "pod", "being deleted already: left out", true),
            (nowhere, "pod", "on a node that is not there: running nowhere", false),
        ];
        for (places, what, words, note) in said {
            let Some(first) = places.first() else { continue };
            let plural = if places.len() == 1 { "" } else { "s" };
            let message = format!("{} {what}{plural} {words}", places.len());
            let told = Diagnostic::new(Code::Unused, *first, message);
            self.found.push(if note { told.note() } else { told });
        }
    }

    fn cluster_settings(&self) -> KubernetesSettings {
        let tuning = &self.calibration.tuning.cluster;
        KubernetesSettings {
            cycle: Span::from_nanos(Span::SECOND.as_nanos() / u64::from(tuning.pods_per_second.max(1))),
            bind: tuning.bind,
            watch: tuning.watch,
            provision: tuning.provision,
            ended_max: tuning.ended_max,
            kubelet: self.calibration.tuning.kubelet,
        }
    }
}

/// How an object may be called.
pub(super) const NAME_RULE: &str = "names have lower case letters, digits, hyphens and dots, 253 at most, \
                                    and letters or digits at both ends";

/// What is wrong with the name of an object; that there is none is said by who reads it.
pub(super) fn name_fault(name: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fine = name.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b'.'))
        && name.bytes().next().is_none_or(plain)
        && name.bytes().last().is_none_or(plain)
        && name.len() <= 253;
    (!fine).then(|| format!("{} is no name for an object", quoted(name)))
}

/// `web-3` is number 3 of `web`; every other name is number 0 of itself.
pub(super) fn numbered(name: &str) -> Option<(&str, u64)> {
    let (of, number) = name.rsplit_once('-')?;
    let plain = number == "0" || !number.starts_with('0');
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    if of.is_empty() || !plain || !digits { None } else { Some((of, number.parse().ok()?)) }
}

/// A field of `metadata`; empty where it is no text.
pub(super) fn text<'a>(document: &'a Value, field: &str) -> &'a str {
    document["metadata"][field].as_str().unwrap_or_default()
}

/// The namespace of an object; none of those that stand in no namespace.
fn namespace(kind: &str, document: &Value) -> String {
    let everywhere = [
        "Node",
        "PersistentVolume",
        "StorageClass",
        "CSINode",
        "CSIDriver",
        "VolumeAttachment",
        "Namespace",
        "PriorityClass",
    ];
    match text(document, "namespace") {
        _ if everywhere.contains(&kind) => String::new(),
        "" => String::from("default"),
        stated => stated.to_owned(),
    }
}

fn twice(kind: &str, name: &str, place: Place, first: Place) -> Diagnostic {
    let message = format!("a {kind} called {} stands twice", quoted(name));
    let hint = if first.file == place.file {
        format!("the first one is in line {}", first.line)
    } else {
        String::from("the first one is in another file")
    };
    Diagnostic::new(Code::ObjectTwice, place, message).hint(hint)
}

/// One warning for each kind that is passed over.
fn not_run(passed_over: &[PassedOver]) -> Vec<Diagnostic> {
    let mut by_kind: BTreeMap<&str, (usize, &PassedOver)> = BTreeMap::new();
    for each in passed_over {
        by_kind.entry(&each.kind).or_insert((0, each)).0 += 1;
    }
    let warning = |(kind, (count, first)): (&&str, &(usize, &PassedOver))| {
        let times = if *count == 1 { String::new() } else { format!(" ({count} objects)") };
        let message = format!("{kind} is not run{times}: {}", first.instead);
        Diagnostic::new(Code::NotRun, first.place, message)
    };
    by_kind.iter().map(warning).collect()
}

/// The images of all pods.
fn images(cluster: &Cluster) -> Vec<Symbol> {
    let specs: BTreeSet<_> = cluster.pods.iter().map(|pods| pods.template.spec).collect();
    let containers = specs.into_iter().flat_map(|spec| cluster.specs[spec].containers.iter());
    containers.map(|container| container.image).collect()
}

#[cfg(test)]
mod tests;
