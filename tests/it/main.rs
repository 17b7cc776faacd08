//! One test binary, one file per promise.

mod fields;
mod files;
mod house;
mod rules;
