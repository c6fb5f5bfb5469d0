//! A result folder that is replaced whole, or not at all, and only by a whole result.
//!
//! Everything is written to a hidden sibling, which takes the place of the old folder in one step once it is complete:
//! a full disk, a crash or an error leaves the earlier result as it was. Only a folder that this program made (its
//! `manifest.json` says so, and it holds nothing else), an empty one, or none at all is ever replaced.
//!
//! A part of a result (the command was interrupted, or failed half way) replaces nothing but an earlier part: if
//! anything stands in its place it goes beside, into `NAME-interrupted`. [`Folder::finish`] is the only way to write a
//! result, so no command decides this.
//!
//! From the claim until the result is in its place the folder is locked; another process that wants it is refused
//! before it computes.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::TempDir;

use super::exchange::{self, Failed, extended, is_filled};
use super::lock::{self, Lock, Refused};
use birth_death_terminal::refusal::{Refusal, quoted};

/// The file by which a folder of this program is recognised.
pub const MANIFEST: &str = "manifest.json";
/// Every file that this program writes into a result, but for those that the manifest lists under `files`. A folder
/// that holds anything else is never replaced.
pub const NAMES: [&str; 16] = [
    AUDIT,
    CALIBRATION,
    "compare.csv",
    "compare.json",
    "ensemble.csv",
    "index.html",
    "junit.xml",
    "losses.csv",
    "losses.svg",
    MANIFEST,
    "model.json",
    "model.rs",
    RUNS,
    "summary.csv",
    "trajectory.csv",
    "verdicts.json",
];
/// What audit found.
pub const AUDIT: &str = "audit.json";
/// What the measurements of a calibration come to.
pub const CALIBRATION: &str = "calibration.json";
/// The measurements of a calibration or a study. A folder that holds any is continued and never replaced: they are
/// hours of work.
pub const RUNS: &str = "runs.jsonl";
/// What the manifest's key `program` holds.
pub const PROGRAM: &str = "birth-death";

/// What the names of files begin with that are on the way to their place in a folder: by `report`, and beside
/// measurements.
pub const DRAFTS: [&str; 2] = [".report-", ".draft-"];
/// Behind the name of the place, where a part of a result goes if anything stands there.
const ASIDE: &str = "-interrupted";
/// Behind the name of the place, where a whole result goes that could not take it.
const NEW: &str = "-new";
/// So many names are tried for either: with 2, 3, ... behind.
const MOST: u32 = 1000;

/// The place of a result: checked, writable, and nobody else's until this is dropped.
#[derive(Debug)]
pub struct Folder {
    place: PathBuf,
    inputs: Vec<PathBuf>,
    _lock: Lock,
}

/// A result that is being written, beside its place.
#[derive(Debug)]
pub struct Draft {
    staging: TempDir,
}

/// Where a result is. Displays as that folder, and for a part with what became of the earlier result.
#[derive(Debug)]
pub struct Placed {
    place: PathBuf,
    /// What was asked for, if something stands there.
    earlier: Option<PathBuf>,
}

/// A manifest as it is written: what the command has to say, and whether everything that was asked for is there.
#[derive(Serialize)]
struct Whole<'a, M> {
    #[serde(flatten)]
    manifest: &'a M,
    complete: bool,
}

impl Folder {
    /// Takes `place` for a result, and tries that files can be written there. `inputs` are files that must survive.
    /// What killed processes left there is swept.
    ///
    /// # Errors
    /// A refusal that names the place if something else is there, if it is the current folder, if it holds one of
    /// the inputs, if another process has claimed it, if nothing can be written, or if what is there cannot be moved
    /// away.
    pub fn claim(place: &Path, inputs: &[&Path]) -> Result<Self, Refusal> {
        let refuse = |message: String| Refusal::of_file(format!("--out {}", place.display()), message);
        let unwritable = |error: io::Error| refuse(lock::unwritable(&error));
        let place = std::path::absolute(place).map_err(|error| refuse(error.to_string()))?;
        let place =
            if place.exists() { place.canonicalize().map_err(|error| refuse(error.to_string()))? } else { place };
        if inside(&std::env::current_dir().unwrap_or_default(), &place) {
            return Err(refuse("is the current folder or holds it; accepted: another folder".to_owned()));
        }
        // Nothing is touched where the place is refused.
        check(&place, inputs).map_err(refuse)?;
        place.parent().map_or(Ok(()), fs::create_dir_all).map_err(unwritable)?;
        let lock = Lock::take(&place).map_err(|refused| refuse(refused.to_string()))?;
        if lock.is_known() {
            sweep(&place);
        }
        // Another process may have ended since, or an earlier result have come back.
        check(&place, inputs).map_err(refuse)?;
        let folder = Self { place, inputs: inputs.iter().map(|&input| input.to_owned()).collect(), _lock: lock };
        folder.try_out().map_err(unwritable)?;
        Ok(folder)
    }

