//! The harness.

pub mod config;
pub mod output;
