//! The harness of `birth-death`: simulations from a configuration, and what holds the core against its claims.

pub mod cli;
pub mod config;
pub mod oracles;
pub mod output;
pub mod parallel;
pub mod problem;
pub mod progress;
pub mod run;
pub mod simulation;
pub mod stats;
pub mod verify;
