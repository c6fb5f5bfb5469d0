//! Every error is reached, says what it should, and leaves ensemble, dynamics and generator as they were.

mod common;

use birth_death::models::{External, GaussianUnits, MixtureRef, Mmd, MmdTarget, Quadratic, Rastrigin};
use birth_death::{
    Dynamics, Energy, Ensemble, Error, Fault, Field, Genealogy, Generator, MAX_PARTICLES, Marginal, Prior,
    ProductPrior, Quantity, Rate, Real, Rows, RowsMut, Scheme, Scratch, Stream, Workspace,
};
use common::{Constant, Memory};
use rand_core::Rng;

/// A step that must fail, on a generator in use; nothing may have changed, and a further step repeats the error.
fn refuses<R: Real, P: Prior<R> + core::fmt::Debug>(
    dynamics: Dynamics<R, P>,
    memory: &Memory<R>,
    energy: &mut (impl Energy<R> + ?Sized),
) -> Error {
    let (mut dynamics, mut memory) = (dynamics, memory.clone());
    let mut rng = Stream::seeded(3, 1);
    // a mark that is not where the step will begin
    rng.mark();
    rng.next_u32();
    // the dynamics as text: a prior that holds a NaN does not equal itself
    let before = (memory.bits(), format!("{dynamics:?}"), rng.clone());
    let error = memory.step(&mut dynamics, energy, &mut rng).expect_err("the step must fail");
    assert_eq!((memory.bits(), format!("{dynamics:?}"), rng.clone()), before, "{error}");
    assert_eq!(memory.step(&mut dynamics, energy, &mut rng), Err(error), "it repeats itself");
    assert_eq!((memory.bits(), format!("{dynamics:?}"), rng), before);
    error
}

/// Scheme 1 with raw rates.
fn raw(dt: f64, alpha: f64) -> Dynamics<f64> {
    Dynamics::birth_death(dt, alpha).and_then(|d| d.with_rate(Rate::Raw)).expect("dynamics")
}

fn particles(values: &[f64]) -> Memory<f64> {
    Memory::new(&[values.to_vec()], 3)
}

/// V = F(x) with slope 0.
fn flat(f: impl Fn(f64) -> f64) -> impl Energy<f64> {
    External(move |[x]: [f64; 1]| (f(x), [0.0]))
}

/// An energy that does as it is told.
struct Hostile {
    potential: f64,
    gradient: f64,
    energy: Result<f64, Error>,
}

impl Energy<f64> for Hostile {
    fn dim(&self) -> usize {
        1
    }
    fn evaluate(&mut self, _step: u64, at: Rows<'_, f64>, mut out: Field<'_, f64>) -> Result<f64, Error> {
        out.check(1, at)?;
        let (potential, mut gradient) = out.parts_mut();
        potential.fill(0.5);
        gradient.row_mut(0).fill(0.5);
        if let (Some(v), Some(g)) = (potential.last_mut(), gradient.row_mut(0).last_mut()) {
            (*v, *g) = (self.potential, self.gradient);
        }
        self.energy
    }
}

const CALM: Hostile = Hostile { potential: 0.5, gradient: 0.5, energy: Ok(1.0) };
const SPOILT: Hostile = Hostile { energy: Ok(f64::NAN), ..CALM };

fn not_finite(quantity: Quantity, particle: impl Into<Option<u32>>) -> Error {
    Error::NotFinite { quantity, particle: particle.into() }
}

