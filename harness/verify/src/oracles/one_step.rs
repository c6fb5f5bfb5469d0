//! Exact expectations over the random events of one step of scheme 1 (birth-death, arXiv:1902.01843).
//!
//! Given V, particle i is present a_i times after the events: 0 or 1 if it may die, 1 or 2 if it may be duplicated.
//! Uniform population control keeps, in mean, the average over those present, so the one-step mean of an observable g
//! is E[sum a_i g_i / sum a_i]. With 1/S = ∫_0^1 s^(S-1) ds and independence this is
//!
//! ```text
//! ∫_0^1 sum_i g_i psi_i(s) prod_{j != i} phi_j(s) ds/s,   phi_i = E[s^a_i],  psi_i = E[a_i s^a_i],
//! ```
//!
//! a polynomial in s of degree 2n - 1 at most: Gauss-Legendre with n + 1 nodes has no error but rounding.
//! The empty population contributes 0, for S = 0 has no term in sum_i a_i.

use birth_death_stats::quadrature::Rule;

/// The rule on (0, 1), built once for every n.
#[derive(Clone, Debug)]
pub struct OneStep {
    rule: Rule,
}

impl OneStep {
    /// For at most `n` particles.
    pub fn new(n: usize) -> Self {
        Self { rule: Rule::legendre(n + 1, 0.0, 1.0) }
    }

    /// `share[i]` = E[a_i / sum_j a_j]: the mean share of the offspring of i after population control, before
    /// transport.
    ///
    /// `b[i]` > 0 marks a death candidate, < 0 a birth candidate, 0 neither; `p[i]` in [0, 1] is the event's
    /// probability. The shares sum to the probability that anyone is left. Cost O(n^2).
    pub fn shares(&self, b: &[f64], p: &[f64]) -> Vec<f64> {
        // phi = c0 + c1 s + c2 s^2, and psi / s is its derivative
        let generating = offsprings(b, p);
        let mut share = vec![0.0; generating.len()];
        let mut phis = share.clone();
        for (&s, &weight) in self.rule.nodes.iter().zip(&self.rule.weights) {
            // phi > 0 at every node, even for p = 1 (1, or s^2), because the nodes are inside (0, 1): dividing the full
            // product by it is safe. Should the product underflow, what is lost is below 1e-300 of shares that sum to
            // order one.
            for (phi, [c0, c1, c2]) in phis.iter_mut().zip(&generating) {
                *phi = c0 + s * (c1 + s * c2);
            }
            let product = phis.iter().fold(weight, |product, phi| product * phi);
            for ((share, phi), [_, c1, c2]) in share.iter_mut().zip(&phis).zip(&generating) {
                *share += product * ((c1 + 2.0 * c2 * s) / phi);
            }
        }
        share
    }
}

/// The mean after events and control, before transport, of (1/n) sum_i c_i `linear[i]` + (1/2n^2) sum_ij c_i c_j
/// `pair[i][j]`, c_i the number of i's offspring: of an energy with interaction, F and K at the particles (without E0).
///
/// Given S present, control keeps each pair of different ones with probability n(n - 1) / S(S - 1), or adds n - S draws
/// with replacement; S less two particles is a sum of independent numbers, whose law is convolved. Exact up to
/// rounding. Cost O(n^4), for n up to 100.
pub fn mean_energy_after_events(b: &[f64], p: &[f64], linear: &[f64], pair: &[Vec<f64>]) -> f64 {
    let n = b.len();
    let size = n as f64;
    // E[c_i c_j | a] / a_i a_j for different i, j
    let both = |present: f64| {
        if present >= size {
            size * (size - 1.0) / (present * (present - 1.0))
        } else {
            let draws = size - present;
            1.0 + 2.0 * draws / present + draws * (draws - 1.0) / (present * present)
        }
    };
    let square = |a: f64, present: f64| {
        if present >= size {
            a * size / present + if a > 1.0 { a * (a - 1.0) * both(present) } else { 0.0 }
        } else {
            a * a * both(present) + a * (size - present) / present
        }
    };
    let laws = offsprings(b, p);
    let mut mean = 0.0;
    for i in 0..n {
        let others = sum_law(&laws, &[i]);
        for (a, chance) in (1..).zip(&laws[i][1..]) {
            for (rest, weight) in others.iter().enumerate() {
                let (a, present) = (f64::from(a), f64::from(a) + rest as f64);
                let once = linear[i] * a * size / present / size;
                mean += chance * weight * (once + 0.5 * pair[i][i] * square(a, present) / (size * size));
            }
        }
        for j in 0..i {
            let others = sum_law(&laws, &[i, j]);
            let mut product = 0.0;
            for (a, first) in (1..).zip(&laws[i][1..]) {
                for (c, second) in (1..).zip(&laws[j][1..]) {
                    let two = f64::from(a + c);
                    let tail = others.iter().enumerate().map(|(rest, weight)| weight * both(two + rest as f64));
                    product += first * second * f64::from(a * c) * tail.sum::<f64>();
                }
            }
            mean += pair[i][j] * product / (size * size);
        }
    }
    mean
}

