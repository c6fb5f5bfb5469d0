//! `manifest.json`: what made a result, so that it can be made again.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::folder::PROGRAM;
use crate::input::{Input, sha256};

/// The compiler of this binary, on one line.
pub const RUSTC: &str = env!("BIRTH_DEATH_RUSTC");
/// Its optimisation level.
pub const OPT_LEVEL: &str = env!("BIRTH_DEATH_OPT_LEVEL");
/// Its flags.
pub const RUSTFLAGS: &str = env!("BIRTH_DEATH_RUSTFLAGS");
/// Features of the core that the harness is built with (the workspace's `Cargo.toml`). None of them changes a number.
pub const FEATURES: [&str; 3] = ["alloc", "dispatch", "micromath"];
/// The generator behind every result.
pub const GENERATOR: &str = "xorshift128 (rand_xorshift), birth_death::Stream::seeded(seed, replicate)";

/// The binary that made a result; the same keys in every manifest of the harness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Always [`PROGRAM`]: folders with it in their manifest may be replaced.
    pub program: Cow<'static, str>,
    /// The package's version.
    pub version: Cow<'static, str>,
    /// The git commit it was built from, or "unknown".
    pub commit: Cow<'static, str>,
    /// Whether sources differed from that commit; none if not known.
    pub dirty: Option<bool>,
    /// The target triple.
    pub target: Cow<'static, str>,
    /// The core's features.
    pub features: Vec<Cow<'static, str>>,
}

impl Build {
    /// This binary.
    pub fn this() -> Self {
        Self {
            program: PROGRAM.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            commit: env!("BIRTH_DEATH_COMMIT").into(),
            dirty: match env!("BIRTH_DEATH_DIRTY") {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            target: env!("BIRTH_DEATH_TARGET").into(),
            features: FEATURES.map(Cow::from).into(),
        }
    }
}

/// Who made a result by which command from which seed: what the manifests of all simulations begin with.
#[derive(Debug, Serialize)]
pub struct Origin {
    #[serde(flatten)]
    build: Build,
    command: &'static str,
    precision: &'static str,
    generator: &'static str,
    seed: u64,
}

impl Origin {
    /// Of this binary.
    pub fn new(command: &'static str, precision: &'static str, seed: u64) -> Self {
        Self { build: Build::this(), command, precision, generator: GENERATOR, seed }
    }
}

/// A configuration, whole.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    file: String,
    sha256: String,
    text: &'a str,
}

impl<'a> Document<'a> {
    /// The text that was read from the file.
    pub fn new(file: &Path, text: &'a str) -> Self {
        Self { file: file.display().to_string(), sha256: sha256(text.as_bytes()), text }
    }
}

/// A file that a configuration names.
#[derive(Debug, Serialize)]
pub struct InputFile<'a> {
    key: &'a str,
    file: &'a str,
    sha256: &'a str,
}

impl<'a> From<&'a Input> for InputFile<'a> {
    fn from(input: &'a Input) -> Self {
        Self { key: &input.key, file: &input.name, sha256: &input.sha256 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_features_are_those_of_the_package() {
        let package = include_str!("../../../Cargo.toml");
        let line = package.lines().find(|line| line.starts_with("birth-death = ")).expect("the dependency");
        assert!(line.contains(&format!("features = {FEATURES:?}")), "{line}");
    }

    #[test]
    fn the_build_is_known() {
        let build = Build::this();
        assert!(build.commit == "unknown" || build.commit.len() == 40);
        assert_ne!(build.target, "unknown");
    }
}
