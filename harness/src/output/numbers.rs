//! Statistics of one column over replicates.

/// Mean, spread and quartiles of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The mean.
    pub mean: f64,
    /// The standard deviation with n - 1; NaN for one value.
    pub sd: f64,
    /// `sd / sqrt(n)`; NaN for one value.
    pub standard_error: f64,
    /// First quartile, linear between order statistics (type 7, the default of NumPy and R).
    pub q1: f64,
    /// Median, likewise.
    pub median: f64,
    /// Third quartile, likewise.
    pub q3: f64,
}

/// The summary of a sample; every entry is NaN for none.
pub fn summary(values: &[f64]) -> Summary {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let sd = (squares / (n - 1.0)).sqrt();
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Summary {
        mean,
        sd,
        standard_error: sd / n.sqrt(),
        q1: quantile(&sorted, 0.25),
        median: quantile(&sorted, 0.5),
        q3: quantile(&sorted, 0.75),
    }
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = q * last as f64;
    let below = place.floor();
    let (low, high) = (sorted[below as usize], sorted[(below as usize + 1).min(last)]);
    low + (place - below) * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_four_values_is_the_textbook_one() {
        let found = summary(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!((found.q1, found.median, found.q3), (1.75, 2.5, 3.25));
        assert_eq!(found.mean, 2.5);
        assert_eq!(found.sd, (5.0_f64 / 3.0).sqrt());
        assert_eq!(found.standard_error, found.sd / 2.0);
    }

    #[test]
    fn one_value_has_a_mean_but_no_spread() {
        let found = summary(&[7.0]);
        assert_eq!((found.mean, found.q1, found.q3), (7.0, 7.0, 7.0));
        assert!(found.sd.is_nan() && found.standard_error.is_nan());
    }
}
