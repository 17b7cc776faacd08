//! From a scenario to the plan of one platform: every name resolved, every number in range.
//!
//! Lowering says everything that is wrong at once, and hands out a plan only when nothing is; a run
//! never refuses its plan. Opens no file: the caller brings the request files or manifests that
//! each platform's pattern names.

mod capacity;
mod cluster;
mod demand;
mod images;
mod nodes;
mod pod_rules;
mod pods;
mod settings;
mod traces;

pub(crate) use images::matches;
pub use settings::calibration;
pub use traces::{Traced, Traces, first_pass};

use std::collections::BTreeMap;
use std::rc::Rc;

use super::calibration::Calibration;
use super::codes::Code;
use super::diagnostic::{Diagnostic, Severity, Source, quoted, sort, suggestion};
use super::schema::{Ecs, Eks, Platform, Scenario};
use super::text::Placed;
use crate::base::hash::Map;
use crate::base::token_bucket::{Refill, TokenBucket};
use crate::base::{Span, Timestamp};
use crate::catalog::limits::{EcsCalls, EcsQuotas};
use crate::catalog::{self, InstanceType, Region};
use crate::control::ecs::objects::Definitions;
use crate::control::ecs::placement::PlacementSettings;
use crate::sim::Plan;
use crate::sim::plan::{EcsSettings, Rates};
use crate::world::Registry;

/// When a scenario starts that does not say: 2026-03-02T00:00:00Z, a Monday.
const START: Timestamp = Timestamp::from_nanos(1_772_409_600_000_000_000);
/// A run is at most this long.
const RUN_MAX: Span = Span::seconds(366 * 86_400);
/// The first moment of the year 2501: no run gets there.
const CALENDAR_END: Timestamp = Timestamp::from_nanos(16_756_761_600 * 1_000_000_000);
/// The longest name of a scenario or a platform, in characters: file systems take 255 bytes.
const NAME_CHARS_MAX: usize = 60;
/// The most runs of one scenario: the outcome of each stays in memory.
pub const REPLICATIONS_MAX: u32 = 100_000;

/// What all parts of lowering share.
struct Lowering<'a> {
    scenario: &'a Scenario,
    /// The ECS cluster, where the platform is one.
    ecs: Option<&'a Ecs>,
    region: &'static Region,
    start: Timestamp,
    end: Timestamp,
    /// Zone names by subnet id, as far as they exist.
    zones: BTreeMap<String, String>,
    quotas: EcsQuotas,
    calibration: Calibration,
    definitions: Definitions,
    /// The type of each class of machines; none of those that stand on no bill.
    types: Vec<Option<&'static InstanceType>>,
    traces: &'a Traces,
    found: Vec<Diagnostic>,
}

impl Scenario {
    /// The platform of this name.
    ///
    /// # Errors
    /// A diagnostic without a place when there is none.
    pub fn platform(&self, name: &str) -> Result<(&Placed<String>, &Platform), String> {
        let known: Vec<&str> = self.platforms.keys().map(|name| name.as_str()).collect();
        self.platforms.get_key_value(name).ok_or_else(|| {
            let hint = suggestion(name, &known).unwrap_or(format!("known are {}", known.join(", ")));
            format!("there is no platform {name:?} in this scenario; {hint}")
        })
    }
}

/// Lowers one platform of a scenario without traces. `requests` are the files that its pattern matches,
/// in order: request files of ECS, or manifests.
pub fn lower(
    scenario: &Scenario,
    platform: &str,
    requests: &[Rc<Source>],
) -> (Option<Plan>, Vec<Diagnostic>) {
    lower_with(scenario, platform, requests, &Traces::new())
}

