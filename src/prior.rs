//! The reinjection prior `mu_b`.

use crate::error::parameter;
use crate::random::normal;
use crate::{Error, Real};
use rand_core::Rng;

/// Where scheme 2 draws new particles from. Also as `dyn`.
///
/// ```
/// use birth_death::{Dynamics, Marginal, Prior, ProductPrior, Real, rand_core::Rng};
/// /// Points on the unit circle.
/// struct Circle;
/// impl Prior<f64> for Circle {
///     fn dim(&self) -> usize {
///         2
///     }
///     fn draw(&self, rng: &mut dyn Rng, particle: &mut [f64]) {
///         let angle = core::f64::consts::TAU * f64::uniform(rng);
///         particle.copy_from_slice(&[libm::cos(angle), libm::sin(angle)]);
///     }
/// }
/// let square = ProductPrior::new([Marginal::Uniform { low: -1.0, high: 1.0 }; 2])?;
/// // chosen when the program runs
/// let prior: &dyn Prior<f64> = if std::env::args().count() > 1 { &square } else { &Circle };
/// let dynamics = Dynamics::reinjection(0.1, 1.0, prior)?;
/// # Ok::<(), birth_death::Error>(())
/// ```
pub trait Prior<R: Real> {
    /// Components of a particle.
    fn dim(&self) -> usize;

    /// Writes one draw into `particle`, which has [`dim`](Prior::dim) components. A draw that is not finite makes the
    /// step fail with its state unchanged. Bounded time: a rejection loop needs a limit.
    fn draw(&self, rng: &mut dyn Rng, particle: &mut [R]);
}

impl<R: Real, P: Prior<R> + ?Sized> Prior<R> for &P {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn draw(&self, rng: &mut dyn Rng, particle: &mut [R]) {
        (**self).draw(rng, particle);
    }
}

/// The prior of a scheme that has none: no value of it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPrior {}

impl<R: Real> Prior<R> for NoPrior {
    fn dim(&self) -> usize {
        match *self {}
    }

    fn draw(&self, _: &mut dyn Rng, _: &mut [R]) {
        match *self {}
    }
}

/// The law of one component.
///
/// ```
/// use birth_death::{Marginal, Stream};
/// let law = Marginal::Uniform { low: 2.0, high: 3.0 };
/// law.check()?;
/// assert!((2.0..=3.0).contains(&law.draw(&mut Stream::seeded(1, 0))));
/// assert!(Marginal::Normal { mean: 0.0, sd: -1.0 }.check().is_err());
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Marginal<R> {
    /// Always this value; consumes nothing.
    Constant(R),
    /// `mean + sd z`; consumes one normal (2 words for `f32`, 4 for `f64`).
    Normal {
        /// Mean.
        mean: R,
        /// Standard deviation, >= 0.
        sd: R,
    },
    /// `low + (high - low) u`, at most `high`; consumes one uniform (1 word, 2).
    Uniform {
        /// Lower end.
        low: R,
        /// Upper end, >= `low`.
        high: R,
    },
}

impl<R: Real> Marginal<R> {
    /// That the law is proper: finite parameters, `sd >= 0`, `low <= high` with a finite difference.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first parameter that is not accepted.
    pub fn check(&self) -> Result<(), Error> {
        match *self {
            Marginal::Constant(value) => parameter("constant", value, "a finite number", |_| true)?,
            Marginal::Normal { mean, sd } => {
                parameter("mean", mean, "a finite number", |_| true)?;
                parameter("sd", sd, "a finite number >= 0", |sd| sd >= R::ZERO)?
            }
            Marginal::Uniform { low, high } => {
                parameter("low", low, "a finite number", |_| true)?;
                parameter("high", high, "a finite number >= low, high - low finite too", |high| {
                    high >= low && (high - low).is_finite()
                })?
            }
        };
        Ok(())
    }

    /// The same law with its numbers in another type.
    pub fn map<S>(self, number: impl Fn(R) -> S) -> Marginal<S> {
        match self {
            Marginal::Constant(value) => Marginal::Constant(number(value)),
            Marginal::Normal { mean, sd } => Marginal::Normal { mean: number(mean), sd: number(sd) },
            Marginal::Uniform { low, high } => Marginal::Uniform { low: number(low), high: number(high) },
        }
    }

