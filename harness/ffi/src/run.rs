//! A run in one piece of the caller's memory: parameters, counters, generator, particles and scratch.
//!
//! ```text
//! bytes                 what
//! 256                   bd_run
//! b (2 d n + n + d)     particles, gradients, potentials, one particle; b is 4 or 8
//! 4 (2 n)               copies, origins
//! ```

use crate::call::{Details, Piece};
use crate::code::bd_code::{BD_ERROR_ALIGNMENT, BD_ERROR_MEMORY, BD_ERROR_NOT_INITIALISED};
use crate::code::bd_error;
use crate::energy::{bd_rows, choice};
use crate::law::{Law, bd_prior};
use crate::mark::{Busy, Mark, idle};
use crate::memory::{Plain, Span, check, read};
use birth_death::{Dynamics, Error, MAX_PARTICLES, Rate, Real, RowsMut, Scheme, Stream};
use core::ffi::c_void;
use core::{ptr, slice};

/// Bytes of a run beside its particles and their scratch.
pub const BD_RUN_HEADER: usize = 256;

/// Alignment of a run's memory, in bytes.
pub const BD_ALIGNMENT: usize = 8;

/// A run, in memory of the caller's. It holds no pointer into itself: it may be copied as bytes to another place of the
/// same alignment, and goes on there; in a callback too, as the run before the step.
#[derive(Debug)]
pub struct bd_run<R: 'static> {
    head: Head<R>,
}

/// In this order, so that the first word tells what it is.
#[repr(C, align(8))]
#[derive(Debug)]
struct Head<R: 'static> {
    mark: Mark,
    n: usize,
    d: usize,
    /// Where the prior's table is, to be known also while the run is in use.
    prior: Span,
    dynamics: Dynamics<R, Law<R>>,
    rng: Stream,
}

const _: () = assert!(size_of::<bd_run<f64>>() <= BD_RUN_HEADER && align_of::<bd_run<f64>>() <= BD_ALIGNMENT);

/// Which dynamics.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum bd_scheme {
    /// Plain gradient flow: no event, no randomness. alpha is 0.
    BD_GRADIENT_FLOW = 0,
    /// Scheme 1: deaths and births; the population is restored by copying or removing.
    BD_BIRTH_DEATH = 1,
    /// Scheme 2: as scheme 1, but what is missing is drawn from the prior. Raw rates.
    BD_REINJECTION = 2,
}

/// What the rate of events is measured from.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum bd_rate {
    /// The scheme's: raw for scheme 2, else centred.
    BD_RATE_OF_SCHEME = 0,
    /// V - mean V.
    BD_CENTRED = 1,
    /// V.
    BD_RAW = 2,
}

/// What a run is to be. Members that are 0 have the meaning that is named, so name what you need and let C make the
/// others 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct bd_settings<R> {
    /// Particles, at least 1.
    pub n: usize,
    /// Components of a particle, at least 1.
    pub d: usize,
    /// A `bd_scheme`.
    pub scheme: u32,
    /// A `bd_rate`. 0: the scheme's.
    pub rate: u32,
    /// Length of a step, >= 0.
    pub dt: R,
    /// Birth-death rate, >= 0.
    pub alpha: R,
    /// Seed of the run's generator; any number.
    pub seed: u64,
    /// Stream of the run's generator; any number.
    pub stream: u64,
    /// 0: never. Else the step from which on there are no events.
    pub quench_from: u64,
    /// 0: particles move. 1: they do not (pure birth-death).
    pub without_transport: u32,
    /// Scheme 2 only; not read by others.
    pub prior: bd_prior<R>,
}

/// What a step did. Energy, potential and time are those before it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct bd_report<R> {
    /// Its number, counted from 0.
    pub step: u64,
    /// The time at which it began.
    pub time: R,
    /// The energy E.
    pub energy: R,
    /// Mean of the potentials V.
    pub mean_potential: R,
    /// Particles duplicated.
    pub births: u32,
    /// Particles that died.
    pub deaths: u32,
    /// Removed by population control.
    pub removed: u32,
    /// Added by population control.
    pub added: u32,
    /// The largest event probability of any particle.
    pub largest_probability: f64,
}

/// A run's state, to be read where it stands: valid until the next call with the run.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct bd_view<R> {
    /// Steps done.
    pub steps: u64,
    /// Time reached.
    pub time: R,
    /// Length of a step.
    pub dt: R,
    /// Birth-death rate.
    pub alpha: R,
    /// The particles.
    pub particles: bd_rows<R>,
    /// n potentials V of the last evaluation.
    pub potential: *const R,
    /// n slots: whose particle stands there since the last step; its own number, its parent's, or BD_FRESH.
    pub origin: *const u32,
}

