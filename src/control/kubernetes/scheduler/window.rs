//! The window of a search over numbers: how far it goes, and who wins in it.
//!
//! Each node is a number, by its place in the search order: how good it is, or below zero when it cannot do.
//! Numbers are looked at in blocks, most of which need no second look. Knows nothing of what a number means.

use std::ops::Range;

/// Numbers are looked at in blocks of this size.
pub(super) const BLOCK: usize = 64;
/// A node that cannot do by what is asked in each cycle. Other negative numbers, from -1 down, are those of
/// refusals.
pub(super) const STRUCK: i32 = i32::MIN;

/// A piece of the window: where it begins, how long it is, how many feasible nodes came before it and how many
/// it has, and its best number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    start: usize,
    length: usize,
    before: usize,
    feasible: usize,
    best: i32,
}

/// Who of equals comes to the root of the heap that the original builds: the first in pre-order (K 2.6).
///
/// Equals are told by rank, ascending. On one level of the heap the first of them comes first in pre-order; the
/// others are passed over.
#[derive(Debug)]
pub(super) struct Root {
    /// What decides, the least first, of the best so far, and its place.
    best: (u64, u32, usize),
    /// Lower ranks are on a level that is done.
    next: usize,
}

/// Numbers of nodes, by place, that are looked at piece by piece.
pub(super) trait Numbers {
    fn len(&self) -> usize;

    /// A piece; none when a plugin fails.
    fn piece(&mut self, range: Range<usize>) -> Option<&[i32]>;
}

/// Numbers that are known.
pub(super) struct Kept<'a>(pub(super) &'a [i32]);

impl Numbers for Kept<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn piece(&mut self, range: Range<usize>) -> Option<&[i32]> {
        Some(&self.0[range])
    }
}

/// Numbers that are filled in when they are looked at.
pub(super) struct Asked<'a, F>(pub(super) &'a mut [i32], pub(super) F);

impl<F: Fn(Range<usize>, &mut [i32]) -> Option<()>> Numbers for Asked<'_, F> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn piece(&mut self, range: Range<usize>) -> Option<&[i32]> {
        let piece = &mut self.0[range.clone()];
        self.1(range, piece)?;
        Some(piece)
    }
}

impl Root {
    pub(super) const fn new() -> Self {
        Root { best: (u64::MAX, u32::MAX, 0), next: 0 }
    }

    pub(super) fn tell(&mut self, rank: usize, place: usize) {
        if rank >= self.next {
            let (path, length) = precedence(rank);
            self.best = self.best.min((path, length, place));
            self.next = (1 << length) - 1;
        }
    }

    pub(super) const fn place(&self) -> usize {
        self.best.2
    }
}

/// Cuts the window into blocks: how many feasible and how many refused nodes it has.
pub(super) fn window(
    blocks: &mut Vec<Block>,
    mut numbers: impl Numbers,
    start: usize,
    wanted: usize,
) -> Option<(usize, usize)> {
    blocks.clear();
    let (mut feasible, mut refused) = (0, 0);
    for (from, to) in [(start, numbers.len()), (0, start)] {
        let mut place = from;
        while place < to {
            let piece = numbers.piece(place..to.min(place + BLOCK))?;
            let (count, best) = tally(piece);
            if feasible + count > wanted {
                let length = until(piece, wanted - feasible);
                let (count, best) = tally(&piece[..length]);
                blocks.push(Block { start: place, length, before: feasible, feasible: count, best });
                return Some((feasible + count, refused + length - count));
            }
            blocks.push(Block { start: place, length: piece.len(), before: feasible, feasible: count, best });
            feasible += count;
            refused += piece.len() - count;
            place += piece.len();
        }
    }
    Some((feasible, refused))
}

/// The first feasible place of the window.
pub(super) fn first(blocks: &[Block], numbers: &[i32]) -> Option<usize> {
    let block = blocks.iter().find(|block| block.best >= 0)?;
    let numbers = &numbers[block.start..block.start + block.length];
    Some(block.start + numbers.iter().position(|&number| number >= 0)?)
}

/// The place that wins among the best of the window by its turn in a heap.
pub(super) fn first_of_best(blocks: &[Block], numbers: &[i32]) -> usize {
    let mut root = Root::new();
    for block in best_blocks(blocks) {
        if block.before + block.feasible <= root.next {
            continue;
        }
        let numbers = &numbers[block.start..block.start + block.length];
        // Where all nodes can do, the ranks are known; others are counted.
        let mut skipped = 0;
        if block.feasible == block.length {
            skipped = root.next.saturating_sub(block.before);
        }
        let mut rank = block.before + skipped;
        for (place, &number) in (block.start..).zip(numbers).skip(skipped) {
            if number == block.best {
                root.tell(rank, place);
            }
            rank += usize::from(number >= 0);
        }
    }
    root.place()
}

