//! `verdicts.json`: every claim with everything that was written down before, and every check with its numbers.
//!
//! It names no time, place or number of threads: the same build, profile and seed give the same bytes.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use crate::arguments::Profile;
use crate::claims::check::{self, Check};
use crate::claims::{CLAIMS, Claim, FALSE_ALARMS, GENERATORS, Kind};
use birth_death_charts::plot::Plot;
use birth_death_output::manifest::Build;
use birth_death_output::{number, stored};
use birth_death_stats::verdict::Verdict;
use birth_death_terminal::refusal::Refusal;

/// Version of this layout; any other is refused.
pub const SCHEMA: u32 = 3;

/// A claim that was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// Its name.
    pub id: Cow<'static, str>,
    /// sharp, limit or empirical.
    pub kind: Kind,
    /// The verdict: the worst of the checks.
    pub verdict: Verdict,
    /// What should be so.
    pub statement: Cow<'static, str>,
    /// Where it comes from.
    pub source: Cow<'static, str>,
    /// On what it was measured.
    pub setting: Cow<'static, str>,
    /// What was measured.
    pub estimator: Cow<'static, str>,
    /// What it was held against.
    pub oracle: Cow<'static, str>,
    /// The tolerance and its derivation.
    pub tolerance: Cow<'static, str>,
    /// The checks, generator after generator.
    pub checks: Vec<Check>,
    /// Pictures of the first generator's run.
    pub plots: Vec<Plot>,
}

impl Decided {
    /// A claim, its checks and its pictures.
    pub fn new(claim: &Claim, checks: Vec<Check>, plots: Vec<Plot>) -> Self {
        Self {
            id: claim.id.into(),
            kind: claim.kind,
            verdict: check::verdict(&checks),
            statement: claim.statement.into(),
            source: claim.source.into(),
            setting: claim.setting.into(),
            estimator: claim.estimator.into(),
            oracle: claim.oracle.into(),
            tolerance: claim.tolerance.into(),
            checks,
            plots,
        }
    }
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdicts {
    /// Version of this layout, [`SCHEMA`].
    pub schema: u32,
    /// What was run.
    #[serde(flatten)]
    pub build: Build,
    /// quick or full.
    pub profile: Cow<'static, str>,
    /// The seed of all streams.
    pub seed: u64,
    /// Precision of the simulations.
    pub precision: Cow<'static, str>,
    /// How streams are numbered.
    pub streams: Cow<'static, str>,
    /// Bound on the probability that a correct build fails any claim.
    #[serde(with = "number")]
    pub false_alarms: f64,
    /// The number of claims over which it is split.
    #[serde(with = "number")]
    pub claims_in_budget: f64,
    /// The number of generators over which each share is split.
    #[serde(with = "number")]
    pub generators_in_budget: f64,
    /// False if the run was interrupted before the last claim.
    pub complete: bool,
    /// How many claims were to be decided.
    pub wanted: usize,
    /// What moved since a baseline; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Comparison>,
    /// The claims decided.
    pub claims: Vec<Decided>,
}

impl Verdicts {
    /// The record of a run that was to decide so many claims.
    pub fn new(profile: Profile, seed: u64, wanted: usize, claims: Vec<Decided>) -> Self {
        Self {
            schema: SCHEMA,
            build: Build::this(),
            profile: profile.name().into(),
            seed,
            precision: "f64".into(),
            streams: "number claim << 48 | part << 32 | replicate of the seed; xorshift128: \
                birth_death::Stream::seeded; pcg32: rand_pcg"
                .into(),
            false_alarms: FALSE_ALARMS,
            claims_in_budget: CLAIMS,
            generators_in_budget: GENERATORS,
            complete: claims.len() == wanted,
            wanted,
            baseline: None,
            claims,
        }
    }
}

/// Reads a file that `verify` wrote.
///
/// # Errors
/// A refusal that names the file: it cannot be read, is of another version of the layout, or is damaged.
pub fn read(file: &Path) -> Result<Verdicts, Refusal> {
    stored::read_printable(file, SCHEMA, "a verdicts.json that verify wrote")
}
