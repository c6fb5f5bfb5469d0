//! Sums over particles, in one order on every target.
//!
//! Particle `i` is added to lane `i mod 16`, in slot order; then the lanes are folded 8, 4, 2, 1. Sixteen lanes fill the
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

fn fold<R: Real>(lanes: &[R; LANES]) -> R {
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

    #[test]
    fn the_order_is_sixteen_lanes_and_a_tree() {
        let values: Vec<f32> = (0..37u8).map(|i| 1.0 / (f32::from(i) + 0.3)).collect();
        let mut lanes = [0.0f32; 16];
        for (i, v) in values.iter().enumerate() {
            lanes[i % 16] += v;
        }
        let pair = |a: &[f32]| -> Vec<f32> { (0..a.len() / 2).map(|i| a[i] + a[i + a.len() / 2]).collect() };
        let expected = pair(&pair(&pair(&pair(&lanes))))[0];
        assert_eq!(sum(values.iter().copied()).to_bits(), expected.to_bits());
        assert_ne!(expected.to_bits(), values.iter().sum::<f32>().to_bits(), "the order matters for these values");
        assert_eq!(mean(values.iter().copied(), 37), expected / 37.0);
        assert_eq!(sum::<f64>([]), 0.0);
    }
}
