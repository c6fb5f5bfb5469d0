//! A file of JSON lines, in a folder of its own, that a long measurement appends to: on the disk as soon as measured,
//! and gone on with after a kill.
//!
//! Every line is an object whose last key, `crc32`, is the CRC-32 (ISO-HDLC, that of zlib and PNG) of the line without
//! that key, in eight hexadecimal digits: `{"a":1,"crc32":"561bacaf"}` is sealed over `{"a":1}`. A line that was
//! changed since is refused.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crc::{CRC_32_ISO_HDLC, Crc};
use flate2::read::GzDecoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::folder::MANIFEST;
use super::lock::alone;
use birth_death_terminal::refusal::Refusal;

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
/// Between an object's last value and its checksum.
const KEY: &[u8] = b",\"crc32\":\"";
/// After the checksum.
const END: &[u8] = b"\"}";

/// The file, open for appending; nobody else may.
#[derive(Debug)]
pub struct Journal {
    /// None once a line could not be written.
    file: Mutex<Option<File>>,
}

impl Journal {
    /// Goes on in a file that is there; gives its lines. A last line without its end is dropped, and one that stands
    /// there twice, to the byte, is one.
    ///
    /// # Errors
    /// A refusal of a file that cannot be opened or that another process writes to, and of the first line that is not
    /// read or that `check` refuses.
    pub fn resume<T: DeserializeOwned>(
        path: &Path,
        check: impl FnMut(&T) -> Result<(), String>,
    ) -> Result<(Self, Vec<T>), Refusal> {
        let refuse = |message: String| Refusal::of_file(path.display(), message);
        let opened = OpenOptions::new().read(true).append(true).open(path);
        let mut file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if packed(path).exists() => {
                refuse("stands there compressed; gunzip it first".into())
            }
            _ => refuse(format!("cannot be gone on with ({error})")),
        })?;
        alone(&file).map_err(|error| {
            refuse(match error {
                TryLockError::WouldBlock => "another process is writing there".to_owned(),
                TryLockError::Error(error) => format!("cannot be locked ({error})"),
            })
        })?;
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
        let mut bytes = seal(&serde_json::to_vec(line)?)?;
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

/// Where the same file stands compressed, as gzip makes it: a record that nobody goes on with.
fn packed(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    name.into()
}

/// The whole lines of a file that another process may be writing to, or of the same file compressed.
///
/// # Errors
/// A refusal of a file that cannot be read, and of the first line that is not read or that `check` refuses.
pub fn read<T: DeserializeOwned>(path: &Path, check: impl FnMut(&T) -> Result<(), String>) -> Result<Vec<T>, Refusal> {
    let packed = packed(path);
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && packed.exists() => {
            let mut bytes = Vec::new();
            let unpacked = File::open(&packed).and_then(|file| GzDecoder::new(file).read_to_end(&mut bytes));
            unpacked.map(|_| bytes).map_err(|error| Refusal::of_file(packed.display(), error.to_string()))?
        }
        read => read.map_err(|error| Refusal::of_file(path.display(), error.to_string()))?,
    };
    parse(path, &bytes, check).map(|(lines, _)| lines)
}

/// The whole lines, and the bytes that they are.
fn parse<T: DeserializeOwned>(
    path: &Path,
    bytes: &[u8],
    mut check: impl FnMut(&T) -> Result<(), String>,
) -> Result<(Vec<T>, usize), Refusal> {
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let (mut lines, mut seen) = (Vec::new(), BTreeSet::new());
    for (line, number) in bytes[..whole].split_inclusive(|&byte| byte == b'\n').zip(1..) {
        if !seen.insert(line) {
            continue;
        }
        let object = line.strip_suffix(b"\n").ok_or_else(|| "has no end".to_owned()).and_then(unseal);
        let line = object.and_then(|object| {
            let line = serde_json::from_slice(&object).map_err(|error| format!("is no measurement: {error}"))?;
            check(&line).map(|()| line)
        });
        lines.push(line.map_err(|message| Refusal::at(path.display(), Some(number), message))?);
    }
    Ok((lines, whole))
}

/// An object with its checksum.
///
/// # Errors
/// If it is no object, or an empty one.
pub fn seal(object: &[u8]) -> io::Result<Vec<u8>> {
    let open = object.strip_suffix(b"}").filter(|open| open.len() > 1 && open.starts_with(b"{"));
    let open = open.ok_or_else(|| io::Error::other("a line of a journal has to be an object"))?;
    Ok([open, KEY, format!("{:08x}", CRC.checksum(object)).as_bytes(), END].concat())
}

/// The object of a line, without its checksum.
fn unseal(line: &[u8]) -> Result<Vec<u8>, String> {
    const ACCEPTED: &str = "accepted: the lines as they were written, each with its checksum (crc32)";
    let parts = line.strip_suffix(END).and_then(|rest| rest.split_last_chunk::<8>());
    let (open, digits) = parts
        .and_then(|(rest, digits)| Some((rest.strip_suffix(KEY)?, digits)))
        .ok_or_else(|| format!("has no checksum; {ACCEPTED}"))?;
    let object = [open, b"}"].concat();
    let expected = format!("{:08x}", CRC.checksum(&object));
    if expected.as_bytes() == digits {
        Ok(object)
    } else {
        let found = String::from_utf8_lossy(digits);
        Err(format!(
            "was changed since it was written: its checksum is {found:?}, that of its text {expected:?}; {ACCEPTED}"
        ))
    }
}

