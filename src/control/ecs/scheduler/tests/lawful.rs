//! The laws of a reconciler, and the same commands whether ticks are computed or taken.

use super::record::Record;
use crate::base::{Span, Timestamp};
use crate::control::Ticket;
use crate::control::ecs::objects::EcsView;
use crate::control::ecs::placement::{Placement, PlacementSettings};
use crate::control::ecs::scheduler::{EcsCommand, Scheduler};
use crate::control::ecs::service::SchedulerSettings;
use crate::control::laws::{self, Dice, Rig};

/// A record whose scheduler is the machine under test; commands are carried out late.
struct Late {
    record: Record,
    commands: Vec<(Ticket, EcsCommand)>,
}

impl Late {
    fn new() -> Self {
        Late { record: Record::new(SchedulerSettings::default()), commands: Vec::new() }
    }
}

impl Rig for Late {
    type Machine = Scheduler;

    fn machine(&self, _: Timestamp) -> Scheduler {
        Scheduler::new(SchedulerSettings::default(), Placement::new(PlacementSettings::default()))
    }

    fn view(&self) -> EcsView<'_> {
        self.record.view()
    }

    fn tell(&mut self, now: Timestamp, dice: &mut Dice, machine: &mut Scheduler) {
        std::mem::swap(machine, &mut self.record.scheduler);
        self.record.now = now;
        for (ticket, command) in std::mem::take(&mut self.commands) {
            self.record.take_command(ticket, command);
        }
        self.record.act();
        self.record.happen(dice);
        std::mem::swap(machine, &mut self.record.scheduler);
    }

    fn take(&mut self, ticket: Ticket, command: &EcsCommand) {
        self.commands.push((ticket, *command));
    }
}

#[test]
fn the_scheduler_obeys_the_laws() {
    laws::check(Late::new, 10, 150);
}

#[test]
fn computed_ticks_decide_what_taken_ticks_decide() {
    let run = |seed, every_tick| {
        let mut record = Record::new(SchedulerSettings { every_tick, ..SchedulerSettings::default() });
        let mut dice = Dice::new(seed);
        for _ in 0..150 {
            record.happen(&mut dice);
            let millis =
                [0, 1, 400, 999, 10_000, 37_000, 700_000][usize::try_from(dice.below(7)).expect("small")];
            record.run(Span::millis(millis));
        }
        (record.log(), record.scheduler.counters().looks)
    };
    for seed in 0..12 {
        let ((computed, few), (taken, many)) = (run(seed, false), run(seed, true));
        assert_eq!(computed, taken, "seed {seed}");
        assert!(few < many, "seed {seed}: {few} looks instead of {many}");
    }
}
