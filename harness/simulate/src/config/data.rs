//! `[data]` of a training: the file, its columns, and how its rows are split.

use std::path::Path;

use super::columns::Columns;
use super::reader::{Sign, Table, Value};
use birth_death_output::input::Input;
use birth_death_terminal::refusal::Refusal;
use birth_death_terminal::refusal::{listed, nearest, quoted};

use super::MAX_DIMENSION;

/// The share of the rows that chooses the model, if the configuration does not say.
const VALIDATION: f64 = 0.2;
/// Fewest rows to train on: a standard deviation needs two.
const FEWEST: usize = 2;

/// What a network is to say of an example.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// A number for each of these columns: `values[k][row]`.
    Numbers {
        /// The columns.
        names: Vec<String>,
        /// Their values.
        values: Vec<Vec<f64>>,
    },
    /// Which of several classes.
    Classes {
        /// The column.
        name: String,
        /// The labels, sorted as text; two or more.
        classes: Vec<String>,
        /// The place of each row's label among them.
        rows: Vec<usize>,
    },
}

impl Targets {
    /// The columns.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Numbers { names, .. } => names.clone(),
            Self::Classes { name, .. } => vec![name.clone()],
        }
    }

    /// Outputs of the network: one a number; one for two classes, one each for more.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Numbers { names, .. } => names.len(),
            Self::Classes { classes, .. } if classes.len() == 2 => 1,
            Self::Classes { classes, .. } => classes.len(),
        }
    }
}

/// Rows of each part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// To train on.
    pub training: usize,
    /// To choose the model.
    pub validation: usize,
    /// To judge it.
    pub test: usize,
}

#[derive(Clone, Copy)]
enum Task {
    Regression,
    Classification,
}

/// The data, checked.
pub(super) struct Data {
    pub(super) input: Input,
    pub(super) names: Vec<String>,
    pub(super) inputs: Vec<Vec<f64>>,
    pub(super) targets: Targets,
    pub(super) standardise: bool,
    pub(super) sizes: Sizes,
}

/// Reads `[data]` and the file that it names.
pub(super) fn read(root: &Table<'_>, folder: &Path) -> Result<Data, Refusal> {
    const ACCEPTED: &str = "a table with a file, a target and a task";
    let table = root.require("data", ACCEPTED)?.table(ACCEPTED)?;
    table.only(&["file", "target", "task", "inputs", "standardise", "validation", "test"], " in [data]")?;
    let task = table
        .require("task", "regression, classification")?
        .choice(&[("regression", Task::Regression), ("classification", Task::Classification)])?;
    let standardise = table.get("standardise").map_or(Ok(true), |value| value.boolean())?;
    let target = table.require("target", "the name of a column")?;
    let file = table.require("file", "the name of a CSV file")?;
    let name = file.text("the name of a CSV file")?;
    let path = folder.join(name);
    let columns = Columns::read(&path).map_err(|refusal| match refusal.line() {
        // a file that is not there is the configuration's fault
        None => file.refuse_with(format!("data.file = \"{}\": {refusal}", quoted(name))),
        Some(_) => refusal,
    })?;
    let sizes = sizes(&table, &columns)?;
    let targets = targets(&target, task, &columns)?;
    let chosen = inputs(&table, &columns, &targets.names())?;
    let precision = file.precision();
    let mut values = Vec::with_capacity(chosen.len());
    for name in &chosen {
        let column = columns.numbers(columns.required(name)?, precision)?;
        refuse_constant(
            &columns,
            name,
            &column,
            "an input column with two different values (data.inputs names the inputs)",
        )?;
        values.push(column);
    }
    let input = Input { key: "data.file".to_owned(), name: name.to_owned(), path, sha256: columns.sha256().to_owned() };
    Ok(Data { input, names: chosen, inputs: values, targets, standardise, sizes })
}

fn refuse_constant(columns: &Columns, name: &str, values: &[f64], accepted: &str) -> Result<(), Refusal> {
    match values.first() {
        Some(first) if values.iter().all(|value| value == first) => {
            Err(columns.refuse(format!("column \"{}\" is {first:?} in every row; accepted: {accepted}", quoted(name))))
        }
        _ => Ok(()),
    }
}

