//! Networks and the student-teacher loss on hostile data, sizes and parameters, as energies of steps.

use birth_death::models::{
    Activation, DataSource, Examples, Loss, MiniBatches, Network, StudentTeacher, network, network::predict,
};
use birth_death::{Dynamics, Energy, NoPrior, Real, Rows, Stream};

use super::input::Input;
use super::stepping::{Particles, founders, step};

const STEPS: usize = 4;
const ACTIVATIONS: [Activation; 4] = [Activation::Relu, Activation::Tanh, Activation::Gaussian, Activation::Sigmoid];

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.byte();
    match kind & 3 {
        0 => network::<f32>(&mut input, kind),
        1 => network::<f64>(&mut input, kind),
        2 => teacher::<f32>(&mut input),
        _ => teacher::<f64>(&mut input),
    }
}

/// Data of a size that may not fit; what is refused is refused by every constructor in turn.
fn network<R: Real>(input: &mut Input<'_>, kind: u8) {
    let (inputs, outputs, examples) = (input.up_to(4), input.up_to(3), input.up_to(20));
    let missing = usize::from(input.rarely());
    let values: Vec<R> = input.reals((inputs * examples).saturating_sub(missing));
    let targets: Vec<R> = match kind & 4 {
        0 => input.reals(outputs * examples),
        // one class of each example
        _ => (0..examples)
            .flat_map(|p| (0..outputs).map(move |o| if p % outputs == o { R::ONE } else { R::ZERO }))
            .collect(),
    };
    let made = Examples::new(&values, inputs, &targets, outputs);
    let sound = values.iter().chain(&targets).all(|x| x.is_finite());
    assert!(made.is_err() || (sound && inputs * outputs * examples > 0));
    let Ok(data) = made else { return };
    let batch = 1 + input.up_to(7);
    if kind & 8 == 0 {
        return train(input, kind, data);
    }
    let (mut order, mut of_inputs) = (vec![0; data.len()], vec![R::ZERO; inputs * batch]);
    let mut of_targets = vec![R::ZERO; outputs * batch];
    let seed = u64::from(input.byte());
    let made = MiniBatches::new(data, &mut order, &mut of_inputs, &mut of_targets, seed, 0);
    assert_eq!(made.is_ok(), batch <= examples);
    if let Ok(batches) = made {
        train(input, kind, batches);
    }
}

fn train<R: Real, S: DataSource<R>>(input: &mut Input<'_>, kind: u8, source: S) {
    let (inputs, outputs, largest) = (source.input_dim(), source.target_dim(), source.largest());
    let needed = network::scratch_len(outputs, largest);
    let short = usize::from(input.rarely());
    let mut scratch = vec![R::from_f64(f64::NAN); needed - short];
    let activation = ACTIVATIONS[usize::from(kind >> 4) & 3];
    let loss = if kind & 64 == 0 { Loss::Squared } else { Loss::Logistic };
    let made = Network::new(activation, loss, source, &mut scratch);
    assert_eq!(made.is_ok(), short == 0);
    let Ok(network) = made else { return };
    let (scale, decay): (R, R) = (input.real(), input.real());
    let Ok(network) = network.with_scale(scale).and_then(|network| network.with_decay(decay)) else { return };
    assert!(scale.is_finite() && scale > R::ZERO && decay.is_finite() && decay >= R::ZERO);
    let units = simulate(input, network);
    // an output for any input is a number or overflows; sizes that do not fit are refused
    let given = inputs + usize::from(input.rarely());
    let (x, mut y) = (input.reals::<R>(given), vec![R::ZERO; outputs]);
    let rows = Rows::new(&units.values, units.stride, units.dim, units.len).expect("of this shape");
    let done = predict(activation, scale, rows, &x, &mut y);
    assert_eq!(done.is_ok(), x.len() == inputs);
}

fn teacher<R: Real>(input: &mut Input<'_>) {
    let (units, dim) = (input.up_to(4), 1 + input.up_to(4));
    let rows: Vec<R> = input.reals(units * dim);
    let rows = Rows::new(&rows, units, dim, units).expect("of this shape");
    let made = StudentTeacher::new(rows);
    if let Ok(energy) = &made {
        assert!(units > 0 && dim > 1 && rows.iter().flatten().all(|x| x.is_finite()));
        assert!(energy.constant().is_finite());
    }
    if let Ok(energy) = made.and_then(|energy| energy.with_scale(input.real())) {
        simulate(input, energy);
    }
}

/// Some steps of birth-death or gradient flow from a hostile start.
fn simulate<R: Real>(input: &mut Input<'_>, mut energy: impl Energy<R>) -> Particles<R> {
    let (n, dim) = (1 + input.up_to(39), energy.dim());
    let mut x = Particles::new(&input.reals::<R>(n * dim), dim, n, input.up_to(1));
    let (dt, alpha) = (input.parameter(), input.parameter());
    let mut dynamics: Dynamics<R, NoPrior> = Dynamics::birth_death(dt, alpha).expect("finite and not negative");
    let (mut rng, mut ancestors) = (Stream::seeded(1, 0), founders(n));
    for _ in 0..STEPS {
        if step(&mut x, &mut dynamics, &mut energy, &mut rng, &mut ancestors).is_err() {
            break;
        }
    }
    x
}
