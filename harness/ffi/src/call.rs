//! What holds for every call: its pieces of memory lie apart, and its details go where they harm nothing.

use crate::code::bd_code::{self, BD_ERROR_ALIGNMENT, BD_OK};
use crate::code::bd_error;
use crate::memory::{Span, apart};

/// A piece of memory that a call is given, by an argument or by way of one.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    span: Span,
    written: bool,
    what: &'static str,
}

impl Piece {
    pub(crate) const NONE: Self = Self::of(Span::NOWHERE, false, "");

    /// `len` values that are read.
    pub fn read<T>(at: *const T, len: usize, what: &'static str) -> Self {
        Self::of(Span::new(at, len), false, what)
    }

    /// `len` values that are written, in this call or by an object that it makes.
    pub fn written<T>(at: *const T, len: usize, what: &'static str) -> Self {
        Self::of(Span::new(at, len), true, what)
    }

    pub const fn of(span: Span, written: bool, what: &'static str) -> Self {
        Self { span, written, what }
    }

    pub const fn span(self) -> Span {
        self.span
    }
}

/// Where the details of a call go: nowhere, if that is null or was found to lie in something else.
pub(crate) struct Details(*mut bd_error);

impl Details {
    /// That no piece of memory that is written lies in another, and the details in none; the later of two is named.
    pub fn apart(&mut self, pieces: &[Piece]) -> Result<(), bd_error> {
        let details = Span::new(self.0, 1);
        for piece in pieces {
            apart(details, piece.span, "error").inspect_err(|_| self.0 = core::ptr::null_mut())?;
        }
        let mut rest = pieces;
        while let Some((one, others)) = rest.split_first() {
            for other in others.iter().filter(|other| one.written || other.written) {
                apart(one.span, other.span, other.what)?;
            }
            rest = others;
        }
        Ok(())
    }
}

/// Does a function's work, and hands its error on to the caller.
///
/// # Safety
/// `error` is null or points to a `bd_error`.
pub(crate) unsafe fn call(error: *mut bd_error, work: impl FnOnce(&mut Details) -> Result<(), bd_error>) -> bd_code {
    if !error.is_aligned() {
        return BD_ERROR_ALIGNMENT;
    }
    let mut details = Details(error);
    let result = work(&mut details);
    // SAFETY: aligned, and the caller promises the rest
    unsafe { details.write(result) }
}

impl Details {
    /// # Safety
    /// They are null or point to a `bd_error`.
    unsafe fn write(self, result: Result<(), bd_error>) -> bd_code {
        let found = result.err().unwrap_or(bd_error::new(BD_OK));
        if !self.0.is_null() {
            // SAFETY: the caller's promise
            unsafe { self.0.write(found) };
        }
        found.code
    }
}
