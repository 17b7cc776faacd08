//! Placement: which container instance, or which subnet, takes a task (section 4).
//!
//! A belief about instances, kept up by what the scheduler observes and decides. Knows nothing of
//! services, of why a task is wanted, and of what happens to it afterwards.

mod belief;
mod constraint;
mod fargate;
mod feasible;
mod layout;
mod ledger;
mod shape_index;
pub mod stop;
mod strategy;
#[cfg(test)]
mod tests;
mod tree;

use crate::base::turn::below;
use crate::base::{Bytes, Cpu, Edit, EntityKey, Note, Purpose, Row, Subject, Symbol, Turn};
use crate::mark;

use super::api::ErrorKind;
use super::objects::{
    ContainerInstance, Definitions, Desired, InstanceStatus, LaunchType, Placing, Subnet, Task,
    TaskDefinition, TaskStatus,
};
use belief::Belief;
use fargate::{Candidate, Fargate};
use feasible::Question;
use shape_index::ShapeIndex;

/// Places tasks, and keeps the books of what they hold.
///
/// ```
/// use windtunnel::control::ecs::placement::{Placement, PlacementSettings};
/// let placement = Placement::new(PlacementSettings::default());
/// placement.recount();
/// ```
#[derive(Debug, Default)]
pub struct Placement {
    settings: PlacementSettings,
    belief: Belief,
    index: ShapeIndex,
    fargate: Fargate,
}

/// What AWS has not published about placement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlacementSettings {
    /// Who wins among equals after the last strategy (A-32).
    pub tie: Tie,
    /// Where instances without the attribute of a spread stand (A-31).
    pub without_attribute: AbsentAttribute,
    /// When CPU, memory, ports and GPUs of a task count as free (A-16).
    pub release_on: ReleaseOn,
    /// Which subnet of a zone a Fargate task takes (A-37).
    pub subnet_choice: SubnetChoice,
    /// Whether a Fargate task goes to the next zone when its zone has no capacity (A-38).
    pub fargate_tries_other_zones: bool,
    /// vCPUs of Fargate tasks that may start and run at once (QT-01); none for no limit.
    pub fargate_vcpus: Option<u32>,
    /// The memory that one Fargate task may have; none for no limit, since AWS publishes none.
    pub fargate_memory: Option<Bytes>,
}

impl Default for PlacementSettings {
    fn default() -> Self {
        PlacementSettings {
            tie: Tie::RegistrationOrder,
            without_attribute: AbsentAttribute::Last,
            release_on: ReleaseOn::Stopping,
            subnet_choice: SubnetChoice::MostFreeAddresses,
            fargate_tries_other_zones: true,
            fargate_vcpus: None,
            fargate_memory: None,
        }
    }
}

/// Who wins among equals (A-32).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tie {
    /// The instance that registered first.
    RegistrationOrder,
    /// Any, with equal chances.
    Random,
}

/// Where instances without the attribute of a spread stand (A-31).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AbsentAttribute {
    /// Behind all that have it.
    Last,
    /// In a group of their own, counted like any other.
    Counted,
}

/// When what a task holds counts as free (A-16).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReleaseOn {
    /// When it enters STOPPING.
    Stopping,
    /// As soon as its desired status is STOPPED.
    DesiredStopped,
    /// When it has stopped.
    Stopped,
}

/// Which subnet of a zone a Fargate task takes (A-37).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SubnetChoice {
    /// The one with the most free addresses.
    MostFreeAddresses,
    /// The first of the request.
    RequestOrder,
}

/// Where a task goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Onto a container instance.
    Instance(Row<ContainerInstance>),
    /// Onto Fargate, into a subnet.
    Subnet(Subnet),
}

/// A task that wants a place.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What it is.
    pub task_definition: Row<TaskDefinition>,
    /// Where and how it may run.
    pub placing: &'a Placing,
    /// Its task group: what spread and `distinctInstance` count (PL-10).
    pub group: Symbol,
    /// Whether a service wants it: the default strategies differ (PL-13).
    pub for_service: bool,
    /// Its key, for draws and for questions.
    pub key: EntityKey,
    /// How often it was tried before.
    pub attempt: u32,
}

