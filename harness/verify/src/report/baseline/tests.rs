use super::*;
use crate::arguments::Profile;
use crate::claims::check::{Measured, Test};
use crate::claims::{Claim, REGISTRY};
use crate::generators::Source;
use birth_death_stats::interval::{median_interval, quantile};
use birth_death_stats::simulate::{Stream, assert_rate};
use birth_death_stats::verdict::Verdict;

/// A run of one claim, every check with both generators.
fn run_of(claim: &Claim, measured: &[Measured]) -> Decided {
    let checks = Source::ALL.iter().flat_map(|generator| {
        measured.iter().map(|measured| Check::decide(measured.clone(), 1e-8, *generator)).collect::<Vec<_>>()
    });
    Decided::new(claim, checks.collect(), Vec::new())
}

/// A run of one claim with one generator.
fn run(measured: Vec<Measured>) -> Verdicts {
    let claim = Claim::named("drift").expect("a claim");
    let checks = measured.into_iter().map(|m| Check::decide(m, 1e-8, Source::Pcg32)).collect();
    Verdicts::new(Profile::Quick, 1, 1, vec![Decided::new(claim, checks, Vec::new())])
}

fn limit(estimate: f64) -> Measured {
    Measured::limit("a", (estimate, 0.01), 1.0, 0.5, 400)
}

fn sharp(estimate: f64, p: f64) -> Measured {
    let test = Test { p, detectable: 0.08, budget: 1.0, error: StandardError::known(0.01) };
    Measured::sharp("a", estimate, 0.0, test, 9)
}

fn empirical(estimate: f64, (low, high): (f64, f64), replicates: u64) -> Measured {
    Measured::empirical("a", estimate, (low, high), 1.0, replicates)
}

fn compared(then: Measured, now: Measured) -> Result<Comparison, String> {
    compare(&run(vec![then]), &run(vec![now]).claims)
}

/// What became of a claim's only check.
fn change_of(then: Measured, now: Measured) -> Change {
    compared(then, now).expect("comparable").claims.remove(0).changes.remove(0)
}

fn state(then: Measured, now: Measured) -> State {
    change_of(then, now).state
}

#[test]
fn a_sharp_check_moves_by_its_standard_error_and_not_by_what_it_would_detect() {
    // the case that was overlooked: a shift of 11 standard errors of one run, within sqrt(2) times the detectable
    // effect (8 of them)
    let found = compared(sharp(0.0, 0.3), sharp(0.11, 0.3)).expect("comparable");
    let change = &found.claims[0].changes[0];
    let difference = change.difference.expect("a test");
    assert_eq!((change.state, found.moved()), (State::Moved, true));
    assert!((difference.errors - 11.0 / 2f64.sqrt()).abs() < 1e-9 && difference.p < 1e-13, "{difference:?}");
    // one test: the two-sided quantile of 1e-6 is 4.892
    let at = |errors: f64| state(sharp(0.0, 0.3), sharp(errors * 0.01 * 2f64.sqrt(), 0.3));
    assert_eq!(
        (at(4.89), at(4.90), at(-4.89), at(-4.90)),
        (State::Changed, State::Moved, State::Changed, State::Moved)
    );
    assert!((difference.detectable - 4.892 - 2.326).abs() < 0.01, "{difference:?}");
}

#[test]
fn a_limit_moves_beyond_its_joint_uncertainty() {
    // joint standard error 0.01414, quantile of 1e-6 at Welch's 798 degrees of freedom 4.93: 0.0697
    assert_eq!(state(limit(1.0), limit(1.0695)), State::Changed);
    assert_eq!(state(limit(1.0), limit(1.0705)), State::Moved);
    assert_eq!(state(limit(1.0), limit(1.0)), State::Same);
    assert_eq!(state(limit(f64::NAN), limit(f64::NAN)), State::Moved, "no number is never equal");
    assert_eq!(state(limit(1.0), limit(f64::NAN)), State::Moved);
    assert_eq!(state(limit(f64::NAN), limit(1.0)), State::Moved);
    // an error of 0: equal is equal, and nothing else is
    let still = |x| Measured::limit("a", (x, 0.0), 1.0, 0.5, 400);
    assert_eq!((state(still(1.0), still(1.0)), state(still(1.0), still(1.0 + 1e-15))), (State::Same, State::Moved));
    assert_eq!(state(still(1.0), limit(1.001)), State::Moved);
    // an error that explodes, or is none, agrees with nothing
    let loose = |error| Measured::limit("a", (1.0, error), 1.0, 0.5, 400);
    assert_eq!((state(limit(1.1), loose(0.09)), state(limit(1.1), loose(0.11))), (State::Changed, State::Moved));
    assert_eq!(state(limit(1.1), loose(f64::INFINITY)), State::Moved);
    assert_eq!(state(limit(1.1), loose(f64::NAN)), State::Moved);
}

