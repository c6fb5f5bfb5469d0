//! Mixtures of isotropic Gaussians: the targets of the kernel energies.

use crate::error::parameter;
use crate::rows::pieces;
use crate::{Error, Real, Rows};
use heapless::Vec;

/// Up to `K` components `q_a N(.; y_a, v_a I)` in `D` dimensions. The weights may have any sign and any sum.
///
/// ```
/// use birth_death::models::Mixture;
/// let mut f = Mixture::<f32, 1, 2>::new();
/// f.push(0.5, [-1.0], 0.25)?;
/// f.push(-0.5, [1.0], 0.25)?;
/// assert!(f.push(1.0, [0.0], 1.0).is_err(), "two fit");
/// # Ok::<(), birth_death::Error>(())
/// ```
/// No dimension does not compile:
/// ```compile_fail,E0080
/// let f = birth_death::models::Mixture::<f32, 0, 2>::default();
/// ```
#[derive(Clone, Debug)]
pub struct Mixture<R, const D: usize, const K: usize> {
    weights: Vec<R, K>,
    centres: Vec<[R; D], K>,
    variances: Vec<R, K>,
}

impl<R: Real, const D: usize, const K: usize> Mixture<R, D, K> {
    /// No component: the zero function.
    pub const fn new() -> Self {
        const { assert!(D > 0, "D must be at least one") };
        Self { weights: Vec::new(), centres: Vec::new(), variances: Vec::new() }
    }

    /// Adds a component.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a value that is not finite or a variance that is not positive; [`Error::Capacity`] if
    /// there are `K` already. The mixture is unchanged then.
    pub fn push(&mut self, weight: R, centre: [R; D], variance: R) -> Result<(), Error> {
        check(weight, &centre, variance)?;
        let full = Error::Capacity { what: "components of the mixture", capacity: K, requested: K.saturating_add(1) };
        self.weights.push(weight).map_err(|_| full)?;
        // the three have the same length, so these two cannot fail once the first has not
        self.centres.push(centre).map_err(|_| full)?;
        self.variances.push(variance).map_err(|_| full)
    }

    /// The view that an energy takes.
    pub fn view(&self) -> MixtureRef<'_, R> {
        MixtureRef { weights: &self.weights, centres: self.centres.as_flattened(), variances: &self.variances, dim: D }
    }
}

impl<R: Real, const D: usize, const K: usize> Default for Mixture<R, D, K> {
    fn default() -> Self {
        Self::new()
    }
}

/// A mixture in the caller's memory, checked: weights, centres (component after component), variances.
///
/// ```
/// use birth_death::models::MixtureRef;
/// let plane = MixtureRef::new(&[0.7, -0.4], &[-0.5, 0.3, 1.1, -0.2], &[0.4, 0.9], 2)?;
/// assert_eq!(plane.dim(), 2);
/// assert!(MixtureRef::new(&[1.0], &[0.0], &[1.0], 2).is_err(), "a centre has two components there");
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MixtureRef<'t, R> {
    weights: &'t [R],
    centres: &'t [R],
    variances: &'t [R],
    dim: usize,
}

/// One component of a mixture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component<'t, R> {
    pub weight: R,
    pub centre: &'t [R],
    pub variance: R,
}

impl<'t, R: Real> Component<'t, R> {
    /// The centre as rows of one particle each.
    pub fn point(&self) -> Rows<'t, R> {
        Rows::of_point(self.centre)
    }
}

impl<'t, R: Real> MixtureRef<'t, R> {
    /// A view of `weights.len()` components in `dim` dimensions; component `a` has its centre at `a * dim` of
    /// `centres`.
    ///
    /// # Errors
    /// [`Error::Zero`] for `dim = 0`, [`Error::Mismatch`] for slices whose lengths do not agree, [`Error::Parameter`]
    /// as [`Mixture::push`].
    pub fn new(weights: &'t [R], centres: &'t [R], variances: &'t [R], dim: usize) -> Result<Self, Error> {
        if dim == 0 {
            return Err(Error::Zero { what: "dimension of the mixture" });
        }
        let count = weights.len();
        let values = count.saturating_mul(dim);
        for (what, expected, found) in
            [("variances of the mixture", count, variances.len()), ("centres of the mixture", values, centres.len())]
        {
            if expected != found {
                return Err(Error::Mismatch { what, expected, found });
            }
        }
        let mixture = Self { weights, centres, variances, dim };
        for component in mixture.components() {
            check(component.weight, component.centre, component.variance)?;
        }
        Ok(mixture)
    }