#[test]
fn hostile_energies_are_refused_in_every_scheme() {
    let memory = particles(&[1.0, 2.0, 3.0]);
    let prior = ProductPrior::new([Marginal::Constant(1.0)]).expect("a proper law");
    let everywhere = |energy: fn() -> Hostile, expected: Error| {
        assert_eq!(refuses(Dynamics::gradient_flow(0.1).expect("dynamics"), &memory, &mut energy()), expected);
        assert_eq!(refuses(raw(0.1, 2.0), &memory, &mut energy()), expected);
        assert_eq!(refuses(Dynamics::birth_death(0.1, 2.0).expect("dynamics"), &memory, &mut energy()), expected);
        assert_eq!(
            refuses(Dynamics::reinjection(0.1, 2.0, prior).expect("dynamics"), &memory, &mut energy()),
            expected
        );
        let mut energy = energy();
        let energy: &mut dyn Energy<f64> = &mut energy;
        assert_eq!(refuses(raw(0.1, 2.0), &memory, energy), expected);
    };
    everywhere(|| Hostile { energy: Ok(f64::NAN), ..CALM }, not_finite(Quantity::Energy, None));
    everywhere(|| Hostile { energy: Ok(f64::NEG_INFINITY), ..CALM }, not_finite(Quantity::Energy, None));
    everywhere(|| Hostile { potential: f64::NAN, ..CALM }, not_finite(Quantity::Potential, 2));
    everywhere(|| Hostile { potential: f64::INFINITY, ..CALM }, not_finite(Quantity::Potential, 2));
    everywhere(|| Hostile { gradient: f64::NAN, ..CALM }, not_finite(Quantity::Gradient, 2));
    everywhere(|| Hostile { gradient: f64::NEG_INFINITY, ..CALM }, not_finite(Quantity::Gradient, 2));
    everywhere(|| Hostile { energy: Err(Error::Energy { code: -7 }), ..CALM }, Error::Energy { code: -7 });
    // an energy that is spoilt by a particle is no reason to keep silent about the particle
    everywhere(|| Hostile { potential: f64::NAN, ..SPOILT }, not_finite(Quantity::Potential, 2));
    everywhere(|| Hostile { gradient: f64::INFINITY, ..SPOILT }, not_finite(Quantity::Gradient, 2));
    everywhere(|| Hostile { gradient: f64::MAX, ..SPOILT }, not_finite(Quantity::Energy, None));
    let mut far = Hostile { gradient: f64::MAX, ..SPOILT };
    assert_eq!(refuses(raw(10.0, 2.0), &memory, &mut far), not_finite(Quantity::Transport, 2));
}

/// Least squares of a line `a + b t` at t = 273..=373, not scaled: E = <(a + b t - y)^2> / 2, whose curvature is about
/// 1e5.
fn line_fit() -> impl Energy<f64> {
    External(|[a, b]: [f64; 2]| {
        let (mut v, mut slopes) = (0.0, [0.0; 2]);
        for t in (273..=373).map(f64::from) {
            let residual = a + b * t - (0.4 * t + 3.0);
            v += residual * residual / 202.0;
            slopes = [slopes[0] + residual / 101.0, slopes[1] + residual * t / 101.0];
        }
        (v, slopes)
    })
}

