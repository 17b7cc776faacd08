//! What the kubelet knows of one pod.
//!
//! Knows nothing of what is done about it; that is in [`sync`](super::sync).

use crate::base::runtime::SandboxId;
use crate::base::{EntityKey, Row, Span, Symbol, Timestamp};
use crate::control::kubernetes::objects::PodSpec;

use super::backoff::Delay;

/// A pod that was given to this node.
#[derive(Clone, Debug)]
pub(super) struct KubeletPod {
    pub(super) sandbox: SandboxId,
    pub(super) key: EntityKey,
    pub(super) spec: Row<PodSpec>,
    pub(super) stage: Stage,
    /// Whether its record is to go, once it has ended.
    pub(super) deleted: Option<Span>,
    pub(super) network: Network,
    /// What the sync under way waits for.
    pub(super) work: Work,
    /// Containers that this sync is still to start, the next one last.
    pub(super) todo: Vec<u8>,
    /// What went wrong in this sync.
    pub(super) problem: Problem,
    /// Whether this sync has started something.
    pub(super) progressed: bool,
    /// Whether something happened meanwhile, so that another sync follows.
    pub(super) again: bool,
    /// How many syncs failed: the number of the draw.
    pub(super) failures: u32,
    /// When it wants a look that nobody else causes; [`Timestamp::NEVER`] for none.
    pub(super) look_at: Timestamp,
    /// The same as the kubelet has noted it.
    pub(super) timer: Timestamp,
    /// Waits of its images.
    pub(super) pull_delays: Vec<(Symbol, Delay)>,
    /// What was reported so far.
    pub(super) told: Told,
    pub(super) containers: Box<[Container]>,
}

/// How far a pod got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It runs, or is on the way.
    Active,
    /// Its containers are told to stop since then, and may take so long.
    Stopping { since: Timestamp, grace: Span, because: Because },
    /// Its containers have exited, and it is over at the next look; that is when it stops to hold anything.
    Stopped(Because),
    /// It holds nothing: refused, or all its containers have exited.
    Ended,
}

/// Why a pod stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Because {
    /// Nothing of it will run again.
    Over,
    /// It was deleted.
    Deleted,
}

/// Whether the sandbox is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Network {
    Absent,
    Ready,
}

/// What a sync waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Work {
    /// There is no sync under way.
    Idle,
    /// The sandbox.
    Sandbox,
    /// An image; `begun` is never while the pull stands in line.
    Pull { index: u8, asked: Timestamp, begun: Timestamp },
    /// The start of a container.
    Start { index: u8 },
}

/// What went wrong in a sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Problem {
    /// Nothing.
    None,
    /// Something that does not say when it will be over.
    Some,
    /// Something that is over then.
    Until(Timestamp),
}

/// What was reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Told {
    pub(super) pull_started: bool,
    pub(super) pull_stopped: bool,
    pub(super) running: bool,
    pub(super) ready: bool,
}

/// One container of a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Container {
    pub(super) state: State,
    /// How often it was started.
    pub(super) starts: u32,
    /// How often its image was asked for.
    pub(super) pulls: u32,
    /// Whether its image was ever there for it.
    pub(super) has_image: bool,
    /// Whether its readiness probe passes.
    pub(super) passes: bool,
    /// The wait before its next start.
    pub(super) crash: Option<Delay>,
}

/// What is known of a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Nobody tried to start it.
    Absent,
    /// It was created and could not be started.
    Created,
    /// It runs.
    Running,
    /// It was sent the stop signal.
    Stopping,
    /// It has exited.
    Exited { at: Timestamp, code: u8, out_of_memory: bool },
}

impl KubeletPod {
    pub(super) fn new(sandbox: SandboxId, key: EntityKey, spec: Row<PodSpec>, stage: Stage) -> Self {
        KubeletPod {
            sandbox,
            key,
            spec,
            stage,
            deleted: None,
            network: Network::Absent,
            work: Work::Idle,
            todo: Vec::new(),
            problem: Problem::None,
            progressed: false,
            again: false,
            failures: 0,
            look_at: Timestamp::NEVER,
            timer: Timestamp::NEVER,
            pull_delays: Vec::new(),
            told: Told::default(),
            containers: Box::default(),
        }
    }
}

impl Problem {
    /// Adds another one: the soonest end counts, where any says when it is.
    pub(super) fn add(&mut self, other: Problem) {
        *self = match (*self, other) {
            (Problem::Until(one), Problem::Until(two)) => Problem::Until(one.min(two)),
            (Problem::Until(at), Problem::None | Problem::Some)
            | (Problem::None | Problem::Some, Problem::Until(at)) => Problem::Until(at),
            (Problem::Some, Problem::None | Problem::Some) | (Problem::None, Problem::Some) => Problem::Some,
            (Problem::None, Problem::None) => Problem::None,
        };
    }
}

impl Container {
    pub(super) const NEW: Container =
        Container { state: State::Absent, starts: 0, pulls: 0, has_image: false, passes: false, crash: None };

    /// Whether there is a process.
    pub(super) const fn is_alive(&self) -> bool {
        matches!(self.state, State::Running | State::Stopping)
    }
}
