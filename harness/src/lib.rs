//! Verification harness of `birth-death`: oracles and statistics.

pub mod oracles;
pub mod stats;
