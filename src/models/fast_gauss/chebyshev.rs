//! A Gaussian between two cells of a grid, in Chebyshev polynomials: what `FastGauss` computes with, and its error.
//!
//! # The expansion
//! One component first. Cells have width `w`, and `r = w / (2 h)`; a source of the cell `s` stands at `b` in [-1, 1]
//! (in half widths from the centre), a target of the cell `s + o` at `a`. With `phi(t) = exp(-t^2 / 2)` their Gaussian
//! is `g(a, b) = phi(2 r o + r (a - b))`, and
//!
//! ```text
//! g(a, b) ~ sum_lk A_lk T_l(a) T_k(b)         l, k < p; A the interpolation of g in p x p Chebyshev points, by two
//!                                             cosine sums
//! moments   M_k = sum_j w_j T_k(b_j)          of a cell's sources
//! local     L_l = sum_k A_lk M_k              of a cell's targets, added up over the cells around
//! result    V(a) = sum_l L_l T_l(a)           and its derivative, by T'
//! ```
//!
//! In `D` components the Gaussian is the product, the coefficients are `p^D`, and `A` is applied one component after
//! another.
//!
//! # The error
//! The Chebyshev coefficients of a smooth `f` on [-1, 1] are (Rodrigues' formula, integrated by parts `k` times) `c_k =
//! s_k / (2^k k!)` times a weighted mean of its `k`-th derivative; `s_0 = 1`, else 2. By Cramér's inequality `|phi^(k)|
//! <= K sqrt(k!)`, `K < 1.0865`; so, for every `o` and every fixed `b`, the coefficients of `g` in `a` are within `B_k
//! = K s_k (r/2)^k / sqrt(k!)`, those in `b` likewise.
//!
//! The interpolation `I` in `p` points replaces `T_k` by itself for `k < p`, by 0 for `k = p`, by some `+-T_j` with `j
//! < p` or 0 for `k > p`. As `|T_k| <= 1`, `|T_k'| <= k^2` on [-1, 1], `I g - g` in one of the variables, its
//! derivative by the target, and that of the interpolation in `b`, in which the derivative itself (`|phi^(k+1)|`) is
//! interpolated, are within
//!
//! ```text
//! E = B_p + 2 sum_(k>p) B_k
//! F = (p^2 B_p + sum_(k>p) (k^2 + p^2) B_k) / r
//! G = sqrt(p+1) B_p + 2 sum_(k>p) sqrt(k+1) B_k
//! ```
//!
//! the derivatives in units of `1/h`. In both variables `I_a I_b - 1 = (I_a - 1) + (I_b - 1) + (I_a - 1)(I_b - 1)`, and
//! the last term is made of coefficients within `K s_l s_k (r/2)^(l+k) sqrt((l+k)!) / (l! k!)`, at most `K C_l C_k`
//! with `C_k = s_k (r / sqrt 2)^k / sqrt(k!)`, for `(l+k)! <= 2^(l+k) l! k!`. With `X = 2 sum_(k>=p) C_k` and `Y =
//! sum_(k>=p) (k^2 + p^2) C_k / r`
//!
//! ```text
//! value           e0 = 2 E + K X^2
//! derivative      e1 = F + G + K X Y
//! ```
//!
//! In `D` components, as `|phi| <= 1` and `|phi'| < 0.607`: `(1 + e0)^D - 1` for the value, and for each component of
//! the gradient `e1 (1 + e0)^(D-1) + 0.607 ((1 + e0)^(D-1) - 1)`. The order is the least `p` from which on both are
//! within the tolerance. What lies beyond `k = 64` is left out: below 1e-40 for `r <= 1`.

use crate::maths::{Maths, Portable};
use crate::models::kernel::at;
use crate::rows::{count, indices, pieces};

/// Particles that are worked on side by side. Any value gives the same bits for targets; it is part of no result.
pub(super) const LANES: usize = 16;
/// Coefficients of the last component stand in rows of a multiple of this many, zeros at the end: for vector registers.
const CHUNK: usize = 4;
/// The last term of the series that is summed.
const TERMS: usize = 64;
/// Cramér's constant.
const CRAMER: f64 = 1.0865;

