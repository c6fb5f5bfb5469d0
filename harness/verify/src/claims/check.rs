//! Checks and verdicts: what was measured, against what, and what follows.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::generators::Source;
use birth_death_charts::plot::Plot;
use birth_death_output::number;
use birth_death_stats::difference::StandardError;
use birth_death_stats::interval::Sample;
use birth_death_stats::power::{POWER, detectable_limit};
use birth_death_stats::verdict::{self, Verdict};

/// The level of an empirical check's interval. It is no part of the budget of false alarms, for no such check fails the
/// build.
pub const EMPIRICAL_LEVEL: f64 = 1e-3;

/// A null hypothesis and the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Null {
    /// No randomness in the verdict: the deviation may not exceed the tolerance.
    Exact,
    /// A p-value under the null; `tolerance` is the largest effect that the test may be blind to.
    Sharp {
        /// Two-sided.
        #[serde(with = "number")]
        p: f64,
        /// The smallest effect found with power 0.99, in the estimate's units.
        #[serde(with = "number")]
        detectable: f64,
        /// Standard error of the estimate.
        #[serde(with = "number")]
        standard_error: f64,
        /// Its degrees of freedom; none: it is known.
        dof: Option<f64>,
    },
    /// The expectation of the estimate lies within `tolerance` of the reference.
    Limit {
        /// Standard error over replicates.
        #[serde(with = "number")]
        standard_error: f64,
        /// Degrees of freedom of the standard error.
        #[serde(with = "number")]
        dof: f64,
    },
    /// The expectation of the estimate is above the reference: so says the paper. An interval at level
    /// [`EMPIRICAL_LEVEL`].
    Empirical {
        /// Its lower end.
        #[serde(with = "number")]
        low: f64,
        /// Its upper end.
        #[serde(with = "number")]
        high: f64,
    },
}

impl Null {
    /// What follows from the numbers at this level.
    pub fn verdict(&self, estimate: f64, reference: f64, tolerance: f64, level: f64) -> Verdict {
        match *self {
            // written so that NaN fails
            Self::Exact if (estimate - reference).abs() <= tolerance => Verdict::Holds,
            Self::Exact => Verdict::Fails,
            Self::Sharp { p, detectable, .. } => verdict::sharp(p, level, detectable, tolerance),
            Self::Limit { standard_error, dof } => {
                verdict::limit(estimate, standard_error, dof, reference, tolerance, level)
            }
            Self::Empirical { low, high } => verdict::empirical(low, high, reference),
        }
    }
}

/// What a measurement hands back.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What was measured, with its unit.
    pub what: String,
    /// The value found.
    pub estimate: f64,
    /// The value that should be.
    pub reference: f64,
    /// How far they may differ; of a sharp check, the effect that it must be able to see; of an empirical one, nothing.
    pub tolerance: f64,
    /// Independent observations behind it.
    pub replicates: u64,
    /// How it is decided.
    pub null: Null,
    /// Whether an oracle is held against another one: it says nothing of the crate.
    pub of_oracles: bool,
}

/// A sharp test: what it found, and how well it would have seen something else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// Two-sided p-value.
    pub p: f64,
    /// The smallest effect found with power 0.99, in the estimate's units.
    pub detectable: f64,
    /// The largest effect that the test may be blind to, likewise.
    pub budget: f64,
    /// Of the estimate, so that two runs can be compared. If that is the largest of several deviations, or the root
    /// of a sum of their squares, the standard error of one of them: such a function of normal variables changes by
    /// no more than they do, so its differences between runs have tails no heavier than this error says (Gaussian
    /// isoperimetry).
    pub error: StandardError,
}

impl Measured {
    fn new(
        what: impl Into<String>,
        (estimate, reference, tolerance): (f64, f64, f64),
        replicates: u64,
        null: Null,
    ) -> Self {
        Self { what: what.into(), estimate, reference, tolerance, replicates, null, of_oracles: false }
    }

    /// The same, marked as a comparison of oracles.
    pub fn of_oracles(self) -> Self {
        Self { of_oracles: true, ..self }
    }

    /// A deviation that must not exceed `tolerance`, found over `examined` cases.
    pub fn exact(what: impl Into<String>, deviation: f64, tolerance: f64, examined: u64) -> Self {
        Self::new(what, (deviation, 0.0, tolerance), examined, Null::Exact)
    }

    /// A sharp test of `reference`, on so many observations.
    pub fn sharp(what: impl Into<String>, estimate: f64, reference: f64, test: Test, replicates: u64) -> Self {
        let Test { p, detectable, budget, error: StandardError { value, dof } } = test;
        let null = Null::Sharp { p, detectable, standard_error: value, dof };
        Self::new(what, (estimate, reference, budget), replicates, null)
    }

