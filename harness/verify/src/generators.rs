//! The generators behind every random word: the crate's own, and an unrelated one, so that no verdict is an artefact of
//! the first.

use std::convert::Infallible;

use birth_death::{Generator, Rewind, Stream};
use rand_core::{Rng, TryRng};
use rand_pcg::Pcg32;
use serde::{Deserialize, Serialize};

/// Which generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// [`Stream`]: xorshift128 of 32-bit words, every stream seeded from (seed, stream) by a hash.
    Xorshift128,
    /// PCG-XSH-RR 64/32 of `rand_pcg`: state from the seed, increment from the stream; streams of one seed are distinct
    /// sequences.
    Pcg32,
}

impl Source {
    /// All of them; the crate's own first.
    pub const ALL: [Source; 2] = [Source::Xorshift128, Source::Pcg32];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Source::Xorshift128 => "xorshift128",
            Source::Pcg32 => "pcg32",
        }
    }

    /// Stream number `stream` of `seed`.
    pub fn seeded(self, seed: u64, stream: u64) -> BoxedGenerator {
        BoxedGenerator(match self {
            Source::Xorshift128 => Box::new(Stream::seeded(seed, stream)),
            Source::Pcg32 => Box::new(Rewind::new(pcg(seed, stream))),
        })
    }
}

/// Neighbouring numbers would give states and increments that differ in few bits, and words alike at first: both go
/// through the finaliser of splitmix64, which is one to one.
fn pcg(seed: u64, stream: u64) -> Pcg32 {
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let state = mix(seed.wrapping_mul(ODD).wrapping_add(stream));
    Pcg32::new(state, mix(stream.wrapping_add(ODD)))
}

/// A generator chosen at run time.
#[derive(Debug)]
pub struct BoxedGenerator(pub Box<dyn DebugGenerator>);

/// What a boxed generator has to be.
pub trait DebugGenerator: Generator + Send + std::fmt::Debug {}

impl<G: Generator + Send + std::fmt::Debug> DebugGenerator for G {}

impl TryRng for BoxedGenerator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl Generator for BoxedGenerator {
    fn mark(&mut self) {
        self.0.mark();
    }

    fn rewind(&mut self) {
        self.0.rewind();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_their_own() {
        for source in Source::ALL {
            let first = |seed, stream| {
                let mut rng = source.seeded(seed, stream);
                [rng.next_u32(), rng.next_u32()]
            };
            assert_eq!(first(1, 2), first(1, 2));
            let all = [first(1, 2), first(1, 3), first(2, 2), first(3, 0), first(0, 3)];
            for (i, a) in all.iter().enumerate() {
                assert!(all[..i].iter().all(|b| a != b), "{source:?}");
            }
        }
    }

    #[test]
    fn first_words_of_neighbouring_streams_are_uncorrelated() {
        // Each pair's correlation is normal with standard deviation 1/sqrt(N): five of them.
        const N: u64 = 20_000;
        for source in Source::ALL {
            let first = |stream| f64::from(source.seeded(7, stream).next_u32()) / 4_294_967_296.0 - 0.5;
            let words: Vec<f64> = (0..=N).map(first).collect();
            let correlation = words.windows(2).map(|w| 12.0 * w[0] * w[1]).sum::<f64>() / N as f64;
            assert!(correlation.abs() < 5.0 / (N as f64).sqrt(), "{source:?}: {correlation}");
        }
    }

    #[test]
    fn both_rewind() {
        for source in Source::ALL {
            let mut rng = source.seeded(5, 0);
            rng.next_u32();
            rng.mark();
            let ahead = [rng.next_u32(), rng.next_u32()];
            rng.rewind();
            assert_eq!(ahead, [rng.next_u32(), rng.next_u32()]);
        }
    }
}
