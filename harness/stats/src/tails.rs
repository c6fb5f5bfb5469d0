//! Tail probabilities and quantiles of the normal, Student's t and chi-square laws.
//!
//! All tails are computed as such, never as 1 minus the rest, so that they keep their relative accuracy far out.

use super::binomial::deviance;
use core::f64::consts::SQRT_2;
use statrs::function::{beta::beta_reg, erf::erfc_inv, gamma::gamma_ur};

/// P(Z >= z) for a standard normal Z. Relative error below 1e-12 for |z| <= 37.
pub fn normal_upper(z: f64) -> f64 {
    let one_sided = 0.5 * z_two_sided(z);
    if z < 0.0 { 1.0 - one_sided } else { one_sided }
}

/// P(|Z| >= |z|), as the tail of chi-square with one degree of freedom: `erfc` of statrs 0.19.1 is wrong by 4e-11 at z
/// = 1.96.
pub fn z_two_sided(z: f64) -> f64 {
    chi_square_upper(z * z, 1.0)
}

/// The z with P(Z >= z) = `upper`, for `upper` in (0, 1); NaN stays NaN.
///
/// statrs's inverse of `erfc` (its `erfc` is not used: see [`z_two_sided`]). Error below 2 epsilons of 1 + |z|, down to
/// 1e-300.
pub fn normal_quantile(upper: f64) -> f64 {
    SQRT_2 * erfc_inv(2.0 * upper)
}

/// P(T >= t) for Student's t with `dof` > 0 degrees of freedom; `dof` infinite is the normal law.
///
/// Relative error below 1e-9 for `dof` up to 1e5 and p down to 1e-100; above that the normal law with the first
/// term of its expansion in 1/dof takes over (relative error below t^8 / (32 dof^2)).
pub fn t_upper(t: f64, dof: f64) -> f64 {
    if t < 0.0 {
        return 1.0 - t_upper(-t, dof);
    }
    if dof > LARGE_DOF {
        let density = (-0.5 * t * t).exp() / core::f64::consts::TAU.sqrt();
        return normal_upper(t) + density * (t * t * t + t) / (4.0 * dof);
    }
    0.5 * beta_reg(0.5 * dof, 0.5, dof / (dof + t * t))
}

/// Beyond, ln_gamma(a + 1/2) - ln_gamma(a) inside the incomplete beta function loses more than nine digits.
const LARGE_DOF: f64 = 1e5;

/// P(|T| >= |t|).
pub fn t_two_sided(t: f64, dof: f64) -> f64 {
    2.0 * t_upper(t.abs(), dof)
}

/// The t with P(T >= t) = `upper`, for `upper` in (0, 1). NaN for degrees of freedom that are not above 0.
pub fn t_quantile(upper: f64, dof: f64) -> f64 {
    if dof.is_nan() || dof <= 0.0 {
        return f64::NAN;
    }
    invert(upper, |t| t_upper(t, dof))
}

/// Solves tail(x) = `upper` for a law symmetric about 0, by bisection to the last bit or so.
fn invert(upper: f64, tail: impl Fn(f64) -> f64) -> f64 {
    if upper > 0.5 {
        return -invert(1.0 - upper, tail);
    }
    let (mut low, mut high) = (0.0, 1.0);
    while tail(high) > upper && high < 1e300 {
        (low, high) = (high, 2.0 * high);
    }
    // 60 halvings of an interval no wider than its upper end.
    for _ in 0..60 {
        let mid = 0.5 * (low + high);
        if tail(mid) > upper {
            low = mid;
        } else {
            high = mid;
        }
    }
    0.5 * (low + high)
}

/// P(X >= x) for chi-square with `dof` degrees of freedom.
pub fn chi_square_upper(x: f64, dof: f64) -> f64 {
    if x <= 0.0 {
        1.0
    } else if x == f64::INFINITY {
        0.0
    } else {
        gamma_ur(0.5 * dof, 0.5 * x)
    }
}

/// The p-value of goodness of fit of counts to cell probabilities (which sum to 1).
///
/// The larger of two p-values by the chi-square law: of Pearson's statistic X2 = sum (o - e)^2 / e, and of the
/// likelihood ratio G2 = 2 sum o ln(o / e). They agree to first order. Far out the true tail follows G2, and Pearson's
/// p would be too small by exp((X2 - G2) / 2) where a cell is too full: 1.5 times at p = 1e-8 and e = 1e4. At small e
/// it is G2 that is too large. Against the exact binomial (two cells), down to p = 1e-8 with 1e4 expected: too small by
/// at most 3 %, too large by at most 1.3 times; with 100 expected, down to 1e-6, too small by at most 1.2 times, too
/// large by 3.
///
/// Cells of probability 0 give p = 0 if anything fell into them and count for no degree of freedom. One cell left: p =
/// 1.
pub fn goodness_of_fit(observed: &[u64], probability: &[f64]) -> f64 {
    goodness_of_fits([(observed, probability)])
}

