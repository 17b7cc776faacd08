//! What every node is to pods of one shape, kept from cycle to cycle (ARCHITECTURE.md, "The shape index").
//!
//! Most answers of most plugins depend on the pod's spec and on the node alone. For each spec that is
//! scheduled often, one row of numbers holds what every node came to: why it is refused, or else the sum of
//! the scores that depend on nothing more; raw scores that still have to be normalised are kept beside it.
//! A row is brought up to date from the list of nodes that changed since it was last used. A search is then a
//! pass over numbers, in which the other plugins strike out nodes and score what is left. Chooses exactly as
//! [`algorithm`](super::algorithm) does, by test. Knows nothing of what plugins mean.

use std::ops::Range;
use std::rc::Rc;

use crate::base::Row;
use crate::base::hash::Map;
use crate::control::kubernetes::objects::PodSpec;

use super::cluster::{Cluster, NodeInfo};
use super::dry_runs::DryRuns;
use super::framework::{Cycle, Dependence, PreScore, Profile, Status, node_with, nominated_first, weigh};
use super::places::Places;
use super::refused::{Numbered, Reasons, Refused};
use super::window::{
    Asked, BLOCK, Block, Kept, Root, STRUCK, first, first_of_best, least_of_best, list, window,
};

/// So many shapes are kept; the one that was used longest ago makes room.
const SHAPES_MAX: usize = 256;
/// Nodes that are refused for more reasons than this are searched without the index.
const REFUSALS_MAX: usize = 1024;

/// The shapes of one profile.
#[derive(Debug, Default)]
pub struct ShapeIndex {
    places: Map<Row<PodSpec>, usize>,
    shapes: Vec<Shape>,
    uses: u64,
    scratch: Scratch,
}

/// What every node is to one spec.
#[derive(Debug)]
struct Shape {
    spec: Row<PodSpec>,
    /// By place in the search order: the sum of weighted scores that depend on the node alone, or the
    /// negative number of a refusal. A failure reads it to the end of its cycle.
    base: Rc<Vec<i32>>,
    /// Why nodes are refused; the first has number -1.
    refusals: Vec<Refusal>,
    /// How many nodes are refused.
    refused: usize,
    /// The places of those that preemption may help.
    helped: Places,
    /// Of each plugin that normalises over the window.
    raws: Vec<Raw>,
    /// Places that are asked about again: they were looked at with a nomination of the pod in hand.
    again: Vec<usize>,
    /// What dry runs of preemption came to.
    dry_runs: DryRuns,
    epoch: u64,
    seen: u64,
    used: u64,
}

/// Why nodes are refused, and the place in the order of filters of who refused them.
#[derive(Debug)]
struct Refusal {
    at: usize,
    status: Status,
    /// How many of them.
    nodes: usize,
}

/// The raw scores of one plugin.
#[derive(Debug)]
struct Raw {
    /// By place.
    values: Vec<i64>,
    /// The first one of all.
    first: Option<i64>,
    /// Whether they ever differed: if not, normalised scores do not either.
    varies: bool,
}

/// Room that is used again in each search.
#[derive(Debug, Default)]
struct Scratch {
    /// The pieces of the window.
    blocks: Vec<Block>,
    /// By place: the numbers of the window, where plugins were asked in this cycle.
    numbers: Vec<i32>,
    /// By place: the last round of questions in which the node was asked about.
    asked: Vec<u64>,
    round: u64,
    /// The feasible places of the window, their totals, and the scores of one plugin.
    feasible: Vec<usize>,
    totals: Vec<i64>,
    own: Vec<i64>,
}

/// What a search came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The place of the winner in the search order; none when no node can do.
    pub place: Option<usize>,
    /// How many feasible nodes there were.
    pub feasible: usize,
    /// How many nodes were refused on the way.
    pub refused: usize,
}

/// The plugins that speak in a cycle, by how long their answers hold.
#[derive(Debug, Default)]
pub struct Speakers {
    /// Filters whose answers are kept, with their place in the order of filters.
    filters: Vec<(usize, usize)>,
    /// Filters that are asked in the cycle, likewise.
    asked_filters: Vec<(usize, usize)>,
    scores: Vec<(usize, i64)>,
    normalized: Vec<(usize, i64)>,
    /// Scores that are asked in the cycle, and whether there is a question before.
    asked_scores: Vec<(usize, i64, bool)>,
}

