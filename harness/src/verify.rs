//! Stub; the verification replaces it.

use std::process::ExitCode;

use crate::cli::{BAD_INPUT, VerifyArgs};

/// Not yet.
pub fn main(_arguments: &VerifyArgs) -> ExitCode {
    eprintln!("verify: not yet");
    ExitCode::from(BAD_INPUT)
}