/// The same of several independent samples, each with its own cell probabilities: statistics and degrees of freedom are
/// added.
pub fn goodness_of_fits<'a>(samples: impl IntoIterator<Item = (&'a [u64], &'a [f64])>) -> f64 {
    let (mut pearson, mut ratio, mut dof) = (0.0, 0.0, 0);
    for (observed, probability) in samples {
        let total: u64 = observed.iter().sum();
        let mut cells = 0u32;
        for (&count, &p) in observed.iter().zip(probability) {
            let count = count as f64;
            if p > 0.0 && total > 0 {
                let expected = p * total as f64;
                pearson += (count - expected).powi(2) / expected;
                ratio += 2.0 * if count > 0.0 { deviance(count, expected) } else { expected };
                cells += 1;
            } else if count > 0.0 {
                return 0.0;
            }
        }
        dof += cells.saturating_sub(1);
    }
    if dof == 0 { 1.0 } else { chi_square_upper(pearson.min(ratio), f64::from(dof)) }
}

#[cfg(test)]
mod tests {
    use super::super::binomial;
    use super::super::simulate::{Stream, assert_rate};
    use super::*;

    fn assert_relative(value: f64, exact: f64, tolerance: f64) {
        assert!((value / exact - 1.0).abs() < tolerance, "{value:e} {exact:e}");
    }

    #[test]
    fn no_degrees_of_freedom_have_no_quantile() {
        assert!([0.0, -1.0, f64::NAN].iter().all(|dof| t_quantile(1e-9, *dof).is_nan()));
    }

    /// Reference values in this module: 40-digit arithmetic with mpmath (erfc, betainc, gammainc).
    #[test]
    fn normal_tails() {
        for (z, exact) in [
            (0.01, 0.992_021_287_370_736_8),
            (1.96, 0.049_995_790_296_440_87),
            (5.5, 3.797_912_493_177_543_9e-8),
            (7.0, 2.559_625_087_771_67e-12),
            (10.0, 1.523_970_604_832_105e-23),
            (20.0, 5.507_248_237_212_467_4e-89),
            (37.0, 1.145_114_244_504_915_4e-299),
        ] {
            assert_relative(z_two_sided(z), exact, 1e-12);
            assert_relative(z_two_sided(-z), exact, 1e-12);
        }
    }

    #[test]
    fn t_tails() {
        for (t, dof, exact) in [
            (2.0, 1.0, 0.295_167_235_300_866_5),
            (10.0, 3.0, 0.002_128_399_058_414_150_1),
            (7.0, 15.0, 4.280_115_581_127_82e-6),
            (25.0, 39.0, 1.287_039_357_465_489_5e-25),
            (8.0, 199.0, 1.006_146_005_877_696_8e-13),
            (7.5, 399.0, 4.179_279_391_580_389_5e-13),
            (6.0, 3999.0, 2.148_159_123_800_084_8e-9),
            (0.5, 10.0, 0.627_893_605_742_973),
            (0.01, 39.0, 0.992_072_267_209_623_8),
            (5.5, 99_999.0, 3.807_177_291_727_501e-8),
            (1e4, 2.5, 1.438_679_403_198_442_3e-10),
        ] {
            assert_relative(t_two_sided(t, dof), exact, 1e-9);
        }
        // The expansion: t^8 / (32 dof^2) is 1.3e-6 and 2.6e-8.
        assert_relative(t_two_sided(6.0, 2e5), 1.976_549_887_934_805_7e-9, 1.4e-6);
        assert_relative(t_two_sided(5.5, 1e6), 3.798_838_113_818_048e-8, 3e-8);
        assert_eq!(t_two_sided(5.5, f64::INFINITY), z_two_sided(5.5));
        assert_relative(t_upper(-2.0, 1.0), 1.0 - 0.5 * 0.295_167_235_300_866_5, 1e-12);
    }

