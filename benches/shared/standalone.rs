//! Plans of standalone tasks on one pool of instances, in 16 task shapes.

use windtunnel::base::hash::Map;
use windtunnel::base::{Bytes, Cpu, EntityKey, Row, Span, Symbol, Timestamp};
use windtunnel::catalog::{self, Item, price};
use windtunnel::control::ecs::objects::{
    ContainerDefinition, Definitions, InstanceClass, LaunchType, NetworkMode, Placing, Reservation, Strategy,
    TaskDefinition, TaskRequest,
};
use windtunnel::control::ecs::placement::PlacementSettings;
use windtunnel::control::ecs::service::SchedulerSettings;
use windtunnel::control::node::ecs_agent::{AgentSettings, RESERVED_PORTS};
use windtunnel::engine::Quantiles;
use windtunnel::sim::Plan;
use windtunnel::sim::plan::{Arrival, EcsSettings, Pool, Rates};
use windtunnel::workload::Arrivals;
use windtunnel::world::registry::{Behaviour, Image, Layer, Registry};
use windtunnel::world::settings::WorldSettings;

const ZONES: [&str; 3] = ["us-east-1a", "us-east-1b", "us-east-1c"];
const SHAPES: u64 = 16;
const START: Timestamp = Timestamp::from_nanos(1_772_409_600_000_000_000);
/// When everything is registered.
const FIRST_CALL: Span = Span::minutes(5);

/// Who comes, and where to.
struct Demand {
    scenario: &'static str,
    tasks: u64,
    /// Between two calls, all shapes together, on average.
    gap: Span,
    lives: Quantiles,
    lasts: Span,
    instances: u32,
    instance_type: &'static str,
    cpu: Cpu,
    memory: Bytes,
    world: WorldSettings,
    network_mode: NetworkMode,
    /// The shapes are combinations of four sizes each: the smallest, and what the next ones add.
    task_cpu: [Cpu; 2],
    task_memory: [Bytes; 2],
    /// How large a layer is. An image has three, two of them in common; none where nothing is pulled.
    layer: Option<Bytes>,
}

/// A million tasks on 10,000 instances: images of their own, 100 calls a second, and lives that keep
/// about 50,000 tasks running. Machines, pulls and starts take time.
pub(crate) fn million() -> Plan {
    let mut world = WorldSettings::instant();
    world.ec2.launch_to_registered = Quantiles::constant(Span::seconds(60).as_nanos());
    world.host.container_start = Quantiles::constant(Span::seconds(1).as_nanos());
    world.host.pull_rate_ec2 = Quantiles::constant(50_000_000);
    let demand = Demand {
        scenario: "million",
        tasks: 1_000_000,
        gap: Span::millis(10),
        lives: Quantiles::exponential(500e9),
        lasts: Span::HOUR * 3,
        instances: 10_000,
        instance_type: "m7i.large",
        cpu: Cpu::vcpus(2),
        memory: Bytes::mib(7633),
        world,
        network_mode: NetworkMode::Bridge,
        task_cpu: [128, 64].map(Cpu::ecs_units),
        task_memory: [256, 192].map(Bytes::mib),
        layer: Some(Bytes::new(50_000_000)),
    };
    demand.plan()
}

/// As many virtual machines as a public trace of 5.7 days has, as tasks on 3,000 instances: lives of
/// minutes to days, and nothing to pull.
pub(crate) fn vms() -> Plan {
    let lasts = Span::HOUR * 137;
    let demand = Demand {
        scenario: "vms",
        tasks: 410_276,
        gap: Span::millis(1_195),
        lives: Quantiles::lognormal(8.2, 2.0, 1e9).clamped(Span::minutes(1).as_nanos(), lasts.as_nanos()),
        lasts,
        instances: 3_000,
        instance_type: "m7i.12xlarge",
        cpu: Cpu::vcpus(48),
        memory: Bytes::gib(185),
        world: WorldSettings::instant(),
        network_mode: NetworkMode::Host,
        task_cpu: [1, 2].map(Cpu::vcpus),
        task_memory: [2, 6].map(Bytes::gib),
        layer: None,
    };
    demand.plan()
}

impl Demand {
    fn plan(self) -> Plan {
        let mut plan = self.empty();
        self.add_pool(&mut plan);
        for shape in 0..SHAPES {
            self.add_arrivals(&mut plan, shape);
        }
        plan
    }

