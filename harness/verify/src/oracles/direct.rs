//! Gaussian units by quadrature over the inputs x: no pairwise formula, hence an independent reference.
//!
//! Residual r(x) = sum_i w_i c_i phi(x - y_i) - f(x) on a grid, then E = 1/2 ∫r^2 dx and V(c, y) = c ∫r phi(. - y) dx
//! by the trapezoid rule. Cost O(nodes x grid), against O(nodes^2) of the formula: for thousands of nodes also the
//! faster.

use super::models::{Fields, MeanField, Nodes};
use super::units::{GaussianUnits, finish};
use core::f64::consts::TAU;

/// Grid spacing over the smallest standard deviation. By Poisson summation the trapezoid rule on a Gaussian of variance
/// u errs by the relative amount 2 exp(-2 pi^2 u / spacing^2); the narrowest integrand is a product of two units of
/// variance s2, so u = s2/2 and 1/2 gives 2 exp(-4 pi^2) = 1.4e-17.
const SPACING: f64 = 0.5;

/// Every Gaussian is cut off at this many of its standard deviations, at exp(-9^2 / 2) = 2.6e-18 of its peak.
const REACH: f64 = 9.0;

/// [`GaussianUnits`] evaluated by quadrature over the inputs. d = 1 or 2 in practice: the grid grows as its power.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectUnits {
    /// The model.
    pub model: GaussianUnits,
}

/// An equally spaced grid on every axis, last axis fastest.
struct Grid {
    axes: Vec<Vec<f64>>,
    step: f64,
}

/// A Gaussian on its window of the grid: along every axis the first index, and the values of its factor from there on.
type Bump = Vec<(usize, Vec<f64>)>;

impl Grid {
    /// Covers the windows of all Gaussians, given as centre and standard deviation for each axis.
    fn covering(gaussians: &[Vec<(f64, f64)>], step: f64) -> Self {
        let axis = |all: &Vec<(f64, f64)>| {
            let low = all.iter().map(|(x, sd)| x - REACH * sd);
            let high = all.iter().map(|(x, sd)| x + REACH * sd);
            let low = low.fold(f64::INFINITY, f64::min);
            let count = ((high.fold(low, f64::max) - low) / step).ceil() as usize + 1;
            (0..count).map(|g| low + g as f64 * step).collect()
        };
        Self { axes: gaussians.iter().map(axis).collect(), step }
    }

    fn len(&self) -> usize {
        self.axes.iter().map(Vec::len).product()
    }

    /// The volume that a grid point stands for.
    fn cell(&self) -> f64 {
        self.axes.iter().map(|_| self.step).product()
    }

    /// N(x; centre, variance I) on its window.
    fn bump(&self, centre: impl Fn(usize) -> f64, variance: f64) -> Bump {
        let scale = 1.0 / (TAU * variance).sqrt();
        let reach = REACH * variance.sqrt();
        let factor = |(k, axis): (usize, &Vec<f64>)| {
            let y = centre(k);
            let first = axis.partition_point(|x| *x < y - reach);
            let end = axis.partition_point(|x| *x <= y + reach);
            (first, equispaced(axis.get(first..end).unwrap_or(&[]), self.step, y, variance, scale))
        };
        self.axes.iter().enumerate().map(factor).collect()
    }

    /// Adds `factor` times the bump to `r`.
    fn add(&self, bump: &[(usize, Vec<f64>)], factor: f64, r: &mut [f64]) {
        lines(&self.axes, bump, 0, factor, &mut |start, factor, values| {
            r[start..].iter_mut().zip(values).for_each(|(r, value)| *r += factor * value);
        });
    }

    /// Sum of `r` times the bump over the grid, times the cell: ∫r phi dx.
    fn integral(&self, bump: &[(usize, Vec<f64>)], r: &[f64]) -> f64 {
        let mut sum = 0.0;
        lines(&self.axes, bump, 0, 1.0, &mut |start, factor, values| {
            sum += factor * r[start..].iter().zip(values).map(|(r, value)| r * value).sum::<f64>();
        });
        self.cell() * sum
    }
}

/// `scale exp(-(x - y)^2 / (2 variance))` at points `step` apart: three exponentials, and two products a point from the
/// one in the middle on, whose ratio to the next changes by the same factor every time. After m points the relative
/// error is m^2 / 2 roundings, where the value is exp(-m^2 / 8) or so.
fn equispaced(points: &[f64], step: f64, y: f64, variance: f64, scale: f64) -> Vec<f64> {
    let mut values = vec![0.0; points.len()];
    let middle = points.len() / 2;
    let Some(at) = points.get(middle) else { return values };
    let (off, change) = (at - y, (-step * step / variance).exp());
    let peak = scale * (-0.5 * off * off / variance).exp();
    let first = |sign: f64| (-(sign * off + 0.5 * step) * step / variance).exp();
    let fill = |values: &mut dyn Iterator<Item = &mut f64>, mut ratio: f64| {
        let mut value = peak;
        for slot in values {
            *slot = value;
            value *= ratio;
            ratio *= change;
        }
    };
    let (before, after) = values.split_at_mut(middle);
    fill(&mut after.iter_mut(), first(1.0));
    // the one in the middle is written again
    fill(&mut after.iter_mut().take(1).chain(before.iter_mut().rev()), first(-1.0));
    values
}

