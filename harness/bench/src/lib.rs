//! `birth-death bench`: how fast the potential loop is, against what the machine can do, and whether the goals of speed
//! are met.
//!
//! One process, and one thread. Everything is timed in turn, again and again, and the least
//! time of each is kept: see [`timing`].

// Timings are not portable to the bit: the workspace's lint is for the core's sake.
#![allow(clippy::disallowed_methods)]

pub mod arguments;
mod command;
mod goals;
mod machine;
mod pairs;
mod peak;
mod record;
#[path = "../../../benches/setting/mod.rs"]
mod setting;
mod step;
mod sums;
mod table;
pub mod timing;

pub use command::main;

const VALID: &str = "valid by construction";