/// How many of the rows go where: fractions of all, rounded.
fn sizes(table: &Table<'_>, columns: &Columns) -> Result<Sizes, Refusal> {
    let rows = columns.rows();
    let part = |key: &str, default: f64| -> Result<(usize, Option<Value<'_>>), Refusal> {
        const ACCEPTED: &str = "a fraction of the rows, from 0 to below 1";
        let value = table.get(key);
        let fraction = match &value {
            Some(value) => value.real(Sign::NonNegative)?,
            None => default,
        };
        // below 2^25 rows: exact in f64
        let count = (fraction * rows as f64).round() as usize;
        match &value {
            Some(value) if fraction >= 1.0 => Err(value.refuse(ACCEPTED)),
            Some(value) if fraction > 0.0 && count == 0 => {
                Err(value.refuse(format!("0, or a fraction that is a row at least of the {rows} there are")))
            }
            _ => Ok((count, value)),
        }
    };
    let (validation, of_validation) = part("validation", VALIDATION)?;
    let (test, of_test) = part("test", 0.0)?;
    match rows.checked_sub(validation + test) {
        Some(training) if training >= FEWEST => Ok(Sizes { training, validation, test }),
        _ => {
            let accepted = format!("parts that leave {FEWEST} of the {rows} rows to train on, at least");
            Err(match of_test.or(of_validation) {
                Some(value) => value.refuse(accepted),
                None => columns.refuse(format!("{rows} rows below the header; accepted: {accepted}")),
            })
        }
    }
}

fn column_of(value: &Value<'_>, columns: &Columns) -> Result<String, Refusal> {
    let header = columns.header();
    let accepted = format!("a column of the data: {}", listed(header));
    let name = value.text(&accepted)?;
    match columns.place(name) {
        Some(_) => Ok(name.to_owned()),
        None => {
            let nearest = nearest(name, header).unwrap_or("none");
            Err(value.refuse(format!("{accepted} (the nearest is \"{}\")", quoted(nearest))))
        }
    }
}

fn names_of(value: &Value<'_>, columns: &Columns, accepted: &str) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for item in value.items(accepted)? {
        let name = column_of(&item, columns)?;
        if names.contains(&name) {
            return Err(item.refuse("each column once"));
        }
        names.push(name);
    }
    Ok(names)
}

fn targets(value: &Value<'_>, task: Task, columns: &Columns) -> Result<Targets, Refusal> {
    match task {
        Task::Regression => {
            let names = if value.text("").is_ok() {
                vec![column_of(value, columns)?]
            } else {
                names_of(value, columns, "the name of a column, or a list of such names")?
            };
            let mut values = Vec::with_capacity(names.len());
            for name in &names {
                let column = columns.numbers(columns.required(name)?, value.precision())?;
                refuse_constant(columns, name, &column, "a target with two different values")?;
                values.push(column);
            }
            Ok(Targets::Numbers { names, values })
        }
        Task::Classification => {
            let name = column_of(value, columns)?;
            let labels = columns.labels(columns.required(&name)?)?;
            let mut classes: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
            classes.sort();
            classes.dedup();
            if let [only] = classes.as_slice() {
                return Err(columns.refuse(format!(
                    "column \"{}\" is \"{}\" in every row; accepted: a target with two classes or more",
                    quoted(&name),
                    quoted(only)
                )));
            }
            if classes.len() as u64 > MAX_DIMENSION || classes.len() == labels.len() {
                return Err(columns.refuse(format!(
                    "column \"{}\" has {} classes in {} rows; accepted: fewer classes than rows, and at most \
                        {MAX_DIMENSION}",
                    quoted(&name),
                    classes.len(),
                    labels.len()
                )));
            }
            let rows = labels
                .iter()
                .map(|&label| classes.binary_search_by(|class| class.as_str().cmp(label)).unwrap_or(0))
                .collect();
            Ok(Targets::Classes { name, classes, rows })
        }
    }
}

/// The input columns: those named, or all that are no targets.
fn inputs(table: &Table<'_>, columns: &Columns, targets: &[String]) -> Result<Vec<String>, Refusal> {
    let chosen = match table.get("inputs") {
        Some(value) => {
            let names = names_of(&value, columns, "a list of names of columns")?;
            if let Some(name) = names.iter().find(|name| targets.contains(name)) {
                return Err(value.refuse(format!("columns that are no target, as \"{}\" is", quoted(name))));
            }
            names
        }
        None => {
            // what a comma at the end of every line makes is no column; what may be an index is no input unless it is
            // named as one
            let unnamed = |(place, name): (usize, &String)| name.is_empty() && !columns.is_empty(place);
            if let Some(place) = columns.header().iter().enumerate().position(unnamed) {
                return Err(columns.refuse(format!(
                    "column {} has no name; accepted: data.inputs, a list of the columns that are inputs, or a name \
                        for each",
                    place + 1
                )));
            }
            columns.header().iter().filter(|name| !name.is_empty() && !targets.contains(name)).cloned().collect()
        }
    };
    if chosen.is_empty() {
        return Err(columns.refuse("no column beside the target; accepted: one input at least"));
    }
    Ok(chosen)
}
