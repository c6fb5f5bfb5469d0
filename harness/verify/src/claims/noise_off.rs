//! The noise of birth-death switches itself off as the energy falls.

use std::f64::consts::PI;

use birth_death::Marginal;

use super::check::{Evidence, Measured, largest};
use super::follow::{column, steps_to};
use super::problem::{Problem, radial};
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::discrete::{self, DiscreteFlow};
use crate::oracles::gaussian::GaussianLaw;
use crate::oracles::models::{Nodes, evaluate};
use crate::subject::{Setup, Trial, product};
use birth_death_charts::plot::{self, Axis, Mark, Plot, Series};
use birth_death_stats::interval::Sample;

pub static CLAIM: Claim = Claim {
    id: "noise-off",
    kind: Kind::Limit,
    statement: "scheme 1's events come at the rate alpha n <|b|>, which falls with E: in the Gaussian law on the line \
        it is 4 phi(1) alpha n E, on Gaussian units at most 2 <|c|> (4 pi s2)^(-d/4) root(2E) alpha n",
    source: "arXiv:1902.01843, the remark that the noise of birth-death vanishes with the loss; both forms derived: \
        <|z^2 - 1|> = 4 phi(1) for z standard normal; V = c <(f_n - f) phi> by Cauchy-Schwarz, |b| <= |V| + |Vbar|",
    setting: "F = x^2/2, start standard normal, alpha = 2, n = 1000, dt = 0.02, windows to t = 0.5, 1, 2, 1500 \
        replicates; units, the paper's full start, alpha = 5, n = 50, dt = 0.05, to t = 6, 400 replicates",
    estimator: "deaths and births in a window, over the oracle's; on units over the sum of p along the run; what alpha \
        n <|b|> has in excess of its bound, at the ensembles of every fifth step",
    oracle: "C_dt: the sum of p over nodes and steps; C_dt's sum against the integral of the exact rate, n 2 phi(1) \
        log(P(t) e^(-2ht)) between the window's ends; on units b and E by quadrature over the inputs",
    tolerance: "a bias of 1/n, at most 0.3 % (measured at n = 250 and 1000 on other seeds), and 11 standard errors (6 \
        for the level of one of 8 checks, 4.5 so that a correct build is decided) of root(1/events + 0.05^2) / root R: \
        0.21, 0.35 and 0.5 %. C_dt against the integral: the rate falls by 2h + 2 alpha E, so its sum over left ends \
        is dt (h + alpha E) too large at most; Euler's E falls faster, by h^2 t dt; p is x less alpha dt <b^2> / \
        2<|b|> = 1.04 alpha dt E; E is up to alpha dt / 4 too large, as in rate-pure. Extrapolated from dt / 4 and dt \
        / 8: the square of a quarter of all that. On units: 11 standard errors of 0.9 %, for events less p is a \
        martingale, so that no events at all fail; and an inequality, with no room",
    measure,
};

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let (mut measured, gaussian) = gaussian(context)?;
    let (checks, units) = units(context)?;
    measured.extend(checks);
    Ok(Evidence { measured, plots: vec![gaussian, units] })
}

/// What the crate says of a step besides its events.
struct Step<'a> {
    /// E before it.
    energy: f64,
    /// V before it.
    potentials: &'a [f64],
}

fn mean(values: &[f64], g: impl Fn(f64) -> f64) -> f64 {
    values.iter().map(|value| g(*value)).sum::<f64>() / values.len() as f64
}

/// Deaths and births up to each of `steps`, since the one before; NaN for an error. `before` looks at the trial before
/// a step, `after` gets the window, what `before` saw, and the step.
fn events<T>(
    trial: &mut Trial,
    steps: &[usize],
    mut before: impl FnMut(&Trial) -> T,
    mut after: impl FnMut(usize, T, Step),
) -> Vec<f64> {
    let mut done = 0;
    let mut count = |window: usize, target: usize| {
        let mut count = 0.0;
        while done < target {
            let seen = before(trial);
            let Ok(report) = trial.step() else {
                return f64::NAN;
            };
            count += f64::from(report.births + report.deaths);
            after(window, seen, Step { energy: report.energy, potentials: trial.potentials() });
            done += 1;
        }
        count
    };
    steps.iter().enumerate().map(|(window, &target)| count(window, target)).collect()
}

