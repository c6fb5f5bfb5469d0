//! Calls every public item of the core, and reports by its exit code: built, linked and run on the host. What is called
//! stands in `harness/targets/calls`, which is also linked for a microcontroller to see that nothing can panic.
#![no_std]
#![no_main]

// The C runtime starts the program and has `memcpy`; nothing else is asked of it.
#[link(name = "c")]
unsafe extern "C" {
    safe fn abort() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    abort()
}

/// The toolchain's `core` was compiled for unwinding and names this; with panic = "abort" nothing calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    match birth_death_calls::all() {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(_) => 2,
    }
}
