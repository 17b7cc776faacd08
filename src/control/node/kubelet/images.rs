//! Which images are on the node, and which pulls may begin.
//!
//! Nothing is deleted here: the garbage collection of images is not modelled. Knows nothing of pods.

use std::collections::{BTreeSet, VecDeque};

use crate::base::runtime::ContainerId;
use crate::base::{Refill, Symbol, Timestamp, TokenBucket};
use crate::mark;

use super::settings::KubeletSettings;

/// The images of one node, and the line before its registry.
#[derive(Clone, Debug)]
pub(super) struct Images {
    present: BTreeSet<Symbol>,
    /// None without a limit.
    rate: Option<TokenBucket>,
    /// How many pulls may be under way.
    places: u32,
    under_way: u32,
    /// Who waits for a place, first come first served.
    line: VecDeque<ContainerId>,
}

impl Images {
    pub(super) fn new(settings: &KubeletSettings, baked: &[Symbol]) -> Self {
        let refill = Refill::per_second(settings.pull_rate);
        Images {
            present: baked.iter().copied().collect(),
            rate: (settings.pull_rate > 0).then(|| TokenBucket::new(settings.pull_burst, refill)),
            places: if settings.parallel_pulls == 0 { u32::MAX } else { settings.parallel_pulls },
            under_way: 0,
            line: VecDeque::new(),
        }
    }

    pub(super) fn has(&self, image: Symbol) -> bool {
        self.present.contains(&image)
    }

    pub(super) fn pulled(&mut self, image: Symbol) {
        self.present.insert(image);
    }

    /// Gives a pull a place, or has it wait for one.
    pub(super) fn take_place(&mut self, container: ContainerId) -> bool {
        mark!("K 3.10 pulls that find no place wait in line");
        let free = self.under_way < self.places;
        if free {
            self.under_way += 1;
        } else {
            self.line.push_back(container);
        }
        free
    }

    /// Whether the registry may be asked now; where it may not, the pull has failed.
    pub(super) fn may_ask(&mut self, now: Timestamp) -> bool {
        mark!("K 3.10 a pull beyond the rate fails");
        self.rate.as_mut().is_none_or(|rate| rate.take(now, 1).is_ok())
    }

    /// Gives the place of a pull back.
    pub(super) fn leave(&mut self) {
        self.under_way = self.under_way.checked_sub(1).expect("each pull had one place");
    }

    /// Who waited longest and now has a place.
    pub(super) fn next(&mut self) -> Option<ContainerId> {
        if self.under_way == self.places {
            return None;
        }
        let next = self.line.pop_front()?;
        self.under_way += 1;
        Some(next)
    }
}
