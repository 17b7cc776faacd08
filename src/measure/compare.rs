//! What differs between the measures of two results: paired by seed where the seeds are the same.
//!
//! Knows nothing of where the values come from.

use super::estimate::Estimate;

/// One measure of two results.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Moved {
    /// In the first.
    pub a: Estimate,
    /// In the second.
    pub b: Estimate,
    /// The second without the first, with half of its 95 % interval.
    pub difference: Estimate,
    /// Over the first, in percent; none when that is zero.
    pub relative: Option<f64>,
    /// Whether the difference is the mean of those per seed; else it is that of the means, with the
    /// interval of independent samples.
    pub paired: bool,
}

impl Moved {
    /// Compares two samples of `(seed, value)`; none where one of them is empty.
    ///
    /// ```
    /// use windtunnel::measure::compare::Moved;
    /// let (a, b) = ([(1, 10.0), (2, 20.0)], [(1, 11.0), (2, 21.0)]);
    /// let moved = Moved::between(&a, &b).unwrap();
    /// assert_eq!((moved.difference.mean, moved.difference.half_width), (1.0, Some(0.0)));
    /// assert!(moved.paired);
    /// assert!(!Moved::between(&a, &[(7, 11.0)]).unwrap().paired);
    /// ```
    pub fn between(a: &[(u64, f64)], b: &[(u64, f64)]) -> Option<Moved> {
        let values = |of: &[(u64, f64)]| of.iter().map(|&(_, value)| value).collect::<Vec<_>>();
        let (before, after) = (Estimate::of(&values(a))?, Estimate::of(&values(b))?);
        let paired = a.len() == b.len() && a.iter().zip(b).all(|(left, right)| left.0 == right.0);
        let difference = if paired { paired_f64(a, b)? } else { unpaired_f64(before, after) };
        let relative = relative_f64(difference.mean, before.mean);
        Some(Moved { a: before, b: after, difference, relative, paired })
    }

    /// Whether any value differs.
    pub fn moved(&self) -> bool {
        !same(self.difference.mean, 0.0)
            || self.difference.half_width.is_some_and(|half| !same(half, 0.0))
            || self.a.n != self.b.n
    }
}

/// Equal to the last bit, but for the sign of zero.
fn same(left: f64, right: f64) -> bool {
    left.total_cmp(&right).is_eq() || (left.abs().to_bits() | right.abs().to_bits()) == 0
}

#[expect(clippy::float_arithmetic, reason = "the float island of statistics")]
fn paired_f64(a: &[(u64, f64)], b: &[(u64, f64)]) -> Option<Estimate> {
    Estimate::of(&a.iter().zip(b).map(|(left, right)| right.1 - left.1).collect::<Vec<_>>())
}

#[expect(clippy::float_arithmetic, reason = "the float island of statistics")]
fn unpaired_f64(a: Estimate, b: Estimate) -> Estimate {
    let half = a.half_width.zip(b.half_width).map(|(left, right)| libm::sqrt(left * left + right * right));
    let half_width = half.filter(|_| a.n > 1 && b.n > 1);
    Estimate { n: a.n.min(b.n), mean: b.mean - a.mean, half_width }
}

#[expect(clippy::float_arithmetic, reason = "the float island of statistics")]
fn relative_f64(difference: f64, of: f64) -> Option<f64> {
    (!same(of, 0.0)).then(|| difference * 100.0 / of.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_paired_by_seed() {
        let check = |a: &[(u64, f64)], b: &[(u64, f64)], expected: (f64, Option<f64>, bool, bool)| {
            let moved = Moved::between(a, b).expect("samples");
            let found = (moved.difference.mean, moved.relative, moved.paired, moved.moved());
            assert_eq!(found, expected);
        };
        check(&[(1, 10.0)], &[(1, 15.0)], (5.0, Some(50.0), true, true));
        check(&[(1, 10.0)], &[(2, 10.0)], (0.0, Some(0.0), false, false));
        check(&[(1, 0.0)], &[(1, 3.0)], (3.0, None, true, true));
        check(&[(1, 10.0), (2, 20.0)], &[(1, 20.0), (2, 10.0)], (0.0, Some(0.0), true, true));
        check(&[(1, -2.0)], &[(1, -1.0)], (1.0, Some(50.0), true, true));
        assert_eq!(Moved::between(&[], &[(1, 1.0)]), None);
    }

    #[test]
    fn independent_samples_have_a_wider_interval() {
        let (a, b) = ([(1, 10.0), (2, 20.0)], [(3, 11.0), (4, 21.0)]);
        let half = Moved::between(&a, &b).and_then(|moved| moved.difference.half_width).expect("n = 2");
        assert!((half - 12.706 * 5.0 * 2.0_f64.sqrt()).abs() < 1e-9, "{half}");
    }
}
