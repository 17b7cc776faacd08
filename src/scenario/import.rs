//! Genuine ECS request files, read for one platform.
//!
//! A file is a list of `{ "operation", "input" }` in call order. For each platform the launch type,
//! the capacity provider strategy and the platform version are replaced, and `requiresCompatibilities`
//! is set; every other field stays. Each kind of replacement is noted once. Opens no file.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::codes::Code;
use super::decode::wanted_words;
use super::diagnostic::{Diagnostic, Place, Severity, Source, nearest, quoted, sort, suggestion};
use super::json;
use super::schema::LaunchType;
use super::tree::{self, Node};
use crate::catalog::fargate;
use crate::control::ecs::api::{
    self, ApiError, CreateCluster, CreateService, DeleteCluster, ErrorKind, RegisterTaskDefinition, Request,
    RunTask, StartTask,
};
use crate::control::ecs::query::{Expression, Problem};
use crate::control::ecs::task_definition::{Rules, all_errors};
use crate::control::kubernetes::api as kubernetes;

/// A request that is understood, and where it stands.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) at: Origin,
    pub(super) request: Understood,
}

/// The requests that are understood.
#[derive(Debug)]
pub(super) enum Understood {
    Register(Box<RegisterTaskDefinition>),
    CreateCluster(CreateCluster),
    DeleteCluster(DeleteCluster),
    CreateService(Box<CreateService>),
    RunTask(Box<RunTask>),
    StartTask(Box<StartTask>),
}

/// What a platform replaces in the requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replaced<'a> {
    /// Where tasks run.
    pub(super) launch_type: LaunchType,
    /// `placementStrategy`, if the platform says one.
    pub(super) strategy: Option<&'a Value>,
}

/// Where a request stands, and how to find its fields.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    place: Place,
    node: Option<Rc<Node>>,
}

impl Origin {
    /// A request inside another document, whose fields have no places of their own.
    pub(super) const fn inline(place: Place) -> Self {
        Origin { place, node: None }
    }

    /// A document whose fields have places.
    pub(super) fn of(node: &Rc<Node>) -> Self {
        Origin { place: node.place, node: Some(Rc::clone(node)) }
    }

    /// Where a field stands, or the nearest thing around it that does.
    pub(super) fn find(&self, path: &str) -> Place {
        self.node.as_ref().map_or(self.place, |node| tree::find(node, path))
    }

    /// A refusal of the API, at its field.
    pub(super) fn refusal(&self, error: &ApiError) -> Diagnostic {
        let path = if error.path.is_empty() { String::new() } else { format!("{}: ", error.path) };
        let refused = |code: Code, place: Place, message: &str| {
            let message = format!("{path}{}", message.trim_end_matches('.'));
            Diagnostic::new(code, place, message).label(error.kind.as_str())
        };
        let place = self.find(&error.path);
        if let Some((code, message, hint)) = shape_mistake(&error.message) {
            return Diagnostic { hint, ..refused(code, place, &message) };
        }
        if error.path.ends_with("expression") {
            return self.expression(&error.path, refused(Code::QuerySyntax, place, &error.message));
        }
        let code = code_of(error);
        let hint = match code {
            Code::FargateSize => self.larger_size(),
            Code::UnknownKey => near_field(&error.path),
            _ => None,
        };
        let place = match (code, &self.node) {
            (Code::UnknownKey, Some(node)) => tree::find_key(node, &error.path),
            _ => place,
        };
        Diagnostic { hint, ..refused(code, place, &error.message) }
    }

    /// A refusal of the Kubernetes API, at its field.
    pub(super) fn object_refusal(&self, error: &kubernetes::ApiError) -> Diagnostic {
        let path = if error.path.is_empty() { String::new() } else { format!("{}: ", error.path) };
        let (code, message, hint) =
            shape_mistake(&error.message).unwrap_or((Code::ObjectRule, error.message.clone(), None));
        let wrong = Diagnostic::new(code, self.find(&error.path), format!("{path}{message}"));
        // A hint of one word is the nearest word that is known.
        let near =
            |hint: &String| if hint.contains(' ') { hint.clone() } else { format!("did you mean {hint:?}?") };
        Diagnostic { hint: error.hint.as_ref().map(near).or(hint), ..wrong }
    }

