//! What a pair of the Gaussian kernel takes, value and gradient, in instructions: for both precisions, kernels of one
//! to three components and every exponential.
//!
//! Evaluations of 16, 32 and 48 units, whole blocks all of them, take `a + b n + c n^2` instructions but for what
//! branches on numbers; printed is `c`.
#![no_std]
#![no_main]

use birth_death::maths::{Libm, Maths, Micromath, Portable};
use birth_death::models::{GaussianUnits, MixtureRef};
use birth_death::{Energy, Error, Field, Marginal, Prior, ProductPrior, Real, Rows, RowsMut, Stream};
use board::Counter;
use core::fmt::Write;
use core::hint::black_box;

/// Particles, evenly spaced, which is what a second difference takes.
const SIZES: [usize; 3] = [16, 32, 48];
const MOST: usize = 48;

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", unsafe(no_mangle))]
fn main() -> ! {
    let (Some(counter), Some(mut out)) = (Counter::start(), board::console()) else { board::exit(false) };
    board::exit(all(&counter, &mut out).is_ok())
}

struct Failed;

impl From<Error> for Failed {
    fn from(_: Error) -> Self {
        Self
    }
}

impl From<core::fmt::Error> for Failed {
    fn from(_: core::fmt::Error) -> Self {
        Self
    }
}

fn all(counter: &Counter, out: &mut impl Write) -> Result<(), Failed> {
    for dim in 1..=3 {
        writeln!(out, "f32 {dim} portable {}", tenths::<f32, Portable>(counter, dim)?)?;
        writeln!(out, "f32 {dim} libm {}", tenths::<f32, Libm>(counter, dim)?)?;
        writeln!(out, "f32 {dim} micromath {}", tenths::<f32, Micromath>(counter, dim)?)?;
        writeln!(out, "f64 {dim} portable {}", tenths::<f64, Portable>(counter, dim)?)?;
        writeln!(out, "f64 {dim} libm {}", tenths::<f64, Libm>(counter, dim)?)?;
    }
    Ok(())
}

/// Tenths of instructions a pair.
fn tenths<R: Real, M: Maths<R>>(counter: &Counter, dim: usize) -> Result<i32, Failed> {
    let mut taken = [0i32; 3];
    for (slot, n) in taken.iter_mut().zip(SIZES) {
        *slot = evaluation::<R, M>(counter, dim, n)?.try_into().map_err(|_| Failed)?;
    }
    let second = taken[2] - 2 * taken[1] + taken[0];
    let step = (SIZES[1] - SIZES[0]) as i32;
    Ok((10 * second + step * step) / (2 * step * step))
}

/// Instructions of the evaluation of `n` units whose kernel has `dim` components.
fn evaluation<R: Real, M: Maths<R>>(counter: &Counter, dim: usize, n: usize) -> Result<u32, Failed> {
    let (weights, centres, variances) = ([R::ONE], [R::ZERO; 3], [R::ONE]);
    let target = MixtureRef::new(&weights, centres.get(..dim).ok_or(Failed)?, &variances, dim)?;
    let mut energy = GaussianUnits::new(R::HALF, target)?.with_maths::<M>();
    let (mut x, mut potential, mut gradient) = ([R::ZERO; 4 * MOST], [R::ZERO; MOST], [R::ZERO; 4 * MOST]);
    let start = ProductPrior::new([Marginal::Normal { mean: R::ZERO, sd: R::ONE }])?;
    let mut rng = Stream::seeded(1, 0);
    for x in &mut x {
        start.draw(&mut rng, core::slice::from_mut(x));
    }
    let rows = Rows::new(black_box(&x), n, dim + 1, n)?;
    let field = Field::new(potential.get_mut(..n).ok_or(Failed)?, RowsMut::new(&mut gradient, n, dim + 1, n)?)?;
    let (energy, taken) = counter.count(|| energy.evaluate(0, rows, field));
    if energy?.is_finite() && black_box(&gradient).iter().all(|g| g.is_finite()) { Ok(taken) } else { Err(Failed) }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    board::exit(false)
}
