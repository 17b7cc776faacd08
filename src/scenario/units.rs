//! Measured values as people write them: `250ms`, `1.5 GiB`, `0.5 vCPU`, `40/s`.
//!
//! Units are mandatory and arithmetic is exact: digits are read as an integer over a power of ten,
//! multiplied by the unit, and rounded once to the smallest step that is counted, halves up. Knows
//! nothing of files; a place is added by whoever reads the tree.

use std::fmt::{self, Write as _};

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::codes::Code;
use super::decode::refusal;
use super::diagnostic::{nearest, quoted};
use crate::base::{Bandwidth, Bytes, Cpu, Money, Percent, Span, Timestamp};

/// Why a text is no measured value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnitError {
    /// The kind of mistake.
    pub code: Code,
    /// What is wrong, in one clause.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

/// How many events happen in a span; exact, never a fraction that was divided.
///
/// ```
/// use windtunnel::base::Span;
/// use windtunnel::scenario::units::{Measured, Rate};
/// assert_eq!(Rate::read("40/s").unwrap().gap(), Span::millis(25));
/// assert_eq!(Rate::read("3 per hour").unwrap(), Rate::read("3/h").unwrap());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Events in 1e-9, so that `0.5/s` is exact.
    nano_events: u64,
    per: Span,
}

/// A value that is written with a unit.
///
/// ```
/// use windtunnel::base::{Bytes, Span};
/// use windtunnel::scenario::units::Measured;
/// assert_eq!(Span::read("2d10h").unwrap(), Span::seconds(58 * 3600));
/// assert_eq!(Bytes::read("1.5 GiB").unwrap(), Bytes::mib(1536));
/// let error = Bytes::read("512").unwrap_err();
/// assert_eq!(error.message, "\"512\" lacks a unit");
/// ```
pub trait Measured: Sized {
    /// What it is, with an example: `a duration such as 250ms`.
    const WHAT: &'static str;

    /// Reads it.
    ///
    /// # Errors
    /// A missing or unknown unit, no number, a negative one, or one that cannot be counted.
    fn read(text: &str) -> Result<Self, UnitError>;

    /// Writes it so that reading gives the same value again.
    fn canonical(&self) -> String;

    /// A regular expression that takes every text that can be read, and no other unit.
    fn pattern() -> String;
}

/// A share in parts per million, finer than [`Percent`].
///
/// ```
/// use windtunnel::scenario::units::{Measured, Share};
/// assert_eq!(Share::read("0.15%").unwrap(), Share(1500));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share(pub u32);

