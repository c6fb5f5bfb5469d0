//! What is verified: one file a claim, one line in [`REGISTRY`].
//!
//! A claim states what should be so, measures it on the [`Subject`], and hands back checks, each
//! with an exact, sharp or limit null hypothesis; [`check`] turns them into verdicts.

// The workspace forbids std's transcendentals for the core's sake; the harness is meant not to share the core's.
#![allow(clippy::disallowed_methods)]

pub mod check;
pub mod problem;

mod acceleration_gaussian;
mod acceleration_relu;
mod conservation;
pub mod curve;
mod dissipation;
mod drift;
mod escape;
mod event_counts;
mod exactness;
mod fisher_rao_bound;
mod fixed_point;
mod fluctuation_order;
mod follow;
mod fresh_draws;
mod gaussian_law;
mod gradient;
mod independence;
mod interaction_bias;
mod invariants;
mod martingale;
mod mean_field;
mod mean_field_reinjection;
mod noise_off;
mod population_loss;
mod rate_pure;
mod rate_transport;
mod relu;
mod step_order;
mod support;
mod thresholds;
mod uniform_control;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use crate::generators::Source;
use crate::subject::{AnyEnergy, BoxedEnergy, Setup, Subject, Trial};
use birth_death_charts::plot::Plot;
use birth_death_terminal::parallel::{self, Pool};
use birth_death_terminal::refusal::{Refusal, known};
use check::{Check, Evidence};

use crate::arguments::Profile;

/// False alarms of one verification of a correct build: at most this probability, over fresh seeds.
pub const FALSE_ALARMS: f64 = 1e-6;
/// The claims of the full table, over which the budget is split equally (Bonferroni, which is stricter than Holm's
/// procedure): the share of a claim does not depend on which of them are run. About 5.5 standard errors for one check.
/// There are 25: `acceleration-relu` is empirical, cannot raise a false alarm, and has left its share to
/// `population-loss`.
pub const CLAIMS: f64 = 24.0;
/// The generators with each of which a claim may be run, and over which its share is split too.
pub const GENERATORS: f64 = Source::ALL.len() as f64;
/// The share of one claim with one generator, which its checks split equally.
pub const CLAIM_LEVEL: f64 = FALSE_ALARMS / (CLAIMS * GENERATORS);

/// What kind of statement a claim is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An exact null hypothesis.
    Sharp,
    /// An interval around a limit.
    Limit,
    /// A comparison of dynamics: supported or refuted, and no failure of the build either way.
    Empirical,
}

/// A claim: everything that is written down before it is run.
#[derive(Debug)]
pub struct Claim {
    /// Its name on the command line.
    pub id: &'static str,
    /// How it is decided; a sharp one is run with every generator in every profile, the others in the full one.
    pub kind: Kind,
    /// What should be so.
    pub statement: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// On what it is measured.
    pub setting: &'static str,
    /// What is measured.
    pub estimator: &'static str,
    /// What it is held against.
    pub oracle: &'static str,
    /// The null hypothesis or tolerance, and its derivation.
    pub tolerance: &'static str,
    /// The measurement.
    pub measure: fn(&Context) -> Result<Evidence, Interrupted>,
}

/// Every claim there is, in the order of the report.
pub static REGISTRY: [&Claim; 25] = [
    &conservation::CLAIM,
    &gradient::CLAIM,
    &population_loss::CLAIM,
    &event_counts::CLAIM,
    &uniform_control::CLAIM,
    &independence::CLAIM,
    &drift::CLAIM,
    &martingale::CLAIM,
    &dissipation::CLAIM,
    &gaussian_law::CLAIM,
    &rate_transport::CLAIM,
    &rate_pure::CLAIM,
    &step_order::CLAIM,
    &fluctuation_order::CLAIM,
    &interaction_bias::CLAIM,
    &mean_field::CLAIM,
    &mean_field_reinjection::CLAIM,
    &fisher_rao_bound::CLAIM,
    &escape::CLAIM,
    &support::CLAIM,
    &fixed_point::CLAIM,
    &noise_off::CLAIM,
    &acceleration_gaussian::CLAIM,
    &acceleration_relu::CLAIM,
    &exactness::CLAIM,
];

