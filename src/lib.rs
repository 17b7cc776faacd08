//! A wind tunnel for container clusters on AWS: a deterministic discrete-event simulator that drives
//! real scheduling and reconcile code in virtual time, so that placement quality, cost and recovery
//! can be measured at scale.
//!
//! # The crate in one run
//!
//! A scenario and genuine ECS requests become a [`Plan`](sim::Plan); a plan and a seed become facts;
//! a [`Collector`](measure::Collector) makes numbers of them.
//!
//! ```
//! use windtunnel::base::Span;
//! use windtunnel::measure::Collector;
//! use windtunnel::scenario::{Scenario, Sources, lower, read};
//!
//! let mut sources = Sources::default();
//! let text = sources.add("demo.yaml", br#"
//! name: demo
//! region: us-east-1
//! run_for: 1h
//! subnets: { subnet-a: us-east-1a }
//! platforms:
//!   fargate: { ecs: { requests: web.json, launch_type: FARGATE } }
//! "#.to_vec());
//! let requests = sources.add("web.json", br#"[
//!   { "operation": "RegisterTaskDefinition", "input": {
//!       "family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
//!       "containerDefinitions": [{ "name": "web", "image": "shop/web:1" }] } },
//!   { "operation": "CreateService", "input": {
//!       "serviceName": "web", "taskDefinition": "web", "desiredCount": 3,
//!       "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-a"] } } } }
//! ]"#.to_vec());
//!
//! let (scenario, _) = read::<Scenario>(&text);
//! let (plan, _) = lower(&scenario.unwrap(), "fargate", &[requests]);
//! let plan = plan.expect("nothing is wrong with it");
//!
//! let mut collector = Collector::new(&plan, Span::minutes(5), true);
//! let ended = windtunnel::sim::run(&plan, 1, &mut collector);
//! let outcome = collector.finish(&plan, 1, ended);
//! assert_eq!(outcome.measured.counts.started, 3);
//! assert!(outcome.measured.bill.total().to_string().starts_with("0.03"));
//! ```
//!
//! # The floors
//!
//! A module imports lower floors only; a test holds them to it. `ARCHITECTURE.md` is the map.
//!
//! 0. [`base`]: the words
//! 1. [`engine`], [`catalog`]: what happens next and luck; AWS facts as data
//! 2. [`control`], [`world`], [`workload`]: decisions; physics; demand
//! 3. [`store`]: the record
//! 4. [`sim`]: the driver
//! 5. [`measure`]: facts to numbers
//! 6. [`report`], [`scenario`], [`experiment`], [`study`]: text out; text in; many runs; published studies
//! 7. [`cli`]: arguments, files, clocks, exit codes

/// The replay of recorded decisions is written for users of the crate and runs within it as well.
#[cfg(test)]
extern crate self as windtunnel;

pub mod base;
pub mod catalog;
pub mod cli;
pub mod control;
pub mod engine;
pub mod experiment;
pub mod measure;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod store;
pub mod study;
pub mod workload;
pub mod world;
