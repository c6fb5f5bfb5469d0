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

#[cfg(test)]
mod tests {
    use super::super::cells::sort;
    use super::super::chebyshev::Shape;
    use super::*;
    use crate::models::kernel::scale;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    type Point = [f64; 3];

    /// Numbers in [0, 1), the same every time.
    fn spread(i: usize, k: usize) -> f64 {
        (0.5 + (count::<f64>(i) + 1.0) * [0.819_172_513, 0.671_043_607, 0.549_700_478][k]).fract()
    }

    /// Points in `dim` components, the last of three; those before are zero.
    fn cloud(n: usize, dim: usize, place: impl Fn(usize, usize) -> f64) -> Vec<Point> {
        (0..n).map(|i| core::array::from_fn(|k| if k + dim < 3 { 0.0 } else { place(i, k) })).collect()
    }

    fn rows(points: &[Point], dim: usize) -> Vec<f64> {
        (3 - dim..3).flat_map(|k| points.iter().map(move |point| point[k])).collect()
    }

    /// The points' numbers by cell, in the order of the cells.
    fn cells(points: &[Point], width: f64) -> BTreeMap<[i64; 3], Vec<usize>> {
        let mut cells = BTreeMap::<_, Vec<usize>>::new();
        for (i, point) in points.iter().enumerate() {
            cells.entry(point.map(|x| (x / width).round_ties_even() as i64)).or_default().push(i);
        }
        cells
    }

    /// What is around a cell of targets, found by looking at every cell of sources.
    struct Naive {
        sources: u64,
        runs: u64,
        gained: u64,
        cost: u64,
        translations: u64,
        pairs: u64,
    }

    fn naive(plan: &FastGauss, cell: [i64; 3], here: u64, sources: &BTreeMap<[i64; 3], Vec<usize>>) -> Naive {
        let near: Vec<_> = sources.iter().filter(|(there, _)| is_near(plan, cell, **there)).collect();
        let lens: Vec<u64> = near.iter().map(|(_, points)| wide(points.len())).collect();
        let mut lines: Vec<_> = near.iter().map(|(there, _)| [there[0], there[1]]).collect();
        lines.dedup();
        let gain = |len: u64| {
            if len < wide(plan.crowd()) { 0 } else { (12 * here * len).saturating_sub(plan.translation()) }
        };
        let gained = lens.iter().map(|len| gain(*len)).sum::<u64>();
        let translated = |len: u64| gained > plan.evaluation(here) && gain(len) > 0;
        let (all, runs) = (lens.iter().sum::<u64>(), wide(lines.len()));
        // blocks of 16 lanes, filled up but for at most four targets, whose pairs cost five times as much
        let lanes = if here <= 4 { 5 * here } else { here.div_ceil(16) * 16 };
        let saved = gained.saturating_sub(plan.evaluation(here)) / 12;
        let looked_at = wide(plan.side().pow(u32::try_from(plan.dim).unwrap() - 1));
        Naive {
            sources: all,
            runs,
            gained,
            cost: (all * lanes).saturating_sub(saved) + 40 * runs * here.div_ceil(16) + 4 * looked_at,
            translations: wide(lens.iter().filter(|len| translated(**len)).count()),
            pairs: here * lens.iter().filter(|len| !translated(**len)).sum::<u64>(),
        }
    }

    /// The squared gap of two cells, in widths, is below that which is left out.
    fn is_near(plan: &FastGauss, here: [i64; 3], there: [i64; 3]) -> bool {
        let gap = |k: usize| ((here[k] - there[k]).abs() - 1).max(0);
        (0..3).map(|k| gap(k) * gap(k)).sum::<i64>() < i64::from(plan.gap)
    }

