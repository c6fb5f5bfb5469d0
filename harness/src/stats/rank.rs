//! The rank-sum test of Wilcoxon, Mann and Whitney: does one dynamics tend to end lower than the other?
//!
//! Nothing is assumed of the values but an order: runs that never arrive may be infinite, ties get mid-ranks. Up to 50 + 50 values
//! the law under the null is exact, given the ties: every subset of ranks is as likely as any other of its size. The number
//! of subsets of each size and sum follows by taking the ranks one after the other (Streitberg and Röhmel's shift algorithm).

use super::interval::Sample;
use super::tails::{normal_upper, t_quantile};

/// The test of "x and y have the same law".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankSum {
    /// U = number of pairs with x < y, ties by half.
    pub u: f64,
    /// P(U at least this large): small if y tends to be the larger.
    pub y_larger: f64,
    /// P(U at most this large): small if x tends to be the larger.
    pub x_larger: f64,
    /// Whether these are exact, or by the normal approximation.
    pub exact: bool,
}

impl RankSum {
    /// Twice the smaller tail, at most 1. Conservative, as every discrete test.
    pub fn two_sided(&self) -> f64 {
        (2.0 * self.y_larger.min(self.x_larger)).min(1.0)
    }
}

/// Steps of the exact law beyond which the normal one stands in: values, times the smaller sample, times the sum of all ranks.
/// 50 + 50 values with ties take 5.1e7, about 20 ms.
const EXACT_STEPS: f64 = 5.2e7;

/// The rank-sum test. `None` if a sample is empty or a value is NaN; infinite values count as largest or smallest.
///
/// Exact up to 50 + 50 values, with relative error below 1e-12. Beyond, the normal approximation with the variance corrected for
/// ties and for continuity: at 50 + 50 too large by 2 % at p = 0.01, twice at 1e-6 and 7 times at 1e-9 (conservative).
pub fn rank_sum(x: &[f64], y: &[f64]) -> Option<RankSum> {
    let (ranks, sum) = doubled_ranks(x, y)?;
    let (m, n) = (x.len() as f64, y.len() as f64);
    // The y ranks sum to U + n (n + 1) / 2.
    let u = 0.5 * sum as f64 - 0.5 * n * (n + 1.0);
    let steps = (m + n) * m.min(n) * ranks.iter().sum::<usize>() as f64;
    if steps <= EXACT_STEPS {
        let (y_larger, x_larger) = exact_tails(&ranks, y.len(), sum);
        return Some(RankSum { u, y_larger, x_larger, exact: true });
    }
    let (mean, sd) = (0.5 * m * n, variance(&ranks, m, n).sqrt());
    // Half the least distance between two values of U, towards the mean; no spread at all: p = 1.
    let tail = |beyond: f64| if sd > 0.0 { normal_upper((beyond - 0.5) / sd) } else { 1.0 };
    Some(RankSum { u, y_larger: tail(u - mean), x_larger: tail(mean - u), exact: false })
}

/// Twice the mid-rank of every value, x then y, and their sum over y. `None` as in [`rank_sum`].
fn doubled_ranks(x: &[f64], y: &[f64]) -> Option<(Vec<usize>, usize)> {
    let all: Vec<f64> = x.iter().chain(y).copied().collect();
    if x.is_empty() || y.is_empty() || all.iter().any(|v| v.is_nan()) {
        return None;
    }
    let mut sorted = all.clone();
    sorted.sort_by(f64::total_cmp);
    // Comparison by < makes -0 and 0 tie. Ranks from `below + 1` to `up_to` share their mean.
    let rank = |v: &f64| {
        let below = sorted.partition_point(|s| s < v);
        let up_to = sorted.partition_point(|s| s <= v);
        below + 1 + up_to
    };
    let ranks: Vec<usize> = all.iter().map(rank).collect();
    let sum = ranks[x.len()..].iter().sum();
    Some((ranks, sum))
}

/// Variance of U under the null, given the ties: the mn / (N (N - 1)) part of the squared deviations of the ranks.
fn variance(doubled: &[usize], m: f64, n: f64) -> f64 {
    let mean = m + n + 1.0;
    let squares: f64 = doubled.iter().map(|&r| (0.5 * (r as f64 - mean)).powi(2)).sum();
    m * n * squares / ((m + n) * (m + n - 1.0))
}

