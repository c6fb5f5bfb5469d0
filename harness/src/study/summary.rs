//! What the measurements come to: paired ratios with intervals, and the tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use super::log::{Settings, Unit, steps};
use super::setting::{Cell, Kind};
use super::train::Branch;
use crate::claims::check::EMPIRICAL_LEVEL;
use crate::stats::interval::{median_interval, quantile};

/// Shares of the initial loss whose hitting times are compared.
pub const LEVELS: [f64; 6] = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
/// Those of the printed table.
const SHOWN: [f64; 2] = [0.1, 0.02];

/// The runs of a cell, with or without the quench, by replicate.
#[derive(Debug)]
pub struct Group<'a> {
    /// The cell.
    pub cell: Cell,
    /// Whether it is the quenched runs.
    pub quench: bool,
    /// Replicates ascending.
    pub runs: BTreeMap<u64, &'a Branch>,
}

/// All groups that have a run, in the order of the cells.
pub fn groups<'a>(cells: &[Cell], units: &'a [Unit]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group> = Vec::new();
    for cell in cells {
        let name = cell.to_string();
        for quench in [false, true] {
            let of_cell = units.iter().filter(|unit| unit.cell == name);
            let runs = of_cell.flat_map(|unit| unit.branches.iter().map(|branch| (unit.replicate, branch)));
            let runs: BTreeMap<_, _> = runs.filter(|(_, branch)| branch.quench == quench).collect();
            if !runs.is_empty() {
                groups.push(Group { cell: *cell, quench, runs });
            }
        }
    }
    groups
}

/// What an interval of paired ratios says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The interval lies above 1.
    Accelerates,
    /// It lies below 1.
    Harms,
    /// It holds 1.
    NoDifference,
    /// Fewer than 11 pairs: there is no interval at this level.
    TooFew,
}

impl Verdict {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Accelerates => "accelerates",
            Verdict::Harms => "harms",
            Verdict::NoDifference => "no difference",
            Verdict::TooFew => "too few",
        }
    }
}

/// Gradient flow over the scheme, over replicates: above 1 speaks for birth-death.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Pairs of runs.
    pub pairs: usize,
    /// The median of their ratios.
    pub median: f64,
    /// Its interval at [`EMPIRICAL_LEVEL`], by order statistics: exact whatever the law.
    pub interval: (f64, f64),
}

impl Comparison {
    /// Of what is measured on each run: the smaller the better, infinite for what never happens. Two that never happen are equal.
    pub fn of(flow: &Group, scheme: &Group, value: impl Fn(&Branch) -> f64) -> Self {
        let pairs = scheme.runs.iter().filter_map(|(replicate, run)| Some((flow.runs.get(replicate)?, run)));
        let ratio = |(flow, run): (&&Branch, &&Branch)| {
            let (flow, run) = (value(flow), value(run));
            if flow == f64::INFINITY && run == f64::INFINITY { 1.0 } else { flow / run }
        };
        let ratios: Vec<f64> = pairs.map(ratio).collect();
        let median = middle(&ratios);
        Self { pairs: ratios.len(), median, interval: median_interval(&ratios, EMPIRICAL_LEVEL) }
    }

    /// What it says.
    pub fn verdict(&self) -> Verdict {
        let (low, high) = self.interval;
        if low > 1.0 {
            Verdict::Accelerates
        } else if high < 1.0 {
            Verdict::Harms
        } else if low == f64::NEG_INFINITY {
            Verdict::TooFew
        } else {
            Verdict::NoDifference
        }
    }
}

/// A group held against its gradient flow.
#[derive(Debug)]
pub struct Compared<'a> {
    /// The group.
    pub group: &'a Group<'a>,
    /// Hitting times, one for each of [`LEVELS`].
    pub hits: Vec<Comparison>,
    /// Final losses.
    pub last: Comparison,
}

