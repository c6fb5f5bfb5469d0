//! The arguments of `figures` and `student-teacher`.

use std::path::PathBuf;

use clap::Args;

/// `birth-death figures`.
#[derive(Debug, Clone, Args)]
pub struct FiguresArgs {
    /// The folder of the pictures, replaced whole. If anything is in it, pictures of which some are missing go into
    /// DIR-interrupted instead.
    #[arg(long, value_name = "DIR", default_value = "figures")]
    pub out: PathBuf,
    /// Only these pictures; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Replicates behind a median and its band, at least 50.
    #[arg(long, value_name = "R", default_value_t = 60, value_parser = clap::value_parser!(u64).range(50..=1_000_000))]
    pub replicates: u64,
    /// Seed of all streams, 0 to 2^63 - 1.
    #[arg(
        long,
        value_name = "N",
        default_value_t = birth_death_verify::verify::DEFAULT_SEED,
        value_parser = clap::value_parser!(u64).range(0..1 << 63)
    )]
    pub seed: u64,
    /// Number of threads; all cores if not given, and never more than there is work for. The results are the same for
    /// any number.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// `birth-death student-teacher`.
#[derive(Debug, Clone, Args)]
pub struct StudentTeacherArgs {
    /// The folder that the measurements are added to.
    #[arg(long, value_name = "DIR", default_value = "student-teacher")]
    pub out: PathBuf,
    /// Only cells whose names begin so, such as n50-notebook; may be repeated.
    #[arg(long = "cells", value_name = "NAME")]
    pub cells: Vec<String>,
    /// Replicates of each cell.
    #[arg(long, value_name = "R", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub replicates: u64,
    /// Go on with the measurements in the folder; there may be more cells and replicates than before.
    #[arg(long)]
    pub resume: bool,
    /// Measure nothing: make the tables of what is in the folder, also while it is written to.
    #[arg(long, conflicts_with = "resume")]
    pub report: bool,
    /// Number of threads; all cores if not given, and never more than there is work for. The results are the same for
    /// any number.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Seed of all streams, 0 to 2^62.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=1 << 62))]
    pub seed: u64,
    /// Steps of every run, in place of 100000 (20000 for 1000 units).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(5..=10_000_000))]
    pub steps: Option<u64>,
}
