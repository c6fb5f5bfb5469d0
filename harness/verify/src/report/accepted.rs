//! What a stored run must be, so that today's can be compared with it: everything that a file can say wrong is
//! refused, with the claim, the check, the field, its value and what is accepted. What only the measurement tells is
//! looked at after it ([`same_plan`]).

use super::{Decided, Verdicts};
use crate::claims::check::{self, Check, EMPIRICAL_LEVEL, Null};
use birth_death_output::folder::PROGRAM;
use birth_death_stats::power::{POWER, detectable_limit};
use birth_death_stats::verdict::Verdict;

/// Relative difference up to which two numbers that follow from the profile are one: libraries of transcendental
/// functions differ in the last bits.
const SAME: f64 = 1e-9;

/// Whether the file is that of a whole run of this program, and its numbers are such as a run writes: an uncertainty
/// that is infinite, or no number, would agree with anything.
///
/// # Errors
/// The first thing that is not so, and what would be accepted.
pub fn sound(stored: &Verdicts) -> Result<(), String> {
    let program = &stored.build.program;
    if program != PROGRAM {
        return Err(format!("program is {program:?}; accepted: {PROGRAM:?}"));
    }
    if !stored.complete {
        return Err("is of an interrupted run; accepted: one of a complete run".to_owned());
    }
    if stored.wanted != stored.claims.len() {
        let count = stored.claims.len();
        return Err(format!("wanted is {}, of {count} claims; accepted: {count}", stored.wanted));
    }
    for (at, claim) in stored.claims.iter().enumerate() {
        if stored.claims[..at].iter().any(|other| other.id == claim.id) {
            return Err(format!("has claim {} twice; accepted: each once", claim.id));
        }
        for (at, check) in claim.checks.iter().enumerate() {
            let place = place(claim, check);
            let same = |other: &Check| other.what == check.what && other.generator == check.generator;
            if claim.checks[..at].iter().any(same) {
                return Err(format!("{place}: stands twice; accepted: each once"));
            }
            numbers(check).map_err(|what| format!("{place}: {what}"))?;
        }
        let verdict = check::verdict(&claim.checks);
        if claim.verdict != verdict {
            return Err(format!(
                "claim {}: verdict is {}; accepted: {}, which its checks say",
                claim.id,
                word(claim.verdict),
                word(verdict)
            ));
        }
    }
    Ok(())
}

fn place(claim: &Decided, check: &Check) -> String {
    format!("claim {}, check {:?} ({})", claim.id, check.what, check.generator.name())
}

fn word(verdict: Verdict) -> String {
    super::table::word(verdict).to_lowercase()
}

/// A field that is not as it must be.
fn field(name: &str, value: impl std::fmt::Display, accepted: &str) -> Result<(), String> {
    Err(format!("{name} is {value}; accepted: {accepted}"))
}

/// The numbers of one check. The estimate may be anything: one that is no number has moved.
fn numbers(check: &Check) -> Result<(), String> {
    let size = |x: f64| x.is_finite() && x >= 0.0;
    if check.replicates == 0 {
        return field("replicates", 0, "at least 1");
    }
    if !size(check.tolerance) {
        return field("tolerance", check.tolerance, "a finite number >= 0");
    }
    if !check.reference.is_finite() {
        return field("reference", check.reference, "a finite number");
    }
    if !(check.level > 0.0 && check.level <= EMPIRICAL_LEVEL) {
        return field("level", check.level, &format!("above 0, at most {EMPIRICAL_LEVEL}"));
    }
    match check.null {
        Null::Exact => {}
        Null::Sharp { p, detectable, standard_error, dof } => {
            if detectable.to_bits() != check.detectable.to_bits() {
                return field("detectable", check.detectable, &format!("{detectable}, as in null"));
            }
            if !(p.is_nan() || (0.0..=1.0).contains(&p)) {
                return field("p", p, "0 to 1");
            }
            if !size(standard_error) {
                return field("standard_error", standard_error, "a finite number >= 0");
            }
            if let Some(dof) = dof.filter(|dof| !(dof.is_finite() && *dof >= 1.0)) {
                return field("dof", dof, "null (known), or a finite number >= 1");
            }
        }
        Null::Limit { standard_error, dof } => {
            if !size(standard_error) {
                return field("standard_error", standard_error, "a finite number >= 0");
            }
            let own = check.replicates as f64 - 1.0;
            if dof != own || own < 1.0 {
                return field("dof", dof, &format!("replicates - 1, at least 1; replicates is {}", check.replicates));
            }
            let detectable = check.tolerance + detectable_limit(standard_error, dof, check.level, POWER);
            if !near(check.detectable, detectable) {
                return field("detectable", check.detectable, &format!("{detectable}, which its standard error says"));
            }
        }
        Null::Empirical { low, high } => {
            let estimate = check.estimate;
            // written so that NaN is none
            if !(estimate.is_nan() || low <= estimate && estimate <= high) {
                return field("low to high", format!("{low} to {high}"), &format!("around the estimate, {estimate}"));
            }
        }
    }
    let verdict = check.null.verdict(check.estimate, check.reference, check.tolerance, check.level);
    if check.verdict != verdict {
        return field("verdict", word(check.verdict), &format!("{}, which its numbers say", word(verdict)));
    }
    Ok(())
}

