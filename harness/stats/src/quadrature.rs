//! Gauss rules on an interval and for a normal law, and their tensor products.
//!
//! The nodes and weights come from the crate `gauss-quad`: Bogaert's expansion for Legendre, Golub-Welsch for Hermite.

use core::num::NonZeroUsize;
use gauss_quad::{GaussHermite, GaussLegendre};

/// A rule in one variable: integral of g = `sum_i weights[i] * g(nodes[i])`, nodes ascending.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Abscissae, ascending.
    pub nodes: Vec<f64>,
    /// One weight a node.
    pub weights: Vec<f64>,
}

impl Rule {
    /// Gauss-Legendre with `n` nodes for the Lebesgue integral over `[a, b]`; weights sum to `b - a`.
    ///
    /// Exact for polynomials of degree `2n - 1`. `n = 0` is read as 1.
    pub fn legendre(n: usize, a: f64, b: f64) -> Self {
        let (mid, half) = (0.5 * (a + b), 0.5 * (b - a));
        let rule = GaussLegendre::new(at_least_one(n));
        Self::collect(rule.as_node_weight_pairs(), |x| mid + half * x, half)
    }

    /// Gauss-Legendre for the uniform law on `[a, b]`: [`Rule::legendre`] with weights that sum to 1.
    pub fn uniform(n: usize, a: f64, b: f64) -> Self {
        let mut rule = Self::legendre(n, a, b);
        rule.normalise();
        rule
    }

    /// Gauss-Hermite with `n` nodes for the law N(`mean`, `sd`^2); weights sum to 1.
    ///
    /// Exact for polynomials of degree `2n - 1`. The physicists' rule for exp(-z^2), at x = mean + sqrt(2) sd z.
    pub fn normal(n: usize, mean: f64, sd: f64) -> Self {
        let scale = core::f64::consts::SQRT_2 * sd;
        let rule = GaussHermite::new(at_least_one(n));
        let mut rule = Self::collect(rule.as_node_weight_pairs(), |z| mean + scale * z, 1.0);
        rule.normalise();
        rule
    }

    /// The law N(`mean`, `sd`^2) on `n` equally spaced points (at least 2) up to `reach` standard deviations either
    /// way; weights sum to 1.
    ///
    /// The trapezoid rule without the halves at the ends, which are as small as what lies beyond: erfc(reach / sqrt 2).
    /// An analytic integrand that varies over a length l costs exp(-2 (pi l / spacing)^2), a kink spacing^2, where
    /// Gauss rules are spaced more widely.
    pub fn normal_grid(n: usize, mean: f64, sd: f64, reach: f64) -> Self {
        let n = n.max(2);
        let half = 0.5 * (n - 1) as f64;
        let place = |i: usize| reach * (i as f64 - half) / half;
        let nodes = (0..n).map(|i| mean + sd * place(i)).collect();
        let weights = (0..n).map(|i| (-0.5 * place(i) * place(i)).exp()).collect();
        let mut rule = Self { nodes, weights };
        rule.normalise();
        rule
    }

    /// The Dirac measure at `x`: a coordinate that is the same for every particle.
    pub fn point(x: f64) -> Self {
        Self { nodes: vec![x], weights: vec![1.0] }
    }

    /// `sum_i weights[i] * g(nodes[i])`.
    pub fn integrate(&self, mut g: impl FnMut(f64) -> f64) -> f64 {
        self.nodes.iter().zip(&self.weights).map(|(&x, &w)| w * g(x)).sum()
    }

    fn collect(pairs: &[(f64, f64)], place: impl Fn(f64) -> f64, scale: f64) -> Self {
        Self {
            nodes: pairs.iter().map(|&(x, _)| place(x)).collect(),
            weights: pairs.iter().map(|&(_, w)| scale * w).collect(),
        }
    }

    fn normalise(&mut self) {
        let sum: f64 = self.weights.iter().sum();
        self.weights.iter_mut().for_each(|w| *w /= sum);
    }
}

/// The product of one-dimensional rules.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorRule {
    /// `points[k][i]` is component k of node i (component-major rows).
    pub points: Vec<Vec<f64>>,
    /// One weight a node: the product of the factors' weights.
    pub weights: Vec<f64>,
}

impl TensorRule {
    /// The product of `rules`, first factor slowest. No rule at all gives the one empty point, of weight 1.
    pub fn new(rules: &[Rule]) -> Self {
        let mut product = Self { points: vec![], weights: vec![1.0] };
        for rule in rules {
            let times = rule.nodes.len();
            let repeat =
                |row: &[f64]| -> Vec<f64> { row.iter().flat_map(|&v| core::iter::repeat_n(v, times)).collect() };
            let old = product.weights.len();
            product.points = product.points.iter().map(|row| repeat(row)).collect();
            product.points.push(rule.nodes.repeat(old));
            product.weights = product.weights.iter().flat_map(|&w| rule.weights.iter().map(move |&v| w * v)).collect();
        }
        product
    }
}

