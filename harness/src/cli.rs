//! The command line: what may be asked, and which module answers.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::output::screen;
use crate::progress;
use crate::training::arguments::{CompareArgs, DataArgs, PredictArgs, TrainArgs};

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

/// Verifies the birth-death implementation, runs a simulation from a configuration, trains a network on data, or redraws the paper's
/// experiments.
#[derive(Debug, Parser)]
#[command(name = "birth-death", version, about, after_help = EXIT_CODES)]
pub struct Cli {
    /// Without one: `verify --profile quick`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 all well, 1 something failed (a claim, a requirement, a file that cannot be written), 2 bad usage or input, \
3 undecided, 130 interrupted.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Hold the implementation against its claims, print the verdicts and write the report.
    Verify(VerifyArgs),
    /// Make the page and junit.xml of a report again, from its verdicts.json.
    Report(ReportArgs),
    /// Measure how often the claims accuse the correct build, and how often they catch planted defects.
    #[command(
        after_help = "Exit codes: 0 the measurements are complete, no claim accused the correct build and every defect is caught; 1 one of these \
is not so, or a file cannot be written; 2 bad usage or input; 130 measurements are missing, --resume goes on."
    )]
    Calibrate(CalibrateArgs),
    /// Do the canonical runs on this machine and others, and hold their digests against the committed ones.
    Audit(AuditArgs),
    /// Measure how fast the potential loop is, against the machine's limit and the goals: three minutes, on a quiet machine.
    Bench(BenchArgs),
    /// Run the simulation that a configuration describes.
    Run(RunArgs),
    /// Redraw the experiments of the paper, as SVG and PNG with the numbers drawn.
    Figures(FiguresArgs),
    /// Measure where birth-death accelerates the student-teacher network, and where it harms: hours, resumable.
    StudentTeacher(StudentTeacherArgs),
    /// Train a network on a data set, by the dynamics that a configuration describes.
    Train(TrainArgs),
    /// Predict with a trained model.
    Predict(PredictArgs),
    /// Train with all three dynamics, and a linear model, on many splits of a data set, and compare them.
    Compare(CompareArgs),
    /// Print a data set that ships, as CSV.
    Data(DataArgs),
}

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
    /// Number of threads; all cores if not given, and never more than there is work for. The results are the same for any number.
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
    #[arg(long, value_name = "R", default_value_t = CalibrateArgs::RUNS, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub runs: u32,
    /// Only these defects, or "correct" for the crate as it is; may be repeated.
    #[arg(long = "defect", value_name = "ID")]
    pub defects: Vec<String>,
    /// Only these claims, on everything; may be repeated. Without: all on the correct build, on a defect those that should catch it.
    #[arg(long = "claim", value_name = "ID")]
    pub claims: Vec<String>,
    /// The folder that the measurements are added to.
    #[arg(long, value_name = "DIR", default_value = CalibrateArgs::OUT)]
    pub out: PathBuf,
    /// Go on with the measurements in the folder; there may be more seeds, defects and claims than before.
    #[arg(long)]
    pub resume: bool,
    /// Number of threads; all cores if not given, and never more than there is work for. The results are the same for any number.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// The first seed, 0 to 2^62; the others follow it.
    #[arg(long, value_name = "N", default_value_t = CalibrateArgs::SEED, value_parser = clap::value_parser!(u64).range(0..=1 << 62))]
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
    /// The checkout whose harness/targets/run makes the images of other targets; the nearest one from the working folder up if not given. They
    /// are built in its target folder, or in CARGO_TARGET_DIR.
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

/// `birth-death bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// Only this part; may be repeated.
    #[arg(long, value_enum, value_name = "PART")]
    pub only: Vec<BenchPart>,
    /// Fewer particles, repetitions and claims: to see that it runs. Goals that need all of them are not judged.
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
    /// How much of `verify --profile quick` is simulation, on all cores.
    Verify,
}

impl BenchPart {
    /// All, in the order of the tables.
    pub const ALL: [BenchPart; 4] = [BenchPart::Pairs, BenchPart::Step, BenchPart::Sums, BenchPart::Verify];
}

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
    /// Write down every K steps, and at Ctrl-C, how far the run has come: a file that is not there yet, or the one of --resume. It is replaced
    /// whole each time, and deleted at the end.
    #[arg(long, value_name = "FILE", requires = "every")]
    pub checkpoint: Option<PathBuf>,
    /// Steps between two checkpoints, those of all replicates together. A checkpoint that is due waits while they have taken more than 5 %
    /// of the run's time so far; one at Ctrl-C or at the end never waits.
    #[arg(long, value_name = "K", requires = "checkpoint", value_parser = clap::value_parser!(u64).range(1..))]
    pub every: Option<u64>,
    /// Go on from this checkpoint of the same configuration; the results are those of a run that was not interrupted, to the bit.
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Number of threads; all cores if not given, and never more than there is work for. The results are the same for any number.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

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
    #[arg(long, value_name = "N", default_value_t = crate::verify::DEFAULT_SEED, value_parser = clap::value_parser!(u64).range(0..1 << 63))]
    pub seed: u64,
    /// Number of threads; all cores if not given, and never more than there is work for. The results are the same for any number.
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
    /// Number of threads; all cores if not given, and never more than there is work for. The results are the same for any number.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Seed of all streams, 0 to 2^62.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=1 << 62))]
    pub seed: u64,
    /// Steps of every run, in place of 100000 (20000 for 1000 units).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(5..=10_000_000))]
    pub steps: Option<u64>,
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

