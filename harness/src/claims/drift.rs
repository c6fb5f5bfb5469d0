//! One step's mean change of observables, and of an energy with interaction.

use birth_death::{Energy, Error, Field, Rows};

use super::check::{Evidence, Measured, Test};
use super::problem::frozen;
use super::{CLAIM_LEVEL, Claim, Context, Interrupted, Kind};
use crate::oracles::one_step::{OneStep, event_sum};
use crate::stats::interval::Sample;
use crate::stats::power::{POWER, detectable_limit};
use crate::stats::tails::t_two_sided;
use crate::subject::{Separable, Setup};

pub static CLAIM: Claim = Claim {
    id: "drift",
    kind: Kind::Sharp,
    statement: "the mean of an observable changes in a step as the exact law of scheme 1 says; an interacting energy falls by the sum over \
                single events in the limit of rare events",
    source: "arXiv:1902.01843, the birth-death term of the PDE; exact one-step mean and event sum: derived from the scheme's definition",
    setting: "n = 64 at shifted normal quantiles, no transport; V = z + 0.7 z^2, alpha dt <|b|> = 0.3, 2e5 steps, observables z, z^2, cos z and V; E = 1/2 (<z> - \
              3)^2 (V = z (<z> - 3)) with 0.05 events a step, 4e6 steps",
    estimator: "mean over steps of the change of the observable's mean (one observation a block of 1000 steps), over the exact change; of the \
                energy, over dt times the event sum",
    oracle: "Gauss-Legendre quadrature of the exact integral, 65 nodes; the event sum over all pairs",
    tolerance: "observables: sharp t test, must be able to see 1 % of the drift. Energy: a step with two events (2.5 % of those with any) \
                changes the sum by no more than its own size, hence 2.5 %; and 11 standard errors of 0.35 %, seen on other seeds",
    measure,
};

const N: usize = 64;
const BLOCK: u64 = 1000;

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
    measured.push(energy(context)?);
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
    let blocks = context.map(context.replicates(200), |block| {
        let mut trial = context.trial(&setup, Box::new(Separable(potential)), 0, block);
        let mut sums = [0.0; G.len()];
        for _ in 0..BLOCK {
            trial.reset(&z);
            if trial.step().is_err() {
                return [f64::NAN; G.len()];
            }
            let after = trial.rows().row(0).to_vec();
            sums.iter_mut().zip(G).for_each(|(sum, (_, g))| *sum += mean_of(&after, g));
        }
        sums.map(|sum| sum / BLOCK as f64)
    })?;
    let level = CLAIM_LEVEL / (G.len() + 1) as f64;
    Ok(G.iter()
        .enumerate()
        .map(|(k, (name, g))| {
            let before = mean_of(&z, g);
            let exact: f64 = shares.iter().zip(&z).map(|(share, z)| share * g(*z)).sum::<f64>() - before;
            let ratios: Vec<f64> = blocks.iter().map(|block| (block[k] - before) / exact).collect();
            let sample = Sample::of(&ratios);
            let se = sample.standard_error();
            let test = Test {
                p: t_two_sided((sample.mean - 1.0) / se, sample.dof()),
                detectable: detectable_limit(se, sample.dof(), level, POWER),
                budget: 0.01,
            };
            let what = format!("one-step change of <{name}> over the exact one");
            Measured::sharp(what, sample.mean, 1.0, test, ratios.len() as u64 * BLOCK)
        })
        .collect())
}

fn energy(context: &Context) -> Result<Measured, Interrupted> {
    const DT: f64 = 0.01;
    const EVENTS: f64 = 0.05;
    let target = Distance(3.0);
    let z = frozen(N);
    let mean_start = mean_of(&z, |z| z);
    let b = centred(&z, |z| z * (mean_start - target.0));
    let alpha = EVENTS / (DT * b.iter().map(|b| b.abs()).sum::<f64>());
    let change = |i: usize, j: usize| target.of(mean_start + (z[j] - z[i]) / N as f64) - target.of(mean_start);
    let exact = DT * event_sum(alpha, &b, change);
    let setup = Setup::birth_death(N, DT, alpha).without_transport();
    let blocks = context.map(context.replicates(200), |block| {
        let mut trial = context.trial(&setup, Box::new(Distance(target.0)), 1, block);
        let mut sum = 0.0;
        for _ in 0..20 * BLOCK {
            trial.reset(&z);
            match trial.step() {
                // most steps have no event
                Ok(report) if report.births + report.deaths == 0 && trial.rows().row(0) == z => {}
                Ok(_) => sum += target.of(mean_of(trial.rows().row(0), |z| z)) - target.of(mean_start),
                Err(_) => return f64::NAN,
            }
        }
        sum / (20 * BLOCK) as f64 / exact
    })?;
    Ok(Measured::mean("one-step change of an interacting E over dt times the event sum", &blocks, 1.0, 0.065))
}
