//! How long a placement takes, arrivals and ends in balance, 16 task shapes, and what size adds to it.
//!
//! A line is `name value unit ratio`, the ratio being the value over its bar, and whether the bar is
//! met. Arguments choose figures by a part of their name; `cargo bench --bench placement -- instructions`
//! counts instructions instead, with valgrind.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "shared/figure.rs"]
mod figure;

#[path = "shared/cpu.rs"]
mod cpu;

use std::process::Command;

use figure::print_at_most;
use windtunnel::base::turn::Nobody;
use windtunnel::base::{Bytes, Cpu, Edit, EntityKey, Name, Revision, Row, Symbol, Timestamp, Turn};
use windtunnel::control::ecs::objects::{
    ContainerInstance, Definitions, InstanceClass, InstanceStatus, LaunchType, NetworkMode, Placing,
    Reservation, Strategy, TaskDefinition,
};
use windtunnel::control::ecs::placement::{Place, Placement, PlacementSettings, Wanted};
use windtunnel::engine::Luck;

const SHAPES: usize = 16;

/// How many decisions one figure takes.
const DECISIONS: u32 = 600_000;
/// How many are enough to count instructions.
const DECISIONS_COUNTED: u32 = 20_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let [word, chain, instances] = &words[..]
        && word == "counted"
    {
        let chain = Chain::ALL.into_iter().find(|known| known.name() == chain).expect("a chain");
        let mut bench = Bench::new(chain, instances.parse().expect("a number of instances"));
        bench.turn_over_often(DECISIONS_COUNTED);
    } else if words.iter().any(|word| word == "instructions") {
        print_instructions();
    } else {
        print_times(&words);
    }
}

fn print_times(wanted: &[String]) {
    for chain in Chain::ALL {
        for (instances, bar) in [(1_000, 1_000), (10_000, 1_000), (100_000, 5_000)] {
            let name = format!("placement_{}_{instances}", chain.name());
            if wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())) {
                let nanos = Bench::new(chain, instances).nanos_per_decision();
                match chain {
                    // A draw among all that fit has no bar.
                    Chain::Random => println!("{name} {nanos} ns/decision -"),
                    Chain::BinpackMemory | Chain::Spread | Chain::Default => {
                        print_at_most(&name, nanos, "ns/decision", bar);
                    }
                }
            }
        }
    }
}

/// Instructions do not depend on what else the machine does: 100,000 instances may take at most twice
/// those of 1,000.
fn print_instructions() {
    for chain in [Chain::BinpackMemory, Chain::Spread] {
        let [few, some, many] = [1_000, 10_000, 100_000].map(|instances| instructions(chain, instances));
        for (instances, count) in [(1_000, few), (10_000, some), (100_000, many)] {
            let name = format!("placement_{}_{instances}", chain.name());
            print_at_most(&name, count, "instructions/decision", 2 * few);
        }
    }
}

/// Runs this program once more, under valgrind, which counts what happens within
/// [`Bench::turn_over_often`].
fn instructions(chain: Chain, instances: u32) -> u64 {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*turn_over_often*"])
        .arg(program)
        .args(["counted", chain.name(), &instances.to_string()])
        .output()
        .expect("valgrind is installed");
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("Collected"));
    let count = line.and_then(|line| line.split(' ').next_back()?.parse::<u64>().ok());
    count.unwrap_or_else(|| panic!("valgrind counts: {text}")) / u64::from(DECISIONS_COUNTED)
}

#[derive(Clone, Copy)]
enum Chain {
    BinpackMemory,
    Spread,
    Default,
    Random,
}

impl Chain {
    const ALL: [Chain; 4] = [Chain::BinpackMemory, Chain::Spread, Chain::Default, Chain::Random];

    const fn name(self) -> &'static str {
        match self {
            Chain::BinpackMemory => "binpack",
            Chain::Spread => "spread",
            Chain::Default => "service",
            Chain::Random => "random",
        }
    }
}

struct Bench {
    definitions: Definitions,
    placement: Placement,
    placings: Vec<Placing>,
    groups: Vec<Symbol>,
    /// Where each task runs, and which of the shapes it has.
    running: Vec<(Row<ContainerInstance>, u8)>,
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

    fn nanos_per_decision(&mut self) -> u64 {
        self.turn_over_often(DECISIONS / 4);
        let best = (0..3).map(|_| self.nanos(DECISIONS / 3)).min().expect("three runs");
        self.placement.recount();
        best
    }

    fn nanos(&mut self, decisions: u32) -> u64 {
        let start = cpu::spent();
        self.turn_over_often(decisions);
        let spent = cpu::spent().checked_sub(start).expect("CPU time rises");
        u64::try_from(spent.as_nanos() / u128::from(decisions)).expect("seconds at most")
    }

    #[inline(never)]
    fn turn_over_often(&mut self, decisions: u32) {
        for _ in 0..decisions {
            self.turn_over();
        }
    }

    /// One task ends, one is placed.
    fn turn_over(&mut self) {
        let at = self.below(self.running.len());
        let (row, shape) = self.running.swap_remove(at);
        let shape = usize::from(shape);
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
            self.running.push((row, u8::try_from(shape).expect("few shapes")));
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
            volume_at_launch: None,
            fargate: None,
        });
        self.placings.push(Placing {
            launch_type: LaunchType::Ec2,
            strategies,
            constraints: Box::default(),
            subnets: Box::default(),
            public_address: false,
            volume: None,
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