/// P(a = 0, 1, 2) of every particle's number after the events; NaN if its b is.
fn offsprings(b: &[f64], p: &[f64]) -> Vec<[f64; 3]> {
    assert_eq!(b.len(), p.len());
    let law = |(&b, &p): (&f64, &f64)| match b {
        0.0 => [0.0, 1.0, 0.0],
        b if b > 0.0 => [p, 1.0 - p, 0.0],
        b if b < 0.0 => [0.0, 1.0 - p, p],
        _ => [f64::NAN; 3],
    };
    b.iter().zip(p).map(law).collect()
}

/// The law of the sum of all but the `left_out`.
fn sum_law(laws: &[[f64; 3]], left_out: &[usize]) -> Vec<f64> {
    let mut law = vec![1.0];
    for (i, one) in laws.iter().enumerate() {
        if left_out.contains(&i) {
            continue;
        }
        let mut next = vec![0.0; law.len() + 2];
        for (sum, chance) in law.iter().enumerate() {
            for (a, p) in one.iter().enumerate() {
                next[sum + a] += chance * p;
            }
        }
        law = next;
    }
    law
}

/// The drift at dt -> 0 of a functional of the ensemble under the events of scheme 1, in its continuous-time form.
///
/// Particle i has a clock of rate alpha |b_i|. On a death a copy of one of the other n - 1 takes its place; on a birth
/// one of the n + 1 then present, the copy included, is removed. `delta(i, j)` is the functional's change when slot i
/// is overwritten by a copy of slot j. Removing the parent or its copy changes nothing, so a birth of i is: slot r
/// overwritten by i with probability 1/(n + 1) for each r != i. For n = 1 nothing can change and the drift is 0.
///
/// `delta` is called once for every ordered pair with b_i != 0.
pub fn event_sum(alpha: f64, b: &[f64], mut delta: impl FnMut(usize, usize) -> f64) -> f64 {
    let n = b.len();
    let mut drift = 0.0;
    for (i, &rate) in b.iter().enumerate() {
        let others = (0..n).filter(|&j| j != i);
        if rate > 0.0 && n > 1 {
            let sum: f64 = others.map(|j| delta(i, j)).sum();
            drift += rate * sum / (n - 1) as f64;
        } else if rate < 0.0 {
            let sum: f64 = others.map(|r| delta(r, i)).sum();
            drift -= rate * sum / (n + 1) as f64;
        }
    }
    alpha * drift
}

#[cfg(test)]
mod tests {
    use super::super::models::{Nodes, evaluate, irregular};
    use super::super::units::GaussianUnits;
    use super::*;

    /// E[sum a_i g_i / sum a_i] for each functional `g[m][i]`; candidates and probabilities as in [`OneStep::shares`].
    ///
    /// Exact up to rounding: 1e-14 relative to max |g|, for n up to some hundreds.
    fn mean_after_events(b: &[f64], p: &[f64], g: &[&[f64]]) -> Vec<f64> {
        let share = OneStep::new(b.len()).shares(b, p);
        g.iter().map(|g| g.iter().zip(&share).map(|(g, share)| g * share).sum()).collect()
    }

