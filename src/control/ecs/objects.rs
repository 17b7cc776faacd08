//! What a task, a service and a container instance are: the rows of the ECS control plane.
//!
//! Two kinds of words. *Definitions* are wide, never change after they are registered, and are
//! referred to by row: task definitions, instance classes, service definitions. *Rows* are small and
//! `Copy`, and change: a task, a container instance, a service. Section numbers are those of the ECS
//! specification. Knows nothing of who decides, and nothing of where a machine or an image lives.

use std::fmt;

use crate::base::runtime::HealthCheck;
use crate::base::versioned::Index;
use crate::base::{Bytes, Cpu, EntityKey, Name, Percent, Reader, Row, Span, Symbol, Symbols, Timestamp};

use crate::mark;

use super::query::Expression;

// ---------------------------------------------------------------------------------------------------
// Definitions: wide, immutable, by row.

/// Every definition of one control plane.
#[derive(Debug, Default)]
pub struct Definitions {
    /// Registered revisions of task definitions.
    pub tasks: Vec<TaskDefinition>,
    /// What container instances can be.
    pub classes: Vec<InstanceClass>,
    /// Services, as created.
    pub services: Vec<ServiceDefinition>,
    /// RunTask and StartTask requests that callers repeat.
    pub requests: Vec<TaskRequest>,
    /// EBS volumes that tasks get.
    pub volumes: Vec<ManagedVolume>,
    /// The spellings.
    pub symbols: Symbols,
}

macro_rules! by_row {
    ($($field:ident: $type:ty),*) => {$(
        impl std::ops::Index<Row<$type>> for Definitions {
            type Output = $type;
            fn index(&self, row: Row<$type>) -> &$type {
                &self.$field[row.index()]
            }
        }
    )*};
}
by_row!(
    tasks: TaskDefinition,
    classes: InstanceClass,
    services: ServiceDefinition,
    requests: TaskRequest,
    volumes: ManagedVolume
);

/// One revision of a task definition, validated (section 1).
#[derive(Clone, Debug)]
pub struct TaskDefinition {
    /// The family.
    pub family: Symbol,
    /// Counted from 1 within the family (TD-01).
    pub revision: u32,
    /// Its network mode.
    pub network_mode: NetworkMode,
    /// The containers, in the order of the request.
    pub containers: Box<[ContainerDefinition]>,
    /// What placement subtracts (TD-11).
    pub reservation: Reservation,
    /// The attributes that an instance must have (CI-20), and for some of them the value.
    pub required_attributes: Box<[(Symbol, Option<Symbol>)]>,
    /// Its `memberOf` constraints.
    pub constraints: Box<[Expression]>,
    /// Whether it may run on container instances.
    pub runs_on_ec2: bool,
    /// The Fargate size, when it may run there (section 1.4).
    pub fargate: Option<FargateShape>,
    /// The volume that a request configures, if it has one (TD-51).
    pub volume_at_launch: Option<Symbol>,
}

/// `networkMode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NetworkMode {
    /// No network.
    None,
    /// Docker's bridge; host ports may be dynamic.
    Bridge,
    /// An elastic network interface per task.
    Awsvpc,
    /// The instance's own network.
    Host,
}

/// What a task takes from an instance (TD-11). Ports are by number; everything else by amount.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reservation {
    /// CPU.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Bytes,
    /// Whole GPUs.
    pub gpus: u32,
    /// Elastic network interfaces: one for awsvpc, else none.
    pub interfaces: u32,
    /// Static TCP host ports, ascending.
    pub ports: Box<[u16]>,
    /// Static UDP host ports, ascending.
    pub ports_udp: Box<[u16]>,
}

/// What a task of this definition is on Fargate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FargateShape {
    /// Task CPU.
    pub cpu: Cpu,
    /// Task memory.
    pub memory: Bytes,
    /// Ephemeral storage; 20 GiB are included in the price.
    pub ephemeral: Bytes,
    /// Whether it runs on Graviton.
    pub arm64: bool,
    /// Whether it runs Windows.
    pub windows: bool,
}

