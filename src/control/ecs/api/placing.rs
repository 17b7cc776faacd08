//! What RunTask, StartTask and CreateService say in common: where and how tasks may be placed.

use std::collections::BTreeMap;

use super::cluster::Cluster;
use super::common::{
    AwsvpcConfiguration, ConstraintKind, LaunchType, List, NetworkConfiguration, PlacementConstraint,
    PlacementStrategy, ProviderShare, StrategyKind, Switch,
};
use super::error::{ApiError, ErrorKind};
use super::volume::{self, VolumeConfiguration};
use crate::base::{Row, Symbols, Timestamp};
use crate::catalog::fargate::{self, Platform, PlatformVersion};
use crate::control::ecs::objects::{
    self, Constraint, Definitions, FargateShape, NetworkMode, Placing, Strategy, Subnet, TaskDefinition,
};
use crate::control::ecs::query;
use crate::control::ecs::task_definition::{Families, constraint_expression};
use crate::mark;

/// What a request may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The clusters.
    pub clusters: &'a [Cluster],
    /// The revisions of task definitions.
    pub families: &'a Families,
    /// The subnets, by id, and the zones they lie in.
    pub zones: &'a BTreeMap<String, String>,
    /// The time.
    pub now: Timestamp,
}

/// What a request says about placement.
pub(super) struct Wish<'a> {
    pub(super) launch_type: Option<LaunchType>,
    pub(super) shares: &'a [ProviderShare],
    pub(super) platform_version: Option<&'a str>,
    pub(super) constraints: &'a [PlacementConstraint],
    pub(super) strategies: &'a [PlacementStrategy],
    pub(super) network: Option<&'a NetworkConfiguration>,
    pub(super) volumes: &'a List<VolumeConfiguration>,
}

/// The kind of a capacity provider (CP-01): predefined, or the account's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ProviderKind {
    Fargate,
    FargateSpot,
    Own,
}

/// Strategy rules per request (PL-02).
const STRATEGIES_MAX: usize = 5;
/// Constraints of definition and request together (PL-02).
pub(in crate::control::ecs) const CONSTRAINTS_MAX: usize = 10;
/// Providers per strategy (CP-02).
const SHARES_MAX: usize = 20;
const WEIGHT_MAX: i32 = 1000;
const BASE_MAX: i32 = 100_000;
const SUBNETS_MAX: usize = 16;
const SECURITY_GROUPS_MAX: usize = 5;

/// Compiles what a request says about placement.
pub(super) fn compile(
    wish: &Wish<'_>,
    row: Row<TaskDefinition>,
    cluster: &Cluster,
    known: &Known<'_>,
    definitions: &mut Definitions,
) -> Result<Placing, ApiError> {
    let Definitions { tasks, symbols, volumes, .. } = definitions;
    let definition = &tasks[row.index()];
    let launch_type = launch_type(wish, cluster)?;
    check_compatible(launch_type, definition)?;
    check_platform(wish, launch_type, definition)?;
    if launch_type == objects::LaunchType::Fargate {
        check_no_placement(wish)?;
    }
    let strategies = strategies(wish.strategies, symbols)?;
    let constraints = constraints(wish.constraints, definition, known.families.rules().query)?;
    let network = network(wish.network, definition.network_mode)?;
    let subnets = network.map_or(Ok(Box::default()), |network| subnets(network, known, symbols))?;
    let public_address = network.is_some_and(|network| network.assign_public_ip == Some(Switch::Enabled));
    if public_address && launch_type == objects::LaunchType::Ec2 {
        let path = "networkConfiguration.awsvpcConfiguration.assignPublicIp";
        return Err(ApiError::invalid(path, "Assign public IP is not supported for this launch type."));
    }
    let volume = volume::compile(wish.volumes, definition, launch_type, symbols)?.map(|volume| {
        volumes.push(volume);
        Row::at(volumes.len() - 1)
    });
    Ok(Placing { launch_type, strategies, constraints, subnets, public_address, volume })
}

