//! The first words of a run and of an energy: which it is, and whether it is in use.

use crate::code::bd_code::{BD_ERROR_BUSY, BD_ERROR_NOT_INITIALISED};
use crate::code::bd_error;
use core::ptr;

/// What a run and an energy begin with. One that is in use says so by its own address: bytes that are copied meanwhile
/// are not in use where they are put, and memory that nobody has written yet is not taken for an object in use.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Mark {
    magic: u32,
    in_use_at: usize,
}

/// "bdR" and "bdE", before the bytes of a number.
const RUN: u32 = 0x6264_5200;
const ENERGY: u32 = 0x6264_4500;

impl Mark {
    /// Of a run that nobody uses.
    pub const fn run<R>() -> Self {
        Self { magic: RUN | size_of::<R>() as u32, in_use_at: 0 }
    }

    /// Of an energy that nobody uses.
    pub const fn energy<R>() -> Self {
        Self { magic: ENERGY | size_of::<R>() as u32, in_use_at: 0 }
    }

    /// That an object with such a mark is at `at`.
    ///
    /// # Safety
    /// `at` points to as many bytes, is aligned, and no other thread writes there.
    pub unsafe fn is_at(&self, at: *const Self, what: &'static str) -> Result<(), bd_error> {
        // SAFETY: the caller's promise
        if unsafe { (*at).magic } == self.magic { Ok(()) } else { Err(bd_error::of(BD_ERROR_NOT_INITIALISED, what)) }
    }
}

/// That no run or energy in use begins in memory that is about to become one.
///
/// # Safety
/// `memory` points to `bytes` bytes, aligned to 64-bit words and at least a mark's, which may hold anything; no other
/// thread writes there.
pub(crate) unsafe fn idle(memory: *const u8, bytes: usize, what: &'static str) -> Result<(), bd_error> {
    let last = bytes.saturating_sub(size_of::<Mark>());
    for at in (0..=last).step_by(align_of::<u64>()).map(|offset| memory.wrapping_add(offset).cast::<Mark>()) {
        // SAFETY: within the memory, and as aligned as a mark is. The reads are volatile since the bytes may never have
        // been written: they have some value in memory, which the compiler is not to reason about.
        let in_use = unsafe {
            ptr::read_volatile(&raw const (*at).in_use_at) == at.addr()
                && matches!(ptr::read_volatile(&raw const (*at).magic) & !0xff, RUN | ENERGY)
        };
        if in_use {
            return Err(bd_error::of(BD_ERROR_BUSY, what));
        }
    }
    Ok(())
}

/// An object in use; no longer when this is dropped.
pub(crate) struct Busy(*mut Mark);

impl Busy {
    /// # Safety
    /// `mark` points to that of an object, which outlives this.
    pub unsafe fn enter(mark: *mut Mark, what: &'static str) -> Result<Self, bd_error> {
        // SAFETY: the caller's promise
        unsafe {
            if (*mark).in_use_at == mark.addr() {
                return Err(bd_error::of(BD_ERROR_BUSY, what));
            }
            (*mark).in_use_at = mark.addr();
        }
        Ok(Self(mark))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // SAFETY: by the promise of `enter` it is still there
        unsafe { (*self.0).in_use_at = 0 };
    }
}
