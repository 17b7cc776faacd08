//! One scheduling cycle: search, score, choose (K 2.5, 2.6).
//!
//! Reads the snapshot and changes nothing but the place where the next search begins. What a cycle found
//! on its way, each refusal and each score, stays in [`Found`] until the next one, so that a failure can be
//! worded and a choice explained. Knows nothing of the queue and of preemption.

use std::collections::BTreeSet;

use crate::base::{Row, Symbol};
use crate::mark;

use super::cluster::NodeInfo;
use super::framework::{Cycle, Profile, Scores, Status};
use super::refused::Refused;
use super::shape_index::{Hit, Speakers};

/// Clusters with fewer nodes are searched whole, and a search never wants fewer feasible nodes.
const FEASIBLE_MIN: usize = 100;
/// An adaptive search wants at least this percentage.
const PERCENTAGE_MIN: i64 = 5;

/// What one cycle found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Nodes that can do, in the order in which they were met.
    pub feasible: Vec<Row<NodeInfo>>,
    /// Nodes that were refused, in the order in which they were met.
    pub refused: Refused,
    /// Why every node without a refusal of its own is out: the whole pod was refused, or the search was
    /// narrowed.
    pub absent: Option<Status>,
    /// What refused the pod as a whole, in words.
    pub pre_filter_message: Option<String>,
    /// The plugins that refused.
    pub rejected_by: BTreeSet<&'static str>,
    /// The scores of the feasible nodes; empty where no scoring took place.
    pub scores: Scores,
    /// How many nodes there were.
    pub nodes: usize,
    /// How many of them can do.
    pub feasible_count: usize,
    /// How many of them have a refusal of their own.
    pub refused_count: usize,
    /// Whether each refusal was kept from an earlier cycle, or would be kept to a later one.
    pub kept: bool,
    /// Whether only the choice is wanted: then the lists and scores of a cycle that finds a node may stay
    /// empty.
    pub brief: bool,
    /// Whether the refusals of a cycle that finds no node may stay unsaid as well: for callers that neither
    /// preempt nor explain.
    pub wordless: bool,
}

/// What a cycle decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// This node.
    Node(Row<NodeInfo>),
    /// None can do; [`Found`] says why.
    Nowhere,
    /// There is no node at all.
    NoNodes,
    /// Something is broken.
    Error(String),
}

/// How many feasible nodes a search wants (K 2.5, 4).
///
/// ```
/// use windtunnel::control::kubernetes::scheduler::feasible_wanted;
/// assert_eq!(feasible_wanted(0, 99), 99);
/// assert_eq!(feasible_wanted(0, 2000), 680);
/// assert_eq!(feasible_wanted(0, 5000), 500);
/// assert_eq!(feasible_wanted(100, 5000), 5000);
/// ```
pub fn feasible_wanted(percentage: i32, nodes: usize) -> usize {
    if nodes < FEASIBLE_MIN {
        mark!("K 2.5 fewer than 100 nodes are searched whole");
        return nodes;
    }
    let count = i64::try_from(nodes).expect("fewer than 2^63 nodes");
    let percentage = match i64::from(percentage) {
        0 => {
            mark!("K 2.5 adaptive sampling has a floor of 5 percent");
            (50 - count / 125).max(PERCENTAGE_MIN)
        }
        stated => stated,
    };
    mark!("K 2.5 a search wants at least 100 nodes");
    usize::try_from(count * percentage / 100).map_or(FEASIBLE_MIN, |wanted| wanted.max(FEASIBLE_MIN))
}

/// Runs one cycle. `start` is where the search begins, and moves on.
pub fn schedule(profile: &mut Profile, cycle: &Cycle<'_>, start: &mut usize, found: &mut Found) -> Choice {
    let Found { brief, wordless, .. } = *found;
    *found = Found { nodes: cycle.cluster.order().len(), brief, wordless, ..Found::default() };
    if found.nodes == 0 {
        return Choice::NoNodes;
    }
    match find_feasible(profile, cycle, start, found) {
        Err(status) => return Choice::Error(status.message()),
        Ok(Some(winner)) => return Choice::Node(winner),
        Ok(None) => {}
    }
    found.feasible_count = found.feasible.len();
    found.refused_count = found.refused_count.max(found.refused.len());
    match found.feasible[..] {
        [] => Choice::Nowhere,
        [only] => {
            mark!("K 2.5 a single feasible node is not scored");
            Choice::Node(only)
        }
        _ => {
            let nodes: Vec<&NodeInfo> = found.feasible.iter().map(|&row| &cycle.cluster[row]).collect();
            match profile.score(cycle, &nodes, &mut found.scores) {
                Ok(()) => Choice::Node(profile.winner(&found.feasible, &found.scores.total)),
                Err(status) => Choice::Error(status.message()),
            }
        }
    }
}

