//! What the measurements come to: paired ratios with intervals, and the files of them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::log::{Settings, Unit, steps};
use super::setting::{Cell, Kind};
use super::train::Branch;
use crate::claims::check::EMPIRICAL_LEVEL;
use crate::stats::interval::{median_interval, quantile};

/// Shares of the initial loss whose hitting times are compared.
pub const LEVELS: [f64; 6] = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
/// The last checkpoint that runs of all sizes on the notebook's clock have.
pub const COMMON: u64 = 17_783;

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
    /// It holds 1: too few replicates, or no difference.
    Undecided,
    /// Fewer than 11 pairs: there is no interval at this level.
    TooFew,
}

impl Verdict {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Accelerates => "accelerates",
            Verdict::Harms => "harms",
            Verdict::Undecided => "undecided",
            Verdict::TooFew => "too few",
        }
    }
}

/// Gradient flow over the scheme, over replicates: above 1 speaks for birth-death.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Pairs in which the value is finite for both, for the flow only, for the scheme only, for neither.
    pub finite: [usize; 4],
    /// The median of their ratios; of an even number, the geometric mean of the middle two.
    pub median: f64,
    /// Its interval at [`EMPIRICAL_LEVEL`] or less, by order statistics, whatever the law.
    pub interval: (f64, f64),
}

impl Comparison {
    /// Of what is measured on each run: the smaller the better, infinite for what never happens. Two that never happen are equal.
    pub fn of(flow: &Group, scheme: &Group, value: impl Fn(&Branch) -> f64) -> Self {
        let pairs = scheme.runs.iter().filter_map(|(replicate, run)| Some((flow.runs.get(replicate)?, run)));
        let mut finite = [0; 4];
        let ratio = |(flow, run): (&&Branch, &&Branch)| {
            let (flow, run) = (value(flow), value(run));
            finite[2 * usize::from(flow == f64::INFINITY) + usize::from(run == f64::INFINITY)] += 1;
            if flow == f64::INFINITY && run == f64::INFINITY { 1.0 } else { flow / run }
        };
        let ratios: Vec<f64> = pairs.map(ratio).collect();
        let median = middle(&ratios.iter().map(|ratio| ratio.ln()).collect::<Vec<_>>()).exp();
        Self { finite, median, interval: median_interval(&ratios, EMPIRICAL_LEVEL) }
    }

    /// Pairs of runs.
    pub fn pairs(&self) -> usize {
        self.finite.iter().sum()
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
            Verdict::Undecided
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
    /// Losses after [`COMMON`] steps; none if the runs are shorter.
    pub common: Option<Comparison>,
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
        let reaches = |group: &Group| group.runs.values().any(|run| run.loss_at(COMMON).is_finite());
        let common = (reaches(flow) && reaches(group)).then(|| Comparison::of(flow, group, |run| run.loss_at(COMMON)));
        Some(Compared { group, hits, common, last: Comparison::of(flow, group, Branch::last) })
    });
    compared.collect()
}

/// The median of values some of which may be infinite: between a finite and an infinite one there is nothing, and the lower is taken.
pub fn middle(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN);
    if lower.is_finite() && upper.is_finite() { 0.5 * (lower + upper) } else { lower }
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
                run.distinct(),
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

/// `curves.csv`: the population loss over replicates at every checkpoint, and the median over pairs of gradient flow's over it; a run that
/// failed counts as infinite from there on.
///
/// # Errors
/// Those of the system.
pub fn curves(out: &mut dyn Write, groups: &[Group]) -> io::Result<()> {
    writeln!(out, "cell,quench,step,replicates,mean,q10,q25,median,q75,q90,ancestors,median_ratio")?;
    for group in groups {
        let flow = groups.iter().find(|other| other.cell == group.cell.baseline());
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
            let ratio = flow.map_or(f64::NAN, |flow| Comparison::of(flow, group, |run| run.loss_at(step)).median);
            writeln!(out, ",{:?},{ratio:?}", quantile(&ancestors, 0.5))?;
        }
    }
    Ok(())
}

/// `summary.csv`: every comparison.
///
/// # Errors
/// Those of the system.
pub fn summary(out: &mut dyn Write, groups: &[Group]) -> io::Result<()> {
    writeln!(out, "cell,quench,quantity,pairs,both,flow_only,scheme_only,neither,median_ratio,low,high,verdict")?;
    for Compared { group, hits, common, last } in compare(groups) {
        let hits = LEVELS.iter().zip(&hits).map(|(level, hit)| (format!("steps_to_{level}"), hit));
        let losses = common.iter().map(|common| (format!("loss_at_{COMMON}"), common));
        for (name, comparison) in hits.chain(losses).chain([("final_loss".to_owned(), &last)]) {
            let Comparison { finite: [both, flow, scheme, neither], median, interval: (low, high) } = comparison;
            let (pairs, verdict) = (comparison.pairs(), comparison.verdict().name());
            writeln!(
                out,
                "{},{},{name},{pairs},{both},{flow},{scheme},{neither},{median:?},{low:?},{high:?},{verdict}",
                group.cell, group.quench
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
pub mod tests {
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
    pub fn measured(never: bool) -> (Vec<Cell>, Vec<Unit>) {
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
        assert!((whole.median - 99.0 / 49.0).abs() < 1e-9 && whole.finite == [15, 0, 0, 0]);
        assert!((whole.interval.0 - 99.0 / 199.0).abs() < 1e-9 && whole.verdict() == Verdict::Undecided);
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
        assert_eq!(hit.finite, [0, 15, 0, 0], "for the flow only");
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
    }
}
