//! The command line: what may be asked, and which module answers.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use birth_death_audit::arguments::AuditArgs;
use birth_death_bench::arguments::BenchArgs;
use birth_death_simulate::arguments::RunArgs;
use birth_death_study::arguments::{FiguresArgs, StudentTeacherArgs};
use birth_death_terminal::exit::{BAD_INPUT, FAILURE, SUCCESS};
use birth_death_terminal::progress;
use birth_death_terminal::refusal::Refusal;
use birth_death_terminal::screen;
use birth_death_train::arguments::{CompareArgs, DataArgs, PredictArgs, TrainArgs};
use birth_death_verify::arguments::{CalibrateArgs, ReportArgs, VerifyArgs};

/// Verifies the birth-death implementation, runs a simulation from a configuration, trains a network on data, or
/// redraws the paper's experiments.
#[derive(Debug, Parser)]
#[command(name = "birth-death", version, about, after_help = EXIT_CODES)]
struct Cli {
    /// Without one: `verify --profile quick`.
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 all well, 1 something failed (a claim, a requirement, a file that cannot be \
    written), 2 bad usage or input, 3 undecided, 130 interrupted.";

/// The subcommands.
#[derive(Debug, Subcommand)]
enum Command {
    /// Hold the implementation against its claims, print the verdicts and write the report.
    Verify(VerifyArgs),
    /// Make the page and junit.xml of a report again, from its verdicts.json.
    Report(ReportArgs),
    /// Measure how often the claims accuse the correct build, and how often they catch planted defects.
    #[command(
        after_help = "Exit codes: 0 the measurements are complete, no claim accused the correct build and every defect \
            is caught; 1 one of these is not so, or a file cannot be written; 2 bad usage or input; 130 measurements \
            are missing, --resume goes on."
    )]
    Calibrate(CalibrateArgs),
    /// Do the canonical runs on this machine and others, and hold their digests against the committed ones.
    Audit(AuditArgs),
    /// Measure how fast the potential loop is, against the machine's limit and the goals: three minutes, on a quiet
    /// machine.
    Bench(BenchArgs),
    /// Run the simulation that a configuration describes.
    Run(RunArgs),
    /// Redraw the experiments of the paper, as SVG with the numbers drawn.
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

/// Reads the command line and does what it asks. The code is 0 (all well), 1 (something failed), 2 (bad usage or
/// input), 3 (undecided) or 130 (interrupted).
fn main() -> ExitCode {
    progress::outlive_file_limit();
    let code = match Cli::try_parse() {
        Ok(cli) => answer(cli).unwrap_or_else(|refusal| {
            screen::error(refusal);
            BAD_INPUT
        }),
        Err(stopped) => {
            screen::note(stopped.print());
            if stopped.use_stderr() { BAD_INPUT } else { SUCCESS }
        }
    };
    let Some(error) = screen::end() else {
        return ExitCode::from(code);
    };
    screen::error(format_args!("standard output cannot be written ({error})"));
    ExitCode::from(if code == SUCCESS { FAILURE } else { code })
}

fn answer(cli: Cli) -> Result<u8, Refusal> {
    match cli.command {
        None => birth_death_verify::verify::main(&VerifyArgs::default()),
        Some(Command::Verify(arguments)) => birth_death_verify::verify::main(&arguments),
        Some(Command::Report(arguments)) => birth_death_verify::report::rebuild::main(&arguments),
        Some(Command::Calibrate(arguments)) => birth_death_verify::calibrate::main(&arguments),
        Some(Command::Audit(arguments)) => birth_death_audit::main(&arguments),
        Some(Command::Bench(arguments)) => birth_death_bench::main(&arguments),
        Some(Command::Run(arguments)) => birth_death_simulate::run::main(&arguments),
        Some(Command::Figures(arguments)) => birth_death_study::figures::command::main(&arguments),
        Some(Command::StudentTeacher(arguments)) => birth_death_study::study::main(&arguments),
        Some(Command::Train(arguments)) => birth_death_train::train::main(&arguments),
        Some(Command::Predict(arguments)) => birth_death_train::predict::main(&arguments),
        Some(Command::Compare(arguments)) => birth_death_train::compare::main(&arguments),
        Some(Command::Data(arguments)) => birth_death_train::samples::main(&arguments),
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
