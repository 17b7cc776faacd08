//! The rules of the queue, row by row, in a small language; the judge is a table.
//!
//! `+a5` adds pod a with priority 5 · `^a` updates it · `>` takes out the next, `>a` this one · `<a1` gives
//! it back, refused by plugin 1, `<a-` by nobody · `.a` is done with it · `xa` deletes it · `!a` activates
//! it · `=1500` sets the time in milliseconds · `~n` a node comes, `~t` a taint changes, `~p` a pod goes ·
//! `fb` and `fl` flush · `?` says who waits where: active|backoff|error backoff|unschedulable|gated|in flight.
//!
//! Plugin 1 listens to nodes and says yes. Plugin 2 listens to nodes and says no. Plugin 3 listens to pods
//! that go, says yes, and holds back pods named g while `hold` was said and `free` was not.

use std::cell::Cell;

use crate::base::mark::must_reach;
use crate::base::{Row, Span, Symbol, Symbols, Timestamp};
use crate::control::kubernetes::objects::Pod;
use crate::control::kubernetes::scheduler::event::{Event, EventKind};

use super::{InHand, Judge, NewPod, PluginSet, Queue, QueueSettings};

struct Table {
    holds: Cell<bool>,
}

impl Judge for Table {
    fn held_by(&self, pod: Row<Pod>, _: usize, _: Option<u8>) -> Option<u8> {
        (self.holds.get() && pod == row('g')).then_some(3)
    }

    fn listeners(&self, _: usize, kind: EventKind) -> PluginSet {
        let none = PluginSet::default();
        match kind {
            EventKind::NodeAdd => none.with(1).with(2),
            EventKind::AssignedPodDelete => none.with(3),
            EventKind::PodUpdateLabel => none.with(1),
            _ => none,
        }
    }

    fn may_help(&self, _: Row<Pod>, _: usize, plugins: PluginSet, _: &Event<'_>) -> bool {
        plugins.has(1) || plugins.has(3)
    }
}

fn row(name: char) -> Row<Pod> {
    Row::at(usize::from(u8::try_from(name).expect("a letter")))
}

struct Bed {
    queue: Queue,
    table: Table,
    now: Timestamp,
    uids: Vec<Symbol>,
    hands: Vec<InHand>,
}

impl Bed {
    fn new() -> Self {
        let mut symbols = Symbols::default();
        let uids = (0_u8..128).map(|letter| symbols.intern(&char::from(letter).to_string())).collect();
        Bed {
            queue: Queue::new(QueueSettings::default()),
            table: Table { holds: Cell::new(false) },
            now: Timestamp::from_nanos(0),
            uids,
            hands: Vec::new(),
        }
    }

    fn pod(&self, name: char, priority: &str) -> NewPod {
        let priority = priority.parse().unwrap_or(0);
        NewPod { uid: self.uids[row(name).index()], profile: 0, priority }
    }

    fn take(&mut self, word: &str) -> Option<String> {
        let mut letters = word.chars();
        let verb = letters.next().expect("a word");
        let name = letters.next().unwrap_or(' ');
        let rest: String = letters.collect();
        let now = self.now;
        match verb {
            '+' => drop(self.queue.add(now, row(name), &self.pod(name, &rest), &self.table)),
            '^' => {
                let events = [Event { kind: EventKind::PodUpdateLabel, change: None }];
                let waiting = self.queue.waiting(row(name)).map_or(0, |waiting| waiting.priority);
                let pod = NewPod { priority: waiting, ..self.pod(name, "") };
                self.queue.update(now, row(name), &pod, &events, &self.table);
            }
            '>' if name == ' ' => {
                let hand = self.queue.pop();
                self.hands.extend(hand);
                return Some(hand.map_or("-".to_owned(), |hand| letter(hand.row).to_string()));
            }
            '>' => {
                let hand = self.queue.pop_this(row(name), &self.table);
                self.hands.extend(hand);
                return Some(hand.map_or("-".to_owned(), |hand| letter(hand.row).to_string()));
            }
            '<' => {
                let place = self.hands.iter().position(|hand| hand.row == row(name)).expect("in hand");
                let hand = self.hands.remove(place);
                let numbers = rest.chars().filter_map(|digit| digit.to_digit(10));
                let refused = numbers.fold(PluginSet::default(), |set, number| {
                    set.with(u8::try_from(number).expect("a digit"))
                });
                self.queue.give_back(now, &hand, refused, &self.table);
            }
            '.' => self.queue.done(self.uids[row(name).index()]),
            'x' => self.queue.delete(row(name)),
            '!' => self.queue.activate(row(name), self.uids[row(name).index()], &self.table),
            '=' => {
                let millis = word[1..].parse().expect("milliseconds");
                self.now = Timestamp::from_nanos(0) + Span::millis(millis);
            }
            '~' => {
                let kind = match name {
                    'n' => EventKind::NodeAdd,
                    't' => EventKind::NodeUpdateTaint,
                    _ => EventKind::AssignedPodDelete,
                };
                let most = rest.parse().ok();
                self.queue.tell(now, &Event { kind, change: None }, most, &self.table);
            }
            'h' => self.table.holds.set(true),
            'f' if name == 'r' => self.table.holds.set(false),
            'f' if name == 'b' => self.queue.flush_backoff(now),
            'f' => self.queue.flush_leftover(now, &self.table),
            '?' => return Some(self.state()),
            other => panic!("no verb {other}"),
        }
        None
    }

