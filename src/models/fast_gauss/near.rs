//! What the targets of a cell get from the cells around: pairs, and translations of moments.

use super::cells::{Sorted, Sources, index};
use super::chebyshev::{self, LANES, pieces_mut};
use super::{FastGauss, MAX_DIM, PAIR, wide};
use crate::maths::Portable;
use crate::models::kernel::add_gaussians;
use crate::rows::count;
use crate::{Rows, RowsMut};
use core::mem::take;
use core::ops::Range;

/// As many targets are not filled up to a block.
const FEW: usize = LANES / 4;
/// Costs, in pairs of a full block, estimated: of a pair of a block that is not filled up, of a run of sources, and of
/// looking for one.
const SINGLE: u64 = 5;
const RUN: u64 = 40;
const LINE: u64 = 4;

/// Scratch of the expansions.
pub(super) struct Tables<'a> {
    pub(super) values: &'a mut [f64],
    pub(super) slopes: &'a mut [f64],
    pub(super) packed: &'a mut [f64],
}

/// The sources around a cell of targets, and what is worked with there.
pub(super) struct Around<'a> {
    pub(super) plan: &'a FastGauss,
    pub(super) from: Sources<'a>,
    /// Whether any cell has moments.
    pub(super) crowded: bool,
    pub(super) exponent: f64,
    pub(super) matrices: &'a [f64],
    /// For each difference in the components before the last, where the cells begin.
    pub(super) cursors: &'a mut [u32],
    pub(super) tables: Tables<'a>,
    /// The local expansion; and what is to be translated in the second and first component, and in the first alone.
    pub(super) local: &'a mut [f64],
    pub(super) line: &'a mut [f64],
    pub(super) plane: &'a mut [f64],
    pub(super) translations: u64,
    pub(super) pairs: u64,
}

