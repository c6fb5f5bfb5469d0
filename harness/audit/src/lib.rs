//! `birth-death audit`: the same seed gives the same bits, on this machine and on others.
//!
//! The canonical runs (`harness/canon`) are done in this process, and by the images of `harness/targets` under
//! emulation; their digest chains are held against the committed ones, `harness/audit/golden.txt`.

pub mod arguments;
mod chain;
mod command;
mod record;
mod targets;

pub use chain::{Agreement, Chains, GOLDEN, Link};
pub use command::main;
pub use record::{Audit, Outcome};
