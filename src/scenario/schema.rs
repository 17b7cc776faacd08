//! The scenario language: what a scenario file may say, as structs.
//!
//! Field names are the keys. Shapes only: what a name refers to, and whether it exists, is checked
//! when a platform is [lowered](mod@super::lower). Opens no file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::arrival::Every;
use super::distribution::Distribution;
use super::document::Document;
use super::json_schema;
use super::text::Placed;
use crate::base::{Bytes, Percent, Span, Timestamp};

/// A scenario file.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct Scenario {
    /// Its name; results go to `out/NAME`.
    pub name: Placed<String>,
    /// What it is about, in a sentence.
    #[serde(default)]
    pub about: String,
    /// The AWS region.
    #[schemars(schema_with = "json_schema::region")]
    pub region: Placed<String>,
    /// When it starts; 2026-03-02T00:00:00Z unless said.
    pub start: Option<Timestamp>,
    /// How long it runs.
    pub run_for: Placed<Span>,
    /// The first seed.
    #[serde(default = "one")]
    pub seed: u64,
    /// How many runs with neighbouring seeds.
    pub replications: Option<Placed<u32>>,
    /// Zone names to zone ids, where the account's mapping is known.
    #[serde(default)]
    pub zones: BTreeMap<Placed<String>, Placed<String>>,
    /// Subnet ids to zone names.
    #[serde(default)]
    pub subnets: BTreeMap<Placed<String>, Placed<String>>,
    /// Settings of the account.
    #[serde(default)]
    pub account: Account,
    /// The images and how their applications behave.
    #[serde(default)]
    pub images: Images,
    /// Calibrated settings, replaced by name.
    #[serde(default)]
    #[schemars(schema_with = "json_schema::settings")]
    pub settings: BTreeMap<Placed<String>, Placed<Value>>,
    /// Tasks and pods that are asked for again and again.
    #[serde(default)]
    pub arrivals: BTreeMap<Placed<String>, Arrival>,
    /// The platforms to compare.
    pub platforms: Placed<BTreeMap<Placed<String>, Platform>>,
}

fn one() -> u64 {
    1
}

/// Settings of the account.
#[derive(Clone, Deserialize, JsonSchema, Default, Debug)]
#[serde(default)]
pub struct Account {
    /// Whether `awsvpcTrunking` is on: more awsvpc tasks per instance (EN-01).
    pub awsvpc_trunking: bool,
    /// Service quotas that differ from the defaults of a new account.
    pub quotas: Quotas,
    /// Whether API and launch rates are limited; on unless said.
    pub api_limits: Option<bool>,
}

/// Service quotas (section 9.1 of the specification).
#[derive(Clone, Deserialize, JsonSchema, Default, Debug)]
#[serde(default)]
pub struct Quotas {
    /// Fargate On-Demand vCPUs running at once (QT-01).
    pub fargate_vcpus: Option<u32>,
    /// How fast Fargate launches tasks (QT-02).
    pub fargate_launches: Option<Launches>,
    /// Container instances per cluster.
    pub container_instances: Option<u32>,
    /// Tasks per service.
    pub tasks_per_service: Option<u32>,
}

/// A rate of launches, and how many may come at once.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct Launches {
    /// So many at once, after a while without any.
    pub at_once: Placed<u32>,
    /// So many a second from then on.
    pub per_second: Placed<u32>,
}

/// The images.
#[derive(Clone, Deserialize, JsonSchema, Default, Debug)]
#[serde(default)]
pub struct Images {
    /// What holds where an image says nothing.
    pub defaults: Image,
    /// By reference, `*` for any text; of several that match, the longest pattern holds.
    pub by_name: BTreeMap<Placed<String>, Image>,
}

