//! How a command ends: the exit codes.

/// All claims hold, or the simulation or the pictures are complete.
pub const SUCCESS: u8 = 0;
/// A claim fails, or a simulation met a numerical error.
pub const FAILURE: u8 = 1;
/// Bad usage or bad input; nothing was computed or written.
pub const BAD_INPUT: u8 = 2;
/// A claim is undecided.
pub const UNDECIDED: u8 = 3;
/// Stopped by Ctrl-C; what was complete is kept.
pub const INTERRUPTED: u8 = 130;
