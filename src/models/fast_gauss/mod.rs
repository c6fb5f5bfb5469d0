//! Sums of Gaussians in O(n): cells, and expansions between them.

mod cells;
mod chebyshev;
mod near;

use super::kernel::{add_gaussians, at, scale};
use crate::dispatch::{Task, widest};
use crate::error::parameter;
use crate::maths::{Maths, Portable};
use crate::rows::{count, pieces};
use crate::{Error, Field, Quantity, Rows};
use cells::{Sorted, Sources, index, sort};
use chebyshev::{LANES, Shape};
use core::mem::take;
use near::{Around, Tables};

/// Positions may be as large as this many cell widths: far below overflow of their squares and differences.
const FARTHEST: f64 = 1e100;
/// Components of a particle for which there is a fast sum.
const MAX_DIM: usize = 3;
/// Cost of a pair, in multiply-adds of an expansion. This and the costs below are estimates from timings with AVX-512:
/// they decide what is faster, never how exact it is.
const PAIR: u64 = 12;
/// Cost of sorting and copying a particle in one component, in pairs. In `D` components, with looking around, about
/// `D^2` times that.
const SORT: u64 = 64;
/// Of more pairs than these, whether cells are worth while is not asked.
const SURVEYED: u64 = 1 << 30;
/// Moments take at most this many values a source.
const MOMENTS: usize = 32;

/// Sums of Gaussians and their gradients at every target, within a tolerance, in time O(n).
///
/// For targets `y_i`, sources `x_j` and weights `w_j`, in one to three components, `f64`:
///
/// ```text
/// V_i      = sum_j w_j exp(-|y_i - x_j|^2 / (2 h^2))
/// grad V_i = - sum_j w_j exp(-|y_i - x_j|^2 / (2 h^2)) (y_i - x_j) / h^2
/// |V_i - exact| <= tolerance sum |w_j|             |d_k V_i - exact| <= (tolerance / h) sum |w_j|, each component k
/// ```
///
/// and rounding on top of it: see below.
///
/// # Method
/// Space is divided into cells of width `w`, a power of two near the bandwidth; only cells with particles in them
/// exist, sorted. For each cell of targets and each cell of sources whose gap is below the *radius*, either all pairs
/// are summed, or the sources' *moments* are turned into a *local expansion* for the targets, whichever costs less;
/// cells farther apart count nothing. With the gap `d` the part left out is below `e^(-d^2/2h^2)` of the weights, and
/// in the gradient `(d/h) e^(-d^2/2h^2)` for `d >= h`: the squared radius, in cells, is the least integer for which
/// both are within the tolerance. The order `p` of the expansions is the least whose bound is, which `chebyshev.rs`
/// derives. A pair has one of the two errors, never both, so the tolerance is not divided.
///
/// Cells are found by rounding `x / w`, and `x - c w` is exact, because `w` is a power of two: positions may be large,
/// and far apart.
///
/// # Cost
/// O(targets + sources), with a factor that grows as `log(1/tolerance)^D` and more, and memory of the caller's:
/// [`words`](Self::words), [`values`](Self::values). Where that is estimated to be faster (few particles, or so few in
/// each cell that neither the radius nor expansions save anything), all pairs are summed, in the order of the other
/// energies and with no error but rounding: the [`Summary`] tells.
///
/// # Rounding
/// It is no part of the bound. An estimate, not proved: within `(n + 8 p^2) 2^-53 sum |w_j|`, `n` for the sums as in a
/// sum over pairs, `p` (below 24) for the polynomials; with a tolerance of 1e-12 no error in the tests exceeds 5e-14.
/// The bits are the same on every target and path, and change with the order in which particles stand in their slots.
///
/// ```
/// use birth_death::{Field, Rows, RowsMut, models::FastGauss};
/// let x: Vec<f64> = (0..5000).map(|i| (f64::from(i) * 0.7).sin()).collect();
/// let weights = vec![1.0 / 5000.0; 5000];
/// let fast = FastGauss::new(1, 0.1, 1e-6)?;
/// let (mut words, mut values) = (vec![0; fast.words(5000, 5000)], vec![0.0; fast.values(5000, 5000)]);
/// let (mut v, mut g) = (vec![0.0; 5000], vec![0.0; 5000]);
/// let rows = Rows::new(&x, 5000, 1, 5000)?;
/// let field = Field::new(&mut v, RowsMut::new(&mut g, 5000, 1, 5000)?)?;
/// let summary = fast.evaluate(rows, rows, &weights, &mut words, &mut values, field)?;
/// let exact: f64 = x.iter().map(|x_j| (-(x[7] - x_j).powi(2) / 0.02).exp() / 5000.0).sum();
/// assert!((v[7] - exact).abs() < 1e-6 && summary.bound <= 1e-6);
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FastGauss {
    dim: usize,
    bandwidth: f64,
    width: f64,
    /// The least squared gap of cells, in widths, that is left out.
    gap: u32,
    shape: Shape,
    bound: f64,
}

