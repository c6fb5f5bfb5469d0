//! The canonical runs on a bare Cortex-M or RV32IMAC, under QEMU.
#![no_std]
#![no_main]

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", unsafe(no_mangle))]
fn main() -> ! {
    let done = board::console().map(|mut out| birth_death_canon::report(&mut out, CHECKPOINTS, &|_| true));
    board::exit(done == Some(Ok(true)))
}

include!("../../checkpoints.rs");

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    board::exit(false)
}
