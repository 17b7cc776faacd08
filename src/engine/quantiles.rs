//! A distribution as an integer table of its quantiles, made when a scenario is lowered.
//!
//! Floats stop here: a run looks a draw up and interpolates in integers, so that no value depends on
//! the machine's `ln`. Between two table points the quantile function is taken as linear; each tail
//! has points of its own down to 2^-20, where it ends. Knows nothing of seconds or bytes: values are
//! integers in the caller's smallest unit.

/// The middle of a table is cut into this many intervals of equal probability.
const STEPS: usize = 1 << STEP_BITS;
const STEP_BITS: u32 = 10;
/// The first and last of those are cut again at 2^-11, 2^-12 and so on to 2^-20.
const TAIL: usize = 10;
/// Points per table: both tails, and the ends of the inner intervals.
const POINTS: usize = 2 * TAIL + STEPS - 1;

/// A distribution's quantiles in the caller's smallest unit.
///
/// ```
/// use windtunnel::engine::Quantiles;
/// assert_eq!(Quantiles::constant(5).value(u64::MAX), 5);
/// let second = Quantiles::uniform(0, 1_000_000_000);
/// assert_eq!(second.value(1 << 63), 500_000_000);
/// let pull = Quantiles::lognormal(2.9957, 0.15, 1e9); // median 20 s, in nanoseconds
/// assert_eq!(pull.value(1 << 63) / 1_000_000, 19_999);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quantiles(Shape);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Shape {
    Constant(u64),
    /// The quantiles at [`positions`], rising.
    Table(Box<[u64]>),
}

impl Quantiles {
    /// Always the same value.
    pub const fn constant(value: u64) -> Self {
        Quantiles(Shape::Constant(value))
    }

    /// Equally likely between two values. The order of the two does not matter.
    pub fn uniform(low: u64, high: u64) -> Self {
        let (low, high) = (low.min(high), low.max(high));
        let width = u128::from(high - low);
        let at = |position: u64| low + narrow((u128::from(position) * width) >> 64);
        Quantiles(Shape::Table(positions().map(at).collect()))
    }

    /// Log-normal: `exp(mu + sigma × z)`, times `scale` to reach the caller's unit.
    #[expect(clippy::float_arithmetic, reason = "the float island of lowering")]
    pub fn lognormal(mu: f64, sigma: f64, scale: f64) -> Self {
        Self::from_f64(|p| libm::exp(mu + sigma * normal_quantile_f64(p)) * scale)
    }

    /// Exponential with this mean in the caller's unit; its longest value is 13.9 means.
    #[expect(clippy::float_arithmetic, reason = "the float island of lowering")]
    pub fn exponential(mean: f64) -> Self {
        Self::from_f64(|p| -libm::log1p(-p) * mean)
    }

    /// The same distribution, held between two values.
    #[must_use]
    pub fn clamped(self, min: u64, max: u64) -> Self {
        self.map(|value| value.max(min).min(max))
    }

    /// The distribution of `change(value)` for a rising `change`.
    #[must_use]
    pub fn map(self, change: impl Fn(u64) -> u64) -> Self {
        Quantiles(match self.0 {
            Shape::Constant(value) => Shape::Constant(change(value)),
            Shape::Table(points) => Shape::Table(points.iter().map(|&value| change(value)).collect()),
        })
    }

    /// The value that belongs to a draw.
    pub fn value(&self, draw: u64) -> u64 {
        match &self.0 {
            Shape::Constant(value) => *value,
            Shape::Table(points) => interpolate(points, draw),
        }
    }

    /// Any quantile function of probability, rising, in the caller's unit.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the float island of lowering: `as` saturates, NaN becomes 0"
    )]
    fn from_f64(quantile: impl Fn(f64) -> f64) -> Self {
        let at = |position: u64| {
            let upper = position > 1 << 63;
            // The upper tail is computed from its small end, where floats are fine.
            let p = if upper { 1.0 - (u64::MAX - position) as f64 / ONE } else { position as f64 / ONE };
            quantile(p).round() as u64
        };
        Quantiles(Shape::Table(positions().map(at).collect()))
    }
}

/// 2^64 as a float.
const ONE: f64 = 18_446_744_073_709_551_616.0;

/// The probabilities of the table points, as fractions of 2^64, rising.
fn positions() -> impl Iterator<Item = u64> {
    let tail = || (STEP_BITS + 1..=STEP_BITS + 10).map(|bits| 1_u64 << (64 - bits));
    let inner = (1..STEPS as u64).map(|step| step << (64 - STEP_BITS));
    tail().rev().chain(inner).chain(tail().map(|small| u64::MAX - small + 1))
}

