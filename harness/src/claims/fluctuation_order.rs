//! Fluctuations over replicates shrink as one over the root of n.

use birth_death::Marginal;

use super::check::{Evidence, Measured};
use super::plot::{self, Axis, Mark, Plot, Series};
use super::problem::{Problem, half_normal};
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::discrete::{self, DiscreteFlow};
use crate::oracles::models::Nodes;
use crate::oracles::quadrature::TensorRule;
use crate::stats::regression::{Point, PowerLaw, log_log};
use crate::subject::{Setup, product};

pub static CLAIM: Claim = Claim {
    id: "fluctuation-order",
    kind: Kind::Limit,
    statement: "the standard deviation of E over replicates scales as n^(-1/2), and E is not strongly skewed",
    source: "arXiv:1902.01843, the central limit remark on fluctuations of the particle system",
    setting: "F = 1/2 (x_1^2 + 1/2 x_2^2), start standard normal, alpha = 2, dt = 0.125, t = 1, n = 200, 800, 3200, 2000 replicates; 3 \
              events and more a step, in the mean, at the smallest n (with fewer the constant depends on it)",
    estimator: "slope of log sd against log n, weighted by the standard errors of log sd, root((kurtosis - 1) / 4R); third standardised \
                moment at each n; events a step by the n = infinity map",
    oracle: "the exponent -1/2; skewness 0 in the limit",
    tolerance: "slope +-0.1, eleven standard errors of 0.9 %. Skewness: independent particles have root(8/D)/root n for D equal \
                curvatures, genealogies of mean size up to 9 triple it at most: 6/root n, and 11 standard errors root(6/R) of a nearly \
                normal sample",
    measure,
};

const SIZES: [usize; 3] = [200, 800, 3200];
const CURVATURE: &[f64] = &[1.0, 0.5];
const DT: f64 = 0.125;
const ALPHA: f64 = 2.0;
const STEPS: usize = 8;

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let replicates = context.replicates(2000);
    let mut points = Vec::new();
    let mut measured = vec![fewest_events()];
    for (n, part) in SIZES.into_iter().zip(0..) {
        let setup = Setup::birth_death(n, DT, ALPHA);
        let energies = context.map(replicates, |replicate| {
            let mut trial = context.trial(&setup, Problem::Quadratic(CURVATURE).core(), part, replicate);
            trial.draw(&product(&[Marginal::Normal { mean: 0.0, sd: 1.0 }; 2]));
            if (0..STEPS).any(|_| trial.step().is_err()) {
                return f64::NAN;
            }
            trial.evaluate().map_or(f64::NAN, |(energy, _)| energy)
        })?;
        let r = replicates as f64;
        let mean = energies.iter().sum::<f64>() / r;
        let moment = |k: i32| energies.iter().map(|e| (e - mean).powi(k)).sum::<f64>() / r;
        let sd = moment(2).sqrt();
        let kurtosis = moment(4) / sd.powi(4);
        points.push(Point { x: n as f64, estimate: sd, se: sd * ((kurtosis - 1.0) / (4.0 * r)).sqrt() });
        let error = (6.0 / r).sqrt();
        let skewness = (moment(3) / sd.powi(3), error);
        let room = 6.0 / (n as f64).sqrt() + 11.0 * error;
        measured.push(Measured::limit(
            format!("skewness of E over replicates, n = {n}"),
            skewness,
            0.0,
            room,
            replicates,
        ));
    }
    let law = log_log(&points);
    let slope = law.as_ref().map_or((f64::NAN, f64::NAN), |law| (law.slope, law.slope_se));
    measured.push(Measured::limit("slope of log sd(E) against log n", slope, -0.5, 0.1, replicates));
    let plots = law.map(|law| order_plot(&points, &law)).into_iter().collect();
    Ok(Evidence { measured, plots })
}

/// The points with two standard errors, and the line fitted.
fn order_plot(points: &[Point], law: &PowerLaw) -> Plot {
    let measured = points.iter().map(|p| plot::Point::measured(p.x, p.estimate, p.se)).collect();
    let line = points.iter().map(|p| plot::Point::exact(p.x, (law.intercept + law.slope * p.x.ln()).exp())).collect();
    Plot {
        title: "Fluctuations of E over replicates".into(),
        x: Axis::log("n"),
        y: Axis::log("standard deviation of E"),
        series: vec![
            Series { name: format!("slope {:.3}", law.slope), mark: Mark::Line, points: line },
            Series { name: "particles".into(), mark: Mark::Dots, points: measured },
        ],
    }
}

/// How far the smallest ensemble's mean number of events a step, alpha n dt <|b|>, falls below 3: the setting's condition.
fn fewest_events() -> Measured {
    let start: Nodes = TensorRule::new(&[half_normal(80), half_normal(80)]).into();
    let flow = DiscreteFlow { alpha: ALPHA, transport: true, centred: true, dt: DT };
    let steps: Vec<usize> = (0..STEPS).collect();
    let oracle = Problem::Quadratic(CURVATURE).oracle();
    let events = discrete::solve(oracle.as_ref(), &start, flow, &steps, |moment| {
        let mean = moment.nodes.mean(|i| moment.fields.v[i]);
        ALPHA * SIZES[0] as f64 * DT * moment.nodes.mean(|i| (moment.fields.v[i] - mean).abs())
    });
    let fewest = events.iter().copied().fold(f64::INFINITY, f64::min);
    Measured::exact("events a step fewer than 3, at the smallest n", (3.0 - fewest).max(0.0), 0.0, 1).of_oracles()
}
