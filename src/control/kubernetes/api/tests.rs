//! The tables of the original, and rows of our own.

use serde_json::{Map, Value, json};

use super::requests::{self, Count, default_cpu, default_memory};
use super::shape::Resources;
use super::*;
use crate::base::mark::must_reach;
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
