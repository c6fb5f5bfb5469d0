//! The rank-sum test of Wilcoxon, Mann and Whitney: does one dynamics tend to end lower than the other?
//!
//! Nothing is assumed of the values but an order: runs that never arrive may be infinite, ties get mid-ranks. The law
//! under the null is that of `rank_law`, given the ties: counted where that is affordable, else by a saddle point.

use super::interval::Sample;
use super::rank_law::{RankLaw, Tails};
use super::tails::t_quantile;

/// The test of "x and y have the same law".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankSum {
    /// U = number of pairs with x < y, ties by half.
    pub u: f64,
    /// P(U at least this large): small if y tends to be the larger.
    pub y_larger: f64,
    /// P(U at most this large): small if x tends to be the larger.
    pub x_larger: f64,
    /// Whether these are counted, or by the saddle point.
    pub exact: bool,
}

impl RankSum {
    /// Twice the smaller tail, at most 1. Conservative, as every discrete test, but for the error of the saddle point.
    pub fn two_sided(&self) -> f64 {
        (2.0 * self.y_larger.min(self.x_larger)).min(1.0)
    }
}

/// The rank-sum test. `None` if a sample is empty or a value is NaN; infinite values count as largest or smallest.
///
/// Counted, with relative error below 1e-12, up to 100 + 100 values without ties and beyond if there are few distinct
/// values (two: 8000 + 8000). Counting takes at most some 0.1 s and 16 MiB. Otherwise by the double saddle point of
/// `rank_saddle`, with memory for the values only. Against counting, its p-values are 0.975 to 1.001 times the exact
/// ones without ties, and 0.975 to 6 times with ties. No p-value below 1e-290 is accurate; it may be 0. No claim
/// decides by this test; it is for comparisons of results.
pub fn rank_sum(x: &[f64], y: &[f64]) -> Option<RankSum> {
    let (counts, sum) = tie_groups(x, y)?;
    let n = y.len() as f64;
    let Tails { above, below, exact } = RankLaw::new(counts, y.len() as u64).tails(sum);
    // The y ranks sum to U + n (n + 1) / 2.
    Some(RankSum { u: 0.5 * sum as f64 - 0.5 * n * (n + 1.0), y_larger: above, x_larger: below, exact })
}

/// How many values of x and y together are equal, in ascending order, and twice the sum of the mid-ranks of y. `None`
/// as in [`rank_sum`].
fn tie_groups(x: &[f64], y: &[f64]) -> Option<(Vec<u64>, i64)> {
    let mut all: Vec<(f64, i64)> = x.iter().map(|&v| (v, 0)).chain(y.iter().map(|&v| (v, 1))).collect();
    if x.is_empty() || y.is_empty() || all.iter().any(|(v, _)| v.is_nan()) {
        return None;
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut counts, mut sum, mut below) = (Vec::new(), 0, 0);
    // Comparison by == makes -0 and 0 tie.
    for group in all.chunk_by(|a, b| a.0 == b.0) {
        let count = group.len() as i64;
        sum += (2 * below + count + 1) * group.iter().map(|(_, of_y)| of_y).sum::<i64>();
        below += count;
        counts.push(count as u64);
    }
    Some((counts, sum))
}

/// The least U with 2 P(U at least this) < level, samples of m and n without ties; above mn if there is none.
pub(super) fn critical_u(m: usize, n: usize, level: f64) -> f64 {
    let size = m.min(n);
    let law = RankLaw::new(std::iter::repeat_n(1, m + n), size as u64);
    if let Some(law) = law.counted() {
        return upper_tails(&law).partition_point(|tail| 2.0 * tail >= level) as f64;
    }
    let (mut low, mut high) = (0, m * n + 1);
    while low < high {
        let u = low + (high - low) / 2;
        let tails = law.tails((2 * u + size * (size + 1)) as i64);
        if 2.0 * tails.above < level {
            high = u;
        } else {
            low = u + 1;
        }
    }
    low as f64
}

