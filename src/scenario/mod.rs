//! Floor 6: from text to words, and every complaint about the text.
//!
//! A file becomes a tree of places ([`tree`]), the tree becomes Rust structs ([`text::read`]), and
//! whatever is wrong becomes a [`Diagnostic`] with a code of the one table in [`codes`]. Opens no
//! file, reads no environment, and never meets a running simulation.

pub mod arrival;
pub mod calibration;
mod change;
pub mod codes;
mod decode;
pub mod diagnostic;
pub mod distribution;
pub mod document;
pub mod import;
mod json;
pub mod json_schema;
pub mod known_settings;
pub mod lower;
pub mod manifests;
pub mod parameters;
pub mod schema;
pub mod study;
pub mod text;
pub mod tree;
pub mod units;
mod yaml;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Place, Severity, Source, Sources};
pub use lower::{lower, lower_with};
pub use schema::Scenario;
pub use text::{Placed, read, read_changed, read_json};
