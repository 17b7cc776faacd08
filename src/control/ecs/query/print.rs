//! Normalised text of an expression: symbols for operators, words for connectives, no parentheses
//! that change nothing, quotes only where needed.
//!
//! Knows the grammar from the other side than `parse`; a property test holds the two together.

use std::fmt;

use super::parse::{bare_length, is_quote};
use super::words::{ATTRIBUTE_PREFIX, Operator, Subject};
use super::{Asks, Expression, Node, Predicate, Relation, Test};

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_node(f, &self.root, self.settings.and_before_or)
    }
}

fn write_node(f: &mut fmt::Formatter<'_>, node: &Node, and_before_or: bool) -> fmt::Result {
    match node {
        Node::Any(nodes) => write_joined(f, nodes, " or ", and_before_or),
        Node::All(nodes) => write_joined(f, nodes, " and ", and_before_or),
        Node::Not(node) => {
            f.write_str("not(")?;
            write_node(f, node, and_before_or)?;
            f.write_str(")")
        }
        Node::Is(predicate) => write_predicate(f, predicate),
    }
}

fn write_joined(
    f: &mut fmt::Formatter<'_>,
    nodes: &[Node],
    connective: &str,
    and_before_or: bool,
) -> fmt::Result {
    for (place, node) in nodes.iter().enumerate() {
        if place > 0 {
            f.write_str(connective)?;
        }
        let in_parentheses = match node {
            Node::Any(_) => true,
            Node::All(_) => !and_before_or,
            Node::Not(_) | Node::Is(_) => false,
        };
        if in_parentheses {
            f.write_str("(")?;
        }
        write_node(f, node, and_before_or)?;
        if in_parentheses {
            f.write_str(")")?;
        }
    }
    Ok(())
}

fn write_predicate(f: &mut fmt::Formatter<'_>, predicate: &Predicate) -> fmt::Result {
    match predicate {
        Predicate::AgentConnected(test) => write_test(f, Subject::AgentConnected, test),
        Predicate::AgentVersion(relation, version) => {
            write_relation(f, Subject::AgentVersion, *relation, version)
        }
        Predicate::Attribute(name, test) => write_test(f, Subject::Attribute(name), test),
        Predicate::Ec2InstanceId(test) => write_test(f, Subject::Ec2InstanceId, test),
        Predicate::RegisteredAt(relation, moment) => {
            write_relation(f, Subject::RegisteredAt, *relation, moment)
        }
        Predicate::RunningTasksCount(relation, count) => {
            write_relation(f, Subject::RunningTasksCount, *relation, count)
        }
        Predicate::TaskGroup(test) => write_test(f, Subject::TaskGroup, test),
    }
}

fn write_relation<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    subject: Subject<'_>,
    relation: Relation,
    argument: &T,
) -> fmt::Result {
    write!(f, "{} {} {argument}", subject.word(), Operator::Relates(relation).symbol())
}

fn write_test(f: &mut fmt::Formatter<'_>, subject: Subject<'_>, test: &Test) -> fmt::Result {
    match subject {
        Subject::Attribute(name) => write!(f, "{ATTRIBUTE_PREFIX}{name}")?,
        plain => f.write_str(plain.word())?,
    }
    let negated = test.negated;
    let operator = match &test.asks {
        Asks::Exists => Operator::Exists { negated },
        Asks::Equals(_) if negated => Operator::Relates(Relation::NotEqual),
        Asks::Equals(_) => Operator::Relates(Relation::Equal),
        Asks::IsIn(_) => Operator::In { negated },
        Asks::Matches(_) => Operator::Matches { negated },
        Asks::Compares(relation, _) => Operator::Relates(*relation),
    };
    write!(f, " {}{}", operator.symbol(), if test.asks == Asks::Exists { "" } else { " " })?;
    match &test.asks {
        Asks::Exists => Ok(()),
        Asks::Equals(value) | Asks::Compares(_, value) => {
            write_argument(f, value, !value.starts_with('[') && is_bare(value, false))
        }
        Asks::Matches(pattern) => write_argument(f, pattern.as_str(), is_bare(pattern.as_str(), true)),
        Asks::IsIn(values) => write_list(f, values),
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, values: &[Box<str>]) -> fmt::Result {
    for (place, value) in values.iter().enumerate() {
        f.write_str(if place == 0 { "[" } else { ", " })?;
        let is_bare = !value.is_empty()
            && value.trim() == &**value
            && !value.starts_with(is_quote)
            && !value.contains([',', ']']);
        write_argument(f, value, is_bare)?;
    }
    f.write_str("]")
}

/// Writes it bare, or in the quotes that it does not contain: what is not bare came in quotes.
fn write_argument(f: &mut fmt::Formatter<'_>, value: &str, is_bare: bool) -> fmt::Result {
    let quote = match (is_bare, value.contains('\'')) {
        (true, _) => "",
        (false, false) => "'",
        (false, true) => "\"",
    };
    write!(f, "{quote}{value}{quote}")
}

fn is_bare(value: &str, is_pattern: bool) -> bool {
    !value.is_empty() && !value.starts_with(is_quote) && bare_length(value, is_pattern) == Ok(value.len())
}
