//! The energy falls as the PDEs say: by transport, by birth-death, by reinjection.

use birth_death::{Marginal, Scheme};

use super::check::{Evidence, Measured, largest};
use super::follow::energy;
use super::problem::{Problem, frozen};
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::models::{MeanField, Nodes, evaluate};
use crate::oracles::one_step::{OneStep, event_sum, mean_energy_after_events};
use crate::subject::{Setup, Trial, product};

pub static CLAIM: Claim = Claim {
    id: "dissipation",
    kind: Kind::Limit,
    statement: "dE/dt = -<|grad V|^2> - alpha <(V - Vbar)^2> under scheme 1, the second with the 1/n terms of the sum \
        over single events; -<|grad V|^2> - alpha (<V^2> - min(Vbar, 0)^2) + alpha max(Vbar, 0) ∫V dmu_b under scheme \
        2",
    source: "arXiv:1902.01843, dissipation of energy along the PDEs, for PDE 2 re-derived; exact one-step mean of an \
        interacting energy: derived from the scheme's definition",
    setting: "frozen ensembles. Transport alone: one step of every model, n = 24, dt = 0.0002 and half that. Events \
        alone: Gaussian units, n = 24, alpha dt <|b|> = 0.1, 3e5 steps. Scheme 2 with transport: F = (x^2 - y^2/2)/2 \
        and its negative, Vbar = 1/4 and -1/4, mu_b = N(0, 1/4), n = 2000, alpha = 5, dt = 0.036, 6000 steps: deaths \
        exceed births (or fall short of them) by 6 standard deviations, so that no step injects by chance",
    estimator: "change of E over dt, by Richardson extrapolation; mean change of E in a step (one observation a \
        block), over the exact one",
    oracle: "the identity, by the oracles' own models; exact one-step means: with interaction by the laws of S and \
        pairs of offspring, for scheme 2 linear in the deaths and births; these, as dt -> 0, against the event sum and \
        the identity of PDE 2; the event sum at n = 400 against the identity of PDE 1",
    tolerance: "transport: no noise, dt^2/12 times a third derivative, below 1e-4. Events: 1.6 %, scheme 2: 0.9 %, 11 \
        standard errors (6 for the level of one of 14 checks, 4.5 so that a correct build is decided) of 0.14 and 0.08 \
        %. One-step means as dt -> 0: 1e-3, by Richardson extrapolation at alpha dt <|b|> = 1e-3. Event sum: 1/(n - 1) \
        for the choice among the others, and the second order of E, alpha <|b|> times the largest K_ii - 2 K_ij + K_jj \
        over 2(n - 1)",
    measure,
};

const BLOCKS: u64 = 200;

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let mut measured = Vec::new();
    for problem in Problem::ALL {
        measured.push(transport(context, problem));
    }
    measured.extend(events(context)?);
    measured.extend(reinjection(context)?);
    Ok(measured.into())
}

/// A fixed ensemble without symmetries: normal quantiles in another order in each row.
fn ensemble(dim: usize, n: usize) -> Vec<Vec<f64>> {
    let quantiles = frozen(n);
    // strides without a common factor with any n in use
    let strides = [1, 7, 11, 13];
    (0..dim).map(|k| (0..n).map(|i| quantiles[(i * strides[k] + k) % n]).collect()).collect()
}

/// -<|grad V|^2>, by the oracles.
fn by_transport(model: &dyn MeanField, nodes: &Nodes) -> f64 {
    let (_, fields) = evaluate(model, nodes);
    -nodes.mean(|i| fields.grad.iter().map(|row| row[i] * row[i]).sum())
}

fn transport(context: &Context, problem: Problem) -> Measured {
    const N: usize = 24;
    const DT: f64 = 2e-4;
    let model = problem.oracle();
    let rows = ensemble(model.dim(), N);
    let slope = |dt: f64| {
        let mut trial = context.trial(&Setup::gradient_flow(N, dt), problem.core(), 0, 0);
        trial.place(&rows.concat());
        let before = energy(&mut trial);
        if trial.step().is_err() {
            return f64::NAN;
        }
        (energy(&mut trial) - before) / dt
    };
    let found = 2.0 * slope(0.5 * DT) - slope(DT);
    let exact = by_transport(model.as_ref(), &Nodes::ensemble(rows));
    let what = format!("dE/dt by transport over -<|grad V|^2>, less 1, {problem:?}");
    Measured::exact(what, (found / exact - 1.0).abs(), 1e-4, 1)
}

