//! Energies in memory of the caller's: the crate's, and the caller's own.

use crate::call::Piece;
use crate::code::bd_code::{BD_ERROR_CHOICE, BD_ERROR_MEMORY, BD_ERROR_NOT_INITIALISED};
use crate::code::bd_error;
use crate::mark::{Busy, Mark};
use crate::memory::{Plain, Span, check, lent};
use birth_death::models::{Activation, Examples, GaussianUnits, Loss, MiniBatches, Mmd, Network, Quadratic};
use birth_death::{Energy, Error, Field, Real, Rows};
use core::ffi::c_void;
use core::marker::PhantomData;

/// 64-bit words of a `bd_energy`.
pub const BD_ENERGY_WORDS: usize = 36;

/// An energy, made by one of the functions below. It borrows the memory that it was made of: that stays where it is, is
/// written by nobody, and scratch is used by nobody else, as long as the energy is used; neither is seen if it is not
/// so. It can be moved and copied. Of copies that share scratch, one thread may use one at a time; of copies with
/// batches only one may be used at all, since they share `order`, and another would take wrong batches, without an
/// error.
#[repr(C)]
#[derive(Debug)]
pub struct bd_energy<R> {
    /// The library's own.
    pub words: [u64; BD_ENERGY_WORDS],
    _precision: PhantomData<R>,
}

/// Components of particles or points, each in a row: component k of number i is `data[k * stride + i]`, i < n <=
/// stride, k < d.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct bd_rows<R> {
    /// (d - 1) * stride + n values.
    pub data: *const R,
    /// Values from one row to the next, at least n.
    pub stride: usize,
    /// Components: rows.
    pub d: usize,
    /// Particles: values of a row.
    pub n: usize,
}

/// The rows of a struct of the caller's.
///
/// # Safety
/// The data are as many values as it says; as [`lent`].
pub(crate) unsafe fn lent_rows<'a, R: Real + Plain>(
    rows: &bd_rows<R>,
    what: &'static str,
) -> Result<Rows<'a, R>, bd_error> {
    let &bd_rows { data, stride, d, n } = rows;
    // SAFETY: the caller's promise
    let data = unsafe { lent(data, values(stride, d, n)?, what) }?;
    Ok(Rows::new(data, stride, d, n)?)
}

/// The data of rows; nothing if no memory has so many values, for which there is another error.
pub(crate) fn data<R>(rows: &bd_rows<R>, what: &'static str) -> Piece {
    Piece::read(rows.data, values(rows.stride, rows.d, rows.n).unwrap_or(0), what)
}

/// `(d - 1) stride + n`, what rows need.
pub(crate) fn values(stride: usize, d: usize, n: usize) -> Result<usize, bd_error> {
    let before = d.checked_sub(1).ok_or(Error::Zero { what: "dimension" })?.checked_mul(stride);
    before.and_then(|before| before.checked_add(n)).ok_or(bd_error::sizes(BD_ERROR_MEMORY, "rows", usize::MAX, stride))
}

/// The caller's own energy. Writes the potential V of each of the `at->n` particles to `potential`, the gradient of V
/// in component k of particle i to `gradient[k * at->stride + i]`, and E to `energy`; returns 0, or a code of its own,
/// which the step then reports. For a potential F of one particle: V = F, E = mean of F. With interaction K:
/// V_i = F_i + (1/n) sum_j K_ij, j = i included, E = E0 + mean of F_i + (V_i - F_i) / 2; gradient: of V_i in its own
/// particle. What it does not write is NaN, and an error of the step. `step` counts from 0. It must return: no
/// longjmp, no exception.
pub type bd_energy_fn<R> = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        step: u64,
        at: *const bd_rows<R>,
        potential: *mut R,
        gradient: *mut R,
        energy: *mut R,
    ) -> i32,
>;

/// Activation of the units of a network.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum bd_activation {
    /// max(a, 0)
    BD_RELU = 0,
    /// tanh(a)
    BD_TANH = 1,
    /// exp(-a^2 / 2)
    BD_GAUSSIAN = 2,
    /// 1 / (1 + exp(-a))
    BD_SIGMOID = 3,
}

