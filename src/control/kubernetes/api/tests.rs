//! The tables of the original, and rows of our own.

use serde_json::{Map, Value, json};

use super::requests::{self, Count, default_cpu, default_memory};
use super::selectors::{labels, node_term, node_terms, written_term};
use super::shape::Resources;
use super::*;
use crate::base::Symbols;
use crate::base::mark::must_reach;
use crate::control::kubernetes::labels::Labels;
use crate::control::kubernetes::labels_text::{Written, compile, parse, together};
use crate::control::kubernetes::objects::Taint;
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
    assert_eq!(row["qos"], format!("{:?}", requests::quality_of_service(&pod)), "class of {row}");

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
