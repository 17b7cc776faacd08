//! A small cluster to place on: definitions by name, instances by number.

use crate::base::turn::{Asked, Nobody};
use crate::base::{
    Bytes, Cpu, Draw, Edit, EntityKey, Name, Purpose, Revision, Row, Subject, Symbol, Timestamp, Turn, Why,
};
use crate::control::ecs::objects::{
    Constraint, ContainerInstance, Definitions, InstanceClass, InstanceStatus, LaunchType, NetworkMode,
    Placing, Reservation, Strategy, Subnet, TaskDefinition,
};
use crate::control::ecs::placement::{Place, Placement, PlacementSettings, Refusal, Rejection, Wanted};
use crate::control::ecs::query::Expression;

/// A draw that always says the same.
pub(super) struct Fixed(pub(super) u64);

impl Draw for Fixed {
    fn draw(&mut self, purpose: Purpose, _: EntityKey, _: u32) -> u64 {
        assert_eq!(purpose, Purpose::Place);
        self.0
    }
}

pub(super) struct Cluster {
    pub(super) definitions: Definitions,
    pub(super) placement: Placement,
    pub(super) rows: Vec<Option<ContainerInstance>>,
    pub(super) draw: u64,
    asked: u64,
}

/// What a task asks of its place.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) task: Row<TaskDefinition>,
    pub(super) placing: Placing,
    pub(super) group: Symbol,
    pub(super) for_service: bool,
}

impl Cluster {
    pub(super) fn new(settings: PlacementSettings) -> Self {
        let mut definitions = Definitions::default();
        definitions.symbols.intern("ecs.availability-zone");
        Cluster { definitions, placement: Placement::new(settings), rows: Vec::new(), draw: 0, asked: 0 }
    }

    pub(super) fn symbol(&mut self, text: &str) -> Symbol {
        self.definitions.symbols.intern(text)
    }

    /// A class in a zone with so many CPU units and MiB; attributes are `name` or `name=value`.
    pub(super) fn class(
        &mut self,
        zone: &str,
        cpu: i64,
        memory: i64,
        attributes: &[&str],
    ) -> Row<InstanceClass> {
        let attributes = attributes.iter().map(|text| self.attribute(text)).collect();
        let class = InstanceClass {
            instance_type: self.symbol("m5.large"),
            zone: self.symbol(zone),
            subnet: self.symbol("subnet"),
            capacity_provider: None,
            attributes,
            cpu: Cpu::ecs_units(cpu),
            memory: Bytes::mib(memory),
            gpus: 0,
            interfaces: 2,
            reserved_ports: [22, 2375].into(),
            agent_version: self.symbol("1.105.1"),
        };
        self.definitions.classes.push(class);
        Row::at(self.definitions.classes.len() - 1)
    }

    pub(super) fn attribute(&mut self, text: &str) -> (Symbol, Option<Symbol>) {
        match text.split_once('=') {
            None => (self.symbol(text), None),
            Some((name, value)) => (self.symbol(name), Some(self.symbol(value))),
        }
    }

    pub(super) fn task(&mut self, reservation: Reservation) -> Row<TaskDefinition> {
        let definition = TaskDefinition {
            family: self.symbol("web"),
            revision: 1,
            network_mode: if reservation.interfaces > 0 { NetworkMode::Awsvpc } else { NetworkMode::Bridge },
            containers: Box::default(),
            reservation,
            required_attributes: Box::default(),
            constraints: Box::default(),
            runs_on_ec2: true,
            volume_at_launch: None,
            fargate: None,
        };
        self.definitions.tasks.push(definition);
        Row::at(self.definitions.tasks.len() - 1)
    }

    pub(super) fn request(&mut self, cpu: i64, memory: i64) -> Request {
        let (cpu, memory) = (Cpu::ecs_units(cpu), Bytes::mib(memory));
        let task = self.task(Reservation { cpu, memory, ..Reservation::default() });
        let placing = Placing {
            launch_type: LaunchType::Ec2,
            strategies: Box::default(),
            constraints: Box::default(),
            subnets: Box::default(),
            public_address: false,
            volume: None,
        };
        Request { task, placing, group: self.symbol("service:web"), for_service: true }
    }

    pub(super) fn strategy(&mut self, text: &str) -> Strategy {
        match text {
            "random" => Strategy::Random,
            "binpack cpu" => Strategy::BinpackCpu,
            "binpack memory" => Strategy::BinpackMemory,
            "spread instanceId" => Strategy::SpreadInstance,
            "spread zone" => Strategy::SpreadAttribute(self.symbol("ecs.availability-zone")),
            _ => Strategy::SpreadAttribute(self.symbol(text.strip_prefix("spread ").expect("a strategy"))),
        }
    }

