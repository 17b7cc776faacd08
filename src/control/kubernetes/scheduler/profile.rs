//! From a configuration to profiles: plugins are made, and stand at their points in order (K 2.1).
//!
//! A [`Registry`] says who makes each plugin; it may hold others than those of the original, and more.
//! What a configuration enables and disables is known to [`config`].

use std::collections::BTreeMap;

use crate::base::{Span, Symbol, Symbols};
use crate::control::kubernetes::api::config::{self, Arguments, Configuration, Plugin as Name, Point};
use crate::mark;

use super::framework::{Order, Plugin, Points, Profile};
use super::plugins::default_preemption::DefaultPreemption;
use super::plugins::dynamic_resources::DynamicResources;
use super::plugins::image_locality::ImageLocality;
use super::plugins::inter_pod_affinity::InterPodAffinity;
use super::plugins::node_affinity::NodeAffinity;
use super::plugins::node_declared_features::NodeDeclaredFeatures;
use super::plugins::node_name::NodeName;
use super::plugins::node_ports::NodePorts;
use super::plugins::node_resources_balanced_allocation::NodeResourcesBalancedAllocation;
use super::plugins::node_resources_fit::{NodeResourcesFit, Resource, Strategy};
use super::plugins::node_unschedulable::NodeUnschedulable;
use super::plugins::node_volume_limits::NodeVolumeLimits;
use super::plugins::pod_topology_spread::PodTopologySpread;
use super::plugins::scheduling_gates::SchedulingGates;
use super::plugins::taint_toleration::TaintToleration;
use super::plugins::volume_binding::VolumeBinding;
use super::plugins::volume_restrictions::VolumeRestrictions;
use super::plugins::volume_zone::VolumeZone;
use super::preemption::PreemptionSettings;
use super::queue::QueueSettings;

/// Makes a plugin from the arguments of a profile.
pub type Maker = fn(&Arguments, &mut Symbols) -> Box<dyn Plugin>;

/// Who makes the plugins.
///
/// ```
/// use windtunnel::base::Symbols;
/// use windtunnel::control::kubernetes::api::config::Configuration;
/// use windtunnel::control::kubernetes::scheduler::profile::Registry;
/// let mut symbols = Symbols::default();
/// let configuration = Configuration::standard(&mut symbols);
/// let profiles = Registry::default().profiles(&configuration, &mut symbols);
/// assert_eq!(profiles[0].order.score.iter().map(|&(_, weight)| weight).max(), Some(3));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    others: BTreeMap<Name, Maker>,
    foreign: Vec<(Maker, i64)>,
}

impl Registry {
    /// Puts another plugin in the place of one of the original.
    pub fn replace(&mut self, name: Name, maker: Maker) {
        self.others.insert(name, maker);
    }

    /// Adds a plugin that the original does not have: it stands last at each of its points, and its score
    /// has this weight.
    pub fn add(&mut self, maker: Maker, weight: i64) {
        self.foreign.push((maker, weight));
    }

    /// The profiles of a configuration.
    pub fn profiles(&self, configuration: &Configuration, symbols: &mut Symbols) -> Vec<Profile> {
        let whole = configuration.nodes_to_score_percent;
        configuration.profiles.iter().map(|profile| self.profile(profile, whole, symbols)).collect()
    }

    fn profile(&self, profile: &config::Profile, percentage: i32, symbols: &mut Symbols) -> Profile {
        let mut plugins: Vec<Box<dyn Plugin>> = Vec::new();
        let mut places: BTreeMap<Name, usize> = BTreeMap::new();
        for &name in Name::ALL {
            let stands = name.points().iter().any(|&point| profile.at(point).any(|(other, _)| other == name));
            let maker = self.others.get(&name).copied().or_else(|| maker(name)).filter(|_| stands);
            if let Some(maker) = maker {
                places.insert(name, plugins.len());
                plugins.push(maker(&profile.arguments, symbols));
            }
        }
        let mut weights = vec![0; plugins.len()];
        for &(maker, weight) in &self.foreign {
            plugins.push(maker(&profile.arguments, symbols));
            weights.push(weight);
        }
        let foreign = |stands: fn(&Points) -> bool| {
            let range = places.len()..plugins.len();
            range.filter(|&place| stands(&plugins[place].points())).collect::<Vec<_>>()
        };
        let at = |point: Point, stands: fn(&Points) -> bool| {
            let own = profile.at(point).filter_map(|(name, _)| places.get(&name).copied());
            own.chain(foreign(stands)).collect::<Vec<_>>()
        };
        mark!("K 2.1 the order of a point is that of the configuration");
        let score = profile
            .at(Point::Score)
            .filter_map(|(name, weight)| Some((*places.get(&name)?, i64::from(weight))))
            .chain(foreign(|points| points.score).into_iter().map(|place| (place, weights[place])))
            .collect();
        let order = Order {
            pre_enqueue: at(Point::PreEnqueue, |points| points.pre_enqueue),
            pre_filter: at(Point::PreFilter, |points| points.pre_filter),
            filter: at(Point::Filter, |points| points.filter),
            post_filter: at(Point::PostFilter, |points| points.post_filter),
            pre_score: at(Point::PreScore, |points| points.pre_score),
            score,
            reserve: at(Point::Reserve, |points| points.reserve),
        };
        let percentage = profile.nodes_to_score_percent.unwrap_or(percentage);
        Profile::new(profile.scheduler_name, percentage, plugins, order)
    }
}

