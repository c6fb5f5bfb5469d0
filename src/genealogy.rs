//! Who descends from whom: ancestors alive, and the effective support.

use crate::population::FRESH;
use crate::rows::MAX_PARTICLES;
use crate::{Error, Real};

/// Families of particles with a common ancestor, kept from step to step in the caller's memory: `2 n` words.
///
/// At the start, and at each [`FRESH`] draw, a particle is its own ancestor. O(n) an update.
///
/// ```
/// use birth_death::Genealogy;
/// let (mut family, mut size) = ([0; 4], [0; 4]);
/// let mut genealogy = Genealogy::new(&mut family, &mut size)?;
/// genealogy.update(&[0, 0, 2, 0])?; // slots 1 and 3 hold copies of slot 0
/// assert_eq!(genealogy.distinct(), 2);
/// assert_eq!(genealogy.effective_support::<f64>(), 1.6); // 4^2 / (3^2 + 1^2)
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Debug)]
pub struct Genealogy<'a> {
    family: &'a mut [u32],
    size: &'a mut [u32],
    distinct: u32,
    /// Where the search for an unused family number begins.
    cursor: usize,
}

impl<'a> Genealogy<'a> {
    /// Every particle its own ancestor. `family` and `size` have the ensemble's length.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for different lengths, [`Error::Capacity`] beyond [`MAX_PARTICLES`].
    pub fn new(family: &'a mut [u32], size: &'a mut [u32]) -> Result<Self, Error> {
        if family.len() != size.len() {
            return Err(Error::Mismatch { what: "family sizes", expected: family.len(), found: size.len() });
        }
        if family.len() > MAX_PARTICLES {
            return Err(Error::Capacity { what: "particles", capacity: MAX_PARTICLES, requested: family.len() });
        }
        family.iter_mut().zip(0u32..).for_each(|(f, slot)| *f = slot);
        size.fill(1);
        let distinct = u32::try_from(family.len()).unwrap_or(u32::MAX);
        Ok(Self { family, size, distinct, cursor: 0 })
    }

    /// Takes in a step's origins, [`Scratch::origin`](crate::Scratch::origin).
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another length, or an origin that is no slot or no survivor of the step; unchanged then.
    pub fn update(&mut self, origin: &[u32]) -> Result<(), Error> {
        let n = self.family.len();
        if origin.len() != n {
            return Err(Error::Mismatch { what: "origins", expected: n, found: origin.len() });
        }
        if let Some(bad) = origin.iter().find(|&&o| o != FRESH && origin.get(o as usize) != Some(&o)) {
            return Err(Error::Mismatch { what: "an origin", expected: n, found: *bad as usize });
        }
        for ((slot, &origin), &family) in (0u32..).zip(origin).zip(self.family.iter()) {
            if origin != slot {
                if let Some(size) = self.size.get_mut(family as usize) {
                    *size = size.saturating_sub(1);
                    self.distinct = self.distinct.saturating_sub(u32::from(*size == 0));
                }
            }
        }
        for (slot, &origin) in (0usize..).zip(origin) {
            if origin as usize == slot {
                continue;
            }
            // a parent survives in its own slot, so its family number is still there
            let family =
                if origin == FRESH { self.unused() } else { self.family.get(origin as usize).copied().unwrap_or(0) };
            if let (Some(f), Some(size)) = (self.family.get_mut(slot), self.size.get_mut(family as usize)) {
                self.distinct = self.distinct.saturating_add(u32::from(*size == 0));
                *f = family;
                *size = size.saturating_add(1);
            }
        }
        Ok(())
    }

    /// A family number that nobody bears: there are as many numbers as slots, and one slot at least is unassigned now.
    fn unused(&mut self) -> u32 {
        let n = self.size.len();
        for _ in 0..n {
            let candidate = self.cursor;
            self.cursor = if candidate.saturating_add(1) < n { candidate.saturating_add(1) } else { 0 };
            if self.size.get(candidate) == Some(&0) {
                return u32::try_from(candidate).unwrap_or(0);
            }
        }
        0
    }

    /// The number of distinct ancestors alive, at most `n`.
    pub const fn distinct(&self) -> u32 {
        self.distinct
    }

    /// For each slot, a number that particles share if and only if they share their ancestor; below `n`.
    pub fn families(&self) -> &[u32] {
        self.family
    }

    /// `n^2 / sum_f m_f^2` over families of size `m_f`: the number of equally large families with the same chance that two
    /// random particles are related. Between 1 and [`distinct`](Genealogy::distinct); 0 for no particle.
    #[allow(clippy::cast_precision_loss)] // beyond 2^53 the ratio is rounded
    pub fn effective_support<R: Real>(&self) -> R {
        let squares = self.size.iter().fold(0u64, |sum, &m| {
            let m = u64::from(m);
            sum.saturating_add(m.saturating_mul(m))
        });
        let n = self.family.len() as f64;
        if squares == 0 { R::ZERO } else { R::from_f64(n * n / squares as f64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    #[test]
    fn families_follow_a_naive_record_through_random_histories() {
        let n = 12usize;
        let (mut family, mut size) = (std::vec![0; n], std::vec![0; n]);
        let mut genealogy = Genealogy::new(&mut family, &mut size).unwrap();
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
    fn impossible_origins_are_refused_and_change_nothing() {
        let (mut family, mut size) = ([0; 3], [0; 3]);
        assert!(Genealogy::new(&mut [0; 2], &mut size).is_err());
        let mut genealogy = Genealogy::new(&mut family, &mut size).unwrap();
        for origin in [&[0, 1][..], &[0, 3, 2], &[1, 0, 2], &[0, 0, 1]] {
            assert!(matches!(genealogy.update(origin), Err(Error::Mismatch { .. })), "{origin:?}");
            assert_eq!(genealogy.distinct(), 3);
        }
    }
}
