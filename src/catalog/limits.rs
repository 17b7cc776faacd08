//! What AWS allows: quotas of ECS and Fargate, and the token buckets of the ECS and EC2 APIs.
//!
//! All are defaults of an account; many can be raised, so a scenario may replace each field. Where the
//! measured throttling table and the specification differ, the table wins. Knows nothing of who calls.

use crate::base::Bytes;

/// The quotas of ECS and Fargate (sections 9.1, QT-01 to QT-03).
///
/// ```
/// use windtunnel::catalog::limits::EcsQuotas;
/// let quotas = EcsQuotas { fargate_vcpus: 4000, ..EcsQuotas::default() };
/// assert_eq!(quotas.tasks_per_service, 5000);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EcsQuotas {
    /// Clusters per account and region: 10,000, adjustable.
    pub clusters: u32,
    /// Services per cluster: 5,000, adjustable.
    pub services_per_cluster: u32,
    /// Tasks per service: 5,000, adjustable.
    pub tasks_per_service: u32,
    /// Tasks per service with Cloud Map discovery: 1,000, adjustable.
    pub tasks_per_service_with_discovery: u32,
    /// Container instances per cluster: 5,000, adjustable.
    pub container_instances_per_cluster: u32,
    /// Capacity providers per cluster: 20.
    pub capacity_providers_per_cluster: u32,
    /// Target groups per service: 5.
    pub target_groups_per_service: u32,
    /// Classic load balancers per service: 1.
    pub classic_load_balancers_per_service: u32,
    /// Containers per task definition: 10.
    pub containers_per_task_definition: u32,
    /// Size of a task definition: 64 KiB.
    pub task_definition_size: Bytes,
    /// Revisions per family: 1,000,000.
    pub revisions_per_family: u32,
    /// Subnets per `awsvpcConfiguration`: 16.
    pub subnets_per_configuration: u32,
    /// Security groups per `awsvpcConfiguration`: 5.
    pub security_groups_per_configuration: u32,
    /// Tasks in PROVISIONING per cluster: 500.
    pub provisioning_tasks_per_cluster: u32,
    /// Tasks that one `RunTask` starts: 10.
    pub tasks_per_run_task: u32,
    /// Instances that one `StartTask` names: 10.
    pub instances_per_start_task: u32,
    /// Tags per resource: 50.
    pub tags_per_resource: u32,
    /// Tasks that a service launches per minute on Fargate: 500, adjustable; 125 in smaller regions.
    pub fargate_launches_per_minute: u32,
    /// Tasks that a service launches per minute on EC2 and external instances: 500.
    pub ec2_launches_per_minute: u32,
    /// vCPUs of Fargate On-Demand per account and region: 6 for a new account, adjustable (QT-01).
    pub fargate_vcpus: u32,
    /// vCPUs of Fargate Spot per account and region: 6, adjustable (QT-01).
    pub fargate_spot_vcpus: u32,
    /// vCPUs of On-Demand Standard instances: 5 for a new account, adjustable (QT-03, assumed).
    pub standard_vcpus: u32,
    /// Task launches of Fargate, On-Demand and Spot each with one of its own: 100, 20 a second (QT-02).
    pub fargate_launches: Bucket,
    /// `RunTask` calls for Fargate: 20, 20 a second (QT-02).
    pub fargate_run_task: Bucket,
}

/// How many at once, and how many more each second. A full bucket takes no refill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bucket {
    /// How many tokens a full bucket holds.
    pub burst: u32,
    /// How many tokens a second bring.
    pub per_second: u32,
}

/// Calls of the ECS API that share a bucket (section 9.2).
///
/// ```
/// use windtunnel::catalog::limits::{Bucket, EcsCalls};
/// assert_eq!(EcsCalls::ServiceModify.bucket(), Bucket { burst: 50, per_second: 5 });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EcsCalls {
    /// Make and change clusters.
    ClusterModify,
    /// Describe clusters.
    ClusterRead,
    /// Register and deregister task definitions.
    TaskDefinitionModify,
    /// Describe and list task definitions.
    TaskDefinitionRead,
    /// Delete task definitions.
    TaskDefinitionDelete,
    /// Make and change capacity providers.
    CapacityProviderModify,
    /// Describe capacity providers.
    CapacityProviderRead,
    /// Tag and untag.
    TagModify,
    /// List tags.
    TagRead,
    /// Change account settings.
    AccountSettingModify,
    /// List account settings.
    AccountSettingRead,
    /// `RunTask`, `StartTask`, `StopTask`, `DeregisterContainerInstance`, `PutAttributes`,
    /// `UpdateContainerInstancesState` and the like.
    ClusterResourceModify,
    /// `DescribeTasks`, `ListTasks` and the like.
    ClusterResourceRead,
    /// `RegisterContainerInstance` and the reports of the agent.
    AgentModify,
    /// Make, change and delete services.
    ServiceModify,
    /// Describe services.
    ServiceRead,
    /// Describe service deployments and revisions.
    ServiceDeploymentRead,
    /// Protect tasks.
    TaskProtection,
    /// Make, change and delete task sets.
    TaskSetModify,
    /// `ListServicesByNamespace`.
    ListServicesByNamespace,
}

