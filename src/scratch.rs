//! The memory that a step works in.

use crate::{Ensemble, Error, Field, Real, Rows, RowsMut};

/// Memory that a step works in: a [`Workspace`], a [`Scratch`] over any memory of the caller's, or a container of your
/// own.
pub trait StepMemory<R: Real> {
    /// Scratch for `len` particles; what it holds does not matter.
    ///
    /// # Errors
    /// [`Error::Capacity`] or [`Error::Mismatch`] if there is none for so many.
    fn scratch(&mut self, len: usize) -> Result<Scratch<'_, R>, Error>;
}

impl<R: Real, M: StepMemory<R> + ?Sized> StepMemory<R> for &mut M {
    fn scratch(&mut self, len: usize) -> Result<Scratch<'_, R>, Error> {
        (**self).scratch(len)
    }
}

impl<R: Real> StepMemory<R> for Scratch<'_, R> {
    fn scratch(&mut self, len: usize) -> Result<Scratch<'_, R>, Error> {
        let expected = self.origin.len();
        if len == expected {
            Ok(self.reborrow())
        } else {
            Err(Error::Mismatch { what: "particles that the workspace is for", expected: len, found: expected })
        }
    }
}

impl<R: Real, const D: usize, const N: usize> StepMemory<R> for Workspace<R, D, N> {
    fn scratch(&mut self, len: usize) -> Result<Scratch<'_, R>, Error> {
        Workspace::scratch(self, len)
    }
}

/// Views over the caller's scratch memory for `n` particles of `D` components: `n (D + 1) + D` values, `2 n` words.
///
/// After a step: [`origin`](Scratch::origin) is the step's record; the field holds the potentials and gradients of the
/// ensemble before it, except that the gradient of a slot that took a draw from the prior holds that draw.
#[derive(Debug)]
pub struct Scratch<'a, R> {
    pub(crate) field: Field<'a, R>,
    pub(crate) copies: &'a mut [u32],
    pub(crate) origin: &'a mut [u32],
    pub(crate) particle: &'a mut [R],
}

impl<'a, R: Real> Scratch<'a, R> {
    /// Scratch for the field's `n` particles: `copies` and `origin` of length `n`, `particle` of length `D`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a length differs.
    pub fn new(
        field: Field<'a, R>,
        copies: &'a mut [u32],
        origin: &'a mut [u32],
        particle: &'a mut [R],
    ) -> Result<Self, Error> {
        for (what, expected, found) in [
            ("copies in the workspace", field.len(), copies.len()),
            ("origins in the workspace", field.len(), origin.len()),
            ("particle in the workspace", field.dim(), particle.len()),
        ] {
            if expected != found {
                return Err(Error::Mismatch { what, expected, found });
            }
        }
        Ok(Self { field, copies, origin, particle })
    }

    /// `V_i` of the ensemble before the last step.
    pub fn potential(&self) -> &[R] {
        self.field.potential()
    }

    /// `grad V_i` of the ensemble before the last step; in a slot that took a draw from the prior, that draw.
    pub fn gradient(&self) -> Rows<'_, R> {
        self.field.gradient()
    }

    /// Both, for an [`Energy`](crate::Energy) to write.
    pub fn field(&mut self) -> Field<'_, R> {
        self.field.reborrow()
    }

    /// For each slot, whose particle stands there since the last step: the slot's own number (a survivor), its parent's
    /// (a copy), or [`FRESH`](crate::FRESH).
    pub fn origin(&self) -> &[u32] {
        self.origin
    }

    /// The same scratch, lent for a shorter time.
    pub fn reborrow(&mut self) -> Scratch<'_, R> {
        Scratch { field: self.field.reborrow(), copies: self.copies, origin: self.origin, particle: self.particle }
    }
}

/// Owned scratch memory for up to `N` particles of `D` components; `const fn new` for a `static`.
///
/// ```
/// use birth_death::{Dynamics, Ensemble, Stream, Workspace, models::Quadratic};
/// let mut x = Ensemble::<f32, 1, 8>::new();
/// x.push([2.0])?;
/// x.push([4.0])?;
/// let mut workspace = Workspace::<f32, 1, 8>::new();
/// let (mut bowl, mut rng) = (Quadratic::new(&[1.0])?, Stream::seeded(1, 0));
/// Dynamics::gradient_flow(0.5)?.step(&mut x, &mut bowl, &mut rng, &mut workspace)?;
/// // what the step left there
/// let scratch = workspace.scratch(x.len())?;
/// assert_eq!((scratch.potential(), scratch.origin()), (&[2.0, 8.0][..], &[0, 1][..]));
/// assert_eq!(x.rows().row(0), [1.0, 2.0]);
/// assert!(workspace.scratch(9).is_err());
/// # Ok::<(), birth_death::Error>(())
/// ```
///
/// On a small stack, keep it and the ensemble in a `static` behind whatever lock the platform has: see the crate's
/// front page.
#[derive(Clone, Debug)]
pub struct Workspace<R, const D: usize, const N: usize> {
    gradient: [[R; N]; D],
    potential: [R; N],
    copies: [u32; N],
    origin: [u32; N],
    particle: [R; D],
}

impl<R: Real, const D: usize, const N: usize> Workspace<R, D, N> {
    /// Zeros.
    pub const fn new() -> Self {
        let () = Ensemble::<R, D, N>::SHAPE;
        Self {
            gradient: [[R::ZERO; N]; D],
            potential: [R::ZERO; N],
            copies: [0; N],
            origin: [0; N],
            particle: [R::ZERO; D],
        }
    }

    /// Scratch for `len` particles.
    ///
    /// # Errors
    /// [`Error::Capacity`] if `len > N`.
    pub fn scratch(&mut self, len: usize) -> Result<Scratch<'_, R>, Error> {
        let full = Error::Capacity { what: "particles in the workspace", capacity: N, requested: len };
        let potential = self.potential.get_mut(..len).ok_or(full)?;
        let gradient = RowsMut::of_arrays(&mut self.gradient, len);
        let copies = self.copies.get_mut(..len).ok_or(full)?;
        let origin = self.origin.get_mut(..len).ok_or(full)?;
        Scratch::new(Field::new(potential, gradient)?, copies, origin, &mut self.particle)
    }
}

impl<R: Real, const D: usize, const N: usize> Default for Workspace<R, D, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_checked() {
        let mut workspace = Workspace::<f32, 2, 3>::new();
        assert!(workspace.scratch(3).is_ok());
        assert!(matches!(workspace.scratch(4), Err(Error::Capacity { capacity: 3, requested: 4, .. })));
        for (copies, origin, particle) in [(1, 2, 2), (2, 1, 2), (2, 2, 1)] {
            let (mut potential, mut gradient) = ([0.0f32; 2], [0.0f32; 4]);
            let field = Field::new(&mut potential, RowsMut::new(&mut gradient, 2, 2, 2).unwrap()).unwrap();
            let (mut c, mut o, mut p) = ([0; 2], [0; 2], [0.0; 2]);
            let result = Scratch::new(field, &mut c[..copies], &mut o[..origin], &mut p[..particle]);
            assert!(matches!(result, Err(Error::Mismatch { .. })));
        }
    }

    #[test]
    fn its_size_is_the_documented_one() {
        assert_eq!(size_of::<Workspace<f32, 2, 64>>(), (64 * (2 + 1) + 2) * 4 + 2 * 64 * 4);
    }
}
