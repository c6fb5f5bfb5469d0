//! A result folder that is replaced whole, or not at all.
//!
//! Everything is written to a hidden sibling, which takes the place of the old folder by renaming once it is
//! complete: a full disk, a crash or an error leaves the earlier result as it was. Only a folder that this program
//! made (its `manifest.json` says so), an empty one, or none at all is ever replaced.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::config::Refusal;

/// The file by which a folder of this program is recognised.
pub const MANIFEST: &str = "manifest.json";
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
    /// the inputs, or if nothing can be written.
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

    /// Writes a block and takes it away again: a disk without room for it would fail only after hours of computing.
    fn try_out(&self) -> io::Result<()> {
        let draft = self.draft()?;
        draft.write("probe", |out| out.write_all(&[0; 4096]))
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

    /// Puts the files written so far in place of what was there.
    ///
    /// # Errors
    /// Those of the system; the earlier result is back in its place.
    pub fn replace(self) -> io::Result<PathBuf> {
        let Self { place, staging } = self;
        // Someone may have put files there since.
        replaceable(&place).map_err(io::Error::other)?;
        readable_by_others(staging.path())?;
        let mut earlier = staging.path().as_os_str().to_owned();
        earlier.push(".earlier");
        let replaces = place.exists();
        if replaces {
            fs::rename(&place, &earlier)?;
        }
        if let Err(error) = fs::rename(staging.path(), &place) {
            if replaces {
                fs::rename(&earlier, &place)?;
            }
            return Err(error);
        }
        // The folder has moved: nothing of it is temporary any more.
        let _ = staging.keep();
        if replaces {
            fs::remove_dir_all(&earlier)?;
        }
        Ok(place)
    }
}

/// Whether `file` lies in `folder` or is it.
fn inside(file: &Path, folder: &Path) -> bool {
    file.canonicalize().is_ok_and(|file| file.starts_with(folder))
}

/// Whether what is at `place` may be replaced; else a message.
fn replaceable(place: &Path) -> Result<(), String> {
    const ACCEPTED: &str = "accepted: a new or empty folder, or an earlier result of birth-death";
    match fs::metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("cannot be used ({error}); {ACCEPTED}")),
        Ok(data) if !data.is_dir() => Err(format!("is a file; {ACCEPTED}")),
        Ok(_) => {
            let mut entries = fs::read_dir(place).map_err(|error| format!("cannot be read ({error}); {ACCEPTED}"))?;
            if entries.next().is_none() || made_here(place) {
                Ok(())
            } else {
                Err(format!("holds other files; {ACCEPTED}"))
            }
        }
    }
}

fn made_here(place: &Path) -> bool {
    fs::read(place.join(MANIFEST))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .is_some_and(|manifest| manifest["program"] == PROGRAM)
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
        fs::write(place.join("old.csv"), "").expect("written");
        let folder = Folder::claim(&place, &[]).expect("claimed again");
        let draft = put(&folder, "{\"program\": \"birth-death\", \"a\": 2}");
        assert!(place.join("old.csv").exists());
        draft.replace().expect("replaced");
        assert!(!place.join("old.csv").exists());
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
        assert!(message.contains("holds other files"), "{message}");
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
        let input = place.join("a.toml");
        fs::write(&input, "").expect("written");
        let message = Folder::claim(&place, &[&input]).expect_err("refused").to_string();
        assert!(message.contains("a.toml"), "{message}");
    }
}
