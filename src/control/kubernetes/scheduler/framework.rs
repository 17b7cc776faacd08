//! What a scheduler plugin is, and how the plugins of a profile are asked.
//!
//! A plugin may stand at several points: before a pod enters the queue, before the search (`pre_filter`),
//! at each node (`filter`), before and while feasible nodes are scored, and when a node is reserved. What
//! it works out for one cycle it keeps in itself, from `pre_filter` or `pre_score` to the end of the cycle.
//! Knows nothing of the queue, and of what any plugin means.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;

use crate::base::{Row, Symbol, Timestamp};
use crate::control::kubernetes::objects::{Pod, PodSpec, Specs};
use crate::mark;

use super::algorithm::heap_root;
use super::cluster::{Cluster, NodeInfo};
use super::event::{Event, EventKind, Listening};
use super::preemption::PreemptionSettings;
use super::shape_index::ShapeIndex;

/// One reason, as people read it.
pub type Reason = Cow<'static, str>;

/// One decision: the pod, and everything that a plugin may look at.
#[derive(Clone, Copy, Debug)]
pub struct Cycle<'a> {
    /// Every spec, and the spellings.
    pub specs: &'a Specs,
    /// The cluster as of the snapshot.
    pub cluster: &'a Cluster,
    /// The row of the pod.
    pub row: Row<Pod>,
    /// The pod.
    pub pod: &'a Pod,
    /// What it is.
    pub spec: &'a PodSpec,
    /// The time of the decision.
    pub now: Timestamp,
}

/// A pod and the node that it counts on, as plugins are told of it that keep something for each node.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// Every spec, and the spellings.
    pub specs: &'a Specs,
    /// The cluster as of this moment.
    pub cluster: &'a Cluster,
    /// The row of the pod.
    pub row: Row<Pod>,
    /// The pod.
    pub pod: &'a Pod,
    /// The node; its sums hold the pod when it has come, and do not when it has left.
    pub node: &'a NodeInfo,
}

/// Why something does not go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// What kind of refusal it is.
    pub code: Code,
    /// The reasons, in the plugin's order.
    pub reasons: Vec<Reason>,
    /// Which plugin refused; the empty text where none did.
    pub plugin: &'static str,
}

/// What kind of refusal a [`Status`] is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Code {
    /// Not now; preemption may help.
    Unschedulable,
    /// Not now; preemption cannot help.
    UnschedulableAndUnresolvable,
    /// Something is broken.
    Error,
}

impl Code {
    /// As the original spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::Unschedulable => "Unschedulable",
            Code::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
            Code::Error => "Error",
        }
    }
}

impl Status {
    /// A refusal that preemption may lift.
    pub fn unschedulable(reason: impl Into<Reason>) -> Self {
        Status { code: Code::Unschedulable, reasons: vec![reason.into()], plugin: "" }
    }

    /// A refusal that preemption cannot lift.
    pub fn unresolvable(reason: impl Into<Reason>) -> Self {
        Status { code: Code::UnschedulableAndUnresolvable, reasons: vec![reason.into()], plugin: "" }
    }

    /// An internal error.
    pub fn error(reason: impl Into<Reason>) -> Self {
        Status { code: Code::Error, reasons: vec![reason.into()], plugin: "" }
    }

    /// Whether it refuses, and is not an error.
    pub const fn is_rejection(&self) -> bool {
        !matches!(self.code, Code::Error)
    }

    /// Whether preemption may lift it.
    pub const fn is_resolvable(&self) -> bool {
        matches!(self.code, Code::Unschedulable)
    }

    /// The reasons in one line.
    pub fn message(&self) -> String {
        self.reasons.join(", ")
    }

    /// The same, said by a plugin.
    #[must_use]
    pub fn by(mut self, plugin: &'static str) -> Self {
        self.plugin = plugin;
        self
    }
}

/// What `pre_filter` finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PreFilter {
    /// The plugin has nothing to say about this pod: its `filter` is not asked.
    Skip,
    /// Every node is to be looked at.
    AllNodes,
    /// Only these nodes can do, by name.
    Only(Vec<Symbol>),
    /// No node can do.
    Refused(Status),
}

