//! `bench.json`: the machine, the settings and the numbers.

use serde::Serialize;

use super::goals::Judged;
use super::machine::Machine;
use super::pairs::Timed;
use super::step::{self, PARTICLES};
use super::sums::{BANDWIDTHS, Compared, TOLERANCE, crossover};
use super::timing::Best;
use birth_death_output::manifest::Build;

/// Version of the layout.
pub const SCHEMA: u32 = 1;

/// All that is measured. Times are the least of many (of the verification: of one run), in seconds unless a name says
/// otherwise; null where there is none.
#[derive(Debug, Serialize)]
pub struct Record {
    /// Version of the layout: 1.
    pub schema: u32,
    /// The binary.
    #[serde(flatten)]
    pub build: Build,
    /// `rustc -vV` of its compiler.
    pub rustc: &'static str,
    /// Where it ran.
    pub machine: Machine,
    /// The command line.
    pub command: String,
    /// Turns of each job.
    pub rounds: u32,
    /// The pair loop.
    pub pairs: Vec<Loop>,
    /// A step over its evaluation.
    pub step: Vec<Step>,
    /// Sums in O(n).
    pub sums: Option<Sums>,
    /// What is reached and what is not.
    pub goals: Vec<Judged>,
}

/// A row of the table of pairs.
#[derive(Debug, Serialize)]
pub struct Loop {
    precision: &'static str,
    exponential: &'static str,
    path: &'static str,
    particles: Vec<usize>,
    nanoseconds_per_pair: Vec<f64>,
    batches: Vec<u32>,
    operations_per_pair: Option<u32>,
    peak_operations_per_second: f64,
    fraction_of_peak: Option<f64>,
    exponent: Option<f64>,
    exponent_error: Option<f64>,
}

/// A step.
#[derive(Debug, Serialize)]
pub struct Step {
    precision: &'static str,
    path: &'static str,
    particles: usize,
    evaluation: f64,
    step: f64,
    ratio: f64,
}

/// Sums in O(n).
#[derive(Debug, Serialize)]
pub struct Sums {
    tolerance: f64,
    bandwidths: [f64; 3],
    particles: usize,
    seconds: f64,
    /// Components, particles, seconds of the fast sum, seconds of the sum over pairs (of many particles: scaled).
    compared: Vec<(usize, usize, f64, f64)>,
    /// In 1, 2, 3 components.
    crossover: Vec<Option<f64>>,
}

impl Record {
    /// A record of nothing yet.
    pub fn begin(rounds: u32) -> Self {
        Self {
            schema: SCHEMA,
            build: Build::this(),
            rustc: birth_death_output::manifest::RUSTC,
            machine: Machine::this(),
            command: std::env::args_os()
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
                .join(" "),
            rounds,
            pairs: Vec::new(),
            step: Vec::new(),
            sums: None,
            goals: Vec::new(),
        }
    }
}

impl From<&Timed> for Loop {
    fn from(timed: &Timed) -> Self {
        let exponent = timed.exponent();
        Self {
            precision: timed.row.precision,
            exponential: timed.row.backend.name(),
            path: timed.row.path.name(),
            particles: timed.best.iter().map(|(n, _)| *n).collect(),
            nanoseconds_per_pair: timed.nanoseconds().collect(),
            batches: timed.best.iter().map(|(_, best)| best.batches).collect(),
            operations_per_pair: timed.row.operations(),
            peak_operations_per_second: timed.peak,
            fraction_of_peak: timed.fraction(),
            exponent: exponent.map(|(slope, _)| slope),
            exponent_error: exponent.map(|(_, error)| error),
        }
    }
}

impl From<&step::Timed> for Step {
    fn from(timed: &step::Timed) -> Self {
        Self {
            precision: timed.case.precision,
            path: timed.case.path.name(),
            particles: PARTICLES,
            evaluation: timed.evaluation.least,
            step: timed.step.least,
            ratio: timed.ratio(),
        }
    }
}

impl Sums {
    /// Of so many particles, and of the comparisons.
    pub fn new(particles: usize, many: &Best, compared: &[Compared]) -> Self {
        Self {
            tolerance: TOLERANCE,
            bandwidths: BANDWIDTHS,
            particles,
            seconds: many.least,
            compared: compared.iter().map(|at| (at.dim, at.n, at.fast, at.pairs)).collect(),
            crossover: (1..=BANDWIDTHS.len()).map(|dim| crossover(compared, dim)).collect(),
        }
    }
}
