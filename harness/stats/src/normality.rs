//! Tests of a whole law: normal, uniform, or no smaller than uniform (for p-values).
//!
//! The statistic of Anderson and Darling, A2 = -n - (1/n) sum_i (2i - 1) [ln u_(i) + ln(1 - u_(n+1-i))] for u = F(x)
//! sorted, weighs the tails of the law. Its null law for a given F is Smirnov's integral for a sum of chi-squares with
//! weights 1 / (j (j + 1)), corrected for n after Marsaglia and Marsaglia ("Evaluating the Anderson-Darling
//! distribution", 2004). Their closed form of the limit is not used: beyond A2 = 10 its tail falls too fast (p too
//! small by 200 times at 1e-8).

use super::binomial;
use super::interval::Sample;
use super::tails::normal_upper;
use core::f64::consts::PI;

/// The p-value of "the values are independent standard normal" (Anderson-Darling).
///
/// Accuracy as [`uniform`]. `None` for no values, or NaN.
pub fn standard_normal(values: &[f64]) -> Option<f64> {
    given(values, |z| (normal_upper(-z), normal_upper(z)))
}

/// The p-value of "the values are independent and uniform on \[0, 1\]" (Anderson-Darling).
///
/// From 8 values on right within 1 % for p above 0.01, 10 % down to 1e-3; further out too small by at most 3 times. A
/// value of exactly 0 or 1, or outside, gives 0: p-values of discrete tests, which reach 1, are for [`superuniform`].
/// `None` for no values, or NaN.
pub fn uniform(values: &[f64]) -> Option<f64> {
    given(values, |u| (u.clamp(0.0, 1.0), (1.0 - u).clamp(0.0, 1.0)))
}

/// The p-value of "P(value <= a) <= a for every a", which holds for valid p-values, conservative ones included.
///
/// One-sided Kolmogorov-Smirnov: the greatest excess of the empirical distribution over a; exact for uniform values by
/// the formula of Birnbaum and Tingey (1951), conservative for others. Relative error 1e-12. `None` for no values, or
/// NaN.
pub fn superuniform(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values)?;
    let n = sorted.len() as f64;
    let excess = sorted.iter().zip(1u32..).map(|(u, i)| f64::from(i) / n - u).fold(f64::NEG_INFINITY, f64::max);
    Some(excess_tail(sorted.len() as u64, excess))
}

/// P(sup (F_n(a) - a) >= d) = d sum_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j), over j with 1 - d - j/n > 0: no term
/// is negative.
fn excess_tail(n: u64, d: f64) -> f64 {
    if d <= 0.0 {
        return 1.0;
    }
    let at = |j: u64| d + j as f64 / n as f64;
    let term = |j: u64| binomial::mass(j, n, at(j)) / at(j);
    let sum: f64 = (0..n).take_while(|&j| at(j) < 1.0).map(term).sum();
    (d * sum).min(1.0)
}

/// The p-value of "the values are independent and normal, of whatever mean and variance" (Anderson-Darling, both
/// estimated).
///
/// The approximation of D'Agostino and Stephens ("Goodness-of-fit techniques", 1986, the chapter on EDF tests) in
/// A2 (1 + 0.75 / n + 2.25 / n^2). Against simulation, from 20 values on, within 3 % for p in [1e-3, 0.5] and 20 % at
/// 1e-4; with 8 within 10 % for p above 0.01, conservative beyond. `None` for fewer than eight values, no spread, or a
/// value that is not finite.
pub fn normal(values: &[f64]) -> Option<f64> {
    let sample = Sample::of(values);
    if values.len() < 8 || !(sample.sd > 0.0 && sample.sd.is_finite()) {
        return None;
    }
    let standard = |v: f64| (v - sample.mean) / sample.sd;
    let n = values.len() as f64;
    let a = statistic(values, |v| (normal_upper(-standard(v)), normal_upper(standard(v))))?;
    Some(estimated_tail(a * (1.0 + 0.75 / n + 2.25 / (n * n))))
}

/// P(A2 >= a) with mean and variance estimated, n -> infinity.
fn estimated_tail(a: f64) -> f64 {
    // The first parabola turns at 153.
    let a = a.min(150.0);
    if a >= 0.6 {
        (1.2937 - 5.709 * a + 0.0186 * a * a).exp()
    } else if a >= 0.34 {
        (0.9177 - 4.279 * a - 1.38 * a * a).exp()
    } else if a >= 0.2 {
        -(-8.318 + 42.796 * a - 59.938 * a * a).exp_m1()
    } else {
        -(-13.436 + 101.14 * a - 223.73 * a * a).exp_m1()
    }
}

