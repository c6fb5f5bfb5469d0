//! What a verification leaves behind: a table and a page for people, JSON for programs, JUnit's XML for CI systems.

pub mod accepted;
pub mod baseline;
mod calibration;
mod checks;
pub mod compared;
pub mod comparison;
mod junit;
mod page;
pub mod rebuild;
pub(crate) mod table;
mod verdicts;

pub use junit::junit;
pub use page::{page, summary};
pub use table::table;
pub use verdicts::{Decided, SCHEMA, Verdicts, read};
