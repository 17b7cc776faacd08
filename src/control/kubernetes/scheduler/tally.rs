//! How many pods there are in each domain of a topology key, kept from cycle to cycle (ARCHITECTURE.md,
//! "The shape index").
//!
//! A *domain* is made of the nodes that have one value of a label. Spread constraints and pod affinity ask
//! for sums over the nodes of a domain. [`Books`] keeps them for each pod, by spec and namespace, that was
//! asked about lately, and counts again only the nodes that changed since. What a pod counts for, and on
//! which nodes, is the rule of a plugin ([`Counting`]). Knows nothing of what a sum means.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::hash::Map;
use crate::base::{Row, Symbol};
use crate::control::kubernetes::objects::{Pod, PodSpec};

use super::cluster::NodeInfo;
use super::framework::Cycle;

/// At least and at most so many books are kept; the one that was used longest ago makes room.
const BOOKS_MIN: usize = 16;
const BOOKS_MAX: usize = 256;
/// Fewer are kept where all of them together would hold more nodes than this.
const NODES_MAX: usize = 1 << 22;

/// What is counted: the answer to a question of the plugin, over the values of a node label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Term {
    /// A number that the plugin gives to its question.
    pub question: usize,
    /// The topology key.
    pub key: Symbol,
}

/// What a plugin counts for one pod.
///
/// ```
/// use windtunnel::base::{Row, Symbols};
/// use windtunnel::control::kubernetes::objects::Pod;
/// use windtunnel::control::kubernetes::scheduler::tally::{Books, Counting, Term};
/// use windtunnel::control::kubernetes::scheduler::{Cycle, NodeInfo};
///
/// /// All pods of each zone.
/// #[derive(PartialEq, Debug)]
/// struct ByZone(Term);
///
/// impl Counting for ByZone {
///     fn terms(&self) -> Vec<Term> {
///         vec![self.0]
///     }
///     fn pods<'a>(&self, node: &'a NodeInfo) -> &'a [Row<Pod>] {
///         &node.pods
///     }
///     fn count(&self, _: &Cycle<'_>, _: &Pod, add: &mut dyn FnMut(Term, i64)) {
///         add(self.0, 1);
///     }
///     fn includes(&self, _: &Cycle<'_>, _: Term, _: &NodeInfo) -> bool {
///         true
///     }
/// }
/// let key = Symbols::default().intern("zone");
/// let books: Books<ByZone> = Books::default();
/// assert!(books.rule().is_none(), "no cycle is under way");
/// # let _ = ByZone(Term { question: 0, key }).terms();
/// ```
pub trait Counting: PartialEq {
    /// Terms that are there even if no pod counts; more may come up while pods are counted.
    fn terms(&self) -> Vec<Term>;

    /// Whether the fewest of a term are asked for.
    fn compares(&self, _term: Term) -> bool {
        false
    }

