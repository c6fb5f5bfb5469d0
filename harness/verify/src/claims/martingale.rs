//! Along a run, what is left of an observable's change when its exact conditional mean is taken off is a martingale.

use birth_death::Marginal;

use super::check::{Evidence, Measured, Test};
use super::problem::Problem;
use super::{CLAIM_LEVEL, Claim, Context, Interrupted, Kind};
use crate::oracles::models::{Fields, Nodes};
use crate::oracles::one_step::OneStep;
use crate::subject::{Setup, Trial, product};
use birth_death_charts::plot::{self, Axis, Mark, Plot, Series};
use birth_death_stats::difference::StandardError;
use birth_death_stats::interval::Sample;
use birth_death_stats::power::{POWER, detectable_limit};
use birth_death_stats::tails::{t_quantile, t_two_sided};

pub static CLAIM: Claim = Claim {
    id: "martingale",
    kind: Kind::Sharp,
    statement: "along a run of scheme 1, every step's change of an observable has the exact conditional mean: what is \
        left, M_r summed over a run, has mean 0",
    source: "arXiv:1902.01843, the birth-death algorithm; exact conditional mean: derived from the scheme's definition",
    setting: "the paper's Gaussian units, start c ~ N(0, 1), y ~ U(-2, 2), n = 100, alpha = 5, dt = 1/16 (the oracle's \
        evaluation of a step is nearly all of the cost; a third of the dt would take three times as long, and the \
        conditional mean is exact at any), t = 2, 400 replicates",
    estimator: "Z = sum M_r / root(sum M_r^2) over replicates; of <c>, <y>, <c y> and the energy's linear part <F> \
        after the step; of offspring counts scored by V, and by what V of the slot has changed since the step before, \
        cut at 0.02 (potentials one step late show there)",
    oracle: "V and grad V of the harness's own quadrature over the inputs, at the present ensemble; expected shares of \
        offspring by Gauss-Legendre quadrature of the exact integral; positions after the step by the harness's own \
        gradient",
    tolerance: "sharp: Z root((R - 1) / (R - Z^2)) over R replicates is Student's t for normal M_r; skewness g of M_r \
        changes the tail by exp(|g Z^3| / (3 root R)) to leading order, and p is multiplied by that at |g| = 0.5 (0.25 \
        was seen in 3e4 replicates on other seeds). Must be able to see 11 standard errors",
    measure,
};

const N: usize = 100;
const ALPHA: f64 = 5.0;
const DT: f64 = 0.0625;
const STEPS: usize = 32;
const REPLICATES: u64 = 400;
/// A bound of the skewness of M_r.
const SKEWNESS: f64 = 0.5;

