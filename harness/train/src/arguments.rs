//! What may be asked of the commands of this folder.

use std::path::PathBuf;

use clap::Args;

use super::Name;

/// `birth-death train`.
#[derive(Debug, Clone, Args)]
pub struct TrainArgs {
    /// The configuration, in TOML.
    #[arg(value_name = "CONFIG.toml")]
    pub config: PathBuf,
    /// The result folder, replaced whole. If anything is in it, a training that is stopped or fails goes into
    /// DIR-interrupted instead.
    #[arg(long, value_name = "DIR", default_value = "training")]
    pub out: PathBuf,
}

/// `birth-death predict`.
#[derive(Debug, Clone, Args)]
pub struct PredictArgs {
    /// A model that train wrote.
    #[arg(value_name = "MODEL.json")]
    pub model: PathBuf,
    /// The data: a CSV file with the model's input columns, and any others.
    #[arg(value_name = "DATA.csv")]
    pub data: PathBuf,
    /// Where the predictions go, as CSV; standard output if not given.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Fewest replicates of a comparison: the t interval of fewer says next to nothing.
pub const FEWEST: u64 = 5;

/// `birth-death compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// The configuration, in TOML; with a data.test above 0.
    #[arg(value_name = "CONFIG.toml")]
    pub config: PathBuf,
    /// How often, 5 times at least: each with a split, a start and mini-batches of its own, the same for all methods.
    #[arg(
        long,
        value_name = "R",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(FEWEST..=100_000)
    )]
    pub replicates: u64,
    /// The result folder, replaced whole. If anything is in it, a comparison in which replicates are missing goes into
    /// DIR-interrupted instead.
    #[arg(long, value_name = "DIR", default_value = "comparison")]
    pub out: PathBuf,
    /// Number of threads; all cores if not given, and never more than there is work for. The results are the same for
    /// any number.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// `birth-death data`.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// Which data set.
    #[arg(value_enum)]
    pub name: Name,
}
