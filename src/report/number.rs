//! How a number, an instant and a name are written; the same on every machine.
//!
//! People read the decimals of the column and thousands separators; files get four digits more and no
//! separators. What is not finite is written as absent. Knows nothing of tables.

use std::borrow::Cow;

use crate::base::{Money, Price, Span, Timestamp, Unit, Usage};
use crate::measure::Estimate;

/// What stands where there is no figure.
pub(super) const ABSENT: &str = "-";

/// Beyond this, people get a power of ten.
const COUNTED_MAX: f64 = 1e15;

/// A cent in 1e-10 USD.
const CENT: i128 = 100_000_000;

/// Amounts below the last decimal show this many digits.
const DIGITS_SMALL: u32 = 2;
/// Columns with fewer decimals count things: what is small there is nothing.
const DECIMALS_OF_SMALL: usize = 2;
/// What is smaller than this many places shows as nothing.
const PLACES_MAX: usize = 10;

/// Files carry this many digits more than people read.
const DIGITS_MORE: usize = 4;

/// A value as people read it: `1,234.50`, or `1.5e20` beyond what they count; none when it is not finite.
pub(super) fn figure(value: f64, decimals: usize) -> Option<String> {
    if value.is_finite() && value.abs() >= COUNTED_MAX {
        return Some(format!("{value:.1e}"));
    }
    fixed(value, decimals).map(|text| grouped(&text))
}

/// A value as files carry it: `1234.5`; none when it is not finite.
pub(super) fn exact(value: f64, decimals: usize) -> Option<String> {
    fixed(value, decimals + DIGITS_MORE).map(|text| trimmed(&text).to_owned())
}

/// `812.30 ± 4.10`; with its own n where that is not `n_usual`; [`ABSENT`] without a value.
pub(super) fn estimate(estimate: Option<&Estimate>, decimals: usize, n_usual: usize) -> String {
    let Some(text) = estimate.and_then(|estimate| interval(estimate, decimals)) else {
        return ABSENT.to_owned();
    };
    match estimate {
        Some(estimate) if estimate.n != n_usual => format!("{text} (n = {})", estimate.n),
        Some(_) | None => text,
    }
}

/// `812.30 ± 4.10`, or `812.30` for a single run; none when the mean is not finite.
pub(super) fn interval(estimate: &Estimate, decimals: usize) -> Option<String> {
    let (mean, half_width) = parts(estimate, decimals)?;
    Some(half_width.map_or(mean.clone(), |half_width| format!("{mean} ± {half_width}")))
}

/// The mean and half the width of its interval. A mean of counts has a decimal where its interval is small.
pub(super) fn parts(estimate: &Estimate, decimals: usize) -> Option<(String, Option<String>)> {
    let small = estimate.half_width.is_some_and(|half_width| half_width > 0.0 && half_width < 10.0);
    let decimals = if decimals == 0 && small { 1 } else { enough_f64(estimate.mean, decimals) };
    let half_width = estimate.half_width.and_then(|half_width| figure(half_width, decimals));
    Some((figure(estimate.mean, decimals)?, half_width))
}

/// Dollars as people read them: cents, with separators; below a cent two digits, `0.0021`.
pub(super) fn dollars(money: Money) -> String {
    match money.nanos10() {
        small @ 1..CENT => {
            let places = small.ilog10() + 1;
            let step = 10_i128.pow(places.saturating_sub(DIGITS_SMALL));
            let rounded = (small + step / 2) / step * step;
            let digits = format!("{rounded:010}");
            let decimals = 10 - places.saturating_sub(DIGITS_SMALL);
            format!("0.{}", &digits[..decimals as usize])
        }
        _ => grouped(&money.cents()),
    }
}

/// The decimals of a column; for what these would hide, as many as show two digits.
fn enough_f64(value: f64, decimals: usize) -> usize {
    let text = format!("{value:.1e}");
    let places = text.split_once("e-").and_then(|(_, places)| places.parse::<usize>().ok());
    match places {
        Some(places) if decimals >= DECIMALS_OF_SMALL && places > decimals && places <= PLACES_MAX => {
            places + 1
        }
        Some(_) | None => decimals,
    }
}

/// `RFC 3339` in UTC with milliseconds; none for never.
pub(super) fn instant(at: Timestamp) -> Option<String> {
    (at != Timestamp::NEVER).then(|| {
        let at = jiff::Timestamp::from_nanosecond(i128::from(at.as_nanos())).expect("before the year 2554");
        format!("{at:.3}")
    })
}

