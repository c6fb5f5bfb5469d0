//! Particles sorted into the cells of a grid, of which only those exist that hold any.
//!
//! A cell is the number, an `f64` in each component, of the multiple of the width nearest to its points. Nothing is
//! rounded in that, and nothing in a point's distance to the centre, because the width is a power of two; and a
//! difference of numbers is exact where it is small. So positions may be of any size: beyond 2^53 widths a cell is a
//! single point.

use super::MAX_DIM;
use super::chebyshev::{Points, pieces_mut};
use crate::Rows;
use crate::models::kernel::at;
use crate::rows::{pieces, slots};
use core::mem::swap;
use core::ops::Range;

/// The nearest integer, the even one of two; never -0. Exact sums, as long as the addend's unit is one; from 2^51 on
/// `libm` does it.
#[inline(always)]
fn nearest(x: f64) -> f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 2^52
    if x.abs() < 2_251_799_813_685_248.0 { (x + MAGIC) - MAGIC } else { libm::rint(x) }
}

/// Writes into `order` the points' numbers, by cell, those of the last component next to each other, and as given
/// within a cell: radix sort by the bytes in which the cells' numbers differ, from the last component's lowest on.
/// `spare` is as long as `order`.
pub(super) fn sort(points: Rows<'_, f64>, inverse: f64, order: &mut [u32], spare: &mut [u32]) {
    for (slot, i) in order.iter_mut().zip(slots()) {
        *slot = i;
    }
    let (mut from, mut to) = (&mut *order, &mut *spare);
    let mut swapped = false;
    for axis in (0..points.dim()).rev() {
        let row = points.row(axis);
        // bits in the order of the numbers
        let key = |x: f64| {
            let bits = nearest(x * inverse).to_bits();
            if bits >> 63 == 0 { bits | (1 << 63) } else { !bits }
        };
        let (any, all) = row.iter().map(|x| key(*x)).fold((0, u64::MAX), |(any, all), k| (any | k, all & k));
        for shift in [0u32, 8, 16, 24, 32, 40, 48, 56] {
            if (any & !all).wrapping_shr(shift) & 255 == 0 {
                continue;
            }
            let digit = |x: f64| usize::from(key(x).wrapping_shr(shift).to_le_bytes()[0]);
            let mut places = [0u32; 256];
            for x in row {
                let place = &mut places[digit(*x)];
                *place = place.wrapping_add(1);
            }
            let mut before = 0u32;
            for place in &mut places {
                (*place, before) = (before, before.wrapping_add(*place));
            }
            for i in from.iter() {
                let place = &mut places[digit(at(row, index(*i)))];
                if let Some(slot) = to.get_mut(index(*place)) {
                    *slot = *i;
                }
                *place = place.wrapping_add(1);
            }
            swap(&mut from, &mut to);
            swapped = !swapped;
        }
    }
    if swapped {
        for (to, i) in to.iter_mut().zip(from.iter()) {
            *to = *i;
        }
    }
}

/// A slot's number as an index: no target has fewer than 32 bits and more than 2^16 particles.
#[inline(always)]
pub(super) fn index(i: u32) -> usize {
    usize::try_from(i).unwrap_or(usize::MAX)
}

/// Points sorted by cell: rows of three components, those that are not there empty and before the others.
#[derive(Clone, Copy)]
pub(super) struct Sorted<'a> {
    data: &'a [f64],
    pub(super) rows: [&'a [f64]; 3],
    pub(super) dim: usize,
    pub(super) len: usize,
    width: f64,
    inverse: f64,
}

impl<'a> Sorted<'a> {
    /// Copies the points in their order into `data`.
    pub(super) fn new(points: Rows<'_, f64>, order: &[u32], width: f64, data: &'a mut [f64]) -> Self {
        let len = order.len();
        for (to, from) in pieces_mut(data, len.max(1)).zip(points.iter()) {
            for (to, i) in to.iter_mut().zip(order) {
                *to = at(from, index(*i));
            }
        }
        let data: &[f64] = data;
        let mut rows: [&[f64]; 3] = [&[]; 3];
        let first = MAX_DIM.saturating_sub(points.dim());
        for (slot, row) in rows.iter_mut().skip(first).zip(pieces(data, len.max(1))) {
            *slot = row;
        }
        Self { data, rows, dim: points.dim(), len, width, inverse: 1.0 / width }
    }

