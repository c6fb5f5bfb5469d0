//! The middle of replicates and where most of them are.

use birth_death_charts::plot::Point;
use birth_death_stats::interval::quantile;

/// The shares below the ends of a band: eight of ten replicates are within.
pub const SHARES: (f64, f64) = (0.1, 0.9);

/// Median and band of replicates at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The median.
    pub median: f64,
    /// The quantile at the lower share.
    pub low: f64,
    /// The quantile at the upper one.
    pub high: f64,
}

impl Band {
    /// By [`quantile`], which interpolates order statistics. NaN for no values.
    pub fn of(values: &[f64]) -> Self {
        Self { median: quantile(values, 0.5), low: quantile(values, SHARES.0), high: quantile(values, SHARES.1) }
    }

    /// To be drawn at `x`.
    pub fn at(self, x: f64) -> Point {
        Point { x, y: self.median, low: self.low, high: self.high }
    }

    /// The band of the values less `by`.
    pub fn less(self, by: f64) -> Self {
        Self { median: self.median - by, low: self.low - by, high: self.high - by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_the_tenth_and_the_ninetieth_percentile() {
        // not in order; 0 to 50, so that the percentiles are 5 and 45
        let values: Vec<f64> = (0..51).map(|k| f64::from(k * 20 % 51)).collect();
        let band = Band::of(&values);
        assert_eq!(band, Band { median: 25.0, low: 5.0, high: 45.0 });
        assert_eq!(band.less(5.0), Band { median: 20.0, low: 0.0, high: 40.0 });
        assert_eq!(band.at(7.0), Point { x: 7.0, y: 25.0, low: 5.0, high: 45.0 });
        assert_eq!(Band::of(&[3.0]), Band { median: 3.0, low: 3.0, high: 3.0 });
        assert!(Band::of(&[]).median.is_nan());
    }
}