/// P(at least this) for each sum of a law without ties, ascending, and for one more: 0.
fn upper_tails(law: &[(i64, f64)]) -> Vec<f64> {
    let mut tails = vec![0.0];
    for (_, mass) in law.iter().rev() {
        tails.push(tails[tails.len() - 1] + mass);
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

/// The effect with an interval of nominal coverage 1 - `level`. `None` if a sample has fewer than two values or one is
/// NaN.
///
/// Unlike the test, it allows the two laws to differ in spread and shape. On the scale of log-odds, with the t quantile
/// of Brunner and Munzel's degrees of freedom ("The nonparametric Behrens-Fisher problem", 2000). Where the samples do
/// not overlap, or are one tie, the variance is 0 and says nothing. Then an exact bound takes over: k = min(m, n)
/// disjoint pairs are independent, so complete separation has probability at most q^k at effect q, and q is at least
/// (level / 2)^(1/k); a tie likewise, by halves.
///
/// Of 16 + 16 normal values at level 1e-3, an end missed in at most 0.4 per mille up to an effect of 0.97 (0.5 are
/// nominal).
/// Beyond, the end towards 1 is anti-conservative: 0.6 per mille at 0.998, 1.6 at 0.9998. The other end never missed
/// there.
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
    use super::super::tails::normal_upper;
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
        // x = 1, 2, 4 and y = 3, 5, 6: ranks of y 3 + 5 + 6, U = 14 - 6 = 8 of 9; sums of at least 14: {3,5,6},
        // {4,5,6}.
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
        for (m, n, values) in [(5, 6, 1e9), (8, 3, 4.0), (2, 9, 3.0), (7, 7, 6.0), (1, 4, 1e9), (3, 12, 2.0)] {
            let mut draw = |count| (0..count).map(|_| (values * stream.uniform()).floor()).collect::<Vec<f64>>();
            // The largest value stands for a run that never arrives.
            let never = |v: Vec<f64>| -> Vec<f64> {
                v.into_iter().map(|v| if v == values - 1.0 { f64::INFINITY } else { v }).collect()
            };
            let (x, y) = (never(draw(m)), never(draw(n)));
            let all: Vec<f64> = x.iter().chain(&y).copied().collect();
            let rank = |v: &f64| all.iter().filter(|w| *w < v).count() + all.iter().filter(|w| *w <= v).count() + 1;
            let ranks: Vec<usize> = all.iter().map(rank).collect();
            let sum = ranks[m..].iter().sum();
            let (above, below) = enumerated(&ranks, n, sum);
            let test = rank_sum(&x, &y).unwrap();
            assert!((test.y_larger - above).abs() < 1e-14 && (test.x_larger - below).abs() < 1e-14, "{x:?} {y:?}");
            assert_eq!(test.u, 0.5 * (sum as f64 - (n * (n + 1)) as f64));
            // Reversed in time and in roles.
            let mirrored = |v: &[f64]| v.iter().map(|v| -v).collect::<Vec<f64>>();
            let back = rank_sum(&mirrored(&y), &mirrored(&x)).unwrap();
            assert!((back.y_larger - above).abs() < 1e-14 && back.u == test.u);
        }
    }

    #[test]
    fn printed_critical_values() {
        // Mann and Whitney's table, as printed in textbooks: the largest min(U) significant at 5 % two-sided.
        for (m, n, critical) in [(4, 4, 0), (5, 5, 2), (6, 8, 8), (8, 8, 13), (10, 10, 23), (12, 15, 49), (20, 20, 127)]
        {
            assert_eq!(critical_u(m, n, 0.0500001), (m * n - critical) as f64, "{m} {n}");
            assert_eq!(critical_u(n, m, 0.0500001), (m * n - critical) as f64, "{n} {m}");
        }
        // 1 %: 20 and 20. Separate samples of three have probability 1/20 each way.
        assert_eq!(critical_u(20, 20, 0.01), 400.0 - 105.0);
        assert_eq!((critical_u(3, 3, 0.1001), critical_u(3, 3, 0.0999)), (9.0, 10.0));
        // Beyond counting the critical value goes on: its normal approximation, mean + 4.892 sd at 1e-6,
        // moves by 103.5 + 4.892 * 6.2 = 133.9 for one value more on each side.
        let count = (100..).find(|&n| RankLaw::new(vec![1; 2 * n], n as u64).counted().is_none());
        let count = count.unwrap();
        assert_eq!(count, 104);
        let step = critical_u(count, count, 1e-6) - critical_u(count - 1, count - 1, 1e-6);
        assert!((step - 133.9).abs() < 3.0, "{step}");
    }

    #[test]
    fn tied_samples_of_unequal_size_have_their_exact_p_value() {
        // What a normal approximation took for 5.8e-12, 3.6e-10 and 1.7e-8: hypergeometric tails, by exact integers.
        let values = |counts: &[usize]| -> Vec<f64> {
            counts.iter().zip(0..).flat_map(|(&count, value)| vec![f64::from(value); count]).collect()
        };
        for (x, y, p) in [
            ([298, 2, 0], [32, 8, 0], 7.096_175_436_545_14e-7),
            ([281, 19, 0], [25, 15, 0], 3.315_999_358_412_153e-7),
            ([281, 19, 0], [26, 12, 2], 4.673_416_093_701_351e-7),
        ] {
            let test = rank_sum(&values(&x), &values(&y)).unwrap();
            assert!(test.exact && (test.y_larger / p - 1.0).abs() < 1e-12, "{x:?} {y:?} {:e} {p:e}", test.y_larger);
        }
    }

    #[test]
    fn one_tie_decides_nothing_however_long() {
        assert_eq!(rank_sum(&[7.0; 300], &[7.0; 300]).unwrap().two_sided(), 1.0);
        assert_eq!(rank_sum(&[f64::INFINITY; 30_000], &[f64::INFINITY; 100]).unwrap().two_sided(), 1.0);
    }

    #[test]
    fn the_test_keeps_its_level_and_finds_a_shift() {
        let mut stream = Stream(62);
        let (m, n, trials) = (12, 9, 4000);
        // Exact size: the mass of the rejected U.
        let tails = upper_tails(&RankLaw::new(vec![1; m + n], n as u64).counted().unwrap());
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
        // Beyond counting.
        let (mut alarms, mut found) = (0, 0);
        let shift = detectable_shift_by_ranks(170, 120, 0.05, 0.9);
        for _ in 0..1000 {
            let (x, y) = (normals(&mut stream, 170, 0.0, 1.0), normals(&mut stream, 120, 0.0, 1.0));
            let test = rank_sum(&x, &y).unwrap();
            assert!(!test.exact);
            alarms += usize::from(test.two_sided() < 0.05);
            let moved: Vec<f64> = y.iter().map(|v| v + shift).collect();
            found += usize::from(rank_sum(&x, &moved).unwrap().two_sided() < 0.05);
        }
        assert_rate(alarms, 1000, 0.05);
        assert_rate(found, 1000, 0.9);
    }

    #[test]
    fn the_effect_by_hand() {
        // Pairs with x < y: 1 < 2, 1 < 4, 3 < 4: 3 of 4. Placements 1/2, 1 of y and 0, 1/2 (of y below) of x: variances
        // 1/8.
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