const CURVATURE: &[f64] = &[1.0];
const ALPHA: f64 = 2.0;
const PARTICLES: usize = 1000;
const DT: f64 = 0.02;
const REPLICATES: u64 = 1500;
/// Ends of windows, and the tolerance of the events in them; derived in the claim.
const WINDOWS: [(f64, f64); 3] = [(0.5, 0.027), (1.0, 0.042), (2.0, 0.058)];

fn law() -> GaussianLaw {
    GaussianLaw { curvature: CURVATURE.to_vec(), precision: vec![1.0], alpha: ALPHA, transport: true }
}

/// The mean number of events up to t as dt -> 0: b = (z^2 - 1)/2P, z standard normal, and E integrates to log(P(t)
/// e^(-2ht) / P) / 2 alpha.
fn integral(t: f64) -> f64 {
    let phi = (-0.5f64).exp() / (2.0 * PI).sqrt();
    PARTICLES as f64 * 2.0 * phi * (law().precision_at(0, t).ln() - 2.0 * CURVATURE[0] * t)
}

/// C_dt's mean number of events in each window, at a step so many times finer.
fn map(steps: &[usize], finer: u32) -> Vec<f64> {
    let dt = DT / f64::from(finer);
    let steps: Vec<usize> = steps.iter().map(|step| step * finer as usize).collect();
    let last = steps.last().copied().unwrap_or(0);
    let flow = DiscreteFlow { alpha: ALPHA, transport: true, centred: true, dt };
    let all: Vec<usize> = (0..last).collect();
    let model = Problem::Quadratic(CURVATURE).oracle();
    let mean = discrete::solve(model.as_ref(), &radial(1, 1.0, 100), flow, &all, |moment| {
        let v = &moment.fields.v;
        let centre = moment.nodes.mean(|i| v[i]);
        PARTICLES as f64 * moment.nodes.mean(|i| -(-ALPHA * (v[i] - centre).abs() * dt).exp_m1())
    });
    let starts = std::iter::once(0).chain(steps.iter().copied());
    starts.zip(&steps).map(|(from, &to)| mean[from..to].iter().sum()).collect()
}

/// C_dt is extrapolated from steps so many times finer, and twice as fine.
const FINER: u32 = 4;

/// What dt may do to C_dt's events in a window; derived in the claim.
fn bound(from: f64, to: f64) -> f64 {
    let (h, energy) = (CURVATURE[0], law().energy(from));
    DT * (h + ALPHA * energy + h * h * to + 1.04 * ALPHA * energy + ALPHA / 4.0)
}

fn gaussian(context: &Context) -> Result<(Vec<Measured>, Plot), Interrupted> {
    let steps = steps_to(&WINDOWS.map(|(t, _)| t), DT);
    let setup = Setup::birth_death(PARTICLES, DT, ALPHA);
    let start = product(&[Marginal::Normal { mean: 0.0, sd: 1.0 }]);
    let oracles = || [2 * FINER, FINER, 1].map(|finer| map(&steps, finer));
    let ([fine, coarse, map], found) = context.map_beside(oracles, context.replicates(REPLICATES), |replicate| {
        let mut trial = context.trial(&setup, Problem::Quadratic(CURVATURE).core(), 0, replicate);
        trial.draw(&start);
        events(&mut trial, &steps, |_| (), |_, (), _| ())
    })?;
    let limit: Vec<f64> = fine.iter().zip(coarse).map(|(fine, coarse)| 2.0 * fine - coarse).collect();
    let (mut measured, mut dots, mut from) = (Vec::new(), Vec::new(), 0.0);
    for (at, (t, tolerance)) in WINDOWS.into_iter().enumerate() {
        let ratios: Vec<f64> = column(&found, at).iter().map(|count| count / map[at]).collect();
        let name = format!("from t = {from} to {t}");
        measured.push(Measured::mean(format!("events over C_dt's {name}, Gaussian law"), &ratios, 1.0, tolerance));
        let distance = (limit[at] / (integral(t) - integral(from)) - 1.0).abs();
        let what = format!(
            "relative distance of C_dt's events, extrapolated to dt = 0, from the integral of the exact rate {name}"
        );
        measured.push(Measured::exact(what, distance, (bound(from, t) / f64::from(FINER)).powi(2), 1).of_oracles());
        let so_far: Vec<f64> = found.iter().map(|counts| counts[..=at].iter().sum()).collect();
        dots.push((t, Sample::of(&so_far)));
        from = t;
    }
    let line = (0..=60).map(|i| 0.05 * f64::from(i)).map(|t| plot::Point::exact(t, integral(t))).collect();
    let line = Series { name: "exact rate, integrated".into(), mark: Mark::Line, points: line };
    Ok((measured, cumulative("Events so far, Gaussian law", line, &dots)))
}

