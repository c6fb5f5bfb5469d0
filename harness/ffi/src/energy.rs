//! Energies in memory of the caller's: the crate's, and the caller's own.

use crate::code::bd_code::{BD_ERROR_BUSY, BD_ERROR_CHOICE, BD_ERROR_MEMORY, BD_ERROR_NOT_INITIALISED, BD_ERROR_NULL};
use crate::code::bd_error;
use crate::memory::{Plain, Span, apart, check, lent, lent_mut, read};
use crate::run::Busy;
use birth_death::models::{
    Activation, Examples, GaussianUnits, Loss, MiniBatches, MixtureRef, Mmd, Network, Quadratic, Target,
};
use birth_death::{Energy, Error, Field, Real, Rows};
use core::ffi::c_void;
use core::marker::PhantomData;

/// 64-bit words of a `bd_energy`.
pub const BD_ENERGY_WORDS: usize = 36;

/// An energy, made by one of the functions below. It borrows the memory that it was made of: that stays where it is, is written by nobody, and scratch
/// is used by nobody else, as long as the energy is used. It can be moved and copied; of copies that share scratch, one thread may use one at a time.
#[repr(C)]
#[derive(Debug)]
pub struct bd_energy<R> {
    /// The library's own.
    pub words: [u64; BD_ENERGY_WORDS],
    _precision: PhantomData<R>,
}

/// Components of particles or points, each in a row: component k of number i is `data[k * stride + i]`, i < n <= stride, k < d.
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
/// `rows` points to one, and its data to as many values as it says; as [`lent`].
pub(crate) unsafe fn lent_rows<'a, R: Real + Plain>(
    rows: *const bd_rows<R>,
    what: &'static str,
) -> Result<Rows<'a, R>, bd_error> {
    // SAFETY: the caller's promise
    let bd_rows { data, stride, d, n } = unsafe { read(rows, what) }?;
    // SAFETY: as above
    let data = unsafe { lent(data, values(stride, d, n)?, what) }?;
    Ok(Rows::new(data, stride, d, n)?)
}

/// `(d - 1) stride + n`, what rows need.
pub(crate) fn values(stride: usize, d: usize, n: usize) -> Result<usize, bd_error> {
    let before = d.checked_sub(1).ok_or(Error::Zero { what: "dimension" })?.checked_mul(stride);
    before.and_then(|before| before.checked_add(n)).ok_or(bd_error::sizes(BD_ERROR_MEMORY, "rows", usize::MAX, stride))
}

/// The caller's own energy. Writes the potential V of each of the `at->n` particles to `potential`, the gradient of V in component k of particle i to
/// `gradient[k * at->stride + i]`, and E to `energy`; returns 0, or a code of its own, which the step then reports. For a potential F of one particle: V = F,
/// E = mean of F. With interaction K: V_i = F_i + (1/n) sum_j K_ij, j = i included, E = E0 + mean of F_i + (V_i - F_i) / 2; gradient: of V_i in its own particle.
/// What it does not write is NaN, and an error of the step. `step` counts from 0. It must return: no longjmp, no exception.
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

fn loss(number: u32) -> Result<Loss, bd_error> {
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

/// A two-layer network on data. A particle is a unit: its `outputs` output weights c, then its `inputs` input weights z. The network's output is
/// (scale / n) sum_i c_i sigma(z_i . x): append a 1 to every input for a bias. Members that are 0 have the meaning that is named.
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
    /// Scratch: BD_NETWORK_SCRATCH(outputs, examples) values; with batches BD_BATCH_SCRATCH(inputs, outputs, batch). Its contents mean nothing.
    pub scratch: *mut R,
    /// Values of `scratch`.
    pub scratch_length: usize,
    /// 0: all examples in every step. Else so many, without replacement, in a new order every epoch.
    pub batch: usize,
    /// With batches: `examples` words of scratch.
    pub order: *mut u32,
    /// With batches: seed of the order. Not that of the run's generator, which they do not touch.
    pub seed: u64,
    /// With batches: stream of the order.
    pub stream: u64,
}

/// The caller's own energy, checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Custom<R> {
    d: usize,
    evaluate: unsafe extern "C" fn(*mut c_void, u64, *const bd_rows<R>, *mut R, *mut R, *mut R) -> i32,
    context: *mut c_void,
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
        // SAFETY: all point to memory of the shapes that `bd_energy_fn` names; that the function is one is the promise of who gave it
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

/// From a model to its energy: a function for each kind, written down by the constructor, so that the linker leaves out the models that nobody makes.
type Select<R> = for<'a> fn(&'a mut Model<R>) -> Option<&'a mut dyn Energy<R>>;

macro_rules! select {
    ($kind:ident) => {
        |model| if let Model::$kind(energy) = model { Some(energy) } else { None }
    };
}

