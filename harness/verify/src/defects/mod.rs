//! Planted defects: wrong dynamics that the claims have to catch.
//!
//! Each is built around the real crate where it can be: it changes parameters, wraps the energy or the generator, or
//! spoils the ensemble after a step. Those of population control replace the step. A claim knows nothing of them; see
//! [`Subject`](crate::subject::Subject).

// The workspace forbids std's transcendentals for the core's sake; here nothing has to be portable to the bit.
#![allow(clippy::disallowed_methods)]

mod detectors;
mod energies;
mod hidden;
mod moves;
pub mod population;
mod randomness;
mod rates;

use std::fmt::Debug;

use birth_death::{Error, Report};

use crate::generators::BoxedGenerator;
use crate::subject::{BoxedEnergy, Setup, Simulated};
use population::Flaw;

pub use detectors::{detectors, only_by};

/// A way of being wrong. Every method defaults to being right.
pub trait Defect: Debug + Sync {
    /// Its name and what is wrong, in a few words.
    fn describe(&self) -> (&'static str, &'static str);

    /// Spoils the parameters, at the start and whenever a setter has changed them.
    fn parameters(&self, _setup: &mut Setup) {}

    /// The birth-death rate of step number `step`, given that of step 0 and the one in force, as [`Self::parameters`]
    /// left them.
    fn alpha(&self, _first: f64, in_force: f64, _step: u64) -> f64 {
        in_force
    }

    /// Spoils what the dynamics sees of the energy. `setup` is the one asked for.
    fn energy(&self, energy: BoxedEnergy, _setup: &Setup) -> BoxedEnergy {
        energy
    }

    /// Spoils the generator.
    fn generator(&self, rng: BoxedGenerator, _setup: &Setup) -> BoxedGenerator {
        rng
    }

    /// Replaces the step in double precision, for what cannot be built around the crate. `setup` is the one in force,
    /// `number` that of the step.
    fn step(&self, _simulation: &mut Simulated, _setup: &Setup, _number: u64) -> Option<Result<Report<f64>, Error>> {
        None
    }

    /// Spoils the ensemble (`after`, row after row) once a step is done, given that before the step, the gradients
    /// there, the step's origins, and dt (0 without transport).
    fn after_step(&self, _before: &[f64], _gradients: &[f64], _origins: &[u32], _dt: f64, _after: &mut [f64]) {}
}

/// All of them.
pub static REGISTRY: [&dyn Defect; 34] = [
    &rates::Swapped,
    &rates::MeanNotSubtracted,
    &rates::Doubled,
    &rates::WithoutDt,
    &rates::Linear,
    &rates::AlphaOff,
    &rates::MeanOverOneLess,
    &rates::OnlyDeaths,
    &rates::Stale,
    &energies::WrongSign,
    &energies::FactorTwo,
    &energies::SelfLeftOut,
    &energies::InteractionSum,
    &randomness::FirstHalf,
    &randomness::SharedWords,
    &randomness::Restarted,
    &moves::ChargeNotCopied,
    &moves::ComponentNotCopied,
    &moves::ChargeAtRest,
    &moves::DtDoubled,
    &moves::PriorCharge,
    &moves::PriorSpread,
    &Flaw::NewestFirst,
    &Flaw::DeadSlots,
    &Flaw::OwnCopies,
    &Flaw::ControlSkipped,
    &Flaw::ReinjectionAlways,
    &Flaw::InjectedMoves,
    &hidden::OneGradientOff,
    &hidden::AlphaOffSingle,
    &hidden::AlphaOffMany,
    &hidden::AlphaOffLate,
    &hidden::SetterIgnored,
    &Flaw::AtMost,
];

/// The defect of this name.
pub fn named(id: &str) -> Option<&'static dyn Defect> {
    REGISTRY.into_iter().find(|defect| defect.describe().0 == id)
}
