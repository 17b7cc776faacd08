//! The scenario language as a JSON Schema, for editors.
//!
//! It is made from the structs that the decoder fills, so that the two cannot differ: keys, their
//! descriptions and whether they are needed come from the derived code, units from the tables of
//! [`units`](super::units). What a name refers to is beyond a schema, apart from regions, instance types
//! and settings, which are known. Knows nothing of files.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::known_settings::{self, unit_words};
use super::parameters::{Kind, parameter};
use super::schema::Scenario;
use super::study::StudyScenario;
use super::text::Placed;
use super::units::{Measured, Rate, Share};
use super::{calibration, distribution::Distribution};
use crate::base::{Bandwidth, Bytes, Percent, Span, Timestamp};
use crate::catalog::settings::SettingUnit;
use crate::catalog::{instance_types, regions};

/// The JSON Schema of a scenario file, draft 7: the newest that the YAML language server knows well.
///
/// ```
/// let schema = windtunnel::scenario::json_schema::schema();
/// assert_eq!(schema["definitions"]["duration"]["type"], "string"); // `90s`, `2h30m`
/// assert_eq!(schema["definitions"]["Scenario"]["additionalProperties"], false);
/// ```
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let study = generator.subschema_for::<StudyScenario>();
    let scenario = generator.subschema_for::<Scenario>();
    let mut schema = json_schema!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": concat!("windtunnel-scenario-", env!("CARGO_PKG_VERSION"), ".json"),
        "title": "A scenario of windtunnel",
        "if": { "required": ["study"] },
        "then": study,
        "else": scenario,
        "definitions": generator.take_definitions(false),
    });
    RecursiveTransform(close).transform(&mut schema);
    schema.to_value()
}

/// The keys that a struct of the language needs, by its name; none of other structs.
pub(super) fn required(name: &str) -> &'static [String] {
    static NEEDED: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
        let schema = schema();
        let needed = |of: &Value| {
            let keys = of["required"].as_array().into_iter().flatten();
            keys.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let structs = schema["definitions"].as_object().into_iter().flatten();
        structs.map(|(name, of)| (name.clone(), needed(of))).collect()
    });
    NEEDED.get(name).map_or(&[], Vec::as_slice)
}

/// A map with known keys has no others; a map of one variant is described at its key, where editors
/// look; descriptions are one line.
fn close(schema: &mut Schema) {
    let described = schema.get("description").cloned();
    let variant = schema.get("required").and_then(Value::as_array).is_some_and(|all| all.len() == 1);
    if let Some(Value::Object(properties)) = schema.get_mut("properties").filter(|_| variant)
        && let (1, Some(text)) = (properties.len(), described)
        && let Some(Value::Object(only)) = properties.values_mut().next()
    {
        only.entry("description").or_insert(text);
    }
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".into(), false.into());
    }
    let text = schema.get("description").and_then(Value::as_str).map(|text| text.replace('\n', " "));
    if let Some(text) = text {
        schema.insert("description".into(), text.into());
    }
}

/// The settings by name: an unknown one is an error, as it is for the decoder.
pub(super) fn settings(generator: &mut SchemaGenerator) -> Schema {
    let mut properties = serde_json::Map::new();
    for known in known_settings::all().into_iter().filter(|known| known.path.starts_with("settings.")) {
        let about = if known.used { known.about } else { "No model uses it yet." };
        let words =
            format!("{about} Default: {}. Source: {} ({}).", known.default, known.source, known.confidence);
        let value = match (parameter(known.name), calibration::unit(known.name)) {
            (Some(parameter), _) => of_kind(parameter.kind, generator),
            (None, Some(unit)) => of_unit(unit, generator),
            (None, None) => json!({}),
        };
        properties.insert(known.name.to_owned(), json!({ "description": words, "allOf": [value] }));
    }
    json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
}

pub(super) fn region(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": regions().collect::<Vec<_>>() })
}

pub(super) fn instance_type(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": instance_types().iter().map(|of| of.name).collect::<Vec<_>>() })
}

/// A request of the ECS API: its fields are checked when it is read.
pub(super) fn optional_request(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["object", "null"] })
}

