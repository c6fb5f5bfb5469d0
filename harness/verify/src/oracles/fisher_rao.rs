//! K: pure birth-death (Fisher-Rao) of the maximum mean discrepancy, on nodes that stay where they are.
//!
//! PDE 1 of arXiv:1902.01843 without transport is d/dt log w_i = -alpha (V_i - Vbar), V = F + K w: with the Gram matrix
//! K computed once an evaluation is a product of matrix and vector. On any fixed nodes this is the exact flow of the
//! discretised energy; the nodes stand for mu_0 as a quadrature rule does. Along it E - E* <= KL(mu* | mu_0) / (alpha
//! t), E* = 0 here.
//!
//! The classical Runge-Kutta method of order 4 in log-weights. In time s = alpha t the linearised flow is -(diag w - w
//! w') K, whose eigenvalues lie in (-1, 0], for k <= 1 and sum w = 1: what is still moving at s moves at rates of order
//! 1/s, and steps can grow with s.

use super::mmd::Mmd;
use super::models::Nodes;
use super::units::{Component, square_distance};
use birth_death_stats::quadrature::{Rule, TensorRule};
use core::f64::consts::TAU;

/// Steps stop to grow at this many times the first. Runge-Kutta is stable up to 2.78 over the largest eigenvalue, here
/// 1: a first step of 0.25 is safe.
const GROWTH: f64 = 10.0;

/// An MMD energy restricted to fixed nodes.
#[derive(Clone, Debug)]
pub struct FisherRao {
    /// E0 = 1/2 ∬k dnu dnu.
    constant: f64,
    /// F at the nodes.
    external: Vec<f64>,
    /// K, row by row.
    gram: Vec<f64>,
    /// log w at time 0.
    log_w: Vec<f64>,
}

/// The measure at a requested time.
#[derive(Debug)]
pub struct Snapshot<'a> {
    /// The requested time.
    pub time: f64,
    /// One weight a node; they sum to 1.
    pub weights: &'a [f64],
    /// V at the nodes.
    pub v: &'a [f64],
    /// `E[mu]`.
    pub energy: f64,
    /// ∬k dmu dmu; n particles drawn from mu have energy E + (1 - this) / (2 n) in the mean.
    pub self_energy: f64,
}

impl FisherRao {
    /// Tabulates F and K at the nodes of `start`, a quadrature of mu_0. Cost: one exp for every pair of nodes.
    pub fn new(model: &Mmd, start: &Nodes) -> Self {
        let point = |i: usize| -> Vec<f64> { start.x.iter().map(|row| row[i]).collect() };
        let points: Vec<Vec<f64>> = (0..start.len()).map(point).collect();
        let external = points.iter().map(|x| {
            let term = |t: &Component| -t.weight * model.smoothed(square_distance(x, &t.centre), t.variance);
            model.target.iter().map(term).sum()
        });
        let row =
            |x: &Vec<f64>| -> Vec<f64> { points.iter().map(|y| model.smoothed(square_distance(x, y), 0.0)).collect() };
        Self {
            constant: model.energy_of_zero(),
            external: external.collect(),
            gram: points.iter().flat_map(row).collect(),
            log_w: start.w.iter().map(|w| w.ln()).collect(),
        }
    }

    /// Solves the flow at birth-death rate `alpha` and returns what `observe` makes of it at each of `times`
    /// (ascending, from 0 on).
    ///
    /// The step in s = alpha t is at most `precision` times 1 + s or 10, whichever is less; `precision` at most 0.25.
    /// Error O(precision^4): 7e-8 of E at 0.1 in the test's setting. Steps: (2.3 + 0.1 s) / precision. Cost of one: 4
    /// times the number of nodes squared.
    pub fn solve<T>(
        &self,
        alpha: f64,
        precision: f64,
        times: &[f64],
        mut observe: impl FnMut(&Snapshot) -> T,
    ) -> Vec<T> {
        let mut log_w = self.log_w.clone();
        let (mut now, mut seen) = (0.0, Vec::with_capacity(times.len()));
        for &time in times {
            while now < alpha * time {
                let left = alpha * time - now;
                let longest = precision * (1.0 + now).min(GROWTH);
                // Equal steps to the end once it is near, rather than a sliver.
                let step = if left < 2.0 * longest { left / (left / longest - 1e-9).ceil().max(1.0) } else { longest };
                self.step(&mut log_w, step);
                now = if step == left { alpha * time } else { now + step };
            }
            let state = self.evaluate(&log_w);
            let (weights, v) = (&state.weights, &state.v);
            let [external, total] = [&self.external, v].map(|of| dot(weights, of));
            let energy = self.constant + 0.5 * (external + total);
            seen.push(observe(&Snapshot { time, weights, v, energy, self_energy: total - external }));
        }
        seen
    }

    /// E at each of `times`.
    pub fn energies(&self, alpha: f64, precision: f64, times: &[f64]) -> Vec<f64> {
        self.solve(alpha, precision, times, |seen| seen.energy)
    }