/// The least order from which on the bounds above are within `tolerance`, and the larger of them there. `None` if there
/// is none.
pub(super) fn order(r: f64, dim: usize, tolerance: f64) -> Option<(usize, f64)> {
    // 1/sqrt(k!) times s_k and the powers of r/2 and of r/sqrt 2
    let mut terms = [(0.0, 0.0); TERMS + 1];
    let (mut term, mut k) = ((CRAMER, 1.0), 0.0);
    for slot in &mut terms {
        *slot = term;
        let first = if k == 0.0 { 2.0 } else { 1.0 };
        k += 1.0;
        term = (term.0 * (first * r / 2.0 / libm::sqrt(k)), term.1 * (first * r / libm::sqrt(2.0 * k)));
    }
    // the sums over k > p
    let (mut b, mut b_root, mut b_square, mut c, mut c_square) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let mut found = None;
    for p in (1..=TERMS).rev() {
        let (Some((b_p, c_p)), k) = (terms.get(p).copied(), count::<f64>(p)) else { continue };
        let (e, f) = (b_p + 2.0 * b, (k * k * (b_p + b) + b_square) / r);
        let g = libm::sqrt(k + 1.0) * b_p + 2.0 * b_root;
        let (x, y) = (2.0 * (c_p + c), (k * k * (2.0 * c_p + c) + c_square) / r);
        let (e0, e1) = (2.0 * e + CRAMER * x * x, f + g + CRAMER * x * y);
        let others = crate::models::mixture::power(1.0 + e0, dim.saturating_sub(1));
        let (value, slope) = (others * (1.0 + e0) - 1.0, e1 * others + 0.607 * (others - 1.0));
        let bound = if value > slope { value } else { slope };
        if bound > tolerance {
            break;
        }
        found = Some((p, bound));
        (b, b_root, b_square) = (b + b_p, b_root + libm::sqrt(k + 1.0) * b_p, b_square + k * k * b_p);
        (c, c_square) = (c + c_p, c_square + k * k * c_p);
    }
    found
}

/// The shape of the coefficients: `p` for each of the last `D` of three components, one for those before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    pub(super) orders: [usize; 3],
    /// Length of a row of the last component.
    pub(super) row: usize,
}

impl Shape {
    pub(super) fn new(order: usize, dim: usize) -> Self {
        let inner = |active: bool| if active { order } else { 1 };
        Self { orders: [inner(dim >= 3), inner(dim >= 2), order], row: order.div_ceil(CHUNK).saturating_mul(CHUNK) }
    }

    /// Coefficients of a cell.
    pub(super) fn size(&self) -> usize {
        let [first, second, _] = self.orders;
        first.saturating_mul(second).saturating_mul(self.row)
    }

    /// Values of the matrix `A` of one offset.
    pub(super) fn matrix(&self) -> usize {
        let [.., order] = self.orders;
        order.saturating_mul(self.row)
    }

    /// Values that a product packs its scalars in.
    pub(super) fn packed(&self) -> usize {
        let [.., order] = self.orders;
        order.max(LANES).saturating_mul(CHUNK)
    }

    /// Values of the polynomials of three components at `LANES` points.
    pub(super) fn lanes(&self) -> usize {
        self.orders.iter().fold(0, |sum: usize, order| sum.saturating_add(*order)).saturating_mul(LANES)
    }
}

/// The pieces of `len` values, in order, as [`pieces`]; the last may be shorter.
#[inline(always)]
pub(super) fn pieces_mut(mut values: &mut [f64], len: usize) -> impl Iterator<Item = &mut [f64]> {
    core::iter::from_fn(move || {
        let whole = core::mem::take(&mut values);
        if whole.is_empty() || len == 0 {
            return None;
        }
        let (piece, rest) = if len < whole.len() { whole.split_at_mut_checked(len)? } else { (whole, &mut [][..]) };
        values = rest;
        Some(piece)
    })
}

/// `to[i][..] += sum_k scalar(i, k) from[k][..]`, in rows of `len`, a multiple of [`CHUNK`], `k` ascending for as long
/// as `packed` has chunks and `from` rows. All the work that grows with the coefficients is this product of matrices:
/// four by four sums stay in registers.
#[inline(always)]
fn add_product(to: &mut [f64], from: &[f64], len: usize, packed: &mut [f64], scalar: impl Fn(usize, usize) -> f64) {
    for (block, to) in indices().zip(pieces_mut(to, len.saturating_mul(CHUNK))) {
        for (k, chunk) in indices().zip(pieces_mut(packed, CHUNK)) {
            for (i, slot) in indices().zip(chunk.iter_mut()) {
                *slot = scalar(block.wrapping_mul(CHUNK).wrapping_add(i), k);
            }
        }
        for start in (0..len).step_by(CHUNK) {
            let end = start.saturating_add(CHUNK);
            let mut sums = [[0.0; CHUNK]; CHUNK];
            for (scalars, row) in pieces(packed, CHUNK).zip(pieces(from, len)) {
                let vector = row.get(start..end).and_then(|part| <&[f64; CHUNK]>::try_from(part).ok());
                let (Some(vector), Ok(scalars)) = (vector, <&[f64; CHUNK]>::try_from(scalars)) else { continue };
                for i in 0..CHUNK {
                    for j in 0..CHUNK {
                        sums[i][j] += scalars[i] * vector[j];
                    }
                }
            }
            for (sums, row) in sums.iter().zip(pieces_mut(to, len)) {
                for (to, sum) in row.get_mut(start..end).unwrap_or(&mut []).iter_mut().zip(sums) {
                    *to += sum;
                }
            }
        }
    }
}

