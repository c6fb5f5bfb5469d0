//! The virt machine: text goes out by the UART, the exit code by the test device.

use core::fmt;

const UART: *mut u8 = 0x1000_0000 as *mut u8;
const TEST_DEVICE: *mut u32 = 0x0010_0000 as *mut u32;

// The image has a function `main`.
core::arch::global_asm!(
    ".section .init",
    ".global _start",
    "_start:",
    "la sp, stack_top",
    "la t0, bss_start",
    "la t1, bss_end",
    "1: bgeu t0, t1, 2f",
    "sw zero, 0(t0)",
    "addi t0, t0, 4",
    "j 1b",
    "2: call main",
);

/// The UART.
pub struct Console;

/// It is always there.
pub fn console() -> Option<Console> {
    Some(Console)
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the virt machine's UART has its data register there, and nobody else writes to it.
            unsafe { UART.write_volatile(byte) };
        }
        Ok(())
    }
}

/// Ends the emulation.
pub fn exit(good: bool) -> ! {
    // SAFETY: the virt machine's test device stands there; these are its words for pass, and for fail with code 1.
    unsafe { TEST_DEVICE.write_volatile(if good { 0x5555 } else { 0x1_3333 }) };
    loop {}
}

pub(crate) fn start() {}

/// With `-icount shift=0` QEMU's counter of retired instructions counts them.
pub(crate) fn ticks() -> u32 {
    let ticks: u32;
    // SAFETY: the register can only be read here.
    unsafe { core::arch::asm!("csrr {0}, minstret", out(reg) ticks) };
    ticks
}

pub(crate) fn instructions(ticks: u32) -> u32 {
    ticks
}

pub(crate) fn twenty_thousand() {
    // SAFETY: only the register named is changed.
    unsafe { core::arch::asm!("1: addi {0}, {0}, -1", "bnez {0}, 1b", inout(reg) 10_000u32 => _) };
}
