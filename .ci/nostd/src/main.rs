//! Steps every model in every scheme, and reports by its exit code: built, linked and run on the host.
#![no_std]
#![no_main]

use birth_death::maths::{Libm, Maths, Portable};
use birth_death::models::{
    Activation, DoubleWell, Examples, External, Fresh, GaussianUnits, Loss, MiniBatches, Mixture, Mmd, Network,
    Quadratic, Rastrigin, Source, StudentTeacher, Target,
};
use birth_death::{
    Dissipation, Dynamics, Energy, Ensemble, Error, Genealogy, Marginal, NoPrior, Prior, ProductPrior, Rate, Real,
    ReportLog, Rows, Stream, Workspace,
};

// The C runtime starts the program and has `memcpy`; nothing else is asked of it.
#[link(name = "c")]
unsafe extern "C" {
    safe fn abort() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    abort()
}

/// The toolchain's `core` was compiled for unwinding and names this; with panic = "abort" nothing calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    match all() {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(_) => 2,
    }
}

const N: usize = 24;

fn all() -> Result<bool, Error> {
    Ok(precision::<f32>()? && precision::<f64>()? && micromath()?)
}

fn precision<R: Real>() -> Result<bool, Error> {
    let number = R::from_f64;
    let curvature = [number(1.0), number(0.5)];
    let mut fall = schemes::<R, 2>(&mut Quadratic::new(&curvature)?)?;
    fall &= schemes::<R, 2>(&mut DoubleWell::new(number(0.1), 2)?)?;
    fall &= schemes::<R, 2>(&mut Rastrigin::new(number(0.1), 2)?)?;
    fall &= schemes::<R, 2>(&mut External(|[x, y]: [R; 2]| (x * x + y * y, [x + x, y + y])))?;
    fall &= kernels::<R, Portable>()? && kernels::<R, Libm>()?;
    Ok(fall && networks::<R>()?)
}

fn networks<R: Real>() -> Result<bool, Error> {
    let number = R::from_f64;
    let x = [-1.0, 1.0, -0.5, 1.0, 0.0, 1.0, 0.5, 1.0, 1.0, 1.0].map(number);
    let y = [1.0, 0.5, 0.0, 0.5, 1.0].map(number);
    let examples = Examples::new(&x, 2, &y, 1)?;
    let (mut order, mut inputs, mut targets) = ([0; 5], [R::ZERO; 4], [R::ZERO; 2]);
    let (mut fresh_inputs, mut fresh_targets) = ([R::ZERO; 4], [R::ZERO; 2]);
    let sample = |rng: &mut Stream, x: &mut [R], y: &mut [R]| {
        x.iter_mut().for_each(|x| *x = R::uniform(rng));
        y.fill(R::ONE);
    };
    let mut fall = schemes::<R, 3>(&mut StudentTeacher::new(Rows::new(&y, 1, 3, 1)?)?)?;
    for activation in [Activation::Relu, Activation::Tanh, Activation::Gaussian, Activation::Sigmoid] {
        for loss in [Loss::Squared, Loss::Logistic] {
            let batches = MiniBatches::new(examples, &mut order, &mut inputs, &mut targets, 1, 0)?;
            let fresh = Fresh::new(sample, (&mut fresh_inputs, 2), (&mut fresh_targets, 1), (1, 0))?;
            fall &= network(activation, loss, examples)?;
            // the energies of different batches need not fall
            network(activation, loss, batches)?;
            network(activation, loss, fresh)?;
        }
    }
    Ok(fall)
}

fn network<R: Real, S: Source<R>>(activation: Activation, loss: Loss, source: S) -> Result<bool, Error> {
    let mut scratch = [R::ZERO; 200];
    schemes::<R, 3>(&mut Network::new(activation, loss, source, &mut scratch)?)
}

