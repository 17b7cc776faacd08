//! The shape of `RegisterTaskDefinition`: every field that has an effect here, and no other.
//!
//! Everything is optional in the shape; what is required is said by
//! [`task_definition`](crate::control::ecs::task_definition), which can name all that is missing.

use serde::Deserialize;
use serde_json::Value;

use super::common::{List, PlacementConstraint, Tag};
use super::read::{Operation, Request};

/// Derives what all parts of the request have in common.
macro_rules! shape {
    ($($item:item)*) => {$(
        #[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        $item
    )*};
}

/// Derives what all words of the request have in common.
macro_rules! word {
    ($case:literal: $item:item) => {
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
        #[serde(rename_all = $case)]
        $item
    };
}

shape! {
    /// The request (section 1.2).
    pub struct RegisterTaskDefinition {
        /// The length of the whole document in bytes, as far as it is known; no field of the request.
        #[serde(skip)]
        pub document_bytes: usize,
        /// Of which family this is the next revision.
        pub family: Option<String>,
        /// The role of the application.
        pub task_role_arn: Option<String>,
        /// The role of the agent.
        pub execution_role_arn: Option<String>,
        /// Absent is bridge.
        pub network_mode: Option<NetworkMode>,
        /// 1 to 10.
        pub container_definitions: List<ContainerDefinition>,
        /// What containers may mount.
        pub volumes: List<Volume>,
        /// `memberOf` only.
        pub placement_constraints: List<PlacementConstraint>,
        /// Against what to validate.
        pub requires_compatibilities: List<Compatibility>,
        /// `"256"` units or `".25 vCPU"`.
        pub cpu: Option<String>,
        /// `"512"` MiB or `"0.5GB"`.
        pub memory: Option<String>,
        /// Whose processes the containers see.
        pub pid_mode: Option<PidMode>,
        /// Whose shared memory the containers see.
        pub ipc_mode: Option<IpcMode>,
        /// Fargate's disk.
        pub ephemeral_storage: Option<EphemeralStorage>,
        /// Architecture and operating system.
        pub runtime_platform: Option<RuntimePlatform>,
        /// Up to 50.
        pub tags: List<Tag>,
    }

    /// A container (section 1.3).
    pub struct ContainerDefinition {
        /// Unique in the task.
        pub name: Option<String>,
        /// `repo`, `repo:tag` or `repo@digest`.
        pub image: Option<String>,
        /// CPU units.
        pub cpu: Option<i32>,
        /// The hard limit in MiB.
        pub memory: Option<i32>,
        /// What is reserved of it in MiB.
        pub memory_reservation: Option<i32>,
        /// `name:alias`.
        pub links: List<String>,
        /// Its ports.
        pub port_mappings: List<PortMapping>,
        /// Absent is true.
        pub essential: Option<bool>,
        /// Restarts in place.
        pub restart_policy: Option<RestartPolicy>,
        /// Files of environment variables.
        pub environment_files: List<EnvironmentFile>,
        /// Environment variables out of a secret store.
        pub secrets: List<Secret>,
        /// Which volumes it mounts.
        pub mount_points: List<MountPoint>,
        /// Whose volumes it mounts too.
        pub volumes_from: List<VolumeFrom>,
        /// What it waits for.
        pub depends_on: List<ContainerDependency>,
        /// Seconds.
        pub start_timeout: Option<i32>,
        /// Seconds.
        pub stop_timeout: Option<i32>,
        /// How its health is found out.
        pub health_check: Option<HealthCheck>,
        /// GPUs and other devices.
        pub resource_requirements: List<ResourceRequirement>,
        /// Limits of the operating system.
        pub ulimits: List<Ulimit>,
        /// Where its output goes.
        pub log_configuration: Option<LogConfiguration>,
        /// Options of the Linux kernel.
        pub linux_parameters: Option<LinuxParameters>,
        /// Its host name.
        pub hostname: Option<String>,
        /// Further lines of its hosts file.
        pub extra_hosts: List<ExtraHost>,
        /// Name servers.
        pub dns_servers: List<String>,
        /// Search domains.
        pub dns_search_domains: List<String>,
        /// Whether it has no network.
        pub disable_networking: Option<bool>,
        /// Whether it has the rights of root on the instance.
        pub privileged: Option<bool>,
        /// Labels of the security modules.
        pub docker_security_options: List<String>,
        /// At most one.
        pub credential_specs: List<String>,
    }

    /// One of `portMappings`.
    pub struct PortMapping {
        /// Inside.
        pub container_port: Option<i32>,
        /// On the instance; 0 or absent in bridge mode lets the agent choose.
        pub host_port: Option<i32>,
        /// Absent is tcp.
        pub protocol: Option<Protocol>,
        /// For Service Connect.
        pub name: Option<String>,
        /// For Service Connect.
        pub app_protocol: Option<AppProtocol>,
        /// `FIRST-LAST` instead of `containerPort`.
        pub container_port_range: Option<String>,
    }

    /// `restartPolicy`.
    pub struct RestartPolicy {
        /// Whether there is one.
        pub enabled: Option<bool>,
        /// Exit codes after which the container stays down.
        pub ignored_exit_codes: List<i32>,
        /// Seconds, 60 to 1800; absent is 300.
        pub restart_attempt_period: Option<i32>,
    }

    /// One of `environmentFiles`.
    pub struct EnvironmentFile {
        /// The ARN of an S3 object whose name ends in `.env`.
        pub value: Option<String>,
        /// `s3`.
        #[serde(rename = "type")]
        pub kind: Option<EnvironmentFileKind>,
    }

    /// One of `secrets`.
    pub struct Secret {
        /// The environment variable.
        pub name: Option<String>,
        /// The ARN of the secret, or the name of a parameter.
        pub value_from: Option<String>,
    }

    /// One of `mountPoints`.
    pub struct MountPoint {
        /// The name of the volume.
        pub source_volume: Option<String>,
    }

    /// One of `volumesFrom`.
    pub struct VolumeFrom {
        /// The name of the other container.
        pub source_container: Option<String>,
    }

    /// One of `dependsOn`.
    pub struct ContainerDependency {
        /// The name of the other container.
        pub container_name: Option<String>,
        /// What must have become of it.
        pub condition: Option<DependencyCondition>,
    }

    /// `healthCheck`.
    pub struct HealthCheck {
        /// What is run.
        pub command: List<String>,
        /// Seconds, 5 to 300; absent is 30.
        pub interval: Option<i32>,
        /// Seconds, 2 to 60; absent is 5.
        pub timeout: Option<i32>,
        /// 1 to 10; absent is 3.
        pub retries: Option<i32>,
        /// Seconds, 0 to 300; absent is off.
        pub start_period: Option<i32>,
    }

    /// One of `resourceRequirements`.
    pub struct ResourceRequirement {
        /// How many, or `ALL`.
        pub value: Option<String>,
        /// Of what.
        #[serde(rename = "type")]
        pub kind: Option<ResourceKind>,
    }

    /// One of `ulimits`.
    pub struct Ulimit {
        /// Which limit.
        pub name: Option<UlimitName>,
        /// What holds at first; -1 is no limit.
        pub soft_limit: Option<i32>,
        /// How far the container may raise it; -1 is no limit.
        pub hard_limit: Option<i32>,
    }

    /// `logConfiguration`.
    pub struct LogConfiguration {
        /// The driver.
        pub log_driver: Option<LogDriver>,
    }

    /// `linuxParameters`.
    pub struct LinuxParameters {
        /// Rights beyond the usual ones.
        pub capabilities: Option<Capabilities>,
        /// Devices of the instance.
        pub devices: List<Device>,
        /// MiB of `/dev/shm`.
        pub shared_memory_size: Option<i32>,
        /// Memory file systems.
        pub tmpfs: List<Tmpfs>,
        /// MiB of swap.
        pub max_swap: Option<i32>,
        /// 0 to 100.
        pub swappiness: Option<i32>,
    }

    /// `capabilities`.
    pub struct Capabilities {
        /// Added rights.
        pub add: List<String>,
    }

    /// One of `devices`.
    pub struct Device {
        /// Its path on the instance.
        pub host_path: Option<String>,
    }

    /// One of `tmpfs`.
    pub struct Tmpfs {
        /// Where it is mounted.
        pub container_path: Option<String>,
        /// MiB.
        pub size: Option<i32>,
    }

    /// One of `extraHosts`.
    pub struct ExtraHost {
        /// The name.
        pub hostname: Option<String>,
        /// Its address.
        pub ip_address: Option<String>,
    }

    /// A volume (section 1.6).
    pub struct Volume {
        /// What mount points call it.
        pub name: Option<String>,
        /// A directory of the instance.
        pub host: Option<HostVolume>,
        /// A volume of Docker.
        pub docker_volume_configuration: Option<DockerVolume>,
        /// An EFS file system.
        pub efs_volume_configuration: Option<FileSystem>,
        /// An S3 file system.
        #[serde(rename = "s3filesVolumeConfiguration")]
        pub s3_files_volume_configuration: Option<S3Files>,
        /// A Windows file system.
        pub fsx_windows_file_server_volume_configuration: Option<FileSystem>,
        /// An EBS volume that the request to run names.
        pub configured_at_launch: Option<bool>,
    }

    /// `host`.
    pub struct HostVolume {
        /// The directory; without it Docker makes one.
        pub source_path: Option<String>,
    }

    /// `dockerVolumeConfiguration`.
    pub struct DockerVolume {
        /// `task` or `shared`; absent is task.
        pub scope: Option<DockerVolumeScope>,
        /// Whether it is made where it does not exist; shared volumes only.
        pub autoprovision: Option<bool>,
    }

    /// `efsVolumeConfiguration` and `fsxWindowsFileServerVolumeConfiguration`.
    pub struct FileSystem {
        /// Its id.
        pub file_system_id: Option<String>,
    }

    /// `s3filesVolumeConfiguration`.
    pub struct S3Files {
        /// Its ARN.
        pub file_system_arn: Option<String>,
    }

    /// `ephemeralStorage`.
    pub struct EphemeralStorage {
        /// 21 to 200.
        #[serde(rename = "sizeInGiB")]
        pub size_in_gib: Option<i32>,
    }

    /// `runtimePlatform`.
    pub struct RuntimePlatform {
        /// Absent is `X86_64`.
        pub cpu_architecture: Option<CpuArchitecture>,
        /// Absent is `LINUX`.
        pub operating_system_family: Option<OperatingSystem>,
    }
}