impl Around<'_> {
    /// The differences of cell numbers (sources' minus targets'), plus the reach, in the first or second component.
    #[inline(always)]
    fn differences(&self, component: usize) -> Range<usize> {
        let reach = self.plan.reach();
        // a component that is not there
        let absent = component.saturating_add(self.plan.dim) < MAX_DIM;
        if absent { reach..reach.saturating_add(1) } else { 0..self.plan.side() }
    }

    /// A difference, plus the reach, as the difference.
    #[inline(always)]
    fn signed(&self, difference: usize) -> f64 {
        count::<f64>(difference) - count::<f64>(self.plan.reach())
    }

    /// The largest difference in the last component within the radius, given those in the others.
    #[inline(always)]
    fn near(&self, a: usize, b: usize) -> Option<f64> {
        let squared = |d: usize| {
            let gap = d.abs_diff(self.plan.reach()).saturating_sub(1);
            gap.saturating_mul(gap)
        };
        let others = squared(a).saturating_add(squared(b));
        let within = |c: &usize| others.saturating_add(squared(*c)) < index(self.plan.gap);
        (self.plan.reach()..self.plan.side()).rev().find(within).map(|c| self.signed(c))
    }

    /// The matrix of a difference, plus the reach; the matrices are in the order of targets' minus sources'.
    #[inline(always)]
    fn matrix(&self, difference: usize) -> &[f64] {
        let size = self.plan.shape.matrix();
        let begin = self.plan.side().saturating_sub(1).saturating_sub(difference).saturating_mul(size);
        self.matrices.get(begin..begin.saturating_add(size)).unwrap_or(&[])
    }

    /// What a translation saves, against the pairs of so many targets and sources.
    #[inline(always)]
    fn gain(&self, here: u64, there: usize) -> u64 {
        here.saturating_mul(wide(there)).saturating_mul(PAIR).saturating_sub(self.plan.translation())
    }

    /// What is around a cell of so many targets: the number of sources, the number of runs of them, what translations
    /// save.
    #[inline(always)]
    fn survey(&mut self, here: u64, cell: [f64; 3]) -> (u64, u64, u64) {
        let (mut sources, mut runs, mut gained) = (0u64, 0u64, 0u64);
        let (mut next, reach) = (0usize, count(self.plan.reach()));
        for a in self.differences(0) {
            for b in self.differences(1) {
                let (near, differences) = (self.near(a, b), (self.signed(a), self.signed(b)));
                if let (Some(cursor), Some(near)) = (self.cursors.get_mut(next), near) {
                    let line = self.from.line(cell, differences, near, reach, cursor);
                    let found = self.from.start(line.end).saturating_sub(self.from.start(line.start));
                    (sources, runs) = (sources.saturating_add(wide(found)), runs.saturating_add(u64::from(found > 0)));
                    for cell in line {
                        let there = if self.from.len(cell) < self.from.crowd { 0 } else { self.from.len(cell) };
                        gained = gained.saturating_add(self.gain(here, there));
                    }
                }
                next = next.saturating_add(1);
            }
        }
        (sources, runs, gained)
    }

    /// Whether a local expansion for so many targets saves more than its evaluation costs.
    #[inline(always)]
    fn expands(&mut self, here: u64, cell: [f64; 3]) -> bool {
        let needed = self.plan.evaluation(here);
        self.crowded && self.gain(here, self.from.sorted.len) > needed && self.survey(here, cell).2 > needed
    }

    /// About what all cells cost, in pairs; at least `most`, if more than that. The cursors are at the end then.
    pub(super) fn cost(&mut self, targets: &Sorted<'_>, most: u64) -> u64 {
        self.cursors.fill(0);
        let differences = wide(self.cursors.len());
        let (mut cost, mut start) = (0u64, 0);
        while start < targets.len && cost < most {
            let cell = targets.cell(start);
            let end = targets.end(start, cell);
            let here = wide(end.saturating_sub(start));
            let (sources, runs, gained) = self.survey(here, cell);
            let (few, blocks) = (wide(FEW), here.div_ceil(wide(LANES)));
            let lanes = if here <= few { here.saturating_mul(SINGLE) } else { blocks.saturating_mul(wide(LANES)) };
            let saved = if self.crowded { gained.saturating_sub(self.plan.evaluation(here)) / PAIR } else { 0 };
            let pairs = sources.saturating_mul(lanes).saturating_sub(saved);
            let fixed =
                runs.saturating_mul(blocks).saturating_mul(RUN).saturating_add(differences.saturating_mul(LINE));
            cost = cost.saturating_add(pairs).saturating_add(fixed);
            start = end;
        }
        cost
    }

    /// Adds the sums at a cell's targets.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        targets: &Sorted<'_>,
        part: Range<usize>,
        cell: [f64; 3],
        value: &mut [f64],
        slope: &mut [f64],
    ) {
        let (shape, dim, from, reach) = (self.plan.shape, self.plan.dim, self.from, count(self.plan.reach()));
        let here = wide(part.end.saturating_sub(part.start));
        let expands = self.expands(here, cell);
        self.local.fill(0.0);
        let mut next_cursor = 0usize;
        for a in self.differences(0) {
            let mut plane_used = false;
            for b in self.differences(1) {
                let (near, differences) = (self.near(a, b), (self.signed(a), self.signed(b)));
                let cursor = self.cursors.get_mut(next_cursor);
                next_cursor = next_cursor.saturating_add(1);
                let (Some(cursor), Some(near)) = (cursor, near) else { continue };
                let Range { start: mut next, end } = from.line(cell, differences, near, reach, cursor);
                let mut line_used = false;
                while next < end {
                    // the pairs of as many cells as are not worth a translation, then the translation of one that is
                    let first = next;
                    while next < end
                        && !(expands && from.len(next) >= from.crowd && self.gain(here, from.len(next)) > 0)
                    {
                        next = next.saturating_add(1);
                    }
                    let pairs = from.start(first)..from.start(next);
                    if let (false, Some(sources)) = (pairs.is_empty(), from.sorted.part(pairs.clone())) {
                        self.pairs = self.pairs.saturating_add(here.saturating_mul(wide(sources.len())));
                        let weights = from.weights.get(pairs).unwrap_or(&[]);
                        near_pairs(targets, part.clone(), sources, weights, self.exponent, value, slope);
                    }
                    if next < end {
                        let [.., there] = from.sorted.cell(from.start(next));
                        let difference = there - cell[2];
                        let found = (0..self.plan.side()).find(|c| self.signed(*c) >= difference).unwrap_or(0);
                        if dim > 1 && !line_used {
                            self.line.fill(0.0);
                        }
                        line_used = true;
                        // taken out and put back: the methods borrow the whole
                        let (to, packed) = (
                            take(if dim == 1 { &mut self.local } else { &mut self.line }),
                            take(&mut self.tables.packed),
                        );
                        chebyshev::last(&shape, self.matrix(found), from.moments(next), packed, to);
                        self.tables.packed = packed;
                        *(if dim == 1 { &mut self.local } else { &mut self.line }) = to;
                        self.translations = self.translations.saturating_add(1);
                        next = next.saturating_add(1);
                    }
                }
                if line_used && dim > 1 {
                    if dim > 2 && !plane_used {
                        self.plane.fill(0.0);
                    }
                    plane_used = true;
                    let (to, packed) =
                        (take(if dim == 2 { &mut self.local } else { &mut self.plane }), take(&mut self.tables.packed));
                    chebyshev::earlier(&shape, shape.row, self.matrix(b), self.line, packed, to);
                    self.tables.packed = packed;
                    *(if dim == 2 { &mut self.local } else { &mut self.plane }) = to;
                }
            }
            if plane_used && dim > 2 {
                let (to, packed) = (take(&mut self.local), take(&mut self.tables.packed));
                chebyshev::earlier(&shape, shape.matrix(), self.matrix(a), self.plane, packed, to);
                (self.tables.packed, self.local) = (packed, to);
            }
        }
        if expands {
            let mut rows: [&mut [f64]; 3] = [&mut [], &mut [], &mut []];
            let absent = MAX_DIM.saturating_sub(dim);
            for (to, row) in rows.iter_mut().skip(absent).zip(pieces_mut(slope, targets.len.max(1))) {
                *to = row.get_mut(part.clone()).unwrap_or(&mut []);
            }
            // slopes are sums of w e dx until they are stored
            let unit = -2.0 * self.plan.bandwidth * self.plan.bandwidth / self.plan.width;
            let points = targets.points(part.clone(), cell);
            let value = value.get_mut(part).unwrap_or(&mut []);
            let tables = (&mut *self.tables.values, &mut *self.tables.slopes);
            chebyshev::scatter(&shape, &points, self.local, tables, unit, value, &mut rows);
        }
    }
}

