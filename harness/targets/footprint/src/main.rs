//! A minimal firmware: scheme 1, f32, particles of two components, as many as the build's environment says in
//! `FOOTPRINT_N`; it steps for ever. With the feature `measure` it does [`STEPS`] steps, and prints what they took.
#![no_std]
#![no_main]

#[cfg(not(feature = "measure"))]
use birth_death::Report;
#[cfg(feature = "external")]
use birth_death::models::External;
#[cfg(not(feature = "external"))]
use birth_death::models::{GaussianUnits, MixtureRef};
use birth_death::{Dynamics, Energy, Ensemble, Error, Marginal, Prior, ProductPrior, Stream, Workspace};
#[cfg(not(feature = "measure"))]
use core::hint::black_box;

#[cfg(feature = "measure")]
mod measure;

const N: usize = match option_env!("FOOTPRINT_N") {
    Some(digits) => number(digits.as_bytes()),
    None => 64,
};

const fn number(mut digits: &[u8]) -> usize {
    let mut number = 0;
    while let [digit @ b'0'..=b'9', rest @ ..] = digits {
        number = 10 * number + (*digit - b'0') as usize;
        digits = rest;
    }
    assert!(number > 0 && digits.is_empty(), "FOOTPRINT_N is a number");
    number
}

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ENSEMBLE: Ensemble<f32, 2, N> = Ensemble::new();
    static mut WORKSPACE: Workspace<f32, 2, N> = Workspace::new();
    let done = energy().and_then(|energy| run(energy, ENSEMBLE, WORKSPACE));
    #[cfg(feature = "measure")]
    measure::exit(done.is_ok());
    #[cfg(not(feature = "measure"))]
    loop {
        black_box(done.is_ok());
    }
}

/// The paper's first model.
#[cfg(not(feature = "external"))]
fn energy() -> Result<impl Energy<f32>, Error> {
    static WEIGHTS: [f32; 3] = [1.0 / 3.0, -2.0 / 3.0, 1.0 / 3.0];
    static CENTRES: [f32; 3] = [-2.0, 0.0, 2.0];
    static VARIANCES: [f32; 3] = [0.5, 1.0, 0.5];
    GaussianUnits::new(0.5, MixtureRef::new(&WEIGHTS, &CENTRES, &VARIANCES, 1)?)
}

#[cfg(feature = "external")]
fn energy() -> Result<impl Energy<f32>, Error> {
    Ok(External(|[x, y]: [f32; 2]| (x * x + 0.5 * y * y, [x + x, y])))
}

fn run(
    mut energy: impl Energy<f32>,
    x: &mut Ensemble<f32, 2, N>,
    workspace: &mut Workspace<f32, 2, N>,
) -> Result<(), Error> {
    let mut rng = Stream::seeded(1, 0);
    let start = ProductPrior::new([Marginal::Uniform { low: -2.0, high: 2.0 }; 2])?;
    for _ in 0..N {
        let mut particle = [0.0; 2];
        start.draw(&mut rng, &mut particle);
        x.push(particle)?;
    }
    let mut dynamics = Dynamics::birth_death(0.02, 5.0)?;
    steps(|| dynamics.step(x, &mut energy, &mut rng, workspace))
}

#[cfg(not(feature = "measure"))]
fn steps(mut step: impl FnMut() -> Result<Report<f32>, Error>) -> Result<(), Error> {
    loop {
        black_box(step()?.energy);
    }
}

#[cfg(feature = "measure")]
use measure::steps;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
