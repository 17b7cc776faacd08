//! The order in which nodes are searched: one of each zone in turn (K 2.4).
//!
//! Knows nodes by name and zones by region and zone label only.

use crate::base::Symbol;
use crate::mark;

/// Region and zone.
pub type Zone = (Option<Symbol>, Option<Symbol>);

/// Nodes by zone: zones in the order in which they were first seen, nodes in the order in which they came.
///
/// ```
/// use windtunnel::base::Symbols;
/// use windtunnel::control::kubernetes::scheduler::NodeTree;
/// let mut symbols = Symbols::default();
/// let mut tree = NodeTree::default();
/// let names = ["a1", "a2", "a3", "b1", "c1", "c2"].map(|name| symbols.intern(name));
/// for (name, zone) in names.iter().zip(["a", "a", "a", "b", "c", "c"]) {
///     tree.add((None, Some(symbols.intern(zone))), *name);
/// }
/// let order: Vec<&str> = tree.list().into_iter().map(|name| symbols.text(name)).collect();
/// assert_eq!(order, ["a1", "b1", "c1", "a2", "c2", "a3"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct NodeTree {
    zones: Vec<(Zone, Vec<Symbol>)>,
    size: usize,
}

impl NodeTree {
    /// Adds a node; one that is there already stays where it is.
    pub fn add(&mut self, zone: Zone, name: Symbol) {
        let place = self.zones.iter().position(|(known, _)| *known == zone);
        let place = place.unwrap_or_else(|| {
            self.zones.push((zone, Vec::new()));
            self.zones.len() - 1
        });
        let names = &mut self.zones[place].1;
        if !names.contains(&name) {
            names.push(name);
            self.size += 1;
        }
    }

    /// Removes a node; a zone without nodes is forgotten.
    pub fn remove(&mut self, zone: Zone, name: Symbol) {
        let Some(place) = self.zones.iter().position(|(known, _)| *known == zone) else { return };
        let names = &mut self.zones[place].1;
        let before = names.len();
        names.retain(|known| *known != name);
        self.size -= before - names.len();
        if names.is_empty() {
            mark!("K 2.4 an emptied zone is dropped");
            self.zones.remove(place);
        }
    }

    /// How many nodes there are.
    pub const fn len(&self) -> usize {
        self.size
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Every node: the first of each zone, then the second of each, and so on.
    pub fn list(&self) -> Vec<Symbol> {
        mark!("K 2.4 zones take turns");
        let longest = self.zones.iter().map(|(_, names)| names.len()).max().unwrap_or(0);
        let turn = |turn: usize| self.zones.iter().filter_map(move |(_, names)| names.get(turn).copied());
        (0..longest).flat_map(turn).collect()
    }
}
