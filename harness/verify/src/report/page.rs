//! `index.html`: the verdicts for people. One file without scripts, fonts or pictures from elsewhere: it opens offline.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::table::{alone, estimate, tolerance, word};
use super::{Decided, Verdicts, checks, compared};
use crate::calibrate::Calibration;
use crate::claims::Kind;
use crate::claims::check::{Check, EMPIRICAL_LEVEL, Null, by_closeness_to_failing, tightest};
use birth_death_charts::draw;
use birth_death_charts::plot::{Mark, Plot};
use birth_death_stats::verdict::Verdict;
use birth_death_terminal::digits::number;

/// The whole page; with what a calibration came to, if there is one.
pub fn page(verdicts: &Verdicts, calibration: Option<&Calibration>) -> String {
    let title = format!("birth-death: {}", summary(verdicts));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                h1 { "Claims of birth-death" }
                p { (summary(verdicts)) "." @if !verdicts.complete { " The run was interrupted: some claims are \
                    missing." } }
                p.soft {
                    "Each claim is measured on the crate and held against an oracle that shares no code with it. A \
                        correct build fails any claim with a probability of at \
                        most " (number(verdicts.false_alarms)) ". Profile " (verdicts.profile) ", \
                        seed " (verdicts.seed) ", "
                    (verdicts.precision) " but where a check says f32. Every row shows the check that came closest \
                        to failing; "
                    i { "detects" } " is the smallest deviation that fails with probability 0.99."
                }
                @if let Some(found) = &verdicts.baseline { (compared::overview(found)) }
                (overview(&verdicts.claims))
                (how_to_read())
                @for claim in &verdicts.claims { (section(claim, verdicts)) }
                @if let Some(calibration) = calibration { (super::calibration::section(calibration, verdicts)) }
                h2 #manifest { "Manifest" }
                (manifest(verdicts))
            }
        }
    }
    .into_string()
}

/// How many claims came out how.
pub fn summary(verdicts: &Verdicts) -> String {
    let count = |verdict| verdicts.claims.iter().filter(|claim| claim.verdict == verdict).count();
    let words = [
        (Verdict::Holds, "hold"),
        (Verdict::Fails, "fail"),
        (Verdict::Undecided, "undecided"),
        (Verdict::Supported, "supported"),
        (Verdict::Refuted, "refuted"),
    ];
    let counts = words.map(|(verdict, word)| (count(verdict), word));
    // the first three are always said: nobody should wonder
    let said = counts.iter().enumerate().filter(|(index, (count, _))| *index < 3 || *count > 0);
    said.map(|(_, (count, word))| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

fn how_to_read() -> Markup {
    let words = [
        (
            "sharp",
            "An exact null hypothesis, by a p-value. Fails if p is below the check's level; holds if it is not and the \
                smallest effect found with probability 0.99 (detects) is within what the claim promises to see.",
        ),
        (
            "limit",
            "The estimate may differ from the oracle by a derived tolerance. Holds if the whole interval of the \
                estimate lies within, fails if the whole interval lies outside.",
        ),
        ("exact", "No randomness in the verdict: a deviation that may not exceed its tolerance."),
        (
            "empirical",
            "A comparison of dynamics. Supported or refuted by an interval; never a failure of the build. Under \
                detects: half the interval.",
        ),
        ("undecided", "Neither way: more replicates are needed."),
        ("level", "The probability with which a correct build fails the check, at most."),
    ];
    html! {
        details { summary { "How to read this" } dl { @for (word, text) in words { dt { (word) } dd { (text) } } } }
    }
}

fn verdict(verdict: Verdict) -> Markup {
    html! { span class={ "verdict " (word(verdict).to_lowercase()) } { (word(verdict)) } }
}

fn overview(claims: &[Decided]) -> Markup {
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th { "claim" } th { "kind" } th { "verdict" } th.number { "estimate" } th.number { "tolerance" }
                        th.number { "detects" } th.number { "replicates" } th.number { "checks" }
                    }
                }
                tbody {
                    @for claim in claims {
                        tr {
                            td { a href={ "#" (claim.id) } { (claim.id) } }
                            td { (kind(claim.kind)) }
                            td { (verdict(claim.verdict)) }
                            @if let Some(check) = tightest(&claim.checks) {
                                (numbers(check))
                            } @else {
                                td {} td {} td {} td {}
                            }
                            td.number { (claim.checks.len()) }
                        }
                    }
                }
            }
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Sharp => "sharp",
        Kind::Limit => "limit",
        Kind::Empirical => "empirical",
    }
}

/// Four cells.
fn numbers(check: &Check) -> Markup {
    html! {
        td.number { (estimate(check)) }
        td.number { (tolerance(check)) }
        td.number { (number(check.detectable)) }
        td.number { (check.replicates) }
    }
}

