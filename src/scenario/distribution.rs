//! Spread-out values in a scenario: `3s`, `{ lognormal: { median: 3s, p99: 15s } }`.
//!
//! Read with all contradictions found, then lowered to a table of integer quantiles. Does not know
//! what the values are for.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::codes::Code;
use super::diagnostic::quoted;
use super::units::{Measured, UnitError};
use crate::base::{Bandwidth, Bytes, Span};
use crate::engine::Quantiles;

/// A measured value that is counted in one integer.
pub trait Counted: Measured + Copy {
    /// The largest value that a draw may give.
    const MOST: u64;

    /// Smallest steps: nanoseconds, bytes, bytes per second.
    fn steps(self) -> u64;
}

/// How a measured value is spread.
///
/// ```
/// use windtunnel::base::Span;
/// use windtunnel::scenario::distribution::Distribution;
/// use windtunnel::scenario::{Sources, read};
/// let text = b"{ lognormal: { median: 3s, p99: 15s, max: 60s } }".to_vec();
/// let source = Sources::default().add("a.yaml", text);
/// let start: Distribution<Span> = read(&source).0.unwrap();
/// assert_eq!(start.quantiles().value(1 << 63) / 1_000_000, 3000);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Distribution<T> {
    /// Always the same.
    Constant(T),
    /// Log-normal, given by its median and one high percentile.
    Lognormal {
        /// Half of the draws are below.
        median: T,
        /// Which percentile is given.
        percentile: Percentile,
        /// Its value.
        high: T,
        /// Draws above are cut to this.
        max: Option<T>,
    },
    /// Equally likely between two values.
    Uniform {
        /// The lowest value.
        from: T,
        /// The highest value.
        to: T,
    },
    /// Exponential: the time to the next of many independent events.
    Exponential {
        /// The mean.
        mean: T,
        /// Draws above are cut to this.
        max: Option<T>,
    },
}

/// A percentile that a log-normal distribution may be given by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Percentile {
    /// One draw in ten is above.
    P90,
    /// One draw in twenty is above.
    P95,
    /// One draw in a hundred is above.
    P99,
}

impl Counted for Span {
    /// A hundred years: a start in 2026 plus four of them stay within the calendar.
    const MOST: u64 = 100 * 366 * 86_400 * 1_000_000_000;

    fn steps(self) -> u64 {
        self.as_nanos()
    }
}

impl Counted for Bytes {
    const MOST: u64 = 1 << 60;

    fn steps(self) -> u64 {
        self.bytes().unsigned_abs()
    }
}

impl Counted for Bandwidth {
    const MOST: u64 = 1 << 60;

    fn steps(self) -> u64 {
        self.bytes()
    }
}

impl<T: Counted> Distribution<T> {
    /// The table of quantiles, in smallest steps.
    pub fn quantiles(&self) -> Quantiles {
        match self {
            Distribution::Constant(value) => Quantiles::constant(value.steps()),
            Distribution::Uniform { from, to } => Quantiles::uniform(from.steps(), to.steps()),
            Distribution::Exponential { mean, max } => cut(exponential_f64(mean.steps()), *max),
            Distribution::Lognormal { median, percentile, high, max } => {
                cut(lognormal_f64(median.steps(), *percentile, high.steps()), *max)
            }
        }
    }

    /// The same, if its figures agree with each other.
    fn checked(self) -> Result<Self, UnitError> {
        match &self {
            Distribution::Constant(_) => {}
            Distribution::Uniform { from, to } => {
                check(from.steps() <= to.steps(), "`from` is above `to`")?;
            }
            Distribution::Exponential { mean, max } => {
                check(mean.steps() > 0, "the mean is zero")?;
                check(max.is_none_or(|max| max.steps() >= mean.steps()), "`max` is below the mean")?;
            }
            Distribution::Lognormal { median, high, max, .. } => {
                check(median.steps() > 0, "the median is zero")?;
                check(high.steps() >= median.steps(), "the percentile is below the median")?;
                check(max.is_none_or(|max| max.steps() >= high.steps()), "`max` is below the percentile")?;
            }
        }
        if self.quantiles().value(u64::MAX) > T::MOST {
            let message = String::from("the largest draws are beyond what can be counted");
            let hint = Some(String::from("name the largest value with `max`"));
            return Err(UnitError { code: Code::DistributionTail, message, hint });
        }
        Ok(self)
    }
}

impl Percentile {
    /// The quantile of the standard normal.
    const fn z(self) -> f64 {
        match self {
            Percentile::P90 => 1.281_551_565_544_600_4,
            Percentile::P95 => 1.644_853_626_951_472_2,
            Percentile::P99 => 2.326_347_874_040_840_8,
        }
    }
}

pub(super) fn check(holds: bool, message: &str) -> Result<(), UnitError> {
    if holds {
        return Ok(());
    }
    Err(UnitError { code: Code::WrongDistribution, message: message.to_owned(), hint: None })
}

fn cut<T: Counted>(table: Quantiles, max: Option<T>) -> Quantiles {
    match max {
        Some(max) => table.clamped(0, max.steps()),
        None => table,
    }
}

#[expect(clippy::cast_precision_loss, reason = "the float island of lowering")]
pub(super) fn exponential_f64(mean: u64) -> Quantiles {
    Quantiles::exponential(mean as f64)
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "the float island of lowering")]
fn lognormal_f64(median: u64, percentile: Percentile, high: u64) -> Quantiles {
    let mu = libm::log(median as f64);
    let sigma = (libm::log(high as f64) - mu) / percentile.z();
    Quantiles::lognormal(mu, sigma, 1.0)
}

