//! What every node is to pods of one shape, kept from cycle to cycle (ARCHITECTURE.md, "The shape index").
//!
//! Most answers of most plugins depend on the pod's spec and on the node alone. For each spec that is
//! scheduled often, one row of numbers holds what every node came to: whether it can do, the sum of the
//! scores that depend on nothing else, and which raw scores still have to be normalised over the feasible
//! nodes. A row is brought up to date from the list of nodes that changed since it was last used; the search
//! is then a pass over numbers. Chooses exactly as [`algorithm`](super::algorithm) does, by test.
//! Knows nothing of what plugins mean.

use crate::base::Row;
use crate::base::hash::Map;
use crate::control::kubernetes::objects::PodSpec;

use super::cluster::{Cluster, NodeInfo};
use super::framework::{Cycle, Dependence, Profile, Status};

/// So many shapes are kept; the one that was used longest ago makes room.
const SHAPES_MAX: usize = 256;
/// Nodes that differ in more raw scores than this are searched without the index.
const CLASSES_MAX: usize = 64;
/// Numbers are looked at in blocks of this size.
const BLOCK: usize = 64;
/// A node that cannot do.
const INFEASIBLE: i32 = -1;

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
    /// By place in the search order: the sum of weighted scores that depend on the node alone, or
    /// [`INFEASIBLE`].
    base: Vec<i32>,
    /// By place: which raw scores the node has.
    class: Vec<u8>,
    /// The raw scores of each class, one for each plugin that normalises over the window.
    classes: Vec<Box<[i64]>>,
    epoch: u64,
    seen: u64,
    used: u64,
}

/// Room that is used again in each search.
#[derive(Debug, Default)]
struct Scratch {
    /// Of each block of the window: where it begins, how long it is, how many feasible nodes came before it,
    /// and its best number.
    blocks: Vec<Block>,
    /// By class: what the normalised scores add.
    added: Vec<i32>,
    /// By class: whether a feasible node has it.
    present: Vec<bool>,
    /// By place: the last round of questions in which the node was asked about.
    asked: Vec<u64>,
    round: u64,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    start: usize,
    length: usize,
    before: usize,
    best: i32,
}

/// What decides among equals, the least first; the place is last.
type Key = (u64, u32, usize);

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

/// The plugins of a profile, as far as the index may be used for a pod.
#[derive(Debug, Default)]
pub struct Pure {
    filters: Vec<usize>,
    scores: Vec<(usize, i64)>,
    normalized: Vec<(usize, i64)>,
}