#[test]
fn a_divergence_is_told_to_lower_dt_before_anything_else() {
    let start = || Memory::<f64>::uniform(6, 2, 0, 7, -1.0, 1.0);
    let run = |dt: f64| {
        let (mut memory, mut rng) = (start(), Stream::seeded(1, 0));
        let mut dynamics = Dynamics::birth_death(dt, 0.0).expect("dynamics");
        let mut energies: Vec<f64> = Vec::new();
        for _ in 0..2000 {
            match memory.step(&mut dynamics, &mut line_fit(), &mut rng) {
                Ok(report) => energies.push(report.energy),
                Err(error) => return (energies, Some(error)),
            }
        }
        (energies, None)
    };
    let (energies, error) = run(3e-5);
    assert!(energies.len() > 100 && energies.windows(2).all(|pair| pair[1] > pair[0]), "E rises from the start");
    let error = error.expect("it diverges");
    assert!(matches!(error, Error::NotFinite { particle: Some(_), .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("if E has been rising, lower dt"), "{text}");
    // and that is the way out
    let (energies, error) = run(1e-5);
    assert!(error.is_none() && energies.windows(2).all(|pair| pair[1] <= pair[0]));
}

#[test]
fn a_mean_potential_that_overflows_is_refused() {
    struct Huge;
    impl Energy<f64> for Huge {
        fn dim(&self) -> usize {
            1
        }
        fn evaluate(&mut self, _: u64, _: Rows<'_, f64>, mut out: Field<'_, f64>) -> Result<f64, Error> {
            let (potential, mut gradient) = out.parts_mut();
            potential.fill(f64::MAX);
            gradient.row_mut(0).fill(0.0);
            Ok(0.0)
        }
    }
    // 17 particles: two in the first of the sum's sixteen lanes; two: added in the tree
    for n in [2, 17] {
        let memory = particles(&vec![1.0; n]);
        assert_eq!(refuses(raw(0.1, 1.0), &memory, &mut Huge), not_finite(Quantity::Potential, None));
    }
    // one alone is finite, and dies for certain
    assert_eq!(refuses(raw(0.1, 1.0), &particles(&[1.0]), &mut Huge), Error::Extinct { step: 0 });
}

#[test]
fn huge_numbers_are_events_for_certain_or_errors_and_never_panics() {
    for (dt, alpha) in [(f64::MAX, f64::MAX), (f64::MAX, 0.0), (0.0, f64::MAX), (1e300, 1e300), (5e-324, 1e308)] {
        for scale in [0.0, 5e-324, 1.0, 1e300, -1e300] {
            let mut energy = flat(|x| x * scale);
            let mut memory = particles(&[1.0, -1.0, 0.25]);
            let mut dynamics = Dynamics::birth_death(dt, alpha).expect("dynamics");
            let report = memory.step(&mut dynamics, &mut energy, &mut Stream::seeded(1, 0)).expect("no slope: no move");
            assert!((0.0..=1.0).contains(&report.largest_probability));
            if dt == 0.0 || alpha == 0.0 || scale == 0.0 {
                assert_eq!((report.births, report.deaths, report.largest_probability), (0, 0, 0.0));
            }
        }
    }
    // Vbar is -MAX/4, and V - Vbar overflows: the rate is infinite, the event certain
    let mut energy = External(|[x]: [f32; 1]| (x, [0.0]));
    let mut memory = Memory::new(&[vec![f32::MAX, f32::MIN, f32::MIN, 0.0]], 0);
    let mut dynamics = Dynamics::birth_death(1.0f32, 1e-3).expect("dynamics");
    let report = memory.step(&mut dynamics, &mut energy, &mut Constant(u32::MAX)).expect("a step");
    assert_eq!((report.deaths, report.births, report.largest_probability), (2, 2, 1.0));
}

#[test]
fn positions_that_are_not_finite_or_become_so_are_refused() {
    let mut energy = Quadratic::new(&[1.0]).expect("a model");
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(
            refuses(raw(0.1, 1.0), &particles(&[0.0, bad, bad]), &mut energy),
            not_finite(Quantity::Position, 1)
        );
    }
    // 1e200 - dt 1e200 with dt = 1e200; the next one names the first in slot order, whichever its component
    let memory = particles(&[0.0, 1e100, 1e110]);
    let mut own = External(|[x]: [f64; 1]| (0.0, [x]));
    assert_eq!(refuses(raw(1e199, 0.0), &memory, &mut own), not_finite(Quantity::Transport, 2));
    assert_eq!(refuses(raw(1e250, 0.0), &memory, &mut own), not_finite(Quantity::Transport, 1));
    let two = Memory::new(&[vec![0.0, 0.0, 1.0], vec![0.0, 1.0, 0.0]], 0);
    let mut steep = External(|[x, y]: [f64; 2]| (0.0, [x * f64::MAX, y * f64::MAX]));
    assert_eq!(refuses(raw(10.0, 0.0), &two, &mut steep), not_finite(Quantity::Transport, 1));
    // without transport nothing moves, so nothing overflows
    let mut still = raw(1e250, 0.0).without_transport();
    assert!(memory.clone().step(&mut still, &mut own, &mut Stream::seeded(1, 0)).is_ok());
    // one particle's potential overflows, and E with it
    assert_eq!(refuses(raw(0.1, 1.0), &particles(&[0.0, 1e200]), &mut energy), not_finite(Quantity::Potential, 1));
    let mut rastrigin = Rastrigin::new(f64::MAX, 1).expect("a model");
    assert_eq!(refuses(raw(0.1, 1.0), &particles(&[0.0, 0.5]), &mut rastrigin), not_finite(Quantity::Potential, 1));
}

/// A prior that draws good particles, then a bad one.
#[derive(Debug)]
struct Failing {
    value: f64,
}

impl Prior<f64> for Failing {
    fn dim(&self) -> usize {
        1
    }
    fn draw(&self, rng: &mut dyn Rng, particle: &mut [f64]) {
        let word = rng.next_u32();
        particle[0] = if word.is_multiple_of(3) { self.value } else { 1.0 };
    }
}

#[test]
fn a_prior_that_draws_what_is_not_finite_is_refused() {
    let memory = particles(&[1.0; 12]);
    for value in [f64::NAN, f64::INFINITY] {
        let dynamics = Dynamics::reinjection(0.1, 1e9, Failing { value }).expect("dynamics");
        let error = refuses(dynamics, &memory, &mut flat(|x| x));
        assert!(matches!(error, Error::NotFinite { quantity: Quantity::PriorDraw, particle: Some(_) }), "{error}");
    }
    // a proper law whose draw overflows: mean + sd z; both uniforms 0 give z = 0, all ones a large one
    let law = Marginal::Normal { mean: f64::MAX, sd: f64::MAX };
    let prior = ProductPrior::new([law]).expect("a proper law");
    let dynamics = Dynamics::reinjection(0.1, 1e9, prior).expect("dynamics");
    let error = refuses(dynamics, &memory, &mut flat(|x| x));
    assert!(matches!(error, Error::NotFinite { quantity: Quantity::PriorDraw, .. }), "{error}");
}

#[test]
fn extinction_is_an_error_of_scheme_1_with_raw_rates() {
    for n in [1, 2, 20] {
        let memory = particles(&vec![1.0; n]);
        assert_eq!(refuses(raw(0.1, 1e9), &memory, &mut flat(|x| x)), Error::Extinct { step: 0 });
        assert_eq!(refuses(raw(f64::MAX, f64::MAX), &memory, &mut flat(|x| x)), Error::Extinct { step: 0 });
        // centred: equal potentials are no reason to die, whatever is rounded (tests/step_properties.rs)
        let mut centred = Dynamics::birth_death(0.1, 1e9).expect("dynamics");
        let report = memory.clone().step(&mut centred, &mut flat(|x| x), &mut Stream::seeded(1, 0)).expect("a step");
        assert_eq!(report.deaths, 0);
        // scheme 2 draws everybody anew
        let prior = ProductPrior::new([Marginal::Constant(2.0)]).expect("a proper law");
        let mut dynamics = Dynamics::reinjection(0.1, 1e9, prior).expect("dynamics");
        let mut memory = memory;
        let report = memory.step(&mut dynamics, &mut flat(|x| x), &mut Stream::seeded(1, 0)).expect("a step");
        assert_eq!((report.added as usize, memory.rows().row(0)), (n, &vec![2.0; n][..]));
    }
    // the step that failed is named, and lowering alpha is the way out
    let mut memory = particles(&[1.0, 1.0]);
    let mut dynamics = raw(0.1, 0.0);
    let mut rng = Stream::seeded(1, 0);
    for _ in 0..3 {
        memory.step(&mut dynamics, &mut flat(|x| x), &mut rng).expect("nothing happens");
    }
    dynamics.set_alpha(1e9).expect("valid");
    assert_eq!(memory.step(&mut dynamics, &mut flat(|x| x), &mut rng), Err(Error::Extinct { step: 3 }));
    dynamics.set_alpha(0.0).expect("valid");
    assert_eq!(memory.step(&mut dynamics, &mut flat(|x| x), &mut rng).map(|report| report.step), Ok(3));
}

#[test]
fn nobody_is_an_error() {
    let mut energy = Quadratic::new(&[1.0]).expect("a model");
    assert_eq!(refuses(raw(0.1, 1.0), &particles(&[]), &mut energy), Error::Empty);
    let empty = Rows::<f64>::new(&[], 0, 1, 0).expect("an empty view");
    assert_eq!(Mmd::new(1.0, MmdTarget::Sample(empty)).err(), Some(Error::Empty));
}

#[test]
fn shapes_that_do_not_agree_are_refused_everywhere() {
    let mismatch = |what, expected, found| Error::Mismatch { what, expected, found };
    let memory = particles(&[1.0, 2.0]);
    let mut flat_energy = Quadratic::new(&[1.0, 2.0]).expect("a model");
    assert_eq!(refuses(raw(0.1, 1.0), &memory, &mut flat_energy), mismatch("dimension of the ensemble", 2, 1));
    for prior_dim in [0usize, 1, 3] {
        let laws = vec![Marginal::Constant(0.0); prior_dim];
        let Ok(prior) = ProductPrior::new(laws) else {
            assert_eq!(
                ProductPrior::<[Marginal<f64>; 0]>::new([]).err(),
                Some(Error::Zero { what: "dimension of the prior" })
            );
            continue;
        };
        let memory = Memory::new(&[vec![1.0], vec![1.0]], 0);
        // whether or not it would be drawn from
        let dynamics = Dynamics::reinjection(0.1, 0.0, prior).expect("dynamics").with_quench_from(0);
        let error = refuses(dynamics, &memory, &mut flat_energy);
        assert_eq!(error, mismatch("dimension of the prior", 2, prior_dim));
    }
    // ensemble and scratch
    let mut dynamics = raw(0.1, 1.0);
    let mut rng = Stream::seeded(1, 0);
    for (field_dim, field_len, what, expected, found) in [
        (1, 2, "dimension of the field", 2, 1),
        (2, 1, "particles that the workspace is for", 2, 1),
        (2, 3, "particles that the workspace is for", 2, 3),
    ] {
        let (mut v, mut g) = (vec![0.0; field_len], vec![0.0; field_dim * field_len]);
        let (mut c, mut o, mut p) = (vec![0; field_len], vec![0; field_len], vec![0.0; field_dim]);
        let gradient = RowsMut::new(&mut g, field_len, field_dim, field_len).expect("shape");
        let field = Field::new(&mut v, gradient).expect("shape");
        let mut scratch = Scratch::new(field, &mut c, &mut o, &mut p).expect("shape");
        let mut data = [1.0, 2.0, 3.0, 4.0];
        let mut x = RowsMut::new(&mut data, 2, 2, 2).expect("shape");
        let error = dynamics.step(&mut x, &mut flat_energy, &mut rng, &mut scratch).expect_err("shapes differ");
        assert_eq!(error, mismatch(what, expected, found));
        assert_eq!((data, dynamics.steps()), ([1.0, 2.0, 3.0, 4.0], 0));
    }
    // constructors
    let field = |n: usize, m: usize| {
        let (mut v, mut g) = (vec![0.0f32; n], vec![0.0; m]);
        Field::new(&mut v, RowsMut::new(&mut g, m, 1, m).expect("shape")).map(|_| ()).err()
    };
    assert_eq!((field(2, 2), field(3, 2)), (None, Some(mismatch("potential", 2, 3))));
    let scratch = |copies: usize, origin: usize, particle: usize| {
        let (mut v, mut g, mut p) = ([0.0f32; 2], [0.0; 2], vec![0.0; particle]);
        let field = Field::new(&mut v, RowsMut::new(&mut g, 2, 1, 2).expect("shape")).expect("shape");
        Scratch::new(field, &mut vec![0; copies], &mut vec![0; origin], &mut p).map(|_| ()).err()
    };
    assert_eq!(scratch(2, 2, 1), None);
    assert_eq!(scratch(3, 2, 1), Some(mismatch("copies in the workspace", 2, 3)));
    assert_eq!(scratch(2, 1, 1), Some(mismatch("origins in the workspace", 2, 1)));
    assert_eq!(scratch(2, 2, 2), Some(mismatch("particle in the workspace", 1, 2)));
    assert_eq!(MixtureRef::new(&[1.0], &[1.0], &[], 1).err(), Some(mismatch("variances of the mixture", 1, 0)));
    assert_eq!(MixtureRef::new(&[1.0], &[1.0], &[1.0], 2).err(), Some(mismatch("centres of the mixture", 2, 1)));
    assert_eq!(Genealogy::new([0; 2], [0; 2]).map(|_| ()), Ok(()));
    let (family, mut size) = (&mut [0; 2][..], [0; 3]);
    assert_eq!(Genealogy::new(family, &mut size[..]).err(), Some(mismatch("family sizes", 2, 3)));
    let mut genealogy = Genealogy::new([0; 2], [0; 2]).expect("equal lengths");
    assert_eq!(genealogy.update(&[0]), Err(mismatch("origins", 2, 1)));
    for (origins, bad) in [([0, 5], 5.0), ([1, 0], 1.0)] {
        let accepted = "FRESH, or a slot that is its own origin";
        assert_eq!(genealogy.update(&origins), Err(Error::Parameter { name: "origin", value: bad, accepted }));
    }
}

#[test]
fn zero_sizes_and_capacities_are_refused_by_name() {
    assert_eq!(Rows::<f64>::new(&[], 0, 0, 0).err(), Some(Error::Zero { what: "dimension" }));
    assert_eq!(RowsMut::<f64>::new(&mut [], 0, 0, 0).err(), Some(Error::Zero { what: "dimension" }));
    assert_eq!(MixtureRef::<f64>::new(&[], &[], &[], 0).err(), Some(Error::Zero { what: "dimension of the mixture" }));
    assert_eq!(Quadratic::<f64>::new(&[]).err(), Some(Error::Zero { what: "number of curvatures" }));
    assert_eq!(Rastrigin::new(1.0, 0).err(), Some(Error::Zero { what: "dimension" }));
    let capacity = |what, capacity, requested| Error::Capacity { what, capacity, requested };
    let data = [0.0f32; 4];
    assert_eq!(Rows::new(&data, 2, 1, 3).err(), Some(capacity("particles in a row", 2, 3)));
    assert_eq!(Rows::new(&data, 2, 3, 1).err(), Some(capacity("values in the rows' memory", 4, 5)));
    let beyond = MAX_PARTICLES + 1;
    assert_eq!(Rows::new(&data, beyond, 1, beyond).err(), Some(capacity("particles", MAX_PARTICLES, beyond)));
    // as many as that are too many for this memory only
    let most = MAX_PARTICLES;
    assert_eq!(Rows::new(&data, most, 1, most).err(), Some(capacity("values in the rows' memory", 4, most)));
    assert_eq!(2 * most as u64 + 2, 1 << 32, "two of each are counted by 32 bits, and FRESH is no slot");
    let mut x = Ensemble::<f32, 1, 1>::new();
    x.push([1.0]).expect("room");
    let before = x.clone();
    assert_eq!(x.push([2.0]).err(), Some(capacity("particles", 1, 2)));
    assert_eq!(x.push([f32::NAN]).err(), Some(capacity("particles", 1, 2)));
    assert_eq!(x, before);
    let mut workspace = Workspace::<f32, 1, 2>::new();
    assert_eq!(workspace.scratch(3).err(), Some(capacity("particles in the workspace", 2, 3)));
    assert_eq!(Ensemble::<f32, 1, 1>::new().push([f32::NAN]), Err(not_finite(Quantity::Position, 0)));
}

#[test]
fn parameters_are_refused_by_name_value_and_range_and_nothing_changes() {
    let refused = |error: Option<Error>, field: &str, value: f64, accepted: &str| {
        let error = error.expect("refused");
        let text = error.to_string();
        assert!(text.contains(field) && text.contains(&format!("{value:?}")) && text.contains(accepted), "{text}");
        let Error::Parameter { value: found, .. } = error else { panic!("{error:?}") };
        assert_eq!(found.to_bits(), value.to_bits());
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -5e-324] {
        refused(Dynamics::gradient_flow(bad).err(), "dt", bad, "finite number >= 0");
        refused(Dynamics::birth_death(0.1, bad).err(), "alpha", bad, "finite number >= 0");
        refused(Dynamics::birth_death(bad, 0.1).err(), "dt", bad, "finite number >= 0");
        let mut dynamics = raw(0.1, 0.2);
        let before = dynamics.clone();
        refused(dynamics.set_dt(bad).err(), "dt", bad, "finite number >= 0");
        refused(dynamics.set_alpha(bad).err(), "alpha", bad, "finite number >= 0");
        assert_eq!(dynamics, before);
        let law = Marginal::Normal { mean: 0.0, sd: bad };
        refused(law.check().err(), "sd", bad, "finite number >= 0");
        let nothing = MixtureRef::new(&[], &[], &[], 1).expect("a mixture");
        refused(GaussianUnits::new(bad, nothing).err(), "unit_variance", bad, "finite number > 0");
        refused(Mmd::new(bad, MmdTarget::Mixture(nothing)).err(), "bandwidth", bad, "finite number > 0");
        refused(MixtureRef::new(&[1.0], &[0.0], &[bad], 1).err(), "variance", bad, "finite number > 0");
    }
    // zero, and what squares to zero, are refused for what they are, not for what would come of them
    let nothing = MixtureRef::new(&[], &[], &[], 1).expect("a mixture");
    refused(GaussianUnits::new(0.0, nothing).err(), "unit_variance", 0.0, "finite number > 0");
    for bad in [0.0, 1e-200, 1e200] {
        refused(
            Mmd::new(bad, MmdTarget::Mixture(nothing)).err(),
            "bandwidth",
            bad,
            "whose square has a finite inverse",
        );
    }
    refused(
        GaussianUnits::new(1e200, MixtureRef::new(&[], &[], &[], 9).expect("a mixture")).err(),
        "normaliser",
        0.0,
        "finite",
    );
    let steep = MixtureRef::new(&[1e200], &[0.0], &[1.0], 1).expect("a mixture");
    refused(GaussianUnits::new(1.0, steep).err(), "E0", f64::INFINITY, "finite");
    refused(Mmd::new(1.0, MmdTarget::Mixture(steep)).err(), "E0", f64::INFINITY, "finite");
    refused(Marginal::Uniform { low: 1.0, high: 0.5 }.check().err(), "high", 0.5, ">= low");
    let point = [f64::NAN];
    let sample = MmdTarget::Sample(Rows::new(&point, 1, 1, 1).expect("a point"));
    assert_eq!(Mmd::new(1.0, sample).err(), Some(not_finite(Quantity::Position, 0)));
    // -0 is a zero
    assert_eq!(Dynamics::birth_death(-0.0, -0.0).map(|d| d.alpha()), Ok(0.0));
}

#[test]
fn schemes_refuse_what_does_not_suit_them() {
    let prior = ProductPrior::new([Marginal::Constant(1.0)]).expect("a proper law");
    let scheme_2 = Dynamics::reinjection(0.1, 1.0, prior).expect("dynamics");
    assert_eq!((scheme_2.rate(), scheme_2.with_rate(Rate::Centred)), (Rate::Raw, Err(Error::CentredReinjection)));
    let alpha = Error::AlphaWithoutEvents { alpha: 0.5 };
    assert_eq!(Dynamics::<f64>::new(Scheme::GradientFlow, 0.1, 0.5), Err(alpha));
    let mut flow = Dynamics::gradient_flow(0.1).expect("dynamics");
    let before = flow.clone();
    assert_eq!(flow.set_alpha(0.5), Err(alpha));
    assert_eq!((flow.clone(), flow.set_alpha(0.0)), (before, Ok(())));
}

#[test]
fn messages_name_the_place_the_value_and_what_is_accepted() {
    let says = |error: Error, text: &str| assert_eq!(error.to_string(), text);
    says(Error::Empty, "there is no particle; at least one is needed");
    says(Error::Zero { what: "dimension" }, "dimension is zero; at least one is needed");
    says(Error::Mismatch { what: "origins", expected: 3, found: 2 }, "origins: expected size 3, found 2");
    says(Error::Capacity { what: "particles", capacity: 3, requested: 4 }, "particles: at most 3 fit, 4 asked for");
    says(
        Error::Parameter { name: "dt", value: f64::NAN, accepted: "a finite number >= 0" },
        "dt = NaN refused; accepted: a finite number >= 0",
    );
    let of_one =
        "if E has been rising, lower dt; else look at the energy's code at this point, then at the particle itself";
    let of_all = "if E has been rising, lower dt; else look at the energy's code for a sum that overflows";
    let data = ("look at the data that it came from", "look at the data that it came from");
    let prior = ("look at the prior's parameters", "look at the prior's parameters");
    for (quantity, name, (one, all)) in [
        (Quantity::Position, "position", data),
        (Quantity::Energy, "energy", (of_one, of_all)),
        (Quantity::Potential, "potential", (of_one, of_all)),
        (Quantity::Gradient, "gradient", (of_one, of_all)),
        (Quantity::Transport, "position after transport", (of_one, of_all)),
        (Quantity::PriorDraw, "draw from the prior", prior),
    ] {
        says(not_finite(quantity, 7), &format!("the {name} of particle 7 is not finite; {one}"));
        says(not_finite(quantity, None), &format!("the {name} of the ensemble is not finite; {all}"));
    }
    says(Error::Extinct { step: 12 }, "every particle died in step 12; lower alpha or dt");
    says(Error::CentredReinjection, "reinjection takes raw rates only, not centred ones");
    says(Error::AlphaWithoutEvents { alpha: 1e300 }, "alpha = 1e300 refused: gradient flow has no events; accepted: 0");
    says(Error::Energy { code: -3 }, "the energy failed with its own code -3");
    for (fault, text) in [
        (Fault::Truncated { needed: 9, found: 8 }, "cut short: 9 bytes needed, 8 found"),
        (Fault::Version { found: 7 }, "format version 7 is not known; accepted: 1"),
        (Fault::Precision { bytes: 4 }, "its numbers have 4 bytes, not those of this precision"),
        (Fault::Tag { found: 255 }, "it is of another run: its tag is 0xff"),
        (Fault::Checksum, "the checksum is wrong: a byte has changed"),
    ] {
        says(Error::Checkpoint(fault), &format!("checkpoint refused: {text}"));
    }
    let error: &dyn core::error::Error = &Error::Empty;
    assert!(error.source().is_none());
}

/// Writes the first component only.
struct Forgetful;

impl Prior<f64> for Forgetful {
    fn dim(&self) -> usize {
        2
    }

    fn draw(&self, _: &mut dyn Rng, particle: &mut [f64]) {
        particle[0] = 0.0;
    }
}

impl Energy<f64> for Forgetful {
    fn dim(&self) -> usize {
        2
    }

    fn evaluate(&mut self, _: u64, _: Rows<'_, f64>, mut out: Field<'_, f64>) -> Result<f64, Error> {
        out.parts_mut().0.fill(1e9);
        Ok(0.0)
    }
}

/// What an energy or a prior forgets to write is an error, and not what an earlier step left there.
#[test]
fn nothing_depends_on_what_the_scratch_held() {
    let mut workspace = Workspace::<f64, 2, 4>::new();
    let mut x = Ensemble::<f64, 2, 4>::new();
    (0..4).for_each(|_| x.push([1.0, 1.0]).unwrap());
    let mut rng = Stream::seeded(1, 0);
    let mut dynamics = Dynamics::gradient_flow(0.1).unwrap();
    let result = dynamics.step(&mut x, &mut Forgetful, &mut rng, &mut workspace);
    assert_eq!(result, Err(Error::NotFinite { quantity: Quantity::Gradient, particle: Some(0) }));
    // all die for certain, and four draws are needed
    let mut bowl = Quadratic::new(&[1.0, 1.0]).unwrap();
    let mut dynamics = Dynamics::reinjection(1.0, 1e9, Forgetful).unwrap();
    let result = dynamics.step(&mut x, &mut bowl, &mut rng, &mut workspace);
    assert_eq!(result, Err(Error::NotFinite { quantity: Quantity::PriorDraw, particle: Some(0) }));
}
