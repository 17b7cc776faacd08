//! The least of many keys, kept up to date key by key.
//!
//! A row of leaves in a fixed order, over it a row with the least of each block of leaves, and so on
//! up to one. A leaf that is not the least of its block ends its update there, which is most of them.
//! Knows nothing of what a key or a leaf stands for.

/// A key that is never the least while another is there.
pub(super) const NONE: u128 = u128::MAX;

/// Leaves with keys; [`NONE`] for a leaf that must not be found.
#[derive(Debug)]
pub(super) enum Tree {
    /// Keys below 2^32 - 1.
    Small(Rows<u32, 16>),
    /// Keys below 2^64 - 1.
    Narrow(Rows<u64, 8>),
    /// All others.
    Wide(Rows<u128, 8>),
}

/// The leaves, then the least of each block, up to a row of one block. Blocks are filled up with [`NONE`].
#[derive(Debug)]
pub(super) struct Rows<K, const N: usize> {
    leaves: usize,
    levels: Vec<Vec<Block<K, N>>>,
    least: K,
    /// How many leaves below have the least key, for each block of each row; only when counted.
    counts: Option<Vec<Vec<u32>>>,
}

/// As many keys as cache lines hold whole.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Block<K, const N: usize>([K; N]);

/// What a key is kept in.
pub(super) trait Word: Copy + Ord {
    /// What stands for the key [`NONE`].
    const NONE: Self;
    fn of(key: u128) -> Self;
    fn key(self) -> u128;
}

macro_rules! each {
    ($tree:expr, $rows:ident => $answer:expr) => {
        match $tree {
            Tree::Small($rows) => $answer,
            Tree::Narrow($rows) => $answer,
            Tree::Wide($rows) => $answer,
        }
    };
}

impl Tree {
    /// A tree over these leaves, whose keys have so many bits at most, now and later. One that is
    /// counted can say which leaf is the `n`-th of the least.
    pub(super) fn of(leaves: &[u128], bits: u32, counted: bool) -> Self {
        match bits {
            0..u32::BITS => Tree::Small(Rows::of(leaves, counted)),
            u32::BITS..u64::BITS => Tree::Narrow(Rows::of(leaves, counted)),
            u64::BITS.. => Tree::Wide(Rows::of(leaves, counted)),
        }
    }

    /// How many leaves.
    pub(super) fn len(&self) -> usize {
        each!(self, rows => rows.leaves)
    }

    /// The key of a leaf.
    pub(super) fn key(&self, leaf: usize) -> u128 {
        each!(self, rows => rows.held(0, leaf).key())
    }

    /// The least key of all.
    pub(super) fn least(&self) -> u128 {
        each!(self, rows => rows.least.key())
    }

    /// Adds a leaf behind the last.
    pub(super) fn push(&mut self, key: u128) {
        each!(self, rows => rows.push(Word::of(key)));
    }

    /// Changes the key of a leaf.
    pub(super) fn set(&mut self, leaf: usize, key: u128) {
        each!(self, rows => rows.set(leaf, Word::of(key)));
    }

    /// The first leaf with the least key. There is one with a key.
    pub(super) fn first(&self) -> usize {
        each!(self, rows => rows.first())
    }

    /// How many leaves have the least key. The tree is counted.
    pub(super) fn ties(&self) -> usize {
        each!(self, rows => rows.ties())
    }

    /// The `n`-th leaf with the least key, from 0, of fewer than [`ties`](Self::ties).
    pub(super) fn nth(&self, n: usize) -> usize {
        each!(self, rows => rows.nth(n))
    }
}

macro_rules! word {
    ($word:ty) => {
        impl Word for $word {
            const NONE: $word = <$word>::MAX;
            fn of(key: u128) -> $word {
                <$word>::try_from(key).unwrap_or(<$word>::MAX)
            }
            fn key(self) -> u128 {
                if self == <$word>::MAX { NONE } else { u128::from(self) }
            }
        }
    };
}

word!(u32);
word!(u64);
word!(u128);

impl<K: Word, const N: usize> Block<K, N> {
    const EMPTY: Self = Block([K::NONE; N]);

    fn least(&self) -> K {
        self.0.iter().fold(K::NONE, |least, &key| least.min(key))
    }
}

impl<K: Word, const N: usize> Rows<K, N> {
    fn of(leaves: &[u128], counted: bool) -> Self {
        let row = leaves.chunks(N).map(|keys| {
            let mut block = Block::EMPTY;
            block.0.iter_mut().zip(keys).for_each(|(place, &key)| *place = K::of(key));
            block
        });
        let mut tree = Rows {
            leaves: leaves.len(),
            levels: vec![row.collect()],
            least: K::NONE,
            counts: counted.then(Vec::new),
        };
        tree.sum_up();
        while tree.top() > 1 {
            tree.grow();
        }
        tree
    }

    fn push(&mut self, key: K) {
        let leaf = self.leaves;
        self.leaves += 1;
        let mut nodes = self.leaves;
        for height in 0..self.levels.len() {
            if self.levels[height].len() * N < nodes {
                self.levels[height].push(Block::EMPTY);
                if let Some(counts) = &mut self.counts {
                    counts[height].push(0);
                }
            }
            nodes = self.levels[height].len();
        }
        if self.top() > 1 {
            self.grow();
        }
        self.change(leaf, key);
    }

