//! Manifests and scenarios, and the plans that they become.

use std::fmt::Write as _;

use crate::base::Span;
use crate::base::mark::must_reach;
use crate::control::kubernetes::api::Object;
use crate::scenario::diagnostic::Severity;
use crate::scenario::lower::cluster::{name_fault, numbered};
use crate::scenario::{Scenario, Sources, lower, read};
use crate::sim::Plan;
use crate::sim::kubernetes::KubernetesPlan;

const GROUPS: &str = "node_groups: { general: { instance_type: m7i.large, count: 3 } }";

/// A scenario with these arrivals and this cluster.
fn scenario(arrivals: &str, eks: &str) -> String {
    format!(
        "{{ name: t, region: us-east-1, run_for: 1h, subnets: {{ a: us-east-1a, b: us-east-1b }}, \
         arrivals: {{ {arrivals} }}, platforms: {{ eks: {{ eks: {{ {eks} }} }} }} }}"
    )
}

/// The plan of a scenario with a file of manifests, and what was said, one line each.
fn lowered(scenario: &str, manifests: &str) -> (Option<Plan>, String) {
    let mut sources = Sources::default();
    let text = sources.add("scenario.yaml", scenario.as_bytes().to_vec());
    let files = [sources.add("manifests.yaml", manifests.as_bytes().to_vec())];
    let (scenario, found) = read::<Scenario>(&text);
    let scenario = scenario.unwrap_or_else(|| panic!("{found:?}"));
    let files = if manifests.is_empty() { &[][..] } else { &files[..] };
    let (plan, found) = lower(&scenario, "eks", files);
    let said = found.iter().fold(String::new(), |mut all, each| {
        let note = if each.severity == Severity::Note { "note " } else { "" };
        writeln!(all, "{note}{}", each.line(&sources)).expect("strings take all");
        all
    });
    (plan, said)
}

fn plan(scenario: &str, manifests: &str) -> Plan {
    let (plan, said) = lowered(scenario, manifests);
    plan.unwrap_or_else(|| panic!("{said}"))
}

fn cluster(plan: &Plan) -> &KubernetesPlan {
    plan.kubernetes.as_deref().expect("it is a cluster")
}

/// The pods of a plan: `web-3`, `(web)` where the name has no number, `x6` pods at a time.
fn pods(plan: &Plan) -> String {
    let pod = |pods: &crate::sim::kubernetes::PodArrival| {
        let name = plan.definitions.symbols.text(pods.name);
        let own = plan.definitions.symbols.text(pods.template.name);
        let name = if pods.alone { format!("{name}({own})") } else { format!("{name}-{}", pods.first) };
        if pods.count == 1 { name } else { format!("{name} x{}", pods.count) }
    };
    cluster(plan).pods.iter().map(pod).collect::<Vec<_>>().join(", ")
}

fn pod(metadata: &str, more: &str) -> String {
    format!(
        "---\n{{ apiVersion: v1, kind: Pod, metadata: {{ {metadata} }}, \
         spec: {{ containers: [ {{ name: c, image: i }} ], {more} }} }}\n"
    )
}

#[test]
fn names_are_split() {
    let rows = [
        ("web-3", Some(("web", 3))),
        ("web-0", Some(("web", 0))),
        ("a-b-12", Some(("a-b", 12))),
        ("web", None),
        ("web-03", None),
        ("web-x", None),
        ("-3", None),
        ("web-", None),
        ("web-99999999999999999999", None),
    ];
    for (name, expected) in rows {
        assert_eq!(numbered(name), expected, "{name}");
    }
    for (name, fine) in
        [("a", true), ("a.b-c", true), ("A", false), ("-a", false), ("a-", false), ("a_b", false), ("", true)]
    {
        assert_eq!(name_fault(name).is_none(), fine, "{name}");
    }
}

