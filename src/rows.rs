//! Checked views over particle components in the caller's memory.
//!
//! Row `k` holds component `k` of every particle (structure of arrays); rows stand `stride` values apart. Everything is
//! checked once, in `new`; after that no access can go out of bounds, and none panics: asking for a row or a particle
//! that is not there gives an empty slice or `None`.

use crate::{Error, Real};

/// The largest number of particles: two of each, all born in one step, are still counted by a `u32`.
pub const MAX_PARTICLES: usize = (1 << 31) - 1;

/// The slots' numbers 0, 1, ..., for `zip`. They wrap rather than panic, which [`MAX_PARTICLES`] keeps from happening.
#[inline]
pub(crate) fn slots() -> impl Iterator<Item = u32> {
    core::iter::successors(Some(0u32), |slot| Some(slot.wrapping_add(1)))
}

/// The numbers 0, 1, ..., for `zip`: unlike those of `0..`, they have no overflow to check.
#[inline]
pub(crate) fn indices() -> impl Iterator<Item = usize> {
    core::iter::successors(Some(0usize), |index| Some(index.wrapping_add(1)))
}

/// The pieces of `size` values, in order; what is left at the end is left out. As `chunks_exact`, but nothing is
/// divided or multiplied by the size, so nothing can panic; none of size 0.
#[inline]
pub(crate) fn pieces<T>(mut values: &[T], size: usize) -> impl Iterator<Item = &[T]> {
    core::iter::from_fn(move || {
        let (piece, rest) = values.split_at_checked(size).filter(|_| size > 0)?;
        values = rest;
        Some(piece)
    })
}

/// The place of the first that is not finite. All are looked at before it is sought, with no branch between them:
/// vector instructions do that.
#[inline]
pub(crate) fn first_not_finite<R: Real>(mut numbers: impl Iterator<Item = R> + Clone) -> Option<usize> {
    if numbers.clone().fold(true, |finite, x| finite & x.is_finite()) {
        None
    } else {
        numbers.position(|x| !x.is_finite())
    }
}

/// A number of particles as a real number.
#[inline]
pub(crate) fn count<R: Real>(n: usize) -> R {
    R::from_count(u32::try_from(n).unwrap_or(u32::MAX))
}

/// Read access to `dim` rows of `len` values.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, R> {
    data: &'a [R],
    stride: usize,
    dim: usize,
    len: usize,
}

/// Write access to `dim` rows of `len` values.
#[derive(Debug)]
pub struct RowsMut<'a, R> {
    data: &'a mut [R],
    stride: usize,
    dim: usize,
    len: usize,
}

/// Particles somewhere: what a step moves and a checkpoint restores. An [`Ensemble`](crate::Ensemble), [`RowsMut`] over
/// any memory of the caller's, or a container of your own.
pub trait Particles<R: Real> {
    /// The particles, for writing.
    fn rows_mut(&mut self) -> RowsMut<'_, R>;

    /// Makes them `len`, whose values do not matter: they are written next. Only a checkpoint asks for it. Fixed by
    /// default.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if their number is fixed and another, [`Error::Capacity`] if there is no room; unchanged
    /// then.
    fn set_len(&mut self, len: usize) -> Result<(), Error> {
        let found = self.rows_mut().len();
        if len == found {
            Ok(())
        } else {
            Err(Error::Mismatch { what: "particles of the ensemble", expected: len, found })
        }
    }
}

impl<R: Real> Particles<R> for RowsMut<'_, R> {
    fn rows_mut(&mut self) -> RowsMut<'_, R> {
        self.reborrow()
    }
}

impl<R: Real, X: Particles<R> + ?Sized> Particles<R> for &mut X {
    fn rows_mut(&mut self) -> RowsMut<'_, R> {
        (**self).rows_mut()
    }

    fn set_len(&mut self, len: usize) -> Result<(), Error> {
        (**self).set_len(len)
    }
}

/// The checks behind every constructor that takes memory of a given shape.
pub(crate) fn check(available: usize, stride: usize, dim: usize, len: usize) -> Result<(), Error> {
    if dim == 0 {
        return Err(Error::Zero { what: "dimension" });
    }
    if len > MAX_PARTICLES {
        return Err(Error::Capacity { what: "particles", capacity: MAX_PARTICLES, requested: len });
    }
    if len > stride {
        return Err(Error::Capacity { what: "particles in a row", capacity: stride, requested: len });
    }
    let needed = (dim - 1).checked_mul(stride).and_then(|before| before.checked_add(len));
    match needed {
        Some(needed) if needed <= available => Ok(()),
        _ => Err(Error::Capacity {
            what: "values in the rows' memory",
            capacity: available,
            requested: needed.unwrap_or(usize::MAX),
        }),
    }
}

