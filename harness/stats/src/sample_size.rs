//! Sample sizes: how many replicates find a given effect with given power. The inverses of [`super::power`].
//!
//! All search for the least count whose detectable effect is within the one asked for; `None` if [`MOST`] replicates
//! are not enough, or an argument makes no test.

use super::power::{detectable_increase, detectable_limit, detectable_shift_by_ranks};

/// The largest count tried.
pub const MOST: usize = 1 << 24;

/// Replicates whose t interval finds a deviation of `effect` beyond the tolerance, replicates having standard deviation
/// `sd`.
///
/// At least four, where [`detectable_limit`] is accurate.
pub fn replicates_for_mean(sd: f64, effect: f64, level: f64, power: f64) -> Option<usize> {
    least(4, MOST, |n| detectable_limit(sd / (n as f64).sqrt(), n as f64 - 1.0, level, power) <= effect)
}

/// Trials whose exact two-sided binomial test finds a success probability increased from `p` by `increase`.
///
/// The test's power is a saw-tooth in the number of trials: this many suffice, some fewer (a few per cent) may.
pub fn trials_for_increase(p: f64, increase: f64, level: f64, power: f64) -> Option<usize> {
    if !(p > 0.0 && increase > 0.0 && p + increase < 1.0) {
        return None;
    }
    least(1, MOST, |n| detectable_increase(n as u64, p, level, power) <= increase)
}

/// Replicates a side with which the rank-sum test finds normal laws `shift` standard deviations apart.
///
/// Accuracy as [`detectable_shift_by_ranks`]; at most 1000 a side.
pub fn replicates_for_ranks(shift: f64, level: f64, power: f64) -> Option<usize> {
    least(2, 1000, |n| detectable_shift_by_ranks(n, n, level, power) <= shift)
}

/// The least count in `first..=most` from which on `enough` holds, if it never falls back.
pub(super) fn least(first: usize, most: usize, enough: impl Fn(usize) -> bool) -> Option<usize> {
    // Doubling first: large counts cost the most.
    let (mut low, mut high) = (first, first);
    while !enough(high) {
        if high >= most {
            return None;
        }
        (low, high) = (high + 1, (2 * high).min(most));
    }
    while low < high {
        let mid = low + (high - low) / 2;
        if enough(mid) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::super::binomial;
    use super::super::interval::Sample;
    use super::super::power::POWER;
    use super::super::rank::rank_sum;
    use super::super::simulate::{Stream, assert_rate};
    use super::super::tails::t_two_sided;
    use super::*;

    #[test]
    fn printed_sample_sizes() {
        // One-sample t test, 5 % two-sided, power 0.8: effect 0.5 sd takes 34 (Cohen's tables, G*Power), 0.2 sd 199.
        assert_eq!(replicates_for_mean(1.0, 0.5, 0.05, 0.8), Some(34));
        assert_eq!(replicates_for_mean(2.0, 0.4, 0.05, 0.8), Some(199));
    }

    #[test]
    fn the_least_count_and_no_less() {
        let level = 1e-6 / 24.0;
        let n = replicates_for_mean(3.0, 0.5, level, POWER).unwrap();
        let detectable = |n: usize| detectable_limit(3.0 / (n as f64).sqrt(), n as f64 - 1.0, level, POWER);
        assert!(detectable(n) <= 0.5 && detectable(n - 1) > 0.5, "{n}");
        // Some (8 * 3 / 0.5)^2.
        assert!((2150..2400).contains(&n), "{n}");
        let n = trials_for_increase(0.1, 0.03, 1e-4, 0.9).unwrap();
        let detectable = |n: usize| detectable_increase(n as u64, 0.1, 1e-4, 0.9);
        assert!(detectable(n) <= 0.03 && detectable(n * 95 / 100) > 0.03, "{n}");
        let n = replicates_for_ranks(1.0, 1e-3, 0.9).unwrap();
        let detectable = |n: usize| detectable_shift_by_ranks(n, n, 1e-3, 0.9);
        assert!(detectable(n) <= 1.0 && detectable(n - 1) > 1.0, "{n}");
        assert!((3..=100).all(|count| least(3, 100, |n| n >= count) == Some(count)));
        assert_eq!(least(3, 99, |n| n >= 100), None);
        assert_eq!(least(3, 99, |_| true), Some(3));
    }

    #[test]
    fn refuses_what_no_count_can_find() {
        assert_eq!(replicates_for_mean(1.0, 0.0, 0.05, 0.9), None);
        assert_eq!(replicates_for_mean(1.0, f64::NAN, 0.05, 0.9), None);
        assert_eq!(trials_for_increase(0.5, 0.5, 0.05, 0.9), None);
        assert_eq!(trials_for_increase(0.5, f64::NAN, 0.05, 0.9), None);
        assert_eq!(replicates_for_ranks(0.01, 0.05, 0.9), None);
    }

    #[test]
    fn the_size_has_the_power_by_simulation() {
        let mut stream = Stream(51);
        let n = replicates_for_mean(2.0, 1.5, 1e-3, 0.9).unwrap();
        let mut found = 0;
        for _ in 0..3000 {
            let s = Sample::of(&(0..n).map(|_| 1.5 + 2.0 * stream.normal()).collect::<Vec<_>>());
            found += usize::from(t_two_sided(s.mean / s.standard_error(), s.dof()) < 1e-3);
        }
        // The least count that reaches 0.9 has a little more: one replicate of 35 is 1 %.
        assert_rate(found, 3000, 0.905);
        let n = trials_for_increase(0.2, 0.1, 0.01, 0.9).unwrap();
        let found = (0..3000).filter(|_| {
            let count = stream.successes(&vec![0.3; n]);
            binomial::two_sided(count, n as u64, 0.2) < 0.01
        });
        assert_rate(found.count(), 3000, 0.9);
        let n = replicates_for_ranks(1.2, 0.01, 0.9).unwrap();
        let found = (0..2000).filter(|_| {
            let x: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
            let y: Vec<f64> = (0..n).map(|_| 1.2 + stream.normal()).collect();
            rank_sum(&x, &y).unwrap().two_sided() < 0.01
        });
        assert_rate(found.count(), 2000, 0.905);
    }
}