/// Lowers one platform of a scenario whose traces were read once.
pub fn lower_with(
    scenario: &Scenario,
    platform: &str,
    requests: &[Rc<Source>],
    traces: &Traces,
) -> (Option<Plan>, Vec<Diagnostic>) {
    let (name, platform) = scenario.platform(platform).expect("the caller asks for a platform that is there");
    let Some(region) = catalog::region(&scenario.region) else {
        let message = format!("unknown region {:?}", scenario.region.value);
        let wrong = Diagnostic::new(Code::UnknownRegion, scenario.region.place, message);
        let hint = catalog::nearest_region(&scenario.region).map(|near| format!("did you mean {near:?}?"));
        return (None, vec![Diagnostic { hint, ..wrong }]);
    };
    let mut found = Vec::new();
    let start = scenario.start.unwrap_or(START);
    let end = end(scenario, start, &mut found);
    found.extend(name_fault(&scenario.name, "scenario"));
    found.extend(name_fault(name, "platform"));
    found.extend(replications_fault(scenario));
    let (calibration, unknown) = calibration(scenario);
    found.extend(unknown);
    let mut lowering = Lowering {
        scenario,
        ecs: platform.ecs.as_ref().map(|ecs| &ecs.value),
        region,
        start,
        end,
        zones: BTreeMap::new(),
        quotas: settings::quotas(scenario, &mut found),
        calibration,
        definitions: Definitions::default(),
        types: Vec::new(),
        traces,
        found,
    };
    lowering.check_zones();
    let plan = lowering.plan((name, platform), requests);
    let mut found = lowering.found;
    sort(&mut found);
    let wrong = found.iter().any(|each| each.severity == Severity::Error);
    (plan.filter(|_| !wrong), found)
}

fn end(scenario: &Scenario, start: Timestamp, found: &mut Vec<Diagnostic>) -> Timestamp {
    let run_for = scenario.run_for.value;
    let place = scenario.run_for.place;
    if run_for == Span::ZERO {
        found.push(Diagnostic::new(Code::WrongValue, place, "a run that lasts no time shows nothing"));
    }
    let end = start.checked_add(run_for);
    let message = match end.filter(|end| *end < CALENDAR_END) {
        Some(end) if run_for <= RUN_MAX => return end,
        Some(_) => format!("a run of {run_for} is longer than {RUN_MAX}"),
        None => String::from("the run ends after the year 2500"),
    };
    found.push(Diagnostic::new(Code::RunTooLong, place, message));
    start
}

/// What is wrong with a name that a folder gets. Folders are named after scenarios and platforms, so their
/// names stay where they are.
pub(super) fn name_fault(name: &Placed<String>, of: &str) -> Option<Diagnostic> {
    let plain = |letter: char| !letter.is_control() && !"/\\:*?\"<>|".contains(letter);
    let length = name.chars().count();
    let fine = (1..=NAME_CHARS_MAX).contains(&length)
        && !name.starts_with('.')
        && name.trim() == name.as_str()
        && name.chars().all(plain);
    let message = format!("{} is no name for a {of}: a folder is called by it", quoted(name));
    let hint =
        format!("write 1 to {NAME_CHARS_MAX} letters, digits, hyphens, underscores or spaces between them");
    (!fine).then(|| Diagnostic::new(Code::WrongValue, name.place, message).hint(hint))
}

fn replications_fault(scenario: &Scenario) -> Option<Diagnostic> {
    let stated = scenario.replications?;
    let message = format!("{} replications are not between 1 and {REPLICATIONS_MAX}", stated.value);
    let fine = (1..=REPLICATIONS_MAX).contains(&stated.value);
    (!fine).then(|| Diagnostic::new(Code::WrongValue, stated.place, message))
}

impl<'a> Lowering<'a> {
    fn wrong(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Zones that the scenario names must exist; ids that it gives them too.
    fn check_zones(&mut self) {
        let region = self.region;
        let names: Vec<&str> = region.zones.iter().map(|zone| zone.name).collect();
        let ids: Vec<&str> = region.zones.iter().map(|zone| zone.id).collect();
        let unknown = |word: &Placed<String>, known: &[&str]| {
            let message = format!("{} has no zone {:?}", region.name, word.value);
            let wrong = Diagnostic::new(Code::UnknownZone, word.place, message);
            let hint = suggestion(word, known).unwrap_or(format!("known are {}", known.join(", ")));
            wrong.hint(hint)
        };
        for (name, id) in &self.scenario.zones {
            if !names.contains(&name.as_str()) {
                self.found.push(unknown(name, &names));
            }
            if !ids.contains(&id.as_str()) {
                let message = format!("{} has no zone with the id {:?}", region.name, id.value);
                let wrong = Diagnostic::new(Code::UnknownZone, id.place, message);
                let hint = suggestion(id, &ids);
                self.found.push(Diagnostic { hint, ..wrong });
            }
            let same = |other: &(&Placed<String>, &Placed<String>)| other.1 == id && other.0 < name;
            if let Some((other, _)) = self.scenario.zones.iter().find(same) {
                let message = format!("{} has the id {:?} already", other.value, id.value);
                self.found.push(Diagnostic::new(Code::WrongValue, id.place, message));
            }
        }
        for (subnet, zone) in &self.scenario.subnets {
            // The subnet is known all the same, so that nobody misses it as well.
            self.zones.insert(subnet.value.clone(), zone.value.clone());
            if !names.contains(&zone.as_str()) {
                self.found.push(unknown(zone, &names));
            }
        }
    }

    /// The id of a zone: the scenario's own mapping, else the catalogue's.
    fn zone_id(&self, zone: &str) -> Option<&'a str> {
        let own = self.scenario.zones.get(zone).map(|id| id.as_str());
        own.or_else(|| self.region.zone(zone).map(|zone| zone.id))
    }

