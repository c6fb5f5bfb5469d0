//! Reinjection from a prior of your own: `cargo run -p birth-death --example own_prior`.
//!
//! Every particle starts in a wrong valley. Scheme 1 can only copy what is there; scheme 2 also draws from a prior on
//! the unit circle, whose left half lies in the other valley. Prints the mean of the function under both: scheme 2
//! keeps drawing, so its mean stays above the minimum.

// std's exp, sin and cos may differ in the last bit between machines; libm's do not
#![allow(clippy::disallowed_methods)]

use birth_death::models::External;
use birth_death::rand_core::Rng;
use birth_death::{Dynamics, Ensemble, Error, Prior, Real, Stream, Workspace};

const N: usize = 100;

/// Uniform on the unit circle.
struct Circle;

impl Prior<f64> for Circle {
    fn dim(&self) -> usize {
        2
    }

    fn draw(&self, rng: &mut dyn Rng, particle: &mut [f64]) {
        let angle = std::f64::consts::TAU * f64::uniform(rng);
        particle.copy_from_slice(&[angle.cos(), angle.sin()]);
    }
}

/// The mean of the function after 2000 steps.
fn run<P: Prior<f64>>(mut dynamics: Dynamics<f64, P>) -> Result<f64, Error> {
    // F(x, y) = 1 + (x^2 - 1)^2 + x / 2 + y^2: the lower valley is at x = -1.06
    let mut energy = External(|[x, y]: [f64; 2]| {
        let w = x * x - 1.0;
        (1.0 + w * w + 0.5 * x + y * y, [4.0 * w * x + 0.5, 2.0 * y])
    });
    let mut particles = Ensemble::<f64, 2, N>::new();
    particles.try_extend((0..N).map(|i| [0.9 + 0.002 * i as f64, 0.3]))?;
    let (mut rng, mut workspace) = (Stream::seeded(1, 0), Workspace::<f64, 2, N>::new());
    let mut mean = 0.0;
    for _ in 0..2000 {
        mean = dynamics.step(&mut particles, &mut energy, &mut rng, &mut workspace)?.energy;
    }
    Ok(mean)
}

fn main() -> Result<(), Error> {
    let copies = run(Dynamics::birth_death(0.02, 1.0)?)?;
    let prior: &dyn Prior<f64> = &Circle;
    let draws = run(Dynamics::reinjection(0.02, 1.0, prior)?)?;
    println!("mean of F after 2000 steps: birth-death {copies:.3}, reinjection {draws:.3}, minimum 0.485");
    assert!(draws < copies);
    Ok(())
}