/// `origin` of a particle that was drawn from the prior.
pub const BD_FRESH: u32 = u32::MAX;
const _: () = assert!(BD_FRESH == birth_death::FRESH);

/// Values and words behind the header.
fn behind(n: usize, d: usize) -> Option<(usize, usize)> {
    let rows = d.checked_mul(n)?.checked_mul(2)?;
    Some((rows.checked_add(n)?.checked_add(d)?, n.checked_mul(2)?))
}

/// Bytes of a run; `usize::MAX` if no memory is that large.
pub(crate) fn size<R>(n: usize, d: usize) -> usize {
    let bytes = || {
        let (values, words) = behind(n, d)?;
        let values = values.checked_mul(size_of::<R>())?;
        BD_RUN_HEADER.checked_add(values)?.checked_add(words.checked_mul(size_of::<u32>())?)
    };
    bytes().unwrap_or(usize::MAX)
}

/// A run that was found where the caller says, not yet in use.
pub(crate) struct Found<R: 'static> {
    run: *mut bd_run<R>,
    pub n: usize,
    pub d: usize,
    prior: Span,
}

impl<R: Real> Found<R> {
    /// The run at `run`. The details of the call lie apart from it, from its prior's table, and from `others`: what
    /// else the call is given, or its first element while the length is not known.
    ///
    /// # Safety
    /// `run` is from `bd_init`, or points to as many bytes as a `bd_run` has; no other thread uses it.
    pub unsafe fn new(run: *mut bd_run<R>, others: &[Piece], details: &mut Details) -> Result<Self, bd_error> {
        // as much as is known before anything is read: details of a refusal must not be written over the run either
        details.apart(&[Piece::written(run.cast::<u8>(), BD_RUN_HEADER, "run")])?;
        details.apart(others)?;
        check(run, 1, "run")?;
        // SAFETY: it points to as many bytes
        unsafe { Mark::run::<R>().is_at(&raw const (*run).head.mark, "run") }?;
        // SAFETY: one was made there; these are written by `init` only, and nobody holds a reference to them
        let (n, d, prior) = unsafe { ((*run).head.n, (*run).head.d, (*run).head.prior) };
        let found = Self { run, n, d, prior };
        details.apart(&found.pieces())?;
        Ok(found)
    }

    /// Its memory, and what it borrows.
    pub fn pieces(&self) -> [Piece; 2] {
        let bytes = size::<R>(self.n, self.d);
        [Piece::written(self.run.cast::<u8>(), bytes, "run"), Piece::of(self.prior, false, "prior")]
    }

    /// That it lies apart from a piece of the caller's, and so does its prior if that piece is written.
    pub fn apart(&self, piece: Piece, details: &mut Details) -> Result<(), bd_error> {
        let [run, prior] = self.pieces();
        details.apart(&[run, prior, piece])
    }

    /// From now on in use.
    ///
    /// # Safety
    /// No other thread uses it; the references end before anybody else uses the run.
    pub unsafe fn enter<'a>(self) -> Result<Open<'a, R>, bd_error> {
        let Self { run, n, d, .. } = self;
        // SAFETY: one was made there
        let busy = unsafe { Busy::enter(&raw mut (*run).head.mark, "run") }?;
        let lost = || bd_error::of(BD_ERROR_NOT_INITIALISED, "run");
        let (values, words) = behind(n, d).ok_or_else(lost)?;
        // SAFETY: `init` found room for them, and wrote them; 256 and the bytes of values keep the alignment
        let (values, words) = unsafe {
            let first = run.byte_add(BD_RUN_HEADER).cast::<R>();
            let last = first.add(values).cast::<u32>();
            (slice::from_raw_parts_mut(first, values), slice::from_raw_parts_mut(last, words))
        };
        let rows = d.checked_mul(n).ok_or_else(lost)?;
        let (particles, values) = values.split_at_mut_checked(rows).ok_or_else(lost)?;
        let (gradient, values) = values.split_at_mut_checked(rows).ok_or_else(lost)?;
        let (potential, particle) = values.split_at_mut_checked(n).ok_or_else(lost)?;
        let (copies, origin) = words.split_at_mut_checked(n).ok_or_else(lost)?;
        // SAFETY: not in use elsewhere: this thread did not use it, and another does not, by the caller's promise
        let (dynamics, rng) = unsafe { (&mut (*run).head.dynamics, &mut (*run).head.rng) };
        Ok(Open { n, d, dynamics, rng, particles, gradient, potential, particle, copies, origin, _busy: busy })
    }
}

