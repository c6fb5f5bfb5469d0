//! What `calibrate` prints.

use std::collections::BTreeMap;
use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use super::log::Run;
use super::summary::{COMMON_LEVEL, Calibration, Rate};
use crate::claims::{Kind, REGISTRY};

/// Mean seconds of a subject and claim.
type Seconds<'a> = BTreeMap<(&'a str, &'a str), f64>;

fn seconds(runs: &[Run]) -> Seconds<'_> {
    let mut of_cell: BTreeMap<(&str, &str), (f64, f64)> = BTreeMap::new();
    for run in runs {
        let (sum, count) = of_cell.entry((&run.subject, &run.claim)).or_default();
        *sum += run.seconds;
        *count += 1.0;
    }
    of_cell.into_iter().map(|(cell, (sum, count))| (cell, sum / count)).collect()
}

fn new(header: Vec<String>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let columns = header.len();
    table.set_header(header);
    for column in 1..columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.2} %", 100.0 * share) } else { "unknown".to_owned() }
}

fn of(rate: &Rate) -> String {
    format!("{}/{}", rate.count, rate.of)
}

/// Tables of false alarms and of detections, with what follows from them.
pub fn text(calibration: &Calibration, runs: &[Run]) -> String {
    let seconds = seconds(runs);
    let mut text = String::new();
    if !calibration.correct.claims.is_empty() {
        correct(&mut text, calibration, &seconds);
    }
    if !calibration.defects.is_empty() {
        defects(&mut text, calibration, &seconds);
    }
    text
}

fn correct(text: &mut String, calibration: &Calibration, seconds: &Seconds) {
    let correct = &calibration.correct;
    let header =
        ["the correct build", "kind", "seeds", "fails", "at most", "undecided", "supported", "refuted", "seconds"];
    let mut table = new(header.map(str::to_owned).into());
    for claim in &correct.claims {
        let kind = match claim.kind {
            Kind::Sharp => "sharp",
            Kind::Limit => "limit",
            Kind::Empirical => "empirical",
        };
        let time = seconds.get(&("correct", &*claim.claim)).copied().unwrap_or(f64::NAN);
        table.add_row([
            claim.claim.to_string(),
            kind.to_owned(),
            claim.fails.of.to_string(),
            claim.fails.count.to_string(),
            percent(claim.fails.high),
            claim.undecided.count.to_string(),
            claim.supported.to_string(),
            claim.refuted.to_string(),
            format!("{time:.2}"),
        ]);
    }
    let _ = writeln!(text, "{table}");
    for (what, rate) in [("any claim fails", correct.false_alarms), ("any claim undecided", correct.undecided)] {
        let _ = writeln!(text, "{what}: {} seeds, probability at most {}", of(&rate), percent(rate.high));
    }
    let all = &correct.uniformity;
    if !all.checks.is_empty() {
        let _ = writeln!(
            text,
            "sharp p-values, {} checks: {} below {COMMON_LEVEL} ({} to {}); no smaller than uniform: p = {:.2} for all \
                together",
            all.checks.len(),
            percent(all.below),
            percent(all.low),
            percent(all.high),
            all.superuniform
        );
    }
    if let Some(worst) = all.checks.iter().min_by(|a, b| a.superuniform.total_cmp(&b.superuniform)) {
        let name = worst.generator.name();
        let _ = writeln!(
            text,
            "  least so: {}, {}, {name}: p = {:.1e}, {} below {COMMON_LEVEL}",
            worst.claim,
            worst.what,
            worst.superuniform,
            of(&worst.below)
        );
    }
    let _ = writeln!(text);
}

fn defects(text: &mut String, calibration: &Calibration, seconds: &Seconds) {
    let measured =
        |id: &str| calibration.defects.iter().any(|defect| defect.claims.iter().any(|cell| cell.claim == id));
    let claims: Vec<&str> = REGISTRY.iter().map(|claim| claim.id).filter(|id| measured(id)).collect();
    let mut header = vec!["defect".to_owned()];
    header.extend(claims.iter().map(|id| id.replace('-', "\n")));
    header.extend(["any".to_owned(), "at least".to_owned()]);
    let mut table = new(header);
    for defect in &calibration.defects {
        let mut row = vec![defect.defect.to_string()];
        row.extend(claims.iter().map(|id| {
            let cell = defect.claims.iter().find(|cell| cell.claim == *id);
            cell.map_or(String::new(), |cell| of(&cell.detected))
        }));
        row.extend([of(&defect.detected), format!("{:.3}", defect.detected.low)]);
        table.add_row(row);
    }
    let _ = writeln!(text, "{table}");
    let cells: Vec<_> = seconds.iter().filter(|((subject, _), _)| *subject != "correct").collect();
    for id in claims {
        let times: Vec<f64> = cells.iter().filter(|((_, claim), _)| *claim == id).map(|(_, time)| **time).collect();
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        let slowest = times.iter().copied().fold(0.0, f64::max);
        let _ = writeln!(text, "{id}: {mean:.2} s on a defect, at most {slowest:.2} s");
    }
    for hole in calibration.defects.iter().filter(|defect| defect.hole) {
        let share = percent(hole.detected.share());
        let _ = writeln!(
            text,
            "OPEN HOLE: {} ({}): the claims measured catch it in {share} of runs",
            hole.defect, hole.description
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;
    use birth_death_stats::verdict::Verdict;

    #[test]
    fn holes_are_named_and_cells_that_were_not_measured_stay_empty() {
        let run = |subject: &str, claim: &str, verdict, seconds| Run {
            settings: String::new(),
            seed: 1,
            subject: subject.into(),
            claim: claim.into(),
            verdict,
            seconds,
            p: Vec::new(),
        };
        let runs = [
            run("correct", "drift", Verdict::Holds, 2.0),
            run("swapped", "event-counts", Verdict::Fails, 0.25),
            run("component-not-copied", "conservation", Verdict::Holds, 0.5),
        ];
        let calibration = Calibration::new(&Settings::of(1).expect("settings"), true, &runs);
        let text = text(&calibration, &runs);
        assert!(
            text.contains(
                "OPEN HOLE: component-not-copied (the last component never copied): the claims measured \
                catch it in 0.00 % of runs"
            ),
            "{text}"
        );
        assert!(!text.contains("OPEN HOLE: swapped"), "{text}");
        let row = text.lines().find(|line| line.contains("| swapped")).expect("a row");
        assert_eq!(row.split('|').map(str::trim).collect::<Vec<_>>(), ["", "swapped", "", "1/1", "1/1", "0.050", ""]);
        assert!(text.contains("event-counts: 0.25 s on a defect"), "{text}");
        assert!(text.contains("any claim fails: 0/1 seeds, probability at most 95.00 %"), "{text}");
    }
}
