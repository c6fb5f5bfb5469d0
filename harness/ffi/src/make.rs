//! Makes energies: what one is made of is checked, borrowed, and lies apart.

use crate::call::{Details, Piece};
use crate::code::bd_code::{BD_ERROR_MEMORY, BD_ERROR_NULL};
use crate::code::bd_error;
use crate::energy::{
    Custom, Kept, Lent, Model, Select, activation, bd_energy, bd_energy_fn, bd_network, bd_rows, data, itself,
    lent_rows, loss,
};
use crate::mark::{Mark, idle};
use crate::memory::{Plain, check, lent, lent_mut, read};
use birth_death::models::{
    DataSource, Examples, GaussianUnits, MiniBatches, MixtureRef, Mmd, MmdTarget, Network, Quadratic,
};
use birth_death::{Error, Real};
use core::ffi::c_void;

/// From a model to its energy, as [`Select`] has it.
macro_rules! select {
    ($kind:ident) => {
        |model| if let Model::$kind(energy) = model { Some(energy) } else { None }
    };
}

/// A place for an energy, free, and apart from what that is to be made of.
struct Place<R: 'static> {
    kept: *mut Kept<R>,
    lent: Lent,
}

impl<R: Real> Place<R> {
    /// `given`: what only the call reads.
    ///
    /// # Safety
    /// `energy` points to a `bd_energy`, which may hold anything; no other thread uses it.
    unsafe fn new(
        energy: *mut bd_energy<R>,
        given: Piece,
        tables: [Piece; 3],
        scratch: [Piece; 2],
        details: &mut Details,
    ) -> Result<Self, bd_error> {
        let ([a, b, c], [d, e]) = (tables, scratch);
        details.apart(&[given, itself(energy), a, b, c, d, e])?;
        check(energy, 1, "energy")?;
        // SAFETY: it points to as many bytes, and is aligned to words
        unsafe { idle(energy.cast::<u8>(), size_of::<bd_energy<R>>(), "energy") }?;
        let lent = Lent { tables: tables.map(Piece::span), scratch: scratch.map(Piece::span) };
        Ok(Self { kept: energy.cast(), lent })
    }

    /// Puts a model there.
    fn keep(self, select: Select<R>, model: Model<R>) {
        let Self { kept, lent } = self;
        // SAFETY: by `new` it is not null, aligned, nobody uses it, and it is large enough by the assertion above
        unsafe { kept.write(Kept { mark: Mark::energy::<R>(), lent, select, model }) };
    }
}

/// # Safety
/// Of these constructors: `energy` points to a `bd_energy` that nobody uses; the other pointers to as much as the
/// header says, which stays, and is written by nobody, as long as the energy is used.
pub(crate) unsafe fn quadratic<R: Real + Plain>(
    energy: *mut bd_energy<R>,
    curvature: *const R,
    d: usize,
    details: &mut Details,
) -> Result<(), bd_error> {
    let tables = [Piece::read(curvature, d, "curvature"), Piece::NONE, Piece::NONE];
    // SAFETY: the caller's promise
    let place = unsafe { Place::new(energy, Piece::NONE, tables, [Piece::NONE; 2], details) }?;
    // SAFETY: as above
    let curvature = unsafe { lent(curvature, d, "curvature") }?;
    place.keep(select!(Quadratic), Model::Quadratic(Quadratic::new(curvature)?));
    Ok(())
}

/// # Safety
/// As [`quadratic`].
pub(crate) unsafe fn units<R: Real + Plain>(
    energy: *mut bd_energy<R>,
    unit_variance: R,
    inputs: usize,
    components: usize,
    [weights, centres, variances]: [*const R; 3],
    details: &mut Details,
) -> Result<(), bd_error> {
    let values = components.saturating_mul(inputs); // of which no memory has as many, if that is too many
    let tables = [
        Piece::read(weights, components, "weights"),
        Piece::read(centres, values, "centres"),
        Piece::read(variances, components, "variances"),
    ];
    // SAFETY: the caller's promise
    let place = unsafe { Place::new(energy, Piece::NONE, tables, [Piece::NONE; 2], details) }?;
    // SAFETY: as above
    let (weights, centres, variances) = unsafe {
        (
            lent(weights, components, "weights")?,
            lent(centres, values, "centres")?,
            lent(variances, components, "variances")?,
        )
    };
    let target = MixtureRef::new(weights, centres, variances, inputs)?;
    place.keep(select!(Units), Model::Units(GaussianUnits::new(unit_variance, target)?));
    Ok(())
}