impl ShapeIndex {
    /// Searches `wanted` feasible nodes from `start` on and chooses the best; none where the index cannot
    /// tell. What refused the nodes goes into `refused` when none can do.
    pub fn search(
        &mut self,
        profile: &mut Profile,
        speakers: &Speakers,
        cycle: &Cycle<'_>,
        (start, wanted): (usize, usize),
        refused: Option<&mut Refused>,
    ) -> Option<Hit> {
        let place = self.shape(cycle);
        let shape = &mut self.shapes[place];
        let scratch = &mut self.scratch;
        shape.catch_up(profile, speakers, cycle, scratch)?;
        shape.ask_with_nominations(profile, speakers, cycle)?;
        let nodes = shape.base.len();
        let start = start % nodes;
        let strikes = !speakers.asked_filters.is_empty();
        let (feasible, out) = if strikes {
            scratch.numbers.resize(nodes, STRUCK);
            let ask = |range: Range<usize>, numbers: &mut [i32]| {
                numbers.copy_from_slice(&shape.base[range.clone()]);
                speakers.strike(profile, cycle, &cycle.cluster.order()[range], numbers)
            };
            window(&mut scratch.blocks, Asked(&mut scratch.numbers, ask), start, wanted)?
        } else if shape.refused == nodes {
            (0, nodes)
        } else {
            window(&mut scratch.blocks, Kept(&shape.base), start, wanted)?
        };
        let numbers = if strikes { &scratch.numbers[..] } else { &shape.base[..] };
        let hit = |place| Some(Hit { place, feasible, refused: out });
        if feasible == 0 {
            if let Some(refused) = refused {
                shape.explain(profile, speakers, cycle, (numbers, start), refused)?;
            }
            return hit(None);
        }
        if feasible == 1 {
            return hit(first(&scratch.blocks, numbers));
        }
        let order = cycle.cluster.order();
        if speakers.asked_scores.is_empty() && shape.raws.iter().all(|raw| !raw.varies) {
            return hit(Some(match profile.ranks.as_deref() {
                None => first_of_best(&scratch.blocks, numbers),
                Some(ranks) => least_of_best(&scratch.blocks, numbers, |place| ranks[order[place].index()]),
            }));
        }
        list(&scratch.blocks, numbers, &mut scratch.feasible, &mut scratch.totals);
        scratch.score(profile, speakers, cycle, &shape.raws)?;
        hit(Some(match profile.ranks.as_deref() {
            None => scratch.first_of_best_totals(),
            Some(ranks) => scratch.least_of_best_totals(|place| ranks[order[place].index()]),
        }))
    }

    /// The places of nodes that preemption may help the pod of the cycle on, and what dry runs came to there.
    /// Only for a pod whose filters are all kept, and that was searched for in this cycle.
    pub(super) fn dry_runs(&mut self, cycle: &Cycle<'_>) -> (&Places, &mut DryRuns) {
        let place = self.places.get(&cycle.pod.spec).expect("the pod was searched for");
        let Shape { base, again, helped, dry_runs, .. } = &mut self.shapes[*place];
        dry_runs.begin(base.len(), cycle.cluster.listers.budgets_revision);
        for &place in again.iter() {
            dry_runs.forget(place);
        }
        (helped, dry_runs)
    }

    fn shape(&mut self, cycle: &Cycle<'_>) -> usize {
        self.uses += 1;
        let spec = cycle.pod.spec;
        let place = if let Some(&known) = self.places.get(&spec) {
            known
        } else if self.shapes.len() < SHAPES_MAX {
            self.shapes.push(Shape::new(spec));
            self.shapes.len() - 1
        } else {
            let oldest = self.shapes.iter().enumerate().min_by_key(|(_, shape)| shape.used);
            let (place, shape) = oldest.expect("there are shapes");
            self.places.remove(&shape.spec);
            self.shapes[place] = Shape::new(spec);
            place
        };
        self.places.insert(spec, place);
        self.shapes[place].used = self.uses;
        place
    }
}

