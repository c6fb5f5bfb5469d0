//! What every command has: how it ends, what it says of bad input, how it shows progress and is stopped, and its
//! threads.

pub mod digits;
pub mod exit;
pub mod parallel;
pub mod progress;
pub mod refusal;
pub mod screen;