#[test]
fn another_spread_has_moved_unless_it_is_of_roundings() {
    // the tolerance is 0.5
    let of = |error: f64| Measured::limit("a", (1.0 + error, error), 1.0, 0.5, 400);
    for (then, now, expected) in [
        (1e-3, 5e-3, State::Changed),
        (1e-3, 2e-2, State::Moved),
        (2e-2, 1e-3, State::Moved),
        (9e-16, 3e-14, State::Changed),
        (9e-16, 4e-4, State::Changed),
        (9e-16, 6e-4, State::Moved),
    ] {
        assert_eq!(state(of(then), of(now)), expected, "{then} {now}");
    }
}

#[test]
fn another_verdict_is_listed_and_is_no_move() {
    let (was, is) = (empirical(2.0, (1.5, 2.6), 400), empirical(1.2, (0.9, 1.6), 400));
    let found = compared(was, is).expect("comparable");
    let said = crate::report::compared::news(&found.claims[0]);
    assert!(!found.moved() && said.len() == 1, "{said:?}");
    assert!(
        said[0].starts_with("another verdict: ") && said[0].ends_with("; supported then, undecided now"),
        "{said:?}"
    );
}

#[test]
fn what_fails_now_and_did_not_has_moved_however_little() {
    // beside the level: the difference is 0.1 standard errors
    let broken = change_of(sharp(0.055, 2e-8), sharp(0.0564, 0.5e-8));
    assert_eq!((broken.state, broken.broken()), (State::Moved, true));
    let undecided = Measured { tolerance: 0.01, ..sharp(0.055, 2e-8) };
    let failing = Measured { tolerance: 0.01, ..sharp(0.0564, 0.5e-8) };
    assert_eq!(state(undecided, failing), State::Moved);
    let wide = |x| Measured::limit("a", (x, 0.01), 0.0, 0.02, 400);
    let (then, now) = (change_of(wide(0.05), wide(0.15)), change_of(wide(0.075), wide(0.085)));
    assert_eq!((then.state, then.now.verdict), (State::Moved, Verdict::Fails));
    assert_eq!((now.state, now.broken()), (State::Moved, true));
    let exact = |x| Measured::exact("a", x, 1e-12, 9);
    assert_eq!(state(exact(0.0), exact(1e-12)), State::Changed, "growth below the tolerance is no move");
    assert_eq!(state(exact(0.0), exact(2e-12)), State::Moved);
    // what failed is listed, not accused
    let still = change_of(exact(2e-12), exact(3e-12));
    assert_eq!((still.state, still.still_fails()), (State::Changed, true));
    let mended = change_of(exact(2e-12), exact(1e-13));
    assert_eq!((mended.state, mended.mended()), (State::Changed, true));
    let far = change_of(sharp(0.2, 1e-60), sharp(0.0, 0.5));
    assert_eq!((far.state, far.mended()), (State::Moved, true), "mended, and moved: it is said");
}

#[test]
fn empirical_ratios_are_compared_by_their_logarithms() {
    // half the interval of the logarithm 0.3 over 3.29 is 0.0912; of the difference 0.129; 33 degrees of freedom each
    // by 400 replicates
    let around = |x: f64| empirical(x, (x * (-0.3f64).exp(), x * 0.3f64.exp()), 400);
    let change = change_of(around(2.0), around(3.0));
    let found = change.difference.expect("a test");
    assert!(found.logarithmic && (found.errors - 1.5f64.ln() / 0.1289).abs() < 0.01, "{found:?}");
    assert!((found.dof.expect("estimated") - 65.8).abs() < 0.1, "{found:?}");
    assert_eq!((change.state, state(around(2.0), around(4.2))), (State::Changed, State::Moved));
    // one end is enough; without any there is nothing to compare by
    let half = |x: f64| empirical(x, (x * (-0.3f64).exp(), f64::INFINITY), 400);
    let open = |x: f64| empirical(x, (0.0, f64::INFINITY), 400);
    assert_eq!((state(half(2.0), around(2.1)), state(half(2.0), around(4.2))), (State::Changed, State::Moved));
    assert_eq!((state(open(2.0), open(9.0)), state(around(2.0), open(9.0))), (State::Unknown, State::Moved));
    let refused = compared(open(2.0), around(9.0)).expect_err("it would agree with anything");
    assert!(refused.contains("low to high") && refused.contains("drift"), "{refused}");
    assert_eq!(state(around(2.0), empirical(f64::NAN, (f64::NAN, f64::NAN), 400)), State::Moved);
}

