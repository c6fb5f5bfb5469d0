//! The two floating-point types, and the one door to their mathematics.
//!
//! Every function that is not an IEEE basic operation comes from here (the cold ones, by `libm`) or from
//! [`maths`](crate::maths) (the hot exponential): never from `std`, whose results differ between platforms.

use core::fmt::{Debug, Display};
use core::ops::{Add, Div, Mul, Neg, Sub};
use rand_core::Rng;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`. Sealed: the bit contract is stated for these two.
///
/// Longer than the house's five methods because it is the language's own numeric surface, restated for `no_std`, and
/// nobody outside the crate implements it. Every operation is correctly rounded or libm's, hence the same bits on every
/// target.
pub trait Real:
    sealed::Sealed
    + Copy
    + Debug
    + Display
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// 1/2
    const HALF: Self;
    /// 2 pi
    const TAU: Self;
    /// log2(e)
    const LOG2_E: Self;
    /// 32-bit words that one [`uniform`](Real::uniform) consumes: 1 for `f32`, 2 for `f64`.
    const UNIFORM_WORDS: u32;

    /// The nearest value of this type.
    fn from_f64(x: f64) -> Self;
    /// The same value; exact.
    fn to_f64(self) -> f64;
    /// The nearest value to an integer.
    fn from_count(n: u32) -> Self;
    /// Neither NaN nor infinite.
    fn is_finite(self) -> bool;
    /// Magnitude.
    fn abs(self) -> Self;
    /// Square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// Natural logarithm, libm.
    fn ln(self) -> Self;
    /// `exp(x) - 1`, libm.
    fn expm1(self) -> Self;
    /// Sine, libm.
    fn sin(self) -> Self;
    /// Cosine, libm.
    fn cos(self) -> Self;
    /// The angle of the point (`x`, `self`), libm.
    fn atan2(self, x: Self) -> Self;
    /// A multiple of `2^-24` (`f32`, the upper bits of one word) or of `2^-53` (`f64`, two words, the first the more
    /// significant), uniform on [0, 1).
    fn uniform<G: Rng + ?Sized>(rng: &mut G) -> Self;
    /// The bits, in the lower bytes.
    #[doc(hidden)]
    fn bits(self) -> u64;
    /// The number of these bits, of which the lower bytes are taken.
    #[doc(hidden)]
    fn of_bits(bits: u64) -> Self;
    /// `2^t` for `t <= 0`, the crate's own: see [`maths::Portable`](crate::maths::Portable).
    #[doc(hidden)]
    fn exp2_nonpos_portable(t: Self) -> Self;
    /// `2^t` by libm.
    #[doc(hidden)]
    fn exp2_libm(t: Self) -> Self;
}

macro_rules! real {
    ($real:ty, $words:literal, $uniform:expr, $exp2:path,
     $sqrt:ident $ln:ident $expm1:ident $sin:ident $cos:ident $atan2:ident $exp2_libm:ident) => {
        // `as` between floats, and from an integer to a float, rounds to nearest: the one conversion `core` has.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::unnecessary_cast,
            clippy::useless_conversion
        )]
        impl Real for $real {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const HALF: Self = 0.5;
            const TAU: Self = core::f64::consts::TAU as $real;
            const LOG2_E: Self = core::f64::consts::LOG2_E as $real;
            const UNIFORM_WORDS: u32 = $words;
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $real
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn from_count(n: u32) -> Self {
                n as $real
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                <$real>::is_finite(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$real>::abs(self)
            }
            fn sqrt(self) -> Self {
                libm::$sqrt(self)
            }
            fn ln(self) -> Self {
                libm::$ln(self)
            }
            fn expm1(self) -> Self {
                libm::$expm1(self)
            }
            fn sin(self) -> Self {
                libm::$sin(self)
            }
            fn cos(self) -> Self {
                libm::$cos(self)
            }
            fn atan2(self, x: Self) -> Self {
                libm::$atan2(self, x)
            }
            #[inline]
            fn uniform<G: Rng + ?Sized>(rng: &mut G) -> Self {
                $uniform(rng)
            }
            fn bits(self) -> u64 {
                self.to_bits().into()
            }
            fn of_bits(bits: u64) -> Self {
                Self::from_bits(bits as _)
            }
            #[inline(always)]
            fn exp2_nonpos_portable(t: Self) -> Self {
                $exp2(t)
            }
            fn exp2_libm(t: Self) -> Self {
                libm::$exp2_libm(t)
            }
        }
    };
}

#[inline]
#[allow(clippy::cast_precision_loss)] // 24 bits fit exactly
fn uniform_f32<G: Rng + ?Sized>(rng: &mut G) -> f32 {
    (rng.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
}

#[inline]
#[allow(clippy::cast_precision_loss)] // 53 bits fit exactly
fn uniform_f64<G: Rng + ?Sized>(rng: &mut G) -> f64 {
    let high = u64::from(rng.next_u32());
    let low = u64::from(rng.next_u32());
    ((high << 21) | (low >> 11)) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

real!(f32, 1, uniform_f32, crate::maths::exp2::nonpos_f32,
    sqrtf logf expm1f sinf cosf atan2f exp2f);
real!(f64, 2, uniform_f64, crate::maths::exp2::nonpos_f64,
    sqrt log expm1 sin cos atan2 exp2);
