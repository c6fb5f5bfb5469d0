//! The energies of the three dynamics over time: what the pictures of both starts do.

use std::fmt::Write;

use super::band::Band;
use super::gaussian::{DOTS, DT, DYNAMICS, NAMES, bands, look};
use super::published::{self, Mean};
use super::runs::{Experiment, Runs};
use super::{Context, Drawn, Halt};
use birth_death_charts::draw::{Dot, Look};
use birth_death_charts::plot::{Axis, Mark, Point, Series};
use birth_death_charts::sheet::{Curve, Panel, Sheet};
use birth_death_stats::interval::Sample;

/// Runs an experiment and shows its energies, with those published for `start`.
pub fn draw(context: &Context, experiment: &'static Experiment, start: &str, title: &str) -> Result<Drawn, Halt> {
    let runs = context.runs(experiment, context.replicates())?;
    let published = DYNAMICS.map(|dynamics| published::means(start, dynamics));
    Ok(Drawn { sheet: sheet(&runs, &published, title), csv: table(&runs, &published) })
}

/// The energies of one dynamics at the recorded step number `at`.
fn energies(runs: &Runs, dynamics: usize, at: usize) -> Vec<f64> {
    runs.of[dynamics].iter().map(|run| run.energies[at]).collect()
}

fn time(step: usize) -> f64 {
    step as f64 * DT
}

fn sheet(runs: &Runs, published: &[Vec<Mean>; 3], title: &str) -> Sheet {
    let mut curves = bands(|dynamics| {
        let at = |(at, &step): (usize, &usize)| Band::of(&energies(runs, dynamics, at)).at(time(step));
        runs.steps.iter().enumerate().map(at).collect()
    });
    // above all bands and lines
    for (dynamics, name) in NAMES.iter().enumerate() {
        let theirs = published[dynamics].iter().map(|mean| Point::measured(time(mean.step), mean.energy, mean.error));
        let ours = published[dynamics].iter().filter_map(|mean| {
            let at = runs.steps.iter().position(|&step| step == mean.step)?;
            Some(Point::exact(time(mean.step), Sample::of(&energies(runs, dynamics, at)).mean))
        });
        let dots = |name: &str, points: Vec<Point>, look: Look| {
            let series = Series { name: name.into(), mark: Mark::Dots, points };
            Curve { series, look, dash: &[] }
        };
        let mark = Look { dot: DOTS[dynamics], radius: 22, stroke: 6, ..look(dynamics) };
        curves.push(dots(name, theirs.collect(), mark));
        curves.push(dots("", ours.collect(), Look { dot: Dot::Full, radius: 9, ..mark }));
    }
    let replicates = runs.replicates();
    Sheet {
        title: title.to_owned(),
        notes: vec![
            format!("line: median, band: 10 to 90 %, dot: mean of {replicates} replicates"),
            "open mark: the authors' published mean ± 2 standard errors".to_owned(),
        ],
        panels: vec![Panel {
            caption: String::new(),
            x: Axis::linear("time t (dimensionless; a step is 0.01)"),
            y: Axis::log("energy E (dimensionless)"),
            height: 1180,
            curves,
        }],
        same_height: false,
    }
}

fn table(runs: &Runs, published: &[Vec<Mean>; 3]) -> String {
    let mut csv = String::from(
        "dynamics,step,time,replicates,median,p10,p90,mean,standard_error,published_mean,published_standard_error\n",
    );
    for (dynamics, name) in DYNAMICS.iter().enumerate() {
        for (at, &step) in runs.steps.iter().enumerate() {
            let values = energies(runs, dynamics, at);
            let (band, sample) = (Band::of(&values), Sample::of(&values));
            let theirs = published[dynamics].iter().find(|mean| mean.step == step);
            let theirs = theirs.map_or(",".to_owned(), |mean| format!("{:?},{:?}", mean.energy, mean.error));
            // a String takes everything
            let _ = writeln!(
                csv,
                "{name},{step},{:?},{},{:?},{:?},{:?},{:?},{:?},{theirs}",
                time(step),
                values.len(),
                band.median,
                band.low,
                band.high,
                sample.mean,
                sample.standard_error()
            );
        }
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::runs::Run;

    #[test]
    fn the_table_has_what_is_drawn() {
        let run = |energies: [f64; 2]| Run { energies: energies.to_vec(), start: vec![], end: vec![] };
        let runs = Runs { steps: vec![0, 3], of: vec![vec![run([1.0, 0.5]), run([3.0, 0.25])]; 3] };
        let mean = Mean { step: 3, energy: 0.375, error: 0.125 };
        let published = [vec![], vec![mean], vec![]];
        let lines: Vec<String> = table(&runs, &published).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[1], "gradient-flow,0,0.0,2,2.0,1.2,2.8,2.0,1.0,,");
        assert_eq!(lines[4], "birth-death,3,0.03,2,0.375,0.275,0.475,0.375,0.125,0.375,0.125");
        let curves = &sheet(&runs, &published, "t").panels[0].curves;
        assert_eq!(curves[1].series.points[1], Point { x: 0.03, y: 0.375, low: 0.275, high: 0.475 });
        // published, and the mean at the same step
        assert_eq!(curves[8].series.points, [Point { x: 0.03, y: 0.375, low: 0.125, high: 0.625 }]);
        assert_eq!(curves[9].series.points, [Point::exact(0.03, 0.375)]);
        assert!(curves[6].series.points.is_empty() && curves[7].series.points.is_empty());
    }
}
