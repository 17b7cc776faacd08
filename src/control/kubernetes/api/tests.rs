//! The tables of the original, and rows of our own.

use serde_json::{Map, Value, json};

use super::requests::{self, Count, default_cpu, default_memory};
use super::selectors::{labels, node_term, node_terms, written_term};
use super::shape::Resources;
use super::*;
use crate::base::mark::must_reach;
use crate::base::{Span, Symbols};
use crate::control::kubernetes::labels::{Labels, Selector};
use crate::control::kubernetes::labels_text::{Written, compile, parse, together};
use crate::control::kubernetes::objects::{ContainerKind, PodSpec, PullPolicy, RestartPolicy, Taint};
use crate::control::kubernetes::test_tables::rows;

// ---------------------------------------------------------------------------------------------------
// What a pod requests.

fn spelled(resources: &Resources<'_>) -> Value {
    let pairs = resources.iter().map(|(name, quantity)| (name.to_owned(), json!(quantity.to_string())));
    Value::Object(pairs.collect::<Map<String, Value>>())
}

fn check_requests(row: &Value) {
    let mut pod: pod_shape::PodShape<'_> = read_shape(&row["pod"]).expect("a pod");
    requests::apply_defaults(&mut pod);
    let plain = Count { status: false, pod_level: true, missing: &[] };
    let both = [("cpu", default_cpu()), ("memory", default_memory())];
    assert_eq!(row["requests"], spelled(&requests::total(&pod, plain)), "requests of {row}");
    assert_eq!(row["limits"], spelled(&requests::limits(&pod)), "limits of {row}");
    let with_defaults = Count { missing: &both, ..plain };
    assert_eq!(
        row["requestsWithDefaults"],
        spelled(&requests::total(&pod, with_defaults)),
        "defaults of {row}"
    );
    let with_status = Count { status: true, ..plain };
    assert_eq!(row["requestsWithStatus"], spelled(&requests::total(&pod, with_status)), "status of {row}");
    let class = quality_of_service(&row["pod"]).expect("a pod");
    assert_eq!(row["qos"], format!("{class:?}"), "class of {row}");

    let (mut specs, classes) = (Specs::default(), PriorityClasses::default());
    let mut reading = Reading { specs: &mut specs, classes: &classes };
    let Ok(Object::Pod(pod)) = reading.read("Pod", &row["pod"], Stage::Create) else {
        panic!("a pod: {row}")
    };
    let requests = &specs[pod.spec].requests;
    let scalar = requests.effective.extended.iter();
    let scalar: Map<String, Value> =
        scalar.map(|&(name, value)| (specs.symbols.text(name).to_owned(), json!(value))).collect();
    let mut seen = json!({
        "milliCPU": requests.effective.cpu,
        "memory": requests.effective.memory,
        "ephemeralStorage": requests.effective.ephemeral,
        "nonZeroMilliCPU": requests.non_zero_cpu,
        "nonZeroMemory": requests.non_zero_memory,
    });
    if !scalar.is_empty() {
        seen["scalar"] = Value::Object(scalar);
    }
    assert_eq!(row["scheduler"], seen, "sums of {row}");
}

#[test]
fn every_row_of_the_table_of_requests() {
    let table = rows("requests");
    assert_eq!(table.len(), 220);
    let rules = [
        "K 1.1 a limit without a request becomes the request",
        "K 1.1 a pod-level request comes from the containers",
        "K 1.1 a pod without requests and limits is best effort",
        "K 1.1 a pod whose requests are its limits is guaranteed",
        "K 1.3 pod-level requests replace the sum",
        "K 1.3 overhead is added",
        "K 1.3 sidecars run beside later init containers",
        "K 1.3 a container without a request counts the default in scores",
        "K 1.3 a resize under way counts the most of all",
    ];
    must_reach(&rules, || table.iter().for_each(check_requests));
}

// ---------------------------------------------------------------------------------------------------
// Selectors.

