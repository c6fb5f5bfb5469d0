//! Growth: sums of Gaussians and their gradients in O(n), against the sum over pairs, and the number of particles from
//! which they are faster.
//!
//! `cargo bench --features dispatch --bench growth [-- COMPONENTS]`. Particles are standard normals, h = 0.1, 0.2, 0.4
//! in 1, 2, 3 components, alternating weights, tolerance 1e-6. A time is the best of some; that over all pairs, above
//! 16,384 targets, of 16,384 of them, scaled (`~`). With `--test`: small, once.

mod setting;

use birth_death::models::{FastGauss, Mmd, MmdTarget, fast_gauss::Method};
use birth_death::{Energy, Field, Rows, RowsMut};
use setting::normals;
use std::time::Instant;

/// In 1, 2 and 3 components.
const BANDWIDTHS: [f64; 3] = [0.1, 0.2, 0.4];
const TOLERANCE: f64 = 1e-6;

/// The least seconds of some runs: for half a second, thrice at least; once if it is only to be seen that it runs.
fn best(once: bool, mut run: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let (mut best, mut runs) = (f64::INFINITY, 0);
    while runs < 3 || begin.elapsed().as_secs_f64() < 0.5 {
        let start = Instant::now();
        run();
        let seconds = start.elapsed().as_secs_f64();
        best = if seconds < best { seconds } else { best };
        runs += 1;
        if once {
            break;
        }
    }
    best
}

/// Seconds of the fast sum, and how it was made.
fn fast(x: &[f64], dim: usize, n: usize, once: bool) -> (f64, birth_death::models::fast_gauss::Summary) {
    let plan = FastGauss::new(dim, BANDWIDTHS[dim - 1], TOLERANCE).expect("a plan");
    let weights: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let (mut words, mut values) = (vec![0; plan.words(n, n)], vec![0.0; plan.values(n, n)]);
    let (mut v, mut g) = (vec![0.0; n], vec![0.0; dim * n]);
    let rows = Rows::new(x, n, dim, n).expect("a shape");
    let mut summary = None;
    let seconds = best(once, || {
        let field = Field::new(&mut v, RowsMut::new(&mut g, n, dim, n).expect("a shape")).expect("a shape");
        summary = Some(plan.evaluate(rows, rows, &weights, &mut words, &mut values, field).expect("finite"));
    });
    (seconds, summary.expect("one run at least"))
}

/// Seconds of the sum over pairs, by the energy that makes it: the interaction of a maximum mean discrepancy.
fn direct(x: &[f64], dim: usize, n: usize, once: bool) -> f64 {
    let shown = n.min(16_384);
    let point = vec![0.0; dim];
    let mut mmd = Mmd::new(BANDWIDTHS[dim - 1], MmdTarget::Sample(Rows::new(&point, 1, dim, 1).expect("a point")))
        .expect("an energy");
    let (mut v, mut g) = (vec![0.0; shown], vec![0.0; dim * shown]);
    let rows = Rows::new(x, n, dim, shown).expect("a shape");
    let seconds = best(once, || {
        let field = Field::new(&mut v, RowsMut::new(&mut g, shown, dim, shown).expect("a shape")).expect("a shape");
        mmd.evaluate(0, rows, field).expect("finite");
    });
    let times = n as f64 / shown as f64;
    seconds * times * times
}

fn main() {
    let once = std::env::args().any(|argument| argument == "--test");
    let only: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for dim in (1..=3).filter(|dim| only.is_empty() || only.contains(dim)) {
        let plan = FastGauss::new(dim, BANDWIDTHS[dim - 1], TOLERANCE).expect("a plan");
        println!(
            "D = {dim}: order {}, radius {:.3}, cells of {:.4}, bound {:.1e}",
            plan.order(),
            plan.radius(),
            plan.width(),
            plan.bound()
        );
        println!("{:>9} {:>12} {:>12} {:>8}  method", "n", "fast, ms", "pairs, ms", "ratio");
        let largest = if once { 1000 } else { 1_000_000 };
        let sizes =
            [100, 200, 300, 500, 700, 1000, 2000, 3000, 5000, 7000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
        for n in sizes.into_iter().filter(|n| *n <= largest) {
            let x = normals(dim * n);
            let ((seconds, summary), direct) = (fast(&x, dim, n, once), direct(&x, dim, n, once));
            let scaled = if n > 16_384 { '~' } else { ' ' };
            let how = match summary.method {
                Method::Pairs => "pairs".into(),
                _ => format!("{} cells, {} translations, {} pairs", summary.cells, summary.translations, summary.pairs),
            };
            println!("{n:>9} {:>12.4} {scaled}{:>11.4} {:>8.2}  {how}", seconds * 1e3, direct * 1e3, direct / seconds);
        }
    }
}