/// One container of a task definition.
#[derive(Clone, Debug)]
pub struct ContainerDefinition {
    /// Its name, unique in the task.
    pub name: Symbol,
    /// The image reference as spelled.
    pub image: Symbol,
    /// Whether its exit stops the task (TD-15).
    pub essential: bool,
    /// What it waits for, by place in [`TaskDefinition::containers`].
    pub depends_on: Box<[Dependency]>,
    /// How long dependents wait for it, if not for ever.
    pub start_timeout: Option<Span>,
    /// From the stop signal to SIGKILL, if it says.
    pub stop_timeout: Option<Span>,
    /// Its health check.
    pub health_check: Option<HealthCheck>,
    /// Whether and how it is restarted in place (TD-20).
    pub restart_policy: Option<RestartPolicy>,
    /// How many host ports the agent chooses for it (TD-41).
    pub dynamic_ports: u16,
}

/// `dependsOn`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dependency {
    /// The container that comes first.
    pub on: u8,
    /// What must have become of it.
    pub condition: Condition,
}

/// The condition of a dependency (TD-22).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// It has started.
    Start,
    /// It has exited, with any code.
    Complete,
    /// It has exited with 0.
    Success,
    /// It reports HEALTHY.
    Healthy,
}

/// `restartPolicy` (TD-20).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestartPolicy {
    /// Exit codes after which it stays down.
    pub ignored_exit_codes: Box<[i32]>,
    /// It must have run this long to be restarted.
    pub attempt_period: Span,
}

/// What a container instance is, apart from its name and its state: everything that the instances of
/// one pool in one subnet share.
#[derive(Clone, Debug)]
pub struct InstanceClass {
    /// The EC2 instance type.
    pub instance_type: Symbol,
    /// The zone name.
    pub zone: Symbol,
    /// The subnet id.
    pub subnet: Symbol,
    /// The capacity provider that launched it, if one did.
    pub capacity_provider: Option<Symbol>,
    /// Attributes: automatic ones, capabilities, and those the pool adds (section 2.4); sorted.
    pub attributes: Box<[(Symbol, Option<Symbol>)]>,
    /// Registered CPU (CI-13).
    pub cpu: Cpu,
    /// Registered memory (CI-11).
    pub memory: Bytes,
    /// Registered GPUs.
    pub gpus: u32,
    /// How many awsvpc tasks it can hold (EN-01).
    pub interfaces: u32,
    /// TCP host ports that are never free (TD-40), ascending.
    pub reserved_ports: Box<[u16]>,
    /// The version of its agent.
    pub agent_version: Symbol,
}

impl InstanceClass {
    /// The value of an attribute: none when it is absent, and an inner none when it has no value.
    pub fn attribute(&self, name: Symbol) -> Option<Option<Symbol>> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// Where and how tasks may be placed: what RunTask and CreateService have in common.
#[derive(Clone, Debug)]
pub struct Placing {
    /// EC2 or Fargate.
    pub launch_type: LaunchType,
    /// `placementStrategy`, in order; empty means the default (PL-13).
    pub strategies: Box<[Strategy]>,
    /// `placementConstraints` of the request.
    pub constraints: Box<[Constraint]>,
    /// The subnets of `networkConfiguration`; empty when there is none.
    pub subnets: Box<[Subnet]>,
    /// Whether tasks get a public IPv4 address.
    pub public_address: bool,
    /// The EBS volume that each task gets, if it gets one (TD-51).
    pub volume: Option<Row<ManagedVolume>>,
}

/// An EBS volume that is made for each task when it starts (TD-51).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ManagedVolume {
    /// Its type.
    pub kind: VolumeKind,
    /// How large it is.
    pub size: Bytes,
    /// Operations per second, where they are paid for.
    pub iops: u32,
    /// MiB per second, where they are paid for.
    pub throughput: u32,
    /// Whether it is deleted with its task; otherwise somebody keeps paying for it.
    pub deleted_with_task: bool,
}

/// `volumeType`, as far as prices are known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum VolumeKind {
    /// General purpose, the usual one.
    Gp3,
    /// General purpose, the former one.
    Gp2,
    /// Operations as ordered.
    Io1,
    /// Disks for throughput.
    St1,
    /// Disks for what is seldom read.
    Sc1,
}

/// One subnet of a network configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subnet {
    /// Its id.
    pub id: Symbol,
    /// The name of its zone.
    pub zone: Symbol,
}

/// `launchType`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LaunchType {
    /// On container instances.
    Ec2,
    /// On Fargate.
    Fargate,
}

