//! Gaussian units, by the pairwise formula: the paper's first model (arXiv:1902.01843, mixture of Gaussians example).
//!
//! phi(x, y) = N(x; y, s2 I) on R^d with the Lebesgue average, target f = sum_a q_a N(.; y_a, v_a I), theta = (c, y):
//! F(c, y) = -c sum_a q_a N(y; y_a, s2 + v_a), K = c c' N(y - y'; 0, 2 s2), E0 = 1/2 ∫f^2. Every product of two
//! Gaussians integrates to a Gaussian of the difference of centres; nothing else is used. See [`super::direct`] for the
//! reference that does not use it.

use super::models::{Fields, MeanField, Nodes};
use core::f64::consts::PI;

/// One term q N(.; centre, variance I) of a mixture.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// q, of either sign.
    pub weight: f64,
    /// Centre, in R^d.
    pub centre: Vec<f64>,
    /// Variance in every direction.
    pub variance: f64,
}

/// The model. Row 0 of the nodes is the charge c, rows 1 to d the centre y.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianUnits {
    /// s2, the variance of a unit.
    pub unit_variance: f64,
    /// The target f; at least one component, all of the same d.
    pub target: Vec<Component>,
}

/// E0 of the paper's instance, [`GaussianUnits::paper`], as the specification states it.
pub const PAPER_E0: f64 = 0.068_868_27;

impl GaussianUnits {
    /// The paper's instance: d = 1, s2 = 1/2, q = (1, -2, 1)/3, y = (-2, 0, 2), v = (1/2, 1, 1/2).
    pub fn paper() -> Self {
        let term = |weight: f64, centre: f64, variance: f64| Component { weight, centre: vec![centre], variance };
        Self {
            unit_variance: 0.5,
            target: vec![term(1.0 / 3.0, -2.0, 0.5), term(-2.0 / 3.0, 0.0, 1.0), term(1.0 / 3.0, 2.0, 0.5)],
        }
    }

    /// d, the dimension of the inputs.
    pub fn input_dim(&self) -> usize {
        self.target[0].centre.len()
    }

    /// E0 = 1/2 ∫f^2 dx.
    pub fn energy_of_zero(&self) -> f64 {
        let mut sum = 0.0;
        for a in &self.target {
            for b in &self.target {
                let r2 = square_distance(&a.centre, &b.centre);
                sum += 0.5 * a.weight * b.weight * gaussian(r2, a.variance + b.variance, a.centre.len());
            }
        }
        sum
    }
}

impl MeanField for GaussianUnits {
    fn dim(&self) -> usize {
        1 + self.input_dim()
    }

    /// Cost: one exp for every pair of nodes, and every node and component.
    fn fields(&self, nodes: &Nodes, out: &mut Fields) -> f64 {
        let (d, s2) = (self.input_dim(), self.unit_variance);
        let charge = &nodes.x[0];
        // First for unit charge: v(y) = <(f_mu - f) phi(., y)> in out.v and its gradient in y in out.grad[1..].
        out.v.fill(0.0);
        out.grad.iter_mut().for_each(|row| row.fill(0.0));
        let mut energy = self.energy_of_zero();
        let mut difference = vec![0.0; d];
        for (i, c) in charge.iter().enumerate() {
            for term in &self.target {
                for (k, r) in difference.iter_mut().enumerate() {
                    *r = nodes.x[k + 1][i] - term.centre[k];
                }
                let variance = s2 + term.variance;
                let g = -term.weight * gaussian(square(&difference), variance, d);
                out.v[i] += g;
                for (k, r) in difference.iter().enumerate() {
                    out.grad[k + 1][i] -= g * r / variance;
                }
            }
            energy += nodes.w[i] * c * out.v[i];
        }
        // Every pair once: the kernel is symmetric, its gradient antisymmetric.
        for i in 0..nodes.len() {
            for j in 0..=i {
                for (k, r) in difference.iter_mut().enumerate() {
                    *r = nodes.x[k + 1][i] - nodes.x[k + 1][j];
                }
                let g = gaussian(square(&difference), 2.0 * s2, d);
                let (from_i, from_j) = (nodes.w[i] * charge[i] * g, nodes.w[j] * charge[j] * g);
                out.v[i] += from_j;
                if j == i {
                    energy += 0.5 * nodes.w[i] * charge[i] * from_i;
                    continue;
                }
                out.v[j] += from_i;
                energy += nodes.w[i] * charge[i] * from_j;
                for (k, r) in difference.iter().enumerate() {
                    out.grad[k + 1][i] -= from_j * r / (2.0 * s2);
                    out.grad[k + 1][j] += from_i * r / (2.0 * s2);
                }
            }
        }
        finish(charge, out);
        energy
    }
}

