//! A folder takes the place of another, and what killed processes left on the way is swept.
//!
//! Everything is written to a hidden sibling `.NAME.partial-XXXXXX`. Linux and macOS exchange the two folders in one
//! step, so that at every moment there is a whole one at the place. Elsewhere, and on file systems that cannot, the
//! earlier one is moved to `.NAME.partial-XXXXXX.earlier` first; a process that is killed between the two renames
//! leaves it there, and [`sweep`] moves it back. The caller holds the [`Lock`](super::lock::Lock) of the place.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::TempDir;

/// What is behind the name of the folder, with a dot before it, in that of a draft; then come [`RANDOM`] letters and
/// digits.
const DRAFT: &str = ".partial-";
const RANDOM: usize = 6;
/// Behind the name of the draft: a result that waits until the draft has taken its place.
const EARLIER: &str = ".earlier";

/// Why a folder is not at its place.
#[derive(Debug)]
pub struct Failed {
    /// What the system said.
    pub error: io::Error,
    /// Where the earlier folder is now, if it could not be moved back to its place.
    pub earlier: Option<PathBuf>,
}

/// `place` with something before and behind its last component.
pub fn extended(place: &Path, before: &str, behind: &str) -> PathBuf {
    let mut name = OsString::from(before);
    name.push(place.file_name().unwrap_or_default());
    name.push(behind);
    place.with_file_name(name)
}

/// A new folder beside `place`; dropped, it is deleted.
///
/// # Errors
/// Those of the system.
pub fn draft(place: &Path) -> io::Result<TempDir> {
    let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else {
        return Err(io::Error::other("it has no name"));
    };
    fs::create_dir_all(parent)?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(DRAFT);
    tempfile::Builder::new().prefix(&prefix).rand_bytes(RANDOM).tempdir_in(parent)
}

/// Whether there is a folder at `place` with anything in it.
pub fn is_filled(place: &Path) -> bool {
    fs::read_dir(place).is_ok_and(|mut entries| entries.next().is_some())
}