/// What `pre_score` finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PreScore {
    /// The plugin scores no node of this cycle.
    Skip,
    /// It scores.
    Score,
    /// Something is broken.
    Refused(Status),
}

/// What must be done before a pod can be bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// A volume is bound to a claim.
    Volume {
        /// The volume.
        volume: Symbol,
        /// The namespace and name of the claim.
        claim: (Symbol, Symbol),
    },
    /// A volume is provisioned for a claim.
    Provision {
        /// The namespace and name of the claim.
        claim: (Symbol, Symbol),
        /// For this node.
        node: Symbol,
    },
}

/// What a plugin's answer for a node depends on, beside the pod's spec. The framework may keep an answer
/// for as long as what it depends on does not change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Dependence {
    /// The row of the node alone; what the plugin keeps for it counts as a part of the row (see
    /// [`Plugin::placed`]).
    Node,
    /// The row of the node, and for the normalised score the feasible nodes of the cycle.
    NormalizedOverWindow,
    /// Anything else: the plugin is asked in each cycle, of many nodes at once.
    Cluster,
}

/// The extension points at which a plugin stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the points of K 2.1")]
pub struct Points {
    pub pre_enqueue: bool,
    pub pre_filter: bool,
    pub filter: bool,
    pub post_filter: bool,
    pub pre_score: bool,
    pub score: bool,
    pub reserve: bool,
}

/// A scheduler plugin.
pub trait Plugin: fmt::Debug {
    /// Its name, unique in a profile.
    fn name(&self) -> &'static str;

    /// Where it stands.
    fn points(&self) -> Points;

    /// What its `filter` depends on.
    fn filter_depends_on(&self) -> Dependence {
        Dependence::Cluster
    }

    /// What its `score` depends on.
    fn score_depends_on(&self) -> Dependence {
        Dependence::Cluster
    }

    /// Before the pod enters the queue; a refusal holds it back until an event that the plugin listens to.
    ///
    /// # Errors
    /// Why it is held back.
    fn pre_enqueue(&self, _cycle: &Cycle<'_>) -> Result<(), Status> {
        Ok(())
    }

    /// Before the search.
    fn pre_filter(&mut self, _cycle: &Cycle<'_>) -> PreFilter {
        PreFilter::AllNodes
    }

    /// Whether a node can do. `node` may be changed from the one of the cluster: with nominated pods added,
    /// or with victims removed.
    ///
    /// # Errors
    /// Why it cannot.
    fn filter(&self, _cycle: &Cycle<'_>, _node: &NodeInfo) -> Result<(), Status> {
        Ok(())
    }

    /// Strikes out those of several nodes that cannot do; the same as [`filter`](Self::filter), one by one.
    ///
    /// # Errors
    /// When something is broken.
    fn filter_many(
        &self,
        cycle: &Cycle<'_>,
        nodes: &[Row<NodeInfo>],
        can: &mut [bool],
    ) -> Result<(), Status> {
        for (can, &node) in can.iter_mut().zip(nodes).filter(|(can, _)| **can) {
            match self.filter(cycle, &cycle.cluster[node]) {
                Ok(()) => {}
                Err(status) if status.is_rejection() => *can = false,
                Err(status) => return Err(status),
            }
        }
        Ok(())
    }

