//! Pop and push of the agenda against one binary heap over the whole key, both with 32-byte entries.
//!
//! A line is `name value unit ratio`, the ratio being how many times faster than the heap, and the bar
//! behind it where one is stated. `cargo bench --bench agenda -- log` measures only the shapes with
//! "log" in their name. A missed bar is printed, never asserted.

#![expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "figures for people")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "shared/cpu.rs"]
mod cpu;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use rand::Rng;
use windtunnel::base::turn::below;
use windtunnel::base::{EntityKey, Purpose, Timestamp};
use windtunnel::engine::{Agenda, Luck, Quantiles};

/// What both lists can do.
trait Queue {
    fn empty() -> Self;
    fn schedule(&mut self, at: u64, rank: u8, actor: u32);
    fn pop(&mut self) -> Option<u64>;
}

/// One heap over (time, round, rank, actor, order of scheduling), with eight bytes left for an event.
struct Heap {
    now: u64,
    round: u64,
    scheduled: u64,
    entries: BinaryHeap<Reverse<HeapEntry>>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct HeapEntry {
    at: u64,
    /// Round, rank and actor.
    order: u64,
    scheduled: u64,
    event: u64,
}

const _: () = assert!(size_of::<HeapEntry>() == 32);

impl Queue for Heap {
    fn empty() -> Self {
        Heap { now: 0, round: 0, scheduled: 0, entries: BinaryHeap::new() }
    }

    fn schedule(&mut self, at: u64, rank: u8, actor: u32) {
        let round = if at == self.now { self.round + 1 } else { 0 };
        let order = round << 40 | u64::from(rank) << 32 | u64::from(actor);
        self.scheduled += 1;
        let entry = HeapEntry { at, order, scheduled: self.scheduled, event: u64::from(actor) };
        self.entries.push(Reverse(entry));
    }

    fn pop(&mut self) -> Option<u64> {
        let Reverse(entry) = self.entries.pop()?;
        (self.now, self.round) = (entry.at, entry.order >> 40);
        black_box(entry.event);
        Some(entry.at)
    }
}

impl Queue for Agenda<[u64; 2]> {
    fn empty() -> Self {
        Agenda::starting_at(Timestamp::from_nanos(0))
    }

    fn schedule(&mut self, at: u64, rank: u8, actor: u32) {
        Agenda::schedule(self, Timestamp::from_nanos(at), rank, actor, [u64::from(actor); 2]);
    }

    fn pop(&mut self) -> Option<u64> {
        let (at, event) = Agenda::pop(self)?;
        black_box(event);
        Some(at.as_nanos())
    }
}

/// How far ahead events are scheduled.
#[derive(Clone, Copy)]
enum Shape {
    Exponential,
    Mixed,
    SameInstant,
    LogUniform,
}

impl Shape {
    const ALL: [Shape; 4] = [Shape::Exponential, Shape::Mixed, Shape::SameInstant, Shape::LogUniform];

    const fn name(self) -> &'static str {
        match self {
            Shape::Exponential => "exponential",
            Shape::Mixed => "mixed-10-30-300s",
            Shape::SameInstant => "same-instant-90%",
            Shape::LogUniform => "log-uniform-1ns-10h",
        }
    }

    /// The delay of an event that is scheduled during the run.
    fn delay(self, draw: u64) -> u64 {
        match self {
            Shape::Exponential => exponential(draw),
            Shape::Mixed => [10_000_000_000, 30_000_000_000, 300_000_000_000][pick(draw, 3)],
            Shape::SameInstant => [exponential(draw.wrapping_mul(10)), 0][pick(draw, 10).min(1)],
            Shape::LogUniform => log_uniform(draw),
        }
    }

    /// The delay of an event that is there at the start: never now, and with periods out of step.
    fn first_delay(self, draw: u64) -> u64 {
        match self {
            Shape::Mixed => 1 + below(draw.wrapping_mul(3), self.delay(draw)),
            Shape::SameInstant => exponential(draw).max(1),
            Shape::Exponential | Shape::LogUniform => self.delay(draw).max(1),
        }
    }
}

fn pick(draw: u64, of: u64) -> usize {
    usize::try_from(below(draw, of)).expect("a small number")
}

