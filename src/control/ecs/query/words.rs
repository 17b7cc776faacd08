//! The reserved words: subjects, operators, and which subject takes which operator (PL-21).
//!
//! Knows nothing of arguments.

use super::Relation;

/// What a predicate is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Subject<'a> {
    AgentConnected,
    AgentVersion,
    Attribute(&'a str),
    Ec2InstanceId,
    RegisteredAt,
    RunningTasksCount,
    TaskGroup,
}

/// What a predicate asks. `Relates` holds the six that order things.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Relates(Relation),
    Exists { negated: bool },
    In { negated: bool },
    Matches { negated: bool },
}

/// Every operator as a symbol and as a word.
pub(super) const OPERATORS: [(Operator, &str, &str); 12] = [
    (Operator::Relates(Relation::Equal), "==", "equals"),
    (Operator::Relates(Relation::NotEqual), "!=", "not_equals"),
    (Operator::Relates(Relation::GreaterOrEqual), ">=", "greater_than_equal"),
    (Operator::Relates(Relation::LessOrEqual), "<=", "less_than_equal"),
    (Operator::Relates(Relation::Greater), ">", "greater_than"),
    (Operator::Relates(Relation::Less), "<", "less_than"),
    (Operator::Matches { negated: false }, "=~", "matches"),
    (Operator::Matches { negated: true }, "!~", "not_matches"),
    (Operator::In { negated: false }, "in", "in"),
    (Operator::In { negated: true }, "!in", "not_in"),
    (Operator::Exists { negated: false }, "exists", "exists"),
    (Operator::Exists { negated: true }, "!exists", "not_exists"),
];

/// What stands before the name of an attribute.
pub(super) const ATTRIBUTE_PREFIX: &str = "attribute:";

/// The subjects that are one word.
pub(super) const PLAIN_SUBJECTS: [Subject<'static>; 6] = [
    Subject::AgentConnected,
    Subject::AgentVersion,
    Subject::Ec2InstanceId,
    Subject::RegisteredAt,
    Subject::RunningTasksCount,
    Subject::TaskGroup,
];

impl Subject<'_> {
    /// As AWS spells it, without the name of an attribute.
    pub(super) fn word(self) -> &'static str {
        match self {
            Subject::AgentConnected => "agentConnected",
            Subject::AgentVersion => "agentVersion",
            Subject::Attribute(_) => "attribute",
            Subject::Ec2InstanceId => "ec2InstanceId",
            Subject::RegisteredAt => "registeredAt",
            Subject::RunningTasksCount => "runningTasksCount",
            Subject::TaskGroup => "task:group",
        }
    }

    /// Whether it takes this operator (PL-21).
    pub(super) fn takes(self, operator: Operator) -> bool {
        match self {
            Subject::Attribute(_) | Subject::TaskGroup => true,
            Subject::AgentConnected | Subject::Ec2InstanceId => match operator {
                Operator::Relates(relation) => {
                    matches!(relation, Relation::Equal | Relation::NotEqual)
                }
                Operator::In { .. } | Operator::Matches { .. } => true,
                Operator::Exists { .. } => false,
            },
            Subject::AgentVersion | Subject::RegisteredAt | Subject::RunningTasksCount => {
                matches!(operator, Operator::Relates(_))
            }
        }
    }
}

impl Operator {
    /// As a symbol.
    pub(super) fn symbol(self) -> &'static str {
        let row = OPERATORS.iter().find(|(operator, ..)| *operator == self);
        row.expect("every operator has a row").1
    }
}
