//! Quantities: `500m`, `1.5Gi`, `2e3`, with the rounding, the limits and the spelling of the original.
//!
//! Almost every quantity is a 64-bit number with a power of ten; the others are kept digit by digit.
//! The two forms behave differently beyond 64 bits, and both are followed. Knows nothing of which
//! resource a quantity is of.

mod decimal;

use std::cmp::Ordering;
use std::fmt;

use decimal::Decimal;

use crate::mark;

/// An amount of a resource, with the family of suffixes in which it was written.
///
/// ```
/// use windtunnel::control::kubernetes::quantity::Quantity;
/// let memory = Quantity::parse("1.5Gi").expect("a quantity");
/// assert_eq!(memory.value(), 1_610_612_736);
/// assert_eq!(memory.to_string(), "1536Mi");
/// assert_eq!(Quantity::parse("0.1m").expect("a quantity").milli_value(), 1); // up, never to nothing
/// assert!(Quantity::parse("1K").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// How it was written, when that is kept.
    text: Option<Box<str>>,
}

/// The family of suffixes of a quantity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `12e6`.
    DecimalExponent,
    /// `12Mi`.
    BinarySi,
    /// `12M`.
    DecimalSi,
}

/// Why a text is no quantity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuantityError {
    /// It does not have the form of a quantity.
    Form,
    /// Its number cannot be read.
    Number,
    /// Its suffix is none, or its exponent is beyond ±[`EXPONENT_MAX`].
    Suffix,
}

/// The largest power of ten that is read; the original has no limit but memory.
pub const EXPONENT_MAX: i32 = 1000;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Amount {
    /// A value times a power of ten.
    Small(i64, i32),
    Big(Box<Decimal>),
}

const NANO: i32 = -9;
const MILLI: i32 = -3;
/// How many decimal digits every 64-bit number holds.
const DIGITS_SAFE: i32 = 18;

impl Quantity {
    /// Nothing.
    pub const ZERO: Quantity =
        Quantity { amount: Amount::Small(0, 0), format: Format::DecimalSi, text: None };

    /// A whole number.
    pub const fn whole(value: i64) -> Self {
        Quantity { amount: Amount::Small(value, 0), format: Format::DecimalSi, text: None }
    }

    /// A number of thousandths.
    pub const fn thousandths(value: i64) -> Self {
        Quantity { amount: Amount::Small(value, MILLI), format: Format::DecimalSi, text: None }
    }

    /// Reads a quantity.
    ///
    /// # Errors
    /// The text is no quantity.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let parts = Parts::split(text)?;
        let suffix = Suffix::parse(parts.suffix).ok_or(QuantityError::Suffix)?;
        match parts.small(&suffix, text) {
            Some(quantity) => Ok(quantity),
            None => parts.big(&suffix),
        }
    }

    /// The amount in whole units, rounded up; nonsense beyond 64 bits, as in the original.
    pub fn value(&self) -> i64 {
        mark!("K 1.2 value rounds up to whole units");
        self.scaled(0)
    }

    /// The amount in thousandths, rounded up; nonsense beyond 64 bits, as in the original.
    pub fn milli_value(&self) -> i64 {
        self.scaled(MILLI)
    }

    /// -1, 0 or 1.
    pub fn sign(&self) -> i32 {
        match &self.amount {
            Amount::Small(value, _) => i32::try_from(value.signum()).expect("a sign"),
            Amount::Big(decimal) => decimal.sign(),
        }
    }

    /// In which family of suffixes it is written.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Adds another one. Nothing takes the family of what is added to it.
    pub fn add(&mut self, other: &Quantity) {
        self.text = None;
        if self.sign() == 0 {
            self.format = other.format;
        }
        self.amount = match small_sum(&self.amount, &other.amount) {
            Some(sum) => sum,
            None => Amount::Big(Box::new(self.amount.decimal().add(&other.amount.decimal()))),
        };
    }

    /// Which of two is more.
    pub fn compare(&self, other: &Quantity) -> Ordering {
        if let (Amount::Small(left, a), Amount::Small(right, b)) = (&self.amount, &other.amount) {
            let lowest = *a.min(b);
            let wide = |value: i64, exponent: i32| {
                let power = 10_i128.checked_pow(exponent.abs_diff(lowest))?;
                i128::from(value).checked_mul(power)
            };
            if let (Some(left), Some(right)) = (wide(*left, *a), wide(*right, *b)) {
                return left.cmp(&right);
            }
        }
        self.amount.decimal().compare(&other.amount.decimal())
    }

    /// Rounds up to whole thousandths, as the API does with every list of resources.
    pub fn round_up_to_milli(&mut self) {
        match &mut self.amount {
            Amount::Small(_, exponent) if *exponent >= MILLI => {}
            Amount::Small(value, exponent) => {
                mark!("K 1.2 lists of resources are rounded up to thousandths");
                *value = divide_up(*value, MILLI - *exponent).0;
                *exponent = MILLI;
                self.text = None;
            }
            Amount::Big(decimal) => {
                decimal.round_up(MILLI);
                self.text = None;
            }
        }
    }

    fn scaled(&self, exponent: i32) -> i64 {
        match &self.amount {
            Amount::Small(value, own) if *own < exponent => divide_up(*value, exponent - own).0,
            Amount::Small(value, own) => multiply_or_wrap(*value, own - exponent),
            Amount::Big(decimal) => decimal.scaled(exponent),
        }
    }

    /// The digits and suffix of its shortest spelling.
    fn canonical(&self) -> (String, String) {
        if self.sign() == 0 {
            return ("0".to_owned(), String::new());
        }
        if self.format == Format::BinarySi {
            let decimal = self.amount.decimal();
            let small = decimal.compare(&Decimal::from_i64(-1024, 0)) == Ordering::Greater
                && decimal.compare(&Decimal::from_i64(1024, 0)) == Ordering::Less;
            let mut whole = decimal.clone();
            if !small && whole.round_up(0) {
                let (digits, times) = whole.canonical_binary();
                return (digits, binary_suffix(times).to_owned());
            }
        }
        let (digits, exponent) = self.amount.decimal().canonical();
        let suffix = match self.format {
            Format::DecimalExponent if exponent == 0 => String::new(),
            Format::DecimalExponent => format!("e{exponent}"),
            Format::BinarySi | Format::DecimalSi => decimal_suffix(exponent).to_owned(),
        };
        (digits, suffix)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return f.write_str(text);
        }
        let (digits, suffix) = self.canonical();
        write!(f, "{digits}{suffix}")
    }
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            QuantityError::Form => {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            QuantityError::Number => "unable to parse numeric part of quantity",
            QuantityError::Suffix => "unable to parse quantity's suffix",
        })
    }
}

