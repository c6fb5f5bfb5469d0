//! The configurations: the grammar of `birth-death run`, and in [`training`] that of `train`, read and checked as a
//! whole.
//!
//! [`Config::load`] reads the TOML file and every CSV file it names, and refuses the first thing that is wrong
//! with one [`Refusal`]: place, value, and what is accepted. What it returns can be run; nothing else is checked later.

pub mod columns;
mod csv_faults;
mod data;
mod difference;
mod model;
mod reader;
mod start;
mod table;
pub mod training;

use std::path::{Path, PathBuf};

use birth_death_output::input::Input;
use birth_death_terminal::refusal::Refusal;
use toml::de::DeTable;

pub use difference::difference;
pub use model::{Component, Model, Reference};
pub use reader::Sign;
pub use start::{Marginal, Start};

use reader::{Source, Table};

/// Most particles of one replicate.
pub const MAX_PARTICLES: u64 = 1_000_000;
/// Most components of one particle.
pub const MAX_DIMENSION: u64 = 10_000;
/// Most numbers of one ensemble, particles times components: 256 MiB in f64, and as much for the gradients.
pub const MAX_NUMBERS: u64 = 1 << 25;
/// Most steps: beyond 2^53 the time of a step is no longer exact in f64.
pub const MAX_STEPS: u64 = 1 << 53;
/// Most replicates.
pub const MAX_REPLICATES: u64 = 1_000_000;
/// Most rows of `trajectory.csv`, replicates times recorded steps: they are held in memory until the end.
pub const MAX_ROWS: u64 = 20_000_000;
/// Most bytes of a configuration: 1 MiB.
pub const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// Most bytes of a CSV file: 2 GiB, 64 for each of [`MAX_NUMBERS`].
pub const MAX_CSV_BYTES: u64 = 1 << 31;

/// The keys of the whole run; the last three are tables.
pub const TOP_KEYS: [&str; 15] = [
    "seed",
    "particles",
    "steps",
    "dt",
    "alpha",
    "scheme",
    "rate",
    "transport",
    "quench",
    "precision",
    "record_every",
    "replicates",
    "model",
    "start",
    "prior",
];

/// The scheme of a configuration; its prior stands beside it.
pub type Scheme = birth_death::Scheme<()>;
pub use birth_death::Rate;

/// The floating-point type of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

impl Precision {
    /// The name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }
}

/// A configuration in which everything has been checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// The text of that file.
    pub text: String,
    /// Every CSV file it names.
    pub inputs: Vec<Input>,
    /// Seed of all streams, 0 to 2^63 - 1.
    pub seed: u64,
    /// Number of particles n.
    pub particles: usize,
    /// Number of steps.
    pub steps: u64,
    /// Length of a step.
    pub dt: f64,
    /// Birth-death rate; 0 for gradient flow.
    pub alpha: f64,
    /// The scheme.
    pub scheme: Scheme,
    /// The rate of events.
    pub rate: Rate,
    /// Whether particles move along the gradient.
    pub transport: bool,
    /// Events are off for the last so many steps.
    pub quench: u64,
    /// The floating-point type.
    pub precision: Precision,
    /// Steps between recorded ones.
    pub record_every: u64,
    /// Number of replicates.
    pub replicates: u64,
    /// The energy.
    pub model: Model,
    /// Where the particles start.
    pub start: Start,
    /// The reinjection prior, one marginal a component; empty for the other schemes.
    pub prior: Vec<Marginal>,
}

impl Config {
    /// Reads and checks the configuration in `path`, and every file it names (relative to its folder).
    ///
    /// # Errors
    /// The first thing that is wrong, as one message. Nothing has been written.
    pub fn load(path: &Path) -> Result<Self, Refusal> {
        Self::parse(path, &text(path)?)
    }

    /// Checks a configuration given as text; `path` names it and gives the folder of its CSV files.
    ///
    /// # Errors
    /// As for [`Config::load`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, Refusal> {
        let file = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut source = Source {
            file: &file,
            text: text.strip_prefix(table::BYTE_ORDER_MARK).unwrap_or(text),
            precision: Precision::F64,
            keys: &TOP_KEYS,
        };
        let entries = DeTable::parse(source.text).map_err(|error| source.syntax(&error))?;
        let entries = entries.get_ref();
        Table::root(source, entries).only(&TOP_KEYS, "")?;
        source.precision = precision(&Table::root(source, entries), Precision::F64)?;
        let root = Table::root(source, entries);

        let seed = seed(&root)?;
        let particles = particles(&root)?;
        let steps = root.require("steps", "the number of steps, an integer from 0")?.integer(0..=MAX_STEPS)?;
        let dt = root.require("dt", "the length of a step, a finite number of 0 or more")?.real(Sign::NonNegative)?;
        let scheme = scheme(&root)?;
        let alpha = alpha(&root, scheme)?;
        let rate = rate(&root, scheme)?;
        let transport = transport(&root, scheme)?;
        let quench = quench(&root, steps)?;
        let replicates = match root.get("replicates") {
            Some(value) => value.integer(1..=MAX_REPLICATES)?,
            None => 1,
        };
        let record_every = record_every(&root, steps, replicates)?;