/// An image and how its application behaves.
#[derive(Clone, Deserialize, JsonSchema, Default, Debug)]
#[serde(default)]
pub struct Image {
    /// Compressed, as the registry stores it.
    pub size: Option<Placed<Bytes>>,
    /// Layers that other images share, by name; the rest of the size is the image's own layer.
    pub layers: Option<BTreeMap<String, Placed<Bytes>>>,
    /// From the start of the container until its health check passes.
    pub app_start: Option<Distribution<Span>>,
    /// How long its work takes, if it ends by itself.
    pub takes: Option<Distribution<Span>>,
    /// With which code it then exits.
    pub exit_code: Option<u8>,
    /// When it crashes, if ever.
    pub crash: Option<Crash>,
    /// From SIGTERM to its exit.
    pub shutdown: Option<Distribution<Span>>,
    /// How many of its containers ignore SIGTERM.
    pub ignores_sigterm: Option<Placed<Percent>>,
    /// How many pulls fail.
    pub pull_failure: Option<Placed<Percent>>,
    /// Until its health check fails for good, if ever.
    pub unhealthy_after: Option<Distribution<Span>>,
}

/// How an application crashes.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct Crash {
    /// How long after its start.
    pub after: Distribution<Span>,
    /// With which exit code; 1 unless said.
    pub exit_code: Option<u8>,
    /// Whether it is killed for memory.
    #[serde(default)]
    pub out_of_memory: bool,
}

/// Standalone tasks or pods: a genuine RunTask request, a genuine Pod, and when they are asked for.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct Arrival {
    /// Once, this long after the start.
    pub at: Option<Placed<Span>>,
    /// Again and again: `6/h`, `{ poisson: 6/h }`, or at a rate that changes.
    pub every: Option<Placed<Every>>,
    /// As a trace recorded it.
    pub trace: Option<Placed<Trace>>,
    /// The first call with `every`, the beginning of a trace; the start unless said.
    pub from: Option<Span>,
    /// No calls from here on; the end unless said.
    pub until: Option<Placed<Span>>,
    /// At most so many calls.
    pub calls: Option<Placed<u64>>,
    /// How long the work of each task or pod takes; as its image says unless said.
    pub takes: Option<Placed<Distribution<Span>>>,
    /// What a caller does whose call failed; nothing unless said.
    pub retry: Option<Retry>,
    /// The request that an ECS platform gets, by its genuine field names.
    #[serde(default)]
    #[schemars(schema_with = "json_schema::optional_request")]
    pub run_task: Option<Placed<Value>>,
    /// The pod that an EKS platform gets, by its genuine field names.
    pub pod: Option<Document>,
    /// How many pods each arrival creates; 1 unless said.
    pub pods: Option<Placed<u32>>,
    /// How long after its creation each pod is deleted; never unless said.
    pub deleted_after: Option<Placed<Distribution<Span>>>,
}

/// A recorded trace, as a file beside the scenario.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct Trace {
    /// What its columns mean.
    pub format: Placed<TraceFormat>,
    /// The file, plain or compressed with gzip.
    pub file: Placed<String>,
    /// Only rows with these texts in these columns.
    #[serde(default)]
    pub only: BTreeMap<Placed<String>, Placed<String>>,
    /// The first part of the trace, which is left out.
    #[serde(default)]
    pub skip: Span,
    /// Of a rate: the column of the time.
    pub time: Option<Placed<String>>,
    /// Of a rate: one unit of that column; a second unless said.
    pub time_unit: Option<Placed<Span>>,
    /// Of a rate: how long each interval is; one unit of the time unless said.
    pub interval: Option<Placed<Span>>,
    /// Of a rate: the column of the count.
    pub value: Option<Placed<String>>,
    /// Of a rate: how many of the count make a task.
    pub per_task: Option<Placed<u64>>,
    /// Of a rate: how tasks follow each other; evenly unless said.
    pub spacing: Option<Placed<Spacing>>,
}

/// What the columns of a trace mean.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum TraceFormat {
    /// Virtual machines.
    AzureVm,
    /// Batch jobs.
    LcgJob,
    /// Containers with GPUs.
    DlrmContainer,
    /// A rate over time.
    Rate,
}

/// How the tasks of a rate follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// One after each so many requests.
    Even,
    /// Independently of each other, at the same rate.
    Poisson,
}

/// What a caller does whose call failed: the same call again.
#[derive(Clone, Copy, Deserialize, JsonSchema, Debug)]
pub struct Retry {
    /// How long after each failure.
    pub every: Placed<Span>,
    /// How long after the first call it gives up.
    #[serde(rename = "for")]
    pub within: Span,
}

