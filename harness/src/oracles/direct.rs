//! Gaussian units by quadrature over the inputs x: no pairwise formula, hence an independent reference.
//!
//! Residual r(x) = sum_i w_i c_i phi(x - y_i) - f(x) on a grid, then E = 1/2 ∫r^2 dx and V(c, y) = c ∫r phi(. - y) dx by
//! the trapezoid rule. Cost O(nodes x grid), against O(nodes^2) of the formula: for thousands of nodes also the faster.

use super::models::{Fields, MeanField, Nodes};
use super::units::{GaussianUnits, finish};
use core::f64::consts::TAU;

/// Grid spacing over the smallest standard deviation. By Poisson summation the trapezoid rule on a Gaussian of variance
/// u errs by the relative amount 2 exp(-2 pi^2 u / spacing^2); the narrowest integrand is a product of two units of
/// variance s2, so u = s2/2 and 1/2 gives 2 exp(-4 pi^2) = 1.4e-17.
const SPACING: f64 = 0.5;

/// Reach of the grid beyond every centre over the largest standard deviation: exp(-9^2 / 2) = 2.6e-18 of a peak is
/// left out of r, and its square in E.
const REACH: f64 = 9.0;

/// [`GaussianUnits`] evaluated by quadrature over the inputs. d = 1 or 2 in practice: the grid grows as its power.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectUnits {
    /// The model.
    pub model: GaussianUnits,
}

/// An equally spaced grid on every axis, and the residual on their product.
struct Grid {
    axes: Vec<Vec<f64>>,
    /// Product of the spacings.
    cell: f64,
}

impl Grid {
    /// A grid that covers all `centres[k]`, for standard deviations between `narrow` and `wide`.
    fn covering(centres: &[Vec<f64>], narrow: f64, wide: f64) -> Self {
        let step = SPACING * narrow;
        let axis = |row: &Vec<f64>| {
            let low = row.iter().fold(f64::INFINITY, |a, &b| a.min(b)) - REACH * wide;
            let high = row.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b)) + REACH * wide;
            let count = ((high - low) / step).ceil() as usize + 1;
            (0..count).map(|g| low + g as f64 * step).collect()
        };
        Self {
            axes: centres.iter().map(axis).collect(),
            cell: step.powi(centres.len() as i32),
        }
    }

    fn len(&self) -> usize {
        self.axes.iter().map(Vec::len).product()
    }

    /// One table an axis: N(x; centre, variance) in one dimension at the axis' points.
    fn tables(&self, centre: impl Fn(usize) -> f64, variance: f64) -> Vec<Vec<f64>> {
        let scale = 1.0 / (TAU * variance).sqrt();
        let table = |(k, axis): (usize, &Vec<f64>)| {
            let value = |x: &f64| scale * (-0.5 * (x - centre(k)).powi(2) / variance).exp();
            axis.iter().map(value).collect()
        };
        self.axes.iter().enumerate().map(table).collect()
    }

    /// Calls `each(point, value)` with the product of `tables` at every grid point, last axis fastest.
    fn products(tables: &[Vec<f64>], mut each: impl FnMut(usize, f64)) {
        fn descend(tables: &[Vec<f64>], at: usize, so_far: f64, each: &mut impl FnMut(usize, f64)) {
            match tables {
                [] => each(at, so_far),
                [first, rest @ ..] => {
                    for (g, &value) in first.iter().enumerate() {
                        descend(rest, at * first.len() + g, so_far * value, each);
                    }
                }
            }
        }
        descend(tables, 0, 1.0, &mut each);
    }
}

impl DirectUnits {
    /// The residual f_mu - f on a grid that covers the nodes, the target and `others` (more centres, as rows).
    fn residual(&self, nodes: &Nodes, others: &[Vec<f64>]) -> (Grid, Vec<f64>) {
        let (model, s2) = (&self.model, self.model.unit_variance);
        let variances = || model.target.iter().map(|t| t.variance);
        let narrow = variances().fold(s2, f64::min).sqrt();
        let wide = variances().fold(s2, f64::max).sqrt();
        let centres: Vec<Vec<f64>> = (0..model.input_dim())
            .map(|k| {
                let target = model.target.iter().map(|t| t.centre[k]);
                let others = others.get(k).into_iter().flatten();
                let rows = nodes.x[k + 1].iter().chain(others).copied();
                rows.chain(target).collect()
            })
            .collect();
        let grid = Grid::covering(&centres, narrow, wide);
        let mut r = vec![0.0; grid.len()];
        for i in 0..nodes.len() {
            let charge = nodes.w[i] * nodes.x[0][i];
            let tables = grid.tables(|k| nodes.x[k + 1][i], s2);
            Grid::products(&tables, |at, value| r[at] += charge * value);
        }
        for term in &model.target {
            let tables = grid.tables(|k| term.centre[k], term.variance);
            Grid::products(&tables, |at, value| r[at] -= term.weight * value);
        }
        (grid, r)
    }