/// A row of the table that has the selector and what is expected of sets of labels.
fn labels_of(row: &Value, symbols: &mut Symbols) -> Labels {
    let pairs = row["labels"].as_object().expect("labels").iter();
    let pairs = pairs.map(|(key, value)| (key.as_str(), value.as_str().expect("text")));
    Labels::new(pairs.map(|(key, value)| (symbols.intern(key), symbols.intern(value))))
}

fn check_selector(row: &Value, written: Result<Vec<Written<'_>>, String>) {
    let mut symbols = Symbols::default();
    let written = match written {
        Err(error) => return assert_eq!(row["error"], error, "{row}"),
        Ok(written) => written,
    };
    assert!(row["error"].is_null(), "an error is expected: {row}");
    let text: Vec<String> = written.iter().map(ToString::to_string).collect();
    assert_eq!(row["canonical"].as_str().unwrap_or_default(), text.join(","), "{row}");
    let selector = compile(&written, &mut symbols);
    for case in row["rows"].as_array().expect("rows") {
        let labels = labels_of(case, &mut symbols);
        assert_eq!(case["match"], selector.matches(&labels, &symbols), "{case} in {row}");
    }
}

/// Everything that is wrong in some terms, below a place for each.
fn term_errors(
    place: &str,
    terms: &[shape::NodeSelectorTerm<'_>],
    skip: impl Fn(usize) -> bool,
) -> Vec<String> {
    let terms = terms.iter().enumerate().filter(|(index, _)| !skip(*index));
    terms
        .flat_map(|(index, term)| written_term(&format!("{place}[{index}]"), term).err().unwrap_or_default())
        .collect()
}

fn check_required(row: &Value) {
    let mut symbols = Symbols::default();
    let shape: shape::NodeSelector<'_> = read_shape(&row["nodeSelector"]).expect("a node selector");
    let none = json!({});
    let simple = if row["simpleNodeSelector"].is_null() { &none } else { &row["simpleNodeSelector"] };
    let simple: shape::Pairs<'_> = read_shape(simple).expect("labels");
    let (simple, terms) =
        (labels(&simple, &mut symbols), node_terms(&shape.node_selector_terms, &mut symbols));
    let errors = term_errors("nodeSelectorTerms", &shape.node_selector_terms, |_| false);
    for case in row["rows"].as_array().expect("rows") {
        let labels = labels_of(case, &mut symbols);
        let name = symbols.intern(case["name"].as_str().expect("a name"));
        let selected = labels.contain(&simple);
        let holds = selected && terms.iter().any(|term| term.holds(name, &labels, &symbols));
        if let Some(error) = case["error"].as_str() {
            assert!(selected && !holds, "{case} in {row}");
            assert_eq!(together(errors.clone()), error, "{row}");
        } else {
            assert_eq!(case["match"], holds, "{case} in {row}");
        }
    }
}

fn check_preferred(row: &Value) {
    let mut symbols = Symbols::default();
    let shapes = row["preferred"].as_array().expect("terms").iter();
    let shapes: Vec<pod_shape::PreferredNode<'_>> =
        shapes.map(|each| read_shape(each).expect("a term")).collect();
    let terms: Vec<_> = shapes.iter().map(|each| each.preference.clone()).collect();
    let errors = term_errors("", &terms, |index| shapes[index].weight == 0);
    if let Some(error) = row["error"].as_str() {
        return assert_eq!(together(errors), error, "{row}");
    }
    assert!(errors.is_empty(), "{errors:?} in {row}");
    for case in row["rows"].as_array().expect("rows") {
        let labels = labels_of(case, &mut symbols);
        let name = symbols.intern(case["name"].as_str().expect("a name"));
        let weigh = |shape: &pod_shape::PreferredNode<'_>| {
            let holds = node_term(&shape.preference, &mut symbols).holds(name, &labels, &symbols);
            if holds { shape.weight } else { 0 }
        };
        let score: i32 = shapes.iter().map(weigh).sum();
        assert_eq!(case["score"], score, "{case} in {row}");
    }
}