/// How a sum was made.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Cells or pairs.
    pub method: Method,
    /// Cells with sources in them.
    pub cells: usize,
    /// Moments of one cell turned into the local expansion of another.
    pub translations: u64,
    /// Pairs summed one by one.
    pub pairs: u64,
    /// What the error is within, relative to `sum |w_j|` (the gradient's: times `h`), before rounding: at most the
    /// tolerance; zero for pairs.
    pub bound: f64,
}

/// The way in which a sum was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Cells and expansions.
    Cells,
    /// Every pair: so few particles that nothing is faster.
    Pairs,
}

impl FastGauss {
    /// Sums in `dim` components with `h = bandwidth`, within `tolerance`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a dimension that is not 1, 2 or 3, a bandwidth outside [1e-100, 1e100] or a tolerance
    /// outside [1e-14, 1).
    pub fn new(dim: usize, bandwidth: f64, tolerance: f64) -> Result<Self, Error> {
        parameter("dimension", count::<f64>(dim), "1, 2 or 3", |_| (1..=MAX_DIM).contains(&dim))?;
        parameter("bandwidth", bandwidth, "1e-100 <= h <= 1e100", |h| (1e-100..=1e100).contains(&h))?;
        let accepted = "1e-14 <= tolerance < 1";
        parameter("tolerance", tolerance, accepted, |t| (1e-14..1.0).contains(&t))?;
        // the largest power of two that is at most twice the bandwidth: the exponent's bits alone
        let width = f64::from_bits((2.0 * bandwidth).to_bits() & (0x7ff << 52));
        let cut = |gap: u32| {
            let squared = f64::from(gap) * (width / bandwidth) * (width / bandwidth);
            let slope = if squared > 1.0 { libm::sqrt(squared) } else { 1.0 };
            slope * Portable::exp2_nonpos(squared * (-0.5 * core::f64::consts::LOG2_E))
        };
        // ends: the width is more than the bandwidth, so that 128 leaves less than 1e-26
        let gap = (1..128).find(|gap| cut(*gap) <= tolerance).unwrap_or(128);
        let expansion = chebyshev::order(width / (2.0 * bandwidth), dim, tolerance);
        let (order, error) = expansion.ok_or(Error::Parameter { name: "tolerance", value: tolerance, accepted })?;
        let bound = if error > cut(gap) { error } else { cut(gap) };
        Ok(Self { dim, bandwidth, width, gap, shape: Shape::new(order, dim), bound })
    }

    /// Polynomials a component, `p`.
    pub const fn order(&self) -> usize {
        let [.., order] = self.shape.orders;
        order
    }

    /// The width of a cell.
    pub const fn width(&self) -> f64 {
        self.width
    }

    /// Every pair at most this far apart is counted.
    pub fn radius(&self) -> f64 {
        libm::sqrt(f64::from(self.gap)) * self.width
    }

