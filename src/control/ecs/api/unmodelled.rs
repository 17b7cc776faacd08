//! Every valid field that has no effect here, and what the simulator does instead.
//!
//! One table. A row stands for its path and everything below it; `[]` marks the items of a list. What
//! is neither in this table nor in the shapes is unknown to the API and refused.

use super::read::Operation;

/// A field without effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unmodelled {
    /// In which requests.
    pub operations: &'static [Operation],
    /// Its path, `containerDefinitions[].environment`.
    pub path: &'static str,
    /// What the simulator does instead.
    pub instead: &'static str,
}

/// All of them.
pub fn table() -> impl Iterator<Item = Unmodelled> {
    TABLE.iter().map(|&(operations, path, instead)| Unmodelled { operations, path, instead })
}

/// The row that covers a path of an operation.
///
/// ```
/// use windtunnel::control::ecs::api::{Operation, unmodelled};
/// let row = unmodelled::find(Operation::RunTask, "overrides.cpu").expect("it is listed");
/// assert_eq!(row.path, "overrides");
/// assert_eq!(unmodelled::find(Operation::RunTask, "count"), None);
/// ```
pub fn find(operation: Operation, path: &str) -> Option<Unmodelled> {
    table().find(|row| row.operations.contains(&operation) && covers(row.path, path))
}

/// A path without the places in lists: `volumes[3].name` becomes `volumes[].name`.
pub fn pattern(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|&letter| {
            let digit_of_place = inside && letter.is_ascii_digit();
            inside = letter == '[' || digit_of_place;
            !digit_of_place
        })
        .collect()
}

fn covers(row: &str, path: &str) -> bool {
    path.strip_prefix(row).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}

const REGISTER: &[Operation] = &[Operation::RegisterTaskDefinition];
const TASKS: &[Operation] = &[Operation::RunTask, Operation::StartTask];
const STARTERS: &[Operation] = &[Operation::RunTask, Operation::StartTask, Operation::CreateService];
const CLUSTER: &[Operation] = &[Operation::CreateCluster];
const SERVICE: &[Operation] = &[Operation::CreateService];

const STORED: &str = "stored by ECS; no effect on scheduling, timing or price";
const INSIDE: &str = "concerns the inside of the container; how it behaves is said by the scenario";
const LOGS: &str = "logs are neither transported nor charged";
const STORAGE: &str = "the content of volumes is not modelled; mounting takes no time";
const DIGESTS: &str = "images are known by their spelling; tags are not resolved to digests";
const WHOLE_GPU: &str = "not shared: whole GPUs are taken";
const MANAGED: &str = "concerns ECS Managed Instances, which are not modelled yet";
const TRAFFIC: &str = "traffic is not modelled; a task is ready when its own checks pass";
const ROLLING: &str = "concerns deployments by shifting traffic, which are not modelled yet";
const BREAKER: &str = "the circuit breaker is not modelled yet; a failing deployment keeps trying";
const ALARMS: &str = "alarms do not end deployments";
const REBALANCING: &str = "not modelled yet; running tasks stay where they are";
const SNAPSHOT: &str = "a volume is filled at once, and for nothing";
const OVERRIDES: &str = "the task definition is used as it is; only the length is checked";

