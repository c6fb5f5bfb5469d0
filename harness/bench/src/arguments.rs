//! The arguments of `bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `birth-death bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// Only this part; may be repeated.
    #[arg(long, value_enum, value_name = "PART")]
    pub only: Vec<BenchPart>,
    /// Fewer particles and repetitions: to see that it runs. Goals that need all of them are not judged.
    #[arg(long)]
    pub quick: bool,
    /// The folder for bench.json, replaced whole; of an interrupted benchmark nothing is written.
    #[arg(long, value_name = "DIR", default_value = "bench")]
    pub out: PathBuf,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchPart {
    /// Nanoseconds a pair, for every precision, path and exponential.
    Pairs,
    /// A whole step over its evaluation.
    Step,
    /// Sums of Gaussians in O(n).
    Sums,
}

impl BenchPart {
    /// All, in the order of the tables.
    pub const ALL: [BenchPart; 3] = [BenchPart::Pairs, BenchPart::Step, BenchPart::Sums];
}
