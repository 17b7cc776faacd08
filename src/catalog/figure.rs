//! A number and how well it is known.
//!
//! Results that rest on estimated or assumed figures say so; hence the basis travels with the value.
//! Knows nothing of what is counted.

/// Where a figure comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Basis {
    /// The source states this number.
    Listed,
    /// Computed from listed numbers by a stated rule.
    Estimated,
    /// Common knowledge that no source confirmed.
    Assumed,
}

/// A value with its basis.
///
/// ```
/// use windtunnel::catalog::{Basis, Figure};
/// let hours = Figure::listed(730);
/// assert_eq!(hours.map(|h| h * 2), Figure { value: 1460, basis: Basis::Listed });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figure<T> {
    /// The value.
    pub value: T,
    /// How well it is known.
    pub basis: Basis,
}

impl Basis {
    /// The word for people and files.
    pub const fn label(self) -> &'static str {
        match self {
            Basis::Listed => "listed",
            Basis::Estimated => "estimated",
            Basis::Assumed => "assumed",
        }
    }
}

impl<T> Figure<T> {
    /// A value that its source states.
    pub const fn listed(value: T) -> Self {
        Figure { value, basis: Basis::Listed }
    }

    /// A value computed from listed ones.
    pub const fn estimated(value: T) -> Self {
        Figure { value, basis: Basis::Estimated }
    }

    /// A value that no source confirmed.
    pub const fn assumed(value: T) -> Self {
        Figure { value, basis: Basis::Assumed }
    }

    /// Another value known equally well.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Figure<U> {
        Figure { value: change(self.value), basis: self.basis }
    }
}
