//! DefaultPreemption: looks for victims when no node can do (K 2.17). The search is in
//! [`preemption`](mod@crate::control::kubernetes::scheduler::preemption).

use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{Cycle, Plugin, Points, Status};
use crate::control::kubernetes::scheduler::preemption::PreemptionSettings;
use crate::mark;

/// The plugin.
#[derive(Debug, Default)]
pub struct DefaultPreemption {
    /// Its arguments.
    pub settings: PreemptionSettings,
}

impl Plugin for DefaultPreemption {
    fn name(&self) -> &'static str {
        "DefaultPreemption"
    }

    fn points(&self) -> Points {
        Points { pre_enqueue: true, post_filter: true, ..Points::default() }
    }

    fn pre_enqueue(&self, cycle: &Cycle<'_>) -> Result<(), Status> {
        if cycle.cluster.preempting.contains(&cycle.row) {
            mark!("K 2.17 a preemptor waits for its deletions");
            return Err(Status::unresolvable("waiting for the preemption for this pod to be finished"));
        }
        Ok(())
    }

    fn preempts(&self) -> Option<PreemptionSettings> {
        Some(self.settings)
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::AssignedPodDelete]
    }

    fn may_help(&self, _: &Listening<'_>, _: &Event<'_>) -> bool {
        false
    }
}
