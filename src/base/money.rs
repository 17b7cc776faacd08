//! What was used, what it is rated at, and what that comes to; exact to 1e-10 USD.
//!
//! A published rate is never divided: a [`Price`] keeps "this many units cost that much", and a
//! [`Usage`] counts the smallest unit in integers. Knows nothing of AWS or of bills.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// What is counted, as its smallest step, so that amounts are integers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Unit {
    /// One machine for one nanosecond.
    InstanceNs,
    /// 1/128,000 vCPU for one nanosecond.
    CpuNs,
    /// One byte for one nanosecond.
    ByteNs,
    /// One address for one nanosecond.
    AddressNs,
    /// One control plane for one nanosecond.
    ClusterNs,
    /// One rented thing without a unit of its own (balancer, gateway, capacity unit, alarm, provisioned
    /// operation) for one nanosecond.
    ItemNs,
    /// One byte moved or taken in.
    Byte,
}

impl Unit {
    /// How people read an amount of it.
    pub const fn label(self) -> &'static str {
        match self {
            Unit::InstanceNs => "instance-hours",
            Unit::CpuNs => "vCPU-hours",
            Unit::ByteNs => "GiB-hours",
            Unit::AddressNs => "address-hours",
            Unit::ClusterNs => "cluster-hours",
            Unit::ItemNs => "item-hours",
            Unit::Byte => "GiB",
        }
    }

    /// How many smallest steps make one of [`label`](Self::label).
    pub const fn steps_per_label(self) -> u128 {
        match self {
            Unit::InstanceNs | Unit::AddressNs | Unit::ClusterNs | Unit::ItemNs => HOUR_NS,
            Unit::CpuNs => 128_000 * HOUR_NS,
            Unit::ByteNs => (1 << 30) * HOUR_NS,
            Unit::Byte => 1 << 30,
        }
    }
}

/// An hour in nanoseconds.
pub const HOUR_NS: u128 = 3_600_000_000_000;
/// The month of AWS price pages: 730 hours.
pub const MONTH_NS: u128 = 730 * HOUR_NS;

/// A counted amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// How many of `unit`.
    pub amount: u128,
    /// What was counted.
    pub unit: Unit,
}

/// A published rate: `per` of `unit` cost `nanos10` (1e-10 USD). Never a rate that was divided;
/// signed, for credits.
///
/// ```
/// use windtunnel::base::money::{HOUR_NS, Price, Unit, Usage};
/// // m5.large, 0.096 USD an hour, for 60 s (a 45 s run bills a minute).
/// let price = Price::new(960_000_000, HOUR_NS, Unit::InstanceNs);
/// let line = price.line(Usage { amount: 60_000_000_000, unit: Unit::InstanceNs });
/// assert_eq!(line.to_string(), "0.0016");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Price {
    nanos10: i64,
    per: u128,
    unit: Unit,
}

/// An amount of US dollars in 1e-10 USD; negative is a credit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i128);

impl Price {
    /// A rate of `nanos10` (1e-10 USD) for `per` smallest steps of `unit`.
    ///
    /// Panics unless `per × |nanos10|` fits 127 bits, which every listed rate does.
    pub fn new(nanos10: i64, per: u128, unit: Unit) -> Self {
        let top = per.checked_mul(u128::from(nanos10.unsigned_abs()));
        assert!(per > 0 && top.is_some_and(|top| top < 1 << 127), "a rate that can be applied exactly");
        Price { nanos10, per, unit }
    }

    /// A rate per hour of the label of `unit`: per vCPU-hour, per GiB-hour, per instance-hour.
    pub fn per_hour(nanos10: i64, unit: Unit) -> Self {
        Price::new(nanos10, unit.steps_per_label(), unit)
    }

    /// What is rated.
    pub const fn unit(self) -> Unit {
        self.unit
    }

    /// The rate for `per` steps, in 1e-10 USD.
    pub const fn nanos10(self) -> i64 {
        self.nanos10
    }

    /// How many smallest steps the rate is for.
    pub const fn per(self) -> u128 {
        self.per
    }

    /// One bill line: usage × rate, divided first, rounded half to even once.
    ///
    /// Panics when the units differ: that is a wrong bill, not wrong input.
    pub fn line(self, usage: Usage) -> Money {
        assert_eq!(self.unit, usage.unit, "a price for another unit");
        let (rate, per) = (u128::from(self.nanos10.unsigned_abs()), self.per);
        let whole = (usage.amount / per).checked_mul(rate).expect("a bill below 1e28 USD");
        let part = (usage.amount % per) * rate;
        let (quotient, rest) = (part / per, part % per);
        let odd = (whole + quotient) % 2 == 1;
        let up = rest > per - rest || (rest == per - rest && odd);
        let line = i128::try_from(whole + quotient + u128::from(up)).expect("a bill below 1e28 USD");
        Money(if self.nanos10 < 0 { -line } else { line })
    }
}

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// From 1e-10 USD.
    pub const fn from_nanos10(nanos10: i128) -> Self {
        Money(nanos10)
    }

    /// In 1e-10 USD.
    pub const fn nanos10(self) -> i128 {
        self.0
    }

    /// Rounded half to even to cents, `1234.50`: what a person reads.
    pub fn cents(self) -> String {
        let (quotient, rest) = (self.0.unsigned_abs() / 100_000_000, self.0.unsigned_abs() % 100_000_000);
        let up = rest > 50_000_000 || (rest == 50_000_000 && quotient % 2 == 1);
        let cents = quotient + u128::from(up);
        let sign = if self.0 < 0 && cents > 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0 + other.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        self.0 += other.0;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(all: I) -> Money {
        all.fold(Money::ZERO, Add::add)
    }
}

