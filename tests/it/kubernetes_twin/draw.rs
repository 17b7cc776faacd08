//! Random clusters, from a seed and whole numbers alone.

use super::objects::{
    Amounts, Container, Image, Labels, Node, NodeTerm, Pod, PodTerm, Port, Requirement, Selector, Service,
    Spread, Taint, Toleration,
};

/// A generator of numbers (`SplitMix64`).
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Draw(seed)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let number = (bits ^ (bits >> 31)) % u64::try_from(end).expect("a number");
        usize::try_from(number).expect("a number")
    }

    pub(super) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn number(&mut self, first: i64, last: i64) -> i64 {
        let range = usize::try_from(last - first + 1).expect("a range");
        first + i64::try_from(self.below(range)).expect("a number")
    }

    fn text(&mut self, all: &[&str]) -> String {
        (*self.pick(all)).to_owned()
    }
}

/// What sort of cluster it is.
#[derive(Debug)]
pub(super) struct Sort {
    pub(super) nodes: usize,
    pub(super) templates: usize,
    pub(super) steps: usize,
    /// Pods care about each other.
    social: bool,
    /// Nodes come, go and change their labels often.
    pub(super) restless: bool,
    /// Nodes differ so much that preferences tell nearly all of them apart.
    diverse: bool,
    pub(super) services: bool,
    /// The rest of the nodes is full or out of reach more often.
    taints: usize,
}

pub(super) const NAMESPACES: [&str; 3] = ["default", "red", "blue"];
const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";
const MIB: i64 = 1 << 20;

