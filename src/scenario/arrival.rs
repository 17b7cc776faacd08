//! When things arrive, as a scenario says it: `40/s`, `{ poisson: 40/s }`, `{ diurnal: { .. } }`.
//!
//! Read with all contradictions found, then lowered to integers. Does not know what arrives.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::distribution::{Counted, Distribution, check, exponential_f64, only_key};
use super::units::{Measured, Rate, UnitError};
use crate::base::Span;
use crate::engine::Quantiles;
use crate::workload::arrival::{Daily, Gaps, Phase};

/// When things arrive.
///
/// ```
/// use windtunnel::scenario::arrival::Every;
/// use windtunnel::scenario::{Sources, read};
/// let text = b"{ diurnal: { mean: 40/h, peak: 70/h, at: 14h } }".to_vec();
/// let every: Every = read(&Sources::default().add("a.yaml", text)).0.unwrap();
/// assert!(every.gaps().is_some());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Every {
    /// Evenly: `40/s`.
    Even(Rate),
    /// Independently of each other.
    Poisson(Rate),
    /// Independently of each other, at a rate that follows a cosine over the day.
    Diurnal {
        /// Over the whole day.
        mean: Rate,
        /// The highest rate.
        peak: Rate,
        /// When that is, since midnight in UTC.
        at: Span,
    },
    /// Independently of each other, at a rate that jumps from phase to phase.
    Phases(Vec<Stage>),
}

/// A phase of a process that jumps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stage {
    /// The rate in it.
    pub rate: Rate,
    /// How long it lasts.
    pub lasts: Distribution<Span>,
}

/// Phases of one process.
const PHASES_MAX: usize = 64;
const MINUTES: u32 = 1440;

impl Every {
    /// How one arrival follows another; none when nothing ever arrives.
    pub fn gaps(&self) -> Option<Gaps> {
        match self {
            Every::Even(rate) => (!rate.is_zero()).then(|| Quantiles::constant(gap(*rate)).into()),
            Every::Poisson(rate) => poisson(*rate).map(Gaps::Drawn),
            Every::Diurnal { mean, peak, at } => {
                let shares = (0..MINUTES).map(|minute| share_f64(*mean, *peak, *at, minute)).collect();
                poisson(*peak).map(|gaps| Gaps::Daily(Daily { gaps, shares }))
            }
            Every::Phases(stages) => {
                let phase =
                    |stage: &Stage| Phase { gaps: poisson(stage.rate), lasts: stage.lasts.quantiles() };
                let any = stages.iter().any(|stage| !stage.rate.is_zero());
                any.then(|| Gaps::Phases(stages.iter().map(phase).collect()))
            }
        }
    }

    /// The highest rate that is ever reached, as the mean gap at it.
    pub fn least_gap(&self) -> Span {
        let rates: Vec<Rate> = match self {
            Every::Even(rate) | Every::Poisson(rate) | Every::Diurnal { peak: rate, .. } => vec![*rate],
            Every::Phases(stages) => stages.iter().map(|stage| stage.rate).collect(),
        };
        rates.into_iter().map(Rate::gap).min().unwrap_or(Span::ZERO)
    }
}

fn gap(rate: Rate) -> u64 {
    rate.gap().as_nanos().min(Span::MOST)
}

fn poisson(rate: Rate) -> Option<Quantiles> {
    (!rate.is_zero()).then(|| exponential_f64(gap(rate)).clamped(0, Span::MOST))
}

/// The rate in the middle of a minute of the day as a share of the peak, in 2^-64.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the float island of lowering: `as` saturates"
)]
fn share_f64(mean: Rate, peak: Rate, at: Span, minute: u32) -> u64 {
    let mean_share = gap(peak) as f64 / gap(mean) as f64;
    let since = (f64::from(minute) + 0.5) / f64::from(MINUTES) - at.as_nanos() as f64 / DAY.as_nanos() as f64;
    let share = mean_share + (1.0 - mean_share) * libm::cos(since * core::f64::consts::TAU);
    (share * 18_446_744_073_709_551_616.0) as u64
}

