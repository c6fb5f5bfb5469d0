//! The table on the terminal: a line a claim, showing the check that decided it or came closest to.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use super::Decided;
use crate::claims::check::{Check, Null, tightest};
use crate::defects::only_by;
use birth_death_stats::verdict::Verdict;
use birth_death_terminal::digits::number;

/// The word for a verdict.
pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Fails => "FAILS",
        Verdict::Undecided => "undecided",
        Verdict::Supported => "supported",
        Verdict::Refuted => "refuted",
    }
}

/// Two significant digits: of an error, or of a p-value.
pub(super) fn two_digits(x: f64) -> String {
    format!("{x:.1e}").parse::<f64>().map_or_else(|_| x.to_string(), number)
}

/// The estimate with its uncertainty.
pub(super) fn estimate(check: &Check) -> String {
    match check.null {
        Null::Exact => number(check.estimate),
        Null::Sharp { p, .. } => format!("{} (p = {})", number(check.estimate), two_digits(p)),
        Null::Limit { standard_error, .. } => format!("{} ± {}", number(check.estimate), two_digits(standard_error)),
        Null::Empirical { low, high } => format!("{} ({} to {})", number(check.estimate), number(low), number(high)),
    }
}

/// What it should be.
pub(super) fn tolerance(check: &Check) -> String {
    match check.null {
        Null::Exact if check.reference != 0.0 => {
            format!("{} ± {}", number(check.reference), number(check.tolerance))
        }
        Null::Exact if check.tolerance == 0.0 => "none".into(),
        Null::Exact => format!("<= {}", number(check.tolerance)),
        Null::Sharp { .. } => format!("{} (sharp)", number(check.reference)),
        Null::Limit { .. } => format!("{} ± {}", number(check.reference), number(check.tolerance)),
        Null::Empirical { .. } => format!("above {}", number(check.reference)),
    }
}

/// What to know of a claim on which alone the verification of something rests.
pub(super) fn alone(claim: &str) -> Option<String> {
    let defects = only_by(claim);
    let whose =
        if claim == "conservation" { "this claim alone (by its second implementation)" } else { "this claim alone" };
    (!defects.is_empty()).then(|| format!("of the planted defects {whose} catches {}", defects.join(", ")))
}

/// The table of the claims decided, and below it what each line shows.
pub fn table(claims: &[Decided]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["claim", "verdict", "estimate", "tolerance", "detects", "replicates"]);
    let mut notes = String::new();
    for claim in claims {
        let Some(check) = tightest(&claim.checks) else { continue };
        table.add_row([
            claim.id.to_string(),
            word(claim.verdict).to_owned(),
            estimate(check),
            tolerance(check),
            number(check.detectable),
            check.replicates.to_string(),
        ]);
        let _ = write!(notes, "\n  {}: {} (tightest of {})", claim.id, check.what, claim.checks.len());
        if let Some(alone) = alone(&claim.id) {
            let _ = write!(notes, "; {alone}");
        }
    }
    if let Some(column) = table.column_mut(5) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n{notes}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rests_on_one_claim_is_said_of_it() {
        let text = alone("conservation").expect("a note");
        assert!(text.contains("second implementation") && text.contains("one-gradient-off"), "{text}");
        assert_eq!(alone("event-counts").as_deref(), Some("of the planted defects this claim alone catches at-most"));
        assert_eq!(alone("drift"), None);
    }

    #[test]
    fn numbers_have_four_significant_digits() {
        for (x, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.12345, "0.1235"),
            (0.043678, "0.04368"),
            (0.001, "0.001"),
            (-0.5, "-0.5"),
            (12345.6, "12346"),
            (999.96, "1000"),
            (1e-12, "1.00e-12"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(x), text);
        }
    }
}
