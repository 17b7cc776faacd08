//! Which services want a look, and when.
//!
//! Knows nothing of why.

use std::collections::BTreeSet;

use crate::base::{Row, Timestamp};

use super::super::objects::Service;

/// The next look at every service, soonest first; equal times in row order.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Looks {
    due: BTreeSet<(Timestamp, Row<Service>)>,
    /// Invariant: `at[row]` is some if and only if it is in `due`.
    at: Vec<Option<Timestamp>>,
}

impl Looks {
    /// The next look at this service is then, or never.
    pub(in super::super) fn set(&mut self, row: Row<Service>, at: Option<Timestamp>) {
        if self.at.len() <= row.index() {
            self.at.resize(row.index() + 1, None);
        }
        let old = std::mem::replace(&mut self.at[row.index()], at);
        if old == at {
            return;
        }
        if let Some(old) = old {
            assert!(self.due.remove(&(old, row)), "a service that has a time is due then");
        }
        if let Some(at) = at {
            self.due.insert((at, row));
        }
    }

    /// The service that is looked at next.
    pub(in super::super) fn first(&self) -> Option<(Timestamp, Row<Service>)> {
        self.due.first().copied()
    }
}
