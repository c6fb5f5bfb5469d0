//! One step's mean change of observables, and of an energy with interaction.

use birth_death::{Energy, Error, Field, Rows};

use super::check::{Evidence, Measured, Test};
use super::problem::frozen;
use super::{CLAIM_LEVEL, Claim, Context, Interrupted, Kind};
use crate::oracles::one_step::{OneStep, event_sum, mean_energy_after_events};
use crate::subject::{Separable, Setup};
use birth_death_stats::difference::StandardError;
use birth_death_stats::interval::Sample;
use birth_death_stats::power::{POWER, detectable_limit};
use birth_death_stats::tails::t_two_sided;

pub static CLAIM: Claim = Claim {
    id: "drift",
    kind: Kind::Sharp,
    statement: "the mean of an observable changes in a step as the exact law of scheme 1 says, and that of an \
        interacting energy, in the limit of rare events by the sum over single events",
    source: "arXiv:1902.01843, the birth-death term of the PDE; exact one-step mean and event sum: derived from the \
        scheme's definition",
    setting: "n = 64 at shifted normal quantiles, no transport; V = z + 0.7 z^2, alpha dt <|b|> = 0.3, 2e5 steps, \
        observables z, z^2, cos z and V; E = 1/2 (<z> - 3)^2 (V = z (<z> - 3)), alpha dt <|b|> = 0.1, 2e5 steps",
    estimator: "mean over steps of the change of the observable's mean (one observation a block of 1000 steps), over \
        the exact change; of the energy likewise",
    oracle: "Gauss-Legendre quadrature of the exact integral, 65 nodes; of the energy by the laws of the number \
        present and of pairs of offspring; its limit, by Richardson extrapolation, against the event sum over all \
        pairs",
    tolerance: "sharp t tests, must be able to see 1 % of the drift, of the energy 1.5 %. Event sum: with x = 1e-3 \
        events a particle, extrapolated, the second order of 64 x = 0.064 events a step: 4e-3",
    measure,
};

const N: usize = 64;
const BLOCK: u64 = 1000;
/// Four observables, the energy, and its limit.
const CHECKS: f64 = 6.0;

fn potential(z: f64) -> f64 {
    z + 0.7 * z * z
}

/// E = 1/2 (<z> - m)^2: F = -m z, K = z z', E0 = m^2 / 2.
struct Distance(f64);

impl Distance {
    fn of(&self, mean: f64) -> f64 {
        0.5 * (mean - self.0) * (mean - self.0)
    }
}

impl Energy<f64> for Distance {
    fn dim(&self) -> usize {
        1
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, f64>, mut out: Field<'_, f64>) -> Result<f64, Error> {
        out.check(1, at)?;
        let mean = at.row(0).iter().sum::<f64>() / at.len() as f64;
        let (v, mut gradient) = out.parts_mut();
        gradient.row_mut(0).fill(mean - self.0);
        v.iter_mut().zip(at.row(0)).for_each(|(v, z)| *v = z * (mean - self.0));
        Ok(self.of(mean))
    }
}

/// Potentials less their mean.
fn centred(z: &[f64], v: impl Fn(f64) -> f64) -> Vec<f64> {
    let mean = mean_of(z, &v);
    z.iter().map(|z| v(*z) - mean).collect()
}

fn mean_of(values: &[f64], g: impl Fn(f64) -> f64) -> f64 {
    values.iter().map(|z| g(*z)).sum::<f64>() / values.len() as f64
}

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let mut measured = observables(context)?;
    measured.extend(energy(context)?);
    Ok(measured.into())
}

