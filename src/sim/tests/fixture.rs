//! A small world for tests: one pool, one Fargate region, tasks of stated sizes, every duration round.

use crate::base::runtime::HealthCheck;
use crate::base::token_bucket::TokenBucket;
use crate::base::{Bytes, Cpu, EntityKey, Percent, Row, Span, Symbol, Timestamp};
use crate::catalog::fargate::Platform;
use crate::catalog::{Item, price, region};
use crate::control::ecs::objects::{
    ContainerDefinition, Definitions, FargateShape, InstanceClass, LaunchType, NetworkMode, Placing,
    Reservation, ServiceDefinition, Subnet, TaskDefinition, TaskRequest,
};
use crate::control::ecs::placement::PlacementSettings;
use crate::control::ecs::service::SchedulerSettings;
use crate::control::node::ecs_agent::{AgentSettings, RESERVED_PORTS};
use crate::engine::Quantiles;
use crate::sim::plan::{Arrival, EcsSettings, Plan, Pool, Rates};
use crate::workload::Arrivals;
use crate::world::registry::{Behaviour, Image, Layer, Registry};
use crate::world::settings::WorldSettings;

/// Zones of the fixture.
const ZONES: [&str; 3] = ["us-east-1a", "us-east-1b", "us-east-1c"];

/// A plan under construction.
pub(crate) struct Fixture {
    pub(crate) plan: Plan,
}

/// When calls are made.
pub(crate) struct Calls {
    pub(crate) at: Span,
    pub(crate) gaps: Quantiles,
    pub(crate) count: u64,
}

pub(crate) const START: Timestamp = Timestamp::from_nanos(1_772_409_600_000_000_000);

fn seconds(count: u64) -> Quantiles {
    Quantiles::constant(Span::seconds(count).as_nanos())
}

impl Fixture {
    /// Machines register 60 s after the start, interfaces take 4 s, containers 2 s, images 100 MB at
    /// 25 MB/s on EC2 and 10 MB/s on Fargate, whose micro-VMs take 18 s.
    pub(crate) fn new(run_for: Span) -> Self {
        let mut world = WorldSettings::instant();
        world.ec2.launch_call = seconds(1);
        world.ec2.pending_to_running = seconds(9);
        world.ec2.launch_to_registered = seconds(60);
        world.host.container_start = seconds(2);
        world.host.pull_rate_ec2 = Quantiles::constant(25_000_000);
        world.host.pull_rate_fargate.half_vcpu = Quantiles::constant(10_000_000);
        world.fargate.prepare = seconds(18);
        world.fargate.deprovision = Span::seconds(10);
        let fargate = [Platform::LinuxX86_64].map(|platform| {
            (platform, *crate::catalog::fargate::rates("us-east-1", platform).expect("listed"))
        });
        let plan = Plan {
            scenario: "fixture".to_owned(),
            platform: "test".to_owned(),
            start: START,
            end: START + run_for,
            definitions: Definitions::default(),
            registry: Registry::default(),
            pools: Vec::new(),
            services: Vec::new(),
            arrivals: Vec::new(),
            traces: Vec::new(),
            takes: crate::base::hash::Map::default(),
            retries: crate::base::hash::Map::default(),
            world,
            ecs: EcsSettings {
                scheduler: SchedulerSettings::default(),
                placement: PlacementSettings::default(),
                agent: AgentSettings::default().into(),
                interface_attach: seconds(4),
                interface_timeout: Span::seconds(180),
                token_memory: Span::HOUR * 24,
                volume_attach: Span::seconds(10),
                interface_detach: Span::seconds(5),
                retention: Span::HOUR,
                run_task_bucket: None,
            },
            kubernetes: None,
            rates: Rates {
                instances: Vec::new(),
                root_volume: price::rate(Item::Gp3Storage, "us-east-1"),
                root_volume_size: Bytes::gib(30),
                fargate: fargate.into(),
                public_address: price::rate(Item::PublicIpv4, "us-east-1"),
                region: "us-east-1",
            },
        };
        Fixture { plan }
    }

    pub(crate) fn symbol(&mut self, text: &str) -> Symbol {
        self.plan.definitions.symbols.intern(text)
    }

    /// Machines of 2 vCPU and 7633 MiB with 10 awsvpc slots, over three zones.
    pub(crate) fn pool(mut self, name: &str, count: u32) -> Self {
        let classes = ZONES.map(|zone| {
            let class = InstanceClass {
                instance_type: self.symbol("m7i.large"),
                zone: self.symbol(zone),
                subnet: self.symbol(&format!("subnet-{zone}")),
                capacity_provider: None,
                attributes: Box::default(),
                cpu: Cpu::vcpus(2),
                memory: Bytes::mib(7633),
                gpus: 0,
                interfaces: 10,
                reserved_ports: RESERVED_PORTS.into(),
                agent_version: self.symbol("1.105.1"),
            };
            self.plan.definitions.classes.push(class);
            Row::at(self.plan.definitions.classes.len() - 1)
        });
        let m7i = crate::catalog::instance_type("m7i.large").expect("a type");
        let rate = region("us-east-1").and_then(|region| region.on_demand(m7i)).expect("a price");
        self.plan.rates.instances.extend([rate; ZONES.len()]);
        let name = self.symbol(name);
        self.plan.pools.push(Pool { name, classes: classes.into(), count, launch_at: START });
        self
    }

