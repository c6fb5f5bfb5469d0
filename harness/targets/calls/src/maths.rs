//! The two types of numbers, and the exponentials.

use crate::{by_default, number, same, seen};
use birth_death::maths::{Libm, Maths, Portable};
use birth_death::{Real, Stream};
use core::hint::black_box as hide;

pub(crate) fn all<R: Real>() {
    let x: R = number(0.5);
    seen((x.to_f64(), R::from_count(hide(3)), x.is_finite(), x.abs(), x.sqrt(), x.ln()));
    seen((x.expm1(), x.sin(), x.cos(), x.atan2(number(-2.0)), R::uniform(&mut Stream::seeded(hide(1), hide(2)))));
    seen((R::of_bits(hide(x.bits())), R::exp2_nonpos_portable(-x), R::exp2_libm(-x)));
    backend::<R, Portable>();
    backend::<R, Libm>();
    same(&Portable);
    same(&Libm);
    by_default::<Portable>();
    by_default::<Libm>();
}

pub(crate) fn backend<R: Real, M: Maths<R>>() {
    seen(M::exp2_nonpos(number(-1.5)));
}
