//! The chain of hashes over a run's states.

use crate::bytes_of;
use birth_death::{Real, Rows};
use sha2::{Digest as _, Sha256};

/// A link of the chain, and how many bytes have gone into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// SHA-256.
    pub hash: [u8; 32],
    /// Bytes of all states so far.
    pub bytes: u64,
}

/// What is hashed of a state beside the particles.
pub(crate) struct State<R> {
    pub steps: u64,
    pub energy: R,
    pub events: u64,
    pub words: [u32; 4],
}

impl Digest {
    pub(crate) fn next<R: Real>(&self, state: &State<R>, at: Rows<'_, R>) -> Self {
        let mut hasher = Hasher { sha: Sha256::new_with_prefix(self.hash), bytes: self.bytes };
        for number in [at.len(), at.dim()] {
            hasher.put(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        }
        hasher.put(&state.steps.to_le_bytes());
        hasher.real(state.energy);
        hasher.put(&state.events.to_le_bytes());
        state.words.iter().for_each(|word| hasher.put(&word.to_le_bytes()));
        at.iter().flatten().for_each(|&x| hasher.real(x));
        Self { hash: hasher.sha.finalize().into(), bytes: hasher.bytes }
    }
}

struct Hasher {
    sha: Sha256,
    bytes: u64,
}

impl Hasher {
    fn put(&mut self, bytes: &[u8]) {
        self.sha.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
    }

    fn real<R: Real>(&mut self, x: R) {
        // x + 0 is x, but for -0
        let bytes = (x + R::ZERO).bits().to_le_bytes();
        self.put(bytes.get(..bytes_of::<R>()).unwrap_or(&[]));
    }
}

/// The hash in lower-case hexadecimal digits.
pub fn hex(hash: &[u8; 32]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'?'; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(hash) {
        let digits = [byte >> 4, byte & 15].map(|digit| DIGITS.get(usize::from(digit)).copied().unwrap_or(b'?'));
        pair.copy_from_slice(&digits);
    }
    text
}