/// Calls `each(start, factor, values)` for every line of the window along the last axis: its first point, the product
/// of the factors before, and the last factor's values. One loop an axis; `at` and `so_far` are the index and the
/// product of the axes before.
fn lines(
    axes: &[Vec<f64>],
    bump: &[(usize, Vec<f64>)],
    at: usize,
    so_far: f64,
    each: &mut impl FnMut(usize, f64, &[f64]),
) {
    let [(first, values), rest @ ..] = bump else { return };
    let start = at * axes[0].len() + first;
    if rest.is_empty() {
        return each(start, so_far, values);
    }
    for (g, value) in values.iter().enumerate() {
        lines(&axes[1..], rest, start + g, so_far * value, each);
    }
}

impl DirectUnits {
    /// The residual f_mu - f on a grid that covers the nodes, the target and units at `others` (rows c, y); and the
    /// nodes' units.
    fn residual(&self, nodes: &Nodes, others: &[Vec<f64>]) -> (Grid, Vec<f64>, Vec<Bump>) {
        let (model, s2) = (&self.model, self.model.unit_variance);
        let gaussians: Vec<Vec<(f64, f64)>> = (0..model.input_dim())
            .map(|k| {
                let target = model.target.iter();
                let target = target.map(|t| (t.centre[k], t.variance.sqrt()));
                let others = others.get(k + 1).into_iter().flatten();
                let units = nodes.x[k + 1].iter().chain(others);
                units.map(|y| (*y, s2.sqrt())).chain(target).collect()
            })
            .collect();
        let variances = model.target.iter().map(|t| t.variance);
        let grid = Grid::covering(&gaussians, SPACING * variances.fold(s2, f64::min).sqrt());
        let mut r = vec![0.0; grid.len()];
        let unit = |i: usize| grid.bump(|k| nodes.x[k + 1][i], s2);
        let units: Vec<Bump> = (0..nodes.len()).map(unit).collect();
        for (i, unit) in units.iter().enumerate() {
            let charge = nodes.w[i] * nodes.x[0][i];
            grid.add(unit, charge, &mut r);
        }
        for term in &model.target {
            let bump = grid.bump(|k| term.centre[k], term.variance);
            grid.add(&bump, -term.weight, &mut r);
        }
        (grid, r, units)
    }

    /// `E[mu]` = 1/2 ∫(f_mu - f)^2 dx.
    pub fn energy(&self, nodes: &Nodes) -> f64 {
        let (grid, r, _) = self.residual(nodes, &[]);
        0.5 * grid.cell() * r.iter().map(|r| r * r).sum::<f64>()
    }

    /// V(theta; mu) = c ∫(f_mu - f) phi(., y) dx at `points` (rows c, y), which need not be nodes.
    pub fn potential(&self, nodes: &Nodes, points: &[Vec<f64>]) -> Vec<f64> {
        let (grid, r, _) = self.residual(nodes, points);
        let at = |(i, c): (usize, &f64)| {
            let bump = grid.bump(|k| points[k + 1][i], self.model.unit_variance);
            c * grid.integral(&bump, &r)
        };
        points[0].iter().enumerate().map(at).collect()
    }
}

impl MeanField for DirectUnits {
    fn dim(&self) -> usize {
        1 + self.model.input_dim()
    }

    fn fields(&self, nodes: &Nodes, out: &mut Fields) -> f64 {
        let s2 = self.model.unit_variance;
        let (grid, r, mut units) = self.residual(nodes, &[]);
        for (i, unit) in units.iter_mut().enumerate() {
            out.v[i] = grid.integral(unit, &r);
            // d phi / d y_k = phi (x_k - y_k) / s2: only axis k's factor changes, and is put back.
            for (k, axis) in grid.axes.iter().enumerate() {
                let (first, kept) = unit[k].clone();
                for (value, x) in unit[k].1.iter_mut().zip(&axis[first..]) {
                    *value *= (x - nodes.x[k + 1][i]) / s2;
                }
                out.grad[k + 1][i] = grid.integral(unit, &r);
                unit[k].1 = kept;
            }
        }
        finish(&nodes.x[0], out);
        0.5 * grid.cell() * r.iter().map(|r| r * r).sum::<f64>()
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
        let direct = DirectUnits { model: GaussianUnits::paper() };
        let v = direct.potential(&nodes, &[vec![2.0], vec![4.5]]);
        assert!((v[0] - formula.v[4]).abs() < 1e-14);
    }
}