    /// What the error is within, relative to `sum |w_j|`, before rounding: at most the tolerance.
    pub const fn bound(&self) -> f64 {
        self.bound
    }

    /// Words of scratch that so many targets and sources need.
    pub const fn words(&self, targets: usize, sources: usize) -> usize {
        let particles = if targets > sources { targets } else { sources };
        particles.saturating_mul(2).saturating_add(sources).saturating_add(self.cursors()).saturating_add(1)
    }

    /// Values of scratch that so many targets and sources need.
    pub fn values(&self, targets: usize, sources: usize) -> usize {
        [
            self.dim.saturating_add(1).saturating_mul(sources),
            self.dim.saturating_mul(2).saturating_add(1).saturating_mul(targets),
            (sources / self.crowd().max(1)).saturating_mul(self.shape.size()),
            self.shape.size().saturating_mul(3),
            self.shape.matrix().saturating_mul(self.side().saturating_add(2)),
            self.shape.lanes().saturating_mul(2),
            self.shape.row.saturating_mul(LANES),
            self.shape.packed().saturating_mul(2),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    /// The largest difference of cell numbers in one component that counts: 11 at most.
    const fn reach(&self) -> usize {
        let (mut reach, mut next) = (1usize, 1u32);
        while next.saturating_mul(next) < self.gap && next < 12 {
            next = next.saturating_add(1);
            reach = reach.saturating_add(1);
        }
        reach
    }

    /// The number of differences.
    const fn side(&self) -> usize {
        self.reach().saturating_mul(2).saturating_add(1)
    }

    /// Lines of cells around one, by their differences in all components but the last: each has a cursor.
    const fn cursors(&self) -> usize {
        let side = self.side();
        match self.dim {
            1 => 1,
            2 => side,
            _ => side.saturating_mul(side),
        }
    }

    /// Multiply-adds of a translation: one component's for each pair of cells, the others' once for a line or a plane
    /// of them.
    fn translation(&self) -> u64 {
        wide(self.shape.size()).saturating_mul(wide(self.order())).saturating_mul(wide(self.dim.saturating_add(1))) / 2
    }

    /// Multiply-adds of evaluating the local expansion at so many targets, with slopes.
    fn evaluation(&self, targets: u64) -> u64 {
        targets.saturating_mul(
            wide(self.shape.size()).saturating_mul(2).saturating_add(wide(self.order()).saturating_mul(6)),
        )
    }

    /// A cell of so many sources gets moments.
    fn crowd(&self) -> usize {
        let size = self.shape.size() / MOMENTS;
        let worth = (1..u64::from(u16::MAX))
            .find(|n| n.saturating_mul(*n).saturating_mul(PAIR) >= self.translation())
            .unwrap_or(1);
        let worth = usize::try_from(worth).unwrap_or(1);
        if size > worth { size } else { worth }
    }

    /// Writes `V_i` and `grad V_i` into `out`.
    ///
    /// `words` and `values` are scratch of at least [`words`](Self::words) and [`values`](Self::values); what they hold
    /// does not matter.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for shapes that do not fit; [`Error::Capacity`] for too little scratch; [`Error::NotFinite`]
    /// for a position, [`Error::Parameter`] for a weight that is not finite or a position farther than 1e100 cells from
    /// zero. Nothing of `out` has changed then.
    pub fn evaluate(
        &self,
        targets: Rows<'_, f64>,
        sources: Rows<'_, f64>,
        weights: &[f64],
        words: &mut [u32],
        values: &mut [f64],
        out: Field<'_, f64>,
    ) -> Result<Summary, Error> {
        let (m, n) = (targets.len(), sources.len());
        for (what, expected, found) in [
            ("dimension of the targets", self.dim, targets.dim()),
            ("dimension of the sources", self.dim, sources.dim()),
            ("dimension of the field", self.dim, out.dim()),
            ("length of the field", m, out.len()),
            ("weights", n, weights.len()),
        ] {
            if expected != found {
                return Err(Error::Mismatch { what, expected, found });
            }
        }
        for (what, requested, capacity) in [
            ("words of scratch", self.words(m, n), words.len()),
            ("values of scratch", self.values(m, n), values.len()),
        ] {
            if requested > capacity {
                return Err(Error::Capacity { what, capacity, requested });
            }
        }
        for points in [targets, sources] {
            if let Some(i) = points.first_not_finite() {
                return Err(Error::NotFinite { quantity: Quantity::Position, particle: u32::try_from(i).ok() });
            }
            for x in points.iter().flatten() {
                let accepted = "at most 1e100 cell widths from zero";
                parameter("position", *x, accepted, |x| x.abs() <= FARTHEST * self.width)?;
            }
        }
        for weight in weights {
            parameter("weight", *weight, "a finite number", |_| true)?;
        }
        Ok(widest(Sum { plan: self, targets, sources, weights, words, values, out }))
    }
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Takes `len` values from the front.
fn carve<'t, T>(memory: &mut &'t mut [T], len: usize) -> &'t mut [T] {
    let (part, rest) = take(memory).split_at_mut_checked(len).unwrap_or((&mut [], &mut []));
    *memory = rest;
    part
}

/// The evaluation, everything checked.
struct Sum<'a> {
    plan: &'a FastGauss,
    targets: Rows<'a, f64>,
    sources: Rows<'a, f64>,
    weights: &'a [f64],
    words: &'a mut [u32],
    values: &'a mut [f64],
    out: Field<'a, f64>,
}

