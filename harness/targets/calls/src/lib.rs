//! Calls every public function, method and trait method of the core, in both precisions and for particles of 1, 2, 3
//! and 7 components.
//!
//! Arguments and results pass through [`core::hint::black_box`], so no call is decided, shortened or left out at
//! compile time: what the linker finds reachable here is reachable from some caller. Beside that the body runs, and
//! says whether all went as it should.
//!
//! A new public item is called here, or `../nopanic/check` fails: it compares the functions that the compiler
//! instantiates for this crate with the public interface. Debug and Display are not called: they end in `core::fmt`,
//! which can panic.

#![no_std]
#![forbid(unsafe_code)]

mod dynamics;
mod maths;
mod memory;
mod models;
mod networks;
mod random;
mod records;
mod sums;

use birth_death::{Error, Real};
use core::hint::black_box as hide;

/// Particles.
const N: usize = 24;

/// Whether all went as it should: no error, and gradient flow lowered every energy that stays the same.
///
/// # Errors
/// The core's: none is expected.
pub fn all() -> Result<bool, Error> {
    errors();
    sums::all()?;
    // no short circuit: everything is done
    Ok(precision::<f32>()? & precision::<f64>()? & micromath()?)
}

fn precision<R: Real>() -> Result<bool, Error> {
    maths::all::<R>();
    random::all::<R>()?;
    let mut good = dimension::<R, 1>()? & dimension::<R, 2>()? & dimension::<R, 3>()? & dimension::<R, 7>()?;
    // a unit has a charge beside its inputs: one component is no unit
    good &= models::units::<R, birth_death::maths::Portable, 2, 1>()?;
    good &= models::units::<R, birth_death::maths::Portable, 3, 2>()?;
    good &= models::units::<R, birth_death::maths::Portable, 7, 6>()?;
    good &= models::units::<R, birth_death::maths::Libm, 2, 1>()?;
    good &= networks::all::<R, 2, 1>()? & networks::all::<R, 3, 2>()? & networks::all::<R, 7, 6>()?;
    Ok(good)
}

fn dimension<R: Real, const D: usize>() -> Result<bool, Error> {
    memory::all::<R, D>()?;
    records::all::<R, D>()?;
    dynamics::parameters::<R, D>()?;
    Ok(models::external::<R, D>()? & models::discrepancies::<R, birth_death::maths::Portable, D>()?)
}

#[cfg(feature = "micromath")]
fn micromath() -> Result<bool, Error> {
    use birth_death::maths::Micromath;
    maths::backend::<f32, Micromath>();
    same(&Micromath);
    by_default::<Micromath>();
    Ok(models::units::<f32, Micromath, 2, 1>()? & models::discrepancies::<f32, Micromath, 2>()?)
}

#[cfg(not(feature = "micromath"))]
fn micromath() -> Result<bool, Error> {
    Ok(true)
}

fn errors() {
    use birth_death::{Fault, Quantity};
    same(&Error::Empty);
    same(&Error::Checkpoint(Fault::Version { found: 2 }));
    same(&Fault::Truncated { needed: 2, found: 1 });
    same(&Quantity::Energy);
}

/// A result that somebody looks at.
fn seen<T>(value: T) {
    hide(value);
}

/// Copies and compares.
fn same<T: Clone + PartialEq>(value: &T) {
    let copy = hide(value).clone();
    seen(hide(&copy) == hide(value));
}

/// Copies what cannot be compared.
fn copied<T: Clone>(value: &T) {
    seen(hide(value).clone());
}

fn by_default<T: Default>() {
    seen(T::default());
}

/// A number that the optimiser does not know.
fn number<R: Real>(x: f64) -> R {
    R::from_f64(hide(x))
}