    /// The pods of a node that may count.
    fn pods<'a>(&self, node: &'a NodeInfo) -> &'a [Row<Pod>];

    /// Adds what a pod that is there counts for; says the same of all pods that are equal in spec,
    /// namespace, and whether they are going.
    fn count(&self, cycle: &Cycle<'_>, other: &Pod, add: &mut dyn FnMut(Term, i64));

    /// Whether the pods of a node count for a term, by what the node is.
    fn includes(&self, cycle: &Cycle<'_>, term: Term, node: &NodeInfo) -> bool;
}

/// The sums of every pod that was asked about lately.
#[derive(Debug)]
pub struct Books<R> {
    places: Map<Shape, usize>,
    kept: Vec<Book<R>>,
    uses: u64,
    /// The book of the cycle that is under way.
    open: Option<usize>,
    /// What pods count for that were added and removed in thought.
    thought: Vec<Thought>,
    /// How many of these there were when a copy was put aside.
    saved: Vec<usize>,
}

type Shape = (Row<PodSpec>, Symbol);

/// The sums of one pod.
#[derive(Debug)]
struct Book<R> {
    shape: Shape,
    rule: R,
    /// The state of the lists outside the cluster that the rule was made from.
    revision: u64,
    tallies: Vec<Tally>,
    /// What pods count for: a piece of `amounts`.
    known: Map<(Row<PodSpec>, Symbol, bool), (usize, usize)>,
    /// By place in `tallies`.
    amounts: Vec<(usize, i64)>,
    /// Room for the sums of one node.
    own: Vec<i64>,
    seen: u64,
    used: u64,
}

/// The sums of one term.
#[derive(Debug)]
struct Tally {
    term: Term,
    /// By node row.
    nodes: Vec<Entry>,
    /// The first is that of nodes without the label: whoever counts there is in no domain.
    domains: Vec<Domain>,
    by_value: Map<Symbol, u32>,
    free: Vec<u32>,
    total: i64,
    /// How many domains have a node that counts.
    peopled: usize,
    /// How many of them have each sum, if the rule compares.
    levels: Option<BTreeMap<i64, usize>>,
}

/// What a node is to a term.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    domain: u32,
    /// What its pods count for, or [`Entry::OUT`].
    own: i32,
}

#[derive(Clone, Copy, Debug)]
struct Domain {
    value: Option<Symbol>,
    /// Its nodes, and those that count.
    nodes: u32,
    counting: u32,
    sum: i64,
}

/// Nodes without the label.
const NOWHERE: u32 = 0;

#[derive(Clone, Copy, Debug)]
struct Thought {
    place: usize,
    domain: u32,
    by: i64,
}

/// The sums of one term, to be read for many nodes. Pods in thought do not count.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a>(&'a Tally);

impl Column<'_> {
    /// The domain of a node, as a number below [`Column::end`]; zero is no domain.
    pub fn domain(&self, node: Row<NodeInfo>) -> usize {
        self.0.entry(node).domain as usize
    }

    /// The domain of a value; zero when no node has the value.
    pub fn domain_of(&self, value: Symbol) -> usize {
        self.0.by_value.get(&value).map_or(0, |&domain| domain as usize)
    }

    /// Numbers of domains are below this.
    pub fn end(&self) -> usize {
        self.0.domains.len()
    }

    /// The sum of a domain; of the first one, that of all nodes without the label that count.
    pub fn sum(&self, domain: usize) -> i64 {
        self.0.domains[domain].sum
    }

    /// What the pods of a node count for; zero when it does not count.
    pub fn own(&self, node: Row<NodeInfo>) -> i64 {
        match self.0.entry(node).own {
            Entry::OUT => 0,
            own => i64::from(own),
        }
    }
}

/// The sums within which the domain of a node may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// The place of the term.
    pub place: usize,
    /// At least this sum.
    pub least: i64,
    /// At most this sum.
    pub most: i64,
    /// Whether a node without the label is out; otherwise it is not limited.
    pub needs_key: bool,
}

/// How a node stands to a [`Limit`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Within it.
    Within,
    /// It has no such label, and needs it.
    NoKey,
    /// The sum of its domain is less or more.
    Beyond,
}

impl<R> Default for Books<R> {
    fn default() -> Self {
        Books {
            places: Map::default(),
            kept: Vec::new(),
            uses: 0,
            open: None,
            thought: Vec::new(),
            saved: Vec::new(),
        }
    }
}

impl<R: Counting> Books<R> {
    /// Opens the book of the cycle's pod and brings it up to date. `revision` is that of the lists outside
    /// the cluster's nodes and pods that `rule` reads; the rule is made again when it changes.
    pub fn open(&mut self, cycle: &Cycle<'_>, revision: u64, rule: impl FnOnce() -> R) {
        let shape = (cycle.pod.spec, cycle.pod.namespace);
        self.uses += 1;
        let place = match self.places.get(&shape) {
            Some(&place) => {
                let book = &mut self.kept[place];
                if book.revision != revision {
                    book.revision = revision;
                    let rule = rule();
                    if rule != book.rule {
                        *book = Book::new(shape, rule, revision);
                    }
                }
                place
            }
            None => self.add(Book::new(shape, rule(), revision), cycle.cluster.order().len()),
        };
        self.open = Some(place);
        self.kept[place].used = self.uses;
        self.kept[place].catch_up(cycle);
    }

