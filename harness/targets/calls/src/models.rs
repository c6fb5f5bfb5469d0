//! The energies that are formulas.

use crate::dynamics::{schemes, step};
use crate::{copied, number, seen};
use birth_death::maths::Maths;
use birth_death::models::{
    DoubleWell, External, GaussianUnits, Mixture, MixtureRef, Mmd, MmdTarget, PendingMmd, Quadratic, Rastrigin,
    StudentTeacher,
};
use birth_death::{Error, Real, Rows};
use core::hint::black_box as hide;

/// Particles without a charge, hence of any dimension.
pub(crate) fn external<R: Real, const D: usize>() -> Result<bool, Error> {
    let curvature = [number(1.0); D];
    let mut quadratic = Quadratic::new(hide(&curvature[..]))?;
    let mut well = DoubleWell::new(number::<R>(0.1), hide(D))?;
    let mut hills = Rastrigin::new(number::<R>(0.1), hide(D))?;
    let mut bowl = External(|x: [R; D]| (x.iter().fold(R::ZERO, |sum, &x| sum + x * x), x.map(|x| x + x)));
    copied(&quadratic);
    copied(&well);
    copied(&hills);
    copied(&bowl);
    step::<R, D, _>(quadratic)?;
    step::<R, D, _>(&mut bowl)?;
    let mut fall = schemes::<R, D>(&mut quadratic)? & schemes::<R, D>(&mut well)?;
    fall &= schemes::<R, D>(&mut hills)?;
    Ok(fall & schemes::<R, D>(&mut bowl)?)
}

/// Distances to a mixture and to a sample.
pub(crate) fn discrepancies<R: Real, M: Maths<R> + Clone, const D: usize>() -> Result<bool, Error> {
    let mixture = mixture::<R, D>()?;
    let points = [number(0.5); 14];
    let points = Rows::new(hide(&points[..]), hide(2), hide(D), hide(2))?;
    let sample = MmdTarget::Sample(points);
    copied(&sample);
    let mut pending = PendingMmd::new(number(1.0), points)?;
    copied(&pending);
    pending.advance(hide(1));
    seen(pending.remaining());
    seen(pending.finish()?.constant());
    let mut to_sample = Mmd::new(number(1.0), sample)?.with_maths::<M>();
    let mut to_mixture = Mmd::new(number(1.0), MmdTarget::Mixture(mixture.view()))?.with_maths::<M>();
    copied(&to_sample);
    seen(to_sample.constant());
    Ok(schemes::<R, D>(&mut to_sample)? & schemes::<R, D>(&mut to_mixture)?)
}

/// Units of `I = D - 1` inputs.
pub(crate) fn units<R: Real, M: Maths<R> + Clone, const D: usize, const I: usize>() -> Result<bool, Error> {
    let mixture = mixture::<R, I>()?;
    let mut units = GaussianUnits::new(number(0.5), mixture.view())?.with_maths::<M>();
    copied(&units);
    seen((units.constant(), units.input_dim()));

    let teacher = [number(0.5); 14];
    let mut student = StudentTeacher::new(Rows::new(hide(&teacher[..]), hide(2), hide(D), hide(2))?)?;
    copied(&student);
    student = student.with_scale(number(1.5))?;
    seen(student.constant());
    Ok(schemes::<R, D>(&mut units)? & schemes::<R, D>(&mut student)?)
}

fn mixture<R: Real, const D: usize>() -> Result<Mixture<R, D, 3>, Error> {
    let mut mixture = Mixture::<R, D, 3>::default();
    seen(Mixture::<R, D, 3>::new());
    for (q, y, v) in [(1.0, -2.0, 0.5), (-2.0, 0.0, 1.0), (1.0, 2.0, 0.5)] {
        hide(&mut mixture).push(number(q / 3.0), [number(y); D], number(v))?;
    }
    copied(&mixture);
    let (weights, centres) = ([number::<R>(1.0); 2], [number::<R>(1.0); 14]);
    let centres = centres.get(..hide(2 * D)).unwrap_or(&[]);
    let borrowed = MixtureRef::new(hide(&weights[..]), hide(centres), hide(&weights[..]), hide(D))?;
    copied(&borrowed);
    seen(borrowed.dim());
    Ok(mixture)
}
