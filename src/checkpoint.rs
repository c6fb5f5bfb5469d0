//! A run written down: everything that the next step depends on, in a format of its own.
//!
//! Saved are the particles, the [`Dynamics`] and the generator: what a step changes. Not saved are the energy and the
//! prior, which no step changes: a mini-batch is a function of the step's number and of the data's own seed and stream.
//! Who resumes builds both as before, and can give a `tag` that stands for them (a hash of the configuration, say): a
//! checkpoint of another tag is refused.
//!
//! A run that goes on from a checkpoint gives the bits of the run that was not interrupted, on every target.
//!
//! ```
//! use birth_death::{Dynamics, Ensemble, Stream, Workspace, checkpoint, models::Quadratic};
//! const SIZE: usize = checkpoint::size::<f32, Stream>(1, 3);
//! let mut x = Ensemble::<f32, 1, 3>::new();
//! x.try_extend([[1.0], [2.0], [3.0]])?;
//! let mut dynamics = Dynamics::birth_death(0.1, 1.0)?;
//! let mut rng = Stream::seeded(1, 0);
//! let (mut energy, mut workspace) = (Quadratic::new(&[1.0])?, Workspace::<f32, 1, 3>::new());
//! dynamics.step(&mut x, &mut energy, &mut rng, &mut workspace)?;
//! let mut saved = [0; SIZE];
//! checkpoint::save(7, x.rows(), &dynamics, &rng, &mut saved)?;
//!
//! // the power fails, and the same program starts again
//! let mut again = Ensemble::<f32, 1, 3>::new();
//! let mut resumed = Dynamics::birth_death(0.1, 1.0)?;
//! let mut other = Stream::seeded(2, 0);
//! checkpoint::restore(7, &saved, &mut again, &mut resumed, &mut other)?;
//! assert_eq!((again, resumed, other), (x, dynamics, rng));
//! # Ok::<(), birth_death::Error>(())
//! ```
//!
//! # Format, version 1
//! All numbers are little-endian; `b` is 4 for `f32` and 8 for `f64`, `w` the generator's words.
//!
//! ```text
//! offset  bytes
//!      0      4  "BDCP"
//!      4      2  version of the format: 1
//!      6      1  b
//!      7      1  scheme: 0 gradient flow, 1 birth-death, 2 reinjection
//!      8      1  rate: 0 centred, 1 raw
//!      9      1  transport: 0 no, 1 yes
//!     10      2  0
//!     12      4  components D of a particle
//!     16      4  particles n
//!     20      4  w
//!     24      8  the caller's tag
//!     32      8  steps done
//!     40      8  the step from which birth-death is off
//!     48      8  the step at which dt came into force
//!     56      8  the time then, f64
//!     64      8  dt, as f64
//!     72      8  alpha, as f64
//!     80    4 w  state of the generator
//!      .  b D n  particles: component 0 of all, then component 1, ...
//!      .      4  CRC-32 (ISO-HDLC, that of zlib and PNG) of all bytes before it
//! ```

use crate::error::Fault;
use crate::rows::{indices, pieces};
use crate::{Dynamics, Error, Particles, Prior, Rate, Real, Rows, Scheme, Snapshot};
use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

const MAGIC: [u8; 4] = *b"BDCP";
const VERSION: u16 = 1;
/// Bytes before the generator's words.
const HEADER: usize = 80;
const CHECKSUM: usize = 4;
static CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// A state of more words is no use on a microcontroller, and does not compile.
struct Fits<G>(core::marker::PhantomData<G>);

impl<G: Snapshot> Fits<G> {
    const CHECKED: () = assert!(G::WORDS <= MAX_WORDS, "a generator of more than 64 words");
}

/// Bytes of a checkpoint of `len` particles of `dim` components and a generator `G`: `84 + 4 w + b dim len`.
pub const fn size<R: Real, G: Snapshot>(dim: usize, len: usize) -> usize {
    let particles = dim.saturating_mul(len).saturating_mul(size_of::<R>());
    (HEADER + CHECKSUM).saturating_add(G::WORDS.saturating_mul(4)).saturating_add(particles)
}

