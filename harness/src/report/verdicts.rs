//! `verdicts.json`: every claim with everything that was written down before, and every check with its numbers.

use serde::Serialize;

use crate::claims::check::{self, Check};
use crate::claims::{CLAIMS, Claim, FALSE_ALARMS, Profile};
use crate::output::manifest::Build;
use crate::stats::verdict::Verdict;

/// A claim that was decided.
#[derive(Clone, Debug, Serialize)]
pub struct Decided {
    /// Its name.
    pub id: &'static str,
    /// The verdict: the worst of the checks.
    pub verdict: Verdict,
    /// What should be so.
    pub statement: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// On what it was measured.
    pub setting: &'static str,
    /// What was measured.
    pub estimator: &'static str,
    /// What it was held against.
    pub oracle: &'static str,
    /// The tolerance and its derivation.
    pub tolerance: &'static str,
    /// The checks.
    pub checks: Vec<Check>,
}

impl Decided {
    /// A claim and its checks.
    pub fn new(claim: &Claim, checks: Vec<Check>) -> Self {
        Self {
            id: claim.id,
            verdict: check::verdict(&checks),
            statement: claim.statement,
            source: claim.source,
            setting: claim.setting,
            estimator: claim.estimator,
            oracle: claim.oracle,
            tolerance: claim.tolerance,
            checks,
        }
    }
}

/// The whole file. It names no time, place or number of threads: the same build, profile and seed give the same bytes.
#[derive(Clone, Debug, Serialize)]
pub struct Verdicts {
    /// Version of this layout.
    pub schema: u32,
    /// What was run.
    #[serde(flatten)]
    pub build: Build,
    /// quick or full.
    pub profile: &'static str,
    /// The seed of all streams.
    pub seed: u64,
    /// Precision of the simulations.
    pub precision: &'static str,
    /// Generator of the simulations.
    pub generator: &'static str,
    /// Bound on the probability that a correct build fails any claim.
    pub false_alarms: f64,
    /// The number of claims over which it is split.
    pub claims_in_budget: f64,
    /// False if the run was interrupted before the last claim.
    pub complete: bool,
    /// The claims decided.
    pub claims: Vec<Decided>,
}

impl Verdicts {
    /// The record of a run.
    pub fn new(profile: Profile, seed: u64, complete: bool, claims: Vec<Decided>) -> Self {
        Self {
            schema: 1,
            build: Build::this(),
            profile: match profile {
                Profile::Quick => "quick",
                Profile::Full => "full",
            },
            seed,
            precision: "f64",
            generator: "xorshift128 (rand_xorshift), birth_death::Stream::seeded(seed, claim << 48 | part << 32 | replicate)",
            false_alarms: FALSE_ALARMS,
            claims_in_budget: CLAIMS,
            complete,
            claims,
        }
    }
}
