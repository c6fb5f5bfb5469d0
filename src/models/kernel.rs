//! Sums of Gaussians: the pair loop of every kernel energy.
//!
//! At each target point `y_i`, in block after block of [`LANES`] of them, and for `s` ascending:
//!
//! ```text
//! dx    = y_i - x_s                            component by component
//! r2    = dx_1 dx_1 + dx_2 dx_2 + ...          components ascending
//! e     = 2^(r2 scale)                         scale = -log2(e) / (2 variance), so e = exp(-r2 / (2 variance))
//! value_i    = value_i + e w_s                 (w_s, u_s) the weights of the source
//! slope_ik   = slope_ik + (e u_s) dx_k
//! ```
//!
//! `scale` and the product are rounded, which the exponential multiplies: its relative error against the true `exp` is
//! below `(1.04 |t| + 1) eps` at `t = r2 scale` (three roundings of eps/2, times ln 2), its absolute error below 1.4
//! eps.
//!
//! That is the whole definition: vector lanes run across `i`, so the bits do not depend on the block, on the vector
//! width or on the specialisation in the dimension. Up to three components the accumulators stay in registers while `s`
//! streams.

use super::lanes::{Block, LANES, MICROCONTROLLER, load, store};
use crate::maths::Maths;
use crate::rows::indices;
use crate::{Real, Rows, RowsMut};
use core::iter::repeat;

/// Targets of a block whose accumulators stay in registers. Any divisor of [`LANES`] gives the same bits; 16 fill the
/// vector registers of today, 2 the registers of a microcontroller.
const GROUP: usize = if MICROCONTROLLER { 2 } else { LANES };

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
    weights: impl Iterator<Item = R> + Clone,
) {
    value.fill(R::ZERO);
    slope.iter_mut().for_each(|row| row.fill(R::ZERO));
    add_gaussians::<R, M>(at, value, slope.reborrow(), at, scale(variance), weights.map(|weight| (weight, weight)));
    let slope_height = -height / variance;
    value.iter_mut().for_each(|v| *v = *v * height);
    slope.iter_mut().for_each(|row| row.iter_mut().for_each(|g| *g = *g * slope_height));
}

/// Adds `weight exp(-|x_i - x_s|^2 / (2 variance))`, summed over `sources`, and its gradient: a part of the external
/// potential.
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
    add_gaussians::<R, M>(at, value, slope, sources, scale(variance), repeat((weight, slope_weight)));
}

/// Adds the sums over `sources` at every one of `targets` to `value` and `slope`; see the module for the definition.
///
/// The caller has checked that all have the same dimension, `value` and `slope` the length of `targets`. There is a
/// weight for every source; what comes after them is not looked at.
#[inline(always)]
pub(super) fn add_gaussians<R: Real, M: Maths<R>>(
    targets: Rows<'_, R>,
    value: &mut [R],
    slope: RowsMut<'_, R>,
    sources: Rows<'_, R>,
    scale: R,
    weights: impl Iterator<Item = (R, R)> + Clone,
) {
    match targets.dim() {
        1 => small::<R, M, 1>(targets, value, slope, sources, scale, weights),
        2 => small::<R, M, 2>(targets, value, slope, sources, scale, weights),
        3 => small::<R, M, 3>(targets, value, slope, sources, scale, weights),
        _ => general::<R, M>(targets, value, slope, sources, scale, weights),
    }
}

/// The value at `i`; zero past the end, which the callers' checks exclude: no panic path, and none needed.
#[inline(always)]
pub(super) fn at<R: Real>(row: &[R], i: usize) -> R {
    row.get(i).copied().unwrap_or(R::ZERO)
}

#[inline(always)]
fn small<R: Real, M: Maths<R>, const D: usize>(
    targets: Rows<'_, R>,
    value: &mut [R],
    mut slope: RowsMut<'_, R>,
    sources: Rows<'_, R>,
    scale: R,
    weights: impl Iterator<Item = (R, R)> + Clone,
) {
    let target_rows = targets.array::<D>();
    let source_rows = sources.array::<D>();
    let (mut padded, mut few) = ([R::ZERO; LANES], [R::ZERO; GROUP]);
    for start in (0..targets.len()).step_by(LANES) {
        let y = target_rows.map(|row| *load(row, start, &mut padded));
        let mut values = *load(value, start, &mut padded);
        let mut slopes = [[R::ZERO; LANES]; D];
        for (block, row) in slopes.iter_mut().zip(slope.iter_mut()) {
            *block = *load(row, start, &mut padded);
        }
        let live = targets.len().saturating_sub(start);
        for group in (0..LANES).step_by(GROUP) {
            if group >= live {
                break;
            }
            let y = y.each_ref().map(|block| *load(block, group, &mut few));
            let value_sums = *load(&values, group, &mut few);
            let mut sums = (value_sums, slopes.each_ref().map(|block| *load(block, group, &mut few)));
            stream::<R, M, D>(&y, source_rows, scale, weights.clone(), &mut sums);
            store(&mut values, group, &sums.0);
            for (block, sums) in slopes.iter_mut().zip(&sums.1) {
                store(block, group, sums);
            }
        }
        store(value, start, &values);
        for (block, row) in slopes.iter().zip(slope.iter_mut()) {
            store(row, start, block);
        }
    }
}

