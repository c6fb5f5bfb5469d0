//! The canonical runs in WebAssembly: one exported function, and one imported that takes text.
#![no_std]

use core::fmt;

mod host {
    #[link(wasm_import_module = "host")]
    unsafe extern "C" {
        /// Takes `len` bytes of text from `text` on.
        pub fn write(text: *const u8, len: usize);
    }
}

struct Host;

impl fmt::Write for Host {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: the host reads `len` bytes of this instance's memory, which the slice has.
        unsafe { host::write(text.as_ptr(), text.len()) };
        Ok(())
    }
}

/// 0 if all went well.
#[unsafe(no_mangle)]
extern "C" fn run() -> i32 {
    i32::from(birth_death_canon::report(&mut Host, CHECKPOINTS, &|_| true) != Ok(true))
}

include!("../../checkpoints.rs");

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