/// Moves the folder `draft` to `place`; gives where the folder is that was there.
///
/// # Errors
/// Those of the system. The draft is where it was.
pub fn put(draft: &Path, place: &Path) -> Result<Option<PathBuf>, Failed> {
    let whole = |error| Failed { error, earlier: None };
    if !place.exists() {
        return fs::rename(draft, place).map(|()| None).map_err(whole);
    }
    match swap(draft, place) {
        Ok(()) => Ok(Some(draft.to_owned())),
        Err(error) if cannot_swap(&error) => in_two_steps(draft, place).map(Some),
        Err(error) => Err(whole(error)),
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "macos"))]
fn swap(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos")))]
fn swap(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether two folders cannot be exchanged at all: by this system, or by this file system.
fn cannot_swap(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

fn in_two_steps(draft: &Path, place: &Path) -> Result<PathBuf, Failed> {
    let earlier = extended(draft, "", EARLIER);
    fs::rename(place, &earlier).map_err(|error| Failed { error, earlier: None })?;
    if let Err(error) = fs::rename(draft, place) {
        let back = fs::rename(&earlier, place);
        return Err(Failed { error, earlier: back.is_err().then_some(earlier) });
    }
    // Under the name of a draft: what is half deleted is never moved back. Refused, it is deleted where it is.
    Ok(if fs::rename(&earlier, draft).is_ok() { draft.to_owned() } else { earlier })
}

/// Deletes what killed processes left beside `place`, and moves an earlier result back that one had moved away; gives
/// what is to be said of it.
pub fn sweep(place: &Path) -> Vec<String> {
    let (mut litter, mut earlier) = left(place);
    let mut notes = Vec::new();
    if !is_filled(place) {
        earlier.retain(|folder| is_filled(folder));
        earlier.sort_by_key(|folder| modified(folder));
        if let Some(newest) = earlier.pop() {
            if let Err(error) = fs::rename(&newest, place) {
                notes.push(format!(
                    "warning: the earlier result of {} is in {} and cannot be moved back ({error})",
                    place.display(),
                    newest.display()
                ));
                return notes;
            }
            notes.push(format!(
                "note: a process that was killed had moved the result in {} away; it is back",
                place.display()
            ));
        }
    }
    litter.append(&mut earlier);
    for folder in litter {
        if let Err(error) = fs::remove_dir_all(&folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            let folder = folder.display();
            notes.push(format!("warning: a process that was killed left {folder}, which cannot be deleted ({error})"));
        }
    }
    notes
}

/// The drafts beside `place`, and the earlier results.
fn left(place: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let (mut drafts, mut earlier) = (Vec::new(), Vec::new());
    let prefix = place.file_name().and_then(|name| name.to_str()).map(|name| format!(".{name}{DRAFT}"));
    let entries = place.parent().and_then(|parent| fs::read_dir(parent).ok());
    let (Some(prefix), Some(entries)) = (prefix, entries) else { return (drafts, earlier) };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(&prefix)) else { continue };
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        if is_random(rest) {
            drafts.push(entry.path());
        } else if rest.strip_suffix(EARLIER).is_some_and(is_random) {
            earlier.push(entry.path());
        }
    }
    (drafts, earlier)
}

/// Whether a temporary name ends like this, behind what it begins with.
pub fn is_random(name: &str) -> bool {
    name.len() == RANDOM && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn modified(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder).and_then(|data| data.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("read").map(|entry| entry.expect("read").file_name());
        let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn folder(path: &Path, text: &str) {
        fs::create_dir(path).expect("made");
        fs::write(path.join("a"), text).expect("written");
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path.join("a")).expect("read")
    }

    #[test]
    fn both_ways_of_exchange_end_alike() {
        let step = |draft: &Path, place: &Path| in_two_steps(draft, place).map(Some);
        for exchange in [put, step] {
            let top = tempfile::tempdir().expect("a folder");
            let (draft, place) = (top.path().join(".run.partial-abcdef"), top.path().join("run"));
            folder(&draft, "new");
            folder(&place, "old");
            let earlier = exchange(&draft, &place).expect("exchanged").expect("there was one");
            assert_eq!((read(&place).as_str(), read(&earlier).as_str()), ("new", "old"));
            assert_eq!(earlier, draft);
        }
    }

    #[cfg(any(target_os = "linux", target_os = "macos"))]
    #[test]
    fn an_exchange_has_no_moment_without_a_folder() {
        let top = tempfile::tempdir().expect("a folder");
        let (a, b) = (top.path().join("a"), top.path().join("b"));
        folder(&a, "1");
        folder(&b, "2");
        match swap(&a, &b) {
            Ok(()) => assert_eq!((read(&a).as_str(), read(&b).as_str()), ("2", "1")),
            // where the temporary folder cannot, both are as they were, and the other way is taken
            Err(error) => {
                assert!(cannot_swap(&error), "{error}");
                assert_eq!((read(&a).as_str(), read(&b).as_str()), ("1", "2"));
            }
        }
        assert!(cannot_swap(&io::Error::from(rustix::io::Errno::INVAL)));
        assert!(cannot_swap(&io::Error::from(rustix::io::Errno::NOSYS)));
        assert!(cannot_swap(&io::Error::from(rustix::io::Errno::OPNOTSUPP)));
        assert!(!cannot_swap(&io::Error::from(rustix::io::Errno::BUSY)));
    }

    #[test]
    fn a_draft_that_cannot_be_moved_leaves_the_earlier_folder() {
        let top = tempfile::tempdir().expect("a folder");
        let place = top.path().join("run");
        folder(&place, "old");
        for exchange in [
            |draft: &Path, place: &Path| put(draft, place).map(|_| ()),
            |draft: &Path, place: &Path| in_two_steps(draft, place).map(|_| ()),
        ] {
            let failed = exchange(&top.path().join("none"), &place).expect_err("there is no draft");
            assert!(failed.earlier.is_none(), "{failed:?}");
            assert_eq!(read(&place), "old");
            assert_eq!(names(top.path()), ["run"]);
        }
    }

    #[test]
    fn what_a_killed_process_left_is_swept_and_a_result_moved_away_comes_back() {
        let top = tempfile::tempdir().expect("a folder");
        let place = top.path().join("run");
        let others =
            [".run.partial-abcde", ".run.partial-abcdef.lock", ".runs.partial-abcdef", ".x.run.partial-abcdef"];
        for name in others {
            folder(&top.path().join(name), "another's");
        }
        let draft = top.path().join(".run.partial-a1B2c3");
        let earlier = top.path().join(".run.partial-a1B2c3.earlier");
        // killed between the two renames
        folder(&draft, "new");
        folder(&earlier, "old");
        let notes = sweep(&place);
        assert!(notes.len() == 1 && notes[0].contains("it is back"), "{notes:?}");
        assert_eq!(read(&place), "old");
        // killed after them
        folder(&earlier, "older");
        folder(&draft, "half");
        assert!(sweep(&place).is_empty());
        assert_eq!(read(&place), "old");
        let mut expected = others.to_vec();
        expected.push("run");
        expected.sort_unstable();
        assert_eq!(names(top.path()), expected);
        // an empty folder is nothing that could replace a result
        fs::remove_file(place.join("a")).expect("removed");
        folder(&earlier, "the only copy");
        sweep(&place);
        assert_eq!(read(&place), "the only copy");
    }
}
