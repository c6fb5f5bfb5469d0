//! E, V and grad V against other statements of the same functions.

use birth_death::Marginal;

use super::check::{Evidence, Measured};
use super::problem::Problem;
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::models::{Nodes, evaluate};
use crate::subject::{Setup, Trial, product};

pub static CLAIM: Claim = Claim {
    id: "gradient",
    kind: Kind::Limit,
    statement: "E is the model's energy, V_i its first variation at particle i, and grad V_i = n dE/dtheta_i",
    source: "arXiv:1902.01843: the energy, the potential as its first variation, and gradient flow of the particles",
    setting: "n = 1, 2, 5, 17; 5 ensembles each; Gaussian units in 1 and 2 dimensions, MMD to a mixture and to a \
        sample, quadratic, double well, Rastrigin",
    estimator: "largest deviation over particles and ensembles, relative to the largest magnitude of the quantity in \
        the ensemble",
    oracle: "Gaussian units: 1/2 ∫(f_n - f)^2 dx and c ∫(f_n - f) phi dx by the trapezoid rule on the inputs (no \
        kernel formula); the other models: their definitions restated; grad V also by sixth-order differences of n E",
    tolerance: "values: 1e-12, about a hundred roundings of the quadrature's and the kernel's sums. Differences of \
        step h = 0.01: truncation h^6/140 of the seventh derivative, below 1e-8 of the largest gradient (Rastrigin: (2 \
        pi h)^6/140 = 4e-10), and rounding 2e-16 n |E| / h, below 1e-10: 1e-7 (Rastrigin's steps, h times (2 pi)^7, \
        included)",
    measure,
};

const ENSEMBLES: u64 = 5;
const SIZES: [usize; 4] = [1, 2, 5, 17];

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let cases: Vec<(Problem, usize)> =
        Problem::ALL.into_iter().flat_map(|problem| SIZES.map(|n| (problem, n))).collect();
    let examined = ENSEMBLES * cases.len() as u64;
    let found = context.map(examined, |index| {
        let (problem, n) = cases[(index / ENSEMBLES) as usize];
        let mut trial = context.trial(&Setup::gradient_flow(n, 0.0), problem.core(), 0, index);
        let dim = trial.rows().dim();
        trial.draw(&product(&vec![Marginal::Normal { mean: 0.3, sd: 1.0 }; dim]));
        let values = trial.values();
        let Ok((energy, _)) = trial.evaluate() else {
            return [f64::NAN; 4];
        };
        let potentials = trial.potentials().to_vec();
        let gradients: Vec<f64> = trial.gradients().iter().flatten().copied().collect();

        let nodes = Nodes::ensemble(values.chunks(n).map(<[f64]>::to_vec).collect());
        let (true_energy, fields) = evaluate(problem.oracle().as_ref(), &nodes);
        let true_gradients = fields.grad.concat();
        [
            deviation(&[energy], &[true_energy]),
            deviation(&potentials, &fields.v),
            deviation(&gradients, &true_gradients),
            deviation(&gradients, &differences(&mut trial, &values, n)),
        ]
    })?;
    let worst = |k: usize| found.iter().map(|f| f[k]).fold(0.0, |a: f64, b| if b > a || b.is_nan() { b } else { a });
    let measured: Vec<Measured> =
        [("E", 1e-12), ("V_i", 1e-12), ("grad V_i", 1e-12), ("grad V_i against differences of n E", 1e-7)]
            .into_iter()
            .enumerate()
            .map(|(k, (what, tolerance))| {
                Measured::exact(format!("relative deviation of {what}"), worst(k), tolerance, examined)
            })
            .collect();
    Ok(measured.into())
}

/// Largest difference over the largest magnitude (at least 1e-3, for ensembles where everything nearly vanishes).
fn deviation(found: &[f64], expected: &[f64]) -> f64 {
    let size = expected.iter().map(|x| x.abs()).fold(1e-3, f64::max);
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / size);
    differences.fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a })
}

/// n dE/dtheta by central differences of sixth order: E at ±h, ±2h, ±3h.
fn differences(trial: &mut Trial, values: &[f64], n: usize) -> Vec<f64> {
    const H: f64 = 0.01;
    const WEIGHTS: [(f64, f64); 3] = [(1.0, 45.0 / 60.0), (2.0, -9.0 / 60.0), (3.0, 1.0 / 60.0)];
    let mut energy_at = |index: usize, shift: f64| {
        let mut moved = values.to_vec();
        moved[index] += shift;
        trial.reset(&moved);
        trial.evaluate().map_or(f64::NAN, |(energy, _)| energy)
    };
    (0..values.len())
        .map(|index| {
            let slope: f64 = WEIGHTS
                .iter()
                .map(|(k, weight)| weight * (energy_at(index, k * H) - energy_at(index, -k * H)) / H)
                .sum();
            n as f64 * slope
        })
        .collect()
}
