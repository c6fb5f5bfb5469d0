//! The one trait that a problem implements.

use crate::{Error, Field, Real, Rows};

/// An energy `E[mu] = E0 + ∫F dmu + 1/2 ∬K dmu dmu` on ensembles (arXiv:1902.01843; symbols in the crate's front page).
///
/// Usable as `dyn`. Implement it for your own problem; [`External`](crate::models::External) does it for a function of
/// one particle.
///
/// ```
/// use birth_death::{Energy, Error, Field, Rows};
///
/// /// Particles on a line that repel each other: K(x, x') = -|x - x'|^2 / 2, F = x^2.
/// struct Repulsion;
///
/// impl Energy<f64> for Repulsion {
///     fn dim(&self) -> usize {
///         1
///     }
///     fn evaluate(&mut self, _step: u64, at: Rows<'_, f64>, mut out: Field<'_, f64>) -> Result<f64, Error> {
///         out.check(1, at)?;
///         let x = at.row(0);
///         let n = x.len() as f64;
///         let (potential, mut gradient) = out.parts_mut();
///         let mut energy = 0.0;
///         for ((v, g), &xi) in potential.iter_mut().zip(gradient.row_mut(0)).zip(x) {
///             let external = xi * xi;
///             let pairs: f64 = x.iter().map(|xj| -(xi - xj) * (xi - xj) / 2.0).sum::<f64>() / n;
///             *v = external + pairs;
///             *g = 2.0 * xi - x.iter().map(|xj| xi - xj).sum::<f64>() / n;
///             energy += (external + pairs / 2.0) / n;
///         }
///         Ok(energy)
///     }
/// }
/// ```
pub trait Energy<R: Real> {
    /// Components of a particle, at least one.
    fn dim(&self) -> usize;

    /// Writes `V_i` and `grad V_i` for the ensemble `at` into `out`, and returns `E`, in one pass.
    ///
    /// Every entry of `out` is to be written; what stands there on entry is unspecified (a step fills it with NaN, so
    /// that a forgotten one is an error).
    ///
    /// `V_i = F(theta_i) + (1/n) sum_j K(theta_i, theta_j)`, `j = i` included; the gradient is that of `V` in its first
    /// argument, `n dE/dtheta_i`. `step` counts from zero: an energy keeps no state from one step to the next but
    /// scratch, so a mini-batch has to be a function of it. Not-finite results need not be detected here: the step does
    /// it.
    ///
    /// # Errors
    /// [`Field::check`]'s for a wrong shape; [`Error::Energy`] for a failure of the energy's own.
    fn evaluate(&mut self, step: u64, at: Rows<'_, R>, out: Field<'_, R>) -> Result<R, Error>;
}

impl<R: Real, E: Energy<R> + ?Sized> Energy<R> for &mut E {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn evaluate(&mut self, step: u64, at: Rows<'_, R>, out: Field<'_, R>) -> Result<R, Error> {
        (**self).evaluate(step, at, out)
    }
}