/// Why an instance, or all of Fargate, cannot take a task (section 4.7), in the order of the checks
/// (PL-40).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Refusal {
    /// The agent is not connected.
    Agent,
    /// A required attribute is missing.
    Attribute,
    /// Not enough CPU.
    Cpu,
    /// Not enough memory.
    Memory,
    /// A static host port is taken.
    Ports,
    /// Not enough GPUs.
    Gpu,
    /// No network interface slot is left.
    Interface,
    /// Its zone has no subnet in the request.
    Location,
    /// A constraint does not hold.
    Constraint,
    /// It is not ACTIVE.
    Inactive,
    /// There is no such instance.
    Missing,
    /// No instance is ACTIVE.
    NoActiveInstances,
    /// No container instance is registered at all.
    NoInstances,
    /// Fargate has no capacity.
    Fargate,
    /// The account may not use more vCPUs on Fargate.
    FargateQuota,
    /// One task alone is above the vCPU quota of Fargate.
    FargateSize,
    /// One task alone is above the memory that the account may use on Fargate.
    FargateMemory,
}

/// Why no place was found: instances per reason, and the one that came closest (PL-41).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rejection {
    /// How many instances were refused, by [`Refusal`] number.
    pub counts: [u32; Refusal::COUNT],
    /// The instance that passed the most checks, and what it failed.
    pub closest: Option<(Row<ContainerInstance>, Refusal)>,
}

impl Refusal {
    /// Every reason, by its number.
    pub const ALL: [Refusal; Refusal::COUNT] = [
        Refusal::Agent,
        Refusal::Attribute,
        Refusal::Cpu,
        Refusal::Memory,
        Refusal::Ports,
        Refusal::Gpu,
        Refusal::Interface,
        Refusal::Location,
        Refusal::Constraint,
        Refusal::Inactive,
        Refusal::Missing,
        Refusal::NoActiveInstances,
        Refusal::NoInstances,
        Refusal::Fargate,
        Refusal::FargateQuota,
        Refusal::FargateSize,
        Refusal::FargateMemory,
    ];

    /// How many reasons there are.
    pub const COUNT: usize = Refusal::FargateMemory as usize + 1;

    /// The reason as the API spells it (section 4.7).
    pub fn reason(self) -> &'static str {
        match self {
            Refusal::Agent => {
                mark!("4.7/AGENT");
                "AGENT"
            }
            Refusal::Attribute => {
                mark!("4.7/ATTRIBUTE");
                "ATTRIBUTE"
            }
            Refusal::Cpu => {
                mark!("4.7/RESOURCE:CPU");
                "RESOURCE:CPU"
            }
            Refusal::Memory => {
                mark!("4.7/RESOURCE:MEMORY");
                "RESOURCE:MEMORY"
            }
            Refusal::Ports => {
                mark!("4.7/RESOURCE:PORTS");
                "RESOURCE:PORTS"
            }
            Refusal::Gpu => {
                mark!("4.7/RESOURCE:GPU");
                "RESOURCE:GPU"
            }
            Refusal::Interface => {
                mark!("4.7/RESOURCE:ENI");
                "RESOURCE:ENI"
            }
            Refusal::Location => {
                mark!("4.7/LOCATION");
                "LOCATION"
            }
            Refusal::Constraint => {
                mark!("4.7/MemberOf placement constraint unsatisfied.");
                "MemberOf placement constraint unsatisfied."
            }
            Refusal::Inactive => {
                mark!("4.7/INACTIVE");
                "INACTIVE"
            }
            Refusal::Missing => {
                mark!("4.7/MISSING");
                "MISSING"
            }
            Refusal::NoActiveInstances => {
                mark!("4.7/NO ACTIVE INSTANCES");
                "NO ACTIVE INSTANCES"
            }
            Refusal::NoInstances => {
                mark!("PL-40");
                "No Container Instances were found in your cluster."
            }
            Refusal::Fargate | Refusal::FargateQuota | Refusal::FargateSize | Refusal::FargateMemory => {
                mark!("4.7/RESOURCE:FARGATE");
                "RESOURCE:FARGATE"
            }
        }
    }
}

