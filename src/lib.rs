//! A wind tunnel for container clusters on AWS.

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
pub mod workload;
pub mod world;