/// The matrices of the offsets `-reach ..= reach`, one after another, each as rows over `l` for `k` ascending. `work`
/// holds two matrices and what a product needs.
pub(super) fn matrices(shape: &Shape, r: f64, reach: usize, work: &mut [f64], out: &mut [f64]) {
    let [.., order] = shape.orders;
    let count = count::<f64>;
    let (packed, work) = work.split_at_mut_checked(shape.packed()).unwrap_or((&mut [], &mut []));
    let (cosines, half) = work.split_at_mut_checked(shape.matrix()).unwrap_or((&mut [], &mut []));
    // the normalised polynomials at the points, rows over k: s_k/p cos(pi k (2 i + 1) / (2 p)); the angle is reduced
    // before the cosine
    for (i, row) in indices().zip(pieces_mut(cosines, shape.row)) {
        for (k, cosine) in indices().zip(row.iter_mut()) {
            let turns = k.wrapping_mul(i.wrapping_mul(2).wrapping_add(1)) % order.saturating_mul(4).max(1);
            let norm = if k == 0 { 1.0 } else { 2.0 } / count(order);
            let cosine_of = libm::cos(core::f64::consts::PI * count(turns) / count(order.saturating_mul(2)));
            *cosine = if k < order { norm * cosine_of } else { 0.0 };
        }
    }
    let (before, after) = out.split_at_mut_checked(reach.saturating_mul(shape.matrix())).unwrap_or((&mut [], &mut []));
    for (o, matrix) in indices().zip(pieces_mut(after, shape.matrix())) {
        // half: for each source point j, the row over l; matrix: for each k, the row over l
        half.fill(0.0);
        matrix.fill(0.0);
        // the points are T_1 there, of which the table has 2/p times
        let point = |i: usize| at(cosines, i.wrapping_mul(shape.row).wrapping_add(1)) * (count(order) / 2.0);
        let gaussian = |j: usize, i: usize| {
            let t = 2.0 * r * count(o) + r * (point(i) - point(j));
            Portable::exp2_nonpos(t * t * (-0.5 * core::f64::consts::LOG2_E))
        };
        add_product(half, cosines, shape.row, packed, gaussian);
        add_product(matrix, half, shape.row, packed, |k, j| at(cosines, j.wrapping_mul(shape.row).wrapping_add(k)));
    }
    // A of -o is A of o with the sign of (-1)^(l + k)
    for (o, matrix) in indices().zip(pieces(after, shape.matrix())).skip(1) {
        let begin = reach.saturating_sub(o).saturating_mul(shape.matrix());
        let mirrored = before.get_mut(begin..).unwrap_or(&mut []);
        for (k, (to, from)) in indices().zip(pieces_mut(mirrored, shape.row).zip(pieces(matrix, shape.row))) {
            for (l, (to, from)) in indices().zip(to.iter_mut().zip(from)) {
                *to = if (l ^ k) & 1 == 0 { *from } else { -*from };
            }
        }
    }
}

/// `T_k` at the points, a row of lanes for each `k`; and `T'_k`, if there is room for them.
#[inline(always)]
fn polynomials(points: &[f64; LANES], values: &mut [f64], slopes: &mut [f64]) {
    let twice = points.map(|u| u + u);
    let (mut before, mut now) = (*points, [1.0; LANES]);
    for row in pieces_mut(values, LANES) {
        let Ok(row) = <&mut [f64; LANES]>::try_from(row) else { continue };
        for lane in 0..LANES {
            row[lane] = now[lane];
            (before[lane], now[lane]) = (now[lane], twice[lane] * now[lane] - before[lane]);
        }
    }
    let (mut before, mut now) = ([1.0; LANES], [0.0; LANES]);
    for (row, values) in pieces_mut(slopes, LANES).zip(pieces(values, LANES)) {
        let (Ok(row), Ok(values)) = (<&mut [f64; LANES]>::try_from(row), <&[f64; LANES]>::try_from(values)) else {
            continue;
        };
        for lane in 0..LANES {
            row[lane] = now[lane];
            let next = 2.0 * values[lane] + (twice[lane] * now[lane] - before[lane]);
            (before[lane], now[lane]) = (now[lane], next);
        }
    }
}