/// What the manifest of a folder says, which is one of `whose` ("a study").
///
/// # Errors
/// A refusal of a manifest that cannot be read, or is of something else.
pub fn settings<T: DeserializeOwned>(place: &Path, whose: &str) -> Result<T, Refusal> {
    let path = place.join(MANIFEST);
    std::fs::read(&path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
        .map_err(|error| Refusal::of_file(path.display(), format!("is no manifest of {whose}: {error}")))
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

    #[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        number: u8,
        text: String,
    }

    fn line(number: u8) -> Line {
        Line { number, text: "x\ny".to_owned() }
    }

    fn sealed(object: &str) -> String {
        String::from_utf8(seal(object.as_bytes()).expect("an object")).expect("text") + "\n"
    }

    fn begun() -> (tempfile::TempDir, PathBuf) {
        let top = tempfile::tempdir().expect("a folder");
        let path = top.path().join("lines.jsonl");
        fs::write(&path, "").expect("written");
        let (journal, none) = Journal::resume::<Line>(&path, |_| Ok(())).expect("begun");
        assert!(none.is_empty());
        for number in 0..2 {
            journal.append(&line(number)).expect("written");
        }
        (top, path)
    }

    #[test]
    fn lines_come_back_and_a_torn_one_is_dropped() {
        let (_top, path) = begun();
        let whole = fs::read(&path).expect("read");
        for torn in [&b"{\"number\":2"[..], b"", b"garbage without an end"] {
            fs::write(&path, [&whole[..], torn].concat()).expect("written");
            let (journal, lines) = Journal::resume::<Line>(&path, |_| Ok(())).expect("resumed");
            assert_eq!(lines, [line(0), line(1)]);
            journal.append(&line(9)).expect("written");
            drop(journal);
            let (_, lines) = Journal::resume::<Line>(&path, |_| Ok(())).expect("resumed again");
            assert_eq!(lines.last(), Some(&line(9)));
        }
    }

    #[test]
    fn a_compressed_record_is_read_and_not_gone_on_with() {
        let (_top, path) = begun();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&fs::read(&path).expect("read")).expect("compressed");
        let bytes = gzip.finish().expect("compressed");
        fs::remove_file(&path).expect("removed");
        assert!(read::<Line>(&path, |_| Ok(())).expect_err("neither").to_string().contains("lines.jsonl:"));
        fs::write(packed(&path), &bytes).expect("written");
        assert_eq!(read::<Line>(&path, |_| Ok(())).expect("read"), [line(0), line(1)]);
        let refusal = Journal::resume::<Line>(&path, |_| Ok(())).map(|_| ()).expect_err("refused").to_string();
        assert!(refusal.contains("gunzip it first"), "{refusal}");
        fs::write(packed(&path), &bytes[..bytes.len() - 9]).expect("written");
        let torn = read::<Line>(&path, |_| Ok(())).expect_err("torn").to_string();
        assert!(torn.contains("lines.jsonl.gz"), "{torn}");
    }

    #[test]
    fn lines_of_others_are_refused_by_number_and_there_is_one_writer() {
        let (_top, path) = begun();
        let refusal = |check: fn(&Line) -> Result<(), String>| {
            Journal::resume(&path, check).map(|_| ()).expect_err("refused").to_string()
        };
        assert!(refusal(|line| if line.number == 1 { Err("is mine".into()) } else { Ok(()) }).contains(":2: is mine"));
        let held = Journal::resume::<Line>(&path, |_| Ok(())).expect("resumed");
        assert!(refusal(|_| Ok(())).contains("another process"));
        drop(held);
        let lines = [r#"{"number":0,"text":""}"#, r#"{"number":300,"text":""}"#].map(sealed);
        fs::write(&path, lines.concat()).expect("written");
        assert!(refusal(|_| Ok(())).contains(":2: is no measurement"));
    }

    #[test]
    fn a_line_that_stands_there_twice_is_one() {
        let (_top, path) = begun();
        let text = fs::read_to_string(&path).expect("read");
        let (first, second) = text.split_once('\n').expect("two lines");
        fs::write(&path, format!("{first}\n{first}\n{second}{first}\n{second}")).expect("written");
        assert_eq!(read::<Line>(&path, |_| Ok(())).expect("read"), [line(0), line(1)]);
    }

    #[test]
    fn a_line_carries_the_checksum_of_what_it_says_and_is_refused_if_that_was_changed() {
        // python3 -c 'import zlib; print("%08x" % zlib.crc32(b"{\"a\":1}"))'
        assert_eq!(sealed("{\"a\":1}"), "{\"a\":1,\"crc32\":\"561bacaf\"}\n");
        let (_top, path) = begun();
        let good = fs::read(&path).expect("read");
        let refusal = |bytes: &[u8]| {
            fs::write(&path, bytes).expect("written");
            read::<Line>(&path, |_| Ok(())).map(|_| ()).expect_err("refused").to_string()
        };
        let second = good.iter().position(|&byte| byte == b'\n').expect("two lines") + 1;
        // but for the line's end, which would make it a torn one
        for bit in 8 * second..8 * (good.len() - 1) {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            // a new end of line is one of its own
            if bad[bit / 8] != b'\n' {
                let message = refusal(&bad);
                let says = ["has no checksum", "was changed since it was written"];
                assert!(message.contains(":2: ") && says.iter().any(|says| message.contains(says)), "{bit}: {message}");
            }
        }
        let unsealed = refusal(b"{\"number\":0,\"text\":\"\"}\n");
        assert!(unsealed.contains(":1: has no checksum; accepted: "), "{unsealed}");
        for bad in ["[1]", "{}", "7"] {
            seal(bad.as_bytes()).expect_err("no object");
        }
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
        journal.append(&line(7)).expect_err("no space");
        assert!(journal.is_broken());
        let message = journal.append(&line(7)).expect_err("broken").to_string();
        assert!(message.contains("earlier line"), "{message}");
    }
}
