//! `[model]`: the energy and its parameters.

use std::path::Path;

use super::MAX_DIMENSION;
use super::reader::{Sign, Table, Value};
use super::table::{self, Names, positions};
use birth_death_output::input::Input;
use birth_death_terminal::refusal::Refusal;

/// One Gaussian of a target: `weight * N(.; centre, variance I)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Its weight, of any sign.
    pub weight: f64,
    /// Its centre.
    pub centre: Vec<f64>,
    /// Its variance, above 0.
    pub variance: f64,
}

/// What an MMD energy compares the ensemble with.
#[derive(Debug, Clone, PartialEq)]
pub enum Reference {
    /// Equally weighted points; `sample[k][i]` is component k of point i.
    Sample(Vec<Vec<f64>>),
    /// A Gaussian mixture.
    Target(Vec<Component>),
}

/// The energy of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// Gaussian units: a particle is (c, y1, ..., yd).
    GaussianUnits {
        /// Dimension d of the inputs.
        dimension: usize,
        /// Variance of a unit.
        unit_variance: f64,
        /// The function to be learned.
        target: Vec<Component>,
    },
    /// Squared maximum mean discrepancy with a Gaussian kernel.
    Mmd {
        /// Dimension of a particle.
        dimension: usize,
        /// Standard deviation of the kernel.
        bandwidth: f64,
        /// What is to be matched.
        reference: Reference,
    },
    /// F = 1/2 sum_k h_k x_k^2.
    Quadratic {
        /// The h_k.
        curvature: Vec<f64>,
    },
    /// F = (x1^2 - 1)^2 + tilt x1 + 1/2 sum of the other x_k^2.
    DoubleWell {
        /// Dimension of a particle.
        dimension: usize,
        /// Slope that lowers the left well.
        tilt: f64,
    },
    /// Rastrigin's function.
    Rastrigin {
        /// Dimension of a particle.
        dimension: usize,
        /// Height of its ripples.
        amplitude: f64,
    },
}

