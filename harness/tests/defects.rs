//! Planted defects are caught by the claims, at the claims' own settings and thresholds; the correct build is not accused.
//!
//! One seed, disjoint from those that settings were chosen on: detection rates are measured by many (see the README).

use std::sync::atomic::AtomicBool;

use birth_death_harness::claims::{Claim, Context, Profile, check};
use birth_death_harness::defects::{self, Defect};
use birth_death_harness::parallel;
use birth_death_harness::stats::verdict::Verdict;
use birth_death_harness::subject::Subject;
use indicatif::ProgressBar;

const SEED: u64 = 77_001;

/// The verdict of a quick run of a claim.
fn verdict(id: &str, defect: Option<&'static dyn Defect>) -> Verdict {
    let pool = parallel::pool(None).expect("threads");
    let context = Context {
        subject: Subject { defect, ..Subject::correct(SEED) },
        profile: Profile::Quick,
        pool: &pool,
        stop: &AtomicBool::new(false),
        progress: &ProgressBar::hidden(),
        claim: 0,
    };
    let claim = Claim::named(id).expect("a claim");
    check::verdict(&claim.decide(&context).expect("not interrupted").0)
}

/// Each defect, and a claim that must fail on it.
const CAUGHT_BY: [(&str, &str); 19] = [
    ("swapped", "event-counts"),
    ("mean-not-subtracted", "event-counts"),
    ("rate-doubled", "event-counts"),
    ("dt-missing", "event-counts"),
    ("linear-probability", "event-counts"),
    ("alpha-off", "event-counts"),
    ("mean-over-n-1", "event-counts"),
    ("only-deaths", "event-counts"),
    ("stale-rates", "conservation"),
    ("gradient-sign", "gradient"),
    ("gradient-half", "gradient"),
    ("self-left-out", "gradient"),
    ("first-half", "uniform-control"),
    ("shared-words", "independence"),
    ("restarted", "independence"),
    ("charge-not-copied", "conservation"),
    ("component-not-copied", "conservation"),
    ("charge-at-rest", "conservation"),
    ("transport-dt-doubled", "conservation"),
];

#[test]
fn every_defect_fails_a_claim() {
    let missed: Vec<_> = CAUGHT_BY
        .iter()
        .filter(|(defect, claim)| verdict(claim, Some(defects::named(defect).expect("a defect"))) != Verdict::Fails)
        .collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

#[test]
fn every_defect_is_tested() {
    let tested: Vec<&str> = CAUGHT_BY.iter().map(|(defect, _)| *defect).collect();
    let all: Vec<&str> = defects::REGISTRY.iter().map(|defect| defect.describe().0).collect();
    assert_eq!(tested, all);
}

#[test]
fn statistical_claims_catch_defects_that_look_plausible() {
    // (without the reference implementation, that is: by laws and limits alone)
    for (defect, claim) in [
        ("rate-doubled", "gaussian-law"),
        ("first-half", "drift"),
        ("charge-at-rest", "mean-field"),
        ("stale-rates", "martingale"),
        ("alpha-off", "fixed-point"),
        ("mean-over-n-1", "exactness"),
    ] {
        assert_eq!(verdict(claim, defects::named(defect)), Verdict::Fails, "{defect}, {claim}");
    }
}

#[test]
fn the_correct_build_is_not_accused() {
    for claim in [
        "conservation",
        "gradient",
        "event-counts",
        "uniform-control",
        "independence",
        "drift",
        "martingale",
        "fixed-point",
        "exactness",
    ] {
        assert_eq!(verdict(claim, None), Verdict::Holds, "{claim}");
    }
}