/// A unit: its name, and how many smallest steps it has, as a fraction.
type Unit = (&'static str, u128, u128);

const DURATION: &[Unit] = &[
    ("w", 604_800_000_000_000, 1),
    ("d", 86_400_000_000_000, 1),
    ("h", 3_600_000_000_000, 1),
    ("m", 60_000_000_000, 1),
    ("s", 1_000_000_000, 1),
    ("ms", 1_000_000, 1),
    ("us", 1000, 1),
    ("ns", 1, 1),
];
const SIZE: &[Unit] = &[
    ("B", 1, 1),
    ("KiB", 1 << 10, 1),
    ("MiB", 1 << 20, 1),
    ("GiB", 1 << 30, 1),
    ("TiB", 1 << 40, 1),
    ("PiB", 1 << 50, 1),
    ("kB", 1000, 1),
    ("MB", 1_000_000, 1),
    ("GB", 1_000_000_000, 1),
    ("TB", 1_000_000_000_000, 1),
];
const BANDWIDTH: &[Unit] = &[
    ("B/s", 1, 1),
    ("KiB/s", 1 << 10, 1),
    ("MiB/s", 1 << 20, 1),
    ("GiB/s", 1 << 30, 1),
    ("kB/s", 1000, 1),
    ("MB/s", 1_000_000, 1),
    ("GB/s", 1_000_000_000, 1),
    ("bit/s", 1, 8),
    ("kbit/s", 1000, 8),
    ("Mbit/s", 1_000_000, 8),
    ("Gbit/s", 1_000_000_000, 8),
];
const CPU: &[Unit] = &[("vCPU", 128_000, 1), ("m", 128, 1), ("units", 125, 1)];
const PERCENT: &[Unit] = &[("%", 1, 1)];
const SHARE: &[Unit] = &[("%", 10_000, 1)];
const MILLIONTHS: &[Unit] = &[("", 1_000_000, 1)];
const MONEY: &[Unit] = &[("USD", 10_000_000_000, 1)];
const RATE: &[Unit] =
    &[("/s", 1_000_000_000, 1), ("/m", 1_000_000_000, 1), ("/h", 1_000_000_000, 1), ("/d", 1_000_000_000, 1)];
const RATE_SPANS: [Span; 4] = [Span::SECOND, Span::minutes(1), Span::HOUR, Span::seconds(86_400)];

/// Spellings that people use, and the unit that is meant.
const SPELLINGS: &[(&str, &str)] = &[
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("week", "w"),
    ("weeks", "w"),
    ("µs", "us"),
    ("msec", "ms"),
    ("K", "KiB"),
    ("M", "MiB"),
    ("G", "GiB"),
    ("gig", "GiB"),
    ("T", "TiB"),
    ("bytes", "B"),
    ("bps", "bit/s"),
    ("Mbps", "Mbit/s"),
    ("Gbps", "Gbit/s"),
    ("core", "vCPU"),
    ("cores", "vCPU"),
    ("cpu", "vCPU"),
    ("unit", "units"),
    ("percent", "%"),
    ("$", "USD"),
    ("dollars", "USD"),
    ("/sec", "/s"),
    ("/min", "/m"),
    ("/minute", "/m"),
    ("/hour", "/h"),
    ("/day", "/d"),
];

impl Rate {
    /// Whether nothing ever happens.
    pub const fn is_zero(self) -> bool {
        self.nano_events == 0
    }

    /// The mean time between two events; [`Span`]'s largest value when there are none.
    pub fn gap(self) -> Span {
        let span = u128::from(self.per.as_nanos()) * 1_000_000_000;
        let gap = match u128::from(self.nano_events) {
            0 => u128::MAX,
            events => (span + events / 2) / events,
        };
        Span::from_nanos(u64::try_from(gap).unwrap_or(u64::MAX))
    }
}

impl Measured for Span {
    const WHAT: &'static str = "a duration such as 250ms, 5m or 2d10h";

    fn read(text: &str) -> Result<Self, UnitError> {
        let mut rest = text.trim();
        let (mut sum, mut last_unit) = (0_u128, u128::MAX);
        loop {
            let (number, after) = split_number(rest);
            let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (steps, size) = amount(text, number, after[..unit_end].trim(), DURATION)?;
            if size >= last_unit {
                let message = format!("the parts of {} do not go from large to small", quoted(text));
                return Err(error(Code::UnknownUnit, message).hint("write 2d10h, not 10h2d"));
            }
            (sum, last_unit) = (sum.saturating_add(steps), size);
            rest = &after[unit_end..];
            if rest.is_empty() {
                return narrow(text, sum).map(Span::from_nanos);
            }
        }
    }

    fn canonical(&self) -> String {
        let mut rest = u128::from(self.as_nanos());
        let mut out = String::new();
        for &(name, size, _) in &DURATION[1..] {
            if rest >= size {
                let _ = write!(out, "{}{name}", rest / size);
                rest %= size;
            }
        }
        if out.is_empty() { String::from("0s") } else { out }
    }

    fn pattern() -> String {
        let parts = DURATION.iter().map(|(name, _, _)| format!(r"({NUMBER}\s*{name}\s*)?"));
        format!(r"^\s*{}$", parts.collect::<String>())
    }
}

impl Measured for Bytes {
    const WHAT: &'static str = "a size such as 180 MiB";

    fn read(text: &str) -> Result<Self, UnitError> {
        measured(text, SIZE).and_then(|steps| narrow(text, steps)).map(Bytes::new)
    }

    fn canonical(&self) -> String {
        largest(self.bytes().unsigned_abs().into(), &SIZE[..6])
    }

    fn pattern() -> String {
        pattern(SIZE)
    }
}

impl Measured for Bandwidth {
    const WHAT: &'static str = "a bandwidth such as 25 MB/s or 100 Mbit/s";

    fn read(text: &str) -> Result<Self, UnitError> {
        let bytes = measured(text, BANDWIDTH).and_then(|steps| narrow(text, steps))?;
        if bytes == 0 {
            return Err(error(Code::WrongValue, String::from("a bandwidth of zero never ends")));
        }
        Ok(Bandwidth::per_second(bytes))
    }

    fn canonical(&self) -> String {
        largest(self.bytes().into(), &BANDWIDTH[..4])
    }

    fn pattern() -> String {
        pattern(BANDWIDTH)
    }
}

impl Measured for Cpu {
    const WHAT: &'static str = "an amount of CPU such as 0.5 vCPU, 500m or 512 units";

    fn read(text: &str) -> Result<Self, UnitError> {
        measured(text, CPU).and_then(|steps| narrow(text, steps)).map(Cpu::from_parts)
    }

    /// Parts that are no whole millicores are written in full: 1/128,000 has six decimals.
    fn canonical(&self) -> String {
        let parts = u128::from(self.parts().unsigned_abs());
        let billionths = format!("{:010}", parts % 128_000 * 10_000_000_000 / 128_000);
        match billionths.trim_end_matches('0') {
            "" => format!("{} vCPU", parts / 128_000),
            digits => format!("{}.{digits} vCPU", parts / 128_000),
        }
    }

    fn pattern() -> String {
        pattern(CPU)
    }
}

impl Measured for Percent {
    const WHAT: &'static str = "a whole percentage such as 60%";

    fn read(text: &str) -> Result<Self, UnitError> {
        let (number, unit) = split_number(text.trim());
        if number.contains('.') && !unit.is_empty() {
            let message = format!("{} is not whole", quoted(text));
            return Err(error(Code::NumberTooFine, message).hint("percentages are whole, as ECS takes them"));
        }
        measured(text, PERCENT).and_then(|steps| narrow(text, steps)).map(Percent)
    }

    fn canonical(&self) -> String {
        format!("{}%", self.0)
    }

    fn pattern() -> String {
        String::from(r"^\s*[0-9]+\s*%\s*$")
    }
}

impl Measured for Share {
    const WHAT: &'static str = "a percentage such as 0.1%";

    fn read(text: &str) -> Result<Self, UnitError> {
        measured(text, SHARE).and_then(|steps| narrow(text, steps)).map(Share)
    }

    fn canonical(&self) -> String {
        decimal_text(u64::from(self.0), 4) + "%"
    }

    fn pattern() -> String {
        pattern(SHARE)
    }
}

impl Measured for Money {
    const WHAT: &'static str = "an amount of money such as 0.096 USD";

    fn read(text: &str) -> Result<Self, UnitError> {
        let text = text.trim();
        if let Some(amount) = text.strip_prefix('$') {
            let message = format!("{} has its unit in front", quoted(text));
            return Err(error(Code::UnknownUnit, message).hint(format!("write {} USD", amount.trim())));
        }
        measured(text, MONEY).and_then(|steps| narrow(text, steps)).map(Money::from_nanos10)
    }

    fn canonical(&self) -> String {
        format!("{self} USD")
    }

    fn pattern() -> String {
        pattern(MONEY)
    }
}

impl Measured for Rate {
    const WHAT: &'static str = "a rate such as 40/s or 3/h";

    fn read(text: &str) -> Result<Self, UnitError> {
        let (number, unit) = split_number(text.trim());
        let unit = unit.trim();
        let named = unit.strip_prefix("per ").map(|word| format!("/{}", word.trim()));
        let unit = match named.as_deref() {
            Some("/second") => "/s",
            Some("/minute") => "/m",
            Some("/hour") => "/h",
            Some("/day") => "/d",
            Some(other) => other,
            None => unit,
        };
        let (steps, _) = amount(text, number, unit, RATE)?;
        let known = RATE.iter().position(|(name, _, _)| *name == unit).expect("`amount` knows the unit");
        Ok(Rate { nano_events: narrow(text, steps)?, per: RATE_SPANS[known] })
    }

    fn canonical(&self) -> String {
        let part = format!("{:09}", self.nano_events % 1_000_000_000);
        let part = part.trim_end_matches('0');
        let dot = if part.is_empty() { "" } else { "." };
        let known = RATE_SPANS.iter().position(|span| *span == self.per).expect("made by `read`");
        format!("{}{dot}{part}{}", self.nano_events / 1_000_000_000, RATE[known].0)
    }

    fn pattern() -> String {
        format!(r"^\s*{NUMBER}\s*(/[smhd]|per\s+(second|minute|hour|day|[smhd]))\s*$")
    }
}

impl Measured for Timestamp {
    const WHAT: &'static str = "a point in time such as 2026-03-02T00:00:00Z";

    fn read(text: &str) -> Result<Self, UnitError> {
        let text = text.trim();
        let refuse = |why: &str| {
            let message = format!("{} {why}", quoted(text));
            error(Code::WrongTime, message).hint("write 2026-03-02T00:00:00Z, between 1970 and 2500")
        };
        let instant: jiff::Timestamp =
            text.parse().map_err(|_| refuse("is no point in time with an offset"))?;
        let nanos = instant.as_nanosecond();
        let years = 0..YEAR_2501.as_nanosecond();
        if !years.contains(&nanos) {
            return Err(refuse("lies outside of the calendar"));
        }
        Ok(Timestamp::from_nanos(u64::try_from(nanos).expect("before the year 2554")))
    }

    fn canonical(&self) -> String {
        let instant = jiff::Timestamp::from_nanosecond(i128::from(self.as_nanos()));
        instant.map_or_else(|_| format!("{self:?}"), |instant| instant.to_string())
    }

    fn pattern() -> String {
        String::from(r"^\s*[0-9]{4}-?[0-9]{2}-?[0-9]{2}[Tt ].*([Zz]|[+-][0-9:]+)(\[.*\])?\s*$")
    }
}

/// The first moment that is too late.
const YEAR_2501: jiff::Timestamp = jiff::Timestamp::constant(16_756_761_600, 0);

/// A whole number that measures nothing.
///
/// # Errors
/// Anything else.
pub fn plain_number(value: &serde_json::Value) -> Result<u64, UnitError> {
    value.as_u64().ok_or_else(|| {
        let message = format!("{value} is no whole number");
        error(Code::NotANumber, message)
    })
}

/// A factor in millionths: `0.88`.
///
/// # Errors
/// No number, or one that cannot be counted.
pub fn millionths(text: &str) -> Result<u64, UnitError> {
    measured(text, MILLIONTHS).and_then(|steps| narrow(text, steps))
}

/// An integer of smallest steps as a decimal number with so many digits behind the point, zeros cut.
pub fn decimal_text(steps: u64, digits: u32) -> String {
    let one = 10_u64.pow(digits);
    let part = format!("{:0width$}", steps % one, width = digits as usize);
    match part.trim_end_matches('0') {
        "" => (steps / one).to_string(),
        part => format!("{}.{part}", steps / one),
    }
}

impl UnitError {
    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

fn error(code: Code, message: String) -> UnitError {
    UnitError { code, message, hint: None }
}

/// Digits, perhaps with a point.
const NUMBER: &str = r"[0-9]+(\.[0-9]+)?";

/// A number and one of the units.
fn pattern(units: &[Unit]) -> String {
    let names: Vec<&str> = units.iter().map(|(name, _, _)| *name).collect();
    format!(r"^\s*{NUMBER}\s*({})\s*$", names.join("|"))
}

/// Whole smallest steps of `text`, a number and one unit.
fn measured(text: &str, units: &[Unit]) -> Result<u128, UnitError> {
    let (number, unit) = split_number(text.trim());
    amount(text, number, unit.trim(), units).map(|(steps, _)| steps)
}

/// The leading sign, digits and points, and what follows.
fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+' | ',' | '_'));
    text.split_at(end.unwrap_or(text.len()))
}

/// Smallest steps of `number` times `unit`, and the steps of one unit.
fn amount(text: &str, number: &str, unit: &str, units: &[Unit]) -> Result<(u128, u128), UnitError> {
    let (digits, scale) = decimal(text, number, units)?;
    let Some(&(_, steps, parts)) = units.iter().find(|(name, _, _)| *name == unit) else {
        return Err(unknown_unit(text, unit, units));
    };
    let below = parts * 10_u128.pow(scale);
    let above = digits.checked_mul(steps).ok_or_else(|| too_large(text))?;
    let rounded = above / below + u128::from(above % below >= below.div_ceil(2));
    if rounded == 0 && above > 0 {
        let message = format!("{} is below the smallest step that is counted", quoted(text));
        return Err(error(Code::NumberTooFine, message));
    }
    Ok((rounded, steps))
}

/// Digits without their point, and how many of them stood behind it.
fn decimal(text: &str, number: &str, units: &[Unit]) -> Result<(u128, u32), UnitError> {
    /// Digits behind the point; more than any unit needs, and 10^18 fits well.
    const DECIMALS_MAX: usize = 18;
    if number.starts_with('-') {
        return Err(error(Code::NegativeNumber, format!("{} is negative", quoted(text))));
    }
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        let message = format!("{} does not start with a number", quoted(text));
        let names: Vec<&str> = units.iter().map(|(name, _, _)| *name).collect();
        return Err(error(Code::NotANumber, message).hint(format!(
            "write digits, perhaps with a point, and {}{}",
            if names.len() == 1 { "" } else { "one of " },
            names.join(", ")
        )));
    }
    let part = part.trim_end_matches('0');
    if part.len() > DECIMALS_MAX {
        let message = format!("{} has more than {DECIMALS_MAX} decimals", quoted(text));
        return Err(error(Code::NumberTooFine, message));
    }
    let all = format!("{whole}{part}").parse().map_err(|_| too_large(text))?;
    Ok((all, u32::try_from(part.len()).expect("at most 18")))
}

