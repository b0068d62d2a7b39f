//! Random numbers that a seed repeats.
//!
//! Not for secrets: `splitmix64`, so that any seed, 0 too, gives a good sequence.

use std::time::Duration;

/// A sequence of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// Returns the sequence of part number `part` of `seed`; each part has its own.
    pub(super) fn of(seed: u64, part: u64) -> Self {
        let mut dice = Self(seed);
        let start = dice.next().wrapping_add(part.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self(start)
    }

    /// Returns the next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `n`; 0 where `n` is 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next().checked_rem(n).unwrap_or(0)
    }

    /// Returns an index into something of `len` parts.
    pub(super) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// Returns a number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Whether something comes about that does so `n` times of a hundred.
    pub(super) fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }

    /// Returns a time from `low` to `high` milliseconds, in microseconds.
    pub(super) fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_micros(self.between(low * 1000, high * 1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers_and_each_part_has_others() {
        let numbers = |seed, part| {
            let mut dice = Dice::of(seed, part);
            [dice.next(), dice.next(), dice.next()]
        };
        assert_eq!(numbers(7, 3), numbers(7, 3));
        assert_ne!(numbers(7, 3), numbers(7, 4));
        assert_ne!(numbers(7, 3), numbers(8, 3));
    }

    #[test]
    fn numbers_keep_to_their_limits_and_reach_them() {
        let mut dice = Dice::of(1, 1);
        let thrown: Vec<u64> = (0..200).map(|_| dice.between(1, 10)).collect();
        assert_eq!((thrown.iter().min(), thrown.iter().max()), (Some(&1), Some(&10)));
        assert_eq!(dice.below(0), 0);
        assert!(!(0..100).any(|_| dice.percent(0)));
        assert!((0..100).all(|_| dice.percent(100)));
    }
}
