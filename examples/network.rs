//! A network on points in memory: `cargo run -p birth-death --release --example network`.
//!
//! Fits sin(3 x) on 40 points with 64 tanh units, and prints the loss and three predictions beside the truth.

// std's exp, sin and cos may differ in the last bit between machines; libm's do not
#![allow(clippy::disallowed_methods)]

use birth_death::models::{Activation, Examples, Loss, Network, network};
use birth_death::{Dynamics, Ensemble, Error, Marginal, Prior, ProductPrior, Stream, Workspace};

const UNITS: usize = 64;
const POINTS: usize = 40;
/// A unit is (output weight, input weight, bias).
const WEIGHTS: usize = 3;

fn main() -> Result<(), Error> {
    // rows of inputs (x, 1): the 1 gives each unit a bias
    let x: Vec<f32> = (0..POINTS).flat_map(|i| [i as f32 / 20.0 - 1.0, 1.0]).collect();
    let y: Vec<f32> = x.chunks(2).map(|row| (3.0 * row[0]).sin()).collect();
    let data = Examples::new(&x, 2, &y, 1)?;
    let mut scratch = [0.0; network::scratch_len(1, POINTS)];
    let mut energy = Network::new(Activation::Tanh, Loss::Squared, data, &mut scratch)?;

    let start = ProductPrior::new([Marginal::Normal { mean: 0.0, sd: 1.0 }; WEIGHTS])?;
    let mut rng = Stream::seeded(1, 0);
    let mut units = Ensemble::<f32, WEIGHTS, UNITS>::new();
    for _ in 0..UNITS {
        let mut unit = [0.0; WEIGHTS];
        start.draw(&mut rng, &mut unit);
        units.push(unit)?;
    }
    let mut dynamics = Dynamics::birth_death(0.1, 1.0)?;
    let mut workspace = Workspace::<f32, WEIGHTS, UNITS>::new();
    for step in 0..=3000 {
        let report = dynamics.step(&mut units, &mut energy, &mut rng, &mut workspace)?;
        if step % 1000 == 0 {
            println!("step {step:4}: loss {:.6}", report.energy);
        }
    }
    for x in [-0.8f32, 0.1, 0.9] {
        let mut output = [0.0];
        network::predict(Activation::Tanh, 1.0, units.rows(), &[x, 1.0], &mut output)?;
        println!("f({x:4.1}) = {:6.3}, sin(3 x) = {:6.3}", output[0], (3.0 * x).sin());
    }
    Ok(())
}
