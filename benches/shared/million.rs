//! A plan of a million standalone tasks on 10,000 instances: 16 task definitions with images of their
//! own, 100 calls a second, and lives that keep about 50,000 tasks running.

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
const TASKS: u64 = 1_000_000;
const INSTANCES: u32 = 10_000;
const START: Timestamp = Timestamp::from_nanos(1_772_409_600_000_000_000);
/// When everything is registered.
const FIRST_CALL: Span = Span::minutes(5);
/// 100 calls a second in all.
const GAP_NANOS: f64 = 160e6;
const LIFE_NANOS: f64 = 500e9;

/// The plan.
pub(crate) fn plan() -> Plan {
    let mut plan = empty();
    add_pool(&mut plan);
    for shape in 0..SHAPES {
        add_arrivals(&mut plan, shape);
    }
    plan
}

/// A world in which machines, pulls and starts take time, and no call is limited.
fn empty() -> Plan {
    let mut world = WorldSettings::instant();
    world.ec2.launch_to_registered = Quantiles::constant(Span::seconds(60).as_nanos());
    world.host.container_start = Quantiles::constant(Span::seconds(1).as_nanos());
    world.host.pull_rate_ec2 = Quantiles::constant(50_000_000);
    let region = catalog::region("us-east-1").expect("a region");
    let on_demand = region.on_demand(catalog::instance_type("m7i.large").expect("a type"));
    Plan {
        scenario: "million".to_owned(),
        platform: "ecs-ec2".to_owned(),
        start: START,
        end: START + Span::HOUR + Span::HOUR + Span::HOUR,
        definitions: Definitions::default(),
        registry: Registry::default(),
        pools: Vec::new(),
        services: Vec::new(),
        arrivals: Vec::new(),
        traces: Vec::new(),
        takes: Map::default(),
        retries: Map::default(),
        world,
        ecs: EcsSettings {
            scheduler: SchedulerSettings::default(),
            placement: PlacementSettings::default(),
            agent: AgentSettings::default(),
            interface_attach: Quantiles::constant(0),
            interface_timeout: Span::seconds(180),
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

fn add_pool(plan: &mut Plan) {
    let symbols = &mut plan.definitions.symbols;
    for zone in ZONES {
        plan.definitions.classes.push(InstanceClass {
            instance_type: symbols.intern("m7i.large"),
            zone: symbols.intern(zone),
            subnet: symbols.intern(&format!("subnet-{zone}")),
            capacity_provider: None,
            attributes: Box::default(),
            cpu: Cpu::vcpus(2),
            memory: Bytes::mib(7633),
            gpus: 0,
            interfaces: 2,
            reserved_ports: RESERVED_PORTS.into(),
            agent_version: symbols.intern("1.105.1"),
        });
    }
    let classes = (0..ZONES.len()).map(Row::at).collect();
    plan.pools.push(Pool { name: symbols.intern("pool"), classes, count: INSTANCES, launch_at: START });
}

/// Calls of one shape: 0.125 to 0.3 vCPU and 256 to 832 MiB.
fn add_arrivals(plan: &mut Plan, shape: u64) {
    let text = format!("job{shape}");
    let name = plan.definitions.symbols.intern(&text);
    let image = plan.definitions.symbols.intern(&format!("{text}:1"));
    let layers = ["os", "runtime", text.as_str()].map(|layer| Layer {
        digest: EntityKey::new("layer", layer, 0).low(),
        compressed: Bytes::new(50_000_000),
    });
    plan.registry.push(image, Image { layers: layers.into(), behaviour: Behaviour::steady() });
    let task_definition = Row::at(plan.definitions.tasks.len());
    plan.definitions.tasks.push(definition(name, image, i64::try_from(shape).expect("few shapes")));
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
    });
    plan.takes.insert(name, Quantiles::exponential(LIFE_NANOS));
    let arrivals = Arrivals {
        key: EntityKey::new("arrivals", &text, 0),
        gaps: Quantiles::exponential(GAP_NANOS).into(),
        first: START + FIRST_CALL,
        until: plan.end,
        count_max: TASKS / SHAPES,
    };
    plan.arrivals.push(Arrival { arrivals, request });
}

fn definition(name: Symbol, image: Symbol, shape: i64) -> TaskDefinition {
    let container = ContainerDefinition {
        name,
        image,
        essential: true,
        depends_on: Box::default(),
        start_timeout: None,
        stop_timeout: None,
        health_check: None,
        restart_policy: None,
        dynamic_ports: 1,
    };
    TaskDefinition {
        family: name,
        revision: 1,
        network_mode: NetworkMode::Bridge,
        containers: [container].into(),
        reservation: Reservation {
            cpu: Cpu::ecs_units(128 + 64 * (shape % 4)),
            memory: Bytes::mib(256 + 192 * (shape / 4)),
            ..Reservation::default()
        },
        required_attributes: Box::default(),
        constraints: Box::default(),
        runs_on_ec2: true,
        volume_at_launch: None,
        fargate: None,
    }
}
