//! Maximum mean discrepancy to a sample or a mixture.

use core::iter::repeat;

use super::kernel::{attract, interact, scale};
use super::mixture::{MixtureRef, distance_squared, power};
use crate::dispatch::{Task, widest};
use crate::error::parameter;
use crate::maths::{Maths, Portable};
use crate::rows::count;
use crate::{Energy, Error, Field, Quantity, Real, Rows, sum};
use core::marker::PhantomData;

/// What [`Mmd`] measures the distance to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Target<'t, R> {
    /// `nu = sum_a q_a N(y_a, v_a I)`; for a probability the weights sum to one.
    Mixture(MixtureRef<'t, R>),
    /// `nu = (1/m) sum_s delta(y_s)`, one point a slot.
    Sample(Rows<'t, R>),
}

/// `E[mu] = 1/2 ∬ k d(mu - nu) d(mu - nu)`, `k(x, y) = exp(-|x - y|^2 / (2 h^2))`.
///
/// `F(x) = -∫ k(x, y) dnu(y)`, `K = k`, `E0 = 1/2 ∬ k dnu dnu`: a convex energy whose minimiser is `nu`. For a mixture
/// `∫ k(x, .) dN(y_a, v_a I) = (h^2 / (h^2 + v_a))^(d/2) exp(-|x - y_a|^2 / (2 (h^2 + v_a)))`.
///
/// One exponential a pair and one a particle and target point (or component).
///
/// # Order
/// As in [`GaussianUnits`](super::GaussianUnits), with `h = 1 / n` and `h^2` for the variance of the pairs; then the target's components with
/// `w = -(q_a (h / sqrt(h^2 + v_a))^d)`, or its points with `w = -(1 / m)`. `E0` of a mixture is half the sum over `a`, then `b`, of
/// `((q_a q_b) (h / sqrt(v))^d) e` with `v = h^2 + (v_a + v_b)`, of a sample half the mean of means (16 lanes and a tree).
///
/// ```
/// use birth_death::{Rows, models::{Mmd, Target}};
/// let points = [-1.0, 0.0, 2.0];
/// let mmd = Mmd::new(1.0, Target::Sample(Rows::new(&points, 3, 1, 3)?))?;
/// assert!(mmd.constant() > 0.0);
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Mmd<'t, R, M = Portable> {
    bandwidth: R,
    target: Target<'t, R>,
    constant: R,
    maths: PhantomData<M>,
}

/// `(h^2 / variance)^(d/2)`, what is left of the kernel's height when the target has a width.
fn height<R: Real>(bandwidth: R, variance: R, dim: usize) -> R {
    power(bandwidth / variance.sqrt(), dim)
}

impl<'t, R: Real> Mmd<'t, R> {
    /// The discrepancy to `target` with kernel width `h = bandwidth`; O(m^2 d) or O(K^2 d) once, for `E0`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a bandwidth that is not finite and positive; [`Error::Empty`] for a sample without
    /// points; [`Error::NotFinite`] for a point that is not finite.
    pub fn new(bandwidth: R, target: Target<'t, R>) -> Result<Self, Error> {
        parameter(
            "bandwidth",
            bandwidth,
            "a finite number > 0 whose square has a finite inverse, and is finite",
            |h| h > R::ZERO && scale(h * h).is_finite() && (h * h).is_finite(),
        )?;
        let squared = bandwidth * bandwidth;
        let constant = match target {
            Target::Mixture(mixture) => {
                let mut constant = R::ZERO;
                for a in mixture.components() {
                    for b in mixture.components() {
                        let variance = squared + (a.variance + b.variance);
                        let e = Portable::exp2_nonpos(distance_squared(a.centre, b.centre) * scale(variance));
                        constant = constant + a.weight * b.weight * height(bandwidth, variance, mixture.dim()) * e;
                    }
                }
                constant
            }
            Target::Sample(points) => {
                if points.is_empty() {
                    return Err(Error::Empty);
                }
                if let Some(i) = points.first_not_finite() {
                    return Err(Error::NotFinite { quantity: Quantity::Position, particle: u32::try_from(i).ok() });
                }
                let kernel = |i: usize, j: usize| {
                    let mut r2 = R::ZERO;
                    for row in points.iter() {
                        let (a, b) = (row.get(i).copied(), row.get(j).copied());
                        let dx = a.unwrap_or(R::ZERO) - b.unwrap_or(R::ZERO);
                        r2 = r2 + dx * dx;
                    }
                    Portable::exp2_nonpos(r2 * scale(squared))
                };
                let m = points.len();
                sum::mean((0..m).map(|i| sum::mean((0..m).map(|j| kernel(i, j)), m)), m)
            }
        };
        let constant = parameter("constant E0", constant * R::HALF, "a finite number", |_| true)?;
        Ok(Self { bandwidth, target, constant, maths: PhantomData })
    }

    /// The same model with the exponential of another backend.
    pub fn with_maths<M: Maths<R>>(self) -> Mmd<'t, R, M> {
        let Self { bandwidth, target, constant, .. } = self;
        Mmd { bandwidth, target, constant, maths: PhantomData }
    }
}

impl<R: Real, M> Mmd<'_, R, M> {
    /// `E0 = 1/2 ∬ k dnu dnu`, part of every energy returned.
    pub const fn constant(&self) -> R {
        self.constant
    }
}

impl<R: Real, M: Maths<R>> Energy<R> for Mmd<'_, R, M> {
    fn dim(&self) -> usize {
        match self.target {
            Target::Mixture(mixture) => mixture.dim(),
            Target::Sample(points) => points.dim(),
        }
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, out: Field<'_, R>) -> Result<R, Error> {
        out.check(self.dim(), at)?;
        Ok(widest(Evaluation { mmd: self, at, out }))
    }
}

struct Evaluation<'e, 't, R, M> {
    mmd: &'e Mmd<'t, R, M>,
    at: Rows<'e, R>,
    out: Field<'e, R>,
}

impl<R: Real, M: Maths<R>> Task for Evaluation<'_, '_, R, M> {
    type Output = R;

    #[inline(always)]
    fn run(self) -> R {
        let Self { mmd, at, mut out } = self;
        let n = at.len();
        let (potential, mut gradient) = out.parts_mut();

        // (1/n) sum_j k(x_i, x_j), and its gradient in x_i
        let squared = mmd.bandwidth * mmd.bandwidth;
        interact::<R, M>(at, potential, gradient.reborrow(), squared, R::ONE / count(n), repeat(R::ONE));
        let pair_energy = sum::mean(potential.iter().copied(), n) * R::HALF;

        // F
        match mmd.target {
            Target::Mixture(mixture) => {
                for component in mixture.components() {
                    let variance = squared + component.variance;
                    let weight = -(component.weight * height(mmd.bandwidth, variance, at.dim()));
                    attract::<R, M>(at, potential, gradient.reborrow(), component.point(), variance, weight);
                }
            }
            Target::Sample(points) => {
                let weight = -(R::ONE / count(points.len()));
                attract::<R, M>(at, potential, gradient.reborrow(), points, squared, weight);
            }
        }
        mmd.constant + (sum::mean(potential.iter().copied(), n) - pair_energy)
    }
}