/// The p-value under a law given as v -> (F(v), 1 - F(v)).
fn given(values: &[f64], law: impl Fn(f64) -> (f64, f64)) -> Option<f64> {
    Some(corrected(limit_tail(statistic(values, law)?), values.len() as f64))
}

/// A2. The law gives both F and 1 - F, so that neither loses its digits.
fn statistic(values: &[f64], law: impl Fn(f64) -> (f64, f64)) -> Option<f64> {
    let pairs: Vec<_> = sorted(values)?.into_iter().map(law).collect();
    let logs = pairs.iter().zip(pairs.iter().rev()).map(|(small, large)| small.0.ln() + large.1.ln());
    let sum: f64 = logs.zip(0u32..).map(|(log, i)| (2.0 * f64::from(i) + 1.0) * log).sum();
    let n = pairs.len() as f64;
    Some(-n - sum / n)
}

/// `None` if there is nothing, or a NaN.
fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || values.iter().any(|v| v.is_nan()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(sorted)
}

/// P(A2 >= z) for n -> infinity: with D(s) = prod_j (1 - 2s / (j (j + 1))) = -cos(pi/2 sqrt(1 + 8s)) / (2 pi s),
///
/// ```text
/// (1/pi) sum_{k odd} (-1)^((k-1)/2) ∫ e^(-sz) |D(s)|^(-1/2) ds / s,    s from k (k + 1) / 2 to (k + 1) (k + 2) / 2.
/// ```
///
/// D vanishes at both ends, so Gauss-Chebyshev quadrature fits. Relative error 1e-10 for z >= 0.5, up to 25; absolute
/// 1e-9 below.
fn limit_tail(z: f64) -> f64 {
    // P(A2 < 0.05) is below 2e-10.
    if z < 0.05 {
        return 1.0;
    }
    const NODES: u32 = 32;
    let (mut sum, mut sign) = (0.0, 1.0);
    for k in (1u32..60).step_by(2).map(f64::from) {
        let (low, high) = (0.5 * k * (k + 1.0), 0.5 * (k + 1.0) * (k + 2.0));
        let part: f64 = (0..NODES)
            .map(|i| {
                let cos = (PI * (f64::from(i) + 0.5) / f64::from(NODES)).cos();
                let s = 0.5 * (low + high) + 0.5 * (high - low) * cos;
                let d = (0.5 * PI * (1.0 + 8.0 * s).sqrt()).cos().abs() / (2.0 * PI * s);
                (-s * z).exp() / s * ((s - low) * (high - s) / d).sqrt()
            })
            .sum();
        sum += sign * part / f64::from(NODES);
        sign = -sign;
        if part < 1e-16 * sum {
            break;
        }
    }
    sum.clamp(0.0, 1.0)
}

/// The tail for n values, from that of the limit: Marsaglia and Marsaglia's correction, up to the share 0.99 where it
/// was fitted.
///
/// In the tail beyond, their polynomial ends at -6e-4 / n where it should vanish; the ratio that it has at 0.99 is kept
/// instead.
fn corrected(tail: f64, n: f64) -> f64 {
    const LAST: f64 = 0.01;
    if tail < LAST {
        return tail * (1.0 - middle(1.0 - LAST, n) / LAST);
    }
    (tail - middle(1.0 - tail, n)).clamp(0.0, 1.0)
}

/// What n adds to the distribution function where the limit's is x.
fn middle(x: f64, n: f64) -> f64 {
    let polynomial = |v: f64, from_the_last: [f64; 6]| from_the_last.iter().fold(0.0, |sum, c| sum * v + c);
    if x > 0.8 {
        return polynomial(x, [255.7844, -1116.360, 1950.646, -1705.091, 745.2337, -130.2137]) / n;
    }
    let cut = 0.01265 + 0.1757 / n;
    if x < cut {
        let v = x / cut;
        return (0.0037 / (n * n) + 0.00078 / n + 0.00006) / n * v.sqrt() * (1.0 - v) * (49.0 * v - 102.0);
    }
    let v = (x - cut) / (0.8 - cut);
    (0.04213 + 0.01365 / n) / n * polynomial(v, [1.91864, -8.259, 14.458, -14.6538, 6.54034, -0.00022633])
}

