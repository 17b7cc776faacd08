//! The cluster query language: which container instances an expression means (section 4.4).
//!
//! An expression is parsed once and asked often. It asks a [`Candidate`] and nobody else, so the
//! same expression serves placement, a listing filter and a test. Deliberately does not know where
//! instances come from, when it is asked (PL-25: at placement only), or what an answer leads to.
//!
//! Reading order: the tree here, `parse` for the grammar, `value` and `pattern` for arguments.

mod error;
mod parse;
mod pattern;
mod print;
#[cfg(test)]
mod tests;
mod value;
mod words;

use std::cmp::Ordering;

use crate::base::Timestamp;
use crate::mark;

pub use error::{Caution, Problem, QueryError, Warning};
use pattern::Pattern;
use value::{Moment, Version, compare_texts};

/// A parsed expression, printed as normalised text that parses to an equal expression.
///
/// ```
/// use windtunnel::control::ecs::query::Expression;
/// let parsed = Expression::parse("attribute:stack equals prod && !(task:group == db)").unwrap();
/// assert_eq!(parsed.expression.to_string(), "attribute:stack == prod and not(task:group == db)");
/// assert_eq!(Expression::parse("attribute:stack == ").unwrap_err().at, 19);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expression {
    root: Node,
    settings: Settings,
}

/// What parsing gives: the expression, and what AWS advises against in it.
///
/// ```
/// use windtunnel::control::ecs::query::Expression;
/// let parsed = Expression::parse("(attribute:gpu exists)").unwrap();
/// assert_eq!(parsed.warnings[0].at, 0);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// The expression.
    pub expression: Expression,
    /// In order of place.
    pub warnings: Vec<Warning>,
}

/// What an expression may ask of a container instance.
///
/// ```
/// use windtunnel::base::Timestamp;
/// use windtunnel::control::ecs::query::{Candidate, Expression};
/// struct Idle;
/// impl Candidate for Idle {
///     fn agent_connected(&self) -> bool { true }
///     fn agent_version(&self) -> &str { "1.105.1" }
///     fn ec2_instance_id(&self) -> &str { "i-0" }
///     fn registered_at(&self) -> Timestamp { Timestamp::from_nanos(0) }
///     fn running_tasks(&self) -> u32 { 0 }
///     fn runs_group_where(&self, _: &dyn Fn(&str) -> bool) -> bool { false }
///     fn attribute(&self, _: &str) -> Option<Option<&str>> { None }
/// }
/// let lazy = Expression::parse("runningTasksCount < 1 and agentVersion > 1.99").unwrap().expression;
/// assert!(lazy.matches(&Idle));
/// ```
pub trait Candidate {
    /// Whether its agent holds a session (AG-01).
    fn agent_connected(&self) -> bool;
    /// The version of its agent, dotted numbers.
    fn agent_version(&self) -> &str;
    /// The id of its EC2 instance.
    fn ec2_instance_id(&self) -> &str;
    /// When it registered.
    fn registered_at(&self) -> Timestamp;
    /// `runningTasksCount` (CI-08).
    fn running_tasks(&self) -> u32;
    /// Whether it has a task that has not stopped, of a group that is `wanted` (PL-25).
    fn runs_group_where(&self, wanted: &dyn Fn(&str) -> bool) -> bool;
    /// An attribute: none when it is absent, and an inner none when it has no value.
    fn attribute(&self, name: &str) -> Option<Option<&str>>;

    /// Whether it has a task of this group that has not stopped (PL-25); an index answers faster.
    fn runs_group(&self, group: &str) -> bool {
        self.runs_group_where(&|known| known == group)
    }
}

/// What the answer of an expression hangs on, for whoever keeps answers.
///
/// ```
/// use windtunnel::control::ecs::query::Expression;
/// let parse = |text| Expression::parse(text).unwrap().expression.depends_on();
/// assert!(parse("attribute:gpu exists").is_one_per_class());
/// assert!(parse("registeredAt < 2026-01-01").is_fixed());
/// assert!(parse("attribute:gpu exists or runningTasksCount == 0").running_tasks);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Dependence {
    /// On attributes: what instances of one class share.
    pub attributes: bool,
    /// On `ec2InstanceId` or `registeredAt`: fixed, but each instance has its own.
    pub identity: bool,
    /// On the connection or the version of the agent.
    pub agent: bool,
    /// On `runningTasksCount`.
    pub running_tasks: bool,
    /// On `task:group`.
    pub task_groups: bool,
}

