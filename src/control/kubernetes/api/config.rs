//! `KubeSchedulerConfiguration`: profiles, their plugins in order, and the arguments of plugins, with
//! the defaults of the original applied.
//!
//! Which plugin has which extension point is the table of K 2.1. Knows nothing of what plugins do.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::base::{Symbol, Symbols};
use crate::control::kubernetes::objects::{NodeTerm, SpreadConstraint};
use crate::mark;

use super::error::ApiError;
use super::pod::spread_constraint;
use super::pod_shape::{NodeAffinity, SpreadShape};
use super::selectors::{node_term, node_terms};
use super::shape::shape;

/// What a scheduler is told at its start.
///
/// ```
/// use windtunnel::base::Symbols;
/// use windtunnel::control::kubernetes::api::config::{Configuration, Plugin, Point};
/// let document = serde_json::json!({"profiles": [{"plugins": {"filter": {"disabled": [{"name": "NodePorts"}]}}}]});
/// let configuration = Configuration::read(&document, &mut Symbols::default()).expect("it is valid");
/// let profile = &configuration.profiles[0];
/// assert!(!profile.at(Point::Filter).any(|(plugin, _)| plugin == Plugin::NodePorts));
/// assert!(profile.at(Point::PreFilter).any(|(plugin, _)| plugin == Plugin::NodePorts));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Configuration {
    /// One for each scheduler name.
    pub profiles: Vec<Profile>,
    /// Which share of the nodes to score, in percent; 0 adapts to their number.
    pub nodes_to_score_percent: i32,
    /// The first backoff of a pod, in seconds.
    pub backoff_initial_s: i64,
    /// The longest backoff of a pod, in seconds.
    pub backoff_max_s: i64,
}

/// How pods of one scheduler name are scheduled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    /// The name that pods give.
    pub scheduler_name: Symbol,
    /// As in the configuration, for this profile alone.
    pub nodes_to_score_percent: Option<i32>,
    /// The arguments of its plugins.
    pub arguments: Arguments,
    plugins: Vec<(Point, Vec<(Plugin, i32)>)>,
}

/// An extension point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "points of the API")]
pub enum Point {
    PreEnqueue,
    QueueSort,
    PreFilter,
    Filter,
    PostFilter,
    PreScore,
    Score,
    Reserve,
    Permit,
    PreBind,
    Bind,
    PostBind,
}

macro_rules! plugins {
    ($($name:ident $weight:literal [$($point:ident)*],)*) => {
        /// A plugin of the original, in the order of the default profile.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[expect(missing_docs, reason = "plugins of the original")]
        pub enum Plugin { $($name),* }

        impl Plugin {
            /// All of them, in the order of the default profile.
            pub const ALL: &[Plugin] = &[$(Plugin::$name),*];

            /// As the original names it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Plugin::$name => stringify!($name)),* }
            }

            /// The extension points that it has.
            pub const fn points(self) -> &'static [Point] {
                match self { $(Plugin::$name => &[$(Point::$point),*]),* }
            }

            /// Its weight in the default profile; 0 for none.
            const fn weight(self) -> i32 {
                match self { $(Plugin::$name => $weight),* }
            }
        }
    };
}

plugins! {
    SchedulingGates 0 [PreEnqueue],
    PrioritySort 0 [QueueSort],
    NodeUnschedulable 0 [Filter],
    NodeName 0 [Filter],
    TaintToleration 3 [Filter PreScore Score],
    NodeAffinity 2 [PreFilter Filter PreScore Score],
    NodePorts 0 [PreFilter Filter],
    NodeResourcesFit 1 [PreFilter Filter PreScore Score],
    VolumeRestrictions 0 [PreFilter Filter],
    NodeVolumeLimits 0 [PreFilter Filter],
    VolumeBinding 0 [PreFilter Filter Reserve PreBind],
    VolumeZone 0 [PreFilter Filter],
    PodTopologySpread 2 [PreFilter Filter PreScore Score],
    InterPodAffinity 2 [PreFilter Filter PreScore Score],
    DynamicResources 2 [PreEnqueue PreFilter Filter PostFilter Score Reserve PreBind],
    DefaultPreemption 0 [PreEnqueue PostFilter],
    NodeResourcesBalancedAllocation 1 [PreScore Score],
    ImageLocality 1 [Score],
    DefaultBinder 0 [Bind],
    NodeDeclaredFeatures 0 [PreFilter Filter],
}