/// The length of a row if `available` values are `dim` of them.
fn packed(available: usize, dim: usize) -> Result<usize, Error> {
    let len = available.checked_div(dim).ok_or(Error::Zero { what: "dimension" })?;
    let expected = len.saturating_mul(dim);
    if expected == available {
        Ok(len)
    } else {
        Err(Error::Mismatch { what: "values in packed rows", expected, found: available })
    }
}

impl<'a, R: Real> Rows<'a, R> {
    /// A view of `dim` rows of `len` values in `data`, row `k` beginning at `k * stride`.
    ///
    /// # Errors
    /// [`Error::Zero`] for `dim = 0`; [`Error::Capacity`] if `len > stride`, if `data` is too short (it needs
    /// `(dim - 1) * stride + len` values) or beyond [`MAX_PARTICLES`].
    ///
    /// ```
    /// use birth_death::Rows;
    /// // two particles in two dimensions, room for three
    /// let data = [0.0, 1.0, -9.0, 10.0, 11.0, -9.0];
    /// let rows = Rows::new(&data, 3, 2, 2)?;
    /// assert_eq!(rows.row(1), [10.0, 11.0]);
    /// assert!(Rows::new(&data, 3, 3, 2).is_err());
    /// # Ok::<(), birth_death::Error>(())
    /// ```
    pub fn new(data: &'a [R], stride: usize, dim: usize, len: usize) -> Result<Self, Error> {
        check(data.len(), stride, dim, len)?;
        Ok(Self { data, stride, dim, len })
    }

    /// A view of all of `data`, one row directly after the other: `dim` rows, their length is what `data` has for each.
    ///
    /// # Errors
    /// [`Error::Zero`] for `dim = 0`; [`Error::Mismatch`] if `data` is not a whole number of rows; [`Error::Capacity`]
    /// beyond [`MAX_PARTICLES`].
    ///
    /// ```
    /// use birth_death::Rows;
    /// let rows = Rows::packed(&[0.0, 1.0, 10.0, 11.0], 2)?;
    /// assert_eq!((rows.len(), rows.row(1)), (2, &[10.0, 11.0][..]));
    /// assert!(Rows::packed(&[0.0, 1.0, 10.0], 2).is_err());
    /// # Ok::<(), birth_death::Error>(())
    /// ```
    pub fn packed(data: &'a [R], dim: usize) -> Result<Self, Error> {
        let len = packed(data.len(), dim)?;
        Self::new(data, len, dim, len)
    }

    /// A view of packed rows whose shape has been checked before.
    #[cfg(feature = "alloc")]
    pub(crate) fn of_checked(data: &'a [R], dim: usize, len: usize) -> Self {
        Self { data, stride: len, dim, len }
    }

    /// One particle: its components are rows of length one.
    pub(crate) fn of_point(point: &'a [R]) -> Self {
        Self { data: point, stride: 1, dim: point.len(), len: 1 }
    }

    /// The view of an owned array, whose shape needs no check: `len <= N`, `D >= 1` are the owner's invariants.
    pub(crate) fn of_arrays<const D: usize, const N: usize>(rows: &'a [[R; N]; D], len: usize) -> Self {
        Self { data: rows.as_flattened(), stride: N, dim: D, len }
    }

    /// Components of a particle: the number of rows.
    pub const fn dim(&self) -> usize {
        self.dim
    }

