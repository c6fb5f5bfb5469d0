//! The arguments of `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `birth-death audit`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AuditArgs {
    /// Without one: an audit.
    #[command(subcommand)]
    pub action: Option<AuditAction>,
    /// Also this target, by harness/targets/run; "all" for all; may be repeated. This process is always audited.
    #[arg(long = "target", value_name = "T")]
    pub targets: Vec<String>,
    /// As --target, and fail if it cannot be run; may be repeated.
    #[arg(long = "require", value_name = "T")]
    pub required: Vec<String>,
    /// The checkout whose harness/targets/run makes the images of other targets; the nearest one from the working
    /// folder up if not given. They are built in its target folder, or in CARGO_TARGET_DIR.
    #[arg(long, value_name = "DIR")]
    pub sources: Option<PathBuf>,
    /// How the images of other targets are built.
    #[arg(long, value_enum, default_value_t = ImageProfile::Release)]
    pub profile: ImageProfile,
    /// The folder for audit.json, replaced whole. If anything is in it, an interrupted audit goes into DIR-interrupted
    /// instead.
    #[arg(long, value_name = "DIR", default_value = "audit")]
    pub out: PathBuf,
}

/// What else audit does.
#[derive(Debug, Clone, Subcommand)]
pub enum AuditAction {
    /// Say what differs between two audits: builds, machines, and where the bits part.
    Diff {
        /// An audit.json.
        #[arg(value_name = "A")]
        a: PathBuf,
        /// Another.
        #[arg(value_name = "B")]
        b: PathBuf,
    },
    /// Do an audit's runs again in this process, and say whether its bits come out.
    Verify {
        /// An audit.json.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print this process's lines, as they are committed in harness/audit/golden.txt.
    Golden,
}

/// How an image is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImageProfile {
    /// Optimised.
    Release,
    /// With the compiler's checks, and without optimisation.
    Debug,
}

impl ImageProfile {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            ImageProfile::Release => "release",
            ImageProfile::Debug => "debug",
        }
    }
}
