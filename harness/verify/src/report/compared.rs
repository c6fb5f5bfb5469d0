//! How a comparison is shown: lines for terminals and JUnit's file, tables for the page. Every line says then, now,
//! and the difference in units of its standard error.

use maud::{Markup, html};

use super::comparison::{Change, Compared, Comparison, Difference, State, Together, Value};
use super::table::{two_digits, word};
use birth_death_stats::power::POWER;
use birth_death_terminal::digits::number;

/// What there is to say of a claim: what moved, what was mended, what fails as it did, what has another verdict, what
/// cannot be compared.
pub fn news(claim: &Compared) -> Vec<String> {
    let own = claim.changes.iter().filter_map(|change| {
        let what = if change.state == State::Moved {
            "moved"
        } else if change.mended() {
            "mended"
        } else if change.still_fails() {
            "fails, as it did"
        } else if change.then.verdict != change.now.verdict {
            "another verdict"
        } else if change.state == State::Unknown {
            "cannot be compared"
        } else {
            return None;
        };
        Some(format!("{what}: {}: {}", claim.claim, line(change)))
    });
    let both = claim.together.iter().filter(|both| both.moved);
    own.chain(both.map(|both| format!("moved: {}: {}", claim.claim, line_together(both)))).collect()
}

/// Everything of a claim, a line a check.
pub fn all(claim: &Compared) -> Vec<String> {
    let own = claim.changes.iter().map(|change| format!("{}: {}", state(change.state), line(change)));
    let moved = |both: &Together| if both.moved { "moved" } else { "not moved" };
    own.chain(claim.together.iter().map(|both| format!("{}: {}", moved(both), line_together(both)))).collect()
}

/// What a comparison comes to: how many checks became what, and what would have been seen.
pub fn closing(found: &Comparison) -> [String; 3] {
    let count = |state| found.count(state);
    let unknown = match count(State::Unknown) {
        0 => String::new(),
        some => format!(", {some} cannot be compared"),
    };
    let combined = found.claims.iter().flat_map(|claim| &claim.together).filter(|both| both.moved).count();
    let combined = if combined == 0 { String::new() } else { format!(" ({combined} by both generators together)") };
    [
        format!(
            "{} of {} estimates moved{combined}, {} changed but not distinguishable, {} equal to the bit{unknown}, \
             since the baseline (seed {}, commit {})",
            count(State::Moved),
            found.changes().count(),
            count(State::Changed),
            count(State::Same),
            found.seed,
            found.commit
        ),
        sees(found),
        format!("an unchanged build is accused with a probability of at most {}", number(found.accused)),
    ]
}

/// The comparison's own detectable effect.
fn sees(found: &Comparison) -> String {
    let range = |(low, high): (f64, f64)| {
        let (low, high) = (two_digits(low), two_digits(high));
        if low == high { low } else { format!("{low} to {high}") }
    };
    let [one, both] = found.detectable();
    let Some(one) = one else { return "no estimate has randomness: equal is equal".to_owned() };
    let both = both.map_or(String::new(), |both| format!(", of {} in those of both generators", range(both)));
    format!(
        "found with a probability of {POWER}: a shift of {} standard errors of the difference in one estimate{both}",
        range(one)
    )
}

fn state(state: State) -> &'static str {
    match state {
        State::Same => "equal to the bit",
        State::Changed => "changed, not distinguishable",
        State::Moved => "moved",
        State::Unknown => "cannot be compared",
    }
}

fn value(value: &Value, difference: Option<&Difference>) -> String {
    let estimate = number(value.estimate);
    match difference {
        None => estimate,
        Some(found) if found.logarithmic => {
            format!("{estimate} (its logarithm ± {})", two_digits(value.standard_error))
        }
        Some(_) => format!("{estimate} ± {}", two_digits(value.standard_error)),
    }
}

/// A difference with its sign.
fn errors(found: f64) -> String {
    let text = two_digits(found);
    if found > 0.0 { format!("+{text}") } else { text }
}

fn difference(found: &Difference) -> String {
    format!("{} standard errors, p = {}", errors(found.errors), two_digits(found.p))
}

fn line(change: &Change) -> String {
    let found = change.difference.as_ref();
    let apart = match found {
        Some(found) => format!("; difference {}", difference(found)),
        None if change.state == State::Unknown => "; one of them has no interval".to_owned(),
        None => String::new(),
    };
    let broken = if change.broken() {
        "; fails now, and did not".to_owned()
    } else if change.then.verdict != change.now.verdict {
        format!("; {} then, {} now", word(change.then.verdict), word(change.now.verdict))
    } else {
        String::new()
    };
    format!(
        "{} ({}): was {}, is {}{apart}{broken}",
        change.what,
        change.generator.name(),
        value(&change.then, found),
        value(&change.now, found)
    )
}

fn line_together(both: &Together) -> String {
    format!(
        "{} (both generators together): difference {} standard errors, p = {}",
        both.what,
        errors(both.errors),
        two_digits(both.p)
    )
}

/// The comparison on top of the page.
pub(super) fn overview(found: &Comparison) -> Markup {
    let news: Vec<String> = found.claims.iter().flat_map(news).collect();
    html! {
        h2 #baseline { "Since the baseline" }
        @for sentence in closing(found) { p { (sentence) "." } }
        @if news.is_empty() { p { "Nothing moved." } } @else { ul { @for line in news { li { (line) } } } }
    }
}

/// The checks of a claim, then and now.
pub(super) fn table(claim: &Compared) -> Markup {
    html! {
        details open[claim.moved] {
            summary {
                "Since the baseline: " @if claim.moved { strong { "moved" } } @else { "not moved" }
                ", p = " (two_digits(claim.p)) " (Holm), level " (two_digits(claim.level)) " a test"
            }
            div.wide {
                table {
                    thead {
                        tr {
                            th { "what" } th { "generator" } th.number { "then" } th.number { "now" }
                            th.number { "difference, in standard errors" } th.number { "p" } th.number { "detects" }
                            th { "state" }
                        }
                    }
                    tbody {
                        @for change in &claim.changes { (row(change)) }
                        @for both in &claim.together {
                            tr {
                                td { (both.what) } td { "both" } td {} td {}
                                td.number { (errors(both.errors)) } td.number { (two_digits(both.p)) }
                                td.number { (two_digits(both.detectable)) }
                                td { @if both.moved { span.fails.verdict { "moved" } } @else { "not moved" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn row(change: &Change) -> Markup {
    let found = change.difference.as_ref();
    html! {
        tr {
            td { (change.what) }
            td { (change.generator.name()) }
            td.number { (value(&change.then, found)) }
            td.number { (value(&change.now, found)) }
            @if let Some(found) = found {
                td.number { (errors(found.errors)) } td.number { (two_digits(found.p)) }
                td.number { (two_digits(found.detectable)) }
            } @else { td {} td {} td {} }
            td {
                @if change.state == State::Moved { span.fails.verdict { "moved" } } @else { (state(change.state)) }
                @if change.broken() { ", fails now" }
                @if change.mended() { ", mended" }
                @if change.still_fails() { ", fails as it did" }
            }
        }
    }
}
