//! The file of `run --checkpoint`: claimed before anything is computed, and from then on replaced whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use indicatif::ProgressBar;

use super::pace::Pace;
use super::saved::MAGIC;
use birth_death_output::lock::alone;
use birth_death_terminal::refusal::Refusal;

/// What is put behind the checkpoint's name for the one that is being written. A kill leaves it; the next run takes it
/// over.
const PARTIAL: &str = ".partial";
/// Written on trial: a full disk would show only after hours of computing.
const PROBE: [u8; 4096] = [0; 4096];

/// Writes a run's checkpoints: when they are due, and into their file.
#[derive(Debug)]
pub struct Keeper {
    place: PathBuf,
    partial: PathBuf,
    pace: Pace,
    began: Instant,
    epoch: AtomicU64,
    file: Mutex<Target>,
    bar: ProgressBar,
}

/// The state of the file.
#[derive(Debug)]
struct Target {
    /// The next checkpoint's, locked; none if it could not be opened again.
    partial: Option<File>,
    /// Whether there is a checkpoint of this run at the place.
    exists: bool,
    /// What became of the last one.
    last: Result<(), String>,
}

/// The bytes of the checkpoint that `--resume` names.
///
/// # Errors
/// A refusal of anything that is no regular file, or cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, Refusal> {
    let refuse = |message: String| refuse_resume(path, &message);
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(refuse("is not there (a run that ends deletes its checkpoint)".to_owned()));
        }
        // a device may have no end
        Ok(data) if !data.is_file() => return Err(refuse("is no file".to_owned())),
        _ => {}
    }
    fs::read(path).map_err(|error| refuse(format!("cannot be read ({error})")))
}

/// A refusal of the file that `--resume` names.
pub fn refuse_resume(path: &Path, message: &str) -> Refusal {
    let version = env!("CARGO_PKG_VERSION");
    let accepted =
        format!("a checkpoint that birth-death {version} wrote for this configuration and its inputs, whole");
    Refusal::of_file(format!("--resume {}", path.display()), format!("the file {message}; accepted: {accepted}"))
}

impl Keeper {
    /// Takes `path` for the checkpoints of a run that goes on from `resumed`, and tries that they can be written. `out`
    /// is where the run's result will be.
    ///
    /// # Errors
    /// A refusal that names the path: something else is there, the folder is missing, cannot be written to or will be
    /// replaced by the result, or another process writes there.
    pub fn claim(
        path: &Path,
        every: u64,
        resumed: Option<&Path>,
        out: &Path,
        bar: ProgressBar,
    ) -> Result<Self, Refusal> {
        let refuse = |message: String| Refusal::of_file(format!("--checkpoint {}", path.display()), message);
        let (place, exists) = destination(path, resumed).map_err(&refuse)?;
        // what is not there, in a folder that is not there, holds nothing
        if real(out).is_ok_and(|out| place.starts_with(out)) {
            return Err(refuse(
                "lies in the folder of the result, which is replaced whole; accepted: another place".to_owned(),
            ));
        }
        let mut name = place.clone().into_os_string();
        name.push(PARTIAL);
        let partial = PathBuf::from(name);
        let file = open(&partial).map_err(&refuse)?;
        let target = Target { partial: Some(file), exists, last: Ok(()) };
        // from here on dropping it takes the file away
        let keeper = Self {
            place,
            partial,
            pace: Pace::every(every),
            began: Instant::now(),
            epoch: AtomicU64::new(0),
            file: Mutex::new(target),
            bar,
        };
        keeper
            .try_out()
            .map_err(|error| refuse(format!("cannot be written ({error}); accepted: a file in a place with room")))?;
        Ok(keeper)
    }

    /// Writes a block and takes it away again.
    fn try_out(&self) -> io::Result<()> {
        match &mut self.target().partial {
            Some(file) => fill(file, &PROBE).and_then(|()| file.set_len(0)),
            None => Ok(()),
        }
    }

