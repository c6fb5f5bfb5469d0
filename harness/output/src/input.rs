//! The files that a result was made of.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

/// A file that a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The key that names it.
    pub key: String,
    /// As written in the configuration.
    pub name: String,
    /// Where it was read.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
