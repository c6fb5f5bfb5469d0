//! `birth-death predict`: a model's predictions for the rows of a CSV file.

use std::io::{self, Write};
use std::path::Path;

use super::arguments::PredictArgs;
use super::inference::{class, probabilities, restored, standardised};
use super::model::{self, Data, Model, Number, Predictor, Task};
use super::prepared::encode;
use super::score::Scoring;
use birth_death_simulate::config::Precision;
use birth_death_simulate::config::columns::Columns;
use birth_death_terminal::exit::{FAILURE, SUCCESS};
use birth_death_terminal::refusal::Refusal;
use birth_death_terminal::screen;

/// Predicts what the arguments ask for; the result is the exit code.
///
/// # Errors
/// Bad input.
pub fn main(arguments: &PredictArgs) -> Result<u8, Refusal> {
    match model::precision(&arguments.model)? {
        Precision::F32 => whole::<f32>(arguments),
        Precision::F64 => whole::<f64>(arguments),
    }
}

fn whole<R: Number>(arguments: &PredictArgs) -> Result<u8, Refusal> {
    let model = Model::<R>::read(&arguments.model)?;
    let columns = Columns::read(&arguments.data)?;
    let outputs = outputs(&model, &columns)?;
    let scored = scored(&model, &columns, &outputs)?;
    if let Some(out) = &arguments.out {
        if std::fs::metadata(out).is_ok_and(|data| !data.is_file()) {
            let message = "is no regular file; accepted: a file, or none for standard output";
            return Err(Refusal::of_file(format!("--out {}", out.display()), message));
        }
        for input in [&arguments.model, &arguments.data] {
            if same(out, input) {
                let message = "is an input, which would be overwritten; accepted: another file";
                return Err(Refusal::of_file(format!("--out {}", out.display()), message));
            }
        }
    }
    let text =
        table(&model, &outputs).map_err(|error| Refusal::of_file(arguments.data.display(), error.to_string()))?;
    let written = match &arguments.out {
        Some(file) => put(file, &text).map_err(|error| format!("--out {}: {error}", file.display())),
        None => {
            screen::print(&text);
            Ok(())
        }
    };
    if let Err(message) = written {
        screen::error(message);
        return Ok(FAILURE);
    }
    if let Some(line) = scored {
        let _ = writeln!(io::stderr(), "{line}");
    }
    Ok(SUCCESS)
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Writes a file whole or not at all.
fn put(file: &Path, text: &[u8]) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".birth-death-");
    // a temporary file is its owner's alone; a result is anyone's, as the umask allows
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut draft = builder.tempfile_in(folder)?;
    draft.write_all(text)?;
    draft.as_file().sync_all()?;
    draft.persist(file).map(|_| ()).map_err(|error| error.error)
}

/// The network's outputs for each row.
fn outputs<R: Number>(model: &Model<R>, columns: &Columns) -> Result<Vec<Vec<R>>, Refusal> {
    let mut inputs = Vec::with_capacity(model.inputs.len());
    for column in &model.inputs {
        inputs.push(columns.numbers(columns.required(&column.name)?, R::PRECISION)?);
    }
    let predictor = Predictor::new(model);
    (0..columns.rows())
        .map(|row| {
            let raw: Vec<f64> = inputs.iter().map(|column| column[row]).collect();
            let outputs = predictor.outputs(&raw).map_err(|error| columns.refuse(error.to_string()))?;
            let is_finite = match &model.task {
                Task::Regression { targets } => {
                    outputs.iter().zip(targets).all(|(&f, column)| restored(f, column).is_finite())
                }
                Task::Classification { .. } => outputs.iter().all(|output| output.is_finite()),
            };
            if is_finite {
                Ok(outputs)
            } else {
                Err(columns.refuse(format!(
                    "row {} has no finite prediction; accepted: inputs like those of the training",
                    row + 1
                )))
            }
        })
        .collect()
}

/// How good the predictions are, if the targets are there; a target column without any value is none.
fn scored<R: Number>(model: &Model<R>, columns: &Columns, outputs: &[Vec<R>]) -> Result<Option<String>, Refusal> {
    let mut targets: Vec<R> = Vec::new();
    let filled = |name: &str| columns.place(name).filter(|&place| !columns.is_empty(place));
    let scoring = match &model.task {
        Task::Regression { targets: wanted } => {
            let Some(places) = wanted.iter().map(|column| filled(&column.name)).collect::<Option<Vec<_>>>() else {
                return Ok(None);
            };
            let values =
                places.into_iter().map(|place| columns.numbers(place, R::PRECISION)).collect::<Result<Vec<_>, _>>()?;
            for row in 0..columns.rows() {
                targets
                    .extend(wanted.iter().zip(&values).map(|(column, values)| standardised::<R>(values[row], column)));
            }
            Scoring::Numbers(wanted.iter().map(|column| (column.name.clone(), column.sd)).collect())
        }
        Task::Classification { target, classes } => {
            let Some(place) = filled(target) else {
                return Ok(None);
            };
            for class in columns.classes(place, classes)? {
                encode(class, model.task.outputs(), &mut targets);
            }
            Scoring::Classes
        }
    };
    let outputs: Vec<f64> = outputs.iter().flatten().map(|output| output.to_f64()).collect();
    let targets: Vec<f64> = targets.iter().map(|target| target.to_f64()).collect();
    let score = scoring.score(&outputs, &targets, model.task.outputs());
    let values: Vec<String> =
        scoring.names().iter().zip(&score.values).map(|(name, value)| format!(", {name} {value:.6}")).collect();
    let mut said = format!("{} rows: loss {:.6}{}", columns.rows(), score.loss, values.concat());
    let Data { sha256, training, validation } = &model.data;
    if sha256 == columns.sha256() {
        said.push_str(&format!(
            "\nthe model was made of this file: the score includes the {training} rows that it was trained on"
        ));
        if *validation > 0 {
            said.push_str(&format!(" and the {validation} that chose it"));
        }
    }
    Ok(Some(said))
}

/// The predictions as CSV: numbers under their targets' names, in f64 and the shortest form that reads back as the same
/// number; or the class under its target's name, and the probability of each.
fn table<R: Number>(model: &Model<R>, outputs: &[Vec<R>]) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    match &model.task {
        Task::Regression { targets } => {
            out.write_record(targets.iter().map(|column| column.name.as_str()))?;
            for row in outputs {
                out.write_record(row.iter().zip(targets).map(|(&f, column)| format!("{:?}", restored(f, column))))?;
            }
        }
        Task::Classification { target, classes } => {
            let of_classes = classes.iter().map(|class| format!("probability {class}"));
            out.write_record(std::iter::once(target.clone()).chain(of_classes))?;
            for row in outputs {
                let of_classes = probabilities(row).into_iter().map(|p| format!("{p:?}"));
                out.write_record(std::iter::once(classes[class(row)].clone()).chain(of_classes))?;
            }
        }
    }
    out.into_inner().map_err(|error| error.into_error().into())
}
