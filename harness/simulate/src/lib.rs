//! Simulation of an energy on the heap ([`simulation`]), its configuration ([`config`]), and the command `run`.

pub mod arguments;
pub mod config;
pub mod problem;
pub mod run;
pub mod simulation;
