//! From a JSON document to a request, with the place of every mistake and the name of every field
//! that has no effect.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::ApiError;
use super::unmodelled;

/// The operations whose requests are understood.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operation {
    /// A new revision of a task definition.
    RegisterTaskDefinition,
    /// Tasks, wherever they fit.
    RunTask,
    /// Tasks on given instances.
    StartTask,
    /// A cluster.
    CreateCluster,
    /// A service.
    CreateService,
    /// The end of a cluster.
    DeleteCluster,
}

/// A request of one operation.
pub trait Request: DeserializeOwned {
    /// Which operation.
    const OPERATION: Operation;

    /// Notes what the document alone can tell: how long it, or a part that is not modelled, is.
    fn measure(&mut self, _document: &Value) {}
}

/// A request, and what in its document has no effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Read<R> {
    /// What was asked.
    pub request: R,
    /// The valid fields that were passed over, in the order of the document.
    pub warnings: Vec<Warning>,
}

/// A valid field that the simulator passes over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    /// Its path in the document, `containerDefinitions[0].environment`.
    pub path: String,
    /// What the simulator does instead.
    pub instead: &'static str,
}

/// Reads a request.
///
/// ```
/// use windtunnel::control::ecs::api::{RunTask, read};
/// let document = serde_json::json!({"taskDefinition": "web", "propagateTags": "NONE"});
/// let run = read::<RunTask>(&document).expect("it is well formed");
/// assert_eq!(run.request.task_definition.as_deref(), Some("web"));
/// assert_eq!(run.warnings[0].path, "propagateTags");
/// ```
///
/// # Errors
/// The first value of a wrong type, or else every field that the API does not know.
pub fn read<R: Request>(document: &Value) -> Result<Read<R>, Vec<ApiError>> {
    if !document.is_object() {
        return Err(vec![ApiError::invalid("", "A request is an object.")]);
    }
    let mut ignored = Vec::new();
    let mut note = |path: serde_ignored::Path<'_>| ignored.push(spell(&path));
    let mut track = serde_path_to_error::Track::new();
    let inner = serde_ignored::Deserializer::new(document, &mut note);
    let read = R::deserialize(serde_path_to_error::Deserializer::new(inner, &mut track));
    let mut request = match read {
        Ok(request) => request,
        Err(error) => {
            return Err(vec![ApiError::invalid(track.path().to_string(), error.to_string())]);
        }
    };
    request.measure(document);
    let warnings = explain(R::OPERATION, ignored)?;
    Ok(Read { request, warnings })
}

fn explain(operation: Operation, ignored: Vec<String>) -> Result<Vec<Warning>, Vec<ApiError>> {
    let mut warnings = Vec::new();
    let mut unknown = Vec::new();
    for path in ignored {
        match unmodelled::find(operation, &unmodelled::pattern(&path)) {
            Some(row) => warnings.push(Warning { path, instead: row.instead }),
            None => unknown.push(ApiError::invalid(path, "Unknown parameter in input.")),
        }
    }
    if unknown.is_empty() { Ok(warnings) } else { Err(unknown) }
}

/// A path as people write it, `volumes[0].name`.
fn spell(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", spell(parent)),
        Path::Map { parent, key } => match spell(parent) {
            before if before.is_empty() => key.clone(),
            before => format!("{before}.{key}"),
        },
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            spell(parent)
        }
    }
}

impl Operation {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operation::RegisterTaskDefinition => "RegisterTaskDefinition",
            Operation::RunTask => "RunTask",
            Operation::StartTask => "StartTask",
            Operation::CreateCluster => "CreateCluster",
            Operation::CreateService => "CreateService",
            Operation::DeleteCluster => "DeleteCluster",
        }
    }
}