impl Rejection {
    /// A rejection for one reason that is not about one instance.
    pub fn of(refusal: Refusal) -> Self {
        let mut rejection = Rejection::default();
        rejection.counts[refusal as usize] = 1;
        rejection
    }

    /// What a caller of RunTask or StartTask is answered: an error where no instance is registered at
    /// all, else the reasons of the `failures` and how often each stands there (PL-40).
    ///
    /// ```
    /// use windtunnel::control::ecs::placement::{Refusal, Rejection};
    /// assert_eq!(Rejection::of(Refusal::Memory).answer(), "RESOURCE:MEMORY");
    /// ```
    pub fn answer(&self) -> String {
        if self.count(Refusal::NoInstances) > 0 {
            mark!("PL-40");
            let kind = ErrorKind::InvalidParameterException.as_str();
            return format!("{kind}: {}", Refusal::NoInstances.reason());
        }
        let given = Refusal::ALL.into_iter().filter(|&refusal| self.count(refusal) > 0);
        let words = given.map(|refusal| match self.count(refusal) {
            1 => refusal.reason().to_owned(),
            count => format!("{count} x {}", refusal.reason()),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// How many instances were refused for a reason.
    pub const fn count(&self, refusal: Refusal) -> u32 {
        self.counts[refusal as usize]
    }
}

impl Placement {
    /// Knows no instance yet.
    pub fn new(settings: PlacementSettings) -> Self {
        Placement {
            settings,
            belief: Belief::default(),
            index: ShapeIndex::default(),
            fargate: Fargate::default(),
        }
    }

    /// Takes in a change of a container instance. The order of registration is the order in which
    /// instances are first seen to take tasks.
    pub fn observe_instance(&mut self, edit: Edit<'_, ContainerInstance>, definitions: &Definitions) {
        self.belief.observe(edit, definitions);
    }

    /// Takes in a change of a task that was placed here: gives back what it holds no longer. A new
    /// task changes nothing, since [`place`](Self::place) counted it.
    pub fn observe_task(&mut self, edit: Edit<'_, Task>, definitions: &Definitions) {
        let (Some(old), Some(new)) = (edit.old, edit.new) else { return };
        let passes = |reached: fn(&Task) -> bool| !reached(old) && reached(new);
        let has_stopped = |task: &Task| task.status == TaskStatus::Stopped;
        if let Some(instance) = new.instance {
            if passes(self.settings.release_on.reached()) {
                self.release_resources(instance, new.definition, definitions);
            }
            if passes(has_stopped) {
                self.forget(instance, new.definition, new.group, definitions);
            }
            return;
        }
        if passes(|task| task.status >= TaskStatus::Stopping) {
            self.fargate.release(new.key);
        }
        if passes(has_stopped) {
            self.forget_fargate(new.zone, new.group, new.key);
        }
    }

    /// Says whether Fargate has capacity in a zone.
    pub fn set_fargate_capacity(&mut self, zone: Symbol, available: bool) {
        self.fargate.set_capacity(zone, available);
    }

    /// Finds a place for a task and takes it: resources are held and the task is counted at once, so
    /// that the next one sees it (PL-03).
    ///
    /// # Errors
    /// Why no instance, or no zone, can take the task.
    pub fn place(
        &mut self,
        turn: &mut Turn<'_>,
        definitions: &Definitions,
        wanted: &Wanted<'_>,
    ) -> Result<Place, Rejection> {
        match wanted.placing.launch_type {
            LaunchType::Ec2 => self.place_on_instances(turn, definitions, wanted),
            LaunchType::Fargate => self.place_on_fargate(turn, definitions, wanted),
        }
    }

    /// Takes a place on a given instance, as StartTask does.
    ///
    /// # Errors
    /// Why this instance cannot take the task.
    pub fn place_on(
        &mut self,
        turn: &mut Turn<'_>,
        definitions: &Definitions,
        wanted: &Wanted<'_>,
        instance: Row<ContainerInstance>,
    ) -> Result<(), Refusal> {
        let question = Question::new(&self.belief, definitions, wanted);
        let refusal = question.refusal_of_start(instance);
        if turn.why.wants(Subject(wanted.key)) {
            let numbers = refusal.map_or([0, 0], |refusal| question.numbers(instance, refusal));
            note(turn, wanted, refusal.map_or(CHOSEN, Refusal::reason), Some(instance), numbers);
        }
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        self.reserve(definitions, wanted, instance);
        Ok(())
    }

    /// A task on an instance stops: its CPU, memory, ports and GPUs are free (CI-14).
    pub fn release_resources(
        &mut self,
        instance: Row<ContainerInstance>,
        task_definition: Row<TaskDefinition>,
        definitions: &Definitions,
    ) {
        self.belief.release(instance, &definitions[task_definition].reservation);
    }

    /// A task on an instance has stopped: its interface is free, and nothing counts it any more.
    pub fn forget(
        &mut self,
        instance: Row<ContainerInstance>,
        task_definition: Row<TaskDefinition>,
        group: Symbol,
        definitions: &Definitions,
    ) {
        self.belief.forget(instance, &definitions[task_definition].reservation, group);
    }

    /// A Fargate task has stopped: its zone counts one less and its address is free.
    pub fn forget_fargate(&mut self, zone: Symbol, group: Symbol, task: EntityKey) {
        self.fargate.forget(zone, group, task);
    }

    /// Takes back a place whose task was never created, because the command was refused.
    pub fn withdraw(&mut self, definitions: &Definitions, wanted: &Wanted<'_>, place: Place) {
        match place {
            Place::Instance(instance) => {
                self.release_resources(instance, wanted.task_definition, definitions);
                self.forget(instance, wanted.task_definition, wanted.group, definitions);
            }
            Place::Subnet(subnet) => self.forget_fargate(subnet.zone, wanted.group, wanted.key),
        }
    }

    /// Why each ACTIVE instance that cannot take a task cannot, in the order of registration: the
    /// `failures` of RunTask (PL-40).
    pub fn refusals<'a>(
        &'a self,
        definitions: &'a Definitions,
        wanted: &Wanted<'a>,
    ) -> impl Iterator<Item = (Row<ContainerInstance>, Refusal)> + use<'a> {
        let question = Question::new(&self.belief, definitions, wanted);
        self.active().filter_map(move |row| Some((row, question.refusal(row)?)))
    }

    /// CPU and memory that are left on an instance in the record.
    pub fn headroom(
        &self,
        definitions: &Definitions,
        instance: Row<ContainerInstance>,
    ) -> Option<(Cpu, Bytes)> {
        let seat = self.belief.seat(instance)?;
        let class = &definitions[seat.class];
        Some((seat.cpu_left(class), seat.memory_left(class)))
    }

    /// Counts everything that is held again and compares it with the books.
    pub fn recount(&self) {
        self.belief.recount();
        self.fargate.recount();
    }

    fn place_on_instances(
        &mut self,
        turn: &mut Turn<'_>,
        definitions: &Definitions,
        wanted: &Wanted<'_>,
    ) -> Result<Place, Rejection> {
        let chosen = self.choose(turn, definitions, wanted);
        if turn.why.wants(Subject(wanted.key)) {
            self.explain(turn, definitions, wanted, chosen);
        }
        let Some(instance) = chosen else {
            return Err(self.rejection(definitions, wanted));
        };
        mark!("PL-03");
        self.reserve(definitions, wanted, instance);
        Ok(Place::Instance(instance))
    }

    fn place_on_fargate(
        &mut self,
        turn: &mut Turn<'_>,
        definitions: &Definitions,
        wanted: &Wanted<'_>,
    ) -> Result<Place, Rejection> {
        let Wanted { placing, group, key, .. } = *wanted;
        let definition = &definitions[wanted.task_definition];
        let held = &definition.reservation;
        let (cpu, memory) =
            definition.fargate.map_or((held.cpu, held.memory), |shape| (shape.cpu, shape.memory));
        let candidate = Candidate { subnets: &placing.subnets, group, task: key, cpu, memory };
        let subnet = self.fargate.place(candidate, self.settings);
        if turn.why.wants(Subject(key)) {
            let finding = subnet.map_or_else(Refusal::reason, |_| CHOSEN);
            note(turn, wanted, finding, None, [0, 0]);
        }
        subnet.map(Place::Subnet).map_err(Rejection::of)
    }

    fn choose(
        &mut self,
        turn: &mut Turn<'_>,
        definitions: &Definitions,
        wanted: &Wanted<'_>,
    ) -> Option<Row<ContainerInstance>> {
        self.belief.list_few(wanted.group, self.index.limits.exceptions);
        let question = Question::new(&self.belief, definitions, wanted);
        let best = self.index.choose(&question, wanted, self.settings, |count| pick(turn, wanted, count));
        self.belief.was_read();
        best
    }

    fn reserve(&mut self, definitions: &Definitions, wanted: &Wanted<'_>, instance: Row<ContainerInstance>) {
        let needs = &definitions[wanted.task_definition].reservation;
        self.belief.hold(instance, needs, wanted.group, self.index.limits.listed);
    }

    fn active(&self) -> impl Iterator<Item = Row<ContainerInstance>> {
        let active = |status| status == Some(InstanceStatus::Active);
        self.belief.registered().filter(move |(_, seat)| active(seat.status)).map(|(row, _)| row)
    }

    /// Counts the reasons, and finds the instance that came closest.
    fn rejection(&mut self, definitions: &Definitions, wanted: &Wanted<'_>) -> Rejection {
        let question = Question::new(&self.belief, definitions, wanted);
        let rejection = self.index.rejection(&question, wanted, self.settings);
        self.belief.was_read();
        if rejection.closest.is_none() {
            mark!("PL-40");
            let any = self.belief.any_listed();
            return Rejection::of(if any { Refusal::NoActiveInstances } else { Refusal::NoInstances });
        }
        rejection
    }

    fn explain(
        &self,
        turn: &mut Turn<'_>,
        definitions: &Definitions,
        wanted: &Wanted<'_>,
        chosen: Option<Row<ContainerInstance>>,
    ) {
        let question = Question::new(&self.belief, definitions, wanted);
        for (row, refusal) in self.refusals(definitions, wanted) {
            note(turn, wanted, refusal.reason(), Some(row), question.numbers(row, refusal));
        }
        if chosen.is_some() {
            note(turn, wanted, CHOSEN, chosen, [0, 0]);
        }
    }
}

const CHOSEN: &str = "chosen";

fn pick(turn: &mut Turn<'_>, wanted: &Wanted<'_>, count: usize) -> usize {
    let draw = turn.draw.draw(Purpose::Place, wanted.key, wanted.attempt);
    usize::try_from(below(draw, count as u64)).expect("below the count")
}

fn note(
    turn: &mut Turn<'_>,
    wanted: &Wanted<'_>,
    finding: &'static str,
    row: Option<Row<ContainerInstance>>,
    numbers: [i64; 2],
) {
    turn.why.note(Note { subject: Subject(wanted.key), finding, row: row.map(Row::number), numbers });
}

impl ReleaseOn {
    fn reached(self) -> fn(&Task) -> bool {
        mark!("CI-14");
        match self {
            ReleaseOn::Stopping => |task| task.status >= TaskStatus::Stopping,
            ReleaseOn::DesiredStopped => {
                |task| task.desired == Desired::Stopped || task.status >= TaskStatus::Stopping
            }
            ReleaseOn::Stopped => |task| task.status == TaskStatus::Stopped,
        }
    }
}
