//! The arguments of `verify`, `report` and `calibrate`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

/// `birth-death verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// How much to measure: quick takes less than 90 seconds on two cores.
    #[arg(long, value_enum, default_value_t = Profile::Quick)]
    pub profile: Profile,
    /// Seed of all streams, 0 to 2^63 - 1, or "random".
    #[arg(long, value_name = "N|random", allow_hyphen_values = true)]
    pub seed: Option<SeedChoice>,
    /// Only these claims; may be repeated.
    #[arg(long = "claim", value_name = "ID")]
    pub claims: Vec<String>,
    /// Compare with the verdicts.json of an earlier run, and fail only on estimates that moved beyond joint uncertainty
    /// and on checks that fail now and did not.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Show what this calibration.json of calibrate says, and keep it with the report.
    #[arg(long, value_name = "FILE")]
    pub calibration: Option<PathBuf>,
    /// The report folder, replaced whole. If anything is in it, an interrupted report goes into DIR-interrupted
    /// instead.
    #[arg(long, value_name = "DIR", default_value = "report")]
    pub out: PathBuf,
    /// Number of threads; all cores if not given, and never more than there is work for. The results are the same for
    /// any number.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

impl Default for VerifyArgs {
    /// What no subcommand means.
    fn default() -> Self {
        Self {
            profile: Profile::Quick,
            seed: None,
            claims: Vec::new(),
            baseline: None,
            calibration: None,
            out: PathBuf::from("report"),
            threads: None,
        }
    }
}

/// `birth-death report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// A folder that verify wrote.
    #[arg(value_name = "DIR", default_value = "report")]
    pub folder: PathBuf,
    /// Show what this calibration.json of calibrate says, and keep it with the report.
    #[arg(long, value_name = "FILE")]
    pub calibration: Option<PathBuf>,
}

/// `birth-death calibrate`.
#[derive(Debug, Clone, Args)]
pub struct CalibrateArgs {
    /// Seeds to measure with.
    #[arg(
        long,
        value_name = "R",
        default_value_t = CalibrateArgs::RUNS,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub runs: u32,
    /// Only these defects, or "correct" for the crate as it is; may be repeated.
    #[arg(long = "defect", value_name = "ID")]
    pub defects: Vec<String>,
    /// Only these claims, on everything; may be repeated. Without: all on the correct build, on a defect those that
    /// should catch it.
    #[arg(long = "claim", value_name = "ID")]
    pub claims: Vec<String>,
    /// The folder that the measurements are added to.
    #[arg(long, value_name = "DIR", default_value = CalibrateArgs::OUT)]
    pub out: PathBuf,
    /// Go on with the measurements in the folder; there may be more seeds, defects and claims than before.
    #[arg(long)]
    pub resume: bool,
    /// Number of threads; all cores if not given, and never more than there is work for. The results are the same for
    /// any number.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// The first seed, 0 to 2^62; the others follow it.
    #[arg(
        long,
        value_name = "N",
        default_value_t = CalibrateArgs::SEED,
        value_parser = clap::value_parser!(u64).range(0..=1 << 62)
    )]
    pub seed: u64,
}

impl CalibrateArgs {
    const RUNS: u32 = 100;
    const OUT: &str = "calibration";
    /// Disjoint from the seeds that settings were chosen on.
    const SEED: u64 = 500_000;
}

impl Default for CalibrateArgs {
    fn default() -> Self {
        Self {
            runs: Self::RUNS,
            defects: Vec::new(),
            claims: Vec::new(),
            out: PathBuf::from(Self::OUT),
            resume: false,
            threads: None,
            seed: Self::SEED,
        }
    }
}

/// How much a verification measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Under 90 seconds on two cores.
    Quick,
    /// With the power to see small effects.
    Full,
}

impl Profile {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Quick => "quick",
            Profile::Full => "full",
        }
    }
}

/// The seed of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedChoice {
    /// This one.
    Fixed(u64),
    /// A new one, which the report names.
    Random,
}

impl FromStr for SeedChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "random" {
            return Ok(Self::Random);
        }
        text.parse::<i64>()
            .ok()
            .and_then(|seed| u64::try_from(seed).ok())
            .map(Self::Fixed)
            .ok_or_else(|| "accepted: an integer from 0 to 9223372036854775807, or random".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_numbers_below_two_to_the_63_or_random() {
        assert_eq!("7".parse(), Ok(SeedChoice::Fixed(7)));
        assert_eq!("random".parse(), Ok(SeedChoice::Random));
        for bad in ["-1", "9223372036854775808", "1.5", "", "Random"] {
            assert!(bad.parse::<SeedChoice>().is_err(), "{bad}");
        }
    }
}