    fn evaluate(&self, log_w: &[f64]) -> State {
        // The largest is taken out before exp; a common factor changes nothing.
        let top = log_w.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let mut weights: Vec<f64> = log_w.iter().map(|l| (l - top).exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= sum);
        let rows = self.gram.chunks_exact(weights.len());
        let v = rows.zip(&self.external).map(|(row, external)| external + dot(row, &weights)).collect();
        State { weights, v }
    }

    /// d log w / ds at `log_w`.
    fn slope(&self, log_w: &[f64]) -> Vec<f64> {
        let State { weights, v } = self.evaluate(log_w);
        let mean = dot(&weights, &v);
        v.iter().map(|v| mean - v).collect()
    }

    /// One Runge-Kutta step: slopes at 0, h/2, h/2, h with weights 1, 2, 2, 1 over 6.
    fn step(&self, log_w: &mut [f64], h: f64) {
        let shifted =
            |by: f64, slope: &[f64]| -> Vec<f64> { log_w.iter().zip(slope).map(|(l, s)| l + by * s).collect() };
        let first = self.slope(log_w);
        let second = self.slope(&shifted(0.5 * h, &first));
        let third = self.slope(&shifted(0.5 * h, &second));
        let fourth = self.slope(&shifted(h, &third));
        for (i, l) in log_w.iter_mut().enumerate() {
            *l += h / 6.0 * (first[i] + 2.0 * (second[i] + third[i]) + fourth[i]);
        }
    }
}

