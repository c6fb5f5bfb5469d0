//! What the measurements come to: paired ratios with intervals, and the files of them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::log::{Settings, Unit, steps};
use super::setting::{Cell, Kind};
use super::train::Branch;
use birth_death_stats::acceleration::{Acceleration, accelerates};
use birth_death_stats::interval::quantile;
use birth_death_verify::claims::check::EMPIRICAL_LEVEL;

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

/// Gradient flow over the scheme, over replicates: of what is measured on each run, the smaller the better.
///
/// Steps to a level have a budget, those of the runs. A loss has none: that of a run which failed is infinite.
fn comparison(flow: &Group, scheme: &Group, budget: f64, value: impl Fn(&Branch) -> f64) -> Acceleration {
    let pairs = scheme.runs.iter().filter_map(|(replicate, run)| Some((value(flow.runs.get(replicate)?), value(run))));
    accelerates(&pairs.collect::<Vec<_>>(), budget, EMPIRICAL_LEVEL)
}

/// The steps of the longest run of a group.
fn budget(group: &Group) -> f64 {
    let last = group.runs.values().filter_map(|run| run.points.last());
    last.map(|point| point.0).max().unwrap_or(0) as f64
}

/// A group held against its gradient flow.
#[derive(Debug)]
pub struct Compared<'a> {
    /// The group.
    pub group: &'a Group<'a>,
    /// Hitting times, one for each of [`LEVELS`].
    pub hits: Vec<Acceleration>,
    /// Losses after [`COMMON`] steps; none if the runs are shorter.
    pub common: Option<Acceleration>,
    /// Final losses.
    pub last: Acceleration,
}

/// All comparisons.
pub fn compare<'a>(groups: &'a [Group<'a>]) -> Vec<Compared<'a>> {
    let flow = |cell: &Cell| groups.iter().find(|group| group.cell == cell.baseline());
    let schemes = groups.iter().filter(|group| group.cell.kind != Kind::Flow);
    let compared = schemes.filter_map(|group| {
        let flow = flow(&group.cell)?;
        let hits = LEVELS.iter().map(|&level| comparison(flow, group, budget(flow), |run| run.hit(level))).collect();
        let reaches = |group: &Group| group.runs.values().any(|run| run.loss_at(COMMON).is_finite());
        let common = (reaches(flow) && reaches(group))
            .then(|| comparison(flow, group, f64::INFINITY, |run| run.loss_at(COMMON)));
        let last = comparison(flow, group, f64::INFINITY, Branch::last);
        Some(Compared { group, hits, common, last })
    });
    compared.collect()
}

/// The median of values some of which may be infinite: between a finite and an infinite one there is nothing, and the
/// lower is taken.
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

/// `curves.csv`: the population loss over replicates at every checkpoint, and the median over pairs of gradient flow's
/// over it; a run that failed counts as infinite from there on.
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
            let of_step = |flow| comparison(flow, group, f64::INFINITY, |run| run.loss_at(step));
            let ratio = flow.map_or(f64::NAN, |flow| of_step(flow).ratio);
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
            let Acceleration { arrived: [both, flow, scheme, neither], ratio, interval: (low, high), .. } = comparison;
            let (pairs, verdict) = (comparison.arrived.iter().sum::<usize>(), comparison.verdict.name());
            writeln!(
                out,
                "{},{},{name},{pairs},{both},{flow},{scheme},{neither},{ratio:?},{low:?},{high:?},{verdict}",
                group.cell, group.quench
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use birth_death_stats::acceleration::Verdict;

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
        // (100^p - 1) / (50^p - 1), p = 1 to the level 0.01: 99/49; the interval of 15 values at 1e-3 leaves one out on
        // each side
        assert!((whole.ratio - 99.0 / 49.0).abs() < 1e-9 && whole.arrived == [15, 0, 0, 0]);
        assert!((whole.interval.0 - 99.0 / 199.0).abs() < 1e-9 && whole.verdict == Verdict::Undecided);
        assert_eq!(compared[0].last.ratio, 1.0);
        assert!(compared[1].hits.iter().all(|hit| hit.ratio == 1.0), "the quenched run is its flow here");
    }

    #[test]
    fn what_does_not_happen_in_the_steps_of_a_run_is_later() {
        let (cells, units) = measured(true);
        let groups = groups(&cells, &units);
        let compared = compare(&groups);
        let hit = compared[0].hits[0];
        // the flow halves its loss after 100^0.15 - 1 steps; the scheme has not in 1000
        let most = compared[0].group.runs[&0].points[2].0 as f64;
        let flow = groups[0].runs[&0].hit(0.5);
        assert_eq!((hit.ratio, hit.interval, hit.verdict), (flow / most, (0.0, flow / most), Verdict::Harms));
        assert_eq!(hit.arrived, [0, 15, 0, 0], "for the flow only");
        assert_eq!(compared[0].last.verdict, Verdict::Harms);
        // neither comes to a hundredth of a hundredth: nothing is known
        let neither = comparison(&groups[0], &groups[1], 1000.0, |run| run.hit(1e-4));
        let known = (neither.arrived, neither.interval, neither.verdict);
        assert_eq!(known, ([0, 0, 0, 15], (0.0, f64::INFINITY), Verdict::BudgetTooShort));
        let few: Vec<Unit> = units.iter().filter(|unit| unit.replicate < 10).cloned().collect();
        let groups = self::groups(&cells, &few);
        assert_eq!(compare(&groups)[0].last.verdict, Verdict::TooFew);
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