fn unknown_unit(text: &str, unit: &str, units: &[Unit]) -> UnitError {
    let names: Vec<&str> = units.iter().map(|(name, _, _)| *name).collect();
    let listed = || match names.as_slice() {
        [only] => format!("write {}{only}", text.trim().trim_end_matches(unit).trim_end()),
        _ => format!("write one of {}", names.join(", ")),
    };
    if unit.is_empty() {
        return error(Code::MissingUnit, format!("{} lacks a unit", quoted(text))).hint(listed());
    }
    let spelt = SPELLINGS.iter().find(|(word, meant)| *word == unit && names.contains(meant));
    let meant = spelt.map(|(_, meant)| *meant).or_else(|| nearest(unit, &names));
    let hint = meant.map_or_else(listed, |meant| format!("did you mean {}?", quoted(meant)));
    error(Code::UnknownUnit, format!("unknown unit {} in {}", quoted(unit), quoted(text))).hint(hint)
}

fn narrow<T: TryFrom<u128>>(text: &str, steps: u128) -> Result<T, UnitError> {
    T::try_from(steps).map_err(|_| too_large(text))
}

fn too_large(text: &str) -> UnitError {
    error(Code::NumberTooLarge, format!("{} is larger than what can be counted", quoted(text)))
}

/// The largest unit that divides the amount.
fn largest(steps: u128, units: &[Unit]) -> String {
    let divides = |unit: &&Unit| steps.is_multiple_of(unit.1) && steps >= unit.1;
    let (name, size, _) = units.iter().rev().find(divides).unwrap_or(&units[0]);
    format!("{} {name}", steps / size)
}