/// Writes a run into the first bytes of `out`; their number.
///
/// # Errors
/// [`Error::Capacity`] for less room than [`size`], [`Error::NotFinite`] for a particle that is not finite: `out` is
/// unchanged then.
pub fn save<R: Real, P: Prior<R>, G: Snapshot>(
    tag: u64,
    particles: Rows<'_, R>,
    dynamics: &Dynamics<R, P>,
    rng: &G,
    out: &mut [u8],
) -> Result<usize, Error> {
    let () = Fits::<G>::CHECKED;
    let size = size::<R, G>(particles.dim(), particles.len());
    let capacity = out.len();
    let Some(out) = out.get_mut(..size) else {
        return Err(Error::Capacity { what: "bytes of a checkpoint", capacity, requested: size });
    };
    if let Some(i) = particles.first_not_finite() {
        return Err(Error::NotFinite { quantity: crate::Quantity::Position, particle: u32::try_from(i).ok() });
    }
    let mut to = Writer { rest: out };
    to.put(MAGIC);
    to.put(VERSION.to_le_bytes());
    to.put([real_bytes::<R>(), scheme(dynamics.scheme())]);
    to.put([u8::from(dynamics.rate() == Rate::Raw), u8::from(dynamics.transport), 0, 0]);
    for number in [particles.dim(), particles.len(), G::WORDS] {
        to.put(word(number).to_le_bytes());
    }
    let times = [tag, dynamics.step, dynamics.quench_from, dynamics.origin_step];
    let reals = [dynamics.origin_time, dynamics.dt.to_f64(), dynamics.alpha.to_f64()].map(f64::to_bits);
    times.into_iter().chain(reals).for_each(|number| to.put(number.to_le_bytes()));
    let mut words = [0; MAX_WORDS];
    rng.save(&mut words);
    words.iter().take(G::WORDS).for_each(|word| to.put(word.to_le_bytes()));
    for &value in particles.iter().flatten() {
        let bytes = value.bits().to_le_bytes();
        bytes.into_iter().take(size_of::<R>()).for_each(|byte| to.put([byte]));
    }
    let (body, checksum) = out.split_at_mut_checked(size.saturating_sub(CHECKSUM)).unwrap_or((&mut [], &mut []));
    Writer { rest: checksum }.put(CRC.checksum(body).to_le_bytes());
    Ok(size)
}

/// Puts the run back that [`save`] wrote for the same `tag`. An [`Ensemble`](crate::Ensemble) gets the saved number of
/// particles, [`RowsMut`](crate::RowsMut) must have it; the [`Dynamics`] has the same scheme (with the same prior,
/// which is not compared). Bytes after the checkpoint are not read.
///
/// # Errors
/// [`Error::Checkpoint`] with the [`Fault`] of the bytes: cut short, changed, or of another format, precision, scheme,
/// generator or tag; [`Error::Mismatch`] and [`Error::Capacity`] for another shape; [`Error::Parameter`] and
/// [`Error::NotFinite`] for values that no run can have. Everything is as it was then.
pub fn restore<R: Real, X: Particles<R> + ?Sized, P: Prior<R>, G: Snapshot>(
    tag: u64,
    bytes: &[u8],
    particles: &mut X,
    dynamics: &mut Dynamics<R, P>,
    rng: &mut G,
) -> Result<(), Error> {
    let () = Fits::<G>::CHECKED;
    let saved = Saved::<R>::parse(bytes, G::WORDS)?;
    if saved.tag != tag {
        return Err(Error::Checkpoint(Fault::Tag { found: saved.tag }));
    }
    if saved.scheme != scheme(dynamics.scheme()) {
        return Err(Error::Checkpoint(Fault::Scheme));
    }
    let dim = particles.rows_mut().dim();
    if saved.dim != dim {
        return Err(Error::Mismatch { what: "dimension of the ensemble", expected: saved.dim, found: dim });
    }
    let mut words = [0; MAX_WORDS];
    words.iter_mut().zip(pieces(saved.words, 4)).for_each(|(word, bytes)| *word = le_word(bytes));
    let restored = G::restore(words.get(..G::WORDS).unwrap_or(&[]))?;

    particles.set_len(saved.len)?;

    // From here nothing can fail.
    *rng = restored;
    (dynamics.rate, dynamics.transport) = (saved.rate, saved.transport);
    (dynamics.dt, dynamics.alpha) = (saved.dt, saved.alpha);
    (dynamics.step, dynamics.quench_from) = (saved.step, saved.quench_from);
    (dynamics.origin_step, dynamics.origin_time) = (saved.origin_step, saved.origin_time);
    let mut rows = particles.rows_mut();
    let values = rows.iter_mut().flatten();
    values.zip(saved.particles()).for_each(|(to, from)| *to = from);
    Ok(())
}

/// The most words of a generator's state.
const MAX_WORDS: usize = 64;

/// 4 or 8.
fn real_bytes<R>() -> u8 {
    u8::try_from(size_of::<R>()).unwrap_or(0)
}

/// A number that fits by construction: a dimension, a number of particles or of words.
fn word(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn scheme<P>(scheme: &Scheme<P>) -> u8 {
    match scheme {
        Scheme::GradientFlow => 0,
        Scheme::BirthDeath => 1,
        Scheme::Reinjection(_) => 2,
    }
}

/// The room that is left.
struct Writer<'a> {
    rest: &'a mut [u8],
}

