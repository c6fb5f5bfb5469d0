//! What is done with a run, and with trained units.

use crate::code::bd_error;
use crate::energy::{self, bd_energy, bd_rows, values};
use crate::law::{Law, bd_marginal, draw, table};
use crate::memory::{Plain, Span, apart, check, lent, lent_mut};
use crate::run::{Open, bd_report, bd_run, bd_view, outside};
use birth_death::{Energy, Error, Field, Quantity, Real, Rows, RowsMut, Scratch, State, Stream};

/// # Safety
/// `run` as [`Open::new`]; `x` points to `(d - 1) stride + n` values.
pub(crate) unsafe fn set_particles<R: Real + Plain>(
    run: *mut bd_run<R>,
    x: *const R,
    stride: usize,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let mut open = unsafe { Open::new(run) }?;
    let len = values(stride, open.d, open.n)?;
    open.outside(x, len, "x")?;
    // SAFETY: the caller's promise, and it lies apart from the run
    let from = Rows::new(unsafe { lent(x, len, "x") }?, stride, open.d, open.n)?;
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
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let mut open = unsafe { Open::new(run) }?;
    let (n, d) = (open.n, open.d);
    let len = values(stride, d, n)?;
    open.outside(x, len, "x")?;
    // SAFETY: the caller's promise, and it lies apart from the run
    let to = RowsMut::new(unsafe { lent_mut(x, len, "x") }?, stride, d, n)?;
    copy(open.rows()?.as_rows(), to);
    Ok(())
}

/// Row by row: `RowsMut::iter_mut` at the head of a chain leaves a panic path in some builds, as its optimiser forgets that no chunk is empty.
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
/// `run` as [`Open::new`]; `marginals` points to d of them.
pub(crate) unsafe fn scatter<R: Real + Plain>(
    run: *mut bd_run<R>,
    marginals: *const bd_marginal<R>,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let open = unsafe { Open::new(run) }?;
    open.outside(marginals, open.d, "marginals")?;
    // SAFETY: the caller's promise, and it lies apart from the run
    let table = unsafe { table(marginals, open.d, "marginals") }?;
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

/// # Safety
/// `run` as [`Open::new`], `energy` as [`energy::open`]; `report` is null or points to one.
pub(crate) unsafe fn step<R: Real + Plain>(
    run: *mut bd_run<R>,
    energy: *mut bd_energy<R>,
    count: u64,
    report: *mut bd_report<R>,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let Open { n, d, span, dynamics, rng, particles, gradient, potential, particle, copies, origin, _busy } =
        unsafe { Open::new(run) }?;
    if !report.is_null() {
        outside(span, report, 1, "report")?;
    }
    // SAFETY: the caller's promise
    let energy = unsafe { energy::open(energy, span) }?;
    let mut particles = RowsMut::new(particles, n, d, n)?;
    let field = Field::new(potential, RowsMut::new(gradient, n, d, n)?)?;
    let mut scratch = Scratch::new(field, copies, origin, particle)?;
    for _ in 0..count {
        let done = dynamics.step(particles.reborrow(), energy.energy, rng, scratch.reborrow())?;
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
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let open = unsafe { Open::new(run) }?;
    open.outside(value, 1, "value")?;
    // SAFETY: the caller's promise
    let energy = unsafe { energy::open(energy, open.span) }?;
    // as a step does: what an energy forgets to write is an error
    let nan = R::from_f64(f64::NAN);
    open.potential.fill(nan);
    open.gradient.fill(nan);
    let at = Rows::new(open.particles, open.n, open.d, open.n)?;
    let mut field = Field::new(open.potential, RowsMut::new(open.gradient, open.n, open.d, open.n)?)?;
    let energy = &mut *energy.energy;
    field.check(energy.dim(), at)?;
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
/// `run` as [`Open::new`]; `out` points to a view.
pub(crate) unsafe fn view<R: Real + Plain>(run: *mut bd_run<R>, out: *mut bd_view<R>) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let open = unsafe { Open::new(run) }?;
    open.outside(out, 1, "view")?;
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
/// `run` as [`Open::new`].
pub(crate) unsafe fn set_dt<R: Real + Plain>(run: *mut bd_run<R>, dt: R) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    Ok(unsafe { Open::new(run) }?.dynamics.set_dt(dt)?)
}

/// # Safety
/// `run` as [`Open::new`].
pub(crate) unsafe fn set_alpha<R: Real + Plain>(run: *mut bd_run<R>, alpha: R) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    Ok(unsafe { Open::new(run) }?.dynamics.set_alpha(alpha)?)
}

/// Bytes of a checkpoint.
pub(crate) fn checkpoint_size<R: Real + Plain>(n: usize, d: usize) -> usize {
    State::<R, Law<R>, Stream>::size(d, n)
}

/// # Safety
/// `run` as [`Open::new`]; `out` points to `capacity` bytes that nobody else uses.
pub(crate) unsafe fn save<R: Real + Plain>(
    run: *mut bd_run<R>,
    tag: u64,
    out: *mut u8,
    capacity: usize,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let mut open = unsafe { Open::new(run) }?;
    open.outside(out, capacity, "checkpoint")?;
    // SAFETY: the caller's promise, and it lies apart from the run
    let out = unsafe { lent_mut(out, capacity, "checkpoint") }?;
    open.state()?.encode(tag, out)?;
    Ok(())
}

/// # Safety
/// `run` as [`Open::new`]; `bytes` points to `length` of them.
pub(crate) unsafe fn load<R: Real + Plain>(
    run: *mut bd_run<R>,
    tag: u64,
    bytes: *const u8,
    length: usize,
) -> Result<(), bd_error> {
    // SAFETY: the caller's promise
    let mut open = unsafe { Open::new(run) }?;
    open.outside(bytes, length, "checkpoint")?;
    // SAFETY: the caller's promise, and it lies apart from the run
    let bytes = unsafe { lent(bytes, length, "checkpoint") }?;
    Ok(open.state()?.decode(tag, bytes)?)
}

/// # Safety
/// `units` points to one, whose values are there; `input` to `inputs` values, `output` to `outputs` that nobody else uses.
pub(crate) unsafe fn predict<R: Real + Plain>(
    activation: u32,
    scale: R,
    units: *const bd_rows<R>,
    (input, inputs): (*const R, usize),
    (output, outputs): (*mut R, usize),
) -> Result<(), bd_error> {
    let activation = energy::activation(activation)?;
    let scale = if scale == R::ZERO { R::ONE } else { scale };
    if !(scale.is_finite() && scale > R::ZERO) {
        return Err(Error::Parameter { name: "scale", value: scale.to_f64(), accepted: "a finite number > 0" }.into());
    }
    if outputs > 0 {
        check(output, outputs, "output")?;
    }
    // SAFETY: the caller's promise
    let (units, input) = unsafe { (energy::lent_rows(units, "units")?, lent(input, inputs, "input")?) };
    apart(Span::new(output, outputs), &[Span::of(units.memory().0), Span::of(input)], "output")?;
    // SAFETY: the caller's promise, and it lies apart from what is read
    let output = unsafe { lent_mut(output, outputs, "output") }?;
    Ok(birth_death::models::predict(activation, scale, units, input, output)?)
}
