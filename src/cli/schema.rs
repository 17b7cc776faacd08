//! `windtunnel schema`: the scenario language as a JSON Schema, for editors.

use super::{Exit, say};
use crate::scenario::json_schema;

pub(super) fn schema() -> Exit {
    let text = serde_json::to_string_pretty(&json_schema::schema()).expect("a schema can be written");
    say(&format!("{text}\n"));
    Exit::Good
}
