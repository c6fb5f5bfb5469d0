//! Who descends from whom: ancestors alive, and the effective support.

use crate::population::FRESH;
use crate::rows::{self, slots};
use crate::{Error, Real};

/// Families of particles with a common ancestor, kept from step to step: `2 n` words, in arrays or the caller's slices.
///
/// At the start, and at each [`FRESH`] draw, a particle is its own ancestor. O(n) an update.
///
/// ```
/// use birth_death::Genealogy;
/// let mut genealogy = Genealogy::new([0; 4], [0; 4])?;
/// genealogy.update(&[0, 0, 2, 0])?; // slots 1 and 3 hold copies of slot 0
/// assert_eq!(genealogy.distinct(), 2);
/// assert_eq!(genealogy.effective_support::<f64>(), 1.6); // 4^2 / (3^2 + 1^2)
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Genealogy<S> {
    family: S,
    size: S,
    distinct: u32,
    /// Where the search for an unused family number begins.
    cursor: usize,
}

impl<S: AsRef<[u32]> + AsMut<[u32]>> Genealogy<S> {
    /// Every particle its own ancestor. `family` and `size` have the ensemble's length.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for different lengths, [`Error::Capacity`] beyond [`MAX_PARTICLES`](crate::MAX_PARTICLES).
    pub fn new(mut family: S, mut size: S) -> Result<Self, Error> {
        let n = family.as_ref().len();
        if n != size.as_ref().len() {
            return Err(Error::Mismatch { what: "family sizes", expected: n, found: size.as_ref().len() });
        }
        rows::check(n, n, 1, n)?;
        family.as_mut().iter_mut().zip(slots()).for_each(|(f, slot)| *f = slot);
        size.as_mut().fill(1);
        let distinct = u32::try_from(n).unwrap_or(u32::MAX);
        Ok(Self { family, size, distinct, cursor: 0 })
    }

    /// Takes in a step's origins, [`Scratch::origin`](crate::Scratch::origin).
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another length; [`Error::Parameter`] for an origin that is no slot, or no survivor of
    /// the step. Unchanged then.
    pub fn update(&mut self, origin: &[u32]) -> Result<(), Error> {
        let n = self.family.as_ref().len();
        if origin.len() != n {
            return Err(Error::Mismatch { what: "origins", expected: n, found: origin.len() });
        }
        if let Some(bad) = origin.iter().find(|&&o| o != FRESH && origin.get(o as usize) != Some(&o)) {
            return Err(Error::Parameter {
                name: "origin",
                value: f64::from(*bad),
                accepted: "FRESH, or a slot that is its own origin",
            });
        }
        let (families, sizes) = (self.family.as_mut(), self.size.as_mut());
        for ((slot, &origin), &family) in slots().zip(origin).zip(families.iter()) {
            if origin != slot
                && let Some(size) = sizes.get_mut(family as usize)
            {
                *size = size.saturating_sub(1);
                self.distinct = self.distinct.saturating_sub(u32::from(*size == 0));
            }
        }
        for (slot, &origin) in slots().zip(origin) {
            if origin == slot {
                continue;
            }
            // a parent survives in its own slot, so its family number is still there
            let family = if origin == FRESH {
                unused(sizes, &mut self.cursor)
            } else {
                families.get(origin as usize).copied().unwrap_or(0)
            };
            if let (Some(f), Some(size)) = (families.get_mut(slot as usize), sizes.get_mut(family as usize)) {
                self.distinct = self.distinct.saturating_add(u32::from(*size == 0));
                *f = family;
                *size = size.saturating_add(1);
            }
        }
        Ok(())
    }

    /// The number of distinct ancestors alive, at most `n`.
    pub fn distinct(&self) -> u32 {
        self.distinct
    }

    /// For each slot, a number that particles share if and only if they share their ancestor; below `n`.
    pub fn families(&self) -> &[u32] {
        self.family.as_ref()
    }

