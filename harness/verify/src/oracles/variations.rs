//! First and second variation of a functional of a measure, by central differences: bias and fluctuation of empirical
//! measures.
//!
//! Let G be a smooth functional of probability measures, and `mu_n` the empirical measure of n independent points of
//! law mu. Then G(mu_n) = G(mu) + (1/n) sum_i g(x_i) + (terms of order 1/n), where g(x) = d/de G(mu + e (delta_x - mu))
//! at e = 0 has mean 0, and E G(mu_n) = G(mu) + (1/2n) ∫ d^2/de^2 G(mu + e (delta_x - mu)) dmu(x) + O(1/n^2): the von
//! Mises expansion.
//!
//! E(t) of gradient flow is such a functional of the start, at every dt: particles that interact with themselves too
//! are a measure of which the mean-field equation is true (arXiv:1902.01843, particles as a weak solution). So this
//! gives its finite-n bias.

use super::models::Nodes;

/// G at mu, and its variations towards each node.
#[derive(Clone, Debug, PartialEq)]
pub struct Variations {
    /// G(mu).
    pub value: f64,
    /// `first[i]` = d/de G(mu + e (`delta_i` - mu)); their mean is 0.
    pub first: Vec<f64>,
    /// `second[i]`, the second derivative likewise.
    pub second: Vec<f64>,
}

impl Variations {
    /// Of `functional` at `at`, with differences of step `step`: relative error `step`^2, and rounding over `step`^2.
    ///
    /// The functional is asked for measures with one weight that may be below 0, by at most `step`. Cost: two calls a
    /// node.
    pub fn of(functional: impl Fn(&Nodes) -> f64, at: &Nodes, step: f64) -> Self {
        let value = functional(at);
        let towards = |i: usize, step: f64| {
            let mut moved = at.clone();
            moved.w.iter_mut().for_each(|w| *w *= 1.0 - step);
            moved.w[i] += step;
            functional(&moved)
        };
        let both = (0..at.len()).map(|i| {
            let (up, down) = (towards(i, step), towards(i, -step));
            (0.5 * (up - down) / step, (up - 2.0 * value + down) / (step * step))
        });
        let (first, second) = both.unzip();
        Self { value, first, second }
    }

    /// n (E G(`mu_n`) - G(mu)) in the limit of large n, for points drawn from the law `at`.
    pub fn bias(&self, at: &Nodes) -> f64 {
        0.5 * at.mean(|i| self.second[i])
    }
}

#[cfg(test)]
mod tests {
    use super::super::models::{evaluate, irregular};
    use super::super::units::GaussianUnits;
    use super::*;

    #[test]
    fn an_energy_is_a_quadratic_functional() {
        // E: the first variation is V - Vbar, n times the bias (1/2) (<K(x, x)> - ∬K), exactly for every n.
        let (model, nodes) = (GaussianUnits::paper(), irregular(2, 7, 1.5));
        let (energy, fields) = evaluate(&model, &nodes);
        let found = Variations::of(|nodes| evaluate(&model, nodes).0, &nodes, 1e-3);
        assert!((found.value - energy).abs() < 1e-15);
        let mean = nodes.mean(|i| fields.v[i]);
        for (first, v) in found.first.iter().zip(&fields.v) {
            assert!((first - (v - mean)).abs() < 1e-12);
        }
        let peak = (2.0 * std::f64::consts::PI).sqrt().recip();
        let kernel = |i: usize, j: usize| {
            let r = nodes.x[1][i] - nodes.x[1][j];
            nodes.x[0][i] * nodes.x[0][j] * peak * (-0.5 * r * r).exp()
        };
        let double = nodes.mean(|i| nodes.mean(|j| kernel(i, j)));
        let exact = 0.5 * (nodes.mean(|i| kernel(i, i)) - double);
        assert!((found.bias(&nodes) - exact).abs() < 1e-9, "{} {exact}", found.bias(&nodes));
    }

    #[test]
    fn the_bias_of_a_cube_is_that_of_enumeration() {
        // G = m^3, m the mean of x in {0, 1} with P(1) = p: sums over the binomial law, so that E G - G = 3 p^2 (1 -
        // p)/n + O(1/n^2).
        let p: f64 = 0.3;
        let nodes = Nodes { x: vec![vec![0.0, 1.0]], w: vec![1.0 - p, p] };
        let cube = |nodes: &Nodes| nodes.mean(|i| nodes.x[0][i]).powi(3);
        let found = Variations::of(cube, &nodes, 1e-3);
        assert!((found.first[1] - 3.0 * p * p * (1.0 - p)).abs() < 1e-6);
        let enumerated = |n: u32| {
            let (mut choose, mut sum) = (1.0, 0.0);
            for k in 0..=n {
                let share = f64::from(k) / f64::from(n);
                sum += choose * p.powi(k as i32) * (1.0 - p).powi((n - k) as i32) * share.powi(3);
                choose *= f64::from(n - k) / f64::from(k + 1);
            }
            f64::from(n) * (sum - p.powi(3))
        };
        // The next term is p (1 - p)(1 - 2p)/n = 0.084/n.
        assert!((enumerated(1000) - found.bias(&nodes)).abs() < 1e-4);
        assert!((enumerated(10) - found.bias(&nodes)).abs() > 5e-3);
    }
}
