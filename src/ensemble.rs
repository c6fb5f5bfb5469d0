//! Owned storage for particles: a fixed array and a live length.

use crate::{Error, Quantity, Real, Rows, RowsMut};

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
/// assert_eq!(x.particle(0), Some([0.5, -1.0]));
/// # Ok::<(), birth_death::Error>(())
/// ```
/// Equal are ensembles of equal live particles, slot by slot. A particle without components, or no room, does not compile:
/// ```compile_fail,E0080
/// let x = birth_death::Ensemble::<f32, 0, 4>::new();
/// ```
/// ```compile_fail,E0080
/// let x = birth_death::Ensemble::<f32, 2, 0>::new();
/// ```
#[derive(Clone, Debug)]
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
        if particle.iter().any(|x| !x.is_finite()) {
            return Err(Error::NotFinite { quantity: Quantity::Position, particle: u32::try_from(self.len).ok() });
        }
        for (row, x) in self.rows.iter_mut().zip(particle) {
            if let Some(slot) = row.get_mut(self.len) {
                *slot = x;
            }
        }
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    /// Removes every particle.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// The particle in slot `i`.
    pub fn particle(&self, i: usize) -> Option<[R; D]> {
        if i >= self.len {
            return None;
        }
        let mut particle = [R::ZERO; D];
        for (x, row) in particle.iter_mut().zip(&self.rows) {
            *x = *row.get(i)?;
        }
        Some(particle)
    }

    /// The live particles, for reading.
    pub fn rows(&self) -> Rows<'_, R> {
        Rows::of_arrays(&self.rows, self.len)
    }

    /// The live particles, for writing: what a step takes.
    pub fn rows_mut(&mut self) -> RowsMut<'_, R> {
        RowsMut::of_arrays(&mut self.rows, self.len)
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
        assert_eq!((x.particle(1), x.particle(2)), (Some([7.0]), None));
        x.clear();
        assert_eq!((x.len(), x.particle(0)), (0, None));
    }

    #[test]
    fn it_can_stand_in_a_static_and_costs_its_rows_and_a_length() {
        static EMPTY: Ensemble<f32, 2, 64> = Ensemble::new();
        assert_eq!(EMPTY.len(), 0);
        assert_eq!(size_of::<Ensemble<f32, 2, 64>>(), 2 * 64 * 4 + size_of::<usize>());
    }
}
