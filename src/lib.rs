//! Mean-field gradient flow with neuron birth-death dynamics, for microcontrollers and for proofs.
//!
//! An ensemble of `n` particles `theta_i` in `R^D` descends an energy of its own distribution `mu`:
//!
//! ```text
//! energy       E[mu] = E0 + ∫F dmu + 1/2 ∬K(theta, theta') dmu dmu
//! potential    V(theta; mu) = F(theta) + ∫K(theta, theta') dmu             mean potential   Vbar = ∫V dmu
//! PDE 1        d/dt mu = div(mu grad V) - alpha (V - Vbar) mu
//! PDE 2        d/dt mu = div(mu grad V) - alpha V mu + alpha max(Vbar, 0) mu_b + alpha min(Vbar, 0) mu
//! ```
//!
//! beside moving along `-grad V`, particles of high potential die and those of low potential are duplicated, at rate
//! `alpha`; scheme 2 also reinjects particles from a prior `mu_b`. Source: G. Rotskoff, S. Jelassi, J. Bruna,
//! E. Vanden-Eijnden, "Global convergence of neuron birth-death dynamics", arXiv:1902.01843.
//!
//! # Where to begin
//!
//! - **You embed it:** [`Ensemble`], [`Workspace`], [`Dynamics::step`] (its cost, randomness, errors), [`checkpoint`],
//!   [`Error`].
//! - **You bring an energy or a prior:** [`Energy`], [`models::External`], [`Prior`]; [`dispatch`] for fast loops.
//! - **You reproduce the paper:** [`GaussianUnits`](models::GaussianUnits), [`Network`](models::Network); [`Scheme`],
//!   [`Rate`], [`Dissipation`], [`Genealogy`].
//!
//! # Memory
//! Nothing allocates. [`Ensemble`] and [`Workspace`] are fixed arrays, fit for a `static`; algorithms take checked
//! views ([`Rows`], [`RowsMut`], [`Field`], [`Scratch`]) over any memory of the caller's. A capacity exceeded is an
//! [`Error`].
//!
//! # Bits
//! The same crate version, configuration and seed give the same bits: in the same binary; in any build for a target,
//! whatever its optimisation level, CPU features or other crates' features; and by design on any target with IEEE
//! arithmetic (x87 is refused at compile time; see the README for what has been run). Part of the contract: the
//! versions of `libm` and `rand_xorshift` (pin them in your lock file), rounding to nearest, and subnormals kept. Sums
//! over particles use 16 lanes and a tree, pair sums run in order. A change of bits is a breaking change, and the
//! changelog says so.
//!
//! # Failure
//! No panic: every constructor validates, every step checks for finiteness, and on error the state is as it was.
//!
//! # From the mathematics to the files
//! `energy` (the trait) and `models/` give `V`, `grad V` and `E` into a `field`; `events` decides births and deaths;
//! `population` restores `n`; `prior` is `mu_b`; `transport` moves; [`Dynamics::step`] does all of these in order;
//! `genealogy` and `diagnostics` read the result.
//!
//! # In a static, on a small stack
//! ```
//! use birth_death::{Dynamics, Ensemble, Error, Stream, Workspace, models::External};
//! use std::sync::Mutex; // a microcontroller's critical-section mutex does the same
//!
//! static MEMORY: Mutex<(Ensemble<f32, 2, 64>, Workspace<f32, 2, 64>)> =
//!     Mutex::new((Ensemble::new(), Workspace::new()));
//!
//! fn train() -> Result<f32, Error> {
//!     let mut memory = MEMORY.lock().unwrap();
//!     let (x, workspace) = &mut *memory;
//!     for i in 0..64u8 {
//!         x.push([f32::from(i) / 32.0 - 1.0, 0.5])?;
//!     }
//!     let mut bowl = External(|[a, b]: [f32; 2]| (a * a + b * b, [2.0 * a, 2.0 * b]));
//!     let mut dynamics = Dynamics::birth_death(0.05, 1.0)?;
//!     let mut rng = Stream::seeded(1, 0);
//!     let mut energy = 0.0;
//!     for _ in 0..100 {
//!         energy = dynamics.step(x, &mut bowl, &mut rng, workspace)?.energy;
//!     }
//!     Ok(energy)
//! }
//! assert!(train().unwrap() < 1e-6);
//! ```

#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]
#![cfg_attr(test, allow(clippy::disallowed_methods))] // unit tests compare with std's functions

#[cfg(all(target_arch = "x86", not(target_feature = "sse2")))]
compile_error!(
    "x87 arithmetic rounds twice and breaks the bit contract: build for a target with SSE2 (i686, not i586)"
);

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "dispatch"))]
extern crate std;

/// The example of the package's README is a test.
#[cfg(doctest)]
#[doc = include_str!("README.md")]
struct Readme;

pub mod checkpoint;
mod diagnostics;
pub mod dispatch;
mod dynamics;
mod energy;
mod ensemble;
mod error;
mod events;
mod field;
mod genealogy;
mod log;
pub mod maths;
pub mod models;
mod population;
mod prior;
pub mod random;
mod real;
mod rows;
mod scratch;
#[cfg(feature = "alloc")]
mod simulation;
mod snapshot;
mod sum;
mod transport;

pub use diagnostics::Dissipation;
pub use dynamics::{Dynamics, Rate, Report, Scheme};
pub use energy::Energy;
pub use ensemble::Ensemble;
pub use error::{Error, Fault, Quantity};
pub use field::Field;
pub use genealogy::Genealogy;
pub use log::ReportLog;
pub use population::FRESH;
pub use prior::{Marginal, NoPrior, Prior, ProductPrior};
/// The traits of random number generators, at the version that this crate uses.
pub use rand_core;
pub use random::{Generator, NoRewind, Rewind, Stream};
pub use real::Real;
pub use rows::{MAX_PARTICLES, Particles, Rows, RowsMut};
pub use scratch::{Scratch, StepMemory, Workspace};
#[cfg(feature = "alloc")]
pub use simulation::{SavedSimulation, Simulation};
pub use snapshot::Snapshot;
