//! Planted defects are caught by the claims, at the claims' own settings and thresholds; the correct build is not
//! accused.
//!
//! One seed, disjoint from those that settings were chosen on: detection rates are measured by many (see the README).

use std::sync::atomic::AtomicBool;

use birth_death_stats::verdict::Verdict;
use birth_death_terminal::parallel;
use birth_death_verify::arguments::Profile;
use birth_death_verify::claims::{Claim, Context, check};
use birth_death_verify::defects::{self, Defect, detectors};
use birth_death_verify::subject::Subject;
use indicatif::ProgressBar;

const SEED: u64 = 77_001;

/// The verdict of a quick run of a claim.
fn verdict(id: &str, defect: Option<&'static dyn Defect>) -> Verdict {
    let pool = parallel::pool(None);
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

/// Of each defect the claim that should catch it most surely.
#[test]
fn every_defect_fails_a_claim() {
    let surest = |defect: &&'static dyn Defect| (defect.describe().0, detectors(defect.describe().0)[0], *defect);
    let missed: Vec<_> = defects::REGISTRY
        .iter()
        .map(surest)
        .filter(|(_, claim, defect)| verdict(claim, Some(*defect)) != Verdict::Fails)
        .map(|(id, claim, _)| (id, claim))
        .collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
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
        ("alpha-off", "dissipation"),
        ("gradient-half", "rate-transport"),
        ("rate-doubled", "rate-pure"),
        ("rate-doubled", "step-order"),
        ("rate-doubled", "noise-off"),
        ("rate-doubled", "escape"),
        ("self-left-out", "interaction-bias"),
        ("only-deaths", "mean-field-reinjection"),
        ("swapped", "fisher-rao-bound"),
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
