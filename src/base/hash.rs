//! Maps without an order, which therefore cannot be iterated.
//!
//! The order of a hash map is nobody's promise, so nothing here offers it. Where order matters use
//! `BTreeMap` or a column.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;

use rustc_hash::FxBuildHasher;

/// A hash map that answers only about keys one already has.
///
/// ```
/// use windtunnel::base::hash::Map;
/// let mut map: Map<u32, &str> = Map::default();
/// map.insert(7, "seven");
/// assert_eq!(map.get(&7), Some(&"seven"));
/// assert_eq!(map.remove(&7), Some("seven"));
/// assert_eq!(map.len(), 0);
/// ```
#[derive(Clone)]
pub struct Map<K, V>(hashbrown::HashMap<K, V, FxBuildHasher>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Map(hashbrown::HashMap::with_hasher(FxBuildHasher))
    }
}

impl<K: Eq + Hash, V> Map<K, V> {
    /// The value of a key.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    /// The value of a key, to change.
    pub fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.0.get_mut(key)
    }

    /// The value of a key, made by `make` on first use.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.0.entry(key).or_insert_with(make)
    }

    /// Sets the value of a key and hands back the former one.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Forgets a key and hands back its value.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.0.remove(key)
    }

    /// Whether the key is known.
    pub fn contains<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Says how many keys it has; which order they come in is nobody's promise.
impl<K, V> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Map({} keys)", self.0.len())
    }
}
