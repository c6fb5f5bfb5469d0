//! A checkpoint, and going on from it: `cargo run -p birth-death --example resume`.
//!
//! A run of 200 steps is stopped after 120, its checkpoint is written to memory, and a fresh start of the same program
//! goes on from it. Prints the checkpoint's size and both last energies: they are equal to the bit.

use birth_death::models::Rastrigin;
use birth_death::{Dynamics, Ensemble, Error, Stream, Workspace, checkpoint};

const N: usize = 30;
const SIZE: usize = checkpoint::size::<f32, Stream>(2, N);
/// Stands for this program's settings: a checkpoint of others is refused.
const TAG: u64 = 1;

/// Everything that a step changes, as it is when the device starts.
struct Run {
    particles: Ensemble<f32, 2, N>,
    dynamics: Dynamics<f32>,
    rng: Stream,
    workspace: Workspace<f32, 2, N>,
}

impl Run {
    fn new() -> Result<Self, Error> {
        let mut particles = Ensemble::new();
        particles.try_extend((0..N).map(|i| [0.1 * i as f32 - 1.5, 1.2]))?;
        let dynamics = Dynamics::birth_death(0.002, 0.5)?;
        Ok(Self { particles, dynamics, rng: Stream::seeded(1, 0), workspace: Workspace::new() })
    }

    fn steps(&mut self, steps: u32) -> Result<f32, Error> {
        let mut energy = Rastrigin::new(1.0, 2)?;
        let mut last = 0.0;
        for _ in 0..steps {
            last = self.dynamics.step(&mut self.particles, &mut energy, &mut self.rng, &mut self.workspace)?.energy;
        }
        Ok(last)
    }
}

fn main() -> Result<(), Error> {
    let mut whole = Run::new()?;
    whole.steps(120)?;
    let mut saved = [0; SIZE];
    checkpoint::save(TAG, whole.particles.rows(), &whole.dynamics, &whole.rng, &mut saved)?;
    let expected = whole.steps(80)?;

    let mut again = Run::new()?;
    checkpoint::restore(TAG, &saved, &mut again.particles, &mut again.dynamics, &mut again.rng)?;
    let resumed = again.steps(80)?;
    println!("checkpoint: {SIZE} bytes; energy after 200 steps: {expected}, resumed {resumed}");
    assert_eq!(expected.to_bits(), resumed.to_bits());
    Ok(())
}