type Observable = (&'static str, fn(f64) -> f64);

fn observables(context: &Context) -> Result<Vec<Measured>, Interrupted> {
    const DT: f64 = 0.1;
    const G: [Observable; 4] = [("z", |z| z), ("z^2", |z| z * z), ("cos z", f64::cos), ("V", potential)];
    let z = frozen(N);
    let b = centred(&z, potential);
    let alpha = 0.3 / (DT * b.iter().map(|b| b.abs()).sum::<f64>() / N as f64);
    let p: Vec<f64> = b.iter().map(|b| 1.0 - (-alpha * b.abs() * DT).exp()).collect();
    let shares = OneStep::new(N).shares(&b, &p);
    let setup = Setup::birth_death(N, DT, alpha).without_transport();
    // most particles stand where they stood, and g of them need not be asked again
    let known = G.map(|(_, g)| z.iter().map(|z| g(*z)).collect::<Vec<f64>>());
    let blocks = context.map(context.replicates(200), |block| {
        let mut trial = context.trial(&setup, Box::new(Separable(potential)), 0, block);
        let mut sums = [0.0; G.len()];
        for _ in 0..BLOCK {
            trial.reset(&z);
            if trial.step().is_err() {
                return [f64::NAN; G.len()];
            }
            let after = trial.rows().row(0);
            for ((sum, (_, g)), known) in sums.iter_mut().zip(G).zip(&known) {
                let values = after.iter().zip(&z).zip(known);
                let total: f64 = values.map(|((x, z), known)| if x == z { *known } else { g(*x) }).sum();
                *sum += total / N as f64;
            }
        }
        sums.map(|sum| sum / BLOCK as f64)
    })?;
    Ok(G.iter()
        .enumerate()
        .map(|(k, (name, g))| {
            let before = mean_of(&z, g);
            let exact: f64 = shares.iter().zip(&z).map(|(share, z)| share * g(*z)).sum::<f64>() - before;
            let ratios: Vec<f64> = blocks.iter().map(|block| (block[k] - before) / exact).collect();
            against_exact(format!("one-step change of <{name}> over the exact one"), &ratios, 0.01)
        })
        .collect())
}

/// A sharp test that the ratios, one a block, have mean 1.
fn against_exact(what: impl Into<String>, ratios: &[f64], budget: f64) -> Measured {
    let sample = Sample::of(ratios);
    let (se, level) = (sample.standard_error(), CLAIM_LEVEL / CHECKS);
    let test = Test {
        p: t_two_sided((sample.mean - 1.0) / se, sample.dof()),
        detectable: detectable_limit(se, sample.dof(), level, POWER),
        budget,
        error: StandardError { value: se, dof: Some(sample.dof()) },
    };
    Measured::sharp(what, sample.mean, 1.0, test, ratios.len() as u64 * BLOCK)
}

/// The energy at an ensemble.
struct Frozen {
    linear: Vec<f64>,
    pair: Vec<Vec<f64>>,
    b: Vec<f64>,
    /// dE/dt over alpha as dt -> 0.
    drift: f64,
}

impl Frozen {
    fn new(target: &Distance, z: &[f64]) -> Self {
        let mean = mean_of(z, |z| z);
        let b = centred(z, |z| z * (mean - target.0));
        let change = |i: usize, j: usize| target.of(mean + (z[j] - z[i]) / z.len() as f64) - target.of(mean);
        let drift = event_sum(1.0, &b, change);
        let pair = z.iter().map(|x| z.iter().map(|y| x * y).collect()).collect();
        Self { linear: z.iter().map(|z| -target.0 * z).collect(), pair, b, drift }
    }

    /// <|b|>.
    fn modulus(&self) -> f64 {
        self.b.iter().map(|b| b.abs()).sum::<f64>() / self.b.len() as f64
    }

    /// The exact mean change of E in a step with alpha dt = `x`.
    fn change(&self, x: f64) -> f64 {
        let after = |x: f64| {
            let p: Vec<f64> = self.b.iter().map(|b| -(-x * b.abs()).exp_m1()).collect();
            mean_energy_after_events(&self.b, &p, &self.linear, &self.pair)
        };
        after(x) - after(0.0)
    }
}

fn energy(context: &Context) -> Result<[Measured; 2], Interrupted> {
    const DT: f64 = 0.01;
    const EVENTS: f64 = 0.1;
    const RARE: f64 = 1e-3;
    let target = Distance(3.0);
    let z = frozen(N);
    let frozen = Frozen::new(&target, &z);
    let start = target.of(mean_of(&z, |z| z));
    let alpha = EVENTS / (DT * frozen.modulus());
    let setup = Setup::birth_death(N, DT, alpha).without_transport();
    let x = RARE / frozen.modulus();
    let oracle = || (frozen.change(alpha * DT), (4.0 * frozen.change(0.5 * x) - frozen.change(x)) / x);
    let ((exact, limit), changes) = context.map_beside(oracle, context.replicates(200), |block| {
        let mut trial = context.trial(&setup, Box::new(Distance(target.0)), 1, block);
        let mut sum = 0.0;
        for _ in 0..BLOCK {
            trial.reset(&z);
            if trial.step().is_err() {
                return f64::NAN;
            }
            sum += target.of(mean_of(trial.rows().row(0), |z| z)) - start;
        }
        sum / BLOCK as f64
    })?;
    let ratios: Vec<f64> = changes.iter().map(|change| change / exact).collect();
    Ok([
        against_exact("one-step change of an interacting E over the exact one", &ratios, 0.015),
        Measured::exact(
            "exact change of E over dt as dt -> 0, over the event sum, less 1",
            (limit / frozen.drift - 1.0).abs(),
            (RARE * N as f64).powi(2),
            1,
        )
        .of_oracles(),
    ])
}