/// A minute for people, `2026-03-02 00:00 UTC`.
pub(super) fn minute(at: Timestamp) -> String {
    let text = instant(at).unwrap_or_default();
    format!("{} {} UTC", text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default())
}

/// Seconds, `4.25`.
pub(super) fn seconds(span: Span) -> String {
    let nanos = span.as_nanos();
    trimmed(&format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)).to_owned()
}

/// A length of time in words: `7 days`, `1 hour 30 minutes`.
pub(super) fn words(span: Span) -> String {
    let whole = span.as_nanos() / 1_000_000_000;
    let parts = [
        (whole / 86_400, "day"),
        (whole / 3600 % 24, "hour"),
        (whole / 60 % 60, "minute"),
        (whole % 60, "second"),
    ];
    let words: Vec<String> = parts
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .take(2)
        .map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if words.is_empty() { span.to_string() } else { words.join(" ") }
}

/// How much was used, in the unit of its label, rounded down to six decimals.
pub(super) fn usage(usage: Usage) -> String {
    const MICRO: u128 = 1_000_000;
    let steps = usage.unit.steps_per_label();
    let (whole, rest) = (usage.amount / steps, usage.amount % steps);
    // Steps are below 2^69, so that the product fits.
    trimmed(&format!("{whole}.{:06}", rest * MICRO / steps)).to_owned()
}

/// The same with three decimals and separators.
pub(super) fn usage_for_people(amount: Usage) -> String {
    let text = usage(amount);
    match text.split_once('.') {
        Some((whole, part)) => format!("{}.{:.3}", grouped(whole), part),
        None => grouped(&text),
    }
}

/// A rate: dollars, and what they are for: `0.096`, `instance-hour`.
pub(super) fn rate(price: Price) -> (String, String) {
    let (dollars, unit) = (i128::from(price.nanos10()), price.unit());
    let steps = unit.steps_per_label();
    let (labels, rest) = (price.per() / steps, price.per() % steps);
    if rest == 0 {
        return (Money::from_nanos10(dollars).to_string(), per(unit, labels));
    }
    let amount = Usage { amount: price.per(), unit };
    (Money::from_nanos10(dollars).to_string(), format!("{} {}", usage(amount), unit.label()))
}

/// Text without what could steer a terminal or break a document: control characters become spaces,
/// marks that turn the direction of writing vanish.
pub(super) fn plain(text: &str) -> String {
    plainly(text).into_owned()
}