impl Speakers {
    /// Who speaks about a pod in this cycle, after `pre_filter`.
    pub fn of(profile: &Profile, cycle: &Cycle<'_>) -> Speakers {
        let mut speakers = Speakers::default();
        for (at, &place) in profile.order.filter.iter().enumerate() {
            if profile.skips_filter(place) {
                continue;
            }
            match profile.plugin(place).filter_depends_on() {
                Dependence::Node => speakers.filters.push((at, place)),
                Dependence::NormalizedOverWindow | Dependence::Cluster => {
                    speakers.asked_filters.push((at, place));
                }
            }
        }
        for &(place, weight) in &profile.order.score {
            let plugin = profile.plugin(place);
            if !plugin.scores(cycle) {
                continue;
            }
            match plugin.score_depends_on() {
                Dependence::Node => speakers.scores.push((place, weight)),
                Dependence::NormalizedOverWindow => speakers.normalized.push((place, weight)),
                Dependence::Cluster => {
                    let before = profile.order.pre_score.contains(&place);
                    speakers.asked_scores.push((place, weight, before));
                }
            }
        }
        speakers
    }

    /// Whether every filter's answer depends on the node alone.
    pub(super) fn are_kept(&self) -> bool {
        self.asked_filters.is_empty()
    }

    /// Strikes out the nodes that a filter refuses in this cycle; none when one fails.
    fn strike(
        &self,
        profile: &Profile,
        cycle: &Cycle<'_>,
        nodes: &[Row<NodeInfo>],
        numbers: &mut [i32],
    ) -> Option<()> {
        let mut room = [false; BLOCK];
        let can = &mut room[..numbers.len()];
        for (can, number) in can.iter_mut().zip(numbers.iter()) {
            *can = *number >= 0;
        }
        for &(_, plugin) in &self.asked_filters {
            profile.plugin(plugin).filter_many(cycle, nodes, can).ok()?;
        }
        for (number, can) in numbers.iter_mut().zip(can) {
            if *number >= 0 && !*can {
                *number = STRUCK;
            }
        }
        Some(())
    }
}

impl Shape {
    fn new(spec: Row<PodSpec>) -> Self {
        Shape {
            spec,
            base: Rc::default(),
            refusals: Vec::new(),
            refused: 0,
            helped: Places::default(),
            raws: Vec::new(),
            again: Vec::new(),
            dry_runs: DryRuns::default(),
            epoch: u64::MAX,
            seen: 0,
            used: 0,
        }
    }

    /// Asks the plugins about every node that changed since the last time; none when the index cannot be
    /// used.
    fn catch_up(
        &mut self,
        profile: &Profile,
        speakers: &Speakers,
        cycle: &Cycle<'_>,
        scratch: &mut Scratch,
    ) -> Option<()> {
        let cluster: &Cluster = cycle.cluster;
        let order = cluster.order();
        match cluster.changes_since(self.seen).filter(|_| self.epoch == cluster.epoch()) {
            Some(changed) if changed.len() < order.len() => {
                scratch.new_round(order.len());
                self.epoch = u64::MAX;
                let changed = changed.iter().filter_map(|&row| cluster.place_of(row));
                for place in std::mem::take(&mut self.again).into_iter().chain(changed) {
                    if scratch.is_first(place) {
                        self.ask(profile, speakers, cycle, place)?;
                    }
                }
            }
            _ => {
                let (spec, used) = (self.spec, self.used);
                *self = Shape { base: Rc::new(vec![STRUCK; order.len()]), used, ..Shape::new(spec) };
                let raw = || Raw { values: vec![0; order.len()], first: None, varies: false };
                self.raws.resize_with(speakers.normalized.len(), raw);
                for place in 0..order.len() {
                    self.ask(profile, speakers, cycle, place)?;
                }
            }
        }
        self.epoch = cluster.epoch();
        self.seen = cluster.changes_end();
        Some(())
    }

    /// Asks about one node, with the pods that are nominated to it.
    fn ask(&mut self, profile: &Profile, speakers: &Speakers, cycle: &Cycle<'_>, place: usize) -> Option<()> {
        let node = &cycle.cluster[cycle.cluster.order()[place]];
        let refuses = |node: &NodeInfo| {
            let mut answers = speakers.filters.iter().filter_map(|&(at, plugin)| {
                let plugin = profile.plugin(plugin);
                plugin.filter(cycle, node).err().map(|status| (at, status.by(plugin.name())))
            });
            answers.next()
        };
        let nominated = nominated_first(cycle, node);
        let with = (!nominated.is_empty()).then(|| node_with(cycle, node, &nominated));
        self.dry_runs.forget(place);
        match with.and_then(|with| refuses(&with)).or_else(|| refuses(node)) {
            Some((at, status)) => self.refuse(place, at, status),
            None => self.score(profile, speakers, cycle, place),
        }
    }

