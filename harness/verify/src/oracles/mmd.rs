//! Maximum mean discrepancy with the Gaussian kernel, to a mixture or to a sample.
//!
//! `E[mu]` = 1/2 ∬k(x, y) (mu - nu)(dx) (mu - nu)(dy), k(x, y) = exp(-|x - y|^2 / (2 h^2)); hence F = -∫k(., y) nu(dy),
//! K = k, E0 = 1/2 ∬k dnu dnu. k is (2 pi h^2)^(d/2) N(x - y; 0, h^2 I), and a Gaussian convolved with a Gaussian adds
//! variances, so every integral over a mixture is closed. A sample is a mixture of variance zero.

use super::models::{Fields, MeanField, Nodes};
use super::units::{Component, square_distance};

/// The model; all rows of the nodes are positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Mmd {
    /// h, the kernel's length.
    pub bandwidth: f64,
    /// nu: at least one component, weights that sum to 1, variance 0 allowed.
    pub target: Vec<Component>,
}

impl Mmd {
    /// nu = the empirical measure of a sample given as component-major rows.
    pub fn to_sample(bandwidth: f64, rows: &[Vec<f64>]) -> Self {
        let n = rows[0].len();
        let target = (0..n).map(|i| Component {
            weight: 1.0 / n as f64,
            centre: rows.iter().map(|row| row[i]).collect(),
            variance: 0.0,
        });
        Self { bandwidth, target: target.collect() }
    }

    /// k smoothed by a Gaussian of variance `u`, at square distance `r2`:
    /// (h^2 / (h^2 + u))^(d/2) exp(-r2 / (2 (h^2 + u))).
    pub(super) fn smoothed(&self, r2: f64, u: f64) -> f64 {
        let h2 = self.bandwidth * self.bandwidth;
        (h2 / (h2 + u)).powf(0.5 * self.dim() as f64) * (-0.5 * r2 / (h2 + u)).exp()
    }

    /// E0 = 1/2 ∬k dnu dnu.
    pub fn energy_of_zero(&self) -> f64 {
        let mut energy = 0.0;
        for a in &self.target {
            for b in &self.target {
                let r2 = square_distance(&a.centre, &b.centre);
                energy += 0.5 * a.weight * b.weight * self.smoothed(r2, a.variance + b.variance);
            }
        }
        energy
    }
}

impl MeanField for Mmd {
    fn dim(&self) -> usize {
        self.target[0].centre.len()
    }

    /// Cost: one exp for every pair of nodes, of a node and a component, and of components.
    fn fields(&self, nodes: &Nodes, out: &mut Fields) -> f64 {
        let dim = self.dim();
        let h2 = self.bandwidth * self.bandwidth;
        out.grad.iter_mut().for_each(|row| row.fill(0.0));
        let mut energy = self.energy_of_zero();
        let point = |i: usize| -> Vec<f64> { (0..dim).map(|k| nodes.x[k][i]).collect() };
        let points: Vec<Vec<f64>> = (0..nodes.len()).map(point).collect();
        for (i, x) in points.iter().enumerate() {
            let (mut external, mut interaction) = (0.0, 0.0);
            for term in &self.target {
                let r2 = square_distance(x, &term.centre);
                let g = -term.weight * self.smoothed(r2, term.variance);
                external += g;
                for (k, (x, y)) in x.iter().zip(&term.centre).enumerate() {
                    out.grad[k][i] -= g * (x - y) / (h2 + term.variance);
                }
            }
            for (j, y) in points.iter().enumerate() {
                let g = nodes.w[j] * self.smoothed(square_distance(x, y), 0.0);
                interaction += g;
                for (k, (x, y)) in x.iter().zip(y).enumerate() {
                    out.grad[k][i] -= g * (x - y) / h2;
                }
            }
            out.v[i] = external + interaction;
            energy += nodes.w[i] * (external + 0.5 * interaction);
        }
        energy
    }
}

#[cfg(test)]
mod tests {
    use super::super::models::{assert_gradient, evaluate, irregular};
    use super::*;
    use birth_death_stats::quadrature::{Rule, TensorRule};

    fn mixture() -> Mmd {
        let term = |weight: f64, x: f64, y: f64, variance: f64| Component { weight, centre: vec![x, y], variance };
        Mmd { bandwidth: 0.8, target: vec![term(0.3, -0.6, 0.4, 0.25), term(0.7, 0.5, -0.2, 0.5)] }
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        assert_gradient(&mixture(), &irregular(2, 8, 1.5), 1e-9);
        let sample = Mmd::to_sample(1.3, &irregular(3, 5, 1.0).x);
        assert_gradient(&sample, &irregular(3, 8, 1.5), 1e-9);
    }

    #[test]
    fn the_energy_vanishes_at_the_target_and_only_there() {
        let rows = irregular(2, 6, 1.0).x;
        let model = Mmd::to_sample(0.7, &rows);
        let (energy, fields) = evaluate(&model, &Nodes::ensemble(rows.clone()));
        assert!(energy.abs() < 1e-15);
        assert!(fields.v.iter().all(|v| v.abs() < 1e-15));
        assert!(fields.grad.iter().flatten().all(|g| g.abs() < 1e-14));
        let mut moved = rows;
        moved[0][0] += 0.1;
        assert!(evaluate(&model, &Nodes::ensemble(moved)).0 > 1e-6);
    }

    #[test]
    fn the_mixture_is_the_limit_of_its_quadrature() {
        // nu replaced by Gauss-Hermite nodes: the same potential and energy, spectrally close.
        let model = mixture();
        let mut target = vec![];
        for term in &model.target {
            let sd = term.variance.sqrt();
            let rule = TensorRule::new(&[Rule::normal(24, term.centre[0], sd), Rule::normal(24, term.centre[1], sd)]);
            target.extend((0..rule.weights.len()).map(|i| Component {
                weight: term.weight * rule.weights[i],
                centre: vec![rule.points[0][i], rule.points[1][i]],
                variance: 0.0,
            }));
        }
        let nodes = irregular(2, 4, 1.5);
        let (energy, fields) = evaluate(&model, &nodes);
        let discrete = Mmd { bandwidth: model.bandwidth, target };
        let (reference, points) = evaluate(&discrete, &nodes);
        assert!((energy - reference).abs() < 1e-8);
        for i in 0..nodes.len() {
            assert!((fields.v[i] - points.v[i]).abs() < 1e-8);
        }
    }

    #[test]
    fn one_point_against_one_point_by_hand() {
        let model = Mmd::to_sample(2.0, &[vec![0.0]]);
        let nodes = Nodes::ensemble(vec![vec![1.0]]);
        let k = (-0.125f64).exp();
        let (energy, fields) = evaluate(&model, &nodes);
        assert!((energy - (1.0 - k)).abs() < 1e-15);
        assert!((fields.v[0] - (1.0 - k)).abs() < 1e-15);
        assert!((fields.grad[0][0] - k * 0.25).abs() < 1e-15);
    }
}