    fn target(&self) -> MutexGuard<'_, Target> {
        self.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Counts a step of any replicate. True for the one after which a checkpoint is due: who made it writes.
    pub fn count_step(&self) -> bool {
        let is_due = self.pace.count_step(|| self.began.elapsed());
        if is_due {
            self.epoch.fetch_add(1, Ordering::Relaxed);
        }
        is_due
    }

    /// Whether a checkpoint was due and is put off still.
    pub fn is_overdue(&self) -> bool {
        self.pace.is_overdue()
    }

    /// What a thread does for the sake of a checkpoint: its time counts.
    pub fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        self.pace.spend(begun.elapsed());
        done
    }

    /// A number that changes when a checkpoint is due: a sign to the other threads to put their state where the next
    /// one takes it from.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Writes a checkpoint in place of the last. A failure leaves that one and stops nothing; it is said once, until it
    /// goes well again.
    pub fn write(&self, bytes: impl FnOnce() -> Vec<u8>) {
        self.timed(|| self.write_now(bytes));
    }

    fn write_now(&self, bytes: impl FnOnce() -> Vec<u8>) {
        let mut target = self.target();
        // formed with the file in hand, so that no older one can follow
        let done = self.replace(&mut target, &bytes()).map_err(|error| error.to_string());
        target.exists |= done.is_ok();
        if let (Err(error), Ok(())) = (&done, &target.last) {
            let kept = if target.exists { "the one before is kept" } else { "there is none yet" };
            self.bar.suspend(|| {
                let message = format!(
                    "the checkpoint cannot be written to {} ({error}); {kept}, and the run goes on",
                    self.place.display()
                );
                // that standard error may be closed is no reason to stop
                let _ = writeln!(io::stderr(), "warning: {message}");
            });
        }
        target.last = done;
    }

    fn replace(&self, target: &mut Target, bytes: &[u8]) -> io::Result<()> {
        let mut file = match target.partial.take() {
            Some(file) => file,
            None => open(&self.partial).map_err(io::Error::other)?,
        };
        let written = fill(&mut file, bytes).and_then(|()| fs::rename(&self.partial, &self.place));
        if let Err(error) = written {
            // room for others; the next one opens it again, as it may have been taken away
            let _ = file.set_len(0);
            return Err(error);
        }
        target.partial = open(&self.partial).ok();
        sync_folder(&self.place)
    }

    /// What to say of the checkpoint when the run was interrupted.
    pub fn tell(&self) -> String {
        let target = self.target();
        let place = self.place.display();
        match (&target.last, target.exists) {
            (Ok(()), false) => format!("no checkpoint was due, so {place} was not written"),
            (Ok(()), true) => format!("the same command with --resume {place} goes on from there"),
            (Err(error), true) => {
                format!(
                    "the last checkpoint could not be written ({error}); --resume {place} goes on from the one before"
                )
            }
            (Err(error), false) => format!("no checkpoint could be written to {place} ({error})"),
        }
    }

    /// Deletes the checkpoint of a run whose result is written.
    ///
    /// # Errors
    /// Those of the system.
    pub fn discard(self) -> io::Result<()> {
        match fs::remove_file(&self.place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // left over, it does no harm
        let _ = fs::remove_file(&self.partial);
    }
}

/// The place of a checkpoint, and whether the one to go on from is there; else a message.
fn destination(path: &Path, resumed: Option<&Path>) -> Result<(PathBuf, bool), String> {
    const ACCEPTED: &str = "accepted: a file that is not there yet, or the one that --resume goes on from";
    if path.file_name().is_none() {
        return Err(format!("has no file name; {ACCEPTED}"));
    }
    if let Ok(data) = fs::symlink_metadata(path) {
        let real = path.canonicalize().map_err(|error| format!("cannot be used ({error}); {ACCEPTED}"))?;
        let is_resumed = resumed.and_then(|resumed| resumed.canonicalize().ok()).is_some_and(|resumed| resumed == real);
        return if is_resumed {
            Ok((real, true))
        } else if data.is_dir() {
            Err(format!("is a folder; {ACCEPTED}"))
        } else {
            Err(format!("is there already (--resume {} goes on from a checkpoint); {ACCEPTED}", path.display()))
        };
    }
    let place = real(path).map_err(|error| {
        format!("cannot be written: its folder cannot be used ({error}); accepted: a file in a folder that is there")
    })?;
    Ok((place, false))
}