    /// Surveys, costs, counts and sums of `Around`, for every cell of targets, against the naive ones; the counts.
    fn compare(plan: &FastGauss, targets: &[Point], sources: &[Point]) -> (u64, u64) {
        let (dim, shape, m, n) = (plan.dim, plan.shape, targets.len(), sources.len());
        let w: Vec<f64> = (0..n).map(|j| if j % 3 == 0 { -0.6 } else { 1.0 + spread(j, 0) }).collect();
        let (y, x) = (rows(targets, dim), rows(sources, dim));
        let (target_cells, source_cells) = (cells(targets, plan.width), cells(sources, plan.width));

        // what `by_cells` makes; scratch is NaN
        let order = |data: &[f64], len: usize| {
            let (mut order, mut spare) = (std::vec![0; len], std::vec![0; len]);
            sort(Rows::new(data, len, dim, len).unwrap(), 1.0 / plan.width, &mut order, &mut spare);
            order
        };
        let (target_order, source_order) = (order(&y, m), order(&x, n));
        let (mut target_memory, mut source_memory) = (std::vec![f64::NAN; dim * m], std::vec![f64::NAN; dim * n]);
        let sorted = Sorted::new(Rows::new(&y, m, dim, m).unwrap(), &target_order, plan.width, &mut target_memory);
        let from = Sorted::new(Rows::new(&x, n, dim, n).unwrap(), &source_order, plan.width, &mut source_memory);
        let weights: Vec<f64> = source_order.iter().map(|j| w[index(*j)]).collect();
        let mut starts = std::vec![u32::MAX; n + 1];
        let number = from.starts(&mut starts);
        let (size, crowd) = (shape.size(), plan.crowd());
        let mut from =
            Sources { sorted: from, weights: &weights, starts: &starts, cells: number, moments: &[], size, crowd };
        let scratch = |len: usize| std::vec![f64::NAN; len];
        let (mut moments, mut lines) = (scratch(n / crowd * size), std::vec![0.0; shape.row * LANES]);
        let (mut values, mut slopes, mut packed) =
            (scratch(shape.lanes()), scratch(shape.lanes()), scratch(shape.packed()));
        for cell in (0..number).filter(|cell| from.len(*cell) >= crowd) {
            let part = from.start(cell)..from.start(cell + 1);
            let slot = &mut moments[from.place(part.start)..][..size];
            slot.fill(0.0);
            let points = from.sorted.points(part.clone(), from.sorted.cell(part.start));
            chebyshev::gather(&shape, &points, &weights[part], &mut values, &mut lines, &mut packed, slot);
        }
        from.moments = &moments;
        let (mut work, mut matrices) =
            (scratch(2 * shape.matrix() + shape.packed()), scratch(shape.matrix() * plan.side()));
        chebyshev::matrices(&shape, plan.width / (2.0 * plan.bandwidth), plan.reach(), &mut work, &mut matrices);
        let mut cursors = std::vec![0; plan.side().pow(u32::try_from(dim).unwrap() - 1)];
        let (mut local, mut line, mut plane) = (scratch(size), scratch(size), scratch(size));
        let mut around = Around {
            plan,
            from,
            crowded: (0..number).any(|cell| from.len(cell) >= crowd),
            exponent: scale(plan.bandwidth * plan.bandwidth),
            matrices: &matrices,
            cursors: &mut cursors,
            tables: Tables { values: &mut values, slopes: &mut slopes, packed: &mut packed },
            local: &mut local,
            line: &mut line,
            plane: &mut plane,
            translations: 0,
            pairs: 0,
        };

        // what is found, and what it would cost
        let mut all = 0;
        for (cell, points) in &target_cells {
            let (here, cell_number) = (wide(points.len()), cell.map(|c| c as f64));
            let expected = naive(plan, *cell, here, &source_cells);
            let found = around.survey(here, cell_number);
            assert_eq!(found, (expected.sources, expected.runs, expected.gained), "{cell:?}");
            all += expected.cost;
        }
        assert_eq!(around.cost(&sorted, u64::MAX), all);
        assert_eq!(around.cost(&sorted, all + 1), all);
        // the last cell is not looked at if those before cost enough
        let (last, points) = target_cells.last_key_value().unwrap();
        let before = all - naive(plan, *last, wide(points.len()), &source_cells).cost;
        assert_eq!(around.cost(&sorted, before), before);

        // the sums, of a cell after the other
        around.cursors.fill(0);
        let (mut value, mut slope) = (std::vec![0.0; m], std::vec![0.0; dim * m]);
        let (mut start, mut translations, mut pairs) = (0, 0, 0);
        for (cell, points) in &target_cells {
            let end = start + points.len();
            around.add(&sorted, start..end, cell.map(|c| c as f64), &mut value, &mut slope);
            let expected = naive(plan, *cell, wide(points.len()), &source_cells);
            (translations, pairs) = (translations + expected.translations, pairs + expected.pairs);
            assert_eq!((around.translations, around.pairs), (translations, pairs), "{cell:?}");
            start = end;
        }
        for (slot, i) in target_order.iter().enumerate() {
            let y = targets[index(*i)];
            let cell = y.map(|x| (x / plan.width).round_ties_even() as i64);
            let (mut exact, mut steep, mut weight) = (0.0, [0.0; 3], 0.0);
            for j in source_cells.iter().filter(|(there, _)| is_near(plan, cell, **there)).flat_map(|(_, j)| j) {
                let dx: Point = core::array::from_fn(|k| y[k] - sources[*j][k]);
                let e = w[*j] * (-0.5 * dx.iter().map(|d| d * d).sum::<f64>() / plan.bandwidth.powi(2)).exp();
                (exact, weight) = (exact + e, weight + w[*j].abs());
                (0..3).for_each(|k| steep[k] += e * dx[k]);
            }
            let within = weight * (plan.bound + 1e-13);
            assert!((value[slot] - exact).abs() <= within, "{i}: {} {exact}", value[slot]);
            for k in 0..dim {
                let (found, exact) = (slope[k * m + slot], steep[3 - dim + k]);
                assert!((found - exact).abs() <= within * plan.bandwidth, "{i}, {k}: {found} {exact}");
            }
        }
        (translations, pairs)
    }