    /// The rule of the open book.
    pub fn rule(&self) -> Option<&R> {
        Some(&self.kept[self.open?].rule)
    }

    /// Ends the cycle.
    pub fn close(&mut self) {
        self.open = None;
        self.thought.clear();
        self.saved.clear();
    }

    /// The terms of the open book, by place.
    pub fn terms(&self) -> impl Iterator<Item = (usize, Term)> {
        let tallies = self.open.map_or(&[][..], |open| &self.kept[open].tallies);
        tallies.iter().map(|tally| tally.term).enumerate()
    }

    /// The sum of the domain of a node; none when the node has no such label.
    pub fn sum(&self, place: usize, node: Row<NodeInfo>) -> Option<i64> {
        let tally = self.tally(place);
        let Entry { domain, .. } = tally.entry(node);
        (domain != NOWHERE).then(|| tally.domains[domain as usize].sum + self.thought_of(place, domain))
    }

    /// The sums of a term.
    pub fn column(&self, place: usize) -> Column<'_> {
        Column(self.tally(place))
    }

    /// The sum of all domains.
    pub fn total(&self, place: usize) -> i64 {
        let thought = self.thought.iter().filter(|thought| thought.place == place);
        self.tally(place).total + thought.map(|thought| thought.by).sum::<i64>()
    }

    /// How many domains have a node that counts.
    pub fn peopled(&self, place: usize) -> usize {
        self.tally(place).peopled
    }

    /// The least sum of any domain that has a node that counts, of a term that is compared.
    pub fn fewest(&self, place: usize) -> Option<i64> {
        let tally = self.tally(place);
        let levels = tally.levels.as_ref().expect("the term is compared");
        let mut moved: Vec<u32> = Vec::new();
        for thought in self.thought.iter().filter(|thought| thought.place == place) {
            if !moved.contains(&thought.domain) {
                moved.push(thought.domain);
            }
        }
        let sum = |domain: u32| tally.domains[domain as usize].sum;
        let stayed = |&(&level, &count): &(&i64, &usize)| {
            count > moved.iter().filter(|&&domain| sum(domain) == level).count()
        };
        let least = levels.iter().find(stayed).map(|(&level, _)| level);
        least
            .into_iter()
            .chain(moved.iter().map(|&domain| sum(domain) + self.thought_of(place, domain)))
            .min()
    }

    /// How a node stands to a limit.
    pub fn standing(&self, limit: &Limit, node: Row<NodeInfo>) -> Standing {
        match self.sum(limit.place, node) {
            None if limit.needs_key => Standing::NoKey,
            None => Standing::Within,
            Some(sum) if limit.least <= sum && sum <= limit.most => Standing::Within,
            Some(_) => Standing::Beyond,
        }
    }

    /// Strikes out the nodes that are not within a limit. Pods in thought do not count.
    pub fn strike(&self, limit: &Limit, nodes: &[Row<NodeInfo>], can: &mut [bool]) {
        let tally = self.tally(limit.place);
        for (can, &node) in can.iter_mut().zip(nodes) {
            let Entry { domain, .. } = tally.entry(node);
            let sum = tally.domains[domain as usize].sum;
            *can &=
                if domain == NOWHERE { !limit.needs_key } else { limit.least <= sum && sum <= limit.most };
        }
    }

    /// Counts a pod in thought, `by` times: once more, or once less.
    pub fn think(&mut self, cycle: &Cycle<'_>, pod: Row<Pod>, node: Row<NodeInfo>, by: i64) {
        let Some(open) = self.open else { return };
        let book = &mut self.kept[open];
        let amounts = book.amounts_of(cycle, cycle.cluster.known(pod));
        for &(place, amount) in &book.amounts[amounts] {
            let entry = book.tallies[place].entry(node);
            if entry.own != Entry::OUT {
                self.thought.push(Thought { place, domain: entry.domain, by: by * amount });
            }
        }
    }

    /// Puts a copy of what is thought aside.
    pub fn save(&mut self) {
        self.saved.push(self.thought.len());
    }

    /// Takes the copy back.
    pub fn restore(&mut self) {
        self.thought.truncate(self.saved.pop().expect("saved before it is restored"));
    }

    fn add(&mut self, book: Book<R>, nodes: usize) -> usize {
        let room = (NODES_MAX / nodes.max(1)).clamp(BOOKS_MIN, BOOKS_MAX);
        let shape = book.shape;
        let place = if self.kept.len() < room {
            self.kept.push(book);
            self.kept.len() - 1
        } else {
            let oldest = self.kept.iter().enumerate().min_by_key(|(_, book)| book.used);
            let (place, oldest) = oldest.expect("there are books");
            self.places.remove(&oldest.shape);
            self.kept[place] = book;
            place
        };
        self.places.insert(shape, place);
        place
    }

    fn tally(&self, place: usize) -> &Tally {
        &self.kept[self.open.expect("a cycle is under way")].tallies[place]
    }

    fn thought_of(&self, place: usize, domain: u32) -> i64 {
        let here = |thought: &&Thought| (thought.place, thought.domain) == (place, domain);
        self.thought.iter().filter(here).map(|thought| thought.by).sum()
    }
}

