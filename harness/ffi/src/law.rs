//! Where scheme 2 draws new particles from: laws in a table, or a function of the caller's.

use crate::code::bd_code::{BD_ERROR_CHOICE, BD_ERROR_NULL};
use crate::code::bd_error;
use crate::memory::{Plain, lent};
use birth_death::{Marginal, Prior, Real, random};
use core::ffi::c_void;
use core::marker::PhantomData;
use rand_core::Rng;

/// Law of one component of a particle.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum bd_law {
    /// Always `a`; no random word. `b` is not read.
    BD_CONSTANT = 0,
    /// Normal: mean `a`, standard deviation `b` >= 0.
    BD_NORMAL = 1,
    /// Uniform from `a` to `b`.
    BD_UNIFORM = 2,
}

/// Law of one component, a `bd_law` and its two numbers. A `static const` table of them is a prior, or a start.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct bd_marginal<R> {
    /// A `bd_law`.
    pub law: u32,
    /// First number.
    pub a: R,
    /// Second number.
    pub b: R,
}

// SAFETY: its members are numbers.
unsafe impl<R: Plain> Plain for bd_marginal<R> {}

impl<R: Real> bd_marginal<R> {
    fn get(&self) -> Result<Marginal<R>, bd_error> {
        const CONSTANT: u32 = bd_law::BD_CONSTANT as u32;
        const NORMAL: u32 = bd_law::BD_NORMAL as u32;
        const UNIFORM: u32 = bd_law::BD_UNIFORM as u32;
        match self.law {
            CONSTANT => Ok(Marginal::Constant(self.a)),
            NORMAL => Ok(Marginal::Normal { mean: self.a, sd: self.b }),
            UNIFORM => Ok(Marginal::Uniform { low: self.a, high: self.b }),
            found => Err(bd_error { found: found.into(), ..bd_error::of(BD_ERROR_CHOICE, "law") }),
        }
    }
}

/// A generator, lent to a function for the time of its call; a use after that is not seen.
#[derive(Debug)]
pub struct bd_random {
    _private: PhantomData<*mut u8>,
}

/// Writes one draw of `d` components into `particle`, by the functions on `bd_random`, in bounded time. A value that is
/// not finite makes the step fail.
pub type bd_draw_fn<R> =
    Option<unsafe extern "C" fn(context: *mut c_void, random: *mut bd_random, particle: *mut R, d: usize)>;

/// The reinjection prior: `marginals` of the d components, or a function and its context. Read by scheme 2 only.
/// Borrowed as long as the run is used.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct bd_prior<R> {
    /// d laws, or NULL.
    pub marginals: *const bd_marginal<R>,
    /// Used if `marginals` is NULL.
    pub draw: bd_draw_fn<R>,
    /// First argument of `draw`.
    pub context: *mut c_void,
}

/// The prior of a run, checked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Law<R: 'static> {
    Table(&'static [bd_marginal<R>]),
    Function { draw: unsafe extern "C" fn(*mut c_void, *mut bd_random, *mut R, usize), context: *mut c_void, d: usize },
}

/// A table of laws, each of which is proper.
///
/// # Safety
/// As [`lent`].
pub(crate) unsafe fn table<'a, R: Real + Plain>(
    marginals: *const bd_marginal<R>,
    d: usize,
    what: &'static str,
) -> Result<&'a [bd_marginal<R>], bd_error> {
    // SAFETY: the caller's promise
    let table = unsafe { lent(marginals, d, what) }?;
    for marginal in table {
        marginal.get()?.check()?;
    }
    Ok(table)
}

/// One draw; a law that has become none since it was checked gives NaN, which every caller refuses.
pub(crate) fn draw<R: Real, G: Rng + ?Sized>(table: &[bd_marginal<R>], rng: &mut G, particle: &mut [R]) {
    for (x, marginal) in particle.iter_mut().zip(table) {
        *x = marginal.get().map_or(R::from_f64(f64::NAN), |marginal| marginal.draw(rng));
    }
}

impl<R: Real + Plain> Law<R> {
    /// # Safety
    /// What `prior` points to stays and is not written as long as the law is used.
    pub unsafe fn new(prior: &bd_prior<R>, d: usize) -> Result<Self, bd_error> {
        if !prior.marginals.is_null() {
            // SAFETY: the caller's promise
            return Ok(Self::Table(unsafe { table(prior.marginals, d, "prior") }?));
        }
        let draw = prior.draw.ok_or(bd_error::of(BD_ERROR_NULL, "prior"))?;
        Ok(Self::Function { draw, context: prior.context, d })
    }
}

impl<R: Real> Prior<R> for Law<R> {
    fn dim(&self) -> usize {
        match self {
            Self::Table(table) => table.len(),
            Self::Function { d, .. } => *d,
        }
    }

    fn draw(&self, mut rng: &mut dyn Rng, particle: &mut [R]) {
        match *self {
            Self::Table(table) => draw(table, rng, particle),
            Self::Function { draw, context, .. } => {
                let random = (&raw mut rng).cast::<bd_random>();
                // SAFETY: `particle` is memory for `particle.len()` = d values; the function gets a generator that
                // lives until it returns
                unsafe { draw(context, random, particle.as_mut_ptr(), particle.len()) }
            }
        }
    }
}

/// The generator behind the pointer that a `bd_draw_fn` got; nothing for null, or a pointer that is not aligned for
/// one.
///
/// # Safety
/// `random` is null, misaligned, or such a pointer, during the call that it was given to.
pub(crate) unsafe fn generator<'a>(random: *mut bd_random) -> Option<&'a mut dyn Rng> {
    let random = random.cast::<&mut dyn Rng>();
    if !random.is_aligned() {
        return None;
    }
    // SAFETY: by the promise it points to the `any` of `Law::draw`, which nobody else uses during that call
    unsafe { random.as_mut() }.map(|rng| &mut **rng)
}

pub(crate) fn uniform<R: Real>(rng: Option<&mut dyn Rng>) -> R {
    rng.map_or(R::from_f64(f64::NAN), R::uniform)
}

pub(crate) fn normal<R: Real>(rng: Option<&mut dyn Rng>) -> R {
    rng.map_or(R::from_f64(f64::NAN), random::normal)
}