    /// Writes a block and takes it away again, and tries whether what is there can be moved: a full disk, or a mount
    /// point, would fail only after hours of computing.
    fn try_out(&self) -> io::Result<()> {
        let draft = Draft::new(&self.place)?;
        draft.write("probe", |out| out.write_all(&[0; 4096]))?;
        if cfg!(unix) && self.place.exists() {
            // A folder with something in it is never replaced by a rename, but whoever may not move the other learns
            // that first.
            match fs::rename(&self.place, draft.staging.path()) {
                Err(error) if is_occupied(&error) => {}
                Err(error) => return Err(io::Error::new(error.kind(), format!("it cannot be moved: {error}"))),
                Ok(()) => fs::rename(draft.staging.path(), &self.place)?,
            }
        }
        Ok(())
    }

    /// Begins a folder of measurements, which are appended to it: of an empty file [`RUNS`] and the manifest.
    ///
    /// # Errors
    /// A refusal of a place that is not empty, and those of [`claim`](Self::claim).
    pub fn begin(place: &Path, manifest: &impl Serialize) -> Result<PathBuf, Refusal> {
        let refuse = |message: String| Refusal::of_file(format!("--out {}", place.display()), message);
        let empty = || {
            let message = format!("is not empty; accepted: a new or empty folder, or --resume where there is a {RUNS}");
            if is_filled(place) { Err(refuse(message)) } else { Ok(()) }
        };
        empty()?;
        let folder = Self::claim(place, &[])?;
        empty()?;
        let write = |draft: &Draft| {
            draft.write(RUNS, |_| Ok(()))?;
            draft.json(MANIFEST, manifest)
        };
        folder.put(&folder.place, write).map_err(refuse)?;
        Ok(folder.place.clone())
    }

    /// Where the result will be, if it is complete.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Writes the result, and puts it in place of what was there; says in one line on standard error what it replaced.
    /// If the result is not `complete` and anything is there, it goes into a folder of the same name with
    /// `-interrupted` behind, and what is there stays as it is. That folder is replaced if it holds a part; else the
    /// name ends in `-interrupted-2`, and so on. The manifest is that of the command, with the key `complete`.
    ///
    /// # Errors
    /// One line: why, and where the earlier result and this one are.
    pub fn finish(
        self,
        complete: bool,
        manifest: &impl Serialize,
        write: impl FnOnce(&Draft) -> io::Result<()>,
    ) -> Result<Placed, String> {
        let write = |draft: &Draft| {
            write(draft)?;
            draft.json(MANIFEST, &Whole { manifest, complete })
        };
        if complete || !is_filled(&self.place) {
            self.put(&self.place, write)?;
            return Ok(Placed { place: self.place.clone(), earlier: None });
        }
        let (place, _lock) = self.aside()?;
        self.put(&place, write)?;
        Ok(Placed { place, earlier: Some(self.place.clone()) })
    }

    /// The place of a part beside an earlier result, and its lock.
    fn aside(&self) -> Result<(PathBuf, Lock), String> {
        let inputs: Vec<&Path> = self.inputs.iter().map(PathBuf::as_path).collect();
        for place in names(&self.place, ASIDE) {
            // Another process may hold it, or somebody have files there: then the next.
            let lock = match Lock::take(&place) {
                Ok(lock) => lock,
                Err(Refused::Held(_)) => continue,
                Err(Refused::Failed(message)) => return Err(format!("{message}; nothing is written")),
            };
            if lock.is_known() {
                sweep(&place);
            }
            if check(&place, &inputs).is_ok() && (!is_filled(&place) || is_part(&place)) {
                return Ok((place, lock));
            }
        }
        Err(format!("no name is free beside {} for a part; nothing is written", self.place.display()))
    }