/// Adds the pairs of a cell's targets and some sources, block by block: blocks with more than a few targets are filled
/// up, with points whose sums are not stored, since a number of lanes that the compiler knows is several times as fast.
#[inline(always)]
fn near_pairs(
    targets: &Sorted<'_>,
    cell: Range<usize>,
    sources: Rows<'_, f64>,
    weights: &[f64],
    exponent: f64,
    value: &mut [f64],
    slope: &mut [f64],
) {
    let mut start = cell.start;
    while start < cell.end {
        let end = if cell.end < start.saturating_add(LANES) { cell.end } else { start.saturating_add(LANES) };
        let live = end.saturating_sub(start);
        let mut block = [[0.0; LANES]; MAX_DIM];
        let rows = targets.rows.iter().skip(MAX_DIM.saturating_sub(targets.dim));
        for (to, from) in block.iter_mut().zip(rows) {
            for (to, x) in to.iter_mut().zip(from.get(start..end).unwrap_or(&[])) {
                *to = *x;
            }
        }
        let (mut values, mut slopes) = ([0.0; LANES], [[0.0; LANES]; MAX_DIM]);
        let filled = if live > FEW { LANES } else { live };
        let shape = (LANES, targets.dim, filled);
        let points = Rows::new(block.as_flattened(), shape.0, shape.1, shape.2);
        let sums = RowsMut::new(slopes.as_flattened_mut(), shape.0, shape.1, shape.2);
        let (Ok(points), Ok(sums), Some(filled)) = (points, sums, values.get_mut(..filled)) else { return };
        add_gaussians::<f64, Portable>(points, filled, sums, sources, exponent, weights.iter().map(|w| (*w, *w)));
        let add = |to: Option<&mut [f64]>, from: &[f64]| {
            for (to, x) in to.into_iter().flatten().zip(from) {
                *to += x;
            }
        };
        add(value.get_mut(start..end), &values);
        for (row, slopes) in pieces_mut(slope, targets.len.max(1)).zip(&slopes) {
            add(row.get_mut(start..end), slopes);
        }
        start = end;
    }
}