/// Whether a stored check was measured as today's: replicates, tolerance, level and degrees of freedom follow from
/// the profile, and so does a standard error that is known.
///
/// # Errors
/// The first field that differs, and its value today.
pub fn same_plan(claim: &Decided, then: &Check, now: &Check) -> Result<(), String> {
    let size = |null: &Null| match *null {
        Null::Sharp { dof: None, standard_error, .. } => standard_error,
        _ => 0.0,
    };
    let dof = |null: &Null| match *null {
        Null::Sharp { dof, .. } => dof.unwrap_or(f64::INFINITY),
        Null::Limit { dof, .. } => dof,
        Null::Exact | Null::Empirical { .. } => 0.0,
    };
    let fields = [
        ("replicates", then.replicates as f64, now.replicates as f64),
        ("tolerance", then.tolerance, now.tolerance),
        ("level", then.level, now.level),
        ("dof", dof(&then.null), dof(&now.null)),
        ("standard_error", size(&then.null), size(&now.null)),
    ];
    for (name, then_is, now_is) in fields {
        if !near(then_is, now_is) {
            let place = place(claim, then);
            return Err(format!("{place}: {name} is {then_is}; accepted: {now_is}, which this build has"));
        }
    }
    Ok(())
}

fn near(a: f64, b: f64) -> bool {
    // an infinite one is near to itself only
    a.to_bits() == b.to_bits() || (b.is_finite() && (a - b).abs() <= SAME * b.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Profile;
    use crate::claims::Claim;
    use crate::claims::check::{Measured, Test};
    use crate::generators::Source;
    use birth_death_stats::difference::StandardError;

    /// A run with one check of each kind.
    fn run() -> Verdicts {
        let test = Test { p: 0.3, detectable: 0.08, budget: 1.0, error: StandardError::known(0.01) };
        let measured = vec![
            Measured::exact("exact", 0.0, 1.0, 9),
            Measured::sharp("sharp", 0.0, 0.0, test, 9),
            Measured::limit("limit", (1.0, 0.01), 1.0, 0.5, 400),
            Measured::empirical("empirical", 2.0, (1.5, 2.5), 1.0, 40),
        ];
        let checks = measured.into_iter().map(|m| Check::decide(m, 1e-8, Source::Pcg32)).collect();
        let claim = Claim::named("drift").expect("a claim");
        Verdicts::new(Profile::Quick, 1, 1, vec![Decided::new(claim, checks, Vec::new())])
    }

    /// That a run so changed is refused, with all of these words.
    fn refused(change: impl FnOnce(&mut Verdicts), says: &[&str]) {
        let mut run = run();
        change(&mut run);
        let message = sound(&run).expect_err("refused");
        for word in says.iter().chain(&["accepted"]) {
            assert!(message.contains(word), "{word}: {message}");
        }
    }

    #[test]
    fn what_a_run_writes_is_sound() {
        assert_eq!(sound(&run()), Ok(()));
        // an estimate may be anything, and an interval may have no end
        let mut open = run();
        open.claims[0].checks[3] = Check::decide(
            Measured::empirical("empirical", 2.0, (f64::NEG_INFINITY, f64::INFINITY), 1.0, 10),
            1e-8,
            Source::Pcg32,
        );
        open.claims[0].checks[2] =
            Check::decide(Measured::limit("limit", (f64::NAN, 0.01), 1.0, 0.5, 400), 1e-8, Source::Pcg32);
        open.claims[0].verdict = check::verdict(&open.claims[0].checks);
        assert_eq!(sound(&open), Ok(()));
    }

    #[test]
    fn a_file_that_is_not_of_a_whole_run_is_refused() {
        refused(|run| run.build.program = "other".into(), &["program", "other", "birth-death"]);
        refused(|run| run.complete = false, &["interrupted"]);
        refused(|run| run.wanted = 2, &["wanted is 2", "1"]);
        refused(
            |run| {
                run.claims.push(run.claims[0].clone());
                run.wanted = 2;
            },
            &["drift twice"],
        );
        refused(
            |run| {
                let again = run.claims[0].checks[1].clone();
                run.claims[0].checks.push(again);
            },
            &["drift", "sharp", "pcg32", "twice"],
        );
        refused(|run| run.claims[0].verdict = Verdict::Fails, &["drift", "verdict is fails", "supported"]);
    }

    #[test]
    fn numbers_that_no_run_writes_are_refused_with_their_place() {
        let place = |at: usize| ["drift", ["exact", "sharp", "limit", "empirical"][at], "pcg32"];
        let check = |at: usize, change: fn(&mut Check), says: &str| {
            refused(|run| change(&mut run.claims[0].checks[at]), &[&place(at)[..], &[says]].concat());
        };
        check(0, |check| check.replicates = 0, "replicates is 0");
        check(0, |check| check.tolerance = f64::INFINITY, "tolerance is inf");
        check(1, |check| check.tolerance = f64::NAN, "tolerance is NaN");
        check(1, |check| check.reference = f64::NAN, "reference is NaN");
        check(2, |check| check.level = 0.0, "level is 0");
        check(2, |check| check.level = 0.5, "level is 0.5");
        let null = |at: usize, null: Null, says: &str| {
            refused(|run| run.claims[0].checks[at].null = null, &[&place(at)[..], &[says]].concat());
        };
        let sharp = |p, detectable, standard_error, dof| Null::Sharp { p, detectable, standard_error, dof };
        null(1, sharp(1.5, 0.08, 0.01, None), "p is 1.5");
        null(1, sharp(-0.5, 0.08, 0.01, None), "p is -0.5");
        null(1, sharp(0.3, 0.8, 0.01, None), "detectable is 0.08");
        for error in [f64::INFINITY, f64::NAN, -0.01] {
            let says = format!("standard_error is {error}");
            null(1, sharp(0.3, 0.08, error, None), &says);
            null(2, Null::Limit { standard_error: error, dof: 399.0 }, &says);
        }
        for dof in [0.5, -1.0, f64::INFINITY, f64::NAN] {
            null(1, sharp(0.3, 0.08, 0.01, Some(dof)), &format!("dof is {dof}"));
        }
        for dof in [400.0, 39.0, f64::INFINITY, f64::NAN] {
            null(2, Null::Limit { standard_error: 0.01, dof }, "replicates - 1");
        }
        null(2, Null::Limit { standard_error: 0.02, dof: 399.0 }, "which its standard error says");
        null(3, Null::Empirical { low: 2.1, high: 2.5 }, "low to high is 2.1 to 2.5");
        null(3, Null::Empirical { low: f64::NAN, high: 2.5 }, "low to high is NaN");
        // a verdict that the numbers do not have would excuse today's failure
        check(1, |check| check.verdict = Verdict::Fails, "verdict is fails");
        check(3, |check| check.verdict = Verdict::Undecided, "verdict is undecided");
    }
}