/// Mean 60 s.
fn exponential(draw: u64) -> u64 {
    thread_local!(static TABLE: Quantiles = Quantiles::exponential(60e9));
    TABLE.with(|table| table.value(draw))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 36e12")]
fn log_uniform(draw: u64) -> u64 {
    libm::exp(draw as f64 / u64::MAX as f64 * libm::log(36e12)) as u64
}

/// Delays during a run come from a small table, so that drawing them costs next to nothing.
const DELAYS: usize = 1 << 14;

struct Load {
    shape: Shape,
    pending: u32,
    delays: Vec<u64>,
}

impl Load {
    fn new(shape: Shape, pending: u32) -> Self {
        let mut draws = Luck::new(1).stream(Purpose::Arrival, EntityKey::new("delay", shape.name(), 0));
        Load { shape, pending, delays: (0..DELAYS).map(|_| shape.delay(draws.next_u64())).collect() }
    }

    /// Nanoseconds for one pop and one push, after as many of them as are pending, at most `steps`.
    fn hold<Q: Queue>(&self, steps: u32) -> f64 {
        let mut draws = Luck::new(1).stream(Purpose::Arrival, EntityKey::new("start", self.shape.name(), 0));
        let mut queue = Q::empty();
        for actor in 0..self.pending {
            queue.schedule(self.shape.first_delay(draws.next_u64()), 0, actor);
        }
        self.run(&mut queue, steps.min(self.pending));
        let before = cpu_time();
        self.run(&mut queue, steps);
        (cpu_time() - before) * 1e9 / f64::from(steps)
    }

    fn run<Q: Queue>(&self, queue: &mut Q, steps: u32) {
        for step in 0..steps {
            let now = queue.pop().expect("every pop is followed by a push");
            queue.schedule(now + self.delays[step as usize % DELAYS], 0, step);
        }
    }
}

/// A million events at one instant, in random order of rank and actor: seconds to schedule and pop.
fn one_instant<Q: Queue>(at: u64) -> f64 {
    const EVENTS: u32 = 1_000_000;
    let luck = Luck::new(1);
    let key = EntityKey::new("order", "one instant", 0);
    let order: Vec<u64> = (0..EVENTS).map(|n| luck.draw(Purpose::Arrival, key, n)).collect();
    let before = cpu_time();
    let mut queue = Q::empty();
    for draw in order {
        queue.schedule(
            at,
            u8::try_from(draw % 5).expect("below 5"),
            u32::try_from(draw >> 40).expect("24 bits"),
        );
    }
    while queue.pop().is_some() {}
    cpu_time() - before
}

/// Seconds. Yields first: the kernel brings the figure up to date when a thread gives way.
fn cpu_time() -> f64 {
    std::thread::yield_now();
    cpu::spent().as_secs_f64()
}

/// The best of a few runs: what disturbs a run only makes it longer.
fn best(runs: u32, run: impl Fn() -> f64) -> f64 {
    (0..runs).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn print(name: &str, unit: &str, [heap, agenda]: [f64; 2], bar: &str, met: bool) {
    println!("heap/{name} {heap:.3} {unit} 1.0");
    let verdict = if met { "met" } else { "missed" };
    println!("agenda/{name} {agenda:.3} {unit} {:.1} bar {verdict} ({bar})", heap / agenda);
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()));
    for shape in Shape::ALL.into_iter().filter(|shape| wants(shape.name())) {
        for (pending, runs, heap_steps, agenda_steps) in [
            (1_000, 3, 2_000_000, 2_000_000),
            (100_000, 3, 1_000_000, 2_000_000),
            (1_000_000, 1, 1_000_000, 3_000_000),
            (10_000_000, 1, 1_000_000, 10_000_000),
        ] {
            let load = Load::new(shape, pending);
            let heap = best(runs, || load.hold::<Heap>(heap_steps));
            let agenda = best(runs, || load.hold::<Agenda<[u64; 2]>>(agenda_steps));
            let times = match (shape, pending) {
                (Shape::Exponential, 1_000_000) => 7.0,
                (Shape::Exponential, 10_000_000) => 10.0,
                (_, _) => 1.0, // never slower
            };
            let name = format!("{}/{pending}", shape.name());
            print(
                &name,
                "ns",
                [heap, agenda],
                &format!("at least {times} times the heap"),
                heap >= times * agenda,
            );
        }
    }
    for (name, at) in [("one-instant/now", 0), ("one-instant/later", 1)] {
        if wants(name) {
            let heap = best(3, || one_instant::<Heap>(at));
            let agenda = best(3, || one_instant::<Agenda<[u64; 2]>>(at));
            print(name, "s", [heap, agenda], "at most 0.2 s, never slower", agenda <= 0.2 && agenda <= heap);
        }
    }
}