/// All sources past a group, each operation on all lanes before the next: compilers make vector instructions of that,
/// while one loop over the lanes is too long for it in three components, and in two of `f64`.
#[inline(always)]
fn stream<R: Real, M: Maths<R>, const D: usize>(
    y: &[[R; GROUP]; D],
    sources: [&[R]; D],
    scale: R,
    weights: impl Iterator<Item = (R, R)>,
    (values, slopes): &mut ([R; GROUP], [[R; GROUP]; D]),
) {
    let Some((first, others)) = sources.split_first() else { return };
    for ((x0, (weight, slope_weight)), s) in first.iter().zip(weights).zip(indices()) {
        let mut x = [*x0; D];
        for (x, row) in x.iter_mut().skip(1).zip(others) {
            *x = at(row, s);
        }
        let mut dx = [[R::ZERO; GROUP]; D];
        let mut r2 = [R::ZERO; GROUP];
        for k in 0..D {
            for lane in 0..GROUP {
                dx[k][lane] = y[k][lane] - x[k];
                let square = dx[k][lane] * dx[k][lane];
                r2[lane] = if k == 0 { square } else { r2[lane] + square };
            }
        }
        let mut weighted = [R::ZERO; GROUP];
        for lane in 0..GROUP {
            let e = M::exp2_nonpos(r2[lane] * scale);
            values[lane] = values[lane] + e * weight;
            weighted[lane] = e * slope_weight;
        }
        for k in 0..D {
            for lane in 0..GROUP {
                slopes[k][lane] = slopes[k][lane] + weighted[lane] * dx[k][lane];
            }
        }
    }
}

/// Sources that pass a block together in any dimension, to load and store its rows once for them: one on a
/// microcontroller, to spare its stack. Any value gives the same bits.
const FEW: usize = if MICROCONTROLLER { 1 } else { 8 };

/// Any dimension: the slopes accumulate where they are stored.
#[inline(always)]
fn general<R: Real, M: Maths<R>>(
    targets: Rows<'_, R>,
    value: &mut [R],
    mut slope: RowsMut<'_, R>,
    sources: Rows<'_, R>,
    scale: R,
    weights: impl Iterator<Item = (R, R)> + Clone,
) {
    let mut padded = [R::ZERO; LANES];
    for start in (0..targets.len()).step_by(LANES) {
        let mut values = *load(value, start, &mut padded);
        let (mut weights, mut first) = (weights.clone(), 0usize);
        while first < sources.len() {
            let few = sources.len().saturating_sub(first) >= FEW;
            let (values, slope) = (&mut values, slope.reborrow());
            first = first.saturating_add(if few {
                pass::<R, M, FEW>(targets, start, values, slope, sources, first, scale, &mut weights)
            } else {
                pass::<R, M, 1>(targets, start, values, slope, sources, first, scale, &mut weights)
            });
        }
        store(value, start, &values);
    }
}

