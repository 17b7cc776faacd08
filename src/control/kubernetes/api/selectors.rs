//! Selectors of the API, compiled.

use crate::base::{Symbol, Symbols};
use crate::control::kubernetes::labels::{Labels, Selector};
use crate::control::kubernetes::labels_text::{
    Comparison, Written, child, compile, invalid, list, together, unsupported,
};
use crate::control::kubernetes::objects::{NameRequirement, NodeTerm};
use crate::mark;

use super::error::ApiError;
use super::shape::{Expression, LabelSelector, NodeSelectorTerm, Pairs};

/// Labels, interned.
pub(super) fn labels(pairs: &Pairs<'_>, symbols: &mut Symbols) -> Labels {
    Labels::new(pairs.iter().map(|(key, value)| (symbols.intern(key), symbols.intern(value))))
}

/// A label selector; one that is absent selects nothing.
pub(super) fn selector(
    path: &str,
    shape: Option<&LabelSelector<'_>>,
    symbols: &mut Symbols,
) -> Result<Selector, ApiError> {
    let Some(shape) = shape else {
        mark!("K 1.4 an absent selector selects nothing, an empty one everything");
        return Ok(Selector::Nothing);
    };
    match written(shape) {
        Ok(requirements) => Ok(compile(&requirements, symbols)),
        Err(error) => Err(ApiError::new(path, error)),
    }
}

/// The requirements of a label selector, by key.
pub(super) fn written<'a>(shape: &LabelSelector<'a>) -> Result<Vec<Written<'a>>, String> {
    let mut found = Vec::with_capacity(shape.match_labels.0.len() + shape.match_expressions.len());
    for (key, value) in shape.match_labels.iter() {
        found.push(Written::new("", key, Comparison::Equals, vec![value]).map_err(together)?);
    }
    for expression in &shape.match_expressions {
        let comparison = match expression.operator {
            "In" => Comparison::In,
            "NotIn" => Comparison::NotIn,
            "Exists" => Comparison::Exists,
            "DoesNotExist" => Comparison::DoesNotExist,
            other => return Err(format!("{other:?} is not a valid label selector operator")),
        };
        let written = Written::new("", expression.key, comparison, expression.values.clone());
        found.push(written.map_err(together)?);
    }
    found.sort_by(|left, right| left.key.cmp(right.key));
    Ok(found)
}

/// A node selector term; an invalid one holds of no node, as in the original.
pub(super) fn node_term(shape: &NodeSelectorTerm<'_>, symbols: &mut Symbols) -> NodeTerm {
    let Ok((requirements, names)) = written_term("", shape) else {
        mark!("K 2.9 an invalid term holds of no node");
        return NodeTerm { labels: None, names: Box::default() };
    };
    let name = symbols.intern("");
    let mut possible = true;
    let names = names.iter().filter_map(|each| each.compile(name, &mut possible, symbols)).collect();
    let labels = requirements.iter().map(|each| each.compile(symbols)).collect();
    NodeTerm { labels: possible.then_some(labels), names }
}

/// Node selector terms.
pub(super) fn node_terms(shapes: &[NodeSelectorTerm<'_>], symbols: &mut Symbols) -> Box<[NodeTerm]> {
    shapes.iter().map(|shape| node_term(shape, symbols)).collect()
}

/// A condition on a field of a node.
pub(super) struct FieldCondition<'a> {
    key: &'a str,
    value: &'a str,
    equal: bool,
}

impl FieldCondition<'_> {
    /// Nodes have one field, their name; all others read as the empty text.
    fn compile(&self, none: Symbol, possible: &mut bool, symbols: &mut Symbols) -> Option<NameRequirement> {
        let value = symbols.intern(self.value);
        if self.key == "metadata.name" {
            let of = if self.equal { NameRequirement::In } else { NameRequirement::NotIn };
            return Some(of(value));
        }
        mark!("K 2.9 fields other than the name read as empty");
        *possible &= self.equal == (value == none);
        // A condition that always holds still makes the term one with conditions.
        (!self.equal || value == none).then_some(NameRequirement::NotIn(none))
    }
}

type Term<'a> = (Vec<Written<'a>>, Vec<FieldCondition<'a>>);

/// The conditions of a node selector term, or everything that is wrong in it.
pub(super) fn written_term<'a>(place: &str, shape: &NodeSelectorTerm<'a>) -> Result<Term<'a>, Vec<String>> {
    let mut errors = Vec::new();
    let mut requirements = Vec::new();
    for (index, expression) in shape.match_expressions.iter().enumerate() {
        let place = || child(place, &format!("matchExpressions[{index}]"));
        match node_requirement(place, expression) {
            Ok(requirement) => requirements.push(requirement),
            Err(more) => errors.extend(more),
        }
    }
    let mut fields = Vec::new();
    for (index, expression) in shape.match_fields.iter().enumerate() {
        let place = || child(place, &format!("matchFields[{index}]"));
        match field_condition(place, expression) {
            Ok(field) => fields.push(field),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok((requirements, fields)) } else { Err(errors) }
}

fn node_requirement<'a>(
    place: impl Fn() -> String,
    expression: &Expression<'a>,
) -> Result<Written<'a>, Vec<String>> {
    const KNOWN: [&str; 6] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
    let comparison = match expression.operator {
        "In" => Comparison::In,
        "NotIn" => Comparison::NotIn,
        "Exists" => Comparison::Exists,
        "DoesNotExist" => Comparison::DoesNotExist,
        "Gt" => Comparison::Gt,
        "Lt" => Comparison::Lt,
        other => return Err(vec![unsupported(&child(&place(), "operator"), other, &KNOWN)]),
    };
    let check = |place: &str| Written::new(place, expression.key, comparison, expression.values.clone());
    // The place is spelled only when it is needed.
    check("").or_else(|_| check(&place()))
}

fn field_condition<'a>(
    place: impl Fn() -> String,
    expression: &Expression<'a>,
) -> Result<FieldCondition<'a>, String> {
    let equal = match expression.operator {
        "In" => true,
        "NotIn" => false,
        other => return Err(unsupported(&child(&place(), "operator"), other, &["In", "NotIn"])),
    };
    let &[value] = expression.values.as_slice() else {
        return Err(invalid(&child(&place(), "values"), &list(&expression.values), "must have one element"));
    };
    Ok(FieldCondition { key: expression.key, value, equal })
}