    /// Particles: the length of each row.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no particle.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Component `k` of all particles, in slot order; empty if `k >= dim`.
    #[inline]
    pub fn row(&self, k: usize) -> &'a [R] {
        let start = if k < self.dim { k.saturating_mul(self.stride) } else { return &[] };
        self.data.get(start..).and_then(|tail| tail.get(..self.len)).unwrap_or(&[])
    }

    /// Component `k` of particle `i`.
    #[inline]
    pub fn get(&self, k: usize, i: usize) -> Option<R> {
        self.row(k).get(i).copied()
    }

    /// The components of particle `i`, in order; none if it is not there.
    ///
    /// ```
    /// let rows = birth_death::Rows::packed(&[0.0, 1.0, 10.0, 11.0], 2)?;
    /// assert!(rows.particle(1).eq([1.0, 11.0]));
    /// assert_eq!(rows.particle(2).count(), 0);
    /// # Ok::<(), birth_death::Error>(())
    /// ```
    pub fn particle(&self, i: usize) -> impl Iterator<Item = R> + use<'a, R> {
        self.iter().filter_map(move |row| row.get(i).copied())
    }

    /// The memory behind the view and its stride, as [`new`](Self::new) took them: for code in another language.
    ///
    /// ```
    /// let data = [0.0, 1.0, -9.0, 10.0, 11.0];
    /// assert_eq!(birth_death::Rows::new(&data, 3, 2, 2)?.memory(), (&data[..], 3));
    /// # Ok::<(), birth_death::Error>(())
    /// ```
    pub const fn memory(&self) -> (&'a [R], usize) {
        (self.data, self.stride)
    }

    /// All rows, in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &'a [R]> + use<'a, R> {
        // without a multiplication for each row, as `row` needs one
        let (mut data, stride, len) = (self.data, self.stride, self.len);
        (0..self.dim).map(move |_| {
            let row = data.get(..len).unwrap_or(&[]);
            data = data.get(stride..).unwrap_or(&[]);
            row
        })
    }

    /// The rows as an array, if there are `D`: for the loops that are specialised in a small dimension.
    #[inline]
    pub(crate) fn array<const D: usize>(&self) -> [&'a [R]; D] {
        let mut rows: [&[R]; D] = [&[]; D];
        for (slot, row) in rows.iter_mut().zip(self.iter()) {
            *slot = row;
        }
        rows
    }

    /// The first row, and a view of the others (one at least: `dim >= 2` is the caller's to check).
    pub(crate) fn split_first(&self) -> (&'a [R], Self) {
        (self.row(0), self.skip(1))
    }

    /// A view of the rows from number `first` on (one at least: `dim > first` is the caller's to check).
    pub(crate) fn skip(&self, first: usize) -> Self {
        Self {
            data: self.data.get(first.saturating_mul(self.stride)..).unwrap_or(&[]),
            stride: self.stride,
            dim: self.dim.saturating_sub(first),
            len: self.len,
        }
    }

    /// The first particle with a component that is not finite.
    pub(crate) fn first_not_finite(&self) -> Option<usize> {
        self.iter().filter_map(|row| first_not_finite(row.iter().copied())).min()
    }
}

impl<'a, R: Real> RowsMut<'a, R> {
    /// A view as [`Rows::new`], for writing.
    ///
    /// ```
    /// use birth_death::RowsMut;
    /// let mut data = [0.0; 6];
    /// let mut rows = RowsMut::new(&mut data, 3, 2, 2)?;
    /// rows.row_mut(1)[0] = 5.0;
    /// assert_eq!(rows.as_rows().get(1, 0), Some(5.0));
    /// assert!(rows.row_mut(2).is_empty(), "there is no third row");
    /// # Ok::<(), birth_death::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Rows::new`].
    pub fn new(data: &'a mut [R], stride: usize, dim: usize, len: usize) -> Result<Self, Error> {
        check(data.len(), stride, dim, len)?;
        Ok(Self { data, stride, dim, len })
    }

    /// A view as [`Rows::packed`], for writing.
    ///
    /// # Errors
    /// As [`Rows::packed`].
    pub fn packed(data: &'a mut [R], dim: usize) -> Result<Self, Error> {
        let len = packed(data.len(), dim)?;
        Self::new(data, len, dim, len)
    }

    /// As [`Rows::of_arrays`], for writing.
    pub(crate) fn of_arrays<const D: usize, const N: usize>(rows: &'a mut [[R; N]; D], len: usize) -> Self {
        Self { data: rows.as_flattened_mut(), stride: N, dim: D, len }
    }

    /// Components of a particle: the number of rows.
    pub const fn dim(&self) -> usize {
        self.dim
    }

    /// Particles: the length of each row.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no particle.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// As [`Rows::memory`], for writing.
    ///
    /// ```
    /// let mut data = [0.0, 1.0, -9.0, 10.0, 11.0];
    /// let mut rows = birth_death::RowsMut::new(&mut data, 3, 2, 2)?;
    /// let (memory, stride) = rows.memory_mut();
    /// memory[stride] = 5.0;
    /// assert_eq!((stride, rows.as_rows().row(1)), (3, &[5.0, 11.0][..]));
    /// # Ok::<(), birth_death::Error>(())
    /// ```
    pub const fn memory_mut(&mut self) -> (&mut [R], usize) {
        (self.data, self.stride)
    }