/// The arguments of the plugins that take some.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arguments {
    /// `NodeResourcesFit`.
    pub fit: Fit,
    /// `NodeResourcesBalancedAllocation`: resources and weights.
    pub balanced: Box<[(Symbol, i64)]>,
    /// `NodeAffinity.addedAffinity`, required.
    pub added_affinity: Option<Box<[NodeTerm]>>,
    /// `NodeAffinity.addedAffinity`, preferred, with weights.
    pub added_preferred: Box<[(i32, NodeTerm)]>,
    /// `PodTopologySpread.defaultConstraints`; none for those of the system.
    pub default_constraints: Option<Box<[SpreadConstraint]>>,
    /// `InterPodAffinity.hardPodAffinityWeight`.
    pub hard_affinity_weight: i32,
    /// `InterPodAffinity.ignorePreferredTermsOfExistingPods`.
    pub ignores_preferred_of_existing: bool,
    /// `DefaultPreemption.minCandidateNodesPercentage`.
    pub candidates_min_percent: i32,
    /// `DefaultPreemption.minCandidateNodesAbsolute`.
    pub candidates_min: i32,
}

/// The arguments of `NodeResourcesFit`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fit {
    /// How nodes are scored.
    pub strategy: Strategy,
    /// Which resources count, with weights.
    pub resources: Box<[(Symbol, i64)]>,
    /// Extended resources that are not filtered by.
    pub ignored: Box<[Symbol]>,
    /// Groups (`example.com`) of such resources.
    pub ignored_groups: Box<[Symbol]>,
}

/// A scoring strategy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// Emptier nodes are better.
    LeastAllocated,
    /// Fuller nodes are better.
    MostAllocated,
    /// By these points: utilization in percent, and score from 0 to 10.
    RequestedToCapacityRatio(Box<[(i32, i32)]>),
}

shape! {
    ConfigurationShape {
        profiles: Vec<ProfileShape<'a>>,
        percentage_of_nodes_to_score: Option<i32>,
        pod_initial_backoff_seconds: Option<i64>,
        pod_max_backoff_seconds: Option<i64>,
    }
}

shape! {
    ProfileShape {
        scheduler_name: &'a str,
        percentage_of_nodes_to_score: Option<i32>,
        plugins: PluginsShape<'a>,
        plugin_config: Vec<PluginConfig<'a>>,
    }
}

shape! {
    PluginsShape {
        multi_point: Set<'a>,
        pre_enqueue: Set<'a>,
        queue_sort: Set<'a>,
        pre_filter: Set<'a>,
        filter: Set<'a>,
        post_filter: Set<'a>,
        pre_score: Set<'a>,
        score: Set<'a>,
        reserve: Set<'a>,
        permit: Set<'a>,
        pre_bind: Set<'a>,
        bind: Set<'a>,
        post_bind: Set<'a>,
    }
}

shape! {
    Set {
        enabled: Vec<Named<'a>>,
        disabled: Vec<Named<'a>>,
    }
}

shape! {
    Named {
        name: &'a str,
        weight: i32,
    }
}

shape! {
    PluginConfig {
        name: &'a str,
        args: ArgumentsShape<'a>,
    }
}

shape! {
    /// The arguments of all plugins: no two of them share a field of different meaning.
    ArgumentsShape {
        scoring_strategy: StrategyShape<'a>,
        ignored_resources: Vec<&'a str>,
        ignored_resource_groups: Vec<&'a str>,
        resources: Vec<Named<'a>>,
        added_affinity: NodeAffinity<'a>,
        default_constraints: Vec<SpreadShape<'a>>,
        defaulting_type: &'a str,
        hard_pod_affinity_weight: Option<i32>,
        ignore_preferred_terms_of_existing_pods: bool,
        min_candidate_nodes_percentage: Option<i32>,
        min_candidate_nodes_absolute: Option<i32>,
    }
}