/// A function of one particle, (c, y).
type Observable = (&'static str, fn(f64, f64) -> f64);

const OBSERVABLES: [Observable; 4] = [("<c>", |c, _| c), ("<y>", |_, y| y), ("<c y>", |c, y| c * y), ("<F>", external)];
/// The change of V is cut at +-[`CUT`]: the few large ones, of slots that another particle has taken, would skew M_r.
const SCORES: [&str; 2] = ["V", "the slot's change of V in the last step, cut at 0.02"];
const CUT: f64 = 0.02;
const CHECKS: usize = OBSERVABLES.len() + SCORES.len();

/// F(c, y) = -c sum_a q_a N(y; y_a, 1/2 + v_a) of the paper's instance.
fn external(c: f64, y: f64) -> f64 {
    let term = |weight: f64, centre: f64, variance: f64| {
        weight * (-0.5 * (y - centre).powi(2) / variance).exp() / (std::f64::consts::TAU * variance).sqrt()
    };
    -c / 3.0 * (term(1.0, -2.0, 1.0) + term(-2.0, 0.0, 1.5) + term(1.0, 2.0, 1.0))
}

/// What one replicate comes to.
#[derive(Clone, Debug)]
struct Run {
    /// M_r of every observable and score.
    martingale: [f64; CHECKS],
    /// The change of <V> by events, accumulated: found, and its exact conditional mean.
    potential: Vec<(f64, f64)>,
}

impl Run {
    const LOST: Self = Self { martingale: [f64::NAN; CHECKS], potential: Vec::new() };
}

/// The oracle's view of one step.
struct Expected {
    fields: Fields,
    /// Expected share of the offspring of each slot.
    shares: Vec<f64>,
    /// Expected observables after the step.
    observables: [f64; OBSERVABLES.len()],
}

/// What should follow from the present ensemble.
fn expected(trial: &Trial, rule: &OneStep) -> Expected {
    let model = Problem::Units.oracle();
    let nodes = Nodes::ensemble(trial.rows().iter().map(<[f64]>::to_vec).collect());
    let mut fields = Fields::zeros(2, N);
    model.fields(&nodes, &mut fields);
    let mean = nodes.mean(|i| fields.v[i]);
    let b: Vec<f64> = fields.v.iter().map(|v| v - mean).collect();
    let p: Vec<f64> = b.iter().map(|b| -(-ALPHA * b.abs() * DT).exp_m1()).collect();
    let shares = rule.shares(&b, &p);
    let moved = |k: usize, i: usize| nodes.x[k][i] - DT * fields.grad[k][i];
    let observables =
        OBSERVABLES.map(|(_, g)| shares.iter().enumerate().map(|(i, share)| share * g(moved(0, i), moved(1, i))).sum());
    Expected { fields, shares, observables }
}

fn run(context: &Context, rule: &OneStep, replicate: u64) -> Run {
    let setup = Setup::birth_death(N, DT, ALPHA);
    let mut trial = context.trial(&setup, Problem::Units.core(), 0, replicate);
    trial.draw(&product(&[Marginal::Normal { mean: 0.0, sd: 1.0 }, Marginal::Uniform { low: -2.0, high: 2.0 }]));
    let mut run = Run { martingale: [0.0; CHECKS], potential: vec![(0.0, 0.0)] };
    let mut last: Option<Vec<f64>> = None;
    let (mut found, mut mean) = (0.0, 0.0);
    for _ in 0..STEPS {
        let Expected { fields, shares, observables } = expected(&trial, rule);
        if trial.step().is_err() {
            return Run::LOST;
        }
        let (c, y) = (trial.rows().row(0), trial.rows().row(1));
        for ((sum, (_, g)), expected) in run.martingale.iter_mut().zip(OBSERVABLES).zip(observables) {
            *sum += c.iter().zip(y).map(|(c, y)| g(*c, *y)).sum::<f64>() / N as f64 - expected;
        }
        // offspring of slot i are the slots whose origin it is
        let offspring = |score: &dyn Fn(usize) -> f64| -> (f64, f64) {
            let origins = trial.origins().iter().map(|&origin| score(origin as usize));
            let expected = shares.iter().enumerate().map(|(i, share)| share * score(i));
            (origins.sum::<f64>() / N as f64, expected.sum())
        };
        let start = fields.v.iter().sum::<f64>() / N as f64;
        let (after, expected) = offspring(&|i| fields.v[i]);
        run.martingale[OBSERVABLES.len()] += after - expected;
        (found, mean) = (found + after - start, mean + expected - start);
        run.potential.push((found, mean));
        if let Some(last) = &last {
            let (after, expected) = offspring(&|i| (fields.v[i] - last[i]).clamp(-CUT, CUT));
            run.martingale[OBSERVABLES.len() + 1] += after - expected;
        }
        last = Some(fields.v);
    }
    run
}

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let level = CLAIM_LEVEL / CHECKS as f64;
    let rule = OneStep::new(N);
    let runs = context.map(context.replicates(REPLICATES), |replicate| run(context, &rule, replicate))?;
    let observables = OBSERVABLES.iter().map(|(name, _)| format!("of {name} after the step"));
    let scores = SCORES.iter().map(|name| format!("of offspring scored by {name}"));
    let measured = observables.chain(scores).enumerate().map(|(k, of)| {
        let values: Vec<f64> = runs.iter().map(|run| run.martingale[k]).collect();
        standardised(format!("Z {of}"), &values, level)
    });
    Ok(Evidence { measured: measured.collect(), plots: vec![plot(&runs)] })
}

