//! The binomial law, exactly: mass by Loader's saddle-point expansion, tails by summation.
//!
//! C. Loader, "Fast and accurate computation of binomial probabilities" (2000). The usual log-gamma formula loses
//! log10(n ln n) digits; this one keeps all but two or three.

use core::f64::consts::TAU;

/// P(X = k) for X ~ Binomial(n, p). Relative error about 1e-14 for p in [1e-15, 1 - 1e-15], n up to 1e9.
pub fn mass(k: u64, n: u64, p: f64) -> f64 {
    if k > n {
        return 0.0;
    }
    if p <= 0.0 || p >= 1.0 {
        let certain = if p <= 0.0 { 0 } else { n };
        return if k == certain { 1.0 } else { 0.0 };
    }
    let (x, y, m) = (k as f64, (n - k) as f64, n as f64);
    if k == 0 {
        return (m * (-p).ln_1p()).exp();
    }
    if k == n {
        return (m * p.ln()).exp();
    }
    let exponent =
        stirling_error(n) - stirling_error(k) - stirling_error(n - k) - deviance(x, m * p) - deviance(y, m * (1.0 - p));
    exponent.exp() * (m / (TAU * x * y)).sqrt()
}

/// P(X >= k). Relative error about 1e-13 in the tail proper (k above the mean). Cost O(sqrt n).
pub fn upper(k: u64, n: u64, p: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if (k as f64) <= n as f64 * p {
        return 1.0 - lower(k - 1, n, p);
    }
    if k > n {
        return 0.0;
    }
    // Above the mean the mass falls: stop when what is left cannot be seen.
    let odds = p / (1.0 - p);
    let (mut term, mut sum) = (mass(k, n, p), 0.0);
    for j in k..=n {
        sum += term;
        if term <= 1e-18 * sum {
            break;
        }
        term *= odds * (n - j) as f64 / (j + 1) as f64;
    }
    sum
}

/// P(X <= k), like [`upper`] (accurate below the mean).
pub fn lower(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    if (k as f64) >= n as f64 * p {
        return 1.0 - upper(k + 1, n, p);
    }
    let odds = (1.0 - p) / p;
    let (mut term, mut sum) = (mass(k, n, p), 0.0);
    for j in (0..=k).rev() {
        sum += term;
        if term <= 1e-18 * sum {
            break;
        }
        term *= odds * j as f64 / (n - j + 1) as f64;
    }
    sum
}

/// The exact two-sided p-value of `k` successes in `n` trials: twice the smaller tail, at most 1.
///
/// Conservative: under the null P(p-value <= a) <= a for every a. How far depends on the mass near the critical count:
/// at mean 5 the size at level 0.05 is about half of it, at mean 100 nine tenths.
pub fn two_sided(k: u64, n: u64, p: f64) -> f64 {
    (2.0 * upper(k, n, p).min(lower(k, n, p))).min(1.0)
}

/// ln n! minus Stirling's formula ln(sqrt(2 pi n) (n/e)^n), n >= 1.
fn stirling_error(n: u64) -> f64 {
    let x = n as f64;
    if n <= 15 {
        // 15! < 2^53: exact, and the subtraction loses at most 1e-15 absolute.
        let factorial: u64 = (1..=n).product();
        return (factorial as f64).ln() - (0.5 * (TAU * x).ln() + x * x.ln() - x);
    }
    // Stirling's series; the first term left out is 691/360360 n^-11 = 1e-16 at n = 16.
    let z = 1.0 / (x * x);
    let tail = 1.0 / 1260.0 - z * (1.0 / 1680.0 - z / 1188.0);
    (1.0 / 12.0 - z * (1.0 / 360.0 - z * tail)) / x
}