fn launch_type(wish: &Wish<'_>, cluster: &Cluster) -> Result<objects::LaunchType, ApiError> {
    match wish.launch_type {
        Some(_) if !wish.shares.is_empty() => {
            mark!("CP-04");
            let words = "Specify either a launch type or a capacity provider strategy.";
            Err(ApiError::invalid("launchType", words))
        }
        Some(LaunchType::Ec2) => Ok(objects::LaunchType::Ec2),
        Some(LaunchType::Fargate) => Ok(objects::LaunchType::Fargate),
        Some(LaunchType::External) => Err(ApiError::not_modelled("launchType", "The launch type EXTERNAL")),
        Some(LaunchType::ManagedInstances) => {
            Err(ApiError::not_modelled("launchType", "The launch type MANAGED_INSTANCES"))
        }
        None if wish.shares.is_empty() => {
            mark!("CL-06");
            if cluster.default_strategy.is_empty() {
                Ok(objects::LaunchType::Ec2)
            } else {
                provider_launch_type(&cluster.default_strategy, "cluster")
            }
        }
        None => provider_launch_type(wish.shares, "capacityProviderStrategy"),
    }
}

/// The launch type of tasks that a strategy places.
fn provider_launch_type(shares: &[ProviderShare], path: &str) -> Result<objects::LaunchType, ApiError> {
    match strategy_kind(shares, path)? {
        ProviderKind::Fargate => Ok(objects::LaunchType::Fargate),
        ProviderKind::FargateSpot => Err(ApiError::not_modelled(path, "The capacity provider FARGATE_SPOT")),
        ProviderKind::Own => Err(ApiError::not_modelled(path, "A capacity provider other than FARGATE")),
    }
}

/// The kind of provider that a strategy uses; Spot if any of its tasks could be Spot.
pub(super) fn strategy_kind(shares: &[ProviderShare], path: &str) -> Result<ProviderKind, ApiError> {
    if shares.len() > SHARES_MAX {
        return Err(ApiError::invalid(path, "A strategy has at most 20 capacity providers."));
    }
    for (index, share) in shares.iter().enumerate() {
        check_share(share, &format!("{path}[{index}]"))?;
    }
    if shares.iter().filter(|share| share.base.unwrap_or(0) > 0).count() > 1 {
        mark!("CP-03");
        return Err(ApiError::invalid(path, "Only one capacity provider of a strategy can have a base."));
    }
    if shares.iter().all(|share| share.weight.unwrap_or(0) == 0) {
        mark!("CP-03");
        let words = "At least one capacity provider must have weight greater than 0.";
        return Err(ApiError::client(path, words));
    }
    let kind = |share: &ProviderShare| provider_kind(share.capacity_provider.as_deref().unwrap_or_default());
    let groups = shares.iter().filter(|share| kind(share) == ProviderKind::Own).count();
    if groups != 0 && groups != shares.len() {
        mark!("CP-04");
        mark!("CL-05");
        let words =
            "A strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate.";
        return Err(ApiError::invalid(path, words));
    }
    let used = |share: &&ProviderShare| share.weight.unwrap_or(0) > 0 || share.base.unwrap_or(0) > 0;
    let spot = shares.iter().filter(used).any(|share| kind(share) == ProviderKind::FargateSpot);
    Ok(match (groups > 0, spot) {
        (true, _) => ProviderKind::Own,
        (false, true) => ProviderKind::FargateSpot,
        (false, false) => ProviderKind::Fargate,
    })
}

fn check_share(share: &ProviderShare, path: &str) -> Result<(), ApiError> {
    if share.capacity_provider.as_deref().unwrap_or_default().is_empty() {
        let path = format!("{path}.capacityProvider");
        return Err(ApiError::invalid(path, "A capacity provider is required."));
    }
    if !(0..=WEIGHT_MAX).contains(&share.weight.unwrap_or(0)) {
        mark!("CP-03");
        return Err(ApiError::invalid(format!("{path}.weight"), "A weight is 0 to 1000."));
    }
    if !(0..=BASE_MAX).contains(&share.base.unwrap_or(0)) {
        mark!("CP-03");
        return Err(ApiError::invalid(format!("{path}.base"), "A base is 0 to 100000."));
    }
    Ok(())
}

/// The kind of the provider with this name.
fn provider_kind(name: &str) -> ProviderKind {
    match name {
        "FARGATE" => ProviderKind::Fargate,
        "FARGATE_SPOT" => ProviderKind::FargateSpot,
        _ => ProviderKind::Own,
    }
}