    fn refuse(&mut self, place: usize, at: usize, status: Status) -> Option<()> {
        if !status.is_rejection() {
            return None;
        }
        let known = self.refusals.iter().position(|known| (known.at, &known.status) == (at, &status));
        let number = known.unwrap_or_else(|| {
            self.refusals.push(Refusal { at, status, nodes: 0 });
            self.refusals.len() - 1
        });
        if number >= REFUSALS_MAX {
            self.epoch = u64::MAX;
            return None;
        }
        self.set(place, -1 - i32::try_from(number).expect("few refusals"));
        Some(())
    }

    fn score(
        &mut self,
        profile: &Profile,
        speakers: &Speakers,
        cycle: &Cycle<'_>,
        place: usize,
    ) -> Option<()> {
        let node = &cycle.cluster[cycle.cluster.order()[place]];
        let score = |plugin: usize| profile.plugin(plugin).score(cycle, node).ok();
        let mut base = 0;
        for &(plugin, weight) in &speakers.scores {
            base += score(plugin)? * weight;
        }
        self.set(place, i32::try_from(base).ok().filter(|base| *base >= 0)?);
        for (raw, &(plugin, _)) in self.raws.iter_mut().zip(&speakers.normalized) {
            let value = score(plugin)?;
            raw.varies |= *raw.first.get_or_insert(value) != value;
            raw.values[place] = value;
        }
        Some(())
    }

    /// Writes down the number of a node, and counts its refusal.
    fn set(&mut self, place: usize, number: i32) {
        let old = std::mem::replace(&mut Rc::make_mut(&mut self.base)[place], number);
        if old == number {
            return;
        }
        if let Some(old) = refusal(old) {
            self.refusals[old].nodes -= 1;
            self.refused -= 1;
        }
        let new = refusal(number);
        if let Some(new) = new {
            self.refusals[new].nodes += 1;
            self.refused += 1;
        }
        self.helped.set(place, new.is_some_and(|new| self.refusals[new].status.is_resolvable()));
    }

    /// Asks again, for this cycle alone, about nodes where nominations and what is asked in the cycle meet,
    /// and about the one that the pod itself is nominated to.
    fn ask_with_nominations(
        &mut self,
        profile: &mut Profile,
        speakers: &Speakers,
        cycle: &Cycle<'_>,
    ) -> Option<()> {
        let nominated = &cycle.cluster.nominated;
        let own = nominated.node_of(cycle.row);
        let all = nominated.nodes().filter(|node| Some(*node) == own || !speakers.are_kept());
        for node in all.filter_map(|name| cycle.cluster.node(name)) {
            let Some(place) = cycle.cluster.place_of(node.row) else { continue };
            self.again.push(place);
            match profile.filter_with_nominated(cycle, node) {
                Ok(()) => self.score(profile, speakers, cycle, place)?,
                Err(status) => self.refuse(place, 0, status)?,
            }
        }
        Some(())
    }

    /// Says why each node of the cluster is out, in the order in which they are met.
    fn explain(
        &self,
        profile: &Profile,
        speakers: &Speakers,
        cycle: &Cycle<'_>,
        (numbers, start): (&[i32], usize),
        refused: &mut Refused,
    ) -> Option<()> {
        let order = cycle.cluster.order();
        if speakers.are_kept() {
            *refused = self.all_refused(cycle, start);
            return Some(());
        }
        let kinds: Vec<usize> = self.refusals.iter().map(|refusal| refused.number(&refusal.status)).collect();
        let places = (start..order.len()).chain(0..start);
        for place in places {
            let known = refusal(numbers[place]);
            let before = known.map_or(usize::MAX, |known| self.refusals[known].at);
            let mut asked = speakers.asked_filters.iter().take_while(|&&(at, _)| at < before);
            let answer = |&(_, plugin): &(usize, usize)| {
                let plugin = profile.plugin(plugin);
                let status = plugin.filter(cycle, &cycle.cluster[order[place]]).err();
                status.map(|status| status.by(plugin.name()))
            };
            let kind = match asked.find_map(answer) {
                Some(status) if !status.is_rejection() => return None,
                Some(status) => refused.number(&status),
                None => kinds[known?],
            };
            refused.push(order[place], kind);
        }
        Some(())
    }

