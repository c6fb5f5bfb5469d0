//! Sums of Gaussians: the pair loop of every kernel energy.
//!
//! At each target point `y_i`, in block after block of [`LANES`] of them, and for `s` ascending:
//!
//! ```text
//! dx    = y_i - x_s                            component by component
//! r2    = dx_1 dx_1 + dx_2 dx_2 + ...          components ascending
//! e     = 2^(r2 scale)                         scale = -log2(e) / (2 variance), so e = exp(-r2 / (2 variance))
//! (a, b) = weigh(s, e)
//! value_i    = value_i + a
//! slope_ik   = slope_ik + b dx_k
//! ```
//!
//! `scale` and the product are rounded, which the exponential multiplies: its relative error against the true `exp` is below
//! `(1.04 |t| + 1) eps` at `t = r2 scale` (three roundings of eps/2, times ln 2), its absolute error below 1.4 eps.
//!
//! That is the whole definition: vector lanes run across `i`, so the bits do not depend on the block, on the vector
//! width or on the specialisation in the dimension. The accumulators stay in registers while `s` streams.

use crate::maths::Maths;
use crate::{Real, Rows, RowsMut};

/// Target points in a block. Any value gives the same bits; 16 fills the vector registers of today.
const LANES: usize = 16;

/// `-log2(e) / (2 variance)`.
pub(super) fn scale<R: Real>(variance: R) -> R {
    -(R::LOG2_E * R::HALF) / variance
}

/// `sum_j w_j k(x_i - x_j)` and its gradient in `x_i`, times `height`, for `k = exp(-|.|^2 / (2 variance))`: the whole
/// interaction of a kernel energy. Overwrites `value` and `slope`.
#[inline(always)]
pub(super) fn interact<R: Real, M: Maths<R>>(
    at: Rows<'_, R>,
    value: &mut [R],
    mut slope: RowsMut<'_, R>,
    variance: R,
    height: R,
    weigh: impl Fn(usize, R) -> R,
) {
    value.fill(R::ZERO);
    slope.iter_mut().for_each(|row| row.fill(R::ZERO));
    add_gaussians::<R, M>(at, value, slope.reborrow(), at, scale(variance), |j, e| {
        let weighted = weigh(j, e);
        (weighted, weighted)
    });
    let slope_height = -height / variance;
    value.iter_mut().for_each(|v| *v = *v * height);
    slope.iter_mut().for_each(|row| row.iter_mut().for_each(|g| *g = *g * slope_height));
}

/// Adds `weight exp(-|x_i - x_s|^2 / (2 variance))`, summed over `sources`, and its gradient: a part of the external potential.
#[inline(always)]
pub(super) fn attract<R: Real, M: Maths<R>>(
    at: Rows<'_, R>,
    value: &mut [R],
    slope: RowsMut<'_, R>,
    sources: Rows<'_, R>,
    variance: R,
    weight: R,
) {
    let slope_weight = -weight / variance;
    add_gaussians::<R, M>(at, value, slope, sources, scale(variance), |_, e| (weight * e, slope_weight * e));
}

/// Adds the sums over `sources` at every one of `targets` to `value` and `slope`; see the module for the definition.
///
/// The caller has checked that all have the same dimension, `value` and `slope` the length of `targets`.
#[inline(always)]
fn add_gaussians<R: Real, M: Maths<R>>(
    targets: Rows<'_, R>,
    value: &mut [R],
    slope: RowsMut<'_, R>,
    sources: Rows<'_, R>,
    scale: R,
    weigh: impl Fn(usize, R) -> (R, R),
) {
    match targets.dim() {
        1 => small::<R, M, 1>(targets, value, slope, sources, scale, weigh),
        2 => small::<R, M, 2>(targets, value, slope, sources, scale, weigh),
        3 => small::<R, M, 3>(targets, value, slope, sources, scale, weigh),
        _ => general::<R, M>(targets, value, slope, sources, scale, weigh),
    }
}

/// The value at `i`; zero past the end, which the callers' checks exclude: no panic path, and none needed.
#[inline(always)]
fn at<R: Real>(row: &[R], i: usize) -> R {
    row.get(i).copied().unwrap_or(R::ZERO)
}

/// Copies a block in; lanes past the end of the row are zero and not stored.
#[inline(always)]
fn load<R: Real>(row: &[R], start: usize) -> [R; LANES] {
    let mut block = [R::ZERO; LANES];
    for (lane, x) in block.iter_mut().zip(row.get(start..).unwrap_or(&[])) {
        *lane = *x;
    }
    block
}

