//! A decimal number of any length, for the few quantities that 64 bits do not hold.
//!
//! Digits are kept one by one: slow, short, and easy to see through. Knows nothing of suffixes.

use std::cmp::Ordering;

use crate::mark;

/// `digits` × 10^`exponent`, with a sign. Zero has no digits and is not negative.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Decimal {
    negative: bool,
    /// Most significant first, without leading zeros.
    digits: Vec<u8>,
    exponent: i32,
}

impl Decimal {
    /// The number with these decimal digits.
    pub(super) fn new(negative: bool, digits: impl IntoIterator<Item = u8>, exponent: i32) -> Self {
        let mut digits: Vec<u8> = digits.into_iter().collect();
        let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
        digits.drain(..zeros);
        Decimal { negative: negative && !digits.is_empty(), digits, exponent }
    }

    pub(super) fn from_i64(value: i64, exponent: i32) -> Self {
        let digits = value.unsigned_abs().to_string().into_bytes().into_iter().map(|letter| letter - b'0');
        Decimal::new(value < 0, digits, exponent)
    }

    pub(super) fn sign(&self) -> i32 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// Multiplies by a small number.
    pub(super) fn multiply(&mut self, factor: u32) {
        let mut carry = 0;
        for digit in self.digits.iter_mut().rev() {
            carry += u32::from(*digit) * factor;
            *digit = low_digit(carry);
            carry /= 10;
        }
        while carry > 0 {
            self.digits.insert(0, low_digit(carry));
            carry /= 10;
        }
    }

    /// Gives it this exponent, rounding away from zero; whether nothing was lost.
    pub(super) fn round_up(&mut self, exponent: i32) -> bool {
        if self.exponent >= exponent {
            self.lower(exponent);
            return true;
        }
        let lost = self.cut(exponent);
        if lost {
            self.add_one_unit();
        }
        self.negative &= !self.digits.is_empty();
        !lost
    }

    /// Changes its sign.
    pub(super) fn negate(&mut self) {
        self.negative = !self.negative && !self.digits.is_empty();
    }

    /// Cuts off the digits below 10^`exponent`; whether one of them counted.
    fn cut(&mut self, exponent: i32) -> bool {
        let places = usize::try_from(exponent - self.exponent).expect("the exponent is raised");
        let kept = self.digits.len().saturating_sub(places);
        let lost = self.digits[kept..].iter().any(|&digit| digit != 0);
        self.digits.truncate(kept);
        self.exponent = exponent;
        lost
    }

    /// Gives it this exponent, which is not greater than its own.
    fn lower(&mut self, exponent: i32) {
        let zeros = usize::try_from(self.exponent - exponent).expect("the exponent is lowered");
        if !self.digits.is_empty() {
            self.digits.extend(std::iter::repeat_n(0, zeros));
        }
        self.exponent = exponent;
    }

    fn add_one_unit(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < 9 {
                *digit += 1;
                return;
            }
            *digit = 0;
        }
        self.digits.insert(0, 1);
    }

    pub(super) fn add(&self, other: &Decimal) -> Decimal {
        let (mut left, mut right) = (self.clone(), other.clone());
        let exponent = left.exponent.min(right.exponent);
        left.lower(exponent);
        right.lower(exponent);
        if left.negative == right.negative {
            return Decimal::new(left.negative, sum(&left.digits, &right.digits), exponent);
        }
        match compare_digits(&left.digits, &right.digits) {
            Ordering::Less => Decimal::new(right.negative, difference(&right.digits, &left.digits), exponent),
            Ordering::Equal | Ordering::Greater => {
                Decimal::new(left.negative, difference(&left.digits, &right.digits), exponent)
            }
        }
    }

    pub(super) fn compare(&self, other: &Decimal) -> Ordering {
        let mut opposite = other.clone();
        opposite.negate();
        self.add(&opposite).sign().cmp(&0)
    }

    /// In units of 10^`exponent`, rounded up; beyond 64 bits it wraps where the original does.
    pub(super) fn scaled(&self, exponent: i32) -> i64 {
        let places = self.exponent - exponent;
        if places >= 0 {
            let factor = 10_i64.checked_pow(places.unsigned_abs()).unwrap_or(i64::MIN);
            return self.wrapped().wrapping_mul(factor);
        }
        if self.negative {
            mark!("K 1.2 negative numbers wrap before they are divided");
            let divisor = 10_i64.checked_pow(places.unsigned_abs()).unwrap_or(i64::MAX);
            let wrapped = self.wrapped();
            return wrapped / divisor + i64::from(wrapped % divisor != 0);
        }
        let mut whole = self.clone();
        whole.round_up(exponent);
        whole.wrapped()
    }

    /// The lowest 64 bits of the digits as a whole number, without the exponent.
    #[expect(clippy::cast_possible_wrap, reason = "the original cuts to 64 bits")]
    fn wrapped(&self) -> i64 {
        let bits =
            self.digits.iter().fold(0_u64, |sum, &digit| sum.wrapping_mul(10).wrapping_add(u64::from(digit)));
        if self.negative { (bits as i64).wrapping_neg() } else { bits as i64 }
    }

    /// The digits as text, and the exponent, which is a multiple of 3 and the largest such.
    pub(super) fn canonical(&self) -> (String, i32) {
        let mut short = self.clone();
        while short.digits.last() == Some(&0) {
            short.digits.pop();
            short.exponent += 1;
        }
        let exponent = short.exponent.div_euclid(3) * 3;
        short.lower(exponent);
        (short.text(), exponent)
    }

    /// The digits of a whole number with the factors 1024 taken out, and how many they were.
    pub(super) fn canonical_binary(&self) -> (String, i32) {
        let mut rest = self.clone();
        rest.lower(rest.exponent.min(0));
        let mut times = 0;
        while let Some(smaller) = rest.divided_by_1024() {
            rest = smaller;
            times += 1;
        }
        (rest.text(), times)
    }

    fn divided_by_1024(&self) -> Option<Decimal> {
        let mut remainder = 0_u32;
        let mut quotient = Vec::with_capacity(self.digits.len());
        for &digit in &self.digits {
            remainder = remainder * 10 + u32::from(digit);
            quotient.push(low_digit(remainder / 1024));
            remainder %= 1024;
        }
        let divides = remainder == 0 && !self.digits.is_empty();
        divides.then(|| Decimal::new(self.negative, quotient, self.exponent))
    }

    fn text(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let digits = self.digits.iter().map(|&digit| char::from(b'0' + digit));
        sign.chars().chain(digits).collect()
    }
}

fn low_digit(number: u32) -> u8 {
    u8::try_from(number % 10).expect("one digit")
}

fn compare_digits(left: &[u8], right: &[u8]) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn sum(left: &[u8], right: &[u8]) -> Vec<u8> {
    let length = left.len().max(right.len());
    let mut carry = 0;
    let mut result: Vec<u8> = (0..length)
        .map(|place| {
            let total = carry + from_end(left, place) + from_end(right, place);
            carry = total / 10;
            total % 10
        })
        .collect();
    result.push(carry);
    result.reverse();
    result
}

/// `left` is not less than `right`.
fn difference(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut result: Vec<u8> = (0..left.len())
        .map(|place| {
            let total = 10 + from_end(left, place) - from_end(right, place) - borrow;
            borrow = u8::from(total < 10);
            total % 10
        })
        .collect();
    result.reverse();
    result
}

fn from_end(digits: &[u8], place: usize) -> u8 {
    digits.len().checked_sub(place + 1).map_or(0, |index| digits[index])
}