struct State {
    weights: Vec<f64>,
    v: Vec<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// KL(nu | mu_0) for a mixture nu with positive weights and variances and mu_0 = N(`mean`, `sd`^2 I), by quadrature.
///
/// The part against mu_0 is closed. The entropy of nu is a sum over components of Gauss-Hermite rules with `n` nodes an
/// axis for log nu: exact for one component; for several it converges geometrically, the faster the closer they are
/// (double `n` to see).
pub fn divergence(target: &[Component], mean: &[f64], sd: f64, n: usize) -> f64 {
    let log_normal = |r2: f64, variance: f64| -0.5 * mean.len() as f64 * (TAU * variance).ln() - 0.5 * r2 / variance;
    let log_density = |x: &[f64]| {
        let terms: Vec<f64> =
            target.iter().map(|t| t.weight.ln() + log_normal(square_distance(x, &t.centre), t.variance)).collect();
        let top = terms.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        top + terms.iter().map(|l| (l - top).exp()).sum::<f64>().ln()
    };
    let mut sum = 0.0;
    for term in target {
        let rules: Vec<Rule> = term.centre.iter().map(|y| Rule::normal(n, *y, term.variance.sqrt())).collect();
        let rule = TensorRule::new(&rules);
        for (i, w) in rule.weights.iter().enumerate() {
            let x: Vec<f64> = rule.points.iter().map(|row| row[i]).collect();
            sum += term.weight * w * log_density(&x);
        }
        let r2 = square_distance(&term.centre, mean) + mean.len() as f64 * term.variance;
        sum -= term.weight * log_normal(r2, sd * sd);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::characteristics::{self, Flow};
    use super::super::models::evaluate;
    use super::*;

    const TIMES: [f64; 6] = [0.0, 0.5, 2.5, 10.0, 25.0, 50.0];
    const ALPHA: f64 = 2.0;

    /// Two clouds under a start N(0, 1): the target is narrower, so mu* << mu_0 with a finite divergence.
    fn model() -> Mmd {
        let term = |weight: f64, x: f64, variance: f64| Component { weight, centre: vec![x], variance };
        Mmd { bandwidth: 0.8, target: vec![term(0.4, -0.9, 0.16), term(0.6, 0.7, 0.25)] }
    }

    fn grid(n: usize, reach: f64) -> Nodes {
        TensorRule::new(&[Rule::normal_grid(n, 0.0, 1.0, reach)]).into()
    }

    fn energies(n: usize, precision: f64) -> Vec<f64> {
        FisherRao::new(&model(), &grid(n, 8.0)).energies(ALPHA, precision, &TIMES)
    }

    fn worst(energies: &[f64], reference: &[f64]) -> f64 {
        energies.iter().zip(reference).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn equals_the_characteristics_without_transport() {
        // Two solvers of order 4, each at an error of some 1e-10 (see the test of the step).
        let start = grid(40, 6.0);
        let flow = Flow { alpha: ALPHA, transport: false };
        let solver = FisherRao::new(&model(), &start);
        let own = solver.solve(ALPHA, 0.01, &TIMES, |m| (m.energy, m.weights.to_vec(), m.v.to_vec()));
        let other = characteristics::solve(&model(), &start, flow, 0.02, &TIMES, |m| {
            (m.energy, m.nodes.w.clone(), m.fields.v.clone())
        });
        for ((energy, w, v), (energy_c, w_c, v_c)) in own.iter().zip(&other) {
            assert!((energy - energy_c).abs() < 1e-9, "{energy} {energy_c}");
            assert!(w.iter().zip(w_c).all(|(a, b)| (a - b).abs() < 1e-8));
            assert!(v.iter().zip(v_c).all(|(a, b)| (a - b).abs() < 1e-8));
        }
    }

    #[test]
    fn a_snapshot_agrees_with_the_model() {
        let start = grid(24, 5.0);
        let checks = FisherRao::new(&model(), &start).solve(ALPHA, 0.1, &[0.0, 1.3], |m| {
            let nodes = Nodes { x: start.x.clone(), w: m.weights.to_vec() };
            let (energy, fields) = evaluate(&model(), &nodes);
            let potential = fields.v.iter().zip(m.v).all(|(a, b)| (a - b).abs() < 1e-14);
            // n independent draws: E_n = E + (∫k(x, x) - ∬k) / (2 n), by hand for n = 1 as a mean over Dirac measures.
            let single = nodes.mean(|i| evaluate(&model(), &Nodes::ensemble(vec![vec![start.x[0][i]]])).0);
            let alone = (single - energy - 0.5 * (1.0 - m.self_energy)).abs() < 1e-13;
            (m.energy - energy).abs() < 1e-14 && potential && alone
        });
        assert_eq!(checks, [true, true]);
    }

    #[test]
    fn the_step_has_order_four() {
        // At alpha t = 20, where most of the steps are long ones. The reference's own error is 4^-4 of the smallest.
        let at = |precision: f64| energies(40, precision)[3];
        let reference = at(0.0125);
        let errors = [0.2, 0.1, 0.05].map(|precision| (at(precision) - reference).abs());
        for pair in errors.windows(2) {
            assert!(((pair[0] / pair[1]).log2() - 4.0).abs() < 0.2, "{errors:?}");
        }
        assert!(errors[1] < 1e-7 * reference, "{errors:?}");
    }

    #[test]
    fn the_grid_converges_spectrally() {
        let reference = energies(160, 0.1);
        let errors = [20, 40, 60, 80].map(|n| worst(&energies(n, 0.1), &reference));
        assert!(errors.windows(2).all(|e| e[1] < 0.01 * e[0]), "{errors:?}");
        assert!(errors[3] < 1e-13, "{errors:?}");
    }

    #[test]
    fn gauss_rules_of_the_start_converge_to_the_same() {
        let reference = energies(80, 0.1);
        let errors = [32, 64, 96].map(|n| {
            let start = TensorRule::new(&[Rule::normal(n, 0.0, 1.0)]).into();
            worst(&FisherRao::new(&model(), &start).energies(ALPHA, 0.1, &TIMES), &reference)
        });
        assert!(errors.windows(2).all(|e| e[1] < 0.2 * e[0]), "{errors:?}");
        assert!(errors[2] < 1e-8, "{errors:?}");
    }

    #[test]
    fn the_bound_holds_along_the_flow() {
        let divergence = divergence(&model().target, &[0.0], 1.0, 80);
        let times: Vec<f64> = (0..40).map(|i| 0.05 * 1.19f64.powi(i)).collect();
        let energies = FisherRao::new(&model(), &grid(80, 8.0)).energies(ALPHA, 0.1, &times);
        assert!(times[39] * ALPHA > 80.0);
        for (t, energy) in times.iter().zip(&energies) {
            assert!(*energy > 0.0 && ALPHA * t * energy < divergence, "{t} {energy} {divergence}");
        }
        assert!(energies.windows(2).all(|e| e[1] < e[0]));
    }

    #[test]
    fn the_divergence_of_one_gaussian_is_closed_and_of_two_converges() {
        // d = 2, N((.3, -.5), .36 I) against N((.1, .2), 1.44 I): (d (r - 1 - ln r) + |difference|^2 / 1.44) / 2, r =
        // .36 / 1.44.
        let one = [Component { weight: 1.0, centre: vec![0.3, -0.5], variance: 0.36 }];
        let exact = 0.5 * (2.0 * (0.25 - 1.0 - 0.25f64.ln()) + (0.04 + 0.49) / 1.44);
        assert!((divergence(&one, &[0.1, 0.2], 1.2, 4) - exact).abs() < 1e-14);
        // The same in another way: ∫r log r dmu_0 on a grid, r = dnu/dmu_0.
        let target = model().target;
        let density = |x: f64, mean: f64, variance: f64| {
            (-0.5 * (x - mean) * (x - mean) / variance).exp() / (TAU * variance).sqrt()
        };
        let by_grid = Rule::normal_grid(400, 0.0, 1.0, 8.0).integrate(|x| {
            let nu: f64 = target.iter().map(|t| t.weight * density(x, t.centre[0], t.variance)).sum();
            let ratio = nu / density(x, 0.0, 1.0);
            ratio * ratio.ln()
        });
        let errors = [20, 40, 80].map(|n| (divergence(&target, &[0.0], 1.0, n) - by_grid).abs());
        assert!(errors.windows(2).all(|e| e[1] < 0.3 * e[0]) && errors[2] < 1e-5, "{errors:?}");
    }
}