    /// `E[mu]` = 1/2 ∫(f_mu - f)^2 dx.
    pub fn energy(&self, nodes: &Nodes) -> f64 {
        let (grid, r) = self.residual(nodes, &[]);
        0.5 * grid.cell * r.iter().map(|r| r * r).sum::<f64>()
    }

    /// V(theta; mu) = c ∫(f_mu - f) phi(., y) dx at `points` (rows c, y), which need not be nodes.
    pub fn potential(&self, nodes: &Nodes, points: &[Vec<f64>]) -> Vec<f64> {
        let (grid, r) = self.residual(nodes, &points[1..]);
        (0..points[0].len())
            .map(|i| {
                let tables = grid.tables(|k| points[k + 1][i], self.model.unit_variance);
                let mut sum = 0.0;
                Grid::products(&tables, |at, value| sum += r[at] * value);
                points[0][i] * grid.cell * sum
            })
            .collect()
    }
}

impl MeanField for DirectUnits {
    fn dim(&self) -> usize {
        1 + self.model.input_dim()
    }

    fn fields(&self, nodes: &Nodes, out: &mut Fields) -> f64 {
        let s2 = self.model.unit_variance;
        let (grid, r) = self.residual(nodes, &[]);
        for i in 0..nodes.len() {
            let tables = grid.tables(|k| nodes.x[k + 1][i], s2);
            let mut sum = 0.0;
            Grid::products(&tables, |at, value| sum += r[at] * value);
            out.v[i] = grid.cell * sum;
            // d phi / d y_k = phi (x_k - y_k) / s2: only axis k's table changes.
            for k in 0..grid.axes.len() {
                let mut slope = tables.clone();
                for (value, x) in slope[k].iter_mut().zip(&grid.axes[k]) {
                    *value *= (x - nodes.x[k + 1][i]) / s2;
                }
                let mut sum = 0.0;
                Grid::products(&slope, |at, value| sum += r[at] * value);
                out.grad[k + 1][i] = grid.cell * sum;
            }
        }
        finish(&nodes.x[0], out);
        0.5 * grid.cell * r.iter().map(|r| r * r).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::models::{evaluate, irregular};
    use super::super::units::tests::planar;
    use super::*;

    fn assert_same(model: GaussianUnits, nodes: &Nodes) {
        /// Rounding of a sum over at most 1e5 grid points of terms below one, with cancellation in the formula.
        const TOLERANCE: f64 = 1e-13;
        let (energy, formula) = evaluate(&model, nodes);
        let direct = DirectUnits { model };
        let (direct_energy, quadrature) = evaluate(&direct, nodes);
        assert!((energy - direct_energy).abs() < TOLERANCE);
        assert!((energy - direct.energy(nodes)).abs() < TOLERANCE);
        let potential = direct.potential(nodes, &nodes.x);
        for (i, v) in potential.iter().enumerate() {
            assert!((formula.v[i] - quadrature.v[i]).abs() < TOLERANCE);
            assert!((formula.v[i] - v).abs() < TOLERANCE);
            for k in 0..formula.grad.len() {
                let error = formula.grad[k][i] - quadrature.grad[k][i];
                assert!(error.abs() < TOLERANCE, "{k} {i} {error:e}");
            }
        }
    }

    #[test]
    fn equals_the_pairwise_formula_in_one_dimension() {
        for len in [1, 2, 5, 17] {
            assert_same(GaussianUnits::paper(), &irregular(2, len, 2.5));
        }
    }

    #[test]
    fn equals_the_pairwise_formula_in_two_dimensions() {
        assert_same(planar(), &irregular(3, 5, 2.0));
    }

    #[test]
    fn the_potential_away_from_the_nodes() {
        // A far point widens the grid; the answer is that of a node without weight.
        let nodes = irregular(2, 4, 1.0);
        let mut probe = nodes.clone();
        probe.x[0].push(2.0);
        probe.x[1].push(4.5);
        probe.w.push(0.0);
        let (_, formula) = evaluate(&GaussianUnits::paper(), &probe);
        let direct = DirectUnits {
            model: GaussianUnits::paper(),
        };
        let v = direct.potential(&nodes, &[vec![2.0], vec![4.5]]);
        assert!((v[0] - formula.v[4]).abs() < 1e-14);
    }
}
