//! A result folder that is replaced whole, or not at all.
//!
//! Everything is written to a hidden sibling, which takes the place of the old folder by renaming once it is
//! complete: a full disk, a crash or an error leaves the earlier result as it was. Only a folder that this program
//! made (its `manifest.json` says so, and it holds nothing else), an empty one, or none at all is ever replaced.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::TempDir;

use crate::config::{Refusal, quoted};

/// The file by which a folder of this program is recognised.
pub const MANIFEST: &str = "manifest.json";
/// Every file that this program writes into a result, but for those that the manifest lists under `files`. A folder that holds
/// anything else is never replaced.
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
/// The measurements of a calibration or a study. A folder that holds any is continued and never replaced: they are hours of work.
pub const RUNS: &str = "runs.jsonl";
/// What the manifest's key `program` holds.
pub const PROGRAM: &str = "birth-death";

/// The place of a result: checked, and writable.
#[derive(Debug, Clone)]
pub struct Folder {
    place: PathBuf,
}

/// A result that is being written, beside its place; dropped, it leaves no trace.
#[derive(Debug)]
pub struct Draft {
    place: PathBuf,
    staging: TempDir,
}

impl Folder {
    /// Takes `place` for a result, and tries that files can be written there. `inputs` are files that must survive.
    ///
    /// # Errors
    /// A refusal that names the place if something else is there, if it is the current folder, if it holds one of
    /// the inputs, if nothing can be written, or if what is there cannot be moved away.
    pub fn claim(place: &Path, inputs: &[&Path]) -> Result<Self, Refusal> {
        let refuse = |message: String| Refusal::of_file(format!("--out {}", place.display()), message);
        let place = std::path::absolute(place).map_err(|error| refuse(error.to_string()))?;
        let place =
            if place.exists() { place.canonicalize().map_err(|error| refuse(error.to_string()))? } else { place };
        if inside(&std::env::current_dir().unwrap_or_default(), &place) {
            return Err(refuse("is the current folder or holds it; accepted: another folder".to_owned()));
        }
        replaceable(&place).map_err(refuse)?;
        for input in inputs {
            if inside(input, &place) {
                return Err(refuse(format!(
                    "holds the input {}, which would be deleted; accepted: another folder",
                    input.display()
                )));
            }
        }
        let folder = Self { place };
        folder.try_out().map_err(|error| {
            refuse(format!("nothing can be written there ({error}); accepted: a folder in a writable place"))
        })?;
        Ok(folder)
    }

    /// Writes a block and takes it away again, and moves what is there away and back: a full disk, or a mount point,
    /// would fail only after hours of computing.
    fn try_out(&self) -> io::Result<()> {
        let draft = self.draft()?;
        draft.write("probe", |out| out.write_all(&[0; 4096]))?;
        if self.place.exists() {
            let away = beside(draft.staging.path());
            fs::rename(&self.place, &away)
                .map_err(|error| io::Error::new(error.kind(), format!("it cannot be moved: {error}")))?;
            give_back(&away, &self.place)?;
        }
        Ok(())
    }

    /// Begins to write a result.
    ///
    /// # Errors
    /// Those of the system.
    pub fn draft(&self) -> io::Result<Draft> {
        let (Some(parent), Some(name)) = (self.place.parent(), self.place.file_name()) else {
            return Err(io::Error::other("it has no name"));
        };
        fs::create_dir_all(parent)?;
        let staging =
            tempfile::Builder::new().prefix(&format!(".{}.partial-", name.to_string_lossy())).tempdir_in(parent)?;
        Ok(Draft { place: self.place.clone(), staging })
    }

    /// Where the result will be.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// For the part of a result that was complete when it was interrupted: this folder if there is nothing in it, else one of the same
    /// name with `-interrupted` behind. An earlier result stays as it is.
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
    pub fn for_a_part(self) -> Result<Self, Refusal> {
        if fs::read_dir(&self.place).is_ok_and(|mut entries| entries.next().is_some()) {
            let mut name = self.place.into_os_string();
            name.push("-interrupted");
            return Self::claim(Path::new(&name), &[]);
        }
        Ok(self)
    }
}

impl Draft {
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

    /// Puts the files written so far in place of what was there.
    ///
    /// # Errors
    /// Those of the system; the earlier result is back in its place, and the message says where the new one is.
    pub fn replace(self) -> io::Result<PathBuf> {
        let Self { place, staging } = self;
        // Hours of work: from here on nothing deletes it.
        let staging = staging.keep();
        exchange(&staging, &place).map_err(|error| {
            io::Error::new(error.kind(), format!("{error}; the new result is in {}", staging.display()))
        })?;
        Ok(place)
    }
}