/// The path without links, of a file or folder that need not be there, in a folder that has to be.
fn real(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    match (absolute.canonicalize(), absolute.parent(), absolute.file_name()) {
        (Ok(real), ..) => Ok(real),
        (Err(_), Some(folder), Some(name)) => Ok(folder.canonicalize()?.join(name)),
        (Err(error), ..) => Err(error),
    }
}

/// Opens the file that becomes the next checkpoint, for this process alone; else a message.
fn open(partial: &Path) -> Result<File, String> {
    const ACCEPTED: &str = "accepted: a file in a writable folder";
    let shown = partial.display();
    if fs::symlink_metadata(partial).is_ok_and(|data| !data.is_file()) {
        return Err(format!("needs {shown} for the next checkpoint, which is there and no file; {ACCEPTED}"));
    }
    let failed = |error: io::Error| format!("cannot be written ({shown}: {error}); {ACCEPTED}");
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(partial);
    let mut file = opened.map_err(failed)?;
    alone(&file).map_err(|error| match error {
        TryLockError::WouldBlock => format!("is written by another process; {ACCEPTED}, of its own"),
        TryLockError::Error(error) => failed(error),
    })?;
    // what a kill left may go, what somebody else put there may not
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(MAGIC.len() as u64).read_to_end(&mut head).map_err(failed)?;
    let is_ours = MAGIC.starts_with(&head) || PROBE.starts_with(&head);
    if !is_ours {
        return Err(format!("needs {shown} for the next checkpoint, which is there and none; {ACCEPTED}"));
    }
    Ok(file)
}

/// These bytes and no others, on the disk.
fn fill(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// That the new name is on the disk too.
#[cfg(unix)]
fn sync_folder(place: &Path) -> io::Result<()> {
    place.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_due_every_so_many_steps_and_replaced_whole() {
        let top = tempfile::tempdir().expect("a folder");
        let (path, out) = (top.path().join("c"), top.path().join("run"));
        let keeper = Keeper::claim(&path, 3, None, &out, ProgressBar::hidden()).expect("claimed");
        let due: Vec<bool> = (0..7).map(|_| keeper.count_step()).collect();
        assert_eq!(due, [false, false, true, false, false, true, false]);
        assert_eq!(keeper.epoch(), 2);
        assert!(!path.exists(), "nothing is there before there is something to go on from");
        for bytes in [&b"BDRUNCKP and more"[..], b"BDRUNCKP"] {
            keeper.write(|| bytes.to_vec());
            assert_eq!(fs::read(&path).expect("read"), bytes);
        }
        assert!(keeper.tell().contains("the same command with --resume"));
        keeper.discard().expect("deleted");
        assert_eq!(fs::read_dir(top.path()).expect("read").count(), 0);
    }

    #[test]
    fn what_cannot_be_written_leaves_the_one_before() {
        let top = tempfile::tempdir().expect("a folder");
        let path = top.path().join("c");
        let keeper = Keeper::claim(&path, 1, None, Path::new("run"), ProgressBar::hidden()).expect("claimed");
        keeper.write(|| b"BDRUNCKP".to_vec());
        // in the way of the next: as good as a full disk
        fs::remove_file(&keeper.partial).expect("removed");
        fs::create_dir(&keeper.partial).expect("made");
        keeper.write(|| b"BDRUNCKP, newer".to_vec());
        assert_eq!(fs::read(&path).expect("read"), b"BDRUNCKP");
        assert!(keeper.tell().contains("goes on from the one before"), "{}", keeper.tell());
        fs::remove_dir(&keeper.partial).expect("removed");
        keeper.write(|| b"BDRUNCKP, newer".to_vec());
        assert_eq!(fs::read(&path).expect("read"), b"BDRUNCKP, newer");
        assert!(keeper.tell().contains("the same command"), "{}", keeper.tell());
    }
}
