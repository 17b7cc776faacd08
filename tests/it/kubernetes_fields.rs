//! Every field of the modelled kinds of the Kubernetes API is modelled, or listed with what is done
//! instead; never both, never neither.

use serde_json::{Value, json};
use windtunnel::control::kubernetes::api::{unmodelled, warnings};

/// The fields of the API; the file says where they come from.
const FIELDS: &str = include_str!("../data/kubernetes/fields.csv");

struct Field {
    kind: String,
    path: String,
    r#type: String,
}

fn fields() -> Vec<Field> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(FIELDS.as_bytes());
    let rows = reader.records().map(|row| row.expect("a row of the file"));
    rows.map(|row| Field { kind: row[0].into(), path: row[1].into(), r#type: row[2].into() }).collect()
}

/// The smallest document that has only this field.
fn document(field: &Field) -> Value {
    let leaf = match field.r#type.as_str() {
        "string" => json!("1"),
        "integer" => json!(1),
        "boolean" => json!(true),
        "object" | "map" => json!({}),
        "array" => json!([]),
        other => panic!("the file has a type {other} that this test does not know"),
    };
    let steps = field.path.replace("[]", ".[]");
    steps.split('.').rev().fold(leaf, |inner, step| match step {
        "[]" => json!([inner]),
        name => json!({name: inner}),
    })
}

#[test]
fn every_field_is_modelled_or_listed() {
    let mut modelled = 0;
    for field in fields() {
        let name = format!("{} {}", field.kind, field.path);
        let warnings =
            warnings(&field.kind, &document(&field)).unwrap_or_else(|error| panic!("{name}: {error}"));
        match unmodelled::find(&field.kind, &field.path) {
            None => {
                assert_eq!(warnings, [], "{name} is passed over, but not listed");
                modelled += 1;
            }
            Some(row) => {
                assert_eq!(warnings.len(), 1, "{name} is listed, but not passed over");
                assert_eq!(warnings[0].instead, Some(row.instead), "{name}");
            }
        }
    }
    assert!(modelled > 300, "only {modelled} fields are modelled");
}

#[test]
fn every_row_of_the_list_is_a_field_and_stands_once() {
    let fields = fields();
    for row in unmodelled::table() {
        assert!(!row.instead.is_empty());
        for field in row.fields {
            let paths = row.places.iter().map(|place| match *place {
                "" => (*field).to_owned(),
                place => format!("{place}.{field}"),
            });
            for path in paths {
                for kind in row.kinds {
                    if fields.iter().any(|each| each.kind == *kind && each.path == path) {
                        assert_eq!(unmodelled::find(kind, &path), Some(row), "{kind} {path} stands twice");
                    }
                }
                let known = |kind: &&str| fields.iter().any(|each| each.kind == *kind && each.path == path);
                assert!(row.kinds.iter().any(known), "{path} is no field of {:?}", row.kinds);
            }
        }
    }
}