    /// Where the key of a field stands, or the nearest thing around it that does.
    pub(super) fn find_key(&self, path: &str) -> Place {
        self.node.as_ref().map_or(self.place, |node| tree::find_key(node, path))
    }

    /// A refusal of an expression, at the place in it that is wrong.
    fn expression(&self, path: &str, refused: Diagnostic) -> Diagnostic {
        let node = self.node.as_ref().map(|node| tree::at(node, path));
        let Some(text) = node.and_then(Node::text) else { return refused };
        let Err(error) = Expression::parse(text) else { return refused };
        let (code, hint) = expression_mistake(&error.what);
        // Behind the quote, as long as no escape stands before the mistake.
        let place = refused.place;
        let before = text.get(..error.at).unwrap_or_default();
        let written = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let plain = !before.contains(['"', '\\']) && !before.chars().any(char::is_control);
        let start = place.start.saturating_add(1 + written(error.at)).min(place.end.saturating_sub(1));
        let place = if plain && place.line > 0 {
            let column = place.column.saturating_add(1 + written(before.chars().count()));
            Place { column, start, end: start, ..place }
        } else {
            place
        };
        Diagnostic { code, place, hint, ..refused }
    }

    /// The next larger size that Fargate sells, for a task definition with a size.
    fn larger_size(&self) -> Option<String> {
        let node = self.node.as_ref()?;
        let amount = |field: &str| node.field(field)?.text()?.parse::<u32>().ok();
        let (cpu, memory) = (amount("cpu")?, amount("memory")?);
        let larger =
            fargate::sizes().iter().find(|size| size.cpu_units >= cpu && size.memory_mib >= memory)?;
        Some(format!("write \"cpu\": \"{}\", \"memory\": \"{}\"", larger.cpu_units, larger.memory_mib))
    }
}

/// Every complaint about a request file by itself: what it says about where tasks run stays, and what it
/// refers to in other files is not looked for.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for call in requests(source, None, &mut found) {
        if let Understood::Register(request) = &call.request {
            found.extend(all_errors(request, &Rules::default()).iter().map(|error| call.at.refusal(error)));
        }
    }
    sort(&mut found);
    found
}

/// The requests of one file, for one platform; none leaves them as they are.
pub(super) fn requests(
    source: &Source,
    replaced: Option<Replaced<'_>>,
    found: &mut Vec<Diagnostic>,
) -> Vec<Call> {
    if let Some(fault) = source.fault() {
        found.push(fault);
        return Vec::new();
    }
    let (root, faults) = json::parse(source);
    found.extend(faults);
    let Some(root) = root else { return Vec::new() };
    let Some(entries) = root.items() else {
        let wrong = Diagnostic::new(Code::WrongType, root.place, "a request file is a list of requests");
        found.push(wrong.hint("write [ { \"operation\": \"CreateService\", \"input\": { ... } }, ... ]"));
        return Vec::new();
    };
    entries.iter().filter_map(|entry| request(entry, replaced, found)).collect()
}

fn request(entry: &Rc<Node>, replaced: Option<Replaced<'_>>, found: &mut Vec<Diagnostic>) -> Option<Call> {
    let (Some(operation), Some(input)) = (entry.field("operation"), entry.field("input")) else {
        let message = "a request has an \"operation\" and an \"input\"";
        found.push(Diagnostic::new(Code::RequestKind, entry.place, message));
        return None;
    };
    let at = Origin::of(input);
    let document = tree::to_json(input);
    let name = operation.text().unwrap_or_default();
    if !OPERATIONS.contains(&name) {
        found.push(unknown_operation(name, operation.place));
        return None;
    }
    let request = understand(name, document, &at, replaced, found)?;
    Some(Call { at, request })
}

/// The operations that are understood.
const OPERATIONS: &[&str] =
    &["RegisterTaskDefinition", "CreateService", "RunTask", "StartTask", "CreateCluster", "DeleteCluster"];

