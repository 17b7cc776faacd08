//! What dry runs of preemption came to, by place in the search order.
//!
//! Most nodes do not change from one preemptor to the next of its kind, and then the same pods would have to
//! go. Knows nothing of how victims are found.

use std::rc::Rc;

use super::framework::{Code, Status};
use super::places::Places;
use super::preemption::Candidate;
use super::refused::Reasons;

/// When there are more reasons than this, what is kept is forgotten.
const REASONS_MAX: usize = 1024;

/// The dry runs of one pod, or of pods that are alike.
#[derive(Debug, Default)]
pub(super) struct DryRuns {
    /// By place.
    known: Vec<Known>,
    /// Places where it is known that nobody can make room.
    hopeless: Places,
    /// Why there.
    reasons: Reasons,
    /// The state of the disruption budgets that these know.
    budgets: u64,
}

#[derive(Clone, Debug, Default)]
enum Known {
    #[default]
    Nothing,
    Candidate(Rc<Candidate>),
    /// The number of a reason.
    Hopeless(usize),
}

impl DryRuns {
    /// Makes room for so many nodes, and forgets what does not hold under these budgets.
    pub(super) fn begin(&mut self, nodes: usize, budgets: u64) {
        if self.budgets != budgets || self.reasons.len() > REASONS_MAX {
            *self = DryRuns { budgets, ..DryRuns::default() };
        }
        self.known.resize(nodes, Known::Nothing);
    }

    /// The node at a place is no longer as it was.
    pub(super) fn forget(&mut self, place: usize) {
        let Some(known) = self.known.get_mut(place) else { return };
        if let Known::Hopeless(reason) = std::mem::take(known) {
            self.hopeless.set(place, false);
            self.reasons.remove(reason);
        }
    }

    /// Places where it is known that nobody can make room.
    pub(super) const fn hopeless(&self) -> &Places {
        &self.hopeless
    }

    /// Why nobody can there, with the number of places.
    pub(super) const fn reasons(&self) -> &Reasons {
        &self.reasons
    }

    /// What the dry run at a place comes to: nothing where nobody can make room.
    ///
    /// # Errors
    /// When something is broken; that is not kept.
    pub(super) fn candidate(
        &mut self,
        place: usize,
        run: impl FnOnce() -> Result<Candidate, Status>,
    ) -> Result<Option<&Rc<Candidate>>, Status> {
        if let Known::Nothing = self.known[place] {
            self.known[place] = match run() {
                Ok(candidate) => Known::Candidate(Rc::new(candidate)),
                Err(status) if status.code == Code::Error => return Err(status),
                Err(status) => {
                    let reason = self.reasons.number(&status);
                    self.reasons.add(reason, 1);
                    self.hopeless.set(place, true);
                    Known::Hopeless(reason)
                }
            };
        }
        Ok(match &self.known[place] {
            Known::Candidate(candidate) => Some(candidate),
            Known::Nothing | Known::Hopeless(_) => None,
        })
    }
}