impl Writer<'_> {
    fn put<const B: usize>(&mut self, bytes: [u8; B]) {
        if let Some((to, rest)) = core::mem::take(&mut self.rest).split_first_chunk_mut() {
            *to = bytes;
            self.rest = rest;
        }
    }
}

/// The bytes that are left; zeros past their end, which the length's check excludes.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take<const B: usize>(&mut self) -> [u8; B] {
        let Some((bytes, rest)) = self.rest.split_first_chunk() else { return [0; B] };
        self.rest = rest;
        *bytes
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn long(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    fn slice(&mut self, len: usize) -> &'a [u8] {
        let (slice, rest) = self.rest.split_at_checked(len).unwrap_or_default();
        self.rest = rest;
        slice
    }
}

fn le_word(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// A checkpoint in which everything has been checked that does not depend on whom it is for.
struct Saved<'a, R> {
    scheme: u8,
    rate: Rate,
    transport: bool,
    dim: usize,
    len: usize,
    tag: u64,
    step: u64,
    quench_from: u64,
    origin_step: u64,
    origin_time: f64,
    dt: R,
    alpha: R,
    words: &'a [u8],
    particles: &'a [u8],
}

impl<'a, R: Real> Saved<'a, R> {
    fn parse(bytes: &'a [u8], words: usize) -> Result<Self, Error> {
        let fault = |fault| Err(Error::Checkpoint(fault));
        let mut from = Reader { rest: bytes };
        if bytes.len() < HEADER {
            return fault(Fault::Truncated { needed: HEADER, found: bytes.len() });
        }
        if from.take() != MAGIC {
            return fault(Fault::Magic);
        }
        let version = u16::from_le_bytes(from.take());
        if version != VERSION {
            return fault(Fault::Version { found: version });
        }
        let [precision, scheme] = from.take();
        let [rate, transport, reserved @ ..] = from.take::<4>();
        let [dim, len, saved_words] = [from.word(), from.word(), from.word()];
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let numbers = size(dim).saturating_mul(size(len)).saturating_mul(usize::from(precision));
        let body = HEADER.saturating_add(size(saved_words).saturating_mul(4)).saturating_add(numbers);
        let needed = body.saturating_add(CHECKSUM);
        let (Some(content), Some(checksum)) = (bytes.get(..body), bytes.get(body..needed)) else {
            return fault(Fault::Truncated { needed, found: bytes.len() });
        };
        if CRC.checksum(content) != le_word(checksum) {
            return fault(Fault::Checksum);
        }
        if precision != real_bytes::<R>() {
            return fault(Fault::Precision { bytes: precision });
        }
        if size(saved_words) != words {
            return fault(Fault::Generator);
        }
        if scheme > 2 || rate > 1 || transport > 1 || reserved != [0, 0] || (scheme == 2 && rate == 0) {
            return fault(Fault::Value);
        }
        let (tag, step, quench_from, origin_step) = (from.long(), from.long(), from.long(), from.long());
        let origin_time = f64::from_bits(from.long());
        // an infinite time is what an overflow leaves
        if origin_time.is_nan() || origin_time < 0.0 || origin_step > step {
            return fault(Fault::Value);
        }
        let [dt, alpha] = [f64::from_bits(from.long()), f64::from_bits(from.long())];
        for (name, value) in [("dt", dt), ("alpha", alpha)] {
            crate::error::parameter(name, value, "a finite number >= 0", |value| value >= 0.0)?;
            // no more digits than the precision has
            crate::error::parameter(name, R::from_f64(value).to_f64(), "a number of the precision", |r| r == value)?;
        }
        if scheme == 0 && alpha > 0.0 {
            return Err(Error::AlphaWithoutEvents { alpha });
        }
        let words = from.slice(words.saturating_mul(4));
        let saved = Self {
            scheme,
            rate: if rate == 0 { Rate::Centred } else { Rate::Raw },
            transport: transport == 1,
            dim: size(dim),
            len: size(len),
            tag,
            step,
            quench_from,
            origin_step,
            origin_time,
            dt: R::from_f64(dt),
            alpha: R::from_f64(alpha),
            words,
            particles: from.slice(numbers),
        };
        if let Some((_, i)) = saved.particles().zip(indices()).find(|(value, _)| !value.is_finite()) {
            let particle = i.checked_rem(saved.len).and_then(|i| u32::try_from(i).ok());
            return Err(Error::NotFinite { quantity: crate::Quantity::Position, particle });
        }
        Ok(saved)
    }

    /// The values, component after component.
    fn particles(&self) -> impl Iterator<Item = R> + use<'a, R> {
        pieces(self.particles, size_of::<R>()).map(|bytes| {
            let mut bits = [0; 8];
            bits.iter_mut().zip(bytes).for_each(|(to, &from)| *to = from);
            R::of_bits(u64::from_le_bytes(bits))
        })
    }
}
