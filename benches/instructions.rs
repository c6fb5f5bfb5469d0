//! Instructions of evaluations and steps, counted by valgrind: the same on every run, so that a slower loop shows.
//! `benches/gate` holds them against the committed counts.
//!
//! On the baseline and AVX2; valgrind has no AVX-512. A case is named by its arguments: precision, components of a
//! centre, particles, path.

mod setting;

use birth_death::dispatch::{Path, force};
use birth_death::maths::Portable;
use birth_death::{Real, Stream};
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use setting::Memory;
use std::hint::black_box;

/// What is counted.
type Work = Box<dyn FnMut()>;

fn on(path: &str) {
    let path = Path::ALL.into_iter().find(|known| known.name() == path).expect("a path");
    assert!(force(Some(path)), "this processor does not have {}", path.name());
}

fn evaluation(precision: &str, dim: usize, n: usize, path: &str) -> Work {
    on(path);
    match (precision, dim) {
        ("f32", 1) => evaluation_of::<f32, 1>(n),
        ("f32", 2) => evaluation_of::<f32, 2>(n),
        ("f32", 3) => evaluation_of::<f32, 3>(n),
        ("f32", _) => evaluation_of::<f32, 5>(n),
        (_, 1) => evaluation_of::<f64, 1>(n),
        (_, 2) => evaluation_of::<f64, 2>(n),
        _ => evaluation_of::<f64, 3>(n),
    }
}

fn evaluation_of<R: Real, const D: usize>(n: usize) -> Work {
    let target = setting::target::<R, D>();
    let mut memory = Memory::<R>::new(D + 1, n);
    let mut energy = setting::units::<R, Portable, D>(Box::leak(Box::new(target)));
    Box::new(move || {
        black_box(black_box(&mut memory).evaluate(&mut energy));
    })
}

fn first_step(precision: &str, n: usize, path: &str) -> Work {
    on(path);
    match precision {
        "f32" => first_step_of::<f32>(n),
        _ => first_step_of::<f64>(n),
    }
}

fn first_step_of<R: Real>(n: usize) -> Work {
    let target = setting::target::<R, 1>();
    let mut memory = Memory::<R>::new(2, n);
    let mut energy = setting::units::<R, Portable, 1>(Box::leak(Box::new(target)));
    let (mut dynamics, mut rng) = (setting::dynamics::<R>(), Stream::seeded(1, 1));
    Box::new(move || {
        black_box(black_box(&mut memory).step(&mut dynamics, &mut energy, &mut rng));
    })
}

#[library_benchmark(setup = evaluation)]
#[benches::of(
    ("f32", 1, 64, "baseline"), ("f32", 1, 64, "AVX2"), ("f32", 1, 200, "baseline"), ("f32", 1, 200, "AVX2"),
    ("f32", 2, 64, "baseline"), ("f32", 2, 64, "AVX2"), ("f32", 2, 200, "baseline"), ("f32", 2, 200, "AVX2"),
    ("f32", 3, 64, "baseline"), ("f32", 3, 64, "AVX2"), ("f32", 3, 200, "baseline"), ("f32", 3, 200, "AVX2"),
    ("f32", 5, 64, "baseline"), ("f32", 5, 64, "AVX2"),
    ("f64", 1, 64, "baseline"), ("f64", 1, 64, "AVX2"), ("f64", 1, 200, "baseline"), ("f64", 1, 200, "AVX2"),
    ("f64", 2, 64, "baseline"), ("f64", 2, 64, "AVX2"), ("f64", 2, 200, "baseline"), ("f64", 2, 200, "AVX2"),
    ("f64", 3, 64, "baseline"), ("f64", 3, 64, "AVX2"), ("f64", 3, 200, "baseline"), ("f64", 3, 200, "AVX2"),
)]
fn evaluate(mut work: Work) -> Work {
    work();
    work
}

#[library_benchmark(setup = first_step)]
#[benches::of(("f32", 200, "baseline"), ("f32", 200, "AVX2"), ("f64", 200, "baseline"), ("f64", 200, "AVX2"))]
fn step(mut work: Work) -> Work {
    work();
    work
}

library_benchmark_group!(name = counts; benchmarks = evaluate, step);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::default().format([EventKind::Ir]));
    library_benchmark_groups = counts
);
