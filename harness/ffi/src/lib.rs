//! The C interface of `birth-death`: the caller's memory, error codes, no allocation; see `README.md` and
//! `include/birth_death.h`, which is made of this crate.
//!
//! # Unsafe code
//! This is the only crate of the workspace that has any. What it relies on are the promises of the header: that a
//! pointer points to as much as is said, and that nobody else uses that memory meanwhile. Everything else is checked:
//! null, alignment, sizes, overlap (`call.rs`), whether a run or an energy was made at an address, and whether it is
//! already in use further up the stack (`mark.rs`). References live for one call only, but those of an energy and a
//! prior, which last as long as these: that is what the header calls borrowed.
//!
//! # No panic
//! Nothing here has a panic path, and a function of `extern "C"` would abort rather than let a panic cross.

#![no_std]
#![allow(non_camel_case_types)] // the names are C's
#![allow(rustdoc::broken_intra_doc_links)] // and so are brackets in the texts: they are indices in the header

#[cfg(feature = "std")]
extern crate std;

mod api;
mod call;
mod calls;
mod code;
mod energy;
mod law;
mod make;
mod mark;
mod memory;
mod run;

pub use api::*;
pub use code::{BD_NO_INDEX, bd_code, bd_error};
pub use energy::{BD_ENERGY_WORDS, bd_activation, bd_energy, bd_energy_fn, bd_loss, bd_network, bd_rows};
pub use law::{bd_draw_fn, bd_law, bd_marginal, bd_prior, bd_random};
pub use run::{BD_ALIGNMENT, BD_FRESH, BD_RUN_HEADER, bd_rate, bd_report, bd_run, bd_scheme, bd_settings, bd_view};

/// Nothing in the library panics, so the linker drops this (`check` sees to it). With the feature `std` it is std's.
#[cfg(not(feature = "std"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