shape! {
    StrategyShape {
        r#type: &'a str,
        resources: Vec<Named<'a>>,
        requested_to_capacity_ratio: Ratio<'a>,
    }
}

shape! {
    Ratio {
        shape: Vec<ShapePoint<'a>>,
    }
}

shape! {
    ShapePoint {
        utilization: i32,
        score: i32,
    }
}

impl Configuration {
    /// The configuration of a scheduler that is told nothing.
    pub fn standard(symbols: &mut Symbols) -> Self {
        let nothing = Value::Object(serde_json::Map::new());
        Configuration::read(&nothing, symbols).expect("nothing is valid")
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// The first mistake.
    pub fn read(document: &Value, symbols: &mut Symbols) -> Result<Self, ApiError> {
        let mut shape: ConfigurationShape<'_> = super::read_shape(document)?;
        if shape.profiles.is_empty() {
            shape.profiles.push(ProfileShape::default());
        }
        let alone = shape.profiles.len() == 1;
        let mut profiles: Vec<Profile> = Vec::new();
        for (index, profile) in shape.profiles.iter().enumerate() {
            let at =
                |error: ApiError| ApiError { path: format!("profiles[{index}].{}", error.path), ..error };
            let profile = Profile::read(profile, alone, symbols).map_err(at)?;
            if profiles.iter().any(|other| other.scheduler_name == profile.scheduler_name) {
                return Err(at(ApiError::new("schedulerName", "another profile has this name")));
            }
            profiles.push(profile);
        }
        Ok(Configuration {
            profiles,
            nodes_to_score_percent: shape.percentage_of_nodes_to_score.unwrap_or(0),
            backoff_initial_s: shape.pod_initial_backoff_seconds.unwrap_or(1),
            backoff_max_s: shape.pod_max_backoff_seconds.unwrap_or(10),
        })
    }

    /// The profile for a scheduler name.
    pub fn profile(&self, scheduler_name: Symbol) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.scheduler_name == scheduler_name)
    }
}

impl Profile {
    /// The plugins of an extension point in order, each with its weight (of use for scores alone).
    pub fn at(&self, point: Point) -> impl Iterator<Item = (Plugin, i32)> {
        self.plugins.iter().filter(move |(each, _)| *each == point).flat_map(|(_, plugins)| plugins.clone())
    }

    fn read(shape: &ProfileShape<'_>, alone: bool, symbols: &mut Symbols) -> Result<Self, ApiError> {
        let scheduler_name = match (shape.scheduler_name, alone) {
            ("", true) => "default-scheduler",
            ("", false) => {
                return Err(ApiError::new("schedulerName", "each of several profiles needs a name"));
            }
            (name, _) => name,
        };
        Ok(Profile {
            scheduler_name: symbols.intern(scheduler_name),
            nodes_to_score_percent: shape.percentage_of_nodes_to_score,
            arguments: Arguments::read(&shape.plugin_config, symbols)?,
            plugins: plugins(&shape.plugins)?,
        })
    }
}

// ---------------------------------------------------------------------------------------------------
// Plugins: the defaults, with what is enabled and disabled.

type Weighted = Vec<(Plugin, i32)>;

