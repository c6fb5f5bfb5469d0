//! The arguments of `run`.

use std::path::PathBuf;

use clap::Args;

/// `birth-death run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// The configuration, in TOML.
    #[arg(value_name = "CONFIG.toml")]
    pub config: PathBuf,
    /// The result folder, replaced whole. If anything is in it, a run in which replicates are missing goes into
    /// DIR-interrupted instead.
    #[arg(long, value_name = "DIR", default_value = "run")]
    pub out: PathBuf,
    /// Write down every K steps, and at Ctrl-C, how far the run has come: a file that is not there yet, or the one of
    /// --resume. It is replaced whole each time, and deleted at the end.
    #[arg(long, value_name = "FILE", requires = "every")]
    pub checkpoint: Option<PathBuf>,
    /// Steps between two checkpoints, those of all replicates together. A checkpoint that is due waits while they have
    /// taken more than 5 % of the run's time so far; one at Ctrl-C or at the end never waits.
    #[arg(long, value_name = "K", requires = "checkpoint", value_parser = clap::value_parser!(u64).range(1..))]
    pub every: Option<u64>,
    /// Go on from this checkpoint of the same configuration; the results are those of a run that was not interrupted,
    /// to the bit.
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Number of threads; all cores if not given, and never more than there is work for. The results are the same for
    /// any number.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}