/// The polynomials of three components at a block of points: views into scratch.
#[inline(always)]
fn split<'t>(shape: &Shape, mut values: &'t mut [f64]) -> [&'t mut [f64]; 3] {
    shape.orders.map(|order| {
        let whole = core::mem::take(&mut values);
        let (part, rest) = whole.split_at_mut_checked(order.saturating_mul(LANES)).unwrap_or((&mut [], &mut []));
        values = rest;
        part
    })
}

/// Points of a cell: three rows (empty ones are all zero), the cell's centre, and what a length is multiplied by to be
/// in half widths.
pub(super) struct Points<'a> {
    pub(super) rows: [&'a [f64]; 3],
    pub(super) centre: [f64; 3],
    pub(super) inverse: f64,
}

impl Points<'_> {
    /// The block of points from `start`, of which `live` count; the others are at the centre.
    #[inline(always)]
    fn block(&self, axis: usize, start: usize, live: usize) -> [f64; LANES] {
        let mut block = [0.0; LANES];
        let (row, centre) = (self.rows.get(axis).copied().unwrap_or(&[]), at(&self.centre, axis));
        let end = start.saturating_add(live);
        for (lane, x) in block.iter_mut().zip(row.get(start..end).unwrap_or(&[])) {
            *lane = (*x - centre) * self.inverse;
        }
        block
    }
}

/// Adds the moments of weighted points, in blocks of 16 in their order, to `moments`. `tables` holds the polynomials,
/// `lines` those of the last component point by point.
#[inline(always)]
pub(super) fn gather(
    shape: &Shape,
    points: &Points<'_>,
    weights: &[f64],
    tables: &mut [f64],
    lines: &mut [f64],
    packed: &mut [f64],
    moments: &mut [f64],
) {
    let [first, second, third] = split(shape, tables);
    let packed = packed.get_mut(..LANES * CHUNK).unwrap_or(&mut []);
    for (block, weights) in indices().zip(weights.chunks(LANES)) {
        let start = block.wrapping_mul(LANES);
        polynomials(&points.block(0, start, weights.len()), first, &mut []);
        polynomials(&points.block(1, start, weights.len()), second, &mut []);
        polynomials(&points.block(2, start, weights.len()), third, &mut []);
        for (lane, line) in indices().zip(pieces_mut(lines, shape.row)) {
            for (slot, row) in line.iter_mut().zip(pieces(third, LANES)) {
                *slot = at(row, lane);
            }
        }
        let plane = moments.len() / (first.len() / LANES).max(1);
        for (a, moments) in pieces(first, LANES).zip(pieces_mut(moments, plane)) {
            // lanes past the end have no weight
            let mut outer = [0.0; LANES];
            for ((outer, a), weight) in outer.iter_mut().zip(a).zip(weights) {
                *outer = weight * a;
            }
            add_product(moments, lines, shape.row, packed, |k, lane| {
                at(&outer, lane) * at(second, k.wrapping_mul(LANES).wrapping_add(lane))
            });
        }
    }
}

/// Adds the last component's part of the translation: `to[..][l] += sum_k A_lk from[..][k]`.
#[inline(always)]
pub(super) fn last(shape: &Shape, matrix: &[f64], from: &[f64], packed: &mut [f64], to: &mut [f64]) {
    add_product(to, matrix, shape.row, packed, |line, k| at(from, line.wrapping_mul(shape.row).wrapping_add(k)));
}

/// Adds an earlier component's part, of which `inner` values stand together: `to[..][l][..] += sum_k A_lk
/// from[..][k][..]`.
#[inline(always)]
pub(super) fn earlier(shape: &Shape, inner: usize, matrix: &[f64], from: &[f64], packed: &mut [f64], to: &mut [f64]) {
    let [.., order] = shape.orders;
    let plane = order.saturating_mul(inner);
    for (to, from) in pieces_mut(to, plane).zip(pieces(from, plane)) {
        add_product(to, from, inner, packed, |l, k| at(matrix, k.wrapping_mul(shape.row).wrapping_add(l)));
    }
}

