//! The tables as `student-teacher` prints them: medians, comparisons, and losses by the ancestors left.

use comfy_table::{CellAlignment, Table, presets};

use super::setting::{Cell, Kind};
use super::summary::{COMMON, Compared, Group, LEVELS, compare, middle};
use super::train::Branch;
use birth_death_stats::acceleration::Acceleration;
use birth_death_verify::claims::check::EMPIRICAL_LEVEL;

/// Of the levels, those that are shown.
const SHOWN: [f64; 2] = [0.1, 0.02];
/// Ancestors left, from so many on.
const BINS: [u32; 8] = [1, 2, 4, 7, 10, 15, 25, 40];

/// All of them, as Markdown.
pub fn text(groups: &[Group]) -> String {
    let compared = compare(groups);
    let count =
        compared.iter().map(|compared| LEVELS.len() + 1 + usize::from(compared.common.is_some())).sum::<usize>();
    format!(
        "Medians over replicates:\n\n{}\n\n\
         Gradient flow over the scheme, median of the pairs' ratios with its interval at level {EMPIRICAL_LEVEL}; \
         above 1 speaks for birth-death. \
         {count} comparisons in summary.csv, not independent, of which at most {} would be expected to err:\n\n{}\n\n\
         Scheme 1 with the quench, n = 50, all alphas together, by the ancestors left; the ratio is of final \
         losses:\n\n{}\n",
        medians(groups),
        short(count as f64 * EMPIRICAL_LEVEL),
        comparisons(&compared),
        by_ancestors(groups),
    )
}

fn median(group: &Group, value: impl Fn(&Branch) -> f64) -> f64 {
    middle(&group.runs.values().map(|run| value(run)).collect::<Vec<_>>())
}

/// The ancestors that neutral drift would leave after M events.
///
/// An event puts a copy of one particle in another's place. If both are anybody, two given lines of descent merge with
/// probability `2 / n^2`, to the order of `1 / n` (Moran's model), so `dk/dM = -k (k - 1) / n^2` for the k that are
/// left, but for fluctuations of k: `k = 1 / (1 - (1 - 1/n) exp(-M / n^2))`. A birth and a death of the same step may
/// be one such event, so where events are frequent this is a lower bound.
fn neutral(cell: &Cell, run: &Branch) -> f64 {
    let n = cell.particles as f64;
    1.0 / (1.0 - (1.0 - 1.0 / n) * (-events(cell, run) / n).exp())
}

/// Births and deaths for each particle.
fn events(cell: &Cell, run: &Branch) -> f64 {
    (run.births + run.deaths) as f64 / cell.particles as f64
}

/// Three significant figures.
fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    let digits = x.abs().log10().floor();
    if (-3.0..5.0).contains(&digits) {
        let places = if digits < 2.0 { (2.0 - digits) as usize } else { 0 };
        format!("{x:.places$}")
    } else {
        format!("{x:.2e}")
    }
}

fn yes(quench: bool) -> &'static str {
    if quench { "yes" } else { "" }
}

fn medians(groups: &[Group]) -> Table {
    let header = [
        "cell",
        "quench",
        "runs",
        "final loss",
        "steps to 0.1",
        "to 0.02",
        "events a particle",
        "ancestors",
        "of neutral drift",
        "effective units",
        "teachers found",
    ];
    let mut table = new(&header);
    for group in groups {
        let cell = group.cell;
        let of = |value: &dyn Fn(&Branch) -> f64| short(median(group, value));
        let [tenth, fiftieth] = SHOWN.map(|level| of(&|run| run.hit(level)));
        // a draw from the prior is a new ancestor: drift says nothing of it
        let drift = if cell.kind == Kind::Reinjection { String::new() } else { of(&|run| neutral(&cell, run)) };
        table.add_row([
            cell.to_string(),
            yes(group.quench).into(),
            group.runs.len().to_string(),
            of(&Branch::last),
            tenth,
            fiftieth,
            of(&|run| events(&cell, run)),
            of(&|run| f64::from(run.distinct())),
            drift,
            of(&|run| run.effective),
            of(&|run| f64::from(run.found)),
        ]);
    }
    table
}