    fn state(&self) -> String {
        let names = |rows: Vec<Row<Pod>>| rows.into_iter().map(letter).collect::<String>();
        let backoff = |errors: bool| {
            let waiting = self.queue.backoff().filter(|(.., error)| *error == errors);
            let second = |until: Timestamp| until.as_nanos() / 1_000_000_000;
            let each = waiting.map(|(row, until, _)| format!("{}{}", letter(row), second(until)));
            each.collect::<Vec<_>>().join(",")
        };
        let idle = |gated: bool| {
            names(self.queue.idle().filter(|(_, held)| *held == gated).map(|(row, _)| row).collect())
        };
        let (active, in_flight) = (self.queue.active().collect(), self.queue.in_flight().collect());
        [names(active), backoff(false), backoff(true), idle(false), idle(true), names(in_flight)].join("|")
    }
}

fn letter(row: Row<Pod>) -> char {
    char::from(u8::try_from(row.index()).expect("a letter"))
}

/// The words are taken one after the other; what they answer must be this.
fn check(rules: &[&str], words: &str, expected: &str) {
    let answers = must_reach(rules, || {
        let mut bed = Bed::new();
        words.split_whitespace().filter_map(|word| bed.take(word)).collect::<Vec<_>>().join(" ")
    });
    assert_eq!(answers, expected, "{words}");
}

#[test]
fn pods_leave_by_priority_then_time_then_serial() {
    check(&[], "+a +b +c9 =5 +d9 +e > > > > > >", "c d a b e -");
    check(&[], "+a +b xa ? > >", "b||||| b -");
    // Given back, a pod is the youngest of its priority.
    check(&[], "+a +b > =1 <a1 =2000 ~n ? > >", "a ba||||| b a");
}

#[test]
fn a_refused_pod_needs_an_event_that_helps() {
    check(&[], "+a > <a1 ? =5000 ~n ?", "a |||a|| a|||||");
    check(&[], "+a > <a2 =5000 ~n ~p ?", "a |||a||");
    check(&[], "+a > <a12 =5000 ~n ?", "a a|||||");
    check(&[], "+a > <a1 =5000 ~t ?", "a |||a||");
    // Only pods up to a priority.
    check(&[], "+a5 +b1 > > <a3 <b3 =5000 ~p3 ?", "a b b|||a||");
}

#[test]
fn backoff_doubles_and_ends_with_its_second() {
    let doubles = ["K 2.2 a backoff doubles up to a limit"];
    check(&doubles, "=300 +a > <a1 ~n ?", "a |a1||||");
    check(
        &doubles,
        "+a > <a1 ~n > <a1 ~n ? > <a1 ~n ? > <a1 ~n ? > <a1 ~n ? > <a1 ~n ?",
        "a a |a2|||| a |a4|||| a |a8|||| a |a10|||| a |a10||||",
    );
    check(
        &["K 2.2 a backoff is over when its second has passed"],
        "=300 +a > <a1 ~n +b > =1000 fb ? =1999 fb ? =2000 fb ?",
        "a b |a1||||b |a1||||b a|||||b",
    );
    // Not in backoff any more when the event comes: at once.
    check(&[], "+a > <a1 =1999 ~n ?", "a |a1||||");
    check(&[], "+a > <a1 =2000 ~n ?", "a a|||||");
}

