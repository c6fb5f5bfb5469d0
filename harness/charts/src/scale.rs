//! An axis of a picture, linear or logarithmic, with few round ticks. It takes any data: the plotting library's own
//! axes have no ticks within less than a decade, and look for them for ever if the data differ by rounding only.

// The workspace forbids std's transcendentals for the core's sake; here they place ink.
#![allow(clippy::disallowed_methods)]

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// Values beyond this are not shown: their differences would overflow.
const LARGEST: f64 = 1e150;
/// Values that differ by less than this part are taken as equal.
const RESOLUTION: f64 = 1e-9;
/// Ticks on an axis, at most.
const TICKS: usize = 9;

/// The range of an axis.
#[derive(Clone, Debug)]
pub struct Scale {
    range: Range<f64>,
    log: bool,
}

impl Scale {
    /// Over all values that can be shown, with a margin; none if there is none.
    pub fn over(values: impl Iterator<Item = f64>, log: bool) -> Option<Self> {
        let all = Self { range: if log { 1.0 / LARGEST } else { -LARGEST }..LARGEST, log };
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = values.filter(|x| all.shows(*x)).fold(ends, |(a, b), x| (a.min(x), b.max(x)));
        if low > high {
            return None;
        }
        let equal = high - low <= RESOLUTION * low.abs().max(high.abs());
        let range = if log {
            let margin = if equal { 0.5 } else { (high / low).ln() * 0.05 };
            low * (-margin).exp()..high * margin.exp()
        } else {
            let margin = if equal { 0.5 * low.abs().max(1e-6) } else { (high - low) * 0.05 };
            low - margin..high + margin
        };
        Some(Self { range, log })
    }

    /// Whether a value can be drawn on it.
    pub fn shows(&self, x: f64) -> bool {
        // a comparison that NaN fails
        x >= self.range.start && x <= self.range.end
    }

    /// What to draw of the end of an interval: the value, or the end of the axis.
    pub fn inside(&self, x: f64) -> f64 {
        if x.is_nan() { self.range.start } else { x.clamp(self.range.start, self.range.end) }
    }

    /// Round values in the range, ascending, at most `most` (and 9): 1, 2 or 5 times a power of ten apart, or
    /// (logarithmic) such themselves.
    fn ticks(&self, most: usize) -> Vec<f64> {
        let most = most.clamp(2, TICKS);
        if self.log { self.logarithmic(most) } else { self.linear(most) }
    }

    fn linear(&self, most: usize) -> Vec<f64> {
        let least = (self.range.end - self.range.start) / (most - 1) as f64;
        let power = 10f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= least);
        let step = step.unwrap_or(10.0 * power);
        let first = (self.range.start / step).ceil();
        (0..most).map(|k| (first + k as f64) * step).filter(|tick| self.shows(*tick)).collect()
    }

    fn logarithmic(&self, most: usize) -> Vec<f64> {
        let exponents = (self.range.start.log10().floor() as i32)..=(self.range.end.log10().ceil() as i32);
        let of = |factors: &[f64]| -> Vec<f64> {
            let all = exponents.clone().flat_map(|exponent| factors.iter().map(move |f| f * 10f64.powi(exponent)));
            all.filter(|tick| self.shows(*tick)).collect()
        };
        let all = of(&[1.0, 2.0, 5.0]);
        if all.len() < 2 {
            return self.linear(most);
        }
        if all.len() <= most {
            return all;
        }
        let powers = of(&[1.0]);
        let every = powers.len().div_ceil(most);
        powers.into_iter().step_by(every).collect()
    }
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let Range { start, end } = self.range;
        let share = if self.log { (value / start).ln() / (end / start).ln() } else { (value - start) / (end - start) };
        from + (f64::from(to - from) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        self.ticks(hint.max_num_points())
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(low: f64, high: f64, log: bool) -> Vec<f64> {
        Scale::over([low, high].into_iter(), log).expect("a scale").ticks(9)
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(0.0, 1.0, false), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(ticks(200.0, 3200.0, true), [200.0, 500.0, 1000.0, 2000.0]);
        assert_eq!(ticks(1e-9, 1e9, true).len(), 7);
        assert!(ticks(3.1, 4.2, true).len() >= 3, "less than a decade");
    }

    #[test]
    fn any_data_have_an_axis() {
        let next = f64::from_bits(1.0f64.to_bits() + 1);
        for log in [false, true] {
            for (low, high) in
                [(1.0, 1.0), (1.0, next), (1e-300, 1e300), (1e149, 1e150), (1e-150, 1e-149), (f64::MIN, 1.0)]
            {
                let scale =
                    Scale::over([low, 1.0, high, f64::NAN, f64::INFINITY, -0.0].into_iter(), log).expect("a scale");
                let ticks = scale.ticks(9);
                assert!(!ticks.is_empty() && ticks.len() <= 9, "{low:e} {high:e}: {ticks:?}");
                assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]), "{ticks:?}");
                assert!(scale.map(&1.0, (0, 1000)) >= 0 && scale.map(&1.0, (0, 1000)) <= 1000);
            }
        }
        assert!(Scale::over([f64::NAN, -1.0].into_iter(), true).is_none());
        assert!(Scale::over(std::iter::empty(), false).is_none());
    }
}