fn comparisons(compared: &[Compared]) -> Table {
    let common = format!("loss at {COMMON}: ratio");
    let header = [
        "cell",
        "quench",
        "pairs",
        "steps to 0.1: ratio",
        "",
        "to 0.02: ratio",
        "",
        &common,
        "",
        "final loss: ratio",
        "",
    ];
    let mut table = new(&header);
    for Compared { group, hits, common, last } in compared {
        let mut row =
            vec![group.cell.to_string(), yes(group.quench).into(), last.arrived.iter().sum::<usize>().to_string()];
        let shown = LEVELS.iter().zip(hits).filter(|(level, _)| SHOWN.contains(level)).map(|(_, hit)| Some(hit));
        for comparison in shown.chain([common.as_ref(), Some(last)]) {
            let ratio = |Acceleration { ratio, interval: (low, high), .. }: &Acceleration| {
                format!("{} ({} to {})", short(*ratio), short(*low), short(*high))
            };
            row.push(comparison.map_or(String::new(), ratio));
            row.push(comparison.map_or("", |comparison| comparison.verdict.name()).into());
        }
        table.add_row(row);
    }
    table
}

/// Over the scalings: what a network with so few different units comes to.
fn by_ancestors(groups: &[Group]) -> Table {
    let mut table = new(&["scaling", "ancestors", "runs", "median ratio", "least", "largest", "teachers found"]);
    let quenched = |group: &&Group| group.quench && group.cell.particles == 50 && group.cell.kind != Kind::Reinjection;
    let mut scalings: Vec<&str> = groups.iter().filter(quenched).map(|group| group.cell.scaling.name()).collect();
    scalings.dedup();
    for scaling in scalings {
        for (bin, &from) in BINS.iter().enumerate() {
            let below = BINS.get(bin + 1).copied().unwrap_or(u32::MAX);
            let mut of_bin = Vec::new();
            for group in groups.iter().filter(quenched).filter(|group| group.cell.scaling.name() == scaling) {
                let flow = groups.iter().find(|other| other.cell == group.cell.baseline());
                let Some(flow) = flow else { continue };
                let pairs = group.runs.iter().filter_map(|(replicate, run)| Some((flow.runs.get(replicate)?, run)));
                let here = pairs.filter(|(_, run)| (from..below).contains(&run.distinct()));
                of_bin.extend(here.map(|(flow, run)| (flow.last() / run.last(), f64::from(run.found))));
            }
            let (mut ratios, found): (Vec<f64>, Vec<f64>) = of_bin.into_iter().unzip();
            ratios.sort_by(f64::total_cmp);
            let (Some(&least), Some(&largest)) = (ratios.first(), ratios.last()) else { continue };
            let ancestors = match below {
                u32::MAX => format!("from {from}"),
                2 => "1".to_owned(),
                below => format!("{from} to {}", below - 1),
            };
            table.add_row([
                scaling.to_owned(),
                ancestors,
                ratios.len().to_string(),
                short(middle(&ratios)),
                short(least),
                short(largest),
                short(middle(&found)),
            ]);
        }
    }
    table
}

fn new(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    for column in 1..header.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::setting::cells;
    use super::super::summary::groups;
    use super::super::summary::tests::measured;
    use super::*;

    #[test]
    fn all_that_is_measured_is_in_the_tables() {
        let (cells, units) = measured(false);
        let text = text(&groups(&cells, &units));
        assert!(text.contains("14 comparisons") && text.contains("1.83 (0.550 to 1.83)"), "{text}");
        // 15 quenched runs, each with 5 ancestors, and a final loss that is the flow's
        let row = text.lines().rfind(|line| line.starts_with("| notebook")).expect("one");
        let row: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(row[1..8], ["notebook", "4 to 6", "15", "1.00", "1.00", "1.00", "4.00"]);
        assert_eq!([1234.5, 0.01234, 0.0, 2.0e-7, f64::INFINITY].map(short), ["1234", "0.0123", "0", "2.00e-7", "inf"]);
    }

    #[test]
    fn neutral_drift_begins_with_all_and_ends_with_one() {
        let (_, units) = measured(false);
        let cell = cells()[1];
        let after = |births| neutral(&cell, &Branch { births, deaths: 0, ..units[0].branches[0].clone() });
        assert!((after(0) - 50.0).abs() < 1e-9 && (after(1_000_000) - 1.0).abs() < 1e-9);
        // Moran's model, simulated: 3000 populations of 50, 100 and 500 events, leave 16.9 and 4.9
        assert!((after(100) - 16.9).abs() < 0.5 && (after(500) - 4.9).abs() < 0.5, "{} {}", after(100), after(500));
    }
}
