//! The pair loop: nanoseconds per ordered pair, for every precision, path, exponential and number of particles.

use std::hint::black_box;

use birth_death::Real;
use birth_death::dispatch::Path;
use birth_death::maths::{Libm, Maths, Micromath, Portable};

use super::machine::available;
use super::setting::{self, Memory};
use super::timing::{Best, Job, repeated};
use super::{VALID, peak};
use birth_death_stats::regression::{Point, log_log};

/// Numbers of particles.
pub const SIZES: [usize; 5] = [64, 256, 1024, 4096, 16384];
/// With `--quick`.
pub const FEW: [usize; 3] = [64, 256, 1024];

/// Where the loop takes its exponential from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The crate's own.
    Portable,
    /// `libm`'s.
    Libm,
    /// `micromath`'s, `f32` only.
    Micromath,
}

/// A row of the table, without its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// "f32" or "f64".
    pub precision: &'static str,
    /// The exponential.
    pub backend: Backend,
    /// The path.
    pub path: Path,
}

/// A row with its times.
#[derive(Debug)]
pub struct Timed {
    /// Of what.
    pub row: Row,
    /// Of an evaluation, for each number of particles.
    pub best: Vec<(usize, Best)>,
    /// Operations a second of the machine's limit, of this path and precision.
    pub peak: f64,
}

impl Backend {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Portable => "own",
            Backend::Libm => "libm",
            Backend::Micromath => "micromath",
        }
    }
}

/// All rows of this machine, in the table's order.
pub fn rows() -> Vec<Row> {
    let kinds = [
        ("f32", Backend::Portable),
        ("f32", Backend::Libm),
        ("f32", Backend::Micromath),
        ("f64", Backend::Portable),
        ("f64", Backend::Libm),
    ];
    let row = |(precision, backend)| available().map(move |path| Row { precision, backend, path });
    kinds.into_iter().flat_map(row).collect()
}

impl Row {
    /// The evaluation of `n` particles.
    fn job(&self, n: usize) -> Job<'static> {
        match (self.precision, self.backend) {
            ("f32", Backend::Portable) => evaluation::<f32, Portable>(self.path, n),
            ("f32", Backend::Libm) => evaluation::<f32, Libm>(self.path, n),
            ("f32", Backend::Micromath) => evaluation::<f32, Micromath>(self.path, n),
            (_, Backend::Libm) => evaluation::<f64, Libm>(self.path, n),
            _ => evaluation::<f64, Portable>(self.path, n),
        }
    }

    fn peak(&self) -> (Job<'static>, f64) {
        match self.precision {
            "f32" => (peak::job::<f32>(self.path), peak::operations::<f32>(self.path)),
            _ => (peak::job::<f64>(self.path), peak::operations::<f64>(self.path)),
        }
    }

    /// Floating-point operations of a pair in one component, as `src/models/kernel.rs` and `src/maths/exp2.rs` have
    /// them: difference, square, scale (3); clamp, rounding up and down, remainder (4); Horner's rule (twice the
    /// degree, 6 or 11); the power of two, the charge (2); value, slope (3). The integer shift of the exponential is
    /// not counted, nor is what costs `n` times something. Not known for the exponentials of others.
    pub fn operations(&self) -> Option<u32> {
        let degree = if self.precision == "f32" { 6 } else { 11 };
        (self.backend == Backend::Portable).then_some(3 + 4 + 2 * degree + 2 + 3)
    }
}

fn evaluation<R: Real, M: Maths<R>>(path: Path, n: usize) -> Job<'static> {
    let target = setting::target::<R, 1>();
    let mut memory = Memory::<R>::new(2, n);
    Job::timed(Some(path), 1, move |times| {
        let mut energy = setting::units::<R, M, 1>(&target);
        repeated(times, || {
            black_box(black_box(&mut memory).evaluate(&mut energy));
        })
    })
}

/// The jobs of the rows: first the evaluation for each size, then the peak, row after row.
pub fn jobs(rows: &[Row], sizes: &[usize]) -> Vec<Job<'static>> {
    rows.iter().flat_map(|row| sizes.iter().map(|n| row.job(*n)).chain([row.peak().0])).collect()
}

/// The rows with what came of their [`jobs`].
pub fn timed(rows: &[Row], sizes: &[usize], jobs: &[Job<'_>]) -> Vec<Timed> {
    let of_row = |(row, jobs): (&Row, &[Job<'_>])| {
        let (peak, evaluations) = jobs.split_last().expect(VALID);
        let best = sizes.iter().zip(evaluations).map(|(n, job)| (*n, job.best)).collect();
        Timed { row: *row, best, peak: row.peak().1 / peak.best.least }
    };
    rows.iter().zip(jobs.chunks(sizes.len() + 1)).map(of_row).collect()
}

impl Timed {
    /// Nanoseconds per ordered pair.
    pub fn nanoseconds(&self) -> impl Iterator<Item = f64> {
        self.best.iter().map(|(n, best)| best.least * 1e9 / (*n as f64).powi(2))
    }

    /// The largest share of the machine's limit that any size reaches.
    pub fn fraction(&self) -> Option<f64> {
        let operations = f64::from(self.row.operations()?);
        let fastest = self.nanoseconds().fold(f64::INFINITY, f64::min);
        Some(operations / (fastest * 1e-9) / self.peak)
    }

    /// The exponent of n in the time, and its standard error: a fit on logs, weighted by the errors of the least times.
    pub fn exponent(&self) -> Option<(f64, f64)> {
        let points: Vec<Point> =
            self.best.iter().map(|(n, best)| Point { x: *n as f64, estimate: best.least, se: best.error() }).collect();
        log_log(&points).map(|law| (law.slope, law.slope_se))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(precision: &'static str, backend: Backend) -> Row {
        Row { precision, backend, path: Path::Baseline }
    }

    #[test]
    fn a_row_is_computed_from_its_times() {
        // 2 ns a pair; the limit is 24 operations in 1 ns
        let best = |n: usize| (n, Best::NONE.with(2e-9 * (n * n) as f64));
        let timed = Timed { row: row("f32", Backend::Portable), best: SIZES.map(best).to_vec(), peak: 24e9 };
        assert!(timed.nanoseconds().all(|ns| (ns - 2.0).abs() < 1e-12));
        assert!((timed.fraction().expect("known") - 0.5).abs() < 1e-12);
        assert!((timed.exponent().expect("a line").0 - 2.0).abs() < 1e-12);
        assert_eq!(row("f64", Backend::Portable).operations(), Some(34));
        assert_eq!(row("f64", Backend::Libm).operations(), None);
    }

    #[test]
    fn every_row_runs() {
        let rows = rows();
        assert_eq!(rows.len(), 5 * available().count());
        let mut jobs = jobs(&rows, &[17, 40]);
        let stop = std::sync::atomic::AtomicBool::new(false);
        assert!(super::super::timing::rounds(&mut jobs, 1, &stop, &indicatif::ProgressBar::hidden()));
        for timed in timed(&rows, &[17, 40], &jobs) {
            assert!(timed.nanoseconds().all(|ns| ns > 0.0 && ns < 1e6), "{timed:?}");
            assert!(timed.peak > 1e6, "{timed:?}");
        }
    }
}