/// In the order of the requests.
const TABLE: &[(&[Operation], &str, &str)] = &[
    (REGISTER, "containerDefinitions[].repositoryCredentials", STORED),
    (REGISTER, "containerDefinitions[].entryPoint", INSIDE),
    (REGISTER, "containerDefinitions[].command", INSIDE),
    (REGISTER, "containerDefinitions[].environment", INSIDE),
    (REGISTER, "containerDefinitions[].mountPoints[].containerPath", STORED),
    (REGISTER, "containerDefinitions[].mountPoints[].readOnly", STORED),
    (REGISTER, "containerDefinitions[].volumesFrom[].readOnly", STORED),
    (REGISTER, "containerDefinitions[].linuxParameters.capabilities.drop", INSIDE),
    (REGISTER, "containerDefinitions[].linuxParameters.devices[].containerPath", STORED),
    (REGISTER, "containerDefinitions[].linuxParameters.devices[].permissions", STORED),
    (REGISTER, "containerDefinitions[].linuxParameters.initProcessEnabled", INSIDE),
    (REGISTER, "containerDefinitions[].linuxParameters.tmpfs[].mountOptions", STORED),
    (REGISTER, "containerDefinitions[].versionConsistency", DIGESTS),
    (REGISTER, "containerDefinitions[].user", INSIDE),
    (REGISTER, "containerDefinitions[].workingDirectory", INSIDE),
    (REGISTER, "containerDefinitions[].readonlyRootFilesystem", INSIDE),
    (REGISTER, "containerDefinitions[].interactive", INSIDE),
    (REGISTER, "containerDefinitions[].pseudoTerminal", INSIDE),
    (REGISTER, "containerDefinitions[].dockerLabels", STORED),
    (REGISTER, "containerDefinitions[].logConfiguration.options", LOGS),
    (REGISTER, "containerDefinitions[].logConfiguration.secretOptions", LOGS),
    (REGISTER, "containerDefinitions[].systemControls", INSIDE),
    (REGISTER, "containerDefinitions[].resourceRequirements[].sharingStrategy", WHOLE_GPU),
    (REGISTER, "containerDefinitions[].firelensConfiguration", LOGS),
    (REGISTER, "volumes[].dockerVolumeConfiguration.driver", STORAGE),
    (REGISTER, "volumes[].dockerVolumeConfiguration.driverOpts", STORAGE),
    (REGISTER, "volumes[].dockerVolumeConfiguration.labels", STORED),
    (REGISTER, "volumes[].efsVolumeConfiguration.rootDirectory", STORAGE),
    (REGISTER, "volumes[].efsVolumeConfiguration.transitEncryption", STORAGE),
    (REGISTER, "volumes[].efsVolumeConfiguration.transitEncryptionPort", STORAGE),
    (REGISTER, "volumes[].efsVolumeConfiguration.authorizationConfig", STORAGE),
    (REGISTER, "volumes[].s3filesVolumeConfiguration.rootDirectory", STORAGE),
    (REGISTER, "volumes[].s3filesVolumeConfiguration.transitEncryptionPort", STORAGE),
    (REGISTER, "volumes[].s3filesVolumeConfiguration.accessPointArn", STORAGE),
    (REGISTER, "volumes[].fsxWindowsFileServerVolumeConfiguration.rootDirectory", STORAGE),
    (REGISTER, "volumes[].fsxWindowsFileServerVolumeConfiguration.authorizationConfig", STORAGE),
    (REGISTER, "proxyConfiguration", TRAFFIC),
    (REGISTER, "inferenceAccelerators", "the service was discontinued; passed over"),
    (REGISTER, "enableFaultInjection", "stored by ECS; faults come from the scenario"),
    (REGISTER, "trustedExecutionConfiguration", MANAGED),
    (STARTERS, "enableECSManagedTags", STORED),
    (STARTERS, "enableExecuteCommand", STORED),
    (STARTERS, "propagateTags", STORED),
    (STARTERS, "volumeConfigurations[].managedEBSVolume.encrypted", STORED),
    (STARTERS, "volumeConfigurations[].managedEBSVolume.kmsKeyId", STORED),
    (STARTERS, "volumeConfigurations[].managedEBSVolume.volumeInitializationRate", SNAPSHOT),
    (STARTERS, "volumeConfigurations[].managedEBSVolume.tagSpecifications", STORED),
    (STARTERS, "volumeConfigurations[].managedEBSVolume.filesystemType", STORAGE),
    (TASKS, "overrides", OVERRIDES),
    (TASKS, "referenceId", STORED),
    (CLUSTER, "settings", "Container Insights publishes nothing and costs nothing"),
    (CLUSTER, "configuration", STORED),
    (CLUSTER, "serviceConnectDefaults", TRAFFIC),
    (SERVICE, "availabilityZoneRebalancing", REBALANCING),
    (SERVICE, "loadBalancers", TRAFFIC),
    (SERVICE, "serviceRegistries", TRAFFIC),
    (SERVICE, "role", STORED),
    (SERVICE, "deploymentConfiguration.deploymentCircuitBreaker", BREAKER),
    (SERVICE, "deploymentConfiguration.alarms", ALARMS),
    (SERVICE, "deploymentConfiguration.bakeTimeInMinutes", ROLLING),
    (SERVICE, "deploymentConfiguration.lifecycleHooks", ROLLING),
    (SERVICE, "deploymentConfiguration.linearConfiguration", ROLLING),
    (SERVICE, "deploymentConfiguration.canaryConfiguration", ROLLING),
    (SERVICE, "deploymentConfiguration.earlySuccessCriteria", ROLLING),
    (SERVICE, "serviceConnectConfiguration", TRAFFIC),
    (SERVICE, "vpcLatticeConfigurations", TRAFFIC),
    (SERVICE, "gatewayConnectors", TRAFFIC),
    (SERVICE, "monitoring", STORED),
];
