//! Whole requests of the kind that people write: each is accepted, or refused for a listed reason.
//!
//! `ecs_calls.jsonl` holds, one call per line, the calls about clusters, task definitions, tasks and
//! services of 35 files written for this project.

use std::collections::BTreeMap;

use serde_json::Value;
use windtunnel::base::Timestamp;
use windtunnel::control::ecs::api::{
    ApiError, Cluster, CreateCluster, CreateService, Known, List, RegisterTaskDefinition, Request, RunTask,
    cluster, read, request, service,
};
use windtunnel::control::ecs::objects::Definitions;
use windtunnel::control::ecs::task_definition::{Families, Rules};

const CALLS: &str = include_str!("../data/ecs_calls.jsonl");

const PROVIDER: &str = "UnsupportedFeatureException: A capacity provider other than FARGATE is not modelled yet. (capacityProviderStrategy)";
const SPOT: &str = "UnsupportedFeatureException: The capacity provider FARGATE_SPOT is not modelled yet. (capacityProviderStrategy)";
const DAEMON: &str =
    "UnsupportedFeatureException: The scheduling strategy DAEMON is not modelled yet. (schedulingStrategy)";
const SHIFT: &str = "UnsupportedFeatureException: A deployment strategy other than ROLLING is not modelled yet. (deploymentConfiguration.strategy)";
const CODE_DEPLOY: &str = "UnsupportedFeatureException: The deployment controller CODE_DEPLOY is not modelled yet. (deploymentController.type)";
const EXTERNAL: &str = "UnsupportedFeatureException: The deployment controller EXTERNAL is not modelled yet. (deploymentController.type)";

/// What is refused: the name of the service or of the definition that is run, and the error. Every
/// definition registers.
const REFUSED: &[(&str, &str)] = &[
    ("mi-api", PROVIDER),
    ("web-api", SPOT),
    ("php-site", PROVIDER),
    ("ledger", PROVIDER),
    ("apm-agent", DAEMON),
    ("log-collector", DAEMON),
    ("consul-client", DAEMON),
    ("wildfly", PROVIDER),
    ("image-worker", SPOT),
    ("run simulate", SPOT),
    ("run simulate", SPOT),
    ("run simulate", SPOT),
    ("run simulate", SPOT),
    ("llm-infer", PROVIDER),
    ("shop-front", SHIFT),
    ("legacy-web", CODE_DEPLOY),
    ("ext-app", EXTERNAL),
    ("tiny", PROVIDER),
    ("cache", PROVIDER),
    ("jvm", PROVIDER),
];

/// The subnets of the file.
const SUBNETS: &[(&str, &str)] = &[
    ("subnet-0a11111111111111a", "us-east-1a"),
    ("subnet-0b22222222222222b", "us-east-1b"),
    ("subnet-0c33333333333333c", "us-east-1c"),
];

struct Plane {
    clusters: Vec<Cluster>,
    definitions: Definitions,
    families: Families,
    zones: BTreeMap<String, String>,
}

impl Plane {
    fn new() -> Self {
        let (definitions, families) = (Definitions::default(), Families::new(Rules::default()));
        let main = Cluster { name: "main".into(), default_strategy: List::default() };
        let zones = SUBNETS.iter().map(|&(id, zone)| (id.to_owned(), zone.to_owned())).collect();
        Plane { clusters: vec![main], definitions, families, zones }
    }

    /// Makes a call; hands back its name and what became of it.
    fn call(&mut self, operation: &str, input: &Value) -> (String, Result<(), ApiError>) {
        let name = |field: &str| input[field].as_str().unwrap_or_default().to_owned();
        let known = Known {
            clusters: &self.clusters,
            families: &self.families,
            zones: &self.zones,
            now: Timestamp::default(),
        };
        match operation {
            "CreateCluster" => {
                let made = cluster::create(&shaped::<CreateCluster>(input));
                (name("clusterName"), made.map(|cluster| self.clusters.push(cluster)))
            }
            "RegisterTaskDefinition" => {
                let request = shaped::<RegisterTaskDefinition>(input);
                (name("family"), self.families.register(&request, &mut self.definitions).map(drop))
            }
            "RunTask" => {
                let request = shaped::<RunTask>(input);
                let run = request::run(&request, "batch", &known, &mut self.definitions);
                (format!("run {}", name("taskDefinition")), run.map(drop))
            }
            "CreateService" => {
                let request = shaped::<CreateService>(input);
                (name("serviceName"), service::create(&request, &known, &mut self.definitions).map(drop))
            }
            other => panic!("{other} is not in the file"),
        }
    }
}

fn shaped<R: Request>(input: &Value) -> R {
    read::<R>(input).unwrap_or_else(|errors| panic!("{input} is malformed: {errors:?}")).request
}

#[test]
fn every_call_is_accepted_or_refused_for_a_listed_reason() {
    let mut plane = Plane::new();
    let mut refused = Vec::new();
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    let calls: Vec<Value> =
        CALLS.lines().map(|line| serde_json::from_str(line).expect("a line is a call")).collect();
    for call in &calls {
        let operation = call["operation"].as_str().expect("a call has an operation");
        *made.entry(operation).or_default() += 1;
        let (name, result) = plane.call(operation, &call["input"]);
        if let Err(error) = result {
            refused.push((name, error.to_string()));
        }
    }
    let expected: Vec<(String, String)> =
        REFUSED.iter().map(|(name, error)| ((*name).to_owned(), (*error).to_owned())).collect();
    assert_eq!(refused, expected);
    assert_eq!((made["RegisterTaskDefinition"], made["CreateService"], made["RunTask"]), (58, 39, 6));
    assert_eq!(plane.definitions.tasks.len(), 58);
}