/// Writes every digit that is there: `0.0016`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const USD: u128 = 10_000_000_000;
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / USD, self.0.unsigned_abs() % USD);
        let digits = format!("{part:010}");
        let digits = digits.trim_end_matches('0');
        let dot = if digits.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{dot}{digits}")
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_petabyte_year_is_exact() {
        let gp3 = Price::new(800_000_000, (1 << 30) * MONTH_NS, Unit::ByteNs);
        let usage = Usage { amount: (1u128 << 50) * 8760 * HOUR_NS, unit: Unit::ByteNs };
        assert_eq!(gp3.line(usage), Money(800_000_000 * 1024 * 1024 * 12));
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let half = Price::new(1, 2, Unit::InstanceNs);
        let lines: Vec<i128> =
            (0..6).map(|amount| half.line(Usage { amount, unit: Unit::InstanceNs }).nanos10()).collect();
        assert_eq!(lines, [0, 0, 1, 2, 2, 2]); // 0, 0.5, 1, 1.5, 2, 2.5
    }

    #[test]
    fn lines_are_the_nearest_amount_and_the_even_one_of_two() {
        for (rate, per) in [(1, 3), (2, 3), (7, 10), (10, 7), (-5, 4), (3, 1), (9, 6), (0, 5)] {
            let price = Price::new(rate, per, Unit::Byte);
            for amount in 0..60 {
                let line = price.line(Usage { amount, unit: Unit::Byte }).nanos10();
                let per = i128::try_from(per).unwrap();
                let off = 2 * (i128::try_from(amount).unwrap() * i128::from(rate) - line * per).abs();
                assert!(off < per || (off == per && line % 2 == 0), "{amount} at {rate} for {per}: {line}");
            }
        }
    }

    #[test]
    fn a_label_has_its_steps() {
        let hour = 3_600_000_000_000;
        let rows = [
            (Unit::InstanceNs, "instance-hours", hour),
            (Unit::CpuNs, "vCPU-hours", 128_000 * hour),
            (Unit::ByteNs, "GiB-hours", 1_073_741_824 * hour),
            (Unit::AddressNs, "address-hours", hour),
            (Unit::ClusterNs, "cluster-hours", hour),
            (Unit::ItemNs, "item-hours", hour),
            (Unit::Byte, "GiB", 1_073_741_824),
        ];
        for (unit, label, steps) in rows {
            assert_eq!((unit.label(), unit.steps_per_label()), (label, steps));
            let price = Price::per_hour(7, unit);
            assert_eq!((price.nanos10(), price.per(), price.unit()), (7, steps, unit));
        }
        assert_eq!(MONTH_NS, 2_628_000_000_000_000);
    }

    #[test]
    fn amounts_are_written_for_bills_and_for_people() {
        let rows = [
            (0, "0", "0.00"),
            (1, "0.0000000001", "0.00"),
            (10_000_000_000, "1", "1.00"),
            (12_345_000_000_000, "1234.5", "1234.50"),
            (49_999_999, "0.0049999999", "0.00"),
            (50_000_000, "0.005", "0.00"),
            (50_000_001, "0.0050000001", "0.01"),
            (150_000_000, "0.015", "0.02"),
            (250_000_000, "0.025", "0.02"),
            (9_999_999_999, "0.9999999999", "1.00"),
            (-150_000_000, "-0.015", "-0.02"),
            (-20_100_000_000, "-2.01", "-2.01"),
        ];
        for (nanos10, exact, cents) in rows {
            let money = Money::from_nanos10(nanos10);
            assert_eq!((money.to_string().as_str(), money.cents().as_str()), (exact, cents));
            assert_eq!(format!("{money:?}"), exact);
        }
    }

    #[test]
    fn amounts_add_up() {
        let mut sum = Money(7) + Money(-2);
        sum += Money(10);
        assert_eq!(sum, Money(15));
        assert_eq!([Money(1), Money(20), Money(-300)].into_iter().sum::<Money>(), Money(-279));
    }

    #[test]
    fn rates_are_applied_exactly_or_refused() {
        let refused =
            |nanos10, per| std::panic::catch_unwind(|| Price::new(nanos10, per, Unit::Byte)).is_err();
        assert!(refused(1, 0));
        assert!(refused(1, 1 << 127) && refused(-2, 1 << 126) && refused(i64::MIN, u128::MAX));
        assert!(!refused(1, (1 << 127) - 1) && !refused(i64::MIN, (1 << 64) - 1) && !refused(0, 1));
    }

    #[test]
    fn a_credit_is_negative() {
        let credit = Price::per_hour(-404_800_000, Unit::CpuNs);
        let quarter = Usage { amount: 32_000 * HOUR_NS, unit: Unit::CpuNs };
        assert_eq!(credit.line(quarter).to_string(), "-0.01012");
        assert_eq!(credit.line(quarter).cents(), "-0.01");
        assert_eq!(Money(-1).cents(), "0.00");
    }

    #[test]
    #[should_panic(expected = "another unit")]
    fn units_must_agree() {
        let price = Price::per_hour(1, Unit::CpuNs);
        let _ = price.line(Usage { amount: 1, unit: Unit::ByteNs });
    }
}
