//! SchedulingGates: a pod with gates does not enter the queue (K 2.2).

use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{Cycle, Plugin, Points, Status};
use crate::mark;

use super::is_own;

/// The plugin.
#[derive(Debug)]
pub struct SchedulingGates;

impl Plugin for SchedulingGates {
    fn name(&self) -> &'static str {
        "SchedulingGates"
    }

    fn points(&self) -> Points {
        Points { pre_enqueue: true, ..Points::default() }
    }

    fn pre_enqueue(&self, cycle: &Cycle<'_>) -> Result<(), Status> {
        if cycle.spec.gates.is_empty() {
            return Ok(());
        }
        mark!("K 2.2 a pod with gates is held back");
        let names: Vec<&str> = cycle.spec.gates.iter().map(|&gate| cycle.specs.symbols.text(gate)).collect();
        Err(Status::unresolvable(format!("waiting for scheduling gates: [{}]", names.join(" "))))
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::PodGatesEliminated]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        is_own(listening, event)
    }
}