    /// A task definition of one container of a quarter vCPU and 512 MiB, and its image of 100 MB.
    pub(crate) fn task(
        &mut self,
        name: &str,
        mode: NetworkMode,
        health: Option<HealthCheck>,
    ) -> Row<TaskDefinition> {
        let image = self.symbol(&format!("{name}:1"));
        let digest = EntityKey::new("layer", name, 0).low();
        let layer = Layer { digest, compressed: Bytes::new(100_000_000) };
        self.plan.registry.push(image, Image { layers: [layer].into(), behaviour: Behaviour::steady() });
        let (cpu, memory) = (Cpu::ecs_units(256), Bytes::mib(512));
        let container = ContainerDefinition {
            name: self.symbol(name),
            image,
            essential: true,
            depends_on: Box::default(),
            start_timeout: None,
            stop_timeout: None,
            health_check: health,
            restart_policy: None,
            dynamic_ports: 0,
        };
        let definition = TaskDefinition {
            family: self.symbol(name),
            revision: 1,
            network_mode: mode,
            containers: [container].into(),
            reservation: Reservation {
                cpu,
                memory,
                interfaces: u32::from(mode == NetworkMode::Awsvpc),
                ..Reservation::default()
            },
            required_attributes: Box::default(),
            constraints: Box::default(),
            runs_on_ec2: true,
            volume_at_launch: None,
            fargate: Some(FargateShape {
                cpu,
                memory,
                ephemeral: Bytes::gib(20),
                arm64: false,
                windows: false,
            }),
        };
        self.plan.definitions.tasks.push(definition);
        Row::at(self.plan.definitions.tasks.len() - 1)
    }

    fn placing(&mut self, launch_type: LaunchType) -> Placing {
        let subnets =
            ZONES.map(|zone| Subnet { id: self.symbol(&format!("subnet-{zone}")), zone: self.symbol(zone) });
        Placing {
            launch_type,
            strategies: Box::default(),
            constraints: Box::default(),
            subnets: subnets.into(),
            public_address: false,
            volume: None,
        }
    }

    /// Calls RunTask for one task at a time, `count` times, every `gap`, from `at` on; each works for `takes`.
    pub(crate) fn run_task(
        self,
        name: &str,
        mode: NetworkMode,
        launch_type: LaunchType,
        (at, gap, count): (Span, Span, u64),
        takes: Span,
    ) -> Self {
        let calls = Calls { at, gaps: Quantiles::constant(gap.as_nanos()), count };
        self.calls(name, mode, launch_type, calls, Quantiles::constant(takes.as_nanos()))
    }

    /// Calls RunTask for one task at a time.
    pub(crate) fn calls(
        mut self,
        name: &str,
        mode: NetworkMode,
        launch_type: LaunchType,
        calls: Calls,
        takes: Quantiles,
    ) -> Self {
        let definition = self.task(name, mode, None);
        let request = TaskRequest {
            name: self.symbol(name),
            task_definition: definition,
            group: self.symbol(&format!("family:{name}")),
            count: 1,
            placing: self.placing(launch_type),
            instances: None,
            client_token: None,
        };
        self.plan.takes.insert(request.name, takes);
        self.plan.definitions.requests.push(request);
        self.plan.arrivals.push(Arrival {
            arrivals: Arrivals {
                key: EntityKey::new("arrivals", name, 0),
                gaps: calls.gaps.into(),
                first: START + calls.at,
                until: self.plan.end,
                count_max: calls.count,
            },
            request: Row::at(self.plan.definitions.requests.len() - 1),
        });
        self
    }

    /// A service of so many tasks, each with an interface.
    pub(crate) fn service(
        self,
        name: &str,
        launch_type: LaunchType,
        desired_count: u32,
        at: Span,
        health: Option<HealthCheck>,
    ) -> Self {
        self.service_in(name, NetworkMode::Awsvpc, launch_type, desired_count, at, health)
    }

    /// A service of so many tasks, in any network mode.
    pub(crate) fn service_in(
        mut self,
        name: &str,
        mode: NetworkMode,
        launch_type: LaunchType,
        desired_count: u32,
        at: Span,
        health: Option<HealthCheck>,
    ) -> Self {
        let definition = self.task(name, mode, health);
        let service = ServiceDefinition {
            name: self.symbol(name),
            group: self.symbol(&format!("service:{name}")),
            task_definition: definition,
            placing: self.placing(launch_type),
            desired_count,
            healthy_min: Percent(100),
            running_max: Percent(200),
            grace: Span::ZERO,
        };
        self.plan.definitions.services.push(service);
        let row = Row::at(self.plan.definitions.services.len() - 1);
        self.plan.services.push((START + at, row));
        self
    }

    /// The behaviour of the image of a task or service.
    pub(crate) fn behaves(mut self, name: &str, change: impl FnOnce(&mut Behaviour)) -> Self {
        let reference = self.symbol(&format!("{name}:1"));
        let mut image = self.plan.registry.find(reference).expect("pushed with the task").clone();
        change(&mut image.behaviour);
        self.plan.registry.push(reference, image);
        self
    }
}

#[expect(dead_code, reason = "a shorthand for tests that throttle")]
pub(crate) fn bucket() -> TokenBucket {
    TokenBucket::new(1, crate::base::token_bucket::Refill::per_second(1))
}