    /// `n^2 / sum_f m_f^2` over families of size `m_f`: the number of equally large families with the same chance that
    /// two random particles are related. Between 1 and [`distinct`](Genealogy::distinct); 0 for no particle.
    #[allow(clippy::cast_precision_loss)] // beyond 2^53 the ratio is rounded
    pub fn effective_support<R: Real>(&self) -> R {
        let squares = self.size.as_ref().iter().fold(0u64, |sum, &m| {
            let m = u64::from(m);
            sum.saturating_add(m.saturating_mul(m))
        });
        let n = self.family.as_ref().len() as f64;
        if squares == 0 { R::ZERO } else { R::from_f64(n * n / squares as f64) }
    }
}

/// A family number that nobody bears: there are as many numbers as slots, and one slot at least is unassigned now.
fn unused(sizes: &[u32], cursor: &mut usize) -> u32 {
    for _ in sizes {
        let candidate = *cursor;
        let next = candidate.saturating_add(1);
        *cursor = if next < sizes.len() { next } else { 0 };
        if sizes.get(candidate) == Some(&0) {
            return u32::try_from(candidate).unwrap_or(0);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    #[test]
    fn families_follow_a_naive_record_through_random_histories() {
        let n = 12usize;
        let mut genealogy = Genealogy::new(std::vec![0; n], std::vec![0; n]).unwrap();
        let mut naive: Vec<usize> = (0..n).collect();
        let mut next = n;
        let mut rng = crate::Stream::seeded(9, 0);
        let mut draw = |bound: u32| crate::random::bounded(&mut rng, bound);
        for _ in 0..2000 {
            let mut origin: Vec<u32> = (0..n as u32).collect();
            let survives: Vec<bool> = (0..n).map(|i| i == 3 || draw(4) > 0).collect();
            for i in 0..n {
                if survives[i] {
                    continue;
                }
                loop {
                    let parent = draw(n as u32 + 3);
                    if parent >= n as u32 {
                        origin[i] = FRESH;
                        break;
                    }
                    if survives[parent as usize] {
                        origin[i] = parent;
                        break;
                    }
                }
            }
            let old = naive.clone();
            for i in 0..n {
                naive[i] = if origin[i] == FRESH {
                    next += 1;
                    next
                } else {
                    old[origin[i] as usize]
                };
            }
            genealogy.update(&origin).unwrap();
            let distinct: BTreeSet<_> = naive.iter().collect();
            assert_eq!(genealogy.distinct() as usize, distinct.len());
            for i in 0..n {
                for j in 0..n {
                    let related = genealogy.families()[i] == genealogy.families()[j];
                    assert_eq!(related, naive[i] == naive[j]);
                }
            }
            let squares: usize = distinct.iter().map(|f| naive.iter().filter(|g| g == f).count().pow(2)).sum();
            assert_eq!(genealogy.effective_support::<f64>(), (n * n) as f64 / squares as f64);
        }
    }

    #[test]
    fn the_only_free_number_is_found_wherever_the_search_begins() {
        let mut genealogy = Genealogy::new([0; 3], [0; 3]).unwrap();
        for slot in [2, 2, 0, 1, 1, 0, 2, 2] {
            let mut origin = [0, 1, 2];
            origin[slot] = FRESH;
            genealogy.update(&origin).unwrap();
            assert_eq!(genealogy.distinct(), 3);
            assert_eq!(genealogy.families().iter().collect::<BTreeSet<_>>().len(), 3);
        }
    }

    #[test]
    fn impossible_origins_are_refused_and_change_nothing() {
        assert!(Genealogy::new(&mut [0; 2][..], &mut [0; 3][..]).is_err());
        let mut genealogy = Genealogy::new([0; 3], [0; 3]).unwrap();
        for origin in [&[0, 1][..], &[0, 3, 2], &[1, 0, 2], &[0, 0, 1]] {
            let refused = genealogy.update(origin);
            assert!(matches!(refused, Err(Error::Mismatch { .. } | Error::Parameter { .. })), "{origin:?}");
            assert_eq!(genealogy.distinct(), 3);
        }
    }
}
