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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RowsMut;

    fn of<const N: usize>(mut potential: [f32; N], mut gradient: [[f32; N]; 2]) -> Dissipation<f32> {
        Dissipation::of(&Field::new(&mut potential, RowsMut::of_arrays(&mut gradient, N)).unwrap())
    }

    #[test]
    fn moments_are_means_over_particles_and_sums_over_components() {
        let d = of([1.0, 5.0], [[1.0, 2.0], [3.0, -1.0]]);
        let expected = Dissipation { gradient: 2.5 + 5.0, mean: 3.0, variance: 4.0, second_moment: 13.0 };
        assert_eq!(d, expected);
        // <V^2 - Vbar^2> is the variance too, but not once V^2 is rounded
        assert_eq!(of([8_388_608.0, 8_388_610.0], [[0.0; 2]; 2]).variance, 1.0);
    }

    #[test]
    fn both_identities_have_their_terms() {
        let d = of([1.0, 5.0], [[1.0, 2.0], [3.0, -1.0]]);
        assert_eq!(d.pde1(0.5), -7.5 - 0.5 * 4.0);
        // what is injected at rate alpha max(Vbar, 0) costs its potential, or gains it
        assert_eq!(d.pde2(0.5, 4.0), -7.5 - 0.5 * 13.0 + 0.5 * 3.0 * 4.0);
        assert_eq!(d.pde2(0.5, -2.0), -7.5 - 0.5 * 13.0 - 0.5 * 3.0 * 2.0);
        // nothing is injected below zero, where both equations are the same
        let below = of([-1.0, -5.0], [[1.0, 2.0], [3.0, -1.0]]);
        assert_eq!(below.pde2(0.5, 4.0), -7.5 - 0.5 * (13.0 - 9.0));
        assert_eq!(below.pde2(0.5, 4.0), below.pde1(0.5));
    }
}
