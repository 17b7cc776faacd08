//! What the API answers to a request that it refuses.

use std::fmt;

/// A refusal, and the field it is about. The words are AWS's in substance, not to the letter (A-03).
///
/// ```
/// use windtunnel::control::ecs::api::ApiError;
/// let error = ApiError::client("containerDefinitions[0].memory", "too small");
/// assert_eq!(error.to_string(), "ClientException: too small (containerDefinitions[0].memory)");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiError {
    /// Its type.
    pub kind: ErrorKind,
    /// What is wrong.
    pub message: String,
    /// The JSON path of the offending field; empty for the request as a whole.
    pub path: String,
}

/// The error types of the ECS API that occur here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ErrorKind {
    /// The content is wrong.
    ClientException,
    /// A parameter is malformed or not allowed in this request.
    InvalidParameterException,
    /// There is no such cluster.
    ClusterNotFoundException,
    /// There is no such platform version.
    PlatformUnknownException,
    /// The platform version cannot run the task definition.
    PlatformTaskDefinitionIncompatibilityException,
    /// The same client token, other parameters (RT-02).
    ConflictException,
    /// The cluster has services (CL-03).
    ClusterContainsServicesException,
    /// The cluster has tasks (CL-03).
    ClusterContainsTasksException,
    /// The cluster has container instances (CL-03).
    ClusterContainsContainerInstancesException,
    /// Valid on AWS, but the simulator does not model it yet.
    UnsupportedFeatureException,
}

impl ApiError {
    /// A refusal of a given type.
    pub fn new(kind: ErrorKind, path: impl Into<String>, message: impl Into<String>) -> Self {
        ApiError { kind, message: message.into(), path: path.into() }
    }

    /// Wrong content.
    pub fn client(path: impl Into<String>, message: impl Into<String>) -> Self {
        ApiError::new(ErrorKind::ClientException, path, message)
    }

    /// A malformed parameter.
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        ApiError::new(ErrorKind::InvalidParameterException, path, message)
    }

    /// Something that AWS offers and the simulator does not yet.
    pub fn not_modelled(path: impl Into<String>, what: &str) -> Self {
        ApiError::new(ErrorKind::UnsupportedFeatureException, path, format!("{what} is not modelled yet."))
    }
}

impl ErrorKind {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorKind::ClientException => "ClientException",
            ErrorKind::InvalidParameterException => "InvalidParameterException",
            ErrorKind::ClusterNotFoundException => "ClusterNotFoundException",
            ErrorKind::PlatformUnknownException => "PlatformUnknownException",
            ErrorKind::PlatformTaskDefinitionIncompatibilityException => {
                "PlatformTaskDefinitionIncompatibilityException"
            }
            ErrorKind::ConflictException => "ConflictException",
            ErrorKind::ClusterContainsServicesException => "ClusterContainsServicesException",
            ErrorKind::ClusterContainsTasksException => "ClusterContainsTasksException",
            ErrorKind::ClusterContainsContainerInstancesException => {
                "ClusterContainsContainerInstancesException"
            }
            ErrorKind::UnsupportedFeatureException => "UnsupportedFeatureException",
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.message)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, " ({})", self.path) }
    }
}

impl std::error::Error for ApiError {}
