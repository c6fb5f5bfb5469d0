//! Sums over particles, in one order on every target.
//!
//! Particle `i` is added to lane `i mod 16`, in slot order; then lane `k` takes lane `k + 8`, then `k + 4`, `k + 2`, `k + 1`. A mean is the sum
//! divided by the number. Sixteen lanes fill the
//! widest registers of today, and bound the rounding error by about `(n/16 + 4)` units instead of `n`.

use crate::{Real, rows};

const LANES: usize = 16;

/// The sum of `values` in the crate's order.
pub(crate) fn sum<R: Real>(values: impl IntoIterator<Item = R>) -> R {
    let mut lanes = [R::ZERO; LANES];
    let mut next = 0usize;
    for value in values {
        if let Some(lane) = lanes.get_mut(next % LANES) {
            *lane = *lane + value;
        }
        next = next.wrapping_add(1);
    }
    fold(&lanes)
}

/// The mean of `values`, of which there are `n`, in the crate's order.
pub(crate) fn mean<R: Real>(values: impl IntoIterator<Item = R>, n: usize) -> R {
    sum(values) / rows::count(n)
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
}
