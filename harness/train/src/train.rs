//! `birth-death train`: one model from a configuration.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use birth_death::Rows;
use serde::Serialize;

use super::arguments::TrainArgs;
use super::fit::{self, End, Evaluation, Fit, Memory, Method, Trainer};
use super::model::{Data, Model, Number, Predictor, Task};
use super::prepared::{Part, Prepared};
use super::score::{Score, Scoring};
use super::{picture, source};
use birth_death_output::folder::{Folder, Placed};
use birth_death_output::manifest::{Document, InputFile, Origin};
use birth_death_output::number;
use birth_death_simulate::config::Precision;
use birth_death_simulate::config::training::{Targets, Training};
use birth_death_terminal::exit::{FAILURE, INTERRUPTED, SUCCESS};
use birth_death_terminal::progress;
use birth_death_terminal::refusal::{Refusal, listed, quoted};
use birth_death_terminal::screen;

/// Trains what the arguments ask for and says how it went; the result is the exit code.
///
/// # Errors
/// Bad input.
pub fn main(arguments: &TrainArgs) -> Result<u8, Refusal> {
    let began = Instant::now();
    let config = Training::load(&arguments.config)?;
    match config.precision {
        Precision::F32 => whole::<f32>(&config, arguments, began),
        Precision::F64 => whole::<f64>(&config, arguments, began),
    }
}

fn whole<R: Number>(config: &Training, arguments: &TrainArgs, began: Instant) -> Result<u8, Refusal> {
    let prepared = Prepared::<R>::new(config, 0)?;
    let mut memory = Memory::new(config, &prepared);
    let refuse = |error| Refusal::of_file(config.file.display(), format!("{error} (network, start, prior, dt, alpha)"));
    let trainer = Trainer::new(config, Method::of(config), &prepared, 0, &mut memory).map_err(refuse)?;
    // First of all: threads made later inherit what it blocks.
    let stop = progress::interruption();
    let folder = Folder::claim(&arguments.out, &[&config.file, &config.input.path])?;
    let bar = progress::losses(config.steps);
    let outcome = trainer.run(&bar, stop);
    bar.finish_and_clear();
    Ok(match outcome {
        Ok(fit) => conclude(config, &prepared, folder, &fit, began.elapsed()),
        Err(error) => {
            screen::error(format_args!(
                "the losses cannot be evaluated: {error}; nothing is written to {}",
                folder.place().display()
            ));
            FAILURE
        }
    })
}

/// The model of the units that a training kept.
pub fn model_of<R: Number>(
    config: &Training,
    prepared: &Prepared<R>,
    fit: &Fit<R>,
) -> Result<Model<R>, birth_death::Error> {
    let components = prepared.outputs + prepared.input_dim;
    let rows = Rows::packed(&fit.units, components)?;
    let task = match &config.targets {
        Targets::Numbers { .. } => Task::Regression { targets: prepared.targets.clone() },
        Targets::Classes { name, classes, .. } => {
            Task::Classification { target: name.clone(), classes: classes.clone() }
        }
    };
    let data = Data {
        sha256: config.input.sha256.clone(),
        training: config.sizes.training,
        validation: config.sizes.validation,
    };
    Ok(Model::new(config.activation, fit::scale(config), config.bias, data, prepared.columns.clone(), task, rows))
}

/// What is scored on data standardised as in `prepared`.
pub fn scoring<R: Number>(config: &Training, prepared: &Prepared<R>) -> Scoring {
    match &config.targets {
        Targets::Numbers { .. } => {
            Scoring::Numbers(prepared.targets.iter().map(|column| (column.name.clone(), column.sd)).collect())
        }
        Targets::Classes { .. } => Scoring::Classes,
    }
}

