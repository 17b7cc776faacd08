//! `run.json`: everything that a run was made of, so that it can be repeated and explained.
//!
//! The input stands in it as text, with a hash of each part. Knows nothing of what the text means.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::base::EntityKey;
use crate::scenario::Source;

/// What a run was made of.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub(super) struct Record {
    /// The version of windtunnel that made it.
    pub(super) version: String,
    /// The version of the digest.
    pub(super) digest_version: u32,
    /// Which platform of the scenario.
    pub(super) platform: String,
    /// The first seed.
    pub(super) seed: u64,
    /// The digest of all its decisions.
    pub(super) decision_digest: String,
    /// The scenario as it was run.
    pub(super) scenario: Input,
    /// The request files, in order.
    pub(super) requests: Vec<Input>,
    /// The traces that were replayed.
    #[serde(default)]
    pub(super) traces: Vec<TraceInput>,
}

/// A trace: too large to stand in a record.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub(super) struct TraceInput {
    /// What its tasks are called.
    pub(super) workload: String,
    /// Where it lay.
    pub(super) path: String,
    /// A hash of its text, uncompressed.
    pub(super) hash: String,
    /// How many of its rows mean nothing.
    pub(super) bad_rows: u64,
}

/// One input text.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub(super) struct Input {
    /// The name it was read under.
    pub(super) name: String,
    /// A hash of the text, to compare inputs by.
    pub(super) hash: String,
    /// The text.
    pub(super) text: String,
}

impl Record {
    pub(super) fn new(
        platform: &str,
        seed: u64,
        scenario: &Source,
        requests: &[Rc<Source>],
        traces: Vec<TraceInput>,
    ) -> Self {
        Record {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            digest_version: crate::engine::digest::VERSION,
            platform: platform.to_owned(),
            seed,
            decision_digest: String::new(),
            scenario: Input::of(scenario),
            requests: requests.iter().map(|source| Input::of(source)).collect(),
            traces,
        }
    }

    pub(super) fn with_digest(&self, digest: &str) -> Self {
        Record { decision_digest: digest.to_owned(), ..self.clone() }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a record can be written");
        bytes.push(b'\n');
        bytes
    }
}

impl Input {
    fn of(source: &Source) -> Self {
        let text = source.text.clone();
        let key = EntityKey::new("input", &text, 0);
        Input { name: source.name.clone(), hash: format!("{:016x}{:016x}", key.high(), key.low()), text }
    }
}
