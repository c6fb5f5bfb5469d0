//! The potential and its gradient at every particle: what an energy writes.

use crate::rows::first_not_finite;
use crate::{Error, Quantity, Real, Rows, RowsMut, sum};

/// Where an [`Energy`](crate::Energy) writes `V_i` and `grad V_i`: views over the caller's memory.
///
/// ```
/// use birth_death::{Energy, Field, Rows, RowsMut, models::Quadratic};
/// let (at, mut v, mut g) = ([1.0, 3.0], [0.0; 2], [0.0; 2]);
/// let mut field = Field::new(&mut v, RowsMut::new(&mut g, 2, 1, 2)?)?;
/// let energy = Quadratic::new(&[2.0])?.evaluate(0, Rows::new(&at, 2, 1, 2)?, field.reborrow())?;
/// assert_eq!((field.potential(), field.gradient().row(0)), (&[1.0, 9.0][..], &[2.0, 6.0][..]));
/// assert_eq!((energy, field.check_finite()?), (5.0, 5.0));
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Debug)]
pub struct Field<'a, R> {
    potential: &'a mut [R],
    gradient: RowsMut<'a, R>,
}

impl<'a, R: Real> Field<'a, R> {
    /// `potential[i]` is for `V_i`; row `k` of `gradient` for the derivatives in component `k`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the two have different lengths.
    pub fn new(potential: &'a mut [R], gradient: RowsMut<'a, R>) -> Result<Self, Error> {
        if potential.len() != gradient.len() {
            return Err(Error::Mismatch { what: "potential", expected: gradient.len(), found: potential.len() });
        }
        Ok(Self { potential, gradient })
    }

    /// Components of a particle.
    pub const fn dim(&self) -> usize {
        self.gradient.dim()
    }

    /// Particles.
    pub const fn len(&self) -> usize {
        self.gradient.len()
    }

    /// Whether there is no particle.
    pub const fn is_empty(&self) -> bool {
        self.gradient.is_empty()
    }

    /// `V_i`, in slot order.
    pub fn potential(&self) -> &[R] {
        self.potential
    }

    /// `grad V_i`: row `k` holds the derivatives in component `k`.
    pub fn gradient(&self) -> Rows<'_, R> {
        self.gradient.as_rows()
    }

    /// Both, for writing.
    pub fn parts_mut(&mut self) -> (&mut [R], RowsMut<'_, R>) {
        (self.potential, self.gradient.reborrow())
    }

    /// Makes every value NaN.
    pub(crate) fn spoil(&mut self) {
        let nan = R::from_f64(f64::NAN);
        self.potential.fill(nan);
        self.gradient.iter_mut().for_each(|row| row.fill(nan));
    }

    /// The same field, lent for a shorter time.
    pub fn reborrow(&mut self) -> Field<'_, R> {
        Field { potential: self.potential, gradient: self.gradient.reborrow() }
    }

    /// Whether ensemble and field have the shape that an energy of dimension `dim` expects: for implementors of
    /// [`Energy`](crate::Energy), before anything is written.
    ///
    /// # Errors
    /// [`Error::Empty`] for no particle; [`Error::Mismatch`] if a dimension or a length differs.
    pub fn check(&self, dim: usize, at: Rows<'_, R>) -> Result<(), Error> {
        if at.is_empty() {
            return Err(Error::Empty);
        }
        for (what, expected, found) in [
            ("dimension of the ensemble", dim, at.dim()),
            ("dimension of the field", dim, self.dim()),
            ("length of the field", at.len(), self.len()),
        ] {
            if expected != found {
                return Err(Error::Mismatch { what, expected, found });
            }
        }
        Ok(())
    }

    /// `Vbar`, the mean potential (16 lanes and a tree, as every sum over particles), clamped to the smallest and the
    /// largest `V_i`: beyond them it lies by rounding alone, and equal potentials have a centred rate of exactly 0.
    pub fn mean_potential(&self) -> R {
        sum::mean_within(self.potential)
    }

    /// The mean potential, if every `V_i`, their mean, and every component of every gradient is finite.
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the first particle that is not, in its potential or else in its gradient; with none
    /// for the mean.
    pub fn check_finite(&self) -> Result<R, Error> {
        self.check_particles()?;
        self.check_mean()
    }

    /// That every `V_i` and every component of every gradient is finite.
    pub(crate) fn check_particles(&self) -> Result<(), Error> {
        let not_finite = |quantity, i: usize| Error::NotFinite { quantity, particle: u32::try_from(i).ok() };
        if let Some(i) = first_not_finite(self.potential.iter().copied()) {
            return Err(not_finite(Quantity::Potential, i));
        }
        if let Some(i) = self.gradient.as_rows().first_not_finite() {
            return Err(not_finite(Quantity::Gradient, i));
        }
        Ok(())
    }

    /// The mean potential, if it is finite: of finite potentials it is not if their sum overflows.
    pub(crate) fn check_mean(&self) -> Result<R, Error> {
        let mean = self.mean_potential();
        if !mean.is_finite() {
            return Err(Error::NotFinite { quantity: Quantity::Potential, particle: None });
        }
        Ok(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_checked() {
        let mut gradient = [0.0f32; 6];
        let rows = RowsMut::new(&mut gradient, 3, 2, 3).unwrap();
        assert_eq!(
            Field::new(&mut [0.0; 2], rows).unwrap_err(),
            Error::Mismatch { what: "potential", expected: 3, found: 2 }
        );
        let mut potential = [0.0f32; 3];
        let field = Field::new(&mut potential, RowsMut::new(&mut gradient, 3, 2, 3).unwrap()).unwrap();
        assert_eq!((field.dim(), field.len(), field.is_empty()), (2, 3, false));
        let nobody = Field::<f32>::new(&mut [], RowsMut::new(&mut [], 0, 4, 0).unwrap()).unwrap();
        assert_eq!((nobody.dim(), nobody.len(), nobody.is_empty()), (4, 0, true));
        let data = [0.0f32; 8];
        assert_eq!(field.check(2, Rows::new(&data, 3, 2, 3).unwrap()), Ok(()));
        assert_eq!(field.check(2, Rows::new(&data, 3, 2, 0).unwrap()), Err(Error::Empty));
        assert!(field.check(2, Rows::new(&data, 3, 2, 2).unwrap()).is_err());
        assert!(field.check(1, Rows::new(&data, 3, 2, 3).unwrap()).is_err());
        assert!(field.check(1, Rows::new(&data, 3, 1, 3).unwrap()).is_err());
    }

    #[test]
    fn what_is_not_finite_is_named() {
        let check = |potential: &mut [f32], gradient: &mut [f32]| {
            let len = potential.len();
            Field::new(potential, RowsMut::new(gradient, len, 1, len).unwrap()).unwrap().check_finite()
        };
        assert_eq!(check(&mut [1.0, 2.0], &mut [0.0, 0.0]), Ok(1.5));
        let error = |quantity, particle| Err(Error::NotFinite { quantity, particle });
        assert_eq!(check(&mut [1.0, f32::NAN], &mut [0.0, 0.0]), error(Quantity::Potential, Some(1)));
        assert_eq!(check(&mut [1.0, 1.0], &mut [f32::INFINITY, 0.0]), error(Quantity::Gradient, Some(0)));
        assert_eq!(check(&mut [3e38, 3e38], &mut [0.0, 0.0]), error(Quantity::Potential, None));
    }
}
