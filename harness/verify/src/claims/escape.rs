//! Birth-death empties the basin of a local minimum, which gradient flow cannot.

use birth_death::Marginal;

use super::check::{Evidence, Measured};
use super::follow::{column, energies, follow, steps_to};
use super::problem::Problem;
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::discrete::{self, DiscreteFlow};
use crate::oracles::models::{DoubleWell, Nodes};
use crate::subject::{Setup, Trial, product};
use birth_death_charts::plot::{self, Axis, Mark, Plot, Series};
use birth_death_stats::interval::Sample;
use birth_death_stats::quadrature::Rule;

pub static CLAIM: Claim = Claim {
    id: "escape",
    kind: Kind::Limit,
    statement: "in a double well the mass in the wrong basin stays for ever under gradient flow; under scheme 1 its \
        log-odds fall with slope alpha x gap",
    source: "arXiv:1902.01843, non-local mass transfer by birth-death; the rate derived: with both clouds settled d/dt \
        log(M/(1 - M)) = -alpha gap",
    setting: "V = (x^2 - 1)^2 + 0.1 x, start N(0.5, 0.6^2), dt = 0.005, n = 1000. alpha = 0: t = 4, 40 replicates; \
        alpha = 10: t = 0.5, 1, 1.5, 600 replicates",
    estimator: "change of the number of particles beyond the barrier, largest of all replicates; mean of (E - min \
        V)/gap over that share; mean of the change of log(M/(1 - M)) from t = 0.5 to 1.5, over -alpha x gap; mean of M \
        over the oracle's",
    oracle: "0; 1; 1; C_dt on Legendre panels either side of the barrier, and C_dt's slope over -alpha x gap",
    tolerance: "gradient flow: none cross; E within 0.2 %: one particle still under way at t = 4 adds 0.016 % to the \
        mean and to its standard error, 0.14 % with the interval, and two are needed to leave it undecided; the \
        start's density at the barrier is 0.49 and they leave it as e^(4t), so 0.49 x 2 e^(-16) of 40000, 0.005, are \
        under way, and two with probability 1e-5. Against C_dt: a bias in M of 0.8, 4.4 and 12.5 over n (measured at n \
        = 250, 1000, 4000 on other seeds), and 11 standard errors (6 for the level of one of 7 checks, 4.5 so that a \
        correct build is decided) of 0.15, 0.32 and 0.52 %: 1.8, 4 and 7 %. Slope: C_dt's 2 % and 11 standard errors \
        of 0.17 %; noise adds (1 - 2M)/(2n M(1 - M)), below 0.5 %, by Ito's formula. C_dt: 2 %, alpha gap dt M^2 < \
        0.01 for births add log(2 - e^-x) = x - x^2, and 0.01 for what lingers at the barrier at t = 0.5, e^(-2) of a \
        density of 0.5, and there under V = 1 loses e^(-alpha/2)",
    measure,
};

const WELL: DoubleWell = DoubleWell { tilt: 0.1, dim: 1 };
const START: (f64, f64) = (0.5, 0.6);
const DT: f64 = 0.005;
const PARTICLES: usize = 1000;
const ALPHA: f64 = 10.0;
const TIMES: [f64; 3] = [0.5, 1.0, 1.5];

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let mut measured = gradient_flow(context)?;
    let (checks, plot) = birth_death(context)?;
    measured.extend(checks);
    Ok(Evidence { measured, plots: vec![plot] })
}

/// The share of particles beyond the barrier.
fn wrong(trial: &Trial) -> f64 {
    let barrier = WELL.stationary()[1];
    let row = trial.rows();
    row.row(0).iter().filter(|x| **x > barrier).count() as f64 / row.len() as f64
}

fn gradient_flow(context: &Context) -> Result<Vec<Measured>, Interrupted> {
    let (mean, sd) = START;
    let replicates = context.replicates(40);
    let steps = steps_to(&[4.0], DT);
    let [left, ..] = WELL.stationary();
    let bottom = (left * left - 1.0).powi(2) + WELL.tilt * left;
    let found = context.map(replicates, |replicate| {
        let mut trial =
            context.trial(&Setup::gradient_flow(PARTICLES, DT), Problem::Well(WELL.tilt).core(), 0, replicate);
        trial.draw(&product(&[Marginal::Normal { mean, sd }]));
        let before = wrong(&trial);
        let energy = energies(&mut trial, &steps)[0];
        let after = wrong(&trial);
        ((after - before).abs() * PARTICLES as f64, (energy - bottom) / WELL.gap() / before)
    })?;
    // a maximum that keeps NaN
    let moved = found.iter().fold(0.0, |most: f64, (moved, _)| if *moved <= most { most } else { *moved });
    let ratios: Vec<f64> = found.iter().map(|(_, ratio)| *ratio).collect();
    Ok(vec![
        Measured::exact("gradient flow: particles that cross the barrier", moved, 0.0, replicates),
        Measured::mean(
            "gradient flow: (E - min V) / gap at t = 4 over the share beyond the barrier",
            &ratios,
            1.0,
            SETTLED,
        ),
    ])
}

/// Relative, of the energy left behind; derived in the claim.
const SETTLED: f64 = 0.002;