impl<R: Counting> Book<R> {
    fn new(shape: Shape, rule: R, revision: u64) -> Self {
        let tallies = rule.terms().into_iter().map(|term| Tally::new(term, rule.compares(term)));
        Book {
            shape,
            revision,
            tallies: tallies.collect(),
            known: Map::default(),
            amounts: Vec::new(),
            own: Vec::new(),
            seen: u64::MAX,
            used: 0,
            rule,
        }
    }

    /// Counts the nodes again that changed since the last time.
    fn catch_up(&mut self, cycle: &Cycle<'_>) {
        let cluster = cycle.cluster;
        match cluster.changes_since(self.seen) {
            Some(changed) => {
                for &row in changed {
                    self.recount(cycle, row);
                }
            }
            None => {
                for tally in &mut self.tallies {
                    *tally = Tally::new(tally.term, tally.levels.is_some());
                }
                for &row in cluster.order() {
                    self.recount(cycle, row);
                }
            }
        }
        self.seen = cluster.changes_end();
    }

    fn recount(&mut self, cycle: &Cycle<'_>, row: Row<NodeInfo>) {
        let node = &cycle.cluster[row];
        if cycle.cluster.place_of(row).is_none() || node.spec.is_none() {
            for tally in &mut self.tallies {
                tally.set(row, Entry { domain: NOWHERE, own: Entry::OUT });
            }
            return;
        }
        self.own.clear();
        for &pod in self.rule.pods(node) {
            let amounts = self.amounts_of(cycle, cycle.cluster.known(pod));
            self.own.resize(self.tallies.len(), 0);
            for &(place, amount) in &self.amounts[amounts] {
                self.own[place] += amount;
            }
        }
        self.own.resize(self.tallies.len(), 0);
        for place in 0..self.tallies.len() {
            self.enter(cycle, place, node, self.own[place]);
        }
    }

