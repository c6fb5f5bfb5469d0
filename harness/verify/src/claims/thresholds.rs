//! Words at the threshold of an event: what no random word in 2^32 shows.

use std::convert::Infallible;

use birth_death::Rewind;
use rand_core::TryRng;

use super::Context;
use super::check::Measured;
use crate::generators::BoxedGenerator;
use crate::subject::{Precision, Separable, Setup};

/// Words told beforehand; what is drawn beyond them (by population control) is the same word again and again.
#[derive(Clone, Debug)]
struct Script {
    words: std::vec::IntoIter<u32>,
}

impl Script {
    const BEYOND: u32 = 0x9e37_79b9;

    fn of(words: Vec<u32>) -> BoxedGenerator {
        BoxedGenerator(Box::new(Rewind::new(Self { words: words.into_iter() })))
    }
}

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.words.next().unwrap_or(Self::BEYOND))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let (low, high) = (self.try_next_u32()?, self.try_next_u32()?);
        Ok(u64::from(low) | (u64::from(high) << 32))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.chunks_mut(4).try_for_each(|chunk| {
            chunk.copy_from_slice(&self.try_next_u32()?.to_le_bytes()[..chunk.len()]);
            Ok(())
        })
    }
}

const DT: f64 = 0.125;
const TWO_32: f64 = 4_294_967_296.0;

/// Potentials of either sign that both precisions have, with their thresholds floor(p 2^32), p = 1 - exp(-|V| dt).
///
/// From 2^-40, whose threshold is 0, to 32. Left out is what lies so near to an integer that two exponentials could
/// differ over it: each is right to a few 2^-53, hence p 2^32 to 1e-5.
fn thresholds() -> Vec<(f64, u32)> {
    let potentials = (-40..=5).flat_map(|power| [1.0, 1.25, 1.5].map(|x| x * 2f64.powi(power)));
    let exact = potentials.map(|v| (v, -(-v * DT).exp_m1() * TWO_32));
    let clear = exact.filter(|(_, scaled)| *scaled < 1e-3 || (1e-3..0.999).contains(&scaled.fract()));
    clear.zip([1.0, -1.0].into_iter().cycle()).map(|((v, scaled), sign)| (sign * v, scaled.floor() as u32)).collect()
}

/// Events of a step from these words; none if it is refused.
fn events(context: &Context, precision: Precision, potentials: &[f64], words: Vec<u32>) -> Option<u32> {
    let setup = Setup::birth_death(potentials.len(), DT, 1.0).raw().without_transport();
    let mut trial = context.subject.scripted(&setup, precision.of(Separable(|z| z)), Script::of(words));
    trial.place(potentials);
    trial.step().ok().map(|report| report.births + report.deaths)
}

/// Events decided wrongly: each particle's word is its threshold, for which nothing happens, and then the word below
/// it, if there is one.
pub fn measure(context: &Context, precision: Precision) -> Measured {
    let cases = thresholds();
    let potentials: Vec<f64> = cases.iter().map(|(v, _)| *v).collect();
    let with_below = cases.iter().filter(|(_, threshold)| *threshold > 0).count();
    let found = |words: Vec<u32>, expected: usize| {
        let events = events(context, precision, &potentials, words);
        events.map_or(f64::NAN, |events| f64::from(events.abs_diff(expected as u32)))
    };
    let at = found(cases.iter().map(|(_, threshold)| *threshold).collect(), 0);
    // without a word below the threshold any other stands in for it: no event either
    let below =
        found(cases.iter().map(|(_, threshold)| threshold.checked_sub(1).unwrap_or(u32::MAX)).collect(), with_below);
    let what = format!("events decided wrongly for words at, or next below, floor(p 2^32){}", precision.suffix());
    Measured::exact(what, at + below, 0.0, 2 * cases.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_thresholds_of_every_size_and_both_signs() {
        let all = thresholds();
        for sign in [1.0, -1.0] {
            let of_sign = || all.iter().filter(|(v, _)| v * sign > 0.0);
            assert!(of_sign().any(|(_, threshold)| *threshold == 0));
            assert!(of_sign().any(|(_, threshold)| *threshold == 1));
            assert!(of_sign().any(|(_, threshold)| *threshold > 4_000_000_000));
            assert!(of_sign().count() > 40);
        }
        assert!(all.iter().all(|(v, _)| Precision::Single.round(*v) == *v));
    }
}
