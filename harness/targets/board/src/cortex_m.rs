//! The board mps2-an386, also for code that is built for a Cortex-M0; text and exit code go through semihosting.

use cortex_m_semihosting::{debug, hio};

/// The host's standard output.
pub type Console = hio::HostStream;

/// None if there is no debugger.
pub fn console() -> Option<Console> {
    hio::hstdout().ok()
}

/// Ends the emulation.
pub fn exit(good: bool) -> ! {
    debug::exit(if good { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {}
}

/// Timer 0: control, current value, reload. ARM DDI 0479, 4.3. Unlike SysTick it has 32 bits; it counts down, 25
/// million a second.
const CONTROL: *mut u32 = 0x4000_0000 as *mut u32;
const VALUE: *mut u32 = 0x4000_0004 as *mut u32;
const RELOAD: *mut u32 = 0x4000_0008 as *mut u32;

pub(crate) fn start() {
    // SAFETY: the registers stand there on this board, and nobody else uses the timer. 1: on, no interrupt.
    unsafe {
        CONTROL.write_volatile(0);
        RELOAD.write_volatile(u32::MAX);
        VALUE.write_volatile(u32::MAX);
        CONTROL.write_volatile(1);
    }
}

pub(crate) fn ticks() -> u32 {
    // SAFETY: as above.
    u32::MAX - unsafe { VALUE.read_volatile() }
}

/// With `-icount shift=6` an instruction takes 2^6 ns, a tick 40 ns.
pub(crate) fn instructions(ticks: u32) -> u32 {
    ticks / 8 * 5 + ticks % 8 * 5 / 8
}

pub(crate) fn twenty_thousand() {
    // SAFETY: only the register named is changed.
    unsafe { core::arch::asm!("1: subs {0}, {0}, #1", "bne 1b", inout(reg) 10_000u32 => _) };
}
