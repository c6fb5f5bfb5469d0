//! The energy of n interacting particles is above the mean-field limit's by a constant over n.

use birth_death::Marginal;

use super::check::{Evidence, Measured};
use super::problem::Problem;
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::characteristics::{self, Flow};
use crate::oracles::discrete::{self, DiscreteFlow};
use crate::oracles::models::{MeanField, Nodes};
use crate::oracles::variations::Variations;
use crate::subject::{Setup, product};
use birth_death_charts::plot::{self, Axis, Mark, Plot, Series};
use birth_death_stats::interval::Sample;
use birth_death_stats::quadrature::{Rule, TensorRule};
use birth_death_stats::regression::{Point, PowerLaw, log_log};

pub static CLAIM: Claim = Claim {
    id: "interaction-bias",
    kind: Kind::Limit,
    statement: "on Gaussian units under gradient flow the mean energy of n particles is E(t) + B(t)/n, with B by \
        theory",
    source: "arXiv:1902.01843, the error of order 1/n of the particle system; B from the second variation of E(t) as a \
        functional of the start (von Mises)",
    setting: "the paper's units, c standard normal, y uniform on (-2, 2), independent; alpha = 0, dt = 0.125, t = 0 \
        and 1; n = 25, 50, 100, 200 with 6000, 4000, 2000, 1000 replicates",
    estimator: "mean over replicates of n (E_n - E) / B, less control variates of mean exactly 0: the first \
        variation's polynomial (orthonormal in the start's law), and at t = 1 also 0.9 of the same at t = 0; slope of \
        log(E_n - E) against log n",
    oracle: "E: C_dt on 24 x 24 nodes; B: second differences of it towards each of 8 x 8 nodes; B(0) = 1/(2 root(2 \
        pi)), for <K(theta, theta)> = <c^2>/root(2 pi) and ∬K = 0; C_dt itself, at dt and dt/2 extrapolated, against C",
    tolerance: "t = 1: bias of next order in 1/n, below 1.5 % (seen on other seeds), and 11 standard errors (6.4 for \
        the level of one of 11 checks, 4.5 so that a correct build is decided) of 0.35/root R: what the controls leave \
        of the second variation. t = 0: no bias, 11 standard errors of 0.92/root R. Slope -1: the bias at n = 25 over \
        log 8, and 11 standard errors of 0.006. C_dt against C: dt^2, for E falls at a rate of order 1 and \
        extrapolation leaves the second order",
    measure,
};

const DT: f64 = 0.125;
const STEPS: usize = 8;
/// n, and replicates in quick.
const SIZES: [(usize, u64); 4] = [(25, 6000), (50, 4000), (100, 2000), (200, 1000)];

/// The control of t = 0 is taken with this coefficient, near the regression's (0.89 to 0.94 on other seeds); being
/// fixed, it leaves the mean as it is.
const SHARE: f64 = 0.9;

/// Degrees in c and y of the first variation's polynomial: it explains 0.99999 of the first variation's variance.
const DEGREES: [usize; 2] = [5, 7];

/// Standard deviations of a replicate's n (E_n - E) / B after the controls, and the allowance for their being
/// estimates: seen on other seeds, 0.32 to 0.37 and 0.80 to 0.92.
const SPREAD: f64 = 0.35;
const SPREAD_AT_START: f64 = 0.92;

/// Standard errors that a tolerance holds.
const REACH: f64 = 11.0;
/// Bias of next order in 1/n, relative to B/n, at n = 25 (less beyond).
const NEXT_ORDER: f64 = 0.015;

/// (E_n - E) n / B at the start and at t = 1, the latter less its controls.
type Found = [f64; 2];

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let model = Problem::Units.oracle();
    let ends = [0, STEPS].map(|steps| End::new(model.as_ref(), steps));
    let mut measured = of_oracles(model.as_ref(), &ends);
    let mut series = [Vec::new(), Vec::new()];
    for ((n, replicates), part) in SIZES.into_iter().zip(0..) {
        let replicates = context.replicates(replicates);
        let found = context.map(replicates, |replicate| run(context, n, &ends, part, replicate))?;
        let error = (replicates as f64).sqrt().recip() * REACH;
        let checks = [("0", SPREAD_AT_START * error), ("1", NEXT_ORDER + SPREAD * error)];
        for (at, (t, tolerance)) in checks.into_iter().enumerate() {
            let values: Vec<f64> = found.iter().map(|found| found[at]).collect();
            measured.push(Measured::mean(format!("n (E_n - E) / B at t = {t}, n = {n}"), &values, 1.0, tolerance));
            let sample = Sample::of(&values);
            let scale = ends[at].bias / n as f64;
            let (estimate, se) = (sample.mean * scale, sample.standard_error() * scale);
            series[at].push(Point { x: n as f64, estimate, se });
        }
    }
    let law = log_log(&series[1]);
    let slope = law.as_ref().map_or((f64::NAN, f64::NAN), |law| (law.slope, law.slope_se));
    let fewest = context.replicates(1000);
    let what = "slope of log(E_n - E) against log n at t = 1";
    measured.push(Measured::limit(what, slope, -1.0, slope_tolerance(&series[1]), fewest));
    let plots = law.map(|law| order_plot(&series, &ends, &law)).into_iter().collect();
    Ok(Evidence { measured, plots })
}