    /// The definition: every pattern of events with its probability.
    fn enumerate(b: &[f64], p: &[f64], g: &[f64]) -> f64 {
        let n = b.len();
        let mut mean = 0.0;
        for pattern in 0u32..1 << n {
            let (mut chance, mut present, mut sum) = (1.0, 0.0, 0.0);
            for i in 0..n {
                let p = if b[i] == 0.0 { 0.0 } else { p[i] };
                let event = pattern >> i & 1 == 1;
                chance *= if event { p } else { 1.0 - p };
                let a = match event {
                    false => 1.0,
                    true if b[i] > 0.0 => 0.0,
                    true => 2.0,
                };
                present += a;
                sum += a * g[i];
            }
            if present > 0.0 {
                mean += chance * sum / present;
            }
        }
        mean
    }

    #[test]
    fn equals_full_enumeration() {
        let p_values = [0.3, 0.0, 1.0, 0.9, 1e-12, 0.55];
        let g = [1.0, -2.0, 0.7, 3.1, -0.4, 5.0];
        for n in 1..=6 {
            // Every assignment of death, birth, neither; probabilities rotated so that each meets each.
            for code in 0..3u32.pow(n as u32) {
                let b: Vec<f64> = (0..n).map(|i| f64::from(code / 3u32.pow(i as u32) % 3) - 1.0).collect();
                let p: Vec<f64> = (0..n).map(|i| p_values[(i + code as usize) % 6]).collect();
                let exact = enumerate(&b, &p, &g[..n]);
                let mean = mean_after_events(&b, &p, &[&g[..n]])[0];
                assert!((mean - exact).abs() < 2e-14, "{b:?} {p:?}: {mean} {exact}");
            }
        }
    }