/// Reads a measured value from one scalar of the tree.
struct MeasuredVisitor<T>(std::marker::PhantomData<T>);

impl<T: Measured> Visitor<'_> for MeasuredVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::read(text).map_err(UnitError::into_serde)
    }
}

impl UnitError {
    /// The same as an error of a deserialiser, which keeps code and hint when it is ours.
    pub fn into_serde<E: de::Error>(self) -> E {
        E::custom(refusal(self.code, &self.message, self.hint.as_deref()))
    }
}

/// Lets a struct of the scenario hold a measured value as a plain field.
macro_rules! readable {
    ($($name:ty),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(MeasuredVisitor(std::marker::PhantomData))
            }
        }
    )*};
}
readable!(Span, Bytes, Bandwidth, Cpu, Percent, Money, Rate, Timestamp);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reads<T: Measured + PartialEq + fmt::Debug>(text: &str, value: T) {
        assert_eq!(T::read(text), Ok(value), "for {text:?}");
    }

    fn refuses<T: Measured + fmt::Debug>(text: &str, code: Code, hint: &str) {
        let error = T::read(text).expect_err(text);
        assert_eq!((error.code, error.hint.as_deref().unwrap_or("")), (code, hint), "for {text:?}");
    }

    #[test]
    fn durations() {
        reads("250ms", Span::millis(250));
        reads("2d10h", Span::seconds(58 * 3600));
        reads("1h 30m", Span::minutes(90));
        reads("0.4s", Span::millis(400));
        reads("1.5h", Span::minutes(90));
        reads("0s", Span::ZERO);
        reads("18446744073709551615ns", Span::from_nanos(u64::MAX));
        refuses::<Span>("18446744073709551616ns", Code::NumberTooLarge, "");
        refuses::<Span>("5 min", Code::UnknownUnit, "did you mean \"m\"?");
        refuses::<Span>("10h2d", Code::UnknownUnit, "write 2d10h, not 10h2d");
        refuses::<Span>("7", Code::MissingUnit, "write one of w, d, h, m, s, ms, us, ns");
        refuses::<Span>("-7s", Code::NegativeNumber, "");
    }

    #[test]
    fn sizes_and_bandwidths() {
        reads("180 MiB", Bytes::mib(180));
        reads("413MB", Bytes::new(413_000_000));
        reads("1.3 GiB", Bytes::new(1_395_864_371));
        refuses::<Bytes>("2 mib", Code::UnknownUnit, "did you mean \"MiB\"?");
        refuses::<Bytes>("2Gi", Code::UnknownUnit, "did you mean \"GiB\"?");
        refuses::<Bytes>("9000 PiB", Code::NumberTooLarge, "");
        refuses::<Bytes>("0.1 B", Code::NumberTooFine, "");
        reads("100 Mbit/s", Bandwidth::per_second(12_500_000));
        reads("25 MB/s", Bandwidth::per_second(25_000_000));
        refuses::<Bandwidth>("0 B/s", Code::WrongValue, "");
        refuses::<Bandwidth>("10 Gbps", Code::UnknownUnit, "did you mean \"Gbit/s\"?");
    }

    #[test]
    fn shares_money_and_rates() {
        reads("0.5 vCPU", Cpu::ecs_units(512));
        reads("500m", Cpu::millicores(500));
        reads("256 units", Cpu::ecs_units(256));
        refuses::<Cpu>("2 cores", Code::UnknownUnit, "did you mean \"vCPU\"?");
        reads("60%", Percent(60));
        reads("0.096 USD", Money::from_nanos10(960_000_000));
        refuses::<Money>("$3", Code::UnknownUnit, "write 3 USD");
        assert_eq!(Rate::read("40/s").unwrap().gap(), Span::millis(25));
        assert_eq!(Rate::read("0.5 /s").unwrap().gap(), Span::seconds(2));
        assert_eq!(Rate::read("5 per minute").unwrap().gap(), Span::seconds(12));
        assert_eq!(Rate::read("0/d").unwrap().gap(), Span::from_nanos(u64::MAX));
        refuses::<Rate>("3/min", Code::UnknownUnit, "did you mean \"/m\"?");
        refuses::<Rate>("3", Code::MissingUnit, "write one of /s, /m, /h, /d");
        assert_eq!(Rate::read("3 per month").unwrap_err().code, Code::UnknownUnit);
    }

    #[test]
    fn points_in_time() {
        reads("1970-01-01T00:00:00Z", Timestamp::from_nanos(0));
        reads("1970-01-01T02:00:00.5+02:00", Timestamp::from_nanos(500_000_000));
        assert!(Timestamp::read("2500-12-31T23:59:59.999999999Z").is_ok());
        for text in ["2501-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-03-02", "2026-13-02T00:00:00Z", ""]
        {
            assert_eq!(Timestamp::read(text).unwrap_err().code, Code::WrongTime, "for {text:?}");
        }
    }

    /// Whatever is read is written such that it reads the same.
    fn round_trips<T: Measured + PartialEq + fmt::Debug>(value: &T) {
        assert_eq!(T::read(&value.canonical()).as_ref(), Ok(value), "written as {}", value.canonical());
    }

    proptest! {
        #[test]
        fn canonical_forms_read_the_same(n in any::<u64>(), small in any::<u32>(), short in 0_u64..1 << 24) {
            let signed = i64::try_from(n >> 1).unwrap();
            round_trips(&Span::from_nanos(n));
            round_trips(&Bytes::new(signed));
            round_trips(&Bytes::kib(i64::from(small)));
            round_trips(&Bandwidth::per_second(n));
            round_trips(&Cpu::from_parts(signed));
            round_trips(&Cpu::millicores(i64::from(small)));
            round_trips(&Percent(small));
            round_trips(&Money::from_nanos10(n.into()));
            round_trips(&Timestamp::from_nanos(n % 16_756_761_600_000_000_000));
            for unit in ["/s", "/m", "/h", "/d"] {
                round_trips(&Rate::read(&format!("{short}.{small}{unit}")).or(Rate::read("1/s")).unwrap());
            }
        }

        #[test]
        fn no_text_panics(text in "([0-9]{0,45}|[-+.,_ ]|\\PC|[smhdwnuKMGTPiBbt/%]|vCPU|per |USD|T|Z|:){0,9}") {
            let _ = Span::read(&text);
            let _ = Bytes::read(&text);
            let _ = Bandwidth::read(&text);
            let _ = Cpu::read(&text);
            let _ = Percent::read(&text);
            let _ = Money::read(&text);
            let _ = Rate::read(&text);
            let _ = Timestamp::read(&text);
        }
    }
}
