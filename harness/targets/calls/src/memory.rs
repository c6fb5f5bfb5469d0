//! Particles and the views over them.

use crate::{N, copied, number, same, seen};
use birth_death::{Ensemble, Error, Field, Particles, Real, Rows, RowsMut, Scratch, StepMemory, Workspace};
use core::hint::black_box as hide;

/// Values of the memory behind the views: `N` particles of up to 7 components.
const ROOM: usize = 7 * N;

pub(crate) fn all<R: Real, const D: usize>() -> Result<(), Error> {
    ensemble::<R, D>()?;
    let mut data = [R::ZERO; ROOM];
    rows(Rows::new(hide(&data[..]), hide(N), hide(D), hide(N))?);
    rows_mut(RowsMut::new(hide(&mut data[..]), hide(N), hide(D), hide(N))?);
    rows(Rows::packed(hide(&data[..]), hide(7))?);
    rows_mut(RowsMut::packed(hide(&mut data[..]), hide(7))?);
    let mut gradient = [R::ZERO; ROOM];
    let (mut potential, mut copies, mut origin, mut particle) = ([R::ZERO; N], [0; N], [0; N], [R::ZERO; D]);
    let at = Rows::new(hide(&data[..]), hide(N), hide(D), hide(N))?;
    let slopes = RowsMut::new(hide(&mut gradient[..]), hide(N), hide(D), hide(N))?;
    let mut values = Field::new(hide(&mut potential[..]), slopes)?;
    field(&mut values, at)?;
    let words = (hide(&mut copies[..]), hide(&mut origin[..]));
    scratch(Scratch::new(values, words.0, words.1, hide(&mut particle[..]))?);
    Ok(())
}

fn ensemble<R: Real, const D: usize>() -> Result<(), Error> {
    let mut x = Ensemble::<R, D, N>::default();
    seen(Ensemble::<R, D, N>::new());
    let x = hide(&mut x);
    x.push([number(1.0); D])?;
    x.try_extend([[number(2.0); D], [number(3.0); D]])?;
    x.set(hide(1), [number(4.0); D])?;
    seen((x.len(), x.is_empty(), x.get(hide(0)), x.remove(hide(1))));
    x.iter().for_each(seen);
    seen(x.iter().clone().len());
    (&*x).into_iter().for_each(seen);
    particles(&mut &mut *x)?;
    same(x);
    rows(x.rows());
    rows_mut(x.rows_mut());
    x.clear();
    let mut workspace = Workspace::<R, D, N>::default();
    copied(&workspace);
    scratch(hide(&mut workspace).scratch(hide(N))?);
    scratch(StepMemory::scratch(&mut &mut workspace, hide(N))?);
    let mut of_workspace = workspace.scratch(hide(N))?;
    scratch(StepMemory::scratch(&mut of_workspace, hide(N))?);
    seen(Workspace::<R, D, N>::new());
    Ok(())
}

fn particles<R: Real, X: Particles<R>>(x: &mut X) -> Result<(), Error> {
    x.set_len(hide(1))?;
    let mut rows = x.rows_mut();
    Particles::set_len(&mut rows, hide(1))?;
    rows_mut(Particles::rows_mut(&mut rows));
    Ok(())
}

fn rows<R: Real>(rows: Rows<'_, R>) {
    copied(&rows);
    seen((rows.dim(), rows.len(), rows.is_empty(), rows.row(hide(1)), rows.get(hide(1), hide(2))));
    seen(rows.memory());
    rows.iter().for_each(seen);
    rows.particle(hide(0)).for_each(seen);
}

fn rows_mut<R: Real>(mut rows: RowsMut<'_, R>) {
    seen((rows.dim(), rows.len(), rows.is_empty()));
    seen(rows.as_rows().len());
    seen(rows.memory_mut().1);
    seen(rows.reborrow().row_mut(hide(1)));
    rows.iter_mut().for_each(seen);
}

fn field<R: Real>(field: &mut Field<'_, R>, at: Rows<'_, R>) -> Result<(), Error> {
    seen((field.dim(), field.len(), field.is_empty(), field.potential(), field.gradient().len()));
    seen(field.parts_mut().0);
    seen(field.reborrow().len());
    field.check(hide(at.dim()), at)?;
    seen((field.mean_potential(), field.check_finite()?));
    Ok(())
}

fn scratch<R: Real>(mut scratch: Scratch<'_, R>) {
    seen((scratch.potential(), scratch.gradient().len(), scratch.origin()));
    seen(scratch.field().len());
    seen(scratch.reborrow().origin());
}
