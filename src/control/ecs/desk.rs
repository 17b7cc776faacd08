//! Where decisions become commands: the one place that makes tickets and remembers what is under way.
//!
//! Knows nothing of why a task starts or stops.

use std::collections::VecDeque;

use crate::base::{Name, Row, Symbol, Timestamp};
use crate::control::{Ticket, Tickets};
use crate::mark;

use super::events::ServiceMessage;
use super::objects::{
    ContainerInstance, Desired, EcsView, Health, LaunchType, NetworkMode, Service, Stop, Task, TaskStatus,
    TaskTimes,
};
use super::placement::{Place, Placement, Wanted};
use super::scheduler::EcsCommand;
use super::service::SchedulerSettings;

/// What a decision works with.
pub(super) struct Desk<'a> {
    pub(super) settings: &'a SchedulerSettings,
    pub(super) placement: &'a mut Placement,
    pub(super) under_way: &'a mut UnderWay,
    pub(super) tickets: &'a mut Tickets,
    pub(super) out: &'a mut Vec<(Ticket, EcsCommand)>,
}

/// What is new about a task that has found its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewTask {
    pub(super) name: Name,
    pub(super) service: Option<Row<Service>>,
    pub(super) arrived: Timestamp,
}

/// Tasks whose creation was asked for and is not in the record yet, in the order of asking.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    creates: VecDeque<(Ticket, Task)>,
}

impl Desk<'_> {
    /// Asks for a new task.
    pub(super) fn create(
        &mut self,
        now: Timestamp,
        view: EcsView<'_>,
        wanted: &Wanted<'_>,
        place: Place,
        new: NewTask,
    ) {
        let launch_type = wanted.placing.launch_type;
        let mode = view.definitions[wanted.task_definition].network_mode;
        let volume = wanted.placing.volume;
        let is_attached_to =
            launch_type == LaunchType::Fargate || mode == NetworkMode::Awsvpc || volume.is_some();
        let (instance, zone) = match place {
            Place::Instance(row) => (Some(row), zone_of(view, row)),
            Place::Subnet(subnet) => (None, subnet.zone),
        };
        mark!("RT-02");
        mark!("TK-05");
        let task = Task {
            key: wanted.key,
            name: new.name,
            definition: wanted.task_definition,
            group: wanted.group,
            service: new.service,
            launch_type,
            instance,
            zone,
            public_address: wanted.placing.public_address,
            volume,
            desired: Desired::Running,
            status: first_status(is_attached_to),
            health: Health::Unknown,
            stop: None,
            times: TaskTimes::created(new.arrived, now),
        };
        let ticket = self.send(EcsCommand::Create(task));
        self.under_way.creates.push_back((ticket, task));
    }

    /// Asks for the end of a task.
    pub(super) fn stop(&mut self, task: Row<Task>, why: Stop) {
        self.send(EcsCommand::Stop { task, why });
    }

    /// Appends a service event.
    pub(super) fn say(&mut self, service: Row<Service>, message: ServiceMessage) {
        self.send(EcsCommand::Say { service, message });
    }

    /// Sends a command.
    pub(super) fn send(&mut self, command: EcsCommand) -> Ticket {
        let ticket = self.tickets.take();
        self.out.push((ticket, command));
        ticket
    }
}

impl UnderWay {
    /// This task is in the record now. Whether it was asked for here.
    pub(super) fn arrived(&mut self, task: &Task) -> bool {
        let place = self.creates.iter().position(|(_, asked)| asked.key == task.key);
        place.and_then(|place| self.creates.remove(place)).is_some()
    }

    /// The creation that this ticket asked for will not happen.
    pub(super) fn refused(&mut self, ticket: Ticket) -> Option<Task> {
        let place = self.creates.binary_search_by_key(&ticket, |&(asked, _)| asked).ok()?;
        self.creates.remove(place).map(|(_, task)| task)
    }
}

/// A network interface or a volume comes first.
fn first_status(is_attached_to: bool) -> TaskStatus {
    if is_attached_to {
        mark!("3.1/PROVISIONING");
        TaskStatus::Provisioning
    } else {
        mark!("3.1/PENDING");
        TaskStatus::Pending
    }
}

fn zone_of(view: EcsView<'_>, instance: Row<ContainerInstance>) -> Symbol {
    let instance = view.instances.get(instance).expect("placement chooses among instances in the record");
    view.definitions[instance.class].zone
}