/// x ln(x / m) + m - x without cancellation: Loader's bd0.
pub(super) fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut term = 2.0 * x * v;
    // |v| < 0.1: sixteen terms reach 1e-32.
    for j in 1..=16 {
        term *= v * v;
        sum += term / f64::from(2 * j + 1);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::simulate::{Stream, assert_rate};
    use super::*;

    /// Pascal's triangle with probabilities.
    fn recursion(n: usize, p: f64) -> Vec<f64> {
        let mut law = vec![1.0];
        for _ in 0..n {
            let mut next = vec![0.0; law.len() + 1];
            for (k, mass) in law.iter().enumerate() {
                next[k] += mass * (1.0 - p);
                next[k + 1] += mass * p;
            }
            law = next;
        }
        law
    }

    #[test]
    fn mass_and_tails_against_the_recursion() {
        for (n, p) in [(1, 0.3), (7, 0.5), (40, 0.02), (200, 0.9), (60, 1e-6)] {
            let law = recursion(n, p);
            // Below 1e-290 products are no longer accurate.
            for k in (0..=n).filter(|&k| law[k] > 1e-290) {
                let at = (k as u64, n as u64, p);
                assert!((mass(at.0, at.1, p) / law[k] - 1.0).abs() < 1e-12, "{at:?}");
                let above: f64 = law[k..].iter().rev().sum();
                let below: f64 = law[..=k].iter().sum();
                assert!((upper(at.0, at.1, p) - above).abs() < 1e-12 * above.max(1e-3), "{at:?}");
                assert!((lower(at.0, at.1, p) - below).abs() < 1e-12 * below.max(1e-3), "{at:?}");
                if k as f64 > n as f64 * p {
                    assert!((upper(at.0, at.1, p) / above - 1.0).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn edges() {
        assert_eq!(mass(0, 5, 0.0), 1.0);
        assert_eq!(mass(5, 5, 1.0), 1.0);
        assert_eq!(mass(6, 5, 0.5), 0.0);
        assert_eq!((upper(0, 5, 0.2), upper(6, 5, 0.2), lower(5, 5, 0.2)), (1.0, 0.0, 1.0));
        assert_eq!((two_sided(0, 5, 0.0), two_sided(1, 5, 0.0)), (1.0, 0.0));
        assert_eq!((two_sided(5, 5, 1.0), two_sided(4, 5, 1.0)), (1.0, 0.0));
        assert_eq!(two_sided(0, 0, 0.5), 1.0);
    }

    #[test]
    fn known_values() {
        // 8 heads of 10: 2 (45 + 10 + 1) / 1024.
        assert!((two_sided(8, 10, 0.5) - 112.0 / 1024.0).abs() < 1e-15);
        // mpmath, 40 digits.
        assert!((upper(303_000, 1_000_000, 0.3) / REFERENCE_LARGE - 1.0).abs() < 1e-11);
        assert!((upper(30, 2_000_000, 5e-6) / REFERENCE_RARE - 1.0).abs() < 1e-11);
    }

    /// P(X >= 303000), X ~ Binomial(1e6, 0.3).
    const REFERENCE_LARGE: f64 = 3.088_394_644_331_809e-11;
    /// P(X >= 30), X ~ Binomial(2e6, 5e-6).
    const REFERENCE_RARE: f64 = 2.5097073124226004e-7;

    #[test]
    fn the_two_sided_test_keeps_its_level_and_has_power() {
        let mut stream = Stream(2);
        let (mut alarms, mut found) = (0, 0);
        for _ in 0..2000 {
            alarms += usize::from(two_sided(stream.successes(&[0.3; 400]), 400, 0.3) < 0.05);
            found += usize::from(two_sided(stream.successes(&[0.4; 400]), 400, 0.3) < 0.05);
        }
        // Discrete, so below 5 %: exactly the mass of the rejected counts.
        let size: f64 = (0..=400).filter(|&k| two_sided(k, 400, 0.3) < 0.05).map(|k| mass(k, 400, 0.3)).sum();
        assert!(size <= 0.05 && size > 0.035, "{size}");
        assert_rate(alarms, 2000, size);
        let power: f64 = (0..=400).filter(|&k| two_sided(k, 400, 0.3) < 0.05).map(|k| mass(k, 400, 0.4)).sum();
        assert_rate(found, 2000, power);
        // How conservative it is at small counts.
        let size = |n: u64| (0..=n).filter(|&k| two_sided(k, n, 0.01) < 0.05).map(|k| mass(k, n, 0.01)).sum::<f64>();
        assert!(
            (0.015..0.035).contains(&size(500)) && (0.042..0.05).contains(&size(10_000)),
            "{} {}",
            size(500),
            size(10_000)
        );
    }
}
