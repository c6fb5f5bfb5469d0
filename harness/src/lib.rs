//! The harness of `birth-death`: it holds the crate against its claims, and runs simulations from a configuration.
//!
//! `verify` measures the [`claims`] on a [`subject`] (the crate, or the crate with one of the planted [`defects`]) against
//! [`oracles`], decides with [`stats`], and writes a [`report`]; [`calibrate`] measures how often it
//! errs. [`audit`] compares digests of the canonical runs between machines. [`mod@bench`] times the potential loop. `run` reads a [`config`] and makes tables; [`training`] fits
//! networks to data; `figures` draws the paper's experiments ([`figures`]); `student-teacher` is the [`study`] of its second example. Every simulated step
//! is `birth_death::Dynamics::step`, in [`simulation`].

pub mod audit;
pub mod bench;
pub mod calibrate;
pub mod claims;
pub mod cli;
pub mod config;
pub mod defects;
pub mod figures;
pub mod generators;
pub mod oracles;
pub mod output;
pub mod parallel;
pub mod problem;
pub mod progress;
pub mod report;
pub mod run;
pub mod simulation;
pub mod stats;
pub mod stopwatch;
pub mod study;
pub mod subject;
pub mod training;
pub mod verify;