/// The start as nodes: Hermite in c, Legendre in y.
fn start(nodes: usize) -> Nodes {
    TensorRule::new(&[Rule::normal(nodes, 0.0, 1.0), Rule::uniform(nodes, -2.0, 2.0)]).into()
}

fn energy(model: &dyn MeanField, start: &Nodes, dt: f64, steps: usize) -> f64 {
    let flow = DiscreteFlow { alpha: 0.0, transport: true, centred: true, dt };
    discrete::solve(model, start, flow, &[steps], |moment| moment.energy).into_iter().sum()
}

/// What theory says of E after so many steps, as a functional of the start.
struct End {
    /// E at n = infinity.
    energy: f64,
    /// n (E_n - E) in the limit.
    bias: f64,
    /// The first variation on the basis of [`products`]; its mean is exactly 0.
    first: Vec<f64>,
}

impl End {
    fn new(model: &dyn MeanField, steps: usize) -> Self {
        let nodes = start(8);
        // Differences of step 1e-3: truncation of relative order 1e-6, rounding 1e-17/1e-6.
        let variations = Variations::of(|nodes| energy(model, nodes, DT, steps), &nodes, 1e-3);
        let mut first = vec![0.0; DEGREES[0] * DEGREES[1]];
        for i in 0..nodes.len() {
            let basis = products(nodes.x[0][i], nodes.x[1][i]);
            let share = nodes.w[i] * variations.first[i];
            first.iter_mut().zip(basis).for_each(|(a, b)| *a += share * b);
        }
        first[0] = 0.0;
        Self { energy: energy(model, &start(24), DT, steps), bias: variations.bias(&nodes), first }
    }

    /// The mean of the first variation over the particles, rows c and y.
    fn linear(&self, rows: &[f64]) -> f64 {
        let (charges, centres) = rows.split_at(rows.len() / 2);
        let each = charges.iter().zip(centres).map(|(&c, &y)| {
            let basis = products(c, y);
            self.first.iter().zip(basis).map(|(a, b)| a * b).sum::<f64>()
        });
        each.sum::<f64>() / charges.len() as f64
    }
}

/// Orthonormal polynomials in the start's law: Hermite's in c times Legendre's in y/2, the constant first.
fn products(c: f64, y: f64) -> Vec<f64> {
    let (mut hermite, mut legendre) = (Vec::with_capacity(DEGREES[0]), Vec::with_capacity(DEGREES[1]));
    hermite.extend([1.0, c]);
    legendre.extend([1.0, 0.5 * y]);
    for k in 2..DEGREES[0] {
        let order = k as f64;
        hermite.push((c * hermite[k - 1] - (order - 1.0).sqrt() * hermite[k - 2]) / order.sqrt());
    }
    for k in 2..DEGREES[1] {
        let order = k as f64;
        legendre.push(((2.0 * order - 1.0) * 0.5 * y * legendre[k - 1] - (order - 1.0) * legendre[k - 2]) / order);
    }
    legendre.iter_mut().enumerate().for_each(|(k, p)| *p *= (2.0 * k as f64 + 1.0).sqrt());
    let mut products = Vec::with_capacity(DEGREES[0] * DEGREES[1]);
    products.extend(hermite.iter().flat_map(|h| legendre.iter().map(move |p| h * p)));
    products
}

fn run(context: &Context, n: usize, ends: &[End; 2], part: u64, replicate: u64) -> Found {
    let setup = Setup::gradient_flow(n, DT);
    let mut trial = context.trial(&setup, Problem::Units.core(), part, replicate);
    trial.draw(&product(&[Marginal::Normal { mean: 0.0, sd: 1.0 }, Marginal::Uniform { low: -2.0, high: 2.0 }]));
    let rows = trial.values();
    let mut evaluate = |steps: usize| {
        let refused = trial.advance(steps).is_err();
        if refused { f64::NAN } else { trial.evaluate().map_or(f64::NAN, |(energy, _)| energy) }
    };
    let energies = [evaluate(0), evaluate(STEPS)];
    let rest = |at: usize| (energies[at] - ends[at].energy - ends[at].linear(&rows)) * n as f64 / ends[at].bias;
    let (first, last) = (rest(0), rest(1));
    [first, last - SHARE * (first - 1.0)]
}

