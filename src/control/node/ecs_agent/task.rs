//! What the agent knows of one task: a small row, without a heap for a task of one container.
//!
//! Knows nothing of what is done about it; that is in [`step`](super::step).

use std::ops::{Index, IndexMut};

use crate::base::runtime::SandboxId;
use crate::base::{EntityKey, Row, Timestamp};
use crate::control::ecs::objects::{Health, Stop, TaskDefinition};

/// A task that was given to this agent.
#[derive(Clone, Debug)]
pub(super) struct AgentTask {
    pub(super) sandbox: SandboxId,
    pub(super) key: EntityKey,
    pub(super) definition: Row<TaskDefinition>,
    pub(super) stage: Stage,
    /// Whether it ever held its resources, so that its host may know it.
    pub(super) admitted: bool,
    /// Whether its containers should stop.
    pub(super) stopping: bool,
    /// Why, when the agent decided it.
    pub(super) stop: Option<Stop>,
    /// What was reported so far.
    pub(super) told: Told,
    /// The health that was reported last.
    pub(super) health: Health,
    /// The next look at it that nobody else causes; [`Timestamp::NEVER`] for none.
    pub(super) timer: Timestamp,
    pub(super) containers: Containers,
}

/// How far a task got, as its host's resources see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Waits for room.
    Queued,
    /// Holds its resources.
    Active,
    /// Holds nothing; its containers are not removed yet.
    Stopped,
}

/// What was reported, once each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Told {
    pub(super) activating: bool,
    pub(super) pull_started: bool,
    pub(super) pull_stopped: bool,
    pub(super) running: bool,
    pub(super) essential_exited: bool,
}

/// One container of a task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container {
    pub(super) phase: Phase,
    pub(super) health: Health,
    /// When it was first started; [`Timestamp::NEVER`] before.
    pub(super) started_at: Timestamp,
    /// How often it was restarted in place.
    pub(super) restarts: u32,
    /// Code and cause of the exit before the latest restart.
    pub(super) last_exit: (u8, bool),
    /// Whether it counts as a user of its image.
    pub(super) uses_image: bool,
    /// Whether the host still owes the answer to a pull that nobody waits for.
    pub(super) pull_owed: bool,
}

/// How far a container got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Waits for its dependencies.
    Waiting,
    /// Its image is pulled; how many tries failed before.
    Pulling { failures: u32 },
    /// Waits before the next try.
    Backoff { failures: u32, until: Timestamp },
    /// Could be started.
    Pulled,
    /// The host was asked to start it.
    Starting,
    /// Runs, since its latest start.
    Running { since: Timestamp },
    /// Was sent the stop signal.
    Stopping,
    /// The end.
    Stopped(End),
}

/// How a container ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// It never started.
    NeverStarted,
    /// It exited.
    Exited { code: u8, out_of_memory: bool },
}

/// The containers of a task, in the order of its definition; the first without a heap.
#[derive(Clone, Debug, Default)]
pub(super) struct Containers {
    first: Container,
    rest: Box<[Container]>,
}

impl AgentTask {
    pub(super) fn new(sandbox: SandboxId, key: EntityKey, definition: Row<TaskDefinition>) -> Self {
        AgentTask {
            sandbox,
            key,
            definition,
            stage: Stage::Queued,
            admitted: false,
            stopping: false,
            stop: None,
            told: Told::default(),
            health: Health::Unknown,
            timer: Timestamp::NEVER,
            containers: Containers::default(),
        }
    }
}

impl Default for Container {
    fn default() -> Self {
        Container {
            phase: Phase::Waiting,
            health: Health::Unknown,
            started_at: Timestamp::NEVER,
            restarts: 0,
            last_exit: (0, false),
            uses_image: false,
            pull_owed: false,
        }
    }
}

impl Container {
    pub(super) const fn has_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopped(_))
    }

    pub(super) const fn runs(&self) -> bool {
        matches!(self.phase, Phase::Running { .. })
    }

    /// Whether its image may still have to be pulled.
    pub(super) const fn awaits_image(&self) -> bool {
        matches!(self.phase, Phase::Waiting | Phase::Pulling { .. } | Phase::Backoff { .. })
    }
}

impl Containers {
    pub(super) fn new(count: usize) -> Self {
        let rest = vec![Container::default(); count.saturating_sub(1)];
        Containers { first: Container::default(), rest: rest.into() }
    }
}

impl Index<usize> for Containers {
    type Output = Container;
    fn index(&self, index: usize) -> &Container {
        if index == 0 { &self.first } else { &self.rest[index - 1] }
    }
}

impl IndexMut<usize> for Containers {
    fn index_mut(&mut self, index: usize) -> &mut Container {
        if index == 0 { &mut self.first } else { &mut self.rest[index - 1] }
    }
}

const _: () = assert!(size_of::<Container>() <= 40 && size_of::<AgentTask>() <= 144);