    /// Dimension of the space.
    pub const fn dim(&self) -> usize {
        self.dim
    }

    pub(super) fn components(&self) -> impl Iterator<Item = Component<'t, R>> + use<'t, R> {
        self.weights
            .iter()
            .zip(pieces(self.centres, self.dim))
            .zip(self.variances)
            .map(|((&weight, centre), &variance)| Component { weight, centre, variance })
    }
}

fn check<R: Real>(weight: R, centre: &[R], variance: R) -> Result<(), Error> {
    parameter("weight of a component", weight, "a finite number", |_| true)?;
    for &x in centre {
        parameter("centre of a component", x, "a finite number", |_| true)?;
    }
    parameter("variance of a component", variance, "a finite number > 0", |v| v > R::ZERO)?;
    Ok(())
}

/// `base^dim` by repeated multiplication: `dim` is small, and the order is part of the bits.
pub(super) fn power<R: Real>(base: R, dim: usize) -> R {
    let mut product = R::ONE;
    for _ in 0..dim {
        product = product * base;
    }
    product
}

/// `|a - b|^2`, components ascending.
pub(super) fn distance_squared<R: Real>(a: &[R], b: &[R]) -> R {
    let mut sum = R::ZERO;
    for (&a, &b) in a.iter().zip(b) {
        sum = sum + (a - b) * (a - b);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_and_borrowed_give_the_same_components() {
        let mut owned = Mixture::<f64, 2, 3>::new();
        owned.push(0.5, [1.0, 2.0], 0.25).unwrap();
        owned.push(-1.5, [3.0, 4.0], 2.0).unwrap();
        let borrowed = MixtureRef::new(&[0.5, -1.5], &[1.0, 2.0, 3.0, 4.0], &[0.25, 2.0], 2).unwrap();
        for (a, b) in owned.view().components().zip(borrowed.components()) {
            assert_eq!((a.weight, a.centre, a.variance), (b.weight, b.centre, b.variance));
        }
        assert_eq!(borrowed.components().count(), 2);
    }

    #[test]
    fn bad_components_are_refused_and_leave_the_mixture_alone() {
        let mut m = Mixture::<f32, 1, 1>::new();
        for (w, c, v) in [(f32::NAN, 0.0, 1.0), (1.0, f32::INFINITY, 1.0), (1.0, 0.0, 0.0), (1.0, 0.0, -1.0)] {
            assert!(matches!(m.push(w, [c], v), Err(Error::Parameter { .. })));
            assert!(MixtureRef::new(&[w], &[c], &[v], 1).is_err());
        }
        m.push(1.0, [0.0], 1.0).unwrap();
        assert!(matches!(m.push(1.0, [0.0], 1.0), Err(Error::Capacity { capacity: 1, requested: 2, .. })));
        assert_eq!(m.view().components().count(), 1);
    }

    #[test]
    fn shapes_are_checked() {
        assert!(matches!(MixtureRef::<f32>::new(&[], &[], &[], 0), Err(Error::Zero { .. })));
        assert!(matches!(
            MixtureRef::new(&[1.0f32], &[0.0], &[1.0], 2),
            Err(Error::Mismatch { expected: 2, found: 1, .. })
        ));
        assert!(MixtureRef::new(&[1.0f32], &[0.0], &[1.0, 2.0], 1).is_err());
        assert_eq!(MixtureRef::<f32>::new(&[], &[], &[], 3).unwrap().dim(), 3);
    }
}