    /// One draw.
    pub fn draw<G: Rng + ?Sized>(&self, rng: &mut G) -> R {
        match *self {
            Marginal::Constant(value) => value,
            Marginal::Normal { mean, sd } => mean + sd * normal(rng),
            Marginal::Uniform { low, high } => low + (high - low) * R::uniform(rng),
        }
    }
}

/// Independent components, drawn in order; Gaussian, uniform and fixed components mix freely.
///
/// ```
/// use birth_death::{Marginal, Prior, ProductPrior, Stream};
/// // the paper's: charge zero, centre standard normal
/// let prior = ProductPrior::new([Marginal::Constant(0.0), Marginal::Normal { mean: 0.0, sd: 1.0 }])?;
/// let mut particle = [9.0, 9.0];
/// prior.draw(&mut Stream::seeded(1, 0), &mut particle);
/// assert_eq!(particle[0], 0.0);
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProductPrior<C> {
    marginals: C,
}

impl<C> ProductPrior<C> {
    /// One law a component: an array, or a slice in the caller's memory.
    ///
    /// # Errors
    /// [`Error::Zero`] for no component; [`Error::Parameter`] as [`Marginal::check`].
    pub fn new<R: Real>(marginals: C) -> Result<Self, Error>
    where
        C: AsRef<[Marginal<R>]>,
    {
        if marginals.as_ref().is_empty() {
            return Err(Error::Zero { what: "dimension of the prior" });
        }
        marginals.as_ref().iter().try_for_each(Marginal::check)?;
        Ok(Self { marginals })
    }
}

impl<R: Real, C: AsRef<[Marginal<R>]>> Prior<R> for ProductPrior<C> {
    fn dim(&self) -> usize {
        self.marginals.as_ref().len()
    }

    fn draw(&self, rng: &mut dyn Rng, particle: &mut [R]) {
        for (x, marginal) in particle.iter_mut().zip(self.marginals.as_ref()) {
            *x = marginal.draw(rng);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;

    #[test]
    fn improper_laws_are_refused() {
        let nan = f32::NAN;
        for marginal in [
            Marginal::Constant(nan),
            Marginal::Normal { mean: nan, sd: 1.0 },
            Marginal::Normal { mean: 0.0, sd: nan },
            Marginal::Normal { mean: 0.0, sd: -1.0 },
            Marginal::Normal { mean: 0.0, sd: f32::INFINITY },
            Marginal::Uniform { low: 1.0, high: 0.0 },
            Marginal::Uniform { low: nan, high: 0.0 },
            Marginal::Uniform { low: 0.0, high: nan },
            Marginal::Uniform { low: f32::MIN, high: f32::MAX },
        ] {
            assert!(matches!(ProductPrior::new([marginal]), Err(Error::Parameter { .. })), "{marginal:?}");
        }
        assert!(matches!(ProductPrior::new::<f32>([]), Err(Error::Zero { .. })));
    }

    #[test]
    fn components_are_drawn_in_order() {
        let prior = ProductPrior::new([
            Marginal::Uniform { low: 2.0, high: 3.0 },
            Marginal::Constant(-1.0),
            Marginal::Normal { mean: 10.0, sd: 0.5 },
        ])
        .unwrap();
        let mut particle = [0.0f64; 3];
        prior.draw(&mut Stream::seeded(5, 1), &mut particle);
        let mut rng = Stream::seeded(5, 1);
        let expected = [2.0 + f64::uniform(&mut rng), -1.0, 10.0 + 0.5 * normal::<f64, _>(&mut rng)];
        assert_eq!(particle, expected);
        assert_eq!(Prior::<f64>::dim(&&prior), 3);
        let mut by_reference = [0.0; 3];
        Prior::draw(&&prior, &mut Stream::seeded(5, 1), &mut by_reference);
        assert_eq!(by_reference, expected);
    }
}
