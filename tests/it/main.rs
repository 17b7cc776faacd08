//! One test binary, one file per promise.

mod calibration;
mod cli;
mod determinism;
mod fields;
mod files;
mod golden;
mod house;
mod rules;
mod tool;
mod traces;
