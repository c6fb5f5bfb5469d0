//! The tail of a rank sum by the double saddle point, where counting is too dear.
//!
//! Let every value of the pool be taken with probability p = size / total, independently; the rank sum is the sum S of
//! what is taken, given that the number K taken is `size`. Skovgaard ("Saddlepoint expansions for conditional
//! distributions", 1987) approximates such a conditional tail by tilting in both. With L(u, t) = ln E exp(u K + t S),
//! at the minimum of the convex function F(u, t) = L(u, t) - u size - t (s - d/2), d the lattice step of S,
//!
//! ```text
//! P(S >= s | K = size) ~ P(Z >= w) + phi(w) (1 / v - 1 / w)
//! w = sign(t) sqrt(-2 F),      v = 2 sinh(t d / 2) / d  sqrt(det L''(u, t) / L_uu(0, 0)).
//! ```
//!
//! At t = 0 the minimum is u = 0, by the choice of p, so the denominator's saddle point adds nothing else.

use super::binomial;
use super::tails::normal_upper;
use core::f64::consts::TAU;

/// Newton's steps; seven are usual, some 25 next to the extreme sums.
const STEPS: usize = 200;
/// The decrement g' H^-1 g, squared deviations in standard deviations, at which the minimum counts as found.
const RESIDUAL: f64 = 1e-16;
/// Standard deviations around the mean within which the tail is interpolated: both 1 / v and 1 / w have a pole in the
/// middle.
const MIDDLE: f64 = 0.02;

/// Equal values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// Twice their mid-rank: an integer.
    pub(super) rank: i64,
    /// How many there are.
    pub(super) count: u64,
}

/// P(S >= sum) for the sum of `size` of the ranks, `step` being the largest distance between neighbouring ones; `sum`
/// above the least sum and below the largest.
///
/// Where that is no lattice step, it makes the tail too large rather than too small; how much is in the test in
/// `rank_law`. Time O(groups) for each of Newton's steps, no more memory than the groups.
///
/// If the minimum is not found, Chernoff's bound of the point reached: it is above the tail, wherever the point is.
pub(super) fn upper_tail(groups: &[Group], total: u64, size: u64, sum: i64, step: i64) -> f64 {
    let tilted = Tilted::new(groups, total, size, step);
    // Half a lattice step towards the mean.
    let at = tilted.standard(sum) - tilted.half;
    let middle = MIDDLE * tilted.sd;
    if at.abs() >= middle {
        return tilted.upper(at, STEPS);
    }
    let (low, high) = (tilted.upper(-middle, STEPS), tilted.upper(middle, STEPS));
    low + (high - low) * (at + middle) / (2.0 * middle)
}

/// The pool with ranks moved and scaled to mean 0 and variance 1.
struct Tilted {
    /// Rank and number of each group.
    groups: Vec<(f64, f64)>,
    /// ln(p / (1 - p)).
    odds: f64,
    size: f64,
    /// Mean and standard deviation of the doubled ranks.
    mean: f64,
    scale: f64,
    /// Half a lattice step.
    half: f64,
    /// P(K = size).
    atom: f64,
    /// Standard deviation of S, given K.
    sd: f64,
}

/// F with its derivatives.
struct Value {
    f: f64,
    /// Of u and t.
    gradient: [f64; 2],
    /// L_uu, mean of the ranks under its weights, and L_tt about that mean: the determinant is the product of first and
    /// last.
    hessian: [f64; 3],
}

impl Value {
    /// Newton's direction, and the squared length of the gradient in the metric of the Hessian.
    fn newton(&self) -> ([f64; 2], f64) {
        let [weight, mean, spread] = self.hessian;
        // In the coordinates u + mean t and t the Hessian is diagonal.
        let across = self.gradient[1] - mean * self.gradient[0];
        let t = -across / spread;
        (
            [-self.gradient[0] / weight - mean * t, t],
            self.gradient[0] * self.gradient[0] / weight + across * across / spread,
        )
    }
}

impl Tilted {
    fn new(groups: &[Group], total: u64, size: u64, step: i64) -> Self {
        let (all, p) = (total as f64, size as f64 / total as f64);
        let mean = groups.iter().map(|g| g.rank as f64 * g.count as f64).sum::<f64>() / all;
        let squares: f64 = groups.iter().map(|g| g.count as f64 * (g.rank as f64 - mean).powi(2)).sum();
        let scale = (squares / all).sqrt();
        Self {
            groups: groups.iter().map(|g| ((g.rank as f64 - mean) / scale, g.count as f64)).collect(),
            odds: (p / (1.0 - p)).ln(),
            size: size as f64,
            mean,
            scale,
            half: 0.5 * step as f64 / scale,
            atom: binomial::mass(size, total, p),
            sd: (size as f64 * (1.0 - p) * all / (all - 1.0)).sqrt(),
        }
    }

    /// A sum of ranks in standard units.
    fn standard(&self, sum: i64) -> f64 {
        (sum as f64 - self.size * self.mean) / self.scale
    }

