//! Estimates over replicates, with their intervals.

use super::binomial;
use super::tails::t_quantile;

/// Mean and spread of independent replicates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Number of replicates.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Sample standard deviation, divisor count - 1; NaN for fewer than two.
    pub sd: f64,
}

impl Sample {
    /// Two passes: the deviations are taken from the mean already known.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        Self { count, mean, sd: if count > 1 { (squares / (count - 1) as f64).sqrt() } else { f64::NAN } }
    }

    /// Standard error of the mean, sd / sqrt(count).
    pub fn standard_error(&self) -> f64 {
        self.sd / (self.count as f64).sqrt()
    }

    /// Degrees of freedom of the standard error, count - 1.
    pub fn dof(&self) -> f64 {
        self.count as f64 - 1.0
    }

    /// The t interval that covers the mean with probability 1 - `level`.
    ///
    /// Exact for normal replicates, for others in the limit of many: by the first Edgeworth term, skewness g changes a
    /// tail at z by a factor of about exp(|g| z^3 / (3 sqrt(count))), which at level 1e-7 is exp(50 |g| / sqrt(count)).
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let reach = t_quantile(0.5 * level, self.dof()) * self.standard_error();
        (self.mean - reach, self.mean + reach)
    }
}

/// The interval of Clopper and Pearson for a probability: covers with probability at least 1 - `level`, for every p and
/// n.
///
/// By bisection on exact binomial tails; relative accuracy 1e-12.
pub fn clopper_pearson(successes: u64, trials: u64, level: f64) -> (f64, f64) {
    let share = successes as f64 / trials as f64;
    let low =
        if successes == 0 { 0.0 } else { bisect(0.0, share, |p| binomial::upper(successes, trials, p) < 0.5 * level) };
    let high = if successes >= trials {
        1.0
    } else {
        bisect(share, 1.0, |p| binomial::lower(successes, trials, p) > 0.5 * level)
    };
    (low, high)
}

/// Where `below`, true on the left and false on the right of some point of [low, high], changes.
pub(super) fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    // A hundred halvings reach the last bit of a root down to 1e-15 of the interval.
    for _ in 0..100 {
        let mid = 0.5 * (low + high);
        if below(mid) {
            low = mid;
        } else {
            high = mid;
        }
    }
    0.5 * (low + high)
}

/// The quantile of a sample at `share` in [0, 1], by linear interpolation between order statistics (type 7 of Hyndman
/// and Fan, the default of R and NumPy). NaN for an empty sample. Values may be infinite: any position between one and
/// its neighbour counts as infinite.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = share.clamp(0.0, 1.0) * last as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(last);
    let (part, low, high) = (at - below as f64, sorted[below], sorted[above]);
    match (low.is_infinite(), high.is_infinite()) {
        _ if part == 0.0 || low == high => low,
        (true, false) => low,
        (false, true) => high,
        _ => low + part * (high - low),
    }
}

/// First quartile, median, third quartile (type 7).
pub fn quartiles(values: &[f64]) -> [f64; 3] {
    [0.25, 0.5, 0.75].map(|share| quantile(values, share))
}

