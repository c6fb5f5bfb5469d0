//! `birth-death run`: replicates of one simulation, their tables, and what is said about them.

pub mod checkpoint;
mod pace;
mod replicates;
pub mod results;
pub mod saved;

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use birth_death::Real;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::arguments::RunArgs;
use crate::config::{Config, Precision};
use crate::problem::{Numbers, Problem};
use birth_death_output::folder::{Folder, Placed};
use birth_death_output::manifest::{Document, InputFile, Origin};
use birth_death_stats::interval::Sample;
use birth_death_terminal::exit::{FAILURE, INTERRUPTED, SUCCESS};
use birth_death_terminal::refusal::Refusal;
use birth_death_terminal::screen;
use birth_death_terminal::{parallel, progress};

use checkpoint::Keeper;
use saved::Progress;

pub use replicates::{Outcome, execute, go_on};
pub use saved::Failure;

/// Runs what the arguments ask for and says how it went; the result is the exit code.
///
/// # Errors
/// Bad input.
pub fn main(arguments: &RunArgs) -> Result<u8, Refusal> {
    let began = Instant::now();
    let config = Config::load(&arguments.config)?;
    match config.precision {
        Precision::F32 => whole::<f32>(&config, arguments, began),
        Precision::F64 => whole::<f64>(&config, arguments, began),
    }
}

fn whole<R: Real>(config: &Config, arguments: &RunArgs, began: Instant) -> Result<u8, Refusal> {
    let numbers = Numbers::<R>::of(&config.model);
    let Some(problem) = prepared(config, &numbers)? else {
        screen::error("interrupted before the first step; nothing is written");
        return Ok(INTERRUPTED);
    };
    let mut inputs: Vec<&Path> = vec![&config.file];
    inputs.extend(config.inputs.iter().map(|input| input.path.as_path()));
    inputs.extend(arguments.resume.as_deref());
    let before = match &arguments.resume {
        None => Progress::default(),
        Some(file) => Progress::decode(config, &problem, &checkpoint::read(file)?)
            .map_err(|message| checkpoint::refuse_resume(file, &message))?,
    };
    // First of all: threads made later inherit what it blocks.
    let stop = progress::interruption();
    let folder = Folder::claim(&arguments.out, &inputs)?;
    let pool = parallel::pool(arguments.threads);
    let total = config.steps.saturating_mul(config.replicates);
    let bar = progress::bar(total, "steps");
    let keeper = match (&arguments.checkpoint, arguments.every) {
        (Some(file), Some(every)) => {
            Some(Keeper::claim(file, every, arguments.resume.as_deref(), folder.place(), bar.clone())?)
        }
        _ => None,
    };
    if let Some(file) = &arguments.resume {
        screen::print(format!("{} of {total} steps were made before {}\n", before.steps(config), file.display()));
    }
    let outcome = go_on(config, &problem, &pool, &bar, stop, before, keeper.as_ref());
    bar.finish_and_clear();
    Ok(conclude(config, folder, &outcome, keeper, began.elapsed()))
}

/// The problem; `None` if the user interrupts what a model computes before the first step.
fn prepared<'n, R: Real>(config: &Config, numbers: &'n Numbers<R>) -> Result<Option<Problem<'n, R>>, Refusal> {
    let stop = progress::interruption();
    let mut bar: Option<ProgressBar> = None;
    let problem = Problem::watched(config, numbers, &mut |done, total| {
        // none for what is done at once
        if done > 0 {
            bar.get_or_insert_with(|| progress::bar(total as u64, "rows of the constant of the sample"))
                .set_position(done as u64);
        }
        !stop.load(Ordering::Relaxed)
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    problem
}

#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(flatten)]
    origin: Origin,
    replicates: u64,
    completed: usize,
    ensemble_replicate: Option<u64>,
    failures: &'a [Failure],
    configuration: Document<'a>,
    inputs: Vec<InputFile<'a>>,
}

/// Writes the complete replicates into the folder.
fn keep<R: Real>(config: &Config, folder: Folder, outcome: &Outcome<R>) -> Result<Placed, String> {
    let manifest = Manifest {
        origin: Origin::new("run", config.precision.name(), config.seed),
        replicates: config.replicates,
        completed: outcome.trajectories.len(),
        ensemble_replicate: outcome.trajectories.first().map(|first| first.replicate),
        failures: &outcome.failures,
        configuration: Document::new(&config.file, &config.text),
        inputs: config.inputs.iter().map(InputFile::from).collect(),
    };
    let names = config.model.components();
    let complete = outcome.trajectories.len() as u64 == config.replicates;
    folder.finish(complete, &manifest, |draft| {
        draft.write("trajectory.csv", |out| results::trajectory(out, &outcome.trajectories, config.dt))?;
        draft.write("summary.csv", |out| results::summary(out, &outcome.trajectories, config.dt))?;
        draft.write("ensemble.csv", |out| results::ensemble(out, &names, &outcome.ensemble))
    })
}

/// Keeps what is complete and tells the user; the result is the exit code. Of a run that has ended the checkpoint is
/// deleted.
fn conclude<R: Real>(
    config: &Config,
    folder: Folder,
    outcome: &Outcome<R>,
    keeper: Option<Keeper>,
    took: Duration,
) -> u8 {
    let told = keeper.as_ref().map_or(String::new(), |keeper| format!("; {}", keeper.tell()));
    let completed = outcome.trajectories.len();
    let kept = if completed == 0 {
        format!("no replicate was complete: nothing is written to {}", folder.place().display())
    } else {
        match keep(config, folder, outcome) {
            Ok(placed) => {
                screen::print(report(config, outcome, placed.place(), took));
                format!("{completed} complete replicates of {} are kept in {placed}", config.replicates)
            }
            Err(message) => {
                screen::error(format_args!("{message}{told}"));
                return FAILURE;
            }
        }
    };
    if outcome.interrupted {
        screen::error(format_args!("interrupted; {kept}{told}"));
        return INTERRUPTED;
    }
    if let Some(Err(error)) = keeper.map(Keeper::discard) {
        let _ = writeln!(
            io::stderr(),
            "warning: the checkpoint, of which nobody has need now, cannot be deleted ({error})"
        );
    }
    let Some(failure) = outcome.failures.first() else {
        return SUCCESS;
    };
    let others = match outcome.failures.len() {
        1 => String::new(),
        count => format!(" (and {} other replicates failed)", count - 1),
    };
    screen::error(format_args!(
        "replicate {}, step {}: {}{others}; {kept}",
        failure.replicate, failure.step, failure.error
    ));
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
