//! Owned storage for particles: a fixed array and a live length.

use crate::{Error, Particles, Quantity, Real, Rows, RowsMut};
use core::fmt;

/// Up to `N` particles of `D` components, as a structure of arrays; `D * N` values and a length of RAM.
///
/// `const fn new` makes it usable in a `static`. Component `k` of particle `i` stands in row `k`, slot `i`.
///
/// ```
/// use birth_death::Ensemble;
/// let mut x = Ensemble::<f32, 2, 4>::new();
/// x.push([0.5, -1.0])?;
/// x.push([1.5, 2.0])?;
/// assert_eq!(x.rows().row(1), [-1.0, 2.0]);
/// assert_eq!(x.get(0), Some([0.5, -1.0]));
/// x.set(0, [0.0, -2.0])?;
/// assert!(x.iter().eq([[0.0, -2.0], [1.5, 2.0]]));
/// assert_eq!(x.remove(0), Some([0.0, -2.0]));
/// # Ok::<(), birth_death::Error>(())
/// ```
/// Equal are ensembles of equal live particles, slot by slot. A particle without components, or no room, does not
/// compile:
/// ```compile_fail,E0080
/// let x = birth_death::Ensemble::<f32, 0, 4>::new();
/// ```
/// ```compile_fail,E0080
/// let x = birth_death::Ensemble::<f32, 2, 0>::new();
/// ```
#[derive(Clone)]
pub struct Ensemble<R, const D: usize, const N: usize> {
    rows: [[R; N]; D],
    len: usize,
}

impl<R: Real, const D: usize, const N: usize> Ensemble<R, D, N> {
    pub(crate) const SHAPE: () = assert!(
        D > 0 && N > 0 && N <= crate::rows::MAX_PARTICLES,
        "D and N must be at least one, and N at most MAX_PARTICLES"
    );

    /// No particle.
    pub const fn new() -> Self {
        let () = Self::SHAPE;
        Self { rows: [[R::ZERO; N]; D], len: 0 }
    }

    /// Live particles.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no particle.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a particle in the next slot.
    ///
    /// # Errors
    /// [`Error::Capacity`] if all `N` slots are taken; [`Error::NotFinite`] for a NaN or an infinity.
    pub fn push(&mut self, particle: [R; D]) -> Result<(), Error> {
        if self.len >= N {
            return Err(Error::Capacity { what: "particles", capacity: N, requested: N.saturating_add(1) });
        }
        self.write(self.len, particle)?;
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    /// Adds particles until one is refused.
    ///
    /// # Errors
    /// As [`push`](Self::push); those before it stay.
    pub fn try_extend(&mut self, particles: impl IntoIterator<Item = [R; D]>) -> Result<(), Error> {
        particles.into_iter().try_for_each(|particle| self.push(particle))
    }

    /// Puts a particle into slot `i`, in place of the one there.
    ///
    /// # Errors
    /// [`Error::Capacity`] if slot `i` has none; [`Error::NotFinite`] for a NaN or an infinity. Unchanged then.
    pub fn set(&mut self, i: usize, particle: [R; D]) -> Result<(), Error> {
        if i >= self.len {
            return Err(Error::Capacity { what: "live particles", capacity: self.len, requested: i.saturating_add(1) });
        }
        self.write(i, particle)
    }

    /// Takes out the particle of slot `i`; those behind it move up by one, in order.
    pub fn remove(&mut self, i: usize) -> Option<[R; D]> {
        let particle = self.get(i)?;
        for row in &mut self.rows {
            let live = row.get_mut(..self.len).and_then(|live| live.get_mut(i..)).unwrap_or(&mut []);
            // from the back, each takes the one behind it
            let mut behind = R::ZERO;
            live.iter_mut().rev().for_each(|x| core::mem::swap(x, &mut behind));
        }
        self.len = self.len.saturating_sub(1);
        Some(particle)
    }

    fn write(&mut self, i: usize, particle: [R; D]) -> Result<(), Error> {
        if particle.iter().any(|x| !x.is_finite()) {
            return Err(Error::NotFinite { quantity: Quantity::Position, particle: u32::try_from(i).ok() });
        }
        for (row, x) in self.rows.iter_mut().zip(particle) {
            if let Some(slot) = row.get_mut(i) {
                *slot = x;
            }
        }
        Ok(())
    }

    /// Removes every particle.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// The particle in slot `i`.
    pub fn get(&self, i: usize) -> Option<[R; D]> {
        if i >= self.len {
            return None;
        }
        let mut particle = [R::ZERO; D];
        for (x, row) in particle.iter_mut().zip(&self.rows) {
            *x = *row.get(i)?;
        }
        Some(particle)
    }

    /// The live particles, in slot order.
    pub fn iter(&self) -> Iter<'_, R, D, N> {
        Iter { ensemble: self, next: 0 }
    }