impl ShapeIndex {
    /// Searches `wanted` feasible nodes from `start` on and chooses the best.
    ///
    /// # Errors
    /// When a plugin fails; none when nodes differ too much for the index.
    pub fn search(
        &mut self,
        profile: &Profile,
        pure: &Pure,
        cycle: &Cycle<'_>,
        start: usize,
        wanted: usize,
    ) -> Result<Option<Hit>, Status> {
        let place = self.shape(cycle);
        let shape = &mut self.shapes[place];
        let scratch = &mut self.scratch;
        if !shape.catch_up(profile, pure, cycle, scratch)? {
            return Ok(None);
        }
        let nodes = shape.base.len();
        let order = cycle.cluster.order();
        let key = |rank: usize, place: usize| match &profile.ranks {
            None => precedence(rank, place),
            Some(ranks) => (ranks[order[place].index()], 0, place),
        };
        let (feasible, refused) = scratch.window(&shape.base, start % nodes, wanted);
        if feasible == 0 {
            return Ok(Some(Hit { place: None, feasible, refused }));
        }
        if feasible == 1 {
            return Ok(Some(Hit { place: scratch.first(&shape.base), feasible, refused }));
        }
        let winner = if shape.classes.len() <= 1 {
            scratch.best(&shape.base, key)
        } else {
            scratch.normalize(profile, pure, cycle, shape);
            scratch.best_with_classes(shape, key)
        };
        Ok(Some(Hit { place: Some(winner), feasible, refused }))
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

impl Pure {
    /// The plugins that are asked for a pod in this cycle; none when one of them looks beyond the node.
    pub fn of(profile: &mut Profile, cycle: &Cycle<'_>) -> Option<Pure> {
        let mut pure = Pure::default();
        for &place in &profile.order.filter {
            if !profile.skips_filter(place) {
                if profile.plugin(place).filter_depends_on() != Dependence::Node {
                    return None;
                }
                pure.filters.push(place);
            }
        }
        for &(place, weight) in &profile.order.score {
            let plugin = profile.plugin(place);
            if !plugin.scores(cycle) {
                continue;
            }
            match plugin.score_depends_on() {
                Dependence::Node => pure.scores.push((place, weight)),
                Dependence::NormalizedOverWindow => pure.normalized.push((place, weight)),
                Dependence::Window | Dependence::Cluster => return None,
            }
        }
        Some(pure)
    }
}

impl Shape {
    fn new(spec: Row<PodSpec>) -> Self {
        Shape {
            spec,
            base: Vec::new(),
            class: Vec::new(),
            classes: Vec::new(),
            epoch: u64::MAX,
            seen: 0,
            used: 0,
        }
    }

    /// Asks the plugins about every node that changed since the last time; says whether the index can be used.
    fn catch_up(
        &mut self,
        profile: &Profile,
        pure: &Pure,
        cycle: &Cycle<'_>,
        scratch: &mut Scratch,
    ) -> Result<bool, Status> {
        let cluster: &Cluster = cycle.cluster;
        let order = cluster.order();
        match cluster.changes_since(self.seen).filter(|_| self.epoch == cluster.epoch()) {
            Some(changed) if changed.len() < order.len() => {
                scratch.new_round(order.len());
                for &row in changed {
                    if let Some(place) = cluster.place_of(row)
                        && scratch.is_first(place)
                        && !self.ask(profile, pure, cycle, place, row)?
                    {
                        return Ok(false);
                    }
                }
            }
            _ => {
                self.base.clear();
                self.base.resize(order.len(), INFEASIBLE);
                self.class.clear();
                self.class.resize(order.len(), 0);
                self.classes.clear();
                for (place, &row) in order.iter().enumerate() {
                    if !self.ask(profile, pure, cycle, place, row)? {
                        return Ok(false);
                    }
                }
            }
        }
        self.epoch = cluster.epoch();
        self.seen = cluster.changes_end();
        Ok(true)
    }

    fn ask(
        &mut self,
        profile: &Profile,
        pure: &Pure,
        cycle: &Cycle<'_>,
        place: usize,
        row: Row<NodeInfo>,
    ) -> Result<bool, Status> {
        let node = &cycle.cluster[row];
        for &plugin in &pure.filters {
            if let Err(status) = profile.plugin(plugin).filter(cycle, node) {
                if !status.is_rejection() {
                    return Err(status);
                }
                self.base[place] = INFEASIBLE;
                return Ok(true);
            }
        }
        let mut base = 0;
        for &(plugin, weight) in &pure.scores {
            base += profile.plugin(plugin).score(cycle, node)? * weight;
        }
        let Ok(base) = i32::try_from(base) else { return Ok(false) };
        if base < 0 {
            return Ok(false);
        }
        self.base[place] = base;
        if pure.normalized.is_empty() {
            return Ok(true);
        }
        let mut raw = [0; 8];
        if pure.normalized.len() > raw.len() {
            return Ok(false);
        }
        for (raw, &(plugin, _)) in raw.iter_mut().zip(&pure.normalized) {
            *raw = profile.plugin(plugin).score(cycle, node)?;
        }
        let raw = &raw[..pure.normalized.len()];
        let known = self.classes.iter().position(|class| **class == *raw);
        let class = known.unwrap_or_else(|| {
            self.classes.push(raw.into());
            self.classes.len() - 1
        });
        if self.classes.len() > CLASSES_MAX {
            self.epoch = u64::MAX;
            return Ok(false);
        }
        self.class[place] = u8::try_from(class).expect("few classes");
        Ok(true)
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

    /// Cuts the window into blocks: how many feasible and how many refused nodes it has.
    fn window(&mut self, base: &[i32], start: usize, wanted: usize) -> (usize, usize) {
        self.blocks.clear();
        let (mut feasible, mut refused) = (0, 0);
        for (from, to) in [(start, base.len()), (0, start)] {
            let mut place = from;
            while place < to {
                let numbers = &base[place..to.min(place + BLOCK)];
                let (count, best) = tally(numbers);
                if feasible + count > wanted {
                    let length = until(numbers, wanted - feasible);
                    let (count, best) = tally(&numbers[..length]);
                    self.blocks.push(Block { start: place, length, before: feasible, best });
                    return (feasible + count, refused + length - count);
                }
                self.blocks.push(Block { start: place, length: numbers.len(), before: feasible, best });
                feasible += count;
                refused += numbers.len() - count;
                place += numbers.len();
            }
        }
        (feasible, refused)
    }

    /// The first feasible place of the window.
    fn first(&self, base: &[i32]) -> Option<usize> {
        let block = self.blocks.iter().find(|block| block.best != INFEASIBLE)?;
        let numbers = &base[block.start..block.start + block.length];
        Some(block.start + numbers.iter().position(|&number| number != INFEASIBLE)?)
    }

    /// The place that wins among the best of the window.
    fn best(&self, base: &[i32], key: impl Fn(usize, usize) -> Key) -> usize {
        let best = self.blocks.iter().map(|block| block.best).max().expect("a window has blocks");
        let mut winner = (u64::MAX, u32::MAX, 0);
        for block in self.blocks.iter().filter(|block| block.best == best) {
            let mut rank = block.before;
            for (place, &number) in base.iter().enumerate().skip(block.start).take(block.length) {
                if number == best {
                    winner = winner.min(key(rank, place));
                }
                rank += usize::from(number != INFEASIBLE);
            }
        }
        winner.2
    }

    /// Works out what the normalised scores add to each class that a feasible node of the window has.
    fn normalize(&mut self, profile: &Profile, pure: &Pure, cycle: &Cycle<'_>, shape: &Shape) {
        self.present.clear();
        self.present.resize(shape.classes.len(), false);
        for block in &self.blocks {
            for place in block.start..block.start + block.length {
                if shape.base[place] != INFEASIBLE {
                    self.present[usize::from(shape.class[place])] = true;
                }
            }
        }
        self.added.clear();
        self.added.resize(shape.classes.len(), 0);
        for (nth, &(plugin, weight)) in pure.normalized.iter().enumerate() {
            let present = || self.present.iter().enumerate().filter(|(_, present)| **present);
            let mut scores: Vec<i64> = present().map(|(class, _)| shape.classes[class][nth]).collect();
            profile.plugin(plugin).normalize(cycle, &[], &mut scores);
            for ((class, _), score) in present().zip(scores) {
                self.added[class] += i32::try_from(score * weight).expect("scores are 0 to 100");
            }
        }
    }

    fn best_with_classes(&self, shape: &Shape, key: impl Fn(usize, usize) -> Key) -> usize {
        let total = |place: usize| match shape.base[place] {
            INFEASIBLE => INFEASIBLE,
            base => base + self.added[usize::from(shape.class[place])],
        };
        let mut best = INFEASIBLE;
        let mut winner = (u64::MAX, u32::MAX, 0);
        for block in &self.blocks {
            let mut rank = block.before;
            for place in block.start..block.start + block.length {
                let total = total(place);
                if total > best {
                    best = total;
                    winner = key(rank, place);
                } else if total == best && total != INFEASIBLE {
                    winner = winner.min(key(rank, place));
                }
                rank += usize::from(total != INFEASIBLE);
            }
        }
        winner.2
    }
}

/// How many nodes of a block can do, and the best number.
fn tally(numbers: &[i32]) -> (usize, i32) {
    let (mut count, mut best) = (0_u32, INFEASIBLE);
    for &number in numbers {
        count += u32::from(number >= 0);
        best = best.max(number);
    }
    (count as usize, best)
}

/// How long a block is up to the feasible node after the last that is wanted: that one is met, and not
/// counted.
fn until(numbers: &[i32], wanted: usize) -> usize {
    let feasible = numbers.iter().enumerate().filter(|(_, number)| **number != INFEASIBLE);
    feasible.map(|(place, _)| place).nth(wanted).unwrap_or(numbers.len())
}

/// Sorts the rank that a heap would have at its root first: `rank + 1` in binary, left-aligned, the shorter
/// first among equals (K 2.6).
fn precedence(rank: usize, place: usize) -> Key {
    let one_more = rank as u64 + 1;
    let zeros = one_more.leading_zeros();
    (one_more << zeros, 64 - zeros, place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::kubernetes::scheduler::heap_root;

    #[test]
    fn the_window_and_its_winner_equal_plain_loops() {
        // A small generator of its own: numbers with many ties and many gaps.
        let mut state = 1_u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..4_000 {
            let nodes = 1 + usize::try_from(draw(400)).expect("small");
            let (ties, gaps) = (1 + draw(6), 1 + draw(5));
            let number = |draw: &mut dyn FnMut(u64) -> u64| {
                if draw(6) < gaps { INFEASIBLE } else { i32::try_from(draw(ties)).expect("small") }
            };
            let base: Vec<i32> = (0..nodes).map(|_| number(&mut draw)).collect();
            let start = usize::try_from(draw(nodes as u64)).expect("small");
            let wanted = 1 + usize::try_from(draw(nodes as u64)).expect("small");
            let mut feasible: Vec<usize> = Vec::new();
            let mut refused = 0;
            for step in 0..nodes {
                let place = (start + step) % nodes;
                match base[place] {
                    INFEASIBLE => refused += 1,
                    _ if feasible.len() == wanted => break,
                    _ => feasible.push(place),
                }
            }
            let mut scratch = Scratch::default();
            assert_eq!(scratch.window(&base, start, wanted), (feasible.len(), refused));
            if !feasible.is_empty() {
                let totals: Vec<i64> = feasible.iter().map(|&place| i64::from(base[place])).collect();
                assert_eq!(scratch.best(&base, precedence), feasible[heap_root(&totals)]);
                assert_eq!(scratch.first(&base), Some(feasible[0]));
                let ranks: Vec<u64> = (0..nodes).map(|_| draw(1 << 40)).collect();
                let by_rank = feasible.iter().min_by_key(|&&place| (-base[place], ranks[place]));
                assert_eq!(Some(&scratch.best(&base, |_, place| (ranks[place], 0, place))), by_rank);
            }
        }
    }
}
