//! The schemes: their parameters, and their steps.

use crate::{N, number, records, same, seen};
use birth_death::{
    Dissipation, Dynamics, Energy, Ensemble, Error, Genealogy, Generator, Marginal, NoPrior, NoRewind, Prior,
    ProductPrior, Rate, Real, Scheme, Stream, Workspace,
};
use core::hint::black_box as hide;
use rand_core::Rng;

/// Every constructor, getter and setter.
pub(crate) fn parameters<R: Real, const D: usize>() -> Result<(), Error> {
    let prior = ProductPrior::new([Marginal::Constant(number::<R>(0.0)); D])?;
    let (dt, alpha) = (number(0.1), number(1.0));
    same(&Rate::Raw);
    same(&Scheme::<NoPrior>::BirthDeath);
    same(&Scheme::Reinjection(prior));
    let scheme = hide(Scheme::Reinjection(prior));
    seen((scheme.has_events(), scheme.default_rate(), scheme.map(|_| ())));
    settings::<R, NoPrior>(Dynamics::gradient_flow(dt)?, number(0.0))?;
    settings::<R, NoPrior>(Dynamics::birth_death(dt, alpha)?, alpha)?;
    settings::<R, NoPrior>(Dynamics::new(hide(Scheme::BirthDeath), dt, alpha)?, alpha)?;
    settings(Dynamics::new(hide(Scheme::Reinjection(prior)), dt, alpha)?, alpha)?;
    settings(Dynamics::reinjection(dt, alpha, &prior)?, alpha)
}

fn settings<R: Real, P: Prior<R> + Clone + PartialEq>(dynamics: Dynamics<R, P>, alpha: R) -> Result<(), Error> {
    same(&dynamics);
    let mut dynamics = hide(dynamics).with_rate(hide(Rate::Raw))?.without_transport().with_quench_from(hide(9));
    dynamics.set_alpha(alpha)?;
    dynamics.set_dt(number(0.2))?;
    seen((dynamics.scheme(), dynamics.rate(), dynamics.dt(), dynamics.alpha(), dynamics.steps(), dynamics.time()));
    Ok(())
}

/// Steps in every scheme, from every kind of generator. Whether gradient flow lowered the energy.
pub(crate) fn schemes<R: Real, const D: usize>(energy: &mut dyn Energy<R>) -> Result<bool, Error> {
    let (dt, alpha): (R, R) = (number(0.02), number(2.0));
    let law = Marginal::Normal { mean: number(0.0), sd: number(0.1) };
    let prior = ProductPrior::new([law; D])?;
    let mut stream = Stream::seeded(hide(1), hide(0));
    falls::<R, D, NoPrior>(Dynamics::birth_death(dt, alpha)?, energy, &mut stream)?;
    let raw = Dynamics::birth_death(dt, alpha)?.with_rate(hide(Rate::Raw))?.without_transport();
    falls::<R, D, NoPrior>(raw, energy, &mut &mut stream)?;
    falls::<R, D, _>(Dynamics::reinjection(dt, alpha, prior)?.with_quench_from(hide(40)), energy, &mut stream)?;
    let any: &mut dyn Rng = &mut stream;
    falls::<R, D, NoPrior>(Dynamics::gradient_flow(dt)?, energy, &mut NoRewind(any))
}

fn falls<R: Real, const D: usize, P: Prior<R>>(
    mut dynamics: Dynamics<R, P>,
    energy: &mut dyn Energy<R>,
    rng: &mut dyn Generator,
) -> Result<bool, Error> {
    let mut x = start::<R, D>()?;
    let mut workspace = Workspace::<R, D, N>::new();
    let mut genealogy = Genealogy::new([0; N], [0; N])?;
    let (mut first, mut last) = (None, None);
    for _ in 0..hide(50) {
        let report = dynamics.step(&mut hide(&mut x), energy, rng, &mut workspace)?;
        let mut scratch = workspace.scratch(hide(N))?;
        genealogy.update(scratch.origin())?;
        seen(Dissipation::of(&scratch.field()).pde1(dynamics.alpha()));
        records::report(report);
        first = first.or(Some(report.energy));
        last = Some(report.energy);
    }
    Ok(matches!((first, last), (Some(first), Some(last)) if last < first) && genealogy.distinct() > 0)
}

/// One step of an energy and a generator whose types are known, unlike those behind `dyn`; and the reference to an
/// energy, which is one.
pub(crate) fn step<R: Real, const D: usize, E: Energy<R>>(mut energy: E) -> Result<(), Error> {
    let mut x = start::<R, D>()?;
    let mut workspace = Workspace::<R, D, N>::new();
    let mut rng = Stream::seeded(hide(2), hide(0));
    let mut dynamics = Dynamics::birth_death(number(0.02), number(2.0))?;
    seen(dynamics.step(&mut hide(&mut x), &mut energy, &mut rng, &mut workspace)?.energy);
    seen(dynamics.step(&mut hide(&mut x), &mut &mut energy, &mut rng, &mut workspace)?.energy);
    Ok(())
}

fn start<R: Real, const D: usize>() -> Result<Ensemble<R, D, N>, Error> {
    let mut rng = Stream::seeded(hide(1), hide(1));
    let law = ProductPrior::new([Marginal::Normal { mean: number::<R>(0.0), sd: number(1.0) }; D])?;
    let mut x = Ensemble::new();
    for _ in 0..N {
        let mut particle = [R::ZERO; D];
        law.draw(&mut rng, &mut particle);
        x.push(particle)?;
    }
    Ok(x)
}