/// A platform: one world with one cluster, either of ECS or of EKS.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
#[schemars(extend("oneOf" = [{ "required": ["ecs"] }, { "required": ["eks"] }]))]
pub struct Platform {
    /// What it is, in a few words.
    #[serde(default)]
    pub about: String,
    /// An ECS cluster.
    pub ecs: Option<Placed<Ecs>>,
    /// An EKS cluster on a fixed set of nodes.
    pub eks: Option<Placed<Eks>>,
}

/// An ECS cluster.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct Ecs {
    /// Request files beside the scenario, `*` for any text.
    pub requests: Placed<String>,
    /// Replaces what the requests say about where tasks run.
    pub launch_type: LaunchType,
    /// Replaces what the requests say about the placement of tasks, by its genuine field names.
    pub placement_strategy: Option<Placed<Value>>,
    /// When the requests are made, counted from the start.
    #[serde(default)]
    pub requests_at: Span,
    /// Container instances, launched at the start.
    #[serde(default)]
    pub pools: BTreeMap<Placed<String>, Pool>,
}

/// Where tasks run.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Debug)]
pub enum LaunchType {
    /// On container instances.
    #[serde(rename = "EC2")]
    Ec2,
    /// On Fargate.
    #[serde(rename = "FARGATE")]
    Fargate,
}

/// Container instances of one type.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct Pool {
    /// The EC2 instance type.
    #[schemars(schema_with = "json_schema::instance_type")]
    pub instance_type: Placed<String>,
    /// How many.
    pub count: Placed<u32>,
    /// In which subnets; in all unless said.
    pub subnets: Option<Vec<Placed<String>>>,
    /// Custom attributes for placement (CI-21).
    #[serde(default)]
    pub attributes: BTreeMap<Placed<String>, Placed<String>>,
}

/// An EKS cluster on a fixed set of nodes.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct Eks {
    /// Manifests beside the scenario, YAML or JSON, `*` for any text.
    pub manifests: Option<Placed<String>>,
    /// Nodes of EC2 instances, Ready when the run starts.
    #[serde(default)]
    pub node_groups: BTreeMap<Placed<String>, NodeGroup>,
    /// The configuration of the scheduler, by its genuine field names.
    pub scheduler: Option<Document>,
}

/// Nodes of one instance type.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct NodeGroup {
    /// The EC2 instance type.
    #[schemars(schema_with = "json_schema::instance_type")]
    pub instance_type: Placed<String>,
    /// How many.
    pub count: Placed<u32>,
    /// In which subnets; in all unless said.
    pub subnets: Option<Vec<Placed<String>>>,
    /// Labels beside those that every EKS node has.
    #[serde(default)]
    pub labels: BTreeMap<Placed<String>, Placed<String>>,
    /// Taints.
    #[serde(default)]
    pub taints: Vec<Taint>,
}

/// A taint of every node of a group.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct Taint {
    /// Its key.
    pub key: Placed<String>,
    /// Its value; empty unless said.
    pub value: Option<Placed<String>>,
    /// What it does to pods that do not tolerate it.
    pub effect: TaintEffect,
}

/// What a taint does.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Debug)]
pub enum TaintEffect {
    /// They are not placed there.
    NoSchedule,
    /// They are placed elsewhere if possible.
    PreferNoSchedule,
    /// They are not placed there; those that are there stay, since eviction is not modelled.
    NoExecute,
}

impl Platform {
    /// The pattern of the files that it reads, if it reads any.
    pub fn files(&self) -> Option<&Placed<String>> {
        let requests = self.ecs.as_ref().map(|ecs| &ecs.requests);
        requests.or_else(|| self.eks.as_ref()?.manifests.as_ref())
    }
}

impl TaintEffect {
    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            TaintEffect::NoSchedule => "NoSchedule",
            TaintEffect::PreferNoSchedule => "PreferNoSchedule",
            TaintEffect::NoExecute => "NoExecute",
        }
    }
}
