//! What a test can find: the smallest true deviation that it rejects with given power.
//!
//! Every claim prints this with its result, and a sharp claim holds only if it is within the claim's budget.

use super::interval::bisect;
use super::rank::critical_u;
use super::tails::{chi_square_upper, normal_upper, t_quantile};
use crate::quadrature::Rule;

/// The power at which claims state what they can detect.
pub const POWER: f64 = 0.99;

/// The smallest deviation beyond the tolerance that [`super::verdict::limit`] finds with probability `power`.
///
/// `se` is the true standard error of the estimate, `dof` the degrees of freedom with which the run will estimate it
/// (infinite: known), `level` the two-sided level. With T the noncentral t, P(T > q) = E Phi(d / se - q S), S =
/// sqrt(chi2 / dof), by quadrature over S. The other side of the interval is left out: it only adds power. Relative
/// accuracy 1e-6 for dof >= 3. Likewise, a bias this much inside the tolerance *holds* with probability `power`.
pub fn detectable_limit(se: f64, dof: f64, level: f64, power: f64) -> f64 {
    let q = t_quantile(0.5 * level, dof);
    let scale = chi_scale(dof);
    let found = |d: f64| scale.integrate(|s| normal_upper(q * s - d));
    // At dof 3 and level 1e-8 the quantile is 600; the power is reached before four times that.
    se * bisect(0.0, 4.0 * q + 40.0, |d| found(d) < power)
}

/// The smallest shift of a normal statistic of standard deviation `sd` that a two-sided test finds with probability
/// `power`.
///
/// For a pooled count, `sd` is the root of [`super::poisson_binomial::variance_of_sum`].
pub fn detectable_shift(sd: f64, level: f64, power: f64) -> f64 {
    detectable_limit(sd, f64::INFINITY, level, power)
}

/// The smallest noncentrality that a chi-square test finds with probability `power`.
///
/// For goodness of fit on N draws it is N sum_i (true_i - null_i)^2 / null_i.
pub fn detectable_noncentrality(dof: f64, level: f64, power: f64) -> f64 {
    let critical = {
        let far = dof + 20.0 * (2.0 * dof).sqrt() + 200.0 - 4.0 * level.ln();
        bisect(0.0, far, |x| chi_square_upper(x, dof) > level)
    };
    // Beyond the critical value by a few standard deviations 2 sqrt(noncentrality) it is found for certain.
    let most = 4.0 * critical + 200.0;
    bisect(0.0, most, |lambda| noncentral_upper(critical, dof, lambda) < power)
}

/// P(X >= x) for noncentral chi-square: the chi-square with dof + 2J degrees, J Poisson of mean lambda / 2.
fn noncentral_upper(x: f64, dof: f64, lambda: f64) -> f64 {
    let half = 0.5 * lambda;
    let reach = 9.0 * half.sqrt() + 20.0;
    let first = (half - reach).max(0.0).floor();
    let mut log_mass = -half;
    if first > 0.0 {
        log_mass += first * half.ln() - statrs::function::gamma::ln_gamma(first + 1.0);
    }
    let (mut mass, mut sum, mut j) = (log_mass.exp(), 0.0, first);
    while j < half + reach {
        sum += mass * chi_square_upper(x, dof + 2.0 * j);
        j += 1.0;
        mass *= half / j;
    }
    sum
}

/// The law of S = sqrt(chi2 / dof) as a quadrature rule; the point 1 if dof is infinite.
fn chi_scale(dof: f64) -> Rule {
    if !dof.is_finite() {
        return Rule::point(1.0);
    }
    // The density is s^(dof - 1) e^(-dof s^2 / 2) up to a factor, of standard deviation 1 / sqrt(2 dof) around 1; at
    // its mode the log is taken as 0.
    let width = 10.0 / (2.0 * dof).sqrt();
    let mut rule = Rule::legendre(200, (1.0 - width).max(0.0), 1.0 + width);
    for (w, s) in rule.weights.iter_mut().zip(&rule.nodes) {
        *w *= ((dof - 1.0) * s.ln() - 0.5 * dof * (s * s - 1.0)).exp();
    }
    let sum: f64 = rule.weights.iter().sum();
    rule.weights.iter_mut().for_each(|w| *w /= sum);
    rule
}

