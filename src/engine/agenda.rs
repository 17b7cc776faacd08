//! What happens next.
//!
//! Total order: (time, round, rank, actor, order of scheduling). What is scheduled for the present
//! instant lands in its next *round*, so that causes come before effects without epsilons. The last
//! of the five is never stored: the heap below keeps the order of pushes among equal times, and one
//! stable sort per round does the rest. Knows nothing of what an event means; cancels nothing (a
//! timer carries the generation it was armed for, and a stale one is ignored by who gets it).

use std::cmp::Ordering;

use crate::base::Timestamp;

/// More rounds than this in one instant is a livelock: two actors that answer each other in no time.
pub const ROUNDS_MAX: u32 = 1000;

/// The future event list, in rounds.
///
/// ```
/// use windtunnel::base::Timestamp;
/// use windtunnel::engine::Agenda;
/// let at = Timestamp::from_nanos;
/// let mut agenda = Agenda::starting_at(at(0));
/// agenda.schedule(at(5), 1, 0, "late rank");
/// agenda.schedule(at(5), 0, 9, "early rank");
/// agenda.schedule(at(3), 7, 7, "first");
/// let order: Vec<_> = std::iter::from_fn(|| agenda.pop()).map(|(_, event)| event).collect();
/// assert_eq!(order, ["first", "early rank", "late rank"]);
/// ```
#[derive(Debug)]
pub struct Agenda<E> {
    now: Timestamp,
    round: u32,
    /// The present round, sorted; entries before `taken` are gone.
    page: Vec<Entry<E>>,
    taken: usize,
    /// The next round of the present instant, in order of scheduling.
    next: Vec<Entry<E>>,
    future: RadixHeap<E>,
    pending: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    at: Timestamp,
    rank: u8,
    actor: u32,
    event: E,
}

const _: () = assert!(size_of::<Entry<[u64; 2]>>() == 32);

impl<E: Copy> Agenda<E> {
    /// An empty agenda whose present is `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Agenda {
            now: start,
            round: 0,
            page: Vec::new(),
            taken: 0,
            next: Vec::new(),
            future: RadixHeap::starting_at(start),
            pending: 0,
        }
    }

    /// Adds an event. Among equal times and rounds the smaller rank goes first, then the smaller
    /// actor, then what was scheduled first. Panics when `at` has passed.
    pub fn schedule(&mut self, at: Timestamp, rank: u8, actor: u32, event: E) {
        let entry = Entry { at, rank, actor, event };
        self.pending += 1;
        match at.cmp(&self.now) {
            Ordering::Greater => self.future.push(entry),
            Ordering::Equal => self.next.push(entry),
            Ordering::Less => panic!("scheduled {at:?} in the past of {:?}", self.now),
        }
    }

    /// Takes the next event, and makes its time the present.
    ///
    /// Panics after [`ROUNDS_MAX`] rounds of one instant, and names the actors of the last.
    pub fn pop(&mut self) -> Option<(Timestamp, E)> {
        if self.taken == self.page.len() {
            self.turn_page()?;
        }
        let entry = self.page[self.taken];
        self.taken += 1;
        self.pending -= 1;
        Some((entry.at, entry.event))
    }

    /// Whether another event happens at the present instant, as far as is known.
    pub const fn has_more_now(&self) -> bool {
        self.taken < self.page.len() || !self.next.is_empty()
    }

    /// How many events are still to come.
    pub const fn pending(&self) -> usize {
        self.pending
    }

    fn turn_page(&mut self) -> Option<()> {
        self.page.clear();
        self.taken = 0;
        if self.next.is_empty() {
            self.now = self.future.next_instant(&mut self.page)?;
            self.round = 0;
        } else {
            std::mem::swap(&mut self.page, &mut self.next);
            self.round += 1;
            assert!(self.round < ROUNDS_MAX, "livelock at {:?} among actors {:?}", self.now, self.actors());
        }
        self.page.sort_by_key(|entry| (entry.rank, entry.actor));
        Some(())
    }

    fn actors(&self) -> Vec<(u8, u32)> {
        self.page.iter().map(|entry| (entry.rank, entry.actor)).take(8).collect()
    }
}

/// Drained buckets above this many entries are given back: the big buckets are big one after the
/// other, and keeping them all would double the memory of ten million pending events.
const KEPT_MAX: usize = 1 << 20;

/// A monotone priority queue: the bucket of an entry is the highest bit in which its time differs
/// from the last instant handed over. Stable by itself, because equal times always share a bucket
/// and every move keeps their order.
#[derive(Debug)]
struct RadixHeap<E> {
    last: u64,
    /// Bit `b` is set if and only if `buckets[b]` is not empty.
    filled: u64,
    buckets: Vec<Vec<Entry<E>>>,
}

impl<E: Copy> RadixHeap<E> {
    fn starting_at(start: Timestamp) -> Self {
        RadixHeap { last: start.as_nanos(), filled: 0, buckets: (0..64).map(|_| Vec::new()).collect() }
    }

    fn push(&mut self, entry: Entry<E>) {
        let bucket = (entry.at.as_nanos() ^ self.last).ilog2();
        self.filled |= 1 << bucket;
        self.buckets[bucket as usize].push(entry);
    }

