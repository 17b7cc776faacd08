//! The index decides what the twin decides, over random clusters, requests and ends of tasks.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::base::{Bytes, Cpu, Row};
use crate::control::ecs::objects::{Constraint, ContainerInstance, InstanceStatus, Reservation};
use crate::control::ecs::placement::shape_index::Limits;
use crate::control::ecs::placement::{AbsentAttribute, Place, PlacementSettings, Tie};

use super::cluster::{Cluster, Request, expression, member_of};
use super::twin::{Held, Look, Twin};

#[derive(Clone, Debug)]
enum Step {
    Place { request: Index, draw: u64 },
    PlaceOn { request: Index, on: Index },
    Release(Index),
    Forget(Index),
    Withdraw,
    Register { class: Index, waits: bool },
    Status { on: Index, status: u8 },
    Agent { on: Index, connected: bool },
    Reclass { on: Index, class: Index },
    NewClass(Index),
}

#[derive(Clone, Debug)]
struct Asks {
    cpu: i64,
    memory: i64,
    gpus: u32,
    awsvpc: bool,
    ports: Vec<u16>,
    udp: bool,
    strategies: Vec<usize>,
    constraints: Vec<usize>,
    own_constraint: Option<usize>,
    required: Option<usize>,
    zones: Vec<usize>,
    group: usize,
    for_service: bool,
}

const STRATEGIES: [&str; 7] = [
    "random",
    "binpack cpu",
    "binpack memory",
    "spread instanceId",
    "spread zone",
    "spread rack",
    "spread disk",
];
const EXPRESSIONS: [&str; 7] = [
    "attribute:rack == r1",
    "not(task:group == service:g0)",
    "task:group == service:g1",
    "runningTasksCount < 2",
    "attribute:disk exists or agentConnected == true",
    "ec2InstanceId != pool-2",
    "attribute:ecs.availability-zone in [a, b]",
];
const REQUIRED: [&str; 3] = ["disk", "rack=r1", "gpu"];
const ZONES: [&str; 3] = ["a", "b", "c"];

