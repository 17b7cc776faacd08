//! One test binary, one file per promise.

mod cli;
mod conformance;
mod determinism;
mod fields;
mod files;
mod golden;
mod house;
mod kubernetes_fields;
mod rules;
mod tool;
