//! `birth-death run`: replicates of one simulation, their tables, and what is said about them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use birth_death::Real;
use indicatif::ProgressBar;
use rayon::ThreadPool;
use serde::Serialize;

use crate::cli::{BAD_INPUT, FAILURE, INTERRUPTED, RunArgs, SUCCESS};
use crate::config::{Config, Precision, Refusal, sha256};
use crate::output::folder::{Folder, MANIFEST};
use crate::output::manifest::{Build, GENERATOR};
use crate::output::results::{self, Row, Trajectory};
use crate::problem::{Numbers, Problem};
use crate::stats::interval::Sample;
use crate::{parallel, progress};

/// Steps between two calls of the progress bar, each of which looks at the clock.
const STEPS_A_TICK: u64 = 8;

/// Runs what the arguments ask for and says how it went; the result is the exit code.
pub fn main(arguments: &RunArgs) -> ExitCode {
    let began = Instant::now();
    let code = match Config::load(&arguments.config) {
        Ok(config) => {
            let done = match config.precision {
                Precision::F32 => whole::<f32>(&config, arguments, began),
                Precision::F64 => whole::<f64>(&config, arguments, began),
            };
            done.unwrap_or_else(|refusal| refused(&refusal))
        }
        Err(refusal) => refused(&refusal),
    };
    ExitCode::from(code)
}

fn refused(refusal: &Refusal) -> u8 {
    complain(&refusal.to_string());
    BAD_INPUT
}

/// One line on standard error; that it may be closed is no reason to stop.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "error: {message}");
}

fn whole<R: Real>(config: &Config, arguments: &RunArgs, began: Instant) -> Result<u8, Refusal> {
    let numbers = Numbers::<R>::of(&config.model);
    let problem = Problem::new(config, &numbers)?;
    let mut inputs: Vec<&Path> = vec![&config.file];
    inputs.extend(config.inputs.iter().map(|input| input.path.as_path()));
    // First of all: threads made later inherit what it blocks, and the claim moves an earlier result for a moment.
    let stop = progress::interruption();
    let folder = Folder::claim(&arguments.out, &inputs)?;
    let pool = parallel::pool(arguments.threads).map_err(|error| {
        Refusal::of_file("--threads", format!("{error}; accepted: as many threads as the system gives"))
    })?;
    let bar = progress::bar(config.steps.saturating_mul(config.replicates), "steps");
    let outcome = execute(config, &problem, &pool, &bar, stop);
    bar.finish_and_clear();
    Ok(conclude(config, &folder, &outcome, began.elapsed()))
}

/// How one replicate ended without a trajectory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failure {
    /// Which replicate.
    pub replicate: u64,
    /// The step that could not be made, counted from 0.
    pub step: u64,
    /// Why.
    pub error: String,
}

/// Everything a simulation gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome<R> {
    /// The complete replicates, in order.
    pub trajectories: Vec<Trajectory<R>>,
    /// The final ensemble of the first of them: `rows[k][i]` is component k of particle i.
    pub ensemble: Vec<Vec<R>>,
    /// The replicates that met a numerical error, in order.
    pub failures: Vec<Failure>,
    /// Whether it was interrupted before all replicates had ended.
    pub interrupted: bool,
}

enum End<R> {
    Complete(Trajectory<R>),
    Failed(Failure),
    Interrupted,
}

/// Runs every replicate of the configuration on the pool.
///
/// Replicate r depends on the configuration and on r only, so the outcome is the same for any number of threads,
/// unless `stop` is set on the way: then replicates that are not complete are dropped.
pub fn execute<R: Real>(
    config: &Config,
    problem: &Problem<'_, R>,
    pool: &ThreadPool,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> Outcome<R> {
    let first = Mutex::new(None);
    let ends =
        parallel::map_in_order(pool, config.replicates, |index| replicate(config, problem, index, bar, stop, &first));
    let mut outcome =
        Outcome { trajectories: Vec::new(), ensemble: Vec::new(), failures: Vec::new(), interrupted: false };
    for end in ends {
        match end {
            End::Complete(trajectory) => outcome.trajectories.push(trajectory),
            End::Failed(failure) => outcome.failures.push(failure),
            End::Interrupted => outcome.interrupted = true,
        }
    }
    let first = first.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    outcome.ensemble = first.map_or_else(Vec::new, |(_, ensemble)| ensemble);
    outcome
}

/// The complete replicate of the smallest index so far, and its final ensemble.
type First<R> = Mutex<Option<(u64, Vec<Vec<R>>)>>;

fn replicate<R: Real>(
    config: &Config,
    problem: &Problem<'_, R>,
    index: u64,
    bar: &ProgressBar,
    stop: &AtomicBool,
    first: &First<R>,
) -> End<R> {
    let failed =
        |step, error: birth_death::Error| End::Failed(Failure { replicate: index, step, error: error.to_string() });
    if stop.load(Ordering::Relaxed) {
        return End::Interrupted;
    }
    let mut simulation = match problem.simulation(config, index) {
        Ok(simulation) => simulation,
        Err(error) => return failed(0, error),
    };
    let mut rows = Vec::new();
    let (mut births, mut deaths) = (0, 0);
    for step in 0..config.steps {
        if stop.load(Ordering::Relaxed) {
            return End::Interrupted;
        }
        // A step reports the energy of the ensemble it found: that of the recorded row, at no cost.
        let recorded = config.records(step).then(|| simulation.distinct());
        let report = match simulation.step() {
            Ok(report) => report,
            Err(error) => return failed(step, error),
        };
        if let Some(distinct) = recorded {
            rows.push(Row {
                step,
                energy: report.energy,
                mean_potential: report.mean_potential,
                births: std::mem::take(&mut births),
                deaths: std::mem::take(&mut deaths),
                distinct,
            });
        }
        births += u64::from(report.births);
        deaths += u64::from(report.deaths);
        if (step + 1).is_multiple_of(STEPS_A_TICK) {
            bar.inc(STEPS_A_TICK);
        }
    }
    bar.inc(config.steps % STEPS_A_TICK);
    let (energy, mean_potential) = match simulation.evaluate() {
        Ok(last) => last,
        Err(error) => return failed(config.steps, error),
    };
    rows.push(Row { step: config.steps, energy, mean_potential, births, deaths, distinct: simulation.distinct() });
    let mut first = first.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if first.as_ref().is_none_or(|&(smallest, _)| index < smallest) {
        let ensemble = simulation.rows().iter().map(<[R]>::to_vec).collect();
        *first = Some((index, ensemble));
    }
    End::Complete(Trajectory { replicate: index, rows })
}

#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(flatten)]
    build: Build,
    command: &'static str,
    precision: &'static str,
    generator: &'static str,
    seed: u64,
    complete: bool,
    replicates: u64,
    completed: usize,
    ensemble_replicate: Option<u64>,
    failures: &'a [Failure],
    configuration: Document<'a>,
    inputs: Vec<InputFile<'a>>,
}