word! { "lowercase":
    /// `networkMode`.
    pub enum NetworkMode {
        /// An interface per task.
        Awsvpc,
        /// Docker's bridge.
        Bridge,
        /// The instance's network.
        Host,
        /// No network.
        None,
    }
}
word! { "SCREAMING_SNAKE_CASE":
    /// One of `requiresCompatibilities`.
    pub enum Compatibility {
        /// Container instances.
        Ec2,
        /// Fargate.
        Fargate,
        /// Machines outside AWS.
        External,
        /// Instances that ECS manages.
        ManagedInstances,
    }
}
word! { "lowercase":
    /// `pidMode`.
    pub enum PidMode {
        /// Those of the instance.
        Host,
        /// Those of the task.
        Task,
    }
}
word! { "lowercase":
    /// `ipcMode`.
    pub enum IpcMode {
        /// That of the instance.
        Host,
        /// That of the task.
        Task,
        /// Nobody's.
        None,
    }
}
word! { "lowercase":
    /// The protocol of a port.
    pub enum Protocol {
        /// TCP.
        Tcp,
        /// UDP.
        Udp,
    }
}
word! { "lowercase":
    /// The application protocol of a port.
    pub enum AppProtocol {
        /// HTTP/1.1.
        Http,
        /// HTTP/2.
        Http2,
        /// gRPC.
        Grpc,
    }
}
word! { "lowercase":
    /// Where a file of environment variables lies.
    pub enum EnvironmentFileKind {
        /// In S3.
        S3,
    }
}
word! { "SCREAMING_SNAKE_CASE":
    /// The condition of a dependency.
    pub enum DependencyCondition {
        /// Started.
        Start,
        /// Exited.
        Complete,
        /// Exited with 0.
        Success,
        /// Healthy.
        Healthy,
    }
}
word! { "PascalCase":
    /// What a resource requirement is about.
    pub enum ResourceKind {
        /// GPUs.
        #[serde(rename = "GPU")]
        Gpu,
        /// Elastic Inference, which was discontinued.
        InferenceAccelerator,
        /// Neuron devices.
        NeuronDevice,
    }
}
word! { "lowercase":
    /// The name of a limit of the operating system.
    #[expect(missing_docs, reason = "the names are those of setrlimit")]
    pub enum UlimitName {
        Core,
        Cpu,
        Data,
        Fsize,
        Locks,
        Memlock,
        Msgqueue,
        Nice,
        Nofile,
        Nproc,
        Rss,
        Rtprio,
        Rttime,
        Sigpending,
        Stack,
    }
}
word! { "lowercase":
    /// A log driver.
    #[expect(missing_docs, reason = "the names are those of Docker's drivers")]
    pub enum LogDriver {
        #[serde(rename = "json-file")]
        JsonFile,
        Syslog,
        Journald,
        Gelf,
        Fluentd,
        Awslogs,
        Splunk,
        Awsfirelens,
    }
}
word! { "lowercase":
    /// How long a Docker volume lives.
    pub enum DockerVolumeScope {
        /// As long as the task.
        Task,
        /// Longer.
        Shared,
    }
}
word! { "SCREAMING_SNAKE_CASE":
    /// `cpuArchitecture`.
    pub enum CpuArchitecture {
        /// Intel and AMD.
        #[serde(rename = "X86_64")]
        X86,
        /// Graviton.
        Arm64,
    }
}
word! { "SCREAMING_SNAKE_CASE":
    /// `operatingSystemFamily`.
    #[expect(missing_docs, reason = "the names are those of the systems")]
    pub enum OperatingSystem {
        Linux,
        #[serde(rename = "WINDOWS_SERVER_2016_FULL")]
        Windows2016Full,
        #[serde(rename = "WINDOWS_SERVER_2019_FULL")]
        Windows2019Full,
        #[serde(rename = "WINDOWS_SERVER_2019_CORE")]
        Windows2019Core,
        #[serde(rename = "WINDOWS_SERVER_2004_CORE")]
        Windows2004Core,
        #[serde(rename = "WINDOWS_SERVER_20H2_CORE")]
        Windows20H2Core,
        #[serde(rename = "WINDOWS_SERVER_2022_FULL")]
        Windows2022Full,
        #[serde(rename = "WINDOWS_SERVER_2022_CORE")]
        Windows2022Core,
        #[serde(rename = "WINDOWS_SERVER_2025_FULL")]
        Windows2025Full,
        #[serde(rename = "WINDOWS_SERVER_2025_CORE")]
        Windows2025Core,
    }
}

