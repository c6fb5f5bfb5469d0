//! `junit.xml`: the verdicts for CI systems. A claim that fails is a failure, one that is undecided an error (more replicates are needed),
//! an empirical one never either; nothing is reported as skipped.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::table::{estimate, tolerance, word};
use super::{Decided, Verdicts};
use crate::claims::Kind;
use crate::claims::check::Check;
use crate::stats::verdict::Verdict;

/// The file's text. It names no time.
///
/// # Errors
/// The serializer's.
pub fn junit(verdicts: &Verdicts) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new(format!("verify {}, seed {}", verdicts.profile, verdicts.seed));
    suite.add_test_cases(verdicts.claims.iter().map(case));
    let mut report = Report::new("birth-death");
    report.add_test_suite(suite);
    report.to_string()
}

fn case(claim: &Decided) -> TestCase {
    let bad = |kind, wanted| {
        let mut status = TestCaseStatus::non_success(kind);
        let lines: Vec<String> = claim.checks.iter().filter(|check| check.verdict == wanted).map(line).collect();
        status.set_message(format!("{} {}", claim.id, word(claim.verdict))).set_description(lines.join("\n"));
        status
    };
    let status = match claim.verdict {
        Verdict::Fails => bad(NonSuccessKind::Failure, Verdict::Fails),
        Verdict::Undecided if claim.kind != Kind::Empirical => bad(NonSuccessKind::Error, Verdict::Undecided),
        _ => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(claim.id.as_ref(), status);
    case.set_classname("claims");
    let lines: Vec<String> = claim.checks.iter().map(line).collect();
    case.set_system_out(format!("{}: {}\n{}", word(claim.verdict), claim.statement, lines.join("\n")));
    case
}

fn line(check: &Check) -> String {
    format!("{}: {}: {}, should be {}", word(check.verdict), check.what, estimate(check), tolerance(check))
}
