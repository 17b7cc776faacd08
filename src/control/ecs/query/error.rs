//! What can be wrong with an expression, and how it is told.
//!
//! Knows nothing of the API call that carries it: the text is what stands after
//! `InvalidParameterException: `.

use std::fmt;

/// Why an expression is refused: the message of an `InvalidParameterException` (PL-26).
///
/// ```
/// use windtunnel::control::ecs::query::Expression;
/// let error = Expression::parse("attribute:gpu exist").unwrap_err();
/// assert_eq!(error.to_string(), "Invalid expression at offset 14: unknown operator `exist`.");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueryError {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong there.
    pub what: Problem,
}

/// What is wrong at one place of an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// More characters than [`CHARACTERS_MAX`](super::CHARACTERS_MAX).
    TooLong,
    /// Nests deeper than [`DEPTH_MAX`](super::DEPTH_MAX).
    TooDeep,
    /// A subject should stand here.
    SubjectExpected,
    /// No such subject.
    SubjectUnknown(Box<str>),
    /// Not the name of an attribute (CI-21).
    AttributeName,
    /// An operator should stand here.
    OperatorExpected,
    /// No such operator.
    OperatorUnknown(Box<str>),
    /// The subject does not take this operator (PL-21).
    OperatorRefused {
        /// The subject.
        subject: &'static str,
        /// The operator, as a symbol.
        operator: &'static str,
    },
    /// An argument should stand here.
    ArgumentExpected,
    /// Only `in` and `!in` take a list.
    ListRefused,
    /// Several arguments without brackets.
    ListExpected,
    /// A list without its `]`.
    ListOpen,
    /// A quote without its end.
    QuoteOpen,
    /// Text right after the end of a quote.
    QuoteFollowed,
    /// A parenthesis without its end.
    ParenthesisOpen,
    /// A parenthesis without its start.
    ParenthesisClosed,
    /// A connective or the end should stand here.
    ConnectiveExpected,
    /// Neither `true` nor `false`.
    NotBoolean,
    /// Not dotted numbers.
    NotVersion,
    /// None of the forms of a date (PL-22).
    NotDate,
    /// Not a whole number.
    NotCount,
    /// Look-ahead or look-behind in a pattern (PL-23).
    PatternLooksAround,
    /// Syntax that means one thing in Java and another thing here.
    PatternAmbiguous,
    /// A pattern that needs too much memory.
    PatternTooLarge,
    /// A pattern that cannot be read, and why.
    PatternBroken(Box<str>),
}

/// What AWS advises against, or does not promise, at one place of an accepted expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Warning {
    /// Byte offset into the text.
    pub at: usize,
    /// What is doubtful there.
    pub what: Caution,
}

/// What is doubtful at one place of an accepted expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caution {
    /// Parentheses round a lone predicate (PL-20).
    LonePredicate,
    /// `in` or `!in` with one bare argument.
    BareList,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invalid expression at offset {}: {}.", self.at, self.what)
    }
}

impl std::error::Error for QueryError {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Problem::TooLong => {
                return write!(f, "more than {} characters", super::CHARACTERS_MAX);
            }
            Problem::TooDeep => {
                return write!(f, "nested deeper than {} levels", super::DEPTH_MAX);
            }
            Problem::SubjectUnknown(word) => return write!(f, "unknown subject `{word}`"),
            Problem::OperatorUnknown(word) => return write!(f, "unknown operator `{word}`"),
            Problem::OperatorRefused { subject, operator } => {
                return write!(f, "`{subject}` does not take the operator `{operator}`");
            }
            Problem::PatternBroken(reason) => return write!(f, "invalid pattern: {reason}"),
            Problem::SubjectExpected => "expected a subject",
            Problem::AttributeName => {
                "an attribute name has 1 to 128 letters, digits, hyphens, underscores, slashes and periods"
            }
            Problem::OperatorExpected => "expected an operator",
            Problem::ArgumentExpected => "expected an argument",
            Problem::ListRefused => "only `in` and `!in` take a list",
            Problem::ListExpected => "expected a list in brackets",
            Problem::ListOpen => "the list has no `]`",
            Problem::QuoteOpen => "the quote has no end",
            Problem::QuoteFollowed => "text directly after a quoted argument",
            Problem::ParenthesisOpen => "the parenthesis is not closed; quote an argument that contains it",
            Problem::ParenthesisClosed => "the parenthesis was not opened",
            Problem::ConnectiveExpected => "expected `and`, `or` or the end",
            Problem::NotBoolean => "expected `true` or `false`",
            Problem::NotVersion => "expected a version such as 1.105.1",
            Problem::NotDate => "expected a date such as 2018-06-18 or 2018-06-18T22:28:28Z",
            Problem::NotCount => "expected a whole number",
            Problem::PatternLooksAround => "a pattern cannot look ahead or behind",
            Problem::PatternAmbiguous => {
                "possessive quantifiers and the escapes \\< and \\> are not supported in a pattern"
            }
            Problem::PatternTooLarge => "the pattern is too large",
        };
        f.write_str(sentence)
    }
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Caution::LonePredicate => "parentheses are for compound expressions, not for a lone predicate",
            Caution::BareList => "`in` and `!in` expect a list in brackets",
        })
    }
}
