//! The agent's own book of what is actually free on its host.
//!
//! The control plane counts a stopping task as gone; this book counts it until its containers have
//! exited, and a task that does not fit waits (AG-10). So a host is never oversubscribed. Knows
//! nothing of which task waits, nor of what a task does with what it holds.

use crate::base::runtime::SandboxId;
use crate::base::{Bytes, Cpu, Symbol};
use crate::control::ecs::objects::Reservation;
use crate::mark;

use super::settings::PortOrder;

/// TCP host ports that are never free: SSH, the Docker API, and the agent's own (TD-40).
pub const RESERVED_PORTS: [u16; 5] = [22, 2375, 2376, 51678, 51679];

/// What a host has for tasks.
///
/// ```
/// use windtunnel::base::{Bytes, Cpu};
/// use windtunnel::control::node::ecs_agent::HostCapacity;
/// let host = HostCapacity::new(Cpu::vcpus(2), Bytes::gib(8));
/// assert_eq!(host.reserved_ports[0], 22);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostCapacity {
    /// CPU.
    pub cpu: Cpu,
    /// Memory that the host registered.
    pub memory: Bytes,
    /// Whole GPUs.
    pub gpus: u32,
    /// TCP host ports that no task gets.
    pub reserved_ports: Box<[u16]>,
    /// Images baked into the machine image: on the host, but never pulled by this agent (AG-20).
    pub baked_images: Box<[Symbol]>,
}

impl HostCapacity {
    /// A host without GPUs and without baked images, with the usual reserved ports.
    pub fn new(cpu: Cpu, memory: Bytes) -> Self {
        HostCapacity { cpu, memory, gpus: 0, reserved_ports: RESERVED_PORTS.into(), baked_images: [].into() }
    }
}

/// What is held, and by how many tasks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Held {
    /// How many tasks hold something.
    pub tasks: u64,
    /// CPU.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Bytes,
    /// GPUs.
    pub gpus: u64,
    /// Static host ports, TCP and UDP.
    pub ports: usize,
}

/// The book.
#[derive(Clone, Debug)]
pub(super) struct HostResources {
    cpu: Cpu,
    memory: Bytes,
    gpus: u64,
    reserved: usize,
    held: Held,
    /// Static TCP ports in use and the reserved ones.
    ports: Ports,
    ports_udp: Ports,
    /// Dynamic TCP ports in use, ascending, and whose they are.
    dynamic: Vec<(u16, SandboxId)>,
    /// The dynamic port that was given last.
    given: Option<u16>,
    /// Tasks ever admitted and ever released; the difference is `held.tasks`.
    admitted: u64,
    released: u64,
}

/// Ports in use, ascending.
#[derive(Clone, Debug, Default)]
struct Ports(Vec<u16>);

impl Held {
    /// Counts one more task.
    pub(super) fn add(&mut self, wanted: &Reservation) {
        self.tasks += 1;
        self.cpu += wanted.cpu;
        self.memory += wanted.memory;
        self.gpus += u64::from(wanted.gpus);
        self.ports += wanted.ports.len() + wanted.ports_udp.len();
    }
}

impl HostResources {
    pub(super) fn new(capacity: &HostCapacity) -> Self {
        let mut ports = Ports::default();
        mark!("TD-40");
        ports.take_all(&capacity.reserved_ports);
        HostResources {
            cpu: capacity.cpu,
            memory: capacity.memory,
            gpus: u64::from(capacity.gpus),
            reserved: ports.0.len(),
            held: Held::default(),
            ports,
            ports_udp: Ports::default(),
            dynamic: Vec::new(),
            given: None,
            admitted: 0,
            released: 0,
        }
    }

    /// Whether a task fits into what is actually free. One that reserves no CPU takes only memory.
    pub(super) fn fits(&self, wanted: &Reservation) -> bool {
        mark!("TD-12");
        self.held.cpu + wanted.cpu <= self.cpu
            && self.held.memory + wanted.memory <= self.memory
            && self.held.gpus + u64::from(wanted.gpus) <= self.gpus
            && !wanted.ports.iter().any(|&port| self.ports.has(port))
            && !wanted.ports_udp.iter().any(|&port| self.ports_udp.has(port))
    }