/// The place that wins among the best of the window by the least of what it is given.
pub(super) fn least_of_best(blocks: &[Block], numbers: &[i32], given: impl Fn(usize) -> u64) -> usize {
    let places = best_blocks(blocks).flat_map(|block| {
        let places = block.start..block.start + block.length;
        places.filter(|&place| numbers[place] == block.best)
    });
    places.map(|place| (given(place), place)).min().expect("a window has a best").1
}

/// The blocks that have the best number of all.
fn best_blocks(blocks: &[Block]) -> impl Iterator<Item = &Block> {
    let best = blocks.iter().map(|block| block.best).max().expect("a window has blocks");
    blocks.iter().filter(move |block| block.best == best)
}

/// Lists the feasible places of the window with their numbers.
pub(super) fn list(blocks: &[Block], numbers: &[i32], feasible: &mut Vec<usize>, totals: &mut Vec<i64>) {
    feasible.clear();
    totals.clear();
    for block in blocks {
        for (place, &number) in numbers.iter().enumerate().skip(block.start).take(block.length) {
            if number >= 0 {
                feasible.push(place);
                totals.push(i64::from(number));
            }
        }
    }
}

/// How many nodes of a block can do, and the best number.
fn tally(numbers: &[i32]) -> (usize, i32) {
    let (mut count, mut best) = (0_u32, STRUCK);
    for &number in numbers {
        // Blocks are short; a checked sum is added up one by one.
        count = count.wrapping_add(u32::from(number >= 0));
        best = best.max(number);
    }
    (count as usize, best)
}

/// How long a block is up to the feasible node after the last that is wanted: that one is met, and not
/// counted.
fn until(numbers: &[i32], wanted: usize) -> usize {
    let feasible = numbers.iter().enumerate().filter(|(_, number)| **number >= 0);
    feasible.map(|(place, _)| place).nth(wanted).unwrap_or(numbers.len())
}

/// Sorts the rank that a heap would have at its root first: `rank + 1` in binary, left-aligned, the shorter
/// first among equals (K 2.6).
fn precedence(rank: usize) -> (u64, u32) {
    let one_more = rank as u64 + 1;
    let zeros = one_more.leading_zeros();
    (one_more << zeros, 64 - zeros)
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
                if draw(6) < gaps {
                    -1 - i32::try_from(draw(2)).expect("small")
                } else {
                    i32::try_from(draw(ties)).expect("small")
                }
            };
            let base: Vec<i32> = (0..nodes).map(|_| number(&mut draw)).collect();
            let start = usize::try_from(draw(nodes as u64)).expect("small");
            let wanted = 1 + usize::try_from(draw(nodes as u64)).expect("small");
            let mut feasible: Vec<usize> = Vec::new();
            let mut refused = 0;
            for step in 0..nodes {
                let place = (start + step) % nodes;
                match base[place] {
                    ..0 => refused += 1,
                    _ if feasible.len() == wanted => break,
                    _ => feasible.push(place),
                }
            }
            let mut blocks = Vec::new();
            let counts = window(&mut blocks, Kept(&base), start, wanted);
            assert_eq!(counts, Some((feasible.len(), refused)));
            if !feasible.is_empty() {
                let totals: Vec<i64> = feasible.iter().map(|&place| i64::from(base[place])).collect();
                let winner = feasible[heap_root(&totals)];
                assert_eq!(first_of_best(&blocks, &base), winner);
                let mut root = Root::new();
                let (best, ranked) = (totals.iter().max(), feasible.iter().zip(&totals).enumerate());
                for (rank, (&place, _)) in ranked.filter(|(_, (_, total))| Some(*total) == best) {
                    root.tell(rank, place);
                }
                assert_eq!(root.place(), winner);
                assert_eq!(first(&blocks, &base), Some(feasible[0]));
                let ranks: Vec<u64> = (0..nodes).map(|_| draw(1 << 40)).collect();
                let by_rank = feasible.iter().min_by_key(|&&place| (-base[place], ranks[place]));
                assert_eq!(Some(&least_of_best(&blocks, &base, |place| ranks[place])), by_rank);
            }
        }
    }
}