    /// Writes a folder and moves it to `place`, which is locked.
    fn put(&self, place: &Path, write: impl FnOnce(&Draft) -> io::Result<()>) -> Result<(), String> {
        let written = Draft::new(place).and_then(|draft| {
            write(&draft)?;
            readable_by_others(draft.staging.path())?;
            Ok(draft)
        });
        let draft = written.map_err(|error| {
            let fate =
                if is_filled(&self.place) { "the earlier result there is as it was" } else { "nothing is written" };
            format!("the result cannot be written to {} ({error}); {fate}", self.place.display())
        })?;
        // Hours of work: from here on nothing deletes it.
        let staging = draft.staging.keep();
        // Someone may have put files there since.
        let moved = replaceable(place)
            .map_err(|message| Failed { error: io::Error::other(message), earlier: None })
            .and_then(|()| exchange::put(&staging, place));
        match moved {
            Ok(earlier) => {
                if let Some(earlier) = earlier {
                    discard(&earlier, place);
                }
                Ok(())
            }
            Err(Failed { error, earlier }) => {
                let earlier = earlier.map_or_else(
                    || "what was there is as it was".to_owned(),
                    |earlier| {
                        format!("what was there is in {}, from where the next run moves it back", earlier.display())
                    },
                );
                let kept = rescue(&staging, place);
                Err(format!(
                    "the result cannot take its place {}: it {error}; it is in {kept}; {earlier}",
                    place.display()
                ))
            }
        }
    }
}

impl Draft {
    fn new(place: &Path) -> io::Result<Self> {
        Ok(Self { staging: exchange::draft(place)? })
    }

    /// Writes one file of the result.
    ///
    /// # Errors
    /// Those of the system; the earlier result is untouched.
    pub fn write(&self, name: &str, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(self.staging.path().join(name))?);
        content(&mut file)?;
        file.into_inner().map_err(|error| error.into_error())?.sync_all()
    }

    /// Writes a value as JSON, for people too.
    ///
    /// # Errors
    /// Those of the system.
    pub fn json(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.write(name, |out| {
            serde_json::to_writer_pretty(&mut *out, value)?;
            writeln!(out)
        })
    }
}

impl Placed {
    /// The folder.
    pub fn place(&self) -> &Path {
        &self.place
    }
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place.display())?;
        if let Some(earlier) = &self.earlier {
            write!(f, "; the earlier result in {} is as it was", earlier.display())?;
        }
        Ok(())
    }
}

/// One line on standard error, which may be closed.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Names beside a folder, in the order in which they are tried.
fn names(place: &Path, behind: &'static str) -> impl Iterator<Item = PathBuf> {
    let number = |number| if number == 1 { String::new() } else { format!("-{number}") };
    (1..=MOST).map(move |count| extended(place, "", &format!("{behind}{}", number(count))))
}

/// Sweeps a folder that is locked, and those of its parts whose locks a killed process left.
fn sweep(place: &Path) {
    exchange::sweep(place).iter().for_each(|note| say(note));
    let Some(parts) = place.file_name().and_then(|name| name.to_str()).map(|name| format!("{name}{ASIDE}")) else {
        return;
    };
    let entries = place.parent().and_then(|parent| fs::read_dir(parent).ok()).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let Some(folder) = name.to_str().and_then(Lock::folder_of).filter(|folder| folder.starts_with(&parts)) else {
            continue;
        };
        let part = place.with_file_name(folder);
        if let Ok(lock) = Lock::take(&part)
            && lock.is_known()
        {
            exchange::sweep(&part).iter().for_each(|note| say(note));
        }
    }
}

/// Says what was replaced, and deletes it.
fn discard(earlier: &Path, place: &Path) {
    if is_filled(earlier) {
        let what = manifest(earlier).map_or_else(|| "a folder".to_owned(), |manifest| described(&manifest));
        say(&format!("note: {} held {what}, which is replaced", place.display()));
    }
    if let Err(error) = fs::remove_dir_all(earlier) {
        // The result is in its place: that the earlier one is left over is no failure of it.
        say(&format!("warning: the earlier result cannot be deleted ({error}); it is left in {}", earlier.display()));
    }
}

