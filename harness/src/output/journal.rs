//! A file of JSON lines that a long measurement appends to: on the disk as soon as measured, and gone on with after a kill.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::Refusal;

/// The file, open for appending; nobody else may.
#[derive(Debug)]
pub struct Journal {
    /// None once a line could not be written.
    file: Mutex<Option<File>>,
}

impl Journal {
    /// Goes on in a file that is there; gives its lines. A last line without its end is dropped.
    ///
    /// # Errors
    /// A refusal of a file that cannot be opened or that another process writes to, and of the first line that is not read or that `check` refuses.
    pub fn resume<T: DeserializeOwned>(
        path: &Path,
        check: impl FnMut(&T) -> Result<(), String>,
    ) -> Result<(Self, Vec<T>), Refusal> {
        let refuse = |message: String| Refusal::of_file(path.display(), message);
        let opened = OpenOptions::new().read(true).append(true).open(path);
        let mut file = opened.map_err(|error| refuse(format!("cannot be gone on with ({error})")))?;
        file.try_lock().map_err(|_| refuse("another process is writing there".to_owned()))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| refuse(error.to_string()))?;
        let (lines, whole) = parse(path, &bytes, check)?;
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(|error| refuse(error.to_string()))?;
        }
        Ok((Self { file: Mutex::new(Some(file)) }, lines))
    }

    /// One more line, on the disk when this returns.
    ///
    /// # Errors
    /// Those of the system; no line is written after one that may be incomplete.
    pub fn append<T: Serialize>(&self, line: &T) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        let mut guard = self.file.lock().map_err(|_| io::Error::other("a thread panicked while it wrote"))?;
        let mut file = guard.take().ok_or_else(|| io::Error::other("an earlier line could not be written"))?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        *guard = Some(file);
        Ok(())
    }

    /// Whether lines can no longer be written.
    pub fn is_broken(&self) -> bool {
        self.file.lock().map_or(true, |file| file.is_none())
    }
}

/// The whole lines of a file that another process may be writing to.
///
/// # Errors
/// A refusal of a file that cannot be read, and of the first line that is not read or that `check` refuses.
pub fn read<T: DeserializeOwned>(path: &Path, check: impl FnMut(&T) -> Result<(), String>) -> Result<Vec<T>, Refusal> {
    let bytes = std::fs::read(path).map_err(|error| Refusal::of_file(path.display(), error.to_string()))?;
    parse(path, &bytes, check).map(|(lines, _)| lines)
}

/// The whole lines, and the bytes that they are.
fn parse<T: DeserializeOwned>(
    path: &Path,
    bytes: &[u8],
    mut check: impl FnMut(&T) -> Result<(), String>,
) -> Result<(Vec<T>, usize), Refusal> {
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let mut lines = Vec::new();
    for (line, number) in bytes[..whole].split_inclusive(|&byte| byte == b'\n').zip(1..) {
        let line: Result<T, _> = serde_json::from_slice(line);
        let line = line.map_err(|error| format!("is no measurement: {error}"));
        let line = line.and_then(|line| check(&line).map(|()| line));
        lines.push(line.map_err(|message| Refusal::at(path.display(), Some(number), message))?);
    }
    Ok((lines, whole))
}

/// Writes a file of a folder whole, in place of an earlier one: through a temporary file beside it.
///
/// # Errors
/// Those of the system; the earlier file is untouched.
pub fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let mut draft = tempfile::Builder::new().prefix(super::folder::DRAFTS[1]).tempfile_in(&folder)?;
    let mut buffered = io::BufWriter::new(&mut draft);
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    draft.as_file().sync_all()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // temporary files are their owner's alone; this one is as readable as its folder
        let mode = std::fs::metadata(&folder)?.permissions().mode() & 0o666;
        draft.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    draft.persist(path).map_err(|error| error.error).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn begun() -> (tempfile::TempDir, PathBuf) {
        let top = tempfile::tempdir().expect("a folder");
        let path = top.path().join("lines.jsonl");
        fs::write(&path, "").expect("written");
        let (journal, none) = Journal::resume::<(u8, String)>(&path, |_| Ok(())).expect("begun");
        assert!(none.is_empty());
        for line in 0..2u8 {
            journal.append(&(line, "x\ny")).expect("written");
        }
        (top, path)
    }

    #[test]
    fn lines_come_back_and_a_torn_one_is_dropped() {
        let (_top, path) = begun();
        let whole = fs::read(&path).expect("read");
        for torn in [&b"[2, \"x"[..], b"", b"garbage without an end"] {
            fs::write(&path, [&whole[..], torn].concat()).expect("written");
            let (journal, lines) = Journal::resume::<(u8, String)>(&path, |_| Ok(())).expect("resumed");
            assert_eq!(lines.iter().map(|line| line.0).collect::<Vec<_>>(), [0, 1]);
            journal.append(&(9u8, "z")).expect("written");
            drop(journal);
            let (_, lines) = Journal::resume::<(u8, String)>(&path, |_| Ok(())).expect("resumed again");
            assert_eq!(lines.last(), Some(&(9, "z".to_owned())));
        }
    }

    #[test]
    fn lines_of_others_are_refused_by_number_and_there_is_one_writer() {
        let (_top, path) = begun();
        let refusal = |check: fn(&(u8, String)) -> Result<(), String>| {
            Journal::resume(&path, check).map(|_| ()).expect_err("refused").to_string()
        };
        assert!(refusal(|line| if line.0 == 1 { Err("is mine".into()) } else { Ok(()) }).contains(":2: is mine"));
        let held = Journal::resume::<(u8, String)>(&path, |_| Ok(())).expect("resumed");
        assert!(refusal(|_| Ok(())).contains("another process"));
        drop(held);
        fs::write(&path, "[0, \"x\"]\n[300, \"x\"]\n").expect("written");
        assert!(refusal(|_| Ok(())).contains(":2: is no measurement"));
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let (top, path) = begun();
        let before = fs::read(&path).expect("read");
        replace(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        })
        .expect_err("failed");
        assert_eq!(fs::read(&path).expect("read"), before);
        replace(&path, |out| out.write_all(b"whole")).expect("replaced");
        assert_eq!(fs::read(&path).expect("read"), b"whole");
        assert_eq!(fs::read_dir(top.path()).expect("read").count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn after_a_line_that_may_be_torn_there_is_no_other() {
        let full = OpenOptions::new().append(true).open("/dev/full").expect("the device");
        let journal = Journal { file: Mutex::new(Some(full)) };
        assert!(!journal.is_broken());
        journal.append(&7).expect_err("no space");
        assert!(journal.is_broken());
        let message = journal.append(&7).expect_err("broken").to_string();
        assert!(message.contains("earlier line"), "{message}");
    }
}