fn check_compatible(launch_type: objects::LaunchType, definition: &TaskDefinition) -> Result<(), ApiError> {
    let refusal = |name: &str| {
        mark!("TD-34");
        Err(ApiError::invalid(
            "taskDefinition",
            format!("Task definition does not support launch_type {name}."),
        ))
    };
    match launch_type {
        objects::LaunchType::Ec2 if !definition.runs_on_ec2 => refusal("EC2"),
        objects::LaunchType::Fargate if definition.fargate.is_none() => refusal("FARGATE"),
        objects::LaunchType::Ec2 | objects::LaunchType::Fargate => Ok(()),
    }
}

fn check_platform(
    wish: &Wish<'_>,
    launch_type: objects::LaunchType,
    definition: &TaskDefinition,
) -> Result<(), ApiError> {
    let Some(version) = wish.platform_version else { return Ok(()) };
    let path = "platformVersion";
    let shape = match launch_type {
        objects::LaunchType::Ec2 => {
            let words = "The platform version must be null for the launch type EC2.";
            return Err(ApiError::invalid(path, words));
        }
        objects::LaunchType::Fargate => definition.fargate,
    };
    let version = match version {
        "LATEST" => PlatformVersion::LATEST,
        "1.4.0" => PlatformVersion::V1_4_0,
        "1.3.0" => PlatformVersion::V1_3_0,
        other => {
            let words = format!("The platform version {other} does not exist.");
            return Err(ApiError::new(ErrorKind::PlatformUnknownException, path, words));
        }
    };
    if shape.is_none_or(|shape| shape.windows || runs_on(shape, version)) {
        return Ok(());
    }
    mark!("TD-30");
    let kind = ErrorKind::PlatformTaskDefinitionIncompatibilityException;
    Err(ApiError::new(kind, path, "The task size needs platform version 1.4.0 or later."))
}

/// Whether a Linux platform version has a size that passed validation.
fn runs_on(shape: FargateShape, version: PlatformVersion) -> bool {
    let narrow = |amount: i64| u32::try_from(amount).unwrap_or(u32::MAX);
    let size = fargate::size(narrow(shape.cpu.ecs_units_down()), narrow(shape.memory.mib_down()));
    size.is_ok_and(|size| size.runs_on(Platform::LinuxX86_64, version))
}

/// Fargate accepts neither strategies nor constraints.
fn check_no_placement(wish: &Wish<'_>) -> Result<(), ApiError> {
    let refusal = |path: &str, what: &str| {
        mark!("PL-31");
        Err(ApiError::invalid(path, format!("{what} are not supported with the launch type FARGATE.")))
    };
    if !wish.strategies.is_empty() {
        return refusal("placementStrategy", "Placement strategies");
    }
    if !wish.constraints.is_empty() {
        return refusal("placementConstraints", "Placement constraints");
    }
    Ok(())
}

fn strategies(wishes: &[PlacementStrategy], symbols: &mut Symbols) -> Result<Box<[Strategy]>, ApiError> {
    if wishes.len() > STRATEGIES_MAX {
        mark!("PL-02");
        let words = "A request has at most 5 placement strategies.";
        return Err(ApiError::invalid("placementStrategy", words));
    }
    wishes.iter().enumerate().map(|(index, wish)| strategy(wish, index, symbols)).collect()
}

