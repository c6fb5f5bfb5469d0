//! Today's estimates against a stored run's: which of them moved beyond joint uncertainty.
//!
//! A regression test for a pipeline: it does not ask whether a claim holds, only whether something changed. Every
//! check that has randomness is a test of "the two runs have the same expectation", and so are the two generators'
//! differences of one check together. A claim has the smallest p-value of its tests, times their number; over the
//! claims Holm's procedure at [`FALSE_ALARMS`] decides. A check that did not fail and does now has moved whatever its
//! p-value: with that rule an unchanged build is accused with probability at most [`ACCUSED`], over fresh seeds. With
//! the same seed its runs are equal.

// The workspace forbids std's transcendentals for the core's sake; here nothing has to be portable to the bit.
#![allow(clippy::disallowed_methods)]

use std::f64::consts::FRAC_1_SQRT_2;

use super::accepted::same_plan;
use super::comparison::{Change, Compared, Comparison, Difference, State, Together, Value};
use super::{Decided, Verdicts};
use crate::claims::FALSE_ALARMS;
use crate::claims::check::{Check, EMPIRICAL_LEVEL, Null};
use birth_death_stats::difference::{StandardError, combined, p_value};
use birth_death_stats::tails::normal_quantile;
use birth_death_stats::verdict::holm;

/// The probability with which an unchanged build is accused at most: by the differences, or because a check of its
/// own fails now.
pub const ACCUSED: f64 = 2.0 * FALSE_ALARMS;
/// Estimated standard errors of one quantity do not differ by this factor, from [`ENOUGH_DOF`] degrees of freedom on:
/// by the F law the probability is below 1e-21.
const SPREAD: f64 = 10.0;
/// A standard error below this part of the tolerance hides nothing that matters, and may be of roundings alone: those
/// of an identity in exact arithmetic follow no law, and differ by more than [`SPREAD`] from seed to seed.
const ROUNDING: f64 = 1e-3;
const ENOUGH_DOF: f64 = 30.0;

/// Whether today's run, as far as it is known before it is run, can be compared with the baseline: the same profile,
/// precision and streams, and the claims `wanted` (name, setting, estimator) among those stored, with the same words.
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
/// A claim that has other checks than the baseline's, or a check that was measured otherwise, of a claim whose checks
/// do not fail now: then nothing follows.
pub fn compare(baseline: &Verdicts, today: &[Decided]) -> Result<Comparison, String> {
    let mut claims = Vec::new();
    for now in today {
        let stored = baseline.claims.iter().find(|then| then.id == now.id);
        let then = stored.ok_or_else(|| format!("has no claim {}", now.id))?;
        let names = |claim: &Decided| -> Vec<_> {
            claim.checks.iter().map(|check| (check.what.clone(), check.generator, kind(check))).collect()
        };
        if names(then) != names(now) {
            return Err(format!("has other checks of {}; accepted: a baseline of this version's claims", now.id));
        }
        let pairs = || then.checks.iter().zip(&now.checks);
        let changes: Vec<Change> = pairs().map(|(then, now)| change(then, now)).collect();
        // a defect may well be why a claim was measured otherwise
        if !changes.iter().any(Change::broken) {
            for (then, now_is) in pairs() {
                same_plan(now, then, now_is)?;
                if no_interval(then) && !no_interval(now_is) && now_is.null != Null::Exact {
                    return Err(format!(
                        "claim {}, check {:?} ({}): low to high has no end; accepted: an interval, as this build has",
                        now.id,
                        then.what,
                        then.generator.name()
                    ));
                }
            }
        }
        let together = together(&changes);
        claims.push(Compared { claim: now.id.clone(), moved: false, p: 1.0, level: 1.0, changes, together });
    }
    decide(&mut claims, FALSE_ALARMS);
    powers(&mut claims, FALSE_ALARMS);
    Ok(Comparison { commit: baseline.build.commit.clone(), seed: baseline.seed, accused: ACCUSED, claims })
}

fn kind(check: &Check) -> &'static str {
    match check.null {
        Null::Exact => "exact",
        Null::Sharp { .. } => "sharp",
        Null::Limit { .. } => "limit",
        Null::Empirical { .. } => "empirical",
    }
}

/// A check in the scale in which it is compared, with its standard error there; none of an exact one, and of one
/// without an interval.
///
/// An empirical estimate is a ratio, compared by its logarithm. Its interval has order statistics as ends, at
/// [`EMPIRICAL_LEVEL`]: half of its length over the normal quantile z is the standard error. The length is the sum of
/// about z sqrt(replicates) spacings of the values, each of a relative variance of 1, which is known as well as half
/// as many degrees of freedom tell. Of an end that is infinite the other one stands for both.
fn scaled(check: &Check) -> Option<(f64, StandardError)> {
    match check.null {
        Null::Exact => None,
        Null::Sharp { standard_error, dof, .. } => Some((check.estimate, StandardError { value: standard_error, dof })),
        Null::Limit { standard_error, dof } => {
            Some((check.estimate, StandardError { value: standard_error, dof: Some(dof) }))
        }
        Null::Empirical { low, high } => {
            let (middle, low, high) = (check.estimate.ln(), low.ln(), high.ln());
            let half = match (low.is_finite(), high.is_finite()) {
                (true, true) => 0.5 * (high - low),
                (true, false) => middle - low,
                (false, true) => high - middle,
                (false, false) => return None,
            };
            let z = normal_quantile(0.5 * EMPIRICAL_LEVEL);
            let (value, dof) = (half / z, Some(0.5 * z * (check.replicates as f64).sqrt()));
            value.is_finite().then_some((middle, StandardError { value, dof }))
        }
    }
}

fn no_interval(check: &Check) -> bool {
    scaled(check).is_none()
}

