//! The least of many keys, kept up to date key by key.
//!
//! A row of leaves in a fixed order, over it a row with the least of each block of leaves, and so on
//! up to one. A leaf that is not the least of its block ends its update there, which is most of them.
//! Knows nothing of what a key or a leaf stands for.

/// How many nodes a block has: as many keys as one cache line holds.
const BLOCK: usize = 8;

/// A key that is never the least while another is there.
pub(super) const NONE: u128 = u128::MAX;

/// Leaves with keys; [`NONE`] for a leaf that must not be found.
#[derive(Debug)]
pub(super) enum Tree {
    /// Keys below 2^64 - 1.
    Narrow(Rows<u64>),
    /// All others.
    Wide(Rows<u128>),
}

/// The leaves, then the least of each block, up to a row of one.
#[derive(Debug)]
pub(super) struct Rows<K> {
    rows: Vec<Vec<K>>,
    /// How many leaves below have the least key, for each node above the leaves; only when counted.
    counts: Option<Vec<Vec<u32>>>,
}

/// What a key is kept in.
pub(super) trait Word: Copy + Ord {
    /// What stands for the key [`NONE`].
    const NONE: Self;
    fn of(key: u128) -> Self;
    fn key(self) -> u128;
}

macro_rules! both {
    ($tree:expr, $rows:ident => $answer:expr) => {
        match $tree {
            Tree::Narrow($rows) => $answer,
            Tree::Wide($rows) => $answer,
        }
    };
}

impl Tree {
    /// A tree over these leaves, whose keys have so many bits at most, now and later. One that is
    /// counted can say which leaf is the `n`-th of the least.
    pub(super) fn of(leaves: &[u128], bits: u32, counted: bool) -> Self {
        if bits <= NARROW_BITS {
            Tree::Narrow(Rows::of(leaves.iter().map(|&key| Word::of(key)).collect(), counted))
        } else {
            Tree::Wide(Rows::of(leaves.iter().map(|&key| Word::of(key)).collect(), counted))
        }
    }

    /// How many leaves.
    pub(super) fn len(&self) -> usize {
        both!(self, rows => rows.len())
    }

    /// The key of a leaf.
    pub(super) fn key(&self, leaf: usize) -> u128 {
        both!(self, rows => rows.key(leaf).key())
    }

    /// The least key of all.
    pub(super) fn least(&self) -> u128 {
        both!(self, rows => rows.least().key())
    }

    /// Adds a leaf behind the last.
    pub(super) fn push(&mut self, key: u128) {
        both!(self, rows => rows.push(Word::of(key)));
    }

    /// Changes the key of a leaf.
    pub(super) fn set(&mut self, leaf: usize, key: u128) {
        both!(self, rows => rows.set(leaf, Word::of(key)));
    }

    /// The first leaf with the least key. There is one with a key.
    pub(super) fn first(&self) -> usize {
        both!(self, rows => rows.first())
    }

    /// How many leaves have the least key. The tree is counted.
    pub(super) fn ties(&self) -> usize {
        both!(self, rows => rows.ties())
    }

    /// The `n`-th leaf with the least key, from 0, of fewer than [`ties`](Self::ties).
    pub(super) fn nth(&self, n: usize) -> usize {
        both!(self, rows => rows.nth(n))
    }
}

/// One bit is left so that no key is [`NONE`].
const NARROW_BITS: u32 = 63;

impl Word for u64 {
    const NONE: u64 = u64::MAX;
    fn of(key: u128) -> u64 {
        u64::try_from(key).unwrap_or(u64::MAX)
    }
    fn key(self) -> u128 {
        if self == u64::MAX { NONE } else { u128::from(self) }
    }
}

impl Word for u128 {
    const NONE: u128 = NONE;
    fn of(key: u128) -> u128 {
        key
    }
    fn key(self) -> u128 {
        self
    }
}

impl<K: Word> Rows<K> {
    fn of(leaves: Vec<K>, counted: bool) -> Self {
        let mut tree = Rows { rows: vec![leaves], counts: counted.then(Vec::new) };
        while tree.top() > 1 {
            tree.grow();
        }
        tree
    }

    fn len(&self) -> usize {
        self.rows[0].len()
    }

    fn key(&self, leaf: usize) -> K {
        self.rows[0][leaf]
    }

    fn least(&self) -> K {
        self.rows.last().and_then(|row| row.first()).copied().unwrap_or(K::NONE)
    }

    fn push(&mut self, key: K) {
        let leaf = self.len();
        self.rows[0].push(K::NONE);
        for above in 1..self.rows.len() {
            if self.rows[above].len() * BLOCK < self.rows[above - 1].len() {
                self.rows[above].push(K::NONE);
                if let Some(counts) = &mut self.counts {
                    counts[above - 1].push(0);
                }
            }
        }
        if self.top() > 1 {
            self.grow();
        }
        self.set(leaf, key);
    }

    fn set(&mut self, leaf: usize, key: K) {
        let former = std::mem::replace(&mut self.rows[0][leaf], key);
        if former == key {
            return;
        }
        if self.counts.is_some() { self.recount_up(leaf) } else { self.lift(leaf, former, key) }
    }

    fn first(&self) -> usize {
        let least = self.least();
        let mut node = 0;
        for row in self.rows.iter().rev().skip(1) {
            let child = children(row, node).iter().position(|&key| key == least);
            node = node * BLOCK + child.expect("the least comes from below");
        }
        node
    }

    fn ties(&self) -> usize {
        let counts = self.counts.as_ref().expect("the tree is counted");
        match counts.last() {
            Some(top) => top[0] as usize,
            None => self.len(),
        }
    }