#[test]
fn a_group_has_the_nodes_of_eks() {
    let rules = ["K 1.6 labels of an EKS node"];
    let plan = must_reach(&rules, || plan(&scenario("", GROUPS), ""));
    let cluster = cluster(&plan);
    let symbols = &plan.definitions.symbols;
    let names: Vec<&str> = cluster.nodes.iter().map(|node| symbols.text(node.node.name)).collect();
    assert_eq!(names, ["general-0", "general-1", "general-2"]);
    let zones: Vec<&str> =
        cluster.nodes.iter().map(|node| symbols.text(plan.definitions[node.machine.class].zone)).collect();
    assert_eq!(zones, ["us-east-1a", "us-east-1b", "us-east-1a"]);
    assert!(cluster.nodes.iter().all(|node| node.billed));
    let spec = &cluster.specs[cluster.nodes[1].node.spec];
    let label = |key: &str| {
        let key = symbols.find(key).unwrap_or_else(|| panic!("{key}"));
        spec.labels.get(key).map(|value| symbols.text(value))
    };
    let labels = [
        ("kubernetes.io/hostname", "general-1"),
        ("kubernetes.io/arch", "amd64"),
        ("kubernetes.io/os", "linux"),
        ("node.kubernetes.io/instance-type", "m7i.large"),
        ("topology.kubernetes.io/region", "us-east-1"),
        ("topology.kubernetes.io/zone", "us-east-1b"),
        ("topology.k8s.aws/zone-id", "use1-az2"),
        ("eks.amazonaws.com/nodegroup", "general"),
    ];
    for (key, value) in labels {
        assert_eq!(label(key), Some(value), "{key}");
    }
    assert_eq!((spec.allocatable.cpu, spec.pods_max), (1930, 29));
    assert_eq!(spec.allocatable.ephemeral, 17 << 30);
    assert_eq!(plan.rates.instances.len(), plan.definitions.classes.len());
    assert_eq!(plan.rates.root_volume_size.mib_down(), 20 * 1024);
}

#[test]
fn gpus_are_devices() {
    let group = "node_groups: { gpu: { instance_type: g5.xlarge, count: 1, labels: { team: ml }, \
                 taints: [ { key: nvidia.com/gpu, effect: NoSchedule } ] } }";
    let plan = plan(&scenario("", group), "");
    let cluster = cluster(&plan);
    let spec = &cluster.specs[cluster.nodes[0].node.spec];
    let gpu = plan.definitions.symbols.find("nvidia.com/gpu").expect("it is named");
    assert_eq!((spec.allocatable.extended(gpu), spec.taints.len()), (Some(1), 1));
}

#[test]
fn nodes_of_manifests_are_billed_where_they_are_known() {
    let node = |name: &str, labels: &str| {
        format!(
            "---\n{{ apiVersion: v1, kind: Node, metadata: {{ name: {name}, labels: {{ {labels} }} }}, \
             status: {{ capacity: {{ cpu: 4, memory: 16Gi, pods: 58 }} }} }}\n"
        )
    };
    let known = "node.kubernetes.io/instance-type: m7i.xlarge, topology.kubernetes.io/zone: us-east-1a";
    let elsewhere = "node.kubernetes.io/instance-type: m7i.xlarge, topology.kubernetes.io/zone: eu-west-1a";
    let manifests =
        [node("ip-10-0-0-7.ec2.internal", known), node("b-2", elsewhere), node("kwok", "a: b")].concat();
    let (plan, said) = lowered(&scenario("", "manifests: m"), &manifests);
    let plan = plan.unwrap_or_else(|| panic!("{said}"));
    let nodes: Vec<(String, bool)> = cluster(&plan)
        .nodes
        .iter()
        .map(|node| {
            let name = node.machine.name;
            (format!("{} {}", plan.definitions.symbols.text(name.of), name.serial), node.billed)
        })
        .collect();
    let expected = [("ip-10-0-0-7.ec2.internal 0", true), ("b 2", false), ("kwok 0", false)];
    assert_eq!(nodes, expected.map(|(name, billed)| (name.to_owned(), billed)));
    assert!(said.contains("2 nodes of no type, zone or price that is known: on no bill"), "{said}");
    assert!(plan.rates.instances[1].price.value.nanos10() == 0);
}