    pub(super) fn strategies(&mut self, texts: &[&str]) -> Box<[Strategy]> {
        texts.iter().map(|text| self.strategy(text)).collect()
    }

    pub(super) fn subnet(&mut self, text: &str) -> Subnet {
        let (id, zone) = text.split_once('@').expect("subnet@zone");
        Subnet { id: self.symbol(id), zone: self.symbol(zone) }
    }

    /// Registers an ACTIVE instance in the next row and says which.
    pub(super) fn register(&mut self, class: Row<InstanceClass>) -> Row<ContainerInstance> {
        self.rows.push(None);
        let row = Row::at(self.rows.len() - 1);
        self.register_at(row, class);
        row
    }

    pub(super) fn register_at(&mut self, row: Row<ContainerInstance>, class: Row<InstanceClass>) {
        self.asked += 1;
        let name = Name { of: self.symbol("pool"), serial: self.asked };
        let instance = ContainerInstance {
            key: EntityKey::new("instance", "pool", self.asked),
            name,
            class,
            status: InstanceStatus::Active,
            agent_connected: true,
            registered_at: Timestamp::from_nanos(self.asked),
        };
        self.write(row, Some(instance));
    }

    pub(super) fn change(&mut self, row: Row<ContainerInstance>, edit: impl FnOnce(&mut ContainerInstance)) {
        let mut instance = self.rows[row.index()].expect("the instance is in the record");
        edit(&mut instance);
        self.write(row, Some(instance));
    }

    pub(super) fn write(&mut self, row: Row<ContainerInstance>, new: Option<ContainerInstance>) {
        let old = std::mem::replace(&mut self.rows[row.index()], new);
        let edit = Edit { row, revision: Revision(1), old: old.as_ref(), new: new.as_ref() };
        self.placement.observe_instance(edit, &self.definitions);
    }

    pub(super) fn place(&mut self, request: &Request) -> Result<Place, Rejection> {
        self.asked += 1;
        let wanted = wanted(request, self.asked);
        let mut draw = Fixed(self.draw);
        self.placement.place(&mut turn(&mut draw, &mut Nobody), &self.definitions, &wanted)
    }

    /// The instance that a task is placed on.
    pub(super) fn on(&mut self, request: &Request) -> Option<usize> {
        match self.place(request) {
            Ok(Place::Instance(row)) => Some(row.index()),
            Ok(Place::Subnet(_)) => panic!("placed on Fargate"),
            Err(_) => None,
        }
    }

    pub(super) fn place_on(&mut self, request: &Request, row: Row<ContainerInstance>) -> Result<(), Refusal> {
        self.asked += 1;
        let wanted = wanted(request, self.asked);
        let mut draw = Fixed(self.draw);
        self.placement.place_on(&mut turn(&mut draw, &mut Nobody), &self.definitions, &wanted, row)
    }

    /// Places with somebody who asks, and says what was found.
    pub(super) fn explained(&mut self, request: &Request) -> Vec<(&'static str, Option<u32>, [i64; 2])> {
        self.asked += 1;
        let wanted = wanted(request, self.asked);
        let mut asked = Asked::about(Subject(wanted.key));
        let mut draw = Fixed(self.draw);
        let _ = self.placement.place(&mut turn(&mut draw, &mut asked), &self.definitions, &wanted);
        asked.notes.iter().map(|note| (note.finding, note.row, note.numbers)).collect()
    }

    /// The number of the last thing that was named.
    pub(super) fn asked(&self) -> u64 {
        self.asked
    }

    pub(super) fn release(&mut self, request: &Request, row: Row<ContainerInstance>) {
        self.placement.release_resources(row, request.task, &self.definitions);
    }

    pub(super) fn forget(&mut self, request: &Request, row: Row<ContainerInstance>) {
        self.placement.forget(row, request.task, request.group, &self.definitions);
    }
}

pub(super) fn wanted(request: &Request, number: u64) -> Wanted<'_> {
    Wanted {
        task_definition: request.task,
        placing: &request.placing,
        group: request.group,
        for_service: request.for_service,
        key: EntityKey::new("task", "web", number),
        attempt: 0,
    }
}

pub(super) fn turn<'a>(draw: &'a mut dyn Draw, why: &'a mut dyn Why) -> Turn<'a> {
    Turn { now: Timestamp::from_nanos(0), draw, why }
}

pub(super) fn member_of(text: &str) -> Constraint {
    Constraint::MemberOf(expression(text))
}

pub(super) fn expression(text: &str) -> Expression {
    Expression::parse(text).expect("an expression").expression
}