    /// Every node of the cluster with its refusal, as they are met from `start` on.
    fn all_refused(&self, cycle: &Cycle<'_>, start: usize) -> Refused {
        let mut reasons = Reasons::default();
        let number = |refusal: &Refusal| {
            let number = reasons.number(&refusal.status);
            reasons.add(number, refusal.nodes);
            number
        };
        let numbers: Vec<usize> = self.refusals.iter().map(number).collect();
        let (order, base) = (cycle.cluster.order_of_now(), Rc::clone(&self.base));
        Refused::all(reasons, Numbered { order, numbers: base, start, reasons: numbers })
    }
}

impl Scratch {
    /// Begins a round in which each node is asked about once.
    fn new_round(&mut self, nodes: usize) {
        self.asked.resize(nodes, 0);
        self.round += 1;
    }

    /// Whether a node was not asked about yet in this round.
    fn is_first(&mut self, place: usize) -> bool {
        std::mem::replace(&mut self.asked[place], self.round) != self.round
    }

    /// Adds the scores that depend on the window to the totals; none when a plugin fails.
    fn score(
        &mut self,
        profile: &mut Profile,
        speakers: &Speakers,
        cycle: &Cycle<'_>,
        raws: &[Raw],
    ) -> Option<()> {
        let order = cycle.cluster.order();
        let nodes: Vec<&NodeInfo> = self.feasible.iter().map(|&place| &cycle.cluster[order[place]]).collect();
        let varying = speakers.normalized.iter().zip(raws).filter(|(_, raw)| raw.varies);
        for (&(plugin, weight), raw) in varying {
            self.own.clear();
            self.own.extend(self.feasible.iter().map(|&place| raw.values[place]));
            self.add(profile, (plugin, weight), cycle, &nodes)?;
        }
        for &(plugin, weight, before) in &speakers.asked_scores {
            match profile.plugins[plugin].pre_score(cycle, if before { &nodes } else { &[] }) {
                PreScore::Score => {}
                PreScore::Skip => continue,
                PreScore::Refused(_) => return None,
            }
            self.own.clear();
            self.own.resize(nodes.len(), 0);
            profile.plugin(plugin).score_many(cycle, &nodes, &mut self.own).ok()?;
            self.add(profile, (plugin, weight), cycle, &nodes)?;
        }
        Some(())
    }

    /// Normalises and weighs the scores of one plugin and adds them.
    fn add(
        &mut self,
        profile: &Profile,
        (plugin, weight): (usize, i64),
        cycle: &Cycle<'_>,
        nodes: &[&NodeInfo],
    ) -> Option<()> {
        let plugin = profile.plugin(plugin);
        plugin.normalize(cycle, nodes, &mut self.own);
        weigh(plugin.name(), weight, &mut self.own).ok()?;
        for (total, score) in self.totals.iter_mut().zip(&self.own) {
            *total += score;
        }
        Some(())
    }

    /// The place that wins by its total and by its turn in a heap.
    fn first_of_best_totals(&self) -> usize {
        let mut root = Root::new();
        for (rank, place) in self.best_totals() {
            root.tell(rank, place);
        }
        root.place()
    }

    /// The place that wins by its total and by the least of what it is given.
    fn least_of_best_totals(&self, given: impl Fn(usize) -> u64) -> usize {
        let places = self.best_totals().map(|(_, place)| (given(place), place));
        places.min().expect("one of them is the best").1
    }

    /// Rank and place of those whose total is the best.
    fn best_totals(&self) -> impl Iterator<Item = (usize, usize)> {
        let best = self.totals.iter().max().expect("there are feasible nodes");
        let ranked = self.totals.iter().zip(&self.feasible).enumerate();
        ranked.filter(move |(_, (total, _))| *total == best).map(|(rank, (_, &place))| (rank, place))
    }
}

/// The place of a refusal among the refusals, by its number.
fn refusal(number: i32) -> Option<usize> {
    if number == STRUCK { None } else { usize::try_from(-1 - number).ok() }
}