/// What stands in the words of a `bd_energy`; in this order, so that the first word tells what it is.
#[repr(C)]
struct Kept<R: 'static> {
    magic: u32,
    busy: u32,
    lent: [Span; 4],
    select: Select<R>,
    model: Model<R>,
}

const fn magic<R>() -> u32 {
    // "bdE" and the bytes of a number
    0x6264_4500 | size_of::<R>() as u32
}

const _: () = assert!(size_of::<Kept<f64>>() <= size_of::<bd_energy<f64>>(), "BD_ENERGY_WORDS is too small");
const _: () = assert!(align_of::<Kept<f64>>() <= align_of::<bd_energy<f64>>());

/// An energy in use.
pub(crate) struct InUse<'a, R: 'static> {
    pub energy: &'a mut dyn Energy<R>,
    _busy: Busy,
}

/// The energy behind the caller's pointer, which lies apart from the run at `run`, with all that it borrows.
///
/// # Safety
/// `energy` points to a `bd_energy`, made or zero, that no other thread uses; what it was made of is still there, and unwritten.
pub(crate) unsafe fn open<'a, R: Real>(energy: *mut bd_energy<R>, run: Span) -> Result<InUse<'a, R>, bd_error> {
    let kept = energy.cast::<Kept<R>>();
    check(kept, 1, "energy")?;
    // SAFETY: it points to as many bytes
    if unsafe { (*kept).magic } != magic::<R>() {
        return Err(bd_error::of(BD_ERROR_NOT_INITIALISED, "energy"));
    }
    // SAFETY: one was made there
    let busy = unsafe { Busy::enter(&raw mut (*kept).busy) }.ok_or(bd_error::of(BD_ERROR_BUSY, "energy"))?;
    // SAFETY: as above
    let lent = unsafe { (*kept).lent };
    apart(run, &[Span::new(kept, 1)], "energy")?;
    apart(run, &lent, "memory of the energy")?;
    // SAFETY: not in use elsewhere: not by this thread, as it was not busy, and not by another, by the caller's promise
    let (select, model) = unsafe { ((*kept).select, &mut (*kept).model) };
    let energy = select(model).ok_or(bd_error::of(BD_ERROR_NOT_INITIALISED, "energy"))?;
    Ok(InUse { energy, _busy: busy })
}

/// Four pieces of memory, of which some are none.
fn spans<const N: usize>(some: [Span; N]) -> [Span; 4] {
    let mut all = [Span::default(); 4];
    all.iter_mut().zip(some).for_each(|(to, from)| *to = from);
    all
}

/// Puts a model where the caller wants it.
///
/// # Safety
/// `energy` points to a `bd_energy` that nobody uses.
unsafe fn keep<R: Real>(
    energy: *mut bd_energy<R>,
    lent: [Span; 4],
    select: Select<R>,
    model: Model<R>,
) -> Result<(), bd_error> {
    let kept = energy.cast::<Kept<R>>();
    check(kept, 1, "energy")?;
    apart(Span::new(kept, 1), &lent, "energy")?;
    // SAFETY: not null, aligned, and large enough by the assertion above
    unsafe { kept.write(Kept { magic: magic::<R>(), busy: 0, lent, select, model }) };
    Ok(())
}

/// # Safety
/// Of these constructors: `energy` points to a `bd_energy` that nobody uses; the other pointers to as much as the header says, which stays, and is
/// written by nobody, as long as the energy is used.
pub(crate) unsafe fn quadratic<R: Real + Plain>(
    energy: *mut bd_energy<R>,
    curvature: *const R,
    d: usize,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise, here and below
    unsafe {
        let curvature = lent(curvature, d, "curvature")?;
        let spans = spans([Span::of(curvature)]);
        keep(energy, spans, select!(Quadratic), Model::Quadratic(Quadratic::new(curvature)?))
    }
}

/// # Safety
/// As [`quadratic`].
pub(crate) unsafe fn units<R: Real + Plain>(
    energy: *mut bd_energy<R>,
    unit_variance: R,
    inputs: usize,
    components: usize,
    [weights, centres, variances]: [*const R; 3],
) -> Result<(), bd_error> {
    let centre_values =
        components.checked_mul(inputs).ok_or(bd_error::sizes(BD_ERROR_MEMORY, "centres", usize::MAX, components))?;
    // SAFETY: the caller's promise
    unsafe {
        let weights = lent(weights, components, "weights")?;
        let centres = lent(centres, centre_values, "centres")?;
        let variances = lent(variances, components, "variances")?;
        let target = MixtureRef::new(weights, centres, variances, inputs)?;
        let spans = spans([Span::of(weights), Span::of(centres), Span::of(variances)]);
        keep(energy, spans, select!(Units), Model::Units(GaussianUnits::new(unit_variance, target)?))
    }
}

