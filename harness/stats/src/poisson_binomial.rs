//! The Poisson-binomial law: the number of successes of independent trials with unequal probabilities.
//!
//! One count: mass by convolution. The sum of a count over R independent repeats of the same trials has the
//! generating function to the power R; its tail is found by exponential tilting and Fourier inversion,
//!
//! ```text
//! P(S >= k) = e^(K(t) - t k) (1/2 pi) ∫_{-pi}^{pi} phi_t(u) e^(-iuk) / (1 - e^(-t-iu)) du,   t > 0,
//! ```
//!
//! K(t) = R sum_i ln(q_i + p_i e^t), phi_t the characteristic function of the law tilted by e^(tS). With t at the
//! saddle point the integrand is a bump of the size of the tail itself, and the trapezoid rule on a periodic analytic
//! function is exact up to aliasing, which is pushed below 1e-16. So this is no approximation by an expansion: what is
//! left is rounding, relative to the tail 2e-12 at 4e3 trials (against exact convolution, down to 1e-54) and 1e-10 at
//! 1.3e6 (against the binomial).

use core::f64::consts::TAU;

/// P(X = k) for k = 0..=n, n = number of trials. Relative error n * 2e-16: only sums of non-negative terms. O(n^2).
pub fn mass(p: &[f64]) -> Vec<f64> {
    let mut law = vec![1.0];
    for &p in p {
        law.push(0.0);
        for k in (0..law.len()).rev() {
            let from_below = if k > 0 { law[k - 1] * p } else { 0.0 };
            law[k] = law[k] * (1.0 - p) + from_below;
        }
    }
    law
}

/// The exact two-sided p-value of one count: twice the smaller tail, at most 1. Conservative, as every discrete test.
pub fn two_sided(p: &[f64], count: usize) -> f64 {
    if count > p.len() {
        return 0.0;
    }
    let law = mass(p);
    let below: f64 = law[..=count].iter().sum();
    let above: f64 = law[count..].iter().rev().sum();
    (2.0 * below.min(above)).min(1.0)
}

/// Mean of the sum of counts over `repeats` repeats: R sum p.
pub fn mean_of_sum(p: &[f64], repeats: u64) -> f64 {
    repeats as f64 * p.iter().sum::<f64>()
}

/// Variance of the sum of counts over `repeats` repeats: R sum p (1 - p).
pub fn variance_of_sum(p: &[f64], repeats: u64) -> f64 {
    repeats as f64 * p.iter().map(|p| p * (1.0 - p)).sum::<f64>()
}

/// P(S >= k), S the sum of counts over `repeats` independent repeats of the trials `p`.
///
/// Relative error below 1e-10 for k above the mean, absolute below it, up to 1.3e6 trials in all. Cost: some 100
/// evaluations of n terms.
pub fn upper_of_sum(p: &[f64], repeats: u64, k: u64) -> f64 {
    if k as f64 > mean_of_sum(p, repeats) {
        Trials::new(p.iter().map(|&p| (p, 1.0 - p)), repeats).upper(k)
    } else if k == 0 {
        1.0
    } else {
        1.0 - lower_tail(p, repeats, k - 1)
    }
}

/// P(S <= k), like [`upper_of_sum`] (relative error small below the mean).
pub fn lower_of_sum(p: &[f64], repeats: u64, k: u64) -> f64 {
    if (k as f64) < mean_of_sum(p, repeats) { lower_tail(p, repeats, k) } else { 1.0 - upper_of_sum(p, repeats, k + 1) }
}

/// The exact two-sided p-value of the sum of counts over `repeats` repeats: twice the smaller tail, at most 1.
pub fn two_sided_of_sum(p: &[f64], repeats: u64, sum: u64) -> f64 {
    let above = upper_of_sum(p, repeats, sum);
    let below = lower_of_sum(p, repeats, sum);
    (2.0 * above.min(below)).clamp(0.0, 1.0)
}

/// P(S <= k) as the upper tail of the number of failures.
fn lower_tail(p: &[f64], repeats: u64, k: u64) -> f64 {
    match (repeats * p.len() as u64).checked_sub(k) {
        Some(failures) => Trials::new(p.iter().map(|&p| (1.0 - p, p)), repeats).upper(failures),
        None => 1.0,
    }
}