/// The run was stopped by Ctrl-C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// What a measurement has at hand.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The crate, or the crate with a defect.
    pub subject: Subject,
    /// How much to measure.
    pub profile: Profile,
    /// Where replicates run.
    pub pool: &'a Pool,
    /// Set when the run is to stop.
    pub stop: &'a AtomicBool,
    /// Ticks once a replicate; it learns the total as measurements announce themselves.
    pub progress: &'a ProgressBar,
    /// The number of the claim being measured: its streams are its own.
    pub claim: u64,
}

/// The stream of a replicate of a measurement of claim number `claim`.
const fn stream(claim: u64, part: u64, replicate: u64) -> u64 {
    (claim << 48) | (part << 32) | replicate
}

/// The number of what has streams of its own, from its name: FNV-1a, folded to 16 bits.
pub fn number(id: &str) -> u64 {
    let fold = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = id.bytes().fold(0x811c_9dc5, fold);
    u64::from((hash >> 16) ^ (hash & 0xffff))
}

impl Context<'_> {
    /// `quick` replicates, or as many times more as the profile says.
    pub fn replicates(&self, quick: u64) -> u64 {
        match self.profile {
            Profile::Quick => quick,
            Profile::Full => 10 * quick,
        }
    }

    /// A simulation on stream `replicate` of measurement number `part` of this claim.
    pub fn trial(&self, setup: &Setup, energy: BoxedEnergy, part: u64, replicate: u64) -> Trial {
        self.subject.trial(setup, energy, self.stream(part, replicate))
    }

    /// The same in the precision of the energy.
    pub fn trial_of(&self, setup: &Setup, energy: AnyEnergy, part: u64, replicate: u64) -> Trial {
        self.subject.trial_of(setup, energy, self.stream(part, replicate))
    }

    /// The stream of a replicate: claim, measurement and replicate have bits of their own.
    pub fn stream(&self, part: u64, replicate: u64) -> u64 {
        stream(self.claim, part, replicate)
    }

    /// `task(0), ..., task(count - 1)` on the pool, in this order whatever the number of threads.
    ///
    /// # Errors
    /// [`Interrupted`] if the run was stopped meanwhile.
    pub fn map<T: Send>(&self, count: u64, task: impl Fn(u64) -> T + Sync) -> Result<Vec<T>, Interrupted> {
        self.progress.inc_length(count);
        self.unless_stopped(count, |replicate| {
            let result = task(replicate);
            self.progress.inc(1);
            result
        })
    }

    fn unless_stopped<T: Send>(&self, count: u64, task: impl Fn(u64) -> T + Sync) -> Result<Vec<T>, Interrupted> {
        let task = |index| if self.stop.load(Ordering::Relaxed) { None } else { Some(task(index)) };
        parallel::map_in_order(self.pool, count, task).into_iter().collect::<Option<_>>().ok_or(Interrupted)
    }

    /// [`Self::map`], and an oracle that is worked out by one thread beside it.
    ///
    /// # Errors
    /// [`Interrupted`] if the run was stopped meanwhile.
    pub fn map_beside<O: Send + Sync, T: Send>(
        &self,
        oracle: impl Fn() -> O + Sync,
        count: u64,
        task: impl Fn(u64) -> T + Sync,
    ) -> Result<(O, Vec<T>), Interrupted> {
        self.progress.inc_length(count);
        let expected = OnceLock::new();
        let found = self.unless_stopped(count + 1, |index| {
            // the longest, so the first to be begun
            let Some(replicate) = index.checked_sub(1) else {
                expected.get_or_init(&oracle);
                return None;
            };
            let result = task(replicate);
            self.progress.inc(1);
            Some(result)
        })?;
        Ok((expected.into_inner().ok_or(Interrupted)?, found.into_iter().flatten().collect()))
    }
}

/// The claims asked for, in the order of the registry; all if none is.
pub(crate) fn selected(ids: &[String]) -> Result<Vec<&'static Claim>, Refusal> {
    let names: Vec<&str> = REGISTRY.iter().map(|claim| claim.id).collect();
    known("--claim", "claim", ids, &names)?;
    let wanted = |claim: &Claim| ids.is_empty() || ids.iter().any(|id| id == claim.id);
    Ok(REGISTRY.into_iter().filter(|claim| wanted(claim)).collect())
}

