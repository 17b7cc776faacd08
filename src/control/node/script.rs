//! What the scripts share that drive one agent against a scripted host.
//!
//! A script is a line of actions; each prints what followed. What an action means, and how commands are
//! printed, is known to the bench of each agent.

use std::fmt::Debug;
use std::str::FromStr;

use crate::base::mark::must_reach;
use crate::base::runtime::{ContainerId, Pull, RuntimeEvent};
use crate::base::{Draw, EntityKey, Purpose, Span};

/// Every draw is the same.
pub(super) struct Always(pub(super) u64);

impl Draw for Always {
    fn draw(&mut self, _: Purpose, _: EntityKey, _: u32) -> u64 {
        self.0
    }
}

/// Acts a script and compares what was printed, action by action; `about` is said where they differ.
#[track_caller]
pub(super) fn check<B>(
    marks: &[&str],
    about: &[&str],
    script: &str,
    expected: &str,
    begin: impl FnOnce() -> B,
    act: impl Fn(&mut B, &str) -> String,
) {
    let printed = must_reach(marks, || {
        let mut bench = begin();
        let printed: Vec<String> = script.split(';').map(|action| act(&mut bench, action.trim())).collect();
        printed.join("; ")
    });
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(one_line(&printed), one_line(expected), "\n  {about:?}\n  {script}");
}

/// What the host says of a container: `pulled`, `exit a0 1`.
pub(super) fn event(container: ContainerId, words: &[&str]) -> RuntimeEvent {
    match words[0] {
        "pulled" => RuntimeEvent::Pulled { container, result: Pull::Done },
        "failed" => RuntimeEvent::Pulled { container, result: Pull::Failed { cached: false } },
        "cached" => RuntimeEvent::Pulled { container, result: Pull::Failed { cached: true } },
        "started" => RuntimeEvent::Started { container, ok: true },
        "broken" => RuntimeEvent::Started { container, ok: false },
        "exit" => RuntimeEvent::Exited { container, code: number(words[2]), out_of_memory: false },
        "oom" => RuntimeEvent::Exited { container, code: 137, out_of_memory: true },
        "well" => RuntimeEvent::Health { container, healthy: true },
        "sick" => RuntimeEvent::Health { container, healthy: false },
        other => panic!("no such action: {other}"),
    }
}

/// `a0` is `a` and 0.
pub(super) fn numbered(text: &str) -> (&str, u32) {
    let (name, digits) = text.split_at(text.find(|c: char| c.is_ascii_digit()).expect("a number at the end"));
    (name, number(digits))
}

pub(super) fn number<N: FromStr<Err: Debug>>(text: &str) -> N {
    text.parse().expect("a number")
}

/// `30s`.
pub(super) fn span(text: &str) -> Span {
    let (count, unit) = text.split_at(text.find(|c: char| c.is_alphabetic()).expect("a unit"));
    let unit = match unit {
        "ms" => Span::millis(1),
        "s" => Span::SECOND,
        "m" => Span::minutes(1),
        "h" => Span::HOUR,
        other => panic!("no such unit: {other}"),
    };
    unit * number::<u64>(count)
}
