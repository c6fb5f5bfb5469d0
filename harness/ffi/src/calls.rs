//! What is done with a run, and with trained units.

use crate::call::{Details, Piece};
use crate::code::bd_error;
use crate::energy::{self, InUse, bd_energy, bd_rows, values};
use crate::law::{bd_marginal, draw, table};
use crate::memory::{Plain, check, lent, lent_mut, read};
use crate::run::{Found, Open, bd_report, bd_run, bd_view};
use birth_death::{Energy, Error, Field, Quantity, Real, Rows, RowsMut, Scratch, Stream, checkpoint};

/// # Safety
/// `run` as [`Found::new`]; `x` points to `(d - 1) stride + n` values.
pub(crate) unsafe fn set_particles<R: Real + Plain>(
    run: *mut bd_run<R>,
    x: *const R,
    stride: usize,
    details: &mut Details,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let found = unsafe { Found::new(run, &[Piece::read(x, 1, "x")], details) }?;
    let len = values(stride, found.d, found.n)?;
    found.apart(Piece::read(x, len, "x"), details)?;
    // SAFETY: the caller's promise, and it lies apart from the run
    let (mut open, x) = unsafe { (found.enter()?, lent(x, len, "x")?) };
    let from = Rows::new(x, stride, open.d, open.n)?;
    finite(from, Quantity::Position)?;
    copy(from, open.rows()?);
    Ok(())
}

/// # Safety
/// As [`set_particles`]; nobody else uses the memory at `x`.
pub(crate) unsafe fn get_particles<R: Real + Plain>(
    run: *mut bd_run<R>,
    x: *mut R,
    stride: usize,
    details: &mut Details,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let found = unsafe { Found::new(run, &[Piece::written(x, 1, "x")], details) }?;
    let len = values(stride, found.d, found.n)?;
    found.apart(Piece::written(x, len, "x"), details)?;
    // SAFETY: the caller's promise, and it lies apart from the run
    let (mut open, x) = unsafe { (found.enter()?, lent_mut(x, len, "x")?) };
    let to = RowsMut::new(x, stride, open.d, open.n)?;
    copy(open.rows()?.as_rows(), to);
    Ok(())
}

/// Row by row: `RowsMut::iter_mut` at the head of a chain leaves a panic path in some builds, as its optimiser forgets
/// that no chunk is empty.
fn copy<R: Real>(from: Rows<'_, R>, mut to: RowsMut<'_, R>) {
    for k in 0..from.dim() {
        to.row_mut(k).iter_mut().zip(from.row(k)).for_each(|(to, &from)| *to = from);
    }
}

/// That all are finite; else the first particle that is not.
fn finite<R: Real>(rows: Rows<'_, R>, quantity: Quantity) -> Result<(), Error> {
    let bad = rows.iter().filter_map(|row| row.iter().position(|x| !x.is_finite())).min();
    match bad {
        Some(i) => Err(Error::NotFinite { quantity, particle: u32::try_from(i).ok() }),
        None => Ok(()),
    }
}

/// # Safety
/// `run` as [`Found::new`]; `marginals` points to d of them.
pub(crate) unsafe fn scatter<R: Real + Plain>(
    run: *mut bd_run<R>,
    marginals: *const bd_marginal<R>,
    details: &mut Details,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let found = unsafe { Found::new(run, &[Piece::read(marginals, 1, "marginals")], details) }?;
    let d = found.d;
    found.apart(Piece::read(marginals, d, "marginals"), details)?;
    // SAFETY: the caller's promise, and it lies apart from the run
    let (open, table) = unsafe { (found.enter()?, table(marginals, d, "marginals")?) };
    let mut rng = open.rng.clone();
    // in scratch first: nothing has happened if a draw is refused
    let mut drawn = RowsMut::new(open.gradient, open.n, open.d, open.n)?;
    for i in 0..open.n {
        draw(table, &mut rng, open.particle);
        for (k, &x) in (0..open.d).zip(open.particle.iter()) {
            drawn.row_mut(k).iter_mut().skip(i).take(1).for_each(|slot| *slot = x);
        }
    }
    finite(drawn.as_rows(), Quantity::PriorDraw)?;
    copy(drawn.as_rows(), RowsMut::new(open.particles, open.n, open.d, open.n)?);
    *open.rng = rng;
    Ok(())
}

