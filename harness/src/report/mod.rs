//! What a verification leaves behind: a table for people, JSON for programs.

mod table;
mod verdicts;

pub use table::table;
pub use verdicts::{Decided, Verdicts};
