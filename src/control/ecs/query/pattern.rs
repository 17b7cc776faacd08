//! The argument of `=~` and `!~`: the part of Java's regular expressions that runs in linear time.
//!
//! Matches bytes with ASCII classes, as Java does unless told otherwise; a value beyond ASCII is
//! matched byte by byte. Knows nothing of subjects.

use regex::bytes::{Regex, RegexBuilder};

use super::error::Problem;
use crate::mark;

/// How much memory one compiled pattern may take, in bytes.
const PROGRAM_BYTES_MAX: usize = 1 << 17;

/// How much memory one pattern may use for speed while it matches, in bytes.
const CACHE_BYTES_MAX: usize = 1 << 20;

/// How deep groups and repetitions may nest.
const NESTING_MAX: u32 = 50;

/// A pattern and its program. Equal when spelled alike and anchored alike.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: Box<str>,
    program: Regex,
}

impl Pattern {
    /// Compiles. The offset of a problem counts from the start of the pattern.
    pub(super) fn compile(text: &str, whole_value: bool) -> Result<Pattern, (usize, Problem)> {
        mark!("PL-23");
        refuse_foreign(text)?;
        // Alone first: otherwise `a)|(?:b` would climb out of the group and lose its anchors.
        let program = build(text)?;
        let program = if whole_value { build(&format!("^(?:{text})$"))? } else { program };
        Ok(Pattern { text: text.into(), program })
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        self.program.is_match(value.as_bytes())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.program.as_str() == other.program.as_str()
    }
}

impl Eq for Pattern {}

fn build(text: &str) -> Result<Regex, (usize, Problem)> {
    RegexBuilder::new(text)
        .unicode(false)
        .size_limit(PROGRAM_BYTES_MAX)
        .dfa_size_limit(CACHE_BYTES_MAX)
        .nest_limit(NESTING_MAX)
        .build()
        .map_err(|error| (0, problem_of(&error)))
}

fn problem_of(error: &regex::Error) -> Problem {
    match error {
        regex::Error::CompiledTooBig(_) => Problem::PatternTooLarge,
        other => {
            let message = other.to_string();
            let reason = message.rsplit("error: ").next().unwrap_or_default();
            Problem::PatternBroken(reason.trim().into())
        }
    }
}

/// Refuses what Java reads and the engine cannot do, or would silently read as something else.
fn refuse_foreign(text: &str) -> Result<(), (usize, Problem)> {
    let bytes = text.as_bytes();
    let mut in_class = false;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match (rest[0], in_class) {
            (b'\\', _) if rest.starts_with(b"\\<") || rest.starts_with(b"\\>") => {
                return Err((at, Problem::PatternAmbiguous));
            }
            (b'\\', _) => at += 1,
            (b'[', _) => in_class = true,
            (b']', _) => in_class = false,
            (b'(', false) if looks_around(rest) => return Err((at, Problem::PatternLooksAround)),
            (b'*' | b'+' | b'?' | b'}', false) if rest.get(1) == Some(&b'+') => {
                return Err((at + 1, Problem::PatternAmbiguous));
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

fn looks_around(rest: &[u8]) -> bool {
    [b"(?=".as_slice(), b"(?!", b"(?<=", b"(?<!"].iter().any(|opening| rest.starts_with(opening))
}
