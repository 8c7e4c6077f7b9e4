//! Chance from a seed: the same seed, the same run, on every machine.

const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of random numbers (splitmix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

impl Dice {
    /// The stream of a seed. The seed is mixed first: streams of neighbouring seeds must not be shifts of each other.
    pub fn new(seed: u64) -> Self {
        Self(mix(mix(seed ^ STRIDE).wrapping_add(seed)))
    }

    /// The next number.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STRIDE);
        mix(self.0)
    }

    /// A number below `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.throw() % end).unwrap_or(0)
    }

    /// True in so many of a hundred throws.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
}