    /// F(u, t) for the sum `at`, which half a step has been taken from.
    fn value(&self, [u, t]: [f64; 2], at: f64) -> Value {
        let base = softplus(self.odds);
        let (mut f, mut sums) = (-u * self.size - t * at, [0.0; 4]);
        for &(rank, count) in &self.groups {
            let odds = self.odds + u + t * rank;
            let taken = 1.0 / (1.0 + (-odds).exp());
            let weight = count * taken / (1.0 + odds.exp());
            f += count * (softplus(odds) - base);
            let terms = [count * taken, count * taken * rank, weight, weight * rank];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
        let [taken, sum, weight, moment] = sums;
        let mean = moment / weight;
        let spread = |&(rank, count): &(f64, f64)| {
            let odds = self.odds + u + t * rank;
            count * (rank - mean).powi(2) / ((1.0 + (-odds).exp()) * (1.0 + odds.exp()))
        };
        let hessian = [weight, mean, self.groups.iter().map(spread).sum()];
        Value { f, gradient: [taken - self.size, sum - at], hessian }
    }

    /// The minimum of F by Newton's method with a line search, or where so many steps end; and whether it is the
    /// minimum.
    fn saddle(&self, at: f64, steps: usize) -> ([f64; 2], Value, bool) {
        let mut point = [0.0; 2];
        let mut value = self.value(point, at);
        for _ in 0..steps {
            let (direction, decrement) = value.newton();
            if decrement <= RESIDUAL {
                return (point, value, true);
            }
            // Within rounding F no longer shows whether a step is good; there Newton's is.
            let room = 1e-14 * (self.size + value.f.abs());
            let mut length = 1.0;
            (point, value) = loop {
                let next = [0, 1].map(|i| point[i] + length * direction[i]);
                let there = self.value(next, at);
                if there.f <= value.f - 0.25 * length * decrement + room || length < 1e-9 {
                    break (next, there);
                }
                length *= 0.5;
            };
        }
        let found = value.newton().1 <= RESIDUAL;
        (point, value, found)
    }

    /// P(S >= s), `at` being s - d/2 in standard units, with so many of Newton's steps.
    fn upper(&self, at: f64, steps: usize) -> f64 {
        let ([_, t], value, found) = self.saddle(at, steps);
        if !found {
            // E exp(u (K - size) + t (S - s)) / P(K = size) at any u and t >= 0.
            let bound = (value.f - t * self.half).exp() / self.atom;
            return if t >= 0.0 && bound < 1.0 { bound } else { 1.0 };
        }
        let w = (-2.0 * value.f).max(0.0).sqrt().copysign(t);
        let variance = self.size / (1.0 + self.odds.exp());
        let v = (t * self.half).sinh() / self.half * (value.hessian[0] * value.hessian[2] / variance).sqrt();
        let density = (-0.5 * w * w).exp() / TAU.sqrt();
        (normal_upper(w) + density * (1.0 / v - 1.0 / w)).clamp(0.0, 1.0)
    }
}

/// ln(1 + e^x).
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_cut_short_gives_a_bound() {
        // Two values: the sum is the number of ones among 40 of 330 zeros and 10 ones, P(K >= 8) = 7.1e-7 by exact
        // integers.
        let groups = [Group { rank: 331, count: 330 }, Group { rank: 671, count: 10 }];
        let tilted = Tilted::new(&groups, 340, 40, 340);
        let at = tilted.standard(32 * 331 + 8 * 671) - tilted.half;
        let exact = 7.096_175_436_545_14e-7;
        let all: Vec<f64> = (0..12).map(|steps| tilted.upper(at, steps)).collect();
        assert!(all.iter().all(|p| *p > 0.95 * exact && *p <= 1.0), "{all:?}");
        assert!(all[0] == 1.0 && all[3] > 2.0 * exact && (all[11] / exact - 1.0).abs() < 0.05, "{all:?}");
    }

    #[test]
    fn the_minimum_is_found_to_its_residual_next_to_the_extremes() {
        for (counts, size) in [(vec![330, 10], 40), (vec![1; 400], 200), (vec![1000, 1, 1, 1, 200, 1], 300)] {
            let mut below = 0;
            let groups: Vec<Group> = counts
                .iter()
                .map(|&count: &u64| {
                    below += count;
                    Group { rank: (2 * below + 1) as i64 - count as i64, count }
                })
                .collect();
            let tilted = Tilted::new(&groups, below, size, 2);
            let top: i64 = groups
                .iter()
                .rev()
                .flat_map(|g| std::iter::repeat_n(g.rank, g.count as usize))
                .take(size as usize)
                .sum();
            for inside in [2, 4, 1000] {
                let at = tilted.standard(top - inside) - tilted.half;
                let (_, value, found) = tilted.saddle(at, STEPS);
                assert!(found && value.f < 0.0, "{counts:?} {inside}");
                assert!(value.gradient.iter().all(|g| g.abs() < 1e-6), "{counts:?} {inside} {:?}", value.gradient);
            }
        }
    }
}