/// Valid operations that have no effect here.
const PASSED_OVER: &[(&str, &str)] = &[
    ("CreateCapacityProvider", "tasks run on the launch type that the platform states"),
    ("PutClusterCapacityProviders", "tasks run on the launch type that the platform states"),
    ("PutAccountSettingDefault", "account settings stand in the scenario"),
    ("PutAccountSetting", "account settings stand in the scenario"),
    ("RegisterScalableTarget", "services keep their desired count"),
    ("PutScalingPolicy", "services keep their desired count"),
    ("PutRule", "schedules stand in the scenario as arrivals"),
    ("PutTargets", "schedules stand in the scenario as arrivals"),
    ("CreateTaskSet", "task sets of external controllers are not run"),
    ("UpdateTaskProtection", "no task is protected from scale-in"),
];

fn unknown_operation(name: &str, place: Place) -> Diagnostic {
    if let Some((_, instead)) = PASSED_OVER.iter().find(|(known, _)| *known == name) {
        return Diagnostic::new(Code::Unmodelled, place, format!("{name} is not modelled: {instead}"));
    }
    let wrong =
        Diagnostic::new(Code::RequestKind, place, format!("{name:?} is no request that can be simulated"));
    match suggestion(name, OPERATIONS) {
        Some(suggestion) => wrong.hint(suggestion),
        None => wrong.hint(format!("known are {}", OPERATIONS.join(", "))),
    }
}

/// Reads a RunTask request that stands in the scenario itself.
pub(super) fn inline_run_task(
    document: Value,
    at: &Origin,
    replaced: Replaced<'_>,
    found: &mut Vec<Diagnostic>,
) -> Option<RunTask> {
    match understand("RunTask", document, at, Some(replaced), found)? {
        Understood::RunTask(request) => Some(*request),
        Understood::Register(_)
        | Understood::CreateCluster(_)
        | Understood::DeleteCluster(_)
        | Understood::CreateService(_)
        | Understood::StartTask(_) => unreachable!("a RunTask document becomes a RunTask request"),
    }
}

/// Reads a request of one of [`OPERATIONS`]; none when it is wrong.
fn understand(
    operation: &str,
    mut document: Value,
    at: &Origin,
    replaced: Option<Replaced<'_>>,
    found: &mut Vec<Diagnostic>,
) -> Option<Understood> {
    if let (Value::Object(fields), Some(replaced)) = (&mut document, replaced) {
        replace(operation, fields, at, replaced, found);
    }
    match operation {
        "RegisterTaskDefinition" => read(&document, at, found).map(|r| Understood::Register(Box::new(r))),
        "CreateCluster" => read(&document, at, found).map(Understood::CreateCluster),
        "DeleteCluster" => read(&document, at, found).map(Understood::DeleteCluster),
        "CreateService" => read(&document, at, found).map(|r| Understood::CreateService(Box::new(r))),
        "RunTask" => read(&document, at, found).map(|r| Understood::RunTask(Box::new(r))),
        "StartTask" => read(&document, at, found).map(|r| Understood::StartTask(Box::new(r))),
        _ => unreachable!("only known operations are read"),
    }
}

fn read<R: Request>(document: &Value, at: &Origin, found: &mut Vec<Diagnostic>) -> Option<R> {
    match api::read::<R>(document) {
        Ok(read) => {
            for warning in &read.warnings {
                let message = format!("{} is not modelled: {}", warning.path, warning.instead);
                found.push(Diagnostic::new(Code::Unmodelled, at.find(&warning.path), message));
            }
            Some(read.request)
        }
        Err(errors) => {
            found.extend(errors.iter().map(|error| at.refusal(error)));
            None
        }
    }
}