    /// The mean of `values`, one a replicate, within `tolerance` of `reference`.
    pub fn mean(what: impl Into<String>, values: &[f64], reference: f64, tolerance: f64) -> Self {
        let sample = Sample::of(values);
        let replicates = values.len() as u64;
        Self::limit(what, (sample.mean, sample.standard_error()), reference, tolerance, replicates)
    }

    /// An estimate with its standard error, over so many replicates, within `tolerance` of `reference`.
    pub fn limit(
        what: impl Into<String>,
        (estimate, standard_error): (f64, f64),
        reference: f64,
        tolerance: f64,
        replicates: u64,
    ) -> Self {
        let null = Null::Limit { standard_error, dof: replicates as f64 - 1.0 };
        Self::new(what, (estimate, reference, tolerance), replicates, null)
    }

    /// An estimate that the paper says is above `reference`, with its interval at level [`EMPIRICAL_LEVEL`].
    pub fn empirical(
        what: impl Into<String>,
        estimate: f64,
        (low, high): (f64, f64),
        reference: f64,
        replicates: u64,
    ) -> Self {
        Self::new(what, (estimate, reference, 0.0), replicates, Null::Empirical { low, high })
    }
}

/// The largest size, 0 of none; NaN if there is one: for exact checks, which NaN then fails.
pub fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |a: f64, x| if a.is_nan() || x.abs() <= a { a } else { x.abs() })
}

/// What a claim hands back: its checks, and what there is to see.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The checks.
    pub measured: Vec<Measured>,
    /// Pictures beside that of the checks, which the report draws for every claim.
    pub plots: Vec<Plot>,
}

impl From<Vec<Measured>> for Evidence {
    fn from(measured: Vec<Measured>) -> Self {
        Self { measured, plots: Vec::new() }
    }
}

/// A measured check with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was measured, with its unit.
    pub what: String,
    /// The generator behind it.
    pub generator: Source,
    /// What follows.
    pub verdict: Verdict,
    /// The value found.
    #[serde(with = "number")]
    pub estimate: f64,
    /// The value that should be.
    #[serde(with = "number")]
    pub reference: f64,
    /// How far they may differ; of a sharp check, the effect that it must be able to see; of an empirical one, nothing.
    #[serde(with = "number")]
    pub tolerance: f64,
    /// The smallest deviation from the reference that fails with probability 0.99 (of an exact check, any beyond the
    /// tolerance; of an empirical one, half the interval).
    #[serde(with = "number")]
    pub detectable: f64,
    /// Independent observations behind it.
    pub replicates: u64,
    /// The level at which it was decided.
    #[serde(with = "number")]
    pub level: f64,
    /// How it was decided.
    pub null: Null,
    /// Whether an oracle is held against another one: it says nothing of the crate.
    pub of_oracles: bool,
}

impl Check {
    /// Decides at `level`, the check's share of the false alarms (empirical checks: at [`EMPIRICAL_LEVEL`]).
    pub fn decide(measured: Measured, level: f64, generator: Source) -> Self {
        let Measured { what, estimate, reference, tolerance, replicates, null, of_oracles } = measured;
        let detectable = match null {
            Null::Exact => tolerance,
            Null::Sharp { detectable, .. } => detectable,
            Null::Limit { standard_error, dof } => tolerance + detectable_limit(standard_error, dof, level, POWER),
            Null::Empirical { low, high } => 0.5 * (high - low),
        };
        let level = if matches!(null, Null::Empirical { .. }) { EMPIRICAL_LEVEL } else { level };
        Self {
            what,
            generator,
            verdict: null.verdict(estimate, reference, tolerance, level),
            estimate,
            reference,
            tolerance,
            detectable,
            replicates,
            level,
            null,
            of_oracles,
        }
    }

    /// How much of its room the check has used: 1 is the edge. For ordering.
    fn strain(&self) -> f64 {
        let deviation = (self.estimate - self.reference).abs();
        match self.null {
            Null::Sharp { p, .. } => p.max(f64::MIN_POSITIVE).ln() / self.level.ln(),
            Null::Exact if self.tolerance == 0.0 => deviation,
            Null::Exact => deviation / self.tolerance,
            Null::Limit { standard_error, .. } => (deviation + standard_error) / self.tolerance,
            // the weakest support first
            Null::Empirical { low, high } => (high - low) / (low - self.reference).abs(),
        }
    }
}

