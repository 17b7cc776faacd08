//! A text as a tree in which everything has a place.
//!
//! YAML and JSON both become this tree, so that one decoder serves both. Scalars keep their text as
//! written: `1.50` stays exact. The tree is bounded: nodes, depth, and its size with aliases written
//! out. Knows nothing of Rust structs.

use std::rc::Rc;

use super::codes::Code;
use super::diagnostic::{Diagnostic, Place};

/// The most values a file may hold, aliases written out.
pub const NODES_MAX: u32 = 2_000_000;
/// The deepest nesting, aliases followed.
pub const DEPTH_MAX: u32 = 64;

/// Mistakes of one sort that are told; later ones are not.
pub(super) const FOUND_MAX: usize = 200;

/// One value.
#[derive(Debug)]
pub(super) struct Node {
    /// Counts nodes of one tree.
    pub(super) id: u32,
    pub(super) place: Place,
    pub(super) value: Value,
    /// Nodes below and including this one, aliases written out.
    pub(super) weight: u32,
    /// Levels below and including this one.
    pub(super) depth: u32,
}

#[derive(Debug)]
pub(super) enum Value {
    Scalar(Box<str>, Kind),
    Sequence(Vec<Rc<Node>>),
    /// In the order of the text; keys are unique.
    Map(Vec<(Key, Rc<Node>)>),
}

/// What an unquoted scalar looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number,
    /// Unquoted text.
    Plain,
    Quoted,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: Box<str>,
    pub(super) place: Place,
}

/// Makes nodes and keeps the bounds.
#[derive(Default)]
pub(super) struct Grower {
    nodes: u32,
    pub(super) found: Vec<Diagnostic>,
}

impl Grower {
    /// Counts nodes from `id`.
    pub(super) fn from(id: u32) -> Self {
        Grower { nodes: id, found: Vec::new() }
    }

    /// A node of these parts, unless a bound is reached.
    pub(super) fn node(&mut self, place: Place, value: Value) -> Result<Rc<Node>, Diagnostic> {
        let (mut weight, mut depth) = (1_u32, 0);
        let mut below = |child: &Node| {
            weight = weight.saturating_add(child.weight);
            depth = depth.max(child.depth);
        };
        match &value {
            Value::Scalar(..) => {}
            Value::Sequence(all) => all.iter().for_each(|child| below(child)),
            Value::Map(all) => all.iter().for_each(|(_, child)| below(child)),
        }
        let id = self.nodes;
        self.nodes += 1;
        if weight > NODES_MAX || self.nodes > NODES_MAX {
            let message = format!("more than {NODES_MAX} values, aliases written out");
            return Err(Diagnostic::new(Code::TooManyNodes, place, message));
        }
        if depth >= DEPTH_MAX {
            return Err(too_deep(place));
        }
        Ok(Rc::new(Node { id, place, value, weight, depth: depth + 1 }))
    }

    /// The entries of a map without those whose key came before; each of those is reported.
    pub(super) fn unique(&mut self, entries: Vec<(Key, Rc<Node>)>) -> Vec<(Key, Rc<Node>)> {
        let mut first: std::collections::BTreeMap<Box<str>, u32> = std::collections::BTreeMap::new();
        let mut kept = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            if let Some(line) = first.get(&key.text) {
                let message = format!("the key {} stands twice", super::diagnostic::quoted(&key.text));
                let twice = Diagnostic::new(Code::DuplicateKey, key.place, message);
                if self.found.len() < FOUND_MAX {
                    self.found.push(twice.hint(format!("the first one is in line {line}")));
                }
            } else {
                first.insert(key.text.clone(), key.place.line);
                kept.push((key, node));
            }
        }
        kept
    }
}

/// The complaint about nesting.
pub(super) fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::new(Code::TooDeep, place, format!("nested deeper than {DEPTH_MAX} levels"))
}

/// How an unquoted scalar is read (YAML 1.2 core schema; JSON's words are a subset).
pub(super) fn kind_of(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ if is_number(text) => Kind::Number,
        _ => Kind::Plain,
    }
}

/// `-? digits (. digits)? ([eE] [-+]? digits)?`
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole) && digits(part) && digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
}

impl Node {
    /// The items of a sequence.
    pub(super) fn items(&self) -> Option<&[Rc<Node>]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            Value::Scalar(..) | Value::Map(_) => None,
        }
    }

    /// The value of a key of a map.
    pub(super) fn field(&self, name: &str) -> Option<&Rc<Node>> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(key, _)| &*key.text == name).map(|(_, node)| node),
            Value::Scalar(..) | Value::Sequence(_) => None,
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, _) => Some(text),
            Value::Sequence(_) | Value::Map(_) => None,
        }
    }
}

/// Where `containerDefinitions[0].memory` stands below a node; as far as the path goes.
pub(super) fn find(node: &Node, path: &str) -> Place {
    at(node, path).place
}

/// Where the last key of a path stands, or its value where it is none.
pub(super) fn find_key(node: &Node, path: &str) -> Place {
    let (above, last) = path.rsplit_once('.').unwrap_or(("", path));
    match &at(node, above).value {
        Value::Map(entries) => {
            let key = entries.iter().find(|(key, _)| &*key.text == last).map(|(key, _)| key.place);
            key.unwrap_or_else(|| find(node, path))
        }
        Value::Scalar(..) | Value::Sequence(_) => find(node, path),
    }
}

/// What stands at a path below a node; as far as the path goes. A key may hold dots itself: the longest
/// one that the path goes on with is meant.
pub(super) fn at<'a>(node: &'a Node, path: &str) -> &'a Node {
    let (mut at, mut rest) = (node, path);
    loop {
        rest = rest.trim_start_matches(['.', '[', ']']);
        let Some((next, behind)) = step(at, rest) else { return at };
        (at, rest) = (next, behind);
    }
}

/// One step along a path, and what is left of it.
fn step<'a, 'p>(node: &'a Node, path: &'p str) -> Option<(&'a Node, &'p str)> {
    let behind = |key: &str| {
        path.strip_prefix(key).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[', ']']))
    };
    match &node.value {
        Value::Map(entries) => {
            let on_the_way =
                entries.iter().filter(|(key, _)| !key.text.is_empty() && behind(&key.text).is_some());
            let (key, next) = on_the_way.max_by_key(|(key, _)| key.text.len())?;
            Some((next, behind(&key.text)?))
        }
        Value::Sequence(items) => {
            let digits = path.find(['.', '[', ']']).map_or(path, |end| &path[..end]);
            Some((items.get(digits.parse::<usize>().ok()?)?, &path[digits.len()..]))
        }
        Value::Scalar(..) => None,
    }
}

/// The same value without places.
pub(super) fn to_json(node: &Node) -> serde_json::Value {
    use serde_json::Value as Json;
    match &node.value {
        Value::Scalar(_, Kind::Null) => Json::Null,
        Value::Scalar(_, Kind::Bool(value)) => Json::Bool(*value),
        Value::Scalar(text, Kind::Number) => {
            serde_json::from_str(text).unwrap_or_else(|_| Json::from(&**text))
        }
        Value::Scalar(text, Kind::Plain | Kind::Quoted) => Json::from(&**text),
        Value::Sequence(items) => items.iter().map(|item| to_json(item)).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.text.to_string(), to_json(value))).collect())
        }
    }
}