impl std::error::Error for QuantityError {}

impl Format {
    /// As the original names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::DecimalExponent => "DecimalExponent",
            Format::BinarySi => "BinarySI",
            Format::DecimalSi => "DecimalSI",
        }
    }
}

impl Amount {
    fn decimal(&self) -> Decimal {
        match self {
            Amount::Small(value, exponent) => Decimal::from_i64(*value, *exponent),
            Amount::Big(decimal) => (**decimal).clone(),
        }
    }
}

// ---------------------------------------------------------------------------------------------------
// Reading.

/// A text cut into its parts; the digits have no leading zeros before the point.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
    has_digit: bool,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Form);
        }
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let short = unsigned.trim_start_matches('0');
        let (whole, rest) = digits(short);
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => digits(rest),
            None => ("", rest),
        };
        let letters = suffix.trim_start_matches(|letter: char| "eEinumkKMGTP".contains(letter));
        let (_, after) = digits(letters.strip_prefix(['-', '+']).unwrap_or(letters));
        if !after.is_empty() {
            return Err(QuantityError::Form);
        }
        let has_digit = short.len() < unsigned.len() || !whole.is_empty() || !fraction.is_empty();
        let whole = if whole.is_empty() { "0" } else { whole };
        Ok(Parts { negative, whole, fraction, suffix, has_digit })
    }

    fn length(&self) -> i32 {
        i32::try_from(self.whole.len() + self.fraction.len()).unwrap_or(i32::MAX / 2)
    }

    /// The quantity, if it surely fits 64 bits.
    fn small(&self, suffix: &Suffix, text: &str) -> Option<Quantity> {
        let places = i32::try_from(self.fraction.len()).ok()?;
        let (exponent, shift) = match suffix.format {
            Format::DecimalExponent | Format::DecimalSi if self.length() <= DIGITS_SAFE => {
                (suffix.exponent - places, 0)
            }
            Format::BinarySi if places == 0 && self.length() <= 14 - suffix.exponent * 3 / 10 => {
                (0, suffix.exponent)
            }
            Format::DecimalExponent | Format::DecimalSi | Format::BinarySi => return None,
        };
        if exponent < NANO {
            return None;
        }
        let all = || self.whole.bytes().chain(self.fraction.bytes());
        let digits = all().fold(0_i64, |sum, letter| sum * 10 + i64::from(letter - b'0'));
        let value = digits.checked_mul(1_i64 << shift)?;
        let kept = match suffix.format {
            Format::BinarySi => digits % 8 != 0,
            Format::DecimalExponent | Format::DecimalSi => {
                let thousands = all().count() >= 3 && digits % 1000 == 0;
                exponent % 3 == 0 && !thousands && all().next() != Some(b'0')
            }
        };
        mark!("K 1.2 text that needs no other suffix is kept");
        let text = kept.then(|| text.into());
        let value = if self.negative { -value } else { value };
        Some(Quantity { amount: Amount::Small(value, exponent), format: suffix.format, text })
    }

    fn big(&self, suffix: &Suffix) -> Result<Quantity, QuantityError> {
        if !self.has_digit {
            return Err(QuantityError::Number);
        }
        let places = i32::try_from(self.fraction.len()).map_err(|_| QuantityError::Number)?;
        let (power, times) = match suffix.format {
            Format::BinarySi => (0, suffix.exponent / 10),
            Format::DecimalExponent | Format::DecimalSi => (suffix.exponent, 0),
        };
        let digits = self.whole.bytes().chain(self.fraction.bytes()).map(|letter| letter - b'0');
        let mut decimal = Decimal::new(false, digits, power - places);
        (0..times).for_each(|_| decimal.multiply(1024));
        mark!("K 1.2 less than a billionth is a billionth");
        decimal.round_up(NANO);
        let mut format = suffix.format;
        if format == Format::BinarySi {
            if decimal.compare(&Decimal::from_i64(i64::MAX, 0)) == Ordering::Greater {
                mark!("K 1.2 binary suffixes stop at the largest 64-bit number");
                decimal = Decimal::from_i64(i64::MAX, 0);
            }
            if decimal.sign() > 0 && decimal.compare(&Decimal::from_i64(1, 0)) == Ordering::Less {
                format = Format::DecimalSi;
            }
        }
        if self.negative {
            decimal.negate();
        }
        Ok(Quantity { amount: Amount::Big(Box::new(decimal)), format, text: None })
    }
}

