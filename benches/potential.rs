//! The hot loop: V, grad V and E of Gaussian units in one pass, per precision, dimension and maths backend.
//!
//! `cargo bench`; divide a time by n^2 for the cost of an ordered pair.

mod setting;

use birth_death::maths::{Libm, Maths, Portable};
use birth_death::{Real, Stream};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use setting::Memory;
use std::hint::black_box;

fn evaluation<R: Real, M: Maths<R>, const D: usize>(c: &mut Criterion, name: &str) {
    let target = setting::target::<R, D>();
    let mut energy = setting::units::<R, M, D>(&target);
    let mut group = c.benchmark_group(name);
    for n in [64, 200, 1024] {
        let mut memory = Memory::<R>::new(D + 1, n);
        group.throughput(Throughput::Elements((n * n) as u64));
        group.bench_function(BenchmarkId::from_parameter(n), |b| {
            b.iter(|| black_box(&mut memory).evaluate(&mut energy));
        });
    }
}

/// A whole step of scheme 1 at n = 200, the paper's size: the mean of the first 50 from a start.
fn step(c: &mut Criterion) {
    const STEPS: u64 = 50;
    let target = setting::target::<f32, 1>();
    let mut energy = setting::units::<f32, Portable, 1>(&target);
    let mut memory = Memory::<f32>::new(2, 200);
    let mut dynamics = setting::dynamics();
    let mut rng = Stream::seeded(1, 1);
    let mut group = c.benchmark_group("step of scheme 1, f32, n = 200");
    group.throughput(Throughput::Elements(STEPS));
    group.bench_function("50 steps", |b| {
        b.iter(|| {
            memory.restart();
            for _ in 0..STEPS {
                black_box(&mut memory).step(&mut dynamics, &mut energy, &mut rng);
            }
        });
    });
}

fn all(c: &mut Criterion) {
    evaluation::<f32, Portable, 1>(c, "f32 d=1 portable");
    evaluation::<f64, Portable, 1>(c, "f64 d=1 portable");
    evaluation::<f32, Portable, 2>(c, "f32 d=2 portable");
    evaluation::<f32, Portable, 5>(c, "f32 d=5 portable (general loop)");
    evaluation::<f32, Libm, 1>(c, "f32 d=1 libm");
    #[cfg(feature = "micromath")]
    evaluation::<f32, birth_death::maths::Micromath, 1>(c, "f32 d=1 micromath");
    step(c);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2));
    targets = all
}
criterion_main!(benches);