/// Linear between the two table points around `draw`; the outermost point beyond them.
fn interpolate(points: &[u64], draw: u64) -> u64 {
    let step = draw >> (64 - STEP_BITS);
    let last = STEPS as u64 - 1;
    if step == 0 {
        let bits = draw.leading_zeros();
        if bits >= STEP_BITS + 10 {
            return points[0];
        }
        let width = 1 << (63 - bits);
        let lower = TAIL - 1 - (bits - STEP_BITS) as usize;
        between(points[lower], points[lower + 1], draw - width, width)
    } else if step == last {
        let small = u64::MAX - draw;
        let bits = small.leading_zeros();
        if bits >= STEP_BITS + 10 {
            return points[POINTS - 1];
        }
        let width = 1 << (63 - bits);
        let upper = POINTS - TAIL + (bits - STEP_BITS) as usize;
        between(points[upper], points[upper - 1], small - width, width)
    } else {
        let lower = TAIL - 1 + usize::try_from(step).expect("ten bits");
        let width = 1 << (64 - STEP_BITS);
        between(points[lower], points[lower + 1], draw & (width - 1), width)
    }
}

/// `from` at 0 of `width`, `to` at `width` of `width`.
fn between(from: u64, to: u64, at: u64, width: u64) -> u64 {
    let part = narrow(u128::from(from.abs_diff(to)) * u128::from(at) / u128::from(width));
    if to >= from { from + part } else { from - part }
}

fn narrow(value: u128) -> u64 {
    u64::try_from(value).expect("a share of a 64-bit width")
}

/// The quantile of the standard normal: Wichura, "Algorithm AS 241", 1988, routine PPND16, good to
/// about 1e-16.
#[expect(clippy::float_arithmetic, reason = "the float island of lowering")]
fn normal_quantile_f64(p: f64) -> f64 {
    const CENTRE: ([f64; 8], [f64; 8]) = (
        [
            3.387_132_872_796_366_5,
            133.141_667_891_784_38,
            1_971.590_950_306_551_3,
            13_731.693_765_509_46,
            45_921.953_931_549_87,
            67_265.770_927_008_7,
            33_430.575_583_588_13,
            2_509.080_928_730_122_7,
        ],
        [
            1.0,
            42.313_330_701_600_91,
            687.187_007_492_057_9,
            5_394.196_021_424_751,
            21_213.794_301_586_597,
            39_307.895_800_092_71,
            28_729.085_735_721_943,
            5_226.495_278_852_545,
        ],
    );
    const NEAR: ([f64; 8], [f64; 8]) = (
        [
            1.423_437_110_749_683_5,
            4.630_337_846_156_546,
            5.769_497_221_460_691,
            3.647_848_324_763_204_5,
            1.270_458_252_452_368_4,
            0.241_780_725_177_450_6,
            0.022_723_844_989_269_184,
            7.745_450_142_783_414e-4,
        ],
        [
            1.0,
            2.053_191_626_637_759,
            1.676_384_830_183_803_8,
            0.689_767_334_985_1,
            0.148_103_976_427_480_08,
            0.015_198_666_563_616_457,
            5.475_938_084_995_345e-4,
            1.050_750_071_644_416_9e-9,
        ],
    );
    const FAR: ([f64; 8], [f64; 8]) = (
        [
            6.657_904_643_501_103,
            5.463_784_911_164_114,
            1.784_826_539_917_291_3,
            0.296_560_571_828_504_87,
            0.026_532_189_526_576_124,
            0.001_242_660_947_388_078_4,
            2.711_555_568_743_487_6e-5,
            2.010_334_399_292_288_1e-7,
        ],
        [
            1.0,
            0.599_832_206_555_888,
            0.136_929_880_922_735_8,
            0.014_875_361_290_850_615,
            7.868_691_311_456_133e-4,
            1.846_318_317_510_054_8e-5,
            1.421_511_758_316_446e-7,
            2.044_263_103_389_939_8e-15,
        ],
    );
    let ratio = |(above, below): &([f64; 8], [f64; 8]), x: f64| {
        let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, &term| sum * x + term);
        horner(above) / horner(below)
    };
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180_625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let z = if r <= 5.0 { ratio(&NEAR, r - 1.6) } else { ratio(&FAR, r - 5.0) };
    if q < 0.0 { -z } else { z }
}

#[cfg(test)]
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "statistics of tests")]
mod tests {
    use rand::distr::Distribution;
    use rand_distr::{Exp, LogNormal};

    use super::*;
    use crate::base::{EntityKey, Purpose};
    use crate::engine::Luck;

    const DRAWS: u32 = 40_000;

    /// Largest distance of the two empirical distribution functions, in units of its 0.1 % bound.
    fn kolmogorov_smirnov(ours: &mut [u64], theirs: &mut [u64]) -> f64 {
        ours.sort_unstable();
        theirs.sort_unstable();
        let (mut i, mut j, mut worst) = (0, 0, 0.0_f64);
        while i < ours.len() && j < theirs.len() {
            if ours[i] <= theirs[j] {
                i += 1;
            } else {
                j += 1;
            }
            worst = worst.max((i as f64 / ours.len() as f64 - j as f64 / theirs.len() as f64).abs());
        }
        worst / (1.95 * libm::sqrt(2.0 / f64::from(DRAWS)))
    }

