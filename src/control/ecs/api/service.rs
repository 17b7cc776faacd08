//! `CreateService` (section 5.1): REPLICA services that ECS itself deploys.

use serde::Deserialize;

use super::cluster;
use super::common::{
    LaunchType, List, NetworkConfiguration, PlacementConstraint, PlacementStrategy, ProviderShare, Tag,
    is_name, tag_errors,
};
use super::error::ApiError;
use super::placing::{self, Known, Wish};
use super::read::{Operation, Request};
use super::request::{check_text, first, resolve};
use super::volume::VolumeConfiguration;
use crate::base::{Percent, Span};
use crate::control::ecs::objects::{Definitions, Placing, ServiceDefinition};
use crate::mark;

/// The request.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CreateService {
    /// Name or ARN; absent is `default`.
    pub cluster: Option<String>,
    /// Unique in the cluster.
    pub service_name: Option<String>,
    /// `FAMILY`, `FAMILY:REVISION` or an ARN.
    pub task_definition: Option<String>,
    /// Wanted tasks.
    pub desired_count: Option<i32>,
    /// Up to 36 characters.
    pub client_token: Option<String>,
    /// Instead of a strategy.
    pub launch_type: Option<LaunchType>,
    /// Instead of a launch type.
    pub capacity_provider_strategy: List<ProviderShare>,
    /// On Fargate.
    pub platform_version: Option<String>,
    /// Absent is REPLICA.
    pub scheduling_strategy: Option<SchedulingStrategy>,
    /// How new revisions replace old ones.
    pub deployment_configuration: Option<DeploymentConfiguration>,
    /// Who replaces them.
    pub deployment_controller: Option<DeploymentController>,
    /// Up to 10, with those of the task definition.
    pub placement_constraints: List<PlacementConstraint>,
    /// Up to 5.
    pub placement_strategy: List<PlacementStrategy>,
    /// For awsvpc tasks.
    pub network_configuration: Option<NetworkConfiguration>,
    /// Seconds in which bad health does not count.
    pub health_check_grace_period_seconds: Option<i32>,
    /// Up to 50.
    pub tags: List<Tag>,
    /// For the volume that the task definition leaves open (TD-51).
    pub volume_configurations: List<VolumeConfiguration>,
}

/// `schedulingStrategy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SchedulingStrategy {
    /// A number of tasks.
    Replica,
    /// A task per instance.
    Daemon,
}

/// `deploymentConfiguration`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeploymentConfiguration {
    /// Of the desired count, at least; absent is 100.
    pub minimum_healthy_percent: Option<i32>,
    /// Of the desired count, at most; absent is 200.
    pub maximum_percent: Option<i32>,
    /// Absent is ROLLING.
    pub strategy: Option<DeploymentStrategy>,
}

/// The strategy of deployments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeploymentStrategy {
    /// Task by task.
    Rolling,
    /// All at once, next to the old ones.
    BlueGreen,
    /// In equal steps.
    Linear,
    /// A few first.
    Canary,
}

/// `deploymentController`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeploymentController {
    /// Which.
    #[serde(rename = "type")]
    pub kind: Option<ControllerKind>,
}

/// The kind of a deployment controller.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ControllerKind {
    /// ECS itself.
    Ecs,
    /// Another service of AWS.
    CodeDeploy,
    /// Somebody else.
    External,
}

impl Request for CreateService {
    const OPERATION: Operation = Operation::CreateService;
}

const CLIENT_TOKEN_LENGTH_MAX: usize = 36;
/// `minimumHealthyPercent` of a REPLICA service that does not say (section 5.3).
const HEALTHY_MIN: i32 = 100;
/// `maximumPercent` of a REPLICA service that does not say (section 5.3).
const RUNNING_MAX: i32 = 200;

