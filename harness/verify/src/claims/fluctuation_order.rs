//! Fluctuations over replicates shrink as one over the root of n.

use birth_death::Marginal;

use super::check::{Evidence, Measured, largest};
use super::follow::{column, energies};
use super::problem::{Problem, half_normal};
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::discrete::{self, DiscreteFlow};
use crate::oracles::models::Nodes;
use crate::subject::{Setup, product};
use birth_death_charts::plot::{self, Axis, Mark, Plot, Series};
use birth_death_stats::quadrature::TensorRule;
use birth_death_stats::regression::{Point, PowerLaw, log_log};

pub static CLAIM: Claim = Claim {
    id: "fluctuation-order",
    kind: Kind::Limit,
    statement: "the standard deviation of E over replicates scales as n^(-1/2), and E is not strongly skewed",
    source: "arXiv:1902.01843, the central limit remark on fluctuations of the particle system",
    setting: "F = 1/2 (x_1^2 + 1/2 x_2^2), start standard normal, alpha = 2, dt = 0.125, t = 1, n = 200, 800, 3200, \
        2000 replicates; 3 events and more a step, in the mean, at the smallest n (with fewer the constant depends on \
        it)",
    estimator: "slope of log sd against log n, weighted by the standard errors of log sd, root((kurtosis - 1) / 4R); \
        third standardised moment at each n; events a step by the n = infinity map",
    oracle: "the exponent -1/2; skewness 0 in the limit, no nearer than a sanity bound",
    tolerance: "slope +-0.1, eleven standard errors of 0.9 %. Skewness: a sanity bound, for its constant under \
        genealogies is not derived: 6/root n, thrice the root(8/D)/root n of independent particles in D = 2 equal \
        curvatures, and 11 standard errors (5.9 for the level of one of 5 checks, 4.5 so that a correct build is \
        decided) of 6 %, the delta method's on other seeds",
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
            energies(&mut trial, &[STEPS])
        })?;
        let energies = column(&energies, 0);
        let r = replicates as f64;
        let mean = energies.iter().sum::<f64>() / r;
        let moment = |k: i32| energies.iter().map(|e| (e - mean).powi(k)).sum::<f64>() / r;
        let sd = moment(2).sqrt();
        let kurtosis = moment(4) / sd.powi(4);
        points.push(Point { x: n as f64, estimate: sd, se: sd * ((kurtosis - 1.0) / (4.0 * r)).sqrt() });
        let standard: Vec<f64> = energies.iter().map(|e| (e - mean) / sd).collect();
        let room = 6.0 / (n as f64).sqrt() + 11.0 * SKEWNESS_ERROR;
        measured.push(Measured::limit(
            format!("skewness of E over replicates, n = {n}"),
            skewness(&standard),
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

/// The skewness's standard error with the base number of replicates; measured.
const SKEWNESS_ERROR: f64 = 0.06;

/// The third moment of standardised values, and its standard error by the delta method: standardising takes 3 z and 3/2
/// skewness (z^2 - 1) from a value's z^3. Of a normal sample root(6/R).
fn skewness(standard: &[f64]) -> (f64, f64) {
    let r = standard.len() as f64;
    let skewness = standard.iter().map(|z| z.powi(3)).sum::<f64>() / r;
    let influence = |z: &f64| z.powi(3) - skewness - 3.0 * z - 1.5 * skewness * (z * z - 1.0);
    (skewness, (standard.iter().map(|z| influence(z).powi(2)).sum::<f64>()).sqrt() / r)
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

/// How far the smallest ensemble's mean number of events a step, alpha n dt <|b|>, falls below 3: the setting's
/// condition.
fn fewest_events() -> Measured {
    let start: Nodes = TensorRule::new(&[half_normal(80), half_normal(80)]).into();
    let flow = DiscreteFlow { alpha: ALPHA, transport: true, centred: true, dt: DT };
    let steps: Vec<usize> = (0..STEPS).collect();
    let oracle = Problem::Quadratic(CURVATURE).oracle();
    let events = discrete::solve(oracle.as_ref(), &start, flow, &steps, |moment| {
        let mean = moment.nodes.mean(|i| moment.fields.v[i]);
        ALPHA * SIZES[0] as f64 * DT * moment.nodes.mean(|i| (moment.fields.v[i] - mean).abs())
    });
    // written so that NaN stays
    let missing = events.into_iter().map(|events| if events >= 3.0 { 0.0 } else { 3.0 - events });
    Measured::exact("events a step fewer than 3, at the smallest n", largest(missing), 0.0, 1).of_oracles()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delta_method_is_the_jackknife() {
        let values: Vec<f64> = (0..400).map(|i| ((f64::from(i) + 0.5) / 400.0).powi(3)).collect();
        let standard = |values: &[f64]| -> Vec<f64> {
            let r = values.len() as f64;
            let mean = values.iter().sum::<f64>() / r;
            let sd = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / r).sqrt();
            values.iter().map(|x| (x - mean) / sd).collect()
        };
        let left_out: Vec<f64> = (0..values.len())
            .map(|i| {
                let rest: Vec<f64> = values[..i].iter().chain(&values[i + 1..]).copied().collect();
                skewness(&standard(&rest)).0
            })
            .collect();
        let mean = left_out.iter().sum::<f64>() / left_out.len() as f64;
        let jackknife = left_out.iter().map(|s| (s - mean).powi(2)).sum::<f64>().sqrt();
        let (_, error) = skewness(&standard(&values));
        assert!((error / jackknife - 1.0).abs() < 0.02, "{error} {jackknife}");
    }

    #[test]
    fn a_normal_sample_has_no_skewness_and_the_error_of_one() {
        let values = super::super::problem::frozen(20_000);
        let (skewness, error) = skewness(&values);
        assert!(skewness.abs() < 0.01, "{skewness}");
        assert!((error / (6.0f64 / 20_000.0).sqrt() - 1.0).abs() < 0.02, "{error}");
    }
}