/// All comparisons.
pub fn compare<'a>(groups: &'a [Group<'a>]) -> Vec<Compared<'a>> {
    let flow = |cell: &Cell| groups.iter().find(|group| group.cell == cell.baseline());
    let schemes = groups.iter().filter(|group| group.cell.kind != Kind::Flow);
    let compared = schemes.filter_map(|group| {
        let flow = flow(&group.cell)?;
        let hits = LEVELS.iter().map(|&level| Comparison::of(flow, group, |run| run.hit(level))).collect();
        Some(Compared { group, hits, last: Comparison::of(flow, group, Branch::last) })
    });
    compared.collect()
}

fn median(group: &Group, value: impl Fn(&Branch) -> f64) -> f64 {
    middle(&group.runs.values().map(|run| value(run)).collect::<Vec<_>>())
}

/// The median of values some of which may be infinite: between a finite and an infinite one there is nothing, and the lower is taken.
fn middle(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN);
    if lower.is_finite() && upper.is_finite() { 0.5 * (lower + upper) } else { lower }
}

fn distinct(run: &Branch) -> f64 {
    run.points.last().map_or(f64::NAN, |point| f64::from(point.2))
}

/// The ancestors that neutral drift would leave: `n / (1 + M / n)` after M events.
///
/// An event replaces one particle by a copy of another. If both are anybody, two of k lines of descent merge with probability `k (k - 1) / n^2`, and
/// `dk/dM = -k^2 / n^2` while k is large (Moran's model; the exact end, 1 ancestor, takes `n^2` events in the mean).
fn neutral(cell: &Cell, run: &Branch) -> f64 {
    let n = cell.particles as f64;
    n / (1.0 + (run.births + run.deaths) as f64 / n)
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

/// The tables of medians and of comparisons, as Markdown.
pub fn text(groups: &[Group]) -> String {
    let mut text = String::new();
    let mut table = new(&[
        "cell",
        "quench",
        "runs",
        "final loss",
        "steps to 0.1",
        "to 0.02",
        "ancestors",
        "of neutral drift",
        "effective units",
        "teachers found",
    ]);
    for group in groups {
        let runs = group.runs.len().to_string();
        let losses = short(median(group, Branch::last));
        let [tenth, fiftieth] = SHOWN.map(|level| short(median(group, |run| run.hit(level))));
        let ancestors = short(median(group, distinct));
        let drift = short(median(group, |run| neutral(&group.cell, run)));
        let effective = short(median(group, |run| run.effective));
        let found = short(median(group, |run| f64::from(run.found)));
        let quench = if group.quench { "yes" } else { "" };
        table.add_row([
            &group.cell.to_string(),
            quench,
            &runs,
            &losses,
            &tenth,
            &fiftieth,
            &ancestors,
            &drift,
            &effective,
            &found,
        ]);
    }
    let _ = writeln!(text, "Medians over replicates:\n\n{table}");
    let compared = compare(groups);
    let mut table =
        new(&["cell", "quench", "pairs", "steps to 0.1: ratio", "", "to 0.02: ratio", "", "final loss: ratio", ""]);
    for Compared { group, hits, last } in &compared {
        let mut row =
            vec![group.cell.to_string(), if group.quench { "yes" } else { "" }.into(), last.pairs.to_string()];
        let shown =
            LEVELS.iter().zip(hits).filter(|(level, _)| SHOWN.contains(level)).map(|(_, comparison)| comparison);
        for comparison in shown.chain([last]) {
            let (low, high) = comparison.interval;
            row.push(format!("{} ({} to {})", short(comparison.median), short(low), short(high)));
            row.push(comparison.verdict().name().into());
        }
        table.add_row(row);
    }
    let count = compared.len() * (LEVELS.len() + 1);
    let _ = writeln!(
        text,
        "Gradient flow over the scheme, median of the pairs' ratios with its interval at level {EMPIRICAL_LEVEL}; above 1 speaks for birth-death. \
         {count} comparisons in summary.csv, of which {} would be expected to err:\n\n{table}",
        short(count as f64 * EMPIRICAL_LEVEL)
    );
    text
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

/// `results.csv`: one row a run.
///
/// # Errors
/// Those of the system.
pub fn results(out: &mut dyn Write, groups: &[Group], settings: &Settings) -> io::Result<()> {
    write!(
        out,
        "n,scaling,scheme,alpha,core_alpha,mean_field_alpha,dt,quench,replicate,seed,steps,initial_loss,final_loss"
    )?;
    for level in LEVELS {
        write!(out, ",steps_to_{level}")?;
    }
    writeln!(out, ",ancestors,effective_units,teachers_found,births,deaths,largest_probability,failed_step")?;
    for group in groups {
        for (replicate, run) in &group.runs {
            let Cell { particles, scaling, kind, alpha } = group.cell;
            let (core, limit) = (group.cell.core_alpha(), group.cell.mean_field_alpha());
            let (dt, seed, steps) = (group.cell.dt(), settings.seed, steps(&group.cell, settings));
            let first = run.points.first().map_or(f64::NAN, |point| point.1);
            write!(
                out,
                "{particles},{},{},{alpha},{core},{limit},{dt},{},{replicate},{seed},{steps},{first:?},{:?}",
                scaling.name(),
                kind.name(),
                group.quench,
                run.last()
            )?;
            for level in LEVELS {
                write!(out, ",{:?}", run.hit(level))?;
            }
            let failed = run.failed.map_or(String::new(), |step| step.to_string());
            writeln!(
                out,
                ",{},{:?},{},{},{},{:?},{failed}",
                distinct(run),
                run.effective,
                run.found,
                run.births,
                run.deaths,
                run.largest
            )?;
        }
    }
    Ok(())
}

/// `curves.csv`: the population loss over replicates at every checkpoint; a run that failed counts as infinite from there on.
///
/// # Errors
/// Those of the system.
pub fn curves(out: &mut dyn Write, groups: &[Group]) -> io::Result<()> {
    writeln!(out, "cell,quench,step,replicates,mean,q10,q25,median,q75,q90,ancestors")?;
    for group in groups {
        let longest = group.runs.values().max_by_key(|run| run.points.len());
        let steps = longest.into_iter().flat_map(|run| run.points.iter().map(|point| point.0));
        for (at, step) in steps.enumerate() {
            let point = |run: &&Branch| run.points.get(at).copied();
            let losses: Vec<f64> =
                group.runs.values().map(|run| point(run).map_or(f64::INFINITY, |point| point.1)).collect();
            let ancestors: Vec<f64> =
                group.runs.values().filter_map(|run| point(run).map(|point| f64::from(point.2))).collect();
            let mean = losses.iter().sum::<f64>() / losses.len() as f64;
            write!(out, "{},{},{step},{},{mean:?}", group.cell, group.quench, losses.len())?;
            for share in [0.1, 0.25, 0.5, 0.75, 0.9] {
                write!(out, ",{:?}", quantile(&losses, share))?;
            }
            writeln!(out, ",{:?}", quantile(&ancestors, 0.5))?;
        }
    }
    Ok(())
}

/// `summary.csv`: every comparison.
///
/// # Errors
/// Those of the system.
pub fn summary(out: &mut dyn Write, groups: &[Group]) -> io::Result<()> {
    writeln!(out, "cell,quench,quantity,pairs,median_ratio,low,high,verdict")?;
    for Compared { group, hits, last } in compare(groups) {
        let names = LEVELS.iter().map(|level| format!("steps_to_{level}"));
        for (name, comparison) in names.zip(&hits).chain([("final_loss".to_owned(), &last)]) {
            let Comparison { pairs, median, interval: (low, high) } = comparison;
            let verdict = comparison.verdict().name();
            writeln!(out, "{},{},{name},{pairs},{median:?},{low:?},{high:?},{verdict}", group.cell, group.quench)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::setting::cells;
    use super::super::train::Point;
    use super::*;

    /// A run whose loss falls from 1 to `last` in `steps`, and stays.
    fn run(quench: bool, steps: u64, last: f64) -> Branch {
        Branch {
            quench,
            failed: None,
            births: 1,
            deaths: 2,
            largest: 0.5,
            effective: 3.0,
            found: 4,
            points: vec![Point(0, 1.0, 9), Point(steps, last, 5), Point(1000, last, 5)],
        }
    }

    fn unit(cell: &Cell, replicate: u64, branches: Vec<Branch>) -> Unit {
        let (numbers, commit) = (String::new(), String::new());
        Unit { cell: cell.to_string(), replicate, numbers, commit, seconds: 1.0, branches }
    }

    /// Gradient flow takes 100 steps to 0.01; the scheme half as long in 12 of 15 replicates, or `never`.
    fn measured(never: bool) -> (Vec<Cell>, Vec<Unit>) {
        let cells: Vec<Cell> = cells().into_iter().take(2).collect();
        let mut units = Vec::new();
        for replicate in 0..15 {
            units.push(unit(&cells[0], replicate, vec![run(false, 99, 0.01)]));
            let steps = if replicate % 5 == 4 { 199 } else { 49 };
            let main = if never { run(false, 10, 0.9) } else { run(false, steps, 0.01) };
            units.push(unit(&cells[1], replicate, vec![main, run(true, 99, 0.01)]));
        }
        (cells, units)
    }

    #[test]
    fn pairs_are_compared_by_their_ratios() {
        let (cells, units) = measured(false);
        let groups = groups(&cells, &units);
        assert_eq!(groups.iter().map(|group| group.runs.len()).collect::<Vec<_>>(), [15, 15, 15]);
        let compared = compare(&groups);
        assert_eq!(compared.len(), 2);
        let whole = &compared[0].hits[5];
        // (100^p - 1) / (50^p - 1), p = 1 to the level 0.01: 99/49; the interval of 15 values at 1e-3 leaves one out on each side
        assert!((whole.median - 99.0 / 49.0).abs() < 1e-9 && whole.pairs == 15);
        assert!((whole.interval.0 - 99.0 / 199.0).abs() < 1e-9 && whole.verdict() == Verdict::NoDifference);
        assert_eq!(compared[0].last.median, 1.0);
        assert!(compared[1].hits.iter().all(|hit| hit.median == 1.0), "the quenched run is its flow here");
    }

    #[test]
    fn what_never_happens_is_the_largest_of_times() {
        let (cells, units) = measured(true);
        let groups = groups(&cells, &units);
        let compared = compare(&groups);
        let hit = compared[0].hits[0];
        assert_eq!((hit.median, hit.interval, hit.verdict()), (0.0, (0.0, 0.0), Verdict::Harms));
        assert_eq!(compared[0].last.verdict(), Verdict::Harms);
        let few: Vec<Unit> = units.iter().filter(|unit| unit.replicate < 10).cloned().collect();
        let groups = self::groups(&cells, &few);
        assert_eq!(compare(&groups)[0].last.verdict(), Verdict::TooFew);
    }

    #[test]
    fn tables_have_a_row_for_everything() {
        let (cells, units) = measured(false);
        let (groups, settings) = (groups(&cells, &units), Settings::of(1001, Some(1000)));
        let lines = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = Vec::new();
            write(&mut bytes);
            let text = String::from_utf8(bytes).expect("text");
            let columns: Vec<usize> = text.lines().map(|line| line.split(',').count()).collect();
            assert!(columns.iter().all(|&count| count == columns[0]), "{text}");
            text.lines().count()
        };
        assert_eq!(lines(&|out| results(out, &groups, &settings).expect("written")), 1 + 45);
        assert_eq!(lines(&|out| curves(out, &groups).expect("written")), 1 + 3 * 3);
        assert_eq!(lines(&|out| summary(out, &groups).expect("written")), 1 + 2 * 7);
        assert_eq!(middle(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(middle(&[3.0, 1.0]), 2.0);
        assert_eq!(middle(&[f64::INFINITY, 1.0]), 1.0);
        assert_eq!(middle(&[f64::INFINITY, 1.0, f64::INFINITY]), f64::INFINITY);
        assert!(middle(&[]).is_nan());
        let text = text(&groups);
        assert!(text.contains("14 comparisons") && text.contains("1.83 (0.550 to 1.83)"), "{text}");
        assert_eq!([1234.5, 0.01234, 0.0, 2.0e-7, f64::INFINITY].map(short), ["1234", "0.0123", "0", "2.00e-7", "inf"]);
    }
}