fn plugins(shape: &PluginsShape<'_>) -> Result<Vec<(Point, Weighted)>, ApiError> {
    let everywhere = merged(&shape.multi_point)?;
    let points = [
        (Point::PreEnqueue, "preEnqueue", &shape.pre_enqueue),
        (Point::QueueSort, "queueSort", &shape.queue_sort),
        (Point::PreFilter, "preFilter", &shape.pre_filter),
        (Point::Filter, "filter", &shape.filter),
        (Point::PostFilter, "postFilter", &shape.post_filter),
        (Point::PreScore, "preScore", &shape.pre_score),
        (Point::Score, "score", &shape.score),
        (Point::Reserve, "reserve", &shape.reserve),
        (Point::Permit, "permit", &shape.permit),
        (Point::PreBind, "preBind", &shape.pre_bind),
        (Point::Bind, "bind", &shape.bind),
        (Point::PostBind, "postBind", &shape.post_bind),
    ];
    let mut found = Vec::with_capacity(points.len());
    for (point, name, set) in points {
        let at = |error: ApiError| ApiError { path: format!("plugins.{name}.{}", error.path), ..error };
        found.push((point, expanded(point, set, &everywhere).map_err(at)?));
    }
    Ok(found)
}

/// The plugins of all points: the defaults that are not disabled, re-weighed in place, then the others.
fn merged(set: &Set<'_>) -> Result<Weighted, ApiError> {
    let at = |error: ApiError| ApiError { path: format!("plugins.multiPoint.{}", error.path), ..error };
    let own = listed(&set.enabled).map_err(at)?;
    let off: BTreeSet<&str> = set.disabled.iter().map(|each| each.name).collect();
    let mut found = Vec::new();
    if !off.contains("*") {
        for &plugin in Plugin::ALL.iter().filter(|plugin| !off.contains(plugin.as_str())) {
            mark!("K 2.1 a default plugin that is enabled again keeps its place");
            let again = own.iter().rev().find(|(known, _)| *known == plugin);
            found.push(again.copied().unwrap_or((plugin, plugin.weight())));
        }
    }
    for &(plugin, weight) in &own {
        if !found.iter().any(|(known, _)| *known == plugin) {
            found.push((plugin, weight));
        }
    }
    Ok(found)
}

/// The plugins of one point: those of all points that its own list names again, the others of all
/// points, and the rest of its own list.
fn expanded(point: Point, set: &Set<'_>, everywhere: &[(Plugin, i32)]) -> Result<Weighted, ApiError> {
    let own = listed(&set.enabled)?;
    if let Some(index) = own.iter().position(|(plugin, _)| !plugin.points().contains(&point)) {
        let message = format!("{} has no such extension point", own[index].0.as_str());
        return Err(ApiError::new(format!("enabled[{index}].name"), message));
    }
    let off: BTreeSet<&str> = set.disabled.iter().map(|each| each.name).collect();
    if off.contains("*") {
        mark!("K 2.1 a star disables every default plugin of a point");
        return Ok(weighted(own));
    }
    let here = everywhere.iter().filter(|(plugin, _)| plugin.points().contains(&point));
    let here: Weighted = here.filter(|(plugin, _)| !off.contains(plugin.as_str())).copied().collect();
    let has = |list: &[(Plugin, i32)], plugin: Plugin| list.iter().any(|(known, _)| *known == plugin);
    let (again, added): (Weighted, Weighted) = own.iter().partition(|(plugin, _)| has(&here, *plugin));
    mark!("K 2.1 plugins that a point names again come first");
    let others = here.iter().filter(|(plugin, _)| !has(&own, *plugin)).copied();
    Ok(weighted(again.into_iter().chain(others).chain(added).collect()))
}

/// A weight that is not given is 1.
fn weighted(plugins: Weighted) -> Weighted {
    plugins.into_iter().map(|(plugin, weight)| (plugin, if weight == 0 { 1 } else { weight })).collect()
}

