//! The canonical runs on a bare Cortex-M, under QEMU: text and exit code go through semihosting.
#![no_std]
#![no_main]

use cortex_m_semihosting::{debug, hio};

#[cortex_m_rt::entry]
fn main() -> ! {
    let done = hio::hstdout().map(|mut out| birth_death_canon::report(&mut out, CHECKPOINTS, &|_| true));
    debug::exit(if matches!(done, Ok(Ok(true))) { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {}
}

include!("../../checkpoints.rs");

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    debug::exit(debug::EXIT_FAILURE);
    loop {}
}