/// One placement strategy (section 4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// Uniform among those that are left.
    Random,
    /// Least remaining CPU that still fits.
    BinpackCpu,
    /// Least remaining memory that still fits.
    BinpackMemory,
    /// Fewest tasks per instance.
    SpreadInstance,
    /// Fewest tasks per value of an attribute.
    SpreadAttribute(Symbol),
}

/// One placement constraint (section 4.3).
#[derive(Clone, Debug)]
pub enum Constraint {
    /// Each task of the group on an instance of its own.
    DistinctInstance,
    /// Only where the expression holds.
    MemberOf(Expression),
}

/// A service as created (section 5.1).
#[derive(Clone, Debug)]
pub struct ServiceDefinition {
    /// `serviceName`.
    pub name: Symbol,
    /// The task group of its tasks, `service:NAME` (TK-05).
    pub group: Symbol,
    /// The resolved revision (TD-04).
    pub task_definition: Row<TaskDefinition>,
    /// Where and how.
    pub placing: Placing,
    /// Wanted tasks at creation.
    pub desired_count: u32,
    /// `minimumHealthyPercent`.
    pub healthy_min: Percent,
    /// `maximumPercent`.
    pub running_max: Percent,
    /// `healthCheckGracePeriodSeconds` (SVC-21).
    pub grace: Span,
}

/// A RunTask or StartTask request (section 8.1), as often as it is made.
#[derive(Clone, Debug)]
pub struct TaskRequest {
    /// What its tasks are called in the scenario.
    pub name: Symbol,
    /// The resolved revision.
    pub task_definition: Row<TaskDefinition>,
    /// The task group, `family:FAMILY` unless given (TK-05).
    pub group: Symbol,
    /// Tasks per call, 1 to 10.
    pub count: u32,
    /// Where and how; ignored by StartTask but for the subnets.
    pub placing: Placing,
    /// StartTask: these instances instead of placement (PL-16), by name.
    pub instances: Option<Box<[Name]>>,
    /// `clientToken`: the same call again brings no new tasks (RT-03).
    pub client_token: Option<Symbol>,
}

// ---------------------------------------------------------------------------------------------------
// Rows: small, Copy, changing.

/// A container instance (section 2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContainerInstance {
    /// For draws.
    pub key: EntityKey,
    /// What people call it.
    pub name: Name,
    /// What it is.
    pub class: Row<InstanceClass>,
    /// Its state.
    pub status: InstanceStatus,
    /// Whether its agent holds a session (AG-01).
    pub agent_connected: bool,
    /// When it registered; the order of registration breaks ties (A-32).
    pub registered_at: Timestamp,
}

/// The status of a container instance (section 2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum InstanceStatus {
    /// Waits for its trunk interface (CI-01).
    Registering,
    /// Takes tasks.
    Active,
    /// Takes no new tasks.
    Draining,
    /// Gone, still listed.
    Inactive,
}

/// A task (section 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Task {
    /// For draws.
    pub key: EntityKey,
    /// What people call it.
    pub name: Name,
    /// What it is.
    pub definition: Row<TaskDefinition>,
    /// The task group (TK-05).
    pub group: Symbol,
    /// The service that started it.
    pub service: Option<Row<Service>>,
    /// EC2 or Fargate.
    pub launch_type: LaunchType,
    /// The container instance, on EC2.
    pub instance: Option<Row<ContainerInstance>>,
    /// The zone it runs in.
    pub zone: Symbol,
    /// Whether it has a public IPv4 address.
    pub public_address: bool,
    /// Its EBS volume.
    pub volume: Option<Row<ManagedVolume>>,
    /// RUNNING, or STOPPED once a stop was asked for (TK-01).
    pub desired: Desired,
    /// How far it got.
    pub status: TaskStatus,
    /// What its containers' health checks say (TD-25).
    pub health: Health,
    /// Why it stopped or stops.
    pub stop: Option<Stop>,
    /// When each step was taken.
    pub times: TaskTimes,
}

/// When a task took each of its steps (section 3.2); [`Timestamp::NEVER`] for a step not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskTimes {
    /// The request, the raise of the desired count, or the end of the task that it replaces.
    pub arrived: Timestamp,
    /// Placed; the row was written.
    pub created: Timestamp,
    /// The first pull began.
    pub pull_started: Timestamp,
    /// The last pull ended.
    pub pull_stopped: Timestamp,
    /// It reached RUNNING.
    pub started: Timestamp,
    /// It passed its checks, or reached RUNNING when it has none.
    pub ready: Timestamp,
    /// A stop was asked for.
    pub stopping: Timestamp,
    /// Its first essential container exited.
    pub execution_stopped: Timestamp,
    /// It reached STOPPED.
    pub stopped: Timestamp,
}

