//! Randomness, portable to the bit: streams, bounded integers, normals; and generators that a failed step can put back.
//!
//! Everything is built from `next_u32`, so that the words consumed can be counted and any `rand_core` generator serves.

use crate::Real;
use core::convert::Infallible;
use rand_core::{Rng, SeedableRng, TryRng};
use rand_xorshift::XorShiftRng;

/// A generator that a step can put back when it fails: what [`Dynamics::step`](crate::Dynamics::step) asks for.
///
/// Usable as `dyn`. [`Rewind`] makes one from any generator that can be cloned, [`NoRewind`] from any other. A step
/// marks at its first draw: a caller's own mark does not survive it.
pub trait Generator: Rng {
    /// Remembers the present state; at the start of a step's draws.
    fn mark(&mut self);
    /// Goes back to the last mark.
    fn rewind(&mut self);
}

impl<G: Generator + ?Sized> Generator for &mut G {
    fn mark(&mut self) {
        (**self).mark();
    }

    fn rewind(&mut self) {
        (**self).rewind();
    }
}

/// Any generator that can be cloned, with a copy of itself to go back to.
///
/// Equal are those in equal present states, wherever their marks are: a step marks anew.
///
/// ```
/// use birth_death::{Generator, Rewind, rand_core::{Rng, SeedableRng}};
/// let mut rng = Rewind::new(rand_xorshift::XorShiftRng::seed_from_u64(1));
/// rng.mark();
/// let word = rng.next_u32();
/// rng.rewind();
/// assert_eq!(rng.next_u32(), word);
/// ```
#[derive(Clone, Debug)]
pub struct Rewind<G> {
    now: G,
    mark: G,
}

impl<G: PartialEq> PartialEq for Rewind<G> {
    fn eq(&self, other: &Self) -> bool {
        self.now == other.now
    }
}

impl<G: Eq> Eq for Rewind<G> {}

/// The default generator: Marsaglia's xorshift128 (of `rand_xorshift`), which can be put back; 32 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream(Rewind<XorShiftRng>);

impl<G: Clone> Rewind<G> {
    /// The generator as it is, marked there.
    pub fn new(rng: G) -> Self {
        Self { mark: rng.clone(), now: rng }
    }

    /// The generator in its present state.
    pub const fn get(&self) -> &G {
        &self.now
    }
}

impl<G: Rng + Clone> TryRng for Rewind<G> {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.now.next_u32())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.now.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        // by words, whose order the crate defines; and without the panic path of copying slices
        for chunk in bytes.chunks_mut(4) {
            let word = self.now.next_u32().to_le_bytes();
            chunk.iter_mut().zip(word).for_each(|(byte, of_word)| *byte = of_word);
        }
        Ok(())
    }
}

impl<G: Rng + Clone> Generator for Rewind<G> {
    fn mark(&mut self) {
        self.mark = self.now.clone();
    }

    fn rewind(&mut self) {
        self.now = self.mark.clone();
    }
}

/// A generator that cannot go back, such as a hardware source or a `&mut dyn rand_core::Rng`: after a failed step the
/// words drawn are gone; ensemble and counter are as they were.
///
/// ```
/// use birth_death::{Generator, NoRewind, Stream};
/// let mut source = Stream::seeded(1, 0);
/// let any: &mut dyn rand_core::Rng = &mut source;
/// let mut rng = NoRewind(any);
/// rng.rewind(); // nothing happens
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRewind<G>(pub G);

impl<G: Rng> TryRng for NoRewind<G> {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl<G: Rng> Generator for NoRewind<G> {
    fn mark(&mut self) {}

    fn rewind(&mut self) {}
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

impl Generator for Stream {
    fn mark(&mut self) {
        self.0.mark();
    }

    fn rewind(&mut self) {
        self.0.rewind();
    }
}

impl Stream {
    /// Stream number `stream` of `seed`.
    ///
    /// The generator's 16 seed bytes are `a` and `b`, little-endian, of
    ///
    /// ```text
    /// b = mix(stream + mix(seed + 0x9e3779b97f4a7c15))
    /// a = mix(seed + mix(b + 0x9e3779b97f4a7c15))              additions modulo 2^64
    /// ```
    ///
    /// where `mix` is SplitMix64's finaliser (Steele, Lea, Flood 2014, in Stafford's variant 13): shift 30, times
    /// 0xbf58476d1ce4e5b9, shift 27, times 0x94d049bb133111eb, shift 31. `mix` is a bijection, so different pairs give
    /// different states (but for the one that gives zeros, which xorshift replaces); both halves depend on both
    /// numbers.
    ///
    /// ```
    /// use rand_core::Rng;
    /// let mut rng = birth_death::Stream::seeded(1, 0);
    /// assert_eq!([rng.next_u32(), rng.next_u32()], [16_399_384, 4_167_847_072]);
    /// ```
    pub fn seeded(seed: u64, stream: u64) -> Self {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let b = mix(stream.wrapping_add(mix(seed.wrapping_add(GOLDEN))));
        let a = mix(seed.wrapping_add(mix(b.wrapping_add(GOLDEN))));
        let mut bytes = [0; 16];
        let words = a.to_le_bytes().into_iter().chain(b.to_le_bytes());
        bytes.iter_mut().zip(words).for_each(|(byte, word)| *byte = word);
        Self::of_bytes(bytes)
    }

