//! What no plugin of the original brings about together with the others, by plugins that stand in for it.

use serde_json::{Value, json};

use crate::base::mark::must_reach;
use crate::base::{Row, Symbols, Timestamp};
use crate::control::kubernetes::api::{Object, PriorityClasses, Reading, Stage};
use crate::control::kubernetes::objects::{Pod, Specs};
use crate::control::kubernetes::scheduler::algorithm::{self, Choice, Found};
use crate::control::kubernetes::scheduler::message;
use crate::control::kubernetes::scheduler::plugins::node_name::NodeName;

use super::*;

/// Says the same before every search.
#[derive(Debug)]
struct Says {
    name: &'static str,
    answer: PreFilter,
}

impl Plugin for Says {
    fn name(&self) -> &'static str {
        self.name
    }

    fn points(&self) -> Points {
        Points { pre_filter: true, ..Points::default() }
    }

    fn pre_filter(&mut self, _: &Cycle<'_>) -> PreFilter {
        self.answer.clone()
    }
}

/// `a=n1,n2`: plugin a wants these nodes · `a=later`: not now · `a=never`: not now, and preemption cannot help.
fn says(word: &'static str, symbols: &mut Symbols) -> Says {
    let (name, answer) = word.split_once('=').expect("a plugin and what it says");
    let answer = match answer {
        "later" => PreFilter::Refused(Status::unschedulable(format!("{name} says later"))),
        "never" => PreFilter::Refused(Status::unresolvable(format!("{name} says never"))),
        names => {
            let names = names.split(',').filter(|name| !name.is_empty());
            PreFilter::Only(names.map(|name| symbols.intern(name)).collect())
        }
    };
    Says { name, answer }
}

fn read(specs: &mut Specs, document: &Value) -> Object {
    let mut reading = Reading { specs, classes: &PriorityClasses::default() };
    let kind = document["kind"].as_str().expect("a kind");
    reading.read(kind, document, Stage::Create).expect("a good object")
}

/// Three nodes, n1 to n3, and a pod that may name one of them.
fn with_cycle<R>(mut specs: Specs, named: Option<&str>, test: impl FnOnce(&Cycle<'_>) -> R) -> R {
    let mut cluster = Cluster::default();
    for name in ["n1", "n2", "n3"] {
        let document = json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": name}});
        let Object::Node(node) = read(&mut specs, &document) else { panic!("a node") };
        cluster.add_node(&specs, node.name, node.spec);
    }
    cluster.snapshot();
    let document = json!({
        "kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p", "uid": "uid-p"},
        "spec": {"nodeName": named, "containers": [{"name": "c"}]},
    });
    let Object::Pod(pod) = read(&mut specs, &document) else { panic!("a pod") };
    let (row, now): (Row<Pod>, _) = (Row::at(0), Timestamp::from_nanos(0));
    test(&Cycle { specs: &specs, cluster: &cluster, row, pod: &pod, spec: &specs[pod.spec], now })
}

/// These plugins are asked in order; the node that is chosen, or why there is none and who refused.
fn check_pre_filters(rules: &[&str], words: &'static str, expected: &str) {
    let mut specs = Specs::default();
    let symbols = &mut specs.symbols;
    let plugins = words.split_whitespace().map(|word| Box::new(says(word, symbols)) as Box<dyn Plugin>);
    let plugins: Vec<_> = plugins.collect();
    let order = Order { pre_filter: (0..plugins.len()).collect(), ..Order::default() };
    let mut profile = Profile::new(specs.symbols.intern("default-scheduler"), 0, plugins, order);
    let seen = with_cycle(specs, None, |cycle| {
        let mut found = Found::default();
        match must_reach(rules, || algorithm::schedule(&mut profile, cycle, &mut 0, &mut found)) {
            Choice::Node(row) => cycle.specs.symbols.text(cycle.cluster[row].name).to_owned(),
            Choice::Nowhere => {
                let refused_by: Vec<&str> = found.rejected_by.iter().copied().collect();
                format!("{} [{}]", message::failure(&found, ""), refused_by.join(" "))
            }
            Choice::NoNodes | Choice::Error(_) => panic!("{words} is a decision"),
        }
    });
    assert_eq!(seen, expected, "{words}");
}

#[test]
fn answers_before_the_search_are_put_together() {
    let empty = "K 2.5 an empty intersection names its plugins";
    let later = "K 2.5 an unschedulable pre-filter lets the others speak";
    let row = check_pre_filters;
    row(&["K 2.5 sets of nodes are intersected"], "a=n3,n2 b=n1,n3", "n3");
    row(&[empty], "a=", "0/3 nodes are available: node(s) didn't satisfy plugin a. [a]");
    row(
        &[empty],
        "b=n1 a=n2",
        "0/3 nodes are available: node(s) didn't satisfy plugin(s) [a b] simultaneously. [a b]",
    );
    row(
        &[empty],
        "a=n1,n2 b=n2,n3 c=n1,n3 d=never",
        "0/3 nodes are available: node(s) didn't satisfy plugin(s) [a b c] simultaneously. [a b c]",
    );
    row(&[later], "a=later b=n2", "0/3 nodes are available: a says later. [a b]");
    row(&[later], "a=later b=later", "0/3 nodes are available: b says later. [b]");
    row(&[later], "b=n2 a=later c=never", "0/3 nodes are available: c says never. [c]");
    row(
        &[later, empty],
        "c=later b=n1 a=n2",
        "0/3 nodes are available: node(s) didn't satisfy plugin(s) [a b] simultaneously. [a b]",
    );
}

#[test]
fn without_score_plugins_every_node_is_as_good() {
    let mut specs = Specs::default();
    let name = specs.symbols.intern("default-scheduler");
    let mut profile = Profile::new(name, 0, Vec::new(), Order::default());
    with_cycle(specs, None, |cycle| {
        let nodes: Vec<&NodeInfo> = cycle.cluster.order().iter().map(|&row| &cycle.cluster[row]).collect();
        let mut scores = Scores { total: vec![7], plugins: vec![("a", vec![7])] };
        must_reach(&["K 2.6 without score plugins every node has 1"], || {
            profile.score(cycle, &nodes, &mut scores).expect("nothing can fail");
        });
        assert_eq!(scores, Scores { plugins: Vec::new(), total: vec![1, 1, 1] });
    });
}

/// A pod that names its node never waits for one, so that no recording shows this.
#[test]
fn a_pod_that_names_its_node_fits_no_other() {
    for (named, rules, fits) in [
        (None, &[][..], "n1 n2 n3"),
        (Some("n2"), &["K 2.7 NodeName"], "n2"),
        (Some("n9"), &["K 2.7 NodeName"], ""),
    ] {
        with_cycle(Specs::default(), named, |cycle| {
            let fitting = |row: &&Row<NodeInfo>| match NodeName.filter(cycle, &cycle.cluster[**row]) {
                Ok(()) => true,
                Err(status) => {
                    let why = "node(s) didn't match the requested node name";
                    assert_eq!(status, Status::unresolvable(why), "{named:?}");
                    false
                }
            };
            let fitting: Vec<&Row<NodeInfo>> =
                must_reach(rules, || cycle.cluster.order().iter().filter(fitting).collect());
            let names = fitting.iter().map(|row| cycle.specs.symbols.text(cycle.cluster[**row].name));
            assert_eq!(names.collect::<Vec<_>>().join(" "), fits, "{named:?}");
        });
    }
}
