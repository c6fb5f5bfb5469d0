//! The configuration of a training: the grammar of `birth-death train` and `compare`, over the same reader as that of
//! `run`.

use std::path::{Path, PathBuf};

use birth_death::models::Activation;
use birth_death_output::input::Input;
use birth_death_terminal::refusal::Refusal;
use toml::de::DeTable;

use super::data;
pub use super::data::{Sizes, Targets};
use super::reader::{Sign, Source, Table, Value};
use super::start::{MARGINAL, marginal};
use super::table::BYTE_ORDER_MARK;
use super::{
    MAX_STEPS, Marginal, Precision, Rate, Scheme, addressable, alpha, particles, precision, quench, rate, scheme, seed,
    text,
};

/// The keys of the whole training; the last seven are tables.
pub const KEYS: [&str; 16] = [
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
    "compare",
];

/// Most values of a key among which `compare` chooses.
pub const MAX_CHOICES: usize = 16;

/// Most evaluations of the losses: they are held in memory until the end.
pub const MAX_EVALUATIONS: u64 = 1_000_000;
/// Evaluations of a training whose configuration does not say how many, about.
const EVALUATIONS: u64 = 200;
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

/// The values among which `compare` chooses: one each without `[compare]`, that of the training.
#[derive(Debug, Clone, PartialEq)]
pub struct Choices {
    /// Lengths of a step of the schemes.
    pub dt: Vec<f64>,
    /// Those of gradient flow: as many as the schemes have pairs of dt and alpha, so that all dynamics choose among as
    /// many candidates.
    pub gradient_flow_dt: Vec<f64>,
    /// Birth-death rates; gradient flow has none.
    pub alpha: Vec<f64>,
    /// L2 regularisations.
    pub decay: Vec<f64>,
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
    /// What `compare` may choose; `train` does not.
    pub choices: Choices,
}

impl Training {
    /// Reads and checks the configuration in `path`, and the data that it names (relative to its folder).
    ///
    /// # Errors
    /// The first thing that is wrong, as one message. Nothing has been written.
    pub fn load(path: &Path) -> Result<Self, Refusal> {
        Self::parse(path, text(path)?)
    }

    /// Checks a configuration given as text; `path` names it and gives the folder of its data.
    ///
    /// # Errors
    /// As for [`Training::load`].
    pub fn parse(path: &Path, text: String) -> Result<Self, Refusal> {
        let file = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new(""));
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
        let data = data::read(&root, folder)?;
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
            (None, Scheme::Reinjection(())) => {
                return root.require("prior", LAWS).and_then(|value| Err(value.refuse(LAWS)));
            }
            (None, _) => None,
        };
        let precision = source.precision;
        let choices = choices(&root, dt, alpha, network.decay, data.sizes)?;
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
            choices,
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

fn choices(root: &Table<'_>, dt: f64, alpha: f64, decay: f64, sizes: Sizes) -> Result<Choices, Refusal> {
    let mut choices = Choices { dt: vec![dt], gradient_flow_dt: vec![dt], alpha: vec![alpha], decay: vec![decay] };
    let Some(value) = root.get("compare") else {
        return Ok(choices);
    };
    if sizes.validation == 0 {
        return Err(value.refuse("no [compare] with data.validation = 0: nothing is there to choose by"));
    }
    let table = value.table("a table with lists: dt, alpha, decay, gradient_flow_dt")?;
    table.only(&["dt", "alpha", "decay", "gradient_flow_dt"], " in [compare]")?;
    let read = |key: &str, sign: Sign, most: usize| -> Result<Option<Vec<f64>>, Refusal> {
        let Some(value) = table.get(key) else {
            return Ok(None);
        };
        let accepted = format!("a list of 1 to {most} different numbers");
        let items = value.items(&accepted)?;
        let list: Vec<f64> = items.iter().map(|item| item.real(sign)).collect::<Result<_, _>>()?;
        let repeated = list.iter().enumerate().any(|(i, x)| list[..i].contains(x));
        if repeated || list.len() > most { Err(value.refuse(accepted)) } else { Ok(Some(list)) }
    };
    choices.dt = read("dt", Sign::Positive, MAX_CHOICES)?.unwrap_or(choices.dt);
    choices.alpha = read("alpha", Sign::NonNegative, MAX_CHOICES)?.unwrap_or(choices.alpha);
    choices.decay = read("decay", Sign::NonNegative, MAX_CHOICES)?.unwrap_or(choices.decay);
    let own = read("gradient_flow_dt", Sign::Positive, MAX_CHOICES * MAX_CHOICES)?;
    let (dts, alphas) = (choices.dt.len(), choices.alpha.len());
    choices.gradient_flow_dt = match own {
        Some(own) if own.len() == dts * alphas => own,
        None if alphas == 1 => choices.dt.clone(),
        found => {
            let message = format!(
                "{} values of dt for gradient flow; accepted: compare.gradient_flow_dt with {dts} x {alphas} = {}, as \
                    many as the pairs of dt and alpha among which the schemes choose",
                found.map_or(dts, |own| own.len()),
                dts * alphas
            );
            return Err(table.get("gradient_flow_dt").as_ref().unwrap_or(&value).refuse_with(message));
        }
    };
    Ok(choices)
}

fn laws(value: &Value<'_>, accepted: &str) -> Result<Laws, Refusal> {
    let table = value.table(accepted)?;
    table.only(&["c", "z"], "")?;
    Ok(Laws { c: marginal(&table.require("c", MARGINAL)?)?, z: marginal(&table.require("z", MARGINAL)?)? })
}
