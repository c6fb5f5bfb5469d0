//! What steps take: instructions by SysTick, which under QEMU's `-icount shift=6` is exact; stack by the paint that start-up has put on it.

use birth_death::models::{
    DoubleWell, Examples, GaussianUnits, MiniBatches, Mixture, MixtureRef, Mmd, Network, Quadratic, Rastrigin,
    StudentTeacher, Target,
};
use birth_death::{
    Dissipation, Dynamics, Ensemble, Error, Field, Genealogy, Marginal, NoPrior, ProductPrior, Report, ReportLog, Rows,
    RowsMut, Scratch, State, Stream, Workspace,
};
use core::fmt::Write;
use cortex_m_semihosting::{debug, hio};

/// Steps that are measured.
const STEPS: u32 = 100;

/// SysTick: control, reload, current value. ARMv7-M reference manual, B3.3.
const CONTROL: *mut u32 = 0xE000_E010 as *mut u32;
const RELOAD: *mut u32 = 0xE000_E014 as *mut u32;
const CURRENT: *mut u32 = 0xE000_E018 as *mut u32;
const MASK: u32 = 0x00FF_FFFF;

unsafe extern "C" {
    /// The two ends of the stack, by the linker.
    static _stack_start: u32;
    static _stack_end: u32;
}

/// The counter, which counts down, 25 million a second on the board mps2-an386.
fn now() -> u32 {
    // SAFETY: the register stands there on every Cortex-M.
    unsafe { CURRENT.read_volatile() }
}

fn start_counting() {
    // SAFETY: as above, and nobody else uses the timer. 5: on, processor clock, no interrupt.
    unsafe {
        RELOAD.write_volatile(MASK);
        CURRENT.write_volatile(0);
        CONTROL.write_volatile(5);
    }
    // it begins with zero, and is loaded later
    while now() == 0 {}
}

/// Instructions in so many ticks, to one or two: an instruction takes 2^6 ns, a tick 40 ns. The counter wraps after ten million.
const fn instructions(ticks: u32) -> u32 {
    (ticks & MASK) * 5 / 8
}

/// Whether a loop of 20 000 instructions counts as one: it would not without `-icount shift=6`, or at another clock.
fn counts_right() -> bool {
    let begun = now();
    // SAFETY: only the register named is changed.
    unsafe { core::arch::asm!("1: subs {0}, {0}, #1", "bne 1b", inout(reg) 10_000u32 => _) };
    instructions(begun.wrapping_sub(now())).abs_diff(20_000) < 20
}

/// The bytes of stack that have been written to.
fn peak_stack() -> usize {
    let (end, start) = (&raw const _stack_end, &raw const _stack_start);
    let mut word = end;
    // SAFETY: the words between the two ends are the stack; those below its present top are nobody's.
    while word < start && unsafe { word.read_volatile() } == cortex_m_rt::STACK_PAINT_VALUE {
        word = word.wrapping_add(1);
    }
    start as usize - word as usize
}

pub fn steps(mut step: impl FnMut() -> Result<Report<f32>, Error>) -> Result<(), Error> {
    let (mut sum, mut largest, mut births, mut deaths) = (0u32, 0u32, 0u32, 0u32);
    start_counting();
    if !counts_right() {
        exit(false);
    }
    let begun = now();
    let nothing = instructions(begun.wrapping_sub(now()));
    for _ in 0..STEPS {
        let begun = now();
        let report = step()?;
        let taken = instructions(begun.wrapping_sub(now())).saturating_sub(nothing);
        sum += taken;
        largest = largest.max(taken);
        births += report.births;
        deaths += report.deaths;
    }
    let stack = peak_stack();
    if let Ok(mut out) = hio::hstdout() {
        let _ = writeln!(out, "step {} {largest} {births} {deaths}\nstack {stack}", sum / STEPS);
        sizes(&mut out);
    }
    Ok(())
}

pub fn exit(good: bool) {
    debug::exit(if good { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
}

macro_rules! sizes {
    ($out:ident: $($type:ty),* $(,)?) => {
        $(let _ = writeln!($out, "size {} {}", size_of::<$type>(), stringify!($type));)*
    };
}

fn sizes(out: &mut impl Write) {
    sizes!(out:
        Ensemble<f32, 2, 64>, Workspace<f32, 2, 64>, Genealogy<[u32; 64]>, ReportLog<f32, 16>, Report<f32>,
        Dynamics<f32, NoPrior>, Dynamics<f32, ProductPrior<[Marginal<f32>; 2]>>, ProductPrior<[Marginal<f32>; 2]>,
        Marginal<f32>, Stream, State<'_, f32, NoPrior, Stream>, Dissipation<f32>, Error, Result<Report<f32>, Error>,
        Rows<'_, f32>, RowsMut<'_, f32>, Field<'_, f32>, Scratch<'_, f32>,
        Quadratic<'_, f32>, DoubleWell<f32>, Rastrigin<f32>, Mixture<f32, 1, 3>, MixtureRef<'_, f32>, Target<'_, f32>,
        GaussianUnits<'_, f32>, Mmd<'_, f32>, StudentTeacher<'_, f32>, Examples<'_, f32>, MiniBatches<'_, f32>,
        Network<'_, f32, Examples<'_, f32>>,
    );
}
