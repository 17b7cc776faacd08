//! Why pods wait for a node: how many for each reason, at the end of a run and at its worst moment.
//!
//! A reason is what the scheduler says without the counts of nodes: a pod that twelve nodes refuse for
//! their CPU waits for the same reason as one that thirteen refuse. A pod that is refused for several
//! reasons counts once, under all of them. Knows nothing of who refuses.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::base::hash::Map;
use crate::base::{Name, Timestamp};

/// The reason of a pod that nobody has looked at yet.
pub const NOT_TRIED: &str = "not tried yet";
/// The reason of a pod that is not to be looked at, as the API server words it.
pub const GATED: &str = "Scheduling is blocked due to non-empty scheduling gates";

/// Counts waiting pods by reason.
///
/// ```
/// use windtunnel::base::{Name, Span, Symbol, Timestamp};
/// use windtunnel::measure::waiting::Waiting;
/// let (start, pod) = (Timestamp::from_nanos(0), Name { of: Symbol::FIRST, serial: 3 });
/// let mut waiting = Waiting::default();
/// waiting.waits(start, pod, "0/2 nodes are available: 2 Insufficient cpu.");
/// waiting.waits(start + Span::HOUR, pod, "0/3 nodes are available: 3 Insufficient cpu.");
/// waiting.finish(start + Span::HOUR * 2);
/// let [line] = &waiting.reasons()[..] else { panic!("one reason") };
/// assert_eq!((&*line.reason, line.at_end, line.most), ("Insufficient cpu", 1, 1));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    reasons: Vec<Reason>,
    /// The place of each reason.
    known: Map<Box<str>, usize>,
    /// The place of what each waiting pod waits for.
    pods: Map<Name, usize>,
}

/// Pods that wait for one reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// What the scheduler says, without counts.
    pub reason: Box<str>,
    /// So many wait for it now, or at the end of the run.
    pub at_end: u64,
    /// So many did at the worst moment.
    pub most: u64,
    since: Timestamp,
}

impl Waiting {
    /// A pod waits, and this was said last.
    pub fn waits(&mut self, at: Timestamp, pod: Name, message: &str) {
        let place = self.place(at, &reason(message));
        let before = self.pods.insert(pod, place);
        if before != Some(place) {
            if let Some(before) = before {
                self.reasons[before].change(at, |count| count - 1);
            }
            self.reasons[place].change(at, |count| count + 1);
        }
    }

    /// A pod waits no longer.
    pub fn leaves(&mut self, at: Timestamp, pod: Name) {
        if let Some(place) = self.pods.remove(&pod) {
            self.reasons[place].change(at, |count| count - 1);
        }
    }

    /// The run is over.
    pub fn finish(&mut self, end: Timestamp) {
        for reason in &mut self.reasons {
            reason.change(end, |count| count);
            reason.most = reason.most.max(reason.at_end);
        }
    }

    /// Every reason for which pods waited longer than an instant, the most frequent at the end first.
    pub fn reasons(&self) -> Vec<&Reason> {
        let mut lasting: Vec<&Reason> = self.reasons.iter().filter(|reason| reason.most > 0).collect();
        lasting.sort_by_key(|reason| (Reverse((reason.at_end, reason.most)), &reason.reason));
        lasting
    }

    fn place(&mut self, at: Timestamp, reason: &str) -> usize {
        if let Some(&known) = self.known.get(reason) {
            return known;
        }
        self.reasons.push(Reason { reason: reason.into(), at_end: 0, most: 0, since: at });
        self.known.insert(reason.into(), self.reasons.len() - 1);
        self.reasons.len() - 1
    }
}

impl Reason {
    /// What was for an instant only does not count as the most.
    fn change(&mut self, at: Timestamp, by: impl FnOnce(u64) -> u64) {
        if at > self.since {
            self.most = self.most.max(self.at_end);
            self.since = at;
        }
        self.at_end = by(self.at_end);
    }
}

/// A message without what preemption found: that is about other pods.
pub fn without_preemption(message: &str) -> &str {
    let end = [" no new claims to deallocate, preemption: ", " preemption: "]
        .iter()
        .find_map(|clause| message.find(clause));
    &message[..end.unwrap_or(message.len())]
}

/// The reasons in a message, without counts, in the order of the alphabet.
fn reason(message: &str) -> String {
    let message = without_preemption(message);
    let listed = message.split_once(" nodes are available: ").filter(|(counts, _)| counts.starts_with("0/"));
    let Some((_, listed)) = listed else { return message.to_owned() };
    let mut parts: Vec<String> = Vec::new();
    for part in listed.trim_end_matches('.').split(", ") {
        let counted =
            part.split_once(' ').filter(|(count, _)| count.bytes().all(|byte| byte.is_ascii_digit()));
        match (counted, parts.last_mut()) {
            (Some((_, reason)), _) => parts.push(reason.to_owned()),
            (None, Some(last)) => *last = format!("{last}, {part}"),
            (None, None) => parts.push(part.to_owned()),
        }
    }
    let parts: BTreeSet<String> = parts.into_iter().collect();
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Span, Symbol};

    #[test]
    fn messages_come_down_to_reasons() {
        let rows = [
            ("0/3 nodes are available: 3 Insufficient cpu.", "Insufficient cpu"),
            (
                "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are \
                 available: 1 No preemption victims found for incoming pod.",
                "Insufficient cpu",
            ),
            (
                "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: 0/3 \
                 nodes are available: 3 Preemption is not helpful for scheduling.",
                "Insufficient cpu, node(s) had untolerated taint(s)",
            ),
            (
                "0/12 nodes are available: 12 Insufficient cpu, 2 Insufficient memory.",
                "Insufficient cpu, Insufficient memory",
            ),
            (
                "0/2 nodes are available: persistentvolumeclaim \"data, old\" not found.",
                "persistentvolumeclaim \"data, old\" not found",
            ),
            ("no nodes available to schedule pods", "no nodes available to schedule pods"),
            ("", ""),
            ("0/ nodes are available: ", ""),
        ];
        for (message, expected) in rows {
            assert_eq!(reason(message), expected, "{message}");
        }
    }

    /// `a5 cpu` says at 5 s that pod a waits for cpu, `-a7` that it waits no longer.
    #[test]
    fn pods_are_counted_by_reason() {
        let rows = [
            ("a1 cpu, b2 cpu, -a3, c4 memory", "cpu 1 2, memory 1 1"),
            ("a1 cpu, -a1, b2 memory", "memory 1 1"),
            ("a1 cpu, a2 memory, a3 cpu", "cpu 1 1, memory 0 1"),
            ("a1 cpu, b1 cpu, -b1, -a2", "cpu 0 1"),
            ("-a1", ""),
        ];
        for (script, expected) in rows {
            let mut waiting = Waiting::default();
            let at = |digit: &str| Timestamp::from_nanos(0) + Span::seconds(digit.parse().expect("a digit"));
            let pod = |letter: &str| Name { of: Symbol::FIRST, serial: u64::from(letter.as_bytes()[0]) };
            for step in script.split(", ") {
                match step.split_once(' ') {
                    Some((who, why)) => waiting.waits(at(&who[1..]), pod(&who[..1]), why),
                    None => waiting.leaves(at(&step[2..]), pod(&step[1..2])),
                }
            }
            waiting.finish(at("9"));
            let lines = waiting.reasons();
            let lines: Vec<String> =
                lines.iter().map(|line| format!("{} {} {}", line.reason, line.at_end, line.most)).collect();
            assert_eq!(lines.join(", "), expected, "{script}");
        }
    }
}
