//! `birth-death report DIR`: the page and the JUnit file again, from the numbers in `DIR/verdicts.json`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use tempfile::NamedTempFile;

use super::{Verdicts, junit, page, read, summary};
use crate::calibrate::{self, Calibration};
use crate::cli::{BAD_INPUT, FAILURE, ReportArgs, SUCCESS};
use crate::config::Refusal;
use crate::output::folder::CALIBRATION;
use crate::output::screen::Screen;

/// Rebuilds as the arguments say; the result is the exit code.
pub fn main(arguments: &ReportArgs) -> ExitCode {
    let folder = &arguments.folder;
    let (verdicts, calibration) = match stored(arguments) {
        Ok(stored) => stored,
        Err(refusal) => {
            let _ = writeln!(io::stderr(), "error: {refusal}");
            return ExitCode::from(BAD_INPUT);
        }
    };
    if let Err(error) = rebuild(folder, &verdicts, calibration.as_ref()) {
        let _ = writeln!(io::stderr(), "error: {}: {error}; the files there are as they were", folder.display());
        return ExitCode::from(FAILURE);
    }
    let _ = writeln!(
        Screen,
        "{}; profile {}, seed {}\npage in {}",
        summary(&verdicts),
        verdicts.profile,
        verdicts.seed,
        folder.join("index.html").display()
    );
    ExitCode::from(SUCCESS)
}

/// The numbers: the verdicts, and the calibration that is given or was kept with them.
fn stored(arguments: &ReportArgs) -> Result<(Verdicts, Option<Calibration>), Refusal> {
    let verdicts = read(&arguments.folder.join("verdicts.json"))?;
    let kept = arguments.folder.join(CALIBRATION);
    let calibration = arguments.calibration.clone().or_else(|| kept.exists().then_some(kept));
    Ok((verdicts, calibration.map(|file| calibrate::read(&file)).transpose()?))
}

/// All files are complete before the first takes its place.
fn rebuild(folder: &Path, verdicts: &Verdicts, calibration: Option<&Calibration>) -> io::Result<()> {
    let mut texts =
        vec![("index.html", page(verdicts, calibration)), ("junit.xml", junit(verdicts).map_err(io::Error::other)?)];
    if let Some(calibration) = calibration {
        texts.push((CALIBRATION, serde_json::to_string_pretty(calibration)? + "\n"));
    }
    let mut files = Vec::new();
    for (name, text) in texts {
        let mut file = NamedTempFile::with_prefix_in(".report-", folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        readable(&file)?;
        files.push((name, file));
    }
    for (name, file) in files {
        file.persist(folder.join(name))?;
    }
    Ok(())
}

/// A temporary file is its owner's only; a report is for others too.
#[cfg(unix)]
fn readable(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &NamedTempFile) -> io::Result<()> {
    Ok(())
}