/// What made a result, as far as its manifest says so.
fn described(manifest: &serde_json::Value) -> String {
    let text = |value: &serde_json::Value| value.as_str().map(quoted);
    let mut said = match manifest["complete"].as_bool() {
        Some(true) => "the complete result".to_owned(),
        Some(false) => "a part of the result".to_owned(),
        None => "a result".to_owned(),
    };
    if let Some(command) = text(&manifest["command"]) {
        said += &format!(" of {command}");
    }
    if let Some(file) = text(&manifest["configuration"]["file"]) {
        said += &format!(" {file}");
    }
    let seed = manifest["seed"].as_u64().map(|seed| format!("seed {seed}"));
    let commit =
        text(&manifest["commit"]).map(|commit| format!("commit {}", commit.chars().take(12).collect::<String>()));
    let details: Vec<String> = seed.into_iter().chain(commit).collect();
    if details.is_empty() { said } else { format!("{said} ({})", details.join(", ")) }
}

/// Moves a whole result that could not take its place to a name that nobody sweeps; gives where it is.
fn rescue(staging: &Path, place: &Path) -> String {
    let free = names(place, NEW).find(|name| fs::symlink_metadata(name).is_err());
    match free.filter(|name| fs::rename(staging, name).is_ok()) {
        Some(name) => name.display().to_string(),
        None => format!("{} (move it: the next run with this --out deletes it)", staging.display()),
    }
}

/// Whether a folder could not be renamed only because the other is not empty.
fn is_occupied(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

/// Whether what is at `place` may be replaced, and holds none of the inputs; else a message.
fn check(place: &Path, inputs: &[&Path]) -> Result<(), String> {
    replaceable(place)?;
    match inputs.iter().find(|input| inside(input, place)) {
        None => Ok(()),
        Some(input) => {
            Err(format!("holds the input {}, which would be deleted; accepted: another folder", input.display()))
        }
    }
}

/// Whether a folder holds a part of a result, and says so.
fn is_part(place: &Path) -> bool {
    manifest(place).is_some_and(|manifest| manifest["complete"] == false)
}

/// Whether `file` lies in `folder` or is it.
fn inside(file: &Path, folder: &Path) -> bool {
    file.canonicalize().is_ok_and(|file| file.starts_with(folder))
}

/// Whether what is at `place` may be replaced; else a message.
fn replaceable(place: &Path) -> Result<(), String> {
    const ACCEPTED: &str =
        "accepted: a new or empty folder, or an earlier result of birth-death and nothing else in it";
    match fs::metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if fs::symlink_metadata(place).is_ok() {
                Err(format!("is a symbolic link to nothing; {ACCEPTED}"))
            } else {
                Ok(())
            }
        }
        Err(error) => Err(format!("cannot be used ({error}); {ACCEPTED}")),
        Ok(data) if !data.is_dir() => Err(format!("is a file; {ACCEPTED}")),
        Ok(_) if fs::symlink_metadata(place.join(RUNS)).is_ok() => Err(format!(
            "holds measurements ({RUNS}), which the command that made them goes on with (--resume); accepted: another \
                folder"
        )),
        Ok(_) => {
            let (empty, foreign) = contents(place).map_err(|error| format!("cannot be read ({error}); {ACCEPTED}"))?;
            match foreign {
                Some(name) => Err(format!("holds \"{}\", which birth-death does not write; {ACCEPTED}", quoted(&name))),
                None if empty || made_here(place) => Ok(()),
                None => Err(format!("holds files, but no {MANIFEST} of birth-death; {ACCEPTED}")),
            }
        }
    }
}

/// Whether a folder is empty, and the first entry in it that this program does not write.
fn contents(place: &Path) -> io::Result<(bool, Option<String>)> {
    let mut empty = true;
    let mut foreign = Vec::new();
    let listed = manifest(place).map(|manifest| manifest["files"].clone());
    let listed = |name: &str| {
        let names = listed.as_ref().and_then(serde_json::Value::as_array);
        names.is_some_and(|names| names.iter().any(|listed| listed == name))
    };
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        empty = false;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = NAMES.contains(&name.as_str()) || listed(&name) || is_draft(&name);
        if !(ours && entry.file_type()?.is_file()) {
            foreign.push(name);
        }
    }
    Ok((empty, foreign.into_iter().min()))
}

/// Whether a killed process left this file on the way to its place in a folder.
fn is_draft(name: &str) -> bool {
    DRAFTS.iter().any(|prefix| name.strip_prefix(prefix).is_some_and(exchange::is_random))
}

fn made_here(place: &Path) -> bool {
    manifest(place).is_some_and(|manifest| manifest["program"] == PROGRAM)
}