    #[test]
    fn chi_square_tails() {
        for (x, dof, exact) in [
            (3.84, 1.0, 0.050_043_521_248_705_103),
            (5.0, 10.0, 0.891_178_018_914_151_3),
            (50.0, 10.0, 2.669_083_424_904_495_6e-7),
            (150.0, 63.0, 4.679_451_669_007_508e-9),
            (200.0, 99.0, 8.193_911_891_422_111e-9),
            (120.0, 100.0, 0.084_406_681_093_691_83),
            (400.0, 99.0, 8.372_893_780_664_648e-38),
        ] {
            assert_relative(chi_square_upper(x, dof), exact, 1e-11);
        }
        assert_eq!(chi_square_upper(0.0, 3.0), 1.0);
        assert_eq!(chi_square_upper(f64::INFINITY, 3.0), 0.0);
    }

    #[test]
    fn quantiles_invert_the_tails() {
        for upper in [0.9, 0.5, 0.025, 1e-3, 1e-8, 1e-12, 1e-30] {
            assert_relative(normal_upper(normal_quantile(upper)), upper, 1e-12);
            for dof in [1.0, 3.0, 39.0, 399.0, 1e6] {
                assert_relative(t_upper(t_quantile(upper, dof), dof), upper, 1e-11);
            }
        }
        // mpmath 1.3, 40 digits, at these doubles
        for (upper, exact) in [
            (0.975, -1.959_963_984_540_053_9),
            (0.5, 0.0),
            (0.499_999_99, 2.506_628_273_311_622_3e-8),
            (0.3, 0.524_400_512_708_040_8),
            (0.025, 1.959_963_984_540_054_2),
            (1e-3, 3.090_232_306_167_813_5),
            (1e-10, 6.361_340_902_404_056),
            (1e-100, 21.273_453_560_965_324),
            (1e-300, 37.047_096_299_361_2),
        ] {
            let error = (normal_quantile(upper) - exact).abs();
            assert!(error <= 2.0 * f64::EPSILON * (1.0 + exact.abs()), "{upper}: {error}");
        }
        assert!(normal_quantile(f64::NAN).is_nan());
        // printed tables: 97.5 % points
        assert!((t_quantile(0.025, 10.0) - 2.228_138_852).abs() < 1e-9);
    }

    #[test]
    fn goodness_of_fit_by_hand_and_against_the_binomial() {
        // (60, 40) against halves: statistic 4.
        assert_relative(goodness_of_fit(&[60, 40], &[0.5, 0.5]), z_two_sided(2.0), 1e-12);
        assert_eq!(goodness_of_fit(&[60, 40, 1], &[0.5, 0.5, 0.0]), 0.0);
        assert_relative(goodness_of_fit(&[60, 40, 0], &[0.5, 0.5, 0.0]), z_two_sided(2.0), 1e-12);
        assert_eq!(goodness_of_fit(&[7], &[1.0]), 1.0);
        assert_eq!(goodness_of_fit(&[0, 0], &[0.5, 0.5]), 1.0);
        // Two cells, 1e4 and 100 expected in the smaller: the documented accuracy.
        for (k, total, small, large) in [
            (10_560, 100_000, 1.03, 1.3),
            (9_465, 100_000, 1.03, 1.3),
            (10_314, 100_000, 1.03, 1.05),
            (9_690, 100_000, 1.03, 1.05),
            (150, 1000, 1.2, 3.0),
            (60, 1000, 1.2, 3.0),
        ] {
            let chi = goodness_of_fit(&[k, total - k], &[0.1, 0.9]);
            let exact = binomial::two_sided(k, total, 0.1);
            assert!(chi < large * exact && exact < small * chi, "{k}: {chi:e} {exact:e}");
        }
        // An empty cell: G2 = 2 * 10 ln 2, and X2 = 10 is the smaller.
        assert_relative(goodness_of_fit(&[0, 10], &[0.5, 0.5]), chi_square_upper(10.0, 1.0), 1e-12);
    }

    #[test]
    fn goodness_of_fit_has_its_size_and_finds_a_shifted_cell() {
        let mut stream = Stream(1);
        let fair = [0.1; 10];
        let mut skewed = fair;
        (skewed[0], skewed[1]) = (0.13, 0.07);
        for (law, power) in [(fair, false), (skewed, true)] {
            let mut hits = 0;
            for _ in 0..2000 {
                let mut counts = [0u64; 10];
                for _ in 0..1000 {
                    let u = stream.uniform();
                    let mut below = 0.0;
                    let cell = law.iter().position(|p| {
                        below += p;
                        u < below
                    });
                    counts[cell.unwrap_or(9)] += 1;
                }
                hits += usize::from(goodness_of_fit(&counts, &fair) < 0.05);
            }
            if power {
                // Noncentrality 1000 * 2 * 0.03^2 / 0.1 = 18: power 0.84 at 9 degrees of freedom.
                assert_rate(hits, 2000, 0.84);
            } else {
                assert_rate(hits, 2000, 0.05);
            }
        }
    }
}
