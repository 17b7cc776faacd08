//! `RunTask` and `StartTask` (section 8.1).

use serde::Deserialize;
use serde_json::Value;

use super::cluster::{self, Cluster};
use super::common::{
    LaunchType, List, NetworkConfiguration, PlacementConstraint, PlacementStrategy, ProviderShare, Tag,
    tag_errors,
};
use super::error::ApiError;
use super::placing::{self, Known, Wish};
use super::read::{Operation, Request};
use super::volume::VolumeConfiguration;
use crate::base::{Name, Row, Symbols};
use crate::control::ecs::objects::{Definitions, Placing, TaskDefinition, TaskRequest};
use crate::mark;

/// The request for tasks that run wherever they fit.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RunTask {
    /// The length of `overrides` as JSON in characters; no field of the request.
    #[serde(skip)]
    pub overrides_length: usize,
    /// Name or ARN; absent is `default`.
    pub cluster: Option<String>,
    /// `FAMILY`, `FAMILY:REVISION` or an ARN.
    pub task_definition: Option<String>,
    /// 1 to 10; absent is 1.
    pub count: Option<i32>,
    /// Instead of a strategy.
    pub launch_type: Option<LaunchType>,
    /// Instead of a launch type.
    pub capacity_provider_strategy: List<ProviderShare>,
    /// On Fargate.
    pub platform_version: Option<String>,
    /// For awsvpc tasks.
    pub network_configuration: Option<NetworkConfiguration>,
    /// Up to 10, with those of the task definition.
    pub placement_constraints: List<PlacementConstraint>,
    /// Up to 5.
    pub placement_strategy: List<PlacementStrategy>,
    /// The task group; absent is `family:FAMILY`.
    pub group: Option<String>,
    /// Up to 128 characters.
    pub started_by: Option<String>,
    /// Up to 64 characters.
    pub client_token: Option<String>,
    /// Up to 50.
    pub tags: List<Tag>,
    /// For the volume that the task definition leaves open (TD-51).
    pub volume_configurations: List<VolumeConfiguration>,
}

/// The request for one task on each of some given instances.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StartTask {
    /// The length of `overrides` as JSON in characters; no field of the request.
    #[serde(skip)]
    pub overrides_length: usize,
    /// Name or ARN; absent is `default`.
    pub cluster: Option<String>,
    /// `FAMILY`, `FAMILY:REVISION` or an ARN.
    pub task_definition: Option<String>,
    /// 1 to 10 instances, `POOL-NUMBER` or an ARN that ends in it.
    pub container_instances: List<String>,
    /// For awsvpc tasks.
    pub network_configuration: Option<NetworkConfiguration>,
    /// The task group; absent is `family:FAMILY`.
    pub group: Option<String>,
    /// Up to 36 characters.
    pub started_by: Option<String>,
    /// Up to 50.
    pub tags: List<Tag>,
    /// For the volume that the task definition leaves open (TD-51).
    pub volume_configurations: List<VolumeConfiguration>,
}

impl Request for RunTask {
    const OPERATION: Operation = Operation::RunTask;

    fn measure(&mut self, document: &Value) {
        self.overrides_length = length_of_overrides(document);
    }
}

impl Request for StartTask {
    const OPERATION: Operation = Operation::StartTask;

    fn measure(&mut self, document: &Value) {
        self.overrides_length = length_of_overrides(document);
    }
}

/// Tasks per RunTask, and instances per StartTask (section 9.1).
const COUNT_MAX: u8 = 10;
const OVERRIDES_LENGTH_MAX: usize = 8192;
const RUN_STARTED_BY_LENGTH_MAX: usize = 128;
const START_STARTED_BY_LENGTH_MAX: usize = 36;
const CLIENT_TOKEN_LENGTH_MAX: usize = 64;

/// Compiles a RunTask request; its tasks are called `name` in the scenario.
///
/// # Errors
/// The first thing that is wrong with the request.
pub fn run(
    request: &RunTask,
    name: &str,
    known: &Known<'_>,
    definitions: &mut Definitions,
) -> Result<TaskRequest, ApiError> {
    mark!("RT-01");
    let cluster = cluster::find(known.clusters, request.cluster.as_deref())?;
    let count = match request.count {
        None => 1,
        Some(count) => u8::try_from(count)
            .ok()
            .filter(|count| (1..=COUNT_MAX).contains(count))
            .ok_or_else(|| ApiError::invalid("count", "count is 1 to 10."))?,
    };
    check_length("overrides", request.overrides_length, OVERRIDES_LENGTH_MAX)?;
    check_text("startedBy", request.started_by.as_deref(), RUN_STARTED_BY_LENGTH_MAX)?;
    check_text("clientToken", request.client_token.as_deref(), CLIENT_TOKEN_LENGTH_MAX)?;
    first(tag_errors(&request.tags))?;
    let row = resolve(request.task_definition.as_deref(), known)?;
    let wish = Wish {
        launch_type: request.launch_type,
        shares: &request.capacity_provider_strategy,
        platform_version: request.platform_version.as_deref(),
        constraints: &request.placement_constraints,
        strategies: &request.placement_strategy,
        network: request.network_configuration.as_ref(),
        volumes: &request.volume_configurations,
    };
    let placing = placing::compile(&wish, row, cluster, known, definitions)?;
    let group = request.group.as_deref();
    let request_of = task_request(name, row, group, (u32::from(count), placing, None), definitions);
    let client_token = request.client_token.as_deref().map(|token| definitions.symbols.intern(token));
    Ok(TaskRequest { client_token, ..request_of })
}

