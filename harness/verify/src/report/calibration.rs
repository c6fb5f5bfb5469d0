//! The part of the page that says how often the claims are right: false alarms, and the matrix of defects and claims.

use maud::{Markup, html};

use super::Verdicts;
use crate::calibrate::{Calibration, Rate};
use birth_death_terminal::digits::number;

/// The section.
pub(super) fn section(calibration: &Calibration, verdicts: &Verdicts) -> Markup {
    let (correct, budget) = (&calibration.correct, number(calibration.false_alarm_budget));
    let claims = claims(calibration);
    html! {
        section {
            h2 #calibration { "Calibration" }
            p {
                "Measured at the " (calibration.profile) " settings, with seeds from " (calibration.seed) " on, by \
                    commit " (calibration.build.commit)
                @if calibration.build != verdicts.build { strong { " (another build than that of the verdicts \
                    above)" } }
                @if !calibration.complete { "; the measurements are not complete" } ". Bounds are exact (Clopper and \
                    Pearson) at level "
                (number(calibration.bound_level)) "."
            }
            @if correct.false_alarms.of > 0 {
                p {
                    "The correct build, held against " (correct.claims.len()) " claims, was accused \
                        with " (of(&correct.false_alarms)) " seeds: with a probability of at most "
                    (percent(correct.false_alarms.high)) ", by this measurement; of at most " (budget) ", as derived. \
                        It was undecided with "
                    (of(&correct.undecided)) " seeds: at most " (percent(correct.undecided.high)) "."
                    @for claim in correct.claims.iter().filter(|claim| claim.fails.count > 0) {
                        " " strong { (claim.claim) " failed in " (of(&claim.fails)) " runs." }
                    }
                }
                @if correct.uniformity.below.is_finite() {
                    p {
                        "Of the p-values of " (correct.uniformity.checks.len()) " sharp \
                            checks " (percent(correct.uniformity.below))
                        " lie below 0.05 (" (percent(correct.uniformity.low)) " to " (percent(correct.uniformity.high))
                        "); those of exact tests of counts are conservative. Are they smaller than uniform? p = "
                        (number(correct.uniformity.superuniform)) " for all checks together."
                    }
                }
            }
            @if !calibration.defects.is_empty() {
                h3 { "Planted defects" }
                p { "Runs in which the claim failed, of those it was measured in. Empty: not measured." }
                div.wide {
                    table {
                        thead {
                            tr {
                                th { "defect" }
                                @for claim in &claims { th { (claim) } }
                                th.number { "any" }
                                th.number { "at least" }
                            }
                        }
                        tbody {
                            @for defect in &calibration.defects {
                                tr {
                                    td {
                                        (defect.description)
                                        @if defect.hole { " " span.fails.verdict { "open hole" } }
                                    }
                                    @for claim in &claims {
                                        td.number {
                                            @let cell = defect.claims.iter().find(|cell| cell.claim == *claim);
                                            @if let Some(cell) = cell { (of(&cell.detected)) }
                                        }
                                    }
                                    td.number { (of(&defect.detected)) }
                                    td.number { (number(defect.detected.low)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The claims that any defect was held against, in order of appearance.
fn claims(calibration: &Calibration) -> Vec<&str> {
    let mut claims = Vec::new();
    for cell in calibration.defects.iter().flat_map(|defect| &defect.claims) {
        if !claims.contains(&cell.claim.as_ref()) {
            claims.push(cell.claim.as_ref());
        }
    }
    claims
}

fn of(rate: &Rate) -> String {
    format!("{}/{}", rate.count, rate.of)
}

fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.2} %", 100.0 * share) } else { "unknown".to_owned() }
}
