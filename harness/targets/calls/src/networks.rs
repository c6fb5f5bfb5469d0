//! Networks on data.

use crate::dynamics::schemes;
use crate::{N, number, same, seen};
use birth_death::models::{
    Activation, DataSource, Examples, Fresh, Loss, MiniBatches, Network, network, network::predict,
};
use birth_death::{Error, Real, Rows, Stream};
use core::hint::black_box as hide;

const SCRATCH: usize = 2 * (5 + 128);

/// Units of `I = D - 1` inputs and an output; and with an output more if that leaves an input.
pub(crate) fn all<R: Real, const D: usize, const I: usize>() -> Result<bool, Error> {
    let mut fall = outputs::<R, D>(hide(I), hide(1))?;
    if I > 1 {
        fall &= outputs::<R, D>(hide(I.saturating_sub(1)), hide(2))?;
    }
    Ok(fall)
}

fn outputs<R: Real, const D: usize>(inputs: usize, outputs: usize) -> Result<bool, Error> {
    let x: [R; 30] =
        core::array::from_fn(|i| number::<R>(0.5) - R::from_count(u32::try_from(i % 7).unwrap_or(0)) * number(0.1));
    // halves sum to one: classes, if there are two of them
    let y = [number::<R>(0.5); 10];
    let x = x.get(..inputs.saturating_mul(5)).unwrap_or(&[]);
    let y = y.get(..outputs.saturating_mul(5)).unwrap_or(&[]);
    let examples = Examples::new(hide(x), hide(inputs), hide(y), hide(outputs))?;
    same(&examples);
    seen((examples.len(), examples.is_empty(), examples.input_dim(), examples.target_dim()));
    seen((examples.input(hide(1)), examples.target(hide(1))));
    source(&mut examples.clone())?;

    let mut order = [0; 5];
    let (mut some_inputs, mut some_targets) = ([R::ZERO; 12], [R::ZERO; 4]);
    let (mut fresh_inputs, mut fresh_targets) = ([R::ZERO; 12], [R::ZERO; 4]);
    let two = |dim: usize| ..dim.saturating_mul(2);
    let some_inputs = some_inputs.get_mut(two(inputs)).unwrap_or(&mut []);
    let some_targets = some_targets.get_mut(two(outputs)).unwrap_or(&mut []);
    let fresh_inputs = fresh_inputs.get_mut(two(inputs)).unwrap_or(&mut []);
    let fresh_targets = fresh_targets.get_mut(two(outputs)).unwrap_or(&mut []);
    let mut batches =
        MiniBatches::new(examples, hide(&mut order), hide(some_inputs), hide(some_targets), hide(1), hide(0))?;
    seen(batches.steps_per_epoch());
    source(&mut batches)?;
    let sample = |rng: &mut Stream, x: &mut [R], y: &mut [R]| {
        x.iter_mut().for_each(|x| *x = R::uniform(rng));
        y.fill(R::HALF);
    };
    let mut fresh =
        Fresh::new(sample, (hide(fresh_inputs), inputs), (hide(fresh_targets), outputs), (hide(1), hide(0)))?;
    source(&mut fresh)?;

    let mut fall = true;
    for activation in [Activation::Relu, Activation::Tanh, Activation::Gaussian, Activation::Sigmoid].map(hide) {
        same(&activation);
        seen((activation.value::<R>(number(0.5)), activation.slope::<R>(number(0.5))));
        for loss in [Loss::Squared, Loss::Logistic].map(hide) {
            same(&loss);
            fall &= network::<R, D, _>(activation, loss, examples)?;
            // the energies of different batches need not fall
            network::<R, D, _>(activation, loss, &mut batches)?;
            network::<R, D, _>(activation, loss, &mut fresh)?;
        }
        let units = [number::<R>(0.5); 7 * N];
        let at = Rows::new(hide(&units[..]), hide(N), hide(D), hide(N))?;
        let mut output = [R::ZERO; 2];
        let output = output.get_mut(..outputs).unwrap_or(&mut []);
        predict(activation, number(1.0), at, hide(x.get(..inputs).unwrap_or(&[])), hide(output))?;
    }
    Ok(fall)
}

fn source<R: Real, S: DataSource<R>>(mut source: S) -> Result<(), Error> {
    seen((source.input_dim(), source.target_dim(), source.largest(), source.examples(hide(3))?.len()));
    Ok(())
}

fn network<R: Real, const D: usize, S: DataSource<R>>(
    activation: Activation,
    loss: Loss,
    source: S,
) -> Result<bool, Error> {
    let mut scratch = [R::ZERO; SCRATCH];
    let outputs = source.target_dim();
    seen(network::scratch_len(hide(outputs), hide(5)));
    let network = Network::new(activation, loss, source, hide(&mut scratch[..]))?;
    let mut network = network.with_scale(number(1.0))?.with_decay(number(0.01))?;
    seen(network.source().largest());
    schemes::<R, D>(&mut network)
}
