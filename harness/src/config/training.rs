//! The configuration of a training: the grammar of `birth-death train` and `compare`, over the same reader as that of `run`.

use std::path::{Path, PathBuf};

use birth_death::models::Activation;
use toml::de::DeTable;

use super::columns::Columns;
use super::reader::{Sign, Source, Table, Value};
use super::refusal::{listed, nearest, quoted};
use super::start::{MARGINAL, marginal};
use super::table::{BYTE_ORDER_MARK, Input};
use super::{
    MAX_DIMENSION, MAX_NUMBERS, MAX_STEPS, Marginal, Precision, Rate, Refusal, Scheme, addressable, alpha, particles,
    precision, quench, rate, scheme, seed, text,
};

/// The keys of the whole training; the last six are tables.
pub const KEYS: [&str; 15] = [
    "seed",
    "particles",
    "steps",
    "dt",
    "alpha",
    "scheme",
    "rate",
    "quench",
    "precision",
    "data",
    "network",
    "batch",
    "start",
    "prior",
    "stopping",
];

/// Most evaluations of the losses: they are held in memory until the end.
pub const MAX_EVALUATIONS: u64 = 1_000_000;
/// Evaluations of a training whose configuration does not say how many, about.
const EVALUATIONS: u64 = 200;
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

/// How large the outputs are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// The mean over the particles.
    MeanField,
    /// Their sum.
    Sum,
    /// So many times the mean.
    Factor(f64),
}

/// Laws of the output weights `c` and of the input weights `z`, the bias among them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Laws {
    /// Of every output weight.
    pub c: Marginal,
    /// Of every input weight.
    pub z: Marginal,
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

/// A training in which everything has been checked, with its data.
#[derive(Debug, Clone)]
pub struct Training {
    /// The file it was read from.
    pub file: PathBuf,
    /// The text of that file.
    pub text: String,
    /// The data's file.
    pub input: Input,
    /// Seed of all streams, 0 to 2^63 - 1.
    pub seed: u64,
    /// Number of units n.
    pub particles: usize,
    /// Most steps.
    pub steps: u64,
    /// Length of a step.
    pub dt: f64,
    /// Birth-death rate; 0 for gradient flow.
    pub alpha: f64,
    /// The scheme.
    pub scheme: Scheme,
    /// The rate of events.
    pub rate: Rate,
    /// Events are off for the last so many of all steps.
    pub quench: u64,
    /// The floating-point type.
    pub precision: Precision,
    /// The names of the input columns.
    pub names: Vec<String>,
    /// Their values: `inputs[k][row]`.
    pub inputs: Vec<Vec<f64>>,
    /// What is to be learned.
    pub targets: Targets,
    /// Whether inputs, and numbers to be learned, are brought to mean 0 and standard deviation 1.
    pub standardise: bool,
    /// How many rows go where.
    pub sizes: Sizes,
    /// The nonlinearity of the units.
    pub activation: Activation,
    /// Whether the units have a bias.
    pub bias: bool,
    /// L2 regularisation.
    pub decay: f64,
    /// The scale of the outputs.
    pub scale: Scale,
    /// Examples of a mini-batch; all if none.
    pub batch: Option<usize>,
    /// Where the units start.
    pub start: Laws,
    /// The reinjection prior, if given; it is for scheme 2.
    pub prior: Option<Laws>,
    /// Steps between two evaluations.
    pub every: u64,
    /// Evaluations without improvement after which training stops.
    pub patience: Option<u64>,
}

impl Training {
    /// Reads and checks the configuration in `path`, and the data that it names (relative to its folder).
    ///
    /// # Errors
    /// The first thing that is wrong, as one message. Nothing has been written.
    pub fn load(path: &Path) -> Result<Self, Refusal> {
        let file = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new(""));
        let text = text(path)?;
        let mut source = Source {
            file: &file,
            text: text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text),
            precision: Precision::F32,
            keys: &KEYS,
        };
        let entries = DeTable::parse(source.text).map_err(|error| source.syntax(&error))?;
        let entries = entries.get_ref();
        Table::root(source, entries).only(&KEYS, "")?;
        source.precision = precision(&Table::root(source, entries), Precision::F32)?;
        let root = Table::root(source, entries);

        let seed = seed(&root)?;
        let particles = particles(&root)?;
        let steps = root.require("steps", "the number of steps, an integer from 1")?.integer(1..=MAX_STEPS)?;
        let dt = root.require("dt", "the length of a step, a finite number above 0")?.real(Sign::Positive)?;
        let scheme = scheme(&root)?;
        let alpha = alpha(&root, scheme)?;
        let rate = rate(&root, scheme)?;
        let quench = quench(&root, steps)?;
        let (every, patience) = stopping(&root, steps)?;
        let network = network(&root)?;
        let data = data(&root, folder)?;
        let batch = batch(&root, data.sizes)?;
        if let (Some(value), 0) =
            (root.get("stopping").and_then(|s| s.as_table()?.get("patience")), data.sizes.validation)
        {
            return Err(value.refuse("no patience with data.validation = 0: nothing says what an improvement is"));
        }
        let components = data.targets.outputs() + data.names.len() + usize::from(network.bias);
        let particles = addressable(&root, particles, components)?;
        const LAWS: &str = "a table with a law for c (output weights) and one for z (input weights)";
        let start = laws(&root.require("start", LAWS)?, LAWS)?;
        let prior = match (root.get("prior"), scheme) {
            (Some(value), _) => Some(laws(&value, LAWS)?),
            (None, Scheme::Reinjection) => {
                return root.require("prior", LAWS).and_then(|value| Err(value.refuse(LAWS)));
            }
            (None, _) => None,
        };
        let precision = source.precision;
        Ok(Self {
            file: path.to_owned(),
            input: data.input,
            seed,
            particles,
            steps,
            dt,
            alpha,
            scheme,
            rate,
            quench,
            precision,
            names: data.names,
            inputs: data.inputs,
            targets: data.targets,
            standardise: data.standardise,
            sizes: data.sizes,
            activation: network.activation,
            bias: network.bias,
            decay: network.decay,
            scale: network.scale,
            batch,
            start,
            prior,
            every,
            patience,
            text,
        })
    }

    /// Rows of the data.
    pub fn rows(&self) -> usize {
        self.inputs.first().map_or(0, Vec::len)
    }

    /// Values of an input of the network, the 1 of the bias among them.
    pub fn input_dim(&self) -> usize {
        self.inputs.len() + usize::from(self.bias)
    }
}

