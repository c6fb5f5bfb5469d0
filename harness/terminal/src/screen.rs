//! Standard output: what a command prints there, and whether it arrived.

use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;

/// The first failure since the program began.
static FAILED: OnceLock<io::Error> = OnceLock::new();

/// Standard output. Writing to it never fails: a command keeps its files first, and [`end`] says at its end what was
/// lost.
///
/// A reader that has gone away (`| head`) has all it wants, and is no failure.
#[derive(Debug, Clone, Copy)]
pub struct Screen;

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        note(io::stdout().write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        note(io::stdout().flush());
        Ok(())
    }
}

/// Prints a text.
pub fn print(text: impl AsRef<[u8]>) {
    note(io::stdout().write_all(text.as_ref()));
}

/// One line on standard error: what went wrong. That standard error may be closed is no reason to stop.
pub fn error(message: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "error: {message}");
}

/// Remembers a failure of standard output.
pub fn note(written: io::Result<()>) {
    if let Err(error) = written.or_else(of_reader) {
        // the first one says why
        let _ = FAILED.set(error);
    }
}

/// Nothing wrong, if the reader has gone away.
fn of_reader(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

/// Writes what is still held back; why something that was printed did not arrive, if anything did not.
pub fn end() -> Option<&'static io::Error> {
    note(io::stdout().flush());
    FAILED.get()
}
