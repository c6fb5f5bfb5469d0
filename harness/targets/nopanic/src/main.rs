//! Calls all of the core on a Cortex-M. The panic handler asks the linker for what is not there: if any panic can be
//! reached, there is no image.
#![no_std]
#![no_main]

use core::hint::black_box;

#[cortex_m_rt::entry]
fn main() -> ! {
    #[cfg(feature = "planted")]
    black_box(black_box(&[1u8, 2, 3][..])[black_box(1usize)]);
    let _ = black_box(birth_death_calls::all());
    loop {}
}

unsafe extern "C" {
    /// Defined nowhere.
    fn a_panic_can_be_reached() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: no image that links calls it.
    unsafe { a_panic_can_be_reached() }
}
