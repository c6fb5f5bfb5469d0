//! What images for bare boards need of QEMU's machines: where text goes, how they end, and how many instructions
//! something took.
#![no_std]

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "riscv32")]
mod riscv32;

#[cfg(target_arch = "arm")]
use cortex_m as machine;
#[cfg(target_arch = "riscv32")]
use riscv32 as machine;

pub use machine::{Console, console, exit};

/// Counts instructions: QEMU's `-icount`, with the shift that `machine` names, makes every one take the same time.
pub struct Counter {
    nothing: u32,
}

impl Counter {
    /// None if a loop of 20 000 instructions does not count as one: without `-icount`, or with another shift.
    pub fn start() -> Option<Self> {
        machine::start();
        let nothing = Self { nothing: 0 }.count(|| ()).1;
        let counter = Self { nothing };
        (counter.count(machine::twenty_thousand).1.abs_diff(20_000) < 20).then_some(counter)
    }

    /// What the work gives, and its instructions, to one or two.
    pub fn count<T>(&self, work: impl FnOnce() -> T) -> (T, u32) {
        let begun = machine::ticks();
        let result = work();
        let taken = machine::instructions(machine::ticks().wrapping_sub(begun));
        (result, taken.saturating_sub(self.nothing))
    }
}
