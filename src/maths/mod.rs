//! The hot exponential, and the backends that energies choose it from.
//!
//! Gaussian kernels need one exponential a pair. With `exp(x) = 2^(x log2 e)` and the constant folded into the kernel's
//! scale, the pair loop needs `2^t` for `t <= 0` only: the argument reduction becomes one exact subtraction.

pub mod exp2;

use crate::Real;

/// Where the pair loops take `2^t` from: a type parameter of the energies.
///
/// A backend is chosen by type, never by a feature, so no other crate can change a number.
pub trait Maths<R: Real>: Send + Sync {
    /// `2^t` for `t <= 0`; the caller guarantees the sign. Error bounds are the backend's.
    fn exp2_nonpos(t: R) -> R;
}

/// The crate's own, and the default: branch-free, vectorisable, the same bits on every target.
///
/// Relative error below [`exp2::MAX_ERROR_ULPS_F32`] (every `f32`) and [`exp2::MAX_ERROR_ULPS_F64`] machine epsilons on
/// [[`exp2::CLAMP_F32`], 0] and [`exp2::CLAMP_F64`], 0]; below, between 0 and the least normal number. NaN gives NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Portable;

/// `libm`'s `exp2`: the same bits on every target, and slower: for comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Libm;

/// `micromath`'s exponential (`f32` only): approximate, for comparison on small targets.
///
/// Relative error below 2.4e-3 for every `f32` in [[`exp2::CLAMP_F32`], 0] (measured on all), zero below. NaN gives
/// infinity.
#[cfg(feature = "micromath")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Micromath;

impl<R: Real> Maths<R> for Portable {
    #[inline(always)]
    fn exp2_nonpos(t: R) -> R {
        R::exp2_nonpos_portable(t)
    }
}

impl<R: Real> Maths<R> for Libm {
    #[inline]
    fn exp2_nonpos(t: R) -> R {
        R::exp2_libm(t)
    }
}

#[cfg(feature = "micromath")]
impl Maths<f32> for Micromath {
    #[inline]
    fn exp2_nonpos(t: f32) -> f32 {
        // micromath reduces the argument through an `i32`; below the clamp the true value is no normal number anyway.
        if t < exp2::CLAMP_F32 { 0.0 } else { micromath::F32(t * core::f32::consts::LN_2).exp().0 }
    }
}