/// Finds the nodes that can do; where the index could tell, the winner.
fn find_feasible(
    profile: &mut Profile,
    cycle: &Cycle<'_>,
    start: &mut usize,
    found: &mut Found,
) -> Result<Option<Row<NodeInfo>>, Status> {
    let prepared = profile.pre_filter(cycle);
    found.rejected_by.extend(&prepared.narrowed_by);
    if let Some(status) = prepared.refused {
        if !status.is_rejection() {
            return Err(status);
        }
        if !status.plugin.is_empty() {
            found.rejected_by.insert(status.plugin);
        }
        found.pre_filter_message = Some(status.message());
        found.absent = Some(status);
        return Ok(None);
    }
    if let Some(nominated) = cycle.pod.nominated.and_then(|name| cycle.cluster.node(name)) {
        mark!("K 2.5 a nominated node is looked at first, alone");
        let alone = search(profile, cycle, &[nominated.row], *start, found);
        if alone.is_ok() && !found.feasible.is_empty() {
            return Ok(None);
        }
    }
    if found.brief
        && prepared.only.is_none()
        && let Some(hit) = search_index(profile, cycle, *start, found)
    {
        *start = (*start + hit.feasible + found.refused_count) % found.nodes;
        return Ok(hit.place.map(|place| cycle.cluster.order()[place]));
    }
    let searched = match &prepared.only {
        None => search(profile, cycle, cycle.cluster.order(), *start, found),
        Some(names) => {
            mark!("K 2.5 a narrowed search walks names in order");
            let text = |name: &Symbol| cycle.specs.symbols.text(*name);
            let mut names = names.clone();
            names.sort_unstable_by(|one, other| text(one).cmp(text(other)));
            let nodes: Vec<Row<NodeInfo>> =
                names.iter().filter_map(|&name| Some(cycle.cluster.node(name)?.row)).collect();
            let narrowed = prepared.narrowed_by.join(" ");
            found.absent =
                Some(Status::unresolvable(format!("node(s) didn't satisfy plugin(s) [{narrowed}]")));
            search(profile, cycle, &nodes, *start, found)
        }
    };
    mark!("K 2.5 the next search begins where this one ended");
    *start = (*start + found.feasible.len() + found.refused.len()) % found.nodes;
    searched.map(|()| None)
}

/// Asks the index, and notes what came of it.
fn search_index(profile: &mut Profile, cycle: &Cycle<'_>, start: usize, found: &mut Found) -> Option<Hit> {
    if profile.order.score.is_empty() {
        return None;
    }
    let speakers = Speakers::of(profile, cycle);
    let order = cycle.cluster.order();
    let wanted = feasible_wanted(profile.percentage, order.len());
    let alone = found.refused.clone();
    let refused = if found.wordless { None } else { Some(&mut found.refused) };
    let mut index = std::mem::take(&mut profile.index);
    let hit = index.search(profile, &speakers, cycle, (start, wanted), refused);
    profile.index = index;
    let Some(hit) = hit else {
        found.refused = alone;
        return None;
    };
    // A nominated node that was refused alone counts once, whether it was met again or not.
    let met = |row: Row<NodeInfo>| {
        let place = cycle.cluster.place_of(row).expect("it was looked at");
        (place + order.len() - start % order.len()) % order.len() < hit.feasible + hit.refused
    };
    let unmet = alone.iter().filter(|(row, _)| !met(*row)).count();
    (found.feasible_count, found.refused_count) = (hit.feasible, hit.refused + unmet);
    found.kept = speakers.are_kept();
    found.rejected_by.extend(found.refused.kinds().map(|(status, _)| status.plugin));
    Some(hit)
}

/// Filters nodes in order, from `start` on, until one feasible node more than wanted is met: that one does
/// not count, but what was refused before it does.
fn search(
    profile: &mut Profile,
    cycle: &Cycle<'_>,
    nodes: &[Row<NodeInfo>],
    start: usize,
    found: &mut Found,
) -> Result<(), Status> {
    let wanted = if profile.order.score.is_empty() {
        mark!("K 2.5 without score plugins the first feasible node is enough");
        1
    } else {
        feasible_wanted(profile.percentage, nodes.len())
    };
    if profile.order.filter.is_empty() {
        let around = nodes.iter().cycle().skip(start % nodes.len().max(1));
        found.feasible.extend(around.take(wanted.min(nodes.len())));
        return Ok(());
    }
    for place in 0..nodes.len() {
        let row = nodes[(start + place) % nodes.len()];
        match profile.filter_with_nominated(cycle, &cycle.cluster[row]) {
            Ok(()) if found.feasible.len() == wanted => return Ok(()),
            Ok(()) => found.feasible.push(row),
            Err(status) if status.is_rejection() => {
                if !status.plugin.is_empty() {
                    found.rejected_by.insert(status.plugin);
                }
                found.refused.add(row, &status);
            }
            Err(status) => return Err(status),
        }
    }
    Ok(())
}

impl Found {
    /// Why a node is out.
    pub fn status(&self, row: Row<NodeInfo>) -> Option<&Status> {
        let own = self.refused.iter().find(|(known, _)| *known == row);
        own.map(|(_, status)| status).or(self.absent.as_ref())
    }
}

/// The place of the winner: the root of the binary heap that the original builds over the totals (K 2.6).
/// Among equals that is not always the first.
///
/// ```
/// use windtunnel::control::kubernetes::scheduler::heap_root;
/// assert_eq!(heap_root(&[7, 7, 7]), 0);
/// assert_eq!(heap_root(&[9, 9, 10, 10, 10]), 3);
/// ```
pub fn heap_root(totals: &[i64]) -> usize {
    mark!("K 2.6 the winner is the root of a heap");
    // The places in the heap; sifting down from the last parent to the first.
    let mut heap: Vec<usize> = (0..totals.len()).collect();
    for parent in (0..totals.len() / 2).rev() {
        let mut place = parent;
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            if left >= heap.len() {
                break;
            }
            let right_wins = right < heap.len() && totals[heap[right]] > totals[heap[left]];
            let child = if right_wins { right } else { left };
            if totals[heap[child]] <= totals[heap[place]] {
                break;
            }
            heap.swap(place, child);
            place = child;
        }
    }
    heap[0]
}
