//! Capacity: machines in subnets, the classes of pools, what fits on them, and what things cost.

use crate::base::{Bytes, Price, Row, Symbol, Symbols, Unit};
use crate::catalog::fargate::{self, Platform};
use crate::catalog::{self, Arch, Figure, InstanceType, Item, Orchestrator, Rate, price};
use crate::control::ecs::objects::{InstanceClass, LaunchType, TaskDefinition};
use crate::control::node::ecs_agent::RESERVED_PORTS;
use crate::mark;
use crate::scenario::codes::Code;
use crate::scenario::diagnostic::{Diagnostic, Place, suggestion};
use crate::scenario::schema::{LaunchType as StatedLaunch, Pool as Stated};
use crate::scenario::text::Placed;
use crate::sim::plan::{Pool, Rates};

use super::Lowering;

/// The agent whose behaviour is modelled.
const AGENT_VERSION: &str = "1.105.1";

/// Custom attributes of an instance (CI-21).
const ATTRIBUTES_MAX: usize = 10;
/// Characters in the name or the value of a custom attribute (CI-21).
const ATTRIBUTE_CHARS_MAX: usize = 128;

/// Attributes without a value that a current Linux instance registers (section 2.4).
const CAPABILITIES: &[&str] = &[
    "com.amazonaws.ecs.capability.privileged-container",
    "com.amazonaws.ecs.capability.docker-remote-api.1.17",
    "com.amazonaws.ecs.capability.docker-remote-api.1.44",
    "com.amazonaws.ecs.capability.logging-driver.json-file",
    "com.amazonaws.ecs.capability.logging-driver.syslog",
    "com.amazonaws.ecs.capability.logging-driver.journald",
    "com.amazonaws.ecs.capability.logging-driver.gelf",
    "com.amazonaws.ecs.capability.logging-driver.fluentd",
    "com.amazonaws.ecs.capability.logging-driver.awslogs",
    "com.amazonaws.ecs.capability.logging-driver.splunk",
    "com.amazonaws.ecs.capability.logging-driver.awsfirelens",
    "com.amazonaws.ecs.capability.logging-driver.none",
    "com.amazonaws.ecs.capability.ecr-auth",
    "com.amazonaws.ecs.capability.task-iam-role",
    "com.amazonaws.ecs.capability.task-iam-role-network-host",
    "ecs.capability.task-eni",
    "ecs.capability.task-cpu-mem-limit",
    "ecs.capability.increased-task-cpu-limit",
    "ecs.capability.container-ordering",
    "ecs.capability.container-health-check",
    "ecs.capability.secrets.ssm.environment-variables",
    "ecs.capability.secrets.asm.environment-variables",
    "ecs.capability.execution-role-ecr-pull",
    "ecs.capability.execution-role-awslogs",
    "ecs.capability.private-registry-authentication.secretsmanager",
    "ecs.capability.ecr-endpoint",
    "ecs.capability.efs",
    "ecs.capability.efsAuth",
    "ecs.capability.env-files.s3",
    "ecs.capability.pid-ipc-namespace-sharing",
    "ecs.capability.firelens.fluentd",
    "ecs.capability.firelens.fluentbit",
    "ecs.capability.firelens.options.config.file",
    "ecs.capability.firelens.options.config.s3",
    "ecs.capability.full-sync",
    "ecs.capability.execute-command",
    "ecs.capability.service-connect-v1",
    "ecs.capability.storage.ebs-task-volume-attach",
    "ecs.capability.network.container-port-range",
    "ecs.capability.container-restart-policy",
    "ecs.capability.fault-injection",
];

/// Machines of one type, as a scenario states them.
#[derive(Clone, Copy)]
pub(super) struct Machines<'s> {
    /// `pool` or `node group`.
    pub(super) what: &'static str,
    /// What they are called.
    pub(super) name: &'s Placed<String>,
    pub(super) instance_type: &'s Placed<String>,
    /// In which subnets; in all unless said.
    pub(super) subnets: Option<&'s [Placed<String>]>,
}

/// Where machines of a type stand.
pub(super) struct Seats {
    pub(super) of: &'static InstanceType,
    /// Subnets, each with its zone.
    pub(super) subnets: Vec<(String, String)>,
}