#[derive(Serialize)]
struct Document<'a> {
    file: String,
    sha256: String,
    text: &'a str,
}

#[derive(Serialize)]
struct InputFile<'a> {
    key: &'a str,
    file: &'a str,
    sha256: &'a str,
}

/// Writes the complete replicates into the folder and puts it in its place.
///
/// # Errors
/// Those of the system; an earlier result is untouched then.
pub fn keep<R: Real>(config: &Config, folder: &Folder, outcome: &Outcome<R>) -> io::Result<PathBuf> {
    let manifest = Manifest {
        build: Build::this(),
        command: "run",
        precision: config.precision.name(),
        generator: GENERATOR,
        seed: config.seed,
        complete: outcome.trajectories.len() as u64 == config.replicates,
        replicates: config.replicates,
        completed: outcome.trajectories.len(),
        ensemble_replicate: outcome.trajectories.first().map(|first| first.replicate),
        failures: &outcome.failures,
        configuration: Document {
            file: config.file.display().to_string(),
            sha256: sha256(config.text.as_bytes()),
            text: &config.text,
        },
        inputs: config
            .inputs
            .iter()
            .map(|input| InputFile { key: &input.key, file: &input.name, sha256: &input.sha256 })
            .collect(),
    };
    let names = config.model.components();
    let draft = folder.draft()?;
    draft.write("trajectory.csv", |out| results::trajectory(out, &outcome.trajectories, config.dt))?;
    draft.write("summary.csv", |out| results::summary(out, &outcome.trajectories, config.dt))?;
    draft.write("ensemble.csv", |out| results::ensemble(out, &names, &outcome.ensemble))?;
    draft.write(MANIFEST, |out| {
        serde_json::to_writer_pretty(&mut *out, &manifest)?;
        writeln!(out)
    })?;
    draft.replace()
}

/// Keeps what is complete and tells the user; the result is the exit code.
fn conclude<R: Real>(config: &Config, folder: &Folder, outcome: &Outcome<R>, took: Duration) -> u8 {
    let place = folder.place().to_owned();
    let completed = outcome.trajectories.len();
    let kept = if completed == 0 {
        format!("no replicate was complete: nothing is written to {}", place.display())
    } else {
        match keep(config, folder, outcome) {
            Ok(place) => {
                let _ = io::stdout().write_all(report(config, outcome, &place, took).as_bytes());
                format!("{completed} complete replicates of {} are kept in {}", config.replicates, place.display())
            }
            Err(error) => {
                complain(&format!(
                    "the result cannot be written to {} ({error}); what was there before is kept",
                    place.display()
                ));
                return FAILURE;
            }
        }
    };
    if outcome.interrupted {
        complain(&format!("interrupted; {kept}"));
        return INTERRUPTED;
    }
    let Some(failure) = outcome.failures.first() else {
        return SUCCESS;
    };
    let others = match outcome.failures.len() {
        1 => String::new(),
        count => format!(" (and {} other replicates failed)", count - 1),
    };
    complain(&format!("replicate {}, step {}: {}{others}; {kept}", failure.replicate, failure.step, failure.error));
    FAILURE
}

/// A number with so many digits after the point; sums and squares of finite energies may overflow.
fn shown(number: f64, digits: usize) -> String {
    if number.is_finite() { format!("{number:.digits$e}") } else { "not finite in f64".to_owned() }
}

fn report<R: Real>(config: &Config, outcome: &Outcome<R>, place: &Path, took: Duration) -> String {
    let last: Vec<f64> = outcome
        .trajectories
        .iter()
        .filter_map(|trajectory| trajectory.rows.last())
        .map(|row| row.energy.to_f64())
        .collect();
    let found = Sample::of(&last);
    let error = if last.len() > 1 {
        format!(" +- {} (standard error)", shown(found.standard_error(), 2))
    } else {
        String::new()
    };
    format!(
        "final mean energy {}{error} over {} of {} replicates, step {}\n\
         trajectory.csv, summary.csv, ensemble.csv and manifest.json are in {}\n\
         {:.2} s\n",
        shown(found.mean, 6),
        last.len(),
        config.replicates,
        config.steps,
        place.display(),
        took.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_overflow_are_said_to() {
        assert_eq!(shown(1234.5, 2), "1.23e3");
        assert_eq!(shown(f64::INFINITY, 2), "not finite in f64");
        assert_eq!(shown(Sample::of(&[1e200, 3e200]).standard_error(), 2), "not finite in f64");
    }
}