/// The same, not copied where it is [`plain`] already: nearly all is, and there may be millions.
pub(super) fn plainly(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .filter(|letter| !matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .map(|letter| if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') { ' ' } else { letter })
        .collect()
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// How many letters a text has; wide ones count once.
pub(super) fn letters(text: &str) -> usize {
    text.chars().count()
}

/// Thousands separated by commas: `-1,234,567.89`.
pub(super) fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(part) = part {
        out.push('.');
        out.push_str(part);
    }
    out
}

fn fixed(value: f64, decimals: usize) -> Option<String> {
    let text = value.is_finite().then(|| format!("{value:.decimals$}"))?;
    let nothing = text.bytes().all(|letter| matches!(letter, b'-' | b'0' | b'.'));
    Some(if nothing { text.trim_start_matches('-').to_owned() } else { text })
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// What a rate is for: 730 hours are the month of AWS price pages.
fn per(unit: Unit, labels: u128) -> String {
    let label = unit.label();
    let one = label.strip_suffix('s').unwrap_or(label);
    match labels {
        1 => one.to_owned(),
        730 if label.ends_with("-hours") => label.replace("-hours", "-month"),
        _ => format!("{labels} {label}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::money::{HOUR_NS, MONTH_NS};

    #[test]
    fn figures_are_grouped_and_never_odd() {
        let rows = [
            (1_234_567.891, 2, "1,234,567.89", "1234567.891"),
            (-1234.5, 1, "-1,234.5", "-1234.5"),
            (999.0, 0, "999", "999"),
            (100.0, 0, "100", "100"),
            (-0.000_001, 2, "0.00", "-0.000001"),
            (-0.0, 2, "0.00", "0"),
            (0.001_23, 2, "0.00", "0.00123"),
            (1.5e20, 0, "1.5e20", "150000000000000000000"),
        ];
        for (value, decimals, people, files) in rows {
            assert_eq!(figure(value, decimals).as_deref(), Some(people));
            assert_eq!(exact(value, decimals).as_deref(), Some(files));
        }
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!((figure(odd, 2), exact(odd, 2)), (None, None));
        }
    }

    #[test]
    fn estimates_carry_their_interval_and_an_unusual_n() {
        let of = |n, mean, half_width| Some(Estimate { n, mean, half_width });
        let rows = [
            (of(10, 812.3, Some(4.1)), "812.30 ± 4.10"),
            (of(7, 812.3, Some(4.1)), "812.30 ± 4.10 (n = 7)"),
            (of(1, 5.0, None), "5.00 (n = 1)"),
            (of(10, 5.0, Some(f64::NAN)), "5.00"),
            (of(10, f64::NAN, Some(1.0)), "-"),
            (None, "-"),
        ];
        for (value, text) in rows {
            assert_eq!(estimate(value.as_ref(), 2, 10), text);
        }
        let small = [
            (0.002_057, Some(0.000_01), 2, "0.0021 ± 0.0000"),
            (0.009_99, None, 2, "0.01"),
            (0.012, None, 2, "0.01"),
            (0.000_4, None, 1, "0.0"),
            (1e-12, None, 2, "0.00"),
            (0.0, Some(0.0), 2, "0.00 ± 0.00"),
        ];
        for (mean, half_width, decimals, text) in small {
            let n = if half_width.is_some() { 10 } else { 1 };
            assert_eq!(estimate(of(n, mean, half_width).as_ref(), decimals, n), text);
        }
        let counts =
            [(12.4, Some(0.25), "12.4 ± 0.2"), (12.0, Some(0.0), "12 ± 0"), (1e4, Some(66.0), "10,000 ± 66")];
        for (mean, half_width, text) in counts {
            assert_eq!(estimate(of(10, mean, half_width).as_ref(), 0, 10), text);
        }
    }

    #[test]
    fn rates_say_what_they_are_for() {
        let rows = [
            (Price::per_hour(960_000_000, Unit::InstanceNs), "0.096", "instance-hour"),
            (Price::new(800_000_000, (1 << 30) * MONTH_NS, Unit::ByteNs), "0.08", "GiB-month"),
            (Price::new(450_000_000, 1 << 30, Unit::Byte), "0.045", "GiB"),
            (Price::new(1, 2 * HOUR_NS, Unit::ItemNs), "0.0000000001", "2 item-hours"),
            (Price::new(5, HOUR_NS / 2, Unit::ItemNs), "0.0000000005", "0.5 item-hours"),
        ];
        for (price, dollars, unit) in rows {
            assert_eq!(rate(price), (dollars.to_owned(), unit.to_owned()));
        }
    }

    #[test]
    fn times_are_written_for_files_and_for_people() {
        let at = Timestamp::from_nanos(1_772_409_600_123_999_999);
        assert_eq!(instant(at).as_deref(), Some("2026-03-02T00:00:00.123Z"));
        assert_eq!(instant(Timestamp::NEVER), None);
        assert_eq!(minute(at), "2026-03-02 00:00 UTC");
        assert_eq!(seconds(Span::millis(4250)), "4.25");
        let rows = [(604_800, "7 days"), (5400, "1 hour 30 minutes"), (61, "1 minute 1 second"), (0, "0s")];
        for (span, text) in rows {
            assert_eq!(words(Span::seconds(span)), text);
        }
    }

    #[test]
    fn small_amounts_are_not_shown_as_nothing() {
        let rows = [
            (0, "0.00"),
            (1, "0.0000000001"),
            (21, "0.0000000021"),
            (21_234_567, "0.0021"),
            (21_500_000, "0.0022"),
            (99_600_000, "0.0100"),
            (2_345, "0.00000023"),
            (100_000_000, "0.01"),
            (12_345_600_000_000, "1,234.56"),
            (-1, "0.00"),
        ];
        for (nanos10, text) in rows {
            assert_eq!(dollars(Money::from_nanos10(nanos10)), text);
        }
        let used = Usage { amount: 1234 * HOUR_NS + HOUR_NS / 3, unit: Unit::InstanceNs };
        assert_eq!((usage(used), usage_for_people(used)), ("1234.333333".to_owned(), "1,234.333".to_owned()));
    }

    #[test]
    fn names_cannot_steer_a_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{202e}d\u{0}"), "a [2Jb cd ");
        assert_eq!(plain("größe 図"), "größe 図");
    }
}
