//! `[start]` and `[prior]`: one marginal a component, or a file.

use std::path::Path;

use super::Scheme;
use super::reader::{Sign, Table, Value};
use super::table::{self, Names};
use birth_death_output::input::Input;
use birth_death_terminal::refusal::Refusal;

/// The law of one component.
pub type Marginal = birth_death::Marginal<f64>;

/// Where the particles of a replicate start.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// Independent draws, one marginal a component.
    Draw(Vec<Marginal>),
    /// The same given ensemble for every replicate; `rows[k][i]` is component k of particle i.
    Given(Vec<Vec<f64>>),
}

pub(super) const MARGINAL: &str = "a finite number, { normal = { mean = number, sd = number of 0 or more } } or \
                        { uniform = { low = number, high = number } }";

/// Reads `[start]`.
pub(super) fn read_start(
    root: &Table<'_>,
    folder: &Path,
    names: &[String],
    particles: usize,
    inputs: &mut Vec<Input>,
) -> Result<Start, Refusal> {
    const ACCEPTED: &str = "a table with one entry a component, or file = \"start.csv\"";
    let table = root.require("start", ACCEPTED)?.table(ACCEPTED)?;
    let Some(file) = table.get("file") else {
        return marginals(&table, names, &["file"]).map(Start::Draw);
    };
    table.only(&["file"], " beside start.file")?;
    let names = Names::Exactly(names.to_vec());
    table::read(&file, folder, &names, Some(particles), inputs).map(Start::Given)
}

/// Reads `[prior]`: required for reinjection, refused elsewhere.
pub(super) fn read_prior(root: &Table<'_>, scheme: Scheme, names: &[String]) -> Result<Vec<Marginal>, Refusal> {
    const ACCEPTED: &str = "a table with one entry a component, with scheme = \"reinjection\"";
    match (scheme, root.get("prior")) {
        (Scheme::Reinjection(()), found) => {
            let value = match found {
                Some(value) => value,
                None => root.require("prior", ACCEPTED)?,
            };
            marginals(&value.table(ACCEPTED)?, names, &[])
        }
        (_, Some(value)) => Err(value
            .refuse_with("key \"prior\" is accepted with scheme = \"reinjection\" only, this run has another scheme")),
        (_, None) => Ok(Vec::new()),
    }
}

fn marginals(table: &Table<'_>, names: &[String], others: &[&str]) -> Result<Vec<Marginal>, Refusal> {
    let valid: Vec<&str> = names.iter().map(String::as_str).chain(others.iter().copied()).collect();
    table.only(&valid, " for this model")?;
    names.iter().map(|name| marginal(&table.require(name, MARGINAL)?)).collect()
}

/// Reads the law of one component.
pub(super) fn marginal(value: &Value<'_>) -> Result<Marginal, Refusal> {
    if value.number().is_some() {
        return value.real(Sign::Any).map(Marginal::Constant);
    }
    let table = value.table(MARGINAL)?;
    table.only(&["normal", "uniform"], "")?;
    match (table.get("normal"), table.get("uniform")) {
        (Some(normal), None) => {
            let table = normal.table("{ mean = number, sd = number of 0 or more }")?;
            table.only(&["mean", "sd"], "")?;
            Ok(Marginal::Normal {
                mean: table.require("mean", "a finite number")?.real(Sign::Any)?,
                sd: table.require("sd", "a finite number of 0 or more")?.real(Sign::NonNegative)?,
            })
        }
        (None, Some(uniform)) => {
            let table = uniform.table("{ low = number, high = number }")?;
            table.only(&["low", "high"], "")?;
            let low = table.require("low", "a finite number")?.real(Sign::Any)?;
            let upper = table.require("high", "a finite number")?;
            let high = upper.real(Sign::Any)?;
            if high < low || !value.precision().holds(high - low, Sign::Any) {
                return Err(upper.refuse(format!("a number not below low = {low:?}, at a finite distance from it")));
            }
            Ok(Marginal::Uniform { low, high })
        }
        _ => Err(value.refuse(MARGINAL)),
    }
}