        let mut inputs = Vec::new();
        let model = model::read(&root, folder, &mut inputs)?;
        let names = model.components();
        let particles = addressable(&root, particles, names.len())?;
        let start = start::read_start(&root, folder, &names, particles, &mut inputs)?;
        let prior = start::read_prior(&root, scheme, &names)?;
        Ok(Self {
            file: path.to_owned(),
            text: text.to_owned(),
            inputs,
            seed,
            particles,
            steps,
            dt,
            alpha,
            scheme,
            rate,
            transport,
            quench,
            precision: source.precision,
            record_every,
            replicates,
            model,
            start,
            prior,
        })
    }

    /// The step from which on events are off.
    pub fn quench_from(&self) -> u64 {
        self.steps - self.quench
    }

    /// Whether the ensemble after `step` steps is recorded: every so many steps, the first and the last.
    pub fn records(&self, step: u64) -> bool {
        step.is_multiple_of(self.record_every) || step == self.steps
    }

    /// The number of recorded steps of one replicate.
    pub fn recorded_steps(&self) -> u64 {
        recorded_steps(self.steps, self.record_every)
    }
}

fn recorded_steps(steps: u64, every: u64) -> u64 {
    1 + steps / every + u64::from(!steps.is_multiple_of(every))
}

/// The text of a configuration.
fn text(path: &Path) -> Result<String, Refusal> {
    let shown = path.display().to_string();
    let bytes = table::bytes_of(path, MAX_CONFIG_BYTES, "a configuration in TOML")
        .map_err(|message| Refusal::of_file(&shown, message))?;
    let text = table::text_of(&bytes)
        .map_err(|(line, message)| Refusal::at(&shown, Some(line), format!("{message}; accepted: TOML")))?;
    Ok(text.to_owned())
}

fn seed(root: &Table<'_>) -> Result<u64, Refusal> {
    root.require("seed", "an integer from 0 to 9223372036854775807")?.integer(0..=i64::MAX as u64)
}

fn particles(root: &Table<'_>) -> Result<u64, Refusal> {
    root.require("particles", "the number of particles, an integer from 1")?.integer(1..=MAX_PARTICLES)
}

/// The number of particles of so many components, if they are not too many.
fn addressable(root: &Table<'_>, particles: u64, components: usize) -> Result<usize, Refusal> {
    if particles.saturating_mul(components as u64) > MAX_NUMBERS {
        let value = root.require("particles", "")?;
        let most = MAX_NUMBERS / components as u64;
        return Err(value.refuse(format!("at most {most} particles of {components} components")));
    }
    usize::try_from(particles).map_err(|_| root.refuse("particles: more than this machine can address"))
}

fn precision(root: &Table<'_>, default: Precision) -> Result<Precision, Refusal> {
    root.get("precision").map_or(Ok(default), |value| value.choice(&[("f32", Precision::F32), ("f64", Precision::F64)]))
}

fn scheme(root: &Table<'_>) -> Result<Scheme, Refusal> {
    root.require("scheme", "gradient-flow, birth-death, reinjection")?.choice(&[
        ("gradient-flow", Scheme::GradientFlow),
        ("birth-death", Scheme::BirthDeath),
        ("reinjection", Scheme::Reinjection(())),
    ])
}

fn quench(root: &Table<'_>, steps: u64) -> Result<u64, Refusal> {
    root.get("quench").map_or(Ok(0), |value| value.integer(0..=steps))
}

fn alpha(root: &Table<'_>, scheme: Scheme) -> Result<f64, Refusal> {
    match (scheme, root.get("alpha")) {
        (Scheme::GradientFlow, None) => Ok(0.0),
        (Scheme::GradientFlow, Some(value)) => {
            if value.number() == Some(0.0) {
                Ok(0.0)
            } else {
                Err(value.refuse("only 0.0 (or no alpha) with scheme = \"gradient-flow\""))
            }
        }
        (_, Some(value)) => value.real(Sign::NonNegative),
        (_, None) => root.require("alpha", "the birth-death rate, a finite number of 0 or more").map(|_| 0.0),
    }
}

fn rate(root: &Table<'_>, scheme: Scheme) -> Result<Rate, Refusal> {
    let Some(value) = root.get("rate") else {
        return Ok(scheme.default_rate());
    };
    match value.choice(&[("centred", Rate::Centred), ("raw", Rate::Raw)])? {
        Rate::Centred if scheme == Scheme::Reinjection(()) => {
            Err(value.refuse("only \"raw\" (or no rate) with scheme = \"reinjection\""))
        }
        rate => Ok(rate),
    }
}

fn transport(root: &Table<'_>, scheme: Scheme) -> Result<bool, Refusal> {
    let Some(value) = root.get("transport") else {
        return Ok(true);
    };
    match (value.boolean()?, scheme) {
        (false, Scheme::GradientFlow) => Err(value
            .refuse("only true (or no transport) with scheme = \"gradient-flow\": without transport nothing moves")),
        (transport, _) => Ok(transport),
    }
}

fn record_every(root: &Table<'_>, steps: u64, replicates: u64) -> Result<u64, Refusal> {
    let value = root.get("record_every");
    let every = match &value {
        Some(value) => value.integer(1..=MAX_STEPS)?,
        None => 1,
    };
    if recorded_steps(steps, every).saturating_mul(replicates) <= MAX_ROWS {
        return Ok(every);
    }
    let most = (MAX_ROWS / replicates).saturating_sub(2).max(1);
    let accepted = format!(
        "{} or more, so that {replicates} replicates record at most {MAX_ROWS} rows in all",
        steps.div_ceil(most)
    );
    Err(match value {
        Some(value) => value.refuse(accepted),
        None => root.refuse(format!("record_every = 1 (default); accepted: {accepted}")),
    })
}
