//! Births and deaths: who is duplicated and who dies in a step, decided on frozen rates.

use crate::Real;
use rand_core::Rng;

/// What the events of one step came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Events {
    pub births: u32,
    pub deaths: u32,
    pub largest_probability: f64,
}

/// `1 - exp(-x)` without the cancellation.
fn probability(x: f64) -> f64 {
    -Real::expm1(-x)
}

const TWO_32: f64 = 4_294_967_296.0;

/// Decides the events, and writes into `copies` how many of each slot are present after them: 0, 1 or 2.
///
/// With `b_i = V_i - shift` (in the precision of the potentials) and `x_i = alpha |b_i| dt` (in `f64`, from left to
/// right): the event happens when the slot's word is below `floor(p_i 2^32)`, `p_i = 1 - exp(-x_i)`. One word a slot,
/// in order, whatever `p_i`. Probabilities are exact multiples of 2^-32, rounded down: a bias below 2.4e-10.
pub(crate) fn decide<R: Real, G: Rng + ?Sized>(
    potential: &[R],
    shift: R,
    alpha: R,
    dt: R,
    rng: &mut G,
    copies: &mut [u32],
) -> Events {
    let (alpha, dt) = (alpha.to_f64(), dt.to_f64());
    let mut events = Events::default();
    let mut largest = 0.0;
    for (&v, copies) in potential.iter().zip(copies) {
        let b = v - shift;
        let x = alpha * b.abs().to_f64() * dt;
        let word = rng.next_u32();
        *copies = 1;
        // NaN (0 times an overflowed rate) is no event: the guard asks for the good case
        if x > 0.0 {
            if x > largest {
                largest = x;
            }
            // p <= x, and x 2^32 is exact: the first comparison spares almost every exponential and changes nothing
            if f64::from(word) < x * TWO_32 && u64::from(word) < (probability(x) * TWO_32) as u64 {
                if b > R::ZERO {
                    *copies = 0;
                    events.deaths = events.deaths.saturating_add(1);
                } else {
                    *copies = 2;
                    events.births = events.births.saturating_add(1);
                }
            }
        }
    }
    events.largest_probability = probability(largest);
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;
    use std::vec::Vec;

    /// Gives the same word for ever.
    struct Word(u32);
    impl rand_core::TryRng for Word {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(self.0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(0)
        }
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
            Ok(())
        }
    }

    fn copies_of(potential: &[f64], shift: f64, alpha: f64, word: u32) -> (Vec<u32>, Events) {
        let mut copies = std::vec![9; potential.len()];
        let events = decide(potential, shift, alpha, 1.0, &mut Word(word), &mut copies);
        (copies, events)
    }

    #[test]
    fn the_sign_decides_what_and_the_word_decides_whether() {
        let (copies, events) = copies_of(&[2.0, -2.0, 0.0, -0.0], 0.0, 1.0, 0);
        assert_eq!(copies, [0, 2, 1, 1]);
        assert_eq!((events.births, events.deaths), (1, 1));
        assert_eq!(events.largest_probability, -libm::expm1(-2.0));
        assert_eq!(copies_of(&[1.0, 3.0], 2.0, 1.0, 0).0, [2, 0], "the shift is subtracted");
    }

    #[test]
    fn the_threshold_is_the_floor_to_the_word() {
        for x in [1e-12, 1e-9, 1e-6, 0.01, 0.3, 2.0, 20.0] {
            let threshold = ((-libm::expm1(-x)) * TWO_32) as u64;
            let threshold = u32::try_from(threshold).unwrap();
            assert_eq!(copies_of(&[x], 0.0, 1.0, threshold).0, [1], "x = {x}");
            if threshold > 0 {
                assert_eq!(copies_of(&[x], 0.0, 1.0, threshold - 1).0, [0], "x = {x}");
            }
        }
        // p = 1 happens for every word
        assert_eq!(copies_of(&[1e6, -1e6], 0.0, 1.0, u32::MAX).0, [0, 2]);
        assert_eq!(copies_of(&[f64::MAX], f64::MIN, 1.0, u32::MAX).0, [0], "an overflowed rate is certain");
        assert_eq!(copies_of(&[f64::MAX], f64::MIN, 0.0, 0).0, [1], "at alpha = 0 nothing happens");
    }

    #[test]
    fn skipping_the_exponential_changes_nothing() {
        let mut rng = crate::Stream::seeded(11, 0);
        for i in 0..200_000u32 {
            let x = f64::from(i % 1000) * 1e-5 * (1.0 + f64::from(i) * 1e-5);
            // words near the threshold, where it could matter
            let near = (x * TWO_32) as u32;
            let word = near.wrapping_add(rng.next_u32() >> 20).wrapping_sub(1 << 11);
            let happens = u64::from(word) < (probability(x) * TWO_32) as u64;
            assert_eq!(copies_of(&[x], 0.0, 1.0, word).0[0] == 0, happens);
        }
    }
}