    /// The cell of a point.
    #[inline(always)]
    pub(super) fn cell(&self, i: usize) -> [f64; 3] {
        self.rows.map(|row| nearest(at(row, i) * self.inverse))
    }

    /// The end of the cell that begins at `start`.
    #[inline(always)]
    pub(super) fn end(&self, start: usize, cell: [f64; 3]) -> usize {
        let mut end = start.saturating_add(1);
        while end < self.len && self.cell(end) == cell {
            end = end.saturating_add(1);
        }
        end
    }

    /// Writes where each cell begins, and the end; the number of cells.
    pub(super) fn starts(&self, starts: &mut [u32]) -> usize {
        let (mut cells, mut start) = (0usize, 0usize);
        for slot in starts.iter_mut() {
            *slot = u32::try_from(start).unwrap_or(u32::MAX);
            if start >= self.len {
                break;
            }
            cells = cells.wrapping_add(1);
            start = self.end(start, self.cell(start));
        }
        cells
    }

    /// A part of the points, for the loop over pairs.
    pub(super) fn part(&self, part: Range<usize>) -> Option<Rows<'a, f64>> {
        Rows::new(self.data.get(part.start..)?, self.len, self.dim, part.end.saturating_sub(part.start)).ok()
    }

    /// Those of a cell, for expansions.
    pub(super) fn points(&self, part: Range<usize>, cell: [f64; 3]) -> Points<'a> {
        let rows = self.rows.map(|row| row.get(part.clone()).unwrap_or(&[]));
        Points { rows, centre: cell.map(|c| c * self.width), inverse: 2.0 * self.inverse }
    }
}

/// Sources in their cells, with the moments of crowded ones.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) sorted: Sorted<'a>,
    pub(super) weights: &'a [f64],
    /// Where each cell begins; and the end.
    pub(super) starts: &'a [u32],
    pub(super) cells: usize,
    pub(super) moments: &'a [f64],
    pub(super) size: usize,
    pub(super) crowd: usize,
}