/// Calls of the EC2 API that share a bucket (section 9.3).
///
/// ```
/// use windtunnel::catalog::limits::{Bucket, Ec2Calls};
/// assert_eq!(Ec2Calls::RunInstances.requests(), Bucket { burst: 5, per_second: 2 });
/// assert_eq!(Ec2Calls::StopInstances.instances(), Some(Bucket { burst: 1000, per_second: 20 }));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ec2Calls {
    /// `RunInstances`.
    RunInstances,
    /// `StartInstances`.
    StartInstances,
    /// `StopInstances`.
    StopInstances,
    /// `TerminateInstances`.
    TerminateInstances,
    /// `CreateFleet`; that it takes from the instances of `RunInstances` is assumed.
    CreateFleet,
    /// Make, change and delete network interfaces and their addresses.
    NetworkInterface,
    /// Make and delete volumes, make snapshots.
    Volume,
    /// Make and delete tags.
    Tags,
    /// Make and change launch templates.
    LaunchTemplate,
    /// Every other call that changes something, heavy ones included.
    OtherModify,
    /// Describe instances, interfaces, security groups, snapshots, spot requests or volumes without filter
    /// and pages.
    DescribeUnfiltered,
    /// Every other call that describes, lists or gets.
    OtherRead,
}

/// In smaller regions a service launches at most this many Fargate tasks per minute (section 9.1).
pub const FARGATE_LAUNCHES_PER_MINUTE_SMALL_REGION: u32 = 125;
/// The Fargate launches of smaller regions (QT-02).
pub const FARGATE_LAUNCHES_SMALL_REGION: Bucket = Bucket::new(25, 5);

impl Default for EcsQuotas {
    fn default() -> Self {
        EcsQuotas {
            clusters: 10_000,
            services_per_cluster: 5_000,
            tasks_per_service: 5_000,
            tasks_per_service_with_discovery: 1_000,
            container_instances_per_cluster: 5_000,
            capacity_providers_per_cluster: 20,
            target_groups_per_service: 5,
            classic_load_balancers_per_service: 1,
            containers_per_task_definition: 10,
            task_definition_size: Bytes::kib(64),
            revisions_per_family: 1_000_000,
            subnets_per_configuration: 16,
            security_groups_per_configuration: 5,
            provisioning_tasks_per_cluster: 500,
            tasks_per_run_task: 10,
            instances_per_start_task: 10,
            tags_per_resource: 50,
            fargate_launches_per_minute: 500,
            ec2_launches_per_minute: 500,
            fargate_vcpus: 6,
            fargate_spot_vcpus: 6,
            standard_vcpus: 5,
            fargate_launches: Bucket::new(100, 20),
            fargate_run_task: Bucket::new(20, 20),
        }
    }
}

impl Bucket {
    /// A bucket of so many tokens and so many more each second.
    pub const fn new(burst: u32, per_second: u32) -> Self {
        Bucket { burst, per_second }
    }
}

impl EcsCalls {
    /// The bucket of these calls, one per account and region.
    pub const fn bucket(self) -> Bucket {
        match self {
            EcsCalls::ClusterModify | EcsCalls::TaskDefinitionModify => Bucket::new(20, 1),
            EcsCalls::TaskDefinitionDelete => Bucket::new(5, 1),
            EcsCalls::CapacityProviderModify
            | EcsCalls::AccountSettingModify
            | EcsCalls::ListServicesByNamespace => Bucket::new(10, 1),
            EcsCalls::TagModify => Bucket::new(20, 10),
            EcsCalls::ClusterRead
            | EcsCalls::TaskDefinitionRead
            | EcsCalls::CapacityProviderRead
            | EcsCalls::TagRead
            | EcsCalls::AccountSettingRead
            | EcsCalls::ServiceDeploymentRead => Bucket::new(50, 20),
            EcsCalls::ClusterResourceModify => Bucket::new(100, 40),
            EcsCalls::ClusterResourceRead | EcsCalls::ServiceRead | EcsCalls::TaskSetModify => {
                Bucket::new(100, 20)
            }
            EcsCalls::AgentModify => Bucket::new(200, 120),
            EcsCalls::ServiceModify => Bucket::new(50, 5),
            EcsCalls::TaskProtection => Bucket::new(200, 80),
        }
    }
}