/// # Safety
/// As [`quadratic`].
pub(crate) unsafe fn mmd<R: Real + Plain>(
    energy: *mut bd_energy<R>,
    bandwidth: R,
    sample: *const bd_rows<R>,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    unsafe {
        let rows = lent_rows(sample, "sample")?;
        let spans = spans([Span::of(rows.memory().0)]);
        keep(energy, spans, select!(Mmd), Model::Mmd(Mmd::new(bandwidth, Target::Sample(rows))?))
    }
}

/// # Safety
/// As [`quadratic`].
pub(crate) unsafe fn network<R: Real + Plain>(
    energy: *mut bd_energy<R>,
    settings: *const bd_network<R>,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let settings = unsafe { read(settings, "settings") }?;
    let bd_network { inputs, outputs, examples, batch, .. } = settings;
    let (activation, loss) = (activation(settings.activation)?, loss(settings.loss)?);
    let product =
        |a: usize, b: usize, what| a.checked_mul(b).ok_or(bd_error::sizes(BD_ERROR_MEMORY, what, usize::MAX, a));
    // SAFETY: the caller's promise
    let (x, y, scratch, order) = unsafe {
        (
            lent(settings.x, product(examples, inputs, "x")?, "x")?,
            lent(settings.y, product(examples, outputs, "y")?, "y")?,
            Piece::of(settings.scratch, settings.scratch_length, "scratch")?,
            Piece::of(settings.order, if batch == 0 { 0 } else { examples }, "order")?,
        )
    };
    let spans = [Span::of(x), Span::of(y), scratch.span, order.span];
    apart(scratch.span, &[Span::of(x), Span::of(y), order.span], "scratch")?;
    apart(order.span, &[Span::of(x), Span::of(y)], "order")?;
    // SAFETY: they overlap with nothing, and the rest is the caller's promise
    let (scratch, order) = unsafe { (scratch.get()?, order.get()?) };
    let data = Examples::new(x, inputs, y, outputs)?;
    let (select, model): (Select<R>, _) = if batch == 0 {
        (select!(Network), Model::Network(with(Network::new(activation, loss, data, scratch)?, &settings)?))
    } else {
        let (found, short) = (scratch.len(), "scratch");
        let short = |expected| bd_error::sizes(BD_ERROR_MEMORY, short, expected, found);
        let (batch_x, batch_y) = (product(batch, inputs, "batch")?, product(batch, outputs, "batch")?);
        let (batch_x, rest) = scratch.split_at_mut_checked(batch_x).ok_or(short(batch_x))?;
        let (batch_y, rest) = rest.split_at_mut_checked(batch_y).ok_or(short(batch_y))?;
        let batches = MiniBatches::new(data, order, batch_x, batch_y, settings.seed, settings.stream)?;
        (select!(Batches), Model::Batches(with(Network::new(activation, loss, batches, rest)?, &settings)?))
    };
    // SAFETY: the caller's promise
    unsafe { keep(energy, spans, select, model) }
}

fn with<R: Real, S: birth_death::models::Source<R>>(
    network: Network<'static, R, S>,
    settings: &bd_network<R>,
) -> Result<Network<'static, R, S>, bd_error> {
    let scale = if settings.scale == R::ZERO { R::ONE } else { settings.scale };
    Ok(network.with_scale(scale)?.with_decay(settings.decay)?)
}

/// Memory to be written, of which no reference is made before it is known to lie apart from the rest.
struct Piece<T> {
    at: *mut T,
    len: usize,
    span: Span,
    what: &'static str,
}

impl<T: Plain> Piece<T> {
    fn of(at: *mut T, len: usize, what: &'static str) -> Result<Self, bd_error> {
        if len > 0 {
            check(at, len, what)?;
        }
        Ok(Self { at, len, span: Span::new(at, len), what })
    }

    /// # Safety
    /// As [`lent_mut`].
    unsafe fn get(self) -> Result<&'static mut [T], bd_error> {
        // SAFETY: the caller's promise
        unsafe { lent_mut(self.at, self.len, self.what) }
    }
}

/// # Safety
/// `energy` as in [`quadratic`]; `evaluate` does what its type says.
pub(crate) unsafe fn custom<R: Real + Plain>(
    energy: *mut bd_energy<R>,
    d: usize,
    evaluate: bd_energy_fn<R>,
    context: *mut c_void,
) -> Result<(), bd_error> {
    let evaluate = evaluate.ok_or(bd_error::of(BD_ERROR_NULL, "evaluate"))?;
    if d == 0 {
        return Err(Error::Zero { what: "dimension" }.into());
    }
    // SAFETY: the caller's promise
    unsafe { keep(energy, spans([]), select!(Custom), Model::Custom(Custom { d, evaluate, context })) }
}