impl Sources<'_> {
    #[inline(always)]
    pub(super) fn start(&self, cell: usize) -> usize {
        self.starts.get(cell).map_or(0, |start| index(*start))
    }

    #[inline(always)]
    pub(super) fn len(&self, cell: usize) -> usize {
        self.start(cell.saturating_add(1)).saturating_sub(self.start(cell))
    }

    /// Where the moments of a crowded cell stand: no other such cell begins within as many sources as it has.
    #[inline(always)]
    pub(super) fn place(&self, start: usize) -> usize {
        (start / self.crowd.max(1)).saturating_mul(self.size)
    }

    /// The moments of a crowded cell.
    #[inline(always)]
    pub(super) fn moments(&self, cell: usize) -> &[f64] {
        let place = self.place(self.start(cell));
        self.moments.get(place..place.saturating_add(self.size)).unwrap_or(&[])
    }

    /// The cells whose numbers differ from `around` by `first` and `second`, and in the last component by at most
    /// `near`. `cursor` is where those begin that differ by at least `-reach`: it only moves on as `around` does.
    #[inline(always)]
    pub(super) fn line(
        &self,
        around: [f64; 3],
        (first, second): (f64, f64),
        near: f64,
        reach: f64,
        cursor: &mut u32,
    ) -> Range<usize> {
        let difference = |cell: usize| {
            let [a, b, c] = self.sorted.cell(self.start(cell));
            [a - around[0], b - around[1], c - around[2]]
        };
        let mut begin = index(*cursor);
        while begin < self.cells && difference(begin) < [first, second, -reach] {
            begin = begin.saturating_add(1);
        }
        *cursor = u32::try_from(begin).unwrap_or(u32::MAX);
        while begin < self.cells && difference(begin) < [first, second, -near] {
            begin = begin.saturating_add(1);
        }
        let mut end = begin;
        while end < self.cells && difference(end) <= [first, second, near] {
            end = end.saturating_add(1);
        }
        begin..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const WIDTH: f64 = 0.5;

    /// Rows of points in some dozens of cells, negative ones too, and far ones.
    fn cloud(n: usize, dim: usize) -> Vec<f64> {
        let place = |i: usize, k: usize| {
            let x = f64::from(u32::try_from((i * 7919 + k * 5051) % 613).unwrap()) / 150.0 - 2.0;
            if i % 97 == 5 { x * 1e9 } else { x }
        };
        (0..dim).flat_map(|k| (0..n).map(move |i| place(i, k))).collect()
    }

    #[test]
    fn the_nearest_integer_is_the_even_one_of_two() {
        let large = 2_251_799_813_685_248.0;
        for x in [0.0, 0.4, 0.5, 0.6, 1.5, 2.5, 1e6 + 0.5, large - 0.5, large, large + 0.5, 2.0 * large + 1.0, 1e60] {
            assert_eq!(nearest(x).to_bits(), x.round_ties_even().to_bits(), "{x}");
            assert_eq!(nearest(-x), -x.round_ties_even(), "{x}");
        }
    }

    #[test]
    fn particles_are_sorted_by_cell_and_stay_in_order_within_one() {
        for dim in 1..=3 {
            for n in [0, 1, 7, 400] {
                let data = cloud(n, dim);
                let points = Rows::new(&data, n, dim, n).unwrap();
                let cell = |i: u32| -> Vec<f64> {
                    points.iter().map(|row| (row[index(i)] / WIDTH).round_ties_even()).collect()
                };
                let mut expected: Vec<u32> = (0..u32::try_from(n).unwrap()).collect();
                expected.sort_by(|a, b| cell(*a).partial_cmp(&cell(*b)).unwrap());
                let (mut order, mut spare) = (std::vec![9; n], std::vec![9; n]);
                sort(points, 1.0 / WIDTH, &mut order, &mut spare);
                assert_eq!(order, expected, "{n} in {dim}");
            }
        }
    }

    #[test]
    fn a_line_of_cells_is_those_of_the_differences_asked_for() {
        let n = 400;
        for dim in 1..=3usize {
            let data = cloud(n, dim);
            let points = Rows::new(&data, n, dim, n).unwrap();
            let (mut order, mut spare) = (std::vec![0; n], std::vec![0; n]);
            sort(points, 1.0 / WIDTH, &mut order, &mut spare);
            let mut memory = std::vec![0.0; n * dim];
            let sorted = Sorted::new(points, &order, WIDTH, &mut memory);
            let mut starts = std::vec![0; n + 1];
            let cells = sorted.starts(&mut starts);
            let numbers: Vec<[f64; 3]> = (0..n).map(|i| sorted.cell(i)).collect();
            let changes = numbers.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert_eq!(cells, changes + 1, "{dim}");
            let from = Sources { sorted, weights: &[], starts: &starts, cells, moments: &[], size: 4, crowd: 3 };
            assert_eq!((0..cells).map(|cell| from.len(cell)).sum::<usize>(), n);
            for (first, second, near, reach) in [(0.0, 0.0, 2.0, 4.0), (0.0, 1.0, 3.0, 3.0), (-1.0, 0.0, 0.0, 2.0)] {
                let mut cursor = 0;
                for here in 0..cells {
                    let around = sorted.cell(from.start(here));
                    let found = from.line(around, (first, second), near, reach, &mut cursor);
                    let wanted: Vec<usize> = (0..cells)
                        .filter(|cell| {
                            let [a, b, c] = sorted.cell(from.start(*cell));
                            a - around[0] == first && b - around[1] == second && (c - around[2]).abs() <= near
                        })
                        .collect();
                    assert_eq!(found.clone().collect::<Vec<_>>(), wanted, "{dim}: {first} {second}");
                    // what has been passed is not looked at again
                    let passed = (0..cells).filter(|cell| {
                        let [a, b, c] = sorted.cell(from.start(*cell));
                        [a - around[0], b - around[1], c - around[2]] < [first, second, -reach]
                    });
                    assert_eq!(index(cursor).min(cells), passed.count(), "{dim}: {first} {second}");
                }
            }
        }
    }
}
