//! How long a placement takes, arrivals and ends in balance, 16 task shapes: one line per figure,
//! `name value unit ratio`, where the ratio is the value over the bar it has to stay under.

#[path = "shared/cpu.rs"]
mod cpu;

use std::io::Write;

use windtunnel::base::turn::Nobody;
use windtunnel::base::{Bytes, Cpu, Edit, EntityKey, Name, Revision, Row, Symbol, Timestamp, Turn};
use windtunnel::control::ecs::objects::{
    ContainerInstance, Definitions, InstanceClass, InstanceStatus, LaunchType, NetworkMode, Placing,
    Reservation, Strategy, TaskDefinition,
};
use windtunnel::control::ecs::placement::{Place, Placement, PlacementSettings, Wanted};
use windtunnel::engine::Luck;

const SHAPES: usize = 16;

/// Arguments without a dash choose figures by a part of their name.
fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for (chain, name) in [
        (Chain::BinpackMemory, "binpack"),
        (Chain::Spread, "spread"),
        (Chain::Default, "service"),
        (Chain::Random, "random"),
    ] {
        for (instances, bar) in [(1_000, 1_000), (10_000, 1_000), (100_000, 5_000)] {
            let name = format!("placement_{name}_{instances}");
            if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
                continue;
            }
            let nanos = Bench::new(chain, instances).nanos_per_decision();
            let mut out = std::io::stdout();
            let percent = nanos * 100 / bar;
            writeln!(out, "{name} {nanos} ns/decision {}.{:02}", percent / 100, percent % 100)
                .expect("stdout takes a line");
        }
    }
}

#[derive(Clone, Copy)]
enum Chain {
    BinpackMemory,
    Spread,
    Default,
    Random,
}

struct Bench {
    definitions: Definitions,
    placement: Placement,
    placings: Vec<Placing>,
    groups: Vec<Symbol>,
    running: Vec<(Row<ContainerInstance>, usize)>,
    luck: Luck,
    state: u64,
    key: EntityKey,
}

impl Bench {
    /// A cluster of which about two thirds are in use.
    fn new(chain: Chain, instances: usize) -> Self {
        let mut bench = Bench {
            definitions: Definitions::default(),
            placement: Placement::new(PlacementSettings::default()),
            placings: Vec::new(),
            groups: Vec::new(),
            running: Vec::new(),
            luck: Luck::new(1),
            state: 1,
            key: EntityKey::new("task", "bench", 1),
        };
        bench.add_classes();
        for shape in 0..SHAPES {
            bench.add_shape(chain, shape);
        }
        for number in 0..instances {
            bench.add_instance(number);
        }
        for _ in 0..instances * 5 {
            bench.place();
        }
        bench
    }

    fn nanos_per_decision(&mut self) -> u128 {
        const DECISIONS: u32 = 200_000;
        for _ in 0..DECISIONS / 4 {
            self.turn_over();
        }
        let start = cpu::spent();
        for _ in 0..DECISIONS {
            self.turn_over();
        }
        let spent = cpu::spent().checked_sub(start).expect("CPU time rises");
        self.placement.recount();
        spent.as_nanos() / u128::from(DECISIONS)
    }

    /// One task ends, one is placed.
    fn turn_over(&mut self) {
        let at = self.below(self.running.len());
        let (row, shape) = self.running.swap_remove(at);
        self.placement.release_resources(row, Row::at(shape), &self.definitions);
        self.placement.forget(row, Row::at(shape), self.groups[shape], &self.definitions);
        self.place();
    }

    fn place(&mut self) {
        let shape = self.below(SHAPES);
        let wanted = Wanted {
            task_definition: Row::at(shape),
            placing: &self.placings[shape],
            group: self.groups[shape],
            for_service: true,
            key: self.key,
            attempt: 0,
        };
        let now = Timestamp::from_nanos(0);
        let mut turn = Turn { now, draw: &mut self.luck, why: &mut Nobody };
        if let Ok(Place::Instance(row)) = self.placement.place(&mut turn, &self.definitions, &wanted) {
            self.running.push((row, shape));
        }
    }

    fn add_classes(&mut self) {
        for zone in ["a", "b", "c"] {
            for (vcpus, gib) in [(2, 8), (4, 16), (8, 16), (4, 32)] {
                let symbols = &mut self.definitions.symbols;
                let class = InstanceClass {
                    instance_type: symbols.intern("type"),
                    zone: symbols.intern(zone),
                    subnet: symbols.intern(zone),
                    capacity_provider: None,
                    attributes: Box::default(),
                    cpu: Cpu::vcpus(vcpus),
                    memory: Bytes::gib(gib),
                    gpus: 0,
                    interfaces: 3,
                    reserved_ports: Box::default(),
                    agent_version: symbols.intern("1.105.1"),
                };
                self.definitions.classes.push(class);
            }
        }
    }

    fn add_shape(&mut self, chain: Chain, shape: usize) {
        let size = i64::try_from(shape).expect("few shapes");
        let symbols = &mut self.definitions.symbols;
        let zone = symbols.intern("ecs.availability-zone");
        let strategies: Box<[Strategy]> = match chain {
            Chain::BinpackMemory => [Strategy::BinpackMemory].into(),
            Chain::Spread => [Strategy::SpreadAttribute(zone), Strategy::SpreadInstance].into(),
            Chain::Default => Box::default(),
            Chain::Random => [Strategy::Random].into(),
        };
        self.groups.push(symbols.intern(&format!("service:s{shape}")));
        self.definitions.tasks.push(TaskDefinition {
            family: symbols.intern("task"),
            revision: 1,
            network_mode: NetworkMode::Bridge,
            containers: Box::default(),
            reservation: Reservation {
                cpu: Cpu::ecs_units(128 + 64 * (size % 4)),
                memory: Bytes::mib(256 + 192 * (size / 4)),
                ..Reservation::default()
            },
            required_attributes: Box::default(),
            constraints: Box::default(),
            runs_on_ec2: true,
            fargate: None,
        });
        self.placings.push(Placing {
            launch_type: LaunchType::Ec2,
            strategies,
            constraints: Box::default(),
            subnets: Box::default(),
            public_address: false,
        });
    }

    fn add_instance(&mut self, number: usize) {
        let serial = number as u64;
        let instance = ContainerInstance {
            key: EntityKey::new("instance", "pool", serial),
            name: Name { of: self.definitions.symbols.intern("pool"), serial },
            class: Row::at(number % self.definitions.classes.len()),
            status: InstanceStatus::Active,
            agent_connected: true,
            registered_at: Timestamp::from_nanos(serial),
        };
        let edit =
            Edit { row: Row::at(number), revision: Revision(serial + 1), old: None, new: Some(&instance) };
        self.placement.observe_instance(edit, &self.definitions);
    }

    /// A xorshift step, reduced to `0..n`.
    fn below(&mut self, n: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(windtunnel::base::turn::below(self.state, n as u64)).expect("below n")
    }
}