/// A claim's verdict: the worst of its checks. None without checks: nothing was shown.
pub fn verdict(checks: &[Check]) -> Verdict {
    let any = |verdict| checks.iter().any(|check| check.verdict == verdict);
    if any(Verdict::Fails) {
        Verdict::Fails
    } else if any(Verdict::Refuted) {
        Verdict::Refuted
    } else if checks.is_empty() || any(Verdict::Undecided) {
        Verdict::Undecided
    } else if any(Verdict::Supported) {
        Verdict::Supported
    } else {
        Verdict::Holds
    }
}

/// The order of how close checks came to failing, or of how badly they did. Those of the crate come after those of
/// oracles, unless oracles disagree.
pub fn by_closeness_to_failing(a: &Check, b: &Check) -> Ordering {
    let rank = |check: &Check| -> u8 {
        match check.verdict {
            Verdict::Fails => 3,
            Verdict::Refuted => 2,
            Verdict::Undecided => 1,
            Verdict::Supported | Verdict::Holds => 0,
        }
    };
    let key = |check: &Check| (rank(check), !check.of_oracles);
    key(a).cmp(&key(b)).then(a.strain().total_cmp(&b.strain()))
}

/// The check that decides, or that came closest to: the one to show.
pub fn tightest(checks: &[Check]) -> Option<&Check> {
    checks.iter().max_by(|a, b| by_closeness_to_failing(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(deviation: f64) -> Check {
        Check::decide(Measured::exact("x", deviation, 1.0, 1), 1e-8, Source::Pcg32)
    }

    #[test]
    fn exact_checks_hold_within_the_tolerance_and_fail_on_nan() {
        assert_eq!(exact(1.0).verdict, Verdict::Holds);
        assert_eq!(exact(1.1).verdict, Verdict::Fails);
        assert_eq!(exact(f64::NAN).verdict, Verdict::Fails);
    }

    #[test]
    fn a_limit_is_decided_by_its_interval_and_a_sharp_check_by_p_and_power() {
        let values: Vec<f64> = (0..100).map(|i| 1.0 + f64::from(i % 10) / 100.0).collect();
        let decide = |reference, tolerance| {
            Check::decide(Measured::mean("x", &values, reference, tolerance), 1e-8, Source::Pcg32).verdict
        };
        assert_eq!(decide(1.04, 0.1), Verdict::Holds);
        assert_eq!(decide(1.04, 0.001), Verdict::Undecided);
        assert_eq!(decide(2.0, 0.1), Verdict::Fails);
        let sharp = |p, detectable| {
            let test = Test { p, detectable, budget: 0.1, error: StandardError::known(0.01) };
            let measured = Measured::sharp("x", 0.0, 0.0, test, 9);
            Check::decide(measured, 1e-8, Source::Pcg32).verdict
        };
        assert_eq!(sharp(0.5, 0.05), Verdict::Holds);
        assert_eq!(sharp(0.5, 0.2), Verdict::Undecided);
        assert_eq!(sharp(1e-9, 0.2), Verdict::Fails);
    }

    #[test]
    fn the_largest_size_is_nan_if_one_is() {
        assert_eq!((largest([]), largest([0.5, -2.0, 1.0])), (0.0, 2.0));
        assert!(largest([0.5, f64::NAN, 1.0]).is_nan() && largest([f64::NAN]).is_nan());
    }

    #[test]
    fn the_worst_check_speaks_for_the_claim() {
        let checks = [exact(0.1), exact(2.0), exact(0.9)];
        assert_eq!(verdict(&checks), Verdict::Fails);
        assert_eq!(tightest(&checks).map(|check| check.estimate), Some(2.0));
        assert_eq!(verdict(&checks[2..]), Verdict::Holds);
        assert_eq!(verdict(&[]), Verdict::Undecided);
    }

    #[test]
    fn empirical_checks_support_or_refute_and_never_fail() {
        let check = |low, high| {
            let measured = Measured::empirical("x", 0.5 * (low + high), (low, high), 1.0, 9);
            Check::decide(measured, 1e-8, Source::Pcg32)
        };
        assert_eq!(check(1.1, 2.0).verdict, Verdict::Supported);
        assert_eq!(check(0.2, 0.9).verdict, Verdict::Refuted);
        assert_eq!(check(0.9, 1.1).verdict, Verdict::Undecided);
        assert_eq!(check(f64::NAN, 2.0).verdict, Verdict::Undecided);
        assert_eq!(verdict(&[check(1.1, 2.0), exact(0.0)]), Verdict::Supported);
        assert_eq!(verdict(&[check(1.1, 2.0), check(0.2, 0.9)]), Verdict::Refuted);
        assert_eq!(verdict(&[check(0.2, 0.9), exact(2.0)]), Verdict::Fails);
        assert_eq!(check(1.1, 2.0).level, EMPIRICAL_LEVEL);
    }
}
