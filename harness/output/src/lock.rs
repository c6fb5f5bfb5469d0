//! One writer a result folder: a file beside it, locked from the claim until the result is in its place.
//!
//! The lock is the system's (`flock` on Unix). It ends with its process, however that ends, so a file that a killed
//! process left stops nobody. A network file system may know no locks; there the folder is claimed without one.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::exchange::extended;

/// What is behind the name of the folder in that of its lock, with a dot before it.
const ENDING: &str = ".birth-death.lock";

/// So often a file is opened that its holder deleted meanwhile.
const MOST: u32 = 1000;

/// A folder that no other process of this program writes to meanwhile.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    /// None where the file system knows no locks.
    file: Option<File>,
}

/// Why a folder is not locked; displays as a message.
#[derive(Debug)]
pub enum Refused {
    /// By another process of this program.
    Held(String),
    /// By the system.
    Failed(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(message) | Self::Failed(message) => f.write_str(message),
        }
    }
}

impl Lock {
    /// Locks the folder `place`, which need not be there; the folder that it lies in has to.
    ///
    /// # Errors
    /// The process that holds it is named, or why the system refuses.
    pub fn take(place: &Path) -> Result<Self, Refused> {
        let path = extended(place, ".", ENDING);
        let failed = |error: io::Error| {
            Refused::Failed(unwritable(&io::Error::new(error.kind(), format!("{}: {error}", path.display()))))
        };
        for _ in 0..MOST {
            let mut file = open(&path).map_err(failed)?;
            match alone(&file) {
                Ok(true) => {}
                Ok(false) => {
                    let _ = fs::remove_file(&path);
                    return Ok(Self { path, file: None });
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Refused::Held(format!(
                        "another birth-death process{} writes there; accepted: another folder, or this one later",
                        holder(file).map_or_else(String::new, |pid| format!(" ({pid})"))
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // Its holder may have deleted it between the two: then it locks nothing.
            if is_at(&file, &path) {
                let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
                // dropped, it deletes the file
                let lock = Self { path: path.clone(), file: Some(file) };
                return written.map(|()| lock).map_err(failed);
            }
        }
        // A file system that gives a file another number each time.
        Ok(Self { path, file: None })
    }

    /// Whether others are shut out, so that what lies about is nobody's.
    pub fn is_known(&self) -> bool {
        self.file.is_some()
    }

    /// The folder whose lock has this name.
    pub fn folder_of(name: &str) -> Option<&str> {
        name.strip_prefix('.')?.strip_suffix(ENDING)
    }
}

impl Drop for Lock {
    /// Deleted while it is still locked: whoever opened it before finds that it is no longer in its place.
    fn drop(&mut self) {
        if cfg!(unix) && self.file.as_ref().is_some_and(|file| is_at(file, &self.path)) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Why a place is refused before anything is computed.
pub fn unwritable(error: &io::Error) -> String {
    format!("nothing can be written there ({error}); accepted: a folder in a writable place")
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // In a folder that others may write to, a link of this name would lead to a file of somebody's.
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(path)
}

/// The process that wrote its number; it does so at once, and is waited for that long. None if it does not.
fn holder(mut file: File) -> Option<u32> {
    for _ in 0..50 {
        let mut text = String::new();
        file.rewind().and_then(|()| Read::by_ref(&mut file).take(20).read_to_string(&mut text)).ok()?;
        // with its end: else it may be half a number
        if let Some(number) = text.strip_suffix('\n') {
            return number.parse().ok();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

/// Locks a file for this process alone, until it is closed; false where the file system knows no locks.
///
/// # Errors
/// [`TryLockError::WouldBlock`] if another process holds it; others are the system's.
pub fn alone(file: &File) -> Result<bool, TryLockError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::Error(error)) if unknown(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the file system has no locks at all.
fn unknown(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::NOLCK.raw_os_error()) {
        return true;
    }
    error.kind() == io::ErrorKind::Unsupported
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let of = |data: io::Result<fs::Metadata>| data.ok().map(|data| (data.dev(), data.ino()));
    of(file.metadata()).is_some_and(|file| of(fs::symlink_metadata(path)) == Some(file))
}

/// Elsewhere nobody deletes the file.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_until_the_first_has_ended() {
        let top = tempfile::tempdir().expect("a folder");
        let place = top.path().join("run");
        let held = Lock::take(&place).expect("free");
        assert!(held.is_known());
        let message = Lock::take(&place).expect_err("held").to_string();
        let pid = std::process::id();
        assert!(message.contains(&format!("another birth-death process ({pid}) writes there")), "{message}");
        Lock::take(&top.path().join("other")).expect("another folder");
        drop(held);
        assert_eq!(fs::read_dir(top.path()).expect("read").count(), 0, "no file is left");
        // as a killed process leaves it
        fs::write(top.path().join(".run.birth-death.lock"), "4294967295\n and more").expect("written");
        drop(Lock::take(&place).expect("nobody's"));
        assert_eq!(fs::read_dir(top.path()).expect("read").count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_no_longer_in_its_place_locks_nothing() {
        let top = tempfile::tempdir().expect("a folder");
        let place = top.path().join("run");
        let held = Lock::take(&place).expect("free");
        let path = top.path().join(".run.birth-death.lock");
        fs::remove_file(&path).expect("removed");
        let second = Lock::take(&place).expect("free again");
        drop(held);
        assert!(path.exists(), "the second's is not the first's to delete");
        Lock::take(&place).expect_err("held by the second");
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn of_many_that_come_and_go_one_is_inside() {
        use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
        let top = tempfile::tempdir().expect("a folder");
        let place = top.path().join("run");
        let inside = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    // until it has been inside so often: how often it is refused is the system's to decide
                    let mut entered = 0;
                    while entered < 200 {
                        match Lock::take(&place) {
                            Ok(lock) => {
                                assert!(lock.is_known());
                                entered += 1;
                                assert_eq!(inside.fetch_add(1, SeqCst), 0, "two hold the lock");
                                std::thread::yield_now();
                                inside.fetch_sub(1, SeqCst);
                            }
                            Err(Refused::Held(_)) => std::thread::yield_now(),
                            Err(Refused::Failed(message)) => panic!("{message}"),
                        }
                    }
                });
            }
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let top = tempfile::tempdir().expect("a folder");
        let victim = top.path().join("victim");
        fs::write(&victim, "mine").expect("written");
        std::os::unix::fs::symlink(&victim, top.path().join(".run.birth-death.lock")).expect("linked");
        let message = Lock::take(&top.path().join("run")).expect_err("refused").to_string();
        assert!(
            message.contains(".run.birth-death.lock") && message.contains("nothing can be written there"),
            "{message}"
        );
        assert_eq!(fs::read_to_string(victim).expect("read"), "mine");
    }

    #[test]
    fn a_lock_names_its_folder() {
        assert_eq!(Lock::folder_of(".a.b.birth-death.lock"), Some("a.b"));
        assert_eq!(Lock::folder_of("a.birth-death.lock"), None);
        assert_eq!(Lock::folder_of(".a.lock"), None);
    }
}