const DAY: Span = Span::seconds(86_400);

impl JsonSchema for Every {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Every".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (rate, spread) = (generator.subschema_for::<Rate>(), generator.subschema_for::<Written>());
        json_schema!({ "anyOf": [rate, spread] })
    }
}

/// The map form as it is written; each variant is one key.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Written {
    /// Independently of each other, with this mean rate.
    Poisson(Rate),
    /// A rate that rises and falls once a day.
    Diurnal(WrittenDiurnal),
    /// A quiet rate with bursts.
    Bursts(WrittenBursts),
    /// A rate that changes at random between states.
    Mmpp(WrittenMmpp),
}

#[derive(Deserialize, JsonSchema)]
struct WrittenDiurnal {
    /// The mean over the day.
    mean: Rate,
    /// The highest rate.
    peak: Rate,
    /// The time of day of the highest rate.
    at: Span,
}

/// Two phases under the names that people give them.
#[derive(Deserialize, JsonSchema)]
struct WrittenBursts {
    /// The rate between bursts.
    quiet: Rate,
    /// The rate in a burst.
    burst: Rate,
    /// The mean time between bursts.
    every: Span,
    /// How long a burst lasts.
    lasts: Distribution<Span>,
}

#[derive(Deserialize, JsonSchema)]
struct WrittenMmpp {
    /// The states, in the order in which they follow each other.
    states: Vec<WrittenState>,
}

#[derive(Deserialize, JsonSchema)]
struct WrittenState {
    /// The rate in this state.
    rate: Rate,
    /// How long it lasts on average.
    mean: Span,
}

impl TryFrom<Written> for Every {
    type Error = UnitError;

    fn try_from(written: Written) -> Result<Self, UnitError> {
        match written {
            Written::Poisson(rate) => Ok(Every::Poisson(rate)),
            Written::Diurnal(WrittenDiurnal { mean, peak, at }) => {
                check(!mean.is_zero() && !peak.is_zero(), "a rate is zero")?;
                check(peak.gap() <= mean.gap(), "`peak` is below `mean`")?;
                let trough = mean.gap().as_nanos().div_ceil(2) <= peak.gap().as_nanos();
                check(trough, "`peak` is above twice the `mean`, so that the lowest rate would be negative")?;
                check(at < DAY, "`at` is a time of day, below 24h")?;
                Ok(Every::Diurnal { mean, peak, at })
            }
            Written::Bursts(WrittenBursts { quiet, burst, every, lasts }) => {
                check(every > Span::ZERO, "`every` is zero")?;
                let between = Distribution::Exponential { mean: every, max: None };
                Ok(Every::Phases(vec![Stage { rate: quiet, lasts: between }, Stage { rate: burst, lasts }]))
            }
            Written::Mmpp(WrittenMmpp { states }) => {
                check((2..=PHASES_MAX).contains(&states.len()), "2 to 64 states are wanted")?;
                check(states.iter().all(|state| state.mean > Span::ZERO), "a state lasts no time")?;
                let stage = |state: WrittenState| Stage {
                    rate: state.rate,
                    lasts: Distribution::Exponential { mean: state.mean, max: None },
                };
                Ok(Every::Phases(states.into_iter().map(stage).collect()))
            }
        }
    }
}

struct EveryVisitor;