impl Lowering<'_> {
    /// The pools of the platform.
    pub(super) fn capacity(&mut self) -> Vec<Pool> {
        let mut pools = Vec::new();
        let ecs = self.ecs();
        if ecs.launch_type == StatedLaunch::Ec2 && ecs.pools.values().all(|pool| pool.count.value == 0) {
            let wrong = Diagnostic::new(
                Code::NoCapacity,
                ecs.requests.place,
                "this platform has no container instance",
            );
            self.wrong(wrong.hint("add `pools: { general: { instance_type: m7i.xlarge, count: 3 } }`"));
        }
        let total: u64 = ecs.pools.values().map(|pool| u64::from(pool.count.value)).sum();
        let quota = self.quotas.container_instances_per_cluster;
        for (name, stated) in &ecs.pools {
            if total > u64::from(quota) {
                let message = format!("{total} container instances are more than the quota of {quota}");
                let wrong = Diagnostic::new(Code::TooManyTasks, stated.count.place, message);
                self.wrong(wrong.hint("raise `account.quotas.container_instances`"));
            }
            pools.extend(self.pool(name, stated));
        }
        pools
    }

    fn pool(&mut self, name: &Placed<String>, stated: &Stated) -> Option<Pool> {
        let machines = Machines {
            what: "pool",
            name,
            instance_type: &stated.instance_type,
            subnets: stated.subnets.as_deref(),
        };
        let seats = self.seats(machines)?;
        self.found.extend(attribute_faults(stated));
        let mut classes = Vec::new();
        for (subnet, zone) in &seats.subnets {
            let class = self.class(seats.of, subnet, zone, stated);
            classes.push(self.add_class(class, Some(seats.of)));
        }
        if classes.is_empty() || stated.count.value == 0 {
            return None;
        }
        let name = self.definitions.symbols.intern(name);
        Some(Pool { name, classes, count: stated.count.value, launch_at: self.start })
    }

    /// The type of machines and the subnets that they stand in, as far as they exist; none without a type.
    pub(super) fn seats(&mut self, machines: Machines<'_>) -> Option<Seats> {
        let word = machines.instance_type;
        let Some(of) = catalog::instance_type(word) else {
            let message = format!("unknown instance type {:?}", word.value);
            let wrong = Diagnostic::new(Code::UnknownInstanceType, word.place, message);
            let hint = catalog::nearest_instance_type(word).map(|near| format!("did you mean {near:?}?"));
            self.wrong(Diagnostic { hint, ..wrong });
            return None;
        };
        let mut subnets = Vec::new();
        for (subnet, zone, place) in self.subnets(machines) {
            // A zone that does not exist is complained about where it is named.
            let id = self.zone_id(&zone).filter(|id| self.region.zones.iter().any(|zone| zone.id == *id));
            let Some(id) = id else { continue };
            if self.region.offers(of, id) {
                subnets.push((subnet, zone));
                continue;
            }
            let message = format!("{} is not offered in {zone}", of.name);
            let zones: Vec<&str> = self.region.zones_of(of).map(|zone| zone.name).collect();
            let wrong = Diagnostic::new(Code::NotOffered, place, message);
            self.wrong(wrong.hint(match zones.as_slice() {
                [] => format!("no zone of {} has it", self.region.name),
                zones => format!("offered in: {}", zones.join(", ")),
            }));
        }
        Some(Seats { of, subnets })
    }

    /// Adds a class of machines, each of a type that has a price, or of none.
    pub(super) fn add_class(
        &mut self,
        class: InstanceClass,
        of: Option<&'static InstanceType>,
    ) -> Row<InstanceClass> {
        self.definitions.classes.push(class);
        self.types.push(of);
        Row::at(self.definitions.classes.len() - 1)
    }

    /// The subnets of machines: id, zone, and where it was said.
    fn subnets(&mut self, machines: Machines<'_>) -> Vec<(String, String, Place)> {
        let known: Vec<(String, String)> =
            self.zones.iter().map(|(subnet, zone)| (subnet.clone(), zone.clone())).collect();
        let what = machines.what;
        let nowhere = || {
            Diagnostic::new(
                Code::NoCapacity,
                machines.name.place,
                format!("a {what} needs a subnet to be in"),
            )
        };
        let Some(chosen) = machines.subnets else {
            if known.is_empty() {
                self.wrong(nowhere().hint("add `subnets: { subnet-a: us-east-1a }` to the scenario"));
            }
            let place = machines.instance_type.place;
            return known.into_iter().map(|(subnet, zone)| (subnet, zone, place)).collect();
        };
        if chosen.is_empty() {
            self.wrong(nowhere().hint("leave `subnets` out for all of them"));
        }
        let mut subnets = Vec::new();
        for word in chosen {
            if let Some((subnet, zone)) = known.iter().find(|(subnet, _)| *subnet == word.value) {
                subnets.push((subnet.clone(), zone.clone(), word.place));
            } else {
                let names: Vec<&str> = known.iter().map(|(subnet, _)| subnet.as_str()).collect();
                let message = format!("unknown subnet {:?}", word.value);
                let wrong = Diagnostic::new(Code::UnknownZone, word.place, message);
                let hint = suggestion(word, &names);
                self.wrong(Diagnostic { hint, ..wrong });
            }
        }
        subnets
    }

    fn class(
        &mut self,
        of: &'static InstanceType,
        subnet: &str,
        zone: &str,
        stated: &Stated,
    ) -> InstanceClass {
        let trunking = self.scenario.account.awsvpc_trunking;
        let symbols = &mut self.definitions.symbols;
        let arch = match of.arch {
            Arch::Arm64 => "arm64",
            Arch::X86_64 => "x86_64",
        };
        let automatic = [
            ("ecs.instance-type", of.name),
            ("ecs.availability-zone", zone),
            ("ecs.subnet-id", subnet),
            ("ecs.os-type", "linux"),
            ("ecs.os-family", "LINUX"),
            ("ecs.cpu-architecture", arch),
        ];
        let custom = stated.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut attributes: Vec<(Symbol, Option<Symbol>)> = automatic
            .into_iter()
            .chain(custom)
            .map(|(name, value)| (symbols.intern(name), Some(symbols.intern(value))))
            .collect();
        attributes.extend(CAPABILITIES.iter().map(|name| (symbols.intern(name), None)));
        if trunking && of.trunks() {
            attributes.push((symbols.intern("ecs.capability.task-eni-trunking"), None));
        }
        attributes.sort_unstable();
        InstanceClass {
            attributes: attributes.into(),
            memory: of.registered_memory(Bytes::ZERO).expect("nothing is reserved").value,
            interfaces: of.awsvpc_tasks(trunking).value,
            reserved_ports: RESERVED_PORTS.into(),
            agent_version: symbols.intern(AGENT_VERSION),
            ..plain_class(of, subnet, zone, symbols)
        }
    }

    /// Every task that runs on instances fits one of them while it is empty.
    pub(super) fn check_fit(&mut self, pools: &[Pool]) {
        if pools.is_empty() {
            return;
        }
        let requests =
            self.definitions.requests.iter().map(|request| (request.task_definition, &request.placing));
        let services =
            self.definitions.services.iter().map(|service| (service.task_definition, &service.placing));
        let mut wanted: Vec<Row<TaskDefinition>> = services
            .chain(requests)
            .filter(|(_, placing)| placing.launch_type == LaunchType::Ec2)
            .map(|(definition, _)| definition)
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        for row in wanted {
            let task = &self.definitions[row];
            let need = &task.reservation;
            let fits = |class: &InstanceClass| {
                need.cpu <= class.cpu
                    && need.memory <= class.memory
                    && need.gpus <= class.gpus
                    && need.interfaces <= class.interfaces
            };
            if !self.definitions.classes.iter().any(fits) {
                let family = self.definitions.symbols.text(task.family);
                let message = format!(
                    "a task of {family} ({}, {}) fits no container instance of this platform",
                    need.cpu, need.memory
                );
                let wrong = Diagnostic::new(Code::FitsNowhere, self.ecs().requests.place, message);
                let largest = self.definitions.classes.iter().max_by_key(|class| (class.memory, class.cpu));
                let hint =
                    largest.map(|class| format!("the largest registers {} and {}", class.cpu, class.memory));
                self.found.push(Diagnostic { hint, ..wrong });
            }
        }
    }

    /// What things cost; none, with a diagnostic, where a price is not known.
    pub(super) fn rates(&mut self, platform: &Placed<String>, root_volume_size: Bytes) -> Option<Rates> {
        let mut instances = Vec::new();
        for of in self.types.clone() {
            let Some(of) = of else {
                instances.push(unbilled());
                continue;
            };
            match self.region.on_demand(of) {
                Some(rate) => instances.push(rate),
                None => {
                    let message = format!("the price of {} in {} is not known", of.name, self.region.name);
                    self.wrong(Diagnostic::new(Code::NotOffered, platform.place, message));
                }
            }
        }
        let region = self.region.name;
        let platforms = [Platform::LinuxX86_64, Platform::LinuxArm64, Platform::WindowsX86_64];
        let fargate: Vec<_> =
            platforms.iter().filter_map(|&of| Some((of, *fargate::rates(region, of)?))).collect();
        if fargate.is_empty() && self.ecs.is_some_and(|ecs| ecs.launch_type == StatedLaunch::Fargate) {
            let message = format!("the prices of Fargate in {region} are not known");
            self.wrong(Diagnostic::new(Code::NotOffered, platform.place, message));
            return None;
        }
        (instances.len() == self.types.len()).then(|| Rates {
            instances,
            root_volume: price::rate(Item::Gp3Storage, region),
            root_volume_size,
            fargate,
            public_address: price::rate(Item::PublicIpv4, region),
            region,
        })
    }
}

