//! DynamicResources: device claims. Only its traces are built: its place in the scores and its words.
//!
//! No pod of this model has claims; what is left of the plugin is a score of 0 and what it says when no
//! node can do (K 2.17, 0).

use crate::control::kubernetes::scheduler::framework::{
    Cycle, Dependence, Plugin, Points, PreFilter, Status,
};
use crate::mark;

/// The plugin.
#[derive(Debug, Default)]
pub struct DynamicResources {
    asked: bool,
}

impl Plugin for DynamicResources {
    fn name(&self) -> &'static str {
        "DynamicResources"
    }

    fn points(&self) -> Points {
        Points {
            pre_enqueue: true,
            pre_filter: true,
            filter: true,
            post_filter: true,
            score: true,
            reserve: true,
            ..Points::default()
        }
    }

    fn filter_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn score_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn pre_filter(&mut self, _: &Cycle<'_>) -> PreFilter {
        self.asked = true;
        PreFilter::Skip
    }

    fn post_filter(&mut self, _: &Cycle<'_>) -> Status {
        if self.asked {
            mark!("K 2.17 no claims to deallocate");
            Status::unschedulable("no new claims to deallocate")
        } else {
            mark!("K 2.17 a search that was aborted before has no state here");
            Status::error("not found")
        }
    }

    fn scores(&self, _: &Cycle<'_>) -> bool {
        false
    }

    fn finish(&mut self) {
        self.asked = false;
    }
}
