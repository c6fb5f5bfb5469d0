//! An interacting energy of your own: `cargo run -p birth-death --example interacting`.
//!
//! Charges on a line repel each other and are held together by a parabola: the potential of one depends on where all
//! others are. Prints the energy, and the outermost particles, as they settle.

// std's exp, sin and cos may differ in the last bit between machines; libm's do not
#![allow(clippy::disallowed_methods)]

use birth_death::{Dynamics, Energy, Ensemble, Error, Field, Rows, Stream, Workspace};

const N: usize = 40;

/// F(x) = x^2 / 10 and K(x, x') = exp(-|x - x'|^2 / 2).
struct Repulsion;

impl Energy<f64> for Repulsion {
    fn dim(&self) -> usize {
        1
    }

    /// V_i = F(x_i) + (1/n) sum_j K(x_i, x_j), its gradient in x_i, and E = <F> + <K> / 2.
    fn evaluate(&mut self, _step: u64, at: Rows<'_, f64>, mut out: Field<'_, f64>) -> Result<f64, Error> {
        out.check(1, at)?;
        let x = at.row(0);
        let share = 1.0 / x.len() as f64;
        let (potential, mut gradient) = out.parts_mut();
        let mut energy = 0.0;
        for ((v, g), &xi) in potential.iter_mut().zip(gradient.row_mut(0)).zip(x) {
            let (mut pairs, mut slope) = (0.0, 0.0);
            for &xj in x {
                let k = share * (-0.5 * (xi - xj) * (xi - xj)).exp();
                pairs += k;
                slope -= k * (xi - xj);
            }
            let external = 0.1 * xi * xi;
            (*v, *g) = (external + pairs, 0.2 * xi + slope);
            energy += share * (external + 0.5 * pairs);
        }
        Ok(energy)
    }
}

fn main() -> Result<(), Error> {
    let mut particles = Ensemble::<f64, 1, N>::new();
    particles.try_extend((0..N).map(|i| [0.01 * i as f64]))?;
    let mut dynamics = Dynamics::birth_death(0.1, 1.0)?;
    let (mut rng, mut workspace) = (Stream::seeded(1, 0), Workspace::<f64, 1, N>::new());
    for step in 0..=400 {
        let report = dynamics.step(&mut particles, &mut Repulsion, &mut rng, &mut workspace)?;
        if step % 100 == 0 {
            let (left, right) = particles.iter().fold((0.0f64, 0.0f64), |(l, r), [x]| (l.min(x), r.max(x)));
            println!("step {step:3}: E = {:.4}, particles from {left:.2} to {right:.2}", report.energy);
        }
    }
    Ok(())
}
