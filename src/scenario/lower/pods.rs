//! Pods: those of manifests, created once at the start, and those of arrivals.

use serde_json::{Value, json};

use super::Lowering;
use super::cluster::{Cluster, NAME_RULE, name_fault, numbered, text};
use super::demand::Occasion;
use super::pod_rules::pod_faults;
use crate::base::EntityKey;
use crate::control::kubernetes::api::Object;
use crate::control::kubernetes::objects::{Pod, RestartPolicy};
use crate::engine::Quantiles;
use crate::scenario::codes::Code;
use crate::scenario::diagnostic::{Diagnostic, quoted};
use crate::scenario::document::Document;
use crate::scenario::import::Origin;
use crate::scenario::manifests::Stated;
use crate::scenario::schema::Arrival;
use crate::scenario::text::Placed;
use crate::sim::kubernetes::PodArrival;
use crate::workload::Arrivals;

impl Lowering<'_> {
    /// A pod of a manifest: it is there when the run starts.
    pub(super) fn pod_object(&mut self, stated: &Stated, pod: Pod, cluster: &mut Cluster) {
        let place = stated.at.find("metadata.name");
        if pod.ended {
            return cluster.once.ended.push(place);
        }
        if pod.deleted_at.is_some() {
            return cluster.once.leaving.push(place);
        }
        self.found.extend(pod_faults(&stated.document, &stated.at));
        self.check_scheduler(pod, &stated.at, cluster);
        if let Some(node) = pod.node
            && !cluster.node_names.contains(cluster.specs.symbols.text(node))
        {
            cluster.once.nowhere.push(stated.at.find("spec.nodeName"));
        }
        let namespace = cluster.specs.symbols.text(pod.namespace).to_owned();
        let Some((of, serial, alone)) = called(text(&stated.document, "name"), &namespace, cluster) else {
            let message = format!("{} is called like another pod", quoted(text(&stated.document, "name")));
            return self.wrong(Diagnostic::new(Code::ObjectTwice, place, message));
        };
        let (at, until) = (self.start, self.end);
        cluster.pods.push(PodArrival {
            name: cluster.specs.symbols.intern(&of),
            first: serial,
            alone,
            arrivals: Arrivals {
                key: EntityKey::new("arrivals", &of, serial),
                gaps: Quantiles::constant(0).into(),
                first: at,
                until,
                count_max: 1,
            },
            count: 1,
            template: pod,
            takes: None,
            deleted_after: None,
        });
        cluster.pod_names.insert((of, serial));
    }

    /// Pods that arrive while the run goes on.
    pub(super) fn pod_arrival(&mut self, name: &Placed<String>, stated: &Arrival, cluster: &mut Cluster) {
        self.check_pod_keys(stated);
        let Some(pod) = &stated.pod else {
            return self.lacks(name, "pod", "EKS", "{ spec: { containers: [...] } }");
        };
        if let Some(fault) = name_fault(name) {
            let wrong = Diagnostic::new(Code::ObjectRule, name.place, fault);
            return self.wrong(wrong.hint(format!("pods are called by it: {NAME_RULE}")));
        }
        self.check_end(name, stated);
        let process = self.occasion(name, stated);
        let template = self.template(name, pod, cluster);
        let (Some(process), Some(template)) = (process, template) else { return };
        let arrivals = match process {
            Occasion::Process(arrivals) => arrivals,
            Occasion::Trace(trace) => {
                let message = "a trace creates tasks of ECS, and no pods yet";
                let wrong = Diagnostic::new(Code::WrongValue, trace.place, message);
                return self.wrong(wrong.hint("say with `at` or `every` when pods arrive"));
            }
        };
        self.check_calls(name, stated, &arrivals);
        if let Some(takes) = &stated.takes
            && cluster.specs[template.spec].restart == RestartPolicy::Always
        {
            let message =
                format!("the containers of {} would be started again whenever they end", name.value);
            let wrong = Diagnostic::new(Code::WrongValue, takes.place, message);
            self.wrong(wrong.hint("write `restartPolicy: Never` in the `spec` of the pod"));
        }
        cluster.pods.push(PodArrival {
            name: cluster.specs.symbols.intern(name),
            first: first_free(name, cluster),
            alone: false,
            arrivals,
            count: stated.pods.map_or(1, |pods| pods.value),
            template,
            takes: stated.takes.as_ref().map(|takes| takes.quantiles()),
            deleted_after: stated.deleted_after.as_ref().map(|after| after.quantiles()),
        });
    }

    /// Keys of an arrival that mean nothing without a pod, and pods that are none.
    pub(super) fn check_pod_keys(&mut self, stated: &Arrival) {
        let mut wrong = |place, message: &str, hint: &str| {
            self.found.push(Diagnostic::new(Code::WrongValue, place, message).hint(hint));
        };
        match (&stated.pod, &stated.run_task) {
            (None, _) => {
                let keys = [
                    ("pods", stated.pods.as_ref().map(|pods| pods.place)),
                    ("deleted_after", stated.deleted_after.as_ref().map(|after| after.place)),
                ];
                for (key, place) in keys {
                    if let Some(place) = place {
                        wrong(
                            place,
                            &format!("`{key}` is for pods, and there is no `pod`"),
                            "a task has `count` in `run_task`, and `takes`",
                        );
                    }
                }
            }
            (Some(_), None) => {
                if let Some(retry) = &stated.retry {
                    wrong(
                        retry.every.place,
                        "a pod waits by itself until there is room",
                        "leave `retry` out",
                    );
                }
            }
            (Some(_), Some(_)) => {}
        }
        if let Some(pods) = stated.pods.filter(|pods| pods.value == 0) {
            wrong(pods.place, "an arrival of no pod is none", "write `pods: 1`, or leave it out");
        }
    }

    /// The pod of an arrival: named by it.
    fn template(&mut self, name: &Placed<String>, pod: &Document, cluster: &mut Cluster) -> Option<Pod> {
        let at = Origin::of(pod.node());
        let mut document = pod.value();
        for (field, wanted) in [("kind", "Pod"), ("apiVersion", "v1")] {
            if document.get(field).is_some_and(|stated| stated != wanted) {
                let wrong = Diagnostic::new(
                    Code::ObjectKind,
                    at.find(field),
                    format!("`pod` is no {}", document[field]),
                );
                self.wrong(wrong.hint(format!("write `{field}: {wanted}`, or leave it out")));
                return None;
            }
        }
        if document.get("metadata").is_none_or(Value::is_null) {
            document["metadata"] = json!({});
        }
        if let Some(metadata) = document["metadata"].as_object_mut() {
            let stated = metadata.insert(String::from("name"), json!(name.value));
            if stated.is_some_and(|stated| stated != name.value.as_str()) {
                let message = format!("the pods are called {}-0, {}-1 and so on", name.value, name.value);
                self.found.push(Diagnostic::new(Code::Replaced, at.find("metadata.name"), message).note());
            }
        }
        let Some(Object::Pod(template)) = self.read("Pod", &at, &document, cluster) else { return None };
        self.remark("Pod", &at, &document, cluster);
        self.found.extend(pod_faults(&document, &at));
        self.check_scheduler(template, &at, cluster);
        Some(template)
    }

    /// A pod whose scheduler is not there stays pending.
    fn check_scheduler(&mut self, pod: Pod, at: &Origin, cluster: &mut Cluster) {
        let name = cluster.specs[pod.spec].scheduler_name;
        if pod.node.is_some() || cluster.profiles.contains(&name) {
            return;
        }
        // It is said once.
        cluster.profiles.push(name);
        let text = quoted(cluster.specs.symbols.text(name));
        let message = format!("there is no scheduler {text}; its pods stay pending");
        let wrong = Diagnostic::new(Code::Unused, at.find("spec.schedulerName"), message);
        self.found
            .push(wrong.hint("add a profile with this `schedulerName` to the scheduler's configuration"));
    }
}

/// What reports call a pod: its name and number, else its name alone; with its namespace where another pod
/// is called so.
fn called(name: &str, namespace: &str, cluster: &Cluster) -> Option<(String, u64, bool)> {
    let plain = match numbered(name) {
        Some((of, serial)) => (of.to_owned(), serial, false),
        None => (name.to_owned(), 0, true),
    };
    let names = [plain, (format!("{namespace}/{name}"), 0, true)];
    names.into_iter().find(|(of, serial, _)| !cluster.pod_names.contains(&(of.clone(), *serial)))
}

/// The first number that no pod of a manifest has.
fn first_free(name: &str, cluster: &Cluster) -> u64 {
    let mut numbers = cluster.pod_names.range((name.to_owned(), 0)..=(name.to_owned(), u64::MAX));
    numbers.next_back().map_or(0, |(_, last)| last.saturating_add(1))
}
