//! What an evaluated field says about the speed of descent.

use crate::{Field, Real, sum};

/// The moments in the dissipation identities of both PDEs, as means over the ensemble.
///
/// ```text
/// PDE 1   dE/dt = - <|grad V|^2> - alpha <(V - Vbar)^2>
/// PDE 2   dE/dt = - <|grad V|^2> - alpha [<V^2> - min(Vbar, 0)^2] + alpha max(Vbar, 0) ∫V dmu_b
/// ```
///
/// Large values may overflow to infinity. Source: arXiv:1902.01843, the energy decay along the dynamics.
///
/// ```
/// use birth_death::{Dissipation, Field, RowsMut};
/// let (mut v, mut g) = ([1.0, 3.0], [0.5, -0.5]);
/// let d = Dissipation::of(&Field::new(&mut v, RowsMut::new(&mut g, 2, 1, 2)?)?);
/// assert_eq!((d.gradient, d.mean, d.variance, d.second_moment), (0.25, 2.0, 1.0, 5.0));
/// assert_eq!(d.pde1(10.0), -10.25);
/// assert_eq!(d.pde2(10.0, 0.0), -50.25);
/// // below zero, the mass that births add is taken from all: 5 - 2^2 is left
/// let (mut v, mut g) = ([-1.0, -3.0], [0.5, -0.5]);
/// let d = Dissipation::of(&Field::new(&mut v, RowsMut::new(&mut g, 2, 1, 2)?)?);
/// assert_eq!(d.pde2(10.0, 7.0), -10.25);
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dissipation<R> {
    /// `<|grad V|^2>`.
    pub gradient: R,
    /// `Vbar`.
    pub mean: R,
    /// `<(V - Vbar)^2>`.
    pub variance: R,
    /// `<V^2>`.
    pub second_moment: R,
}

impl<R: Real> Dissipation<R> {
    /// The moments of an evaluated field; zeros divided by zero (NaN) for no particle. Sums in the crate's order, the
    /// gradient's row by row.
    pub fn of(field: &Field<'_, R>) -> Self {
        let n = field.len();
        let mean = field.mean_potential();
        let mut gradient = R::ZERO;
        for row in field.gradient().iter() {
            gradient = gradient + sum::mean(row.iter().map(|&g| g * g), n);
        }
        let moment = |shift: R| sum::mean(field.potential().iter().map(|&v| (v - shift) * (v - shift)), n);
        Self { gradient, mean, variance: moment(mean), second_moment: moment(R::ZERO) }
    }

    /// `dE/dt` along PDE 1.
    pub fn pde1(&self, alpha: R) -> R {
        -self.gradient - alpha * self.variance
    }

    /// `dE/dt` along PDE 2, given `∫V dmu_b` (zero for a prior that injects zero charge).
    pub fn pde2(&self, alpha: R, prior_mean_potential: R) -> R {
        let (positive, negative) = if self.mean > R::ZERO { (self.mean, R::ZERO) } else { (R::ZERO, self.mean) };
        -self.gradient - alpha * (self.second_moment - negative * negative) + alpha * positive * prior_mean_potential
    }
}
