//! Reads back what this program wrote.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::Refusal;

/// Only what tells whether the rest can be understood.
#[derive(Deserialize)]
struct Version {
    schema: u32,
}

/// Reads a JSON file with `"schema": schema`. `accepted` names what would be: "a verdicts.json that verify wrote".
///
/// # Errors
/// A refusal that names the file: it cannot be read, is of another version of the layout, or is damaged.
pub fn read<T: DeserializeOwned>(file: &Path, schema: u32, accepted: &str) -> Result<T, Refusal> {
    let refuse = |message: String| Refusal::of_file(file.display(), message);
    // a device may have no end
    if std::fs::metadata(file).is_ok_and(|data| !data.is_file()) {
        return Err(refuse(format!("is no file; accepted: {accepted}")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| refuse(format!("{error}; accepted: {accepted}")))?;
    let damaged = |error: serde_json::Error| {
        Refusal::at(file.display(), Some(error.line()), format!("{error}; accepted: {accepted}, whole"))
    };
    let found: Version = serde_json::from_str(&text).map_err(damaged)?;
    if found.schema != schema {
        let found = found.schema;
        return Err(refuse(format!("has version {found} of the layout; accepted: {accepted}, version {schema}")));
    }
    serde_json::from_str(&text).map_err(damaged)
}