impl Ec2Calls {
    /// The bucket that each call takes one token from, one per account and region.
    pub const fn requests(self) -> Bucket {
        match self {
            Ec2Calls::RunInstances | Ec2Calls::StartInstances => Bucket::new(5, 2),
            Ec2Calls::TerminateInstances
            | Ec2Calls::NetworkInterface
            | Ec2Calls::Volume
            | Ec2Calls::LaunchTemplate => Bucket::new(100, 5),
            Ec2Calls::StopInstances | Ec2Calls::CreateFleet | Ec2Calls::OtherModify => Bucket::new(50, 5),
            Ec2Calls::Tags => Bucket::new(100, 10),
            Ec2Calls::DescribeUnfiltered => Bucket::new(50, 10),
            Ec2Calls::OtherRead => Bucket::new(100, 20),
        }
    }

    /// The bucket that each instance of a call takes one token from.
    pub const fn instances(self) -> Option<Bucket> {
        match self {
            Ec2Calls::RunInstances | Ec2Calls::StartInstances | Ec2Calls::CreateFleet => {
                Some(Bucket::new(1000, 2))
            }
            Ec2Calls::TerminateInstances | Ec2Calls::StopInstances => Some(Bucket::new(1000, 20)),
            Ec2Calls::NetworkInterface
            | Ec2Calls::Volume
            | Ec2Calls::Tags
            | Ec2Calls::LaunchTemplate
            | Ec2Calls::OtherModify
            | Ec2Calls::DescribeUnfiltered
            | Ec2Calls::OtherRead => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecs_buckets_of_section_9_2() {
        use EcsCalls as E;
        let rows = [
            (E::ClusterModify, 20, 1),
            (E::ClusterRead, 50, 20),
            (E::TaskDefinitionModify, 20, 1),
            (E::TaskDefinitionRead, 50, 20),
            (E::TaskDefinitionDelete, 5, 1),
            (E::CapacityProviderModify, 10, 1),
            (E::CapacityProviderRead, 50, 20),
            (E::TagModify, 20, 10),
            (E::TagRead, 50, 20),
            (E::AccountSettingModify, 10, 1),
            (E::AccountSettingRead, 50, 20),
            (E::ClusterResourceModify, 100, 40),
            (E::ClusterResourceRead, 100, 20),
            (E::AgentModify, 200, 120),
            (E::ServiceModify, 50, 5),
            (E::ServiceRead, 100, 20),
            (E::ServiceDeploymentRead, 50, 20),
            (E::TaskProtection, 200, 80),
            (E::TaskSetModify, 100, 20),
            (E::ListServicesByNamespace, 10, 1),
        ];
        for (calls, burst, per_second) in rows {
            assert_eq!(calls.bucket(), Bucket { burst, per_second }, "{calls:?}");
        }
    }

    /// The throttling table of the calibration: requests, then instances.
    #[test]
    fn ec2_buckets() {
        use Ec2Calls as E;
        let rows = [
            (E::RunInstances, (5, 2), Some((1000, 2))),
            (E::StartInstances, (5, 2), Some((1000, 2))),
            (E::StopInstances, (50, 5), Some((1000, 20))),
            (E::TerminateInstances, (100, 5), Some((1000, 20))),
            (E::CreateFleet, (50, 5), Some((1000, 2))),
            (E::NetworkInterface, (100, 5), None),
            (E::Volume, (100, 5), None),
            (E::Tags, (100, 10), None),
            (E::LaunchTemplate, (100, 5), None),
            (E::OtherModify, (50, 5), None),
            (E::DescribeUnfiltered, (50, 10), None),
            (E::OtherRead, (100, 20), None),
        ];
        let pair = |bucket: Bucket| (bucket.burst, bucket.per_second);
        for (calls, requests, instances) in rows {
            assert_eq!(
                (pair(calls.requests()), calls.instances().map(pair)),
                (requests, instances),
                "{calls:?}"
            );
        }
    }
}
