//! Simulation of an energy on the heap ([`simulation`]), its configuration ([`config`]), and the command `run`.

/// The examples of the repository's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

pub mod arguments;
pub mod config;
pub mod problem;
pub mod run;
pub mod simulation;
