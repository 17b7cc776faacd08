//! Places and names: which row, which row for sure, which number for ever, which name for draws.
//!
//! A [`Row`] is fast and reused; a [`Handle`] notices reuse; a [`Serial`] is counted within one name
//! of the scenario and never reused; an [`EntityKey`] is made of scenario text alone, so that a draw
//! keyed by it does not move when something else changes. Knows nothing of what is stored in a row.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::num::NonZeroU32;

use super::label::Symbol;

/// A place in a column. Four bytes, also as an option; reused; never in a fact, a file or a digest.
///
/// ```
/// use windtunnel::base::Row;
/// let row: Row<str> = Row::at(7);
/// assert_eq!(row.index(), 7);
/// assert_eq!(size_of::<Option<Row<str>>>(), 4);
/// ```
pub struct Row<T: ?Sized>(NonZeroU32, PhantomData<fn() -> *const T>);

/// A place that may meanwhile belong to somebody else; the generation tells.
///
/// ```
/// use windtunnel::base::{Column, Handle};
/// let mut column = Column::new();
/// let first: Handle<&str> = column.insert("a");
/// column.remove(first.row);
/// let second = column.insert("b");
/// assert_eq!(first.row, second.row);
/// assert!(column.checked(first).is_none());
/// assert_eq!(column.checked(second), Some(&"b"));
/// ```
pub struct Handle<T: ?Sized> {
    /// The place.
    pub row: Row<T>,
    /// How often the place had been given away when this handle was made.
    pub generation: u32,
}

/// A number counted within one scenario name (workload, pool) and never reused.
///
/// ```
/// use windtunnel::base::Serial;
/// let serial: Serial<str> = Serial::new(42);
/// assert_eq!(serial.to_string(), "42");
/// ```
pub struct Serial<T: ?Sized>(u64, PhantomData<fn() -> *const T>);

// `derive` would ask for `T: Clone` and the like; these words are copies whatever they point at.
macro_rules! word {
    ($name:ident, $this:ident => $key:expr) => {
        impl<T: ?Sized> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<T: ?Sized> Copy for $name<T> {}
        impl<T: ?Sized> PartialEq for $name<T> {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other) == Ordering::Equal
            }
        }
        impl<T: ?Sized> Eq for $name<T> {}
        impl<T: ?Sized> PartialOrd for $name<T> {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl<T: ?Sized> Ord for $name<T> {
            fn cmp(&self, other: &Self) -> Ordering {
                let key = |$this: &Self| $key;
                key(self).cmp(&key(other))
            }
        }
        impl<T: ?Sized> Hash for $name<T> {
            fn hash<H: Hasher>(&self, state: &mut H) {
                let $this = self;
                $key.hash(state);
            }
        }
        impl<T: ?Sized> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $this = self;
                write!(f, "{}{:?}", stringify!($name), $key)
            }
        }
    };
}
word!(Row, this => this.0.get() - 1);
word!(Handle, this => (this.row, this.generation));
word!(Serial, this => this.0);

impl<T: ?Sized> Row<T> {
    /// The row with this index.
    ///
    /// Panics beyond 2^32 - 2 rows: no plan that passes lowering has as many.
    pub fn at(index: usize) -> Self {
        let place = u32::try_from(index + 1).expect("a column holds fewer than 2^32 - 1 rows");
        Row(NonZeroU32::new(place).expect("index + 1 is not zero"), PhantomData)
    }

    /// The index into the column.
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// The index as the 32-bit number that events and actors carry.
    pub const fn number(self) -> u32 {
        self.0.get() - 1
    }

    /// The same place, read as a row of another column that runs in parallel.
    pub fn cast<U: ?Sized>(self) -> Row<U> {
        Row(self.0, PhantomData)
    }
}

impl<T: ?Sized> Serial<T> {
    /// The serial with this number.
    pub const fn new(number: u64) -> Self {
        Serial(number, PhantomData)
    }

    /// The number, counted from 0 within its name.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl<T: ?Sized> fmt::Display for Serial<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What people call a thing: a name of the scenario and a number within it, `web-42`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Name {
    /// The workload or pool, as the scenario spells it.
    pub of: Symbol,
    /// Counted from 0 within that name.
    pub serial: u64,
}

/// A name for draws: a hash of (kind, scenario name, ordinal within that name). Never of a row or of
/// a creation number of the whole run, so that a draw survives every unrelated change.
///
/// ```
/// use windtunnel::base::EntityKey;
/// let web = EntityKey::new("task", "web", 5);
/// assert_eq!(web, EntityKey::new("task", "web", 5));
/// assert_ne!(web, EntityKey::new("task", "web", 6));
/// assert_ne!(web, EntityKey::new("instance", "web", 5));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityKey(u128);

impl EntityKey {
    /// Hashes a kind, a name of the scenario and an ordinal within that name. About 26 ns: make it
    /// once, at creation, and keep it in the row.
    pub fn new(kind: &str, name: &str, ordinal: u64) -> Self {
        let mut chains = Chains::new(kind.len() as u64, name.len() as u64);
        chains.text(kind);
        chains.text(name);
        chains.word(ordinal);
        EntityKey((u128::from(chains.high) << 64) | u128::from(chains.low))
    }

    /// The key of a part of this entity, by its ordinal: the third container of a task.
    #[must_use]
    pub fn part(self, ordinal: u64) -> Self {
        let mut chains = Chains { high: self.high(), low: self.low() };
        chains.word(ordinal);
        EntityKey((u128::from(chains.high) << 64) | u128::from(chains.low))
    }

    /// The upper half.
    pub const fn high(self) -> u64 {
        (self.0 >> 64) as u64
    }

    /// The lower half.
    #[expect(clippy::cast_possible_truncation, reason = "the lower 64 of 128 bits")]
    pub const fn low(self) -> u64 {
        self.0 as u64
    }
}

impl fmt::Debug for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntityKey({:032x})", self.0)
    }
}

/// Two independent chains over 8-byte words.
struct Chains {
    high: u64,
    low: u64,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Chains {
    fn new(kind: u64, name: u64) -> Self {
        Chains { high: mix(kind ^ GOLDEN), low: mix(name ^ 0x2545_f491_4f6c_dd1d) }
    }

    fn word(&mut self, word: u64) {
        self.high = mix(self.high ^ word);
        self.low = mix(self.low.rotate_left(23) ^ word.wrapping_mul(GOLDEN));
    }

    fn text(&mut self, text: &str) {
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }
}

/// The finaliser of `SplitMix64` (Stafford's variant 13): every input bit reaches every output bit.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const _: () = assert!(size_of::<Option<Row<u8>>>() == 4 && size_of::<Handle<u8>>() == 8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_neighbours_differ() {
        let mut keys: Vec<EntityKey> = Vec::new();
        for name in ["web", "we", "webb", "", "api"] {
            for ordinal in 0..200 {
                for kind in ["task", "instance"] {
                    let key = EntityKey::new(kind, name, ordinal);
                    keys.push(key);
                    keys.extend((0..3).map(|part| key.part(part)));
                }
            }
        }
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }

    #[test]
    fn rows_order_by_index() {
        assert!(Row::<u8>::at(0) < Row::at(1));
        assert_eq!(format!("{:?}", Row::<u8>::at(3)), "Row3");
        assert_eq!(Row::<u8>::at(9).cast::<u16>().number(), 9);
    }
}