/// The smallest increase of a binomial success probability that an exact two-sided test finds with probability `power`.
///
/// 1 - p if none is found with that power. A decrease is an increase of the failures: call it with 1 - p.
pub fn detectable_increase(trials: u64, p: f64, level: f64, power: f64) -> f64 {
    use super::binomial::{two_sided, upper};
    let mean = (trials as f64 * p).ceil() as u64;
    // The first count above the mean that rejects; two-sided p-values fall from there on.
    let (mut low, mut high) = (mean, trials + 1);
    while low < high {
        let mid = low + (high - low) / 2;
        if two_sided(mid, trials, p) < level {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    if low > trials {
        return 1.0 - p;
    }
    bisect(p, 1.0, |true_p| upper(low, trials, true_p) < power) - p
}

/// The smallest shift, in standard deviations, between two normal laws that the two-sided rank-sum test on m and n
/// values finds with probability `power`; infinite if even separate samples do not reach the level, NaN if the
/// arguments make no test.
///
/// The critical value is that of [`super::rank::rank_sum`]; under the shift U is taken as normal, with its exact mean
/// and variance. Simulated at 8 to 30 values a side and power 0.9: right within 0.02 in power.
pub fn detectable_shift_by_ranks(m: usize, n: usize, level: f64, power: f64) -> f64 {
    if m == 0 || n == 0 || !(level > 0.0 && level < 1.0 && power > 0.0 && power < 1.0) {
        return f64::NAN;
    }
    let (x, y) = (m as f64, n as f64);
    let critical = critical_u(m, n, level);
    if critical > x * y {
        return f64::INFINITY;
    }
    let normal = Rule::normal(60, 0.0, 1.0);
    let found = |shift: f64| {
        // With Z ~ N(0, 1): P(X < Y) and P(X < both of two Y), which is also P(both of two X < Y).
        let one = normal_upper(-shift / core::f64::consts::SQRT_2);
        let both = normal.integrate(|z| normal_upper(z - shift).powi(2));
        let variance = x * y * (one * (1.0 - one) + (x + y - 2.0) * (both - one * one));
        normal_upper((critical - 0.5 - x * y * one) / variance.max(f64::MIN_POSITIVE).sqrt())
    };
    // Ten standard deviations apart, samples are separate.
    bisect(0.0, 10.0, |shift| found(shift) < power)
}

#[cfg(test)]
mod tests {
    use super::super::binomial;
    use super::super::interval::Sample;
    use super::super::rank::rank_sum;
    use super::super::simulate::{Stream, assert_rate};
    use super::super::tails::normal_quantile;
    use super::super::verdict::{Verdict, limit};
    use super::*;

    /// The normal approximation for many degrees of freedom: about 8 sd at level 1e-6 / 24 and power 0.99.
    fn rule_of_thumb(sd: f64, level: f64, power: f64) -> f64 {
        sd * (normal_quantile(0.5 * level) + normal_quantile(1.0 - power))
    }

    #[test]
    fn many_degrees_of_freedom_need_eight_standard_errors() {
        let level = 1e-6 / 24.0;
        let known = detectable_shift(1.0, level, POWER);
        assert!((known - rule_of_thumb(1.0, level, POWER)).abs() < 1e-9);
        assert!((7.7..8.0).contains(&known), "{known}");
        assert!((detectable_limit(1.0, 1e5, level, POWER) / known - 1.0).abs() < 1e-3);
        assert!((detectable_limit(2.0, 399.0, level, POWER) / known) > 2.0);
    }

    #[test]
    fn few_degrees_of_freedom_by_simulation() {
        let mut stream = Stream(5);
        for (count, level) in [(4, 0.05), (16, 1e-4)] {
            let se = 0.5;
            let sd = se * f64::sqrt(count as f64);
            let deviation = 0.3 + detectable_limit(se, count as f64 - 1.0, level, 0.9);
            let mut found = 0;
            for _ in 0..3000 {
                let values: Vec<f64> = (0..count).map(|_| deviation + sd * stream.normal()).collect();
                let sample = Sample::of(&values);
                let verdict = limit(sample.mean, sample.standard_error(), sample.dof(), 0.0, 0.3, level);
                found += usize::from(verdict == Verdict::Fails);
            }
            assert_rate(found, 3000, 0.9);
        }
    }

    #[test]
    fn noncentral_chi_square() {
        // One degree: |Z + m| > z, so noncentrality m^2 with m the detectable shift (both sides counted: 1e-9 apart).
        let shift = detectable_shift(1.0, 1e-6, POWER);
        let lambda = detectable_noncentrality(1.0, 1e-6, POWER);
        assert!((lambda.sqrt() / shift - 1.0).abs() < 1e-6, "{lambda} {shift}");
        // Printed tables: level 0.05, power 0.9, 10 degrees.
        assert!((detectable_noncentrality(10.0, 0.05, 0.9) - 20.53).abs() < 0.01);
        // Mean and tail of the law itself, by simulation.
        let (mut stream, mut hits) = (Stream(6), 0);
        for _ in 0..4000 {
            let x: f64 = (0..5).map(|k| (stream.normal() + if k == 0 { 4.0 } else { 0.0 }).powi(2)).sum();
            hits += usize::from(x >= 15.0);
        }
        assert_rate(hits, 4000, noncentral_upper(15.0, 5.0, 16.0));
    }

    #[test]
    fn binomial_increase_is_found_with_the_stated_power() {
        let (trials, p, level) = (2000, 0.1, 1e-4);
        let increase = detectable_increase(trials, p, level, 0.9);
        let found: f64 = (0..=trials)
            .filter(|&k| binomial::two_sided(k, trials, p) < level)
            .map(|k| binomial::mass(k, trials, p + increase))
            .sum();
        assert!((found - 0.9).abs() < 1e-9, "{found}");
        let sd = (p * (1.0 - p) / trials as f64).sqrt();
        assert!((increase / rule_of_thumb(sd, level, 0.9) - 1.0).abs() < 0.15);
        // Nothing rejects: three trials cannot reach 1e-4 from 0.5.
        assert_eq!(detectable_increase(3, 0.5, 1e-4, 0.9), 0.5);
    }

    #[test]
    fn the_shift_by_ranks_is_found_with_the_stated_power() {
        let mut stream = Stream(9);
        for (m, n, level) in [(8, 8, 0.05), (16, 16, 1e-4), (20, 10, 0.01)] {
            let shift = detectable_shift_by_ranks(m, n, level, 0.9);
            let found = (0..2000).filter(|_| {
                let x: Vec<f64> = (0..m).map(|_| stream.normal()).collect();
                let y: Vec<f64> = (0..n).map(|_| shift + stream.normal()).collect();
                rank_sum(&x, &y).is_some_and(|test| test.two_sided() < level)
            });
            let power = found.count() as f64 / 2000.0;
            // 0.02 as documented, and three standard errors of the simulation.
            assert!((power - 0.9).abs() < 0.02 + 3.0 * 0.0067, "{m} {n} {level}: {power}");
        }
        // The t test needs sqrt(3 / pi) = 0.977 of it, in the limit of many values.
        let many = detectable_shift_by_ranks(400, 400, 0.05, 0.9);
        let t = rule_of_thumb((2.0f64 / 400.0).sqrt(), 0.05, 0.9);
        assert!((t / many - (3.0 / core::f64::consts::PI).sqrt()).abs() < 0.01, "{many} {t}");
        // Separate samples of three have probability 1/20 each way.
        assert_eq!(detectable_shift_by_ranks(3, 3, 0.1, 0.9), f64::INFINITY);
        assert!(detectable_shift_by_ranks(3, 3, 0.11, 0.9).is_finite());
        assert!(detectable_shift_by_ranks(3, 0, 0.1, 0.9).is_nan());
    }
}
