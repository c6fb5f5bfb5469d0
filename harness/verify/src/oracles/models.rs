//! The models, stated by the harness itself: a mean-field energy over weighted nodes, and the external potentials.
//!
//! `E[mu]` = E0 + ∫F dmu + 1/2 ∬K dmu dmu and V = F + ∫K dmu, of arXiv:1902.01843, for mu = sum_i w_i delta(x_i) with
//! weights that sum to 1. The equal-weight ensemble of n particles is the case w_i = 1/n.

use birth_death_stats::quadrature::TensorRule;
use core::f64::consts::TAU;

/// A probability measure on nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Nodes {
    /// `x[k][i]`: component k of node i.
    pub x: Vec<Vec<f64>>,
    /// `w[i]`: weight of node i; they sum to 1.
    pub w: Vec<f64>,
}

impl Nodes {
    /// Equal weights: an ensemble of particles, given as component-major rows.
    pub fn ensemble(x: Vec<Vec<f64>>) -> Self {
        let n = x.first().map_or(0, Vec::len);
        Self { w: vec![1.0 / n as f64; n], x }
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.w.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.w.is_empty()
    }

    /// `sum_i w_i g(i)`.
    pub fn mean(&self, mut g: impl FnMut(usize) -> f64) -> f64 {
        self.w.iter().enumerate().map(|(i, &w)| w * g(i)).sum()
    }
}

impl From<TensorRule> for Nodes {
    fn from(rule: TensorRule) -> Self {
        Self { x: rule.points, w: rule.weights }
    }
}

/// The potential and its gradient at every node.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields {
    /// `v[i]` = V(x_i; mu).
    pub v: Vec<f64>,
    /// `grad[k][i]` = dV/dx_k at x_i, mu held fixed.
    pub grad: Vec<Vec<f64>>,
}

impl Fields {
    /// Zeros for `dim` components and `len` nodes.
    pub fn zeros(dim: usize, len: usize) -> Self {
        Self { v: vec![0.0; len], grad: vec![vec![0.0; len]; dim] }
    }
}

/// An energy of probability measures.
pub trait MeanField {
    /// Number of components of a node.
    fn dim(&self) -> usize;

    /// Overwrites `out` (of matching shape) with V and grad V at the nodes, and returns `E[mu]`.
    fn fields(&self, nodes: &Nodes, out: &mut Fields) -> f64;
}

/// V, grad V and E in one allocation-happy call.
pub fn evaluate(model: &dyn MeanField, nodes: &Nodes) -> (f64, Fields) {
    let mut out = Fields::zeros(model.dim(), nodes.len());
    let energy = model.fields(nodes, &mut out);
    (energy, out)
}

/// A function of one point with its gradient: the whole of a model with K = 0.
pub trait Potential {
    /// Number of components of a point.
    fn dim(&self) -> usize;

    /// F(x), with its gradient written to `grad`.
    fn at(&self, x: &[f64], grad: &mut [f64]) -> f64;
}

impl<P: Potential> MeanField for P {
    fn dim(&self) -> usize {
        Potential::dim(self)
    }

    fn fields(&self, nodes: &Nodes, out: &mut Fields) -> f64 {
        let dim = Potential::dim(self);
        let (mut x, mut grad) = (vec![0.0; dim], vec![0.0; dim]);
        for i in 0..nodes.len() {
            for (k, x) in x.iter_mut().enumerate() {
                *x = nodes.x[k][i];
            }
            out.v[i] = self.at(&x, &mut grad);
            for (k, &g) in grad.iter().enumerate() {
                out.grad[k][i] = g;
            }
        }
        nodes.mean(|i| out.v[i])
    }
}

/// F = 1/2 sum_k h_k x_k^2.
#[derive(Clone, Debug, PartialEq)]
pub struct Quadratic {
    /// h_k, one for every component.
    pub curvature: Vec<f64>,
}

impl Potential for Quadratic {
    fn dim(&self) -> usize {
        self.curvature.len()
    }

    fn at(&self, x: &[f64], grad: &mut [f64]) -> f64 {
        let mut sum = 0.0;
        for (k, &h) in self.curvature.iter().enumerate() {
            grad[k] = h * x[k];
            sum += 0.5 * h * x[k] * x[k];
        }
        sum
    }
}

/// F = (x_0^2 - 1)^2 + tilt x_0 + 1/2 sum_{k >= 1} x_k^2: two wells along the first component, confined in the others.
///
/// With a small positive tilt the global minimum is the left one.
#[derive(Clone, Debug, PartialEq)]
pub struct DoubleWell {
    /// Slope added along the first component.
    pub tilt: f64,
    /// Number of components, at least 1.
    pub dim: usize,
}

impl DoubleWell {
    /// The stationary points of F along the first component, ascending: left well, barrier, right well.
    ///
    /// Roots of 4x^3 - 4x + tilt by Newton's method from -1, 0, 1; for |tilt| < 8 / (3 sqrt 3) there are three.
    pub fn stationary(&self) -> [f64; 3] {
        [-1.0, 0.0, 1.0].map(|start: f64| {
            (0..60).fold(start, |x, _| x - (4.0 * x * (x * x - 1.0) + self.tilt) / (12.0 * x * x - 4.0))
        })
    }

    /// Height of the right well above the left one: the gap of the claim on escape.
    pub fn gap(&self) -> f64 {
        let [left, _, right] = self.stationary();
        let f = |x: f64| (x * x - 1.0).powi(2) + self.tilt * x;
        f(right) - f(left)
    }
}