/// What a suffix multiplies by: a power of 2 (binary) or of 10.
struct Suffix {
    format: Format,
    exponent: i32,
}

const DECIMAL_SUFFIXES: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY_SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl Suffix {
    fn parse(text: &str) -> Option<Self> {
        if let Some(&(_, exponent)) = DECIMAL_SUFFIXES.iter().find(|(suffix, _)| *suffix == text) {
            return Some(Suffix { format: Format::DecimalSi, exponent });
        }
        if let Some(times) = BINARY_SUFFIXES.iter().position(|suffix| *suffix == text) {
            return Some(Suffix { format: Format::BinarySi, exponent: 10 * i32::try_from(times).ok()? });
        }
        let exponent: i32 = text.strip_prefix(['e', 'E'])?.parse().ok()?;
        (exponent.abs() <= EXPONENT_MAX).then_some(Suffix { format: Format::DecimalExponent, exponent })
    }
}

fn decimal_suffix(exponent: i32) -> &'static str {
    DECIMAL_SUFFIXES.iter().find(|(_, known)| *known == exponent).map_or("", |(suffix, _)| suffix)
}

fn binary_suffix(times: i32) -> &'static str {
    usize::try_from(times).ok().and_then(|times| BINARY_SUFFIXES.get(times)).map_or("", |suffix| suffix)
}

/// The leading digits, and the rest.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

// ---------------------------------------------------------------------------------------------------
// 64-bit arithmetic with powers of ten.

fn multiply_by_ten(value: i64, times: i32) -> Option<i64> {
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10_i64.checked_pow(times.unsigned_abs())?)
}

/// As before; what does not fit wraps for the powers that the original multiplies by at once, and is
/// nothing for the others.
fn multiply_or_wrap(value: i64, times: i32) -> i64 {
    let wraps = matches!(times, 1 | 2 | 3 | 6 | 9) && value != i64::MIN;
    let wrapped = || value.wrapping_mul(10_i64.pow(times.unsigned_abs()));
    multiply_by_ten(value, times).unwrap_or_else(|| if wraps { wrapped() } else { 0 })
}

/// Divides by 10^`times`, away from zero; and whether nothing was lost.
fn divide_up(value: i64, times: i32) -> (i64, bool) {
    let Some(divisor) = 10_i64.checked_pow(times.unsigned_abs()) else {
        return (value.signum(), value == 0);
    };
    let exact = value % divisor == 0;
    (value / divisor + if exact { 0 } else { value.signum() }, exact)
}

/// The sum, if both are small and it is.
fn small_sum(left: &Amount, right: &Amount) -> Option<Amount> {
    let (Amount::Small(left, a), Amount::Small(right, b)) = (left, right) else { return None };
    match (left, right) {
        (_, 0) => return Some(Amount::Small(*left, *a)),
        (0, _) => return Some(Amount::Small(*right, *b)),
        _ => {}
    }
    let exponent = *a.min(b);
    let left = multiply_by_ten(*left, a - exponent)?;
    let right = multiply_by_ten(*right, b - exponent)?;
    Some(Amount::Small(left.checked_add(right)?, exponent))
}

#[cfg(test)]
mod tests;