/// A run in use, and its parts.
pub(crate) struct Open<'a, R: 'static> {
    pub n: usize,
    pub d: usize,
    pub dynamics: &'a mut Dynamics<R, Law<R>>,
    pub rng: &'a mut Stream,
    pub particles: &'a mut [R],
    pub gradient: &'a mut [R],
    pub potential: &'a mut [R],
    pub particle: &'a mut [R],
    pub copies: &'a mut [u32],
    pub origin: &'a mut [u32],
    pub _busy: Busy,
}

impl<R: Real> Open<'_, R> {
    pub fn rows(&mut self) -> Result<RowsMut<'_, R>, Error> {
        RowsMut::new(self.particles, self.n, self.d, self.n)
    }
}

/// # Safety
/// `memory` points to `size` bytes that nobody else uses as long as the run is used; `settings` to one, whose prior
/// stays as long; `out` to a pointer.
pub(crate) unsafe fn init<R: Real + Plain>(
    memory: *mut c_void,
    bytes: usize,
    settings: *const bd_settings<R>,
    out: *mut *mut bd_run<R>,
    details: &mut Details,
) -> Result<(), bd_error> {
    let (given, handle) = (Piece::read(settings, 1, "settings"), Piece::written(out, 1, "run"));
    let whole = |bytes| Piece::written(memory.cast::<u8>(), bytes, "memory");
    // how much of the memory is used is not known yet; a run that stands there stays if this is refused
    details.apart(&[given, handle, whole(bytes.min(BD_RUN_HEADER))])?;
    // SAFETY: the caller's promise
    let settings = unsafe { read(settings, "settings") }?;
    check(out, 1, "run")?;
    let (n, d) = (settings.n, settings.d);
    if n == 0 {
        return Err(Error::Empty.into());
    }
    if d == 0 {
        return Err(Error::Zero { what: "dimension" }.into());
    }
    if n > MAX_PARTICLES {
        return Err(Error::Capacity { what: "particles", capacity: MAX_PARTICLES, requested: n }.into());
    }
    check(memory.cast::<u8>(), bytes, "memory")?;
    let run = memory.cast::<bd_run<R>>();
    if !run.is_aligned() {
        return Err(bd_error::sizes(BD_ERROR_ALIGNMENT, "memory", BD_ALIGNMENT, 0));
    }
    let needed = size::<R>(n, d);
    let (Some((_, words)), true) = (behind(n, d), needed <= bytes) else {
        return Err(bd_error::sizes(BD_ERROR_MEMORY, "memory", needed, bytes));
    };

    let reinjection = settings.scheme == bd_scheme::BD_REINJECTION as u32;
    let laws = if reinjection { settings.prior.marginals } else { ptr::null() };
    details.apart(&[given, Piece::read(laws, d, "prior"), handle, whole(needed)])?;
    // SAFETY: `needed` bytes are there, aligned for a run
    unsafe { idle(memory.cast::<u8>(), needed, "memory") }?;

    let scheme = match settings.scheme {
        number if number == bd_scheme::BD_GRADIENT_FLOW as u32 => Scheme::GradientFlow,
        number if number == bd_scheme::BD_BIRTH_DEATH as u32 => Scheme::BirthDeath,
        // SAFETY: the caller's promise
        _ if reinjection => Scheme::Reinjection(unsafe { Law::new(&settings.prior, d) }?),
        number => return Err(choice("scheme", number)),
    };
    let mut dynamics = Dynamics::new(scheme, settings.dt, settings.alpha)?;
    dynamics = match settings.rate {
        number if number == bd_rate::BD_RATE_OF_SCHEME as u32 => dynamics,
        number if number == bd_rate::BD_CENTRED as u32 => dynamics.with_rate(Rate::Centred)?,
        number if number == bd_rate::BD_RAW as u32 => dynamics.with_rate(Rate::Raw)?,
        number => return Err(choice("rate", number)),
    };
    dynamics = match settings.without_transport {
        0 => dynamics,
        1 => dynamics.without_transport(),
        number => return Err(choice("without_transport", number)),
    };
    if settings.quench_from > 0 {
        dynamics = dynamics.with_quench_from(settings.quench_from);
    }
    let rng = Stream::seeded(settings.seed, settings.stream);

    // SAFETY: `needed` bytes are there, aligned for a run; the numbers behind it are 0, the last 2 n words of them each
    // its slot's number
    unsafe {
        memory.cast::<u8>().write_bytes(0, needed);
        run.write(bd_run { head: Head { mark: Mark::run::<R>(), n, d, prior: Span::new(laws, d), dynamics, rng } });
        let end = memory.cast::<u8>().add(needed).cast::<u32>();
        let origins = slice::from_raw_parts_mut(end.sub(words).add(n), n);
        origins.iter_mut().zip(0u32..).for_each(|(origin, slot)| *origin = slot);
        out.write(run);
    }
    Ok(())
}
