//! The cluster query language (placeholder for the grammar of section 4.4).

/// A parsed expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expression;