fn check_toleration(row: &Value) {
    let mut symbols = Symbols::default();
    let shape = read_shape(&row["toleration"]).expect("a toleration");
    let toleration = pod::toleration(&shape, &mut symbols).expect("a toleration");
    for case in row["rows"].as_array().expect("rows") {
        let text = |name: &str| case["taint"][name].as_str().unwrap_or_default();
        let taint = Taint {
            key: symbols.intern(text("key")),
            value: symbols.intern(text("value")),
            effect: node::effect(text("effect")).expect("an effect"),
        };
        assert_eq!(case["match"], toleration.tolerates(&taint), "{case} in {row}");
    }
}

#[test]
fn every_row_of_the_table_of_labels() {
    let table = rows("labels");
    assert_eq!(table.len(), 470);
    let rules = [
        "K 2.8 comparisons are off and tolerate nothing",
        "K 2.9 an invalid term holds of no node",
        "K 2.9 fields other than the name read as empty",
        "K 2.9 selector text follows the grammar of kubectl",
    ];
    must_reach(&rules, || {
        for row in &table {
            match row["kind"].as_str().expect("a kind") {
                "labelSelector" => {
                    let shape = read_shape(&row["labelSelector"]).expect("a selector");
                    check_selector(row, selectors::written(&shape));
                }
                "text" => check_selector(row, parse(row["text"].as_str().expect("a text"))),
                "requiredNodeAffinity" => check_required(row),
                "preferredNodeAffinity" => check_preferred(row),
                "toleration" => check_toleration(row),
                other => panic!("the table has a kind {other} that this test does not know"),
            }
        }
    });
}

// ---------------------------------------------------------------------------------------------------
// Rows of our own.

/// Reads objects of one cluster, the classes of priority first.
fn read_all(documents: &[Value]) -> (Specs, Vec<Result<Object, ApiError>>) {
    let (mut specs, mut classes) = (Specs::default(), PriorityClasses::default());
    let mut read = Vec::new();
    for document in documents {
        let mut reading = Reading { specs: &mut specs, classes: &classes };
        let object = reading.read(document["kind"].as_str().unwrap_or("Pod"), document, Stage::Create);
        if let Ok(Object::PriorityClass(class)) = &object {
            classes.insert(*class);
        }
        read.push(object);
    }
    (specs, read)
}

/// A pod with one container and some more of a spec.
fn pod(more: &Value) -> Value {
    let mut spec = json!({"containers": [{"name": "c", "image": "web"}]});
    for (key, value) in more.as_object().expect("a spec") {
        spec[key] = value.clone();
    }
    json!({"kind": "Pod", "metadata": {"name": "p", "labels": {"app": "web", "hash": "1"}}, "spec": spec})
}

/// Reads a pod that reaches a rule, and says what is expected of it.
fn check_pod(rule: &str, spec: &Value, expect: impl Fn(&PodSpec, &Symbols) -> bool) {
    must_reach(&[rule], || {
        let (specs, read) = read_all(&[pod(spec)]);
        let Ok(Object::Pod(pod)) = read[0] else { panic!("{rule}: {:?}", read[0]) };
        assert!(expect(&specs[pod.spec], &specs.symbols), "{rule}: {:?}", specs[pod.spec]);
    });
}