/// The readings of the language that AWS has not published. An expression keeps those it was parsed
/// with.
///
/// ```
/// use windtunnel::control::ecs::query::{Expression, Settings};
/// let exact = Settings { keywords_ignore_case: false, ..Settings::default() };
/// assert!(Expression::parse("attribute:gpu EXISTS").is_ok());
/// assert!(Expression::parse_with("attribute:gpu EXISTS", exact).is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// A-34: `and` binds tighter than `or`; else both bind alike, from the left.
    pub and_before_or: bool,
    /// A-34: connectives, operators, subjects and booleans are read in any case.
    pub keywords_ignore_case: bool,
    /// A-34: a pattern must match the whole value; else a part of it will do.
    pub patterns_match_whole_value: bool,
    /// A-35: `<`, `<=`, `>`, `>=` on texts compare numbers when both sides are numbers; else they
    /// always compare texts.
    pub numeric_texts_compare_as_numbers: bool,
    /// A-36: `!in` and `!~` are false where the attribute is absent, as `!=` is; else they are true.
    pub negations_need_attribute: bool,
}

/// The published limit on the length of an expression, in characters (PL-26).
pub const CHARACTERS_MAX: usize = 2000;

/// How deep parentheses and negations may nest. Not AWS's figure: it keeps the recursion small and
/// leaves room for any expression that somebody wrote by hand.
pub const DEPTH_MAX: usize = 64;

impl Expression {
    /// Parses with the default readings.
    ///
    /// # Errors
    /// What is wrong and where: the text of an `InvalidParameterException` (PL-26).
    pub fn parse(text: &str) -> Result<Parsed, QueryError> {
        Expression::parse_with(text, Settings::default())
    }

    /// Parses with these readings.
    ///
    /// # Errors
    /// As [`Expression::parse`].
    pub fn parse_with(text: &str, settings: Settings) -> Result<Parsed, QueryError> {
        let (root, warnings) = parse::parse(text, settings)?;
        Ok(Parsed { expression: Expression { root, settings }, warnings })
    }

    /// Whether the instance is one of those that the expression means.
    pub fn matches(&self, candidate: &impl Candidate) -> bool {
        holds(&self.root, candidate, self.settings)
    }

    /// What the answer hangs on.
    pub fn depends_on(&self) -> Dependence {
        let mut dependence = Dependence::default();
        note_dependence(&self.root, &mut dependence);
        dependence
    }
}

impl Dependence {
    /// Whether the answer for one instance never changes while its attributes do not.
    pub fn is_fixed(self) -> bool {
        !(self.agent || self.running_tasks || self.task_groups)
    }

    /// Whether one answer serves all instances with the same attributes.
    pub fn is_one_per_class(self) -> bool {
        self.is_fixed() && !self.identity
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            and_before_or: true,
            keywords_ignore_case: true,
            patterns_match_whole_value: true,
            numeric_texts_compare_as_numbers: true,
            negations_need_attribute: true,
        }
    }
}

/// An expression without its readings. `All` and `Any` hold two nodes or more, none of their own kind.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Node {
    Any(Vec<Node>),
    All(Vec<Node>),
    Not(Box<Node>),
    Is(Predicate),
}

/// One `subject operator argument`.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Predicate {
    AgentConnected(Test),
    AgentVersion(Relation, Version),
    Attribute(Box<str>, Test),
    Ec2InstanceId(Test),
    RegisteredAt(Relation, Moment),
    RunningTasksCount(Relation, u64),
    TaskGroup(Test),
}

/// What is asked of a text, and whether the answer is turned round.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Test {
    asks: Asks,
    negated: bool,
}

/// What is asked of a text, without `!`. `Compares` never holds `Equal` or `NotEqual`.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Asks {
    Exists,
    Equals(Box<str>),
    IsIn(Vec<Box<str>>),
    Matches(Pattern),
    Compares(Relation, Box<str>),
}

/// How two ordered things may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

fn holds(node: &Node, candidate: &impl Candidate, settings: Settings) -> bool {
    match node {
        Node::Any(nodes) => nodes.iter().any(|node| holds(node, candidate, settings)),
        Node::All(nodes) => nodes.iter().all(|node| holds(node, candidate, settings)),
        Node::Not(node) => !holds(node, candidate, settings),
        Node::Is(predicate) => predicate.holds(candidate, settings),
    }
}