impl TaskTimes {
    /// The times of a task that has just been created.
    pub const fn created(arrived: Timestamp, created: Timestamp) -> Self {
        const NEVER: Timestamp = Timestamp::NEVER;
        TaskTimes {
            arrived,
            created,
            pull_started: NEVER,
            pull_stopped: NEVER,
            started: NEVER,
            ready: NEVER,
            stopping: NEVER,
            execution_stopped: NEVER,
            stopped: NEVER,
        }
    }
}

/// `desiredStatus` (TK-01).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Desired {
    /// It should run.
    Running,
    /// It should stop.
    Stopped,
}

/// `lastStatus` (section 3.1), in the order of a task's life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TaskStatus {
    /// Its network interface is attached.
    Provisioning,
    /// Waits for its agent.
    Pending,
    /// Images are pulled and containers created.
    Activating,
    /// All its containers have started.
    Running,
    /// Its targets are deregistered.
    Deactivating,
    /// Its containers are stopped.
    Stopping,
    /// Its network interface is detached.
    Deprovisioning,
    /// The end.
    Stopped,
}

impl TaskStatus {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            TaskStatus::Provisioning => "PROVISIONING",
            TaskStatus::Pending => "PENDING",
            TaskStatus::Activating => "ACTIVATING",
            TaskStatus::Running => "RUNNING",
            TaskStatus::Deactivating => "DEACTIVATING",
            TaskStatus::Stopping => "STOPPING",
            TaskStatus::Deprovisioning => "DEPROVISIONING",
            TaskStatus::Stopped => "STOPPED",
        }
    }
}

/// `healthStatus` (TD-25).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    /// No check, or none has spoken yet.
    Unknown,
    /// Every essential container with a check passes it.
    Healthy,
    /// One does not.
    Unhealthy,
}

/// Why a task stopped: the code and what the reason text is made of (section 3.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stop {
    /// An essential container exited.
    EssentialContainerExited {
        /// Which one, by place in the definition.
        container: u8,
        /// Its exit code.
        code: u8,
        /// Whether it was killed for memory.
        out_of_memory: bool,
    },
    /// It never reached RUNNING (section 3.4).
    TaskFailedToStart(StartFailure),
    /// StopTask.
    UserInitiated,
    /// The service scheduler stopped it: scale-in or a deployment.
    Scaling,
    /// The service scheduler stopped it: its health check failed.
    Unhealthy,
    /// Its instance is gone.
    HostTerminated,
}

/// Why a task never reached RUNNING (section 3.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StartFailure {
    /// `CannotPullContainerError`.
    CannotPull {
        /// Which container.
        container: u8,
    },
    /// `CannotStartContainerError`.
    CannotStart {
        /// Which container.
        container: u8,
    },
    /// `CannotStartContainerError: dependency graph` (TD-22).
    Dependency {
        /// Which container never started.
        container: u8,
    },
    /// The network interface was not attached in time (EN-03).
    InterfaceTimeout,
}

impl StartFailure {
    /// The failure as one number, for digests: never renumber.
    pub const fn word(self) -> u64 {
        match self {
            StartFailure::CannotPull { container } => 1 | (container as u64) << 8,
            StartFailure::CannotStart { container } => 2 | (container as u64) << 8,
            StartFailure::Dependency { container } => 3 | (container as u64) << 8,
            StartFailure::InterfaceTimeout => 4,
        }
    }
}

impl Stop {
    /// `stopCode`.
    pub const fn code(self) -> &'static str {
        match self {
            Stop::EssentialContainerExited { .. } => "EssentialContainerExited",
            Stop::TaskFailedToStart(_) => "TaskFailedToStart",
            Stop::UserInitiated => "UserInitiated",
            Stop::Scaling | Stop::Unhealthy => "ServiceSchedulerInitiated",
            Stop::HostTerminated => "TerminationNotice",
        }
    }
}

/// What a stop reason names beside the stop itself.
#[derive(Clone, Copy, Debug)]
pub struct StoppedTask {
    /// What the task was.
    pub definition: Row<TaskDefinition>,
    /// What people call it: tasks of a service are called by it.
    pub name: Name,
    /// The container instance that it ran on, if any.
    pub instance: Option<Name>,
}