/// Loss of a network.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum bd_loss {
    /// 1/2 |f - y|^2
    BD_SQUARED = 0,
    /// Cross-entropy in nats. One output: y in [0, 1], f log-odds. More: y probabilities that sum to 1, f logits.
    BD_LOGISTIC = 1,
}

pub(crate) fn activation(number: u32) -> Result<Activation, bd_error> {
    [
        (bd_activation::BD_RELU, Activation::Relu),
        (bd_activation::BD_TANH, Activation::Tanh),
        (bd_activation::BD_GAUSSIAN, Activation::Gaussian),
        (bd_activation::BD_SIGMOID, Activation::Sigmoid),
    ]
    .into_iter()
    .find(|(known, _)| *known as u32 == number)
    .map(|(_, activation)| activation)
    .ok_or(choice("activation", number))
}

pub(crate) fn loss(number: u32) -> Result<Loss, bd_error> {
    [(bd_loss::BD_SQUARED, Loss::Squared), (bd_loss::BD_LOGISTIC, Loss::Logistic)]
        .into_iter()
        .find(|(known, _)| *known as u32 == number)
        .map(|(_, loss)| loss)
        .ok_or(choice("loss", number))
}

/// A number that names no choice.
pub(crate) fn choice(what: &'static str, number: u32) -> bd_error {
    bd_error { found: number.into(), ..bd_error::of(BD_ERROR_CHOICE, what) }
}

/// A two-layer network on data. A particle is a unit: its `outputs` output weights c, then its `inputs` input weights
/// z. The network's output is (scale / n) sum_i c_i sigma(z_i . x): append a 1 to every input for a bias. Members that
/// are 0 have the meaning that is named.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct bd_network<R> {
    /// A `bd_activation`.
    pub activation: u32,
    /// A `bd_loss`.
    pub loss: u32,
    /// Values of an input, at least 1.
    pub inputs: usize,
    /// Values of a target, at least 1.
    pub outputs: usize,
    /// Examples of the data set, at least 1.
    pub examples: usize,
    /// `examples * inputs` values, example after example.
    pub x: *const R,
    /// `examples * outputs` values, example after example.
    pub y: *const R,
    /// 0: 1, mean-field scaling. n: a plain sum over the units.
    pub scale: R,
    /// L2 regularisation (decay / 2) |theta|^2 of every unit.
    pub decay: R,
    /// Scratch: BD_NETWORK_SCRATCH(outputs, examples) values; with batches BD_BATCH_SCRATCH(inputs, outputs, batch).
    /// Its contents mean nothing.
    pub scratch: *mut R,
    /// Values of `scratch`.
    pub scratch_length: usize,
    /// 0: all examples in every step. Else so many, without replacement, in a new order every epoch.
    pub batch: usize,
    /// With batches: `examples` words of scratch, which keep the order of an epoch from step to step: for one energy
    /// only.
    pub order: *mut u32,
    /// With batches: seed of the order. Not that of the run's generator, which they do not touch.
    pub seed: u64,
    /// With batches: stream of the order.
    pub stream: u64,
}

/// The caller's own energy, checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Custom<R> {
    pub d: usize,
    pub evaluate: unsafe extern "C" fn(*mut c_void, u64, *const bd_rows<R>, *mut R, *mut R, *mut R) -> i32,
    pub context: *mut c_void,
}

impl<R: Real> Energy<R> for Custom<R> {
    fn dim(&self) -> usize {
        self.d
    }

    fn evaluate(&mut self, step: u64, at: Rows<'_, R>, mut out: Field<'_, R>) -> Result<R, Error> {
        out.check(self.d, at)?;
        let (data, stride) = at.memory();
        let rows = bd_rows { data: data.as_ptr(), stride, d: at.dim(), n: at.len() };
        let (potential, mut gradient) = out.parts_mut();
        let (slopes, found) = gradient.memory_mut();
        if found != stride {
            return Err(Error::Mismatch { what: "stride of the gradient", expected: stride, found });
        }
        let mut energy = R::from_f64(f64::NAN);
        // SAFETY: all point to memory of the shapes that `bd_energy_fn` names; that the function is one is the promise
        // of who gave it
        let code = unsafe {
            (self.evaluate)(self.context, step, &rows, potential.as_mut_ptr(), slopes.as_mut_ptr(), &mut energy)
        };
        if code == 0 { Ok(energy) } else { Err(Error::Energy { code }) }
    }
}

