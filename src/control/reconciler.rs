//! The shape of every deciding machine, and the laws it obeys.
//!
//! 1. After `observe` or `reconcile` the driver drains the commands and re-arms `wake_at` before the
//!    next mutation. 2. A wake that comes too early is a no-op. 3. Each change of the record is told
//!    once, in revision order; answers carry no revision and may come before the change they caused.
//! 4. Same inputs, same commands. 5. No wake in the past. 6. One `reconcile` is one unit of the
//!    original's work: one API call, one service, one task. The laws are tested for every
//!    implementation by one generic test. Knows nothing of any orchestrator.

use crate::base::{Timestamp, Turn};

/// A deciding machine. Not `dyn`: a driver holds its machines as fields.
pub trait Reconciler {
    /// What it is told: edits of the record, answers, events of a runtime.
    type Change<'a>;
    /// What it may look at while it decides.
    type View<'a>: Copy;
    /// What it asks for.
    type Command;

    /// Takes in one change. Decides nothing that needs the view.
    fn observe(&mut self, now: Timestamp, change: Self::Change<'_>);

    /// When it next wants [`reconcile`](Self::reconcile) to be called, if ever.
    fn wake_at(&self) -> Option<Timestamp>;

    /// Does one unit of work that is due, and pushes the commands that follow from it.
    fn reconcile(
        &mut self,
        turn: &mut Turn<'_>,
        view: Self::View<'_>,
        out: &mut Vec<(Ticket, Self::Command)>,
    );
}

/// The number of a command, made by the machine that sends it; the answer carries it back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(u64);

/// The tickets of one machine.
///
/// ```
/// use windtunnel::control::Tickets;
/// let mut tickets = Tickets::default();
/// assert!(tickets.take() < tickets.take());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Tickets {
    next: u64,
}

impl Tickets {
    /// The next ticket.
    pub fn take(&mut self) -> Ticket {
        self.next += 1;
        Ticket(self.next)
    }
}
