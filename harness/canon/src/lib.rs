//! The canonical runs and their digests: one body for the host, for an operating system under emulation, and for bare
//! metal.
//!
//! A run is a [`Id`]: a model, a scheme and a precision. Its state is hashed at every checkpoint: before the first step
//! and every [`EVERY`] steps, so a slow machine can do the first few of them and still be compared.
//!
//! # Digest
//! `digest_k = SHA-256(digest_(k-1), bytes_k)`, the first after 32 zeros. `bytes_k` are, little-endian and in this
//! order, `b` being 4 for `f32` and 8 for `f64`:
//!
//! ```text
//! 4       particles n
//! 4       components D
//! 8       steps done
//! b       energy of the last step, that of the ensemble before it (0 before the first)
//! 8       births and deaths so far, as one number; what control adds or removes does not count
//! 4 4     the generator's next four words, which are not consumed
//! b D n   particles: component 0 of all, then component 1, ...
//! ```
//!
//! The number of bytes beside a hash counts these, of all states so far, without the hashes between them. A negative
//! zero counts as zero; nothing else is not finite, for that is an error of the step.
//!
//! # Runs
//! Each model of `models.rs`, numbered there, in five schemes: 0 gradient flow; 1 birth-death, centred; 2 the same with
//! raw rates; 3 pure birth-death, centred, without transport; 4 reinjection, raw. A whole run has 300 steps, hence 7
//! checkpoints.
//!
//! All draw from one stream, `Stream::seeded(1902, number)`, [`Id::number`]: first the start, particle by particle,
//! every component a `Marginal::Uniform` from -3/2 to 3/2; then the steps. The prior of reinjection is normal with mean
//! 0 and sd 1/2.

#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod digest;
mod models;
mod run;

pub use digest::{Digest, hex};
pub use run::{Id, Line, Precision, Stop};

use birth_death::Real;
use core::fmt;

/// Seed of all runs.
pub const SEED: u64 = 1902;
/// Steps between checkpoints.
pub const EVERY: u64 = 50;
/// Checkpoints of a whole run after that of the start.
pub const CHECKPOINTS: u64 = 6;

/// Does the runs that `wanted` says, with so many checkpoints after that of the start, and gives every checkpoint to
/// `sink`.
///
/// # Errors
/// [`Stop`]: the run that failed and the core's error.
pub fn all(checkpoints: u64, wanted: &dyn Fn(Id) -> bool, sink: &mut dyn FnMut(&Line)) -> Result<(), Stop> {
    let mut runner = run::Runner { checkpoints, wanted, sink };
    if cfg!(feature = "f32") {
        models::all::<f32>(&mut runner)?;
    }
    if cfg!(feature = "f64") {
        models::all::<f64>(&mut runner)?;
    }
    Ok(())
}

/// What an image prints: whether its arithmetic is IEEE's, every checkpoint's [`Line`], and `end`; or `stop` and the
/// run that failed. Whether all went well.
///
/// # Errors
/// The writer's.
pub fn report(out: &mut dyn fmt::Write, checkpoints: u64, wanted: &dyn Fn(Id) -> bool) -> Result<bool, fmt::Error> {
    writeln!(out, "ieee {}", environment_is_ieee())?;
    let mut written = Ok(());
    let done = all(checkpoints, wanted, &mut |line| {
        if written.is_ok() {
            written = writeln!(out, "{line}");
        }
    });
    written?;
    match done {
        Ok(()) => writeln!(out, "end")?,
        Err(stop) => writeln!(out, "stop {stop}")?,
    }
    Ok(done.is_ok())
}

/// Whether the floating-point environment is the contract's: it rounds to nearest, ties to even, and keeps subnormals.
pub fn environment_is_ieee() -> bool {
    use core::hint::black_box as hidden;
    let tiny = hidden(f32::MIN_POSITIVE) * hidden(0.5);
    let tinier = hidden(f64::MIN_POSITIVE) * hidden(0.5);
    let subnormals = tiny > 0.0 && tiny + tiny == f32::MIN_POSITIVE && tinier > 0.0;
    // half an epsilon over 1 is a tie and goes down to even, half an epsilon over 1 + eps goes up
    let (one, eps) = (hidden(1.0), f64::EPSILON);
    let ties = one + 0.5 * eps == 1.0 && (one + eps) + 0.5 * eps == 1.0 + 2.0 * eps;
    // and less than a tie goes neither up nor down
    let nearest = one + 0.25 * eps == 1.0 && -one - 0.25 * eps == -1.0;
    subnormals && ties && nearest
}

/// `b` of the format.
pub(crate) const fn bytes_of<R: Real>() -> usize {
    size_of::<R>()
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;
    use std::vec::Vec;

    #[test]
    fn runs_have_names_and_numbers_of_their_own_and_events() {
        let mut lines = Vec::new();
        all(CHECKPOINTS, &|_| true, &mut |line| lines.push(*line)).map_err(|stop| stop.to_string()).unwrap();
        assert_eq!(lines.len() as u64, 12 * 5 * 2 * (CHECKPOINTS + 1));
        let mut names: Vec<_> = lines.iter().map(|line| (line.id.number(), line.id.to_string())).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 120);
        names.dedup_by_key(|name| name.0);
        assert_eq!(names.len(), 120, "no two share a stream");
        for line in lines.iter().filter(|line| line.step == CHECKPOINTS * EVERY) {
            // eleven or more: a run whose events are few says little of them
            assert_eq!(line.events > 10, line.id.scheme.0 != 0, "{line}: {} events", line.events);
        }
        let mut hashes: Vec<_> = lines.iter().map(|line| line.digest.hash).collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), lines.len(), "every state is another one");
        // fewer checkpoints are the same chain, cut
        let mut few = Vec::new();
        all(2, &|id| id.number() % 7 == 0, &mut |line| few.push(*line)).map_err(|stop| stop.to_string()).unwrap();
        assert!(few.iter().all(|line| lines.contains(line)) && few.len() % 3 == 0);
    }

    #[test]
    fn this_machine_rounds_as_the_contract_says() {
        assert!(environment_is_ieee());
    }
}
