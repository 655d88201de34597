//! The source of every draw.

use std::convert::Infallible;

use rand::TryRng;

/// Increment of SplitMix64: 2^64 divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Finalizer of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A family of independent random sequences, one for each index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: u64,
}

impl Stream {
    /// The stream that `seed` and `path` name. Paths that differ in any part, or in where a part ends, give other streams.
    pub fn new(seed: u64, path: &[&str]) -> Self {
        // FNV-1a, with a byte that UTF-8 never has after each part.
        let bytes = path.iter().flat_map(|part| part.bytes().chain([0xFF]));
        let hash = bytes
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
        Self { key: mix(mix(seed).wrapping_add(GOLDEN) ^ hash) }
    }

    /// The sequence at `index`.
    #[inline]
    pub fn at(self, index: u64) -> Random {
        Random { state: mix(self.key.wrapping_add(index.wrapping_mul(GOLDEN))) }
    }
}

/// A random sequence (SplitMix64). Its numbers are part of what a dataset's recipe means: they never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// A number below `bound`, uniform but for a bias of at most `bound / 2^64`; 0 when `bound` is 0.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `min..=max`, uniform as [`Random::below`] is.
    #[inline]
    pub fn within(&mut self, min: i64, max: i64) -> i64 {
        let last = max.wrapping_sub(min) as u64;
        let offset = if last == u64::MAX { self.bits() } else { self.below(last + 1) };
        min.wrapping_add(offset as i64)
    }

    /// A number in `[0, 1)`, a multiple of 2^-53.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }
}

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.bits() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.bits())
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(8) {
            chunk.copy_from_slice(&self.bits().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn follows_the_published_splitmix64() {
        let mut random = Random { state: 1_234_567 };
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(expected.map(|_| random.bits()), expected);
    }

    #[test]
    fn paths_do_not_run_together() {
        assert_ne!(Stream::new(1, &["ab", "c"]), Stream::new(1, &["a", "bc"]));
        assert_ne!(Stream::new(1, &["a"]), Stream::new(2, &["a"]));
        assert_ne!(Stream::new(1, &["a"]), Stream::new(1, &["a", ""]));
    }

    #[test]
    fn an_address_always_gives_the_same_numbers() {
        let mut random = Stream::new(42, &["events", "user_id"]).at(7);
        assert_eq!((random.bits(), random.below(1000)), (PINNED.0, PINNED.1));
    }

    /// What an earlier build drew.
    const PINNED: (u64, u64) = (8_326_951_605_584_554_149, 605);

    proptest! {
        #[test]
        fn within_stays_within(seed: u64, a: i64, b: i64) {
            let (min, max) = (a.min(b), a.max(b));
            let value = Stream::new(seed, &[]).at(0).within(min, max);
            prop_assert!((min..=max).contains(&value));
        }
    }
}