/// Z of replicates whose mean should be 0.
fn standardised(what: String, values: &[f64], level: f64) -> Measured {
    let r = values.len() as f64;
    let z = values.iter().sum::<f64>() / values.iter().map(|m| m * m).sum::<f64>().sqrt();
    let tail = |z: f64| (SKEWNESS * z.abs().powi(3) / (3.0 * r.sqrt())).exp();
    let t = z * ((r - 1.0) / (r - z * z)).sqrt();
    let dof = r - 1.0;
    // power at the level that is left after the factor, taken where the test would reject
    let edge = t_quantile(0.5 * level / tail(t_quantile(0.5 * level, dof)), dof);
    let test = Test {
        // no number passes: clamp keeps NaN
        p: if t.is_finite() { (t_two_sided(t, dof) * tail(z)).clamp(0.0, 1.0) } else { f64::NAN },
        detectable: detectable_limit(1.0, dof, level / tail(edge), POWER),
        budget: 11.0,
        error: StandardError::known(1.0),
    };
    Measured::sharp(what, z, 0.0, test, values.len() as u64)
}

fn plot(runs: &[Run]) -> Plot {
    let at = |step: usize, of: fn(&(f64, f64)) -> f64| -> Sample {
        let values: Vec<f64> = runs.iter().filter_map(|run| run.potential.get(step)).map(of).collect();
        Sample::of(&values)
    };
    let time = |step: usize| step as f64 * DT;
    let line = |step| plot::Point::exact(time(step), at(step, |v| v.1).mean);
    let dots = |step| {
        // the error of the difference: both share the run's fluctuations
        let difference = at(step, |v| v.0 - v.1);
        plot::Point::measured(time(step), at(step, |v| v.0).mean, difference.standard_error())
    };
    Plot {
        title: "Mean potential: what births and deaths have taken off".into(),
        x: Axis::linear("t"),
        y: Axis::linear("change of Vbar by events, accumulated"),
        series: vec![
            Series {
                name: "exact conditional means".into(),
                mark: Mark::Line,
                points: (0..=STEPS).map(line).collect(),
            },
            Series {
                name: "found, mean of replicates".into(),
                mark: Mark::Dots,
                points: (0..=STEPS).step_by(4).map(dots).collect(),
            },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracles::models::evaluate;
    use crate::oracles::units::GaussianUnits;

    #[test]
    fn the_linear_part_is_the_model_s() {
        // a charge so small that the interaction is nothing: V = F
        const SMALL: f64 = 1e-9;
        for y in [-2.5, -0.3, 1.7] {
            let (_, fields) = evaluate(&GaussianUnits::paper(), &Nodes::ensemble(vec![vec![SMALL], vec![y]]));
            assert!((fields.v[0] - external(SMALL, y)).abs() < 1e-17);
        }
    }

    #[test]
    fn a_mean_is_found_and_its_absence_is_not() {
        let values = |shift: f64| -> Vec<f64> { (0..400).map(|i| shift + f64::from(i % 20) - 9.5).collect() };
        let p = |shift| match standardised("x".into(), &values(shift), 1e-8).null {
            super::super::check::Null::Sharp { p, .. } => p,
            _ => f64::NAN,
        };
        assert!(p(0.0) > 0.99);
        // standard deviation 5.8, standard error 0.29
        assert!(p(0.3) > 0.1 && p(3.0) < 1e-9, "{} {}", p(0.3), p(3.0));
        assert!(p(f64::NAN).is_nan());
    }
}
