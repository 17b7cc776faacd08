//! One test binary, one file per promise.

mod bad;
mod calibration;
mod cli;
mod clusters;
mod commands;
mod conformance;
mod corpus;
mod determinism;
mod examples;
mod extremes;
mod fields;
mod files;
mod golden;
mod house;
mod io;
mod kubernetes_fields;
mod kubernetes_twin;
mod openb;
mod pods;
mod rules;
mod spent;
mod tool;
mod traces;
mod transcripts;
