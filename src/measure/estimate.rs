//! An estimate from replications: mean, 95 % interval, and n. No number without both.
//!
//! Sums go in replication order, with the four basic operations and the square root only, which
//! every machine computes alike. Knows nothing of what is estimated.

/// A mean over replications.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Estimate {
    /// How many replications had a value.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Half the width of the 95 % interval (Student); none for a single value.
    pub half_width: Option<f64>,
}

/// The 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "the float island of statistics")]
impl Estimate {
    /// The estimate from these values; none without a value.
    ///
    /// ```
    /// use windtunnel::measure::Estimate;
    /// let estimate = Estimate::of(&[10.0, 12.0, 14.0]).unwrap();
    /// assert_eq!((estimate.n, estimate.mean), (3, 12.0));
    /// assert_eq!(format!("{:.2}", estimate.half_width.unwrap()), "4.97");
    /// assert_eq!(Estimate::of(&[10.0]).unwrap().half_width, None);
    /// ```
    pub fn of(values: &[f64]) -> Option<Estimate> {
        let n = values.len();
        if n == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let half_width = (n > 1).then(|| {
            let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            student(n - 1) * (squares / (n - 1) as f64 / n as f64).sqrt()
        });
        Some(Estimate { n, mean, half_width })
    }
}

/// Beyond 30 degrees of freedom: Fisher's expansion around the normal quantile, good to three digits.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "the float island of statistics")]
fn student(degrees: usize) -> f64 {
    match STUDENT.get(degrees - 1) {
        Some(&quantile) => quantile,
        None => 1.959_964 + 2.372_271 / degrees as f64 + 2.822_5 / (degrees as f64 * degrees as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_quantiles_are_the_published_ones() {
        for (degrees, quantile) in
            [(1, 12.706), (9, 2.262), (30, 2.042), (40, 2.021), (120, 1.980), (100_000, 1.960)]
        {
            assert!((student(degrees) - quantile).abs() < 0.000_6, "{degrees}: {}", student(degrees));
        }
    }
}