#[test]
fn both_generators_together_find_what_neither_finds_alone() {
    let claim = Claim::named("drift").expect("a claim");
    let at = |errors: f64| {
        let names = ["a", "b"];
        let moved = |what: &str| Measured { what: what.into(), ..sharp(errors * 0.01 * 2f64.sqrt(), 0.3) };
        run_of(claim, &names.map(moved))
    };
    let then = Verdicts::new(Profile::Quick, 1, 1, vec![at(0.0)]);
    let found = compare(&then, &[at(4.0)]).expect("comparable");
    let only = &found.claims[0];
    // six tests: four alone, two together, 4.0 sqrt(2) = 5.66 against the quantile 5.24 of 1e-6 / 6
    assert_eq!((only.changes.len(), only.together.len()), (4, 2));
    assert!((only.level - 1e-6 / 6.0).abs() < 1e-20);
    assert!(only.changes.iter().all(|change| change.state == State::Changed));
    assert!(
        only.moved && only.together.iter().all(|both| both.moved && (both.errors - 5.657).abs() < 1e-3),
        "{only:?}"
    );
    let ratio = only.changes[0].difference.expect("a test").detectable / only.together[0].detectable;
    assert!((ratio - 2f64.sqrt()).abs() < 1e-9);
    // as far in opposite directions: nothing
    let mut apart = at(3.0);
    apart.checks[2..].iter_mut().for_each(|check| check.estimate = -check.estimate);
    assert!(!compare(&then, &[apart]).expect("comparable").moved());
}

/// Claims whose checks are differences of normal variables, moved by `shift` standard errors, two checks a claim with
/// both generators.
fn simulated(stream: &mut Stream, count: usize, shift: f64) -> Vec<Compared> {
    let claims = REGISTRY.iter().take(count);
    claims
        .map(|claim| {
            let mut drawn = |move_by: f64| {
                let of = |what: &str, x: f64| Measured { what: what.into(), ..sharp(0.01 * x, 0.3) };
                let mut checks = Vec::new();
                for generator in Source::ALL {
                    for what in ["a", "b"] {
                        checks.push(Check::decide(of(what, move_by + stream.normal()), 1e-8, generator));
                    }
                }
                checks
            };
            let (then, now) = (drawn(0.0), drawn(shift * 2f64.sqrt()));
            let changes: Vec<Change> = then.iter().zip(&now).map(|(then, now)| change(then, now)).collect();
            let together = together(&changes);
            Compared { claim: claim.id.into(), moved: false, p: 1.0, level: 1.0, changes, together }
        })
        .collect()
}

#[test]
fn an_unchanged_run_is_accused_as_often_as_the_level_says() {
    let mut stream = Stream(601);
    let trials = 4000;
    let accused = |level: f64, stream: &mut Stream| {
        let one = |_: &u32| {
            let mut claims = simulated(stream, 8, 0.0);
            decide(&mut claims, level);
            claims.iter().any(|claim| claim.moved)
        };
        (0..trials).filter(one).count()
    };
    // eight independent claims; the tests of one claim overlap by the third that combines two, which costs a tenth of
    // the level or so
    let hits = accused(0.05, &mut stream);
    assert!((130..=230).contains(&hits), "{hits} of {trials}, at most 200 expected");
    let hits = accused(0.01, &mut stream);
    assert!((15..=60).contains(&hits), "{hits} of {trials}, at most 40 expected");
}

#[test]
fn a_shift_is_found_with_the_power_that_is_printed() {
    let mut stream = Stream(602);
    let mut claims = simulated(&mut stream, 8, 0.0);
    powers(&mut claims, FALSE_ALARMS);
    // 1e-6 over 8 claims of six tests: 5.61 standard errors and 2.33 more
    let (one, both) = (claims[0].changes[0].difference.expect("a test").detectable, claims[0].together[0].detectable);
    assert!((one - 7.94).abs() < 0.02 && (both - one * FRAC_1_SQRT_2).abs() < 1e-12, "{one} {both}");
    let trials = 1000;
    let (mut together, mut alone) = (0, 0);
    for _ in 0..trials {
        // one claim moves among eight: both generators by `both`
        let mut claims = simulated(&mut stream, 8, 0.0);
        claims[3] = simulated(&mut stream, 4, both).remove(3);
        decide(&mut claims, FALSE_ALARMS);
        assert!(claims.iter().enumerate().all(|(at, claim)| at == 3 || !claim.moved));
        together += usize::from(claims[3].together[0].moved);
        let mut claims = simulated(&mut stream, 8, 0.0);
        claims[3] = simulated(&mut stream, 4, one).remove(3);
        decide(&mut claims, FALSE_ALARMS);
        alone += usize::from(claims[3].changes[0].state == State::Moved);
    }
    assert_rate(together, trials, 0.99);
    assert_rate(alone, trials, 0.99);
}