fn of_unit(unit: SettingUnit, generator: &mut SchemaGenerator) -> Value {
    let words = unit_words(unit);
    let schema = match unit {
        SettingUnit::Seconds | SettingUnit::PerHour | SettingUnit::PerYear => {
            generator.subschema_for::<Distribution<Span>>()
        }
        SettingUnit::MegabytesPerSecond => generator.subschema_for::<Distribution<Bandwidth>>(),
        SettingUnit::Megabytes => generator.subschema_for::<Distribution<Bytes>>(),
        SettingUnit::Probability => generator.subschema_for::<Share>(),
        SettingUnit::Ratio => json_schema!({ "type": "number", "minimum": 0, "title": words }),
        SettingUnit::Count | SettingUnit::TasksPerMinute => {
            json_schema!({ "type": "integer", "minimum": 0, "title": words })
        }
    };
    schema.to_value()
}

fn of_kind(kind: Kind, generator: &mut SchemaGenerator) -> Value {
    let or_none = |schema: Schema| json!({ "anyOf": [schema, { "enum": ["none", null] }] });
    match kind {
        Kind::Span(..) => generator.subschema_for::<Span>().to_value(),
        Kind::OptionalSpan(_) => or_none(generator.subschema_for::<Span>()),
        Kind::OptionalBandwidth(_) => or_none(generator.subschema_for::<Bandwidth>()),
        Kind::OptionalBytes(_) => or_none(generator.subschema_for::<Bytes>()),
        Kind::Bytes(_) => generator.subschema_for::<Bytes>().to_value(),
        Kind::Percent(_) => generator.subschema_for::<Percent>().to_value(),
        Kind::Count(_, _, least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Flag(_) => json!({ "type": "boolean" }),
        Kind::Word(_, _, words) => json!({ "enum": words }),
    }
}

/// A place adds nothing to a value.
impl<T: JsonSchema> JsonSchema for Placed<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A measured value is a text with a pattern.
macro_rules! measured {
    ($($type:ty = $name:literal;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn schema_id() -> Cow<'static, str> {
                concat!("windtunnel::", $name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "title": <$type>::WHAT,
                    "pattern": <$type>::pattern(),
                    "minLength": 2,
                })
            }
        }
    )*};
}