impl Task for Sum<'_> {
    type Output = Summary;

    #[inline(always)]
    fn run(mut self) -> Summary {
        let particles = wide(self.targets.len()).saturating_add(wide(self.sources.len()));
        let pairs = wide(self.targets.len()).saturating_mul(wide(self.sources.len()));
        let sorting =
            SORT.saturating_mul(wide(self.plan.dim).saturating_mul(wide(self.plan.dim))).saturating_mul(particles);
        let by_cells = if pairs <= sorting { None } else { self.by_cells(pairs.saturating_sub(sorting)) };
        // no closure: it would be compiled for the baseline
        match by_cells {
            Some(summary) => summary,
            None => {
                self.by_pairs();
                Summary { method: Method::Pairs, cells: 0, translations: 0, pairs, bound: 0.0 }
            }
        }
    }
}

impl Sum<'_> {
    #[inline(always)]
    fn by_pairs(&mut self) {
        let variance = self.plan.bandwidth * self.plan.bandwidth;
        let weights = self.weights;
        let (value, mut slope) = self.out.parts_mut();
        value.fill(0.0);
        slope.iter_mut().for_each(|row| row.fill(0.0));
        add_gaussians::<f64, Portable>(
            self.targets,
            value,
            slope.reborrow(),
            self.sources,
            scale(variance),
            weights.iter().map(|w| (*w, *w)),
        );
        slope.iter_mut().for_each(|row| row.iter_mut().for_each(|g| *g *= -1.0 / variance));
    }

    /// None, and nothing written to the field, if it would cost more than so many pairs.
    #[inline(always)]
    fn by_cells(&mut self, most: u64) -> Option<Summary> {
        let Self { plan, targets, sources, weights, .. } = *self;
        let (mut words, mut values) = (&mut *self.words, &mut *self.values);
        let (m, n, dim, shape) = (targets.len(), sources.len(), plan.dim, plan.shape);
        let variance = plan.bandwidth * plan.bandwidth;
        let inverse = 1.0 / plan.width;

        // sources by cell
        let (one, other) = (carve(&mut words, m.max(n)), carve(&mut words, m.max(n)));
        let starts = carve(&mut words, n.saturating_add(1));
        sort(sources, inverse, carve(&mut &mut *one, n), carve(&mut &mut *other, n));
        let order = carve(&mut &mut *one, n);
        let sorted = Sorted::new(sources, order, plan.width, carve(&mut values, dim.saturating_mul(n)));
        let sorted_weights = carve(&mut values, n);
        for (to, i) in sorted_weights.iter_mut().zip(order.iter()) {
            *to = at(weights, index(*i));
        }
        let cells = sorted.starts(starts);
        let (crowd, size) = (plan.crowd(), shape.size());
        let from = Sources { sorted, weights: sorted_weights, starts, cells, moments: &[], size, crowd };

        // targets by cell
        let memory = carve(&mut values, dim.saturating_mul(m));
        let (here, there) = (targets.memory(), sources.memory());
        let sorted = if core::ptr::eq(here.0, there.0) && (here.1, m) == (there.1, n) {
            from.sorted
        } else {
            sort(targets, inverse, carve(&mut &mut *one, m), carve(&mut &mut *other, m));
            Sorted::new(targets, carve(&mut &mut *one, m), plan.width, memory)
        };
        let order = carve(&mut &mut *one, m);

        let mut around = Around {
            plan,
            from,
            crowded: (0..cells).any(|cell| from.len(cell) >= crowd),
            exponent: scale(variance),
            matrices: &[],
            // no more: their number is part of what cells are estimated to cost
            cursors: carve(&mut words, plan.cursors()),
            tables: Tables {
                values: carve(&mut values, shape.lanes()),
                slopes: carve(&mut values, shape.lanes()),
                packed: carve(&mut values, shape.packed()),
            },
            local: carve(&mut values, size),
            line: carve(&mut values, size),
            plane: carve(&mut values, size),
            translations: 0,
            pairs: 0,
        };
        // beyond, cells are never much worse than pairs, and looking takes time too
        if wide(m).saturating_mul(wide(n)) <= SURVEYED && around.cost(&sorted, most) >= most {
            return None;
        }

        // moments, where there are many sources
        let moments = carve(&mut values, (n / crowd.max(1)).saturating_mul(size));
        let lines = carve(&mut values, shape.row.saturating_mul(LANES));
        let matrices = carve(&mut values, shape.matrix().saturating_mul(plan.side()));
        if around.crowded {
            lines.fill(0.0);
            for cell in (0..cells).filter(|cell| from.len(*cell) >= crowd) {
                let part = from.start(cell)..from.start(cell.saturating_add(1));
                let place = from.place(part.start);
                let slot = moments.get_mut(place..place.saturating_add(size)).unwrap_or(&mut []);
                slot.fill(0.0);
                let points = from.sorted.points(part.clone(), from.sorted.cell(part.start));
                let weights = from.weights.get(part).unwrap_or(&[]);
                chebyshev::gather(&shape, &points, weights, around.tables.values, lines, around.tables.packed, slot);
            }
            let work = carve(&mut &mut *values, shape.matrix().saturating_mul(2).saturating_add(shape.packed()));
            chebyshev::matrices(&shape, plan.width / (2.0 * plan.bandwidth), plan.reach(), work, matrices);
        }
        (around.from.moments, around.matrices) = (moments, matrices);

        let value = carve(&mut values, m);
        let slope = carve(&mut values, dim.saturating_mul(m));
        value.fill(0.0);
        slope.fill(0.0);
        around.cursors.fill(0);
        let mut start = 0;
        while start < m {
            let cell = sorted.cell(start);
            let end = sorted.end(start, cell);
            around.add(&sorted, start..end, cell, value, slope);
            start = end;
        }

        // back to the order of the targets
        let (potential, mut gradient) = self.out.parts_mut();
        let store = |to: &mut [f64], from: &[f64], factor: f64| {
            for (i, x) in order.iter().zip(from) {
                if let Some(to) = to.get_mut(index(*i)) {
                    *to = factor * *x;
                }
            }
        };
        store(potential, value, 1.0);
        for (to, from) in gradient.iter_mut().zip(pieces(slope, m.max(1))) {
            store(to, from, -1.0 / variance);
        }
        let Around { translations, pairs, .. } = around;
        Some(Summary { method: Method::Cells, cells, translations, pairs, bound: plan.bound })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RowsMut;
    use std::vec::Vec;

    const TOLERANCES: [f64; 6] = [0.5, 1e-2, 1e-3, 1e-6, 1e-9, 1e-13];
    const BANDWIDTHS: [f64; 7] = [0.5, 0.51, 0.7, 0.99, 1.0, 3.3, 1e-7];

    /// Every plan of a few settings.
    fn plans() -> impl Iterator<Item = (FastGauss, f64, f64)> {
        (1..=3).flat_map(|dim| {
            TOLERANCES.into_iter().flat_map(move |tolerance| {
                BANDWIDTHS.into_iter().map(move |h| (FastGauss::new(dim, h, tolerance).expect("a plan"), h, tolerance))
            })
        })
    }

    /// What cells with a squared gap, in widths, leave out: the larger of `e^(-d^2/2h^2)` and, beyond `h`, `d/h` times
    /// that.
    fn left_out(gap: u32, width: f64, h: f64) -> f64 {
        let distance = f64::from(gap).sqrt() * width / h;
        (-0.5 * distance * distance).exp() * distance.max(1.0)
    }

    #[test]
    fn a_cell_is_the_largest_power_of_two_within_twice_the_bandwidth() {
        for (plan, h, _) in plans() {
            assert!(plan.width() <= 2.0 * h && 2.0 * plan.width() > 2.0 * h, "{h}");
            assert_eq!(plan.width().log2().fract(), 0.0, "{h}");
        }
    }

    #[test]
    fn the_radius_is_the_least_that_leaves_out_no_more_than_the_tolerance() {
        for (plan, h, tolerance) in plans() {
            let cut = |gap| left_out(gap, plan.width(), h);
            // the first of all, not one of those that follow it
            let gap = (1..).find(|gap| cut(*gap) <= tolerance).expect("some");
            assert_eq!(plan.gap, gap, "{h} {tolerance}");
            let radius = f64::from(gap).sqrt() * plan.width();
            assert!((plan.radius() / radius - 1.0).abs() < 1e-15, "{h} {tolerance}");
            // cells that differ by d in one component are d - 1 apart
            let reach = (1..40u32).filter(|d| (d - 1) * (d - 1) < gap).max().expect("1 is");
            assert_eq!(plan.reach(), index(reach), "{h} {tolerance}");
            assert_eq!(plan.side(), 2 * index(reach) + 1);
            // a line for each difference in all components but the last
            assert_eq!(plan.cursors(), plan.side().pow(u32::try_from(plan.dim - 1).expect("0 to 2")));
        }
    }

    #[test]
    fn the_bound_is_the_larger_of_both_errors() {
        let (mut cut_decides, mut order_decides) = (false, false);
        for (plan, h, tolerance) in plans() {
            let (order, error) = chebyshev::order(plan.width() / (2.0 * h), plan.dim, tolerance).expect("an order");
            let cut = left_out(plan.gap, plan.width(), h);
            assert_eq!(plan.order(), order);
            assert!(
                (plan.bound() / error.max(cut) - 1.0).abs() < 1e-12 && plan.bound() <= tolerance,
                "{h} {tolerance}"
            );
            (cut_decides, order_decides) = (cut_decides || cut > error, order_decides || error > cut);
        }
        assert!(cut_decides && order_decides);
    }

    /// The bounds of `chebyshev.rs` for order `p`, as its documentation has them: factorials, powers and sums written
    /// out.
    fn documented(r: f64, dim: u8, p: usize) -> f64 {
        let factorial = |k: usize| (1..=k).fold(1.0, |product, k| product * k as f64);
        let power = |x: f64, k: usize| (0..k).fold(1.0, |product, _| product * x);
        let s = |k: usize| if k == 0 { 1.0 } else { 2.0 };
        let b = |k: usize| CRAMER * s(k) * power(r / 2.0, k) / factorial(k).sqrt();
        let c = |k: usize| s(k) * power(r / 2f64.sqrt(), k) / factorial(k).sqrt();
        let beyond = |term: &dyn Fn(usize) -> f64| ((p + 1)..=64).map(term).sum::<f64>();
        let (square, n) = (|k: usize| (k * k + p * p) as f64, p as f64);
        let e = b(p) + 2.0 * beyond(&b);
        let f = (n * n * b(p) + beyond(&|k| square(k) * b(k))) / r;
        let g = (n + 1.0).sqrt() * b(p) + 2.0 * beyond(&|k| (k as f64 + 1.0).sqrt() * b(k));
        let x = 2.0 * (c(p) + beyond(&c));
        let y = (square(p) * c(p) + beyond(&|k| square(k) * c(k))) / r;
        let (e0, e1) = (2.0 * e + CRAMER * x * x, f + g + CRAMER * x * y);
        let others = power(1.0 + e0, usize::from(dim) - 1);
        (others * (1.0 + e0) - 1.0).max(e1 * others + 0.607 * (others - 1.0))
    }

    const CRAMER: f64 = 1.0865;

    #[test]
    fn the_order_is_the_least_from_which_on_the_documented_bound_is_within_the_tolerance() {
        for dim in 1..=3u8 {
            for r in [0.505, 0.6, 0.75, 0.9, 1.0] {
                let bounds: Vec<f64> = (0..40).map(|p| documented(r, dim, p)).collect();
                for tolerance in TOLERANCES {
                    let least = (1..40).rfind(|p| bounds[*p] > tolerance).map_or(1, |p| p + 1);
                    let (order, bound) = chebyshev::order(r, usize::from(dim), tolerance).expect("an order");
                    assert_eq!(order, least, "r {r}, dimension {dim}, {tolerance}");
                    // 1 + e0 is rounded
                    assert!((bound - bounds[least]).abs() < 1e-9 * bound + 1e-15, "{bound} {}", bounds[least]);
                    // what is equal to the tolerance is within it
                    assert_eq!(chebyshev::order(r, usize::from(dim), bound), Some((order, bound)));
                }
            }
        }
        assert_eq!(chebyshev::order(1.0, 1, 0.0), None, "no order is exact");
        // the last of the terms is there
        let (order, bound) = chebyshev::order(1.0, 1, documented(1.0, 1, 64) * (1.0 + 1e-9)).expect("an order");
        assert!(order == 64 && (bound / documented(1.0, 1, 64) - 1.0).abs() < 1e-9);
    }

    /// The bits of values and slopes of some points of one component, and how they were found.
    fn sums(plan: &FastGauss, targets: Rows<'_, f64>, sources: Rows<'_, f64>) -> (Vec<u64>, Summary) {
        let (m, n) = (targets.len(), sources.len());
        let weights: Vec<f64> = (0..n).map(|j| 1.0 - 0.3 * count::<f64>(j % 5)).collect();
        let (mut words, mut values) = (std::vec![7; plan.words(m, n)], std::vec![f64::NAN; plan.values(m, n)]);
        let (mut value, mut slope) = (std::vec![f64::NAN; m], std::vec![f64::NAN; m]);
        let field = Field::new(&mut value, RowsMut::new(&mut slope, m, 1, m).expect("rows")).expect("a field");
        let summary = plan.evaluate(targets, sources, &weights, &mut words, &mut values, field).expect("sums");
        (value.iter().chain(&slope).map(|x| x.to_bits()).collect(), summary)
    }

    /// `n` points `step` cells apart, the last in the cell before that of zero.
    fn line(plan: &FastGauss, n: usize, step: f64) -> Vec<f64> {
        (1..=n).rev().map(|i| -plan.width() * (0.51 + step * count::<f64>(i - 1))).collect()
    }

    #[test]
    fn pairs_are_summed_where_they_are_estimated_to_cost_less() {
        let plan = FastGauss::new(1, 0.8, 1e-12).expect("a plan");
        let side = wide(plan.side());
        let method = |n: usize, step: f64| {
            let x = line(&plan, n, step);
            let points = Rows::new(&x, n, 1, n).expect("rows");
            let (_, summary) = sums(&plan, points, points);
            let cells: Vec<f64> = x.iter().map(|x| (x / plan.width()).round_ties_even()).collect();
            let near = |a: f64| cells.iter().filter(|b| (a - **b).abs() <= count::<f64>(plan.reach())).count();
            let expected = match summary.method {
                Method::Cells => cells.iter().map(|a| near(*a)).sum(),
                Method::Pairs => n * n,
            };
            assert_eq!((summary.translations, summary.pairs), (0, wide(expected)), "{n}, {step}");
            summary.method
        };
        // a target in each cell: looking around, a run of sources, and one source in each of the cells around
        let each = 4 + 40 + 5 * side;
        assert!(each * 500 < 500 * 500 - 64 * 1000 && each * 220 > 220 * 220 - 64 * 440 + 1000);
        assert_eq!((method(500, 1.0), method(220, 1.0)), (Method::Cells, Method::Pairs));
        // alone there is nothing to sum
        assert_eq!((method(220, 100.0), method(500, 0.5)), (Method::Cells, Method::Cells));
        // sorting costs more than all pairs
        assert_eq!(method(128, 100.0), Method::Pairs);
    }

    #[test]
    fn targets_that_are_the_sources_have_the_bits_of_copies() {
        let plan = FastGauss::new(1, 0.8, 1e-6).expect("a plan");
        let x: Vec<f64> = (0..900).map(|i| 6.0 * (count::<f64>(i) * 0.7).sin()).collect();
        let (y, other) = (x.clone(), x.iter().map(|x| 0.3 - x).collect::<Vec<f64>>());
        fn view(memory: &[f64], len: usize) -> Rows<'_, f64> {
            Rows::new(memory, 900, 1, len).expect("rows")
        }
        for m in [900, 600] {
            let (bits, summary) = sums(&plan, view(&x, m), view(&x, 900));
            assert!(summary.method == Method::Cells && summary.translations > 0);
            assert!((bits, summary) == sums(&plan, view(&y, m), view(&x, 900)), "{m}");
            // other points of the same shape
            let (bits, _) = sums(&plan, view(&other, m), view(&x, 900));
            for (i, bits) in bits.iter().take(m).enumerate() {
                let w = |j: usize| 1.0 - 0.3 * count::<f64>(j % 5);
                let exact: f64 = (0..900).map(|j| w(j) * (-(other[i] - x[j]).powi(2) / 1.28).exp()).sum();
                assert!((f64::from_bits(*bits) - exact).abs() < 1e-3, "{i}");
            }
        }
    }

    #[test]
    fn the_costs_are_those_documented() {
        for (plan, ..) in plans() {
            let p = wide(plan.order());
            let row = p.div_ceil(4) * 4;
            let size = (1..plan.dim).fold(row, |size, _| size * p);
            assert_eq!(wide(plan.shape.size()), size);
            assert_eq!(plan.translation(), size * p * (wide(plan.dim) + 1) / 2);
            assert_eq!(plan.evaluation(7), 7 * (2 * size + 6 * p));
            // pairs with itself cost as much as a translation; and moments are not too many
            let crowd = (1..).find(|n| n * n * PAIR >= plan.translation()).expect("some").max(size / wide(MOMENTS));
            assert_eq!(wide(plan.crowd()), crowd);
        }
    }
}
