//! Generators whose state can be written down and read back.

use crate::{Error, Fault, Stream};
use rand_core::Rng;

/// A generator that a [`checkpoint`](crate::checkpoint) can save: its state is [`WORDS`](Snapshot::WORDS) words.
///
/// ```
/// use birth_death::{Snapshot, Stream};
/// use rand_core::Rng;
/// let mut rng = Stream::seeded(1, 0);
/// let mut words = [0; Stream::WORDS];
/// rng.save(&mut words);
/// let mut again = Stream::restore(&words)?;
/// assert_eq!(rng.next_u64(), again.next_u64());
/// # Ok::<(), birth_death::Error>(())
/// ```
pub trait Snapshot: Sized {
    /// Words of the state.
    const WORDS: usize;

    /// Writes the state into the first [`WORDS`](Snapshot::WORDS) of `words`; what does not fit is left out.
    fn save(&self, words: &mut [u32]);

    /// The generator in the state of `words`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] with [`Fault::Generator`] for words that are no state of it.
    fn restore(words: &[u32]) -> Result<Self, Error>;
}

/// Saved are the next four words, which are xorshift128's state four steps on: the generator hides its own. Not all of
/// them are zero.
impl Snapshot for Stream {
    const WORDS: usize = 4;

    fn save(&self, words: &mut [u32]) {
        let mut ahead = self.clone();
        words.iter_mut().take(Self::WORDS).for_each(|word| *word = ahead.next_u32());
    }

    fn restore(words: &[u32]) -> Result<Self, Error> {
        let Some(&next) = words.first_chunk::<4>().filter(|next| **next != [0; 4]) else {
            return Err(Error::Checkpoint(Fault::Generator));
        };
        let state = back(back(back(back(next))));
        let mut seed = [0; 16];
        let bytes = state.into_iter().flat_map(u32::to_le_bytes);
        seed.iter_mut().zip(bytes).for_each(|(byte, of_word)| *byte = of_word);
        Ok(Stream::of_bytes(seed))
    }
}

/// The state before a step of xorshift128 (Marsaglia 2003), which makes `(x, y, z, w)` of it
/// `(y, z, w, w ^ (w >> 19) ^ t ^ (t >> 8))` with `t = x ^ (x << 11)`.
fn back([y, z, w, new]: [u32; 4]) -> [u32; 4] {
    // both shifts are undone by doubling them until they leave the word
    let t = new ^ w ^ (w >> 19);
    let t = t ^ (t >> 8);
    let t = t ^ (t >> 16);
    let x = t ^ (t << 11);
    let x = x ^ (x << 22);
    [x, y, z, w]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restored_stream_goes_on_where_it_was() {
        for seed in 0..200 {
            let mut rng = Stream::seeded(seed, 7);
            for _ in 0..seed {
                rng.next_u32();
            }
            let mut words = [0; 6];
            rng.save(&mut words);
            assert_eq!(words[4..], [0, 0], "only four are written");
            let restored = Stream::restore(&words).unwrap();
            assert_eq!(restored, rng);
            let mut ahead = rng.clone();
            assert!(words[..4].iter().all(|&word| word == ahead.next_u32()), "the next four");
        }
    }

    #[test]
    fn no_state_of_the_generator_is_refused() {
        for words in [&[0; 4][..], &[1, 2, 3], &[]] {
            assert_eq!(Stream::restore(words), Err(Error::Checkpoint(Fault::Generator)));
        }
        assert!(Stream::restore(&[0, 0, 0, 1]).is_ok());
    }
}