fn asks() -> impl Strategy<Value = Asks> {
    let amounts = (
        prop::sample::select(vec![0_i64, 256, 512, 1024]),
        prop::sample::select(vec![0_i64, 128, 256, 1024]),
        prop::sample::select(vec![0_u32, 0, 0, 1]),
        prop::bool::weighted(0.3),
    );
    let ports =
        (prop::collection::vec(prop::sample::select(vec![22_u16, 80, 443]), 0..2), prop::bool::weighted(0.1));
    let place = (
        prop::collection::vec(0..STRATEGIES.len(), 0..=5),
        prop::collection::vec(0..=EXPRESSIONS.len(), 0..2),
        prop::option::weighted(0.2, 0..EXPRESSIONS.len()),
        prop::option::weighted(0.2, 0..REQUIRED.len()),
        prop::collection::vec(0..ZONES.len(), 0..3),
    );
    (amounts, ports, place, 0..4_usize, any::<bool>()).prop_map(
        |(amounts, ports, place, group, for_service)| {
            let (cpu, memory, gpus, awsvpc) = amounts;
            let (ports, udp) = ports;
            let (strategies, constraints, own_constraint, required, zones) = place;
            Asks {
                cpu,
                memory,
                gpus,
                awsvpc,
                ports,
                udp,
                strategies,
                constraints,
                own_constraint,
                required,
                zones,
                group,
                for_service,
            }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let index = || any::<Index>();
    prop_oneof![
        24 => (index(), any::<u64>()).prop_map(|(request, draw)| Step::Place { request, draw }),
        2 => (index(), index()).prop_map(|(request, on)| Step::PlaceOn { request, on }),
        8 => index().prop_map(Step::Release),
        8 => index().prop_map(Step::Forget),
        1 => Just(Step::Withdraw),
        2 => (index(), any::<bool>()).prop_map(|(class, waits)| Step::Register { class, waits }),
        3 => (index(), 0..6_u8).prop_map(|(on, status)| Step::Status { on, status }),
        2 => (index(), prop::bool::weighted(0.7)).prop_map(|(on, connected)| Step::Agent { on, connected }),
        1 => (index(), index()).prop_map(|(on, class)| Step::Reclass { on, class }),
        1 => index().prop_map(Step::NewClass),
    ]
}

/// A cluster, its twin, and what may be asked of both.
struct Pair {
    cluster: Cluster,
    twin: Twin,
    requests: Vec<Request>,
    settings: PlacementSettings,
    last: Option<(Request, Row<ContainerInstance>)>,
}

impl Pair {
    fn new(settings: PlacementSettings, limits: Limits, asks: &[Asks]) -> Self {
        let mut cluster = Cluster::new(settings);
        cluster.placement.index.limits = limits;
        for (zone, cpu, memory, attributes) in [
            ("a", 2048, 1024, &["rack=r1", "disk", "gpu"][..]),
            ("b", 2048, 1024, &["rack=r2", "disk=ssd"]),
            ("a", 1024, 4096, &["rack=r1"]),
            ("c", 4096, 2048, &[]),
            ("b", 1024, 1024, &["disk"]),
        ] {
            let class = cluster.class(zone, cpu, memory, attributes);
            cluster.definitions.classes[class.index()].gpus = u32::from(attributes.contains(&"gpu")) * 2;
        }
        let requests = asks.iter().map(|asks| request(&mut cluster, asks)).collect();
        Pair { cluster, twin: Twin::default(), requests, settings, last: None }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Place { request, draw } => self.place(request.index(self.requests.len()), *draw),
            Step::PlaceOn { request, on } => self.place_on(request.index(self.requests.len()), *on),
            Step::Release(task) => self.release(*task),
            Step::Forget(task) => self.forget(*task),
            Step::Withdraw => self.withdraw(),
            Step::Register { class, waits } => self.register(*class, *waits),
            Step::Status { on, status } => self.status(*on, *status),
            Step::Agent { on, connected } => {
                if let Some(row) = self.any_row(*on) {
                    self.cluster.change(row, |instance| instance.agent_connected = *connected);
                }
            }
            Step::Reclass { on, class } => {
                let class = Row::at(class.index(self.cluster.definitions.classes.len()));
                if let Some(row) = self.any_row(*on) {
                    self.cluster.change(row, |instance| instance.class = class);
                }
            }
            Step::NewClass(like) => {
                let classes = &mut self.cluster.definitions.classes;
                let mut class = classes[like.index(classes.len())].clone();
                class.zone = self.cluster.symbol("d");
                self.cluster.definitions.classes.push(class);
            }
        }
    }

    fn look<'a>(&'a self, request: &'a Request) -> Look<'a> {
        let (twin, settings) = (&self.twin, self.settings);
        Look { twin, definitions: &self.cluster.definitions, rows: &self.cluster.rows, request, settings }
    }

    fn place(&mut self, number: usize, draw: u64) {
        let request = self.requests[number].clone();
        let expected = self.look(&request).place(draw);
        let refusals = self.look(&request).refusals();
        self.cluster.draw = draw;
        let wanted = super::cluster::wanted(&request, 0);
        let found: Vec<_> = self.cluster.placement.refusals(&self.cluster.definitions, &wanted).collect();
        assert_eq!(found, refusals);
        assert_eq!(self.cluster.place(&request), expected.map(Place::Instance), "{request:?}");
        if let Ok(row) = expected {
            self.hold(&request, row);
        }
    }

    fn place_on(&mut self, number: usize, on: Index) {
        let request = self.requests[number].clone();
        let row = Row::at(on.index(self.cluster.rows.len() + 2));
        let expected = self.look(&request).start(row);
        assert_eq!(self.cluster.place_on(&request, row).err(), expected);
        if expected.is_none() {
            self.hold(&request, row);
        }
    }

    fn hold(&mut self, request: &Request, on: Row<ContainerInstance>) {
        self.twin.tasks.push(Held { on, task: request.task, group: request.group, full: true });
        self.last = Some((request.clone(), on));
    }

    fn release(&mut self, task: Index) {
        let Some(at) = self.task(task).filter(|&at| self.twin.tasks[at].full) else { return };
        let held = &mut self.twin.tasks[at];
        held.full = false;
        self.cluster.placement.release_resources(held.on, held.task, &self.cluster.definitions);
        self.last = None;
    }

    fn forget(&mut self, task: Index) {
        self.release(task);
        let Some(at) = self.task(task) else { return };
        let held = self.twin.tasks.swap_remove(at);
        self.cluster.placement.forget(held.on, held.task, held.group, &self.cluster.definitions);
        self.last = None;
    }

    fn withdraw(&mut self) {
        let Some((request, on)) = self.last.take() else { return };
        self.twin.tasks.pop();
        let wanted = super::cluster::wanted(&request, 0);
        self.cluster.placement.withdraw(&self.cluster.definitions, &wanted, Place::Instance(on));
    }

    fn register(&mut self, class: Index, waits: bool) {
        let class = Row::at(class.index(self.cluster.definitions.classes.len()));
        let free = (0..self.cluster.rows.len()).find(|&row| self.cluster.rows[row].is_none());
        let row = Row::at(free.unwrap_or(self.cluster.rows.len()));
        if free.is_none() {
            self.cluster.rows.push(None);
        }
        self.cluster.register_at(row, class);
        self.twin.registered.push(row);
        if waits {
            self.cluster.change(row, |instance| instance.status = InstanceStatus::Draining);
        }
    }

    fn status(&mut self, on: Index, status: u8) {
        let Some(row) = self.any_row(on) else { return };
        let is_empty = !self.twin.tasks.iter().any(|held| held.on == row);
        let status = match status {
            0 => InstanceStatus::Draining,
            1 => InstanceStatus::Inactive,
            2 if is_empty => {
                self.twin.registered.retain(|&known| known != row);
                self.cluster.write(row, None);
                return;
            }
            3 => InstanceStatus::Registering,
            _ => InstanceStatus::Active,
        };
        self.cluster.change(row, |instance| instance.status = status);
        let known = self.twin.registered.contains(&row);
        match status {
            InstanceStatus::Inactive => self.twin.registered.retain(|&known| known != row),
            InstanceStatus::Active | InstanceStatus::Draining if !known => self.twin.registered.push(row),
            InstanceStatus::Active | InstanceStatus::Draining | InstanceStatus::Registering => {}
        }
    }

    fn any_row(&self, on: Index) -> Option<Row<ContainerInstance>> {
        let rows = &self.cluster.rows;
        let known: Vec<usize> = (0..rows.len()).filter(|&row| rows[row].is_some()).collect();
        if known.is_empty() { None } else { Some(Row::at(known[on.index(known.len())])) }
    }

    fn task(&self, task: Index) -> Option<usize> {
        if self.twin.tasks.is_empty() { None } else { Some(task.index(self.twin.tasks.len())) }
    }
}

fn request(cluster: &mut Cluster, asks: &Asks) -> Request {
    let task = cluster.task(Reservation {
        cpu: Cpu::ecs_units(asks.cpu),
        memory: Bytes::mib(asks.memory),
        gpus: asks.gpus,
        interfaces: u32::from(asks.awsvpc),
        ports: asks.ports.clone().into(),
        ports_udp: if asks.udp { [53].into() } else { Box::default() },
    });
    let required = asks.required.map(|at| cluster.attribute(REQUIRED[at]));
    let definition = &mut cluster.definitions.tasks[task.index()];
    definition.required_attributes = required.into_iter().collect();
    definition.constraints = asks.own_constraint.iter().map(|&at| expression(EXPRESSIONS[at])).collect();
    let mut request = cluster.request(0, 0);
    request.task = task;
    request.group = cluster.symbol(&format!("service:g{}", asks.group));
    request.for_service = asks.for_service;
    request.placing.strategies = asks.strategies.iter().map(|&at| cluster.strategy(STRATEGIES[at])).collect();
    let constraint = |&at: &usize| match EXPRESSIONS.get(at) {
        Some(text) => member_of(text),
        None => Constraint::DistinctInstance,
    };
    request.placing.constraints = asks.constraints.iter().map(constraint).collect();
    let subnet = |&at: &usize| cluster.subnet(&format!("s{at}@{}", ZONES[at]));
    request.placing.subnets = asks.zones.iter().map(subnet).collect();
    request
}

fn settings() -> impl Strategy<Value = PlacementSettings> {
    (prop::bool::weighted(0.2), prop::bool::weighted(0.3)).prop_map(|(random, counted)| PlacementSettings {
        tie: if random { Tie::Random } else { Tie::RegistrationOrder },
        without_attribute: if counted { AbsentAttribute::Counted } else { AbsentAttribute::Last },
        ..PlacementSettings::default()
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    let leaves = prop::sample::select(vec![0, 40, 1 << 20]);
    (leaves, 0..6_usize, 0..10_usize, 0..40_usize).prop_map(|(leaves, exceptions, listed, slack)| Limits {
        leaves,
        exceptions,
        listed,
        slack,
    })
}

fn check(settings: PlacementSettings, limits: Limits, asks: &[Asks], start: &[Index], steps: &[Step]) {
    let mut pair = Pair::new(settings, limits, asks);
    for class in start {
        pair.register(*class, false);
    }
    for step in steps {
        pair.take(step);
        pair.cluster.placement.recount();
    }
    for (index, row) in pair.cluster.rows.iter().enumerate() {
        let found = pair.cluster.placement.headroom(&pair.cluster.definitions, Row::at(index));
        let left = row.map(|_| pair.look(&pair.requests[0]).left(Row::at(index)));
        assert_eq!(found.map(|(cpu, memory)| (cpu.parts(), memory.bytes())), left);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn the_index_decides_as_the_twin_does(
        settings in settings(),
        limits in limits(),
        asks in prop::collection::vec(asks(), 1..8),
        start in prop::collection::vec(any::<Index>(), 0..40),
        steps in prop::collection::vec(step(), 0..160),
    ) {
        check(settings, limits, &asks, &start, &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn more_shapes_than_anybody_has(
        settings in settings(),
        limits in limits(),
        asks in prop::collection::vec(asks(), 80..100),
        start in prop::collection::vec(any::<Index>(), 20..80),
        steps in prop::collection::vec(step(), 300..500),
    ) {
        check(settings, limits, &asks, &start, &steps);
    }
}
