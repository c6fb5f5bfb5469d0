//! Statistics of the verification: p-values, intervals, verdicts and what they can detect.
//!
//! | file | what |
//! |---|---|
//! | [`tails`] | far tails and quantiles of the normal, t and chi-square laws; goodness of fit |
//! | [`binomial`] | exact binomial mass, tails, two-sided p-value |
//! | [`poisson_binomial`] | sums of unequal Bernoulli variables: mass, tails, and those of a sum over many repeats |
//! | [`interval`] | mean, spread, t interval, Clopper-Pearson interval, quantiles, interval of a median |
//! | [`acceleration`] | whether one dynamics arrives sooner: paired hitting times, some beyond the budget |
//! | [`difference`] | two runs' estimates of one quantity: has it moved? |
//! | [`rank`] | rank-sum test; the effect P(X < Y) with an interval |
//! | `rank_law`, `rank_saddle` | the law of a rank sum given the ties: counted, or by the double saddle point |
//! | [`normality`] | Anderson-Darling for normal and uniform laws; p-values no smaller than uniform |
//! | [`verdict`] | holds, fails, undecided; Holm's step-down |
//! | [`power`] | the smallest deviation that a test finds with given power |
//! | [`quadrature`] | Gauss rules, and a normal law on a grid |
//! | [`sample_size`] | how many replicates find a given deviation |
//! | [`simulate`] | random numbers for simulations of size and power |
//! | [`regression`] | orders and rates: weighted log-log and linear regression, slopes over replicates |
//!
//! The unit of observation is an independent replicate. Special functions come from the crate `statrs`, within the
//! domains where the tests here found it accurate.

// The workspace forbids std's transcendentals for the core's sake; the harness is meant not to share the core's.
#![allow(clippy::disallowed_methods)]

pub mod acceleration;
pub mod binomial;
pub mod difference;
pub mod interval;
pub mod normality;
pub mod poisson_binomial;
pub mod power;
pub mod quadrature;
pub mod rank;
mod rank_law;
mod rank_saddle;
pub mod regression;
pub mod sample_size;
pub mod simulate;
pub mod tails;
pub mod verdict;
