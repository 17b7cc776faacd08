//! What can be on the agenda, and who goes first in one instant.
//!
//! Closed, `Copy`, at most 16 bytes: a new event breaks every `match` that has not thought about it.
//! Knows nothing of what an event leads to.

use crate::base::{Handle, Row};
use crate::control::ecs::objects::Task;
use crate::control::ecs::scheduler::Call;
use crate::world::HostEvent;

use super::kubernetes::state::{ApiCall, ThePod};
use super::plan::Machine;
use super::simulation::AgentSeat;

/// A scheduled occurrence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Something happens on a host.
    Host(HostEvent),
    /// A pool, by its place in the plan, asks for the machines that it still wants.
    Launch(u32),
    /// A launch failed: its pool wants one more machine in that subnet.
    LaunchFailed {
        /// The pool, by its place in the plan.
        pool: u32,
        /// The subnet, by its place in the pool.
        subnet: u32,
    },
    /// A machine runs.
    MachineRunning(Row<Machine>),
    /// The agent of a machine registers it.
    MachineRegistered(Row<Machine>),
    /// The micro-VM of a Fargate task is ready.
    FargateReady(TheTask),
    /// The network interface of a task is attached.
    InterfaceAttached(TheTask),
    /// The control plane gives up on it.
    InterfaceTimeout(TheTask),
    /// What a task had is taken down.
    Deprovisioned(TheTask),
    /// A service is created, by its place in the plan.
    CreateService(u32),
    /// The next arrival of a process, by its place in the plan.
    Arrive(u32),
    /// The next row of a trace, by its place in the plan.
    Replay(u32),
    /// A caller whose call failed tries again.
    CallAgain {
        /// The call.
        call: Row<Call>,
        /// The low half of the number of the task that it is for: callers go by it in one instant.
        serial: u32,
    },
    /// The API lets the first caller in line through.
    Call,
    /// An agent wants to work.
    WakeAgent(Handle<AgentSeat>),
    /// The scheduler wants to work.
    WakeScheduler,
    /// A process creates its next pods, by its place in the plan.
    CreatePods(u32),
    /// Somebody deletes a pod.
    DeletePod(ThePod),
    /// A call of kube-scheduler comes to the API server.
    ApiCall {
        /// The call.
        call: Row<ApiCall>,
        /// How many pods were created before the one that it is for.
        age: u32,
    },
    /// The kubelet of its node hears of a pod.
    PodHeard(ThePod),
    /// A kubelet wants to work, by the place of its node in the plan.
    WakeKubelet(u32),
    /// kube-scheduler wants to work.
    WakeKubeScheduler,
    /// The run is over.
    End,
}

const _: () = assert!(size_of::<Event>() <= 16);

/// One task, even when its row has come to belong to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TheTask {
    /// Its row.
    pub row: Row<Task>,
    /// How many tasks were created before it. Tasks go by age in one instant: which row comes free
    /// first means nothing.
    pub age: u32,
}

/// Who goes first among the events of one round: causes before those who react to them. Hosts order
/// their own events with the ranks below [`WORLD`].
const WORLD: u8 = 4;
const ARRIVAL: u8 = 5;
const REPLAY: u8 = 6;
const AGAIN: u8 = 7;
const AGENT: u8 = 8;
const SCHEDULER: u8 = 9;
const END: u8 = 10;

impl Event {
    /// The rank of an event, and its actor within the rank.
    pub fn order(self) -> (u8, u32) {
        match self {
            Event::Host(event) => {
                let (rank, actor) = event.order();
                assert!(rank < WORLD, "hosts have the lowest ranks");
                (rank, actor)
            }
            Event::Launch(pool) | Event::LaunchFailed { pool, .. } => (WORLD, pool),
            Event::MachineRunning(machine) | Event::MachineRegistered(machine) => (WORLD, machine.number()),
            Event::FargateReady(task)
            | Event::InterfaceAttached(task)
            | Event::InterfaceTimeout(task)
            | Event::Deprovisioned(task) => (WORLD, task.age),
            Event::ApiCall { age, .. } => (WORLD, age),
            Event::PodHeard(pod) => (WORLD, pod.age),
            Event::CreateService(number) | Event::Arrive(number) | Event::CreatePods(number) => {
                (ARRIVAL, number)
            }
            Event::DeletePod(pod) => (AGAIN, pod.age),
            Event::Replay(number) => (REPLAY, number),
            Event::CallAgain { serial, .. } => (AGAIN, serial),
            Event::Call => (ARRIVAL, u32::MAX),
            Event::WakeAgent(seat) => (AGENT, seat.row.number()),
            Event::WakeKubelet(seat) => (AGENT, seat),
            Event::WakeScheduler | Event::WakeKubeScheduler => (SCHEDULER, 0),
            Event::End => (END, 0),
        }
    }
}