/// Reads the command line and does what it asks. The code is 0 (all well), 1 (something failed), 2 (bad usage or
/// input), 3 (undecided) or 130 (interrupted).
pub fn main() -> ExitCode {
    progress::outlive_file_limit();
    let code = match Cli::try_parse() {
        Ok(cli) => answer(cli),
        Err(stopped) => {
            screen::note(stopped.print());
            ExitCode::from(if stopped.use_stderr() { BAD_INPUT } else { SUCCESS })
        }
    };
    let Some(error) = screen::end() else {
        return code;
    };
    // that standard error may be closed is no reason to stop
    let _ = writeln!(io::stderr(), "error: standard output cannot be written ({error})");
    if code == ExitCode::from(SUCCESS) { ExitCode::from(FAILURE) } else { code }
}

fn answer(cli: Cli) -> ExitCode {
    match cli.command {
        None => crate::verify::main(&VerifyArgs::default()),
        Some(Command::Verify(arguments)) => crate::verify::main(&arguments),
        Some(Command::Report(arguments)) => crate::report::rebuild::main(&arguments),
        Some(Command::Calibrate(arguments)) => crate::calibrate::main(&arguments),
        Some(Command::Audit(arguments)) => crate::audit::main(&arguments),
        Some(Command::Bench(arguments)) => crate::bench::main(&arguments),
        Some(Command::Run(arguments)) => crate::run::main(&arguments),
        Some(Command::Figures(arguments)) => crate::figures::command::main(&arguments),
        Some(Command::StudentTeacher(arguments)) => crate::study::main(&arguments),
        Some(Command::Train(arguments)) => crate::training::train::main(&arguments),
        Some(Command::Predict(arguments)) => crate::training::predict::main(&arguments),
        Some(Command::Compare(arguments)) => crate::training::compare::main(&arguments),
        Some(Command::Data(arguments)) => crate::training::samples::main(&arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_subcommand_means_the_defaults_of_verify() {
        let given = Cli::try_parse_from(["birth-death", "verify"]).expect("parsed");
        let Some(Command::Verify(arguments)) = given.command else {
            panic!("not verify");
        };
        assert_eq!(format!("{arguments:?}"), format!("{:?}", VerifyArgs::default()));
    }

    #[test]
    fn the_defaults_of_calibrate_are_written_once() {
        let given = Cli::try_parse_from(["birth-death", "calibrate"]).expect("parsed");
        let Some(Command::Calibrate(arguments)) = given.command else {
            panic!("not calibrate");
        };
        assert_eq!(format!("{arguments:?}"), format!("{:?}", CalibrateArgs::default()));
        for bad in ["--runs 0", "--seed -1", "--seed 9223372036854775808", "--threads 0"] {
            let line = format!("birth-death calibrate {bad}");
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{bad}");
        }
    }

    #[test]
    fn seeds_are_numbers_below_two_to_the_63_or_random() {
        assert_eq!("7".parse(), Ok(SeedChoice::Fixed(7)));
        assert_eq!("random".parse(), Ok(SeedChoice::Random));
        for bad in ["-1", "9223372036854775808", "1.5", "", "Random"] {
            assert!(bad.parse::<SeedChoice>().is_err(), "{bad}");
        }
    }

    #[test]
    fn pictures_repeat_and_have_at_least_fifty_replicates() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        let cli = parse("birth-death figures --only a --only b --replicates 50").expect("parsed");
        let Some(Command::Figures(arguments)) = cli.command else {
            panic!("not figures");
        };
        assert_eq!((arguments.only, arguments.replicates, arguments.seed), (vec!["a".into(), "b".into()], 50, 1));
        assert!(parse("birth-death figures --replicates 49").is_err());
        assert!(parse("birth-death figures --seed 9223372036854775808").is_err());
    }

    #[test]
    fn claims_repeat_and_threads_are_at_least_one() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        let cli = parse("birth-death verify --claim drift --claim gradient --seed random").expect("parsed");
        let Some(Command::Verify(arguments)) = cli.command else {
            panic!("not verify");
        };
        assert_eq!(arguments.claims, ["drift", "gradient"]);
        assert!(parse("birth-death run a.toml --threads 0").is_err());
        assert!(parse("birth-death run a.toml --checkpoint c --every 5 --resume c").is_ok());
        assert!(parse("birth-death run a.toml --resume c").is_ok());
        for bad in ["--checkpoint c", "--every 5", "--checkpoint c --every 0", "--resume c --every 5"] {
            assert!(parse(&format!("birth-death run a.toml {bad}")).is_err(), "{bad}");
        }
        assert!(parse("birth-death run").is_err());
        assert!(parse("birth-death --seed 3").is_err());
    }
}
