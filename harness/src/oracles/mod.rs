//! Oracles: the mathematics stated a second time, to hold the crate's schemes against.
//!
//! Nothing here uses the core crate, not even its `exp`: a mistake shared by a scheme and its oracle would be invisible.
//! All of it is `f64`, allocates freely and uses the functions of `std`.
//!
//! | file | oracle | for what |
//! |---|---|---|
//! | [`quadrature`] | Gauss rules and their tensor products | start measures of C and C_dt, the integral of the one-step mean |
//! | [`gaussian`] | G: Gaussian law of a quadratic potential, K = 0 | laws and rates in closed form: gaussian-law, rate-transport, rate-pure |
//! | [`models`] | the trait [`models::MeanField`] and the external potentials | the models, restated |
//! | [`units`] | Gaussian units, pairwise formula | gradient, mean-field, conservation |
//! | [`direct`] | Gaussian units by quadrature over the inputs | an independent reference for [`units`], and its fast evaluation |
//! | [`mmd`] | maximum mean discrepancy to a mixture or a sample | fisher-rao-bound |
//! | [`characteristics`] | C: PDE 1 by weighted nodes and RK4 | the limit dt -> 0, n -> infinity |
//! | [`discrete`] | C_dt: the n = infinity map at fixed dt | the limit n -> infinity alone: mean-field, step-order, escape |
//! | [`mod@reference`] | the particle schemes, naively, on the same random words | conservation |
//! | [`two_kinds`] | scheme 1 on two kinds of particles at rest: the exact law of their numbers | fixed-point |
//! | [`one_step`] | exact conditional mean of one step; drift of the continuous-time chain | drift, martingale, dissipation |

// The workspace forbids std's transcendentals for the core's sake; the harness is meant not to share the core's.
#![allow(clippy::disallowed_methods)]

pub mod characteristics;
pub mod direct;
pub mod discrete;
pub mod gaussian;
pub mod mmd;
pub mod models;
pub mod one_step;
pub mod quadrature;
pub mod reference;
pub mod two_kinds;
pub mod units;