/// Events against time.
fn cumulative(title: &str, line: Series, found: &[(f64, Sample)]) -> Plot {
    let dots = found.iter().map(|(t, sample)| plot::Point::measured(*t, sample.mean, sample.standard_error()));
    let dots = Series { name: "particles".into(), mark: Mark::Dots, points: dots.collect() };
    Plot {
        title: title.into(),
        x: Axis::linear("t"),
        y: Axis::linear("deaths and births so far"),
        series: vec![line, dots],
    }
}

const UNITS_ALPHA: f64 = 5.0;
const UNITS_PARTICLES: usize = 50;
const UNITS_DT: f64 = 0.05;
const UNITS_REPLICATES: u64 = 400;
const UNITS_WINDOWS: usize = 6;
/// Relative, of the events; derived in the claim.
const UNITS_SURPLUS: f64 = 0.1;
/// The oracles look at one step in so many.
const LOOK: usize = 5;
/// s2; the inputs are on the line.
const UNIT_VARIANCE: f64 = 0.5;

/// A replicate on units.
struct Run {
    /// Events in each window.
    counts: Vec<f64>,
    /// The integral of their bound in each window.
    bounds: Vec<f64>,
    /// The sum of p over particles and steps.
    expected: f64,
    /// The largest excess of <|b|> over its bound, relative; NaN for a run that failed.
    excess: f64,
}

/// <|b|> over its bound at an ensemble, all by the oracles' model.
fn over_bound(rows: &[Vec<f64>]) -> f64 {
    let (energy, fields) = evaluate(Problem::Units.oracle().as_ref(), &Nodes::ensemble(rows.to_vec()));
    let centre = mean(&fields.v, |v| v);
    mean(&fields.v, |v| (v - centre).abs()) / bound_of_units(&rows[0], energy)
}

/// 2 <|c|> (4 pi s2)^(-d/4) root(2E).
fn bound_of_units(charges: &[f64], energy: f64) -> f64 {
    2.0 * mean(charges, f64::abs) * (4.0 * PI * UNIT_VARIANCE).powf(-0.25) * (2.0 * energy).sqrt()
}

/// What a ratio has in excess of 1; NaN stays.
fn excess(ratio: f64) -> f64 {
    if ratio <= 1.0 { 0.0 } else { ratio - 1.0 }
}