    /// No call is limited.
    fn empty(&self) -> Plan {
        let region = catalog::region("us-east-1").expect("a region");
        let on_demand = region.on_demand(catalog::instance_type(self.instance_type).expect("a type"));
        Plan {
            scenario: self.scenario.to_owned(),
            kubernetes: None,
            platform: "ecs-ec2".to_owned(),
            start: START,
            end: START + self.lasts,
            definitions: Definitions::default(),
            registry: Registry::default(),
            pools: Vec::new(),
            services: Vec::new(),
            arrivals: Vec::new(),
            traces: Vec::new(),
            takes: Map::default(),
            retries: Map::default(),
            world: self.world.clone(),
            ecs: EcsSettings {
                scheduler: SchedulerSettings::default(),
                placement: PlacementSettings::default(),
                agent: AgentSettings::default().into(),
                interface_attach: Quantiles::constant(0),
                interface_timeout: Span::seconds(180),
                token_memory: Span::HOUR * 24,
                volume_attach: Span::seconds(10),
                interface_detach: Span::ZERO,
                retention: Span::HOUR,
                run_task_bucket: None,
            },
            rates: Rates {
                instances: vec![on_demand.expect("a price"); ZONES.len()],
                root_volume: price::rate(Item::Gp3Storage, "us-east-1"),
                root_volume_size: Bytes::gib(30),
                fargate: Vec::new(),
                public_address: price::rate(Item::PublicIpv4, "us-east-1"),
                region: "us-east-1",
            },
        }
    }

    fn add_pool(&self, plan: &mut Plan) {
        let symbols = &mut plan.definitions.symbols;
        for zone in ZONES {
            plan.definitions.classes.push(InstanceClass {
                instance_type: symbols.intern(self.instance_type),
                zone: symbols.intern(zone),
                subnet: symbols.intern(&format!("subnet-{zone}")),
                capacity_provider: None,
                attributes: Box::default(),
                cpu: self.cpu,
                memory: self.memory,
                gpus: 0,
                interfaces: 2,
                reserved_ports: RESERVED_PORTS.into(),
                agent_version: symbols.intern("1.105.1"),
            });
        }
        let classes = (0..ZONES.len()).map(Row::at).collect();
        let name = symbols.intern("pool");
        plan.pools.push(Pool { name, classes, count: self.instances, launch_at: START });
    }

    fn add_arrivals(&self, plan: &mut Plan, shape: u64) {
        let text = format!("job{shape}");
        let name = plan.definitions.symbols.intern(&text);
        let image = plan.definitions.symbols.intern(&format!("{text}:1"));
        let layer = |compressed| {
            let layers = ["os", "runtime", text.as_str()].into_iter();
            layers.map(move |layer| Layer { digest: EntityKey::new("layer", layer, 0).low(), compressed })
        };
        let layers = self.layer.into_iter().flat_map(layer).collect();
        plan.registry.push(image, Image { layers, behaviour: Behaviour::steady() });
        let task_definition = Row::at(plan.definitions.tasks.len());
        let definition = self.definition(name, image, i64::try_from(shape).expect("few shapes"));
        plan.definitions.tasks.push(definition);
        let request = Row::at(plan.definitions.requests.len());
        plan.definitions.requests.push(TaskRequest {
            name,
            task_definition,
            group: plan.definitions.symbols.intern(&format!("family:{text}")),
            count: 1,
            placing: Placing {
                launch_type: LaunchType::Ec2,
                strategies: [Strategy::BinpackMemory].into(),
                constraints: Box::default(),
                subnets: Box::default(),
                public_address: false,
                volume: None,
            },
            instances: None,
            client_token: None,
        });
        plan.takes.insert(name, self.lives.clone());
        let arrivals = Arrivals {
            key: EntityKey::new("arrivals", &text, 0),
            gaps: exponential(self.gap * SHAPES).into(),
            first: START + FIRST_CALL,
            until: plan.end,
            count_max: self.tasks.div_ceil(SHAPES),
        };
        plan.arrivals.push(Arrival { arrivals, request });
    }

    fn definition(&self, name: Symbol, image: Symbol, shape: i64) -> TaskDefinition {
        let bridged = self.network_mode == NetworkMode::Bridge;
        let container = ContainerDefinition {
            name,
            image,
            essential: true,
            depends_on: Box::default(),
            start_timeout: None,
            stop_timeout: None,
            health_check: None,
            restart_policy: None,
            dynamic_ports: u16::from(bridged),
        };
        TaskDefinition {
            family: name,
            revision: 1,
            network_mode: self.network_mode,
            containers: [container].into(),
            reservation: Reservation {
                cpu: stepped(self.task_cpu, shape % 4),
                memory: stepped(self.task_memory, shape / 4),
                ..Reservation::default()
            },
            required_attributes: Box::default(),
            constraints: Box::default(),
            runs_on_ec2: true,
            volume_at_launch: None,
            fargate: None,
        }
    }
}

/// The first of the two, and the other one so many times.
fn stepped<T: Copy + std::ops::Add<Output = T>>([first, step]: [T; 2], times: i64) -> T {
    (0..times).fold(first, |sum, _| sum + step)
}

#[expect(clippy::cast_precision_loss, reason = "a mean")]
fn exponential(mean: Span) -> Quantiles {
    Quantiles::exponential(mean.as_nanos() as f64)
}
