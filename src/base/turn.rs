//! What a deciding machine is handed: the time, a source of choice, and the wish for reasons.
//!
//! Production passes the operating system's randomness and a log; the simulator passes keyed draws
//! and nobody; an explanation runs again with somebody who asks. Machines store none of the three.

use super::id::EntityKey;
use super::time::Timestamp;

/// The three arguments of a decision.
pub struct Turn<'a> {
    /// The time, told and never asked for.
    pub now: Timestamp,
    /// Where choices come from.
    pub draw: &'a mut dyn Draw,
    /// Whether somebody wants to know the reasons.
    pub why: &'a mut dyn Why,
}

/// A source of random numbers that knows who draws and what for.
///
/// Never a bare stream: a stream would move every later draw when one decision changes.
pub trait Draw {
    /// The `n`-th number of this entity for this purpose.
    fn draw(&mut self, purpose: Purpose, key: EntityKey, n: u32) -> u64;
}

/// Reduces a draw to `0..n` by multiply-shift.
///
/// ```
/// use windtunnel::base::turn::below;
/// assert_eq!(below(0, 6), 0);
/// assert_eq!(below(u64::MAX, 6), 5);
/// ```
pub const fn below(draw: u64, n: u64) -> u64 {
    ((draw as u128 * n as u128) >> 64) as u64
}

/// Why a number is drawn. One purpose, one stream per entity: a new purpose moves no old draw.
///
/// The discriminants are part of the digests; never renumber, only append.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u16)]
pub enum Purpose {
    /// The choice of strategy `random`, and of ties where a setting says so.
    Place = 1,
    /// Which task stops where the rule says "random".
    StopChoice = 2,
    /// The agent's jitter on a back-off.
    Backoff = 3,
    /// The gap before the next arrival.
    Arrival = 4,
    /// How long the main work of a container takes.
    Life = 5,
    /// When a container crashes.
    Crash = 6,
    /// Whether a pull fails.
    PullFailure = 7,
    /// The capacity of a machine's pull link.
    PullRate = 8,
    /// How long the runtime takes to start a container.
    ContainerStart = 9,
    /// How long an application takes to answer its health check.
    AppStart = 10,
    /// How long an application takes to end after SIGTERM.
    Shutdown = 11,
    /// How long a network interface takes to attach.
    EniAttach = 12,
    /// How long the launch call takes.
    LaunchCall = 13,
    /// How long until a launched machine is running.
    LaunchVisible = 14,
    /// How long until a launched machine has registered.
    LaunchRegistered = 15,
    /// The slow-host factor that all stages of one machine share.
    HostFactor = 16,
    /// How long Fargate takes to prepare a task.
    FargatePrepare = 17,
    /// Whether a Fargate start straggles.
    Straggler = 18,
    /// How long a straggling start takes longer.
    StragglerExtra = 19,
    /// When an application that was well turns unhealthy.
    Sicken = 20,
    /// Whether an application ignores SIGTERM.
    IgnoresTerm = 21,
    /// Whether a launched machine fails before it runs.
    LaunchFailure = 22,
    /// How long a machine takes from terminating to terminated.
    Terminate = 23,
    /// Where the search for victims of a preemption begins.
    Preempt = 24,
    /// How long the runtime takes to create a sandbox and its network.
    Sandbox = 25,
    /// When a pod is deleted.
    Departure = 26,
}

/// Who a question is about: the thing whose decisions should be explained.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Subject(pub EntityKey);

/// One reason: a fixed word, the row it is about, and up to two numbers. `Copy`, no text is made
/// until somebody prints it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Note {
    /// Who asked for it.
    pub subject: Subject,
    /// What was found, in the field's words: `RESOURCE:CPU`, `chosen`.
    pub finding: &'static str,
    /// The row it was found at, if it is about one.
    pub row: Option<u32>,
    /// What was wanted and what was there, or zeros.
    pub numbers: [i64; 2],
}

/// The wish for reasons. Ask `wants` once per decision, never inside a loop over nodes.
pub trait Why {
    /// Whether somebody asked about this subject.
    fn wants(&self, subject: Subject) -> bool;
    /// Takes a reason.
    fn note(&mut self, note: Note);
}

/// Nobody wants to know.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Why for Nobody {
    fn wants(&self, _: Subject) -> bool {
        false
    }
    fn note(&mut self, _: Note) {}
}

/// Somebody wants to know about one subject.
///
/// ```
/// use windtunnel::base::turn::{Asked, Note, Subject, Why};
/// use windtunnel::base::EntityKey;
/// let web = Subject(EntityKey::new("task", "web", 1));
/// let mut asked = Asked::about(web);
/// assert!(asked.wants(web));
/// asked.note(Note { subject: web, finding: "AGENT", row: Some(3), numbers: [0, 0] });
/// assert_eq!(asked.notes.len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Asked {
    subject: Subject,
    /// What was found, in order.
    pub notes: Vec<Note>,
}

impl Asked {
    /// Asks about one subject.
    pub const fn about(subject: Subject) -> Self {
        Asked { subject, notes: Vec::new() }
    }
}

impl Why for Asked {
    fn wants(&self, subject: Subject) -> bool {
        subject == self.subject
    }
    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }
}