/// The trials whose outcome is open, and the number of certain successes.
struct Trials {
    /// Probability and its complement, kept apart: 1 - (1 - p) would lose a small p.
    open: Vec<(f64, f64)>,
    repeats: f64,
    certain: u64,
    most: u64,
}

impl Trials {
    fn new(pairs: impl Iterator<Item = (f64, f64)> + Clone, repeats: u64) -> Self {
        let certain = pairs.clone().filter(|&(_, q)| q <= 0.0).count() as u64;
        let open: Vec<_> = pairs.filter(|&(p, q)| p > 0.0 && q > 0.0).collect();
        Self {
            repeats: repeats as f64,
            certain: certain * repeats,
            most: (certain + open.len() as u64) * repeats,
            open,
        }
    }

    /// P(S >= k) by the integral above; meant for k above the mean, right for every k.
    fn upper(&self, k: u64) -> f64 {
        if k <= self.certain {
            return 1.0;
        }
        if k > self.most {
            return 0.0;
        }
        if k == self.most {
            let log: f64 = self.open.iter().map(|(p, _)| p.ln()).sum();
            return (self.repeats * log).exp();
        }
        let k = (k - self.certain) as f64;
        // Never below 1/sd: at t = 0 the integrand has a pole.
        let sd = self.variance(0.0).sqrt();
        let t = self.saddle(k).max((1.0 / sd).min(1.0));
        let (mean, sd) = (self.mean(t), self.variance(t).sqrt());
        // Aliases from below are damped by e^(-t points), those from above lie beyond mean + 12 sd of the tilted law
        // (the 40 is for laws of few successes, whose tail is Poisson's): both under 1e-16. Odd, so that the points
        // pair up.
        let points = 2.0 * (18.5 / t + 0.5 * (mean - k).abs() + 6.0 * sd + 20.0).ceil() + 1.0;
        let mut sum = 0.5 * self.integrand(t, 0.0, k).0;
        let mut l = 1.0;
        while 2.0 * l < points {
            let (value, modulus) = self.integrand(t, TAU * l / points, k);
            sum += value;
            // |phi| falls with |u| up to pi: all that is left is below points * modulus.
            if modulus * points < 1e-17 * sum.abs() {
                break;
            }
            l += 1.0;
        }
        (self.cumulant(t) - t * k).exp() * 2.0 * sum / points
    }

    /// K(t), by ln(q + p e^t) = ln(1 + p (e^t - 1)), or with e^t taken out where that would overflow.
    fn cumulant(&self, t: f64) -> f64 {
        let term = |&(p, q): &(f64, f64)| match t < 30.0 {
            true => (p * t.exp_m1()).ln_1p(),
            false => t + (p + q * (-t).exp()).ln(),
        };
        self.repeats * self.open.iter().map(term).sum::<f64>()
    }

    /// Success and failure probability of one trial under the law tilted by t.
    fn tilted((p, q): (f64, f64), t: f64) -> (f64, f64) {
        if t > 0.0 {
            let q = q * (-t).exp();
            (p / (p + q), q / (p + q))
        } else {
            let p = p * t.exp();
            (p / (p + q), q / (p + q))
        }
    }

    /// K'(t).
    fn mean(&self, t: f64) -> f64 {
        let sum: f64 = self.open.iter().map(|&pq| Self::tilted(pq, t).0).sum();
        self.repeats * sum
    }

    /// K''(t).
    fn variance(&self, t: f64) -> f64 {
        let product = |&pq: &(f64, f64)| {
            let (p, q) = Self::tilted(pq, t);
            p * q
        };
        self.repeats * self.open.iter().map(product).sum::<f64>()
    }

    /// The t with K'(t) = k, by bisection: K' is increasing. Six digits are plenty, any t gives the same integral.
    fn saddle(&self, k: f64) -> f64 {
        let (mut low, mut high) = (-700.0, 700.0);
        for _ in 0..45 {
            let mid = 0.5 * (low + high);
            if self.mean(mid) < k {
                low = mid;
            } else {
                high = mid;
            }
        }
        0.5 * (low + high)
    }