impl<'de> Visitor<'de> for EveryVisitor {
    type Value = Every;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, or {{ poisson: 40/s }}", Rate::WHAT)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Every, E> {
        Rate::read(text).map(Every::Even).map_err(UnitError::into_serde)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Every, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Every, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Every, A::Error> {
        let written = Written::deserialize(MapAccessDeserializer::new(&mut map))?;
        only_key(map)?;
        Every::try_from(written).map_err(UnitError::into_serde)
    }
}

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EveryVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{EntityKey, Timestamp};
    use crate::engine::Luck;
    use crate::scenario::{Sources, read};
    use crate::workload::Arrivals;

    const DAYS: u64 = 50;

    fn every(text: &str) -> Result<Every, String> {
        let (every, found) = read::<Every>(&Sources::default().add("x", text.as_bytes().to_vec()));
        every.ok_or_else(|| found[0].message.clone())
    }

    /// Within five standard deviations of the stated mean of fifty days; `dispersion` is how many times
    /// the mean the variance is.
    fn check_count(text: &str, mean: u64, dispersion: u64) {
        let start = Timestamp::from_nanos(0);
        let arrivals = Arrivals {
            key: EntityKey::new("arrivals", text, 0),
            gaps: every(text).expect("good").gaps().expect("some"),
            first: start,
            until: start + Span::seconds(DAYS * 86_400),
            count_max: u64::MAX,
        };
        let (luck, mut walk) = (Luck::new(1), arrivals.walk());
        let found = std::iter::from_fn(|| arrivals.next(&luck, &mut walk)).count() as u64;
        let deviation = (mean * dispersion).isqrt();
        assert!(found.abs_diff(mean) <= 5 * deviation, "{text}: {found}, not {mean} ± {deviation}");
    }

    #[test]
    fn arrivals_come_at_the_rate_that_was_written() {
        check_count("30/h", DAYS * 720, 0);
        check_count("{ poisson: 30/h }", DAYS * 720, 1);
        check_count("{ diurnal: { mean: 40/h, peak: 70/h, at: 14h } }", DAYS * 960, 1);
        check_count("{ diurnal: { mean: 40/h, peak: 80/h, at: 0h } }", DAYS * 960, 1);
        // 480 bursts of 5 minutes bring 10 each, and the 2.5 hours between them 6 an hour; how many
        // bursts there are varies like their own number.
        let bursts = "{ bursts: { quiet: 6/h, burst: 120/h, every: 2h25m, lasts: 5m } }";
        check_count(bursts, DAYS * 24 * 2 / 5 * 10 + DAYS * 24 * 29 / 30 * 6, 10);
        let mmpp = "{ mmpp: { states: [ { rate: 60/h, mean: 1h }, { rate: 0/h, mean: 1h } ] } }";
        check_count(mmpp, DAYS * 720, 60);
    }

    #[test]
    fn contradictions_are_found() {
        let rows = [
            ("{ diurnal: { mean: 0/h, peak: 0/h, at: 0h } }", "a rate is zero"),
            ("{ diurnal: { mean: 40/h, peak: 30/h, at: 0h } }", "`peak` is below `mean`"),
            (
                "{ diurnal: { mean: 40/h, peak: 81/h, at: 0h } }",
                "`peak` is above twice the `mean`, so that the lowest rate would be negative",
            ),
            ("{ diurnal: { mean: 40/h, peak: 50/h, at: 24h } }", "`at` is a time of day, below 24h"),
            ("{ bursts: { quiet: 6/h, burst: 9/h, every: 0s, lasts: 5m } }", "`every` is zero"),
            ("{ mmpp: { states: [ { rate: 60/h, mean: 1h } ] } }", "2 to 64 states are wanted"),
            (
                "{ mmpp: { states: [ { rate: 1/h, mean: 1h }, { rate: 1/h, mean: 0s } ] } }",
                "a state lasts no time",
            ),
            ("{ bursty: 6/h }", "unknown word \"bursty\""),
        ];
        for (text, message) in rows {
            assert_eq!(every(text).expect_err(text), message, "{text}");
        }
    }

    #[test]
    fn rates_have_gaps() {
        let drawn = |text: &str| match every(text).expect("good").gaps() {
            Some(Gaps::Drawn(gaps)) => Some(gaps),
            Some(Gaps::Daily(_) | Gaps::Phases(_)) | None => None,
        };
        let even = drawn("40/s").expect("some");
        assert_eq!((even.value(0), even.value(u64::MAX)), (25_000_000, 25_000_000));
        assert_eq!(drawn("{ poisson: 40/s }").expect("some").value(1 << 63) / 1000, 17_328); // 25 ms × ln 2
        assert!(drawn("0/s").is_none());
    }
}
