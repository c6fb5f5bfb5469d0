//! Particles side by side, in the loops that run over sources or examples.

use crate::Real;

/// Particles side by side, and the lanes of the sums over particles. Part of the definition of a sum; see `sum`.
pub(super) const LANES: usize = 16;

/// Microcontrollers have registers for one or two numbers at a time, and little memory for code. Changes no bit. (Linux
/// on 32-bit Arm is taken for one.)
pub(super) const MICROCONTROLLER: bool = cfg!(any(target_arch = "arm", target_arch = "riscv32"));

/// A number for each.
pub(super) type Block<R> = [R; LANES];

/// Lanes `start..start + N` of a row; those past its end are zeros, in `padded`.
///
/// By reference: a copy, of one or of the other, makes the compiler take the block to pieces.
#[inline(always)]
pub(super) fn load<'a, R: Real, const N: usize>(row: &'a [R], start: usize, padded: &'a mut [R; N]) -> &'a [R; N] {
    let rest = row.get(start..).unwrap_or(&[]);
    if let Some(whole) = rest.first_chunk() {
        return whole;
    }
    *padded = [R::ZERO; N];
    padded.iter_mut().zip(rest).for_each(|(lane, &x)| *lane = x);
    padded
}

#[inline(always)]
pub(super) fn store<R: Real, const N: usize>(row: &mut [R], start: usize, block: &[R; N]) {
    let rest = row.get_mut(start..).unwrap_or(&mut []);
    if let Some(whole) = rest.first_chunk_mut() {
        *whole = *block;
        return;
    }
    // a copy, so that the block itself may stay in registers
    let block = *block;
    rest.iter_mut().zip(&block).for_each(|(x, &lane)| *x = lane);
}