/// A run and an energy from now on in use; they, what they borrow, and `out`, where a result goes, lie apart.
///
/// # Safety
/// `run` as [`Found::new`], `energy` as [`energy::Found::new`]; nobody else uses them until the references end.
unsafe fn both<'a, R: Real>(
    run: *mut bd_run<R>,
    energy: *mut bd_energy<R>,
    out: Piece,
    details: &mut Details,
) -> Result<(Open<'a, R>, InUse<'a, R>), bd_error> {
    // SAFETY: the caller's promise
    let (run, energy) =
        unsafe { (Found::new(run, &[energy::itself(energy), out], details)?, energy::Found::new(energy)?) };
    let ([run_itself, prior], [energy_itself, a, b, c, d, e]) = (run.pieces(), energy.pieces());
    details.apart(&[run_itself, prior, energy_itself, a, b, c, d, e, out])?;
    // SAFETY: the caller's promise
    unsafe { Ok((run.enter()?, energy.enter()?)) }
}

/// # Safety
/// As [`both`]; `report` is null or points to one.
pub(crate) unsafe fn step<R: Real + Plain>(
    run: *mut bd_run<R>,
    energy: *mut bd_energy<R>,
    count: u64,
    report: *mut bd_report<R>,
    details: &mut Details,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let (open, energy) = unsafe { both(run, energy, Piece::written(report, 1, "report"), details) }?;
    let Open { n, d, dynamics, rng, particles, gradient, potential, particle, copies, origin, _busy } = open;
    if !report.is_null() {
        check(report, 1, "report")?;
    }
    let mut particles = RowsMut::new(particles, n, d, n)?;
    let field = Field::new(potential, RowsMut::new(gradient, n, d, n)?)?;
    let mut scratch = Scratch::new(field, copies, origin, particle)?;
    // A step works on a copy of generator and counters, as it leaves the particles alone until nothing can fail. So
    // what a function of C's may copy of the run meanwhile is the run before the step.
    let (mut next, mut generator) = (dynamics.clone(), rng.clone());
    for _ in 0..count {
        let done = next.step(&mut particles, energy.energy, &mut generator, &mut scratch)?;
        dynamics.clone_from(&next);
        rng.clone_from(&generator);
        if !report.is_null() {
            // SAFETY: not null and aligned; the caller promises the rest
            unsafe {
                report.write(bd_report {
                    step: done.step,
                    time: done.time,
                    energy: done.energy,
                    mean_potential: done.mean_potential,
                    births: done.births,
                    deaths: done.deaths,
                    removed: done.removed,
                    added: done.added,
                    largest_probability: done.largest_probability,
                });
            }
        }
    }
    Ok(())
}

/// # Safety
/// As [`step`]; `value` points to a number.
pub(crate) unsafe fn evaluate<R: Real + Plain>(
    run: *mut bd_run<R>,
    energy: *mut bd_energy<R>,
    value: *mut R,
    details: &mut Details,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let (open, energy) = unsafe { both(run, energy, Piece::written(value, 1, "value"), details) }?;
    check(value, 1, "value")?;
    let at = Rows::new(open.particles, open.n, open.d, open.n)?;
    let mut field = Field::new(open.potential, RowsMut::new(open.gradient, open.n, open.d, open.n)?)?;
    let energy = &mut *energy.energy;
    field.check(energy.dim(), at)?;
    // as a step does: what an energy forgets to write is an error
    let nan = R::from_f64(f64::NAN);
    let (potential, mut gradient) = field.parts_mut();
    potential.fill(nan);
    (0..open.d).for_each(|k| gradient.row_mut(k).fill(nan));
    let found = energy.evaluate(open.dynamics.steps(), at, field.reborrow())?;
    field.check_finite()?;
    if !found.is_finite() {
        return Err(Error::NotFinite { quantity: Quantity::Energy, particle: None }.into());
    }
    // SAFETY: not null and aligned; the caller promises the rest
    unsafe { value.write(found) };
    Ok(())
}

/// # Safety
/// `run` as [`Found::new`]; `out` points to a view.
pub(crate) unsafe fn view<R: Real + Plain>(
    run: *mut bd_run<R>,
    out: *mut bd_view<R>,
    details: &mut Details,
) -> Result<(), bd_error> {
    let piece = Piece::written(out, 1, "view");
    // SAFETY: the caller's promise
    let found = unsafe { Found::new(run, &[piece], details) }?;
    found.apart(piece, details)?;
    check(out, 1, "view")?;
    // SAFETY: as above
    let open = unsafe { found.enter() }?;
    let particles = bd_rows { data: open.particles.as_ptr(), stride: open.n, d: open.d, n: open.n };
    // SAFETY: not null and aligned; the caller promises the rest
    unsafe {
        out.write(bd_view {
            steps: open.dynamics.steps(),
            time: open.dynamics.time(),
            dt: open.dynamics.dt(),
            alpha: open.dynamics.alpha(),
            particles,
            potential: open.potential.as_ptr(),
            origin: open.origin.as_ptr(),
        });
    }
    Ok(())
}

