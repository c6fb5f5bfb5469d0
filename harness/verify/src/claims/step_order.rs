//! The bias of the step's length is of first order.

use birth_death::Marginal;

use super::check::{Evidence, Measured};
use super::follow::energies;
use super::problem::{Problem, half_normal};
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::discrete::{self, DiscreteFlow};
use crate::oracles::gaussian::GaussianLaw;
use crate::oracles::models::Nodes;
use crate::subject::{Setup, product};
use birth_death_charts::plot::{self, Axis, Mark, Plot, Series};
use birth_death_stats::interval::Sample;
use birth_death_stats::quadrature::TensorRule;
use birth_death_stats::regression::{Point, log_log};

pub static CLAIM: Claim = Claim {
    id: "step-order",
    kind: Kind::Limit,
    statement: "the bias of scheme 1 in dt has order 1",
    source: "arXiv:1902.01843 leaves the step's order open; one evaluation a step, rates and gradients frozen, is \
        weakly of first order: derived",
    setting: "F = 1/2 (x_1^2 + 1/2 x_2^2), start standard normal, alpha = 2, t = 1, dt = 0.25, 0.125, 0.0625, n = \
        2000, 1600 replicates each; C_dt also at dt = 1/32 to 1/256",
    estimator: "slope of log(E(G) - mean E) against log dt, weighted by standard errors; of C_dt, its E in place of \
        the mean",
    oracle: "G, the closed form; order 1",
    tolerance: "C_dt, dt = 1/32 to 1/256: +-0.02, the next order at dt = 1/32. Particles: +-0.14, of which C_dt's own \
        distance at these dt is 0.02, a 1/n bias of E of 0.03 % (0.4/n to 1/n on other seeds, n = 500 and 2000) \
        against a dt bias of 4 % less than 0.02, and 11 standard errors (5.7 for the level of one of 2 checks, 4.5 so \
        that a correct build is decided) of 0.009",
    measure,
};

const CURVATURE: &[f64] = &[1.0, 0.5];
const ALPHA: f64 = 2.0;
const PARTICLES: usize = 2000;
const REPLICATES: u64 = 1600;
/// Steps to t = 1 of the particles.
const STEPS: [usize; 3] = [4, 8, 16];
/// Steps of C_dt alone.
const FINE: [usize; 4] = [32, 64, 128, 256];

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let law = GaussianLaw { curvature: CURVATURE.to_vec(), precision: vec![1.0; 2], alpha: ALPHA, transport: true };
    let exact = law.energy(1.0);
    let start = product(&[Marginal::Normal { mean: 0.0, sd: 1.0 }; 2]);
    let replicates = context.replicates(REPLICATES);
    let mut points = Vec::new();
    for (steps, part) in STEPS.into_iter().zip(0..) {
        let dt = 1.0 / steps as f64;
        let setup = Setup::birth_death(PARTICLES, dt, ALPHA);
        let found = context.map(replicates, |replicate| {
            let mut trial = context.trial(&setup, Problem::Quadratic(CURVATURE).core(), part, replicate);
            trial.draw(&start);
            energies(&mut trial, &[steps])[0]
        })?;
        let sample = Sample::of(&found);
        points.push(Point { x: dt, estimate: exact - sample.mean, se: sample.standard_error() });
    }
    let order = |points: &[Point]| log_log(points).map_or((f64::NAN, f64::NAN), |law| (law.slope, law.slope_se));
    let fine = map(&FINE, exact);
    let what = "order of E(G) - E in dt, dt = 1/4 to 1/16";
    let measured = vec![
        Measured::limit(what, order(&points), 1.0, 0.14, replicates),
        Measured::exact("order of C_dt in dt, 1/32 to 1/256, less 1", (order(&fine).0 - 1.0).abs(), 0.02, 1)
            .of_oracles(),
    ];
    let line = map(&STEPS, exact).into_iter().chain(fine).map(|p| plot::Point::exact(p.x, p.estimate));
    let mut line: Vec<plot::Point> = line.collect();
    line.reverse();
    let mut dots: Vec<plot::Point> = points.iter().map(|p| plot::Point::measured(p.x, p.estimate, p.se)).collect();
    dots.reverse();
    let plot = Plot {
        title: "Bias of the step's length".into(),
        x: Axis::log("dt"),
        y: Axis::log("E(G) - E at t = 1"),
        series: vec![
            Series { name: "n = infinity".into(), mark: Mark::Line, points: line },
            Series { name: "particles".into(), mark: Mark::Dots, points: dots },
        ],
    };
    Ok(Evidence { measured, plots: vec![plot] })
}

/// C_dt's bias with so many steps to t = 1. With 100 x 100 nodes (one quadrant) quadrature is off by less than 1e-6 of
/// E, 1e-3 of the least bias.
fn map(steps: &[usize], exact: f64) -> Vec<Point> {
    let start: Nodes = TensorRule::new(&[half_normal(200), half_normal(200)]).into();
    let model = Problem::Quadratic(CURVATURE).oracle();
    steps
        .iter()
        .map(|&steps| {
            let dt = 1.0 / steps as f64;
            let flow = DiscreteFlow { alpha: ALPHA, transport: true, centred: true, dt };
            let energy = discrete::solve(model.as_ref(), &start, flow, &[steps], |moment| moment.energy)[0];
            Point { x: dt, estimate: exact - energy, se: 0.0 }
        })
        .collect()
}
