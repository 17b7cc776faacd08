//! The plan: a scenario for one platform, validated and lowered. All that a run needs but the seed.
//!
//! Made by `scenario`, immutable, shared by every run of a sweep. Everything in it is in range: a run
//! never refuses its plan. Knows nothing of text.

use std::sync::Arc;

use crate::base::hash::Map;
use crate::base::token_bucket::TokenBucket;
use crate::base::{Bytes, EntityKey, Name, Row, Span, Symbol, Timestamp};
use crate::catalog::Rate;
use crate::catalog::fargate::Platform as FargatePlatform;
use crate::catalog::fargate::Rates as FargateRates;
use crate::control::ecs::objects::{
    Definitions, FargateShape, InstanceClass, ServiceDefinition, TaskRequest,
};
use crate::control::ecs::placement::PlacementSettings;
use crate::control::ecs::service::SchedulerSettings;
use crate::control::node::ecs_agent::AgentSettings;
use crate::engine::Quantiles;
use crate::workload::Arrivals;
use crate::workload::trace::{Pace, Shape, Size, TraceSource};
use crate::world::{Registry, WorldSettings};

use super::kubernetes::KubernetesPlan;

/// What one platform of a scenario comes down to.
#[derive(Debug)]
pub struct Plan {
    /// The scenario's name.
    pub scenario: String,
    /// The platform's name. Renaming it changes no draw.
    pub platform: String,
    /// When the run starts.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// Everything ECS decides on.
    pub definitions: Definitions,
    /// The images and how their applications behave.
    pub registry: Registry,
    /// The machines launched at the start.
    pub pools: Vec<Pool>,
    /// The services created, and when.
    pub services: Vec<(Timestamp, Row<ServiceDefinition>)>,
    /// RunTask and StartTask calls that are made again and again.
    pub arrivals: Vec<Arrival>,
    /// Traces that are replayed.
    pub traces: Vec<Replay>,
    /// How long the work of standalone tasks takes, by the name of the request.
    pub takes: Map<Symbol, Quantiles>,
    /// What callers do whose call for a standalone task failed, by the name of the request.
    pub retries: Map<Symbol, Retry>,
    /// Physics.
    pub world: WorldSettings,
    /// Decisions and the API.
    pub ecs: EcsSettings,
    /// The Kubernetes cluster, where this is one.
    pub kubernetes: Option<Box<KubernetesPlan>>,
    /// What things cost.
    pub rates: Rates,
}

/// Machines of one kind, spread over subnets.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its name; machines are called by it.
    pub name: Symbol,
    /// What its container instances are: one class per subnet.
    pub classes: Vec<Row<InstanceClass>>,
    /// How many machines.
    pub count: u32,
    /// When they are asked for.
    pub launch_at: Timestamp,
}

/// One RunTask request, made by a process of arrivals.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When.
    pub arrivals: Arrivals,
    /// What.
    pub request: Row<TaskRequest>,
}

/// A trace whose rows become RunTask calls.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What its tasks are called.
    pub name: Symbol,
    /// For draws.
    pub key: EntityKey,
    /// Where its bytes come from.
    pub source: Arc<dyn TraceSource>,
    /// What is read of it.
    pub shape: Shape,
    /// How requests become tasks, where it is a rate.
    pub pace: Pace,
    /// The hash that the first pass found.
    pub hash: String,
    /// When it begins.
    pub from: Timestamp,
    /// Nothing arrives at or after this.
    pub until: Timestamp,
    /// What is asked for, by size, in the order of the sizes.
    pub requests: Vec<(Size, Row<TaskRequest>)>,
}

/// What a caller does whose call failed: the same call again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retry {
    /// How long after a failure.
    pub every: Span,
    /// How long after the first call it gives up.
    pub within: Span,
}

/// A machine, as facts and bills name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine {
    /// For draws.
    pub key: EntityKey,
    /// What people call it: pool and number.
    pub name: Name,
    /// What it is.
    pub class: Row<InstanceClass>,
    /// When it was asked for.
    pub requested: Timestamp,
}

/// Decisions, agents and the API of ECS.
#[derive(Clone, Debug)]
pub struct EcsSettings {
    /// The scheduler.
    pub scheduler: SchedulerSettings,
    /// Placement.
    pub placement: PlacementSettings,
    /// Agents.
    pub agent: Arc<AgentSettings>,
    /// Attaching the interface of an awsvpc task: `ecs.task.awsvpc_extra`; supersedes the EC2 part of
    ///
    pub interface_attach: Quantiles,
    /// The control plane gives up on an interface after this.
    pub interface_timeout: Span,
    /// Making and attaching the EBS volume of a task, after its interface.
    pub volume_attach: Span,
    /// Detaching the interface.
    pub interface_detach: Span,
    /// How long a client token of RunTask is remembered.
    pub token_memory: Span,
    /// How long a stopped task can still be described (TK-03).
    pub retention: Span,
    /// The bucket of RunTask calls (section 9.2, "Cluster resource modify"), full; none for no limit.
    pub run_task_bucket: Option<TokenBucket>,
}

/// What things cost, with the source of each rate.
#[derive(Clone, Debug)]
pub struct Rates {
    /// An instance, by the number of its class.
    pub instances: Vec<Rate>,
    /// The root volume of an instance.
    pub root_volume: Rate,
    /// How large that is.
    pub root_volume_size: Bytes,
    /// Fargate, by platform; empty where the region has none.
    pub fargate: Vec<(FargatePlatform, FargateRates)>,
    /// A public IPv4 address.
    pub public_address: Rate,
    /// Where: for what is rated when the bill is written.
    pub region: &'static str,
}

impl Pool {
    /// How many machines each subnet gets: as even as can be, the first subnets one more.
    pub fn wanted(&self) -> Vec<u32> {
        let subnets = u32::try_from(self.classes.len()).expect("at most 16 subnets");
        (0..subnets).map(|nth| (self.count + subnets - 1 - nth) / subnets).collect()
    }
}

impl Rates {
    /// The Fargate rates of a shape. Panics where the region has none: lowering checks.
    pub fn fargate(&self, shape: &FargateShape) -> (FargatePlatform, &FargateRates) {
        let platform = match (shape.windows, shape.arm64) {
            (true, _) => FargatePlatform::WindowsX86_64,
            (false, true) => FargatePlatform::LinuxArm64,
            (false, false) => FargatePlatform::LinuxX86_64,
        };
        let found = self.fargate.iter().find(|(of, _)| *of == platform);
        (platform, &found.expect("lowering checks that the region has Fargate rates").1)
    }
}

impl Plan {
    /// Everything ECS decides on.
    pub const fn definitions(&self) -> &Definitions {
        &self.definitions
    }
}