/// # Safety
/// `run` as [`Found::new`].
pub(crate) unsafe fn set_dt<R: Real + Plain>(
    run: *mut bd_run<R>,
    dt: R,
    details: &mut Details,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    Ok(unsafe { Found::new(run, &[], details)?.enter() }?.dynamics.set_dt(dt)?)
}

/// # Safety
/// `run` as [`Found::new`].
pub(crate) unsafe fn set_alpha<R: Real + Plain>(
    run: *mut bd_run<R>,
    alpha: R,
    details: &mut Details,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    Ok(unsafe { Found::new(run, &[], details)?.enter() }?.dynamics.set_alpha(alpha)?)
}

/// Bytes of a checkpoint.
pub(crate) fn checkpoint_size<R: Real + Plain>(n: usize, d: usize) -> usize {
    checkpoint::size::<R, Stream>(d, n)
}

/// # Safety
/// `run` as [`Found::new`]; `out` points to `capacity` bytes that nobody else uses.
pub(crate) unsafe fn save<R: Real + Plain>(
    run: *mut bd_run<R>,
    tag: u64,
    out: *mut u8,
    capacity: usize,
    details: &mut Details,
) -> Result<(), bd_error> {
    let piece = Piece::written(out, capacity, "checkpoint");
    // SAFETY: the caller's promise
    let found = unsafe { Found::new(run, &[piece], details) }?;
    found.apart(piece, details)?;
    // SAFETY: it lies apart from the run
    let (open, out) = unsafe { (found.enter()?, lent_mut(out, capacity, "checkpoint")?) };
    let x = Rows::new(open.particles, open.n, open.d, open.n)?;
    checkpoint::save(tag, x, open.dynamics, open.rng, out)?;
    Ok(())
}

/// # Safety
/// `run` as [`Found::new`]; `bytes` points to `length` of them.
pub(crate) unsafe fn load<R: Real + Plain>(
    run: *mut bd_run<R>,
    tag: u64,
    bytes: *const u8,
    length: usize,
    details: &mut Details,
) -> Result<(), bd_error> {
    let piece = Piece::read(bytes, length, "checkpoint");
    // SAFETY: the caller's promise
    let found = unsafe { Found::new(run, &[piece], details) }?;
    found.apart(piece, details)?;
    // SAFETY: it lies apart from the run
    let (open, bytes) = unsafe { (found.enter()?, lent(bytes, length, "checkpoint")?) };
    let mut x = RowsMut::new(open.particles, open.n, open.d, open.n)?;
    Ok(checkpoint::restore(tag, bytes, &mut x, open.dynamics, open.rng)?)
}

/// # Safety
/// `units` points to one, whose values are there; `input` to `inputs` values, `output` to `outputs` that nobody else
/// uses.
pub(crate) unsafe fn predict<R: Real + Plain>(
    activation: u32,
    scale: R,
    units: *const bd_rows<R>,
    (input, inputs): (*const R, usize),
    (output, outputs): (*mut R, usize),
    details: &mut Details,
) -> Result<(), bd_error> {
    let given = [
        Piece::read(units, 1, "units"),
        Piece::read(input, inputs, "input"),
        Piece::written(output, outputs, "output"),
    ];
    details.apart(&given)?;
    // SAFETY: the caller's promise
    let units = unsafe { read(units, "units") }?;
    let [_, _, written] = given;
    details.apart(&[energy::data(&units, "units"), written])?;
    let activation = energy::activation(activation)?;
    let scale = if scale == R::ZERO { R::ONE } else { scale };
    if !(scale.is_finite() && scale > R::ZERO) {
        return Err(Error::Parameter { name: "scale", value: scale.to_f64(), accepted: "a finite number > 0" }.into());
    }
    // SAFETY: the caller's promise
    let units = unsafe { energy::lent_rows(&units, "units") }?;
    // SAFETY: what is written lies apart from what is read
    let (input, output) = unsafe { (lent(input, inputs, "input")?, lent_mut(output, outputs, "output")?) };
    Ok(birth_death::models::network::predict(activation, scale, units, input, output)?)
}
