//! Oracles: the mathematics stated a second time, to hold the crate's schemes against.
//!
//! Nothing here uses the core crate, not even its `exp`: a mistake shared by a scheme and its oracle would be
//! invisible. All of it is `f64`, allocates freely and uses the functions of `std`.
//!
//! - [`gaussian`]: G: Gaussian law of a quadratic potential, K = 0. For laws and rates in closed form: gaussian-law,
//!   rate-transport, rate-pure.
//! - [`models`]: the trait [`models::MeanField`] and the external potentials. For the models, restated.
//! - [`units`]: Gaussian units, pairwise formula. For gradient, mean-field, conservation.
//! - [`direct`]: Gaussian units by quadrature over the inputs. For an independent reference for [`units`], and its fast
//!   evaluation.
//! - [`mmd`]: maximum mean discrepancy to a mixture or a sample. For fisher-rao-bound.
//! - [`mod@student_teacher`]: the ReLU student-teacher loss, by quadrature over the angle between units. For
//!   population-loss.
//! - [`characteristics`]: C: PDE 1 by weighted nodes and RK4. For the limit dt -> 0, n -> infinity.
//! - [`discrete`]: C_dt: the n = infinity map at fixed dt. For the limit n -> infinity alone: mean-field, step-order,
//!   escape.
//! - [`linear_noise`]: the mean energy of n particles without transport, to order 1/n. For fisher-rao-bound.
//! - [`variations`]: first and second variation of a functional of the start. For interaction-bias.
//! - [`pde2`]: C2: PDE 2 and PDE 2' by weighted nodes and Strang splitting. For the limits of scheme 2.
//! - [`discrete_reinjection`]: C_dt of scheme 2, with the mean number injected at finite n. For mean-field-reinjection.
//! - [`fisher_rao`]: K: pure birth-death of the MMD on fixed nodes; the divergence of its bound. For fisher-rao-bound.
//! - [`mod@reference`]: the particle schemes, naively, on the same random words. For conservation.
//! - [`two_kinds`]: scheme 1 on two kinds of particles at rest: the exact law of their numbers. For fixed-point.
//! - [`one_step`]: exact conditional mean of one step; drift of the continuous-time chain. For drift, martingale,
//!   dissipation.
//! - [`three_particles`]: scheme 1 without transport on 3 particles of 3 kinds: its chain at fixed dt and at dt -> 0.
//!   For exactness.

// The workspace forbids std's transcendentals for the core's sake; the harness is meant not to share the core's.
#![allow(clippy::disallowed_methods)]

pub mod characteristics;
pub mod direct;
pub mod discrete;
pub mod discrete_reinjection;
pub mod fisher_rao;
pub mod gaussian;
pub mod linear_noise;
pub mod mmd;
pub mod models;
pub mod one_step;
pub mod pde2;
pub mod reference;
pub mod student_teacher;
pub mod three_particles;
pub mod two_kinds;
pub mod units;
pub mod variations;