/// The verdict as a sentence.
fn in_words(claim: &Decided) -> String {
    let count = claim.checks.len();
    let with = |verdict| claim.checks.iter().filter(|check| check.verdict == verdict).count();
    let Some(check) = tightest(&claim.checks) else {
        return "Nothing was measured, so nothing is decided.".to_owned();
    };
    let shown = format!("{}, {} (should be {})", check.what, estimate(check), tolerance(check));
    match claim.verdict {
        Verdict::Holds => format!("All {count} checks hold. The one that came closest to failing: {shown}."),
        Verdict::Fails => format!(
            "{} of {count} checks fail: a correct build does this with a probability of at most {} a check. The worst: \
                {shown}.",
            with(Verdict::Fails),
            number(check.level)
        ),
        Verdict::Undecided => format!(
            "{} of {count} checks can be decided neither way: more replicates are needed (--profile full). The first: \
                {shown}.",
            with(Verdict::Undecided)
        ),
        Verdict::Supported => format!(
            "The measurement supports the paper, at level {}, in {count} of {count} checks. The weakest: {shown}.",
            number(EMPIRICAL_LEVEL)
        ),
        Verdict::Refuted => format!(
            "The measurement contradicts the paper in {} of {count} checks, at level {}: a result, and no failure of \
                the build. {shown}.",
            with(Verdict::Refuted),
            number(EMPIRICAL_LEVEL)
        ),
    }
}

fn section(claim: &Decided, verdicts: &Verdicts) -> Markup {
    let texts = [
        ("Source", &claim.source),
        ("Setting", &claim.setting),
        ("Estimator", &claim.estimator),
        ("Oracle", &claim.oracle),
        ("Tolerance", &claim.tolerance),
    ];
    let mut shown: Vec<(usize, &Check)> = (1..).zip(&claim.checks).collect();
    // on one axis: what an empirical claim has beside is in the table
    shown.retain(|(_, check)| claim.kind != Kind::Empirical || matches!(check.null, Null::Empirical { .. }));
    shown.sort_by(|a, b| by_closeness_to_failing(b.1, a.1));
    shown.truncate(checks::SHOWN);
    shown.sort_by_key(|(number, _)| *number);
    let which = if shown.len() < claim.checks.len() {
        format!("The {} checks that came closest to failing, of {}", shown.len(), claim.checks.len())
    } else {
        "Every check".to_owned()
    };
    let bars = if claim.kind == Kind::Empirical {
        "Bars: the interval of the estimate; to the right of the line the paper is supported. Hollow: beyond the scale."
    } else {
        "A limit check fails when its whole bar lies outside the band (the tolerance), an exact or sharp one when its \
            dot does: a sharp check stands at the normal quantile of its p-value, over that of its level. Hollow: \
            beyond the scale."
    };
    html! {
        section {
            h2 id=(claim.id) { (claim.id) ": " (verdict(claim.verdict)) }
            p { (capitalised(&claim.statement)) "." }
            p { (in_words(claim)) }
            @if let Some(alone) = alone(&claim.id) { p { (capitalised(&alone)) "." } }
            @for plot in &claim.plots {
                figure { (PreEscaped(draw::plot(plot))) figcaption { (plot.title) ": " (legend(plot)) } }
            }
            figure {
                (PreEscaped(checks::checks(&format!("Checks of {}", claim.id), &shown)))
                figcaption { (which) ", by the numbers of the table below. " (bars) }
            }
            dl {
                @for (name, text) in texts { dt { (name) } dd { (text) } }
                dt { "Again" }
                dd { code { "cargo run --release -- verify --profile " (verdicts.profile) " --seed " (verdicts.seed) " \
                    --claim " (claim.id) } }
            }
            details {
                summary { (claim.checks.len()) " checks" }
                div.wide { (checks(&claim.checks)) }
            }
            @if let Some(found) = verdicts.baseline.as_ref().and_then(|found| found.of(&claim.id)) {
                (compared::table(found))
            }
        }
    }
}

/// The names of a picture's series in their colours.
fn legend(plot: &Plot) -> Markup {
    html! {
        @for (index, series) in plot.series.iter().enumerate() {
            @let shape = if series.mark == Mark::Dots { "dot" } else { "stroke" };
            span.key { span class=(shape) style={ "background: " (draw::variable(index)) } {} (series.name) }
        }
    }
}

fn checks(checks: &[Check]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th.number { "#" } th { "what" } th { "verdict" } th.number { "estimate" } th.number { "tolerance" }
                    th.number { "detects" } th.number { "replicates" } th.number { "level" } th { "generator" }
                }
            }
            tbody {
                @for (index, check) in (1..).zip(checks) {
                    tr {
                        td.number { (index) }
                        td { (check.what) @if check.of_oracles { " (oracle against oracle)" } }
                        td { (verdict(check.verdict)) }
                        (numbers(check))
                        td.number { @if check.null == Null::Exact { "exact" } @else { (number(check.level)) } }
                        td { (check.generator.name()) }
                    }
                }
            }
        }
    }
}

fn manifest(verdicts: &Verdicts) -> Markup {
    let build = &verdicts.build;
    let sources = match build.dirty {
        Some(true) => "changed since",
        Some(false) => "as committed",
        None => "not known",
    };
    let entries = [
        ("Program", format!("{} {}", build.program, build.version)),
        ("Commit", format!("{} ({sources})", build.commit)),
        ("Target", build.target.to_string()),
        ("Features", build.features.join(", ")),
        ("Profile", verdicts.profile.to_string()),
        ("Seed", verdicts.seed.to_string()),
        ("Precision", verdicts.precision.to_string()),
        ("Streams", verdicts.streams.to_string()),
        (
            "Level",
            format!(
                "{} over {} claims and {} generators, then over the checks of each",
                number(verdicts.false_alarms),
                number(verdicts.claims_in_budget),
                number(verdicts.generators_in_budget)
            ),
        ),
        ("Numbers", "verdicts.json, beside this page; `birth-death report` makes the page from it".to_owned()),
    ];
    html! { dl { @for (name, text) in entries { dt { (name) } dd { (text) } } } }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
