//! Keyed draws: (seed, purpose, entity, n) to a number, with no state per entity.
//!
//! The generator is Philox2x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
//! 2011): a keyed counter, so a draw elsewhere cannot move this one. It is ours, ten lines long,
//! because no kept crate offers a keyed counter; its published known answers are a test, and
//! `rand_chacha` is its independent twin. Knows nothing of distributions.

use std::convert::Infallible;

use rand::rand_core::TryRng;

use crate::base::{Draw, EntityKey, Purpose};

/// All the luck of one run.
///
/// ```
/// use windtunnel::base::{EntityKey, Purpose};
/// use windtunnel::engine::Luck;
/// let luck = Luck::new(1);
/// let web = EntityKey::new("task", "web", 7);
/// assert_eq!(luck.draw(Purpose::Life, web, 0), Luck::new(1).draw(Purpose::Life, web, 0));
/// assert_ne!(luck.draw(Purpose::Life, web, 0), luck.draw(Purpose::Crash, web, 0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Luck {
    seed: u64,
}

impl Luck {
    /// The luck of this seed.
    pub const fn new(seed: u64) -> Self {
        Luck { seed }
    }

    /// The `n`-th number of this entity for this purpose.
    pub fn draw(&self, purpose: Purpose, key: EntityKey, n: u32) -> u64 {
        let counter = [u64::from(n) | (purpose as u64) << 32, key.high()];
        philox2x64_10(counter, self.seed ^ key.low())[0]
    }

    /// The numbers of this entity for this purpose as a generator of the `rand` crate, for code that
    /// wants one (shuffles, `rand_distr` in tests).
    pub const fn stream(self, purpose: Purpose, key: EntityKey) -> Stream {
        Stream { luck: self, purpose, key, n: 0 }
    }
}

impl Draw for Luck {
    fn draw(&mut self, purpose: Purpose, key: EntityKey, n: u32) -> u64 {
        Luck::draw(self, purpose, key, n)
    }
}

/// Consecutive draws of one entity for one purpose, as a `rand` generator.
///
/// ```
/// use rand::Rng;
/// use windtunnel::base::{EntityKey, Purpose};
/// use windtunnel::engine::Luck;
/// let (luck, key) = (Luck::new(1), EntityKey::new("task", "web", 7));
/// let mut stream = luck.stream(Purpose::Life, key);
/// assert_eq!(stream.next_u64(), luck.draw(Purpose::Life, key, 0));
/// assert_eq!(stream.next_u64(), luck.draw(Purpose::Life, key, 1));
/// ```
#[derive(Clone, Debug)]
pub struct Stream {
    luck: Luck,
    purpose: Purpose,
    key: EntityKey,
    n: u32,
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|draw| u32::try_from(draw >> 32).expect("32 bits are left"))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let draw = self.luck.draw(self.purpose, self.key, self.n);
        self.n += 1;
        Ok(draw)
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        for chunk in into.chunks_mut(8) {
            let draw = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&draw[..chunk.len()]);
        }
        Ok(())
    }
}

const MULTIPLIER: u64 = 0xd2b7_4407_b1ce_6e93;
const WEYL: u64 = 0x9e37_79b9_7f4a_7c15;

/// Philox with two 64-bit words and ten rounds.
#[expect(clippy::cast_possible_truncation, reason = "the two halves of a 128-bit product")]
fn philox2x64_10(mut counter: [u64; 2], mut key: u64) -> [u64; 2] {
    for _ in 0..10 {
        let product = u128::from(counter[0]) * u128::from(MULTIPLIER);
        counter = [(product >> 64) as u64 ^ key ^ counter[1], product as u64];
        key = key.wrapping_add(WEYL);
    }
    counter
}

#[cfg(test)]
mod tests;
