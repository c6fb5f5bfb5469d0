//! What is fuzzed: one function of bytes a target, that panics if something is wrong. `harness/cli/tests/corpora.rs`
//! calls the same functions.

#[cfg(feature = "harness")]
pub mod checkpoint;
#[cfg(feature = "harness")]
pub mod config;
#[cfg(feature = "harness")]
pub mod csv;
mod input;
pub mod network;
#[cfg(feature = "harness")]
mod place;
#[cfg(feature = "harness")]
mod progress;
#[cfg(feature = "harness")]
mod seal;
pub mod stepper;
mod stepping;
