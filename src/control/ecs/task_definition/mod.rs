//! Task definitions: is a request valid, and what does it mean (section 1).
//!
//! The rules are checked in the nine steps of section 1.8, a file or two per step; [`register`]
//! answers with the first failure as the API does, [`all_errors`] names them all for a person who
//! writes one. What passes is compiled into an [`objects::TaskDefinition`]. [`Families`] numbers the
//! revisions. Knows nothing of instances, services, or what a task does once it runs.

mod amounts;
mod attributes;
mod compatibility;
mod dependencies;
mod families;
mod names;
mod network;
mod required;
mod volumes;

use crate::base::{Bytes, Span, Symbols};
use crate::control::ecs::api::common::PlacementConstraint;
use crate::control::ecs::api::register::{
    Compatibility, ContainerDefinition, CpuArchitecture, NetworkMode, OperatingSystem,
    RegisterTaskDefinition, RuntimePlatform,
};
use crate::control::ecs::api::{ApiError, CONSTRAINTS_MAX};
use crate::control::ecs::objects;
use crate::control::ecs::query::{self, Expression};
use crate::mark;

pub use families::{Families, Status};

/// What may differ from one account or one machine image to another.
///
/// ```
/// use windtunnel::base::Span;
/// use windtunnel::control::ecs::task_definition::Rules;
/// assert_eq!(Rules::default().inactive_window, Span::ZERO);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The least memory of a container in MiB; 4 where Docker is older than 20.10 (TD-10).
    pub container_memory_min: i32,
    /// How long a deregistered revision can still be used (A-01).
    pub inactive_window: Span,
    /// How expressions of constraints are read (A-34 to A-36).
    pub query: query::Settings,
}

impl Default for Rules {
    fn default() -> Self {
        Rules { container_memory_min: 6, inactive_window: Span::ZERO, query: query::Settings::default() }
    }
}

/// The most a serialized definition may have (TD-05).
const DOCUMENT_BYTES_MAX: usize = 64 << 10;
/// The ephemeral storage of a Fargate task that does not ask for more.
const EPHEMERAL_GIB: i32 = 20;

/// Compiles a request into the definition with this revision.
///
/// ```
/// use windtunnel::base::{Bytes, Symbols};
/// use windtunnel::control::ecs::api::{RegisterTaskDefinition, read};
/// use windtunnel::control::ecs::task_definition::{Rules, register};
/// let web = serde_json::json!({
///     "family": "web",
///     "containerDefinitions": [
///         {"name": "nginx", "image": "nginx", "memory": 2048, "memoryReservation": 256},
///     ],
/// });
/// let request = read::<RegisterTaskDefinition>(&web).expect("well formed").request;
/// let web = register(&request, 1, &mut Symbols::default(), &Rules::default()).expect("valid");
/// assert_eq!(web.reservation.memory, Bytes::mib(256));
/// ```
///
/// # Errors
/// The first failure in the order of section 1.8.
pub fn register(
    request: &RegisterTaskDefinition,
    revision: u32,
    symbols: &mut Symbols,
    rules: &Rules,
) -> Result<objects::TaskDefinition, ApiError> {
    match all_errors(request, rules).into_iter().next() {
        Some(error) => Err(error),
        None => compile(request, revision, symbols, rules.query),
    }
}

/// Everything that is wrong with a request, in the order of section 1.8 (A-03).
pub fn all_errors(request: &RegisterTaskDefinition, rules: &Rules) -> Vec<ApiError> {
    let mut errors = Errors::default();
    mark!("1.8/1");
    required::check(request, rules.query, &mut errors);
    mark!("1.8/2");
    names::check(request, &mut errors);
    mark!("1.8/3");
    names::check_counts(request, &mut errors);
    mark!("1.8/4");
    network::check(request, &mut errors);
    mark!("1.8/5");
    amounts::check(request, rules, &mut errors);
    mark!("1.8/6");
    dependencies::check(request, &mut errors);
    mark!("1.8/7");
    volumes::check(request, &mut errors);
    mark!("1.8/8");
    compatibility::check(request, &mut errors);
    mark!("1.8/9");
    check_size(request, &mut errors);
    errors.0
}

/// The expression of a `memberOf` constraint at a path (PL-26).
pub(in crate::control::ecs) fn constraint_expression(
    text: Option<&str>,
    path: &str,
    settings: query::Settings,
) -> Result<Expression, ApiError> {
    let path = format!("{path}.expression");
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Err(ApiError::invalid(path, "memberOf needs an expression."));
    };
    match Expression::parse_with(text, settings) {
        Ok(parsed) => Ok(parsed.expression),
        Err(error) => {
            mark!("PL-26");
            Err(ApiError::invalid(path, error.to_string()))
        }
    }
}

fn check_size(request: &RegisterTaskDefinition, errors: &mut Errors) {
    if request.document_bytes > DOCUMENT_BYTES_MAX {
        mark!("TD-05");
        errors.client("", "Task definition exceeds maximum size of 64 KiB.");
    }
}

