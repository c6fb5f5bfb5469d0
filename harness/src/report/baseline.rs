//! Today's estimates against a stored run's: which of them moved beyond joint uncertainty.
//!
//! A regression test for a pipeline: it does not ask whether a claim holds, only whether something changed. Two runs of one build
//! with different seeds differ in any check with probability at most [`FALSE_ALARMS`]; with the same seed they are equal.

// The workspace forbids std's transcendentals for the core's sake; here nothing has to be portable to the bit.
#![allow(clippy::disallowed_methods)]

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::table::{estimate, number};
use super::{Decided, Verdicts};
use crate::claims::FALSE_ALARMS;
use crate::claims::check::{Check, EMPIRICAL_LEVEL, Null};
use crate::stats::tails::{normal_quantile, t_quantile};
use crate::stats::verdict::Verdict;

/// A comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The commit that the baseline was made with.
    pub commit: Cow<'static, str>,
    /// Its seed.
    pub seed: u64,
    /// Checks compared.
    pub compared: usize,
    /// The checks that moved.
    pub moved: Vec<Moved>,
}

/// A check that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Its claim.
    pub claim: Cow<'static, str>,
    /// What it was and is.
    pub change: String,
}

/// Whether today's run, as far as it is known before it is run, can be compared with the baseline: the same profile, precision and streams, and
/// the claims `wanted` (name, setting, estimator) among those stored, with the same words.
///
/// # Errors
/// What differs, and what would be accepted.
pub fn comparable<'a>(
    baseline: &Verdicts,
    today: &Verdicts,
    wanted: impl Iterator<Item = (&'a str, &'a str, &'a str)>,
) -> Result<(), String> {
    let settings = [
        ("profile", &baseline.profile, &today.profile),
        ("precision", &baseline.precision, &today.precision),
        ("streams", &baseline.streams, &today.streams),
    ];
    for (what, then, now) in settings {
        if then != now {
            return Err(format!("was made with {what} {then}; accepted: one with {what} {now}"));
        }
    }
    if !baseline.complete {
        return Err("is of an interrupted run; accepted: one of a complete run".to_owned());
    }
    for (id, setting, estimator) in wanted {
        let Some(then) = baseline.claims.iter().find(|claim| claim.id == id) else {
            let stored: Vec<&str> = baseline.claims.iter().map(|claim| claim.id.as_ref()).collect();
            return Err(format!(
                "has no claim {id}; accepted: a new baseline, or --claim with one of {}",
                stored.join(", ")
            ));
        };
        if then.setting != setting || then.estimator != estimator {
            return Err(format!("measured {id} in another setting; accepted: a baseline of this version's claims"));
        }
    }
    Ok(())
}

/// Compares every check of today's claims with the baseline's of the same name and generator.
///
/// # Errors
/// A claim that has other checks than the baseline's: then nothing follows.
pub fn compare(baseline: &Verdicts, today: &[Decided]) -> Result<Comparison, String> {
    let mut pairs = Vec::new();
    for claim in today {
        let stored = baseline.claims.iter().find(|then| then.id == claim.id);
        let then = stored.ok_or_else(|| format!("has no claim {}", claim.id))?;
        let names = |claim: &Decided| -> Vec<_> {
            claim.checks.iter().map(|check| (check.what.clone(), check.generator, kind(check))).collect()
        };
        if names(then) != names(claim) {
            return Err(format!("has other checks of {}; accepted: a baseline of this version's claims", claim.id));
        }
        pairs.extend(then.checks.iter().zip(&claim.checks).map(|(then, now)| (&claim.id, then, now)));
    }
    let level = FALSE_ALARMS / pairs.len().max(1) as f64;
    let moved = |(claim, then, now): &(&Cow<'static, str>, &Check, &Check)| {
        change(then, now, level).map(|change| Moved { claim: (*claim).clone(), change })
    };
    Ok(Comparison {
        commit: baseline.build.commit.clone(),
        seed: baseline.seed,
        compared: pairs.len(),
        moved: pairs.iter().filter_map(moved).collect(),
    })
}

fn kind(check: &Check) -> &'static str {
    match check.null {
        Null::Exact => "exact",
        Null::Sharp { .. } => "sharp",
        Null::Limit { .. } => "limit",
        Null::Empirical { .. } => "empirical",
    }
}

/// What to say of a check that moved. Written so that NaN moves, unless it was NaN before. An exact check that held and fails has moved,
/// however little.
fn change(then: &Check, now: &Check, level: f64) -> Option<String> {
    let distance = (now.estimate - then.estimate).abs();
    let room = room(then, now, level);
    let broken = now.null == Null::Exact && now.verdict == Verdict::Fails && then.verdict != Verdict::Fails;
    let near = (distance <= room && !broken) || then.estimate.to_bits() == now.estimate.to_bits();
    (!near).then(|| {
        format!(
            "{} ({}): {}, was {}; more than {} apart, or beyond its tolerance now",
            now.what,
            now.generator.name(),
            estimate(now),
            estimate(then),
            number(room)
        )
    })
}