impl Sort {
    /// A third is large; some have more shapes of pods than usual, a few more than any index keeps.
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let large = draw.percent(34);
        let nodes = if large { 130 + draw.below(60) } else { 1 + draw.below(30) };
        let (templates, steps) = match draw.below(40) {
            0 => (300, 330),
            1..=4 => (70 + draw.below(20), 150),
            _ => (1 + draw.below(8), 30 + draw.below(30)),
        };
        let (nodes, steps) = match (templates, large) {
            (300, _) => (nodes.min(12), steps),
            (_, true) => (nodes, steps.min(90)),
            _ => (nodes, steps),
        };
        Sort {
            nodes,
            templates,
            steps,
            social: draw.percent(60),
            restless: draw.percent(50),
            diverse: draw.percent(15),
            services: draw.percent(30),
            taints: *draw.pick(&[0, 10, 30]),
        }
    }

    pub(super) fn node(&self, draw: &mut Draw, name: String) -> Node {
        let (cpu, memory) = *draw.pick(&[
            (2000, 8192 * MIB),
            (4000, 16384 * MIB),
            (4000, 16384 * MIB),
            (8000, 16384 * MIB),
            (1930, 7_100_000_001),
            (0, 4096 * MIB),
        ]);
        let mut allocatable =
            amounts(&[("cpu", cpu), ("memory", memory), ("ephemeral-storage", 20480 * MIB)]);
        allocatable.push(("pods".to_owned(), *draw.pick(&[1, 4, 8, 29, 110, 110])));
        if draw.percent(20) {
            allocatable.push(("example.com/gpu".to_owned(), draw.number(1, 4)));
        }
        let mut node = Node { name, allocatable, ..Node::default() };
        self.relabel(draw, &mut node);
        self.taint(draw, &mut node);
        supply(draw, &mut node);
        node
    }

    pub(super) fn relabel(&self, draw: &mut Draw, node: &mut Node) {
        let mut labels = Vec::new();
        let mut put = |key: &str, value: String| labels.push((key.to_owned(), value));
        if draw.percent(96) {
            put(HOST, node.name.clone());
        }
        if draw.percent(92) {
            put(ZONE, draw.text(&["a", "a", "b", "b", "b", "c", "c", "c", "d", ""]));
        }
        if draw.percent(85) {
            put(REGION, draw.text(&["r", "r", "r", "r", "r", "s", "s", ""]));
        }
        if draw.percent(4) {
            put("failure-domain.beta.kubernetes.io/zone", draw.text(&["a", "z"]));
        }
        if draw.percent(70) {
            put("disk", draw.text(&["ssd", "hdd"]));
        }
        if draw.percent(60) {
            put("rank", draw.text(&["1", "2", "5", "-3", "x", "07"]));
        }
        for bit in 0..7 {
            if self.diverse && draw.percent(50) {
                put(&format!("bit{bit}"), String::new());
            }
        }
        node.labels = labels;
    }

    pub(super) fn taint(&self, draw: &mut Draw, node: &mut Node) {
        node.unschedulable = draw.percent(self.taints / 5);
        node.taints.clear();
        while draw.percent(self.taints) {
            let taint = Taint {
                key: draw.text(&["own", "slow", "gone"]),
                value: draw.text(&["", "x", "y"]),
                effect: draw.text(&["NoSchedule", "NoExecute", "PreferNoSchedule", "PreferNoSchedule"]),
            };
            if !node.taints.iter().any(|known| known.key == taint.key && known.effect == taint.effect) {
                node.taints.push(taint);
            }
        }
    }

    /// A pod without a name: most are plain, some have a few features.
    pub(super) fn template(&self, draw: &mut Draw) -> Pod {
        let mut pod = Pod { namespace: draw.text(&["default", "default", "red", "blue"]), ..Pod::default() };
        pod.labels = pod_labels(draw);
        for _ in 0..=draw.below(2) {
            pod.containers.push(container(draw));
        }
        if draw.percent(40) {
            for _ in 0..=draw.below(3) {
                self.add_feature(draw, &mut pod);
            }
        }
        if self.social && draw.percent(60) {
            add_social_feature(draw, &mut pod);
        }
        if self.diverse && draw.percent(50) {
            let bit = |bit| (1_i64 << bit, term(vec![requirement(&format!("bit{bit}"), "Exists", &[])]));
            pod.preferred_nodes = (0..7).map(bit).collect();
        }
        pod
    }

    fn add_feature(&self, draw: &mut Draw, pod: &mut Pod) {
        match draw.below(if self.social { 20 } else { 13 }) {
            0 | 1 => pod.tolerations.push(toleration(draw)),
            2 => pod.node_selector = vec![("disk".to_owned(), draw.text(&["ssd", "hdd"]))],
            3 => {
                let terms = 0..draw.below(4);
                pod.required_nodes = Some(terms.map(|_| node_term(draw)).collect());
            }
            4 => {
                for _ in 0..=draw.below(2) {
                    pod.preferred_nodes.push((draw.number(1, 100), preference(draw)));
                }
            }
            5 => pod.containers[0].ports.push(port(draw)),
            6 => {
                let mut first = container(draw);
                first.sidecar = draw.percent(50);
                if draw.percent(30) {
                    first.ports.push(port(draw));
                }
                pod.init_containers.push(first);
            }
            7 if pod.overhead.is_empty() => {
                let all = [("cpu", draw.number(1, 20) * 100), ("memory", draw.number(1, 20) * 100 * MIB)];
                pod.whole = amounts(&all[..=draw.below(2)]);
            }
            8 if pod.whole.is_empty() => pod.overhead = amounts(&[("cpu", 50), ("memory", 10 * MIB)]),
            9 => {
                let gpu = ("example.com/gpu".to_owned(), draw.number(1, 2));
                let Container { requests, limits, .. } = &mut pod.containers[0];
                for amounts in [requests, limits] {
                    amounts.retain(|(name, _)| *name != gpu.0);
                    amounts.push(gpu.clone());
                }
            }
            10 => pod.host_network = true,
            11 => pod.image_volumes.push(draw.text(&IMAGES)),
            12 => {
                for each in &mut pod.containers {
                    each.requests.clear();
                    each.limits.clear();
                }
            }
            13.. => add_social_feature(draw, pod),
            _ => {}
        }
    }
}