fn compile(
    request: &RegisterTaskDefinition,
    revision: u32,
    symbols: &mut Symbols,
    query: query::Settings,
) -> Result<objects::TaskDefinition, ApiError> {
    let mode = network_mode(request);
    let constraints = compile_constraints(&request.placement_constraints, query)?;
    let containers = request.container_definitions.iter();
    Ok(objects::TaskDefinition {
        family: symbols.intern(request.family.as_deref().unwrap_or_default()),
        revision,
        network_mode: mode,
        containers: containers.map(|container| compile_container(container, request, symbols)).collect(),
        reservation: amounts::reservation(request),
        required_attributes: attributes::required(request, symbols),
        constraints,
        runs_on_ec2: compatibility::runs_on_ec2(request),
        volume_at_launch: volumes::at_launch(request).map(|name| symbols.intern(name)),
        fargate: compatibility::runs_on_fargate(request).then(|| fargate_shape(request)),
    })
}

fn compile_constraints(
    wishes: &[PlacementConstraint],
    query: query::Settings,
) -> Result<Box<[Expression]>, ApiError> {
    let expressions = wishes.iter().enumerate().map(|(index, wish)| {
        let path = format!("placementConstraints[{index}]");
        constraint_expression(wish.expression.as_deref(), &path, query)
    });
    expressions.collect()
}

fn compile_container(
    container: &ContainerDefinition,
    request: &RegisterTaskDefinition,
    symbols: &mut Symbols,
) -> objects::ContainerDefinition {
    mark!("TD-15");
    let essential = is_essential(container);
    objects::ContainerDefinition {
        name: symbols.intern(container.name.as_deref().unwrap_or_default()),
        image: symbols.intern(container.image.as_deref().unwrap_or_default()),
        essential,
        depends_on: dependencies::compile(container, request),
        start_timeout: container.start_timeout.map(seconds),
        stop_timeout: container.stop_timeout.map(seconds),
        health_check: container.health_check.as_ref().map(required::health_check),
        restart_policy: container.restart_policy.as_ref().and_then(required::restart_policy),
        dynamic_ports: network::dynamic_ports(container, network_mode(request)),
    }
}

fn fargate_shape(request: &RegisterTaskDefinition) -> objects::FargateShape {
    let platform = request.runtime_platform.as_ref();
    let architecture = platform.and_then(|platform| platform.cpu_architecture);
    let size = request.ephemeral_storage.as_ref().and_then(|storage| storage.size_in_gib);
    let reservation = amounts::reservation(request);
    mark!("1.2/ephemeralStorage");
    objects::FargateShape {
        cpu: reservation.cpu,
        memory: reservation.memory,
        ephemeral: Bytes::gib(i64::from(size.unwrap_or(EPHEMERAL_GIB))),
        arm64: architecture == Some(CpuArchitecture::Arm64),
        windows: is_windows(platform),
    }
}

/// The network mode; bridge when the request does not say.
fn network_mode(request: &RegisterTaskDefinition) -> objects::NetworkMode {
    mark!("1.2/networkMode");
    match request.network_mode {
        Some(NetworkMode::None) => objects::NetworkMode::None,
        None | Some(NetworkMode::Bridge) => objects::NetworkMode::Bridge,
        Some(NetworkMode::Awsvpc) => objects::NetworkMode::Awsvpc,
        Some(NetworkMode::Host) => objects::NetworkMode::Host,
    }
}

/// Whether the exit of a container stops the task; yes when the request does not say.
fn is_essential(container: &ContainerDefinition) -> bool {
    mark!("1.3/essential");
    container.essential.unwrap_or(true)
}

fn is_windows(platform: Option<&RuntimePlatform>) -> bool {
    let family = platform.and_then(|platform| platform.operating_system_family);
    family.is_some_and(OperatingSystem::is_windows)
}

fn requires(request: &RegisterTaskDefinition, compatibility: Compatibility) -> bool {
    request.requires_compatibilities.contains(&compatibility)
}

/// Seconds of the request; what is negative was refused.
fn seconds(seconds: i32) -> Span {
    Span::seconds(u64::from(seconds.max(0).unsigned_abs()))
}

/// The containers and their paths.
fn containers(request: &RegisterTaskDefinition) -> impl Iterator<Item = (String, &ContainerDefinition)> {
    let containers = request.container_definitions.iter().enumerate();
    containers.map(|(index, container)| (format!("containerDefinitions[{index}]"), container))
}

/// The mistakes found so far.
#[derive(Default)]
struct Errors(Vec<ApiError>);

impl Errors {
    fn client(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(ApiError::client(path, message));
    }

    fn invalid(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(ApiError::invalid(path, message));
    }

    /// A required field that is absent.
    fn missing(&mut self, path: String) {
        let name = path.rsplit('.').next().unwrap_or(&path);
        let words = format!("{name} is required.");
        self.invalid(path, words);
    }
}

#[cfg(test)]
mod tests;