/// The id of the deployment of a service, as AWS spells one: made of its name, the same in every run.
///
/// ```
/// use windtunnel::control::ecs::objects::deployment_id;
/// assert_eq!(deployment_id("web"), deployment_id("web"));
/// assert_eq!(deployment_id("web").len(), "ecs-svc/1234567890123456789".len());
/// ```
pub fn deployment_id(service: &str) -> String {
    const LEAST: u64 = 1_000_000_000_000_000_000;
    format!("ecs-svc/{}", LEAST + EntityKey::new("service", service, 0).low() % (9 * LEAST))
}

/// The id of the EC2 instance behind a container instance, as AWS spells one: made of its name.
pub fn ec2_instance_id(pool: &str, serial: u64) -> String {
    let key = EntityKey::new("instance", pool, serial);
    format!("i-{:x}{:016x}", key.high() >> 60, key.low())
}

impl Stop {
    /// `stoppedReason`, or for a container that failed its own reason (sections 3.3 and 3.4).
    pub fn reason(self, definitions: &Definitions, stopped: StoppedTask) -> String {
        let text = |symbol| definitions.symbols.text(symbol);
        let container = |index: u8| {
            let container = definitions[stopped.definition].containers.get(usize::from(index));
            container.map_or("", |container| text(container.name))
        };
        match self {
            Stop::EssentialContainerExited { container: index, code, out_of_memory } => {
                mark!("3.3/EssentialContainerExited");
                let name = container(index);
                let memory = if out_of_memory {
                    mark!("TK-06");
                    ", OutOfMemoryError: Container killed due to memory usage"
                } else {
                    ""
                };
                format!("Essential container in task exited ({name}, exit code {code}{memory})")
            }
            Stop::TaskFailedToStart(failure) => {
                mark!("3.3/TaskFailedToStart");
                failure.reason(&container)
            }
            Stop::UserInitiated => {
                mark!("3.3/UserInitiated");
                "Task stopped by user".to_owned()
            }
            Stop::Scaling => {
                mark!("3.3/ServiceSchedulerInitiated");
                let deployment = deployment_id(text(stopped.name.of));
                format!("Scaling activity initiated by (deployment {deployment})")
            }
            Stop::Unhealthy => {
                mark!("SVC-24");
                "Task failed container health checks".to_owned()
            }
            Stop::HostTerminated => {
                mark!("3.3/TerminationNotice");
                let instance = stopped.instance.map(|name| ec2_instance_id(text(name.of), name.serial));
                format!("Host EC2 (instance {}) terminated.", instance.unwrap_or_default())
            }
        }
    }
}

impl StartFailure {
    fn reason<'a>(self, name: &impl Fn(u8) -> &'a str) -> String {
        match self {
            StartFailure::CannotPull { container } => {
                mark!("3.4/CannotPullContainerError");
                format!("CannotPullContainerError: the image of {} could not be pulled", name(container))
            }
            StartFailure::CannotStart { container } => {
                mark!("3.4/CannotStartContainerError");
                format!("CannotStartContainerError: {} could not be started", name(container))
            }
            StartFailure::Dependency { container } => {
                mark!("3.4/CannotStartContainerError");
                format!("CannotStartContainerError: dependency graph: {} can never start", name(container))
            }
            StartFailure::InterfaceTimeout => {
                mark!("3.4/InternalError");
                "InternalError: Timeout waiting for network interface provisioning to complete.".to_owned()
            }
        }
    }
}

/// A service (section 5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Service {
    /// For draws.
    pub key: EntityKey,
    /// What it is.
    pub definition: Row<ServiceDefinition>,
    /// Wanted tasks.
    pub desired_count: u32,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The record of one control plane as one process sees it.
