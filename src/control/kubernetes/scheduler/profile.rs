//! From a configuration to profiles: which plugin stands at which point, in which order (K 2.1).
//!
//! A configuration adds to and takes from the default plugins, at all points at once or at one. Plugins
//! are made by name; a [`Registry`] may hold more than those of the original. Knows no JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::base::{Symbol, Symbols};
use crate::control::kubernetes::objects::{NodeTerm, SpreadConstraint};
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

/// The default plugins with their score weights, in order (K 2.1).
pub const DEFAULT_PLUGINS: [(&str, i64); 20] = [
    ("SchedulingGates", 0),
    ("PrioritySort", 0),
    ("NodeUnschedulable", 0),
    ("NodeName", 0),
    ("TaintToleration", 3),
    ("NodeAffinity", 2),
    ("NodePorts", 0),
    ("NodeResourcesFit", 1),
    ("VolumeRestrictions", 0),
    ("NodeVolumeLimits", 0),
    ("VolumeBinding", 0),
    ("VolumeZone", 0),
    ("PodTopologySpread", 2),
    ("InterPodAffinity", 2),
    ("DynamicResources", 2),
    ("DefaultPreemption", 0),
    ("NodeResourcesBalancedAllocation", 1),
    ("ImageLocality", 1),
    ("DefaultBinder", 0),
    ("NodeDeclaredFeatures", 0),
];

/// Plugins of the original that are built into the queue and into binding: they have no code of their own.
const BUILT_IN: [&str; 2] = ["PrioritySort", "DefaultBinder"];

/// One profile of a configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the points of K 2.1")]
pub struct ProfileSettings {
    /// `schedulerName`.
    pub name: Symbol,
    /// `percentageOfNodesToScore`, of the profile or else of the whole scheduler; 0 adapts.
    pub percentage: i32,
    /// All points at once; the default plugins are implied.
    pub multi_point: PointSettings,
    pub pre_enqueue: PointSettings,
    pub pre_filter: PointSettings,
    pub filter: PointSettings,
    pub post_filter: PointSettings,
    pub pre_score: PointSettings,
    pub score: PointSettings,
    pub reserve: PointSettings,
    /// What plugins are told.
    pub arguments: Arguments,
}

/// What a configuration says about one point.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PointSettings {
    /// Plugins that stand here, with their score weight; 0 when none is given.
    pub enabled: Vec<(String, i64)>,
    /// Plugins that do not; `*` for all that are not enabled here.
    pub disabled: Vec<String>,
}

/// The arguments of the plugins that have any (`pluginConfig`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arguments {
    /// `NodeAffinityArgs.addedAffinity`, required.
    pub added_required: Option<Box<[NodeTerm]>>,
    /// `NodeAffinityArgs.addedAffinity`, preferred.
    pub added_preferred: Box<[(i32, NodeTerm)]>,
    /// `NodeResourcesFitArgs.scoringStrategy`: how.
    pub fit_strategy: Strategy,
    /// `NodeResourcesFitArgs.scoringStrategy`: what, with weights.
    pub fit_resources: Vec<(Resource, i64)>,
    /// `NodeResourcesFitArgs.ignoredResources`.
    pub fit_ignored: Vec<Symbol>,
    /// `NodeResourcesFitArgs.ignoredResourceGroups`.
    pub fit_ignored_groups: Vec<Box<str>>,
    /// `NodeResourcesBalancedAllocationArgs.resources`.
    pub balanced_resources: Vec<Resource>,
    /// `PodTopologySpreadArgs.defaultConstraints`; none for those of the system.
    pub spread_defaults: Option<Vec<SpreadConstraint>>,
    /// `InterPodAffinityArgs.hardPodAffinityWeight`.
    pub hard_pod_affinity_weight: i32,
    /// `InterPodAffinityArgs.ignorePreferredTermsOfExistingPods`.
    pub ignores_preferred_of_existing: bool,
    /// `DefaultPreemptionArgs`.
    pub preemption: PreemptionSettings,
}

impl Default for Arguments {
    fn default() -> Self {
        let fit = NodeResourcesFit::default();
        Arguments {
            added_required: None,
            added_preferred: Box::default(),
            fit_strategy: fit.strategy,
            fit_resources: fit.resources,
            fit_ignored: fit.ignored,
            fit_ignored_groups: fit.ignored_groups,
            balanced_resources: NodeResourcesBalancedAllocation::default().resources,
            spread_defaults: None,
            hard_pod_affinity_weight: 1,
            ignores_preferred_of_existing: false,
            preemption: PreemptionSettings::default(),
        }
    }
}

/// Why a configuration gives no profile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProfileError {
    /// Nobody knows this plugin.
    Unknown(String),
    /// The plugin is named twice at a point.
    Twice(String),
    /// The plugin does not stand at the point at which it is enabled.
    WrongPoint(String),
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProfileError::Unknown(plugin) => write!(f, "there is no plugin {plugin:?}"),
            ProfileError::Twice(plugin) => write!(f, "plugin {plugin:?} is enabled twice"),
            ProfileError::WrongPoint(plugin) => {
                write!(f, "plugin {plugin:?} does not stand at a point at which it is enabled")
            }
        }
    }
}