    #[test]
    fn around_a_cell_is_what_looking_at_every_cell_finds() {
        for dim in 1..=3 {
            for (h, tolerance) in [(0.7, 1e-2), (0.99, 1e-4), (0.51, 1e-7)] {
                let plan = FastGauss::new(dim, h, tolerance).unwrap();
                let span = [60.0, 7.0, 3.5][dim - 1];
                // from few to many in a cell
                let uneven = |i: usize, k: usize| plan.width * (span * spread(i, k) * spread(i + 7, k) - 3.0);
                let even = |i: usize, k: usize| plan.width * (span * spread(i, k) - 4.0);
                let sources = cloud([250, 1200, 3000][dim - 1], dim, uneven);
                let targets = cloud([90, 250, 500][dim - 1], dim, even);
                let (translations, pairs) = compare(&plan, &targets, &sources);
                // in three components moments pay for the largest tolerance and the widest cells alone
                let few = dim == 3 && tolerance < 1e-4;
                assert!(pairs > 0 && (few || translations > 0), "{dim} {tolerance}: {translations}, {pairs}");
                assert_eq!(compare(&plan, &targets, &sources[..30]).0, 0, "so few sources have no moments");
            }
        }
    }

    /// Pairs of cells, far from all others, of every two numbers of particles.
    #[test]
    fn expansions_are_made_where_they_cost_less() {
        let shape = Shape::new(12, 1);
        let tolerance = (20..140).map(|k| 10f64.powf(-0.1 * f64::from(k)));
        let plan = tolerance.map(|t| FastGauss::new(1, 0.8, t).unwrap()).find(|plan| plan.shape == shape).unwrap();
        let (mut targets, mut sources) = (Vec::new(), Vec::new());
        for here in 1..=34u8 {
            for there in 1..=16u8 {
                let place = f64::from(u32::from(here) * 50 + u32::from(there)) * 100.0 * plan.width;
                let spot = |i: u8, n: u8| place + plan.width * (f64::from(i) / f64::from(n) - 0.49);
                targets.extend((0..here).map(|i| [0.0, 0.0, spot(i, here)]));
                sources.extend((0..there).map(|i| [0.0, 0.0, spot(i, there) + plan.width]));
            }
        }
        // among them one where pairs cost as much
        assert_eq!((plan.translation(), plan.evaluation(12)), (144, 12 * 9 * PAIR - 144));
        assert!(plan.crowd() == 4 && compare(&plan, &targets, &sources).0 > 0);
    }
}
