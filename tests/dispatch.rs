//! Every path of the dispatch that this machine has: the bits of the baseline. (The baseline's are those of the
//! definition: unit tests of the models.)
#![cfg(feature = "dispatch")]

mod common;

use birth_death::dispatch::{Path, force, taken};
use birth_death::models::{
    Activation, Examples, GaussianUnits, Loss, MixtureRef, Mmd, MmdTarget, Network, StudentTeacher, network,
};
use birth_death::{Energy, Real, Rows};
use common::Memory;

/// Energy, potentials and gradients, as bits.
fn bits<R: Real>(energy: &mut dyn Energy<R>, n: usize) -> Vec<u64> {
    let mut memory = Memory::<R>::uniform(n, energy.dim(), 1, 5, -1.8, 1.8);
    let value = memory.evaluate(energy, 0).expect("finite");
    [value].iter().chain(&memory.potential).chain(&memory.gradient).map(|x| x.to_f64().to_bits()).collect()
}

fn all<R: Real>() -> Vec<Vec<u64>> {
    let number = |k: usize| R::from_f64(((k * 7919 + 13) % 1009) as f64 / 400.0 - 1.26);
    let mut found = Vec::new();
    for n in [1, 15, 16, 17, 64, 200] {
        for dim in [1, 2, 3, 5] {
            let centres: Vec<R> = (0..3 * dim).map(number).collect();
            let (weights, variances) = ([0.6, -0.8, 0.3].map(R::from_f64), [0.5, 0.7, 1.1].map(R::from_f64));
            let mixture = MixtureRef::new(&weights, &centres, &variances, dim).expect("a mixture");
            found.push(bits(&mut GaussianUnits::new(R::HALF, mixture).expect("units"), n));
            found.push(bits(&mut Mmd::new(R::HALF, MmdTarget::Mixture(mixture)).expect("a discrepancy"), n));
            let teacher: Vec<R> = (0..17 * (dim + 1)).map(number).collect();
            let teacher = Rows::packed(&teacher, dim + 1).expect("17 units");
            found.push(bits(&mut StudentTeacher::new(teacher).expect("a teacher"), n));
        }
        for activation in [Activation::Relu, Activation::Tanh, Activation::Gaussian, Activation::Sigmoid] {
            let (x, y): (Vec<R>, Vec<R>) = ((0..27 * 7).map(number).collect(), (0..27 * 2).map(number).collect());
            let examples = Examples::new(&x, 7, &y, 2).expect("examples");
            let mut scratch = vec![R::ZERO; network::scratch_len(2, 27)];
            found.push(bits(
                &mut Network::new(activation, Loss::Squared, examples, &mut scratch).expect("a network"),
                n,
            ));
        }
    }
    found
}

#[test]
fn every_path_has_the_bits_of_the_baseline() {
    assert!(force(Some(Path::Baseline)));
    let expected = (all::<f32>(), all::<f64>());
    for path in Path::ALL {
        assert_eq!(force(Some(path)), path.available());
        if path.available() {
            assert!((all::<f32>(), all::<f64>()) == expected, "{path:?}");
            assert_eq!(taken(), Some(path));
        }
    }
    assert!(force(None));
    assert!((all::<f32>(), all::<f64>()) == expected);
    assert_eq!(taken(), Path::ALL.into_iter().rfind(|path| path.available()));
}