/// The interval that covers the median of a continuous law with probability at least 1 - `level`, whatever the law: two
/// order statistics.
///
/// The median lies below the k-th smallest of n values with probability P(X <= k - 1), X ~ Binomial(n, 1/2): the
/// largest k is taken that keeps it at `level / 2`, and the k-th largest likewise. Nothing is excluded (infinite ends)
/// if there is no such k, below 11 values at level 1e-3. Values may be infinite; one that is NaN makes both ends NaN.
pub fn median_interval(values: &[f64], level: f64) -> (f64, f64) {
    if values.iter().any(|v| v.is_nan()) {
        return (f64::NAN, f64::NAN);
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match beyond_the_median(sorted.len(), level) {
        Some(k) => (sorted[k], sorted[sorted.len() - 1 - k]),
        None => (f64::NEG_INFINITY, f64::INFINITY),
    }
}

/// How many of so many values [`median_interval`] leaves out on each side; `None` if it excludes nothing.
pub(super) fn beyond_the_median(count: usize, level: f64) -> Option<usize> {
    let within = |k: usize| binomial::lower(k as u64, count as u64, 0.5) <= 0.5 * level;
    let (mut low, mut high) = (0, count);
    while low < high {
        let mid = low + (high - low) / 2;
        if within(mid) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    low.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::super::power::{detectable_increase, detectable_limit};
    use super::super::simulate::{Stream, assert_rate};
    use super::*;

    #[test]
    fn mean_and_spread_by_hand() {
        let sample = Sample::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((sample.count, sample.mean), (8, 5.0));
        assert!((sample.sd - (32f64 / 7.0).sqrt()).abs() < 1e-15);
        assert!((sample.standard_error() - (4f64 / 7.0).sqrt()).abs() < 1e-15);
        // t(7) at 97.5 %: 2.364624.
        let (low, high) = sample.interval(0.05);
        assert!(((high - low) / 2.0 - 2.364_624_25 * sample.standard_error()).abs() < 1e-8);
        assert!(Sample::of(&[1.0]).sd.is_nan());
    }

    #[test]
    fn clopper_pearson_known_values() {
        // 100 of 100 at one-sided 95 %: 0.05^(1/100) = 0.9705; 8 of 10 from printed tables: (0.4439, 0.9748).
        let (low, high) = clopper_pearson(100, 100, 0.1);
        assert!((low - 0.05f64.powf(0.01)).abs() < 1e-12);
        assert_eq!(high, 1.0);
        let (low, high) = clopper_pearson(8, 10, 0.05);
        assert!((low - 0.443_905).abs() < 1e-6 && (high - 0.974_789).abs() < 1e-6, "{low} {high}");
        let (low, high) = clopper_pearson(0, 20, 0.05);
        assert_eq!(low, 0.0);
        assert!((high - (1.0 - 0.025f64.powf(0.05))).abs() < 1e-12);
        let (low, high) = clopper_pearson(300_000, 1_000_000, 1e-6);
        assert!(low < 0.3 && 0.3 < high && high - low < 0.005);
    }

    #[test]
    fn quantiles_are_those_of_type_seven() {
        let values = [7.0, 1.0, 3.0, 10.0];
        assert_eq!(quartiles(&values), [2.5, 5.0, 7.75]);
        assert_eq!((quantile(&values, 0.0), quantile(&values, 1.0)), (1.0, 10.0));
        assert_eq!(quantile(&[4.0], 0.3), 4.0);
        assert!(quantile(&[], 0.5).is_nan());
        let some_never = [1.0, 2.0, f64::INFINITY, f64::INFINITY, f64::INFINITY];
        assert_eq!(
            [0.25, 0.3, 0.6, 1.0].map(|share| quantile(&some_never, share)),
            [2.0, f64::INFINITY, f64::INFINITY, f64::INFINITY]
        );
        assert_eq!([0.1, 0.9].map(|share| quantile(&[f64::NEG_INFINITY, 1.0], share)), [f64::NEG_INFINITY; 2]);
    }

    #[test]
    fn a_median_lies_between_order_statistics() {
        // P(X = 0) = 2^-16, P(X <= 1) = 17 / 65536 = 2.6e-4, P(X <= 2) = 137 / 65536 = 2.1e-3.
        let values: Vec<f64> = (1..=16).rev().map(f64::from).collect();
        assert_eq!(median_interval(&values, 1e-3), (2.0, 15.0));
        assert_eq!(median_interval(&values, 2.0 * 137.1 / 65536.0), (3.0, 14.0));
        assert_eq!(median_interval(&values, 2.0 * 136.9 / 65536.0), (2.0, 15.0));
        assert_eq!(median_interval(&values[..10], 1e-3), (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(median_interval(&values[..11], 1e-3), (6.0, 16.0));
        assert_eq!(median_interval(&[], 1e-3), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(median_interval(&[1.0, f64::NAN], 0.9).0.is_nan());
        let mut censored = values.clone();
        censored[0] = f64::INFINITY;
        assert_eq!(median_interval(&censored, 1e-3), (2.0, 15.0));
    }

    #[test]
    fn median_intervals_cover_as_often_as_they_say() {
        // Misses with 20 values at level 0.05: 2 P(X <= 5) = 0.0414 exactly. A skewed law, median log 2.
        let mut stream = Stream(5);
        let mut missed = 0;
        for _ in 0..4000 {
            let values: Vec<f64> = (0..20).map(|_| -stream.uniform().ln()).collect();
            let (low, high) = median_interval(&values, 0.05);
            missed += usize::from(!(low..=high).contains(&2f64.ln()));
        }
        assert_rate(missed, 4000, 0.0414);
    }

    #[test]
    fn intervals_cover_as_often_as_they_say() {
        let mut stream = Stream(4);
        let (mut missed, mut missed_share) = (0, 0);
        for _ in 0..4000 {
            let values: Vec<f64> = (0..8).map(|_| 3.0 + 2.0 * stream.normal()).collect();
            let (low, high) = Sample::of(&values).interval(0.05);
            missed += usize::from(!(low..=high).contains(&3.0));
            let (low, high) = clopper_pearson(stream.successes(&[0.2; 50]), 50, 0.05);
            missed_share += usize::from(!(low..=high).contains(&0.2));
        }
        assert_rate(missed, 4000, 0.05);
        assert!(missed_share <= 200, "{missed_share}");
    }

    #[test]
    fn intervals_exclude_what_is_false_with_the_stated_power() {
        let mut stream = Stream(74);
        let (off, increase) = (detectable_limit(1.0, 11.0, 0.05, 0.9), detectable_increase(80, 0.2, 0.05, 0.9));
        let (mut mean, mut share) = (0, 0);
        for _ in 0..3000 {
            let values: Vec<f64> = (0..12).map(|_| off + 12f64.sqrt() * stream.normal()).collect();
            let (low, high) = Sample::of(&values).interval(0.05);
            mean += usize::from(!(low..=high).contains(&0.0));
            let (low, high) = clopper_pearson(stream.successes(&[0.2 + increase; 80]), 80, 0.05);
            share += usize::from(!(low..=high).contains(&0.2));
        }
        assert_rate(mean, 3000, 0.9);
        // The interval is the inverse of the exact two-sided test.
        assert_rate(share, 3000, 0.9);
    }
}
