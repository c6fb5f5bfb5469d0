//! The models of the canonical runs, with small numbers that both precisions have exactly where that is possible.

use crate::run::{Model, Runner, Stop};
use birth_death::models::{
    Activation, DoubleWell, Examples, Fresh, GaussianUnits, Loss, MiniBatches, Mixture, Mmd, MmdTarget, Network,
    Quadratic, Rastrigin, StudentTeacher,
};
use birth_death::{Error, Real, Rows, Stream};

/// Every model in one precision.
pub(crate) fn all<R: Real>(to: &mut Runner<'_>) -> Result<(), Stop> {
    if cfg!(feature = "particles") {
        external::<R>(to).and_then(|()| kernels::<R>(to))?;
    }
    if cfg!(feature = "networks") {
        networks::<R>(to)?;
    }
    Ok(())
}

/// The constants are the crate's own: what the core refuses of them is a bug here, told like a failed run.
fn built<T>(model: &Model, result: Result<T, Error>) -> Result<T, Stop> {
    use crate::run::{Id, Precision};
    let id = Id { model: (model.number, model.name), scheme: (0, "constructor"), precision: Precision::F64 };
    result.map_err(|error| Stop { id, error })
}

const fn model(number: u64, name: &'static str, dt: f64, alpha: f64) -> Model {
    Model { number, name, dt, alpha }
}

fn external<R: Real>(to: &mut Runner<'_>) -> Result<(), Stop> {
    let curvature = [R::ONE, R::HALF];
    let quadratic = model(0, "quadratic", 0.015625, 8.0);
    to.schemes::<R, 2, 16>(&quadratic, &mut built(&quadratic, Quadratic::new(&curvature))?)?;
    let well = model(1, "double-well", 0.03125, 4.0);
    to.schemes::<R, 2, 24>(&well, &mut built(&well, DoubleWell::new(R::from_f64(0.125), 2))?)?;
    let rastrigin = model(2, "rastrigin", 0.00390625, 8.0);
    to.schemes::<R, 1, 16>(&rastrigin, &mut built(&rastrigin, Rastrigin::new(R::HALF, 1))?)
}

fn kernels<R: Real>(to: &mut Runner<'_>) -> Result<(), Stop> {
    let number = R::from_f64;
    let units = model(3, "gaussian-units", 0.0625, 8.0);
    let mut line = Mixture::<R, 1, 3>::new();
    for (q, y, v) in [(0.5, -1.0, 0.5), (-1.0, 0.0, 1.0), (0.5, 1.0, 0.5)] {
        built(&units, line.push(number(q), [number(y)], number(v)))?;
    }
    to.schemes::<R, 2, 64>(&units, &mut built(&units, GaussianUnits::new(R::HALF, line.view()))?)?;
    // four inputs: the general loop
    let wide = model(4, "gaussian-units-wide", 0.0625, 256.0);
    let mut space = Mixture::<R, 4, 2>::new();
    for (q, y, v) in [(1.0, -0.5, 0.5), (-0.75, 0.25, 1.0)] {
        built(&wide, space.push(number(q), [y, -y, 0.5 * y, 0.0].map(number), number(v)))?;
    }
    to.schemes::<R, 5, 17>(&wide, &mut built(&wide, GaussianUnits::new(R::HALF, space.view()))?)?;
    let sample = model(5, "mmd-sample", 0.125, 8.0);
    let points = [0.5, -0.5, 1.0, -1.25, 0.75, 0.25, -1.0, 0.5].map(number);
    let rows = built(&sample, Rows::new(&points, 4, 2, 4))?;
    to.schemes::<R, 2, 32>(&sample, &mut built(&sample, Mmd::new(R::ONE, MmdTarget::Sample(rows)))?)?;
    let mixture = model(6, "mmd-mixture", 0.125, 8.0);
    let mut plane = Mixture::<R, 3, 2>::new();
    for (q, y) in [(0.25, -1.0), (0.75, 0.5)] {
        built(&mixture, plane.push(number(q), [y, -y, y].map(number), R::HALF))?;
    }
    to.schemes::<R, 3, 16>(&mixture, &mut built(&mixture, Mmd::new(R::ONE, MmdTarget::Mixture(plane.view())))?)
}