    /// Gives a task that fits what it wants.
    pub(super) fn admit(&mut self, wanted: &Reservation) {
        assert!(self.fits(wanted), "only what fits is admitted");
        self.held.add(wanted);
        self.ports.take_all(&wanted.ports);
        self.ports_udp.take_all(&wanted.ports_udp);
        self.admitted += 1;
        self.check();
    }

    /// Takes back what a task held, its dynamic ports included.
    pub(super) fn release(&mut self, sandbox: SandboxId, wanted: &Reservation) {
        self.held.tasks -= 1;
        self.held.cpu -= wanted.cpu;
        self.held.memory -= wanted.memory;
        self.held.gpus -= u64::from(wanted.gpus);
        self.held.ports -= wanted.ports.len() + wanted.ports_udp.len();
        self.ports.free_all(&wanted.ports);
        self.ports_udp.free_all(&wanted.ports_udp);
        mark!("TD-41");
        self.dynamic.retain(|&(_, owner)| owner != sandbox);
        self.released += 1;
        self.check();
    }

    /// Chooses `count` dynamic host ports, or none at all when there are not as many.
    pub(super) fn choose_ports(
        &mut self,
        sandbox: SandboxId,
        count: u16,
        (first, last): (u16, u16),
        order: PortOrder,
    ) -> bool {
        let before = self.dynamic.len();
        for _ in 0..count {
            let from = match (order, self.given) {
                (PortOrder::Rotating, Some(given)) if (first..last).contains(&given) => given + 1,
                (PortOrder::Rotating | PortOrder::LowestFree, _) => first,
            };
            mark!("TD-42");
            let Some(port) = self.lowest_free(from, last).or_else(|| self.lowest_free(first, last)) else {
                self.dynamic.retain(|&(_, owner)| owner != sandbox);
                return false;
            };
            let place = self.dynamic.partition_point(|&(used, _)| used < port);
            self.dynamic.insert(place, (port, sandbox));
            self.given = Some(port);
        }
        assert!(self.dynamic.len() == before + usize::from(count), "as many as were asked for");
        true
    }

    /// The dynamic host ports of a task, ascending.
    pub(super) fn ports_of(&self, sandbox: SandboxId) -> impl Iterator<Item = u16> {
        self.dynamic.iter().filter(move |(_, owner)| *owner == sandbox).map(|&(port, _)| port)
    }

    pub(super) const fn held(&self) -> Held {
        self.held
    }

    /// The lowest port of the range that neither a static nor a dynamic mapping uses.
    fn lowest_free(&self, first: u16, last: u16) -> Option<u16> {
        let mut used = self.dynamic.iter().map(|&(port, _)| port).skip_while(|&port| port < first).peekable();
        (first..=last).find(|&port| used.next_if_eq(&port).is_none() && !self.ports.has(port))
    }

    fn check(&self) {
        assert!(self.admitted == self.released + self.held.tasks, "every task that was admitted is released");
        let ports = self.ports.0.len() - self.reserved + self.ports_udp.0.len();
        assert!(ports == self.held.ports, "the ports in use are those that tasks hold");
    }
}

impl Ports {
    fn has(&self, port: u16) -> bool {
        self.0.binary_search(&port).is_ok()
    }

    /// Takes ports; one that is taken already is not taken twice.
    fn take_all(&mut self, ports: &[u16]) {
        for &port in ports {
            if let Err(place) = self.0.binary_search(&port) {
                self.0.insert(place, port);
            }
        }
    }

    fn free_all(&mut self, ports: &[u16]) {
        for &port in ports {
            if let Ok(place) = self.0.binary_search(&port) {
                self.0.remove(place);
            }
        }
    }
}
