//! Train the Gaussian units of arXiv:1902.01843: `cargo run -p birth-death --release --example gaussian_units`.
//!
//! A network of 200 units fitted to a mixture of three Gaussians by gradient flow, by birth-death (scheme 1) and by
//! birth-death with reinjection (scheme 2), from the same start.

use birth_death::models::{GaussianUnits, Mixture};
use birth_death::{Dynamics, Ensemble, Error, Marginal, Prior, ProductPrior, Scheme, Stream, Workspace};

const N: usize = 200;
const STEPS: u32 = 1000;

/// Trains from the same start; the energy after 0, 100, 300 and 1000 steps.
fn train(scheme: Scheme<ProductPrior<[Marginal<f32>; 2]>>, alpha: f32) -> Result<Vec<f32>, Error> {
    let mut target = Mixture::<f32, 1, 3>::new();
    for (weight, centre, variance) in [(1.0, -2.0, 0.5), (-2.0, 0.0, 1.0), (1.0, 2.0, 0.5)] {
        target.push(weight / 3.0, [centre], variance)?;
    }
    let mut energy = GaussianUnits::new(0.5, target.view())?;

    // a particle is (charge, centre)
    let charge = Marginal::Normal { mean: 0.0, sd: 1.0 };
    let start = ProductPrior::new([charge, Marginal::Uniform { low: -2.0, high: 2.0 }])?;
    let mut rng = Stream::seeded(1, 0);
    let mut particles = Ensemble::<f32, 2, N>::new();
    for _ in 0..N {
        let mut particle = [0.0; 2];
        start.draw(&mut rng, &mut particle);
        particles.push(particle)?;
    }

    let mut dynamics = Dynamics::new(scheme, 0.01, alpha)?;
    let mut workspace = Workspace::<f32, 2, N>::new();
    let mut energies = Vec::new();
    for step in 0..=STEPS {
        let report = dynamics.step(&mut particles, &mut energy, &mut rng, &mut workspace)?;
        if [0, 100, 300, STEPS].contains(&step) {
            energies.push(report.energy);
        }
    }
    Ok(energies)
}

fn main() -> Result<(), Error> {
    let prior = ProductPrior::new([Marginal::Constant(0.0), Marginal::Normal { mean: 0.0, sd: 1.0 }])?;
    println!("energy after      0 steps   100 steps   300 steps  1000 steps");
    let mut last = Vec::new();
    for (name, scheme, alpha) in [
        ("gradient flow", Scheme::GradientFlow, 0.0),
        ("birth-death", Scheme::BirthDeath, 5.0),
        ("reinjection", Scheme::Reinjection(prior), 5.0),
    ] {
        let energies = train(scheme, alpha)?;
        let columns: Vec<String> = energies.iter().map(|energy| format!("{energy:11.6}")).collect();
        println!("{name:13} {}", columns.join(" "));
        last.extend(energies.last().copied());
    }
    assert!(last[1] < 0.5 * last[0] && last[2] < 0.5 * last[0], "both schemes are ahead at t = 10");
    Ok(())
}