    /// The live particles, for reading.
    pub fn rows(&self) -> Rows<'_, R> {
        Rows::of_arrays(&self.rows, self.len)
    }

    /// The live particles, for writing component by component.
    pub fn rows_mut(&mut self) -> RowsMut<'_, R> {
        RowsMut::of_arrays(&mut self.rows, self.len)
    }
}

/// The particles of an [`Ensemble`], in slot order.
#[derive(Clone, Debug)]
pub struct Iter<'a, R: Real, const D: usize, const N: usize> {
    ensemble: &'a Ensemble<R, D, N>,
    next: usize,
}

impl<R: Real, const D: usize, const N: usize> Iterator for Iter<'_, R, D, N> {
    type Item = [R; D];

    fn next(&mut self) -> Option<[R; D]> {
        let particle = self.ensemble.get(self.next)?;
        self.next = self.next.saturating_add(1);
        Some(particle)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.ensemble.len.saturating_sub(self.next);
        (left, Some(left))
    }
}

impl<R: Real, const D: usize, const N: usize> ExactSizeIterator for Iter<'_, R, D, N> {}

impl<'a, R: Real, const D: usize, const N: usize> IntoIterator for &'a Ensemble<R, D, N> {
    type Item = [R; D];
    type IntoIter = Iter<'a, R, D, N>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<R: Real, const D: usize, const N: usize> Particles<R> for Ensemble<R, D, N> {
    fn rows_mut(&mut self) -> RowsMut<'_, R> {
        Ensemble::rows_mut(self)
    }

    fn set_len(&mut self, len: usize) -> Result<(), Error> {
        if len > N {
            return Err(Error::Capacity { what: "particles", capacity: N, requested: len });
        }
        self.len = len;
        Ok(())
    }
}

/// The live particles.
impl<R: Real, const D: usize, const N: usize> fmt::Debug for Ensemble<R, D, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<R: Real, const D: usize, const N: usize> PartialEq for Ensemble<R, D, N> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.rows().iter().eq(other.rows().iter())
    }
}

impl<R: Real, const D: usize, const N: usize> Default for Ensemble<R, D, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_and_finiteness_are_checked() {
        let mut x = Ensemble::<f64, 1, 2>::new();
        assert!(x.is_empty() && x.rows().is_empty());
        assert_eq!(x.push([f64::NAN]), Err(Error::NotFinite { quantity: Quantity::Position, particle: Some(0) }));
        x.push([1.0]).unwrap();
        x.push([2.0]).unwrap();
        let before = x.clone();
        assert!(matches!(x.push([3.0]), Err(Error::Capacity { capacity: 2, requested: 3, .. })));
        assert_eq!(x, before);
        x.rows_mut().row_mut(0)[1] = 7.0;
        assert_eq!((x.get(1), x.get(2)), (Some([7.0]), None));
        assert!(matches!(x.set(2, [1.0]), Err(Error::Capacity { capacity: 2, requested: 3, .. })));
        assert!(matches!(x.set(0, [f64::INFINITY]), Err(Error::NotFinite { particle: Some(0), .. })));
        assert!(x.iter().eq([[1.0], [7.0]]), "unchanged");
        x.clear();
        assert_eq!((x.len(), x.get(0)), (0, None));
        x.set_len(2).unwrap();
        assert!(x.set_len(3).is_err() && x.len() == 2);
    }

    #[test]
    fn particles_are_changed_taken_out_and_listed() {
        let mut x = Ensemble::<f32, 2, 4>::new();
        x.try_extend([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]).unwrap();
        x.set(1, [9.0, 9.5]).unwrap();
        assert_eq!((x.remove(0), x.remove(2)), (Some([0.0, 0.5]), None));
        assert_eq!((x.iter().len(), x.rows().row(1)), (2, &[9.5, 2.5][..]));
        assert_eq!(std::format!("{x:?}"), "[[9.0, 9.5], [2.0, 2.5]]", "the living alone");
        assert!(x.try_extend([[3.0; 2], [4.0; 2], [5.0; 2]]).is_err());
        assert_eq!((&x).into_iter().map(|[first, _]| first).collect::<std::vec::Vec<_>>(), [9.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn it_can_stand_in_a_static_and_costs_its_rows_and_a_length() {
        static EMPTY: Ensemble<f32, 2, 64> = Ensemble::new();
        assert_eq!(EMPTY.len(), 0);
        assert_eq!(size_of::<Ensemble<f32, 2, 64>>(), 2 * 64 * 4 + size_of::<usize>());
    }
}