/// From v(y) and its gradient for unit charge to V = c v, dV/dc = v, dV/dy = c grad v.
pub(super) fn finish(charge: &[f64], out: &mut Fields) {
    out.grad[0].copy_from_slice(&out.v);
    for row in &mut out.grad[1..] {
        row.iter_mut().zip(charge).for_each(|(g, c)| *g *= c);
    }
    out.v.iter_mut().zip(charge).for_each(|(v, c)| *v *= c);
}

/// N(r; 0, variance I) in R^d at |r|^2 = `r2`.
pub(super) fn gaussian(r2: f64, variance: f64, d: usize) -> f64 {
    (2.0 * PI * variance).powf(-0.5 * d as f64) * (-0.5 * r2 / variance).exp()
}

fn square(r: &[f64]) -> f64 {
    r.iter().map(|r| r * r).sum()
}

pub(super) fn square_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::models::{assert_gradient, evaluate, irregular};
    use super::*;

    /// A second instance, in two dimensions and with nothing equal to one or to anything else.
    pub(crate) fn planar() -> GaussianUnits {
        let term = |weight: f64, x: f64, y: f64, variance: f64| Component { weight, centre: vec![x, y], variance };
        GaussianUnits { unit_variance: 0.3, target: vec![term(0.8, -1.0, 0.4, 0.6), term(-0.5, 0.7, -0.2, 0.35)] }
    }

    #[test]
    fn energy_of_zero_is_that_of_the_specification() {
        let model = GaussianUnits::paper();
        assert!((model.energy_of_zero() - PAPER_E0).abs() < 5e-9);
        let still = Nodes::ensemble(vec![vec![0.0; 3], vec![-1.0, 0.0, 2.0]]);
        let (energy, fields) = evaluate(&model, &still);
        assert_eq!(energy, model.energy_of_zero());
        assert_eq!(fields.v, [0.0; 3]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        assert_gradient(&GaussianUnits::paper(), &irregular(2, 9, 1.7), 1e-9);
        assert_gradient(&planar(), &irregular(3, 9, 1.7), 1e-9);
    }

    #[test]
    fn the_potential_is_the_first_variation() {
        // dE/dw_i at fixed other weights is V_i: E is quadratic in w, so the central difference is exact.
        for (model, nodes) in [(GaussianUnits::paper(), irregular(2, 6, 1.7)), (planar(), irregular(3, 6, 1.7))] {
            let (_, fields) = evaluate(&model, &nodes);
            for i in 0..nodes.len() {
                let at = |shift: f64| {
                    let mut moved = nodes.clone();
                    moved.w[i] += shift;
                    evaluate(&model, &moved).0
                };
                let slope = (at(0.1) - at(-0.1)) / 0.2;
                assert!((slope - fields.v[i]).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn a_perfect_fit_has_no_energy_and_no_forces() {
        // One unit of charge 1 at the centre of a target of the same width.
        let model = GaussianUnits {
            unit_variance: 0.4,
            target: vec![Component { weight: 1.0, centre: vec![0.3, -0.2], variance: 0.4 }],
        };
        let nodes = Nodes::ensemble(vec![vec![1.0; 2], vec![0.3; 2], vec![-0.2; 2]]);
        let (energy, fields) = evaluate(&model, &nodes);
        assert!(energy.abs() < 1e-16);
        assert!(fields.v.iter().all(|v| v.abs() < 1e-15));
        assert!(fields.grad.iter().flatten().all(|g| g.abs() < 1e-15));
    }
}