/// P(S >= sum) and P(S <= sum) for the sum S of a random subset of `size` of the ranks.
fn exact_tails(ranks: &[usize], size: usize, sum: usize) -> (f64, f64) {
    // The rest of a subset has the rest of the sum: count the smaller of the two.
    if 2 * size > ranks.len() {
        let rest = ranks.iter().sum::<usize>() - sum;
        let (below, above) = exact_tails(ranks, ranks.len() - size, rest);
        return (above, below);
    }
    let law = subset_sums(ranks, size);
    let all: f64 = law.iter().sum();
    let tail = |part: &[f64]| part.iter().sum::<f64>() / all;
    (tail(&law[sum..]), tail(&law[..=sum]))
}

/// Number of subsets of `size` ranks with sum s, for every s. Sums of positive numbers only: relative error (values) 1e-16.
fn subset_sums(ranks: &[usize], size: usize) -> Vec<f64> {
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    let most: usize = sorted.iter().rev().take(size).sum();
    let mut ways = vec![vec![0.0; most + 1]; size + 1];
    ways[0][0] = 1.0;
    // Ascending, so that the sums reached by `taken` ranks stay small: at most `taken` times the largest seen.
    for (seen, &rank) in sorted.iter().enumerate() {
        for taken in (0..size.min(seen + 1)).rev() {
            let (fewer, more) = ways.split_at_mut(taken + 1);
            let reach = (taken * rank).min(most.saturating_sub(rank));
            if rank <= most {
                let into = &mut more[0][rank..=rank + reach];
                into.iter_mut().zip(&fewer[taken][..=reach]).for_each(|(to, from)| *to += from);
            }
        }
    }
    ways.swap_remove(size)
}

/// P(U >= k) for k = 0..=mn + 1, samples of m and n without ties: the law from which critical values are read.
pub(super) fn upper_tails(m: usize, n: usize) -> Vec<f64> {
    let ranks: Vec<usize> = (1..=m + n).collect();
    let law = subset_sums(&ranks, n);
    let all: f64 = law.iter().sum();
    let mut tails: Vec<f64> = vec![0.0];
    for ways in law[n * (n + 1) / 2..].iter().rev() {
        tails.push(tails[tails.len() - 1] + ways / all);
    }
    tails.reverse();
    tails
}

/// The effect P(X < Y) + P(X = Y) / 2: 1/2 if neither tends to be larger, 1 if y always is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Superiority {
    /// U / (mn), unbiased.
    pub estimate: f64,
    /// Its standard error by the placements (Brunner and Munzel; DeLong); 0 if the samples do not overlap.
    pub se: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The effect with an interval of nominal coverage 1 - `level`. `None` if a sample has fewer than two values or one is NaN.
///
/// Unlike the test, it allows the two laws to differ in spread and shape. On the scale of log-odds, with the t quantile of Brunner and
/// Munzel's degrees of freedom ("The nonparametric Behrens-Fisher problem", 2000). Where the samples do not overlap, or are one
/// tie, the variance is 0 and says nothing. Then an exact bound takes over: k = min(m, n) disjoint pairs are independent, so
/// complete separation has probability at most q^k at effect q, and q is at least (level / 2)^(1/k); a tie likewise, by halves.
pub fn superiority(x: &[f64], y: &[f64], level: f64) -> Option<Superiority> {
    if x.len() < 2 || y.len() < 2 || x.iter().chain(y).any(|v| v.is_nan()) {
        return None;
    }
    let (below_x, below_y) = (Sample::of(&placements(x, y)), Sample::of(&placements(y, x)));
    let (estimate, m, n) = (below_y.mean, x.len() as f64, y.len() as f64);
    let (of_x, of_y) = (below_x.standard_error().powi(2), below_y.standard_error().powi(2));
    let se = (of_x + of_y).sqrt();
    let (low, high) = if se > 0.0 {
        let dof = (of_x + of_y).powi(2) / (of_x * of_x / (m - 1.0) + of_y * of_y / (n - 1.0));
        let reach = t_quantile(0.5 * level, dof) * se / (estimate * (1.0 - estimate));
        let odds = (estimate / (1.0 - estimate)).ln();
        let share = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
        (share(odds - reach), share(odds + reach))
    } else {
        let least = (0.5 * level).powf(1.0 / m.min(n));
        (estimate * least, 1.0 - (1.0 - estimate) * least)
    };
    Some(Superiority { estimate, se, low, high })
}