#[derive(Clone, Copy, Debug)]
pub struct EcsView<'a> {
    /// What everything is.
    pub definitions: &'a Definitions,
    /// Container instances.
    pub instances: Reader<'a, ContainerInstance>,
    /// Tasks.
    pub tasks: Reader<'a, Task>,
    /// Services.
    pub services: Reader<'a, Service>,
    /// The tasks of each service, by the number of its row; filter by the row as of the cursor.
    pub tasks_of_service: &'a Index<Task>,
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mark::must_reach;

    /// One definition of one container, `app`.
    fn definitions() -> Definitions {
        let mut definitions = Definitions::default();
        let name = definitions.symbols.intern("app");
        let container = ContainerDefinition {
            name,
            image: name,
            essential: true,
            depends_on: Box::default(),
            start_timeout: None,
            stop_timeout: None,
            health_check: None,
            restart_policy: None,
            dynamic_ports: 0,
        };
        definitions.tasks.push(TaskDefinition {
            family: name,
            revision: 1,
            network_mode: NetworkMode::Bridge,
            containers: [container].into(),
            reservation: Reservation::default(),
            required_attributes: Box::default(),
            constraints: Box::default(),
            runs_on_ec2: true,
            volume_at_launch: None,
            fargate: None,
        });
        definitions
    }

    #[test]
    fn ids_have_the_form_of_real_ones() {
        let digits = |id: &str, prefix: &str| id.strip_prefix(prefix).map(str::to_owned).unwrap_or_default();
        for serial in 0..50 {
            let deployment = digits(&deployment_id(&format!("web-{serial}")), "ecs-svc/");
            assert!(deployment.len() == 19 && deployment.bytes().all(|digit| digit.is_ascii_digit()));
            let instance = digits(&ec2_instance_id("fleet", serial), "i-");
            assert!(instance.len() == 17 && instance.bytes().all(|digit| digit.is_ascii_hexdigit()));
        }
        assert_ne!(deployment_id("web"), deployment_id("api"));
        assert_ne!(ec2_instance_id("fleet", 0), ec2_instance_id("fleet", 1));
    }

    #[test]
    fn stops_read_as_documented() {
        let definitions = definitions();
        let failed = Stop::TaskFailedToStart;
        let exited =
            |code, out_of_memory| Stop::EssentialContainerExited { container: 0, code, out_of_memory };
        let rows = [
            (
                &["3.3/EssentialContainerExited"][..],
                exited(3, false),
                "EssentialContainerExited",
                "Essential container in task exited (app, exit code 3)",
            ),
            (
                &["3.3/EssentialContainerExited", "TK-06"],
                exited(137, true),
                "EssentialContainerExited",
                "Essential container in task exited (app, exit code 137, OutOfMemoryError: Container killed \
                 due to memory usage)",
            ),
            (
                &["3.3/TaskFailedToStart", "3.4/CannotPullContainerError"],
                failed(StartFailure::CannotPull { container: 0 }),
                "TaskFailedToStart",
                "CannotPullContainerError: the image of app could not be pulled",
            ),
            (
                &["3.3/TaskFailedToStart", "3.4/CannotStartContainerError"],
                failed(StartFailure::CannotStart { container: 0 }),
                "TaskFailedToStart",
                "CannotStartContainerError: app could not be started",
            ),
            (
                &["3.4/CannotStartContainerError"],
                failed(StartFailure::Dependency { container: 0 }),
                "TaskFailedToStart",
                "CannotStartContainerError: dependency graph: app can never start",
            ),
            (
                &["3.4/InternalError"],
                failed(StartFailure::InterfaceTimeout),
                "TaskFailedToStart",
                "InternalError: Timeout waiting for network interface provisioning to complete.",
            ),
            (&["3.3/UserInitiated"], Stop::UserInitiated, "UserInitiated", "Task stopped by user"),
            (
                &["3.3/ServiceSchedulerInitiated"],
                Stop::Scaling,
                "ServiceSchedulerInitiated",
                "Scaling activity initiated by (deployment ecs-svc/DIGITS)",
            ),
            (
                &["SVC-24"],
                Stop::Unhealthy,
                "ServiceSchedulerInitiated",
                "Task failed container health checks",
            ),
            (
                &["3.3/TerminationNotice"],
                Stop::HostTerminated,
                "TerminationNotice",
                "Host EC2 (instance i-DIGITS) terminated.",
            ),
        ];
        let name = Name { of: definitions.tasks[0].family, serial: 3 };
        let stopped = StoppedTask { definition: Row::at(0), name, instance: Some(name) };
        for (marks, stop, code, reason) in rows {
            assert_eq!(stop.code(), code);
            let reason = match stop {
                Stop::Scaling => reason.replace("ecs-svc/DIGITS", &deployment_id("app")),
                _ => reason.replace("i-DIGITS", &ec2_instance_id("app", 3)),
            };
            assert_eq!(must_reach(marks, || stop.reason(&definitions, stopped)), reason);
        }
    }
}