/// `K` sources from number `first` on past the block at `start`; `K`.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // the registers of a loop, not an interface
fn pass<R: Real, M: Maths<R>, const K: usize>(
    targets: Rows<'_, R>,
    start: usize,
    values: &mut Block<R>,
    mut slope: RowsMut<'_, R>,
    sources: Rows<'_, R>,
    first: usize,
    scale: R,
    weights: &mut impl Iterator<Item = (R, R)>,
) -> usize {
    let (mut padded, mut padded_sums, mut few) = ([R::ZERO; LANES], [R::ZERO; LANES], [R::ZERO; K]);
    // squared distances, then what the slopes are weighted with
    let mut pairs = [[R::ZERO; LANES]; K];
    for (target, source) in targets.iter().zip(sources.iter()) {
        let (y, x) = (load(target, start, &mut padded), load(source, first, &mut few));
        for lane in 0..LANES {
            for k in 0..K {
                let dx = y[lane] - x[k];
                pairs[k][lane] = pairs[k][lane] + dx * dx;
            }
        }
    }
    for (pair, (weight, slope_weight)) in pairs.iter_mut().zip(weights) {
        for lane in 0..LANES {
            let e = M::exp2_nonpos(pair[lane] * scale);
            values[lane] = values[lane] + e * weight;
            pair[lane] = e * slope_weight;
        }
    }
    for ((target, source), row) in targets.iter().zip(sources.iter()).zip(slope.iter_mut()) {
        let (y, x) = (load(target, start, &mut padded), load(source, first, &mut few));
        let mut slopes = *load(row, start, &mut padded_sums);
        for lane in 0..LANES {
            for k in 0..K {
                slopes[lane] = slopes[lane] + pairs[k][lane] * (y[lane] - x[k]);
            }
        }
        store(row, start, &slopes);
    }
    K
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
        weights: &[(R, R)],
        scale: R,
        value: &mut [R],
        slope: &mut [Vec<R>],
    ) {
        for i in 0..value.len() {
            for s in 0..weights.len() {
                let mut r2 = R::ZERO;
                for k in 0..y.len() {
                    let dx = y[k][i] - x[k][s];
                    r2 = r2 + dx * dx;
                }
                let e = M::exp2_nonpos(r2 * scale);
                value[i] = value[i] + e * weights[s].0;
                for k in 0..y.len() {
                    slope[k][i] = slope[k][i] + e * weights[s].1 * (y[k][i] - x[k][s]);
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
        weights: &'a [(R, R)],
        maths: core::marker::PhantomData<M>,
    }

    impl<R: Real, M: Maths<R>> crate::dispatch::Task for Sums<'_, R, M> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            let Self { targets, value, slope, sources, scale, weights, .. } = self;
            add_gaussians::<R, M>(targets, value, slope, sources, scale, weights.iter().copied());
        }
    }

    fn compare<R: Real, M: Maths<R>>() {
        // both zeros and a subnormal number among them
        let number = |seed: usize| match (seed * 7919 + 13) % 1009 {
            0..30 => -R::ZERO,
            30..60 => R::ZERO,
            60..90 => R::from_f64(-1e-40),
            number => R::from_f64(number as f64 / 300.0 - 1.6),
        };
        let bits = |values: &[R]| -> Vec<u64> { values.iter().map(|x| x.to_f64().to_bits()).collect() };
        for dim in 1..=5 {
            for (n, m) in [(1, 4), (2, 0), (15, 7), (16, 8), (17, 9), (33, 1), (64, 67)] {
                let points = |count: usize, salt: usize| -> Vec<Vec<R>> {
                    (0..dim).map(|k| (0..count).map(|i| number(i * 5 + k * 101 + salt)).collect()).collect()
                };
                let (y, x) = (points(n, 1), points(m, 2));
                // more than there are sources
                let weights: Vec<(R, R)> = (0..m + 9).map(|s| (number(s + 77), number(s + 300))).collect();
                let scale = scale(R::from_f64(0.8));
                let (flat_y, flat_x) = (y.concat(), x.concat());
                let (mut value, mut slope) = (std::vec![-R::ZERO; n], std::vec![-R::ZERO; n * dim]);
                let (mut naive_value, mut naive_slope) = (value.clone(), std::vec![std::vec![-R::ZERO; n]; dim]);
                crate::dispatch::widest(Sums {
                    targets: Rows::new(&flat_y, n, dim, n).unwrap(),
                    value: &mut value,
                    slope: RowsMut::new(&mut slope, n, dim, n).unwrap(),
                    sources: Rows::new(&flat_x, m, dim, m).unwrap(),
                    scale,
                    weights: &weights,
                    maths: core::marker::PhantomData::<M>,
                });
                naive::<R, M>(&y, &x, &weights[..m], scale, &mut naive_value, &mut naive_slope);
                assert_eq!(bits(&value), bits(&naive_value), "dim {dim}, {m} at {n}");
                assert_eq!(bits(&slope), bits(&naive_slope.concat()), "dim {dim}, {m} at {n}");
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
        #[cfg(feature = "dispatch")]
        let _alone = crate::dispatch::alone();
        all();
        #[cfg(feature = "dispatch")]
        for path in crate::dispatch::Path::ALL {
            if crate::dispatch::force(Some(path)) {
                all();
            }
        }
        #[cfg(feature = "dispatch")]
        crate::dispatch::force(None);
    }

    /// The error of the kernel's exponential against the true one: relative bound growing with the exponent, absolute
    /// bound.
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