    /// xorshift128 with these seed bytes.
    pub(crate) fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(Rewind::new(XorShiftRng::from_seed(bytes)))
    }
}

/// SplitMix64's finaliser: a bijection of the 64-bit words.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Words that [`bounded`] draws at most; then the last one's value stands. Each is rejected with probability below 1/2,
/// so this happens with probability below 2^-64, and a step's number of words is bounded.
pub const MAX_TRIES: u32 = 64;

/// Uniform on `0..bound`, with a bias below 2^-64. Consumes one word, seldom more: `2^32 / (2^32 - 2^32 mod bound)` in
/// the mean, at most [`MAX_TRIES`].
///
/// Lemire's method ("Fast random integer generation in an interval", 2019): the upper half of `word * bound`, where
/// words whose lower half is below `2^32 mod bound` are drawn again. `bound = 0` gives 0 and consumes a word.
///
/// ```
/// use birth_death::{Stream, random::bounded};
/// let mut rng = Stream::seeded(7, 0);
/// assert!((0..1000).all(|_| bounded(&mut rng, 3) < 3));
/// ```
#[inline]
pub fn bounded<G: Rng + ?Sized>(rng: &mut G, bound: u32) -> u32 {
    let product = |word: u32| u64::from(word).wrapping_mul(u64::from(bound));
    let halves = |product: u64| ((product >> 32) as u32, product as u32);
    let (mut value, mut low) = halves(product(rng.next_u32()));
    if low < bound {
        let threshold = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
        let mut tries = 1;
        while low < threshold && tries < MAX_TRIES {
            (value, low) = halves(product(rng.next_u32()));
            tries = tries.saturating_add(1);
        }
    }
    value
}

/// A standard normal number: Box and Muller's cosine, `sqrt(-2 ln(1 - u)) cos(2 pi u')`, `u` drawn first.
///
/// Two uniforms of the type: 2 words for `f32`, 4 for `f64`. Largest magnitude 5.8 (`f32`), 8.6 (`f64`).
///
/// ```
/// use birth_death::{Stream, random::normal};
/// let z: f32 = normal(&mut Stream::seeded(1, 0));
/// assert!(z.abs() < 5.8);
/// ```
#[inline]
pub fn normal<R: Real, G: Rng + ?Sized>(rng: &mut G) -> R {
    let radius = R::ONE - R::uniform(rng);
    let angle = R::TAU * R::uniform(rng);
    (-(R::ONE + R::ONE) * radius.ln()).sqrt() * angle.cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Plays back given words, then repeats the last; counts them.
    struct Script(Vec<u32>, usize);
    impl TryRng for Script {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            let word = self.0[self.1.min(self.0.len() - 1)];
            self.1 += 1;
            Ok(word)
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            unreachable!("only 32-bit words are drawn")
        }
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
            unreachable!("only 32-bit words are drawn")
        }
    }

    #[test]
    fn bounded_rejects_what_would_bias_and_stops_after_the_limit() {
        // 2^32 mod 3 = 1: only the word 0 (lower half 0 < 1) is drawn again
        let mut rng = Script(std::vec![0, 0, 0x8000_0000], 0);
        assert_eq!((bounded(&mut rng, 3), rng.1), (1, 3));
        let mut rng = Script(std::vec![0], 0);
        assert_eq!((bounded(&mut rng, 3), rng.1), (0, MAX_TRIES as usize));
        let mut rng = Script(std::vec![u32::MAX], 0);
        assert_eq!((bounded(&mut rng, 1), bounded(&mut rng, 0), rng.1), (0, 0, 2));
        assert_eq!(bounded(&mut rng, u32::MAX), u32::MAX - 1);
        // exactly uniform: over all 2^16-fold classes of words, each value as often as any other
        let bound = 6u32;
        let mut counts = [0u32; 6];
        for high in 0..=u32::from(u16::MAX) {
            let mut rng = Script(std::vec![(high << 16) | 0x8000], 0);
            counts[bounded(&mut rng, bound) as usize] += 1;
        }
        assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
    }

    #[test]
    fn uniforms_use_the_documented_bits() {
        let all = || Script(std::vec![u32::MAX], 0);
        assert_eq!(f32::uniform(&mut all()), 1.0 - f32::EPSILON / 2.0);
        assert_eq!(f64::uniform(&mut all()), 1.0 - f64::EPSILON / 2.0);
        assert_eq!(f32::uniform(&mut Script(std::vec![0xff], 0)), 0.0);
        assert_eq!(f64::uniform(&mut Script(std::vec![0, 0x7ff], 0)), 0.0);
        assert_eq!(f64::uniform(&mut Script(std::vec![0x8000_0000, 0x800], 0)), 0.5 + f64::EPSILON / 2.0);
        let (mut one, mut two) = (all(), all());
        let _ = (f32::uniform(&mut one), f64::uniform(&mut two));
        assert_eq!([one.1, two.1], [f32::UNIFORM_WORDS as usize, f64::UNIFORM_WORDS as usize]);
    }

    #[test]
    fn normals_are_finite_at_the_edges_and_have_the_right_moments() {
        for words in [std::vec![0], std::vec![u32::MAX]] {
            assert!(normal::<f32, _>(&mut Script(words.clone(), 0)).is_finite());
            assert!(normal::<f64, _>(&mut Script(words, 0)).is_finite());
        }
        // u = 1 - 2^-53 gives the largest radius, cos(2 pi * 0) = 1
        let largest = normal::<f64, _>(&mut Script(std::vec![u32::MAX, u32::MAX, 0, 0], 0));
        assert!((8.5..8.6).contains(&largest), "{largest}");
        let mut rng = Stream::seeded(3, 0);
        let n = 200_000;
        let z: Vec<f64> = (0..n).map(|_| normal(&mut rng)).collect();
        let moment = |k: i32| z.iter().map(|z| z.powi(k)).sum::<f64>() / f64::from(n);
        // six standard errors: sqrt(Var z^k / n) with Var = 1, 2, 15, 96
        for (k, mean, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let error = 6.0 * libm::sqrt(variance / f64::from(n));
            assert!((moment(k) - mean).abs() < error, "moment {k}: {}", moment(k));
        }
    }

    #[test]
    fn streams_differ_and_the_zero_state_is_not_reached_by_small_numbers() {
        let mut first: Vec<u64> = Vec::new();
        for seed in 0..40 {
            for stream in 0..40 {
                let mut rng = Stream::seeded(seed, stream);
                first.push((u64::from(rng.next_u32()) << 32) | u64::from(rng.next_u32()));
            }
        }
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), 1600);
        let _ = Stream::seeded(u64::MAX, u64::MAX);
    }

    #[test]
    fn the_finaliser_is_split_mix_64s() {
        // outputs of SplitMix64 with seed 1234567, as published with reference implementations
        let golden = 0x9e37_79b9_7f4a_7c15u64;
        let outputs = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        for (k, expected) in (1u64..).zip(outputs) {
            assert_eq!(mix(1_234_567u64.wrapping_add(k.wrapping_mul(golden))), expected);
        }
    }

    #[test]
    fn wrappers_hand_on_what_their_generator_draws() {
        let inner = || XorShiftRng::seed_from_u64(7);
        let (mut rewind, mut plain) = (Rewind::new(inner()), NoRewind(inner()));
        let mut expected = inner();
        for _ in 0..3 {
            let word = expected.next_u32();
            assert_eq!((rewind.next_u32(), plain.next_u32()), (word, word));
            let double = expected.next_u64();
            assert_eq!((rewind.next_u64(), plain.next_u64()), (double, double));
        }
        let mut words = expected.clone();
        let mut bytes = [0; 7];
        rewind.fill_bytes(&mut bytes);
        let (first, second) = (words.next_u32().to_le_bytes(), words.next_u32().to_le_bytes());
        assert_eq!((&bytes[..4], &bytes[4..]), (&first[..], &second[..3]), "little-endian words, the last cut");
        let (mut bytes, mut of_expected) = ([0; 7], [0; 7]);
        plain.fill_bytes(&mut bytes);
        expected.fill_bytes(&mut of_expected);
        assert_eq!(bytes, of_expected);
        // what has no way back goes on
        plain.mark();
        let mut after = plain.clone();
        let next = plain.next_u32();
        plain.rewind();
        assert_eq!((after.next_u32(), plain.0 == after.0), (next, true));
    }

    #[test]
    fn generators_are_equal_in_equal_states_wherever_they_are_marked() {
        let (mut a, b) = (Stream::seeded(1, 0), Stream::seeded(1, 0));
        assert!(a == b && a != Stream::seeded(1, 1));
        a.next_u32();
        assert!(a != b, "one word further");
        let mut c = b.clone();
        c.next_u32();
        c.mark();
        assert!(a == c, "in the same state, marked elsewhere");
    }

    /// Marks, draws and rewinds by value of `G`: a reference counts as a generator of its own.
    fn goes_back<G: Generator>(mut rng: G) -> bool {
        rng.next_u32();
        rng.mark();
        let words = [rng.next_u32(), rng.next_u32()];
        rng.rewind();
        [rng.next_u32(), rng.next_u32()] == words
    }

    #[test]
    fn a_reference_marks_and_rewinds_what_it_refers_to() {
        let mut rng = Stream::seeded(1, 2);
        assert!(goes_back(&mut rng) && goes_back(rng));
    }

    #[test]
    fn rewind_goes_back_to_the_mark_through_dyn() {
        let mut rng = Stream::seeded(1, 2);
        let rng: &mut dyn Generator = &mut rng;
        rng.next_u32();
        rng.mark();
        let words = [rng.next_u32(), rng.next_u32()];
        rng.rewind();
        assert_eq!([rng.next_u32(), rng.next_u32()], words);
    }
}