/// How good a model is on one part; none of an empty one.
///
/// # Errors
/// The core's.
pub fn score<R: Number>(
    config: &Training,
    prepared: &Prepared<R>,
    model: &Model<R>,
    part: &Part<R>,
) -> Result<Option<Score>, birth_death::Error> {
    if part.rows.is_empty() {
        return Ok(None);
    }
    let predictor = Predictor::new(model);
    let mut outputs = Vec::with_capacity(part.targets.len());
    for &row in &part.rows {
        let raw: Vec<f64> = config.inputs.iter().map(|column| column[row]).collect();
        outputs.extend(predictor.outputs(&raw)?.into_iter().map(R::to_f64));
    }
    let targets: Vec<f64> = part.targets.iter().map(|y| y.to_f64()).collect();
    Ok(Some(scoring(config, prepared).score(&outputs, &targets, prepared.outputs)))
}

#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(flatten)]
    origin: Origin,
    ended: &'static str,
    steps: u64,
    kept_step: u64,
    #[serde(with = "number")]
    training_loss: f64,
    validation_loss: Option<f64>,
    rows: [(&'static str, usize); 3],
    test: Option<Tested>,
    configuration: Document<'a>,
    inputs: [InputFile<'a>; 1],
}

#[derive(Serialize)]
struct Tested {
    loss: f64,
    scores: Vec<(String, f64)>,
}

/// The unit of the loss.
fn unit(config: &Training) -> &'static str {
    match config.targets {
        Targets::Numbers { .. } if config.standardise => "half the squared error, standardised",
        Targets::Numbers { .. } => "half the squared error",
        Targets::Classes { .. } => "cross-entropy in nats",
    }
}

/// `losses.csv`; numbers as short as they read back in the precision of the run.
fn losses<R: Number>(out: &mut dyn Write, evaluations: &[Evaluation]) -> io::Result<()> {
    writeln!(out, "step,time,training_loss,validation_loss,births,deaths,distinct")?;
    for e in evaluations {
        let validation = e.validation.map_or_else(String::new, |loss| format!("{:?}", R::from_f64(loss)));
        let training = R::from_f64(e.training);
        writeln!(out, "{},{:?},{training:?},{validation},{},{},{}", e.step, e.time, e.births, e.deaths, e.distinct)?;
    }
    Ok(())
}

fn keep<R: Number>(
    config: &Training,
    folder: Folder,
    fit: &Fit<R>,
    model: &Model<R>,
    test: Option<&Score>,
    names: &[String],
) -> Result<Placed, String> {
    let best = fit.best();
    let manifest = Manifest {
        origin: Origin::new("train", config.precision.name(), config.seed),
        ended: fit.end.word(),
        steps: fit.evaluations.last().map_or(0, |last| last.step),
        kept_step: best.step,
        training_loss: best.training,
        validation_loss: best.validation,
        rows: [
            ("training", config.sizes.training),
            ("validation", config.sizes.validation),
            ("test", config.sizes.test),
        ],
        test: test.map(|score| Tested {
            loss: score.loss,
            scores: names.iter().cloned().zip(score.values.iter().copied()).collect(),
        }),
        configuration: Document::new(&config.file, &config.text),
        inputs: [(&config.input).into()],
    };
    let file = config.file.file_name().unwrap_or_default().to_string_lossy();
    let complete = matches!(fit.end, End::Complete | End::Patience);
    folder.finish(complete, &manifest, |draft| {
        draft.write("model.json", |out| {
            serde_json::to_writer(&mut *out, model)?;
            writeln!(out)
        })?;
        draft.write("model.rs", |out| out.write_all(source::source(model).as_bytes()))?;
        draft.write("losses.csv", |out| losses::<R>(out, &fit.evaluations))?;
        draft.write("losses.svg", |out| {
            out.write_all(picture::losses(&file, unit(config), &fit.evaluations, fit.kept).as_bytes())
        })
    })
}

/// Keeps the model and tells the user; the result is the exit code.
fn conclude<R: Number>(config: &Training, prepared: &Prepared<R>, folder: Folder, fit: &Fit<R>, took: Duration) -> u8 {
    let scored = model_of(config, prepared, fit)
        .and_then(|model| score(config, prepared, &model, &prepared.test).map(|test| (model, test)));
    let (model, test) = match scored {
        Ok(scored) => scored,
        Err(error) => {
            screen::error(format_args!("{error}; nothing is written to {}", folder.place().display()));
            return FAILURE;
        }
    };
    let names = scoring(config, prepared).names();
    let placed = match keep(config, folder, fit, &model, test.as_ref(), &names) {
        Ok(placed) => placed,
        Err(message) => {
            screen::error(message);
            return FAILURE;
        }
    };
    screen::print(report(config, prepared, fit, test.as_ref(), &names, placed.place(), took));
    match &fit.end {
        End::Complete | End::Patience => SUCCESS,
        End::Interrupted => {
            screen::error(format_args!("interrupted; the best model so far is kept in {placed}"));
            INTERRUPTED
        }
        End::Failed { step, error } => {
            screen::error(format_args!("step {step}: {error}; the best model before it is kept in {placed}"));
            FAILURE
        }
    }
}

/// What is wrong with a training that succeeded only by its form: in one line, if there is anything.
fn doubt<R: Number>(config: &Training, prepared: &Prepared<R>, fit: &Fit<R>) -> Option<String> {
    let (best, part, which) = match fit.best().validation {
        Some(loss) => (loss, &prepared.validation, "validation"),
        None => (fit.best().training, &prepared.training, "training"),
    };
    let last = fit.evaluations.last().map_or(best, |last| last.validation.unwrap_or(last.training));
    let of = |part: &Part<R>| part.targets.iter().map(|y| y.to_f64()).collect::<Vec<f64>>();
    let mean = scoring(config, prepared).loss_of_mean(&of(&prepared.training), &of(part), prepared.outputs);
    let mut faults = Vec::new();
    if fit.kept == 0 && fit.evaluations.len() > 1 {
        faults.push("no step improved on the start, which is the model that is kept".to_owned());
    }
    // written so that a loss that is not a number is a fault
    let is_below = |loss: f64| loss <= mean;
    if !is_below(best) {
        faults.push(format!("the {which} loss of the model, {best:.6}, is above that of the mean, {mean:.6}"));
    } else if !is_below(last) {
        faults.push(format!("the training ended with a {which} loss, {last:.6}, above that of the mean, {mean:.6}"));
    }
    (!faults.is_empty()).then(|| format!("warning: {}: try another dt, or more steps\n", faults.join(", and ")))
}

fn report<R: Number>(
    config: &Training,
    prepared: &Prepared<R>,
    fit: &Fit<R>,
    test: Option<&Score>,
    names: &[String],
    place: &Path,
    took: Duration,
) -> String {
    let best = fit.best();
    let made = fit.evaluations.last().map_or(0, |last| last.step);
    let validation = best.validation.map_or_else(String::new, |loss| format!(", validation loss {loss:.6}"));
    let mut text = constant(&prepared.constant);
    text.push_str(&format!(
        "the model after step {} of {made} is kept: training loss {:.6}{validation} ({})\n",
        best.step,
        best.training,
        unit(config)
    ));
    if fit.end == End::Patience {
        text.push_str("stopped: the validation loss no longer improves\n");
    }
    if let Some(test) = test {
        let values: Vec<String> =
            names.iter().zip(&test.values).map(|(name, value)| format!(", {name} {value:.4}")).collect();
        text.push_str(&format!("test: loss {:.6}{}\n", test.loss, values.concat()));
    }
    text.push_str(&format!(
        "model.json, model.rs, losses.csv, losses.svg and manifest.json are in {}\n{:.2} s\n",
        place.display(),
        took.as_secs_f64()
    ));
    text.extend(doubt(config, prepared, fit));
    text
}

/// One line on the columns whose scale is 1 because the rows to train on show none; empty if there are none.
fn constant(columns: &[String]) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let columns: Vec<String> = columns.iter().map(|name| format!("\"{}\"", quoted(name))).collect();
    format!("constant in the rows to train on, so that the scale is 1: {}\n", listed(&columns))
}