/// The name of an activation in a configuration.
pub fn activation_name(activation: Activation) -> &'static str {
    ACTIVATIONS.iter().find(|(_, known)| *known == activation).map_or("unknown", |(name, _)| name)
}

/// The activations and their names.
pub const ACTIVATIONS: [(&str, Activation); 4] = [
    ("relu", Activation::Relu),
    ("tanh", Activation::Tanh),
    ("gaussian", Activation::Gaussian),
    ("sigmoid", Activation::Sigmoid),
];

struct Network {
    activation: Activation,
    bias: bool,
    decay: f64,
    scale: Scale,
}

fn network(root: &Table<'_>) -> Result<Network, Refusal> {
    let table = root.require("network", "a table with an activation")?.table("a table with an activation")?;
    table.only(&["activation", "bias", "decay", "scale"], " in [network]")?;
    const SCALE: &str = "\"mean-field\", \"sum\" or a finite number above 0";
    Ok(Network {
        activation: table.require("activation", "relu, tanh, gaussian, sigmoid")?.choice(&ACTIVATIONS)?,
        bias: table.get("bias").map_or(Ok(true), |value| value.boolean())?,
        decay: table.get("decay").map_or(Ok(0.0), |value| value.real(Sign::NonNegative))?,
        scale: match table.get("scale") {
            None => Scale::MeanField,
            Some(value) if value.number().is_some() => Scale::Factor(value.real(Sign::Positive)?),
            Some(value) => match value.text(SCALE)? {
                "mean-field" => Scale::MeanField,
                "sum" => Scale::Sum,
                _ => return Err(value.refuse(SCALE)),
            },
        },
    })
}

fn stopping(root: &Table<'_>, steps: u64) -> Result<(u64, Option<u64>), Refusal> {
    let default = steps.div_ceil(EVALUATIONS).max(1);
    let Some(value) = root.get("stopping") else {
        return Ok((default, None));
    };
    let table = value.table("a table with every and patience")?;
    table.only(&["every", "patience"], " in [stopping]")?;
    let every = match table.get("every") {
        None => default,
        Some(value) => {
            let every = value.integer(1..=MAX_STEPS)?;
            if steps / every >= MAX_EVALUATIONS {
                let least = steps / MAX_EVALUATIONS + 1;
                return Err(value.refuse(format!("{least} or more: at most {MAX_EVALUATIONS} evaluations")));
            }
            every
        }
    };
    Ok((every, table.get("patience").map(|value| value.integer(1..=MAX_STEPS)).transpose()?))
}

fn batch(root: &Table<'_>, sizes: Sizes) -> Result<Option<usize>, Refusal> {
    let Some(value) = root.get("batch") else {
        return Ok(None);
    };
    let table = value.table("a table with a size")?;
    table.only(&["size"], " in [batch]")?;
    let value = table.require("size", "the examples of a mini-batch, an integer from 1")?;
    let size = value.integer(1..=u64::MAX)?;
    usize::try_from(size).ok().filter(|&size| size <= sizes.training).map(Some).ok_or_else(|| {
        value.refuse(format!("at most {}, the rows to train on (without [batch]: all in every step)", sizes.training))
    })
}

fn laws(value: &Value<'_>, accepted: &str) -> Result<Laws, Refusal> {
    let table = value.table(accepted)?;
    table.only(&["c", "z"], "")?;
    Ok(Laws { c: marginal(&table.require("c", MARGINAL)?)?, z: marginal(&table.require("z", MARGINAL)?)? })
}

#[derive(Clone, Copy)]
enum Task {
    Regression,
    Classification,
}

struct Data {
    input: Input,
    names: Vec<String>,
    inputs: Vec<Vec<f64>>,
    targets: Targets,
    standardise: bool,
    sizes: Sizes,
}

fn data(root: &Table<'_>, folder: &Path) -> Result<Data, Refusal> {
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
                    "column \"{}\" has {} classes in {} rows; accepted: fewer classes than rows, and at most {MAX_DIMENSION}",
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
        None => columns.header().iter().filter(|name| !targets.contains(name)).cloned().collect(),
    };
    if chosen.is_empty() {
        return Err(columns.refuse("no column beside the target; accepted: one input at least"));
    }
    debug_assert!(columns.rows() as u64 <= MAX_NUMBERS);
    Ok(chosen)
}