#[test]
fn defaults_of_pods() {
    let text = |symbols: &Symbols, symbol| symbols.text(symbol).to_owned();
    check_pod("K 2.14 an image without a tag is the latest", &json!({}), |pod, symbols| {
        text(symbols, pod.images[0]) == "web:latest"
            && pod.container_images == 1
            && pod.grace == Span::seconds(30)
    });
    for (stated, expected) in [(0, 0), (1, 1), (-1, 1), (i64::MIN, 1), (i64::MAX, i64::MAX.unsigned_abs())] {
        let stated = json!({"terminationGracePeriodSeconds": stated});
        check_pod("K 1.1 a negative grace is one second", &stated, |pod, _| {
            pod.grace == Span::seconds(expected)
        });
    }
    let network = json!({"hostNetwork": true, "hostUsers": false,
        "containers": [{"name": "c", "image": "host:5000/web", "ports": [{"containerPort": 80}]}]});
    check_pod("K 1.1 ports of the host network are ports of the host", &network, |pod, symbols| {
        let port = pod.host_ports[0];
        (port.port, text(symbols, port.address), text(symbols, port.protocol))
            == (80, "0.0.0.0".into(), "TCP".into())
    });
    check_pod("K 2.7 user namespaces on the host network need a node that can", &network, |pod, symbols| {
        text(symbols, pod.images[0]) == "host:5000/web:latest"
            && text(symbols, pod.features[0]) == "UserNamespacesHostNetworkSupport"
    });
    let rules =
        json!({"containers": [{"name": "c", "restartPolicyRules": [{"action": "RestartAllContainers"}]}]});
    check_pod("K 2.7 a rule that restarts all containers needs a node that can", &rules, |pod, symbols| {
        text(symbols, pod.features[0]) == "RestartAllContainersOnContainerExits"
    });
    let whole = json!({"resources": {"limits": {"memory": "1Gi"}}});
    check_pod("K 1.1 a pod-level request comes from the limit", &whole, |pod, _| {
        pod.requests.effective.memory == 1 << 30 && pod.requests.scored.memory == 200 << 20
    });
    let pages = json!({"resources": {"requests": {"cpu": "1"}},
        "containers": [{"name": "c", "resources": {"limits": {"hugepages-2Mi": "4Mi"}}}]});
    check_pod("K 1.1 a pod-level limit of huge pages comes from the containers", &pages, |pod, _| {
        pod.requests.effective.extended.iter().any(|&(_, amount)| amount == 4 << 20)
    });
}

#[test]
fn containers_of_pods() {
    let kinds = json!({"restartPolicy": "Never", "initContainers": [
        {"name": "copy", "restartPolicy": "OnFailure"}, {"name": "log", "restartPolicy": "Always"}, {"name": "wait"}]});
    check_pod("K 1.1 an init container that always restarts is a sidecar", &kinds, |pod, symbols| {
        let names: Vec<&str> = pod.containers.iter().map(|each| symbols.text(each.name)).collect();
        let kinds: Vec<ContainerKind> = pod.containers.iter().map(|each| each.kind).collect();
        names == ["copy", "log", "wait", "c"]
            && kinds
                == [ContainerKind::Init, ContainerKind::Sidecar, ContainerKind::Init, ContainerKind::Main]
    });
    check_pod("K 3.10 the policy of a container overrides that of its pod", &kinds, |pod, _| {
        let policies: Vec<RestartPolicy> = pod.containers.iter().map(|each| each.restart).collect();
        pod.restart == RestartPolicy::Never
            && policies
                == [
                    RestartPolicy::OnFailure,
                    RestartPolicy::Always,
                    RestartPolicy::Never,
                    RestartPolicy::Never,
                ]
    });
    for (image, policy, expected) in [
        ("web", "", PullPolicy::Always),
        ("web:latest", "", PullPolicy::Always),
        ("host:5000/web", "", PullPolicy::Always),
        ("host:5000/web:1", "", PullPolicy::IfNotPresent),
        ("web@sha256:12", "", PullPolicy::IfNotPresent),
        ("web:latest@sha256:12", "", PullPolicy::Always),
        ("web:latest", "Never", PullPolicy::Never),
        ("web:1", "Always", PullPolicy::Always),
        ("web", "IfNotPresent", PullPolicy::IfNotPresent),
    ] {
        let spec = json!({"containers": [{"name": "c", "image": image, "imagePullPolicy": policy}]});
        let rules: &[&str] = match (policy, expected) {
            ("", PullPolicy::Always) => &["K 1.1 the latest image is always pulled unless it is said"],
            _ => &[],
        };
        must_reach(rules, || {
            check_pod("K 1.1 an init container that always restarts is a sidecar", &spec, |pod, _| {
                pod.containers[0].pull == expected
            });
        });
    }
    let probe =
        json!({"containers": [{"readinessProbe": {"initialDelaySeconds": 5, "successThreshold": 2}}]});
    check_pod("K 1.1 a probe has defaults", &probe, |pod, _| {
        pod.restart == RestartPolicy::Always
            && pod.containers[0].readiness.is_some_and(|probe| {
                let seconds = [probe.initial_delay, probe.period, probe.timeout];
                seconds == [5, 10, 1].map(Span::seconds) && (probe.successes, probe.failures) == (2, 3)
            })
    });
}