#[test]
fn medians_that_did_not_change_move_no_oftener_than_the_level_says() {
    let mut stream = Stream(603);
    for replicates in [16, 40, 400] {
        let mut one = || {
            let values: Vec<f64> = (0..replicates).map(|_| (0.5 * stream.normal()).exp()).collect();
            let measured =
                empirical(quantile(&values, 0.5), median_interval(&values, EMPIRICAL_LEVEL), replicates as u64);
            Check::decide(measured, 1e-8, Source::Pcg32)
        };
        let trials = 1000;
        let below = |_: &u32| {
            let (then, now) = (one(), one());
            change(&then, &now).difference.is_some_and(|found| found.p < 0.05)
        };
        let hits = (0..trials).filter(below).count();
        assert!(hits <= 75, "{replicates}: {hits} of {trials}, at most 50 expected");
        assert!(replicates < 400 || hits >= 15, "{replicates}: {hits} of {trials}, about 50 expected");
    }
}

#[test]
fn claims_share_the_level_by_holm() {
    let mut stream = Stream(604);
    let mut claims = simulated(&mut stream, 8, 0.0);
    claims[2] = simulated(&mut stream, 3, 20.0).remove(2);
    claims[5] = simulated(&mut stream, 6, 20.0).remove(5);
    decide(&mut claims, FALSE_ALARMS);
    let moved: Vec<bool> = claims.iter().map(|claim| claim.moved).collect();
    assert_eq!(moved, [false, false, true, false, false, true, false, false]);
    // two rejected, so six share what is left
    assert!(claims.iter().all(|claim| (claim.level * 36.0 / 1e-6 - 1.0).abs() < 1e-12));
}

#[test]
fn what_was_measured_otherwise_is_no_baseline() {
    let compared = |then: Vec<Measured>| compare(&run(then), &run(vec![limit(1.0)]).claims);
    assert!(compared(vec![limit(1.0)]).is_ok());
    assert!(compared(vec![]).is_err());
    assert!(compared(vec![limit(1.0), limit(1.0)]).is_err());
    assert!(compared(vec![Measured { what: "b".into(), ..limit(1.0) }]).is_err());
    assert!(compared(vec![Measured::exact("a", 1.0, 1.0, 1)]).is_err());
    let refused = |then: Measured, now: Measured, says: &[&str]| {
        let message = self::compared(then, now).expect_err("refused");
        assert!(
            ["drift", "\"a\"", "pcg32", "accepted"].iter().chain(says).all(|word| message.contains(word)),
            "{message}"
        );
    };
    refused(Measured::limit("a", (1.0, 0.01), 1.0, 0.5, 40), limit(1.0), &["replicates is 40", "400"]);
    refused(Measured { tolerance: 0.4, ..limit(1.0) }, limit(1.0), &["tolerance is 0.4", "0.5"]);
    let of = |error| {
        let test = Test { p: 0.3, detectable: 0.08, budget: 1.0, error };
        Measured::sharp("a", 0.0, 0.0, test, 9)
    };
    refused(of(StandardError { value: 0.01, dof: Some(8.0) }), of(StandardError::known(0.01)), &["dof is 8", "inf"]);
    refused(of(StandardError::known(1.0)), of(StandardError::known(0.01)), &["standard_error is 1", "0.01"]);
    let then = run(vec![limit(1.0)]);
    let mut now = run(vec![limit(1.0)]);
    now.claims[0].checks[0].level = 2e-8;
    assert!(compare(&then, &now.claims).expect_err("refused").contains("level"));
    // what fails now is no bad baseline: the defect may have changed the count
    let broken = Measured::limit("a", (9.0, 0.01), 1.0, 0.5, 399);
    assert!(self::compared(limit(1.0), broken).expect("comparable").moved());
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
    let other = [(claim.id.as_ref(), "n = 1", claim.estimator.as_ref())].into_iter();
    assert!(comparable(&base, &base, other).is_err());
}
