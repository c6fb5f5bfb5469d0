//! RAM of every public type, and what each of them is: `Debug`, `Send`, `Sync`, usable in a `static`.

use std::fmt::Debug;

use birth_death::maths::{Libm, Portable};
use birth_death::models::{
    DoubleWell, External, GaussianUnits, Mixture, MixtureRef, Mmd, MmdTarget, Quadratic, Rastrigin,
};
use birth_death::{
    Dissipation, Dynamics, Ensemble, Error, Field, Genealogy, Marginal, NoPrior, ProductPrior, Quantity, Rate, Report,
    ReportLog, Rewind, Rows, RowsMut, Scheme, Scratch, Stream, Workspace,
};

/// A pointer, a `usize`.
const WORD: usize = size_of::<usize>();

/// The size of a type that is `Debug`, `Send` and `Sync`.
fn size<T: Debug + Send + Sync>() -> usize {
    size_of::<T>()
}

/// Rounded up to the alignment of a word.
fn padded(bytes: usize) -> usize {
    bytes.next_multiple_of(WORD)
}

#[test]
fn owned_memory_costs_its_values_and_a_length() {
    // particles: n D values and a length
    assert_eq!(size::<Ensemble<f32, 2, 64>>(), 2 * 64 * 4 + WORD);
    assert_eq!(size::<Ensemble<f64, 3, 100>>(), 3 * 100 * 8 + WORD);
    // a step's scratch: n (D + 1) + D values, 2 n words of 32 bits
    assert_eq!(size::<Workspace<f32, 2, 64>>(), (64 * 3 + 2) * 4 + 2 * 64 * 4);
    assert_eq!(size::<Workspace<f64, 3, 100>>(), (100 * 4 + 3) * 8 + 2 * 100 * 4);
    assert_eq!(size::<Genealogy<[u32; 64]>>(), padded(2 * 64 * 4 + 4) + WORD);
    assert_eq!(size::<Mixture<f64, 2, 3>>(), 3 * (1 + 2 + 1) * 8 + 3 * WORD);
    // a report: step, largest probability, three reals, four counts
    assert_eq!(size::<Report<f32>>(), 48);
    assert_eq!(size::<Report<f64>>(), 56);
    assert_eq!(size::<ReportLog<f64, 10>>(), 10 * 56 + 8 + 3 * WORD);
}

#[test]
fn dynamics_and_generators_are_small() {
    assert_eq!(size::<Stream>(), 32);
    assert_eq!(size::<Rewind<u64>>(), 16);
    // counters of 64 bits, an origin of time, two parameters, tags
    assert_eq!(size::<Dynamics<f32>>(), 48);
    assert_eq!(size::<Dynamics<f64>>(), 56);
    let prior = size::<ProductPrior<[Marginal<f32>; 2]>>();
    assert_eq!(prior, 2 * 12);
    assert!(size::<Dynamics<f32, ProductPrior<[Marginal<f32>; 2]>>>() <= 48 + prior + 8);
    assert_eq!((size::<Marginal<f32>>(), size::<Marginal<f64>>()), (12, 24));
    assert_eq!((size::<NoPrior>(), size::<Scheme>(), size::<Rate>()), (0, 1, 1));
    assert_eq!(size::<Error>(), 48);
    assert_eq!(size::<Quantity>(), 1);
}

#[test]
fn views_and_models_are_a_few_words() {
    assert_eq!(size::<Rows<'_, f64>>(), 5 * WORD);
    assert_eq!(size::<RowsMut<'_, f64>>(), 5 * WORD);
    assert_eq!(size::<Field<'_, f64>>(), 7 * WORD);
    assert_eq!(size::<Scratch<'_, f64>>(), 13 * WORD);
    assert_eq!(size::<MixtureRef<'_, f32>>(), 7 * WORD);
    assert_eq!(size::<MmdTarget<'_, f32>>(), 7 * WORD);
    assert_eq!(size::<GaussianUnits<'_, f32>>(), 7 * WORD + 8);
    assert_eq!(size::<GaussianUnits<'_, f64, Libm>>(), 7 * WORD + 16);
    assert_eq!(size::<Mmd<'_, f32, Portable>>(), 7 * WORD + 8);
    assert_eq!(size::<Quadratic<'_, f32>>(), 2 * WORD);
    assert_eq!(size::<DoubleWell<f64>>(), 8 + WORD);
    assert_eq!(size::<Rastrigin<f64>>(), 8 + WORD);
    assert_eq!(size::<External<fn(f32), 2>>(), WORD);
    assert_eq!(size::<Dissipation<f32>>(), 16);
    assert_eq!((size::<Portable>(), size::<Libm>()), (0, 0));
}

#[test]
fn what_owns_memory_can_stand_in_a_static() {
    static PARTICLES: Ensemble<f32, 2, 16> = Ensemble::new();
    static WORKSPACE: Workspace<f64, 2, 16> = Workspace::new();
    static LOG: ReportLog<f32, 4> = ReportLog::new();
    static TARGET: Mixture<f64, 1, 3> = Mixture::new();
    assert!(PARTICLES.is_empty() && LOG.last().is_none());
    assert_eq!((TARGET.view().dim(), WORKSPACE.clone().scratch(16).map(|scratch| scratch.origin().len())), (1, Ok(16)));
}

#[test]
fn debug_shows_what_is_inside() {
    let mut x = Ensemble::<f32, 2, 3>::new();
    x.push([1.5, -2.5]).expect("room");
    assert!(format!("{x:?}").contains("-2.5"));
    let dynamics = Dynamics::birth_death(0.125, 5.0).expect("dynamics");
    let text = format!("{dynamics:?}");
    assert!(text.contains("BirthDeath") && text.contains("0.125") && text.contains("5.0"), "{text}");
    assert!(format!("{:?}", Error::Extinct { step: 3 }).contains("step: 3"));
}
