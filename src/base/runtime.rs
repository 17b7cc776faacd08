//! The words of a container runtime, spoken between a node agent and a host.
//!
//! A *sandbox* is the set of containers of one task or pod on one host. Commands go to the host,
//! events come back; the host answers every command exactly once and reports exits and health by
//! itself. Knows nothing of ECS or Kubernetes, and nothing of how long anything takes.

use super::label::Symbol;
use super::time::Span;

/// The containers of one task or pod on one host, by the number that its agent chose. Not reused
/// while the agent still knows the task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SandboxId(pub u32);

/// One container of a sandbox, by its place in the definition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ContainerId {
    /// Of which sandbox.
    pub sandbox: SandboxId,
    /// Which one, in the order of the definition.
    pub index: u8,
}

/// What an agent asks of its host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuntimeCommand {
    /// Create a sandbox, its network included, before anything of it starts; answered by
    /// [`RuntimeEvent::Prepared`]. An agent whose containers bring their own network never asks.
    Prepare {
        /// Which sandbox.
        sandbox: SandboxId,
    },
    /// Fetch an image, as spelled in the definition; answered by [`RuntimeEvent::Pulled`].
    Pull {
        /// For which container.
        container: ContainerId,
        /// The image reference.
        image: Symbol,
        /// 0 for the first try.
        attempt: u32,
    },
    /// Create and start a container; answered by [`RuntimeEvent::Started`].
    Start {
        /// Which container.
        container: ContainerId,
        /// The image reference.
        image: Symbol,
        /// How often it was started before: a restart in place is 1 and more.
        restart: u32,
    },
    /// Send the stop signal, and SIGKILL after `grace`; answered by [`RuntimeEvent::Exited`].
    Stop {
        /// Which container.
        container: ContainerId,
        /// How long the container may take.
        grace: Span,
    },
    /// Forget a sandbox whose containers have all exited or never started.
    Remove {
        /// Which sandbox.
        sandbox: SandboxId,
    },
    /// Delete the unshared layers of an image from the host.
    RemoveImage {
        /// The image reference.
        image: Symbol,
    },
}

/// What a host tells its agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuntimeEvent {
    /// A sandbox was created.
    Prepared {
        /// Which sandbox.
        sandbox: SandboxId,
        /// Whether it could be.
        ok: bool,
    },
    /// A pull ended.
    Pulled {
        /// For which container.
        container: ContainerId,
        /// How it ended.
        result: Pull,
    },
    /// A container was started.
    Started {
        /// Which container.
        container: ContainerId,
        /// Whether it could be.
        ok: bool,
    },
    /// A container exited.
    Exited {
        /// Which container.
        container: ContainerId,
        /// Its exit code: 137 is SIGKILL, 143 SIGTERM.
        code: u8,
        /// Whether it was killed for memory.
        out_of_memory: bool,
    },
    /// The health check of a container changed its verdict.
    Health {
        /// Which container.
        container: ContainerId,
        /// The new verdict.
        healthy: bool,
    },
}

/// A container's health check (TD-24) or readiness probe: the command itself does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HealthCheck {
    /// When probes start.
    pub rhythm: Rhythm,
    /// Between two probes, as the rhythm says.
    pub interval: Span,
    /// A probe that takes longer has failed.
    pub timeout: Span,
    /// So many consecutive failures are a verdict; zero counts as one.
    pub retries: u32,
    /// So many consecutive passes are a verdict; zero counts as one.
    pub successes: u32,
    /// Failures of probes that start sooner after the start do not count, until one has passed.
    pub start_period: Span,
}

/// When the probes of a health check start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rhythm {
    /// Each so long after the end of the one before, the first so long after the start of the container.
    AfterEach,
    /// At a fixed beat; a probe that takes longer than the beat is followed by the next at once.
    Beat {
        /// From the start of the container to the first probe.
        first: Span,
    },
}

/// How a pull ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pull {
    /// The image is on the host.
    Done,
    /// It failed; whether an older copy of the same reference is on the host.
    Failed {
        /// Whether a container could be created from a cached copy.
        cached: bool,
    },
}

const _: () = assert!(size_of::<RuntimeEvent>() <= 12);

impl RuntimeEvent {
    /// The sandbox that it is about.
    pub const fn sandbox(self) -> SandboxId {
        match self {
            RuntimeEvent::Prepared { sandbox, .. } => sandbox,
            RuntimeEvent::Pulled { container, .. }
            | RuntimeEvent::Started { container, .. }
            | RuntimeEvent::Exited { container, .. }
            | RuntimeEvent::Health { container, .. } => container.sandbox,
        }
    }
}