#[test]
fn pods_keep_their_names() {
    let rows = [
        (pod("name: web-3", ""), "", "web-3"),
        (pod("name: web", ""), "", "web(web)"),
        (pod("name: db", "nodeName: general-1"), "", "db(db)"),
        (
            [pod("name: web-3", ""), pod("name: web-3, namespace: b", "")].concat(),
            "",
            "web-3, b/web-3(web-3)",
        ),
        ([pod("name: web", ""), pod("name: web-0", "")].concat(), "", "web(web), default/web-0(web-0)"),
        (
            [pod("name: web-3", ""), pod("name: web-1", "")].concat(),
            "web: { at: 1m, pods: 6, pod: { spec: { containers: [ { name: c, image: i } ] } } }",
            "web-3, web-1, web-4 x6",
        ),
        (
            String::from("---\n{ apiVersion: apps/v1, kind: Deployment, metadata: { name: d } }\n"),
            "job: { every: 6/h, pod: { kind: Pod, spec: { containers: [ { name: c, image: i } ] } } }",
            "job-0",
        ),
    ];
    for (manifests, arrivals, expected) in rows {
        let eks = format!("manifests: m, {GROUPS}");
        assert_eq!(pods(&plan(&scenario(arrivals, &eks), &manifests)), expected, "{manifests}");
    }
}