/// Replaces what says where tasks run; each change is noted at its field.
fn replace(
    operation: &str,
    fields: &mut Map<String, Value>,
    at: &Origin,
    replaced: Replaced<'_>,
    found: &mut Vec<Diagnostic>,
) {
    let word = match replaced.launch_type {
        LaunchType::Ec2 => "EC2",
        LaunchType::Fargate => "FARGATE",
    };
    let mut note = |field: &str, message: String| {
        let noted = |each: &Diagnostic| each.code == Code::Replaced && each.message == message;
        if !found.iter().any(noted) {
            let replaced = Diagnostic::new(Code::Replaced, at.find(field), message);
            found.push(Diagnostic { severity: Severity::Note, ..replaced });
        }
    };
    let mut set = |fields: &mut Map<String, Value>, field: &str, value: Value| {
        // A field that says nothing is filled in without a word: nothing of what was written changes.
        if fields.get(field).is_some_and(|stated| *stated != value) {
            note(field, format!("{field} is set to {value} for this platform"));
        }
        fields.insert(field.to_owned(), value);
    };
    match operation {
        "RegisterTaskDefinition" => set(fields, "requiresCompatibilities", Value::from(vec![word])),
        "CreateService" | "RunTask" => {
            set(fields, "launchType", Value::from(word));
            if let Some(strategy) = replaced.strategy {
                set(fields, "placementStrategy", strategy.clone());
            }
            for field in ["capacityProviderStrategy", "platformVersion"] {
                if fields.remove(field).is_some() {
                    note(field, format!("{field} is left out for this platform"));
                }
            }
        }
        _ => {}
    }
}

/// A value of a wrong kind, said in the words of this project instead of those of the JSON reader.
fn shape_mistake(message: &str) -> Option<(Code, String, Option<String>)> {
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        let (word, known) = rest.split_once("`, expected ")?;
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        return Some((
            Code::UnknownChoice,
            format!("unknown word {}", quoted(word)),
            suggestion(word, &known),
        ));
    }
    let (code, rest) = match (message.strip_prefix("invalid type: "), message.strip_prefix("invalid value: "))
    {
        (Some(rest), _) => (Code::WrongType, rest),
        (None, Some(rest)) => (Code::WrongValue, rest),
        (None, None) => {
            let key = message.strip_prefix("missing field `")?.strip_suffix('`')?;
            return Some((Code::MissingKey, format!("the key {} is missing", quoted(key)), None));
        }
    };
    let (found, wanted) = rest.rsplit_once(", expected ")?;
    let (kind, value) = found.split_once(' ').unwrap_or((found, ""));
    let found = match kind {
        "string" => format!("the text {value}"),
        "integer" | "boolean" => value.trim_matches('`').to_owned(),
        "floating" => value.trim_start_matches("point ").trim_matches('`').to_owned(),
        "null" => String::from("nothing"),
        "map" => String::from("a map"),
        "sequence" => String::from("a list"),
        _ => found.to_owned(),
    };
    Some((code, format!("{} is wanted, found {found}", wanted_words(wanted)), None))
}

/// The field that was probably meant: the API's fields go by few words, wherever they stand.
fn near_field(path: &str) -> Option<String> {
    let word = path.rsplit(['.', ']']).next()?;
    let near = nearest(word, FIELDS)?;
    (near != word).then(|| format!("did you mean {}?", quoted(near)))
}

/// Fields that requests often have, for hints only.
const FIELDS: &[&str] = &[
    "assignPublicIp",
    "awsvpcConfiguration",
    "base",
    "capacityProviderStrategy",
    "cluster",
    "clusterName",
    "command",
    "condition",
    "containerDefinitions",
    "containerName",
    "containerPath",
    "containerPort",
    "count",
    "cpu",
    "cpuArchitecture",
    "dependsOn",
    "deploymentConfiguration",
    "desiredCount",
    "entryPoint",
    "environment",
    "ephemeralStorage",
    "essential",
    "executionRoleArn",
    "expression",
    "family",
    "field",
    "group",
    "healthCheck",
    "healthCheckGracePeriodSeconds",
    "host",
    "hostPort",
    "image",
    "interval",
    "launchType",
    "linuxParameters",
    "loadBalancers",
    "logConfiguration",
    "maximumPercent",
    "memory",
    "memoryReservation",
    "minimumHealthyPercent",
    "mountPoints",
    "name",
    "networkConfiguration",
    "networkMode",
    "operatingSystemFamily",
    "overrides",
    "placementConstraints",
    "placementStrategy",
    "platformVersion",
    "portMappings",
    "privileged",
    "protocol",
    "readOnly",
    "requiresCompatibilities",
    "resourceRequirements",
    "restartPolicy",
    "retries",
    "runtimePlatform",
    "schedulingStrategy",
    "secrets",
    "securityGroups",
    "serviceName",
    "sizeInGiB",
    "sourceVolume",
    "startPeriod",
    "startTimeout",
    "stopTimeout",
    "subnets",
    "tags",
    "taskDefinition",
    "taskRoleArn",
    "timeout",
    "type",
    "ulimits",
    "user",
    "value",
    "volumes",
    "volumesFrom",
    "weight",
];

