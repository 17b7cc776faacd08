//! A document inside a scenario whose every part keeps its place: a Pod, a scheduler's configuration.
//!
//! Its fields are read later, by somebody who knows them. Knows nothing of what they mean.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::codes::Code;
use super::diagnostic::Place;
use super::text::Placed;
use super::tree::{Grower, Key, Kind, Node, Value, to_json};
use super::units::UnitError;

/// A map of keys that are not known here, with places.
///
/// ```
/// use windtunnel::scenario::document::Document;
/// use windtunnel::scenario::{Sources, read};
/// let source = Sources::default().add("a.yaml", b"pod:\n  spec: { priority: 7 }\n".to_vec());
/// let read = read::<std::collections::BTreeMap<String, Document>>(&source).0.unwrap();
/// assert_eq!(read["pod"].value()["spec"]["priority"], 7);
/// assert_eq!(read["pod"].place().line, 2);
/// ```
#[derive(Clone, Debug)]
pub struct Document {
    root: Rc<Node>,
}

impl Document {
    /// The same without places.
    pub fn value(&self) -> serde_json::Value {
        to_json(&self.root)
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        self.root.place
    }

    pub(super) fn node(&self) -> &Rc<Node> {
        &self.root
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Placed::<Part>::deserialize(deserializer)?;
        if !matches!(read.value, Part::Map(_)) {
            let message = String::from("a map of keys is wanted here");
            return Err(UnitError { code: Code::WrongType, message, hint: None }.into_serde());
        }
        let mut grower = Grower::default();
        grown(read, &mut grower).map(|root| Document { root }).map_err(D::Error::custom)
    }
}

impl JsonSchema for Document {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Document".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// A value whose parts have places.
enum Part {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Sequence(Vec<Placed<Part>>),
    Map(Vec<(Placed<String>, Placed<Part>)>),
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Part, E> {
        Ok(Part::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Part, E> {
        Ok(Part::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Part, E> {
        Ok(Part::Bool(value))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Part, E> {
        Ok(Part::Number(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Part, E> {
        Ok(Part::Number(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Part, E> {
        Ok(Part::Number(number.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Part, E> {
        Ok(Part::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Part, A::Error> {
        let mut all = Vec::new();
        while let Some(part) = sequence.next_element()? {
            all.push(part);
        }
        Ok(Part::Sequence(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = map.next_entry()? {
            all.push(entry);
        }
        Ok(Part::Map(all))
    }
}

/// The tree of a value; the text that it was read from has kept the bounds of trees already.
fn grown(part: Placed<Part>, grower: &mut Grower) -> Result<Rc<Node>, String> {
    let value = match part.value {
        Part::Null => Value::Scalar("".into(), Kind::Null),
        Part::Bool(value) => Value::Scalar(value.to_string().into(), Kind::Bool(value)),
        Part::Number(text) => Value::Scalar(text.into(), Kind::Number),
        Part::Text(text) => Value::Scalar(text.into(), Kind::Quoted),
        Part::Sequence(all) => {
            Value::Sequence(all.into_iter().map(|part| grown(part, grower)).collect::<Result<_, _>>()?)
        }
        Part::Map(all) => {
            let entry = |(key, part): (Placed<String>, Placed<Part>)| {
                let key = Key { text: key.value.into(), place: key.place };
                grown(part, grower).map(|node| (key, node))
            };
            Value::Map(all.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
    };
    grower.node(part.place, value).map_err(|wrong| wrong.message)
}
