//! A wind tunnel for container clusters on AWS.

pub mod base;
pub mod catalog;
pub mod control;
pub mod engine;
pub mod scenario;
pub mod store;
pub mod world;