/// Compiles a StartTask request; its tasks are called `name` in the scenario.
///
/// # Errors
/// The first thing that is wrong with the request.
pub fn start(
    request: &StartTask,
    name: &str,
    known: &Known<'_>,
    definitions: &mut Definitions,
) -> Result<TaskRequest, ApiError> {
    let cluster = cluster::find(known.clusters, request.cluster.as_deref())?;
    let instances = &request.container_instances;
    if instances.is_empty() || instances.len() > usize::from(COUNT_MAX) {
        mark!("RT-06");
        return Err(ApiError::invalid("containerInstances", "1 to 10 container instances are required."));
    }
    check_length("overrides", request.overrides_length, OVERRIDES_LENGTH_MAX)?;
    check_text("startedBy", request.started_by.as_deref(), START_STARTED_BY_LENGTH_MAX)?;
    first(tag_errors(&request.tags))?;
    let row = resolve(request.task_definition.as_deref(), known)?;
    let placing = start_placing(request, row, cluster, known, definitions)?;
    let symbols = &mut definitions.symbols;
    let names: Result<Box<[Name]>, ApiError> = instances
        .iter()
        .enumerate()
        .map(|(index, text)| {
            instance_name(text, symbols).ok_or_else(|| {
                let path = format!("containerInstances[{index}]");
                ApiError::invalid(path, format!("There is no container instance {text}."))
            })
        })
        .collect();
    let group = request.group.as_deref();
    Ok(task_request(name, row, group, (1, placing, Some(names?)), definitions))
}

/// StartTask knows no placement and no Fargate; only its network matters.
fn start_placing(
    request: &StartTask,
    row: Row<TaskDefinition>,
    cluster: &Cluster,
    known: &Known<'_>,
    definitions: &mut Definitions,
) -> Result<Placing, ApiError> {
    mark!("RT-06");
    let wish = Wish {
        launch_type: Some(LaunchType::Ec2),
        shares: &[],
        platform_version: None,
        constraints: &[],
        strategies: &[],
        network: request.network_configuration.as_ref(),
        volumes: &request.volume_configurations,
    };
    placing::compile(&wish, row, cluster, known, definitions)
}

fn task_request(
    name: &str,
    row: Row<TaskDefinition>,
    group: Option<&str>,
    (count, placing, instances): (u32, Placing, Option<Box<[Name]>>),
    definitions: &mut Definitions,
) -> TaskRequest {
    mark!("TK-05");
    let Definitions { tasks, symbols, .. } = definitions;
    let family = || format!("family:{}", symbols.text(tasks[row.index()].family));
    let group = group.map_or_else(family, str::to_owned);
    let group = symbols.intern(&group);
    let name = symbols.intern(name);
    TaskRequest { name, task_definition: row, group, count, placing, instances, client_token: None }
}

/// `POOL-NUMBER`, or an ARN that ends in it.
fn instance_name(text: &str, symbols: &mut Symbols) -> Option<Name> {
    let last = text.rsplit_once('/').map_or(text, |(_, last)| last);
    let (pool, number) = last.rsplit_once('-')?;
    let serial = number.parse().ok()?;
    if pool.is_empty() { None } else { Some(Name { of: symbols.intern(pool), serial }) }
}

/// The revision that a request names.
pub(super) fn resolve(reference: Option<&str>, known: &Known<'_>) -> Result<Row<TaskDefinition>, ApiError> {
    match reference {
        Some(reference) => known.families.resolve(reference, known.now),
        None => Err(ApiError::invalid("taskDefinition", "A task definition is required.")),
    }
}

/// Refuses a text that is too long.
pub(super) fn check_text(path: &str, text: Option<&str>, length_max: usize) -> Result<(), ApiError> {
    check_length(path, text.unwrap_or_default().chars().count(), length_max)
}

fn check_length(path: &str, length: usize, length_max: usize) -> Result<(), ApiError> {
    if length <= length_max {
        return Ok(());
    }
    Err(ApiError::invalid(path, format!("{path} is longer than {length_max} characters.")))
}

/// The first of some errors.
pub(super) fn first(errors: Vec<ApiError>) -> Result<(), ApiError> {
    errors.into_iter().next().map_or(Ok(()), Err)
}

fn length_of_overrides(document: &Value) -> usize {
    match document.get("overrides") {
        None | Some(Value::Null) => 0,
        Some(overrides) => overrides.to_string().chars().count(),
    }
}