/// Whatever a `bd_energy` holds.
#[derive(Debug)]
pub(crate) enum Model<R: 'static> {
    Quadratic(Quadratic<'static, R>),
    Units(GaussianUnits<'static, R>),
    Mmd(Mmd<'static, R>),
    Network(Network<'static, R, Examples<'static, R>>),
    Batches(Network<'static, R, MiniBatches<'static, R>>),
    Custom(Custom<R>),
}

/// From a model to its energy: a function for each kind, written down by the constructor, so that the linker leaves out
/// the models that nobody makes.
pub(crate) type Select<R> = for<'a> fn(&'a mut Model<R>) -> Option<&'a mut dyn Energy<R>>;

/// What stands in the words of a `bd_energy`; in this order, so that the first word tells what it is.
#[repr(C)]
pub(crate) struct Kept<R: 'static> {
    pub mark: Mark,
    pub lent: Lent,
    pub select: Select<R>,
    pub model: Model<R>,
}

/// What an energy borrows: memory that it reads, and memory that it writes.
#[derive(Clone, Copy)]
pub(crate) struct Lent {
    pub tables: [Span; 3],
    pub scratch: [Span; 2],
}

impl Lent {
    fn pieces(&self) -> [Piece; 5] {
        let what = "memory of the energy";
        let ([a, b, c], [d, e]) = (self.tables.map(|span| (span, false)), self.scratch.map(|span| (span, true)));
        [a, b, c, d, e].map(|(span, written)| Piece::of(span, written, what))
    }
}

const _: () = assert!(size_of::<Kept<f64>>() <= size_of::<bd_energy<f64>>(), "BD_ENERGY_WORDS is too small");
const _: () = assert!(align_of::<Kept<f64>>() <= align_of::<bd_energy<f64>>());

/// An energy in use.
pub(crate) struct InUse<'a, R: 'static> {
    pub energy: &'a mut dyn Energy<R>,
    _busy: Busy,
}

/// An energy that was found where the caller says, not yet in use.
pub(crate) struct Found<R: 'static> {
    kept: *mut Kept<R>,
    lent: Lent,
}

impl<R: Real> Found<R> {
    /// # Safety
    /// `energy` points to a `bd_energy`, made or zero, that no other thread uses; what it was made of is still there,
    /// and unwritten.
    pub unsafe fn new(energy: *mut bd_energy<R>) -> Result<Self, bd_error> {
        let kept = energy.cast::<Kept<R>>();
        check(energy, 1, "energy")?;
        // SAFETY: it points to as many bytes, the first of which are a mark if one was made there
        unsafe { Mark::energy::<R>().is_at(&raw const (*kept).mark, "energy") }?;
        // SAFETY: one was made there; this is written when it is made, and nobody holds a reference to it
        Ok(Self { kept, lent: unsafe { (*kept).lent } })
    }

    /// Its memory, and what it borrows.
    pub fn pieces(&self) -> [Piece; 6] {
        let [a, b, c, d, e] = self.lent.pieces();
        [itself(self.kept.cast::<bd_energy<R>>()), a, b, c, d, e]
    }

    /// From now on in use.
    ///
    /// # Safety
    /// As of `new`; the reference ends before anybody else uses the energy.
    pub unsafe fn enter<'a>(self) -> Result<InUse<'a, R>, bd_error> {
        let kept = self.kept;
        // SAFETY: one was made there
        let busy = unsafe { Busy::enter(&raw mut (*kept).mark, "energy") }?;
        // SAFETY: not in use elsewhere: this thread did not use it, and another does not, by the caller's promise
        let (select, model) = unsafe { ((*kept).select, &mut (*kept).model) };
        let energy = select(model).ok_or(bd_error::of(BD_ERROR_NOT_INITIALISED, "energy"))?;
        Ok(InUse { energy, _busy: busy })
    }
}

/// The memory of an energy.
pub(crate) fn itself<R>(energy: *mut bd_energy<R>) -> Piece {
    Piece::written(energy, 1, "energy")
}
