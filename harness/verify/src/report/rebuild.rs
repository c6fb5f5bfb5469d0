//! `birth-death report DIR`: the page and the JUnit file again, from the numbers in `DIR/verdicts.json`.

use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::{Verdicts, junit, page, read, summary};
use crate::arguments::ReportArgs;
use crate::calibrate::{self, Calibration};
use birth_death_output::folder::{CALIBRATION, DRAFTS};
use birth_death_output::lock::{Lock, Refused};
use birth_death_terminal::exit::{FAILURE, SUCCESS};
use birth_death_terminal::refusal::Refusal;
use birth_death_terminal::screen::{self, Screen};

/// Rebuilds as the arguments say; the result is the exit code.
///
/// # Errors
/// Bad input.
pub fn main(arguments: &ReportArgs) -> Result<u8, Refusal> {
    let folder = &arguments.folder;
    // Another process may be about to replace the folder.
    let _lock = hold(folder)?;
    let (verdicts, calibration) = stored(arguments)?;
    if let Err(error) = rebuild(folder, &verdicts, calibration.as_ref()) {
        screen::error(format_args!("{}: {error}", folder.display()));
        return Ok(FAILURE);
    }
    let _ = writeln!(
        Screen,
        "{}; profile {}, seed {}\npage in {}",
        summary(&verdicts),
        verdicts.profile,
        verdicts.seed,
        folder.join("index.html").display()
    );
    Ok(SUCCESS)
}

/// The lock of a folder; none where one cannot be made.
fn hold(folder: &Path) -> Result<Option<Lock>, Refusal> {
    let Ok(place) = folder.canonicalize() else { return Ok(None) };
    match Lock::take(&place) {
        Ok(lock) => Ok(Some(lock)),
        Err(Refused::Failed(_)) => Ok(None),
        Err(Refused::Held(message)) => Err(Refusal::of_file(folder.display(), message)),
    }
}

/// The numbers: the verdicts, and the calibration that is given or was kept with them.
fn stored(arguments: &ReportArgs) -> Result<(Verdicts, Option<Calibration>), Refusal> {
    let verdicts = read(&arguments.folder.join("verdicts.json"))?;
    let kept = arguments.folder.join(CALIBRATION);
    let calibration = arguments.calibration.clone().or_else(|| kept.exists().then_some(kept));
    Ok((verdicts, calibration.map(|file| calibrate::read(&file)).transpose()?))
}

/// All files are complete before the first takes its place; an error says what is there then.
fn rebuild(folder: &Path, verdicts: &Verdicts, calibration: Option<&Calibration>) -> Result<(), String> {
    let files =
        written(folder, verdicts, calibration).map_err(|error| format!("{error}; the files there are as they were"))?;
    for (name, file) in files {
        let placed = file.persist(folder.join(name));
        placed.map_err(|error| format!("{name} cannot take its place ({error}); run this again"))?;
    }
    Ok(())
}

/// The files under temporary names.
fn written(
    folder: &Path,
    verdicts: &Verdicts,
    calibration: Option<&Calibration>,
) -> io::Result<Vec<(&'static str, NamedTempFile)>> {
    let mut texts = vec![
        ("index.html", page(verdicts, calibration)),
        ("junit.xml", junit(verdicts, None).map_err(io::Error::other)?),
    ];
    if let Some(calibration) = calibration {
        texts.push((CALIBRATION, serde_json::to_string_pretty(calibration)? + "\n"));
    }
    let mut files = Vec::new();
    for (name, text) in texts {
        let mut file = NamedTempFile::with_prefix_in(DRAFTS[0], folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        readable(&file)?;
        files.push((name, file));
    }
    Ok(files)
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