/// # Safety
/// As [`quadratic`].
pub(crate) unsafe fn mmd<R: Real + Plain>(
    energy: *mut bd_energy<R>,
    bandwidth: R,
    sample: *const bd_rows<R>,
    details: &mut Details,
) -> Result<(), bd_error> {
    let given = Piece::read(sample, 1, "sample");
    details.apart(&[given, itself(energy)])?;
    // SAFETY: the caller's promise
    let sample = unsafe { read(sample, "sample") }?;
    let tables = [data(&sample, "sample"), Piece::NONE, Piece::NONE];
    // SAFETY: as above
    let place = unsafe { Place::new(energy, given, tables, [Piece::NONE; 2], details) }?;
    // SAFETY: as above
    let rows = unsafe { lent_rows(&sample, "sample") }?;
    place.keep(select!(Mmd), Model::Mmd(Mmd::new(bandwidth, MmdTarget::Sample(rows))?));
    Ok(())
}

/// # Safety
/// As [`quadratic`].
pub(crate) unsafe fn network<R: Real + Plain>(
    energy: *mut bd_energy<R>,
    settings: *const bd_network<R>,
    details: &mut Details,
) -> Result<(), bd_error> {
    let given = Piece::read(settings, 1, "settings");
    details.apart(&[given, itself(energy)])?;
    // SAFETY: the caller's promise
    let settings = unsafe { read(settings, "settings") }?;
    let bd_network { inputs, outputs, examples, batch, scratch_length, .. } = settings;
    // of so many values no memory has as many, if that is too many
    let (x_values, y_values) = (examples.saturating_mul(inputs), examples.saturating_mul(outputs));
    let words = if batch == 0 { 0 } else { examples };
    let tables = [Piece::read(settings.x, x_values, "x"), Piece::read(settings.y, y_values, "y"), Piece::NONE];
    let scratch =
        [Piece::written(settings.scratch, scratch_length, "scratch"), Piece::written(settings.order, words, "order")];
    // SAFETY: as above
    let place = unsafe { Place::new(energy, given, tables, scratch, details) }?;
    let (activation, loss) = (activation(settings.activation)?, loss(settings.loss)?);
    // SAFETY: what is written lies apart from the rest
    let (x, y, scratch, order) = unsafe {
        (
            lent(settings.x, x_values, "x")?,
            lent(settings.y, y_values, "y")?,
            lent_mut(settings.scratch, scratch_length, "scratch")?,
            lent_mut(settings.order, words, "order")?,
        )
    };
    let data = Examples::new(x, inputs, y, outputs)?;
    let (select, model): (Select<R>, _) = if batch == 0 {
        (select!(Network), Model::Network(with(Network::new(activation, loss, data, scratch)?, &settings)?))
    } else {
        let (found, short) = (scratch.len(), "scratch");
        let short = |expected| bd_error::sizes(BD_ERROR_MEMORY, short, expected, found);
        let product =
            |a: usize, b: usize| a.checked_mul(b).ok_or(bd_error::sizes(BD_ERROR_MEMORY, "batch", usize::MAX, a));
        let (batch_x, batch_y) = (product(batch, inputs)?, product(batch, outputs)?);
        let (batch_x, rest) = scratch.split_at_mut_checked(batch_x).ok_or(short(batch_x))?;
        let (batch_y, rest) = rest.split_at_mut_checked(batch_y).ok_or(short(batch_y))?;
        let batches = MiniBatches::new(data, order, batch_x, batch_y, settings.seed, settings.stream)?;
        (select!(Batches), Model::Batches(with(Network::new(activation, loss, batches, rest)?, &settings)?))
    };
    place.keep(select, model);
    Ok(())
}

fn with<R: Real, S: DataSource<R>>(
    network: Network<'static, R, S>,
    settings: &bd_network<R>,
) -> Result<Network<'static, R, S>, bd_error> {
    let scale = if settings.scale == R::ZERO { R::ONE } else { settings.scale };
    Ok(network.with_scale(scale)?.with_decay(settings.decay)?)
}

/// # Safety
/// `energy` as in [`quadratic`]; `evaluate` does what its type says.
pub(crate) unsafe fn custom<R: Real + Plain>(
    energy: *mut bd_energy<R>,
    d: usize,
    evaluate: bd_energy_fn<R>,
    context: *mut c_void,
    details: &mut Details,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let place = unsafe { Place::new(energy, Piece::NONE, [Piece::NONE; 3], [Piece::NONE; 2], details) }?;
    let evaluate = evaluate.ok_or(bd_error::of(BD_ERROR_NULL, "evaluate"))?;
    if d == 0 {
        return Err(Error::Zero { what: "dimension" }.into());
    }
    place.keep(select!(Custom), Model::Custom(Custom { d, evaluate, context }));
    Ok(())
}