/// The code of a mistake in an expression, and how to mend it.
fn expression_mistake(what: &Problem) -> (Code, Option<String>) {
    const SUBJECTS: &[&str] = &[
        "agentConnected",
        "agentVersion",
        "attribute:",
        "ec2InstanceId",
        "registeredAt",
        "runningTasksCount",
        "task:group",
    ];
    const OPERATORS: &[&str] =
        &["==", "!=", ">=", "<=", ">", "<", "=~", "!~", "in", "!in", "exists", "!exists"];
    match what {
        Problem::TooLong => (Code::QueryTooLong, None),
        Problem::SubjectUnknown(word) => (Code::QuerySubject, suggestion(word, SUBJECTS)),
        Problem::SubjectExpected => (Code::QuerySubject, Some(format!("known: {}", SUBJECTS.join(", ")))),
        Problem::OperatorUnknown(word) if &**word == "=" => {
            (Code::QueryOperator, Some(String::from("equality is written ==")))
        }
        Problem::OperatorUnknown(_) | Problem::OperatorExpected => {
            (Code::QueryOperator, Some(format!("known: {}", OPERATORS.join(", "))))
        }
        Problem::OperatorRefused { .. } => (Code::QueryOperator, None),
        Problem::PatternLooksAround
        | Problem::PatternAmbiguous
        | Problem::PatternTooLarge
        | Problem::PatternBroken(_) => (Code::QueryPattern, None),
        Problem::TooDeep
        | Problem::AttributeName
        | Problem::ArgumentExpected
        | Problem::ListRefused
        | Problem::ListExpected
        | Problem::ListOpen
        | Problem::QuoteOpen
        | Problem::QuoteFollowed
        | Problem::ParenthesisOpen
        | Problem::ParenthesisClosed
        | Problem::ConnectiveExpected
        | Problem::NotBoolean
        | Problem::NotVersion
        | Problem::NotDate
        | Problem::NotCount => (Code::QuerySyntax, None),
    }
}

/// The code under which a refusal of the API is explained.
fn code_of(error: &ApiError) -> Code {
    let has = |part: &str| error.path.contains(part);
    if error.message == "Unknown parameter in input." {
        Code::UnknownKey
    } else if error.message.starts_with("No Fargate configuration")
        || error.message.starts_with("Invalid 'cpu'")
    {
        Code::FargateSize
    } else if has("dependsOn") {
        if error.message.contains("cycl") || error.message.contains("circular") {
            Code::DependencyCycle
        } else {
            Code::UnknownDependency
        }
    } else if has("expression") {
        Code::QuerySyntax
    } else if error.message.contains("FARGATE") || error.message.contains("Fargate") {
        Code::FargateField
    } else if has("mountPoints") || has("volumes") {
        Code::VolumeReference
    } else if has("Port") || has("portMappings") {
        Code::PortConflict
    } else if has("networkMode") || has("networkConfiguration") {
        Code::NetworkMode
    } else if has("memory") || has("cpu") {
        Code::MemoryRule
    } else if error.message.ends_with("is not one of the cluster's.") {
        Code::UnknownCapacityProvider
    } else if has("deploymentConfiguration") && error.message.contains("not below minimumHealthyPercent") {
        Code::CapacityBounds
    } else if has("placementStrategy") || has("capacityProviderStrategy") {
        Code::StrategyRule
    } else if error.path == "containerDefinitions" {
        Code::NoContainers
    } else if error.path.ends_with("name") {
        Code::ContainerName
    } else if has("taskDefinition") {
        Code::UnknownFamily
    } else if has("cluster") && error.kind == ErrorKind::ClusterNotFoundException {
        Code::UnknownCluster
    } else {
        Code::RequestRule
    }
}