impl Model {
    /// The names of a particle's components: `c, y1, y2, ...` for units, `x1, x2, ...` otherwise.
    pub fn components(&self) -> Vec<String> {
        match *self {
            Self::GaussianUnits { dimension, .. } => {
                std::iter::once("c".to_owned()).chain((1..=dimension).map(|k| format!("y{k}"))).collect()
            }
            Self::Quadratic { ref curvature } => positions(curvature.len()),
            Self::Mmd { dimension, .. } | Self::DoubleWell { dimension, .. } | Self::Rastrigin { dimension, .. } => {
                positions(dimension)
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    GaussianUnits,
    Mmd,
    Quadratic,
    DoubleWell,
    Rastrigin,
}

/// The keys of all kinds together.
const KEYS: [&str; 9] =
    ["kind", "dimension", "unit_variance", "target", "bandwidth", "sample", "curvature", "tilt", "amplitude"];

/// Reads `[model]`.
pub(super) fn read(root: &Table<'_>, folder: &Path, inputs: &mut Vec<Input>) -> Result<Model, Refusal> {
    const ACCEPTED: &str = "a table with a kind and its parameters";
    let table = root.require("model", ACCEPTED)?.table(ACCEPTED)?;
    if table.get("kind").is_none() {
        // The misspelt key is the cause; that the kind is missing only follows.
        table.only(&KEYS, " in [model]")?;
    }
    let kind = table.require("kind", "gaussian-units, mmd, quadratic, double-well, rastrigin")?.choice(&[
        ("gaussian-units", Kind::GaussianUnits),
        ("mmd", Kind::Mmd),
        ("quadratic", Kind::Quadratic),
        ("double-well", Kind::DoubleWell),
        ("rastrigin", Kind::Rastrigin),
    ])?;
    match kind {
        Kind::GaussianUnits => {
            table.only(&["kind", "dimension", "unit_variance", "target"], " for kind = \"gaussian-units\"")?;
            let dimension = required_dimension(&table)?;
            let unit_variance =
                table.require("unit_variance", "the variance of a unit, above 0")?.real(Sign::Positive)?;
            let target = table.require("target", TARGET)?;
            Ok(Model::GaussianUnits { dimension, unit_variance, target: mixture(&target, Some(dimension))? })
        }
        Kind::Mmd => {
            table.only(&["kind", "dimension", "bandwidth", "sample", "target"], " for kind = \"mmd\"")?;
            mmd(&table, folder, inputs)
        }
        Kind::Quadratic => {
            table.only(&["kind", "dimension", "curvature"], " for kind = \"quadratic\"")?;
            const LIST: &str = "a list of finite numbers, one a component, as in [1.0, 0.5]";
            let value = table.require("curvature", LIST)?;
            let curvature =
                value.items(LIST)?.iter().map(|item| item.real(Sign::Any)).collect::<Result<Vec<_>, _>>()?;
            if curvature.len() as u64 > MAX_DIMENSION {
                return Err(value.refuse(format!("at most {MAX_DIMENSION} numbers")));
            }
            agree(&table, curvature.len(), "curvature")?;
            Ok(Model::Quadratic { curvature })
        }
        Kind::DoubleWell => {
            table.only(&["kind", "dimension", "tilt"], " for kind = \"double-well\"")?;
            Ok(Model::DoubleWell {
                dimension: dimension(&table)?.unwrap_or(1),
                tilt: table.require("tilt", "a finite number")?.real(Sign::Any)?,
            })
        }
        Kind::Rastrigin => {
            table.only(&["kind", "dimension", "amplitude"], " for kind = \"rastrigin\"")?;
            Ok(Model::Rastrigin {
                dimension: required_dimension(&table)?,
                amplitude: table.require("amplitude", "a finite number")?.real(Sign::Any)?,
            })
        }
    }
}

fn dimension(table: &Table<'_>) -> Result<Option<usize>, Refusal> {
    let Some(value) = table.get("dimension") else {
        return Ok(None);
    };
    let dimension = value.integer(1..=MAX_DIMENSION)?;
    usize::try_from(dimension).map(Some).map_err(|_| value.refuse("a smaller number"))
}

fn required_dimension(table: &Table<'_>) -> Result<usize, Refusal> {
    dimension(table)?.map_or_else(|| table.require("dimension", "an integer from 1").map(|_| 1), Ok)
}

/// Refuses a `dimension` that differs from the one that follows from `key`.
fn agree(table: &Table<'_>, found: usize, key: &str) -> Result<(), Refusal> {
    match (dimension(table)?, table.get("dimension")) {
        (Some(given), Some(value)) if given != found => {
            Err(value.refuse(format!("{found}, as in {key} (or no dimension)")))
        }
        _ => Ok(()),
    }
}

const TARGET: &str = "a list of { weight = number, centre = [numbers], variance = number above 0 }";

fn mixture(value: &Value<'_>, dimension: Option<usize>) -> Result<Vec<Component>, Refusal> {
    const CENTRE: &str = "a list of finite numbers, one a dimension";
    let mut components: Vec<Component> = Vec::new();
    for item in value.items(TARGET)? {
        let table = item.table("{ weight = number, centre = [numbers], variance = number above 0 }")?;
        table.only(&["weight", "centre", "variance"], "")?;
        let weight = table.require("weight", "a finite number")?.real(Sign::Any)?;
        let centres = table.require("centre", CENTRE)?;
        let centre = centres.items(CENTRE)?.iter().map(|item| item.real(Sign::Any)).collect::<Result<Vec<_>, _>>()?;
        let wanted = dimension.or(components.first().map(|first| first.centre.len()));
        match wanted {
            Some(wanted) if wanted != centre.len() => {
                return Err(
                    centres.refuse(format!("a list of {wanted} numbers, one a dimension, not {}", centre.len()))
                );
            }
            None if centre.len() as u64 > MAX_DIMENSION => {
                return Err(centres.refuse(format!("a list of at most {MAX_DIMENSION} numbers")));
            }
            _ => {}
        }
        let variance = table.require("variance", "a finite number above 0")?.real(Sign::Positive)?;
        components.push(Component { weight, centre, variance });
    }
    Ok(components)
}

fn mmd(table: &Table<'_>, folder: &Path, inputs: &mut Vec<Input>) -> Result<Model, Refusal> {
    const EITHER: &str = "exactly one of sample = \"file.csv\" and target = [...]";
    let bandwidth = match table.get("bandwidth") {
        Some(value) => value.real(Sign::Positive)?,
        None => 1.0,
    };
    let given = dimension(table)?;
    let (reference, dimension) = match (table.get("sample"), table.get("target")) {
        (Some(sample), None) => {
            let names = given.map_or(Names::Positions, |d| Names::Exactly(positions(d)));
            let columns = table::read(&sample, folder, &names, None, inputs)?;
            let dimension = columns.len();
            (Reference::Sample(columns), dimension)
        }
        (None, Some(target)) => {
            let target = mixture(&target, given)?;
            let dimension = target.first().map_or(0, |first| first.centre.len());
            (Reference::Target(target), dimension)
        }
        (Some(sample), Some(_)) => {
            return Err(sample.refuse(format!("{EITHER}, here are both")));
        }
        (None, None) => {
            return Err(table.refuse(format!("missing key \"model.sample\" or \"model.target\"; accepted: {EITHER}")));
        }
    };
    Ok(Model::Mmd { dimension, bandwidth, reference })
}
