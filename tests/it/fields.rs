//! Every field that a user may write is modelled, or listed with what is done instead; never both,
//! never neither.

use serde_json::{Value, json};
use windtunnel::control::ecs::api::{
    ApiError, CreateCluster, CreateService, DeleteCluster, Operation, RegisterTaskDefinition, Request,
    RunTask, StartTask, Warning, read, unmodelled,
};

/// The fields of the API; the file says where they come from.
const FIELDS: &str = include_str!("../data/ecs_fields.csv");

struct Field {
    operation: Operation,
    path: String,
    kind: String,
    /// The first value of its enumeration, if it has one.
    word: Option<String>,
}

fn fields() -> Vec<Field> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(FIELDS.as_bytes());
    let rows = reader.records().map(|row| row.expect("a row of the file"));
    rows.map(|row| Field {
        operation: operation(&row[0]),
        path: row[1].to_owned(),
        kind: row[2].to_owned(),
        word: row[3].split('|').find(|word| !word.is_empty()).map(str::to_owned),
    })
    .collect()
}

fn operation(name: &str) -> Operation {
    let all = [
        Operation::RegisterTaskDefinition,
        Operation::RunTask,
        Operation::StartTask,
        Operation::CreateCluster,
        Operation::CreateService,
        Operation::DeleteCluster,
    ];
    all.into_iter().find(|operation| operation.as_str() == name).expect("one of the six")
}

/// The smallest document that has only this field.
fn document(field: &Field) -> Value {
    let leaf = match field.kind.as_str() {
        "string" => json!(field.word.as_deref().unwrap_or("1")),
        "integer" => json!(1),
        "double" => json!(1.5),
        "boolean" => json!(true),
        "structure" | "map" => json!({}),
        "list" => json!([]),
        other => panic!("the file has a type {other} that this test does not know"),
    };
    let steps = field.path.replace("[]", ".[]").replace("{}", ".{}");
    steps.split('.').rev().fold(leaf, |inner, step| match step {
        "[]" => json!([inner]),
        "{}" => json!({"key": inner}),
        name => json!({name: inner}),
    })
}

/// What reading a document passes over.
fn passed_over(operation: Operation, document: &Value) -> Result<Vec<Warning>, Vec<ApiError>> {
    fn warnings<R: Request>(document: &Value) -> Result<Vec<Warning>, Vec<ApiError>> {
        assert_eq!(read::<R>(&json!({})).expect("everything is optional in the shape").warnings, []);
        read::<R>(document).map(|read| read.warnings)
    }
    match operation {
        Operation::RegisterTaskDefinition => warnings::<RegisterTaskDefinition>(document),
        Operation::RunTask => warnings::<RunTask>(document),
        Operation::StartTask => warnings::<StartTask>(document),
        Operation::CreateCluster => warnings::<CreateCluster>(document),
        Operation::CreateService => warnings::<CreateService>(document),
        Operation::DeleteCluster => warnings::<DeleteCluster>(document),
    }
}

#[test]
fn every_field_is_modelled_or_listed() {
    let fields = fields();
    assert_eq!(fields.len(), 605, "the fields of six requests");
    let mut modelled = 0;
    for field in &fields {
        let name = format!("{} {}", field.operation.as_str(), field.path);
        let warnings = passed_over(field.operation, &document(field))
            .unwrap_or_else(|errors| panic!("{name} is neither modelled nor listed: {errors:?}"));
        match unmodelled::find(field.operation, &field.path) {
            None => {
                assert_eq!(warnings, [], "{name} is passed over, but not listed");
                modelled += 1;
            }
            Some(row) => {
                assert_eq!(warnings.len(), 1, "{name} is listed, but not passed over");
                assert_eq!(warnings[0].instead, row.instead, "{name}");
                assert!(unmodelled::pattern(&warnings[0].path).starts_with(row.path), "{name}");
            }
        }
    }
    assert!(modelled > 200, "only {modelled} fields are modelled");
}

#[test]
fn every_row_of_the_list_is_a_field_and_stands_once() {
    let fields = fields();
    for row in unmodelled::table() {
        assert!(!row.instead.is_empty());
        for &operation in row.operations {
            let is_field = |field: &Field| field.operation == operation && field.path == row.path;
            assert!(fields.iter().any(is_field), "{} {} is no field", operation.as_str(), row.path);
            assert_eq!(unmodelled::find(operation, row.path), Some(row), "a row above covers this one");
        }
    }
}

#[test]
fn what_the_api_does_not_know_is_refused() {
    let rows = [
        (Operation::RegisterTaskDefinition, json!({"familly": "web"}), "familly"),
        (Operation::RegisterTaskDefinition, json!({"volumes": [{}, {"nmae": "x"}]}), "volumes[1].nmae"),
        (Operation::RunTask, json!({"countt": 1}), "countt"),
        (Operation::StartTask, json!({"launchType": "EC2"}), "launchType"),
        (Operation::CreateCluster, json!({"name": "x"}), "name"),
        (Operation::CreateService, json!({"rolee": "x"}), "rolee"),
    ];
    for (operation, document, path) in rows {
        let errors = passed_over(operation, &document).expect_err("unknown");
        assert_eq!(errors, [ApiError::invalid(path, "Unknown parameter in input.")]);
    }
}