fn strategy(wish: &PlacementStrategy, index: usize, symbols: &mut Symbols) -> Result<Strategy, ApiError> {
    let path = format!("placementStrategy[{index}]");
    let Some(kind) = wish.kind else {
        return Err(ApiError::invalid(
            format!("{path}.type"),
            "The type of a placement strategy is required.",
        ));
    };
    let attribute =
        |field: &'_ str| field.strip_prefix("attribute:").filter(|name| !name.is_empty()).map(str::to_owned);
    match (kind, wish.field.as_deref()) {
        (StrategyKind::Random, None) => Ok(Strategy::Random),
        (StrategyKind::Binpack, Some(field)) if field.eq_ignore_ascii_case("cpu") => Ok(Strategy::BinpackCpu),
        (StrategyKind::Binpack, Some(field)) if field.eq_ignore_ascii_case("memory") => {
            Ok(Strategy::BinpackMemory)
        }
        (StrategyKind::Spread, Some("instanceId" | "host")) => Ok(Strategy::SpreadInstance),
        (StrategyKind::Spread, Some(field)) if attribute(field).is_some() => {
            mark!("PL-15");
            let name = attribute(field).unwrap_or_default();
            Ok(Strategy::SpreadAttribute(symbols.intern(&name)))
        }
        (StrategyKind::Random | StrategyKind::Binpack | StrategyKind::Spread, _) => {
            let words = "random takes no field, binpack takes cpu or memory, spread takes instanceId, host or attribute:NAME.";
            Err(ApiError::invalid(format!("{path}.field"), words))
        }
    }
}

fn constraints(
    wishes: &[PlacementConstraint],
    definition: &TaskDefinition,
    query: query::Settings,
) -> Result<Box<[Constraint]>, ApiError> {
    let path = "placementConstraints";
    if wishes.len() + definition.constraints.len() > CONSTRAINTS_MAX {
        mark!("PL-02");
        let words = "Task definition and request together have at most 10 placement constraints.";
        return Err(ApiError::invalid(path, words));
    }
    let compiled = wishes.iter().enumerate().map(|(index, wish)| {
        let path = format!("{path}[{index}]");
        match (wish.kind, wish.expression.as_deref()) {
            (None, _) => {
                let words = "The type of a placement constraint is required.";
                Err(ApiError::invalid(format!("{path}.type"), words))
            }
            (Some(ConstraintKind::DistinctInstance), None | Some("")) => Ok(Constraint::DistinctInstance),
            (Some(ConstraintKind::DistinctInstance), Some(_)) => {
                let words = "distinctInstance takes no expression.";
                Err(ApiError::invalid(format!("{path}.expression"), words))
            }
            (Some(ConstraintKind::MemberOf), expression) => {
                constraint_expression(expression, &path, query).map(Constraint::MemberOf)
            }
        }
    });
    compiled.collect()
}

fn network(
    wish: Option<&NetworkConfiguration>,
    mode: NetworkMode,
) -> Result<Option<&AwsvpcConfiguration>, ApiError> {
    let path = "networkConfiguration";
    match (mode, wish.and_then(|wish| wish.awsvpc_configuration.as_ref())) {
        (NetworkMode::Awsvpc, Some(network)) => Ok(Some(network)),
        (NetworkMode::Awsvpc, None) => {
            let words = "Network Configuration must be provided when networkMode 'awsvpc' is specified.";
            Err(ApiError::invalid(path, words))
        }
        (NetworkMode::None | NetworkMode::Bridge | NetworkMode::Host, None) => Ok(None),
        (NetworkMode::None | NetworkMode::Bridge | NetworkMode::Host, Some(_)) => {
            let words =
                "Network Configuration is not valid for the given networkMode of this task definition.";
            Err(ApiError::invalid(path, words))
        }
    }
}

fn subnets(
    network: &AwsvpcConfiguration,
    known: &Known<'_>,
    symbols: &mut Symbols,
) -> Result<Box<[Subnet]>, ApiError> {
    let path = "networkConfiguration.awsvpcConfiguration";
    if network.subnets.is_empty() {
        return Err(ApiError::invalid(format!("{path}.subnets"), "subnets can not be empty."));
    }
    if network.subnets.len() > SUBNETS_MAX {
        return Err(ApiError::invalid(format!("{path}.subnets"), "At most 16 subnets can be given."));
    }
    if network.security_groups.len() > SECURITY_GROUPS_MAX {
        let path = format!("{path}.securityGroups");
        return Err(ApiError::invalid(path, "At most 5 security groups can be given."));
    }
    let compiled = network.subnets.iter().enumerate().map(|(index, id)| {
        let zone = known.zones.get(id).ok_or_else(|| {
            let path = format!("{path}.subnets[{index}]");
            ApiError::invalid(path, format!("The subnet ID '{id}' does not exist."))
        })?;
        Ok(Subnet { id: symbols.intern(id), zone: symbols.intern(zone) })
    });
    compiled.collect()
}