/// How far two estimates of one quantity may differ at this level.
fn room(then: &Check, now: &Check, level: f64) -> f64 {
    let joint = |a: f64, b: f64| (a * a + b * b).sqrt();
    match (then.null, now.null) {
        (Null::Limit { standard_error: a, dof: m }, Null::Limit { standard_error: b, dof: n }) => {
            // Welch's degrees of freedom lie between the smaller and the sum: the smaller is on the safe side
            let dof = if m < n { m } else { n };
            if joint(a, b) == 0.0 { 0.0 } else { t_quantile(0.5 * level, dof) * joint(a, b) }
        }
        // the effect detected with power 0.99 is 2.33 standard errors and the quantile of the check's own level: with the
        // square root of two for the difference it is beyond the quantile of this level
        (Null::Sharp { detectable: a, .. }, Null::Sharp { detectable: b, .. }) => joint(a, b),
        (Null::Empirical { low: a, high: b }, Null::Empirical { low: c, high: d }) => {
            let widening = normal_quantile(0.5 * level) / normal_quantile(0.5 * EMPIRICAL_LEVEL);
            widening * joint(0.5 * (b - a), 0.5 * (d - c))
        }
        _ => now.tolerance,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::check::{Measured, Test};
    use crate::claims::{Claim, Profile};
    use crate::generators::Source;

    fn run(measured: Vec<Measured>) -> Verdicts {
        let claim = Claim::named("drift").expect("a claim");
        let checks = measured.into_iter().map(|m| Check::decide(m, 1e-8, Source::Pcg32)).collect();
        Verdicts::new(Profile::Quick, 1, 1, vec![Decided::new(claim, checks, Vec::new())])
    }

    fn limit(estimate: f64) -> Measured {
        Measured::limit("a", (estimate, 0.01), 1.0, 0.5, 400)
    }

    fn moved(then: Measured, now: Measured) -> usize {
        let (then, now) = (run(vec![then]), run(vec![now]));
        compare(&then, &now.claims).expect("comparable").moved.len()
    }

    #[test]
    fn what_moved_beyond_joint_uncertainty_is_named() {
        // joint standard error 0.0141, quantile of 1e-6 at 399 degrees of freedom 4.97: 0.0703
        assert_eq!(moved(limit(1.0), limit(1.07)), 0);
        assert_eq!(moved(limit(1.0), limit(1.071)), 1);
        assert_eq!(moved(limit(1.0), limit(f64::NAN)), 1);
        assert_eq!(moved(limit(f64::NAN), limit(f64::NAN)), 0);
        let sharp = |x| Measured::sharp("a", x, 0.0, Test { p: 0.5, detectable: 0.1, budget: 1.0 }, 9);
        assert_eq!((moved(sharp(0.0), sharp(0.14)), moved(sharp(0.0), sharp(0.15))), (0, 1));
        let exact = |x| Measured::exact("a", x, 1e-12, 9);
        assert_eq!((moved(exact(0.0), exact(1e-12)), moved(exact(0.0), exact(2e-12))), (0, 1));
        assert_eq!(moved(exact(0.9e-12), exact(1.1e-12)), 1, "it fails now");
        // half an interval of 1e-3 is 3.29 standard errors, of 1e-6 4.89: 0.1 * 1.487 * 1.414 = 0.2102
        let empirical = |x: f64| Measured::empirical("a", x, (x - 0.1, x + 0.1), 1.0, 9);
        assert_eq!((moved(empirical(2.0), empirical(2.21)), moved(empirical(2.0), empirical(2.211))), (0, 1));
    }

    #[test]
    fn other_checks_are_no_baseline() {
        let compared = |then: Vec<Measured>| compare(&run(then), &run(vec![limit(1.0)]).claims);
        assert!(compared(vec![limit(1.0)]).is_ok());
        assert!(compared(vec![]).is_err());
        assert!(compared(vec![limit(1.0), limit(1.0)]).is_err());
        assert!(compared(vec![Measured { what: "b".into(), ..limit(1.0) }]).is_err());
        assert!(compared(vec![Measured::exact("a", 1.0, 1.0, 1)]).is_err());
    }

    #[test]
    fn other_settings_are_no_baseline() {
        let base = run(vec![limit(1.0)]);
        let claim = &base.claims[0];
        let own = || [(claim.id.as_ref(), claim.setting.as_ref(), claim.estimator.as_ref())].into_iter();
        assert_eq!(comparable(&base, &base, own()), Ok(()));
        assert!(comparable(&Verdicts { profile: "full".into(), ..base.clone() }, &base, own()).is_err());
        assert!(comparable(&Verdicts { precision: "f32".into(), ..base.clone() }, &base, own()).is_err());
        assert!(comparable(&Verdicts { claims: vec![], ..base.clone() }, &base, own()).is_err());
        assert!(comparable(&Verdicts { complete: false, ..base.clone() }, &base, own()).is_err());
        let other = [(claim.id.as_ref(), "n = 1", claim.estimator.as_ref())].into_iter();
        assert!(comparable(&base, &base, other).is_err());
    }
}
