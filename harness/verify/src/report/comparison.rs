//! What a comparison with a stored run says, as `verdicts.json` has it under `baseline`.

// The workspace forbids std's transcendentals for the core's sake; here nothing has to be portable to the bit.
#![allow(clippy::disallowed_methods)]

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::generators::Source;
use birth_death_output::number;
use birth_death_stats::verdict::Verdict;

/// A comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The commit that the baseline was made with.
    pub commit: Cow<'static, str>,
    /// Its seed.
    pub seed: u64,
    /// The probability with which an unchanged build is accused at most.
    #[serde(with = "number")]
    pub accused: f64,
    /// Claim after claim, in today's order.
    pub claims: Vec<Compared>,
}

/// A claim that was compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Its name.
    pub claim: Cow<'static, str>,
    /// Whether any of its checks moved.
    pub moved: bool,
    /// The smallest p-value of its tests, for their number and that of the claims (Holm); 1 without tests.
    #[serde(with = "number")]
    pub p: f64,
    /// The level of each of its tests.
    #[serde(with = "number")]
    pub level: f64,
    /// Its checks, in today's order.
    pub changes: Vec<Change>,
    /// Checks that were measured with both generators: their differences together.
    pub together: Vec<Together>,
}

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Equal to the bit.
    Same,
    /// The bits differ, the estimate is not distinguishable from what it was.
    Changed,
    /// The difference is beyond joint uncertainty, or cannot be chance otherwise; or the check fails now and did not.
    Moved,
    /// The bits differ, and at least one run has no interval to compare by.
    Unknown,
}

/// One check, then and now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What was measured, with its unit.
    pub what: String,
    /// The generator behind it.
    pub generator: Source,
    /// What became of it.
    pub state: State,
    /// The baseline's value.
    pub then: Value,
    /// Today's value.
    pub now: Value,
    /// The difference and its test; none of an exact check, and of one without an interval.
    pub difference: Option<Difference>,
}

/// What one run says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// The verdict of the check.
    pub verdict: Verdict,
    /// The value found.
    #[serde(with = "number")]
    pub estimate: f64,
    /// Its standard error (of an empirical check: of its logarithm); 0 of an exact one.
    #[serde(with = "number")]
    pub standard_error: f64,
}

/// A difference in units of its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Now less then, over the standard error (of an empirical check: of logarithms).
    #[serde(with = "number")]
    pub errors: f64,
    /// Two-sided p-value.
    #[serde(with = "number")]
    pub p: f64,
    /// The shift that is found with probability 0.99, likewise in standard errors.
    #[serde(with = "number")]
    pub detectable: f64,
    /// Whether it is one of logarithms.
    pub logarithmic: bool,
    /// The standard error of the difference.
    #[serde(with = "number")]
    pub standard_error: f64,
    /// Its degrees of freedom; none: it is known.
    pub dof: Option<f64>,
}

/// Two generators' differences of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Together {
    /// What was measured.
    pub what: String,
    /// Whether it is beyond the level.
    pub moved: bool,
    /// The combined difference, in standard errors.
    #[serde(with = "number")]
    pub errors: f64,
    /// Two-sided p-value.
    #[serde(with = "number")]
    pub p: f64,
    /// The shift of both that is found with probability 0.99, in standard errors of each.
    #[serde(with = "number")]
    pub detectable: f64,
}

impl Change {
    /// Whether it fails now, and did not.
    pub fn broken(&self) -> bool {
        self.now.verdict == Verdict::Fails && self.then.verdict != Verdict::Fails
    }

    /// Whether it failed, and does not now.
    pub fn mended(&self) -> bool {
        self.then.verdict == Verdict::Fails && self.now.verdict != Verdict::Fails
    }

    /// Whether it failed, and still does.
    pub fn still_fails(&self) -> bool {
        self.then.verdict == Verdict::Fails && self.now.verdict == Verdict::Fails
    }
}

impl Comparison {
    /// Every check.
    pub fn changes(&self) -> impl Iterator<Item = (&Compared, &Change)> {
        self.claims.iter().flat_map(|claim| claim.changes.iter().map(move |change| (claim, change)))
    }

    /// The claim of this name.
    pub fn of(&self, id: &str) -> Option<&Compared> {
        self.claims.iter().find(|claim| claim.claim == id)
    }

    /// How many checks are in this state.
    pub fn count(&self, state: State) -> usize {
        self.changes().filter(|(_, change)| change.state == state).count()
    }

    /// Whether anything moved.
    pub fn moved(&self) -> bool {
        self.claims.iter().any(|claim| claim.moved)
    }

    /// The smallest and the largest shift, in standard errors, that is found with probability 0.99: of one estimate,
    /// and of both generators'.
    pub fn detectable(&self) -> [Option<(f64, f64)>; 2] {
        let one = self.changes().filter_map(|(_, change)| change.difference).map(|found| found.detectable);
        let both = self.claims.iter().flat_map(|claim| &claim.together).map(|found| found.detectable);
        [ends(one), ends(both)]
    }
}

fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, x| Some(ends.map_or((x, x), |(low, high): (f64, f64)| (low.min(x), high.max(x)))))
}
