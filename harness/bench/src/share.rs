//! How much of `verify --profile quick` is simulation.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use indicatif::ProgressBar;
use serde::Serialize;

use birth_death_stats::verdict::Verdict;
use birth_death_terminal::parallel::Pool;
use birth_death_terminal::progress;
use birth_death_verify::arguments::Profile;
use birth_death_verify::claims::{Claim, Context, Interrupted, REGISTRY, check};
use birth_death_verify::stopwatch::Stopwatch;
use birth_death_verify::subject::Subject;
use birth_death_verify::verify::DEFAULT_SEED;

/// Enough of the claims to see that it runs.
const FEW: usize = 3;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// Claims decided.
    pub claims: usize,
    /// Of these, claims that fail: what was timed then is no verification.
    pub failed: usize,
    /// Threads.
    pub threads: u64,
    /// From the first claim's begin to the last one's end.
    pub seconds: f64,
    /// Seconds of all threads together in steps, evaluations and draws of the start, and in reading the clock once for
    /// each.
    pub simulation: f64,
}

impl Share {
    /// The part of the threads' time that is something else, or nothing at all; NaN if a claim fails.
    pub fn beside(&self) -> f64 {
        if self.failed > 0 { f64::NAN } else { 1.0 - self.simulation / (self.threads as f64 * self.seconds) }
    }
}

/// Decides all claims, or a `few`, as `verify --profile quick` does.
pub fn measure(few: bool, pool: &Pool, stop: &AtomicBool) -> Result<Share, Interrupted> {
    static WATCH: Stopwatch = Stopwatch::new();
    let before = WATCH.seconds();
    let began = Instant::now();
    let claims: Vec<&Claim> = REGISTRY.into_iter().take(if few { FEW } else { REGISTRY.len() }).collect();
    let bar = progress::bar(claims.len() as u64, "claims");
    let mut failed = 0;
    for claim in &claims {
        let context = Context {
            subject: Subject { watch: Some(&WATCH), ..Subject::correct(DEFAULT_SEED) },
            profile: Profile::Quick,
            pool,
            stop,
            progress: &ProgressBar::hidden(),
            claim: claim.number(),
        };
        let (checks, _) = claim.settle(&context)?;
        failed += usize::from(check::verdict(&checks) == Verdict::Fails);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (threads, seconds) = (pool.threads(), began.elapsed().as_secs_f64());
    Ok(Share { claims: claims.len(), failed, threads, seconds, simulation: WATCH.seconds() - before })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_simulation_is_beside_it() {
        let share = Share { claims: 25, failed: 0, threads: 2, seconds: 10.0, simulation: 15.0 };
        assert_eq!(share.beside(), 0.25);
        assert!(Share { failed: 1, ..share }.beside().is_nan());
    }
}