/// Moves the folder `staging` to `place`, and deletes what was there.
fn exchange(staging: &Path, place: &Path) -> io::Result<()> {
    // Someone may have put files there since.
    replaceable(place).map_err(io::Error::other)?;
    readable_by_others(staging)?;
    let earlier = beside(staging);
    let replaces = place.exists();
    if replaces {
        fs::rename(place, &earlier)?;
    }
    if let Err(error) = fs::rename(staging, place) {
        if replaces {
            give_back(&earlier, place)?;
        }
        return Err(error);
    }
    if replaces && let Err(error) = fs::remove_dir_all(&earlier) {
        // The result is in its place: that the earlier one is left over is no failure of it.
        let _ = writeln!(
            io::stderr(),
            "warning: the earlier result cannot be deleted ({error}); it is left in {}",
            earlier.display()
        );
    }
    Ok(())
}

/// Where an earlier result waits until the one in `staging` has taken its place.
fn beside(staging: &Path) -> PathBuf {
    let mut earlier = staging.as_os_str().to_owned();
    earlier.push(".earlier");
    earlier.into()
}

/// Moves an earlier result back to its place; the message of a failure says where it is.
fn give_back(earlier: &Path, place: &Path) -> io::Result<()> {
    fs::rename(earlier, place).map_err(|error| {
        io::Error::new(error.kind(), format!("{error}; the earlier result is in {}", earlier.display()))
    })
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
            "holds measurements ({RUNS}), which the command that made them goes on with (--resume); accepted: another folder"
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
        if !((NAMES.contains(&name.as_str()) || listed(&name)) && entry.file_type()?.is_file()) {
            foreign.push(name);
        }
    }
    Ok((empty, foreign.into_iter().min()))
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

    fn put(folder: &Folder, text: &'static str) -> Draft {
        let draft = folder.draft().expect("a draft");
        draft.write(MANIFEST, |out| out.write_all(text.as_bytes())).expect("written");
        draft
    }

    #[test]
    fn a_result_replaces_an_earlier_one_whole() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("a/run");
        let folder = Folder::claim(&place, &[]).expect("claimed");
        put(&folder, "{\"program\": \"birth-death\"}").replace().expect("replaced");
        fs::write(place.join("summary.csv"), "").expect("written");
        let folder = Folder::claim(&place, &[]).expect("claimed again");
        let draft = put(&folder, "{\"program\": \"birth-death\", \"a\": 2}");
        assert!(place.join("summary.csv").exists());
        draft.replace().expect("replaced");
        assert!(!place.join("summary.csv").exists());
        let left: Vec<_> = fs::read_dir(top.path().join("a")).expect("read").collect();
        assert_eq!(left.len(), 1, "no temporary folder is left: {left:?}");
    }

    #[test]
    fn a_result_that_is_given_up_leaves_the_earlier_one() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("run");
        let folder = Folder::claim(&place, &[]).expect("claimed");
        put(&folder, "{\"program\": \"birth-death\"}").replace().expect("replaced");
        let folder = Folder::claim(&place, &[]).expect("claimed again");
        drop(put(&folder, "half"));
        assert!(made_here(&place));
        assert_eq!(fs::read_dir(top.path()).expect("read").count(), 1);
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
    fn a_part_of_a_result_replaces_nothing() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("run");
        let claim = || Folder::claim(&place, &[]).expect("claimed").for_a_part().expect("a place");
        assert_eq!(claim().place(), place);
        put(&claim(), "{\"program\": \"birth-death\"}").replace().expect("in its place");
        assert_eq!(claim().place(), top.path().join("run-interrupted"));
    }

    #[test]
    fn a_result_that_cannot_take_its_place_is_kept_and_named() {
        let top = TempDir::new().expect("a folder");
        let place = top.path().join("run");
        let draft = put(&Folder::claim(&place, &[]).expect("claimed"), "hours of work");
        fs::create_dir(&place).expect("made");
        fs::write(place.join("thesis.tex"), "mine").expect("written");
        let message = draft.replace().expect_err("refused").to_string();
        let (_, kept) = message.split_once("the new result is in ").expect("a place");
        assert_eq!(fs::read_to_string(Path::new(kept).join(MANIFEST)).expect("read"), "hours of work");
        assert!(place.join("thesis.tex").exists());
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