/// The rate of machines that stand on no bill.
fn unbilled() -> Rate {
    Rate { price: Figure::assumed(Price::per_hour(0, Unit::InstanceNs)), source: "", as_of: "" }
}

/// What every machine of a type has in a subnet, whatever runs on it.
pub(super) fn plain_class(
    of: &'static InstanceType,
    subnet: &str,
    zone: &str,
    symbols: &mut Symbols,
) -> InstanceClass {
    InstanceClass {
        instance_type: symbols.intern(of.name),
        zone: symbols.intern(zone),
        subnet: symbols.intern(subnet),
        capacity_provider: None,
        attributes: Box::default(),
        cpu: of.cpu(),
        memory: of.visible_memory(Orchestrator::Eks).value,
        gpus: of.gpus(),
        interfaces: 0,
        reserved_ports: Box::default(),
        agent_version: symbols.intern(""),
    }
}

/// What is wrong with the custom attributes of a pool.
fn attribute_faults(stated: &Stated) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut wrong = |place, message: String| faults.push(Diagnostic::new(Code::WrongValue, place, message));
    for (count, (name, value)) in stated.attributes.iter().enumerate() {
        mark!("CI-21");
        if count == ATTRIBUTES_MAX {
            wrong(name.place, format!("an instance has at most {ATTRIBUTES_MAX} custom attributes"));
        }
        if !is_attribute_text(name, "-_/\\.") {
            let rule = "1 to 128 letters, digits, `-`, `_`, `/`, `\\` or `.`";
            wrong(name.place, format!("the name of an attribute is {rule}"));
        }
        let inner = value.trim() == value.value;
        if !inner || !is_attribute_text(value, "-_/\\.@: ") {
            let rule =
                "1 to 128 letters, digits, `-`, `_`, `/`, `\\`, `.`, `@`, `:` or spaces between others";
            wrong(value.place, format!("the value of an attribute is {rule}"));
        }
    }
    faults
}