/// Compiles a CreateService request.
///
/// ```
/// use std::collections::BTreeMap;
/// use serde_json::json;
/// use windtunnel::base::{Percent, Timestamp};
/// use windtunnel::control::ecs::api::{CreateCluster, CreateService, Known, cluster, read, service};
/// use windtunnel::control::ecs::objects::Definitions;
/// use windtunnel::control::ecs::task_definition::{Families, Rules};
/// let (mut definitions, mut families) = (Definitions::default(), Families::new(Rules::default()));
/// let web = json!({"family": "web", "containerDefinitions": [{"name": "a", "image": "x", "memory": 64}]});
/// families.register(&read(&web).expect("well formed").request, &mut definitions).expect("valid");
/// let clusters = [cluster::create(&CreateCluster::default()).expect("valid")];
/// let (zones, now) = (BTreeMap::new(), Timestamp::default());
/// let known = Known { clusters: &clusters, families: &families, zones: &zones, now };
/// let request = json!({"serviceName": "web", "taskDefinition": "web", "desiredCount": 3});
/// let request = read::<CreateService>(&request).expect("well formed").request;
/// let made = service::create(&request, &known, &mut definitions).expect("valid");
/// assert_eq!(made.running_max, Percent(200));
/// ```
///
/// # Errors
/// The first thing that is wrong with the request, or not modelled yet.
pub fn create(
    request: &CreateService,
    known: &Known<'_>,
    definitions: &mut Definitions,
) -> Result<ServiceDefinition, ApiError> {
    let cluster = cluster::find(known.clusters, request.cluster.as_deref())?;
    let name = request.service_name.as_deref().unwrap_or_default();
    if !is_name(name) {
        let words = "A service name has 1 to 255 letters, digits, hyphens and underscores.";
        return Err(ApiError::invalid("serviceName", words));
    }
    check_text("clientToken", request.client_token.as_deref(), CLIENT_TOKEN_LENGTH_MAX)?;
    first(tag_errors(&request.tags))?;
    check_modelled(request)?;
    let desired_count = amount(request.desired_count, "desiredCount", None)?;
    let (healthy_min, running_max) = bounds(request.deployment_configuration.as_ref())?;
    let grace = amount(request.health_check_grace_period_seconds, "healthCheckGracePeriodSeconds", Some(0))?;
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
    check_volume(&placing, definitions)?;
    let symbols = &mut definitions.symbols;
    mark!("TK-05");
    Ok(ServiceDefinition {
        name: symbols.intern(name),
        group: symbols.intern(&format!("service:{name}")),
        task_definition: row,
        placing,
        desired_count,
        healthy_min,
        running_max,
        grace: Span::seconds(u64::from(grace)),
    })
}

/// A service deletes the volumes of its tasks, whatever the request says.
fn check_volume(placing: &Placing, definitions: &Definitions) -> Result<(), ApiError> {
    if placing.volume.is_none_or(|volume| definitions[volume].deleted_with_task) {
        return Ok(());
    }
    let path = "volumeConfigurations[0].managedEBSVolume.terminationPolicy";
    Err(ApiError::invalid(path, "A service deletes the volumes of its tasks."))
}

/// Refuses the kinds of service that the simulator does not have.
fn check_modelled(request: &CreateService) -> Result<(), ApiError> {
    match request.scheduling_strategy {
        None | Some(SchedulingStrategy::Replica) => {}
        Some(SchedulingStrategy::Daemon) => {
            return Err(ApiError::not_modelled("schedulingStrategy", "The scheduling strategy DAEMON"));
        }
    }
    let path = "deploymentController.type";
    match request.deployment_controller.as_ref().and_then(|controller| controller.kind) {
        None | Some(ControllerKind::Ecs) => {}
        Some(ControllerKind::CodeDeploy) => {
            return Err(ApiError::not_modelled(path, "The deployment controller CODE_DEPLOY"));
        }
        Some(ControllerKind::External) => {
            return Err(ApiError::not_modelled(path, "The deployment controller EXTERNAL"));
        }
    }
    match request.deployment_configuration.as_ref().and_then(|configuration| configuration.strategy) {
        None | Some(DeploymentStrategy::Rolling) => Ok(()),
        Some(DeploymentStrategy::BlueGreen | DeploymentStrategy::Linear | DeploymentStrategy::Canary) => {
            let path = "deploymentConfiguration.strategy";
            Err(ApiError::not_modelled(path, "A deployment strategy other than ROLLING"))
        }
    }
}

fn bounds(configuration: Option<&DeploymentConfiguration>) -> Result<(Percent, Percent), ApiError> {
    let healthy_min = configuration.and_then(|configuration| configuration.minimum_healthy_percent);
    let running_max = configuration.and_then(|configuration| configuration.maximum_percent);
    let healthy_min =
        amount(healthy_min, "deploymentConfiguration.minimumHealthyPercent", Some(HEALTHY_MIN))?;
    let running_max = amount(running_max, "deploymentConfiguration.maximumPercent", Some(RUNNING_MAX))?;
    if running_max < 100 || healthy_min > running_max {
        let path = "deploymentConfiguration.maximumPercent";
        let words = "maximumPercent is at least 100 and not below minimumHealthyPercent.";
        return Err(ApiError::invalid(path, words));
    }
    Ok((Percent(healthy_min), Percent(running_max)))
}

/// A number that is not negative; required when there is no default.
fn amount(given: Option<i32>, path: &str, default: Option<i32>) -> Result<u32, ApiError> {
    let Some(number) = given.or(default) else {
        return Err(ApiError::invalid(path, format!("{path} is required.")));
    };
    u32::try_from(number).map_err(|_| ApiError::invalid(path, format!("{path} is not negative.")))
}