    /// What an ECS platform states.
    fn ecs(&self) -> &'a Ecs {
        self.ecs.expect("only an ECS platform is asked")
    }

    fn plan(&mut self, (name, platform): (&Placed<String>, &Platform), files: &[Rc<Source>]) -> Option<Plan> {
        match (&platform.ecs, &platform.eks) {
            (Some(_), None) => self.ecs_plan(name, files),
            (None, Some(eks)) => self.eks_plan(name, eks, files),
            (None, None) => {
                let message = format!("{} is no cluster: it has neither `ecs` nor `eks`", name.value);
                let wrong = Diagnostic::new(Code::MissingKey, name.place, message);
                self.wrong(
                    wrong.hint(
                        "add `eks: { node_groups: { general: { instance_type: m7i.large, count: 3 } } }`",
                    ),
                );
                None
            }
            (Some(_), Some(eks)) => {
                let message = format!("{} has both `ecs` and `eks`", name.value);
                let wrong = Diagnostic::new(Code::WrongValue, eks.place, message);
                self.wrong(wrong.hint("a platform is one cluster; make two platforms of it"));
                None
            }
        }
    }

    fn ecs_plan(&mut self, name: &Placed<String>, requests: &[Rc<Source>]) -> Option<Plan> {
        let demand = self.demand(requests);
        let pools = self.capacity();
        self.check_fit(&pools);
        let containers = self.definitions.tasks.iter().flat_map(|task| task.containers.iter());
        let registry = self.registry(containers.map(|container| container.image).collect());
        let rates = self.rates(name, self.calibration.tuning.root_volume)?;
        let plan = self.base_plan(name, registry, rates);
        Some(Plan {
            pools,
            services: demand.services,
            arrivals: demand.arrivals,
            traces: demand.traces,
            takes: demand.takes,
            retries: demand.retries,
            ..plan
        })
    }

    fn eks_plan(&mut self, name: &Placed<String>, eks: &Placed<Eks>, files: &[Rc<Source>]) -> Option<Plan> {
        let (cluster, images) = self.cluster(eks, files);
        let registry = self.registry(images);
        let rates = self.rates(name, self.calibration.tuning.cluster.root_volume)?;
        let plan = self.base_plan(name, registry, rates);
        Some(Plan { kubernetes: Some(Box::new(cluster)), ..plan })
    }

    /// A plan in which nothing happens: settings, images, prices and definitions.
    fn base_plan(&mut self, name: &Placed<String>, registry: Registry, rates: Rates) -> Plan {
        let limited = self.scenario.account.api_limits.unwrap_or(true);
        let calls = EcsCalls::ClusterResourceModify.bucket();
        let calls = TokenBucket::new(u64::from(calls.burst), Refill::per_second(u64::from(calls.per_second)));
        let tuning = &self.calibration.tuning;
        Plan {
            scenario: self.scenario.name.value.clone(),
            platform: name.value.clone(),
            start: self.start,
            end: self.end,
            registry,
            pools: Vec::new(),
            services: Vec::new(),
            arrivals: Vec::new(),
            traces: Vec::new(),
            takes: Map::default(),
            retries: Map::default(),
            world: self.calibration.world(&self.quotas, limited),
            ecs: EcsSettings {
                scheduler: self.calibration.scheduler(),
                placement: PlacementSettings {
                    fargate_vcpus: Some(self.quotas.fargate_vcpus),
                    ..tuning.placement
                },
                agent: tuning.agent.into(),
                interface_attach: self.calibration.quantiles("ecs.task.awsvpc_extra"),
                interface_timeout: tuning.interface_timeout,
                interface_detach: tuning.interface_detach,
                retention: tuning.retention,
                volume_attach: tuning.volume_attach,
                token_memory: tuning.token_memory,
                run_task_bucket: limited.then_some(calls),
            },
            kubernetes: None,
            rates,
            definitions: std::mem::take(&mut self.definitions),
        }
    }
}