#[test]
fn selectors_of_pods() {
    let spread = json!({"topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}, "matchLabelKeys": ["hash", "absent"]}]});
    check_pod("K 2.12 keys of labels become part of the selector", &spread, |pod, symbols| {
        let constraint = &pod.spread[0];
        constraint.selector.matches(&pod.labels, symbols)
            && !constraint.selector.matches(&Labels::default(), symbols)
            && constraint.domains_min == 1
    });
    check_pod("K 2.12 node affinity is honored, taints are not, unless it is said", &spread, |pod, _| {
        pod.spread[0].honors_affinity && !pod.spread[0].honors_taints
    });
    let near = json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "zone", "labelSelector": {}, "matchLabelKeys": ["app"], "mismatchLabelKeys": ["hash"]}]}}});
    let rule = "K 2.13 keys of labels become part of the selector when the pod is created";
    check_pod(rule, &near, |pod, symbols| {
        let Selector::AllOf(all) = &pod.affinity[0].selector else { return false };
        all.len() == 2 && !pod.affinity[0].selector.matches(&pod.labels, symbols)
    });
    check_pod("K 2.13 a term without namespaces is about the pod's own", &near, |pod, symbols| {
        symbols.text(pod.affinity[0].namespaces[0]) == "default"
            && pod.affinity[0].namespace_selector == Selector::Nothing
    });
    let mut specs = Specs::default();
    let mut reading = Reading { specs: &mut specs, classes: &PriorityClasses::default() };
    let Ok(Object::Pod(kept)) = reading.read("Pod", &pod(&near), Stage::Update) else { panic!("a pod") };
    assert!(specs[kept.spec].affinity[0].selector.is_empty(), "an update keeps its selectors");
}

#[test]
fn priorities_of_pods() {
    let class = |name: &str, value: i32, default: bool, policy: &str| {
        json!({"kind": "PriorityClass", "metadata": {"name": name}, "value": value, "globalDefault": default,
            "preemptionPolicy": policy})
    };
    let documents = [
        class("gold", 9, false, "Never"),
        class("base", 3, true, ""),
        class("low", 2, true, ""),
        pod(&json!({"priorityClassName": "gold"})),
        pod(&json!({})),
        pod(&json!({"priorityClassName": "system-node-critical"})),
        pod(&json!({"priority": 7, "priorityClassName": "nowhere"})),
        pod(&json!({"priorityClassName": "nowhere"})),
    ];
    must_reach(&["K 1.5 the class gives the priority and the policy"], || {
        let (specs, read) = read_all(&documents);
        let seen = read[3..7].iter().map(|object| match object {
            Ok(Object::Pod(pod)) => (specs[pod.spec].priority, specs[pod.spec].preempts),
            other => panic!("{other:?}"),
        });
        let expected = [(9, false), (2, true), (2_000_001_000, true), (7, true)];
        assert_eq!(seen.collect::<Vec<_>>(), expected);
        assert_eq!(read[7].as_ref().unwrap_err().path, "spec.priorityClassName");
    });
}