/// Gives a pod something to ask of other pods.
fn add_social_feature(draw: &mut Draw, pod: &mut Pod) {
    match draw.below(8) {
        0..=2 => {
            let constraint = spread(draw);
            let same = |known: &Spread| known.key == constraint.key && known.hard == constraint.hard;
            if !pod.spread.iter().any(same) {
                pod.spread.push(constraint);
            }
        }
        3 if draw.percent(50) => join_group(draw, pod),
        3 => pod.affinity.push(pod_term(draw)),
        4 | 5 => pod.anti_affinity.push(pod_term(draw)),
        6 => pod.preferred_affinity.push((draw.number(1, 100), pod_term(draw))),
        _ => pod.preferred_anti_affinity.push((draw.number(1, 100), pod_term(draw))),
    }
}

/// Gives a pod a label that few others have, and the need to be near its like: often it is the first of them.
fn join_group(draw: &mut Draw, pod: &mut Pod) {
    let group = format!("g{}", draw.below(40));
    pod.labels.retain(|(key, _)| key != "group");
    pod.affinity.push(PodTerm {
        key: topology(draw),
        selector: Some(vec![requirement("group", "In", &[&group])]),
        ..PodTerm::default()
    });
    pod.labels.push(("group".to_owned(), group));
}

pub(super) fn pod_labels(draw: &mut Draw) -> Labels {
    let mut labels = vec![("app".to_owned(), draw.text(&["one", "two", "three"]))];
    if draw.percent(50) {
        labels.push(("tier".to_owned(), draw.text(&["front", "back"])));
    }
    labels
}

pub(super) fn service(draw: &mut Draw, name: String) -> Service {
    let mut selector = pod_labels(draw);
    if draw.percent(20) {
        selector.remove(0);
    }
    if selector.is_empty() {
        selector = pod_labels(draw);
    }
    Service { namespace: draw.text(&NAMESPACES), name, selector }
}

const IMAGES: [&str; 6] = ["web:1", "web:2", "db", "host:5000/db", "host:5000/tool:3", "big"];

/// Gives a node images, and often says another size than others do.
pub(super) fn supply(draw: &mut Draw, node: &mut Node) {
    node.images.clear();
    for name in ["web:1", "web:2", "db:latest", "host:5000/db:latest", "host:5000/tool:3", "big:latest"] {
        if draw.percent(30) {
            let mut names = vec![name.to_owned()];
            if draw.percent(30) {
                names.push(format!("{name}@sha256:0"));
            }
            let size = draw.number(20, 900) * MIB + draw.number(0, 5);
            node.images.push(Image { names, size: if name == "big:latest" { size * 4 } else { size } });
        }
    }
}

fn container(draw: &mut Draw) -> Container {
    let mut container = Container { image: draw.text(&IMAGES), ..Container::default() };
    if draw.percent(85) {
        let cpu = *draw.pick(&[0, 100, 250, 500, 1000, 333]);
        container.requests.push(("cpu".to_owned(), cpu));
    }
    if draw.percent(80) {
        let memory = *draw.pick(&[0, 128 * MIB, 512 * MIB, 1024 * MIB, 3000 * MIB, 123_456_789]);
        container.requests.push(("memory".to_owned(), memory));
    } else if draw.percent(50) {
        container.limits.push(("memory".to_owned(), 256 * MIB));
    }
    if draw.percent(10) {
        container.requests.push(("ephemeral-storage".to_owned(), draw.number(1, 12) * 1024 * MIB));
    }
    container
}

fn port(draw: &mut Draw) -> Port {
    Port {
        container: draw.number(80, 82),
        host: draw.number(8080, 8081) * draw.number(0, 3).min(1),
        address: draw.text(&["", "", "10.0.0.1", "10.0.0.2", "0.0.0.0"]),
        protocol: draw.text(&["", "TCP", "UDP"]),
    }
}

fn toleration(draw: &mut Draw) -> Toleration {
    let exists = draw.percent(50);
    let everything = exists && draw.percent(20);
    let keys = ["own", "slow", "gone", "node.kubernetes.io/unschedulable"];
    Toleration {
        key: if everything { String::new() } else { draw.text(&keys) },
        operator: if exists { "Exists" } else { ["", "Equal"][draw.below(2)] },
        value: if exists { String::new() } else { draw.text(&["", "x", "y"]) },
        effect: draw.text(&["", "", "NoSchedule", "NoExecute", "PreferNoSchedule"]),
    }
}

