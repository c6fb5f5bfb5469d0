//! Planted defects: wrong dynamics that the claims have to catch.
//!
//! Each is a [`Defect`], and is built around the real crate where it can be: it changes parameters, wraps the energy or
//! the generator, or spoils the ensemble after a step. Those of population control replace the step. A claim knows
//! nothing of them; see [`Subject`](crate::subject::Subject).

// The workspace forbids std's transcendentals for the core's sake; here nothing has to be portable to the bit.
#![allow(clippy::disallowed_methods)]

mod detectors;
mod energies;
mod hidden;
mod moves;
pub mod population;
mod randomness;
mod rates;

use population::Flaw;

pub use crate::subject::Defect;
pub use detectors::{detectors, only_by};

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