    /// What a pod that is there counts for, as a piece of `amounts`.
    fn amounts_of(&mut self, cycle: &Cycle<'_>, pod: &Pod) -> Range<usize> {
        let kind = (pod.spec, pod.namespace, pod.deleted_at.is_some());
        if let Some(&(from, to)) = self.known.get(&kind) {
            return from..to;
        }
        let from = self.amounts.len();
        let mut told: Vec<(Term, i64)> = Vec::new();
        self.rule.count(cycle, pod, &mut |term, amount| told.push((term, amount)));
        for (term, amount) in told {
            let place = self.place_of(cycle, term);
            self.amounts.push((place, amount));
        }
        self.known.insert(kind, (from, self.amounts.len()));
        from..self.amounts.len()
    }

    fn place_of(&mut self, cycle: &Cycle<'_>, term: Term) -> usize {
        let known = self.tallies.iter().position(|tally| tally.term == term);
        known.unwrap_or_else(|| {
            self.tallies.push(Tally::new(term, self.rule.compares(term)));
            let place = self.tallies.len() - 1;
            for &row in cycle.cluster.order() {
                self.enter(cycle, place, &cycle.cluster[row], 0);
            }
            place
        })
    }

    fn enter(&mut self, cycle: &Cycle<'_>, place: usize, node: &NodeInfo, own: i64) {
        let term = self.tallies[place].term;
        let counts = self.rule.includes(cycle, term, node);
        let tally = &mut self.tallies[place];
        let domain = tally.domain_of(cycle.cluster.spec(cycle.specs, node).labels.get(term.key));
        let own = if counts { i32::try_from(own).expect("a node has few pods") } else { Entry::OUT };
        tally.set(node.row, Entry { domain, own });
    }
}

impl Tally {
    fn new(term: Term, compares: bool) -> Self {
        Tally {
            term,
            nodes: Vec::new(),
            domains: vec![Domain { value: None, nodes: 0, counting: 0, sum: 0 }],
            by_value: Map::default(),
            free: Vec::new(),
            total: 0,
            peopled: 0,
            levels: compares.then(BTreeMap::new),
        }
    }

    fn entry(&self, row: Row<NodeInfo>) -> Entry {
        self.nodes.get(row.index()).copied().unwrap_or(Entry { domain: NOWHERE, own: Entry::OUT })
    }

    /// The number of the domain of a value.
    fn domain_of(&mut self, value: Option<Symbol>) -> u32 {
        let Some(value) = value else { return NOWHERE };
        let Tally { domains, free, .. } = self;
        *self.by_value.get_or_insert_with(value, || {
            let new = Domain { value: Some(value), nodes: 0, counting: 0, sum: 0 };
            match free.pop() {
                Some(domain) => {
                    domains[domain as usize] = new;
                    domain
                }
                None => {
                    domains.push(new);
                    u32::try_from(domains.len() - 1).expect("fewer than 2^32 nodes")
                }
            }
        })
    }

    /// Puts a node into its domain and takes it out of the one that it was in.
    fn set(&mut self, row: Row<NodeInfo>, new: Entry) {
        let old = self.entry(row);
        if old == new {
            return;
        }
        if self.nodes.len() <= row.index() {
            self.nodes.resize(row.index() + 1, Entry { domain: NOWHERE, own: Entry::OUT });
        }
        self.nodes[row.index()] = new;
        self.count(new, 1);
        self.count(old, -1);
    }

    fn count(&mut self, entry: Entry, sign: i32) {
        let domain = &mut self.domains[entry.domain as usize];
        let before = (domain.counting > 0).then_some(domain.sum);
        domain.nodes = domain.nodes.wrapping_add_signed(sign);
        if entry.own != Entry::OUT {
            domain.counting = domain.counting.wrapping_add_signed(sign);
            domain.sum += i64::from(entry.own * sign);
            self.total += i64::from(entry.own * sign);
        }
        let (after, nodes, value) = ((domain.counting > 0).then_some(domain.sum), domain.nodes, domain.value);
        if before != after {
            self.peopled = self.peopled + usize::from(after.is_some()) - usize::from(before.is_some());
            self.level(before, after);
        }
        if nodes == 0
            && let Some(value) = value
        {
            self.by_value.remove(&value);
            self.free.push(entry.domain);
        }
    }