    /// Real part of the integrand at u, and its modulus.
    fn integrand(&self, t: f64, u: f64, k: f64) -> (f64, f64) {
        let (mut log_modulus, mut phase) = (0.0, 0.0);
        let (sin, cos) = u.sin_cos();
        let haversine = 2.0 * (0.5 * u).sin().powi(2);
        for &pq in &self.open {
            let (p, q) = Self::tilted(pq, t);
            // |q + p e^(iu)|^2 = 1 - 2 p q (1 - cos u).
            log_modulus += 0.5 * (-2.0 * p * q * haversine).ln_1p();
            phase += (p * sin).atan2(q + p * cos);
        }
        // 1 - e^(-t-iu) = (1 - e^-t + e^-t (1 - cos u)) + i e^-t sin u.
        let decay = (-t).exp();
        let (re, im) = (-(-t).exp_m1() + decay * haversine, decay * sin);
        let modulus = (self.repeats * log_modulus).exp() / re.hypot(im);
        let angle = self.repeats * phase - u * k - im.atan2(re);
        (modulus * angle.cos(), modulus)
    }
}

#[cfg(test)]
mod tests {
    use super::super::binomial;
    use super::super::simulate::{Stream, assert_rate};
    use super::super::tails::normal_upper;
    use super::*;

    fn uneven(n: usize) -> Vec<f64> {
        (0..n).map(|i| 0.5 + 0.49 * (1.7 * i as f64).sin()).collect()
    }

    /// The law of the sum by exact convolution: mass to the power `repeats`.
    fn power(p: &[f64], repeats: u64) -> Vec<f64> {
        let all: Vec<f64> = (0..repeats).flat_map(|_| p.iter().copied()).collect();
        mass(&all)
    }

    #[test]
    fn mass_against_enumeration() {
        let p = [0.1, 0.7, 1.0, 0.0, 0.35];
        let law = mass(&p);
        for (count, value) in law.iter().enumerate() {
            let exact: f64 = (0u32..32)
                .filter(|pattern| pattern.count_ones() as usize == count)
                .map(|pattern| {
                    let chance = |(i, p): (usize, &f64)| if pattern >> i & 1 == 1 { *p } else { 1.0 - p };
                    p.iter().enumerate().map(chance).product::<f64>()
                })
                .sum();
            assert!((value - exact).abs() < 1e-16);
        }
        assert_eq!(two_sided(&p, 0), 0.0);
        assert_eq!(two_sided(&p, 6), 0.0);
        assert!((two_sided(&p, 4) - 2.0 * 0.1 * 0.7 * 0.35).abs() < 1e-16);
    }

    #[test]
    fn tails_of_sums_against_exact_convolution() {
        let few = vec![1e-3, 2e-4, 0.03, 1e-7];
        let mixed = vec![1.0, 0.0, 0.4, 0.9];
        for (p, repeats) in [(uneven(64), 60), (uneven(4), 1), (few, 50), (mixed, 30), (vec![0.5], 3)] {
            let law = power(&p, repeats);
            let (mut above, total) = (0.0, law.len() - 1);
            let mean = mean_of_sum(&p, repeats);
            let upper: Vec<f64> = law
                .iter()
                .rev()
                .map(|m| {
                    above += m;
                    above
                })
                .collect();
            let mut below = 0.0;
            for k in 0..=total {
                below += law[k];
                let above = upper[total - k];
                // The convolution itself rounds 4000 times: 1e-12.
                let bound = |exact: f64, tail: bool| if tail { 3e-11 * exact + 1e-200 } else { 3e-12 };
                let error = upper_of_sum(&p, repeats, k as u64) - above;
                assert!(error.abs() <= bound(above, k as f64 > mean), "{repeats} {k} {error:e} of {above:e}");
                let error = lower_of_sum(&p, repeats, k as u64) - below;
                assert!(error.abs() <= bound(below, (k as f64) < mean), "{repeats} {k} {error:e} of {below:e}");
            }
        }
    }