fn units(context: &Context) -> Result<(Vec<Measured>, Plot), Interrupted> {
    let times: Vec<f64> = (1..=UNITS_WINDOWS).map(|t| t as f64).collect();
    let steps = steps_to(&times, UNITS_DT);
    let setup = Setup::birth_death(UNITS_PARTICLES, UNITS_DT, UNITS_ALPHA);
    let start = product(&[Marginal::Normal { mean: 0.0, sd: 1.0 }, Marginal::Uniform { low: -2.0, high: 2.0 }]);
    let full = UNITS_ALPHA * UNITS_PARTICLES as f64;
    let found = context.map(context.replicates(UNITS_REPLICATES), |replicate| {
        let mut trial = context.trial(&setup, Problem::Units.core(), 1, replicate);
        trial.draw(&start);
        let (mut bounds, mut expected, mut ratios, mut done) = (vec![0.0; UNITS_WINDOWS], 0.0, Vec::new(), 0);
        let rows = |trial: &Trial| -> Vec<Vec<f64>> { trial.rows().iter().map(<[f64]>::to_vec).collect() };
        let counts = events(&mut trial, &steps, rows, |window, rows, step| {
            bounds[window] += UNITS_DT * full * bound_of_units(&rows[0], step.energy);
            let centre = mean(step.potentials, |v| v);
            let p = |v: f64| -(-UNITS_ALPHA * UNITS_DT * (v - centre).abs()).exp_m1();
            expected += UNITS_PARTICLES as f64 * mean(step.potentials, p);
            if done % LOOK == 0 {
                ratios.push(over_bound(&rows));
            }
            done += 1;
        });
        let failed = counts.iter().any(|count| count.is_nan());
        let excess = if failed { f64::NAN } else { largest(ratios.into_iter().map(excess)) };
        Run { counts, bounds, expected, excess }
    })?;
    let looked_at = (found.len() * steps.last().copied().unwrap_or(0).div_ceil(LOOK)) as u64;
    let total = |run: &Run| run.counts.iter().sum::<f64>();
    let scale = Sample::of(&found.iter().map(|run| run.expected).collect::<Vec<f64>>()).mean;
    let surplus: Vec<f64> = found.iter().map(|run| (total(run) - run.expected) / scale).collect();
    let measured = vec![
        Measured::mean("events less the sum of p along the run, over its mean, units", &surplus, 0.0, UNITS_SURPLUS),
        Measured::exact(
            "excess of alpha n <|b|> over its bound by E, relative, largest of the runs, units",
            largest(found.iter().map(|run| run.excess)),
            0.0,
            looked_at,
        ),
    ];
    let (mut line, mut dots) = (vec![plot::Point::exact(0.0, 0.0)], Vec::new());
    for (at, &t) in times.iter().enumerate() {
        let so_far = |of: fn(&Run) -> &[f64]| {
            Sample::of(&found.iter().map(|run| of(run)[..=at].iter().sum()).collect::<Vec<f64>>())
        };
        dots.push((t, so_far(|run| &run.counts)));
        line.push(plot::Point::exact(t, so_far(|run| &run.bounds).mean));
    }
    let line = Series { name: "bound by E, integrated along the runs".into(), mark: Mark::Line, points: line };
    Ok((measured, cumulative("Events so far, Gaussian units", line, &dots)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_met_by_no_ensemble_and_failed_by_nan() {
        let rows = [vec![1.0, -0.5, 2.0], vec![0.0, 1.0, -0.3]];
        let ratio = over_bound(&rows);
        assert!(ratio > 0.0 && ratio < 1.0, "{ratio}");
        // the same with an energy too small, and with one below 0
        let (energy, _) = evaluate(Problem::Units.oracle().as_ref(), &Nodes::ensemble(rows.to_vec()));
        let with = |e: f64| ratio * bound_of_units(&rows[0], energy) / bound_of_units(&rows[0], e);
        assert_eq!(excess(with(energy)), 0.0);
        assert!(excess(with(0.5 * ratio * ratio * energy)) > 0.4);
        assert!(excess(with(-energy)).is_nan());
    }

    #[test]
    fn the_integral_is_that_of_the_rate() {
        // midpoints: error h^2 / 24 of the second derivative, of order 10 of the whole
        let phi = (-0.5f64).exp() / (2.0 * PI).sqrt();
        let rate = |t: f64| 4.0 * phi * ALPHA * PARTICLES as f64 * law().energy(t);
        let sum: f64 = (0..2000).map(|i| 1e-3 * rate(1e-3 * (f64::from(i) + 0.5))).sum();
        assert!((integral(2.0) / sum - 1.0).abs() < 1e-6);
    }
}
