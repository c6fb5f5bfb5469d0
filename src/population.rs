//! Population control: from survivors and copies back to exactly `n`.
//!
//! Slots are numbered; `copies[i]` says how many of slot `i` are present. Removing a parent and keeping its copy equals
//! removing the copy, so counts are enough. After control, `origin[i]` names the slot whose particle stands in slot `i`
//! after the step: `i` itself for a survivor, its parent for a copy, [`FRESH`] for a draw from the prior.

use crate::random::bounded;
use crate::rows::slots;
use rand_core::Rng;

/// The origin of a particle drawn from the reinjection prior: it has no parent.
pub const FRESH: u32 = u32::MAX;

/// How many are present: the sum of `copies`.
pub(crate) fn present(copies: &[u32]) -> u32 {
    copies.iter().fold(0, |sum, &c| sum.saturating_add(c))
}

/// Removes a uniformly random subset of `excess` of those present, without replacement.
///
/// Selection sampling (Fan, Muller, Rezucha 1962; Knuth, "Seminumerical algorithms", algorithm S): those present in
/// slot order, copies beside their parents; each is removed with probability (still to remove) / (still to come), by
/// one [`bounded`] integer below the latter: if it is below the former. Stops drawing when none is left to remove.
pub(crate) fn remove<G: Rng + ?Sized>(copies: &mut [u32], excess: u32, rng: &mut G) {
    let mut to_come = present(copies);
    let mut to_remove = excess;
    for copies in copies {
        for _ in 0..*copies {
            if to_remove == 0 {
                return;
            }
            if bounded(rng, to_come) < to_remove {
                *copies = copies.saturating_sub(1);
                to_remove = to_remove.saturating_sub(1);
            }
            to_come = to_come.saturating_sub(1);
        }
    }
}

/// Adds `missing` copies, each of one drawn uniformly and with replacement from those present before the first of them.
///
/// Those present are listed in slot order (a slot with two stands twice) in `list`, which needs room for them; one
/// [`bounded`] integer a copy picks from the list. The caller has checked that somebody is present.
pub(crate) fn copy<G: Rng + ?Sized>(copies: &mut [u32], missing: u32, rng: &mut G, list: &mut [u32]) {
    let mut listed = 0u32;
    let mut room = list.iter_mut();
    for (slot, &copies) in slots().zip(copies.iter()) {
        for _ in 0..copies {
            if let Some(entry) = room.next() {
                *entry = slot;
                listed = listed.saturating_add(1);
            }
        }
    }
    for _ in 0..missing {
        let pick = bounded(rng, listed);
        let parent = list.get(pick as usize).copied().unwrap_or(0);
        if let Some(copies) = copies.get_mut(parent as usize) {
            *copies = copies.saturating_add(1);
        }
    }
}

/// Seats the newcomers: survivors keep their slots; copies, parents ascending, enter the free slots in ascending order;
/// slots still free after the last copy are marked [`FRESH`]. Returns how many those are.
pub(crate) fn seat(copies: &[u32], origin: &mut [u32]) -> u32 {
    let mut newcomers = slots().zip(copies).flat_map(|(slot, &c)| (1..c.max(1)).map(move |_| slot));
    let mut fresh = 0u32;
    for ((slot, &c), origin) in slots().zip(copies).zip(origin) {
        *origin = if c > 0 {
            slot
        } else {
            newcomers.next().unwrap_or_else(|| {
                fresh = fresh.saturating_add(1);
                FRESH
            })
        };
    }
    fresh
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    #[test]
    fn newcomers_are_seated_in_order() {
        let mut origin = [7; 6];
        assert_eq!(seat(&[0, 3, 0, 1, 2, 0], &mut origin), 0);
        assert_eq!(origin, [1, 1, 1, 3, 4, 4]);
        assert_eq!(seat(&[0, 1, 0, 2, 0, 0], &mut origin), 3);
        assert_eq!(origin, [3, 1, FRESH, 3, FRESH, FRESH]);
        assert_eq!(seat(&[1; 6], &mut origin), 0);
        assert_eq!(origin, [0, 1, 2, 3, 4, 5]);
        assert_eq!(seat(&[], &mut []), 0);
    }

    #[test]
    fn every_subset_is_removed_equally_often() {
        // present: slots 0 (twice), 2, 3 (twice), 4; two of six go: 15 subsets, in counts 9 classes
        let start = [2, 0, 1, 2, 1];
        let items = [0usize, 0, 2, 3, 3, 4];
        let mut expected: BTreeMap<Vec<u32>, f64> = BTreeMap::new();
        for a in 0..6 {
            for b in 0..a {
                let mut left = start.to_vec();
                left[items[a]] -= 1;
                left[items[b]] -= 1;
                *expected.entry(left).or_default() += 1.0 / 15.0;
            }
        }
        let runs = 60_000;
        let mut rng = Stream::seeded(2, 0);
        let mut counts: BTreeMap<Vec<u32>, f64> = BTreeMap::new();
        for _ in 0..runs {
            let mut copies = start;
            remove(&mut copies, 2, &mut rng);
            *counts.entry(copies.to_vec()).or_default() += 1.0;
        }
        assert_eq!(counts.len(), expected.len());
        for (left, p) in expected {
            let n = f64::from(runs);
            let error = 5.0 * libm::sqrt(n * p * (1.0 - p));
            assert!((counts[&left] - n * p).abs() < error, "{left:?}: {} of {}", counts[&left], n * p);
        }
    }

    #[test]
    fn copies_come_from_those_present_before() {
        let mut rng = Stream::seeded(4, 0);
        let mut counts = [0u32; 4];
        for _ in 0..30_000 {
            let mut copies = [1, 0, 2, 0];
            copy(&mut copies, 2, &mut rng, &mut [0; 4]);
            assert_eq!((copies[1], copies[3], present(&copies)), (0, 0, 5));
            counts[copies[0] as usize] += 1;
        }
        // extra copies of slot 0 are binomial(2, 1/3): 4/9, 4/9, 1/9
        for (count, p) in counts[1..].iter().zip([4.0 / 9.0, 4.0 / 9.0, 1.0 / 9.0]) {
            let (n, count) = (30_000.0, f64::from(*count));
            assert!((count - n * p).abs() < 5.0 * libm::sqrt(n * p * (1.0 - p)), "{counts:?}");
        }
    }
}
