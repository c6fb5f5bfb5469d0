//! How much of `verify --profile quick` is simulation.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use indicatif::ProgressBar;
use serde::Serialize;

use super::VALID;
use crate::claims::{Claim, Context, Interrupted, Profile, REGISTRY};
use crate::stopwatch::Stopwatch;
use crate::subject::Subject;
use crate::verify::DEFAULT_SEED;
use crate::{parallel, progress};

/// Enough of the claims to see that it runs.
const FEW: usize = 3;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// Claims decided.
    pub claims: usize,
    /// Threads.
    pub threads: usize,
    /// From the first claim's begin to the last one's end.
    pub seconds: f64,
    /// Seconds of all threads together in steps, evaluations and draws of the start, a clock's reading at each end of them included.
    pub simulation: f64,
}

impl Share {
    /// The part of the threads' time that is something else, or nothing at all.
    pub fn beside(&self) -> f64 {
        1.0 - self.simulation / (self.threads as f64 * self.seconds)
    }
}

/// Decides all claims, or a `few`, as `verify --profile quick` does, on all cores.
pub fn measure(few: bool, stop: &AtomicBool) -> Result<Share, Interrupted> {
    static WATCH: Stopwatch = Stopwatch::new();
    let pool = parallel::pool(None).expect(VALID);
    let before = WATCH.seconds();
    let began = Instant::now();
    let claims: Vec<&Claim> = REGISTRY.into_iter().take(if few { FEW } else { REGISTRY.len() }).collect();
    let bar = progress::bar(claims.len() as u64, "claims");
    for claim in &claims {
        let context = Context {
            subject: Subject { watch: Some(&WATCH), ..Subject::correct(DEFAULT_SEED) },
            profile: Profile::Quick,
            pool: &pool,
            stop,
            progress: &ProgressBar::hidden(),
            claim: claim.number(),
        };
        claim.settle(&context)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (threads, seconds) = (pool.current_num_threads(), began.elapsed().as_secs_f64());
    Ok(Share { claims: claims.len(), threads, seconds, simulation: WATCH.seconds() - before })
}