    fn equals_rand_distr(ours: &Quantiles, theirs: &impl Distribution<f64>) {
        let luck = Luck::new(3);
        let mut mine: Vec<u64> = (0..DRAWS)
            .map(|n| ours.value(luck.draw(Purpose::Life, EntityKey::new("a", "a", 0), n)))
            .collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive draws")]
        let mut other: Vec<u64> = {
            let stream = luck.stream(Purpose::Life, EntityKey::new("b", "b", 0));
            theirs.sample_iter(stream).take(DRAWS as usize).map(|x| (x * 1e6) as u64).collect()
        };
        let distance = kolmogorov_smirnov(&mut mine, &mut other);
        assert!(distance < 1.0, "Kolmogorov-Smirnov distance is {distance} of its bound");
        let mean = |all: &[u64]| all.iter().map(|&x| x as f64).sum::<f64>() / f64::from(DRAWS);
        let ratio = mean(&mine) / mean(&other);
        assert!((ratio - 1.0).abs() < 0.03, "means differ by {ratio}");
    }

    #[test]
    fn lognormal_equals_rand_distr() {
        for (mu, sigma) in [(2.9957, 0.15), (0.1823, 0.35), (1.0, 0.9)] {
            equals_rand_distr(&Quantiles::lognormal(mu, sigma, 1e6), &LogNormal::new(mu, sigma).unwrap());
        }
    }

    #[test]
    fn exponential_equals_rand_distr() {
        equals_rand_distr(&Quantiles::exponential(250e6), &Exp::new(1.0 / 250.0).unwrap());
    }

    #[test]
    fn tables_rise_and_end() {
        let table = Quantiles::lognormal(1.0, 1.0, 1e9);
        let Shape::Table(points) = &table.0 else { panic!("not a constant") };
        assert_eq!(points.len(), POINTS);
        assert!(points.is_sorted());
        assert_eq!((table.value(0), table.value(u64::MAX)), (points[0], points[POINTS - 1]));
        let mut draws: Vec<u64> = positions().flat_map(|p| [p - 1, p, p + 1]).collect();
        draws.sort_unstable();
        let values: Vec<u64> = draws.iter().map(|&draw| table.value(draw)).collect();
        assert!(values.is_sorted());
        for (position, &point) in positions().zip(points) {
            assert!(table.value(position).abs_diff(point) <= 1 + point / 100_000, "at {position:#x}");
        }
    }

    #[test]
    fn a_uniform_draw_is_the_draw() {
        // Linear everywhere, the tails included, so that interpolation shows nothing but its rounding.
        let (low, high, end) = (1_000, 1_000 + (1 << 60), 1_u64 << 44);
        for table in [Quantiles::uniform(low, high), Quantiles::uniform(high, low)] {
            let near_ends = (0..64).flat_map(|bit| [1 << bit, !(1 << bit), 3 << bit >> 1, !(3 << bit >> 1)]);
            let inner = (0..5000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            for draw in near_ends.chain(inner) {
                let exact = low + (draw.clamp(end, u64::MAX - end + 1) >> 4);
                assert!(table.value(draw).abs_diff(exact) <= 1, "{draw:#x}: {}", table.value(draw));
            }
        }
    }

    #[test]
    fn points_are_the_exact_quantiles() {
        let exponential = Quantiles::exponential(1e9);
        // -ln(1 - p) at the ends, the quarters, and the first and last points of the inner table.
        for (draw, value) in [
            (0, 954),
            (1 << 44, 954),
            (1 << 54, 977_040),
            (1 << 62, 287_682_072),
            (1 << 63, 693_147_181),
            (3 << 62, 1_386_294_361),
            (1023 << 54, 6_931_471_806),
            (u64::MAX, 13_862_943_611),
        ] {
            assert!(exponential.value(draw).abs_diff(value) <= 1, "{draw:#x}: {}", exponential.value(draw));
        }
    }

    #[test]
    fn changes_reach_every_value() {
        assert_eq!(Quantiles::constant(5).map(|value| value * 3).value(9), 15);
        assert_eq!(Quantiles::constant(5).clamped(7, 9).value(0), 7);
        assert_eq!(Quantiles::uniform(0, 1 << 30).map(|value| value + 7).value(1 << 63), (1 << 29) + 7);
        assert_eq!(Quantiles::uniform(4, 4).value(1 << 63), 4);
    }

    #[test]
    fn clamps_both_ends() {
        let table = Quantiles::exponential(1000.0).clamped(10, 2000);
        assert_eq!((table.value(0), table.value(u64::MAX)), (10, 2000));
    }

    #[test]
    fn normal_quantiles_are_the_published_ones() {
        // AS 241, table of test values.
        for (p, z) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813),
            (1e-20, -9.262_340_089_798_408),
        ] {
            assert!((normal_quantile_f64(p) - z).abs() < 1e-13);
        }
    }
}
