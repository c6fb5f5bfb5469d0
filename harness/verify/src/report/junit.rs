//! `junit.xml`: the verdicts for CI systems. A claim that fails is a failure, one that is undecided an error (more
//! replicates are needed), an empirical one never either; nothing is reported as skipped. With a baseline a claim fails
//! if any of its estimates moved, and only then. An interrupted run is an error, and so is a baseline that nothing can
//! be compared with.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::comparison::Comparison;
use super::table::{estimate, tolerance, word};
use super::{Decided, Verdicts, compared};
use crate::claims::Kind;
use crate::claims::check::Check;
use birth_death_stats::verdict::Verdict;

/// The file's text. It names no time. `refused` says why the baseline asked for is not compared with.
///
/// # Errors
/// The serializer's.
pub fn junit(verdicts: &Verdicts, refused: Option<&str>) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new(format!("verify {}, seed {}", verdicts.profile, verdicts.seed));
    suite.add_test_cases(verdicts.claims.iter().map(|claim| case(claim, verdicts.baseline.as_ref())));
    if !verdicts.complete {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(format!("interrupted after {} of {} claims", verdicts.claims.len(), verdicts.wanted));
        suite.add_test_case(TestCase::new("complete", status));
    }
    if let Some(why) = refused {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(format!("not compared: {why}"));
        suite.add_test_case(TestCase::new("baseline", status));
    }
    let mut report = Report::new("birth-death");
    report.add_test_suite(suite);
    // the serializer leaves out control characters, but not these two, which XML has not either
    Ok(report.to_string()?.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
}

fn case(claim: &Decided, baseline: Option<&Comparison>) -> TestCase {
    let bad = |kind, word: &str, lines: Vec<String>| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(format!("{} {word}", claim.id)).set_description(lines.join("\n"));
        status
    };
    let lines =
        |wanted| -> Vec<String> { claim.checks.iter().filter(|check| check.verdict == wanted).map(line).collect() };
    let baseline = baseline.and_then(|found| found.of(&claim.id));
    let status = match (baseline, claim.verdict) {
        (Some(found), _) if found.moved => {
            bad(NonSuccessKind::Failure, "moved since the baseline", compared::news(found))
        }
        (Some(_), _) => TestCaseStatus::success(),
        (None, Verdict::Fails) => bad(NonSuccessKind::Failure, "fails", lines(Verdict::Fails)),
        (None, Verdict::Undecided) if claim.kind != Kind::Empirical => {
            bad(NonSuccessKind::Error, "is undecided", lines(Verdict::Undecided))
        }
        _ => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(claim.id.as_ref(), status);
    case.set_classname("claims");
    let mut lines: Vec<String> = claim.checks.iter().map(line).collect();
    if let Some(found) = baseline {
        lines.push("since the baseline:".to_owned());
        lines.extend(compared::all(found));
    }
    case.set_system_out(format!("{}: {}\n{}", word(claim.verdict), claim.statement, lines.join("\n")));
    case
}

fn line(check: &Check) -> String {
    format!("{}: {}: {}, should be {}", word(check.verdict), check.what, estimate(check), tolerance(check))
}