    /// Moves every entry of the next instant into `page`, which is empty, in order of scheduling.
    fn next_instant(&mut self, page: &mut Vec<Entry<E>>) -> Option<Timestamp> {
        if self.filled == 0 {
            return None;
        }
        let lowest = self.filled.trailing_zeros() as usize;
        self.filled &= !(1 << lowest);
        let mut bucket = std::mem::take(&mut self.buckets[lowest]);
        let at = bucket.iter().map(|entry| entry.at).min().expect("a filled bucket is not empty");
        self.last = at.as_nanos();
        for entry in bucket.drain(..) {
            if entry.at == at {
                page.push(entry);
            } else {
                self.push(entry);
            }
        }
        if bucket.capacity() <= KEPT_MAX {
            self.buckets[lowest] = bucket;
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use proptest::prelude::*;

    use super::*;

    /// Time, round, rank, actor, number of scheduling; then the event.
    type Key = (u64, u32, u8, u32, u64, u32);

    /// The naive twin: one binary heap over the whole key.
    #[derive(Default)]
    struct Twin {
        now: u64,
        round: u32,
        scheduled: u64,
        heap: BinaryHeap<Reverse<Key>>,
    }

    impl Twin {
        fn schedule(&mut self, at: u64, rank: u8, actor: u32, event: u32) {
            let round = if at == self.now { self.round + 1 } else { 0 };
            self.scheduled += 1;
            self.heap.push(Reverse((at, round, rank, actor, self.scheduled, event)));
        }

        fn has_more_now(&self) -> bool {
            self.heap.peek().is_some_and(|Reverse((at, ..))| *at == self.now)
        }

        fn pop(&mut self) -> Option<(Timestamp, u32)> {
            let Reverse((at, round, _, _, _, event)) = self.heap.pop()?;
            (self.now, self.round) = (at, round);
            Some((Timestamp::from_nanos(at), event))
        }
    }

    /// One step of a random run: how far ahead each of a burst of events is scheduled.
    fn delays() -> impl Strategy<Value = Vec<(u64, u8, u32)>> {
        let delay = prop_oneof![
            4 => Just(0),
            3 => 0..1000_u64,
            1 => (0..40_u32).prop_map(|bits| 1 << bits),
            1 => prop::sample::select(vec![10_000_000_000, 30_000_000_000, 300_000_000_000]),
        ];
        prop::collection::vec((delay, 0..5_u8, 0..7_u32), 0..4)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn equals_one_binary_heap(first in prop::collection::vec((0..5000_u64, 0..5_u8, 0..7_u32), 1..300), steps in prop::collection::vec(delays(), 0..400), burst in 0..400_usize) {
            let mut agenda = Agenda::starting_at(Timestamp::from_nanos(0));
            let mut twin = Twin::default();
            let mut number = 0;
            let mut both = |agenda: &mut Agenda<u32>, twin: &mut Twin, now: u64, (delay, rank, actor): (u64, u8, u32)| {
                number += 1;
                agenda.schedule(Timestamp::from_nanos(now + delay), rank, actor, number);
                twin.schedule(now + delay, rank, actor, number);
            };
            for event in first {
                both(&mut agenda, &mut twin, 0, event);
            }
            for (step, events) in steps.into_iter().enumerate() {
                let popped = agenda.pop();
                prop_assert_eq!(popped, twin.pop());
                prop_assert_eq!(agenda.has_more_now(), twin.has_more_now());
                prop_assert_eq!(agenda.pending(), twin.heap.len());
                let Some((now, _)) = popped else { break };
                let copies = if step == burst { 200 } else { 1 };
                for event in events.iter().cycle().take(events.len() * copies) {
                    both(&mut agenda, &mut twin, now.as_nanos(), *event);
                }
            }
            loop {
                let popped = agenda.pop();
                prop_assert_eq!(popped, twin.pop());
                prop_assert_eq!(agenda.has_more_now(), twin.has_more_now());
                if popped.is_none() { break }
            }
            prop_assert_eq!(agenda.pending(), 0);
        }
    }

    #[test]
    #[should_panic(expected = "livelock at t7 among actors [(1, 3)]")]
    fn two_actors_that_never_stop_are_named() {
        let mut agenda = Agenda::starting_at(Timestamp::from_nanos(7));
        agenda.schedule(Timestamp::from_nanos(7), 1, 3, ());
        while let Some((now, ())) = agenda.pop() {
            agenda.schedule(now, 1, 3, ());
        }
    }

    /// Two instants in which one actor answers itself for so many rounds.
    fn answer_for(rounds: u32) {
        let mut agenda = Agenda::starting_at(Timestamp::from_nanos(0));
        for instant in [7, 9] {
            agenda.schedule(Timestamp::from_nanos(instant), 1, 3, ());
            for _ in 0..rounds {
                let (now, ()) = agenda.pop().expect("one is always pending");
                agenda.schedule(now, 1, 3, ());
            }
            assert!(agenda.pop().is_some());
        }
    }

    #[test]
    fn an_instant_has_a_limited_number_of_rounds() {
        answer_for(ROUNDS_MAX - 1);
        assert!(std::panic::catch_unwind(|| answer_for(ROUNDS_MAX)).is_err());
    }

    #[test]
    fn only_small_buckets_keep_their_memory() {
        // All of these differ from the start first in bit 40.
        let capacity_after = |events: usize| {
            let mut agenda = Agenda::starting_at(Timestamp::from_nanos(0));
            agenda.future.buckets[40].reserve_exact(events);
            for actor in 0..events as u64 {
                agenda.schedule(Timestamp::from_nanos((1 << 40) + actor), 0, 0, ());
            }
            assert_eq!(agenda.pop().map(|(at, ())| at.as_nanos()), Some(1 << 40));
            agenda.future.buckets[40].capacity()
        };
        assert_eq!(KEPT_MAX, 1_048_576);
        assert_eq!(capacity_after(KEPT_MAX), KEPT_MAX);
        assert_eq!(capacity_after(KEPT_MAX + 1), 0);
    }

    #[test]
    #[should_panic(expected = "in the past")]
    fn the_past_is_closed() {
        let mut agenda = Agenda::starting_at(Timestamp::from_nanos(7));
        agenda.schedule(Timestamp::from_nanos(6), 0, 0, ());
    }
}