    fn nth(&self, mut n: usize) -> usize {
        let counts = self.counts.as_ref().expect("the tree is counted");
        let least = self.least();
        let mut node = 0;
        for height in (0..self.rows.len() - 1).rev() {
            let row = &self.rows[height];
            let mut found = None;
            for child in block(row, node).filter(|&child| row[child] == least) {
                let below = if height == 0 { 1 } else { counts[height - 1][child] as usize };
                if n < below {
                    found = Some(child);
                    break;
                }
                n -= below;
            }
            node = found.expect("fewer than the ties");
        }
        node
    }

    fn top(&self) -> usize {
        self.rows.last().map_or(0, Vec::len)
    }

    /// Adds a row with the least of each block of the top row.
    fn grow(&mut self) {
        let height = self.rows.len() - 1;
        let nodes = self.top().div_ceil(BLOCK);
        let summaries = (0..nodes).map(|node| self.summary(height, node)).collect::<Vec<_>>();
        self.rows.push(summaries.iter().map(|&(least, _)| least).collect());
        if let Some(counts) = &mut self.counts {
            counts.push(summaries.iter().map(|&(_, count)| count).collect());
        }
    }

    /// Carries a changed key up until a block keeps its least.
    fn lift(&mut self, leaf: usize, mut former: K, mut key: K) {
        let mut node = leaf;
        for above in 1..self.rows.len() {
            node /= BLOCK;
            let held = self.rows[above][node];
            let least = if key <= held {
                key
            } else if former == held {
                least_above(children(&self.rows[above - 1], node), held)
            } else {
                return;
            };
            if least == held {
                return;
            }
            self.rows[above][node] = least;
            former = held;
            key = least;
        }
    }

    /// Like [`lift`](Self::lift), with the counts.
    fn recount_up(&mut self, leaf: usize) {
        let mut node = leaf;
        for above in 1..self.rows.len() {
            node /= BLOCK;
            let (least, count) = self.summary(above - 1, node);
            let counts = self.counts.as_mut().expect("the tree is counted");
            let held = (self.rows[above][node], counts[above - 1][node]);
            if held == (least, count) {
                return;
            }
            self.rows[above][node] = least;
            counts[above - 1][node] = count;
        }
    }

    /// The least key of a block and how many leaves below have it.
    fn summary(&self, height: usize, node: usize) -> (K, u32) {
        let row = &self.rows[height];
        let least = least(children(row, node));
        let Some(counts) = &self.counts else { return (least, 0) };
        let ties = block(row, node).filter(|&child| row[child] == least);
        let count = ties.map(|child| if height == 0 { 1 } else { counts[height - 1][child] }).sum();
        (least, count)
    }
}

/// The least of some keys.
fn least<K: Word>(keys: &[K]) -> K {
    keys.iter().fold(K::NONE, |least, &key| least.min(key))
}

/// The least of some keys, none of which is below `floor`: no look goes on once it is found.
fn least_above<K: Word>(keys: &[K], floor: K) -> K {
    let mut least = K::NONE;
    for &key in keys {
        if key == floor {
            return key;
        }
        least = least.min(key);
    }
    least
}

/// The keys of the children of a node in the row below it.
fn children<K>(below: &[K], node: usize) -> &[K] {
    &below[block(below, node)]
}

/// The children of a node in the row below it.
fn block<K>(below: &[K], node: usize) -> std::ops::Range<usize> {
    node * BLOCK..((node + 1) * BLOCK).min(below.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The least key, its first leaf, and every leaf that has it.
    fn naive(leaves: &[u128]) -> (u128, Vec<usize>) {
        let least = leaves.iter().copied().min().unwrap_or(NONE);
        (least, (0..leaves.len()).filter(|&leaf| leaves[leaf] == least).collect())
    }

    fn check(tree: &Tree, leaves: &[u128], counted: bool) {
        let (least, ties) = naive(leaves);
        assert_eq!((tree.least(), tree.len()), (least, leaves.len()));
        if let Some(&first) = ties.first() {
            assert_eq!(tree.first(), first);
            assert_eq!(tree.key(first), least);
        }
        if counted && !leaves.is_empty() {
            assert_eq!(tree.ties(), ties.len());
            assert_eq!((0..ties.len()).map(|n| tree.nth(n)).collect::<Vec<_>>(), ties);
        }
    }

    proptest! {
        #[test]
        fn a_tree_knows_what_a_look_at_all_leaves_knows(
            start in prop::collection::vec(0_u128..4, 0..600),
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0_u128..6, any::<bool>()), 0..80),
            counted: bool,
            wide: bool,
        ) {
            let bits = if wide { 64 } else { 63 };
            let mut leaves = start;
            let mut tree = Tree::of(&leaves, bits, counted);
            check(&tree, &leaves, counted);
            for (place, key, push) in changes {
                let key = if key == 5 { NONE } else { key };
                if push || leaves.is_empty() {
                    leaves.push(key);
                    tree.push(key);
                } else {
                    let leaf = place.index(leaves.len());
                    leaves[leaf] = key;
                    tree.set(leaf, key);
                }
                check(&tree, &leaves, counted);
            }
        }
    }

    #[test]
    fn a_tree_grows_from_nothing() {
        for (counted, bits) in [(false, 63), (true, 63), (false, 64), (true, 64)] {
            let (mut tree, mut leaves) = (Tree::of(&[], bits, counted), Vec::new());
            for leaf in 0..(BLOCK * BLOCK + 2) as u128 {
                let key = (leaf * 7919) % 31;
                leaves.push(key);
                tree.push(key);
                check(&tree, &leaves, counted);
            }
        }
    }
}