/// What is said of manifests that are right.
#[test]
fn what_has_no_effect_is_said_once() {
    let object = |name: &str, more: &str| pod(&format!("name: {name}, resourceVersion: \"7\""), more);
    let rows = [
        ([object("a", ""), object("b", "")].concat(), "note W0101 metadata.resourceVersion"),
        (pod("name: a", "hostname: x"), "W0101 spec.hostname is not modelled"),
        (pod("name: a", "nodeNmae: x"), "W0109 spec.nodeNmae is no field of a Pod"),
        (pod("name: a", "schedulerName: other"), "there is no scheduler \"other\"; its pods stay pending"),
        (pod("name: a", "nodeName: gone"), "W0106 1 pod on a node that is not there"),
        (
            "{ apiVersion: apps/v1, kind: Deployment }\n---\n{ apiVersion: apps/v1, kind: Deployment }\n"
                .to_owned(),
            "W0110 Deployment is not run (2 objects): its pods are not created",
        ),
        (
            pod("name: a", "").replace("spec:", "status: { phase: Succeeded }, spec:"),
            "note W0106 1 pod ended already: left out",
        ),
    ];
    for (manifests, expected) in rows {
        let eks = format!("manifests: m, {GROUPS}");
        let (plan, said) = lowered(&scenario("", &eks), &manifests);
        let without_place = |line: &str| {
            let (words, place): (Vec<&str>, Vec<&str>) =
                line.split(' ').partition(|word| !word.starts_with("manifests.yaml:"));
            assert_eq!(place.len(), 1, "{line} has a place");
            words.join(" ")
        };
        let said = said.lines().map(without_place).collect::<Vec<_>>().join("\n");
        assert!(plan.is_some(), "{said}");
        assert!(said.contains(expected), "{said} lacks {expected}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn classes_come_first_and_namespaces_exist() {
    let class = "---\n{ apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: { name: gold }, value: 9 }\n";
    let manifests = [pod("name: a-0, namespace: shop", "priorityClassName: gold").as_str(), class].concat();
    let eks = format!("manifests: m, {GROUPS}");
    let rules = ["K 1.4 every namespace is an object"];
    let plan = must_reach(&rules, || plan(&scenario("", &eks), &manifests));
    let cluster = cluster(&plan);
    assert!(matches!(cluster.objects[0], Object::PriorityClass(_)));
    assert_eq!(cluster.specs[cluster.pods[0].template.spec].priority, 9);
    let namespaces = cluster.objects.iter().filter(|object| matches!(object, Object::Namespace(_)));
    assert_eq!(namespaces.count(), 5);
}

#[test]
fn settings_are_those_of_the_scenario() {
    let text = scenario("", GROUPS).replace(
        "arrivals:",
        "settings: { k8s.scheduler.max_rate.eks_standard: 400, k8s.kubelet.watch: 7ms, \
         k8s.node.root_volume: 100 GiB }, arrivals:",
    );
    let plan = plan(&text, "");
    let settings = cluster(&plan).settings;
    assert_eq!((settings.cycle, settings.watch), (Span::from_nanos(2_500_000), Span::millis(7)));
    assert_eq!(settings.bind, Span::millis(30));
    let cluster = cluster(&plan);
    assert_eq!(cluster.specs[cluster.nodes[0].node.spec].allocatable.ephemeral, 89 << 30);
}

/// What `kubectl get node,pod -o json` prints, cut to one of each.
const PRINTED: &str = r#"{
  "apiVersion": "v1",
  "items": [
    {
      "apiVersion": "v1",
      "kind": "Node",
      "metadata": {
        "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
        "creationTimestamp": "2026-02-11T08:03:12Z",
        "labels": {
          "kubernetes.io/hostname": "ip-10-0-1-23.ec2.internal",
          "node.kubernetes.io/instance-type": "m7i.large",
          "topology.kubernetes.io/zone": "us-east-1a"
        },
        "managedFields": [{"apiVersion": "v1", "manager": "kubelet", "operation": "Update"}],
        "name": "ip-10-0-1-23.ec2.internal",
        "resourceVersion": "48211",
        "uid": "3c1f9b1e-5a4e-4a52-9a1c-0d4b8f5f6a01"
      },
      "spec": {"providerID": "aws:///us-east-1a/i-0a1b2c3d4e5f60718", "taints": null},
      "status": {
        "addresses": [{"address": "10.0.1.23", "type": "InternalIP"}],
        "allocatable": {"cpu": "1930m", "ephemeral-storage": "18242267924", "memory": "7126356Ki", "pods": "29"},
        "capacity": {"cpu": "2", "ephemeral-storage": "20893676Ki", "memory": "7816532Ki", "pods": "29"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "images": [{"names": ["shop/web:1"], "sizeBytes": 52428800}],
        "nodeInfo": {"architecture": "amd64", "kubeletVersion": "v1.36.1-eks-2d5f260"}
      }
    },
    {
      "apiVersion": "v1",
      "kind": "Pod",
      "metadata": {
        "creationTimestamp": "2026-02-11T08:05:40Z",
        "generateName": "web-7c9d8b6f5d-",
        "labels": {"app": "web", "pod-template-hash": "7c9d8b6f5d"},
        "name": "web-7c9d8b6f5d-x2k4p",
        "namespace": "shop",
        "ownerReferences": [{"apiVersion": "apps/v1", "blockOwnerDeletion": true, "controller": true,
          "kind": "ReplicaSet", "name": "web-7c9d8b6f5d", "uid": "9d2f"}],
        "resourceVersion": "48377",
        "uid": "b7f0a5d2"
      },
      "spec": {
        "containers": [{
          "image": "shop/web:1", "imagePullPolicy": "IfNotPresent", "name": "web",
          "ports": [{"containerPort": 8080, "protocol": "TCP"}],
          "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "250m", "memory": "256Mi"}}
        }],
        "nodeName": "ip-10-0-1-23.ec2.internal",
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "terminationGracePeriodSeconds": 30,
        "tolerations": [{"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists"}]
      },
      "status": {
        "conditions": [{"lastTransitionTime": "2026-02-11T08:05:43Z", "status": "True", "type": "Ready"}],
        "containerStatuses": [{"containerID": "containerd://1f", "image": "shop/web:1", "name": "web",
          "ready": true, "restartCount": 0, "started": true}],
        "hostIP": "10.0.1.23",
        "phase": "Running",
        "podIP": "10.0.1.77",
        "qosClass": "Burstable",
        "startTime": "2026-02-11T08:05:40Z"
      }
    }
  ],
  "kind": "List",
  "metadata": {"resourceVersion": ""}
}"#;

#[test]
fn what_kubectl_prints_is_read_as_it_is() {
    let (plan, said) = lowered(&scenario("", "manifests: m"), PRINTED);
    let plan = plan.unwrap_or_else(|| panic!("{said}"));
    assert!(said.lines().all(|line| line.starts_with("note ")), "{said}");
    assert_eq!(pods(&plan), "web-7c9d8b6f5d-x2k4p(web-7c9d8b6f5d-x2k4p)");
    let cluster = cluster(&plan);
    let spec = &cluster.specs[cluster.nodes[0].node.spec];
    assert_eq!((spec.allocatable.cpu, spec.pods_max, cluster.nodes[0].billed), (1930, 29, true));
    assert_eq!(cluster.pods[0].template.node, Some(cluster.nodes[0].node.name));
}