/// What theory says of theory: B(0) in closed form, and C_dt against C.
fn of_oracles(model: &dyn MeanField, ends: &[End; 2]) -> Vec<Measured> {
    let closed = 0.5 / std::f64::consts::TAU.sqrt();
    let flow = Flow { alpha: 0.0, transport: true };
    let limit = characteristics::solve(model, &start(24), flow, 0.05, &[STEPS as f64 * DT], |moment| moment.energy);
    let distance = |value: f64, exact: f64| (value / exact - 1.0).abs();
    let extrapolated = 2.0 * energy(model, &start(24), 0.5 * DT, 2 * STEPS) - ends[1].energy;
    // B(0): the differences' rounding, 1e-17 over their step squared.
    vec![
        Measured::exact("relative distance of B(0) from 1/(2 root(2 pi))", distance(ends[0].bias, closed), 1e-8, 1)
            .of_oracles(),
        Measured::exact(
            "relative distance of C_dt's E(1), extrapolated to dt = 0, from C",
            distance(extrapolated, limit[0]),
            DT * DT,
            1,
        )
        .of_oracles(),
    ]
}

/// For points of the stated spread: the standard error of the fitted slope, and what the next order does to it.
fn slope_tolerance(points: &[Point]) -> f64 {
    let stated: Vec<Point> = points
        .iter()
        .zip(SIZES)
        .map(|(point, (n, replicates))| Point {
            x: point.x,
            estimate: 1.0 / n as f64,
            se: SPREAD / (n as f64 * (replicates as f64).sqrt()),
        })
        .collect();
    let span = (SIZES[3].0 as f64 / SIZES[0].0 as f64).ln();
    log_log(&stated).map_or(f64::NAN, |law| NEXT_ORDER / span + REACH * law.slope_se)
}

/// The excess at both times against n, with B/n.
fn order_plot(series: &[Vec<Point>; 2], ends: &[End; 2], law: &PowerLaw) -> Plot {
    let names = ["t = 0", "t = 1"];
    let lines = ends.iter().zip(names).map(|(end, name)| Series {
        name: format!("B/n, {name}"),
        mark: Mark::Line,
        points: SIZES.iter().map(|&(n, _)| plot::Point::exact(n as f64, end.bias / n as f64)).collect(),
    });
    let dots = series.iter().zip(names).map(|(points, name)| Series {
        name: format!("particles, {name}"),
        mark: Mark::Dots,
        points: points.iter().map(|p| plot::Point::measured(p.x, p.estimate, p.se)).collect(),
    });
    Plot {
        title: format!("Excess energy of n particles: slope {:.3} at t = 1", law.slope),
        x: Axis::log("n"),
        y: Axis::log("mean of E_n - E"),
        series: lines.chain(dots).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basis_is_orthonormal() {
        let nodes = start(12);
        let size = DEGREES[0] * DEGREES[1];
        let all: Vec<Vec<f64>> = (0..nodes.len()).map(|i| products(nodes.x[0][i], nodes.x[1][i])).collect();
        for a in 0..size {
            for b in 0..size {
                let inner = nodes.mean(|i| all[i][a] * all[i][b]);
                assert!((inner - f64::from(a == b)).abs() < 1e-12, "{a} {b} {inner}");
            }
        }
    }

    #[test]
    fn the_polynomial_is_the_first_variation() {
        let model = Problem::Units.oracle();
        for steps in [0, STEPS] {
            let (nodes, end) = (start(8), End::new(model.as_ref(), steps));
            let variations = Variations::of(|nodes| energy(model.as_ref(), nodes, DT, steps), &nodes, 1e-3);
            let variance = nodes.mean(|i| variations.first[i].powi(2));
            let left = nodes.mean(|i| (variations.first[i] - end.linear(&[nodes.x[0][i], nodes.x[1][i]])).powi(2));
            assert!(left < 1e-4 * variance, "{steps}: {left} of {variance}");
            // Twice as many nodes change B by less than 1e-3 of it.
            let finer = start(12);
            let other = Variations::of(|nodes| energy(model.as_ref(), nodes, DT, steps), &finer, 1e-3).bias(&finer);
            assert!((end.bias / other - 1.0).abs() < 1e-3, "{} {other}", end.bias);
        }
    }
}
