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

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(records: &[&[u64]]) -> Digest {
        let mut digest = Digest::default();
        for words in records {
            digest.words(words);
        }
        digest
    }

    /// Whoever changes what comes out here breaks every baseline, and takes a new [`VERSION`].
    #[test]
    fn version_1_stays_what_it_is() {
        assert_eq!(VERSION, 1);
        let rows: [(&[&[u64]], u64, &str); 4] = [
            (&[], 0, "243f6a8885a308d313198a2e03707344"),
            (&[&[]], 1, "c031a6bb022257332b87f52664c2cba0"),
            (&[&[1, 2, 3]], 1, "f9a2f4722ab9329471cfe75154e33741"),
            (&[&[0], &[u64::MAX, 1 << 63], &[5]], 3, "20a00f8bbf0372ef06b272cecdbcca6e"),
        ];
        for (records, count, text) in rows {
            let digest = digest(records);
            assert_eq!((digest.count(), digest.to_string().as_str()), (count, text));
        }
    }

    #[test]
    fn records_do_not_run_into_each_other() {
        let all = [
            digest(&[&[1, 2]]),
            digest(&[&[2, 1]]),
            digest(&[&[1], &[2]]),
            digest(&[&[2], &[1]]),
            digest(&[&[], &[1, 2]]),
            digest(&[&[1, 2], &[]]),
            digest(&[&[1, 2, 0]]),
            digest(&[&[0, 1, 2]]),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(!all[place + 1..].contains(one), "{place}");
        }
    }
}
