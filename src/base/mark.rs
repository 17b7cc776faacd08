//! Marks: the line that implements a rule names it, and a test row must reach it.
//!
//! `mark!("TD-11")` stands at the line that has the rule's effect. In a test build it records that
//! it was reached; in every other build it is nothing at all. The list of marks is compared with the
//! rule ids of the specification.

/// Names the rule that the next line implements.
///
/// ```
/// use windtunnel::mark;
/// fn fargate_minimum_seconds(run: u64) -> u64 {
///     mark!("PR-01");
///     run.max(60)
/// }
/// assert_eq!(fargate_minimum_seconds(45), 60);
/// ```
#[macro_export]
macro_rules! mark {
    ($rule:literal) => {
        #[cfg(test)]
        $crate::base::mark::reach($rule);
    };
}

#[cfg(test)]
pub use recording::{must_reach, reach, reached_by};

#[cfg(test)]
mod recording {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local! {
        static REACHED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
    }

    /// Records that the line of a rule was reached.
    pub fn reach(rule: &'static str) {
        REACHED.with_borrow_mut(|reached| reached.insert(rule));
    }

    /// The rules whose lines `test` reached.
    pub fn reached_by(test: impl FnOnce()) -> BTreeSet<&'static str> {
        REACHED.with_borrow_mut(BTreeSet::clear);
        test();
        REACHED.with_borrow(Clone::clone)
    }

    /// Runs `test` and asserts that it reached every one of these rules.
    pub fn must_reach<R>(rules: &[&str], test: impl FnOnce() -> R) -> R {
        REACHED.with_borrow_mut(BTreeSet::clear);
        let result = test();
        REACHED.with_borrow(|reached| {
            for rule in rules {
                assert!(
                    reached.contains(rule),
                    "the row names {rule}, but did not reach its line; it reached {reached:?}"
                );
            }
        });
        result
    }
}