#[test]
fn neighbours_of_pods() {
    let documents = [
        json!({"kind": "Node", "metadata": {"name": "n"}, "status": {"capacity": {"pods": "5", "cpu": "2", "a.b/c": 3}}}),
        json!({"kind": "Namespace", "metadata": {"name": "team"}}),
        json!({"kind": "Service", "metadata": {"name": "s"}}),
        json!({"kind": "ReplicationController", "metadata": {"name": "r"},
            "spec": {"template": {"metadata": {"labels": {"app": "web"}}}}}),
        json!({"kind": "StorageClass", "metadata": {"name": "fast"}}),
        json!({"kind": "PodDisruptionBudget", "metadata": {"name": "b"}}),
        json!({"kind": "CSINode", "metadata": {"name": "n"}, "spec": {"drivers": [{"name": "d", "allocatable": {"count": 3}}]}}),
    ];
    let rules = [
        "K 1.6 what is allocatable is the capacity unless it is said",
        "K 1.4 a namespace has its name as a label",
        "K 1.4 a service without a selector selects nothing",
        "K 1.4 a replication controller selects by the labels of its template",
        "K 2.15 a class binds at once unless it says that it waits",
        "K 1.4 an absent selector selects nothing, an empty one everything",
    ];
    must_reach(&rules, || {
        let (specs, read) = read_all(&documents);
        let Ok(Object::Node(node)) = read[0] else { panic!("a node") };
        let node = &specs[node.spec];
        assert_eq!((node.pods_max, node.allocatable.cpu, node.allocatable.extended.len()), (5, 2000, 1));
        let Ok(Object::Namespace(namespace)) = read[1] else { panic!("a namespace") };
        assert_eq!(specs[namespace.spec].iter().len(), 1);
        let Ok(Object::Selecting(service)) = read[2] else { panic!("a service") };
        assert_eq!(specs[service.named.spec], Selector::Nothing);
        let Ok(Object::Selecting(controller)) = read[3] else { panic!("a controller") };
        assert!(specs[controller.named.spec] != Selector::Nothing);
        let Ok(Object::StorageClass(class)) = read[4] else { panic!("a class") };
        assert!(!specs[class.spec].waits);
        let Ok(Object::Budget(budget)) = read[5] else { panic!("a budget") };
        assert_eq!(specs[budget.spec].selector, Selector::Nothing);
        let Ok(Object::CsiNode(node)) = read[6] else { panic!("a CSI node") };
        assert_eq!(specs[node.spec].drivers[0].1, Some(3));
    });
}

#[test]
fn mistakes_are_data() {
    let rows = [
        (json!({"kind": "Pod"}), "metadata.name"),
        (json!({"kind": "Pod", "metadata": {"name": 3}}), "metadata.name"),
        (json!([]), ""),
        (json!({"kind": "Planet"}), "kind"),
        (json!({"kind": "Pod", "metadata": {"name": "p"}}), "spec.containers"),
        (pod(&json!({"overhead": {"cpu": "1K"}})), "spec.overhead"),
        (pod(&json!({"overhead": {"cpu": []}})), "spec.overhead"),
        (pod(&json!({"tolerations": [{"effect": "Run"}]})), "spec.tolerations[0].effect"),
        (pod(&json!({"priority": 1e30})), "spec.priority"),
        (pod(&json!({"restartPolicy": "always"})), "spec.restartPolicy"),
        (
            pod(&json!({"initContainers": [{}, {"restartPolicy": "No"}]})),
            "spec.initContainers[1].restartPolicy",
        ),
        (pod(&json!({"containers": [{"imagePullPolicy": "No"}]})), "spec.containers[0].imagePullPolicy"),
        (
            pod(&json!({"containers": [{"readinessProbe": {"periodSeconds": -1}}]})),
            "spec.containers[0].readinessProbe.periodSeconds",
        ),
        (pod(&json!({"containers": vec![json!({}); 257]})), "spec.containers"),
        (
            pod(&json!({"topologySpreadConstraints": [{}]})),
            "spec.topologySpreadConstraints[0].whenUnsatisfiable",
        ),
        (
            json!({"kind": "Node", "metadata": {"name": "n"}, "spec": {"taints": [{}]}}),
            "spec.taints[0].effect",
        ),
        (
            json!({"kind": "Pod", "metadata": {"name": "p", "deletionTimestamp": "noon"}, "spec": {"containers": [{}]}}),
            "metadata.deletionTimestamp",
        ),
    ];
    for (document, path) in rows {
        let (_, read) = read_all(&[document]);
        let error = read[0].as_ref().expect_err("a mistake");
        assert!(error.path.starts_with(path), "{error:?} is not at {path}");
    }
}