/// How pods wait, by a configuration.
pub fn queue_settings(configuration: &Configuration) -> QueueSettings {
    let seconds = |seconds: i64| Span::seconds(u64::try_from(seconds).unwrap_or(0).max(1));
    QueueSettings {
        backoff_first: seconds(configuration.backoff_initial_s),
        backoff_max: seconds(configuration.backoff_max_s),
        ..QueueSettings::default()
    }
}

/// Who makes a plugin of the original; the order of the queue and the binding are built in.
fn maker(name: Name) -> Option<Maker> {
    Some(match name {
        Name::PrioritySort | Name::DefaultBinder => return None,
        Name::SchedulingGates => |_, _| Box::new(SchedulingGates),
        Name::NodeUnschedulable => |_, _| Box::new(NodeUnschedulable),
        Name::NodeName => |_, _| Box::new(NodeName),
        Name::TaintToleration => |_, _| Box::new(TaintToleration),
        Name::NodeAffinity => |told, _| Box::new(node_affinity(told)),
        Name::NodePorts => |_, _| Box::new(NodePorts),
        Name::NodeResourcesFit => |told, symbols| Box::new(node_resources_fit(told, symbols)),
        Name::VolumeRestrictions => |_, _| Box::new(VolumeRestrictions::default()),
        Name::NodeVolumeLimits => |_, _| Box::new(NodeVolumeLimits),
        Name::VolumeBinding => |_, _| Box::new(VolumeBinding::default()),
        Name::VolumeZone => |_, _| Box::new(VolumeZone::default()),
        Name::PodTopologySpread => |told, symbols| Box::new(pod_topology_spread(told, symbols)),
        Name::InterPodAffinity => |told, _| Box::new(inter_pod_affinity(told)),
        Name::DynamicResources => |_, _| Box::new(DynamicResources::default()),
        Name::DefaultPreemption => |told, _| Box::new(default_preemption(told)),
        Name::NodeResourcesBalancedAllocation => |told, symbols| Box::new(balanced(told, symbols)),
        Name::ImageLocality => |_, _| Box::new(ImageLocality),
        Name::NodeDeclaredFeatures => |_, _| Box::new(NodeDeclaredFeatures),
    })
}

fn node_affinity(told: &Arguments) -> NodeAffinity {
    NodeAffinity {
        added_required: told.added_affinity.clone(),
        added_preferred: told.added_preferred.clone(),
    }
}

fn node_resources_fit(told: &Arguments, symbols: &Symbols) -> NodeResourcesFit {
    let strategy = match &told.fit.strategy {
        config::Strategy::LeastAllocated => Strategy::LeastAllocated,
        config::Strategy::MostAllocated => Strategy::MostAllocated,
        config::Strategy::RequestedToCapacityRatio(points) => {
            mark!("K 2.10 points of a shape are scaled by ten");
            let scaled = points.iter().map(|&(used, score)| (i64::from(used), i64::from(score) * 10));
            Strategy::RequestedToCapacityRatio(scaled.collect())
        }
    };
    NodeResourcesFit {
        strategy,
        resources: told
            .fit
            .resources
            .iter()
            .map(|&(name, weight)| (resource(name, symbols), weight))
            .collect(),
        ignored: told.fit.ignored.to_vec(),
        ignored_groups: told.fit.ignored_groups.iter().map(|&group| symbols.text(group).into()).collect(),
    }
}

fn balanced(told: &Arguments, symbols: &Symbols) -> NodeResourcesBalancedAllocation {
    let resources = told.balanced.iter().map(|&(name, _)| resource(name, symbols)).collect();
    NodeResourcesBalancedAllocation { resources }
}

fn pod_topology_spread(told: &Arguments, symbols: &mut Symbols) -> PodTopologySpread {
    match &told.default_constraints {
        None => PodTopologySpread::system_defaults(symbols),
        Some(list) => PodTopologySpread::new(list.to_vec(), false),
    }
}

fn inter_pod_affinity(told: &Arguments) -> InterPodAffinity {
    InterPodAffinity::new(told.hard_affinity_weight, told.ignores_preferred_of_existing)
}

fn default_preemption(told: &Arguments) -> DefaultPreemption {
    let (percentage, absolute) = (told.candidates_min_percent, told.candidates_min);
    DefaultPreemption { settings: PreemptionSettings { percentage, absolute } }
}

fn resource(name: Symbol, symbols: &Symbols) -> Resource {
    match symbols.text(name) {
        "cpu" => Resource::Cpu,
        "memory" => Resource::Memory,
        "ephemeral-storage" => Resource::EphemeralStorage,
        _ => Resource::Extended(name),
    }
}