#[inline(always)]
fn store<R: Real>(row: &mut [R], start: usize, block: &[R; LANES]) {
    for (x, lane) in row.get_mut(start..).unwrap_or(&mut []).iter_mut().zip(block) {
        *x = *lane;
    }
}

#[inline(always)]
fn small<R: Real, M: Maths<R>, const D: usize>(
    targets: Rows<'_, R>,
    value: &mut [R],
    mut slope: RowsMut<'_, R>,
    sources: Rows<'_, R>,
    scale: R,
    weigh: impl Fn(usize, R) -> (R, R),
) {
    let target_rows = targets.array::<D>();
    let source_rows = sources.array::<D>();
    for start in (0..targets.len()).step_by(LANES) {
        let y = target_rows.map(|row| load(row, start));
        let mut values = load(value, start);
        let mut slopes = [[R::ZERO; LANES]; D];
        for (block, row) in slopes.iter_mut().zip(slope.iter_mut()) {
            *block = load(row, start);
        }
        // the same loop twice: with a number of lanes that the compiler knows, and for the short block at the end
        let live = targets.len().saturating_sub(start);
        if live >= LANES {
            stream::<R, M, D>(LANES, &y, source_rows, sources.len(), scale, &weigh, &mut values, &mut slopes);
        } else {
            stream::<R, M, D>(live, &y, source_rows, sources.len(), scale, &weigh, &mut values, &mut slopes);
        }
        store(value, start, &values);
        for (block, row) in slopes.iter().zip(slope.iter_mut()) {
            store(row, start, block);
        }
    }
}

/// All sources past the first `live` lanes of a block.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // the registers of a loop, not an interface
fn stream<R: Real, M: Maths<R>, const D: usize>(
    live: usize,
    y: &[[R; LANES]; D],
    sources: [&[R]; D],
    count: usize,
    scale: R,
    weigh: &impl Fn(usize, R) -> (R, R),
    values: &mut [R; LANES],
    slopes: &mut [[R; LANES]; D],
) {
    let live = if live < LANES { live } else { LANES };
    for s in 0..count {
        let x = sources.map(|row| at(row, s));
        for lane in 0..live {
            let mut dx = [R::ZERO; D];
            let mut r2 = R::ZERO;
            for k in 0..D {
                dx[k] = y[k][lane] - x[k];
                let square = dx[k] * dx[k];
                r2 = if k == 0 { square } else { r2 + square };
            }
            let (a, b) = weigh(s, M::exp2_nonpos(r2 * scale));
            values[lane] = values[lane] + a;
            for k in 0..D {
                slopes[k][lane] = slopes[k][lane] + b * dx[k];
            }
        }
    }
}

