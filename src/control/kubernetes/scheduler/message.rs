//! Why a pod could not be placed, in the words of the original (K 2.19).
//!
//! Knows refusals and counts, not how they came about.

use std::collections::BTreeMap;

use crate::mark;

use super::algorithm::Found;
use super::framework::{Reason, Status};

/// What stands in the event and in the condition when there is no node at all.
pub const NO_NODES: &str = "no nodes available to schedule pods";

/// Notes are cut to this many bytes.
const NOTE_BYTES_MAX: usize = 1024;

/// The whole message: how many nodes are out for which reason, then what preemption found.
pub fn failure(found: &Found, post_filter: &str) -> String {
    let mut message = if let Some(message) = &found.pre_filter_message {
        mark!("K 2.19 a refusal of the whole pod stands alone");
        format!("0/{} nodes are available: {message}.", found.nodes)
    } else {
        unavailable(found.nodes, found.refused.kinds(), found.absent.as_ref())
    };
    if !post_filter.is_empty() {
        message.push(' ');
        message.push_str(post_filter);
    }
    message
}

/// How many of all nodes are out for which reason, sorted as text; `others` stands for those that have none
/// of their own.
pub fn unavailable<'a>(
    nodes: usize,
    own: impl Iterator<Item = (&'a Status, usize)>,
    others: Option<&'a Status>,
) -> String {
    let mut rest = nodes;
    let mut counts: Vec<(&Status, usize)> = own.inspect(|(_, count)| rest -= count).collect();
    counts.extend(others.map(|status| (status, rest)).filter(|_| rest > 0));
    let each =
        |(status, count): (&'a Status, usize)| status.reasons.iter().map(move |reason| (reason, count));
    let reasons = sorted(counts.into_iter().flat_map(each));
    let end = if reasons.is_empty() { String::new() } else { format!(" {reasons}.") };
    format!("0/{nodes} nodes are available:{end}")
}

/// `COUNT REASON`, joined; the list is sorted as text, counts included.
pub fn sorted<'a>(reasons: impl Iterator<Item = (&'a Reason, usize)>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (reason, count) in reasons {
        *counts.entry(reason).or_insert(0) += count;
    }
    mark!("K 2.19 reasons are sorted as text with their counts");
    let mut lines: Vec<String> =
        counts.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    lines.sort_unstable();
    lines.join(", ")
}

/// The note of an event: a message cut to 1,024 bytes.
pub fn note(message: &str) -> String {
    if message.len() <= NOTE_BYTES_MAX {
        return message.to_owned();
    }
    mark!("K 2.19 notes are cut");
    let suffix = " ...";
    let cut = (0..=NOTE_BYTES_MAX - suffix.len()).rev().find(|&end| message.is_char_boundary(end));
    format!("{}{suffix}", &message[..cut.unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mark::must_reach;

    /// A message of so many letters becomes a note of so many bytes; a longer one ends in three dots.
    fn check(rules: &[&str], letter: char, count: usize, kept: usize) {
        let message: String = std::iter::repeat_n(letter, count).collect();
        let seen = must_reach(rules, || note(&message));
        let rest = if kept < count { " ..." } else { "" };
        let expected = message.chars().take(kept).chain(rest.chars()).collect::<String>();
        assert_eq!(seen, expected, "{count} times {letter}");
    }

    #[test]
    fn long_notes_are_cut() {
        let cut = &["K 2.19 notes are cut"];
        check(&[], 'x', 0, 0);
        check(&[], 'x', 1024, 1024);
        check(cut, 'x', 1025, 1020);
        check(cut, 'x', 5000, 1020);
        check(&[], 'é', 512, 512);
        check(cut, 'é', 513, 510);
        check(cut, '€', 400, 340);
        check(cut, '🦀', 257, 255);
    }
}
