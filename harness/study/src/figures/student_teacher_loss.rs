//! The population losses of the three dynamics, at both alphas of the authors' notebook.

use std::fmt::Write;

use super::band::Band;
use super::gaussian::bands;
use super::student_teacher::{KINDS, STEPS, cell};
use super::{Context, Drawn, Halt, Picture};
use crate::study::setting::{Cell, Kind};
use crate::study::train::{self, Branch};
use birth_death_charts::plot::Axis;
use birth_death_charts::sheet::{Panel, Sheet};

pub static PICTURE: Picture = Picture {
    name: "student-teacher-loss",
    setting: "the authors' notebook: 50 ReLU units, 10 teachers in 50 dimensions, batches of 100, f32, rate 0.02; \
        20000 steps, population loss; alpha 0.01 and 1 as the notebook counts it; start, teacher and batches shared by \
        the dynamics of a replicate (docs/student-teacher.md)",
    draw,
};

/// The notebook's.
const ALPHAS: [f64; 2] = [0.01, 1.0];

/// What is run: gradient flow knows no alpha, and is run once.
fn cells() -> Vec<Cell> {
    let schemes = ALPHAS.into_iter().flat_map(|alpha| [cell(Kind::BirthDeath, alpha), cell(Kind::Reinjection, alpha)]);
    [cell(Kind::Flow, 0.0)].into_iter().chain(schemes).collect()
}

/// The replicates of each cell.
type Runs = Vec<(Cell, Vec<Branch>)>;

fn draw(context: &Context) -> Result<Drawn, Halt> {
    let (cells, replicates) = (cells(), context.replicates());
    let count = cells.len() as u64;
    let found = context.map(replicates * count, |task, seed, stop| {
        let cell = &cells[usize::try_from(task % count).unwrap_or(0)];
        // the second branch is the quenched one
        Ok(train::measure(cell, seed, task / count, STEPS, stop)?.swap_remove(0))
    })?;
    let mut runs: Runs = cells.iter().map(|cell| (*cell, Vec::new())).collect();
    for (index, branch) in found.into_iter().enumerate() {
        if let Some(step) = branch.failed {
            return Err(Halt::Failed(format!("{}: step {step} is not finite", cells[index % cells.len()])));
        }
        runs[index % cells.len()].1.push(branch);
    }
    Ok(Drawn { sheet: sheet(&runs), csv: table(&runs) })
}

/// Steps and bands of the loss; step 0 has no place on a logarithmic axis.
fn curve(branches: &[Branch]) -> Vec<(u64, Band)> {
    let points = branches.first().map_or(&[][..], |branch| &branch.points);
    let at = |index: usize| branches.iter().map(|branch| branch.points[index].1).collect::<Vec<_>>();
    (0..points.len()).map(|index| (points[index].0, Band::of(&at(index)))).collect()
}

fn sheet(runs: &Runs) -> Sheet {
    let panel = |alpha: f64| {
        let of = |dynamics: usize| runs.iter().find(|(found, _)| *found == cell(KINDS[dynamics], alpha));
        let points = |dynamics: usize| {
            let curve = of(dynamics).map(|(_, branches)| curve(branches)).unwrap_or_default();
            curve.into_iter().filter(|(step, _)| *step > 0).map(|(step, band)| band.at(step as f64)).collect()
        };
        Panel {
            caption: format!("alpha = {alpha} of the notebook"),
            x: Axis::log("steps (of rate 0.02)"),
            y: Axis::log("population loss E"),
            height: 780,
            curves: bands(points),
        }
    };
    let replicates = runs.first().map_or(0, |(_, branches)| branches.len());
    Sheet {
        title: "Student-teacher, 50 ReLU units: loss".to_owned(),
        notes: vec![format!("line: median, band: 10 to 90 % of {replicates} paired replicates")],
        panels: ALPHAS.into_iter().map(panel).collect(),
        same_height: true,
    }
}

fn table(runs: &Runs) -> String {
    let mut csv = String::from("dynamics,alpha,step,replicates,median,p10,p90\n");
    for (cell, branches) in runs {
        for (step, Band { median, low, high }) in curve(branches) {
            let (name, alpha, count) = (cell.kind.name(), cell.alpha, branches.len());
            // a String takes everything
            let _ = writeln!(csv, "{name},{alpha:?},{step},{count},{median:?},{low:?},{high:?}");
        }
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::gaussian::NAMES;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn a_curve_is_that_of_the_replicates_and_gradient_flow_stands_in_both_panels() {
        let go = AtomicBool::new(false);
        let runs: Runs = cells()
            .into_iter()
            .map(|cell| {
                let branch =
                    |replicate| train::measure(&cell, 1001, replicate, 40, &go).expect("not stopped").swap_remove(0);
                (cell, vec![branch(0), branch(1), branch(2)])
            })
            .collect();
        let first: Vec<f64> = runs[0].1.iter().map(|branch| branch.points[0].1).collect();
        assert_eq!(curve(&runs[0].1)[0], (0, Band::of(&first)));
        assert!(runs.iter().all(|(_, branches)| branches[1].points[0].1 == first[1]), "one start for all");
        let sheet = sheet(&runs);
        let flow = |panel: usize| &sheet.panels[panel].curves[3].series;
        assert_eq!((flow(0), flow(0).name.as_str()), (flow(1), NAMES[0]));
        assert!(sheet.panels.iter().all(|panel| panel.curves.iter().all(|curve| curve.series.points.len() > 5)));
        assert_ne!(sheet.panels[0].curves[4].series.points.last(), sheet.panels[1].curves[4].series.points.last());
        let points: usize = runs.iter().map(|(_, branches)| branches[0].points.len()).sum();
        assert_eq!(table(&runs).lines().count(), 1 + points);
    }
}
