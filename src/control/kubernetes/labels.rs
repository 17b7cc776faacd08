//! Labels, and what selects by them.
//!
//! A selector is compiled once, when its object is read, and matched without looking at text; only
//! `Gt` and `Lt` read the number in a label. Knows nothing of pods and nodes.

use crate::base::{Symbol, Symbols};

/// The labels of one object, sorted by key.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Labels(Box<[(Symbol, Symbol)]>);

impl Labels {
    /// Labels from pairs; of two with the same key the last one holds.
    pub fn new(pairs: impl IntoIterator<Item = (Symbol, Symbol)>) -> Self {
        let sorted: std::collections::BTreeMap<Symbol, Symbol> = pairs.into_iter().collect();
        Labels(sorted.into_iter().collect())
    }

    /// No labels, to borrow.
    pub fn none() -> &'static Self {
        static NONE: std::sync::LazyLock<Labels> = std::sync::LazyLock::new(Labels::default);
        &NONE
    }

    /// The value of a key.
    pub fn get(&self, key: Symbol) -> Option<Symbol> {
        let place = self.0.binary_search_by_key(&key, |&(known, _)| known).ok()?;
        Some(self.0[place].1)
    }

    /// Whether every pair of `wanted` is here.
    pub fn contain(&self, wanted: &Labels) -> bool {
        wanted.0.iter().all(|&(key, value)| self.get(key) == Some(value))
    }

    /// All pairs, by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Symbol, Symbol)> {
        self.0.iter().copied()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What selects objects by their labels.
///
/// ```
/// use windtunnel::base::Symbols;
/// use windtunnel::control::kubernetes::labels::{Labels, Operator, Requirement, Selector};
/// let mut symbols = Symbols::default();
/// let (app, web) = (symbols.intern("app"), symbols.intern("web"));
/// let requirement = Requirement { key: app, operator: Operator::In([web].into()) };
/// let selector = Selector::all_of(vec![requirement]);
/// assert!(selector.matches(&Labels::new([(app, web)]), &symbols));
/// assert!(!selector.matches(&Labels::default(), &symbols));
/// assert!(!Selector::Nothing.matches(&Labels::default(), &symbols)); // a selector that is absent
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Selector {
    /// Selects no object: what an absent `labelSelector` means.
    Nothing,
    /// Selects objects that meet all of these; the empty list selects every object.
    AllOf(Box<[Requirement]>),
}

/// One condition on one label.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Requirement {
    /// The label.
    pub key: Symbol,
    /// What must hold of it.
    pub operator: Operator,
}

/// What must hold of a label.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Operator {
    /// It is there and has one of these values.
    In(Box<[Symbol]>),
    /// It is absent or has none of these values.
    NotIn(Box<[Symbol]>),
    /// It is there.
    Exists,
    /// It is absent.
    DoesNotExist,
    /// It is a 64-bit integer greater than this.
    Gt(i64),
    /// It is a 64-bit integer less than this.
    Lt(i64),
}

impl Selector {
    /// Selects what meets all of these.
    pub fn all_of(requirements: Vec<Requirement>) -> Self {
        Selector::AllOf(requirements.into())
    }

    /// Whether it selects every object: the empty selector `{}`.
    pub fn is_empty(&self) -> bool {
        matches!(self, Selector::AllOf(requirements) if requirements.is_empty())
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &Labels, symbols: &Symbols) -> bool {
        match self {
            Selector::Nothing => false,
            Selector::AllOf(requirements) => requirements.iter().all(|each| each.holds(labels, symbols)),
        }
    }
}

impl Requirement {
    /// Whether it holds of an object with these labels.
    pub fn holds(&self, labels: &Labels, symbols: &Symbols) -> bool {
        self.operator.holds(labels.get(self.key), symbols)
    }
}

impl Operator {
    /// Whether it holds of a label with this value, or of one that is absent.
    pub fn holds(&self, value: Option<Symbol>, symbols: &Symbols) -> bool {
        let number = || value.and_then(|value| symbols.text(value).parse::<i64>().ok());
        match self {
            Operator::In(values) => value.is_some_and(|value| values.contains(&value)),
            Operator::NotIn(values) => value.is_none_or(|value| !values.contains(&value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt(bound) => number().is_some_and(|number| number > *bound),
            Operator::Lt(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}