    #[test]
    fn equal_probabilities_are_binomial_up_to_millions_of_trials() {
        // 64 trials, 2e4 repeats; z about 0, 2, 6, -6, 8, 12.
        for p in [0.3, 0.9, 0.004] {
            let n = 64 * 20_000;
            let (mean, sd) = (n as f64 * p, (n as f64 * p * (1.0 - p)).sqrt());
            for z in [0.0, 2.0, 6.0, -6.0, 8.0, 12.0] {
                let k = (mean + z * sd).round() as u64;
                let value = two_sided_of_sum(&[p; 64], 20_000, k);
                let exact = binomial::two_sided(k, n, p);
                assert!((value / exact - 1.0).abs() < 1e-10, "{p} {z}: {value:e} {exact:e}");
            }
        }
    }

    #[test]
    fn the_normal_approximation_is_near_but_not_enough() {
        // Large and smooth: within 10 % at z = 6; this is why the exact tail is used.
        let p = vec![0.05; 64];
        let (mean, sd) = (mean_of_sum(&p, 2000), variance_of_sum(&p, 2000).sqrt());
        let k = (mean + 6.0 * sd).round();
        let ratio = upper_of_sum(&p, 2000, k as u64) / normal_upper((k - 0.5 - mean) / sd);
        assert!((1.05..2.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn edges() {
        assert_eq!(upper_of_sum(&[0.2; 3], 4, 0), 1.0);
        assert_eq!(upper_of_sum(&[0.2; 3], 4, 13), 0.0);
        assert_eq!(lower_of_sum(&[0.2; 3], 4, 12), 1.0);
        assert!((upper_of_sum(&[0.5; 3], 4, 12) - 2f64.powi(-12)).abs() < 1e-18);
        assert_eq!(two_sided_of_sum(&[1.0, 0.0], 7, 7), 1.0);
        assert_eq!(two_sided_of_sum(&[1.0, 0.0], 7, 8), 0.0);
        assert_eq!(two_sided_of_sum(&[1.0, 0.0], 7, 6), 0.0);
    }

    #[test]
    fn the_pooled_count_keeps_its_level_and_finds_three_per_cent() {
        let (p, mut stream) = (uneven(64), Stream(3));
        let off: Vec<f64> = p.iter().map(|p| (1.03 * p).min(1.0)).collect();
        let (mut alarms, mut found) = (0, 0);
        let count = |stream: &mut Stream, p: &[f64]| (0..20).map(|_| stream.successes(p)).sum::<u64>();
        for _ in 0..1500 {
            alarms += usize::from(two_sided_of_sum(&p, 20, count(&mut stream, &p)) < 0.05);
            found += usize::from(two_sided_of_sum(&p, 20, count(&mut stream, &off)) < 0.05);
        }
        assert!(alarms <= 110, "{alarms}");
        // A shift of 0.03 * 640 = 19 at a standard deviation of 13: z = 1.5, power about 0.33.
        assert!((300..700).contains(&found), "{found}");
        assert_rate(alarms, 1500, 0.046);
    }

    #[test]
    fn one_count_keeps_its_level_and_finds_fourfold_odds() {
        let p = uneven(40);
        let odds: Vec<f64> = p.iter().map(|p| 4.0 * p / (1.0 + 3.0 * p)).collect();
        let mut stream = Stream(75);
        let (mut alarms, mut found) = (0, 0);
        for _ in 0..3000 {
            alarms += usize::from(two_sided(&p, stream.successes(&p) as usize) < 0.05);
            found += usize::from(two_sided(&p, stream.successes(&odds) as usize) < 0.05);
        }
        let rejected = |law: &[f64]| (0..=40).filter(|&k| two_sided(&p, k) < 0.05).map(|k| law[k]).sum::<f64>();
        // Size and power by the masses of the rejected counts.
        let (size, power) = (rejected(&mass(&p)), rejected(&mass(&odds)));
        assert!(size <= 0.05 && size > 0.02 && power > 0.5, "{size} {power}");
        assert_rate(alarms, 3000, size);
        assert_rate(found, 3000, power);
    }
}
