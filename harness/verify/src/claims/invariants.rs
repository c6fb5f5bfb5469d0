//! What every step leaves as it is, whatever the words say: for the claim of conservation.

use std::collections::{HashMap, HashSet};

use birth_death::{FRESH, Report};

/// The larger; NaN if either is.
pub fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a >= b { a } else { b }
}

/// `[i][k]` from rows.
pub fn columns(values: &[f64], n: usize) -> Vec<Vec<f64>> {
    (0..n).map(|i| values.iter().skip(i).step_by(n).copied().collect()).collect()
}

/// Of the values, over their size or `least`.
pub fn distance(a: &[Vec<f64>], b: &[Vec<f64>], least: f64) -> f64 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    let largest = pairs.map(|(a, b)| (a - b).abs() / b.abs().max(least)).fold(0.0, larger);
    if a.iter().flatten().count() == b.iter().flatten().count() { largest } else { f64::NAN }
}

pub fn counts_agree(report: &Report<f64>, origins: &[u32], reinjection: bool) -> bool {
    let (births, deaths) = (report.births, report.deaths);
    let fresh = origins.iter().filter(|&&origin| origin == FRESH).count() as u32;
    let moved = origins.iter().zip(0u32..).filter(|&(&origin, slot)| origin != slot).count() as u32;
    report.removed == births.saturating_sub(deaths)
        && report.added == deaths.saturating_sub(births)
        && fresh == if reinjection { report.added } else { 0 }
        // a slot changes hands only by a death, or by a removal of somebody who had no copy
        && moved >= deaths
        && moved <= deaths + report.removed
}

/// A parent stands in its own slot.
pub fn origins_possible(origins: &[u32]) -> bool {
    origins.iter().all(|&origin| origin == FRESH || origins.get(origin as usize) == Some(&origin))
}

/// A particle to the bit.
fn bits(particle: &[f64]) -> Vec<u64> {
    particle.iter().map(|x| x.to_bits()).collect()
}

/// Rows that are neither drawn nor, to the bit, a row from before.
pub fn new_rows(before: &[Vec<f64>], after: &[Vec<f64>], origins: &[u32]) -> f64 {
    let known: HashSet<Vec<u64>> = before.iter().map(|row| bits(row)).collect();
    count(after, origins, |row, origin| origin == FRESH || known.contains(&bits(row)))
}

/// Copies that differ from their parent, and pairs of identical particles that both survived the step and are identical
/// no more.
pub fn parted(before: &[Vec<f64>], after: &[Vec<f64>], origins: &[u32]) -> f64 {
    let copies = count(after, origins, |row, origin| origin == FRESH || after[origin as usize] == *row);
    let mut first: HashMap<Vec<u64>, usize> = HashMap::new();
    let mut parted = 0.0;
    for i in (0..before.len()).filter(|&i| origins[i] as usize == i) {
        let twin = *first.entry(bits(&before[i])).or_insert(i);
        parted += f64::from(u8::from(after[i] != after[twin]));
    }
    copies + parted
}

/// Rows of which `right` says no.
fn count(after: &[Vec<f64>], origins: &[u32], right: impl Fn(&Vec<f64>, u32) -> bool) -> f64 {
    after.iter().zip(origins).filter(|&(row, &origin)| !right(row, origin)).count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[f64]) -> Vec<Vec<f64>> {
        values.iter().map(|x| vec![*x]).collect()
    }

    #[test]
    fn rows_and_twins_by_hand() {
        let before = rows(&[1.0, 2.0, 1.0]);
        // the second slot takes a copy of the first
        assert_eq!(new_rows(&before, &rows(&[1.0, 1.0, 1.0]), &[0, 0, 2]), 0.0);
        assert_eq!(new_rows(&before, &rows(&[1.0, 1.5, 1.0]), &[0, 0, 2]), 1.0);
        assert_eq!(new_rows(&before, &rows(&[1.0, 1.5, 1.0]), &[0, FRESH, 2]), 0.0);
        // moved: twins stay twins, and a copy is its parent's
        assert_eq!(parted(&before, &rows(&[0.9, 0.9, 0.9]), &[0, 0, 2]), 0.0);
        assert_eq!(parted(&before, &rows(&[0.9, 0.9, 0.8]), &[0, 0, 2]), 1.0, "twins parted");
        assert_eq!(parted(&before, &rows(&[0.9, 0.7, 0.9]), &[0, 0, 2]), 1.0, "another row than the parent's");
        assert_eq!(parted(&before, &rows(&[0.9, 0.7, 0.8]), &[0, FRESH, FRESH]), 0.0, "a draw is nobody's twin");
    }

    #[test]
    fn distances_are_relative_and_a_shape_counts() {
        assert_eq!(distance(&rows(&[1.0, 8.5]), &rows(&[1.0, 8.0]), 1.0), 0.0625);
        assert_eq!(distance(&rows(&[0.5]), &rows(&[0.25]), 1.0), 0.25);
        assert!(distance(&rows(&[0.5]), &rows(&[0.5, 1.0]), 1.0).is_nan());
        assert!(larger(f64::NAN, 1.0).is_nan() && larger(1.0, f64::NAN).is_nan());
    }
}
