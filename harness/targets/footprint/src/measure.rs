//! What steps take: instructions, and stack by the paint that start-up has put on it.

pub use board::exit;

use birth_death::models::{
    DoubleWell, Examples, GaussianUnits, MiniBatches, Mixture, MixtureRef, Mmd, MmdTarget, Network, Quadratic,
    Rastrigin, StudentTeacher,
};
use birth_death::{
    Dissipation, Dynamics, Ensemble, Error, Field, Genealogy, Marginal, NoPrior, ProductPrior, Report, ReportLog, Rows,
    RowsMut, Scratch, Stream, Workspace,
};
use board::{Counter, console};
use core::fmt::Write;

/// Steps that are measured.
const STEPS: u32 = 100;

unsafe extern "C" {
    /// The two ends of the stack, by the linker.
    static _stack_start: u32;
    static _stack_end: u32;
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
    let Some(counter) = Counter::start() else { exit(false) };
    for _ in 0..STEPS {
        let (report, taken) = counter.count(&mut step);
        let report = report?;
        sum += taken;
        largest = largest.max(taken);
        births += report.births;
        deaths += report.deaths;
    }
    let stack = peak_stack();
    if let Some(mut out) = console() {
        let _ = writeln!(out, "step {} {largest} {births} {deaths}\nstack {stack}", sum / STEPS);
        sizes(&mut out);
    }
    Ok(())
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
        Marginal<f32>, Stream, Dissipation<f32>, Error, Result<Report<f32>, Error>,
        Rows<'_, f32>, RowsMut<'_, f32>, Field<'_, f32>, Scratch<'_, f32>,
        Quadratic<'_, f32>, DoubleWell<f32>, Rastrigin<f32>, Mixture<f32, 1, 3>, MixtureRef<'_, f32>,
        MmdTarget<'_, f32>, GaussianUnits<'_, f32>, Mmd<'_, f32>, StudentTeacher<'_, f32>, Examples<'_, f32>,
        MiniBatches<'_, f32>, Network<'_, f32, Examples<'_, f32>>,
    );
}
