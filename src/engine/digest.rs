//! A fingerprint of what happened: equal digests mean equal bytes, whatever the machine.
//!
//! Rolling, order-sensitive, fast; not cryptographic and not meant to resist anybody. Knows nothing
//! of facts; it is fed words.

use std::fmt;

/// The version of the digest: another number means "take a new baseline", not "something broke".
pub const VERSION: u32 = 1;

const MULTIPLIER: u64 = 0xd2b7_4407_b1ce_6e93;

/// A rolling 128-bit digest of 64-bit words.
///
/// ```
/// use windtunnel::engine::Digest;
/// let mut one = Digest::default();
/// one.words(&[1, 2]);
/// let mut two = Digest::default();
/// two.words(&[2, 1]);
/// assert_ne!(one, two);
/// assert_eq!(one.to_string().len(), 32);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest {
    high: u64,
    low: u64,
    count: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Digest { high: 0x243f_6a88_85a3_08d3, low: 0x1319_8a2e_0370_7344, count: 0 }
    }
}

impl Digest {
    /// Takes one record of words; its length counts, so that records do not run into each other.
    pub fn words(&mut self, words: &[u64]) {
        self.word(words.len() as u64);
        for &word in words {
            self.word(word);
        }
        self.count += 1;
    }

    /// How many records were taken.
    pub const fn count(&self) -> u64 {
        self.count
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves of a 128-bit product")]
    fn word(&mut self, word: u64) {
        let product = u128::from(self.low ^ word) * u128::from(MULTIPLIER);
        self.low = self.high ^ (product >> 64) as u64;
        self.high = (product as u64).rotate_left(29).wrapping_add(word ^ 0x9e37_79b9_7f4a_7c15);
    }
}

/// Writes 32 hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.high, self.low)
    }
}