#[test]
fn an_idle_scheduler_pops_from_backoff_but_not_after_errors() {
    check(&["K 2.2 an idle scheduler does not wait for a backoff to end"], "+a > <a1 ~n ? >", "a |a1|||| a");
    // The one whose backoff ends first, in the same second by priority.
    check(&[], "+a > <a1 ~n =900 +b5 > <b1 ~n +c > > >", "a b c b a");
    check(
        &["K 2.2 after an internal error a pod backs off"],
        "+a > <a- ? > =1000 fb ? =2000 fb ?",
        "a ||a1||| - ||a1||| a|||||",
    );
    // Errors in a row count by themselves, and a refusal ends the row.
    check(
        &[],
        "+a > <a1 ~n > <a- ? =2000 fb > <a- ? =9000 fb > <a1 ~n ?",
        "a a ||a1||| a ||a4||| a |a11||||",
    );
}

#[test]
fn events_in_flight_count_when_the_pod_fails() {
    let kept = ["K 2.2 events are kept while a pod is in flight"];
    check(&kept, "+a > ~n ? <a1 ?", "a |||||a |a1||||");
    check(&["K 2.2 an event in flight counts when the pod fails"], "+a +b > ~n > <a1 <b1 ?", "a b |a1||b||");
    check(&kept, "+a > ~p <a1 ?", "a |||a||");
    check(&["K 2.2 an update of a pod in flight is kept"], "+a > ^a <a1 ?", "a |a1||||");
    check(&[], "+a > !a <a2 ?", "a |a1||||");
    // Whoever is done forgets what was kept.
    check(&[], "+a > ~n .a ?", "a |||||");
}

#[test]
fn a_pod_that_a_plugin_holds_back_waits_for_its_events() {
    let held = ["K 2.2 a pod that a plugin holds back waits for that plugin's events"];
    check(&held, "hold +g ? >g ~n ? free ~n ? ~p ?", "||||g| - ||||g| ||||g| g|||||");
    // Held back on its way out of the unschedulable pods.
    check(&held, "+g > <g1 hold ~n ? free ~n ? ~p ?", "g ||||g| ||||g| |g1||||");
    check(&held, "hold +g free ^g ?", "||||g|");
}

#[test]
fn an_update_brings_a_waiting_pod_back() {
    check(&["K 2.2 an update may bring a waiting pod back"], "+a > <a1 ^a ?", "a |a1||||");
    check(&[], "+a > <a2 ^a ?", "a |||a||");
    // One that is nowhere is added.
    check(&[], "^a ?", "a|||||");
}

#[test]
fn one_pod_is_taken_out_wherever_it_waits() {
    check(&[], "+a +b9 >a ?", "a b|||||a");
    check(&[], "+a > <a2 >a > <a1 ~n >a ?", "a a - a |||||a");
    check(&[], "+a > <a- >a ?", "a a |||||a");
    check(&[], ">a", "-");
}

#[test]
fn leftovers_are_tried_again() {
    check(
        &["K 2.2 a pod that was left over is tried again"],
        "+a > <a2 =300000 fl ? =300001 fl ?",
        "a |||a|| a|||||",
    );
    check(&[], "hold +g =900000 fl ?", "||||g|");
}

#[test]
fn a_wake_is_asked_for_the_next_flush() {
    let mut bed = Bed::new();
    let wake = |bed: &Bed| {
        let at = bed.queue.wake_at(Timestamp::from_nanos(0));
        at.map(|at| at.as_nanos() / 1_000_000_000)
    };
    let mut after = |word: &str| {
        bed.take(word);
        wake(&bed)
    };
    assert_eq!(after("+a"), None);
    assert_eq!(after(">"), None);
    assert_eq!(after("<a2"), Some(330), "the first look later than five minutes");
    assert_eq!(after(">a"), None);
    assert_eq!(after("<a-"), Some(2), "the second after the backoff");
}