impl std::error::Error for ProfileError {}

/// Makes a plugin.
pub type Maker = fn(&Arguments, &mut Symbols) -> Box<dyn Plugin>;

/// Plugins by name.
///
/// ```
/// use windtunnel::base::Symbols;
/// use windtunnel::control::kubernetes::scheduler::profile::{ProfileSettings, Registry};
/// let mut symbols = Symbols::default();
/// let settings = ProfileSettings::of_default(symbols.intern("default-scheduler"));
/// let profile = Registry::default().profile(&settings, &mut symbols).unwrap();
/// assert_eq!(profile.order.score.iter().map(|&(_, weight)| weight).max(), Some(3));
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    makers: BTreeMap<&'static str, Maker>,
}

impl Default for Registry {
    fn default() -> Self {
        let makers: [(&'static str, Maker); _] = [
            ("SchedulingGates", |_, _| Box::new(SchedulingGates)),
            ("NodeUnschedulable", |_, _| Box::new(NodeUnschedulable)),
            ("NodeName", |_, _| Box::new(NodeName)),
            ("TaintToleration", |_, _| Box::new(TaintToleration)),
            ("NodeAffinity", |told, _| Box::new(node_affinity(told))),
            ("NodePorts", |_, _| Box::new(NodePorts)),
            ("NodeResourcesFit", |told, _| Box::new(node_resources_fit(told))),
            ("VolumeRestrictions", |_, _| Box::new(VolumeRestrictions::default())),
            ("NodeVolumeLimits", |_, _| Box::new(NodeVolumeLimits)),
            ("VolumeBinding", |_, _| Box::new(VolumeBinding::default())),
            ("VolumeZone", |_, _| Box::new(VolumeZone::default())),
            ("PodTopologySpread", |told, symbols| Box::new(pod_topology_spread(told, symbols))),
            ("InterPodAffinity", |told, _| Box::new(inter_pod_affinity(told))),
            ("DynamicResources", |_, _| Box::new(DynamicResources::default())),
            ("DefaultPreemption", |told, _| Box::new(DefaultPreemption { settings: told.preemption })),
            ("NodeResourcesBalancedAllocation", |told, _| Box::new(balanced_allocation(told))),
            ("ImageLocality", |_, _| Box::new(ImageLocality)),
            ("NodeDeclaredFeatures", |_, _| Box::new(NodeDeclaredFeatures)),
        ];
        Registry { makers: makers.into() }
    }
}

impl Registry {
    /// Adds a plugin, or puts another one in the place of a plugin of this name.
    pub fn add(&mut self, name: &'static str, maker: Maker) {
        self.makers.insert(name, maker);
    }

    /// Whether there is a plugin of this name.
    pub fn knows(&self, name: &str) -> bool {
        self.makers.contains_key(name)
    }