/// Any dimension: the slopes accumulate where they are stored.
#[inline(always)]
fn general<R: Real, M: Maths<R>>(
    targets: Rows<'_, R>,
    value: &mut [R],
    mut slope: RowsMut<'_, R>,
    sources: Rows<'_, R>,
    scale: R,
    weigh: impl Fn(usize, R) -> (R, R),
) {
    for start in (0..targets.len()).step_by(LANES) {
        let mut values = load(value, start);
        for s in 0..sources.len() {
            let mut r2 = [R::ZERO; LANES];
            for (target, source) in targets.iter().zip(sources.iter()) {
                let (y, x) = (load(target, start), at(source, s));
                for (r2, y) in r2.iter_mut().zip(y) {
                    let dx = y - x;
                    *r2 = *r2 + dx * dx;
                }
            }
            let mut weights = [R::ZERO; LANES];
            for ((r2, value), weight) in r2.into_iter().zip(&mut values).zip(&mut weights) {
                let (a, b) = weigh(s, M::exp2_nonpos(r2 * scale));
                *value = *value + a;
                *weight = b;
            }
            for ((target, source), row) in targets.iter().zip(sources.iter()).zip(slope.iter_mut()) {
                let (y, x) = (load(target, start), at(source, s));
                let mut slopes = load(row, start);
                for ((slope, y), weight) in slopes.iter_mut().zip(y).zip(weights) {
                    *slope = *slope + weight * (y - x);
                }
                store(row, start, &slopes);
            }
        }
        store(value, start, &values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::{Libm, Portable};
    use std::vec::Vec;

    /// The definition, a target and a source at a time.
    fn naive<R: Real, M: Maths<R>>(
        y: &[Vec<R>],
        x: &[Vec<R>],
        w: &[R],
        scale: R,
        value: &mut [R],
        slope: &mut [Vec<R>],
    ) {
        for i in 0..value.len() {
            for s in 0..w.len() {
                let mut r2 = R::ZERO;
                for k in 0..y.len() {
                    let dx = y[k][i] - x[k][s];
                    r2 = r2 + dx * dx;
                }
                let e = M::exp2_nonpos(r2 * scale) * w[s];
                value[i] = value[i] + e;
                for k in 0..y.len() {
                    slope[k][i] = slope[k][i] + e * (y[k][i] - x[k][s]);
                }
            }
        }
    }

    /// The sums as a task, for each path of the dispatch.
    struct Sums<'a, R, M> {
        targets: Rows<'a, R>,
        value: &'a mut [R],
        slope: RowsMut<'a, R>,
        sources: Rows<'a, R>,
        scale: R,
        weights: &'a [R],
        maths: core::marker::PhantomData<M>,
    }

    impl<R: Real, M: Maths<R>> crate::dispatch::Task for Sums<'_, R, M> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            let Self { targets, value, slope, sources, scale, weights, .. } = self;
            add_gaussians::<R, M>(targets, value, slope, sources, scale, |s, e| (e * weights[s], e * weights[s]));
        }
    }

    fn compare<R: Real, M: Maths<R>>() {
        let number = |seed: usize| R::from_f64(((seed * 7919 + 13) % 1009) as f64 / 300.0 - 1.6);
        for dim in 1..=5 {
            for n in [1, 2, 15, 16, 17, 33, 64] {
                let m = n + 3;
                let points = |count: usize, salt: usize| -> Vec<Vec<R>> {
                    (0..dim).map(|k| (0..count).map(|i| number(i * 5 + k * 101 + salt)).collect()).collect()
                };
                let (y, x) = (points(n, 1), points(m, 2));
                let w: Vec<R> = (0..m).map(|s| number(s + 77)).collect();
                let scale = scale(R::from_f64(0.8));
                let (flat_y, flat_x) = (y.concat(), x.concat());
                let mut value = std::vec![R::HALF; n];
                let mut slope = std::vec![R::ONE; n * dim];
                let (mut naive_value, mut naive_slope) = (value.clone(), std::vec![std::vec![R::ONE; n]; dim]);
                crate::dispatch::widest(Sums {
                    targets: Rows::new(&flat_y, n, dim, n).unwrap(),
                    value: &mut value,
                    slope: RowsMut::new(&mut slope, n, dim, n).unwrap(),
                    sources: Rows::new(&flat_x, m, dim, m).unwrap(),
                    scale,
                    weights: &w,
                    maths: core::marker::PhantomData::<M>,
                });
                naive::<R, M>(&y, &x, &w, scale, &mut naive_value, &mut naive_slope);
                assert_eq!(value, naive_value, "dim {dim}, n {n}");
                assert_eq!(slope, naive_slope.concat(), "dim {dim}, n {n}");
            }
        }
    }

    #[test]
    fn every_specialisation_has_the_bits_of_the_definition() {
        let all = || {
            compare::<f32, Portable>();
            compare::<f64, Portable>();
            compare::<f32, Libm>();
            compare::<f64, Libm>();
        };
        all();
        #[cfg(feature = "dispatch")]
        for path in crate::dispatch::Path::ALL {
            if crate::dispatch::force(Some(path)) {
                all();
            }
        }
    }

    /// The error of the kernel's exponential against the true one: relative bound growing with the exponent, absolute bound.
    fn exponent_errors<R: Real>(eps: f64, deepest: f64) {
        let variance = R::from_f64(0.8);
        let (mut relative, mut absolute) = (0.0, 0.0);
        for i in 0..200_000u32 {
            let r2 = R::from_f64(f64::from(i) / 200_000.0 * deepest * 1.6);
            let t = r2 * scale(variance);
            let exact = libm::exp(-r2.to_f64() / (2.0 * variance.to_f64()));
            let error = (Portable::exp2_nonpos(t).to_f64() - exact).abs();
            let allowed = (1.04 * t.abs().to_f64() + 1.0) * eps * exact;
            relative = if error / allowed > relative { error / allowed } else { relative };
            absolute = if error > absolute { error } else { absolute };
        }
        assert!(relative < 1.0 && absolute < 1.4 * eps, "{relative}, {} eps", absolute / eps);
        assert!(relative > 0.3, "the bound is within a factor of three: {relative}");
    }

    #[test]
    fn the_exponential_of_a_kernel_is_within_its_documented_errors() {
        exponent_errors::<f32>(f64::from(f32::EPSILON), 85.0);
        exponent_errors::<f64>(f64::EPSILON, 700.0);
    }
}
