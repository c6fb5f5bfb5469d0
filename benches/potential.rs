//! The hot loop: V, grad V and E of Gaussian units in one pass, per precision, dimension and maths backend.
//!
//! `cargo bench`; divide a time by n^2 for the cost of an ordered pair.

use birth_death::maths::{Libm, Maths, Portable};
use birth_death::models::{GaussianUnits, Mixture};
use birth_death::{
    Dynamics, Energy, Ensemble, Field, Marginal, Prior, ProductPrior, Real, Rows, RowsMut, Stream, Workspace,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// A start with `n` particles in `dim` components: standard normals.
fn start<R: Real>(dim: usize, n: usize) -> Vec<R> {
    let prior = ProductPrior::new(vec![Marginal::Normal { mean: R::ZERO, sd: R::ONE }]).expect("a proper law");
    let mut rng = Stream::seeded(1, 0);
    (0..dim * n)
        .map(|_| {
            let mut x = [R::ZERO];
            prior.draw(&mut rng, &mut x);
            x[0]
        })
        .collect()
}

fn target<R: Real, const D: usize>() -> Mixture<R, D, 3> {
    let mut target = Mixture::new();
    for (weight, centre, variance) in [(1.0, -2.0, 0.5), (-2.0, 0.0, 1.0), (1.0, 2.0, 0.5)] {
        target.push(R::from_f64(weight / 3.0), [R::from_f64(centre); D], R::from_f64(variance)).expect("three fit");
    }
    target
}

fn evaluation<R: Real, M: Maths<R>, const D: usize>(c: &mut Criterion, name: &str) {
    let target = target::<R, D>();
    let mut energy = GaussianUnits::new(R::HALF, target.view()).expect("a valid model").with_maths::<M>();
    let mut group = c.benchmark_group(name);
    for n in [64, 200, 1024] {
        let x = start::<R>(D + 1, n);
        let (mut potential, mut gradient) = (vec![R::ZERO; n], vec![R::ZERO; (D + 1) * n]);
        group.throughput(Throughput::Elements((n * n) as u64));
        group.bench_function(BenchmarkId::from_parameter(n), |b| {
            b.iter(|| {
                let rows = Rows::new(black_box(&x), n, D + 1, n).expect("shape");
                let gradient = RowsMut::new(&mut gradient, n, D + 1, n).expect("shape");
                energy.evaluate(0, rows, Field::new(&mut potential, gradient).expect("shape"))
            });
        });
    }
}

/// A whole step of scheme 1 at n = 200, the paper's size.
fn step(c: &mut Criterion) {
    const N: usize = 200;
    let target = target::<f32, 1>();
    let mut energy = GaussianUnits::new(0.5, target.view()).expect("a valid model");
    let flat = start::<f32>(2, N);
    let mut x = Ensemble::<f32, 2, N>::new();
    for i in 0..N {
        x.push([flat[i], flat[N + i]]).expect("room");
    }
    let mut workspace = Workspace::<f32, 2, N>::new();
    let mut rng = Stream::seeded(1, 1);
    // dt tiny: the state hardly changes while it is measured; alpha such that alpha dt is the paper's 0.05
    let mut dynamics = Dynamics::birth_death(1e-9, 0.05e9).expect("valid parameters");
    c.bench_function("step of scheme 1, f32, n = 200", |b| {
        b.iter(|| dynamics.step(x.rows_mut(), &mut energy, &mut rng, workspace.scratch(N).expect("room")));
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