    /// The same rows, for reading.
    #[inline]
    pub fn as_rows(&self) -> Rows<'_, R> {
        Rows { data: self.data, stride: self.stride, dim: self.dim, len: self.len }
    }

    /// The same rows, lent for a shorter time.
    #[inline]
    pub fn reborrow(&mut self) -> RowsMut<'_, R> {
        RowsMut { data: self.data, stride: self.stride, dim: self.dim, len: self.len }
    }

    /// Component `k` of all particles, in slot order; empty if `k >= dim`.
    #[inline]
    pub fn row_mut(&mut self, k: usize) -> &mut [R] {
        let start = if k < self.dim { k.saturating_mul(self.stride) } else { return &mut [] };
        let len = self.len;
        self.data.get_mut(start..).and_then(|tail| tail.get_mut(..len)).unwrap_or(&mut [])
    }

    /// All rows, in order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [R]> {
        let (stride, len) = (self.stride, self.len);
        let mut data = &mut *self.data;
        (0..self.dim).filter_map(move |_| {
            let rest = core::mem::take(&mut data);
            if rest.is_empty() {
                return None;
            }
            // `check` has len <= stride; behind the last row there may be less than a stride
            let (row, rest) =
                if stride < rest.len() { rest.split_at_mut_checked(stride)? } else { (rest, &mut [][..]) };
            data = rest;
            row.get_mut(..len)
        })
    }

    /// As [`Rows::split_first`], for writing.
    pub(crate) fn split_first_mut(&mut self) -> (&mut [R], RowsMut<'_, R>) {
        let (stride, dim, len) = (self.stride, self.dim, self.len);
        let (first, rest) = match self.data.split_at_mut_checked(stride) {
            Some((first, rest)) => (first.get_mut(..len).unwrap_or(&mut []), rest),
            None => (&mut [][..], &mut [][..]),
        };
        (first, RowsMut { data: rest, stride, dim: dim.saturating_sub(1), len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked_once() {
        let data = [0.0f32; 10];
        assert_eq!(Rows::new(&data, 5, 0, 3).unwrap_err(), Error::Zero { what: "dimension" });
        assert!(matches!(Rows::new(&data, 4, 2, 5).unwrap_err(), Error::Capacity { capacity: 4, requested: 5, .. }));
        assert!(matches!(Rows::new(&data, 5, 3, 1).unwrap_err(), Error::Capacity { capacity: 10, requested: 11, .. }));
        assert!(matches!(
            Rows::new(&data, usize::MAX, 3, 1).unwrap_err(),
            Error::Capacity { requested: usize::MAX, .. }
        ));
        assert!(matches!(
            Rows::new(&data, usize::MAX, 1, usize::MAX).unwrap_err(),
            Error::Capacity { capacity: MAX_PARTICLES, .. }
        ));
        assert!(Rows::new(&data, 5, 2, 5).is_ok());
        assert!(Rows::new(&data, 9, 2, 1).is_ok(), "the last row may end early");
        assert!(RowsMut::new(&mut [0.0f32; 3], 2, 2, 2).is_err());
    }

    #[test]
    fn rows_are_read_and_written_where_they_stand() {
        let mut data = [0.0f64, 1.0, -1.0, 10.0, 11.0, -1.0, 20.0, 21.0];
        let mut rows = RowsMut::new(&mut data, 3, 3, 2).unwrap();
        assert_eq!(rows.as_rows().row(2), [20.0, 21.0]);
        assert_eq!(rows.as_rows().get(1, 1), Some(11.0));
        assert_eq!((rows.as_rows().get(3, 0), rows.as_rows().get(0, 2)), (None, None));
        assert!(rows.row_mut(3).is_empty() && rows.as_rows().row(usize::MAX).is_empty());
        rows.row_mut(1)[0] = 5.0;
        assert_eq!(rows.iter_mut().map(|row| row.len()).collect::<std::vec::Vec<_>>(), [2, 2, 2]);
        let (first, mut rest) = rows.split_first_mut();
        assert_eq!((first, rest.dim()), (&mut [0.0, 1.0][..], 2));
        assert_eq!(rest.row_mut(0), [5.0, 11.0]);
        let (first, rest) = rows.as_rows().split_first();
        assert_eq!((first, rest.row(1)), (&[0.0, 1.0][..], &[20.0, 21.0][..]));
        assert_eq!(data[2], -1.0, "values between the rows are left alone");
        // what lies behind the last row is none
        let mut rows = RowsMut::new(&mut data, 3, 1, 2).unwrap();
        assert!(rows.row_mut(1).is_empty() && rows.as_rows().row(1).is_empty() && rows.as_rows().iter().count() == 1);
    }

    #[test]
    fn pieces_are_whole_and_none_has_no_values() {
        assert!(pieces(&[1, 2, 3, 4, 5], 2).eq([[1, 2], [3, 4]]));
        assert_eq!(pieces(&[1], 0).next(), None);
    }

    #[test]
    fn an_empty_view_has_rows_of_no_length() {
        let rows = Rows::<f32>::new(&[], 0, 2, 0).unwrap();
        assert!(rows.is_empty() && rows.row(1).is_empty());
        assert_eq!(RowsMut::<f32>::new(&mut [], 0, 2, 0).unwrap().iter_mut().count(), 0);
    }

    #[test]
    fn the_first_particle_that_is_not_finite_is_named() {
        let data = [0.0, 1.0, f32::NAN, 3.0, f32::INFINITY, 5.0];
        assert_eq!(Rows::new(&data, 3, 2, 3).unwrap().first_not_finite(), Some(1));
        assert_eq!(Rows::new(&data, 3, 1, 2).unwrap().first_not_finite(), None);
    }
}