fn is_attribute_text(text: &str, signs: &str) -> bool {
    let known = |letter: char| letter.is_ascii_alphanumeric() || signs.contains(letter);
    (1..=ATTRIBUTE_CHARS_MAX).contains(&text.chars().count()) && text.chars().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mark::must_reach;
    use crate::scenario::{Sources, read};

    /// How many faults the attributes of a pool have.
    fn faults(attributes: &str) -> usize {
        let text = format!("{{ instance_type: m7i.large, count: 1, attributes: {{ {attributes} }} }}");
        let (pool, found) = read::<Stated>(&Sources::default().add("pool.yaml", text.into_bytes()));
        assert_eq!(found, [], "{attributes}");
        must_reach(&["CI-21"], || attribute_faults(&pool.expect("a pool"))).len()
    }

    #[test]
    fn custom_attributes_keep_their_limits() {
        let long = |length: usize| "x".repeat(length);
        let many = |count: usize| (0..count).map(|nth| format!("a{nth}: b")).collect::<Vec<_>>().join(", ");
        let rows = [
            (r"stack: prod".to_owned(), 0),
            (r#""a-b_c/d\\e.f": "x@y:z w""#.to_owned(), 0),
            (r#""a@b": prod"#.to_owned(), 1),
            (r#""": prod"#.to_owned(), 1),
            (r#"stack: """#.to_owned(), 1),
            (r#"stack: " prod""#.to_owned(), 1),
            (r#"stack: "prod!""#.to_owned(), 1),
            (r#""größe": "größe""#.to_owned(), 2),
            (format!("{}: {}", long(128), long(128)), 0),
            (format!("{}: {}", long(129), long(129)), 2),
            (many(10), 0),
            (many(11), 1),
        ];
        for (attributes, count) in rows {
            assert_eq!(faults(&attributes), count, "{attributes}");
        }
    }
}