/// The start's law by Legendre panels that end at the barrier, to 7 standard deviations.
fn start(panels: usize) -> Nodes {
    let (mean, sd) = START;
    let barrier = WELL.stationary()[1];
    let side = |from: f64, to: f64| -> Vec<(f64, f64)> {
        let width = (to - from) / panels as f64;
        let panel = |k: usize| Rule::legendre(8, from + k as f64 * width, from + (k + 1) as f64 * width);
        (0..panels).map(panel).flat_map(|rule| rule.nodes.into_iter().zip(rule.weights)).collect()
    };
    let all = [side(mean - 7.0 * sd, barrier), side(barrier, mean + 7.0 * sd)].concat();
    let (x, w): (Vec<f64>, Vec<f64>) =
        all.into_iter().map(|(x, w)| (x, w * (-0.5 * ((x - mean) / sd).powi(2)).exp())).unzip();
    let sum: f64 = w.iter().sum();
    Nodes { x: vec![x], w: w.into_iter().map(|w| w / sum).collect() }
}

/// The mass beyond the barrier in C_dt after so many steps each.
fn map(panels: usize, alpha: f64, steps: &[usize]) -> Vec<f64> {
    let barrier = WELL.stationary()[1];
    let flow = DiscreteFlow { alpha, transport: true, centred: true, dt: DT };
    discrete::solve(&WELL, &start(panels), flow, steps, |moment| {
        moment.nodes.mean(|i| if moment.nodes.x[0][i] > barrier { 1.0 } else { 0.0 })
    })
}

fn log_odds(mass: f64) -> f64 {
    (mass / (1.0 - mass)).ln()
}

fn birth_death(context: &Context) -> Result<(Vec<Measured>, Plot), Interrupted> {
    let (mean, sd) = START;
    let steps = steps_to(&TIMES, DT);
    let setup = Setup::birth_death(PARTICLES, DT, ALPHA);
    let found = context.map(context.replicates(600), |replicate| {
        let mut trial = context.trial(&setup, Problem::Well(WELL.tilt).core(), 1, replicate);
        trial.draw(&product(&[Marginal::Normal { mean, sd }]));
        follow(&mut trial, &steps, &f64::NAN, |trial| wrong(trial))
    })?;
    let map = map(PANELS, ALPHA, &steps);
    let mut measured = Vec::new();
    for (at, &t) in TIMES.iter().enumerate() {
        let ratios: Vec<f64> = column(&found, at).iter().map(|mass| mass / map[at]).collect();
        let what = format!("mass beyond the barrier over C_dt's at t = {t}");
        measured.push(Measured::mean(what, &ratios, 1.0, MASS[at]));
    }
    let full = ALPHA * WELL.gap() * (TIMES[2] - TIMES[0]);
    let fall = |masses: &[f64]| (log_odds(masses[0]) - log_odds(masses[2])) / full;
    let falls: Vec<f64> = found.iter().map(|masses| fall(masses)).collect();
    let what = "slope of the log-odds over -alpha x gap";
    measured.push(Measured::mean(what, &falls, 1.0, SLOPE));
    measured.push(
        Measured::exact(
            "C_dt's slope of the log-odds over -alpha x gap, less 1",
            (fall(&map) - 1.0).abs(),
            SLOPE_MAP,
            1,
        )
        .of_oracles(),
    );
    Ok((measured, plot(&found)))
}

const PANELS: usize = 40;
/// Relative, of the mass at each time; derived in the claim.
const MASS: [f64; 3] = [0.018, 0.04, 0.07];
/// Of the particles' slope over -alpha x gap; likewise.
const SLOPE: f64 = 0.045;
/// Of C_dt's; likewise.
const SLOPE_MAP: f64 = 0.02;

fn plot(found: &[Vec<f64>]) -> Plot {
    let times: Vec<f64> = (0..=30).map(|i| 0.05 * f64::from(i)).collect();
    let steps = steps_to(&times, DT);
    let line = |name: &str, alpha: f64| {
        let odds = map(PANELS, alpha, &steps).into_iter().map(|mass| mass / (1.0 - mass));
        let points = times.iter().zip(odds).map(|(&t, odds)| plot::Point::exact(t, odds)).collect();
        Series { name: name.into(), mark: Mark::Line, points }
    };
    let dots = TIMES.iter().enumerate().map(|(at, &t)| {
        let odds: Vec<f64> = column(found, at).iter().map(|mass| mass / (1.0 - mass)).collect();
        let sample = Sample::of(&odds);
        plot::Point::measured(t, sample.mean, sample.standard_error())
    });
    Plot {
        title: "Odds of the wrong basin".into(),
        x: Axis::linear("t"),
        y: Axis::log("M / (1 - M)"),
        series: vec![
            line("gradient flow", 0.0),
            line("birth-death, n = infinity", ALPHA),
            Series { name: "particles".into(), mark: Mark::Dots, points: dots.collect() },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadrature_has_converged() {
        let steps = steps_to(&TIMES, DT);
        for (coarse, fine) in map(PANELS, ALPHA, &steps).iter().zip(map(2 * PANELS, ALPHA, &steps)) {
            assert!((coarse / fine - 1.0).abs() < 1e-4, "{coarse} {fine}");
        }
    }
}
