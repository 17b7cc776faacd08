//! What is wrong in an object, and where.

use std::fmt;

/// A refusal of an object.
///
/// ```
/// use windtunnel::control::kubernetes::api::ApiError;
/// let error = ApiError::new("spec.priorityClassName", "no PriorityClass with name gold was found");
/// assert_eq!(error.to_string(), "spec.priorityClassName: no PriorityClass with name gold was found");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiError {
    /// The path of the field, `spec.containers[0].resources`; empty for the object as a whole.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
    /// What may help.
    pub hint: Option<String>,
}

impl ApiError {
    /// A refusal of a field.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        ApiError { path: path.into(), message: message.into(), hint: None }
    }

    /// The same, with what may help.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{separator}{}", self.path, self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl std::error::Error for ApiError {}