measured! {
    Span = "duration";
    Bytes = "size";
    Bandwidth = "bandwidth";
    Percent = "percentage";
    Share = "share";
    Rate = "rate";
    Timestamp = "time";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use regex::Regex;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::base::{Cpu, Money};
    use crate::scenario::decode::MET;
    use crate::scenario::{Code, Sources, read};

    /// Every map of the language: a document in which it holds one unknown key, and the keys it has.
    fn maps<'s>(
        root: &'s Value,
        schema: &'s Value,
        around: &dyn Fn(Value) -> Value,
        seen: &mut Vec<&'s str>,
        found: &mut Vec<(Value, BTreeSet<String>)>,
    ) {
        if let Some(name) = schema["$ref"].as_str() {
            if seen.contains(&name) {
                return;
            }
            seen.push(name);
            let path = name.strip_prefix('#').expect("local");
            maps(root, root.pointer(path).expect("defined"), around, seen, found);
            seen.pop();
            return;
        }
        for list in ["anyOf", "oneOf", "allOf"] {
            for each in schema[list].as_array().into_iter().flatten() {
                maps(root, each, around, seen, found);
            }
        }
        maps_below(root, schema, around, seen, found);
    }

    fn maps_below<'s>(
        root: &'s Value,
        schema: &'s Value,
        around: &dyn Fn(Value) -> Value,
        seen: &mut Vec<&'s str>,
        found: &mut Vec<(Value, BTreeSet<String>)>,
    ) {
        if let Some(properties) = schema["properties"].as_object() {
            // A map of one variant: the decoder reads its key as a choice.
            let variant = schema["required"].as_array().is_some_and(|all| all.len() == 1)
                && properties.len() == 1
                && schema.get("description").is_some();
            if !variant {
                found.push((around(json!({ "zzzzzz": 1 })), properties.keys().cloned().collect()));
            }
            for (key, below) in properties {
                maps(root, below, &|inner| around(json!({ key.as_str(): inner })), seen, found);
            }
        }
        match &schema["additionalProperties"] {
            Value::Null | Value::Bool(_) => {}
            below => maps(root, below, &|inner| around(json!({ "any": inner })), seen, found),
        }
        if schema.get("items").is_some() {
            maps(root, &schema["items"], &|inner| around(json!([inner])), seen, found);
        }
    }

    /// The decoder names the keys of a map where it meets one that it does not know: they are those of
    /// the schema, in every map of the language.
    #[test]
    fn the_schema_has_the_keys_of_the_decoder() {
        let schema = schema();
        let compared = compare_keys::<Scenario>(&schema, &schema["else"]);
        assert!(compared > 15, "only {compared} maps");
        let studies = compare_keys::<StudyScenario>(&schema, &schema["then"]);
        assert_eq!(studies, 2, "the scenario and what the study asks for");
    }

    /// Compares every map of one kind of scenario; how many there are.
    fn compare_keys<T: DeserializeOwned>(root: &Value, schema: &Value) -> usize {
        let mut found = Vec::new();
        maps(root, schema, &|inner| inner, &mut Vec::new(), &mut found);
        let mut compared = 0;
        for (document, keys) in found {
            if document.get("settings").is_some() {
                continue;
            }
            let source = Sources::default().add("a.json", document.to_string().into_bytes());
            let (_, diagnostics) = read::<T>(&source);
            let unknown = diagnostics.iter().find(|each| each.message.contains("zzzzzz"));
            let unknown = unknown.unwrap_or_else(|| panic!("{document}: {diagnostics:#?}"));
            assert_eq!(unknown.code, Code::UnknownKey, "{document}");
            let known = MET.with_borrow_mut(Vec::pop).expect("the decoder met the key");
            assert_eq!(
                known.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>(),
                keys,
                "{document}"
            );
            compared += 1;
        }
        compared
    }

    #[test]
    fn every_key_is_described() {
        fn walk(at: &str, schema: &Value, bare: &mut Vec<String>) {
            for (key, below) in schema["properties"].as_object().into_iter().flatten() {
                let path = format!("{at}.{key}");
                if below["description"].as_str().is_none_or(str::is_empty) {
                    bare.push(path.clone());
                }
                walk(&path, below, bare);
            }
            for list in ["anyOf", "oneOf", "allOf"] {
                for each in schema[list].as_array().into_iter().flatten() {
                    walk(at, each, bare);
                }
            }
        }
        let schema = schema();
        let mut bare = Vec::new();
        walk("", &schema, &mut bare);
        for (name, definition) in schema["definitions"].as_object().expect("definitions") {
            walk(name, definition, &mut bare);
        }
        assert!(bare.is_empty(), "without a description: {bare:?}");
    }

    fn agrees<T: Measured>(text: &str) {
        let pattern = Regex::new(&T::pattern()).expect("a pattern");
        if T::read(text).is_ok() {
            assert!(pattern.is_match(text), "{text:?} is read, {pattern} refuses it");
        }
    }

    proptest! {
        #[test]
        fn patterns_take_what_is_read(
            text in "([0-9]{1,4}(\\.[0-9]{1,3})?|[-+. ]|w|d|h|m|s|ms|us|ns|B|KiB|MB|GiB|/s|Mbit/s|vCPU|units|per |hour|%|USD){1,5}"
        ) {
            agrees::<Span>(&text);
            agrees::<Bytes>(&text);
            agrees::<Bandwidth>(&text);
            agrees::<Cpu>(&text);
            agrees::<Percent>(&text);
            agrees::<Share>(&text);
            agrees::<Money>(&text);
            agrees::<Rate>(&text);
        }

        #[test]
        fn patterns_take_what_is_written(n in any::<u64>(), small in any::<u32>()) {
            agrees::<Span>(&Span::from_nanos(n).canonical());
            agrees::<Bytes>(&Bytes::kib(i64::from(small)).canonical());
            agrees::<Bandwidth>(&Bandwidth::per_second(n).canonical());
            agrees::<Timestamp>(&Timestamp::from_nanos(n % 16_756_761_600_000_000_000).canonical());
        }
    }

    #[test]
    fn patterns_refuse_wrong_units() {
        fn refuses<T: Measured>(text: &str) {
            let pattern = Regex::new(&T::pattern()).expect("a pattern");
            assert!(!pattern.is_match(text), "{pattern} takes {text:?}");
        }
        for text in ["30", "5 min", "-7s", "10h2d", "s"] {
            refuses::<Span>(text);
        }
        for text in ["512", "2 mib", "2Gi", "1,000 MiB"] {
            refuses::<Bytes>(text);
        }
        for text in ["10 Gbps", "3 MB"] {
            refuses::<Bandwidth>(text);
        }
        for text in ["99.5%", "60", "0.5"] {
            refuses::<Percent>(text);
        }
        for text in ["3/min", "3", "3 per month"] {
            refuses::<Rate>(text);
        }
        for text in ["2026-03-02", "yesterday", "2026-03-02T00:00:00"] {
            refuses::<Timestamp>(text);
        }
    }
}