#[cfg(test)]
mod tests {
    use super::super::simulate::{Stream, assert_rate};
    use super::super::tails::normal_quantile;
    use super::*;

    /// How many of `trials` samples of `n` have a p-value below each level.
    fn alarms(
        test: fn(&[f64]) -> Option<f64>,
        (trials, n): (usize, usize),
        levels: [f64; 2],
        mut draw: impl FnMut() -> f64,
    ) -> [usize; 2] {
        let mut hits = [0; 2];
        for _ in 0..trials {
            let p = test(&(0..n).map(|_| draw()).collect::<Vec<_>>()).unwrap();
            hits.iter_mut().zip(levels).for_each(|(hit, level)| *hit += usize::from(p < level));
        }
        hits
    }

    fn exponential(stream: &mut Stream) -> f64 {
        -stream.uniform().ln()
    }

    /// Student's t with five degrees of freedom.
    fn heavy(stream: &mut Stream) -> f64 {
        let squares: f64 = (0..5).map(|_| stream.normal().powi(2)).sum();
        stream.normal() / (squares / 5.0).sqrt()
    }

    #[test]
    fn the_limit_law_against_reference_and_printed_tables() {
        // Smirnov's integral with mpmath, 30 digits, 200 nodes.
        for (z, exact) in [
            (0.5, 0.746_814_373_530_344_5),
            (1.0, 0.357_266_673_214_019_1),
            (6.0, 9.674_519_415_209_229e-4),
            (10.0, 1.381_503_541_068_640_7e-5),
            (17.0, 9.714_695_572_283_768e-9),
            (25.0, 2.695_138_623_922_304e-12),
        ] {
            assert!((limit_tail(z) / exact - 1.0).abs() < 1e-10, "{z}: {:e}", limit_tail(z));
        }
        for (z, below) in [(0.05, 1.731_492e-10), (0.1, 2.807_810_5e-5), (0.3, 0.061_842_363_94)] {
            assert!((1.0 - limit_tail(z) - below).abs() < 1e-9, "{z}");
        }
        assert_eq!((limit_tail(0.01), limit_tail(f64::INFINITY)), (1.0, 0.0));
        // Stephens' table for a law fully specified: 10, 5, 2.5, 1 %.
        for (z, level) in [(1.933, 0.1), (2.492, 0.05), (3.070, 0.025), (3.857, 0.01)] {
            assert!((limit_tail(z) / level - 1.0).abs() < 0.03, "{z}");
        }
    }

    #[test]
    fn the_statistic_by_hand() {
        // One value: -1 - ln u - ln(1 - u). Two: -2 - (ln u1 + ln(1-u2) + 3 ln u2 + 3 ln(1-u1)) / 2.
        let law = |u: f64| (u, 1.0 - u);
        assert!((statistic(&[0.3], law).unwrap() - (-1.0 - 0.21f64.ln())).abs() < 1e-15);
        let two = -2.0 - 0.5 * (0.04f64.ln() + 3.0 * 0.64f64.ln());
        assert!((statistic(&[0.8, 0.2], law).unwrap() - two).abs() < 1e-14);
        // The normal law at its quantiles is the uniform law.
        let u = [0.9, 0.001, 0.5, 0.4, 0.77];
        let z = u.map(|u| -normal_quantile(u));
        assert!((standard_normal(&z).unwrap() - uniform(&u).unwrap()).abs() < 1e-12);
        // Far out on both sides: finite, and 0 only where the law is.
        assert!(standard_normal(&[-12.0, 0.0, 12.0]).unwrap() > 0.0);
        assert_eq!(
            (uniform(&[0.0, 0.5]), uniform(&[0.5, 1.0]), uniform(&[0.5, -0.1])),
            (Some(0.0), Some(0.0), Some(0.0))
        );
        assert_eq!(standard_normal(&[f64::INFINITY, 0.0]), Some(0.0));
    }