fn requirement(key: &str, operator: &'static str, values: &[&str]) -> Requirement {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Requirement { key: key.to_owned(), operator, values }
}

fn term(expressions: Vec<Requirement>) -> NodeTerm {
    NodeTerm { expressions, fields: Vec::new() }
}

fn node_requirement(draw: &mut Draw) -> Requirement {
    match draw.below(8) {
        0 => requirement("disk", "In", &["ssd"]),
        1 => requirement("disk", "NotIn", &["hdd"]),
        2 => requirement("rank", "Exists", &[]),
        3 => requirement("rank", "DoesNotExist", &[]),
        4 => requirement("rank", "Gt", &["1"]),
        5 => requirement("rank", "Lt", &["5"]),
        6 => requirement(ZONE, "In", &["a", "b"]),
        _ => requirement(ZONE, "NotIn", &["a"]),
    }
}

fn preference(draw: &mut Draw) -> NodeTerm {
    term((0..=draw.below(2)).map(|_| node_requirement(draw)).collect())
}

/// A term that may be empty, and may name a node.
fn node_term(draw: &mut Draw) -> NodeTerm {
    let mut found = term((0..draw.below(3)).map(|_| node_requirement(draw)).collect());
    if draw.percent(40) {
        for _ in 0..=usize::from(draw.percent(20)) {
            let name = format!("n{}", draw.below(12));
            let operator = *draw.pick(&["In", "In", "In", "NotIn"]);
            found.fields.push(requirement("metadata.name", operator, &[&name]));
        }
    }
    found
}

fn pod_selector(draw: &mut Draw) -> Selector {
    match draw.below(12) {
        0 => None,
        1 => Some(Vec::new()),
        2 => Some(vec![requirement("app", "In", &["one", "two"])]),
        3 => Some(vec![requirement("app", "NotIn", &["one"])]),
        4 => Some(vec![requirement("tier", "Exists", &[])]),
        5 => Some(vec![requirement("tier", "DoesNotExist", &[]), requirement("app", "In", &["one"])]),
        6 => Some(vec![requirement("tier", "In", &["front"])]),
        _ => {
            let app = draw.text(&["one", "two", "three"]);
            Some(vec![requirement("app", "In", &[&app])])
        }
    }
}

fn topology(draw: &mut Draw) -> String {
    draw.text(&[HOST, HOST, ZONE, ZONE, REGION, "disk"])
}

fn spread(draw: &mut Draw) -> Spread {
    let hard = draw.percent(50);
    Spread {
        max_skew: draw.number(1, 3),
        key: topology(draw),
        hard,
        selector: pod_selector(draw),
        label_keys: if draw.percent(20) { vec!["tier".to_owned()] } else { Vec::new() },
        domains_min: (hard && draw.percent(30)).then(|| 1 + draw.below(5)),
        honors_affinity: draw.percent(75),
        honors_taints: draw.percent(25),
    }
}

fn pod_term(draw: &mut Draw) -> PodTerm {
    let keys = |wanted: bool| if wanted { vec!["tier".to_owned()] } else { Vec::new() };
    let selector = pod_selector(draw);
    let merges = selector.is_some() && draw.percent(15);
    let near = draw.percent(50);
    PodTerm {
        key: topology(draw),
        selector,
        namespaces: if draw.percent(20) { vec![draw.text(&NAMESPACES)] } else { Vec::new() },
        namespace_selector: match draw.below(8) {
            0 => Some(Vec::new()),
            1 => Some(vec![requirement("team", "In", &["b"])]),
            _ => None,
        },
        label_keys: keys(merges && near),
        mismatch_label_keys: keys(merges && !near),
    }
}

fn amounts(all: &[(&str, i64)]) -> Amounts {
    all.iter().map(|(name, amount)| ((*name).to_owned(), *amount)).collect()
}
