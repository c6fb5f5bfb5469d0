//! Sums over particles, in one order on every target.
//!
//! Particle `i` is added to lane `i mod 16`, in slot order; then lane `k` takes lane `k + 8`, then `k + 4`, `k + 2`,
//! `k + 1`. A mean is the sum divided by the number. Sixteen lanes fill the widest registers of today, and bound the
//! rounding error by about `(n/16 + 4)` units instead of `n`.

use crate::{Real, rows};

const LANES: usize = 16;

/// A sum in the crate's order that is made a value at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running<R> {
    lanes: [R; LANES],
    next: usize,
}

impl<R: Real> Running<R> {
    pub(crate) const EMPTY: Self = Self { lanes: [R::ZERO; LANES], next: 0 };

    pub(crate) fn add(&mut self, value: R) {
        if let Some(lane) = self.lanes.get_mut(self.next % LANES) {
            *lane = *lane + value;
        }
        self.next = self.next.wrapping_add(1);
    }

    /// The values added so far.
    pub(crate) const fn len(&self) -> usize {
        self.next
    }

    pub(crate) fn total(&self) -> R {
        fold(&self.lanes)
    }
}

/// The sum of `values` in the crate's order.
pub(crate) fn sum<R: Real>(values: impl IntoIterator<Item = R>) -> R {
    let mut sum = Running::EMPTY;
    // not `for_each`: the overflow checks of a zip's `fold` are not seen through, and the core would no longer link
    // without a panic
    for value in values {
        sum.add(value);
    }
    sum.total()
}

/// The mean of `values`, of which there are `n`, in the crate's order.
pub(crate) fn mean<R: Real>(values: impl IntoIterator<Item = R>, n: usize) -> R {
    sum(values) / rows::count(n)
}

/// The mean of `values` as above, but never beyond the smallest or the largest of them: rounding alone would put it
/// there, and of equal values some would then differ from their mean. A mean that is not finite stays what it is; that
/// of no value is NaN.
///
/// The values are looked at until one on each side of the mean is found: a few of them, unless most are equal.
pub(crate) fn mean_within<R: Real>(values: &[R]) -> R {
    let mean = mean(values.iter().copied(), values.len());
    let Some(&first) = values.first().filter(|_| mean.is_finite()) else { return mean };
    if values.iter().all(|&value| value > mean) {
        values.iter().fold(first, |least, &value| if value < least { value } else { least })
    } else if values.iter().all(|&value| value < mean) {
        values.iter().fold(first, |largest, &value| if value > largest { value } else { largest })
    } else {
        mean
    }
}

/// The sum of the lanes, as a tree: for loops that keep them apart until the end.
pub(crate) fn fold<R: Real>(lanes: &[R; LANES]) -> R {
    let mut lanes = *lanes;
    let mut width = LANES / 2;
    while width > 0 {
        let (low, high) = lanes.split_at_mut(width);
        for (a, b) in low.iter_mut().zip(high.iter()) {
            *a = *a + *b;
        }
        width /= 2;
    }
    let [total, ..] = lanes;
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// The order, as the module's documentation has it.
    fn in_order(values: &[f32]) -> f32 {
        let mut lanes = [0.0f32; 16];
        for (i, v) in values.iter().enumerate() {
            lanes[i % 16] += v;
        }
        let pair = |a: &[f32]| -> Vec<f32> { (0..a.len() / 2).map(|i| a[i] + a[i + a.len() / 2]).collect() };
        pair(&pair(&pair(&pair(&lanes))))[0]
    }

    #[test]
    fn the_order_is_sixteen_lanes_and_a_tree() {
        let mut order_matters = false;
        // more than 16 times 16, too: no lane is ever full
        for n in [1u16, 2, 15, 16, 17, 37, 255, 256, 257, 1000] {
            let values: Vec<f32> = (0..n).map(|i| 1.0 / (f32::from(i) + 0.3)).collect();
            let expected = in_order(&values);
            assert_eq!(sum(values.iter().copied()).to_bits(), expected.to_bits(), "{n}");
            assert_eq!(mean(values.iter().copied(), usize::from(n)), expected / f32::from(n));
            order_matters |= expected.to_bits() != values.iter().sum::<f32>().to_bits();
        }
        assert!(order_matters, "for these values");
        assert_eq!(sum::<f64>([]), 0.0);
    }

    /// Counts the means of equal values that rounding puts below and above them.
    fn equal_values<R: Real>(value: impl Fn(u32) -> R) -> (u32, u32) {
        let (mut below, mut above) = (0, 0);
        for n in 1..=100 {
            for i in 0..40 {
                let values = std::vec![value(i); n];
                let plain = mean(values.iter().copied(), n);
                (below, above) = (below + u32::from(plain < values[0]), above + u32::from(plain > values[0]));
                assert_eq!(mean_within(&values).to_f64().to_bits(), values[0].to_f64().to_bits(), "{n}");
            }
        }
        (below, above)
    }

    #[test]
    fn a_mean_lies_within_its_values() {
        // f32 and f64, both signs: rounding goes both ways
        for (below, above) in [
            equal_values(|i| 1e9f32 / (i as f32 + 0.3)),
            equal_values(|i| -1e-3f32 / (i as f32 + 0.3)),
            equal_values(|i| 1e9 / (f64::from(i) + 0.3)),
            equal_values(|i| -1e-3 / (f64::from(i) + 0.3)),
        ] {
            assert!(below > 20 && above > 20, "{below} {above}");
        }
        // neighbours: the one that is passed over is the nearer one
        let value = 5.0e9f32;
        let next = value.next_up();
        for n in 2..100 {
            let mut values = std::vec![value; n];
            values[n / 2] = next;
            let found = mean_within(&values);
            assert!(found == value || found == next, "{n}");
            let plain = mean(values.iter().copied(), n);
            assert_eq!(
                found,
                if plain < value {
                    value
                } else if plain > next {
                    next
                } else {
                    plain
                },
                "{n}"
            );
        }
    }

    #[test]
    fn a_mean_that_is_no_matter_of_rounding_stays() {
        assert_eq!(mean_within(&[1.0, 5.0, 3.0]), 3.0);
        assert_eq!(mean_within(&[2.0, 2.0, 2.0]), 2.0);
        assert_eq!(mean_within(&[-0.0f32, -0.0]).to_bits(), 0, "as the sum has it: -0 is not below 0");
        // an overflow is not hidden, and no value has no mean
        assert_eq!(mean_within(&[f32::MAX, f32::MAX]), f32::INFINITY);
        assert_eq!(mean_within(&[f64::MIN, f64::MIN]), f64::NEG_INFINITY);
        assert!(mean_within(&[1.0, f64::NAN]).is_nan() && mean_within::<f64>(&[]).is_nan());
    }
}
