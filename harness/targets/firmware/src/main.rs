//! Trains a small network on a Cortex-M4F, in either scheme. All memory is static, nothing is allocated, and an error
//! ends in text and an exit code.
#![no_std]
#![no_main]

use birth_death::{Dynamics, Ensemble, Error, NoPrior, Workspace};
use core::fmt::{Display, Write};
use cortex_m_semihosting::{debug, hio};
use firmware::{CHECKPOINT, SCRATCH, UNITS, WEIGHTS, prior, train};

#[cortex_m_rt::entry]
fn main() -> ! {
    // `entry` lends these as `&'static mut`: they are nobody else's
    static mut NETWORK: Ensemble<f32, WEIGHTS, UNITS> = Ensemble::new();
    static mut WORKSPACE: Workspace<f32, WEIGHTS, UNITS> = Workspace::new();
    static mut NUMBERS: [f32; SCRATCH] = [0.0; SCRATCH];
    static mut SAVED: [u8; CHECKPOINT] = [0; CHECKPOINT];

    // replace by your own output, which may fail without harm
    let mut output = hio::hstdout();
    let mut say = |line: &dyn Display| {
        let _ = output.as_mut().map(|out| writeln!(out, "{line}"));
    };

    let mut both = || -> Result<(), Error> {
        let scheme_1 = Dynamics::<f32, NoPrior>::birth_death(0.125, 0.5)?;
        train(scheme_1, NETWORK, WORKSPACE, NUMBERS, SAVED, |line| say(&line))?;
        let scheme_2 = Dynamics::reinjection(0.125, 0.25, prior()?)?;
        train(scheme_2, NETWORK, WORKSPACE, NUMBERS, SAVED, |line| say(&line))
    };
    let code = match both() {
        Ok(()) => debug::EXIT_SUCCESS,
        Err(error) => {
            say(&error);
            debug::EXIT_FAILURE
        }
    };
    debug::exit(code);
    loop {}
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
