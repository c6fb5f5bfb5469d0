//! A network of 32 units learns a cubic from 64 points: what a microcontroller and the host do alike, to the bit.
//!
//! The points are `x_i = (2 i - 63) / 64`, `i` from 0 to 63, with a 1 beside them for the bias, and `y_i = 4 x_i^3 - 3
//! x_i`: a table in flash, computed when this is compiled. A unit is `(c, w, b)`, `f(x) = (1/n) sum c max(w x + b, 0)`.
#![no_std]
#![forbid(unsafe_code)]

use birth_death::models::{Activation, Examples, Loss, Network, network};
use birth_death::{Dynamics, Ensemble, Error, Marginal, Prior, ProductPrior, Report, Stream, Workspace, checkpoint};
use core::fmt;

/// Units.
pub const UNITS: usize = 32;
/// Weights of a unit.
pub const WEIGHTS: usize = 3;
/// Steps of a training.
pub const STEPS: u64 = 1000;
/// Steps between two reports.
pub const EVERY: u64 = 100;
/// Values that the network's loops work in.
pub const SCRATCH: usize = network::scratch_len(1, EXAMPLES);
/// Bytes of a checkpoint.
pub const CHECKPOINT: usize = checkpoint::size::<f32, Stream>(WEIGHTS, UNITS);

const EXAMPLES: usize = 64;

static INPUTS: [f32; 2 * EXAMPLES] = {
    let mut inputs = [1.0; 2 * EXAMPLES];
    let mut i = 0;
    while i < EXAMPLES {
        inputs[2 * i] = x(i);
        i += 1;
    }
    inputs
};

static TARGETS: [f32; EXAMPLES] = {
    let mut targets = [0.0; EXAMPLES];
    let mut i = 0;
    while i < EXAMPLES {
        targets[i] = (4.0 * (x(i) * x(i)) - 3.0) * x(i);
        i += 1;
    }
    targets
};

const fn x(i: usize) -> f32 {
    (2.0 * i as f32 - 63.0) / 64.0
}

/// Where scheme 2 draws new units from: their output weight is zero, so they disturb nothing.
///
/// # Errors
/// None: the laws are proper.
pub fn prior() -> Result<impl Prior<f32>, Error> {
    let weight = Marginal::Normal { mean: 0.0, sd: 1.0 };
    ProductPrior::new([Marginal::Constant(0.0), weight, weight])
}

/// Trains `units` from a random start, and tells of every [`EVERY`]th step. Afterwards `saved` holds the state, and its
/// checksum is the digest.
///
/// # Errors
/// The core's.
pub fn train<P: Prior<f32>>(
    mut dynamics: Dynamics<f32, P>,
    units: &mut Ensemble<f32, WEIGHTS, UNITS>,
    workspace: &mut Workspace<f32, WEIGHTS, UNITS>,
    scratch: &mut [f32; SCRATCH],
    saved: &mut [u8; CHECKPOINT],
    mut tell: impl FnMut(Line),
) -> Result<(), Error> {
    let data = Examples::new(&INPUTS, 2, &TARGETS, 1)?;
    let mut network = Network::new(Activation::Relu, Loss::Squared, data, scratch)?;
    let mut rng = Stream::seeded(1, 0);

    let start = ProductPrior::new([Marginal::Normal { mean: 0.0, sd: 1.0 }; WEIGHTS])?;
    units.clear();
    for _ in 0..UNITS {
        let mut unit = [0.0; WEIGHTS];
        start.draw(&mut rng, &mut unit);
        units.push(unit)?;
    }

    for step in 0..=STEPS {
        let report = dynamics.step(units, &mut network, &mut rng, workspace)?;
        if step % EVERY == 0 {
            tell(Line::Step(report));
        }
    }
    checkpoint::save(0, units.rows(), &dynamics, &rng, saved)?;
    tell(Line::End(saved.last_chunk().map_or(0, |checksum| u32::from_le_bytes(*checksum))));
    Ok(())
}

/// What a training tells.
pub enum Line {
    /// A step was done.
    Step(Report<f32>),
    /// It is done, with this digest of units, counters and generator.
    End(u32),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Step(report) => write!(f, "step {} loss {:?}", report.step, report.energy),
            Line::End(digest) => write!(f, "digest {digest:08x}"),
        }
    }
}