    /// All outcomes of control from the items present (by owner), with equal chances: their mean of `energy`.
    fn control(items: &[usize], n: usize, energy: &dyn Fn(&[usize]) -> f64) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        if items.len() >= n {
            for kept in 0u32..1 << items.len() {
                if kept.count_ones() as usize == n {
                    let kept: Vec<usize> = (0..items.len()).filter(|k| kept >> k & 1 == 1).map(|k| items[k]).collect();
                    sum += energy(&kept);
                    count += 1.0;
                }
            }
        } else {
            let draws = n - items.len();
            for code in 0..items.len().pow(draws as u32) {
                let drawn = (0..draws).map(|k| items[code / items.len().pow(k as u32) % items.len()]);
                let all: Vec<usize> = items.iter().copied().chain(drawn).collect();
                sum += energy(&all);
                count += 1.0;
            }
        }
        sum / count
    }

    #[test]
    fn the_mean_energy_equals_full_enumeration() {
        let linear = [1.0, -2.0, 0.7, 3.1];
        let pair: Vec<Vec<f64>> =
            (0..4).map(|i| (0..4).map(|j| ((i * j) as f64 + (i + j) as f64 * 1.3).sin()).collect()).collect();
        let energy = |owners: &[usize]| {
            let once: f64 = owners.iter().map(|&i| linear[i]).sum();
            let twice: f64 =
                owners.iter().flat_map(|&i| owners.iter().map(move |&j| (i, j))).map(|(i, j)| pair[i][j]).sum();
            once / 4.0 + twice / 32.0
        };
        for b in [[1.0, -1.0, 1.0, 1.0], [-1.0, -1.0, 1.0, 0.0], [-1.0, -1.0, -1.0, -1.0]] {
            let p = [0.3, 0.9, 0.55, 0.2];
            let mut brute = 0.0;
            for pattern in 0u32..16 {
                let happens = |i: usize| b[i] != 0.0 && pattern >> i & 1 == 1;
                // a pattern in which a particle that cannot have an event has one is not counted
                if (0..4).any(|i| b[i] == 0.0 && pattern >> i & 1 == 1) {
                    continue;
                }
                let chance = (0..4)
                    .filter(|i| b[*i] != 0.0)
                    .map(|i| if happens(i) { p[i] } else { 1.0 - p[i] })
                    .product::<f64>();
                let number = |i: usize| {
                    if !happens(i) {
                        1
                    } else if b[i] > 0.0 {
                        0
                    } else {
                        2
                    }
                };
                let items: Vec<usize> = (0..4).flat_map(|i| core::iter::repeat_n(i, number(i))).collect();
                brute += chance * control(&items, 4, &energy);
            }
            let mean = mean_energy_after_events(&b, &p, &linear, &pair);
            assert!((mean - brute).abs() < 1e-14, "{b:?}: {mean} {brute}");
        }
    }

    #[test]
    fn everyone_dies() {
        let mean = mean_after_events(&[1.0; 4], &[1.0; 4], &[&[1.0; 4], &[2.0; 4]]);
        assert_eq!(mean, [0.0, 0.0]);
        // Extinction has probability 1/16: the shares sum to the rest.
        let share = OneStep::new(4).shares(&[1.0; 4], &[0.5; 4]);
        assert!((share.iter().sum::<f64>() - 15.0 / 16.0).abs() < 1e-15);
    }

    #[test]
    fn large_ensembles_keep_total_mass_and_tend_to_the_covariance() {
        for n in [64, 400, 1000] {
            let b: Vec<f64> = (0..n).map(|i| (1.0 + 2.3 * i as f64).sin()).collect();
            let mean = b.iter().sum::<f64>() / n as f64;
            let b: Vec<f64> = b.iter().map(|b| b - mean).collect();
            let x = 1e-4;
            let p: Vec<f64> = b.iter().map(|b| -(-x * b.abs()).exp_m1()).collect();
            let share = OneStep::new(n).shares(&b, &p);
            assert!((share.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            // n share_i - 1 = -x b_i up to O(x / n) and O(x^2).
            let worst = (0..n).map(|i| (n as f64 * share[i] - 1.0 + x * b[i]).abs());
            assert!(worst.fold(0.0, f64::max) < 4.0 * x / n as f64 + 4.0 * x * x);
        }
    }

    #[test]
    fn the_event_sum_of_a_mean_is_the_drift_of_the_specification() {
        let b = [0.7, -0.2, 1.1, -0.9, 0.0];
        let g = [1.0, -2.0, 0.7, 3.1, -0.4];
        let n = 5.0;
        let mean: f64 = g.iter().sum::<f64>() / n;
        let drift = event_sum(3.0, &b, |i, j| (g[j] - g[i]) / n);
        let formula = (0..5).map(|i| {
            let others = if b[i] > 0.0 { n - 1.0 } else { n + 1.0 };
            -3.0 * b[i] * (g[i] - mean) / others
        });
        assert!((drift - formula.sum::<f64>()).abs() < 1e-14);
        assert_eq!(event_sum(1.0, &[2.0], |_, _| 1.0), 0.0);
    }

    #[test]
    fn the_event_sum_is_the_limit_of_the_one_step_mean() {
        let b = [0.7, -0.2, 1.1, -0.9, 0.3];
        let g = [1.0, -2.0, 0.7, 3.1, -0.4];
        let mean = g.iter().sum::<f64>() / 5.0;
        let drift = event_sum(3.0, &b, |i, j| (g[j] - g[i]) / 5.0);
        let slope = |dt: f64| {
            let p = b.map(|b: f64| -(-3.0 * b.abs() * dt).exp_m1());
            (mean_after_events(&b, &p, &[&g])[0] - mean) / dt
        };
        // First order in dt: Richardson leaves the second.
        let (dt, limit) = (1e-4, 2.0 * slope(0.5e-4) - slope(1e-4));
        assert!((limit - drift).abs() < 100.0 * dt * dt, "{limit} {drift}");
    }

    #[test]
    fn the_event_sum_of_an_energy_by_brute_force() {
        // Births spelt out: the ensemble of n + 1, every one of its members removed in turn.
        let model = GaussianUnits::paper();
        let rows = irregular(2, 4, 1.5).x;
        let b = [0.5, -0.4, 0.0, -0.1];
        let energy = |slots: &[usize]| {
            let pick = |row: &Vec<f64>| slots.iter().map(|&i| row[i]).collect();
            evaluate(&model, &Nodes::ensemble(rows.iter().map(pick).collect())).0
        };
        let start = energy(&[0, 1, 2, 3]);
        let mut brute = 0.0;
        for j in [1, 2, 3] {
            brute += 0.5 * (energy(&[j, 1, 2, 3]) - start) / 3.0;
        }
        for (i, rate) in [(1, 0.4), (3, 0.1)] {
            for removed in 0..5 {
                let mut slots = vec![0, 1, 2, 3, i];
                slots.remove(removed);
                brute += rate * (energy(&slots) - start) / 5.0;
            }
        }
        let drift = event_sum(2.0, &b, |i, j| {
            let mut slots = [0, 1, 2, 3];
            slots[i] = j;
            energy(&slots) - start
        });
        assert!((drift - 2.0 * brute).abs() < 1e-15);
    }
}