/// The map form as it is written; each variant is one key.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", bound(deserialize = "T: Deserialize<'de> + Counted"))]
#[schemars(rename = "{T}_spread")]
enum Written<T> {
    /// Log-normal, by its median and one percentile.
    Lognormal(WrittenLognormal<T>),
    /// Equally likely between two values.
    Uniform(WrittenUniform<T>),
    /// The time to the next of many independent events.
    Exponential(WrittenExponential<T>),
}

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("oneOf" = [{"required": ["p90"]}, {"required": ["p95"]}, {"required": ["p99"]}]))]
#[schemars(rename = "{T}_lognormal")]
struct WrittenLognormal<T> {
    /// Half of the draws are below.
    median: T,
    /// One draw in ten is above.
    p90: Option<T>,
    /// One draw in twenty is above.
    p95: Option<T>,
    /// One draw in a hundred is above.
    p99: Option<T>,
    /// Draws above are cut to this.
    max: Option<T>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "{T}_uniform")]
struct WrittenUniform<T> {
    /// The lowest value.
    from: T,
    /// The highest value.
    to: T,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "{T}_exponential")]
struct WrittenExponential<T> {
    /// The mean.
    mean: T,
    /// Draws above are cut to this.
    max: Option<T>,
}

impl<T: Counted> TryFrom<Written<T>> for Distribution<T> {
    type Error = UnitError;

    fn try_from(written: Written<T>) -> Result<Self, UnitError> {
        match written {
            Written::Uniform(WrittenUniform { from, to }) => Distribution::Uniform { from, to },
            Written::Exponential(WrittenExponential { mean, max }) => Distribution::Exponential { mean, max },
            Written::Lognormal(WrittenLognormal { median, p90, p95, p99, max }) => {
                let (percentile, high) = match (p90, p95, p99) {
                    (Some(high), None, None) => (Percentile::P90, high),
                    (None, Some(high), None) => (Percentile::P95, high),
                    (None, None, Some(high)) => (Percentile::P99, high),
                    _ => return Err(one_percentile()),
                };
                Distribution::Lognormal { median, percentile, high, max }
            }
        }
        .checked()
    }
}

fn one_percentile() -> UnitError {
    let message = String::from("exactly one percentile is wanted beside the median");
    let hint = Some(String::from("give one of p90, p95, p99"));
    UnitError { code: Code::WrongDistribution, message, hint }
}

impl<T: JsonSchema> JsonSchema for Distribution<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}Distribution", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (value, spread) = (generator.subschema_for::<T>(), generator.subschema_for::<Written<T>>());
        json_schema!({ "anyOf": [value, spread] })
    }
}

struct DistributionVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Counted> Visitor<'de> for DistributionVisitor<T> {
    type Value = Distribution<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, or a map such as {{ uniform: .. }}", T::WHAT)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        T::read(text).and_then(|value| Distribution::Constant(value).checked()).map_err(UnitError::into_serde)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let written = Written::deserialize(MapAccessDeserializer::new(&mut map))?;
        only_key(map)?;
        Distribution::try_from(written).map_err(UnitError::into_serde)
    }
}

impl<'de, T: Deserialize<'de> + Counted> Deserialize<'de> for Distribution<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DistributionVisitor(PhantomData))
    }
}

/// A second key would be passed over without a word.
pub(super) fn only_key<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    match map.next_key::<String>()? {
        None => Ok(()),
        Some(key) => {
            let message = format!("only one key is wanted here, found {} too", quoted(&key));
            Err(UnitError { code: Code::WrongDistribution, message, hint: None }.into_serde())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Sources, read};

    /// Median and the value that one draw in `one_in` exceeds, in milliseconds, to a thousandth.
    fn check(text: &str, one_in: u64, expected: (u64, u64)) {
        let source = Sources::default().add("x", text.as_bytes().to_vec());
        let (value, diagnostics) = read::<Distribution<Span>>(&source);
        let table = value.unwrap_or_else(|| panic!("{text}: {diagnostics:?}")).quantiles();
        for (draw, millis) in [(1 << 63, expected.0), (u64::MAX - u64::MAX / one_in, expected.1)] {
            let (found, wanted) = (table.value(draw), millis * 1_000_000);
            assert!(found.abs_diff(wanted) <= wanted / 1000, "{found} instead of {wanted} for {text:?}");
        }
    }

    #[test]
    fn tables_have_the_figures_that_were_written() {
        check("3s", 100, (3000, 3000));
        check("{ lognormal: { median: 3s, p99: 15s, max: 60s } }", 100, (3000, 15_000));
        check("{ lognormal: { median: 3s, p90: 15s } }", 10, (3000, 15_000));
        check("{ lognormal: { median: 3s, p95: 15s } }", 20, (3000, 15_000));
        check("{ lognormal: { median: 3s, p99: 15s, max: 15s } }", 1 << 20, (3000, 15_000));
        check("{ lognormal: { median: 3s, p99: 3s } }", 100, (3000, 3000));
        check("{ uniform: { from: 1s, to: 5s } }", 4, (3000, 4000));
        check("{ exponential: { mean: 1s } }", 2, (693, 693));
    }

    #[test]
    fn bytes_are_spread_too() {
        let source = Sources::default().add("x", b"{ uniform: { from: 1 MiB, to: 3 MiB } }".to_vec());
        let table = read::<Distribution<Bytes>>(&source).0.expect("good").quantiles();
        assert_eq!(table.value(1 << 63), 2 << 20);
    }
}