fn manifest(place: &Path) -> Option<serde_json::Value> {
    fs::read(place.join(MANIFEST)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

/// Temporary folders are made for their owner alone; a result is as readable as any folder made here.
#[cfg(unix)]
fn readable_by_others(staging: &Path) -> io::Result<()> {
    let model = staging.join("model");
    fs::create_dir(&model)?;
    let permissions = fs::metadata(&model)?.permissions();
    fs::remove_dir(&model)?;
    fs::set_permissions(staging, permissions)
}

#[cfg(not(unix))]
fn readable_by_others(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(place: &Path) -> Folder {
        Folder::claim(place, &[]).expect("claimed")
    }

    /// A result of one file with this text.
    fn finish(folder: Folder, complete: bool, text: &'static str) -> Result<Placed, String> {
        let manifest = serde_json::json!({"program": PROGRAM, "command": "run"});
        folder.finish(complete, &manifest, |draft| draft.write("summary.csv", |out| out.write_all(text.as_bytes())))
    }

    fn read(folder: &Path) -> String {
        fs::read_to_string(folder.join("summary.csv")).expect("read")
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("read").map(|entry| entry.expect("read").file_name());
        let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_result_replaces_an_earlier_one_whole() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("a/run");
        finish(claim(&place), true, "1").expect("in its place");
        fs::write(place.join("losses.csv"), "").expect("written");
        let folder = claim(&place);
        assert!(place.join("losses.csv").exists());
        let placed = finish(folder, true, "2").expect("in its place");
        assert_eq!((placed.place(), placed.to_string()), (&*place, place.display().to_string()));
        assert_eq!(read(&place), "2");
        assert_eq!(names(&place), [MANIFEST, "summary.csv"]);
        assert_eq!(names(&top.path().join("a")), ["run"], "neither a draft nor a lock is left");
    }

    #[test]
    fn a_result_that_is_given_up_or_cannot_be_written_leaves_the_earlier_one() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("run");
        let full = || {
            let manifest = serde_json::json!({"program": PROGRAM});
            claim(&place).finish(true, &manifest, |draft| {
                draft.write("summary.csv", |_| Ok(()))?;
                Err(io::Error::other("full"))
            })
        };
        let message = full().expect_err("full");
        assert!(message.contains("(full); nothing is written"), "{message}");
        assert!(names(top.path()).is_empty(), "{:?}", names(top.path()));
        finish(claim(&place), true, "1").expect("in its place");
        drop(claim(&place));
        let message = full().expect_err("full");
        assert!(message.contains("(full); the earlier result there is as it was"), "{message}");
        assert_eq!(read(&place), "1");
        assert_eq!(names(top.path()), ["run"]);
    }

    #[test]
    fn a_part_replaces_nothing_but_a_part() {
        let top = TempDir::new().expect("a folder");
        let (place, aside) = (top.path().join("run"), top.path().join("run-interrupted"));
        let part = |text| finish(claim(&place), false, text).expect("a place");
        assert_eq!(part("1").place(), place, "nothing stands there");
        // a part too stays where it is: somebody may be reading it
        let placed = part("2");
        assert_eq!(placed.place(), aside);
        let told = format!("{}; the earlier result in {} is as it was", aside.display(), place.display());
        assert_eq!(placed.to_string(), told);
        part("3");
        assert_eq!((read(&place), read(&aside)), ("1".into(), "3".into()));
        // a whole result replaces a part
        finish(claim(&place), true, "4").expect("in its place");
        part("5");
        assert_eq!((read(&place), read(&aside)), ("4".into(), "5".into()));
        // what stands beside and is no part is not replaced either
        finish(claim(&aside), true, "6").expect("in its place");
        let second = top.path().join("run-interrupted-2");
        assert_eq!(part("7").place(), second);
        fs::write(second.join("thesis.tex"), "mine").expect("written");
        assert_eq!(part("8").place(), top.path().join("run-interrupted-3"));
        let held = claim(&top.path().join("run-interrupted-3"));
        assert_eq!(part("9").place(), top.path().join("run-interrupted-4"));
        drop(held);
        assert_eq!((read(&place), read(&aside), read(&second)), ("4".into(), "6".into(), "7".into()));
        assert_eq!(names(top.path()).len(), 5, "{:?}", names(top.path()));
    }

    #[test]
    fn an_input_beside_is_not_replaced_by_a_part() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("run");
        for text in ["1", "2"] {
            finish(claim(&place), false, text).expect("in its place");
        }
        let input = top.path().join("run-interrupted/summary.csv");
        let folder = Folder::claim(&place, &[&input]).expect("claimed");
        assert_eq!(finish(folder, false, "3").expect("a place").place(), top.path().join("run-interrupted-2"));
        assert_eq!(fs::read_to_string(input).expect("read"), "2");
    }

    #[test]
    fn the_manifest_says_whether_the_result_is_complete() {
        let top = TempDir::new().expect("a folder");
        for complete in [true, false] {
            let placed = finish(claim(&top.path().join(complete.to_string())), complete, "").expect("in its place");
            let manifest = manifest(placed.place()).expect("a manifest");
            assert_eq!((&manifest["complete"], &manifest["command"]), (&complete.into(), &"run".into()));
        }
    }

    #[test]
    fn a_result_is_described_by_its_manifest() {
        let of = |text: &str| described(&serde_json::from_str(text).expect("JSON"));
        let whole = r#"{"command": "run", "complete": true, "seed": 7, "commit": "0123456789abcdef0123",
                        "configuration": {"file": "a.toml"}}"#;
        assert_eq!(of(whole), "the complete result of run a.toml (seed 7, commit 0123456789ab)");
        assert_eq!(
            of(&whole.replace("true", "false")),
            "a part of the result of run a.toml (seed 7, commit 0123456789ab)"
        );
        assert_eq!(of("{}"), "a result");
        // a file of others may say anything
        assert_eq!(of(r#"{"command": "r\u001b[31mun", "commit": "unknown"}"#), "a result of r[31mun (commit unknown)");
        assert_eq!(of(r#"{"commit": "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"}"#), "a result (commit äääääää)");
    }

    #[test]
    fn a_folder_that_is_claimed_is_nobody_else_s() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("run");
        let held = claim(&place);
        let message = Folder::claim(&place, &[]).expect_err("held").to_string();
        assert!(message.contains("another birth-death process"), "{message}");
        finish(held, true, "1").expect("in its place");
        claim(&place);
    }

    #[test]
    fn what_a_killed_process_left_is_gone_after_the_next_claim() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("run");
        for name in [".run.partial-abcdef", ".run-interrupted.partial-abcdef"] {
            fs::create_dir(top.path().join(name)).expect("made");
        }
        for name in [".run.birth-death.lock", ".run-interrupted.birth-death.lock"] {
            fs::write(top.path().join(name), "1\n").expect("written");
        }
        drop(claim(&place));
        assert!(names(top.path()).is_empty(), "{:?}", names(top.path()));
        // a living one's draft is left alone
        let living = claim(&place);
        let draft = Draft::new(&place).expect("a draft");
        Folder::claim(&place, &[]).expect_err("held");
        assert!(draft.staging.path().exists());
        drop(living);
    }

    #[test]
    fn measurements_begin_in_an_empty_folder() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("study");
        let manifest = serde_json::json!({"program": PROGRAM});
        fs::create_dir(&place).expect("made");
        Folder::begin(&place, &manifest).expect("empty");
        assert_eq!(names(&place), [MANIFEST, RUNS]);
        assert_eq!(names(top.path()), ["study"]);
        let message = Folder::begin(&place, &manifest).expect_err("begun").to_string();
        assert!(message.contains("is not empty"), "{message}");
    }

    #[test]
    fn folders_of_others_are_refused() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("mine");
        fs::create_dir(&place).expect("made");
        Folder::claim(&place, &[]).expect("an empty folder");
        fs::write(place.join("thesis.tex"), "x").expect("written");
        let message = Folder::claim(&place, &[]).expect_err("refused").to_string();
        assert!(message.contains("thesis.tex"), "{message}");
        let file = place.join("thesis.tex");
        let message = Folder::claim(&file, &[]).expect_err("refused").to_string();
        assert!(message.contains("is a file"), "{message}");
        let message = Folder::claim(&file.join("x"), &[]).expect_err("refused").to_string();
        assert!(message.contains("thesis.tex"), "{message}");
        let here = std::env::current_dir().expect("a folder");
        Folder::claim(&here, &[]).expect_err("the current folder");
        Folder::claim(Path::new("/"), &[]).expect_err("the root");
    }

    #[test]
    fn a_folder_that_holds_an_input_is_refused() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("run");
        fs::create_dir(&place).expect("made");
        fs::write(place.join(MANIFEST), "{\"program\": \"birth-death\"}").expect("written");
        let input = place.join("summary.csv");
        fs::write(&input, "").expect("written");
        let message = Folder::claim(&place, &[&input]).expect_err("refused").to_string();
        assert!(message.contains("holds the input") && message.contains("summary.csv"), "{message}");
    }

    #[test]
    fn files_of_the_user_in_an_earlier_result_are_not_deleted() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("run");
        fs::create_dir(&place).expect("made");
        fs::write(place.join("summary.csv"), "").expect("written");
        let message = Folder::claim(&place, &[]).expect_err("refused").to_string();
        assert!(message.contains("no manifest.json"), "{message}");
        fs::write(place.join(MANIFEST), "{\"program\": \"birth-death\"}").expect("written");
        Folder::claim(&place, &[]).expect("an earlier result");
        fs::write(place.join("notes.txt"), "mine").expect("written");
        let message = Folder::claim(&place, &[]).expect_err("refused").to_string();
        assert!(message.contains("\"notes.txt\""), "{message}");
        fs::remove_file(place.join("notes.txt")).expect("removed");
        // a killed report leaves such a file
        fs::write(place.join(".report-a1B2c3"), "half a page").expect("written");
        Folder::claim(&place, &[]).expect("an earlier result");
        // A folder may hold anything, whatever its name.
        fs::create_dir(place.join("junit.xml")).expect("made");
        let message = Folder::claim(&place, &[]).expect_err("refused").to_string();
        assert!(message.contains("\"junit.xml\""), "{message}");
    }

    #[test]
    fn a_manifest_says_which_files_belong_to_it() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("figures");
        fs::create_dir(&place).expect("made");
        fs::write(place.join("a.svg"), "").expect("written");
        let write = |text: &str| fs::write(place.join(MANIFEST), text).expect("written");
        write("{\"program\": \"birth-death\", \"files\": [\"a.svg\", \"a.png\"]}");
        Folder::claim(&place, &[]).expect("an earlier result, of which a file is gone");
        fs::write(place.join("b.svg"), "mine").expect("written");
        let message = Folder::claim(&place, &[]).expect_err("refused").to_string();
        assert!(message.contains("\"b.svg\""), "{message}");
        // another program's list gives nothing free
        write("{\"program\": \"another\", \"files\": [\"a.svg\", \"b.svg\"]}");
        Folder::claim(&place, &[]).expect_err("refused");
    }

    #[test]
    fn a_result_that_cannot_take_its_place_is_kept_and_named() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("run");
        for name in ["run-new", "run-new-2"] {
            let folder = claim(&place);
            fs::create_dir_all(&place).expect("made");
            fs::write(place.join("thesis.tex"), "mine").expect("written");
            let message = finish(folder, true, "hours of work").expect_err("refused");
            let kept = top.path().join(name);
            let says = format!("it is in {}; what was there is as it was", kept.display());
            assert!(message.contains("thesis.tex") && message.contains(&says), "{message}");
            assert_eq!(read(&kept), "hours of work");
            fs::remove_file(place.join("thesis.tex")).expect("mine is there");
            drop(claim(&place));
        }
        assert_eq!(names(top.path()), ["run", "run-new", "run-new-2"], "the next claim does not sweep them");
    }

    #[test]
    fn measurements_of_a_calibration_are_never_replaced() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("calibration");
        fs::create_dir(&place).expect("made");
        fs::write(place.join(MANIFEST), "{\"program\": \"birth-death\"}").expect("written");
        // without a line too: another process may be about to write the first
        for measured in ["", "x"] {
            fs::write(place.join(RUNS), measured).expect("written");
            let message = Folder::claim(&place, &[]).expect_err("refused").to_string();
            assert!(message.contains("--resume"), "{message}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nothing_is_refused() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("run");
        std::os::unix::fs::symlink(top.path().join("nothing"), &place).expect("linked");
        let message = Folder::claim(&place, &[]).expect_err("refused").to_string();
        assert!(message.contains("symbolic link"), "{message}");
        fs::create_dir(top.path().join("nothing")).expect("made");
        Folder::claim(&place, &[]).expect("a link to a folder");
    }
}