/// Adds the local expansion at the points to `value`, and `slope_unit` times its derivative in half widths to `slopes`,
/// of which there are three rows.
#[inline(always)]
pub(super) fn scatter(
    shape: &Shape,
    points: &Points<'_>,
    local: &[f64],
    tables: (&mut [f64], &mut [f64]),
    slope_unit: f64,
    value: &mut [f64],
    slopes: &mut [&mut [f64]; 3],
) {
    let [first, second, third] = split(shape, tables.0);
    let [first_slopes, second_slopes, third_slopes] = split(shape, tables.1);
    let fused = |to: &mut [f64; LANES], a: &[f64; LANES], b: &[f64]| {
        for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
            *to += a * b;
        }
    };
    for (block, value) in indices().zip(value.chunks_mut(LANES)) {
        let start = block.wrapping_mul(LANES);
        polynomials(&points.block(0, start, value.len()), first, first_slopes);
        polynomials(&points.block(1, start, value.len()), second, second_slopes);
        polynomials(&points.block(2, start, value.len()), third, third_slopes);
        // v, and its derivatives in the three components; the same of a plane and of a line, in fewer components
        let (mut v, mut d) = ([0.0; LANES], [[0.0; LANES]; 3]);
        let mut lines = pieces(local, shape.row);
        for (a, a_slope) in pieces(first, LANES).zip(pieces(first_slopes, LANES)) {
            let (mut plane, mut plane_second, mut plane_third) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
            for ((b, b_slope), line) in pieces(second, LANES).zip(pieces(second_slopes, LANES)).zip(&mut lines) {
                let (mut sum, mut sum_slope) = ([0.0; LANES], [0.0; LANES]);
                for ((c, c_slope), l) in pieces(third, LANES).zip(pieces(third_slopes, LANES)).zip(line) {
                    fused(&mut sum, &[*l; LANES], c);
                    fused(&mut sum_slope, &[*l; LANES], c_slope);
                }
                fused(&mut plane, &sum, b);
                fused(&mut plane_second, &sum, b_slope);
                fused(&mut plane_third, &sum_slope, b);
            }
            fused(&mut v, &plane, a);
            let [d0, d1, d2] = &mut d;
            fused(d0, &plane, a_slope);
            fused(d1, &plane_second, a);
            fused(d2, &plane_third, a);
        }
        for (to, v) in value.iter_mut().zip(v) {
            *to += v;
        }
        for (row, d) in slopes.iter_mut().zip(d) {
            for (to, d) in row.get_mut(start..).unwrap_or(&mut []).iter_mut().zip(d) {
                *to += slope_unit * d;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// `T_k(u)`, by its definition.
    fn polynomial(k: usize, u: f64) -> f64 {
        (count::<f64>(k) * u.acos()).cos()
    }

    #[test]
    fn polynomials_and_their_slopes_are_those_of_chebyshev() {
        let mut points = [0.0; LANES];
        for (i, u) in indices().zip(points.iter_mut()) {
            *u = -0.95 + 0.12 * count::<f64>(i);
        }
        let (mut values, mut slopes) = (std::vec![9.0; 9 * LANES], std::vec![9.0; 9 * LANES]);
        polynomials(&points, &mut values, &mut slopes);
        for k in 0..9 {
            for (i, u) in points.iter().enumerate() {
                assert!((values[k * LANES + i] - polynomial(k, *u)).abs() < 1e-13, "T_{k}({u})");
                // T_k' = k sin(k t) / sin t at u = cos t
                let (t, k_f) = (u.acos(), count::<f64>(k));
                let slope = k_f * (k_f * t).sin() / t.sin();
                assert!((slopes[k * LANES + i] - slope).abs() < 1e-11, "T_{k}'({u})");
            }
        }
    }

    /// Two cells, one component: moments, translation and local expansion give the Gaussian, at either side.
    #[test]
    fn the_matrices_interpolate_the_gaussian() {
        let (r, reach, order) = (0.8, 2usize, 16);
        let shape = Shape::new(order, 1);
        let mut work = std::vec![0.0; 2 * shape.matrix() + shape.packed()];
        let mut out = std::vec![9.0; shape.matrix() * (2 * reach + 1)];
        matrices(&shape, r, reach, &mut work, &mut out);
        for (slot, o) in (-2i32..=2).enumerate() {
            let matrix = &out[slot * shape.matrix()..];
            for (a, b) in [(0.3, -0.7), (-1.0, 1.0), (0.9, 0.2)] {
                let mut sum = 0.0;
                for k in 0..order {
                    for l in 0..order {
                        sum += matrix[k * shape.row + l] * polynomial(l, a) * polynomial(k, b);
                    }
                }
                let t = 2.0 * r * f64::from(o) + r * (a - b);
                assert!((sum - (-0.5 * t * t).exp()).abs() < 1e-9, "{o}: {a} {b}");
            }
        }
    }

    /// As exact as rounding allows, which takes angles that are reduced; zeros after the end of a row.
    #[test]
    fn the_matrices_have_no_error_but_rounding_and_zeros_at_the_end_of_rows() {
        let (r, order) = (1.0, 23);
        let shape = Shape::new(order, 1);
        let mut work = std::vec![f64::NAN; 2 * shape.matrix() + shape.packed()];
        let mut out = std::vec![f64::NAN; shape.matrix()];
        matrices(&shape, r, 0, &mut work, &mut out);
        let mut worst = 0.0f64;
        for k in 0..order {
            for l in 0..shape.row {
                let a = out[k * shape.row + l];
                if l >= order {
                    assert_eq!(a, 0.0, "{k} {l}");
                } else if (k + l) % 2 == 1 {
                    // an even function of (a, b)
                    worst = worst.max(a.abs());
                }
            }
        }
        assert!(worst < 3e-16, "{worst:e}");
    }

    /// In three components, with a block and a part of one: sums of products of polynomials.
    #[test]
    fn moments_and_local_expansions_are_the_sums_documented() {
        let (n, order) = (21usize, 5usize);
        let shape = Shape::new(order, 3);
        let place = |i: usize, k: usize| 3.0 + 0.25 * ((count::<f64>(i * 7 + k * 3) * 0.37).sin());
        let rows: Vec<Vec<f64>> = (0..3).map(|k| (0..n).map(|i| place(i, k)).collect()).collect();
        let points = Points { rows: [&rows[0], &rows[1], &rows[2]], centre: [3.0; 3], inverse: 4.0 };
        let weights: Vec<f64> = (0..n).map(|i| 1.0 - 0.13 * count::<f64>(i)).collect();
        let t = |i: usize, axis: usize, k: usize| polynomial(k, ((rows[axis][i] - 3.0) * 4.0).clamp(-1.0, 1.0));
        let mut tables = std::vec![0.0; shape.lanes()];
        let (mut lines, mut packed) = (std::vec![0.0; shape.row * LANES], std::vec![0.0; shape.packed()]);
        let mut moments = std::vec![0.0; shape.size()];
        gather(&shape, &points, &weights, &mut tables, &mut lines, &mut packed, &mut moments);
        let slot = |a: usize, b: usize, c: usize| (a * order + b) * shape.row + c;
        let all = || (0..order).flat_map(|a| (0..order).flat_map(move |b| (0..order).map(move |c| (a, b, c))));
        for (a, b, c) in all() {
            let exact: f64 = (0..n).map(|i| weights[i] * t(i, 0, a) * t(i, 1, b) * t(i, 2, c)).sum();
            assert!((moments[slot(a, b, c)] - exact).abs() < 1e-12, "{a} {b} {c}");
        }
        // the moments serve as some local expansion
        let mut more = std::vec![0.0; shape.lanes()];
        let (mut value, mut slopes) = (std::vec![0.5; n], std::vec![std::vec![0.25; n]; 3]);
        let [x, y, z] = &mut slopes[..] else { unreachable!() };
        let mut views: [&mut [f64]; 3] = [x, y, z];
        scatter(&shape, &points, &moments, (&mut tables, &mut more), 2.0, &mut value, &mut views);
        for i in 0..n {
            let exact: f64 = all().map(|(a, b, c)| moments[slot(a, b, c)] * t(i, 0, a) * t(i, 1, b) * t(i, 2, c)).sum();
            assert!((value[i] - 0.5 - exact).abs() < 1e-10 * (1.0 + exact.abs()), "{i}");
            let u = |axis: usize| (rows[axis][i] - 3.0) * 4.0;
            let angle = u(1).acos();
            let slope = |k: usize| count::<f64>(k) * (count::<f64>(k) * angle).sin() / angle.sin();
            let exact: f64 = all().map(|(a, b, c)| moments[slot(a, b, c)] * t(i, 0, a) * slope(b) * t(i, 2, c)).sum();
            assert!((slopes[1][i] - 0.25 - 2.0 * exact).abs() < 1e-9 * (1.0 + exact.abs()), "{i}");
        }
    }
}