/// For every value of `own`, the share of `others` below it, ties by half.
fn placements(own: &[f64], others: &[f64]) -> Vec<f64> {
    let mut sorted = others.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = |v: &f64| {
        let (below, up_to) = (sorted.partition_point(|s| s < v), sorted.partition_point(|s| s <= v));
        0.5 * (below + up_to) as f64 / others.len() as f64
    };
    own.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::super::power::detectable_shift_by_ranks;
    use super::super::simulate::{Stream, assert_rate};
    use super::*;

    /// P(S >= sum), P(S <= sum) by walking through all subsets.
    fn enumerated(ranks: &[usize], size: usize, sum: usize) -> (f64, f64) {
        let (mut all, mut above, mut below) = (0u32, 0u32, 0u32);
        for subset in (0u32..1 << ranks.len()).filter(|s| s.count_ones() as usize == size) {
            let s: usize = (0..ranks.len()).filter(|i| subset >> i & 1 == 1).map(|i| ranks[i]).sum();
            all += 1;
            above += u32::from(s >= sum);
            below += u32::from(s <= sum);
        }
        (f64::from(above) / f64::from(all), f64::from(below) / f64::from(all))
    }

    fn normals(stream: &mut Stream, count: usize, mean: f64, sd: f64) -> Vec<f64> {
        (0..count).map(|_| mean + sd * stream.normal()).collect()
    }

    #[test]
    fn by_hand() {
        // x = 1, 2, 4 and y = 3, 5, 6: ranks of y 3 + 5 + 6, U = 14 - 6 = 8 of 9; sums of at least 14: {3,5,6}, {4,5,6}.
        let test = rank_sum(&[1.0, 2.0, 4.0], &[5.0, 3.0, 6.0]).unwrap();
        assert_eq!((test.u, test.exact), (8.0, true));
        assert!((test.y_larger - 2.0 / 20.0).abs() < 1e-15 && (test.x_larger - 19.0 / 20.0).abs() < 1e-15);
        assert!((test.two_sided() - 0.2).abs() < 1e-15);
        // Ties: 1, 2 against 2, 3: mid-ranks 1, 2.5, 2.5, 4; y sums to 6.5; pairs with at least that: {2.5, 4} twice.
        let test = rank_sum(&[1.0, 2.0], &[2.0, 3.0]).unwrap();
        assert_eq!(test.u, 3.5);
        assert!((test.y_larger - 2.0 / 6.0).abs() < 1e-15);
        // One tie decides nothing; runs that never arrive are ties at infinity; 0 and -0 are one value.
        assert_eq!(rank_sum(&[7.0; 4], &[7.0; 3]).unwrap().two_sided(), 1.0);
        assert_eq!(rank_sum(&[f64::INFINITY; 3], &[1.0, f64::INFINITY]).unwrap().u, 1.5);
        assert_eq!(rank_sum(&[0.0], &[-0.0]).unwrap().u, 0.5);
        assert_eq!(rank_sum(&[], &[1.0]), None);
        assert_eq!(rank_sum(&[1.0], &[f64::NAN]), None);
    }

    #[test]
    fn tails_against_enumeration() {
        let mut stream = Stream(61);
        for (m, n, values) in [(5, 6, 1e9), (8, 3, 4.0), (2, 9, 3.0), (7, 7, 6.0), (1, 4, 1e9)] {
            let mut draw = |count| (0..count).map(|_| (values * stream.uniform()).floor()).collect::<Vec<f64>>();
            let (x, y) = (draw(m), draw(n));
            let (ranks, sum) = doubled_ranks(&x, &y).unwrap();
            let (above, below) = enumerated(&ranks, n, sum);
            let test = rank_sum(&x, &y).unwrap();
            assert!((test.y_larger - above).abs() < 1e-14 && (test.x_larger - below).abs() < 1e-14, "{x:?} {y:?}");
            // The variance, given the ties, is that of the enumerated law.
            let law = subset_sums(&ranks, n);
            let all: f64 = law.iter().sum();
            let moment =
                |k: i32| law.iter().zip(0u32..).map(|(w, s)| w / all * (0.5 * f64::from(s)).powi(k)).sum::<f64>();
            let exact = moment(2) - moment(1).powi(2);
            assert!((variance(&ranks, m as f64, n as f64) - exact).abs() < 1e-10 * (1.0 + exact));
        }
    }

    #[test]
    fn printed_critical_values() {
        // Mann and Whitney's table, as printed in textbooks: the largest min(U) significant at 5 % two-sided.
        for (m, n, critical) in [(4, 4, 0), (5, 5, 2), (6, 8, 8), (8, 8, 13), (10, 10, 23), (12, 15, 49), (20, 20, 127)]
        {
            let tails = upper_tails(m, n);
            assert!(2.0 * tails[m * n - critical] <= 0.05 && 2.0 * tails[m * n - critical - 1] > 0.05, "{m} {n}");
        }
        // 1 %: 20 and 20.
        let tails = upper_tails(20, 20);
        assert!(2.0 * tails[400 - 105] <= 0.01 && 2.0 * tails[400 - 106] > 0.01);
        // One arrangement of C(100, 50) = 1.0089e29.
        let tails = upper_tails(50, 50);
        assert!((tails[2500] * 1.008_913_445_455_642e29 - 1.0).abs() < 1e-12);
        assert!((tails[0] - 1.0).abs() < 1e-12 && (tails.len(), tails[2501]) == (2502, 0.0));
        assert!((tails[1251] + tails[1250] - 1.0).abs() < 1e-12);
        assert_eq!(upper_tails(3, 7), upper_tails(7, 3));
    }

    #[test]
    fn the_normal_approximation_is_conservative_in_the_tail() {
        let tails = upper_tails(50, 50);
        let sd = (2500.0 * 101.0 / 12.0f64).sqrt();
        for (level, low, high) in [(0.01, 0.98, 1.03), (1e-6, 1.0, 2.1), (1e-9, 1.0, 10.0)] {
            let k = tails.partition_point(|&t| t > level);
            let ratio = normal_upper((k as f64 - 1250.5) / sd) / tails[k];
            assert!((low..high).contains(&ratio), "{level}: {ratio}");
        }
        // And it is what is used for more values.
        let many: Vec<f64> = (0..120).map(f64::from).collect();
        let test = rank_sum(&many[..60], &many[60..]).unwrap();
        assert!(!test.exact && test.u == 3600.0);
        let z = (1800.0 - 0.5) / (3600.0 * 121.0 / 12.0f64).sqrt();
        assert!((test.y_larger / normal_upper(z) - 1.0).abs() < 1e-12 && test.x_larger > 0.999);
        assert!(rank_sum(&many[..50], &many[50..100]).unwrap().exact);
        let tied: Vec<f64> = many.iter().map(|v| (v / 2.0).floor()).collect();
        assert!(rank_sum(&tied[..50], &tied[50..100]).unwrap().exact);
        assert_eq!(rank_sum(&[7.0; 300], &[7.0; 300]).unwrap().two_sided(), 1.0);
    }

    #[test]
    fn the_test_keeps_its_level_and_finds_a_shift() {
        let mut stream = Stream(62);
        let (m, n, trials) = (12, 9, 4000);
        // Exact size: the mass of the rejected U.
        let tails = upper_tails(m, n);
        let size = 2.0 * tails.iter().find(|&t| 2.0 * t < 0.05).unwrap();
        assert!((0.04..0.05).contains(&size), "{size}");
        let shift = detectable_shift_by_ranks(m, n, 0.05, 0.9);
        let (mut alarms, mut one_sided, mut tied, mut found) = (0, 0, 0, 0);
        for _ in 0..trials {
            let (x, y) = (normals(&mut stream, m, 0.0, 1.0), normals(&mut stream, n, 0.0, 1.0));
            let test = rank_sum(&x, &y).unwrap();
            alarms += usize::from(test.two_sided() < 0.05);
            one_sided += usize::from(test.y_larger < 0.05);
            let round = |v: &[f64]| v.iter().map(|v| v.round()).collect::<Vec<f64>>();
            tied += usize::from(rank_sum(&round(&x), &round(&y)).unwrap().two_sided() < 0.05);
            let moved: Vec<f64> = y.iter().map(|v| v + shift).collect();
            found += usize::from(rank_sum(&x, &moved).unwrap().two_sided() < 0.05);
        }
        assert_rate(alarms, trials, size);
        assert_rate(one_sided, trials, *tails.iter().find(|&&t| t < 0.05).unwrap());
        assert!(tied <= trials / 20 && tied > trials / 40, "{tied}");
        // The detectable shift is right within 0.02 in power.
        assert!((found as f64 / trials as f64 - 0.9).abs() < 0.02 + 0.015, "{found}");
        // Beyond the exact sizes.
        let (mut alarms, mut found) = (0, 0);
        for _ in 0..1000 {
            let (x, y) = (normals(&mut stream, 70, 0.0, 1.0), normals(&mut stream, 60, 0.0, 1.0));
            alarms += usize::from(rank_sum(&x, &y).unwrap().two_sided() < 0.05);
            let shift = detectable_shift_by_ranks(70, 60, 0.05, 0.9);
            let moved: Vec<f64> = y.iter().map(|v| v + shift).collect();
            found += usize::from(rank_sum(&x, &moved).unwrap().two_sided() < 0.05);
        }
        assert_rate(alarms, 1000, 0.05);
        assert_rate(found, 1000, 0.9);
    }

    #[test]
    fn the_effect_by_hand() {
        // Pairs with x < y: 1 < 2, 1 < 4, 3 < 4: 3 of 4. Placements 1/2, 1 of y and 0, 1/2 (of y below) of x: variances 1/8.
        let effect = superiority(&[1.0, 3.0], &[2.0, 4.0], 0.05).unwrap();
        assert_eq!(effect.estimate, 0.75);
        assert!((effect.se - (0.125f64 / 2.0 + 0.125 / 2.0).sqrt()).abs() < 1e-15);
        // Welch's degrees of freedom are 2 here: t = 4.302653.
        let reach = 4.302_652_73 * effect.se / 0.1875;
        assert!((effect.low - 1.0 / (1.0 + (reach - 3f64.ln()).exp())).abs() < 1e-8);
        // Separate: (level / 2)^(1 / k); reversed, mirrored; one tie, halves.
        let (x, y) = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]);
        let least = 0.025f64.powf(1.0 / 3.0);
        let effect = superiority(&x, &y, 0.05).unwrap();
        assert_eq!((effect.estimate, effect.se, effect.low, effect.high), (1.0, 0.0, least, 1.0));
        let effect = superiority(&y, &x, 0.05).unwrap();
        assert_eq!((effect.estimate, effect.low, effect.high), (0.0, 0.0, 1.0 - least));
        let effect = superiority(&[1.0; 3], &[1.0; 3], 0.05).unwrap();
        assert_eq!((effect.estimate, effect.low, effect.high), (0.5, 0.5 * least, 1.0 - 0.5 * least));
        assert_eq!(superiority(&[1.0], &y, 0.05), None);
        assert_eq!(superiority(&x, &[1.0, f64::NAN], 0.05), None);
        // The estimate is U / (mn), ties included.
        let (x, y) = ([1.0, 2.0, 2.0, 5.0], [2.0, 2.0, 6.0]);
        assert_eq!(superiority(&x, &y, 0.05).unwrap().estimate, rank_sum(&x, &y).unwrap().u / 12.0);
    }

    #[test]
    fn the_effect_is_covered() {
        let mut stream = Stream(63);
        let trials = 3000;
        let (mut missed, mut found) = (vec![], vec![]);
        for (shift, sd) in [(0.0, 1.0), (0.0, 3.0), (1.2, 1.0), (1.2, 3.0), (1.8, 1.0), (2.7, 1.0)] {
            // The difference of the two is N(shift, 1 + sd^2).
            let truth = normal_upper(-shift / (1.0f64 + sd * sd).sqrt());
            let (mut outside, mut above) = (0, 0);
            for _ in 0..trials {
                let (x, y) = (normals(&mut stream, 16, 0.0, 1.0), normals(&mut stream, 16, shift, sd));
                let effect = superiority(&x, &y, 0.05).unwrap();
                outside += usize::from(!(effect.low..=effect.high).contains(&truth));
                above += usize::from(effect.low > 0.5);
            }
            missed.push(outside as f64 / trials as f64);
            found.push(above as f64 / trials as f64);
        }
        assert!(missed.iter().all(|share| (0.012..0.05).contains(share)), "{missed:?}");
        // Size and power of "not 1/2", one side: at most 2.5 %; and what is documented, within five standard errors.
        assert!(found[0] < 0.025 && found[1] < 0.025, "{found:?}");
        assert!((found[2] - 0.84).abs() < 0.034 && found[5] > 0.999, "{found:?}");
    }
}