    fn set(&mut self, leaf: usize, key: K) {
        if self.held(0, leaf) != key {
            self.change(leaf, key);
        }
    }

    fn change(&mut self, leaf: usize, key: K) {
        if self.counts.is_some() { self.recount_up(leaf, key) } else { self.lift(leaf, key) }
    }

    fn first(&self) -> usize {
        let mut node = 0;
        for row in self.levels.iter().rev() {
            let child = row[node].0.iter().position(|&key| key == self.least);
            node = node * N + child.expect("the least comes from below");
        }
        node
    }

    fn ties(&self) -> usize {
        let counts = self.counts.as_ref().expect("the tree is counted");
        counts.last().and_then(|top| top.first()).map_or(0, |&count| count as usize)
    }

    fn nth(&self, mut n: usize) -> usize {
        let mut node = 0;
        for height in (0..self.levels.len()).rev() {
            let mut found = None;
            for (child, count) in self.shares(height, node, self.least) {
                if n < count as usize {
                    found = Some(child);
                    break;
                }
                n -= count as usize;
            }
            node = found.expect("fewer than the ties");
        }
        node
    }

    /// How many blocks the top row has.
    fn top(&self) -> usize {
        self.levels.last().map_or(0, Vec::len)
    }

    /// The key of a node: of a leaf, or the least of the block below.
    fn held(&self, height: usize, node: usize) -> K {
        self.levels.get(height).map_or(self.least, |row| row[node / N].0[node % N])
    }

    /// Adds a row with the least of each block of the top row.
    fn grow(&mut self) {
        let mut row = vec![Block::EMPTY; self.top().div_ceil(N)];
        for (node, block) in self.levels.last().into_iter().flatten().enumerate() {
            row[node / N].0[node % N] = block.least();
        }
        self.levels.push(row);
        self.sum_up();
    }

    /// Counts the top row, and finds the least of all where it is one block.
    fn sum_up(&mut self) {
        let height = self.levels.len() - 1;
        let summed = |_: &_| (0..self.top()).map(|node| self.summary(height, node).1).collect();
        let row = self.counts.as_ref().map(summed);
        if let Some(counts) = &mut self.counts {
            counts.extend(row);
        }
        self.least = self.levels[height].iter().map(Block::least).min().unwrap_or(K::NONE);
    }

    /// Changes a key and carries it up until a block keeps its least.
    fn lift(&mut self, leaf: usize, mut key: K) {
        let mut node = leaf;
        for height in 0..self.levels.len() {
            let (rows, above) = self.levels.split_at_mut(height + 1);
            let block = &mut rows[height][node / N];
            let former = std::mem::replace(&mut block.0[node % N], key);
            if former == key {
                return;
            }
            node /= N;
            let held = above.first().map_or(self.least, |row| row[node / N].0[node % N]);
            if key > held {
                if former > held {
                    return;
                }
                key = block.least();
            }
        }
        self.least = key;
    }

    /// Like [`lift`](Self::lift), with the counts.
    fn recount_up(&mut self, leaf: usize, mut key: K) {
        let mut node = leaf;
        for height in 0..self.levels.len() {
            self.levels[height][node / N].0[node % N] = key;
            node /= N;
            let (least, count) = self.summary(height, node);
            let held = self.held(height + 1, node);
            let counts = self.counts.as_mut().expect("the tree is counted");
            let former = std::mem::replace(&mut counts[height][node], count);
            if (held, former) == (least, count) {
                return;
            }
            key = least;
        }
        self.least = key;
    }

    /// The least key of a block and how many leaves below have it.
    fn summary(&self, height: usize, node: usize) -> (K, u32) {
        let least = self.levels[height][node].least();
        (least, self.shares(height, node, least).map(|(_, count)| count).sum())
    }

    /// The nodes of a block that have a key, and how many leaves below have it.
    fn shares(&self, height: usize, block: usize, key: K) -> impl Iterator<Item = (usize, u32)> {
        let counts = self.counts.as_ref().expect("the tree is counted");
        let below = height.checked_sub(1).map(|below| &counts[below]);
        let nodes = below.map_or(self.leaves, Vec::len);
        let children = (block * N..nodes).zip(&self.levels[height][block].0);
        children
            .filter(move |&(_, &held)| held == key)
            .map(move |(child, _)| (child, below.map_or(1, |counts| counts[child])))
    }
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
            bits in prop::sample::select(vec![31_u32, 32, 63, 64]),
        ) {
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
        for (counted, bits) in [(false, 31), (true, 31), (false, 63), (true, 63), (false, 64), (true, 64)] {
            let (mut tree, mut leaves) = (Tree::of(&[], bits, counted), Vec::new());
            for leaf in 0..(16 * 16 + 2) {
                let key = (leaf * 7919) % 31;
                leaves.push(key);
                tree.push(key);
                check(&tree, &leaves, counted);
            }
        }
    }
}