fn at_least_one(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of a sum of some 30 terms of size one.
    const ROUNDING: f64 = 1e-14;

    #[test]
    fn legendre_is_exact_to_its_degree_and_no_further() {
        for n in 1..20 {
            let rule = Rule::legendre(n, -1.0, 3.0);
            let exact = |k: i32| (3f64.powi(k + 1) - (-1f64).powi(k + 1)) / f64::from(k + 1);
            for k in 0..2 * n as i32 {
                let error = rule.integrate(|x| x.powi(k)) - exact(k);
                assert!(error.abs() < ROUNDING * exact(k).abs().max(1.0), "{n} {k}");
            }
            if n < 7 {
                // Beyond, the next power is right to 1e-9 as well.
                let k = 2 * n as i32;
                assert!((rule.integrate(|x| x.powi(k)) / exact(k) - 1.0).abs() > 1e-9);
            }
        }
        assert!((Rule::uniform(5, -1.0, 3.0).weights.iter().sum::<f64>() - 1.0).abs() < ROUNDING);
    }

    #[test]
    fn normal_has_the_moments_and_the_characteristic_function() {
        let (mean, sd) = (0.7, 1.5);
        for n in [8, 16, 32, 48] {
            let rule = Rule::normal(n, mean, sd);
            assert!((rule.integrate(|_| 1.0) - 1.0).abs() < ROUNDING);
            assert!((rule.integrate(|x| x) - mean).abs() < ROUNDING);
            let fourth = rule.integrate(|x| (x - mean).powi(4));
            assert!((fourth / (3.0 * sd.powi(4)) - 1.0).abs() < 10.0 * ROUNDING);
        }
        let exact = (-0.5 * sd * sd).exp() * mean.cos();
        let error = Rule::normal(32, mean, sd).integrate(f64::cos) - exact;
        assert!(error.abs() < ROUNDING);
    }

    #[test]
    fn a_grid_for_the_normal_law_is_spectral_until_its_ends() {
        // E cos x = exp(-sd^2 / 2) cos(mean); 24 points over 8 standard deviations either way are 0.7 sd apart.
        let (mean, sd) = (0.7f64, 1.5f64);
        let exact = (-0.5 * sd * sd).exp() * mean.cos();
        let error = |n, reach| (Rule::normal_grid(n, mean, sd, reach).integrate(f64::cos) - exact).abs();
        assert!(error(12, 8.0) > 1e-4 && error(24, 8.0) < 1e-9 && error(40, 8.0) < ROUNDING);
        // Cut off at 2 standard deviations, with 5 % of the mass outside.
        assert!(error(40, 2.0) > 1e-2);
        let rule = Rule::normal_grid(3, 1.0, 2.0, 1.5);
        assert_eq!(rule.nodes, [-2.0, 1.0, 4.0]);
        assert!((rule.weights[0] / rule.weights[1] - (-1.125f64).exp()).abs() < ROUNDING);
    }

    #[test]
    fn known_nodes() {
        let hermite = Rule::normal(3, 0.0, 1.0);
        for (x, exact) in hermite.nodes.iter().zip([-3f64.sqrt(), 0.0, 3f64.sqrt()]) {
            assert!((x - exact).abs() < ROUNDING);
        }
        assert!((hermite.weights[1] - 2.0 / 3.0).abs() < ROUNDING);
        let legendre = Rule::legendre(2, 0.0, 1.0);
        assert!((legendre.nodes[0] - (0.5 - 0.5 / 3f64.sqrt())).abs() < ROUNDING);
    }

    #[test]
    fn a_product_integrates_products() {
        let rules = [Rule::normal(6, 0.0, 1.0), Rule::uniform(5, 0.0, 1.0), Rule::point(3.0)];
        let tensor = TensorRule::new(&rules);
        assert_eq!(tensor.points.len(), 3);
        assert_eq!(tensor.weights.len(), 30);
        let sum: f64 = (0..30)
            .map(|i| {
                let [x, y, z] = [0, 1, 2].map(|k| tensor.points[k][i]);
                tensor.weights[i] * x.powi(4) * y.powi(3) * z
            })
            .sum();
        assert!((sum - 3.0 * 0.25 * 3.0).abs() < 10.0 * ROUNDING);
        // First factor slowest.
        assert_eq!(tensor.points[0][0], tensor.points[0][4]);
        assert_eq!(TensorRule::new(&[]).weights, [1.0]);
    }
}
