//! The canonical runs on a bare RV32IMAC, QEMU's virt machine: text goes out by the UART, the exit code by the test device.
#![no_std]
#![no_main]

use core::fmt;

const UART: *mut u8 = 0x1000_0000 as *mut u8;
const TEST_DEVICE: *mut u32 = 0x0010_0000 as *mut u32;

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
    "2: call start",
);

struct Uart;

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the virt machine's UART has its data register there, and nobody else writes to it.
            unsafe { UART.write_volatile(byte) };
        }
        Ok(())
    }
}

fn exit(good: bool) -> ! {
    // SAFETY: the virt machine's test device stands there; these are its words for pass, and for fail with code 1.
    unsafe { TEST_DEVICE.write_volatile(if good { 0x5555 } else { 0x1_3333 }) };
    loop {}
}

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    exit(birth_death_canon::report(&mut Uart, CHECKPOINTS, &|_| true) == Ok(true))
}

include!("../../checkpoints.rs");

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(false)
}