impl Potential for DoubleWell {
    fn dim(&self) -> usize {
        self.dim
    }

    fn at(&self, x: &[f64], grad: &mut [f64]) -> f64 {
        let q = x[0] * x[0] - 1.0;
        grad[0] = 4.0 * x[0] * q + self.tilt;
        let mut sum = q * q + self.tilt * x[0];
        for k in 1..self.dim {
            grad[k] = x[k];
            sum += 0.5 * x[k] * x[k];
        }
        sum
    }
}

/// F = sum_k [x_k^2 + A (1 - cos(2 pi x_k))]: minimum 0 at the origin, a grid of local minima around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rastrigin {
    /// Number of components.
    pub dim: usize,
    /// A, height of the ripples (10 in the literature).
    pub amplitude: f64,
}

impl Potential for Rastrigin {
    fn dim(&self) -> usize {
        self.dim
    }

    fn at(&self, x: &[f64], grad: &mut [f64]) -> f64 {
        let mut sum = 0.0;
        for k in 0..self.dim {
            grad[k] = 2.0 * x[k] + self.amplitude * TAU * (TAU * x[k]).sin();
            sum += x[k] * x[k] + self.amplitude * (1.0 - (TAU * x[k]).cos());
        }
        sum
    }
}

/// Test helper: grad V by central differences of V at a test point, the measure held fixed, against `grad`.
///
/// A node of weight zero is the test point: it feels the measure without changing it. With step 1e-5 the difference
/// is accurate to 1e-10 times the third derivative, plus rounding 1e-16 / 1e-5.
#[cfg(test)]
pub(crate) fn assert_gradient(model: &dyn MeanField, nodes: &Nodes, tolerance: f64) {
    let (_, exact) = evaluate(model, nodes);
    let step = 1e-5;
    for i in 0..nodes.len() {
        for k in 0..model.dim() {
            let at = |shift: f64| {
                let mut probe = nodes.clone();
                for (c, row) in probe.x.iter_mut().enumerate() {
                    let x = row[i] + if c == k { shift } else { 0.0 };
                    row.push(x);
                }
                probe.w.push(0.0);
                evaluate(model, &probe).1.v[nodes.len()]
            };
            let slope = (at(step) - at(-step)) / (2.0 * step);
            let error = (slope - exact.grad[k][i]).abs();
            assert!(error < tolerance, "node {i}, component {k}: {error:e}");
        }
    }
}

/// Test helper: an irregular weighted measure, without a random generator.
#[cfg(test)]
pub(crate) fn irregular(dim: usize, len: usize, spread: f64) -> Nodes {
    let x = (0..dim)
        .map(|k| {
            let row = (0..len).map(|i| spread * (1.3 + (k * len + i) as f64 * 2.7).sin());
            row.collect()
        })
        .collect();
    let w: Vec<f64> = (0..len).map(|i| 1.0 + 0.5 * (i as f64 * 1.9).cos()).collect();
    let sum: f64 = w.iter().sum();
    Nodes { x, w: w.iter().map(|w| w / sum).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_of_the_external_potentials() {
        // Third derivatives up to 24 |x| for the well and A (2 pi)^3 = 250 A for Rastrigin, times step^2 / 6 = 2e-11.
        let quadratic = Quadratic { curvature: vec![1.0, 0.5, 3.0] };
        assert_gradient(&quadratic, &irregular(3, 7, 2.0), 1e-9);
        assert_gradient(&DoubleWell { tilt: 0.1, dim: 2 }, &irregular(2, 7, 2.0), 5e-9);
        let rastrigin = Rastrigin { dim: 2, amplitude: 0.7 };
        assert_gradient(&rastrigin, &irregular(2, 7, 2.0), 1e-8);
    }

    #[test]
    fn values_by_hand() {
        let nodes = Nodes { x: vec![vec![0.5, 2.0]], w: vec![0.25, 0.75] };
        let well = DoubleWell { tilt: 0.1, dim: 1 };
        let (energy, fields) = evaluate(&well, &nodes);
        assert!((fields.v[0] - (0.5625 + 0.05)).abs() < 1e-15);
        assert!((fields.v[1] - 9.2).abs() < 1e-14);
        assert!((energy - (0.25 * 0.6125 + 0.75 * 9.2)).abs() < 1e-14);
        let (energy, _) = evaluate(&Rastrigin { dim: 1, amplitude: 10.0 }, &nodes);
        assert!((energy - (0.25 * 20.25 + 0.75 * 4.0)).abs() < 1e-13);
    }

    #[test]
    fn the_wells_are_stationary_and_their_gap_is_twice_the_tilt() {
        let well = DoubleWell { tilt: 0.1, dim: 1 };
        for x in well.stationary() {
            let mut grad = [0.0];
            well.at(&[x], &mut grad);
            assert!(grad[0].abs() < 1e-14);
        }
        // To first order the wells lie at -1 and 1, and the next order is even in the tilt.
        assert!((well.gap() - 0.2).abs() < 2e-4);
    }

    #[test]
    fn an_ensemble_has_equal_weights() {
        let nodes = Nodes::ensemble(vec![vec![1.0, 2.0, 3.0, 4.0]]);
        assert_eq!(nodes.len(), 4);
        assert!(!nodes.is_empty());
        assert_eq!(nodes.mean(|i| nodes.x[0][i]), 2.5);
    }
}