/// Examples of y = |x| on nine points, and their classes; an appended 1 is the bias.
const INPUTS: [f64; 18] =
    [-1.0, 1.0, -0.75, 1.0, -0.5, 1.0, -0.25, 1.0, 0.0, 1.0, 0.25, 1.0, 0.5, 1.0, 0.75, 1.0, 1.0, 1.0];
const VALUES: [f64; 9] = [1.0, 0.75, 0.5, 0.25, 0.0, 0.25, 0.5, 0.75, 1.0];
const CLASSES: [f64; 9] = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0];

fn networks<R: Real>(to: &mut Runner<'_>) -> Result<(), Stop> {
    let (inputs, values, classes) = (INPUTS.map(R::from_f64), VALUES.map(R::from_f64), CLASSES.map(R::from_f64));
    let mut scratch = [R::ZERO; 137];

    let relu = model(7, "relu-squared", 0.125, 4.0);
    let data = built(&relu, Examples::new(&inputs, 2, &values, 1))?;
    let network = Network::new(Activation::Relu, Loss::Squared, data, &mut scratch);
    to.schemes::<R, 3, 32>(&relu, &mut built(&relu, network)?)?;

    let tanh = model(8, "tanh-logistic-batches", 0.125, 4.0);
    let data = built(&tanh, Examples::new(&inputs, 2, &classes, 1))?;
    let (mut order, mut batch, mut labels) = ([0; 9], [R::ZERO; 8], [R::ZERO; 4]);
    let batches = built(&tanh, MiniBatches::new(data, &mut order, &mut batch, &mut labels, crate::SEED, 100))?;
    let network = Network::new(Activation::Tanh, Loss::Logistic, batches, &mut scratch);
    let network = network.and_then(|network| network.with_decay(R::from_f64(0.0625)));
    to.schemes::<R, 3, 20>(&tanh, &mut built(&tanh, network)?)?;

    let fresh = model(9, "sigmoid-fresh", 0.125, 4.0);
    let (mut batch, mut targets) = ([R::ZERO; 12], [R::ZERO; 6]);
    // y = x_1 x_2
    let sample = |rng: &mut Stream, x: &mut [R], y: &mut [R]| {
        for (x, y) in x.chunks_exact_mut(2).zip(y) {
            x.iter_mut().for_each(|x| *x = R::uniform(rng));
            *y = x.iter().fold(R::ONE, |product, &x| product * x);
        }
    };
    let source = built(&fresh, Fresh::new(sample, (&mut batch, 2), (&mut targets, 1), (crate::SEED, 101)))?;
    let network = Network::new(Activation::Sigmoid, Loss::Squared, source, &mut scratch);
    let network = network.and_then(|network| network.with_scale(R::ONE + R::ONE));
    to.schemes::<R, 3, 16>(&fresh, &mut built(&fresh, network)?)?;

    let bumps = model(10, "gaussian-squared", 0.125, 16.0);
    let data = built(&bumps, Examples::new(&inputs, 2, &values, 1))?;
    let network = Network::new(Activation::Gaussian, Loss::Squared, data, &mut scratch);
    to.schemes::<R, 3, 16>(&bumps, &mut built(&bumps, network)?)?;

    let student = model(11, "student-teacher", 0.25, 8.0);
    let teacher = [1.0, -0.5, 0.75, -0.25, 0.5, 1.0, -0.5, 0.25].map(R::from_f64);
    let rows = built(&student, Rows::new(&teacher, 2, 4, 2))?;
    to.schemes::<R, 4, 16>(&student, &mut built(&student, StudentTeacher::new(rows))?)
}