/// F and K at the particles of an ensemble, and V less Vbar.
struct Frozen {
    linear: Vec<f64>,
    pair: Vec<Vec<f64>>,
    b: Vec<f64>,
    /// <b^2>.
    variance: f64,
}

impl Frozen {
    /// From evaluations of the model alone: with all the measure at y, V at x is F(x) + K(x, y), and E at y is E0 +
    /// F(y) + K(y, y)/2. `zero` is E0.
    fn new(model: &dyn MeanField, zero: f64, rows: &[Vec<f64>]) -> Self {
        let nodes = Nodes::ensemble(rows.to_vec());
        let n = nodes.len();
        let at = |i: usize, j: usize| {
            let pair = Nodes { x: rows.iter().map(|row| vec![row[i], row[j]]).collect(), w: vec![0.0, 1.0] };
            let (energy, fields) = evaluate(model, &pair);
            (fields.v[0], energy - zero)
        };
        let felt: Vec<Vec<(f64, f64)>> = (0..n).map(|i| (0..n).map(|j| at(i, j)).collect()).collect();
        let linear: Vec<f64> = (0..n).map(|i| 2.0 * felt[i][i].1 - felt[i][i].0).collect();
        let pair = felt.iter().zip(&linear).map(|(row, f)| row.iter().map(|(felt, _)| felt - f).collect()).collect();
        let (_, fields) = evaluate(model, &nodes);
        let mean = nodes.mean(|i| fields.v[i]);
        let b: Vec<f64> = fields.v.iter().map(|v| v - mean).collect();
        let variance = nodes.mean(|i| b[i] * b[i]);
        Self { linear, pair, b, variance }
    }

    fn modulus(&self) -> f64 {
        self.b.iter().map(|b| b.abs()).sum::<f64>() / self.b.len() as f64
    }

    /// E less E0: nobody has an event.
    fn energy(&self) -> f64 {
        mean_energy_after_events(&self.b, &vec![0.0; self.b.len()], &self.linear, &self.pair)
    }

    /// The exact mean change of E in a step.
    fn change(&self, x: f64) -> f64 {
        let p: Vec<f64> = self.b.iter().map(|b| -(-x * b.abs()).exp_m1()).collect();
        mean_energy_after_events(&self.b, &p, &self.linear, &self.pair) - self.energy()
    }

    /// dE/dt over alpha as dt -> 0.
    fn drift(&self) -> f64 {
        let n = self.b.len() as f64;
        let v: Vec<f64> = self.linear.iter().zip(&self.pair).map(|(f, row)| f + row.iter().sum::<f64>() / n).collect();
        event_sum(1.0, &self.b, |i, j| (v[j] - v[i]) / n + 0.5 * self.distance(i, j) / (n * n))
    }

    fn distance(&self, i: usize, j: usize) -> f64 {
        self.pair[i][i] - 2.0 * self.pair[i][j] + self.pair[j][j]
    }