impl Predicate {
    fn holds(&self, candidate: &impl Candidate, settings: Settings) -> bool {
        match self {
            Predicate::AgentConnected(test) => {
                test.of(if candidate.agent_connected() { "true" } else { "false" }, settings)
            }
            Predicate::AgentVersion(relation, version) => {
                relation.holds_if_known(version.compare_from(candidate.agent_version()))
            }
            Predicate::Attribute(name, test) => test.of_attribute(candidate.attribute(name), settings),
            Predicate::Ec2InstanceId(test) => test.of(candidate.ec2_instance_id(), settings),
            Predicate::RegisteredAt(relation, moment) => {
                relation.holds(Moment::second_of(candidate.registered_at()).cmp(moment))
            }
            Predicate::RunningTasksCount(relation, count) => {
                relation.holds(u64::from(candidate.running_tasks()).cmp(count))
            }
            Predicate::TaskGroup(test) => test.of_groups(candidate, settings),
        }
    }
}

impl Test {
    /// The answer for a text that is always there.
    fn of(&self, text: &str, settings: Settings) -> bool {
        self.asks.of(text, settings) != self.negated
    }

    /// The answer for an attribute. One without a value equals nothing, and so differs from anything.
    #[expect(clippy::option_option, reason = "absent, without a value, and with one are three answers")]
    fn of_attribute(&self, attribute: Option<Option<&str>>, settings: Settings) -> bool {
        mark!("PL-24");
        match (&self.asks, attribute) {
            (Asks::Exists, attribute) => attribute.is_some() != self.negated,
            (Asks::IsIn(_) | Asks::Matches(_), None) => self.negated && !settings.negations_need_attribute,
            (Asks::Equals(_) | Asks::Compares(..), None) => false,
            (_, Some(None)) => self.negated,
            (_, Some(Some(value))) => self.of(value, settings),
        }
    }

    /// The answer for the groups that run. A negation wants some group to run, and none that is
    /// meant: what `!=` is for attributes (PL-24). Only `not(...)` is true of an empty instance.
    fn of_groups(&self, candidate: &impl Candidate, settings: Settings) -> bool {
        mark!("PL-25");
        let runs_meant = match &self.asks {
            Asks::Equals(group) => candidate.runs_group(group),
            asks => candidate.runs_group_where(&|group| asks.of(group, settings)),
        };
        match (self.negated, &self.asks) {
            (false, _) => runs_meant,
            (true, Asks::Exists) => !runs_meant,
            (true, _) => !runs_meant && candidate.runs_group_where(&|_| true),
        }
    }
}

impl Asks {
    fn of(&self, text: &str, settings: Settings) -> bool {
        match self {
            Asks::Exists => true,
            Asks::Equals(value) => **value == *text,
            Asks::IsIn(values) => values.iter().any(|value| **value == *text),
            Asks::Matches(pattern) => pattern.matches(text),
            Asks::Compares(relation, value) => {
                let as_numbers = settings.numeric_texts_compare_as_numbers;
                relation.holds(compare_texts(text, value, as_numbers))
            }
        }
    }
}

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Relation::Equal => ordering.is_eq(),
            Relation::NotEqual => ordering.is_ne(),
            Relation::Greater => ordering.is_gt(),
            Relation::GreaterOrEqual => ordering.is_ge(),
            Relation::Less => ordering.is_lt(),
            Relation::LessOrEqual => ordering.is_le(),
        }
    }

    /// What cannot be ordered differs, and is neither more nor less.
    fn holds_if_known(self, ordering: Option<Ordering>) -> bool {
        ordering.map_or(self == Relation::NotEqual, |ordering| self.holds(ordering))
    }
}

fn note_dependence(node: &Node, dependence: &mut Dependence) {
    match node {
        Node::Any(nodes) | Node::All(nodes) => {
            for node in nodes {
                note_dependence(node, dependence);
            }
        }
        Node::Not(node) => note_dependence(node, dependence),
        Node::Is(predicate) => match predicate {
            Predicate::AgentConnected(_) | Predicate::AgentVersion(..) => dependence.agent = true,
            Predicate::Attribute(..) => dependence.attributes = true,
            Predicate::Ec2InstanceId(_) | Predicate::RegisteredAt(..) => dependence.identity = true,
            Predicate::RunningTasksCount(..) => dependence.running_tasks = true,
            Predicate::TaskGroup(_) => dependence.task_groups = true,
        },
    }
}