    fn level(&mut self, before: Option<i64>, after: Option<i64>) {
        let Some(levels) = &mut self.levels else { return };
        if let Some(after) = after {
            *levels.entry(after).or_insert(0) += 1;
        }
        if let Some(before) = before {
            let count = levels.get_mut(&before).expect("a domain has the sum");
            *count -= 1;
            if *count == 0 {
                levels.remove(&before);
            }
        }
    }
}

impl Entry {
    /// Its pods do not count.
    const OUT: i32 = i32::MIN;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Symbols;

    #[derive(PartialEq, Debug)]
    struct Nothing;

    impl Counting for Nothing {
        fn terms(&self) -> Vec<Term> {
            vec![Term { question: 0, key: Symbol::FIRST }]
        }

        fn compares(&self, _: Term) -> bool {
            true
        }

        fn pods<'a>(&self, _: &'a NodeInfo) -> &'a [Row<Pod>] {
            &[]
        }

        fn count(&self, _: &Cycle<'_>, _: &Pod, _: &mut dyn FnMut(Term, i64)) {}

        fn includes(&self, _: &Cycle<'_>, _: Term, _: &NodeInfo) -> bool {
            true
        }
    }

    /// What a node is: its value, and what its pods count for, if it counts.
    type Plain = (Option<Symbol>, Option<i32>);

    /// The sum of each value that has a node that counts.
    fn sums(nodes: &[Plain]) -> BTreeMap<Option<Symbol>, i64> {
        let mut sums = BTreeMap::new();
        for &(value, own) in nodes {
            if let Some(own) = own {
                *sums.entry(value).or_insert(0) += i64::from(own);
            }
        }
        sums
    }

    #[test]
    fn sums_that_are_kept_equal_sums_that_are_made_anew() {
        let mut symbols = Symbols::default();
        let values: Vec<Symbol> = ["a", "b", "c", "d", "e"].iter().map(|text| symbols.intern(text)).collect();
        // A small generator of its own.
        let mut state = 1_u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).expect("31 bits") % below
        };
        let mut books: Books<Nothing> = Books::default();
        books.kept.push(Book::new((Row::at(0), Symbol::FIRST), Nothing, 0));
        books.open = Some(0);
        let mut nodes: Vec<Plain> = vec![(None, None); 9];
        for _ in 0..20_000 {
            let node = draw(nodes.len());
            let value = (draw(6) > 0).then(|| values[draw(values.len())]);
            let own = (draw(3) > 0).then(|| i32::try_from(draw(4)).expect("small"));
            nodes[node] = (value, own);
            let tally = &mut books.kept[0].tallies[0];
            let domain = tally.domain_of(value);
            tally.set(Row::at(node), Entry { domain, own: own.unwrap_or(Entry::OUT) });

            let mut sums = sums(&nodes);
            assert_eq!(books.total(0), sums.values().sum::<i64>());
            assert_eq!(books.peopled(0), sums.len());
            assert_eq!(books.fewest(0), sums.values().min().copied());
            assert!(books.column(0).end() <= values.len() + 2, "numbers of domains are used again");
            // One pod less and one pod more, in thought.
            books.save();
            for by in [-1, 1] {
                let (value, own) = nodes[draw(nodes.len())];
                if own.is_some() {
                    let domain = books.kept[0].tallies[0].domain_of(value);
                    books.thought.push(Thought { place: 0, domain, by });
                    *sums.get_mut(&value).expect("a node counts there") += by;
                }
            }
            assert_eq!(books.fewest(0), sums.values().min().copied());
            for (at, (value, _)) in nodes.iter().enumerate() {
                let sum = value.map(|value| sums.get(&Some(value)).copied().unwrap_or(0));
                assert_eq!(books.sum(0, Row::at(at)), sum);
            }
            books.restore();
        }
    }
}
