//! The machine's limit: multiplications and additions that do not wait for each other.

use std::hint::black_box;

use birth_death::Real;
use birth_death::dispatch::{Path, Task, widest};

use super::timing::Job;

/// Chains of vectors, each waiting only for itself: as many as two units of each kind and a latency of three cycles, or
/// two units for both and four, keep busy; with two constants they fit the sixteen registers of SSE2 and AVX2.
const CHAINS: usize = 12;
/// Multiplications and additions of each chain in a task.
const ROUNDS: usize = 4096;

/// `x <- x a + b`, multiplication and addition, in [`CHAINS`] vectors of `W` lanes.
struct Peak<R, const W: usize> {
    a: R,
    b: R,
}

#[inline(always)]
fn link<R: Real, const W: usize>(x: [R; W], a: R, b: R) -> [R; W] {
    x.map(|x| x * a + b)
}

impl<R: Real, const W: usize> Task for Peak<R, W> {
    type Output = [[R; W]; CHAINS];

    // variables, not an array over which a loop runs: that is not kept in registers
    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { a, b } = self;
        let [mut c0, mut c1, mut c2, mut c3, mut c4, mut c5] = [[R::ONE; W]; 6];
        let [mut c6, mut c7, mut c8, mut c9, mut c10, mut c11] = [[R::ONE; W]; 6];
        for _ in 0..ROUNDS {
            (c0, c1, c2) = (link(c0, a, b), link(c1, a, b), link(c2, a, b));
            (c3, c4, c5) = (link(c3, a, b), link(c4, a, b), link(c5, a, b));
            (c6, c7, c8) = (link(c6, a, b), link(c7, a, b), link(c8, a, b));
            (c9, c10, c11) = (link(c9, a, b), link(c10, a, b), link(c11, a, b));
        }
        [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11]
    }
}

/// Bytes of a vector register.
fn width(path: Path) -> usize {
    match path {
        Path::Avx512 => 64,
        Path::Avx2 => 32,
        _ => 16,
    }
}

/// Operations of a run of [`job`].
pub fn operations<R>(path: Path) -> f64 {
    (2 * CHAINS * ROUNDS * (width(path) / size_of::<R>())) as f64
}

/// The loop on a path.
pub fn job<R: Real>(path: Path) -> Job<'static> {
    match width(path) / size_of::<R>() {
        2 => lanes::<R, 2>(path),
        4 => lanes::<R, 4>(path),
        8 => lanes::<R, 8>(path),
        _ => lanes::<R, 16>(path),
    }
}

fn lanes<R: Real, const W: usize>(path: Path) -> Job<'static> {
    Job::new(Some(path), || {
        // tends to b / (1 - a) = 1/2: neither large nor subnormal
        let peak = Peak::<R, W> { a: black_box(R::HALF), b: black_box(R::HALF * R::HALF) };
        black_box(widest(peak));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_counted() {
        assert_eq!(operations::<f32>(Path::Baseline), 2.0 * 12.0 * 4096.0 * 4.0);
        assert_eq!(operations::<f64>(Path::Avx512), operations::<f32>(Path::Avx2));
    }

    #[test]
    fn no_lane_is_idle() {
        let lanes = Peak::<f32, 4> { a: 0.5, b: 0.25 }.run();
        assert_eq!(lanes, [[0.5; 4]; CHAINS]);
    }
}