    /// What `pre_filter` worked out is to be as if this pod were on the node as well.
    fn add_pod(&mut self, _cycle: &Cycle<'_>, _added: Row<Pod>, _node: &NodeInfo) {}

    /// What `pre_filter` worked out is to be as if this pod were not on the node.
    fn remove_pod(&mut self, _cycle: &Cycle<'_>, _removed: Row<Pod>, _node: &NodeInfo) {}

    /// Puts a copy of what it worked out aside, before pods are added and removed in thought; copies are a
    /// stack.
    fn save(&mut self) {}

    /// Takes the copy back.
    fn restore(&mut self) {}

    /// After a search that found no node: the words that this plugin adds to the message. Preemption is
    /// asked by [`preempts`](Self::preempts) instead.
    fn post_filter(&mut self, _cycle: &Cycle<'_>) -> Status {
        Status::unschedulable("")
    }

    /// How it looks for victims, if it preempts.
    fn preempts(&self) -> Option<PreemptionSettings> {
        None
    }

    /// Before feasible nodes are scored.
    fn pre_score(&mut self, _cycle: &Cycle<'_>, _nodes: &[&NodeInfo]) -> PreScore {
        PreScore::Score
    }

    /// Whether it scores nodes for this pod: false where `pre_score` would skip, whatever the nodes. A plugin
    /// whose score depends on the node alone must answer without `pre_score`.
    fn scores(&self, _cycle: &Cycle<'_>) -> bool {
        true
    }

    /// How good a node is.
    ///
    /// # Errors
    /// When something is broken.
    fn score(&self, _cycle: &Cycle<'_>, _node: &NodeInfo) -> Result<i64, Status> {
        Ok(0)
    }

    /// How good several nodes are; the same as [`score`](Self::score), one by one.
    ///
    /// # Errors
    /// When something is broken.
    fn score_many(&self, cycle: &Cycle<'_>, nodes: &[&NodeInfo], scores: &mut [i64]) -> Result<(), Status> {
        for (score, node) in scores.iter_mut().zip(nodes) {
            *score = self.score(cycle, node)?;
        }
        Ok(())
    }

    /// Brings its scores of all feasible nodes into 0 to 100.
    fn normalize(&self, _cycle: &Cycle<'_>, _nodes: &[&NodeInfo], _scores: &mut [i64]) {}

    /// A node was chosen.
    ///
    /// # Errors
    /// When it cannot be had after all.
    fn reserve(&mut self, _cycle: &Cycle<'_>, _node: &NodeInfo) -> Result<(), Status> {
        Ok(())
    }

    /// It is not to be had after all, or binding failed: what was to be bound is not, maybe long after the
    /// cycle.
    fn unreserve(&mut self, _cycle: &Cycle<'_>, _node: &NodeInfo, _bindings: &[Binding]) {}

    /// What must be bound before the pod can be, on the reserved node.
    fn bindings(&self) -> &[Binding] {
        &[]
    }

    /// The cycle is over: what was worked out is forgotten.
    fn finish(&mut self) {}

    /// A node came, changed, or went: then it has no spec. A plugin that keeps a column of its own, one
    /// entry for each node, makes the entry here. Pods that count on the node already are in `node.pods`.
    fn node_changed(&mut self, _specs: &Specs, _cluster: &Cluster, _node: &NodeInfo) {}

    /// A pod came to count on a node: it was assumed there, or is heard of for the first time. With
    /// [`removed`](Self::removed) this is where a column is kept true. Pods that are added and removed in
    /// thought alone come by [`add_pod`](Self::add_pod) and [`remove_pod`](Self::remove_pod) instead.
    fn placed(&mut self, _counted: &Counted<'_>) {}

    /// A pod counts on a node no longer: it went, is not to be had there after all, or is becoming another
    /// spec and comes back at once.
    fn removed(&mut self, _counted: &Counted<'_>) {}

    /// The events that may help a pod that this plugin refused (K 2.3).
    fn events(&self) -> &'static [EventKind] {
        &[]
    }

    /// Whether this one of [`events`](Self::events) may help this pod.
    fn may_help(&self, _listening: &Listening<'_>, _event: &Event<'_>) -> bool {
        true
    }
}

/// The plugins of one profile, in the order of each extension point, and what the current cycle skips.
#[derive(Debug)]
pub struct Profile {
    /// `schedulerName`.
    pub name: Symbol,
    /// `percentageOfNodesToScore`; 0 adapts.
    pub percentage: i32,
    /// Every plugin of the profile.
    pub plugins: Vec<Box<dyn Plugin>>,
    /// The plugins at each point, by place in `plugins`.
    pub order: Order,
    /// The place of the winner among totals in search order.
    pub choose: fn(&[i64]) -> usize,
    /// Another rule among equal totals: a rank for each node by its row, and the lowest wins.
    pub ranks: Option<Vec<u64>>,
    /// What every node is to the shapes that were scheduled lately.
    pub(super) index: ShapeIndex,
    /// Those whose `filter` is skipped in this cycle.
    skips_filter: Vec<bool>,
    /// Those whose `score` is skipped in this cycle.
    skips_score: Vec<bool>,
}

/// The plugins at each extension point, by place in [`Profile::plugins`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the points of K 2.1")]
pub struct Order {
    pub pre_enqueue: Vec<usize>,
    pub pre_filter: Vec<usize>,
    pub filter: Vec<usize>,
    pub post_filter: Vec<usize>,
    pub pre_score: Vec<usize>,
    /// With weights.
    pub score: Vec<(usize, i64)>,
    pub reserve: Vec<usize>,
}

/// What the plugins say before the search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prepared {
    /// Only these nodes, by name, ascending in text; none for all.
    pub only: Option<Vec<Symbol>>,
    /// The plugins that narrowed the search, sorted.
    pub narrowed_by: Vec<&'static str>,
    /// Why no node can do.
    pub refused: Option<Status>,
}

/// The scores of the feasible nodes, one row per plugin that stands at the point and does not skip the cycle.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scores {
    /// Plugin, and its normalised and weighted score of each feasible node.
    pub plugins: Vec<(&'static str, Vec<i64>)>,
    /// Their sums.
    pub total: Vec<i64>,
}

impl Profile {
    /// A profile of these plugins.
    pub fn new(name: Symbol, percentage: i32, plugins: Vec<Box<dyn Plugin>>, order: Order) -> Self {
        let (skips_filter, skips_score) = (vec![false; plugins.len()], vec![false; plugins.len()]);
        let index = ShapeIndex::default();
        let (choose, ranks): (fn(&[i64]) -> usize, _) = (heap_root, None);
        Profile { name, percentage, plugins, order, choose, ranks, index, skips_filter, skips_score }
    }

    /// The winner among feasible nodes in search order.
    pub fn winner(&self, feasible: &[Row<NodeInfo>], totals: &[i64]) -> Row<NodeInfo> {
        let Some(ranks) = &self.ranks else { return feasible[(self.choose)(totals)] };
        let pairs = feasible.iter().zip(totals);
        let best = pairs.min_by_key(|&(node, &total)| (Reverse(total), ranks[node.index()]));
        *best.expect("there are feasible nodes").0
    }

    /// Whether the `filter` of the plugin at a place is skipped in this cycle.
    pub fn skips_filter(&self, place: usize) -> bool {
        self.skips_filter[place]
    }

    /// The plugin at a place.
    pub fn plugin(&self, place: usize) -> &dyn Plugin {
        &*self.plugins[place]
    }

    /// Asks every plugin before the search (K 2.5, 2).
    pub fn pre_filter(&mut self, cycle: &Cycle<'_>) -> Prepared {
        self.skips_filter.fill(false);
        let mut prepared = Prepared { only: None, narrowed_by: Vec::new(), refused: None };
        for &place in &self.order.pre_filter {
            let plugin = &mut self.plugins[place];
            match plugin.pre_filter(cycle) {
                PreFilter::AllNodes => {}
                PreFilter::Skip => self.skips_filter[place] = true,
                PreFilter::Only(names) => {
                    mark!("K 2.5 sets of nodes are intersected");
                    prepared.narrowed_by.push(plugin.name());
                    prepared.narrowed_by.sort_unstable();
                    let both = match prepared.only.take() {
                        None => names,
                        Some(before) => before.into_iter().filter(|name| names.contains(name)).collect(),
                    };
                    if both.is_empty() {
                        prepared.refused = Some(nothing_left(&prepared.narrowed_by));
                        prepared.only = Some(both);
                        return prepared;
                    }
                    prepared.only = Some(both);
                }
                PreFilter::Refused(status) => {
                    let status = status.by(plugin.name());
                    match status.code {
                        Code::Unschedulable => {
                            mark!("K 2.5 an unschedulable pre-filter lets the others speak");
                            prepared.refused = Some(status);
                        }
                        Code::UnschedulableAndUnresolvable => {
                            mark!("K 2.5 an unresolvable pre-filter aborts");
                            return Prepared { only: None, narrowed_by: Vec::new(), refused: Some(status) };
                        }
                        Code::Error => {
                            let message =
                                format!("running PreFilter plugin {:?}: {}", plugin.name(), status.message());
                            let refused = Some(Status::error(message).by(plugin.name()));
                            return Prepared { only: None, narrowed_by: Vec::new(), refused };
                        }
                    }
                }
            }
        }
        prepared
    }

    /// Whether a node can do: every plugin in order, up to the first refusal.
    ///
    /// # Errors
    /// The first refusal.
    pub fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        for &place in &self.order.filter {
            if self.skips_filter[place] {
                continue;
            }
            let plugin = &self.plugins[place];
            if let Err(status) = plugin.filter(cycle, node) {
                let status = if status.is_rejection() {
                    status
                } else {
                    Status::error(format!("running {:?} filter plugin: {}", plugin.name(), status.message()))
                };
                return Err(status.by(plugin.name()));
            }
        }
        Ok(())
    }

    /// Whether a node can do, with the pods that are nominated to it and come first, and without them.
    ///
    /// # Errors
    /// The first refusal.
    pub fn filter_with_nominated(&mut self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        let first = nominated_first(cycle, node);
        if !first.is_empty() {
            mark!("K 2.5 nominated pods of the same or a higher priority count as placed");
            let with = node_with(cycle, node, &first);
            self.save();
            for row in first {
                self.add_pod(cycle, row, &with);
            }
            let result = self.filter(cycle, &with);
            self.restore();
            result?;
        }
        self.filter(cycle, node)
    }

    /// Tells every plugin of a pod that is added in thought.
    pub fn add_pod(&mut self, cycle: &Cycle<'_>, added: Row<Pod>, node: &NodeInfo) {
        for &place in &self.order.pre_filter {
            if !self.skips_filter[place] {
                self.plugins[place].add_pod(cycle, added, node);
            }
        }
    }

    /// Tells every plugin of a pod that is removed in thought.
    pub fn remove_pod(&mut self, cycle: &Cycle<'_>, removed: Row<Pod>, node: &NodeInfo) {
        for &place in &self.order.pre_filter {
            if !self.skips_filter[place] {
                self.plugins[place].remove_pod(cycle, removed, node);
            }
        }
    }

    /// Every plugin puts a copy of what it worked out aside.
    pub fn save(&mut self) {
        for &place in &self.order.pre_filter {
            self.plugins[place].save();
        }
    }

    /// Every plugin takes its copy back.
    pub fn restore(&mut self) {
        for &place in &self.order.pre_filter {
            self.plugins[place].restore();
        }
    }

    /// Scores the feasible nodes (K 2.6).
    ///
    /// # Errors
    /// When a plugin fails, or gives a score outside 0 to 100.
    pub fn score(
        &mut self,
        cycle: &Cycle<'_>,
        nodes: &[&NodeInfo],
        scores: &mut Scores,
    ) -> Result<(), Status> {
        scores.plugins.clear();
        scores.total.clear();
        if self.order.score.is_empty() {
            mark!("K 2.6 without score plugins every node has 1");
            scores.total.resize(nodes.len(), 1);
            return Ok(());
        }
        self.skips_score.fill(false);
        for &place in &self.order.pre_score {
            let plugin = &mut self.plugins[place];
            match plugin.pre_score(cycle, nodes) {
                PreScore::Score => {}
                PreScore::Skip => self.skips_score[place] = true,
                PreScore::Refused(status) => {
                    let (name, message) = (plugin.name(), status.message());
                    return Err(Status::error(format!("running PreScore plugin {name:?}: {message}")));
                }
            }
        }
        scores.total.resize(nodes.len(), 0);
        for &(place, weight) in &self.order.score {
            if self.skips_score[place] {
                continue;
            }
            let plugin = &self.plugins[place];
            let mut own = vec![0; nodes.len()];
            plugin.score_many(cycle, nodes, &mut own).map_err(|status| {
                let (name, message) = (plugin.name(), status.message());
                Status::error(format!("running Score plugins: plugin {name:?} failed with: {message}"))
            })?;
            plugin.normalize(cycle, nodes, &mut own);
            weigh(plugin.name(), weight, &mut own)?;
            for (total, score) in scores.total.iter_mut().zip(&own) {
                *total += score;
            }
            scores.plugins.push((plugin.name(), own));
        }
        Ok(())
    }

    /// Tells every plugin that stands there that a node was chosen; a refusal takes it back from all.
    ///
    /// # Errors
    /// The first refusal.
    pub fn reserve(&mut self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        for at in 0..self.order.reserve.len() {
            let plugin = &mut self.plugins[self.order.reserve[at]];
            let Err(status) = plugin.reserve(cycle, node) else { continue };
            let name = plugin.name();
            let bindings = self.bindings();
            self.unreserve(cycle, node, &bindings);
            return Err(if status.is_rejection() {
                status.by(name)
            } else {
                Status::error(format!("running Reserve plugin {name:?}: {}", status.message()))
            });
        }
        Ok(())
    }

    /// Takes a reservation back from every plugin, last one first.
    pub fn unreserve(&mut self, cycle: &Cycle<'_>, node: &NodeInfo, bindings: &[Binding]) {
        for &place in self.order.reserve.iter().rev() {
            self.plugins[place].unreserve(cycle, node, bindings);
        }
    }

    /// What must be bound before the pod can be, on the reserved node.
    pub fn bindings(&self) -> Vec<Binding> {
        let plugins = self.order.reserve.iter().map(|&place| &self.plugins[place]);
        plugins.flat_map(|plugin| plugin.bindings()).copied().collect()
    }

    /// Tells every plugin of a node that came, changed or went.
    pub fn node_changed(&mut self, specs: &Specs, cluster: &Cluster, node: &NodeInfo) {
        for plugin in &mut self.plugins {
            plugin.node_changed(specs, cluster, node);
        }
    }

    /// Tells every plugin of a pod that came to count on a node.
    pub fn placed(&mut self, counted: &Counted<'_>) {
        for plugin in &mut self.plugins {
            plugin.placed(counted);
        }
    }

    /// Tells every plugin of a pod that counts on a node no longer.
    pub fn removed(&mut self, counted: &Counted<'_>) {
        for plugin in &mut self.plugins {
            plugin.removed(counted);
        }
    }

    /// The cycle is over.
    pub fn finish(&mut self) {
        for plugin in &mut self.plugins {
            plugin.finish();
        }
    }
}

/// The other pods that are nominated to a node and come before the pod.
pub(super) fn nominated_first(cycle: &Cycle<'_>, node: &NodeInfo) -> Vec<Row<Pod>> {
    let comes_first = |row: &&Row<Pod>| {
        let other = cycle.cluster.known(**row);
        **row != cycle.row && cycle.specs[other.spec].priority >= cycle.spec.priority
    };
    cycle.cluster.nominated.to(node.name).iter().filter(comes_first).copied().collect()
}

/// A node as if these pods were on it.
pub(super) fn node_with(cycle: &Cycle<'_>, node: &NodeInfo, pods: &[Row<Pod>]) -> NodeInfo {
    let mut with = node.clone();
    for &row in pods {
        let pod = cycle.cluster.known(row);
        with.add_pod(row, pod, &cycle.specs[pod.spec]);
    }
    with
}

pub(super) fn weigh(plugin: &str, weight: i64, scores: &mut [i64]) -> Result<(), Status> {
    for score in scores {
        if !(0..=100).contains(score) {
            let message = format!(
                "applying score defaultWeights on Score plugins: plugin {plugin:?} returns an invalid score \
                 {score}, it should in the range of [0, 100] after normalizing"
            );
            return Err(Status::error(message));
        }
        *score *= weight;
    }
    Ok(())
}

fn nothing_left(plugins: &[&'static str]) -> Status {
    mark!("K 2.5 an empty intersection names its plugins");
    match plugins {
        [one] => Status::unresolvable(format!("node(s) didn't satisfy plugin {one}")),
        several => {
            let names = several.join(" ");
            Status::unresolvable(format!("node(s) didn't satisfy plugin(s) [{names}] simultaneously"))
        }
    }
}

/// Brings scores into 0 to 100 by the greatest of them; `reverse` makes the least the best (K 2.6).
pub fn default_normalize(reverse: bool, scores: &mut [i64]) {
    mark!("K 2.6 default normalisation");
    let most = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        let share = if most == 0 { 0 } else { 100 * *score / most };
        *score = if reverse { 100 - share } else { share };
    }
}

#[cfg(test)]
mod tests;
