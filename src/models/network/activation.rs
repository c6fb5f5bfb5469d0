//! The nonlinearities of a two-layer network.

use crate::Real;

/// `sigma` of a unit `sigma(z . x)`.
///
/// Everything but ReLU takes one [`exp2_nonpos`](crate::maths::exp2) of a non-positive argument: no branch, no
/// overflow, the same bits on every target. Absolute errors below 2 machine epsilons (of values between -1 and 1);
/// relative ones near the zero of `tanh` are not bounded, as a difference from 1 is formed.
///
/// ```
/// use birth_death::models::Activation;
/// assert_eq!(Activation::Relu.value(-2.0), 0.0);
/// assert!((Activation::Tanh.value(0.5f64) - 0.46211715726000979).abs() < 1e-15);
/// assert!((Activation::Sigmoid.value(-1.0f64) - 0.26894142136999510).abs() < 1e-15);
/// assert!((Activation::Gaussian.value(2.0f64) - 0.13533528323661270).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activation {
    /// `max(a, 0)`; its slope at 0 is taken as 0.
    Relu,
    /// `tanh(a) = (1 - e) / (1 + e)`, `e = exp(-2 |a|)`, with the sign of `a`; its slope is `1 - sigma^2`.
    Tanh,
    /// `exp(-a^2 / 2)`, as `2^-((a a) (log2(e) / 2))`; its slope is `-(a sigma)`.
    Gaussian,
    /// `1 / (1 + exp(-a))`, as `1 / (1 + e)`, or `e / (1 + e)` for negative `a`, with `e = exp(-|a|)`; its slope is
    /// `sigma (1 - sigma)`.
    Sigmoid,
}

impl Activation {
    /// `sigma(a)`; NaN gives NaN.
    pub fn value<R: Real>(self, a: R) -> R {
        match self {
            Self::Relu => Relu::value(a),
            Self::Tanh => Tanh::value(a),
            Self::Gaussian => Gaussian::value(a),
            Self::Sigmoid => Sigmoid::value(a),
        }
    }

    /// `sigma'(a)`.
    pub fn slope<R: Real>(self, a: R) -> R {
        match self {
            Self::Relu => Relu::value_and_slope(a).1,
            Self::Tanh => Tanh::value_and_slope(a).1,
            Self::Gaussian => Gaussian::value_and_slope(a).1,
            Self::Sigmoid => Sigmoid::value_and_slope(a).1,
        }
    }
}

/// An activation as a type, so that the loops over it are compiled for each.
pub(super) trait Unit {
    fn value<R: Real>(a: R) -> R;
    fn value_and_slope<R: Real>(a: R) -> (R, R);
}

pub(super) struct Relu;
pub(super) struct Tanh;
pub(super) struct Gaussian;
pub(super) struct Sigmoid;

/// `exp(-factor |a|)`, `factor > 0`.
#[inline(always)]
fn decay<R: Real>(a: R, factor: R) -> R {
    R::exp2_nonpos_portable(-(a.abs() * (factor * R::LOG2_E)))
}

impl Unit for Relu {
    #[inline(always)]
    fn value<R: Real>(a: R) -> R {
        // written so that NaN passes
        if a < R::ZERO { R::ZERO } else { a }
    }

    #[inline(always)]
    fn value_and_slope<R: Real>(a: R) -> (R, R) {
        (Self::value(a), if a > R::ZERO { R::ONE } else { R::ZERO })
    }
}

impl Unit for Tanh {
    #[inline(always)]
    fn value<R: Real>(a: R) -> R {
        let e = decay(a, R::ONE + R::ONE);
        let magnitude = (R::ONE - e) / (R::ONE + e);
        if a < R::ZERO { -magnitude } else { magnitude }
    }

    #[inline(always)]
    fn value_and_slope<R: Real>(a: R) -> (R, R) {
        let value = Self::value(a);
        (value, R::ONE - value * value)
    }
}

impl Unit for Gaussian {
    #[inline(always)]
    fn value<R: Real>(a: R) -> R {
        R::exp2_nonpos_portable(-(a * a * (R::HALF * R::LOG2_E)))
    }

    #[inline(always)]
    fn value_and_slope<R: Real>(a: R) -> (R, R) {
        let value = Self::value(a);
        (value, -(a * value))
    }
}

impl Unit for Sigmoid {
    #[inline(always)]
    fn value<R: Real>(a: R) -> R {
        let e = decay(a, R::ONE);
        let numerator = if a < R::ZERO { e } else { R::ONE };
        numerator / (R::ONE + e)
    }

    #[inline(always)]
    fn value_and_slope<R: Real>(a: R) -> (R, R) {
        let value = Self::value(a);
        (value, value * (R::ONE - value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 4] = [Activation::Relu, Activation::Tanh, Activation::Gaussian, Activation::Sigmoid];

    fn exact(activation: Activation, a: f64) -> (f64, f64) {
        match activation {
            Activation::Relu => (if a > 0.0 { a } else { 0.0 }, if a > 0.0 { 1.0 } else { 0.0 }),
            Activation::Tanh => (libm::tanh(a), 1.0 / (libm::cosh(a) * libm::cosh(a))),
            Activation::Gaussian => (libm::exp(-a * a / 2.0), -a * libm::exp(-a * a / 2.0)),
            Activation::Sigmoid => (1.0 / (1.0 + libm::exp(-a)), 0.25 / (libm::cosh(a / 2.0) * libm::cosh(a / 2.0))),
        }
    }

    #[test]
    fn values_and_slopes_are_within_the_stated_error() {
        // the slopes: of tanh twice the value's error and a rounding, of the others one more rounding
        for activation in ALL {
            for i in -4000..=4000i16 {
                let a = f64::from(i) * 0.005;
                let (value, slope) = exact(activation, a);
                let size = if activation == Activation::Relu { a.abs() + 1.0 } else { 1.0 };
                assert!((activation.value(a) - value).abs() <= 2.0 * f64::EPSILON * size, "{activation:?} {a}");
                assert!((activation.slope(a) - slope).abs() <= 5.0 * f64::EPSILON, "slope of {activation:?} {a}");
                let b = a as f32;
                let (value, slope) = exact(activation, f64::from(b));
                let eps = f64::from(f32::EPSILON);
                assert!((f64::from(activation.value(b)) - value).abs() <= 2.0 * eps * size, "{activation:?} {b}");
                assert!((f64::from(activation.slope(b)) - slope).abs() <= 5.0 * eps, "slope of {activation:?} {b}");
            }
        }
    }

    #[test]
    fn the_far_ends_are_the_limits_and_nan_passes() {
        for (activation, low, high) in [
            (Activation::Relu, 0.0, f32::MAX),
            (Activation::Tanh, -1.0, 1.0),
            (Activation::Gaussian, 0.0, 0.0),
            (Activation::Sigmoid, 0.0, 1.0),
        ] {
            assert_eq!((activation.value(-f32::MAX), activation.value(f32::MAX)), (low, high), "{activation:?}");
            assert!(activation.value(f64::NAN).is_nan() && activation.value(f32::NAN).is_nan(), "{activation:?}");
        }
        assert_eq!(Activation::Relu.slope(0.0), 0.0);
    }
}