    /// Makes a profile.
    ///
    /// # Errors
    /// A plugin that nobody knows, that is named twice, or that stands elsewhere.
    pub fn profile(
        &self,
        settings: &ProfileSettings,
        symbols: &mut Symbols,
    ) -> Result<Profile, ProfileError> {
        let multi_point = merged(&DEFAULT_PLUGINS, &settings.multi_point);
        let own_points = [
            &settings.pre_enqueue,
            &settings.pre_filter,
            &settings.filter,
            &settings.post_filter,
            &settings.pre_score,
            &settings.score,
            &settings.reserve,
        ];
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in multi_point.iter().chain(own_points.iter().flat_map(|point| &point.enabled)) {
            if !names.contains(&name.as_str()) && !BUILT_IN.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let mut plugins = Vec::with_capacity(names.len());
        for name in names {
            let maker = self.makers.get(name).ok_or_else(|| ProfileError::Unknown(name.to_owned()))?;
            plugins.push(maker(&settings.arguments, symbols));
        }
        let at = |point: &PointSettings, stands: fn(&Points) -> bool| {
            standing(&plugins, &multi_point, point, stands)
        };
        let score = at(&settings.score, |points| points.score)?;
        let order = Order {
            pre_enqueue: at(&settings.pre_enqueue, |points| points.pre_enqueue)?,
            pre_filter: at(&settings.pre_filter, |points| points.pre_filter)?,
            filter: at(&settings.filter, |points| points.filter)?,
            post_filter: at(&settings.post_filter, |points| points.post_filter)?,
            pre_score: at(&settings.pre_score, |points| points.pre_score)?,
            score: weighed(&plugins, score, &settings.score.enabled, &multi_point),
            reserve: at(&settings.reserve, |points| points.reserve)?,
        };
        Ok(Profile::new(settings.name, settings.percentage, plugins, order))
    }
}

impl ProfileSettings {
    /// The default profile under this name.
    pub fn of_default(name: Symbol) -> Self {
        ProfileSettings {
            name,
            percentage: 0,
            multi_point: PointSettings::default(),
            pre_enqueue: PointSettings::default(),
            pre_filter: PointSettings::default(),
            filter: PointSettings::default(),
            post_filter: PointSettings::default(),
            pre_score: PointSettings::default(),
            score: PointSettings::default(),
            reserve: PointSettings::default(),
            arguments: Arguments::default(),
        }
    }
}

/// The default plugins, less those that are disabled; one that is enabled again keeps its place and gets
/// the new weight, new ones follow.
fn merged(defaults: &[(&str, i64)], custom: &PointSettings) -> Vec<(String, i64)> {
    let mut merged = Vec::new();
    let mut replaced = BTreeSet::new();
    if !custom.disabled.iter().any(|name| name == "*") {
        for &(name, weight) in defaults {
            if custom.disabled.iter().any(|disabled| disabled == name) {
                continue;
            }
            mark!("K 2.1 a default plugin that is enabled again keeps its place");
            let again = custom.enabled.iter().rposition(|(enabled, _)| enabled == name);
            replaced.extend(again);
            merged.push((name.to_owned(), again.map_or(weight, |place| custom.enabled[place].1)));
        }
    }
    let new = custom.enabled.iter().enumerate().filter(|(place, _)| !replaced.contains(place));
    merged.extend(new.map(|(_, plugin)| plugin.clone()));
    merged
}

/// The plugins at one point, in order, by place: those that stand at all points and are named here once
/// more, the others that stand at all points, and those that are named here alone.
fn standing(
    plugins: &[Box<dyn Plugin>],
    multi_point: &[(String, i64)],
    point: &PointSettings,
    stands: fn(&Points) -> bool,
) -> Result<Vec<usize>, ProfileError> {
    let place = |name: &str| plugins.iter().position(|plugin| plugin.name() == name);
    let mut named = Vec::new();
    for (name, _) in &point.enabled {
        let own = place(name).filter(|&own| stands(&plugins[own].points()));
        let own = own.ok_or_else(|| ProfileError::WrongPoint(name.clone()))?;
        if named.contains(&own) {
            return Err(ProfileError::Twice(name.clone()));
        }
        named.push(own);
    }
    let disabled = |name: &str| point.disabled.iter().any(|disabled| disabled == name);
    if disabled("*") {
        mark!("K 2.1 a star leaves only what is enabled at the point");
        return Ok(named);
    }
    let (mut both, mut multi) = (Vec::new(), Vec::new());
    for (name, _) in multi_point {
        let Some(own) = place(name).filter(|&own| stands(&plugins[own].points())) else { continue };
        if disabled(name) {
            continue;
        }
        let list = if named.contains(&own) { &mut both } else { &mut multi };
        if list.contains(&own) {
            return Err(ProfileError::Twice(name.clone()));
        }
        list.push(own);
    }
    mark!("K 2.1 plugins that are named at the point come first if they stand everywhere, else last");
    let (mut order, last): (Vec<usize>, Vec<usize>) = named.into_iter().partition(|own| both.contains(own));
    order.extend(multi);
    order.extend(last);
    Ok(order)
}

/// Gives each score plugin its weight: the one at the point before the one for all points, and 1 for none.
fn weighed(
    plugins: &[Box<dyn Plugin>],
    order: Vec<usize>,
    point: &[(String, i64)],
    multi_point: &[(String, i64)],
) -> Vec<(usize, i64)> {
    let weight = |place: usize| {
        let name = plugins[place].name();
        let mut stated = point.iter().chain(multi_point).filter(|(other, _)| other == name);
        stated.next().map(|&(_, weight)| weight).filter(|&weight| weight != 0).unwrap_or(1)
    };
    order.into_iter().map(|place| (place, weight(place))).collect()
}

fn node_affinity(told: &Arguments) -> NodeAffinity {
    NodeAffinity {
        added_required: told.added_required.clone(),
        added_preferred: told.added_preferred.clone(),
    }
}

fn node_resources_fit(told: &Arguments) -> NodeResourcesFit {
    NodeResourcesFit {
        strategy: told.fit_strategy.clone(),
        resources: told.fit_resources.clone(),
        ignored: told.fit_ignored.clone(),
        ignored_groups: told.fit_ignored_groups.clone(),
    }
}

fn pod_topology_spread(told: &Arguments, symbols: &mut Symbols) -> PodTopologySpread {
    match &told.spread_defaults {
        None => PodTopologySpread::system_defaults(symbols),
        Some(list) => PodTopologySpread::new(list.clone(), false),
    }
}

fn inter_pod_affinity(told: &Arguments) -> InterPodAffinity {
    InterPodAffinity::new(told.hard_pod_affinity_weight, told.ignores_preferred_of_existing)
}

fn balanced_allocation(told: &Arguments) -> NodeResourcesBalancedAllocation {
    NodeResourcesBalancedAllocation { resources: told.balanced_resources.clone() }
}
