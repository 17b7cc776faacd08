//! Events as a user of the orchestrator sees them: a few kinds of sentences, and the numbers in them.
//!
//! "(service web) has started 2 tasks: (task web-3) (task web-4)." is the sentence "(service \1) has
//! started \2 tasks: (task \1-\2) (task \1-\2)." with the numbers 2, 3 and 4. Where not all events fit,
//! the rarest kinds of sentences stay: what happens seldom is what people look for. Of a pod, its workload
//! stands for the service.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::measure::sheet::{EventLine, PlatformSheet};
use crate::report::number;

use super::{Clock, Texts};

/// All events of a page together take about this many bytes.
const BYTES_MAX: usize = 800_000;
/// Stands for the name of the service or workload in a sentence. Control characters are never in a text.
const SERVICE: char = '\u{1}';
/// Stands for a number in a sentence.
const NUMBER: char = '\u{2}';
/// Longer runs of digits stay text.
const DIGITS_MAX: usize = 9;

/// The events of a platform, in the order of time.
#[derive(Serialize, Default)]
pub(super) struct Events {
    /// How many there were.
    all: usize,
    /// Services, or the workloads of pods.
    services: Texts,
    sentences: Texts,
    /// Ticks since the event before.
    at: Vec<i64>,
    service: Vec<usize>,
    sentence: Vec<usize>,
    /// The numbers of all sentences, one after the other.
    numbers: Vec<u32>,
}

/// An event, taken apart.
struct Parts<'a> {
    line: &'a EventLine,
    sentence: usize,
    numbers: Vec<u32>,
}

impl Events {
    pub(super) fn of(platform: &PlatformSheet, clock: Clock, shown: usize) -> Events {
        let mut sentences: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let parts: Vec<Parts<'_>> = platform
            .events
            .iter()
            .map(|line| {
                let (text, numbers) = apart(&number::plain(&line.told()), &number::plain(&line.workload));
                let next = sentences.len();
                let known = sentences.entry(text).or_insert((next, 0));
                known.1 += 1;
                Parts { line, sentence: known.0, numbers }
            })
            .collect();
        let mut texts = vec![(String::new(), 0); sentences.len()];
        for (text, (nth, count)) in sentences {
            texts[nth] = (text, count);
        }
        let kept = kept(&parts, &texts, BYTES_MAX / shown);
        let mut events = Events { all: parts.len(), ..Events::default() };
        let mut before = 0;
        for (part, _) in parts.iter().zip(kept).filter(|(_, kept)| *kept) {
            let at = clock.at(part.line.at);
            events.at.push(at - before);
            before = at;
            events.service.push(events.services.number(&part.line.workload));
            // Sentences hold control characters on purpose, hence not by `number`.
            events.sentence.push(events.sentences.raw(&texts[part.sentence].0));
            events.numbers.extend(&part.numbers);
        }
        events
    }

    /// How many events are here, and how many there were.
    pub(super) fn kept(&self) -> (usize, usize) {
        (self.at.len(), self.all)
    }
}

impl Texts {
    /// The number of a text that is plain but for the marks of this module.
    fn raw(&mut self, text: &str) -> usize {
        if let Some(&known) = self.known.get(text) {
            return known;
        }
        self.list.push(text.to_owned());
        self.known.insert(text.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }
}

/// Which events fit into so many bytes, those with the rarest sentences first.
fn kept(parts: &[Parts<'_>], texts: &[(String, usize)], bytes: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&at| (texts[parts[at].sentence].1, at));
    let mut free = bytes;
    let mut paid = vec![false; texts.len()];
    let mut kept = vec![false; parts.len()];
    for at in order {
        let Parts { sentence, numbers, .. } = &parts[at];
        let digits: usize = numbers.iter().map(|number| number.to_string().len() + 1).sum();
        let first = if paid[*sentence] { 0 } else { texts[*sentence].0.len() * 2 };
        let size = 12 + digits + first;
        if size <= free {
            free -= size;
            (kept[at], paid[*sentence]) = (true, true);
        }
    }
    kept
}

/// A message as a sentence with marks, and the numbers in it. A number is a run of digits that reads the
/// same when it is written again.
fn apart(message: &str, service: &str) -> (String, Vec<u32>) {
    let marked = match service {
        "" => message.to_owned(),
        _ => message.replace(service, &SERVICE.to_string()),
    };
    let (mut sentence, mut numbers) = (String::with_capacity(marked.len()), Vec::new());
    let mut rest = marked.as_str();
    while let Some(at) = rest.bytes().position(|byte| byte.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let length = from.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(length);
        sentence.push_str(before);
        let plain = length <= DIGITS_MAX && (length == 1 || !digits.starts_with('0'));
        match digits.parse().ok().filter(|_| plain) {
            Some(number) => {
                sentence.push(NUMBER);
                numbers.push(number);
            }
            None => sentence.push_str(digits),
        }
        rest = after;
    }
    sentence.push_str(rest);
    (sentence, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_taken_apart() {
        let rows: [(&str, &str, &str, &[u32]); 5] = [
            (
                "web",
                "(service web) has started 2 tasks: (task web-7).",
                "(service \u{1}) has started \u{2} tasks: (task \u{1}-\u{2}).",
                &[2, 7],
            ),
            ("7", "7 of 7", "\u{1} of \u{1}", &[]),
            ("", "0 and 007", "\u{2} and 007", &[0]),
            ("", "1234567890123 1", "1234567890123 \u{2}", &[1]),
            ("web", "", "", &[]),
        ];
        for (service, message, sentence, numbers) in rows {
            assert_eq!(apart(message, service), (sentence.to_owned(), numbers.to_vec()));
        }
    }
}