impl Claim {
    /// The claim of this name.
    pub fn named(id: &str) -> Option<&'static Claim> {
        REGISTRY.into_iter().find(|claim| claim.id == id)
    }

    /// The number of its streams, from its name: a claim more or less changes no other one's.
    pub fn number(&self) -> u64 {
        number(self.id)
    }

    /// Measures and decides, with the subject's generator.
    ///
    /// # Errors
    /// [`Interrupted`] if the run was stopped meanwhile.
    pub fn decide(&self, context: &Context) -> Result<(Vec<Check>, Vec<Plot>), Interrupted> {
        let Evidence { measured, plots } = (self.measure)(&Context { claim: self.number(), ..*context })?;
        let level = CLAIM_LEVEL / measured.len() as f64;
        let generator = context.subject.generator;
        let checks = measured.into_iter().map(|measured| Check::decide(measured, level, generator)).collect();
        Ok((checks, plots))
    }

    /// Measures and decides with every generator that the profile asks for. The pictures are the first one's.
    ///
    /// # Errors
    /// [`Interrupted`] if the run was stopped meanwhile.
    pub fn decide_with_all_generators(&self, context: &Context) -> Result<(Vec<Check>, Vec<Plot>), Interrupted> {
        let mut all: Option<(Vec<Check>, Vec<Plot>)> = None;
        for (generator, profile) in self.runs(context.profile) {
            let subject = Subject { generator, ..context.subject };
            let (checks, plots) = self.decide(&Context { subject, profile, ..*context })?;
            match &mut all {
                None => all = Some((checks, plots)),
                Some((earlier, _)) => earlier.extend(checks),
            }
        }
        Ok(all.unwrap_or_default())
    }

    /// The generators and profiles to run it with: the crate's own as asked; the other, at the quick number of
    /// replicates, for sharp claims always and for all claims in the full profile.
    fn runs(&self, profile: Profile) -> Vec<(Source, Profile)> {
        let mut runs = vec![(Source::Xorshift128, profile)];
        if self.kind == Kind::Sharp || profile == Profile::Full {
            runs.push((Source::Pcg32, Profile::Quick));
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::ProgressDrawTarget;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn names_are_unique_and_everything_is_written_down() {
        for (i, claim) in REGISTRY.iter().enumerate() {
            assert!(REGISTRY[..i].iter().all(|other| other.id != claim.id && other.number() != claim.number()));
            for text in [claim.statement, claim.source, claim.setting, claim.estimator, claim.oracle, claim.tolerance] {
                assert!(text.len() > 10, "{}", claim.id);
            }
            assert!(Claim::named(claim.id).is_some());
        }
        assert!(Claim::named("no-such-claim").is_none());
    }

    #[test]
    fn an_oracle_beside_replicates_is_asked_once_and_is_none_of_them() {
        for (threads, count) in [(1, 5), (2, 5), (4, 0)] {
            let pool = parallel::pool(Some(threads));
            let progress = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
            let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
            let context = Context {
                subject: Subject::correct(1),
                profile: Profile::Quick,
                pool: &pool,
                stop: &stop,
                progress: &progress,
                claim: 0,
            };
            let oracle = || asked.fetch_add(1, Ordering::Relaxed);
            let found = context.map_beside(oracle, count, |replicate| 10 * replicate);
            assert_eq!(found, Ok((0, (0..count).map(|replicate| 10 * replicate).collect())));
            assert_eq!(
                (asked.load(Ordering::Relaxed), progress.length(), progress.position()),
                (1, Some(count), count)
            );
            stop.store(true, Ordering::Relaxed);
            assert_eq!(context.map_beside(oracle, count, |replicate| replicate), Err(Interrupted));
            assert_eq!(asked.load(Ordering::Relaxed), 1, "nothing is begun any more");
            if threads == 2 {
                // both are at work at the same time, or this never ends
                stop.store(false, Ordering::Relaxed);
                let meeting = Barrier::new(2);
                let met = context.map_beside(|| meeting.wait().is_leader(), 1, |_| meeting.wait().is_leader());
                assert!(met.is_ok_and(|(oracle, replicates)| replicates == [!oracle]));
            }
        }
    }
}
