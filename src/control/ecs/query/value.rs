//! Arguments that are more than text: versions, moments, numbers written as text.
//!
//! Each is read whole or not at all. Knows nothing of subjects and operators.

use std::cmp::Ordering;
use std::fmt;

use crate::base::Timestamp;
use crate::mark;

/// Dotted numbers; a missing one counts as zero (PL-21).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Version(Box<[u64]>);

/// A point in time in whole seconds since the Unix epoch: the dates of the language go no finer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Moment(i64);

/// A decimal number, exact: no exponent, no leading and no trailing zeros.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

/// Midnight at the start of the year 0, the first that four digits can write.
const SECOND_MIN: i64 = -62_167_219_200;

impl Version {
    pub(super) fn parse(text: &str) -> Option<Version> {
        text.split('.').map(whole_number).collect::<Option<_>>().map(Version)
    }

    /// How `other` stands to this version, unless `other` is not dotted numbers.
    pub(super) fn compare_from(&self, other: &str) -> Option<Ordering> {
        mark!("PL-21");
        let mut ours = self.0.iter();
        let mut ordering = Ordering::Equal;
        for part in other.split('.') {
            let part = whole_number(part)?;
            ordering = ordering.then(part.cmp(ours.next().unwrap_or(&0)));
        }
        let rest = if ours.any(|part| *part > 0) { Ordering::Less } else { Ordering::Equal };
        Some(ordering.then(rest))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.0.iter().enumerate() {
            write!(f, "{}{part}", if place == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl Moment {
    /// Reads the four forms of PL-22. A day is its midnight; without an offset it is UTC.
    pub(super) fn parse(text: &str) -> Option<Moment> {
        mark!("PL-22");
        let full = if has_shape(text, "0000-00-00") {
            format!("{text}T00:00:00Z")
        } else if has_shape(text, "0000-00-00T00:00:00") {
            format!("{text}Z")
        } else if ["0000-00-00T00:00:00Z", "0000-00-00T00:00:00+00:00", "0000-00-00T00:00:00-00:00"]
            .iter()
            .any(|shape| has_shape(text, shape))
        {
            text.to_owned()
        } else {
            return None;
        };
        let second = full.parse::<jiff::Timestamp>().ok()?.as_second();
        (second >= SECOND_MIN).then_some(Moment(second))
    }

    /// The second in which this point lies.
    pub(super) fn second_of(point: Timestamp) -> Moment {
        let second = point.as_nanos() / 1_000_000_000;
        Moment(i64::try_from(second).expect("2^64 ns are fewer than 2^63 s"))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = jiff::Timestamp::from_second(self.0).expect("it was read from a calendar date");
        write!(f, "{point}")
    }
}

/// A whole number of ASCII digits.
pub(super) fn whole_number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// How `left` stands to `right`: as exact decimals when allowed and both are, else as texts.
pub(super) fn compare_texts(left: &str, right: &str, as_numbers: bool) -> Ordering {
    mark!("PL-21");
    match (Decimal::parse(left), Decimal::parse(right)) {
        (Some(left), Some(right)) if as_numbers => left.compare(&right),
        _ => left.cmp(right),
    }
}

impl Decimal<'_> {
    fn parse(text: &str) -> Option<Decimal<'_>> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some(Decimal { negative: unsigned.len() < text.len() && !is_zero, whole, fraction })
    }

    fn compare(&self, other: &Decimal<'_>) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.compare_sizes(other),
            (true, true) => other.compare_sizes(self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }

    fn compare_sizes(&self, other: &Decimal<'_>) -> Ordering {
        let wholes = self.whole.len().cmp(&other.whole.len()).then(self.whole.cmp(other.whole));
        wholes.then(self.fraction.cmp(other.fraction))
    }
}

/// Whether the text is the shape with any digit for each `0`.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            literal => byte == literal,
        })
}
