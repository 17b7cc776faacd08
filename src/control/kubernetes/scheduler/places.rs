//! A set of places in the search order: one bit for each.
//!
//! A pass over five thousand nodes is a pass over eighty words. Knows nothing of what stands at a place.

/// Places that are in one word.
const WORD: usize = u64::BITS as usize;

/// A set of places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Places(Vec<u64>);

impl Places {
    /// Puts a place in, or takes it out.
    pub(super) fn set(&mut self, place: usize, is_in: bool) {
        let (word, bit) = (place / WORD, 1 << (place % WORD));
        if is_in {
            if self.0.len() <= word {
                self.0.resize(word + 1, 0);
            }
            self.0[word] |= bit;
        } else if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
    }

    /// How many places are in.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The place with so many others before it.
    pub(super) fn nth(&self, number: usize) -> Option<usize> {
        let mut before = number;
        for (place, &word) in self.0.iter().enumerate() {
            let here = word.count_ones() as usize;
            if before < here {
                return bits(word).nth(before).map(|bit| place * WORD + bit);
            }
            before -= here;
        }
        None
    }

    /// Those that are not in the other set.
    #[must_use]
    pub(super) fn without(&self, other: &Places) -> Places {
        let others = other.0.iter().copied().chain(std::iter::repeat(0));
        Places(self.0.iter().zip(others).map(|(&own, other)| own & !other).collect())
    }

    /// All places, ascending from this one on, and then from the first one.
    pub(super) fn around(&self, from: usize) -> impl Iterator<Item = usize> {
        let (word, low) = (from / WORD, (1_u64 << (from % WORD)) - 1);
        let split = word.min(self.0.len());
        let at = |(place, word): (usize, u64)| bits(word).map(move |bit| place * WORD + bit);
        let masked = move |(place, &own): (usize, &u64), low: u64| {
            (place, if place == word { own & low } else { own })
        };
        let first = self.0.iter().enumerate().skip(split).map(move |each| masked(each, !low));
        let then = self.0.iter().enumerate().take(word + 1).map(move |each| masked(each, low));
        first.chain(then).flat_map(at)
    }
}

impl FromIterator<usize> for Places {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        let mut set = Places::default();
        set.extend(places);
        set
    }
}

impl Extend<usize> for Places {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, places: I) {
        for place in places {
            self.set(place, true);
        }
    }
}

/// The bits of a word that are set, ascending.
fn bits(word: u64) -> impl Iterator<Item = usize> {
    let rest = std::iter::successors(Some(word), |&rest| Some(rest & rest.wrapping_sub(1)));
    rest.take_while(|&rest| rest != 0).map(|rest| rest.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is true of these places, by plain lists.
    fn check(places: &[usize], without: &[usize]) {
        let set: Places = places.iter().copied().collect();
        let mut sorted = places.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(set.len(), sorted.len());
        for number in 0..=sorted.len() {
            assert_eq!(set.nth(number), sorted.get(number).copied(), "{number} of {sorted:?}");
        }
        for from in [0, 1, 63, 64, 65, 127, 128, 130, 500, 5000] {
            let (low, high): (Vec<usize>, Vec<usize>) = sorted.iter().partition(|&&place| place < from);
            let around: Vec<usize> = set.around(from).collect();
            assert_eq!(around, [high, low].concat(), "around {from} in {sorted:?}");
        }
        let left = set.without(&without.iter().copied().collect());
        sorted.retain(|place| !without.contains(place));
        assert_eq!(left.around(0).collect::<Vec<_>>(), sorted);
        let mut emptied = set;
        for &place in places {
            emptied.set(place, false);
        }
        assert_eq!(emptied.len(), 0);
    }

    #[test]
    fn places_are_a_set() {
        check(&[], &[]);
        check(&[], &[7]);
        check(&[0], &[]);
        check(&[63, 64], &[64, 900]);
        check(&[127, 5, 128, 5, 300], &[5]);
        check(&(0..200).collect::<Vec<_>>(), &(50..150).collect::<Vec<_>>());
        check(&(0..700).step_by(13).collect::<Vec<_>>(), &[13, 26, 699]);
    }
}
