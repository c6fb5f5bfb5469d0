//! Checks and verdicts: what was measured, against what, and what follows.

use serde::Serialize;

use crate::stats::interval::Sample;
use crate::stats::power::{POWER, detectable_limit};
use crate::stats::verdict::{self, Verdict};

/// A null hypothesis and the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Null {
    /// No randomness in the verdict: the deviation may not exceed the tolerance.
    Exact,
    /// A p-value under the null; `tolerance` is the largest effect that the test may be blind to.
    Sharp {
        /// Two-sided.
        p: f64,
        /// The smallest effect found with power 0.99, in the estimate's units.
        detectable: f64,
    },
    /// The expectation of the estimate lies within `tolerance` of the reference.
    Limit {
        /// Standard error over replicates.
        standard_error: f64,
        /// Degrees of freedom of the standard error.
        dof: f64,
    },
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
    /// How far they may differ; of a sharp check, the effect that it must be able to see.
    pub tolerance: f64,
    /// Independent observations behind it.
    pub replicates: u64,
    /// How it is decided.
    pub null: Null,
    /// Whether an oracle is held against another one: it says nothing of the crate.
    pub of_oracles: bool,
}

impl Measured {
    /// The same, marked as a comparison of oracles.
    pub fn of_oracles(self) -> Self {
        Self { of_oracles: true, ..self }
    }

    /// A deviation that must not exceed `tolerance`, found over `examined` cases.
    pub fn exact(what: impl Into<String>, deviation: f64, tolerance: f64, examined: u64) -> Self {
        Self {
            what: what.into(),
            estimate: deviation,
            reference: 0.0,
            tolerance,
            replicates: examined,
            null: Null::Exact,
            of_oracles: false,
        }
    }

    /// The mean of `values`, one a replicate, within `tolerance` of `reference`.
    pub fn mean(what: impl Into<String>, values: &[f64], reference: f64, tolerance: f64) -> Self {
        let sample = Sample::of(values);
        Self {
            what: what.into(),
            estimate: sample.mean,
            reference,
            tolerance,
            replicates: values.len() as u64,
            null: Null::Limit { standard_error: sample.standard_error(), dof: sample.dof() },
            of_oracles: false,
        }
    }
}

/// A measured check with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// What was measured, with its unit.
    pub what: String,
    /// What follows.
    pub verdict: Verdict,
    /// The value found.
    pub estimate: f64,
    /// The value that should be.
    pub reference: f64,
    /// How far they may differ; of a sharp check, the effect that it must be able to see.
    pub tolerance: f64,
    /// The smallest deviation from the reference that fails with probability 0.99 (of an exact check, any beyond the tolerance).
    pub detectable: f64,
    /// Independent observations behind it.
    pub replicates: u64,
    /// The level at which it was decided.
    pub level: f64,
    /// How it was decided.
    pub null: Null,
    /// Whether an oracle is held against another one: it says nothing of the crate.
    pub of_oracles: bool,
}

impl Check {
    /// Decides at `level`, the check's share of the false alarms.
    pub fn decide(measured: Measured, level: f64) -> Self {
        let Measured { what, estimate, reference, tolerance, replicates, null, of_oracles } = measured;
        let deviation = (estimate - reference).abs();
        let (verdict, detectable) = match null {
            // written so that NaN fails
            Null::Exact if deviation <= tolerance => (Verdict::Holds, tolerance),
            Null::Exact => (Verdict::Fails, tolerance),
            Null::Sharp { p, detectable } => (verdict::sharp(p, level, detectable, tolerance), detectable),
            Null::Limit { standard_error, dof } => (
                verdict::limit(estimate, standard_error, dof, reference, tolerance, level),
                tolerance + detectable_limit(standard_error, dof, level, POWER),
            ),
        };
        Self { what, verdict, estimate, reference, tolerance, detectable, replicates, level, null, of_oracles }
    }

    /// How much of its room the check has used: 1 is the edge. For ordering.
    fn strain(&self) -> f64 {
        let deviation = (self.estimate - self.reference).abs();
        match self.null {
            Null::Sharp { p, .. } => p.max(f64::MIN_POSITIVE).ln() / self.level.ln(),
            Null::Exact if self.tolerance == 0.0 => deviation,
            Null::Exact => deviation / self.tolerance,
            Null::Limit { standard_error, .. } => (deviation + standard_error) / self.tolerance,
        }
    }
}

/// A claim's verdict: the worst of its checks. None without checks: nothing was shown.
pub fn verdict(checks: &[Check]) -> Verdict {
    let any = |verdict| checks.iter().any(|check| check.verdict == verdict);
    if any(Verdict::Fails) {
        Verdict::Fails
    } else if checks.is_empty() || any(Verdict::Undecided) {
        Verdict::Undecided
    } else {
        Verdict::Holds
    }
}

/// The check that decides, or that came closest to: the one to show. Of the crate, unless oracles disagree.
pub fn tightest(checks: &[Check]) -> Option<&Check> {
    let rank = |check: &Check| -> f64 {
        match check.verdict {
            Verdict::Fails => 2.0,
            Verdict::Undecided => 1.0,
            Verdict::Holds => 0.0,
        }
    };
    let key = |check: &Check| (rank(check), if check.of_oracles { 0.0 } else { 1.0 }, check.strain());
    checks.iter().max_by(|a, b| {
        let (a, b): ((f64, f64, f64), _) = (key(a), key(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(deviation: f64) -> Check {
        Check::decide(Measured::exact("x", deviation, 1.0, 1), 1e-8)
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
        let decide =
            |reference, tolerance| Check::decide(Measured::mean("x", &values, reference, tolerance), 1e-8).verdict;
        assert_eq!(decide(1.04, 0.1), Verdict::Holds);
        assert_eq!(decide(1.04, 0.001), Verdict::Undecided);
        assert_eq!(decide(2.0, 0.1), Verdict::Fails);
        let sharp = |p, detectable| {
            let null = Null::Sharp { p, detectable };
            let measured = Measured {
                what: String::new(),
                estimate: 0.0,
                reference: 0.0,
                tolerance: 0.1,
                replicates: 9,
                null,
                of_oracles: false,
            };
            Check::decide(measured, 1e-8).verdict
        };
        assert_eq!(sharp(0.5, 0.05), Verdict::Holds);
        assert_eq!(sharp(0.5, 0.2), Verdict::Undecided);
        assert_eq!(sharp(1e-9, 0.2), Verdict::Fails);
    }

    #[test]
    fn the_worst_check_speaks_for_the_claim() {
        let checks = [exact(0.1), exact(2.0), exact(0.9)];
        assert_eq!(verdict(&checks), Verdict::Fails);
        assert_eq!(tightest(&checks).map(|check| check.estimate), Some(2.0));
        assert_eq!(verdict(&checks[2..]), Verdict::Holds);
        assert_eq!(verdict(&[]), Verdict::Undecided);
    }
}
