//! The laws of [`Reconciler`], checked for any machine that brings a rig.
//!
//! A rig makes the machine, tells it changes, and answers its commands. Three runs of one seed are
//! compared: a plain one, the same once more (law 4), and one in which every idle moment is used to
//! wake the machine too early (law 2). Waking at a time that has passed (law 5), a unit of work that
//! never ends (law 6), tickets out of order, and a machine that asks for nothing all fail.

use std::fmt::Debug;

use crate::base::turn::Nobody;
use crate::base::{Draw, EntityKey, Purpose, Span, Timestamp, Turn};

use super::{Reconciler, Ticket};

/// More units than this at one instant are a livelock.
const UNITS_MAX: u32 = 10_000;

/// A machine, and a world that is just big enough for it.
pub(crate) trait Rig {
    /// The machine under test.
    type Machine: Reconciler<Command: Debug>;

    /// A new machine.
    fn machine(&self, now: Timestamp) -> Self::Machine;

    /// What the machine may look at.
    fn view(&self) -> <Self::Machine as Reconciler>::View<'_>;

    /// Tells the machine one change, drawn from `dice`.
    fn tell(&mut self, now: Timestamp, dice: &mut Dice, machine: &mut Self::Machine);

    /// Takes a command; its answer is a later [`tell`](Self::tell).
    fn take(&mut self, ticket: Ticket, command: &<Self::Machine as Reconciler>::Command);
}

/// Numbers for a generator of changes.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The dice of a seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Dice(seed)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Draws that depend on their arguments alone, as production's and the simulator's do.
struct Keyed;

impl Draw for Keyed {
    fn draw(&mut self, purpose: Purpose, key: EntityKey, n: u32) -> u64 {
        let part = key.part(purpose as u64).part(u64::from(n));
        part.low()
    }
}

/// Checks the laws over some seeds, `changes` changes each.
pub(crate) fn check<R: Rig>(rig: impl Fn() -> R, seeds: u64, changes: u32) {
    for seed in 0..seeds {
        let plain = run(rig(), seed, changes, false);
        assert!(!plain.is_empty(), "seed {seed}: a machine that asks for nothing is not tested");
        assert_eq!(plain, run(rig(), seed, changes, false), "seed {seed}: same inputs, same commands");
        assert_eq!(plain, run(rig(), seed, changes, true), "seed {seed}: a wake too early is a no-op");
    }
}

/// Every command of one run, with its time.
fn run<R: Rig>(mut rig: R, seed: u64, changes: u32, hasty: bool) -> Vec<String> {
    let mut dice = Dice(seed);
    let mut now = Timestamp::from_nanos(1);
    let mut machine = rig.machine(now);
    let mut log = Vec::new();
    let mut last = None;
    for _ in 0..changes {
        let gap = [0, 1, 1_000_000_000, 60_000_000_000, 7_200_000_000_000][usize_below(&mut dice, 5)];
        let next = now + Span::from_nanos(gap);
        while let Some(at) = machine.wake_at().filter(|at| *at <= next) {
            assert!(at >= now, "seed {seed}: a wake at {at:?}, and it is {now:?}");
            if hasty && at > now {
                wake_early(&mut rig, &mut machine, now);
            }
            now = at;
            drain(&mut rig, &mut machine, now, &mut last, &mut log);
        }
        if hasty && next > now {
            wake_early(&mut rig, &mut machine, now);
        }
        now = next;
        rig.tell(now, &mut dice, &mut machine);
        drain(&mut rig, &mut machine, now, &mut last, &mut log);
    }
    log
}

fn usize_below(dice: &mut Dice, n: u64) -> usize {
    usize::try_from(dice.below(n)).expect("a small number")
}

/// Wakes a machine before its time: nothing may come of it.
fn wake_early<R: Rig>(rig: &mut R, machine: &mut R::Machine, now: Timestamp) {
    let before = machine.wake_at();
    let mut out = Vec::new();
    machine.reconcile(&mut Turn { now, draw: &mut Keyed, why: &mut Nobody }, rig.view(), &mut out);
    assert!(out.is_empty(), "a wake too early is a no-op");
    assert_eq!(before, machine.wake_at(), "a wake too early moves no wake");
}

/// Lets a machine do everything that is due.
fn drain<R: Rig>(
    rig: &mut R,
    machine: &mut R::Machine,
    now: Timestamp,
    last: &mut Option<Ticket>,
    log: &mut Vec<String>,
) {
    for units in 0.. {
        assert!(units < UNITS_MAX, "units of one instant come to an end");
        let Some(at) = machine.wake_at().filter(|at| *at <= now) else { break };
        assert!(at == now, "a wake in the past: {at:?} at {now:?}");
        let mut out = Vec::new();
        machine.reconcile(&mut Turn { now, draw: &mut Keyed, why: &mut Nobody }, rig.view(), &mut out);
        for (ticket, command) in out {
            assert!(last.is_none_or(|last| last < ticket), "tickets ascend");
            *last = Some(ticket);
            log.push(format!("{now:?} {command:?}"));
            rig.take(ticket, &command);
        }
    }
}

mod tests {
    use super::*;

    /// Counts down, and breaks one law if told to.
    struct Sloppy {
        pending: u32,
        at: Option<Timestamp>,
        breaks: Law,
        ticket: super::super::Tickets,
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Law {
        None,
        Early,
        Past,
        Endless,
        Silent,
    }

    impl Reconciler for Sloppy {
        type Change<'a> = ();
        type View<'a> = ();
        type Command = u32;

        fn observe(&mut self, now: Timestamp, (): ()) {
            self.pending += 1;
            self.at = Some(match self.breaks {
                Law::Past => now.saturating_sub(Span::SECOND),
                Law::None | Law::Early | Law::Endless | Law::Silent => now + Span::SECOND,
            });
        }

        fn wake_at(&self) -> Option<Timestamp> {
            self.at
        }

        fn reconcile(&mut self, turn: &mut Turn<'_>, (): (), out: &mut Vec<(Ticket, u32)>) {
            if self.breaks != Law::Early && self.at.is_none_or(|at| at > turn.now) {
                return;
            }
            if self.breaks != Law::Endless {
                self.at = None;
            }
            if self.breaks != Law::Silent {
                out.push((self.ticket.take(), self.pending));
            }
        }
    }

    struct SloppyRig(Law);

    impl Rig for SloppyRig {
        type Machine = Sloppy;

        fn machine(&self, _: Timestamp) -> Sloppy {
            Sloppy { pending: 0, at: None, breaks: self.0, ticket: super::super::Tickets::default() }
        }

        fn view(&self) {}

        fn tell(&mut self, now: Timestamp, _: &mut Dice, machine: &mut Sloppy) {
            machine.observe(now, ());
        }

        fn take(&mut self, _: Ticket, _: &u32) {}
    }

    #[test]
    fn a_lawful_machine_passes() {
        check(|| SloppyRig(Law::None), 3, 30);
    }

    #[test]
    #[should_panic(expected = "too early")]
    fn an_early_bird_fails() {
        check(|| SloppyRig(Law::Early), 3, 30);
    }

    #[test]
    #[should_panic(expected = "in the past")]
    fn a_wake_in_the_past_fails() {
        check(|| SloppyRig(Law::Past), 3, 30);
    }

    #[test]
    #[should_panic(expected = "come to an end")]
    fn an_endless_unit_fails() {
        check(|| SloppyRig(Law::Endless), 3, 30);
    }

    #[test]
    #[should_panic(expected = "asks for nothing")]
    fn a_silent_machine_fails() {
        check(|| SloppyRig(Law::Silent), 3, 30);
    }
}
