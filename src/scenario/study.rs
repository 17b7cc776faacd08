//! The second kind of scenario: a published study that is run again.
//!
//! Its file has a key `study`, and neither platforms nor a length of time. Which names of traces and
//! policies there are is known to the study.

use schemars::JsonSchema;
use serde::Deserialize;

use super::diagnostic::Diagnostic;
use super::lower;
use super::text::Placed;

/// A scenario file that runs a study.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct StudyScenario {
    /// Its name; results go to `out/NAME`.
    pub name: Placed<String>,
    /// What it is about, in a sentence.
    #[serde(default)]
    pub about: String,
    /// Which study.
    pub study: Study,
}

impl StudyScenario {
    /// What is wrong with its name, which the folder of its results gets.
    ///
    /// ```
    /// use windtunnel::scenario::study::StudyScenario;
    /// use windtunnel::scenario::{Sources, read};
    /// let text = "{name: ../up, study: {openb: {trace: default, seeds: [], policies: []}}}";
    /// let (study, _) = read::<StudyScenario>(&Sources::default().add("a.yaml", text.into()));
    /// assert!(study.expect("a study").name_fault().is_some());
    /// ```
    pub fn name_fault(&self) -> Option<Diagnostic> {
        lower::name_fault(&self.name, "scenario")
    }
}

/// The studies that there are.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct Study {
    /// The openb fragmentation study.
    pub openb: Openb,
}

/// The openb fragmentation study: every policy in every order.
#[derive(Clone, Deserialize, JsonSchema, Debug)]
pub struct Openb {
    /// Which pods: `pods_TRACE.csv.gz` beside the scenario.
    pub trace: Placed<String>,
    /// In which orders they arrive: `orders/TRACE_SEED.csv.gz` beside the scenario.
    pub seeds: Placed<Vec<u64>>,
    /// Who places them.
    pub policies: Placed<Vec<Placed<String>>>,
}

/// Whether a text is a scenario that runs a study: a line begins with `study:`.
///
/// ```
/// use windtunnel::scenario::study::is_study;
/// assert!(is_study(b"name: a\nstudy:\n  openb: {}\n"));
/// assert!(!is_study(b"name: study\nabout: no study\n"));
/// ```
pub fn is_study(text: &[u8]) -> bool {
    text.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"study:"))
}
