//! What C lends: checked as far as an address and a length can be.

use crate::code::bd_code::{BD_ERROR_ALIGNMENT, BD_ERROR_MEMORY, BD_ERROR_NULL, BD_ERROR_OVERLAP};
use crate::code::bd_error;
use core::slice;

/// Types of which every pattern of bits is a value, so that memory of C's may be read as one.
///
/// # Safety
/// That it is so.
pub(crate) unsafe trait Plain: Copy {}
// SAFETY: numbers have no invalid bits.
unsafe impl Plain for f32 {}
// SAFETY: as above
unsafe impl Plain for f64 {}
// SAFETY: as above
unsafe impl Plain for u32 {}
// SAFETY: as above
unsafe impl Plain for u8 {}

/// That `at` can point to `len` values of `T`: neither null nor misaligned, and not more bytes than an object can have.
pub(crate) fn check<T>(at: *const T, len: usize, what: &'static str) -> Result<(), bd_error> {
    if at.is_null() {
        return Err(bd_error::of(BD_ERROR_NULL, what));
    }
    if !at.is_aligned() {
        return Err(bd_error::sizes(BD_ERROR_ALIGNMENT, what, align_of::<T>(), 0));
    }
    match bytes::<T>(len).and_then(|bytes| at.addr().checked_add(bytes)) {
        Some(_) => Ok(()),
        None => Err(bd_error::sizes(BD_ERROR_MEMORY, what, usize::MAX, len)),
    }
}

/// Bytes of `len` values, if an object can have so many.
fn bytes<T>(len: usize) -> Option<usize> {
    len.checked_mul(size_of::<T>()).filter(|&bytes| isize::try_from(bytes).is_ok())
}

/// `len` values at `at`, for reading. Of no value the address may be anything.
///
/// # Safety
/// `at` points to `len` values that nobody writes while the slice is used.
pub(crate) unsafe fn lent<'a, T: Plain>(at: *const T, len: usize, what: &'static str) -> Result<&'a [T], bd_error> {
    if len == 0 {
        return Ok(&[]);
    }
    check(at, len, what)?;
    // SAFETY: not null, aligned, of a possible size; the caller promises the rest, and any bits are a `T`
    Ok(unsafe { slice::from_raw_parts(at, len) })
}

/// As [`lent`], for writing.
///
/// # Safety
/// `at` points to `len` values that nobody else reads or writes while the slice is used.
pub(crate) unsafe fn lent_mut<'a, T: Plain>(
    at: *mut T,
    len: usize,
    what: &'static str,
) -> Result<&'a mut [T], bd_error> {
    if len == 0 {
        return Ok(&mut []);
    }
    check(at, len, what)?;
    // SAFETY: as in `lent`
    Ok(unsafe { slice::from_raw_parts_mut(at, len) })
}

/// A struct of the caller's, copied.
///
/// # Safety
/// `at` points to a `T`, or to bits that are one.
pub(crate) unsafe fn read<T: Copy>(at: *const T, what: &'static str) -> Result<T, bd_error> {
    check(at, 1, what)?;
    // SAFETY: not null, aligned; the caller promises the rest
    Ok(unsafe { at.read() })
}

/// Where a piece of memory lies. Nothing is anywhere if it has no byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    pub(crate) const NOWHERE: Self = Self { start: 0, end: 0 };

    /// Nowhere also if it is null, or of a size that no memory has: for that there are other errors.
    pub fn new<T>(at: *const T, len: usize) -> Self {
        let start = at.addr();
        match bytes::<T>(len).and_then(|bytes| start.checked_add(bytes)) {
            Some(end) if start > 0 => Self { start, end },
            _ => Self::NOWHERE,
        }
    }

    fn meets(self, other: Self) -> bool {
        self.start < self.end && other.start < other.end && self.start < other.end && other.start < self.end
    }
}

/// That neither lies in the other, not even in part.
pub(crate) fn apart(one: Span, other: Span, what: &'static str) -> Result<(), bd_error> {
    if one.meets(other) { Err(bd_error::of(BD_ERROR_OVERLAP, what)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::code::bd_code;

    fn code<T>(at: *const T, len: usize) -> bd_code {
        check(at, len, "x").map_or_else(|error| error.code, |()| bd_code::BD_OK)
    }

    #[test]
    fn addresses_and_sizes_are_checked() {
        let x = [1.0f64, 2.0];
        let at = x.as_ptr();
        assert_eq!(code(at, 2), bd_code::BD_OK);
        assert_eq!(code::<f64>(core::ptr::null(), 2), BD_ERROR_NULL);
        assert_eq!(code(at.wrapping_byte_add(4), 1), BD_ERROR_ALIGNMENT);
        let most = usize::MAX / 16;
        assert_eq!((code(at, most), code(at, most + 1)), (bd_code::BD_OK, BD_ERROR_MEMORY));
        assert_eq!(code(at, usize::MAX), BD_ERROR_MEMORY);
        // the end of the address space
        assert_eq!(code(core::ptr::without_provenance::<u8>(usize::MAX - 1), 2), BD_ERROR_MEMORY);
        // SAFETY: of no value nothing is read
        assert!(unsafe { lent::<f64>(core::ptr::null(), 0, "x") }.unwrap().is_empty());
    }

    #[test]
    fn pieces_meet_if_they_share_a_byte() {
        let x = [0u32; 8];
        let span = |from: usize, to: usize| Span::new(x.get(from..to).unwrap().as_ptr(), to - from);
        for (one, other, meet) in
            [((0, 4), (4, 8), false), ((0, 5), (4, 8), true), ((2, 3), (0, 8), true), ((0, 8), (3, 3), false)]
        {
            let (one, other) = (span(one.0, one.1), span(other.0, other.1));
            assert_eq!((one.meets(other), other.meets(one)), (meet, meet));
            assert_eq!(apart(one, other, "x").is_err(), meet);
        }
        let all = Span { start: 0, end: usize::MAX };
        for nowhere in
            [Span::new::<u8>(core::ptr::null(), 9), Span::new(x.as_ptr(), usize::MAX), Span::new(x.as_ptr(), 0)]
        {
            assert!(!nowhere.meets(all) && !all.meets(nowhere));
        }
    }
}