    #[test]
    fn nothing_is_tested_on_no_numbers() {
        for test in [standard_normal, uniform, superuniform, normal] {
            assert_eq!((test(&[]), test(&[0.5, f64::NAN])), (None, None));
        }
        assert_eq!(normal(&[1.0; 20]), None);
        assert_eq!(normal(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), None);
        assert_eq!(normal(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, f64::INFINITY]), None);
    }

    #[test]
    fn a_given_law_is_rejected_at_its_level() {
        let mut stream = Stream(31);
        for (n, trials) in [(8, 20_000), (60, 10_000)] {
            let [five, one] = alarms(uniform, (trials, n), [0.05, 0.01], || stream.uniform());
            assert_rate(five, trials, 0.05);
            assert_rate(one, trials, 0.01);
        }
        let [five, one] = alarms(standard_normal, (8000, 30), [0.05, 0.01], || stream.normal());
        assert_rate(five, 8000, 0.05);
        assert_rate(one, 8000, 0.01);
        // Far out, where the correction is extrapolated.
        let [thousandth, half] = alarms(uniform, (60_000, 8), [1e-3, 0.5], || stream.uniform());
        assert_rate(thousandth, 60_000, 1e-3);
        assert_rate(half, 60_000, 0.5);
    }

    #[test]
    fn a_given_law_is_found_shifted_or_heavy() {
        let mut stream = Stream(32);
        // The z test of a shift by 0.5 at n = 40 has z = 3.16 and power 0.885 at 5 %; A2 is nearly as good.
        let [shifted, _] = alarms(standard_normal, (1000, 40), [0.05, 0.01], || 0.5 + stream.normal());
        assert!((820..=885).contains(&shifted), "{shifted}");
        // Variance 5/3.
        let [heavy, _] = alarms(standard_normal, (1000, 100), [0.05, 0.01], || heavy(&mut stream));
        assert!(heavy > 300, "{heavy}");
        // p-values that are too small one time in five: uniform to the power 1.25.
        let [small, _] = alarms(uniform, (500, 300), [0.05, 0.01], || stream.uniform().powf(1.25));
        assert!(small > 450, "{small}");
    }

    #[test]
    fn normality_of_unknown_mean_and_variance() {
        let mut stream = Stream(33);
        for n in [20, 100] {
            let [five, one] = alarms(normal, (8000, n), [0.05, 0.01], || 3.0 + 0.1 * stream.normal());
            assert_rate(five, 8000, 0.05);
            assert_rate(one, 8000, 0.01);
        }
        let [half, quarter] = alarms(normal, (8000, 50), [0.5, 0.25], || stream.normal());
        assert_rate(half, 8000, 0.5);
        assert_rate(quarter, 8000, 0.25);
        let [skewed, strict] = alarms(normal, (500, 40), [0.05, 1e-3], || exponential(&mut stream));
        assert!(skewed > 485 && strict > 400, "{skewed} {strict}");
        let [found, _] = alarms(normal, (500, 100), [0.05, 0.01], || heavy(&mut stream));
        assert!((200..350).contains(&found), "{found}");
        // The four branches meet: no step larger than 3 %.
        for a in [0.2, 0.34, 0.6] {
            assert!((estimated_tail(a - 1e-9) / estimated_tail(a + 1e-9) - 1.0).abs() < 0.03, "{a}");
        }
    }

    #[test]
    fn the_one_sided_supremum_is_exact() {
        // One value: P(1 - u >= d) = 1 - d. Two: (1-d)^2 + 2 d (d + 1/2)^0 (1/2 - d) for d <= 1/2.
        assert!((excess_tail(1, 0.3) - 0.7).abs() < 1e-14);
        assert!((excess_tail(2, 0.3) - (0.49 + 0.6 * 0.2)).abs() < 1e-14);
        assert_eq!((excess_tail(5, 0.0), excess_tail(5, 1.0)), (1.0, 0.0));
        // Printed tables (Smirnov; Miller 1956), one-sided 5 %: n = 10: 0.36866, n = 40: 0.18913.
        assert!((excess_tail(10, 0.368_66) - 0.05).abs() < 1e-5);
        assert!((excess_tail(40, 0.189_13) - 0.05).abs() < 1e-5);
        let mut stream = Stream(34);
        let [five, one] = alarms(superuniform, (8000, 25), [0.05, 0.01], || stream.uniform());
        assert_rate(five, 8000, 0.05);
        assert_rate(one, 8000, 0.01);
        // Conservative p-values pass, small ones do not.
        let [passed, _] = alarms(superuniform, (1000, 50), [0.05, 0.01], || (1.3 * stream.uniform()).min(1.0));
        assert!(passed < 10, "{passed}");
        let [found, _] = alarms(superuniform, (500, 100), [0.05, 0.01], || stream.uniform().powf(1.5));
        assert!(found > 450, "{found}");
        assert_eq!(superuniform(&[1.0; 30]), Some(1.0));
    }
}
