//! Minimise a function of your own: `cargo run -p birth-death --example minimise`.
//!
//! A tilted double well, every particle started in the wrong basin but a few: gradient flow leaves the rest there; with
//! birth-death they die there and are copied where the function is lower.

use birth_death::models::External;
use birth_death::{Dynamics, Ensemble, Error, Stream, Workspace};

const N: usize = 100;

/// The mean of the function over the particles after `steps` steps.
fn run(mut dynamics: Dynamics<f64>, steps: u32) -> Result<f64, Error> {
    // F(x, y) = (x^2 - 1)^2 + x / 5 + y^2 / 2, and its gradient: the least value is -0.2024, at x = -1.024
    let mut energy = External(|[x, y]: [f64; 2]| {
        let w = x * x - 1.0;
        (w * w + 0.2 * x + 0.5 * y * y, [4.0 * w * x + 0.2, y])
    });
    let mut particles = Ensemble::<f64, 2, N>::new();
    for i in 0..N as u32 {
        particles.push([f64::from(i) / 50.0 - 0.1, 0.5])?;
    }
    let mut workspace = Workspace::<f64, 2, N>::new();
    let mut rng = Stream::seeded(1, 0);
    let mut energy_before = 0.0;
    for _ in 0..=steps {
        energy_before = dynamics.step(&mut particles, &mut energy, &mut rng, &mut workspace)?.energy;
    }
    Ok(energy_before)
}

fn main() -> Result<(), Error> {
    let flow = run(Dynamics::gradient_flow(0.02)?, 2000)?;
    let birth_death = run(Dynamics::birth_death(0.02, 5.0)?, 2000)?;
    println!("mean of F after 2000 steps: gradient flow {flow:.4}, birth-death {birth_death:.4}, minimum -0.2024");
    assert!(birth_death < -0.2 && flow > 0.0);
    Ok(())
}