    /// How far the event sum may be from -<b^2>, relative; derived in the claim.
    fn bound(&self) -> f64 {
        let n = self.b.len();
        let pairs = (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
        let most = largest(pairs.map(|(i, j)| self.distance(i, j)));
        (1.0 + 0.5 * self.modulus() * most / self.variance) / (n as f64 - 1.0)
    }
}

/// The mean change of E by a step from `start`, over so many; NaN if one is refused.
fn mean_change(mut trial: Trial, start: &[f64], steps: u64) -> f64 {
    let change = |_| {
        trial.reset(start);
        trial.step().map_or(f64::NAN, |report| energy(&mut trial) - report.energy)
    };
    (0..steps).map(change).sum::<f64>() / steps as f64
}

fn events(context: &Context) -> Result<Vec<Measured>, Interrupted> {
    const N: usize = 24;
    const ALPHA: f64 = 5.0;
    const STEPS: u64 = 1500;
    let model = crate::oracles::units::GaussianUnits::paper();
    let rows = ensemble(2, N);
    let zero = model.energy_of_zero();
    let frozen = Frozen::new(&model, zero, &rows);
    let dt = 0.1 / (ALPHA * frozen.modulus());
    let exact = frozen.change(ALPHA * dt);
    let setup = Setup::birth_death(N, dt, ALPHA).without_transport();
    let start = rows.concat();
    let blocks = context.map(context.replicates(BLOCKS), |block| {
        mean_change(context.trial(&setup, Problem::Units.core(), 1, block), &start, STEPS) / exact
    })?;
    let small = 1e-3 / frozen.modulus();
    let limit = (4.0 * frozen.change(0.5 * small) - frozen.change(small)) / small;
    let many = Frozen::new(&model, zero, &ensemble(2, 400));
    Ok(vec![
        Measured::mean("change of E by the events of scheme 1 over the exact one, units", &blocks, 1.0, 0.016),
        Measured::exact(
            "exact change of E over dt as dt -> 0, over the event sum, less 1",
            (limit / frozen.drift() - 1.0).abs(),
            1e-3,
            1,
        )
        .of_oracles(),
        Measured::exact(
            "event sum over -alpha <(V - Vbar)^2>, less 1, n = 400",
            (many.drift() / -many.variance - 1.0).abs(),
            many.bound(),
            1,
        )
        .of_oracles(),
    ])
}

/// A case of scheme 2: the sign of Vbar decides between injection and removal.
struct Case {
    name: &'static str,
    part: u64,
    curvature: &'static [f64],
}

const CASES: [Case; 2] = [
    Case { name: "Vbar > 0", part: 2, curvature: &[1.0, -0.5] },
    Case { name: "Vbar < 0", part: 3, curvature: &[-1.0, 0.5] },
];

fn reinjection(context: &Context) -> Result<Vec<Measured>, Interrupted> {
    const N: usize = 2000;
    const ALPHA: f64 = 5.0;
    const DT: f64 = 0.036;
    const STEPS: u64 = 30;
    const PRIOR_SD: f64 = 0.5;
    let mut measured = Vec::new();
    for Case { name, part, curvature } in CASES {
        let rows = ensemble(2, N);
        let injected = 0.5 * PRIOR_SD * PRIOR_SD * curvature.iter().sum::<f64>();
        let model = Problem::Quadratic(curvature).oracle();
        let nodes = Nodes::ensemble(rows.clone());
        let (before, fields) = evaluate(model.as_ref(), &nodes);
        let moved = |dt: f64| -> Vec<f64> {
            let step = |(row, grad): (&Vec<f64>, &Vec<f64>)| row.iter().zip(grad).map(|(x, g)| x - dt * g).collect();
            evaluate(model.as_ref(), &Nodes::ensemble(rows.iter().zip(&fields.grad).map(step).collect())).1.v
        };
        let p = |dt: f64| -> Vec<f64> { fields.v.iter().map(|v| -(-ALPHA * dt * v.abs()).exp_m1()).collect() };
        // mean number present of each, as n -> infinity
        let present = |dt: f64| -> Vec<f64> { fields.v.iter().zip(p(dt)).map(|(v, p)| 1.0 - p * v.signum()).collect() };
        let change = |dt: f64, exact: bool| {
            let (present, moved) = (present(dt), moved(dt));
            let missing = 1.0 - present.iter().sum::<f64>() / N as f64;
            let weights: Vec<f64> = if missing > 0.0 {
                present.iter().map(|a| a / N as f64).collect()
            } else if exact {
                OneStep::new(N).shares(&fields.v, &p(dt))
            } else {
                present.iter().map(|a| a / (1.0 - missing) / N as f64).collect()
            };
            let kept: f64 = weights.iter().zip(&moved).map(|(w, v)| w * v).sum();
            kept + missing.max(0.0) * injected - before
        };
        let exact = change(DT, true);
        let prior = product(&[Marginal::Normal { mean: 0.0, sd: PRIOR_SD }; 2]);
        let setup = Setup { scheme: Scheme::Reinjection(prior), ..Setup::birth_death(N, DT, ALPHA) };
        let start = rows.concat();
        let blocks = context.map(context.replicates(BLOCKS), |block| {
            mean_change(context.trial(&setup, Problem::Quadratic(curvature).core(), part, block), &start, STEPS) / exact
        })?;
        measured.push(Measured::mean(
            format!("change of E by a step of scheme 2 over the exact one, {name}"),
            &blocks,
            1.0,
            0.009,
        ));
        let small = DT / 100.0;
        let limit = (4.0 * change(0.5 * small, false) - change(small, false)) / small;
        let (square, mean) = (nodes.mean(|i| fields.v[i] * fields.v[i]), before);
        let identity = by_transport(model.as_ref(), &nodes) - ALPHA * (square - mean.min(0.0) * mean.min(0.0))
            + ALPHA * mean.max(0.0) * injected;
        let what = format!("exact change of E over dt as dt -> 0, over the identity of PDE 2, less 1, {name}");
        measured.push(Measured::exact(what, (limit / identity - 1.0).abs(), 1e-3, 1).of_oracles());
    }
    Ok(measured)
}