fn kernels<R: Real, M: Maths<R>>() -> Result<bool, Error> {
    let number = R::from_f64;
    let mut line = Mixture::<R, 1, 3>::new();
    let mut plane = Mixture::<R, 2, 3>::new();
    for (q, y, v) in [(1.0, -2.0, 0.5), (-2.0, 0.0, 1.0), (1.0, 2.0, 0.5)] {
        line.push(number(q / 3.0), [number(y)], number(v))?;
        plane.push(number(1.0 / 3.0), [number(y), number(-y)], number(v))?;
    }
    let points = [number(0.5), number(-0.5), number(1.0), number(1.5)];
    let sample = Target::Sample(Rows::new(&points, 2, 2, 2)?);
    let fall = schemes::<R, 2>(&mut GaussianUnits::new(number(0.5), line.view())?.with_maths::<M>())?;
    // five components: the general loop
    let wide = Mixture::<R, 4, 1>::new();
    Ok(fall
        && schemes::<R, 3>(&mut GaussianUnits::new(number(0.5), plane.view())?.with_maths::<M>())?
        && schemes::<R, 5>(&mut GaussianUnits::new(number(0.5), wide.view())?.with_maths::<M>())?
        && schemes::<R, 2>(&mut Mmd::new(number(1.0), Target::Mixture(plane.view()))?.with_maths::<M>())?
        && schemes::<R, 2>(&mut Mmd::new(number(1.0), sample)?.with_maths::<M>())?)
}

#[cfg(feature = "micromath")]
fn micromath() -> Result<bool, Error> {
    kernels::<f32, birth_death::maths::Micromath>()
}

#[cfg(not(feature = "micromath"))]
fn micromath() -> Result<bool, Error> {
    Ok(true)
}

/// Every scheme runs, and gradient flow lowers the energy.
fn schemes<R: Real, const D: usize>(energy: &mut dyn Energy<R>) -> Result<bool, Error> {
    let (dt, alpha) = (R::from_f64(0.02), R::from_f64(2.0));
    let law = Marginal::Normal { mean: R::ZERO, sd: R::from_f64(0.1) };
    let prior = ProductPrior::new([law; D])?;
    let uniform = Marginal::Uniform { low: R::ZERO, high: R::ONE };
    ProductPrior::new([uniform, Marginal::Constant(R::ONE)])?;
    falls::<R, D, NoPrior>(Dynamics::birth_death(dt, alpha)?, energy)?;
    falls::<R, D, NoPrior>(Dynamics::birth_death(dt, alpha)?.with_rate(Rate::Raw)?.without_transport(), energy)?;
    falls::<R, D, _>(Dynamics::reinjection(dt, alpha, prior)?.with_quench_from(40), energy)?;
    falls::<R, D, NoPrior>(Dynamics::gradient_flow(dt)?, energy)
}

fn falls<R: Real, const D: usize, P: Prior<R>>(
    mut dynamics: Dynamics<R, P>,
    energy: &mut dyn Energy<R>,
) -> Result<bool, Error> {
    let mut x = Ensemble::<R, D, N>::new();
    let mut rng = Stream::seeded(1, 0);
    let start = ProductPrior::new([Marginal::Normal { mean: R::ZERO, sd: R::ONE }; D])?;
    for _ in 0..N {
        let mut particle = [R::ZERO; D];
        start.draw(&mut rng, &mut particle);
        x.push(particle)?;
    }
    let mut workspace = Workspace::<R, D, N>::new();
    let mut log = ReportLog::<R, 4>::new();
    let mut genealogy = Genealogy::new([0; N], [0; N])?;
    let mut first = None;
    for _ in 0..50 {
        let report = dynamics.step(x.rows_mut(), energy, &mut rng, workspace.scratch(N)?)?;
        let mut scratch = workspace.scratch(N)?;
        genealogy.update(scratch.origin())?;
        let _ = Dissipation::of(&scratch.field()).pde1(dynamics.alpha());
        log.push(report);
        first = first.or(Some(report.energy));
    }
    let last = log.last().map(|report| report.energy);
    Ok(matches!((first, last), (Some(first), Some(last)) if last < first) && genealogy.distinct() > 0)
}
