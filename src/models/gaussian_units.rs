//! A network of Gaussian units fitted to a mixture: the paper's first model.

use super::kernel::{attract, interact, scale};
use super::mixture::{MixtureRef, distance_squared, power};
use crate::dispatch::{Task, widest};
use crate::error::parameter;
use crate::maths::{Maths, Portable};
use crate::rows::count;
use crate::{Energy, Error, Field, Real, Rows, sum};
use core::marker::PhantomData;

/// `E[mu] = 1/2 ∫ (f_mu(x) - f(x))^2 dx`, `f_mu(x) = ∫ c N(x; y, s2 I) dmu(c, y)`, `x` in R^d.
///
/// A particle is `(c, y)`: the charge in row 0, the centre in rows 1 to d. With the target `f = sum_a q_a N(.; y_a, v_a
/// I)`
///
/// ```text
/// F(c, y) = -c sum_a q_a N(y; y_a, (s2 + v_a) I)        K = c c' N(y - y'; 0, 2 s2 I)
/// E0      = 1/2 sum_ab q_a q_b N(y_a - y_b; 0, (v_a + v_b) I)
/// ```
///
/// Source: arXiv:1902.01843, the Gaussian example of the authors' notebooks. One exponential a pair and one a particle
/// and component: O(n^2 d + n K d). `E` is `E0 + mean V - 1/2 mean(V - F)`, the same as `E0 + mean[F + (V - F)/2]`.
///
/// # Order
/// With `N(v) = (1 / sqrt(2 pi v))^d`, a product of `d` factors: the sum over pairs, `c_j e` with `j` ascending, times
/// `h = N(2 s2) / n`, its slope times `-(h / (2 s2))`; onto these, component after component, `w e` with `w = -(q_a
/// N(s2 + v_a))`, and `(-(w / (s2 + v_a)) e) (y - y_a)` to the slope; times the charge. `E = E0 + (mean V - (1/2)
/// mean(c p))`, `p` the scaled sum over pairs. `E0` is half the sum over `a`, then `b`, of `((q_a q_b) N(v_a + v_b))
/// e`.
///
/// ```
/// use birth_death::models::{GaussianUnits, Mixture};
/// let mut target = Mixture::<f64, 1, 3>::new();
/// for (q, y, v) in [(1.0, -2.0, 0.5), (-2.0, 0.0, 1.0), (1.0, 2.0, 0.5)] {
///     target.push(q / 3.0, [y], v)?;
/// }
/// let units = GaussianUnits::new(0.5, target.view())?;
/// assert!((units.constant() - 0.06886827).abs() < 1e-8);
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GaussianUnits<'t, R, M = Portable> {
    unit_variance: R,
    target: MixtureRef<'t, R>,
    constant: R,
    maths: PhantomData<M>,
}

/// `(2 pi variance)^(-d/2)`.
fn normaliser<R: Real>(variance: R, dim: usize) -> R {
    power(R::ONE / (R::TAU * variance).sqrt(), dim)
}

impl<'t, R: Real> GaussianUnits<'t, R> {
    /// Units of variance `s2 = unit_variance` in each direction, fitted to `target`; O(K^2 d).
    ///
    /// # Errors
    /// [`Error::Parameter`] for a variance that is not finite and positive, or so small or large that a normaliser or
    /// an exponent's scale over- or underflows.
    pub fn new(unit_variance: R, target: MixtureRef<'t, R>) -> Result<Self, Error> {
        parameter("unit_variance", unit_variance, "a finite number > 0", |v| v > R::ZERO)?;
        let dim = target.dim();
        let normal = |variance: R| {
            parameter("scale of an exponent", scale(variance), "finite: choose larger variances", |_| true)?;
            parameter(
                "normaliser (2 pi variance)^(-d/2)",
                normaliser(variance, dim),
                "finite and > 0: choose other variances",
                |z| z > R::ZERO,
            )
        };
        normal(unit_variance + unit_variance)?;
        let mut constant = R::ZERO;
        for a in target.components() {
            normal(unit_variance + a.variance)?;
            for b in target.components() {
                let variance = a.variance + b.variance;
                let e = Portable::exp2_nonpos(distance_squared(a.centre, b.centre) * scale(variance));
                constant = constant + a.weight * b.weight * normal(variance)? * e;
            }
        }
        let constant = parameter("constant E0", constant * R::HALF, "a finite number", |_| true)?;
        Ok(Self { unit_variance, target, constant, maths: PhantomData })
    }

    /// The same model with the exponential of another backend.
    pub fn with_maths<M: Maths<R>>(self) -> GaussianUnits<'t, R, M> {
        let Self { unit_variance, target, constant, .. } = self;
        GaussianUnits { unit_variance, target, constant, maths: PhantomData }
    }
}

impl<R: Real, M> GaussianUnits<'_, R, M> {
    /// `E0 = 1/2 ∫ f^2`, part of every energy returned.
    pub const fn constant(&self) -> R {
        self.constant
    }

    /// Dimension `d` of the inputs, one less than a particle's.
    pub const fn input_dim(&self) -> usize {
        self.target.dim()
    }
}

impl<R: Real, M: Maths<R>> Energy<R> for GaussianUnits<'_, R, M> {
    fn dim(&self) -> usize {
        self.input_dim().saturating_add(1)
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, out: Field<'_, R>) -> Result<R, Error> {
        out.check(self.dim(), at)?;
        Ok(widest(Evaluation { units: self, at, out }))
    }
}

struct Evaluation<'e, 't, R, M> {
    units: &'e GaussianUnits<'t, R, M>,
    at: Rows<'e, R>,
    out: Field<'e, R>,
}

impl<R: Real, M: Maths<R>> Task for Evaluation<'_, '_, R, M> {
    type Output = R;

    #[inline(always)]
    fn run(self) -> R {
        let Self { units, at, mut out } = self;
        let dim = units.input_dim();
        let n = at.len();
        let (charges, centres) = at.split_first();
        let (potential, mut gradient) = out.parts_mut();
        let (charge_slope, mut slope) = gradient.split_first_mut();

        // (1/n) sum_j c_j N(y_i - y_j; 0, 2 s2), and its gradient in y_i
        let variance = units.unit_variance + units.unit_variance;
        let height = normaliser(variance, dim) / count(n);
        interact::<R, M>(centres, potential, slope.reborrow(), variance, height, charges.iter().copied());
        let pair_energy = sum::mean(potential.iter().zip(charges).map(|(&v, &c)| c * v), n) * R::HALF;

        // - sum_a q_a N(y_i; y_a, s2 + v_a)
        for component in units.target.components() {
            let variance = units.unit_variance + component.variance;
            let weight = -(component.weight * normaliser(variance, dim));
            attract::<R, M>(centres, potential, slope.reborrow(), component.point(), variance, weight);
        }

        charge_slope.iter_mut().zip(potential.iter()).for_each(|(g, v)| *g = *v);
        for row in slope.iter_mut() {
            row.iter_mut().zip(charges).for_each(|(g, &c)| *g = c * *g);
        }
        potential.iter_mut().zip(charges).for_each(|(v, &c)| *v = c * *v);
        units.constant + (sum::mean(potential.iter().copied(), n) - pair_energy)
    }
}
