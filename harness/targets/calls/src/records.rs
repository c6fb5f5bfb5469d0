//! What is kept of a run: reports, ancestors, moments, checkpoints.

use crate::{N, copied, number, same, seen};
use birth_death::{
    Dissipation, Dynamics, Ensemble, Error, Genealogy, Marginal, NoPrior, Prior, ProductPrior, Real, Report, ReportLog,
    Stream, Workspace, checkpoint,
};
use core::hint::black_box as hide;

pub(crate) fn all<R: Real, const D: usize>() -> Result<(), Error> {
    let prior = ProductPrior::new([Marginal::Constant(number::<R>(0.0)); D])?;
    checkpoint::<R, D, NoPrior>(Dynamics::birth_death(number(0.1), number(1.0))?)?;
    checkpoint::<R, D, _>(Dynamics::reinjection(number(0.1), number(1.0), prior)?)?;

    let mut workspace = Workspace::<R, D, N>::new();
    let moments = Dissipation::of(&workspace.scratch(hide(N))?.field());
    same(&moments);
    seen((hide(moments).pde1(number(1.0)), hide(moments).pde2(number(1.0), number(0.5))));

    genealogy(Genealogy::new(hide([0; N]), hide([0; N]))?)?;
    let (mut family, mut size) = ([0; N], [0; N]);
    let mut borrowed = Genealogy::new(hide(&mut family[..]), hide(&mut size[..]))?;
    borrowed.update(hide(&[0; N]))?;
    seen((borrowed.effective_support::<R>(), borrowed.distinct()));
    Ok(())
}

fn genealogy<S: AsRef<[u32]> + AsMut<[u32]> + Clone>(mut genealogy: Genealogy<S>) -> Result<(), Error> {
    genealogy.update(hide(&[0; N]))?;
    copied(&genealogy);
    seen((genealogy.distinct(), genealogy.families()));
    seen((genealogy.effective_support::<f32>(), genealogy.effective_support::<f64>()));
    Ok(())
}

/// Bytes of the largest checkpoint here, and some.
const BYTES: usize = 2048;

fn checkpoint<R: Real, const D: usize, P: Prior<R>>(mut dynamics: Dynamics<R, P>) -> Result<(), Error> {
    let mut x = Ensemble::<R, D, N>::new();
    for _ in 0..N {
        x.push([number(1.0); D])?;
    }
    let mut rng = Stream::seeded(hide(1), hide(2));
    let mut bytes = [0; BYTES];
    seen(checkpoint::size::<R, Stream>(hide(D), hide(N)));
    let size = checkpoint::save(hide(3), hide(&x).rows(), &dynamics, &rng, hide(&mut bytes[..]))?;
    let saved = hide(bytes.get(..size).unwrap_or(&[]));
    checkpoint::restore(hide(3), saved, &mut hide(&mut x).rows_mut(), &mut dynamics, &mut rng)?;
    checkpoint::restore(hide(3), saved, hide(&mut x), &mut dynamics, &mut rng)
}

/// A step's report is compared, copied and kept.
pub(crate) fn report<R: Real>(report: Report<R>) {
    let mut log = ReportLog::<R, 4>::default();
    seen(ReportLog::<R, 4>::new());
    let log = hide(&mut log);
    same(&report);
    seen((hide(report).map(Real::to_f64), Report::<R>::default()));
    for _ in 0..hide(6) {
        log.push(hide(report));
    }
    log.iter().for_each(seen);
    seen((log.last(), log.dropped()));
    copied(log);
}