impl Request for RegisterTaskDefinition {
    const OPERATION: Operation = Operation::RegisterTaskDefinition;

    fn measure(&mut self, document: &Value) {
        self.document_bytes = document.to_string().len();
    }
}

impl LogDriver {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            LogDriver::JsonFile => "json-file",
            LogDriver::Syslog => "syslog",
            LogDriver::Journald => "journald",
            LogDriver::Gelf => "gelf",
            LogDriver::Fluentd => "fluentd",
            LogDriver::Awslogs => "awslogs",
            LogDriver::Splunk => "splunk",
            LogDriver::Awsfirelens => "awsfirelens",
        }
    }
}

impl CpuArchitecture {
    /// As the attribute `ecs.cpu-architecture` spells it.
    pub const fn attribute(self) -> &'static str {
        match self {
            CpuArchitecture::X86 => "x86_64",
            CpuArchitecture::Arm64 => "arm64",
        }
    }
}

impl OperatingSystem {
    /// As the API and the attribute `ecs.os-family` spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            OperatingSystem::Linux => "LINUX",
            OperatingSystem::Windows2016Full => "WINDOWS_SERVER_2016_FULL",
            OperatingSystem::Windows2019Full => "WINDOWS_SERVER_2019_FULL",
            OperatingSystem::Windows2019Core => "WINDOWS_SERVER_2019_CORE",
            OperatingSystem::Windows2004Core => "WINDOWS_SERVER_2004_CORE",
            OperatingSystem::Windows20H2Core => "WINDOWS_SERVER_20H2_CORE",
            OperatingSystem::Windows2022Full => "WINDOWS_SERVER_2022_FULL",
            OperatingSystem::Windows2022Core => "WINDOWS_SERVER_2022_CORE",
            OperatingSystem::Windows2025Full => "WINDOWS_SERVER_2025_FULL",
            OperatingSystem::Windows2025Core => "WINDOWS_SERVER_2025_CORE",
        }
    }

    /// Whether it is Windows.
    pub const fn is_windows(self) -> bool {
        !matches!(self, OperatingSystem::Linux)
    }
}