fn listed(named: &[Named<'_>]) -> Result<Weighted, ApiError> {
    let mut found = Weighted::new();
    for (index, each) in named.iter().enumerate() {
        let path = || format!("enabled[{index}].name");
        let Some(&plugin) = Plugin::ALL.iter().find(|plugin| plugin.as_str() == each.name) else {
            let near =
                Plugin::ALL.iter().min_by_key(|plugin| strsim::levenshtein(plugin.as_str(), each.name));
            let error = ApiError::new(path(), format!("plugin {:?} does not exist", each.name));
            return Err(error.with_hint(near.map_or_else(String::new, |near| near.as_str().to_owned())));
        };
        if found.iter().any(|(known, _)| *known == plugin) {
            return Err(ApiError::new(path(), format!("plugin {:?} is already there", each.name)));
        }
        found.push((plugin, each.weight));
    }
    Ok(found)
}

// ---------------------------------------------------------------------------------------------------
// Arguments.

impl Arguments {
    fn read(shapes: &[PluginConfig<'_>], symbols: &mut Symbols) -> Result<Self, ApiError> {
        let none = ArgumentsShape::default();
        let of = |plugin: Plugin| {
            let index = shapes.iter().position(|shape| shape.name == plugin.as_str());
            let shape = index.map_or(&none, |index| &shapes[index].args);
            (shape, format!("pluginConfig[{}].args", index.unwrap_or(0)))
        };
        let (fit, path) = of(Plugin::NodeResourcesFit);
        let fit = Fit::read(&path, fit, symbols)?;
        let (balanced, _) = of(Plugin::NodeResourcesBalancedAllocation);
        let (affinity, _) = of(Plugin::NodeAffinity);
        let added = &affinity.added_affinity;
        let preferred = added.preferred.iter();
        let (spread, path) = of(Plugin::PodTopologySpread);
        let default_constraints = default_constraints(&path, spread, symbols)?;
        let (near, _) = of(Plugin::InterPodAffinity);
        let (preemption, _) = of(Plugin::DefaultPreemption);
        Ok(Arguments {
            fit,
            balanced: resources(&balanced.resources, symbols),
            added_affinity: added
                .required
                .as_ref()
                .map(|each| node_terms(&each.node_selector_terms, symbols)),
            added_preferred: preferred
                .map(|each| (each.weight, node_term(&each.preference, symbols)))
                .collect(),
            default_constraints,
            hard_affinity_weight: near.hard_pod_affinity_weight.unwrap_or(1),
            ignores_preferred_of_existing: near.ignore_preferred_terms_of_existing_pods,
            candidates_min_percent: preemption.min_candidate_nodes_percentage.unwrap_or(10),
            candidates_min: preemption.min_candidate_nodes_absolute.unwrap_or(100),
        })
    }
}

impl Fit {
    fn read(path: &str, shape: &ArgumentsShape<'_>, symbols: &mut Symbols) -> Result<Self, ApiError> {
        let strategy = match shape.scoring_strategy.r#type {
            "" | "LeastAllocated" => Strategy::LeastAllocated,
            "MostAllocated" => Strategy::MostAllocated,
            "RequestedToCapacityRatio" => {
                let points = &shape.scoring_strategy.requested_to_capacity_ratio.shape;
                if points.is_empty() {
                    let path = format!("{path}.scoringStrategy.requestedToCapacityRatio.shape");
                    return Err(ApiError::new(path, "at least one point must be specified"));
                }
                let points = points.iter().map(|point| (point.utilization, point.score));
                Strategy::RequestedToCapacityRatio(points.collect())
            }
            other => {
                let path = format!("{path}.scoringStrategy.type");
                let error = ApiError::new(path, format!("{other:?} is no strategy"));
                return Err(error.with_hint("LeastAllocated, MostAllocated or RequestedToCapacityRatio"));
            }
        };
        let mut all = |texts: &[&str]| texts.iter().map(|text| symbols.intern(text)).collect();
        let (ignored, ignored_groups) = (all(&shape.ignored_resources), all(&shape.ignored_resource_groups));
        let resources = resources(&shape.scoring_strategy.resources, symbols);
        Ok(Fit { strategy, resources, ignored, ignored_groups })
    }
}

fn default_constraints(
    path: &str,
    shape: &ArgumentsShape<'_>,
    symbols: &mut Symbols,
) -> Result<Option<Box<[SpreadConstraint]>>, ApiError> {
    match shape.defaulting_type {
        "" | "System" if shape.default_constraints.is_empty() => return Ok(None),
        "" | "System" => {
            let error = ApiError::new(
                format!("{path}.defaultConstraints"),
                "constraints of one's own need defaultingType List",
            );
            return Err(error);
        }
        "List" => {}
        other => {
            let error =
                ApiError::new(format!("{path}.defaultingType"), format!("{other:?} is none of the two"));
            return Err(error.with_hint("System or List"));
        }
    }
    let constraints: Result<Vec<_>, ApiError> =
        shape.default_constraints.iter().map(|each| spread_constraint(each, symbols)).collect();
    let at =
        |error: ApiError| ApiError { path: format!("{path}.defaultConstraints.{}", error.path), ..error };
    constraints.map(|found| Some(found.into())).map_err(at)
}

/// Resources with weights: CPU and memory unless others are named, 1 unless it is said.
fn resources(named: &[Named<'_>], symbols: &mut Symbols) -> Box<[(Symbol, i64)]> {
    if named.is_empty() {
        return ["cpu", "memory"].map(|name| (symbols.intern(name), 1)).into();
    }
    let weight = |weight: i32| if weight == 0 { 1 } else { i64::from(weight) };
    named.iter().map(|each| (symbols.intern(each.name), weight(each.weight))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::mark::must_reach;

    fn read(document: &Value) -> (Configuration, Symbols) {
        let mut symbols = Symbols::default();
        let configuration = Configuration::read(document, &mut symbols).expect("it is valid");
        (configuration, symbols)
    }

    /// The plugins of a point of the only profile, `A B=2`: weights other than 1 are spelled.
    fn spelled(plugins: &Value, point: Point) -> String {
        let (configuration, _) = read(&json!({"profiles": [{"plugins": plugins}]}));
        let words = configuration.profiles[0].at(point).map(|(plugin, weight)| match weight {
            0 | 1 => plugin.as_str().to_owned(),
            weight => format!("{}={weight}", plugin.as_str()),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn plugins_are_merged_as_upstream() {
        let standard = "TaintToleration=3 NodeAffinity=2 NodeResourcesFit PodTopologySpread=2 InterPodAffinity=2 \
            DynamicResources=2 NodeResourcesBalancedAllocation ImageLocality";
        let star = json!([{"name": "*"}]);
        let rows = [
            ("", json!({}), Point::Score, standard),
            ("", json!({}), Point::PostFilter, "DynamicResources=2 DefaultPreemption"),
            (
                "K 2.1 a star disables every default plugin of a point",
                json!({"score": {"disabled": star, "enabled": [{"name": "ImageLocality"}]}}),
                Point::Score,
                "ImageLocality",
            ),
            (
                "K 2.1 plugins that a point names again come first",
                json!({"multiPoint": {"disabled": [{"name": "NodeResourcesBalancedAllocation"}]},
                    "score": {"enabled": [{"name": "ImageLocality", "weight": 50}]}}),
                Point::Score,
                "ImageLocality=50 TaintToleration=3 NodeAffinity=2 NodeResourcesFit PodTopologySpread=2 \
                 InterPodAffinity=2 DynamicResources=2",
            ),
            (
                "K 2.1 a default plugin that is enabled again keeps its place",
                json!({"multiPoint": {"enabled": [{"name": "NodeAffinity", "weight": 9}]},
                    "score": {"disabled": [{"name": "InterPodAffinity"}]}}),
                Point::Score,
                "TaintToleration=3 NodeAffinity=9 NodeResourcesFit PodTopologySpread=2 DynamicResources=2 \
                 NodeResourcesBalancedAllocation ImageLocality",
            ),
            (
                "",
                json!({"multiPoint": {"disabled": star, "enabled": [{"name": "ImageLocality", "weight": 4},
                    {"name": "TaintToleration"}]}}),
                Point::Score,
                "ImageLocality=4 TaintToleration",
            ),
            (
                "",
                json!({"score": {"disabled": [{"name": "TaintToleration"}],
                    "enabled": [{"name": "TaintToleration", "weight": 7}]}}),
                Point::Score,
                "NodeAffinity=2 NodeResourcesFit PodTopologySpread=2 InterPodAffinity=2 DynamicResources=2 \
                 NodeResourcesBalancedAllocation ImageLocality TaintToleration=7",
            ),
        ];
        for (rule, plugins, point, expected) in rows {
            let rules: Vec<&str> = [rule].into_iter().filter(|rule| !rule.is_empty()).collect();
            let seen = must_reach(&rules, || spelled(&plugins, point));
            let expected: Vec<&str> = expected.split_whitespace().collect();
            assert_eq!(seen, expected.join(" "), "{plugins}");
        }
    }

    #[test]
    fn arguments_have_the_defaults_of_upstream() {
        let mut symbols = Symbols::default();
        let standard = Configuration::standard(&mut symbols);
        assert_eq!((standard.backoff_initial_s, standard.backoff_max_s), (1, 10));
        let arguments = &standard.profiles[0].arguments;
        assert_eq!(arguments.fit.strategy, Strategy::LeastAllocated);
        assert_eq!(arguments.fit.resources.len(), 2);
        assert_eq!((arguments.candidates_min_percent, arguments.candidates_min), (10, 100));
        assert_eq!(arguments.hard_affinity_weight, 1);
        assert_eq!(arguments.default_constraints, None);
        let (told, symbols) = read(&json!({"profiles": [{"pluginConfig": [
            {"name": "NodeResourcesFit", "args": {"ignoredResourceGroups": ["example.com"], "scoringStrategy": {
                "type": "RequestedToCapacityRatio", "resources": [{"name": "cpu"}, {"name": "a.b/c", "weight": 3}],
                "requestedToCapacityRatio": {"shape": [{"utilization": 0, "score": 10}]}}}},
            {"name": "PodTopologySpread", "args": {"defaultingType": "List"}},
            {"name": "NodeAffinity", "args": {"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
                {"nodeSelectorTerms": [{}]}}}},
            {"name": "InterPodAffinity", "args": {"hardPodAffinityWeight": 0}}]}]}));
        let arguments = &told.profiles[0].arguments;
        assert_eq!(arguments.fit.strategy, Strategy::RequestedToCapacityRatio([(0, 10)].into()));
        let weights = arguments.fit.resources.iter().map(|&(name, weight)| (symbols.text(name), weight));
        assert_eq!(weights.collect::<Vec<_>>(), [("cpu", 1), ("a.b/c", 3)]);
        assert_eq!(arguments.default_constraints, Some(Box::default()));
        assert_eq!(arguments.added_affinity.as_ref().map(|terms| terms.len()), Some(1));
        assert_eq!(arguments.hard_affinity_weight, 0);
    }

    #[test]
    fn mistakes_have_a_place() {
        let rows = [
            (json!({"profiles": [{}, {}]}), "profiles[0].schedulerName"),
            (
                json!({"profiles": [{"schedulerName": "a"}, {"schedulerName": "a"}]}),
                "profiles[1].schedulerName",
            ),
            (
                json!({"profiles": [{"plugins": {"score": {"enabled": [{"name": "NodeName"}]}}}]}),
                "profiles[0].plugins.score.enabled[0].name",
            ),
            (
                json!({"profiles": [{"plugins": {"multiPoint": {"enabled": [{"name": "NodeNam"}]}}}]}),
                "profiles[0].plugins.multiPoint.enabled[0].name",
            ),
            (
                json!({"profiles": [{"pluginConfig": [{"name": "NodeResourcesFit",
                    "args": {"scoringStrategy": {"type": "Most"}}}]}]}),
                "profiles[0].pluginConfig[0].args.scoringStrategy.type",
            ),
            (json!({"percentageOfNodesToScore": "all"}), "percentageOfNodesToScore"),
        ];
        for (document, path) in rows {
            let error = Configuration::read(&document, &mut Symbols::default()).expect_err("a mistake");
            assert_eq!(error.path, path, "{error}");
        }
    }
}