/// One check, then and now, as far as it is decided without the others.
fn change(then: &Check, now: &Check) -> Change {
    let (before, after) = (scaled(then), scaled(now));
    let value = |check: &Check, scaled: Option<(f64, StandardError)>| Value {
        verdict: check.verdict,
        estimate: check.estimate,
        standard_error: scaled.map_or(0.0, |(_, error)| error.value),
    };
    let same = then.estimate.to_bits() == now.estimate.to_bits();
    let difference = before.zip(after).map(|((then, a), (now_is, b))| {
        let joint = StandardError::of_difference(a, b);
        // equal infinities are no difference, and a difference without an error is infinite
        let errors = if same { 0.0 } else { (now_is - then) / joint.value };
        Difference {
            errors,
            p: if a.value == 0.0 || b.value == 0.0 { f64::from(u8::from(same)) } else { p_value(errors, joint.dof) },
            dof: joint.dof,
            // known when the level is
            detectable: f64::NAN,
            logarithmic: matches!(now.null, Null::Empirical { .. }),
            standard_error: joint.value,
        }
    });
    let mut change = Change {
        what: now.what.clone(),
        generator: now.generator,
        state: State::Changed,
        then: value(then, before),
        now: value(now, after),
        difference,
    };
    // a number that is none, of today's or then, has moved
    let infinite = |scaled: Option<(f64, StandardError)>| scaled.is_some_and(|(_, error)| !error.value.is_finite());
    let no_number = then.estimate.is_nan() || now.estimate.is_nan() || infinite(before) || infinite(after);
    let lost_interval = before.is_some() && after.is_none() && now.null != Null::Exact;
    let visible = if matches!(now.null, Null::Empirical { .. }) { 0.0 } else { ROUNDING * now.tolerance };
    change.state = if no_number || lost_interval || change.broken() || other_spread(before, after, visible) {
        State::Moved
    } else if same {
        State::Same
    } else if difference.is_none() && now.null != Null::Exact {
        State::Unknown
    } else {
        State::Changed
    };
    change
}

/// Whether the estimated standard errors cannot be of one quantity: a very large one would agree with anything. One
/// that is not visible agrees with little.
fn other_spread(then: Option<(f64, StandardError)>, now: Option<(f64, StandardError)>, visible: f64) -> bool {
    let (Some((_, then)), Some((_, now))) = (then, now) else { return false };
    let enough = |error: StandardError| error.dof.is_some_and(|dof| dof >= ENOUGH_DOF) && error.value > 0.0;
    let larger = then.value.max(now.value);
    enough(then) && enough(now) && larger > visible && larger > SPREAD * then.value.min(now.value)
}

/// The checks that two generators measured: their differences are independent.
fn together(changes: &[Change]) -> Vec<Together> {
    let mut found = Vec::new();
    for (at, first) in changes.iter().enumerate() {
        let other = changes[at + 1..].iter().find(|second| second.what == first.what);
        let Some((a, b)) = first.difference.zip(other.and_then(|second| second.difference)) else { continue };
        let (errors, p) = combined((a.errors, a.p), (b.errors, b.p));
        found.push(Together { what: first.what.clone(), moved: false, errors, p, detectable: f64::NAN });
    }
    found
}

/// How many tests a claim has.
fn tests(claim: &Compared) -> f64 {
    let own = claim.changes.iter().filter(|change| change.difference.is_some()).count();
    (own + claim.together.len()) as f64
}

/// Bonferroni within a claim (its tests share replicates), Holm over the claims, at `false_alarms` in all.
fn decide(claims: &mut [Compared], false_alarms: f64) {
    let smallest = |claim: &Compared| {
        let own = claim.changes.iter().filter_map(|change| change.difference).map(|found| found.p);
        let least = own.chain(claim.together.iter().map(|found| found.p)).fold(1.0, f64::min);
        (tests(claim) * least).min(1.0)
    };
    let tested = |claim: &&mut Compared| tests(claim) > 0.0;
    let adjusted = holm(&claims.iter_mut().filter(tested).map(|claim| smallest(claim)).collect::<Vec<f64>>());
    let rejected = adjusted.iter().filter(|p| **p < false_alarms).count();
    // the level of Holm's last step: the claims rejected are below it, and no other
    let last = false_alarms / (adjusted.len() - rejected).max(1) as f64;
    for (claim, p) in claims.iter_mut().filter(tested).zip(adjusted) {
        claim.p = p;
        claim.level = last / tests(claim);
        for change in &mut claim.changes {
            if change.difference.is_some_and(|found| found.p < claim.level) {
                change.state = State::Moved;
            }
        }
        for both in &mut claim.together {
            both.moved = both.p < claim.level;
        }
    }
    for claim in claims {
        let any = claim.changes.iter().any(|change| change.state == State::Moved);
        claim.moved = any || claim.together.iter().any(|both| both.moved);
    }
}

/// Writes down what each test can see when nothing else moves.
fn powers(claims: &mut [Compared], false_alarms: f64) {
    let count = claims.iter().filter(|claim| tests(claim) > 0.0).count() as f64;
    for claim in claims {
        let level = false_alarms / count / tests(claim);
        for found in claim.changes.iter_mut().filter_map(|change| change.difference.as_mut()) {
            found.detectable = StandardError { value: found.standard_error, dof: found.dof }.detectable(level);
        }
        for both in &mut claim.together {
            // of an estimated error: by the one that sees less
            let of_each = claim.changes.iter().filter(|change| change.what == both.what);
            let least =
                of_each.filter_map(|change| change.difference).map(|found| found.detectable).fold(0.0, f64::max);
            both.detectable = least * FRAC_1_SQRT_2;
        }
    }
}

#[cfg(test)]
mod tests;
